//! The commands that `bridge` and `portmap` of `dfr/plugins` 0.4 run for a container, one after the other, without
//! the plugins around them. `host-local` runs none.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::Fallible;
use crate::freebsd::{BRIDGE, Container, GATEWAY};

const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin";

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env_clear().env("PATH", PATH);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a program, which has to succeed, with an input, and returns what the program printed.
pub fn feed(words: &[&str], input: &str) -> Fallible<String> {
    let mut child = command(words).spawn().map_err(|error| format!("{words:?}: {error}"))?;
    child.stdin.take().ok_or("no standard input")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Runs a program, which has to succeed.
pub fn run(words: &[&str]) -> Fallible<String> {
    feed(words, "")
}

/// ADD of `bridge`, then of `portmap`. The plugins look without a command whether the bridge and its address are there.
pub fn add(container: &Container, first: bool) -> Fallible {
    let Container { name, address, port } = container;
    let host_end = host_end(container);
    if first {
        run(&["ifconfig", "bridge", "create", "name", BRIDGE])?;
    }
    run(&["sysctl", "net.link.bridge.pfil_member=1"])?;
    let epair = run(&["ifconfig", "epair", "create"])?;
    let other = format!("{}b", epair.strip_suffix('a').ok_or("ifconfig names no end of an epair")?);
    run(&["ifconfig", &epair, "name", &host_end])?;
    let description = format!("associated with jail: {name} as nic: eth0");
    run(&["ifconfig", &host_end, "description", &description])?;
    run(&["ifconfig", &other, "vnet", name])?;
    run(&["ifconfig", "-j", name, &other, "name", "eth0"])?;
    run(&["ifconfig", BRIDGE, "addm", &host_end])?;
    run(&["ifconfig", &host_end, "up"])?;
    if first {
        run(&["ifconfig", BRIDGE, "inet", "alias", &format!("{GATEWAY}/24")])?;
    }
    run(&["sysctl", "net.inet.ip.forwarding=1"])?;
    run(&["pfctl", "-t", "cni-nat", "-T", "add", address])?;
    run(&["ifconfig", "-j", name, "eth0", "inet", &format!("{address}/24")])?;
    run(&["ifconfig", "-j", name, "eth0", "up"])?;
    run(&["route", "-j", name, "-4", "add", "-net", "0.0.0.0/0", GATEWAY])?;
    // What grep does not find is no failure.
    command(&["grep", "^[[:space:]]*\\(v[46]\\)\\?egress_if[[:space:]]*=", "/etc/pf.conf"]).output()?;
    let rule = format!("rdr pass inet proto tcp from any to self port {port} -> {address} port 80\n");
    feed(&["pfctl", "-a", &anchor(name), "-f", "-"], &rule).map(drop)
}

/// DEL of `portmap`, then of `bridge`.
pub fn del(container: &Container) -> Fallible {
    run(&["pfctl", "-a", &anchor(&container.name), "-F", "nat"])?;
    run(&["ifconfig", &host_end(container), "destroy"])?;
    run(&["pfctl", "-t", "cni-nat", "-T", "delete", &container.address]).map(drop)
}

fn host_end(container: &Container) -> String {
    format!("vnet{}", container.port)
}

fn anchor(name: &str) -> String {
    format!("cni-rdr/{name}")
}
