package rechargegateway;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * recharge-gateway's merchant API in one file: orders, queries, verified callbacks. Java 11 or newer, nothing else.
 *
 * <pre>
 * RechargeGateway gateway = new RechargeGateway("https://pay.example", appid, key);
 * Answer order = gateway.createOrder(Map.of("username", "alice", "localusermark", "42", "orderid", "sh-1", "amount", "25"));
 * String address = order.text("address");
 * </pre>
 *
 * Amounts are decimal strings and whole numbers, never floats. Safe to share between threads.
 */
public final class RechargeGateway {
    /** How a merchant's key signs; SHA1 is for integrations that existed before. */
    public enum Scheme { HMAC_SHA256, SHA1 }

    /** What may be changed: {@code new Settings().timeout(...).retries(0)}. */
    public static final class Settings {
        private Scheme scheme = Scheme.HMAC_SHA256;
        private Duration timeout = Duration.ofSeconds(10);
        private int retries = 2;

        public Settings scheme(Scheme value) {
            scheme = value;
            return this;
        }

        /** How long one attempt may take; 10 s unless changed. */
        public Settings timeout(Duration value) {
            timeout = value;
            return this;
        }

        /**
         * How often a request is made again after no answer, a 429 or a 5xx; 2 unless changed, 0: never. Everything that is
         * retried is safe to repeat; resendCallback and testCallback are never retried.
         */
        public Settings retries(int value) {
            retries = value;
            return this;
        }
    }

    /** Milliseconds before the first repetition; they double with each. */
    private static final long FIRST_PAUSE_MS = 250;
    /** A gateway that asks for more patience than this is told to the caller instead. */
    private static final long LONGEST_PAUSE_MS = 30_000;
    /** How far a callback's time may be from ours, either way. */
    private static final long TOLERANCE_S = 300;

