//! An event of `tracing` for every call to a kernel.

use std::sync::Arc;

use super::{Kernel, Proxy, Seen, Watch};

/// Returns a kernel that emits a `tracing` event for every call that it passes on to another kernel.
///
/// The events have the level DEBUG and the target `jailwire::kernel`. Their fields:
///
/// * `request`: the name in C, such as `SIOCAIFADDR`, `BRDGADD`, `RTM_ADD`, `jail_set`
/// * `errno`: the error's name, such as `EEXIST`, if the call failed
/// * `took_us`: how long the kernel took, in microseconds
///
/// [`Wiring`](crate::wiring::Wiring) does this by itself. For [`Vnet::host`](crate::Vnet::host), pass it the
/// kernel that this function returns.
pub fn traced(kernel: Arc<dyn Kernel>) -> Arc<dyn Kernel> {
    Arc::new(Proxy::new(kernel, Events))
}

#[derive(Debug)]
struct Events;

impl Watch for Events {
    fn seen(&self, seen: Seen) {
        let took_us = u64::try_from(seen.took.as_micros()).unwrap_or(u64::MAX);
        let errno = seen.errno.as_ref().map(tracing::field::debug);
        tracing::debug!(target: "jailwire::kernel", request = seen.name, errno, took_us);
    }
}
