//! Rewrites the paths in fstabs when a jail's directory has moved.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::iocage::fstab;
use crate::iocage::paths;

/// Returns an fstab in which the paths in one directory are replaced with paths in another directory. Everything
/// else is kept, also blanks, because users align their fstabs.
pub fn fstab(text: &[u8], from: &Path, to: &Path) -> Vec<u8> {
    let line = |line: &[u8]| -> Vec<u8> {
        let mut moved = Vec::with_capacity(line.len());
        let (mut rest, mut fields) = (line, 0);
        while let Some(start) = rest.iter().position(|byte| !is_blank(byte)) {
            let length = rest[start..].iter().position(is_blank).unwrap_or(rest.len() - start);
            let (blanks, field) = (&rest[..start], &rest[start..start + length]);
            rest = &rest[start + length..];
            moved.extend_from_slice(blanks);
            // Only the first two fields, source and mount point, are paths.
            if fields == 2 || field.starts_with(b"#") {
                moved.extend_from_slice(field);
                break;
            }
            fields += 1;
            match fstab::decode(field).ok().and_then(|path| path_moved(&path, from, to)) {
                Some(path) => moved.extend_from_slice(fstab::encode(&path).as_bytes()),
                None => moved.extend_from_slice(field),
            }
        }
        moved.extend_from_slice(rest);
        moved
    };
    text.split_inclusive(|byte| *byte == b'\n').flat_map(line).collect()
}

/// Whether a byte separates fields, or ends a line.
fn is_blank(byte: &u8) -> bool {
    b" \t\r\n\x0b\x0c".contains(byte)
}

/// Replaces the directory of a path. Returns `None` if the path is not in that directory. A path into the jail's
/// directory from a time when iocage's directory was elsewhere counts as well.
fn path_moved(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    if !path.is_absolute() {
        return None;
    }
    if let Some(rest) = paths::inside(path, from) {
        return Some(join(to, &rest));
    }
    let placed = paths::placed(path)?;
    let is_ours = from.ends_with(Path::new(placed.place).join(&placed.name));
    if !is_ours || placed.directory.exists() {
        return None;
    }
    let rest = placed.rest.strip_prefix(Path::new(placed.place).join(&placed.name)).ok()?;
    Some(join(to, rest))
}

/// Joins two paths, without a slash at the end if the rest is empty.
fn join(directory: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().as_bytes().is_empty() { directory.to_owned() } else { directory.join(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn paths_below_a_jail_move_with_it_and_others_stay() {
        let text = b"# /iocage/jails/web/root\n/data\t/iocage/jails/web/root/mnt\tnullfs\tro 0 0 # caf\xe9 /iocage/jails/web\n/iocage/jails/web/root/a  /iocage/jails/website/root/b nullfs /iocage/jails/web 0 0\nb\\040c rel nullfs ro 0 0\n\n  oops";
        let moved = fstab(text, Path::new("/iocage/jails/web"), Path::new("/iocage/jails/my shop"));
        let expected = b"# /iocage/jails/web/root\n/data\t/iocage/jails/my\\040shop/root/mnt\tnullfs\tro 0 0 # caf\xe9 /iocage/jails/web\n/iocage/jails/my\\040shop/root/a  /iocage/jails/website/root/b nullfs /iocage/jails/web 0 0\nb\\040c rel nullfs ro 0 0\n\n  oops";
        assert_eq!(String::from_utf8_lossy(&moved), String::from_utf8_lossy(expected));
        assert_eq!(moved, expected);
    }

    #[test]
    fn links_escapes_and_directories_of_before_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let jails = top.join("my tank/iocage/jails");
        fs::create_dir_all(jails.join("a/root/mnt")).unwrap();
        symlink("my tank/iocage", top.join("iocage")).unwrap();
        let (from, to) = (jails.join("a"), jails.join("b"));
        let moved = |target: &str| {
            let line = format!("/data {target} nullfs ro 0 0\n");
            String::from_utf8(fstab(line.as_bytes(), &from, &to)).unwrap()
        };
        let expected = format!("/data {}/my\\040tank/iocage/jails/b/root/mnt nullfs ro 0 0\n", top.display());
        for target in [
            format!("{}/my\\040tank/iocage/jails/a/root/mnt", top.display()),
            format!("{}/iocage/jails/a/root/mnt", top.display()),
            "/mnt/no-such-pool/iocage/jails/a/root/mnt".to_owned(),
        ] {
            assert_eq!(moved(&target), expected, "{target}");
        }
        for target in ["/mnt/no-such-pool/iocage/jails/ab/root/mnt", "mnt", "/etc"] {
            assert_eq!(moved(target), format!("/data {target} nullfs ro 0 0\n"));
        }
    }
}
