//! One directory by several paths, an fstab that was copied with its jail, and files mounted on files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{empty, jail, refused, right};
use crate::support::{Root, text};

const NO_DEV: &str = r#""ip4_addr":"none","mount_devfs":0,"mount_fdescfs":0"#;

/// A symbolic link to a root, which is removed when dropped.
struct Link(PathBuf);

impl Link {
    fn to(root: &Root) -> Link {
        let link = root.path().with_extension("link");
        symlink(root.path(), &link).unwrap();
        Link(link)
    }

    /// Runs the program with the link as its root.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jailwire"));
        command.env_clear().args(["--kernel", "sim", "--root"]).arg(&self.0).args(arguments).output().unwrap()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

/// A jail with one line in its fstab.
fn with_fstab(root: &Root, line: &str) -> PathBuf {
    let directory = jail(root, "a", NO_DEV);
    fs::create_dir_all(root.path().join("data")).unwrap();
    fs::write(directory.join("fstab"), format!("{line}\n")).unwrap();
    directory
}

fn data(root: &Root) -> String {
    root.path().join("data").display().to_string()
}

/// The mounts of the simulated host beneath a jail's root.
fn mounted(root: &Root, name: &str) -> Vec<String> {
    let beneath = format!(" on {}/", root.jail(name).join("root").display());
    let state = root.kernel_state();
    let lines = state.lines().filter(|line| line.starts_with("mount "));
    lines.filter_map(|line| Some(line.split_once(&beneath)?.1.split(' ').next()?.to_owned())).collect()
}

#[test]
fn a_root_by_a_link_is_the_same_root() {
    let root = empty();
    jail(&root, "a", r#""ip4_addr":"none""#);
    let link = Link::to(&root);
    let started = link.run(&["start", "a"]);
    assert!(started.status.success(), "{}", text(&started.stderr));
    assert_eq!(mounted(&root, "a"), ["dev", "dev/fd"]);
    // A stop by the other path removes everything.
    right(&root, &["stop", "a"], &[]);
    assert_eq!(mounted(&root, "a"), [] as [&str; 0]);
}

#[test]
fn a_mount_point_is_found_by_where_it_leads() {
    let root = empty();
    let link = Link::to(&root);
    let inside = root.jail("a").join("root");
    let other = Link(root.path().with_extension("www"));
    fs::create_dir_all(&inside).unwrap();
    symlink(&inside, &other.0).unwrap();
    for target in [link.0.join("jails/a/root/mnt"), other.0.join("mnt"), link.0.join("./jails//a/root/mnt/")]
    {
        with_fstab(&root, &format!("{} {} nullfs ro 0 0", data(&root), target.display()));
        let said = right(&root, &["start", "a"], &[]);
        assert!(!said.contains("fstab"), "{said}");
        assert_eq!(mounted(&root, "a"), ["mnt"]);
        right(&root, &["stop", "a"], &[]);
    }
    // The jail's directory is elsewhere.
    let tank = root.path().join("tank");
    fs::rename(root.jail("a"), &tank).unwrap();
    symlink(&tank, root.jail("a")).unwrap();
    fs::write(
        tank.join("fstab"),
        format!("{} {}/root/mnt nullfs ro 0 0\n", data(&root), root.jail("a").display()),
    )
    .unwrap();
    right(&root, &["start", "a"], &[]);
    assert!(root.kernel_state().contains(&format!(" on {}/root/mnt", tank.display())));
    right(&root, &["stop", "a"], &[]);
    assert!(!root.kernel_state().contains("/root/mnt"));
}

#[test]
fn mount_points_of_where_the_directory_was_are_found() {
    let root = empty();
    fs::create_dir_all(root.path().join("releases/13.2-RELEASE/root/bin")).unwrap();
    for (line, words) in [
        (
            format!("{} /mnt/no-pool/iocage/jails/a/root/mnt nullfs ro 0 0 # Added by iocage", data(&root)),
            "there is no /mnt/no-pool/iocage/jails/a",
        ),
        // The jail's directory was renamed by hand, and its fstab still has the old name.
        (
            format!("{} {}/jails/old-a/root/mnt nullfs ro 0 0", data(&root), root.path().display()),
            "jails/old-a",
        ),
        (
            format!("{} {}/templates/a/root/mnt nullfs ro 0 0", data(&root), root.path().display()),
            "templates/a",
        ),
        (
            "/mnt/no-pool/iocage/releases/13.2-RELEASE/root/bin mnt nullfs ro 0 0".to_owned(),
            "there is no /mnt/no-pool/iocage,",
        ),
    ] {
        with_fstab(&root, &line);
        right(&root, &["start", "a"], &[words, "fstab: line 1"]);
        assert_eq!(mounted(&root, "a"), ["mnt"], "{line}");
        // The file for iocage has the present paths.
        let conf = fs::read_to_string(root.path().join(".sim/run/jail.ioc-a.conf")).unwrap();
        assert!(conf.contains(&format!("{}/jails/a/root/mnt nullfs", root.path().display())), "{conf}");
        right(&root, &["stop", "a"], &[]);
    }
}

#[test]
fn an_fstab_never_leads_out_of_its_jail() {
    let root = empty();
    jail(&root, "b", NO_DEV);
    let elsewhere = Root::new();
    for (target, words) in [
        // Copied with the jail, on the same host.
        (root.jail("b").join("root/mnt"), "is in the jail b: if the fstab was copied from there, write"),
        (elsewhere.jail("web").join("root/mnt"), "is in another iocage directory, in the jail web"),
        (PathBuf::from("/etc"), "is not beneath the jail's root"),
        (root.jail("a").join("data"), "is not beneath the jail's root"),
        (root.jail("a").join("root/../data"), "goes upwards"),
    ] {
        with_fstab(&root, &format!("{} {} nullfs ro 0 0", data(&root), target.display()));
        refused(&root, &["start", "a"], &["line 1", words]);
        assert_eq!(mounted(&root, "b"), [] as [&str; 0]);
    }
    with_fstab(&root, "");
    fs::remove_dir_all(root.jail("a").join("root")).unwrap();
    symlink("/", root.jail("a").join("root")).unwrap();
    refused(&root, &["start", "a"], &["leads to /"]);
}

#[test]
fn clone_and_rename_take_all_paths_along() {
    let root = empty();
    let link = Link::to(&root);
    let top = root.path().display();
    let lines = [
        format!("{}\t{}/jails/a/root/mnt\tnullfs ro 0 0 # by iocage", data(&root), link.0.display()),
        format!("{} /mnt/no-pool/iocage/jails/a/root/mnt2 nullfs ro 0 0", data(&root)),
        format!("{top}/jails/a/root/tmp tmp nullfs ro 0 0"),
    ];
    let directory = with_fstab(&root, &lines.join("\n"));
    let mut bytes = fs::read(directory.join("fstab")).unwrap();
    bytes.extend_from_slice(b"# caf\xe9\n");
    fs::write(directory.join("fstab"), bytes).unwrap();
    // A directory of this jail is mounted in another jail.
    let other = jail(&root, "reader", NO_DEV);
    fs::write(other.join("fstab"), format!("{}/jails/a/root/tmp mnt nullfs ro 0 0\n", link.0.display()))
        .unwrap();
    right(&root, &["clone", "a", "-n", "b"], &[]);
    right(&root, &["rename", "a", "c"], &[]);
    for name in ["b", "c"] {
        let expected = [
            format!("{}\t{top}/jails/{name}/root/mnt\tnullfs ro 0 0 # by iocage", data(&root)),
            format!("{} {top}/jails/{name}/root/mnt2 nullfs ro 0 0", data(&root)),
            format!("{top}/jails/{name}/root/tmp tmp nullfs ro 0 0"),
            "# caf\u{fffd}".to_owned(),
        ];
        let written = fs::read(root.jail(name).join("fstab")).unwrap();
        assert_eq!(text(&written).lines().collect::<Vec<_>>(), expected);
        assert!(written.windows(4).any(|bytes| bytes == b"caf\xe9"), "what is no text stays as it is");
        let said = right(&root, &["start", "--dry-run", name], &[]);
        assert!(!said.contains("fstab: line"), "{said}");
    }
    let reader = fs::read_to_string(other.join("fstab")).unwrap();
    assert_eq!(reader, format!("{top}/jails/c/root/tmp mnt nullfs ro 0 0\n"));
    // While it is mounted there, the jail is not destroyed.
    right(&root, &["start", "reader"], &[]);
    for command in [&["rename", "c", "d"][..], &["destroy", "-f", "c"]] {
        refused(&root, command, &["shows what is in it", "stop the jail there"]);
    }
    right(&root, &["stop", "reader"], &[]);
    right(&root, &["rename", "c", "d"], &[]);
}

#[test]
fn blanks_are_mounted_or_told_of() {
    let root = empty();
    fs::create_dir(root.path().join("My Files")).unwrap();
    let files = root.path().join("My Files");
    let files = files.display().to_string();
    let escaped = files.replace(' ', "\\040");
    for (source, rest) in [
        (files.clone(), "\tmnt\tnullfs\tro\t0\t0"),
        (files.clone(), "\tmnt\tnullfs\tro"),
        (files.replace(' ', "\\ "), " mnt nullfs ro 0 0"),
    ] {
        with_fstab(&root, &format!("{source}{rest}"));
        refused(&root, &["start", "a"], &["line 1", &format!("write {files} as {escaped}")]);
    }
    with_fstab(&root, &format!("{escaped} mnt nullfs ro 0 0"));
    right(&root, &["start", "a"], &[]);
    assert_eq!(mounted(&root, "a"), ["mnt"]);
}

#[test]
fn any_bytes_make_a_path() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let root = empty();
    let directory = with_fstab(&root, "");
    let latin = root.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&latin).unwrap();
    let line = [latin.as_os_str().as_bytes(), b" mnt nullfs ro 0 0\n# caf\xe9\n"].concat();
    fs::write(directory.join("fstab"), line).unwrap();
    right(&root, &["start", "a"], &[]);
    assert_eq!(mounted(&root, "a"), ["mnt"]);
    right(&root, &["stop", "a"], &[]);
    assert_eq!(mounted(&root, "a"), [] as [&str; 0]);
    fs::write(directory.join("fstab"), b"\n/tmp mnt n\xe9 ro 0 0\n").unwrap();
    refused(&root, &["start", "a"], &["line 2"]);
}

#[test]
fn a_file_is_mounted_on_a_file() {
    let root = empty();
    let directory = jail(&root, "a", NO_DEV);
    let inside = directory.join("root/etc/app.conf");
    let secret = root.path().join("app.conf");
    fs::write(&secret, "secret").unwrap();
    fs::write(&inside, "").unwrap();
    let mount = |source: &Path, target: &str| {
        fs::write(directory.join("fstab"), format!("{} {target} nullfs ro 0 0\n", source.display())).unwrap();
    };
    mount(&secret, "etc/app.conf");
    right(&root, &["start", "a"], &[]);
    assert_eq!(mounted(&root, "a"), ["etc/app.conf"]);
    right(&root, &["stop", "a"], &[]);
    assert_eq!(mounted(&root, "a"), [] as [&str; 0]);
    // A file is mounted on a file, and a directory on a directory.
    mount(&secret, "etc");
    assert_eq!(super::try_to(&root, &["start", "a"]).0, 1);
    mount(root.path(), "etc/app.conf");
    assert_eq!(super::try_to(&root, &["start", "a"]).0, 1);
}
