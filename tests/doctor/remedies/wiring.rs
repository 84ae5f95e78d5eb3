//! The problems of wiring, message by message: a command that is refused, and what the message says to do, after which
//! the command is not refused any more. The rows are in `wiring.txt`, and are complete: a message that no row shows, and
//! that is not among those with another place, fails the test.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jailwire::sim::Release;

use super::cases::options;
use super::host::{Host, words};
use super::problems::{is_in, texts_of};

/// What a command line says on a host, and what is done about it.
#[derive(Debug, Default)]
struct Row {
    is_14: bool,
    setup: Vec<String>,
    refused: String,
    told: String,
    remedy: Vec<String>,
}

const WEB: &str = r#"{"vnet":1,"ip4_addr":"vnet0|192.0.2.20/24","defaultrouter":"none","mac_prefix":"02ff60","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null","host_time":0}"#;
const DB: &str = r#"{"vnet":0,"ip4_addr":"em0|192.0.2.50/32","mac_prefix":"02ff60","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null","host_time":0}"#;

/// The rows, and the messages that have another place, with the reason.
fn read() -> (Vec<Row>, Vec<(String, String)>) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/remedies/wiring.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let (mut rows, mut elsewhere) = (Vec::new(), Vec::new());
    for block in text.split("\n\n") {
        let mut row = Row::default();
        for line in block.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (sign, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{line:?} is no line of a row"));
            match sign {
                "release" => row.is_14 = rest == "14",
                "$" => row.setup.push(rest.to_owned()),
                "!" => {
                    let (refused, told) = rest.split_once(" :: ").expect("a command and words");
                    (row.refused, row.told) = (refused.to_owned(), told.to_owned());
                }
                ">" => row.remedy.push(rest.to_owned()),
                "elsewhere" => {
                    let (message, reason) = rest.split_once(" :: ").expect("a message and a reason");
                    elsewhere.push((message.to_owned(), reason.to_owned()));
                }
                other => panic!("{other:?} of {line:?}"),
            }
        }
        if !row.refused.is_empty() {
            assert!(!row.remedy.is_empty(), "{row:?}");
            rows.push(row);
        }
    }
    (rows, elsewhere)
}

/// Carries out the remedy of a row. Returns what was said before.
fn judge(row: &Row) -> Result<String, String> {
    let options = if row.is_14 { options().with_release(Release::V14_2) } else { options() };
    let host = Host::new(options, &[("web", WEB), ("db", DB)]);
    // Which jail gets which jid is part of the rows.
    let setup =
        ["jailwire start web", "jailwire start db"].into_iter().chain(row.setup.iter().map(String::as_str));
    setup.for_each(|line| carry_out(&host, row, line));
    let output = program(&host, row, &row.refused).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() != Some(1) || !said.contains(&row.told) {
        return Err(format!("ends with {} and says {said}", output.status));
    }
    row.remedy.iter().for_each(|line| carry_out(&host, row, line));
    Ok(said)
}

/// The program with a command line's words, on the kernel of the row's release.
fn program(host: &Host, row: &Row, line: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_jailwire"));
    program.env_clear().args(["--kernel", "sim", "--root"]).arg(host.root()).args(&words(line)[1..]);
    if row.is_14 {
        program.env("JAILWIRE_SIM_RELEASE", "14.2");
    }
    program
}

#[track_caller]
fn carry_out(host: &Host, row: &Row, line: &str) {
    if !row.is_14 || !line.starts_with("jailwire ") {
        return host.run(line);
    }
    let output = program(host, row, line).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_problem_of_wiring_goes_by_its_remedy() {
    let (rows, elsewhere) = read();
    let (next, wrong, seen) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let work = || {
        while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            let verdict = catch_unwind(AssertUnwindSafe(|| judge(row)));
            let verdict =
                verdict.unwrap_or_else(|_| Err("its remedy cannot be carried out: see above".to_owned()));
            match verdict {
                Ok(said) => drop(seen.lock().unwrap().insert(said)),
                Err(reason) => wrong.lock().unwrap().push(format!("{}: {}: {reason}", row.refused, row.told)),
            }
        }
    };
    std::thread::scope(|scope| (0..6).for_each(|_| drop(scope.spawn(work))));
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    let seen = seen.into_inner().unwrap();
    let texts = texts_of(&["src/wiring/problem.rs"]);
    assert!(texts.len() > 60, "{}", texts.len());
    let is_elsewhere = |text: &String| elsewhere.iter().any(|(other, _)| text.starts_with(other.as_str()));
    let unseen: Vec<_> = texts
        .iter()
        .filter(|text| !is_elsewhere(text) && !seen.iter().any(|said| is_in(text, said)))
        .collect();
    assert!(unseen.is_empty(), "no row shows these messages: {unseen:#?}");
    let needless: Vec<_> = elsewhere
        .iter()
        .filter(|(other, _)| !texts.iter().any(|text| text.starts_with(other.as_str())))
        .collect();
    assert!(needless.is_empty(), "there are no such messages: {needless:#?}");
}
