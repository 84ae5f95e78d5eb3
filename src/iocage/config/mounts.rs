//! The mounts of a jail, by its properties and its fstab.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Mounts;
use super::reader::Reader;
use crate::files::{Unread, read_regular};
use crate::iocage::fstab::{self, Mount};
use crate::iocage::paths;
use crate::iocage::store::{Entry, Store};

/// The subject of a problem with the root directory.
pub(super) const ROOT: &str = "root";
const FSTAB: &str = "fstab";

/// Lines with outdated paths, from a time when iocage's directory or the jail's directory was elsewhere: the old
/// directory, the new directory, and the line numbers.
type Moved = BTreeMap<(PathBuf, PathBuf), Vec<usize>>;

impl Reader<'_> {
    pub(super) fn mounts(&mut self, store: &Store, entry: &Entry) -> Mounts {
        let root = entry.root();
        if root == Path::new("/") {
            let written = entry.directory.join("root");
            self.error(
                ROOT,
                format!("{} leads to /: make it a directory with the jail's files", written.display()),
            );
        } else if !root.is_dir() {
            let message =
                format!("{} is missing: the jail has no root directory; create it again", root.display());
            self.error(ROOT, message);
        }
        let (fstab, fstab_is_for_all) = self.fstab(store, entry, &root);
        Mounts {
            devfs: self.flag("mount_devfs"),
            fdescfs: self.flag("mount_fdescfs"),
            procfs: self.flag("mount_procfs"),
            linprocfs: self.flag("mount_linprocfs"),
            fstab,
            fstab_is_for_all,
        }
    }

    /// Reads the jail's fstab. Returns its lines, and whether they mean the same to mount(8). A missing file has no
    /// lines.
    fn fstab(&mut self, store: &Store, entry: &Entry, root: &Path) -> (Vec<(Mount, PathBuf)>, bool) {
        let path = entry.fstab();
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) => {
                self.error(FSTAB, format!("cannot read {}: {error}", path.display()));
                return (Vec::new(), true);
            }
        };
        let mut moved = Moved::new();
        let mut mounts = Vec::new();
        for mount in fstab::mounts(&text) {
            let mut mount = match mount {
                Ok(mount) => mount,
                Err(error) => {
                    self.error(FSTAB, error.to_string().trim_start_matches("fstab ").to_owned());
                    continue;
                }
            };
            self.tell_of_idle_options(&mount);
            source(store, &mut mount, &mut moved);
            match target(store, entry, root, &mount, &mut moved) {
                Ok(beneath) => mounts.push((mount, beneath)),
                Err(reason) => self.error(FSTAB, format!("line {}: {reason}", mount.line)),
            }
        }
        let for_all = moved.is_empty() && mounts.iter().all(|(mount, _)| mount.target.is_absolute());
        self.tell_of_moved(moved);
        (mounts, for_all)
    }

    /// Warns of options that have a meaning only for `mount -a`. jail(8) mounts each line by itself, and so does a
    /// start here (`sbin/mount/mount.c:main`, `usr.sbin/jail/command.c`).
    fn tell_of_idle_options(&mut self, mount: &Mount) {
        let line = mount.line;
        for option in &mount.options {
            let message = match option.as_str() {
                "noauto" => format!(
                    "line {line}: noauto does nothing here: each line of a jail's fstab is mounted at the start, as iocage does; take the line out, or begin it with #"
                ),
                "failok" => format!(
                    "line {line}: failok does nothing here: a jail whose file systems cannot be mounted does not start, as with iocage; take failok out"
                ),
                _ => continue,
            };
            self.warn(FSTAB, message);
        }
    }

    fn tell_of_moved(&mut self, moved: Moved) {
        for ((from, to), mut lines) in moved {
            lines.dedup();
            let (first, more) = (lines[0], lines.len() - 1);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            self.warn(
                FSTAB,
                format!(
                    "line {first}{more}: there is no {}, and {} is taken for it: write that, or a mount point relative to the jail's root",
                    from.display(),
                    to.display()
                ),
            );
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match read_regular(path) {
        Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => Ok(other?),
    }
}

/// Finds a mount point beneath the jail's root, at the present path of the root.
fn target(
    store: &Store,
    entry: &Entry,
    root: &Path,
    mount: &Mount,
    moved: &mut Moved,
) -> Result<PathBuf, String> {
    let reason = match mount.beneath_root(root) {
        Ok(beneath) => return Ok(beneath),
        Err(reason) => reason,
    };
    if mount.goes_upwards() {
        return Err(reason.to_string());
    }
    let target = &mount.target;
    let Some(placed) = paths::placed(&paths::real(target)) else { return Err(reason.to_string()) };
    let Some(beneath) = placed.beneath else { return Err(reason.to_string()) };
    // The mount point may be in the root of another jail, in this or another directory of iocage.
    let directory = placed.directory.join(placed.place).join(&placed.name);
    if fs::symlink_metadata(&directory).is_ok() {
        let whose = if placed.directory == store.root() { "in" } else { "in another iocage directory, in" };
        return Err(format!(
            "{} is {whose} the jail {}: if the fstab was copied from there, write {}",
            target.display(),
            placed.name,
            fstab::encode(&root.join(&beneath))
        ));
    }
    moved.entry((directory, entry.directory.clone())).or_default().push(mount.line);
    Ok(beneath)
}

/// If the source of a mount does not exist at its path, looks for it in the present directory of iocage.
fn source(store: &Store, mount: &mut Mount, moved: &mut Moved) {
    if !mount.source.is_absolute() || fs::symlink_metadata(&mount.source).is_ok() {
        return;
    }
    let Some(placed) = paths::placed(&mount.source) else { return };
    let here = store.root().join(&placed.rest);
    if placed.directory != store.root() && here.exists() {
        moved.entry((placed.directory, store.root().to_owned())).or_default().push(mount.line);
        mount.source = here;
    }
}
