//! Tables of IPv4 addresses.

use std::mem::offset_of;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use jailwire_sys::{self as sys, ipfw_obj_tentry, ipfw_xtable_info};

use super::{Ipfw, RuleSet, length_of, list_head, opcode};
use crate::abi::small;
use crate::error::{During as _, Error, Result};
use crate::kernel::{Block, Errno};
use crate::packet_filter::TableName;

const ENTRY: usize = size_of::<ipfw_obj_tentry>();
const FAMILY: u8 = small!(sys::AF_INET => u8);

impl Ipfw {
    /// Makes an empty table of addresses. `set` matters where `net.inet.ip.fw.tables_sets` is 1: there every set has
    /// tables of its own. Returns whether the table is new.
    ///
    /// # Errors
    ///
    /// EBUSY: there are `net.inet.ip.fw.tables_max` tables already. EPERM: the caller may not, or the securelevel is 3.
    ///
    /// # Source
    ///
    /// `IP_FW_TABLE_XCREATE`: `netpfil/ipfw/ip_fw_table.c:create_table`.
    #[doc(alias = "IP_FW_TABLE_XCREATE")]
    pub fn add_table(&self, name: &TableName, set: RuleSet) -> Result<bool> {
        let opcode = opcode!(IP_FW_TABLE_XCREATE);
        let mut message = self.about_table(name, set);
        let mut info = Block::zeroed(size_of::<ipfw_xtable_info>());
        info.put(offset_of!(ipfw_xtable_info, type_), &[sys::IPFW_TABLE_ADDR]);
        // An entry's value counts for all kinds of values, as in tables of ipfw(8).
        info.put(offset_of!(ipfw_xtable_info, vmask), &u32::MAX.to_ne_bytes());
        message.bytes.extend(info.bytes);
        match self.attempt(opcode, &mut message) {
            Ok(()) => Ok(true),
            Err(failure) if failure.errno == Errno::EEXIST => Ok(false),
            Err(failure) => Err(Error::new("add table", name, opcode.1, failure)),
        }
    }

    /// Deletes a table. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// EBUSY: a rule names it. EPERM: the caller may not, or the securelevel is 3.
    ///
    /// # Source
    ///
    /// `IP_FW_TABLE_XDESTROY`: `netpfil/ipfw/ip_fw_table.c:destroy_table`.
    #[doc(alias = "IP_FW_TABLE_XDESTROY")]
    pub fn delete_table(&self, name: &TableName, set: RuleSet) -> Result<bool> {
        let opcode = opcode!(IP_FW_TABLE_XDESTROY);
        match self.attempt(opcode, &mut self.about_table(name, set)) {
            Ok(()) => Ok(true),
            Err(failure) if failure.errno == Errno::ESRCH => Ok(false),
            Err(failure) => Err(Error::new("delete table", name, opcode.1, failure)),
        }
    }

    /// Returns the networks of IPv4 in a table, sorted. Returns `None` if there is no such table.
    ///
    /// # Errors
    ///
    /// EPERM: the caller may not.
    ///
    /// # Source
    ///
    /// `IP_FW_TABLE_XLIST`: `netpfil/ipfw/ip_fw_table.c:dump_table_v1`.
    #[doc(alias = "IP_FW_TABLE_XLIST")]
    pub fn table(&self, name: &TableName, set: RuleSet) -> Result<Option<Vec<Ipv4Network>>> {
        let mut question = self.about_table(name, set);
        let header = question.bytes.len();
        question.bytes.resize(header + size_of::<ipfw_xtable_info>(), 0);
        let size = |answer: &Block| answer.u32_at(header + offset_of!(ipfw_xtable_info, size)) as usize;
        let answer = self.list(opcode!(IP_FW_TABLE_XLIST), &question, Some(Errno::ESRCH), size).during(
            "read table",
            name,
            "IP_FW_TABLE_XLIST",
        )?;
        let Some(answer) = answer else { return Ok(None) };
        let count = answer.u32_at(header + offset_of!(ipfw_xtable_info, count)) as usize;
        let entries = answer.bytes.get(question.bytes.len()..).unwrap_or_default();
        let network = |entry: &[u8]| {
            let entry = Block::new(entry);
            let family = entry.bytes[offset_of!(ipfw_obj_tentry, subtype)];
            let address = Ipv4Addr::from(entry.get::<4>(offset_of!(ipfw_obj_tentry, k)));
            let length = entry.bytes[offset_of!(ipfw_obj_tentry, masklen)];
            Ipv4Network::new(address, length).ok().filter(|_| family == FAMILY)
        };
        let mut networks: Vec<_> = entries.chunks_exact(ENTRY).take(count).filter_map(network).collect();
        networks.sort_unstable();
        Ok(Some(networks))
    }

