//! Cases of rows by transfer and by reference, and of expiring rows.

use super::kit::{HistoryKit, account, lines};
use wallet_core::history::{HistoryLine, ReferenceHistoryQuery};
use wallet_core::ledger::{Direction, InLedger};
use wallet_core::store::StoreErrorKind;
use wallet_core::{LedgerId, Reference, Timestamp, TransferId};

/// The two lines of one leg.
fn pair(from: &HistoryLine, to: &HistoryLine, leg: u16) -> [HistoryLine; 2] {
    let (mut debit, mut credit) = (from.clone(), to.clone());
    debit.entry.direction = Direction::Debit;
    credit.entry.direction = Direction::Credit;
    credit.entry.transfer = debit.entry.transfer;
    (debit.entry.leg, credit.entry.leg) = (leg, leg);
    [debit, credit]
}

fn found(rows: Vec<wallet_core::history::HistoryRow>) -> Vec<HistoryLine> {
    rows.into_iter().map(|row| row.line).collect()
}

/// A transfer's rows are ordered by leg, the debit first. A transfer of another
/// ledger has none of them.
pub async fn rows_of_a_transfer(kit: &HistoryKit) {
    let [a, b, c] = [1, 2, 3].map(|number| lines(account(number), &[10, 10, 30]));
    let [one, two] = pair(&a[0], &c[0], 0);
    let [mut three, mut four] = pair(&b[0], &c[1], 1);
    (three.entry.transfer, four.entry.transfer) = (one.entry.transfer, one.entry.transfer);
    kit.append(&[two.clone(), four.clone(), three.clone(), one.clone()])
        .await;
    kit.append(&a[1..]).await;
    let key = InLedger::new(LedgerId::default(), one.entry.transfer);
    let rows = kit.history().of_transfer(key, &[]).await.unwrap();
    assert_eq!(found(rows), [one, two, three, four]);
    let abroad = InLedger::new(LedgerId::new(1), key.id);
    assert_eq!(kit.history().of_transfer(abroad, &[]).await.unwrap(), []);
    let unknown = InLedger::new(key.ledger, TransferId::from_bytes([9; 16]));
    assert_eq!(kit.history().of_transfer(unknown, &[]).await.unwrap(), []);
}

/// A reference's rows are ordered by time, transfer and leg. They are paged while
/// others write.
pub async fn rows_of_a_reference_page_by_page(kit: &HistoryKit) {
    let name = Reference::new("order-1").unwrap();
    let mut all = Vec::new();
    for number in 1..=4 {
        let mut of = lines(account(number), &[10, 20, 20, i64::from(number) * 30]);
        for line in &mut of {
            line.reference = Some(name.clone());
        }
        of[1].reference = Some(Reference::new("order-2").unwrap());
        of[2].reference = None;
        all.extend(of);
    }
    kit.append(&all[..8]).await;
    let is_named = |line: &&HistoryLine| line.reference.as_ref() == Some(&name);
    let mut wanted: Vec<_> = all.iter().filter(is_named).cloned().collect();
    wanted.sort_by_key(|line| (line.entry.created_at, line.entry.transfer));
    let ledger = LedgerId::default();
    let mut query = ReferenceHistoryQuery::first(ledger, name.clone(), 3);
    let early = kit.history().of_reference(&query, &[]).await.unwrap();
    assert_eq!(early.rows.len(), 3);
    kit.append(&all[8..]).await;
    let mut read = Vec::new();
    loop {
        let page = kit.history().of_reference(&query, &[]).await.unwrap();
        if page.rows.is_empty() {
            assert_eq!(page.next, query.cursor);
            break;
        }
        read.extend(found(page.rows));
        query.cursor = page.next;
    }
    assert_eq!(read, wanted);
    let other = Reference::new("order-2").unwrap();
    let other = ReferenceHistoryQuery {
        cursor: query.cursor.clone(),
        ..ReferenceHistoryQuery::first(ledger, other, 3)
    };
    let refused = kit.history().of_reference(&other, &[]).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    query.limit = 0;
    let none = kit.history().of_reference(&query, &[]).await.unwrap();
    assert_eq!(none.rows, []);
}

/// References are compared byte by byte: case, accents, ends and ledgers count.
pub async fn references_are_compared_byte_by_byte(kit: &HistoryKit) {
    let names = ["a", "A", "a ", "\u{e9}", "e\u{301}", "#a", "a#", "0#a"];
    for (number, name) in (1..).zip(names) {
        let mut of = lines(account(number), &[10]);
        of[0].reference = Some(Reference::new(name).unwrap());
        kit.append(&of).await;
    }
    for (number, name) in (1..).zip(names) {
        let name = Reference::new(name).unwrap();
        let query = ReferenceHistoryQuery::first(LedgerId::default(), name.clone(), 9);
        let rows = kit.history().of_reference(&query, &[]).await.unwrap().rows;
        let accounts: Vec<_> = rows
            .iter()
            .map(wallet_core::history::HistoryRow::account)
            .collect();
        assert_eq!(accounts, [account(number)], "{name}");
        let query = ReferenceHistoryQuery::first(LedgerId::new(1), name, 9);
        let rows = kit.history().of_reference(&query, &[]).await.unwrap().rows;
        assert_eq!(rows, []);
    }
}

/// An expiring row is read like any other until its time, and history continues.
pub async fn expiring_rows_are_read_until_then(kit: &HistoryKit) {
    let all = lines(account(1), &[10, 20, 30]);
    kit.append(&all[..2]).await;
    let rows = kit.rows(account(1)).await;
    let far = Timestamp::from_micros(32_503_680_000_000_000);
    let history = kit.history();
    history.expire(&rows[..1], far).await.unwrap();
    history.expire(&[], far).await.unwrap();
    assert_eq!(kit.rows(account(1)).await, rows);
    assert_eq!(kit.head(account(1)).await.sequence, 2);
    kit.append(&all).await;
    assert_eq!(kit.lines(account(1)).await, all);
}
