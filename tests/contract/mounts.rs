//! Mounting beneath a directory that is trusted, listing, and unmounting by identity.

use std::fs;
use std::path::{Path, PathBuf};

use jailwire::jail::mount::{self, beneath, request, seen_on, unmount};
use jailwire::jail::{self, JailParameters};
use jailwire::kernel::{Errno, FsId};
use jailwire_sys as sys;

use crate::support::{Host, Refused, SOON};

/// Makes a directory that contains these directories.
fn tree(host: &Host, directories: &[&str]) -> PathBuf {
    let root = host.directory();
    for directory in directories {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    root
}

/// The mounts beneath a directory, newest first: the type and the place of each.
fn mounted(host: &Host, root: &Path) -> Vec<(String, String)> {
    let all = beneath(&*host.kernel, root).unwrap();
    let place = |on: &Path| on.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    all.iter().map(|mounted| (mounted.fstype.clone(), place(&mounted.on))).collect()
}

fn pair(fstype: &str, on: &str) -> (String, String) {
    (fstype.to_owned(), on.to_owned())
}

#[test]
fn file_systems_of_jails_are_mounted_and_listed() {
    let host = Host::with_files();
    let root = tree(&host, &["dev/fd", "proc", "tmp", "from", "to"]);
    let kernel = &*host.kernel;
    mount::mount(kernel, &mount::devfs(&root, Path::new("dev"), 4)).unwrap();
    mount::mount(kernel, &mount::fdescfs(&root, Path::new("dev/fd"))).unwrap();
    mount::mount(kernel, &mount::procfs(&root, Path::new("proc"))).unwrap();
    mount::mount(kernel, &mount::tmpfs(&root, Path::new("tmp"), Some(1 << 20))).unwrap();
    let from = root.join("from");
    mount::mount(kernel, &mount::nullfs(&from, &root, Path::new("to"), true)).unwrap();
    let expected = [
        pair("nullfs", "to"),
        pair("tmpfs", "tmp"),
        pair("procfs", "proc"),
        pair("fdescfs", "dev/fd"),
        pair("devfs", "dev"),
    ];
    assert_eq!(mounted(&host, &root), expected);
    let all = beneath(kernel, &root).unwrap();
    assert_eq!(
        (all[0].from.as_str(), all[0].flags & sys::MNT_RDONLY),
        (from.to_str().unwrap(), sys::MNT_RDONLY)
    );
    assert_eq!(all[1].flags & sys::MNT_RDONLY, 0);
    for one in all {
        unmount(kernel, &one, false).unwrap();
    }
    assert_eq!(mounted(&host, &root), []);
}

#[test]
fn a_directory_is_not_another_whose_name_begins_alike() {
    let host = Host::with_files();
    let root = tree(&host, &["a", "ab"]);
    mount::mount(&*host.kernel, &mount::tmpfs(&root, Path::new("ab"), None)).unwrap();
    assert_eq!(mounted(&host, &root.join("a")), []);
    assert_eq!(mounted(&host, &root.join("ab")).len(), 1);
}

#[test]
fn what_is_mounted_twice_is_unmounted_twice() {
    let host = Host::with_files();
    let root = tree(&host, &["tmp"]);
    for _ in 0..2 {
        mount::mount(&*host.kernel, &mount::tmpfs(&root, Path::new("tmp"), None)).unwrap();
    }
    let all = beneath(&*host.kernel, &root).unwrap();
    assert_eq!(all.len(), 2);
    assert_ne!(all[0].id, all[1].id);
    unmount(&*host.kernel, &all[0], false).unwrap();
    assert_eq!(beneath(&*host.kernel, &root).unwrap()[0].id, all[1].id);
}

#[test]
fn what_is_seen_on_a_directory_is_the_last_that_was_mounted() {
    let host = Host::with_files();
    let root = tree(&host, &["a", "b"]);
    let kernel = &*host.kernel;
    let (a, b) = (root.join("a"), root.join("b"));
    assert_eq!(seen_on(kernel, &a).unwrap(), None);
    mount::mount(kernel, &mount::tmpfs(&root, Path::new("a"), None)).unwrap();
    mount::mount(kernel, &mount::devfs(&root, Path::new("a"), 0)).unwrap();
    let all = beneath(kernel, &root).unwrap();
    assert_eq!(seen_on(kernel, &a).unwrap().as_ref(), Some(&all[0]), "{all:?}");
    assert_eq!(seen_on(kernel, &b).unwrap(), None);
    unmount(kernel, &all[0], false).unwrap();
    assert_eq!(seen_on(kernel, &a).unwrap().as_ref(), Some(&all[1]));
    unmount(kernel, &all[1], false).unwrap();
    assert_eq!(seen_on(kernel, &a).unwrap(), None);
}

#[test]
fn mount_points_must_be_directories() {
    let host = Host::with_files();
    let root = tree(&host, &["dir"]);
    fs::write(root.join("file"), "").unwrap();
    let try_on = |beneath: &str| mount::mount(&*host.kernel, &mount::tmpfs(&root, Path::new(beneath), None));
    try_on("missing").refused(Errno::ENOENT);
    try_on("file").refused(Errno::ENOTDIR);
    try_on("file/in").refused(Errno::ENOTDIR);
    let missing = root.join("missing");
    mount::mount(&*host.kernel, &mount::tmpfs(&missing, Path::new(""), None)).refused(Errno::ENOENT);
    assert_eq!(mounted(&host, &root), []);
}

#[test]
fn nobody_leads_a_mount_out_of_its_root() {
    let host = Host::with_files();
    let root = tree(&host, &["jail/inner", "outside"]);
    let jail = root.join("jail");
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, jail.join(name)).unwrap();
    link("/tmp", "absolute");
    link("../outside", "relative");
    link("inner", "within");
    let try_on = |beneath: &str| mount::mount(&*host.kernel, &mount::tmpfs(&jail, Path::new(beneath), None));
    // A link at the end is not followed, wherever it leads.
    try_on("absolute").refused(Errno::ELOOP);
    try_on("relative").refused(Errno::ELOOP);
    try_on("within").refused(Errno::ELOOP);
    // A link on the way is followed if it stays beneath the directory.
    try_on("absolute/x").refused(Errno::ENOTCAPABLE);
    try_on("relative/x").refused(Errno::ENOTCAPABLE);
    try_on("../outside").refused(Errno::ENOTCAPABLE);
    fs::create_dir(jail.join("inner/deep")).unwrap();
    try_on("within/deep").unwrap();
    assert_eq!(mounted(&host, &jail), [pair("tmpfs", "inner/deep")]);
}

