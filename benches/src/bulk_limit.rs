//! The upper bound: rows inserted in bulk without logic.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use crate::Result;
use crate::baseline::{Bulk, Limit};
use crate::clock::{self, Window};
use crate::measure::{Figures, Log, Tally};
use crate::pattern::{self, Picker};

/// The number of writers, and of transfers in one write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) writers: u32,
    pub(crate) batch: u32,
}

/// Inserts batch after batch for `length`. The latency of a transfer is that of
/// its batch.
pub(crate) fn run(
    limit: &dyn Limit,
    shape: Shape,
    picker: &Picker,
    length: Duration,
    tally: &Arc<Tally>,
    figures: &mut Figures,
) -> Result<()> {
    let writers = (0..shape.writers).map(|_| limit.bulk());
    let writers = writers.collect::<Result<Vec<_>>>()?;
    let window = Window::open(length);
    let logs = std::thread::scope(|scope| {
        let threads = writers.into_iter().map(|bulk| {
            let window = &window;
            scope.spawn(move || write(bulk, shape.batch, picker, window, tally))
        });
        let threads: Vec<_> = threads.collect();
        let logs = threads.into_iter().map(|thread| {
            let log = thread.join();
            log.map_err(|_| "a writer of the bulk limit panicked")
        });
        logs.collect::<std::result::Result<Vec<_>, _>>()
    })?;
    figures.add(&window, logs);
    Ok(())
}

/// One writer.
fn write(
    mut bulk: Box<dyn Bulk + '_>,
    batch: u32,
    picker: &Picker,
    window: &Window,
    tally: &Tally,
) -> Log {
    let mut log = Log::default();
    let mut rng = Rng::new();
    while window.is_open() {
        let orders = (0..batch).map(|_| (pattern::key(&mut rng), picker.draw(&mut rng)));
        let orders: Vec<_> = orders.collect();
        let begin = clock::now();
        if let Err(error) = bulk.write(&orders) {
            log.failed(&error);
            continue;
        }
        let end = clock::now();
        for _ in &orders {
            log.acknowledged(window, begin, end);
        }
        tally.add(u64::from(batch));
    }
    log
}
