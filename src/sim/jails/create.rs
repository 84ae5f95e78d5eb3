//! Finds the jail that a caller of `jail_set(2)` means, and makes new jails.

use jailwire_sys as sys;

use super::addresses::Addresses;
use super::parameters::{ALLOWED_FROM_THE_START, META, SYSV, refuse};
use super::wanted::Wanted;
use super::{Jail, StackId};
use crate::kernel::{Errno, Result};
use crate::sim::caller::Caller;
use crate::sim::mac::NO_HOSTUUID;
use crate::sim::options::Release;
use crate::sim::world::World;

impl World {
    /// Finds the jail that is meant: an existing jail, or the jid (0 for any) and parent of a new jail.
    pub(super) fn target(
        &self,
        caller: Caller,
        wanted: &Wanted,
        flags: i32,
    ) -> Result<(Option<i32>, i32, i32)> {
        let create = flags & sys::JAIL_CREATE != 0;
        let update = flags & sys::JAIL_UPDATE != 0;
        // With this flag, 14.2 makes a dying jail alive again (confirmed). 15 ignores the flag.
        let dying_too = flags & sys::JAIL_DYING != 0 && self.release == Release::V14_2;
        let is_there = |jail: &&Jail| !jail.dying || dying_too;
        let mut jid = wanted.jid;
        let last = wanted.name.as_deref().map(|name| name.rsplit('.').next().unwrap_or(name));
        if create && !update && jid == 0 {
            jid = last.and_then(|last| last.parse().ok()).unwrap_or(0);
        }
        if self.jails.get(caller.jid).is_some_and(|own| own.dying) {
            return Err(Errno::EAGAIN.into());
        }
        let mut found = None;
        if jid < 0 {
            return refuse(Errno::EINVAL, "negative jid");
        }
        if jid != 0 {
            let there = self.jails.get(jid);
            found = there.filter(is_there).map(|jail| jail.jid);
            let exists = format!("jail {jid} already exists");
            if create && !update && found.is_some() {
                return refuse(Errno::EEXIST, exists);
            }
            if found.is_none() && there.is_some() && self.release == Release::V14_2 {
                return match create && !update {
                    true => refuse(Errno::EEXIST, exists),
                    false => refuse(Errno::ENOENT, format!("jail {jid} is dying")),
                };
            }
            let invisible = found.is_some_and(|jid| !self.jails.is_below(caller.jid, jid));
            if invisible || (found.is_none() && !create) {
                return refuse(Errno::ENOENT, format!("jail {jid} not found"));
            }
        }
        let mut parent = caller.jid;
        let Some(name) = &wanted.name else {
            return match found {
                None if !create => refuse(Errno::ENOENT, "update specified no jail"),
                _ => Ok((found, jid, parent)),
            };
        };
        if let Some((above, _)) = name.rsplit_once('.') {
            match found {
                // The kernel compares with the caller's own name, whatever the jail's parent is.
                Some(_) if self.jails.get(caller.jid).is_none_or(|own| own.name != above) => {
                    return refuse(Errno::EINVAL, "cannot change jail's parent");
                }
                Some(_) => {}
                None => match self.jails.find_name(caller.jid, above).and_then(|at| self.jails.get(at)) {
                    None => return refuse(Errno::ENOENT, format!("jail \"{above}\" not found")),
                    Some(jail) if jail.dying => {
                        return refuse(Errno::ENOENT, format!("jail \"{above}\" is dying"));
                    }
                    Some(jail) => parent = jail.jid,
                },
            }
        }
        let last = last.unwrap_or_default();
        if last.is_empty() {
            return Ok((found, jid, parent));
        }
        let full = self.jails.full_name(parent, last);
        let siblings = self.jails.list.named(&full);
        let mut same: Vec<&Jail> =
            siblings.filter(|jail| jail.parent == parent && Some(jail.jid) != found).collect();
        // Prefer a living jail.
        same.sort_by_key(|jail| jail.dying);
        let sibling = same.first();
        if let Some(jail) = sibling.filter(|jail| is_there(jail)) {
            if !update || found.is_some() {
                return refuse(Errno::EEXIST, format!("jail \"{name}\" already exists"));
            }
            found = Some(jail.jid);
        }
        match found {
            None if !create && sibling.is_some() && self.release == Release::V14_2 => {
                refuse(Errno::ENOENT, format!("jail \"{name}\" is dying"))
            }
            None if !create => refuse(Errno::ENOENT, format!("jail \"{name}\" not found")),
            _ => Ok((found, jid, parent)),
        }
    }

