import { hash } from 'node:crypto'
import { parseTronAddress, type TronAddress } from '../../tron/address.ts'
import type { GridRow } from '../chain/grid-row.ts'
import type { Parameters } from './node-door.ts'

/** A query that TronGrid answers with 400. */
export class GridRefusal extends Error {
  readonly statusCode = 400

  constructor(message: string) {
    super(message)
    this.name = 'GridRefusal'
  }
}

/** Where a page begins: after a row, or at the start. `afterEmpty`: the page before it was empty. */
export interface GridCursor {
  after: GridRow['place'] | null
  afterEmpty: boolean
}

/** A query for an account's token events. */
export interface GridQuery {
  address: TronAddress
  limit: number
  only: { confirmed: boolean; unconfirmed: boolean; to: boolean; from: boolean }
  ascending: boolean
  /** Both included. */
  minMs: number
  maxMs: number
  contract: TronAddress | null
  cursor: GridCursor
  /** A hash of everything except the cursor. */
  digest: string
}

const limitDefault = 20
const limitMax = 200

/** Reads a query. @throws GridRefusal naming what is wrong. */
export function readGridQuery(addressText: string, parameters: Parameters): GridQuery {
  const { fingerprint, ...rest } = parameters
  const address = parseTronAddress(addressText)
  if (!address) throw new GridRefusal('A valid account address is required.')
  const text = (name: string) => (rest[name] === undefined ? undefined : `${rest[name]}`)
  const only = {
    confirmed: text('only_confirmed') === 'true',
    unconfirmed: text('only_unconfirmed') === 'true',
    to: text('only_to') === 'true',
    from: text('only_from') === 'true',
  }
  if (only.confirmed && only.unconfirmed) {
    throw new GridRefusal('only_confirmed and only_unconfirmed exclude each other')
  }
  const number = (name: string, fallback: number, max: number) => {
    const value = Number(text(name) ?? fallback)
    if (!Number.isFinite(value) || value < 0 || value > max) throw new GridRefusal(`invalid ${name}`)
    return value
  }
  const order = text('order_by') ?? 'block_timestamp,desc'
  if (!/^block_timestamp,(asc|desc)$/.test(order)) throw new GridRefusal('invalid order_by')
  const contract = text('contract_address')
  if (contract !== undefined && !parseTronAddress(contract)) throw new GridRefusal('invalid contract_address')
  const digest = hash('sha256', JSON.stringify([address, Object.entries(rest).sort()]), 'hex').slice(0, 16)
  return {
    address,
    limit: Math.max(1, number('limit', limitDefault, limitMax)),
    only,
    ascending: order.endsWith('asc'),
    minMs: number('min_timestamp', 0, Number.MAX_SAFE_INTEGER),
    maxMs: number('max_timestamp', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    contract: (contract as TronAddress | undefined) ?? null,
    cursor:
      fingerprint === undefined
        ? { after: null, afterEmpty: false }
        : readFingerprint(`${fingerprint}`, digest),
    digest,
  }
}

/** Encodes a cursor as opaque text. */
export function makeFingerprint({ after, afterEmpty }: GridCursor, digest: string): string {
  return Buffer.from(JSON.stringify([digest, after, afterEmpty])).toString('base64url')
}

function readFingerprint(text: string, digest: string): GridCursor {
  try {
    const [of, after, afterEmpty] = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (of === digest) return { after, afterEmpty }
  } catch {
    // Not a fingerprint of ours: refused like one of another query.
  }
  throw new GridRefusal('Invalid query filter(s)!: [fingerprint does not match current set of params]')
}
