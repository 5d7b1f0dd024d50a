-- Outside a transaction: one index on transfer, built concurrently. Blocks neither reads nor writes, and waits for
-- transactions older than itself. Code from before can run beside it.

-- Pages of `transfers`, newest first: the order of the chain.
create index concurrently if not exists transfer_place
    on transfer (block_height, tx_index, log_index);
