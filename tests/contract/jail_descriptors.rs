//! Jail descriptors on FreeBSD 15, and the errors that FreeBSD 14 returns.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jailwire::jail::{self, JailParameters, JailReference};
use jailwire::kernel::{Domain, Errno, Handle, Kernel, Parameter, Sysctl};
use jailwire::{ErrorKind, Jid};
use jailwire_sys::*;

use crate::support::{Host, Refused, SOON};

/// A reference to a jail that is removed when the test ends. It holds a descriptor where the kernel has jail
/// descriptors.
fn reference(host: &Host) -> JailReference {
    let parameters = JailParameters::new(&host.jail_name()).path(Path::new("/")).set("children.max", 5);
    let reference = JailReference::create(&host.kernel, &parameters).unwrap();
    host.remember(reference.jid());
    reference
}

/// Opens another descriptor of a jail, on FreeBSD 15.
fn descriptor(host: &Host, jid: Jid, flags: i32) -> Handle {
    let mut asked = [Parameter::int("jid", jid.get())];
    host.kernel.jail_get_jd(&mut asked, flags, None).unwrap().1.unwrap()
}

fn is_there(host: &Host, jid: Jid) -> bool {
    jail::get(&*host.kernel, jid).unwrap().is_some()
}

#[test]
fn the_kernel_says_whether_it_has_them() {
    let host = Host::new();
    assert_eq!(jail::has_descriptors(&*host.kernel).unwrap(), host.is_15());
    let jid = host.plain_jail();
    // Without the parameter `desc`, the flags alone decide: jail_get(2), jail_set(2).
    for flags in [JAIL_AT_DESC, JAIL_GET_DESC, JAIL_OWN_DESC] {
        let asked = host.kernel.jail_get(&mut [Parameter::int("jid", jid.get())], flags);
        let set = host.kernel.jail_set(&[Parameter::int("jid", jid.get())], JAIL_UPDATE | flags);
        if host.is_15() {
            asked.refused_saying(Errno::ENOENT, "missing desc");
            set.refused_saying(Errno::ENOENT, "missing desc");
        } else {
            asked.refused(Errno::EINVAL);
            set.refused(Errno::EINVAL);
        }
    }
    // FreeBSD 15 ignores this flag, and answers by the jid.
    let used = host.kernel.jail_get(&mut [Parameter::int("jid", jid.get())], JAIL_USE_DESC);
    if host.is_15() { assert_eq!(used.unwrap(), jid.get()) } else { used.refused(Errno::EINVAL) }
}

#[test]
fn what_a_jail_was_told_of_the_release_is_not_believed() {
    let host = Host::new();
    let other = if host.is_15() { 1_402_000 } else { 1_501_000 };
    let parameters = JailParameters::new(&host.jail_name()).path(Path::new("/")).set("osreldate", other);
    let jid = host.jail(parameters);
    host.inside(jid, |kernel| {
        let told = kernel.sysctl(&Sysctl::read("kern.osreldate")).unwrap();
        assert_eq!(told, other.to_ne_bytes());
        assert_eq!(jail::has_descriptors(&*kernel).unwrap(), other == 1_402_000);
        // Calling a system call that does not exist would end this process.
        let none = if other == 1_402_000 { Errno::EINVAL } else { Errno::ENOSYS };
        let socket = kernel.socket(Domain::Local).unwrap();
        kernel.jail_remove_jd(socket).refused(none);
        kernel.close(socket);
    });
}

#[test]
fn before_15_there_are_none() {
    let host = Host::new();
    if host.is_15() {
        return;
    }
    let jid = host.plain_jail();
    let mut asked = [Parameter::int("jid", jid.get())];
    host.kernel.jail_get_jd(&mut asked, JAIL_GET_DESC, None).refused(Errno::EINVAL);
    let parameters = [Parameter::string("name", &host.jail_name()), Parameter::flag("persist")];
    host.kernel.jail_set_jd(&parameters, JAIL_CREATE | JAIL_OWN_DESC, None).refused(Errno::EINVAL);
    // The library does not pass these calls to the kernel, because a system call that does not exist would end the
    // process.
    host.kernel.jail_remove_jd(host.inet).refused(Errno::ENOSYS);
    let owned = JailReference::create_owned(&host.kernel, &JailParameters::new(&host.jail_name()));
    assert_eq!(owned.unwrap_err().kind(), ErrorKind::Unsupported);
    // On FreeBSD 14 a reference holds a jid only.
    let found = JailReference::find(&host.kernel, jid).unwrap().unwrap();
    assert!(!found.is_descriptor());
    assert_eq!(found.info().unwrap().unwrap().jid, jid);
    assert_eq!(found.remove(), Ok(()));
}

