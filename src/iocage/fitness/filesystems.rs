//! File systems that an fstab may name: which of them the kernel mounts by itself, and what options they have.

use std::path::PathBuf;

use crate::vnet::Vnet;

/// A file system that the kernel mounts by itself, and its own options.
struct Known {
    name: &'static str,
    options: &'static [&'static str],
}

/// The file systems that are usual in jails. For others the kernel is asked whether it has them.
const KNOWN: [Known; 9] = [
    Known { name: "nullfs", options: &["cache", "nocache", "target", "from"] },
    Known {
        name: "tmpfs",
        options: &["size", "maxfilesize", "inodes", "uid", "gid", "mode", "nonc", "pgread", "easize"],
    },
    Known { name: "devfs", options: &["ruleset"] },
    Known { name: "fdescfs", options: &["linrdlnk", "rdlnk", "nodup"] },
    Known { name: "procfs", options: &[] },
    Known { name: "linprocfs", options: &[] },
    Known { name: "linsysfs", options: &[] },
    Known {
        name: "unionfs",
        options: &["below", "target", "from", "copymode", "udir", "ufile", "uid", "gid", "whiteout"],
    },
    Known {
        name: "zfs",
        options: &["setuid", "nosetuid", "devices", "nodevices", "xattr", "noxattr", "zfsutil"],
    },
];

/// Other file systems that the kernel may have, on devices. Their options are left to the kernel.
const OTHERS: [&str; 7] = ["ufs", "msdosfs", "cd9660", "ext2fs", "udf", "tarfs", "p9fs"];

/// Words that other systems have for a type, or that are written by mistake, each with the right type.
const ALIASES: [(&str, &str); 20] = [
    ("proc", "procfs"),
    ("dev", "devfs"),
    ("fdesc", "fdescfs"),
    ("tmp", "tmpfs"),
    ("ramfs", "tmpfs"),
    ("null", "nullfs"),
    ("loop", "nullfs"),
    ("union", "unionfs"),
    ("overlay", "unionfs"),
    ("linproc", "linprocfs"),
    ("linsys", "linsysfs"),
    ("sysfs", "linsysfs"),
    ("vfat", "msdosfs"),
    ("msdos", "msdosfs"),
    ("iso9660", "cd9660"),
    ("ext2", "ext2fs"),
    ("ext3", "ext2fs"),
    ("ext4", "ext2fs"),
    ("ffs", "ufs"),
    ("9p", "p9fs"),
];

/// What the value of a tmpfs option has to be, if it is wrong. The kernel refuses a wrong size, and ignores a wrong
/// mode or owner (`fs/tmpfs/tmpfs_vfsops.c:tmpfs_mount`).
fn wrong_value(fstype: &str, option: &str) -> Option<&'static str> {
    let (name, value) = option.split_once('=')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_size = || is_number(value.trim_end_matches(|unit: char| "kKmMgGtTpP".contains(unit)));
    let is_mode = || !value.is_empty() && value.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    match (fstype, name) {
        ("tmpfs", "size" | "inodes" | "maxfilesize") if !is_size() => Some("a number, as in size=64m"),
        ("tmpfs", "mode") if !is_mode() => Some("an octal number, as in mode=1777"),
        ("tmpfs" | "unionfs", "uid" | "gid") if !is_number(value) => Some("the number of a user or group"),
        ("devfs", "ruleset") if !is_number(value) => Some("the number of a ruleset, as in ruleset=4"),
        _ => None,
    }
}

/// Whether a file system lies on a device.
pub fn needs_path(fstype: &str) -> bool {
    matches!(fstype, "ufs" | "msdosfs" | "cd9660" | "ext2fs" | "udf" | "tarfs")
}

/// The options of every file system, and the words of mount(8), without the prefix `no` that some have.
const OPTIONS: [&str; 26] = [
    "ro",
    "rdonly",
    "rw",
    "exec",
    "suid",
    "atime",
    "symfollow",
    "union",
    "sync",
    "async",
    "clusterr",
    "clusterw",
    "multilabel",
    "acls",
    "nfsv4acls",
    "automounted",
    "force",
    "update",
    "snapshot",
    "export",
    "cover",
    "emptydir",
    "untrusted",
    "auto",
    "late",
    "failok",
];

