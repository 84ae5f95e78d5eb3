//! Makes sequences.
//!
//! A sequence is played on the simulated kernel while it is made, so that each operation can be about objects that
//! exist by then. Addresses, destinations and new names come from a small set, so that they collide. Some of the
//! names are names of no interface.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
use jailwire::interface::InterfaceType;
use jailwire::sim::Release;
use jailwire::{InterfaceName, MacAddr};

use crate::dice::Dice;
use crate::observe::{GIVEN, Seen, Stack, State};
use crate::operation::{Bits, Operation, Place, Step};
use crate::play::Recorder;
use crate::record::Record;

/// Makes a sequence, with the answers of the simulated kernel. The same arguments make the same sequence.
pub fn generate(release: Release, seed: u64, operations: usize) -> Record {
    let mut recorder = Recorder::new(release, seed);
    let mut dice = Dice::new(seed);
    let mut pairs = Vec::new();
    for _ in 0..operations {
        let before = indices(&recorder.state);
        let step = Choice { dice: &mut dice, state: &recorder.state, pairs: &pairs, release }.step();
        recorder.play(step);
        let new: Vec<u16> = indices(&recorder.state).difference(&before).copied().collect();
        if let [one, another] = new[..] {
            pairs.push([one, another]);
        }
    }
    recorder.record
}

/// The indices of all interfaces. A moved or renamed interface keeps its index, and only epairs come two at a time.
fn indices(state: &State) -> BTreeSet<u16> {
    state.stacks.values().flat_map(|stack| &stack.interfaces).map(|seen| seen.index).collect()
}

/// The choice of one operation.
struct Choice<'a> {
    dice: &'a mut Dice,
    state: &'a State,
    /// The indices of the ends of epairs.
    pairs: &'a [[u16; 2]],
    release: Release,
}

/// If a stack has more interfaces than this, some are destroyed.
const MANY: usize = 9;

const CLONERS: [&str; 12] = [
    "epair", "epair", "epair", "epair", "bridge", "bridge", "bridge", "lo", "epair3", "bridge1", "lo1",
    "gre7x",
];
const NEW_NAMES: [&str; 7] = ["web", "db", "x0", "x1.5", "epair0b", "bridge0", "vnet0.12"];
const NO_NAMES: [&str; 6] = ["nosuch", "epair7a", "bridge9", "web", "x0", "epair0a"];
const GROUPS: [&str; 4] = ["webs", "dbs", "epair", "w7"];
const FLAGS: [u32; 8] = [0x4, 0x80, 0x1000, 0x2000, 0x4000, 0x2_0000, 0x4_0000, 0x8_0000];
const CAPABILITIES: [u32; 6] = [0x1, 0x2, 0x8, 0x10, 0x20_0000, 0x40_0000];
const ND6: [u32; 6] = [0x1, 0x2, 0x8, 0x20, 0x100, 0x200];
const MEMBER_FLAGS: [u32; 4] = [0x1, 0x2, 0x10, 0x800];

