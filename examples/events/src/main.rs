//! A read model without a queue: the relay hands each event to a handler in the same
//! process, which writes to the host's own database.
//!
//! ```text
//! books ── outbox ──► Relay ──► HandlerPublisher ──► ReadModel: income and position, together
//! ```
//!
//! The program `wallet-events-queues` shows the way over queues and topics.

use std::sync::Arc;

use tokio::sync::oneshot;
use wallet::prelude::*;
use wallet_core::store::CommitSignal;
use wallet_events_example::{ReadModel, Result, publisher, relay};

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("books.db").display());
    let signal = CommitSignal::default();
    let books = Books::builder(&url).signal(signal.clone()).open().await?;

    let file = folder.path().join("shop.db");
    let model = Arc::new(ReadModel::open(&file)?);
    let handler = publisher(&books, &file, &model)?;
    let relay = relay(&books, signal, Arc::new(handler))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let at_work = tokio::spawn(async move { relay.run(async { drop(stopped.await) }).await });

    let eur = Currency::iso("EUR")?;
    let open = |owner: &str| owner.parse().map(|owner| OpenAccount::new(owner, eur));
    let ada = books.ensure_account(open("ada")?).await?.id();
    let bob = books.ensure_account(open("bob")?).await?.id();
    let orders = books.scope("orders")?;
    let deposit = Deposit::new(ada, eur.parse("100.00")?, SettlementName::new("bank")?);
    orders.run("deposit-1", deposit).await?;
    for order in ["order-1", "order-2"] {
        let pay = PostTransfer::simple(ada, bob, eur.parse("30.00")?);
        orders.run(order, pay).await?;
    }

    model.wait_for(3).await;
    drop(stop);
    at_work.await?;
    for income in model.incomes()? {
        println!("{income}");
    }
    Ok(())
}
