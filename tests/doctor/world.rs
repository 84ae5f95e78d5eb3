//! A simulated host with jails.

use std::fs;
use std::sync::Arc;

use ipnetwork::Ipv4Network;
use jailwire::files::{Files, KernelGate};
use jailwire::iocage::doctor::{Finding, Scene};
use jailwire::iocage::lifecycle::{Host, Report};
use jailwire::iocage::store::Store;
use jailwire::kernel::Kernel;
use jailwire::sim::{Options, Setting, Sim};
use jailwire::types::{InterfaceName, Jid};
use jailwire::vnet::Vnet;

pub struct World {
    pub directory: tempfile::TempDir,
    pub vnet: Vnet,
}

/// The configuration of a jail on bridge0, with this address.
pub fn vnet(address: &str) -> String {
    format!(
        r#"{{"vnet":1,"ip4_addr":"vnet0|{address}","defaultrouter":"none","mac_prefix":"02ff60","mount_devfs":0,"mount_fdescfs":0,"resolver":"/dev/null","host_time":0}}"#
    )
}

pub fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

pub fn network(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

/// A host with both modules that has other values of sysctls than the usual host.
pub fn tuned(sysctls: &[(&str, i32)]) -> Options {
    let setting = |(name, value): &(&str, i32)| ((*name).to_owned(), Setting::Int(*value));
    let modules = ["bridgestp", "if_bridge", "if_epair"].map(str::to_owned).into();
    Options::default().with_modules(modules).with_sysctls(sysctls.iter().map(setting).collect())
}

impl World {
    /// The usual host, with both modules loaded, and jails with these names and configurations.
    pub fn new(jails: &[(&str, &str)]) -> World {
        World::with(&tuned(&[]), jails)
    }

    /// A host with other options than the usual host.
    pub fn with(options: &Options, jails: &[(&str, &str)]) -> World {
        World::on(Arc::new(Sim::with(options)), jails)
    }

    /// A host on a kernel that the test has made.
    pub fn on(kernel: Arc<dyn Kernel>, jails: &[(&str, &str)]) -> World {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("jails")).unwrap();
        let world = World { directory, vnet: Vnet::host(kernel) };
        for (name, config) in jails {
            fs::create_dir_all(world.jail(name).join("root")).unwrap();
            world.configure(name, config);
        }
        world
    }

    pub fn jail(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join("jails").join(name)
    }

    pub fn configure(&self, name: &str, config: &str) {
        fs::write(self.jail(name).join("config.json"), config).unwrap();
    }

    pub fn devd(&self) -> std::path::PathBuf {
        self.directory.path().join("devd.conf")
    }

    pub fn store(&self) -> Store {
        Store::open(self.directory.path()).unwrap()
    }

    /// Makes bridge0, brings it up, puts em0 on it, and moves em0's address to it.
    pub fn bridge(&self) -> InterfaceName {
        let bridge = self.vnet.create_bridge().unwrap();
        self.vnet.remove_ipv4(&name("em0"), "192.0.2.10".parse().unwrap()).unwrap();
        self.vnet.add_member(&bridge, &name("em0")).unwrap();
        self.vnet.add_ipv4(&bridge, network("192.0.2.10/24")).unwrap();
        self.vnet.up(&bridge).unwrap();
        bridge
    }

    /// Starts a jail.
    pub fn start(&self, jail: &str) -> Jid {
        let (kernel, store) = (self.vnet.kernel().clone(), self.store());
        let gate = KernelGate(kernel.as_ref());
        let host = Host::open(kernel.clone(), &store, Files::through(&gate)).unwrap();
        let entry = store.resolve(jail).unwrap();
        host.start(&entry, &mut Silent).unwrap().jid
    }

    pub fn findings(&self) -> Vec<Finding> {
        let store = self.store();
        let devd = self.devd();
        let found = Scene::take(&self.vnet, &store).unwrap().with_devd(&[&devd]).examine(true);
        for finding in &found {
            assert!(!finding.what.is_empty() && !finding.why.is_empty(), "{finding:?}");
            assert!(!finding.mend.is_empty(), "{finding:?}");
        }
        found
    }

    /// The finding of a check with these words. There has to be exactly one.
    #[track_caller]
    pub fn finding(&self, check: &str, words: &str) -> Finding {
        let all = self.findings();
        let mut found: Vec<_> =
            all.iter().filter(|one| one.check == check && one.what.contains(words)).cloned().collect();
        assert_eq!(found.len(), 1, "{check}: {words}: {all:#?}");
        found.remove(0)
    }

    #[track_caller]
    pub fn nothing(&self, check: &str) {
        let found: Vec<_> = self.findings().into_iter().filter(|one| one.check == check).collect();
        assert_eq!(found, [], "{check}");
    }
}

/// An observer that ignores all reports.
struct Silent;

impl Report for Silent {
    fn say(&mut self, _: &str) {}
    fn warn(&mut self, _: &str) {}
}
