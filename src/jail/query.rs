//! Reading jails.

use std::ffi::OsString;
use std::fmt;
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use jailwire_sys::{HOSTUUIDLEN, JAIL_DYING, MAXHOSTNAMELEN, MAXPATHLEN, xprison};

use super::parameters::JailSystem;
use crate::abi::int;
use crate::error::{During, Error, Result};
use crate::kernel::{Errno, Kernel, Parameter, Sysctl, Value};
use crate::types::Jid;

/// The longest value that is read, in bytes. The kernel's own limit for a list of addresses is far below.
const LONGEST: usize = 1 << 24;

/// What a jail is looked up by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JailKey {
    /// The jail's jid.
    Jid(Jid),
    /// The jail's name, from the caller's view: `parent.child` for a jail below another jail.
    Name(String),
}

impl JailKey {
    pub(super) fn parameter(&self) -> Parameter {
        match self {
            JailKey::Jid(jid) => Parameter::int("jid", jid.get()),
            JailKey::Name(name) => Parameter::string("name", name),
        }
    }
}

impl From<Jid> for JailKey {
    fn from(jid: Jid) -> JailKey {
        JailKey::Jid(jid)
    }
}

impl From<&str> for JailKey {
    fn from(name: &str) -> JailKey {
        JailKey::Name(name.to_owned())
    }
}

impl fmt::Display for JailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JailKey::Jid(jid) => jid.fmt(f),
            JailKey::Name(name) => name.fmt(f),
        }
    }
}

/// A jail as [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JailInfo {
    /// The jid.
    pub jid: Jid,
    /// The name, from the caller's view.
    pub name: String,
    /// The root directory, from the caller's view.
    pub path: PathBuf,
    /// The host name.
    pub hostname: String,
    /// Whether the jail has its own network stack.
    pub vnet: bool,
    /// Whether the jail stays without processes.
    pub persist: bool,
    /// Whether the jail was removed, and something still holds it: a process, a socket, a mount.
    pub dying: bool,
}

/// Reads a jail. Returns `None` if there is no such jail, or the jail is dying.
///
/// # Errors
///
/// EINVAL: the kernel does not know a parameter. A kernel without VIMAGE does not know `vnet`.
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)), `kern/kern_jail.c:kern_jail_get`. It needs no privilege.
#[doc(alias = "jail_get")]
pub fn get(kernel: &dyn Kernel, key: impl Into<JailKey>) -> Result<Option<JailInfo>> {
    let key = key.into();
    get_one(kernel, key.parameter(), 0)
        .map_err(|failure| Error::new("look at jail", &key, "jail_get", failure))
}

/// Reads a jail, also a dying jail: it was removed, and something still holds it.
///
/// # Errors
///
/// As [`get`].
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) with JAIL_DYING.
#[doc(alias = "JAIL_DYING")]
pub fn get_even_dying(kernel: &dyn Kernel, key: impl Into<JailKey>) -> Result<Option<JailInfo>> {
    let key = key.into();
    get_one(kernel, key.parameter(), JAIL_DYING)
        .map_err(|failure| Error::new("look at jail", &key, "jail_get", failure))
}

/// Finds a jail by name. Returns `None` if there is no such jail, or the jail is dying.
///
/// # Errors
///
/// None are known.
#[doc(alias = "jail_getid")]
pub fn find(kernel: &dyn Kernel, name: &str) -> Result<Option<Jid>> {
    find_with(kernel, name, 0)
}

/// Finds a jail by name, also a dying jail: it was removed, and something still holds it. If a living jail and a dying
/// jail have the name, the living jail is returned.
///
/// # Errors
///
/// None are known.
#[doc(alias = "JAIL_DYING")]
pub fn find_even_dying(kernel: &dyn Kernel, name: &str) -> Result<Option<Jid>> {
    find_with(kernel, name, JAIL_DYING)
}

fn find_with(kernel: &dyn Kernel, name: &str, flags: i32) -> Result<Option<Jid>> {
    match kernel.jail_get(&mut [Parameter::string("name", name)], flags) {
        Ok(jid) => {
            Jid::new(jid).map(Some).map_err(|error| Error::malformed("find jail", name, "jail_get", error))
        }
        Err(failure) if failure.errno == Errno::ENOENT => Ok(None),
        Err(failure) => Err(failure).during("find jail", name, "jail_get"),
    }
}