    private final String url;
    private final String appid;
    private final String key;
    private final Scheme scheme;
    private final Duration timeout;
    private final int retries;
    private final HttpClient http =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(10)).build();
    private final SecureRandom random = new SecureRandom();

    /** @param url the gateway's, without /api/merchant. */
    public RechargeGateway(String url, String appid, String key) {
        this(url, appid, key, new Settings());
    }

    public RechargeGateway(String url, String appid, String key, Settings settings) {
        this.url = url.replaceAll("/+$", "");
        this.appid = appid;
        this.key = key;
        this.scheme = settings.scheme;
        this.timeout = settings.timeout;
        this.retries = settings.retries;
    }

    /** The user's address, the same one when asked again: username, localusermark; with orderid, one for that order alone. */
    public Answer newAddress(Map<String, String> parameters) {
        return call("newAddress", parameters);
    }

    /**
     * The user's base address (data.address, null for a user who has only addresses of orders), all addresses of the user, 100
     * at a time (data.addresses), and what waits unclaimed there: username, localusermark; for further addresses ask on with
     * cursor until data.next is null.
     */
    public Answer findUserAddress(Map<String, String> parameters) {
        return call("finduseraddress", parameters);
    }

    /**
     * Creates an order, once: the same orderid with the same values gives the same answer for ever.
     * @param parameters username, localusermark, orderid, amount (decimal USDT, such as "25" or "3.5"); address: the user's,
     *     or "auto" (the default): one for this order alone; notify_url if not your default URL;
     *     return_url, where its page leads the payer back to, if you are set to have it. The answer has the page's pay_url.
     * @return ordersn, address, expires_at.
     * @throws GatewayException when it is refused or not answered, as every method here.
     */
    public Answer createOrder(Map<String, String> parameters) {
        Map<String, String> all = new HashMap<>(Map.of("address", "auto"));
        all.putAll(parameters);
        return call("TraderRechargeorder", all);
    }

    /** The order with its transfers, sightings and callbacks. */
    public Answer findOrder(String orderid) {
        return call("findorder", Map.of("orderid", orderid));
    }

    /** A page of orders, newest first: from, to, state, expired, localusermark, limit; ask on with cursor until next is null. */
    public Answer listOrders(Map<String, String> filter) {
        return call("orders", filter);
    }

    /** Has an order's callbacks sent again. */
    public Answer resendCallback(String orderid) {
        return request("resendcallback", Map.of("orderid", orderid), 0);
    }

    /** Has a signed sample sent to your endpoint, and tells what it answered: optional notify_url. */
    public Answer testCallback(Map<String, String> parameters) {
        return request("testcallback", parameters, 0);
    }

    /** Sums per UTC day; Unix seconds, from included and to not, at most 92 days. */
    public Answer statement(long from, long to) {
        return call("statement", Map.of("from", Long.toString(from), "to", Long.toString(to)));
    }

    /**
     * A page of transfers to your addresses and what has become of each, newest first: txid, address, localusermark, state
     * (credited, deposit, unclaimed, held, rejected, settled_outside), limit; ask on with cursor until next is null, also when a page is short or empty.
     */
    public Answer listTransfers(Map<String, String> filter) {
        return call("transfers", filter);
    }

    /** Any endpoint, such as findorder by ordersn; what is null is left out. */
    public Answer call(String endpoint, Map<String, String> parameters) {
        return request(endpoint, parameters, retries);
    }

    /**
     * Signs a message.
     * @param endpoint the last segment of the path, "callback" for a callback; only HMAC_SHA256 covers it.
     * @param parameters decoded values; "sign" itself is never signed and may be left in.
     * @return upper-case hex.
     */
    public static String sign(String endpoint, Map<String, String> parameters, String key, Scheme scheme) {
        TreeMap<String, String> sorted = new TreeMap<>(parameters);
        sorted.remove("sign");
        if (scheme == Scheme.SHA1) {
            StringBuilder text = new StringBuilder();
            sorted.forEach((name, value) -> text.append(name).append(value));
            return hex(sha1(utf8(text + key)));
        }
        String pairs = sorted.entrySet().stream()
            .map(pair -> percentEncode(pair.getKey()) + "=" + percentEncode(pair.getValue()))
            .collect(Collectors.joining("&"));
        return hex(hmacSha256(utf8(key), utf8(endpoint + "?" + pairs)));
    }

    /** A request that was refused, or that got no answer. */
    public static final class GatewayException extends RuntimeException {
        private static final long serialVersionUID = 1;
        /**
         * The gateway's own ("bad_amount", "orderid_conflict", ...), which never changes; or, made up here, "no_answer" (the
         * network failed or the time was over: what was asked may have been done) and "bad_answer" (something else than the
         * gateway answered, such as a proxy's error page).
         */
        public final String code;
        /** What is wrong, for people. */
        public final String sentence;
        /** 0 when there was no answer. */
        public final int httpStatus;
        /** Seconds to wait before asking again, when the gateway said so; else null. */
        public final Long retryAfter;

        GatewayException(String code, String sentence, int httpStatus, Long retryAfter, Throwable cause) {
            super(code + ": " + sentence, cause);
            this.code = code;
            this.sentence = sentence;
            this.httpStatus = httpStatus;
            this.retryAfter = retryAfter;
        }

        /** Whether the very same request may be answered otherwise later: no answer, 429, 5xx. */
        public boolean isRetryable() {
            return httpStatus == 0 || httpStatus == 429 || httpStatus >= 500;
        }
    }

    /** A callback that must not be believed; answer it with a 400. */
    public static final class CallbackException extends Exception {
        private static final long serialVersionUID = 1;
        /**
         * missing_header (one of the three webhook- headers is not there), bad_signature (webhook-signature does not fit),
         * stale_timestamp (signed more than five minutes from now), bad_body (not a callback's body), bad_sign (the body's
         * sign does not fit), wrong_appid (for another merchant), no_signed_key (nothing signed to deduplicate by).
         */
        public final String code;

        CallbackException(String code, String sentence) {
            super(code + ": " + sentence);
            this.code = code;
        }
    }

    /** The data of an answer, or an object within it. Asking for what is not there, or not of that kind, throws. */
    public static final class Answer {
        private final Map<String, Object> values;

        private Answer(Map<String, Object> values) {
            this.values = values;
        }

        /** Parses a JSON object. @throws IllegalArgumentException when it is none. */
        public static Answer parse(String json) {
            Object value = new Json(json).readAll();
            if (value instanceof Answer) return (Answer) value;
            throw new IllegalArgumentException("not a JSON object");
        }

        public String text(String name) {
            return as(String.class, name);
        }

        public long number(String name) {
            return as(BigDecimal.class, name).longValueExact();
        }

        public boolean flag(String name) {
            return as(Boolean.class, name);
        }

        public Answer object(String name) {
            return as(Answer.class, name);
        }

        public List<Answer> list(String name) {
            List<?> items = as(List.class, name);
            return items.stream().map(Answer.class::cast).collect(Collectors.toList());
        }

        /** Whether it is null, or not there. */
        public boolean isNull(String name) {
            return values.get(name) == null;
        }

        public List<String> names() {
            return List.copyOf(values.keySet());
        }

        /** Everything: String, BigDecimal, Boolean, List, Answer or null by name. */
        public Map<String, Object> values() {
            return values;
        }

        @Override
        public String toString() {
            return values.toString();
        }

        private <T> T as(Class<T> kind, String name) {
            Object value = values.get(name);
            if (kind.isInstance(value)) return kind.cast(value);
            throw new IllegalArgumentException(name + ": no " + kind.getSimpleName() + " in " + values.keySet());
        }
    }

    /**
     * What a merchant verifies with: {@code new CallbackKeys(appid).webhookSecret(...).key(...)}. Each of the two that is given
     * must fit; while one is being changed, give the old and the new.
     */
    public static final class CallbackKeys {
        private final String appid;
        private List<String> webhookSecrets = List.of();
        private List<String> keys = List.of();
        private Scheme scheme = Scheme.HMAC_SHA256;

        public CallbackKeys(String appid) {
            this.appid = appid;
        }

        /** "whsec_...": verifies webhook-signature, which covers the key to deduplicate by and the exact bytes. */
        public CallbackKeys webhookSecret(String... secrets) {
            webhookSecrets = List.of(secrets);
            return this;
        }

        /**
         * The merchant key: verifies the body's sign. By itself it is enough only if your callbacks carry all fields (full). A
         * SHA1 key needs the webhook secret beside it.
         */
        public CallbackKeys key(String... merchantKeys) {
            keys = List.of(merchantKeys);
            return this;
        }

        /** Of the merchant key. */
        public CallbackKeys scheme(Scheme value) {
            scheme = value;
            return this;
        }

        private void check() {
            if (webhookSecrets.contains("") || keys.contains("")) throw new IllegalArgumentException("a key is empty");
            if (!webhookSecrets.isEmpty()) return;
            if (keys.isEmpty()) throw new IllegalArgumentException("give webhookSecret, key, or both");
            // A sha1 sign does not say what it is for: a request of yours could be sent to you as a callback.
            if (scheme == Scheme.SHA1) {
                throw new IllegalArgumentException("a sha1 key verifies no callback by itself: give webhookSecret");
            }
        }
    }

    /** A callback that was verified. */
    public static final class Callback {
        /** Credit each of these once, whatever comes twice: a unique key in the table where you credit. */
        public final String idempotencyKey;
        public final String orderid;
        public final String localusermark;
        /** What to credit, in 1/10000 USDT. */
        public final long amount;
        /** The same as decimal USDT: "3.0001". */
        public final String amountUsdt;
        /** Unix seconds of this attempt. */
        public final long sentAt;
        /** A sample you asked for: amount 0, and an order that does not exist. */
        public final boolean isTest;
        /** The body's as they came: six, or all of them where the merchant is set to full. */
        public final Map<String, String> fields;

        private Callback(String idempotencyKey, Map<String, String> fields) {
            this.idempotencyKey = idempotencyKey;
            this.orderid = fields.get("orderid");
            this.localusermark = fields.get("localusermark");
            this.amount = Long.parseLong(fields.get("amount"));
            this.amountUsdt = decimalUsdt(amount);
            this.sentAt = Long.parseLong(fields.get("t"));
            this.isTest = amount == 0;
            this.fields = fields;
        }
    }

    /** A user's money without an order, for merchants who have deposits on. */
    public static final class Deposit {
        /** Credit each of these once, whatever comes twice: a unique key in the table where you credit. */
        public final String idempotencyKey;
        public final String localusermark;
        public final String address;
        public final String txid;
        /** The transfer's place in the transaction's logs. */
        public final long logIndex;
        /** What to credit, in 1/10000 USDT. */
        public final long amount;
        /** The same as decimal USDT: "3.0001". */
        public final String amountUsdt;
        /** Unix seconds of this attempt. */
        public final long sentAt;
        /** The body's as they came. */
        public final Map<String, String> fields;

        private Deposit(String idempotencyKey, Map<String, String> fields) {
            this.idempotencyKey = idempotencyKey;
            this.localusermark = fields.get("deposit_localusermark");
            this.address = fields.get("deposit_address");
            this.txid = fields.get("deposit_txid");
            this.logIndex = Long.parseLong(fields.get("deposit_log_index"));
            this.amount = Long.parseLong(fields.get("deposit_amount"));
            this.amountUsdt = decimalUsdt(amount);
            this.sentAt = Long.parseLong(fields.get("t"));
            this.fields = fields;
        }
    }

    /** For display, if you have events on. It announces no money: never credit because of one. */
    public static final class Event {
        /** The same event may come twice under it. */
        public final String idempotencyKey;
        /** order.seen, order.expired, deposit.unclaimed, or one that this client does not know yet. */
        public final String event;
        /** Unix seconds of this attempt. */
        public final long sentAt;
        /** What it says: event_orderid, event_txid and so on. */
        public final Map<String, String> fields;

        private Event(String idempotencyKey, Map<String, String> fields) {
            this.idempotencyKey = idempotencyKey;
            this.event = fields.get("event");
            this.sentAt = Long.parseLong(fields.get("t"));
            this.fields = fields;
        }
    }

    /**
     * Verifies a callback.
     * @param rawBody exactly as received.
     * @param headers names in either case; of several values the first counts (HttpExchange's Headers fit as they are).
     * @throws CallbackException when it must not be believed.
     * @throws IllegalArgumentException when the keys are none.
     */
    public static Callback verifyCallback(byte[] rawBody, Map<String, List<String>> headers, CallbackKeys keys)
        throws CallbackException {
        return verifyCallback(rawBody, headers, keys, System.currentTimeMillis() / 1000);
    }

    /** As above, at a time given in Unix seconds. */
    public static Callback verifyCallback(byte[] rawBody, Map<String, List<String>> headers, CallbackKeys keys, long now)
        throws CallbackException {
        Verified it = verifyBody(rawBody, headers, keys, now, CALLBACK);
        return new Callback(it.idempotencyKey, it.fields);
    }

    /** Verifies a deposit, as verifyCallback a callback. The merchant key by itself is enough if it is no SHA1 key. */
    public static Deposit verifyDeposit(byte[] rawBody, Map<String, List<String>> headers, CallbackKeys keys)
        throws CallbackException {
        return verifyDeposit(rawBody, headers, keys, System.currentTimeMillis() / 1000);
    }

    /** As of a time, in Unix seconds. */
    public static Deposit verifyDeposit(byte[] rawBody, Map<String, List<String>> headers, CallbackKeys keys, long now)
        throws CallbackException {
        Verified it = verifyBody(rawBody, headers, keys, now, DEPOSIT);
        return new Deposit(it.idempotencyKey, it.fields);
    }

    /** Verifies an event, as verifyCallback a callback. The merchant key by itself is enough if it is no SHA1 key. */
    public static Event verifyEvent(byte[] rawBody, Map<String, List<String>> headers, CallbackKeys keys)
        throws CallbackException {
        return verifyEvent(rawBody, headers, keys, System.currentTimeMillis() / 1000);
    }

    /** As of a time, in Unix seconds. */
    public static Event verifyEvent(byte[] rawBody, Map<String, List<String>> headers, CallbackKeys keys, long now)
        throws CallbackException {
        Verified it = verifyBody(rawBody, headers, keys, now, EVENT);
        return new Event(it.idempotencyKey, it.fields);
    }

    /** What the gateway posts: money for an order, money without one, or something to display. */
    public enum Kind { CALLBACK, DEPOSIT, EVENT }

    /**
     * Tells which kind a body says it is. Nothing is verified yet: verify it by the method of that kind.
     * @throws CallbackException bad_body
     */
    public static Kind kindOf(byte[] rawBody) throws CallbackException {
        Map<String, String> fields = readFields(rawBody);
        if (fields.containsKey("event")) return Kind.EVENT;
        return fields.containsKey("deposit_id") ? Kind.DEPOSIT : Kind.CALLBACK;
    }

    /** The fields of one kind of body. */
    private static final class Names {
        /** The one that says its key. */
        final String id;
        final List<String> required;
        /** Whole numbers: amounts in 1/10000 USDT, a place in a list. */
        final List<String> whole;

        Names(String id, List<String> required, List<String> whole) {
            this.id = id;
            this.required = required;
            this.whole = whole;
        }
    }

    private static final Names CALLBACK = new Names("callback_id", List.of("orderid", "localusermark"), List.of("amount"));
    private static final Names DEPOSIT = new Names("deposit_id",
        List.of("deposit_id", "deposit_localusermark", "deposit_address", "deposit_txid"),
        List.of("deposit_amount", "deposit_log_index"));
    private static final Names EVENT = new Names("event_id", List.of("event", "event_id"), List.of());

    private static final class Verified {
        final String idempotencyKey;
        final Map<String, String> fields;

        Verified(String idempotencyKey, Map<String, String> fields) {
            this.idempotencyKey = idempotencyKey;
            this.fields = fields;
        }
    }

    private static Verified verifyBody(
        byte[] rawBody, Map<String, List<String>> headers, CallbackKeys keys, long now, Names names)
        throws CallbackException {
        keys.check();
        String signedId = keys.webhookSecrets.isEmpty() ? null : verifyHeaders(rawBody, headers, keys, now);
        Map<String, String> fields = readFields(rawBody);
        checkFields(fields, names);
        if (!keys.keys.isEmpty()) verifySign(fields, keys);
        if (!fields.get("appid").equals(keys.appid)) throw new CallbackException("wrong_appid", "it is for another appid");
        if (signedId == null) checkTime(fields.get("t"), now);
        String statedId = fields.get(names.id);
        String idempotencyKey = signedId != null ? signedId : statedId;
        if (idempotencyKey == null || idempotencyKey.isEmpty()) {
            throw new CallbackException("no_signed_key", "give webhookSecret, or have your callbacks set to all fields");
        }
        if (statedId != null && !statedId.equals(idempotencyKey)) {
            throw new CallbackException("bad_body", names.id + " and webhook-id differ");
        }
        return new Verified(idempotencyKey, fields);
    }

    private Answer request(String endpoint, Map<String, String> parameters, int retries) {
        for (int attempt = 0; ; attempt++) {
            try {
                return post(endpoint, parameters);
            } catch (GatewayException error) {
                long pauseMs = (FIRST_PAUSE_MS << attempt) * ThreadLocalRandom.current().nextLong(500, 1001) / 1000;
                if (error.retryAfter != null) pauseMs = error.retryAfter * 1000;
                boolean isInterrupted = Thread.currentThread().isInterrupted();
                if (!error.isRetryable() || attempt >= retries || pauseMs > LONGEST_PAUSE_MS || isInterrupted) throw error;
                try {
                    Thread.sleep(pauseMs);
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    throw error;
                }
            }
        }
    }

    /** One attempt; t and nonce are fresh each time, so that a late repetition is not taken for a stale request. */
    private Answer post(String endpoint, Map<String, String> parameters) {
        byte[] nonce = new byte[16];
        random.nextBytes(nonce);
        Map<String, String> signed = new TreeMap<>();
        parameters.forEach((name, value) -> {
            if (value != null) signed.put(name, value);
        });
        signed.put("appid", appid);
        signed.put("t", Long.toString(System.currentTimeMillis() / 1000));
        signed.put("nonce", hex(nonce));
        signed.put("sign", sign(endpoint, signed, key, scheme));
        String body = signed.entrySet().stream()
            .map(pair -> percentEncode(pair.getKey()) + "=" + percentEncode(pair.getValue()))
            .collect(Collectors.joining("&"));
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/api/merchant/" + endpoint))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .timeout(timeout)
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        // The request's own timeout ends with the headers; this one is for the body as well.
        CompletableFuture<HttpResponse<String>> response =
            http.sendAsync(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        try {
            return dataOf(endpoint, response.get(timeout.toMillis(), TimeUnit.MILLISECONDS));
        } catch (ExecutionException error) {
            throw noAnswer(endpoint, error.getCause());
        } catch (TimeoutException error) {
            response.cancel(true);
            throw noAnswer(endpoint, error);
        } catch (InterruptedException error) {
            response.cancel(true);
            Thread.currentThread().interrupt();
            throw noAnswer(endpoint, error);
        }
    }

    private static GatewayException noAnswer(String endpoint, Throwable cause) {
        return new GatewayException("no_answer", endpoint + " got no answer: " + cause, 0, null, cause);
    }

    /** A merchant may be set to get every refusal with 200, so the envelope decides and not the HTTP status. */
    private static Answer dataOf(String endpoint, HttpResponse<String> response) {
        int httpStatus = response.statusCode();
        String seconds = response.headers().firstValue("retry-after").orElse("");
        Long retryAfter = seconds.matches("\\d{1,9}") ? Long.valueOf(seconds) : null;
        try {
            Answer answer = Answer.parse(response.body());
            if (answer.number("status") == 1 && httpStatus == 200) return answer.object("data");
            if (answer.number("status") == 0) {
                throw new GatewayException(answer.text("code"), answer.text("err"), httpStatus, retryAfter, null);
            }
        } catch (IllegalArgumentException | ArithmeticException error) {
            // A proxy's page, say: the caller hears of the HTTP status.
        }
        String sentence = endpoint + " was answered with HTTP " + httpStatus + ", but not by the gateway";
        throw new GatewayException("bad_answer", sentence, httpStatus, retryAfter, null);
    }

    /** @return webhook-id. */
    private static String verifyHeaders(byte[] body, Map<String, List<String>> headers, CallbackKeys keys, long now)
        throws CallbackException {
        String id = header(headers, "webhook-id");
        String timestamp = header(headers, "webhook-timestamp");
        String[] given = header(headers, "webhook-signature").split(" ");
        byte[] head = utf8(id + "." + timestamp + ".");
        byte[] message = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, message, head.length, body.length);
        boolean fits = false;
        for (String secret : keys.webhookSecrets) {
            String expected = "v1," + Base64.getEncoder().encodeToString(hmacSha256(secretBytes(secret), message));
            for (String one : given) fits = MessageDigest.isEqual(utf8(one), utf8(expected)) || fits;
        }
        if (!fits) throw new CallbackException("bad_signature", "webhook-signature does not fit");
        checkTime(timestamp, now);
        return id;
    }

    private static String header(Map<String, List<String>> headers, String name) throws CallbackException {
        for (Map.Entry<String, List<String>> header : headers.entrySet()) {
            boolean isIt = name.equalsIgnoreCase(header.getKey()) && !header.getValue().isEmpty();
            if (isIt && !header.getValue().get(0).isEmpty()) return header.getValue().get(0);
        }
        throw new CallbackException("missing_header", name + " is not there");
    }

    private static byte[] secretBytes(String secret) {
        if (!secret.matches("whsec_[A-Za-z0-9+/]{4,}={0,2}")) {
            throw new IllegalArgumentException("a webhook secret is whsec_ followed by base64");
        }
        return Base64.getDecoder().decode(secret.substring("whsec_".length()));
    }

    private static void checkTime(String seconds, long now) throws CallbackException {
        if (seconds.matches("[0-9]{1,12}") && Math.abs(Long.parseLong(seconds) - now) <= TOLERANCE_S) return;
        throw new CallbackException("stale_timestamp", "signed more than " + TOLERANCE_S + " s from now");
    }

    private static void verifySign(Map<String, String> fields, CallbackKeys keys) throws CallbackException {
        byte[] given = utf8(fields.getOrDefault("sign", "").toUpperCase(Locale.ROOT));
        boolean fits = false;
        for (String key : keys.keys) {
            fits = MessageDigest.isEqual(given, utf8(sign("callback", fields, key, keys.scheme))) || fits;
        }
        if (!fits) throw new CallbackException("bad_sign", "the body's sign does not fit");
    }

    /** A form, or a JSON object of strings. What it is shows: a form begins with a name. */
    private static Map<String, String> readFields(byte[] body) throws CallbackException {
        String text = decodeUtf8(body);
        return text.stripLeading().startsWith("{") ? readJson(text) : readForm(text);
    }

    private static String decimalUsdt(long amount) {
        return BigDecimal.valueOf(amount, 4).stripTrailingZeros().toPlainString();
    }

    private static void checkFields(Map<String, String> fields, Names names) throws CallbackException {
        for (List<String> some : List.of(names.required, names.whole, List.of("appid", "t"))) {
            for (String name : some) {
                if (fields.getOrDefault(name, "").isEmpty()) throw new CallbackException("bad_body", name + " is not there");
            }
        }
        for (String name : names.whole) {
            if (!fields.get(name).matches("0|[1-9][0-9]{0,17}")) {
                throw new CallbackException("bad_body", name + " is no whole number");
            }
        }
        if (!fields.get("t").matches("[0-9]{1,12}")) throw new CallbackException("bad_body", "t is no Unix time");
    }

    private static Map<String, String> readJson(String text) throws CallbackException {
        Map<String, String> fields = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, Object> field : Answer.parse(text).values().entrySet()) {
                // The sentences do not repeat what a stranger wrote: they may end up on a page.
                if (!(field.getValue() instanceof String)) {
                    throw new CallbackException("bad_body", "a value is not a string");
                }
                String value = (String) field.getValue();
                // Half a surrogate pair has no UTF-8 and would be signed as a question mark, which it is not.
                if (!StandardCharsets.UTF_8.newEncoder().canEncode(field.getKey() + " " + value)) {
                    throw new CallbackException("bad_body", "not Unicode");
                }
                fields.put(field.getKey(), value);
            }
        } catch (IllegalArgumentException error) {
            throw new CallbackException("bad_body", "not JSON");
        }
        return fields;
    }

    private static Map<String, String> readForm(String text) throws CallbackException {
        Map<String, String> fields = new LinkedHashMap<>();
        for (String pair : text.split("&")) {
            String[] parts = pair.split("=", 2);
            String name = formDecode(parts[0]);
            String value = parts.length == 2 ? formDecode(parts[1]) : "";
            if (fields.put(name, value) != null) throw new CallbackException("bad_body", "a name is there twice");
        }
        return fields;
    }

    /** Not URLDecoder: it takes a malformed UTF-8 for a question mark. */
    private static String formDecode(String text) throws CallbackException {
        ByteArrayOutputStream decoded = new ByteArrayOutputStream();
        byte[] bytes = utf8(text);
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '%') {
                decoded.write(bytes[i] == '+' ? ' ' : bytes[i]);
                continue;
            }
            int high = i + 2 < bytes.length ? Character.digit(bytes[i + 1], 16) : -1;
            int low = i + 2 < bytes.length ? Character.digit(bytes[i + 2], 16) : -1;
            if (high < 0 || low < 0) throw new CallbackException("bad_body", "a malformed percent escape");
            decoded.write(high * 16 + low);
            i += 2;
        }
        return decodeUtf8(decoded.toByteArray());
    }

    private static String decodeUtf8(byte[] bytes) throws CallbackException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException error) {
            throw new CallbackException("bad_body", "not UTF-8");
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] sha1(byte[] message) {
        try {
            return MessageDigest.getInstance("SHA-1").digest(message);
        } catch (GeneralSecurityException error) {
            throw new AssertionError("every Java has SHA-1", error);
        }
    }

    private static byte[] hmacSha256(byte[] key, byte[] message) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(message);
        } catch (GeneralSecurityException error) {
            throw new AssertionError("every Java has HmacSHA256", error);
        }
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte one : bytes) text.append(String.format("%02X", one));
        return text.toString();
    }

    /** RFC 3986; URLEncoder differs in three characters. */
    private static String percentEncode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
    }

    /** Just enough JSON. Objects become Answer, numbers BigDecimal. */
    private static final class Json {
        /** An answer is five deep; this is no place for anybody's stack. */
        private static final int DEPTH_MAX = 32;
        private static final int NUMBER_LENGTH_MAX = 64;

        private final String text;
        private int at = 0;
        private int depth = 0;

        Json(String text) {
            this.text = text;
        }

        Object readAll() {
            Object value = readValue();
            skipBlanks();
            if (at < text.length()) throw wrong();
            return value;
        }

        private Object readValue() {
            skipBlanks();
            char first = peek();
            if (first == '"') return readString();
            if (first == '-' || (first >= '0' && first <= '9')) return readNumber();
            if (reads("true")) return true;
            if (reads("false")) return false;
            if (reads("null")) return null;
            if (++depth > DEPTH_MAX) throw wrong();
            Object value = first == '{' ? readObject() : readList();
            depth--;
            return value;
        }

        private Answer readObject() {
            Map<String, Object> values = new LinkedHashMap<>();
            expect('{');
            skipBlanks();
            if (reads("}")) return new Answer(values);
            do {
                skipBlanks();
                String name = readString();
                skipBlanks();
                expect(':');
                if (values.containsKey(name)) throw wrong();
                values.put(name, readValue());
                skipBlanks();
            } while (reads(","));
            expect('}');
            return new Answer(values);
        }

        private List<Object> readList() {
            List<Object> items = new ArrayList<>();
            expect('[');
            skipBlanks();
            if (reads("]")) return items;
            do {
                items.add(readValue());
                skipBlanks();
            } while (reads(","));
            expect(']');
            return items;
        }

        private String readString() {
            StringBuilder string = new StringBuilder();
            expect('"');
            for (;;) {
                char next = take();
                if (next == '"') return string.toString();
                if (next < ' ') throw wrong();
                string.append(next == '\\' ? readEscape() : next);
            }
        }

        private char readEscape() {
            char kind = take();
            int simple = "\"\\/bfnrt".indexOf(kind);
            if (simple >= 0) return "\"\\/\b\f\n\r\t".charAt(simple);
            if (kind != 'u') throw wrong();
            int unit = 0;
            for (int i = 0; i < 4; i++) {
                int digit = Character.digit(take(), 16);
                if (digit < 0) throw wrong();
                unit = unit * 16 + digit;
            }
            return (char) unit;
        }

        private BigDecimal readNumber() {
            int from = at;
            while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
            // Reading a million digits would take minutes, and no number of ours has twenty.
            if (at - from > NUMBER_LENGTH_MAX) throw wrong();
            return new BigDecimal(text.substring(from, at));
        }

        private void skipBlanks() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
        }

        private boolean reads(String token) {
            if (!text.startsWith(token, at)) return false;
            at += token.length();
            return true;
        }

        private void expect(char character) {
            if (take() != character) throw wrong();
        }

        private char take() {
            char next = peek();
            at++;
            return next;
        }

        private char peek() {
            if (at >= text.length()) throw wrong();
            return text.charAt(at);
        }

        private IllegalArgumentException wrong() {
            return new IllegalArgumentException("not JSON, at character " + (at + 1));
        }
    }
}
