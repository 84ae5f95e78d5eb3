//! Paths that may be written in several ways: through symbolic links, or from a time when a directory was
//! elsewhere.
//!
//! Paths are compared by the directory or file that they lead to, and not as text. `/iocage` may be a link to
//! `/tank/iocage`, or `/tank/iocage` a link to `/iocage`. An fstab that was copied with its jail has the paths of
//! the other machine.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// The directories of iocage that contain jails, templates and releases, and the name of the root directory in each
/// of these.
const PLACES: [&str; 3] = ["jails", "templates", "releases"];
const ROOT: &str = "root";

/// Returns a path with symbolic links resolved, as far as the path exists. The rest is kept as written.
pub fn real(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut here = path;
    loop {
        if let Ok(real) = fs::canonicalize(here) {
            // A `..` after a part that does not exist cannot be resolved.
            return rest.into_iter().rev().fold(real, |path, part| path.join(part));
        }
        let (Some(name), Some(above)) = (here.components().next_back(), here.parent()) else {
            return path.to_owned();
        };
        rest.push(name.as_os_str());
        here = above;
    }
}

/// Returns the part of a path beneath a directory. Returns `None` if the path does not lead into the directory.
///
/// A symbolic link beneath the directory is not resolved: the caller decides whether it may be followed.
pub fn inside(path: &Path, directory: &Path) -> Option<PathBuf> {
    if !path.components().any(|part| part == Component::ParentDir) {
        if let Ok(rest) = path.strip_prefix(directory) {
            return Some(plain(rest));
        }
        // Search from the top, so that a link back to the directory is not taken for its beginning.
        let identity = identity(directory)?;
        let mut above: Vec<&Path> = path.ancestors().collect();
        above.reverse();
        if let Some(same) = above.into_iter().find(|one| self::identity(one) == Some(identity)) {
            return Some(plain(path.strip_prefix(same).ok()?));
        }
    }
    let (path, directory) = (real(path), fs::canonicalize(directory).ok()?);
    let rest = path.strip_prefix(directory).ok()?;
    (!rest.components().any(|part| part == Component::ParentDir)).then(|| plain(rest))
}

/// Returns a path without `.` and doubled slashes.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// The device and inode of a directory, which identify it.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.dev(), about.ino()))
}

/// A path in an iocage directory, wherever that is or was: `DIRECTORY/jails/web/root/mnt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// iocage's directory.
    pub directory: PathBuf,
    /// `jails`, `templates` or `releases`.
    pub place: &'static str,
    /// The name of the jail, template or release.
    pub name: String,
    /// The part of the path beneath the jail's root. `None` if the path does not lead through the root.
    pub beneath: Option<PathBuf>,
    /// The part of the path beneath iocage's directory.
    pub rest: PathBuf,
}

/// Reads a path as a path in an iocage directory. The directory need not exist.
pub fn placed(path: &Path) -> Option<Placed> {
    let parts: Vec<Component<'_>> = path.components().filter(|part| *part != Component::CurDir).collect();
    let text = |at: usize| parts.get(at).and_then(|part| part.as_os_str().to_str());
    let place_at = |at: usize| PLACES.into_iter().find(|place| text(at) == Some(place));
    // Prefer a match with a root directory after it: another directory may also be named `jails` or `releases`.
    let at = (1..parts.len()).find(|at| place_at(*at).is_some() && text(at + 2) == Some(ROOT));
    let at = at.or_else(|| (1..parts.len()).find(|at| place_at(*at).is_some()))?;
    let from = |at: usize| parts[at.min(parts.len())..].iter().collect::<PathBuf>();
    Some(Placed {
        directory: parts[..at].iter().collect(),
        place: place_at(at)?,
        name: text(at + 1)?.to_owned(),
        beneath: (text(at + 2) == Some(ROOT)).then(|| from(at + 3)),
        rest: from(at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn paths_are_compared_by_where_they_lead() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let root = top.join("tank/iocage/jails/a/root");
        fs::create_dir_all(root.join("usr/local/www")).unwrap();
        fs::create_dir_all(top.join("data")).unwrap();
        symlink("tank/iocage", top.join("iocage")).unwrap();
        symlink(root.join("usr/local/www"), top.join("www")).unwrap();
        symlink("../../../../..", root.join("out")).unwrap();
        let rest = |path: &str| inside(&top.join(path), &root);
        for (path, expected) in [
            ("tank/iocage/jails/a/root/mnt", "mnt"),
            ("iocage/jails/a/root/mnt/x", "mnt/x"),
            ("iocage/jails/./a/root//mnt/", "mnt"),
            ("iocage/jails/a/root", ""),
            ("www/site", "usr/local/www/site"),
            ("data/../iocage/jails/a/root/usr", "usr"),
            // The path leads out of the jail. The mount itself will refuse it.
            ("iocage/jails/a/root/out/etc", "out/etc"),
        ] {
            assert_eq!(rest(path), Some(PathBuf::from(expected)), "{path}");
        }
        for path in
            ["data", "tank/iocage/jails/ab/root", "iocage/jails/a", "iocage/jails/a/root/../x", "no/../x"]
        {
            assert_eq!(rest(path), None, "{path}");
        }
        // A root that does not exist yet has one name.
        let new = top.join("tank/iocage/jails/new/root");
        assert_eq!(inside(&new.join("mnt"), &new), Some("mnt".into()));
        assert_eq!(inside(&top.join("data"), &new), None);
    }

    #[test]
    fn what_was_in_an_iocage_directory_elsewhere_is_known() {
        let of = |path: &str| {
            let placed = placed(Path::new(path))?;
            let beneath = placed.beneath.map_or("-".to_owned(), |path| path.display().to_string());
            Some(format!("{} {} {} {beneath}", placed.directory.display(), placed.place, placed.name))
        };
        for (path, expected) in [
            ("/mnt/tank/iocage/jails/media/root/mnt", "/mnt/tank/iocage jails media mnt"),
            ("/iocage/releases/11.2-RELEASE/root/bin", "/iocage releases 11.2-RELEASE bin"),
            ("/iocage/jails/a/root", "/iocage jails a "),
            ("/iocage/jails/a/data", "/iocage jails a -"),
            ("/jails/iocage/jails/a/root/x", "/jails/iocage jails a x"),
        ] {
            assert_eq!(of(path).as_deref(), Some(expected), "{path}");
        }
        for path in ["/data", "jails/a/root", "/", ""] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
