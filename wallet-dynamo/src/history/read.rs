//! Reads of history: rows of one account, over its stripes and past rows in doubt.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use wallet_core::history::{HistoryQuery, HistoryRow, LinePosition, ReferenceHistoryQuery};
use wallet_core::ledger::{AccountKey, Restore, Sequence, TransferKey};
use wallet_core::store::Order;
use wallet_core::{StoreError, Timestamp};

use super::row::{Head, head_of, row_of};
use super::{DynamoHistory, failed, is_ascending, sort_key};
use crate::client::Query;
use crate::keys::Item;
use crate::keys::{self, PARTITION, REFERENCE, REFERENCE_SORT, SORT, TRANSFER, TRANSFER_SORT};

/// How many rows are read at a time to get past rows that are not wanted.
const SKIPPED: i32 = 200;

/// The rows that are wanted, and their number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'a> {
    restores: &'a [Restore],
    /// The rows that the restores do not leave in doubt if true, the other rows if false.
    held: bool,
    order: Order,
    limit: u32,
}

impl<'a> Lines<'a> {
    pub(super) const fn held(restores: &'a [Restore], order: Order, limit: u32) -> Self {
        let held = true;
        Self {
            restores,
            held,
            order,
            limit,
        }
    }

    pub(super) const fn superseded(restores: &'a [Restore], order: Order, limit: u32) -> Self {
        let held = false;
        Self {
            restores,
            held,
            order,
            limit,
        }
    }

    fn wants(&self, row: &HistoryRow) -> bool {
        row.is_held(self.restores) == self.held
    }
}

/// A row's position in its account.
pub(super) type Place = (Timestamp, Sequence);

pub(super) const FIRST: Place = (Timestamp::from_micros(i64::MIN), i64::MIN);
pub(super) const LAST: Place = (Timestamp::from_micros(i64::MAX), i64::MAX);

/// The first and last position of a query's rows, both inclusive. `None` if there can be no
/// rows.
pub(super) fn bounds(query: &HistoryQuery, after: Option<Place>) -> Option<(Place, Place)> {
    let mut first = query.from.map_or(FIRST, |from| (from, i64::MIN));
    let mut last = match query.to {
        None => LAST,
        Some(to) => before((to, i64::MIN))?,
    };
    match (after, query.order) {
        (None, _) => {}
        (Some(after), Order::Ascending) => first = first.max(behind(after)?),
        (Some(after), Order::Descending) => last = last.min(before(after)?),
    }
    (first <= last && query.limit > 0).then_some((first, last))
}

fn behind((at, sequence): Place) -> Option<Place> {
    match sequence.checked_add(1) {
        Some(next) => Some((at, next)),
        None => Some((shifted(at, 1)?, i64::MIN)),
    }
}

pub(super) fn before((at, sequence): Place) -> Option<Place> {
    match sequence.checked_sub(1) {
        Some(last) => Some((at, last)),
        None => Some((shifted(at, -1)?, i64::MAX)),
    }
}

fn shifted(at: Timestamp, by: i64) -> Option<Timestamp> {
    at.as_micros().checked_add(by).map(Timestamp::from_micros)
}

pub(super) fn by_transfer(table: &str, transfer: TransferKey) -> Query {
    Query {
        table: table.to_owned(),
        index: Some(crate::table::BY_TRANSFER),
        keys: (TRANSFER, TRANSFER_SORT),
        partition: keys::transfer(transfer),
        from: keys::leg(0, 0),
        to: keys::leg(u16::MAX, u8::MAX),
        is_ascending: true,
        is_consistent: false,
        limit: i32::MAX,
        start: None,
    }
}

pub(super) fn by_reference(
    table: &str,
    query: &ReferenceHistoryQuery,
    after: Option<&LinePosition>,
) -> Query {
    // No key lies between a key and the same key with a zero byte appended.
    let behind = |after| {
        let mut key = keys::line(after);
        key.push(0);
        key
    };
    Query {
        table: table.to_owned(),
        index: Some(crate::table::BY_REFERENCE),
        keys: (REFERENCE, REFERENCE_SORT),
        partition: keys::reference(query.ledger, &query.reference),
        from: keys::bytes(after.map_or(vec![0], behind)),
        to: keys::bytes([u8::MAX; 28]),
        is_ascending: true,
        is_consistent: false,
        limit: i32::try_from(query.limit).unwrap_or(i32::MAX),
        start: None,
    }
}

