//! The books, the accounts, and how every call is made.

use std::time::Duration;

use wallet::Decimal;
use wallet::core::ledger::Rounding;
use wallet::core::request::TypedCommand;
use wallet::core::store::CommitSignal;
use wallet::prelude::*;
use wallet::{Accepted, Books, Command, Scope, Transaction};

use crate::error::{Error, Result};

/// Orders and payouts by their names, such as `order-7`, and the read model.
const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS market_deal
     (name VARCHAR(64) PRIMARY KEY, state VARCHAR(16) NOT NULL)",
    "CREATE TABLE IF NOT EXISTS market_view
     (account VARCHAR(36) PRIMARY KEY, owner VARCHAR(128) NOT NULL, balance VARCHAR(64) NOT NULL,
      epoch BIGINT NOT NULL, version BIGINT NOT NULL)",
];
const INSERT: &str = "INSERT INTO market_deal (name, state) VALUES (?, ?)";
const UPDATE: &str = "UPDATE market_deal SET state = ? WHERE name = ? AND state = ?";
const SELECT: &str = "SELECT state FROM market_deal WHERE name = ?";

/// The pauses before the same call is made again under the same key.
const PAUSES: [u64; 4] = [20, 100, 500, 2_000];

#[derive(Debug, Clone)]
pub(crate) struct Market {
    pub(crate) books: Books,
    pub(crate) keys: Scope,
    pub(crate) eur: Currency,
    pub(crate) points: Currency,
    /// Accounts of the market itself, in euros.
    pub(crate) till: AccountId,
    pub(crate) platform: AccountId,
    pub(crate) tax: AccountId,
}

impl Market {
    pub(crate) async fn open(url: &str, signal: CommitSignal) -> Result<Self> {
        let books = Books::builder(url).signal(signal).open().await?;
        books.create_tables(&TABLES).await?;
        let eur = Currency::iso("EUR")?;
        let open = |owner: &str| owner.parse().map(|owner| OpenAccount::new(owner, eur));
        Ok(Self {
            till: books.ensure_account(open("till")?).await?.id(),
            platform: books.ensure_account(open("platform")?).await?.id(),
            tax: books.ensure_account(open("tax")?).await?.id(),
            keys: books.scope("market")?,
            points: Currency::new("POINTS", 0)?,
            eur,
            books,
        })
    }

    /// The account of an owner in a currency, opened on first use.
    pub(crate) async fn account(&self, owner: &str, currency: Currency) -> Result<AccountId> {
        let open = OpenAccount::new(owner.parse()?, currency);
        let account = retry(|| self.books.ensure_account(open.clone())).await?;
        Ok(account.id())
    }

    /// Money that came in by card.
    pub(crate) async fn top_up(&self, name: &str, to: AccountId, money: Money) -> Result<()> {
        let deposit = Deposit::new(to, money, SettlementName::new("card")?);
        let deposit = deposit.with_description("paid in by card")?;
        self.run(&format!("top-up-{name}"), deposit).await.map(drop)
    }

    /// One point for each whole euro; for less, none.
    pub(crate) async fn grant_points(&self, name: &str, owner: &str, paid: Money) -> Result<()> {
        if let Ok(points) = Money::from_decimal(paid.to_decimal().trunc(), self.points) {
            let to = self.account(owner, self.points).await?;
            let grant = Deposit::new(to, points, SettlementName::new("loyalty")?);
            self.run(&format!("points-{name}"), grant).await?;
        }
        Ok(())
    }

    /// Carries out a command under a key, again under this key while that can help.
    pub(crate) async fn run<C: TypedCommand + Clone>(
        &self,
        key: &str,
        command: C,
    ) -> Result<C::Receipt> {
        retry(|| self.keys.run(key, command.clone())).await
    }

    /// Like [`run`](Self::run), with a definite answer. Where no retry helped, the key is
    /// cancelled: the command was carried out before, or it never will be.
    pub(crate) async fn run_or_cancel<C: TypedCommand + Clone>(
        &self,
        key: &str,
        command: C,
    ) -> Result<C::Receipt> {
        let answer = self.run(key, command.clone()).await;
        if answer.as_ref().is_err_and(Error::is_retryable) {
            retry(|| self.keys.cancel(key)).await?;
            return self.run(key, command).await;
        }
        answer
    }

    /// Runs `work` in a transaction on the market's tables and the books. It may run several
    /// times, and what it does is done once.
    pub(crate) async fn transact<T, F>(&self, work: impl Fn(Transaction) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        retry(|| self.books.in_transaction(&work)).await
    }

    /// Moves money and writes down the deal, in one transaction. If the ledger refuses the
    /// commands, there is no deal, and its key is free.
    ///
    /// The money comes first. So the same deal again meets its own key, and nothing is done
    /// again; another one of this name is an error.
    pub(crate) async fn deal(&self, name: &str, what: Vec<Command>, to: &str) -> Result<Accepted> {
        let request = &Request::of_many(self.keys.key(name)?, what);
        let row = &[name.into(), to.into()];
        let dealt = self.transact(|tx| async move {
            let accepted = tx.apply(request.clone()).await?;
            if !accepted.is_replay() {
                tx.execute(INSERT, row).await?;
            }
            Ok(accepted)
        });
        dealt.await
    }
}

/// A percentage of money, half up; none where it is less than half a minor unit.
pub(crate) fn percentage(money: Money, percent: Decimal) -> Result<Option<Money>> {
    match money.percent(percent, Rounding::HalfUp) {
        Ok(fee) => Ok(Some(fee)),
        Err(wallet::core::ledger::AmountError::NotPositive) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes a call, and again while that can help. The call names one key, so what it does is
/// done once.
pub(crate) async fn retry<T, E, F>(mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = std::result::Result<T, E>>,
    E: Into<Error>,
{
    for pause in PAUSES {
        let answer = call().await.map_err(Into::into);
        if !answer.as_ref().is_err_and(Error::is_retryable) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    call().await.map_err(Into::into)
}

/// Moves a deal from one state to the next. The same again is no error, any other state is.
pub(crate) async fn advance(tx: &Transaction, name: &str, from: &str, to: &str) -> Result<()> {
    let values = [to.into(), name.into(), from.into()];
    tx.execute(UPDATE, &values).await?;
    match tx.query(SELECT, &[name.into()]).await?.first() {
        Some(row) if row.text(0)? == to => Ok(()),
        _ => Err(Error::State(name.to_owned())),
    }
}
