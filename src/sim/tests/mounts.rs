//! Mounts and the rules of devfs.

use super::*;
use crate::kernel::{Calls, FsId, MountRequest, Mounted};
use crate::sim::Release;
use std::fs;
use std::path::Path;

fn request(fstype: &str, root: &str, beneath: &str) -> MountRequest {
    MountRequest {
        fstype: fstype.to_owned(),
        from: fstype.into(),
        root: root.into(),
        beneath: beneath.into(),
        options: Vec::new(),
        flags: 0,
    }
}

fn find(sim: &Sim, on: &str) -> Option<Mounted> {
    sim.mounts().unwrap().into_iter().rfind(|mounted| mounted.on == Path::new(on))
}

#[test]
fn mounting_and_unmounting() {
    let host = Host::new();
    let before = host.sim.describe();
    let root = MountRequest { from: "/releases/15.1".into(), ..request("nullfs", "/jails/j", "") };
    host.sim.mount(&MountRequest { flags: sys::MNT_RDONLY, ..root }).unwrap();
    host.sim.mount(&request("devfs", "/jails/j", "dev")).unwrap();
    host.sim.mount(&request("fdescfs", "/jails/j", "dev/fd")).unwrap();
    let nullfs = find(&host.sim, "/jails/j").unwrap();
    assert_eq!((nullfs.from.as_str(), nullfs.flags & sys::MNT_RDONLY), ("/releases/15.1", sys::MNT_RDONLY));
    let devfs = find(&host.sim, "/jails/j/dev").unwrap();
    assert_eq!(errno(host.sim.unmount(devfs.id, false)), Some(Errno::EBUSY), "something is mounted in it");
    assert_eq!(errno(host.sim.unmount(FsId(77, 77), false)), Some(Errno::ENOENT));
    let upper = MountRequest { from: "/jails/j/dev".into(), ..request("nullfs", "/elsewhere", "") };
    host.sim.mount(&upper).unwrap();
    assert_eq!(errno(host.sim.unmount(devfs.id, true)), Some(Errno::EBUSY), "it is shown elsewhere");
    host.sim.unmount(find(&host.sim, "/elsewhere").unwrap().id, false).unwrap();
    let user = host.sim.unprivileged();
    assert_eq!(errno(user.mount(&request("tmpfs", "/tmp", ""))), Some(Errno::EPERM));
    for on in ["/jails/j/dev/fd", "/jails/j/dev", "/jails/j"] {
        host.sim.unmount(find(&host.sim, on).unwrap().id, false).unwrap();
    }
    assert_eq!(host.sim.describe(), before);
    assert!(host.sim.modules().contains(&"nullfs".to_owned()), "loaded on the way");
}

#[test]
fn options() {
    let host = Host::new();
    let with = |fstype: &str, name: &str, value: Option<&str>| {
        let options = vec![(name.to_owned(), value.map(str::to_owned))];
        host.sim.mount(&MountRequest { options, ..request(fstype, "/j", "x") })
    };
    let refusal = |result: Result<()>| result.map_err(|failure| (failure.errno, failure.text)).unwrap_err();
    let unknown = Some("mount option <bogus> is unknown".to_owned());
    assert_eq!(refusal(with("devfs", "bogus", None)), (Errno::EINVAL, unknown));
    let invalid = Some("invalid ruleset specification".to_owned());
    assert_eq!(refusal(with("devfs", "ruleset", Some("x"))), (Errno::EINVAL, invalid.clone()));
    assert_eq!(refusal(with("devfs", "ruleset", Some("99999"))), (Errno::EINVAL, invalid));
    with("devfs", "ruleset", Some("77")).unwrap();
    assert_eq!(refusal(with("nofs", "ro", None)).0, Errno::EINVAL);
    with("unionfs", "below", None).unwrap();
    with("tmpfs", "ro", None).unwrap();
    assert_eq!(find(&host.sim, "/j/x").unwrap().flags & sys::MNT_RDONLY, sys::MNT_RDONLY);
}

