//! File systems.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use jailwire::kernel::{Calls, Errno, FsId, MountRequest};
use jailwire_sys as sys;

use crate::support::{Directory, kernel};

fn tmpfs(root: &Path, beneath: &str) -> MountRequest {
    MountRequest::new("tmpfs", "tmpfs", root, beneath)
        .with_options(vec![("size".into(), Some("1048576".into()))])
        .with_flags(sys::MNT_NOSUID)
}

#[test]
fn file_systems_are_mounted_listed_and_unmounted() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("mount");
    fs::create_dir_all(directory.0.join("a/b")).unwrap();
    fs::create_dir_all(directory.0.join("c")).unwrap();
    kernel.mount(&tmpfs(&directory.0, "a/b")).unwrap();
    let find = |on: &Path| kernel.mounts().unwrap().into_iter().find(|mounted| mounted.on == on);
    let mounted = find(&directory.0.join("a/b")).expect("the full path of the mount point");
    assert_eq!((mounted.fstype.as_str(), mounted.from.as_str()), ("tmpfs", "tmpfs"));
    assert_eq!(mounted.flags & sys::MNT_NOSUID, sys::MNT_NOSUID);

    fs::write(directory.0.join("a/b/file"), "x").unwrap();
    let nullfs = MountRequest::new(
        "nullfs",
        directory.0.join("a/b").to_str().unwrap(),
        directory.0.join("c"),
        PathBuf::new(),
    )
    .with_flags(sys::MNT_RDONLY);
    kernel.mount(&nullfs).unwrap();
    let over = find(&directory.0.join("c")).unwrap();
    assert_eq!(over.fstype, "nullfs");
    assert!(directory.0.join("c/file").exists());

    // The listing is in the order of mounting.
    let order: Vec<_> = kernel.mounts().unwrap().into_iter().map(|mounted| mounted.id).collect();
    let place = |id: FsId| order.iter().position(|other| *other == id).unwrap();
    assert!(place(mounted.id) < place(over.id));

    kernel.unmount(over.id, false).unwrap();
    let busy = fs::File::open(directory.0.join("a/b/file")).unwrap();
    assert_eq!(kernel.unmount(mounted.id, false).unwrap_err().errno, Errno::EBUSY);
    kernel.unmount(mounted.id, true).unwrap();
    drop(busy);
    assert!(find(&directory.0.join("a/b")).is_none());
    assert_eq!(kernel.unmount(mounted.id, false).unwrap_err().errno, Errno::ENOENT);
}

#[test]
fn links_do_not_lead_a_mount_away() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("links");
    let root = directory.0.join("root");
    fs::create_dir_all(root.join("inside/dev")).unwrap();
    fs::create_dir_all(directory.0.join("outside/dev")).unwrap();
    symlink("inside/dev", root.join("last")).unwrap();
    symlink("inside", root.join("middle")).unwrap();
    symlink("../outside", root.join("away")).unwrap();
    symlink(directory.0.join("outside"), root.join("absolute")).unwrap();
    let refused = |beneath: &str| kernel.mount(&tmpfs(&root, beneath)).unwrap_err().errno;
    assert_eq!(refused("last"), Errno::ELOOP);
    assert_eq!(refused("away/dev"), Errno::ENOTCAPABLE);
    assert_eq!(refused("absolute/dev"), Errno::ENOTCAPABLE);
    assert_eq!(refused("../outside/dev"), Errno::ENOTCAPABLE);
    assert_eq!(refused("/tmp"), Errno::ENOTCAPABLE);
    assert_eq!(refused("none"), Errno::ENOENT);
    // A symbolic link on the way that stays inside is followed, and the kernel reports the real place of the mount.
    kernel.mount(&tmpfs(&root, "middle/dev")).unwrap();
    let mounts = kernel.mounts().unwrap();
    let mounted = mounts.iter().find(|mounted| mounted.on == root.join("inside/dev")).unwrap();
    kernel.unmount(mounted.id, false).unwrap();
}

#[test]
fn a_refused_mount_says_why() {
    let Some(kernel) = kernel() else { return };
    let directory = Directory::new("refused");
    let mut request = tmpfs(&directory.0, "");
    request.fstype = "devfs".into();
    request.options = vec![("bogus".into(), Some("x".into()))];
    let failure = kernel.mount(&request).unwrap_err();
    assert_eq!(failure.errno, Errno::EINVAL);
    assert_eq!(failure.text.as_deref(), Some("mount option <bogus> is unknown"));
    request.fstype = "nosuchfs".into();
    let failure = kernel.mount(&request).unwrap_err();
    assert_eq!(failure.errno, Errno::EINVAL);
    assert_eq!(failure.text.as_deref(), Some("Invalid fstype"));
    request.flags = 1 << 40;
    assert_eq!(kernel.mount(&request).unwrap_err().errno, Errno::EINVAL);
}
