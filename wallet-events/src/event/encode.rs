//! Encodes events as JSON.

use uuid::Uuid;
use wallet_core::ledger::{Details, Restore, format_minor};
use wallet_core::{Currency, Hold, Leg, Policy, Timestamp, Transfer};

use super::json::{Object, array, write_to};
use super::text::time;
use super::{Event, EventEntry, Terms};

/// The initial buffer size: larger than most events.
const USUAL_BYTES: usize = 1_024;

/// The source of an event and its attribute names.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    pub(super) source: &'a str,
    pub(super) id: &'a str,
    pub(super) kind: &'a str,
    pub(super) group: &'a str,
}

/// CloudEvents 1.0 in JSON, with the extensions for partitioning and sequence.
pub(super) fn envelope(event: &Event, attributes: &Attributes<'_>) -> String {
    let mut out = String::with_capacity(USUAL_BYTES);
    {
        let mut envelope = Object::begin(&mut out);
        envelope.plain("specversion", "1.0");
        envelope.plain("id", attributes.id);
        envelope.text("source", attributes.source);
        envelope.plain("type", attributes.kind);
        id(&mut envelope, "subject", event.account.id.uuid());
        when(&mut envelope, "time", event.at);
        envelope.plain("datacontenttype", "application/json");
        envelope.plain("partitionkey", attributes.group);
        let (epoch, version) = (event.epoch.number(), event.version);
        envelope.shown("sequence", format_args!("{epoch:016}{version:019}"));
        data(&mut envelope.object("data"), event);
    }
    out
}

fn data(data: &mut Object<'_>, event: &Event) {
    let currency = event.currency;
    data.raw("ledger", event.account.ledger);
    id(data, "account", event.account.id.uuid());
    data.raw("epoch", event.epoch);
    data.raw("version", event.version);
    data.text("owner", event.owner.as_str());
    data.text("currency", currency.code().as_str());
    data.raw("exponent", currency.exponent());
    {
        let mut balance = data.object("balance");
        amount(&mut balance, "posted", event.balance.posted, currency);
        amount(&mut balance, "available", event.balance.available, currency);
        amount(
            &mut balance,
            "pending_in",
            event.balance.pending_in,
            currency,
        );
        amount(
            &mut balance,
            "pending_out",
            event.balance.pending_out,
            currency,
        );
    }
    if let Some(of) = &event.entry {
        entry(&mut data.object("entry"), of, currency);
    }
    if let Some(of) = &event.transfer {
        transfer(&mut data.object("transfer"), of);
    }
    if let Some(of) = &event.hold {
        hold(&mut data.object("hold"), of);
    }
    if let Some(of) = &event.terms {
        terms(&mut data.object("terms"), of, currency);
    }
    if !event.restores.is_empty() {
        array(data.field("restores"), &event.restores, restore);
    }
}

fn restore(out: &mut String, restore: &Restore) {
    let mut object = Object::begin(out);
    object.raw("epoch", restore.epoch);
    when(&mut object, "restored_to", restore.restored_to);
}

fn entry(object: &mut Object<'_>, entry: &EventEntry, currency: Currency) {
    object.raw("sequence", entry.sequence);
    object.plain("direction", entry.direction.name());
    amount(object, "amount", entry.amount.minor(), currency);
    object.raw("leg", entry.leg);
}

fn transfer(object: &mut Object<'_>, transfer: &Transfer) {
    id(object, "id", transfer.key.id.uuid());
    object.plain("kind", transfer.kind.name());
    array(object.field("legs"), &transfer.legs, leg);
    details(object, &transfer.details);
    if let Some(hold) = transfer.hold {
        id(object, "hold", hold.uuid());
    }
    if let Some(reversal) = &transfer.reversal {
        let mut reverses = object.object("reverses");
        id(&mut reverses, "transfer", reversal.transfer.uuid());
        array(reverses.field("legs"), &reversal.legs, |out, leg| {
            write_to(out, leg);
        });
        reverses.raw("forced", reversal.forced);
    }
    when(object, "created_at", transfer.created_at);
}

fn leg(out: &mut String, leg: &Leg) {
    let mut object = Object::begin(out);
    id(&mut object, "from", leg.from.uuid());
    id(&mut object, "to", leg.to.uuid());
    let currency = leg.money.currency;
    amount(&mut object, "amount", leg.money.amount.minor(), currency);
    object.text("currency", currency.code().as_str());
}

/// The host's details are written among the fields of the transfer or hold.
fn details(object: &mut Object<'_>, details: &Details) {
    if details.code != 0 {
        object.raw("code", details.code);
    }
    if let Some(reference) = &details.reference {
        object.text("reference", reference.as_str());
    }
    if let Some(description) = &details.description {
        object.text("description", description.as_str());
    }
    if let Some(metadata) = &details.metadata {
        object.raw("metadata", metadata.as_str());
    }
    if let Some(at) = details.effective_at {
        when(object, "effective_at", at);
    }
}

fn hold(object: &mut Object<'_>, hold: &Hold) {
    id(object, "id", hold.key.id.uuid());
    id(object, "from", hold.from.uuid());
    id(object, "to", hold.to.uuid());
    let currency = hold.money.currency;
    amount(object, "amount", hold.money.amount.minor(), currency);
    amount(object, "captured", hold.captured, currency);
    amount(object, "released", hold.released, currency);
    object.text("currency", currency.code().as_str());
    object.plain("status", hold.status.name());
    if let Some(at) = hold.expires_at {
        when(object, "expires_at", at);
    }
    details(object, &hold.details);
    when(object, "created_at", hold.created_at);
}

fn terms(object: &mut Object<'_>, terms: &Terms, currency: Currency) {
    object.plain("status", terms.status.name());
    match terms.policy {
        Policy::Overdraft(limit) => {
            let mut policy = object.object("policy");
            amount(&mut policy, terms.policy.name(), limit.minor(), currency);
        }
        Policy::NonNegative | Policy::Unlimited => object.plain("policy", terms.policy.name()),
    }
    if let Some(max) = terms.max_balance {
        amount(object, "max_balance", max.minor(), currency);
    }
}

fn id(object: &mut Object<'_>, name: &'static str, id: Uuid) {
    object.plain(name, id.hyphenated().encode_lower(&mut [0; 36]));
}

fn amount(object: &mut Object<'_>, name: &'static str, minor: i128, currency: Currency) {
    object.plain(name, &format_minor(minor, currency));
}

fn when(object: &mut Object<'_>, name: &'static str, at: Timestamp) {
    // The store's clock stays within the years that RFC 3339 can write.
    match time(at) {
        Some(time) => object.shown(name, time),
        None => object.plain(name, ""),
    }
}
