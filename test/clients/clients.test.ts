import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { callCases } from './call-cases.ts'
import { appid, callbackCases, recordedCallbacks } from './callback-cases.ts'
import { payAnOrder, payBySha1 } from './client-flow.ts'
import { callLine, drive, verifyLine } from './drive.ts'
import { clients, type Kit, languages, noPhpCurl, openKit } from './kits.ts'
import { startPlayedGateway } from './played-gateway.ts'
import { checkRealAnswers } from './real-answers.ts'
import { startRunningGateway } from './running-gateway.ts'
import { seed, strangerCases } from './stranger-cases.ts'

const run = promisify(execFile)
const running = await startRunningGateway()
test('the vectors of the kit are those the gateway is tested with', async () => {
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'))
  const kit = await read(join(clients, 'signature-vectors.json'))
  const gateway = await read(join(import.meta.dirname, '../merchants/signature-vectors.json'))
  const courier = await read(join(import.meta.dirname, '../callbacks/sending/callback-vectors.json'))
  assert.deepEqual([kit.key, kit.vectors], [gateway.key, gateway.vectors])
  const { about: _, ...webhooks } = kit.standard_webhooks
  assert.deepEqual(webhooks, courier.standard_webhooks)
})

for (const language of languages) {
  suite(`the ${language.name} client`, { skip: language.skip }, () => {
    let kit: Kit
    before(async () => {
      kit = await openKit(language)
    })
    after(() => kit.remove())

    test('signs and verifies the vectors', async () => {
      const [program, ...args] = kit.vectors
      // Of this very run it is not to know: node's test runner would not run within itself.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env
      await run(program!, args, { cwd: kit.folder, env })
    })

    test('believes the callbacks that are to be believed, and no others', async () => {
      const answers = await drive(
        kit,
        callbackCases.map(([, given]) => verifyLine(appid, given)),
      )
      const told = answers.map((answer, i) => [callbackCases[i]?.[0], answer])
      assert.deepEqual(
        told,
        callbackCases.map(([fact, , answer]) => [fact, answer]),
      )
    })

    test('whatever bytes a stranger posts, it refuses them with its own error', () => checkStrangers(kit))

    test('asks, repeats what may be repeated, and tells what is wrong', () => checkCalls(kit))

    for (const [format, fields] of [
      ['form', 'six'],
      ['json', 'full'],
    ] as const) {
      test(`its README's programs: an order, its payment, its callback as ${format} of ${fields}`, () =>
        payAnOrder(running, kit, { format, fields }))
    }

    test('an order under a sha1 key, its payment, its callback', () => payBySha1(running, kit))

    if (language.name === 'typescript') {
      test('has the types of what the gateway answers', () => checkRealAnswers(running, kit))
    }

    if (language.name === 'php') {
      test('does the same by curl', { skip: noPhpCurl() }, () =>
        checkCalls({ ...kit, drive: ['php', 'drive.php', 'curl'] }),
      )
    }
  })
}

const callbackCodes =
  'missing_header|bad_signature|stale_timestamp|bad_body|bad_sign|wrong_appid|no_signed_key'
const refusal = new RegExp(`^refused\t(${callbackCodes})$`)

const strangers = strangerCases(2_000)
const strangerLines = strangers.map(({ given }) => verifyLine(appid, given))

async function checkStrangers(kit: Kit): Promise<void> {
  const recorded = recordedCallbacks.map(({ given }) => verifyLine(appid, given))
  const answers = await drive(kit, [...recorded, ...strangerLines])
  // What was seen is believed as it was; so a refusal below is for what was changed.
  const expected = recordedCallbacks.map(({ believed }) => believed)
  assert.deepEqual(answers.splice(0, recorded.length), expected)
  assert.equal(answers.length, strangers.length)
  const wrong = strangers.flatMap(({ fact, believed }, i) =>
    refusal.test(answers[i]!) || answers[i] === believed
      ? []
      : [{ fact, answer: answers[i], line: strangerLines[i]!.slice(0, 2_000) }],
  )
  assert.deepEqual(wrong, [], `SEED=${seed}: ${wrong.length} of ${strangers.length}`)
}

async function checkCalls(kit: Kit): Promise<void> {
  const played = await startPlayedGateway()
  const lines = callCases.map(({ behaviour, appid, asked }, i) =>
    callLine(appid, { ...asked, url: `${played.url}/${behaviour}.${i}`, key: played.key }),
  )
  const answers = await drive(kit, lines)
  const told = answers.map((answer, i) => [
    callCases[i]?.fact,
    played.requests.get(`${i}`)?.length ?? 0,
    answer,
  ])
  assert.deepEqual(
    told,
    callCases.map(({ fact, requests, answer }) => [fact, requests, answer]),
  )
  for (const [number, repeated] of played.requests) {
    const { fact, asked } = callCases[Number(number)]!
    for (const parameters of repeated) {
      const told = Object.keys(asked.parameters).map(name => [name, parameters[name]])
      assert.deepEqual(Object.fromEntries(told), asked.parameters, fact)
    }
    assert.equal(new Set(repeated.map(({ nonce }) => nonce)).size, repeated.length, 'a fresh nonce each')
  }
}
