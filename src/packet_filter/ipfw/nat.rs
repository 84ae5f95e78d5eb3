//! NAT in the kernel: instances of libalias(3).

use std::fmt;
use std::mem::offset_of;
use std::net::{Ipv4Addr, SocketAddrV4};

use jailwire_sys::{self as sys, ipfw_obj_lheader, nat44_cfg_nat, nat44_cfg_redir};

use super::rule::no_number;
use super::{Ipfw, opcode, put_text};
use crate::error::{During as _, Error, Result};
use crate::kernel::{Block, Errno, Failure};
use crate::packet_filter::{Ports, Protocol};

/// `PKT_ALIAS_SAME_PORTS`: keep the source port if it is free (`netinet/libalias/alias.h`).
const SAME_PORTS: u32 = 0x4;
/// `PKT_ALIAS_SKIP_GLOBAL`: rules with `nat global` do not use this instance.
const SKIP_GLOBAL: u32 = 0x200;

/// `PKT_ALIAS_REVERSE`: incoming packets are treated as outgoing packets, and outgoing packets as incoming.
const REVERSE: u32 = 0x80;

/// The length of the name and of the interface's name in `nat44_cfg_nat`, in bytes.
const NAME: usize = 64;

/// The number of an instance of NAT: 1 to 65534.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NatNumber(u16);

impl NatNumber {
    /// Makes the number of an instance.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): 0, which means the value of a table, or 65535, which means all instances.
    pub fn new(number: u16) -> Result<NatNumber> {
        const LAST: u32 = sys::IPFW_DEFAULT_RULE - 1;
        match u32::from(number) {
            1..=LAST => Ok(NatNumber(number)),
            number => Err(no_number(number, "an instance of NAT", 1, LAST)),
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for NatNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Ports of the host that lead to another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "nat44_cfg_redir")]
#[non_exhaustive]
pub struct NatRedirect {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The host's address.
    pub host: Ipv4Addr,
    /// The host's ports.
    pub ports: Ports,
    /// The address and port that the first of the host's ports leads to. The second port leads to the next port, and so
    /// on.
    pub to: SocketAddrV4,
}

impl NatRedirect {
    /// Returns a redirection of ports of the host's address to this address and the ports from this port on.
    pub fn new(protocol: Protocol, host: Ipv4Addr, ports: Ports, to: SocketAddrV4) -> NatRedirect {
        NatRedirect { protocol, host, ports, to }
    }
}

/// An instance of NAT: the address that packets get as their source, and ports that lead to other addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(alias = "nat44_cfg_nat")]
pub struct Nat {
    number: NatNumber,
    address: Ipv4Addr,
    reversed: bool,
    /// The redirects, sorted.
    redirects: Vec<NatRedirect>,
}

impl Nat {
    /// Returns an instance without redirected ports.
    pub fn new(number: NatNumber, address: Ipv4Addr) -> Nat {
        Nat { number, address, reversed: false, redirects: Vec::new() }
    }

    /// Turned around: packets that come in get the address as their source, and the answers that go out to the address
    /// get their destination back.
    #[doc(alias = "PKT_ALIAS_REVERSE")]
    pub fn reversed(mut self) -> Nat {
        self.reversed = true;
        self
    }

    /// Returns whether the instance is reversed: see [`Nat::reversed`].
    pub fn is_reversed(&self) -> bool {
        self.reversed
    }

    /// Adds redirected ports.
    pub fn redirecting(mut self, redirects: impl IntoIterator<Item = NatRedirect>) -> Nat {
        self.redirects.extend(redirects);
        self.redirects.sort();
        self.redirects.dedup();
        self
    }

    /// Returns the instance's number.
    pub fn number(&self) -> NatNumber {
        self.number
    }

    /// Returns the address that packets get.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Returns the redirected ports, sorted.
    pub fn redirects(&self) -> &[NatRedirect] {
        &self.redirects
    }

