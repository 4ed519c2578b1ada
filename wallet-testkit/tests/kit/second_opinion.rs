//! The clients' answers, checked again by an independent checker (`adya`). It does
//! not know how versions arise. It searches for cycles among reads, writes and real
//! time.

use std::fmt::Write;

use adya::{History, Opts, Valid, Workload, check};
use wallet_core::ledger::AccountKey;
use wallet_testkit::consistency::{Anomaly, Bank, Call, Did, Flaw};

fn bank(seed: u64) -> Bank {
    Bank {
        accounts: 4,
        clients: 4,
        rounds: 20,
        seed,
    }
}

/// The reads and writes of a call, as registers that hold an account's version. A
/// call that writes a version has read the previous one.
fn steps(call: &Call) -> String {
    let mut steps = Vec::new();
    let read = |account: AccountKey, version: i64| {
        let version = match version {
            0 => "null".to_owned(),
            version => version.to_string(),
        };
        format!("[\"r\",\"{account}\",{version}]")
    };
    match &call.did {
        Did::Read(seen) => steps.extend(seen.iter().map(|seen| read(seen.account, seen.version))),
        Did::Wrote(seen) => {
            for seen in seen {
                let (account, version) = (seen.account, seen.version);
                steps.push(read(account, version - 1));
                steps.push(format!("[\"w\",\"{account}\",{version}]"));
            }
        }
        Did::Unknown(_) => panic!("no call here stays without an answer"),
    }
    format!("[{}]", steps.join(","))
}

/// The calls as a history of transactions, in the order of their starts and ends.
/// Each client has one transaction.
fn history(calls: &[Call]) -> History {
    let mut events = Vec::new();
    for (process, call) in calls.iter().enumerate() {
        events.push((call.began, "invoke", process));
        events.push((call.ended, "ok", process));
    }
    events.sort_unstable();
    let mut text = String::new();
    for (_, kind, process) in events {
        let steps = steps(&calls[process]);
        let line = format!("{{\"type\":\"{kind}\",\"process\":{process},\"value\":{steps}}}");
        writeln!(text, "{line}").unwrap();
    }
    History::from_json(&text).unwrap()
}

fn is_strictly_serialisable(calls: &[Call]) -> bool {
    let opts = Opts {
        wfr_keys: true,
        ..Opts::default()
    };
    check(&history(calls), Workload::RwRegister, &opts).valid == Valid::True
}

/// Whether an anomaly is visible in versions alone. The other checker sees no
/// balances. It accepts a version without a known writer.
const fn is_of_versions(anomaly: &Anomaly) -> bool {
    matches!(
        anomaly,
        Anomaly::LostUpdate { .. }
            | Anomaly::StaleRead { .. }
            | Anomaly::FutureRead { .. }
            | Anomaly::Fractured { .. }
            | Anomaly::Cycle { .. }
    )
}

#[test]
fn two_checkers_agree_on_what_clients_saw() {
    let flaws = Flaw::ALL.iter().copied().map(Some);
    let (mut good, mut bad) = (0, 0);
    for flaw in flaws.chain([None]) {
        for seed in 1..=8 {
            let bank = bank(seed);
            let calls = Flaw::watch(flaw, &bank);
            let ours = !bank.anomalies(&calls).iter().any(is_of_versions);
            let theirs = is_strictly_serialisable(&calls);
            assert_eq!(ours, theirs, "{flaw:?}, seed {seed}: ours, theirs");
            assert!(flaw.is_some() || ours, "seed {seed}");
            if ours { good += 1 } else { bad += 1 }
        }
    }
    assert!(good >= 8 && bad >= 40, "{good} good, {bad} bad");
}
