<?php

/**
 * recharge-gateway's merchant API in one file: orders, queries, verified callbacks. PHP 7.2 or newer, 64-bit, with the
 * json and hash extensions every PHP has; curl is used when it is there, PHP's own streams otherwise.
 *
 *     $gateway = new RechargeGateway('https://pay.example', $appid, $key);
 *     $order = $gateway->createOrder(['username' => 'alice', 'localusermark' => '42', 'orderid' => 'sh-1', 'amount' => '25']);
 *     $callback = RechargeGateway::verifyCallback(file_get_contents('php://input'), $_SERVER, ['appid' => ..., ...]);
 *
 * Everything is arrays and strings. Amounts are decimal strings and integers, never floats.
 */
final class RechargeGateway
{
    /** Microseconds before the first repetition; they double with each. */
    const FIRST_PAUSE_US = 250000;
    /** A gateway that asks for more patience (seconds) than this is told to the caller instead. */
    const LONGEST_PAUSE_S = 30;
    /** How far a callback's time may be from ours, either way, in seconds. */
    const TOLERANCE_S = 300;

    /** @var string */
    private $url;
    /** @var string */
    private $appid;
    /** @var string */
    private $key;
    /** @var string */
    private $scheme;
    /** @var int */
    private $timeout;
    /** @var int */
    private $retries;
    /** @var bool */
    private $withCurl;

    /**
     * @param string $url the gateway's, without /api/merchant
     * @param array $options scheme: 'hmac-sha256' (default) or 'sha1'; timeout: seconds an attempt may take (default 10;
     *   with streams: that connecting, and each wait for bytes, may take); retries: how often a request is made again
     *   after no answer, a 429 or a 5xx (default 2; 0: never; everything that is retried is safe to repeat, and
     *   resendCallback and testCallback are never retried); transport: 'curl' or 'streams' (default: curl if it is there)
     */
    public function __construct(string $url, string $appid, string $key, array $options = [])
    {
        $this->url = rtrim($url, '/');
        $this->appid = $appid;
        $this->key = $key;
        $this->scheme = $options['scheme'] ?? 'hmac-sha256';
        $this->timeout = $options['timeout'] ?? 10;
        $this->retries = $options['retries'] ?? 2;
        $this->withCurl = ($options['transport'] ?? (extension_loaded('curl') ? 'curl' : 'streams')) === 'curl';
    }

    /** The user's address, the same one when asked again: username, localusermark; with orderid, one for that order alone. */
    public function newAddress(array $parameters): array
    {
        return $this->call('newAddress', $parameters);
    }

    /**
     * The user's base address (data.address, null for a user who has only addresses of orders), all addresses of the user, 100
     * at a time (data.addresses), and what waits unclaimed there: username, localusermark; for further addresses ask on with
     * cursor = data.next until that is null.
     */
    public function findUserAddress(array $parameters): array
    {
        return $this->call('finduseraddress', $parameters);
    }

    /**
     * Creates an order, once: the same orderid with the same values gives the same answer for ever.
     * @param array $parameters username, localusermark, orderid, amount (decimal USDT as a string, such as '25' or '3.5');
     *   address: the user's, or 'auto' (the default): one for this order alone; notify_url if not your default URL;
     *   return_url, where its page leads the payer back to, if you are set to have it. The answer has the page's pay_url
     * @return array ordersn, address, expires_at
     * @throws RechargeGatewayException
     */
    public function createOrder(array $parameters): array
    {
        return $this->call('TraderRechargeorder', $parameters + ['address' => 'auto']);
    }

    /** The order with its transfers, sightings and callbacks: orderid or ordersn. */
    public function findOrder(array $name): array
    {
        return $this->call('findorder', $name);
    }

    /** A page of orders, newest first: from, to, state, expired, localusermark, limit; ask on with cursor = next until that is null. */
    public function listOrders(array $filter = []): array
    {
        return $this->call('orders', $filter);
    }

    /** Has an order's callbacks sent again: orderid or ordersn. */
    public function resendCallback(array $name): array
    {
        return $this->request('resendcallback', $name, 0);
    }

    /** Has a signed sample sent to your endpoint, and tells what it answered: optional notify_url. */
    public function testCallback(array $parameters = []): array
    {
        return $this->request('testcallback', $parameters, 0);
    }

