// Package rechargegateway is recharge-gateway's merchant API in one file: orders, queries, verified callbacks.
// Go 1.20 or newer, standard library only.
//
//	client := rechargegateway.New("https://pay.example", appID, key)
//	order, err := client.CreateOrder(ctx, rechargegateway.OrderRequest{
//		Username: "alice", LocalUserMark: "42", OrderID: "sh-1", Amount: "25",
//	})
//
// Amounts are decimal strings and whole numbers, never floats.
package rechargegateway

import (
	"context"
	"crypto/hmac"
	cryptorand "crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Scheme is how a merchant's key signs.
type Scheme string

const (
	// HMACSHA256 is the default.
	HMACSHA256 Scheme = "hmac-sha256"
	// SHA1 is for integrations that existed before.
	SHA1 Scheme = "sha1"
)

const (
	// The wait before the first repetition; it doubles with each.
	firstPause = 250 * time.Millisecond
	// A gateway that asks for more patience than this is told to the caller instead.
	longestPause = 30 * time.Second
	// How far a callback's time may be from ours, either way.
	toleranceSeconds = 300
	// More than the longest page of orders.
	answerBytesMax = 8 << 20
)

// Client asks the merchant API of a gateway. Make one with New; change its fields before its first use. It is safe for
// concurrent use. Every method returns a *GatewayError when it is refused or not answered.
type Client struct {
	// URL of the gateway, without /api/merchant.
	URL   string
	AppID string
	Key   string
	// Scheme is HMACSHA256 unless changed.
	Scheme Scheme
	// Timeout is how long one attempt may take: 10 s unless changed.
	Timeout time.Duration
	// Retries is how often a request is made again after no answer, a 429 or a 5xx: 2 unless changed; 0: never.
	// Everything that is retried is safe to repeat; ResendCallback and TestCallback are never retried.
	Retries int

	http *http.Client
}

// New opens the merchant API of a gateway; nothing is sent until a method is called.
func New(gatewayURL, appID, key string) *Client {
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		URL:     strings.TrimRight(gatewayURL, "/"),
		AppID:   appID,
		Key:     key,
		Scheme:  HMACSHA256,
		Timeout: 10 * time.Second,
		Retries: 2,
		http:    &http.Client{CheckRedirect: noRedirect},
	}
}

// GatewayError is a request that was refused, or that got no answer.
type GatewayError struct {
	// Code is the gateway's own ("bad_amount", "orderid_conflict", ...), which never changes; or, made up here,
	// "no_answer" (the network failed or the time was over: what was asked may have been done) and "bad_answer"
	// (something else than the gateway answered, such as a proxy's error page).
	Code string
	// Sentence says what is wrong, for people.
	Sentence string
	// HTTPStatus is 0 when there was no answer.
	HTTPStatus int
	// RetryAfter is how long to wait before asking again, when the gateway said so; else 0.
	RetryAfter time.Duration

	cause error
}

func (e *GatewayError) Error() string { return e.Code + ": " + e.Sentence }

func (e *GatewayError) Unwrap() error { return e.cause }

// Retryable is whether the very same request may be answered otherwise later: no answer, 429, 5xx.
func (e *GatewayError) Retryable() bool {
	return e.HTTPStatus == 0 || e.HTTPStatus == 429 || e.HTTPStatus >= 500
}

// NewAddress is what newAddress answers.
type NewAddress struct {
	Username      string `json:"username"`
	LocalUserMark string `json:"localusermark"`
	Address       string `json:"address"`
	UUID          string `json:"uuid"`
	AddTime       int64  `json:"addtime"`
}

// UserAddress is what finduseraddress answers.
type UserAddress struct {
	Info struct {
		Username      string `json:"username"`
		LocalUserMark string `json:"localusermark"`
	} `json:"info"`
	Data struct {
		MerchantID int64 `json:"merchant_id"`
		// Address is the base address; empty, as UUID is, for a user who has only addresses of orders.
		Address       string `json:"address"`
		LocalUserMark string `json:"m_localusermark"`
		UUID          string `json:"uuid"`
		AddTime       int64  `json:"addtime"`
		// Unclaimed is decimal USDT that arrived at any of the addresses and belongs to no order yet.
		Unclaimed string `json:"unclaimed"`
		// Addresses are all of the user's, newest first, at most 100.
		Addresses []struct {
			Address string `json:"address"`
			// OrderID is the order that alone uses this address; nil: it serves any order.
			OrderID   *string `json:"orderid"`
			Unclaimed string  `json:"unclaimed"`
		} `json:"addresses"`
		// Next is nil after the last address. For further ones use Call with it as cursor.
		Next *string `json:"next"`
	} `json:"data"`
}

