//! Interfaces that programs make: `net/if_clone.c`.
//!
//! Every stack has its own cloners and its own units from 0. An interface keeps its driver, its unit and the stack
//! that it was made in, whatever its name is later.

use std::mem::offset_of;

use jailwire_sys as sys;

use super::caller::Caller;
use super::interface::UNION;
use super::numbers::Numbers;
use super::options::Release;
use super::world::{Bridge, Interface, Kind, Pending, StackId, World};
use crate::kernel::{Errno, Request, Result};

/// The cloners that can be simulated, in the order of their registration in GENERIC, and the module that brings each.
/// `None`: the kernel has the cloner built in. FreeBSD has more cloners.
pub const CLONERS: &[(&str, Option<&str>)] = &[
    ("lo", None),
    ("vlan", None),
    ("gif", None),
    ("tun", None),
    ("tap", None),
    ("epair", Some("if_epair")),
    ("bridge", Some("if_bridge")),
    ("gre", Some("if_gre")),
    ("wg", Some("if_wg")),
    ("lagg", Some("if_lagg")),
];

const MAXIMUM_UNIT: u16 = sys::IF_MAXUNIT as u16;

impl World {
    /// All cloners, newest first. Loaded modules come after built-in cloners.
    fn cloners(&self) -> Vec<&'static str> {
        let built_in = CLONERS.iter().filter(|(_, module)| module.is_none());
        let loaded = self.modules.iter().filter_map(|loaded| {
            CLONERS.iter().find(|(_, module)| module.is_some_and(|module| module == loaded))
        });
        let mut names: Vec<_> = built_in.chain(loaded).map(|(name, _)| *name).collect();
        names.reverse();
        names
    }

    /// SIOCIFCREATE, SIOCIFCREATE2. The kernel writes the interface's name into the request.
    pub fn create_interface(&mut self, caller: Caller, stack: StackId, request: &mut Request) -> Result<()> {
        let given = request.argument.text_at(0, sys::IFNAMSIZ - 1).to_vec();
        let name = String::from_utf8_lossy(&given).into_owned();
        let cloners = self.cloners();
        let cloner =
            cloners.into_iter().find(|cloner| self.matches(stack, cloner, &name)).ok_or(Errno::EINVAL)?;
        if self.find(stack, name.as_bytes()).is_some() {
            return Err(Errno::EEXIST.into());
        }
        self.room_for(if cloner == "epair" { 2 } else { 1 })?;
        let index = match cloner {
            "epair" => self.create_epair(caller, stack, &name)?,
            "vlan" => {
                let wanted = request.number == sys::SIOCIFCREATE2;
                let parameters = if wanted { request.argument.child(UNION) } else { None };
                self.create_vlan(stack, &name, parameters.cloned().as_ref())?
            }
            _ => self.create_simple(caller, stack, cloner, &name)?,
        };
        let name = self.interface(index).name.clone();
        request.argument.bytes[..sys::IFNAMSIZ].fill(0);
        request.argument.put(0, name.as_bytes());
        Ok(())
    }

    /// Whether a name is for a cloner: the cloner's name with or without a number, and for vlan also `PARENT.TAG`.
    fn matches(&self, stack: StackId, cloner: &str, name: &str) -> bool {
        let numbered = name.strip_prefix(cloner).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        numbered || (cloner == "vlan" && self.parent_in_name(stack, name).is_some())
    }

    fn create_simple(
        &mut self,
        caller: Caller,
        stack: StackId,
        cloner: &'static str,
        name: &str,
    ) -> Result<u16> {
        let unit = self.allocate_unit(stack, cloner, unit_in(name)?)?;
        let name = format!("{cloner}{unit}");
        let mut interface = match cloner {
            "lo" => loopback(name, unit),
            "bridge" => {
                let mac = self.generate_mac(caller.jid, &name);
                bridge(name, unit, mac, self.release)
            }
            other => self.tunnel(caller, other, name, unit).ok_or(Errno::EINVAL)?,
        };
        interface.home = stack;
        Ok(self.attach_new(stack, interface))
    }

    /// `ifc_alloc_unit`: the wanted unit, or the lowest free unit whose name is free too.
    pub fn allocate_unit(
        &mut self,
        stack: StackId,
        cloner: &'static str,
        wanted: Option<u32>,
    ) -> Result<u16> {
        let units = self.stacks.get(&stack).and_then(|stack| stack.units.get(cloner));
        let used = |unit: u16| units.is_some_and(|units| units.contains(unit));
        let has_name = |unit: u16| self.find(stack, format!("{cloner}{unit}").as_bytes()).is_some();
        let unit = match wanted {
            Some(unit) => {
                let number =
                    u16::try_from(unit).ok().filter(|unit| *unit <= MAXIMUM_UNIT).ok_or(Errno::ENOSPC)?;
                if used(number) || has_name(number) {
                    return Err(Errno::EEXIST.into());
                }
                number
            }
            None => {
                let first = units.map_or(0, Numbers::lowest_free);
                let mut free = (first..=MAXIMUM_UNIT).filter(|unit| !used(*unit));
                free.find(|unit| !has_name(*unit)).ok_or(Errno::ENOSPC)?
            }
        };
        if let Some(stack) = self.stacks.get_mut(&stack) {
            stack.units.entry(cloner).or_default().insert(unit);
        }
        Ok(unit)
    }

    /// Gives a unit back.
    pub fn free_unit(&mut self, stack: StackId, cloner: &str, unit: u16) {
        if let Some(units) = self.stacks.get_mut(&stack).and_then(|stack| stack.units.get_mut(cloner)) {
            units.remove(unit);
        }
    }

    /// Whether indexes are left for that many more interfaces.
    ///
    /// The table has 65535 places. After that, a real kernel goes on with index 0, and then never returns (trap 36,
    /// confirmed). The simulated kernel reports that the table is full.
    pub fn room_for(&self, interfaces: usize) -> Result<()> {
        if self.interfaces.room() < interfaces { Err(Errno::ENOSPC.into()) } else { Ok(()) }
    }

    /// Gives a new interface the lowest free index, and puts it into its stack. The caller has checked that an
    /// index is free.
    pub fn attach_new(&mut self, stack: StackId, mut interface: Interface) -> u16 {
        let index = self.interfaces.lowest_free().expect("fewer than 65535 interfaces at once");
        interface.index = index;
        interface.stack = stack;
        self.interfaces.insert(interface);
        self.attach(index);
        index
    }

    /// SIOCIFDESTROY, by the present name. The cloner is sought where the interface was made.
    pub fn destroy_named(&mut self, stack: StackId, request: &Request) -> Result<()> {
        let index = self.find(stack, request.argument.text_at(0, sys::IFNAMSIZ)).ok_or(Errno::ENXIO)?;
        if !self.cloners().contains(&self.interface(index).driver.as_str()) {
            return Err(Errno::EINVAL.into());
        }
        self.watch_for_panic(index);
        self.destroy(index, false)
    }

    /// Detects a panic of a real kernel. The cloner of an interface belongs to the stack that the interface was
    /// made in, and is freed with that stack. If the interface is destroyed from another stack meanwhile, the
    /// kernel uses the freed cloner.
    fn watch_for_panic(&mut self, index: u16) {
        let Interface { home, name, .. } = self.interface(index);
        let is_going =
            |(_, event): &(_, Pending)| matches!(event, Pending::StackGone(stack) if stack == home);
        if self.pending.iter().any(is_going) {
            let text = format!("{name} was destroyed while the stack it was made in was being torn down");
            self.panics.push(text);
        }
    }

    /// Destroys a cloned interface, and with an epair end the other end, wherever they are.
    ///
    /// `force` is set when the stack that the interface was made in is removed: then the cloner cannot refuse.
    pub fn destroy(&mut self, index: u16, force: bool) -> Result<()> {
        let interface = self.interface(index);
        let (home, unit, driver) = (interface.home, interface.unit, interface.driver.clone());
        match &interface.kind {
            Kind::Hardware { .. } => return Err(Errno::ENXIO.into()),
            Kind::Loopback if unit == Some(0) && !force => return Err(Errno::EINVAL.into()),
            Kind::Epair { peer, .. } => {
                let peer = *peer;
                self.destroy_epair(index, peer);
            }
            Kind::Bridge(_) => {
                self.drop_all_members(index);
                self.detach_for_good(index);
            }
            _ if !force && self.has_vlans(index) => return Err(Errno::EBUSY.into()),
            _ => {
                self.unconfigure_vlan(index);
                self.detach_for_good(index);
            }
        }
        if let Some(unit) = unit {
            self.free_unit(home, &driver, unit);
        }
        Ok(())
    }

    /// Removes an interface from its stack and from the machine.
    pub fn detach_for_good(&mut self, index: u16) {
        self.detach(index);
        self.interfaces.remove(index);
    }

    /// Whether an interface is on a cloner's list.
    pub fn is_cloned(&self, index: u16) -> bool {
        !matches!(self.interface(index).kind, Kind::Hardware { .. })
    }

    /// SIOCIFGCLONERS: without a buffer only how many there are.
    pub fn list_cloners(&self, request: &mut Request) -> Result<()> {
        const TOTAL: usize = offset_of!(sys::if_clonereq, ifcr_total);
        const COUNT: usize = offset_of!(sys::if_clonereq, ifcr_count);
        const BUFFER: usize = offset_of!(sys::if_clonereq, ifcr_buffer);
        let count = usize::try_from(request.argument.i32_at(COUNT)).map_err(|_| Errno::EINVAL)?;
        let cloners = self.cloners();
        request.argument.put(TOTAL, &(cloners.len() as i32).to_ne_bytes());
        if request.argument.child(BUFFER).is_some() {
            let mut names = Vec::new();
            for cloner in cloners.iter().take(count) {
                let mut name = [0; sys::IFNAMSIZ];
                name[..cloner.len()].copy_from_slice(cloner.as_bytes());
                names.extend_from_slice(&name);
            }
            self.copy_out(request, BUFFER, &names)?;
        }
        Ok(())
    }
}

