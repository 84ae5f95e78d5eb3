//! Remedies on random hosts. Each remedy is carried out as it is printed. Its finding has to go, and no new finding
//! that keeps a jail from working may come.
//!
//! `JAILWIRE_HOSTS` says how many hosts, and `JAILWIRE_SEED` which.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jailwire::iocage::doctor::{Finding, Kind, Level};

use super::host::Host;
use super::{Case, carry_out, command, ways};
use crate::world::tuned;

/// Members of a jail's configuration. A jail has some of them.
const MEMBERS: [&str; 22] = [
    r#""interfaces":"vnet0:bridge1""#,
    r#""interfaces":"vnet0:em0""#,
    r#""interfaces":"vnet0:bridge0,vnet1:bridge1""#,
    r#""interfaces":"vnet0:lan""#,
    r#""vnet_default_interface":"em0""#,
    r#""vnet_default_interface":"auto""#,
    r#""vnet_default_interface":"em9""#,
    r#""vnet_interfaces":"em0""#,
    r#""vnet0_mtu":"9000""#,
    r#""defaultrouter":"192.0.2.1""#,
    r#""defaultrouter":"10.9.9.9""#,
    r#""defaultrouter6":"fe80::1""#,
    r#""ip4_addr":"vnet0|192.0.2.10/24""#,
    r#""ip4_addr":"vnet0|10.1.1.2/24""#,
    r#""ip6_addr":"vnet0|2001:db8::5/64""#,
    r#""exec_fib":"3""#,
    r#""devfs_ruleset":"77""#,
    r#""mount_procfs":1"#,
    r#""allow_mount_fusefs":1"#,
    r#""depends":"nosuch""#,
    r#""securelevel":"9""#,
    r#""vnet0_mac":"02ff60000001 02ff60000002""#,
];

/// Operations that were done on the host before.
const DEEDS: [&str; 9] = [
    "ifconfig bridge0 create",
    "ifconfig bridge1 create up",
    "ifconfig bridge0 create up && ifconfig bridge0 addm em0",
    "ifconfig bridge1 create && ifconfig bridge1 inet 10.1.1.1/24",
    "ifconfig bridge0 create && ifconfig bridge0 addm em0 && ifconfig em0 down",
    "sysctl net.link.bridge.member_ifaddrs=0",
    "sysctl net.inet.ip.forwarding=1",
    "ifconfig em0 inet6 2001:db8::10/64",
    "ifconfig bridge7 create up",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// The parts of a random host, from which the host can be made again.
#[derive(Debug)]
struct Recipe {
    jails: Vec<(String, String)>,
    deeds: Vec<&'static str>,
}

impl Recipe {
    fn throw(dice: &mut Dice) -> Recipe {
        let jails = (0..=dice.below(2)).map(|number| {
            let mut config = serde_json::json!({
                "vnet": 1, "ip4_addr": format!("vnet0|192.0.2.{}/24", 20 + number), "defaultrouter": "none",
                "mac_prefix": "02ff60", "mount_devfs": 0, "mount_fdescfs": 0, "resolver": "/dev/null", "host_time": 0,
                "exec_start": "/usr/bin/true", "exec_stop": "/usr/bin/true",
            });
            for _ in 0..dice.below(4) {
                let member: serde_json::Value =
                    serde_json::from_str(&format!("{{{}}}", MEMBERS[dice.below(MEMBERS.len())])).unwrap();
                for (name, value) in member.as_object().unwrap() {
                    config[name] = value.clone();
                }
            }
            (["web", "db"][number].to_owned(), config.to_string())
        });
        let jails = jails.collect();
        let deeds = (0..dice.below(4)).map(|_| DEEDS[dice.below(DEEDS.len())]).collect();
        Recipe { jails, deeds }
    }

    /// Returns `None` if two of the operations exclude each other.
    fn host(&self) -> Option<Host> {
        let jails: Vec<_> =
            self.jails.iter().map(|(name, config)| (name.as_str(), config.as_str())).collect();
        let options = tuned(&[("kern.racct.enable", 1), ("net.link.bridge.pfil_onlyip", 0)]);
        let host = Host::new(options, &jails);
        let done = catch_unwind(AssertUnwindSafe(|| self.deeds.iter().for_each(|deed| host.run(deed))));
        done.ok().map(|()| host)
    }
}

/// Whether a line can be carried out as it is: it is a command without places to fill in.
fn is_complete(line: &str) -> bool {
    let is_choice = |word: &str| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let words = line.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| is_choice(word));
    let known = ["DHCP"];
    command(line).is_some() && words.filter(|word| !known.contains(word)).count() == 0
}

fn is_among(all: &[Finding], one: &Finding) -> bool {
    all.iter().any(|other| (other.kind, &other.what) == (one.kind, &one.what))
}

/// Carries out one way of mending a finding.
fn judge(recipe: &Recipe, finding: &Finding, way: &[String]) -> Result<(), String> {
    let mut host = recipe.host().expect("it was made before");
    let known = host.findings();
    let case = Case { kind: finding.kind, found: "", host: nowhere, chosen: &[], by_hand: &[], changes: &[] };
    let done =
        catch_unwind(AssertUnwindSafe(|| way.iter().for_each(|line| carry_out(&mut host, line, &case))));
    if done.is_err() {
        return Err("it cannot be carried out: see above".to_owned());
    }
    let after = host.findings();
    if is_among(&after, finding) {
        return Err("it does not help".to_owned());
    }
    // The finding of the same fault may name another interface by now, because the host's address has moved to a
    // bridge.
    let is_known =
        |one: &Finding| known.iter().any(|other| (other.kind, &other.jails) == (one.kind, &one.jails));
    // The host has one uplink, and only one of two bridges can have it. The other bridge has none, as `auto`
    // allows.
    let is_second = |one: &Finding| one.what.contains("vnet_default_interface: nothing is put on the bridge");
    let is_new = |one: &&Finding| one.level > Level::Note && !is_known(one) && !is_second(one);
    // A jail may have a second fault, which is found only after the first is mended.
    let was_refused = |one: &Finding| one.jails.iter().any(|jail| finding.jails.contains(jail));
    let new: Vec<_> = after.iter().filter(is_new).filter(|one| !was_refused(one)).collect();
    if new.is_empty() { Ok(()) } else { Err(format!("it brings other trouble: {new:#?}")) }
}

fn nowhere() -> Host {
    panic!("it is made by its recipe")
}

#[test]
fn remedies_help_on_hosts_that_nobody_has_chosen() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let mut dice = Dice(number("JAILWIRE_SEED", 20_261_130).max(1));
    let (mut tried, mut wrong) = (0, Vec::new());
    for _ in 0..number("JAILWIRE_HOSTS", 16) {
        let recipe = Recipe::throw(&mut dice);
        let Some(host) = recipe.host() else { continue };
        for finding in host.findings() {
            for way in ways(&finding) {
                if finding.kind == Kind::OldRelease || !way.iter().all(|line| is_complete(line)) {
                    continue;
                }
                tried += 1;
                if let Err(reason) = judge(&recipe, &finding, &way) {
                    wrong.push(format!("{way:#?}\nfor {finding:#?}\non {recipe:#?}:\n{reason}"));
                }
            }
        }
    }
    println!("{tried} remedies were carried out");
    assert!(tried > 10, "the hosts have too little wrong with them: {tried}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n\n"));
}
