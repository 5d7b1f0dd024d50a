"""python3 clients/python/test.py: the signature vectors, which are the contract."""

import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
from recharge_gateway import CallbackError, Gateway, sign, verify_callback

CONTRACT = json.loads((pathlib.Path(__file__).parent.parent / "signature-vectors.json").read_text("utf-8"))


class Vectors(unittest.TestCase):
    def test_every_request_and_callback_is_signed_as_the_contract_has_it(self):
        for vector in CONTRACT["vectors"]:
            for name, scheme in (("hmac_sha256", "hmac-sha256"), ("sha1", "sha1")):
                with self.subTest(vector["name"], scheme=scheme):
                    parameters = dict(vector["params"], sign="X")
                    signed = sign(vector["for"], parameters, CONTRACT["key"], scheme)
                    self.assertEqual(signed, vector[name]["sign"])

    def test_the_webhook_signature_fits_the_very_bytes_and_no_others(self):
        webhook = CONTRACT["standard_webhooks"]
        keys = {"appid": "VunTq7Zk2Lm9h1l8", "webhook_secret": webhook["secret"], "now": int(webhook["webhook-timestamp"])}
        body = webhook["body"].encode()
        callback = verify_callback(body, webhook, **keys)
        self.assertEqual((callback.idempotency_key, callback.amount), (webhook["webhook-id"], 30000))
        with self.assertRaises(CallbackError) as refused:
            verify_callback(body + b"0", webhook, **keys)
        self.assertEqual(refused.exception.code, "bad_signature")

    def test_a_body_that_a_parser_took_is_refused_by_the_client_itself(self):
        webhook = CONTRACT["standard_webhooks"]
        keys = {"appid": "VunTq7Zk2Lm9h1l8", "webhook_secret": webhook["secret"], "now": int(webhook["webhook-timestamp"])}
        for parsed in (None, {}, {"orderid": "sh-1"}, [], 1, object()):
            with self.assertRaisesRegex(CallbackError, "^bad_body: pass the raw body"):
                verify_callback(parsed, webhook, **keys)
        body = webhook["body"]
        for raw in (body, body.encode(), bytearray(body.encode()), memoryview(body.encode())):
            self.assertEqual(verify_callback(raw, webhook, **keys).amount, 30000)

    def test_a_float_is_no_amount(self):
        gateway = Gateway("http://127.0.0.1:9", "a", "k")
        with self.assertRaises(TypeError):
            gateway.create_order(username="u", localusermark="1", orderid="sh-1", amount=3.5)


unittest.main()
