//! Checks that only root can have written the files that root acts on.
//!
//! A start does as root what a configuration says: it runs the hooks, and makes the mounts. So each file that root
//! acts on, and every directory on the path to it, has to belong to root, and only root may be able to write to it.
//! On the simulated kernel nothing is done as root. Then the files have to belong to the caller, and only iocage's
//! directory and its contents are checked.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use nix::unistd::{getegid, geteuid};

use super::hooks::Hook;
use super::store::{Entry, Store};
use crate::error::{Error, ErrorKind};
use crate::kernel::Kernel;

fn who(owner: u32) -> String {
    if owner == 0 { "root".to_owned() } else { format!("user {owner}") }
}

fn mend(path: &Path, owner: u32, foreign: bool, writable: bool) -> String {
    let owner = if owner == 0 { "root".to_owned() } else { owner.to_string() };
    let path = quoted(path);
    match (foreign, writable) {
        (true, true) => format!("chown {owner} {path} && chmod go-w {path}"),
        (true, false) => format!("chown {owner} {path}"),
        _ => format!("chmod go-w {path}"),
    }
}

/// Quotes a path for a shell.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-+,:@%".contains(character);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// MAXSYMLINKS
const MOST_LINKS: usize = 32;

/// The users whose files are trusted.
#[derive(Debug, Clone)]
pub struct Trust {
    owner: u32,
    /// A trusted user besides root.
    other: Option<u32>,
    /// A trusted group: the caller's own.
    group: Option<u32>,
    /// Directories above this directory are not checked.
    top: Option<PathBuf>,
}

impl Trust {
    /// Root; on the simulated kernel the caller. If root itself runs the simulated kernel, as continuous integration
    /// does, the owner of iocage's directory is believed as well.
    pub fn of(kernel: &dyn Kernel, store: &Store) -> Trust {
        if !kernel.simulated() {
            return Trust { owner: 0, other: None, group: None, top: None };
        }
        let owner = geteuid().as_raw();
        let top = fs::canonicalize(store.root()).unwrap_or_else(|_| store.root().to_owned());
        let other = fs::metadata(&top).ok().map(|top| top.uid()).filter(|_| owner == 0);
        Trust { owner, other, group: Some(getegid().as_raw()), top: Some(top) }
    }

    /// Checks all files of a jail that a start acts on: its configuration, the defaults, its fstab.
    ///
    /// # Errors
    ///
    /// The first file or directory that another user can change. A missing file is no error.
    pub fn check(&self, store: &Store, entry: &Entry) -> Result<(), Error> {
        self.check_path(&entry.config_path())?;
        self.check_path(&entry.fstab())?;
        self.check_path(&store.root().join("defaults.json"))
    }

    /// Checks the program that a hook names by its full path.
    ///
    /// # Errors
    ///
    /// As [`Trust::check`].
    pub fn check_hook(&self, hook: &Hook) -> Result<(), Error> {
        let program = match hook {
            Hook::Nothing => return Ok(()),
            Hook::Program(path) => path.clone(),
            Hook::Shell(line) => PathBuf::from(line.split_whitespace().next().unwrap_or_default()),
        };
        if program.is_absolute() { self.check_path(&program) } else { Ok(()) }
    }

