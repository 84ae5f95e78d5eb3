//! `stop`.

use std::fs;
use std::path::{Path, PathBuf};

use super::datasets::datasets_of_fstab;
use super::stale::{self, rulesets_of_others};
use super::{Host, Report, errors, owned_file};
use crate::error::{Error, ErrorKind};
use crate::iocage::config::JailConfig;
use crate::iocage::jailconf::JailConf;
use crate::iocage::name::JailName;
use crate::iocage::store::Entry;
use crate::iocage::zfs;
use crate::jail::{self, mount};
use crate::kernel::Mounted;
use crate::types::{InterfaceName, Jid};
use crate::wiring::{Claim, HostEnd, Journal, Owned, Standing};

/// How a stop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The jail was running, and was stopped.
    Stopped,
    /// The jail was not running.
    WasDown,
    /// The jail was not running, and what an earlier start had left was removed.
    Cleared,
}

/// A jail that is being stopped. Until this is dropped, no other command starts or stops the jail.
#[derive(Debug)]
pub struct Stopping {
    entry: Entry,
    config: Option<JailConfig>,
    running: bool,
    ended: Option<Stopped>,
    claim: Claim,
}

impl Host<'_> {
    /// The first part of a stop: the commands of the jail that is to go.
    ///
    /// # Errors
    ///
    /// As [`Host::stop`].
    pub fn begin_stop(&self, entry: &Entry, force: bool, report: &mut dyn Report) -> Result<Stopping, Error> {
        let name = &entry.name;
        let mut claim = self.claim(name, report)?;
        let (running, is_iocages) = self.to_be_stopped(entry, claim.standing(), claim.journal())?;
        // A jail without a directory has no files.
        if entry.directory.is_dir() {
            self.finish_writing(entry, report);
        }
        if let Err(error) = self.clear_attaching(name, &claim) {
            report.warn(&error.to_string());
        }
        let mut config = None;
        if let Some(jid) = running {
            report.say(&format!("* Stopping {}", name.flat()));
            // If the configuration cannot be read, the jail is removed all the same.
            match self.trusted_config(entry) {
                Ok(resolved) => {
                    if !force && (is_iocages || claim.journal().is_complete()) {
                        self.stop_commands(&resolved, jid, report)?;
                    }
                    self.end_processes(&resolved, jid);
                    config = Some(resolved);
                }
                Err(_) if force => {}
                Err(error) => report.warn(&format!("{name}: its commands are not run: {error}")),
            }
            if is_iocages {
                let owned = self.found(entry, jid).map_err(errors::of(name))?;
                claim.adopt(&self.site(), jid, owned).map_err(errors::of(name))?;
            }
        }
        Ok(Stopping { entry: entry.clone(), config, running: running.is_some(), ended: None, claim })
    }

    /// Returns the jail that a stop removes, if the jail is up, and whether iocage has started it. A foreign jail
    /// is refused.
    pub(super) fn to_be_stopped(
        &self,
        entry: &Entry,
        standing: Standing,
        journal: &Journal,
    ) -> Result<(Option<Jid>, bool), Error> {
        match standing {
            Standing::Foreign(jid) if self.is_iocages(entry, jid, journal)? => Ok((Some(jid), true)),
            Standing::Foreign(jid) => Err(errors::foreign(&entry.name, jid)),
            other => Ok((other.alive(), false)),
        }
    }

    /// The second part of a stop: removes the jail and its network.
    ///
    /// # Errors
    ///
    /// As [`Host::stop`].
    pub fn unwire(&self, stopping: &mut Stopping, report: &mut dyn Report) -> Result<(), Error> {
        let Stopping { entry, claim, .. } = stopping;
        stopping.ended = Some(match stopping.running {
            true => {
                let owned = claim.journal().owned().to_vec();
                let undone = self.clear(&entry.name, claim);
                tell(&owned, undone.as_ref().err(), report);
                undone?;
                Stopped::Stopped
            }
            false => self.stop_what_is_left(entry, claim, report)?,
        });
        Ok(())
    }

    /// The last part of a stop: runs `exec_poststop`.
    pub fn finish_stop(&self, stopping: Stopping, report: &mut dyn Report) -> Stopped {
        let Stopping { entry, config, ended, .. } = stopping;
        if let (Some(config), Some(Stopped::Stopped)) = (&config, ended) {
            match self.run_hook(&entry.name, "exec_poststop", &config.commands.poststop, None) {
                Ok(()) => report.say("  + Executing poststop OK"),
                // The jail is gone already, so a failed command is only a warning.
                Err(error) => report.warn(&error.to_string()),
            }
            self.remove_if_empty(&config.services_log);
        }
        ended.unwrap_or(Stopped::WasDown)
    }

    /// Removes an empty log.
    fn remove_if_empty(&self, log: &Path) {
        if fs::symlink_metadata(log).is_ok_and(|log| log.is_file() && log.len() == 0) {
            // Ignore an error: an empty log does no harm.
            let _ = self.files.remove_file_if_present(log);
        }
    }

    /// Removes what is left of a jail that is not running.
    fn stop_what_is_left(
        &self,
        entry: &Entry,
        claim: &mut Claim,
        report: &mut dyn Report,
    ) -> Result<Stopped, Error> {
        let name = &entry.name;
        if claim.standing() == Standing::Absent {
            // A killed stop may have removed the jail only. The journal may also be of another boot.
            self.clear(name, claim)?;
            report.warn(&format!("{} is not running!", name.flat()));
            return Ok(Stopped::WasDown);
        }
        if self.is_stale(&name.kernel_name(), claim.standing(), claim.journal()) {
            self.clear_up(name, claim)?;
            report.warn(&format!("{} is not running!", name.flat()));
            return Ok(Stopped::WasDown);
        }
        report.say(&format!("* Clearing up after {}", name.flat()));
        self.clear_up(name, claim)?;
        Ok(Stopped::Cleared)
    }

    /// Undoes what is in the journal of a jail that does not run. Another tool may have stopped the jail, and
    /// iocage may have given the number of its devfs ruleset to another jail.
    pub(super) fn clear_up(&self, name: &JailName, claim: &mut Claim) -> Result<(), Error> {
        let ours = claim.standing().alive();
        let rulesets = rulesets_of_others(&**self.kernel(), ours).map_err(errors::of(name))?;
        self.forget_others(claim, &rulesets).map_err(errors::of(name))?;
        self.clear(name, claim)
    }

    /// Removes from a journal what belongs to others: rulesets that other jails use, and file systems that ZFS has
    /// mounted.
    pub(super) fn forget_others(&self, claim: &mut Claim, rulesets: &[u16]) -> crate::Result<()> {
        let jail = claim.name().to_owned();
        let is_anothers = |owned: &Owned| {
            matches!(owned, Owned::Ruleset(number) if rulesets.contains(number))
                || stale::is_zfs_own(self.store, &jail, owned)
        };
        claim.forget(&self.site(), |owned| !is_anothers(owned))
    }

    /// Runs the commands of a stop that come before anything is removed.
    fn stop_commands(&self, config: &JailConfig, jid: Jid, report: &mut dyn Report) -> Result<(), Error> {
        self.run_hook(&config.name, "exec_prestop", &config.commands.prestop, Some(jid))?;
        report.say("  + Executing prestop OK");
        self.run_inside(config, "exec_stop", config.commands.stop.words(), jid, &config.services_log)?;
        report.say("  + Stopping services OK");
        Ok(())
    }

    /// Finds what belongs to a running jail, in the order in which it was made, whichever program started the jail.
    pub(super) fn found(&self, entry: &Entry, jid: Jid) -> Result<Vec<Owned>, Error> {
        let name = &entry.name;
        let kernel = &**self.kernel();
        let conf = self.conf_path(name);
        let known = JailConf::read(&std::fs::read_to_string(&conf).unwrap_or_default());
        let mut found = Vec::new();
        let ruleset = jail::read_int(kernel, jid, "devfs_ruleset")?.unwrap_or_default();
        // Lower numbers are shared rulesets: /etc/defaults/devfs.rules has 1 to 5.
        if let Ok(number @ 1000..) = u16::try_from(ruleset) {
            found.push(Owned::Ruleset(number));
        }
        // The list has the newest mount first. The journal needs the oldest first.
        let root = entry.root();
        let of_fstab = datasets_of_fstab(entry, &root);
        let mounts = mount::beneath(kernel, &root)?.into_iter().rev();
        for mounted in mounts.filter(|mounted| is_of_a_start(mounted, &root, &of_fstab)) {
            found.push(Owned::Mount { fstype: mounted.fstype, on: mounted.on });
        }
        // Addresses without an interface existed before the start.
        for one in known.ip4_addresses() {
            found.extend(one.interface.map(|interface| Owned::Alias4(interface, one.address.network(32))));
        }
        for one in known.ip6_addresses() {
            found.extend(one.interface.map(|interface| Owned::Alias6(interface, one.address.network(128))));
        }
        found.push(Owned::Jail(name.kernel_name()));
        found.extend(self.epairs_of(entry, jid)?.into_iter().map(Owned::Epair));
        if conf.exists() {
            found.push(owned_file(conf));
        }
        Ok(found)
    }

    /// Finds the host's ends of a jail's epairs, by their names and iocage's descriptions.
    fn epairs_of(&self, entry: &Entry, jid: Jid) -> Result<Vec<InterfaceName>, Error> {
        let suffix = format!(".{jid}");
        let mut epairs = Vec::new();
        for interface in self.vnet.interfaces()? {
            let name = interface.name;
            let Some(nic) = name.as_str().strip_suffix(&suffix) else { continue };
            let is_its = |end: HostEnd| end.jail == entry.name.flat();
            if nic.starts_with("vnet") && HostEnd::read(&self.vnet, name)?.is_some_and(is_its) {
                epairs.push(name);
            }
        }
        Ok(epairs)
    }
}

