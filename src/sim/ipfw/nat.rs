//! Instances of NAT: `netpfil/ipfw/ip_fw_nat.c`.

use std::mem::offset_of;

use jailwire_sys::{self as sys, ipfw_obj_lheader, nat44_cfg_nat, nat44_cfg_redir};

use super::Ipfw;
use super::message::{Message, text_in};
use crate::kernel::{Block, Errno, Result};

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nat {
    id: u32,
    /// A `nat44_cfg_nat`.
    bytes: Vec<u8>,
    /// Each a `nat44_cfg_redir`, newest first.
    redirects: Vec<Vec<u8>>,
}

/// The form in a log. It is in a module of its own, because a block's `put` is used everywhere else.
mod form {
    use super::Nat;
    use crate::sim::codec::{Wire, structs};

    structs! {
        Nat { id, bytes, redirects }
    }
}

const CONFIG: usize = size_of::<nat44_cfg_nat>();
const REDIRECT: usize = size_of::<nat44_cfg_redir>();

/// Reads a name as a number. Any other text, and 0, is refused.
fn id_of(name: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(name).ok()?;
    text.parse().ok().filter(|id: &u32| *id != 0 && i32::try_from(*id).is_ok())
}

impl Nat {
    /// `export_nat_cfg`, with the total length, including the header in front.
    fn export(&self, header: usize) -> Vec<u8> {
        let mut block = Block::new(self.bytes.clone());
        let size = header + CONFIG + self.redirects.len() * REDIRECT;
        block.put(offset_of!(nat44_cfg_nat, size), &(size as u32).to_ne_bytes());
        block.bytes
    }
}

impl Ipfw {
    /// IP_FW_NAT44_XCONFIG. A redirect that libalias does not accept ends the list, without an error.
    pub(super) fn configure_nat(&mut self, message: &Message<'_>) -> Result<()> {
        let header = message.header_size();
        // The name in front must be valid, and is otherwise ignored.
        message.object()?;
        let mut config = message.part(header, CONFIG)?;
        let name = text_in(&config.bytes[offset_of!(nat44_cfg_nat, name)..][..64])?;
        let id = id_of(&name).ok_or(Errno::EINVAL)?;
        let count = config.u32_at(offset_of!(nat44_cfg_nat, redir_cnt)) as usize;
        let room = message.from(header + CONFIG);
        if room.len() / REDIRECT < count {
            return Err(Errno::EINVAL.into());
        }
        let usable = |redirect: &&[u8]| {
            let block = Block::new(*redirect);
            let mode = block.u16_at(offset_of!(nat44_cfg_redir, mode));
            let count = block.u16_at(offset_of!(nat44_cfg_redir, pport_cnt));
            mode == sys::NAT44_REDIR_PORT && count > 0
        };
        let taken = room.chunks_exact(REDIRECT).take(count).take_while(usable);
        let mut redirects: Vec<Vec<u8>> = taken.map(<[u8]>::to_vec).collect();
        redirects.reverse();
        config.put(offset_of!(nat44_cfg_nat, size), &0u32.to_ne_bytes());
        self.nats.retain(|nat| nat.id != id);
        self.nats.insert(0, Nat { id, bytes: config.bytes, redirects });
        Ok(())
    }

    /// IP_FW_NAT44_DESTROY.
    pub(super) fn destroy_nat(&mut self, message: &Message<'_>) -> Result<()> {
        let id = id_of(&message.object()?.name);
        let at = self.nats.iter().position(|nat| Some(nat.id) == id).ok_or(Errno::ESRCH)?;
        self.nats.remove(at);
        Ok(())
    }

    /// IP_FW_NAT44_XGETCONFIG.
    pub(super) fn nat(&self, message: &mut Message<'_>) -> Result<()> {
        let header = message.header_size();
        message.object()?;
        let config = message.part(header, CONFIG)?;
        let name = text_in(&config.bytes[offset_of!(nat44_cfg_nat, name)..][..64])?;
        let id = id_of(&name);
        let nat = self.nats.iter().find(|nat| Some(nat.id) == id).ok_or(Errno::ESRCH)?;
        message.answer(header, &nat.export(header));
        if message.len() < header + CONFIG + nat.redirects.len() * REDIRECT {
            return Err(Errno::ENOMEM.into());
        }
        message.answer(header + CONFIG, &nat.redirects.concat());
        Ok(())
    }

    /// IP_FW_NAT44_LIST_NAT.
    pub(super) fn list_nats(&self, message: &mut Message<'_>) -> Result<()> {
        const HEADER: usize = size_of::<ipfw_obj_lheader>();
        let mut header = message.part(0, HEADER)?;
        let size = HEADER + self.nats.len() * CONFIG;
        header.put(offset_of!(ipfw_obj_lheader, count), &(self.nats.len() as u32).to_ne_bytes());
        header.put(offset_of!(ipfw_obj_lheader, objsize), &(CONFIG as u32).to_ne_bytes());
        header.put(offset_of!(ipfw_obj_lheader, size), &(size as u32).to_ne_bytes());
        message.answer(0, &header.bytes);
        if message.len() < size {
            return Err(Errno::ENOMEM.into());
        }
        let all: Vec<u8> = self.nats.iter().flat_map(|nat| nat.bytes.clone()).collect();
        message.answer(HEADER, &all);
        Ok(())
    }
}
