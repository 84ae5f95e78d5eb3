//! Jails that are held by a jail descriptor, or named by jid if the kernel has no jail descriptors.

use std::fmt;
use std::sync::Arc;

use jailwire_sys::{JAIL_AT_DESC, JAIL_CREATE, JAIL_GET_DESC, JAIL_OWN_DESC, JAIL_UPDATE, JAIL_USE_DESC};

use super::parameters::{JailParameters, JailValue};
use super::query::{self, JailInfo, JailKey};
use super::{create, update};
use crate::error::{During, Error, Result};
use crate::kernel::{Entry, Errno, Failure, Handle, Kernel, Target};
use crate::types::Jid;
use crate::vnet::{ENTRY_DEADLINE, Vnet};

/// Returns whether this kernel has jail descriptors and jail events, which came with FreeBSD 15.
///
/// The function asks the kernel itself. It does not read kern.osreldate, which in a jail is any value that the jail was
/// given.
///
/// # Errors
///
/// None are known.
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) with JAIL_GET_DESC and no descriptor: EINVAL if the flag is
/// unknown, and ENOENT if only the parameter `desc` is missing.
pub fn has_descriptors(kernel: &dyn Kernel) -> Result<bool> {
    match kernel.jail_get(&mut [], JAIL_GET_DESC) {
        Err(failure) if failure.errno == Errno::ENOENT => Ok(true),
        Err(failure) if failure.errno == Errno::EINVAL => Ok(false),
        Err(failure) => Err(failure).during("look for jail descriptors", "", "jail_get"),
        Ok(_) => Err(Error::malformed("look for jail descriptors", "", "jail_get", "a jail without a name")),
    }
}

/// A reference to one jail, which stays the same jail for as long as the reference is held.
///
/// On FreeBSD 15 the reference is a jail descriptor. When the jail is removed, the reference leads to no jail, also if
/// another jail gets its name or its jid. On earlier releases the reference is a jid. The kernel gives a jid to
/// another jail only after it has given out all others.
///
/// Unlike [`Vnet`], a reference does not hold a removed jail.
///
/// ```
/// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
/// use jailwire::jail::{JailParameters, JailReference};
///
/// let web = JailReference::create(&kernel, &JailParameters::new("web").vnet())?;
/// assert_eq!(web.info()?.unwrap().name, "web");
/// web.remove()?;
/// assert_eq!(web.info()?, None);
/// # Ok::<(), jailwire::Error>(())
/// ```
pub struct JailReference {
    kernel: Arc<dyn Kernel>,
    jid: Jid,
    descriptor: Option<Handle>,
}

impl JailReference {
    /// Returns a reference to a jail. Returns `None` if there is no such jail, or the jail is dying.
    ///
    /// # Errors
    ///
    /// * EMFILE, ENFILE: no descriptor is left.
    ///
    /// # Source
    ///
    /// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) with JAIL_GET_DESC, `kern/kern_jaildesc.c:jaildesc_alloc`.
    /// It needs no privilege, but a descriptor allows only what its maker may do.
    #[doc(alias = "jail_get")]
    #[doc(alias = "JAIL_GET_DESC")]
    pub fn find(kernel: &Arc<dyn Kernel>, key: impl Into<JailKey>) -> Result<Option<JailReference>> {
        let key = key.into();
        let mut asked = [key.parameter()];
        let found = match has_descriptors(&**kernel)? {
            true => kernel.jail_get_jd(&mut asked, JAIL_GET_DESC, None),
            false => kernel.jail_get(&mut asked, 0).map(|jid| (jid, None)),
        };
        match found {
            Err(failure) if failure.errno == Errno::ENOENT => Ok(None),
            found => {
                let (jid, descriptor) = found.during("find jail", &key, "jail_get")?;
                JailReference::hold(kernel, jid, descriptor, "find jail").map(Some)
            }
        }
    }

    /// Creates a jail that stays until it is removed, as [`create`](super::create).
    ///
    /// # Errors
    ///
    /// As [`create`](super::create) and [`JailReference::find`].
    ///
    /// # Source
    ///
    /// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_CREATE and JAIL_GET_DESC.
    #[doc(alias = "jail_set")]
    #[doc(alias = "JAIL_GET_DESC")]
    pub fn create(kernel: &Arc<dyn Kernel>, parameters: &JailParameters) -> Result<JailReference> {
        match has_descriptors(&**kernel)? {
            true => JailReference::create_with(kernel, parameters, JAIL_GET_DESC, None),
            false => {
                let jid = create(&**kernel, parameters)?;
                JailReference::hold(kernel, jid.get(), None, "create jail")
            }
        }
    }

