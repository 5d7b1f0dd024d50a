import type { TransferId } from '../base/ids.ts'
import { run, type Tx } from '../db/pool.ts'
import type { Proof } from './proof-policy.ts'

/** A transfer's proof, and the hosts that showed it as far as they are known. */
export interface NewProof {
  transferId: TransferId
  proof: Proof
  hosts: readonly string[]
}

/** Writes what transfers are credited on, once for each. */
export async function insertProofs(tx: Tx, proofs: readonly NewProof[]): Promise<void> {
  if (proofs.length === 0) return
  await run(
    tx,
    // No host has a space in it.
    `insert into transfer_proof (transfer_id, proof, hosts)
     select transfer_id, proof, string_to_array(hosts, ' ')
       from unnest($1::bigint[], $2::text[], $3::text[]) as p (transfer_id, proof, hosts)`,
    [
      proofs.map(({ transferId }) => transferId),
      proofs.map(({ proof }) => proof),
      proofs.map(({ hosts }) => hosts.join(' ')),
    ],
  )
}
