"""recharge-gateway's merchant API in one file: orders, queries, verified callbacks. Python 3.8 or newer, nothing else.

    gateway = Gateway("https://pay.example", appid, key)
    order = gateway.create_order(username="alice", localusermark="42", orderid="sh-1", amount="25")
    callback = verify_callback(raw_body, headers, appid=appid, webhook_secret=secret, key=key)

Amounts are decimal strings and whole numbers, never floats. Blocking; safe to share between threads.
"""

import base64
import hashlib
import hmac
import http.client
import json
import random
import re
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

__all__ = [
    "Callback",
    "CallbackError",
    "Deposit",
    "Event",
    "Gateway",
    "GatewayError",
    "kind_of",
    "sign",
    "verify_callback",
    "verify_deposit",
    "verify_event",
]

# The wait before the first repetition; it doubles with each.
FIRST_PAUSE_S = 0.25
# A gateway that asks for more patience than this is told to the caller instead.
LONGEST_PAUSE_S = 30
# How far a callback's time may be from ours, either way.
TOLERANCE_S = 300


class GatewayError(Exception):
    """A request that was refused, or that got no answer.

    code: the gateway's own ("bad_amount", "orderid_conflict", ...), which never changes; or, made up here, "no_answer"
    (the network failed or the time was over: what was asked may have been done) and "bad_answer" (something else than
    the gateway answered, such as a proxy's error page).
    sentence: what is wrong, for people. http_status: 0 when there was no answer.
    retry_after: seconds to wait before asking again, when the gateway said so; else None.
    """

    def __init__(self, code: str, sentence: str, http_status: int, retry_after: Optional[int] = None) -> None:
        super().__init__(code + ": " + sentence)
        self.code = code
        self.sentence = sentence
        self.http_status = http_status
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Whether the very same request may be answered otherwise later: no answer, 429, 5xx."""
        return self.http_status == 0 or self.http_status == 429 or self.http_status >= 500


class CallbackError(Exception):
    """A callback that must not be believed; answer it with a 400.

    code: missing_header (one of the three webhook- headers is not there), bad_signature (webhook-signature does not
    fit), stale_timestamp (signed more than five minutes from now), bad_body (not a callback's body), bad_sign (the
    body's sign does not fit), wrong_appid (for another merchant), no_signed_key (nothing signed to deduplicate by).
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code + ": " + sentence)
        self.code = code


class Callback(NamedTuple):
    """A callback that was verified."""

    #: Credit each of these once, whatever comes twice: a unique key in the table where you credit.
    idempotency_key: str
    orderid: str
    localusermark: str
    #: What to credit, in 1/10000 USDT.
    amount: int
    #: The same as decimal USDT: "3.0001".
    amount_usdt: str
    #: Unix seconds of this attempt.
    sent_at: int
    #: A sample you asked for: amount 0, and an order that does not exist.
    is_test: bool
    #: The body's fields as they came: six, or all of them where the merchant is set to `full`.
    fields: Dict[str, str]


class Deposit(NamedTuple):
    """A user's money without an order, for merchants who have deposits on."""

    #: Credit each of these once, whatever comes twice: a unique key in the table where you credit.
    idempotency_key: str
    localusermark: str
    address: str
    txid: str
    #: The transfer's place in the transaction's logs.
    log_index: int
    #: What to credit, in 1/10000 USDT.
    amount: int
    #: The same as decimal USDT: "3.0001".
    amount_usdt: str
    #: Unix seconds of this attempt.
    sent_at: int
    #: The body's fields as they came.
    fields: Dict[str, str]


class Event(NamedTuple):
    """For display, if you have events on. It announces no money: never credit because of one."""

    #: The same event may come twice under it.
    idempotency_key: str
    #: order.seen, order.expired, deposit.unclaimed, or one that this client does not know yet.
    event: str
    #: Unix seconds of this attempt.
    sent_at: int
    #: What it says: event_orderid, event_txid and so on.
    fields: Dict[str, str]


class _Names(NamedTuple):
    """The fields of one kind of body."""

    #: The one that says its key.
    id: str
    required: Sequence[str]
    #: Whole numbers: amounts in 1/10000 USDT, a place in a list.
    whole: Sequence[str]


_CALLBACK = _Names("callback_id", ("orderid", "localusermark"), ("amount",))
_DEPOSIT = _Names(
    "deposit_id",
    ("deposit_id", "deposit_localusermark", "deposit_address", "deposit_txid"),
    ("deposit_amount", "deposit_log_index"),
)
_EVENT = _Names("event_id", ("event", "event_id"), ())


