//! Removing jails, and waiting for what comes after.

use std::time::Duration;

use jailwire_sys::JAIL_DYING;

use crate::error::{During, Error, Result};
use crate::kernel::{Errno, Kernel, Parameter};
use crate::types::{InterfaceName, Jid};
use crate::vnet::Vnet;

/// How long to sleep between two looks: first, and at most.
const PERIODS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Removes a jail and the jails below it, and kills their processes.
///
/// It is dying then, and gone as soon as nothing keeps it any more: processes that are not reaped, open
/// sockets ([`Vnet`] has some: drop it first), open files, mounts, and for up to a minute TCP connections
/// that just ended. Its name can be used again at once.
///
/// Interfaces that were made in it are destroyed with it, wherever they are; those that were lent to it
/// come back. Destroying an epair before the jail is faster than having it come back.
///
/// # Errors
///
/// * EINVAL: there is no such jail below the caller's.
/// * EPERM: not root.
///
/// # Source
///
/// [`jail_remove(2)`](https://man.freebsd.org/jail_remove(2)), `kern/kern_jail.c:sys_jail_remove`.
#[doc(alias = "jail_remove")]
pub fn remove(kernel: &dyn Kernel, jid: Jid) -> Result<()> {
    kernel.jail_remove(jid.get()).during("remove jail", jid, "jail_remove")
}

/// Waits until a jail that was removed is gone.
///
/// **Interfaces that it gives back come later**: see [`wait_for_interfaces`].
///
/// # Errors
///
/// * ETIMEDOUT: something still keeps it.
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) with JAIL_DYING, `kern/kern_jail.c:prison_deref`. The kernel sends no message when a jail is
/// gone, only when it begins to die; so this looks, less and less often, by the kernel's clock.
#[doc(alias = "JAIL_DYING")]
pub fn wait_gone(kernel: &dyn Kernel, jid: Jid, limit: Duration) -> Result<()> {
    poll(kernel, limit, || match kernel.jail_get(&mut [Parameter::int("jid", jid.get())], JAIL_DYING) {
        Ok(_) => Ok(false),
        Err(failure) if failure.errno == Errno::ENOENT => Ok(true),
        Err(failure) => Err(failure).during("wait for end of jail", jid, "jail_get"),
    })?
    .then_some(())
    .ok_or_else(|| Error::new("wait for end of jail", jid, "jail_get", Errno::ETIMEDOUT))
}

/// Waits until interfaces that a jail had are back in a network stack.
///
/// The kernel takes the jail off its list first, and moves the interfaces afterwards, about a tenth of a
/// second each (`net/vnet.c:vnet_destroy`). They come back down, without addresses, and in no bridge.
///
/// # Errors
///
/// * ETIMEDOUT: one did not come; the error names it.
/// * as [`Vnet::has_interface`].
pub fn wait_for_interfaces(vnet: &Vnet, names: &[InterfaceName], limit: Duration) -> Result<()> {
    let kernel = &**vnet.kernel();
    let deadline = kernel.now().saturating_add(limit);
    for name in names {
        let left = deadline.saturating_sub(kernel.now());
        if !poll(kernel, left, || vnet.has_interface(name))? {
            return Err(Error::new("wait for return of", name, "SIOCGIFINDEX", Errno::ETIMEDOUT));
        }
    }
    Ok(())
}

/// Looks until something is so; false when the time is over. It looks at least once.
fn poll(kernel: &dyn Kernel, limit: Duration, mut look: impl FnMut() -> Result<bool>) -> Result<bool> {
    let deadline = kernel.now().saturating_add(limit);
    let (mut period, longest) = PERIODS;
    loop {
        if look()? {
            return Ok(true);
        }
        let left = deadline.saturating_sub(kernel.now());
        if left.is_zero() {
            return Ok(false);
        }
        kernel.sleep(period.min(left));
        period = (period * 2).min(longest);
    }
}
