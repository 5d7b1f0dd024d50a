import { errorCodes } from '../../base/errors.ts'

/** Writes the table of errors, as Markdown. */
export function errorTable(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, retry, meaning }]) =>
      `| \`${code}\` | ${status} | ${meaning} | ${retry ? 'yes' : 'no'} |`,
  )
  return `Your code decides by \`code\`.\n\n| code | HTTP | what it means | try again |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

/** The introduction of the API document, as Markdown. */
export const apiIntroduction = `
Every request is a \`POST\` of at most 16 KiB, JSON or form-encoded, in UTF-8. All values are text. Every answer is
\`{"status":1,"data":{…}}\` or \`{"status":0,"err":"sentence","code":"stable_code"}\`. Your code decides by \`code\`; \`err\` is for
people to read. Every answer has the header \`x-request-id\`: quote it when you ask the operator about a request.

## Signing

Every request has \`appid\` and \`sign\`. With a key of the scheme \`hmac-sha256\`:

1. Take all parameters except \`sign\`, decoded, including empty and unknown ones, in ASCII order of their names.
2. Percent-encode names and values (RFC 3986: all but \`A-Z a-z 0-9 - . _ ~\`). Join each name and value with \`=\`, and the pairs with \`&\`.
3. Put the endpoint's name (the path's last segment) and \`?\` in front.
4. \`sign\` is HMAC-SHA256 of that text under the key, upper-case hex.

With the older scheme \`sha1\`, \`sign\` is SHA-1, in upper-case hex, of all names and values in the same order, without
separators, followed by the key. It signs neither the endpoint's name nor where a value ends: use it only for existing code.

The examples below are signed with the key \`3f9c1e7ab2d84455a0c6e1f27d90b8aa\`. On a sandbox, the curl
commands are signed with the first merchant's own key: run them as they are, from top to bottom.

## Amounts and times

Amounts are decimal USDT as text, with at most 6 decimals. Only a callback's \`amount\` (and \`body_amount\`, which quotes it)
is in 1/10000 USDT. Times are Unix seconds; \`from\` is inclusive, \`to\` is exclusive.

## Retries

\`TraderRechargeorder\` is idempotent by \`orderid\`, permanently: the same parameters get the same answer. After a timeout, a
429 or a 5xx, send the same request again.

## Errors

Every code is at the end of this page, and with each endpoint that may answer it. Some old clients lose the body on an error
status. A merchant can be set to get refusals with HTTP 200. Even then, \`bad_sign\`, 429 and every 5xx keep their HTTP status.`
