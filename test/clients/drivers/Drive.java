import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import rechargegateway.RechargeGateway;
import rechargegateway.RechargeGateway.Answer;
import rechargegateway.RechargeGateway.Scheme;

/** Does what each line of its input says, and answers it with a line: see test/clients/drive.ts. */
public final class Drive {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split("\t", -1);
            String[] rest = Arrays.copyOfRange(words, 1, words.length);
            try {
                out.println(words[0].equals("call") ? call(rest) : verify(words[0], rest));
            } catch (RechargeGateway.GatewayException error) {
                String after = error.retryAfter == null || error.retryAfter == 0 ? "-" : "" + error.retryAfter;
                out.println(shown("refused", error.code, error.httpStatus, after, error.isRetryable()));
            } catch (RechargeGateway.CallbackException error) {
                out.println(shown("refused", error.code));
            } catch (RuntimeException | StackOverflowError error) {
                boolean isKeys = error.getClass() == IllegalArgumentException.class;
                out.println(isKeys ? "keys" : shown("other", error.getClass().getName()));
            }
        }
    }

    private static String call(String[] rest) {
        RechargeGateway gateway = new RechargeGateway(rest[0], rest[1], rest[2], new RechargeGateway.Settings()
            .scheme(scheme(rest[3]))
            .retries(Integer.parseInt(rest[4]))
            .timeout(Duration.ofMillis(Long.parseLong(rest[5]))));
        Map<String, String> given = paired(rest, 7);
        Answer it;
        switch (rest[6]) {
            case "newAddress":
                return shown("ok", gateway.newAddress(given).text("address"));
            case "finduseraddress":
                it = gateway.findUserAddress(given).object("data");
                return shown("ok", it.text("address"), it.text("unclaimed"), it.list("addresses").get(0).text("unclaimed"));
            case "TraderRechargeorder":
                it = gateway.createOrder(given);
                return shown("ok", it.text("ordersn"), it.text("address"), it.number("expires_at"));
            case "findorder":
                String orderid = given.get("orderid");
                it = orderid == null ? gateway.call("findorder", given) : gateway.findOrder(orderid);
                return shown("ok", it.text("state"), it.text("received"), it.flag("expired"),
                    it.list("transfers").get(0).number("block"), it.list("seen").get(0).text("amount"),
                    it.list("callbacks").get(0).text("id"));
            case "orders":
                it = gateway.listOrders(given);
                return shown("ok", it.list("orders").size(), it.list("orders").get(0).text("orderid"), it.isNull("next"));
            case "resendcallback":
                it = gateway.resendCallback(given.get("orderid"));
                return shown("ok", it.number("resent"), it.number("skipped"));
            case "testcallback":
                it = gateway.testCallback(given);
                return shown("ok", it.flag("delivered"), it.number("http_status"), it.isNull("error"));
            case "transfers":
                it = gateway.listTransfers(given);
                Answer first = it.list("transfers").get(0);
                return shown("ok", first.text("state"), first.text("orderid"), first.isNull("reason"),
                    it.list("seen").get(0).number("confirmations"));
            default:
                it = gateway.statement(Long.parseLong(given.get("from")), Long.parseLong(given.get("to")));
                Answer day = it.list("days").get(0);
                return shown("ok", day.text("day"), day.text("received"), it.object("unclaimed").text("amount"));
        }
    }

    private static String verify(String task, String[] rest) throws RechargeGateway.CallbackException {
        Map<String, List<String>> headers = new HashMap<>();
        // As HttpExchange gives it.
        paired(rest, 6).forEach((name, value) -> headers.put(name,
            List.of(new String(Base64.getDecoder().decode(value), StandardCharsets.ISO_8859_1))));
        RechargeGateway.CallbackKeys keys = new RechargeGateway.CallbackKeys(rest[0])
            .webhookSecret(listed(rest[1]))
            .key(listed(rest[2]))
            .scheme(scheme(rest[3]));
        byte[] body = Base64.getDecoder().decode(rest[5]);
        long now = Long.parseLong(rest[4]);
        String kind = task.equals("any") ? RechargeGateway.kindOf(body).name().toLowerCase() : task;
        if (kind.equals("event")) {
            RechargeGateway.Event it = RechargeGateway.verifyEvent(body, headers, keys, now);
            return shown("ok", it.idempotencyKey, it.event, it.sentAt, it.fields.getOrDefault("event_txid", "-"));
        }
        if (kind.equals("deposit")) {
            RechargeGateway.Deposit it = RechargeGateway.verifyDeposit(body, headers, keys, now);
            return shown("ok", it.idempotencyKey, it.localusermark, it.address, it.txid, it.logIndex, it.amount,
                it.amountUsdt, it.sentAt);
        }
        RechargeGateway.Callback it = RechargeGateway.verifyCallback(body, headers, keys, now);
        return shown("ok", it.idempotencyKey, it.orderid, it.localusermark, it.amount, it.amountUsdt, it.sentAt, it.isTest,
            it.fields.getOrDefault("txid", "-"));
    }

    private static Scheme scheme(String name) {
        return name.equals("sha1") ? Scheme.SHA1 : Scheme.HMAC_SHA256;
    }

    private static String[] listed(String text) {
        return text.isEmpty() ? new String[0] : text.split(",");
    }

    private static Map<String, String> paired(String[] words, int from) {
        Map<String, String> given = new HashMap<>();
        for (int i = from; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            given.put(pair[0], pair[1]);
        }
        return given;
    }

    private static String shown(Object... values) {
        StringBuilder text = new StringBuilder();
        for (Object value : values) text.append(text.length() == 0 ? "" : "\t").append(value);
        return text.toString();
    }
}
