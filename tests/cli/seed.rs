//! Runs every command line of iocage's networking documentation unchanged, with a name, a UUID or a TAG in place of
//! `UUID | TAG`, in a shell in which the program is called `iocage`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::{Root, text};

const UUID: &str = "9f7d1f0e-7d3f-41f0-8f0e-589cfc10ffff";

/// The ways to name a jail.
#[derive(Debug, Clone, Copy)]
enum Way {
    Name,
    Uuid,
    /// The link `tags/TAG` of legacy iocage.
    Tag,
    /// The key `tag` in config.json.
    TagKey,
    Beginning,
}

const WAYS: [Way; 5] = [Way::Name, Way::Uuid, Way::Tag, Way::TagKey, Way::Beginning];

/// A host with one new jail, and the program under the name `iocage`.
struct Host {
    root: Root,
    bin: TempDir,
    /// The word in place of `UUID | TAG`.
    word: &'static str,
}

impl Host {
    fn new(way: Way) -> Host {
        let bin = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jailwire"), bin.path().join("iocage")).unwrap();
        let root = Root::new();
        for name in ["web", "db", "proxy"] {
            fs::remove_dir_all(root.jail(name)).unwrap();
        }
        let (create, word): (&[&str], _) = match way {
            Way::Name => (&["-n", "www"], "www"),
            Way::Uuid => (&["-u", UUID], UUID),
            Way::Tag | Way::TagKey => (&["-u", UUID], "mytag"),
            Way::Beginning => (&["-u", UUID], "9f7d"),
        };
        root.ok(&[&["create", "-e"], create].concat());
        // An empty jail has no mount point for a devfs.
        fs::create_dir(root.jail(create[1]).join("root/dev")).unwrap();
        match way {
            Way::Tag => {
                fs::create_dir(root.path().join("tags")).unwrap();
                let target = Path::new("/iocage/jails").join(UUID);
                std::os::unix::fs::symlink(target, root.path().join("tags/mytag")).unwrap();
            }
            Way::TagKey => {
                let path = root.jail(UUID).join("config.json");
                let config = fs::read_to_string(&path).unwrap();
                fs::write(path, config.replacen('{', "{\n    \"tag\": \"mytag\",", 1)).unwrap();
            }
            _ => {}
        }
        Host { root, bin, word }
    }

    /// Runs a line of the documentation.
    fn run(&self, line: &str) -> Output {
        let line = line.replace("UUID | TAG", self.word).replace("UUID| TAG", self.word);
        let line = line.replace("UUID|TAG", self.word);
        let shell = format!("iocage() {{ \"$IOCAGE\" --kernel sim \"$@\"; }}\n{line}");
        Command::new("/bin/sh")
            .args(["-c", &shell])
            .env_clear()
            .env("IOCAGE", self.program())
            .env("JAILWIRE_ROOT", self.root.path())
            .output()
            .expect("a shell")
    }

    fn program(&self) -> PathBuf {
        self.bin.path().join("iocage")
    }

    fn ok(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}\n{}", output.status, text(&output.stderr));
        text(&output.stdout)
    }

    /// The output of `show` for the jail, or for the host.
    fn shows(&self, jail: bool) -> String {
        if jail { self.root.ok(&["show", self.word]) } else { self.root.ok(&["show"]) }
    }
}

