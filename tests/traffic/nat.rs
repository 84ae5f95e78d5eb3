//! NAT and published ports: which jails can reach each other, and the addresses that they use.

use jailwire::wiring::nat::{Backend, JailNat};
use jailwire::wiring::{Problem, Wiring};

use crate::talk::{Server, WAYS, Way, ask, ask_from_port, hears, is_deaf};
use crate::tools::{Jail, Made, alone, output, sh};

/// The host, with two bridges for jails and a third one that leads outside:
///
/// * web and near are on bridge92, far is on bridge93.
/// * outside is behind bridge91, by which the host's default routes leave. It has no route to the jails' networks.
pub struct Place<'a> {
    wiring: &'a Wiring,
    _jails: Vec<Jail>,
    _made: Made,
    _servers: Vec<Server>,
    _routes: Routes,
}

/// The host's addresses on the outer network.
pub const HOST: [&str; 2] = ["203.0.113.1", "2001:db8:91::1"];
const OUTSIDE: [&str; 2] = ["203.0.113.9", "2001:db8:91::9"];
/// The addresses of the jail web.
const WEB: [&str; 2] = ["10.92.0.2", "fd00:92::2"];

struct Routes;

impl Drop for Routes {
    fn drop(&mut self) {
        output("route -q delete default; route -q delete -inet6 default");
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        for jail in ["web", "near", "far"] {
            let _ = self.wiring.unpublish(jail);
        }
    }
}

