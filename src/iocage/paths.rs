//! Paths that may be written in more than one way: through links, or as they were when a directory was elsewhere.
//!
//! Two paths are compared by where they lead, and not by their letters. `/iocage` may be a link to `/tank/iocage`, or
//! the other way round; an fstab that was copied with its jail has the paths of the other machine.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// The directories of iocage's that hold jails, templates and releases, and the directory in each of these that is
/// the root of a base system.
const PLACES: [&str; 3] = ["jails", "templates", "releases"];
const ROOT: &str = "root";

/// Returns where a path leads: without links, as far as it exists, and then as it is written.
pub fn real(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut here = path;
    loop {
        if let Ok(real) = fs::canonicalize(here) {
            // `..` that leads back from what does not exist leads nowhere.
            return rest.into_iter().rev().fold(real, |path, part| path.join(part));
        }
        let (Some(name), Some(above)) = (here.components().next_back(), here.parent()) else {
            return path.to_owned();
        };
        rest.push(name.as_os_str());
        here = above;
    }
}

/// Returns the rest of a path that leads into a directory, from there on. Returns `None` if it leads elsewhere.
///
/// A link beneath the directory is left in the rest: the caller decides whether it may be followed.
pub fn inside(path: &Path, directory: &Path) -> Option<PathBuf> {
    if !path.components().any(|part| part == Component::ParentDir) {
        if let Ok(rest) = path.strip_prefix(directory) {
            return Some(plain(rest));
        }
        // From the top: a link that leads back up is not taken for the way in.
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

/// Without `.` and doubled slashes.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// What tells a directory from all others.
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

/// Reads a path as one in an iocage directory. Whether there is such a directory is not asked.
pub fn placed(path: &Path) -> Option<Placed> {
    let parts: Vec<Component<'_>> = path.components().filter(|part| *part != Component::CurDir).collect();
    let text = |at: usize| parts.get(at).and_then(|part| part.as_os_str().to_str());
    let place_at = |at: usize| PLACES.into_iter().find(|place| text(at) == Some(place));
    // That of a jail or release with a root, rather than a directory that happens to be called so.
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
            // It leads out of the jail, and that is for the mount itself to find.
            ("iocage/jails/a/root/out/etc", "out/etc"),
        ] {
            assert_eq!(rest(path), Some(PathBuf::from(expected)), "{path}");
        }
        for path in
            ["data", "tank/iocage/jails/ab/root", "iocage/jails/a", "iocage/jails/a/root/../x", "no/../x"]
        {
            assert_eq!(rest(path), None, "{path}");
        }
        // A root that is not there yet has one name.
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
