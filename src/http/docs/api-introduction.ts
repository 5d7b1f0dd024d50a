import { errorCodes } from '../../base/errors.ts'

/** What to know before the first call, as Markdown. */
export function apiIntroduction(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, retry, meaning }]) =>
      `| \`${code}\` | ${status} | ${meaning} | ${retry ? 'yes' : 'no'} |`,
  )
  return `${text}\n\n| code | HTTP | what it means | try again |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

const text = `
Every call is a \`POST\` of at most 16 KiB, JSON or form-encoded, UTF-8. Values are text. Every answer is
\`{"status":1,"data":{…}}\` or \`{"status":0,"err":"sentence","code":"stable_code"}\`: act on \`code\`, show \`err\` to a person.

## Signing

Every call carries \`appid\` and \`sign\`. With a key of the scheme \`hmac-sha256\`:

1. Take all parameters but \`sign\`, decoded, empty ones and unknown ones too, in ASCII order of their names.
2. Percent-encode names and values (RFC 3986: all but \`A-Z a-z 0-9 - . _ ~\`), join each pair by \`=\` and the pairs by \`&\`.
3. Put the endpoint's name (the path's last segment) and \`?\` in front.
4. \`sign\` is HMAC-SHA256 of that text under the key, upper-case hex.

With the older scheme \`sha1\`: names and values run together in the same order, the key after them, SHA-1, upper-case
hex. It signs neither the endpoint's name nor where a value ends: use it only for code that exists.

The examples below are signed with the key \`3f9c1e7ab2d84455a0c6e1f27d90b8aa\`.

## Amounts and times

Amounts are decimal USDT as text, at most 6 decimals; only a callback's \`amount\` (and \`body_amount\`, which quotes it) is
in 1/10000 USDT. Times are Unix seconds; of a span, \`from\` is included and \`to\` is not.

## Asking again

\`TraderRechargeorder\` is idempotent by \`orderid\`, for ever: the same parameters get the same answer. After a timeout, a
429 or a 5xx, send the very same request again.

## Errors

Some old clients lose the body on an error status: a merchant may be set to get its refusals with 200, \`bad_sign\`, 429
and every 5xx excepted.`
