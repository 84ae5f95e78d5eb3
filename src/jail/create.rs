//! Creating and changing jails.

use std::sync::Arc;

use jailwire_sys::{JAIL_CREATE, JAIL_UPDATE};

use super::parameters::JailParameters;
use crate::error::{During, Error, Result};
use crate::kernel::{Entered, Entry, Handle, Kernel, Parameter, Target};
use crate::types::Jid;
use crate::vnet::{ENTRY_DEADLINE, Vnet};

/// Creates a jail that stays until it is removed (`persist`), with no process in it.
///
/// # Errors
///
/// * EEXIST: a jail of that name or jid is alive.
/// * EINVAL: a parameter does not exist, has the wrong type, or contradicts another parameter. In most cases the
///   kernel's text names the parameter.
/// * ENOENT, ENOTDIR, EACCES: the root directory. ENOENT also: the parent jail does not exist.
/// * EADDRINUSE: another jail uses an address of `ip4.addr` or `ip6.addr`.
/// * EPERM: the caller is not root; or the limit is the parent's `children.max`, or a right that the parent does not
///   have.
/// * EAGAIN: all jids are taken.
///
/// # Source
///
/// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)), `kern/kern_jail.c:kern_jail_set`.
#[doc(alias = "jail_set")]
#[doc(alias = "JAIL_CREATE")]
pub fn create(kernel: &dyn Kernel, parameters: &JailParameters) -> Result<Jid> {
    let name = parameters.shown_name();
    let parameters = parameters.clone().set("persist", true).to_kernel();
    let created = parameters.and_then(|parameters| kernel.jail_set(&parameters, JAIL_CREATE));
    let jid = created.during("create jail", &name, "jail_set")?;
    Jid::new(jid).map_err(|error| Error::malformed("create jail", &name, "jail_set", error))
}

/// Changes parameters of a jail.
///
/// `vnet`, `path`, `ip4`, `ip6`, `osrelease` and `osreldate` cannot be changed.
///
/// # Errors
///
/// * ENOENT: there is no such jail, or it is dying.
/// * as [`create`].
///
/// # Source
///
/// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)), `kern/kern_jail.c:kern_jail_set`. JAIL_DYING is never given:
/// FreeBSD 14 would bring a dying jail back to life.
#[doc(alias = "jail_set")]
#[doc(alias = "JAIL_UPDATE")]
pub fn update(kernel: &dyn Kernel, jid: Jid, parameters: &JailParameters) -> Result<()> {
    let updated = parameters.to_kernel().and_then(|mut parameters| {
        parameters.insert(0, Parameter::int("jid", jid.get()));
        kernel.jail_set(&parameters, JAIL_UPDATE)
    });
    updated.map(drop).during("change jail", jid, "jail_set")
}

/// A jail that exists only as long as this value.
///
/// A child process has created the jail and waits in it. If this value is dropped without [`HeldJail::commit`], or the
/// calling process ends in any way, the child ends. Then the kernel destroys the jail, and every interface that was
/// made in the jail.
#[derive(Debug)]
pub struct HeldJail {
    jid: Jid,
    // Fields are dropped in this order: an open socket would keep the dying jail from going away.
    vnet: Vnet,
    holder: Holder,
}

/// Creates a jail that ends with the caller until it is committed, and opens sockets in the jail.
///
/// This is the way to start a jail so that a failed start leaves nothing behind: create the jail held, make an
/// epair through [`HeldJail::vnet`], rename the host's end, move the host's end to the host with
/// [`Vnet::reclaim`], configure both ends, and call [`HeldJail::commit`].
///
/// # Errors
///
/// As [`create`] and [`Vnet::enter`].
///
/// # Source
///
/// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_CREATE and JAIL_ATTACH, without `persist`.
///
/// # Example
///
/// ```
/// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
/// use jailwire::jail::{self, JailParameters};
///
/// let held = jail::create_held(&kernel, &JailParameters::new("web").vnet())?;
/// held.vnet().up(&"lo0".parse().unwrap())?;
/// let vnet = held.commit()?;
/// assert_eq!(jail::find(&*kernel, "web")?, vnet.jid());
/// # Ok::<(), jailwire::Error>(())
/// ```
#[doc(alias = "jail_set")]
#[doc(alias = "JAIL_ATTACH")]
pub fn create_held(kernel: &Arc<dyn Kernel>, parameters: &JailParameters) -> Result<HeldJail> {
    let (entered, holder) = hold(kernel, parameters, true)?;
    let vnet = Vnet::from_entered(Arc::clone(kernel), &entered)?;
    let (jid, holder) = held(parameters, &entered, holder)?;
    Ok(HeldJail { jid, vnet, holder })
}

