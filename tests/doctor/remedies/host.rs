//! A simulated host with its files, which carries out command lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ipnetwork::IpNetwork;
use jailwire::bridge::BridgeFlags;
use jailwire::iocage::doctor::{Finding, Scene};
use jailwire::iocage::store::Store;
use jailwire::jail::{self, mount};
use jailwire::kernel::Kernel;
use jailwire::route::{Gateway, Route, Via};
use jailwire::sim::{Options, Setting, Sim};
use jailwire::types::{Fib, InterfaceName, Jid, Mtu, VlanId};
use jailwire::vlan::{Vlan, VlanProtocol};
use jailwire::vnet::Vnet;
use jailwire::wiring::{Wiring, nat};

/// The sysctls that findings are about.
const SYSCTLS: [&str; 9] = [
    "kern.features.vimage",
    "kern.racct.enable",
    "kern.osreldate",
    "net.inet.ip.forwarding",
    "net.inet6.ip6.forwarding",
    "net.link.bridge.member_ifaddrs",
    "net.link.bridge.pfil_onlyip",
    "net.link.bridge.pfil_member",
    "net.link.bridge.pfil_bridge",
];

pub struct Host {
    directory: tempfile::TempDir,
    pub options: Options,
    pub vnet: Vnet,
    sim: Sim,
    /// The host's files by path, with the settings in each.
    files: BTreeMap<String, BTreeMap<String, String>>,
}

