//! Lists of interfaces.

use std::mem::offset_of;
use std::net::IpAddr;

use jailwire_sys::{
    CTL_NET, IFDATA_DRIVERNAME, IFMIB_IFDATA, IFNAMSIZ, NET_RT_IFLISTL, NETLINK_GENERIC, PF_LINK, PF_ROUTE,
    ifconf, sockaddr,
};

use super::{Interface, InterfaceAddress, InterfaceType};
use crate::abi::{IFRU, call};
use crate::error::{Error, Result};
use crate::kernel::{Block, Oid};
use crate::route::message::{
    AddressMessage, InterfaceMessage, InterfaceOrAddress, Malformed, read_interfaces,
};
use crate::route::{LinkAddress, SocketAddress};
use crate::types::{InterfaceName, MacAddr};
use crate::vnet::Vnet;
use ipnetwork::IpNetwork;

/// An interface with the properties that a socket shows, without entering its jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its name.
    pub name: InterfaceName,
    /// Its index.
    pub index: u16,
    /// Its link address, if that has six bytes.
    pub mac: Option<MacAddr>,
}

impl Vnet {
    /// Lists the interfaces with everything that one dump has: flags, MTU, link address, addresses.
    ///
    /// For a jail, a child process enters the jail; [`Vnet::links`] does without.
    ///
    /// # Errors
    ///
    /// As [`Vnet::sysctls`].
    ///
    /// # Source
    ///
    /// [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) with NET_RT_IFLISTL, `net/rtsock.c:sysctl_iflist`;
    /// [`getifaddrs(3)`](https://man.freebsd.org/getifaddrs(3)) uses the same.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// # let host = jailwire::Vnet::host(kernel.clone());
    /// for interface in host.interfaces()? {
    ///     println!("{}: {} bytes", interface.name, interface.mtu);
    /// }
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "NET_RT_IFLISTL")]
    #[doc(alias = "getifaddrs")]
    pub fn interfaces(&self) -> Result<Vec<Interface>> {
        self.dump_interfaces(0)
    }

    /// Returns one interface with everything that a dump has.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * as [`Vnet::sysctls`].
    ///
    /// # Source
    ///
    /// `NET_RT_IFLISTL`.
    #[doc(alias = "NET_RT_IFLISTL")]
    pub fn interface(&self, name: &InterfaceName) -> Result<Interface> {
        let index = self.index(name)?;
        let found = self.dump_interfaces(index)?.into_iter().find(|found| found.index == index);
        found.ok_or_else(|| Error::new("look at", name, "NET_RT_IFLISTL", crate::kernel::Errno::ENXIO))
    }

    fn dump_interfaces(&self, index: u16) -> Result<Vec<Interface>> {
        let bytes = self.sysctl(oid(index))?;
        parse_interfaces(&bytes).map_err(|why| Error::malformed("list interfaces", "", "NET_RT_IFLISTL", why))
    }

    /// Lists names, indices and link addresses of the interfaces, through a socket.
    ///
    /// In a jail without a network stack of its own, the kernel may not reveal link addresses, and then lists
    /// nothing.
    ///
    /// # Errors
    ///
    /// EBUSY: the stack is being torn down.
    ///
    /// # Source
    ///
    /// `SIOCGIFCONF`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifconf`.
    #[doc(alias = "SIOCGIFCONF")]
    pub fn links(&self) -> Result<Vec<Link>> {
        let records = self.interface_records()?;
        let links = records.into_iter().filter_map(|(name, address)| match address {
            SocketAddress::Link(LinkAddress { index, mac, .. }) => Some(Link { name, index, mac }),
            _ => None,
        });
        Ok(links.collect())
    }

    /// Returns the addresses of an interface that belong to virtual hosts of carp(4), each with its vhid.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * as [`Vnet::sysctls`].
    ///
    /// # Source
    ///
    /// [`sysctl(3)`](https://man.freebsd.org/sysctl(3)) with NET_RT_IFLISTL, `net/rtsock.c:sysctl_iflist_ifaml`.
    #[doc(alias = "ifi_vhid")]
    pub fn carp_addresses(&self, name: &InterfaceName) -> Result<Vec<(IpAddr, u8)>> {
        let bytes = self.sysctl(oid(self.index(name)?))?;
        let mut found = Vec::new();
        read_interfaces(&bytes, |message| {
            if let InterfaceOrAddress::Address(message) = message
                && message.vhid != 0
                && let Some(address) = message.addresses.interface_address().and_then(SocketAddress::ip)
            {
                found.push((address, message.vhid));
            }
        })
        .map_err(|why| Error::malformed("list addresses of", name, "NET_RT_IFLISTL", why))?;
        Ok(found)
    }

    /// Returns the link address of an interface. Returns `None` if it has none of six bytes.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    ///
    /// # Source
    ///
    /// `SIOCGIFCONF`.
    #[doc(alias = "SIOCGIFCONF")]
    pub fn mac(&self, name: &InterfaceName) -> Result<Option<MacAddr>> {
        let found = self.links()?.into_iter().find(|link| link.name == *name);
        let found =
            found.ok_or_else(|| Error::new("find MAC of", name, "SIOCGIFCONF", crate::kernel::Errno::ENXIO));
        found.map(|link| link.mac)
    }

    /// Returns the original link address of an interface, also if it has another one now.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * ENODEV: it came with none, as a bridge.
    ///
    /// # Source
    ///
    /// `SIOCGHWADDR`: [`networking(4)`](https://man.freebsd.org/networking(4)), `net/if.c:ifhwioctl`.
    #[doc(alias = "SIOCGHWADDR")]
    pub fn hardware_mac(&self, name: &InterfaceName) -> Result<MacAddr> {
        let mut ask = call!(SIOCGHWADDR).on(name);
        self.perform(&mut ask, "read hardware MAC of", name)?;
        Ok(MacAddr(ask.argument().get(IFRU + offset_of!(sockaddr, sa_data))))
    }

    /// Returns the name that an interface's driver gave the interface, with the unit. A rename does not change it.
    ///
    /// # Errors
    ///
    /// * ENXIO: no such interface.
    /// * ENOENT: the interface went away meanwhile.
    /// * as [`Vnet::enter`].
    ///
    /// # Source
    ///
    /// `net.link.generic.ifdata`: [`ifmib(4)`](https://man.freebsd.org/ifmib(4)), `net/if_mib.c:sysctl_ifdata`.
    #[doc(alias = "IFDATA_DRIVERNAME")]
    pub fn driver_name(&self, name: &InterfaceName) -> Result<String> {
        let index = i32::from(self.index(name)?);
        let numbers = vec![CTL_NET, PF_LINK, NETLINK_GENERIC, IFMIB_IFDATA, index, IFDATA_DRIVERNAME];
        let bytes = self.sysctl(Oid::Numbers(numbers))?;
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// Every address of every interface, from SIOCGIFCONF.
    pub(crate) fn interface_records(&self) -> Result<Vec<(InterfaceName, SocketAddress)>> {
        // The kernel does not return the length of the list: enlarge the buffer until there is room left.
        let mut size = 16 << 10;
        loop {
            let mut ask = call!(SIOCGIFCONF);
            let argument = ask.argument();
            let length = i32::try_from(size).expect("the kernel's limit of 1 MiB comes first");
            argument.put(offset_of!(ifconf, ifc_len), &length.to_ne_bytes());
            argument.point(offset_of!(ifconf, ifc_ifcu), Block::zeroed(size));
            self.perform(&mut ask, "list interfaces", "")?;
            let argument = ask.argument();
            let used = usize::try_from(argument.i32_at(offset_of!(ifconf, ifc_len))).unwrap_or(0);
            let filled = argument.child(offset_of!(ifconf, ifc_ifcu)).map_or(&[][..], |child| &child.bytes);
            let filled = &filled[..used.min(filled.len())];
            // The largest record is a name and an address of 255 bytes.
            if used + IFNAMSIZ + 256 <= size || size >= 64 << 20 {
                return parse_records(filled)
                    .map_err(|why| Error::malformed("list interfaces", "", "SIOCGIFCONF", why));
            }
            size *= 4;
        }
    }
}

