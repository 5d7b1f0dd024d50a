-- A comment for every column of schema report: unit, meaning, what null means. Locks each view for a moment, which no reader
-- waits for, and rewrites nothing; code from before can run beside it.

comment on schema report is
  'Views for admins: a stable interface. Columns are added, never renamed or removed. *_usdt: decimal USDT. *_units: base units, 1 USDT = 1 000 000. Times have a time zone.';

comment on view report.merchants is
  'Merchants and how their callbacks are sent. No secrets.';
comment on column report.merchants.merchant_id is 'The merchants id in this database.';
comment on column report.merchants.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.merchants.name is 'The merchant''s name: a label.';
comment on column report.merchants.callback_url is 'Where callbacks are sent when the order has no notify_url. Null: nowhere.';
comment on column report.merchants.callback_format is 'Encoding of a callback''s body: form or json.';
comment on column report.merchants.callback_fields is 'Fields of a callback''s body: six, the original ones, or full.';
comment on column report.merchants.acknowledgement is
  'A 2xx answer acknowledges only if its body contains this word. Null: any 2xx acknowledges.';
comment on column report.merchants.always_200 is
  'Refusals are answered with HTTP status 200; bad_sign, 429 and 5xx keep theirs.';
comment on column report.merchants.require_nonce is 'Every request must carry t and nonce.';
comment on column report.merchants.disabled_at is
  'Since when its requests are refused and its callbacks held. Null: not disabled.';
comment on column report.merchants.created_at is 'When the merchant was added.';

comment on view report.addresses is
  'Deposit addresses, each with its merchant, its user and its purpose.';
comment on column report.addresses.address_id is 'The address''s id in this database.';
comment on column report.addresses.merchant_id is 'The merchants id in this database.';
comment on column report.addresses.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.addresses.localusermark is
  'The merchant''s own id of the user. Empty: skipped after a restore and not assigned yet.';
comment on column report.addresses.username is 'The user''s name as the merchant gave it: a label.';
comment on column report.addresses.address is 'Deposit address in base58check (T..., 34 characters).';
comment on column report.addresses.kind is
  'base: the user''s own. order: for one orderid only. imported: not derived by this gateway. restored: skipped after a restore; assigned to no user while localusermark is empty.';
comment on column report.addresses.is_base is 'It is the user''s base address. An imported one can be.';
comment on column report.addresses.orderid is 'The only order this address is for. Null: not limited to one order.';
comment on column report.addresses.counter_id is 'The account key it is derived from. Null: imported.';
comment on column report.addresses.index is 'Its place under that account key, path 0/index. Null: imported.';
comment on column report.addresses.watched_from is
  'The first block that counts for an imported address. Null: every followed block counts.';
comment on column report.addresses.created_at is 'When the address was assigned or imported.';

comment on column report.orders.order_id is 'The order''s id in this database.';
comment on column report.orders.merchant_id is 'The merchants id in this database.';
comment on column report.orders.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.orders.orderid is 'The merchant''s own order number, unique per merchant.';
comment on column report.orders.ordersn is 'The gateway''s order number (cz-...).';
comment on column report.orders.username is 'The user''s name as the merchant gave it: a label.';
comment on column report.orders.localusermark is 'The merchant''s own id of the user.';
comment on column report.orders.address is 'The deposit address that pays the order.';
comment on column report.orders.state is 'pending: nothing received. underpaid, paid, overpaid: received compared with amount.';
comment on column report.orders.expired is 'The last recorded block is later than expires_at. Independent of state.';
comment on column report.orders.late is 'A transfer in a block later than expires_at was credited to the order.';
comment on column report.orders.amount_usdt is 'Amount asked for, in USDT.';
comment on column report.orders.received_usdt is 'Sum of the order''s credits, in USDT.';
comment on column report.orders.announced_usdt is
  'Sum of the order''s callbacks, in USDT: received_usdt rounded down to 1/10000.';
