use super::host::{Host, SOON, host, ip4, name, net4, net6};
use jailwire::jail::devfs::{Devfs, DevfsRule};
use jailwire::jail::{self, JailParameters, mount};
use jailwire::kernel::Errno;
use jailwire::{ErrorKind, Fib, MacAddr, Mtu, Route, Vnet};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn parameters(name: &str) -> JailParameters {
    JailParameters::new(name).path(Path::new("/"))
}

#[test]
fn a_jail_is_created_read_changed_and_removed() {
    let Some(host) = host() else { return };
    let kernel = &*host.kernel;
    assert_eq!(jail::find(kernel, "typedone").unwrap(), None);
    let parameters = parameters("typedone")
        .hostname("one.example.org")
        .set("ip4.addr", vec![Ipv4Addr::new(127, 0, 0, 7), Ipv4Addr::new(127, 0, 0, 5)])
        .set("children.max", 3);
    let jid = jail::create(kernel, &parameters).unwrap();
    assert_eq!(jail::find(kernel, "typedone").unwrap(), Some(jid));
    for found in [jail::get(kernel, jid).unwrap().unwrap(), jail::get(kernel, "typedone").unwrap().unwrap()] {
        assert_eq!((found.jid, found.name.as_str()), (jid, "typedone"));
        assert_eq!((found.hostname.as_str(), found.path.as_path()), ("one.example.org", Path::new("/")));
        assert!(found.persist && !found.vnet && !found.dying);
    }
    assert!(jail::list(kernel, false).unwrap().iter().any(|found| found.jid == jid));
    assert_eq!(jail::read_int(kernel, jid, "children.max").unwrap(), Some(3));
    assert_eq!(jail::read_string(kernel, "typedone", "host.hostname").unwrap().unwrap(), "one.example.org");
    let (ipv4, ipv6) = jail::addresses(kernel, jid).unwrap().unwrap();
    assert_eq!((ipv4[0], ipv4.len(), ipv6.len()), (Ipv4Addr::new(127, 0, 0, 7), 2, 0));

    jail::update(kernel, jid, &JailParameters::default().set("allow.raw_sockets", true)).unwrap();
    assert_eq!(jail::read_int(kernel, jid, "allow.raw_sockets").unwrap(), Some(1));
    let error = jail::create(kernel, &parameters).unwrap_err();
    assert_eq!((error.errno(), error.request()), (Some(Errno::EEXIST), "jail_set"));
    assert_eq!(error.kernel_text(), Some("jail \"typedone\" already exists"));
    let error = jail::update(kernel, jid, &JailParameters::default().vnet()).unwrap_err();
    assert_eq!(error.kernel_text(), Some("vnet cannot be changed after creation"));
    let error = jail::read(kernel, jid, "no.such").unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));

    jail::remove(kernel, jid).unwrap();
    jail::wait_gone(kernel, jid, SOON).unwrap();
    assert_eq!(jail::get(kernel, jid).unwrap(), None);
    assert_eq!(jail::read_int(kernel, jid, "children.max").unwrap(), None);
    let error = jail::remove(kernel, jid).unwrap_err();
    assert_eq!((error.errno(), error.kind()), (Some(Errno::EINVAL), ErrorKind::NotFound));
}

