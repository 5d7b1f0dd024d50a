import { type Queryable, rows } from '../../../db/pool.ts'

/** How far the chain is followed, and by whom. */
export interface ChainFacts {
  network: string
  usdtContract: string
  startHeight: number
  height: number
  blockTime: Date
  /** When the cursor last moved. */
  movedAt: Date
  /** The newest block that was seen, not solidified; null: none was. */
  headHeight: number | null
  headSeenAt: Date | null
  /** The watcher that leads; null: none ever did. */
  holder: string | null
  leaseUntil: Date | null
  leads: boolean
}

/** @returns null before the first start of a watcher. */
export async function readChainFacts(db: Queryable): Promise<ChainFacts | null> {
  const [found] = await rows<ChainFacts>(
    db,
    `select c.network, c.usdt_contract as "usdtContract", c.start_height as "startHeight", c.height, c.block_time as "blockTime",
            c.updated_at as "movedAt", h.height as "headHeight", h.seen_at as "headSeenAt", l.holder,
            l.expires_at as "leaseUntil", coalesce(l.expires_at > now(), false) as leads
       from chain_cursor c
       left join chain_head h on true
       left join watcher_lease l on true`,
  )
  return found ?? null
}

/** How much room something takes in the database. */
export interface TableSize {
  name: string
  bytes: bigint
  /** As Postgres estimates; -1: it has not counted yet. */
  rows: number
  /** Of a partitioned table: its parts, the oldest first. */
  partitions: { name: string; bytes: number; rows: number }[]
}

export interface DatabaseFacts {
  version: string
  bytes: bigint
  migration: string
  tables: TableSize[]
}

const tablesMax = 12

/** Reads sizes. They are asked of the file system, so not for every page. */
export async function readDatabaseFacts(db: Queryable): Promise<DatabaseFacts> {
  const [facts] = await rows<Omit<DatabaseFacts, 'tables'>>(
    db,
    `select current_setting('server_version') as version, pg_database_size(current_database()) as bytes,
            (select migration_name
               from _prisma_migrations
              where finished_at is not null
              order by migration_name desc
              limit 1) as migration`,
  )
  const tables = await rows<TableSize>(
    db,
    `select coalesce(p.relname, c.relname)::text as name, sum(pg_total_relation_size(c.oid))::bigint as bytes,
            sum(greatest(c.reltuples, 0))::float8 as rows,
            coalesce(json_agg(json_build_object('name', c.relname, 'bytes', pg_total_relation_size(c.oid),
                                                'rows', greatest(c.reltuples, 0)) order by c.relname)
                       filter (where p.oid is not null), '[]') as partitions
       from pg_class c
       left join pg_inherits i on i.inhrelid = c.oid
       left join pg_class p on p.oid = i.inhparent
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      group by 1
      order by 2 desc
      limit ${tablesMax}`,
  )
  return { ...facts!, tables }
}
