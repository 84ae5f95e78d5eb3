//! The parameters of a jail: names and typed values.

use std::ffi::OsStr;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jailwire_sys::{JAIL_SYS_DISABLE, JAIL_SYS_INHERIT, JAIL_SYS_NEW};

use crate::kernel::{self, Errno, Failure, Parameter};

/// A jail's share of a subsystem: the type of `vnet`, `ip4`, `host`, `sysvmsg` and others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum JailSystem {
    /// The jail has no access to the subsystem.
    #[doc(alias = "JAIL_SYS_DISABLE")]
    Disable,
    /// The jail has a subsystem of its own.
    #[doc(alias = "JAIL_SYS_NEW")]
    New,
    /// The jail uses its parent's subsystem.
    #[doc(alias = "JAIL_SYS_INHERIT")]
    Inherit,
}

impl JailSystem {
    pub(crate) fn from_raw(value: i32) -> Option<JailSystem> {
        match value {
            JAIL_SYS_DISABLE => Some(JailSystem::Disable),
            JAIL_SYS_NEW => Some(JailSystem::New),
            JAIL_SYS_INHERIT => Some(JailSystem::Inherit),
            _ => None,
        }
    }

    const fn raw(self) -> i32 {
        match self {
            JailSystem::Disable => JAIL_SYS_DISABLE,
            JailSystem::New => JAIL_SYS_NEW,
            JailSystem::Inherit => JAIL_SYS_INHERIT,
        }
    }
}

/// The value of a parameter. It must have the parameter's type, because the kernel checks lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "type", content = "value", rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum JailValue {
    /// `persist`, `allow.raw_sockets` …: set, or cleared by the `no` form of the name.
    Flag(bool),
    /// `children.max`, `devfs_ruleset`, `enforce_statfs`, `securelevel` …
    Int(i32),
    /// `host.hostid`.
    Long(u64),
    /// `name`, `path`, `host.hostname` …: bytes without NUL.
    String(#[cfg_attr(feature = "serde", serde(with = "crate::spelling::bytes"))] Vec<u8>),
    /// `vnet`, `ip4`, `sysvmsg` …
    System(JailSystem),
    /// `ip4.addr`: the first is the primary address.
    Ipv4(Vec<Ipv4Addr>),
    /// `ip6.addr`: the first is the primary address.
    Ipv6(Vec<Ipv6Addr>),
}

impl From<bool> for JailValue {
    fn from(value: bool) -> JailValue {
        JailValue::Flag(value)
    }
}

impl From<i32> for JailValue {
    fn from(value: i32) -> JailValue {
        JailValue::Int(value)
    }
}

impl From<&str> for JailValue {
    fn from(value: &str) -> JailValue {
        JailValue::String(value.as_bytes().to_vec())
    }
}

impl From<&OsStr> for JailValue {
    fn from(value: &OsStr) -> JailValue {
        JailValue::String(value.as_bytes().to_vec())
    }
}

impl From<&Path> for JailValue {
    fn from(value: &Path) -> JailValue {
        value.as_os_str().into()
    }
}

impl From<JailSystem> for JailValue {
    fn from(value: JailSystem) -> JailValue {
        JailValue::System(value)
    }
}

impl From<Vec<Ipv4Addr>> for JailValue {
    fn from(value: Vec<Ipv4Addr>) -> JailValue {
        JailValue::Ipv4(value)
    }
}

impl From<Vec<Ipv6Addr>> for JailValue {
    fn from(value: Vec<Ipv6Addr>) -> JailValue {
        JailValue::Ipv6(value)
    }
}

/// The parameters that a jail is created or changed with.
///
/// ```
/// use jailwire::jail::JailParameters;
/// use std::path::Path;
///
/// let parameters = JailParameters::new("web")
///     .path(Path::new("/jails/web/root"))
///     .hostname("web.example.org")
///     .vnet()
///     .set("allow.raw_sockets", true)
///     .set("children.max", 0);
/// assert_eq!(parameters.to_string(), "name=web path=/jails/web/root host.hostname=web.example.org vnet=new \
///     allow.raw_sockets children.max=0");
/// ```
///
/// What a parameter means is in [`jail(8)`](https://man.freebsd.org/jail(8)); the kernel's list is the sysctl tree
/// `security.jail.param`. `exec.*`, `mount.*`, `interface` and some more belong to the program jail(8), and the kernel
/// does not know them. **It finds a name that it does not know only after building the whole jail.**
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(from = "Vec<crate::spelling::Parameter>", into = "Vec<crate::spelling::Parameter>")
)]
pub struct JailParameters(Vec<(String, JailValue)>);

impl JailParameters {
    /// Returns parameters with a name. A dot in the name puts the jail below another jail: `parent.child`. If the name
    /// is a number, it must be the jid.
    pub fn new(name: &str) -> JailParameters {
        JailParameters::default().set("name", name)
    }

