//! What differs between the messages of FreeBSD 14 and of FreeBSD 15.

use std::mem::offset_of;

use jailwire_sys::{self as sys, IP_FW3_OPVER_0, IP_FW3_OPVER_1, freebsd14};

use super::put_text;
use crate::error::{During as _, Result};
use crate::kernel::{Block, Kernel, Sysctl};
use crate::packet_filter::TableName;

/// kern.osreldate of the first release with the messages of FreeBSD 15.
const WIDE_SINCE: i32 = 1_500_000;

/// What calls a table within one message.
pub(super) const TABLE_INDEX: u16 = 1;

/// Whose messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// FreeBSD 14: numbers of 16 bits.
    Narrow,
    /// FreeBSD 15: numbers of 32 bits.
    Wide,
}

impl Layout {
    /// The messages of the running kernel.
    pub fn of(kernel: &dyn Kernel) -> Result<Layout> {
        let date =
            kernel.sysctl(&Sysctl::read("kern.osreldate")).during("read", "kern.osreldate", "sysctl")?;
        let wide = crate::abi::int(&date).is_some_and(|date| date >= WIDE_SINCE);
        Ok(if wide { Layout::Wide } else { Layout::Narrow })
    }

    /// Of `ip_fw3_opheader`.
    pub fn version(self) -> u16 {
        match self {
            Layout::Narrow => IP_FW3_OPVER_0,
            Layout::Wide => IP_FW3_OPVER_1,
        }
    }

    /// The size of an `ipfw_obj_ntlv`.
    pub fn name_size(self) -> usize {
        match self {
            Layout::Narrow => size_of::<freebsd14::ipfw_obj_ntlv>(),
            Layout::Wide => size_of::<sys::ipfw_obj_ntlv>(),
        }
    }

    /// An `ipfw_obj_ntlv` of a table of addresses in a set.
    pub fn named_table(self, name: &TableName, set: u8) -> Block {
        use sys::ipfw_obj_tlv as head;

        let mut block = Block::zeroed(self.name_size());
        let length = (self.name_size() as u32).to_ne_bytes();
        block.put(offset_of!(head, type_), &sys::IPFW_TLV_TBL_NAME.to_ne_bytes());
        block.put(offset_of!(head, length), &length);
        let (index, set_at, kind, text) = match self {
            Layout::Narrow => (
                offset_of!(freebsd14::ipfw_obj_ntlv, idx),
                offset_of!(freebsd14::ipfw_obj_ntlv, set),
                offset_of!(freebsd14::ipfw_obj_ntlv, type_),
                offset_of!(freebsd14::ipfw_obj_ntlv, name),
            ),
            Layout::Wide => (
                offset_of!(sys::ipfw_obj_ntlv, idx),
                offset_of!(sys::ipfw_obj_ntlv, set),
                offset_of!(sys::ipfw_obj_ntlv, type_),
                offset_of!(sys::ipfw_obj_ntlv, name),
            ),
        };
        self.put_number(&mut block, index, TABLE_INDEX);
        block.put(set_at, &[set]);
        block.put(kind, &[sys::IPFW_TABLE_ADDR]);
        put_text(&mut block, text, 64, &name.to_string());
        block
    }

    /// The index and the name in an `ipfw_obj_ntlv` of an answer.
    pub fn name_in(self, block: &Block) -> (u32, String) {
        let (index, text) = match self {
            Layout::Narrow => (
                u32::from(block.u16_at(offset_of!(freebsd14::ipfw_obj_ntlv, idx))),
                offset_of!(freebsd14::ipfw_obj_ntlv, name),
            ),
            Layout::Wide => {
                (block.u32_at(offset_of!(sys::ipfw_obj_ntlv, idx)), offset_of!(sys::ipfw_obj_ntlv, name))
            }
        };
        (index, String::from_utf8_lossy(block.text_at(text, 64)).into_owned())
    }

