-- What a relay publishes. A row names the accepted outcomes of one commit in
-- the journal; its id is that of the last of them, so it rises with commits
-- and is never given twice. Those to publish stand together at the front: found
-- without an index, whose page every commit would write.
CREATE TABLE wallet_outbox (
    -- 0: open, 1: complete, 2: put aside behind parked events.
    state       INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
    id          INTEGER NOT NULL,
    first_id    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    -- The done events: ascending indices of 4 bytes, big-endian.
    done        BLOB    NOT NULL DEFAULT x'',
    PRIMARY KEY (state, id)
) STRICT, WITHOUT ROWID;

-- Row 0 is the lease of the outbox. A probe inserts row -1 and deletes it in the
-- same transaction.
CREATE TABLE wallet_lease (
    id    INTEGER NOT NULL PRIMARY KEY,
    owner TEXT    NOT NULL,
    token INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE wallet_parked (
    row     INTEGER NOT NULL,
    event   INTEGER NOT NULL,
    ledger  INTEGER NOT NULL,
    account BLOB    NOT NULL,
    version INTEGER NOT NULL,
    reason  TEXT    NOT NULL,
    PRIMARY KEY (row, event)
) STRICT, WITHOUT ROWID;
