//! The smallest program that moves money with the wallet ledger.

use std::sync::Arc;

use wallet_core::ledger::format_minor;
use wallet_core::{
    Capture, Currency, Deposit, EntryQuery, OpenAccount, PlaceHold, PostTransfer, SettlementName,
    SystemClock, Wallet,
};
use wallet_sqlite::{SqliteSettings, SqliteStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let settings = SqliteSettings::new(folder.path().join("wallet.db"));
    let store = SqliteStore::open(&settings, Arc::new(SystemClock))?;
    let wallet = Wallet::builder(store).spawn()?;
    let shop = wallet.scope("quickstart")?;
    let eur = Currency::iso("EUR")?;

    let open = |owner: &str| owner.parse().map(|owner| OpenAccount::new(owner, eur));
    let ada = shop.run("open-ada", open("ada")?).await?.id();
    let bob = shop.run("open-bob", open("bob")?).await?.id();
    let deposit = Deposit::new(ada, eur.parse("100.00")?, SettlementName::new("bank")?);
    shop.run("deposit", deposit).await?;
    let pay = |amount| {
        eur.parse(amount)
            .map(|money| PostTransfer::simple(ada, bob, money))
    };
    shop.run("pay", pay("30.00")?).await?;

    let hold = PlaceHold::new(ada, bob, eur.parse("45.00")?);
    let hold = shop.run("hold", hold).await?.id();
    shop.run("capture", Capture::new(hold)).await?;

    for entry in wallet.entries(&EntryQuery::first(ada, 10)).await? {
        let amount = format_minor(entry.amount.minor(), eur);
        let after = format_minor(entry.balance_after, eur);
        println!("{amount:>7} {:?}, balance {after:>7}", entry.direction);
    }
    // A refusal is an error, recorded under its key.
    match shop.run("more", pay("25.01")?).await {
        Ok(_) => return Err("more than the balance was paid".into()),
        Err(error) => println!("25.01 more: {error}"),
    }
    wallet.shutdown().await;
    Ok(())
}
