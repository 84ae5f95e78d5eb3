//! Children that enter jails: `fork`, `jail_attach(2)`, and their work inside.

use std::time::Duration;

use jailwire_sys as sys;

use super::call::{Answer, Place, Reply};
use super::caller::{Caller, Privilege};
use super::world::{Process, SocketKind, World};
use crate::kernel::{Domain, Entry, Errno, Failure, Result, Sockets, Target};

impl World {
    /// Sends a child into a jail. The child has a pid of the simulation.
    ///
    /// Sockets that it opens inside belong to the caller afterwards, but hold the jail. A child that exceeds its
    /// deadline is killed, and a jail that only this child held is removed.
    pub fn enter(&mut self, caller: Caller, entry: &Entry, place: &Place, took: Duration) -> Reply {
        let jid = match &entry.target {
            Target::Existing(jid) => {
                self.attachable(caller, *jid, 0)?;
                *jid
            }
            Target::Descriptor(handle) => self.attachable_jd(*handle)?,
            Target::New(parameters) => {
                self.permit(caller, Privilege::Jail)?;
                self.set_jail(caller, parameters, sys::JAIL_CREATE | sys::JAIL_ATTACH, None, place)?
            }
        };
        let child = self.next_process;
        self.next_process += 1;
        self.processes.insert(child, Process { jid, owner: caller.owner(), zombie: false });
        self.tell_jail(jid, sys::NOTE_JAIL_ATTACH, child as i32);
        if matches!(entry.target, Target::Descriptor(_)) {
            // jail_set(2) was used, which is an event too.
            self.tell_jail(jid, sys::NOTE_JAIL_SET, 0);
        }
        let in_time = took < entry.deadline;
        let inside = Caller { jid, ..caller };
        let sockets = match entry.sockets && in_time {
            true => self.open_inside(inside).map(Some),
            false => Ok(None),
        };
        let sockets = match sockets {
            Ok(sockets) if in_time => sockets,
            failed => {
                self.reap(child);
                return Err(failed.err().unwrap_or(Errno::ETIMEDOUT.into()));
            }
        };
        let answers = entry.sysctls.iter().map(|sysctl| self.sysctl(inside, sysctl)).collect();
        let holder = entry.hold.then(|| self.add_handle(caller, SocketKind::Holder(child)));
        if !entry.hold {
            self.reap(child);
        }
        Ok(Answer::Entered { jid, sockets, answers, holder })
    }

    /// Opens the three sockets. If one fails, no socket is kept.
    fn open_inside(&mut self, inside: Caller) -> Result<Sockets> {
        let refused = |failure: Failure, family: &str| {
            // The same text as from the real child.
            Failure::with_text(failure.errno, format!("opening an {family} socket in the jail"))
        };
        let inet = self.socket(inside, Domain::Inet).map_err(|failure| refused(failure, "AF_INET"))?;
        let inet6 = self.socket(inside, Domain::Inet6).map_err(|failure| {
            self.close(inet.0);
            refused(failure, "AF_INET6")
        })?;
        let route = self.socket(inside, Domain::Route(0))?;
        Ok(Sockets { inet, inet6, route })
    }

    /// `kldload(2)`, unless the module is loaded already. Only modules of the base system exist.
    pub fn load_module(&mut self, caller: Caller, name: &str) -> Result<()> {
        if self.modules.iter().any(|module| module == name) || BUILT_IN.contains(&name) {
            return Ok(());
        }
        self.permit(caller, Privilege::Host)?;
        if !MODULES.contains(&name) {
            return Err(Errno::ENOENT.into());
        }
        if name == "if_bridge" && !self.modules.iter().any(|module| module == "bridgestp") {
            self.modules.push("bridgestp".to_owned());
        }
        self.modules.push(name.to_owned());
        Ok(())
    }
}

/// The modules that are built into GENERIC.
const BUILT_IN: [&str; 8] =
    ["if_lo", "if_vlan", "if_tuntap", "if_gif", "procfs", "pseudofs", "tmpfs", "devfs"];

/// The modules that can be loaded, for jails and their networks.
const MODULES: [&str; 28] = [
    "bridgestp",
    "if_bridge",
    "if_epair",
    "nullfs",
    "fdescfs",
    "linprocfs",
    "linsysfs",
    "linux",
    "linux64",
    "linux_common",
    "unionfs",
    "fusefs",
    "zfs",
    "pf",
    "ipfw",
    "ipfw_nat",
    "libalias",
    "carp",
    "ext2fs",
    "udf",
    "tarfs",
    "p9fs",
    "if_gre",
    "if_lagg",
    "if_vxlan",
    "if_wg",
    "vmm",
    "nmdm",
];
