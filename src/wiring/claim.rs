//! The owner of a jail: decided in one place, once, before anything is done to a jail.
//!
//! A name proves nothing: anybody can give a jail any name. Three things together tell whether this library
//! started the jail of a name. The *lock* keeps away other processes that use this library. The *journal*
//! lists what a start made. As soon as the jail exists, the journal also has its jid and its [`Identity`]: a
//! jid alone proves nothing, because any program can ask for any jid. The *kernel* lists the jails that there
//! are now. A [`Claim`] takes the lock, reads the journal and asks the kernel. The result is a [`Standing`].
//!
//! # How a start that was killed knows its own jail
//!
//! The kernel gives a jid when it makes the jail, so no record of the jid can come before the jail. If a
//! start is killed between the two, the next command must recognize the jail all the same, and must not take
//! another jail for it:
//!
//! * A jail with a network stack of its own is held by a child process, and is removed when the child ends. A
//!   living jail of that name whose jid is in no journal belongs to another program.
//! * A shared-IP jail needs no process to exist, from its first moment on. So the jail is made under a
//!   provisional name that is used only once, and the journal has that name before the jail is made. Then the
//!   jid is written down. Then the jail gets its own name.

use super::detach;
use super::identity::Identity;
use super::journal::{Journal, Owned};
use super::lock::Lock;
use super::plan::Plan;
use super::problem::Problem;
use super::run;
use super::shared;
use super::site::Site;
use super::standing::{Standing, may_be_held};
use super::step::Step;
use super::undo::{self, Owed};
use super::up::Up;
use crate::Error;
use crate::epair::Epair;
use crate::types::{InterfaceName, Jid};
use crate::vnet::Vnet;

/// The right to work on the jail of a name, and that jail's standing. Until the claim is dropped, no other
/// thread or process works on that jail.
#[derive(Debug)]
pub struct Claim {
    name: String,
    standing: Standing,
    journal: Journal,
    _lock: Lock,
}

impl Claim {
    /// Takes the lock of a jail, and finds out the jail's standing. If another process has the lock,
    /// `waiting` is called with its pid, if that is known.
    ///
    /// # Arguments
    ///
    /// * `name`: the kernel's name for the jail.
    ///
    /// # Errors
    ///
    /// Those of a lock and of a journal, and of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)).
    pub fn take(site: &Site<'_>, name: &str, waiting: impl FnMut(Option<u32>)) -> Result<Claim, Error> {
        let lock = site.state.lock_jail(name, waiting)?;
        let journal = Journal::open(&site.state.journal(name), site.boot)?;
        let kernel = &**site.host.kernel();
        let deadline = kernel.now().saturating_add(site.times.child_ends);
        while may_be_held(kernel, name, &journal)? && kernel.now() < deadline {
            kernel.sleep(site.times.look);
        }
        let standing = Standing::of(kernel, name, &journal)?;
        Ok(Claim { name: name.to_owned(), standing, journal, _lock: lock })
    }

    /// Returns the kernel's name for the jail.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the jail's standing.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Returns the journal, which lists what was made for the jail.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Refuses a jail that runs under that name and was started by another program.
    ///
    /// # Errors
    ///
    /// [`Problem::ForeignJail`].
    pub fn refuse_foreign(&self) -> Result<(), Problem> {
        match self.standing {
            Standing::Foreign(jid) => Err(Problem::ForeignJail { name: self.name.clone(), jid }),
            _ => Ok(()),
        }
    }

    /// Takes away everything that this library added for the jail, and the jail itself if it is alive. A
    /// foreign jail of that name is not changed. What an earlier jail of that name has left remains then too,
    /// because the foreign jail may use it.
    ///
    /// # Errors
    ///
    /// As [`Claim::refuse_foreign`], of the kind [`ErrorKind::Problems`](crate::ErrorKind::Problems); those of writing the journal and of taking away what
    /// jails share. What the kernel refuses is in [`Owed`].
    pub fn clear(&mut self, site: &Site<'_>) -> Result<Owed, Error> {
        self.refuse_foreign()?;
        let owed = undo::undo(site, &mut self.journal, self.standing)?;
        // A journal of another boot may list nothing: its file is removed.
        if self.journal.is_empty() && self.journal.path().exists() {
            self.journal.keep(site.files, Vec::new())?;
        }
        shared::sweep(site)?;
        self.standing = Standing::of(&**site.host.kernel(), &self.name, &self.journal)?;
        Ok(owed)
    }

    /// Makes the jail ready for [`Claim::attach`]: removes what a killed process left when it was attaching
    /// something to the jail.
    ///
    /// # Errors
    ///
    /// * [`Problem::Unfinished`]: a start or a stop of the jail has not finished.
    /// * as [`Claim::clear_attaching`].
    /// * [`ErrorKind::Owed`](crate::ErrorKind::Owed): the kernel kept some of what was left.
    pub(super) fn begin_attaching(&self, site: &Site<'_>) -> Result<(), Error> {
        let owed = self.clear_attaching(site)?;
        if !owed.failures.is_empty() {
            return Err(owed.into());
        }
        match self.standing {
            Standing::Partial(_) => Err(Problem::Unfinished { name: self.name.clone() }.into()),
            _ => Ok(()),
        }
    }

