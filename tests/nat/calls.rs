//! The requests of one change to the kernel, by their names in C: one transaction, and no program is run.

use std::sync::{Arc, Mutex};

use jailwire::kernel::{Proxy, Seen, Watch};
use jailwire::wiring::Wiring;
use jailwire::wiring::nat::{Backend, JailNat};

use super::support;

#[derive(Debug, Default)]
struct Names(Mutex<Vec<&'static str>>);

impl Watch for Names {
    fn seen(&self, seen: Seen) {
        self.0.lock().unwrap().push(seen.name);
    }
}

#[test]
fn a_change_is_one_transaction_and_begins_no_process() {
    const READING: [&str; 12] = [
        "open",
        "close",
        "sysctl",
        "socket",
        "setsockopt",
        "recv",
        "RTM_GET",
        "DIOCGETSTATUSNV",
        "DIOCGETRULES",
        "DIOCGETRULENV",
        "DIOCGETRULESETS",
        "DIOCRGETTABLES",
    ];
    const READING_ADDRESSES: [&str; 3] = ["DIOCGETRULESET", "DIOCGETADDRS", "DIOCGETADDR"];
    // All requests to ipfw are calls of getsockopt(2).
    const WRITING: [&str; 7] = [
        "getsockopt",
        "DIOCXBEGIN",
        "DIOCBEGINADDRS",
        "DIOCADDADDR",
        "DIOCADDRULE",
        "DIOCXCOMMIT",
        "DIOCKILLSTATESNV",
    ];
    let (sim, _) = support::wiring();
    let kernel = Arc::new(Proxy::new(Arc::new(sim), Names::default()));
    let wiring = Wiring::on(kernel.clone()).unwrap();
    for backend in [Backend::Pf, Backend::Ipfw] {
        let jail = JailNat::new("web", ["10.0.0.2".parse().unwrap()]).by(backend).nat();
        let jail = jail.publish("8080:80".parse().unwrap());
        for what in ["publish", "unpublish"] {
            kernel.watch.0.lock().unwrap().clear();
            match what {
                "publish" => wiring.publish(&jail).unwrap(),
                _ => assert!(wiring.unpublish("web").unwrap()),
            }
            let asked = kernel.watch.0.lock().unwrap().clone();
            for name in &asked {
                let known = [&READING[..], &READING_ADDRESSES, &WRITING].concat().contains(name);
                assert!(known, "{what} by {backend}: {name} in {asked:?}");
            }
            let count = |wanted: &str| asked.iter().filter(|name| **name == wanted).count();
            let transactions = usize::from(backend == Backend::Pf);
            assert_eq!(count("DIOCXBEGIN"), transactions, "{asked:?}");
            assert_eq!(count("DIOCXCOMMIT"), transactions, "{asked:?}");
        }
    }
}
