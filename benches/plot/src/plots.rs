//! The plots.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::results::{Results, Run, Series, median};

type Plot<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Done = Result<(), Box<dyn Error>>;
type Points = Vec<(f64, f64)>;
/// The milliseconds of each step, in C and in the library.
type Bars<'a> = BTreeMap<&'a str, [Option<f64>; 2]>;

const SIZE: (u32, u32) = (760, 460);
/// A fixed colour for each variant, from Okabe and Ito's palette for colour-blind readers.
const COLOURS: [(&str, RGBColor); 8] = [
    ("iocage", RGBColor(213, 94, 0)),
    ("jail", RGBColor(230, 159, 0)),
    ("c", RGBColor(0, 0, 0)),
    ("c-files", RGBColor(204, 121, 167)),
    ("c-once", RGBColor(120, 120, 120)),
    ("one", RGBColor(0, 114, 178)),
    ("one-ready", RGBColor(86, 180, 233)),
    ("bulk", RGBColor(0, 158, 115)),
];

fn colour(variant: &str) -> RGBColor {
    let known = COLOURS.iter().find(|(name, _)| *name == variant);
    known.map_or(RGBColor(240, 228, 66), |(_, colour)| *colour)
}

/// The label of a line.
fn label(series: &Series) -> String {
    let words = match series.variant.as_str() {
        "iocage" => "iocage's commands",
        "jail" => "jail(8)",
        "c" => "C, no library",
        "c-files" => "C, the library's files",
        "c-once" => "C, looking once",
        "one" => "jailwire, one at a time",
        "one-ready" => "jailwire, with a fork server",
        "bulk" => "jailwire, bulk",
        other => other,
    };
    let tick = if series.idletick == 1 { "idletick 1" } else { "idletick 0" };
    format!("{words}, {tick}")
}

/// Draws all plots.
pub fn all(results: &Results, folder: &Path) -> Done {
    let series = results.series();
    let machines: BTreeSet<(&str, u32)> = series.iter().map(|one| (one.kernel.as_str(), one.hz)).collect();
    let kernels: BTreeSet<&str> = machines.iter().map(|(kernel, _)| *kernel).collect();
    for (kernel, hz) in machines {
        let of_kernel = if kernels.len() > 1 { format!("{kernel}-") } else { String::new() };
        let path = |what: &str| folder.join(format!("{what}-{of_kernel}{hz}.svg"));
        let here = |series: &&Series| series.kernel == kernel && series.hz == hz && series.network == "vnet";
        let vnet: Vec<&Series> = series.iter().copied().filter(here).collect();
        let title = |what: &str| format!("{what} (VNET, FreeBSD {kernel}, kern.hz={hz}, emulated)");
        cost(results, &vnet, &path("start"), &title("Starting a jail"), |run| run.start_us)?;
        cost(results, &vnet, &path("stop"), &title("Stopping a jail"), |run| run.stop_us)?;
        growth(results, &vnet, &path("growth"), &title("Starting one more jail"))?;
        steps(results, &vnet, &path("steps"), &title("Where a start goes"))?;
    }
    Ok(())
}

/// Milliseconds per jail against the number of jails.
fn cost(results: &Results, series: &[&Series], path: &Path, title: &str, of: fn(&Run) -> f64) -> Done {
    let line = |series: &&&Series| {
        let jails = results.jails(series).into_iter();
        let points =
            jails.filter_map(|jails| Some((f64::from(jails), results.median(series, jails, of)? / 1e3)));
        points.collect()
    };
    // A series with only one number of jails is left to the tables.
    let known = |series: &&&Series| COLOURS.iter().any(|(variant, _)| *variant == series.variant);
    let lines = series.iter().filter(known).map(|series| (*series, line(&series))).collect();
    lines_of(lines, path, title, "jails", true)
}

/// Milliseconds for one more jail against the number of jails that are up.
fn growth(results: &Results, series: &[&Series], path: &Path, title: &str) -> Done {
    let mut lines = Vec::new();
    for series in series {
        let Some(jails) = results.jails(series).into_iter().max().filter(|jails| *jails >= 100) else {
            continue;
        };
        let mut before = 0.0;
        let mut points: Points = Vec::new();
        for tenth in 1..=10 {
            let Some(times) = results.up.get(&((*series).clone(), jails, tenth)) else { break };
            let until = median(times.clone());
            let each = (until - before) / 1e3 / (f64::from(jails) / 10.0);
            points.push((f64::from(jails) * (f64::from(tenth) - 0.5) / 10.0, each));
            before = until;
        }
        lines.push((*series, points));
    }
    lines_of(lines, path, title, "jails that are up", false)
}

