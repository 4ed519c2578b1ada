//! Appends with lost answers are recorded once, or reported as unknown.

use std::sync::Arc;

use uuid::Uuid;
use wallet_core::Timestamp;
use wallet_core::audit::{AuditEvent, AuditLog, AuditOutcome, AuditText, AuditVerdict, verify};
use wallet_core::store::StoreErrorKind;

use super::DynamoAuditLog;
use crate::DynamoSettings;
use crate::client::fake::{Fake, Fate, QuickClock};

fn log(fake: &Arc<Fake>) -> DynamoAuditLog {
    let mut settings = DynamoSettings::new("t");
    settings.attempts_max = 4;
    let api = Arc::<Fake>::clone(fake);
    DynamoAuditLog::over(api, Arc::new(QuickClock::default()), settings).unwrap()
}

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

/// The ids of the chain, after checking that it is sound.
async fn ids(log: &DynamoAuditLog) -> Vec<u128> {
    let verdict = verify(log, 0, &[], &mut |_| ()).await.unwrap();
    assert!(matches!(verdict, AuditVerdict::Sound { .. }), "{verdict:?}");
    let records = log.records(0, 0, 1_000).await.unwrap();
    let ids = records.iter().map(|record| record.event.id.as_u128());
    ids.collect()
}

/// The calls of an append: it reads the end of the chain, then inserts.
const LOOK: Fate = Fate::Done;

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_recorded_once() {
    for fates in [
        // The insert ran. The second look finds the records.
        vec![LOOK, Fate::AnswerLost],
        // The insert did not run. It is repeated.
        vec![LOOK, Fate::Lost],
        vec![LOOK, Fate::Lost, LOOK, Fate::AnswerLost],
        // The insert runs just before it is repeated.
        vec![LOOK, Fate::Late],
        vec![LOOK, Fate::Throttled, LOOK, Fate::Late],
    ] {
        let fake = Fake::new([]);
        let log = log(&fake);
        log.append(0, &[event(1)]).await.unwrap();
        fake.then(fates.clone());
        let records = log.append(0, &[event(2), event(3)]).await.unwrap();
        assert_eq!(records.len(), 2);
        log.append(0, &[event(4)]).await.unwrap();
        assert_eq!(ids(&log).await, [1, 2, 3, 4], "{fates:?}");
    }
}

#[tokio::test]
async fn what_nobody_knows_is_said_to_be_unknown() {
    let fake = Fake::new([Fate::Lost; 20].into_iter().flat_map(|lost| [LOOK, lost]));
    let log = log(&fake);
    let error = log.append(0, &[event(1)]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Indeterminate);
}

#[tokio::test]
async fn what_was_surely_not_done_is_not() {
    let fake = Fake::new(
        [Fate::Throttled; 20]
            .into_iter()
            .flat_map(|fate| [LOOK, fate]),
    );
    let log = log(&fake);
    let error = log.append(0, &[event(1)]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);

    let fake = Fake::new([LOOK, Fate::Refused]);
    let log = self::log(&fake);
    let error = log.append(0, &[event(1)]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Internal);
    assert_eq!(fake.count(), 0);
}
