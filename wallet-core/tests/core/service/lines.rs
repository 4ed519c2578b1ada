//! Reads of entries with their transfers, compared with what was posted.

use proptest::prelude::*;
use wallet_core::ledger::{Description, Direction, StatementLine, TransferKind};
use wallet_core::store::{Order, TransferQuery};
use wallet_core::{
    Capture, Entry, EntryQuery, Leg, PlaceHold, PostTransfer, Request, Reverse, Timestamp, Transfer,
};

use crate::service::world::{World, account, account_key, euros, key, leg};

/// All entries of account 1.
async fn entries(world: &World) -> Vec<Entry> {
    let query = EntryQuery::first(account_key(1), u32::MAX);
    world.wallet.entries(&query).await.unwrap()
}

#[tokio::test]
async fn a_line_shows_both_sides_and_the_details_of_its_transfer() {
    let world = World::new().await;
    let wallet = &world.wallet;
    let hold = PlaceHold::new(account(1), account(2), euros(3_000));
    let hold = wallet
        .submit(Request::new(key("hold"), hold))
        .await
        .unwrap();
    let hold = hold.hold().unwrap().key.id;
    let capture = Capture::new(hold).with_reference("order-7").unwrap();
    let paid = wallet
        .submit(Request::new(key("paid"), capture))
        .await
        .unwrap();
    let paid = paid.posted().unwrap().transfer.key.id;
    let back = Reverse::new(paid).with_money(euros(1_000));
    let back = back.with_description("too late").unwrap();
    wallet
        .submit(Request::new(key("back"), back))
        .await
        .unwrap();

    for (number, counterparty, debit) in [(1, 2, "-30.00 EUR"), (2, 1, "30.00 EUR")] {
        let query = EntryQuery::first(account_key(number), 10);
        let lines = wallet.entries(&query).await.unwrap();
        let lines = wallet.lines(&lines).await.unwrap();
        let [_, paid_line, back_line] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        assert_eq!(paid_line.counterparty, account(counterparty));
        assert_eq!(paid_line.change().to_string(), debit);
        assert_eq!(paid_line.money(), euros(3_000));
        assert_eq!(
            (paid_line.kind, paid_line.hold),
            (TransferKind::Capture, Some(hold))
        );
        let reference = paid_line.details.reference.as_ref().unwrap();
        assert_eq!(reference.as_str(), "order-7");
        assert_eq!(
            (back_line.kind, back_line.reverses),
            (TransferKind::Reversal, Some(paid))
        );
        let description = back_line.details.description.as_ref();
        assert_eq!(description.map(Description::as_str), Some("too late"));
        let balances = [paid_line, back_line].map(|line| line.balance_after().to_string());
        let expected = match number {
            1 => ["70.00 EUR", "80.00 EUR"],
            _ => ["130.00 EUR", "120.00 EUR"],
        };
        assert_eq!(balances, expected);
    }
    assert_eq!(wallet.lines(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn an_entry_of_another_transfer_has_no_line() {
    let world = World::new().await;
    let entry = entries(&world).await.remove(0);
    let row = world
        .wallet
        .transfer(entry.transfer)
        .await
        .unwrap()
        .unwrap();
    let transfer = row.transfer;
    assert!(StatementLine::of(entry, &transfer).is_some());
    let mut other: Transfer = transfer.clone();
    other.key.id = wallet_core::TransferId::from_bytes([9; 16]);
    assert_eq!(StatementLine::of(entry, &other), None);
    for wrong in [
        Entry { leg: 7, ..entry },
        Entry {
            direction: Direction::Debit,
            ..entry
        },
        Entry {
            account: account_key(2),
            ..entry
        },
    ] {
        assert_eq!(StatementLine::of(wrong, &transfer), None, "{wrong:?}");
        let error = match wrong.account {
            of if of == entry.account => world.wallet.lines(&[wrong]).await.unwrap_err(),
            _ => continue,
        };
        assert_eq!(error.code(), "store_corrupt");
    }
    let unknown = Entry {
        transfer: other.key.id,
        ..entry
    };
    let error = world.wallet.lines(&[unknown]).await.unwrap_err();
    assert_eq!(error.code(), "store_corrupt");
}

/// A transfer of account 1: legs of one cent, with a code.
#[derive(Debug, Clone)]
struct Paid {
    legs: Vec<(bool, u128)>,
    code: u32,
    pause: i64,
}

fn paid() -> impl Strategy<Value = Paid> {
    let leg = (any::<bool>(), 2_u128..5);
    let legs = proptest::collection::vec(leg, 1..5);
    (legs, 0_u32..3, 0_i64..3).prop_map(|(legs, code, pause)| Paid { legs, code, pause })
}

fn legs(paid: &Paid) -> Vec<Leg> {
    let each = paid.legs.iter();
    each.map(|(out, other)| {
        if *out {
            leg(1, *other, 1)
        } else {
            leg(*other, 1, 1)
        }
    })
    .collect()
}

/// Every page of a query. Pages of `limit` transfers.
async fn pages(world: &World, query: &TransferQuery) -> Vec<Transfer> {
    let mut found = Vec::new();
    let mut query = query.clone();
    loop {
        let page = world.wallet.account_transfers(&query).await.unwrap();
        assert!(page.transfers.len() <= usize::try_from(query.limit).unwrap());
        found.extend(page.transfers.into_iter().map(|row| row.transfer));
        let Some(next) = page.next else {
            return found;
        };
        assert_ne!(query.after, Some(next), "a page goes on");
        query = query.with_after(Some(next));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// All pages together are what a filter of all transfers selects, in order.
    #[test]
    fn pages_show_each_selected_transfer_once(
        all in proptest::collection::vec(paid(), 0..20),
        limit in 1_u32..6,
        codes in proptest::sample::subsequence(vec![0_u32, 1, 2], 0..3),
        bounds in proptest::option::of((0_usize..20, 0_usize..20)),
        newest_first in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let first = world.wallet.transfer(entries(&world).await[0].transfer).await;
            let mut posted = vec![first.unwrap().unwrap().transfer];
            for (number, paid) in all.iter().enumerate() {
                world.clock.pass(paid.pause);
                let pay = PostTransfer::new(legs(paid)).with_code(paid.code);
                let request = Request::new(key(&number.to_string()), pay);
                let accepted = world.wallet.submit(request).await.unwrap();
                posted.push(accepted.posted().unwrap().transfer.clone());
            }
            let mut query = TransferQuery::first(account_key(1), limit);
            query.codes.clone_from(&codes);
            let time = |index: usize| -> Timestamp {
                posted[index.min(posted.len() - 1)].created_at
            };
            if let Some((from, to)) = bounds {
                query = query.between(time(from), time(to));
            }
            if newest_first {
                query = query.with_order(Order::Descending);
            }
            let mut expected: Vec<_> = posted
                .iter()
                .filter(|transfer| codes.is_empty() || codes.contains(&transfer.details.code))
                .filter(|transfer| {
                    bounds.is_none_or(|(from, to)| {
                        (time(from)..time(to)).contains(&transfer.created_at)
                    })
                })
                .cloned()
                .collect();
            if newest_first {
                expected.reverse();
            }
            assert_eq!(pages(&world, &query).await, expected);
        });
    }
}

/// A page ends after a bounded number of entries, also without a selected transfer.
#[tokio::test]
async fn a_page_of_rare_transfers_reads_a_bounded_number_of_entries() {
    let world = World::new().await;
    let cent = PostTransfer::new(vec![leg(1, 2, 1), leg(2, 1, 1)]);
    for request in 0..60 {
        let commands = vec![cent.clone().into(); 50];
        let many = Request::of_many(key(&request.to_string()), commands);
        world.wallet.submit(many).await.unwrap();
    }
    let rare = PostTransfer::new(vec![leg(1, 2, 1)]).with_code(7);
    let rare = world
        .wallet
        .submit(Request::new(key("rare"), rare))
        .await
        .unwrap();
    // 1 + 6,000 + 1 entries.
    let query = TransferQuery::first(account_key(1), 500).with_code(7);
    let page = world.wallet.account_transfers(&query).await.unwrap();
    assert_eq!(page.transfers, []);
    let next = page.next.unwrap();
    assert!((5_000..5_500).contains(&next), "{next}");
    let query = query.with_after(Some(next));
    let page = world.wallet.account_transfers(&query).await.unwrap();
    assert_eq!(page.transfers[0].transfer, rare.posted().unwrap().transfer);
    assert_eq!((page.transfers.len(), page.next), (1, None));

    let query = TransferQuery::first(account_key(1), 10).with_kind(TransferKind::Capture);
    assert_eq!(pages(&world, &query).await, []);
    let query = TransferQuery::first(account_key(77), 10);
    assert_eq!(pages(&world, &query).await, [], "no account");
    let none = TransferQuery::first(account_key(1), 0);
    let page = world.wallet.account_transfers(&none).await.unwrap();
    assert_eq!((page.transfers.len(), page.next), (0, None));
}
