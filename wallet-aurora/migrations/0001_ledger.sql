-- The ledger's tables. Money is DECIMAL in minor units, times are microseconds
-- since 1970, ids their 16 bytes, texts their UTF-8 as VARBINARY: no collation
-- takes part in what is equal. Every statement may be run again.

-- Tells one set of books from another, and says which epoch they are in. Every
-- commit shares this row's lock, so that a raise of the epoch waits for it.
CREATE TABLE IF NOT EXISTS wallet_identity (
    only_row TINYINT    NOT NULL PRIMARY KEY CHECK (only_row = 1),
    id       BINARY(16) NOT NULL,
    epoch    BIGINT     NOT NULL DEFAULT 1 CHECK (epoch > 0)
) ENGINE = InnoDB;
INSERT INTO wallet_identity (only_row, id) VALUES (1, UNHEX(REPLACE(UUID(), '-', '')))
    ON DUPLICATE KEY UPDATE only_row = only_row;

-- Every time that the books went back to an earlier state: until then all is of
-- epoch 1.
CREATE TABLE IF NOT EXISTS wallet_epoch (
    number      BIGINT         NOT NULL PRIMARY KEY CHECK (number > 1),
    restored_to BIGINT         NOT NULL,
    raised_at   BIGINT         NOT NULL,
    raised_by   VARBINARY(128) NOT NULL
) ENGINE = InnoDB;

-- The immutable part of an account. `num` stands for (ledger, id) in other
-- tables, which keeps their rows narrow; it is for ever.
CREATE TABLE IF NOT EXISTS wallet_account_profile (
    ledger     INT UNSIGNED   NOT NULL,
    id         BINARY(16)     NOT NULL,
    num        BIGINT         NOT NULL,
    currency   VARBINARY(12)  NOT NULL,
    exponent   TINYINT        NOT NULL,
    is_system  TINYINT        NOT NULL CHECK (is_system BETWEEN 0 AND 1),
    owner      VARBINARY(128) NOT NULL,
    metadata   VARBINARY(4096),
    created_at BIGINT         NOT NULL,
    PRIMARY KEY (ledger, id),
    KEY wallet_account_by_owner (ledger, owner, id),
    KEY wallet_account_by_currency (ledger, currency, id),
    KEY wallet_account_by_owner_and_currency (ledger, owner, currency, id)
) ENGINE = InnoDB;

-- The mutable part. Its row's lock guards everything that hangs on the account.
-- `ledger` to `is_system` repeat what never changes: whoever locks a row by a number
-- that it remembers proves with them whose row it is, since a failover or a restore
-- may have given the number to another account.
-- The defaults are never seen: many rows are changed at once in the form of an
-- insert that names the changed columns only.
CREATE TABLE IF NOT EXISTS wallet_account (
    num             BIGINT         NOT NULL PRIMARY KEY,
    ledger          INT UNSIGNED   NOT NULL DEFAULT 0,
    id              BINARY(16)     NOT NULL DEFAULT '',
    currency        VARBINARY(12)  NOT NULL DEFAULT '',
    exponent        TINYINT        NOT NULL DEFAULT 0,
    is_system       TINYINT        NOT NULL DEFAULT 0 CHECK (is_system BETWEEN 0 AND 1),
    policy          TINYINT        NOT NULL DEFAULT 0 CHECK (policy BETWEEN 0 AND 2),
    overdraft       DECIMAL(38, 0),
    max_balance     DECIMAL(38, 0),
    status          TINYINT        NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 4),
    debits_posted   DECIMAL(38, 0) NOT NULL DEFAULT 0,
    credits_posted  DECIMAL(38, 0) NOT NULL DEFAULT 0,
    debits_pending  DECIMAL(38, 0) NOT NULL DEFAULT 0,
    credits_pending DECIMAL(38, 0) NOT NULL DEFAULT 0,
    version         BIGINT         NOT NULL CHECK (version > 0),
    sequence        BIGINT         NOT NULL CHECK (sequence >= 0),
    last_at         BIGINT         NOT NULL
) ENGINE = InnoDB;

