<?php

// php clients/php/test.php: the signature vectors, which are the contract.
require __DIR__ . '/RechargeGateway.php';

$failures = 0;
$check = function (string $what, $expected, $got) use (&$failures) {
    if ($expected === $got) {
        return;
    }
    $failures++;
    fwrite(STDERR, "$what: expected " . json_encode($expected) . ', got ' . json_encode($got) . "\n");
};

$contract = json_decode(file_get_contents(__DIR__ . '/../signature-vectors.json'), true);
foreach ($contract['vectors'] as $vector) {
    foreach (['hmac_sha256' => 'hmac-sha256', 'sha1' => 'sha1'] as $name => $scheme) {
        $sign = RechargeGateway::sign($vector['for'], $vector['params'] + ['sign' => 'X'], $contract['key'], $scheme);
        $check("{$vector['name']}, $scheme", $vector[$name]['sign'], $sign);
    }
}

$webhook = $contract['standard_webhooks'];
$headers = ['HTTP_WEBHOOK_ID' => $webhook['webhook-id'], 'HTTP_WEBHOOK_TIMESTAMP' => $webhook['webhook-timestamp'], 'HTTP_WEBHOOK_SIGNATURE' => $webhook['webhook-signature']];
$keys = ['appid' => 'VunTq7Zk2Lm9h1l8', 'webhook_secret' => $webhook['secret']];
$now = (int) $webhook['webhook-timestamp'];
$callback = RechargeGateway::verifyCallback($webhook['body'], $headers, $keys, $now);
$check('the key', $webhook['webhook-id'], $callback['idempotency_key']);
$check('the amount', 30000, $callback['amount']);
try {
    RechargeGateway::verifyCallback($webhook['body'] . '0', $headers, $keys, $now);
    $check('an altered body', 'bad_signature', 'verified');
} catch (RechargeCallbackException $error) {
    $check('an altered body', 'bad_signature', $error->errorCode);
}
parse_str($webhook['body'], $post);
foreach ([null, false, [], $post, 1] as $parsed) {
    try {
        RechargeGateway::verifyCallback($parsed, $headers, $keys, $now);
        $check('a body that a parser took', 'bad_body', 'verified');
    } catch (Throwable $error) {
        $check('a body that a parser took', 'bad_body: pass the raw body', substr($error->getMessage(), 0, 27));
        $check('a body that a parser took', RechargeCallbackException::class, get_class($error));
    }
}
foreach ([['webhook_secret' => false], ['webhook_secret' => $webhook['secret'], 'key' => false]] as $unset) {
    try {
        RechargeGateway::verifyCallback($webhook['body'], $headers, $unset + $keys, $now);
        $check('a key that is not set', 'refused', 'verified');
    } catch (InvalidArgumentException $error) {
        $check('a key that is not set', 'a key is empty', $error->getMessage());
    }
}
try {
    (new RechargeGateway('http://127.0.0.1:9', 'a', 'k'))->createOrder(['orderid' => 'sh-1', 'amount' => 3.5]);
} catch (Throwable $error) {
    $check('a float for an amount', InvalidArgumentException::class, get_class($error));
}
echo $failures === 0 ? "php: every vector fits\n" : "php: $failures do not fit\n";
exit($failures === 0 ? 0 : 1);
