//! security.jail.list: `kern/kern_jail.c:sysctl_jail_list`.

use std::mem::offset_of;

use jailwire_sys as sys;

use crate::kernel::Block;
use crate::sim::caller::Caller;
use crate::sim::world::World;

impl World {
    /// All jails below the caller's, the newest first.
    ///
    /// The kernel does not reset the addresses between two jails: a jail without addresses is listed with the
    /// addresses of the last jail that had some (confirmed).
    pub fn list_jails(&self, caller: Caller) -> Vec<u8> {
        let (mut ip4, mut ip6) = (Vec::new(), Vec::new());
        let mut out = Vec::new();
        for jail in self.jails.all().rev().filter(|jail| self.jails.is_below(caller.jid, jail.jid)) {
            if !jail.ip4.list.is_empty() {
                ip4 = jail.ip4.list.iter().flat_map(|address| address.octets()).collect();
            }
            if !jail.ip6.list.is_empty() {
                ip6 = jail.ip6.list.iter().flat_map(|address| address.octets()).collect();
            }
            let mut entry = Block::zeroed(size_of::<sys::xprison>());
            entry.put(offset_of!(sys::xprison, pr_version), &sys::XPRISON_VERSION.to_ne_bytes());
            entry.put(offset_of!(sys::xprison, pr_id), &jail.jid.to_ne_bytes());
            // PRISON_STATE_ALIVE, PRISON_STATE_DYING
            let state = if jail.dying { 2i32 } else { 1 };
            entry.put(offset_of!(sys::xprison, pr_state), &state.to_ne_bytes());
            entry.put(offset_of!(sys::xprison, pr_path), self.path_seen_from(caller.jid, jail).as_bytes());
            entry.put(offset_of!(sys::xprison, pr_host), jail.hostname.as_bytes());
            let name = self.jails.name_seen_from(caller.jid, jail);
            entry.put(offset_of!(sys::xprison, pr_name), name.as_bytes());
            entry.put(offset_of!(sys::xprison, pr_ip4s), &((ip4.len() / 4) as u32).to_ne_bytes());
            entry.put(offset_of!(sys::xprison, pr_ip6s), &((ip6.len() / 16) as u32).to_ne_bytes());
            out.append(&mut entry.bytes);
            out.extend_from_slice(&ip4);
            out.extend_from_slice(&ip6);
        }
        out
    }
}