#[test]
fn what_the_kernel_does_not_know() {
    let host = Host::with_files();
    let root = tree(&host, &["dir"]);
    let on = Path::new("dir");
    let unknown = request("nosuchfs", "x", &root, on);
    mount::mount(&*host.kernel, &unknown).refused_saying(Errno::EINVAL, "Invalid fstype");
    let unknown = mount::tmpfs(&root, on, None).option("bogus", None);
    let words = "mount option <bogus> is unknown";
    mount::mount(&*host.kernel, &unknown).refused_saying(Errno::EINVAL, words);
    let ruleset = request("devfs", "devfs", &root, on).option("ruleset", Some("x".to_owned()));
    let words = "invalid ruleset specification";
    mount::mount(&*host.kernel, &ruleset).refused_saying(Errno::EINVAL, words);
    let ruleset = request("devfs", "devfs", &root, on).option("ruleset", Some("99999".to_owned()));
    mount::mount(&*host.kernel, &ruleset).refused_saying(Errno::EINVAL, words);
    // A number without a ruleset is a ruleset without rules.
    mount::mount(&*host.kernel, &mount::devfs(&root, on, 7777)).unwrap();
}

#[test]
fn a_directory_on_itself() {
    let host = Host::with_files();
    let root = tree(&host, &["a"]);
    let itself = mount::nullfs(&root.join("a"), &root, Path::new("a"), false);
    mount::mount(&*host.kernel, &itself).refused(Errno::EDEADLK);
    let missing = mount::nullfs(&root.join("missing"), &root, Path::new("a"), false);
    mount::mount(&*host.kernel, &missing).refused(Errno::ENOENT);
}

