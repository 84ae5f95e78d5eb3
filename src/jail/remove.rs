//! Removing jails, and waiting until they are gone.

use std::time::Duration;

use jailwire_sys::JAIL_DYING;

use crate::error::{During, Error, Result};
use crate::kernel::{Errno, Kernel, Parameter};
use crate::types::{InterfaceName, Jid};
use crate::vnet::Vnet;

/// The time between two looks: at first, and at most.
const PERIODS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Removes a jail and the jails below it, and kills their processes.
///
/// Afterwards the jail is dying. It is gone as soon as nothing holds it any more: processes that are not reaped, open
/// sockets (drop a [`Vnet`] first, which has some), open files, mounts, and for up to a minute TCP connections
/// that have just ended. The jail's name can be used again at once.
///
/// Interfaces that were made in the jail are destroyed with it, wherever they are. Interfaces that were lent to the
/// jail return. To destroy an epair before the jail is faster than to wait for its return.
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
/// **Interfaces that the jail gives back return later**: see [`wait_for_interfaces`].
///
/// # Errors
///
/// * ETIMEDOUT: something still holds the jail.
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) with JAIL_DYING, `kern/kern_jail.c:prison_deref`. The kernel
/// sends no message when a jail is gone, only when it begins to die; so this looks, less and less often, by the
/// kernel's clock.
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
/// The kernel first takes the jail off its list, and moves the interfaces afterwards. Each takes about a tenth of a
/// second (`net/vnet.c:vnet_destroy`). A returned interface is down, has no address, and is on no bridge.
///
/// # Errors
///
/// * ETIMEDOUT: an interface did not return; the error names the interface.
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

/// Calls `look` until it returns true, and at least once. Returns false when the time is over.
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
