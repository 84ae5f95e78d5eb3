//! `start`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::UNIX_EPOCH;

use super::{Host, Report, advice, errors, owned_file};
use crate::error::Error;
use crate::iocage::address::Ip4;
use crate::iocage::config::{JailConfig, Localhost, Network, SharedAddress};
use crate::iocage::jailconf::JailConf;
use crate::iocage::property::Stored;
use crate::iocage::store::{Entry, Place};
use crate::iocage::translate::{self, MadeUp};
use crate::types::Jid;
use crate::wiring::{self, Claim, Devfs, JailSpec, Journal, Owned, Plan, Standing, Up};

/// A jail that was started.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Started {
    /// The jail's jid.
    pub jid: Jid,
}

/// A jail that is being started: checked and planned, and later up and wired. Until this is dropped, no other
/// command starts or stops the jail.
#[derive(Debug)]
pub struct Starting {
    entry: Entry,
    config: JailConfig,
    spec: JailSpec,
    plan: Plan,
    up: Option<Up>,
    claim: Claim,
}

impl Host<'_> {
    /// The first part of a start: everything before the jail is made. `exec_prestart` is run.
    ///
    /// # Errors
    ///
    /// As [`Host::start`].
    pub fn begin_start(&self, entry: &Entry, report: &mut dyn Report) -> Result<Starting, Error> {
        let name = &entry.name;
        if entry.place == Place::Templates {
            return Err(errors::template(name));
        }
        self.check_datasets(entry)?;
        let mut config = self.trusted_config(entry)?;
        let mut claim = self.claim(name, report)?;
        self.refuse_running(entry, claim.standing(), claim.journal())?;
        self.finish_writing(entry, report);
        self.clear_attaching(name, &claim)?;
        let owned = self.of_jail_alone(&name.kernel_name(), claim.journal());
        let odd = self.check_fitness(&config, &owned)?;
        // Take the locks first: two starts must not choose the same address.
        let choosing = (self.choosing(&config), self.choosing_nat_address(&config)?);
        let chosen;
        (config, chosen) = self.with_nat_address(entry, None, config, &owned)?;
        let facts = self.facts(&config).map_err(errors::of(name))?;
        let (spec, mut made_up) = translate::specification(&config, &facts)
            .map_err(|missing| errors::lacking(&config, &missing))?;
        made_up.extend(chosen);
        if claim.standing() != Standing::Absent {
            if !self.is_stale(&name.kernel_name(), claim.standing(), claim.journal()) {
                report.warn(&format!("{name}: the last start or stop did not finish; clearing up first"));
            }
            self.clear_up(name, &mut claim)?;
            self.is_gone(&owned);
        }
        let plan = self
            .plan(&spec)
            .map_err(errors::of(name))?
            .map_err(|problems| self.refused(&config, &problems))?;
        for warning in config.warnings.iter().chain(&odd) {
            report.warn(&format!("{name}: {warning}"));
        }
        for problem in plan.notes() {
            report.warn(&advice::note(&config, problem));
        }
        report.say(&format!("* Starting {}", name.flat()));
        let recorded = self.record_made_up(entry, &made_up);
        drop(choosing);
        let begun = recorded
            .and_then(|()| self.run_hook(name, "exec_prestart", &config.commands.prestart, None))
            .and_then(|()| self.check_after_prestart(&config));
        if let Err(error) = begun {
            self.forget(&spec);
            return Err(error);
        }
        Ok(Starting { entry: entry.clone(), config, spec, plan, up: None, claim })
    }

    /// Refuses a running jail, whichever program has started it.
    pub(super) fn refuse_running(
        &self,
        entry: &Entry,
        standing: Standing,
        journal: &Journal,
    ) -> Result<(), Error> {
        match standing {
            Standing::Ours(_) => Err(errors::running(&entry.name)),
            Standing::Foreign(jid) if self.is_iocages(entry, jid, journal)? => {
                Err(errors::running(&entry.name))
            }
            Standing::Foreign(jid) => Err(errors::foreign(&entry.name, jid)),
            Standing::Absent | Standing::Partial(_) | Standing::Dying(_) => Ok(()),
        }
    }

    /// The second part of a start: makes the jail and its network.
    ///
    /// # Errors
    ///
    /// As [`Host::start`].
    pub fn wire(&self, starting: &mut Starting, report: &mut dyn Report) -> Result<(), Error> {
        let Starting { spec, plan, claim, .. } = starting;
        match claim.apply(&self.site(), plan, |_| {}) {
            Ok(up) => {
                report.say("  + Started OK");
                starting.up = Some(up);
                Ok(())
            }
            Err(error) => {
                report.say("  + Start FAILED");
                self.forget(spec);
                Err(errors::of(&starting.entry.name)(error))
            }
        }
    }

    /// The last part of a start: the commands inside, and the files.
    ///
    /// # Errors
    ///
    /// As [`Host::start`].
    pub fn finish_start(&self, mut starting: Starting, report: &mut dyn Report) -> Result<Started, Error> {
        let Starting { entry, config, spec, up, claim, .. } = &mut starting;
        let Some(up) = up else {
            let failure = Error::other("it was not made yet");
            return Err(errors::of(&entry.name)(failure));
        };
        match self.finish(entry, config, spec, up, claim, report) {
            Ok(()) => Ok(Started { jid: up.jid }),
            Err(error) => {
                self.abandon_start(starting, report);
                Err(error)
            }
        }
    }

    /// Takes back what a start has done so far.
    pub fn abandon_start(&self, mut starting: Starting, report: &mut dyn Report) {
        self.forget(&starting.spec);
        // Report the first error. What could not be removed stays in the journal.
        if let Err(owed) = self.clear(&starting.entry.name, &mut starting.claim) {
            report.warn(&format!("undoing was cut short, and a later stop will try again: {owed}"));
        }
    }

    /// Does the rest of a start, when the jail is up and wired.
    fn finish(
        &self,
        entry: &Entry,
        config: &JailConfig,
        spec: &JailSpec,
        up: &Up,
        claim: &mut Claim,
        report: &mut dyn Report,
    ) -> Result<(), Error> {
        let name = &config.name;
        if let Devfs::Generate { .. } = spec.devfs {
            report.say(&format!("  + Using devfs_ruleset: {} (iocage generated default)", up.ruleset));
        }
        let conf = self.conf_path(name);
        let localhost = loopback(config, spec);
        let text =
            self.jail_conf(config, up.ruleset, localhost, claim.journal()).map_err(errors::of(name))?;
        claim.intend(&self.site(), owned_file(conf.clone())).map_err(errors::of(name))?;
        self.files.write_until_reboot(&conf, text.to_string().as_bytes(), 0o644).map_err(errors::of(name))?;
        match &config.network {
            Network::Vnet(_) => {
                report.say("  + Configuring VNET OK");
                report.say("  + Using IP options: vnet");
            }
            Network::Shared(_) => report.say(&format!("  + Using IP options: {}", ip_options(&text))),
        }
        self.run_created(config, up.jid)?;
        self.write_inside(config, localhost, report)?;
        self.await_addresses(config, spec, up.jid, claim.journal(), report);
        self.run_inside(config, "exec_start", config.commands.start.words(), up.jid, &config.services_log)?;
        report.say("  + Starting services OK");
        self.start_rtsold(config, up.jid);
        self.run_hook(name, "exec_poststart", &config.commands.poststart, Some(up.jid))?;
        report.say("  + Executing poststart OK");
        self.await_dhcp(config, up.jid, report)?;
        self.await_advertisements(config, up.jid, report);
        self.record_start(entry)?;
        claim.complete(&self.site(), up.jid).map_err(errors::of(name))
    }

    /// Makes the file that iocage needs to stop the jail. jail(8) removes each address that names an interface. So
    /// an address names its interface only if this start has added the address.
    fn jail_conf(
        &self,
        config: &JailConfig,
        ruleset: u16,
        localhost: Option<Ipv4Addr>,
        journal: &Journal,
    ) -> Result<JailConf, Error> {
        let release = self.vnet.sysctl("kern.osrelease")?;
        let release = String::from_utf8_lossy(&release);
        let release =
            release.trim_end_matches('\0').parse().map_err(|error| Error::other(format!("{error}")))?;
        let (mut ip4, mut ip6) = match &config.network {
            Network::Shared(network) => (network.ip4.clone(), network.ip6.clone()),
            Network::Vnet(_) => Default::default(),
        };
        let added = |ip: IpAddr| {
            journal.owned().iter().find_map(|owned| match owned {
                Owned::Alias4(interface, network) if ip == network.ip() => Some(*interface),
                Owned::Alias6(interface, network) if ip == network.ip() => Some(*interface),
                _ => None,
            })
        };
        for one in &mut ip4 {
            one.interface = added(one.address.address().into());
        }
        for one in &mut ip6 {
            one.interface = added(one.address.address().into());
        }
        let own_loopback = localhost.and_then(|address| Ip4::new(address, Some(32)).ok());
        ip4.extend(
            own_loopback.map(|address| SharedAddress { interface: added(address.address().into()), address }),
        );
        Ok(JailConf::new(config, release, ruleset, &ip4, &ip6))
    }

    /// `exec_created`: runs it with a shell, as jail(8) does.
    fn run_created(&self, config: &JailConfig, jid: Jid) -> Result<(), Error> {
        let Some(line) = config.commands.created_line() else { return Ok(()) };
        let hook = crate::iocage::hooks::Hook::Shell(line.to_owned());
        self.run_hook(&config.name, "exec_created", &hook, Some(jid))
    }

    fn record_made_up(&self, entry: &Entry, made_up: &MadeUp) -> Result<(), Error> {
        if made_up.is_empty() {
            return Ok(());
        }
        let values: Vec<_> = made_up
            .iter()
            .map(|(property, value)| (property.as_str(), Stored::Text(value.clone())))
            .collect();
        self.store.record(entry, &values, &self.files)
    }

    /// `last_started`, in UTC: `YYYY-MM-DD HH:MM:SS`.
    fn record_start(&self, entry: &Entry) -> Result<(), Error> {
        // A simulated start is not recorded for iocage.
        if self.kernel().simulated() {
            return Ok(());
        }
        let seconds = self.kernel().wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let text = timestamp(seconds);
        self.store.record(entry, &[("last_started", Stored::Text(text))], &self.files)
    }
}

