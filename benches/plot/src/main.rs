//! Makes plots and tables from the output of the benchmark `start_stop`:
//!
//!     cargo run --manifest-path benches/plot/Cargo.toml -- docs/performance docs/performance/*.csv
//!
//! writes `start-HZ.svg` and `stop-HZ.svg` (the cost of a jail by the number of jails), `growth-HZ.svg` (by the
//! number of jails that are up already) and `steps-HZ.svg` (the steps of a start) into the folder, and prints the
//! medians as tables of Markdown. If there are several kernels, each has its own plots.

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
