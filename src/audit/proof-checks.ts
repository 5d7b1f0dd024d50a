import type { AuditChecks } from './audit-check.ts'

/**
 * Checks that each transfer says how it is known to have happened, and that what waited for proof became a transfer or did not.
 * Transfers from before the first one with a proof were recorded by an older version.
 */
export const proofChecks: AuditChecks = {
  holds: {
    'transfer.proof': 'each transfer since the first with a proof has one, and an agreed one two hosts',
    'proof.credited': 'each transfer that waited for proof and has it is recorded as it was shown',
    'proof.open': 'each that waits for proof, or was rejected, is not recorded',
  },
  sql: `
    with first as (
      select min(transfer_id) as transfer_id from transfer_proof
    )
    select 'transfer.proof' as check_name, m.appid, 'transfer ' || t.txid || ':' || t.log_index as subject,
           case when p.transfer_id is null then 'has no proof: an older version recorded it, or its proof is gone'
                else 'is agreed, but of its hosts only ' || cardinality(p.hosts) || ' are known' end as detail
      from transfer t
      join first f on t.id >= f.transfer_id
      join deposit_address a on a.id = t.deposit_address_id
      join merchant m on m.id = a.merchant_id
      left join transfer_proof p on p.transfer_id = t.id
     where (p.transfer_id is null or (p.proof = 'agreed' and cardinality(p.hosts) < 2))
       and ($1::bigint is null or a.merchant_id = $1)
     union all
    select 'transfer.proof', null, 'proof of transfer ' || p.transfer_id, 'is of a transfer that is not recorded'
      from transfer_proof p
     where not exists (select from transfer t where t.id = p.transfer_id)
     union all
    select case v.ended_as when 'credited' then 'proof.credited' else 'proof.open' end, m.appid,
           'transfer p' || v.id || ' ' || v.txid || ':' || v.log_index,
           case when v.ended_as = 'credited' then 'has its proof, but is not recorded as it was shown'
                else coalesce(v.ended_as, 'waits for proof') || ', but is recorded as transfer ' || t.id end
      from pending_proof v
      join deposit_address a on a.id = v.deposit_address_id
      join merchant m on m.id = a.merchant_id
      left join transfer t on (t.txid, t.log_index, t.deposit_address_id, t.from_address, t.amount, t.block_hash)
                            = (v.txid, v.log_index, v.deposit_address_id, v.from_address, v.amount, v.block_hash)
     where (v.ended_as is not distinct from 'credited') = (t.id is null)
       and ($1::bigint is null or a.merchant_id = $1)`,
}