    /// A new jail with the values it has before any of its parameters is set.
    pub(super) fn create(&mut self, caller: Caller, jid: i32, parent: i32, wanted: &Wanted) -> Result<i32> {
        let mut above = Some(caller.jid);
        while let Some(at) = above {
            let limit = self.jails.get(at).map_or(super::HIGHEST, |jail| jail.children_max);
            if self.jails.count_below(at) >= usize::try_from(limit).unwrap_or(0) {
                return refuse(Errno::EPERM, "prison limit exceeded");
            }
            above = self.jails.get(at).map(|jail| jail.parent);
        }
        self.room_for(1)?;
        if self.jails.get(jid).is_some() {
            self.renumber(jid)?;
        }
        let free = if jid == 0 { self.jails.next_jid() } else { Some(jid) };
        let Some(jid) = free else { return refuse(Errno::EAGAIN, "no available jail IDs") };
        let stack = (wanted.vnet == Some(true)).then(|| self.create_stack());
        let jail = self.new_jail(caller, jid, parent, wanted, stack);
        self.jails.list.insert(jail);
        Ok(jid)
    }

    /// Moves a dying jail to another jid, because a new jail takes its jid (15; confirmed: the highest jid is used
    /// first).
    fn renumber(&mut self, jid: i32) -> Result<()> {
        let Some(new) = self.jails.next_dead_jid() else {
            return refuse(Errno::EAGAIN, "no available jail IDs");
        };
        self.jails.list.renumber(jid, new);
        for socket in self.sockets.values_mut().filter(|socket| socket.jid == jid) {
            socket.jid = new;
        }
        for process in self.processes.values_mut().filter(|process| process.jid == jid) {
            process.jid = new;
        }
        self.mounts.renumber(jid, new);
        self.renumber_connections(jid, new);
        Ok(())
    }

    fn new_jail(
        &self,
        caller: Caller,
        jid: i32,
        parent: i32,
        wanted: &Wanted,
        stack: Option<StackId>,
    ) -> Jail {
        let above = self.jails.get(parent);
        let allow = ALLOWED_FROM_THE_START
            .iter()
            .filter(|name| above.is_none_or(|jail| jail.allows(name)))
            .map(|name| (*name).to_owned())
            .collect();
        Jail {
            jid,
            parent,
            name: String::new(),
            path: self.jails.get(caller.jid).map_or_else(|| "/".to_owned(), |own| own.path.clone()),
            dying: false,
            persist: false,
            stack,
            ip4: start(stack.is_some(), wanted.ip4.own, above.map(|jail| &jail.ip4)),
            ip6: start(stack.is_some(), wanted.ip6.own, above.map(|jail| &jail.ip6)),
            own_host: true,
            hostname: String::new(),
            domainname: String::new(),
            hostuuid: NO_HOSTUUID.to_owned(),
            hostid: 0,
            securelevel: above.map_or_else(|| self.int_sysctl("kern.securelevel"), |jail| jail.securelevel),
            children_max: 0,
            enforce_statfs: 2,
            devfs_ruleset: above.map_or(0, |jail| jail.devfs_ruleset),
            osreldate: wanted
                .osreldate
                .unwrap_or_else(|| above.map_or(self.release.osreldate(), |jail| jail.osreldate)),
            osrelease: match (&wanted.osrelease, above) {
                (Some(given), _) if !given.is_empty() => given.clone(),
                (_, Some(jail)) => jail.osrelease.clone(),
                (_, None) => self.text_sysctl("kern.osrelease"),
            },
            cpuset: 0,
            allow,
            sysv: SYSV.iter().map(|name| (*name, sys::JAIL_SYS_DISABLE)).collect(),
            meta: META.iter().map(|name| (*name, String::new())).collect(),
        }
    }
}

/// The addresses of a new jail before its list is set.
fn start<A: Copy + Ord>(vnet: bool, own: Option<bool>, parent: Option<&Addresses<A>>) -> Addresses<A> {
    match own {
        _ if vnet => Addresses::unlimited(),
        Some(false) => {
            let (limited, list) = parent.map_or((false, Vec::new()), |p| (p.limited, p.list.clone()));
            Addresses { own: false, limited, list, select: true }
        }
        // Without a parameter the jail gets no addresses.
        None | Some(true) => Addresses::none(),
    }
}