// OrderRequest is what an order is made of.
type OrderRequest struct {
	// Username is a label; LocalUserMark your own id of the user.
	Username      string
	LocalUserMark string
	// OrderID is your own id of the order, unique for you.
	OrderID string
	// Amount is decimal USDT, such as "25" or "3.5".
	Amount string
	// Address is the user's; empty or "auto": one for this order alone.
	Address string
	// NotifyURL is where its callbacks go, if not to your default URL.
	NotifyURL string
	// ReturnURL is where its page leads the payer back to, if you are set to have it.
	ReturnURL string
}

// CreatedOrder is what TraderRechargeorder answers. Times are Unix seconds.
type CreatedOrder struct {
	OrderSN   string `json:"ordersn"`
	Address   string `json:"address"`
	ExpiresAt int64  `json:"expires_at"`
	// PayURL is the order's page. Send the payer there.
	PayURL string `json:"pay_url"`
	// QRSVGURL is the QR code of the address, an image that your own page may show.
	QRSVGURL string `json:"qr_svg_url"`
}

// Order is an order as pages of orders show it. Amounts are decimal USDT, times Unix seconds.
type Order struct {
	OrderSN       string `json:"ordersn"`
	OrderID       string `json:"orderid"`
	Username      string `json:"username"`
	LocalUserMark string `json:"localusermark"`
	Address       string `json:"address"`
	Amount        string `json:"amount"`
	// Received is credited so far, Announced what callbacks announced of it.
	Received  string `json:"received"`
	Announced string `json:"announced"`
	// State is pending, underpaid, paid or overpaid.
	State     string `json:"state"`
	Expired   bool   `json:"expired"`
	CreatedAt int64  `json:"created_at"`
	ExpiresAt int64  `json:"expires_at"`
}

// OrderDetails is what findorder answers.
type OrderDetails struct {
	Order
	PayURL    string `json:"pay_url"`
	QRSVGURL  string `json:"qr_svg_url"`
	Transfers []struct {
		TxID      string `json:"txid"`
		LogIndex  int    `json:"log_index"`
		From      string `json:"from"`
		Amount    string `json:"amount"`
		Block     int64  `json:"block"`
		BlockTime int64  `json:"block_time"`
		Late      bool   `json:"late"`
		// Proof is signed, agreed or alone; nil for a transfer that an older version of the gateway recorded.
		Proof *string `json:"proof"`
	} `json:"transfers"`
	// Seen is on the chain and not final yet: for display only.
	Seen []struct {
		TxID          string `json:"txid"`
		Amount        string `json:"amount"`
		Confirmations int    `json:"confirmations"`
	} `json:"seen"`
	Callbacks []struct {
		// ID is its Idempotency-Key.
		ID string `json:"id"`
		// BodyAmount is 1/10000 USDT, as the callback's amount says it.
		BodyAmount string `json:"body_amount"`
		// State is due, in_flight, held, delivered or exhausted.
		State       string `json:"state"`
		Attempts    int    `json:"attempts"`
		LastStatus  *int   `json:"last_status"`
		NextAt      *int64 `json:"next_at"`
		DeliveredAt *int64 `json:"delivered_at"`
	} `json:"callbacks"`
}

// OrderFilter picks orders; what is zero does not matter.
type OrderFilter struct {
	// From is included, To is not.
	From, To time.Time
	// State is pending, underpaid, paid or overpaid; Expired "true" or "false".
	State, Expired string
	LocalUserMark  string
	// Cursor is Next of the page before.
	Cursor string
	// Limit is 1 to 500; 100 unless given.
	Limit int
}

// OrderPage is what orders answers, newest first; Next is nil on the last page.
type OrderPage struct {
	Orders []Order `json:"orders"`
	Next   *string `json:"next"`
}

// ResentCallbacks is what resendcallback answers.
type ResentCallbacks struct {
	Resent  int `json:"resent"`
	Skipped int `json:"skipped"`
}

