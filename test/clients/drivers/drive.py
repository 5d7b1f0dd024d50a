"""Does what each line of its input says, and answers it with a line: see test/clients/drive.ts."""

import base64
import sys

from recharge_gateway import (
    CallbackError,
    Gateway,
    GatewayError,
    kind_of,
    verify_callback,
    verify_deposit,
    verify_event,
)


def call(url, appid, key, scheme, retries, timeout_ms, endpoint, *pairs):
    gateway = Gateway(url, appid, key, scheme, int(timeout_ms) / 1000, int(retries))
    given = dict(pair.split("=", 1) for pair in pairs)
    if endpoint == "newAddress":
        return shown(gateway.new_address(**given)["address"])
    if endpoint == "finduseraddress":
        data = gateway.find_user_address(**given)["data"]
        return shown(data["address"], data["unclaimed"], data["addresses"][0]["unclaimed"])
    if endpoint == "TraderRechargeorder":
        order = gateway.create_order(**given)
        return shown(order["ordersn"], order["address"], order["expires_at"])
    if endpoint == "findorder":
        it = gateway.find_order(**given)
        first = it["transfers"][0]["block"], it["seen"][0]["amount"], it["callbacks"][0]["id"]
        return shown(it["state"], it["received"], it["expired"], *first)
    if endpoint == "orders":
        page = gateway.list_orders(**{("from_" if name == "from" else name): value for name, value in given.items()})
        return shown(len(page["orders"]), page["orders"][0]["orderid"], page["next"] is None)
    if endpoint == "resendcallback":
        it = gateway.resend_callback(**given)
        return shown(it["resent"], it["skipped"])
    if endpoint == "testcallback":
        it = gateway.test_callback(**given)
        return shown(it["delivered"], it["http_status"], it["error"] is None)
    if endpoint == "transfers":
        page = gateway.list_transfers(**given)
        it = page["transfers"][0]
        return shown(it["state"], it["orderid"], it["reason"] is None, page["seen"][0]["confirmations"])
    if endpoint == "statement":
        it = gateway.statement(int(given["from"]), int(given["to"]))
        return shown(it["days"][0]["day"], it["days"][0]["received"], it["unclaimed"]["amount"])
    raise AssertionError(endpoint)


def verify(task, appid, secrets, keys, scheme, now, body, *pairs):
    raw_body = base64.b64decode(body)
    kind = kind_of(raw_body) if task == "any" else task
    function = {"callback": verify_callback, "deposit": verify_deposit, "event": verify_event}[kind]
    it = function(
        raw_body,
        dict(header_of(*pair.split("=", 1)) for pair in pairs),
        appid=appid,
        webhook_secret=listed(secrets),
        key=listed(keys),
        scheme=scheme,
        now=int(now),
    )
    if kind == "event":
        return shown(it.idempotency_key, it.event, it.sent_at, it.fields.get("event_txid", "-"))
    if kind == "deposit":
        place = it.address, it.txid, it.log_index
        return shown(it.idempotency_key, it.localusermark, *place, it.amount, it.amount_usdt, it.sent_at)
    money = it.amount, it.amount_usdt, it.sent_at, it.is_test
    return shown(it.idempotency_key, it.orderid, it.localusermark, *money, it.fields.get("txid", "-"))


def shown(*values):
    return "\t".join(["ok"] + [str(value).lower() if isinstance(value, bool) else str(value) for value in values])


def header_of(name, value):
    # As servers give it that keep bytes which are not UTF-8.
    return name, base64.b64decode(value).decode("utf-8", "surrogateescape")


def listed(text):
    return text.split(",") if text else []


sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8")
for line in sys.stdin:
    task, *rest = line.rstrip("\n").split("\t")
    try:
        print(call(*rest) if task == "call" else verify(task, *rest))
    except GatewayError as error:
        after = error.retry_after or "-"
        print("refused\t%s\t%d\t%s\t%s" % (error.code, error.http_status, after, str(error.retryable).lower()))
    except CallbackError as error:
        print("refused\t" + error.code)
    except Exception as error:
        is_keys = type(error) is ValueError and ("key" in str(error) or "secret" in str(error))
        print("keys" if is_keys else "other\t%s" % type(error).__name__)
