//! A read model in the host's own database, fed by the events of the books.

mod read_model;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use wallet::{Books, SystemClock};
use wallet_core::messaging::EventPublisher;
use wallet_core::store::CommitSignal;
use wallet_events::{HandlerPublisher, HandlerSettings, Relay, RelaySettings};
use wallet_sqlite::{SqliteInbox, SqliteSettings};

pub use read_model::{Income, READ_MODEL, ReadModel};

/// The result of the example's functions.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The publisher that hands events to the read model in `file`.
///
/// # Errors
/// The file cannot be opened.
pub fn publisher(books: &Books, file: &Path, model: &Arc<ReadModel>) -> Result<HandlerPublisher> {
    let inbox = Arc::new(SqliteInbox::open(&SqliteSettings::new(file))?);
    let model = Arc::<ReadModel>::clone(model);
    let ledger = Arc::clone(books.store());
    let (clock, settings) = (Arc::new(SystemClock), HandlerSettings::new(READ_MODEL));
    let publisher = HandlerPublisher::new(inbox, model, ledger, clock, settings)?;
    Ok(publisher)
}

/// The relay from the outbox of the books to `publisher`. `signal` notifies it of commits.
///
/// # Errors
/// A setting is not valid.
pub fn relay(
    books: &Books,
    signal: CommitSignal,
    publisher: Arc<dyn EventPublisher>,
) -> Result<Relay> {
    let (outbox, ledger) = (books.outbox(), Arc::clone(books.store()));
    let settings = RelaySettings::new("shop-1");
    let relay = Relay::builder(outbox, ledger, publisher, Arc::new(SystemClock), settings);
    Ok(relay.signal(signal).build()?)
}
