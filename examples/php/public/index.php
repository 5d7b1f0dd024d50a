<?php

// The user's balance, and the form. A top-up is kept before the gateway is asked for its address.
require __DIR__ . '/../shop.php';

$error = '';
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $amount = $_POST['amount'] ?? '';
    if (is_string($amount) && preg_match('~^[1-9]\d{0,5}(\.\d{1,4})?$~D', $amount)) {
        $id = bin2hex(random_bytes(16));
        firstRow('insert into top_up (id, user_id, amount) values (?, ?, ?)', [$id, USER_ID, $amount]);
        header("Location: /top-up.php?id=$id", true, 303);
        exit;
    }
    http_response_code(400);
    $error = 'Enter an amount from 1 to 999999, such as 25 or 3.5';
}
$user = firstRow('select name, balance from shop_user where id = ?', [USER_ID]);
echo page('
    <h1>Hello, ' . escape($user['name']) . '</h1>
    <p>Your balance: <b>' . usdt((int) $user['balance']) . ' USDT</b></p>
    <form method="post">
      <label>Top up <input name="amount" inputmode="decimal" size="8" required> USDT</label>
      <button>Continue</button>
    </form>
    <p class="error">' . escape($error) . '</p>');
