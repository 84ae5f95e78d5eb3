//! ipfw(4): numbered rules, instances of NAT, tables of addresses, by messages of IP_FW3.
//!
//! No packet is filtered here. The simulation keeps the same state as the kernel: see
//! `netpfil/ipfw/ip_fw_sockopt.c`, `ip_fw_nat.c` and `ip_fw_table.c`. Every network stack has an ipfw of its own.

mod message;
mod nat;
mod rules;
mod tables;

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use jailwire_sys as sys;

use self::message::Message;
use self::nat::Nat;
use self::rules::Rule;
use self::tables::Table;
use super::caller::Caller;
use super::codec::{Wire, structs};
use super::world::{SocketKind, World};
use crate::kernel::{Errno, Handle, Result};

/// The ipfw of one network stack.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ipfw {
    /// The rules, in the order in which they are evaluated. The very last rule, which always exists, is left out.
    rules: Vec<Rule>,
    /// The number of rules that were added so far.
    last_id: u32,
    /// The NAT instances, newest first.
    nats: Vec<Nat>,
    /// The tables, by the kernel's index.
    tables: BTreeMap<u32, Table>,
}

structs! {
    Ipfw { rules, last_id, nats, tables }
}

/// The largest number of tables, and whether every set has tables of its own.
#[derive(Debug, Clone, Copy)]
struct Limits {
    tables: usize,
    accept: bool,
}

impl Ipfw {
    /// What could be left behind, as text.
    pub fn write(&self, out: &mut String) -> fmt::Result {
        for rule in &self.rules {
            writeln!(out, " ipfw {rule:?}")?;
        }
        for nat in &self.nats {
            writeln!(out, " ipfw {nat:?}")?;
        }
        for table in self.tables.values() {
            writeln!(out, " ipfw {table:?}")?;
        }
        Ok(())
    }
}

impl World {
    /// `getsockopt(2)` with IP_FW3 on a raw socket: `rip_ctloutput`, `ipfw_ctl3`.
    pub fn firewall(&mut self, caller: Caller, handle: Handle, message: &mut [u8]) -> Result<()> {
        let socket = self.handle(handle)?;
        let stack = socket.stack;
        if !matches!(socket.kind, SocketKind::Raw) {
            return Err(Errno::ENOPROTOOPT.into());
        }
        crate::kernel::firewall::check(message)?;
        let loaded = |name: &str| self.modules.iter().any(|module| module == name);
        if !loaded("ipfw") {
            return Err(Errno::ENOPROTOOPT.into());
        }
        // PRIV_NETINET_IPFW: a jail has it if it has a stack of its own.
        let may = self.jails.get(caller.jid).is_none_or(|jail| jail.stack.is_some() && jail.allows("suser"));
        if !caller.root || !may {
            return Err(Errno::EPERM.into());
        }
        let has_nat = loaded("ipfw_nat");
        let securelevel = match self.jails.get(caller.jid) {
            Some(jail) => jail.securelevel.max(self.int_sysctl("kern.securelevel")),
            None => self.int_sysctl("kern.securelevel"),
        };
        let limits = Limits {
            tables: self.stack_int(stack, "net.inet.ip.fw.tables_max").max(0) as usize,
            accept: self.stack_int(stack, "net.inet.ip.fw.default_to_accept") != 0,
        };
        let mut message = Message::new(message, self.release)?;
        let ipfw = &mut self.stacks.get_mut(&stack).ok_or(Errno::ENXIO)?.ipfw;
        let reading =
            [sys::IP_FW_XGET, sys::IP_FW_NAT44_LIST_NAT, sys::IP_FW_NAT44_XGETCONFIG, sys::IP_FW_TABLE_XLIST];
        let of_nat = (sys::IP_FW_NAT44_XCONFIG..=sys::IP_FW_NAT44_LIST_NAT).contains(&message.opcode());
        let known = message.is_of_this_release() && (has_nat || !of_nat);
        if known && securelevel >= 3 && !reading.contains(&message.opcode()) {
            return Err(Errno::EPERM.into());
        }
        match message.opcode() {
            _ if !known => Err(Errno::EINVAL.into()),
            sys::IP_FW_XGET => ipfw.list_rules(&mut message, limits),
            sys::IP_FW_XADD => ipfw.add_rules(&mut message, limits, has_nat),
            sys::IP_FW_XDEL => ipfw.delete_rules(&mut message),
            sys::IP_FW_NAT44_XCONFIG => ipfw.configure_nat(&message),
            sys::IP_FW_NAT44_DESTROY => ipfw.destroy_nat(&message),
            sys::IP_FW_NAT44_XGETCONFIG => ipfw.nat(&mut message),
            sys::IP_FW_NAT44_LIST_NAT => ipfw.list_nats(&mut message),
            sys::IP_FW_TABLE_XCREATE => ipfw.create_table(&message, limits),
            sys::IP_FW_TABLE_XDESTROY => ipfw.destroy_table(&message),
            sys::IP_FW_TABLE_XLIST => ipfw.list_table(&mut message),
            sys::IP_FW_TABLE_XADD | sys::IP_FW_TABLE_XDEL => ipfw.change_table(&mut message),
            _ => Err(Errno::EINVAL.into()),
        }
    }
}
