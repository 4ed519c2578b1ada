//! The upper bound: the rows of the baseline, inserted in bulk without logic.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use crate::Result;
use crate::baseline::Bulk;
use crate::clock::{self, Window};
use crate::measure::{Figures, Log, Tally};
use crate::pattern::{self, Picker};

/// Inserts batch after batch of `batch` transfers for `length`, one writer.
/// The latency of a transfer is that of its batch.
pub(crate) fn run(
    bulk: &mut dyn Bulk,
    batch: u32,
    picker: &Picker,
    length: Duration,
    tally: &Arc<Tally>,
    figures: &mut Figures,
) -> Result<()> {
    let mut log = Log::default();
    let mut rng = Rng::new();
    let window = Window::open(length);
    while window.is_open() {
        let orders = (0..batch).map(|_| (pattern::key(&mut rng), picker.draw(&mut rng)));
        let orders: Vec<_> = orders.collect();
        let begin = clock::now();
        bulk.write(&orders)?;
        let end = clock::now();
        for _ in &orders {
            log.acknowledged(&window, begin, end);
        }
        tally.add(u64::from(batch));
    }
    figures.add(&window, vec![log]);
    Ok(())
}