comment on column report.orders.amount_units is 'Amount asked for, in base units.';
comment on column report.orders.received_units is 'Sum of the order''s credits, in base units.';
comment on column report.orders.announced_units is 'Sum of the order''s callbacks, in base units.';
comment on column report.orders.notify_url is 'Where the order''s callbacks are sent. Null: to the merchant''s callback_url.';
comment on column report.orders.created_at is 'When the order was made.';
comment on column report.orders.expires_at is 'End of the payment window. Later payments are credited and marked late.';

comment on view report.transfers is
  'Solidified USDT transfers to deposit addresses, each with its credit or the reason it waits.';
comment on column report.transfers.transfer_id is 'The transfer''s id in this database.';
comment on column report.transfers.merchant_id is 'The merchants id in this database.';
comment on column report.transfers.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.transfers.localusermark is 'The merchant''s own id of the user.';
comment on column report.transfers.username is 'The user''s name as the merchant gave it: a label.';
comment on column report.transfers.address is 'Deposit address in base58check (T..., 34 characters).';
comment on column report.transfers.txid is 'Transaction id: 64 hex digits.';
comment on column report.transfers.log_index is
  'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.transfers.from_address is 'The sender, in base58check.';
comment on column report.transfers.amount_usdt is 'Amount transferred, in USDT.';
comment on column report.transfers.amount_units is 'Amount transferred, in base units.';
comment on column report.transfers.state is
  'credited, or the reason it waits: unclaimed, held, quarantined, behind. See report.waiting_transfers.';
comment on column report.transfers.order_id is 'The order that was credited. Null: not credited yet.';
comment on column report.transfers.orderid is 'The merchant''s own number of that order. Null: not credited yet.';
comment on column report.transfers.late is 'It was paid after the order''s expires_at. Null: not credited yet.';
comment on column report.transfers.credited_at is 'When the credit was written. Null: not credited yet.';
comment on column report.transfers.block_height is 'Height of the transfer''s block.';
comment on column report.transfers.block_hash is 'Block id: 64 hex digits.';
comment on column report.transfers.block_time is 'Time of the transfer''s block: when it was paid, by the chain.';
comment on column report.transfers.recorded_at is 'When the gateway recorded the transfer.';

comment on view report.seen_transfers is
  'Transfers in blocks that are not solidified yet. Not credited; a fork can remove them.';
comment on column report.seen_transfers.merchant_id is 'The merchants id in this database.';
comment on column report.seen_transfers.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.seen_transfers.localusermark is 'The merchant''s own id of the user.';
comment on column report.seen_transfers.address is 'Deposit address in base58check (T..., 34 characters).';
comment on column report.seen_transfers.txid is 'Transaction id: 64 hex digits.';
comment on column report.seen_transfers.log_index is
  'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.seen_transfers.from_address is 'The sender, in base58check.';
comment on column report.seen_transfers.amount_usdt is 'Amount transferred, in USDT.';
comment on column report.seen_transfers.amount_units is 'Amount transferred, in base units.';
comment on column report.seen_transfers.confirmations is
  'Blocks from its own to the newest, both counted. It takes about 19 to be solidified. Null: no head is known.';
comment on column report.seen_transfers.block_height is 'Height of the transfer''s block.';
comment on column report.seen_transfers.block_time is 'Time of the transfer''s block: when it was paid, by the chain.';

comment on column report.credits.credit_id is 'The credit''s id in this database.';
comment on column report.credits.transfer_id is 'The transfer that paid.';
comment on column report.credits.order_id is 'The order that was paid.';
comment on column report.credits.merchant_id is 'The merchants id in this database.';
comment on column report.credits.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.credits.orderid is 'The merchant''s own order number, unique per merchant.';
comment on column report.credits.txid is 'Transaction id: 64 hex digits.';
comment on column report.credits.log_index is
  'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.credits.amount_usdt is 'Amount credited, in USDT: all of the transfer.';
comment on column report.credits.amount_units is 'Amount credited, in base units.';
comment on column report.credits.received_usdt is 'What the order had received right after this credit, in USDT.';
comment on column report.credits.received_units is 'What the order had received right after this credit, in base units.';
comment on column report.credits.late is 'The transfer was paid after the order''s expires_at.';
comment on column report.credits.callback_key is
  'Key of the callback that this credit caused. Null: less than 1/10000 USDT was left to announce; a later callback announces it.';
