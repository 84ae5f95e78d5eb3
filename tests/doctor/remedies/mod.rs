//! Carries out every remedy on a host that shows its finding. The finding has to go, no other may come, and only
//! the changes that the case lists may be made.

mod cases;
mod generated;
mod host;
mod problems;
mod wiring;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jailwire::iocage::doctor::{Finding, Kind};

use self::host::Host;

/// A change that an operator makes to the host by hand.
type ByHand = fn(&mut Host);

/// A host that shows a finding, and the changes that each way of mending makes.
pub struct Case {
    pub kind: Kind,
    /// Words of the finding.
    pub found: &'static str,
    pub host: fn() -> Host,
    /// The values that a user chooses for words in capital letters.
    pub chosen: &'static [(&'static str, &'static str)],
    /// Lines of the remedy that are no command lines, and the change that an operator makes for each.
    pub by_hand: &'static [(&'static str, ByHand)],
    /// The changes of each way of mending: lines of the host's state, each with a sign before it.
    pub changes: &'static [&'static [&'static str]],
}

/// Stands in the place of changes for a command that is for another machine, and whose effect cannot be seen on
/// this one.
pub const ELSEWHERE: &str = "elsewhere";

/// The finding of this kind with these words. There has to be exactly one.
#[track_caller]
fn find(host: &Host, case: &Case) -> Finding {
    let all = host.findings();
    let is_it = |one: &&Finding| one.kind == case.kind && one.what.contains(case.found);
    let mut found: Vec<_> = all.iter().filter(is_it).cloned().collect();
    assert_eq!(found.len(), 1, "{:?} {:?}: {all:#?}", case.kind, case.found);
    found.remove(0)
}

/// The ways of mending a finding, each a list of lines.
fn ways(finding: &Finding) -> Vec<Vec<String>> {
    let mut ways: Vec<Vec<String>> = Vec::new();
    for (place, line) in finding.mend.iter().enumerate() {
        match (line.strip_prefix("or "), line.strip_prefix("and ")) {
            (Some(line), _) => ways.push(vec![line.to_owned()]),
            (_, Some(line)) => ways.last_mut().expect("a way to go on with").push(line.to_owned()),
            (None, None) if place == 0 => ways.push(vec![line.clone()]),
            (None, None) => panic!("neither another way nor more of the same: {line:?} of {finding:#?}"),
        }
    }
    assert!(!ways.is_empty(), "{finding:#?} has no remedy");
    ways
}

/// The programs that remedies name.
const PROGRAMS: [&str; 14] = [
    "iocage", "jailwire", "ifconfig", "route", "sysctl", "sysrc", "kldload", "service", "mkdir", "mv", "rm",
    "chflags", "umount", "zfs",
];

/// The part of a line that is a command line: the whole line, or the part after a colon.
pub fn command(line: &str) -> Option<&str> {
    let is_command = |text: &&str| PROGRAMS.contains(&text.split(' ').next().unwrap_or_default());
    [Some(line), line.split_once(": ").map(|(_, rest)| rest)].into_iter().flatten().find(is_command)
}

/// Carries out a line of a remedy.
#[track_caller]
fn carry_out(host: &mut Host, line: &str, case: &Case) {
    let root = host.root().display().to_string();
    if let Some((_, act)) = case.by_hand.iter().find(|(text, _)| line == text.replace("ROOT", &root)) {
        return act(host);
    }
    let line = &case
        .chosen
        .iter()
        .fold(line.to_owned(), |line, (word, choice)| line.replace(word, &choice.replace("ROOT", &root)));
    if let Some((_, rest)) = line.split_once("add to ") {
        let (place, text) = rest.split_once(": ").expect("a file and a line");
        let (file, then) = place.split_once(", and ").unwrap_or((place, ""));
        host.write(file, text);
        return match then {
            "" => {}
            "restart the machine" => host.restart_with_loader(),
            other => panic!("{other}"),
        };
    }
    if let Some(rest) = line.strip_prefix("write ") {
        let (file, text) = rest.split_once(": ").expect("a file and a line");
        return host.write(file, text);
    }
    let command = command(line)
        .unwrap_or_else(|| panic!("{line:?} is no command line, and nothing that the case does by hand"));
    match command.strip_prefix("sysrc ") {
        Some(settings) => {
            let words = host::words(settings);
            host.sysrc(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        None => host.run(command),
    }
}

/// The lines that came, and the lines that went.
fn difference(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    let gone = before.difference(after).map(|line| format!("-{line}"));
    gone.chain(after.difference(before).map(|line| format!("+{line}"))).collect()
}

/// Carries out one way of mending, and returns what is wrong with it.
fn judge(case: &Case, way: usize) -> Result<(), String> {
    let mut host = (case.host)();
    let finding = find(&host, case);
    let ways = ways(&finding);
    if ways.len() != case.changes.len() {
        return Err(format!("the case knows {} ways: {ways:#?}", case.changes.len()));
    }
    let (before, known) = (host.state(), host.findings());
    if case.changes[way] == [ELSEWHERE] {
        let line = ways[way].first().filter(|line| line.starts_with("on ")).and_then(|line| command(line));
        return line.map(|_| ()).ok_or(format!("it is no command for another machine: {:?}", ways[way]));
    }
    ways[way].iter().for_each(|line| carry_out(&mut host, line, case));
    let after = host.findings();
    let is_among = |all: &[Finding], one: &Finding| {
        all.iter().any(|other| (other.kind, &other.what) == (one.kind, &one.what))
    };
    if is_among(&after, &finding) {
        return Err(format!("it does not help: {after:#?}"));
    }
    let new: Vec<_> = after.iter().filter(|one| !is_among(&known, one)).collect();
    if !new.is_empty() {
        return Err(format!("it brings other trouble: {new:#?}"));
    }
    let root = host.root().display().to_string();
    let changed: Vec<_> =
        difference(&before, &host.state()).iter().map(|line| line.replace(&root, "ROOT")).collect();
    if changed != case.changes[way] {
        return Err(format!("it changes this:\n{changed:#?}"));
    }
    Ok(())
}

#[test]
fn each_remedy_mends_what_it_is_for_and_nothing_else() {
    let ways = cases::all().flat_map(|case| (0..case.changes.len()).map(move |way| (case, way)));
    let (ways, next) = (ways.collect::<Vec<_>>(), AtomicUsize::new(0));
    let wrong = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((place, (case, way))) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|place| Some((place, ways.get(place)?)))
        {
            let verdict = catch_unwind(AssertUnwindSafe(|| judge(case, *way)));
            let verdict = verdict.unwrap_or_else(|_| Err("it cannot be carried out: see above".to_owned()));
            if let Err(reason) = verdict {
                let told = format!("{:?} ({}), way {}: {reason}", case.kind, case.found, way + 1);
                wrong.lock().unwrap().insert(place, told);
            }
        }
    };
    // Six threads, because each spends much of its time waiting for programs.
    std::thread::scope(|scope| (0..6).for_each(|_| drop(scope.spawn(work))));
    let wrong: Vec<String> = wrong.into_inner().unwrap().into_values().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every kind of finding has to have a case, with all remedies of the finding.
#[test]
fn there_is_a_case_for_each_kind_of_finding() {
    let tried: BTreeSet<Kind> = cases::all().map(|case| case.kind).collect();
    let untried: Vec<_> = Kind::ALL.iter().filter(|kind| !tried.contains(kind)).collect();
    assert!(untried.is_empty(), "{untried:?}");
}
