//! `jail_set(2)`: `kern/kern_jail.c:kern_jail_set`, in its order.
//!
//! The order matters: an unknown parameter is found last, after a jail with its whole network stack
//! was built, and torn down again.

use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::addresses::{Addresses, in_order};
use super::parameters::{ALLOWED_FROM_THE_START, META, MOST_ADDRESSES, Options, SYSV, no_form, refuse};
use super::{Jail, Jails};
use crate::kernel::sim::caller::{Caller, Privilege};
use crate::kernel::sim::mac::NO_HOSTUUID;
use crate::kernel::sim::options::Release;
use crate::kernel::sim::world::World;
use crate::kernel::{Errno, Parameter, Result};

const DESCRIPTORS: i32 = sys::JAIL_USE_DESC | sys::JAIL_AT_DESC | sys::JAIL_GET_DESC | sys::JAIL_OWN_DESC;
const LONGEST_NAME: usize = 256;
const LONGEST_META: usize = 4096;

/// Everything a caller asked for, once read.
#[derive(Default)]
struct Wanted {
    jid: i32,
    name: Option<String>,
    path: Option<String>,
    securelevel: Option<i32>,
    children_max: Option<i32>,
    enforce_statfs: Option<i32>,
    devfs_ruleset: Option<i32>,
    persist: Option<bool>,
    vnet: Option<bool>,
    /// Whether the jail's own information is wanted, or its parent's.
    host: Option<bool>,
    hostname: Option<String>,
    domainname: Option<String>,
    hostuuid: Option<String>,
    hostid: Option<u64>,
    ip4: Family<Ipv4Addr>,
    ip6: Family<Ipv6Addr>,
    osrelease: Option<String>,
    osreldate: Option<i32>,
    /// Names after `allow.`, and whether each is to be.
    allow: Vec<(String, bool)>,
}