    /// A `nat44_cfg_nat` and its redirects.
    fn encode(&self) -> Block {
        let mut block = Block::zeroed(size_of::<nat44_cfg_nat>());
        put_text(&mut block, offset_of!(nat44_cfg_nat, name), NAME, &self.number.to_string());
        block.put(offset_of!(nat44_cfg_nat, ip), &self.address.octets());
        let mode = SAME_PORTS | SKIP_GLOBAL | if self.reversed { REVERSE } else { 0 };
        block.put(offset_of!(nat44_cfg_nat, mode), &mode.to_ne_bytes());
        let count = self.redirects.len() as u32;
        block.put(offset_of!(nat44_cfg_nat, redir_cnt), &count.to_ne_bytes());
        for redirect in &self.redirects {
            block.bytes.extend(redirect.encode().bytes);
        }
        let size = block.bytes.len() as u32;
        block.put(offset_of!(nat44_cfg_nat, size), &size.to_ne_bytes());
        block
    }
}

impl NatRedirect {
    fn encode(&self) -> Block {
        let mut block = Block::zeroed(size_of::<nat44_cfg_redir>());
        let mut short = |offset: usize, value: u16| block.put(offset, &value.to_ne_bytes());
        // These fields are in host byte order.
        short(offset_of!(nat44_cfg_redir, lport), self.to.port());
        short(offset_of!(nat44_cfg_redir, pport), self.ports.first());
        short(offset_of!(nat44_cfg_redir, pport_cnt), self.ports.count() as u16);
        short(offset_of!(nat44_cfg_redir, rport_cnt), 1);
        short(offset_of!(nat44_cfg_redir, mode), sys::NAT44_REDIR_PORT);
        block.put(offset_of!(nat44_cfg_redir, laddr), &self.to.ip().octets());
        block.put(offset_of!(nat44_cfg_redir, paddr), &self.host.octets());
        let protocol = u32::from(self.protocol.number());
        block.put(offset_of!(nat44_cfg_redir, proto), &protocol.to_ne_bytes());
        block
    }

