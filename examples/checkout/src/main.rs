//! An order and its payment in one transaction. Both are committed, or neither if the
//! payment is refused.
//!
//! `SHOP_STORE` says where: `sqlite:PATH` or `mysql://USER:PASSWORD@HOST/DATABASE`.
//! Without it the program makes a SQLite file and removes it.

#[cfg(test)]
mod tests;

use wallet::prelude::*;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS shop_order (id BIGINT PRIMARY KEY)";
const INSERT: &str = "INSERT INTO shop_order (id) VALUES (?)";
const SELECT: &str = "SELECT id FROM shop_order ORDER BY id";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = || format!("sqlite:{}", folder.path().join("shop.db").display());
    let store = std::env::var("SHOP_STORE").unwrap_or_else(|_| file());
    for line in sell(&store).await? {
        println!("{line}");
    }
    Ok(())
}

/// Ada has 5.00. She orders for 9.00, and for 4.00. The program may run again on the same
/// store: what it did then is done once.
async fn sell(url: &str) -> Result<Vec<String>, WalletError> {
    let books = Books::open(url).await?;
    books.create_tables(&[CREATE]).await?;
    let eur = Currency::iso("EUR")?;
    let open = |owner: &str| owner.parse().map(|owner| OpenAccount::new(owner, eur));
    let ada = books.ensure_account(open("ada")?).await?.id();
    let till = books.ensure_account(open("till")?).await?.id();
    let shop = books.scope("shop")?;
    let deposit = Deposit::new(ada, eur.parse("5.00")?, SettlementName::new("bank")?);
    shop.run("deposit", deposit).await?;

    let mut lines = Vec::new();
    for (order, price) in [(7, "9.00"), (8, "4.00")] {
        let pay = PostTransfer::simple(ada, till, eur.parse(price)?);
        let key = shop.key(&format!("order-{order}"))?;
        lines.push(match place(&books, order, key, pay).await {
            Ok(()) => format!("order {order} is placed and paid"),
            Err(WalletError::Rejected(why)) => format!("order {order} is not placed: {why}"),
            Err(WalletError::Statement(error)) if error.is_duplicate() => {
                format!("order {order} was placed and paid before")
            }
            Err(error) => return Err(error),
        });
    }
    let orders = books.query(SELECT, &[]).await?;
    let orders: Result<Vec<i64>, _> = orders.iter().map(|row| row.integer(0)).collect();
    lines.push(format!("orders: {:?}", orders?));
    books.shutdown().await;
    Ok(lines)
}

/// The closure may run again, after a conflict: it has effects on the database only.
async fn place(
    books: &Books,
    order: i64,
    key: IdempotencyKey,
    pay: PostTransfer,
) -> Result<(), WalletError> {
    let placed = books.in_transaction(|tx| {
        let (key, pay) = (key.clone(), pay.clone());
        async move {
            tx.execute(INSERT, &[order.into()]).await?;
            tx.run(key, pay).await
        }
    });
    placed.await.map(drop)
}
