//! Medians as tables of Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::results::{Results, Series};

/// Milliseconds per jail, and the ratios to iocage's commands with the default idletick 0, and to the C programs of
/// the same round: one with the same number of looks at the host, and one with the library's files.
pub fn all(results: &Results) -> String {
    let mut text = String::new();
    let mut last = None;
    let mut rows: BTreeMap<_, Vec<(&Series, u32)>> = BTreeMap::new();
    for (series, jails) in results.runs.keys() {
        let place = (&series.kernel, series.hz, &series.network, series.idletick, *jails);
        rows.entry(place).or_default().push((series, *jails));
    }
    for ((kernel, hz, network, idletick, jails), rows) in rows {
        if last.replace((kernel, hz, network)) != Some((kernel, hz, network)) {
            let _ = writeln!(text, "\nFreeBSD {kernel}, kern.hz={hz}, {network}\n");
            text += "| idletick | jails | variant | start ms | stop ms | start / C | stop / C | start / C with files | stop / C with files | commands / start | commands / stop | processes per jail | process KiB | kernel KiB per jail |\n";
            text += "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
        }
        for (series, _) in rows {
            let _ = writeln!(
                text,
                "| {idletick} | {jails} | {} | {} |",
                series.variant,
                columns(results, series, jails).join(" | ")
            );
        }
    }
    text
}

fn columns(results: &Results, series: &Series, jails: u32) -> Vec<String> {
    let start = |of: &Series| results.median(of, jails, |run| run.start_us);
    let stop = |of: &Series| results.median(of, jails, |run| run.stop_us);
    // The C program with the same number of looks at the host.
    let c = if series.variant.starts_with("bulk") { "c-once" } else { "c" };
    let c = Series { variant: c.to_owned(), ..series.clone() };
    let files = Series { variant: "c-files".to_owned(), ..series.clone() };
    // Commands were not measured with very many jails: use their largest number of jails.
    let iocage = Series { variant: "iocage".to_owned(), idletick: 0, ..series.clone() };
    let most = results.jails(&iocage).into_iter().rfind(|measured| *measured <= jails);
    let commands =
        |of: fn(&crate::results::Run) -> f64| most.and_then(|most| results.median(&iocage, most, of));
    let ratio = |above: Option<f64>, below: Option<f64>| match (above, below) {
        (Some(above), Some(below)) => format!("{:.2}", above / below),
        _ => String::new(),
    };
    let times = |ratio: Option<f64>| ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    let ms = |us: Option<f64>| us.map_or(String::new(), |us| format!("{:.2}", us / 1000.0));
    let each = |us: Option<f64>| us.map_or(String::new(), |all| format!("{:.1}", all / f64::from(jails)));
    let whole = |number: Option<f64>| number.map_or(String::new(), |number| format!("{number:.0}"));
    vec![
        ms(start(series)),
        ms(stop(series)),
        times(results.ratio(series, &c, jails, |run| run.start_us)),
        times(results.ratio(series, &c, jails, |run| run.stop_us)),
        times(results.ratio(series, &files, jails, |run| run.start_us)),
        times(results.ratio(series, &files, jails, |run| run.stop_us)),
        ratio(commands(|run| run.start_us), start(series)),
        ratio(commands(|run| run.stop_us), stop(series)),
        each(results.median(series, jails, |run| run.processes)),
        whole(results.median(series, jails, |run| run.memory_kb)),
        whole(results.median(series, jails, |run| run.kernel_kb)),
    ]
}
