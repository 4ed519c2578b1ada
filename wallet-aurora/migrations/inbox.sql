-- Up to which position (epoch, then version) each consumer has seen each account's
-- events. On its own: a consumer's database is often not the ledger's.
CREATE TABLE IF NOT EXISTS wallet_inbox (
    consumer VARBINARY(128) NOT NULL,
    ledger   INT UNSIGNED   NOT NULL,
    account  BINARY(16)     NOT NULL,
    epoch    BIGINT         NOT NULL CHECK (epoch > 0),
    version  BIGINT         NOT NULL CHECK (version > 0),
    PRIMARY KEY (consumer, ledger, account)
) ENGINE = InnoDB;
-- The restores of the ledger's database that each consumer was told of.
CREATE TABLE IF NOT EXISTS wallet_inbox_restore (
    consumer    VARBINARY(128) NOT NULL,
    epoch       BIGINT         NOT NULL CHECK (epoch > 1),
    restored_to BIGINT         NOT NULL,
    PRIMARY KEY (consumer, epoch)
) ENGINE = InnoDB