#[test]
fn a_jail_is_made_found_changed_and_removed_by_reference() {
    let host = Host::new();
    let made = reference(&host);
    assert_eq!(made.is_descriptor(), host.is_15());
    let info = made.info().unwrap().unwrap();
    assert_eq!(info.jid, made.jid());
    let found = JailReference::find(&host.kernel, info.name.as_str()).unwrap().unwrap();
    assert_eq!(found.jid(), made.jid());
    made.update(&JailParameters::default().hostname("changed")).unwrap();
    assert_eq!(found.info().unwrap().unwrap().hostname, "changed");
    found.remove().unwrap();
    assert_eq!(made.info().unwrap(), None);
    jail::wait_gone(&*host.kernel, made.jid(), SOON).unwrap();
    assert!(JailReference::find(&host.kernel, info.name.as_str()).unwrap().is_none());
}

#[test]
fn a_network_stack_is_entered_by_reference() {
    let host = Host::new();
    let parameters = JailParameters::new(&host.jail_name()).path(Path::new("/")).vnet();
    let jail = JailReference::create(&host.kernel, &parameters).unwrap();
    host.remember(jail.jid());
    let vnet = jail.enter().unwrap();
    assert_eq!(vnet.jid(), Some(jail.jid()));
    let names: Vec<_> = vnet.links().unwrap().iter().map(|link| link.name.to_string()).collect();
    assert_eq!(names, ["lo0"]);
    // The sockets inside keep the jail dying. The reference does not.
    jail.remove().unwrap();
    drop(vnet);
    jail::wait_gone(&*host.kernel, jail.jid(), SOON).unwrap();
}

#[test]
fn a_descriptor_is_dead_from_the_removal_on() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let jid = host.vnet_jail();
    let jail = JailReference::find(&host.kernel, jid).unwrap().unwrap();
    let handle = descriptor(&host, jid, JAIL_GET_DESC);
    // A socket keeps the jail dying.
    let vnet = host.enter(jid);
    assert!(!host.kernel.wait(handle, Duration::ZERO).unwrap());
    jail::remove(&*host.kernel, jid).unwrap();
    assert!(host.kernel.wait(handle, SOON).unwrap());
    let gone = (Errno::ENOENT, "descriptor to dead jail");
    for flags in [JAIL_USE_DESC, JAIL_USE_DESC | JAIL_DYING, JAIL_AT_DESC] {
        let mut asked = [Parameter::int("jid", 0)];
        host.kernel.jail_get_jd(&mut asked, flags, Some(handle)).refused_saying(gone.0, gone.1);
    }
    let update = host.kernel.jail_set_jd(&[], JAIL_UPDATE | JAIL_USE_DESC, Some(handle));
    update.refused_saying(gone.0, gone.1);
    host.kernel.jail_remove_jd(handle).refused(Errno::ENOENT);
    assert_eq!(jail.enter().unwrap_err().errno(), Some(Errno::ENOENT));
    assert_eq!(jail.remove().unwrap_err().kind(), ErrorKind::NotFound);
    // The descriptor does not keep the jail dying.
    drop(vnet);
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    host.kernel.close(handle);
}

#[test]
fn the_last_close_of_an_owning_descriptor_removes_the_jail() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let parameters = JailParameters::new(&host.jail_name()).path(Path::new("/"));
    let owned = JailReference::create_owned(&host.kernel, &parameters).unwrap();
    let jid = owned.jid();
    host.remember(jid);
    // Closing a descriptor that does not own the jail has no consequences.
    host.kernel.close(descriptor(&host, jid, JAIL_GET_DESC));
    assert!(is_there(&host, jid));
    drop(owned);
    assert!(!is_there(&host, jid));
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();

    // An owning descriptor can be opened for a jail that exists already.
    let jid = host.plain_jail();
    let handle = descriptor(&host, jid, JAIL_OWN_DESC);
    assert!(is_there(&host, jid));
    host.kernel.close(handle);
    assert!(!is_there(&host, jid));
}

