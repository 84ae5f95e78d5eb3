//! Virtual hosts of carp(4): `netinet/ip_carp.c`. The simulation has no other hosts, so a virtual host becomes the
//! master after it has waited for another master.

use std::mem::offset_of;
use std::net::IpAddr;
use std::time::Duration;

use jailwire_sys as sys;

use super::caller::{Caller, Privilege};
use super::interface::UNION;
use super::world::{Kind, Pending, StackId, World};
use crate::kernel::{Block, Errno, Request, Result};

const VHID: usize = offset_of!(sys::carpreq, carpr_vhid);
const STATE: usize = offset_of!(sys::carpreq, carpr_state);
const SKEW: usize = offset_of!(sys::carpreq, carpr_advskew);
const BASE: usize = offset_of!(sys::carpreq, carpr_advbase);
const KEY: usize = offset_of!(sys::carpreq, carpr_key);

const BACKUP: i32 = 1;
const MASTER: i32 = 2;

/// A virtual host of an interface (`struct carp_softc`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VirtualHost {
    pub vhid: u8,
    /// Seconds between advertisements, and the 256ths of a second beyond.
    pub base: u8,
    pub skew: u8,
    pub key: [u8; sys::CARP_KEY_LEN],
    /// 0 INIT, 1 BACKUP, 2 MASTER.
    pub state: i32,
    /// When a backup that has heard no master becomes the master.
    pub until: Option<Duration>,
    /// The addresses that belong to it, oldest first.
    pub addresses: Vec<IpAddr>,
}

