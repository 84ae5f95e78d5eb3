//! Mounted file systems: `nmount(2)`, `unmount(2)`, `getfsstat(2)`.
//!
//! Nothing is really mounted: a mount is an entry in a list. If the simulated host has a directory, mount points
//! must exist in the real file system, unless a simulated file system is mounted above them.

mod table;

pub(crate) use table::{Mount, Mounts};

use std::path::Path;

use jailwire_sys as sys;

use super::call::Place;
use super::caller::{Caller, Privilege};
use super::world::World;
use crate::kernel::{Errno, Failure, FsId, MountRequest, Result};

/// The file system of the host's root, and the module that reads it.
pub(crate) const ROOT_FILE_SYSTEM: &str = "zfs";

/// File systems: the name, the module if it is not built in, and whether a jail may be allowed to mount it
/// (VFCF_JAIL).
const FILESYSTEMS: [(&str, Option<&str>, bool); 16] = [
    ("devfs", None, true),
    ("procfs", None, true),
    ("tmpfs", None, true),
    ("nullfs", Some("nullfs"), true),
    ("fdescfs", Some("fdescfs"), true),
    ("linprocfs", Some("linprocfs"), true),
    ("linsysfs", Some("linsysfs"), true),
    ("unionfs", Some("unionfs"), false),
    ("zfs", Some("zfs"), true),
    ("ufs", None, false),
    ("msdosfs", None, false),
    ("cd9660", None, false),
    ("ext2fs", Some("ext2fs"), false),
    ("udf", Some("udf"), false),
    ("tarfs", Some("tarfs"), false),
    ("p9fs", Some("p9fs"), false),
];

/// The flag that the kernel adds for local file systems.
const LOCAL: u64 = sys::MNT_LOCAL;