/// What is wanted of modules: OSD.
#[derive(Default)]
struct Modules {
    sysv: Vec<(&'static str, i32)>,
    /// meta or env; a key, or none for the whole text; the value, or none to drop the key.
    meta: Vec<(&'static str, Option<String>, Option<String>)>,
}

/// What is wanted for one address family.
struct Family<A> {
    /// `ip4`, or an address list: whether the jail is to have its own.
    own: Option<bool>,
    /// The list, if there was one.
    list: Option<Vec<A>>,
    select: Option<bool>,
}

impl<A> Default for Family<A> {
    fn default() -> Family<A> {
        Family { own: None, list: None, select: None }
    }
}

impl World {
    /// Creates or updates a jail. It may be left dying when nothing keeps it: `enter` attaches first.
    pub fn jail_set(
        &mut self,
        caller: Caller,
        parameters: &[Parameter],
        flags: i32,
        obstacle: Option<Errno>,
    ) -> Result<i32> {
        if flags & sys::JAIL_ATTACH != 0 {
            // The caller itself would enter the jail and never come back. No caller of this library
            // asks for that: a child does, through `enter`.
            return refuse(Errno::EOPNOTSUPP, "a simulated process cannot enter a jail itself");
        }
        let jid = self.set_jail(caller, parameters, flags, obstacle)?;
        // One that was brought back to life lives on as long as anything refers to it (confirmed).
        if !(self.release == Release::V14_2 && flags & sys::JAIL_DYING != 0) {
            self.settle(jid, true);
        }
        Ok(jid)
    }

    /// The same, without asking whether anything keeps the jail. JAIL_ATTACH is taken as a promise.
    pub fn set_jail(
        &mut self,
        caller: Caller,
        parameters: &[Parameter],
        flags: i32,
        obstacle: Option<Errno>,
    ) -> Result<i32> {
        let own_limit = self.jails.get(caller.jid).map(|jail| jail.children_max);
        if flags & sys::JAIL_CREATE != 0 && own_limit == Some(0) {
            return Err(Errno::EPERM.into());
        }
        let known = match self.release {
            Release::V14_2 => 0x0f,
            Release::V15_1 => sys::JAIL_SET_MASK,
        };
        if flags & !known != 0 {
            return Err(Errno::EINVAL.into());
        }
        let mut options = Options::read(parameters)?;
        let update = flags & sys::JAIL_UPDATE != 0;
        if flags & (sys::JAIL_CREATE | sys::JAIL_UPDATE) == 0 {
            return refuse(Errno::EINVAL, "no valid operation (create or update)");
        }
        self.refuse_descriptors(&mut options, flags)?;
        self.permit(caller, Privilege::Jail)?;
        let wanted = self.read_wanted(&mut options, flags, obstacle)?;
        let (existing, jid, parent) = self.target(caller, &wanted, flags)?;
        let created = existing.is_none();
        let jid = match existing {
            Some(jid) => jid,
            None => self.create(caller, jid, parent, &wanted)?,
        };
        if let Err(failure) = self.check_and_change(caller, jid, parent, &wanted, &mut options, created) {
            if created {
                self.discard(jid);
            }
            return Err(failure);
        }
        let revives = update && flags & sys::JAIL_DYING != 0 && self.release == Release::V14_2;
        if revives && let Some(jail) = self.jails.list.get_mut(&jid) {
            jail.dying = false;
        }
        Ok(jid)
    }

    /// Jail descriptors came with 15. The simulator does not have them, and says so; 14.2 knows
    /// neither the flags (EINVAL before this) nor the parameter (unknown, at the end).
    fn refuse_descriptors(&self, options: &mut Options<'_>, flags: i32) -> Result<()> {
        if self.release == Release::V14_2 {
            return Ok(());
        }
        let both = sys::JAIL_USE_DESC | sys::JAIL_AT_DESC;
        if flags & both == both {
            return Err(Errno::EINVAL.into());
        }
        match (options.get("desc"), flags & DESCRIPTORS != 0) {
            (None, true) => refuse(Errno::ENOENT, "missing desc"),
            (Some(_), false) => refuse(Errno::EINVAL, "unexpected desc"),
            (Some(_), true) => refuse(Errno::EINVAL, "the simulator has no jail descriptors"),
            (None, false) => Ok(()),
        }
    }

    fn read_wanted(&self, options: &mut Options<'_>, flags: i32, obstacle: Option<Errno>) -> Result<Wanted> {
        let update = flags & sys::JAIL_UPDATE != 0;
        let mut wanted = Wanted {
            jid: options.int("jid")?.unwrap_or(0),
            securelevel: options.int("securelevel")?,
            children_max: options.int("children.max")?,
            enforce_statfs: options.int("enforce_statfs")?,
            ..Wanted::default()
        };
        if wanted.enforce_statfs.is_some_and(|value| !(0..=2).contains(&value)) {
            return Err(Errno::EINVAL.into());
        }
        wanted.devfs_ruleset = options.int("devfs_ruleset")?;
        let flag = |options: &mut Options<'_>, name: &str| {
            let (on, off) = (options.flag(name), options.flag(&no_form(name)));
            (on || off).then_some(on)
        };
        wanted.persist = flag(options, "persist");
        wanted.ip4.select = flag(options, "ip4.saddrsel");
        wanted.ip6.select = flag(options, "ip6.saddrsel");
        let jailsys = |options: &mut Options<'_>, name: &str, can_disable: bool| match options.int(name)? {
            None => Ok(None),
            Some(sys::JAIL_SYS_DISABLE) if can_disable => Ok(Some(true)),
            Some(sys::JAIL_SYS_NEW) => Ok(Some(true)),
            Some(sys::JAIL_SYS_INHERIT) => Ok(Some(false)),
            Some(_) => Err(Errno::EINVAL),
        };
        wanted.host = jailsys(options, "host", false)?;
        if self.vimage {
            wanted.vnet = jailsys(options, "vnet", false)?;
        }
        wanted.ip4.own = jailsys(options, "ip4", true)?;
        wanted.ip6.own = jailsys(options, "ip6", true)?;
        let create_alone = flags & (sys::JAIL_CREATE | sys::JAIL_ATTACH) == sys::JAIL_CREATE;
        if create_alone && wanted.persist != Some(true) {
            return refuse(Errno::EINVAL, "new jail must persist or attach");
        }
        if update {
            let fixed = [("vnet", wanted.vnet), ("ip4", wanted.ip4.own), ("ip6", wanted.ip6.own)];
            if let Some((name, _)) = fixed.iter().find(|(_, value)| value.is_some()) {
                return refuse(Errno::EINVAL, format!("{name} cannot be changed after creation"));
            }
        }
        for name in self.allow_names() {
            let allowed = flag(options, &format!("allow.{name}"));
            wanted.allow.extend(allowed.map(|allowed| (name, allowed)));
        }
        wanted.name = options.string("name", LONGEST_NAME)?;
        wanted.hostname = options.string("host.hostname", LONGEST_NAME)?;
        wanted.domainname = options.string("host.domainname", LONGEST_NAME)?;
        wanted.hostuuid = options.string("host.hostuuid", sys::HOSTUUIDLEN)?;
        wanted.hostid = options.long("host.hostid")?;
        let texts = [&wanted.hostname, &wanted.domainname, &wanted.hostuuid];
        if texts.iter().any(|text| text.is_some()) || wanted.hostid.is_some() {
            // Even against an explicit inherit.
            wanted.host = Some(true);
        }
        if let Some(list) = options.array("ip4.addr")? {
            if list.len() > MOST_ADDRESSES {
                return refuse(Errno::EINVAL, "too many IPv4 addresses");
            }
            let list = list.into_iter().map(Ipv4Addr::from).collect();
            let valid = |address: &Ipv4Addr| !address.is_unspecified() && !address.is_broadcast();
            wanted.ip4.list = Some(in_order(list, valid).ok_or(Errno::EINVAL)?);
            wanted.ip4.own = Some(true);
        }
        if let Some(list) = options.array("ip6.addr")? {
            if list.len() > MOST_ADDRESSES {
                return refuse(Errno::EINVAL, "too many IPv6 addresses");
            }
            let list = list.into_iter().map(Ipv6Addr::from).collect();
            wanted.ip6.list =
                Some(in_order(list, |address: &Ipv6Addr| !address.is_unspecified()).ok_or(Errno::EINVAL)?);
            wanted.ip6.own = Some(true);
        }
        if wanted.vnet.is_some() && (wanted.ip4.own.is_some() || wanted.ip6.own.is_some()) {
            return refuse(Errno::EINVAL, "vnet jails cannot have IP address restrictions");
        }
        self.read_release(options, update, &mut wanted)?;
        if let Some(bytes) = options.get("path") {
            if update {
                return refuse(Errno::EINVAL, "path cannot be changed after creation");
            }
            let text = bytes.strip_suffix(&[0]).ok_or(Errno::EINVAL)?;
            if text.len() >= 1024 {
                return Err(Errno::ENAMETOOLONG.into());
            }
            if let Some(errno) = obstacle {
                return Err(errno.into());
            }
            wanted.path = Some(String::from_utf8_lossy(text).into_owned());
        }
        Ok(wanted)
    }

