import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { waitUntil } from '../../support/wait-until.ts'
import { openShop } from './shop.ts'

const shop = await openShop()
const { createOrder } = shop

interface Change {
  id: string
  html: string
}

/** Reads an order's events until the test ends. */
async function listen(payUrl: string, headers: Record<string, string> = {}, query = '') {
  const leaving = new AbortController()
  after(() => leaving.abort())
  const response = await fetch(`${payUrl}/events${query}`, { headers, signal: leaving.signal })
  const changes: Change[] = []
  const state = { text: '', ended: false }
  const reading = async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) {
      state.text += decoder.decode(chunk, { stream: true })
      const events = state.text.split('\n\n')
      state.text = events.pop()!
      for (const event of events) {
        const [, id] = /^id: (.*)$/m.exec(event) ?? []
        const [, data] = /^data: (.*)$/m.exec(event) ?? []
        if (event.includes('event: change')) changes.push({ id: id!, html: JSON.parse(data!).html })
      }
    }
    state.ended = true
  }
  if (response.ok) reading().catch(() => undefined)
  return { response, changes, leave: () => leaving.abort(), hasEnded: () => state.ended }
}

const stateOf = (html: string) => /data-state="(\w+)"/.exec(html)?.[1]
const versionOf = (html: string) => /data-version="([^"]+)"/.exec(html)![1]!
const press = (payUrl: string, what: string) =>
  fetch(`${payUrl}/sandbox`, { method: 'POST', body: new URLSearchParams({ what }), redirect: 'manual' })

test('the link leads to where the API listens, when nothing else is set', async () => {
  const { pay_url } = await createOrder('sh-url')
  assert(pay_url.startsWith(`${shop.apiUrl}/pay/`), pay_url)
})

test('a page follows its order from waiting to paid, and is told what it missed', async () => {
  const { pay_url, address } = await createOrder('sh-live')
  const page = await (await fetch(pay_url)).text()
  const live = await listen(pay_url, {}, `?v=${versionOf(page)}`)
  assert.match(live.response.headers.get('content-type')!, /^text\/event-stream/)
  assert.equal(live.response.headers.get('cache-control'), 'no-store')
  const pressed = await press(pay_url, 'half')
  assert.equal(pressed.status, 303)
  await waitUntil('half is credited', () => live.changes.some(({ html }) => stateOf(html) === 'underpaid'))
  // What the page shows already is not sent again.
  const ids = live.changes.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  live.leave()
  await shop.pay(address, '5')
  const again = await listen(pay_url, { 'last-event-id': ids.at(-1)! })
  await waitUntil('it is paid', () => again.changes.some(({ html }) => stateOf(html) === 'paid'))
  // One that knows the last state is sent nothing.
  const last = again.changes.at(-1)!.id
  await waitUntil(
    'nothing changes any more',
    async () => versionOf(await (await fetch(pay_url)).text()) === last,
  )
  const idle = await listen(pay_url, { 'last-event-id': last })
  await waitUntil('another page has looked', async () => {
    const other = await listen(pay_url)
    await waitUntil('it is told', () => other.changes.length === 1)
    other.leave()
    return true
  })
  assert.deepEqual(idle.changes, [])
})

for (const [what, state] of [
  ['double', 'overpaid'],
  ['late', 'paid'],
] as const) {
  test(`the sandbox's button pays ${what}`, async () => {
    const { pay_url } = await createOrder(`sh-${what}`)
    await press(pay_url, what)
    await waitUntil(`it is ${state}`, async () => stateOf(await (await fetch(pay_url)).text()) === state)
  })
}

test('a client has so many streams and no more, and has them again when it leaves', async () => {
  const { pay_url } = await createOrder('sh-many')
  const open = await Promise.all(Array.from({ length: 64 }, () => listen(pay_url)))
  assert(open.every(({ response }) => response.ok))
  const refused = await fetch(`${pay_url}/events`)
  assert.equal(refused.status, 429)
  assert(refused.headers.get('retry-after'))
  assert.equal((await fetch(pay_url)).status, 200, 'the page itself is served')
  for (const { leave } of open) leave()
  await waitUntil('there is room again', async () => {
    const one = await listen(pay_url)
    const { ok } = one.response
    one.leave()
    return ok
  })
})
