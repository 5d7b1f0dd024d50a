import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { NoticeKind } from './notice.ts'

export type NoticeChannel = 'webhook' | 'mail'

/** A message that is due. */
export interface DueNotice {
  id: bigint
  kind: NoticeKind
  /** Of the merchant that it concerns. */
  appid: string | null
  /** Of a mail. */
  recipient: string | null
  text: string
  createdAt: Date
  failures: number
}

/** A message that could not be sent for this long is given up: whoever it concerns has found out by then. */
const givenUpDays = 3
const keptDays = 90

const isDue = `due_at <= now() and coalesce(leased_until, '-infinity') <= now()
  and created_at > now() - make_interval(days => ${givenUpDays})`

/** Writes the messages of one notice. */
export async function insertNotices(
  tx: Tx,
  { kind, merchantId }: { kind: NoticeKind; merchantId: MerchantId | null },
  messages: readonly { channel: NoticeChannel; recipient: string | null; text: string }[],
): Promise<void> {
  await run(
    tx,
    `insert into notice (kind, merchant_id, channel, recipient, text)
     select $1, $2, channel, recipient, text
       from unnest($3::text[], $4::text[], $5::text[]) as m (channel, recipient, text)`,
    [
      ...[kind, merchantId],
      messages.map(({ channel }) => channel),
      messages.map(({ recipient }) => recipient),
      messages.map(({ text }) => text),
    ],
  )
}

/**
 * Takes messages that are due on a channel, for `leaseMs`. Each is taken by one process; if that ends, by another afterwards.
 * Merchants and kinds take turns: whoever invites a thousand people delays neither other merchants' messages nor the one that says
 * that a callback URL changed.
 * @param max the most to take.
 */
export function takeNotices(
  db: Queryable,
  channel: NoticeChannel,
  leaseMs: number,
  max: number,
): Promise<DueNotice[]> {
  return rows<DueNotice>(
    db,
    `update notice n
        set leased_until = now() + $2 * interval '1 millisecond'
      where n.id in (select id
                       from notice
                      where id = any(array(select id
                                             from (select id, due_at,
                                                          row_number() over (partition by merchant_id, kind, recipient order by due_at, id) as turn
                                                     from notice
                                                    where channel = $1 and ${isDue}) due
                                            order by turn, due_at, id
                                            limit $3))
                        and ${isDue}
                        for update skip locked)
     returning n.id, n.kind, (select appid from merchant m where m.id = n.merchant_id) as appid, n.recipient, n.text,
               n.created_at as "createdAt", n.failures`,
    [channel, leaseMs, max],
  )
}

/** Records that a message was sent. */
export async function noticeSent(db: Queryable, id: bigint): Promise<void> {
  await run(db, `update notice set sent_at = now(), due_at = null, leased_until = null where id = $1`, [id])
}

/** Records that a message could not be sent, and when it is tried again. @returns whether it is given up instead. */
export async function noticeFailed(db: Queryable, id: bigint, retryMs: number): Promise<boolean> {
  const [failed] = await rows<{ isGivenUp: boolean }>(
    db,
    `update notice
        set failures = failures + 1, leased_until = null,
            due_at = case when created_at + make_interval(days => ${givenUpDays}) > now() + $2 * interval '1 millisecond'
                     then now() + $2 * interval '1 millisecond' end
      where id = $1
     returning due_at is null as "isGivenUp"`,
    [id, retryMs],
  )
  return failed?.isGivenUp ?? true
}

/** Deletes old messages. */
export async function forgetNotices(db: Queryable): Promise<void> {
  await run(db, `delete from notice where created_at < now() - make_interval(days => ${keptDays})`)
}
