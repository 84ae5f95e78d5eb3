//! Removing jails, and what keeps them.

use std::path::Path;
use std::time::Duration;

use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{Errno, Parameter};
use jailwire::{Jid, Vnet};
use jailwire_sys as sys;

use crate::support::{Host, Refused, SOON, n};

fn gone(host: &Host, jid: Jid) {
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
}

#[test]
fn a_removed_jail_goes() {
    let host = Host::new();
    let jid = host.vnet_jail();
    jail::remove(&*host.kernel, jid).unwrap();
    gone(&host, jid);
    assert_eq!(jail::get(&*host.kernel, jid).unwrap(), None);
    jail::remove(&*host.kernel, jid).refused(Errno::EINVAL);
}

#[test]
fn what_is_not_there_cannot_be_removed() {
    let host = Host::new();
    host.kernel.jail_remove(999_990).refused(Errno::EINVAL);
    host.kernel.jail_remove(0).refused(Errno::EINVAL);
    host.kernel.jail_remove(-1).refused(Errno::EINVAL);
}

#[test]
fn jails_below_go_along() {
    let host = Host::new();
    let name = host.jail_name();
    let parent = host.jail(JailParameters::new(&name).path(Path::new("/")).vnet().set("children.max", 5));
    let child = host.jail(JailParameters::new(&format!("{name}.below")).path(Path::new("/")).vnet());
    jail::remove(&*host.kernel, parent).unwrap();
    gone(&host, child);
    gone(&host, parent);
}

#[test]
fn processes_are_killed() {
    let host = Host::new();
    let parameters = JailParameters::new(&host.jail_name()).path(Path::new("/")).vnet();
    let held = jail::create_held(&host.kernel, &parameters).unwrap();
    let jid = held.jid();
    jail::remove(&*host.kernel, jid).unwrap();
    assert_eq!(jail::get(&*host.kernel, jid).unwrap(), None);
    drop(held);
    gone(&host, jid);
}

#[test]
fn a_socket_keeps_a_jail_dying_and_works() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let name = jail::get(&*host.kernel, jid).unwrap().unwrap().name;
    let inside: Vnet = host.enter(jid);
    jail::remove(&*host.kernel, jid).unwrap();
    assert_eq!(jail::get(&*host.kernel, jid).unwrap(), None);
    assert_eq!(jail::find(&*host.kernel, &name).unwrap(), None);
    let dying = jail::list(&*host.kernel, true).unwrap().into_iter().find(|jail| jail.jid == jid).unwrap();
    assert!(dying.dying && !dying.persist);
    let pair = inside.create_epair().unwrap();
    inside.rename(&pair.a, &n("web")).unwrap();
    // No process can enter a dying jail.
    Vnet::enter(host.kernel.clone(), jid).refused(Errno::EINVAL);
    // Removing a dying jail again succeeds.
    jail::remove(&*host.kernel, jid).unwrap();
    jail::wait_gone(&*host.kernel, jid, Duration::from_millis(50)).refused(Errno::ETIMEDOUT);
    drop(inside);
    gone(&host, jid);
}

#[test]
fn the_name_of_a_dying_jail_is_free() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let name = jail::get(&*host.kernel, jid).unwrap().unwrap().name;
    let inside = host.enter(jid);
    jail::remove(&*host.kernel, jid).unwrap();
    let again = host.jail(JailParameters::new(&name).path(Path::new("/")));
    assert_ne!(again, jid);
    assert_eq!(jail::find(&*host.kernel, &name).unwrap(), Some(again));
    drop(inside);
    gone(&host, jid);
}