    fn read_release(&self, options: &mut Options<'_>, update: bool, wanted: &mut Wanted) -> Result<()> {
        let osrelease = options.string("osrelease", usize::MAX)?;
        if let Some(text) = &osrelease {
            if update {
                return refuse(Errno::EINVAL, "osrelease cannot be changed after creation");
            }
            if text.len() + 1 >= sys::OSRELEASELEN {
                return refuse(Errno::ENAMETOOLONG, "osrelease string must be 1-31 bytes long");
            }
        }
        wanted.osrelease = osrelease;
        wanted.osreldate = options.int("osreldate")?;
        match wanted.osreldate {
            Some(_) if update => refuse(Errno::EINVAL, "osreldate cannot be changed after creation"),
            Some(0) => refuse(Errno::EINVAL, "osreldate cannot be 0"),
            _ => Ok(()),
        }
    }

    /// Which jail is meant: one that exists, or a number (0 for any) and a parent for a new one.
    fn target(&self, caller: Caller, wanted: &Wanted, flags: i32) -> Result<(Option<i32>, i32, i32)> {
        let create = flags & sys::JAIL_CREATE != 0;
        let update = flags & sys::JAIL_UPDATE != 0;
        // 14.2 brings a dying jail back to life when asked (confirmed). 15 takes no notice.
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
        let siblings = self.jails.all().filter(|jail| jail.parent == parent && Some(jail.jid) != found);
        let mut same: Vec<&Jail> = siblings.filter(|jail| jail.own_name() == last).collect();
        // The living one, if there is one.
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
    fn create(&mut self, caller: Caller, jid: i32, parent: i32, wanted: &Wanted) -> Result<i32> {
        let mut above = Some(caller.jid);
        while let Some(at) = above {
            let limit = self.jails.get(at).map_or(super::HIGHEST, |jail| jail.children_max);
            if self.jails.below(at).len() >= usize::try_from(limit).unwrap_or(0) {
                return refuse(Errno::EPERM, "prison limit exceeded");
            }
            above = self.jails.get(at).map(|jail| jail.parent);
        }
        if self.jails.get(jid).is_some() {
            self.renumber(jid)?;
        }
        let free = if jid == 0 { self.jails.next_jid() } else { Some(jid) };
        let Some(jid) = free else { return refuse(Errno::EAGAIN, "no available jail IDs") };
        let stack = (wanted.vnet == Some(true)).then(|| self.create_stack());
        let jail = self.new_jail(caller, jid, parent, wanted, stack);
        self.jails.list.insert(jid, jail);
        Ok(jid)
    }

    /// A dying jail gives its number to a new one (15; confirmed: the highest there is comes first).
    fn renumber(&mut self, jid: i32) -> Result<()> {
        let Some(new) = self.jails.next_dead_jid() else {
            return refuse(Errno::EAGAIN, "no available jail IDs");
        };
        if let Some(mut jail) = self.jails.list.remove(&jid) {
            jail.jid = new;
            self.jails.list.insert(new, jail);
        }
        for jail in self.jails.list.values_mut().filter(|jail| jail.parent == jid) {
            jail.parent = new;
        }
        for socket in self.sockets.values_mut().filter(|socket| socket.jid == jid) {
            socket.jid = new;
        }
        for process in self.processes.values_mut().filter(|process| process.jid == jid) {
            process.jid = new;
        }
        self.mounts.renumber(jid, new);
        Ok(())
    }

    fn new_jail(
        &self,
        caller: Caller,
        jid: i32,
        parent: i32,
        wanted: &Wanted,
        stack: Option<super::StackId>,
    ) -> Jail {
        let above = self.jails.get(parent);
        let allow = ALLOWED_FROM_THE_START
            .iter()
            .filter(|name| above.is_none_or(|jail| jail.allows(name)))
            .map(|name| (*name).to_owned())
            .collect();
        let cpuset = (2..)
            .find(|number| self.jails.all().all(|jail| jail.cpuset != *number))
            .expect("an endless range");
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
            osreldate: above.map_or(self.release.osreldate(), |jail| jail.osreldate),
            osrelease: above
                .map_or_else(|| self.text_sysctl("kern.osrelease"), |jail| jail.osrelease.clone()),
            cpuset,
            allow,
            sysv: SYSV.iter().map(|name| (*name, sys::JAIL_SYS_DISABLE)).collect(),
            meta: META.iter().map(|name| (*name, String::new())).collect(),
        }
    }

