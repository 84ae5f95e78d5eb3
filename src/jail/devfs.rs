//! devfs rulesets, which say what devices a jail sees.
//!
//! Rulesets belong to the machine. They are changed through any mounted devfs. The jail parameter `devfs_ruleset`
//! and the mount option `ruleset` contain a ruleset's number.

use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jailwire_sys::{
    DEVFS_MAGIC, DEVFS_MAXPTRNLEN, DRA_BACTS, DRA_GID, DRA_INCSET, DRA_MODE, DRA_UID, DRB_HIDE, DRB_UNHIDE,
    DRC_PATHPTRN, devfs_rule,
};

use crate::abi::{Call, call};
use crate::error::{During, Error, Result};
use crate::kernel::{Errno, Failure, Handle, Kernel};

/// The number of the rule with which a ruleset is claimed: the kernel gives this number to the first rule.
const FIRST_RULE: u16 = 100;

/// The kernel gives a further rule the next multiple of this number.
const STEP: usize = 100;

/// A rule: the devices that it matches, and what it does with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[doc(alias = "devfs_rule")]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct DevfsRule {
    /// The paths that the rule is for, relative to the mount, as a pattern of
    /// [`fnmatch(3)`](https://man.freebsd.org/fnmatch(3)): `bpf*`. `None` stands for all paths.
    pub path: Option<String>,
    /// Hides (true) or shows (false) the devices.
    pub hide: Option<bool>,
    /// Applies the rules of another ruleset.
    pub include: Option<u16>,
    /// Sets the devices' permissions.
    pub mode: Option<u16>,
    /// Sets the devices' owner.
    pub owner: Option<u32>,
    /// Sets the devices' group.
    pub group: Option<u32>,
}

impl DevfsRule {
    /// Returns the rule `hide`, which hides all devices.
    pub fn hide_all() -> DevfsRule {
        DevfsRule { hide: Some(true), ..DevfsRule::default() }
    }

    /// Returns the rule `path PATTERN hide`.
    pub fn hide(pattern: &str) -> DevfsRule {
        DevfsRule { path: Some(pattern.to_owned()), ..DevfsRule::hide_all() }
    }

    /// Returns the rule `path PATTERN unhide`.
    pub fn unhide(pattern: &str) -> DevfsRule {
        DevfsRule { path: Some(pattern.to_owned()), hide: Some(false), ..DevfsRule::default() }
    }

    /// Returns the rule `include N`.
    pub fn include(ruleset: u16) -> DevfsRule {
        DevfsRule { include: Some(ruleset), ..DevfsRule::default() }
    }

    /// Sets the devices' permissions.
    pub fn with_mode(self, mode: u16) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// Sets the devices' owner.
    pub fn with_owner(self, owner: u32) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// Sets the devices' group.
    pub fn with_group(self, group: u32) -> Self {
        Self { group: Some(group), ..self }
    }

    fn write(&self, call: &mut Call) -> crate::kernel::Result<()> {
        let (mut conditions, mut actions) = (0, 0);
        let argument = call.argument();
        if let Some(path) = &self.path {
            if path.is_empty() || path.len() >= DEVFS_MAXPTRNLEN || path.contains('\0') {
                return Err(Failure::with_text(
                    Errno::EINVAL,
                    "a path pattern has 1 to 199 bytes, none of them NUL",
                ));
            }
            conditions |= DRC_PATHPTRN;
            argument.put(offset_of!(devfs_rule, dr_pathptrn), path.as_bytes());
        }
        if let Some(hide) = self.hide {
            actions |= DRA_BACTS;
            let act = if hide { DRB_HIDE } else { DRB_UNHIDE };
            argument.put(offset_of!(devfs_rule, dr_bacts), &act.to_ne_bytes());
        }
        if let Some(ruleset) = self.include {
            actions |= DRA_INCSET;
            argument.put(offset_of!(devfs_rule, dr_incset), &ruleset.to_ne_bytes());
        }
        if let Some(mode) = self.mode {
            actions |= DRA_MODE;
            argument.put(offset_of!(devfs_rule, dr_mode), &mode.to_ne_bytes());
        }
        if let Some(owner) = self.owner {
            actions |= DRA_UID;
            argument.put(offset_of!(devfs_rule, dr_uid), &owner.to_ne_bytes());
        }
        if let Some(group) = self.group {
            actions |= DRA_GID;
            argument.put(offset_of!(devfs_rule, dr_gid), &group.to_ne_bytes());
        }
        argument.put(offset_of!(devfs_rule, dr_icond), &conditions.to_ne_bytes());
        argument.put(offset_of!(devfs_rule, dr_iacts), &actions.to_ne_bytes());
        Ok(())
    }

