//! Carrying out the plan.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jailwire::{Vnet, kernel};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use crate::Fallible;
use crate::accounts::programs::Accounting;
use crate::files::{self, BRIDGE, Jail, Kind, ROOT, ROUTER};
use crate::programs;

/// What the program says last of each jail that it has started.
const UP: &str = "Executing poststart OK";
/// The same measurements of the C program.
const C_UP: &str = "up";
/// Where the C program is put.
const C_PROGRAM: &str = "/var/tmp/jailwire-bench-command";

/// One way to start and stop jails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Program,
    Other,
    C,
    Iocage,
}

impl Variant {
    const ALL: [(&'static str, Variant); 4] = [
        ("jailwire", Variant::Program),
        ("other", Variant::Other),
        ("c", Variant::C),
        ("iocage", Variant::Iocage),
    ];

    fn program(self) -> Fallible<String> {
        Ok(match self {
            Variant::Other => {
                std::env::var("JAILWIRE_BENCH_OTHER").map_err(|_| "JAILWIRE_BENCH_OTHER is not set")?
            }
            Variant::C => C_PROGRAM.to_owned(),
            _ => env!("CARGO_BIN_EXE_jailwire").to_owned(),
        })
    }
}

struct Part {
    variants: Vec<(&'static str, Variant)>,
    kinds: Vec<Kind>,
    jails: Vec<usize>,
    rounds: usize,
}

fn find<T: Copy>(all: &[(&'static str, T)], word: &str) -> Fallible<(&'static str, T)> {
    all.iter().find(|(name, _)| *name == word).copied().ok_or_else(|| format!("what is {word}?").into())
}

fn plan() -> Fallible<Vec<Part>> {
    let text = std::env::var("JAILWIRE_BENCH_PLAN")
        .unwrap_or_else(|_| "jailwire,iocage/none,plain,seven,base,shared/1,10/1".to_owned());
    let mut parts = Vec::new();
    for word in text.split_whitespace() {
        let [variants, kinds, jails, rounds] = word.split('/').collect::<Vec<_>>()[..] else {
            return Err(format!("{word} is not VARIANTS/KINDS/JAILS/ROUNDS").into());
        };
        let list = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
        parts.push(Part {
            variants: list(variants).iter().map(|word| find(&Variant::ALL, word)).collect::<Fallible<_>>()?,
            kinds: list(kinds).iter().map(|word| Ok(find(&Kind::ALL, word)?.1)).collect::<Fallible<_>>()?,
            jails: list(jails).iter().map(|word| Ok(word.parse()?)).collect::<Fallible<_>>()?,
            rounds: rounds.parse()?,
        });
    }
    Ok(parts)
}

/// Measures what the plan asks for.
pub fn all() -> Fallible {
    let host = Vnet::host(kernel::here()?);
    let release = String::from_utf8_lossy(&host.sysctl("kern.osrelease")?).trim_end_matches('\0').to_owned();
    let words = format!("{release},{}", host.sysctl_int("kern.hz")?);
    println!(
        "command,kernel,hz,kind,variant,jails,round,start_us,stop_us,start_processes,stop_processes,memory_kb,first_us"
    );
    println!("up,kernel,hz,kind,variant,jails,round,tenth,us");
    println!("look,kernel,hz,kind,variant,jails,round,command,real_us,cpu_us");
    let c_program = jailwire_baseline::COMMAND.ok_or("the C program is for FreeBSD")?;
    fs::write(C_PROGRAM, c_program)?;
    fs::set_permissions(C_PROGRAM, fs::Permissions::from_mode(0o755))?;
    programs::make_datasets()?;
    attempt_bridge("create")?;
    programs::run(&["ifconfig", BRIDGE, "inet", &format!("{ROUTER}/16"), "up"])?;
    let measured = plan()?.iter().try_for_each(|part| part.measure(&words));
    attempt_bridge("destroy")?;
    files::remove()?;
    fs::remove_file(C_PROGRAM)?;
    measured
}

fn attempt_bridge(what: &str) -> Fallible {
    programs::run(&["ifconfig", BRIDGE, what]).map(drop)
}

impl Part {
    fn measure(&self, words: &str) -> Fallible {
        for kind in &self.kinds {
            for count in &self.jails {
                let jails = files::write(*kind, *count)?;
                for round in 1..=self.rounds {
                    let mut variants = self.variants.clone();
                    // Each comes first once, and last.
                    let first = (round - 1) % variants.len().max(1);
                    variants.rotate_left(first);
                    for (name, variant) in variants {
                        let words = format!("{words},{},{name},{count},{round}", kind.name());
                        measure_one(variant, *kind, &jails, &words)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn measure_one(variant: Variant, kind: Kind, jails: &[Jail], words: &str) -> Fallible {
    let which = match jails {
        [jail] => jail.name.as_str(),
        _ => "ALL",
    };
    let count = jails.len().to_string();
    let command = |what: &str| -> Fallible<Command> {
        let mut command = Command::new(variant.program()?);
        match variant {
            Variant::C => command.args([what, kind.name(), &count]),
            _ => command.args(["--root", ROOT, what, which]),
        };
        Ok(command)
    };
    let word = if variant == Variant::C { C_UP } else { UP };
    let mut memory = 0;
    let mut up = Vec::new();
    let accounting = Accounting::begin()?;
    let begin = Instant::now();
    match variant {
        Variant::Iocage => programs::start(jails, || up.push(begin.elapsed()))?,
        _ => memory = listen(command("start")?, word, || up.push(begin.elapsed()))?,
    }
    let start = begin.elapsed();
    let started = accounting.ended()?.len();
    drop(accounting);
    if matches!(variant, Variant::Program | Variant::Other) {
        for look in ["list", "get"] {
            let (real, cpu) = look_at(&variant.program()?, look, &jails[0].name)?;
            println!("look,{words},{look},{},{}", real.as_micros(), cpu.as_micros());
        }
    }
    let accounting = Accounting::begin()?;
    let begin = Instant::now();
    match variant {
        Variant::Iocage => programs::stop(jails)?,
        _ => memory = memory.max(listen(command("stop")?, word, || ())?),
    }
    let stop = begin.elapsed();
    let stopped = accounting.ended()?.len();
    drop(accounting);
    if up.len() != jails.len() {
        return Err(format!("{} of {} jails were started", up.len(), jails.len()).into());
    }
    let each = |took: Duration| took.as_micros() / jails.len() as u128;
    println!(
        "command,{words},{},{},{started},{stopped},{memory},{}",
        each(start),
        each(stop),
        up.first().map_or(0, Duration::as_micros)
    );
    if up.len() >= 10 {
        for tenth in 1..=10 {
            println!("up,{words},{tenth},{}", up[up.len() * tenth / 10 - 1].as_micros());
        }
    }
    Ok(())
}

/// Runs a program, and tells of each jail that is up when the program says so. Returns the most memory that the program
/// has had, in KiB, as the kernel counts it while the program runs.
fn listen(mut command: Command, word: &str, mut up: impl FnMut()) -> Fallible<i64> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let said = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let errors = child.stderr.take().ok_or("no standard error")?;
    let errors = std::thread::spawn(move || std::io::read_to_string(errors));
    let mut memory = 0;
    for line in said.lines() {
        let line = line?;
        if line.contains(word) {
            up();
        }
        if let Some(kilobytes) = line.strip_prefix("memory ") {
            memory = kilobytes.parse()?;
        }
    }
    let (status, most) = wait(&child)?;
    if memory == 0 {
        memory = most;
    }
    let errors = errors.join().map_err(|_| "standard error was not read")??;
    if status == 0 { Ok(memory) } else { Err(format!("{command:?} ended with {status}: {errors}").into()) }
}

/// Waits for a child as [`wait4(2)`](https://man.freebsd.org/wait4(2)) does. Returns the child's status and the most memory
/// that it has had, in KiB.
fn wait(child: &std::process::Child) -> Fallible<(i32, i64)> {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: wait4(2) writes the status and the usage, and the child was not waited for yet.
    let usage = unsafe {
        if libc::wait4(child.id() as i32, &raw mut status, 0, usage.as_mut_ptr()) < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        usage.assume_init()
    };
    Ok((status, usage.ru_maxrss))
}

/// Runs a command that only looks. Returns how long it took, and the CPU time of it.
fn look_at(program: &str, command: &str, jail: &str) -> Fallible<(Duration, Duration)> {
    let words: &[&str] = match command {
        "get" => &["get", "state", jail],
        other => &[other],
    };
    let cpu = || -> Fallible<Duration> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let micros = [usage.user_time(), usage.system_time()].map(|time| time.num_microseconds());
        Ok(Duration::from_micros(u64::try_from(micros.iter().sum::<i64>())?))
    };
    let (begin, before) = (Instant::now(), cpu()?);
    let status = Command::new(program)
        .args(["--root", ROOT])
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("{words:?}: {status}").into());
    }
    Ok((begin.elapsed(), cpu()? - before))
}
