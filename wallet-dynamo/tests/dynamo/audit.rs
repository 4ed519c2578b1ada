//! The audit log on the emulator: the test list of the port, and two processes that share a
//! chain.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;
use wallet_core::audit::{
    AuditEvent, AuditFaultKind, AuditLog, AuditOutcome, AuditText, AuditVerdict, verify,
};
use wallet_core::{SystemClock, Timestamp};
use wallet_dynamo::{DynamoAuditLog, create_audit_table};
use wallet_testkit::{Built, Factory, Guard, ManualClock};

use crate::support::{Place, block_on};

#[derive(Debug)]
struct Dynamo;

async fn log(place: &Place) -> DynamoAuditLog {
    let mut settings = place.settings();
    settings.table.push_str("-audit");
    create_audit_table(&place.client, &SystemClock, &settings.table)
        .await
        .unwrap();
    DynamoAuditLog::new(place.client.clone(), Arc::new(SystemClock), settings).unwrap()
}

#[async_trait]
impl Factory<dyn AuditLog> for Dynamo {
    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn AuditLog> {
        let place = Place::new().await;
        Built::new(Arc::new(log(&place).await), Guard(place))
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        block_on(future);
    }
}

wallet_testkit::audit_log_conformance!(Dynamo);

fn event(number: u128) -> AuditEvent {
    let text = |text| AuditText::new(text).unwrap();
    AuditEvent {
        id: Uuid::from_u128(number),
        at: Timestamp::from_micros(5),
        actor: text("user/ada"),
        action: text("account.freeze"),
        resource: text("account/7"),
        origin: None,
        outcome: AuditOutcome::Done,
        note: None,
    }
}

#[test]
fn another_process_goes_on_with_the_chain() {
    block_on(Box::pin(async {
        let place = Place::new().await;
        let (one, other) = (log(&place).await, log(&place).await);
        one.append(0, &[event(1)]).await.unwrap();
        other.append(0, &[event(2), event(3)]).await.unwrap();
        one.append(0, &[event(4)]).await.unwrap();
        let verdict = verify(&other, 0, &[], &mut |_| ()).await.unwrap();
        assert!(matches!(verdict, AuditVerdict::Sound { sequence: 4, .. }));
    }));
}

#[test]
fn what_was_changed_in_the_table_is_found() {
    block_on(Box::pin(async {
        let place = Place::new().await;
        let log = log(&place).await;
        let events: Vec<_> = (0..5).map(event).collect();
        log.append(0, &events).await.unwrap();
        let table = format!("{}-audit", place.table);
        let items = place.client.scan().table_name(&table).send().await.unwrap();
        let mut items = items.items.unwrap();
        items.sort_by_key(|item| item["sk"].as_b().unwrap().clone().into_inner());
        let mut item = items.swap_remove(2);
        let forged = AttributeValue::S("user/eve".to_owned());
        item.insert("actor".to_owned(), forged);
        let put = place.client.put_item().table_name(&table);
        put.set_item(Some(item)).send().await.unwrap();
        let verdict = verify(&log, 0, &[], &mut |_| ()).await.unwrap();
        let AuditVerdict::Broken(fault) = verdict else {
            panic!("{verdict:?}");
        };
        assert_eq!((fault.sequence, fault.kind), (3, AuditFaultKind::Edited));
    }));
}
