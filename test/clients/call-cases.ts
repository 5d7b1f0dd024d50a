import type { CallCase } from './drive.ts'

type Asked = Omit<CallCase, 'url' | 'key'>

const order = { username: 'a123456', localusermark: '1', orderid: 'sh-1', amount: '3.5' }
const hostile = { username: "用户 é+~!*'()", localusermark: 'm/1=2&3%' }
const created = 'ok\tcz-7773c1e05b7d4a0c9a51e2b8dfc698d2\tTWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6\t1662386238'

type Row = readonly [fact: string, behaviour: string, asked: Partial<Asked>, requests: number, answer: string]

// biome-ignore format: a table.
const rows: readonly Row[] = [
  ['newAddress', 'wire', { endpoint: 'newAddress', parameters: hostile }, 1, 'ok\tTWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'],
  ['finduseraddress', 'wire', { endpoint: 'finduseraddress', parameters: hostile }, 1, 'ok\tTWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6\t0\t0'],
  ['TraderRechargeorder', 'wire', {}, 1, created],
  ['findorder', 'wire', { endpoint: 'findorder', parameters: { orderid: 'sh-1' } }, 1, 'ok\toverpaid\t3.00005\tfalse\t64072148\t1\tcb_0123456789abcdef0123456789abcdef'],
  ['findorder by ordersn', 'wire', { endpoint: 'findorder', parameters: { ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2' } }, 1, 'ok\toverpaid\t3.00005\tfalse\t64072148\t1\tcb_0123456789abcdef0123456789abcdef'],
  ['orders', 'wire', { endpoint: 'orders', parameters: { from: '1662299838', state: 'overpaid' } }, 1, 'ok\t1\tsh-1\ttrue'],
  ['resendcallback', 'wire', { endpoint: 'resendcallback', parameters: { orderid: 'sh-1' } }, 1, 'ok\t1\t0'],
  ['testcallback', 'wire', { endpoint: 'testcallback', parameters: {} }, 1, 'ok\ttrue\t200\ttrue'],
  ['statement', 'wire', { endpoint: 'statement', parameters: { from: '1662299838', to: '1662386238' } }, 1, 'ok\t2026-11-22\t12.5\t0.5'],
  ['transfers', 'wire', { endpoint: 'transfers', parameters: { txid: `0x${'9F'.repeat(32)}`, state: 'credited' } }, 1, 'ok\tcredited\tsh-1\ttrue\t2'],
  ['a gateway that is busy once', 'busy-once', {}, 2, created],
  ['a gateway that fails once', 'broken-once', {}, 2, created],
  ['a connection that is reset once', 'reset-once', {}, 2, created],
  ['an answer that breaks off once', 'cut-once', {}, 2, created],
  ['a gateway that stays busy, after two repetitions', 'busy-always', {}, 3, 'refused\tnot_ready\t503\t-\ttrue'],
  ['one that is limited for an hour is told so at once', 'limited', {}, 1, 'refused\trate_limited\t429\t3600\ttrue'],
  ["a proxy's page", 'page', { retries: 1 }, 2, 'refused\tbad_answer\t502\t-\ttrue'],
  ['an answer that is no envelope', 'nonsense', {}, 1, 'refused\tbad_answer\t200\t-\tfalse'],
  ['an answer without data', 'no-data', {}, 1, 'refused\tbad_answer\t200\t-\tfalse'],
  ['an answer whose data is null', 'null-data', {}, 1, 'refused\tbad_answer\t200\t-\tfalse'],
  ['an answer whose data is a text', 'text-data', {}, 1, 'refused\tbad_answer\t200\t-\tfalse'],
  ['a refusal whose code is a number', 'odd-code', {}, 1, 'refused\tbad_answer\t200\t-\tfalse'],
  ['a refusal whose sentence is an object', 'odd-err', {}, 1, 'refused\tbad_answer\t200\t-\tfalse'],
  ['an answer half a million deep', 'deep-answer', {}, 1, 'refused\tbad_answer\t200\t-\tfalse'],
  ['a refusal is not repeated', 'refused', {}, 1, 'refused\tbad_amount\t400\t-\tfalse'],
  ['a refusal that comes with 200', 'always-200', {}, 1, 'refused\torderid_conflict\t200\t-\tfalse'],
  ['a redirect is not followed', 'redirect', {}, 1, 'refused\tbad_answer\t302\t-\tfalse'],
  ['silence has an end', 'silent', { retries: 0, timeoutMs: 1_000 }, 1, 'refused\tno_answer\t0\t-\ttrue'],
]

const usual: Asked = {
  scheme: 'hmac-sha256',
  retries: 2,
  timeoutMs: 10_000,
  endpoint: 'TraderRechargeorder',
  parameters: order,
}

/** What a client is asked, of a gateway that behaves how, how often it is to ask it, and what it has to say. */
export const callCases = (['hmac-sha256', 'sha1'] as const).flatMap(scheme =>
  rows
    .map(([fact, behaviour, asked, requests, answer]) => ({
      fact: `${fact}, ${scheme}`,
      behaviour,
      appid: scheme,
      asked: { ...usual, ...asked, scheme },
      requests,
      answer,
    }))
    .filter(({ behaviour }) => scheme === 'hmac-sha256' || behaviour === 'wire'),
)
