//! Starting and stopping jails: one, or several at once, by the same engine.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jailwire::iocage::lifecycle::{self, Host, Report};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::Turn;
use jailwire::iocage::store::Entry;
use jailwire::types::Jid;
use jailwire::wiring::bulk::{Cancel, ForkServer, Job, Limits, Placed, TickGuard, run};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::checks::Checks;
use super::jobs::{Each, End, Listener, Start, Told, word};
use super::selected::Selected;
use super::work::{Line, Work};
use crate::cli;
use crate::environment::Environment;

/// The exit status that shells give a command that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// The settings of a bulk operation.
pub struct Bulk {
    limits: Limits,
    wait: Option<Duration>,
    flag: Arc<AtomicBool>,
}

impl Bulk {
    /// Makes the settings from the command line.
    pub fn prepare(args: &cli::Bulk) -> Bulk {
        let mut limits = match args.workers {
            Some(workers) if workers.get() == 1 => Limits::ONE,
            Some(workers) => Limits::default().workers(workers),
            None => Limits::default(),
        };
        if let Some(programs) = args.programs {
            limits = limits.programs(programs);
        }
        let wait = args.wait.map(Duration::from_secs);
        Bulk { limits: limits.tick_guard(!args.no_tick_guard), wait, flag: Arc::default() }
    }

    /// The settings for commands that work on one jail, and have no options for this.
    pub fn alone() -> Bulk {
        Bulk { limits: Limits::ONE.tick_guard(true), wait: None, flag: Arc::default() }
    }

    /// Sets the waiting time of the command line.
    pub fn set_wait(&self, host: &mut Host<'_>) {
        if let Some(wait) = self.wait {
            host.set_wait(wait);
        }
    }

    /// Keeps the CPUs ticking, unless an option says otherwise. A single jail without a network stack of its own has no
    /// interface to move or to destroy, and needs no ticks. If the CPUs cannot be kept ticking, the operation only takes
    /// longer.
    fn ticks(&self, environment: &Environment, entries: &[Entry], work: &Work) -> Option<TickGuard> {
        let has_vnet = |entry: &Entry| {
            environment.store.properties(entry).is_ok_and(|properties| properties.is_on("vnet"))
        };
        let needs_ticks = match entries {
            [] => false,
            [entry] => has_vnet(entry),
            _ => true,
        };
        if !self.limits.tick_guard || !needs_ticks {
            return None;
        }
        let guard = TickGuard::hold(&environment.kernel);
        guard
            .map_err(|error| work.report().warn(&format!("{error}; starts and stops take longer without it")))
            .ok()
    }

    /// From now on, the first Ctrl-C finishes or undoes the jails that are being worked on. A second Ctrl-C ends
    /// the program at once, and the kernel removes unfinished jails.
    fn listen(&self) -> Cancel {
        for signal in [SIGINT, SIGTERM] {
            // If the handler cannot be installed, the signal ends the program as usual.
            let second = flag::register_conditional_shutdown(signal, INTERRUPTED, self.flag.clone());
            let _ = second.and_then(|_| flag::register(signal, self.flag.clone()));
        }
        // Raise the limit of open files: each jail that waits for its programs has a lock file open.
        if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        }
        Cancel::from(self.flag.clone())
    }
}

/// Starts jails. If a jail fails, only the jails that depend on it are not started.
pub fn start(environment: &Environment, host: &mut Host<'_>, selected: &Selected, bulk: &Bulk, work: &Work) {
    let alone = selected.turns(&environment.store).len() < 2;
    let selected = fit_to_start(environment, host, selected, work);
    let turns = selected.turns(&environment.store);
    let checks = Checks::make(environment, host, &turns, work);
    let _guard = bulk.ticks(environment, &selected.entries, work);
    let _children = children(environment, alone);
    if !alone {
        host.begin_bulk(&bulk.limits);
    }
    let host_of_jobs: &Host<'_> = host;
    let failed = Mutex::new(work.failed());
    let job = |turn: Turn| Start {
        environment,
        host: host_of_jobs,
        selected: &selected,
        failed: &failed,
        turn,
        start: None,
        lines: listener(alone, work),
    };
    let names: Vec<JailName> = turns.iter().map(|turn| turn.name.clone()).collect();
    let places = places(&names);
    let place = |name: &JailName| places.get(name).copied();
    let jobs = turns
        .into_iter()
        .map(|turn| {
            // Jails in a circle get their error when their turn comes.
            let after = match turn.circle {
                Some(_) => Vec::new(),
                None => turn.depends.iter().filter_map(place).collect(),
            };
            Placed { job: job(turn), after }
        })
        .collect();
    carry_out(jobs, &names, bulk, alone, work, "starting", |name| checks.of(name));
    end(host, work);
}

