//! A new host: its hardware, and the configuration by `rc`.

use std::collections::BTreeMap;
use std::mem::offset_of;
use std::net::Ipv4Addr;
use std::time::Duration;

use jailwire_sys as sys;

use super::caller::Caller;
use super::clone::blank;
use super::devfs::Devfs;
use super::interface::UNION;
use super::interface_table::InterfaceTable;
use super::jails::Jails;
use super::mounts::Mounts;
use super::numbers::Numbers;
use super::options::{Hardware, Options};
use super::protocol_state::StackProtocols;
use super::world::{Interface, Kind, Stack, StackId, World};
use crate::kernel::{Block, Domain, Handle, Request, Result};

/// The first number of the simulation's own processes: numbers of real processes are lower.
const FIRST_PROCESS: u32 = 1_000_000;

/// em0's MAC address, in the range that FreeBSD uses for generated addresses.
const EM0: [u8; 6] = [0x58, 0x9c, 0xfc, 0x00, 0x00, 0x01];

/// The capabilities of a common network card, em(4), all enabled.
const CARD_CAPABILITIES: u32 = 0x04e5_04bb;

/// Process 1, on the host, as root.
const INIT: Caller = Caller { pid: 1, start: 0, jid: 0, root: true };

impl World {
    /// A machine without interfaces and jails.
    pub fn bare(options: &Options) -> World {
        World {
            release: options.release,
            vimage: options.vimage,
            boot_id: options.boot_id,
            now: Duration::ZERO,
            slept: Duration::ZERO,
            pending: Vec::new(),
            stacks: BTreeMap::new(),
            interfaces: InterfaceTable::default(),
            next_stack: 1,
            jails: Jails::default(),
            processes: BTreeMap::new(),
            next_process: FIRST_PROCESS,
            mounts: Mounts::new(),
            devfs: Devfs::default(),
            modules: Vec::new(),
            sysctls: BTreeMap::new(),
            sockets: BTreeMap::new(),
            next_handle: 1,
            drawn: 0,
            programs: Default::default(),
            connections: Vec::new(),
            panics: Vec::new(),
            timers: Default::default(),
        }
    }

    /// A new host.
    pub fn new(options: &Options) -> World {
        let mut world = World::bare(options);
        world.set_up_sysctls();
        world.add_stack(StackId::HOST);
        for (name, value) in &options.sysctls {
            world.preset_sysctl(name, value);
        }
        let em0 = Hardware::new("em", 0, EM0);
        for hardware in std::iter::once(&em0).filter(|_| !options.bare).chain(&options.hardware) {
            world.attach_hardware(hardware);
        }
        // The root file system is on a pool, and the loader has loaded the module for it.
        world.modules.push(super::mounts::ROOT_FILE_SYSTEM.to_owned());
        for module in &options.modules {
            // An unknown module is a mistake of the caller, and is ignored.
            let _ = world.load_module(INIT, module);
        }
        if !options.bare {
            world.start_network().expect("what rc does on a new host succeeds");
        }
        world.next_handle = 1;
        world
    }

    /// Adds a new network stack, with a lo0 that is down.
    pub fn add_stack(&mut self, id: StackId) {
        let stack = Stack {
            id,
            order: Default::default(),
            fibs: 1,
            inet: Vec::new(),
            inet6: Vec::new(),
            protocols: StackProtocols { last_tick: self.timers.ticked, ..Default::default() },
            sysctls: self.stack_sysctls(),
            units: BTreeMap::from([("lo", Numbers::from([0]))]),
            groups: Vec::new(),
            pf: Default::default(),
            ipfw: Default::default(),
        };
        self.stacks.insert(id, stack);
        self.stack_created(id);
        let lo0 = Interface { home: id, ..super::clone::loopback("lo0".to_owned(), 0) };
        self.attach_new(id, lo0);
    }

