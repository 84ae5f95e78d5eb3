//! Moving an interface from a jail to the host.

use crate::error::Error;
use crate::kernel::Errno;
use crate::types::{InterfaceName, Jid};
use crate::vnet::Vnet;
use crate::wiring::bulk::KernelLock;
use crate::wiring::site::Site;

/// Takes an interface out of a jail, given its name in the jail and its index. `wanted` is the name that the
/// interface gets, if the name is free. With `asked`, a name that is not free is an error.
pub(super) fn take_out(
    site: &Site<'_>,
    stack: &Vnet,
    (inside, index): (&InterfaceName, u16),
    wanted: Option<InterfaceName>,
    asked: Option<&InterfaceName>,
) -> Result<InterfaceName, Error> {
    let host = site.host;
    let Some(jid) = stack.jid() else { return Ok(*inside) };
    let wanted = name_on_return(host, inside, wanted, asked)?;
    if wanted == *inside || !host.has_interface(inside)? {
        take_out_as(site, jid, inside, index)?;
        if wanted != *inside {
            host.rename(inside, &wanted)?;
        }
        return Ok(wanted);
    }
    // Rename inside the jail: the kernel does not check names when an interface moves.
    stack.rename(inside, &wanted)?;
    take_out_as(site, jid, &wanted, index).inspect_err(|_| {
        let _ = stack.rename(&wanted, inside);
    })?;
    Ok(wanted)
}

/// Takes the interface with this index out of a jail, by the name that it should have in the jail. If root in the
/// jail has given the name to another interface meanwhile, this moves that interface back.
pub(super) fn take_out_as(site: &Site<'_>, jid: Jid, name: &InterfaceName, index: u16) -> Result<(), Error> {
    let host = site.host;
    let _pass = site.state.pass(KernelLock::Detach);
    host.reclaim(name, jid)?;
    if host.index(name)? == index {
        return Ok(());
    }
    host.lend(name, jid)?;
    Err(Error::new("take back", name, "SIOCSIFRVNET", Errno::ENXIO))
}

/// The name that an interface gets on the host.
pub(super) fn name_on_return(
    host: &Vnet,
    inside: &InterfaceName,
    wanted: Option<InterfaceName>,
    asked: Option<&InterfaceName>,
) -> Result<InterfaceName, Error> {
    match asked.copied().or(wanted) {
        Some(wanted) if !host.has_interface(&wanted)? => Ok(wanted),
        Some(_) if asked.is_none() && !host.has_interface(inside)? => Ok(*inside),
        None if !host.has_interface(inside)? => Ok(*inside),
        taken => {
            let taken = taken.unwrap_or(*inside);
            let text = format!("the host has an interface {taken} already: choose another name with --name");
            Err(Error::other(text))
        }
    }
}
