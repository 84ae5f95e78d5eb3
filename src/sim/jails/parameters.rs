//! The parameters of `jail_set(2)` and `jail_get(2)`: names, types, and reading lists of them.

use crate::kernel::{Errno, Failure, Parameter, Value};
use crate::sim::options::Release;
use crate::sim::world::World;

/// The permissions of jails, by the names after `allow.`, each with its first release.
const ALLOW: [(&str, Release); 19] = [
    ("set_hostname", Release::V14_2),
    ("sysvipc", Release::V14_2),
    ("raw_sockets", Release::V14_2),
    ("chflags", Release::V14_2),
    ("mount", Release::V14_2),
    ("quotas", Release::V14_2),
    ("socket_af", Release::V14_2),
    ("mlock", Release::V14_2),
    ("reserved_ports", Release::V14_2),
    ("read_msgbuf", Release::V14_2),
    ("unprivileged_proc_debug", Release::V14_2),
    ("suser", Release::V14_2),
    ("nfsd", Release::V14_2),
    ("extattr", Release::V15_1),
    ("adjtime", Release::V15_1),
    ("settime", Release::V15_1),
    ("routing", Release::V15_1),
    ("unprivileged_parent_tampering", Release::V15_1),
    ("setaudit", Release::V15_1),
];

/// The permissions of a new jail, as far as its parent has them: JAIL_DEFAULT_ALLOW.
pub(super) const ALLOWED_FROM_THE_START: [&str; 4] =
    ["set_hostname", "reserved_ports", "unprivileged_proc_debug", "suser"];

/// The System V objects, which jails have of their own, share, or do without.
pub(super) const SYSV: [&str; 3] = ["sysvmsg", "sysvsem", "sysvshm"];

/// The parameters for free text, which came with 15.
pub(super) const META: [&str; 2] = ["meta", "env"];

/// Lists longer than this are refused: security.jail.jail_max_af_ips.
pub(super) const MOST_ADDRESSES: usize = 255;

/// The largest sum of lengths that the kernel accepts: VFS_MOUNTARG_SIZE_MAX.
const LONGEST: usize = 64 * 1024;

/// What the kernel keeps for each entry besides its name and value: `struct vfsopt`.
const OVERHEAD: usize = 48;

impl World {
    /// The known names after `allow.`. Names of file systems come with their modules.
    pub(in super::super) fn allow_names(&self) -> Vec<String> {
        let fixed = ALLOW
            .iter()
            .filter(|(name, since)| *since <= self.release && (*name != "nfsd" || self.vimage))
            .map(|(name, _)| (*name).to_owned());
        fixed.chain(self.jailable_filesystems().into_iter().map(|name| format!("mount.{name}"))).collect()
    }
}

/// A list of parameters, read as in `vfs_buildopts`.
pub(super) struct Options<'a> {
    list: Vec<NamedOption<'a>>,
}

struct NamedOption<'a> {
    name: &'a str,
    /// Empty where no value was given.
    value: &'a [u8],
    seen: bool,
}

impl<'a> Options<'a> {
    /// Reads a list. If a parameter is there twice, the later entry counts. A flag and its `no` form are the same
    /// parameter (`vfs_sanitizeopts`).
    pub fn read(parameters: &'a [Parameter]) -> Result<Options<'a>, Errno> {
        let lengths = parameters.iter().map(|p| OVERHEAD + p.name.len() + 1 + value_of(p).len());
        if lengths.sum::<usize>() > LONGEST || parameters.len() * 2 > 1024 {
            return Err(Errno::EINVAL);
        }
        let mut list: Vec<NamedOption<'_>> = Vec::new();
        for parameter in parameters {
            list.retain(|other| !are_the_same(other.name, &parameter.name));
            list.push(NamedOption { name: &parameter.name, value: value_of(parameter), seen: false });
        }
        Ok(Options { list })
    }

    /// Returns a value, and marks its parameter as known.
    pub fn get(&mut self, name: &str) -> Option<&'a [u8]> {
        let option = self.list.iter_mut().find(|option| option.name == name)?;
        option.seen = true;
        Some(option.value)
    }