comment on column report.credits.block_time is 'Time of the transfer''s block: when it was paid, by the chain.';
comment on column report.credits.created_at is 'When the credit was written.';

comment on view report.callbacks is
  'Callbacks: what each one announces, and the state of its delivery.';
comment on column report.callbacks.callback_id is 'The callback''s id in this database.';
comment on column report.callbacks.key is
  'The callback''s Idempotency-Key (cb_...): the same over every attempt, resend and restore.';
comment on column report.callbacks.merchant_id is 'The merchants id in this database.';
comment on column report.callbacks.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.callbacks.order_id is 'The order that it announces a credit of.';
comment on column report.callbacks.orderid is 'The merchant''s own order number, unique per merchant.';
comment on column report.callbacks.txid is 'Id of the transaction that caused it: 64 hex digits.';
comment on column report.callbacks.log_index is
  'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.callbacks.amount_usdt is 'Amount it announces, in USDT.';
comment on column report.callbacks.body_amount is 'Amount it announces, as in its body: in 1/10000 USDT.';
comment on column report.callbacks.state is
  'due: waits for its time or for room in its lane. in_flight: being sent. held: its merchant is disabled. delivered: acknowledged. exhausted: every attempt failed, or the endpoint answered 410.';
comment on column report.callbacks.due_at is 'When its next attempt is due. Null: no attempt is owed.';
comment on column report.callbacks.schedule_step is
  'Attempts made of the current retry schedule; a resend starts again at 0. Null: no attempt is owed.';
comment on column report.callbacks.attempts is 'Attempts made in all, those after a resend included.';
comment on column report.callbacks.last_status is
  'HTTP status of the last attempt''s answer. Null: no answer, or not attempted yet.';
comment on column report.callbacks.origin is 'Scheme, host and port that it is sent to: its lane. none: there is no URL.';
comment on column report.callbacks.created_at is 'When it was written, together with its credit.';
comment on column report.callbacks.delivered_at is
  'When it was first acknowledged; a resend does not change it. Null: not acknowledged.';
comment on column report.callbacks.exhausted_at is 'When it was given up. Null: not given up, or sent again since.';

comment on view report.callback_lanes is
  'Callback queues: one lane for each merchant and origin, with what waits in it.';
comment on column report.callback_lanes.lane_id is 'The lane''s id in this database.';
comment on column report.callback_lanes.merchant_id is 'The merchants id in this database.';
comment on column report.callback_lanes.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.callback_lanes.origin is 'Scheme, host and port of the endpoint. none: callbacks without a URL.';
comment on column report.callback_lanes.circuit is
  'closed: normal. open: the endpoint failed too often and gets single probes only. closing: it answers again and gets more step by step.';
comment on column report.callback_lanes.failures is 'Failures in a row while the circuit is closed.';
comment on column report.callback_lanes.opened_at is 'When the circuit opened. Null: it is not open.';
comment on column report.callback_lanes.probe_at is 'When the next probe is due. Null: the circuit is not open.';
comment on column report.callback_lanes.in_flight_max is 'How many of the lane''s callbacks may be in flight at once now.';
comment on column report.callback_lanes.waiting is 'Callbacks in the lane that owe an attempt: due, in flight or held.';
comment on column report.callback_lanes.oldest_due_at is 'Earliest due time among these. Null: none waits.';

comment on view report.callbacks_open is
  'Callbacks that are not acknowledged: due, in flight, held or exhausted, with the result of the last attempt.';
comment on column report.callbacks_open.callback_id is 'The callback''s id in this database.';
comment on column report.callbacks_open.key is
  'The callback''s Idempotency-Key (cb_...): the same over every attempt, resend and restore.';
comment on column report.callbacks_open.merchant_id is 'The merchants id in this database.';
comment on column report.callbacks_open.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.callbacks_open.orderid is 'The merchant''s own order number, unique per merchant.';
comment on column report.callbacks_open.amount_usdt is 'Amount it announces, in USDT.';
comment on column report.callbacks_open.state is
  'due: waits for its time or for room in its lane. in_flight: being sent. held: its merchant is disabled. exhausted: every attempt failed, or the endpoint answered 410.';