#[test]
fn a_jails_root_is_busy_and_its_own_mounts_keep_it() {
    let host = Host::new();
    host.sim.mount(&MountRequest { from: "/r".into(), ..request("nullfs", "/jails/j", "") }).unwrap();
    let jid = host
        .jail(&[
            Parameter::string("name", "j"),
            Parameter::string("path", "/jails/j"),
            Parameter::int("enforce_statfs", 1),
            Parameter::int("devfs_ruleset", 4),
            Parameter::flag("allow.mount"),
            Parameter::flag("allow.mount.devfs"),
            Parameter::flag("persist"),
        ])
        .unwrap();
    let id = find(&host.sim, "/jails/j").unwrap().id;
    assert_eq!(errno(host.sim.unmount(id, false)), Some(Errno::EBUSY));
    // A mount of the host does not hold the jail.
    host.sim.mount(&request("devfs", "/jails/j", "dev")).unwrap();
    let inside = host.sim.inside(jid);
    assert_eq!(errno(inside.mount(&request("tmpfs", "/jails/j", "tmp"))), Some(Errno::EPERM));
    let mut own = request("devfs", "/jails/j", "own");
    inside.mount(&own).unwrap();
    own.options = vec![("ruleset".to_owned(), Some("7".to_owned()))];
    assert_eq!(errno(inside.mount(&own)), Some(Errno::EPERM));
    host.sim.jail_remove(jid).unwrap();
    assert_eq!(host.dying(jid), Some(true), "its own does");
    host.sim.unmount(find(&host.sim, "/jails/j/own").unwrap().id, false).unwrap();
    assert_eq!(host.dying(jid), None);
}

#[test]
fn mount_points_must_be_there() {
    let directory = tempfile::tempdir().unwrap();
    let sim = Sim::open_with(&directory.path().join(".sim"), Options::default()).unwrap();
    let root = directory.path().join("root");
    fs::create_dir_all(root.join("dev")).unwrap();
    fs::write(root.join("file"), "").unwrap();
    std::os::unix::fs::symlink("/tmp", root.join("out")).unwrap();
    std::os::unix::fs::symlink("dev", root.join("within")).unwrap();
    let path = root.to_str().unwrap();
    let mount = |beneath: &str| errno(sim.mount(&request("devfs", path, beneath)));
    assert_eq!(mount("nosuch"), Some(Errno::ENOENT));
    assert_eq!(mount("file"), Some(Errno::ENOTDIR));
    assert_eq!(mount("within"), Some(Errno::ELOOP));
    assert_eq!(mount("out/x"), Some(Errno::ENOTCAPABLE));
    assert_eq!(mount("../root/dev"), Some(Errno::ENOTCAPABLE));
    assert_eq!(mount("dev"), None);
    assert_eq!(mount("dev/../dev"), None);
    // The contents of a simulated file system are not in the real file system.
    assert_eq!(mount("dev/fd"), None);
    // A jail's path is looked up in the same way.
    let jail = |path: &str| {
        let parameters =
            [Parameter::string("name", "j"), Parameter::string("path", path), Parameter::flag("persist")];
        errno(sim.jail_set(&parameters, sys::JAIL_CREATE))
    };
    assert_eq!(jail(&format!("{path}/nosuch")), Some(Errno::ENOENT));
    assert_eq!(jail(&format!("{path}/file")), Some(Errno::ENOTDIR));
    assert_eq!(jail(path), None);
    assert_eq!(errno(sim.open(Path::new("/nosuch/path"))), Some(Errno::ENOENT));
    assert!(sim.open(Path::new("/dev")).is_ok());
}

fn rule(set: u16, number: u16) -> Block {
    let mut rule = Block::zeroed(size_of::<sys::devfs_rule>());
    rule.put(0, &sys::DEVFS_MAGIC.to_ne_bytes());
    rule.put(4, &(u32::from(set) << 16 | u32::from(number)).to_ne_bytes());
    rule
}