    /// Whether a flag is there: `vfs_flagopt`.
    pub fn flag(&mut self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the `no` form of a flag is there.
    pub fn no_flag(&mut self, name: &str) -> bool {
        let option = self.list.iter_mut().find(|option| is_no_form(option.name, name));
        option.map(|option| option.seen = true).is_some()
    }

    /// An int: `vfs_copyopt` demands its exact length.
    pub fn int(&mut self, name: &str) -> Result<Option<i32>, Errno> {
        match self.get(name) {
            None => Ok(None),
            Some(bytes) => bytes.try_into().map(|b| Some(i32::from_ne_bytes(b))).map_err(|_| Errno::EINVAL),
        }
    }

    /// An unsigned long.
    pub fn long(&mut self, name: &str) -> Result<Option<u64>, Errno> {
        match self.get(name) {
            None => Ok(None),
            Some(bytes) => bytes.try_into().map(|b| Some(u64::from_ne_bytes(b))).map_err(|_| Errno::EINVAL),
        }
    }

    /// A string with its NUL, of at most that many bytes.
    pub fn string(&mut self, name: &str, most: usize) -> Result<Option<String>, Errno> {
        let Some(bytes) = self.get(name) else { return Ok(None) };
        if bytes.last() != Some(&0) {
            return Err(Errno::EINVAL);
        }
        if bytes.len() > most {
            return Err(Errno::ENAMETOOLONG);
        }
        // The kernel uses C string functions, which stop at the first NUL.
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
        Ok(Some(String::from_utf8_lossy(&bytes[..end]).into_owned()))
    }

    /// An array of addresses.
    pub fn array<const N: usize>(&mut self, name: &str) -> Result<Option<Vec<[u8; N]>>, Errno> {
        match self.get(name) {
            None => Ok(None),
            Some(bytes) if bytes.len() % N != 0 => Err(Errno::EINVAL),
            Some(bytes) => {
                Ok(Some(bytes.chunks_exact(N).map(|chunk| chunk.try_into().expect("N bytes")).collect()))
            }
        }
    }

    /// A parameter that no reader has taken. `errmsg` is for the kernel's words.
    pub fn unknown(&self) -> Option<&'a str> {
        self.list.iter().find(|option| !option.seen && option.name != "errmsg").map(|option| option.name)
    }

    /// The names that begin in a certain way, which are then known.
    pub fn beginning(&mut self, prefix: &str) -> Vec<(&'a str, &'a [u8])> {
        let found = self.list.iter_mut().filter(|option| option.name.starts_with(prefix));
        found
            .map(|option| {
                option.seen = true;
                (option.name, option.value)
            })
            .collect()
    }
}

fn value_of(parameter: &Parameter) -> &[u8] {
    match &parameter.value {
        Value::Bytes(bytes) => bytes,
        Value::Ask | Value::Length(_) => &[],
    }
}

/// `vfs_equalopts`: `x` and `nox`, and after dots `a.x` and `a.nox`, are the same.
fn are_the_same(one: &str, other: &str) -> bool {
    one == other || is_no_form(one, other) || is_no_form(other, one)
}

/// Whether `text` is the `no` form of a flag: `allow.mount.nodevfs`, `nopersist`.
pub(super) fn is_no_form(text: &str, name: &str) -> bool {
    // Most pairs differ in this already.
    if text.len() != name.len() + "no".len() {
        return false;
    }
    match name.rsplit_once('.') {
        Some((path, last)) => {
            let rest = text.strip_prefix(path).and_then(|rest| rest.strip_prefix(".no"));
            rest == Some(last)
        }
        None => text.strip_prefix("no") == Some(name),
    }
}

/// An error with the text that the kernel writes to `errmsg`.
pub(super) fn refuse<T>(errno: Errno, text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::with_text(errno, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_counts() {
        let parameters = [
            Parameter::flag("persist"),
            Parameter::int("jid", 1),
            Parameter::flag("nopersist"),
            Parameter::int("jid", 2),
            Parameter::flag("allow.noraw_sockets"),
            Parameter::flag("allow.raw_sockets"),
        ];
        let mut options = Options::read(&parameters).unwrap();
        assert!(!options.flag("persist"));
        assert!(options.flag("nopersist"));
        assert_eq!(options.int("jid"), Ok(Some(2)));
        assert!(!options.flag("allow.noraw_sockets"));
        assert_eq!(options.unknown(), Some("allow.raw_sockets"));
    }

    #[test]
    fn names_that_begin_with_no_are_not_all_negations() {
        assert!(are_the_same("nopersist", "persist"));
        assert!(are_the_same("ip4.nosaddrsel", "ip4.saddrsel"));
        assert!(!are_the_same("name", "me"));
        assert!(!are_the_same("allow.nosuser", "allow.nfsd"));
        assert!(is_no_form("allow.mount.nodevfs", "allow.mount.devfs"));
    }

    #[test]
    fn lengths_are_exact() {
        let parameters = [Parameter::bytes("jid", [1, 2, 3]), Parameter::bytes("name", *b"abc")];
        let mut options = Options::read(&parameters).unwrap();
        assert_eq!(options.int("jid"), Err(Errno::EINVAL));
        assert_eq!(options.string("name", 256), Err(Errno::EINVAL));
        assert_eq!(options.string("path", 256), Ok(None));
    }
}
