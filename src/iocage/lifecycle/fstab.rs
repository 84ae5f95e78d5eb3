//! Mounts and unmounts of `fstab` in a running jail.

use std::path::PathBuf;

use super::{Host, Report, errors};
use crate::error::Error;
use crate::iocage::fstab::Mount;
use crate::iocage::store::Entry;
use crate::iocage::translate;
use crate::jail::mount;
use crate::wiring::{Claim, Owned};

impl Host<'_> {
    /// Mounts a line of a jail's fstab, if the jail runs. Returns whether the jail runs.
    ///
    /// The mount is in the jail's journal, and a stop unmounts it.
    ///
    /// # Errors
    ///
    /// See [`Error`]: the line leads out of the jail's root, or the kernel refuses the mount.
    pub fn mount_in_running(
        &self,
        entry: &Entry,
        line: &Mount,
        report: &mut dyn Report,
    ) -> Result<bool, Error> {
        let name = &entry.name;
        let failed = errors::of(name);
        let Some((mut claim, beneath)) = self.claim_mount_point(entry, line, report)? else {
            return Ok(false);
        };
        let root = entry.root();
        let mut request = mount::request(&line.fstype, &line.source, &root, &beneath);
        for (option, value) in translate::mount_options(line) {
            request = request.option(option, value);
        }
        // If iocage has started the jail, there is no journal. A stop finds the mount by the list of mounts.
        if !claim.journal().is_empty() {
            let owned = Owned::Mount { fstype: line.fstype.clone(), on: request.on() };
            claim.intend(&self.site(), owned).map_err(errors::of(name))?;
        }
        mount::mount(&**self.kernel(), &request).map_err(failed)?;
        Ok(true)
    }

    /// Unmounts the file system of a line in a jail's fstab, if the jail runs and the file system is mounted.
    /// Returns whether it was mounted.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn unmount_in_running(
        &self,
        entry: &Entry,
        line: &Mount,
        report: &mut dyn Report,
    ) -> Result<bool, Error> {
        let failed = errors::of(&entry.name);
        let Some((_claim, beneath)) = self.claim_mount_point(entry, line, report)? else {
            return Ok(false);
        };
        let root = entry.root();
        let on = if beneath.as_os_str().is_empty() { root } else { root.join(beneath) };
        let kernel = &**self.kernel();
        match mount::seen_on(kernel, &on) {
            Ok(Some(mounted)) if mounted.fstype == line.fstype && mounted.on == on => {
                mount::unmount(kernel, &mounted, true).map_err(failed)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Claims a jail, and finds the mount point of a line beneath the jail's root. Returns `None` if the jail does not run.
    fn claim_mount_point(
        &self,
        entry: &Entry,
        line: &Mount,
        report: &mut dyn Report,
    ) -> Result<Option<(Claim, PathBuf)>, Error> {
        let name = &entry.name;
        let failed = errors::of(name);
        let claim = self.claim(name, report)?;
        if self.jid(name).map_err(&failed)?.is_none() {
            return Ok(None);
        }
        let beneath = line.beneath(&entry.root());
        let beneath = beneath.map_err(|error| failed(Error::other(error.to_string())))?;
        Ok(Some((claim, beneath)))
    }
}
