//! The smallest program that moves money with the wallet ledger.

use std::{error::Error, sync::Arc};

use wallet_core::ledger::format_minor;
use wallet_core::{
    Answer, Capture, Command, Currency, Deposit, EntryQuery, IdempotencyKey, Leg, Money,
    OpenAccount, Owner, PlaceHold, PostTransfer, Request, SettlementName, SystemClock, Wallet,
};
use wallet_sqlite::{SqliteSettings, SqliteStore};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Submits a command; the caller asks whether it was accepted.
async fn submit(wallet: &Wallet, key: &str, command: impl Into<Command>) -> Result<Answer> {
    let key = IdempotencyKey::parse("quickstart", key)?;
    Ok(wallet.submit(Request::new(key, command)).await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = SqliteSettings::new(folder.path().join("wallet.db"));
    let store = SqliteStore::open(&settings, Arc::new(SystemClock))?;
    let wallet = Wallet::builder(Arc::new(store)).spawn()?;
    let eur = Currency::iso("EUR")?;
    let money = |text| Money::parse(text, eur);

    let opened = submit(&wallet, "ada", OpenAccount::new(Owner::new("ada")?, eur)).await?;
    let account = opened.account()?.ok_or("not opened")?.state.key;
    let opened = submit(&wallet, "bob", OpenAccount::new(Owner::new("bob")?, eur)).await?;
    let (ada, bob) = (
        account.id,
        opened.account()?.ok_or("not opened")?.state.key.id,
    );
    let deposit = Deposit::new(ada, money("100.00")?, SettlementName::new("bank")?);
    submit(&wallet, "deposit", deposit).await?.accepted()?;
    let transfer = PostTransfer::new(vec![Leg::new(ada, bob, money("30.00")?)]);
    submit(&wallet, "transfer", transfer).await?.accepted()?;

    let hold = PlaceHold::new(ada, bob, money("45.00")?);
    let hold = submit(&wallet, "hold", hold).await?;
    let hold = hold.hold()?.ok_or("not placed")?.key.id;
    submit(&wallet, "capture", Capture::new(hold))
        .await?
        .accepted()?;

    for entry in wallet.entries(&EntryQuery::first(account, 10)).await? {
        let amount = format_minor(entry.amount.minor(), eur);
        let after = format_minor(entry.balance_after, eur);
        println!("{amount:>7} {:?}, balance {after:>7}", entry.direction);
    }
    let too_much = PostTransfer::new(vec![Leg::new(ada, bob, money("25.01")?)]);
    let request = Request::new(IdempotencyKey::parse("quickstart", "more")?, too_much);
    let refused = wallet.submit(request).await?.accepted().err();
    println!("25.01 more: {}", refused.ok_or("not refused")?);
    wallet.shutdown().await;
    Ok(())
}