    /** Sums per UTC day: from, to (Unix seconds, `to` not included, at most 92 days). */
    public function statement(array $period): array
    {
        return $this->call('statement', $period);
    }

    /**
     * A page of transfers to your addresses and what has become of each, newest first: txid, address, localusermark, state
     * (credited, deposit, unclaimed, held, rejected, settled_outside), limit; ask on with cursor = next until that is null, also when a page is short or empty.
     */
    public function listTransfers(array $filter = []): array
    {
        return $this->call('transfers', $filter);
    }

    /**
     * Any endpoint; what is null is left out.
     * @return array the answer's data
     * @throws RechargeGatewayException when it is refused or not answered
     * @throws InvalidArgumentException for a value that is neither a string nor an integer
     */
    public function call(string $endpoint, array $parameters): array
    {
        return $this->request($endpoint, $parameters, $this->retries);
    }

    /**
     * Signs a message.
     * @param string $endpoint the last segment of the path, 'callback' for a callback; only hmac-sha256 covers it
     * @param array $parameters decoded values as text; `sign` itself is never signed and may be left in
     * @return string upper-case hex
     */
    public static function sign(string $endpoint, array $parameters, string $key, string $scheme = 'hmac-sha256'): string
    {
        unset($parameters['sign']);
        ksort($parameters, SORT_STRING);
        if ($scheme === 'sha1') {
            $text = '';
            foreach ($parameters as $name => $value) {
                $text .= $name . $value;
            }
            return strtoupper(sha1($text . $key));
        }
        if ($scheme !== 'hmac-sha256') {
            throw new InvalidArgumentException('scheme: hmac-sha256 or sha1');
        }
        $pairs = [];
        foreach ($parameters as $name => $value) {
            $pairs[] = rawurlencode((string) $name) . '=' . rawurlencode($value);
        }
        return strtoupper(hash_hmac('sha256', $endpoint . '?' . implode('&', $pairs), $key));
    }

    /**
     * Verifies a callback. What is none, such as an event, is refused as bad_body: kindOf tells which it is.
     * @param string $rawBody exactly as received: file_get_contents('php://input'); $_POST is refused as bad_body
     * @param array $headers $_SERVER, or getallheaders(), or any array of names (in either case) and values
     * @param array $keys appid; webhook_secret: 'whsec_...', verifies webhook-signature, which covers the key to
     *   deduplicate by and the exact bytes; key: the merchant key, verifies the body's sign (by itself it is enough only
     *   if your callbacks carry all fields, and a sha1 key never is); scheme: of that key, default 'hmac-sha256'. Each of
     *   the two that is given must fit; while one is being changed, give an array of the old and the new.
     * @param int|null $now Unix seconds
     * @return array idempotency_key: credit each of these once, whatever comes twice (a unique key in the table where you
     *   credit); orderid; localusermark; amount: what to credit, integer, 1/10000 USDT; amount_usdt: the same as decimal
     *   USDT, '3.0001'; sent_at: Unix seconds of this attempt; is_test: a sample you asked for, amount 0 and an order that
     *   does not exist; fields: the body's, as they came
     * @throws RechargeCallbackException when it must not be believed
     * @throws InvalidArgumentException when the keys are none
     */
    public static function verifyCallback($rawBody, array $headers, array $keys, ?int $now = null): array
    {
        [$idempotencyKey, $fields] = self::verifyBody($rawBody, $headers, $keys, $now, [
            'id' => 'callback_id',
            'required' => ['orderid', 'localusermark'],
            'whole' => ['amount'],
        ]);
        $amount = (int) $fields['amount'];
        return [
            'idempotency_key' => $idempotencyKey,
            'orderid' => $fields['orderid'],
            'localusermark' => $fields['localusermark'],
            'amount' => $amount,
            'amount_usdt' => self::decimalUsdt($amount),
            'sent_at' => (int) $fields['t'],
            'is_test' => $amount === 0,
            'fields' => $fields,
        ];
    }

