//! An outbox that a relay has worked on.

use std::collections::BTreeSet;
use std::sync::Arc;

use wallet_core::memory::Tables;
use wallet_core::store::{Outbox, RowProgress, RowState};
use wallet_core::verify::{Delivered, OutboxReport, Verifier, Violation};
use wallet_testkit::conformance::sample;
use wallet_testkit::{StoreKit, block_on};

use super::{Exposed, shows};

/// The check of a store whose outbox a relay has worked on.
fn delivered(
    known: Delivered,
    work: impl FnOnce(&mut Tables, &mut dyn FnMut(usize, &[u32], bool)),
) -> (Vec<Violation>, OutboxReport) {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        sample(&kit).await;
        let memory = factory.0.get().expect("it was built");
        let ttl = std::time::Duration::from_secs(1);
        let lease = memory.acquire("relay", ttl).await.unwrap().unwrap();
        let rows = memory.claim(&lease, &BTreeSet::new(), 100).await.unwrap();
        let mut marks = Vec::new();
        work(
            &mut memory.shared().tables(),
            &mut |row, done: &[u32], complete| {
                marks.push(RowProgress {
                    row: rows[row].id,
                    done: done.iter().copied().collect(),
                    state: if complete {
                        RowState::Complete
                    } else {
                        RowState::Open
                    },
                });
            },
        );
        memory.mark_done(&lease, &marks).await.unwrap();
        memory.release(&lease).await.unwrap();
        let verifier = Verifier::new(memory).with_outbox(memory, known);
        let report = verifier.run().await.unwrap();
        (report.violations, report.outbox.unwrap())
    })
}

// The rows of the sample: ada opens (0), money for her from the bank (1), bob opens
// (2), then a hold (3), a transfer (4), a reversal (5), a capture (6) and a hold
// (7). Each of the last five has events of both ada and bob.

#[test]
fn an_outbox_of_which_nothing_was_delivered_is_complete() {
    let (violations, report) = delivered(Delivered::Nothing, |_, _| {});
    assert_eq!(violations, []);
    let OutboxReport::Checked {
        rows,
        begun,
        events,
        changes,
    } = report
    else {
        panic!("{report:?}")
    };
    assert_eq!((rows, begun), (8, 0));
    assert_eq!(events, changes);
    let (violations, same) = delivered(Delivered::Unknown, |_, _| {});
    assert_eq!((violations, same), (vec![], report));
}

#[test]
fn what_was_delivered_in_order_is_not_missed() {
    for count in 0..=8 {
        let (violations, report) = delivered(Delivered::Unknown, |_, mark| {
            (0..count).for_each(|row| mark(row, &[], true));
        });
        assert_eq!(violations, [], "{count} delivered");
        let open = 8 - u64::try_from(count).unwrap();
        assert!(
            matches!(report, OutboxReport::Checked { rows, .. } if rows == open),
            "{report:?}"
        );
    }
    // If nothing can have been delivered, it is a violation.
    let (violations, _) = delivered(Delivered::Nothing, |_, mark| mark(0, &[], true));
    shows!(violations, Violation::EventsBroken { expected: 1, .. });
}

#[test]
fn a_row_delivered_in_part_lets_later_ones_go() {
    // Ada's part of row 4 is published, and bob's is parked. Row 5 had only ada's.
    let (violations, report) = delivered(Delivered::Unknown, |_, mark| {
        (0..4).for_each(|row| mark(row, &[], true));
        mark(4, &[0], false);
        mark(5, &[], true);
    });
    assert_eq!(violations, []);
    assert!(
        matches!(report, OutboxReport::Checked { begun: 1, .. }),
        "{report:?}"
    );
}

#[test]
fn a_row_that_is_lost_before_it_was_delivered_shows() {
    for lost in [5, 6, 7] {
        let (violations, _) = delivered(Delivered::Unknown, |_, mark| {
            (0..3).for_each(|row| mark(row, &[], true));
            mark(lost, &[], true);
        });
        shows!(violations, Violation::EventsBroken { .. });
    }
}

#[test]
fn an_outbox_that_somebody_holds_is_not_checked() {
    let factory = Exposed::default();
    block_on(async {
        let kit = StoreKit::new(Arc::new(factory.clone())).await;
        sample(&kit).await;
        let memory = factory.0.get().expect("it was built");
        let ttl = std::time::Duration::from_secs(1);
        memory.acquire("relay", ttl).await.unwrap().unwrap();
        let verifier = Verifier::new(memory).with_outbox(memory, Delivered::Unknown);
        let report = verifier.run().await.unwrap();
        assert_eq!(report.violations, []);
        assert_eq!(report.outbox, Some(OutboxReport::Held));
    });
}
