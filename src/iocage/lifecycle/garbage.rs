//! `gc`: things that were made for jails, and that no jail owns any more.
//!
//! A journal, which only root can write, proves that something was made for a jail. For an epair its name, its
//! description and its cloner together prove it. Without a proof the thing is reported, and not removed.

use std::fmt;
use std::path::PathBuf;

use super::preview::{Preview, undoing};
use super::stale::{is_past_of_running, is_zfs_own, rulesets_of_others};
use super::{Host, Report};
use crate::error::{Error, OptionalExtension};
use crate::iocage::store::Store;
use crate::iocage::zfs;
use crate::jail::devfs::Devfs;
use crate::jail::mount;
use crate::jail::{self, JailInfo};
use crate::kernel::Kernel;
use crate::packet_filter::Anchor;
use crate::types::{InterfaceName, Jid};
use crate::wiring::nat::{self, Backend, Published};
use crate::wiring::{self, Claim, HostEnd, Journal, Lent, Owed, Owned, PendingMove, Standing};

/// The first number of devfs rulesets of iocage and of this library.
const FIRST_RULESET: u16 = 1000;

/// Something that no jail owns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Garbage {
    /// The journal of a jail that does not run.
    Journal {
        /// The kernel's name for the jail.
        jail: String,
        /// The things in the journal. The list is empty if a restart of the machine has cleared all of them.
        owned: Vec<Owned>,
    },
    /// The journal of an attachment to a jail whose process was killed. The jail may run or not.
    Attaching {
        /// The kernel's name for the jail.
        jail: String,
        /// The things in the journal.
        owned: Vec<Owned>,
    },
    /// The host's end of an epair, of a jail that is gone.
    Epair {
        /// The name of the host's end.
        name: InterfaceName,
        /// The jail's name in the epair's description.
        jail: String,
    },
    /// NAT and published ports of a jail that is gone.
    Published {
        /// The jail's name in its rules.
        jail: String,
        /// The anchor of the rules, or the jail's name in rules of ipfw.
        anchor: Anchor,
        /// The packet filter that has the rules.
        backend: Backend,
    },
    /// A bridge or another shared thing that was made for jails, and that no jail needs any more.
    Shared(Owned),
    /// A lent interface that came back by itself when its jail ended, and lacks its settings.
    Returned {
        /// Its name on the host now.
        now: InterfaceName,
        /// The record of the loan.
        lent: Box<Lent>,
    },
}

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Garbage::Journal { jail, owned } => write!(f, "{jail}: {}", list(owned)),
            Garbage::Attaching { jail, owned } => {
                write!(f, "{jail}: {}, attached in part", list(owned))
            }
            Garbage::Epair { name, jail } => write!(f, "ioc-{jail}: interface {name}"),
            Garbage::Published { jail, anchor, backend: Backend::Pf } => {
                write!(f, "{jail}: anchor {anchor} of pf")
            }
            Garbage::Published { jail, backend: Backend::Ipfw, .. } => write!(f, "{jail}: rules of ipfw"),
            Garbage::Shared(owned) => write!(f, "{owned}"),
            Garbage::Returned { now, lent } if *now == lent.name => {
                write!(f, "{now} as it was before it was lent")
            }
            Garbage::Returned { now, lent } => {
                write!(f, "{now} as {}, as it was before it was lent", lent.name)
            }
        }
    }
}

fn list(owned: &[Owned]) -> String {
    let owned: Vec<_> = owned.iter().map(ToString::to_string).collect();
    if owned.is_empty() { "a journal".to_owned() } else { owned.join(", ") }
}

