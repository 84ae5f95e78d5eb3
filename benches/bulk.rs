//! What starting many jails costs the caller: N jails with a network stack each, an epair on one
//! bridge, addresses of both families and a default route, on the simulated kernel in memory.
//!
//! The simulated kernel's own work is in it, and so is the journal, which is written to the run
//! directory: what FreeBSD's kernel does for a jail is not. So this is more than the library's share.

use std::time::{Duration, Instant};

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jailwire::files::Files;
use jailwire::jail::JailParameters;
use jailwire::kernel::Kernel;
use jailwire::kernel::sim::Sim;
use jailwire::wiring::{self, Devfs, HostName, JailSpec, Journal, Network, Nic, Plan, Rooms, Router, Site};
use jailwire::wiring::{Survey, VnetSpec};
use jailwire::{InterfaceName, MacAddr, Mtu, Vnet};

const BOOT: &str = "a boot";

fn specification(number: u16, bridge: InterfaceName) -> JailSpec {
    let [high, low] = number.to_be_bytes();
    let mac = |half| MacAddr([2, 0, half, 0, high, low]);
    let nic = Nic {
        host_name: HostName::WithJid("vnet0.".to_owned()),
        jail_name: "epair0b".parse().expect("a name"),
        description: format!("jail {number}"),
        macs: Some((mac(1), mac(2))),
        mtu: None,
        default_mtu: Mtu::new(1500).expect("an MTU"),
        bridge: Some(bridge),
        uplink: None,
        inet: vec![format!("10.0.{}.{low}/16", 1 + high).parse().expect("a network")],
        inet6: vec![format!("fd00::{:x}/64", u32::from(number) + 2).parse().expect("a network")],
        accept_rtadv: false,
    };
    let network = VnetSpec {
        nics: vec![nic],
        default4: Some(Router { address: [10, 0, 0, 1].into(), nic: None }),
        ..VnetSpec::default()
    };
    JailSpec {
        name: format!("jail{number}"),
        path: "/".into(),
        parameters: JailParameters::default().hostname("jail"),
        devfs: Devfs::Existing(0),
        mounts: Vec::new(),
        network: Network::Vnet(network),
    }
}

/// Starts so many jails on a new host, and says how long that took.
fn start(jails: u16) -> Duration {
    let kernel: Arc<dyn Kernel> = Arc::new(Sim::new());
    let host = Vnet::host(Arc::clone(&kernel));
    let bridge = host.create_bridge().expect("a bridge");
    let files = Files::new();
    let rooms = Rooms::open(&*kernel, files).expect("a run directory");
    let begin = Instant::now();
    for number in 0..jails {
        let spec = specification(number, bridge);
        let survey = Survey::take(&host, &spec).expect("a survey");
        let plan = Plan::new(&spec, &survey).expect("no problems");
        let mut journal = Journal::open(&rooms.journal(&spec.name), BOOT).expect("a journal");
        let site = Site { host: &host, rooms: &rooms, files, boot: BOOT };
        let up = wiring::apply(&site, &mut journal, &spec, &plan, |_| {}).expect("it starts");
        journal.complete(files, up.jid).expect("a journal");
    }
    begin.elapsed()
}

fn bulk(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("start jails");
    group.sample_size(10);
    for jails in [10, 100, 1000] {
        group.throughput(Throughput::Elements(jails.into()));
        group.bench_with_input(BenchmarkId::from_parameter(jails), &jails, |bencher, jails| {
            bencher.iter_custom(|times| (0..times).map(|_| start(*jails)).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, bulk);
criterion_main!(benches);
