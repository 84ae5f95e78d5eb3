//! Checks the mounts of a jail: whether their sources and mount points exist, and whether the kernel has the file
//! systems.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error;
use super::filesystems::{Trouble, is_known, is_there, needs_path, trouble};
use crate::iocage::config::{JailConfig, Problem};
use crate::iocage::fstab::{self, Mount};
use crate::vnet::Vnet;

/// The directory or file that an earlier mount shows. `None` if it is unknown.
type Shown = Option<PathBuf>;

/// The jail's root, as the earlier mounts show it.
struct Tree<'a> {
    root: &'a Path,
    mounted: Vec<(PathBuf, Shown)>,
}

pub(super) fn problems(config: &JailConfig, vnet: &Vnet) -> Vec<Problem> {
    let simulated = vnet.kernel().simulated();
    let mut tree = Tree { root: &config.root, mounted: Vec::new() };
    let mut problems = Vec::new();
    for (mount, beneath) in &config.mounts.fstab {
        let place = |problem: String| error("fstab", format!("line {}: {problem}", mount.line));
        let wrong_kind = kind(mount).or_else(|| unknown(mount, vnet));
        problems.extend(wrong_kind.map(place));
        let shown = match mount.fstype.as_str() {
            "nullfs" => match source(mount, &tree, simulated) {
                Ok(shown) => shown,
                Err(problem) => {
                    problems.push(place(problem));
                    None
                }
            },
            // The source is a device or a dataset.
            fstype if needs_path(fstype) => {
                problems.extend(device(&mount.source, simulated).map(place));
                None
            }
            _ => None,
        };
        let is_file = shown.as_deref().is_some_and(Path::is_file);
        let problem = match tree.look(beneath, is_file) {
            Err(problem) => Some(problem),
            Ok(on) => mismatch(mount, shown.as_deref(), on.as_deref()),
        };
        problems.extend(problem.or_else(|| tree.twice(mount, beneath, shown.as_deref())).map(place));
        tree.mounted.push((beneath.clone(), shown));
    }
    let mounts = &config.mounts;
    for (property, is_on, beneath) in [
        ("mount_devfs", mounts.devfs, "dev"),
        ("mount_fdescfs", mounts.fdescfs, "dev/fd"),
        ("mount_procfs", mounts.procfs, "proc"),
        ("mount_linprocfs", mounts.linprocfs, "compat/linux/proc"),
    ] {
        if !is_on {
            continue;
        }
        match tree.look(Path::new(beneath), false) {
            Ok(on) if on.as_ref().is_some_and(|on| on.is_file()) => {
                let on = tree.root.join(beneath);
                problems.push(error(
                    property,
                    format!("{} is a file: make it a directory, or set {property}=0", on.display()),
                ));
            }
            Ok(_) => {}
            Err(problem) => problems.push(error(property, format!("{problem}, or set {property}=0"))),
        }
        tree.mounted.push((beneath.into(), None));
    }
    problems
}

/// The problem of a file system's type or options.
fn kind(mount: &Mount) -> Option<String> {
    let Mount { fstype, source, .. } = mount;
    Some(match trouble(fstype, &mount.options)? {
        Trouble::NeedsProgram(program) => format!(
            "{fstype} is mounted by a program, {program}, and not by the kernel alone: mount {} on the host, and show the jail that directory with nullfs; or run {program} in exec_prestart, and umount(8) in exec_poststop",
            source.display()
        ),
        Trouble::NoFileSystem => format!("{fstype} is no file system to mount: take the line out"),
        Trouble::Meant(meant) => format!("there is no file system {fstype}: write {meant}"),
        Trouble::Value(option, wanted) => format!("{option} is no option of {fstype}: write {wanted}"),
        Trouble::NoOption(option, meant) => {
            let meant =
                meant.map_or("take it out".to_owned(), |meant| format!("write {meant}, or take it out"));
            format!("{fstype} has no option {option}: {meant}")
        }
    })
}

/// The problem of an unknown type, if the kernel has no such file system either.
fn unknown(mount: &Mount, vnet: &Vnet) -> Option<String> {
    let fstype = &mount.fstype;
    (!is_known(fstype) && !is_there(vnet, fstype)).then(|| {
        format!("there is no file system {fstype}, and no kernel module of that name: write another type, as nullfs for a directory of the host")
    })
}

/// The problem of a device, or of a file that contains a file system.
fn device(source: &Path, simulated: bool) -> Option<String> {
    let shown = source.display();
    if source.is_relative() {
        return Some(format!("{shown} is no path: write the device's path, as in /dev/da0p1"));
    }
    // The simulated host has other devices than this machine.
    let missing =
        !simulated && fs::metadata(source).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    missing.then(|| format!("there is no {shown}: correct the path, or take the line out"))
}

