import { setTimeout as sleep } from 'node:timers/promises'
import { type SeededRandom, seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { TronAddress } from '../../src/tron/address.ts'
import { aloneUnits } from '../support/random-judge.ts'
import { type LieName, lieHeights, lieNames, makeLie } from '../support/random-lies.ts'
import { askGateway } from './ask-gateway.ts'
import { patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { tellSandbox } from './paying-load.ts'

// L: nodes lie, alone and among honest ones, at the head and about blocks that are read in a catch-up. Nothing false may be
// credited but what the only node's word is taken for, nothing true may be lost, and an honest host is enough to go on.

/** Together more than a thousand. */
const liesPerRow = 60
/** A lie is told for so long: until its blocks have been made, read and counted. */
const toldForMs = 5_000
const nextLieMs = 1_200
const catchUps = 3
/** While the watcher is away: as many blocks are lied about as in the rows at the head. */
const blocksAway = 40
/** The longest that the cursor may stand beside an honest host. A block takes a quarter of a second, a busy machine more. */
const stoodMaxMs = 30_000

const falseMoney: readonly LieName[] = [
  'forged log',
  'forged transfer',
  'changed amount',
  'changed recipient',
  'false result',
]
const hiddenMoney: readonly LieName[] = ['hidden log', 'hidden transaction', 'header only', 'withheld block']
const falseBlocks = lieNames.filter(name => !falseMoney.includes(name) && !hiddenMoney.includes(name))
const groups = [
  { what: 'of money that was not paid', names: falseMoney },
  { what: 'by hiding what was paid', names: hiddenMoney },
  { what: 'of blocks that nobody made', names: falseBlocks },
]

interface Company {
  who: string
  nodes: readonly ('http' | 'grpc')[]
  /** How many of the nodes lie: the first ones, which are asked first where nothing tells nodes apart. */
  liars: number
}

const companies: readonly Company[] = [
  { who: 'the only node, over HTTP,', nodes: ['http'], liars: 1 },
  { who: 'the only node, over gRPC,', nodes: ['grpc'], liars: 1 },
  { who: 'one of two nodes', nodes: ['http', 'grpc'], liars: 1 },
  { who: 'one of three nodes', nodes: ['grpc', 'grpc', 'http'], liars: 1 },
  { who: 'two of four nodes, each in its own way,', nodes: ['http', 'grpc', 'http', 'grpc'], liars: 2 },
]

export const liarRows: readonly FaultRow[] = [
  ...companies.flatMap(company =>
    groups.map(({ what, names }) => ({
      what: `${company.who} lies ${what}, then tells the truth`,
      ...liarRow(company, scene => lieAtHead(scene, company, names)),
    })),
  ),
  ...companies.slice(1, 3).map(company => ({
    what: `${company.who} lies in every way about blocks that are caught up with`,
    ...liarRow(company, scene => lieInCatchUp(scene, company)),
  })),
].map((row, n) => ({ id: `L${n + 1}`, ...row }))

function liarRow({ nodes, liars }: Company, inject: (scene: Scene) => Promise<Injected>) {
  const isAlone = liars === nodes.length
  return {
    inject,
    times: 1,
    settings: { nodes, sandbox: ['--solidified-by', 'producers'] },
    ...(isAlone && { byOneWord: aloneUnits }),
  } satisfies Partial<FaultRow>
}

async function lieAtHead(scene: Scene, company: Company, names: readonly LieName[]): Promise<Injected> {
  const liars = await openLiars(scene, company, names)
  const cursor = observeCursor(scene)
  for (let n = 0; n < liesPerRow; n++) {
    await liars.lie('head')
    await sleep(nextLieMs)
  }
  await sleep(toldForMs)
  const stoodMs = await cursor.stop()
  await liars.confess()
  if (!isAlone(company) && stoodMs > stoodMaxMs)
    throw new Error(`beside an honest host the cursor stood for ${stoodMs} ms`)
  const at = Date.now()
  await proofsSettled(scene)
  return { at, count: liars.told, note: await noteOf(scene, company, stoodMs) }
}

async function lieInCatchUp(scene: Scene, company: Company): Promise<Injected> {
  const { deployment } = scene
  const [watcher] = deployment.watchers
  const liars = await openLiars(scene, company, lieNames)
  for (let nth = 0; nth < catchUps; nth++) {
    await watcher!.stop()
    const { head } = await stateOf(scene)
    await patiently('blocks to catch up with', async () => {
      return (await stateOf(scene)).head.height >= head.height + blocksAway
    })
    for (let n = 0; n < liesPerRow / catchUps; n++) await liars.lie('history', false)
    await watcher!.start()
    const target = (await stateOf(scene)).solid.height
    if (isAlone(company)) await sleep(toldForMs)
    else await patiently('the cursor beside liars', async () => (await cursorAt(scene)) >= target, stoodMaxMs)
    await liars.confess()
  }
  const at = Date.now()
  await proofsSettled(scene)
  return { at, count: liars.told, note: await noteOf(scene, company, 0) }
}

interface Liars {
  readonly told: number
  /** @param ends whether the lie ends by itself, when some blocks have been made. Default true. */
  lie(where: 'head' | 'history', ends?: boolean): Promise<void>
  confess(): Promise<void>
}

/** Two liars know different lies, so that no two hosts tell the same. */
async function openLiars(scene: Scene, company: Company, names: readonly LieName[]): Promise<Liars> {
  const { deployment, load, whole } = scene
  const random = seededRandom(whole(0, 2 ** 31 - 1))
  const urls = deployment.nodeUrls.slice(0, company.liars)
  const victim = await victimAddress(scene)
  const ending = new Set<Promise<void>>()
  const set: { url: string; id: number }[] = []
  const clear = async ({ url, id }: { url: string; id: number }) => {
    const response = await fetch(`${url}/sandbox/faults/${id}`, { method: 'DELETE' })
    // 400: it was cleared already.
    if (!response.ok && response.status !== 400) throw new Error(`fault ${id}: ${await response.text()}`)
  }
  let told = 0
  // Two lies of one branch show more blocks of it than producers may sign: with it, it is as solid as the true one.
  let branchAtMs = Number.NEGATIVE_INFINITY
  const mayBranch = () => performance.now() - branchAtMs > 2 * toldForMs
  return {
    get told() {
      return told
    },
    async lie(where, ends = true) {
      const n = told++ % urls.length
      const own = names.filter((_, i) => i % urls.length === n)
      const possible = own.filter(one => one !== 'other branch' || mayBranch())
      const name = random.pick(isAlone(company) ? possible.filter(isJudgedByBooks) : possible)
      if (name === 'other branch') branchAtMs = performance.now()
      const paid = load.orders.flatMap(({ answered }) => answered?.address ?? []).slice(-40) as TronAddress[]
      const chain = await stateOf(scene)
      const heights = lieHeights({ random, chain }, where, blocksAway)
      const faults = makeLie(name, {
        random,
        chain,
        heights,
        ...toldOf(random, { name, paid, victim, company }),
      })
      const lie: { url: string; id: number }[] = []
      for (const fault of faults) {
        const { id } = (await tellSandbox(urls[n]!, 'faults', fault)) as { id: number }
        lie.push({ url: urls[n]!, id })
      }
      set.push(...lie)
      if (!ends) return
      const over = sleep(toldForMs).then(async () => {
        for (const one of lie) await clear(one)
        ending.delete(over)
      })
      ending.add(over)
    },
    async confess() {
      await Promise.all(ending)
      for (const one of set.splice(0)) await clear(one)
      branchAtMs = Number.NEGATIVE_INFINITY
    },
  }
}

/**
 * Whom a lie is about. Of the only node small amounts are believed: they go to an address that no order waits for, so that the orders'
 * books can be compared all the same.
 */
function toldOf(
  random: SeededRandom,
  lie: { name: LieName; paid: readonly TronAddress[]; victim: TronAddress; company: Company },
): { addresses: readonly TronAddress[]; amounts: 'any' | 'large' } {
  const { name, paid, victim, company } = lie
  const addresses = paid.length > 0 ? paid : [victim]
  if (!isAlone(company)) return { addresses: [...addresses, victim], amounts: 'any' }
  const adds = name.startsWith('forged') || name.startsWith('made-up')
  return adds && random.chance(0.5)
    ? { addresses: [victim], amounts: 'any' }
    : { addresses, amounts: 'large' }
}

/**
 * Of the only node, another recipient of a true payment is believed, and the payment lost to its order. The random chains judge
 * that; here the orders' books would not add up.
 */
function isJudgedByBooks(name: LieName): boolean {
  return name !== 'changed recipient'
}

function isAlone({ nodes, liars }: Company): boolean {
  return liars === nodes.length
}

/** An address of a user who orders nothing. */
async function victimAddress({ deployment }: Scene): Promise<TronAddress> {
  const names = { username: 'victim', localusermark: 'victim' }
  return (await patiently('an address', async () => {
    const reply = await askGateway(deployment, deployment.shops[0]!, 'newAddress', names)
    return reply?.answer.data?.address
  })) as TronAddress
}

/** Waits until nothing waits for proof. The minutes until it is read again are passed over. */
async function proofsSettled({ deployment: { pool } }: Scene): Promise<void> {
  await patiently(
    'what waits for proof',
    async () => {
      await pool.query(
        `update pending_proof
            set next_check_at = now(), denied_since = denied_since - interval '1 minute'
          where ended_at is null`,
      )
      await pool.query(`update unverified_block set next_check_at = now() where settled_at is null`)
      const { rows } = await pool.query(
        `select (select count(*) from pending_proof where ended_at is null)
              + (select count(*) from unverified_block where settled_at is null) as pending`,
      )
      await sleep(500)
      return Number(rows[0].pending) === 0
    },
    120_000,
  )
}

async function noteOf({ deployment: { pool } }: Scene, company: Company, stoodMs: number): Promise<string> {
  const { rows } = await pool.query(
    `select (select count(*)::int from pending_proof where ended_as = 'rejected') as rejected,
            (select count(*)::int from unverified_block) as unverified,
            (select count(*)::int from transfer t
               join deposit_address a on a.id = t.deposit_address_id
              where a.localusermark = 'victim') as believed`,
  )
  const { rejected, unverified, believed } = rows[0]
  return [
    `${rejected} false transfers rejected`,
    `${unverified} blocks followed unverified`,
    ...(isAlone(company) ? [`${believed} believed by its word`] : []),
    ...(stoodMs > 0 && !isAlone(company)
      ? [`the cursor stood at most ${(stoodMs / 1000).toFixed(1)} s`]
      : []),
  ].join(', ')
}

interface ChainState {
  head: { height: number }
  solid: { height: number }
}

async function stateOf({ deployment: { sandboxUrl } }: Scene): Promise<ChainState> {
  return (await (await fetch(`${sandboxUrl}/sandbox/state`)).json()) as ChainState
}

async function cursorAt({ deployment: { pool } }: Scene): Promise<number> {
  const { rows } = await pool.query('select height from chain_cursor')
  return rows[0]?.height ?? 0
}

/** Measures the longest time in which the cursor does not move. */
function observeCursor(scene: Scene): { stop(): Promise<number> } {
  let over = false
  const observed = (async () => {
    let [height, movedAt, longestMs] = [await cursorAt(scene), Date.now(), 0]
    while (!over) {
      await sleep(200)
      longestMs = Math.max(longestMs, Date.now() - movedAt)
      const now = await cursorAt(scene)
      if (now > height) [height, movedAt] = [now, Date.now()]
    }
    return longestMs
  })()
  return {
    stop: () => {
      over = true
      return observed
    },
  }
}