/// Lists the jails below the caller's, by rising jid. With `dying` the list also has jails that were removed and that
/// something still holds.
///
/// # Errors
///
/// As [`get`].
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) with `lastjid`. Jails that come or go meanwhile may be in it or
/// not.
#[doc(alias = "jail_get")]
pub fn list(kernel: &dyn Kernel, dying: bool) -> Result<Vec<JailInfo>> {
    let flags = if dying { JAIL_DYING } else { 0 };
    let mut jails: Vec<JailInfo> = Vec::new();
    loop {
        let last = jails.last().map_or(0, |jail| jail.jid.get());
        match get_one(kernel, Parameter::int("lastjid", last), flags).during("list jails", "", "jail_get")? {
            // Check that the jid is larger: otherwise this loop might never end.
            Some(jail) if jail.jid.get() > last => jails.push(jail),
            _ => return Ok(jails),
        }
    }
}

/// Reads the bytes of a parameter of a jail, also of a dying jail. Returns `None` if there is no such jail.
///
/// # Errors
///
/// * EINVAL: the kernel does not know the parameter.
/// * EAGAIN: the value kept growing.
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)): first for the length, then for the value, which may have
/// grown.
#[doc(alias = "jail_get")]
pub fn read(kernel: &dyn Kernel, key: impl Into<JailKey>, name: &str) -> Result<Option<Vec<u8>>> {
    let key = key.into();
    let object = format_args!("{name} of jail {key}");
    for _ in 0..16 {
        let mut asked = [key.parameter(), Parameter::ask(name)];
        match kernel.jail_get(&mut asked, JAIL_DYING) {
            Err(failure) if failure.errno == Errno::ENOENT => return Ok(None),
            other => other.during("read", object, "jail_get")?,
        };
        let length = match &asked[1].value {
            Value::Length(0) => return Ok(Some(Vec::new())),
            Value::Length(length) if *length > LONGEST => {
                return Err(Error::malformed("read", object, "jail_get", "it does not end"));
            }
            Value::Length(length) => *length,
            Value::Bytes(bytes) => return Ok(Some(bytes.clone())),
            Value::Ask => return Err(Error::malformed("read", object, "jail_get", "no length")),
        };
        let mut asked = [key.parameter(), Parameter::bytes(name, vec![0; length])];
        match kernel.jail_get(&mut asked, JAIL_DYING) {
            Err(failure) if failure.errno == Errno::ENOENT => return Ok(None),
            // The value has grown. For a value of fixed length the first call would have failed.
            Err(failure) if failure.errno == Errno::EINVAL => continue,
            other => other.during("read", object, "jail_get")?,
        };
        let [_, Parameter { value: Value::Bytes(bytes), .. }] = asked else { break };
        return Ok(Some(bytes));
    }
    Err(Error::new("read", object, "jail_get", Errno::EAGAIN))
}

/// Reads a string parameter of a jail, such as `host.hostuuid`.
///
/// # Errors
///
/// As [`read`].
pub fn read_string(kernel: &dyn Kernel, key: impl Into<JailKey>, name: &str) -> Result<Option<OsString>> {
    Ok(read(kernel, key, name)?.map(|bytes| OsString::from_vec(text(&bytes).to_vec())))
}

/// Reads an `int` parameter of a jail, such as `devfs_ruleset`, or a flag: 0 or 1.
///
/// # Errors
///
/// As [`read`].
pub fn read_int(kernel: &dyn Kernel, key: impl Into<JailKey>, name: &str) -> Result<Option<i32>> {
    let key = key.into();
    let Some(bytes) = read(kernel, key.clone(), name)? else { return Ok(None) };
    let value = int(&bytes).ok_or_else(|| {
        Error::malformed("read", format_args!("{name} of jail {key}"), "jail_get", "shorter than an int")
    })?;
    Ok(Some(value))
}

