//! The machine for the tests: the real machine on FreeBSD as root, a simulated machine elsewhere.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnetwork::{Ipv4Network, Ipv6Network};
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::Kernel;
use jailwire::sim::{Options, Release, Sim};
use jailwire::{InterfaceName, Jid, Vnet};

/// The longest wait for an event that is certain to come, on an emulated machine.
pub const SOON: Duration = Duration::from_secs(60);

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The host's stack, for one test at a time.
pub struct Host {
    pub kernel: Arc<dyn Kernel>,
    vnet: Vnet,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Host {
    type Target = Vnet;

    fn deref(&self) -> &Vnet {
        &self.vnet
    }
}

/// The host. Returns `None` on FreeBSD without root.
pub fn host() -> Option<Host> {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let kernel = kernel()?;
    Some(Host { vnet: Vnet::host(Arc::clone(&kernel)), kernel, _turn: turn })
}

fn kernel() -> Option<Arc<dyn Kernel>> {
    if env!("CARGO_CRATE_NAME") == "typed_14" {
        return Some(Arc::new(Sim::with(&Options::default().with_release(Release::V14_2))));
    }
    here()
}

#[cfg(target_os = "freebsd")]
fn here() -> Option<Arc<dyn Kernel>> {
    let kernel = jailwire::kernel::here().unwrap();
    if !kernel.privileged() {
        eprintln!("skipped: needs root");
        return None;
    }
    Some(kernel)
}

#[cfg(not(target_os = "freebsd"))]
fn here() -> Option<Arc<dyn Kernel>> {
    Some(Arc::new(Sim::new()))
}

impl Host {
    /// Whether this is FreeBSD 15 or newer.
    pub fn is_15(&self) -> bool {
        self.sysctl_int("kern.osreldate").unwrap() >= 1_500_000
    }

    /// Makes an epair that is destroyed when the test ends.
    pub fn epair(&self) -> Pair<'_> {
        let pair = self.create_epair().unwrap();
        Pair { host: self, a: pair.a, b: pair.b }
    }

    /// Makes an interface that is destroyed when the test ends.
    pub fn made(&self, cloner: &str) -> Made<'_> {
        Made { host: self, name: self.create(cloner).unwrap() }
    }

    /// Makes a jail with a stack of its own that is removed when the test ends.
    pub fn vnet_jail(&self, name: &str) -> Jail {
        let jid = jail::create(&*self.kernel, &JailParameters::new(name).path("/".as_ref()).vnet()).unwrap();
        Jail { kernel: Arc::clone(&self.kernel), jid }
    }
}

pub struct Pair<'a> {
    host: &'a Host,
    pub a: InterfaceName,
    pub b: InterfaceName,
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        let _ = self.host.destroy(&self.a);
    }
}

pub struct Made<'a> {
    host: &'a Host,
    pub name: InterfaceName,
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let _ = self.host.destroy(&self.name);
    }
}

pub struct Jail {
    kernel: Arc<dyn Kernel>,
    pub jid: Jid,
}

impl Jail {
    pub fn enter(&self) -> Vnet {
        Vnet::enter(Arc::clone(&self.kernel), self.jid).unwrap()
    }
}

impl Drop for Jail {
    fn drop(&mut self) {
        let _ = jail::remove(&*self.kernel, self.jid);
        let _ = jail::wait_gone(&*self.kernel, self.jid, SOON);
    }
}

pub fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

pub fn net4(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

pub fn net6(text: &str) -> Ipv6Network {
    text.parse().unwrap()
}

pub fn ip4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

pub fn ip6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}
