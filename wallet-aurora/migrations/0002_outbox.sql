-- What a relay publishes: a row for each commit with effects, under the commit's
-- id. It names the first `accepted` outcomes of that commit in the journal.
CREATE TABLE IF NOT EXISTS wallet_outbox (
    id          BIGINT     NOT NULL PRIMARY KEY,
    accepted    INT        NOT NULL,
    created_at  BIGINT     NOT NULL,
    -- The done events: ascending indices of 4 bytes, big-endian.
    done        MEDIUMBLOB NOT NULL,
    -- 0: open, 1: complete, 2: put aside behind parked events.
    state       TINYINT    NOT NULL CHECK (state BETWEEN 0 AND 2),
    KEY wallet_outbox_by_state (state, id)
) ENGINE = InnoDB;

-- Row 0 is the lease of the outbox. A write that only proves that the database
-- takes writes inserts a row from 1024 on, by its connection, and deletes it in
-- the same transaction.
CREATE TABLE IF NOT EXISTS wallet_lease (
    id       SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    owner    VARBINARY(1024)   NOT NULL,
    token    BIGINT            NOT NULL,
    until_at BIGINT            NOT NULL
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS wallet_parked (
    batch   BIGINT       NOT NULL,
    event   INT UNSIGNED NOT NULL,
    ledger  INT UNSIGNED NOT NULL,
    account BINARY(16)   NOT NULL,
    version BIGINT       NOT NULL,
    reason  MEDIUMBLOB   NOT NULL,
    PRIMARY KEY (batch, event)
) ENGINE = InnoDB;
