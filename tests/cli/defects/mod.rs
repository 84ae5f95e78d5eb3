//! iocage's known defects about networking, names and order. Each has a test that would fail with iocage's
//! behaviour. The numbers are of issues: `#` in iocage, `legacy #` in its predecessor, and `fork #` in its
//! successor. A defect without a number was found by running iocage.

mod addresses;
mod bridges;
mod names;
mod order;
mod stops;
mod tunnels;
mod uplinks;

use std::fs;
use std::sync::Arc;

use jailwire::kernel::Kernel;
use jailwire::types::InterfaceName;
use jailwire::vnet::Vnet;

use crate::support::Root;

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// The simulated host of a root, for changes by an administrator.
fn host(root: &Root) -> Vnet {
    let kernel: Arc<dyn Kernel> = Arc::new(root.kernel());
    kernel.load_module("if_bridge").unwrap();
    kernel.load_module("if_epair").unwrap();
    Vnet::host(kernel)
}

/// Adds an interface without addresses: a second NIC of the host.
fn add_nic(host: &Vnet, unit: u16) -> InterfaceName {
    let pair = host.create_epair_unit(unit).unwrap();
    host.up(&pair.a).unwrap();
    host.up(&pair.b).unwrap();
    pair.a
}

/// Adds a bridge to the host.
fn add_bridge(host: &Vnet, called: &str) -> InterfaceName {
    let bridge = host.create_bridge().unwrap();
    if bridge != name(called) {
        host.rename(&bridge, &name(called)).unwrap();
    }
    host.up(&name(called)).unwrap();
    name(called)
}

fn members(host: &Vnet, bridge: &str) -> Vec<String> {
    host.members(&name(bridge)).unwrap().into_iter().map(|member| member.name.to_string()).collect()
}

/// Adds a jail, which is a VNET jail unless its configuration says otherwise.
fn add_jail(root: &Root, jail: &str, config: &str) {
    let directory = root.jail(jail);
    fs::create_dir_all(directory.join("root")).unwrap();
    let basics = r#""exec_start":"/usr/bin/true","exec_stop":"/usr/bin/true","host_time":0,"resolver":"/dev/null","mount_devfs":0,"mount_fdescfs":0"#;
    fs::write(directory.join("config.json"), format!("{{{basics},{config}}}")).unwrap();
    fs::write(directory.join("fstab"), "").unwrap();
}

fn addressed(last: u8) -> String {
    format!(r#""vnet":1,"ip4_addr":"vnet0|192.0.2.{last}/24","defaultrouter":"192.0.2.1""#)
}

/// Runs a command, and expects that nothing has changed afterwards.
fn changes_nothing(root: &Root, arguments: &[&str]) -> String {
    root.ok(&["list"]);
    let before = root.quiet_state();
    let said = root.fails(arguments, 1);
    root.settles(&before, "after what was refused");
    said
}