impl World {
    /// SIOCSVH and SIOCGVH (`carp_ioctl`).
    pub fn carp_ioctl(&mut self, caller: Caller, stack: StackId, request: &mut Request) -> Result<()> {
        self.check_carp()?;
        let asked = request.argument.child(UNION).ok_or(Errno::EFAULT)?.clone();
        if asked.bytes.len() < size_of::<sys::carpreq>() {
            return Err(Errno::EFAULT.into());
        }
        let index = self.find(stack, request.argument.text_at(0, sys::IFNAMSIZ)).ok_or(Errno::ENXIO)?;
        let interface = self.interface(index);
        if interface.kind == Kind::Loopback {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if !interface.has(sys::IFF_MULTICAST) {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        if request.number == sys::SIOCSVH {
            self.permit(caller, Privilege::Network)?;
            return self.set_virtual_host(index, &asked);
        }
        let vhid = asked.i32_at(VHID);
        if !(0..=sys::CARP_MAXVHID).contains(&vhid) {
            return Err(Errno::EINVAL.into());
        }
        if asked.i32_at(offset_of!(sys::carpreq, carpr_count)) < 1 {
            return Err(Errno::EMSGSIZE.into());
        }
        let hosts = &interface.protocols.carp;
        let host = match vhid {
            // The kernel writes all of them to the same place, so the caller sees the last one.
            0 if hosts.len() > 1 => return Err(Errno::EMSGSIZE.into()),
            0 => hosts.first(),
            _ => hosts.iter().find(|host| i32::from(host.vhid) == vhid),
        };
        let host = host.ok_or(Errno::ENOENT)?;
        let mut answer = asked;
        answer.put(offset_of!(sys::carpreq, carpr_count), &1i32.to_ne_bytes());
        answer.put(VHID, &i32::from(host.vhid).to_ne_bytes());
        answer.put(STATE, &host.state.to_ne_bytes());
        answer.put(SKEW, &i32::from(host.skew).to_ne_bytes());
        answer.put(BASE, &i32::from(host.base).to_ne_bytes());
        let key = if self.permit(caller, Privilege::Network).is_ok() { host.key } else { Default::default() };
        answer.put(KEY, &key);
        let bytes = answer.bytes[..size_of::<sys::carpreq>()].to_vec();
        self.copy_out(request, UNION, &bytes)
    }

    /// Refuses what needs carp(4) where the module is not loaded.
    pub fn check_carp(&self) -> Result<()> {
        match self.modules.iter().any(|module| module == "carp") {
            true => Ok(()),
            false => Err(Errno::EPROTONOSUPPORT.into()),
        }
    }

    /// `carp_ioctl_set`. A missing virtual host is made, with the parameters of a new one as defaults.
    fn set_virtual_host(&mut self, index: u16, asked: &Block) -> Result<()> {
        let (vhid, base, skew) = (asked.i32_at(VHID), asked.i32_at(BASE), asked.i32_at(SKEW));
        let vhid = u8::try_from(vhid).ok().filter(|vhid| *vhid != 0).ok_or(Errno::EINVAL)?;
        let base = u8::try_from(base).map_err(|_| Errno::EINVAL)?;
        let skew = u8::try_from(skew).ok().filter(|skew| *skew < 255).ok_or(Errno::EINVAL)?;
        let key: [u8; sys::CARP_KEY_LEN] = asked.get(KEY);
        let hosts = &mut self.interface_mut(index).protocols.carp;
        let at = hosts.iter().position(|host| host.vhid == vhid).unwrap_or_else(|| {
            let (key, until) = (Default::default(), None);
            hosts.push(VirtualHost { vhid, base: 1, skew: 0, key, state: 0, until, addresses: Vec::new() });
            hosts.len() - 1
        });
        let host = &mut hosts[at];
        if base != 0 {
            host.base = base;
        }
        host.skew = skew;
        if key[0] != 0 {
            host.key = key;
        }
        match asked.i32_at(STATE) {
            wanted if wanted == host.state || host.state == 0 => {}
            BACKUP => self.become_backup(index, vhid),
            MASTER => self.become_master(index, vhid),
            _ => {}
        }
        Ok(())
    }

    /// `carp_attach`: checks that an address may belong to a virtual host of its interface.
    pub fn check_virtual_host(&self, index: u16, vhid: i32) -> Result<()> {
        self.check_carp()?;
        let hosts = &self.interface(index).protocols.carp;
        match hosts.iter().any(|host| i32::from(host.vhid) == vhid) {
            true => Ok(()),
            false if hosts.is_empty() => Err(Errno::ENOPROTOOPT.into()),
            false => Err(Errno::ENOENT.into()),
        }
    }

    /// Gives an address to a virtual host that is there.
    pub fn attach_to_virtual_host(&mut self, index: u16, vhid: i32, address: IpAddr) {
        if let Some(host) = self.virtual_host(index, vhid) {
            host.addresses.push(address);
            let vhid = host.vhid;
            self.start_virtual_host(index, vhid);
        }
    }

    /// `carp_detach`: removes an address from its virtual host. The virtual host is removed with its last address,
    /// unless `keep` is set.
    pub fn detach_from_virtual_host(&mut self, index: u16, address: IpAddr, keep: bool) {
        let Some(interface) = self.interfaces.get_mut(&index) else { return };
        let hosts = &mut interface.protocols.carp;
        let Some(at) = hosts.iter().position(|host| host.addresses.contains(&address)) else { return };
        hosts[at].addresses.retain(|other| *other != address);
        let vhid = hosts[at].vhid;
        if hosts[at].addresses.is_empty() && !keep {
            hosts.remove(at);
        } else {
            self.start_virtual_host(index, vhid);
        }
    }

    /// The vhid of an address, or 0 for an address that belongs to no virtual host (`carp_get_vhid`).
    pub fn vhid_of(&self, index: u16, address: IpAddr) -> u8 {
        let hosts = self.interfaces.get(&index).map(|interface| &interface.protocols.carp);
        let host = hosts.and_then(|hosts| hosts.iter().find(|host| host.addresses.contains(&address)));
        host.map_or(0, |host| host.vhid)
    }

    fn virtual_host(&mut self, index: u16, vhid: i32) -> Option<&mut VirtualHost> {
        let hosts = &mut self.interfaces.get_mut(&index)?.protocols.carp;
        hosts.iter_mut().find(|host| i32::from(host.vhid) == vhid)
    }

    /// Restarts all virtual hosts of an interface that came up or goes down (`carp_linkstate`).
    pub fn start_virtual_hosts(&mut self, index: u16) {
        let hosts = self.interfaces.get(&index).map(|interface| &interface.protocols.carp);
        let vhids: Vec<u8> =
            hosts.map(|hosts| hosts.iter().map(|host| host.vhid).collect()).unwrap_or_default();
        for vhid in vhids {
            self.start_virtual_host(index, vhid);
        }
    }

    /// `carp_sc_state`: a virtual host with addresses on an interface that is up looks for a master.
    fn start_virtual_host(&mut self, index: u16, vhid: u8) {
        let is_up = self.interface(index).has(sys::IFF_UP);
        match self.virtual_host(index, vhid.into()) {
            Some(host) if is_up && !host.addresses.is_empty() => self.become_backup(index, vhid),
            Some(host) => (host.state, host.until) = (0, None),
            None => {}
        }
    }

    fn become_backup(&mut self, index: u16, vhid: u8) {
        let now = self.now;
        let Some(host) = self.virtual_host(index, vhid.into()) else { return };
        let skew = Duration::from_micros(u64::from(host.skew) * 1_000_000 / 256);
        let due = now + Duration::from_secs(3 * u64::from(host.base)) + skew;
        (host.state, host.until) = (BACKUP, Some(due));
        self.pending.push((due, Pending::NoMaster(index, vhid)));
    }

    /// Makes a backup the master after its timeout, unless it was restarted meanwhile (`carp_master_down`).
    pub fn no_master(&mut self, index: u16, vhid: u8) {
        let now = self.now;
        if self.virtual_host(index, vhid.into()).is_some_and(|host| host.until.is_some_and(|due| due <= now))
        {
            self.become_master(index, vhid);
        }
    }

    /// Makes a virtual host the master, which adds the routes of its addresses (`carp_addroute`).
    fn become_master(&mut self, index: u16, vhid: u8) {
        let Some(host) = self.virtual_host(index, vhid.into()) else { return };
        (host.state, host.until) = (MASTER, None);
        for address in host.addresses.clone() {
            let IpAddr::V4(address) = address else { continue };
            if let Some(ours) = self.inet_of(index).into_iter().find(|ours| ours.address == address) {
                // The kernel ignores errors of these two calls.
                let _ = self.add_prefix(index, &ours);
                let _ = self.add_own_route(index, &ours);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const A: u16 = 2;

    fn world() -> World {
        let mut world = pair();
        world.modules.push("carp".to_owned());
        world
    }

    fn ask(world: &mut World, number: std::ffi::c_ulong, fields: &[(usize, i32)]) -> Result<Block> {
        let mut request = Request::new(number);
        request.argument.put(0, b"vnet0.1\0");
        let mut block = Block::zeroed(size_of::<sys::carpreq>());
        block.put(offset_of!(sys::carpreq, carpr_count), &1i32.to_ne_bytes());
        fields.iter().for_each(|(at, value)| block.put(*at, &value.to_ne_bytes()));
        request.argument.point(UNION, block);
        world.carp_ioctl(ROOT, StackId::HOST, &mut request)?;
        Ok(request.argument.child(UNION).cloned().expect("it was put there"))
    }

    fn refused(world: &mut World, number: std::ffi::c_ulong, fields: &[(usize, i32)]) -> Errno {
        ask(world, number, fields).unwrap_err().errno
    }

    #[test]
    fn what_is_no_virtual_host_is_refused() {
        assert_eq!(refused(&mut pair(), sys::SIOCGVH, &[]), Errno::EPROTONOSUPPORT);
        let mut world = world();
        assert_eq!(refused(&mut world, sys::SIOCGVH, &[(VHID, 1)]), Errno::ENOENT);
        assert_eq!(refused(&mut world, sys::SIOCGVH, &[(VHID, 256)]), Errno::EINVAL);
        for fields in [[(VHID, 0), (BASE, 1)], [(VHID, 256), (BASE, 1)], [(VHID, 1), (BASE, 256)]] {
            assert_eq!(refused(&mut world, sys::SIOCSVH, &fields), Errno::EINVAL);
        }
        assert_eq!(refused(&mut world, sys::SIOCSVH, &[(VHID, 1), (SKEW, 255)]), Errno::EINVAL);
        assert_eq!(world.check_virtual_host(A, 1).unwrap_err().errno, Errno::ENOPROTOOPT);
        ask(&mut world, sys::SIOCSVH, &[(VHID, 1)]).unwrap();
        assert_eq!(world.check_virtual_host(A, 2).unwrap_err().errno, Errno::ENOENT);
    }

    #[test]
    fn a_virtual_host_waits_for_a_master_and_goes_with_its_last_address() {
        let mut world = world();
        ask(&mut world, sys::SIOCSVH, &[(VHID, 7), (SKEW, 128), (BASE, 2)]).unwrap();
        let state = |world: &mut World| ask(world, sys::SIOCGVH, &[(VHID, 7)]).unwrap().i32_at(STATE);
        assert_eq!(state(&mut world), 0);
        go_up(&mut world, A);
        world.attach_to_virtual_host(A, 7, "10.0.0.9".parse().unwrap());
        assert_eq!(state(&mut world), BACKUP);
        world.advance(world.now + Duration::from_millis(6400));
        assert_eq!(state(&mut world), BACKUP);
        world.advance(world.now + Duration::from_millis(200));
        assert_eq!(state(&mut world), MASTER);
        let told = ask(&mut world, sys::SIOCGVH, &[(VHID, 7)]).unwrap();
        assert_eq!((told.i32_at(BASE), told.i32_at(SKEW)), (2, 128));
        ask(&mut world, sys::SIOCSVH, &[(VHID, 7), (STATE, BACKUP)]).unwrap();
        assert_eq!(state(&mut world), BACKUP);
        world.detach_from_virtual_host(A, "10.0.0.9".parse().unwrap(), false);
        assert_eq!(refused(&mut world, sys::SIOCGVH, &[(VHID, 7)]), Errno::ENOENT);
    }
}
