//! Tables of addresses: `netpfil/ipfw/ip_fw_table.c`.

use std::collections::BTreeSet;
use std::mem::offset_of;

use jailwire_sys::{self as sys, ipfw_obj_ctlv, ipfw_obj_tentry, ipfw_obj_tlv, ipfw_xtable_info};

use super::message::Message;
use super::{Ipfw, Limits};
use crate::kernel::{Block, Errno, Result};

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table {
    pub name: Vec<u8>,
    kind: u8,
    /// The kinds of values in the table.
    values: u32,
    /// The entries: the family, and the address with its prefix length.
    entries: BTreeSet<(u8, ([u8; 16], u8))>,
}

/// The form in a log. It is in a module of its own, because a block's `put` is used everywhere else.
mod form {
    use super::Table;
    use crate::sim::codec::{Wire, structs};

    structs! {
        Table { name, kind, values, entries }
    }
}

const ENTRY: usize = size_of::<ipfw_obj_tentry>();
const INFO: usize = size_of::<ipfw_xtable_info>();
const LIST: usize = size_of::<ipfw_obj_ctlv>();

/// A key of a table: its family, its masked address, and its prefix length.
fn key(entry: &Block) -> Result<(u8, ([u8; 16], u8))> {
    let family = entry.bytes[offset_of!(ipfw_obj_tentry, subtype)];
    let length = entry.bytes[offset_of!(ipfw_obj_tentry, masklen)];
    let bytes = match i32::from(family) {
        sys::AF_INET => 4,
        sys::AF_INET6 => 16,
        _ => return Err(Errno::EINVAL.into()),
    };
    if usize::from(length) > bytes * 8 {
        return Err(Errno::EINVAL.into());
    }
    let mut address = [0; 16];
    let at = offset_of!(ipfw_obj_tentry, k);
    address[..bytes].copy_from_slice(&entry.bytes[at..at + bytes]);
    for (index, byte) in address.iter_mut().enumerate() {
        let ones = usize::from(length).saturating_sub(index * 8).min(8);
        *byte &= u8::try_from((0xff00u16 >> ones) & 0xff).unwrap_or(0);
    }
    Ok((family, (address, length)))
}

impl Ipfw {
    fn find_table(&self, name: &[u8]) -> Option<u32> {
        self.tables.iter().find(|(_, table)| table.name == name).map(|(index, _)| *index)
    }

    /// The index of a table. A missing table is made.
    pub(super) fn table_of(&mut self, name: &[u8], kind: u8, limits: Limits) -> Result<u32> {
        match self.find_table(name) {
            Some(index) if self.tables[&index].kind == kind => Ok(index),
            Some(_) => Err(Errno::EINVAL.into()),
            None => self.make_table(Table { name: name.to_vec(), kind, ..Table::default() }, limits),
        }
    }

    fn make_table(&mut self, table: Table, limits: Limits) -> Result<u32> {
        // Index 0 stands for no table.
        let free = (1..limits.tables as u32).find(|index| !self.tables.contains_key(index));
        let index = free.ok_or(Errno::EBUSY)?;
        self.tables.insert(index, table);
        Ok(index)
    }

    /// IP_FW_TABLE_XCREATE.
    pub(super) fn create_table(&mut self, message: &Message<'_>, limits: Limits) -> Result<()> {
        if message.len() != message.header_size() + INFO {
            return Err(Errno::EINVAL.into());
        }
        let named = message.object()?;
        let info = message.part(message.header_size(), INFO)?;
        if self.find_table(&named.name).is_some() {
            return Err(Errno::EEXIST.into());
        }
        let kind = info.bytes[offset_of!(ipfw_xtable_info, type_)];
        if kind != sys::IPFW_TABLE_ADDR {
            return Err(Errno(sys::ENOTSUP).into());
        }
        let values = info.u32_at(offset_of!(ipfw_xtable_info, vmask));
        self.make_table(Table { name: named.name, kind, values, entries: BTreeSet::new() }, limits).map(drop)
    }

    /// IP_FW_TABLE_XDESTROY.
    pub(super) fn destroy_table(&mut self, message: &Message<'_>) -> Result<()> {
        if message.len() != message.header_size() {
            return Err(Errno::EINVAL.into());
        }
        let index = self.find_table(&message.object()?.name).ok_or(Errno::ESRCH)?;
        if self.rules.iter().any(|rule| rule.tables.contains(&index)) {
            return Err(Errno::EBUSY.into());
        }
        self.tables.remove(&index);
        Ok(())
    }