    fn read(call: &mut Call) -> DevfsRule {
        let argument = call.argument();
        let conditions = argument.i32_at(offset_of!(devfs_rule, dr_icond));
        let actions = argument.i32_at(offset_of!(devfs_rule, dr_iacts));
        let path = argument.text_at(offset_of!(devfs_rule, dr_pathptrn), DEVFS_MAXPTRNLEN);
        let has = |action: i32| actions & action != 0;
        DevfsRule {
            path: (conditions & DRC_PATHPTRN != 0).then(|| String::from_utf8_lossy(path).into_owned()),
            hide: has(DRA_BACTS).then(|| argument.i32_at(offset_of!(devfs_rule, dr_bacts)) & DRB_HIDE != 0),
            include: has(DRA_INCSET).then(|| argument.u16_at(offset_of!(devfs_rule, dr_incset))),
            mode: has(DRA_MODE).then(|| argument.u16_at(offset_of!(devfs_rule, dr_mode))),
            owner: has(DRA_UID).then(|| argument.u32_at(offset_of!(devfs_rule, dr_uid))),
            group: has(DRA_GID).then(|| argument.u32_at(offset_of!(devfs_rule, dr_gid))),
        }
    }
}

/// A mounted devfs, through which rulesets are read and changed.
///
/// ```
/// # let kernel: std::sync::Arc<dyn jailwire::kernel::Kernel> = std::sync::Arc::new(jailwire::sim::Sim::new());
/// use jailwire::jail::devfs::{Devfs, DevfsRule};
///
/// let devfs = Devfs::open(kernel, "/dev".as_ref())?;
/// let ruleset = devfs.claim(1000, &DevfsRule::hide_all())?;
/// devfs.add(ruleset, &DevfsRule::unhide("null"))?;
/// assert_eq!(devfs.rules(ruleset)?.len(), 2);
/// # Ok::<(), jailwire::Error>(())
/// ```
#[derive(Debug)]
pub struct Devfs {
    kernel: Arc<dyn Kernel>,
    handle: Handle,
    on: PathBuf,
}

impl Devfs {
    /// Opens a mounted devfs: `/dev`, or the devfs of a jail to apply rules to it.
    ///
    /// # Errors
    ///
    /// * ENOENT, ENOTDIR, EACCES: the directory.
    ///
    /// # Source
    ///
    /// [`devfs(4)`](https://man.freebsd.org/devfs(4)), [`open(2)`](https://man.freebsd.org/open(2)).
    pub fn open(kernel: Arc<dyn Kernel>, on: &Path) -> Result<Devfs> {
        let handle = kernel.open(on).during("open", on.display(), "open")?;
        Ok(Devfs { kernel, handle, on: on.to_owned() })
    }

    /// Returns the numbers of all rulesets, in rising order.
    ///
    /// # Errors
    ///
    /// * EPERM: the caller is not root. Reading rulesets needs root as well.
    ///
    /// # Source
    ///
    /// `DEVFSIO_SGETNEXT`: [`devfs(8)`](https://man.freebsd.org/devfs(8)), `fs/devfs/devfs_rule.c:devfs_rules_ioctl`.
    #[doc(alias = "DEVFSIO_SGETNEXT")]
    pub fn rulesets(&self) -> Result<Vec<u16>> {
        let mut rulesets: Vec<u16> = Vec::new();
        loop {
            let last = rulesets.last().copied().unwrap_or(0);
            let mut ask = call!(DEVFSIO_SGETNEXT).with(0, &last.to_ne_bytes());
            match self.kernel.ioctl(self.handle, &mut ask.request) {
                Err(failure) if failure.errno == Errno::ENOENT => return Ok(rulesets),
                other => other.during("list rulesets of", self.on.display(), ask.name)?,
            }
            let next = ask.argument().u16_at(0);
            if next <= last {
                return Err(Error::malformed(
                    "list rulesets of",
                    self.on.display(),
                    ask.name,
                    "they do not rise",
                ));
            }
            rulesets.push(next);
        }
    }

