//! Plots and tables of what the benchmark `start_stop` printed:
//!
//!     cargo run --manifest-path benches/plot/Cargo.toml -- docs/performance docs/performance/*.csv
//!
//! writes `start-HZ.svg` and `stop-HZ.svg` (what a jail costs against how many there are), `growth-HZ.svg`
//! (against how many are up already) and `steps-HZ.svg` (where a start goes) into the folder, and prints
//! the medians as tables of Markdown. Where there are several kernels, each has its plots.

mod plots;
mod results;
mod table;

use std::error::Error;
use std::path::PathBuf;

use results::Results;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().ok_or("usage: jailwire-plot FOLDER FILE...")?;
    let mut results = Results::default();
    for file in arguments {
        results
            .read(&std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?);
    }
    if results.runs.is_empty() {
        return Err("no measurements in these files".into());
    }
    std::fs::create_dir_all(&folder)?;
    plots::all(&results, &folder)?;
    print!("{}", table::all(&results));
    Ok(())
}
