//! A message of IP_FW3, and the offsets of its parts, which differ between FreeBSD 14 and FreeBSD 15.

use std::mem::offset_of;

use jailwire_sys::{self as sys, freebsd14};

use crate::kernel::{Block, Errno, Result};
use crate::sim::Release;

/// A message, which is also written to.
pub(super) struct Message<'a> {
    bytes: &'a mut [u8],
    release: Release,
}

/// An `ipfw_obj_ntlv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub index: u32,
    pub set: u8,
    pub kind: u8,
    pub name: Vec<u8>,
}

impl<'a> Message<'a> {
    pub fn new(bytes: &'a mut [u8], release: Release) -> Result<Message<'a>> {
        match bytes.len() < size_of::<sys::ip_fw3_opheader>() {
            true => Err(Errno::EINVAL.into()),
            false => Ok(Message { bytes, release }),
        }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn opcode(&self) -> u16 {
        self.short(offset_of!(sys::ip_fw3_opheader, opcode))
    }

    /// Whether the release has this request in this version. FreeBSD 14 also has an older version of requests about
    /// entries of tables. The simulation refuses it.
    pub fn is_of_this_release(&self) -> bool {
        let of_entries = [sys::IP_FW_TABLE_XADD, sys::IP_FW_TABLE_XDEL, sys::IP_FW_TABLE_XLIST];
        let version = match self.release {
            Release::V14_2 if !of_entries.contains(&self.opcode()) => sys::IP_FW3_OPVER_0,
            Release::V14_2 | Release::V15_1 => sys::IP_FW3_OPVER_1,
        };
        self.short(offset_of!(sys::ip_fw3_opheader, version)) == version
    }

    pub fn is_narrow(&self) -> bool {
        self.release == Release::V14_2
    }

    fn short(&self, at: usize) -> u16 {
        u16::from_ne_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    /// A part of the message.
    pub fn part(&self, at: usize, length: usize) -> Result<Block> {
        let end = at.checked_add(length).ok_or(Errno::EINVAL)?;
        Ok(Block::new(self.bytes.get(at..end).ok_or(Errno::EINVAL)?))
    }

    /// Everything from an offset on.
    pub fn from(&self, at: usize) -> &[u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    /// Writes an answer, as far as there is room.
    pub fn answer(&mut self, at: usize, bytes: &[u8]) {
        let end = (at + bytes.len()).min(self.bytes.len());
        if let Some(room) = self.bytes.get_mut(at..end) {
            room.copy_from_slice(&bytes[..room.len()]);
        }
    }

    /// The size of an `ipfw_obj_ntlv`.
    pub fn name_size(&self) -> usize {
        if self.is_narrow() { size_of::<freebsd14::ipfw_obj_ntlv>() } else { size_of::<sys::ipfw_obj_ntlv>() }
    }

    /// The size of an `ipfw_obj_header`.
    pub fn header_size(&self) -> usize {
        if self.is_narrow() {
            size_of::<freebsd14::ipfw_obj_header>()
        } else {
            size_of::<sys::ipfw_obj_header>()
        }
    }

    /// The name in an `ipfw_obj_header`.
    pub fn object(&self) -> Result<Named> {
        let at = if self.is_narrow() {
            offset_of!(freebsd14::ipfw_obj_header, ntlv)
        } else {
            offset_of!(sys::ipfw_obj_header, ntlv)
        };
        self.named(&self.part(at, self.name_size())?)
    }

    /// An `ipfw_obj_ntlv`.
    pub fn named(&self, block: &Block) -> Result<Named> {
        if block.u32_at(offset_of!(sys::ipfw_obj_tlv, length)) as usize != self.name_size() {
            return Err(Errno::EINVAL.into());
        }
        let (index, set, kind, text) = if self.is_narrow() {
            (
                u32::from(block.u16_at(offset_of!(freebsd14::ipfw_obj_ntlv, idx))),
                offset_of!(freebsd14::ipfw_obj_ntlv, set),
                offset_of!(freebsd14::ipfw_obj_ntlv, type_),
                offset_of!(freebsd14::ipfw_obj_ntlv, name),
            )
        } else {
            (
                block.u32_at(offset_of!(sys::ipfw_obj_ntlv, idx)),
                offset_of!(sys::ipfw_obj_ntlv, set),
                offset_of!(sys::ipfw_obj_ntlv, type_),
                offset_of!(sys::ipfw_obj_ntlv, name),
            )
        };
        let name = text_in(&block.bytes[text..text + 64])?;
        Ok(Named { index, set: block.bytes[set], kind: block.bytes[kind], name })
    }

    /// The name of a table of addresses, for an answer.
    pub fn name_of(&self, index: u32, name: &[u8]) -> Vec<u8> {
        let mut block = Block::zeroed(self.name_size());
        block.put(offset_of!(sys::ipfw_obj_tlv, type_), &sys::IPFW_TLV_TBL_NAME.to_ne_bytes());
        block.put(offset_of!(sys::ipfw_obj_tlv, length), &(self.name_size() as u32).to_ne_bytes());
        if self.is_narrow() {
            block.put(offset_of!(freebsd14::ipfw_obj_ntlv, idx), &(index as u16).to_ne_bytes());
            block.put(offset_of!(freebsd14::ipfw_obj_ntlv, type_), &[sys::IPFW_TABLE_ADDR]);
            block.put(offset_of!(freebsd14::ipfw_obj_ntlv, name), name);
        } else {
            block.put(offset_of!(sys::ipfw_obj_ntlv, idx), &index.to_ne_bytes());
            block.put(offset_of!(sys::ipfw_obj_ntlv, type_), &[sys::IPFW_TABLE_ADDR]);
            block.put(offset_of!(sys::ipfw_obj_ntlv, name), name);
        }
        block.bytes
    }
}

/// A C string, which has to end within its field and must not be empty.
pub(super) fn text_in(field: &[u8]) -> Result<Vec<u8>> {
    match field.iter().position(|byte| *byte == 0) {
        None | Some(0) => Err(Errno::EINVAL.into()),
        Some(end) => Ok(field[..end].to_vec()),
    }
}

/// An `ipfw_obj_ctlv` in front of `bytes` of elements.
pub(super) fn list_head(kind: u16, count: usize, size: usize, bytes: usize) -> Vec<u8> {
    let mut block = Block::zeroed(size_of::<sys::ipfw_obj_ctlv>());
    let length = (block.bytes.len() + bytes) as u32;
    block.put(offset_of!(sys::ipfw_obj_tlv, type_), &kind.to_ne_bytes());
    block.put(offset_of!(sys::ipfw_obj_tlv, length), &length.to_ne_bytes());
    block.put(offset_of!(sys::ipfw_obj_ctlv, count), &(count as u32).to_ne_bytes());
    block.put(offset_of!(sys::ipfw_obj_ctlv, objsize), &(size as u16).to_ne_bytes());
    block.bytes
}
