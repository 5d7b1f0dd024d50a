import type { AuditChecks } from './audit-check.ts'

/** Compares the recorded headers with each other, the cursor and the transfers. Headers may begin later than following did. */
export const chainChecks: AuditChecks = {
  holds: {
    'chain.linked': 'the recorded blocks link to each other without a gap',
    'chain.parked': 'each parked block is recorded under its id',
    'chain.cursor': 'the cursor is at the last recorded block',
    'transfer.block': "each transfer has its recorded block's id and time, and none is past the cursor",
  },
  sql: `
    with header as (
      select height, hash, parent_hash, lag(height) over (order by height) as height_before,
             lag(hash) over (order by height) as hash_before
        from chain_block
    )
    select 'chain.linked' as check_name, null as appid, 'block ' || height as subject,
           case when height <> height_before + 1 then 'follows block ' || height_before || ': '
                  || height - height_before - 1 || ' missing'
                else 'names ' || parent_hash || ' as its parent, the block before is ' || hash_before end as detail
      from header
     where height <> height_before + 1 or parent_hash <> hash_before
     union all
    select 'chain.parked', null, 'block ' || p.height,
           'is parked as ' || p.hash || ', but recorded ' || coalesce('as ' || b.hash, 'not at all')
      from parked_block p
      left join chain_block b on b.height = p.height
     where p.read_at is null and b.hash is distinct from p.hash
     union all
    select 'chain.cursor', null, 'cursor',
           'is at ' || k.height || ' ' || k.hash || ', the last recorded block is '
             || coalesce(b.height || ' ' || b.hash, 'none')
      from chain_cursor k
      left join (select height, hash from chain_block order by height desc limit 1) b on true
     where (k.height, k.hash) is distinct from (b.height, b.hash)
       and not (b.height is null and k.height = k.start_height)
     union all
    select 'transfer.block', m.appid, 'transfer ' || t.txid || ':' || t.log_index,
           'is of block ' || t.block_height || ' ' || t.block_hash || ' at ' || t.block_time
             || coalesce(', but that block is recorded as ' || b.hash || ' at ' || b.block_time, ', past the cursor')
      from transfer t
      join deposit_address a on a.id = t.deposit_address_id
      join merchant m on m.id = a.merchant_id
      left join chain_block b on b.height = t.block_height
      left join chain_cursor k on true
     where (b.hash <> t.block_hash or b.block_time <> t.block_time or t.block_height > k.height)
       and ($1::bigint is null or a.merchant_id = $1)`,
}

/** Checks that no address index can be handed out twice. */
export const counterChecks: AuditChecks = {
  holds: { 'address.counter': 'each address counter is past every index that was handed out' },
  sql: `
    select 'address.counter' as check_name, null as appid, 'counter ' || c.id as subject,
           'would hand out ' || c.next_index || ' next, but ' || a.index || ' is handed out already' as detail
      from address_counter c
     cross join lateral (
       select index
         from deposit_address
        where counter_id = c.id
        order by index desc
        limit 1
     ) a
     where a.index >= c.next_index and $1::bigint is not distinct from $1`,
}
