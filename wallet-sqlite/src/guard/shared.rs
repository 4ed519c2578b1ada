//! Values that all stores of a process share, by key, as long as one of them has the value.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

#[derive(Debug)]
pub(super) struct Shared<K, V>(Mutex<BTreeMap<K, Weak<V>>>);

impl<K: Ord, V> Shared<K, V> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The value under `key`, or what `make` returns.
    ///
    /// # Errors
    /// The error of `make`.
    pub(super) fn get_or<E>(
        &self,
        key: K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Arc<V>, E> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.retain(|_, value| value.strong_count() > 0);
        if let Some(value) = values.get(&key).and_then(Weak::upgrade) {
            return Ok(value);
        }
        let value = Arc::new(make()?);
        values.insert(key, Arc::downgrade(&value));
        Ok(value)
    }
}
