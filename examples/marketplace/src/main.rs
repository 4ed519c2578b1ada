//! A marketplace on the wallet ledger: what a shop, its customers, its merchants and their
//! bank do, each in a few lines.
//!
//! | file | what it shows |
//! |---|---|
//! | `market.rs` | accounts on first use in two currencies; the same call again under its key |
//! | `orders.rs` | an order and its payment in one transaction, split among three; refunds in parts |
//! | `bookings.rs` | a hold, a capture of a part, a release; another key after a refusal |
//! | `payouts.rs` | a payout with a percentage fee, which may come back from the bank |
//! | `statement.rs` | a printed statement |
//! | `view.rs` | a read model that the ledger's events write |
//!
//! `MARKET_STORE` says where: `sqlite:PATH`, or with the feature `mysql`
//! `mysql://USER:PASSWORD@HOST/DATABASE`. Without it the program makes a SQLite file and
//! removes it.

mod bookings;
mod error;
mod market;
mod orders;
mod payouts;
mod statement;
#[cfg(test)]
mod tests;
mod view;

use error::Result;
use market::Market;
use orders::Order;
use wallet::core::store::CommitSignal;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = || format!("sqlite:{}", folder.path().join("market.db").display());
    let store = std::env::var("MARKET_STORE").unwrap_or_else(|_| file());
    for line in trade(&store).await? {
        println!("{line}");
    }
    Ok(())
}

/// A day of the market. The program may run again on the same store: what it did then is
/// done once.
async fn trade(url: &str) -> Result<Vec<String>> {
    let signal = CommitSignal::default();
    let market = Market::open(url, signal.clone()).await?;
    let feed = view::Feed::start(&market, signal)?;
    let eur = market.eur;

    let ada = market.account("ada", eur).await?;
    let mia = market.account("mia's bikes", eur).await?;
    market.top_up("card-1", ada, eur.parse("100.00")?).await?;

    let bike = Order {
        id: 7,
        customer: ada,
        merchant: mia,
        price: eur.parse("80.00")?,
    };
    let paid = market.place(&bike).await?;
    market.ship(&market.paid(7).await?).await?;
    market.grant_points("order-7", "ada", bike.price).await?;
    let bell = eur.parse("10.00")?;
    market.refund("bell", &paid.payment, bell).await?;

    let hour = eur.parse("45.00")?;
    let hold = match market.book(1, 1, ada, mia, hour).await {
        Err(error) if error.wants_another_key() => {
            println!("booking 1 is tried again, after it was {error}");
            market.top_up("card-2", ada, hour).await?;
            market.book(1, 2, ada, mia, hour).await?
        }
        hold => hold?,
    };
    market.charge(1, hold, eur.parse("15.00")?).await?;
    market.finish(1, hold).await?;

    market.pay_out(1, mia, eur.parse("20.00")?).await?;
    market.payout_returned(1).await?;
    market.pay_out(2, mia, eur.parse("30.00")?).await?;
    market.payout_arrived(2).await?;

    let mut lines = market.statement("ada", eur).await?;
    lines.extend(market.statement("ada", market.points).await?);
    lines.extend(market.statement("mia's bikes", eur).await?);
    feed.caught_up().await?;
    lines.extend(view::balances(&market.books).await?);
    feed.stop().await;
    market.books.shutdown().await;
    Ok(lines)
}
