//! Repeats the setup of tables. It completes what is missing, and waits for what is in
//! progress.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{TimeToLiveSpecification, TimeToLiveStatus};
use serde_json::{Value, json};
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;
use wallet_core::{SystemClock, Timestamp};
use wallet_dynamo::{create_audit_table, create_history_table};

use crate::support::{Place, block_on};
use crate::wire::{Reply, Server, error, ok};

/// A clock whose sleeps end at once.
#[derive(Debug)]
struct QuickClock;

#[async_trait]
impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn sleep(&self, _: Duration) {}
}

fn table(status: &str) -> Reply {
    Reply::Says(200, json!({ "Table": { "TableStatus": status } }))
}

fn ends(description: &Value) -> Reply {
    Reply::Says(200, json!({ "TimeToLiveDescription": description }))
}

fn ends_by(attribute: &str, status: &str) -> Reply {
    ends(&json!({ "AttributeName": attribute, "TimeToLiveStatus": status }))
}

fn never() -> Reply {
    ends(&json!({ "TimeToLiveStatus": "DISABLED" }))
}

/// Sets up a history table. Returns the result and the requests that were sent.
async fn set_up(replies: Vec<Reply>) -> (Option<StoreErrorKind>, Vec<String>) {
    let server = Server::start(replies).await;
    let answer = create_history_table(&server.client(), &QuickClock, "table").await;
    (answer.err().map(|error| error.kind()), server.asked())
}

// The names of the operations, as the scripted server reports them.
const CREATE: &str = "createtable";
const LOOK: &str = "describetable";
const ENDS: &str = "describetimetolive";
const SET: &str = "updatetimetolive";

#[test]
fn a_table_that_is_being_created_is_waited_for() {
    block_on(Box::pin(async {
        let there = error("ResourceInUseException");
        let replies = vec![
            there.clone(),
            table("CREATING"),
            table("CREATING"),
            table("ACTIVE"),
            ends_by("ends", "ENABLED"),
        ];
        assert_eq!(
            set_up(replies).await,
            (
                None,
                [CREATE, LOOK, LOOK, LOOK, ENDS].map(str::to_owned).to_vec()
            )
        );
        // Descriptions lag behind the creation.
        let replies = vec![
            ok(),
            error("ResourceNotFoundException"),
            table("ACTIVE"),
            never(),
            ok(),
        ];
        assert_eq!(
            set_up(replies).await,
            (
                None,
                [CREATE, LOOK, LOOK, ENDS, SET].map(str::to_owned).to_vec()
            )
        );
        // The same holds for an audit log.
        let replies = vec![there, table("CREATING"), table("UPDATING")];
        let server = Server::start(replies).await;
        create_audit_table(&server.client(), &QuickClock, "table")
            .await
            .unwrap();
        assert_eq!(server.asked(), [CREATE, LOOK, LOOK]);
    }));
}

#[test]
fn a_table_that_never_is_ready_is_not_waited_for_without_end() {
    block_on(Box::pin(async {
        let mut replies = vec![error("ResourceInUseException")];
        replies.extend(std::iter::repeat_n(table("CREATING"), 601));
        let (kind, asked) = set_up(replies).await;
        assert_eq!(kind, Some(StoreErrorKind::Unavailable));
        assert_eq!(asked.len(), 601);
    }));
}

#[test]
fn the_end_of_rows_is_set_where_a_crash_came_before_it() {
    use StoreErrorKind::{Internal, Unavailable};
    block_on(Box::pin(async {
        let after = |replies: &[Reply]| {
            let there = [error("ResourceInUseException"), table("ACTIVE")];
            [&there, replies].concat()
        };
        let asked = |more: &[&str]| {
            let asked = [&[CREATE, LOOK], more].concat();
            asked.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let taken = || error("ValidationException");
        for (replies, kind, more) in [
            (vec![never(), ok()], None, &[ENDS, SET][..]),
            (vec![ends_by("ends", "ENABLED")], None, &[ENDS]),
            (vec![ends_by("ends", "ENABLING")], None, &[ENDS]),
            (
                vec![ends_by("ends", "DISABLING"), never(), ok()],
                None,
                &[ENDS, ENDS, SET],
            ),
            // Another process was faster.
            (
                vec![never(), taken(), ends_by("ends", "ENABLING")],
                None,
                &[ENDS, SET, ENDS],
            ),
            (
                vec![never(), taken(), never()],
                Some(Internal),
                &[ENDS, SET, ENDS],
            ),
            (vec![ends_by("other", "ENABLED")], Some(Internal), &[ENDS]),
            (
                vec![error("ExpiredTokenException")],
                Some(Unavailable),
                &[ENDS],
            ),
        ] {
            let answer = set_up(after(&replies)).await;
            assert_eq!(answer, (kind, asked(more)), "{replies:?}");
        }
    }));
}

#[test]
fn what_is_missing_is_completed_on_the_emulator() {
    block_on(Box::pin(async {
        let place = Place::new().await;
        let (client, table) = (&place.client, &place.table);
        // As if the process that created the table had died before the last step.
        let off = TimeToLiveSpecification::builder().attribute_name("ends");
        let off = off.enabled(false).build().unwrap();
        let update = client.update_time_to_live().table_name(table);
        update.time_to_live_specification(off).send().await.unwrap();
        for _ in 0..2 {
            create_history_table(client, &SystemClock, table)
                .await
                .unwrap();
            let answer = client.describe_time_to_live().table_name(table);
            let answer = answer
                .send()
                .await
                .unwrap()
                .time_to_live_description
                .unwrap();
            assert_eq!(answer.attribute_name(), Some("ends"));
            assert_eq!(answer.time_to_live_status, Some(TimeToLiveStatus::Enabled));
        }
    }));
}
