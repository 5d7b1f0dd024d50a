import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { transferTopic } from '../../src/tron/transfer-log.ts'

// A child process of the bench: a node that answers from memory, every block 200 USDT transfers, of which `ours` go to
// assigned addresses and the others to strangers, other ones in every block. A block is one template, made once, with its
// fixed-width numbers, ids and recipients patched in: what this process spends is missing on the side that is measured.
const transfersPerBlock = 200
const contract = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
/** Eight digits, as every height after it: widths do not change. */
const firstHeight = 10_000_000
const firstTimeMs = 1_767_225_600_000

const [ours, paidAddresses, blocks] = process.argv.slice(2).map(Number) as [number, number, number]
const head = firstHeight + blocks
const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const hashOf = (height: number) => height.toString(16).padStart(16, '0') + digest(`bench ${height}`).slice(16)
const timeOf = (height: number) => firstTimeMs + (height - firstHeight) * 3000
/** The n-th assigned address, as the bench's SQL makes it: the first 20 bytes of SHA-256 of its number. */
const assigned = (n: number) => digest(`${n}`).slice(0, 40)
/** As many as are paid in some three hundred blocks before one of them is paid again. */
const strangers = Array.from({ length: 65_537 }, (_, index) => digest(`stranger ${index}`).slice(0, 40))
const recipientAt = (height: number, index: number) => {
  const position = (height - firstHeight) * (index < ours ? ours : transfersPerBlock) + index
  return index < ours ? assigned(position % paidAddresses) : strangers[position % strangers.length]!
}
const topic = (address: string) => '0'.repeat(24) + address
const amount = (1_000_000).toString(16).padStart(64, '0')

// Marks in the templates, each as wide as what takes its place.
const marks = {
  height: '@HEIGHT@',
  time: '@@@@TIME@@@@@',
  prefix: '@PREFIX@',
  hash: `@HASH${'@'.repeat(59)}`,
  parent: `@PARENT${'@'.repeat(57)}`,
}
const txid = (index: number) => marks.prefix + digest(`tx ${index}`).slice(8)
const header =
  `{"raw_data":{"number":${marks.height},"txTrieRoot":"${digest('root')}","witness_address":"41${strangers[1]}",` +
  `"parentHash":"${marks.parent}","version":36,"timestamp":${marks.time}},"witness_signature":"${'cd'.repeat(65)}"}`
const transactions = Array.from(
  { length: transfersPerBlock },
  (_, index) =>
    `{"ret":[{"contractRet":"SUCCESS"}],"signature":["${'ab'.repeat(65)}"],"txID":"${txid(index)}",` +
    `"raw_data":{"contract":[{"parameter":{"value":{"data":"a9059cbb${topic(strangers[index]!)}${amount}","owner_address":"41${strangers[0]}",` +
    `"contract_address":"41${contract}"},"type_url":"type.googleapis.com/protocol.TriggerSmartContract"},"type":"TriggerSmartContract"}],` +
    `"ref_block_bytes":"a1b2","ref_block_hash":"0011223344556677","expiration":${marks.time},"fee_limit":100000000,"timestamp":${marks.time}},` +
    `"raw_data_hex":"${'0a'.repeat(200)}"}`,
)
const infos = Array.from(
  { length: transfersPerBlock },
  (_, index) =>
    `{"log":[{"address":"${contract}","data":"${amount}","topics":["${transferTopic}","${topic(strangers[0]!)}","${topic(`@TO${String(index).padStart(37, '@')}`)}"]}],` +
    `"blockNumber":${marks.height},"contractResult":["${'0'.repeat(64)}"],"blockTimeStamp":${marks.time},"fee":345000,` +
    `"receipt":{"result":"SUCCESS","energy_usage":64285,"energy_usage_total":64285,"net_usage":345},` +
    `"id":"${txid(index)}","contract_address":"41${contract}"}`,
)
const headTemplate = template(`{"blockID":"${marks.hash}","block_header":${header}}`)
const blockTemplate = template(
  `{"blockID":"${marks.hash}","block_header":${header},"transactions":[${transactions.join(',')}]}`,
)
const infosTemplate = template(`[${infos.join(',')}]`)

/** A text as bytes, with where each mark stands in it; a recipient's mark tells whose transfer it is. */
function template(text: string) {
  const places = [
    ...text.matchAll(/@HEIGHT@|@@@@TIME@@@@@|@PREFIX@|@HASH@{59}|@PARENT@{57}|@TO@*(\d+)/g),
  ].map(([mark, index], n, all) => ({ at: all[n]!.index, mark, index: Number(index) }))
  return { bytes: Buffer.from(text, 'latin1'), places }
}

function fill({ bytes, places }: ReturnType<typeof template>, height: number): Buffer {
  const values: Record<string, string> = {
    [marks.height]: `${height}`,
    [marks.time]: `${timeOf(height)}`,
    [marks.prefix]: height.toString(16).padStart(8, '0'),
    [marks.hash]: hashOf(height),
    [marks.parent]: hashOf(height - 1),
  }
  const filled = Buffer.from(bytes)
  for (const { at, mark, index } of places) {
    filled.write(values[mark] ?? recipientAt(height, index), at, 'latin1')
  }
  return filled
}

let calls = 0 // Those of the bench itself, which asks for the figures, left out.

const server = createServer((request, response) => {
  let body = ''
  request.on('data', chunk => {
    body += chunk
  })
  request.on('end', () => {
    calls++
    const { num, detail } = JSON.parse(body || '{}') as { num?: number; detail?: boolean }
    const path = request.url!
    let answer: Buffer = Buffer.from('{}')
    if (path === '/bench/figures') {
      const { user, system } = process.cpuUsage()
      answer = Buffer.from(JSON.stringify({ calls: --calls, cpuMs: (user + system) / 1000 }))
    } else if (path.endsWith('getnowblock') || detail === false) answer = fill(headTemplate, head)
    else if (num === 0) answer = Buffer.from(genesis)
    else if (num !== undefined && num > head)
      answer = Buffer.from(path.endsWith('getblockbynum') ? '{}' : '[]')
    else if (path.endsWith('getblockbynum')) answer = fill(blockTemplate, num!)
    else if (path.endsWith('gettransactioninfobyblocknum')) answer = fill(infosTemplate, num!)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
    response.end(answer)
  })
})
const genesis = fill(headTemplate, firstHeight)
  .toString('latin1')
  .replace(`"number":${firstHeight},`, '')
  .replace(hashOf(firstHeight), '0'.repeat(64))
server.listen(0, '127.0.0.1', () => {
  process.send!({
    port: (server.address() as AddressInfo).port,
    first: { height: firstHeight, hash: hashOf(firstHeight) },
  })
})