impl DynamoHistory {
    /// The known heads, one for each account.
    pub(super) async fn known_heads(
        &self,
        accounts: impl Iterator<Item = AccountKey>,
    ) -> Result<HashMap<AccountKey, Head>, StoreError> {
        let mut accounts: Vec<AccountKey> = accounts.collect();
        accounts.sort_unstable();
        accounts.dedup();
        let asked = accounts.iter().map(|account| keys::head(*account));
        let found = self.caller.read(&self.settings.table, asked.collect());
        let found = found.await.map_err(failed("reading how far history is"))?;
        let mut items: HashMap<_, _> = HashMap::new();
        for item in found {
            if let Some(Ok(key)) = item.get(PARTITION).map(|key| key.as_b().cloned()) {
                items.insert(key.into_inner(), item);
            }
        }
        let mut heads = HashMap::new();
        for account in accounts {
            let key = keys::head(account).remove(PARTITION);
            let key = key.and_then(|key| key.as_b().ok().cloned());
            let item = key.and_then(|key| items.get(key.as_ref()));
            if let Some(item) = item {
                heads.insert(account, head_of(item)?);
            }
        }
        Ok(heads)
    }

    /// The rows of an account between two positions. All of its stripes are read at once.
    pub(super) async fn rows(
        &self,
        account: AccountKey,
        bounds: (Place, Place),
        lines: Lines<'_>,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let stripes = 0..self.settings.stripes_of(account);
        let stripes = stripes.map(|stripe| self.stripe(account, stripe, bounds, lines));
        let mut rows: Vec<HistoryRow> =
            try_join_all(stripes).await?.into_iter().flatten().collect();
        rows.sort_by_key(sort_key);
        if lines.order == Order::Descending {
            rows.reverse();
        }
        rows.truncate(usize::try_from(lines.limit).unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// The rows of one stripe.
    pub(super) async fn stripe(
        &self,
        account: AccountKey,
        stripe: u8,
        (first, last): (Place, Place),
        lines: Lines<'_>,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let query = Query {
            table: self.settings.table.clone(),
            index: None,
            keys: (PARTITION, SORT),
            partition: keys::rows(account, stripe),
            from: keys::position(first.0, first.1),
            to: keys::behind(last.0, last.1),
            is_ascending: is_ascending(lines.order),
            is_consistent: true,
            limit: i32::try_from(lines.limit).unwrap_or(i32::MAX),
            start: None,
        };
        self.select(query, lines).await
    }

    /// Rows of a query. Reads past rows that are not wanted.
    pub(super) async fn select(
        &self,
        mut query: Query,
        lines: Lines<'_>,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let limit = usize::try_from(lines.limit).unwrap_or(usize::MAX);
        let mut rows: Vec<HistoryRow> = Vec::new();
        loop {
            let asked = usize::try_from(query.limit).unwrap_or(usize::MAX);
            let items = self.caller.query(query.clone()).await;
            let items = items.map_err(failed("reading history"))?;
            for item in &items {
                let row = row_of(item)?;
                if lines.wants(&row) {
                    add(&mut rows, row);
                }
            }
            let Some(last) = items.last().filter(|_| items.len() >= asked) else {
                break;
            };
            if rows.len() >= limit {
                break;
            }
            query.start = Some(start_behind(last, &query));
            query.limit = query.limit.max(SKIPPED);
        }
        rows.truncate(limit);
        Ok(rows)
    }
}

/// Adds a row. If an entry came again after a restore, the newest row stays.
fn add(rows: &mut Vec<HistoryRow>, row: HistoryRow) {
    match rows.last_mut().filter(|last| is_same(last, &row)) {
        Some(last) if last.known_in < row.known_in => *last = row,
        Some(_) => {}
        None => rows.push(row),
    }
}

fn is_same(one: &HistoryRow, other: &HistoryRow) -> bool {
    one.account() == other.account() && sort_key(one) == sort_key(other)
}

/// The item after which a query continues.
fn start_behind(item: &Item, query: &Query) -> Item {
    let names = [PARTITION, SORT, query.keys.0, query.keys.1];
    let keys = names.into_iter().filter_map(|name| {
        let value = item.get(name)?.clone();
        Some((name.to_owned(), value))
    });
    keys.collect()
}
