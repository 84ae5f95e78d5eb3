//! Reading a jail's parameters as values of their types.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::parameters::{JailSystem, JailValue};
use super::query::{self, JailKey};
use crate::error::{Error, Result};
use crate::kernel::Kernel;

/// The type of a parameter. [`jail(8)`](https://man.freebsd.org/jail(8)) and the sysctl tree `security.jail.param` have
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JailType {
    /// `persist`, `dying`, `allow.raw_sockets` …
    Flag,
    /// `children.max`, `devfs_ruleset`, `securelevel`, `osreldate`, `cpuset.id` …
    Int,
    /// `host.hostid`.
    Long,
    /// `name`, `path`, `host.hostname`, and since FreeBSD 15 `meta` and `env` …
    String,
    /// `vnet`, `ip4`, `host`, `sysvmsg` …
    System,
    /// `ip4.addr`.
    Ipv4,
    /// `ip6.addr`.
    Ipv6,
}

impl JailType {
    /// Reads a value of this type. Returns `None` if the bytes are no such value.
    fn read(self, bytes: &[u8]) -> Option<JailValue> {
        Some(match self {
            JailType::Flag => JailValue::Flag(int(bytes)? != 0),
            JailType::Int => JailValue::Int(int(bytes)?),
            JailType::Long => JailValue::Long(u64::from_ne_bytes(bytes.try_into().ok()?)),
            JailType::String => {
                let end = bytes.iter().position(|byte| *byte == 0)?;
                JailValue::String(bytes[..end].to_vec())
            }
            JailType::System => JailValue::System(JailSystem::from_raw(int(bytes)?)?),
            JailType::Ipv4 => match bytes.as_chunks::<4>() {
                (addresses, []) => JailValue::Ipv4(addresses.iter().copied().map(Ipv4Addr::from).collect()),
                _ => return None,
            },
            JailType::Ipv6 => match bytes.as_chunks::<16>() {
                (addresses, []) => JailValue::Ipv6(addresses.iter().copied().map(Ipv6Addr::from).collect()),
                _ => return None,
            },
        })
    }
}

/// Reads an int. The length must be exactly that of an int.
fn int(bytes: &[u8]) -> Option<i32> {
    bytes.try_into().ok().map(i32::from_ne_bytes)
}

/// Reads a parameter of a jail, also of a dying jail. Returns `None` if there is no such jail.
///
/// # Errors
///
/// * EINVAL: the kernel does not know the parameter.
/// * EBADMSG: the parameter has another type.
///
/// # Source
///
/// [`jail_get(2)`](https://man.freebsd.org/jail_get(2)), `kern/kern_jail.c:kern_jail_get`.
///
/// # Example
///
/// ```
/// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
/// use jailwire::jail::{self, JailParameters, JailType, JailValue};
///
/// let jid = jail::create(&*kernel, &JailParameters::new("web").set("children.max", 2))?;
/// let most = jail::read_value(&*kernel, jid, "children.max", JailType::Int)?;
/// assert_eq!(most, Some(JailValue::Int(2)));
/// # Ok::<(), jailwire::Error>(())
/// ```
#[doc(alias = "jail_get")]
pub fn read_value(
    kernel: &dyn Kernel,
    key: impl Into<JailKey>,
    name: &str,
    of: JailType,
) -> Result<Option<JailValue>> {
    let key = key.into();
    let Some(bytes) = query::read(kernel, key.clone(), name)? else { return Ok(None) };
    let object = format_args!("{name} of jail {key}");
    let wrong = || Error::malformed("read", object, "jail_get", format_args!("{} bytes", bytes.len()));
    of.read(&bytes).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_another_length_are_no_value() {
        for of in [JailType::Flag, JailType::Int, JailType::System] {
            assert_eq!(of.read(&[0; 3]), None);
            assert_eq!(of.read(&[0; 8]), None);
        }
        assert_eq!(JailType::Long.read(&[0; 4]), None);
        assert_eq!(JailType::Ipv4.read(&[0; 6]), None);
        assert_eq!(JailType::Ipv6.read(&[0; 20]), None);
        assert_eq!(JailType::String.read(b"no end"), None);
        assert_eq!(JailType::System.read(&9i32.to_ne_bytes()), None);
        assert_eq!(JailType::Ipv4.read(&[]), Some(JailValue::Ipv4(vec![])));
    }
}
