<?php

// Where to pay, and what has come. It loads itself again.
require __DIR__ . '/../shop.php';

$id = $_GET['id'] ?? '';
$topUp = is_string($id) ? firstRow(
    'select id, amount, address, (select coalesce(sum(amount), 0) from booking where top_up_id = top_up.id) as booked
       from top_up
      where id = ? and user_id = ?',
    [$id, USER_ID]
) : false;
if (!$topUp) {
    http_response_code(404);
    exit(page('<h1>There is no such top-up</h1>'));
}
$address = $topUp['address'] ?? orderAddress($topUp);
if ($address === null) {
    http_response_code(503);
    exit(page('<h1>One moment</h1><p>The payment service does not answer. This page tries again.</p>', 10));
}
$amount = escape($topUp['amount']);
echo page('
    <h1>Pay ' . $amount . ' USDT</h1>
    <p>to this address, on the network <b>TRON (TRC-20)</b>:</p>
    <p><code>' . escape($address) . '</code></p>
    <p>Send USDT on TRON only. Anything else sent to this address is lost.
       If you withdraw from an exchange, it must send ' . $amount . ' USDT after its fee.</p>
    <p>' . ($topUp['booked'] > 0
        ? 'Received: <b>' . usdt((int) $topUp['booked']) . ' USDT</b>. It is in <a href="/">your balance</a>.'
        : 'Nothing has come yet. It takes about a minute after you have paid.') . '</p>', 5);

/** Creates the order, once: the same orderid always gets the same answer. Null when there was none. */
function orderAddress(array $topUp): ?string
{
    // A user waits for the page, so there is one attempt: the page makes the next one.
    $gateway = new RechargeGateway(setting('GATEWAY_URL'), setting('APPID'), setting('MERCHANT_KEY'), [
        'retries' => 0,
        'timeout' => 5,
    ]);
    $user = firstRow('select name from shop_user where id = ?', [USER_ID]);
    try {
        $order = $gateway->createOrder([
            'username' => $user['name'],
            'localusermark' => USER_ID,
            'orderid' => $topUp['id'],
            'amount' => $topUp['amount'],
            'notify_url' => setting('SHOP_URL', 'http://127.0.0.1:8000') . '/callback.php',
        ]);
    } catch (RechargeGatewayException $error) {
        if (!$error->isRetryable()) {
            throw $error;
        }
        error_log($error->getMessage());
        return null;
    }
    firstRow('update top_up set address = ? where id = ?', [$order['address'], $topUp['id']]);
    return $order['address'];
}