// TestedCallback is what testcallback answers.
type TestedCallback struct {
	URL        string  `json:"url"`
	Delivered  bool    `json:"delivered"`
	HTTPStatus *int    `json:"http_status"`
	DurationMS int64   `json:"duration_ms"`
	Answer     *string `json:"answer"`
	Error      *string `json:"error"`
}

// Statement is sums per UTC day, decimal USDT.
type Statement struct {
	Days []struct {
		Day          string `json:"day"`
		Orders       int64  `json:"orders"`
		Transfers    int64  `json:"transfers"`
		Received     string `json:"received"`
		Announced    string `json:"announced"`
		Acknowledged string `json:"acknowledged"`
		// Refunded and Corrected are of the day's marks, less those withdrawn on it; both can be below 0.
		Refunded  string `json:"refunded"`
		Corrected string `json:"corrected"`
	} `json:"days"`
	Unclaimed struct {
		Transfers int64  `json:"transfers"`
		Amount    string `json:"amount"`
	} `json:"unclaimed"`
	// Marks are the operator's notes about money that was received. They move none.
	Marks     []Mark `json:"marks"`
	MoreMarks bool   `json:"more_marks"`
}

// Mark is a refund, a correction, a transfer settled outside, or the withdrawal of one of these.
type Mark struct {
	ID int64 `json:"id"`
	// Kind is refund, correction, settled_outside or withdrawal.
	Kind string `json:"kind"`
	Time int64  `json:"time"`
	// Amount of a correction is below 0 when less counts.
	Amount string `json:"amount"`
	// TxID is of the transaction that paid a refund; empty: none.
	TxID string `json:"txid"`
	// OrderID is empty when no order is concerned, TransferTxID when it is about an order.
	OrderID      string `json:"orderid"`
	TransferTxID string `json:"transfer_txid"`
	LogIndex     int    `json:"log_index"`
	// Withdraws is the mark that a withdrawal takes back; 0: none.
	Withdraws int64  `json:"withdraws"`
	Reason    string `json:"reason"`
}

// TransferFilter picks transfers; what is zero does not matter.
type TransferFilter struct {
	// TxID is hex in either case, with or without 0x.
	TxID          string
	Address       string
	LocalUserMark string
	// State is credited, deposit, unclaimed, held, rejected or settled_outside.
	State string
	// Cursor is Next of the page before.
	Cursor string
	// Limit is 1 to 500; 100 unless given.
	Limit int
}

// Transfer is a transfer to one of your addresses and what has become of it.
type Transfer struct {
	TxID          string `json:"txid"`
	LogIndex      int    `json:"log_index"`
	From          string `json:"from"`
	Address       string `json:"address"`
	LocalUserMark string `json:"localusermark"`
	// Amount is decimal USDT.
	Amount    string `json:"amount"`
	Block     int64  `json:"block"`
	BlockTime int64  `json:"block_time"`
	// State is credited, deposit, unclaimed, held, rejected or settled_outside.
	State string `json:"state"`
	// Reason says why it is held: confirmation, proof, quarantine or behind; else nil.
	Reason *string `json:"reason"`
	// OrderID is the order it was credited to; else nil.
	OrderID *string `json:"orderid"`
}

// TransferPage is what transfers answers, newest first; Next is nil on the last page. A page may be short, or empty, and have
// a Next.
type TransferPage struct {
	Transfers []Transfer `json:"transfers"`
	// Seen is on the chain and not final yet: for display only.
	Seen []struct {
		TxID          string `json:"txid"`
		Address       string `json:"address"`
		LocalUserMark string `json:"localusermark"`
		Amount        string `json:"amount"`
		Confirmations int    `json:"confirmations"`
	} `json:"seen"`
	Next *string `json:"next"`
}

// NewAddress is the user's address, the same one when asked again; with an orderID, one for that order alone.
func (c *Client) NewAddress(ctx context.Context, username, localUserMark, orderID string) (*NewAddress, error) {
	given := present(map[string]string{"username": username, "localusermark": localUserMark, "orderid": orderID})
	return ask[NewAddress](ctx, c, "newAddress", given, c.Retries)
}

