//! Damage of records and of rows of the outbox.

use std::sync::Arc;

use wallet_core::ledger::{AccountKey, InLedger};
use wallet_core::memory::Tables;
use wallet_core::verify::Violation;
use wallet_core::{LedgerId, Timestamp};
use wallet_testkit::conformance::sample;
use wallet_testkit::{StoreKit, block_on};

use super::{Exposed, shows};

/// The violations after `damage` to the tables of a store.
fn after_damage(damage: impl FnOnce(&mut Tables, AccountKey)) -> Vec<Violation> {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        let ada = sample(&kit).await;
        assert_eq!(kit.violations(true).await, []);
        let memory = factory.0.get().expect("it was built");
        let ada = InLedger::new(LedgerId::default(), ada);
        damage(&mut memory.shared().tables(), ada);
        kit.violations(true).await
    })
}

#[test]
fn a_record_that_is_lost_or_changed_shows() {
    let violations = after_damage(|tables, _| tables.records.clear());
    shows!(violations, Violation::AcknowledgedLost { .. });
    let violations = after_damage(|tables, _| {
        let record = tables.records.values_mut().next().unwrap();
        Arc::make_mut(&mut record.outcome).at = Timestamp::EPOCH;
    });
    shows!(violations, Violation::AcknowledgedChanged { .. });
}

#[test]
fn a_changed_entry_belies_its_record_and_its_event() {
    let violations = after_damage(|tables, ada| {
        let entries = tables.entries.get_mut(&ada).unwrap();
        entries[0].balance_after += 1;
    });
    shows!(
        violations,
        Violation::BalanceChainBroken { sequence: 1, .. },
        Violation::EffectMissing { .. },
        Violation::EventDiffers { .. },
    );
}

#[test]
fn a_row_that_cannot_be_read_shows() {
    let violations = after_damage(|tables, _| {
        tables.outbox.append(vec![0xFF], Timestamp::EPOCH);
    });
    shows!(violations, Violation::RowUnreadable { .. });
}

#[test]
fn an_event_that_is_there_twice_shows() {
    let violations = after_damage(|tables, _| {
        let mut records = tables.records.values();
        let home = LedgerId::default();
        let outcome = Arc::clone(&records.next().unwrap().outcome);
        let payload = wallet_core::store::codec::encode_outbox(&[(home, outcome)]).unwrap();
        tables.outbox.append(payload, Timestamp::EPOCH);
    });
    shows!(violations, Violation::EventsBroken { .. });
}
