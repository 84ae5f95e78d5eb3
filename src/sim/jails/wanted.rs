//! Reads the parameters of `jail_set(2)`, in the kernel's order.

use std::net::{Ipv4Addr, Ipv6Addr};

use jailwire_sys as sys;

use super::addresses::in_order;
use super::parameters::{META, MOST_ADDRESSES, Options, SYSV, refuse};
use crate::kernel::{Errno, Result};
use crate::sim::call::Place;
use crate::sim::options::Release;
use crate::sim::paths;
use crate::sim::world::World;

/// The longest name of a jail or host, with its NUL.
pub(super) const LONGEST_NAME: usize = 256;
const LONGEST_META: usize = 4096;

/// Everything that a caller asked for.
#[derive(Default)]
pub(super) struct Wanted {
    pub jid: i32,
    pub name: Option<String>,
    pub path: Option<String>,
    pub securelevel: Option<i32>,
    pub children_max: Option<i32>,
    pub enforce_statfs: Option<i32>,
    pub devfs_ruleset: Option<i32>,
    pub persist: Option<bool>,
    pub vnet: Option<bool>,
    /// Whether the jail gets host information of its own.
    pub host: Option<bool>,
    pub hostname: Option<String>,
    pub domainname: Option<String>,
    pub hostuuid: Option<String>,
    pub hostid: Option<u64>,
    pub ip4: Family<Ipv4Addr>,
    pub ip6: Family<Ipv6Addr>,
    pub osrelease: Option<String>,
    pub osreldate: Option<i32>,
    /// Names after `allow.`, and whether each is to be.
    pub allow: Vec<(String, bool)>,
}

/// The parameters of kernel modules: OSD.
#[derive(Default)]
pub(super) struct Modules {
    pub sysv: Vec<(&'static str, i32)>,
    /// meta or env; a key, or none for the whole text; the value, or none to drop the key.
    pub meta: Vec<(&'static str, Option<String>, Option<String>)>,
}

/// The parameters of one address family.
pub(super) struct Family<A> {
    /// Whether the jail gets its own addresses, by `ip4` or an address list.
    pub own: Option<bool>,
    /// The list, if there was one.
    pub list: Option<Vec<A>>,
    pub select: Option<bool>,
}

impl<A> Default for Family<A> {
    fn default() -> Family<A> {
        Family { own: None, list: None, select: None }
    }
}

impl World {
    pub(super) fn read_wanted(&self, options: &mut Options<'_>, flags: i32, place: &Place) -> Result<Wanted> {
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
            let (on, off) = (options.flag(name), options.no_flag(name));
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
            // This overrides an explicit `inherit`.
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
            // The kernel keeps the path with symbolic links resolved: `vn_path_to_global_path`.
            let path = self.mounts.resolve(&paths::from_bytes(text), place)?;
            wanted.path = Some(path.to_string_lossy().into_owned());
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

    pub(super) fn read_modules(&self, options: &mut Options<'_>) -> Result<Modules> {
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
}
