//! Taking epairs away: an epair that is given by its end on the host, and the epairs that a killed process
//! has left.

use std::net::IpAddr;

use super::claim::Claim;
use super::host_end::{HostEnd, jid_of_host_end};
use super::journal::{Journal, Owned};
use super::open::Wiring;
use super::problem::Problem;
use super::shared;
use super::site::Site;
use super::standing::{self, Standing};
use super::undo::{self, Owed};
use crate::Error;
use crate::jail;
use crate::kernel::Errno;
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// Whether an interface is an epair: the kernel puts every epair in the group `epair`.
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
/// The end's description tells the jail, or its name does: `vnetN.JID`. If that jail is alive, the library
/// holds the jail until the epair is destroyed. If that jail is dying, the epair goes with the jail. An epair
/// without such a description or name may have been made in any jail, or on the host: then the library holds
/// all living jails, and waits for the end of the dying jails.
///
/// # Errors
///
/// Those of SIOCIFDESTROY. ETIMEDOUT: the epair was to go with its jail and still exists, or a jail that may
/// have made the epair is still dying.
pub fn release_epair(site: &Site<'_>, name: &InterfaceName) -> Result<(), Error> {
    release(site, name, None)
}

/// As [`release_epair`], with a claim that the caller has.
pub(super) fn release(site: &Site<'_>, name: &InterfaceName, held: Option<&Claim>) -> Result<(), Error> {
    let kernel = site.host.kernel();
    let mut number = jid_of_host_end(name);
    let mut home = number.map(|jid| jail::get(&**kernel, jid)).transpose()?.flatten();
    if home.is_none()
        && number.is_none()
        && let Some(end) = HostEnd::read(site.host, *name)?
    {
        // iocage writes its own name for a jail into the description. [`Wiring::attach`] writes the kernel's
        // name.
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
            // The jail has begun to die meanwhile.
            Err(error) if error.errno() == Some(Errno::EINVAL) => {}
            Err(error) => return Err(error),
        }
        return undo::let_epair_go(site, name, Some(jail.jid));
    }
    match number {
        // If another manager made the epair on the host, the epair remains when its jail is gone, and has to
        // be destroyed.
        Some(jid) => match undo::let_epair_go(site, name, Some(jid)) {
            Err(_) if jail::get_even_dying(&**kernel, jid)?.is_none() => {
                undo::destroy_of_unknown_home(site, name)
            }
            other => other,
        },
        None => undo::destroy_of_unknown_home(site, name),
    }
}

/// Destroys the journal's epairs whose host ends are still inside the jail.
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

/// Takes away what a process has left that was killed while it attached something to a jail: on the host, and
/// inside the jail if the jail still is the same. The caller has the jail's lock.
pub(super) fn undo_attaching(site: &Site<'_>, jail: &str) -> Result<Owed, Error> {
    let path = site.state.attaching(jail);
    if !path.exists() {
        return Ok(Owed::default());
    }
    let mut journal = Journal::open(&path, site.boot)?;
    let kernel = site.host.kernel();
    if let Some(own) = journal.jid()
        && jail::get(&**kernel, own)?.is_some_and(|info| info.name == jail && info.vnet)
        && !standing::is_anothers(&**kernel, &journal, own)?
    {
        // The network stack in which the epairs were made is held while the ends on the host are destroyed.
        let home = Vnet::enter(kernel.clone(), own)?;
        undo::delete_routes(&home, journal.owned());
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
    /// Destroys an epair, given its end on the host. A bridge that was made for the epair and serves no jail
    /// any more is removed too.
    ///
    /// If the jail that made the epair is dying, the library does not ask the kernel to destroy the epair,
    /// because that can panic FreeBSD 15.1. Instead it waits until the epair has gone with the jail. If the
    /// jail does not end in time, the library gives the epair back to it.
    ///
    /// # Errors
    ///
    /// * [`ErrorKind::Problems`](crate::ErrorKind::Problems): the interface is no epair.
    /// * As [`Vnet::destroy`]: ENXIO when there is no such interface, EPERM when the caller is not root.
    /// * ETIMEDOUT: the epair was to go with its jail, and still exists.
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
        // What is published leads to an address of a NIC: without that it leads nowhere.
        if let Some(jail) = jail
            && (self.epairs_of(&jail)?.is_empty() || self.leads_nowhere(&jail)?)
        {
            self.unpublish(&jail)?;
        }
        shared::sweep(&site)?;
        Ok(())
    }

    /// Whether a jail has NAT or published ports, and none of the addresses that these are for.
    fn leads_nowhere(&self, jail: &str) -> Result<bool, Error> {
        let Some(published) = self.published()?.into_iter().find(|one| one.is_of(jail)) else {
            return Ok(false);
        };
        let kernel = self.kernel();
        let Some(jid) = jail::find(&**kernel, jail)? else { return Ok(true) };
        let interfaces = Vnet::enter(kernel.clone(), jid)?.interfaces()?;
        let has = |address: IpAddr| {
            interfaces.iter().any(|one| one.addresses.iter().any(|own| own.network.ip() == address))
        };
        let of_nat = published.nat.iter().map(|one| one.from);
        let of_ports = published.published.iter().map(|one| one.jail.ip());
        Ok(!of_nat.chain(of_ports).any(has))
    }
}