/// Reads the addresses of a jail that shares the network stack of its parent: the first of each family is
/// the primary one. Returns `None` if there is no such jail.
///
/// # Errors
///
/// As [`read`].
#[doc(alias = "ip4.addr")]
#[doc(alias = "ip6.addr")]
pub fn addresses(
    kernel: &dyn Kernel,
    key: impl Into<JailKey>,
) -> Result<Option<(Vec<Ipv4Addr>, Vec<Ipv6Addr>)>> {
    let key = key.into();
    let Some(inet) = read(kernel, key.clone(), "ip4.addr")? else { return Ok(None) };
    let Some(inet6) = read(kernel, key, "ip6.addr")? else { return Ok(None) };
    let inet = inet.as_chunks::<4>().0.iter().map(|octets| Ipv4Addr::from(*octets));
    let inet6 = inet6.as_chunks::<16>().0.iter().map(|octets| Ipv6Addr::from(*octets));
    Ok(Some((inet.collect(), inet6.collect())))
}

/// Returns the living jails that are limited to addresses, and have this address among them.
///
/// # Errors
///
/// Those of [`sysctl(3)`](https://man.freebsd.org/sysctl(3)), and of [`addresses`].
///
/// # Source
///
/// `security.jail.list`: `kern/kern_jail.c:sysctl_jail_list`. One call for all jails; the kernel lists a jail without
/// addresses with those of the one before it, so each that has the address there is asked itself.
pub fn with_address(kernel: &dyn Kernel, address: IpAddr) -> Result<Vec<Jid>> {
    AddressUsers::list(kernel, address)?.of(kernel, address)
}

/// The kernel's list of jails with their addresses, for look-ups of several addresses. The caller makes sure that
/// no jail begins to use one of them meanwhile.
#[derive(Debug)]
pub(crate) struct AddressUsers {
    list: Vec<u8>,
}

impl AddressUsers {
    /// Reads the list. `first` is an address that the list is for; an error names it.
    pub fn list(kernel: &dyn Kernel, first: IpAddr) -> Result<AddressUsers> {
        let list = kernel.sysctl(&Sysctl::read("security.jail.list"));
        Ok(AddressUsers { list: list.during("list jails with", first, "sysctl")? })
    }

    /// Returns the living jails that use an address: see [`with_address`].
    pub fn of(&self, kernel: &dyn Kernel, address: IpAddr) -> Result<Vec<Jid>> {
        let mut found = Vec::new();
        for (number, inet, inet6) in listed(&self.list) {
            let is_listed = match address {
                IpAddr::V4(address) => inet.chunks_exact(4).any(|octets| octets == address.octets()),
                IpAddr::V6(address) => inet6.chunks_exact(16).any(|octets| octets == address.octets()),
            };
            let Some(jid) = Jid::new(number).ok().filter(|_| is_listed) else { continue };
            if get(kernel, jid)?.is_none() {
                continue;
            }
            if let Some((inet, inet6)) = addresses(kernel, jid)? {
                let has = match address {
                    IpAddr::V4(address) => inet.contains(&address),
                    IpAddr::V6(address) => inet6.contains(&address),
                };
                found.extend(has.then_some(jid));
            }
        }
        Ok(found)
    }
}

