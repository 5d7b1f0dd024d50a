package rechargegateway

// cd clients/go && go test ./...: the signature vectors, which are the contract.

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"
)

type signature struct{ Sign string }

var contract struct {
	Key     string
	Vectors []struct {
		Name       string
		For        string
		Params     map[string]string
		SHA1       signature
		HMACSHA256 signature `json:"hmac_sha256"`
	}
	StandardWebhooks map[string]string `json:"standard_webhooks"`
}

func TestMain(m *testing.M) {
	text, err := os.ReadFile("../signature-vectors.json")
	if err == nil {
		err = json.Unmarshal(text, &contract)
	}
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestEveryRequestAndCallbackIsSignedAsTheContractHasIt(t *testing.T) {
	if len(contract.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, vector := range contract.Vectors {
		vector.Params["sign"] = "X"
		for scheme, expected := range map[Scheme]string{HMACSHA256: vector.HMACSHA256.Sign, SHA1: vector.SHA1.Sign} {
			if got := Sign(vector.For, vector.Params, contract.Key, scheme); got != expected {
				t.Errorf("%s, %s: expected %s, got %s", vector.Name, scheme, expected, got)
			}
		}
	}
}

func TestTheWebhookSignatureFitsTheVeryBytesAndNoOthers(t *testing.T) {
	webhook := contract.StandardWebhooks
	header := http.Header{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		header.Set(name, webhook[name])
	}
	seconds, err := strconv.ParseInt(webhook["webhook-timestamp"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	keys := CallbackKeys{
		AppID:          "VunTq7Zk2Lm9h1l8",
		WebhookSecrets: []string{webhook["secret"]},
		Now:            func() time.Time { return time.Unix(seconds, 0) },
	}
	callback, err := VerifyCallback([]byte(webhook["body"]), header, keys)
	if err != nil || callback.IdempotencyKey != webhook["webhook-id"] || callback.Amount != 30000 {
		t.Errorf("got %+v, %v", callback, err)
	}
	_, err = VerifyCallback([]byte(webhook["body"]+"0"), header, keys)
	var refused *CallbackError
	if !errors.As(err, &refused) || refused.Code != "bad_signature" {
		t.Errorf("an altered body: got %v", err)
	}
}