#[test]
fn an_owning_descriptor_does_not_stand_for_persist() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let name = host.jail_name();
    let parameters = [Parameter::string("name", &name), Parameter::string("path", "/")];
    host.kernel
        .jail_set_jd(&parameters, JAIL_CREATE | JAIL_OWN_DESC, None)
        .refused_saying(Errno::EINVAL, "new jail must persist or attach");
    assert_eq!(jail::find(&*host.kernel, &name).unwrap(), None);
}

#[test]
fn jails_are_made_and_seen_from_the_jail_of_a_descriptor() {
    let host = Host::new();
    let above = reference(&host);
    let child = above.create_child(&JailParameters::new("kid").path(Path::new("/"))).unwrap();
    let name = format!("{}.kid", above.info().unwrap().unwrap().name);
    assert_eq!(child.info().unwrap().unwrap().name, name);
    assert_eq!(jail::find(&*host.kernel, &name).unwrap(), Some(child.jid()));
    if host.is_15() {
        let at = descriptor(&host, above.jid(), JAIL_GET_DESC);
        let mut asked = [Parameter::string("name", "kid"), Parameter::int("parent", 9)];
        let (jid, made) = host.kernel.jail_get_jd(&mut asked, JAIL_AT_DESC, Some(at)).unwrap();
        assert_eq!((jid, made), (child.jid().get(), None));
        assert_eq!(asked[1], Parameter::int("parent", 0));
        // A process in the parent jail does not see that jail itself.
        let mut asked = [Parameter::int("jid", above.jid().get())];
        host.kernel.jail_get_jd(&mut asked, JAIL_AT_DESC, Some(at)).refused(Errno::ENOENT);
        host.kernel.close(at);
        // A jail without leave to have children cannot create any.
        let none = child.create_child(&JailParameters::new("grandkid").path(Path::new("/")));
        assert_eq!(none.unwrap_err().errno(), Some(Errno::EPERM));
    }
    above.remove().unwrap();
    assert_eq!(child.info().unwrap(), None);
}

#[test]
fn what_is_no_descriptor_is_refused() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let jid = host.plain_jail();
    let key = || [Parameter::int("jid", jid.get())];
    for flags in [JAIL_USE_DESC, JAIL_AT_DESC] {
        // A socket and a closed descriptor are no jail descriptors.
        let words = "not a jail descriptor";
        host.kernel.jail_get_jd(&mut key(), flags, Some(host.inet)).refused_saying(Errno::EINVAL, words);
        host.kernel.jail_get_jd(&mut key(), flags, None).refused_saying(Errno::EBADF, words);
    }
    host.kernel.jail_get_jd(&mut key(), 0, None).refused_saying(Errno::EINVAL, "unexpected desc");
    host.kernel.jail_get_jd(&mut key(), JAIL_USE_DESC | JAIL_AT_DESC, None).refused(Errno::EINVAL);
    host.kernel.jail_remove_jd(host.inet).refused(Errno::EINVAL);
    host.kernel.jail_remove_jd(Handle(u64::MAX)).refused(Errno::EBADF);
    let handle = descriptor(&host, jid, JAIL_GET_DESC);
    host.kernel
        .jail_set_jd(&[Parameter::flag("persist")], JAIL_CREATE | JAIL_USE_DESC, Some(handle))
        .refused_saying(Errno::EEXIST, &format!("jail {jid} already exists"));
    let other = [Parameter::int("jid", jid.get() % 999_999 + 1)];
    host.kernel
        .jail_set_jd(&other, JAIL_UPDATE | JAIL_USE_DESC, Some(handle))
        .refused_saying(Errno::EINVAL, "cannot change jid");
    host.kernel.close(handle);
}

#[test]
fn a_descriptor_allows_what_its_maker_may_do() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let jid = host.plain_jail();
    host.unprivileged(|kernel| {
        let mut asked = [Parameter::int("jid", jid.get())];
        kernel.jail_get_jd(&mut asked, JAIL_OWN_DESC, None).refused(Errno::EPERM);
        // Reading is allowed.
        let kernel: Arc<dyn Kernel> = kernel;
        let reference = JailReference::find(&kernel, jid).unwrap().unwrap();
        assert_eq!(reference.info().unwrap().unwrap().jid, jid);
        assert_eq!(reference.remove().unwrap_err().errno(), Some(Errno::EPERM));
        let nothing = JailParameters::default().hostname("mine");
        assert_eq!(reference.update(&nothing).unwrap_err().errno(), Some(Errno::EPERM));
    });
    assert!(is_there(&host, jid));
}
