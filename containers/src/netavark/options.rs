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

/// The metric of a default route where none is given.
const METRIC: u32 = 100;

/// Whether the bridge is netavark's, or somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is made when it is missing, and has the gateway's addresses.
    Managed,
    /// It has to be there, and is only joined.
    Unmanaged,
}

/// Which other networks a network may talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolate {
    /// All of them.
    Never,
    /// All but those that are isolated.
    Normal,
    /// None.
    Strict,
}

/// The options of a bridge network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeOptions {
    pub mode: Mode,
    pub mtu: Option<u32>,
    /// `None` where the network does not say it.
    pub isolate: Option<Isolate>,
    pub metric: u32,
    pub no_default_route: bool,
    pub vrf: Option<String>,
    pub vlan: Option<u16>,
    pub outbound4: Option<Ipv4Addr>,
    pub outbound6: Option<Ipv6Addr>,
}

/// Reads an option, if it is there.
pub fn read<T>(options: Option<&BTreeMap<String, String>>, name: &str) -> Result<Option<T>>
where
    T: FromStr,
    T::Err: Display,
{
    let Some(text) = options.and_then(|options| options.get(name)) else { return Ok(None) };
    text.parse().map(Some).map_err(|error| Failure::new(format!("unable to parse {name:?}: {error}")))
}

impl BridgeOptions {
    /// Reads the options. `strict` refuses those that are not known.
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