    /// Checks a file and every directory and symbolic link on the path to it. A user that can rename a directory on
    /// the path can put another file there.
    fn check_path(&self, path: &Path) -> Result<(), Error> {
        let mut here = PathBuf::from("/");
        let mut left = parts(path);
        let mut links = 0;
        self.judge(&here)?;
        while let Some(part) = left.pop_front() {
            if part == ".." {
                here.pop();
                continue;
            }
            here.push(&part);
            match self.judge(&here)? {
                Some(about) if about.is_symlink() => {
                    links += 1;
                    let Some(target) = fs::read_link(&here).ok().filter(|_| links <= MOST_LINKS) else {
                        // The caller that opens the file gets the error.
                        return Ok(());
                    };
                    here.pop();
                    if target.is_absolute() {
                        here = PathBuf::from("/");
                    }
                    for part in parts(&target).into_iter().rev() {
                        left.push_front(part);
                    }
                }
                Some(_) => {}
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Checks one file or directory. Returns `None` if it does not exist or cannot be read.
    fn judge(&self, path: &Path) -> Result<Option<Metadata>, Error> {
        let about = match fs::symlink_metadata(path) {
            Ok(about) => about,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            // If root cannot read the path, root cannot act on it either.
            Err(_) => return Ok(None),
        };
        if self.top.as_ref().is_some_and(|top| !path.starts_with(top)) {
            return Ok(Some(about));
        }
        let foreign = about.uid() != self.owner && about.uid() != 0 && self.other != Some(about.uid());
        // In a directory with the sticky bit, every user can make files, but cannot replace files of other users.
        let sticky = about.is_dir() && about.mode() & 0o1000 != 0;
        let own_group = self.group.is_some_and(|group| about.gid() == group || about.gid() == about.uid());
        let by_group = about.mode() & 0o020 != 0 && !own_group;
        let by_all = about.mode() & 0o002 != 0;
        let writable = !about.is_symlink() && !sticky && (by_group || by_all);
        let why = match (foreign, writable) {
            (false, false) => return Ok(Some(about)),
            (true, _) => format!("it belongs to user {}", about.uid()),
            (false, true) if by_all => "every user can write to it".to_owned(),
            (false, true) => format!("group {} can write to it", about.gid()),
        };
        let (shown, who) = (path.display(), who(self.owner));
        let reason = format!("{shown}: {why}, and what it says would be done as {who}");
        let advice = format!("run {}", mend(path, self.owner, foreign, writable));
        Err(Error::refused(ErrorKind::Untrusted, shown, reason, advice))
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let kept = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().filter(kept).map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    /// Makes a directory that only its owner can write to. Returns it with a [`Trust`] in that owner.
    fn sample() -> (tempfile::TempDir, Trust) {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        fs::create_dir(top.join("jails")).unwrap();
        set(&top.join("jails"), 0o755);
        fs::write(top.join("jails/config.json"), "{}").unwrap();
        set(&top.join("jails/config.json"), 0o644);
        let trust = Trust { owner: geteuid().as_raw(), other: None, group: None, top: Some(top) };
        (directory, trust)
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn nobody_else_may_write_to_a_file_or_above_it() {
        let (directory, trust) = sample();
        let jails = directory.path().canonicalize().unwrap().join("jails");
        let config = jails.join("config.json");
        trust.check_path(&config).unwrap();
        trust.check_path(&jails.join("not there")).unwrap();
        for (path, mode, mended) in
            [(&config, 0o666, 0o644), (&config, 0o664, 0o644), (&jails, 0o777, 0o755), (&jails, 0o775, 0o755)]
        {
            set(path, mode);
            let error = trust.check_path(&config).unwrap_err();
            assert_eq!(Path::new(error.subject()), path);
            let text = error.to_string();
            assert!(text.ends_with(&format!(": run chmod go-w {}", path.display())), "{text}");
            set(path, mended);
            trust.check_path(&config).unwrap();
        }
        // Every user can write to the directory, but cannot remove files of other users.
        set(&jails, 0o1777);
        trust.check_path(&config).unwrap();
    }

    #[test]
    fn ones_own_group_is_nobody_else() {
        let (directory, trust) = sample();
        let config = directory.path().canonicalize().unwrap().join("jails/config.json");
        set(&config, 0o664);
        let trust = Trust { group: Some(fs::metadata(&config).unwrap().gid()), ..trust };
        trust.check_path(&config).unwrap();
        set(&config, 0o666);
        assert!(trust.check_path(&config).is_err());
    }

    #[test]
    fn another_owner_is_refused_and_links_are_followed() {
        let (directory, trust) = sample();
        let top = directory.path().canonicalize().unwrap();
        symlink("jails/config.json", top.join("link")).unwrap();
        trust.check_path(&top.join("link")).unwrap();
        set(&top.join("jails"), 0o777);
        let error = trust.check_path(&top.join("link")).unwrap_err();
        assert_eq!(
            Path::new(error.subject()),
            top.join("jails"),
            "a link leads through what others can write to"
        );
        // If the test runs as root, the files belong to root and are always trusted.
        if trust.owner != 0 {
            let somebody = Trust { owner: trust.owner + 1, ..trust };
            let error = somebody.check_path(&top.join("jails/config.json")).unwrap_err().to_string();
            assert!(error.contains("it belongs to user") && error.contains("chown "), "{error}");
        }
        symlink("round", top.join("round")).unwrap();
        set(&top.join("jails"), 0o755);
        let trust = Trust { owner: geteuid().as_raw(), other: None, group: None, top: Some(top.clone()) };
        trust.check_path(&top.join("round/x")).unwrap();
    }

    #[test]
    fn a_hook_is_a_program_that_root_runs() {
        let (directory, trust) = sample();
        let program = directory.path().canonicalize().unwrap().join("jails/config.json");
        set(&program, 0o777);
        assert!(trust.check_hook(&Hook::Program(program.clone())).is_err());
        assert!(trust.check_hook(&Hook::Shell(format!("{} -v", program.display()))).is_err());
        trust.check_hook(&Hook::Shell("echo hello".into())).unwrap();
        trust.check_hook(&Hook::Nothing).unwrap();
    }

    #[test]
    fn the_command_that_mends_it_can_be_pasted() {
        assert_eq!(mend(Path::new("/a b"), 0, true, true), "chown root '/a b' && chmod go-w '/a b'");
        assert_eq!(mend(Path::new("/a"), 1001, true, false), "chown 1001 /a");
        assert_eq!(quoted(Path::new("/it's")), r"'/it'\''s'");
    }
}