    /**
     * Verifies a deposit: a user's money without an order, for merchants who have deposits on. The parameters are those of
     * verifyCallback, and the merchant key by itself is enough if it is no sha1 key.
     * @param string $rawBody
     * @return array idempotency_key: credit each of these once, whatever comes twice (a unique key in the table where you
     *   credit); localusermark; address; txid; log_index: integer, the transfer's place in the transaction's logs; amount:
     *   what to credit, integer, 1/10000 USDT; amount_usdt: the same as decimal USDT, '3.0001'; sent_at: Unix seconds of
     *   this attempt; fields: the body's, as they came
     * @throws RechargeCallbackException when it must not be believed
     * @throws InvalidArgumentException when the keys are none
     */
    public static function verifyDeposit($rawBody, array $headers, array $keys, ?int $now = null): array
    {
        [$idempotencyKey, $fields] = self::verifyBody($rawBody, $headers, $keys, $now, [
            'id' => 'deposit_id',
            'required' => ['deposit_id', 'deposit_localusermark', 'deposit_address', 'deposit_txid'],
            'whole' => ['deposit_amount', 'deposit_log_index'],
        ]);
        $amount = (int) $fields['deposit_amount'];
        return [
            'idempotency_key' => $idempotencyKey,
            'localusermark' => $fields['deposit_localusermark'],
            'address' => $fields['deposit_address'],
            'txid' => $fields['deposit_txid'],
            'log_index' => (int) $fields['deposit_log_index'],
            'amount' => $amount,
            'amount_usdt' => self::decimalUsdt($amount),
            'sent_at' => (int) $fields['t'],
            'fields' => $fields,
        ];
    }

    /**
     * Verifies an event: for display, if you have events on. It announces no money: never credit because of one. The
     * parameters are those of verifyCallback, and the merchant key by itself is enough if it is no sha1 key.
     * @param string $rawBody
     * @return array idempotency_key: the same event may come twice under it; event: order.seen, order.expired,
     *   deposit.unclaimed, or one that this client does not know yet; sent_at: Unix seconds of this attempt; fields: what it
     *   says, event_orderid, event_txid and so on
     * @throws RechargeCallbackException when it must not be believed
     * @throws InvalidArgumentException when the keys are none
     */
    public static function verifyEvent($rawBody, array $headers, array $keys, ?int $now = null): array
    {
        [$idempotencyKey, $fields] = self::verifyBody($rawBody, $headers, $keys, $now, [
            'id' => 'event_id',
            'required' => ['event', 'event_id'],
            'whole' => [],
        ]);
        return [
            'idempotency_key' => $idempotencyKey,
            'event' => $fields['event'],
            'sent_at' => (int) $fields['t'],
            'fields' => $fields,
        ];
    }

    /**
     * Tells which kind a body says it is. Nothing is verified yet: verify it by the function of that kind.
     * @param string $rawBody
     * @return string 'callback', 'deposit' or 'event'
     * @throws RechargeCallbackException bad_body
     */
    public static function kindOf($rawBody): string
    {
        $fields = self::readFields(self::rawText($rawBody));
        if (isset($fields['event'])) {
            return 'event';
        }
        return isset($fields['deposit_id']) ? 'deposit' : 'callback';
    }

    /**
     * Verifies a body of any kind.
     * @param array $names id: the field that says its key; required: those that have to be there; whole: those that are
     *   whole numbers (amounts in 1/10000 USDT, a place in a list)
     * @return array the key to deduplicate by, and the fields
     */
    private static function verifyBody($rawBody, array $headers, array $keys, ?int $now, array $names): array
    {
        $secrets = (array) ($keys['webhook_secret'] ?? []);
        $merchantKeys = (array) ($keys['key'] ?? []);
        $scheme = $keys['scheme'] ?? 'hmac-sha256';
        self::checkKeys($secrets, $merchantKeys, $scheme);
        $now = $now ?? time();
        $body = self::rawText($rawBody);
        $signedId = $secrets ? self::verifyHeaders($body, $headers, $secrets, $now) : '';
        $fields = self::readFields($body);
        self::checkFields($fields, $names);
        if ($merchantKeys) {
            self::verifySign($fields, $merchantKeys, $scheme);
        }
        if ($fields['appid'] !== ($keys['appid'] ?? '')) {
            throw new RechargeCallbackException('wrong_appid', 'it is for another appid');
        }
        if ($signedId === '') {
            self::checkTime($fields['t'], $now);
        }
        $idempotencyKey = $signedId !== '' ? $signedId : ($fields[$names['id']] ?? '');
        if ($idempotencyKey === '') {
            throw new RechargeCallbackException('no_signed_key', 'give webhook_secret, or have your callbacks set to all fields');
        }
        if (($fields[$names['id']] ?? $idempotencyKey) !== $idempotencyKey) {
            throw new RechargeCallbackException('bad_body', $names['id'] . ' and webhook-id differ');
        }
        return [$idempotencyKey, $fields];
    }

