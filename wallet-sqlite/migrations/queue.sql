-- Queues of messages. On its own: the file of a queue is often not the ledger's.
-- The number of the last message of all queues in this file. Numbers are never reused.
CREATE TABLE IF NOT EXISTS wallet_queue_counter (
    id   INTEGER PRIMARY KEY CHECK (id = 0),
    last INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO wallet_queue_counter (id, last) VALUES (0, 0);
-- The messages of all queues. `receives` begins again in the dead letters; `deliveries`
-- does not, so a receipt (number and deliveries) is never given twice.
CREATE TABLE IF NOT EXISTS wallet_queue_message (
    number        INTEGER PRIMARY KEY,
    queue         TEXT    NOT NULL CHECK (length(CAST(queue AS BLOB)) BETWEEN 1 AND 128),
    message_group TEXT    NOT NULL,
    receives      INTEGER NOT NULL DEFAULT 0 CHECK (receives >= 0),
    deliveries    INTEGER NOT NULL DEFAULT 0 CHECK (deliveries >= receives),
    -- When the hold began or was extended, and when it ends: microseconds since 1970, 0 for
    -- a message that nobody holds.
    held_at       INTEGER NOT NULL DEFAULT 0,
    hidden_until  INTEGER NOT NULL DEFAULT 0 CHECK (hidden_until >= held_at),
    event_id      TEXT    NOT NULL,
    attributes    BLOB    NOT NULL,
    body          TEXT    NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS wallet_queue_order
    ON wallet_queue_message (queue, message_group, number);
CREATE INDEX IF NOT EXISTS wallet_queue_hidden
    ON wallet_queue_message (queue, hidden_until, message_group, held_at)
    WHERE hidden_until > 0;
CREATE INDEX IF NOT EXISTS wallet_queue_received
    ON wallet_queue_message (queue, receives) WHERE receives > 0;
-- The groups that have messages, and the number of the first one.
CREATE TABLE IF NOT EXISTS wallet_queue_group (
    queue         TEXT    NOT NULL,
    message_group TEXT    NOT NULL,
    first         INTEGER NOT NULL,
    PRIMARY KEY (queue, message_group)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS wallet_queue_first ON wallet_queue_group (queue, first);
-- The de-duplication ids that were sent lately.
CREATE TABLE IF NOT EXISTS wallet_queue_sent (
    queue   TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS wallet_queue_sent_at ON wallet_queue_sent (queue, sent_at);
