//! The program under its names, with a directory for its files.

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::host::files;

pub struct Place {
    directory: TempDir,
}

impl Place {
    pub fn new() -> Place {
        let directory = tempfile::tempdir().unwrap();
        for name in ["netavark", "bridge", "ptp", "portmap"] {
            symlink(env!("CARGO_BIN_EXE_netavark"), directory.path().join(name)).unwrap();
        }
        Place { directory }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The addresses that host-local has given out.
    pub fn reserved(&self) -> Vec<String> {
        let mut names = files(&self.path().join("pods"), &["lock"]);
        names.retain(|name| !name.starts_with("last_reserved_ip."));
        names
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.path().join(name));
        command.env_clear().env("RUST_LOG", "error");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A command of netavark for a container.
    pub fn netavark(&self, word: &str, namespace: &str) -> Command {
        let mut command = self.netavark_alone(word);
        command.arg(namespace);
        command
    }

    /// A command of netavark that is for no container.
    pub fn netavark_alone(&self, word: &str) -> Command {
        let mut command = self.command("netavark");
        command.args(["--config", self.path().to_str().unwrap(), "--rootless=false", word]);
        command
    }

    /// A command of a plugin, for a container with a jail of the same name.
    pub fn cni(&self, plugin: &str, word: &str, container: &str) -> Command {
        self.cni_in(plugin, word, container, container)
    }

    pub fn cni_in(&self, plugin: &str, word: &str, container: &str, namespace: &str) -> Command {
        let mut command = self.command(plugin);
        command.env("CNI_PATH", self.path()).env("CNI_COMMAND", word).env("CNI_IFNAME", "eth0");
        command.env("CNI_CONTAINERID", container).env("CNI_NETNS", namespace);
        command
    }

    pub fn config(&self) -> Value {
        json!({
            "cniVersion": "1.1.0", "name": "pods", "bridge": "cni0", "isGateway": true,
            "ipam": {
                "type": "host-local", "dataDir": self.path(), "ranges": [[{ "subnet": "10.85.0.0/24" }]],
                "routes": [{ "dst": "0.0.0.0/0" }]
            }
        })
    }
}

pub fn run(mut command: Command, input: &Value) -> Output {
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.to_string().as_bytes());
    child.wait_with_output().unwrap()
}

/// Returns the JSON of a success, or null if nothing was printed.
#[track_caller]
pub fn answer(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// A container on a network with both families, in podman's form.
pub fn container() -> Value {
    json!({
        "container_id": "c0ffee", "container_name": "web",
        "networks": { "one": { "interface_name": "eth0", "static_ips": ["10.81.0.7", "fd00:81::7"] } },
        "network_info": { "one": {
            "name": "one", "id": "1", "driver": "bridge", "network_interface": "podman7", "internal": false,
            "dns_enabled": false, "ipv6_enabled": true,
            "subnets": [
                { "subnet": "10.81.0.0/16", "gateway": "10.81.0.1" },
                { "subnet": "fd00:81::/64", "gateway": "fd00:81::1" }
            ],
            "routes": [{ "destination": "198.51.100.0/24", "route_type": "blackhole" }]
        } }
    })
}