comment on column report.callbacks_open.due_at is 'When its next attempt is due. Null: no attempt is owed.';
comment on column report.callbacks_open.attempts is 'Attempts made in all, those after a resend included.';
comment on column report.callbacks_open.last_outcome is
  'Outcome of the last attempt. refused: an answer that does not acknowledge; or why there was no answer that can be judged: no_url, no_key, blocked, dns, connect, tls, reset, bad_answer, timeout, network. Null: not attempted yet, or its month was dropped.';
comment on column report.callbacks_open.last_status is
  'HTTP status of the last attempt''s answer. Null: no answer, or not attempted yet.';
comment on column report.callbacks_open.last_answer is 'The first 2 KiB of the last attempt''s answer. Null: no answer.';
comment on column report.callbacks_open.last_attempt_at is 'When the last attempt began. Null: not attempted yet.';
comment on column report.callbacks_open.last_url is
  'Where the last attempt was sent. Empty: there was no URL. Null: not attempted yet.';
comment on column report.callbacks_open.origin is 'Scheme, host and port that it is sent to: its lane. none: there is no URL.';
comment on column report.callbacks_open.created_at is 'When it was written, together with its credit.';

comment on view report.callback_attempts is
  'Every attempt to deliver a callback, for as many months as are kept.';
comment on column report.callback_attempts.callback_id is 'The callback that was sent.';
comment on column report.callback_attempts.attempt is 'Number of the attempt, from 1; resends count on.';
comment on column report.callback_attempts.key is
  'The callback''s Idempotency-Key (cb_...): the same over every attempt, resend and restore.';
comment on column report.callback_attempts.merchant_id is 'The merchants id in this database.';
comment on column report.callback_attempts.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.callback_attempts.orderid is 'The merchant''s own order number, unique per merchant.';
comment on column report.callback_attempts.started_at is 'When the attempt began.';
comment on column report.callback_attempts.duration_ms is 'How long it took, in milliseconds.';
comment on column report.callback_attempts.url is 'Where it was sent. Empty: there was no URL.';
comment on column report.callback_attempts.outcome is
  'acknowledged; refused: an answer that does not acknowledge; or why there was no answer that can be judged: no_url, no_key, blocked, dns, connect, tls, reset, bad_answer, timeout, network.';
comment on column report.callback_attempts.status is 'HTTP status of the answer. Null: no answer.';
comment on column report.callback_attempts.answer is 'The first 2 KiB of the answer, as text. Null: no answer.';

comment on view report.volume_per_day is
  'Sums per merchant and UTC day: received by block time, announced by the credit''s time, acknowledged by the delivery''s time.';
comment on column report.volume_per_day.merchant_id is 'The merchants id in this database.';
comment on column report.volume_per_day.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.volume_per_day.day is 'The day, in UTC.';
comment on column report.volume_per_day.transfers is 'Transfers whose block is of this day.';
comment on column report.volume_per_day.received_usdt is 'Sum of these transfers, in USDT, credited or not.';
comment on column report.volume_per_day.callbacks is 'Callbacks written on this day.';
comment on column report.volume_per_day.announced_usdt is 'Sum of these callbacks, in USDT.';
comment on column report.volume_per_day.acknowledgements is 'Callbacks first acknowledged on this day.';
comment on column report.volume_per_day.acknowledged_usdt is 'Sum of these callbacks, in USDT.';

comment on view report.waiting_transfers is
  'Transfers that have no credit yet, each with the reason.';
comment on column report.waiting_transfers.transfer_id is 'The transfer that waits.';
comment on column report.waiting_transfers.merchant_id is 'The merchants id in this database.';
comment on column report.waiting_transfers.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.waiting_transfers.localusermark is
  'The merchant''s own id of the user. Empty: the address was skipped after a restore and is not assigned yet.';