    fn attach_hardware(&mut self, hardware: &Hardware) {
        let Hardware { driver, unit, mac, lagg_port } = hardware;
        let card = Interface {
            mac: *mac,
            permanent_mac: *mac,
            capabilities: CARD_CAPABILITIES,
            enabled_capabilities: CARD_CAPABILITIES,
            link_state: sys::LINK_STATE_UP,
            ..blank(format!("{driver}{unit}"), driver, Some(*unit), Kind::Hardware { lagg_port: *lagg_port })
        };
        self.attach_new(StackId::HOST, card);
    }

    /// lo0 up and with 127.0.0.1/8, em0 with 192.0.2.10/24, and a default route to 192.0.2.1.
    fn start_network(&mut self) -> Result<()> {
        let socket = self.socket(INIT, Domain::Inet)?;
        let up = sys::IFF_UP | sys::IFF_LOOPBACK | sys::IFF_MULTICAST;
        let mut request = Request::new(sys::SIOCSIFFLAGS);
        request.argument.put(0, b"lo0");
        request.argument.put(UNION, &(up as u16).to_ne_bytes());
        self.ioctl(INIT, socket, &mut request)?;
        self.alias(socket, "lo0", Ipv4Addr::LOCALHOST, Ipv4Addr::new(255, 0, 0, 0))?;
        self.alias(socket, "em0", Ipv4Addr::new(192, 0, 2, 10), Ipv4Addr::new(255, 255, 255, 0))?;
        self.close(socket.0);
        let socket = self.socket(INIT, Domain::Route(0))?;
        self.send(INIT, socket, &default_route(Ipv4Addr::new(192, 0, 2, 1)))?;
        self.close(socket.0);
        Ok(())
    }

    fn alias(&mut self, socket: Handle, name: &str, address: Ipv4Addr, mask: Ipv4Addr) -> Result<()> {
        let mut request = Request::new(sys::SIOCAIFADDR);
        request.argument.put(0, name.as_bytes());
        request.argument.put(offset_of!(sys::in_aliasreq, ifra_addr), &sockaddr(address));
        request.argument.put(offset_of!(sys::in_aliasreq, ifra_mask), &sockaddr(mask));
        self.ioctl(INIT, socket, &mut request)
    }
}

fn sockaddr(address: Ipv4Addr) -> Vec<u8> {
    let mut out = Block::zeroed(size_of::<sys::sockaddr_in>());
    out.put(offset_of!(sys::sockaddr_in, sin_len), &[size_of::<sys::sockaddr_in>() as u8]);
    out.put(offset_of!(sys::sockaddr_in, sin_family), &[sys::AF_INET as u8]);
    out.put(offset_of!(sys::sockaddr_in, sin_addr), &address.octets());
    out.bytes
}

/// RTM_ADD of 0.0.0.0/0.
fn default_route(gateway: Ipv4Addr) -> Vec<u8> {
    let mut out = Block::zeroed(size_of::<sys::rt_msghdr>());
    for address in [Ipv4Addr::UNSPECIFIED, gateway, Ipv4Addr::UNSPECIFIED] {
        out.bytes.extend_from_slice(&sockaddr(address));
    }
    let flags = sys::RTF_UP | sys::RTF_GATEWAY | sys::RTF_STATIC;
    let addresses = sys::RTA_DST | sys::RTA_GATEWAY | sys::RTA_NETMASK;
    let length = out.bytes.len() as u16;
    out.put(offset_of!(sys::rt_msghdr, rtm_msglen), &length.to_ne_bytes());
    out.put(offset_of!(sys::rt_msghdr, rtm_version), &[sys::RTM_VERSION]);
    out.put(offset_of!(sys::rt_msghdr, rtm_type), &[sys::RTM_ADD]);
    out.put(offset_of!(sys::rt_msghdr, rtm_flags), &flags.to_ne_bytes());
    out.put(offset_of!(sys::rt_msghdr, rtm_addrs), &addresses.to_ne_bytes());
    out.bytes
}
