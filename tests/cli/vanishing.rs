//! A thing may go away while a command looks at everything. That must be no failure.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jailwire::kernel::Kernel;
use jailwire::vnet::Vnet;

use crate::points::at_every_call;
use crate::support::{Root, text};

/// A host with running jails, an epair of a jail that does not run, and one more bridge.
fn root() -> Root {
    let root = Root::new();
    // Remove the routers, because commands would wait for their answers.
    for jail in ["web", "db"] {
        root.ok(&["set", "defaultrouter=none", "defaultrouter6=none", jail]);
    }
    root.ok(&["start", "ALL"]);
    let kernel: Arc<dyn Kernel> = Arc::new(root.kernel());
    let host = Vnet::host(kernel);
    let pair = host.create_epair().expect("an epair");
    host.set_description(&pair.a, "associated with jail: gone as nic: epair0b").expect("a description");
    host.create_bridge().expect("a bridge");
    root
}

/// Runs a command that only looks, again and again. Each time another call fails as if its subject had just gone.
/// The command must not report that.
#[track_caller]
fn is_not_told_of(command: &[&str], errno: &str, about: &[&str]) -> usize {
    let first = root();
    let (calls, tolerated) = (calls_of(&first, command), AtomicUsize::new(0));
    // Each thread has a root of its own, because calls to a shared kernel would influence other threads.
    let idle = Mutex::new(vec![first]);
    at_every_call(1, |call| {
        if call > calls {
            return false;
        }
        let root = idle.lock().unwrap().pop().unwrap_or_else(root);
        let output = root.run_with_fault(command, Some(&format!("{call}:{errno}")));
        let said = text(&output.stderr);
        let told = about.iter().any(|request| said.contains(request));
        assert!(output.status.success() || !told, "{command:?}, call {call}, {errno}: {said}");
        tolerated.fetch_add(usize::from(output.status.success()), Ordering::Relaxed);
        idle.lock().unwrap().push(root);
        true
    });
    tolerated.into_inner()
}

/// The number of calls of a command. It is killed at a call that it makes, and succeeds otherwise.
fn calls_of(root: &Root, command: &[&str]) -> usize {
    let is_made =
        |call: usize| root.run_with_fault(command, Some(&format!("{call}:kill"))).status.code().is_none();
    let (mut made, mut bound) = (0, 1);
    while is_made(bound) {
        (made, bound) = (bound, bound * 2);
    }
    while bound - made > 1 {
        let middle = made.midpoint(bound);
        if is_made(middle) { made = middle } else { bound = middle }
    }
    made
}

#[test]
fn interfaces_go_while_all_are_looked_at() {
    for command in [&["doctor"][..], &["gc", "-n"], &["map"], &["net", "list"]] {
        let tolerated = is_not_told_of(command, "ENXIO", &["SIOCG", "BRDG"]);
        println!("{command:?}: {tolerated} calls");
        assert!(tolerated > 10, "{command:?}: {tolerated}");
    }
}

#[test]
fn jails_go_while_all_are_looked_at() {
    for command in [&["doctor"][..], &["map"], &["net", "list"], &["show", "web"]] {
        let attach = is_not_told_of(command, "EINVAL", &["jail_attach"]);
        let get = is_not_told_of(command, "ENOENT", &["jail_get"]);
        println!("{command:?}: {attach} and {get} calls");
        assert!(attach > 5 && get > 5, "{command:?}: {attach} {get}");
    }
}
