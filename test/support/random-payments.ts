import { usdt } from '../../src/base/money.ts'
import { type CallLog, callLogKinds, makeCall } from '../../src/sandbox/chain/sandbox-calls.ts'
import type { SandboxChain } from '../../src/sandbox/chain/sandbox-chain.ts'
import { failures, makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import type { SeededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { SandboxTransaction } from '../../src/sandbox/chain/transaction-facts.ts'
import { addressFromBytes, type TronAddress } from '../../src/tron/address.ts'

/** Every kind of transaction that pays, or looks as if it did. Whatever it is, the chain's truth says what it came to. */
const kinds = [
  'pays',
  'pays',
  'pays',
  'pays a stranger',
  'dust',
  'zero',
  'through a contract',
  'pays several',
  'mixed logs',
  'lookalike',
  'failed',
] as const

/**
 * Makes a random transaction for the next block.
 * @param addresses who may be paid; strangers are, too.
 * @returns it and what it is, in a few words.
 */
export function randomTransaction(
  random: SeededRandom,
  chain: SandboxChain,
  addresses: readonly TronAddress[],
): { transaction: SandboxTransaction; what: string } {
  const kind = random.pick(kinds)
  const stamp = chain.stamp()
  const from = random.chance(0.2) ? randomAddress(random, addresses) : undefined
  const to = kind === 'pays a stranger' ? stranger(random) : randomAddress(random, addresses)
  const payment = { to, amount: usdt(kind === 'zero' ? 0n : kind === 'dust' ? 1n : randomUnits(random)) }
  const make = (): SandboxTransaction => {
    switch (kind) {
      case 'through a contract':
        return makePayment(stamp, [payment], { from, through: sandboxAddresses.router })
      case 'pays several': {
        const more = Array.from({ length: random.whole(1, 8) }, () => ({
          to: randomAddress(random, addresses),
          amount: random.chance(0.3) ? payment.amount : usdt(randomUnits(random)),
        }))
        return makePayment(stamp, [payment, ...more], { from, fail: sometimes(random) })
      }
      case 'mixed logs':
        return makeCall(stamp, randomLogs(random, addresses), { from, fail: sometimes(random) })
      case 'lookalike':
        return makePayment(stamp, [payment], { from, token: sandboxAddresses.lookalike })
      case 'failed':
        return makePayment(stamp, [payment], { from, fail: random.pick(failures) })
      default:
        return makePayment(stamp, [payment], { from })
    }
  }
  const transaction = make()
  return { transaction, what: `${kind} ${transaction.id.slice(0, 8)}` }
}

function randomLogs(random: SeededRandom, addresses: readonly TronAddress[]): CallLog[] {
  return Array.from({ length: random.whole(1, 12) }, () => ({
    kind: random.chance(0.5) ? 'transfer' : random.pick(callLogKinds),
    to: randomAddress(random, addresses),
    from: random.chance(0.3) ? randomAddress(random, addresses) : undefined,
    token: random.chance(0.25) ? sandboxAddresses.lookalike : undefined,
    // More than a bigint column holds, now and then.
    amount: random.chance(0.03) ? 2n ** 63n : random.chance(0.05) ? 0n : randomUnits(random),
  }))
}

/** Few different amounts, so that equal transfers meet; among them ones with a rest below 1/10000 USDT. */
function randomUnits(random: SeededRandom): bigint {
  return random.pick([1n, 99n, 100n, 3_000_050n, 5_000_000n, BigInt(random.whole(1, 50_000_000))])
}

function randomAddress(random: SeededRandom, addresses: readonly TronAddress[]): TronAddress {
  return addresses.length === 0 || random.chance(0.15) ? stranger(random) : random.pick(addresses)
}

function stranger(random: SeededRandom): TronAddress {
  return addressFromBytes(Buffer.from(Array.from({ length: 20 }, () => random.whole(0, 255))))
}

function sometimes(random: SeededRandom) {
  return random.chance(0.15) ? random.pick(failures) : undefined
}
