//! Tests of the whole simulated kernel, through the kernel interface.
//!
//! Most of them test unexpected behaviour of FreeBSD ("traps"). Each trap was seen on a running kernel, unless the
//! test says otherwise. This file has their shared code.

mod bridges;
mod interfaces;
mod jails;
mod mounts;
mod moves;
mod sharing;
mod soak;
mod sysctls;

use std::mem::offset_of;

use jailwire_sys as sys;

use super::{Options, Sim};
use crate::kernel::{Block, Calls, Domain, Errno, Handle, Parameter, Request, Result};

/// The offset of the union in an `ifreq`.
pub(crate) const UNION: usize = offset_of!(sys::ifreq, ifr_ifru);

/// A host with epair(4) and bridge(4) loaded, and sockets on it.
pub(crate) struct Host {
    pub sim: Sim,
    pub inet: Handle,
    pub route: Handle,
}

impl Host {
    pub fn new() -> Host {
        Host::with(Options::default())
    }

    pub fn with(options: Options) -> Host {
        let modules = vec!["if_epair".to_owned(), "if_bridge".to_owned()];
        Host::of(Sim::with(&Options { modules, ..options }))
    }

    pub fn of(sim: Sim) -> Host {
        let inet = sim.socket(Domain::Inet).unwrap();
        let route = sim.socket(Domain::Route(0)).unwrap();
        Host { sim, inet, route }
    }

    /// The same host, for a process in a jail.
    pub fn inside(&self, jid: i32) -> Host {
        Host::of(self.sim.inside(jid))
    }

    pub fn create(&self, name: &str) -> Result<String> {
        let mut request = named(sys::SIOCIFCREATE2, name);
        self.sim.ioctl(self.inet, &mut request)?;
        Ok(String::from_utf8_lossy(request.argument.text_at(0, 16)).into_owned())
    }

    pub fn destroy(&self, name: &str) -> Result<()> {
        self.sim.ioctl(self.inet, &mut named(sys::SIOCIFDESTROY, name))
    }

    pub fn rename(&self, name: &str, new: &str) -> Result<()> {
        let mut request = named(sys::SIOCSIFNAME, name);
        let mut bytes = new.as_bytes().to_vec();
        bytes.push(0);
        request.argument.point(UNION, Block::new(bytes));
        self.sim.ioctl(self.inet, &mut request)
    }

    pub fn set(&self, number: u64, name: &str, value: u32) -> Result<()> {
        let mut request = named(number, name);
        request.argument.put(UNION, &value.to_ne_bytes());
        self.sim.ioctl(self.inet, &mut request)
    }

    pub fn get(&self, number: u64, name: &str) -> Result<u32> {
        let mut request = named(number, name);
        self.sim.ioctl(self.inet, &mut request)?;
        Ok(request.argument.u32_at(UNION))
    }

    pub fn flags(&self, name: &str) -> u32 {
        self.get(sys::SIOCGIFFLAGS, name).unwrap()
    }

    pub fn exists(&self, name: &str) -> bool {
        self.get(sys::SIOCGIFINDEX, name) != Err(Errno::ENXIO.into())
    }

    /// A bridge command that sets something.
    pub fn bridge(&self, bridge: &str, command: u64, argument: Block) -> Result<()> {
        self.drive(sys::SIOCSDRVSPEC, bridge, command, argument).map(|_| ())
    }

    /// A bridge command that asks.
    pub fn ask_bridge(&self, bridge: &str, command: u64, argument: Block) -> Result<Block> {
        self.drive(sys::SIOCGDRVSPEC, bridge, command, argument)
    }

    pub fn drive(&self, number: u64, bridge: &str, command: u64, argument: Block) -> Result<Block> {
        let mut request = named(number, bridge);
        request.argument.put(offset_of!(sys::ifdrv, ifd_cmd), &command.to_ne_bytes());
        let length = argument.bytes.len() as u64;
        request.argument.put(offset_of!(sys::ifdrv, ifd_len), &length.to_ne_bytes());
        let data = offset_of!(sys::ifdrv, ifd_data);
        request.argument.point(data, argument);
        self.sim.ioctl(self.inet, &mut request)?;
        Ok(request.argument.child(data).unwrap().clone())
    }

