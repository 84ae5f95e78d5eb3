//! The program killed with SIGKILL at every run of `zfs`: nothing is lost, and the same command again finishes.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use super::Pool;
use crate::points::at_every_call;
use crate::support::text;

/// A pool with a template, a jail from it and one from the release.
fn with_jails() -> Pool {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "web", "-r", "15.1-RELEASE"]);
    fs::write(pool.jail("web").join("root/precious"), "data").unwrap();
    pool
}

/// Kills a command at each run of `zfs`, gives it again, and compares with what it leaves where it is not killed.
fn killed_everywhere(arguments: &[&str], jail: &str) {
    let swept = |pool: &Pool| {
        // Any create takes away what was put together and came to nothing.
        pool.ok(&["create", "-e", "-n", "zzz"]);
        pool.ok(&["destroy", "-f", "zzz"]);
        pool.state()
    };
    let whole = with_jails();
    whole.ok(arguments);
    let (expected, config) = (swept(&whole), fs::read_to_string(whole.jail(jail).join("config.json")).ok());
    drop(whole);
    let points = at_every_call(1, |call| {
        let pool = with_jails();
        pool.kill_at(call);
        let output = pool.run(arguments);
        pool.kill_no_more();
        if output.status.signal() != Some(9) {
            assert!(output.status.success(), "{call}: {}", text(&output.stderr));
            return false;
        }
        let listed = pool.run(&["list"]);
        assert!(listed.status.success(), "{call}: {}", text(&listed.stderr));
        let again = pool.run(arguments);
        let said = text(&again.stderr);
        // It may have been killed when all was done.
        let was_done = said.contains("already exists!") || said.contains("not found!");
        assert!(again.status.success() || was_done, "{arguments:?} killed at {call}, and again: {said}");
        assert_eq!(swept(&pool), expected, "{arguments:?} killed at {call}, and again");
        assert_eq!(fs::read_to_string(pool.jail(jail).join("config.json")).ok(), config, "killed at {call}");
        for name in ["web", jail] {
            if arguments[0] != "destroy"
                && pool.jail(name).exists()
                && (name == "web" || arguments[0] != "create")
            {
                let precious = pool.jail(name).join("root/precious");
                assert_eq!(fs::read_to_string(precious).unwrap(), "data", "killed at {call}");
            }
        }
        true
    });
    println!("{arguments:?}: killed at {points} runs of zfs");
    assert!(points >= 4, "{arguments:?}: only {points}");
}

#[test]
fn create() {
    killed_everywhere(&["create", "-n", "shop", "-r", "15.1-RELEASE"], "shop");
}

#[test]
fn clone() {
    killed_everywhere(&["clone", "web", "-n", "shop"], "shop");
}

#[test]
fn rename() {
    killed_everywhere(&["rename", "web", "shop"], "shop");
}

#[test]
fn destroy() {
    killed_everywhere(&["destroy", "-f", "web"], "web");
}
