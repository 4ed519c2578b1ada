//! Balances agree with accounts and name the epoch. No conformance case calls
//! `balances`.

use std::sync::Arc;

use wallet_core::ledger::{Balance, Epoch, InLedger, RaisedBy, SettlementShards};
use wallet_core::request::{Batch, PreparedRequest};
use wallet_core::runtime::Uuid7;
use wallet_core::store::LedgerStore;
use wallet_core::{
    AccountId, Command, Currency, Deposit, IdempotencyKey, LedgerId, Money, OpenAccount, Owner,
    Request, SettlementName, Timestamp,
};
use wallet_store_example::{Database, ExampleStore};
use wallet_testkit::{ManualClock, block_on};

#[test]
fn balances_are_those_of_the_accounts_in_the_current_epoch() {
    let store = ExampleStore::open(Database::new(), Arc::new(ManualClock::default()));
    let euro = Currency::iso("EUR").unwrap();
    let id = AccountId::from_bytes([7; 16]);
    let bank = SettlementName::new("bank").unwrap();
    let commands: Vec<Command> = vec![
        OpenAccount::new(Owner::new("ada").unwrap(), euro)
            .with_id(Some(id))
            .into(),
        Deposit::new(id, Money::minor(5, euro).unwrap(), bank).into(),
    ];
    let key = IdempotencyKey::parse("example", "open").unwrap();
    let request = Request::of_many(key, commands);
    let request = PreparedRequest::new(request, &Uuid7, &SettlementShards::new()).unwrap();
    let batch = Arc::new(Batch::new(vec![Arc::new(request)]));
    let ada = InLedger::new(LedgerId::default(), id);
    let nobody = InLedger::new(LedgerId::new(9), id);
    block_on(async {
        store.transact(batch).await.unwrap();
        let account = store.accounts(&[ada]).await.unwrap().remove(0).unwrap();
        let expected = |epoch| Some(Balance::of(&account.state, epoch));
        let found = store.balances(&[nobody, ada, ada]).await.unwrap();
        let first = expected(Epoch::FIRST);
        assert_eq!(found, [None, first, first]);
        let by = RaisedBy::new("ops").unwrap();
        let raised = store.raise_epoch(Timestamp::EPOCH, &by).await.unwrap();
        let found = store.balances(&[ada]).await.unwrap();
        assert_eq!(found, [expected(raised.epoch)]);
    });
}