#[test]
fn rules() {
    let host = Host::new();
    let before = host.sim.describe();
    let dev = host.sim.open(Path::new("/dev")).unwrap();
    let ask = |sim: &Sim, number: u64, argument: Block| {
        let mut request = Request { number, argument };
        sim.ioctl(dev, &mut request).map(|()| request.argument)
    };
    let add = |set: u16, number: u16| ask(&host.sim, sys::DEVFSIO_RADD, rule(set, number));
    assert_eq!(errno(ask(&host.sim, sys::DEVFSIO_RADD, Block::zeroed(236))), Some(Errno::ERPCMISMATCH));
    assert_eq!(add(1000, 0).unwrap().u32_at(4), 1000 << 16, "the number is not told");
    add(1000, 0).unwrap();
    add(1000, 150).unwrap();
    assert_eq!(errno(add(1000, 200)), Some(Errno::EEXIST));
    assert_eq!(errno(add(0, 1)), Some(Errno::EIO));
    let next = |after: u16| {
        ask(&host.sim, sys::DEVFSIO_RGETNEXT, rule(1000, after)).map(|rule| rule.u32_at(4) & 0xffff)
    };
    assert_eq!((next(0), next(100), next(150)), (Ok(100), Ok(150), Ok(200)));
    assert_eq!(errno(next(200)), Some(Errno::ENOENT));
    let number = |number: u16| Block::new(number.to_ne_bytes());
    let set_after =
        |after: u16| ask(&host.sim, sys::DEVFSIO_SGETNEXT, number(after)).map(|set| set.u16_at(0));
    assert_eq!(set_after(0), Ok(1000));
    assert_eq!(errno(set_after(1000)), Some(Errno::ENOENT));
    assert_eq!(errno(ask(&host.sim, sys::DEVFSIO_SAPPLY, number(5))), Some(Errno::ESRCH));
    ask(&host.sim, sys::DEVFSIO_SAPPLY, number(1000)).unwrap();
    // An included ruleset must exist, and stays as long as it is included.
    let mut including = rule(1001, 0);
    including.put(offset_of!(sys::devfs_rule, dr_iacts), &sys::DRA_INCSET.to_ne_bytes());
    including.put(offset_of!(sys::devfs_rule, dr_incset), &9u16.to_ne_bytes());
    assert_eq!(errno(ask(&host.sim, sys::DEVFSIO_RADD, including)), Some(Errno::ESRCH));
    // Reading needs root too, and a jail may do nothing.
    assert_eq!(errno(ask(&host.sim.unprivileged(), sys::DEVFSIO_SGETNEXT, number(0))), Some(Errno::EPERM));
    let jid = host.vnet("j");
    assert_eq!(errno(ask(&host.sim.inside(jid), sys::DEVFSIO_SUSE, number(4))), Some(Errno::EPERM));
    host.sim.jail_remove(jid).unwrap();
    let delete = |id: u32| errno(ask(&host.sim, sys::DEVFSIO_RDEL, Block::new(id.to_ne_bytes())));
    for rule in [100, 150, 200] {
        assert_eq!(delete(1000 << 16 | rule), None);
    }
    assert_eq!(delete(1000 << 16 | 100), Some(Errno::ENOENT));
    assert_eq!(host.sim.describe(), before, "an empty set is gone");
    let socket_request = ask(&host.sim, sys::SIOCGIFFLAGS, Block::zeroed(32));
    assert_eq!(errno(socket_request), Some(Errno(25)));
    assert_eq!(errno(ask(&host.sim, 0, Block::default())), Some(Errno::EINVAL), "not in the table");
}

#[test]
fn a_mounted_devfs_uses_a_set() {
    let host = Host::new();
    host.sim.mount(&request("devfs", "/j", "dev")).unwrap();
    let dev = host.sim.open(Path::new("/j/dev")).unwrap();
    let mut using = Request { number: sys::DEVFSIO_SUSE, argument: Block::new(7u16.to_ne_bytes()) };
    host.sim.ioctl(dev, &mut using).unwrap();
    // Ruleset 0 now means ruleset 7.
    let mut adding = Request { number: sys::DEVFSIO_RADD, argument: rule(0, 0) };
    host.sim.ioctl(dev, &mut adding).unwrap();
    assert!(host.sim.describe().contains("ruleset 7\n"));
    assert!(host.sim.describe().contains("on /j/dev flags 0x1000 ruleset 7"));
    let elsewhere = host.sim.open(Path::new("/j")).unwrap();
    assert_eq!(errno(host.sim.ioctl(elsewhere, &mut using)), Some(Errno(25)), "not a devfs");
}

#[test]
fn allowing_a_file_system_takes_its_module() {
    let host = Host::with(Options { release: Release::V15_1, ..Options::default() });
    let allow = |name: &str| {
        let parameters = [
            Parameter::string("name", name),
            Parameter::flag("persist"),
            Parameter::flag("allow.mount.nullfs"),
        ];
        host.jail(&parameters)
    };
    assert_eq!(errno(allow("a")), Some(Errno::EINVAL));
    host.sim.load_module("nullfs").unwrap();
    allow("b").unwrap();
}
