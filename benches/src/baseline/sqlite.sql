-- What the ledger needs and no more. `version` counts an account's entries.
CREATE TABLE account (
    id       INTEGER PRIMARY KEY,
    currency TEXT    NOT NULL,
    floor    INTEGER,
    balance  INTEGER NOT NULL,
    version  INTEGER NOT NULL
) STRICT;

CREATE TABLE transfer (
    id         INTEGER PRIMARY KEY,
    payer      INTEGER NOT NULL,
    payee      INTEGER NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE entry (
    account       INTEGER NOT NULL,
    sequence      INTEGER NOT NULL,
    transfer      INTEGER NOT NULL,
    amount        INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    PRIMARY KEY (account, sequence)
) STRICT, WITHOUT ROWID;

-- The answer is the transfer and both balances; without one it was refused.
CREATE TABLE idempotency (
    key           TEXT NOT NULL PRIMARY KEY,
    transfer      INTEGER,
    payer_balance INTEGER,
    payee_balance INTEGER
) STRICT, WITHOUT ROWID;

-- Transfers to publish: the rest stands in their entries.
CREATE TABLE outbox (
    transfer INTEGER PRIMARY KEY
) STRICT;
