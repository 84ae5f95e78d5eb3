//! Taking epairs away: one by its end on the host, and those that a process has left that was killed.

use super::claim::{self, Claim, Standing};
use super::host_end::{HostEnd, jid_of_host_end};
use super::journal::{Journal, Owned};
use super::open::Wiring;
use super::problem::Problem;
use super::run::Site;
use super::shared;
use super::undo::{self, Owed};
use crate::Error;
use crate::jail;
use crate::kernel::Errno;
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// Whether an interface was made by epair's cloner: the kernel puts those in the group of that name.
///
/// # Errors
///
/// ENXIO: there is no such interface.
fn is_epair(host: &Vnet, name: &InterfaceName) -> crate::Result<bool> {
    let groups = host.groups(name)?;
    Ok(groups.iter().any(|group| group.as_str() == "epair"))
}

/// Destroys an epair, given the host's end, whatever program made it. The jail may be alive, dying or gone.
///
/// The jail is known by the end's description, or by its name: `vnetN.JID`. As long as that jail lives it is held
/// meanwhile; one that dies takes the epair along. An epair that says nothing of its jail may have been made in any of
/// them, or on the host: all living jails are held meanwhile, and the end of those that die is waited for.
///
/// # Errors
///
/// Those of SIOCIFDESTROY; ETIMEDOUT: it was to go with its jail, and is still there, or a jail that may have made it
/// goes on dying.
pub fn release_epair(site: &Site<'_>, name: &InterfaceName) -> Result<(), Error> {
    release(site, name, None)
}

/// The same, with a claim that the caller has.
pub(super) fn release(site: &Site<'_>, name: &InterfaceName, held: Option<&Claim>) -> Result<(), Error> {
    let kernel = site.host.kernel();
    let mut number = jid_of_host_end(name);
    let mut home = number.map(|jid| jail::get(&**kernel, jid)).transpose()?.flatten();
    if home.is_none()
        && number.is_none()
        && let Some(end) = HostEnd::read(site.host, *name)?
    {
        // iocage writes its own name for a jail into the description; `attach` writes the kernel's.
        for jail in [end.jail.clone(), format!("ioc-{}", end.jail)] {
            home = home.or(jail::get(&**kernel, jail.as_str())?);
            let dying = jail::get_even_dying(&**kernel, jail.as_str())?.filter(|jail| jail.dying);
            number = number.or(dying.map(|jail| jail.jid));
        }
    }
    if let Some(jail) = home.filter(|jail| jail.vnet) {
        let _claim = match held {
            Some(claim) if claim.name() == jail.name => None,
            _ => Some(Claim::take(site, &jail.name, |_| {})?),
        };
        match Vnet::enter(kernel.clone(), jail.jid) {
            Ok(_home) => return undo::destroy_held(site, name),
            // It has begun to die meanwhile.
            Err(error) if error.errno() == Some(Errno::EINVAL) => {}
            Err(error) => return Err(error),
        }
        return undo::let_epair_go(site, name, Some(jail.jid));
    }
    match number {
        // An epair that another manager made on the host stays when its jail is gone, and has to be destroyed.
        Some(jid) => match undo::let_epair_go(site, name, Some(jid)) {
            Err(_) if jail::get_even_dying(&**kernel, jid)?.is_none() => {
                undo::destroy_of_unknown_home(site, name)
            }
            other => other,
        },
        None => undo::destroy_of_unknown_home(site, name),
    }
}

/// What was not taken out yet is still in the jail.
fn destroy_inside(inside: &Vnet, journal: &Journal) -> crate::Result<()> {
    for owned in journal.owned() {
        if let Owned::Epair(name) = owned
            && inside.has_interface(name)?
        {
            inside.destroy(name)?;
        }
    }
    Ok(())
}

/// Takes away what a process has left that was killed while it attached something to a jail, if one was: on the
/// host, and in the jail if it is the same one still. It works under the jail's lock.
pub(super) fn undo_attaching(site: &Site<'_>, jail: &str) -> Result<Owed, Error> {
    let path = site.state.attaching(jail);
    if !path.exists() {
        return Ok(Owed::default());
    }
    let mut journal = Journal::open(&path, site.boot)?;
    let kernel = site.host.kernel();
    if let Some(own) = journal.jid()
        && jail::get(&**kernel, own)?.is_some_and(|info| info.name == jail && info.vnet)
        && !claim::is_anothers(&**kernel, &journal, own)?
    {
        // Those that were taken out go while their home is held.
        let home = Vnet::enter(kernel.clone(), own)?;
        destroy_inside(&home, &journal)?;
        for owned in journal.owned() {
            if let Owned::Epair(name) = owned {
                undo::destroy_held(site, name)?;
            }
        }
    }
    let owed = undo::undo(site, &mut journal, Standing::Partial(None))?;
    shared::sweep(site)?;
    Ok(owed)
}

impl Wiring {
    /// Destroys an epair by its end on the host, and takes away a bridge that was made for it and serves no
    /// jail any more.
    ///
    /// While the jail goes that the epair was made in, the kernel is not asked to destroy it, because that can panic
    /// 15.1: then this waits until the epair has gone with the jail, or gives it back to a jail that goes on dying.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): it is no epair.
    /// * As [`Vnet::destroy`]: ENXIO when there is no such interface, EPERM for others than root.
    /// * ETIMEDOUT: it was to go with its jail, and is still there.
    ///
    /// # Source
    ///
    /// SIOCIFDESTROY: [`epair(4)`](https://man.freebsd.org/epair(4)); `net/if_clone.c:if_clone_destroy`.
    pub fn detach(&self, host_end: &InterfaceName) -> Result<(), Error> {
        if !is_epair(self.host(), host_end)? {
            return Err(Error::from(Problem::NotAnEpair { name: *host_end }));
        }
        let jail = self.epairs()?.into_iter().find(|end| end.name == *host_end).map(|end| end.jail);
        let site = self.site();
        release_epair(&site, host_end)?;
        // What is published leads to a NIC: without one it leads nowhere.
        if let Some(jail) = jail
            && self.epairs_of(&jail)?.is_empty()
        {
            self.unpublish(&jail)?;
        }
        shared::sweep(&site)?;
        Ok(())
    }
}