    private static function rawText($rawBody): string
    {
        if (!is_string($rawBody)) {
            throw new RechargeCallbackException('bad_body', 'pass the raw body, a string, before anything parses it');
        }
        return $rawBody;
    }

    private function request(string $endpoint, array $given, int $retries): array
    {
        $parameters = self::asText($given);
        for ($attempt = 0; ; $attempt++) {
            try {
                return $this->post($endpoint, $parameters);
            } catch (RechargeGatewayException $error) {
                $pauseUs = (int) (self::FIRST_PAUSE_US * 2 ** $attempt * random_int(500, 1000) / 1000);
                if ($error->retryAfter !== null) {
                    $pauseUs = $error->retryAfter * 1000000;
                }
                if (!$error->isRetryable() || $attempt >= $retries || $pauseUs > self::LONGEST_PAUSE_S * 1000000) {
                    throw $error;
                }
                usleep($pauseUs);
            }
        }
    }

    /** One attempt; t and nonce are fresh each time, so that a late repetition is not taken for a stale request. */
    private function post(string $endpoint, array $parameters): array
    {
        $signed = ['appid' => $this->appid, 't' => (string) time(), 'nonce' => bin2hex(random_bytes(16))] + $parameters;
        $signed['sign'] = self::sign($endpoint, $signed, $this->key, $this->scheme);
        $url = $this->url . '/api/merchant/' . $endpoint;
        $body = http_build_query($signed, '', '&');
        list($failure, $status, $retryAfter, $text) = $this->withCurl
            ? $this->postWithCurl($url, $body)
            : $this->postWithStreams($url, $body);
        if ($failure !== null) {
            throw new RechargeGatewayException('no_answer', "$endpoint got no answer: $failure", 0, null);
        }
        return self::dataOf($endpoint, $status, $retryAfter, $text);
    }

