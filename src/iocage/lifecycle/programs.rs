//! The commands of the properties `exec_*`. None of them is for the network.

use std::ffi::OsString;
use std::path::Path;

use super::{Error, Host};
use crate::iocage::config::JailConfig;
use crate::iocage::hooks::Hook;
use crate::iocage::name::JailName;
use crate::kernel::{Exit, Finished, Output, Program};
use crate::types::Jid;

/// What a command finds in its environment where nothing else is said.
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

    /// Runs a command in the jail. What it writes goes to the end of `log`.
    pub(super) fn run_inside(
        &self,
        config: &JailConfig,
        property: &'static str,
        words: &[String],
        jid: Jid,
        log: &Path,
    ) -> Result<(), Error> {
        let program = Program {
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
            output: Output::Append(log.to_owned()),
            timeout: config.commands.timeout,
        };
        self.run(&config.name, property, &program)
    }

    fn run(&self, name: &JailName, property: &'static str, program: &Program) -> Result<(), Error> {
        let failed = |how: String, text: &[u8]| Error::Command {
            jail: name.clone(),
            property,
            how,
            text: String::from_utf8_lossy(text).into_owned(),
        };
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
