//! Finds the number of callers at which a baseline has the highest throughput.

use std::sync::Arc;
use std::time::Duration;

use super::{Baseline, Shape, Way, run};
use crate::Result;
use crate::measure::{Figures, per_sec};
use crate::pattern::Picker;
use crate::progress::Progress;

/// The result of a sweep.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// Transfers per second of each shape that was tried.
    pub(crate) tried: Vec<(Shape, f64)>,
    /// The shape with the highest throughput.
    pub(crate) best: Shape,
    /// All transfers made during the sweep.
    pub(crate) figures: Figures,
}

/// The shapes to try for `callers` callers; no shape has more.
fn shapes(ways: &[Way], callers: u32) -> Vec<Shape> {
    let shapes = ways.iter().flat_map(|way| {
        let tried = way.callers().iter();
        tried.map(|callers| Shape {
            callers: *callers,
            way: *way,
        })
    });
    shapes.filter(|shape| shape.callers <= callers).collect()
}

/// Tries each shape for `length`, half of it once all had their first half: what
/// disturbs the machine for a while disturbs more than one shape. It is the
/// baseline's warm-up, too.
pub(crate) fn sweep(
    baseline: &dyn Baseline,
    callers: u32,
    picker: &Picker,
    length: Duration,
) -> Result<Sweep> {
    let mut found = Sweep {
        tried: Vec::new(),
        best: Shape {
            callers: 1,
            way: baseline.ways().first().copied().unwrap_or(Way::Own),
        },
        figures: Figures::new()?,
    };
    let shapes = shapes(baseline.ways(), callers);
    let mut counts = vec![0_u64; shapes.len()];
    let half = length.checked_div(2).unwrap_or(length);
    let tally = Arc::default();
    let total = length.saturating_mul(u32::try_from(shapes.len())?);
    let _bar = Progress::of_time("baseline: sweep", total, &tally);
    for _ in 0..2 {
        for (shape, count) in shapes.iter().zip(&mut counts) {
            let before = found.figures.counted();
            run(baseline, *shape, picker, half, &tally, &mut found.figures)?;
            let made = found.figures.counted().saturating_sub(before);
            *count = count.saturating_add(made);
        }
    }
    let tried = shapes.iter().zip(&counts);
    if let Some((best, _)) = tried.clone().max_by_key(|(_, count)| **count) {
        found.best = *best;
    }
    let tried = tried.map(|(shape, count)| (*shape, per_sec(*count, length)));
    found.tried = tried.collect();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAYS: &[Way] = &[Way::Own, Way::Shared];

    #[test]
    fn no_shape_has_more_callers_than_there_are() {
        assert_eq!(shapes(WAYS, 1).len(), 1);
        assert!(shapes(WAYS, 5).iter().all(|shape| shape.callers <= 5));
        assert_eq!(shapes(WAYS, 256).len(), 8);
    }
}
