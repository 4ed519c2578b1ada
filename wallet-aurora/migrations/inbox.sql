-- Up to which version each consumer has seen each account's events. On its own:
-- a consumer's database is often not the ledger's.
CREATE TABLE IF NOT EXISTS wallet_inbox (
    consumer VARBINARY(128) NOT NULL,
    ledger   INT UNSIGNED   NOT NULL,
    account  BINARY(16)     NOT NULL,
    version  BIGINT         NOT NULL CHECK (version > 0),
    PRIMARY KEY (consumer, ledger, account)
) ENGINE = InnoDB
