//! Creating and changing jails: the parameters, and the kernel's messages when it refuses them.

use std::path::Path;

use jailwire::jail::{self, JailParameters, JailSystem};
use jailwire::kernel::{Errno, Parameter};
use jailwire::{Jid, Vnet};
use jailwire_sys as sys;

use crate::support::{Host, Refused, SOON, n};

fn named(host: &Host) -> JailParameters {
    JailParameters::new(&host.jail_name()).path(Path::new("/"))
}

/// Calls jail_set(2) with parameters that the library would not pass. The jail that it creates is removed when the
/// test ends.
fn set(host: &Host, flags: i32, parameters: &[Parameter]) -> jailwire::kernel::Result<i32> {
    let jid = host.kernel.jail_set(parameters, flags)?;
    host.remember(Jid::new(jid).unwrap());
    Ok(jid)
}

fn create(host: &Host, parameters: &[Parameter]) -> jailwire::kernel::Result<i32> {
    let mut all = vec![Parameter::string("path", "/"), Parameter::flag("persist")];
    all.extend_from_slice(parameters);
    set(host, sys::JAIL_CREATE, &all)
}

#[test]
fn a_jail_stays_without_a_process() {
    let host = Host::new();
    let name = host.jail_name();
    let parameters = JailParameters::new(&name).path(Path::new("/")).hostname("web.example.org").vnet();
    let jid = jail::create(&*host.kernel, &parameters).unwrap();
    host.remember(jid);
    let seen = jail::get(&*host.kernel, jid).unwrap().unwrap();
    assert_eq!((seen.jid, seen.name.as_str(), seen.path.as_path()), (jid, name.as_str(), Path::new("/")));
    assert_eq!(
        (seen.hostname.as_str(), seen.vnet, seen.persist, seen.dying),
        ("web.example.org", true, true, false)
    );
}

#[test]
fn a_jid_is_the_next_after_the_last() {
    let host = Host::new();
    let first = host.vnet_jail().get();
    let second = host.plain_jail().get();
    // Other tests make jails, too.
    assert!(second > first);
    // A jid that the caller chooses does not change the next automatic jid.
    let asked = second + 1000;
    let jid =
        create(&host, &[Parameter::int("jid", asked), Parameter::string("name", &host.jail_name())]).unwrap();
    assert_eq!(jid, asked);
    let third = host.plain_jail().get();
    assert!(third > second && third < asked, "{third}");
}

#[test]
fn without_a_name_it_is_called_by_its_number() {
    let host = Host::new();
    let jid = create(&host, &[]).unwrap();
    let seen = jail::get(&*host.kernel, Jid::new(jid).unwrap()).unwrap().unwrap();
    assert_eq!(seen.name, jid.to_string());
}

#[test]
fn a_number_is_a_jid() {
    let host = Host::new();
    let jid = create(&host, &[Parameter::string("name", "777123")]).unwrap();
    assert_eq!(jid, 777_123);
    let words = "name cannot be numeric (unless it is the jid)";
    let both = [Parameter::string("name", "777125"), Parameter::int("jid", 777_124)];
    create(&host, &both).refused_saying(Errno::EINVAL, words);
}

#[test]
fn names_and_jids_are_taken_once() {
    let host = Host::new();
    let name = host.jail_name();
    let jid = create(&host, &[Parameter::string("name", &name)]).unwrap();
    let words = format!("jail \"{name}\" already exists");
    create(&host, &[Parameter::string("name", &name)]).refused_saying(Errno::EEXIST, &words);
    let words = format!("jail {jid} already exists");
    create(&host, &[Parameter::int("jid", jid)]).refused_saying(Errno::EEXIST, &words);
}

