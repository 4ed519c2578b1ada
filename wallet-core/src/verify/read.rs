//! Reads the ledger through the port, page by page.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, stream};

use super::progress::{Meter, Stage, count};
use super::{Books, Gap, Moved};
use crate::ledger::{
    Account, AccountKey, Entry, Hold, InLedger, Sequence, TransferKey, TransferWithReversals,
};
use crate::store::{
    AccountQuery, EntryQuery, HoldQuery, LedgerStore, Order, StoreError, StoreErrorKind,
};

/// The number of consecutive unreadable entries after which the rest of an account
/// counts as unreadable.
const HIDDEN_MAX: i64 = 1_000;

/// The number of accounts that are read at a time.
const AHEAD: usize = 8;

/// One read of a whole store.
pub(super) struct Reader<'r, 'a> {
    pub(super) store: &'a dyn LedgerStore,
    /// The number of rows per query, at least 1.
    pub(super) page: u32,
    pub(super) meter: &'r mut Meter<'a>,
}

impl Reader<'_, '_> {
    /// Reads everything. Data that the store reports as damaged is left out and
    /// recorded, as far as the rest can be read without it.
    pub(super) async fn books(&mut self) -> Result<Books, StoreError> {
        let mut books = Books::default();
        let accounts = &mut books.accounts;
        self.each_account(Stage::Accounts, |account| {
            accounts.insert(account.state.key, account);
        })
        .await?;
        self.entries(&mut books).await?;
        self.holds(&mut books).await?;
        self.transfers(&mut books).await?;
        Ok(books)
    }

    /// The accounts that differ from `books`: opened since, or of another version.
    /// (A past balance that was read only raises an account's time, which is no
    /// change.)
    pub(super) async fn changed(&mut self, books: &Books) -> Result<Vec<AccountKey>, StoreError> {
        let mut changed = Vec::new();
        self.each_account(Stage::Comparison, |account| {
            let state = &account.state;
            let before = books.accounts.get(&state.key);
            if before.is_none_or(|before| before.state.version != state.version) {
                changed.push(state.key);
            }
        })
        .await?;
        Ok(changed)
    }

    async fn each_account(
        &mut self,
        stage: Stage,
        mut work: impl FnMut(Account),
    ) -> Result<(), StoreError> {
        let mut seen: usize = 0;
        for ledger in self.store.ledgers().await? {
            let mut query = AccountQuery {
                ledger,
                owner: None,
                currency: None,
                after: None,
                limit: self.page,
            };
            loop {
                let page = self.store.list_accounts(&query).await?;
                let Some(last) = page.last() else { break };
                query.after = Some(last.state.key.id);
                seen = seen.saturating_add(page.len());
                page.into_iter().for_each(&mut work);
                self.meter.report(stage, seen, None);
            }
        }
        Ok(())
    }

    async fn entries(&mut self, books: &mut Books) -> Result<(), StoreError> {
        let states = books.accounts.values().map(|account| account.state);
        let wanted: Vec<(AccountKey, Sequence)> =
            states.map(|state| (state.key, state.sequence)).collect();
        let total = wanted.iter().fold(0_u64, |sum, (_, sequence)| {
            sum.saturating_add(u64::try_from(*sequence).unwrap_or(0))
        });
        let (store, page) = (self.store, self.page);
        let meter = Mutex::new((0_usize, &mut *self.meter));
        let report = |read: usize| {
            let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
            let (done, meter) = &mut *meter;
            *done = done.saturating_add(read);
            meter.report(Stage::Entries, *done, Some(total));
        };
        let reads = stream::iter(wanted).map(|(account, due)| {
            let read = entries_of(store, page, account, due, &report);
            async move { (account, read.await) }
        });
        let mut reads = pin!(reads.buffer_unordered(AHEAD));
        while let Some((account, read)) = reads.next().await {
            let (entries, gaps) = read?;
            books.entries.insert(account, entries);
            if !gaps.is_empty() {
                books.unreadable.entries.insert(account, gaps);
            }
        }
        Ok(())
    }

    async fn holds(&mut self, books: &mut Books) -> Result<(), StoreError> {
        let accounts: Vec<AccountKey> = books.accounts.keys().copied().collect();
        let total = Some(count(accounts.len()));
        let (store, page) = (self.store, self.page);
        let reads = stream::iter(accounts).map(|account| {
            let read = holds_of(store, page, account);
            async move { (account, read.await) }
        });
        let mut reads = pin!(reads.buffer_unordered(AHEAD));
        let mut done: usize = 0;
        while let Some((account, read)) = reads.next().await {
            let (holds, damage) = read?;
            books
                .holds
                .extend(holds.into_iter().map(|hold| (hold.key, hold)));
            if let Some(reason) = damage {
                books.unreadable.holds.insert(account, reason);
            }
            done = done.saturating_add(1);
            self.meter.report(Stage::Holds, done, total);
        }
        Ok(())
    }

