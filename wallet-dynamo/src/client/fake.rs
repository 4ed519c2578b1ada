//! A table in memory with scripted failures, for cases that no emulator shows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use wallet_core::Timestamp;
use wallet_core::runtime::Clock;

use super::api::{Api, Found, Query, Rise};
use super::error::CallError;
use crate::keys::Item;
use crate::keys::{PARTITION, SORT};

/// The fate of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// The call runs.
    Done,
    /// The call does not run.
    Throttled,
    /// The call is refused for good.
    Refused,
    /// The call runs, and its answer is lost.
    AnswerLost,
    /// The call does not run, and its outcome is unknown.
    Lost,
    /// The outcome is unknown. The call runs when the next call but one arrives.
    Late,
    /// For a batch: this number of rows is left out.
    Leaves(usize),
    /// For a query: a page holds at most this number of rows.
    Page(usize),
}

type Rows = BTreeMap<(Vec<u8>, Vec<u8>), Item>;

#[derive(Debug, Default)]
pub(crate) struct Fake {
    rows: Mutex<Rows>,
    fates: Mutex<VecDeque<Fate>>,
    /// The number of rows in each call.
    pub(crate) calls: Mutex<Vec<usize>>,
    late: Mutex<Option<(u32, Vec<Item>)>>,
}

fn key(item: &Item) -> (Vec<u8>, Vec<u8>) {
    let bytes = |name| item[name].as_b().unwrap().clone().into_inner();
    (bytes(PARTITION), bytes(SORT))
}

impl Fake {
    pub(crate) fn new(fates: impl IntoIterator<Item = Fate>) -> Arc<Self> {
        let fake = Self::default();
        fake.fates.lock().unwrap().extend(fates);
        Arc::new(fake)
    }

    pub(crate) fn then(&self, fates: impl IntoIterator<Item = Fate>) {
        self.fates.lock().unwrap().extend(fates);
    }

    pub(crate) fn calls(&self) -> Vec<usize> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.rows.lock().unwrap().len()
    }

    /// Runs late calls, then returns the next call's fate.
    fn next(&self, rows: usize) -> Fate {
        self.calls.lock().unwrap().push(rows);
        let mut late = self.late.lock().unwrap();
        if let Some((0, items)) = late.take_if(|(turns, _)| *turns == 0) {
            drop(self.put(&items, true));
        } else if let Some((turns, _)) = late.as_mut() {
            *turns = turns.saturating_sub(1);
        }
        self.fates.lock().unwrap().pop_front().unwrap_or(Fate::Done)
    }

    fn put(&self, items: &[Item], only_new: bool) -> Result<(), CallError> {
        let mut rows = self.rows.lock().unwrap();
        if only_new && items.iter().any(|item| rows.contains_key(&key(item))) {
            return Err(CallError::ConditionFailed);
        }
        for item in items {
            rows.insert(key(item), item.clone());
        }
        Ok(())
    }

    /// Writes rows according to the next call's fate. Returns how many are left out.
    fn write(&self, items: &[Item], only_new: bool) -> Result<usize, CallError> {
        let text = String::new;
        match self.next(items.len()) {
            Fate::Throttled => Err(CallError::Throttled(text())),
            Fate::Refused => Err(CallError::Refused(text())),
            Fate::Lost => Err(CallError::Unknown(text())),
            Fate::AnswerLost => {
                self.put(items, only_new)?;
                Err(CallError::Unknown(text()))
            }
            Fate::Late => {
                *self.late.lock().unwrap() = Some((1, items.to_vec()));
                Err(CallError::Unknown(text()))
            }
            Fate::Leaves(left) => {
                self.put(&items[left..], only_new)?;
                Ok(left)
            }
            Fate::Done | Fate::Page(_) => self.put(items, only_new).map(|()| 0),
        }
    }
}

#[async_trait]
impl Api for Fake {
    async fn write(&self, _: &str, items: Vec<Item>) -> Result<Vec<Item>, CallError> {
        let left = Self::write(self, &items, false)?;
        Ok(items[..left].to_vec())
    }

    async fn read(&self, _: &str, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>), CallError> {
        let left = match self.next(keys.len()) {
            Fate::Throttled => return Err(CallError::Throttled(String::new())),
            Fate::Leaves(left) => left,
            _ => 0,
        };
        let rows = self.rows.lock().unwrap();
        let found = keys[left..]
            .iter()
            .filter_map(|wanted| rows.get(&key(wanted)));
        Ok((found.cloned().collect(), keys[..left].to_vec()))
    }

    async fn query(&self, query: &Query) -> Result<Found, CallError> {
        let most = match self.next(1) {
            Fate::Throttled => return Err(CallError::Throttled(String::new())),
            Fate::Page(most) => most,
            _ => usize::MAX,
        };
        let bytes = |value: &AttributeValue| value.as_b().unwrap().clone().into_inner();
        let partition = bytes(&query.partition);
        let start = query.start.as_ref().map(key);
        let rows = self.rows.lock().unwrap();
        let (from, to) = (bytes(&query.from), bytes(&query.to));
        let range = rows.range((partition.clone(), from)..=(partition, to));
        let mut found: Vec<_> = range.collect();
        if !query.is_ascending {
            found.reverse();
        }
        found.retain(|(key, _)| {
            start.as_ref().is_none_or(|start| {
                if query.is_ascending {
                    *key > start
                } else {
                    *key < start
                }
            })
        });
        let limit = most.min(usize::try_from(query.limit).unwrap());
        let is_cut = found.len() > limit;
        let found: Vec<Item> = found
            .into_iter()
            .take(limit)
            .map(|(_, i)| i.clone())
            .collect();
        let next = found.last().filter(|_| is_cut).cloned();
        Ok((found, next))
    }

    async fn set(
        &self,
        _: &str,
        wanted: Item,
        attribute: &'static str,
        value: AttributeValue,
    ) -> Result<(), CallError> {
        let mut rows = self.rows.lock().unwrap();
        if let Some(item) = rows.get_mut(&key(&wanted)) {
            item.insert(attribute.to_owned(), value);
        }
        Ok(())
    }

    async fn raise(&self, _: &str, item: Item, rise: Rise) -> Result<bool, CallError> {
        let of = |item: &Item, name: &str| item[name].as_n().unwrap().parse::<i64>().unwrap();
        let follows = |row: &Item| match rise {
            Rise::Within(epoch, number) => {
                of(row, epoch) == of(&item, epoch) && of(row, number) < of(&item, number)
            }
            Rise::Above(epoch) => of(row, epoch) < of(&item, epoch),
        };
        let is_newer = self
            .rows
            .lock()
            .unwrap()
            .get(&key(&item))
            .is_none_or(follows);
        if is_newer {
            Self::write(self, &[item], false)?;
        }
        Ok(is_newer)
    }

    async fn insert(&self, _: &str, items: Vec<Item>) -> Result<(), CallError> {
        Self::write(self, &items, true).map(drop)
    }
}

/// Sleeps end at once and are counted.
#[derive(Debug, Default)]
pub(crate) struct QuickClock(pub(crate) Mutex<Vec<Duration>>);

#[async_trait]
impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}