    /// An `ipfw_obj_header` about a named object.
    pub fn about(self, name: &Block) -> Block {
        let (size, at) = match self {
            Layout::Narrow => {
                (size_of::<freebsd14::ipfw_obj_header>(), offset_of!(freebsd14::ipfw_obj_header, ntlv))
            }
            Layout::Wide => (size_of::<sys::ipfw_obj_header>(), offset_of!(sys::ipfw_obj_header, ntlv)),
        };
        let mut block = Block::zeroed(size);
        let index = match self {
            Layout::Narrow => offset_of!(freebsd14::ipfw_obj_header, idx),
            Layout::Wide => offset_of!(sys::ipfw_obj_header, idx),
        };
        self.put_number(&mut block, index, TABLE_INDEX);
        block.put(at, &name.bytes);
        block
    }

    /// An `ipfw_obj_header` about an object whose name is a number: an instance of NAT.
    pub fn about_number(self, number: u16) -> Block {
        let mut name = Block::zeroed(self.name_size());
        let length = (self.name_size() as u32).to_ne_bytes();
        name.put(offset_of!(sys::ipfw_obj_tlv, length), &length);
        let text = match self {
            Layout::Narrow => offset_of!(freebsd14::ipfw_obj_ntlv, name),
            Layout::Wide => offset_of!(sys::ipfw_obj_ntlv, name),
        };
        put_text(&mut name, text, 64, &number.to_string());
        self.about(&name)
    }

    /// An `ipfw_range_header`: the rules of a number in a set.
    pub fn rules_of(self, number: u16, set: u8) -> Block {
        const FLAGS: u32 = sys::IPFW_RCFLAG_RANGE | sys::IPFW_RCFLAG_SET;
        let set = u32::from(set).to_ne_bytes();
        match self {
            Layout::Narrow => {
                use freebsd14::{ipfw_range_header as header, ipfw_range_tlv as range};
                let mut block = Block::zeroed(size_of::<header>());
                let at = |field: usize| offset_of!(header, range) + field;
                let length = (size_of::<range>() as u32).to_ne_bytes();
                block.put(at(offset_of!(sys::ipfw_obj_tlv, length)), &length);
                block.put(at(offset_of!(range, flags)), &FLAGS.to_ne_bytes());
                self.put_number(&mut block, at(offset_of!(range, start_rule)), number);
                self.put_number(&mut block, at(offset_of!(range, end_rule)), number);
                block.put(at(offset_of!(range, set)), &set);
                block
            }
            Layout::Wide => {
                use sys::{ipfw_range_header as header, ipfw_range_tlv as range};
                let mut block = Block::zeroed(size_of::<header>());
                let at = |field: usize| offset_of!(header, range) + field;
                let length = (size_of::<range>() as u32).to_ne_bytes();
                block.put(at(offset_of!(sys::ipfw_obj_tlv, length)), &length);
                block.put(at(offset_of!(range, flags)), &FLAGS.to_ne_bytes());
                self.put_number(&mut block, at(offset_of!(range, start_rule)), number);
                self.put_number(&mut block, at(offset_of!(range, end_rule)), number);
                block.put(at(offset_of!(range, set)), &set);
                block
            }
        }
    }

    /// How many rules an answer to [`Layout::rules_of`] says were deleted.
    pub fn deleted(self, answer: &Block) -> usize {
        let at = match self {
            Layout::Narrow => {
                offset_of!(freebsd14::ipfw_range_header, range)
                    + offset_of!(freebsd14::ipfw_range_tlv, new_set)
            }
            Layout::Wide => {
                offset_of!(sys::ipfw_range_header, range) + offset_of!(sys::ipfw_range_tlv, new_set)
            }
        };
        answer.u32_at(at) as usize
    }

    /// Writes a number of a rule or an object.
    pub fn put_number(self, block: &mut Block, offset: usize, number: u16) {
        match self {
            Layout::Narrow => block.put(offset, &number.to_ne_bytes()),
            Layout::Wide => block.put(offset, &u32::from(number).to_ne_bytes()),
        }
    }
}
