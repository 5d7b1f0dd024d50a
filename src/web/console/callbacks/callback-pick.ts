import type { CallbackFilter, CallbackPlace } from './callback-filter.ts'

/** A query that picks callbacks: their ids and the time by which they are ordered (`at`). */
export interface PickedQuery {
  text: string
  values: unknown[]
}

/** Callbacks that are read to fill one page, where no index knows which of them are wanted. */
export const pageScanMax = 20_000

export interface PickOptions {
  /** Where the page before ended. */
  after: CallbackPlace | null
  limit: number
  /** Without order, the first that are found: for counting. */
  isOrdered: boolean
  /** Instead of `pageScanMax`. */
  scanMax?: number
}

/** Writes the query of a list. What it costs depends on the limit and the lanes, not on how many callbacks there are. */
export function pickCallbacks(filter: CallbackFilter, options: PickOptions): PickedQuery {
  switch (filter.list) {
    case 'due':
    case 'failing':
    case 'in_flight':
    case 'held':
      return pickOwed(filter, filter.list, options)
    case 'exhausted':
    case 'delivered':
    case 'all':
      return pickAnnounced(filter, filter.list, options)
  }
}

/** The conditions under which the outbox has an index by lane. */
const owed = {
  due: `b.state = 'due'`,
  failing: `b.state = 'due' and b.schedule_step > 0`,
  in_flight: `b.state = 'in_flight'`,
  held: `b.state = 'held'`,
}

/** Reads lane by lane, each by its index, and then takes the earliest of all. */
function pickOwed(filter: CallbackFilter, list: keyof typeof owed, options: PickOptions): PickedQuery {
  const { merchantId, origin } = filter
  const { after, limit, isOrdered } = options
  const { values, add } = collect()
  const inOrigin = origin === null ? '' : `and l.origin = ${add(origin)}`
  const lanes =
    merchantId === null
      ? // It jumps from lane to lane along the index.
        `select l.id
           from (with recursive waiting (lane_id) as (
                   (select b.lane_id from callback_outbox b where ${owed[list]} order by b.lane_id limit 1)
                   union all
                   select (select b.lane_id from callback_outbox b
                            where ${owed[list]} and b.lane_id > w.lane_id order by b.lane_id limit 1)
                     from waiting w
                    where w.lane_id is not null)
                 select lane_id from waiting) w
           join callback_lane l on l.id = w.lane_id
          where true ${inOrigin}`
      : `select l.id from callback_lane l where l.merchant_id = ${add(merchantId)} ${inOrigin}`
  const from = after ? `and (b.due_at, b.callback_id) > (${place(add, after)})` : ''
  const order = (b: string) => (isOrdered ? `order by ${b}.due_at, ${b}.callback_id` : '')
  const ofLane = (most: string) => `
    select b.callback_id, b.due_at
      from callback_outbox b
     where b.lane_id = l.id and ${owed[list]} ${from}
     ${order('b')}
     limit ${most}`
  const most = add(limit)
  // The earliest of all are in the lanes whose own earliest are, and in as many lanes at most.
  const wanted = `select l.id from (${lanes}) l cross join lateral (${ofLane('1')}) b ${order('b')} limit ${most}`
  return {
    values,
    text: `
      select p.callback_id as id, p.due_at as at
        from (${isOrdered ? wanted : lanes}) l
       cross join lateral (${ofLane(most)}) p
       ${order('p')}
       limit ${most}`,
  }
}

/** Reads along an index of times, until enough are found. */
function pickAnnounced(
  filter: CallbackFilter,
  list: 'exhausted' | 'delivered' | 'all',
  options: PickOptions,
): PickedQuery {
  const { values, add } = collect()
  const { limit } = options
  const scanned = scanOf(filter, list, options, add)
  // A subquery for each row, and no join: so reading ends as soon as the page is full.
  const wanted = [
    ...(list === 'delivered'
      ? [
          `s.delivered_at is not null`,
          `(select true from callback_outbox b where b.callback_id = s.id) is null`,
        ]
      : []),
    ...(filter.origin === null
      ? []
      : [`(select l.origin from callback_lane l where l.id = s.lane_id) = ${add(filter.origin)}`]),
  ]
  return {
    values,
    text: `
      select s.id, s.at
        from (${scanned}) s
       ${wanted.length > 0 ? `where ${wanted.join(' and ')}` : ''}
       limit ${add(limit)}`,
  }
}

/** Writes the query of the last callback that `pickCallbacks` reads of a list that no index has as it is filtered. */
export function endOfScan(
  filter: CallbackFilter,
  { after, scanMax = pageScanMax }: Pick<PickOptions, 'after' | 'scanMax'>,
): PickedQuery | null {
  const { list } = filter
  if (list !== 'exhausted' && list !== 'delivered' && list !== 'all') return null
  const { values, add } = collect()
  const scanned = scanOf(filter, list, { after, isOrdered: true, scanMax }, add)
  return { values, text: `select s.id, s.at from (${scanned}) s offset ${scanMax - 1}` }
}

function scanOf(
  { merchantId, from, to }: CallbackFilter,
  list: 'exhausted' | 'delivered' | 'all',
  { after, isOrdered, scanMax = pageScanMax }: Omit<PickOptions, 'limit'>,
  add: (value: unknown) => string,
): string {
  const time = list === 'exhausted' ? 'c.exhausted_at' : 'c.created_at'
  // There is no index of times without a merchant. Ids follow them, but for transactions that ran side by side.
  const isById = merchantId === null && list !== 'exhausted'
  const beyond = after && (isById ? `c.id < ${add(after.id)}` : `(${time}, c.id) < (${place(add, after)})`)
  const conditions = [
    ...(list === 'exhausted' ? ['c.exhausted_at is not null'] : []),
    ...(merchantId === null ? [] : [`c.merchant_id = ${add(merchantId)}`]),
    ...(beyond ? [beyond] : []),
    ...(from ? [`c.created_at >= ${add(from)}`] : []),
    ...(to ? [`c.created_at < ${add(to)}`] : []),
  ]
  return `select c.id, ${time} as at, c.delivered_at, c.lane_id
            from callback c
           ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
           ${isOrdered ? `order by ${isById ? '' : `${time} desc, `}c.id desc` : ''}
           limit ${scanMax}`
}

function collect() {
  const values: unknown[] = []
  const add = (value: unknown) => {
    values.push(value)
    return `$${values.length}`
  }
  return { values, add }
}

function place(add: (value: unknown) => string, { micros, id }: CallbackPlace): string {
  return `timestamptz 'epoch' + ${add(micros)}::bigint * interval '1 microsecond', ${add(id)}::bigint`
}