/// `nullfs_mount` would lock against itself. Another directory may be mounted over the place.
#[test]
fn a_directory_twice_on_the_same_place() {
    let host = Host::with_files();
    let root = tree(&host, &["a", "b", "c"]);
    let show = |from: &str| {
        mount::mount(&*host.kernel, &mount::nullfs(&root.join(from), &root, Path::new("a"), false))
    };
    show("b").unwrap();
    show("b").refused(Errno::EDEADLK);
    show("c").unwrap();
    show("b").unwrap();
    let all = beneath(&*host.kernel, &root).unwrap();
    assert_eq!(all.len(), 3);
    all.iter().for_each(|one| unmount(&*host.kernel, one, false).unwrap());
}

/// nullfs can mount a file over a file. It mounts neither a file over a directory nor a directory over a file.
#[test]
fn a_file_on_a_file() {
    let host = Host::with_files();
    let root = tree(&host, &["dir", "other"]);
    for (file, text) in [("from", "shown"), ("dir/on", "hidden"), ("dir/twice", "")] {
        fs::write(root.join(file), text).unwrap();
    }
    fs::hard_link(root.join("dir/twice"), root.join("dir/again")).unwrap();
    let show = |from: &str, on: &str| {
        mount::mount(&*host.kernel, &mount::nullfs(&root.join(from), &root, Path::new(on), true))
    };
    show("from", "dir").refused(Errno::EINVAL);
    show("other", "dir/on").refused(Errno::EINVAL);
    show("from", "dir/twice").refused(Errno::EINVAL);
    show("from", "from").refused(Errno::EDEADLK);
    show("from", "dir/missing").refused(Errno::ENOENT);
    mount::mount(&*host.kernel, &mount::tmpfs(&root, Path::new("dir/on"), None)).refused(Errno::ENOTDIR);
    std::os::unix::fs::symlink("on", root.join("dir/link")).unwrap();
    show("from", "dir/link").refused(Errno::ELOOP);
    show("from", "dir/on").unwrap();
    let all = beneath(&*host.kernel, &root).unwrap();
    assert_eq!((all.len(), all[0].on.as_path()), (1, root.join("dir/on").as_path()));
    unmount(&*host.kernel, &all[0], false).unwrap();
    assert!(beneath(&*host.kernel, &root).unwrap().is_empty());
}

#[test]
fn what_is_not_mounted_cannot_be_unmounted() {
    let host = Host::with_files();
    host.kernel.unmount(FsId(0x7777_7777, 0x77), false).refused(Errno::ENOENT);
}

#[test]
fn what_is_beneath_keeps_what_is_above() {
    let host = Host::with_files();
    let root = tree(&host, &["outer"]);
    mount::mount(&*host.kernel, &mount::tmpfs(&root, Path::new("outer"), None)).unwrap();
    let outer = root.join("outer");
    fs::create_dir(outer.join("inner")).unwrap();
    mount::mount(&*host.kernel, &mount::tmpfs(&outer, Path::new("inner"), None)).unwrap();
    let all = beneath(&*host.kernel, &root).unwrap();
    unmount(&*host.kernel, &all[1], false).refused(Errno::EBUSY);
    unmount(&*host.kernel, &all[0], false).unwrap();
    unmount(&*host.kernel, &all[1], false).unwrap();
}

#[test]
fn a_jail_may_live_on_a_mount() {
    let host = Host::with_files();
    let root = tree(&host, &["jail"]);
    mount::mount(&*host.kernel, &mount::tmpfs(&root, Path::new("jail"), None)).unwrap();
    let jid = host.jail(JailParameters::new(&host.jail_name()).path(&root.join("jail")));
    let all = beneath(&*host.kernel, &root).unwrap();
    unmount(&*host.kernel, &all[0], false).refused(Errno::EBUSY);
    jail::remove(&*host.kernel, jid).unwrap();
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    unmount(&*host.kernel, &all[0], false).unwrap();
}

#[test]
fn nobody_but_root_mounts() {
    let host = Host::with_files();
    let root = tree(&host, &["dir"]);
    host.unprivileged(|kernel| {
        mount::mount(&*kernel, &mount::tmpfs(&root, Path::new("dir"), None)).refused(Errno::EPERM);
        assert!(!kernel.mounts().unwrap().is_empty());
    });
}