/// The jails of `security.jail.list`: jid, IPv4 and IPv6 addresses. An incomplete entry ends the list.
fn listed(mut list: &[u8]) -> Vec<(i32, &[u8], &[u8])> {
    let mut jails = Vec::new();
    let word = |record: &[u8], at: usize| {
        record.get(at..at + 4).map(|bytes| i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    while let (Some(number), Some(inet), Some(inet6)) = (
        word(list, offset_of!(xprison, pr_id)),
        word(list, offset_of!(xprison, pr_ip4s)),
        word(list, offset_of!(xprison, pr_ip6s)),
    ) {
        let (inet, inet6) = (usize::try_from(inet).unwrap_or(0), usize::try_from(inet6).unwrap_or(0));
        let Some((addresses, rest)) =
            list.get(size_of::<xprison>()..).and_then(|after| after.split_at_checked(inet * 4 + inet6 * 16))
        else {
            break;
        };
        let (inet, inet6) = addresses.split_at(inet * 4);
        jails.push((number, inet, inet6));
        list = rest;
    }
    jails
}

/// Reads a jail with everything that [`JailInfo`] has, in one call.
fn get_one(kernel: &dyn Kernel, key: Parameter, flags: i32) -> crate::kernel::Result<Option<JailInfo>> {
    read_all(Some(key), |asked| kernel.jail_get(asked, flags))
}

/// As [`get_one`], by a given call. There is no key if that call names the jail itself.
pub(super) fn read_all(
    key: Option<Parameter>,
    ask: impl FnOnce(&mut [Parameter]) -> crate::kernel::Result<i32>,
) -> crate::kernel::Result<Option<JailInfo>> {
    // Do not ask for the parameter that is the key: it would be there twice.
    let by_name = key.as_ref().is_some_and(|key| key.name == "name");
    let mut asked = Vec::from_iter(key);
    asked.extend([
        Parameter::bytes("path", vec![0; MAXPATHLEN]),
        Parameter::bytes("host.hostname", vec![0; MAXHOSTNAMELEN]),
        Parameter::int("vnet", 0),
        Parameter::int("persist", 0),
        Parameter::int("dying", 0),
    ]);
    if !by_name {
        asked.push(Parameter::bytes("name", vec![0; MAXHOSTNAMELEN]));
    }
    let jid = match ask(&mut asked) {
        Ok(jid) => jid,
        Err(failure) if failure.errno == Errno::ENOENT => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let value = |name: &str| match asked.iter().find(|parameter| parameter.name == name) {
        Some(Parameter { value: Value::Bytes(bytes), .. }) => bytes.as_slice(),
        _ => &[],
    };
    let string = |name: &str| String::from_utf8_lossy(text(value(name))).into_owned();
    let jid = Jid::new(jid)
        .map_err(|error| crate::kernel::Failure::with_text(crate::error::MALFORMED, error.to_string()))?;
    Ok(Some(JailInfo {
        jid,
        name: string("name"),
        path: PathBuf::from(OsString::from_vec(text(value("path")).to_vec())),
        hostname: string("host.hostname"),
        vnet: int(value("vnet")).and_then(JailSystem::from_raw) == Some(JailSystem::New),
        persist: int(value("persist")).is_some_and(|set| set != 0),
        dying: int(value("dying")).is_some_and(|set| set != 0),
    }))
}

/// The values that identify a jail.
#[derive(Debug)]
pub(crate) struct Marks {
    pub jid: Jid,
    pub vnet: bool,
    pub ruleset: i32,
    pub uuid: String,
    pub path: PathBuf,
}

/// Reads the values that identify a living jail. Returns `None` when there is no such jail, or the jail is dying.
///
/// # Errors
///
/// As [`get`].
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)), once.
pub(crate) fn marks(kernel: &dyn Kernel, key: impl Into<JailKey>) -> Result<Option<Marks>> {
    let key = key.into();
    let mut asked = [
        key.parameter(),
        Parameter::bytes("path", vec![0; MAXPATHLEN]),
        Parameter::bytes("host.hostuuid", vec![0; HOSTUUIDLEN]),
        Parameter::int("vnet", 0),
        Parameter::int("devfs_ruleset", 0),
    ];
    let jid = match kernel.jail_get(&mut asked, 0) {
        Err(failure) if failure.errno == Errno::ENOENT => return Ok(None),
        other => other.during("look at jail", &key, "jail_get")?,
    };
    let jid = Jid::new(jid).map_err(|error| Error::malformed("look at jail", &key, "jail_get", error))?;
    let value = |place: usize| match &asked[place].value {
        Value::Bytes(bytes) => bytes.as_slice(),
        _ => &[],
    };
    let path = PathBuf::from(OsString::from_vec(text(value(1)).to_vec()));
    let uuid = String::from_utf8_lossy(text(value(2))).into_owned();
    let vnet = int(value(3)).and_then(JailSystem::from_raw) == Some(JailSystem::New);
    Ok(Some(Marks { jid, vnet, ruleset: int(value(4)).unwrap_or(0), uuid, path }))
}

/// The bytes before the NUL.
fn text(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len())]
}
