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
use super::run::{self, Site, Up};
use super::shared;
use super::stamp::Stamp;
use super::step::Step;
use super::undo::{self, Owed};
use crate::Error;
use crate::epair::Epair;
use crate::jail;
use crate::kernel::Kernel;
use crate::types::{InterfaceName, Jid};
use crate::vnet::Vnet;

/// Whether the jail of a name was started here, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// There is no jail of that name, and no start has left anything.
    Absent,
    /// This library started the jail, and the start has finished.
    Ours(Jid),
    /// A start or a stop of this library did not finish, or another program removed the jail. Has the jail's
    /// jid if the jail is alive.
    Partial(Option<Jid>),
    /// Another program started the jail. The journal is about another jail or is empty, and the library never
    /// changes the jail.
    Foreign(Jid),
    /// This library started the jail. The jail was removed and lingers: something that cannot be taken away
    /// holds it, such as a TCP connection. Everything else that is left of the jail can be taken away, and a
    /// new jail of that name can be started beside it.
    Dying(Jid),
}

impl Standing {
    /// Returns a jail's standing, by its journal and the kernel. Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)).
    pub fn of(kernel: &dyn Kernel, name: &str, journal: &Journal) -> crate::Result<Standing> {
        let left = || if journal.is_empty() { Standing::Absent } else { Standing::Partial(None) };
        let Some(own) = journal.jid() else {
            if let Some(jid) = jail::find(kernel, name)? {
                return Ok(Standing::Foreign(jid));
            }
            let made = journal.making().map(|making| jail::find(kernel, making)).transpose()?.flatten();
            return Ok(made.map_or_else(left, |jid| Standing::Partial(Some(jid))));
        };
        if let Some((jid, found)) = Identity::read(kernel, name)? {
            return Ok(match jid == own && journal.is_of(&found) {
                false => Standing::Foreign(jid),
                true if journal.is_complete() => Standing::Ours(own),
                true => Standing::Partial(Some(own)),
            });
        }
        Ok(match jail::get_even_dying(kernel, own)? {
            Some(jail) if jail.dying => Standing::Dying(own),
            // The start was killed before the jail got its own name.
            Some(jail) if Some(jail.name.as_str()) == journal.making() => Standing::Partial(Some(own)),
            // Another program made a jail with this jid. So the journal's jail is gone, or is dying under
            // another jid.
            Some(_) if is_anothers(kernel, journal, own)? => {
                let mut jails = jail::list(kernel, true)?.into_iter();
                jails
                    .find(|jail| jail.dying && jail.name == name)
                    .map_or_else(left, |jail| Standing::Dying(jail.jid))
            }
            // Another program renamed the jail.
            Some(_) => Standing::Foreign(own),
            None => left(),
        })
    }

    /// Returns a jail's standing and its journal, without the lock of the jail: for callers that change
    /// nothing.
    ///
    /// Another process may start the jail between the look at the journal and the look at the kernel, and may
    /// stop it again. So a jail is reported as [`Standing::Foreign`] only if no process has worked on it
    /// during the look, and no known start could hold the jail.
    ///
    /// # Errors
    ///
    /// Those of reading the journal, and of [`jail_get(2)`](https://man.freebsd.org/jail_get(2)).
    pub fn look(site: &Site<'_>, name: &str) -> Result<(Standing, Journal), Error> {
        let kernel = &**site.host.kernel();
        let deadline = kernel.now().saturating_add(site.times.child_ends);
        let mut stamp = Stamp::of(site.state, name);
        for look in 0.. {
            let journal = Journal::open(&site.state.journal(name), site.boot)?;
            let standing = Standing::of(kernel, name, &journal)?;
            let is_doubtful = matches!(standing, Standing::Foreign(_)) && look < Self::LOOKS;
            if !is_doubtful || kernel.now() >= deadline {
                return Ok((standing, journal));
            }
            if stamp.is_settled() && stamp.is_as(&Stamp::of(site.state, name)) {
                if !may_be_held(kernel, name, &journal)? {
                    return Ok((standing, journal));
                }
                kernel.sleep(site.times.look);
            }
            stamp = Stamp::settled(site.state, name);
        }
        unreachable!("the last look is not doubtful")
    }

    /// How often a look without the lock is repeated while other processes start and stop jails.
    pub(crate) const LOOKS: usize = 100;

    /// Returns the jid of the living jail, if this library started it.
    pub fn alive(self) -> Option<Jid> {
        match self {
            Standing::Ours(jid) | Standing::Partial(Some(jid)) => Some(jid),
            Standing::Absent | Standing::Partial(None) | Standing::Foreign(_) | Standing::Dying(_) => None,
        }
    }
}

/// Whether a living jail has the jid that the journal names, and is another jail.
pub(super) fn is_anothers(kernel: &dyn Kernel, journal: &Journal, jid: Jid) -> crate::Result<bool> {
    Ok(Identity::read(kernel, jid)?.is_some_and(|(_, found)| !journal.is_of(&found)))
}

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

/// Whether the living jail of a name may come from a start that was killed before it wrote the jid down. Such
/// a jail exists until the start's child process has ended.
fn may_be_held(kernel: &dyn Kernel, name: &str, journal: &Journal) -> crate::Result<bool> {
    let begun = journal.owned().iter().any(|owned| matches!(owned, Owned::Jail(_)));
    if !begun || journal.jid().is_some() || journal.making().is_some() {
        return Ok(false);
    }
    Ok(jail::get(kernel, name)?.is_some_and(|jail| !jail.persist))
}
