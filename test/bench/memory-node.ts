import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { transferTopic } from '../../src/tron/transfer-log.ts'

// A child process of the bench: a node that answers from memory, every block 200 USDT transfers, of which `ours` go to
// assigned addresses. Blocks are made from one template, so that it spends little of the machine that is measured.
const transfersPerBlock = 200
const contract = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
const genesisTime = Date.UTC(2026, 0, 1)

const [ours, paidAddresses, head] = process.argv.slice(2).map(Number) as [number, number, number]
const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const hashOf = (height: number) => height.toString(16).padStart(16, '0') + digest(`bench ${height}`).slice(16)
const timeOf = (height: number) => genesisTime + height * 3000
/** The n-th assigned address, as the bench's SQL makes it: the first 20 bytes of SHA-256 of its number. */
const assigned = (n: number) => digest(`${n}`).slice(0, 40)
/** 64 hex digits, unique for block and position: the height stands in front. */
const txidOf = (height: number, index: number) => height.toString(16).padStart(8, '0') + txidTails[index]!
const txidTails = Array.from({ length: transfersPerBlock }, (_, index) => digest(`tx ${index}`).slice(8))

const topic = (address: string) => '0'.repeat(24) + address
const amount = (1_000_000).toString(16).padStart(64, '0')
/** Pieces of the infos between the places where height, time, id and recipient stand. */
function infosOf(height: number): string {
  const infos = Array.from({ length: transfersPerBlock }, (_, index) => {
    const to = index < ours ? assigned((height * ours + index) % paidAddresses) : strangers[index]!
    return (
      `{"log":[{"address":"${contract}","data":"${amount}","topics":["${transferTopic}","${topic(strangers[0]!)}","${topic(to)}"]}],` +
      `"blockNumber":${height},"contractResult":["${'0'.repeat(64)}"],"blockTimeStamp":${timeOf(height)},"fee":345000,` +
      `"receipt":{"result":"SUCCESS","energy_usage":64285,"energy_usage_total":64285,"net_usage":345},` +
      `"id":"${txidOf(height, index)}","contract_address":"41${contract}"}`
    )
  })
  return `[${infos.join(',')}]`
}
const strangers = Array.from({ length: transfersPerBlock }, (_, index) =>
  digest(`stranger ${index}`).slice(0, 40),
)

function blockOf(height: number): string {
  const transactions = Array.from({ length: transfersPerBlock }, (_, index) => {
    const owner = `41${strangers[0]}`
    return (
      `{"ret":[{"contractRet":"SUCCESS"}],"signature":["${'ab'.repeat(65)}"],"txID":"${txidOf(height, index)}",` +
      `"raw_data":{"contract":[{"parameter":{"value":{"data":"a9059cbb${topic(strangers[index]!)}${amount}","owner_address":"${owner}",` +
      `"contract_address":"41${contract}"},"type_url":"type.googleapis.com/protocol.TriggerSmartContract"},"type":"TriggerSmartContract"}],` +
      `"ref_block_bytes":"a1b2","ref_block_hash":"0011223344556677","expiration":${timeOf(height) + 60000},"fee_limit":100000000,"timestamp":${timeOf(height)}},` +
      `"raw_data_hex":"${'0a'.repeat(200)}"}`
    )
  })
  return `{"blockID":"${hashOf(height)}","block_header":${header(height)},"transactions":[${transactions.join(',')}]}`
}

function header(height: number): string {
  const number = height > 0 ? `"number":${height},` : ''
  return `{"raw_data":{${number}"txTrieRoot":"${digest(`root ${height}`)}","witness_address":"41${strangers[1]}","parentHash":"${hashOf(Math.max(0, height - 1))}","version":36,"timestamp":${timeOf(height)}},"witness_signature":"${'cd'.repeat(65)}"}`
}

let calls = 0 // Those of the bench itself, which asks for the count, left out.

const server = createServer((request, response) => {
  let body = ''
  request.on('data', chunk => {
    body += chunk
  })
  request.on('end', () => {
    calls++
    const { num } = JSON.parse(body || '{}') as { num?: number }
    const path = request.url!
    let text = '{}'
    if (path === '/bench/calls') text = JSON.stringify({ calls: --calls })
    else if (path.endsWith('getnowblock'))
      text = `{"blockID":"${hashOf(head)}","block_header":${header(head)}}`
    else if (num === 0) text = `{"blockID":"${hashOf(0)}","block_header":${header(0)}}`
    else if (num !== undefined && num > head) text = path.endsWith('getblockbynum') ? '{}' : '[]'
    else if (path.endsWith('getblockbynum')) text = blockOf(num!)
    else if (path.endsWith('gettransactioninfobyblocknum')) text = infosOf(num!)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  })
})
server.listen(0, '127.0.0.1', () => {
  process.send!({ port: (server.address() as AddressInfo).port })
})
