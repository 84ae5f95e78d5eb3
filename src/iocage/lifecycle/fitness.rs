//! Checks what prevents a jail from being started on this host.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Host, advice, errors};
use crate::error::Error;
use crate::iocage::config::{JailConfig, Level, Problem};
use crate::iocage::fitness::{self, Prestart};
use crate::iocage::fstab::Mount;
use crate::iocage::hooks::Hook;
use crate::iocage::paths;
use crate::iocage::store::Entry;
use crate::iocage::translate;
use crate::iocage::zfs;
use crate::types::InterfaceName;
use crate::wiring::{self, Owned};

impl Host<'_> {
    /// Refuses a jail whose datasets are not mounted, because its files are missing then. `zfs` is run only if
    /// something is missing.
    pub(super) fn check_datasets(&self, entry: &Entry) -> Result<(), Error> {
        let is_empty = |path: &Path| fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
        if entry.config_path().exists() && !is_empty(&entry.root()) {
            return Ok(());
        }
        let mounts = self.kernel().mounts().unwrap_or_default();
        let Some(root) = zfs::dataset_on(&mounts, self.store.root()) else { return Ok(()) };
        let Ok(beneath) = entry.directory.strip_prefix(self.store.root()) else { return Ok(()) };
        let jail = format!("{root}/{}", beneath.display());
        // A jail without datasets is a directory, and complete.
        let Ok(datasets) = zfs::Datasets::list(&jail) else { return Ok(()) };
        let unmounted = datasets.beneath(&jail).find(|dataset| !dataset.is_mounted && dataset.mounts_itself);
        match unmounted {
            None => Ok(()),
            Some(dataset) => {
                let why = format!("its dataset {0} is not mounted: run `zfs mount {0}`", dataset.name);
                Err(errors::unfit(&entry.name, why))
            }
        }
    }

    /// Refuses a jail that needs something which this host does not have, before anything is planned. `owned` is what is undone
    /// before. Returns what does not prevent a start.
    pub(super) fn check_fitness(&self, config: &JailConfig, owned: &[Owned]) -> Result<Vec<Problem>, Error> {
        let problems = fitness::problems(&self.vnet, config, Prestart::ToCome);
        let mut problems = problems.map_err(|error| errors::of(&config.name)(error))?;
        problems.extend(self.mounted_already(config, owned));
        match problems.iter().any(|problem| problem.level == Level::Error) {
            false => Ok(problems),
            true => Err(errors::misfit(config, problems)),
        }
    }

    /// Refuses a jail that lacks what `exec_prestart` might have made, and has not.
    pub(super) fn check_after_prestart(&self, config: &JailConfig) -> Result<(), Error> {
        if config.commands.prestart == Hook::Nothing {
            return Ok(());
        }
        let problems = fitness::problems(&self.vnet, config, Prestart::Over);
        let mut problems = problems.map_err(|error| errors::of(&config.name)(error))?;
        problems.retain(|problem| problem.level == Level::Error);
        if problems.is_empty() { Ok(()) } else { Err(errors::misfit(config, problems)) }
    }

    /// Lines of the fstab whose directory somebody has mounted at the same place already, which nullfs refuses
    /// (`fs/nullfs/null_vfsops.c:nullfs_mount`).
    fn mounted_already(&self, config: &JailConfig, owned: &[Owned]) -> Vec<Problem> {
        let lines = config.mounts.fstab.iter().filter(|(mount, _)| mount.fstype == "nullfs");
        let lines: Vec<_> = lines.collect();
        if lines.is_empty() {
            return Vec::new();
        }
        let mounts = self.kernel().mounts().unwrap_or_default();
        let ours =
            |on: &Path| owned.iter().any(|owned| matches!(owned, Owned::Mount { on: own, .. } if own == on));
        let root = paths::real(&config.root);
        let again = |(mount, beneath): &&(Mount, PathBuf)| {
            let (on, from) = (root.join(beneath), paths::real(&mount.source));
            // Only what was mounted last is seen.
            let top = mounts.iter().find(|mounted| paths::real(&mounted.on) == on)?;
            let is_same =
                top.fstype == "nullfs" && paths::real(Path::new(&top.from)) == from && !ours(&top.on);
            let (line, from, on) = (mount.line, mount.source.display(), on.display());
            is_same.then(|| Problem {
                level: Level::Error,
                about: "fstab".to_owned(),
                message: format!("line {line}: {from} is mounted on {on} already, and no start of the jail did that: umount {on}, or take the line out"),
            })
        };
        lines.iter().filter_map(again).collect()
    }

    /// Returns everything that would prevent the start of a jail that is down, each problem with its property.
    /// Nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of looking at the host.
    pub fn misfits(&self, config: &JailConfig) -> Result<Vec<Problem>, Error> {
        let mut problems = fitness::problems(&self.vnet, config, Prestart::ToCome)?;
        let standing = self.standing(&config.name);
        let owned = standing.map(|(_, journal)| journal.owned().to_vec()).unwrap_or_default();
        problems.extend(self.mounted_already(config, &owned));
        let facts = match self.facts(config) {
            Ok(facts) => facts,
            // The routing table does not exist, which is reported already: there are no routes to check.
            Err(_) if !problems.is_empty() => return Ok(problems),
            Err(error) => return Err(error),
        };
        let spec = match translate::specification(config, &facts) {
            Ok((spec, _)) => spec,
            Err(missing) => {
                problems.push(config.placed(errors::lack(&missing)));
                return Ok(problems);
            }
        };
        match self.plan(&spec)? {
            Err(found) => {
                // The root directory was checked with the configuration.
                let new = |problem: &&wiring::Problem| {
                    !matches!(problem, wiring::Problem::JailExists { .. } | wiring::Problem::NoRoot { .. })
                };
                problems.extend(found.iter().filter(new).map(|problem| self.advised(config, problem)));
            }
            Ok(plan) => {
                problems.extend(plan.notes().iter().filter_map(advice::noted));
                self.forget(&spec);
            }
        }
        Ok(problems)
    }

    /// The error with problems of wiring, each with its property.
    pub(super) fn refused(&self, config: &JailConfig, problems: &[wiring::Problem]) -> Error {
        let problems = problems.iter().map(|problem| self.advised(config, problem)).collect();
        errors::misfit(config, problems)
    }

    fn advised(&self, config: &JailConfig, problem: &wiring::Problem) -> Problem {
        let mut advised = advice::advised(config, problem);
        if let wiring::Problem::NoInterface { name } = problem
            && let Some(holder) = self.holder(*name)
        {
            advised.message = format!(
                "{name} is lent to the jail {holder}, which runs: stop {holder} first, or set {}=none",
                advised.about
            );
        }
        advised
    }

    /// The running jail that an interface is lent to.
    fn holder(&self, name: InterfaceName) -> Option<String> {
        let journals = self.journals(self.state.journals().ok()?).ok()?;
        let has = |journal: &wiring::Journal| journal.owned().contains(&Owned::Lent(name));
        let ours = journals.into_iter().find(|(_, journal)| has(journal)).map(|(jail, _)| jail);
        let theirs = || {
            let lends = |config: &JailConfig| config.lent().contains(&name);
            let entries = self.store.entries().ok()?.into_iter();
            let mut running = entries.filter(|entry| matches!(self.jid(&entry.name), Ok(Some(_))));
            running.find(|entry| JailConfig::resolve(self.store, entry).is_ok_and(|config| lends(&config)))
        };
        let ours = ours.map(|jail| jail.strip_prefix("ioc-").unwrap_or(&jail).to_owned());
        ours.or_else(|| Some(theirs()?.name.to_string()))
    }
}
