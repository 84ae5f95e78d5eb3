//! Measures writing a routing message and reading dumps of the kernel, in bytes per second. A plain copy of the
//! same bytes in the same run is the comparison.

#[path = "support/dumps.rs"]
mod dumps;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jailwire::route::message::{Layout, Message, Messages, Metrics, Request};
use jailwire::route::{RouteFlags, SocketAddress};

fn write(criterion: &mut Criterion) {
    let request = Request {
        kind: jailwire_sys::RTM_ADD,
        sequence: 1,
        flags: RouteFlags::UP | RouteFlags::GATEWAY | RouteFlags::STATIC,
        destination: SocketAddress::V4([198, 51, 100, 0].into()),
        gateway: Some(SocketAddress::V4([192, 0, 2, 1].into())),
        prefix_length: Some(24),
        ask_interface: false,
        metrics: Metrics::default().with_mtu(1400),
    };
    let bytes = request.encode();
    let mut group = criterion.benchmark_group("write a route");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    let mut buffer = Vec::with_capacity(bytes.len());
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            buffer.clear();
            black_box(&request).encode_into(&mut buffer);
            black_box(&buffer);
        });
    });
    group.bench_function("copy", |bencher| {
        bencher.iter(|| {
            buffer.clear();
            buffer.extend_from_slice(black_box(&bytes));
            black_box(&buffer);
        });
    });
    group.finish();
}

fn read(criterion: &mut Criterion) {
    for (name, layout, dump, messages) in [
        ("read 100000 routes", Layout::Plain, dumps::routes(100_000), 100_000),
        ("read 10000 interfaces", Layout::Long, dumps::interfaces(10_000), 40_000),
    ] {
        let count = || {
            Messages::new(black_box(&dump), layout).map(|message| match message {
                Ok(Message::Route(message)) => {
                    usize::from(black_box(message).addresses.destination().is_some())
                }
                Ok(message) => {
                    black_box(&message);
                    1
                }
                Err(why) => panic!("{why}"),
            })
        };
        assert_eq!(count().sum::<usize>(), messages);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(dump.len() as u64));
        group.bench_function("parse", |bencher| bencher.iter(|| count().sum::<usize>()));
        let mut room = vec![0_u8; dump.len()];
        group.bench_function("copy", |bencher| {
            bencher.iter(|| {
                room.copy_from_slice(black_box(&dump));
                black_box(&room);
            });
        });
        group.finish();
    }
}

criterion_group!(benches, write, read);
criterion_main!(benches);
