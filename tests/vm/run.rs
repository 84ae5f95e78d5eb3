//! vm/run: the results of a guest, and that nothing of a guest is left.

use super::*;

#[test]
fn output_and_status_come_back() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    let answer = place.run("vm/run", &["--", "echo", "it's", "a  b", "$HOME"]);
    assert_eq!(answer.output, "it's a  b $HOME\n");
    assert_eq!((answer.status, answer.errors.as_str()), (Some(0), ""));

    let answer = place.run("vm/run", &["sh", "-c", "echo to errors >&2; exit 3"]);
    assert_eq!((answer.output.as_str(), answer.status), ("to errors\n", Some(3)));
}

#[test]
fn a_last_line_needs_no_end() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    assert_eq!(place.run("vm/run", &["--", "printf", "one\\ntwo"]).output, "one\ntwo\n");
}

#[test]
fn files_come_along() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    fs::create_dir_all(place.file("pay load/sub")).unwrap();
    fs::write(place.file("pay load/sub/data"), "from the folder\n").unwrap();
    fs::write(place.file("one, two"), "from the file\n").unwrap();
    let answer =
        place.run("vm/run", &["-d", "pay load", "-f", "one, two", "--", "cat", "sub/data", "one, two"]);
    assert_eq!(answer.output, "from the folder\nfrom the file\n");

    place.write_script("pay load/run.sh", "pwd >/dev/null; echo ran; exit 7");
    let answer = place.run("vm/run", &["-d", "pay load"]);
    assert_eq!((answer.output.as_str(), answer.status), ("ran\n", Some(7)));
}

#[test]
fn output_comes_while_the_payload_runs() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    let go = place.file("go");
    let script = format!("echo first; while [ ! -e '{}' ]; do sleep 0.1; done; echo second", go.display());
    let mut child = place.start("vm/run", &["--", "sh", "-c", &script]);
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    fs::write(go, "").unwrap();
    std::io::Read::read_to_string(&mut output, &mut line).unwrap();
    assert_eq!(line, "first\nsecond\n");
    assert!(child.wait().unwrap().success());
    place.assert_nothing_left();
}

#[test]
fn a_payload_without_end_is_ended() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    let place = place.set("FAKE_GUEST", "hang");
    let answer = place.run("vm/run", &["-T", "1", "--", "true"]);
    answer.complains(124, "the payload did not end within 1 seconds");
    answer.complains(124, "| === PAYLOAD BEGIN\n    | start\n");
    assert_eq!(answer.output, "start\n");
}

#[test]
fn a_guest_that_never_answers_is_an_error() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    let place = place.set("FAKE_GUEST", "silent");
    let answer = place.run("vm/run", &["-B", "1", "--", "true"]);
    answer.complains(125, "the guest did not run the payload within 1 seconds");
    answer.complains(125, "the guest printed nothing");

    let place = place.set("FAKE_GUEST", "stuck");
    let answer = place.run("vm/run", &["-B", "3", "--", "true"]);
    answer.complains(125, "| Copyright (c) 1992-2026 The FreeBSD Project.\n");
}

#[test]
fn a_guest_that_stops_early_is_an_error() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    let place = place.set("FAKE_GUEST", "dead");
    place.run("vm/run", &["--", "true"]).complains(125, "the guest stopped before it ran the payload");
    // A status that was cut off does not count. It might not be 1.
    let place = place.set("FAKE_GUEST", "cut");
    let answer = place.run("vm/run", &["--", "true"]);
    answer.complains(125, "the guest stopped before the payload ended");
    assert_eq!(answer.output, "a line\n");
}

#[test]
fn a_panic_is_an_error() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    // After the panic, one guest starts again, and the other waits in the debugger.
    for guest in ["panic", "debugger"] {
        let place = place_with_guest(guest).unwrap();
        let answer = place.run("vm/run", &["--", "true"]);
        answer.complains(125, "the guest panicked");
        answer.complains(125, "panic: a test\n");
        answer.complains(125, "| KDB: stack backtrace:\n");
    }
    let place = place.set("FAKE_GUEST", "early-panic");
    place.run("vm/run", &["--", "true"]).complains(125, "the guest panicked while starting");
}

fn place_with_guest(guest: &str) -> Option<Place> {
    Some(Place::with_kernel()?.set("FAKE_GUEST", guest))
}

#[test]
fn a_payload_may_speak_of_panic() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    let answer = place.run("vm/run", &["--", "printf", "panic: not me\\nreally: PAYLOAD END rc=5\\n"]);
    assert_eq!(answer.output, "panic: not me\nreally: PAYLOAD END rc=5\n");
    assert_eq!(answer.status, Some(0), "{answer:?}");
}

#[test]
fn a_signal_leaves_nothing() {
    for (name, status) in [("INT", Some(130)), ("TERM", Some(143)), ("HUP", Some(129)), ("KILL", None)] {
        let Some(place) = place_with_guest("hang") else {
            return;
        };
        // A shell cannot catch a signal that was ignored when it started, as in a background job.
        let caught = format!("trap 'exit 3' {name}; kill -s {name} $$; exit 0");
        let caught = Command::new("sh").args(["-c", &caught]).status().unwrap();
        if status.is_some() && caught.code() != Some(3) {
            println!("skipped: {name} is ignored here");
            continue;
        }
        let child = place.start("vm/run", &["--", "true"]);
        assert!(wait_for(Duration::from_secs(20), || !place.read("pids").is_empty()), "no guest for {name}");
        signal(name, &child.id().to_string());
        let answer = Answer::from(child.wait_with_output().unwrap());
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        place.assert_nothing_left();
    }
}

#[test]
fn what_is_missing_is_said_in_one_line() {
    let Some(place) = Place::with(&[]) else {
        return;
    };
    place.run("vm/run", &["-R", "15.1", "--", "true"]).complains_in_one_line(125, "install QEMU");
    place.run("vm/test", &["-R", "15.1"]).complains_in_one_line(125, "install QEMU");

    let place = Place::with(&["qemu-system-x86_64"]).unwrap();
    let answer = place.run("vm/run", &["--", "true"]);
    answer.complains_in_one_line(125, "set JAILWIRE_VM_RELEASE");
    place.run("vm/test", &[]).complains_in_one_line(125, "set JAILWIRE_VM_RELEASE");
    place.run("vm/bench", &[]).complains_in_one_line(125, "set JAILWIRE_VM_RELEASE");
    place
        .run("vm/run", &["-k", "none", "--", "true"])
        .complains_in_one_line(125, "cannot read the kernel none");
    place.run("vm/run", &["-k", "kernel", "--", "true"]).complains_in_one_line(125, "JAILWIRE_VM_ROOT");
    place.run("vm/run", &["-k", "kernel", "-r", "root"]).complains_in_one_line(125, "nothing to run");
    place.run("vm/run", &["-k"]).complains_in_one_line(125, "-k needs a value");
    place.run("vm/run", &["--what", "x"]).complains_in_one_line(125, "unknown option --what");
}
