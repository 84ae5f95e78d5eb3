//! What one change of a packet filter's rules takes: by the library, and by a C program that makes the same requests
//! with the same contents, in turns, in one boot. And what a whole change of a jail's NAT and published ports takes, beside
//! the time that the kernel has of it.
//!
//! It is for a guest of FreeBSD 15, as root: it loads pf and ipfw, and writes their main rulesets. Elsewhere it measures
//! nothing.
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
