//! Mounted file systems: `nmount(2)`, `unmount(2)`, `getfsstat(2)`.
//!
//! Nothing is mounted in earnest: a mount is an entry in a list. Where the simulation has a directory,
//! mount points must exist in the real file system, unless something simulated is mounted above them.

use std::path::{Path, PathBuf};

use jailwire_sys as sys;

use super::call::Place;
use super::caller::{Caller, Privilege};
use super::world::World;
use crate::kernel::{Errno, Failure, FsId, MountRequest, Mounted, Result};

/// File systems: the name, the module that brings it if it is not built in, and whether a jail may be
/// allowed to mount it (VFCF_JAIL).
const FILESYSTEMS: [(&str, Option<&str>, bool); 10] = [
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
];

/// What the kernel adds for file systems that are not another machine's.
const LOCAL: u64 = sys::MNT_LOCAL;

/// What is mounted, oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Mounts {
    list: Vec<Mount>,
    /// For the next identity.
    next: i32,
}

/// One mounted file system.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    pub mounted: Mounted,
    /// The jail whose process mounted it; 0 for the host. It keeps the jail.
    pub jid: i32,
    /// The ruleset of a devfs.
    pub ruleset: u16,
}

impl Mounts {
    /// The root file system and its devfs.
    pub fn new() -> Mounts {
        let mut mounts = Mounts { list: Vec::new(), next: 1 };
        mounts.add("zfs", "zroot/ROOT/default", PathBuf::from("/"), LOCAL | sys::MNT_ROOTFS, 0, 0);
        mounts.add("devfs", "devfs", PathBuf::from("/dev"), LOCAL, 0, 0);
        mounts
    }

    fn add(&mut self, fstype: &str, from: &str, on: PathBuf, flags: u64, jid: i32, ruleset: u16) {
        // vfs_getnewfsid: a counter, and the type's number.
        let kind = FILESYSTEMS.iter().position(|(name, ..)| *name == fstype).unwrap_or(0) as i32;
        let id = FsId(self.next, kind);
        self.next += 1;
        let mounted = Mounted { id, fstype: fstype.to_owned(), from: from.to_owned(), on, flags };
        self.list.push(Mount { mounted, jid, ruleset });
    }