#[test]
fn the_number_of_a_dying_jail() {
    // Confirmed: FreeBSD 15 gives the number to a new jail. The dying jail has the number 999999 from then on, and
    // the next such jail since the start of the machine 999998.
    let host = Host::new();
    let jid = host.vnet_jail();
    let inside = host.enter(jid);
    jail::remove(&*host.kernel, jid).unwrap();
    let parameters = [
        Parameter::int("jid", jid.get()),
        Parameter::string("name", &host.jail_name()),
        Parameter::string("path", "/"),
        Parameter::flag("persist"),
    ];
    let made = host.kernel.jail_set(&parameters, sys::JAIL_CREATE);
    if host.is_15() {
        assert_eq!(made.unwrap(), jid.get());
        let all = jail::list(&*host.kernel, true).unwrap();
        let renumbered =
            all.iter().find(|jail| jail.jid.get() > 999_000 && jail.dying).expect("a dying jail");
        drop(inside);
        gone(&host, renumbered.jid);
    } else {
        made.refused_saying(Errno::EEXIST, &format!("jail {jid} already exists"));
        drop(inside);
        gone(&host, jid);
    }
}

#[test]
fn a_dying_jail_is_not_changed() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let name = jail::get(&*host.kernel, jid).unwrap().unwrap().name;
    let inside = host.enter(jid);
    jail::remove(&*host.kernel, jid).unwrap();
    let is = if host.is_15() { "not found" } else { "is dying" };
    let update = |key: Parameter| host.kernel.jail_set(&[key, Parameter::flag("persist")], sys::JAIL_UPDATE);
    update(Parameter::int("jid", jid.get())).refused_saying(Errno::ENOENT, &format!("jail {jid} {is}"));
    update(Parameter::string("name", &name)).refused_saying(Errno::ENOENT, &format!("jail \"{name}\" {is}"));
    drop(inside);
    gone(&host, jid);
}

#[test]
fn a_dying_jail_can_be_brought_back_on_14() {
    // Why the library never passes JAIL_DYING to jail_set.
    let host = Host::new();
    let jid = host.vnet_jail();
    let inside = host.enter(jid);
    jail::remove(&*host.kernel, jid).unwrap();
    let parameters = [Parameter::int("jid", jid.get()), Parameter::flag("persist")];
    let updated = host.kernel.jail_set(&parameters, sys::JAIL_UPDATE | sys::JAIL_DYING);
    if host.is_15() {
        updated.refused(Errno::ENOENT);
    } else {
        assert_eq!(updated.unwrap(), jid.get());
        assert!(!jail::get(&*host.kernel, jid).unwrap().unwrap().dying);
        jail::remove(&*host.kernel, jid).unwrap();
    }
    drop(inside);
    gone(&host, jid);
}

#[test]
fn any_order_of_taking_down_works() {
    let host = Host::new();
    for order in [
        "close remove destroy",
        "close destroy remove",
        "remove destroy close",
        "reclaim destroy remove close",
    ] {
        let jid = host.vnet_jail();
        let (pair, bridge) = (host.create_epair().unwrap(), host.create_bridge().unwrap());
        host.add_member(&bridge, &pair.a).unwrap();
        host.lend(&pair.b, jid).unwrap();
        let mut inside = Some(host.enter(jid));
        for step in order.split(' ') {
            match step {
                "close" => inside = None,
                "remove" => jail::remove(&*host.kernel, jid).unwrap(),
                "reclaim" => host.reclaim(&pair.b, jid).unwrap(),
                "destroy" => {
                    // The interface may be on its way back to the host.
                    host.destroy(&pair.a).unwrap();
                }
                other => panic!("{other}"),
            }
        }
        drop(inside);
        gone(&host, jid);
        assert_eq!(host.members(&bridge).unwrap(), [], "{order}");
        for end in [pair.a, pair.b] {
            assert!(!host.has_interface(&end).unwrap(), "{order}");
        }
    }
}

#[test]
fn nobody_but_root_removes() {
    let host = Host::new();
    let jid = host.plain_jail();
    host.unprivileged(|kernel| {
        kernel.jail_remove(jid.get()).refused(Errno::EPERM);
        let parameters = [Parameter::string("path", "/"), Parameter::flag("persist")];
        kernel.jail_set(&parameters, sys::JAIL_CREATE).refused(Errno::EPERM);
        let parameters = [Parameter::int("jid", jid.get()), Parameter::flag("nopersist")];
        kernel.jail_set(&parameters, sys::JAIL_UPDATE).refused(Errno::EPERM);
    });
    assert!(jail::get(&*host.kernel, jid).unwrap().is_some());
}