/// Why the type of a mount, or an option, is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A program or a daemon of its own mounts this type.
    NeedsProgram(String),
    /// A line of this type mounts nothing.
    NoFileSystem,
    /// The type is probably misspelt: this type exists.
    Meant(&'static str),
    /// An option has a wrong value. The second text says what to write.
    Value(String, &'static str),
    /// The type has no such option. The second value is the option with the most similar name.
    NoOption(String, Option<&'static str>),
}

/// Looks for what the kernel would refuse, or could not do by itself.
pub fn trouble(fstype: &str, options: &[String]) -> Option<Trouble> {
    let program = match fstype {
        "nfs" | "oldnfs" | "nfsv4" => Some("mount_nfs(8)"),
        "smbfs" | "cifs" => Some("mount_smbfs(8)"),
        "fusefs" => Some("mount_fusefs(8) and its daemon"),
        "autofs" => Some("automountd(8)"),
        "mfs" | "md" => Some("mdmfs(8)"),
        other if other.starts_with("fuse") || other.contains("fuse.") => {
            Some("the daemon of that file system")
        }
        _ => None,
    };
    if let Some(program) = program {
        return Some(Trouble::NeedsProgram(program.to_owned()));
    }
    if let Some(program) = options.iter().find_map(|option| option.strip_prefix("mountprog=")) {
        return Some(Trouble::NeedsProgram(program.to_owned()));
    }
    if matches!(fstype, "swap" | "sw" | "none" | "ignore" | "xx" | "bind" | "auto") {
        return Some(match fstype {
            "bind" | "none" if !options.iter().any(|option| option == "sw") => Trouble::Meant("nullfs"),
            _ => Trouble::NoFileSystem,
        });
    }
    if OTHERS.contains(&fstype) {
        return None;
    }
    if let Some((_, meant)) = ALIASES.iter().find(|(alias, _)| *alias == fstype) {
        return Some(Trouble::Meant(meant));
    }
    let wrong = options.iter().find_map(|option| Some((option, wrong_value(fstype, option)?)));
    if let Some((option, wanted)) = wrong {
        return Some(Trouble::Value(option.clone(), wanted));
    }
    let Some(known) = KNOWN.iter().find(|known| known.name == fstype) else {
        return KNOWN
            .iter()
            .find(|known| is_like(fstype, known.name))
            .map(|known| Trouble::Meant(known.name));
    };
    let name = |option: &String| option.split('=').next().unwrap_or_default().to_owned();
    let of_all =
        |name: &str| OPTIONS.contains(&name.strip_prefix("no").unwrap_or(name)) || OPTIONS.contains(&name);
    let unknown =
        options.iter().map(name).find(|name| !of_all(name) && !known.options.contains(&name.as_str()))?;
    let mut all = known.options.iter().chain(&OPTIONS).copied();
    let meant = all.find(|other| is_like(&unknown, other));
    Some(Trouble::NoOption(unknown, meant))
}

/// Whether a type is in the list of known types.
pub fn is_known(fstype: &str) -> bool {
    KNOWN.iter().any(|known| known.name == fstype) || OTHERS.contains(&fstype)
}

/// Whether the kernel has a file system, or finds a module of that name. The simulated kernel has all known types.
pub fn is_there(vnet: &Vnet, fstype: &str) -> bool {
    if vnet.kernel().simulated() {
        return is_known(fstype);
    }
    // If the kernel's list cannot be read, leave the check to the mount.
    let Ok(all) = vnet.sysctl("vfs.conflist") else { return true };
    // `struct xvfsconf`: a pointer, and a name of 16 bytes.
    let name = |one: &[u8]| one[8..24].split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
    let has = all.chunks_exact(48).filter_map(name).any(|name| name == fstype.as_bytes());
    has || module_directories(vnet).iter().any(|directory| directory.join(format!("{fstype}.ko")).exists())
}

/// The directories in which the kernel looks for modules (`kern.module_path`).
fn module_directories(vnet: &Vnet) -> Vec<PathBuf> {
    let path = vnet.sysctl("kern.module_path").unwrap_or_default();
    let path = String::from_utf8_lossy(&path);
    path.trim_end_matches('\0').split(';').map(PathBuf::from).collect()
}

/// Whether two words differ by at most one letter, or by two swapped letters.
fn is_like(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) =
        (one.to_lowercase().chars().collect(), other.chars().collect());
    let same = |a: &[char], b: &[char]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let start = same(&one, &other);
    let (one, other) = (&one[start..], &other[start..]);
    match (one, other) {
        ([], []) | ([_], []) | ([], [_]) | ([_], [_]) => true,
        ([a, b, one @ ..], [c, d, other @ ..]) if (a, b) == (d, c) && one == other => true,
        ([_, one @ ..], [_, other @ ..]) if one == other => true,
        ([_, rest @ ..], other) if rest == other => true,
        (one, [_, rest @ ..]) if rest == one => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fstype: &str, options: &str) -> Option<Trouble> {
        trouble(fstype, &options.split(',').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_the_kernel_mounts_is_no_trouble() {
        for (fstype, options) in [
            ("nullfs", "ro"),
            ("nullfs", "rw,noatime,nosuid,noexec,late,failok,nocache"),
            ("tmpfs", "rw,mode=1777,size=512m,nosymfollow"),
            ("devfs", "rw,ruleset=5"),
            ("fdescfs", "rw,linrdlnk"),
            ("unionfs", "rw,below,noatime"),
            ("ufs", "rw,userquota"),
            ("msdosfs", "rw,-m=644"),
        ] {
            assert_eq!(of(fstype, options), None, "{fstype} {options}");
        }
    }

    #[test]
    fn what_needs_a_program_or_is_misspelt_is_told_of() {
        for fstype in ["nfs", "smbfs", "fusefs", "fusefs.sshfs", "fuse.s3fs", "autofs", "mfs"] {
            assert!(matches!(of(fstype, "rw"), Some(Trouble::NeedsProgram(_))), "{fstype}");
        }
        let ntfs = of("ufs", "rw,mountprog=/usr/local/bin/ntfs-3g");
        assert_eq!(ntfs, Some(Trouble::NeedsProgram("/usr/local/bin/ntfs-3g".into())));
        for (fstype, meant) in [
            ("nullf", "nullfs"),
            ("nulfs", "nullfs"),
            ("tmfps", "tmpfs"),
            ("NULLFS", "nullfs"),
            ("bind", "nullfs"),
        ] {
            assert_eq!(of(fstype, "rw"), Some(Trouble::Meant(meant)), "{fstype}");
        }
        assert_eq!(of("swap", "sw"), Some(Trouble::NoFileSystem));
        assert_eq!(of("nullfs", "ro,noatme"), Some(Trouble::NoOption("noatme".into(), None)));
        assert_eq!(of("tmpfs", "rw,sise=1g"), Some(Trouble::NoOption("sise".into(), Some("size"))));
        assert_eq!(of("nullfs", "ro,soft"), Some(Trouble::NoOption("soft".into(), None)));
    }
}
