// SPDX-License-Identifier: Apache-2.0
//! GFLOP/s over the rows of activations, as SVG for a page or picture that has the colours.

use super::sheet::{best_bounds, groups, Group};
use super::{Bound, Record};
use crate::Error;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) const SIZE: (u32, u32) = (520, 340);
/// Of text: not smaller than the page's on a telephone, to whose width a chart shrinks.
const TEXT: u32 = 15;

/// A style sheet with the colours, others for light and for dark.
pub(super) const PALETTE: &str = include_str!("palette.css");

/// The colours, as they are drawn and as [`PALETTE`] names them.
const COLOURS: [(RGBColor, &str); 9] = [
    (RGBColor(1, 0, 0), "var(--series-0)"),
    (RGBColor(1, 0, 1), "var(--series-1)"),
    (RGBColor(1, 0, 2), "var(--series-2)"),
    (RGBColor(1, 0, 3), "var(--series-3)"),
    (RGBColor(1, 0, 4), "var(--series-4)"),
    (RGBColor(1, 0, 5), "var(--series-5)"),
    (RGBColor(1, 0, 6), "var(--text)"),
    (RGBColor(1, 0, 7), "var(--grid)"),
    (RGBColor(1, 0, 8), "var(--page)"),
];
const SERIES: usize = 6;
const TEXT_COLOUR: RGBColor = COLOURS[SERIES].0;
const GRID_COLOUR: RGBColor = COLOURS[SERIES + 1].0;
const PAGE_COLOUR: RGBColor = COLOURS[SERIES + 2].0;

/// A chart for each group of products by weights that are warm.
#[derive(Debug)]
pub(super) struct Charts {
    /// All contestants, in the order of their colours.
    pub(super) names: Vec<String>,
    /// Titles and charts.
    pub(super) charts: Vec<(String, String)>,
}

impl Charts {
    pub(super) fn new(records: &[Record]) -> Result<Self, Error> {
        let groups = groups(records);
        let names = names(&groups);
        let mut charts = Vec::new();
        for group in groups.iter().filter(|group| !group.cold) {
            let cold = groups.iter().find(|cold| cold.cold && cold.is_of_what(group));
            let bounds = bounds(records, group, cold.is_some());
            charts.push((group.title(), svg(group, cold, &bounds, &names)?));
        }
        Ok(Self { names, charts })
    }
}

/// The contestants of all groups.
fn names(groups: &[Group<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in groups.iter().flat_map(Group::names) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The bounds of a group's products: of so many threads, and for what our kernel is made of.
fn bounds<'a>(records: &'a [Record], group: &Group<'_>, has_cold: bool) -> Vec<&'a Bound> {
    let product = group.products[0];
    let kernel = product.kernel.trim_start_matches("spanker-");
    best_bounds(records)
        .into_iter()
        .filter(|bound| bound.threads == product.threads)
        .filter(|bound| match bound.kernel.strip_prefix("integer-") {
            Some(instructions) => instructions.starts_with(kernel),
            // Weights that fit into the caches are not read from memory.
            None => has_cold,
        })
        .collect()
}

/// The colour of a series in the style sheet.
pub(super) fn colour(index: usize) -> &'static str {
    COLOURS[index % SERIES].1
}

/// The products of `group` as curves, those of `cold` as rings, and the bounds as dashes.
fn svg(
    group: &Group<'_>,
    cold: Option<&Group<'_>>,
    bounds: &[&Bound],
    names: &[String],
) -> Result<String, Error> {
    let mut svg = String::new();
    draw(&mut svg, group, cold, bounds, names).map_err(|error| error.to_string())?;
    for (drawn, named) in COLOURS {
        let RGBColor(red, green, blue) = drawn;
        svg = svg.replace(&format!("#{red:02X}{green:02X}{blue:02X}"), named);
    }
    Ok(svg)
}

type DrawingResult = Result<(), Box<dyn std::error::Error>>;

fn draw(
    svg: &mut String,
    group: &Group<'_>,
    cold: Option<&Group<'_>>,
    bounds: &[&Bound],
    names: &[String],
) -> DrawingResult {
    let products = || group.products.iter().chain(cold.iter().flat_map(|cold| &cold.products));
    let most = products().map(|product| product.rows).max().unwrap_or(1);
    let peaks = bounds.iter().filter(|bound| bound.kernel != "memory");
    let highest = products()
        .map(|product| product.gflops_best)
        .chain(peaks.clone().map(|bound| bound.gflops_best))
        .fold(1.0, f64::max);
    // Rows double from one mark to the next.
    let across = |rows: usize| (rows as f64).log2();
    let width = across(most).max(1.0);

    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let text = TextStyle::from(("sans-serif", TEXT)).color(&TEXT_COLOUR);
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .margin_right(16)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(-0.2..width + 0.2, 0.0..highest * 1.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID_COLOUR)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID_COLOUR)
        .x_labels(width as usize + 1)
        .y_labels(6)
        .x_label_formatter(&|x| format!("{:.0}", x.exp2()))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .label_style(text.clone())
        .axis_desc_style(text.clone())
        .x_desc("rows of activations")
        .y_desc("GFLOP/s")
        .draw()?;

    for bound in bounds {
        // What memory allows grows with the rows that each weight is used for.
        let memory = bound.kernel == "memory";
        let speed = |x: f64| bound.gflops_best * if memory { x.exp2() } else { 1.0 };
        let points = (0..=64).map(|step| f64::from(step) / 64.0 * width).map(|x| (x, speed(x)));
        let points: Vec<_> = points.take_while(|(_, y)| *y <= highest * 1.1).collect();
        // Where no curve is: right of what memory allows, at its top, and above the peak's end.
        let end = points.last().map_or(0.0, |(x, _)| *x);
        let (place, side, above) = if memory {
            ((end + 0.1, highest * 1.09), HPos::Left, VPos::Top)
        } else {
            ((width, bound.gflops_best + highest * 0.015), HPos::Right, VPos::Bottom)
        };
        let style = text.clone().pos(Pos::new(side, above));
        chart.draw_series([Text::new(bound.kernel.clone(), place, style)])?;
        chart.draw_series(DashedLineSeries::new(points, 4, 4, TEXT_COLOUR.stroke_width(1)))?;
    }
    let colour = |name: &str| {
        let index = names.iter().position(|other| other == name).unwrap_or(0);
        COLOURS[index % SERIES].0
    };
    // Ours last: above the others.
    for name in group.names().iter().rev() {
        let points = || {
            let products = group.products.iter().filter(|product| product.name() == *name);
            products.map(|product| (across(product.rows), product.gflops_best))
        };
        let colour = colour(name);
        chart.draw_series(LineSeries::new(points(), colour.stroke_width(2)))?;
        chart.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    for product in cold.iter().flat_map(|cold| &cold.products) {
        let place = (across(product.rows), product.gflops_best);
        let colour = colour(&product.name());
        chart.draw_series([
            Circle::new(place, 4, PAGE_COLOUR.filled()),
            Circle::new(place, 4, colour.stroke_width(2)),
        ])?;
    }
    root.present()?;
    Ok(())
}
