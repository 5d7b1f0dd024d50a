// A shop whose users top up their balance with USDT.
import { randomUUID } from 'node:crypto'
import express from 'express'
import { CallbackError, GatewayError, openGateway, verifyCallback } from 'recharge-gateway-client'
import { startPage, topUpPage, waitPage } from './pages.mjs'
import { openStore } from './store.mjs'

for (const name of ['GATEWAY_URL', 'APPID', 'MERCHANT_KEY', 'WEBHOOK_SECRET', 'DATABASE_URL']) {
  if (!process.env[name]) throw new Error(`${name} is not set`)
}
const { GATEWAY_URL: url, APPID: appid, MERCHANT_KEY: key, WEBHOOK_SECRET: webhookSecret } = process.env
const { DATABASE_URL: databaseUrl, PORT: port = '8000' } = process.env
// Where the gateway reaches this shop.
const { SHOP_URL: shopUrl = `http://127.0.0.1:${port}` } = process.env

// A user waits for the page, so there is one attempt: the page makes the next one.
const gateway = openGateway({ url, appid, key, retries: 0, timeoutMs: 5_000 })
const store = await openStore(databaseUrl)
// Your session says who it is.
const userId = '42'

const app = express()
app.disable('x-powered-by')

// The raw body, whatever its content-type: what is signed is the bytes. Keep app-wide parsers below this route.
app.post(
  '/recharge-callback',
  express.raw({ type: () => true, limit: '64kb' }),
  async (request, response) => {
    const callback = await verifyCallback(request.body, request.headers, { appid, webhookSecret, key })
    if (!callback.isTest && (await store.book(callback))) {
      console.log(`booked ${callback.amountUsdt} USDT for ${callback.orderid}`)
    }
    // Only now: a 2xx ends the gateway's attempts.
    response.type('text').send('success')
  },
)

app.get('/', async (_request, response) => {
  response.send(startPage(await store.findUser(userId)))
})

app.post('/top-ups', express.urlencoded({ limit: '4kb' }), async (request, response) => {
  const amount = request.body?.amount
  if (typeof amount !== 'string' || !/^[1-9]\d{0,5}(\.\d{1,4})?$/.test(amount)) {
    const sentence = 'Enter an amount from 1 to 999999, such as 25 or 3.5'
    response.status(400).send(startPage(await store.findUser(userId), sentence))
    return
  }
  // It is kept before the gateway is asked, so a request without an answer is repeated with the same orderid.
  const id = randomUUID()
  await store.addTopUp(id, userId, amount)
  response.redirect(303, `/top-ups/${id}`)
})

app.param('id', (_request, _response, next, id) => next(/^[0-9a-f-]{36}$/.test(id) ? undefined : 'route'))
app.get('/top-ups/:id', async (request, response) => {
  const topUp = await store.findTopUp(request.params.id, userId)
  if (!topUp) {
    response.sendStatus(404)
    return
  }
  topUp.address ??= await orderAddress(topUp)
  if (topUp.address) response.send(topUpPage(topUp))
  else response.status(503).send(waitPage())
})

/** Creates the order, once: the same orderid always gets the same answer. @returns null when there was none. */
async function orderAddress({ id, amount }) {
  const { name } = await store.findUser(userId)
  try {
    const { address } = await gateway.createOrder({
      username: name,
      localusermark: userId,
      orderid: id,
      amount,
      notify_url: `${shopUrl}/recharge-callback`,
    })
    await store.setAddress(id, address)
    return address
  } catch (error) {
    if (!(error instanceof GatewayError) || !error.retryable) throw error
    console.error(`${error.message}`)
    return null
  }
}

app.use((error, _request, response, _next) => {
  const status = error instanceof CallbackError ? 400 : (error.status ?? 500)
  if (status >= 500) console.error(error)
  response.status(status).type('text')
  response.send(status >= 500 ? 'internal error' : error.message)
})

app.listen(Number(port), '127.0.0.1', error => {
  if (error) throw error
  console.log(`the shop is at http://127.0.0.1:${port}`)
})