#[test]
fn refusals_with_words() {
    let host = Host::new();
    let name = host.jail_name();
    let with = |parameters: &[Parameter]| {
        let mut all = vec![Parameter::string("name", &name)];
        all.extend_from_slice(parameters);
        create(&host, &all)
    };
    let only = |flags| set(&host, flags, &[Parameter::string("name", &name), Parameter::string("path", "/")]);
    only(0).refused_saying(Errno::EINVAL, "no valid operation (create or update)");
    only(sys::JAIL_CREATE).refused_saying(Errno::EINVAL, "new jail must persist or attach");
    let missing = format!("jail \"{name}\" not found");
    let update = set(&host, sys::JAIL_UPDATE, &[Parameter::string("name", &name)]);
    update.refused_saying(Errno::ENOENT, &missing);
    let update = set(&host, sys::JAIL_UPDATE, &[Parameter::flag("persist")]);
    update.refused_saying(Errno::ENOENT, "update specified no jail");
    with(&[Parameter::int("vnet", 1), Parameter::bytes("ip4.addr", [10, 0, 0, 1])])
        .refused_saying(Errno::EINVAL, "vnet jails cannot have IP address restrictions");
    with(&[Parameter::int("jid", -1)]).refused_saying(Errno::EINVAL, "negative jid");
    with(&[Parameter::string("osrelease", &"x".repeat(32))])
        .refused_saying(Errno::ENAMETOOLONG, "osrelease string must be 1-31 bytes long");
    create(&host, &[Parameter::string("name", "contract-nobody.child")])
        .refused_saying(Errno::ENOENT, "jail \"contract-nobody\" not found");
    with(&[Parameter::int("nosuch", 1)]).refused_saying(Errno::EINVAL, "unknown parameter: nosuch");
    with(&[Parameter::string("exec.start", "x")])
        .refused_saying(Errno::EINVAL, "unknown parameter: exec.start");
    assert_eq!(jail::find(&*host.kernel, &name).unwrap(), None);
}

#[test]
fn refusals_without_words() {
    let host = Host::new();
    let with = |parameters: &[Parameter]| {
        let mut all = vec![Parameter::string("name", &host.jail_name())];
        all.extend_from_slice(parameters);
        create(&host, &all)
    };
    with(&[Parameter::int("vnet", 0)]).refused_saying(Errno::EINVAL, "");
    with(&[Parameter::int("enforce_statfs", 99)]).refused_saying(Errno::EINVAL, "");
    with(&[Parameter::int("devfs_ruleset", 99_999)]).refused_saying(Errno::EINVAL, "");
    with(&[Parameter::bytes("ip4.addr", [0, 0, 0, 0])]).refused_saying(Errno::EINVAL, "");
    with(&[Parameter::bytes("ip4.addr", [255, 255, 255, 255])]).refused_saying(Errno::EINVAL, "");
    with(&[Parameter::bytes("ip4.addr", [10, 0, 0])]).refused_saying(Errno::EINVAL, "");
    with(&[Parameter::bytes("children.max", [0, 0])]).refused_saying(Errno::EINVAL, "");
    with(&[Parameter::bytes("host.hostname", *b"x")]).refused_saying(Errno::EINVAL, "");
    let flags = sys::JAIL_CREATE | 0x100;
    set(&host, flags, &[Parameter::flag("persist")]).refused_saying(Errno::EINVAL, "");
}

#[test]
fn only_some_things_can_be_changed() {
    let host = Host::new();
    let jid = host.vnet_jail();
    jail::update(&*host.kernel, jid, &JailParameters::default().hostname("new.example.org")).unwrap();
    assert_eq!(jail::get(&*host.kernel, jid).unwrap().unwrap().hostname, "new.example.org");
    let update = |parameter| set(&host, sys::JAIL_UPDATE, &[Parameter::int("jid", jid.get()), parameter]);
    let words = "vnet cannot be changed after creation";
    update(Parameter::int("vnet", 1)).refused_saying(Errno::EINVAL, words);
    update(Parameter::string("path", "/"))
        .refused_saying(Errno::EINVAL, "path cannot be changed after creation");
    let missing = JailParameters::default().hostname("x");
    jail::update(&*host.kernel, Jid::new(999_997).unwrap(), &missing)
        .refused_saying(Errno::ENOENT, "jail 999997 not found");
}

#[test]
fn a_name_can_be_changed() {
    let host = Host::new();
    let jid = host.plain_jail();
    let name = host.jail_name();
    jail::update(&*host.kernel, jid, &JailParameters::new(&name)).unwrap();
    assert_eq!(jail::find(&*host.kernel, &name).unwrap(), Some(jid));
}

#[test]
fn flags_have_two_names() {
    let host = Host::new();
    let jid = host.jail(named(&host).set("allow.raw_sockets", true).set("allow.set_hostname", false));
    let read = |name: &str| jail::read_int(&*host.kernel, jid, name).unwrap().unwrap();
    assert_eq!((read("allow.raw_sockets"), read("allow.noraw_sockets")), (1, 0));
    assert_eq!((read("allow.set_hostname"), read("allow.noset_hostname")), (0, 1));
    jail::update(&*host.kernel, jid, &JailParameters::default().set("allow.raw_sockets", false)).unwrap();
    assert_eq!(read("allow.raw_sockets"), 0);
}