/// The sysctl object that lists one interface, or with index 0 all.
pub(crate) fn oid(index: u16) -> Oid {
    Oid::Numbers(vec![CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLISTL, i32::from(index)])
}

/// The records of SIOCGIFCONF: a name and a socket address each, not aligned to anything.
pub(crate) fn parse_records(
    mut bytes: &[u8],
) -> std::result::Result<Vec<(InterfaceName, SocketAddress)>, Malformed> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (name, rest) =
            bytes.split_at_checked(IFNAMSIZ).ok_or(Malformed::new("an interface record is cut short"))?;
        let address = SocketAddress::parse(rest)?;
        // A record has at least the length of a `sockaddr`.
        let length = usize::from(rest[0]).max(16);
        bytes = rest.get(length..).ok_or(Malformed::new("an interface record is cut short"))?;
        if let Some(name) = InterfaceName::from_ifname(name) {
            records.push((name, address));
        }
    }
    Ok(records)
}

/// The interfaces of a NET_RT_IFLISTL dump: each is followed by its addresses.
pub(crate) fn parse_interfaces(bytes: &[u8]) -> std::result::Result<Vec<Interface>, Malformed> {
    let mut interfaces: Vec<Interface> = Vec::new();
    read_interfaces(bytes, |found| match found {
        InterfaceOrAddress::Interface(message) => interfaces.extend(interface(message)),
        InterfaceOrAddress::Address(message) => {
            let last = interfaces.last_mut().filter(|last| last.index == message.index);
            if let (Some(last), Some(address)) = (last, address(message)) {
                last.addresses.push(address);
            }
        }
    })?;
    Ok(interfaces)
}

