<?php

// The gateway posts here what has arrived.

// A 2xx ends the gateway's attempts: until the booking is durable, whatever fails is a 500.
http_response_code(500);
require __DIR__ . '/../shop.php';

$keys = [
    'appid' => setting('APPID'),
    'webhook_secret' => setting('WEBHOOK_SECRET'),
    'key' => setting('MERCHANT_KEY'),
];
try {
    $callback = RechargeGateway::verifyCallback(file_get_contents('php://input', false, null, 0, 65536), $_SERVER, $keys);
} catch (RechargeCallbackException $error) {
    http_response_code(400);
    header('content-type: text/plain');
    exit($error->getMessage());
}
if (!$callback['is_test'] && book($callback)) {
    error_log("booked {$callback['amount_usdt']} USDT for {$callback['orderid']}");
}
http_response_code(200);
header('content-type: text/plain');
echo 'success';

/**
 * Books a callback, once: its key and the balance change in one transaction, or not at all. If two come at once, the
 * second waits for the first and then inserts nothing. The amount is the callback's, not the order's: users pay less,
 * more, or in parts. A top-up that is not ours throws: the gateway then tries again, and shows the callback as not
 * delivered.
 */
function book(array $callback): bool
{
    $database = database();
    $database->beginTransaction();
    $insert = $database->prepare(
        'insert into booking (callback_key, top_up_id, amount) values (?, ?, ?) on conflict (callback_key) do nothing'
    );
    $insert->execute([$callback['idempotency_key'], $callback['orderid'], $callback['amount']]);
    $isNew = $insert->rowCount() === 1;
    if ($isNew) {
        $update = $database->prepare(
            'update shop_user set balance = balance + ? where id = (select user_id from top_up where id = ?)'
        );
        $update->execute([$callback['amount'], $callback['orderid']]);
    }
    $database->commit();
    return $isNew;
}
