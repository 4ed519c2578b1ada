//! Amazon DynamoDB for the wallet ledger. The crate has two adapters: the history of
//! accounts, stored without end ([`DynamoHistory`], the port
//! [`HistoryStore`](wallet_core::history::HistoryStore)), and an audit log
//! ([`DynamoAuditLog`], the port [`AuditLog`](wallet_core::audit::AuditLog)).
//!
//! The host creates the client with its credentials, region, endpoint, HTTP and TLS. This
//! crate provides none of them.
//!
//! # The history table
//! | row | partition key | sort key |
//! |---|---|---|
//! | an entry | `e`, ledger, account, stripe | time, sequence; after a restore the epoch in which it was known |
//! | an account's head: how far its history has come | `h`, ledger, account | 0 |
//!
//! All keys are bytes in the sort order of their values. So two entries of one microsecond
//! are neighbours, and a page is a range. Each entry contains the time of the entry before
//! it. So two neighbours prove that no entry is missing between them. The first row after a
//! time proves the balance at that time ([`balance_at`](wallet_core::history::balance_at)).
//!
//! After a restore of the ledger's database, one conditional write of the head takes an
//! account's history back. The head records the restores, and the history continues in the
//! new epoch. No row is changed. A reader passes the restores, and rows that they leave in
//! doubt are skipped. Skipped rows cost their read units, and one more request for each 200
//! rows.
//!
//! Two indexes hold whole rows: `by_transfer` (ledger, transfer; leg) and `by_reference`
//! (ledger, reference; time). The second contains only rows with a reference.
//! [`create_history_table`] creates the table and its indexes, billed by request.
//! `table.json` beside this crate is the same for `CloudFormation`.
//!
//! # Cost
//! A write unit writes 1 KB. A read unit reads 4 KB consistently, or 8 KB otherwise
//! ([AWS](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html)).
//! Most rows have 0.4 to 0.6 KB.
//!
//! | operation | requests | units |
//! |---|---|---|
//! | writing n entries of a accounts | a/100 reads, n/25 writes, a head writes | n × 2 write (3 with a reference) + a write + a × 1 read |
//! | a page of n entries | one per MB and stripe | n/8 read |
//! | the balance at a past time | one (per stripe) | 1 read |
//! | the rows of a transfer, of a reference | one per MB | n/16 read |
//! | superseding the rows of a accounts | a/100 reads, a queries, a head writes | a × 2 read + a write |
//! | setting n entries to expire | n | n × 2 write (3 with a reference); their removal is free |
//!
//! # Hot accounts
//! A partition of DynamoDB takes 1,000 write units and gives 3,000 read units a second. One
//! partition key lies in one partition. Keys of entries only grow, so splitting a hot
//! partition by sort key would not help. Name an account with more than about 800 entries a
//! second in [`DynamoSettings::spread`], with one stripe for each 800. Entry 1 goes to the
//! first stripe, entry 2 to the next. At 10,000 entries a second that is 13 stripes, each
//! with 770 write units a second. A page or a past balance then takes 13 concurrent
//! requests. The index by transfer spreads its rows by itself. A reference shared by more
//! than 1,000 entries a second is too hot for its index, and slows the table.
//!
//! # Failures
//! A call has a time limit. It is retried with backoff, a bounded number of times, if it
//! was throttled, lost or done in part. Errors are classified by their codes. A call with
//! an unknown code is not retried.
//!
//! Expired credentials are a temporary error: `ExpiredTokenException`, `ExpiredToken` and
//! `RequestExpired` ([common
//! errors](https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html)) are
//! retried, and end as `Unavailable`. So is `UnrecognizedClientException`: the service also
//! returns it for keys that it does not know yet or any more. With a wrong key a host
//! therefore sees `Unavailable`, and the code in the error's source.
//!
//! # Rights
//! | who | actions |
//! |---|---|
//! | history | `dynamodb:BatchGetItem`, `BatchWriteItem`, `PutItem`, `UpdateItem` on the table; `Query` on the table and on `index/*` of it |
//! | audit log | `dynamodb:PutItem`, `Query` on its table |
//! | setting tables up | `dynamodb:CreateTable`, `DescribeTable`, `DescribeTimeToLive`, `UpdateTimeToLive` |
//!
//! `TransactWriteItems` is a call and not a right. Each of its rows needs the right of its
//! own operation (`PutItem`, `UpdateItem`, `DeleteItem`, `ConditionCheckItem`;
//! [AWS](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html)).
//! To allow puts in transactions only, use the condition key `dynamodb:EnclosingOperation`.
//!
//! # What is proven where
//! The test lists of both ports pass on dynoxide, an emulator, with rows under one key and
//! spread over three. A scripted table in memory proves throttling, rows left out of a
//! batch, and lost answers. A scripted server proves tables in creation, crashes between
//! the steps of setup, and expired credentials. The emulator does not prove rights, which
//! it does not check, nor how long AWS takes to create a table. Nothing of this ran on AWS.

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