    /// Adds a network to a table. Returns whether it is new.
    ///
    /// # Errors
    ///
    /// ESRCH: no such table. EPERM: the caller may not, or the securelevel is 3.
    ///
    /// # Source
    ///
    /// `IP_FW_TABLE_XADD`: `netpfil/ipfw/ip_fw_table.c:manage_table_ent_v1`.
    #[doc(alias = "IP_FW_TABLE_XADD")]
    pub fn add_to_table(&self, name: &TableName, set: RuleSet, network: Ipv4Network) -> Result<bool> {
        let opcode = opcode!(IP_FW_TABLE_XADD);
        match self.attempt(opcode, &mut self.with_entry(name, set, network)) {
            Ok(()) => Ok(true),
            Err(failure) if failure.errno == Errno::EEXIST => Ok(false),
            Err(failure) => Err(Error::new("add to table", name, opcode.1, failure)),
        }
    }

    /// Removes a network from a table. Returns whether it was in it.
    ///
    /// # Errors
    ///
    /// ESRCH: no such table. EPERM: the caller may not, or the securelevel is 3.
    ///
    /// # Source
    ///
    /// `IP_FW_TABLE_XDEL`: `netpfil/ipfw/ip_fw_table.c:manage_table_ent_v1`.
    #[doc(alias = "IP_FW_TABLE_XDEL")]
    pub fn delete_from_table(&self, name: &TableName, set: RuleSet, network: Ipv4Network) -> Result<bool> {
        let opcode = opcode!(IP_FW_TABLE_XDEL);
        match self.attempt(opcode, &mut self.with_entry(name, set, network)) {
            Ok(()) => Ok(true),
            Err(failure) if failure.errno == Errno::ENOENT => Ok(false),
            Err(failure) => Err(Error::new("delete from table", name, opcode.1, failure)),
        }
    }

    fn about_table(&self, name: &TableName, set: RuleSet) -> Block {
        self.layout.about(&self.layout.named_table(name, set.get()))
    }

    /// A message about one entry of a table.
    fn with_entry(&self, name: &TableName, set: RuleSet, network: Ipv4Network) -> Block {
        let mut message = self.about_table(name, set);
        let mut entry = Block::zeroed(ENTRY);
        entry.put(offset_of!(sys::ipfw_obj_tlv, length), &length_of::<ipfw_obj_tentry>());
        entry.put(offset_of!(ipfw_obj_tentry, subtype), &[FAMILY]);
        entry.put(offset_of!(ipfw_obj_tentry, masklen), &[network.prefix()]);
        let index = super::layout::TABLE_INDEX;
        self.layout.put_number(&mut entry, offset_of!(ipfw_obj_tentry, idx), index);
        entry.put(offset_of!(ipfw_obj_tentry, k), &network.network().octets());
        message.bytes.extend(list_head(sys::IPFW_TLV_TBLENT_LIST, 1, ENTRY, ENTRY).bytes);
        message.bytes.extend(entry.bytes);
        message
    }
}
