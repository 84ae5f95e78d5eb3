//! A simulated FreeBSD kernel: interfaces, bridges, addresses, routes, jails and mounts.
use std::path::Path;
/// Stand-in.
pub struct Sim;
impl Sim {
    #[allow(missing_docs)]
    pub fn open(_: &Path) -> super::Result<std::sync::Arc<dyn super::Kernel>> {
        Err(super::Errno::ENOSYS.into())
    }
}
