import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import rechargegateway.RechargeGateway;
import rechargegateway.RechargeGateway.Answer;
import rechargegateway.RechargeGateway.Scheme;

/** The signature vectors, which are the contract: the file is the first argument. */
public final class VectorTest {
    private static int failures = 0;

    public static void main(String[] arguments) throws Exception {
        Answer contract = Answer.parse(Files.readString(Path.of(arguments[0])));
        for (Answer vector : contract.list("vectors")) {
            Map<String, String> parameters = new HashMap<>(Map.of("sign", "X"));
            vector.object("params").values().forEach((name, value) -> parameters.put(name, (String) value));
            Map<String, Scheme> schemes = Map.of("hmac_sha256", Scheme.HMAC_SHA256, "sha1", Scheme.SHA1);
            for (Map.Entry<String, Scheme> scheme : schemes.entrySet()) {
                String sign = RechargeGateway.sign(vector.text("for"), parameters, contract.text("key"), scheme.getValue());
                String what = vector.text("name") + ", " + scheme.getKey();
                check(what, vector.object(scheme.getKey()).text("sign"), sign);
            }
        }
        checkWebhook(contract.object("standard_webhooks"));
        System.out.println(failures == 0 ? "java: every vector fits" : "java: " + failures + " do not fit");
        System.exit(failures == 0 ? 0 : 1);
    }

    private static void checkWebhook(Answer webhook) throws Exception {
        Map<String, List<String>> headers = new HashMap<>();
        for (String name : List.of("webhook-id", "webhook-timestamp", "webhook-signature")) {
            headers.put(name, List.of(webhook.text(name)));
        }
        long now = Long.parseLong(webhook.text("webhook-timestamp"));
        RechargeGateway.CallbackKeys keys =
            new RechargeGateway.CallbackKeys("VunTq7Zk2Lm9h1l8").webhookSecret(webhook.text("secret"));
        byte[] body = webhook.text("body").getBytes(StandardCharsets.UTF_8);
        RechargeGateway.Callback callback = RechargeGateway.verifyCallback(body, headers, keys, now);
        check("the key", webhook.text("webhook-id"), callback.idempotencyKey);
        check("the amount", 30000L, callback.amount);
        body[0]++;
        try {
            RechargeGateway.verifyCallback(body, headers, keys, now);
            check("an altered body", "bad_signature", "verified");
        } catch (RechargeGateway.CallbackException error) {
            check("an altered body", "bad_signature", error.code);
        }
    }

    private static void check(String what, Object expected, Object got) {
        if (expected.equals(got)) return;
        failures++;
        System.err.println(what + ": expected " + expected + ", got " + got);
    }
}
