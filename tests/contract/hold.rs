//! A sysctl that is held at a value. The former value is restored whatever happens to the processes that hold it.

use std::process::{Command, Stdio};
use std::time::Duration;

use jailwire::kernel::{Errno, Kernel, Sysctl};

use crate::support::{Host, Refused, quiet};

/// The sysctl that the tick guard holds.
const NAME: &str = "kern.eventtimer.idletick";

/// The variable that is set for the process that holds the sysctl until it is killed.
const HOLD: &str = "JAILWIRE_CONTRACT_HOLD";

fn value(kernel: &dyn Kernel) -> i32 {
    i32::from_ne_bytes(kernel.sysctl(&Sysctl::read(NAME)).unwrap().try_into().unwrap())
}

/// One test checks everything, because the value belongs to the whole machine.
#[test]
fn the_last_one_puts_it_back_unless_somebody_has_set_another() {
    let host = Host::new();
    let _alone = quiet::idletick();
    let kernel = &*host.kernel;
    let before = value(kernel);
    let other = 1 - before;

    let first = kernel.hold_sysctl(NAME, other).unwrap();
    assert_eq!(value(kernel), other);
    let second = kernel.hold_sysctl(NAME, other).unwrap();
    kernel.close(first);
    assert_eq!(value(kernel), other, "there is one who holds it");
    let third = kernel.hold_sysctl(NAME, other).unwrap();
    kernel.close(second);
    kernel.close(third);
    assert_eq!(value(kernel), before);

    // Another process has set the former value meanwhile, so the library leaves the sysctl alone.
    let held = kernel.hold_sysctl(NAME, other).unwrap();
    kernel.sysctl(&Sysctl::write_int(NAME, before)).unwrap();
    let again = kernel.hold_sysctl(NAME, other).unwrap();
    kernel.close(held);
    assert_eq!(value(kernel), other);
    kernel.close(again);
    assert_eq!(value(kernel), before);

    kernel.hold_sysctl("kern.eventtimer.nosuch", 1).refused(Errno::ENOENT);
    assert_eq!(value(kernel), before);
    let left = std::fs::read_dir(kernel.run_directory().join("jailwire")).into_iter().flatten();
    let left: Vec<_> =
        left.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("sysctl")).collect();
    assert!(left.is_empty(), "{left:?}");

    // The process that holds the sysctl is killed with its whole process group.
    if kernel.simulated() {
        return;
    }
    // The kill comes as soon as the value is set. By then the process that restores the value has left the group.
    let times = std::env::var("JAILWIRE_KILLS").map_or(10, |times| times.parse().unwrap());
    for time in 0..times {
        use std::os::unix::process::CommandExt as _;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hold::hold_until_killed", "--nocapture"])
            .env(HOLD, "1")
            .process_group(0)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until(kernel, other, time);
        let group = nix::unistd::Pid::from_raw(child.id() as i32);
        nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        wait_until(kernel, before, time);
    }
}

fn wait_until(kernel: &dyn Kernel, wanted: i32, time: u32) {
    let begin = kernel.now();
    while value(kernel) != wanted {
        assert!(kernel.now() - begin < Duration::from_secs(30), "time {time}: it never became {wanted}");
        kernel.sleep(Duration::from_micros(100));
    }
}

/// Runs in the process that the test above starts and kills, and is no test of its own.
#[test]
fn hold_until_killed() {
    if std::env::var_os(HOLD).is_none() {
        return;
    }
    let host = Host::new();
    let before = value(&*host.kernel);
    let _held = host.kernel.hold_sysctl(NAME, 1 - before).unwrap();
    host.kernel.sleep(Duration::from_secs(60));
}
