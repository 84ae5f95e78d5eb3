//! host-local's configuration: ranges, with checks and defaults.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::cni::config::Config;
use crate::cni::environment::Environment;
use crate::cni::error::{Code, Failure, Result};
use crate::cni::result::Route;
use crate::net::{Net, next};

/// The default directory of the files below `/var/run`, which is the same as in FreeBSD's package of the plugins.
const DIRECTORY: &str = "cni/networks";

/// A range of addresses, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub subnet: Net,
    pub start: IpAddr,
    pub end: IpAddr,
    pub gateway: IpAddr,
}

/// The configuration.
#[derive(Debug)]
pub struct IpamConfig {
    /// The range sets. Each gives out one address.
    pub sets: Vec<Vec<Range>>,
    pub routes: Vec<Route>,
    pub directory: PathBuf,
    pub resolv_conf: Option<PathBuf>,
    /// Addresses that are asked for.
    pub requested: Vec<IpAddr>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Words {
    subnet: Option<Net>,
    range_start: Option<IpAddr>,
    range_end: Option<IpAddr>,
    gateway: Option<IpAddr>,
    #[serde(default)]
    ranges: Vec<Vec<RangeWords>>,
    #[serde(default)]
    routes: Vec<Route>,
    data_dir: Option<PathBuf>,
    resolv_conf: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RangeWords {
    subnet: Net,
    range_start: Option<IpAddr>,
    range_end: Option<IpAddr>,
    gateway: Option<IpAddr>,
}

#[derive(Debug, Deserialize)]
struct Whole {
    ipam: Option<Words>,
    #[serde(default, rename = "runtimeConfig")]
    runtime: Runtime,
    #[serde(default)]
    args: Option<Args>,
}

#[derive(Debug, Default, Deserialize)]
struct Runtime {
    #[serde(default, rename = "ipRanges")]
    ranges: Vec<Vec<RangeWords>>,
    #[serde(default)]
    ips: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Args {
    #[serde(default)]
    cni: Option<CniArgs>,
}

#[derive(Debug, Default, Deserialize)]
struct CniArgs {
    #[serde(default)]
    ips: Vec<String>,
}

impl IpamConfig {
    /// Reads and checks the configuration.
    pub fn read(config: &Config, environment: &Environment) -> Result<IpamConfig> {
        let whole: Whole = config.decode()?;
        let words = whole.ipam.ok_or_else(|| Failure::config("IPAM config missing 'ipam' key"))?;
        let mut requested = Vec::new();
        if let Some(text) = environment.arguments.get("IP").filter(|text| !text.is_empty()) {
            requested.push(address("CNI_ARGS IP", text)?);
        }
        for text in whole.args.and_then(|args| args.cni).unwrap_or_default().ips {
            requested.push(address("args.cni.ips", &text)?);
        }
        for text in &whole.runtime.ips {
            requested.push(address("runtimeConfig.ips", text)?);
        }
        let mut all = whole.runtime.ranges;
        if let Some(subnet) = words.subnet {
            let Words { range_start, range_end, gateway, .. } = words;
            all.push(vec![RangeWords { subnet, range_start, range_end, gateway }]);
        }
        all.extend(words.ranges);
        if all.is_empty() {
            return Err(Failure::config("ipam: no IP ranges specified"));
        }
        let sets = all.iter().enumerate().map(|(number, set)| {
            complete_set(set)
                .map_err(|failure| Failure::config(format!("ipam: invalid range set {number}: {failure}")))
        });
        let sets = sets.collect::<Result<Vec<_>>>()?;
        for (number, one) in sets.iter().enumerate() {
            for (behind, other) in sets[number + 1..].iter().enumerate() {
                if one.iter().any(|range| other.iter().any(|other| range.overlaps(other))) {
                    let behind = number + 1 + behind;
                    return Err(Failure::config(format!("ipam: range set {number} overlaps with {behind}")));
                }
            }
        }
        let root = match words.data_dir.filter(|directory| !directory.as_os_str().is_empty()) {
            Some(root) => root,
            None => {
                let run = crate::kernel::run_directory();
                run.map_err(|error| Failure::new(Code::Refused, error))?.join(DIRECTORY)
            }
        };
        Ok(IpamConfig {
            sets,
            routes: words.routes,
            directory: root.join(config.name()),
            resolv_conf: words.resolv_conf.filter(|path| !path.as_os_str().is_empty()),
            requested,
        })
    }
}

/// Reads an address. A prefix length is accepted, and is not used, as in host-local.
fn address(field: &str, text: &str) -> Result<IpAddr> {
    let bare = text.split_once('/').map_or(text, |(address, _)| address);
    bare.trim().parse().map_err(|error| Failure::config(format!("{field}: {text:?}: {error}")))
}

fn complete_set(words: &[RangeWords]) -> Result<Vec<Range>> {
    let set = words.iter().map(Range::complete).collect::<Result<Vec<_>>>()?;
    let Some(first) = set.first() else { return Err(Failure::config("empty range set")) };
    if set.iter().any(|range| range.start.is_ipv4() != first.start.is_ipv4()) {
        return Err(Failure::config("mixed address families"));
    }
    for (number, one) in set.iter().enumerate() {
        if let Some(other) = set[number + 1..].iter().find(|other| one.overlaps(other)) {
            return Err(Failure::config(format!("subnets {} and {} overlap", one.subnet, other.subnet)));
        }
    }
    Ok(set)
}

impl Range {
    /// Fills in defaults. The range has all addresses except the network address and the broadcast address. The
    /// first address is the gateway's, and is not given out.
    fn complete(words: &RangeWords) -> Result<Range> {
        let subnet = words.subnet;
        let bits = if subnet.0.is_ipv4() { 32 } else { 128 };
        if subnet.0.prefix() > bits - 2 {
            return Err(Failure::config(format!("Network {subnet} too small to allocate from")));
        }
        if subnet.0.ip() != subnet.0.network() {
            return Err(Failure::config(format!(
                "Network has host bits set. For a subnet mask of length {} the network address is {}",
                subnet.0.prefix(),
                subnet.0.network()
            )));
        }
        let first = next(subnet.0.network()).expect("a network of four addresses has a second one");
        let start = words.range_start.unwrap_or(first);
        let end = words.range_end.unwrap_or_else(|| last_address(subnet));
        for (field, address) in [("rangeStart", start), ("rangeEnd", end)] {
            if !subnet.0.contains(address) {
                return Err(Failure::config(format!("{field} {address} not in network {subnet}")));
            }
        }
        if start > end {
            return Err(Failure::config(format!("rangeStart {start} is behind rangeEnd {end}")));
        }
        Ok(Range { subnet, start, end, gateway: words.gateway.unwrap_or(first) })
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.start.is_ipv4() == address.is_ipv4() && self.start <= address && address <= self.end
    }

    fn overlaps(&self, other: &Range) -> bool {
        self.start.is_ipv4() == other.start.is_ipv4() && self.start <= other.end && other.start <= self.end
    }
}

/// The last address of a subnet that can be given out.
fn last_address(subnet: Net) -> IpAddr {
    match (subnet.0.network(), subnet.0.prefix()) {
        (IpAddr::V4(network), prefix) => {
            let hosts = u32::MAX.checked_shr(prefix.into()).unwrap_or_default();
            IpAddr::V4(((u32::from(network) | hosts) - 1).into())
        }
        (IpAddr::V6(network), prefix) => {
            let hosts = u128::MAX.checked_shr(prefix.into()).unwrap_or_default();
            IpAddr::V6((u128::from(network) | hosts).into())
        }
    }
}

/// Ranges as text.
pub fn shown(set: &[Range]) -> String {
    set.iter().map(|range| format!("{}-{}", range.start, range.end)).collect::<Vec<_>>().join(",")
}
