//! Several jails at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jailwire::iocage::lifecycle::{Error, Host, Report, Starting, Stopping};
use jailwire::iocage::name::JailName;
use jailwire::iocage::order::Turn;
use jailwire::iocage::store::Entry;
use jailwire::wiring::bulk::{Cancel, ForkServer, Job, Limits, Next, Placed, Stage, TickGuard, run};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::checks::Checks;
use super::selected::Selected;
use super::work::{Line, Work};
use super::{start, stop};
use crate::cli;
use crate::environment::Environment;

/// What a shell says of a command that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// How several jails are worked on.
pub struct Bulk {
    limits: Limits,
    flag: Arc<AtomicBool>,
}

impl Bulk {
    /// As the command line says.
    pub fn prepare(args: &cli::Bulk) -> Bulk {
        let mut limits = match args.workers {
            Some(workers) if workers.get() == 1 => Limits::ONE,
            Some(workers) => Limits::default().workers(workers),
            None => Limits::default(),
        };
        if let Some(programs) = args.programs {
            limits = limits.programs(programs);
        }
        Bulk { limits: limits.tick_guard(!args.no_tick_guard), flag: Arc::default() }
    }

    /// Keeps the CPUs ticking, unless the user wants otherwise. Without it everything takes longer, and
    /// that is all.
    fn ticks(&self, environment: &Environment, work: &Work) -> Option<TickGuard> {
        if !self.limits.tick_guard {
            return None;
        }
        let guard = TickGuard::hold(&environment.kernel);
        guard.map_err(|error| work.report().warn(&format!("{error}; going on without"))).ok()
    }

    /// From now on Ctrl-C finishes or undoes what is in flight. A second one ends the program at once,
    /// and leaves the rest to the kernel.
    fn listen(&self) -> Cancel {
        for signal in [SIGINT, SIGTERM] {
            // Without a handler the signal ends the program, as it always does.
            let second = flag::register_conditional_shutdown(signal, INTERRUPTED, self.flag.clone());
            let _ = second.and_then(|_| flag::register(signal, self.flag.clone()));
        }
        // Each jail that waits for its programs keeps a lock open.
        if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        }
        Cancel::from(self.flag.clone())
    }
}

/// Starts jails. One that fails does not keep the others from their turn, unless they depend on it.
pub fn start(
    environment: &Environment,
    host: &mut Host<'_>,
    selected: &Selected,
    bulk: &Bulk,
    work: &mut Work,
) {
    if selected.turns(&environment.store).len() < 2 {
        return start::start(environment, host, selected, work);
    }
    let selected = start::fit_to_start(environment, host, selected, work);
    let turns = selected.turns(&environment.store);
    let checks = Checks::make(environment, host, &turns, work);
    let _guard = bulk.ticks(environment, work);
    let _children = ForkServer::keep(&environment.kernel);
    host.begin_bulk(&bulk.limits);
    let failed = Mutex::new(work.failed().clone());
    let job = |turn: Turn| Start {
        environment,
        host,
        selected: &selected,
        failed: &failed,
        turn,
        starting: None,
        lines: Lines::default(),
    };
    let names: Vec<JailName> = turns.iter().map(|turn| turn.name.clone()).collect();
    let places = places(&names);
    let place = |name: &JailName| places.get(name).copied();
    let jobs = turns
        .into_iter()
        .map(|turn| {
            // Those in a circle are told so when their turn comes.
            let after = match turn.circle {
                Some(_) => Vec::new(),
                None => turn.depends.iter().filter_map(place).collect(),
            };
            Placed { job: job(turn), after }
        })
        .collect();
    carry_out(jobs, &names, bulk, work, "start", |name| checks.of(name));
    end(host, work);
}