#[test]
fn a_socket_keeps_a_dying_jail() {
    let Some(host) = host() else { return };
    let kernel = &*host.kernel;
    let made = host.vnet_jail("typeddying");
    let vnet = made.enter();
    jail::remove(kernel, made.jid).unwrap();
    let error = jail::wait_gone(kernel, made.jid, Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(jail::get(kernel, made.jid).unwrap(), None, "it is not there for most purposes");
    let dying = jail::list(kernel, true).unwrap().into_iter().find(|found| found.jid == made.jid).unwrap();
    assert!(dying.dying);
    assert_eq!(Vnet::enter(Arc::clone(&host.kernel), made.jid).unwrap_err().errno(), Some(Errno::EINVAL));
    drop(vnet);
    jail::wait_gone(kernel, made.jid, SOON).unwrap();
}

#[test]
fn a_jails_stack_is_worked_on_from_outside() {
    let Some(host) = host() else { return };
    let made = host.vnet_jail("typedstack");
    let vnet = made.enter();
    assert_eq!(vnet.jid(), Some(made.jid));
    let lo0 = name("lo0");
    vnet.up(&lo0).unwrap();
    vnet.add_ipv4(&lo0, net4("127.0.0.1/8")).unwrap();
    let names: Vec<_> = vnet.interfaces().unwrap().iter().map(|found| found.name).collect();
    assert_eq!(names, [lo0], "a dump from inside");
    assert_eq!(vnet.links().unwrap().len(), 1, "and through the socket");
    assert_eq!(vnet.sysctl_int("net.fibs").unwrap(), 1);
    vnet.set_sysctl_int("net.inet6.ip6.dad_count", 0).unwrap();
    assert_eq!(vnet.sysctl_int("net.inet6.ip6.dad_count").unwrap(), 0);
    assert_eq!(host.sysctl_int("net.inet6.ip6.dad_count").unwrap(), 1, "the host has its own");
    assert_eq!(vnet.sysctl_int("no.such").unwrap_err().errno(), Some(Errno::ENOENT));
    assert!(
        vnet.routes(Fib::DEFAULT).unwrap().iter().any(|route| route.destination.ip() == ip4("127.0.0.1"))
    );
    assert!(vnet.route_to(ip4("127.0.0.1"), Fib::DEFAULT).unwrap().is_some());

    let mut monitor = vnet.monitor().unwrap();
    let pair = vnet.create_epair().unwrap();
    assert!(matches!(
        monitor.next(Duration::from_secs(5)).unwrap(),
        Some(jailwire::route::Event::Arrived { name, .. }) if name == pair.a
    ));
    assert!(
        !host.has_interface(&pair.a).unwrap() || host.index(&pair.a).unwrap() != vnet.index(&pair.a).unwrap()
    );
}

#[test]
fn interfaces_are_lent_and_come_back() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let made = host.vnet_jail("typedlend");
    let vnet = made.enter();
    let index = host.index(&pair.b).unwrap();
    let mac = MacAddr([2, 0, 0, 0, 0, 9]);
    host.set_mac(&pair.b, mac).unwrap();
    host.set_mtu(&pair.b, Mtu::new(1400).unwrap()).unwrap();
    host.lend(&pair.b, made.jid).unwrap();
    assert!(!host.has_interface(&pair.b).unwrap());
    assert_eq!(vnet.index(&pair.b).unwrap(), index);
    assert_eq!((vnet.mac(&pair.b).unwrap(), vnet.mtu(&pair.b).unwrap()), (Some(mac), 1400));
    let inside = name("inside0");
    vnet.rename(&pair.b, &inside).unwrap();

    assert_eq!(host.lend(&pair.b, made.jid).unwrap_err().errno(), Some(Errno::ENXIO));
    assert_eq!(vnet.lend(&inside, made.jid).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(host.reclaim(&name("lo0"), made.jid).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(host.reclaim(&pair.b, made.jid).unwrap_err().errno(), Some(Errno::ENXIO));
    host.reclaim(&inside, made.jid).unwrap();

    // A name that is taken cannot be given a second time.
    let other = vnet.create_epair().unwrap();
    vnet.rename(&other.a, &inside).unwrap();
    assert_eq!(host.reclaim(&inside, made.jid).unwrap_err().errno(), Some(Errno::EEXIST));
    vnet.destroy(&inside).unwrap();

    host.rename(&inside, &pair.b).unwrap();
    host.lend(&pair.b, made.jid).unwrap();
    drop(vnet);
    jail::remove(&*host.kernel, made.jid).unwrap();
    jail::wait_gone(&*host.kernel, made.jid, SOON).unwrap();
    jail::wait_for_interfaces(&host, &[pair.b], SOON).unwrap();
    assert!(!host.interface(&pair.b).unwrap().is_up());
    let error = jail::wait_for_interfaces(&host, &[name("never0")], Duration::from_millis(50)).unwrap_err();
    assert_eq!((error.kind(), error.subject()), (ErrorKind::TimedOut, "never0"));
}

#[test]
fn lending_needs_a_jail_with_a_stack() {
    let Some(host) = host() else { return };
    let pair = host.epair();
    let jid = jail::create(&*host.kernel, &parameters("typedplain")).unwrap();
    let error = host.lend(&pair.b, jid).unwrap_err();
    jail::remove(&*host.kernel, jid).unwrap();
    assert_eq!(error.errno(), Some(Errno::EEXIST));
    assert!(error.advice().unwrap().contains("no network stack of its own"));
    let error = host.lend(&pair.b, jailwire::Jid::MAX).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENXIO));
}

