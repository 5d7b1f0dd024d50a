import { addressFromHex, addressToHex } from '../../tron/address.ts'
import type { ListedProducer, Producer } from '../chain/producers.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import { contractRet } from '../chain/transaction-bytes.ts'
import type { SandboxTransaction } from '../chain/transaction-facts.ts'

// JSON as java-tron writes it from protobuf: fields at their default (0, "", an empty list) are left out.

/** Writes a block without its transactions. */
export function headerJson({ id, header, signature }: SandboxBlock): object {
  return {
    blockID: id,
    block_header: { raw_data: header, ...(signature !== '' && { witness_signature: signature }) },
  }
}

/** Writes a block with its transactions. Without any, the key `transactions` is missing. */
export function blockJson(block: SandboxBlock): object {
  const { transactions } = block
  return {
    ...headerJson(block),
    ...(transactions.length > 0 && { transactions: transactions.map(transactionJson) }),
  }
}

/** Writes a transaction of a block. Fields of its result that java-tron does not know are not shown, as on real nodes. */
function transactionJson({ id, raw, signatures, ...facts }: SandboxTransaction): object {
  return {
    ret: [{ contractRet: contractRet(facts) }],
    ...(signatures && { signature: signatures }),
    txID: id,
    // A transaction given by its facts has no raw data.
    ...(raw && { raw_data: raw.data, raw_data_hex: raw.hex }),
  }
}

/** Writes the info of one transaction of a block. */
export function transactionInfoJson(block: SandboxBlock, transaction: SandboxTransaction): object {
  const { id, contract, result, logs } = transaction
  const failed = result !== undefined && result !== 'SUCCESS'
  return {
    id,
    blockNumber: block.height,
    blockTimeStamp: block.timeMs,
    contractResult: [contract && !failed ? '0'.repeat(64) : ''],
    ...(contract && { contract_address: `41${addressToHex(contract)}` }),
    receipt: contract
      ? { energy_usage: 64_285, energy_usage_total: 64_285, net_usage: 345, ...(result && { result }) }
      : { net_usage: 271 },
    ...(logs.length > 0 && { log: logs }),
    ...(failed && {
      result: 'FAILED',
      resMessage: Buffer.from(`the call ended with ${result}`).toString('hex'),
    }),
  }
}

/** Writes producers and candidates. Only the elected have `isJobs`. */
export function witnessesJson(witnesses: readonly ListedProducer[]): object {
  return { witnesses: witnesses.map(({ isJobs, ...rest }) => ({ ...rest, ...(isJobs && { isJobs }) })) }
}

/** Writes a producer's account. */
export function producerAccountJson({ address, signer, hasPermission }: Producer): object {
  const own = { threshold: 1, keys: [{ address, weight: 1 }] }
  return {
    address,
    is_witness: true,
    ...(hasPermission && {
      owner_permission: { permission_name: 'owner', ...own },
      witness_permission: {
        type: 'Witness',
        id: 1,
        permission_name: 'witness',
        threshold: 1,
        keys: [{ address: signer.address, weight: 1 }],
      },
      active_permission: [
        {
          type: 'Active',
          id: 2,
          permission_name: 'active',
          operations: '7fff1fc0033efb0f000000000000000000000000000000000000000000000000',
          ...own,
        },
      ],
    }),
  }
}

/** Writes the node's heights, as getnodeinfo reports them. */
export function nodeInfoJson(head: SandboxBlock, solid: SandboxBlock): object {
  const named = ({ height, id }: SandboxBlock) => `Num:${height},ID:${id}`
  return {
    beginSyncNum: solid.height,
    block: named(head),
    solidityBlock: named(solid),
    configNodeInfo: { codeVersion: 'sandbox' },
  }
}

/** Fields that hold an address: 41 and 40 hex digits, or in a log without the 41. */
const addressFields = new Set([
  'address',
  'owner_address',
  'contract_address',
  'witness_address',
  'to_address',
])

/** Rewrites an answer as java-tron does with `visible=true`: addresses in base58. */
export function visibleJson(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) return value.map(item => visibleJson(item))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visibleJson(item, key)]))
  }
  const hex = addressFields.has(field) ? /^(?:41)?([0-9a-f]{40})$/.exec(`${value}`)?.[1] : undefined
  return hex === undefined ? value : addressFromHex(hex)
}