/// Stops jails. Those that depend on another of them are gone before it is stopped.
pub fn stop(
    environment: &Environment,
    host: &mut Host<'_>,
    entries: &[Entry],
    force: bool,
    bulk: &Bulk,
    work: &mut Work,
) {
    if entries.len() < 2 {
        return stop::stop(host, entries, force, work);
    }
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
    // A circle has no right order, and is taken away in the one that was asked for.
    let circles = Selected { entries: entries.to_vec(), named: true, rc: false }.turns(&environment.store);
    for turn in circles.iter().filter(|turn| turn.circle.is_some()) {
        if let Some(place) = place(&turn.name) {
            after[place].clear();
        }
    }
    let _guard = bulk.ticks(environment, work);
    host.begin_bulk(&bulk.limits);
    let job = |entry| Stop { host, entry, force, stopping: None, lines: Lines::default() };
    let jobs = entries.iter().zip(after).map(|(entry, after)| Placed { job: job(entry), after }).collect();
    carry_out(jobs, &names, bulk, work, "stop", |_| Vec::new());
    end(host, work);
}

fn places(names: &[JailName]) -> HashMap<&JailName, usize> {
    names.iter().enumerate().map(|(place, name)| (name, place)).collect()
}

fn end(host: &mut Host<'_>, work: &mut Work) {
    if let Err(failure) = host.end_bulk() {
        work.report().warn(&format!("what jails shared could not be taken away: {failure}"));
    }
}

