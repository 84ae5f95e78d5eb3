//! Checks the mounts of a jail: whether their sources and mount points exist, and whether the kernel has the file
//! systems.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::filesystems::{Trouble, is_known, is_there, needs_path, trouble};
use super::{Prestart, error, warning};
use crate::iocage::config::{JailConfig, Problem};
use crate::iocage::fstab::{self, Mount};
use crate::vnet::Vnet;

/// The directory or file that an earlier mount shows. `None` if it is unknown.
type Shown = Option<PathBuf>;

/// Why something cannot be mounted.
struct Wrong {
    why: String,
    /// Something is not there, and may be by the time of the mount.
    is_missing: bool,
}

impl From<String> for Wrong {
    fn from(why: String) -> Wrong {
        Wrong { why, is_missing: false }
    }
}

impl Wrong {
    fn missing(why: String) -> Wrong {
        Wrong { why, is_missing: true }
    }
}

/// The jail's root, as all its mounts show it.
pub(super) struct Tree<'a> {
    root: &'a Path,
    mounted: Vec<(PathBuf, Shown)>,
}

/// Returns the problems of all mounts, and the root as these show it.
pub(super) fn problems<'a>(
    config: &'a JailConfig,
    vnet: &Vnet,
    prestart: Prestart,
) -> (Vec<Problem>, Tree<'a>) {
    let simulated = vnet.kernel().simulated();
    // exec_prestart is run before anything is mounted, and may make what is missing: iocage starts such a jail.
    let may_be_made = prestart.may_make(config);
    let problem = |about: &str, wrong: Wrong, prefix: &str| match wrong.is_missing && may_be_made {
        true => {
            warning(about, format!("{prefix}{}; exec_prestart may make it, and the start goes on", wrong.why))
        }
        false => error(about, format!("{prefix}{}", wrong.why)),
    };
    let mut tree = Tree { root: &config.root, mounted: Vec::new() };
    let mut problems = Vec::new();
    for (mount, beneath) in &config.mounts.fstab {
        let place = |wrong: Wrong| problem("fstab", wrong, &format!("line {}: ", mount.line));
        let wrong_kind = kind(mount).or_else(|| unknown(mount, vnet));
        problems.extend(wrong_kind.map(Wrong::from).map(place));
        if let Some(Trouble::NoFileSystem) = trouble(&mount.fstype, &mount.options) {
            // The line has to go, and its mount point, as `none` for swap, with it.
            continue;
        }
        let shown = match mount.fstype.as_str() {
            "nullfs" => match source(mount, &tree, simulated) {
                Ok(shown) => shown,
                Err(wrong) => {
                    problems.push(place(wrong));
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
        let wrong = match tree.look(beneath, is_file) {
            Err(wrong) => Some(wrong),
            Ok(on) => mismatch(mount, shown.as_deref(), on.as_deref()).map(Wrong::from),
        };
        let wrong = wrong.or_else(|| tree.twice(mount, beneath, shown.as_deref()).map(Wrong::from));
        problems.extend(wrong.map(place));
        tree.mounted.push((beneath.clone(), shown));
    }
    problems.extend(hidden(config));
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
            Err(wrong) => {
                let why = format!("{}, or set {property}=0", wrong.why);
                problems.push(problem(property, Wrong { why, ..wrong }, ""));
            }
        }
        tree.mounted.push((beneath.into(), None));
    }
    (problems, tree)
}

/// Lines whose mount point a later line covers: nothing in the jail sees what they mount.
fn hidden(config: &JailConfig) -> Vec<Problem> {
    let lines = &config.mounts.fstab;
    let covered = |(place, (mount, beneath)): (usize, &(Mount, PathBuf))| {
        let mut later = lines[place + 1..].iter();
        let (over, _) = later.find(|(_, on)| on != beneath && beneath.starts_with(on))?;
        let (line, over) = (mount.line, over.line);
        Some(warning(
            "fstab",
            format!(
                "line {over} covers what line {line} has mounted, and the jail does not see that: put line {line} behind line {over}"
            ),
        ))
    };
    lines.iter().enumerate().filter_map(covered).collect()
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
fn device(source: &Path, simulated: bool) -> Option<Wrong> {
    let shown = source.display();
    if source.is_relative() {
        return Some(format!("{shown} is no path: write the device's path, as in /dev/da0p1").into());
    }
    // The simulated host has other devices than this machine.
    let missing =
        !simulated && fs::metadata(source).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    missing.then(|| Wrong::missing(format!("there is no {shown}: correct the path, or take the line out")))
}

/// The directory or file that a nullfs shows.
fn source(mount: &Mount, tree: &Tree<'_>, simulated: bool) -> Result<Shown, Wrong> {
    let source = &mount.source;
    if source.is_relative() {
        let why = format!("{} is not absolute: write the whole path of what is mounted", source.display());
        return Err(why.into());
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
            let why = format!("there is no {}: make it, or take the line out", source.display());
            Err(Wrong::missing(why))
        }
        Err(error) => Err(format!("{}: {error}", source.display()).into()),
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
    fn look(&self, beneath: &Path, for_file: bool) -> Result<Shown, Wrong> {
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
                if let Some(why) = self.leads_out(beneath, &top, rest) {
                    return Err(why.into());
                }
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
                return Err(Wrong::missing(why));
            }
            Err(error) => return Err(format!("{seen}: {error}").into()),
            Ok(about) if about.is_symlink() => {
                let why = format!(
                    "{seen} is a symbolic link, and nothing is mounted through one: name what it leads to"
                );
                return Err(why.into());
            }
            Ok(_) => {}
        }
        let (real, top) = (fs::canonicalize(&path), fs::canonicalize(&top));
        match (real, top) {
            (Ok(real), Ok(top)) if !real.starts_with(&top) => {
                let why =
                    format!("{seen} leads out of the jail by a symbolic link: name a directory in the jail");
                Err(why.into())
            }
            _ => Ok(Some(path)),
        }
    }

    /// A link on the way to a mount point that is absolute: it means a path of the jail inside the jail, and a path of
    /// the host here.
    fn leads_out(&self, beneath: &Path, top: &Path, rest: &Path) -> Option<String> {
        let mut path = top.to_owned();
        for part in rest {
            path.push(part);
            let Ok(to) = fs::read_link(&path) else { continue };
            let Ok(within) = to.strip_prefix("/") else { continue };
            let after = top.join(rest);
            let meant = self.root.join(within).join(after.strip_prefix(&path).ok()?);
            return Some(format!(
                "{} leads out of the jail by the symbolic link {}: write {}",
                self.root.join(beneath).display(),
                path.display(),
                fstab::encode(&meant)
            ));
        }
        None
    }

    /// Where a path of the jail is on the host, links followed as the jail follows them. `Err` if that cannot be known.
    pub(super) fn real(&self, path: &Path) -> Result<Option<PathBuf>, Unknown> {
        let mut left: Vec<OsString> = parts(path);
        let mut seen = PathBuf::new();
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == ".." {
                seen.pop();
                continue;
            }
            let next = seen.join(&part);
            let real = match self.mounted.iter().rfind(|(mounted, _)| next.starts_with(mounted)) {
                None => self.root.join(&next),
                Some((_, None)) => return Err(Unknown),
                Some((mounted, Some(shown))) => match next.strip_prefix(mounted) {
                    Ok(rest) if rest.as_os_str().is_empty() => shown.clone(),
                    Ok(rest) => shown.join(rest),
                    Err(_) => return Err(Unknown),
                },
            };
            match fs::symlink_metadata(&real) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(_) => return Err(Unknown),
                Ok(about) if about.is_symlink() => {
                    links += 1;
                    let to = fs::read_link(&real).map_err(|_| Unknown)?;
                    // As many as the kernel follows: MAXSYMLINKS.
                    if links > 32 {
                        return Ok(None);
                    }
                    if to.is_absolute() {
                        seen = PathBuf::new();
                    }
                    left.extend(parts(&to));
                }
                Ok(_) if left.is_empty() => return Ok(Some(real)),
                Ok(_) => seen = next,
            }
        }
        Ok(Some(self.root.join(seen)))
    }
}

/// It cannot be known what will be there at the time of the start.
pub(super) struct Unknown;

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().rev().filter_map(part).collect()
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}