/// Creates a jail through a child that holds the jail, with or without sockets of the jail.
fn hold(
    kernel: &Arc<dyn Kernel>,
    parameters: &JailParameters,
    sockets: bool,
) -> Result<(Entered, Option<Holder>)> {
    let name = parameters.shown_name();
    let mut parameters = parameters.clone();
    parameters.remove("persist");
    let parameters = parameters.to_kernel().during("create jail", &name, "jail_set")?;
    let target = Target::New(parameters);
    let entry = Entry { target, sockets, sysctls: Vec::new(), hold: true, deadline: ENTRY_DEADLINE };
    let entered = kernel.enter(&entry).during("create jail", &name, "jail_set")?;
    let holder = entered.holder.map(|handle| Holder { kernel: Arc::clone(kernel), handle: Some(handle) });
    Ok((entered, holder))
}

/// Checks the kernel's result for a held jail.
fn held(parameters: &JailParameters, entered: &Entered, holder: Option<Holder>) -> Result<(Jid, Holder)> {
    let malformed = |why: String| Error::malformed("create jail", parameters.shown_name(), "jail_set", why);
    let jid = Jid::new(entered.jid).map_err(|error| malformed(error.to_string()))?;
    let holder = holder.ok_or_else(|| malformed("nothing holds the jail".to_owned()))?;
    Ok((jid, holder))
}

/// A jail that exists only as long as this value, without sockets inside.
#[derive(Debug)]
pub(crate) struct HeldPlain {
    jid: Jid,
    holder: Holder,
}

/// Creates a jail that ends with the caller until it is committed, as [`create_held`], but without sockets inside.
/// A jail may have no access to an address family, and then no socket of that family can be opened.
pub(crate) fn create_held_plain(kernel: &Arc<dyn Kernel>, parameters: &JailParameters) -> Result<HeldPlain> {
    let (entered, holder) = hold(kernel, parameters, false)?;
    let (jid, holder) = held(parameters, &entered, holder)?;
    Ok(HeldPlain { jid, holder })
}

impl HeldPlain {
    /// Returns the jail's jid.
    pub fn jid(&self) -> Jid {
        self.jid
    }

    /// Makes the jail independent of this value: see [`HeldJail::commit`].
    pub fn commit(self) -> Result<()> {
        update(&*self.holder.kernel, self.jid, &JailParameters::default().set("persist", true))
    }
}

impl HeldJail {
    /// Returns the jail's jid.
    pub fn jid(&self) -> Jid {
        self.jid
    }

    /// Returns the jail's network stack.
    pub fn vnet(&self) -> &Vnet {
        &self.vnet
    }

    /// Makes the jail independent of this value: the jail stays until it is removed. Returns the jail's network stack.
    ///
    /// # Errors
    ///
    /// As [`update`]. After an error the jail is gone.
    ///
    /// # Source
    ///
    /// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_UPDATE and `persist`; then the child is let go.
    #[doc(alias = "persist")]
    pub fn commit(self) -> Result<Vnet> {
        let (vnet, _holder) = self.persist()?;
        Ok(vnet)
    }

    /// As [`HeldJail::commit`], and has the child become the next program in the jail, if it can:
    /// [`Processes::release_holder`](crate::kernel::Processes::release_holder).
    pub(crate) fn commit_for_program(self) -> Result<Vnet> {
        let (vnet, holder) = self.persist()?;
        holder.release();
        Ok(vnet)
    }

    fn persist(self) -> Result<(Vnet, Holder)> {
        let HeldJail { jid, vnet, holder } = self;
        let persist = JailParameters::default().set("persist", true);
        if let Err(error) = update(&*holder.kernel, jid, &persist) {
            // Close the sockets first, as above.
            drop(vnet);
            return Err(error);
        }
        Ok((vnet, holder))
    }
}

/// Holds the child that holds the jail.
#[derive(Debug)]
struct Holder {
    kernel: Arc<dyn Kernel>,
    /// `None` after [`Holder::release`].
    handle: Option<Handle>,
}

impl Holder {
    fn release(mut self) {
        if let Some(handle) = self.handle.take() {
            self.kernel.release_holder(handle);
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if let Some(handle) = self.handle {
            self.kernel.close(handle);
        }
    }
}