/// `ifc_name2unit`: the number that begins with the first digit of a name. Returns `None` for a name without a
/// digit.
pub(crate) fn unit_in(name: &str) -> std::result::Result<Option<u32>, Errno> {
    let Some(at) = name.find(|c: char| c.is_ascii_digit()) else { return Ok(None) };
    let digits = &name[at..];
    let well_formed =
        digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let number = digits.parse::<i32>().ok().filter(|_| well_formed).ok_or(Errno::EINVAL)?;
    Ok(u32::try_from(number).ok())
}

/// An interface after `if_alloc`. Its driver fills in the rest.
pub(crate) fn blank(name: String, driver: &str, unit: Option<u16>, kind: Kind) -> Interface {
    Interface {
        index: 0,
        name,
        driver: driver.to_owned(),
        unit,
        kind,
        stack: StackId::HOST,
        home: StackId::HOST,
        flags: ETHERNET_FLAGS,
        mtu: 1500,
        metric: 0,
        mac: [0; 6],
        permanent_mac: [0; 6],
        description: None,
        groups: Vec::new(),
        fib: 0,
        capabilities: 0,
        enabled_capabilities: 0,
        link_state: sys::LINK_STATE_UNKNOWN,
        promiscuous: 0,
        bridge: None,
        nd6_flags: 0,
        inet: Vec::new(),
        inet6: Vec::new(),
        protocols: Default::default(),
    }
}