fn interface(message: &InterfaceMessage) -> Option<Interface> {
    let link = message.addresses.interface()?;
    Some(Interface {
        name: link.name?,
        index: message.index,
        kind: InterfaceType(message.kind),
        flags: message.flags,
        link: message.link,
        mtu: message.mtu,
        mac: link.mac,
        addresses: Vec::new(),
    })
}

fn address(message: &AddressMessage) -> Option<InterfaceAddress> {
    let address = message.addresses.interface_address()?;
    let prefix_length = message.addresses.prefix_length(address)?;
    Some(InterfaceAddress {
        network: IpNetwork::new(address.ip()?, prefix_length).ok()?,
        scope: match address {
            SocketAddress::V6(_, scope) => *scope,
            _ => 0,
        },
        broadcast: message.addresses.broadcast().and_then(SocketAddress::ip),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::{InterfaceFlags, LinkState};
    use crate::testdata::{vector, vectors};

    #[test]
    fn a_dump_gives_an_interface_and_its_addresses() {
        let dump = vectors(&[
            "iflistl ifinfo",
            "iflistl newaddr",
            "iflistl newaddr inet6",
            "iflistl newaddr link-local",
        ]);
        let interfaces = parse_interfaces(&dump).unwrap();
        let [interface] = &interfaces[..] else { panic!("{interfaces:?}") };
        assert_eq!((interface.name.as_str(), interface.index, interface.mtu), ("vnet0.1", 2, 1500));
        assert_eq!((interface.kind, interface.link), (InterfaceType::ETHERNET, LinkState::Up));
        assert_eq!(interface.mac, Some(MacAddr([2, 0, 0, 0, 0, 0x0a])));
        assert!(interface.is_up() && interface.flags.contains(InterfaceFlags::BROADCAST));
        let shown: Vec<String> =
            interface.addresses.iter().map(|a| format!("{}%{}", a.network, a.scope)).collect();
        assert_eq!(shown, ["10.0.0.1/24%0", "fd00::1/64%0", "fe80::ff:fe00:a/64%2"]);
        assert_eq!(interface.addresses[0].broadcast, Some("10.0.0.255".parse().unwrap()));
    }

    #[test]
    fn records_are_not_aligned_and_link_local_ones_hide_their_scope() {
        let records = parse_records(&vector("gifconf")).unwrap();
        let shown: Vec<String> = records
            .iter()
            .map(|(name, address)| match address {
                SocketAddress::Link(link) => format!("{name} link {}", link.index),
                SocketAddress::V4(address) => format!("{name} {address}"),
                SocketAddress::V6(address, scope) => format!("{name} {address}%{scope}"),
                other => format!("{name} {other:?}"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "lo0 link 1",
                "lo0 ::1%0",
                "lo0 fe80::1%1",
                "lo0 127.0.0.1",
                "vnet0.1 link 2",
                "vnet0.1 10.0.0.1",
                "vnet0.1 fd00::1%0",
                "vnet0.1 fe80::ff:fe00:a%2",
                "epair0b link 3",
            ]
        );
    }

    #[test]
    fn records_that_are_cut_short_are_errors() {
        let whole = vector("gifconf");
        for length in [1, 15, 16, 17, 71, 73, 455] {
            assert!(parse_records(&whole[..length]).is_err(), "{length}");
        }
        assert_eq!(parse_records(&[]).unwrap(), []);
    }

    mod any_bytes {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
                let _ = parse_records(&bytes);
                let _ = parse_interfaces(&bytes);
            }

            #[test]
            fn that_were_once_records_are_read_without_panic(
                at in any::<proptest::sample::Index>(), byte in any::<u8>(),
            ) {
                let mut bytes = vector("gifconf");
                let at = at.index(bytes.len());
                bytes[at] = byte;
                let _ = parse_records(&bytes);
            }
        }
    }
}
