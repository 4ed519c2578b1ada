use serde::Serialize;
use uuid::Uuid;
use wallet_core::Timestamp;
use wallet_core::audit::{AuditEvent, AuditLog, AuditOutcome, AuditText, AuditVerdict, verify};
use wallet_core::memory::MemoryAuditLog;

use crate::{Result, clock};

/// Events that are appended together.
const PIECE: u32 = 10_000;

/// How long it took to verify an audit log.
#[derive(Debug, Serialize)]
pub(super) struct Verified {
    pub(super) records: u32,
    pub(super) secs: f64,
    pub(super) is_sound: bool,
}

pub(super) async fn measure(records: u32) -> Result<Verified> {
    let log = MemoryAuditLog::new();
    let mut made: u32 = 0;
    while made < records {
        let count = records.saturating_sub(made).min(PIECE);
        let events: Result<Vec<AuditEvent>> = (0..count)
            .map(|number| event(made.saturating_add(number)))
            .collect();
        log.append(0, &events?).await?;
        made = made.saturating_add(count);
    }
    let begin = clock::now();
    let verdict = verify(&log, 0, &[], &mut |_| ()).await?;
    let secs = clock::now().saturating_duration_since(begin).as_secs_f64();
    let due = i64::from(records);
    let is_sound = matches!(verdict, AuditVerdict::Sound { sequence, .. } if sequence == due);
    Ok(Verified {
        records,
        secs,
        is_sound,
    })
}

/// With all that a record may have.
fn event(number: u32) -> Result<AuditEvent> {
    Ok(AuditEvent {
        id: Uuid::from_u128(number.into()),
        at: Timestamp::from_micros(i64::from(number)),
        actor: AuditText::new(&format!("user/{}", number % 1_000))?,
        action: AuditText::new("account.freeze")?,
        resource: AuditText::new(&format!("account/{}", Uuid::from_u128(number.into())))?,
        origin: Some(AuditText::new("203.0.113.7")?),
        outcome: AuditOutcome::Done,
        note: Some(AuditText::new("asked for by the account's owner")?),
    })
}