comment on column report.waiting_transfers.username is 'The user''s name as the merchant gave it: a label.';
comment on column report.waiting_transfers.address is 'Deposit address in base58check (T..., 34 characters).';
comment on column report.waiting_transfers.txid is 'Transaction id: 64 hex digits.';
comment on column report.waiting_transfers.log_index is
  'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.waiting_transfers.from_address is 'The sender, in base58check.';
comment on column report.waiting_transfers.amount_usdt is 'Amount transferred, in USDT.';
comment on column report.waiting_transfers.amount_units is 'Amount transferred, in base units.';
comment on column report.waiting_transfers.reason is
  'unclaimed: no order to credit. held: waits for a second node. quarantined: crediting it failed. behind: an earlier transfer to the address is held or quarantined.';
comment on column report.waiting_transfers.why is 'The reason as a sentence.';
comment on column report.waiting_transfers.node is
  'The node that served the block of a held transfer. Null: it was never held.';
comment on column report.waiting_transfers.checked_at is 'When another node was last asked about it. Null: not asked yet.';
comment on column report.waiting_transfers.note is
  'What that node said when it did not agree. Null: it agreed, or was not asked yet.';
comment on column report.waiting_transfers.block_height is 'Height of the transfer''s block.';
comment on column report.waiting_transfers.block_time is 'Time of the transfer''s block: when it was paid, by the chain.';
comment on column report.waiting_transfers.waiting_since is 'When the transfer was recorded as waiting.';

comment on view report.quarantine is
  'Logs that could not be decoded (transfer_id is null) and transfers that could not be credited. See gateway quarantine.';
comment on column report.quarantine.quarantine_id is 'The id that gateway quarantine takes.';
comment on column report.quarantine.transfer_id is
  'The transfer that could not be credited. Null: a log that could not be decoded.';
comment on column report.quarantine.txid is 'Transaction id: 64 hex digits.';
comment on column report.quarantine.log_index is
  'Position in the transaction''s logs, from 0. One transaction can pay several times.';
comment on column report.quarantine.block_height is 'Height of its block.';
comment on column report.quarantine.reason is 'Why it could not be decoded or credited.';
comment on column report.quarantine.log is
  'The log as the node sent it; for a transfer its sender, recipient and amount in base units.';
comment on column report.quarantine.created_at is 'When it was first parked.';
comment on column report.quarantine.resolved_at is 'When it was decoded or credited after all. Null: still parked.';

comment on view report.discrepancies is
  'Differences found by a second source, to be investigated. They never cause a credit.';
comment on column report.discrepancies.discrepancy_id is 'The discrepancy''s id in this database.';
comment on column report.discrepancies.kind is
  'missing_transfer: the second source has it, this gateway does not. extra_transfer: the reverse. balance_excess: the address holds more than it is known to have received. block_header: a node has another block at a recorded height. event_index: a node''s event index differs from its transaction infos.';
comment on column report.discrepancies.subject is 'What it is about: an address or a block height.';
comment on column report.discrepancies.detail is 'What was found, as JSON.';
comment on column report.discrepancies.found_at is 'When it was first found.';
comment on column report.discrepancies.last_seen_at is 'When it was last found again.';
comment on column report.discrepancies.resolved_at is 'When it was no longer found. Null: open.';

comment on view report.watcher is
  'How far the chain has been followed. One row; none before the first start.';
comment on column report.watcher.network is 'The network this database is bound to.';
comment on column report.watcher.usdt_contract is 'Address of the USDT contract, in base58check.';
comment on column report.watcher.start_height is 'The block that following started after.';
comment on column report.watcher.height is 'The last recorded block.';
comment on column report.watcher.hash is 'Block id of the last recorded block: 64 hex digits.';
comment on column report.watcher.block_time is 'Time of the last recorded block, by the chain.';
comment on column report.watcher.updated_at is 'When the last recorded block was recorded.';
comment on column report.watcher.behind_seconds is
  'Age of the last recorded block in seconds. About 60 is normal, since solidification takes as long; 180 raises an alarm.';
comment on column report.watcher.head_height is 'The newest block, not solidified. Null: none was seen yet.';
comment on column report.watcher.behind_head_blocks is
  'Blocks from the last recorded to the newest: normally about 19. Out of date when head_seen_at is.';