impl Garbage {
    /// Returns what `gc` does with it, in one or two words.
    pub fn verb(&self) -> &'static str {
        match self {
            Garbage::Returned { .. } => "put back",
            _ => "removed",
        }
    }

    /// Returns the steps of its removal, in order.
    pub fn preview(&self) -> Preview {
        let mut preview = Preview::default();
        match self {
            Garbage::Journal { jail, owned } | Garbage::Attaching { jail, owned } => {
                for owned in wiring::undo_order(owned) {
                    preview.add(format!("take away {owned}"), undoing(owned));
                }
                preview.add(format!("remove the journal of {jail}"), &["unlink"]);
            }
            Garbage::Epair { name, .. } => preview.add(format!("destroy {name}"), &["SIOCIFDESTROY"]),
            Garbage::Published { anchor, jail, backend } => {
                let words = match backend {
                    Backend::Pf => format!("remove anchor {anchor}"),
                    Backend::Ipfw => format!("remove the rules of {jail} from ipfw"),
                };
                preview.add(words, undoing(&Owned::Published(jail.clone(), *backend)));
            }
            Garbage::Shared(owned) => preview.add(format!("take away {owned}"), undoing(owned)),
            Garbage::Returned { now, lent } => {
                if *now != lent.name {
                    preview.add(format!("name {now} {}", lent.name), &["SIOCSIFNAME"]);
                }
                for prior in lent.prior.iter().rev() {
                    preview.add(format!("put back: {prior}"), prior.requests());
                }
            }
        }
        preview
    }
}

/// The things that were left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The things that can be removed.
    pub garbage: Vec<Garbage>,
    /// Things that may have been left behind, and that cannot be proven to be jailwire's.
    pub doubtful: Vec<String>,
}

