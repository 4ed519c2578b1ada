//! The chart: throughput over time, latency by percentile.
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "coordinates of a picture"
)]

use std::path::Path;

use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::coord::Shift;
use plotters::coord::combinators::IntoLogRange;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement};
use plotters::prelude::SVGBackend;
use plotters::series::LineSeries;
use plotters::style::{BLACK, Color, RGBColor, ShapeStyle, WHITE};

use crate::Result;
use crate::args::Load;
use crate::load::{Measured, Report};
use crate::measure::STEP;

const SIZE: (u32, u32) = (1_200, 520);
/// The right end of the left part.
const SPLIT: u32 = 720;
/// The length of a line in the legend.
const DASH: i32 = 16;
const COLORS: [RGBColor; 3] = [
    RGBColor(0x1f, 0x77, 0xb4),
    RGBColor(0xd6, 0x27, 0x28),
    RGBColor(0x7f, 0x7f, 0x7f),
];
const FONT: &str = "sans-serif";
const PERCENTILES: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("max", 1.0),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the run's figures into the file `path`.
///
/// # Errors
/// The errors of writing the file.
pub(crate) fn draw(load: &Load, report: &Report, path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let drawn: Vec<(&Measured, RGBColor)> = report.all().zip(COLORS).collect();
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!(
        "{}, {}: {} callers, {} accounts",
        load.store, load.pattern, load.callers, load.accounts
    );
    let root = root.titled(&title, (FONT, 22))?;
    let (left, right) = root.split_horizontally(SPLIT);
    throughput(&left, &drawn)?;
    latency(&right, &drawn)?;
    root.present()?;
    Ok(())
}

fn throughput(area: &Area<'_>, drawn: &[(&Measured, RGBColor)]) -> Result<()> {
    let step = STEP.as_secs_f64();
    let points = |measured: &Measured| -> Vec<(f64, f64)> {
        let steps = measured.figures.steps.iter().enumerate();
        steps
            .map(|(index, count)| ((index as f64 + 0.5) * step, *count as f64 / step))
            .collect()
    };
    let all: Vec<_> = drawn.iter().map(|(measured, _)| points(measured)).collect();
    let most = |pick: fn(&(f64, f64)) -> f64| {
        let values = all.iter().flatten().map(pick);
        values.fold(step, f64::max)
    };
    let (end, top) = (most(|point| point.0), most(|point| point.1) * 1.4);
    let mut chart = ChartBuilder::on(area)
        .caption("transfers per second over measured time", (FONT, 16))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc("seconds")
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for ((measured, color), points) in drawn.iter().zip(all) {
        let color = *color;
        chart
            .draw_series(LineSeries::new(
                points,
                ShapeStyle::from(color).stroke_width(2),
            ))?
            .label(measured.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x.saturating_add(DASH), y)], color));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font((FONT, 13))
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

fn latency(area: &Area<'_>, drawn: &[(&Measured, RGBColor)]) -> Result<()> {
    let points = |measured: &Measured| -> Vec<(f64, f64)> {
        let percentiles = PERCENTILES.iter().enumerate();
        percentiles
            .map(|(index, (_, quantile))| {
                // A logarithmic axis has no zero.
                let millis = measured.figures.millis_at(*quantile).max(0.000_1);
                (index as f64, millis)
            })
            .collect()
    };
    let all: Vec<_> = drawn.iter().map(|(measured, _)| points(measured)).collect();
    let values = || all.iter().flatten().map(|(_, millis)| *millis);
    let bottom = values().fold(f64::MAX, f64::min) / 2.0;
    let top = values().fold(bottom, f64::max) * 2.0;
    let last = (PERCENTILES.len() as f64) - 1.0;
    let mut chart = ChartBuilder::on(area)
        .caption("latency in milliseconds", (FONT, 16))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(-0.3..last + 0.3, (bottom..top).log_scale())?;
    chart
        .configure_mesh()
        .x_labels(PERCENTILES.len())
        .x_label_formatter(&|place| name(*place))
        .y_label_formatter(&|millis| format!("{millis}"))
        .light_line_style(WHITE)
        .draw()?;
    for ((_, color), points) in drawn.iter().zip(all) {
        let style = ShapeStyle::from(*color).stroke_width(2);
        chart.draw_series(LineSeries::new(points.clone(), style))?;
        let dots = points.into_iter();
        chart.draw_series(dots.map(|point| Circle::new(point, 3, color.filled())))?;
    }
    Ok(())
}

/// The percentile at a place of the axis; nothing between two.
fn name(place: f64) -> String {
    let mut names = PERCENTILES.iter().enumerate();
    let found = names.find(|(index, _)| (*index as f64 - place).abs() < 0.01);
    found.map_or_else(String::new, |(_, (name, _))| (*name).to_owned())
}