/// The directory or file that a nullfs shows.
fn source(mount: &Mount, tree: &Tree<'_>, simulated: bool) -> Result<Shown, String> {
    let source = &mount.source;
    if source.is_relative() {
        return Err(format!("{} is not absolute: write the whole path of what is mounted", source.display()));
    }
    // An earlier mount may provide the source.
    if let Ok(beneath) = source.strip_prefix(tree.root)
        && tree.mounted.iter().any(|(mounted, _)| beneath.starts_with(mounted))
    {
        return Ok(None);
    }
    match fs::metadata(source) {
        Ok(_) => Ok(Some(source.clone())),
        // The simulated host has a FreeBSD base system, even if this machine does not.
        Err(_) if simulated && super::is_of_the_simulated_system(source) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("there is no {}: make it, or take the line out", source.display()))
        }
        Err(error) => Err(format!("{}: {error}", source.display())),
    }
}

/// The problem of a mount whose source and mount point do not match: a file has to be mounted on a file with one
/// hard link, and a directory on a directory.
fn mismatch(mount: &Mount, shown: Option<&Path>, on: Option<&Path>) -> Option<String> {
    let on = on?;
    let (is_file, fstype) = (on.is_file(), &mount.fstype);
    let on_names = fs::metadata(on).map_or(1, |about| about.nlink());
    let on = on.display();
    let source = mount.source.display();
    if fstype != "nullfs" {
        return is_file
            .then(|| format!("{on} is a file, and {fstype} is mounted on a directory: make it one"));
    }
    match (shown?.is_file(), is_file) {
        (true, false) => Some(format!(
            "{source} is a file, and {on} is a directory: name a file there, as in {on}/{}",
            file_name(mount)
        )),
        (false, true) => Some(format!("{source} is a directory, and {on} is a file: name a directory there")),
        (true, true) if on_names != 1 => Some(format!(
            "{on} has more than one name (hard links), and nothing can be mounted on it: copy it to a file of its own"
        )),
        _ => None,
    }
}

fn file_name(mount: &Mount) -> String {
    mount.source.file_name().map(|name| fstab::encode(Path::new(name))).unwrap_or_default()
}

impl Tree<'_> {
    /// The problem of a mount that is there already: nullfs refuses the second one
    /// (`fs/nullfs/null_vfsops.c:nullfs_mount`).
    fn twice(&self, mount: &Mount, beneath: &Path, shown: Option<&Path>) -> Option<String> {
        let (_, before) = self.mounted.iter().rfind(|(mounted, _)| mounted == beneath)?;
        let real = |path: &Path| fs::canonicalize(path).ok();
        let is_same = real(shown?)? == real(before.as_deref()?)?;
        let source = mount.source.display();
        is_same.then(|| {
            format!("{source} is mounted there by an earlier line already: take one of the two lines out")
        })
    }

    /// Looks for a mount point. Returns `None` when it cannot be known what will be there at the time of the mount.
    /// `for_file`: a file is mounted there, and not a directory.
    fn look(&self, beneath: &Path, for_file: bool) -> Result<Shown, String> {
        let over = self.mounted.iter().rfind(|(mounted, _)| beneath.starts_with(mounted));
        let top = match over {
            None => self.root.to_owned(),
            Some((_, None)) => return Ok(None),
            Some((_, Some(shown))) => shown.clone(),
        };
        let rest = over.map_or(Ok(beneath), |(mounted, _)| beneath.strip_prefix(mounted));
        let rest = rest.expect("it is beneath that");
        let (path, seen) = (top.join(rest), self.root.join(beneath));
        let seen = seen.display();
        if rest.as_os_str().is_empty() {
            return Ok(Some(top));
        }
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let make = if for_file { "touch" } else { "mkdir -p" };
                let mut why = format!(
                    "there is no {seen}: {make} {}",
                    crate::iocage::trust::quoted(&self.root.join(beneath))
                );
                if is_empty(&top) {
                    why = format!(
                        "there is no {seen}, and nothing else in {}: mount its dataset with zfs mount, or {}",
                        top.display(),
                        why.split(": ").last().unwrap_or_default()
                    );
                }
                return Err(why);
            }
            Err(error) => return Err(format!("{seen}: {error}")),
            Ok(about) if about.is_symlink() => {
                return Err(format!(
                    "{seen} is a symbolic link, and nothing is mounted through one: name what it leads to"
                ));
            }
            Ok(_) => {}
        }
        let (real, top) = (fs::canonicalize(&path), fs::canonicalize(&top));
        match (real, top) {
            (Ok(real), Ok(top)) if !real.starts_with(&top) => {
                Err(format!("{seen} leads out of the jail by a symbolic link: name a directory in the jail"))
            }
            _ => Ok(Some(path)),
        }
    }
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}