/// Starts a jail as a jail manager does, up to the commit.
fn start(host: &Host, jail_name: &str, bridge: &jailwire::InterfaceName) -> jail::HeldJail {
    let held = jail::create_held(&host.kernel, &parameters(jail_name).vnet()).unwrap();
    let vnet = held.vnet();
    let pair = vnet.create_epair().unwrap();
    vnet.set_mac(&pair.a, MacAddr([2, 0, 0, 0, 1, 1])).unwrap();
    vnet.set_mac(&pair.b, MacAddr([2, 0, 0, 0, 1, 2])).unwrap();
    let out = name(&format!("vnet0.{}", held.jid()));
    vnet.rename(&pair.a, &out).unwrap();
    host.reclaim(&out, held.jid()).unwrap();
    host.set_description(&out, "a test").unwrap();
    host.add_member(bridge, &out).unwrap();
    vnet.add_ipv4(&pair.b, net4("198.51.100.2/24")).unwrap();
    vnet.add_ipv6(&pair.b, net6("2001:db8:1::2/64")).unwrap();
    vnet.ensure_default(ip4("198.51.100.1"), Fib::DEFAULT).unwrap();
    host.up(&out).unwrap();
    held
}

#[test]
fn a_held_jail_leaves_nothing_behind() {
    let Some(host) = host() else { return };
    let bridge = host.made("bridge");
    let before = host.links().unwrap();
    let held = start(&host, "typedheld", &bridge.name);
    let jid = held.jid();
    assert!(!jail::get(&*host.kernel, jid).unwrap().unwrap().persist);
    assert_eq!(host.members(&bridge.name).unwrap().len(), 1);
    drop(held);
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    // The epair goes a little later than the jail, and leaves the bridge last.
    let begun = host.kernel.now();
    while host.links().unwrap() != before || !host.members(&bridge.name).unwrap().is_empty() {
        assert!(host.kernel.now() - begun < SOON, "the epair is gone as well");
        host.kernel.sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_committed_jail_stays() {
    let Some(host) = host() else { return };
    let bridge = host.made("bridge");
    let held = start(&host, "typedkept", &bridge.name);
    let jid = held.jid();
    let vnet = held.commit().unwrap();
    assert!(jail::get(&*host.kernel, jid).unwrap().unwrap().persist);
    host.kernel.sleep(Duration::from_millis(200));
    let gateway = vnet.route_to(ip4("203.0.113.1"), Fib::DEFAULT).unwrap().unwrap().via;
    assert_eq!(gateway, Route::default_via(ip4("198.51.100.1")).via);
    // A stop as jail managers do it destroys the host's end of the epair first.
    host.destroy(&name(&format!("vnet0.{jid}"))).unwrap();
    assert_eq!(vnet.links().unwrap().len(), 1);
    drop(vnet);
    jail::remove(&*host.kernel, jid).unwrap();
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
}

#[test]
fn a_jail_that_cannot_be_made_says_why() {
    let Some(host) = host() else { return };
    let wrong = parameters("typedwrong").vnet().set("no.such", 1);
    let error = jail::create_held(&host.kernel, &wrong).unwrap_err();
    assert_eq!(
        (error.errno(), error.kernel_text()),
        (Some(Errno::EINVAL), Some("unknown parameter: no.such"))
    );
    assert_eq!(
        error.to_string(),
        "create jail typedwrong: jail_set: Invalid argument (EINVAL): unknown parameter: no.such"
    );
    assert_eq!(jail::find(&*host.kernel, "typedwrong").unwrap(), None);
    if host.kernel.simulated() {
        // A simulated host has no directories.
        return;
    }
    let nowhere = JailParameters::new("typedwrong").path(Path::new("/no/such"));
    assert_eq!(jail::create(&*host.kernel, &nowhere).unwrap_err().errno(), Some(Errno::ENOENT));
}

#[test]
fn rulesets_are_claimed_filled_and_deleted() {
    let Some(host) = host() else { return };
    let devfs = Devfs::open(Arc::clone(&host.kernel), Path::new("/dev")).unwrap();
    let one = devfs.claim(1000, &DevfsRule::hide_all()).unwrap();
    let two = devfs.claim(1000, &DevfsRule::include(one)).unwrap();
    assert!(one >= 1000 && two > one);
    devfs.add(one, &DevfsRule::unhide("bpf*")).unwrap();
    let special = DevfsRule::unhide("pf").with_mode(0o660).with_group(68);
    devfs.add(one, &special).unwrap();
    let rules: Vec<DevfsRule> = devfs.rules(one).unwrap().into_iter().map(|(_, rule)| rule).collect();
    assert_eq!(rules, [DevfsRule::hide_all(), DevfsRule::unhide("bpf*"), special]);
    assert_eq!(devfs.rules(two).unwrap(), [(100, DevfsRule::include(one))]);
    let sets = devfs.rulesets().unwrap();
    assert!(sets.contains(&one) && sets.contains(&two) && sets.is_sorted());
    assert!(devfs.delete(two).unwrap() && devfs.delete(one).unwrap());
    assert!(!devfs.delete(one).unwrap());
    assert_eq!(devfs.add(two, &DevfsRule::include(one)).unwrap_err().errno(), Some(Errno::ESRCH));
    let error = devfs.apply(one).unwrap_err();
    assert_eq!((error.errno(), error.request()), (Some(Errno::ESRCH), "DEVFSIO_SAPPLY"));
    assert!(!devfs.rulesets().unwrap().contains(&one));
    assert_eq!(devfs.add(one, &DevfsRule::hide("")).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn file_systems_are_mounted_beneath_a_root() {
    let Some(host) = host() else { return };
    if host.kernel.simulated() {
        return;
    }
    let kernel = &*host.kernel;
    let root = std::env::temp_dir().join(format!("typed-{}", std::process::id()));
    for directory in ["root/dev", "root/tmp", "root/shared", "rootless"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    let root = root.canonicalize().unwrap();
    let jail_root = root.join("root");
    mount::mount(kernel, &mount::devfs(&jail_root, Path::new("dev"), 4)).unwrap();
    mount::mount(kernel, &mount::tmpfs(&jail_root, Path::new("tmp"), Some(1 << 20))).unwrap();
    mount::mount(kernel, &mount::nullfs(Path::new("/etc"), &jail_root, Path::new("shared"), true)).unwrap();
    assert!(jail_root.join("dev/null").exists() && !jail_root.join("dev/mem").exists());
    assert!(std::fs::write(jail_root.join("shared/x"), "").is_err(), "read-only");
    let mounts = mount::beneath(kernel, &jail_root).unwrap();
    let types: Vec<_> = mounts.iter().map(|mounted| mounted.fstype.as_str()).collect();
    assert_eq!(types, ["nullfs", "tmpfs", "devfs"], "the newest first");
    let wrong = mount::tmpfs(&jail_root, Path::new("tmp"), None).option("bogus", Some("1".to_owned()));
    assert_eq!(mount::mount(kernel, &wrong).unwrap_err().errno(), Some(Errno::EINVAL));
    let outside = mount::tmpfs(&jail_root, Path::new("../rootless"), None);
    let error = mount::mount(kernel, &outside).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOTCAPABLE), "{error}");
    for mounted in &mounts {
        mount::unmount(kernel, mounted, true).unwrap();
    }
    assert_eq!(mount::beneath(kernel, &jail_root).unwrap(), []);
    std::fs::remove_dir_all(&root).unwrap();
}