    /// Takes away what a process has left if it was killed while it attached something to the jail.
    ///
    /// # Errors
    ///
    /// Those of reading the journal of what is attached, of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)), of
    /// [`Vnet::enter`](crate::Vnet::enter) and of SIOCIFDESTROY, and as [`Claim::clear`].
    pub fn clear_attaching(&self, site: &Site<'_>) -> Result<Owed, Error> {
        detach::undo_attaching(site, &self.name)
    }

    /// Takes over a jail that another manager has started. `owned` lists what belongs to the jail, in the
    /// order in which it was made. The caller has to prove that the jail is that manager's.
    ///
    /// # Errors
    ///
    /// Those of writing the journal, and of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)).
    pub fn adopt(&mut self, site: &Site<'_>, jid: Jid, owned: Vec<Owned>) -> Result<(), Error> {
        let Some((_, identity)) = Identity::read(&**site.host.kernel(), jid)? else {
            return Err(Error::other(format!("jail {} is gone", self.name)));
        };
        self.journal.keep(site.files, Vec::new())?;
        for owned in owned {
            self.journal.intend(site.files, owned)?;
        }
        self.journal.made(site.files, jid, identity)?;
        self.standing = Standing::Partial(Some(jid));
        Ok(())
    }

    /// Removes from the journal each thing for which `keep` returns false: another program owns it by now.
    ///
    /// # Errors
    ///
    /// Those of writing the journal.
    pub fn forget(&mut self, site: &Site<'_>, keep: impl Fn(&Owned) -> bool) -> crate::Result<()> {
        if self.journal.owned().iter().all(&keep) {
            return Ok(());
        }
        let kept = self.journal.owned().iter().filter(|owned| keep(owned)).cloned().collect();
        self.journal.keep(site.files, kept)
    }

    /// Writes down that a file is about to be made for the jail.
    ///
    /// # Errors
    ///
    /// Those of writing the journal. After an error the file must not be made.
    pub fn intend(&mut self, site: &Site<'_>, owned: Owned) -> crate::Result<()> {
        self.journal.intend(site.files, owned)
    }

    /// Brings the jail up as a plan says: all of it, or nothing of it. `before` is called before each step.
    ///
    /// What was made is written in the journal. Call [`Claim::complete`] when nothing more is to follow.
    ///
    /// # Errors
    ///
    /// The step that failed, and the reason. By then everything made so far is undone. What could not be
    /// undone is in [`Error::owed`], and stays in the journal. A plan for a jail of another name is refused.
    /// If the jail is there, the plan is refused too: call [`Claim::clear`] first.
    pub fn apply(&mut self, site: &Site<'_>, plan: &Plan, before: impl FnMut(&Step)) -> Result<Up, Error> {
        let reason = match self.standing {
            _ if plan.spec().name != self.name => {
                format!("the plan is for jail {}, and {} is claimed", plan.spec().name, self.name)
            }
            Standing::Absent => String::new(),
            _ => format!("jail {} is there, or something of it: clear it first", self.name),
        };
        if !reason.is_empty() {
            return Err(Error::of_step("begin".to_owned(), Error::other(reason), Owed::default(), None));
        }
        let applied = run::apply(site, &mut self.journal, plan, None, before).map(|made| made.up);
        self.standing = match &applied {
            Ok(up) => Standing::Partial(Some(up.jid)),
            // The journal has what remains, and the error names it.
            Err(_) if self.journal.is_empty() => Standing::Absent,
            Err(_) => Standing::Partial(None),
        };
        applied
    }

    /// Carries out a plan for a running jail, whichever program started the jail: all of the plan, or nothing
    /// of it. Call [`Claim::begin_attaching`] before the plan is made. `inside` is a handle on the jail's network
    /// stack. Returns the epairs, which the jail owns from now on.
    ///
    /// # Errors
    ///
    /// As [`Claim::apply`].
    pub(super) fn attach(&self, site: &Site<'_>, plan: &Plan, inside: Vnet) -> Result<Vec<Epair>, Error> {
        let Some((jid, identity)) =
            inside.jid().map(|jid| Identity::read(&**site.host.kernel(), jid)).transpose()?.flatten()
        else {
            return Err(Problem::NoJail { jail: self.name.clone() }.into());
        };
        let mut journal = Journal::open(&site.state.attaching(&self.name), site.boot)?;
        journal.begin_with(jid, identity);
        let made = run::apply(site, &mut journal, plan, Some(inside), |_| {})?;
        if let Err(error) = journal.keep(site.files, Vec::new()) {
            drop(self.clear_attaching(site)?);
            return Err(error);
        }
        Ok(made.epairs)
    }

    /// Destroys an epair, given the host's end, as [`release_epair`](super::release_epair) does: for callers that have
    /// the claim on a jail of which the epair may be.
    ///
    /// # Errors
    ///
    /// As [`release_epair`](super::release_epair).
    pub fn release_epair(&self, site: &Site<'_>, host_end: &InterfaceName) -> Result<(), Error> {
        detach::release(site, host_end, Some(self))
    }

    /// Writes down that the start has finished.
    ///
    /// # Errors
    ///
    /// Those of writing the journal. After an error the jail has to be taken away.
    pub fn complete(&mut self, site: &Site<'_>, jid: Jid) -> crate::Result<()> {
        self.journal.complete(site.files, jid)?;
        self.standing = Standing::Ours(jid);
        Ok(())
    }
}
