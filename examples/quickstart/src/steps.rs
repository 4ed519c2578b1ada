use std::error::Error;

use wallet_core::{
    AccountId, AccountKey, Answer, Command, Currency, Direction, EntryQuery, IdempotencyKey,
    KeyScope, KeyText, LedgerId, OpenAccount, Order, Owner, Request, Wallet, format_minor,
};

pub(crate) type Failure = Box<dyn Error>;

/// Carries out one command under a key.
pub(crate) async fn submit(
    wallet: &Wallet,
    key: &str,
    command: impl Into<Command>,
) -> Result<Answer, Failure> {
    let key = IdempotencyKey::new(KeyScope::new("quickstart")?, KeyText::new(key)?);
    Ok(wallet.submit(Request::new(key, command)).await?)
}

/// Opens an account that may never fall below zero.
pub(crate) async fn open(
    wallet: &Wallet,
    owner: &str,
    currency: Currency,
) -> Result<AccountId, Failure> {
    let command = OpenAccount::new(Owner::new(owner)?, currency);
    let answer = submit(wallet, &format!("open-{owner}"), command).await?;
    let account = answer.account()?.ok_or("no account was opened")?;
    Ok(account.state.key.id)
}

/// Prints an account's entries and balance.
pub(crate) async fn print_statement(wallet: &Wallet, id: AccountId) -> Result<(), Failure> {
    let key = AccountKey::new(LedgerId::default(), id);
    let account = wallet.account(key).await?.ok_or("no such account")?;
    let currency = account.state.currency;
    let query = EntryQuery {
        account: key,
        from: None,
        to: None,
        order: Order::Ascending,
        after: None,
        limit: 100,
    };
    println!("\n{}, in {}:", account.owner, currency.code());
    for entry in wallet.entries(&query).await? {
        let sign = match entry.direction {
            Direction::Debit => '-',
            Direction::Credit => '+',
        };
        let amount = format_minor(entry.amount.minor(), currency);
        let after = format_minor(entry.balance_after, currency);
        println!("  {:>2}  {sign}{amount:>8}  {after:>8}", entry.sequence);
    }
    let available = format_minor(account.state.counters.available(), currency);
    println!("  available    {available:>8}");
    Ok(())
}
