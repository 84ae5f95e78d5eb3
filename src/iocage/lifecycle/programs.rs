//! The commands of the properties `exec_*`. The network needs no command.

use std::ffi::OsString;
use std::path::Path;

use super::{Host, errors};
use crate::error::Error;
use crate::iocage::config::JailConfig;
use crate::iocage::hooks::Hook;
use crate::iocage::name::JailName;
use crate::iocage::trust::Trust;
use crate::kernel::{Exit, Finished, Output, Program};
use crate::types::Jid;

/// The PATH of commands without another PATH.
pub(super) const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";

impl Host<'_> {
    /// Runs a command on the host.
    pub(super) fn run_hook(
        &self,
        name: &JailName,
        property: &'static str,
        hook: &Hook,
        jid: Option<Jid>,
    ) -> Result<(), Error> {
        let Some(arguments) = hook.arguments() else { return Ok(()) };
        Trust::of(&**self.kernel(), self.store).check_hook(hook).map_err(errors::of(name))?;
        let mut environment =
            vec![("PATH".into(), PATH.into()), ("IOCAGE_NAME".into(), name.kernel_name().into())];
        if let Some(jid) = jid {
            environment.push(("JID".into(), jid.to_string().into()));
            environment.push(("JNAME".into(), name.kernel_name().into()));
        }
        let program = Program {
            jail: None,
            fib: 0,
            arguments: arguments.into_iter().map(OsString::from).collect(),
            environment,
            user: None,
            host_user: false,
            stdin: false,
            terminal: false,
            output: Output::Capture,
            timeout: None,
        };
        self.run(name, property, &program)
    }

    /// Runs a command in the jail. Its output is appended to `log`. A missing directory of `log` is made.
    pub(super) fn run_inside(
        &self,
        config: &JailConfig,
        property: &'static str,
        words: &[String],
        jid: Jid,
        log: &Path,
    ) -> Result<(), Error> {
        if let Some(directory) = log.parent() {
            let made = self.files.create_dir_all(directory, 0o755);
            made.map_err(errors::of(&config.name))?;
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let program = Program {
            output: Output::Append(log.to_owned()),
            timeout: config.commands.timeout,
            ..self.inside(config, jid, &words)
        };
        self.run(&config.name, property, &program)
    }

    /// Ends the processes of a jail as jail(8) does: sends SIGTERM, and waits up to `stop_timeout`. The removal of
    /// the jail kills the remaining processes.
    pub(super) fn end_processes(&self, config: &JailConfig, jid: Jid) {
        let Some(timeout) = config.commands.stop_timeout else { return };
        // Ignore an error: the removal of the jail kills the processes.
        let _ = self.kernel().end_processes(jid.get(), timeout);
    }

    /// A command in a jail whose output is thrown away.
    pub(super) fn inside(&self, config: &JailConfig, jid: Jid, words: &[&str]) -> Program {
        Program {
            jail: Some(jid.get()),
            fib: config.fib.get(),
            arguments: words.iter().map(OsString::from).collect(),
            environment: vec![
                ("PATH".into(), PATH.into()),
                ("HOME".into(), "/".into()),
                ("PWD".into(), "/".into()),
                ("LANG".into(), "C.UTF-8".into()),
            ],
            user: None,
            host_user: false,
            stdin: false,
            terminal: false,
            output: Output::Capture,
            timeout: None,
        }
    }

    fn run(&self, name: &JailName, property: &'static str, program: &Program) -> Result<(), Error> {
        let failed =
            |how: String, text: &[u8]| errors::command(name, property, &how, &String::from_utf8_lossy(text));
        match self.kernel().run(program) {
            Ok(Finished { exit: Exit::Code(0), .. }) => Ok(()),
            Ok(Finished { exit: Exit::Code(code), output }) => {
                Err(failed(format!("exited with {code}"), &output))
            }
            Ok(Finished { exit: Exit::Signal(signal), output }) => {
                Err(failed(format!("was ended by signal {signal}"), &output))
            }
            Ok(Finished { exit: Exit::TimedOut, output }) => {
                Err(failed("took longer than exec_timeout".into(), &output))
            }
            Err(failure) => Err(failed(format!("could not be run: {failure}"), &[])),
        }
    }
}