    /// Creates a jail that is removed when the reference is dropped, or the calling process ends.
    ///
    /// [`create_held`](super::create_held) does the same on every release, by a child process.
    ///
    /// # Errors
    ///
    /// * ENOSYS: this kernel has no jail descriptors.
    /// * as [`JailReference::create`].
    ///
    /// # Source
    ///
    /// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_CREATE and JAIL_OWN_DESC,
    /// `kern/kern_jaildesc.c:jaildesc_close`. The jail must be persistent all the same.
    #[doc(alias = "jail_set")]
    #[doc(alias = "JAIL_OWN_DESC")]
    pub fn create_owned(kernel: &Arc<dyn Kernel>, parameters: &JailParameters) -> Result<JailReference> {
        if !has_descriptors(&**kernel)? {
            let missing = Failure::with_text(Errno::ENOSYS, "jail descriptors came with FreeBSD 15");
            return Err(missing).during("create jail", parameters.shown_name(), "jail_set");
        }
        JailReference::create_with(kernel, parameters, JAIL_OWN_DESC, None)
    }

    /// Creates a jail below this jail. The name is relative to this jail.
    ///
    /// # Errors
    ///
    /// * EPERM: this jail's `children.max` is reached.
    /// * ENOENT: this jail is gone.
    /// * as [`JailReference::create`].
    ///
    /// # Source
    ///
    /// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_AT_DESC and JAIL_GET_DESC; before FreeBSD 15 by a
    /// name with this jail's before it.
    #[doc(alias = "jail_set")]
    #[doc(alias = "JAIL_AT_DESC")]
    pub fn create_child(&self, parameters: &JailParameters) -> Result<JailReference> {
        if let Some(descriptor) = self.descriptor {
            let flags = JAIL_AT_DESC | JAIL_GET_DESC;
            return JailReference::create_with(&self.kernel, parameters, flags, Some(descriptor));
        }
        let gone = || Error::new("create jail", parameters.shown_name(), "jail_set", Errno::ENOENT);
        let own = self.info()?.ok_or_else(gone)?.name;
        let name = match parameters.get("name") {
            Some(JailValue::String(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => {
                let unnamed = Failure::with_text(Errno::EINVAL, "below another a jail needs a name");
                return Err(unnamed).during("create jail", parameters.shown_name(), "jail_set");
            }
        };
        let parameters = parameters.clone().set("name", format!("{own}.{name}").as_str());
        JailReference::create(&self.kernel, &parameters)
    }

    fn create_with(
        kernel: &Arc<dyn Kernel>,
        parameters: &JailParameters,
        flags: i32,
        at: Option<Handle>,
    ) -> Result<JailReference> {
        let name = parameters.shown_name();
        let parameters = parameters.clone().set("persist", true).to_kernel();
        let made = parameters.and_then(|parameters| kernel.jail_set_jd(&parameters, JAIL_CREATE | flags, at));
        let (jid, descriptor) = made.during("create jail", &name, "jail_set")?;
        JailReference::hold(kernel, jid, descriptor, "create jail")
    }

    fn hold(
        kernel: &Arc<dyn Kernel>,
        jid: i32,
        descriptor: Option<Handle>,
        operation: &'static str,
    ) -> Result<JailReference> {
        let jid = Jid::new(jid).map_err(|error| {
            if let Some(descriptor) = descriptor {
                kernel.close(descriptor);
            }
            Error::malformed(operation, jid, "jail_set", error)
        })?;
        Ok(JailReference { kernel: Arc::clone(kernel), jid, descriptor })
    }

    /// Returns the jid that the jail had when it was found.
    pub fn jid(&self) -> Jid {
        self.jid
    }

    /// Returns whether the reference is a jail descriptor.
    pub fn is_descriptor(&self) -> bool {
        self.descriptor.is_some()
    }

    pub(super) fn descriptor(&self) -> Option<Handle> {
        self.descriptor
    }

    /// Reads the jail. Returns `None` if the jail is gone, or dying.
    ///
    /// # Errors
    ///
    /// As [`get`](super::get).
    ///
    /// # Source
    ///
    /// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) with JAIL_USE_DESC.
    #[doc(alias = "jail_get")]
    #[doc(alias = "JAIL_USE_DESC")]
    pub fn info(&self) -> Result<Option<JailInfo>> {
        let Some(descriptor) = self.descriptor else { return query::get(&*self.kernel, self.jid) };
        query::read_all(None, |asked| {
            self.kernel.jail_get_jd(asked, JAIL_USE_DESC, Some(descriptor)).map(|(jid, _)| jid)
        })
        .during("look at jail", self.jid, "jail_get")
    }

    /// Changes the jail, as [`update`](super::update).
    ///
    /// # Errors
    ///
    /// As [`update`](super::update).
    ///
    /// # Source
    ///
    /// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_UPDATE and JAIL_USE_DESC.
    #[doc(alias = "jail_set")]
    #[doc(alias = "JAIL_USE_DESC")]
    pub fn update(&self, parameters: &JailParameters) -> Result<()> {
        let Some(descriptor) = self.descriptor else { return update(&*self.kernel, self.jid, parameters) };
        let flags = JAIL_UPDATE | JAIL_USE_DESC;
        let updated = parameters
            .to_kernel()
            .and_then(|parameters| self.kernel.jail_set_jd(&parameters, flags, Some(descriptor)));
        updated.map(drop).during("change jail", self.jid, "jail_set")
    }

    /// Returns the jail's network stack, as [`Vnet::enter`].
    ///
    /// # Errors
    ///
    /// * ENOENT: the jail is gone, or dying.
    /// * as [`Vnet::enter`].
    ///
    /// # Source
    ///
    /// [`jail_set(2)`](https://man.freebsd.org/jail_set(2)) with JAIL_UPDATE, JAIL_USE_DESC and JAIL_ATTACH,
    /// `kern/kern_jail.c:do_jail_attach`; before FreeBSD 15 [`jail_attach(2)`](https://man.freebsd.org/jail_attach(2)).
    /// Of [`jail_attach_jd(2)`](https://man.freebsd.org/jail_attach_jd(2)) on 15.1 a reference to the jail stays
    /// behind, and the jail dying for ever.
    #[doc(alias = "jail_set")]
    #[doc(alias = "JAIL_ATTACH")]
    pub fn enter(&self) -> Result<Vnet> {
        let Some(descriptor) = self.descriptor else {
            return Vnet::enter(Arc::clone(&self.kernel), self.jid);
        };
        let entry = Entry {
            target: Target::Descriptor(descriptor),
            sockets: true,
            sysctls: Vec::new(),
            hold: false,
            deadline: ENTRY_DEADLINE,
        };
        let entered = self.kernel.enter(&entry).during("enter jail", self.jid, "jail_set")?;
        Vnet::from_entered(Arc::clone(&self.kernel), &entered)
    }

    /// Removes the jail, as [`remove`](super::remove).
    ///
    /// # Errors
    ///
    /// * ENOENT, before FreeBSD 15 EINVAL: the jail is gone. On FreeBSD 15 also: the jail is dying.
    /// * EPERM: the caller is not root; on FreeBSD 15: the process that made the reference was not root.
    ///
    /// # Source
    ///
    /// [`jail_remove_jd(2)`](https://man.freebsd.org/jail_remove_jd(2)), `kern/kern_jail.c:sys_jail_remove_jd`; before
    /// FreeBSD 15 [`jail_remove(2)`](https://man.freebsd.org/jail_remove(2)).
    #[doc(alias = "jail_remove_jd")]
    pub fn remove(&self) -> Result<()> {
        match self.descriptor {
            Some(descriptor) => {
                self.kernel.jail_remove_jd(descriptor).during("remove jail", self.jid, "jail_remove_jd")
            }
            None => super::remove(&*self.kernel, self.jid),
        }
    }
}

impl Drop for JailReference {
    fn drop(&mut self) {
        if let Some(descriptor) = self.descriptor {
            self.kernel.close(descriptor);
        }
    }
}

impl fmt::Debug for JailReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.is_descriptor() { "descriptor" } else { "jid" };
        write!(f, "JailReference({} by {how})", self.jid)
    }
}
