//! Creating and destroying interfaces.

use std::mem::offset_of;

use jailwire_sys::{IFNAMSIZ, if_clonereq};

use crate::abi::{Call, IFRU, call};
use crate::error::{During, Error, Result};
use crate::kernel::{Block, Errno, Failure};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// The kernel modules of cloners, where the module's name is not `if_` and the cloner's name.
const MODULES: [(&str, &str); 4] =
    [("tap", "if_tuntap"), ("tun", "if_tuntap"), ("vmnet", "if_tuntap"), ("ipfwlog", "ipfw")];

/// The largest number of cloners that is read: more than any kernel has.
const MANY: usize = 1 << 16;

impl Vnet {
    /// Creates an interface, and loads the kernel module of its cloner if it is missing. Returns the interface's
    /// name.
    ///
    /// The interface is down, and has no addresses. It belongs to this stack: when this stack is removed, the
    /// interface is destroyed, wherever it is then.
    ///
    /// # Arguments
    ///
    /// * `cloner`: a cloner, such as `bridge`, for the first free unit; or with a unit, such as `bridge3`.
    ///
    /// # Errors
    ///
    /// * EINVAL: no cloner of that name, also after loading a module; or the unit is no number.
    /// * EEXIST: the unit or the name is taken.
    /// * ENOSPC: the unit is above 32767, or all are taken.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCIFCREATE2`: [`netintro(4)`](https://man.freebsd.org/netintro(4)), `net/if_clone.c:if_clone_create`. ifconfig(8), not the kernel,
    /// loads modules.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// # let host = jailwire::Vnet::host(kernel.clone());
    /// let bridge = host.create("bridge")?;
    /// host.destroy(&bridge)?;
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "SIOCIFCREATE2")]
    pub fn create(&self, cloner: &str) -> Result<InterfaceName> {
        let name = InterfaceName::new(cloner).map_err(|error| {
            let failure = Failure::with_text(Errno::EINVAL, error.to_string());
            Error::new("create", cloner, "SIOCIFCREATE2", failure)
        })?;
        let mut ask = call!(SIOCIFCREATE2).on(&name);
        match self.attempt(&mut ask) {
            Err(failure) if failure.errno == Errno::EINVAL && self.load_cloner(cloner)? => {
                self.perform(&mut ask, "create", name)?;
            }
            other => other.during("create", name, ask.name)?,
        }
        made(&mut ask, &name)
    }

    /// Loads the module of a cloner that this stack does not have. Returns false if trying again cannot help.
    fn load_cloner(&self, name: &str) -> Result<bool> {
        let cloner = name.trim_end_matches(|unit: char| unit.is_ascii_digit());
        if cloner.is_empty() {
            return Ok(false);
        }
        // Another process may have loaded the module since. If it was loaded before, trying again does no harm.
        if self.cloners()?.iter().any(|present| *present == *cloner) {
            return Ok(true);
        }
        let module = MODULES.iter().find(|(with, _)| *with == cloner);
        let module = module.map_or_else(|| format!("if_{cloner}"), |(_, module)| (*module).to_owned());
        match self.kernel().load_module(&module) {
            Ok(()) => Ok(true),
            // There is no such module, so there is no such cloner.
            Err(failure) if failure.errno == Errno::ENOENT => Ok(false),
            Err(failure) => Err(failure).during("load module", module, "kldload"),
        }
    }

    /// Destroys an interface that was created.
    ///
    /// Destroying an end of an epair also destroys the other end, wherever that is. Destroying a bridge does not
    /// destroy its members.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface, or it was not created by a cloner.
    /// * EINVAL: it has no cloner in the stack it was made in; or it is lo0.
    /// * EBUSY: it carries vlans.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCIFDESTROY`: [`netintro(4)`](https://man.freebsd.org/netintro(4)), `net/if_clone.c:if_clone_destroy`.
    #[doc(alias = "SIOCIFDESTROY")]
    pub fn destroy(&self, name: &InterfaceName) -> Result<()> {
        self.perform(&mut call!(SIOCIFDESTROY).on(name), "destroy", name)
    }

    /// Lists the cloners of this stack, the newest first.
    ///
    /// # Errors
    ///
    /// EBUSY: the stack is being torn down.
    ///
    /// # Source
    ///
    /// `SIOCIFGCLONERS`: [`netintro(4)`](https://man.freebsd.org/netintro(4)), `net/if_clone.c:if_clone_list`.
    #[doc(alias = "SIOCIFGCLONERS")]
    pub fn cloners(&self) -> Result<Vec<InterfaceName>> {
        let mut room = 32;
        loop {
            let mut ask = call!(SIOCIFGCLONERS);
            let argument = ask.argument();
            let count = i32::try_from(room).unwrap_or(i32::MAX);
            argument.put(offset_of!(if_clonereq, ifcr_count), &count.to_ne_bytes());
            argument.point(offset_of!(if_clonereq, ifcr_buffer), Block::zeroed(room * IFNAMSIZ));
            self.perform(&mut ask, "list cloners", "")?;
            let total =
                usize::try_from(ask.argument().i32_at(offset_of!(if_clonereq, ifcr_total))).unwrap_or(0);
            if total > MANY {
                return Err(Error::malformed("list cloners", "", ask.name, "the list does not end"));
            }
            if total > room {
                room = total + 8;
                continue;
            }
            let names = ask.argument().child(offset_of!(if_clonereq, ifcr_buffer));
            let names = names.map_or(&[][..], |child| &child.bytes);
            return Ok(names
                .chunks_exact(IFNAMSIZ)
                .take(total)
                .filter_map(InterfaceName::from_ifname)
                .collect());
        }
    }

    /// Gives an interface another name.
    ///
    /// It may be up and have addresses; it stays in its bridge and its groups, and keeps its index. The
    /// unit of its cloner stays taken. A monitor reports that it departs and arrives.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * EEXIST: another interface of this stack has the name.
    /// * EPERM: not root.
    ///
    /// # Source
    ///
    /// `SIOCSIFNAME`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:if_rename`.
    #[doc(alias = "SIOCSIFNAME")]
    pub fn rename(&self, name: &InterfaceName, new: &InterfaceName) -> Result<()> {
        let mut ask = call!(SIOCSIFNAME).on(name);
        ask.argument().point(IFRU, Block::new(*new.as_ifname()));
        self.perform(&mut ask, "rename", format_args!("{name} to {new}"))
    }
}

/// Reads the name that the kernel has written into the request.
fn made(ask: &mut Call, wanted: &InterfaceName) -> Result<InterfaceName> {
    InterfaceName::from_ifname(&ask.argument().get::<IFNAMSIZ>(0))
        .ok_or_else(|| Error::malformed("create", wanted, ask.name, "the kernel gave no name"))
}
