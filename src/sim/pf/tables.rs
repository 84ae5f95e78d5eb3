//! Tables of addresses (`netpfil/pf/pf_table.c`): persistent tables, which need no rule that names them.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::mem::offset_of;

use jailwire_sys as sys;

use super::Pf;
use crate::kernel::{Block, Errno, Result};

/// One table.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    flags: u32,
    /// The entries: family, address, prefix length, and whether the entry is negated.
    addresses: BTreeSet<(u8, [u8; 16], u8, bool)>,
}

/// The form in a log. It is in a module of its own, because a block's `put` is used everywhere else.
mod form {
    use super::Table;
    use crate::sim::codec::{Wire, structs};

    structs! {
        Table { flags, addresses }
    }
}

const TABLE: usize = offset_of!(sys::pfioc_table, pfrio_table);
const BUFFER: usize = offset_of!(sys::pfioc_table, pfrio_buffer);
const SIZE: usize = offset_of!(sys::pfioc_table, pfrio_size);
const ADDED: usize = offset_of!(sys::pfioc_table, pfrio_nadd);
const DELETED: usize = offset_of!(sys::pfioc_table, pfrio_ndel);
const ENTRY: usize = size_of::<sys::pfr_addr>();
const NAMED: usize = size_of::<sys::pfr_table>();

/// pf_ioctl_maxcount.
const MOST: i32 = 65535;

/// The elements of a request.
fn elements(argument: &Block, size: usize, too_many: Errno) -> Result<Vec<Block>> {
    if argument.i32_at(offset_of!(sys::pfioc_table, pfrio_esize)) != size as i32 {
        return Err(Errno::ENODEV.into());
    }
    let count = argument.i32_at(SIZE);
    if !(0..=MOST).contains(&count) {
        return Err(too_many.into());
    }
    let length = count as usize * size;
    match argument.child(BUFFER) {
        Some(child) => {
            let bytes = child.bytes.get(..length).ok_or(Errno::EFAULT)?;
            Ok(bytes.chunks_exact(size).map(Block::new).collect())
        }
        None if length == 0 => Ok(Vec::new()),
        None => Err(Errno::EFAULT.into()),
    }
}

/// `pfr_validate_table`: its anchor and its name.
fn named(block: &Block, at: usize, allowed: u32) -> Result<(String, Vec<u8>)> {
    let anchor = block.text_at(at + offset_of!(sys::pfr_table, pfrt_anchor), sys::MAXPATHLEN);
    let name = block.text_at(at + offset_of!(sys::pfr_table, pfrt_name), sys::PF_TABLE_NAME_SIZE);
    let flags = block.u32_at(at + offset_of!(sys::pfr_table, pfrt_flags));
    let refused =
        name.is_empty() || name.len() == sys::PF_TABLE_NAME_SIZE || anchor == b"_pf" || flags & !allowed != 0;
    if refused { Err(Errno::EINVAL.into()) } else { Ok((Pf::path(anchor), name.to_vec())) }
}

/// `pfr_validate_addr`.
fn entry(block: &Block) -> Result<(u8, [u8; 16], u8, bool)> {
    let address: [u8; 16] = block.get(0);
    let byte = |offset: usize| block.bytes[offset];
    let family = byte(offset_of!(sys::pfr_addr, pfra_af));
    let length = byte(offset_of!(sys::pfr_addr, pfra_net));
    let longest = match i32::from(family) {
        sys::AF_INET => 32,
        sys::AF_INET6 => 128,
        _ => return Err(Errno::EINVAL.into()),
    };
    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    let beyond = length > longest || u128::from_be_bytes(address) & !mask != 0;
    let not = byte(offset_of!(sys::pfr_addr, pfra_not));
    if beyond || not > 1 || byte(offset_of!(sys::pfr_addr, pfra_fback)) != 0 {
        return Err(Errno::EINVAL.into());
    }
    Ok((family, address, length, not == 1))
}

fn put(argument: &mut Block, offset: usize, number: usize) {
    argument.put(offset, &(number as i32).to_ne_bytes());
}

impl Pf {
    /// DIOCRADDTABLES: an existing table is not changed.
    pub fn add_tables(&mut self, argument: &mut Block) -> Result<()> {
        let mut wanted = Vec::new();
        for element in elements(argument, NAMED, Errno::ENOMEM)? {
            let flags = element.u32_at(offset_of!(sys::pfr_table, pfrt_flags));
            wanted.push((named(&element, 0, sys::PFR_TFLAG_USRMASK)?, flags));
        }
        let mut added = 0;
        for ((path, name), flags) in wanted {
            let ruleset = self.find_or_create(&path).ok_or(Errno::ENOMEM)?;
            if let Entry::Vacant(free) = ruleset.tables.entry(name) {
                added += 1;
                // Without PFR_TFLAG_PERSIST and without a rule that names it, the table is removed at once.
                if flags & sys::PFR_TFLAG_PERSIST != 0 {
                    let flags = flags | sys::PFR_TFLAG_ACTIVE;
                    free.insert(Table { flags, ..Table::default() });
                }
            }
            self.remove_if_empty(&path);
        }
        put(argument, ADDED, added);
        Ok(())
    }

