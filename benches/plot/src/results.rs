//! The output of the benchmark: lines of CSV. The first field of each line is the name of its table.

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
    /// The number of the round. All measurements in the same round of the same part of a plan have the same number.
    pub round: usize,
    pub start_us: f64,
    pub stop_us: f64,
    /// The processes of all jails together.
    pub processes: f64,
    pub memory_kb: f64,
    pub kernel_kb: f64,
}

/// All results.
#[derive(Debug, Default)]
pub struct Results {
    /// The runs, by series and number of jails.
    pub runs: BTreeMap<(Series, u32), Vec<Run>>,
    /// The microseconds until each tenth of the jails was up.
    pub up: BTreeMap<(Series, u32, u32), Vec<f64>>,
    /// The microseconds per jail of each step.
    pub steps: BTreeMap<(Series, u32, String), Vec<f64>>,
    rounds: Rounds,
}

/// Finds the runs of one round: adjacent runs that differ only in their variant.
#[derive(Debug, Default)]
struct Rounds {
    /// The common fields of the runs in this round, and their variants.
    common: Vec<String>,
    variants: BTreeSet<String>,
    number: usize,
}

impl Rounds {
    fn of(&mut self, common: &[&str], variant: &str) -> usize {
        if self.common != common || self.variants.contains(variant) {
            self.common = common.iter().map(|word| (*word).to_owned()).collect();
            self.variants.clear();
            self.number += 1;
        }
        self.variants.insert(variant.to_owned());
        self.number
    }
}

impl Results {
    /// Reads lines. Lines of no table are skipped, so the output of a console can be read.
    pub fn read(&mut self, text: &str) {
        for line in text.lines() {
            let fields: Vec<&str> = line.trim_end().split(',').collect();
            // A line with the names of columns has no number of jails, and is skipped.
            let _ = self.line(&fields);
        }
    }

    fn line(&mut self, fields: &[&str]) -> Option<()> {
        let [table, kernel, hz, idletick, network, variant, jails, round, rest @ ..] = fields else {
            return None;
        };
        let common = [*kernel, *hz, *idletick, *network, *jails, *round];
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
                    round: self.rounds.of(&common, variant),
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

    /// The median of one number of a run over all rounds.
    pub fn median(&self, series: &Series, jails: u32, of: impl Fn(&Run) -> f64) -> Option<f64> {
        let runs = self.runs.get(&(series.clone(), jails))?;
        Some(median(runs.iter().map(of).collect()))
    }

    /// The median over all rounds of the ratio of two series that were measured in the same round. If the machine
    /// gets slower, that concerns both series.
    pub fn ratio(&self, above: &Series, below: &Series, jails: u32, of: impl Fn(&Run) -> f64) -> Option<f64> {
        let above = self.runs.get(&(above.clone(), jails))?;
        let below = self.runs.get(&(below.clone(), jails))?;
        let pairs = above.iter().filter_map(|above| {
            let below = below.iter().find(|below| below.round == above.round)?;
            Some(of(above) / of(below))
        });
        let ratios: Vec<f64> = pairs.collect();
        (!ratios.is_empty()).then(|| median(ratios))
    }

    /// All series.
    pub fn series(&self) -> BTreeSet<&Series> {
        self.runs.keys().map(|(series, _)| series).collect()
    }

    /// The numbers of jails with which a series was measured.
    pub fn jails(&self, of: &Series) -> Vec<u32> {
        self.runs.keys().filter(|(series, _)| series == of).map(|(_, jails)| *jails).collect()
    }
}

/// The median; for an even number of values, the lower of the two middle values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(variant: &str, round: u32, start: u32) -> String {
        format!("run,15.1-RELEASE,100,1,vnet,{variant},64,{round},{start},50000,64,1800,500\n")
    }

    #[test]
    fn a_line_is_of_a_series() {
        let mut results = Results::default();
        let names = "run,kernel,hz,idletick,network,variant,jails,round,start_us,stop_us,processes,memory_kb,kernel_kb\n";
        let runs = [run("c", 1, 11000), run("c", 2, 13000), run("c", 3, 12000)].concat();
        let step = "step,15.1-RELEASE,100,1,vnet,c,64,3,hold jail,4000\nnoise\n";
        results.read(&[names, &runs, step].concat());
        let series = (*results.series().first().unwrap()).clone();
        assert_eq!((series.hz, series.variant.as_str()), (100, "c"));
        assert_eq!(results.median(&series, 64, |run| run.start_us), Some(12000.0));
        assert_eq!(results.jails(&series), [64]);
        assert_eq!(results.steps.len(), 1);
    }

    #[test]
    fn a_ratio_is_of_what_was_measured_side_by_side() {
        let mut results = Results::default();
        // The second part of the plan measures only C, and the third part measures both again.
        let parts = [
            run("c", 1, 10) + &run("one", 1, 20) + &run("one", 2, 30) + &run("c", 2, 20),
            run("c", 1, 1000),
            run("c", 1, 10) + &run("one", 1, 40),
        ];
        results.read(&parts.concat());
        let series: Vec<Series> = results.series().into_iter().cloned().collect();
        let ratio = |above: &Series, below: &Series| results.ratio(above, below, 64, |run| run.start_us);
        assert_eq!(ratio(&series[1], &series[0]), Some(2.0), "of 1.5, 2 and 4");
        let other = Series { variant: "bulk".to_owned(), ..series[0].clone() };
        assert_eq!(ratio(&series[1], &other), None);
    }

    #[test]
    fn a_median_is_one_of_the_values() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 1.0);
        assert!(median(Vec::new()).is_nan());
    }
}