    /// Steps 11 to 14: everything that can still be wrong, then everything that changes.
    fn check_and_change(
        &mut self,
        caller: Caller,
        jid: i32,
        parent: i32,
        wanted: &Wanted,
        options: &mut Options<'_>,
        created: bool,
    ) -> Result<()> {
        let jail = &self.jails.list[&jid];
        if !created {
            let changes = wanted.ip4.own.is_some() || wanted.ip6.own.is_some();
            if jail.stack.is_some() && changes {
                return refuse(Errno::EINVAL, "vnet jails cannot have IP address restrictions");
            }
            if wanted.ip4.own.is_some_and(|own| own != jail.ip4.own) {
                return refuse(Errno::EINVAL, "ip4 cannot be changed after creation");
            }
            if wanted.ip6.own.is_some_and(|own| own != jail.ip6.own) {
                return refuse(Errno::EINVAL, "ip6 cannot be changed after creation");
            }
        }
        let above = self.jails.get(parent);
        let host_level = self.int_sysctl("kern.securelevel");
        let below = |value: Option<i32>, least: i32| value.is_some_and(|value| value < least);
        if below(wanted.securelevel, above.map_or(host_level, |jail| jail.securelevel))
            || wanted
                .children_max
                .is_some_and(|most| most >= above.map_or(super::HIGHEST, |jail| jail.children_max))
            || below(wanted.enforce_statfs, above.map_or(0, |jail| jail.enforce_statfs))
        {
            return Err(Errno::EPERM.into());
        }
        let mut ruleset = wanted.devfs_ruleset;
        if let Some(number) = &mut ruleset {
            if !(0..=65535).contains(number) {
                return Err(Errno::EINVAL.into());
            }
            if caller.jid != 0 {
                let inherited = above.map_or(0, |jail| jail.devfs_ruleset);
                if *number > 0 && *number != inherited {
                    return Err(Errno::EPERM.into());
                }
                *number = inherited;
            }
        }
        self.check_addresses(jid, parent, wanted)?;
        let name = self.check_name(jid, parent, wanted, created)?;
        let forbidden = |name: &str| above.is_some_and(|jail| !jail.allows(name));
        // A child may be told to tamper less, or more, than its parent: PR_ALLOW_DIFFERENCES.
        let differs = "unprivileged_parent_tampering";
        if wanted.allow.iter().any(|(name, allowed)| *allowed && forbidden(name) && name != differs) {
            return Err(Errno::EPERM.into());
        }
        let modules = self.read_modules(options)?;
        if let Some(name) = options.unknown() {
            return refuse(Errno::EINVAL, format!("unknown parameter: {name}"));
        }
        self.change(jid, wanted, ruleset, name, modules);
        Ok(())
    }