// FindUserAddress is the user's base address, all addresses of the user, and what waits unclaimed there.
func (c *Client) FindUserAddress(ctx context.Context, username, localUserMark string) (*UserAddress, error) {
	given := map[string]string{"username": username, "localusermark": localUserMark}
	return ask[UserAddress](ctx, c, "finduseraddress", given, c.Retries)
}

// CreateOrder creates an order, once: the same OrderID with the same values gives the same answer for ever.
func (c *Client) CreateOrder(ctx context.Context, order OrderRequest) (*CreatedOrder, error) {
	given := present(map[string]string{
		"username": order.Username, "localusermark": order.LocalUserMark, "address": order.Address,
		"orderid": order.OrderID, "amount": order.Amount, "notify_url": order.NotifyURL,
		"return_url": order.ReturnURL,
	})
	if order.Address == "" {
		given["address"] = "auto"
	}
	return ask[CreatedOrder](ctx, c, "TraderRechargeorder", given, c.Retries)
}

// FindOrder is the order of your orderID, with its transfers, sightings and callbacks.
func (c *Client) FindOrder(ctx context.Context, orderID string) (*OrderDetails, error) {
	return ask[OrderDetails](ctx, c, "findorder", map[string]string{"orderid": orderID}, c.Retries)
}

// ListOrders is a page of orders, newest first; ask on with Cursor until Next is nil.
func (c *Client) ListOrders(ctx context.Context, filter OrderFilter) (*OrderPage, error) {
	given := present(map[string]string{
		"from": seconds(filter.From), "to": seconds(filter.To), "state": filter.State, "expired": filter.Expired,
		"localusermark": filter.LocalUserMark, "cursor": filter.Cursor,
	})
	if filter.Limit != 0 {
		given["limit"] = strconv.Itoa(filter.Limit)
	}
	return ask[OrderPage](ctx, c, "orders", given, c.Retries)
}

// ResendCallback has an order's callbacks sent again.
func (c *Client) ResendCallback(ctx context.Context, orderID string) (*ResentCallbacks, error) {
	return ask[ResentCallbacks](ctx, c, "resendcallback", map[string]string{"orderid": orderID}, 0)
}

// TestCallback has a signed sample sent to your endpoint (to your default URL when notifyURL is empty), and tells what it
// answered.
func (c *Client) TestCallback(ctx context.Context, notifyURL string) (*TestedCallback, error) {
	return ask[TestedCallback](ctx, c, "testcallback", present(map[string]string{"notify_url": notifyURL}), 0)
}

// Statement is sums per UTC day; from is included, to is not, at most 92 days.
func (c *Client) Statement(ctx context.Context, from, to time.Time) (*Statement, error) {
	given := map[string]string{"from": seconds(from), "to": seconds(to)}
	return ask[Statement](ctx, c, "statement", given, c.Retries)
}

// ListTransfers is a page of transfers to your addresses, newest first; ask on with Cursor until Next is nil.
func (c *Client) ListTransfers(ctx context.Context, filter TransferFilter) (*TransferPage, error) {
	given := present(map[string]string{
		"txid": filter.TxID, "address": filter.Address, "localusermark": filter.LocalUserMark, "state": filter.State,
		"cursor": filter.Cursor,
	})
	if filter.Limit != 0 {
		given["limit"] = strconv.Itoa(filter.Limit)
	}
	return ask[TransferPage](ctx, c, "transfers", given, c.Retries)
}

// Call asks any endpoint, such as findorder by ordersn, and returns the answer's data as it came.
func (c *Client) Call(ctx context.Context, endpoint string, parameters map[string]string) (json.RawMessage, error) {
	data, err := ask[json.RawMessage](ctx, c, endpoint, parameters, c.Retries)
	if err != nil {
		return nil, err
	}
	return *data, nil
}

// Sign signs a message and returns upper-case hex. The endpoint is the last segment of the path, "callback" for a
// callback; only HMACSHA256 covers it. Parameters are decoded values; "sign" itself is never signed and may be left in.
func Sign(endpoint string, parameters map[string]string, key string, scheme Scheme) string {
	names := make([]string, 0, len(parameters))
	for name := range parameters {
		if name != "sign" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	if scheme == SHA1 {
		var text strings.Builder
		for _, name := range names {
			text.WriteString(name + parameters[name])
		}
		digest := sha1.Sum([]byte(text.String() + key))
		return strings.ToUpper(hex.EncodeToString(digest[:]))
	}
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = percentEncode(name) + "=" + percentEncode(parameters[name])
	}
	digest := hmacSHA256([]byte(key), []byte(endpoint+"?"+strings.Join(pairs, "&")))
	return strings.ToUpper(hex.EncodeToString(digest))
}