comment on column report.watcher.head_seen_at is 'When the newest block was seen. Null: none was seen yet.';
comment on column report.watcher.leader is
  'The watcher that took the lease last: host, process id and a random part. Null: none yet.';
comment on column report.watcher.leads is 'That watcher''s lease has not run out.';

comment on view report.audit_events is
  'Changes made by hand. Append-only.';
comment on column report.audit_events.audit_event_id is 'The event''s id, in the order of writing.';
comment on column report.audit_events.created_at is 'When the change was made.';
comment on column report.audit_events.actor is 'By what means. Always "command line" so far; it names no person.';
comment on column report.audit_events.action is 'What was done, in dotted form: merchant.added.';
comment on column report.audit_events.subject is 'To whom or what: merchant VunTq7Zk2Lm9h1l8.';
comment on column report.audit_events.detail is 'Details of the change, as JSON. No secrets.';

comment on view report.audit_orders is
  'Per order the sums that gateway audit compares: received_units = credited_units, and announceable = announced = called_back.';
comment on column report.audit_orders.order_id is 'The order''s id in this database.';
comment on column report.audit_orders.merchant_id is 'The merchants id in this database.';
comment on column report.audit_orders.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.audit_orders.orderid is 'The merchant''s own order number, unique per merchant.';
comment on column report.audit_orders.received_units is 'What the order says it received, in base units.';
comment on column report.audit_orders.credited_units is 'Sum of its credits, in base units.';
comment on column report.audit_orders.announceable is 'received_units in 1/10000 USDT, rounded down.';
comment on column report.audit_orders.announced is 'What the order says was announced, in 1/10000 USDT.';
comment on column report.audit_orders.called_back is 'Sum of its callbacks'' amounts, in 1/10000 USDT.';

comment on view report.audit_merchants is
  'Per merchant the sums that gateway audit compares: arrived_units - waiting_units = credited_units = received_units.';
comment on column report.audit_merchants.merchant_id is 'The merchants id in this database.';
comment on column report.audit_merchants.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.audit_merchants.name is 'The merchant''s name: a label.';
comment on column report.audit_merchants.orders is 'Number of its orders.';
comment on column report.audit_merchants.transfers is 'Number of transfers to its addresses.';
comment on column report.audit_merchants.arrived_units is 'Sum of all transfers to its addresses, in base units.';
comment on column report.audit_merchants.waiting_units is 'Sum of the transfers that have no credit yet, in base units.';
comment on column report.audit_merchants.credited_units is 'Sum of the credits of its orders, in base units.';
comment on column report.audit_merchants.received_units is 'Sum of what its orders say they received, in base units.';
comment on column report.audit_merchants.announced is 'Sum of its callbacks'' amounts, in 1/10000 USDT.';
comment on column report.audit_merchants.acknowledged is 'Sum of its acknowledged callbacks, in 1/10000 USDT.';
comment on column report.audit_merchants.due is 'Number of callbacks neither acknowledged nor exhausted.';
comment on column report.audit_merchants.exhausted is 'Number of callbacks given up.';

comment on view report.api_requests is
  'Every authenticated request of a merchant, for as many months as are kept.';
comment on column report.api_requests.started_at is 'When the request came in.';
comment on column report.api_requests.merchant_id is 'The merchants id in this database.';
comment on column report.api_requests.appid is 'The merchant''s app id: 16 letters and digits.';
comment on column report.api_requests.endpoint is 'Name of the endpoint: POST /api/merchant/<endpoint>.';
comment on column report.api_requests.code is 'ok, or the code it was refused with.';
comment on column report.api_requests.orderid is
  'The merchant''s own order number in the request. Null: none, or not a valid one.';
comment on column report.api_requests.client_address is 'IP address that the request came from.';
comment on column report.api_requests.duration_ms is 'How long it took to answer, in milliseconds.';
comment on column report.api_requests.request_id is
  'The request''s id, as in the answer''s x-request-id and in the log. Null: written before ids were kept.';