fn lines_of(lines: Vec<(&Series, Points)>, path: &Path, title: &str, below: &str, logarithmic: bool) -> Done {
    let lines: Vec<_> = lines.into_iter().filter(|(_, points)| !points.is_empty()).collect();
    let all = || lines.iter().flat_map(|(_, points)| points.iter().copied());
    if lines.is_empty() {
        return Ok(());
    }
    let most = all().fold((0.0_f64, 0.0_f64), |most, at| (most.0.max(at.0), most.1.max(at.1)));
    let least = all().fold(most, |least, at| (least.0.min(at.0), least.1.min(at.1)));
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut builder = ChartBuilder::on(&area);
    builder.caption(title, ("sans-serif", 17)).margin(12).x_label_area_size(38).y_label_area_size(62);
    // The two kinds of axes have different types, so this is a macro.
    macro_rules! draw {
        ($chart:expr) => {{
            let mut chart = $chart;
            chart
                .configure_mesh()
                .x_desc(below)
                .y_desc("ms per jail")
                .x_label_formatter(&|x| format!("{x:.0}"))
                .y_label_formatter(&|y| if *y < 10.0 { format!("{y}") } else { format!("{y:.0}") })
                .light_line_style(WHITE)
                .draw()?;
            for (series, points) in &lines {
                let colour = colour(&series.variant);
                // Draw an outline without ticks, and a disc with ticks.
                let filled = if series.idletick == 1 { colour.filled() } else { colour.stroke_width(1) };
                let mark = move |x: i32, y: i32| Circle::new((x, y), 4, filled);
                chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
                chart
                    .draw_series(points.iter().map(|at| Circle::new(*at, 4, filled)))?
                    .label(label(series))
                    .legend(move |(x, y)| mark(x + 8, y));
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .background_style(WHITE.mix(0.85))
                .border_style(RGBColor(200, 200, 200))
                .draw()?;
        }};
    }
    if logarithmic {
        let (right, top) = (most.0 * 300.0, most.1 * 2.0);
        draw!(builder.build_cartesian_2d(
            (least.0.max(1.0) * 0.8..right).log_scale(),
            (least.1 / 2.0..top).log_scale()
        )?);
    } else {
        draw!(builder.build_cartesian_2d(0.0..most.0 * 1.45, 0.0..most.1 * 1.1)?);
    }
    area.present()?;
    Ok(())
}

/// Bars for the steps of a start, of the library and of C, at the largest number of jails that both have.
fn steps(results: &Results, series: &[&Series], path: &Path, title: &str) -> Done {
    // The bars, by jails and idletick.
    let mut places: BTreeMap<(u32, u32), Bars<'_>> = BTreeMap::new();
    for ((of, jails, step), times) in &results.steps {
        let column = match of.variant.as_str() {
            "c" => 0,
            "one" => 1,
            _ => continue,
        };
        // Skip steps of a stop.
        if !series.contains(&of) || ["undo", "destroy epair", "remove jail"].contains(&step.as_str()) {
            continue;
        }
        places.entry((*jails, of.idletick)).or_default().entry(step).or_default()[column] =
            Some(median(times.clone()) / 1e3);
    }
    let both = |place: &Bars<'_>| (0..2).all(|column| place.values().any(|values| values[column].is_some()));
    let Some(((jails, idletick), place)) = places.into_iter().rfind(|(_, place)| both(place)) else {
        return Ok(());
    };
    let mut bars: Vec<(&str, [f64; 2])> =
        place.into_iter().map(|(step, values)| (step, values.map(|value| value.unwrap_or(0.0)))).collect();
    bars.sort_by(|a, b| b.1[0].max(b.1[1]).total_cmp(&a.1[0].max(a.1[1])));
    let most = bars.first().map_or(1.0, |(_, values)| values[0].max(values[1]));
    let area = SVGBackend::new(path, (SIZE.0, 60 + 34 * bars.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = format!("{title}, {jails} jails, idletick {idletick}");
    area.draw_text(&title, &("sans-serif", 17).into_text_style(&area), (12, 10))?;
    for (variant, x) in [("c", 470), ("one", 610)] {
        let words = if variant == "c" { "C, no library" } else { "jailwire" };
        area.draw(&Rectangle::new([(x, 36), (x + 12, 48)], colour(variant).filled()))?;
        area.draw_text(words, &("sans-serif", 13).into_text_style(&area), (x + 18, 35))?;
    }
    for (row, (step, values)) in bars.iter().enumerate() {
        bar(&area, 56 + 34 * row as i32, step, *values, most)?;
    }
    area.present()?;
    Ok(())
}

fn bar(area: &Plot<'_>, top: i32, step: &str, values: [f64; 2], most: f64) -> Done {
    let style = ("sans-serif", 13).into_text_style(area);
    area.draw_text(step, &style, (12, top + 6))?;
    for (at, (variant, value)) in ["c", "one"].into_iter().zip(values).enumerate() {
        let (top, left) = (top + 13 * at as i32, 130);
        let right = left + (value / most * 540.0) as i32 + 1;
        area.draw(&Rectangle::new([(left, top), (right, top + 11)], colour(variant).filled()))?;
        area.draw_text(
            &format!("{value:.2} ms"),
            &("sans-serif", 11).into_text_style(area),
            (right + 5, top),
        )?;
    }
    Ok(())
}
