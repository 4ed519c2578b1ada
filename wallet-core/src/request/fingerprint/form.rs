//! The parts of a canonical form.

use crate::ledger::{Amount, Currency, Details, Leg, Money, Policy};
use crate::request::{SystemAccount, SystemLeg};

/// The capacity for a transfer with a short description.
const SIZE_HINT: usize = 256;

/// The numbers of fields. A number is never reused for another field.
pub(super) mod field {
    pub(crate) const ID: u8 = 1;
    pub(crate) const OWNER: u8 = 2;
    pub(crate) const CURRENCY: u8 = 3;
    pub(crate) const POLICY: u8 = 4;
    pub(crate) const MAX_BALANCE: u8 = 5;
    pub(crate) const METADATA: u8 = 6;
    pub(crate) const SYSTEM: u8 = 7;
    pub(crate) const ACCOUNT: u8 = 8;
    pub(crate) const STATUS: u8 = 9;
    pub(crate) const LEG: u8 = 10;
    pub(crate) const AMOUNT: u8 = 11;
    pub(crate) const SETTLEMENT: u8 = 12;
    pub(crate) const FROM: u8 = 13;
    pub(crate) const TO: u8 = 14;
    pub(crate) const SHARE: u8 = 15;
    pub(crate) const EXPIRES_IN: u8 = 16;
    pub(crate) const HOLD: u8 = 17;
    pub(crate) const IS_FINAL: u8 = 18;
    pub(crate) const TRANSFER: u8 = 19;
    pub(crate) const REVERSED_LEG: u8 = 20;
    pub(crate) const FORCE: u8 = 21;
    pub(crate) const CODE: u8 = 22;
    pub(crate) const REFERENCE: u8 = 23;
    pub(crate) const DESCRIPTION: u8 = 24;
    pub(crate) const EFFECTIVE_AT: u8 = 25;
    pub(crate) const SYSTEM_LEG: u8 = 26;
    pub(crate) const PROPORTIONAL: u8 = 27;
    pub(crate) const EXPIRES_AT: u8 = 28;
}

/// A canonical form that is being built.
#[derive(Debug)]
pub(super) struct Form {
    bytes: Vec<u8>,
}

impl Form {
    /// A form that starts with its domain.
    pub(super) fn new(domain: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(SIZE_HINT);
        bytes.extend_from_slice(domain);
        Self { bytes }
    }

    /// The bytes of the form so far.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Starts the command with this number.
    pub(super) fn begin(&mut self, number: u8) {
        self.bytes.push(number);
    }

    /// Ends a command: no field has the number zero.
    pub(super) fn end(&mut self) {
        self.bytes.push(0);
    }

    /// Adds a field of several parts, one after the other.
    pub(super) fn parts<const N: usize>(&mut self, field: u8, parts: [&[u8]; N]) {
        let length = parts
            .iter()
            .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        // No field comes near this length. Texts and lists are checked before.
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.bytes.push(field);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
    }

    pub(super) fn put(&mut self, field: u8, bytes: &[u8]) {
        self.parts(field, [bytes]);
    }

    pub(super) fn text(&mut self, field: u8, text: &str) {
        self.put(field, text.as_bytes());
    }

    pub(super) fn id(&mut self, id: Option<&[u8; 16]>) {
        if let Some(id) = id {
            self.put(field::ID, id);
        }
    }

    pub(super) fn amount(&mut self, field: u8, amount: Amount) {
        self.put(field, &amount.minor().to_be_bytes());
    }

    pub(super) fn currency(&mut self, currency: Currency) {
        let code = currency.code();
        let exponent = [currency.exponent()];
        self.parts(field::CURRENCY, [&exponent, code.as_str().as_bytes()]);
    }

    pub(super) fn money(&mut self, money: Money) {
        self.amount(field::AMOUNT, money.amount);
        self.currency(money.currency);
    }

    pub(super) fn policy(&mut self, policy: Policy) {
        match policy.parts() {
            (number, None) => self.put(field::POLICY, &[number]),
            (number, Some(limit)) => {
                let limit = limit.minor().to_be_bytes();
                self.parts(field::POLICY, [&[number], &limit]);
            }
        }
    }

    /// Adds a field that is either present or absent.
    pub(super) fn mark(&mut self, field: u8, is_said: bool) {
        if is_said {
            self.put(field, &[1]);
        }
    }

    pub(super) fn leg(&mut self, leg: &Leg) {
        // Names every field, as `details` does below.
        let Leg { from, to, money } = leg;
        let Money { amount, currency } = money;
        let code = currency.code();
        let parts: [&[u8]; 5] = [
            from.as_bytes(),
            to.as_bytes(),
            &amount.minor().to_be_bytes(),
            &[currency.exponent()],
            code.as_str().as_bytes(),
        ];
        self.parts(field::LEG, parts);
    }

    pub(super) fn system_leg(&mut self, leg: &SystemLeg) {
        let SystemLeg { from, to, money } = leg;
        let Money { amount, currency } = money;
        let code = currency.code();
        let (from, to) = (system_account(from), system_account(to));
        let parts: [&[u8]; 5] = [
            &from,
            &to,
            &amount.minor().to_be_bytes(),
            &[currency.exponent()],
            code.as_str().as_bytes(),
        ];
        self.parts(field::SYSTEM_LEG, parts);
    }

    pub(super) fn details(&mut self, details: &Details) {
        // Names every field, so that a new one cannot be forgotten here.
        let Details {
            code,
            reference,
            description,
            metadata,
            effective_at,
        } = details;
        if *code != 0 {
            self.put(field::CODE, &code.to_be_bytes());
        }
        if let Some(reference) = reference {
            self.text(field::REFERENCE, reference.as_str());
        }
        if let Some(description) = description {
            self.text(field::DESCRIPTION, description.as_str());
        }
        if let Some(metadata) = metadata {
            self.text(field::METADATA, metadata.as_str());
        }
        if let Some(at) = effective_at {
            self.put(field::EFFECTIVE_AT, &at.as_micros().to_be_bytes());
        }
    }
}

/// The number of the account's kind, then its id. A name follows its length.
fn system_account(account: &SystemAccount) -> Vec<u8> {
    match account {
        SystemAccount::Account(id) => [&[1], id.as_bytes().as_slice()].concat(),
        SystemAccount::Settlement(name) => {
            let name = name.as_str().as_bytes();
            // A settlement name has at most 32 bytes.
            let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
            [&[2, length], name].concat()
        }
    }
}