    pub fn add_member(&self, bridge: &str, member: &str) -> Result<()> {
        self.bridge(bridge, sys::BRDGADD, member_request(member))
    }

    pub fn delete_member(&self, bridge: &str, member: &str) -> Result<()> {
        self.bridge(bridge, sys::BRDGDEL, member_request(member))
    }

    /// The members, as BRDGGIFS lists them.
    pub fn members(&self, bridge: &str) -> Vec<String> {
        let size = size_of::<sys::ifbreq>();
        let mut argument = Block::zeroed(size_of::<sys::ifbifconf>());
        argument.put(0, &((64 * size) as u32).to_ne_bytes());
        let array = offset_of!(sys::ifbifconf, ifbic_ifbicu);
        argument.point(array, Block::zeroed(64 * size));
        let answer = self.ask_bridge(bridge, sys::BRDGGIFS, argument).unwrap();
        let list = answer.child(array).unwrap();
        (0..answer.u32_at(0) as usize / size)
            .map(|at| String::from_utf8_lossy(list.text_at(at * size, 16)).into_owned())
            .collect()
    }

    pub fn lend(&self, name: &str, jid: i32) -> Result<()> {
        self.set(sys::SIOCSIFVNET, name, jid as u32)
    }

    pub fn reclaim(&self, name: &str, jid: i32) -> Result<()> {
        self.set(sys::SIOCSIFRVNET, name, jid as u32)
    }

    pub fn jail(&self, parameters: &[Parameter]) -> Result<i32> {
        self.sim.jail_set(parameters, sys::JAIL_CREATE)
    }

    /// A persistent jail with a stack of its own.
    pub fn vnet(&self, name: &str) -> i32 {
        self.jail(&vnet_parameters(name)).unwrap()
    }

    /// Whether a jail is alive, dying, or not there.
    pub fn dying(&self, jid: i32) -> Option<bool> {
        let mut parameters = [Parameter::int("jid", jid), Parameter::int("dying", 0)];
        self.sim.jail_get(&mut parameters, sys::JAIL_DYING).ok()?;
        Some(parameters[1] != Parameter::int("dying", 0))
    }

    /// Adds an IPv4 address.
    pub fn alias(&self, name: &str, address: [u8; 4], mask: [u8; 4]) -> Result<()> {
        let mut request = named(sys::SIOCAIFADDR, name);
        for (at, value) in [
            (offset_of!(sys::in_aliasreq, ifra_addr), address),
            (offset_of!(sys::in_aliasreq, ifra_mask), mask),
        ] {
            request.argument.put(at, &[16, sys::AF_INET as u8]);
            request.argument.put(at + 4, &value);
        }
        self.sim.ioctl(self.inet, &mut request)
    }

    /// The messages that the routing socket got, by type.
    pub fn heard(&self) -> Vec<u8> {
        let mut buffer = [0; 2048];
        std::iter::from_fn(|| self.sim.receive(self.route, &mut buffer).ok().map(|_| buffer[3])).collect()
    }
}

/// The parameters of a VNET jail.
pub(crate) fn vnet_parameters(name: &str) -> Vec<Parameter> {
    vec![
        Parameter::string("name", name),
        Parameter::int("vnet", sys::JAIL_SYS_NEW),
        Parameter::int("children.max", 10),
        Parameter::flag("persist"),
    ]
}

/// A request that names an interface.
pub(crate) fn named(number: u64, name: &str) -> Request {
    let mut request = Request::new(number);
    request.argument.put(0, name.as_bytes());
    request
}

/// An `ifbreq` that names a member.
pub(crate) fn member_request(name: &str) -> Block {
    let mut argument = Block::zeroed(size_of::<sys::ifbreq>());
    argument.put(0, name.as_bytes());
    argument
}

/// The error of a call. Returns `None` when the call succeeded.
pub(crate) fn errno<T: std::fmt::Debug>(result: Result<T>) -> Option<Errno> {
    result.err().map(|failure| failure.errno)
}