impl<'a> Place<'a> {
    pub fn new(wiring: &'a Wiring) -> Place<'a> {
        let made =
            Made(vec!["bridge91", "bridge92", "bridge93", "epair91a", "epair92a", "epair93a", "epair94a"]);
        sh("sysctl net.inet.ip.forwarding=1 net.inet6.ip6.forwarding=1 net.inet6.ip6.dad_count=0");
        for bridge in 91..=93 {
            sh(&format!("ifconfig bridge{bridge} create up"));
        }
        sh(&format!("ifconfig bridge91 inet {}/24; ifconfig bridge91 inet6 {}/64", HOST[0], HOST[1]));
        // A second address of the same interface, which NAT never uses.
        sh("ifconfig bridge91 inet 203.0.113.2/32 alias; ifconfig bridge91 inet6 2001:db8:91::2/128 alias");
        sh("ifconfig bridge92 inet 10.92.0.1/24; ifconfig bridge92 inet6 fd00:92::1/64");
        sh("ifconfig bridge93 inet 10.93.0.1/24; ifconfig bridge93 inet6 fd00:93::1/64");
        let mut jails = Vec::new();
        for (name, number, bridge, inet, inet6) in [
            ("outside", 91, 91, OUTSIDE[0], OUTSIDE[1]),
            ("web", 92, 92, WEB[0], WEB[1]),
            ("near", 93, 92, "10.92.0.3", "fd00:92::3"),
            ("far", 94, 93, "10.93.0.2", "fd00:93::2"),
        ] {
            sh(&format!(
                "ifconfig epair{number} create && ifconfig bridge{bridge} addm epair{number}a && ifconfig epair{number}a up"
            ));
            let jail = Jail::new(name);
            sh(&format!("ifconfig epair{number}b vnet {name}"));
            jail.sh("sysctl -q net.inet6.ip6.dad_count=0; ifconfig lo0 up");
            jail.sh(&format!(
                "ifconfig epair{number}b inet {inet}/24 up; ifconfig epair{number}b inet6 {inet6}/64"
            ));
            if name != "outside" {
                jail.sh(&format!(
                    "route -q add default 10.{bridge}.0.1; route -q add -inet6 default fd00:{bridge}::1"
                ));
            }
            jails.push(jail);
        }
        sh(&format!("route -q add default {}; route -q add -inet6 default {}", OUTSIDE[0], OUTSIDE[1]));
        let servers = vec![
            Server::new("web", &[80, 53, 9000, 9001, 9009]),
            Server::new("near", &[80]),
            Server::new("outside", &[7]),
        ];
        Place { wiring, _jails: jails, _made: made, _servers: servers, _routes: Routes }
    }

    /// The settings for the jail web: a TCP port, a UDP port, and a range of TCP ports.
    fn web(&self, backend: Backend) -> JailNat {
        let addresses = WEB.map(|address| address.parse().unwrap());
        let ports = ["8080:80", "5353:53/udp", "9100-9109:9000"].map(|ports| ports.parse().unwrap());
        ports.into_iter().fold(JailNat::new("web", addresses).by(backend), JailNat::publish)
    }

    /// The jail outside, other jails and the host reach the published ports, and no others.
    fn check_published(&self, families: &[usize]) {
        for who in [Some("outside"), Some("far"), Some("near"), None] {
            for &family in families {
                let host = HOST[family];
                let answers = [
                    hears(who, Way::Tcp, host, 8080),
                    hears(who, Way::Udp, host, 5353),
                    hears(who, Way::Tcp, host, 9100),
                    hears(who, Way::Tcp, host, 9109),
                ];
                println!("{who:?} to {host}: {answers:?}");
                assert!(answers.iter().all(|answer| answer.starts_with("web sees ")), "{who:?}: {answers:?}");
                if who == Some("outside") {
                    assert_eq!(answers[0], format!("web sees {}", OUTSIDE[family]));
                }
                if who == Some("far") {
                    assert!(is_deaf(who, Way::Tcp, host, 9110), "a port behind the range");
                    assert!(is_deaf(who, Way::Udp, host, 8080), "the other protocol");
                }
            }
        }
    }

    /// Packets from web to the outside have the host's address.
    fn check_nat(&self, families: &[usize]) {
        for way in WAYS {
            for &family in families {
                let answer = hears(Some("web"), way, OUTSIDE[family], 7);
                assert_eq!(answer, format!("outside sees {}", HOST[family]));
            }
        }
    }

    /// Another jail cannot publish a port that web has, and the port stays with web.
    fn check_taken(&self, backend: Backend) {
        let near = JailNat::new("near", ["10.92.0.3".parse().unwrap()]).by(backend).nat();
        for taken in ["8080:80", "9105-9120:80", "203.0.113.1:5353:80/udp"] {
            match self.wiring.publish(&near.clone().publish(taken.parse().unwrap())) {
                Err(error) => {
                    assert!(matches!(error.problems(), [Problem::PortTaken { .. }]), "{taken}: {error:?}");
                }
                Ok(published) => panic!("{taken}: {published:?}"),
            }
        }
        // The same port of the other protocol, and of another address, is free.
        let near =
            near.publish("8080:80/udp".parse().unwrap()).publish("203.0.113.2:8080:80".parse().unwrap());
        self.wiring.publish(&near).unwrap();
        assert!(hears(Some("outside"), Way::Udp, HOST[0], 8080).starts_with("near sees "));
        assert!(hears(Some("outside"), Way::Tcp, "203.0.113.2", 8080).starts_with("near sees "));
        assert!(hears(Some("outside"), Way::Tcp, HOST[0], 8080).starts_with("web sees "));
        self.wiring.unpublish("near").unwrap();
    }

    /// Without its rules, web cannot be reached, and cannot reach the outside.
    fn check_gone(&self, families: &[usize]) {
        assert!(self.wiring.unpublish("web").unwrap());
        for who in [Some("outside"), Some("far"), Some("near"), None] {
            for &family in families {
                assert!(is_deaf(who, Way::Tcp, HOST[family], 8080), "{who:?}");
                assert!(is_deaf(who, Way::Udp, HOST[family], 5353), "{who:?}");
            }
        }
        for &family in families {
            assert!(is_deaf(Some("web"), Way::Tcp, OUTSIDE[family], 7));
        }
    }
}

/// pf with a main ruleset. Dropping the value switches pf off.
pub struct Pf;

impl Pf {
    pub fn with(rules: &str) -> Pf {
        sh("kldload -n pf; sysctl net.pf.filter_local=1");
        std::fs::write("/tmp/traffic-pf.conf", rules).unwrap();
        sh("pfctl -q -f /tmp/traffic-pf.conf");
        output("pfctl -q -d");
        sh("pfctl -q -e");
        Pf
    }
}

impl Drop for Pf {
    fn drop(&mut self) {
        output("pfctl -q -d; pfctl -q -F all; sysctl net.pf.filter_local=0");
    }
}

/// The lines that call the library's anchors.
pub const CALLS: &str = "nat-anchor \"jailwire/*\"\nrdr-anchor \"jailwire/*\"\nanchor \"jailwire/*\"\n";

#[test]
fn by_pf() {
    let _turn = alone();
    let wiring = Wiring::here().unwrap();
    let place = Place::new(&wiring);
    let _pf = Pf::with(&format!("{CALLS}pass\n"));
    let both = [0, 1];
    // The library switches pf on only if it is asked to, and refuses the request otherwise.
    sh("pfctl -q -d");
    match wiring.publish(&place.web(Backend::Pf).nat()) {
        Err(error) => assert_eq!(error.problems(), [Problem::PfOff]),
        Ok(published) => panic!("{published:?}"),
    }
    assert!(sh("pfctl -s info").contains("Disabled"));
    wiring.publish(&place.web(Backend::Pf).nat().switching_pf_on()).unwrap();
    assert!(sh("pfctl -s info").contains("Enabled"));
    place.check_nat(&both);
    place.check_published(&both);
    place.check_taken(Backend::Pf);
    // After pf was switched off and on, it still has its rules and states, so older connections go on.
    for family in both {
        let before = ask_from_port("outside", HOST[family], 5353, 4000);
        sh("pfctl -q -d");
        assert!(is_deaf(Some("outside"), Way::Udp, HOST[family], 5353));
        assert_eq!(ask_from_port("outside", HOST[family], 5353, 4000), None);
        sh("pfctl -q -e");
        let after = ask_from_port("outside", HOST[family], 5353, 4000);
        println!("port 4000 before: {before:?}, after: {after:?}");
        assert!(before.is_some());
        assert_eq!(before, after);
        // A new connection may fail: pf numbers states anew, from the time in seconds on, and drops the packet that
        // would make a state whose number another state has (`pf_ioctl.c:pf_start`, `pf.c:pf_state_insert`).
        sh("pfctl -q -F states");
        assert!(hears(Some("outside"), Way::Udp, HOST[family], 5353).starts_with("web sees "));
    }
    place.check_published(&both);
    place.check_gone(&both);
    // The ports are published without NAT.
    wiring.publish(&place.web(Backend::Pf)).unwrap();
    place.check_published(&both);
    assert!(is_deaf(Some("web"), Way::Tcp, OUTSIDE[0], 7));
    place.check_gone(&both);
}

#[test]
fn by_pf_that_blocks_what_is_not_allowed() {
    let _turn = alone();
    let wiring = Wiring::here().unwrap();
    let place = Place::new(&wiring);
    // The ruleset of a host without other services: it passes the host's own packets, and answers to them.
    let _pf = Pf::with(&format!(
        "{CALLS}block\nanchor \"jailwire/*\"\npass out\npass inet6 proto ipv6-icmp\npass in on bridge92 from {} to ! (self)\n",
        WEB[0]
    ));
    wiring.publish(&place.web(Backend::Pf).nat()).unwrap();
    place.check_published(&[0, 1]);
    assert_eq!(ask(Some("web"), Way::Tcp, OUTSIDE[0], 7).as_deref(), Some("outside sees 203.0.113.1"));
    place.check_gone(&[0, 1]);
}

#[test]
fn by_ipfw() {
    let _turn = alone();
    let wiring = Wiring::here().unwrap();
    let place = Place::new(&wiring);
    sh(
        "kenv net.inet.ip.fw.default_to_accept=1; kldload -n ipfw ipfw_nat; sysctl net.inet.ip.fw.enable=1 net.inet.ip.fw.one_pass=0",
    );
    let _off = Ipfw;
    let rules = sh("ipfw list; ipfw nat show config; ipfw table all list");
    let only = [0];
    wiring.publish(&place.web(Backend::Ipfw).nat()).unwrap();
    println!("{}", sh("ipfw list; ipfw nat show config"));
    place.check_nat(&only);
    place.check_published(&only);
    place.check_taken(Backend::Ipfw);
    place.check_gone(&only);
    assert_eq!(sh("ipfw list; ipfw nat show config; ipfw table all list"), rules);
    // The ports are published without NAT.
    wiring.publish(&place.web(Backend::Ipfw)).unwrap();
    println!("{}", sh("ipfw list; ipfw nat show config"));
    place.check_published(&only);
    assert!(is_deaf(Some("web"), Way::Tcp, OUTSIDE[0], 7));
    place.check_gone(&only);
    assert_eq!(sh("ipfw list; ipfw nat show config; ipfw table all list"), rules);
}

/// ipfw that passes all packets. Dropping the value switches ipfw off.
pub struct Ipfw;

impl Ipfw {
    pub fn new() -> Ipfw {
        sh("kenv net.inet.ip.fw.default_to_accept=1; kldload -n ipfw ipfw_nat");
        let accepts = sh("sysctl -n net.inet.ip.fw.default_to_accept");
        assert_eq!(
            accepts.trim(),
            "1",
            "loaded before: start the guest with net.inet.ip.fw.default_to_accept=1"
        );
        sh("sysctl net.inet.ip.fw.enable=1 net.inet.ip.fw.one_pass=0");
        Ipfw
    }
}

impl Drop for Ipfw {
    fn drop(&mut self) {
        output("sysctl net.inet.ip.fw.enable=0");
    }
}
