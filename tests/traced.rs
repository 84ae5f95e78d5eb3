//! A start, as the kernel's own tracing shows it: it uses no netlink, and runs no program for the network.
//!
//! It needs FreeBSD, root, `ktrace(1)` and `kdump(1)`. The child that enters the jail switches tracing off for
//! itself before it enters. The trace shows its calls until then.

#![cfg(target_os = "freebsd")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a command and returns what the command printed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Writes a root with one VNET jail that has an address and a default route, mounts nothing, and runs nothing.
fn write_root(root: &Path) {
    let jail = root.join("jails/traced");
    fs::create_dir_all(jail.join("root")).expect("a directory");
    fs::create_dir_all(root.join("log")).expect("a directory");
    let config = r#"{
    "defaultrouter": "198.51.100.1",
    "exec_start": "/sbin/traced-start",
    "exec_stop": "/sbin/traced-start",
    "interfaces": "vnet0:bridge198",
    "ip4_addr": "vnet0|198.51.100.9/24",
    "ip6_addr": "vnet0|2001:db8:198::9/64",
    "mount_devfs": 0,
    "mount_fdescfs": 0,
    "resolver": "/dev/null",
    "host_time": 0,
    "vnet": 1,
    "vnet0_mac": "02ff60c63301 02ff60c63302"
}"#;
    fs::write(jail.join("config.json"), config).expect("a file");
    fs::write(jail.join("fstab"), "").expect("a file");
    // The one program that a start runs is the jail's own. It is from rescue(8), which needs no libraries.
    fs::create_dir_all(jail.join("root/sbin")).expect("a directory");
    fs::copy(env!("CARGO_BIN_EXE_jailwire"), jail.join("root/sbin/traced-start")).expect("a program");
}

#[test]
fn a_start_uses_no_netlink_and_runs_no_program_for_the_network() {
    assert!(nix::unistd::geteuid().is_root(), "this test starts a jail: run it as root");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path();
    write_root(root);
    // The program in the jail only has to appear in the trace. It need not succeed.
    let program = env!("CARGO_BIN_EXE_jailwire");
    let trace = root.join("trace");
    let traced = Command::new("ktrace")
        .args(["-i", "-t", "cn", "-f"])
        .arg(&trace)
        .arg(program)
        .arg("--root")
        .arg(root)
        .args(["start", "traced"])
        .output()
        .expect("ktrace(1)");
    let said = String::from_utf8_lossy(&traced.stdout).into_owned();
    let stop = Command::new(program).arg("--root").arg(root).args(["stop", "traced"]).output();
    assert!(said.contains("Configuring VNET OK"), "{said}{}", String::from_utf8_lossy(&traced.stderr));
    assert!(stop.is_ok());

    let dump = output(Command::new("kdump").arg("-f").arg(&trace));
    let lines: Vec<&str> = dump.lines().collect();
    let calls = |name: &str| lines.iter().filter(|line| line.contains(&format!("CALL  {name}("))).count();
    assert!(calls("ioctl") > 10, "the trace shows the start:\n{dump}");
    assert!(!dump.contains("NETLINK"), "netlink is used");

    let executed: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.contains("CALL  execve(") || line.contains("CALL  fexecve("))
        .map(|(at, _)| {
            lines[at + 1..].iter().find(|line| line.contains("NAMI")).map_or("", |line| line.trim())
        })
        .collect();
    for line in &executed {
        let known = line.contains(program) || line.contains("/sbin/traced-start");
        assert!(known, "{line} was run; all: {executed:?}");
    }
    println!("{} ioctls, programs run: {}", calls("ioctl"), executed.len());
}