-- One row per commit; its id is given after the accounts are locked. What a
-- commit writes is numbered from id * 65536 on: its outcomes in the journal (the
-- accepted ones first), its new accounts. The row stays for as long as the keys
-- are kept; `purged` of them are gone. `bulks` of the accepted ones are bulk
-- requests, whose keys go after those of their items. Until the commit is decided it is newer
-- than any other, so that a purge does not wait for it.
CREATE TABLE IF NOT EXISTS wallet_batch (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    accepted   INT    NOT NULL DEFAULT 0,
    outcomes   INT    NOT NULL DEFAULT 0,
    purged     INT    NOT NULL DEFAULT 0,
    bulks      INT    NOT NULL DEFAULT 0,
    written_at BIGINT NOT NULL DEFAULT 9223372036854775807,
    KEY wallet_batch_by_age (written_at, id)
) ENGINE = InnoDB;

-- Every outcome, once, in the order of commits: what a replay answers, what a
-- transfer and an entry are read from, what the outbox publishes. Accepted ones
-- stay for ever, without their key once it is forgotten; refusals go with it.
--
-- `transfer` is the outcome's first one. Each further one has a row of its own
-- behind all outcomes of the commit, which says where it is `told`.
CREATE TABLE IF NOT EXISTS wallet_journal (
    id          BIGINT       NOT NULL PRIMARY KEY,
    ledger      INT UNSIGNED NOT NULL,
    hash        BINARY(16),
    fingerprint BINARY(32),
    transfer    BINARY(16),
    told        BIGINT,
    outcome     MEDIUMBLOB,
    UNIQUE KEY wallet_journal_by_key (hash, ledger),
    UNIQUE KEY wallet_journal_by_transfer (transfer, ledger)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS wallet_reference (
    ledger    INT UNSIGNED   NOT NULL,
    reference VARBINARY(128) NOT NULL,
    transfer  BINARY(16)     NOT NULL,
    PRIMARY KEY (ledger, reference, transfer)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS wallet_hold_reference (
    ledger    INT UNSIGNED   NOT NULL,
    reference VARBINARY(128) NOT NULL,
    hold      BINARY(16)     NOT NULL,
    PRIMARY KEY (ledger, reference, hold)
) ENGINE = InnoDB;

-- The transfers that capture a hold.
CREATE TABLE IF NOT EXISTS wallet_capture (
    ledger   INT UNSIGNED NOT NULL,
    hold     BINARY(16)   NOT NULL,
    transfer BINARY(16)   NOT NULL,
    PRIMARY KEY (ledger, hold, transfer)
) ENGINE = InnoDB;

-- How much of each leg of a transfer is reversed.
CREATE TABLE IF NOT EXISTS wallet_reversal (
    ledger   INT UNSIGNED      NOT NULL,
    transfer BINARY(16)        NOT NULL,
    leg      SMALLINT UNSIGNED NOT NULL,
    reversed DECIMAL(38, 0)    NOT NULL,
    PRIMARY KEY (ledger, transfer, leg)
) ENGINE = InnoDB;

-- An account's statement: where each of its entries is told.
CREATE TABLE IF NOT EXISTS wallet_entry (
    account    BIGINT NOT NULL,
    sequence   BIGINT NOT NULL CHECK (sequence > 0),
    created_at BIGINT NOT NULL,
    journal    BIGINT NOT NULL,
    PRIMARY KEY (account, sequence)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS wallet_hold (
    ledger     INT UNSIGNED NOT NULL,
    id         BINARY(16)   NOT NULL,
    payer      BINARY(16)   NOT NULL,
    payee      BINARY(16)   NOT NULL,
    status     TINYINT      NOT NULL CHECK (status BETWEEN 0 AND 3),
    expires_at BIGINT,
    body       BLOB         NOT NULL,
    PRIMARY KEY (ledger, id),
    KEY wallet_hold_by_payer (ledger, payer, status, id),
    KEY wallet_hold_by_payee (ledger, payee, status, id),
    KEY wallet_hold_by_expiry (status, expires_at, ledger, id)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS wallet_currency (
    code     VARBINARY(12) NOT NULL PRIMARY KEY,
    exponent TINYINT       NOT NULL
) ENGINE = InnoDB;
