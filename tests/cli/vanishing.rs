//! What is looked at may go away meanwhile: that is no failure of a command that looks at everything.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jailwire::kernel::Kernel;
use jailwire::vnet::Vnet;

use crate::points::at_every_call;
use crate::support::{Root, text};

/// A host with jails that are up, an epair of one that is not, and one more bridge.
fn root() -> Root {
    let root = Root::new();
    // Routers that do not answer are waited for.
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

/// A command that only looks, with one call after the other answered as if the thing asked about had just gone.
/// What the command may not complain of is that.
#[track_caller]
fn is_not_told_of(command: &[&str], errno: &str, about: &[&str]) -> usize {
    let first = root();
    let (calls, tolerated) = (calls_of(&first, command), AtomicUsize::new(0));
    // A root for each thread: threads that share a kernel follow each other's calls.
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

/// How many calls a command makes: it is killed at one that it makes, and ends well otherwise.
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
