//! The form of the library's data in serde: as `docs/json.md` describes it. The program prints the same form with
//! `--json`.
//!
//! [`text`] and [`number`] are for types that are written as text or as a number. For a type with another structure
//! in serde, this module has a struct with that structure, which derives serde, and the type is converted to the
//! struct.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::{IpNetwork, IpNetworkError, Ipv4Network, Ipv6Network};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::interface::{self, InterfaceType, LinkState};
use crate::jail::{self, JailParameters, JailValue};
use crate::route::{self, RouteEntry, Via};
use crate::types::{InterfaceName, Jid, MacAddr};
use crate::wiring;

/// The conversions that serde needs for a type that is written as text.
macro_rules! text {
    ($($kind:ty),*) => {$(
        impl TryFrom<String> for $kind {
            type Error = <$kind as std::str::FromStr>::Err;

            fn try_from(text: String) -> Result<$kind, Self::Error> {
                text.parse()
            }
        }

        impl From<$kind> for String {
            fn from(value: $kind) -> String {
                value.to_string()
            }
        }
    )*};
}

/// The conversions that serde needs for a type that is written as a number.
macro_rules! number {
    ($($kind:ty: $number:ty;)*) => {$(
        impl TryFrom<$number> for $kind {
            type Error = crate::Error;

            fn try_from(number: $number) -> Result<$kind, Self::Error> {
                <$kind>::new(number)
            }
        }

        impl From<$kind> for $number {
            fn from(value: $kind) -> $number {
                value.get()
            }
        }
    )*};
}

text!(
    crate::types::InterfaceName,
    crate::types::MacAddr,
    crate::bridge::VlanSet,
    crate::wiring::nat::Publication
);
number!(
    crate::types::Jid: i32;
    crate::types::Mtu: u32;
    crate::types::VlanId: u16;
);

/// An address with its prefix length.
#[derive(Serialize, Deserialize)]
struct Address<A> {
    address: A,
    prefix_length: u8,
}

/// What [`network`] and [`networks`] take.
pub(crate) trait Net: Copy {
    /// The type of the address.
    type Ip: Serialize + for<'de> Deserialize<'de>;
    fn parts(self) -> (Self::Ip, u8);
    fn of(ip: Self::Ip, prefix_length: u8) -> Result<Self, IpNetworkError>;
}

macro_rules! net {
    ($($kind:ty, $ip:ty;)*) => {$(
        impl Net for $kind {
            type Ip = $ip;

            fn parts(self) -> ($ip, u8) {
                (self.ip(), self.prefix())
            }

            fn of(ip: $ip, prefix_length: u8) -> Result<$kind, IpNetworkError> {
                <$kind>::new(ip, prefix_length)
            }
        }
    )*};
}

net!(
    IpNetwork, IpAddr;
    Ipv4Network, Ipv4Addr;
    Ipv6Network, Ipv6Addr;
);

impl<N: Net> From<&N> for Address<N::Ip> {
    fn from(network: &N) -> Self {
        let (address, prefix_length) = network.parts();
        Address { address, prefix_length }
    }
}

/// For a field with one address: `#[serde(with = …)]`.
pub mod network {
    use super::*;

    pub fn serialize<N: Net, S: Serializer>(network: &N, serializer: S) -> Result<S::Ok, S::Error> {
        Address::from(network).serialize(serializer)
    }

    pub fn deserialize<'de, N: Net, D: Deserializer<'de>>(deserializer: D) -> Result<N, D::Error> {
        let Address { address, prefix_length } = Address::deserialize(deserializer)?;
        N::of(address, prefix_length).map_err(de::Error::custom)
    }
}

/// A list of addresses.
pub mod networks {
    use super::*;

    pub fn serialize<N: Net, S: Serializer>(networks: &[N], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(networks.iter().map(Address::from))
    }

    pub fn deserialize<'de, N: Net, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<N>, D::Error> {
        let spelled = Vec::<Address<N::Ip>>::deserialize(deserializer)?;
        let network = |one: Address<N::Ip>| N::of(one.address, one.prefix_length).map_err(de::Error::custom);
        spelled.into_iter().map(network).collect()
    }
}

/// Text of the system, which has to be UTF-8.
pub mod os_text {
    use super::*;

    pub fn serialize<S: Serializer>(text: &OsString, serializer: S) -> Result<S::Ok, S::Error> {
        let text = text.to_str().ok_or_else(|| ser::Error::custom(format!("{text:?} is not UTF-8")))?;
        text.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OsString, D::Error> {
        String::deserialize(deserializer).map(OsString::from)
    }
}

/// Bytes that are text: the value of a jail's parameter. They have to be UTF-8.
pub mod bytes {
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        std::str::from_utf8(bytes).map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(deserializer).map(String::into_bytes)
    }
}

/// For a type that is written as its display text.
pub mod displayed {
    use super::*;

    pub fn serialize<T: std::fmt::Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }
}

/// A parameter of a jail: `{"name": "host.hostname", "type": "string", "value": "web"}`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Parameter {
    name: String,
    #[serde(flatten)]
    value: JailValue,
}

impl From<JailParameters> for Vec<Parameter> {
    fn from(parameters: JailParameters) -> Vec<Parameter> {
        parameters
            .iter()
            .map(|(name, value)| Parameter { name: name.to_owned(), value: value.clone() })
            .collect()
    }
}

