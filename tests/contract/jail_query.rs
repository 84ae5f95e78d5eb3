//! Reading jails.

use std::path::Path;

use jailwire::Jid;
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{Errno, Parameter, Value};

use crate::support::{Host, Refused};

#[test]
fn what_is_not_there_is_not_found() {
    let host = Host::new();
    assert_eq!(jail::find(&*host.kernel, "contract-nobody").unwrap(), None);
    assert_eq!(jail::get(&*host.kernel, Jid::new(999_990).unwrap()).unwrap(), None);
    assert_eq!(jail::read(&*host.kernel, "contract-nobody", "path").unwrap(), None);
    let mut asked = [Parameter::int("jid", 999_990)];
    host.kernel.jail_get(&mut asked, 0).refused_saying(Errno::ENOENT, "jail 999990 not found");
    let mut asked = [Parameter::string("name", "contract-nobody")];
    host.kernel.jail_get(&mut asked, 0).refused_saying(Errno::ENOENT, "jail \"contract-nobody\" not found");
    host.kernel.jail_get(&mut [], 0).refused_saying(Errno::ENOENT, "no jail specified");
}

#[test]
fn all_are_listed_by_rising_jid() {
    let host = Host::new();
    let made = [host.vnet_jail(), host.plain_jail(), host.vnet_jail()];
    let jails = jail::list(&*host.kernel, false).unwrap();
    assert!(jails.is_sorted_by_key(|jail| jail.jid));
    let seen: Vec<_> = jails.iter().map(|jail| jail.jid).filter(|jid| made.contains(jid)).collect();
    assert_eq!(seen, made);
}

#[test]
fn the_next_jail_is_found_from_any_number() {
    let host = Host::new();
    let jid = host.plain_jail();
    let mut asked = [Parameter::int("lastjid", jid.get() - 1), Parameter::bytes("name", vec![0; 256])];
    assert_eq!(host.kernel.jail_get(&mut asked, 0).unwrap(), jid.get());
    let mut asked = [Parameter::int("lastjid", 999_999)];
    host.kernel.jail_get(&mut asked, 0).refused_saying(Errno::ENOENT, "no jail after 999999");
}

#[test]
fn a_length_can_be_asked_for() {
    let host = Host::new();
    let list = vec![crate::support::ip4("10.99.0.1"), crate::support::ip4("10.99.0.2")];
    let parameters = JailParameters::new(&host.jail_name()).path(Path::new("/")).set("ip4.addr", list);
    let jid = host.jail(parameters);
    let key = Parameter::int("jid", jid.get());
    let mut asked = [key.clone(), Parameter::ask("ip4.addr"), Parameter::ask("path"), Parameter::ask("vnet")];
    host.kernel.jail_get(&mut asked, 0).unwrap();
    let lengths: Vec<_> = asked[1..].iter().map(|asked| asked.value.clone()).collect();
    assert_eq!(lengths, [Value::Length(8), Value::Length(2), Value::Length(4)]);
    // A list comes back with its real length, and a string with its terminating zero.
    let mut asked =
        [key.clone(), Parameter::bytes("ip4.addr", vec![9; 64]), Parameter::bytes("path", vec![9; 64])];
    host.kernel.jail_get(&mut asked, 0).unwrap();
    assert_eq!(asked[1].value, Value::Bytes(vec![10, 99, 0, 1, 10, 99, 0, 2]));
    let Value::Bytes(path) = &asked[2].value else { panic!("{asked:?}") };
    assert_eq!(path[..2], *b"/\0");
    // The buffer is too small, or has the wrong length.
    for short in [
        Parameter::bytes("ip4.addr", vec![0; 4]),
        Parameter::bytes("path", vec![0; 1]),
        Parameter::bytes("vnet", vec![0; 2]),
        Parameter::bytes("vnet", vec![0; 8]),
    ] {
        host.kernel.jail_get(&mut [key.clone(), short], 0).refused(Errno::EINVAL);
    }
    let mut asked = [key, Parameter::ask("nosuch")];
    host.kernel.jail_get(&mut asked, 0).refused_saying(Errno::EINVAL, "unknown parameter: nosuch");
}

#[test]
fn flags_that_there_are_not_are_refused() {
    let host = Host::new();
    let jid = host.plain_jail();
    for flags in [0x1, 0x100] {
        host.kernel.jail_get(&mut [Parameter::int("jid", jid.get())], flags).refused(Errno::EINVAL);
    }
}

#[test]
fn anybody_may_ask() {
    let host = Host::new();
    let jid = host.plain_jail();
    host.unprivileged(|kernel| {
        assert!(jail::get(&*kernel, jid).unwrap().is_some());
        assert!(jail::list(&*kernel, false).unwrap().iter().any(|jail| jail.jid == jid));
    });
}

#[test]
fn a_jail_sees_only_what_is_below_it() {
    let host = Host::new();
    let name = host.jail_name();
    let parent = host.jail(JailParameters::new(&name).path(Path::new("/")).set("children.max", 5));
    let child = host.jail(JailParameters::new(&format!("{name}.below")).path(Path::new("/")));
    let beside = host.plain_jail();
    host.inside(parent, |kernel| {
        let seen: Vec<_> = jail::list(&*kernel, false).unwrap().iter().map(|jail| jail.jid).collect();
        assert_eq!(seen, [child]);
        assert_eq!(jail::get(&*kernel, child).unwrap().unwrap().name, "below");
        assert_eq!(jail::get(&*kernel, parent).unwrap(), None);
        assert_eq!(jail::get(&*kernel, beside).unwrap(), None);
    });
}

#[test]
fn kinds_of_network() {
    let host = Host::new();
    let (vnet, plain) = (host.vnet_jail(), host.plain_jail());
    let inherits = JailParameters::new(&host.jail_name()).path(Path::new("/"));
    let inherits = host.jail(inherits.set("ip4", jail::JailSystem::Inherit));
    let read = |jid: Jid, name: &str| jail::read_int(&*host.kernel, jid, name).unwrap().unwrap();
    assert_eq!((read(vnet, "vnet"), read(plain, "vnet")), (1, 2));
    // A jail with a stack of its own has all addresses. A jail with a list of addresses reads like a jail with
    // none.
    assert_eq!((read(vnet, "ip4"), read(vnet, "ip6")), (2, 2));
    assert_eq!((read(plain, "ip4"), read(plain, "ip6")), (0, 0));
    assert_eq!(read(inherits, "ip4"), 2);
}

#[test]
fn defaults() {
    let host = Host::new();
    let jid = host.plain_jail();
    let read = |name: &str| jail::read_int(&*host.kernel, jid, name).unwrap().unwrap();
    for (name, value) in [
        ("children.max", 0),
        ("children.cur", 0),
        ("enforce_statfs", 2),
        ("devfs_ruleset", 0),
        ("securelevel", -1),
        ("persist", 1),
        ("dying", 0),
        ("parent", 0),
        ("ip4.saddrsel", 1),
        ("allow.set_hostname", 1),
        ("allow.raw_sockets", 0),
        ("allow.mount", 0),
        ("allow.mount.devfs", 0),
        ("allow.sysvipc", 0),
        ("allow.socket_af", 0),
        ("allow.chflags", 0),
        ("allow.suser", 1),
        ("sysvmsg", 0),
    ] {
        assert_eq!(read(name), value, "{name}");
    }
    let release = jail::read_int(&*host.kernel, jid, "osreldate").unwrap().unwrap();
    assert_eq!(release, host.sysctl_int("kern.osreldate").unwrap());
}
