//! The differences between the messages of FreeBSD 14 and FreeBSD 15.

use std::mem::offset_of;

use jailwire_sys::{self as sys, IP_FW3_OPVER_0, IP_FW3_OPVER_1, freebsd14};

use super::put_text;
use crate::error::{During as _, Result};
use crate::kernel::{Block, Kernel, Sysctl};
use crate::packet_filter::TableName;

/// kern.osreldate of the first release with the messages of FreeBSD 15.
const WIDE_SINCE: i32 = 1_500_000;

/// The index that stands for the table within one message.
pub(super) const TABLE_INDEX: u16 = 1;

/// The room for a name in `ipfw_obj_ntlv`, in bytes, with its NUL.
const NAME: usize = 64;

/// The release whose messages are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// FreeBSD 14: numbers of 16 bits.
    Narrow,
    /// FreeBSD 15: numbers of 32 bits.
    Wide,
}

/// The offset of a field, or the size, of a structure that both releases have, as the running kernel lays it out.
macro_rules! laid_out {
    ($layout:expr, size_of $structure:ident) => {
        match $layout {
            Layout::Narrow => size_of::<freebsd14::$structure>(),
            Layout::Wide => size_of::<sys::$structure>(),
        }
    };
    ($layout:expr, $structure:ident, $field:ident) => {
        match $layout {
            Layout::Narrow => offset_of!(freebsd14::$structure, $field),
            Layout::Wide => offset_of!(sys::$structure, $field),
        }
    };
}

impl Layout {
    /// Returns the messages of the running kernel.
    pub fn of(kernel: &dyn Kernel) -> Result<Layout> {
        let date =
            kernel.sysctl(&Sysctl::read("kern.osreldate")).during("read", "kern.osreldate", "sysctl")?;
        let wide = crate::abi::int(&date).is_some_and(|date| date >= WIDE_SINCE);
        Ok(if wide { Layout::Wide } else { Layout::Narrow })
    }

    /// Of `ip_fw3_opheader`. FreeBSD 14 knows the requests about entries of tables in two versions, of which the older has
    /// no names of tables (`ip_fw_table.c:scodes`).
    pub fn version(self, opcode: u16) -> u16 {
        const OF_ENTRIES: [u16; 3] = [sys::IP_FW_TABLE_XADD, sys::IP_FW_TABLE_XDEL, sys::IP_FW_TABLE_XLIST];
        match self {
            Layout::Narrow if !OF_ENTRIES.contains(&opcode) => IP_FW3_OPVER_0,
            Layout::Narrow | Layout::Wide => IP_FW3_OPVER_1,
        }
    }

    /// Returns the size of an `ipfw_obj_ntlv`.
    pub fn name_size(self) -> usize {
        laid_out!(self, size_of ipfw_obj_ntlv)
    }

    /// An `ipfw_obj_ntlv` with only its length and a name.
    fn named(self, name: &str) -> Block {
        let mut block = Block::zeroed(self.name_size());
        let length = (self.name_size() as u32).to_ne_bytes();
        block.put(offset_of!(sys::ipfw_obj_tlv, length), &length);
        put_text(&mut block, laid_out!(self, ipfw_obj_ntlv, name), NAME, name);
        block
    }

    /// Returns an `ipfw_obj_ntlv` of a table of addresses in a set.
    pub fn named_table(self, name: &TableName, set: u8) -> Block {
        let mut block = self.named(&name.to_string());
        block.put(offset_of!(sys::ipfw_obj_tlv, type_), &sys::IPFW_TLV_TBL_NAME.to_ne_bytes());
        self.put_number(&mut block, laid_out!(self, ipfw_obj_ntlv, idx), TABLE_INDEX);
        block.put(laid_out!(self, ipfw_obj_ntlv, set), &[set]);
        block.put(laid_out!(self, ipfw_obj_ntlv, type_), &[sys::IPFW_TABLE_ADDR]);
        block
    }

    /// Returns the index and the name in an `ipfw_obj_ntlv` of an answer.
    pub fn name_in(self, block: &Block) -> (u32, String) {
        let at = laid_out!(self, ipfw_obj_ntlv, idx);
        let index = match self {
            Layout::Narrow => u32::from(block.u16_at(at)),
            Layout::Wide => block.u32_at(at),
        };
        let name = block.text_at(laid_out!(self, ipfw_obj_ntlv, name), NAME);
        (index, String::from_utf8_lossy(name).into_owned())
    }

    /// Returns an `ipfw_obj_header` about a named object.
    pub fn about(self, name: &Block) -> Block {
        let mut block = Block::zeroed(laid_out!(self, size_of ipfw_obj_header));
        self.put_number(&mut block, laid_out!(self, ipfw_obj_header, idx), TABLE_INDEX);
        block.put(laid_out!(self, ipfw_obj_header, ntlv), &name.bytes);
        block
    }

    /// Returns an `ipfw_obj_header` about an object whose name is a number: an instance of NAT.
    pub fn about_number(self, number: u16) -> Block {
        self.about(&self.named(&number.to_string()))
    }

    /// Returns an `ipfw_range_header`: the rules of a number in a set.
    pub fn rules_of(self, number: u16, set: u8) -> Block {
        const FLAGS: u32 = sys::IPFW_RCFLAG_RANGE | sys::IPFW_RCFLAG_SET;
        let mut block = Block::zeroed(laid_out!(self, size_of ipfw_range_header));
        let range = laid_out!(self, ipfw_range_header, range);
        let length = (laid_out!(self, size_of ipfw_range_tlv) as u32).to_ne_bytes();
        block.put(range + offset_of!(sys::ipfw_obj_tlv, length), &length);
        block.put(range + laid_out!(self, ipfw_range_tlv, flags), &FLAGS.to_ne_bytes());
        self.put_number(&mut block, range + laid_out!(self, ipfw_range_tlv, start_rule), number);
        self.put_number(&mut block, range + laid_out!(self, ipfw_range_tlv, end_rule), number);
        block.put(range + laid_out!(self, ipfw_range_tlv, set), &u32::from(set).to_ne_bytes());
        block
    }

    /// Returns how many rules an answer to [`Layout::rules_of`] says were deleted.
    pub fn deleted(self, answer: &Block) -> usize {
        let range = laid_out!(self, ipfw_range_header, range);
        answer.u32_at(range + laid_out!(self, ipfw_range_tlv, new_set)) as usize
    }

    /// Writes a number of a rule or an object.
    pub fn put_number(self, block: &mut Block, offset: usize, number: u16) {
        match self {
            Layout::Narrow => block.put(offset, &number.to_ne_bytes()),
            Layout::Wide => block.put(offset, &u32::from(number).to_ne_bytes()),
        }
    }
}
