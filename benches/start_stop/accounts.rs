//! Counters of the kernel: started processes, programs that were run, and wired memory.

use jailwire::Vnet;

/// The kernel's counters at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The processes that were started since boot, by fork(2), vfork(2), rfork(2) and pdfork(2).
    pub processes: i64,
    /// The kernel's wired memory, in KiB.
    pub wired_kb: i64,
}

impl Reading {
    /// Reads the counters. A missing counter is zero.
    pub fn take(host: &Vnet) -> Reading {
        let number = |name: &str| host.sysctl_int(name).map_or(0, i64::from);
        let forks = ["v_forks", "v_vforks", "v_rforks"].map(|name| number(&format!("vm.stats.vm.{name}")));
        let page = number("hw.pagesize") / 1024;
        Reading { processes: forks.into_iter().sum(), wired_kb: number("vm.stats.vm.v_wire_count") * page }
    }
}

/// The most memory that this process has had, in KiB.
pub fn own_memory() -> i64 {
    use nix::sys::resource::{UsageWho, getrusage};
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss())
}

/// The kernel's process accounting, acct(2).
#[cfg(target_os = "freebsd")]
pub mod programs {
    use std::fs;
    use std::path::PathBuf;

    use nix::unistd::acct;

    use crate::Fallible;

    /// The offsets of acct(5) records, version 3, from `sys/acct.h`.
    const LENGTH_AT: usize = 2;
    const NAME_AT: usize = 4;
    const NAME_LENGTH: usize = 16;
    /// After the second length, at the next word.
    const FLAGS_AT: usize = 72;
    /// The process was forked and never ran a program.
    const AFORK: u8 = 0x01;

    /// A process that has ended.
    #[derive(Debug)]
    pub struct Ended {
        /// The program's name, or the parent's name if the process ran no program.
        pub name: String,
        /// Whether the process ran a program.
        pub ran: bool,
    }

    /// Switches accounting on until it is dropped.
    pub struct Accounting(PathBuf);

    impl Accounting {
        pub fn begin() -> Fallible<Accounting> {
            let path = std::env::temp_dir().join(format!("jailwire-accounting.{}", std::process::id()));
            fs::write(&path, "")?;
            acct::enable(&path)?;
            Ok(Accounting(path))
        }

        /// The processes that have ended since then.
        pub fn ended(&self) -> Fallible<Vec<Ended>> {
            let bytes = fs::read(&self.0)?;
            let mut ended = Vec::new();
            let mut rest = &bytes[..];
            while let Some(length) = rest.get(LENGTH_AT..NAME_AT) {
                let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
                let record = rest.get(..length).filter(|record| record.len() > FLAGS_AT);
                let record = record.ok_or("a record of acct(5) is cut short")?;
                let name = record[NAME_AT..NAME_AT + NAME_LENGTH].split(|byte| *byte == 0).next();
                let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
                // Skip the kernel's process that checks for free space (kern/kern_acct.c:acct_thread), which
                // belongs to the accounting before.
                if name != "accounting" {
                    ended.push(Ended { name, ran: record[FLAGS_AT] & AFORK == 0 });
                }
                rest = &rest[length..];
            }
            Ok(ended)
        }
    }

    impl Drop for Accounting {
        fn drop(&mut self) {
            let _ = acct::disable();
            let _ = fs::remove_file(&self.0);
        }
    }
}
