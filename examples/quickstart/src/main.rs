//! The smallest program that moves money with the wallet ledger.

mod steps;

use std::sync::Arc;

use wallet_core::{
    Capture, Currency, Deposit, Leg, Money, PlaceHold, PostTransfer, SettlementName, SystemClock,
    Wallet,
};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use steps::{Failure, open, print_statement, submit};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let settings = SqliteSettings::new(folder.path().join("wallet.db"));
    let store = SqliteStore::open(&settings, Arc::new(SystemClock))?;
    let wallet = Wallet::builder(Arc::new(store)).spawn()?;
    let eur = Currency::iso("EUR")?;
    let money = |text| Money::parse(text, eur);

    let ada = open(&wallet, "ada", eur).await?;
    let bob = open(&wallet, "bob", eur).await?;
    let deposit = Deposit::new(ada, money("100.00")?, SettlementName::new("bank")?);
    submit(&wallet, "deposit-1", deposit).await?.accepted()?;

    let transfer = PostTransfer::new(vec![Leg::new(ada, bob, money("30.00")?)]);
    let first = submit(&wallet, "transfer-1", transfer.clone()).await?;
    first.accepted()?;
    let again = submit(&wallet, "transfer-1", transfer).await?;
    let is_same = again.outcome == first.outcome;
    println!("sent again: replayed {}, same {is_same}", again.replayed);

    // Reserve 50, take 45 of it, give the rest back.
    let hold = PlaceHold::new(ada, bob, money("50.00")?);
    let hold = submit(&wallet, "hold-1", hold).await?;
    let hold = hold.hold()?.ok_or("no hold was placed")?.key.id;
    let capture = Capture::new(hold)
        .with_amount(money("45.00")?.amount)
        .with_is_final(true);
    submit(&wallet, "capture-1", capture).await?.accepted()?;

    let much = PostTransfer::new(vec![Leg::new(ada, bob, money("25.01")?)]);
    let refused = submit(&wallet, "transfer-2", much).await?;
    let rejection = refused.accepted().err().ok_or("an overdraft was allowed")?;
    println!("25.01 EUR more is refused: {}", rejection.rejection);

    print_statement(&wallet, ada).await?;
    print_statement(&wallet, bob).await?;
    wallet.shutdown().await;
    Ok(())
}
