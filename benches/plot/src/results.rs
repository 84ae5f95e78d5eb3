//! What the benchmark printed: lines of CSV, the first field of each the name of its table.

use std::collections::{BTreeMap, BTreeSet};

/// One way of starting and stopping jails, on one machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    pub kernel: String,
    pub hz: u32,
    pub idletick: u32,
    pub network: String,
    pub variant: String,
}

/// One measurement, per jail.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub start_us: f64,
    pub stop_us: f64,
    /// Of all jails together.
    pub processes: f64,
    pub memory_kb: f64,
    pub kernel_kb: f64,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Results {
    /// By series and number of jails.
    pub runs: BTreeMap<(Series, u32), Vec<Run>>,
    /// Until each tenth of the jails was up, microseconds for all of them.
    pub up: BTreeMap<(Series, u32, u32), Vec<f64>>,
    /// Each step, microseconds per jail.
    pub steps: BTreeMap<(Series, u32, String), Vec<f64>>,
}

impl Results {
    /// Reads lines; what is none of the tables is skipped, so that a console's output will do.
    pub fn read(&mut self, text: &str) {
        for line in text.lines() {
            let fields: Vec<&str> = line.trim_end().split(',').collect();
            // Lines that name the columns have no number of jails.
            let _ = self.line(&fields);
        }
    }

    fn line(&mut self, fields: &[&str]) -> Option<()> {
        let [table, kernel, hz, idletick, network, variant, jails, _round, rest @ ..] = fields else {
            return None;
        };
        let jails: u32 = jails.parse().ok()?;
        let series = Series {
            kernel: (*kernel).to_owned(),
            hz: hz.parse().ok()?,
            idletick: idletick.parse().ok()?,
            network: (*network).to_owned(),
            variant: (*variant).to_owned(),
        };
        match (*table, rest) {
            ("run", [start, stop, processes, memory, kernel]) => {
                let run = Run {
                    start_us: start.parse().ok()?,
                    stop_us: stop.parse().ok()?,
                    processes: processes.parse().ok()?,
                    memory_kb: memory.parse().ok()?,
                    kernel_kb: kernel.parse().ok()?,
                };
                self.runs.entry((series, jails)).or_default().push(run);
            }
            ("up", [tenth, us]) => {
                let tenth = tenth.parse().ok()?;
                self.up.entry((series, jails, tenth)).or_default().push(us.parse().ok()?);
            }
            ("step", [step, us]) => {
                let key = (series, jails, (*step).to_owned());
                self.steps.entry(key).or_default().push(us.parse().ok()?);
            }
            _ => return None,
        }
        Some(())
    }

    /// The median over the rounds of one of the numbers of a run.
    pub fn median(&self, series: &Series, jails: u32, of: impl Fn(&Run) -> f64) -> Option<f64> {
        let runs = self.runs.get(&(series.clone(), jails))?;
        Some(median(runs.iter().map(of).collect()))
    }

    /// The median over the rounds of how many times as much one series took as another that was measured beside it
    /// in the same round: a machine that grows slower does so for both.
    pub fn ratio(&self, above: &Series, below: &Series, jails: u32, of: impl Fn(&Run) -> f64) -> Option<f64> {
        let above = self.runs.get(&(above.clone(), jails))?;
        let below = self.runs.get(&(below.clone(), jails))?;
        Some(median(above.iter().zip(below).map(|(above, below)| of(above) / of(below)).collect()))
    }

    /// The series there are.
    pub fn series(&self) -> BTreeSet<&Series> {
        self.runs.keys().map(|(series, _)| series).collect()
    }

    /// How many jails a series was measured with.
    pub fn jails(&self, of: &Series) -> Vec<u32> {
        self.runs.keys().filter(|(series, _)| series == of).map(|(_, jails)| *jails).collect()
    }
}

/// The median; of an even number of values the lower one of the two in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_of_a_series() {
        let mut results = Results::default();
        results.read(
            "run,kernel,hz,idletick,network,variant,jails,round,start_us,stop_us,processes,memory_kb,kernel_kb\n\
             run,15.1-RELEASE,100,1,vnet,c,64,1,11000,56000,64,1800,500\n\
             run,15.1-RELEASE,100,1,vnet,c,64,2,13000,57000,64,1800,500\n\
             run,15.1-RELEASE,100,1,vnet,c,64,3,12000,50000,64,1800,500\n\
             run,15.1-RELEASE,100,1,vnet,one,64,1,22000,56000,64,1800,500\n\
             run,15.1-RELEASE,100,1,vnet,one,64,2,13000,57000,64,1800,500\n\
             run,15.1-RELEASE,100,1,vnet,one,64,3,18000,50000,64,1800,500\n\
             step,15.1-RELEASE,100,1,vnet,c,64,3,hold jail,4000\nnoise\n",
        );
        let series = (*results.series().first().unwrap()).clone();
        let one = Series { variant: "one".to_owned(), ..series.clone() };
        assert_eq!(results.ratio(&one, &series, 64, |run| run.start_us), Some(1.5));
        assert_eq!((series.hz, series.variant.as_str()), (100, "c"));
        assert_eq!(results.median(&series, 64, |run| run.start_us), Some(12000.0));
        assert_eq!(results.jails(&series), [64]);
        assert_eq!(results.steps.len(), 1);
    }

    #[test]
    fn a_median_is_one_of_the_values() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 1.0);
        assert!(median(Vec::new()).is_nan());
    }
}
