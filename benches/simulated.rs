//! The cost of the simulated kernel for the program. `jailwire start ALL` and `stop ALL` start and stop N VNET
//! jails, each with the mounts of an iocage jail, with the state of the simulated kernel on disk. Then one jail is
//! started and stopped a thousand times, and `list` is timed before and after.
//!
//! It prints CSV: wall-clock seconds, processor seconds, and a ratio. The ratio of a start or stop compares the processor
//! seconds per jail with those of the smallest number of jails: 1 means that the cost is linear. The ratio of `list`
//! compares with `list` after one start and stop.
//!
//!     JAILWIRE_BENCH_JAILS=100,1000,10000 JAILWIRE_BENCH_TURNS=1000 cargo bench --bench simulated

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// An error ends the benchmark.
type Fallible<T = ()> = Result<T, Box<dyn Error>>;

/// `list` ends soon. So it is run several times, and the times are added up.
const LISTS: usize = 20;

fn main() -> Fallible {
    let number = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    println!("jails,command,seconds,processor_seconds,ratio");
    let mut first = HashMap::new();
    for count in number("JAILWIRE_BENCH_JAILS", "100,1000,10000").split(',') {
        let count: usize = count.trim().parse()?;
        let directory = tempfile::tempdir()?;
        (0..count).try_for_each(|jail| make_jail(directory.path(), jail))?;
        for command in ["start", "stop"] {
            let (wall, processor) = run(directory.path(), &[command, "ALL"])?;
            let per_jail = processor.as_secs_f64() / count as f64;
            let ratio = per_jail / *first.entry(command).or_insert(per_jail);
            print(count, command, (wall, processor), ratio);
        }
    }
    let turns: usize = number("JAILWIRE_BENCH_TURNS", "1000").parse()?;
    let directory = tempfile::tempdir()?;
    make_jail(directory.path(), 0)?;
    let mut first = None;
    for turn in 0..turns {
        run(directory.path(), &["start", "j0"])?;
        run(directory.path(), &["stop", "j0"])?;
        if turn == 0 || turn + 1 == turns {
            let mut sum = (Duration::ZERO, Duration::ZERO);
            for _ in 0..LISTS {
                let (wall, processor) = run(directory.path(), &["list"])?;
                sum = (sum.0 + wall, sum.1 + processor);
            }
            let processor = sum.1.as_secs_f64();
            let after = format!("{LISTS} lists after {} starts and stops", turn + 1);
            print(1, &after, sum, processor / *first.get_or_insert(processor));
        }
    }
    Ok(())
}

fn print(jails: usize, command: &str, (wall, processor): (Duration, Duration), ratio: f64) {
    let (wall, processor) = (wall.as_secs_f64(), processor.as_secs_f64());
    println!("{jails},{command},{wall:.3},{processor:.3},{ratio:.2}");
}

/// Makes a jail as iocage does: with devfs, fdescfs, procfs and an fstab.
fn make_jail(root: &Path, number: usize) -> Fallible {
    let jail = root.join("jails").join(format!("j{number}"));
    for directory in ["root/dev", "root/proc"] {
        fs::create_dir_all(jail.join(directory))?;
    }
    let (high, low) = (number >> 8, number & 255);
    // Of thousands of MAC addresses that are chosen at random, two would often be equal.
    let (host, inside) = (2 * number, 2 * number + 1);
    let config = format!(
        r#"{{"host_hostuuid": "j{number}", "release": "15.1-RELEASE", "vnet": 1, "interfaces": "vnet0:bridge0",
            "ip4_addr": "vnet0|10.{high}.{low}.2/8", "defaultrouter": "10.255.255.1", "mount_fdescfs": 1,
            "mount_procfs": 1, "vnet0_mac": "02ff60{host:06x} 02ff60{inside:06x}"}}"#
    );
    fs::write(jail.join("config.json"), config)?;
    fs::write(jail.join("fstab"), "")?;
    Ok(())
}

/// Runs the program. Returns the wall-clock time, and the processor time.
fn run(root: &Path, words: &[&str]) -> Fallible<(Duration, Duration)> {
    let (used, begun) = (processor_time()?, Instant::now());
    let mut command = Command::new(env!("CARGO_BIN_EXE_jailwire"));
    command.arg("--root").arg(root).args(["--kernel", "sim"]).args(words);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !status.success() {
        return Err(format!("{words:?}: {status}").into());
    }
    Ok((begun.elapsed(), processor_time()? - used))
}

/// The processor time of all children.
fn processor_time() -> Fallible<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let all = usage.user_time() + usage.system_time();
    Ok(Duration::from_micros(u64::try_from(all.num_microseconds())?))
}
