//! Whose jail it is, and jails that die slowly: a name proves nothing, a connection keeps nothing that the library
//! made, and what jails share goes with the last of them.

mod dying;
mod hosts;
mod lent;
mod shared;
mod whose;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jailwire::Error;
use jailwire::jail::{self, JailParameters};
use jailwire::nd6::Nd6Flags;
use jailwire::sim::{Fault, Options, Sim};
use jailwire::types::{Fib, InterfaceName, Jid};
use jailwire::wiring::Wiring;

/// How long a connection goes on that outlives a test.
const LONG: Duration = Duration::from_secs(600);

fn simulated() -> (Sim, Wiring) {
    simulated_with(&Options::default())
}

fn simulated_with(options: &Options) -> (Sim, Wiring) {
    let sim = Sim::with(options);
    let wiring = Wiring::on(Arc::new(sim.clone())).expect("a simulated host");
    (sim, wiring)
}

fn name(text: &str) -> InterfaceName {
    text.parse().expect("a name that fits")
}

/// Makes a jail as another program would.
fn foreign(wiring: &Wiring, name: &str) -> Jid {
    let made = jail::create(&**wiring.kernel(), &JailParameters::new(name).vnet().hostname("theirs"));
    made.expect("a foreign jail")
}

#[track_caller]
fn is_untouched(wiring: &Wiring, jid: Jid) {
    let info = jail::get(&**wiring.kernel(), jid).unwrap().expect("the foreign jail is gone");
    assert_eq!(info.hostname, "theirs");
}

fn start_vnet(wiring: &Wiring, jail: &str, last: u8) -> Result<jailwire::wiring::Up, Error> {
    let address = format!("192.0.2.{last}/24");
    wiring.jail(jail, "/").nic("bridge0").address(address).router("192.0.2.1").start()
}

/// Kills a process at a call of `act`.
fn killed_at(sim: &Sim, call: u64, act: impl FnOnce(&Wiring)) -> bool {
    let process = sim.as_process();
    sim.set_fault(sim.calls() + call, Fault::Kill);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let wiring = Wiring::on(Arc::new(process)).expect("a simulated host");
        act(&wiring);
    }));
    sim.clear_faults();
    ended.is_err()
}

/// What the host has that is changed for jails, in no order.
fn state(wiring: &Wiring) -> BTreeSet<String> {
    let host = wiring.host();
    let mut lines: BTreeSet<String> =
        host.routes(Fib::DEFAULT).unwrap().iter().map(|route| format!("{route:?}")).collect();
    for mut interface in host.interfaces().unwrap() {
        let name = interface.name;
        interface.addresses.sort_by_key(ToString::to_string);
        let mut groups = host.groups(&name).unwrap();
        groups.sort();
        let nd6 = host.nd6_flags(&name).unwrap_or(Nd6Flags::empty());
        let told = (interface.index, interface.mtu, interface.mac, host.description(&name).unwrap());
        lines.insert(format!("{interface} {told:?} {groups:?} {nd6:?}"));
        for member in host.members(&name).unwrap_or_default() {
            let vlans = host.member_vlans(&name, &member.name).unwrap_or_default();
            lines.insert(format!("{name} {} {:?} {:?} {vlans}", member.name, member.flags, member.pvid));
        }
    }
    lines
}