    fn read_modules(&self, options: &mut Options<'_>) -> Result<Modules> {
        let mut modules = Modules::default();
        for name in SYSV {
            match options.int(name)? {
                None => {}
                Some(value @ (sys::JAIL_SYS_DISABLE | sys::JAIL_SYS_NEW | sys::JAIL_SYS_INHERIT)) => {
                    modules.sysv.push((name, value));
                }
                Some(_) => return Err(Errno::EINVAL.into()),
            }
        }
        let text = |bytes: &[u8]| match bytes.strip_suffix(&[0]) {
            _ if bytes.len() > LONGEST_META => Err(Errno::EFBIG),
            Some(text) => Ok(String::from_utf8_lossy(text).into_owned()),
            None => Err(Errno::EINVAL),
        };
        for name in META.into_iter().filter(|_| self.release >= Release::V15_1) {
            if let Some(bytes) = options.get(name) {
                modules.meta.push((name, None, Some(text(bytes)?)));
            }
            for (key, bytes) in options.beginning(&format!("{name}.")) {
                let value = if bytes.is_empty() { None } else { Some(text(bytes)?) };
                modules.meta.push((name, Some(key[name.len() + 1..].to_owned()), value));
            }
        }
        Ok(modules)
    }

    fn check_addresses(&self, jid: i32, parent: i32, wanted: &Wanted) -> Result<()> {
        let above = self.jails.get(parent);
        if let Some(list) = wanted.ip4.list.as_ref().filter(|list| !list.is_empty()) {
            if above.is_some_and(|jail| !jail.ip4.covers(list)) {
                return Err(Errno::EPERM.into());
            }
            if self.jails.conflicts(jid, parent, list, |jail| &jail.ip4) {
                return refuse(Errno::EADDRINUSE, "IPv4 addresses clash");
            }
        }
        if let Some(list) = wanted.ip6.list.as_ref().filter(|list| !list.is_empty()) {
            if above.is_some_and(|jail| !jail.ip6.covers(list)) {
                return Err(Errno::EPERM.into());
            }
            if self.jails.conflicts(jid, parent, list, |jail| &jail.ip6) {
                return refuse(Errno::EADDRINUSE, "IPv6 addresses clash");
            }
        }
        Ok(())
    }

