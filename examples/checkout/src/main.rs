//! An order and its payment in one transaction. Both are committed, or neither if the
//! payment is refused.
//!
//! `SHOP_STORE` says where: `sqlite:PATH` or `mysql://USER:PASSWORD@HOST/DATABASE`.
//! Without it the program makes a SQLite file and removes it.

mod mysql;
mod sqlite;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;

use wallet_core::ledger::SettlementShards;
use wallet_core::request::{InvalidRequest, PreparedRequest};
use wallet_core::runtime::Uuid7;
use wallet_core::{
    AccountId, Command, Currency, Deposit, IdempotencyKey, Leg, Money, OpenAccount, Owner,
    PostTransfer, Request, SettlementName,
};

use mysql::MysqlShop;
use sqlite::SqliteShop;

/// A shop stores the accounts that it opened. Here they are always the same, so that the
/// program may run again on the same store: what it did then is done once.
const ADA: &str = "01890000-0000-7000-8000-000000000001";
const TILL: &str = "01890000-0000-7000-8000-000000000002";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = || format!("sqlite:{}", folder.path().join("shop.db").display());
    let store = std::env::var("SHOP_STORE").unwrap_or_else(|_| file());
    for line in sell(&mut Shop::open(&store).await?).await? {
        println!("{line}");
    }
    Ok(())
}

/// Ada has 5.00. She orders for 9.00, and for 4.00.
async fn sell(shop: &mut Shop) -> Result<Vec<String>> {
    let eur = Currency::iso("EUR")?;
    let (ada, till): (AccountId, AccountId) = (ADA.parse()?, TILL.parse()?);
    let bank = SettlementName::new("bank")?;
    let opening: [Command; 3] = [
        OpenAccount::new(Owner::new("ada")?, eur)
            .with_id(ada)
            .into(),
        OpenAccount::new(Owner::new("till")?, eur)
            .with_id(till)
            .into(),
        Deposit::new(ada, Money::parse("5.00", eur)?, bank).into(),
    ];
    shop.submit(prepare("opening", opening.to_vec())?).await?;

    let mut lines = Vec::new();
    for (order, price) in [(7, "9.00"), (8, "4.00")] {
        let pay = PostTransfer::new(vec![Leg::new(ada, till, Money::parse(price, eur)?)]);
        let pay = prepare(&format!("order-{order}"), vec![pay.into()])?;
        lines.push(match shop.order(order, pay).await? {
            Ok(()) => format!("order {order} is placed and paid"),
            Err(refused) => format!("order {order} is not placed: {refused}"),
        });
    }
    let orders = shop.orders().await?;
    lines.push(format!("orders: {orders:?}"));
    Ok(lines)
}

/// A shop whose orders are in the same database as its books.
enum Shop {
    Sqlite(Box<SqliteShop>),
    Mysql(MysqlShop),
}

impl Shop {
    async fn open(url: &str) -> Result<Self> {
        match url.strip_prefix("sqlite:") {
            Some(path) => Ok(Self::Sqlite(Box::new(SqliteShop::open(path)?))),
            None => Ok(Self::Mysql(MysqlShop::open(url).await?)),
        }
    }

    /// Carries out a request that must be accepted.
    async fn submit(&mut self, request: Arc<PreparedRequest>) -> Result<()> {
        match self {
            Self::Sqlite(shop) => shop.submit(request),
            Self::Mysql(shop) => shop.submit(request).await,
        }
    }

    /// Places an order if its payment is accepted; otherwise returns the reason.
    async fn order(
        &mut self,
        order: i64,
        pay: Arc<PreparedRequest>,
    ) -> Result<std::result::Result<(), String>> {
        match self {
            Self::Sqlite(shop) => shop.order(order, pay),
            Self::Mysql(shop) => shop.order(order, pay).await,
        }
    }

    async fn orders(&mut self) -> Result<Vec<i64>> {
        match self {
            Self::Sqlite(shop) => shop.orders(),
            Self::Mysql(shop) => shop.orders().await,
        }
    }
}

fn prepare(key: &str, commands: Vec<Command>) -> Result<Arc<PreparedRequest>> {
    let key = IdempotencyKey::parse("shop", key)?;
    let request = Request::of_many(key, commands);
    let prepared: std::result::Result<_, InvalidRequest> =
        PreparedRequest::new(request, &Uuid7, &SettlementShards::new());
    Ok(Arc::new(prepared?))
}