#[test]
fn without_persist_and_processes_it_goes() {
    let host = Host::new();
    let jid = host.plain_jail();
    jail::update(&*host.kernel, jid, &JailParameters::default().set("persist", false)).unwrap();
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
}

#[test]
fn children_need_room() {
    let host = Host::new();
    let name = host.jail_name();
    let parent = host.jail(JailParameters::new(&name).path(Path::new("/")).set("children.max", 1));
    let child = format!("{name}.child");
    let jid = host.jail(JailParameters::new(&child).path(Path::new("/")));
    assert_eq!(jail::find(&*host.kernel, &child).unwrap(), Some(jid));
    assert_eq!(jail::read_int(&*host.kernel, parent, "children.cur").unwrap(), Some(1));
    // The limit binds processes in the jail. The processes above the jail may create more children.
    let second = [Parameter::string("name", &format!("{name}.second"))];
    create(&host, &second).unwrap();
    host.inside(parent, |kernel| {
        let parameters = [Parameter::string("path", "/"), Parameter::flag("persist")];
        let words = "prison limit exceeded";
        kernel.jail_set(&parameters, sys::JAIL_CREATE).refused_saying(Errno::EPERM, words);
    });
    let childless = host.jail(JailParameters::new(&host.jail_name()).path(Path::new("/")));
    host.inside(childless, |kernel| {
        let parameters = [Parameter::string("path", "/"), Parameter::flag("persist")];
        kernel.jail_set(&parameters, sys::JAIL_CREATE).refused_saying(Errno::EPERM, "");
    });
}

#[test]
fn addresses_of_jails_that_share_a_stack() {
    let host = Host::new();
    let one = vec![ip("10.99.0.1"), ip("10.99.0.2")];
    let jid = host.jail(named(&host).set("ip4.addr", one.clone()));
    assert_eq!(jail::addresses(&*host.kernel, jid).unwrap(), Some((one.clone(), vec![])));
    // Jails with one address each may share the address. Jails with several addresses may not.
    let words = "IPv4 addresses clash";
    create(&host, &[Parameter::bytes("ip4.addr", [10, 99, 0, 2])]).refused_saying(Errno::EADDRINUSE, words);
    let single = named(&host).set("ip4.addr", vec![ip("10.99.0.9")]);
    host.jail(single.clone());
    host.jail(single.set("name", host.jail_name().as_str()));
    // The list of addresses can be changed. The parameter `ip4` cannot be changed.
    let two = vec![ip("10.99.0.3")];
    jail::update(&*host.kernel, jid, &JailParameters::default().set("ip4.addr", two.clone())).unwrap();
    assert_eq!(jail::addresses(&*host.kernel, jid).unwrap(), Some((two, vec![])));
    let words = "ip4 cannot be changed after creation";
    let update = [Parameter::int("jid", jid.get()), Parameter::int("ip4", 2)];
    set(&host, sys::JAIL_UPDATE, &update).refused_saying(Errno::EINVAL, words);
}

fn ip(text: &str) -> std::net::Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn the_first_address_stays_the_first() {
    let host = Host::new();
    let list = vec![ip("10.99.0.9"), ip("10.99.0.3"), ip("10.99.0.5"), ip("10.99.0.1")];
    let jid = host.jail(named(&host).set("ip4.addr", list));
    // The first address keeps its place, and the others are sorted.
    let seen = jail::addresses(&*host.kernel, jid).unwrap().unwrap().0;
    assert_eq!(seen, [ip("10.99.0.9"), ip("10.99.0.1"), ip("10.99.0.3"), ip("10.99.0.5")]);
    let six: Vec<std::net::Ipv6Addr> = vec!["fd99::1".parse().unwrap()];
    let jid = host.jail(named(&host).set("ip6.addr", six.clone()));
    assert_eq!(jail::addresses(&*host.kernel, jid).unwrap(), Some((vec![], six)));
}

#[test]
fn a_ruleset_need_not_exist() {
    let host = Host::new();
    let jid = host.jail(named(&host).set("devfs_ruleset", 7777));
    assert_eq!(jail::read_int(&*host.kernel, jid, "devfs_ruleset").unwrap(), Some(7777));
}

