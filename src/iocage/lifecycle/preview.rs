//! Previews of `start` and `stop`: what they would do.

use super::ready::has_addresses_to_wait_for;
use super::{Host, Report, advice, errors};
use crate::error::Error;
use crate::iocage::config::JailConfig;
use crate::iocage::hooks::{Command, Hook};
use crate::iocage::name::JailName;
use crate::iocage::properties::Properties;
use crate::iocage::store::{Entry, Place};
use crate::iocage::translate::{self, MadeUp};
use crate::wiring::nat::Backend;
use crate::wiring::{self, Journal, Owned, Plan, Stamp, Standing, Survey, undo_order};

/// The requests that run a program on the host.
const RUN: [&str; 1] = ["execve"];
/// The requests that run a program in a jail.
const RUN_INSIDE: [&str; 2] = ["jail_attach", "execve"];

/// A step that a command would take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Foreseen {
    /// The step, as text.
    pub what: String,
    /// The requests to the kernel that change something, by their C names, in order.
    pub requests: Vec<&'static str>,
}

/// The steps that a command would take, and its warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// The steps, in their order.
    pub steps: Vec<Foreseen>,
    /// Problems that do not prevent the command.
    pub warnings: Vec<String>,
}

impl Preview {
    pub(super) fn add(&mut self, what: String, requests: &[&'static str]) {
        self.steps.push(Foreseen { what, requests: requests.to_vec() });
    }

    fn hook(&mut self, property: &str, hook: &Hook) {
        if let Some(words) = hook.arguments() {
            self.add(format!("run {property} on the host: {}", words.join(" ")), &RUN);
        }
    }
}

impl Host<'_> {
    /// Returns what a start would do: every check that it makes before anything is changed, and its plan. If a
    /// process works on the jail, `report` is called before the wait for that process.
    ///
    /// # Errors
    ///
    /// As [`Host::start`], as far as it is known beforehand.
    pub fn preview_start(&self, entry: &Entry, report: &mut dyn Report) -> Result<Preview, Error> {
        self.look_ahead(&entry.name, report, |standing, journal| {
            self.refuse_running(entry, standing, journal)?;
            let mut preview = Preview::default();
            // What is left of it is cleared up before the plan is made.
            let jail = entry.name.kernel_name();
            let is_stale = self.is_stale(&jail, standing, journal);
            let owned = self.of_jail_alone(&jail, journal);
            for owned in undo_order(&owned).into_iter().filter(|_| !is_stale) {
                preview.add(format!("clear up what an earlier start left: {owned}"), undoing(owned));
            }
            self.plan_start(entry, &owned, preview)
        })
    }

    /// Returns what a start would do after a stop.
    ///
    /// # Errors
    ///
    /// As [`Host::preview_start`].
    pub fn preview_start_again(&self, entry: &Entry, report: &mut dyn Report) -> Result<Preview, Error> {
        self.look_ahead(&entry.name, report, |standing, journal| {
            // A stop takes away what runs, and what a command that was killed has left.
            let (running, _) = self.to_be_stopped(entry, standing, journal)?;
            let mut owned = self.of_jail_alone(&entry.name.kernel_name(), journal);
            if let Some(jid) = running {
                owned.extend(self.found(entry, jid).map_err(errors::of(&entry.name))?);
            }
            self.plan_start(entry, &owned, Preview::default())
        })
    }

    /// What a look at a jail says. The look takes no lock: another process may start or stop the jail between two calls of
    /// the look, or do both. For a caller that changes things afterwards, under the jail's lock, an answer is good enough,
    /// and a look that refuses the jail is repeated with the lock. For a caller that only looks, and makes no lock, a look
    /// counts if no process has worked on the jail meanwhile.
    fn look_ahead<T>(
        &self,
        name: &JailName,
        report: &mut dyn Report,
        look: impl Fn(Standing, &Journal) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let jail = name.kernel_name();
        if self.changes {
            let (standing, journal) = self.standing(name)?;
            let looked = look(standing, &journal);
            if looked.is_ok() {
                return looked;
            }
            let claim = self.claim(name, report)?;
            return look(claim.standing(), claim.journal());
        }
        for looks in 1.. {
            let stamp = Stamp::settled(&self.state, &jail);
            let (standing, journal) = self.standing(name)?;
            let looked = look(standing, &journal);
            if stamp.is_settled() && stamp.is_as(&Stamp::of(&self.state, &jail)) {
                return looked;
            }
            if looks == Standing::LOOKS {
                report.warn(&format!(
                    "{name}: other processes start and stop jails all the time; this may be true no more"
                ));
                return looked;
            }
            let waiting = || report.warn(&format!("another process is working on {name}; waiting for it"));
            let waited = self.state.wait_for_lock(&jail, waiting);
            waited.map_err(|error| errors::of(name)(error.into()))?;
        }
        unreachable!("the last look counts")
    }

