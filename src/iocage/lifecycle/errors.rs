//! Errors of starts and stops, in terms that users of iocage know.

use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::iocage::config::{JailConfig, Level, Problem};
use crate::iocage::name::JailName;
use crate::iocage::paths;
use crate::kernel::Mounted;
use crate::types::Jid;
use crate::wiring::{Owed, Owned};

/// An error of one jail: it prints as `JAIL: ERROR`.
pub(super) fn of(name: &JailName) -> impl Fn(Error) -> Error + use<> {
    let name = name.clone();
    move |cause| Error::at(&name, cause)
}

/// The jail cannot be started on this host, or not with its present configuration. `why` also says what to do.
pub(super) fn unfit(jail: &JailName, why: impl std::fmt::Display) -> Error {
    Error::said(ErrorKind::Unsupported, jail, format!("{jail}: {why}"))
}

/// The configuration needs something that the host does not have.
pub(super) fn misfit(config: &JailConfig, problems: Vec<Problem>) -> Error {
    let (jail, path) = (&config.name, config.directory.join("config.json"));
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    let message = format!("{jail} cannot be started as {} has it:{lines}", path.display());
    Error::said(ErrorKind::Problems, jail, message).detailed(problems)
}

/// The host lacks what a property asks for: `missing` says what.
pub(super) fn lacking(config: &JailConfig, missing: &Error) -> Error {
    misfit(config, vec![config.placed(lack(missing))])
}

/// The same as a problem of the configuration.
pub(super) fn lack(missing: &Error) -> Problem {
    Problem { level: Level::Error, about: missing.subject().to_owned(), message: missing.to_string() }
}

pub(super) fn template(jail: &JailName) -> Error {
    Error::said(
        ErrorKind::Unsupported,
        jail,
        format!("{jail} is a template: clone it, or set template=0, before you start it"),
    )
    .advising("clone it, or set template=0, before you start it")
}

pub(super) fn running(jail: &JailName) -> Error {
    Error::said(ErrorKind::Running, jail, format!("{jail} is already running!"))
}

/// A jail with this name runs that neither this library nor iocage has started.
pub(super) fn foreign(jail: &JailName, jid: Jid) -> Error {
    let name = jail.kernel_name();
    let advice = format!("`jail -r {name}` removes it");
    let message = format!(
        "{jail} belongs to another program: a jail named {name} runs with jid {jid}, and neither jailwire nor iocage started it. It is left alone; {advice}"
    );
    Error::said(ErrorKind::Foreign, jail, message).advising(advice)
}

/// A command of the jail failed: how it ended, and what it wrote.
pub(super) fn command(jail: &JailName, property: &'static str, how: &str, text: &str) -> Error {
    let lines: String = text.trim_end().lines().map(|line| format!("\n  {line}")).collect();
    Error::said(ErrorKind::Program, jail, format!("{jail}: {property} {how}{lines}"))
}

/// Something could not be removed, and stays in the journal.
/// `mounts` says what else shows what could not be unmounted.
pub(super) fn left(jail: &JailName, owed: Owed, mounts: &[Mounted]) -> Error {
    let line = |(owned, why): &(Owned, Error)| {
        let holder = holder_of(owned, mounts).unwrap_or_default();
        format!("\n  {owned}: {why}{holder}")
    };
    let lines: String = owed.failures.iter().map(line).collect();
    let message = format!("{jail} left something behind, and a later stop will try again:{lines}");
    Error::said(ErrorKind::Owed, jail, message).advising("stop the jail again").detailed(owed)
}

/// The jail that shows what is mounted, by nullfs, and so keeps it mounted.
fn holder_of(owned: &Owned, mounts: &[Mounted]) -> Option<String> {
    let Owned::Mount { on, .. } = owned else { return None };
    let on = paths::real(on);
    let shows = |mounted: &&Mounted| {
        mounted.fstype == "nullfs"
            && !paths::real(&mounted.on).starts_with(&on)
            && paths::real(Path::new(&mounted.from)).starts_with(&on)
    };
    let shown = mounts.iter().find(shows)?;
    let place = shown.on.display();
    Some(match paths::placed(&shown.on) {
        Some(jail) => format!("; {0} shows it on {place}: stop {0} first", jail.name),
        None => format!("; it is shown on {place}: umount {place} first"),
    })
}
