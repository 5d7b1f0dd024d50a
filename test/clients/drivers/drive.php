<?php

// Does what each line of its input says, and answers it with a line: see test/clients/drive.ts.
require __DIR__ . '/RechargeGateway.php';

$transport = $argv[1];

$call = function (string $url, string $appid, string $key, string $scheme, string $retries, string $timeoutMs, string $endpoint, string ...$pairs) use ($transport) {
    $gateway = new RechargeGateway($url, $appid, $key, [
        'scheme' => $scheme, 'retries' => (int) $retries, 'timeout' => intdiv((int) $timeoutMs, 1000), 'transport' => $transport,
    ]);
    $given = paired($pairs);
    switch ($endpoint) {
        case 'newAddress':
            return shown($gateway->newAddress($given)['address']);
        case 'finduseraddress':
            $data = $gateway->findUserAddress($given)['data'];
            return shown($data['address'], $data['unclaimed'], $data['addresses'][0]['unclaimed']);
        case 'TraderRechargeorder':
            $order = $gateway->createOrder($given);
            return shown($order['ordersn'], $order['address'], $order['expires_at']);
        case 'findorder':
            $it = $gateway->findOrder($given);
            return shown($it['state'], $it['received'], $it['expired'], $it['transfers'][0]['block'], $it['seen'][0]['amount'], $it['callbacks'][0]['id']);
        case 'orders':
            $page = $gateway->listOrders($given);
            return shown(count($page['orders']), $page['orders'][0]['orderid'], $page['next'] === null);
        case 'resendcallback':
            $it = $gateway->resendCallback($given);
            return shown($it['resent'], $it['skipped']);
        case 'testcallback':
            $it = $gateway->testCallback($given);
            return shown($it['delivered'], $it['http_status'], $it['error'] === null);
        case 'transfers':
            $page = $gateway->listTransfers($given);
            $it = $page['transfers'][0];
            return shown($it['state'], $it['orderid'], $it['reason'] === null, $page['seen'][0]['confirmations']);
        case 'statement':
            $it = $gateway->statement(['from' => (int) $given['from'], 'to' => (int) $given['to']]);
            return shown($it['days'][0]['day'], $it['days'][0]['received'], $it['unclaimed']['amount']);
    }
};

$verify = function (string $task, string $appid, string $secrets, string $keys, string $scheme, string $now, string $body, string ...$pairs) {
    $given = ['appid' => $appid, 'webhook_secret' => listed($secrets), 'key' => listed($keys), 'scheme' => $scheme];
    $body = base64_decode($body);
    $message = [$body, array_map('base64_decode', paired($pairs)), $given, (int) $now];
    $kind = $task === 'any' ? RechargeGateway::kindOf($body) : $task;
    if ($kind === 'event') {
        $it = RechargeGateway::verifyEvent(...$message);
        return shown($it['idempotency_key'], $it['event'], $it['sent_at'], $it['fields']['event_txid'] ?? '-');
    }
    if ($kind === 'deposit') {
        $it = RechargeGateway::verifyDeposit(...$message);
        return shown(
            $it['idempotency_key'], $it['localusermark'], $it['address'], $it['txid'],
            $it['log_index'], $it['amount'], $it['amount_usdt'], $it['sent_at']
        );
    }
    $it = RechargeGateway::verifyCallback(...$message);
    return shown(
        $it['idempotency_key'], $it['orderid'], $it['localusermark'],
        $it['amount'], $it['amount_usdt'], $it['sent_at'], $it['is_test'], $it['fields']['txid'] ?? '-'
    );
};

function shown(...$values)
{
    return implode("\t", array_merge(['ok'], array_map(function ($value) {
        return is_bool($value) ? ($value ? 'true' : 'false') : (string) $value;
    }, $values)));
}

function listed(string $text)
{
    return $text === '' ? [] : explode(',', $text);
}

function paired(array $pairs)
{
    $given = [];
    foreach ($pairs as $pair) {
        list($name, $value) = explode('=', $pair, 2);
        $given[$name] = $value;
    }
    return $given;
}

while (($line = fgets(STDIN)) !== false) {
    $rest = explode("\t", rtrim($line, "\n"));
    try {
        $answer = $rest[0] === 'call' ? $call(...array_slice($rest, 1)) : $verify(...$rest);
    } catch (RechargeGatewayException $error) {
        $answer = implode("\t", [
            'refused', $error->errorCode, $error->httpStatus, $error->retryAfter ?: '-', $error->isRetryable() ? 'true' : 'false',
        ]);
    } catch (RechargeCallbackException $error) {
        $answer = "refused\t" . $error->errorCode;
    } catch (InvalidArgumentException $error) {
        $answer = 'keys';
    } catch (Throwable $error) {
        $answer = "other\t" . get_class($error);
    }
    echo $answer, "\n";
}