impl World {
    /// The file systems that jails may be allowed to mount, which come with their modules
    /// (`prison_add_vfs`).
    pub fn jailable_filesystems(&self) -> Vec<&'static str> {
        let there = |module: &Option<&str>| match module {
            None => true,
            Some(module) => self.modules.iter().any(|loaded| loaded == module),
        };
        let jailable = FILESYSTEMS.iter().filter(|(_, module, jailable)| *jailable && there(module));
        jailable.map(|(name, ..)| *name).collect()
    }

    /// `nmount(2)`.
    pub fn mount(
        &mut self,
        caller: Caller,
        request: &MountRequest,
        place: &Place,
        from: &Place,
    ) -> Result<()> {
        // The mount point is opened before the call to the kernel, whose flags are an int.
        let on = self.mounts.resolve_any(&request.root.join(&request.beneath), place)?;
        if request.flags > i32::MAX as u64 {
            return Err(Errno::EINVAL.into());
        }
        let Some((fstype, module, _)) = FILESYSTEMS.iter().find(|(name, ..)| *name == request.fstype) else {
            return Err(Failure::with_text(Errno::EINVAL, "Invalid fstype"));
        };
        self.may_mount(caller, fstype)?;
        // The kernel loads the module (`vfs_byname_kld`), but not for a jail.
        if let Some(module) = module {
            self.load_module(Caller { jid: 0, ..caller }, module)?;
        }
        let update = request.flags & sys::MNT_UPDATE != 0 || has_option(request, "update");
        let options = self.read_options(caller, request)?;
        let flags = options.flags | request.flags & !(sys::MNT_UPDATE | sys::MNT_ROOTFS | sys::MNT_FORCE);
        if update {
            // vfs_domount: EINVAL unless it is the root of a file system.
            let mount = self.mounts.last_on(&on).ok_or(Errno::EINVAL)?;
            mount.mounted.flags = flags | LOCAL;
            // Ruleset 0 does not show devices again that another ruleset has hidden (confirmed).
            if let Some(ruleset) = options.ruleset.filter(|ruleset| *ruleset != 0) {
                let old = std::mem::replace(&mut mount.ruleset, ruleset);
                self.hold_ruleset(ruleset);
                self.release_ruleset(old);
            }
            return Ok(());
        }
        // vfs_domount_first: of these only nullfs has VFCF_FILEMOUNT.
        if *fstype != "nullfs" && is_file(place) == Some(true) {
            return Err(Errno::ENOTDIR.into());
        }
        if *fstype == "nullfs" {
            let shown = self.mounts.resolve_any(Path::new(&request.from), from)?;
            // The same mount exists already: `nullfs_mount` would lock against itself.
            let is_there = self.mounts.last_on(&on).is_some_and(|mount| {
                mount.mounted.fstype == "nullfs" && Path::new(&mount.mounted.from) == shown
            });
            if shown == on || is_there {
                return Err(Errno::EDEADLK.into());
            }
            // nullfs_mount: a file can be mounted only on a file, and a directory only on a directory.
            if let (Some(from), Some(on)) = (is_file(from), is_file(place))
                && from != on
            {
                return Err(Errno::EINVAL.into());
            }
        }
        let ruleset = options.ruleset.unwrap_or(0);
        self.hold_ruleset(ruleset);
        let from = match *fstype {
            // `vfs_mountedfrom`
            "nullfs" | "unionfs" | "zfs" | "ufs" | "msdosfs" | "cd9660" | "ext2fs" | "udf" | "tarfs"
            | "p9fs" => request.from.to_string_lossy(),
            pseudo => pseudo.into(),
        };
        self.mounts.add(fstype, &from, on, flags | LOCAL, caller.jid, ruleset);
        Ok(())
    }

    /// On the host, only root may mount. A jail needs `allow.mount`, the permission for the file system, and
    /// enforce_statfs below 2.
    fn may_mount(&self, caller: Caller, fstype: &str) -> Result<()> {
        self.permit(caller, Privilege::Mount)?;
        let Some(jail) = self.jails.get(caller.jid) else { return Ok(()) };
        let allowed = jail.allows(&format!("mount.{fstype}")) && jail.enforce_statfs < 2;
        if allowed { Ok(()) } else { Err(Errno::EPERM.into()) }
    }

    fn read_options(&self, caller: Caller, request: &MountRequest) -> Result<MountOptions> {
        let mut options = MountOptions::default();
        for (name, value) in &request.options {
            match (name.as_str(), request.fstype.as_str()) {
                ("update" | "force" | "rw" | "noro" | "errmsg", _) => {}
                ("ruleset", "devfs") => {
                    let value = value.as_deref().unwrap_or_default();
                    let number = value
                        .parse::<u16>()
                        .map_err(|_| Failure::with_text(Errno::EINVAL, "invalid ruleset specification"))?;
                    options.ruleset = Some(number);
                }
                ("export" | "target" | "from" | "nosync", _) | ("cache" | "nocache", "nullfs") => {}
                ("size" | "mode" | "uid" | "gid" | "inodes" | "maxfilesize" | "nonc", "tmpfs") => {}
                ("linrdlnk" | "nodup" | "rdlnk", "fdescfs") => {}
                (name, _) => match flag_of(name) {
                    Some(flag) => options.flags |= flag,
                    // `unionfs_domount` does not look for unknown options.
                    None if request.fstype == "unionfs" => {}
                    None => {
                        let text = format!("mount option <{name}> is unknown");
                        return Err(Failure::with_text(Errno::EINVAL, text));
                    }
                },
            }
        }
        // In a jail, the jail's own ruleset is used, whatever the options say (confirmed).
        if let Some(jail) = self.jails.get(caller.jid).filter(|_| request.fstype == "devfs") {
            let own = jail.devfs_ruleset as u16;
            if options.ruleset.is_some_and(|ruleset| ruleset != 0 && ruleset != own) {
                return Err(Errno::EPERM.into());
            }
            options.ruleset = Some(own);
        }
        Ok(options)
    }

    /// `unmount(2)` by identity. A file system that is in use is busy, unless `force` is set: something is mounted
    /// in it, or it is a jail's root (`vflush`). A file system that a nullfs shows elsewhere is always busy
    /// (`mnt_uppers`). Only the first was seen on a running kernel, with an open file; the rest is not confirmed.
    pub fn unmount(&mut self, caller: Caller, id: FsId, force: bool) -> Result<()> {
        self.permit(caller, Privilege::Mount)?;
        let mount = self.mounts.get(id).ok_or(Errno::ENOENT)?;
        if caller.jid != 0 && mount.jid != caller.jid {
            return Err(Errno::EPERM.into());
        }
        if mount.mounted.flags & sys::MNT_ROOTFS != 0 {
            return Err(Errno::EINVAL.into());
        }
        let is_root =
            || self.jails.roots_beneath(&mount.mounted.on).any(|path| self.mounts.holds(mount, path));
        if (!force && (self.mounts.has_inside(mount) || is_root())) || self.mounts.is_shown(mount) {
            return Err(Errno::EBUSY.into());
        }
        let Some(Mount { jid, ruleset, .. }) = self.mounts.remove(id) else {
            return Err(Errno::ENOENT.into());
        };
        if ruleset != 0 {
            self.release_ruleset(ruleset);
        }
        self.release(jid);
        Ok(())
    }
}

#[derive(Default)]
struct MountOptions {
    flags: u64,
    ruleset: Option<u16>,
}

/// Whether a path leads to a file, if the path was looked up.
fn is_file(place: &Place) -> Option<bool> {
    match place {
        Place::File(_) => Some(true),
        Place::Directory(_) => Some(false),
        Place::Unseen | Place::Nowhere(_) => None,
    }
}

fn has_option(request: &MountRequest, name: &str) -> bool {
    request.options.iter().any(|(other, _)| other == name)
}

fn flag_of(name: &str) -> Option<u64> {
    Some(match name {
        "ro" | "rdonly" | "norw" => sys::MNT_RDONLY,
        "noexec" => sys::MNT_NOEXEC,
        "nosuid" => sys::MNT_NOSUID,
        "noatime" => sys::MNT_NOATIME,
        "nosymfollow" => sys::MNT_NOSYMFOLLOW,
        "union" => sys::MNT_UNION,
        "sync" => sys::MNT_SYNCHRONOUS,
        "async" => sys::MNT_ASYNC,
        "noclusterr" => sys::MNT_NOCLUSTERR,
        "noclusterw" => sys::MNT_NOCLUSTERW,
        "multilabel" => sys::MNT_MULTILABEL,
        "acls" => sys::MNT_ACLS,
        "nfsv4acls" => sys::MNT_NFS4ACLS,
        "automounted" => sys::MNT_AUTOMOUNTED,
        "exec" | "suid" | "atime" | "symfollow" | "clusterr" | "clusterw" | "noasync" => 0,
        _ => return None,
    })
}
