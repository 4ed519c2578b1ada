-- The ledger's tables. Money is kept as big-endian two's complement of 16
-- bytes where nothing else is said, times as microseconds since 1970, ids as their 16 bytes.

-- Every time that the books went back to an earlier state: until then all is of
-- epoch 1. What is written after it names the greatest number here.
CREATE TABLE wallet_epoch (
    number      INTEGER PRIMARY KEY CHECK (number > 1),
    restored_to INTEGER NOT NULL,
    raised_at   INTEGER NOT NULL,
    raised_by   TEXT    NOT NULL
) STRICT;

-- The mutable part of an account. `num` stands for (ledger, id) in every other
-- table: it keeps their rows narrow.
CREATE TABLE wallet_account (
    num         INTEGER PRIMARY KEY,
    ledger      INTEGER NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    currency    TEXT    NOT NULL,
    exponent    INTEGER NOT NULL,
    system      INTEGER NOT NULL CHECK (system BETWEEN 0 AND 1),
    policy      INTEGER NOT NULL CHECK (policy BETWEEN 0 AND 2),
    overdraft   BLOB             CHECK ((overdraft IS NOT NULL) = (policy = 1)),
    max_balance BLOB,
    status      INTEGER NOT NULL CHECK (status BETWEEN 0 AND 4),
    -- Debits and credits posted, debits and credits pending: of each its length
    -- in bytes, and its bytes, big-endian, without leading zeros.
    counters    BLOB    NOT NULL CHECK (length(counters) BETWEEN 4 AND 68),
    version     INTEGER NOT NULL CHECK (version > 0),
    sequence    INTEGER NOT NULL CHECK (sequence >= 0),
    last_at     INTEGER NOT NULL,
    -- The journal row that tells its latest entry; 0 when it has none.
    last_entry  INTEGER NOT NULL,
    UNIQUE (ledger, id)
) STRICT;
CREATE INDEX wallet_account_by_currency ON wallet_account (ledger, currency, id);

-- The immutable part of an account, which no transfer reads.
CREATE TABLE wallet_account_profile (
    num        INTEGER PRIMARY KEY,
    ledger     INTEGER NOT NULL,
    id         BLOB    NOT NULL,
    owner      TEXT    NOT NULL,
    -- As in wallet_account: an owner's accounts are found by currency too.
    currency   TEXT    NOT NULL,
    metadata   TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX wallet_account_by_owner ON wallet_account_profile (ledger, owner, id);
CREATE INDEX wallet_account_by_owner_and_currency
    ON wallet_account_profile (ledger, owner, currency, id);

-- Every outcome, once, in the order of commits: what a replay answers, what a
-- transfer and an entry are read from, what the outbox publishes. Outcomes of
-- accepted requests stay for ever; refusals go with their key.
CREATE TABLE wallet_journal (
    id      INTEGER PRIMARY KEY,
    ledger  INTEGER NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 16),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    outcome BLOB    NOT NULL,
    -- For each account that gets an entry, in the order of their first ones:
    -- the row that tells its entry before (0: none), 8 bytes, big-endian.
    links   BLOB    NOT NULL
) STRICT;

-- Idempotency keys, and where their outcome is told. They come in no order, so
-- that each is a page: the narrower the row, the fewer of them.
CREATE TABLE wallet_record (
    ledger  INTEGER NOT NULL,
    hash    BLOB    NOT NULL,
    journal INTEGER NOT NULL,
    PRIMARY KEY (ledger, hash)
) STRICT, WITHOUT ROWID;

-- What commits of many requests have not written to wallet_account and
-- wallet_record yet: one row a commit, numbered without a gap, for as long as
-- any of it is not there. A greater version of an account counts, wherever.
-- A restore gives numbers again; the nonce, 16 random bytes, it never does.
CREATE TABLE wallet_deferred (
    number INTEGER PRIMARY KEY,
    nonce  BLOB    NOT NULL CHECK (length(nonce) = 16),
    body   BLOB    NOT NULL
) STRICT;

-- The journal row up to which the purge has come: keys told up to there are gone.
CREATE TABLE wallet_purge (
    number INTEGER PRIMARY KEY CHECK (number = 0),
    until  INTEGER NOT NULL
) STRICT;
INSERT INTO wallet_purge (number, until) VALUES (0, 0);

-- Where a transfer is told.
CREATE TABLE wallet_transfer (
    ledger  INTEGER NOT NULL,
    id      BLOB    NOT NULL CHECK (length(id) = 16),
    journal INTEGER NOT NULL,
    PRIMARY KEY (ledger, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE wallet_reference (
    ledger    INTEGER NOT NULL,
    reference TEXT    NOT NULL,
    transfer  BLOB    NOT NULL,
    PRIMARY KEY (ledger, reference, transfer)
) STRICT, WITHOUT ROWID;

-- How much of each leg of a transfer is reversed.
CREATE TABLE wallet_reversal (
    ledger   INTEGER NOT NULL,
    transfer BLOB    NOT NULL,
    leg      INTEGER NOT NULL,
    reversed BLOB    NOT NULL CHECK (length(reversed) = 16),
    PRIMARY KEY (ledger, transfer, leg)
) STRICT, WITHOUT ROWID;

-- Where every sixteenth entry of an account is told. The others are found from
-- the next of these, or from the account, along the journal's links: a row for
-- each entry would dirty a page for each, more than all else together.
CREATE TABLE wallet_entry (
    account    INTEGER NOT NULL,
    sequence   INTEGER NOT NULL CHECK (sequence > 0),
    created_at INTEGER NOT NULL,
    journal    INTEGER NOT NULL,
    PRIMARY KEY (account, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE wallet_hold (
    ledger     INTEGER NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    payer      BLOB    NOT NULL,
    payee      BLOB    NOT NULL,
    status     INTEGER NOT NULL CHECK (status BETWEEN 0 AND 3),
    expires_at INTEGER,
    body       BLOB    NOT NULL,
    PRIMARY KEY (ledger, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX wallet_hold_by_payer ON wallet_hold (ledger, payer, status, id);
CREATE INDEX wallet_hold_by_payee ON wallet_hold (ledger, payee, status, id);
CREATE INDEX wallet_hold_by_expiry ON wallet_hold (expires_at, ledger, id)
    WHERE status = 0 AND expires_at IS NOT NULL;

CREATE TABLE wallet_hold_reference (
    ledger    INTEGER NOT NULL,
    reference TEXT    NOT NULL,
    hold      BLOB    NOT NULL,
    PRIMARY KEY (ledger, reference, hold)
) STRICT, WITHOUT ROWID;

-- The transfers that capture a hold.
CREATE TABLE wallet_capture (
    ledger   INTEGER NOT NULL,
    hold     BLOB    NOT NULL,
    transfer BLOB    NOT NULL,
    PRIMARY KEY (ledger, hold, transfer)
) STRICT, WITHOUT ROWID;

CREATE TABLE wallet_currency (
    code     TEXT    NOT NULL PRIMARY KEY,
    exponent INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
