//! A simulated host, on which the tests run the program as podman and CRI-O do.
// Each test uses only a part of this file.
#![allow(dead_code)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock};

use jailwire::Vnet;
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Kernel;
use jailwire::nd6::Nd6Flags;
use jailwire::sim::{Options, Release, Sim};
use jailwire::types::Jid;
use jailwire::wiring::{Wiring, nat};
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_netavark");

/// A simulated host with its state in a directory.
pub struct World {
    directory: TempDir,
    sim: OnceLock<Sim>,
}

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub text: String,
    pub warnings: String,
}

impl Answer {
    fn of(output: Output) -> Answer {
        Answer {
            code: output.status.code(),
            text: String::from_utf8(output.stdout).unwrap(),
            warnings: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The JSON of a success.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that there were no messages.
    #[track_caller]
    pub fn ok(&self) {
        assert_eq!((self.code, self.text.as_str()), (Some(0), ""), "{self:?}");
    }

    /// The text of an error of netavark's.
    #[track_caller]
    pub fn error(&self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        let json: Value =
            serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(json.as_object().unwrap().len(), 1, "{self:?}");
        json["error"].as_str().unwrap().to_owned()
    }

    /// The number and the text of an error of CNI's.
    #[track_caller]
    pub fn cni_error(&self) -> (u64, String) {
        assert_eq!(self.code, Some(1), "{self:?}");
        let json: Value =
            serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let details = json["details"].as_str().unwrap_or_default();
        let text = format!("{} {details}", json["msg"].as_str().unwrap());
        (json["code"].as_u64().unwrap(), text.trim().to_owned())
    }
}

impl World {
    pub fn new() -> World {
        let directory = tempfile::tempdir().unwrap();
        let world = World { directory, sim: OnceLock::new() };
        fs::create_dir(world.config()).unwrap();
        fs::create_dir(world.plugins()).unwrap();
        for name in ["bridge", "ptp", "host-local", "portmap", "loopback"] {
            symlink(PROGRAM, world.plugins().join(name)).unwrap();
        }
        world
    }

    /// A host that answers as another release of FreeBSD does.
    pub fn of_release(release: &str) -> World {
        let world = World::new();
        let release = Release::from_name(release).unwrap();
        let options = Options::default().with_release(release);
        Sim::open_with(&world.sim_directory(), options).unwrap();
        world
    }

    /// Loads pf, and lets its main ruleset call the library's anchors.
    pub fn with_pf(self) -> World {
        nat::prepare_simulated(&self.wiring()).unwrap();
        self
    }

    pub fn wiring(&self) -> Wiring {
        Wiring::on(self.kernel()).unwrap()
    }

    /// The published ports of all jails, as text.
    pub fn published(&self) -> Vec<String> {
        let all = self.wiring().published().unwrap();
        all.iter().flat_map(|jail| jail.published.iter().map(ToString::to_string)).collect()
    }

    pub fn sim_directory(&self) -> PathBuf {
        self.directory.path().join("sim")
    }

    /// podman's directory for the DNS server.
    pub fn config(&self) -> PathBuf {
        self.directory.path().join("config")
    }

    pub fn plugins(&self) -> PathBuf {
        self.directory.path().join("bin")
    }

    /// The directory of host-local's files.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The simulated kernel, opened once: each opening reads all that has happened.
    pub fn sim(&self) -> Sim {
        self.sim.get_or_init(|| Sim::open(&self.sim_directory()).unwrap()).clone()
    }

    pub fn kernel(&self) -> Arc<dyn Kernel> {
        Arc::new(self.sim())
    }

    /// The whole state of the kernel, without what moves by itself.
    pub fn state(&self) -> String {
        self.sim().describe()
    }

    /// What the program has written down.
    pub fn records(&self) -> Vec<String> {
        let directory = self.kernel().run_directory().join("jailwire-containers");
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Makes a jail as podman makes them.
    pub fn jail(&self, name: &str) -> Jid {
        let parameters = JailParameters::new(name).vnet().set("persist", true).set("children.max", 10);
        let jid = jail::create(&*self.kernel(), &parameters).unwrap();
        // Leave out the loopback interface, which belongs to the container and is not changed back.
        let inside = self.inside(name);
        let loopback = "lo0".parse().unwrap();
        inside.up(&loopback).unwrap();
        inside.ensure_ipv4(&loopback, "127.0.0.1/8".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
        jid
    }

    /// Gives a jail the interface `own0`, with a network of each family.
    pub fn interface_of_its_own(&self, name: &str) {
        let (inside, own) = (self.inside(name), "own0".parse().unwrap());
        let made = inside.create("epair").unwrap();
        inside.rename(&made, &own).unwrap();
        // Without this flag, addresses change with time.
        inside.change_nd6_flags(&own, Nd6Flags::NO_DAD, Nd6Flags::empty()).unwrap();
        inside.ensure_ipv4(&own, "192.0.2.2/24".parse::<ipnetwork::Ipv4Network>().unwrap()).unwrap();
        inside.add_ipv6(&own, "2001:db8::2/64".parse::<ipnetwork::Ipv6Network>().unwrap()).unwrap();
        inside.up(&own).unwrap();
    }

    pub fn remove_jail(&self, name: &str) {
        let kernel = self.kernel();
        let jid = jail::find(&*kernel, name).unwrap().unwrap();
        jail::remove(&*kernel, jid).unwrap();
    }

    pub fn inside(&self, name: &str) -> Vnet {
        let kernel = self.kernel();
        let jid = jail::find(&*kernel, name).unwrap().unwrap();
        Vnet::enter(kernel, jid).unwrap()
    }

    pub fn host(&self) -> Vnet {
        Vnet::host(self.kernel())
    }

    fn program(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        command.env_clear().env("JAILWIRE_SIM", self.sim_directory());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs netavark as podman does.
    pub fn netavark(&self, arguments: &[&str], input: &str) -> Answer {
        self.netavark_with(&[], arguments, input)
    }

    pub fn netavark_with(&self, environment: &[(&str, &str)], arguments: &[&str], input: &str) -> Answer {
        let mut command = self.program(Path::new(PROGRAM));
        command.args(["--config", self.config().to_str().unwrap(), "--rootless=false"]);
        command.args(arguments).envs(environment.iter().copied());
        run(&mut command, input)
    }

    /// Runs a plugin as CRI-O does.
    pub fn plugin(&self, plugin: &str, environment: &[(&str, &str)], input: &str) -> Answer {
        let mut command = self.program(&self.plugins().join(plugin));
        command.env("CNI_PATH", self.plugins()).envs(environment.iter().copied());
        run(&mut command, input)
    }

    /// Runs a plugin for a container with a jail of the same name, for its interface eth0.
    pub fn cni(&self, plugin: &str, command: &str, container: &str, input: &Value) -> Answer {
        let environment = [
            ("CNI_COMMAND", command),
            ("CNI_CONTAINERID", container),
            ("CNI_NETNS", container),
            ("CNI_IFNAME", "eth0"),
        ];
        self.plugin(plugin, &environment, &input.to_string())
    }
}

fn run(command: &mut Command, input: &str) -> Answer {
    let mut child = command.spawn().unwrap();
    // Ignore an error: the program may end before it reads its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Answer::of(child.wait_with_output().unwrap())
}

/// The lines that are only in one of two states.
pub fn difference(before: &str, after: &str) -> String {
    let missing = before.lines().filter(|line| !after.lines().any(|other| other == *line));
    let new = after.lines().filter(|line| !before.lines().any(|other| other == *line));
    missing.map(|line| format!("-{line}\n")).chain(new.map(|line| format!("+{line}\n"))).collect()
}
