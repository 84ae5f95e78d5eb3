//! The measurement.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jailwire::Vnet;
use jailwire::kernel::{self, Kernel, Proxy, Seen, Watch};
use jailwire::wiring::Wiring;
use jailwire::wiring::nat::{Backend, JailNat};

use crate::library::Change;

type Fallible<T = ()> = Result<T, Box<dyn Error>>;

/// The number of changes in one turn, and the number of turns.
const CHANGES: u32 = 50;
const TURNS: usize = 101;
/// The environment variable that makes the program make one change, with this packet filter.
const ONE: &str = "JAILWIRE_BENCH_CHANGE";

pub fn main() -> Fallible {
    let kernel = kernel::here()?;
    let change = Change::new()?;
    if let Ok(word) = std::env::var(ONE) {
        return Ok(by(word.parse()?, &change, &kernel)?);
    }
    let directory = tempfile::tempdir()?;
    let program = directory.path().join("change");
    fs::write(&program, jailwire_baseline::CHANGE.ok_or("the C program is for FreeBSD")?)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    prepare()?;
    println!("table,packet_filter,turns,changes,c_us,library_us,ratio,median_of_ratios,calls,processes");
    for backend in [Backend::Pf, Backend::Ipfw] {
        let calls = compare(directory.path(), &program, backend)?;
        let (mut of_c, mut of_library, mut processes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..TURNS {
            let output = Command::new(&program).args([backend.to_string(), CHANGES.to_string()]).output()?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let took = said.trim().strip_prefix("change ").and_then(|number| number.parse::<u64>().ok());
            let took = took.ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
            of_c.push(Duration::from_micros(took));
            let before = forks();
            let begin = Instant::now();
            for _ in 0..CHANGES {
                by(backend, &change, &kernel)?;
            }
            of_library.push(begin.elapsed());
            processes += forks() - before;
        }
        let each = |took: Duration| took.as_secs_f64() * 1e6 / f64::from(CHANGES);
        let ratios = of_library.iter().zip(&of_c).map(|(library, c)| each(*library) / each(*c)).collect();
        let (c, library) = (quarter(of_c), quarter(of_library));
        println!(
            "change,{backend},{TURNS},{CHANGES},{:.1},{:.1},{:.3},{:.3},{calls},{processes}",
            each(c),
            each(library),
            each(library) / each(c),
            median(ratios),
        );
    }
    whole()
}

/// The first quartile: other processes on the machine slow single turns down.
fn quarter(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 4]
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn by(backend: Backend, change: &Change, kernel: &Arc<dyn Kernel>) -> jailwire::Result<()> {
    if backend == Backend::Pf { change.by_pf(kernel) } else { change.by_ipfw(kernel) }
}

fn sh(words: &str) -> Fallible {
    let output = Command::new("/bin/sh").args(["-c", words]).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{words}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Prepares a host with a default route, forwarding, and both packet filters.
fn prepare() -> Fallible {
    sh("kldload -n if_epair pf ipfw ipfw_nat")?;
    sh("sysctl net.inet.ip.forwarding=1 net.inet.ip.fw.enable=1 net.inet.ip.fw.one_pass=0")?;
    sh("ifconfig epair97 create; ifconfig epair97a inet 203.0.113.1/24 up; ifconfig epair97b up")?;
    sh("route -q add default 203.0.113.9")?;
    // Put /var/run in memory, so that the disk is not measured.
    sh("mount -t tmpfs tmpfs /var/run")?;
    sh(
        "printf 'nat-anchor \"jailwire/*\"\\nrdr-anchor \"jailwire/*\"\\nanchor \"jailwire/*\"\\npass\\n' | pfctl -q -f -",
    )?;
    sh("pfctl -q -e")
}

/// The number of processes that were started on the machine.
fn forks() -> i64 {
    let host = kernel::here().map(Vnet::host);
    let number =
        |name: &str| host.as_ref().ok().and_then(|host| host.sysctl_int(&format!("vm.stats.vm.{name}")).ok());
    ["v_forks", "v_vforks", "v_rforks"].iter().filter_map(|name| number(name)).map(i64::from).sum()
}

/// Runs one change of both programs under ktrace(1). Returns the number of calls, which must be the same. A
/// difference is an error.
fn compare(directory: &Path, program: &Path, backend: Backend) -> Fallible<usize> {
    let trace = directory.join("trace");
    let mut c = Command::new("ktrace");
    c.args(["-t", "c", "-f"]).arg(&trace).arg(program).args([&backend.to_string(), "1"]);
    let mut library = Command::new("ktrace");
    library.args(["-t", "c", "-f"]).arg(&trace).arg(std::env::current_exe()?).env(ONE, backend.to_string());
    let (c, library) = (traced(c, &trace)?, traced(library, &trace)?);
    match c == library {
        true => Ok(c.len()),
        false => Err(format!(
            "{backend}: C asked\n  {}\nand the library\n  {}",
            c.join("\n  "),
            library.join("\n  ")
        )
        .into()),
    }
}

/// A program's calls about packet filters, without descriptors and addresses.
fn traced(mut command: Command, trace: &Path) -> Fallible<Vec<String>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let dump = Command::new("kdump").arg("-f").arg(trace).output()?;
    let dump = String::from_utf8_lossy(&dump.stdout).into_owned();
    let calls = dump.lines().filter_map(|line| line.split_once(" CALL  ").map(|(_, call)| call));
    let filter = |call: &&str| {
        ["ioctl(", "getsockopt(", "setsockopt(", "socket("].iter().any(|name| call.starts_with(name))
    };
    // A request on a device is shown by its name, and a message to ipfw as a message.
    let shown = |call: &str| {
        let mut words = call.trim_end_matches(')').split(['(', ',']);
        let (name, _descriptor, what) = (words.next(), words.next(), words.next());
        format!("{} {}", name.unwrap_or_default(), what.unwrap_or_default())
    };
    // Requests on the program's own terminal are left out.
    let ours = |call: &String| !call.contains("TIOC");
    Ok(calls.filter(filter).map(shown).filter(ours).collect())
}

/// The time of the kernel.
#[derive(Debug, Default)]
struct InKernel(AtomicU64, AtomicU64);

impl Watch for InKernel {
    fn seen(&self, seen: Seen) {
        self.0.fetch_add(seen.took.as_nanos() as u64, Ordering::Relaxed);
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// Adds and removes a jail's NAT and a published port, with all checks of the library. Measures the whole time, and
/// the kernel's share of it.
fn whole() -> Fallible {
    println!("table,packet_filter,changes,all_us,kernel_us,ratio,calls,processes");
    for backend in [Backend::Pf, Backend::Ipfw] {
        let kernel = Arc::new(Proxy::new(kernel::here()?, InKernel::default()));
        let wiring = Wiring::on(kernel.clone())?;
        let jail = JailNat::new("bench", [[10, 93, 0, 99].into()]).by(backend).nat();
        let jail = jail.publish("7999:80".parse()?);
        let before = forks();
        let begin = Instant::now();
        for _ in 0..CHANGES {
            wiring.publish(&jail)?;
            wiring.unpublish("bench")?;
        }
        let all = begin.elapsed().as_secs_f64() * 1e6 / f64::from(CHANGES);
        let processes = forks() - before;
        let within = kernel.watch.0.load(Ordering::Relaxed) as f64 / 1e3 / f64::from(CHANGES);
        let calls = kernel.watch.1.load(Ordering::Relaxed) / u64::from(CHANGES);
        println!("whole,{backend},{CHANGES},{all:.1},{within:.1},{:.3},{calls},{processes}", all / within);
    }
    Ok(())
}
