//! `sysctl(3)`: the objects that jails and their networks need, with GENERIC's values.
//!
//! They belong to the caller's stack and jail, and not to a socket's. An object of a module exists only when the
//! module is loaded.

use super::caller::Caller;
use super::codec::{Wire, enums, structs};
use super::options::{Release, Setting};
use super::world::{SocketKind, StackId, World};
use crate::kernel::{Errno, Handle, Oid, Result, Sysctl};
use jailwire_sys::{CTL_KERN, CTL_NET, OSRELEASELEN, PF_LINK, PF_ROUTE};

/// A sysctl of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub value: Setting,
    form: Form,
    writable: bool,
}

/// The form of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Four bytes.
    Int,
    /// One byte: SYSCTL_BOOL. A longer value is accepted too, and only its first byte counts.
    Bool,
    /// Eight bytes.
    Long,
}

structs! {
    Variable { value, form, writable }
}

enums! {
    Form {
        0 = Int;
        1 = Bool;
        2 = Long;
    }
}

/// Sysctls of each stack: name, form, value, whether it can be written, its module, and its first release.
type PerStack = (&'static str, Form, i32, bool, Option<&'static str>, Release);

const BRIDGE: Option<&str> = Some("if_bridge");

const IPFW: Option<&str> = Some("ipfw");

const STACK: [PerStack; 27] = [
    ("net.add_addr_allfibs", Form::Int, 0, true, None, Release::V14_2),
    ("net.route.multipath", Form::Int, 1, true, None, Release::V14_2),
    ("net.route.hash_outbound", Form::Int, 0, false, None, Release::V14_2),
    ("net.inet.carp.allow", Form::Int, 1, true, Some("carp"), Release::V14_2),
    ("net.inet.ip.forwarding", Form::Int, 0, true, None, Release::V14_2),
    ("net.inet.ip.ttl", Form::Int, 64, true, None, Release::V14_2),
    ("net.inet.ip.no_same_prefix", Form::Int, 0, true, None, Release::V14_2),
    ("net.inet6.ip6.forwarding", Form::Int, 0, true, None, Release::V14_2),
    ("net.inet6.ip6.accept_rtadv", Form::Int, 0, true, None, Release::V14_2),
    ("net.inet6.ip6.no_radr", Form::Int, 0, true, None, Release::V14_2),
    ("net.inet6.ip6.auto_linklocal", Form::Int, 1, true, None, Release::V14_2),
    ("net.inet6.ip6.dad_count", Form::Int, 1, true, None, Release::V14_2),
    ("net.inet6.ip6.use_stableaddr", Form::Bool, 0, true, None, Release::V15_1),
    ("net.inet6.icmp6.nd6_useloopback", Form::Int, 1, true, None, Release::V14_2),
    ("net.link.bridge.allow_llz_overlap", Form::Int, 0, true, BRIDGE, Release::V14_2),
    ("net.link.bridge.inherit_mac", Form::Int, 0, true, BRIDGE, Release::V14_2),
    ("net.link.bridge.member_ifaddrs", Form::Bool, 1, true, BRIDGE, Release::V15_1),
    ("net.link.bridge.pfil_bridge", Form::Int, 0, true, BRIDGE, Release::V14_2),
    ("net.link.bridge.pfil_local_phys", Form::Int, 0, true, BRIDGE, Release::V14_2),
    ("net.link.bridge.pfil_member", Form::Int, 0, true, BRIDGE, Release::V14_2),
    ("net.link.bridge.pfil_onlyip", Form::Int, 1, true, BRIDGE, Release::V14_2),
    ("net.link.bridge.ipfw", Form::Int, 0, true, BRIDGE, Release::V14_2),
    ("net.pf.filter_local", Form::Bool, 0, true, Some("pf"), Release::V14_2),
    ("net.inet.ip.fw.enable", Form::Int, 1, true, IPFW, Release::V14_2),
    ("net.inet.ip.fw.one_pass", Form::Int, 1, true, IPFW, Release::V14_2),
    ("net.inet.ip.fw.tables_max", Form::Int, 128, true, IPFW, Release::V14_2),
    ("net.inet.ip.fw.default_to_accept", Form::Int, 0, false, IPFW, Release::V14_2),
];

