//! Jails, by number and by descriptor.

use std::path::Path;
use std::time::Duration;

use jailwire::kernel::{Calls, Clock, Errno, Oid, Parameter, Processes, Sysctl, Target, Value};
use jailwire_sys as sys;
use jailwire_sys::{IFF_UP, JAIL_CREATE, JAIL_UPDATE, SIOCIFCREATE2};

use crate::support::{Jail, SOON, entry, flags, gone_soon, int, kernel, named, release, shell};

#[test]
fn jails_are_made_read_changed_and_removed() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-plain");
    let jid = jail.1;
    let mut parameters = [
        Parameter::int("jid", jid),
        Parameter::bytes("name", [0; 256]),
        Parameter::ask("path"),
        Parameter::int("vnet", 0),
    ];
    assert_eq!(kernel.jail_get(&mut parameters, 0).unwrap(), jid);
    // Strings are not cut to their length, because the kernel pads them.
    let mut name = b"jw-plain".to_vec();
    name.resize(256, 0);
    assert_eq!(parameters[1].value, Value::Bytes(name));
    assert_eq!(parameters[2].value, Value::Length(2));
    assert_eq!(parameters[3].value, Value::Bytes(1i32.to_ne_bytes().to_vec()));
    // Lists are cut to their length.
    let mut lists = [Parameter::int("jid", jid), Parameter::bytes("ip4.addr", [1; 64])];
    kernel.jail_get(&mut lists, 0).unwrap();
    assert_eq!(lists[1].value, Value::Bytes(Vec::new()));
    let change = [Parameter::int("jid", jid), Parameter::string("host.hostname", "changed")];
    assert_eq!(kernel.jail_set(&change, JAIL_UPDATE).unwrap(), jid);

    let failure = kernel.jail_set(&[Parameter::string("name", "jw-plain")], JAIL_CREATE).unwrap_err();
    assert_eq!(failure.errno, Errno::EINVAL);
    assert_eq!(failure.text.as_deref(), Some("new jail must persist or attach"));
    let failure = kernel.jail_get(&mut [Parameter::string("name", "jw-none")], 0).unwrap_err();
    assert_eq!(failure.errno, Errno::ENOENT);
    assert_eq!(failure.text.as_deref(), Some("jail \"jw-none\" not found"));

    kernel.jail_remove(jid).unwrap();
    assert!(gone_soon(&kernel, jid));
    assert_eq!(kernel.jail_remove(jid).unwrap_err().errno, Errno::EINVAL);
}

#[test]
fn sockets_of_a_jail_act_on_its_own_network() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-sockets");
    // Neither an open directory of this process nor threads of other tests prevent the child from entering.
    let root = kernel.open(Path::new("/")).unwrap();
    let entered = kernel.enter(&entry(Target::Existing(jail.1)).with_sockets(true)).unwrap();
    kernel.close(root);
    assert_eq!(entered.jid, jail.1);
    assert!(entered.holder.is_none() && entered.answers.is_empty());
    let sockets = entered.sockets.unwrap();
    for socket in [sockets.inet, sockets.inet6, sockets.route] {
        // lo0 is not up in the jail.
        assert_eq!(flags(&kernel, socket, "lo0") & IFF_UP, 0);
    }
    let mut create = named(SIOCIFCREATE2, "epair");
    kernel.load_module("if_epair").unwrap();
    kernel.ioctl(sockets.inet, &mut create).unwrap();
    let name = String::from_utf8(create.argument().text_at(0, 16).to_vec()).unwrap();
    assert_eq!(shell(&kernel, Some(jail.1), &format!("ifconfig -l | grep -c {name}")).trim(), "1");
    for socket in [sockets.inet, sockets.inet6, sockets.route] {
        kernel.close(socket);
    }
    kernel.jail_remove(jail.1).unwrap();
    assert!(gone_soon(&kernel, jail.1));
}