impl Choice<'_> {
    fn step(mut self) -> Step {
        let at = self.place();
        let operation = match self.dice.below(100) {
            0..12 => return self.of_a_jail(),
            12..22 => return self.a_move(),
            22..34 if self.crowded(at) => Operation::Destroy { name: self.name(at) },
            22..34 => Operation::Create { cloner: name(self.dice.pick(&CLONERS)) },
            34..38 => Operation::Destroy { name: self.name(at) },
            // Kernels do not expect a stack without lo0, so lo0 keeps its name. The name also says which interfaces
            // may be moved.
            38..42 => match self.name(at) {
                lo0 if lo0 == *"lo0" => Operation::Up { name: lo0 },
                old => Operation::Rename { name: old, new: name(self.dice.pick(&NEW_NAMES)) },
            },
            42..55 => return self.of_a_bridge(),
            55..72 => self.of_an_address(at),
            72..86 => self.of_a_route(at),
            _ => self.of_an_interface(at),
        };
        Step { at, operation }
    }

    /// Picks a place: the host, a network stack that exists, or seldom any other place.
    fn place(&mut self) -> Place {
        let there: Vec<Place> = self.state.stacks.keys().copied().collect();
        match self.dice.below(40) {
            0..12 => Place::HOST,
            12 if self.dice.one_in(3) => self.dice.pick(&Place::STACKS),
            _ => self.dice.pick(&there),
        }
    }

    fn crowded(&self, at: Place) -> bool {
        self.state.stacks.get(&at).is_some_and(|stack| stack.interfaces.len() > MANY)
    }

    /// Picks an interface, or seldom a name of no interface.
    fn name(&mut self, at: Place) -> InterfaceName {
        let there = self.names(at, |_| true);
        match self.dice.one_of(&there) {
            Some(there) if !self.dice.one_in(14) => *there,
            _ => name(self.dice.pick(&NO_NAMES)),
        }
    }

    fn names(&self, at: Place, of: impl Fn(&Seen) -> bool) -> Vec<InterfaceName> {
        let there = self.state.stacks.get(&at).into_iter().flat_map(|stack| &stack.interfaces);
        there.filter(|seen| of(seen)).map(|seen| seen.name).collect()
    }

    fn bits(&mut self, of: &[u32]) -> (Bits, Bits) {
        let bits = Bits(self.dice.pick(of));
        if self.dice.one_in(2) { (bits, Bits(0)) } else { (Bits(0), bits) }
    }

    fn of_a_jail(mut self) -> Step {
        let places = [&Place::STACKS[..], &Place::SHARING].concat();
        let at = self.dice.pick(&places);
        let shares = Place::SHARING.contains(&at);
        let said = self.state.jails.get(&at).map(String::as_str).unwrap_or_default();
        let choices: &[&str] = match said.split([',', ' ']).next().unwrap_or_default() {
            "held" => &["commit", "commit", "release", "hostname"],
            "kept" => &["remove", "abandon", "hostname", "hostname"],
            "dying" => &["let-go", "let-go", "hostname"],
            "sharing" => &["remove", "readdress", "readdress", "hostname"],
            _ if shares => &["share"],
            _ => &["make", "make", "hold"],
        };
        let operation = match self.dice.pick(choices) {
            "share" => Operation::Share { address: self.inet() },
            "readdress" => Operation::Readdress { address: self.inet() },
            "hostname" => Operation::Hostname {
                text: self.dice.pick(&["web.example.org", "db.example.org"]).to_owned(),
            },
            word => word.parse().expect("a word alone"),
        };
        Step { at, operation }
    }

    fn a_move(self) -> Step {
        let jails: Vec<Place> = self.state.jails.keys().copied().collect();
        let other = match self.dice.one_of(&jails) {
            Some(jail) if !self.dice.one_in(20) => *jail,
            _ => self.dice.pick(&Place::STACKS),
        };
        // lo0 has to stay where it is.
        let movable = |names: Vec<InterfaceName>| -> Vec<InterfaceName> {
            names.into_iter().filter(|name| *name != *"lo0").collect()
        };
        let (here, there) =
            (movable(self.names(Place::HOST, |_| true)), movable(self.names(other, |_| true)));
        let lends = if there.is_empty() { !self.dice.one_in(20) } else { self.dice.below(5) < 3 };
        let names = if lends { &here } else { &there };
        let name = self.dice.one_of(names).copied().unwrap_or_else(|| name("nosuch"));
        let operation = match lends {
            true => Operation::Lend { name, to: other },
            false => Operation::Reclaim { name, from: other },
        };
        Step { at: Place::HOST, operation }
    }

    fn of_a_bridge(mut self) -> Step {
        let is_bridge = |seen: &Seen| seen.kind == InterfaceType::BRIDGE;
        let bridged = |stack: &Stack| stack.interfaces.iter().any(is_bridge);
        let places = self.state.stacks.iter().filter(|(_, stack)| bridged(stack));
        let places: Vec<Place> = places.map(|(place, _)| *place).collect();
        let at = match self.dice.one_of(&places) {
            Some(place) => *place,
            None => self.place(),
        };
        let operation = self.of_bridges(at);
        Step { at, operation }
    }

    fn of_bridges(&mut self, at: Place) -> Operation {
        let bridges = self.names(at, |seen| seen.kind == InterfaceType::BRIDGE);
        let bridge = match self.dice.one_of(&bridges) {
            Some(bridge) if !self.dice.one_in(20) => *bridge,
            _ => self.name(at),
        };
        let stack = self.state.stacks.get(&at);
        let mut interfaces = stack.into_iter().flat_map(|stack| &stack.interfaces);
        let members = interfaces.find(|seen| seen.name == bridge).map_or(&[][..], |seen| &seen.members);
        let joining: Vec<InterfaceName> = self.names(at, |seen| seen.kind == InterfaceType::ETHERNET);
        let joining = match self.dice.one_of(&joining) {
            Some(name) if !self.dice.one_in(6) => *name,
            _ => self.name(at),
        };
        if self.closes_a_circle(at, joining) {
            return Operation::NoMember { bridge, name: joining };
        }
        let member = match self.dice.one_of(members) {
            Some(member) if !self.dice.one_in(8) => *member,
            _ => self.name(at),
        };
        match self.dice.below(10) {
            0..4 => Operation::Member { bridge, name: joining },
            4 | 5 if !members.is_empty() && self.dice.one_in(2) => {
                Operation::Member { bridge, name: joining }
            }
            4 | 5 => Operation::NoMember { bridge, name: member },
            6 | 7 => {
                let (set, clear) = self.bits(&MEMBER_FLAGS);
                Operation::MemberFlags { bridge, name: member, set, clear }
            }
            8 => Operation::MemberCost { bridge, name: member, cost: self.dice.pick(&[1, 55, 20_000_000]) },
            _ if self.release == Release::V15_1 => {
                Operation::Pvid { bridge, name: member, vlan: self.dice.pick(&[1, 7, 4094]) }
            }
            _ => Operation::NoMember { bridge, name: member },
        }
    }

    /// Whether the other end is on a bridge already. Frames would then circulate for ever, and take up most of the
    /// kernel's time.
    fn closes_a_circle(&self, at: Place, joining: InterfaceName) -> bool {
        let mut here = self.state.stacks.get(&at).into_iter().flat_map(|stack| &stack.interfaces);
        let Some(joining) = here.find(|seen| seen.name == joining) else { return false };
        let is_other = |seen: &Seen| {
            seen.index != joining.index
                && self.pairs.iter().any(|pair| pair.contains(&seen.index) && pair.contains(&joining.index))
        };
        self.state.stacks.values().any(|stack| {
            let bridged =
                |seen: &Seen| stack.interfaces.iter().any(|bridge| bridge.members.contains(&seen.name));
            stack.interfaces.iter().any(|seen| is_other(seen) && bridged(seen))
        })
    }

    fn inet(&mut self) -> Ipv4Addr {
        let (network, host) = (self.dice.below(3) as u8, self.dice.pick(&[1, 2, 3, 129]));
        Ipv4Addr::new(10, network, 0, host)
    }

    fn inet6(&mut self) -> Ipv6Addr {
        let (network, host) = (self.dice.below(3) as u16, self.dice.pick(&[1, 2, 3]));
        match self.dice.below(8) {
            0 => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host),
            _ => Ipv6Addr::new(0xfd00, network, 0, 0, 0, 0, 0, host),
        }
    }

    fn of_an_address(&mut self, at: Place) -> Operation {
        let name = self.name(at);
        let stack = self.state.stacks.get(&at);
        let mut interfaces = stack.into_iter().flat_map(|stack| &stack.interfaces);
        let there = interfaces.find(|seen| seen.name == name).map_or(&[][..], |seen| &seen.addresses);
        match self.dice.below(12) {
            0..5 => {
                let prefix = self.dice.pick(&[24, 24, 24, 25, 16, 32, 30]);
                Operation::Inet { name, network: Ipv4Network::new(self.inet(), prefix).expect("a length") }
            }
            5..9 => {
                let address = self.inet6();
                let prefix = self.dice.pick(&[64, 64, 64, 128, 48, 80]);
                let prefix = if address.is_unicast_link_local() { 64 } else { prefix };
                Operation::Inet6 { name, network: Ipv6Network::new(address, prefix).expect("a length") }
            }
            _ => match self.dice.one_of(there).map(|network| network.ip()) {
                Some(IpAddr::V4(address)) => Operation::NoInet { name, address },
                // Link-local addresses that kernels have chosen differ.
                Some(IpAddr::V6(address)) if !address.is_unicast_link_local() => {
                    Operation::NoInet6 { name, address }
                }
                _ if self.dice.one_in(2) => Operation::NoInet { name, address: self.inet() },
                _ => Operation::NoInet6 { name, address: self.inet6() },
            },
        }
    }

    /// Picks a neighbour of an existing address, of the family of the destination, or any address.
    fn gateway(&mut self, at: Place, destination: IpNetwork) -> IpAddr {
        let stack = self.state.stacks.get(&at);
        let interfaces = stack.into_iter().flat_map(|stack| &stack.interfaces);
        let there: Vec<IpAddr> = interfaces
            .flat_map(|seen| &seen.addresses)
            .map(|network| network.ip())
            .filter(|ip| ip.is_ipv4() == destination.is_ipv4())
            .collect();
        match self.dice.one_of(&there) {
            Some(IpAddr::V4(ip)) if !self.dice.one_in(6) => {
                let [a, b, c, _] = ip.octets();
                IpAddr::V4(Ipv4Addr::new(a, b, c, self.dice.pick(&[1, 2, 3, 4])))
            }
            Some(IpAddr::V6(ip)) if !ip.is_unicast_link_local() && !self.dice.one_in(6) => {
                let mut segments = ip.segments();
                segments[7] = self.dice.pick(&[1, 2, 3, 4]);
                IpAddr::V6(Ipv6Addr::from(segments))
            }
            _ if destination.is_ipv4() => IpAddr::V4(self.inet()),
            _ => IpAddr::V6(self.inet6()),
        }
    }

    fn of_a_route(&mut self, at: Place) -> Operation {
        let known = self.state.stacks.get(&at).map(|stack| stack.destinations()).unwrap_or_default();
        let anything: Vec<IpNetwork> = [
            "0.0.0.0/0",
            "::/0",
            "198.51.100.0/24",
            "198.51.100.7/32",
            "10.1.0.0/24",
            "10.2.0.0/16",
            "fd01::/64",
            "2001:db8::/32",
            "2001:db8::7/128",
        ]
        .map(|text| text.parse().expect("a network"))
        .to_vec();
        let add = self.dice.below(12) < 7;
        let destination = match self.dice.one_of(&known) {
            Some(known) if self.dice.one_in(if add { 3 } else { 1 }) => *known,
            _ => self.dice.pick(&anything),
        };
        let gateway = self.gateway(at, destination);
        match if add { self.dice.below(7) } else { 7 + self.dice.below(5) } {
            0..5 => Operation::Route { destination, gateway },
            5 => Operation::RouteOn { destination, name: self.name(at) },
            6 => Operation::Blackhole { destination },
            7 | 8 => Operation::Change { destination, gateway },
            9 | 10 => Operation::Unroute { destination },
            _ => Operation::UnrouteVia { destination, gateway },
        }
    }

    fn of_an_interface(&mut self, at: Place) -> Operation {
        let name = self.name(at);
        match self.dice.below(16) {
            0..3 => Operation::Up { name },
            3 | 4 => Operation::Down { name },
            5 => {
                let (set, clear) = self.bits(&FLAGS);
                Operation::Flags { name, set, clear }
            }
            6 | 7 => Operation::Mtu { name, bytes: self.dice.pick(&[72, 576, 1280, 1500, 9000, 65535]) },
            8 => {
                let last = self.dice.below(3) as u8;
                Operation::Mac { name, mac: MacAddr([GIVEN[0], GIVEN[1], GIVEN[2], 0, at.0 as u8, last]) }
            }
            9 => {
                Operation::Describe { name, text: self.dice.pick(&["uplink", "associated_with"]).to_owned() }
            }
            10 => Operation::Undescribe { name },
            11 => Operation::Group { name, group: self::name(self.dice.pick(&GROUPS)) },
            12 => Operation::Ungroup { name, group: self::name(self.dice.pick(&GROUPS)) },
            13 => {
                let (enable, disable) = self.bits(&CAPABILITIES);
                Operation::Capabilities { name, enable, disable }
            }
            14 => {
                let (set, clear) = self.bits(&ND6);
                Operation::Nd6 { name, set, clear }
            }
            // FreeBSD 14 has one thread for a vlan's new address and for jails that end, and they can wait
            // for each other for ever.
            _ if self.release == Release::V15_1 => {
                Operation::Vlan { parent: name, tag: self.dice.pick(&[5, 6, 4094]) }
            }
            // A stack has one routing table. With an address in a second one, kernels panic.
            _ => Operation::Fib { name, fib: self.dice.below(2) as u32 },
        }
    }
}

fn name(text: &str) -> InterfaceName {
    text.parse().expect("a name")
}
