//! Static neighbours. The kernel deletes them with the address whose network they are in.

use super::AddressMove;
use crate::Error;
use crate::kernel::Errno;
use crate::neighbour::Neighbour;
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// Deletes the static neighbours on an interface, because the kernel does not delete all of them.
pub(super) fn delete(host: &Vnet, plan: &AddressMove, on: &InterfaceName) -> Result<(), Error> {
    for neighbour in of(host, plan, on)? {
        match host.delete_neighbour(&neighbour) {
            Err(error) if error.errno() == Some(Errno::ENOENT) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Sets the static neighbours again.
pub(super) fn set(host: &Vnet, plan: &AddressMove, on: &InterfaceName) -> Result<(), Error> {
    for neighbour in of(host, plan, on)? {
        match host.set_neighbour(&neighbour) {
            // The lifetime of the address in the neighbour's network has ended meanwhile.
            Err(error) if error.errno() == Some(Errno::ENOMEM) => {}
            other => other?,
        }
    }
    Ok(())
}

/// The moved neighbours, for the index that an interface has.
fn of(host: &Vnet, plan: &AddressMove, on: &InterfaceName) -> Result<Vec<Neighbour>, Error> {
    if plan.neighbours.is_empty() {
        return Ok(Vec::new());
    }
    let index = host.index(on)?;
    let behind = |neighbour: &Neighbour| {
        let scope = if neighbour.scope == 0 { 0 } else { index.into() };
        Neighbour { index, scope, ..*neighbour }
    };
    Ok(plan.neighbours.iter().map(behind).collect())
}