/// Stops jails. A jail is stopped after the jails that depend on it.
pub fn stop(
    environment: &Environment,
    host: &mut Host<'_>,
    entries: &[Entry],
    force: bool,
    bulk: &Bulk,
    work: &Work,
) {
    let alone = entries.len() < 2;
    let names: Vec<JailName> = entries.iter().map(|entry| entry.name.clone()).collect();
    let places = places(&names);
    let place = |name: &JailName| places.get(name).copied();
    let mut after = vec![Vec::new(); entries.len()];
    for (dependent, entry) in entries.iter().enumerate() {
        let depends = environment.store.needs(entry);
        for needed in depends.iter().filter_map(place).filter(|needed| *needed != dependent) {
            after[needed].push(dependent);
        }
    }
    // Jails in a circle have no right order, and are stopped in the given order.
    let circles = Selected { entries: entries.to_vec(), named: true, rc: false }.turns(&environment.store);
    for turn in circles.iter().filter(|turn| turn.circle.is_some()) {
        if let Some(place) = place(&turn.name) {
            after[place].clear();
        }
    }
    let _guard = bulk.ticks(environment, entries, work);
    let _children = children(environment, alone);
    if !alone {
        host.begin_bulk(&bulk.limits);
    }
    let host_of_jobs: &Host<'_> = host;
    let job = |entry| Each {
        operation: lifecycle::Stop::new(host_of_jobs, entry, force),
        tell: |stopped, _: &mut dyn Report| End::Done(word(stopped), json!({})),
        lines: listener(alone, work),
    };
    let jobs = entries.iter().zip(after).map(|(entry, after)| Placed { job: job(entry), after }).collect();
    carry_out(jobs, &names, bulk, alone, work, "stopping", |_| Vec::new());
    end(host, work);
}

/// Restarts the programs of jails. The jails and their network are not changed. A jail that was named and does not
/// run is an error.
pub fn restart_softly(host: &Host<'_>, selected: &Selected, bulk: &Bulk, work: &Work) {
    let alone = selected.entries.len() < 2;
    let names: Vec<JailName> = selected.entries.iter().map(|entry| entry.name.clone()).collect();
    let job = |entry: &Entry| {
        let (down, named) = (not_running(&entry.name), selected.named);
        Each {
            operation: lifecycle::SoftRestart::new(host, entry),
            tell: move |jid: Option<Jid>, report: &mut dyn Report| match jid {
                Some(jid) => End::Done("restarted", json!({ "jid": jid.get() })),
                None if named => End::Failed(down.clone()),
                None => {
                    report.warn(&down);
                    End::Done("down", json!({}))
                }
            },
            lines: listener(alone, work),
        }
    };
    let jobs = selected.entries.iter().map(|entry| Placed { job: job(entry), after: Vec::new() }).collect();
    carry_out(jobs, &names, bulk, alone, work, "restarting", |_| Vec::new());
}

/// The message about a jail that does not run.
pub fn not_running(name: &JailName) -> String {
    format!("{} is not running!", name.flat())
}

fn places(names: &[JailName]) -> HashMap<&JailName, usize> {
    names.iter().enumerate().map(|(place, name)| (name, place)).collect()
}

/// Keeps the child processes of jails for more work.
fn children(environment: &Environment, alone: bool) -> ForkServer {
    match alone {
        true => ForkServer::of_one_jail(&environment.kernel),
        false => ForkServer::keep(&environment.kernel),
    }
}

/// Messages about a single jail are printed at once.
fn listener(alone: bool, work: &Work) -> Listener<'_> {
    if alone { Listener::Now(work.report()) } else { Listener::Later(Vec::new()) }
}

/// Reports the removed jails that linger.
pub fn tell_dying(host: &Host<'_>, work: &Work) {
    for dying in host.dying() {
        work.note(&dying.to_string());
    }
}

fn end(host: &mut Host<'_>, work: &Work) {
    if let Err(failure) = host.end_bulk() {
        work.report().warn(&format!(
            "a bridge or vlan that jails had shared could not be removed: {failure}; run `gc` to try again"
        ));
    }
}

