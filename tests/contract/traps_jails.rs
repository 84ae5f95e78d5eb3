//! The traps about jails: 24 to 26.

use std::path::Path;

use jailwire::jail::{self, JailParameters, JailSystem};
use jailwire::kernel::{Errno, Parameter};
use jailwire_sys as sys;

use crate::support::{Host, Refused, ip4};

/// CREATE and UPDATE together can do neither `vnet` nor `path`. Confirmed: 14.2, 15.1.
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

/// A name that the kernel does not know is found when the jail is there already, stack and all; and
/// then it is taken down again. Confirmed: 14.2, 15.1.
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
    // It has a jid all the same, which no other jail gets.
    let before = host.plain_jail().get();
    create(Parameter::int("nosuch", 1)).refused(Errno::EINVAL);
    let after = host.plain_jail().get();
    assert!(after >= before + 2, "{before} {after}");
    // Other mistakes are found earlier, and the last one told is the first one found.
    create(Parameter::int("enforce_statfs", 99)).refused_saying(Errno::EINVAL, "");
}

/// `ip4` of a jail with a list of addresses reads as if it had none. Confirmed: 14.2, 15.1.
#[test]
fn trap_26_a_list_of_addresses_reads_as_disabled() {
    let host = Host::new();
    let parameters = || JailParameters::new(&host.jail_name()).path(Path::new("/"));
    let listed = host.jail(parameters().set("ip4.addr", vec![ip4("10.99.0.1")]));
    let disabled = host.jail(parameters().set("ip4", JailSystem::Disable));
    let inherits = host.jail(parameters().set("ip4", JailSystem::Inherit));
    let read = |jid| jail::read_int(&*host.kernel, jid, "ip4").unwrap().unwrap();
    assert_eq!((read(listed), read(disabled), read(inherits)), (0, 0, 2));
    // Only the list tells.
    let count = |jid| jail::addresses(&*host.kernel, jid).unwrap().unwrap().0.len();
    assert_eq!((count(listed), count(disabled)), (1, 0));
}