def sign(endpoint: str, parameters: Mapping[str, str], key: str, scheme: str = "hmac-sha256") -> str:
    """Signs a message; upper-case hex.

    endpoint: the last segment of the path, "callback" for a callback; only hmac-sha256 covers it.
    parameters: decoded values as text; `sign` itself is never signed and may be left in.
    """
    names = sorted(name for name in parameters if name != "sign")
    if scheme == "sha1":
        text = "".join(name + parameters[name] for name in names) + key
        return hashlib.sha1(text.encode()).hexdigest().upper()
    if scheme != "hmac-sha256":
        raise ValueError("scheme: hmac-sha256 or sha1")
    pairs = (_percent_encode(name) + "=" + _percent_encode(parameters[name]) for name in names)
    text = endpoint + "?" + "&".join(pairs)
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


class Gateway:
    """The merchant API of a gateway. Every method returns the answer's `data` or raises GatewayError.

    url: the gateway's, without /api/merchant.
    timeout: seconds that connecting, and each wait for bytes, may take.
    retries: how often a request is made again after no answer, a 429 or a 5xx; 0: never. Everything that is retried is
    safe to repeat; resend_callback and test_callback are never retried.
    """

    def __init__(
        self,
        url: str,
        appid: str,
        key: str,
        scheme: str = "hmac-sha256",
        timeout: float = 10.0,
        retries: int = 2,
    ) -> None:
        self._url = url.rstrip("/")
        self._appid = appid
        self._key = key
        self._scheme = scheme
        self._timeout = timeout
        self._retries = retries
        self._opener = urllib.request.build_opener(_NoRedirect)

    def new_address(self, username: str, localusermark: str, orderid: Optional[str] = None) -> Dict[str, Any]:
        """The user's address, the same one when asked again; with an orderid, one for that order alone."""
        return self.call("newAddress", username=username, localusermark=localusermark, orderid=orderid)

    def find_user_address(
        self, username: str, localusermark: str, cursor: Optional[str] = None
    ) -> Dict[str, Any]:
        """The user's base address (None for a user who has only addresses of orders), all addresses, and what is unclaimed.

        Addresses come 100 at a time: ask on with cursor=found["data"]["next"] until that is None.
        """
        return self.call("finduseraddress", username=username, localusermark=localusermark, cursor=cursor)

    def create_order(
        self,
        *,
        username: str,
        localusermark: str,
        orderid: str,
        amount: str,
        address: str = "auto",
        notify_url: Optional[str] = None,
        return_url: Optional[str] = None
    ) -> Dict[str, Any]:
        """Creates an order, once: the same orderid with the same values gives the same answer for ever.

        amount: decimal USDT, such as "25" or "3.5". address: the user's, or "auto": one for this order alone.
        return_url: where its page leads the payer back to, if you are set to have it. The answer has the page's pay_url.
        """
        return self.call(
            "TraderRechargeorder",
            username=username,
            localusermark=localusermark,
            address=address,
            orderid=orderid,
            amount=amount,
            notify_url=notify_url,
            return_url=return_url,
        )

    def find_order(self, orderid: Optional[str] = None, ordersn: Optional[str] = None) -> Dict[str, Any]:
        """The order with its transfers, sightings and callbacks."""
        return self.call("findorder", orderid=orderid, ordersn=ordersn)

    def list_orders(self, **filters: Union[str, int, None]) -> Dict[str, Any]:
        """A page of orders, newest first: from_, to (Unix seconds), state, expired, localusermark, limit, cursor.

        Ask on with cursor=page["next"] until that is None.
        """
        return self.call("orders", **filters)

    def resend_callback(self, orderid: Optional[str] = None, ordersn: Optional[str] = None) -> Dict[str, Any]:
        """Has an order's callbacks sent again."""
        return self._request("resendcallback", {"orderid": orderid, "ordersn": ordersn}, 0)

    def test_callback(self, notify_url: Optional[str] = None) -> Dict[str, Any]:
        """Has a signed sample sent to your endpoint, and tells what it answered."""
        return self._request("testcallback", {"notify_url": notify_url}, 0)

    def statement(self, from_: int, to: int) -> Dict[str, Any]:
        """Sums per UTC day; Unix seconds, `from_` included and `to` not, at most 92 days."""
        return self.call("statement", from_=from_, to=to)

    def list_transfers(self, **filters: Union[str, int, None]) -> Dict[str, Any]:
        """A page of transfers to your addresses and what has become of each, newest first.

        Filters: txid, address, localusermark, state (credited, deposit, unclaimed, held, rejected, settled_outside), limit,
        cursor. Ask on with cursor=page["next"] until that is None, also when a page is short or empty.
        """
        return self.call("transfers", **filters)

    def call(self, endpoint: str, **parameters: Union[str, int, None]) -> Dict[str, Any]:
        """Any endpoint; what is None is left out, and a trailing _ of a name falls off (from_)."""
        return self._request(endpoint, parameters, self._retries)

    def _request(self, endpoint: str, given: Mapping[str, Any], retries: int) -> Dict[str, Any]:
        parameters = _as_text(given)
        attempt = 0
        while True:
            try:
                return self._post(endpoint, parameters)
            except GatewayError as error:
                if not error.retryable or attempt >= retries:
                    raise
                pause = FIRST_PAUSE_S * 2 ** attempt * random.uniform(0.5, 1)
                if error.retry_after is not None:
                    pause = error.retry_after
                if pause > LONGEST_PAUSE_S:
                    raise
                time.sleep(pause)
                attempt += 1

    def _post(self, endpoint: str, parameters: Dict[str, str]) -> Dict[str, Any]:
        # t and nonce are fresh each time, so that a late repetition is not taken for a stale request.
        signed = dict(parameters, appid=self._appid, t=str(int(time.time())), nonce=secrets.token_hex(16))
        signed["sign"] = sign(endpoint, signed, self._key, self._scheme)
        request = urllib.request.Request(
            self._url + "/api/merchant/" + endpoint,
            data=urllib.parse.urlencode(signed).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        try:
            try:
                response = self._opener.open(request, timeout=self._timeout)
            except urllib.error.HTTPError as error:
                response = error  # A status other than 2xx; its body is read like any other.
            with response:
                body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise GatewayError("no_answer", "%s got no answer: %s" % (endpoint, error), 0) from error
        return _data_of(endpoint, response.status, response.headers.get("Retry-After"), body)


def verify_callback(
    raw_body: Union[bytes, str],
    headers: Mapping[str, str],
    *,
    appid: str,
    webhook_secret: Union[str, Sequence[str], None] = None,
    key: Union[str, Sequence[str], None] = None,
    scheme: str = "hmac-sha256",
    now: Optional[float] = None
) -> Callback:
    """Verifies a callback; raises CallbackError when it must not be believed, ValueError when the keys are none.

    What is none, such as an event, is refused as bad_body: kind_of tells which it is.
    Each of the two that is given must fit; while one is being changed, give the old and the new.
    raw_body: exactly as received; what a parser made of it is refused as bad_body. headers: any mapping, names in either
    case.
    webhook_secret: "whsec_...": verifies webhook-signature, which covers the key to deduplicate by and the exact bytes.
    key: the merchant key; verifies the body's sign. By itself it is enough only if your callbacks carry all fields
    (`full`). A sha1 key needs the webhook secret beside it.
    """
    idempotency_key, fields = _verify_body(raw_body, headers, _CALLBACK, appid, webhook_secret, key, scheme, now)
    amount = int(fields["amount"])
    return Callback(
        idempotency_key=idempotency_key,
        orderid=fields["orderid"],
        localusermark=fields["localusermark"],
        amount=amount,
        amount_usdt=_decimal_usdt(amount),
        sent_at=int(fields["t"]),
        is_test=amount == 0,
        fields=fields,
    )


def verify_deposit(
    raw_body: Union[bytes, str],
    headers: Mapping[str, str],
    *,
    appid: str,
    webhook_secret: Union[str, Sequence[str], None] = None,
    key: Union[str, Sequence[str], None] = None,
    scheme: str = "hmac-sha256",
    now: Optional[float] = None
) -> Deposit:
    """Verifies a deposit, as verify_callback a callback. The merchant key by itself is enough if it is no sha1 key."""
    idempotency_key, fields = _verify_body(raw_body, headers, _DEPOSIT, appid, webhook_secret, key, scheme, now)
    amount = int(fields["deposit_amount"])
    return Deposit(
        idempotency_key=idempotency_key,
        localusermark=fields["deposit_localusermark"],
        address=fields["deposit_address"],
        txid=fields["deposit_txid"],
        log_index=int(fields["deposit_log_index"]),
        amount=amount,
        amount_usdt=_decimal_usdt(amount),
        sent_at=int(fields["t"]),
        fields=fields,
    )


def verify_event(
    raw_body: Union[bytes, str],
    headers: Mapping[str, str],
    *,
    appid: str,
    webhook_secret: Union[str, Sequence[str], None] = None,
    key: Union[str, Sequence[str], None] = None,
    scheme: str = "hmac-sha256",
    now: Optional[float] = None
) -> Event:
    """Verifies an event, as verify_callback a callback. The merchant key by itself is enough if it is no sha1 key."""
    idempotency_key, fields = _verify_body(raw_body, headers, _EVENT, appid, webhook_secret, key, scheme, now)
    return Event(idempotency_key=idempotency_key, event=fields["event"], sent_at=int(fields["t"]), fields=fields)


def kind_of(raw_body: Union[bytes, str]) -> str:
    """Tells which kind a body says it is: "callback", "deposit" or "event"; raises CallbackError (bad_body).

    Nothing is verified yet: verify it by the function of that kind.
    """
    fields = _read_fields(_bytes_of(raw_body))
    if "event" in fields:
        return "event"
    return "deposit" if "deposit_id" in fields else "callback"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would arrive as a GET."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def _percent_encode(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def _as_text(given: Mapping[str, Any]) -> Dict[str, str]:
    parameters = {}
    for given_name, value in given.items():
        if value is None:
            continue
        name = given_name.rstrip("_")
        is_count = isinstance(value, int) and not isinstance(value, bool) and name != "amount"
        if not isinstance(value, str) and not is_count:
            raise TypeError(name + ": must be a string" + (" of decimal USDT" if name == "amount" else ""))
        parameters[name] = str(value)
    return parameters


def _data_of(endpoint: str, http_status: int, retry_after_header: Optional[str], body: bytes) -> Dict[str, Any]:
    """A merchant may be set to get every refusal with 200, so the envelope decides and not the HTTP status."""
    seconds = retry_after_header or ""
    retry_after = int(seconds) if re.fullmatch("[0-9]{1,9}", seconds) else None
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None  # A proxy's page, say: the caller hears of the HTTP status.
    if isinstance(answer, dict):
        if answer.get("status") == 1 and http_status == 200 and isinstance(answer.get("data"), dict):
            return answer["data"]
        if answer.get("status") == 0 and isinstance(answer.get("code"), str) and isinstance(answer.get("err"), str):
            raise GatewayError(answer["code"], answer["err"], http_status, retry_after)
    sentence = "%s was answered with HTTP %d, but not by the gateway" % (endpoint, http_status)
    raise GatewayError("bad_answer", sentence, http_status, retry_after)


def _verify_body(
    raw_body: Union[bytes, str],
    headers: Mapping[str, str],
    names: _Names,
    appid: str,
    webhook_secret: Union[str, Sequence[str], None],
    key: Union[str, Sequence[str], None],
    scheme: str,
    now: Optional[float],
) -> Tuple[str, Dict[str, str]]:
    """Returns the key to deduplicate by, and the fields."""
    webhook_secrets = _listed(webhook_secret)
    keys = _listed(key)
    _check_keys(webhook_secrets, keys, scheme)
    now_s = time.time() if now is None else now
    body = _bytes_of(raw_body)
    signed_id = _verify_headers(body, headers, webhook_secrets, now_s) if webhook_secrets else None
    fields = _read_fields(body)
    _check_fields(fields, names)
    if keys:
        _verify_sign(fields, keys, scheme)
    if fields["appid"] != appid:
        raise CallbackError("wrong_appid", "it is for another appid")
    if signed_id is None:
        _check_time(fields["t"], now_s)
    idempotency_key = signed_id or fields.get(names.id, "")
    if not idempotency_key:
        raise CallbackError("no_signed_key", "give the webhook secret, or have your callbacks set to all fields")
    if fields.get(names.id, idempotency_key) != idempotency_key:
        raise CallbackError("bad_body", names.id + " and webhook-id differ")
    return idempotency_key, fields


def _listed(given: Union[str, Sequence[str], None]) -> List[str]:
    if given is None:
        return []
    return [given] if isinstance(given, str) else list(given)


def _check_keys(webhook_secrets: List[str], keys: List[str], scheme: str) -> None:
    if "" in webhook_secrets + keys:
        raise ValueError("a key is empty")
    if webhook_secrets:
        return
    if not keys:
        raise ValueError("give webhook_secret, key, or both")
    # A sha1 sign does not say what it is for: a request of yours could be sent to you as a callback.
    if scheme == "sha1":
        raise ValueError("a sha1 key verifies no callback by itself: give webhook_secret")


def _bytes_of(raw_body: Any) -> bytes:
    if isinstance(raw_body, (bytes, bytearray, memoryview)):
        return bytes(raw_body)
    if isinstance(raw_body, str):
        return _utf8(raw_body)
    raise CallbackError("bad_body", "pass the raw body, bytes or text, before anything parses it")


def _utf8(text: str) -> bytes:
    # Half a surrogate pair has no UTF-8. Some servers write bytes that are not UTF-8 so; no signature has any.
    return text.encode("utf-8", "surrogatepass")


def _verify_headers(body: bytes, headers: Mapping[str, str], webhook_secrets: List[str], now: float) -> str:
    lower = {name.lower(): value for name, value in headers.items()}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if not isinstance(lower.get(name), str) or not lower[name]:
            raise CallbackError("missing_header", name + " is not there")
    signed_id, timestamp = lower["webhook-id"], lower["webhook-timestamp"]
    message = _utf8(signed_id + "." + timestamp + ".") + body
    fits = False
    for secret in webhook_secrets:
        digest = hmac.new(_secret_bytes(secret), message, hashlib.sha256).digest()
        expected = b"v1," + base64.b64encode(digest)
        for given in lower["webhook-signature"].split(" "):
            fits = hmac.compare_digest(_utf8(given), expected) or fits
    if not fits:
        raise CallbackError("bad_signature", "webhook-signature does not fit")
    _check_time(timestamp, now)
    return signed_id


def _secret_bytes(secret: str) -> bytes:
    if not re.fullmatch("whsec_[A-Za-z0-9+/]{4,}={0,2}", secret):
        raise ValueError("a webhook secret is whsec_ followed by base64")
    return base64.b64decode(secret[len("whsec_"):])


def _check_time(seconds: str, now: float) -> None:
    if not re.fullmatch("[0-9]{1,12}", seconds) or abs(int(seconds) - int(now)) > TOLERANCE_S:
        raise CallbackError("stale_timestamp", "signed more than %d s from now" % TOLERANCE_S)


def _verify_sign(fields: Dict[str, str], keys: List[str], scheme: str) -> None:
    given = fields.get("sign", "").upper().encode()
    fits = False
    for key in keys:
        fits = hmac.compare_digest(given, sign("callback", fields, key, scheme).encode()) or fits
    if not fits:
        raise CallbackError("bad_sign", "the body's sign does not fit")


def _read_fields(body: bytes) -> Dict[str, str]:
    """A form, or a JSON object of strings. What it is shows: a form begins with a name."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise CallbackError("bad_body", "not UTF-8") from None
    return _read_json(text) if text.lstrip().startswith("{") else _read_form(text)


def _check_fields(fields: Dict[str, str], names: _Names) -> None:
    for name in (*names.required, *names.whole, "appid", "t"):
        if not fields.get(name):
            raise CallbackError("bad_body", name + " is not there")
    for name in names.whole:
        if not re.fullmatch("0|[1-9][0-9]{0,17}", fields[name]):
            raise CallbackError("bad_body", name + " is no whole number")
    if not re.fullmatch("[0-9]{1,12}", fields["t"]):
        raise CallbackError("bad_body", "t is no Unix time")


def _read_json(text: str) -> Dict[str, str]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise CallbackError("bad_body", "not JSON") from None
    for name, value in fields.items():
        # The sentences do not repeat what a stranger wrote: they may end up on a page.
        if not isinstance(value, str):
            raise CallbackError("bad_body", "a value is not a string")
        # Half a surrogate pair (\ud800) has no UTF-8, so nothing can be signed that has it.
        if re.search("[\ud800-\udfff]", name + value):
            raise CallbackError("bad_body", "not Unicode")
    return fields


def _read_form(text: str) -> Dict[str, str]:
    fields: Dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        name = _form_decode(name)
        if name in fields:
            raise CallbackError("bad_body", "a name is there twice")
        fields[name] = _form_decode(value)
    return fields


def _form_decode(text: str) -> str:
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise CallbackError("bad_body", "a malformed percent escape")
    try:
        return urllib.parse.unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise CallbackError("bad_body", "not UTF-8") from None


def _decimal_usdt(amount: int) -> str:
    whole, fraction = divmod(amount, 10000)
    return ("%d.%04d" % (whole, fraction)).rstrip("0").rstrip(".")