// CallbackKeys is what a merchant verifies with. Each of the two that is given must fit; while one is being changed,
// give the old and the new.
type CallbackKeys struct {
	AppID string
	// WebhookSecrets ("whsec_...") verify webhook-signature, which covers the key to deduplicate by and the exact bytes.
	WebhookSecrets []string
	// Keys are merchant keys; they verify the body's sign. By themselves they are enough only if your callbacks carry all
	// fields ("full"). A SHA1 key needs the webhook secret beside it.
	Keys []string
	// Scheme of the merchant keys; HMACSHA256 when empty.
	Scheme Scheme
	// Now is the time to judge by; nil: time.Now.
	Now func() time.Time
}

// Callback is a callback that was verified.
type Callback struct {
	// IdempotencyKey: credit each of these once, whatever comes twice: a unique key in the table where you credit.
	IdempotencyKey string
	OrderID        string
	LocalUserMark  string
	// Amount is what to credit, in 1/10000 USDT.
	Amount int64
	// AmountUSDT is the same as decimal USDT: "3.0001".
	AmountUSDT string
	// SentAt is the time of this attempt.
	SentAt time.Time
	// IsTest: a sample you asked for, amount 0 and an order that does not exist.
	IsTest bool
	// Fields are the body's as they came: six, or all of them where the merchant is set to "full".
	Fields map[string]string
}

// CallbackError is a callback that must not be believed; answer it with a 400.
type CallbackError struct {
	// Code is missing_header (one of the three webhook- headers is not there), bad_signature (webhook-signature does not
	// fit), stale_timestamp (signed more than five minutes from now), bad_body (not a callback's body), bad_sign (the
	// body's sign does not fit), wrong_appid (for another merchant) or no_signed_key (nothing signed to deduplicate by).
	Code     string
	Sentence string
}

func (e *CallbackError) Error() string { return e.Code + ": " + e.Sentence }

// VerifyCallback verifies a callback. rawBody is exactly as received. What is no callback, such as an event, is refused as
// bad_body: KindOf tells which it is. The error is a *CallbackError when the callback must not be believed, and another one
// when the keys are none.
func VerifyCallback(rawBody []byte, header http.Header, keys CallbackKeys) (*Callback, error) {
	idempotencyKey, fields, err := verifyBody(rawBody, header, keys, callbackNames)
	if err != nil {
		return nil, err
	}
	amount := wholeNumber(fields["amount"])
	return &Callback{
		IdempotencyKey: idempotencyKey,
		OrderID:        fields["orderid"],
		LocalUserMark:  fields["localusermark"],
		Amount:         amount,
		AmountUSDT:     decimalUSDT(amount),
		SentAt:         time.Unix(wholeNumber(fields["t"]), 0),
		IsTest:         amount == 0,
		Fields:         fields,
	}, nil
}

// Deposit is a user's money without an order, for merchants who have deposits on.
type Deposit struct {
	// IdempotencyKey: credit each of these once, whatever comes twice: a unique key in the table where you credit.
	IdempotencyKey string
	LocalUserMark  string
	Address        string
	TxID           string
	// LogIndex is the transfer's place in the transaction's logs.
	LogIndex int64
	// Amount is what to credit, in 1/10000 USDT.
	Amount int64
	// AmountUSDT is the same as decimal USDT: "3.0001".
	AmountUSDT string
	// SentAt is the time of this attempt.
	SentAt time.Time
	// Fields are the body's as they came.
	Fields map[string]string
}

// VerifyDeposit verifies a deposit, as VerifyCallback a callback. Keys alone are enough if they are no SHA1 keys.
func VerifyDeposit(rawBody []byte, header http.Header, keys CallbackKeys) (*Deposit, error) {
	idempotencyKey, fields, err := verifyBody(rawBody, header, keys, depositNames)
	if err != nil {
		return nil, err
	}
	amount := wholeNumber(fields["deposit_amount"])
	return &Deposit{
		IdempotencyKey: idempotencyKey,
		LocalUserMark:  fields["deposit_localusermark"],
		Address:        fields["deposit_address"],
		TxID:           fields["deposit_txid"],
		LogIndex:       wholeNumber(fields["deposit_log_index"]),
		Amount:         amount,
		AmountUSDT:     decimalUSDT(amount),
		SentAt:         time.Unix(wholeNumber(fields["t"]), 0),
		Fields:         fields,
	}, nil
}