    /// Reads a redirect. Returns `None` for a redirect that [`NatRedirect`] cannot represent.
    fn decode(bytes: &[u8]) -> Option<NatRedirect> {
        let block = Block::new(bytes);
        let short = |offset: usize| block.u16_at(offset);
        let address = |offset: usize| Ipv4Addr::from(block.get::<4>(offset));
        let first = short(offset_of!(nat44_cfg_redir, pport));
        let count = short(offset_of!(nat44_cfg_redir, pport_cnt)).checked_sub(1)?;
        let to = address(offset_of!(nat44_cfg_redir, laddr));
        (short(offset_of!(nat44_cfg_redir, mode)) == sys::NAT44_REDIR_PORT).then_some(())?;
        Some(NatRedirect {
            protocol: Protocol::from_number(block.u32_at(offset_of!(nat44_cfg_redir, proto)).into())?,
            host: address(offset_of!(nat44_cfg_redir, paddr)),
            ports: Ports::new(first, first.checked_add(count)?)?,
            to: SocketAddrV4::new(to, short(offset_of!(nat44_cfg_redir, lport))),
        })
    }
}

impl Ipfw {
    /// Returns whether the kernel has NAT for ipfw: the module `ipfw_nat`.
    ///
    /// # Errors
    ///
    /// EPERM: the caller may not.
    pub fn has_nat(&self) -> Result<bool> {
        match self.nats() {
            Ok(_) => Ok(true),
            // The kernel has no such request.
            Err(error) if error.errno() == Some(Errno::EINVAL) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the numbers of all instances, sorted.
    ///
    /// # Errors
    ///
    /// EINVAL: `ipfw_nat` is not loaded. EPERM: the caller may not.
    ///
    /// # Source
    ///
    /// `IP_FW_NAT44_LIST_NAT`: `netpfil/ipfw/ip_fw_nat.c:nat44_list_nat`.
    #[doc(alias = "IP_FW_NAT44_LIST_NAT")]
    pub fn nats(&self) -> Result<Vec<NatNumber>> {
        const COUNT: usize = offset_of!(ipfw_obj_lheader, count);
        let question = Block::zeroed(size_of::<ipfw_obj_lheader>());
        let size = |answer: &Block| answer.u32_at(offset_of!(ipfw_obj_lheader, size)) as usize;
        let answer = self
            .list(opcode!(IP_FW_NAT44_LIST_NAT), &question, None, size)
            .during("list", "the instances of NAT", "IP_FW_NAT44_LIST_NAT")?
            .unwrap_or_default();
        let count = answer.u32_at(COUNT) as usize;
        let listed = answer.bytes.get(size_of::<ipfw_obj_lheader>()..).unwrap_or_default();
        let number = |nat: &[u8]| {
            let name = Block::new(nat);
            let name = name.text_at(offset_of!(nat44_cfg_nat, name), NAME);
            NatNumber::new(std::str::from_utf8(name).ok()?.parse().ok()?).ok()
        };
        let mut numbers: Vec<_> =
            listed.chunks_exact(size_of::<nat44_cfg_nat>()).take(count).filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Reads an instance. Returns `None` if no instance has that number. Redirects of a form that [`NatRedirect`] does
    /// not have are left out.
    ///
    /// # Errors
    ///
    /// EINVAL: `ipfw_nat` is not loaded. EPERM: the caller may not.
    ///
    /// # Source
    ///
    /// `IP_FW_NAT44_XGETCONFIG`: `netpfil/ipfw/ip_fw_nat.c:nat44_get_cfg`.
    #[doc(alias = "IP_FW_NAT44_XGETCONFIG")]
    pub fn nat(&self, number: NatNumber) -> Result<Option<Nat>> {
        let mut question = self.layout.about_number(number.get());
        let header = question.bytes.len();
        question.bytes.extend(Nat::new(number, Ipv4Addr::UNSPECIFIED).encode().bytes);
        let size = |answer: &Block| answer.u32_at(header + offset_of!(nat44_cfg_nat, size)) as usize;
        let answer = self.list(opcode!(IP_FW_NAT44_XGETCONFIG), &question, Some(Errno::ESRCH), size).during(
            "read NAT",
            number,
            "IP_FW_NAT44_XGETCONFIG",
        )?;
        let Some(answer) = answer else { return Ok(None) };
        let address = Ipv4Addr::from(answer.get::<4>(header + offset_of!(nat44_cfg_nat, ip)));
        let end = size(&answer).min(answer.bytes.len());
        let redirects = answer.bytes.get(header + size_of::<nat44_cfg_nat>()..end).unwrap_or_default();
        let redirects = redirects.chunks_exact(size_of::<nat44_cfg_redir>()).filter_map(NatRedirect::decode);
        let reversed = answer.u32_at(header + offset_of!(nat44_cfg_nat, mode)) & REVERSE != 0;
        Ok(Some(Nat { reversed, ..Nat::new(number, address).redirecting(redirects) }))
    }

    /// Makes an instance, or replaces its configuration. Open connections continue, also those to ports that are no
    /// longer redirected. During the change, for some microseconds, the kernel drops packets that a rule hands to the
    /// instance.
    ///
    /// # Errors
    ///
    /// EINVAL: a redirect begins or ends beyond port 65535, or the kernel did not take a redirect; `ipfw_nat` is not
    /// loaded. EPERM: the caller may not, or the securelevel is 3. EFBIG: more than 16 MiB.
    ///
    /// # Source
    ///
    /// `IP_FW_NAT44_XCONFIG`: `netpfil/ipfw/ip_fw_nat.c:nat44_cfg`. The kernel does not report a redirect that it did
    /// not take. For that reason this function reads the instance again.
    #[doc(alias = "IP_FW_NAT44_XCONFIG")]
    pub fn configure_nat(&self, nat: &Nat) -> Result<()> {
        const WHAT: &str = "configure NAT";
        let number = nat.number;
        let refuse = |words: String| {
            let failure = Failure::with_text(Errno::EINVAL, words);
            Err(Error::new(WHAT, number, "IP_FW_NAT44_XCONFIG", failure))
        };
        let beyond = |one: &&NatRedirect| {
            one.to.port() == 0 || usize::from(one.to.port()) + one.ports.count() - 1 > usize::from(u16::MAX)
        };
        if let Some(beyond) = nat.redirects.iter().find(beyond) {
            return refuse(format!("port {} leads to ports that are none", beyond.ports));
        }
        let mut message = self.layout.about_number(number.get());
        message.bytes.extend(nat.encode().bytes);
        self.perform(opcode!(IP_FW_NAT44_XCONFIG), &mut message, WHAT, number)?;
        let made = self.nat(number)?;
        let made = made.as_ref().map_or(&[][..], Nat::redirects);
        match nat.redirects.iter().find(|wanted| !made.contains(wanted)) {
            Some(missing) => refuse(format!("the kernel did not take port {}", missing.ports)),
            None => Ok(()),
        }
    }

    /// Removes an instance, with all connections that it translates. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// EINVAL: `ipfw_nat` is not loaded. EPERM: the caller may not, or the securelevel is 3.
    ///
    /// # Source
    ///
    /// `IP_FW_NAT44_DESTROY`: `netpfil/ipfw/ip_fw_nat.c:nat44_destroy`.
    #[doc(alias = "IP_FW_NAT44_DESTROY")]
    pub fn delete_nat(&self, number: NatNumber) -> Result<bool> {
        let opcode = opcode!(IP_FW_NAT44_DESTROY);
        match self.attempt(opcode, &mut self.layout.about_number(number.get())) {
            Ok(()) => Ok(true),
            Err(failure) if failure.errno == Errno::ESRCH => Ok(false),
            Err(failure) => Err(Error::new("delete NAT", number, opcode.1, failure)),
        }
    }
}