/// Runs jobs, and reports each jail when it ends, so that all messages about a jail are together.
fn carry_out<J: Job<Outcome = Told>>(
    jobs: Vec<Placed<J>>,
    names: &[JailName],
    bulk: &Bulk,
    alone: bool,
    work: &Work,
    doing: &str,
    warnings: impl Fn(&JailName) -> Vec<String>,
) {
    // For a single jail, Ctrl-C ends the program at once, and the kernel removes the unfinished jail.
    let (cancel, limits) = match alone {
        true => (Cancel::new(), Limits::ONE),
        false => (bulk.listen(), bulk.limits),
    };
    let began = Instant::now();
    let (mut ended, mut not_begun, mut taken_back) = (Vec::new(), Vec::new(), Vec::new());
    match (alone, names.first()) {
        (true, Some(name)) => work.doing(format!("{doing} {name}")),
        _ => work.count(names.len(), doing),
    }
    if alone {
        // The doctor's warnings come first.
        names.iter().flat_map(&warnings).for_each(|warning| work.report().warn(&warning));
    }
    let counted = |name: &JailName, word: &str| {
        if !alone {
            work.counted(name, word);
        }
    };
    let told = run(jobs, &limits, &cancel, |place, told| {
        let name = &names[place];
        let Some(Told { lines, end }) = told else {
            not_begun.push(place);
            counted(name, "not begun");
            return;
        };
        let warnings = if alone { Vec::new() } else { warnings(name) };
        let warnings = warnings.into_iter().map(Line::Warned).chain(lines);
        // If each jail has a numbered line, that line already says that there was nothing to do. Do not repeat it.
        let idle = [format!("{name} is already running!"), not_running(name)];
        let is_told = |line: &Line| matches!(line, Line::Warned(text) if idle.contains(text));
        let counts = !alone && matches!(end, End::Done(..)) && work.tells_each();
        work.tell(warnings.filter(|line| !counts || !is_told(line)));
        match end {
            End::Done(word, more) => {
                work.done(name, word, more);
                counted(name, word);
                ended.push(word);
            }
            End::Failed(error) => {
                work.fail(name, &error);
                counted(name, "failed");
                ended.push("failed");
            }
            End::TakenBack => {
                work.done(name, "taken back", json!({}));
                counted(name, "taken back");
                taken_back.push(name);
            }
        }
    });
    if let Err(circle) = told {
        // Report the circle. Its jails are not started.
        work.report().warn(&circle.to_string());
    }
    if names.is_empty() || alone {
        return;
    }
    let mut words: Vec<&str> = ended.clone();
    words.sort_unstable();
    words.dedup();
    let count = |word: &&str| format!("{} {word}", ended.iter().filter(|other| other == &word).count());
    let counts = words.iter().map(count).collect::<Vec<_>>().join(", ");
    if not_begun.is_empty() && taken_back.is_empty() {
        let worked = ended.iter().filter(|word| !matches!(**word, "failed" | "running" | "down")).count();
        work.totals(&format!("{} jails: {counts}{}", names.len(), pace(worked, began.elapsed())));
        return;
    }
    let list = |names: &[&JailName]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
    let mut text = format!("interrupted after {} of {} jails ({counts})", ended.len(), names.len());
    if !taken_back.is_empty() {
        text += &format!("; taken back: {}", list(&taken_back));
    }
    if !not_begun.is_empty() {
        not_begun.sort_unstable();
        let not_begun: Vec<&JailName> = not_begun.iter().map(|place| &names[*place]).collect();
        text += &format!("; not begun: {}", list(&not_begun));
        for name in not_begun {
            work.done(name, "not begun", json!({}));
        }
    }
    work.interrupted(&text);
}

/// The time for this number of jails, and the jails per second. The text is empty if there are no jails.
fn pace(jails: usize, took: Duration) -> String {
    match (jails, took.as_secs_f64()) {
        (0, _) => String::new(),
        (_, took) if took < 1.0 => format!(", in {:.0} ms", took * 1e3),
        (_, took) => format!(", in {took:.1} s ({:.1} a second)", jails as f64 / took),
    }
}

/// Returns the jails without those that were named and have wrong configurations, so that their dependencies are
/// not started for nothing.
pub fn fit_to_start(
    environment: &Environment,
    host: &Host<'_>,
    selected: &Selected,
    work: &Work,
) -> Selected {
    if selected.named {
        for entry in &selected.entries {
            // A jail that needs no other jails is checked by its own start.
            if !environment.store.needs(entry).is_empty()
                && let Err(error) = host.preview_start(entry, &mut work.report())
            {
                work.fail(&entry.name, &error);
            }
        }
    }
    selected.without(work)
}
