//! The options of a bridge network.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::error::{Failure, Result};

/// The options that `create` accepts.
const KNOWN: [&str; 9] = [
    "mode",
    "mtu",
    "isolate",
    "metric",
    "no_default_route",
    "vrf",
    "vlan",
    "outbound_addr4",
    "outbound_addr6",
];

/// The default metric of a default route.
const METRIC: u32 = 100;

/// Whether netavark manages the bridge, or another program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// netavark: a missing bridge is made, and the bridge has the gateway's addresses.
    Managed,
    /// Another program: the bridge must exist, and containers are only added to it.
    Unmanaged,
}

/// Which other networks a network may talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolate {
    /// The network reaches all networks.
    Never,
    /// The network reaches all networks except isolated ones.
    Normal,
    /// The network reaches no other network.
    Strict,
}

/// The options of a bridge network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeOptions {
    pub mode: Mode,
    pub mtu: Option<u32>,
    /// The isolation. `None` if the network has no such option.
    pub isolate: Option<Isolate>,
    pub metric: u32,
    pub no_default_route: bool,
    pub vrf: Option<String>,
    pub vlan: Option<u16>,
    pub outbound4: Option<Ipv4Addr>,
    pub outbound6: Option<Ipv6Addr>,
}

/// Reads an option, if it is set.
pub fn read<T>(options: Option<&BTreeMap<String, String>>, name: &str) -> Result<Option<T>>
where
    T: FromStr,
    T::Err: Display,
{
    let Some(text) = options.and_then(|options| options.get(name)) else { return Ok(None) };
    text.parse().map(Some).map_err(|error| Failure::new(format!("unable to parse {name:?}: {error}")))
}

impl BridgeOptions {
    /// Reads the options. With `strict`, unknown options are refused.
    pub fn read(options: Option<&BTreeMap<String, String>>, strict: bool) -> Result<BridgeOptions> {
        if strict
            && let Some(unknown) =
                options.and_then(|all| all.keys().find(|key| !KNOWN.contains(&key.as_str())))
        {
            return Err(Failure::new(format!("unsupported bridge network option: {unknown}")));
        }
        let text = |name: &str| options.and_then(|options| options.get(name)).map(String::as_str);
        let mode = match text("mode") {
            None | Some("" | "managed") => Mode::Managed,
            Some("unmanaged") => Mode::Unmanaged,
            Some(other) => return Err(Failure::new(format!("invalid bridge mode {other:?}"))),
        };
        let isolate = match text("isolate") {
            None => None,
            Some("strict") => Some(Isolate::Strict),
            Some("true") => Some(Isolate::Normal),
            Some("false") => Some(Isolate::Never),
            Some(other) => return Err(Failure::new(format!("invalid isolate option {other:?}"))),
        };
        let vlan: Option<u16> = read(options, "vlan")?;
        if vlan.is_some_and(|vlan| vlan > 4094) {
            return Err(Failure::new("vlan must be between 0 and 4094"));
        }
        Ok(BridgeOptions {
            mode,
            mtu: read(options, "mtu")?.filter(|mtu| *mtu != 0),
            isolate,
            metric: read(options, "metric")?.unwrap_or(METRIC),
            no_default_route: read(options, "no_default_route")?.unwrap_or_default(),
            vrf: text("vrf").map(str::to_owned),
            vlan: vlan.filter(|vlan| *vlan != 0),
            outbound4: read(options, "outbound_addr4")?,
            outbound6: read(options, "outbound_addr6")?,
        })
    }
}
