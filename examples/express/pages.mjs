import encodeQR from 'qr'

/** The form, and what the user has. @param user with balance in 1/10000 USDT. */
export function startPage(user, error = '') {
  return page(`
    <h1>Hello, ${escaped(user.name)}</h1>
    <p>Your balance: <b>${usdt(user.balance)} USDT</b></p>
    <form method="post" action="/top-ups">
      <label>Top up <input name="amount" inputmode="decimal" size="8" required> USDT</label>
      <button>Continue</button>
    </form>
    <p class="error">${escaped(error)}</p>`)
}

/** Where to pay, and what has come. It loads itself again. */
export function topUpPage(topUp) {
  const came = BigInt(topUp.booked) > 0n
  return page(
    `
    <h1>Pay ${escaped(topUp.amount)} USDT</h1>
    <p>to this address, on the network <b>TRON (TRC-20)</b>:</p>
    <p><code>${escaped(topUp.address)}</code></p>
    ${encodeQR(topUp.address, 'svg', { border: 4, scale: 4 })}
    <p>Send USDT on TRON only. Anything else sent to this address is lost.
       If you withdraw from an exchange, it must send ${escaped(topUp.amount)} USDT after its fee.</p>
    <p>${
      came
        ? `Received: <b>${usdt(topUp.booked)} USDT</b>. It is in <a href="/">your balance</a>.`
        : 'Nothing has come yet. It takes about a minute after you have paid.'
    }</p>`,
    5,
  )
}

/** The gateway gave no answer. The page asks again by itself, under the same orderid. */
export function waitPage() {
  return page('<h1>One moment</h1><p>The payment service does not answer. This page tries again.</p>', 10)
}

function page(body, refreshS) {
  const refresh = refreshS ? `<meta http-equiv="refresh" content="${refreshS}">` : ''
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">${refresh}
<title>Shop</title><style>body { font: 16px system-ui; max-width: 36em; margin: 2em auto; padding: 0 1em }
code { font-size: 110%; overflow-wrap: anywhere } svg { width: 12em; background: #fff } .error { color: #b00 }</style>
</head><body>${body}</body></html>`
}

/** @param units 1/10000 USDT, as text. @returns decimal USDT: '3.0001'. */
function usdt(units) {
  const digits = String(units).padStart(5, '0')
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`.replace(/\.?0+$/, '')
}

function escaped(text) {
  return String(text).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