impl Host {
    /// A host with jails of these names and configurations.
    pub fn new(options: Options, jails: &[(&str, &str)]) -> Host {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("iocage/jails")).unwrap();
        fs::create_dir_all(directory.path().join("devd")).unwrap();
        let sim = Sim::open_with(&directory.path().join("iocage/.sim"), options.clone()).unwrap();
        let vnet = Vnet::host(Arc::new(sim.clone()));
        let host = Host { directory, options, vnet, sim, files: BTreeMap::new() };
        for (name, config) in jails {
            fs::create_dir_all(host.jail(name).join("root/dev")).unwrap();
            fs::create_dir_all(host.jail(name).join("root/etc")).unwrap();
            fs::write(host.jail(name).join("config.json"), config).unwrap();
        }
        host
    }

    pub fn root(&self) -> PathBuf {
        self.directory.path().join("iocage")
    }

    pub fn jail(&self, name: &str) -> PathBuf {
        self.root().join("jails").join(name)
    }

    pub fn devd(&self) -> PathBuf {
        self.directory.path().join("devd")
    }

    pub fn kernel(&self) -> &Arc<dyn Kernel> {
        self.vnet.kernel()
    }

    /// Starts the machine again, with other options.
    pub fn restart(&mut self, change: impl FnOnce(&mut Options)) {
        change(&mut self.options);
        let state = self.root().join(".sim");
        fs::remove_dir_all(&state).unwrap();
        self.sim = Sim::open_with(&state, self.options.clone()).unwrap();
        self.vnet = Vnet::host(Arc::new(self.sim.clone()));
    }

    pub fn findings(&self) -> Vec<Finding> {
        let store = Store::open(&self.root()).unwrap();
        Scene::take(&self.vnet, &store).unwrap().with_devd(&[&self.devd()]).examine(true)
    }

    /// Makes bridge0, brings it up, puts em0 on it, and moves em0's address and default route to it.
    pub fn bridge(&self) -> InterfaceName {
        self.run("ifconfig bridge0 create && ifconfig em0 inet 192.0.2.10 -alias && ifconfig bridge0 addm em0 up && ifconfig bridge0 inet 192.0.2.10/24 && route add default 192.0.2.1");
        name("bridge0")
    }

    /// All state that remedies may change, as lines.
    pub fn state(&self) -> BTreeSet<String> {
        let mut lines = stack("host", &self.vnet);
        for jail in jail::list(&**self.kernel(), false).unwrap() {
            lines.insert(format!("jail {} runs", jail.name));
            if let Ok(inside) = Vnet::enter(self.kernel().clone(), jail.jid) {
                lines.extend(stack(&jail.name, &inside));
            }
        }
        for sysctl in SYSCTLS {
            lines.extend(self.vnet.sysctl_int(sysctl).ok().map(|value| format!("{sysctl}={value}")));
        }
        let mounts = self.kernel().mounts().unwrap();
        let root = self.root();
        let beneath =
            mounts.iter().filter_map(|mounted| Some((&mounted.fstype, mounted.on.strip_prefix(&root).ok()?)));
        lines.extend(beneath.map(|(fstype, on)| format!("{fstype} is mounted on {}", on.display())));
        for (file, values) in &self.files {
            lines.extend(values.iter().map(|(key, value)| format!("{file}: {key}={value}")));
        }
        walk(&root, &mut |path| {
            let inside = path.strip_prefix(&root).unwrap();
            let is_noise = inside.starts_with(".sim")
                || inside.starts_with("log")
                || inside.extension().is_some_and(|end| end == "lock");
            if !is_noise {
                let text = fs::read_to_string(path).unwrap_or_default();
                let values: Result<BTreeMap<String, serde_json::Value>, _> = serde_json::from_str(&text);
                match values {
                    Ok(values) => lines.extend(
                        values.iter().map(|(key, value)| format!("{}: {key}={value}", inside.display())),
                    ),
                    Err(_) => lines.extend(std::iter::once(format!("{}: {text}", inside.display()))),
                }
            }
        });
        lines
    }

    /// Carries out a command line.
    #[track_caller]
    pub fn run(&self, line: &str) {
        let words = words(line);
        for command in words.split(|word| word == "&&") {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            self.command(&words, line);
        }
    }

    #[track_caller]
    fn command(&self, words: &[&str], line: &str) {
        let kernel = &**self.kernel();
        match words {
            ["iocage" | "jailwire", arguments @ ..] => {
                let mut program = Command::new(env!("CARGO_BIN_EXE_jailwire"));
                program.env_clear().args(["--kernel", "sim", "--root"]).arg(self.root()).args(arguments);
                let output = program.output().unwrap();
                assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            }
            ["ifconfig", "bridge", "create", "name", bridge] => {
                let made = self.vnet.create_bridge().unwrap();
                self.vnet.rename(&made, &name(bridge)).unwrap();
            }
            ["ifconfig", interface, arguments @ ..] => {
                self.ifconfig(&self.vnet, name(interface), arguments, line)
            }
            ["route", "-6", "add", rest @ ..] | ["route", "add", rest @ ..] => match rest {
                ["default", gateway] => {
                    self.vnet.add_route(&Route::default_via(gateway.parse::<Gateway>().unwrap())).unwrap()
                }
                ["-net", network, gateway] => {
                    let via = Via::Gateway(gateway.parse().unwrap());
                    self.vnet.add_route(&Route::new(network.parse::<IpNetwork>().unwrap(), via)).unwrap();
                }
                _ => panic!("{line}"),
            },
            ["sysctl", setting] => {
                let (sysctl, value) = setting.split_once('=').expect("a value");
                self.vnet.set_sysctl_int(sysctl, value.parse().unwrap()).unwrap();
            }
            ["kldload", module] => kernel.load_module(module).unwrap(),
            ["umount", path] => {
                let mounts = kernel.mounts().unwrap();
                let mounted = mounts.iter().rev().find(|mounted| mounted.on == Path::new(path)).expect(line);
                mount::unmount(kernel, mounted, false).unwrap();
            }
            ["chflags", "-R", "0", path] => assert!(Path::new(path).exists(), "{line}"),
            ["rm", "-rf", path] => fs::remove_dir_all(path).unwrap(),
            ["mkdir", "-p", path] => fs::create_dir_all(path).unwrap(),
            ["mv", from, to] => fs::rename(from, to).unwrap(),
            // Nothing to do: the host's files are read anew each time.
            ["service", "devd", "restart"] => {}
            ["service", "pf", "onestart" | "restart" | "reload"] => {
                nat::prepare_simulated(&Wiring::on(self.kernel().clone()).unwrap()).unwrap();
            }
            _ => panic!("{words:?} of {line:?} is no command that can be carried out here"),
        }
    }

    #[track_caller]
    fn ifconfig(&self, vnet: &Vnet, interface: InterfaceName, mut words: &[&str], line: &str) {
        while let Some((word, rest)) = words.split_first() {
            let argument = || rest.first().copied().unwrap_or_else(|| panic!("{line}"));
            let mut used = 1;
            match *word {
                "create" => match rest {
                    ["vlan", tag, "vlandev", of, ..] => {
                        kernel_module(vnet, "if_vlan");
                        let vlan = Vlan { parent: name(of), tag: tag_of(tag), protocol: VlanProtocol::Dot1q };
                        vnet.create_vlan(&vlan, Some(&interface), None).unwrap();
                        used += 4;
                    }
                    _ => {
                        kernel_module(vnet, "if_bridge");
                        vnet.create(interface.as_str()).map(|_| ()).unwrap();
                    }
                },
                "up" => vnet.up(&interface).unwrap(),
                "down" => vnet.down(&interface).unwrap(),
                "destroy" => vnet.destroy(&interface).unwrap(),
                "vlanfilter" => {
                    let filter = BridgeFlags::VLAN_FILTER;
                    vnet.change_bridge_flags(&interface, filter, BridgeFlags::empty()).map(|_| ()).unwrap();
                }
                "alias" => {}
                "addm" => {
                    vnet.add_member(&interface, &name(argument())).unwrap();
                    used += 1;
                }
                "deletem" => {
                    vnet.delete_member(&interface, &name(argument())).unwrap();
                    used += 1;
                }
                "mtu" => {
                    vnet.set_mtu(&interface, Mtu::new(argument().parse().unwrap()).unwrap()).unwrap();
                    used += 1;
                }
                "iftagged" | "+iftagged" => {
                    let [member, tags, ..] = rest else { panic!("{line}") };
                    let mut all = vnet.member_vlans(&interface, &name(member)).unwrap();
                    if *word == "iftagged" {
                        all = Default::default();
                    }
                    let more: jailwire::bridge::VlanSet = tags.parse().unwrap();
                    more.iter().for_each(|tag| all.insert(tag));
                    vnet.set_member_vlans(&interface, &name(member), &all).unwrap();
                    used += 2;
                }
                "inet" | "inet6" => {
                    let address: IpNetwork = argument().parse().unwrap();
                    used += 1;
                    match (address, rest.get(1) == Some(&"-alias")) {
                        (IpNetwork::V4(address), true) => vnet.remove_ipv4(&interface, address.ip()).unwrap(),
                        (IpNetwork::V6(address), true) => vnet.remove_ipv6(&interface, address.ip()).unwrap(),
                        (IpNetwork::V4(address), false) => vnet.add_ipv4(&interface, address).unwrap(),
                        (IpNetwork::V6(address), false) => vnet.add_ipv6(&interface, address).unwrap(),
                    }
                    used += usize::from(rest.get(1) == Some(&"-alias"));
                }
                other => panic!("{other} of {line:?} is no word of ifconfig that can be carried out here"),
            }
            words = &words[used..];
        }
    }

    /// Carries out a command line in a jail.
    pub fn inside(&self, jail: &str, line: &str) {
        let jid = jail::find(&**self.kernel(), jail).unwrap().expect("it runs");
        let inside = Vnet::enter(self.kernel().clone(), jid).unwrap();
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ["ifconfig", interface, arguments @ ..] = words.as_slice() else { panic!("{line}") };
        self.ifconfig(&inside, name(interface), arguments, line);
    }

    /// Writes settings as sysrc(8) does. To append to a value, sysrc(8) has to be given the separator.
    pub fn sysrc(&mut self, words: &[&str]) {
        let file = self.files.entry("/etc/rc.conf".to_owned()).or_default();
        for word in words {
            let (key, value) = word.split_once('=').expect("a value");
            match key.strip_suffix('+') {
                None => {
                    file.insert(key.to_owned(), value.to_owned());
                }
                Some(key) => {
                    let old = file.entry(key.to_owned()).or_default();
                    let value = value.trim();
                    if !old.split(' ').any(|word| word == value) {
                        *old = format!("{old} {value}").trim().to_owned();
                    }
                }
            }
        }
    }

    /// Adds a line to a file of the host. Files that the machine reads when it starts are part of the options.
    pub fn write(&mut self, file: &str, line: &str) {
        if file == "/etc/devd/jailwire.conf" {
            fs::write(self.devd().join("jailwire.conf"), line).unwrap();
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        self.files.entry(file.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }

    /// Restarts the machine, so that /boot/loader.conf takes effect.
    pub fn restart_with_loader(&mut self) {
        let loader = self.files.get("/boot/loader.conf").cloned().unwrap_or_default();
        self.restart(|options| {
            for (key, value) in loader {
                if let Ok(value) = value.parse() {
                    options.sysctls.push((key, Setting::Int(value)));
                }
            }
        });
    }

    /// Kills a command at one call after the other, until it has left the intended state behind.
    pub fn killed(&self, words: &[&str], is_left: impl Fn(&Host) -> bool) {
        self.killed_each(7, words, is_left);
    }

    /// As [`Host::killed`], at every `step`th call.
    pub fn killed_each(&self, step: usize, words: &[&str], is_left: impl Fn(&Host) -> bool) {
        for call in (30..400).step_by(step) {
            let mut program = Command::new(env!("CARGO_BIN_EXE_jailwire"));
            program.env_clear().env("JAILWIRE_SIM_FAULT", format!("{call}:kill"));
            let output =
                program.args(["--kernel", "sim", "--root"]).arg(self.root()).args(words).output().unwrap();
            if is_left(self) {
                return;
            }
            assert!(!output.status.success(), "{words:?} finished, and left nothing that was wanted");
        }
    }

    /// Mounts a file system as a process in the jail would, so that no record of the host lists the mount.
    pub fn mount_inside(&self, jail: &str, beneath: &str) {
        let inside = self.sim.inside(self.jid(&format!("ioc-{jail}")).get());
        // The simulated kernel takes paths of the host.
        let root = self.jail(jail).join("root");
        mount::mount(&inside, &mount::tmpfs(&root, Path::new(beneath), None)).unwrap();
    }

    /// Stops a jail with a connection that lasts for a while.
    pub fn stop_with_connection(&self, jail: &str) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_jailwire"));
        program.env_clear().env("JAILWIRE_SIM_CONNECTION", "*:600s");
        let output = program
            .args(["--kernel", "sim", "--root"])
            .arg(self.root())
            .args(["stop", jail])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn jid(&self, jail: &str) -> Jid {
        jail::find(&**self.kernel(), jail).unwrap().expect("it runs")
    }
}

fn kernel_module(vnet: &Vnet, module: &str) {
    vnet.kernel().load_module(module).unwrap();
}

fn tag_of(text: &str) -> VlanId {
    VlanId::new(text.parse().unwrap()).unwrap()
}

pub fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// A network stack as lines: interfaces, bridge members, addresses, and the routes that users have added.
fn stack(whose: &str, vnet: &Vnet) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let interfaces = vnet.interfaces().unwrap();
    for interface in &interfaces {
        let state = if interface.is_up() { "up" } else { "down" };
        lines.insert(format!("{whose}: {} {state} mtu {}", interface.name, interface.mtu));
        for address in interface.addresses.iter().filter(|one| one.scope == 0) {
            lines.insert(format!("{whose}: {} {}", interface.name, address.network));
        }
        if let Ok(Some(vlan)) = vnet.vlan(&interface.name) {
            lines.insert(format!("{whose}: {} is VLAN {} of {}", interface.name, vlan.tag, vlan.parent));
        }
        for member in vnet.members(&interface.name).unwrap_or_default() {
            lines.insert(format!("{whose}: {} has {}", interface.name, member.name));
            let vlans = vnet.member_vlans(&interface.name, &member.name).unwrap_or_default();
            if !vlans.is_empty() || member.pvid.is_some() {
                let untagged = member.pvid.map_or("-".to_owned(), |vlan| vlan.to_string());
                lines.insert(format!(
                    "{whose}: {} has {} in VLANs {untagged} {vlans}",
                    interface.name, member.name
                ));
            }
        }
        if vnet.bridge_flags(&interface.name).is_ok_and(|flags| flags.contains(BridgeFlags::VLAN_FILTER)) {
            lines.insert(format!("{whose}: {} filters VLANs", interface.name));
        }
    }
    for route in vnet.routes(Fib::DEFAULT).unwrap() {
        if let Via::Gateway(gateway) = route.via {
            let by = interfaces.iter().find(|interface| interface.index == route.index);
            let by = by.map_or("-", |interface| interface.name.as_str());
            lines.insert(format!("{whose}: route {} via {gateway} {by}", route.destination));
        }
    }
    lines
}

fn walk(directory: &Path, see: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            walk(&path, see);
        } else {
            see(&path);
        }
    }
}

/// Splits a command line into words, as a shell does.
pub fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(letters.next()),
            (_, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(letter),
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            ('|' | ';' | '<' | '>' | '$' | '`' | '*' | '(' | ')', None) => {
                panic!("a shell reads `{letter}` of {line:?}: quote it")
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    assert_eq!(quote, None, "{line:?} has a quote that does not end");
    words.extend(word);
    words
}
