//! Subnets of a new network: finding free subnets, and checking given subnets.

use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;

use super::error::{Failure, Result};
use super::types::{LeaseRange, Subnet, SubnetPool};
use crate::net::Net;

/// The number of random IPv6 subnets that are tried.
const ATTEMPTS: usize = 10_000;

impl Subnet {
    fn of(subnet: Net) -> Subnet {
        Subnet { gateway: None, lease_range: None, subnet }
    }
}

/// Whether a subnet overlaps with a used subnet.
fn is_used(subnet: Net, used: &[Net]) -> bool {
    used.iter().any(|other| subnet.overlaps(*other))
}

/// Returns the first IPv4 subnet of the pools that is not used.
pub fn free_ipv4(used: &[Net], pools: &[SubnetPool], check_used: bool) -> Result<Subnet> {
    for pool in pools {
        let IpNetwork::V4(base) = pool.base.0 else { continue };
        if pool.size < base.prefix() || pool.size > 32 {
            return Err(Failure::new(format!(
                "subnet pool {} cannot be divided into subnets with a prefix length of {}",
                pool.base, pool.size
            )));
        }
        let step = 1_u64 << (32 - pool.size);
        let first = u64::from(u32::from(base.network()));
        let end = first + (1_u64 << (32 - base.prefix()));
        for address in (first..end).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            let address = u32::try_from(address).expect("it is below the pool's end");
            let subnet = Net::new(Ipv4Addr::from(address).into(), pool.size).expect("at most 32");
            if !check_used || !is_used(subnet, used) {
                return Ok(Subnet::of(subnet));
            }
        }
    }
    Err(Failure::new("could not find free subnet from subnet pools"))
}

/// Returns a random unique local IPv6 subnet (RFC 4193) that is not used.
pub fn free_ipv6(used: &[Net]) -> Result<Subnet> {
    let failed = |error| Failure::new(format!("failed to get random ipv6 subnet: {error}"));
    let mut random = File::open("/dev/urandom").map_err(failed)?;
    for _ in 0..ATTEMPTS {
        let mut octets = [0; 16];
        octets[0] = 0xfd;
        random.read_exact(&mut octets[1..8]).map_err(failed)?;
        let subnet = Net::new(Ipv6Addr::from(octets).into(), 64).expect("at most 128");
        if !is_used(subnet, used) {
            return Ok(Subnet::of(subnet));
        }
    }
    Err(Failure::new("failed to get random ipv6 subnet"))
}

/// Checks that the subnets of a network do not overlap.
pub fn check_apart(subnets: &[Subnet]) -> Result<()> {
    for (place, one) in subnets.iter().enumerate() {
        for other in &subnets[place + 1..] {
            if one.subnet == other.subnet {
                return Err(Failure::new(format!("duplicate subnet defined: {}", one.subnet)));
            }
            if one.subnet.overlaps(other.subnet) {
                return Err(Failure::new(format!(
                    "overlapping subnets: {} and {}",
                    one.subnet, other.subnet
                )));
            }
        }
    }
    Ok(())
}

/// Checks a subnet, and adds a gateway if it needs one. The subnet must not overlap with `used`.
pub fn complete(subnet: &mut Subnet, needs_gateway: bool, used: &[Net]) -> Result<()> {
    let net = subnet.subnet;
    if is_used(net, used) {
        return Err(Failure::new(format!("subnet {net} is already used on the host or by another config")));
    }
    match subnet.gateway {
        Some(gateway) if !net.0.contains(gateway) => {
            return Err(Failure::new(format!("gateway {gateway} not in subnet {net}")));
        }
        Some(_) => {}
        None if needs_gateway => subnet.gateway = Some(first_gateway(net)?),
        None => {}
    }
    subnet.lease_range.as_ref().map_or(Ok(()), |range| check_range(range, net))
}

/// The first address of a subnet that a gateway can have. In IPv4, the first address is the network address and the
/// last is the broadcast address.
fn first_gateway(net: Net) -> Result<IpAddr> {
    let least = if net.0.is_ipv4() { 31 } else { 128 };
    net.first().filter(|_| net.0.prefix() < least).ok_or_else(|| {
        Failure::new(format!(
            "could not create gateway for subnet {net} because it has a {least} or greater subnet prefix"
        ))
    })
}

fn check_range(range: &LeaseRange, net: Net) -> Result<()> {
    let read = |name: &str, text: &Option<String>| -> Result<Option<IpAddr>> {
        let Some(text) = text else { return Ok(None) };
        let address: IpAddr =
            text.parse().map_err(|error| Failure::new(format!("invalid {name}: {error}")))?;
        if !net.0.contains(address) {
            return Err(Failure::new(format!("lease range {name} {address} not in subnet {net}")));
        }
        Ok(Some(address))
    };
    match (read("start_ip", &range.start_ip)?, read("end_ip", &range.end_ip)?) {
        (Some(start), Some(end)) if start > end => Err(Failure::new(format!(
            "lease range start_ip {start} must be less than or equal to end_ip {end}"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Net {
        text.parse().unwrap()
    }

    fn pool(base: &str, size: u8) -> SubnetPool {
        SubnetPool { base: net(base), size }
    }

    #[test]
    fn the_first_subnet_that_nobody_has_is_taken() {
        let pools = [pool("fd00::/8", 64), pool("10.89.0.0/30", 31), pool("10.90.0.0/15", 20)];
        let free = |used: &[&str], check| {
            let used: Vec<Net> = used.iter().map(|text| net(text)).collect();
            free_ipv4(&used, &pools, check).map(|subnet| subnet.subnet.to_string())
        };
        assert_eq!(free(&[], true).unwrap(), "10.89.0.0/31");
        assert_eq!(free(&["10.89.0.1/32"], true).unwrap(), "10.89.0.2/31");
        assert_eq!(free(&["10.89.0.0/24"], true).unwrap(), "10.90.0.0/20");
        assert_eq!(free(&["10.89.0.0/24"], false).unwrap(), "10.89.0.0/31");
        assert_eq!(free(&["10.89.0.0/24", "10.91.0.0/16"], true).unwrap(), "10.90.0.0/20");
        assert!(free(&["10.0.0.0/8"], true).is_err());
        assert!(free_ipv4(&[], &[pool("10.0.0.0/24", 16)], true).is_err());
        assert!(free_ipv4(&[], &[pool("0.0.0.0/0", 33)], true).is_err());
    }

    #[test]
    fn the_end_of_all_addresses_is_the_end_of_a_pool() {
        let used = [net("255.255.255.0/25")];
        let subnet = free_ipv4(&used, &[pool("255.255.255.0/24", 25)], true).unwrap();
        assert_eq!(subnet.subnet, net("255.255.255.128/25"));
        let used = [net("255.255.255.0/24")];
        assert!(free_ipv4(&used, &[pool("255.255.255.0/24", 25)], true).is_err());
    }

    #[test]
    fn ipv6_subnets_are_unique_local_and_random() {
        let one = free_ipv6(&[]).unwrap().subnet;
        let other = free_ipv6(&[one]).unwrap().subnet;
        assert!(one != other && one.to_string().starts_with("fd") && one.0.prefix() == 64);
    }
}