    /** @return array what failed, or null; HTTP status; Retry-After, or ''; body */
    private function postWithCurl(string $url, string $body): array
    {
        $retryAfter = '';
        $handle = curl_init($url);
        curl_setopt_array($handle, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            // Without Expect, or curl would wait for a 100 before sending a body of more than a kilobyte.
            CURLOPT_HTTPHEADER => ['Content-Type: application/x-www-form-urlencoded', 'Expect:'],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_TIMEOUT => $this->timeout,
            CURLOPT_NOSIGNAL => true,
            CURLOPT_HEADERFUNCTION => function ($handle, $line) use (&$retryAfter) {
                $retryAfter = self::retryAfterOf($line) ?? $retryAfter;
                return strlen($line);
            },
        ]);
        $text = curl_exec($handle);
        return [$text === false ? curl_error($handle) : null, curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $retryAfter, $text];
    }

    /** @return array as postWithCurl */
    private function postWithStreams(string $url, string $body): array
    {
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n",
            'content' => $body,
            'timeout' => $this->timeout,
            'ignore_errors' => true,
            'follow_location' => 0,
            'protocol_version' => 1.1,
        ]]);
        error_clear_last();
        $stream = @fopen($url, 'rb', false, $context);
        if ($stream === false) {
            return [error_get_last()['message'] ?? 'it cannot be reached', 0, '', ''];
        }
        $text = stream_get_contents($stream);
        $about = stream_get_meta_data($stream);
        fclose($stream);
        if ($text === false || $about['timed_out']) {
            return ['the time was over', 0, '', ''];
        }
        $status = 0;
        $retryAfter = '';
        $length = null;
        foreach ($about['wrapper_data'] as $line) {
            if (preg_match('~^HTTP/\S+ (\d{3})~', $line, $match)) {
                $status = (int) $match[1];
            } elseif (preg_match('~^content-length:\s*(\d+)\s*$~i', $line, $match)) {
                $length = (int) $match[1];
            }
            $retryAfter = self::retryAfterOf($line) ?? $retryAfter;
        }
        // Streams do not tell a connection that broke off from the end.
        if ($length !== null && strlen($text) < $length) {
            return ['the connection broke off', 0, '', ''];
        }
        return [null, $status, $retryAfter, $text];
    }

    private static function retryAfterOf(string $line)
    {
        return preg_match('~^retry-after:\s*(\d{1,9})\s*$~i', $line, $match) ? $match[1] : null;
    }

    private static function asText(array $given): array
    {
        $parameters = [];
        foreach ($given as $name => $value) {
            if ($value === null) {
                continue;
            }
            if (!is_string($value) && (!is_int($value) || $name === 'amount')) {
                $what = $name === 'amount' ? ' of decimal USDT' : '';
                throw new InvalidArgumentException("$name: must be a string$what");
            }
            $parameters[$name] = (string) $value;
        }
        return $parameters;
    }

    /** A merchant may be set to get every refusal with 200, so the envelope decides and not the HTTP status. */
    private static function dataOf(string $endpoint, int $httpStatus, string $retryAfter, string $text): array
    {
        $seconds = $retryAfter === '' ? null : (int) $retryAfter;
        $answer = json_decode($text, true);
        $status = is_array($answer) ? ($answer['status'] ?? null) : null;
        if ($status === 1 && $httpStatus === 200 && is_array($answer['data'] ?? null)) {
            return $answer['data'];
        }
        if ($status === 0 && is_string($answer['code'] ?? null) && is_string($answer['err'] ?? null)) {
            throw new RechargeGatewayException($answer['code'], $answer['err'], $httpStatus, $seconds);
        }
        $sentence = "$endpoint was answered with HTTP $httpStatus, but not by the gateway";
        throw new RechargeGatewayException('bad_answer', $sentence, $httpStatus, $seconds);
    }

    private static function checkKeys(array $secrets, array $merchantKeys, string $scheme): void
    {
        foreach (array_merge($secrets, $merchantKeys) as $key) {
            // getenv() gives false for what is not set, which would pass for the empty key.
            if (!is_string($key) || $key === '') {
                throw new InvalidArgumentException('a key is empty');
            }
        }
        if ($secrets) {
            return;
        }
        if (!$merchantKeys) {
            throw new InvalidArgumentException('give webhook_secret, key, or both');
        }
        // A sha1 sign does not say what it is for: a request of yours could be sent to you as a callback.
        if ($scheme === 'sha1') {
            throw new InvalidArgumentException('a sha1 key verifies no callback by itself: give webhook_secret');
        }
    }

    /** @return string webhook-id */
    private static function verifyHeaders(string $body, array $headers, array $secrets, int $now): string
    {
        $id = self::headerOf($headers, 'webhook-id');
        $timestamp = self::headerOf($headers, 'webhook-timestamp');
        $given = explode(' ', self::headerOf($headers, 'webhook-signature'));
        $fits = false;
        foreach ($secrets as $secret) {
            $digest = hash_hmac('sha256', "$id.$timestamp.$body", self::secretBytes($secret), true);
            foreach ($given as $one) {
                $fits = hash_equals('v1,' . base64_encode($digest), $one) || $fits;
            }
        }
        if (!$fits) {
            throw new RechargeCallbackException('bad_signature', 'webhook-signature does not fit');
        }
        self::checkTime($timestamp, $now);
        return $id;
    }

    private static function headerOf(array $headers, string $wanted): string
    {
        foreach ($headers as $name => $value) {
            $lower = strtolower(str_replace('_', '-', (string) $name));
            if (($lower === $wanted || $lower === "http-$wanted") && is_string($value) && $value !== '') {
                return $value;
            }
        }
        throw new RechargeCallbackException('missing_header', "$wanted is not there");
    }

    private static function secretBytes(string $secret): string
    {
        if (!preg_match('~^whsec_[A-Za-z0-9+/]{4,}={0,2}$~D', $secret)) {
            throw new InvalidArgumentException('a webhook secret is whsec_ followed by base64');
        }
        return base64_decode(substr($secret, strlen('whsec_')));
    }

    private static function checkTime(string $seconds, int $now): void
    {
        if (!preg_match('~^\d{1,12}$~D', $seconds) || abs((int) $seconds - $now) > self::TOLERANCE_S) {
            throw new RechargeCallbackException('stale_timestamp', 'signed more than ' . self::TOLERANCE_S . ' s from now');
        }
    }

    private static function verifySign(array $fields, array $merchantKeys, string $scheme): void
    {
        $given = strtoupper($fields['sign'] ?? '');
        $fits = false;
        foreach ($merchantKeys as $key) {
            $fits = hash_equals(self::sign('callback', $fields, $key, $scheme), $given) || $fits;
        }
        if (!$fits) {
            throw new RechargeCallbackException('bad_sign', "the body's sign does not fit");
        }
    }

    /** A form, or a JSON object of strings. What it is shows: a form begins with a name. */
    private static function readFields(string $body): array
    {
        if (!preg_match('~~u', $body)) {
            throw new RechargeCallbackException('bad_body', 'not UTF-8');
        }
        return preg_match('~^\s*\{~', $body) ? self::readJson($body) : self::readForm($body);
    }

    private static function checkFields(array $fields, array $names): void
    {
        foreach (array_merge($names['required'], $names['whole'], ['appid', 't']) as $name) {
            if (($fields[$name] ?? '') === '') {
                throw new RechargeCallbackException('bad_body', "$name is not there");
            }
        }
        foreach ($names['whole'] as $name) {
            if (!preg_match('~^(0|[1-9]\d{0,17})$~D', $fields[$name])) {
                throw new RechargeCallbackException('bad_body', "$name is no whole number");
            }
        }
        if (!preg_match('~^\d{1,12}$~D', $fields['t'])) {
            throw new RechargeCallbackException('bad_body', 't is no Unix time');
        }
    }

    private static function readJson(string $text): array
    {
        $fields = json_decode($text, true);
        if (!is_array($fields)) {
            throw new RechargeCallbackException('bad_body', 'not JSON');
        }
        foreach ($fields as $value) {
            // The sentences do not repeat what a stranger wrote: they may end up on a page.
            if (!is_string($value)) {
                throw new RechargeCallbackException('bad_body', 'a value is not a string');
            }
        }
        return $fields;
    }

    /** Not parse_str: it changes names, and takes the last of two. */
    private static function readForm(string $text): array
    {
        $fields = [];
        foreach (explode('&', $text) as $pair) {
            $parts = explode('=', $pair, 2);
            $name = self::formDecode($parts[0]);
            if (isset($fields[$name])) {
                throw new RechargeCallbackException('bad_body', 'a name is there twice');
            }
            $fields[$name] = self::formDecode($parts[1] ?? '');
        }
        return $fields;
    }

    private static function formDecode(string $text): string
    {
        $decoded = urldecode($text);
        if (preg_match('~%(?![0-9A-Fa-f]{2})~', $text) || !preg_match('~~u', $decoded)) {
            throw new RechargeCallbackException('bad_body', 'a malformed percent escape');
        }
        return $decoded;
    }

    private static function decimalUsdt(int $amount): string
    {
        return rtrim(rtrim(sprintf('%d.%04d', intdiv($amount, 10000), $amount % 10000), '0'), '.');
    }
}