    /// The full name that the jail is to have, if it is to have another.
    fn check_name(&self, jid: i32, parent: i32, wanted: &Wanted, created: bool) -> Result<Option<String>> {
        let last = match &wanted.name {
            Some(name) => name.rsplit('.').next().unwrap_or_default(),
            None if created => "",
            None => return Ok(None),
        };
        let number = jid.to_string();
        let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && last != number {
            return refuse(Errno::EINVAL, "name cannot be numeric (unless it is the jid)");
        }
        let last = if last.is_empty() { &number } else { last };
        let name = match self.jails.get(parent) {
            Some(above) => format!("{}.{last}", above.name),
            None => last.to_owned(),
        };
        let grows = name.len() as isize - self.jails.list[&jid].name.len() as isize;
        let longest = self.jails.below(jid).into_iter().map(|child| self.jails.list[&child].name.len()).max();
        let too_long = longest.is_some_and(|length| length as isize + grows >= LONGEST_NAME as isize);
        if name.len() >= LONGEST_NAME || too_long {
            return Err(Errno::ENAMETOOLONG.into());
        }
        Ok(Some(name))
    }

    fn change(
        &mut self,
        jid: i32,
        wanted: &Wanted,
        ruleset: Option<i32>,
        name: Option<String>,
        modules: Modules,
    ) {
        let below = self.jails.below(jid);
        let depths: Vec<i32> = below.iter().map(|child| self.jails.depth_below(jid, *child)).collect();
        let parent = self.jails.list[&jid].parent;
        let inherited = self.host_information(parent);
        let jails = &mut self.jails.list;
        if let Some(name) = name {
            let old = std::mem::replace(&mut jails.get_mut(&jid).expect("it is there").name, name.clone());
            for child in &below {
                let child = jails.get_mut(child).expect("it is there");
                child.name = format!("{name}{}", &child.name[old.len()..]);
            }
        }
        let jail = jails.get_mut(&jid).expect("it is there");
        set_family(&mut jail.ip4, &wanted.ip4);
        set_family(&mut jail.ip6, &wanted.ip6);
        if let Some(path) = &wanted.path {
            jail.path = path.clone();
        }
        jail.persist = wanted.persist.unwrap_or(jail.persist);
        match wanted.host {
            Some(true) => jail.own_host = true,
            Some(false) => {
                jail.own_host = false;
                (jail.hostname, jail.domainname, jail.hostuuid, jail.hostid) = inherited;
            }
            None => {}
        }
        jail.sysv.extend(modules.sysv);
        for (name, key, value) in modules.meta {
            set_meta(jail.meta.entry(name).or_default(), key.as_deref(), value.as_deref());
        }
        for (name, allowed) in &wanted.allow {
            if *allowed {
                jail.allow.insert(name.clone());
            }
        }
        for child in std::iter::once(&jid).chain(&below) {
            let jail = jails.get_mut(child).expect("it is there");
            for (name, _) in wanted.allow.iter().filter(|(_, allowed)| !allowed) {
                jail.allow.remove(name);
            }
        }
        self.pass_down(jid, &below, &depths, wanted, ruleset);
    }

    /// What children must not exceed, or share.
    fn pass_down(&mut self, jid: i32, below: &[i32], depths: &[i32], wanted: &Wanted, ruleset: Option<i32>) {
        let jails = &mut self.jails.list;
        for (child, depth) in std::iter::once((&jid, &0)).chain(below.iter().zip(depths)) {
            let (ip4, ip6) = {
                let parent = jails.get(&jails[child].parent);
                (parent.map(|jail| jail.ip4.clone()), parent.map(|jail| jail.ip6.clone()))
            };
            let jail = jails.get_mut(child).expect("it is there");
            let own = *depth == 0;
            if let Some(level) = wanted.securelevel {
                jail.securelevel = if own { level } else { jail.securelevel.max(level) };
            }
            if let Some(most) = wanted.children_max {
                jail.children_max = if own { most } else { jail.children_max.min((most - depth).max(0)) };
            }
            if let Some(enforce) = wanted.enforce_statfs {
                jail.enforce_statfs = if own { enforce } else { jail.enforce_statfs.max(enforce) };
            }
            if let Some(ruleset) = ruleset {
                jail.devfs_ruleset = ruleset;
            }
            if !own
                && jail.stack.is_none()
                && let (Some(ip4), Some(ip6)) = (&ip4, &ip6)
            {
                jail.ip4.restrict(ip4);
                jail.ip6.restrict(ip6);
            }
            if own || !jail.own_host {
                let text = |old: &mut String, new: &Option<String>| {
                    if let Some(new) = new {
                        old.clone_from(new);
                    }
                };
                text(&mut jail.hostname, &wanted.hostname);
                text(&mut jail.domainname, &wanted.domainname);
                text(&mut jail.hostuuid, &wanted.hostuuid);
                jail.hostid = wanted.hostid.unwrap_or(jail.hostid);
            }
        }
    }