    /// Returns the first number from `lowest` on that no ruleset has. Returns `None` if all numbers up to 65535 are
    /// taken.
    ///
    /// # Errors
    ///
    /// As [`Devfs::rulesets`].
    ///
    /// # Source
    ///
    /// `DEVFSIO_SGETNEXT`.
    #[doc(alias = "DEVFSIO_SGETNEXT")]
    pub fn first_free(&self, lowest: u16) -> Result<Option<u16>> {
        for number in lowest.max(1)..=u16::MAX {
            // Ask for the next ruleset after the number before.
            let mut ask = call!(DEVFSIO_SGETNEXT).with(0, &(number - 1).to_ne_bytes());
            match self.kernel.ioctl(self.handle, &mut ask.request) {
                Err(failure) if failure.errno == Errno::ENOENT => return Ok(Some(number)),
                other => other.during("list rulesets of", self.on.display(), ask.name)?,
            }
            if ask.argument().u16_at(0) != number {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Returns the rules of a ruleset, each with its number, in rising order.
    ///
    /// # Errors
    ///
    /// As [`Devfs::rulesets`]. A ruleset that does not exist has no rules.
    ///
    /// # Source
    ///
    /// `DEVFSIO_RGETNEXT`.
    #[doc(alias = "DEVFSIO_RGETNEXT")]
    pub fn rules(&self, ruleset: u16) -> Result<Vec<(u16, DevfsRule)>> {
        let mut rules: Vec<(u16, DevfsRule)> = Vec::new();
        loop {
            let last = rules.last().map_or(0, |(number, _)| *number);
            let Some((number, rule)) = self.next_rule(ruleset, last)? else { return Ok(rules) };
            if number <= last {
                let object = format_args!("{ruleset}");
                return Err(Error::malformed(
                    "list rules of ruleset",
                    object,
                    "DEVFSIO_RGETNEXT",
                    "they do not rise",
                ));
            }
            rules.push((number, rule));
        }
    }

    fn next_rule(&self, ruleset: u16, after: u16) -> Result<Option<(u16, DevfsRule)>> {
        let mut ask = about_rule(call!(DEVFSIO_RGETNEXT), ruleset, after);
        match self.kernel.ioctl(self.handle, &mut ask.request) {
            Err(failure) if failure.errno == Errno::ENOENT => Ok(None),
            other => {
                other.during("list rules of ruleset", ruleset, ask.name)?;
                let id = ask.argument().u32_at(offset_of!(devfs_rule, dr_id));
                Ok(Some(((id & 0xffff) as u16, DevfsRule::read(&mut ask))))
            }
        }
    }

    /// Adds a rule at the end of a ruleset. The ruleset is made with its first rule.
    ///
    /// The rule is applied to devices that appear from now on, on mounts with that ruleset. For devices that are there
    /// already, call [`Devfs::apply`].
    ///
    /// # Errors
    ///
    /// * EINVAL: the pattern is empty, too long, or has a NUL.
    /// * ESRCH: the rule includes a ruleset that does not exist.
    /// * EPERM: the caller is not root, or is in a jail.
    ///
    /// # Source
    ///
    /// `DEVFSIO_RADD`: [`devfs(8)`](https://man.freebsd.org/devfs(8)), `fs/devfs/devfs_rule.c:devfs_rules_ioctl`.
    #[doc(alias = "DEVFSIO_RADD")]
    pub fn add(&self, ruleset: u16, rule: &DevfsRule) -> Result<()> {
        // Number 0 asks for the next free number.
        self.attempt_add(ruleset, 0, rule).during("add rule to ruleset", ruleset, "DEVFSIO_RADD")
    }

    fn attempt_add(&self, ruleset: u16, number: u16, rule: &DevfsRule) -> crate::kernel::Result<()> {
        let mut ask = about_rule(call!(DEVFSIO_RADD), ruleset, number);
        rule.write(&mut ask)?;
        self.kernel.ioctl(self.handle, &mut ask.request)
    }

    /// Makes a new ruleset with the first free number from `lowest` on, and with `rule` as its first rule.
    /// Returns the ruleset's number.
    ///
    /// Two callers at the same time get different numbers: each gives its rule the same number
    /// within the ruleset, and the kernel accepts only one of the rules.
    ///
    /// # Errors
    ///
    /// * ENOSPC: all numbers up to 65535 are taken.
    /// * as [`Devfs::add`].
    ///
    /// # Source
    ///
    /// `DEVFSIO_RADD`.
    #[doc(alias = "DEVFSIO_RADD")]
    pub fn claim(&self, lowest: u16, rule: &DevfsRule) -> Result<u16> {
        let taken = self.rulesets()?;
        for number in lowest.max(1)..=u16::MAX {
            // The list also has rulesets without rules that a mount still uses.
            if taken.binary_search(&number).is_ok() {
                continue;
            }
            match self.attempt_add(number, FIRST_RULE, rule) {
                Ok(()) => return Ok(number),
                Err(failure) if failure.errno == Errno::EEXIST => {}
                Err(failure) => return Err(failure).during("claim ruleset", number, "DEVFSIO_RADD"),
            }
        }
        Err(Error::new("claim ruleset", format_args!("from {lowest}"), "DEVFSIO_RADD", Errno::ENOSPC))
    }

    /// Applies a ruleset to the devices that this mount shows now.
    ///
    /// # Errors
    ///
    /// * ESRCH: no such ruleset.
    /// * EPERM: the caller is not root, or is in a jail.
    ///
    /// # Source
    ///
    /// `DEVFSIO_SAPPLY`.
    #[doc(alias = "DEVFSIO_SAPPLY")]
    pub fn apply(&self, ruleset: u16) -> Result<()> {
        let mut ask = call!(DEVFSIO_SAPPLY).with(0, &ruleset.to_ne_bytes());
        let object = format_args!("{ruleset} to {}", self.on.display());
        self.kernel.ioctl(self.handle, &mut ask.request).during("apply ruleset", object, ask.name)
    }

    /// Selects a ruleset for this mount: the ruleset is applied to devices that appear from now on.
    ///
    /// # Errors
    ///
    /// * EPERM: the caller is not root, or is in a jail.
    ///
    /// # Source
    ///
    /// `DEVFSIO_SUSE`.
    #[doc(alias = "DEVFSIO_SUSE")]
    pub fn select(&self, ruleset: u16) -> Result<()> {
        let mut ask = call!(DEVFSIO_SUSE).with(0, &ruleset.to_ne_bytes());
        let object = format_args!("{ruleset} for {}", self.on.display());
        self.kernel.ioctl(self.handle, &mut ask.request).during("select ruleset", object, ask.name)
    }

    /// Deletes all rules of a ruleset, and the ruleset itself. A ruleset that a mount uses stays,
    /// empty, until that mount is gone. Returns whether there was anything to delete.
    ///
    /// # Errors
    ///
    /// * EPERM: the caller is not root, or is in a jail.
    ///
    /// # Source
    ///
    /// `DEVFSIO_RDEL`: [`devfs(8)`](https://man.freebsd.org/devfs(8)), `fs/devfs/devfs_rule.c:devfs_rules_ioctl`: there
    /// is no request for a whole ruleset.
    #[doc(alias = "DEVFSIO_RDEL")]
    pub fn delete(&self, ruleset: u16) -> Result<bool> {
        let mut deleted = false;
        // Most rulesets have the numbers that the kernel gives. Asking for each number would take twice the calls.
        for number in (FIRST_RULE..=u16::MAX).step_by(STEP) {
            if !self.delete_rule(ruleset, number)? {
                break;
            }
            deleted = true;
        }
        while let Some((number, _)) = self.next_rule(ruleset, 0)? {
            // If the rule is not there any more, another process has deleted the rule.
            self.delete_rule(ruleset, number)?;
            deleted = true;
        }
        Ok(deleted)
    }

    /// Deletes a rule. Returns whether the rule was there.
    fn delete_rule(&self, ruleset: u16, number: u16) -> Result<bool> {
        let mut ask = call!(DEVFSIO_RDEL).with(0, &rule_id(ruleset, number).to_ne_bytes());
        match self.kernel.ioctl(self.handle, &mut ask.request) {
            Err(failure) if failure.errno == Errno::ENOENT => Ok(false),
            other => other.during("delete ruleset", ruleset, ask.name).map(|()| true),
        }
    }
}

impl Drop for Devfs {
    fn drop(&mut self) {
        self.kernel.close(self.handle);
    }
}

/// A rule's identity: ruleset and number within it (C's `mkrid`).
fn rule_id(ruleset: u16, number: u16) -> u32 {
    u32::from(ruleset) << 16 | u32::from(number)
}

fn about_rule(call: Call, ruleset: u16, number: u16) -> Call {
    call.with(offset_of!(devfs_rule, dr_magic), &DEVFS_MAGIC.to_ne_bytes())
        .with(offset_of!(devfs_rule, dr_id), &rule_id(ruleset, number).to_ne_bytes())
}
