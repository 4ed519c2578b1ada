//! Finds the number of callers at which a baseline does most.

use std::sync::Arc;
use std::time::Duration;

use super::{Baseline, Shape, Way, run};
use crate::Result;
use crate::measure::{Figures, Tally};
use crate::pattern::Picker;

/// What a sweep found.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// Transfers per second of each shape that was tried.
    pub(crate) tried: Vec<(Shape, f64)>,
    /// The one that did most.
    pub(crate) best: Shape,
    /// All transfers made meanwhile.
    pub(crate) figures: Figures,
}

/// Shapes to try for `callers` who want something: never more than there are.
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

/// Tries each shape for `length`. It is the baseline's warm-up, too.
pub(crate) fn sweep(
    baseline: &dyn Baseline,
    callers: u32,
    picker: &Picker,
    length: Duration,
    tally: &Arc<Tally>,
) -> Result<Sweep> {
    let mut found = Sweep {
        tried: Vec::new(),
        best: Shape {
            callers: 1,
            way: baseline.ways().first().copied().unwrap_or(Way::Own),
        },
        figures: Figures::new()?,
    };
    let mut most = 0;
    for shape in shapes(baseline.ways(), callers) {
        let before = found.figures.counted();
        run(baseline, shape, picker, length, tally, &mut found.figures)?;
        let count = found.figures.counted().saturating_sub(before);
        found
            .tried
            .push((shape, crate::measure::per_sec(count, length)));
        if count > most {
            (most, found.best) = (count, shape);
        }
    }
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
