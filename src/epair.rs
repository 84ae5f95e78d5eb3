//! Epairs: two Ethernet interfaces with a wire between them.

use crate::error::{Error, Result};
use crate::types::InterfaceName;
use crate::vnet::Vnet;

/// The two ends of an epair, under the names they have now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epair {
    /// The end whose name ends in `a` when it is created.
    pub a: InterfaceName,
    /// The other end.
    pub b: InterfaceName,
}

impl Vnet {
    /// Creates an epair, and loads the module `if_epair` if it is missing.
    ///
    /// Both ends are in this stack. They are down, and have carriers. When this stack is removed, both ends are
    /// destroyed, wherever they are then.
    ///
    /// Set both MACs before using it. FreeBSD 15 derives them from the name of the interface and of the
    /// calling process's jail, so that pairs made in several jails repeat each other; FreeBSD 14 makes
    /// different ones each time.
    ///
    /// # Errors
    ///
    /// * EEXIST: another interface has the name of an end. The kernel does not try the next unit then:
    ///   name one by [`Vnet::create_epair_unit`], or rename what is in the way.
    /// * as [`Vnet::create`].
    ///
    /// # Source
    ///
    /// `SIOCIFCREATE2`: [`epair(4)`](https://man.freebsd.org/epair(4)), `net/if_epair.c:epair_clone_create`.
    ///
    /// # Example
    ///
    /// ```
    /// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
    /// # let host = jailwire::Vnet::host(kernel.clone());
    /// # let jid = jailwire::jail::create(&*kernel, &jailwire::jail::JailParameters::new("web").vnet())?;
    /// let pair = host.create_epair()?;
    /// host.lend(&pair.b, jid)?;
    /// assert!(!host.has_interface(&pair.b)?);
    /// # Ok::<(), jailwire::Error>(())
    /// ```
    #[doc(alias = "SIOCIFCREATE2")]
    pub fn create_epair(&self) -> Result<Epair> {
        let a = self.create("epair")?;
        ends(a)
    }

    /// Creates the epair with this unit: 0 to 32767.
    ///
    /// # Errors
    ///
    /// As [`Vnet::create_epair`]; EEXIST also when the unit is taken, be it by a renamed epair.
    ///
    /// # Source
    ///
    /// `SIOCIFCREATE2`.
    #[doc(alias = "SIOCIFCREATE2")]
    pub fn create_epair_unit(&self, unit: u16) -> Result<Epair> {
        let a = self.create(&format!("epair{unit}"))?;
        ends(a)
    }

    /// Destroys both ends of an epair, wherever the other end is.
    ///
    /// # Arguments
    ///
    /// * `end`: the end that is in this stack.
    ///
    /// # Errors
    ///
    /// As [`Vnet::destroy`].
    ///
    /// # Source
    ///
    /// `SIOCIFDESTROY`.
    #[doc(alias = "SIOCIFDESTROY")]
    pub fn destroy_epair(&self, end: &InterfaceName) -> Result<()> {
        self.destroy(end)
    }
}

/// Works out the name of the second end: the kernel reports only the name of the first.
fn ends(a: InterfaceName) -> Result<Epair> {
    let unit = a.as_bytes().strip_suffix(b"a");
    let b = unit.and_then(|unit| InterfaceName::from_bytes(&[unit, b"b"].concat()));
    let b = b.ok_or_else(|| {
        Error::malformed("create epair", a, "SIOCIFCREATE2", "the name of the first end does not end in 'a'")
    })?;
    Ok(Epair { a, b })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_end_is_named_after_the_first() {
        let pair = ends("epair32767a".parse().unwrap()).unwrap();
        assert_eq!(pair.b, "epair32767b");
        assert!(ends("bridge0".parse().unwrap()).is_err());
    }
}
