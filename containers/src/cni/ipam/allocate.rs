//! Finds the next free address: cycles through the ranges of a set, beginning after the last address that was given
//! out.

use std::net::IpAddr;

use super::config::Range;
use crate::net::{Net, next};

/// An address to give out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    pub address: Net,
    pub gateway: IpAddr,
}

impl Range {
    pub fn candidate(&self, address: IpAddr) -> Candidate {
        let address = Net::new(address, self.subnet.0.prefix()).expect("the subnet's own prefix length");
        Candidate { address, gateway: self.gateway }
    }
}

/// Returns the first free address after `last`, in the order of host-local: to the end of its range, through the
/// following ranges, and around to `last` itself.
pub fn next_free(set: &[Range], last: Option<IpAddr>, is_free: impl Fn(IpAddr) -> bool) -> Option<Candidate> {
    let from = last.and_then(|last| {
        let place = set.iter().position(|range| range.contains(last))?;
        Some((place, last))
    });
    let usable = |range: &Range, address: IpAddr| address != range.gateway && is_free(address);
    let within = |range: &Range, mut address: IpAddr, end: IpAddr| loop {
        if usable(range, address) {
            return Some(range.candidate(address));
        }
        if address >= end {
            return None;
        }
        address = next(address)?;
    };
    let Some((place, last)) = from else {
        return set.iter().find_map(|range| within(range, range.start, range.end));
    };
    let range = &set[place];
    let behind = next(last).filter(|behind| *behind <= range.end);
    behind
        .and_then(|behind| within(range, behind, range.end))
        .or_else(|| set[place + 1..].iter().find_map(|range| within(range, range.start, range.end)))
        .or_else(|| set[..place].iter().find_map(|range| within(range, range.start, range.end)))
        .or_else(|| within(range, range.start, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn range(subnet: &str, start: &str, end: &str, gateway: &str) -> Range {
        Range { subnet: subnet.parse().unwrap(), start: ip(start), end: ip(end), gateway: ip(gateway) }
    }

    #[test]
    fn addresses_go_round_and_the_gateway_is_left_out() {
        let set = [
            range("10.0.0.0/29", "10.0.0.1", "10.0.0.3", "10.0.0.2"),
            range("10.0.1.0/29", "10.0.1.1", "10.0.1.2", "10.0.1.9"),
        ];
        let mut last = None;
        let mut seen = Vec::new();
        for _ in 0..5 {
            let found = next_free(&set, last, |_| true).unwrap();
            seen.push(found.address.to_string());
            last = Some(found.address.0.ip());
        }
        assert_eq!(seen, ["10.0.0.1/29", "10.0.0.3/29", "10.0.1.1/29", "10.0.1.2/29", "10.0.0.1/29"]);
        let only = |free: &str| next_free(&set, Some(ip("10.0.1.1")), |address| address == ip(free));
        for free in ["10.0.0.1", "10.0.0.3", "10.0.1.1", "10.0.1.2"] {
            assert_eq!(only(free).unwrap().address.0.ip(), ip(free));
        }
        assert_eq!(only("10.0.0.2"), None);
        assert_eq!(next_free(&set, None, |_| false), None);
        // The last address is in no range any more.
        let found = next_free(&set, Some(ip("192.0.2.1")), |_| true).unwrap();
        assert_eq!(found.address.0.ip(), ip("10.0.0.1"));
    }

    #[test]
    fn the_last_address_of_all_is_no_trap() {
        let set = [range("255.255.255.252/30", "255.255.255.253", "255.255.255.255", "255.255.255.253")];
        let found = next_free(&set, Some(ip("255.255.255.255")), |_| true).unwrap();
        assert_eq!(found.address.0.ip(), ip("255.255.255.254"));
    }
}
