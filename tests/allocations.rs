//! Routing messages are written and read without allocations.
//!
//! One test, because another thread's allocations would be counted too.

#[path = "../benches/support/allocations.rs"]
mod allocations;
#[path = "../benches/support/dumps.rs"]
mod dumps;

use jailwire::route::message::{Layout, Messages, Metrics, Request};
use jailwire::route::{RouteFlags, SocketAddress};

#[test]
fn no_message_is_allocated() {
    for (dump, layout, messages) in [
        (dumps::routes(1), Layout::Plain, 1),
        (dumps::routes(100_000), Layout::Plain, 100_000),
        (dumps::interfaces(1), Layout::Long, 4),
        (dumps::interfaces(10_000), Layout::Long, 40_000),
    ] {
        let read = || Messages::new(&dump, layout).filter(Result::is_ok).count();
        assert_eq!(allocations::during(read), (messages, 0));
    }

    let request = Request {
        kind: jailwire_sys::RTM_ADD,
        sequence: 1,
        flags: RouteFlags::UP | RouteFlags::GATEWAY,
        destination: SocketAddress::V4([198, 51, 100, 0].into()),
        gateway: Some(SocketAddress::V4([192, 0, 2, 1].into())),
        prefix_length: Some(24),
        ask_interface: true,
        metrics: Metrics::default(),
    };
    let mut buffer = request.encode();
    assert_eq!(allocations::during(|| request.encode()).1, 1, "room for all of it at once");
    let write = || {
        for _ in 0..1000 {
            buffer.clear();
            request.encode_into(&mut buffer);
        }
        buffer.len()
    };
    assert_eq!(allocations::during(write), (request.encode().len(), 0));
}