    /// What a start would do once `undone` is.
    fn plan_start(&self, entry: &Entry, undone: &[Owned], preview: Preview) -> Result<Preview, Error> {
        let name = &entry.name;
        if entry.place == Place::Templates {
            return Err(errors::template(name));
        }
        self.check_datasets(entry)?;
        let (config, chosen) =
            self.with_nat_address(entry, None, JailConfig::resolve(self.store, entry)?, undone)?;
        self.plan_start_of(&config, chosen, undone, true, preview)
    }

    /// Returns what starting a jail would do that has these properties, and is not there yet.
    ///
    /// # Errors
    ///
    /// As [`Host::preview_start`].
    pub fn preview_start_of_new(&self, entry: &Entry, properties: &Properties) -> Result<Preview, Error> {
        let config = JailConfig::of_new(self.store, entry, properties)?;
        let (config, chosen) = self.with_nat_address(entry, Some(properties), config, &[])?;
        self.plan_start_of(&config, chosen, &[], false, Preview::default())
    }

    fn plan_start_of(
        &self,
        config: &JailConfig,
        chosen: MadeUp,
        undone: &[Owned],
        is_there: bool,
        mut preview: Preview,
    ) -> Result<Preview, Error> {
        let name = &config.name;
        let odd = self.check_fitness(config, undone)?;
        let facts = self.facts(config).map_err(errors::of(name))?;
        let (spec, mut made_up) =
            translate::specification(config, &facts).map_err(|missing| errors::lacking(config, &missing))?;
        made_up.extend(chosen);
        let mut survey = Survey::take(&self.vnet, &spec).map_err(errors::of(name))?.without(undone);
        survey.root_exists |= !is_there;
        let plan = Plan::new(&spec, &survey).map_err(|problems| self.refused(config, &problems))?;
        let warnings = config.warnings.iter().chain(&odd);
        preview.warnings.extend(warnings.map(|warning| format!("{name}: {warning}")));
        preview.warnings.extend(plan.notes().iter().map(|problem| advice::note(config, problem)));
        for (property, value) in &made_up {
            preview.add(format!("record {property}={value} in config.json"), &["renameat"]);
        }
        preview.hook("exec_prestart", &config.commands.prestart);
        for (step, requests) in plan.requests(&survey) {
            preview.add(step.to_string(), &requests);
        }
        preview.add(format!("write {}", self.conf_path(name).display()), &["renameat"]);
        if let Some(line) = config.commands.created_line() {
            preview.add(format!("run exec_created on the host: {line}"), &RUN);
        }
        if has_addresses_to_wait_for(&spec) {
            preview.add("wait until its IPv6 addresses are checked for duplicates".to_owned(), &[]);
        }
        let start = config.commands.start.words().join(" ");
        preview.add(format!("run exec_start in the jail: {start}"), &RUN_INSIDE);
        preview.hook("exec_poststart", &config.commands.poststart);
        Ok(preview)
    }

    /// Returns what a stop would do. A jail that is down, and of which nothing is left, needs nothing done. If a
    /// process works on the jail, `report` is called before the wait for that process.
    ///
    /// # Errors
    ///
    /// Those of reading its journal, or of looking at what there is of it.
    pub fn preview_stop(
        &self,
        entry: &Entry,
        force: bool,
        report: &mut dyn Report,
    ) -> Result<Preview, Error> {
        let look = |standing, journal: &Journal| self.plan_stop(entry, force, standing, journal);
        self.look_ahead(&entry.name, report, look)
    }

