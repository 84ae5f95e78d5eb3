//! `net`: plumbing for scripts and for other jail managers.

use clap::{Args, Subcommand};

/// `net`.
#[derive(Debug, Subcommand)]
pub enum Net {
    /// Create an epair, put one end into a jail, and configure both ends
    ///
    /// Prints the name of the host's end, then the name of the jail's end. If a step fails, nothing is changed.
    Attach(Box<Attach>),
    /// Destroy epairs of a jail
    Detach(Detach),
    /// List jails with a network stack of their own, and their interfaces
    List(NetList),
    /// Wait until interfaces of a jail are up, and duplicate address detection has ended for their IPv6 addresses
    Wait(Wait),
    /// Lend an interface of the host to a jail, and save the interface's configuration for net reclaim
    Lend(Lend),
    /// Take an interface back from a jail, and restore its configuration on the host
    Reclaim(Reclaim),
}

/// `net attach`.
#[derive(Debug, Args)]
pub struct Attach {
    /// Name or jid of a jail with a network stack of its own
    pub jail: String,
    /// Put the host's end on this bridge. A missing bridge is created
    #[arg(short, long)]
    pub bridge: Option<String>,
    /// Put this interface of the host on the bridge too
    #[arg(long, value_name = "INTERFACE", requires = "bridge")]
    pub uplink: Option<String>,
    /// Name of the jail's end [default: the first free epairNb]
    #[arg(short, long)]
    pub name: Option<String>,
    /// Name of the host's end [default: the first free vnetN.JID]
    #[arg(long)]
    pub host_name: Option<String>,
    /// MAC addresses of the host's end and of the jail's end [default: derived from the names, the same each time]
    #[arg(long, value_names = ["HOST", "JAIL"], num_args = 2)]
    pub mac: Vec<String>,
    /// MTU of both ends, in bytes [default: the bridge's, or 1500]
    #[arg(long)]
    pub mtu: Option<String>,
    /// Address of the jail's end, with its prefix length; may be repeated
    #[arg(short, long, value_name = "ADDRESS/LENGTH")]
    pub address: Vec<String>,
    /// Default router of the jail; at most one for IPv4 and one for IPv6. The jail's existing default routes remain
    #[arg(short, long, value_name = "ADDRESS")]
    pub router: Vec<String>,
    /// Route to a network through a router; may be repeated
    #[arg(long, value_name = "NETWORK=ROUTER", value_parser = route)]
    pub route: Vec<(String, String)>,
    /// Put the jail's untagged frames in this VLAN of the bridge. The bridge has to filter VLANs. A missing bridge is
    /// created with that filter
    #[arg(long, value_name = "VLAN", requires = "bridge")]
    pub untagged: Option<String>,
    /// Send these VLANs of the bridge to the jail with their tags, such as 30,40-49
    #[arg(long, value_name = "VLANS", requires = "bridge")]
    pub tagged: Option<String>,
    /// Isolate the host's end: the bridge forwards nothing between isolated members
    #[arg(long, requires = "bridge")]
    pub isolated: bool,
    /// Take IPv6 addresses from router advertisements
    #[arg(long)]
    pub accept_rtadv: bool,
    /// Take IPv6 addresses from router advertisements. The addresses are not derived from the MAC address (RFC 7217;
    /// needs FreeBSD 15.1)
    #[arg(long)]
    pub stable_address: bool,
    /// Translate the sources of the jail's packets to the address of the interface by which they leave the host
    #[arg(long, requires = "address")]
    pub nat: bool,
    /// Publish ports of the jail at addresses of the host; may be repeated
    #[arg(long, value_name = "[ADDRESS:]PORT[-PORT]:PORT[/udp]", requires = "address")]
    pub publish: Vec<String>,
    /// Packet filter for --nat and --publish: pf, or ipfw. ipfw translates only IPv4
    #[arg(long, value_name = "pf|ipfw", default_value = "pf")]
    pub nat_backend: String,
    /// With --nat or --publish: if pf is off, switch pf on. pf remains on
    #[arg(long)]
    pub enable_pf: bool,
    /// Interface of the host for --nat and --publish [default: the interface of the default route]
    #[arg(long, value_name = "INTERFACE")]
    pub nat_interface: Option<String>,
    /// Wait until the addresses are usable, for at most this many seconds; 30 if no number is given
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "30")]
    pub wait: Option<u64>,
    /// Print what would be done, step by step, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `NETWORK=ROUTER`.
fn route(text: &str) -> Result<(String, String), &'static str> {
    let (network, router) = text.split_once('=').ok_or("write NETWORK=ROUTER, as in 10.0.0.0/8=192.0.2.1")?;
    Ok((network.to_owned(), router.to_owned()))
}

/// `net detach`.
#[derive(Debug, Args)]
pub struct Detach {
    /// Name or jid of the jail. A jail that has ended can be named too, if something of the jail is left on the host
    pub jail: String,
    /// Epair ends: the jail's ends or the host's ends
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "INTERFACE")]
    pub interfaces: Vec<String>,
    /// Destroy all epairs of the jail
    #[arg(long)]
    pub all: bool,
    /// Print what would be done, step by step, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait for an epair that the kernel destroys only when a jail has ended [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub wait: Option<u64>,
}

/// `net list`.
#[derive(Debug, Args)]
pub struct NetList {
    /// Names or jids of jails [default: all]
    #[arg(value_name = "JAIL")]
    pub jails: Vec<String>,
}

/// `net wait`.
#[derive(Debug, Args)]
pub struct Wait {
    /// Name or jid of a jail with a network stack of its own
    pub jail: String,
    /// Interfaces of the jail [default: all Ethernet, VLAN and bridge interfaces]
    #[arg(value_name = "INTERFACE")]
    pub interfaces: Vec<String>,
    /// How many seconds to wait at most
    #[arg(short, long, value_name = "SECONDS", default_value_t = 30)]
    pub timeout: u64,
    /// Wait also until each interface has an IPv4 address, such as dhclient gets in the jail
    #[arg(long)]
    pub inet: bool,
    /// Wait also until each interface has an IPv6 address that is not link-local, such as from router advertisements
    #[arg(long)]
    pub inet6: bool,
}

/// `net lend`.
#[derive(Debug, Args)]
pub struct Lend {
    /// An interface of the host. If the interface is on a bridge, it is removed from the bridge first
    pub interface: String,
    /// Name or jid of a jail with a network stack of its own
    pub jail: String,
    /// Name of the interface in the jail
    #[arg(short, long)]
    pub name: Option<String>,
    /// Address, with its prefix length; may be repeated
    #[arg(short, long, value_name = "ADDRESS/LENGTH")]
    pub address: Vec<String>,
    /// Default router of the jail; at most one for IPv4 and one for IPv6
    #[arg(short, long, value_name = "ADDRESS")]
    pub router: Vec<String>,
    /// Lend the interface even if the host uses it: if the interface has addresses, leads to the default router, is on a
    /// bridge with jails, or carries vlans
    #[arg(short, long)]
    pub force: bool,
    /// Print what would be done, step by step, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `net reclaim`.
#[derive(Debug, Args)]
pub struct Reclaim {
    /// An interface of the jail, by its name there
    pub interface: String,
    /// Name or jid of the jail
    pub jail: String,
    /// Name of the interface on the host [default: its name before it was lent]
    #[arg(short, long)]
    pub name: Option<String>,
    /// Print what would be done, step by step, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}
