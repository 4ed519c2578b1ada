//! Finds the rows that commands name.

use std::collections::BTreeSet;

use uuid::Uuid;

use wallet_core::ledger::{HoldKey, InLedger, TransferKey, settlement_account};
use wallet_core::request::SystemAccount;
use wallet_core::{AccountId, Command, HoldId, LedgerId, TransferId};

use super::Model;
use crate::model::books::Named;

impl Model {
    /// The names in commands, directly or through a hold or transfer.
    pub(super) fn named(&self, ledger: LedgerId, commands: &[Command], ids: &[Uuid]) -> Named {
        let mut named = BTreeSet::new();
        let mut accounts = |ids: &[AccountId]| {
            named.extend(ids.iter().map(|id| InLedger::new(ledger, *id)));
        };
        let (mut holds, mut transfers) = (Vec::new(), Vec::new());
        for (command, id) in commands.iter().zip(ids) {
            transfers.push(TransferId::new(*id));
            match command {
                Command::OpenAccount(_) => accounts(&[AccountId::new(*id)]),
                Command::ChangeStatus(c) => accounts(&[c.account]),
                Command::ChangeLimits(c) => accounts(&[c.account]),
                Command::PostTransfer(c) => {
                    c.legs.iter().for_each(|leg| accounts(&[leg.from, leg.to]));
                }
                Command::Deposit(c) => {
                    let (currency, name) = (c.money.currency, &c.settlement);
                    accounts(&[c.account, settlement_account(ledger, currency, name, 0)]);
                }
                Command::Withdrawal(c) => {
                    let (currency, name) = (c.money.currency, &c.settlement);
                    accounts(&[c.account, settlement_account(ledger, currency, name, 0)]);
                }
                Command::SystemTransfer(c) => {
                    for leg in &c.legs {
                        for side in [&leg.from, &leg.to] {
                            accounts(&[match side {
                                SystemAccount::Account(id) => *id,
                                SystemAccount::Settlement(name) => {
                                    settlement_account(ledger, leg.money.currency, name, 0)
                                }
                            }]);
                        }
                    }
                }
                Command::Split(c) => {
                    accounts(&[c.from]);
                    c.shares.iter().for_each(|share| accounts(&[share.to]));
                }
                Command::PlaceHold(c) => {
                    accounts(&[c.from, c.to]);
                    holds.push(HoldId::new(*id));
                }
                Command::Capture(c) => holds.push(c.hold),
                Command::Release(c) => holds.push(c.hold),
                Command::Expire(c) => holds.push(c.hold),
                Command::Reverse(c) => transfers.push(c.transfer),
                other => panic!("the model does not know {other:?}"),
            }
        }
        let holds: Vec<_> = holds.iter().map(|id| HoldKey::new(ledger, *id)).collect();
        let transfers = transfers.iter().map(|id| TransferKey::new(ledger, *id));
        let transfers: Vec<_> = transfers.collect();
        for hold in holds.iter().filter_map(|key| self.books.holds.get(key)) {
            accounts(&[hold.from, hold.to]);
        }
        let rows = transfers.iter();
        for row in rows.filter_map(|key| self.books.transfers.get(key)) {
            let legs = row.transfer.legs.iter();
            legs.for_each(|leg| accounts(&[leg.from, leg.to]));
        }
        Named {
            accounts: named,
            holds,
            transfers,
        }
    }
}