/// Whether a start has mounted a file system. The jail's root was mounted before the start. A ZFS dataset inside
/// the root is mounted by ZFS, unless the jail's fstab has it.
fn is_of_a_start(mounted: &Mounted, root: &Path, of_fstab: &[PathBuf]) -> bool {
    mounted.on != root && (mounted.fstype != zfs::FSTYPE || of_fstab.contains(&mounted.on))
}

/// Reports what was removed, in iocage's form, and what remains.
fn tell(owned: &[Owned], error: Option<&Error>, report: &mut dyn Report) {
    let how = |one: &Owned| match error {
        None => "OK",
        Some(error)
            if error.kind() == ErrorKind::Owed && !error.owed().iter().any(|(failed, _)| failed == one) =>
        {
            "OK"
        }
        Some(_) => "FAILED",
    };
    let nics: Vec<_> =
        owned.iter().filter(|one| matches!(one, Owned::Epair(_) | Owned::Lent(_))).map(how).collect();
    if !nics.is_empty() {
        let how = if nics.contains(&"FAILED") { "FAILED" } else { "OK" };
        report.say(&format!("  + Tearing down VNET {how}"));
    }
    for one in owned {
        if let Owned::Ruleset(number) = one {
            report.say(&format!("  + Removing devfs_ruleset: {number} {}", how(one)));
        }
    }
    for one in owned.iter().filter(|one| matches!(one, Owned::Jail(_))) {
        report.say(&format!("  + Removing jail process {}", how(one)));
    }
}