    /// `getfsstat(2)`.
    pub fn list(&self) -> Vec<Mounted> {
        self.list.iter().map(|mount| mount.mounted.clone()).collect()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Mount> {
        self.list.iter()
    }

    /// Whether something is mounted there or above, other than what a new host has (a test's directory may
    /// well be in the real /dev/shm): then the real file system does not know what is there.
    pub fn covers(&self, path: &Path) -> bool {
        let of_the_host = |on: &Path| on == Path::new("/") || on == Path::new("/dev");
        self.list.iter().any(|mount| !of_the_host(&mount.mounted.on) && path.starts_with(&mount.mounted.on))
    }

    /// Where a path leads. What is simulated is there whatever the real file system says.
    pub fn resolve(&self, path: &Path, place: &Place) -> std::result::Result<PathBuf, Errno> {
        match place {
            Place::Directory(real) => Ok(real.clone()),
            Place::Nowhere(errno) if !self.covers(path) => Err(*errno),
            // Without `.` and doubled slashes.
            Place::Nowhere(_) | Place::Unseen => Ok(path.components().collect()),
        }
    }

    /// Whether a jail has mounted something.
    pub fn hold(&self, jid: i32) -> bool {
        jid != 0 && self.list.iter().any(|mount| mount.jid == jid)
    }

    /// A jail got another number.
    pub fn renumber(&mut self, old: i32, new: i32) {
        for mount in self.list.iter_mut().filter(|mount| mount.jid == old) {
            mount.jid = new;
        }
    }

    /// The topmost devfs at a path, or above it.
    pub fn devfs_at(&mut self, path: &Path) -> Option<&mut Mount> {
        let at = |mount: &&mut Mount| path.starts_with(&mount.mounted.on);
        let depth = |mount: &&mut Mount| mount.mounted.on.components().count();
        // Of two at one place the later one is seen.
        let top = self.list.iter_mut().filter(at).max_by_key(depth)?;
        (top.mounted.fstype == "devfs").then_some(top)
    }
}

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
        // The mount point is opened before anything is asked of the kernel, which takes the flags as an
        // int.
        let on = self.mounts.resolve(&request.root.join(&request.beneath), place)?;
        if request.flags > i32::MAX as u64 {
            return Err(Errno::EINVAL.into());
        }
        let Some((fstype, module, _)) = FILESYSTEMS.iter().find(|(name, ..)| *name == request.fstype) else {
            return Err(Failure::with_text(Errno::EINVAL, "Invalid fstype"));
        };
        self.may_mount(caller, fstype)?;
        // A module is loaded on the way (`vfs_byname_kld`), but not for a jail.
        if let Some(module) = module {
            self.load_module(Caller { jid: 0, ..caller }, module)?;
        }
        let update = request.flags & sys::MNT_UPDATE != 0 || has_option(request, "update");
        let options = self.read_options(caller, request)?;
        let flags = options.flags | request.flags & !(sys::MNT_UPDATE | sys::MNT_ROOTFS | sys::MNT_FORCE);
        if update {
            let last = self.mounts.list.iter_mut().rfind(|mount| mount.mounted.on == on);
            // vfs_domount: EINVAL unless it is the root of a file system.
            let mount = last.ok_or(Errno::EINVAL)?;
            mount.mounted.flags = flags | LOCAL;
            // Set 0 does not undo what another has hidden (confirmed).
            if let Some(ruleset) = options.ruleset.filter(|ruleset| *ruleset != 0) {
                let old = std::mem::replace(&mut mount.ruleset, ruleset);
                self.hold_ruleset(ruleset);
                self.release_ruleset(old);
            }
            return Ok(());
        }
        if *fstype == "nullfs" {
            match self.mounts.resolve(Path::new(&request.from), from) {
                Ok(shown) if shown == on => return Err(Errno::EDEADLK.into()),
                // A file can be shown on a file.
                Ok(_) | Err(Errno::ENOTDIR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        let ruleset = options.ruleset.unwrap_or(0);
        self.hold_ruleset(ruleset);
        let from = match *fstype {
            // `vfs_mountedfrom`
            "nullfs" | "unionfs" | "zfs" | "ufs" => &request.from,
            pseudo => pseudo,
        };
        self.mounts.add(fstype, from, on, flags | LOCAL, caller.jid, ruleset);
        Ok(())
    }

    /// On the host root; in a jail with `allow.mount`, that of the file system, and enforce_statfs
    /// below 2.
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
                    None => {
                        let text = format!("mount option <{name}> is unknown");
                        return Err(Failure::with_text(Errno::EINVAL, text));
                    }
                },
            }
        }
        // In a jail the jail's own set, whatever is asked for (confirmed).
        if let Some(jail) = self.jails.get(caller.jid).filter(|_| request.fstype == "devfs") {
            let own = jail.devfs_ruleset as u16;
            if options.ruleset.is_some_and(|ruleset| ruleset != 0 && ruleset != own) {
                return Err(Errno::EPERM.into());
            }
            options.ruleset = Some(own);
        }
        Ok(options)
    }

    /// `unmount(2)` by identity. One that is in use is busy, unless forced: something is mounted in it, or
    /// it is a jail's root (`vflush`). One that a nullfs shows elsewhere is busy at any rate
    /// (`mnt_uppers`). Of this the first was seen on a running kernel, with an open file; the rest is not
    /// confirmed.
    pub fn unmount(&mut self, caller: Caller, id: FsId, force: bool) -> Result<()> {
        self.permit(caller, Privilege::Mount)?;
        let list = &self.mounts.list;
        let at = list.iter().position(|mount| mount.mounted.id == id).ok_or(Errno::ENOENT)?;
        let mount = &list[at];
        if caller.jid != 0 && mount.jid != caller.jid {
            return Err(Errno::EPERM.into());
        }
        if mount.mounted.flags & sys::MNT_ROOTFS != 0 {
            return Err(Errno::EINVAL.into());
        }
        // Which of them a path is on: the deepest, and of two at one place the later.
        let holds = |path: &Path| {
            let above = list.iter().enumerate().filter(|(_, mount)| path.starts_with(&mount.mounted.on));
            let depth = |mount: &Mount| mount.mounted.on.components().count();
            above.max_by_key(|(_, mount)| depth(mount)).is_some_and(|(top, _)| top == at)
        };
        let later = &list[at + 1..];
        // What was there before is only hidden by it.
        let inside = later.iter().any(|later| later.mounted.on.starts_with(&mount.mounted.on));
        let is_root = self.jails.all().any(|jail| holds(Path::new(&jail.path)));
        let shows = |upper: &Mount| upper.mounted.fstype == "nullfs" && holds(Path::new(&upper.mounted.from));
        if (!force && (inside || is_root)) || later.iter().any(shows) {
            return Err(Errno::EBUSY.into());
        }
        let Mount { jid, ruleset, .. } = self.mounts.list.remove(at);
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