impl From<Vec<Parameter>> for JailParameters {
    fn from(parameters: Vec<Parameter>) -> JailParameters {
        let set = |all: JailParameters, one: Parameter| all.set(&one.name, one.value);
        parameters.into_iter().fold(JailParameters::default(), set)
    }
}

/// An interface.
#[derive(Serialize)]
pub(crate) struct Interface {
    name: InterfaceName,
    index: u16,
    #[serde(rename = "type", serialize_with = "displayed::serialize")]
    kind: InterfaceType,
    up: bool,
    link: LinkState,
    mtu: u32,
    mac: Option<MacAddr>,
    addresses: Vec<interface::InterfaceAddress>,
}

impl From<interface::Interface> for Interface {
    fn from(interface: interface::Interface) -> Interface {
        Interface {
            name: interface.name,
            index: interface.index,
            up: interface.is_up(),
            kind: interface.kind,
            link: interface.link,
            mtu: interface.mtu,
            mac: interface.mac,
            addresses: interface.addresses,
        }
    }
}

/// An address of an interface.
#[derive(Serialize)]
pub(crate) struct InterfaceAddress {
    address: String,
    prefix_length: u8,
}

impl From<interface::InterfaceAddress> for InterfaceAddress {
    fn from(one: interface::InterfaceAddress) -> InterfaceAddress {
        InterfaceAddress { address: scoped(one.network.ip(), one.scope), prefix_length: one.network.prefix() }
    }
}

/// An address as text. A link-local address has the index of its interface.
fn scoped(address: IpAddr, scope: u32) -> String {
    if scope == 0 { address.to_string() } else { format!("{address}%{scope}") }
}

/// A route.
#[derive(Serialize)]
pub(crate) struct Route {
    destination: String,
    family: &'static str,
    via: String,
    interface: Option<InterfaceName>,
}

impl From<RouteEntry> for Route {
    fn from(route: RouteEntry) -> Route {
        let destination = match (route.is_default(), route.scope) {
            (true, _) => "default".to_owned(),
            (false, 0) => route.destination.to_string(),
            (false, scope) => format!("{}%{scope}/{}", route.destination.ip(), route.destination.prefix()),
        };
        let via = match route.via {
            Via::Gateway(gateway) => scoped(gateway.address, gateway.scope),
            Via::Interface(_) => format!("link#{}", route.index),
            Via::Blackhole => "blackhole".to_owned(),
            Via::Reject => "reject".to_owned(),
        };
        let family = if route.destination.is_ipv4() { "inet" } else { "inet6" };
        Route { destination, family, via, interface: route.interface }
    }
}

/// What happened in a network stack.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    Arrived {
        index: u16,
        name: InterfaceName,
    },
    Departed {
        index: u16,
        name: InterfaceName,
    },
    Interface {
        index: u16,
        name: Option<InterfaceName>,
        up: bool,
        link: LinkState,
        mtu: u32,
    },
    AddressAdded {
        index: u16,
        #[serde(flatten, with = "network")]
        address: IpNetwork,
    },
    AddressRemoved {
        index: u16,
        #[serde(flatten, with = "network")]
        address: IpNetwork,
    },
    RouteAdded(RouteEntry),
    RouteDeleted(RouteEntry),
    RouteChanged(RouteEntry),
    Missed {
        address: IpAddr,
    },
    Lost,
}

impl From<route::Event> for Event {
    fn from(event: route::Event) -> Event {
        match event {
            route::Event::Arrived { index, name } => Event::Arrived { index, name },
            route::Event::Departed { index, name } => Event::Departed { index, name },
            route::Event::Interface { index, name, flags, link, mtu } => {
                let up = flags.contains(interface::InterfaceFlags::UP);
                Event::Interface { index, name, up, link, mtu }
            }
            route::Event::AddressAdded { index, address } => Event::AddressAdded { index, address },
            route::Event::AddressRemoved { index, address } => Event::AddressRemoved { index, address },
            route::Event::RouteAdded(route) => Event::RouteAdded(route),
            route::Event::RouteDeleted(route) => Event::RouteDeleted(route),
            route::Event::RouteChanged(route) => Event::RouteChanged(route),
            route::Event::Missed(address) => Event::Missed { address },
            route::Event::Lost => Event::Lost,
        }
    }
}

/// What happened to a jail.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum JailEvent {
    Created { parent: Option<Jid>, jid: Option<Jid> },
    Changed { jid: Jid },
    Attached { jid: Jid, process: Option<i32> },
    Removed { jid: Jid },
}

impl From<jail::JailEvent> for JailEvent {
    fn from(event: jail::JailEvent) -> JailEvent {
        match event {
            jail::JailEvent::Created { parent, jid } => JailEvent::Created { parent, jid },
            jail::JailEvent::Changed(jid) => JailEvent::Changed { jid },
            jail::JailEvent::Attached { jid, process } => JailEvent::Attached { jid, process },
            jail::JailEvent::Removed(jid) => JailEvent::Removed { jid },
        }
    }
}

/// A step of a plan.
#[derive(Serialize)]
struct Step {
    step: String,
}

/// A plan.
#[derive(Serialize)]
pub(crate) struct Plan {
    jail: wiring::JailSpec,
    steps: Vec<Step>,
    notes: Vec<wiring::Problem>,
}

impl From<wiring::Plan> for Plan {
    fn from(plan: wiring::Plan) -> Plan {
        Plan {
            steps: plan.steps().iter().map(|step| Step { step: step.to_string() }).collect(),
            notes: plan.notes().to_vec(),
            jail: plan.spec().clone(),
        }
    }
}
