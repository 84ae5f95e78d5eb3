//! pf(4): rules in anchors, tables and states, by requests on `/dev/pf`, without `pfctl` and netlink.
//!
//! An [`Anchor`] is a place for rules that the main ruleset calls by name (`nat-anchor "jailwire/*"` …). This module
//! writes rules into anchors, and cannot write the main ruleset. [`PacketFilter::replace`] replaces all rules of an
//! anchor in one transaction. The module never loads pf, and only [`PacketFilter::switch_on`] switches it on:
//! [`PacketFilter::is_running`] and [`PacketFilter::calls`] report what is missing.
//!
//! ```
//! use std::sync::Arc;
//!
//! use jailwire::packet_filter::{Action, Anchor, Family, PacketFilter, Rule};
//! use jailwire::sim::Sim;
//!
//! let kernel = Arc::new(Sim::new());
//! jailwire::kernel::Calls::load_module(&*kernel, "pf")?;
//! let pf = PacketFilter::open(kernel)?;
//! let web = Anchor::new("jailwire/web")?;
//! let nat = Rule::new(Family::Inet, Action::Nat { to: "192.0.2.10".parse()? })
//!     .on("em0".parse()?)
//!     .from("10.0.0.2/32".parse()?);
//! pf.replace(&web, &[nat.clone()])?;
//! assert_eq!(pf.rules(&web)?, [nat]);
//! pf.remove(&web)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod anchor;
pub mod ipfw;
mod read;
mod rule;
mod states;
mod table;
mod write;

use std::path::Path;
use std::sync::Arc;

use crate::abi::Call;
use crate::error::{During as _, Error, Result};
use crate::kernel::nvlist::NvList;
use crate::kernel::{self, Block, Errno, Handle, Kernel};

pub use anchor::Anchor;
pub use rule::{Action, Direction, Family, Ports, Protocol, Rule, RuleKind};
pub use states::StateFilter;
pub use table::TableName;

/// The device. It is there when pf is in the kernel, or its module is loaded.
const DEVICE: &str = "/dev/pf";

/// The host's packet filter.
#[derive(Debug)]
pub struct PacketFilter {
    kernel: Arc<dyn Kernel>,
    handle: Handle,
}

impl PacketFilter {
    /// Opens pf to read and to write.
    ///
    /// # Errors
    ///
    /// * ENOENT: pf is not loaded.
    /// * EACCES: the caller is not root.
    /// * EOPNOTSUPP: the kernel cannot open devices.
    ///
    /// # Source
    ///
    /// [`pf(4)`](https://man.freebsd.org/pf(4)).
    #[doc(alias = "/dev/pf")]
    pub fn open(kernel: Arc<dyn Kernel>) -> Result<PacketFilter> {
        let handle = kernel.open_device(Path::new(DEVICE)).during("open", DEVICE, OPEN)?;
        Ok(PacketFilter { kernel, handle })
    }

    /// Opens pf to read alone.
    ///
    /// # Errors
    ///
    /// * ENOENT: pf is not loaded.
    /// * EACCES: the caller is not root.
    pub fn open_read_only(kernel: Arc<dyn Kernel>) -> Result<PacketFilter> {
        let handle = kernel.open(Path::new(DEVICE)).during("open", DEVICE, OPEN)?;
        Ok(PacketFilter { kernel, handle })
    }

    /// Returns whether pf is running. If pf is not running, its rules have no effect.
    ///
    /// # Errors
    ///
    /// An open device reports no errors.
    ///
    /// # Source
    ///
    /// `DIOCGETSTATUSNV`: [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_ioctl.c:pf_getstatus`.
    #[doc(alias = "DIOCGETSTATUSNV")]
    pub fn is_running(&self) -> Result<bool> {
        const WHAT: &str = "read the status of";
        let status = self.ask_list(crate::abi::call!(DIOCGETSTATUSNV), None, WHAT, "pf")?;
        status.bool("running").ok_or_else(|| malformed(WHAT, "pf", "DIOCGETSTATUSNV"))
    }

    /// Switches pf on: from now on all its rules have an effect, also those of other programs. Returns whether it
    /// was off.
    ///
    /// # Errors
    ///
    /// EACCES: opened to read alone. EPERM: the securelevel is 3.
    ///
    /// # Source
    ///
    /// `DIOCSTART`: [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_ioctl.c:pf_start`.
    #[doc(alias = "DIOCSTART")]
    pub fn switch_on(&self) -> Result<bool> {
        match self.attempt(&mut crate::abi::call!(DIOCSTART)) {
            Ok(()) => Ok(true),
            Err(failure) if failure.errno == Errno::EEXIST => Ok(false),
            Err(failure) => Err(Error::new("switch on", "pf", "DIOCSTART", failure)),
        }
    }

    fn attempt(&self, call: &mut Call) -> kernel::Result<()> {
        self.kernel.ioctl(self.handle, &mut call.request)
    }

    fn perform(
        &self,
        call: &mut Call,
        operation: &'static str,
        object: impl std::fmt::Display,
    ) -> Result<()> {
        self.attempt(call).during(operation, object, call.name)
    }

    /// Makes a request with a packed nvlist, or without one. Returns the nvlist of the kernel's answer.
    fn ask_list(
        &self,
        mut call: Call,
        asked: Option<&NvList>,
        operation: &'static str,
        object: impl std::fmt::Display,
    ) -> Result<NvList> {
        self.attempt_list(&mut call, asked)
            .during(operation, &object, call.name)?
            .ok_or_else(|| malformed(operation, object, call.name))
    }

    /// As [`ask_list`](Self::ask_list), for callers that look at the failure first. Returns `None` when the answer
    /// is no nvlist.
    fn attempt_list(&self, call: &mut Call, asked: Option<&NvList>) -> kernel::Result<Option<NvList>> {
        use std::mem::offset_of;

        use jailwire_sys::pfioc_nv;

        const DATA: usize = offset_of!(pfioc_nv, data);
        const LENGTH: usize = offset_of!(pfioc_nv, len);
        const SIZE: usize = offset_of!(pfioc_nv, size);
        /// The room for an answer, in bytes. A rule or the status takes 3 KiB on 15.1.
        const ROOM: usize = 16 << 10;
        let packed = asked.map(NvList::pack).unwrap_or_default();
        let (length, mut room) = (packed.len(), ROOM);
        loop {
            let mut buffer = packed.clone();
            buffer.resize(room, 0);
            let argument = call.argument();
            *argument = Block::zeroed(size_of::<pfioc_nv>());
            argument.put(LENGTH, &(length as u64).to_ne_bytes());
            argument.put(SIZE, &(room as u64).to_ne_bytes());
            argument.point(DATA, Block::new(buffer));
            match self.attempt(call) {
                Err(failure) if failure.errno == Errno::ENOSPC && room < 1 << 24 => room *= 4,
                Err(failure) => return Err(failure),
                Ok(()) => break,
            }
        }
        let argument = call.argument();
        let length = argument.u64_at(LENGTH) as usize;
        let bytes = argument.child(DATA).and_then(|child| child.bytes.get(..length));
        Ok(bytes.and_then(NvList::unpack))
    }
}

impl Drop for PacketFilter {
    fn drop(&mut self) {
        self.kernel.close(self.handle);
    }
}

const OPEN: &str = "open /dev/pf";

fn malformed(operation: &'static str, object: impl std::fmt::Display, call: &'static str) -> Error {
    Error::malformed(operation, object, call, "the kernel's answer lacks a field")
}
