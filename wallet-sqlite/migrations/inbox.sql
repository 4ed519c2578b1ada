-- Up to which version each consumer has seen each account's events. On its own:
-- a consumer's database is often not the ledger's.
CREATE TABLE IF NOT EXISTS wallet_inbox (
    consumer TEXT    NOT NULL CHECK (length(CAST(consumer AS BLOB)) BETWEEN 1 AND 128),
    ledger   INTEGER NOT NULL,
    account  BLOB    NOT NULL CHECK (length(account) = 16),
    version  INTEGER NOT NULL CHECK (version > 0),
    PRIMARY KEY (consumer, ledger, account)
) STRICT, WITHOUT ROWID;