#[test]
fn shared_ip() {
    for way in WAYS {
        let host = Host::new(way);
        // Without other defaults, a new jail has a network stack of its own, and its config says so.
        assert_eq!(host.ok("iocage get vnet UUID | TAG"), "1\n", "{way:?}");
        assert_eq!(host.ok("iocage set vnet=off UUID | TAG"), "vnet: 1 -> 0\n");
        assert_eq!(host.ok("iocage get vnet UUID | TAG"), "0\n");
        assert_eq!(host.ok("iocage set vnet=off default"), "Default Property: vnet has been updated to 0\n");
        host.ok("iocage create -e -n later");
        assert_eq!(host.root.ok(&["get", "vnet", "later"]), "0\n");

        assert_eq!(
            host.ok(r#"iocage set ip4_addr="em0|10.1.1.10/24" UUID| TAG"#),
            "ip4_addr: none -> em0|10.1.1.10/24\n"
        );
        assert_eq!(
            host.ok(r#"iocage set ip4_addr="em0|10.1.1.10/24,em0|10.1.1.11/24" UUID| TAG"#),
            "ip4_addr: em0|10.1.1.10/24 -> em0|10.1.1.10/24,em0|10.1.1.11/24\n"
        );
        assert!(host.ok("iocage start UUID | TAG").contains("  + Started OK\n"));
        let seen = host.ok("iocage exec UUID | TAG ifconfig");
        assert!(seen.contains("inet 10.1.1.10 ") && seen.contains("inet 10.1.1.11 "), "{way:?}: {seen}");
        assert!(!seen.contains("192.0.2.10"), "the host's own address is not the jail's: {seen}");
    }
}

#[test]
fn vnet() {
    for way in WAYS {
        let host = Host::new(way);
        assert_eq!(
            host.ok("iocage set defaultrouter=10.1.1.254 UUID | TAG"),
            "defaultrouter: auto -> 10.1.1.254\n"
        );
        assert_eq!(
            host.ok(r#"iocage set ip4_addr="vnet0|10.1.1.10/24" UUID | TAG"#),
            "ip4_addr: none -> vnet0|10.1.1.10/24\n"
        );
        assert!(host.ok("iocage start UUID | TAG").contains("  + Configuring VNET OK\n"));
        let shown = host.shows(true);
        assert!(shown.contains("inet  10.1.1.10/24") && shown.contains("10.1.1.254"), "{way:?}: {shown}");
        // The command reaches login(1), which the simulated kernel does not run.
        let console = host.run("iocage console UUID | TAG");
        assert!(text(&console.stderr).contains("login is not run"), "{}", text(&console.stderr));
    }
}

#[test]
fn a_shared_ip_jail_of_both_families() {
    for way in WAYS {
        let host = Host::new(way);
        host.ok("iocage set vnet=off UUID|TAG");
        host.ok(r#"iocage set ip4_addr="em0|192.168.0.10/24" UUID|TAG"#);
        host.ok(r#"iocage set ip6_addr="em0|2001:123:456:242::5/64" UUID|TAG"#);
        let before = host.shows(false);
        host.ok("iocage start UUID | TAG");
        // "This will add an IP alias to interface em0 at start time."
        for address in ["inet  192.168.0.10/24", "inet6 2001:123:456:242::5/64"] {
            let (host_has, jail_has) = (host.shows(false), host.shows(true));
            let em0 = host_has.split("em0").nth(1).unwrap_or_default();
            assert!(em0.contains(address) && jail_has.contains(address), "{way:?}: {host_has}{jail_has}");
        }
        host.ok("iocage stop UUID | TAG");
        assert_eq!(host.shows(false), before);
    }
}

#[test]
fn a_vnet_jail_of_both_families() {
    for way in WAYS {
        let host = Host::new(way);
        host.ok(r#"iocage set ip4_addr="vnet0|192.168.0.10/24" UUID|TAG"#);
        host.ok(r#"iocage set ip6_addr="vnet0|2001:123:456:242::5/64" UUID|TAG"#);
        host.ok(r#"iocage set defaultrouter6="2001:123:456:242::1" UUID|TAG"#);
        // "For VNET jails a default route has to be specified too."
        host.ok("iocage set defaultrouter=192.168.0.1 UUID|TAG");
        host.ok("iocage start UUID | TAG");
        let shown = host.shows(true);
        for words in
            ["inet  192.168.0.10/24", "inet6 2001:123:456:242::5/64", "2001:123:456:242::1", "192.168.0.1"]
        {
            assert!(shown.contains(words), "{way:?}: {shown}");
        }
    }
}

#[test]
fn a_jail_without_any_address() {
    for way in WAYS {
        let host = Host::new(way);
        host.ok(r#"iocage set ip4_addr="vnet0|192.168.0.10/24" UUID|TAG"#);
        assert_eq!(
            host.ok("iocage set ip4_addr=none ip6_addr=none UUID|TAG"),
            "ip4_addr: vnet0|192.168.0.10/24 -> none\nip6_addr: none -> none\n"
        );
        assert_eq!(
            host.ok("iocage set defaultrouter=none defaultrouter6=none UUID|TAG"),
            "defaultrouter: auto -> none\ndefaultrouter6: auto -> none\n"
        );
        host.ok("iocage start UUID | TAG");
        let shown = host.shows(true);
        assert!(!shown.contains("epair") && !shown.contains("default"), "{way:?}: {shown}");
        host.ok("iocage stop UUID | TAG");
    }
}

#[test]
fn it_is_the_same_program_by_that_name() {
    let host = Host::new(Way::Name);
    let nothing = host.run("iocage start nosuch");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(text(&nothing.stderr).starts_with("iocage: jail 'nosuch' not found!"));
    let usage = host.run("iocage start");
    assert_eq!(usage.status.code(), Some(2));
    assert!(text(&usage.stderr).contains("Usage: iocage start"), "{}", text(&usage.stderr));
    assert!(host.ok("iocage help").contains("Usage: iocage"));
    assert_eq!(host.ok("iocage start help"), host.ok("iocage start --help"));
}