    /// IP_FW_TABLE_XLIST.
    pub(super) fn list_table(&self, message: &mut Message<'_>) -> Result<()> {
        let header = message.header_size();
        let mut info = message.part(header, INFO)?;
        let index = self.find_table(&message.object()?.name).ok_or(Errno::ESRCH)?;
        let table = &self.tables[&index];
        let size = header + INFO + table.entries.len() * ENTRY;
        let users = self.rules.iter().filter(|rule| rule.tables.contains(&index)).count();
        let mut number = |offset: usize, value: u32| info.put(offset, &value.to_ne_bytes());
        number(offset_of!(ipfw_xtable_info, vmask), table.values);
        number(offset_of!(ipfw_xtable_info, kidx), index);
        number(offset_of!(ipfw_xtable_info, refcnt), users as u32);
        number(offset_of!(ipfw_xtable_info, count), table.entries.len() as u32);
        number(offset_of!(ipfw_xtable_info, size), size as u32);
        info.put(offset_of!(ipfw_xtable_info, type_), &[table.kind]);
        info.put(offset_of!(ipfw_xtable_info, tablename), &table.name);
        info.put(offset_of!(ipfw_xtable_info, algoname), b"addr:radix");
        message.answer(header, &info.bytes);
        if message.len() < size {
            return Err(Errno::ENOMEM.into());
        }
        for (number, (family, (address, length))) in table.entries.iter().enumerate() {
            let mut entry = Block::zeroed(ENTRY);
            entry.put(offset_of!(ipfw_obj_tlv, length), &(ENTRY as u32).to_ne_bytes());
            entry.put(offset_of!(ipfw_obj_tentry, subtype), &[*family]);
            entry.put(offset_of!(ipfw_obj_tentry, masklen), &[*length]);
            entry.put(offset_of!(ipfw_obj_tentry, k), address);
            message.answer(header + INFO + number * ENTRY, &entry.bytes);
        }
        Ok(())
    }

    /// IP_FW_TABLE_XADD, IP_FW_TABLE_XDEL: every entry is tried, and the first error is returned.
    pub(super) fn change_table(&mut self, message: &mut Message<'_>) -> Result<()> {
        let header = message.header_size();
        let named = message.object()?;
        let list = message.part(header, LIST)?;
        let count = list.u32_at(offset_of!(ipfw_obj_ctlv, count)) as usize;
        let bytes = count.checked_mul(ENTRY).ok_or(Errno::EINVAL)?;
        let length = list.u32_at(offset_of!(ipfw_obj_tlv, length)) as usize;
        if length + header != message.len() || header + LIST + bytes != message.len() {
            return Err(Errno::EINVAL.into());
        }
        if count == 0 {
            return Ok(());
        }
        let adds = message.opcode() == sys::IP_FW_TABLE_XADD;
        let index = self.find_table(&named.name).ok_or(Errno::ESRCH)?;
        let table = self.tables.get_mut(&index).ok_or(Errno::ESRCH)?;
        if table.kind != named.kind {
            return Err(Errno::EINVAL.into());
        }
        let mut first = None;
        for number in 0..count {
            let at = header + LIST + number * ENTRY;
            let mut entry = message.part(at, ENTRY)?;
            if entry.u32_at(offset_of!(ipfw_obj_tlv, length)) as usize != ENTRY {
                return Err(Errno::EINVAL.into());
            }
            let key = key(&entry)?;
            let (result, refusal) = match adds {
                true if table.entries.insert(key) => (sys::IPFW_TR_ADDED, None),
                true => (sys::IPFW_TR_EXISTS, Some(Errno::EEXIST)),
                false if table.entries.remove(&key) => (sys::IPFW_TR_DELETED, None),
                false => (sys::IPFW_TR_NOTFOUND, Some(Errno::ENOENT)),
            };
            entry.put(offset_of!(ipfw_obj_tentry, result), &[result]);
            message.answer(at, &entry.bytes);
            first = first.or(refusal);
        }
        first.map_or(Ok(()), |errno| Err(errno.into()))
    }
}