#[test]
fn sysctls_of_a_jail_are_its_own() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-sysctls");
    let sysctls = vec![
        Sysctl::read("security.jail.jailed"),
        Sysctl::read("no.such.name"),
        Sysctl::read(Oid::Numbers(vec![4, 17, 0, 0, 5, 0])),
        Sysctl::write_int("net.inet.ip.ttl", 17),
        Sysctl::read("net.inet.ip.ttl"),
        Sysctl::read("kern.bootfile"),
    ];
    let entered = kernel.enter(&entry(Target::Existing(jail.1)).with_sysctls(sysctls)).unwrap();
    assert!(entered.sockets.is_none());
    let answers = entered.answers;
    assert_eq!(int(answers[0].as_ref().unwrap()), 1);
    assert_eq!(answers[1].as_ref().unwrap_err().errno, Errno::ENOENT);
    // The answer is one interface, lo0, without an address.
    assert_eq!(answers[2].as_ref().unwrap().len(), 232);
    assert_eq!(int(answers[4].as_ref().unwrap()), 17);
    assert_ne!(int(&kernel.sysctl(&Sysctl::read("net.inet.ip.ttl")).unwrap()), 17);
    assert!(answers[5].as_ref().unwrap().ends_with(b"\0"));
}

#[test]
fn large_answers_come_whole() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "jw-large");
    // Each answer is larger than a socket's buffer, and together they are more than a megabyte.
    let sysctls = vec![Sysctl::read("vm.zone_stats"); 50];
    let entered = kernel.enter(&entry(Target::Existing(jail.1)).with_sysctls(sysctls)).unwrap();
    for answer in entered.answers {
        // The answer has a head of 16 bytes with the number of zones, then the zones, each with its name.
        let answer = answer.unwrap();
        assert!(answer.len() > 16 << 10);
        let name = b"malloc-16\0";
        assert!(answer.windows(name.len()).any(|window| window == name));
    }
}

#[test]
fn jail_descriptors_and_queues_are_not_for_programs() {
    let Some(kernel) = kernel() else { return };
    let jail = Jail::new(&kernel, "backend-descriptor");
    let mut asked = [Parameter::int("jid", jail.1)];
    if release(&kernel) < 1_500_000 {
        let refused = kernel.jail_get_jd(&mut asked, sys::JAIL_GET_DESC, None).unwrap_err();
        assert_eq!(refused.errno, Errno::EINVAL);
        return;
    }
    let (jid, descriptor) = kernel.jail_get_jd(&mut asked, sys::JAIL_GET_DESC, None).unwrap();
    assert_eq!(jid, jail.1);
    let descriptor = descriptor.unwrap();
    // The descriptor is the only open file with this number that is in no file system.
    let is_it = |number: &i32| {
        // SAFETY: a stat is plain numbers, and fstat(2) writes one.
        let mut status: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let there = unsafe { libc::fstat(*number, &raw mut status) } == 0;
        there && status.st_ino as i32 == jail.1 && status.st_dev == 0 && status.st_nlink == 0
    };
    let numbers: Vec<i32> = (0..4096).filter(is_it).collect();
    assert_eq!(numbers.len(), 1, "{numbers:?}");
    // SAFETY: fcntl(2) F_GETFD takes numbers only.
    let flags = unsafe { libc::fcntl(numbers[0], libc::F_GETFD) };
    assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    kernel.close(descriptor);
    assert_eq!((0..4096).filter(is_it).count(), 0);
}

#[test]
fn a_jail_is_entered_through_its_descriptor_and_ends() {
    let Some(kernel) = kernel() else { return };
    if release(&kernel) < 1_500_000 {
        return;
    }
    let jail = Jail::new(&kernel, "backend-entered");
    let mut asked = [Parameter::int("jid", jail.1)];
    let descriptor = kernel.jail_get_jd(&mut asked, sys::JAIL_GET_DESC, None).unwrap().1.unwrap();
    // Many threads enter at the same time, as in the test with a jid.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let entered = kernel.enter(&entry(Target::Descriptor(descriptor))).unwrap();
                assert_eq!(entered.jid, jail.1);
                for socket in entered.sockets.map(|s| [s.inet, s.inet6, s.route]).into_iter().flatten() {
                    kernel.close(socket);
                }
            });
        }
    });
    kernel.jail_remove_jd(descriptor).unwrap();
    // No process stays behind in the jail. With jail_attach_jd(2) of 15.1, one would.
    let begin = kernel.now();
    while kernel.jail_get(&mut [Parameter::int("jid", jail.1)], sys::JAIL_DYING).is_ok() {
        assert!(kernel.now() - begin < SOON, "it is dying still");
        kernel.sleep(Duration::from_millis(5));
    }
    let dead = kernel.enter(&entry(Target::Descriptor(descriptor))).unwrap_err();
    assert_eq!((dead.errno, dead.text.as_deref()), (Errno::ENOENT, Some("descriptor to dead jail")));
    kernel.close(descriptor);
}
