//! CNI plugins, run as a runtime runs them: the configuration on standard input, the rest in the environment.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::Fallible;
use crate::freebsd::{BRIDGE, Container};

/// Plugins in a directory.
#[derive(Debug, Clone, Copy)]
pub struct Plugins<'a> {
    pub directory: &'a Path,
    /// The directory of host-local's files.
    pub data: &'a Path,
}

impl Plugins<'_> {
    fn configuration(&self, container: &Container, previous: Option<&Value>) -> Value {
        let mut all = json!({
            "cniVersion": "1.0.0", "name": "pods", "bridge": BRIDGE, "isGateway": true, "ipMasq": true,
            "ipam": {
                "type": "host-local", "dataDir": self.data, "ranges": [[{ "subnet": "10.87.0.0/24" }]],
                "routes": [{ "dst": "0.0.0.0/0" }]
            },
            "runtimeConfig": {
                "portMappings": [{ "hostPort": container.port, "containerPort": 80, "protocol": "tcp" }]
            }
        });
        if let Some(previous) = previous {
            all["prevResult"] = previous.clone();
        }
        all
    }

    fn run(
        &self,
        plugin: &str,
        word: &str,
        container: &Container,
        previous: Option<&Value>,
    ) -> Fallible<Value> {
        let mut command = Command::new(self.directory.join(plugin));
        command.env_clear().env("PATH", "/sbin:/bin:/usr/sbin:/usr/bin").env("CNI_PATH", self.directory);
        command.env("CNI_COMMAND", word).env("CNI_CONTAINERID", &container.name);
        command.env("CNI_NETNS", &container.name).env("CNI_IFNAME", "eth0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{plugin}: {error}"))?;
        let input = self.configuration(container, previous).to_string();
        child.stdin.take().ok_or("no standard input")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("{word} of {plugin} for {}: {output:?}", container.name).into());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
    }

    /// ADD of `bridge`, then of `portmap`. Returns the result of ADD, which DEL gets.
    pub fn add(&self, container: &Container) -> Fallible<Value> {
        let added = self.run("bridge", "ADD", container, None)?;
        self.run("portmap", "ADD", container, Some(&added))
    }

    /// DEL of `portmap`, then of `bridge`.
    pub fn del(&self, container: &Container, result: &Value) -> Fallible {
        for plugin in ["portmap", "bridge"] {
            self.run(plugin, "DEL", container, Some(result))?;
        }
        Ok(())
    }
}
