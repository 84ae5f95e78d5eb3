//! The whole state of a kernel as text. The same state gives the same text.

use std::fmt::{self, Write};

use super::jails::Jail;
use super::table::Family;
use super::world::{Interface, Kind, Stack, StackId, World};

impl World {
    /// Describes everything that a start or a stop could leave behind. Handles, growing counters, clocks, modules
    /// and the programs that were run are left out.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        self.write_all(&mut out).expect("a String takes everything");
        out
    }

    fn write_all(&self, out: &mut String) -> fmt::Result {
        for stack in self.stacks.values() {
            self.write_stack(out, stack)?;
        }
        for jail in self.jails.all() {
            self.write_jail(out, jail)?;
        }
        for (pid, process) in &self.processes {
            let state = if process.zombie { " ended" } else { "" };
            writeln!(out, "process {pid} in jail {}{state}", process.jid)?;
        }
        for mount in self.mounts.all() {
            let mounted = &mount.mounted;
            write!(out, "mount {} {} on {}", mounted.fstype, mounted.from, mounted.on.display())?;
            writeln!(out, " flags {:#x} ruleset {} jail {}", mounted.flags, mount.ruleset, mount.jid)?;
        }
        for (number, rules) in self.devfs.all() {
            writeln!(out, "ruleset {number}")?;
            for rule in rules {
                write!(out, " ")?;
                rule.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
                writeln!(out)?;
            }
        }
        for (name, variable) in &self.sysctls {
            writeln!(out, "sysctl {name} {:?}", variable.value)?;
        }
        Ok(())
    }

    /// The name of a stack is its owner, because the numbers of stacks always grow.
    fn name_of_stack(&self, id: StackId) -> String {
        match self.jails.all().find(|jail| jail.stack == Some(id)) {
            Some(jail) => format!("jail {}", jail.name),
            None if id == StackId::HOST => "host".to_owned(),
            None => "a jail that is gone".to_owned(),
        }
    }

    fn write_stack(&self, out: &mut String, stack: &Stack) -> fmt::Result {
        writeln!(out, "stack of {}", self.name_of_stack(stack.id))?;
        for index in stack.order.indexes() {
            self.write_interface(out, self.interface(index))?;
        }
        for (family, tables) in
            [("inet", describe_tables(&stack.inet)), ("inet6", describe_tables(&stack.inet6))]
        {
            for (fib, table) in tables.iter().enumerate() {
                writeln!(out, " {family} fib {fib}\n{table}")?;
            }
        }
        writeln!(out, " prefixes {:?}", stack.protocols.prefixes)?;
        for (name, members) in &stack.groups {
            writeln!(out, " group {name} {members:?}")?;
        }
        for (cloner, units) in stack.units.iter().filter(|(_, units)| !units.is_empty()) {
            writeln!(out, " units of {cloner} {units:?}")?;
        }
        for (name, value) in &stack.sysctls {
            writeln!(out, " sysctl {name} {value}")?;
        }
        stack.pf.write(out)?;
        stack.ipfw.write(out)?;
        Ok(())
    }

    fn write_interface(&self, out: &mut String, interface: &Interface) -> fmt::Result {
        let Interface { index, name, driver, unit, flags, mtu, metric, fib, nd6_flags, .. } = interface;
        writeln!(out, " interface {name} index {index} driver {driver} unit {unit:?}")?;
        writeln!(out, "  made in the stack of {}", self.name_of_stack(interface.home))?;
        writeln!(out, "  flags {flags:#x} mtu {mtu} metric {metric} fib {fib} nd6 {nd6_flags:#x}")?;
        writeln!(out, "  mac {:02x?} permanent {:02x?}", interface.mac, interface.permanent_mac)?;
        let (all, enabled) = (interface.capabilities, interface.enabled_capabilities);
        writeln!(out, "  capabilities {all:#x} enabled {enabled:#x}")?;
        writeln!(out, "  link {} promiscuous {}", interface.link_state, interface.promiscuous)?;
        writeln!(out, "  groups {:?} bridge {:?}", interface.groups, interface.bridge)?;
        if let Some(description) = &interface.description {
            writeln!(out, "  description {:?}", String::from_utf8_lossy(description))?;
        }
        match &interface.kind {
            Kind::Bridge(bridge) => {
                // Leave out learned addresses, which come and go by themselves.
                let mut bridge = bridge.clone();
                bridge.exceeded = 0;
                bridge.addresses.iter_mut().for_each(|learned| learned.expires = Default::default());
                writeln!(out, "  {bridge:?}")?;
            }
            kind => writeln!(out, "  {kind:?}")?,
        }
        for address in &interface.inet {
            let address = super::world::Address4 { order: 0, ..address.clone() };
            writeln!(out, "  {address:?}")?;
        }
        for address in &interface.inet6 {
            let mut address = address.clone();
            (address.order, address.since, address.tentative_until) = (0, Default::default(), None);
            writeln!(out, "  {address:?}")?;
        }
        let mut protocols = interface.protocols.clone();
        protocols.carp.iter_mut().for_each(|host| host.until = None);
        // Sort them, because their order has no meaning.
        protocols.carp.sort_by_key(|host| host.vhid);
        writeln!(out, "  {protocols:?}")
    }

    fn write_jail(&self, out: &mut String, jail: &Jail) -> fmt::Result {
        let stack = jail.stack.map(|_| "own");
        let Jail { jid, parent, name, path, dying, persist, .. } = jail;
        writeln!(
            out,
            "jail {jid} {name} in {parent} path {path} dying {dying} persist {persist} stack {stack:?}"
        )?;
        writeln!(out, " ip4 {:?}\n ip6 {:?}", jail.ip4, jail.ip6)?;
        let host = (&jail.hostname, &jail.domainname, &jail.hostuuid, jail.hostid);
        writeln!(out, " host {} {host:?}", jail.own_host)?;
        let (level, children) = (jail.securelevel, jail.children_max);
        writeln!(out, " securelevel {level} children {children} statfs {}", jail.enforce_statfs)?;
        writeln!(out, " devfs {} release {} {}", jail.devfs_ruleset, jail.osrelease, jail.osreldate)?;
        writeln!(out, " allow {:?}\n {:?} {:?}", jail.allow, jail.sysv, jail.meta)
    }
}

fn describe_tables<A: Family + fmt::Debug>(tables: &[super::table::Table<A>]) -> Vec<String> {
    tables.iter().map(|table| format!("{table:#?}")).collect()
}
