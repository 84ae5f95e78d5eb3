//! vm/test and vm/bench: they build, run and report all binaries of a workspace.

use super::*;

fn place(binaries: &[(&str, &str)]) -> Option<Place> {
    let place = Place::with(&["qemu-system-x86_64", "cargo", "rustup", "zig"])?;
    for (name, body) in binaries {
        place.write_script(&format!("binaries/{name}"), body);
    }
    Some(
        place
            .set_file("JAILWIRE_VM_KERNEL", "kernel")
            .set_file("JAILWIRE_VM_ROOT", "root")
            .set("JAILWIRE_VM_KVM", "/nonexistent")
            .set_file("FAKE_BINARIES", "binaries")
            .set("FAKE_RUSTUP", "x86_64-unknown-freebsd")
            .set("ZIG", "zig")
            .set_file("JAILWIRE_CROSS_TARGET_DIR", "target"),
    )
}

const GOOD: &str =
    "echo 'running 1 test'; echo test it ... ok; echo \"with $*\"; echo 'test result: ok. 1 passed'";
const BAD: &str = "echo 'running 1 test'; echo test it ... FAILED; exit 101";

#[test]
fn tests_are_reported_as_cargo_does() {
    let Some(place) = place(&[("test-contract", GOOD), ("lib-jail", GOOD), ("bin-jail", "exit 9")]) else {
        return;
    };
    let answer = place.run("vm/test", &["--test", "contract", "--", "--nocapture", "a b"]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    let contract = "     Running tests/contract/main.rs (";
    assert!(answer.output.contains(contract), "{answer:?}");
    assert!(
        answer.output.contains("running 1 test\ntest it ... ok\nwith --nocapture a b\ntest result: ok."),
        "{answer:?}"
    );
    assert!(answer.output.contains("     Running unittests tests/jail/main.rs ("), "{answer:?}");
    assert!(answer.output.contains("    ok      -p jail --test contract\n"), "{answer:?}");
    // A program that is no test is copied to the guest and not run.
    assert_eq!(answer.output.matches("Running").count(), 2, "{answer:?}");
    let cargo = place.log("cargo");
    assert!(
        cargo.starts_with(
            "test\n--no-run\n--message-format=json-render-diagnostics\n--workspace\n--test\ncontract\n--\n"
        ),
        "{cargo}"
    );
    assert!(place.log("cargo-environment").starts_with("x86_64-unknown-freebsd\n"));
}

#[test]
fn one_failure_fails_and_hides_nothing() {
    let Some(place) = place(&[("test-a", BAD), ("test-contract", GOOD)]) else {
        return;
    };
    let answer = place.run("vm/test", &[]);
    answer.complains(1, "failed: kernel (101)");
    assert!(answer.output.contains("FAILED  -p jail --test a (101)"), "{answer:?}");
    assert!(answer.output.contains("ok      -p jail --test contract"), "{answer:?}");
    assert!(answer.output.contains("error: 1 of 2 binaries failed"), "{answer:?}");
}

#[test]
fn several_kernels_in_one_call() {
    let Some(place) = place(&[("test-contract", GOOD)]) else {
        return;
    };
    fs::write(place.file("second"), "").unwrap();
    fs::write(place.file("second-root"), "").unwrap();
    let path = |name: &str| place.file(name).to_str().unwrap().to_owned();
    let kernels = format!("{}:{}", path("kernel"), path("second"));
    let roots = format!("{}:{}", path("root"), path("second-root"));
    let answer = place.run("vm/test", &["-k", &kernels, "-r", &roots, "-t", "kern.hz=1000"]);
    assert_eq!(answer.output.matches("ok      -p jail --test contract").count(), 2, "{answer:?}");
    // The tests are built once and run twice. Each kernel has its own root.
    assert_eq!(place.log("cargo").matches("--no-run").count(), 1);
    let guests: Vec<_> =
        place.log("qemu").lines().filter(|line| line.starts_with("file=")).map(String::from).collect();
    assert!(guests[0].contains("/root,") && guests[2].contains("/second-root,"), "{guests:?}");
    assert_eq!(place.log("qemu").matches("kern.hz=1000").count(), 2);

    // The environment sets one root for both kernels. The first guest's failure does not stop the second.
    fs::remove_file(place.file("qemu.log")).unwrap();
    let place = place.set("JAILWIRE_VM_KERNEL", &kernels).set("FAKE_GUEST", "early-panic");
    let answer = place.run("vm/test", &[]);
    answer.complains(1, "failed: kernel (125) second (125)");
    assert_eq!(place.log("qemu").matches("-kernel").count(), 2);
}

#[test]
fn benchmarks_are_run_as_such() {
    let Some(place) = place(&[("bench-bulk", GOOD), ("lib-jail", BAD)]) else {
        return;
    };
    let answer = place.run("vm/bench", &["-p", "jail", "--", "--quick"]);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    assert!(answer.output.contains("with --bench --quick\n"), "{answer:?}");
    assert_eq!(answer.output.matches("Running").count(), 1, "{answer:?}");
    assert!(
        place
            .log("cargo")
            .starts_with("bench\n--no-run\n--message-format=json-render-diagnostics\n-p\njail\n--\n")
    );
}

#[test]
fn a_signal_reaches_the_guest() {
    let Some(place) = place(&[("test-contract", GOOD)]) else {
        return;
    };
    let place = place.set("FAKE_GUEST", "hang");
    let child = place.start("vm/test", &[]);
    assert!(wait_for(Duration::from_secs(30), || !place.log("qemu").is_empty()));
    signal("TERM", &child.id().to_string());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    place.assert_nothing_left();
}

#[test]
fn a_build_that_fails_starts_no_guest() {
    let Some(place) = place(&[("test-contract", GOOD)]) else {
        return;
    };
    fs::remove_file(place.file("bin/cargo")).unwrap();
    place.write_script("bin/cargo", "echo error: no >&2; exit 101");
    place.run("vm/test", &[]).complains(101, "error: no");
    assert_eq!(place.log("qemu"), "");
}
