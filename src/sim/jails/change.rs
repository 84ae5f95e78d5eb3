//! Changes to a jail: first all remaining checks, and then all changes together.

use super::addresses::Addresses;
use super::parameters::{Options, refuse};
use super::wanted::{Family, LONGEST_NAME, Modules, Wanted};
use super::{Jail, Jails};
use crate::kernel::{Errno, Result};
use crate::sim::caller::Caller;
use crate::sim::world::World;

impl World {
    /// Steps 11 to 14: the remaining checks, and then the changes.
    pub(super) fn check_and_change(
        &mut self,
        caller: Caller,
        jid: i32,
        parent: i32,
        wanted: &Wanted,
        options: &mut Options<'_>,
        created: bool,
    ) -> Result<()> {
        let jail = &self.jails.list[jid];
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
        // A child may have this permission without its parent: PR_ALLOW_DIFFERENCES.
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

    /// The new full name of the jail, if the name changes.
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
        let name = self.jails.full_name(parent, last);
        let grows = name.len() as isize - self.jails.list[jid].name.len() as isize;
        let longest = self.jails.below(jid).into_iter().map(|child| self.jails.list[child].name.len()).max();
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
        let parent = self.jails.list[jid].parent;
        let inherited = self.host_information(parent);
        let jails = &mut self.jails.list;
        if let Some(name) = name {
            let old = jails[jid].name.len();
            for child in &below {
                let new = format!("{name}{}", &jails[*child].name[old..]);
                jails.rename(*child, new);
            }
            jails.rename(jid, name);
        }
        if let Some(path) = &wanted.path {
            jails.move_root(jid, path.clone());
        }
        let jail = jails.get_mut(jid).expect("it is there");
        set_family(&mut jail.ip4, &wanted.ip4);
        set_family(&mut jail.ip6, &wanted.ip6);
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
            let jail = jails.get_mut(*child).expect("it is there");
            for (name, _) in wanted.allow.iter().filter(|(_, allowed)| !allowed) {
                jail.allow.remove(name);
            }
        }
        self.pass_down(jid, &below, &depths, wanted, ruleset);
    }

    /// Applies limits of the jail to its children.
    fn pass_down(&mut self, jid: i32, below: &[i32], depths: &[i32], wanted: &Wanted, ruleset: Option<i32>) {
        let jails = &mut self.jails.list;
        for (child, depth) in std::iter::once((&jid, &0)).chain(below.iter().zip(depths)) {
            let (ip4, ip6) = {
                let parent = jails.get(jails[*child].parent);
                (parent.map(|jail| jail.ip4.clone()), parent.map(|jail| jail.ip6.clone()))
            };
            let jail = jails.get_mut(*child).expect("it is there");
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
    /// `prison_ip_conflict_check`: an address belongs to one jail, unless both jails have only this address.
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
                && addresses.own
                && !(list.len() == 1 && addresses.list.len() == 1)
                && list.iter().any(|address| addresses.list.contains(address))
                && self.is_below(top, jail.jid)
                && self.shares_stack(top, jail)
        };
        self.all().any(|jail| rival(&jail))
    }

    /// Whether the jails share a network stack: no jail between them has its own.
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

fn set_family<A: Copy + Ord>(addresses: &mut Addresses<A>, wanted: &Family<A>) {
    if wanted.own == Some(true) {
        addresses.own = true;
        addresses.limited = true;
        addresses.list = wanted.list.clone().unwrap_or_default();
    }
    addresses.select = wanted.select.unwrap_or(addresses.select);
}

/// `kern_jailmeta.c`: without a key, sets the whole text, and with a key its line `key=value`.
fn set_meta(present: &mut String, key: Option<&str>, value: Option<&str>) {
    let Some(key) = key else {
        *present = value.unwrap_or_default().to_owned();
        return;
    };
    let others = present.lines().filter(|line| line.split_once('=').is_none_or(|(other, _)| other != key));
    let own = value.map(|value| format!("{key}={value}"));
    *present = others.map(str::to_owned).chain(own).map(|line| line + "\n").collect();
}
