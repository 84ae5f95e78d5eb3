//! The changes of benches/baseline/change.c, made with the library.

use std::error::Error;
use std::sync::Arc;

use jailwire::InterfaceName;
use jailwire::kernel::Kernel;
use jailwire::packet_filter::ipfw::{self, Ipfw, Nat, NatNumber, NatRedirect, RuleNumber, RuleSet};
use jailwire::packet_filter::{
    Action, Anchor, Direction, Family, PacketFilter, Ports, Protocol, Rule, TableName,
};

/// The addresses of the host and of the jail.
const HOST: [u8; 4] = [203, 0, 113, 1];
const JAIL: [u8; 4] = [10, 93, 0, 99];

/// The data that a change writes. It is made beforehand, because the C program has it as constants.
pub struct Change {
    anchor: Anchor,
    rules: [Rule; 3],
    nat: Nat,
    table: TableName,
    set: RuleSet,
    number: RuleNumber,
    rule: ipfw::Rule,
}

impl Change {
    pub fn new() -> Result<Change, Box<dyn Error>> {
        let interface: InterfaceName = "bench0".parse()?;
        let (host, jail) = (HOST.into(), JAIL.into());
        let [port, inside] = [7999, 80].map(|port| Ports::one(port).expect("a port"));
        let of = |action| Rule::new(Family::Inet, action);
        let network = |address: [u8; 4]| ipnetwork::IpNetwork::from(std::net::IpAddr::from(address));
        let rules = [
            of(Action::Nat { to: host }).on(interface).from(network(JAIL)),
            of(Action::Redirect { to: jail, port: 80 }).to(network(HOST)).to_ports(Protocol::Tcp, port),
            of(Action::Pass { direction: None }).to(network(JAIL)).to_ports(Protocol::Tcp, inside),
        ];
        let nat = NatNumber::new(46299)?;
        let (set, number) = (RuleSet::new(29)?, RuleNumber::new(54321)?);
        let table: TableName = "jailwire-bench".parse()?;
        let to = std::net::SocketAddrV4::new(JAIL.into(), 80);
        let redirect = NatRedirect::new(Protocol::Tcp, HOST.into(), port, to);
        Ok(Change {
            anchor: Anchor::new("jailwire-bench/one")?,
            rules,
            nat: Nat::new(nat, HOST.into()).redirecting([redirect]),
            rule: ipfw::Rule::new(number, set, ipfw::Action::Nat(nat))
                .from_table(table.clone())
                .going(Direction::Out)
                .leaving_by(interface)
                .commented("jailwire-bench")?,
            table,
            set,
            number,
        })
    }

    /// Replaces the rules of an anchor, and removes the anchor.
    pub fn by_pf(&self, kernel: &Arc<dyn Kernel>) -> jailwire::Result<()> {
        let pf = PacketFilter::open(kernel.clone())?;
        pf.replace(&self.anchor, &self.rules)?;
        pf.remove(&self.anchor)
    }

    /// Makes an instance of NAT, a table and a rule, and removes them.
    pub fn by_ipfw(&self, kernel: &Arc<dyn Kernel>) -> jailwire::Result<()> {
        let ipfw = Ipfw::open(kernel.clone())?;
        ipfw.configure_nat(&self.nat)?;
        ipfw.add_table(&self.table, self.set)?;
        ipfw.add_to_table(&self.table, self.set, std::net::Ipv4Addr::from(JAIL).into())?;
        ipfw.add(&self.rule)?;
        ipfw.delete(self.number, self.set)?;
        ipfw.delete_nat(self.nat.number())?;
        ipfw.delete_table(&self.table, self.set).map(drop)
    }
}