impl Host<'_> {
    /// Finds things that no jail owns. Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of looking at the kernel, and of reading journals.
    pub fn garbage(&self) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut journals = self.journals(self.state.journals()?)?;
        for (jail, _) in &journals {
            let (standing, journal) = Standing::look(&self.site(), jail)?;
            // Skip a jail that a process works on, or that a process has stopped meanwhile.
            if self.state.is_locked(jail) || !journal.path().exists() {
                continue;
            }
            let owned = self.of_jail_alone(jail, &journal);
            match standing {
                // Another tool has stopped the jail, and started it again.
                Standing::Foreign(jid) if self.is_past_of(jail, jid, &owned) => {}
                Standing::Foreign(jid) => found.doubtful.push(format!(
                    "{} of jail {jail}, which is gone: a jail of that name that was not started here runs with jid {jid}, and may use it",
                    list(&owned)
                )),
                standing if self.is_up_under(jail, standing)? => {}
                standing if self.is_stale(jail, standing, &journal) => {}
                _ => found.garbage.push(Garbage::Journal { jail: jail.clone(), owned }),
            }
        }
        for orphan in self.orphans()? {
            let JailInfo { name, path, .. } = &orphan;
            found.doubtful.push(format!(
                "jail {name} runs, and its directory is not there ({}): stop {} takes it away",
                path.display(),
                name.strip_prefix("ioc-").unwrap_or(name)
            ));
        }
        let attaching = self.journals(self.state.attachings()?)?;
        for (jail, journal) in &attaching {
            if !self.state.is_locked(jail) {
                found
                    .garbage
                    .push(Garbage::Attaching { jail: jail.clone(), owned: journal.owned().to_vec() });
            }
        }
        journals.extend(attaching);
        self.leaked_epairs(&journals, &mut found)?;
        self.leaked_rules(&journals, &mut found)?;
        let unneeded = wiring::unneeded(&self.site())?;
        found.garbage.extend(unneeded.into_iter().map(Garbage::Shared));
        let returned = wiring::returned(&self.site())?.into_iter();
        found.garbage.extend(returned.map(|(now, lent)| Garbage::Returned { now, lent: Box::new(lent) }));
        if let Some(moved) = PendingMove::left_alone(&self.state, &self.boot)?.filter(|moved| !moved.done) {
            found
                .doubtful
                .push(format!("the move of {} was interrupted: `jailwire host undo` undoes it", moved.plan));
        }
        self.doubtful_mounts(&journals, &mut found)?;
        self.doubtful_rulesets(&journals, &mut found)?;
        Ok(found)
    }

    /// Removes a thing, unless a jail uses it by now. Returns whether it was removed.
    ///
    /// # Errors
    ///
    /// Those of the removal. After an error a journal keeps its records.
    pub fn remove_garbage(&self, garbage: &Garbage, report: &mut dyn Report) -> Result<bool, Error> {
        let site = self.site();
        match garbage {
            Garbage::Journal { jail, .. } => {
                let mut claim = self.claim_as(jail, jail, report)?;
                // Another process has started or stopped a jail of this name meanwhile.
                if self.is_up_under(jail, claim.standing())?
                    || claim.refuse_foreign().is_err()
                    || !claim.journal().path().exists()
                {
                    return Ok(false);
                }
                self.clear_left(&mut claim)
            }
            Garbage::Attaching { jail, .. } => {
                let claim = self.claim_as(jail, jail, report)?;
                let there = self.state.attaching(jail).exists();
                Ok(paid(claim.clear_attaching(&site)?)? && there)
            }
            Garbage::Epair { name, jail } => {
                let kernel_name = format!("ioc-{jail}");
                let claim = self.claim_as(&kernel_name, &kernel_name, report)?;
                let end = HostEnd::read(&self.vnet, *name)?.filter(|end| end.jail == *jail);
                let still = end.is_some() && self.is_leaked(name)?;
                if still {
                    claim.release_epair(&site, name)?;
                }
                Ok(still)
            }
            Garbage::Published { jail, anchor, .. } => {
                let _claim = self.claim_as(jail, jail, report)?;
                let leaked = nat::left_over(&self.vnet)?.iter().any(|other| other.anchor == *anchor);
                if leaked {
                    nat::remove_anchor(&self.vnet, &self.state, anchor)?;
                }
                Ok(leaked)
            }
            Garbage::Shared(_) | Garbage::Returned { .. } => {
                wiring::sweep(&site)?;
                Ok(true)
            }
        }
    }

    /// Removes the journals of jails that another tool has stopped and removed completely. They are not reported.
    ///
    /// # Errors
    ///
    /// Those of reading and removing journals.
    pub fn forget_the_past(&self, report: &mut dyn Report) -> Result<(), Error> {
        for (jail, _) in self.journals(self.state.journals()?)? {
            let (standing, journal) = Standing::look(&self.site(), &jail)?;
            let is_foreign = matches!(standing, Standing::Foreign(_));
            if is_foreign || self.state.is_locked(&jail) || !self.is_stale(&jail, standing, &journal) {
                continue;
            }
            let mut claim = self.claim_as(&jail, &jail, report)?;
            if claim.refuse_foreign().is_ok() && self.is_stale(&jail, claim.standing(), claim.journal()) {
                self.clear_left(&mut claim)?;
            }
        }
        Ok(())
    }

    /// Whether a jail is up under its name. A jail under the provisional name of a killed start is not: such a jail runs
    /// no process.
    fn is_up_under(&self, jail: &str, standing: Standing) -> crate::Result<bool> {
        let Standing::Partial(Some(jid)) = standing else { return Ok(standing.alive().is_some()) };
        Ok(jail::get(&**self.kernel(), jid)?.is_none_or(|info| info.name == jail))
    }

    /// Removes what is left of a jail, but nothing that other programs use by now.
    fn clear_left(&self, claim: &mut Claim) -> Result<bool, Error> {
        let rulesets = rulesets_of_others(&**self.kernel(), claim.standing().alive())?;
        self.forget_others(claim, &rulesets)?;
        paid(claim.clear(&self.site())?)
    }

    /// The things in a journal, without mounts of ZFS.
    pub(super) fn of_jail_alone(&self, jail: &str, journal: &Journal) -> Vec<Owned> {
        let owned = journal.owned().iter();
        owned.filter(|owned| !is_zfs_own(self.store, jail, owned)).cloned().collect()
    }

    /// Whether a journal is about an earlier start than that of the running jail.
    fn is_past_of(&self, jail: &str, jid: Jid, owned: &[Owned]) -> bool {
        let running = jail::list(&**self.kernel(), false).unwrap_or_default();
        let root = running.into_iter().find(|one| one.jid == jid).map(|one| one.path);
        root.is_some_and(|root| is_past_of_running(&self.vnet, self.store, jail, &root, owned))
    }

    /// Returns the running jails of this store whose directory is gone, because another program renamed or moved
    /// it.
    ///
    /// # Errors
    ///
    /// Those of listing jails.
    pub fn orphans(&self) -> crate::Result<Vec<JailInfo>> {
        orphans(&**self.kernel(), self.store)
    }

    /// Destroys an epair, given its end on the host: see [`wiring::release_epair`].
    ///
    /// # Errors
    ///
    /// As [`wiring::release_epair`].
    pub fn release_epair(&self, end: &InterfaceName) -> Result<(), Error> {
        wiring::release_epair(&self.site(), end)
    }

    /// Reads journals. Returns them with the kernel's names of their jails.
    pub(super) fn journals(&self, paths: Vec<PathBuf>) -> Result<Vec<(String, Journal)>, Error> {
        let mut journals = Vec::new();
        for path in paths {
            if let Some(jail) = self.state.jail_of(&path) {
                journals.push((jail, Journal::open(&path, &self.boot)?));
            }
        }
        Ok(journals)
    }

    /// Finds anchors of jails that are gone, if they are in no journal.
    fn leaked_rules(&self, journals: &[(String, Journal)], found: &mut Found) -> Result<(), Error> {
        for published in nat::left_over(&self.vnet)? {
            let known = |journal: &Journal| {
                let mut owned = journal.owned().iter();
                owned.any(|owned| matches!(owned, Owned::Published(jail, _) if published.is_of(jail)))
            };
            let jail = published.jail.clone();
            // A process may be about to start the jail.
            if !journals.iter().any(|(_, journal)| known(journal)) && !self.state.is_locked(&jail) {
                let Published { anchor, backend, .. } = published;
                found.garbage.push(Garbage::Published { jail, anchor, backend });
            }
        }
        Ok(())
    }

    fn leaked_epairs(&self, journals: &[(String, Journal)], found: &mut Found) -> Result<(), Error> {
        for interface in self.vnet.interfaces()? {
            let name = interface.name;
            let known = |journal: &Journal| journal.owned().contains(&Owned::Epair(name));
            if journals.iter().any(|(_, journal)| known(journal)) {
                continue;
            }
            // An epair that is gone by now needs no removal.
            let Some(HostEnd { jail, .. }) = HostEnd::read(&self.vnet, name)? else { continue };
            if self.is_leaked(&name)? {
                // Skip a jail that a process works on.
                if !self.state.is_locked(&format!("ioc-{jail}")) {
                    found.garbage.push(Garbage::Epair { name, jail });
                }
            } else if self.is_without_jail(&name, &jail)? && self.vnet.has_interface(&name)? {
                found.doubtful.push(format!(
                    "interface {name} is described as a jail's, but it is not an epair of that name, or a jail has its number"
                ));
            }
        }
        Ok(())
    }

    /// Whether an interface with the description of a jail's epair is proven to be one, and the jail is gone. The
    /// proof is its name `vnetN.JID`, and the group of epair's cloner.
    fn is_leaked(&self, name: &InterfaceName) -> Result<bool, Error> {
        let Some(jid) = wiring::jid_of_host_end(name) else { return Ok(false) };
        // An interface that has gone meanwhile is in no group.
        let groups = self.vnet.groups(name).optional()?.unwrap_or_default();
        let is_epair = groups.iter().any(|group| group.as_str() == "epair");
        // If the jail is dying, its epairs go with it.
        let is_alive = jail::list(&**self.kernel(), true)?.iter().any(|jail| jail.jid == jid);
        Ok(is_epair && !is_alive)
    }

    /// Whether the jail in its description does not have it.
    fn is_without_jail(&self, name: &InterfaceName, jail: &str) -> Result<bool, Error> {
        let jid = wiring::jid_of_host_end(name);
        // iocage writes its own name for a jail into the description. `attach` writes the kernel's name.
        for kernel_name in [format!("ioc-{jail}"), jail.to_owned()] {
            let running = jail::find(&**self.kernel(), &kernel_name)?;
            if running.is_some() && (jid.is_none() || jid == running) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Finds file systems in the roots of jails that are down, if they are in no journal.
    fn doubtful_mounts(&self, journals: &[(String, Journal)], found: &mut Found) -> Result<(), Error> {
        let mounts = self.kernel().mounts().unwrap_or_default();
        for entry in self.store.entries().unwrap_or_default() {
            let name = entry.name.kernel_name();
            let has_journal = journals.iter().any(|(jail, _)| *jail == name);
            let root = entry.root();
            if has_journal
                || !mounts.iter().any(|mounted| mounted.on.starts_with(&root))
                || jail::find(&**self.kernel(), &name)?.is_some()
            {
                continue;
            }
            let beneath = mount::beneath(&**self.kernel(), &root)?;
            // Another process may be starting the jail. Then its journal exists before the mounts, and as long as
            // the mounts.
            if self.state.journal(&name).exists() {
                continue;
            }
            for mounted in beneath {
                // ZFS mounts its datasets whether the jail runs or not.
                if mounted.fstype != zfs::FSTYPE {
                    let on = mounted.on.display();
                    found.doubtful.push(format!("{} on {on}, and {} is down", mounted.fstype, entry.name));
                }
            }
        }
        Ok(())
    }

    /// Finds rulesets with iocage's numbers that no jail uses, if they are in no journal.
    fn doubtful_rulesets(&self, journals: &[(String, Journal)], found: &mut Found) -> Result<(), Error> {
        let Ok(devfs) = Devfs::open(self.kernel().clone(), "/dev".as_ref()) else { return Ok(()) };
        let rulesets = || devfs.rulesets().unwrap_or_default();
        let is_known = |journals: &[(String, Journal)], number: u16| {
            journals.iter().any(|(_, journal)| journal.owned().contains(&Owned::Ruleset(number)))
        };
        let mut doubtful = rulesets();
        doubtful.retain(|number| *number >= FIRST_RULESET && !is_known(journals, *number));
        if doubtful.is_empty() {
            return Ok(());
        }
        // Another process may be starting or stopping the jail of a ruleset. The journal lists a ruleset from
        // before it is made until after it is removed.
        let journals = self.journals(self.state.journals()?)?;
        let kernel = &**self.kernel();
        let used: Vec<i32> = jail::list(kernel, true)?
            .iter()
            .filter_map(|jail| jail::read_int(kernel, jail.jid, "devfs_ruleset").ok().flatten())
            .collect();
        doubtful.retain(|number| !is_known(&journals, *number) && !used.contains(&i32::from(*number)));
        if !doubtful.is_empty() {
            let still = rulesets();
            doubtful.retain(|number| still.contains(number));
        }
        let words = doubtful.iter().map(|number| format!("devfs ruleset {number}, which no jail uses"));
        found.doubtful.extend(words);
        Ok(())
    }
}

/// As [`Host::orphans`].
pub(in crate::iocage) fn orphans(kernel: &dyn Kernel, store: &Store) -> crate::Result<Vec<JailInfo>> {
    let jails = store.root().join("jails");
    let mut running = jail::list(kernel, false)?;
    running.retain(|jail| {
        jail.name.starts_with("ioc-")
            && jail.path.starts_with(&jails)
            && jail.path.ends_with("root")
            && jail.path.parent().is_some_and(|directory| !directory.is_dir())
    });
    Ok(running)
}

/// Returns true if nothing is left to undo, and otherwise the error of the first thing.
fn paid(owed: Owed) -> Result<bool, Error> {
    match owed.failures.into_iter().next() {
        Some((owned, failure)) => Err(Error::other(format!("{owned}: {failure}"))),
        None => Ok(true),
    }
}