    fn host_information(&self, jid: i32) -> (String, String, String, u64) {
        match self.jails.get(jid) {
            Some(jail) => {
                (jail.hostname.clone(), jail.domainname.clone(), jail.hostuuid.clone(), jail.hostid)
            }
            None => (
                self.text_sysctl("kern.hostname"),
                self.text_sysctl("kern.domainname"),
                self.text_sysctl("kern.hostuuid"),
                u64::try_from(self.int_sysctl("kern.hostid")).unwrap_or(0),
            ),
        }
    }
}

impl Jails {
    /// `prison_ip_conflict_check`: an address is one jail's, unless both have just that one.
    fn conflicts<A: Copy + Ord>(
        &self,
        own: i32,
        parent: i32,
        list: &[A],
        of: impl Fn(&Jail) -> &Addresses<A>,
    ) -> bool {
        let mut top = parent;
        while let Some(jail) = self.get(top).filter(|jail| jail.stack.is_none()) {
            top = jail.parent;
        }
        let rival = |jail: &&Jail| {
            let addresses = of(jail);
            jail.jid != own
                && !jail.dying
                && self.is_below(top, jail.jid)
                && self.shares_stack(top, jail)
                && addresses.own
                && !(list.len() == 1 && addresses.list.len() == 1)
                && list.iter().any(|address| addresses.list.contains(address))
        };
        self.all().any(|jail| rival(&jail))
    }

    /// Whether no jail between has a stack of its own.
    fn shares_stack(&self, top: i32, jail: &Jail) -> bool {
        let mut at = Some(jail);
        while let Some(jail) = at {
            if jail.jid == top {
                return true;
            }
            if jail.stack.is_some() {
                return false;
            }
            at = self.get(jail.parent);
        }
        true
    }
}

/// What a new jail has of a family before its list is set.
fn start<A: Copy + Ord>(vnet: bool, own: Option<bool>, parent: Option<&Addresses<A>>) -> Addresses<A> {
    match own {
        _ if vnet => Addresses::unlimited(),
        Some(false) => {
            let (limited, list) = parent.map_or((false, Vec::new()), |p| (p.limited, p.list.clone()));
            Addresses { own: false, limited, list, select: true }
        }
        // Nothing was said: nothing is given.
        None | Some(true) => Addresses::none(),
    }
}

fn set_family<A: Copy + Ord>(addresses: &mut Addresses<A>, wanted: &Family<A>) {
    if wanted.own == Some(true) {
        addresses.own = true;
        addresses.limited = true;
        addresses.list = wanted.list.clone().unwrap_or_default();
    }
    addresses.select = wanted.select.unwrap_or(addresses.select);
}

/// `kern_jailmeta.c`: without a key the whole text, with one its line, `key=value`.
fn set_meta(present: &mut String, key: Option<&str>, value: Option<&str>) {
    let Some(key) = key else {
        *present = value.unwrap_or_default().to_owned();
        return;
    };
    let others = present.lines().filter(|line| line.split_once('=').is_none_or(|(other, _)| other != key));
    let own = value.map(|value| format!("{key}={value}"));
    *present = others.map(str::to_owned).chain(own).map(|line| line + "\n").collect();
}
