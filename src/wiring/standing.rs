//! What a jail is to this library, by its journal and the kernel.

use super::identity::Identity;
use super::journal::{Journal, Owned};
use super::site::Site;
use super::stamp::Stamp;
use crate::Error;
use crate::jail;
use crate::kernel::Kernel;
use crate::types::Jid;

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

/// Whether the living jail of a name may come from a start that was killed before it wrote the jid down. Such
/// a jail exists until the start's child process has ended.
pub(super) fn may_be_held(kernel: &dyn Kernel, name: &str, journal: &Journal) -> crate::Result<bool> {
    let begun = journal.owned().iter().any(|owned| matches!(owned, Owned::Jail(_)));
    if !begun || journal.jid().is_some() || journal.making().is_some() {
        return Ok(false);
    }
    Ok(jail::get(kernel, name)?.is_some_and(|jail| !jail.persist))
}