// Event is for display, if you have events on. It announces no money: never credit because of one.
type Event struct {
	// IdempotencyKey: the same event may come twice under it.
	IdempotencyKey string
	// Event is order.seen, order.expired, deposit.unclaimed, or one that this client does not know yet.
	Event string
	// SentAt is the time of this attempt.
	SentAt time.Time
	// Fields are what it says: event_orderid, event_txid and so on.
	Fields map[string]string
}

// VerifyEvent verifies an event, as VerifyCallback a callback. Keys alone are enough if they are no SHA1 keys.
func VerifyEvent(rawBody []byte, header http.Header, keys CallbackKeys) (*Event, error) {
	idempotencyKey, fields, err := verifyBody(rawBody, header, keys, eventNames)
	if err != nil {
		return nil, err
	}
	sentAt := time.Unix(wholeNumber(fields["t"]), 0)
	return &Event{IdempotencyKey: idempotencyKey, Event: fields["event"], SentAt: sentAt, Fields: fields}, nil
}

// Kind is what the gateway posts.
type Kind string

const (
	// KindCallback is money for an order.
	KindCallback Kind = "callback"
	// KindDeposit is money without one.
	KindDeposit Kind = "deposit"
	// KindEvent is something to display.
	KindEvent Kind = "event"
)

// KindOf tells which kind a body says it is. Nothing is verified yet: verify it by the function of that kind. The error is
// a *CallbackError, bad_body.
func KindOf(rawBody []byte) (Kind, error) {
	fields, err := readFields(rawBody)
	if err != nil {
		return "", err
	}
	if _, isEvent := fields["event"]; isEvent {
		return KindEvent, nil
	}
	if _, isDeposit := fields["deposit_id"]; isDeposit {
		return KindDeposit, nil
	}
	return KindCallback, nil
}

// The fields of one kind of body.
type bodyNames struct {
	// The one that says its key.
	id       string
	required []string
	// Whole numbers: amounts in 1/10000 USDT, a place in a list.
	whole []string
}

var (
	callbackNames = bodyNames{"callback_id", []string{"orderid", "localusermark"}, []string{"amount"}}
	depositNames  = bodyNames{
		"deposit_id",
		[]string{"deposit_id", "deposit_localusermark", "deposit_address", "deposit_txid"},
		[]string{"deposit_amount", "deposit_log_index"},
	}
	eventNames = bodyNames{"event_id", []string{"event", "event_id"}, nil}
)

// Returns the key to deduplicate by, and the fields.
func verifyBody(rawBody []byte, header http.Header, keys CallbackKeys, names bodyNames) (string, map[string]string, error) {
	if err := checkKeys(keys); err != nil {
		return "", nil, err
	}
	now := time.Now()
	if keys.Now != nil {
		now = keys.Now()
	}
	signedID := ""
	if len(keys.WebhookSecrets) > 0 {
		var err error
		if signedID, err = verifyHeader(rawBody, header, keys.WebhookSecrets, now); err != nil {
			return "", nil, err
		}
	}
	fields, err := readFields(rawBody)
	if err != nil {
		return "", nil, err
	}
	if err := checkFields(fields, names); err != nil {
		return "", nil, err
	}
	if len(keys.Keys) > 0 && !signFits(fields, keys) {
		return "", nil, &CallbackError{"bad_sign", "the body's sign does not fit"}
	}
	if fields["appid"] != keys.AppID {
		return "", nil, &CallbackError{"wrong_appid", "it is for another appid"}
	}
	if signedID == "" {
		if err := checkTime(fields["t"], now); err != nil {
			return "", nil, err
		}
	}
	statedID, isStated := fields[names.id]
	idempotencyKey := signedID
	if idempotencyKey == "" {
		idempotencyKey = statedID
	}
	if idempotencyKey == "" {
		return "", nil, &CallbackError{"no_signed_key", "give WebhookSecrets, or have your callbacks set to all fields"}
	}
	if isStated && statedID != idempotencyKey {
		return "", nil, &CallbackError{"bad_body", names.id + " and webhook-id differ"}
	}
	return idempotencyKey, fields, nil
}

