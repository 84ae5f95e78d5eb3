//! ipfw(4): numbered rules, tables, and NAT in the kernel, by messages of IP_FW3, without `ipfw` and `natd`.
//!
//! Every rule has a number and a set. Rules are added one by one, and deleted by number and set. A program with a set
//! of its own leaves all other rules as they are: this module never flushes rules. It also never loads ipfw or switches
//! it on: the last rule of ipfw drops every packet, unless `net.inet.ip.fw.default_to_accept` says otherwise.
//!
//! The messages differ between FreeBSD 14, where numbers of rules and tables have 16 bits, and FreeBSD 15.
//! [`Ipfw::open`] finds out which messages the kernel understands.
//!
//! ```
//! use std::sync::Arc;
//!
//! use jailwire::kernel::Calls as _;
//! use jailwire::packet_filter::ipfw::{Action, Ipfw, Nat, NatNumber, Rule, RuleNumber, RuleSet};
//! use jailwire::sim::Sim;
//!
//! let kernel = Arc::new(Sim::new());
//! kernel.load_module("ipfw")?;
//! kernel.load_module("ipfw_nat")?;
//! let ipfw = Ipfw::open(kernel)?;
//! let nat = Nat::new(NatNumber::new(10)?, "192.0.2.10".parse()?);
//! ipfw.configure_nat(&nat)?;
//! assert_eq!(ipfw.nat(nat.number())?, Some(nat.clone()));
//!
//! let (number, set) = (RuleNumber::new(50)?, RuleSet::new(29)?);
//! let rule = Rule::new(number, set, Action::Nat(nat.number()))
//!     .from_networks(["10.0.0.2/32".parse()?])
//!     .leaving_by("em0".parse()?)
//!     .commented("NAT of web")?;
//! ipfw.add(&rule)?;
//! assert_eq!(ipfw.rules(number, number)?, [rule]);
//! assert_eq!(ipfw.delete(number, set)?, 1);
//! assert!(ipfw.delete_nat(nat.number())?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod instruction;
mod layout;
mod nat;
mod rule;
mod rules;
mod table;

use std::fmt;
use std::mem::offset_of;
use std::sync::Arc;

use jailwire_sys::{self as sys, ip_fw3_opheader};

use self::layout::Layout;
use crate::error::{During as _, Error, Result};
use crate::kernel::{self, Block, Domain, Errno, Handle, Kernel};

pub use nat::{Nat, NatNumber, NatRedirect};
pub use rule::{Action, Rule, RuleNumber, RuleSet, Source};

/// The ipfw of the host.
#[derive(Debug)]
pub struct Ipfw {
    kernel: Arc<dyn Kernel>,
    handle: Handle,
    layout: Layout,
}