/** A request that was refused, or that got no answer. */
final class RechargeGatewayException extends Exception
{
    /**
     * @var string the gateway's own ('bad_amount', 'orderid_conflict', ...), which never changes; or, made up here,
     *   'no_answer' (the network failed or the time was over: what was asked may have been done) and 'bad_answer'
     *   (something else than the gateway answered, such as a proxy's error page)
     */
    public $errorCode;
    /** @var string what is wrong, for people */
    public $sentence;
    /** @var int 0 when there was no answer */
    public $httpStatus;
    /** @var int|null seconds to wait before asking again, when the gateway said so */
    public $retryAfter;

    public function __construct(string $errorCode, string $sentence, int $httpStatus, ?int $retryAfter)
    {
        parent::__construct("$errorCode: $sentence");
        $this->errorCode = $errorCode;
        $this->sentence = $sentence;
        $this->httpStatus = $httpStatus;
        $this->retryAfter = $retryAfter;
    }

    /** Whether the very same request may be answered otherwise later: no answer, 429, 5xx. */
    public function isRetryable(): bool
    {
        return $this->httpStatus === 0 || $this->httpStatus === 429 || $this->httpStatus >= 500;
    }
}

/** A callback that must not be believed; answer it with a 400. */
final class RechargeCallbackException extends Exception
{
    /**
     * @var string missing_header (one of the three webhook- headers is not there), bad_signature (webhook-signature does
     *   not fit), stale_timestamp (signed more than five minutes from now), bad_body (not a callback's body), bad_sign
     *   (the body's sign does not fit), wrong_appid (for another merchant), no_signed_key (nothing signed to deduplicate by)
     */
    public $errorCode;

    public function __construct(string $errorCode, string $sentence)
    {
        parent::__construct("$errorCode: $sentence");
        $this->errorCode = $errorCode;
    }
}