    fn plan_stop(
        &self,
        entry: &Entry,
        force: bool,
        standing: Standing,
        journal: &Journal,
    ) -> Result<Preview, Error> {
        let name = &entry.name;
        let (jid, is_iocages) = self.to_be_stopped(entry, standing, journal)?;
        let mut preview = Preview::default();
        let config = JailConfig::resolve(self.store, entry);
        let commands = match (&config, jid) {
            (Ok(config), Some(_)) => Some(&config.commands),
            (Err(error), Some(_)) => {
                preview.warnings.push(format!("{name}: its commands are not run: {error}"));
                None
            }
            _ => None,
        };
        if let Some(commands) = commands.filter(|_| !force) {
            preview.hook("exec_prestop", &commands.prestop);
            let stop = commands.stop.words().join(" ");
            preview.add(format!("run exec_stop in the jail: {stop}"), &RUN_INSIDE);
        }
        let owned = match jid {
            Some(jid) if is_iocages => self.found(entry, jid).map_err(errors::of(name))?,
            _ => self.of_jail_alone(&name.kernel_name(), journal),
        };
        let lent = jid.map(|jid| wiring::lent_to(&self.site(), jid)).transpose()?.unwrap_or_default();
        for lent in &lent {
            preview.add(format!("take interface {} out of the jail", lent.name), &["SIOCSIFRVNET"]);
            for prior in lent.prior.iter().rev() {
                preview.add(format!("put back: {prior}"), prior.requests());
            }
        }
        for owned in undo_order(&owned).into_iter().filter(|owned| !matches!(owned, Owned::Lent(_))) {
            preview.add(format!("take away {owned}"), undoing(owned));
        }
        if let Some(commands) = commands {
            preview.hook("exec_poststop", &commands.poststop);
        }
        Ok(preview)
    }

    /// Returns what [`Host::restart_softly`] would do, or `None` when the jail does not run.
    ///
    /// # Errors
    ///
    /// As [`Host::restart_softly`], as far as it is known beforehand.
    pub fn preview_restart_softly(
        &self,
        entry: &Entry,
        report: &mut dyn Report,
    ) -> Result<Option<Preview>, Error> {
        let look = |standing, journal: &Journal| self.to_be_stopped(entry, standing, journal);
        let (running, _) = self.look_ahead(&entry.name, report, look)?;
        if running.is_none() {
            return Ok(None);
        }
        let config = JailConfig::resolve(self.store, entry)?;
        let mut preview = Preview::default();
        let words = |command: &Command| command.words().join(" ");
        let (start, stop) = (words(&config.commands.start), words(&config.commands.stop));
        preview.add(format!("run exec_stop in the jail: {stop}"), &RUN_INSIDE);
        preview.add("end all processes of the jail".to_owned(), &RUN_INSIDE);
        preview.add(format!("run exec_start in the jail: {start}"), &RUN_INSIDE);
        Ok(Some(preview))
    }
}

/// What is asked of the kernel to undo something.
pub(super) fn undoing(owned: &Owned) -> &'static [&'static str] {
    match owned {
        Owned::Ruleset(_) => &["DEVFSIO_RDEL"],
        Owned::Mount { .. } => &["unmount"],
        Owned::Alias4(..) => &["SIOCDIFADDR"],
        Owned::Alias6(..) => &["SIOCDIFADDR_IN6"],
        // What was lent comes back with the jail's end.
        Owned::Jail(_) => &["jail_remove"],
        Owned::Lent(_) => &[],
        Owned::Published(_, Backend::Pf) => &["DIOCXBEGIN", "DIOCXCOMMIT", "DIOCKILLSTATESNV"],
        Owned::Published(_, Backend::Ipfw) => &["IP_FW_NAT44_XCONFIG", "IP_FW_TABLE_XDEL", "IP_FW_XDEL"],
        Owned::Epair(_) | Owned::Bridge(_) | Owned::Vlan { .. } => &["SIOCIFDESTROY"],
        Owned::Uplink { .. } => &["BRDGDEL"],
        Owned::Raised(_) => &["SIOCSIFFLAGS"],
        Owned::MemberVlans { .. } => &["BRDGSIFVLANSET"],
        Owned::BridgeMtu(..) => &["SIOCSIFMTU"],
        Owned::Inet6(_) => &["SIOCDIFADDR_IN6", "SIOCSIFINFO_FLAGS"],
        Owned::Was(prior) => prior.requests(),
        Owned::Route(..) => &["RTM_DELETE"],
        Owned::File(_) | Owned::Link(_) => &["unlink"],
    }
}