/// A request: its number, and its name for errors.
#[derive(Debug, Clone, Copy)]
struct Opcode(u16, &'static str);

/// `opcode!(IP_FW_XADD)`
macro_rules! opcode {
    ($name:ident) => {
        $crate::packet_filter::ipfw::Opcode(jailwire_sys::$name, stringify!($name))
    };
}
use opcode;

impl Ipfw {
    /// Opens ipfw.
    ///
    /// # Errors
    ///
    /// * ENOPROTOOPT: ipfw is not loaded.
    /// * EPERM: the caller is not root, or is in a jail that shares the host's network stack.
    ///
    /// # Source
    ///
    /// `IP_FW3`: [`ipfw(4)`](https://man.freebsd.org/ipfw(4)), `netpfil/ipfw/ip_fw_sockopt.c:ipfw_ctl3`.
    #[doc(alias = "IP_FW3")]
    pub fn open(kernel: Arc<dyn Kernel>) -> Result<Ipfw> {
        let layout = Layout::of(&*kernel)?;
        let handle = kernel.socket(Domain::Raw).during("open", "ipfw", "socket")?;
        let ipfw = Ipfw { kernel, handle, layout };
        // Make the smallest request: how much room the rules between two numbers take.
        ipfw.measure()?;
        Ok(ipfw)
    }

    /// Returns whether ipfw sees packets of IPv4: `net.inet.ip.fw.enable`.
    ///
    /// # Errors
    ///
    /// Those of [`sysctl(3)`](https://man.freebsd.org/sysctl(3)).
    pub fn is_enabled(&self) -> Result<bool> {
        Ok(self.sysctl("net.inet.ip.fw.enable")? != 0)
    }

    /// Returns whether a packet that NAT has looked at passes without a look at the later rules:
    /// `net.inet.ip.fw.one_pass`. The setting holds also for packets that NAT does not change.
    ///
    /// # Errors
    ///
    /// Those of [`sysctl(3)`](https://man.freebsd.org/sysctl(3)).
    pub fn is_one_pass(&self) -> Result<bool> {
        Ok(self.sysctl("net.inet.ip.fw.one_pass")? != 0)
    }

    fn sysctl(&self, name: &'static str) -> Result<i32> {
        const WHAT: &str = "read";
        let value = self.kernel.sysctl(&kernel::Sysctl::read(name)).during(WHAT, name, "sysctl")?;
        crate::abi::int(&value).ok_or_else(|| malformed(WHAT, name, "sysctl"))
    }

    /// Sends a message. Its first 8 bytes are filled in here.
    fn attempt(&self, opcode: Opcode, message: &mut Block) -> kernel::Result<()> {
        message.put(offset_of!(ip_fw3_opheader, opcode), &opcode.0.to_ne_bytes());
        message.put(offset_of!(ip_fw3_opheader, version), &self.layout.version(opcode.0).to_ne_bytes());
        self.kernel.firewall(self.handle, &mut message.bytes)
    }

    fn perform(
        &self,
        opcode: Opcode,
        message: &mut Block,
        operation: &'static str,
        object: impl fmt::Display,
    ) -> Result<()> {
        self.attempt(opcode, message).during(operation, object, opcode.1)
    }

    /// Makes a request with a growing buffer, until the answer fits. `size` finds the needed length in an answer.
    /// Returns `None` if the errno is `absent`.
    fn list(
        &self,
        opcode: Opcode,
        question: &Block,
        absent: Option<Errno>,
        size: impl Fn(&Block) -> usize,
    ) -> kernel::Result<Option<Block>> {
        const MOST: usize = 16 << 20;
        let mut room = question.bytes.len().max(4096);
        loop {
            let mut message = question.clone();
            message.bytes.resize(room, 0);
            match self.attempt(opcode, &mut message) {
                Ok(()) => return Ok(Some(message)),
                Err(failure) if Some(failure.errno) == absent => return Ok(None),
                // The list may grow until the next request.
                Err(failure) if failure.errno == Errno::ENOMEM && room < MOST => {
                    room = (size(&message) + size(&message) / 8).clamp(room * 2, MOST);
                }
                Err(failure) => return Err(failure),
            }
        }
    }
}

impl Drop for Ipfw {
    fn drop(&mut self) {
        self.kernel.close(self.handle);
    }
}

fn malformed(operation: &'static str, object: impl fmt::Display, call: &'static str) -> Error {
    Error::malformed(operation, object, call, "the kernel's answer lacks a field")
}

/// Writes a C string. A text without room for its NUL is cut.
fn put_text(block: &mut Block, offset: usize, room: usize, text: &str) {
    let bytes = text.as_bytes();
    block.put(offset, &bytes[..bytes.len().min(room - 1)]);
}

/// The length of a structure, as a field of 32 bits.
fn length_of<T>() -> [u8; 4] {
    (size_of::<T>() as u32).to_ne_bytes()
}

/// `ipfw_obj_ctlv`: the head of a list of `count` elements of `size` bytes. A `size` of 0 stands for different
/// sizes.
fn list_head(kind: u16, count: usize, size: usize, bytes: usize) -> Block {
    use sys::ipfw_obj_ctlv as list;
    use sys::ipfw_obj_tlv as head;

    let mut block = Block::zeroed(size_of::<list>());
    let length = (size_of::<list>() + bytes) as u32;
    block.put(offset_of!(list, head) + offset_of!(head, type_), &kind.to_ne_bytes());
    block.put(offset_of!(list, head) + offset_of!(head, length), &length.to_ne_bytes());
    block.put(offset_of!(list, count), &(count as u32).to_ne_bytes());
    block.put(offset_of!(list, objsize), &(size as u16).to_ne_bytes());
    block
}
