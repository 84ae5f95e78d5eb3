//! Measures one change of a packet filter's rules: with the library, and with a C program that makes the same
//! requests with the same contents, in turns, in one boot. Also measures a whole change of a jail's NAT and
//! published ports, and the kernel's share of the time.
//!
//! It is for a guest of FreeBSD 15, as root: it loads pf and ipfw, and writes their main rulesets. On other systems
//! it measures nothing.
//!
//!     vm/bench -t net.inet.ip.fw.default_to_accept=1 --bench change

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "freebsd")]
mod library;

#[cfg(target_os = "freebsd")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    freebsd::main()
}

#[cfg(not(target_os = "freebsd"))]
fn main() {
    println!("the packet filters are FreeBSD's: vm/bench --bench change");
}
