//! Words of iocage's command line that this program does not have, each with a replacement.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options of iocage's commands, with their replacements. An empty command means the program itself.
const OPTIONS: [(&str, &[&str], &str); 16] = [
    ("", &["-D", "--debug"], "leave it out, because errors name the call and its reason anyway"),
    ("", &["-f", "--force"], "leave it out, because no dataset is renamed"),
    ("list", &["-B"], "the table of list -l says which jails are basejails"),
    ("list", &["-P", "--plugins"], "plugins stay with iocage; run the list of iocage itself"),
    ("list", &["-R", "--remote"], "fetching stays with iocage; run the list of iocage itself"),
    ("list", &["-O", "--official"], "plugins stay with iocage; run the list of iocage itself"),
    ("list", &["--http"], "fetching stays with iocage; run the list of iocage itself"),
    ("get", &["-P", "--plugin"], "plugins stay with iocage; run the get of iocage itself"),
    ("get", &["-f", "--force"], "leave it out, because get asks the kernel, and starts nothing"),
    ("set", &["-P", "--plugin"], "plugins stay with iocage; run the set of iocage itself"),
    (
        "create",
        &["-S", "--proxy"],
        "fetching stays with iocage; run iocage's own fetch first, and then create",
    ),
    ("destroy", &["-r", "--release"], "releases stay with iocage; run the destroy of iocage itself"),
    ("destroy", &["-R", "--recursive"], "destroy the clones first, by their names (list -l shows them)"),
    ("destroy", &["-d", "--download"], "fetching stays with iocage; run the destroy of iocage itself"),
    ("start", &["-f", "--force"], "leave it out, because nothing is asked"),
    ("restart", &["-f", "--force"], "use stop -f, and then start"),
];

/// Commands of legacy iocage, with their replacements.
const COMMANDS: [(&str, &str); 12] = [
    ("rcboot", "use start --rc"),
    ("rcshutdown", "use stop --rc"),
    ("reboot", "use restart"),
    ("defaults", "use get all default"),
    ("runtime", "use show JAIL, and jls -n -j ioc-JAIL for its parameters"),
    ("inuse", "use rctl -u jail:ioc-JAIL"),
    ("limits", "use rctl -u jail:ioc-JAIL"),
    ("cap", "use rctl -a jail:ioc-JAIL:RESOURCE:deny=AMOUNT"),
    ("uncap", "use rctl -r jail:ioc-JAIL"),
    ("reset", "take the property out of config.json, and it has its default again"),
    ("promote", "use zfs promote on the jail's datasets"),
    ("record", "use clone, or snapshot and zfs diff"),
];

/// The message about a word that clap does not know, if the word is one of iocage's: one line, with a replacement.
pub fn message(error: &clap::Error, words: &[String]) -> Option<String> {
    let told = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let command = told(ContextKind::InvalidSubcommand)?;
            let (_, instead) = COMMANDS.iter().find(|(name, _)| *name == command)?;
            Some(format!("there is no command {command}: {instead}"))
        }
        ErrorKind::UnknownArgument => {
            let option = told(ContextKind::InvalidArg)?;
            // Options of the program itself stand before the command. A short option can stand in a group.
            let is_it = |word: &String| *word == option || word.starts_with(&option);
            let place = words.iter().position(is_it).unwrap_or(words.len());
            let is_command = |word: &&String| OPTIONS.iter().any(|(command, ..)| command == *word);
            let command = words[..place].iter().skip(1).find(is_command).map_or("", String::as_str);
            let is_it = |(name, options, _): &&(&str, &[&str], &str)| {
                *name == command && options.contains(&option.as_str())
            };
            let (_, _, instead) = OPTIONS.iter().find(is_it)?;
            let command = if command.is_empty() { "jailwire" } else { command };
            Some(format!("{command} has no option {option}: {instead}"))
        }
        _ => None,
    }
}
