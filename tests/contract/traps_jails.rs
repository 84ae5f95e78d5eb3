//! The traps about jails: 24 to 26.

use std::path::Path;

use jailwire::jail::{self, JailParameters, JailSystem};
use jailwire::kernel::{Errno, Parameter};
use jailwire_sys as sys;

use crate::support::{Host, Refused, ip4};

/// With CREATE and UPDATE together, neither `vnet` nor `path` can be set. Confirmed: 14.2, 15.1.
#[test]
fn trap_24_create_or_update_makes_no_stack() {
    const BOTH: i32 = sys::JAIL_CREATE | sys::JAIL_UPDATE;
    let host = Host::new();
    let name = host.jail_name();
    let set = |extra: &[Parameter]| {
        let mut all = vec![Parameter::string("name", &name), Parameter::flag("persist")];
        all.extend_from_slice(extra);
        host.kernel.jail_set(&all, BOTH)
    };
    set(&[Parameter::int("vnet", 1)]).refused_saying(Errno::EINVAL, "vnet cannot be changed after creation");
    let words = "path cannot be changed after creation";
    set(&[Parameter::string("path", "/")]).refused_saying(Errno::EINVAL, words);
    assert_eq!(jail::find(&*host.kernel, &name).unwrap(), None);
    let jid = set(&[]).unwrap();
    host.remember(jailwire::Jid::new(jid).unwrap());
    assert_eq!(set(&[]).unwrap(), jid);
}

/// The kernel finds an unknown parameter only after it has created the jail with its network stack. Then it removes
/// the jail again. Confirmed: 14.2, 15.1.
#[test]
fn trap_25_an_unknown_parameter_is_found_last() {
    let host = Host::new();
    let name = host.jail_name();
    let create = |extra: Parameter| {
        let parameters = [
            Parameter::string("name", &name),
            Parameter::string("path", "/"),
            Parameter::int("vnet", 1),
            Parameter::flag("persist"),
            extra,
        ];
        host.kernel.jail_set(&parameters, sys::JAIL_CREATE)
    };
    create(Parameter::int("nosuch", 1)).refused_saying(Errno::EINVAL, "unknown parameter: nosuch");
    assert_eq!(jail::find(&*host.kernel, &name).unwrap(), None);
    // The jail that failed used up a jid, which no other jail gets.
    let before = host.plain_jail().get();
    create(Parameter::int("nosuch", 1)).refused(Errno::EINVAL);
    let after = host.plain_jail().get();
    assert!(after >= before + 2, "{before} {after}");
    // The kernel finds other mistakes earlier, and reports only the first one it finds.
    create(Parameter::int("enforce_statfs", 99)).refused_saying(Errno::EINVAL, "");
}

/// `ip4` of a jail with a list of addresses reads as if the jail had none. Confirmed: 14.2, 15.1.
#[test]
fn trap_26_a_list_of_addresses_reads_as_disabled() {
    let host = Host::new();
    let parameters = || JailParameters::new(&host.jail_name()).path(Path::new("/"));
    let listed = host.jail(parameters().set("ip4.addr", vec![ip4("10.99.0.1")]));
    let disabled = host.jail(parameters().set("ip4", JailSystem::Disable));
    let inherits = host.jail(parameters().set("ip4", JailSystem::Inherit));
    let read = |jid| jail::read_int(&*host.kernel, jid, "ip4").unwrap().unwrap();
    assert_eq!((read(listed), read(disabled), read(inherits)), (0, 0, 2));
    // Only the list itself shows the addresses.
    let count = |jid| jail::addresses(&*host.kernel, jid).unwrap().unwrap().0.len();
    assert_eq!((count(listed), count(disabled)), (1, 0));
}
