//! Checks each account separately: its versions in order.

use std::collections::BTreeMap;

use super::{Anomaly, Call, Did, Seen};
use wallet_core::ledger::{AccountKey, Version};

/// A version of an account, with the index of the call that wrote it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) call: usize,
    pub(super) seen: Seen,
}

/// The versions of every account.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    pub(super) made: BTreeMap<AccountKey, BTreeMap<Version, Made>>,
    twice: Vec<Anomaly>,
    /// The number of versions of each account that unknown calls may have written.
    unknown: BTreeMap<AccountKey, i64>,
}

impl Accounts {
    pub(super) fn of(calls: &[Call]) -> Self {
        let mut accounts = Self::default();
        for (index, call) in calls.iter().enumerate() {
            match &call.did {
                Did::Wrote(seen) => {
                    for seen in seen {
                        accounts.note(calls, index, *seen);
                    }
                }
                Did::Unknown(may) => {
                    for (account, versions) in may {
                        *accounts.unknown.entry(*account).or_default() += i64::from(*versions);
                    }
                }
                Did::Read(_) => {}
            }
        }
        accounts
    }

    fn note(&mut self, calls: &[Call], call: usize, seen: Seen) {
        let versions = self.made.entry(seen.account).or_default();
        if let Some(before) = versions.insert(seen.version, Made { call, seen }) {
            self.twice.push(Anomaly::LostUpdate {
                account: seen.account,
                version: seen.version,
                calls: (calls[before.call].began, calls[call].began),
            });
        }
    }

    pub(super) fn anomalies(&self, calls: &[Call]) -> Vec<Anomaly> {
        let mut found = self.twice.clone();
        for (account, versions) in &self.made {
            found.extend(self.chain(*account, versions));
        }
        for (index, call) in calls.iter().enumerate() {
            if let Did::Read(seen) = &call.did {
                for seen in seen {
                    found.extend(self.read(calls, call, *seen));
                }
                found.extend(self.fractured(calls, index, seen));
            }
        }
        found
    }

    /// Checks that versions follow each other without an unexplained gap.
    fn chain(&self, account: AccountKey, versions: &BTreeMap<Version, Made>) -> Vec<Anomaly> {
        let mut found = Vec::new();
        let mut missing = None;
        let mut left = self.unknown.get(&account).copied().unwrap_or(0);
        let mut before: (Version, i128) = (0, 0);
        for (version, made) in versions {
            let begins = made.seen.posted - made.seen.gained;
            let (last, due) = before;
            if last + 1 == *version && due != begins {
                found.push(Anomaly::BrokenChain {
                    account,
                    version: *version,
                    due,
                    found: begins,
                });
            }
            left -= version - last - 1;
            if left < 0 && missing.is_none() {
                missing = Some(last + 1);
            }
            before = (*version, made.seen.posted);
        }
        found.extend(missing.map(|version| Anomaly::PhantomVersion { account, version }));
        found
    }

    /// The newest version that is not after `version`, and the first after it.
    pub(super) fn around(
        &self,
        account: AccountKey,
        version: Version,
    ) -> (Option<Made>, Option<Made>) {
        let Some(versions) = self.made.get(&account) else {
            return (None, None);
        };
        let last = versions.range(..=version).next_back();
        let next = versions.range(version + 1..).next();
        (last.map(|(_, made)| *made), next.map(|(_, made)| *made))
    }

    fn read(&self, calls: &[Call], read: &Call, seen: Seen) -> Option<Anomaly> {
        let (account, call, version) = (seen.account, read.began, seen.version);
        let versions = self.made.get(&account);
        let made = versions.and_then(|versions| versions.get(&version));
        let due = match made {
            Some(made) => Some(made.seen.posted),
            None => (version == 0).then_some(0),
        };
        if let Some(due) = due.filter(|due| *due != seen.posted) {
            return Some(Anomaly::WrongBalance {
                account,
                call,
                version,
                due,
                found: seen.posted,
            });
        }
        if made.is_some_and(|made| calls[made.call].began > read.ended) {
            let found = version;
            return Some(Anomaly::FutureRead {
                account,
                call,
                found,
            });
        }
        let last = versions.and_then(|all| all.last_key_value());
        let last = last.map_or(0, |(version, _)| *version);
        let beyond = self.unknown.get(&account).copied().unwrap_or(0);
        if version > last + beyond {
            return Some(Anomaly::PhantomVersion { account, version });
        }
        let newer = versions.into_iter().flatten().rev();
        let newer = newer.take_while(|(newer, _)| **newer > version);
        let newer = { newer }.find(|(_, made)| calls[made.call].ended < read.began);
        newer.map(|(least, _)| Anomaly::StaleRead {
            account,
            call,
            least: *least,
            found: version,
        })
    }

    /// Checks that an atomic write to several accounts is seen on all of them or
    /// none.
    fn fractured(&self, calls: &[Call], read: usize, seen: &[Seen]) -> Option<Anomaly> {
        let saw: BTreeMap<AccountKey, Version> = seen
            .iter()
            .map(|seen| (seen.account, seen.version))
            .collect();
        for seen in seen {
            let Some(made) = self.around(seen.account, seen.version).0 else {
                continue;
            };
            let Did::Wrote(parts) = &calls[made.call].did else {
                continue;
            };
            let is_unseen = |part: &Seen| {
                saw.get(&part.account)
                    .is_some_and(|saw| *saw < part.version)
            };
            if parts.iter().any(is_unseen) {
                return Some(Anomaly::Fractured {
                    call: calls[read].began,
                    torn: calls[made.call].began,
                });
            }
        }
        None
    }
}
