//! Whatever iocage's files contain, nothing panics.
//!
//! Valid files are changed at random: bytes, pieces, and words that often cause errors. The number of inputs and
//! the seed are printed; `JAILWIRE_INPUTS` and `JAILWIRE_SEED` choose others. The same reader is the fuzz target
//! `files`.

#![cfg(feature = "cli")]

mod reader;

const FILES: [&str; 6] = [
    include_str!("../../examples/iocage/jails/web/config.json"),
    include_str!("../../examples/iocage/jails/proxy/config.json"),
    include_str!("../../examples/iocage/jails/web/fstab"),
    r#"{"vnet":"on","interfaces":"vnet0:bridge0,vnet1:none","ip4_addr":"vnet0|DHCP","vnet1_mac":"02ff60000001,02ff60000002","depends":"a b","mac_prefix":"02ff60","exec_prestart":"/bin/sh -c 'echo \"x\"'","priority":5,"nested":[1,{"a":null}],"allow_mount_devfs":true,"localhost_ip":"127.0.0.5","assign_localhost":1,"cpuset":"off","rlimits":"off"}"#,
    "\"ioc-web\" {\n\tip4.addr += \"em0|192.0.2.40/24\";\n\tip6.addr += \"em0|2001:db8::40/64\";\n\tip4 = \"new\";\n\tpath = \"/iocage/jails/web/root\";\n\tmount.fstab = \"/iocage/jails/web/fstab\";\n\tdevfs_ruleset = \"1003\";\n\tpersist;\n}\n",
    "# mine\n$b = \"bridge0\";\n* { exec.clean; }\nweb { // vnet\n vnet; vnet.interface = epair0b, \"epair1b\"; path = '/jails/web'; ip4.addr = em0|192.0.2.4/32, 192.0.2.5; /* off */ exec.start += \"/bin/sh /etc/rc\"; }\n",
];

/// Words that often cause errors.
const TROUBLE: [&str; 40] = [
    "..",
    "/",
    "\\u0000",
    "\\ud800",
    "\\n",
    "\u{7f}",
    "\u{1}",
    "\u{202e}",
    "\u{feff}",
    "4294967296",
    "-1",
    "1e999",
    "18446744073709551616",
    "0x10",
    "NaN",
    "true",
    "null",
    "[",
    "{",
    "]",
    "}",
    "\"",
    "\"vnet\":1,",
    "vnet99999999999:",
    "vnet0|",
    "|",
    "/33",
    "/129",
    "::",
    "%em0",
    "fe80::1",
    "0.0.0.0",
    "255.255.255.255/0",
    "DHCP",
    "accept_rtadv",
    "none",
    "ALL",
    ",",
    "ffffffffffff",
    "$(reboot)",
];

struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        match self.below(9) {
            0 if at < bytes.len() => bytes[at] = self.next() as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            2 => {
                let to = (at + self.below(20)).min(bytes.len());
                bytes.drain(at..to);
            }
            3 => {
                let to = (at + self.below(60)).min(bytes.len());
                let piece = bytes[at..to].to_vec();
                let place = self.below(bytes.len() + 1);
                bytes.splice(place..place, piece);
            }
            4 => bytes.truncate(at),
            5 => {
                // Insert into a value, which is most likely to be read.
                let quotes: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'"').collect();
                let place = if quotes.is_empty() { at } else { quotes[self.below(quotes.len())] };
                let word = TROUBLE[self.below(TROUBLE.len())];
                let place = (place + self.below(2)).min(bytes.len());
                bytes.splice(place..place, word.bytes());
            }
            // Insert at a place where the text stays JSON.
            6 | 7 => {
                let plain = |word: &&&str| !word.contains(['"', '\\', '\u{1}']);
                let words: Vec<&&str> = TROUBLE.iter().filter(plain).collect();
                let word = words[self.below(words.len())];
                let values: Vec<usize> = bytes
                    .windows(3)
                    .enumerate()
                    .filter(|(_, three)| *three == b": \"")
                    .map(|(at, _)| at + 3)
                    .collect();
                let place = if values.is_empty() { at } else { values[self.below(values.len())] };
                bytes.splice(place..place, word.bytes());
            }
            _ => {
                let word = TROUBLE[self.below(TROUBLE.len())];
                bytes.splice(at..at, word.bytes());
            }
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn no_file_makes_it_panic() {
    let (seed, inputs) = (number("JAILWIRE_SEED", 20_261_128).max(1), number("JAILWIRE_INPUTS", 10_000));
    let mut draw = Draw(seed);
    let mut came_to = [0_u64; 3];
    let mut bytes = Vec::new();
    for _ in 0..inputs {
        // In some rounds, change a changed file again.
        if draw.below(4) != 0 || bytes.len() > 4096 {
            bytes = FILES[draw.below(FILES.len())].as_bytes().to_vec();
        }
        for _ in 0..=draw.below(3) {
            draw.change(&mut bytes);
        }
        came_to[reader::read(&bytes)] += 1;
    }
    reader::end();
    let [no_json, no_configuration, configuration] = came_to;
    println!(
        "{inputs} files, seed {seed}: {no_json} were no JSON object, {no_configuration} no configuration, {configuration} both"
    );
    assert!(
        came_to.iter().all(|count| *count > inputs / 200),
        "{came_to:?}: the changes are too wild or too tame"
    );
}