/// Sysctls of the machine with a number.
type OfMachine = (&'static str, Form, i32, bool);

const MACHINE: [OfMachine; 25] = [
    ("hw.bus.devctl_queue", Form::Int, 1000, true),
    ("hw.ncpu", Form::Int, 4, false),
    ("kern.eventtimer.idletick", Form::Int, 0, true),
    ("kern.eventtimer.periodic", Form::Int, 0, true),
    ("kern.features.inet", Form::Int, 1, false),
    ("kern.features.inet6", Form::Int, 1, false),
    ("kern.features.racct", Form::Int, 1, false),
    ("kern.features.rctl", Form::Int, 1, false),
    ("kern.hostid", Form::Long, 0x1234_5678, true),
    ("kern.hz", Form::Int, 1000, false),
    ("kern.ipc.maxsockbuf", Form::Long, 8 << 20, true),
    ("kern.maxproc", Form::Int, 100_000, false),
    // RACCT_DEFAULT_TO_DISABLED; a tunable of the loader.
    ("kern.racct.enable", Form::Bool, 0, false),
    ("kern.securelevel", Form::Int, -1, true),
    ("kern.signosys", Form::Int, 1, true),
    ("kern.smp.cpus", Form::Int, 4, false),
    ("net.ifdescr_maxlen", Form::Int, 1024, true),
    ("net.link.ifqmaxlen", Form::Int, 128, false),
    ("net.link.log_link_state_change", Form::Int, 1, true),
    ("net.link.log_promisc_mode_change", Form::Int, 1, true),
    ("net.my_fibnum", Form::Int, 0, false),
    ("net.route.netisr_maxqlen", Form::Int, 256, true),
    ("net.rtsock.recvspace", Form::Long, 8192, true),
    ("security.jail.enforce_statfs", Form::Int, 2, true),
    ("security.jail.jail_max_af_ips", Form::Int, 255, true),
];

/// The old numbers of some sysctls.
const BY_NUMBER: [(i32, &str); 10] = [
    (1, "kern.ostype"),
    (2, "kern.osrelease"),
    (4, "kern.version"),
    (9, "kern.securelevel"),
    (10, "kern.hostname"),
    (11, "kern.hostid"),
    (22, "kern.domainname"),
    (24, "kern.osreldate"),
    (26, "kern.bootfile"),
    (36, "kern.hostuuid"),
];

const TEXTS: [(&str, &str, bool); 6] = [
    ("kern.ostype", "FreeBSD", false),
    ("kern.hostname", "simulated", true),
    ("kern.domainname", "", true),
    ("kern.hostuuid", "00112233-4455-6677-8899-aabbccddeeff", true),
    ("kern.bootfile", "/boot/kernel/kernel", false),
    ("kern.version", "", false),
];

impl World {
    /// Gives the machine its sysctls.
    pub fn set_up_sysctls(&mut self) {
        let machine = MACHINE.iter().map(|(name, form, value, writable)| {
            (*name, Variable { value: Setting::Int(*value), form: *form, writable: *writable })
        });
        let texts = TEXTS.iter().map(|(name, text, writable)| {
            let value = Setting::Text((*text).to_owned());
            (*name, Variable { value, form: Form::Int, writable: *writable })
        });
        let all = machine.chain(texts).map(|(name, variable)| (name.to_owned(), variable));
        self.sysctls = all.collect();
        let release = format!("{}-RELEASE", self.release.name());
        let version = format!("FreeBSD {release} GENERIC (simulated)\n");
        let mut add = |name: &str, value: Setting, form: Form, writable: bool| {
            self.sysctls.insert(name.to_owned(), Variable { value, form, writable });
        };
        add("kern.osreldate", Setting::Int(self.release.osreldate()), Form::Int, false);
        add("kern.osrelease", Setting::Text(release), Form::Int, false);
        add("kern.version", Setting::Text(version), Form::Int, false);
        if self.vimage {
            add("kern.features.vimage", Setting::Int(1), Form::Int, false);
        }
        match self.release {
            Release::V14_2 => add("kern.ipc.maxsockbuf", Setting::Int(2 << 20), Form::Long, true),
            Release::V15_1 => add("net.link.epair.ether_gen_addr", Setting::Int(1), Form::Bool, true),
        }
    }

    /// The sysctls that a new stack has.
    pub fn stack_sysctls(&self) -> std::collections::BTreeMap<String, i32> {
        let here = STACK.iter().filter(|(.., release)| *release <= self.release);
        here.map(|(name, _, value, ..)| ((*name).to_owned(), *value)).collect()
    }

    /// Sets a sysctl of the machine, or of the host's stack, from the beginning.
    pub fn preset_sysctl(&mut self, name: &str, value: &Setting) {
        let host = self.stacks.get_mut(&StackId::HOST);
        match (value, host) {
            (Setting::Int(number), Some(stack)) if name == "net.fibs" => {
                stack.fibs = u32::try_from(*number).unwrap_or(1);
                self.stack_created(StackId::HOST);
            }
            (Setting::Int(number), Some(stack)) if stack.sysctls.contains_key(name) => {
                stack.sysctls.insert(name.to_owned(), *number);
            }
            _ => {
                let old = self.sysctls.get(name);
                let form = old.map_or(Form::Int, |old| old.form);
                let writable = old.is_none_or(|old| old.writable);
                self.sysctls.insert(name.to_owned(), Variable { value: value.clone(), form, writable });
            }
        }
    }

    /// A number of the machine's; 0 if there is none of that name.
    pub fn int_sysctl(&self, name: &str) -> i32 {
        match self.sysctls.get(name).map(|variable| &variable.value) {
            Some(Setting::Int(value)) => *value,
            _ => 0,
        }
    }

    /// A text of the machine's; empty if there is none of that name.
    pub fn text_sysctl(&self, name: &str) -> String {
        match self.sysctls.get(name).map(|variable| &variable.value) {
            Some(Setting::Text(value)) => value.clone(),
            _ => String::new(),
        }
    }

    /// A number of a stack's; 0 if there is none of that name.
    pub fn stack_int(&self, stack: StackId, name: &str) -> i32 {
        self.stacks.get(&stack).and_then(|stack| stack.sysctls.get(name)).copied().unwrap_or(0)
    }

    /// Reads an object, and writes it if there is a new value. Returns the value before.
    pub fn sysctl(&mut self, caller: Caller, sysctl: &Sysctl) -> Result<Vec<u8>> {
        let name = match &sysctl.oid {
            Oid::Name(name) if name.contains('\0') => return Err(Errno::EINVAL.into()),
            Oid::Name(name) => name.as_str(),
            Oid::Numbers(numbers) => {
                if let [CTL_NET, PF_ROUTE | PF_LINK, ..] = numbers[..] {
                    if sysctl.new.is_some() {
                        return Err(Errno::EPERM.into());
                    }
                    return self.route_sysctl(caller, self.stack_of(caller.jid), numbers);
                }
                // {CTL_KERN, KERN_*}
                match BY_NUMBER.iter().find(|(number, _)| numbers[..] == [CTL_KERN, *number]) {
                    Some((_, name)) => name,
                    None => return Err(Errno::ENOENT.into()),
                }
            }
        };
        let old = self.read_sysctl(caller, name)?;
        if let Some(new) = &sysctl.new {
            self.write_sysctl(caller, name, new)?;
        }
        Ok(old)
    }

    fn read_sysctl(&self, caller: Caller, name: &str) -> Result<Vec<u8>> {
        let int = |value: i32| Ok(value.to_ne_bytes().to_vec());
        let text = |value: &str| {
            let mut bytes = value.as_bytes().to_vec();
            bytes.push(0);
            Ok(bytes)
        };
        let stack = self.stack_of(caller.jid);
        if let Some(jail) = self.jails.get(caller.jid) {
            match name {
                "kern.hostname" => return text(&jail.hostname),
                "kern.domainname" => return text(&jail.domainname),
                "kern.hostuuid" => return text(&jail.hostuuid),
                "kern.hostid" => return Ok(jail.hostid.to_ne_bytes().to_vec()),
                "kern.osrelease" => return text(&jail.osrelease),
                "kern.osreldate" => return int(jail.osreldate),
                "kern.securelevel" => return int(jail.securelevel),
                "security.jail.enforce_statfs" => return int(jail.enforce_statfs),
                _ => {}
            }
        }
        match name {
            "net.fibs" => return int(self.stacks.get(&stack).map_or(1, |stack| stack.fibs as i32)),
            "kern.boot_id" => return Ok(self.boot_id.to_vec()),
            "security.jail.list" => return Ok(self.list_jails(caller)),
            _ => {}
        }
        if let Some((_, form, _, _, module, _)) = self.per_stack(name) {
            let there = module.is_none_or(|module| self.modules.iter().any(|loaded| loaded == module));
            return if there {
                Ok(form.bytes(self.stack_int(stack, name)))
            } else {
                Err(Errno::ENOENT.into())
            };
        }
        if let Some(answer) = self.jail_sysctl(caller, name) {
            return Ok(answer);
        }
        let loaded = |module: &str| self.modules.iter().any(|loaded| loaded == module);
        if name.starts_with("net.link.epair.") && !loaded("if_epair") {
            return Err(Errno::ENOENT.into());
        }
        match self.sysctls.get(name) {
            Some(Variable { value: Setting::Text(value), .. }) => text(value),
            Some(Variable { value: Setting::Int(value), form, .. }) => Ok(form.bytes(*value)),
            None if self.is_node(name) => Err(Errno::EISDIR.into()),
            None => Err(Errno::ENOENT.into()),
        }
    }

    /// Sets a sysctl of the machine until the last holder ends.
    pub fn hold_sysctl(&mut self, caller: Caller, name: &str, value: i32) -> Result<Handle> {
        let current = match self.sysctls.get(name) {
            Some(Variable { value: Setting::Int(current), .. }) => *current,
            Some(_) => return Err(Errno::EINVAL.into()),
            None => return Err(Errno::ENOENT.into()),
        };
        let held = self.sockets.values().find_map(|socket| match &socket.kind {
            SocketKind::Value(other, old, set) if other == name && *set == current => Some(*old),
            _ => None,
        });
        self.write_sysctl(caller, name, &value.to_ne_bytes())?;
        let old = held.unwrap_or(current);
        // If another holder is the last, it has to restore the value from before.
        for socket in self.sockets.values_mut() {
            if let SocketKind::Value(other, theirs, set) = &mut socket.kind
                && other == name
            {
                (*theirs, *set) = (old, value);
            }
        }
        Ok(self.add_handle(caller, SocketKind::Value(name.to_owned(), old, value)))
    }

    /// A holder of a sysctl has gone. The last holder restores the value from before, unless another value was set
    /// meanwhile.
    pub fn let_go(&mut self, name: &str, old: i32, set: i32) {
        let holds = |socket: &super::world::Socket| matches!(&socket.kind, SocketKind::Value(other, ..) if other == name);
        if self.sockets.values().any(holds) {
            return;
        }
        if let Some(Variable { value: Setting::Int(value), .. }) = self.sysctls.get_mut(name)
            && *value == set
        {
            *value = old;
        }
    }

    /// Whether there are objects below a name.
    fn is_node(&self, name: &str) -> bool {
        let below = |other: &str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        STACK.iter().any(|(other, ..)| below(other)) || self.sysctls.keys().any(|other| below(other))
    }

    fn per_stack(&self, name: &str) -> Option<&'static PerStack> {
        STACK.iter().find(|(other, .., release)| *other == name && *release <= self.release)
    }

    /// `sysctl_root`: writing a read-only object is EPERM for every caller. A jail can write only objects of its
    /// own stack.
    fn write_sysctl(&mut self, caller: Caller, name: &str, new: &[u8]) -> Result<()> {
        let stack = self.stack_of(caller.jid);
        let of_stack = name == "net.fibs" || self.per_stack(name).is_some();
        let (form, writable) = match (self.per_stack(name), self.sysctls.get(name)) {
            _ if name == "net.fibs" => (Some(Form::Int), true),
            (Some((_, form, _, writable, ..)), _) => (Some(*form), *writable),
            (None, Some(variable)) => match variable.value {
                Setting::Int(_) => (Some(variable.form), variable.writable),
                Setting::Text(_) => (None, variable.writable),
            },
            (None, None) => (None, false),
        };
        let own_stack =
            self.jails.get(caller.jid).is_none_or(|jail| jail.stack.is_some() && jail.allows("suser"));
        if !writable || !caller.root || (caller.jid != 0 && !(of_stack && own_stack)) {
            return Err(Errno::EPERM.into());
        }
        let Some(form) = form else {
            let end = new.iter().position(|byte| *byte == 0).unwrap_or(new.len());
            let value = Setting::Text(String::from_utf8_lossy(&new[..end]).into_owned());
            if let Some(variable) = self.sysctls.get_mut(name) {
                variable.value = value;
            }
            return Ok(());
        };
        let value = form.number(new)?;
        if name == "net.fibs" {
            return self.set_fibs(stack, value);
        }
        if name == "kern.securelevel" && value < self.int_sysctl(name) {
            return Err(Errno::EPERM.into());
        }
        if of_stack {
            if let Some(stack) = self.stacks.get_mut(&stack) {
                stack.sysctls.insert(name.to_owned(), value);
            }
        } else if let Some(variable) = self.sysctls.get_mut(name) {
            variable.value = Setting::Int(value);
        }
        Ok(())
    }

    /// `sysctl_fibs`: the number can be increased at any time, and never decreased (confirmed).
    fn set_fibs(&mut self, stack: StackId, wanted: i32) -> Result<()> {
        const MOST: i32 = 65536;
        let wanted = wanted.clamp(1, MOST) as u32;
        let here = self.stacks.get_mut(&stack).ok_or(Errno::ENOENT)?;
        if wanted < here.fibs {
            return Err(Errno::ENOTCAPABLE.into());
        }
        here.fibs = wanted;
        self.stack_created(stack);
        Ok(())
    }

    /// security.jail.*
    fn jail_sysctl(&self, caller: Caller, name: &str) -> Option<Vec<u8>> {
        let int = |value: i32| Some(value.to_ne_bytes().to_vec());
        let name = name.strip_prefix("security.jail.")?;
        let jail = self.jails.get(caller.jid);
        let flag = |what: &str| int(i32::from(jail.is_some_and(|jail| jail.allows(what))));
        match name {
            "jailed" => int(i32::from(caller.jid != 0)),
            // 0 on the host, and in a jail that shares its parent's stack (confirmed).
            "vnet" => int(i32::from(jail.is_some_and(|jail| jail.stack.is_some()))),
            "devfs_ruleset" => int(jail.map_or(0, |jail| jail.devfs_ruleset)),
            "children.max" => int(jail.map_or(999_999, |jail| jail.children_max)),
            "children.cur" => {
                int(self.jails.all().filter(|jail| self.jails.is_below(caller.jid, jail.jid)).count() as i32)
            }
            "set_hostname_allowed" => int(jail.map_or(1, |jail| i32::from(jail.allows("set_hostname")))),
            "socket_unixiproute_only" => int(jail.map_or(1, |jail| i32::from(!jail.allows("socket_af")))),
            "sysvipc_allowed" => flag("sysvipc"),
            "allow_raw_sockets" => flag("raw_sockets"),
            "chflags_allowed" => flag("chflags"),
            "mount_allowed" => flag("mount"),
            "mlock_allowed" => flag("mlock"),
            _ => {
                let filesystem = name.strip_prefix("mount_").and_then(|rest| rest.strip_suffix("_allowed"));
                match (filesystem, name.strip_prefix("param.")) {
                    (Some(filesystem), _) if self.jailable_filesystems().contains(&filesystem) => {
                        flag(&format!("mount.{filesystem}"))
                    }
                    (_, Some(parameter)) => self.jail_parameter(parameter),
                    _ => None,
                }
            }
        }
    }

    /// security.jail.param.*: zero for a number, the largest length as text for a string, and the size of one
    /// address for a list of addresses.
    fn jail_parameter(&self, name: &str) -> Option<Vec<u8>> {
        let length = |most: usize| Some(format!("{most}\0").into_bytes());
        let size = |size: usize| Some(size.to_ne_bytes().to_vec());
        let number = Some(0i32.to_ne_bytes().to_vec());
        match name.strip_suffix('.').unwrap_or(name) {
            "name" | "host.hostname" | "host.domainname" => length(256),
            "path" => length(1024),
            "osrelease" => length(OSRELEASELEN),
            "host.hostuuid" => length(64),
            "host.hostid" => Some(0u64.to_ne_bytes().to_vec()),
            "ip4.addr" => size(4),
            "ip6.addr" => size(16),
            "meta" | "env" if self.release >= Release::V15_1 => length(4096),
            "vnet" => number.filter(|_| self.vimage),
            "jid" | "parent" | "securelevel" | "osreldate" | "enforce_statfs" | "devfs_ruleset"
            | "persist" | "dying" | "children.cur" | "children.max" | "host" | "cpuset.id" | "ip4"
            | "ip4.saddrsel" | "ip6" | "ip6.saddrsel" | "sysvmsg" | "sysvsem" | "sysvshm" => number,
            other => {
                let allowed = other.strip_prefix("allow.")?;
                number.filter(|_| self.allow_names().iter().any(|name| name == allowed))
            }
        }
    }
}

impl Form {
    fn bytes(self, value: i32) -> Vec<u8> {
        match self {
            Form::Int => value.to_ne_bytes().to_vec(),
            Form::Bool => vec![u8::from(value != 0)],
            Form::Long => i64::from(value).to_ne_bytes().to_vec(),
        }
    }

    fn number(self, bytes: &[u8]) -> std::result::Result<i32, Errno> {
        match self {
            Form::Bool => bytes.first().map(|byte| i32::from(*byte != 0)).ok_or(Errno::EINVAL),
            Form::Int => Ok(i32::from_ne_bytes(*bytes.first_chunk().ok_or(Errno::EINVAL)?)),
            Form::Long => {
                let value = i64::from_ne_bytes(*bytes.first_chunk().ok_or(Errno::EINVAL)?);
                i32::try_from(value).map_err(|_| Errno::EINVAL)
            }
        }
    }
}