/// Runs jobs, and tells of each as it ends: all that is said of a jail stands together.
fn carry_out<J: Job<Outcome = Told>>(
    jobs: Vec<Placed<J>>,
    names: &[JailName],
    bulk: &Bulk,
    work: &mut Work,
    verb: &str,
    warnings: impl Fn(&JailName) -> Vec<String>,
) {
    let cancel = bulk.listen();
    let begin = Instant::now();
    let (mut ended, mut not_begun, mut taken_back) = (Vec::new(), Vec::new(), Vec::new());
    work.count(names.len(), &format!("{verb}ing"));
    let told = run(jobs, &bulk.limits, &cancel, |place, told| {
        let name = &names[place];
        let Some(Told { lines: Lines(lines), end }) = told else {
            not_begun.push(place);
            work.counted(name, "not begun");
            return;
        };
        let warnings = warnings(name).into_iter().map(Line::Warned);
        work.tell(warnings.chain(lines));
        match end {
            End::Done(word, more) => {
                work.done(name, word, more);
                work.counted(name, word);
                ended.push(word);
            }
            End::Failed(error) => {
                work.fail(name, &error);
                work.counted(name, "failed");
                ended.push("failed");
            }
            End::TakenBack => {
                work.done(name, "taken back", json!({}));
                work.counted(name, "taken back");
                taken_back.push(name);
            }
        }
    });
    if let Err(circle) = told {
        // What is in a circle was left out above.
        work.report().warn(&circle.to_string());
    }
    if names.is_empty() {
        return;
    }
    let took = begin.elapsed().as_secs_f64();
    let mut words: Vec<&str> = ended.clone();
    words.sort_unstable();
    words.dedup();
    let count = |word: &&str| format!("{} {word}", ended.iter().filter(|other| other == &word).count());
    let counts = words.iter().map(count).collect::<Vec<_>>().join(", ");
    let rate = names.len() as f64 / took.max(1e-6);
    if not_begun.is_empty() && taken_back.is_empty() {
        work.totals(&format!("{} jails: {counts}, in {took:.1} s ({rate:.1} a second)", names.len()));
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

/// What there is to tell of a jail in the end.
struct Told {
    lines: Lines,
    end: End,
}

enum End {
    Done(&'static str, Value),
    Failed(String),
    TakenBack,
}

/// What was said of a jail, kept until it is told.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Report for Lines {
    fn say(&mut self, line: &str) {
        self.0.push(Line::Said(line.to_owned()));
    }

    fn warn(&mut self, line: &str) {
        self.0.push(Line::Warned(line.to_owned()));
    }
}

/// The start of one jail among many.
struct Start<'a, 'h> {
    environment: &'a Environment,
    host: &'a Host<'h>,
    selected: &'a Selected,
    /// The jails that could not be started, for those that depend on them.
    failed: &'a Mutex<BTreeSet<JailName>>,
    turn: Turn,
    starting: Option<Starting>,
    lines: Lines,
}

impl Start<'_, '_> {
    fn end(&mut self, end: End) -> Next<Told> {
        Next::Done(Told { lines: std::mem::take(&mut self.lines), end })
    }

    fn fail(&mut self, error: String) -> Next<Told> {
        let name = self.turn.name.clone();
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        self.end(End::Failed(error))
    }

    fn begin(&mut self) -> Next<Told> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(obstacle) = start::obstacle(self.environment, &self.turn, |name| failed.contains(name)) {
            return self.fail(obstacle);
        }
        let Some(entry) = self.environment.store.find(&self.turn.name) else {
            return self.fail(format!("{} is gone", self.turn.name));
        };
        match self.host.begin_start(&entry, &mut self.lines) {
            Ok(starting) => {
                self.starting = Some(starting);
                Next::Go(Stage::Network)
            }
            // Who asks for all, or for a jail that needs it, has what was asked for.
            Err(error @ Error::Running(_))
                if !(self.selected.named && self.selected.entries.contains(&entry)) =>
            {
                if !self.selected.named && !self.selected.rc {
                    self.lines.warn(&error.to_string());
                }
                self.end(End::Done("running", json!({})))
            }
            Err(error) => self.fail(error.to_string()),
        }
    }
}

impl Job for Start<'_, '_> {
    type Outcome = Told;

    fn run(&mut self, stage: Stage) -> Next<Told> {
        match (stage, self.starting.take()) {
            (Stage::Network, Some(mut starting)) => match self.host.wire(&mut starting, &mut self.lines) {
                Ok(()) => {
                    self.starting = Some(starting);
                    Next::Go(Stage::After)
                }
                Err(error) => self.fail(error.to_string()),
            },
            (Stage::After, Some(starting)) => match self.host.finish_start(starting, &mut self.lines) {
                Ok(started) => self.end(End::Done("started", json!({ "jid": started.jid.get() }))),
                Err(error) => self.fail(error.to_string()),
            },
            _ => self.begin(),
        }
    }

    fn cancel(&mut self, _next: Stage) -> Told {
        if let Some(starting) = self.starting.take() {
            self.host.abandon_start(starting, &mut self.lines);
        }
        Told { lines: std::mem::take(&mut self.lines), end: End::TakenBack }
    }
}

/// The stop of one jail among many.
struct Stop<'a, 'h> {
    host: &'a Host<'h>,
    entry: &'a Entry,
    force: bool,
    stopping: Option<Stopping>,
    lines: Lines,
}

impl Stop<'_, '_> {
    fn end(&mut self, end: Result<&'static str, Error>) -> Told {
        let end = match end {
            Ok(word) => End::Done(word, json!({})),
            Err(error) => End::Failed(error.to_string()),
        };
        Told { lines: std::mem::take(&mut self.lines), end }
    }

    fn advance(&mut self, stage: Stage) -> Result<Next<Told>, Error> {
        match (stage, self.stopping.take()) {
            (Stage::Network, Some(mut stopping)) => {
                self.host.unwire(&mut stopping, &mut self.lines)?;
                self.stopping = Some(stopping);
                Ok(Next::Go(Stage::After))
            }
            (Stage::After, Some(stopping)) => {
                let stopped = self.host.finish_stop(stopping, &mut self.lines);
                Ok(Next::Done(self.end(Ok(stop::word(stopped)))))
            }
            _ => {
                self.stopping = Some(self.host.begin_stop(self.entry, self.force, &mut self.lines)?);
                Ok(Next::Go(Stage::Network))
            }
        }
    }
}

impl Job for Stop<'_, '_> {
    type Outcome = Told;

    fn run(&mut self, stage: Stage) -> Next<Told> {
        self.advance(stage).unwrap_or_else(|error| Next::Done(self.end(Err(error))))
    }

    /// A stop that has begun goes on to its end: its services are down already.
    fn cancel(&mut self, mut next: Stage) -> Told {
        loop {
            match self.run(next) {
                Next::Go(stage) => next = stage,
                Next::Done(told) => return told,
            }
        }
    }
}