#[test]
fn a_host_of_its_own() {
    let host = Host::new();
    let uuid = "00112233-4455-6677-8899-aabbccddeeff";
    let jid =
        host.jail(named(&host).set("host.hostuuid", uuid).set("host.hostid", jail::JailValue::Long(77)));
    let text = |name: &str| jail::read_string(&*host.kernel, jid, name).unwrap().unwrap();
    assert_eq!(text("host.hostuuid"), uuid);
    assert_eq!(jail::read(&*host.kernel, jid, "host.hostid").unwrap().unwrap(), 77_u64.to_ne_bytes());
    assert_eq!(jail::read_int(&*host.kernel, jid, "host").unwrap(), Some(1));
    let plain = host.plain_jail();
    let zero = jail::read_string(&*host.kernel, plain, "host.hostuuid").unwrap().unwrap();
    assert_eq!(zero, "00000000-0000-0000-0000-000000000000");
    let inherits = host.jail(named(&host).set("host", JailSystem::Inherit));
    assert_eq!(jail::read_int(&*host.kernel, inherits, "host").unwrap(), Some(2));
}

#[test]
fn a_held_jail_goes_when_nobody_holds_it() {
    let host = Host::new();
    let held = jail::create_held(&host.kernel, &named(&host).vnet()).unwrap();
    let jid = held.jid();
    assert!(!jail::get(&*host.kernel, jid).unwrap().unwrap().persist);
    let pair = held.vnet().create_epair().unwrap();
    held.vnet().rename(&pair.a, &n("vnet77")).unwrap();
    host.reclaim(&n("vnet77"), jid).unwrap();
    drop(held);
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    let deadline = host.kernel.now() + SOON;
    while host.has_interface(&n("vnet77")).unwrap() {
        assert!(host.kernel.now() < deadline);
        host.kernel.sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_held_jail_stays_when_it_is_committed() {
    let host = Host::new();
    let held = jail::create_held(&host.kernel, &named(&host).vnet()).unwrap();
    let jid = held.jid();
    host.remember(jid);
    held.vnet().create_epair().unwrap();
    let inside: Vnet = held.commit().unwrap();
    let seen = jail::get(&*host.kernel, jid).unwrap().unwrap();
    assert!(seen.persist && !seen.dying);
    assert!(inside.has_interface(&n("epair0a")).unwrap());
}

#[test]
fn a_held_jail_that_cannot_be_made_says_why() {
    let host = Host::new();
    let name = host.jail_name();
    host.jail(JailParameters::new(&name).path(Path::new("/")));
    let again = JailParameters::new(&name).path(Path::new("/")).vnet();
    let words = format!("jail \"{name}\" already exists");
    jail::create_held(&host.kernel, &again).map(|held| held.jid()).refused_saying(Errno::EEXIST, &words);
    let unknown = named(&host).vnet().set("nosuch", 1);
    let words = "unknown parameter: nosuch";
    jail::create_held(&host.kernel, &unknown).map(|held| held.jid()).refused_saying(Errno::EINVAL, words);
}

#[test]
fn a_root_directory_must_be_one() {
    let host = Host::with_files();
    let directory = host.directory();
    std::fs::write(directory.join("file"), "").unwrap();
    let create = |path: &Path| {
        let parameters = JailParameters::new(&host.jail_name()).path(path);
        jail::create(&*host.kernel, &parameters).inspect(|jid| host.remember(*jid))
    };
    create(&directory.join("missing")).refused_saying(Errno::ENOENT, "");
    create(&directory.join("file")).refused_saying(Errno::ENOTDIR, "");
    let jid = create(&directory).unwrap();
    assert_eq!(jail::get(&*host.kernel, jid).unwrap().unwrap().path, directory);
}

#[test]
fn parameters_of_descriptors_came_with_15() {
    // Confirmed: EINVAL without a message on 14.2.
    const JAIL_GET_DESC: i32 = 0x40;
    let host = Host::new();
    let jid = host.plain_jail();
    let mut asked = [Parameter::int("jid", jid.get())];
    let asked = host.kernel.jail_get(&mut asked, JAIL_GET_DESC);
    if host.is_15() {
        asked.refused(Errno::ENOENT);
    } else {
        asked.refused_saying(Errno::EINVAL, "");
    }
}

#[test]
fn parameters_that_came_with_15() {
    let host = Host::new();
    for name in ["allow.routing", "allow.settime"] {
        let made = create(&host, &[Parameter::flag(name), Parameter::string("name", &host.jail_name())]);
        if host.is_15() {
            made.unwrap();
        } else {
            made.refused_saying(Errno::EINVAL, &format!("unknown parameter: {name}"));
        }
    }
}