    /// Sets a parameter. If a parameter is set twice, the last value is used.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<JailValue>) -> JailParameters {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(present, _)| *present == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
        self
    }

    /// Sets `path`, the root directory. The directory must exist. The path cannot be changed later.
    pub fn path(self, path: &Path) -> JailParameters {
        self.set("path", path)
    }

    /// Sets `host.hostname`.
    pub fn hostname(self, hostname: &str) -> JailParameters {
        self.set("host.hostname", hostname)
    }

    /// Sets `vnet=new`: the jail gets its own network stack. This cannot be changed later, and excludes `ip4`
    /// and `ip6`.
    pub fn vnet(self) -> JailParameters {
        self.set("vnet", JailSystem::New)
    }

    /// Returns the value of a parameter.
    pub fn get(&self, name: &str) -> Option<&JailValue> {
        self.0.iter().find(|(present, _)| present == name).map(|(_, value)| value)
    }

    /// Removes a parameter.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(present, _)| present != name);
    }

    /// Returns all parameters, in the order they were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &JailValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The jail's name, for errors.
    pub(crate) fn shown_name(&self) -> String {
        match self.get("name") {
            Some(JailValue::String(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => "without a name".to_owned(),
        }
    }

    /// The parameters in the form of the kernel interface.
    pub(crate) fn to_kernel(&self) -> kernel::Result<Vec<Parameter>> {
        self.0.iter().map(|(name, value)| parameter(name, value)).collect()
    }
}

impl fmt::Display for JailParameters {
    /// The form of jail(8)'s command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, addresses: &[String]| f.write_str(&addresses.join(","));
        for (place, (name, value)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            if let JailValue::Flag(set) = value {
                f.write_str(&if *set { name.clone() } else { negated(name) })?;
                continue;
            }
            write!(f, "{name}=")?;
            match value {
                JailValue::Flag(_) => {}
                JailValue::Int(value) => value.fmt(f)?,
                JailValue::Long(value) => value.fmt(f)?,
                JailValue::String(value) => f.write_str(&String::from_utf8_lossy(value))?,
                JailValue::System(JailSystem::Disable) => f.write_str("disable")?,
                JailValue::System(JailSystem::New) => f.write_str("new")?,
                JailValue::System(JailSystem::Inherit) => f.write_str("inherit")?,
                JailValue::Ipv4(value) => {
                    list(f, &value.iter().map(ToString::to_string).collect::<Vec<_>>())?
                }
                JailValue::Ipv6(value) => {
                    list(f, &value.iter().map(ToString::to_string).collect::<Vec<_>>())?
                }
            }
        }
        Ok(())
    }
}

fn parameter(name: &str, value: &JailValue) -> kernel::Result<Parameter> {
    let refuse = |why: &str| Err(Failure::with_text(Errno::EINVAL, format!("{name}: {why}")));
    if name.is_empty() || name.contains('\0') {
        return refuse("a parameter's name is neither empty nor has it a NUL");
    }
    Ok(match value {
        JailValue::Flag(true) => Parameter::flag(name),
        JailValue::Flag(false) => Parameter::flag(negated(name)),
        JailValue::Int(value) => Parameter::int(name, *value),
        JailValue::Long(value) => Parameter::bytes(name, value.to_ne_bytes()),
        // The kernel would use the part before the NUL, without an error.
        JailValue::String(value) if value.contains(&0) => return refuse("a value has no NUL"),
        JailValue::String(value) => {
            let mut bytes = value.clone();
            bytes.push(0);
            Parameter::bytes(name, bytes)
        }
        JailValue::System(value) => Parameter::int(name, value.raw()),
        JailValue::Ipv4(value) => {
            Parameter::bytes(name, value.iter().flat_map(|address| address.octets()).collect::<Vec<_>>())
        }
        JailValue::Ipv6(value) => {
            Parameter::bytes(name, value.iter().flat_map(|address| address.octets()).collect::<Vec<_>>())
        }
    })
}

/// The name that clears a flag: `no` before its last part.
fn negated(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((first, last)) => format!("{first}.no{last}"),
        None => format!("no{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_laid_out_by_their_type() {
        let parameters = JailParameters::new("web")
            .set("persist", false)
            .set("allow.mount.devfs", false)
            .set("children.max", 3)
            .set("ip4.addr", vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)])
            .vnet();
        let kernel = parameters.to_kernel().unwrap();
        assert_eq!(kernel[0], Parameter::string("name", "web"));
        assert_eq!(kernel[1], Parameter::flag("nopersist"));
        assert_eq!(kernel[2], Parameter::flag("allow.mount.nodevfs"));
        assert_eq!(kernel[3], Parameter::int("children.max", 3));
        assert_eq!(kernel[4], Parameter::bytes("ip4.addr", [192, 0, 2, 1, 192, 0, 2, 2]));
        assert_eq!(kernel[5], Parameter::int("vnet", 1));
    }

    #[test]
    fn the_last_value_counts() {
        let parameters = JailParameters::new("a").set("name", "b").set("persist", true).set("persist", false);
        assert_eq!(parameters.to_string(), "name=b nopersist");
    }

    #[test]
    fn a_nul_cannot_cut_a_value_short() {
        let failure = JailParameters::new("a\0b").to_kernel().unwrap_err();
        assert_eq!(failure.errno, Errno::EINVAL);
        assert_eq!(failure.text.unwrap(), "name: a value has no NUL");
    }
}
