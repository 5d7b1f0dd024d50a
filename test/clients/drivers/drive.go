// Does what each line of its input says, and answers it with a line: see test/clients/drive.ts.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"shop.example/rechargegateway"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		task, rest, _ := strings.Cut(lines.Text(), "\t")
		words := strings.Split(rest, "\t")
		answer, err := "", error(nil)
		if task == "call" {
			answer, err = call(words)
		} else {
			answer, err = verify(rechargegateway.Kind(task), words)
		}
		if err != nil {
			answer = refusal(err)
		}
		fmt.Println(answer)
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func call(rest []string) (string, error) {
	client := rechargegateway.New(rest[0], rest[1], rest[2])
	client.Scheme = rechargegateway.Scheme(rest[3])
	client.Retries = number(rest[4])
	client.Timeout = time.Duration(number(rest[5])) * time.Millisecond
	given := paired(rest[7:])
	ctx := context.Background()
	switch rest[6] {
	case "newAddress":
		it, err := client.NewAddress(ctx, given["username"], given["localusermark"], given["orderid"])
		return shown(err, func() []any { return []any{it.Address} })
	case "finduseraddress":
		it, err := client.FindUserAddress(ctx, given["username"], given["localusermark"])
		return shown(err, func() []any { return []any{it.Data.Address, it.Data.Unclaimed, it.Data.Addresses[0].Unclaimed} })
	case "TraderRechargeorder":
		it, err := client.CreateOrder(ctx, rechargegateway.OrderRequest{
			Username: given["username"], LocalUserMark: given["localusermark"], OrderID: given["orderid"],
			Amount: given["amount"], Address: given["address"], NotifyURL: given["notify_url"],
		})
		return shown(err, func() []any { return []any{it.OrderSN, it.Address, it.ExpiresAt} })
	case "findorder":
		it, err := findOrder(ctx, client, given)
		return shown(err, func() []any {
			return []any{it.State, it.Received, it.Expired, it.Transfers[0].Block, it.Seen[0].Amount, it.Callbacks[0].ID}
		})
	case "orders":
		it, err := client.ListOrders(ctx, rechargegateway.OrderFilter{From: unix(given["from"]), State: given["state"]})
		return shown(err, func() []any { return []any{len(it.Orders), it.Orders[0].OrderID, it.Next == nil} })
	case "resendcallback":
		it, err := client.ResendCallback(ctx, given["orderid"])
		return shown(err, func() []any { return []any{it.Resent, it.Skipped} })
	case "testcallback":
		it, err := client.TestCallback(ctx, given["notify_url"])
		return shown(err, func() []any { return []any{it.Delivered, *it.HTTPStatus, it.Error == nil} })
	case "transfers":
		it, err := client.ListTransfers(ctx, rechargegateway.TransferFilter{TxID: given["txid"], State: given["state"]})
		return shown(err, func() []any {
			return []any{it.Transfers[0].State, *it.Transfers[0].OrderID, it.Transfers[0].Reason == nil, it.Seen[0].Confirmations}
		})
	default:
		it, err := client.Statement(ctx, unix(given["from"]), unix(given["to"]))
		return shown(err, func() []any { return []any{it.Days[0].Day, it.Days[0].Received, it.Unclaimed.Amount} })
	}
}

func findOrder(ctx context.Context, client *rechargegateway.Client, given map[string]string) (*rechargegateway.OrderDetails, error) {
	if given["ordersn"] == "" {
		return client.FindOrder(ctx, given["orderid"])
	}
	data, err := client.Call(ctx, "findorder", given)
	if err != nil {
		return nil, err
	}
	var it rechargegateway.OrderDetails
	return &it, json.Unmarshal(data, &it)
}

func verify(kind rechargegateway.Kind, rest []string) (string, error) {
	header := http.Header{}
	for name, value := range paired(rest[6:]) {
		bytes, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return "", err
		}
		header.Add(name, string(bytes))
	}
	body, err := base64.StdEncoding.DecodeString(rest[5])
	if err != nil {
		return "", err
	}
	keys := rechargegateway.CallbackKeys{
		AppID:          rest[0],
		WebhookSecrets: listed(rest[1]),
		Keys:           listed(rest[2]),
		Scheme:         rechargegateway.Scheme(rest[3]),
		Now:            func() time.Time { return unix(rest[4]) },
	}
	if kind == "any" {
		if kind, err = rechargegateway.KindOf(body); err != nil {
			return "", err
		}
	}
	switch kind {
	case rechargegateway.KindEvent:
		it, err := rechargegateway.VerifyEvent(body, header, keys)
		return shown(err, func() []any {
			return []any{it.IdempotencyKey, it.Event, it.SentAt.Unix(), orDash(it.Fields, "event_txid")}
		})
	case rechargegateway.KindDeposit:
		it, err := rechargegateway.VerifyDeposit(body, header, keys)
		return shown(err, func() []any {
			money := []any{it.Amount, it.AmountUSDT, it.SentAt.Unix()}
			return append([]any{it.IdempotencyKey, it.LocalUserMark, it.Address, it.TxID, it.LogIndex}, money...)
		})
	}
	it, err := rechargegateway.VerifyCallback(body, header, keys)
	return shown(err, func() []any {
		money := []any{it.Amount, it.AmountUSDT, it.SentAt.Unix(), it.IsTest, orDash(it.Fields, "txid")}
		return append([]any{it.IdempotencyKey, it.OrderID, it.LocalUserMark}, money...)
	})
}

func orDash(fields map[string]string, name string) string {
	if value, there := fields[name]; there {
		return value
	}
	return "-"
}

func refusal(err error) string {
	var refused *rechargegateway.GatewayError
	var unbelieved *rechargegateway.CallbackError
	switch {
	case errors.As(err, &refused):
		after := "-"
		if refused.RetryAfter > 0 {
			after = strconv.Itoa(int(refused.RetryAfter.Seconds()))
		}
		return fmt.Sprintf("refused\t%s\t%d\t%s\t%t", refused.Code, refused.HTTPStatus, after, refused.Retryable())
	case errors.As(err, &unbelieved):
		return "refused\t" + unbelieved.Code
	default:
		return "keys"
	}
}

func shown(err error, values func() []any) (string, error) {
	if err != nil {
		return "", err
	}
	text := "ok"
	for _, value := range values() {
		text += fmt.Sprintf("\t%v", value)
	}
	return text, nil
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return value
}

func unix(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	return time.Unix(int64(number(text)), 0)
}

func listed(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func paired(pairs []string) map[string]string {
	given := map[string]string{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		given[name] = value
	}
	return given
}
