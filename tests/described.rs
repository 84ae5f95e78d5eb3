//! A simulated host that is made from a description answers as the described host does.
//!
//! On FreeBSD as root the test describes the machine's own host, elsewhere a simulated host.

#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use jailwire::kernel::Kernel;
use jailwire::route::{Route, Via};
use jailwire::types::InterfaceName;
use jailwire::vlan::Vlan;
use jailwire::{Vnet, ipnetwork};

/// The commands that read, and change nothing.
const READING: [&str; 14] = [
    "list",
    "list -l",
    "list --json",
    "get all web",
    "get ip4_addr db --json",
    "show web",
    "show web --json",
    "show db",
    "map",
    "map --json",
    "net list",
    "net list --json",
    "doctor",
    "doctor --json",
];

const WEB: &str = r#"{"host_hostuuid": "web", "release": "15.1-RELEASE", "vnet": 1, "interfaces": "vnet0:NAME",
    "ip4_addr": "vnet0|203.0.113.20/24", "defaultrouter": "203.0.113.1"}"#;
const DB: &str = r#"{"host_hostuuid": "db", "release": "15.1-RELEASE", "ip4_addr": "NAME|198.51.100.20/32"}"#;

/// The machine's kernel, if this process may use it.
#[cfg(target_os = "freebsd")]
fn native() -> Option<Arc<dyn Kernel>> {
    use jailwire::kernel::Processes as _;

    let kernel = jailwire::kernel::freebsd::FreeBsd::new().ok()?;
    kernel.privileged().then(|| Arc::new(kernel) as Arc<dyn Kernel>)
}

#[cfg(not(target_os = "freebsd"))]
fn native() -> Option<Arc<dyn Kernel>> {
    None
}

fn run(root: &Path, kernel: &[&str], words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jailwire"));
    command.arg("--root").arg(root).args(kernel).args(words.split(' '));
    command.output().expect("the program starts")
}

fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\n{out}{err}", output.status)
}

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn inet(text: &str) -> ipnetwork::Ipv4Network {
    text.parse().unwrap()
}

/// Interfaces that are made on the host, and destroyed on drop.
struct Added {
    host: Vnet,
    bridge: InterfaceName,
    epair: InterfaceName,
}

impl Added {
    fn new(kernel: Arc<dyn Kernel>) -> Added {
        for module in ["if_bridge", "if_epair"] {
            // Some kernels have the module built in.
            let _ = kernel.load_module(module);
        }
        let host = Vnet::host(kernel);
        let epair = host.create_epair().unwrap();
        let bridge = host.create_bridge().unwrap();
        host.add_ipv4(&epair.a, inet("198.51.100.1/24")).unwrap();
        host.add_ipv6(&epair.a, "2001:db8:7::1/64".parse::<ipnetwork::Ipv6Network>().unwrap()).unwrap();
        host.set_description(&epair.a, "to the laboratory").unwrap();
        let vlan = Vlan { parent: epair.a, tag: "20".parse().unwrap(), protocol: Default::default() };
        host.create_vlan(&vlan, Some(&name("lab20")), None).unwrap();
        host.add_ipv4(&name("lab20"), inet("192.0.2.129/25")).unwrap();
        host.add_member(&bridge, &epair.b).unwrap();
        host.up(&epair.b).unwrap();
        host.add_ipv4(&bridge, inet("203.0.113.1/24")).unwrap();
        let gateway = Via::Gateway("198.51.100.2".parse().unwrap());
        host.add_route(&Route::new(inet("10.9.0.0/16"), gateway)).unwrap();
        host.add_route(&Route::new(inet("10.10.0.0/16"), Via::Blackhole)).unwrap();
        Added { host, bridge, epair: epair.a }
    }
}

impl Drop for Added {
    fn drop(&mut self) {
        for name in [name("lab20"), self.epair, self.bridge] {
            let _ = self.host.destroy(&name);
        }
        for destination in ["10.9.0.0/16", "10.10.0.0/16"] {
            let _ = self.host.delete_route(inet(destination), None, Default::default());
        }
    }
}

#[test]
fn a_described_host_answers_as_the_host_itself() {
    let directory = tempfile::tempdir().unwrap();
    let (here, laptop) = (directory.path().join("here"), directory.path().join("laptop"));
    let native = native();
    let used: &[&str] = if native.is_some() { &[] } else { &["--kernel", "sim"] };
    let kernel = native.unwrap_or_else(|| {
        Arc::new(jailwire::sim::Sim::open(&here.join(".sim")).expect("a simulated kernel")) as Arc<dyn Kernel>
    });
    let added = Added::new(kernel);
    for (jail, config, on) in [("web", WEB, &added.bridge), ("db", DB, &added.epair)] {
        for root in [&here, &laptop] {
            fs::create_dir_all(root.join("jails").join(jail).join("root/dev")).unwrap();
            let config = config.replace("NAME", on.as_str());
            fs::write(root.join("jails").join(jail).join("config.json"), config).unwrap();
        }
    }
    let file = directory.path().join("host.json");
    let file = file.to_str().unwrap();
    let described = run(&here, used, &format!("host describe {file}"));
    assert!(described.status.success(), "{}", said(&described));

    let mut different = Vec::new();
    for words in READING {
        let (real, simulated) =
            (run(&here, used, words), run(&laptop, &["--kernel", "sim", "--sim-host", file], words));
        let plain = |output: &Output, root: &Path| said(output).replace(root.to_str().unwrap(), "ROOT");
        let (real, simulated) = (plain(&real, &here), plain(&simulated, &laptop));
        if real != simulated {
            different.push(format!("== {words}\n-- the host\n{real}\n-- described\n{simulated}"));
        }
    }
    let again = directory.path().join("again.json");
    let again = again.to_str().unwrap();
    run(&laptop, &["--sim-host", file], &format!("host describe {again}"));
    if fs::read_to_string(file).unwrap() != fs::read_to_string(again).unwrap_or_default() {
        different.push("== the description of the described host is another one".to_owned());
    }
    assert!(different.is_empty(), "{}\n{}", fs::read_to_string(file).unwrap(), different.join("\n"));
}

/// A simulated host can be made from one description only, and only once.
#[test]
fn another_description_is_refused_and_so_is_half_a_host() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("jails")).unwrap();
    let (first, second) = (root.join("first.json"), root.join("second.json"));
    let made = run(&root.join("other"), &["--kernel", "sim"], &format!("host describe {}", first.display()));
    assert!(made.status.success(), "{}", said(&made));
    let with = |file: &Path| run(root, &["--sim-host", file.to_str().unwrap()], "list");
    assert!(with(&first).status.success());
    let text = fs::read_to_string(&first).unwrap();
    fs::write(&second, text.replace("192.0.2.10/24", "192.0.2.11/24")).unwrap();
    assert!(said(&with(&second)).contains("was not begun from"));
    assert!(with(&first).status.success());

    fs::remove_dir_all(root.join(".sim")).unwrap();
    fs::write(&second, text.replace("\"em0\"", "\"no name\"")).unwrap();
    let refused = said(&with(&second));
    assert!(refused.contains("cannot begin a simulated host") && refused.contains("no name"), "{refused}");
    assert!(!root.join(".sim").exists());
    assert!(
        said(&run(root, &["--kernel", "freebsd", "--sim-host", "x"], "list")).contains("--sim-host is for")
    );
}
