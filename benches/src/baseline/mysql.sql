-- What the ledger needs and no more. `version` counts an account's entries.
CREATE TABLE account (
    id       BIGINT  NOT NULL PRIMARY KEY,
    currency CHAR(3) NOT NULL,
    floor    BIGINT,
    balance  BIGINT  NOT NULL,
    version  BIGINT  NOT NULL
) ENGINE = InnoDB;

CREATE TABLE transfer (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    payer      BIGINT NOT NULL,
    payee      BIGINT NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    created_at BIGINT NOT NULL
) ENGINE = InnoDB;

CREATE TABLE entry (
    account       BIGINT NOT NULL,
    sequence      BIGINT NOT NULL,
    transfer      BIGINT NOT NULL,
    amount        BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    PRIMARY KEY (account, sequence)
) ENGINE = InnoDB;

-- The answer is the transfer and both balances; without one it was refused.
CREATE TABLE idempotency (
    name          VARBINARY(64) NOT NULL PRIMARY KEY,
    transfer      BIGINT,
    payer_balance BIGINT,
    payee_balance BIGINT
) ENGINE = InnoDB;

-- Transfers to publish: the rest stands in their entries.
CREATE TABLE outbox (
    transfer BIGINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
