//! Reports what unfinished starts, stops and other commands have left behind.

use std::path::Path;

use super::Scene;
use super::finding::{Finding, Fix, Kind, Level, list};
use super::remedies::each;
use crate::iocage::lifecycle::{holder, is_past, is_zfs_own, orphans};
use crate::iocage::manage;
use crate::iocage::name::JailName;
use crate::iocage::trust::quoted;
use crate::jail::{self, JailInfo, mount};
use crate::wiring::{HostEnd, Journal, Owned, PendingMove, StateDirectory};

impl Scene<'_> {
    pub(super) fn leftovers(&self, found: &mut Vec<Finding>) {
        self.epairs(found);
        self.journals(found);
        self.orphans(found);
        self.attachings(found);
        self.moved_addresses(found);
        self.dying(found);
        for path in manage::leftovers(self.store).unwrap_or_default() {
            found.push(
                Finding::new(Level::Warning, Kind::NoJail, format!("{} is no jail", path.display()))
                    .because(
                        "it takes up room: a create or a destroy did not finish, or is running right now",
                    )
                    // A base system has files whose flags forbid their removal.
                    .mend(format!("chflags -R 0 {0} && rm -rf {0}", quoted(&path)))
                    .fix(Fix::Remove(path)),
            );
        }
    }

    /// Reports host's ends of epairs whose jail does not exist any more.
    pub(super) fn epairs(&self, found: &mut Vec<Finding>) {
        for HostEnd { name: end, jail, .. } in self.ends.values() {
            // iocage writes its own name for a jail into the description. `attach` writes the kernel's name.
            let kernel_names = [format!("ioc-{jail}"), jail.clone()];
            let subject =
                self.jails.iter().find(|subject| kernel_names.contains(&subject.name().kernel_name()));
            let jid = end.as_str().rsplit_once('.').and_then(|(_, jid)| jid.parse::<i32>().ok());
            let mut running = kernel_names.iter().filter_map(|name| self.running.get(name));
            if running.any(|running| jid.is_none_or(|jid| jid == running.get())) {
                continue;
            }
            let members = self.members.iter().filter(|(_, members)| members.contains(end));
            let bridges: Vec<_> = members.map(|(bridge, _)| bridge).collect();
            let place = if bridges.is_empty() {
                String::new()
            } else {
                format!(" and is still on {}", list(bridges))
            };
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::LeakedEpair,
                    format!("{end} is an epair of {jail}, which does not run with that jid{place}"),
                )
                .because(
                    "it keeps its MAC address on the bridge, and the next start of the jail from its name",
                )
                .mend(format!("ifconfig {end} destroy"))
                .of(subject.map(|subject| subject.name()))
                .fix(Fix::Destroy(*end)),
            );
        }
    }

    /// Reports journals of jails that are down: something of these jails still exists.
    fn journals(&self, found: &mut Vec<Finding>) {
        let state = StateDirectory::look(&**self.vnet.kernel());
        let Some(boot) = self.boot() else { return };
        for path in state.journals().unwrap_or_default() {
            let Some(subject) =
                self.jails.iter().find(|subject| state.journal(&subject.name().kernel_name()) == path)
            else {
                let jail = state.jail_of(&path).unwrap_or_default();
                let journal = Journal::open(&path, &boot);
                let is_past =
                    journal.is_ok_and(|journal| is_past(self.vnet, self.store, &jail, journal.owned()));
                if !self.running.contains_key(&jail) && !is_past {
                    self.orphan(&path, found);
                }
                continue;
            };
            let Ok(journal) = Journal::open(&path, &boot) else { continue };
            let jail = subject.name().kernel_name();
            let owned = journal.owned().iter().filter(|owned| !is_zfs_own(self.store, &jail, owned));
            let owned: Vec<Owned> = owned.cloned().collect();
            if subject.jid.is_none() && !is_past(self.vnet, self.store, &jail, &owned) {
                let name: &JailName = subject.name();
                found.push(
                    Finding::new(
                        Level::Warning,
                        Kind::LeftBehind,
                        format!("{name} is down, and left behind: {}", list(&owned)),
                    )
                    .because("a start or a stop did not finish")
                    .mend(format!("iocage stop {name}"))
                    .of([name])
                    .fix(Fix::ClearUp(subject.entry.clone())),
                );
            }
        }
    }

    /// Returns `kern.boot_id` in the form of journals.
    fn boot(&self) -> Option<String> {
        let boot = self.vnet.sysctl("kern.boot_id").ok()?;
        Some(boot.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Reports a move of the host's addresses that was neither confirmed nor undone.
    fn moved_addresses(&self, found: &mut Vec<Finding>) {
        let state = StateDirectory::look(&**self.vnet.kernel());
        let pending = self.boot().map(|boot| PendingMove::left_alone(&state, &boot));
        let Some(Ok(Some(PendingMove { plan, done, .. }))) = pending else { return };
        found.push(match done {
            true => Finding::new(
                Level::Note,
                Kind::MovePending,
                format!("the move of {plan} waits to be confirmed"),
            )
            .because("it is undone when its time is over")
            .mend("jailwire host confirm")
            .mend("or jailwire host undo"),
            false => Finding::new(
                Level::Error,
                Kind::MoveInterrupted,
                format!("the move of {plan} was interrupted"),
            )
            .because("the process that moved the addresses was killed: an interface lacks some of them")
            .mend("jailwire host undo"),
        });
    }

    /// Reports journals of unfinished attachments to jails of any manager.
    fn attachings(&self, found: &mut Vec<Finding>) {
        let state = StateDirectory::look(&**self.vnet.kernel());
        for path in state.attachings().unwrap_or_default() {
            let Some(jail) = state.jail_of(&path) else { continue };
            if state.is_locked(&jail) {
                continue;
            }
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::HalfAttached,
                    format!("an epair was attached to jail {jail}, in part"),
                )
                .because("the process that attached it was killed")
                .mend("jailwire gc"),
            );
        }
    }

    /// Reports running jails without a directory.
    fn orphans(&self, found: &mut Vec<Finding>) {
        for JailInfo { name, path, .. } in orphans(&**self.vnet.kernel(), self.store).unwrap_or_default() {
            let jail = name.strip_prefix("ioc-").unwrap_or(&name).to_owned();
            found.push(
                Finding::new(
                    Level::Warning,
                    Kind::NoDirectory,
                    format!("{name} runs, and its directory is not there: {}", path.display()),
                )
                .because("it was renamed or moved by other means, or its dataset is not mounted: `list` does not show the jail")
                .mend(format!("iocage stop {jail}"))
                .mend(format!("or put the directory back, by zfs mount or mv: {}", quoted(&path))),
            );
        }
    }

    /// Reports removed jails that linger.
    fn dying(&self, found: &mut Vec<Finding>) {
        let kernel = &**self.vnet.kernel();
        for jail in jail::list(kernel, true).unwrap_or_default().into_iter().filter(|jail| jail.dying) {
            let subject = self.jails.iter().find(|subject| subject.name().kernel_name() == jail.name);
            let mounts = mount::beneath(kernel, &jail.path).unwrap_or_default();
            let inside: Vec<_> = mounts.into_iter().filter(|mounted| mounted.on != jail.path).collect();
            let mend = match inside.is_empty() {
                true => vec!["wait: the jail goes when what holds it has ended".to_owned()],
                // Unmount the newest mount first.
                false => each(inside.iter().rev().map(|mounted| format!("umount {}", quoted(&mounted.on)))),
            };
            found.push(
                Finding::new(
                    Level::Note,
                    Kind::Dying, format!("jail {} ({}) is dying", jail.jid, jail.name))
                    .because(format!(
                        "it was removed, and is held by {}; nothing waits for it, and a jail of that name can be started",
                        holder(&inside)
                    ))
                    .mend_by(mend)
                    .of(subject.map(|subject| subject.name())),
            );
        }
    }

    fn orphan(&self, path: &Path, found: &mut Vec<Finding>) {
        found.push(
            Finding::new(
                Level::Note,
                Kind::OrphanedJournal,
                format!("{} belongs to a jail that does not exist", path.display()),
            )
            .because("the jail was destroyed or renamed by another program while it had interfaces or mounts")
            .mend("jailwire gc"),
        );
    }
}
