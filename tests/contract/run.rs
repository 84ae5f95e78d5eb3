//! Running programs. The simulated kernel runs no programs. It only answers, as a real kernel does, whether a
//! program can be run.

use std::path::Path;

use jailwire::jail::JailParameters;
use jailwire::kernel::{Errno, Exit, Output, Program};

use crate::support::{Host, Refused, SOON};

fn program(jail: Option<i32>, arguments: &[&str]) -> Program {
    let environment = vec![("PATH".into(), "/bin:/usr/bin".into())];
    Program::on_host(arguments)
        .with_jail(jail)
        .with_environment(environment)
        .with_output(Output::Capture)
        .with_timeout(SOON)
}

#[test]
fn a_program_that_succeeds() {
    let host = Host::new();
    let jid = host.jail(JailParameters::new(&host.jail_name()).path(Path::new("/")));
    for jail in [None, Some(jid.get())] {
        let finished = host.kernel.run(&program(jail, &["true"])).unwrap();
        assert_eq!(finished.exit, Exit::Code(0));
        assert_eq!(finished.output, b"");
    }
}

#[test]
fn nobody_runs_where_nobody_is() {
    let host = Host::new();
    host.kernel.run(&program(Some(999_990), &["true"])).refused(Errno::EINVAL);
    host.kernel.run(&program(None, &[])).refused(Errno::EINVAL);
}

#[test]
fn a_routing_table_must_be_there() {
    let host = Host::new();
    let fib = u32::try_from(host.sysctl_int("net.fibs").unwrap()).unwrap();
    host.kernel.run(&program(None, &["true"]).with_fib(fib)).refused(Errno::EINVAL);
}

#[test]
fn nobody_but_root_runs_in_a_jail() {
    let host = Host::new();
    let jid = host.plain_jail();
    host.unprivileged(|kernel| {
        kernel.run(&program(Some(jid.get()), &["true"])).refused(Errno::EPERM);
    });
}