// It does not fail: the text has been held to its pattern.
func wholeNumber(text string) int64 {
	number, _ := strconv.ParseInt(text, 10, 64)
	return number
}

func ask[Data any](ctx context.Context, c *Client, endpoint string, given map[string]string, retries int) (*Data, error) {
	for attempt := 0; ; attempt++ {
		data := new(Data)
		failure := c.post(ctx, endpoint, given, data)
		if failure == nil {
			return data, nil
		}
		pause := time.Duration(float64(firstPause<<attempt) * (0.5 + rand.Float64()/2))
		if failure.RetryAfter > 0 {
			pause = failure.RetryAfter
		}
		if !failure.Retryable() || attempt >= retries || pause > longestPause {
			return nil, failure
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, failure
		}
	}
}

// One attempt; t and nonce are fresh each time, so that a late repetition is not taken for a stale request.
func (c *Client) post(ctx context.Context, endpoint string, given map[string]string, data any) *GatewayError {
	noAnswer := func(err error) *GatewayError {
		return &GatewayError{Code: "no_answer", Sentence: endpoint + " got no answer: " + err.Error(), cause: err}
	}
	nonce := make([]byte, 16)
	if _, err := cryptorand.Read(nonce); err != nil {
		return noAnswer(err)
	}
	signed := map[string]string{
		"appid": c.AppID, "t": strconv.FormatInt(time.Now().Unix(), 10), "nonce": hex.EncodeToString(nonce),
	}
	for name, value := range given {
		signed[name] = value
	}
	form := url.Values{"sign": {Sign(endpoint, signed, c.Key, c.Scheme)}}
	for name, value := range signed {
		form.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	body := strings.NewReader(form.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/api/merchant/"+endpoint, body)
	if err != nil {
		return noAnswer(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := c.http.Do(request)
	if err != nil {
		return noAnswer(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return noAnswer(err)
	}
	return readAnswer(endpoint, response, text, data)
}

// A merchant may be set to get every refusal with 200, so the envelope decides and not the HTTP status.
func readAnswer(endpoint string, response *http.Response, text []byte, data any) *GatewayError {
	failure := &GatewayError{
		Code:       "bad_answer",
		Sentence:   fmt.Sprintf("%s was answered with HTTP %d, but not by the gateway", endpoint, response.StatusCode),
		HTTPStatus: response.StatusCode,
	}
	if after, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 30); err == nil {
		failure.RetryAfter = time.Duration(after) * time.Second
	}
	var answer struct {
		Status *int            `json:"status"`
		Data   json.RawMessage `json:"data"`
		Err    string          `json:"err"`
		Code   string          `json:"code"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Status == nil {
		return failure
	}
	if *answer.Status == 1 && response.StatusCode == http.StatusOK {
		// null would leave everything empty, an order's address too.
		if !strings.HasPrefix(string(answer.Data), "{") {
			return failure
		}
		if err := json.Unmarshal(answer.Data, data); err != nil {
			failure.cause = err
			return failure
		}
		return nil
	}
	if *answer.Status == 0 && answer.Code != "" {
		failure.Code, failure.Sentence = answer.Code, answer.Err
	}
	return failure
}

func checkKeys(keys CallbackKeys) error {
	for _, key := range append(append([]string{}, keys.WebhookSecrets...), keys.Keys...) {
		if key == "" {
			return errors.New("a key is empty")
		}
	}
	if len(keys.WebhookSecrets) > 0 {
		return nil
	}
	if len(keys.Keys) == 0 {
		return errors.New("give WebhookSecrets, Keys, or both")
	}
	// A SHA-1 sign does not say what it is for: a request of yours could be sent to you as a callback.
	if keys.Scheme == SHA1 {
		return errors.New("a sha1 key verifies no callback by itself: give WebhookSecrets")
	}
	return nil
}

// Returns webhook-id.
func verifyHeader(body []byte, header http.Header, secrets []string, now time.Time) (string, error) {
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		if header.Get(name) == "" {
			return "", &CallbackError{"missing_header", name + " is not there"}
		}
	}
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	message := append([]byte(id+"."+timestamp+"."), body...)
	fits := false
	for _, secret := range secrets {
		bytes, err := secretBytes(secret)
		if err != nil {
			return "", err
		}
		expected := []byte("v1," + base64.StdEncoding.EncodeToString(hmacSHA256(bytes, message)))
		for _, given := range strings.Split(header.Get("webhook-signature"), " ") {
			fits = hmac.Equal([]byte(given), expected) || fits
		}
	}
	if !fits {
		return "", &CallbackError{"bad_signature", "webhook-signature does not fit"}
	}
	return id, checkTime(timestamp, now)
}

func secretBytes(secret string) ([]byte, error) {
	bytes, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || !strings.HasPrefix(secret, "whsec_") || len(bytes) == 0 {
		return nil, errors.New("a webhook secret is whsec_ followed by base64")
	}
	return bytes, nil
}

func checkTime(timestamp string, now time.Time) error {
	if timePattern.MatchString(timestamp) {
		at, _ := strconv.ParseInt(timestamp, 10, 64)
		if distance := at - now.Unix(); distance <= toleranceSeconds && distance >= -toleranceSeconds {
			return nil
		}
	}
	return &CallbackError{"stale_timestamp", fmt.Sprintf("signed more than %d s from now", toleranceSeconds)}
}

func signFits(fields map[string]string, keys CallbackKeys) bool {
	given := []byte(strings.ToUpper(fields["sign"]))
	fits := false
	for _, key := range keys.Keys {
		fits = hmac.Equal(given, []byte(Sign("callback", fields, key, keys.Scheme))) || fits
	}
	return fits
}

var (
	wholePattern = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)
	timePattern  = regexp.MustCompile(`^[0-9]{1,12}$`)
)

// A form, or a JSON object of strings. What it is shows: a form begins with a name.
func readFields(body []byte) (map[string]string, error) {
	if !utf8.Valid(body) {
		return nil, &CallbackError{"bad_body", "not UTF-8"}
	}
	text := string(body)
	read := readForm
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		read = readJSON
	}
	return read(text)
}

func checkFields(fields map[string]string, names bodyNames) error {
	for _, some := range [][]string{names.required, names.whole, {"appid", "t"}} {
		for _, name := range some {
			if fields[name] == "" {
				return &CallbackError{"bad_body", name + " is not there"}
			}
		}
	}
	for _, name := range names.whole {
		if !wholePattern.MatchString(fields[name]) {
			return &CallbackError{"bad_body", name + " is no whole number"}
		}
	}
	if !timePattern.MatchString(fields["t"]) {
		return &CallbackError{"bad_body", "t is no Unix time"}
	}
	return nil
}

func readJSON(text string) (map[string]string, error) {
	var values map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, &CallbackError{"bad_body", "not JSON"}
	}
	fields := make(map[string]string, len(values))
	for name, value := range values {
		text, isText := value.(string)
		// The sentences do not repeat what a stranger wrote: they may end up on a page.
		if !isText {
			return nil, &CallbackError{"bad_body", "a value is not a string"}
		}
		fields[name] = text
	}
	return fields, nil
}

// Not url.ParseQuery: it takes several of one name.
func readForm(text string) (map[string]string, error) {
	fields := map[string]string{}
	for _, pair := range strings.Split(text, "&") {
		escapedName, escapedValue, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(escapedName)
		value, valueErr := url.QueryUnescape(escapedValue)
		if nameErr != nil || valueErr != nil || !utf8.ValidString(name+value) {
			return nil, &CallbackError{"bad_body", "a malformed percent escape"}
		}
		if _, twice := fields[name]; twice {
			return nil, &CallbackError{"bad_body", "a name is there twice"}
		}
		fields[name] = value
	}
	return fields, nil
}

func decimalUSDT(amount int64) string {
	text := fmt.Sprintf("%d.%04d", amount/10000, amount%10000)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

func hmacSHA256(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

// RFC 3986; QueryEscape differs in the space alone.
func percentEncode(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func present(given map[string]string) map[string]string {
	for name, value := range given {
		if value == "" {
			delete(given, name)
		}
	}
	return given
}

func seconds(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(at.Unix(), 10)
}