    /// DIOCRDELTABLES: a missing table is not counted.
    pub fn delete_tables(&mut self, argument: &mut Block) -> Result<()> {
        let elements = elements(argument, NAMED, Errno::ENOMEM)?;
        let names: Vec<_> = elements.iter().map(|element| named(element, 0, 0)).collect::<Result<_>>()?;
        let mut deleted = 0;
        for (path, name) in names {
            let ruleset = self.find_mut(&path);
            deleted += usize::from(ruleset.is_some_and(|ruleset| ruleset.tables.remove(&name).is_some()));
            self.remove_if_empty(&path);
        }
        put(argument, DELETED, deleted);
        Ok(())
    }

    /// DIOCRGETTABLES: how many there are; which, where there is room for all. No such anchor is EINVAL.
    pub fn tables(&self, argument: &mut Block) -> Result<()> {
        if argument.i32_at(offset_of!(sys::pfioc_table, pfrio_esize)) != NAMED as i32 {
            return Err(Errno::ENODEV.into());
        }
        let anchor = argument.text_at(TABLE + offset_of!(sys::pfr_table, pfrt_anchor), sys::MAXPATHLEN);
        let path = Pf::path(anchor);
        let ruleset = self.find(&path).ok_or(Errno::EINVAL)?;
        let room = argument.i32_at(SIZE);
        put(argument, SIZE, ruleset.tables.len());
        if room < ruleset.tables.len() as i32 || ruleset.tables.is_empty() {
            return Ok(());
        }
        let child = argument.child_mut(BUFFER).ok_or(Errno::EFAULT)?;
        for (index, (name, table)) in ruleset.tables.iter().enumerate() {
            let mut element = Block::zeroed(NAMED);
            element.put(offset_of!(sys::pfr_table, pfrt_anchor), path.as_bytes());
            element.put(offset_of!(sys::pfr_table, pfrt_name), name);
            element.put(offset_of!(sys::pfr_table, pfrt_flags), &table.flags.to_ne_bytes());
            child.put(index * NAMED, &element.bytes);
        }
        Ok(())
    }

    fn table(&mut self, argument: &Block) -> Result<&mut Table> {
        let (path, name) = named(argument, TABLE, 0)?;
        let table = self.find_mut(&path).and_then(|ruleset| ruleset.tables.get_mut(&name));
        let table = table.ok_or(Errno::ESRCH)?;
        match table.flags & sys::PFR_TFLAG_CONST {
            0 => Ok(table),
            _ => Err(Errno::EPERM.into()),
        }
    }

    /// DIOCRADDADDRS.
    pub fn add_to_table(&mut self, argument: &mut Block) -> Result<()> {
        let elements = elements(argument, ENTRY, Errno::EINVAL)?;
        let table = self.table(argument)?;
        let wanted: Vec<_> = elements.iter().map(entry).collect::<Result<_>>()?;
        let added = wanted.into_iter().filter(|entry| table.addresses.insert(*entry)).count();
        put(argument, ADDED, added);
        Ok(())
    }

    /// DIOCRDELADDRS.
    pub fn delete_from_table(&mut self, argument: &mut Block) -> Result<()> {
        let elements = elements(argument, ENTRY, Errno::EINVAL)?;
        let table = self.table(argument)?;
        let wanted: Vec<_> = elements.iter().map(entry).collect::<Result<_>>()?;
        let deleted = wanted.into_iter().filter(|entry| table.addresses.remove(entry)).count();
        put(argument, DELETED, deleted);
        Ok(())
    }

    /// DIOCRSETADDRS.
    pub fn set_table(&mut self, argument: &mut Block) -> Result<()> {
        let elements = elements(argument, ENTRY, Errno::EINVAL)?;
        let table = self.table(argument)?;
        let wanted: BTreeSet<_> = elements.iter().map(entry).collect::<Result<_>>()?;
        let (added, deleted) =
            (wanted.difference(&table.addresses).count(), table.addresses.difference(&wanted).count());
        table.addresses = wanted;
        put(argument, ADDED, added);
        put(argument, DELETED, deleted);
        Ok(())
    }

    /// DIOCRGETADDRS: how many there are; which, where there is room for all.
    pub fn addresses_of_table(&mut self, argument: &mut Block) -> Result<()> {
        elements(argument, ENTRY, Errno::EINVAL)?;
        let (path, name) = named(argument, TABLE, 0)?;
        let table = self.find(&path).and_then(|ruleset| ruleset.tables.get(&name)).ok_or(Errno::ESRCH)?;
        let room = argument.i32_at(SIZE) as usize;
        put(argument, SIZE, table.addresses.len());
        if room < table.addresses.len() || table.addresses.is_empty() {
            return Ok(());
        }
        let child = argument.child_mut(BUFFER).ok_or(Errno::EFAULT)?;
        for (index, (family, address, length, not)) in table.addresses.iter().enumerate() {
            let mut element = Block::zeroed(ENTRY);
            element.put(0, address);
            element.put(offset_of!(sys::pfr_addr, pfra_af), &[*family]);
            element.put(offset_of!(sys::pfr_addr, pfra_net), &[*length]);
            element.put(offset_of!(sys::pfr_addr, pfra_not), &[u8::from(*not)]);
            child.put(index * ENTRY, &element.bytes);
        }
        Ok(())
    }
}
