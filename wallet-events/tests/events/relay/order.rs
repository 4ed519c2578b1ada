use std::sync::Arc;

use wallet_core::ledger::EffectKind;
use wallet_core::request::{Expire, ReverseWhat};
use wallet_core::{
    Amount, Capture, ChangeLimits, ChangeStatus, Deposit, PlaceHold, Policy, Release, Reverse,
    Status,
};

use crate::kit::{World, assert_in_order, bank, cents, event, spawn};
use crate::relay::publisher::Recorder;
use crate::strict::misfits;

#[tokio::test(start_paused = true)]
async fn every_effect_on_an_account_is_published_once_and_in_order() {
    let world = World::new();
    let recorder = Recorder::new();
    let relay = world.relay(Arc::<Recorder>::clone(&recorder));
    let running = spawn(&relay);
    let ada = world.open("ada").await;
    let bob = world.open("bob").await;
    let limits = ChangeLimits::new(ada).with_policy(Policy::Unlimited);
    let statuses = [Status::DebitsFrozen, Status::Active];
    let statuses = statuses.map(|status| ChangeStatus::new(ada, status).into());
    world.must(vec![limits.into()]).await;
    world.must(statuses.to_vec()).await;
    let posted = world
        .submit(vec![Deposit::new(ada, cents(1_000), bank()).into()])
        .await;
    let deposit = posted.posted().unwrap().unwrap().transfer.key.id;
    let hold = |seconds| {
        PlaceHold::new(ada, bob, cents(100))
            .with_expires_in(Some(std::time::Duration::from_secs(seconds)))
    };
    let mut holds = Vec::new();
    for seconds in [3_600, 3_600, 1] {
        let answer = world.submit(vec![hold(seconds).into()]).await;
        holds.push(answer.hold().unwrap().unwrap().key.id);
    }
    let part = Capture::new(holds[0]).with_amount(Amount::new(30).unwrap());
    world.must(vec![part.into()]).await;
    let rest = Capture::new(holds[0]).with_is_final(true);
    world
        .must(vec![rest.with_amount(Amount::new(50).unwrap()).into()])
        .await;
    world.must(vec![Release::new(holds[1]).into()]).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    // The wallet's own sweep may have been first.
    let swept = world.store_holds(holds[2]).await;
    if swept {
        world.must(vec![Expire::new(holds[2]).into()]).await;
    }
    world
        .must(vec![
            Reverse::new(deposit)
                .with_what(ReverseWhat::Amount(Amount::new(5).unwrap()))
                .into(),
        ])
        .await;
    world.drained().await;
    running.stop().await;

    let messages = recorder.published();
    assert_eq!(assert_in_order(&messages), 0);
    for message in &messages {
        let misfits = misfits(&event(message), &message.body);
        assert_eq!(misfits, Vec::<String>::new(), "{}", message.body);
    }
    let kinds = |account| {
        let events = messages.iter().map(event);
        let events = events.filter(|event| event.account.id == account);
        events.map(|event| event.kind).collect::<Vec<_>>()
    };
    let of_ada = [
        EffectKind::Opened,
        EffectKind::LimitsChanged,
        EffectKind::StatusChanged,
        EffectKind::StatusChanged,
        EffectKind::Credited,
        EffectKind::HoldPlaced,
        EffectKind::HoldPlaced,
        EffectKind::HoldPlaced,
        EffectKind::HoldCaptured,
        EffectKind::HoldCaptured,
        EffectKind::HoldReleased,
        EffectKind::HoldExpired,
        EffectKind::Reversed,
    ];
    assert_eq!(kinds(ada), of_ada);
    let of_bob = [
        EffectKind::Opened,
        EffectKind::HoldPlaced,
        EffectKind::HoldPlaced,
        EffectKind::HoldPlaced,
        EffectKind::HoldCaptured,
        EffectKind::HoldCaptured,
        EffectKind::HoldReleased,
        EffectKind::HoldExpired,
    ];
    assert_eq!(kinds(bob), of_bob);
    let stats = relay.stats();
    assert_eq!(stats.published, 21);
    assert_eq!(
        (stats.failed, stats.parked, stats.store_failures),
        (0, 0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn the_hosts_own_accounts_are_published_only_when_asked_for() {
    for system_accounts in [false, true] {
        let world = World::new();
        let recorder = Recorder::new();
        let mut settings = World::settings("first");
        settings.system_accounts = system_accounts;
        let running = spawn(&world.relay_with(Arc::<Recorder>::clone(&recorder), settings));
        world.accounts::<2>().await;
        world.drained().await;
        running.stop().await;
        let messages = recorder.published();
        assert_eq!(assert_in_order(&messages), 0);
        // The bank is opened with the first deposit and debited by both.
        assert_eq!(messages.len(), if system_accounts { 7 } else { 4 });
    }
}

#[tokio::test(start_paused = true)]
async fn one_event_of_an_account_is_under_way_at_a_time() {
    let world = World::new();
    let recorder = Recorder::new();
    let [ada, bob] = world.accounts().await;
    for _ in 0..50 {
        world.pay(ada, bob).await;
    }
    let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
    world.drained().await;
    running.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
    for call in recorder.calls() {
        let mut groups: Vec<&str> = call.iter().map(|message| message.group.as_str()).collect();
        groups.dedup();
        assert_eq!(groups.len(), call.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_keeps_order_gets_many_of_an_account_in_a_call() {
    let world = World::new();
    let recorder = Recorder::scripted(|_, _| wallet_core::messaging::Published::Done);
    let recorder = Arc::new(recorder.with_limits(|limits| limits.keeps_order = true));
    let [ada, bob] = world.accounts().await;
    for _ in 0..100 {
        world.pay(ada, bob).await;
    }
    let running = spawn(&world.relay(Arc::<Recorder>::clone(&recorder)));
    world.drained().await;
    running.stop().await;
    assert_eq!(assert_in_order(&recorder.published()), 0);
    assert_eq!(recorder.published().len(), 204);
    // Two groups, each in calls of at most ten.
    assert!(recorder.calls().len() <= 24, "{}", recorder.calls().len());
    assert!(recorder.calls().iter().all(|call| call.len() <= 10));
}
