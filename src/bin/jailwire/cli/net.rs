//! `net`: plumbing for scripts and for other jail managers.

use clap::{Args, Subcommand};

/// `net`.
#[derive(Debug, Subcommand)]
pub enum Net {
    /// Create an epair, put one end into a jail and wire both, or change nothing
    ///
    /// Prints the names of the ends: the host's, then the jail's.
    Attach(Box<Attach>),
    /// Destroy epairs of a jail
    Detach(Detach),
    /// List jails with a network stack of their own, and what they are wired to
    List(NetList),
    /// Wait until interfaces of a jail are up, and their IPv6 addresses are checked for duplicates
    Wait(Wait),
    /// Lend an interface of the host to a jail; what the interface has is written down
    Lend(Lend),
    /// Take an interface back from a jail, and give it back what it had on the host
    Reclaim(Reclaim),
}

/// `net attach`.
#[derive(Debug, Args)]
pub struct Attach {
    /// Name or jid of a jail with a network stack of its own
    pub jail: String,
    /// Put the host's end on this bridge, which is created if it is missing
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
    /// MAC addresses of the host's end and of the jail's [default: made from the names, the same each time]
    #[arg(long, value_names = ["HOST", "JAIL"], num_args = 2)]
    pub mac: Vec<String>,
    /// MTU of both ends, in bytes [default: the bridge's, or 1500]
    #[arg(long)]
    pub mtu: Option<String>,
    /// Address of the jail's end, with its prefix length; may be repeated
    #[arg(short, long, value_name = "ADDRESS/LENGTH")]
    pub address: Vec<String>,
    /// Default router of the jail; one of each family. A default route that the jail has is not replaced
    #[arg(short, long, value_name = "ADDRESS")]
    pub router: Vec<String>,
    /// Route to a network through a router; may be repeated
    #[arg(long, value_name = "NETWORK=ROUTER", value_parser = route)]
    pub route: Vec<(String, String)>,
    /// Put frames without a tag in this VLAN of the bridge. The bridge has to filter VLANs; a missing bridge is created
    /// with that filter
    #[arg(long, value_name = "VLAN", requires = "bridge")]
    pub untagged: Option<String>,
    /// Hand these VLANs of the bridge to the jail with their tags, as 30,40-49
    #[arg(long, value_name = "VLANS", requires = "bridge")]
    pub tagged: Option<String>,
    /// Have the bridge forward nothing between this NIC and other isolated ones
    #[arg(long, requires = "bridge")]
    pub isolated: bool,
    /// Take IPv6 addresses from router advertisements
    #[arg(long)]
    pub accept_rtadv: bool,
    /// Take IPv6 addresses from router advertisements, and make them without the MAC address (RFC 7217; FreeBSD 15.1)
    #[arg(long)]
    pub stable_address: bool,
    /// Translate what the jail sends to the address of the interface that it leaves the host by
    #[arg(long, requires = "address")]
    pub nat: bool,
    /// Publish ports of the jail at addresses of the host; may be repeated
    #[arg(long, value_name = "[ADDRESS:]PORT[-PORT]:PORT[/udp]", requires = "address")]
    pub publish: Vec<String>,
    /// Packet filter for --nat and --publish: pf, or ipfw, which does IPv4 alone
    #[arg(long, value_name = "pf|ipfw", default_value = "pf")]
    pub nat_backend: String,
    /// Switch pf on if it is off, for --nat and --publish. It stays on
    #[arg(long)]
    pub enable_pf: bool,
    /// Interface of the host for --nat and --publish [default: that of the default route]
    #[arg(long, value_name = "INTERFACE")]
    pub nat_interface: Option<String>,
    /// Wait until addresses are usable, this many seconds at most
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
    /// Name or jid of the jail; also of one that is gone, if something of it is left
    pub jail: String,
    /// The jail's ends, or the host's
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "INTERFACE")]
    pub interfaces: Vec<String>,
    /// All epairs of the jail
    #[arg(long)]
    pub all: bool,
    /// Print what would be done, step by step, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait for an epair that goes with the end of a jail; 10 seconds otherwise
    #[arg(long, value_name = "SECONDS")]
    pub wait: Option<u64>,
}

/// `net list`.
#[derive(Debug, Args)]
pub struct NetList {
    /// Names or jids; all jails without any
    #[arg(value_name = "JAIL")]
    pub jails: Vec<String>,
}

/// `net wait`.
#[derive(Debug, Args)]
pub struct Wait {
    /// Name or jid of a jail with a network stack of its own
    pub jail: String,
    /// Interfaces of the jail; all but loopbacks without any
    #[arg(value_name = "INTERFACE")]
    pub interfaces: Vec<String>,
    /// How many seconds to wait at most
    #[arg(short, long, value_name = "SECONDS", default_value_t = 30)]
    pub timeout: u64,
    /// Wait for an IPv4 address of each, too, as dhclient in the jail gets it
    #[arg(long)]
    pub inet: bool,
    /// Wait for an IPv6 address of each that is not link-local, too, as routers advertise it
    #[arg(long)]
    pub inet6: bool,
}

/// `net lend`.
#[derive(Debug, Args)]
pub struct Lend {
    /// An interface of the host. It is taken out of its bridge first
    pub interface: String,
    /// Name or jid of a jail with a network stack of its own
    pub jail: String,
    /// Name of the interface in the jail
    #[arg(short, long)]
    pub name: Option<String>,
    /// Address, with its prefix length; may be repeated
    #[arg(short, long, value_name = "ADDRESS/LENGTH")]
    pub address: Vec<String>,
    /// Default router of the jail; one of each family
    #[arg(short, long, value_name = "ADDRESS")]
    pub router: Vec<String>,
    /// Lend it also if the host uses it: if it has addresses, leads to the default router, is on a bridge with jails or
    /// carries vlans
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
    /// Name of the interface on the host [default: the one that it had there]
    #[arg(short, long)]
    pub name: Option<String>,
    /// Print what would be done, step by step, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}
