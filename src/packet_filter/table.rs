//! Tables: sets of networks that rules name.

use std::fmt;
use std::mem::offset_of;
use std::net::IpAddr;
use std::str::FromStr;

use ipnetwork::IpNetwork;
use jailwire_sys::{PF_TABLE_NAME_SIZE, PFR_TFLAG_PERSIST, pfioc_table, pfr_addr, pfr_table};

use super::rule::decode_address;
use super::{Anchor, Family, PacketFilter, malformed};
use crate::abi::{Call, call};
use crate::error::{Error, Result};
use crate::kernel::{Block, Errno};

const TABLE: usize = offset_of!(pfioc_table, pfrio_table);
const BUFFER: usize = offset_of!(pfioc_table, pfrio_buffer);
const SIZE: usize = offset_of!(pfioc_table, pfrio_size);
const ENTRY: usize = size_of::<pfr_addr>();
const NAMED: usize = size_of::<pfr_table>();

/// The name of a table: 1 to 31 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(String);

impl FromStr for TableName {
    type Err = Error;

    fn from_str(name: &str) -> Result<TableName> {
        let fits = !name.is_empty() && name.len() < PF_TABLE_NAME_SIZE;
        match fits && !name.chars().any(char::is_control) {
            true => Ok(TableName(name.to_owned())),
            false => Err(Error::of_value(name, "a table's name has 1 to 31 bytes and no control characters")),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PacketFilter {
    /// Adds an empty table to an anchor. The table stays until it is deleted. Returns whether it is new.
    ///
    /// # Errors
    ///
    /// ENOMEM: the kernel has no room, or has too many anchors. EACCES: pf was opened to read alone.
    ///
    /// # Source
    ///
    /// `DIOCRADDTABLES`: [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_table.c:pfr_add_tables`.
    #[doc(alias = "DIOCRADDTABLES")]
    pub fn add_table(&self, anchor: &Anchor, name: &TableName) -> Result<bool> {
        let element = named(anchor, Some(name), PFR_TFLAG_PERSIST);
        let mut ask = with_elements(call!(DIOCRADDTABLES), element, NAMED);
        self.perform(&mut ask, "add table", format_args!("{name} to anchor {anchor}"))?;
        Ok(ask.argument().i32_at(offset_of!(pfioc_table, pfrio_nadd)) != 0)
    }

    /// Deletes a table. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// EACCES: pf was opened to read alone.
    ///
    /// # Source
    ///
    /// `DIOCRDELTABLES`: [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_table.c:pfr_del_tables`.
    #[doc(alias = "DIOCRDELTABLES")]
    pub fn delete_table(&self, anchor: &Anchor, name: &TableName) -> Result<bool> {
        let mut ask = with_elements(call!(DIOCRDELTABLES), named(anchor, Some(name), 0), NAMED);
        self.perform(&mut ask, "delete table", format_args!("{name} of anchor {anchor}"))?;
        Ok(ask.argument().i32_at(offset_of!(pfioc_table, pfrio_ndel)) != 0)
    }

    /// Returns the tables of an anchor. The list is empty where there is no such anchor.
    ///
    /// # Errors
    ///
    /// An open device reports no errors.
    ///
    /// # Source
    ///
    /// `DIOCRGETTABLES`: [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_table.c:pfr_get_tables`.
    #[doc(alias = "DIOCRGETTABLES")]
    pub fn tables(&self, anchor: &Anchor) -> Result<Vec<TableName>> {
        const WHAT: &str = "list the tables of anchor";
        let prepare = |room: usize| {
            let call = call!(DIOCRGETTABLES).with(TABLE, &named(anchor, None, 0).bytes);
            with_elements(call, Block::zeroed(room * NAMED), NAMED)
        };
        // No such anchor.
        let Some(bytes) = self.list(prepare, NAMED, Some(Errno::EINVAL), WHAT, anchor)? else {
            return Ok(Vec::new());
        };
        let name = |element: &[u8]| {
            let name = Block::new(element);
            let name = name.text_at(offset_of!(pfr_table, pfrt_name), PF_TABLE_NAME_SIZE);
            std::str::from_utf8(name).ok()?.parse().ok()
        };
        Ok(bytes.chunks_exact(NAMED).filter_map(name).collect())
    }

    /// Replaces all networks of a table with these networks.
    ///
    /// # Errors
    ///
    /// ESRCH: no such table. EACCES: pf was opened to read alone.
    ///
    /// # Source
    ///
    /// `DIOCRSETADDRS`: [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_table.c:pfr_set_addrs`.
    #[doc(alias = "DIOCRSETADDRS")]
    pub fn set_table(&self, anchor: &Anchor, name: &TableName, networks: &[IpNetwork]) -> Result<()> {
        let call = call!(DIOCRSETADDRS).with(TABLE, &named(anchor, Some(name), 0).bytes);
        let mut ask = with_elements(call, entries(networks), ENTRY);
        self.perform(&mut ask, "set table", format_args!("{name} of anchor {anchor}"))
    }

    /// Adds networks to a table. Returns how many of them were not in the table.
    ///
    /// # Errors
    ///
    /// As [`PacketFilter::set_table`].
    #[doc(alias = "DIOCRADDADDRS")]
    pub fn add_to_table(&self, anchor: &Anchor, name: &TableName, networks: &[IpNetwork]) -> Result<usize> {
        let call = call!(DIOCRADDADDRS).with(TABLE, &named(anchor, Some(name), 0).bytes);
        let mut ask = with_elements(call, entries(networks), ENTRY);
        self.perform(&mut ask, "add to table", format_args!("{name} of anchor {anchor}"))?;
        Ok(ask.argument().i32_at(offset_of!(pfioc_table, pfrio_nadd)) as usize)
    }

    /// Removes networks from a table. Returns how many of them were in the table.
    ///
    /// # Errors
    ///
    /// As [`PacketFilter::set_table`].
    #[doc(alias = "DIOCRDELADDRS")]
    pub fn delete_from_table(
        &self,
        anchor: &Anchor,
        name: &TableName,
        networks: &[IpNetwork],
    ) -> Result<usize> {
        let call = call!(DIOCRDELADDRS).with(TABLE, &named(anchor, Some(name), 0).bytes);
        let mut ask = with_elements(call, entries(networks), ENTRY);
        self.perform(&mut ask, "delete from table", format_args!("{name} of anchor {anchor}"))?;
        Ok(ask.argument().i32_at(offset_of!(pfioc_table, pfrio_ndel)) as usize)
    }

    /// Returns the networks in a table.
    ///
    /// # Errors
    ///
    /// ESRCH: no such table.
    ///
    /// # Source
    ///
    /// `DIOCRGETADDRS`: [`pf(4)`](https://man.freebsd.org/pf(4)), `netpfil/pf/pf_table.c:pfr_get_addrs`.
    #[doc(alias = "DIOCRGETADDRS")]
    pub fn table(&self, anchor: &Anchor, name: &TableName) -> Result<Vec<IpNetwork>> {
        const WHAT: &str = "read table";
        let object = format_args!("{name} of anchor {anchor}");
        let prepare = |room: usize| {
            let call = call!(DIOCRGETADDRS).with(TABLE, &named(anchor, Some(name), 0).bytes);
            with_elements(call, Block::zeroed(room * ENTRY), ENTRY)
        };
        let bytes = self.list(prepare, ENTRY, None, WHAT, object)?.unwrap_or_default();
        let network = |element: &[u8]| {
            let family = Family::from_number(element[offset_of!(pfr_addr, pfra_af)].into())?;
            let address: IpAddr = decode_address(element, family)?;
            IpNetwork::new(address, element[offset_of!(pfr_addr, pfra_net)]).ok()
        };
        let networks: Option<Vec<_>> = bytes.chunks_exact(ENTRY).map(network).collect();
        networks.ok_or_else(|| malformed(WHAT, object, "DIOCRGETADDRS"))
    }

    /// Reads a list with a growing buffer, until it fits. Returns `None` if the errno is `absent`.
    fn list(
        &self,
        prepare: impl Fn(usize) -> Call,
        size: usize,
        absent: Option<Errno>,
        operation: &'static str,
        object: impl fmt::Display,
    ) -> Result<Option<Vec<u8>>> {
        const MOST: usize = 1 << 16;
        let mut room = 16;
        loop {
            let mut ask = prepare(room);
            match self.attempt(&mut ask) {
                Err(failure) if Some(failure.errno) == absent => return Ok(None),
                Err(failure) => return Err(Error::new(operation, object, ask.name, failure)),
                Ok(()) => {}
            }
            // The kernel returns the number of entries, or the number that had room.
            let count = ask.argument().i32_at(SIZE) as usize;
            if count < room {
                let bytes = ask.argument().child(BUFFER).map(|child| child.bytes[..count * size].to_vec());
                return Ok(Some(bytes.unwrap_or_default()));
            }
            if room >= MOST {
                return Err(malformed(operation, object, ask.name));
            }
            room *= 4;
        }
    }
}

/// A `pfr_table`.
fn named(anchor: &Anchor, name: Option<&TableName>, flags: u32) -> Block {
    let mut block = Block::zeroed(NAMED);
    block.put(offset_of!(pfr_table, pfrt_anchor), anchor.as_str().as_bytes());
    block.put(offset_of!(pfr_table, pfrt_name), name.map_or(&[][..], |name| name.0.as_bytes()));
    block.put(offset_of!(pfr_table, pfrt_flags), &flags.to_ne_bytes());
    block
}

/// An array of `pfr_addr`.
fn entries(networks: &[IpNetwork]) -> Block {
    let mut block = Block::zeroed(networks.len() * ENTRY);
    for (index, network) in networks.iter().enumerate() {
        let at = index * ENTRY;
        match network.network() {
            IpAddr::V4(address) => block.put(at, &address.octets()),
            IpAddr::V6(address) => block.put(at, &address.octets()),
        }
        block.put(at + offset_of!(pfr_addr, pfra_af), &[Family::of(network.ip()).number()]);
        block.put(at + offset_of!(pfr_addr, pfra_net), &[network.prefix()]);
    }
    block
}

fn with_elements(mut call: Call, elements: Block, size: usize) -> Call {
    let argument = call.argument();
    argument.put(offset_of!(pfioc_table, pfrio_esize), &(size as i32).to_ne_bytes());
    argument.put(SIZE, &((elements.bytes.len() / size) as i32).to_ne_bytes());
    argument.point(BUFFER, elements);
    call
}