/// The address that `assign_localhost` gives a jail.
fn loopback(config: &JailConfig, spec: &JailSpec) -> Option<Ipv4Addr> {
    let (Network::Shared(network), wiring::Network::Shared(shared)) = (&config.network, &spec.network) else {
        return None;
    };
    if network.localhost == Localhost::Off {
        return None;
    }
    shared.ip4.iter().map(|alias| alias.network.ip()).find(Ipv4Addr::is_loopback)
}

/// The parameters about addresses, in iocage's form.
fn ip_options(conf: &JailConf) -> String {
    let about_addresses = conf.iter().filter(|(name, _)| name.starts_with("ip4") || name.starts_with("ip6"));
    let words =
        about_addresses.flat_map(|(name, values)| values.iter().map(move |value| format!("{name}={value}")));
    words.collect::<Vec<_>>().join(" ")
}

/// Seconds since 1970 as a date and a time of day, in the proleptic Gregorian calendar. This function is the only
/// code for dates, so a crate for dates would not pay.
pub(in crate::iocage) fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Count years from March, so that a leap day is the last day of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn dates_around_leap_days() {
        assert_eq!(timestamp(0), "1970-01-01 00:00:00");
        assert_eq!(timestamp(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(timestamp(1_709_251_199), "2024-02-29 23:59:59");
        assert_eq!(timestamp(4_107_542_400), "2100-03-01 00:00:00");
    }
}