    async fn transfers(&mut self, books: &mut Books) -> Result<(), StoreError> {
        let named = named(books);
        let total = Some(count(named.len()));
        let mut done: usize = 0;
        let page = usize::try_from(self.page).unwrap_or(usize::MAX);
        for keys in named.chunks(page) {
            match self.store.transfers(keys).await {
                Ok(rows) => {
                    let rows = keys.iter().copied().zip(rows);
                    let rows = rows.map(|(key, row)| (key, stored(key, row)));
                    books.transfers.extend(rows);
                }
                Err(error) if error.kind() != StoreErrorKind::Corrupt => return Err(error),
                Err(_) => self.transfers_singly(books, keys).await?,
            }
            done = done.saturating_add(keys.len());
            self.meter.report(Stage::Transfers, done, total);
        }
        Ok(())
    }

    async fn transfers_singly(
        &mut self,
        books: &mut Books,
        keys: &[TransferKey],
    ) -> Result<(), StoreError> {
        for key in keys {
            match self.store.transfers(&[*key]).await {
                Ok(rows) => {
                    let row = rows.into_iter().next().flatten();
                    books.transfers.insert(*key, stored(*key, row));
                }
                Err(error) if error.kind() != StoreErrorKind::Corrupt => return Err(error),
                Err(error) => {
                    books.unreadable.transfers.insert(*key, reason(&error));
                }
            }
        }
        Ok(())
    }
}

/// Reads one account's entries, of which the account expects `due`. Returns the
/// entries and the gaps that cannot be read.
async fn entries_of(
    store: &dyn LedgerStore,
    page_size: u32,
    account: AccountKey,
    due: Sequence,
    report: &(dyn Fn(usize) + Sync),
) -> Result<(Vec<Entry>, Vec<Gap>), StoreError> {
    // The account's own number may be damaged, so it is not trusted.
    let room = usize::try_from(due).unwrap_or(0).min(1 << 20);
    let mut entries = Vec::with_capacity(room);
    let mut gaps: Vec<Gap> = Vec::new();
    let mut query = EntryQuery {
        account,
        from: None,
        to: None,
        order: Order::Ascending,
        after: None,
        limit: page_size,
    };
    loop {
        let page = match store.entries(&query).await {
            Ok(page) => page,
            Err(error) if error.kind() != StoreErrorKind::Corrupt => return Err(error),
            // Narrows the page down to the entry that cannot be read.
            Err(_) if query.limit > 1 => {
                query.limit = query.limit.div_euclid(2);
                continue;
            }
            Err(error) => {
                let hidden = query.after.unwrap_or(0).saturating_add(1);
                query.after = Some(hide(&mut gaps, hidden, due, &error));
                if query.after >= Some(due) {
                    break;
                }
                continue;
            }
        };
        let Some(last) = page.last() else { break };
        // If numbers do not rise, the cursor would loop for ever.
        let is_stuck = query.after.is_some_and(|after| last.sequence <= after);
        query.after = Some(last.sequence);
        query.limit = query.limit.saturating_mul(2).min(page_size);
        report(page.len());
        entries.extend(page);
        if is_stuck {
            break;
        }
    }
    entries.shrink_to_fit();
    Ok((entries, gaps))
}

/// Reads one account's holds. Also returns the reason why the rest cannot be read.
async fn holds_of(
    store: &dyn LedgerStore,
    page_size: u32,
    account: AccountKey,
) -> Result<(Vec<Hold>, Option<String>), StoreError> {
    let mut holds = Vec::new();
    let mut query = HoldQuery {
        account,
        status: None,
        after: None,
        limit: page_size,
    };
    loop {
        let page = match store.list_holds(&query).await {
            Ok(page) => page,
            Err(error) if error.kind() != StoreErrorKind::Corrupt => return Err(error),
            Err(_) if query.limit > 1 => {
                query.limit = query.limit.div_euclid(2);
                continue;
            }
            // The next hold's id is not known, so the read ends here.
            Err(error) => return Ok((holds, Some(reason(&error)))),
        };
        let Some(last) = page.last() else {
            return Ok((holds, None));
        };
        query.after = Some(last.key.id);
        holds.extend(page);
    }
}

/// The stored transfer, if it has the right key.
fn stored(key: TransferKey, row: Option<TransferWithReversals>) -> Option<Moved> {
    row.filter(|row| row.transfer.key == key).map(Moved::from)
}

/// Records that an entry cannot be read. Returns the sequence after which to
/// continue.
fn hide(gaps: &mut Vec<Gap>, hidden: Sequence, due: Sequence, error: &StoreError) -> Sequence {
    let reason = reason(error);
    match gaps.last_mut() {
        Some(gap) if gap.last.saturating_add(1) == hidden && gap.reason == reason => {
            gap.last = hidden;
            if hidden.saturating_sub(gap.first) >= HIDDEN_MAX {
                gap.last = due.max(hidden);
            }
            gap.last
        }
        _ => {
            gaps.push(Gap {
                first: hidden,
                last: hidden,
                reason,
            });
            hidden
        }
    }
}

/// The transfers that entries name, ascending.
fn named(books: &Books) -> Vec<TransferKey> {
    let entries = books.entries.values().flatten();
    let mut named: Vec<TransferKey> = entries
        .map(|entry| InLedger::new(entry.account.ledger, entry.transfer))
        .collect();
    named.sort_unstable();
    named.dedup();
    named.shrink_to_fit();
    named
}

/// The store's error with its driver's error.
fn reason(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    let source = source.map_or_else(String::new, |source| format!(" ({source})"));
    format!("{}{source}", error.context())
}
