//! Trees of directories whose files have flags, and which have symbolic links that lead out.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use jailwire::files::Files;

use crate::support::{Directory, kernel};

const IMMUTABLE: libc::c_ulong = libc::UF_IMMUTABLE as libc::c_ulong;
const NO_DUMP: libc::c_ulong = libc::UF_NODUMP as libc::c_ulong;

/// Sets the flags of a file. For a symbolic link, sets the flags of the link itself.
fn set_flags(path: &Path, flags: libc::c_ulong) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: lchflags(2) reads a string that ends, and takes a number.
    let done = unsafe { libc::lchflags(path.as_ptr(), flags) };
    assert_eq!(done, 0, "{path:?}: {}", std::io::Error::last_os_error());
}

fn flags(path: &Path) -> libc::c_ulong {
    let about = nix::sys::stat::lstat(path).unwrap();
    libc::c_ulong::from(about.st_flags) & (IMMUTABLE | NO_DUMP)
}

#[test]
fn flags_are_taken_off_what_is_removed_and_of_nothing_else() {
    let Some(_kernel) = kernel() else { return };
    let directory = Directory::new("flags");
    let (tree, outside) = (directory.0.join("tree"), directory.0.join("outside"));
    fs::create_dir_all(tree.join("inner")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "mine").unwrap();
    fs::write(tree.join("inner/file"), "").unwrap();
    symlink(outside.join("file"), tree.join("inner/link")).unwrap();
    symlink(&outside, tree.join("inner/way")).unwrap();
    for path in [outside.join("file"), outside.clone()] {
        set_flags(&path, IMMUTABLE);
    }
    // The links have flags of their own, which prevent their removal.
    for name in ["inner/file", "inner/link", "inner/way", "inner"] {
        set_flags(&tree.join(name), IMMUTABLE);
    }
    Files::new().remove_tree(&tree).unwrap();
    assert!(!tree.exists());
    for path in [outside.clone(), outside.join("file")] {
        assert_eq!(flags(&path), IMMUTABLE, "{}", path.display());
        set_flags(&path, 0);
    }
}

#[test]
fn flags_are_set_on_the_copy_wherever_its_name_leads_by_then() {
    let Some(_kernel) = kernel() else { return };
    let directory = Directory::new("swap");
    let (from, to) = (directory.0.join("from"), directory.0.join("to"));
    let (outside, moved) = (directory.0.join("outside"), directory.0.join("moved"));
    fs::create_dir_all(from.join("a/b")).unwrap();
    fs::write(from.join("a/file"), "").unwrap();
    fs::create_dir(&outside).unwrap();
    for name in ["a/file", "a"] {
        set_flags(&from.join(name), NO_DUMP);
    }
    // While `a/b` is copied, a link is put in the place of the copy of `a`.
    let copied = Files::new().copy_tree(&from, &to, &mut |source| {
        if source.ends_with("a/b") {
            fs::rename(to.join("a"), &moved).unwrap();
            symlink(&outside, to.join("a")).unwrap();
        }
    });
    copied.unwrap();
    assert_eq!(flags(&outside), 0, "the flags went where the link leads to");
    assert_eq!((flags(&moved), flags(&moved.join("file"))), (NO_DUMP, NO_DUMP));
    assert!(fs::read_dir(&outside).unwrap().next().is_none());
}