const ETHERNET_FLAGS: u32 = (sys::IFF_BROADCAST | sys::IFF_SIMPLEX | sys::IFF_MULTICAST) as u32;

/// lo(4).
pub(crate) fn loopback(name: String, unit: u16) -> Interface {
    let capabilities = (sys::IFCAP_HWCSUM | sys::IFCAP_HWCSUM_IPV6 | sys::IFCAP_LINKSTATE) as u32;
    Interface {
        flags: (sys::IFF_LOOPBACK | sys::IFF_MULTICAST) as u32,
        mtu: 16384,
        capabilities,
        enabled_capabilities: capabilities,
        ..blank(name, "lo", Some(unit), Kind::Loopback)
    }
}

fn bridge(name: String, unit: u16, mac: [u8; 6], release: Release) -> Interface {
    // 14.2 gives it no capabilities (confirmed).
    let capabilities = match release {
        Release::V14_2 => 0,
        Release::V15_1 => sys::IFCAP_VLAN_HWTAGGING as u32,
    };
    Interface {
        mac,
        permanent_mac: mac,
        capabilities,
        enabled_capabilities: capabilities,
        ..blank(name, "bridge", Some(unit), Kind::Bridge(Bridge::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_the_kernel_reads_them() {
        assert_eq!(unit_in("epair"), Ok(None));
        assert_eq!(unit_in("epair0"), Ok(Some(0)));
        assert_eq!(unit_in("epair32767"), Ok(Some(32767)));
        assert_eq!(unit_in("lan.5"), Ok(Some(5)));
        for wrong in ["epair007", "epair0a", "em0.5", "epair99999999999"] {
            assert_eq!(unit_in(wrong), Err(Errno::EINVAL), "{wrong}");
        }
    }
}
