import type { SandboxChain } from '../../src/sandbox/chain/sandbox-chain.ts'
import { sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import type { ToldLie } from './random-liar.ts'
import { aloneAmount } from './random-lies.ts'

/** A transfer: recorded by the gateway, or true on the chain. */
export interface JudgedTransfer {
  txid: string
  logIndex: number
  to: string
  /** In base units. */
  amount: bigint
  height: number
}

export interface RecordedTransfer extends JudgedTransfer {
  /** Rows in `credit`. */
  credits: number
  /** Whether it is taken, and waits for an order. */
  isWaiting: boolean
}

/** What a gateway may believe in a run. */
export interface RunPolicy {
  /** How many hosts are configured. */
  hosts: number
  /** Whether another host is asked for the logs of contracts' calls that pay nobody by the first one's. */
  comparesLogs: boolean
  /** What was told by its liars. */
  told: readonly ToldLie[]
  /** Whether a transaction calls the token itself: its sender signed what it pays. */
  isDirect(txid: string): boolean
}

/** What a run came to: each line a sentence. */
export interface Judgement {
  /** Credited, not true, and more than one host's word is taken for. */
  falselyCredited: string[]
  /** True, and not credited although it can be known. */
  lost: string[]
  doubled: string[]
  /** False, and credited by the only host's word, as the policy allows. */
  byOneWord: string[]
  /** True and not credited: the node that was asked hid it inside a contract's call, or the only one put another in its place. */
  unknowable: string[]
}

const units = 1_000_000n
export const aloneUnits = BigInt(aloneAmount) * units

/**
 * Compares what a gateway recorded with what is true, by what it could know.
 *
 * With one host: a false transfer of at most CREDIT_ALONE_AMOUNT may be credited, in the place of a true one too.
 * With two or more, of which no two tell the same lie: nothing false, and everything true.
 * What a node hides inside a contract's call can be known from another node only, since logs are committed to nowhere.
 */
export function judgeRun(
  truth: readonly JudgedTransfer[],
  recorded: readonly RecordedTransfer[],
  policy: RunPolicy,
): Judgement {
  const found: Judgement = { falselyCredited: [], lost: [], doubled: [], byOneWord: [], unknowable: [] }
  const isAlone = policy.hosts === 1
  const true_ = new Map(truth.map(transfer => [whole(transfer), transfer]))
  const places = new Map<string, RecordedTransfer>()
  for (const transfer of recorded) {
    if (transfer.credits === 0 && !transfer.isWaiting) continue
    places.set(place(transfer), transfer)
    if (transfer.credits > 1) found.doubled.push(`${said(transfer)} is credited ${transfer.credits} times`)
    if (true_.delete(whole(transfer))) continue
    const isAllowed = isAlone && transfer.amount <= aloneUnits
    found[isAllowed ? 'byOneWord' : 'falselyCredited'].push(`${said(transfer)} is not on the chain`)
  }
  for (const transfer of true_.values()) {
    const other = places.get(place(transfer))
    const isReplaced = isAlone && other !== undefined && other.amount <= aloneUnits
    const isHidden =
      !policy.comparesLogs && !policy.isDirect(transfer.txid) && policy.told.some(hidesLogs(transfer))
    found[isReplaced || isHidden ? 'unknowable' : 'lost'].push(`${said(transfer)} is not credited`)
  }
  return found
}

/** Tells whether a run shows what must not be. */
export function isSound({ falselyCredited, lost, doubled }: Judgement): boolean {
  return falselyCredited.length + lost.length + doubled.length === 0
}

/** Tells which transactions of a chain call the token itself. */
export function directCalls(chain: SandboxChain): RunPolicy['isDirect'] {
  return txid => {
    const transaction = chain.blockOf(txid)?.transactions.find(({ id }) => id === txid)
    return transaction?.raw !== undefined && transaction.contract === sandboxAddresses.usdt
  }
}

/** Lies by which a block that holds in all else shows too little of a contract's call. */
function hidesLogs({ height }: JudgedTransfer) {
  const names = new Set<ToldLie['name']>(['hidden log', 'changed amount', 'changed recipient'])
  return ({ name, heights }: ToldLie) => names.has(name) && height >= heights.from && height <= heights.to
}

function place({ txid, logIndex }: JudgedTransfer): string {
  return `${txid} ${logIndex}`
}

function whole(transfer: JudgedTransfer): string {
  return `${place(transfer)} ${transfer.to} ${transfer.amount}`
}

function said({ txid, logIndex, to, amount, height }: JudgedTransfer): string {
  return `${amount} to ${to} in block ${height}, transaction ${txid}, log ${logIndex},`
}
