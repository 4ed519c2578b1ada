-- Up to which position (epoch, then version) each consumer has seen each account's
-- events. On its own: a consumer's database is often not the ledger's.
CREATE TABLE IF NOT EXISTS wallet_inbox (
    consumer TEXT    NOT NULL CHECK (length(CAST(consumer AS BLOB)) BETWEEN 1 AND 128),
    ledger   INTEGER NOT NULL,
    account  BLOB    NOT NULL CHECK (length(account) = 16),
    epoch    INTEGER NOT NULL CHECK (epoch > 0),
    version  INTEGER NOT NULL CHECK (version > 0),
    PRIMARY KEY (consumer, ledger, account)
) STRICT, WITHOUT ROWID;
-- The restores of the ledger's database that each consumer was told of.
CREATE TABLE IF NOT EXISTS wallet_inbox_restore (
    consumer    TEXT    NOT NULL CHECK (length(CAST(consumer AS BLOB)) BETWEEN 1 AND 128),
    epoch       INTEGER NOT NULL CHECK (epoch > 1),
    restored_to INTEGER NOT NULL,
    PRIMARY KEY (consumer, epoch)
) STRICT, WITHOUT ROWID;
