//! Amazon DynamoDB for the wallet ledger: the history of accounts, kept for ever
//! ([`DynamoHistory`], the port [`HistoryStore`](wallet_core::history::HistoryStore)), and an
//! audit log ([`DynamoAuditLog`], the port [`AuditLog`](wallet_core::audit::AuditLog)).
//!
//! The host makes the client, with its credentials, region, endpoint, HTTP and TLS:
//! this crate brings none of them.
//!
//! # The table of history
//! | row | partition key | sort key |
//! |---|---|---|
//! | an entry | `e`, ledger, account, stripe | time, sequence; after a restore the epoch in which it was known |
//! | how far an account has come | `h`, ledger, account | 0 |
//!
//! All keys are bytes that sort as what they say, so that two entries of one
//! microsecond stand side by side and a page is a range. Each entry names the time
//! of the one before it: two neighbours prove that nothing is missing between them,
//! and the first row after a time proves the balance at it
//! ([`balance_at`](wallet_core::history::balance_at)).
//!
//! After a restore of the ledger's database an account's history goes back by one
//! conditional write of its head, which names the restores, and goes on in the new
//! epoch. No row is changed: whoever reads tells the restores, and rows that these
//! leave in doubt are read past. They cost their read units, and a request more for
//! each 200 on the way.
//!
//! Two indexes hold whole rows: `by_transfer` (ledger, transfer; leg) and
//! `by_reference` (ledger, reference; time), the latter of rows that have a
//! reference only. [`create_history_table`] makes all of it, billed by request;
//! `table.json` beside this crate is the same for `CloudFormation`.
//!
//! # What it costs
//! A write unit writes 1 KB, a read unit reads 4 KB consistently or 8 KB otherwise
//! ([AWS](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html));
//! a row has 0.4 to 0.6 KB in most cases.
//!
//! | operation | requests | units |
//! |---|---|---|
//! | writing n entries of a accounts | a/100 reads, n/25 writes, a marks | n × 2 write (3 with a reference) + a write + a × 1 read |
//! | a page of n entries | one per MB and stripe | n/8 read |
//! | the balance at a past time | one (per stripe) | 1 read |
//! | the rows of a transfer, of a reference | one per MB | n/16 read |
//! | superseding of a accounts | a/100 reads, a queries, a marks | a × 2 read + a write |
//! | letting n entries expire | n | n × 2 write (3 with a reference); their removal is free |
//!
//! # Hot accounts
//! A partition of DynamoDB takes 1,000 write units and gives 3,000 read units a
//! second, and one key lies in one partition. Keys of entries only grow, so that
//! splitting a hot one by its sort key would not help. An account with more than
//! about 800 entries a second is therefore named in
//! [`DynamoSettings::spread`], with a stripe for each 800: entry 1 goes to the first,
//! entry 2 to the next. At 10,000 entries a second that is 13 stripes: 770 write
//! units a second in each, of which a page or a past balance is 13 requests, made at
//! once. The index by transfer is even by itself; a reference that more than 1,000
//! entries a second share is too hot for its index, and slows the table.
//!
//! # When it fails
//! A call has a time limit, and is made again when it was throttled, lost or done in
//! part, with growing pauses, a bounded number of times. Errors are told apart by
//! their codes; of a code that is not known nothing is tried again.
//!
//! Credentials that have expired are passing: `ExpiredTokenException`, `ExpiredToken`
//! and `RequestExpired`
//! ([common errors](https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html))
//! are tried again, and end as `Unavailable`. So is `UnrecognizedClientException`, which
//! the service also answers for keys that it does not know yet or any more; with a wrong
//! key a host therefore sees `Unavailable`, and the code in the error's source.
//!
//! # Rights
//! | who | actions |
//! |---|---|
//! | history | `dynamodb:BatchGetItem`, `BatchWriteItem`, `PutItem`, `UpdateItem` on the table; `Query` on the table and on `index/*` of it |
//! | audit log | `dynamodb:PutItem`, `Query` on its table |
//! | setting tables up | `dynamodb:CreateTable`, `DescribeTable`, `DescribeTimeToLive`, `UpdateTimeToLive` |
//!
//! `TransactWriteItems` is a call and no right: each of its rows needs the right of what
//! is done to it (`PutItem`, `UpdateItem`, `DeleteItem`, `ConditionCheckItem`;
//! [AWS](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html)).
//! To allow puts in transactions only, the condition key `dynamodb:EnclosingOperation`
//! does it.
//!
//! # What is proven where
//! The lists of both ports pass on dynoxide, an emulator, with rows under one key
//! and spread over three. Throttling, rows left out of a batch and lost answers are
//! shown on a scripted table in memory; tables that are being created, crashes between
//! the steps of setting up, and expired credentials on a scripted server. Not shown by
//! the emulator: rights, which it does not check, and how long AWS takes to create a
//! table. Nothing of this ran on AWS.

mod audit;
mod client;
mod history;
mod keys;
mod settings;
mod table;

pub use audit::DynamoAuditLog;
pub use history::DynamoHistory;
pub use settings::DynamoSettings;
pub use table::{create_audit_table, create_history_table};
