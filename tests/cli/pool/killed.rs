//! The program killed with SIGKILL at every run of `zfs`: nothing is lost, and repeating the command finishes it.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use super::{Alike, Pool};
use crate::points::at_every_call;
use crate::support::text;

/// A pool with a template, a jail from the template, and a jail from the release.
fn with_jails() -> Pool {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "web", "-r", "15.1-RELEASE"]);
    fs::write(pool.jail("web").join("root/precious"), "data").unwrap();
    pool
}

/// Kills a command at each run of `zfs`, repeats it, and compares the result with that of a command that was not
/// killed.
fn killed_everywhere(arguments: &[&str], jail: &str) {
    let swept = |pool: &Pool| {
        // Any create removes unfinished jails.
        pool.ok(&["create", "-e", "-n", "zzz"]);
        pool.ok(&["destroy", "-f", "zzz"]);
        pool.state()
    };
    let whole = with_jails();
    whole.ok(arguments);
    let (expected, config) = (swept(&whole), fs::read_to_string(whole.jail(jail).join("config.json")).ok());
    drop(whole);
    let pools = Alike::new(with_jails);
    let killed = |pool: &Pool, call: usize| {
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
        // The command may have been killed when everything was done.
        let was_done = said.contains("already exists!") || said.contains("not found!");
        assert!(again.status.success() || was_done, "{arguments:?} killed at {call}, and again: {said}");
        assert_eq!(swept(pool), expected, "{arguments:?} killed at {call}, and again");
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
    };
    let points = at_every_call(1, |call| pools.with(|pool| killed(pool, call)));
    println!("{arguments:?}: killed at {points} runs of zfs");
    assert!(points >= 4, "{arguments:?}: only {points}");
}

/// A series of jails goes on with the first missing jail.
fn several_killed_everywhere(command: &[&str], names: [&str; 2]) {
    let arguments = [command, &["-n", "shop", "-c", "2"]].concat();
    let whole = with_jails();
    whole.ok(&arguments);
    let expected = whole.state();
    drop(whole);
    let pools = Alike::new(with_jails);
    let killed = |pool: &Pool, call: usize| {
        pool.kill_at(call);
        let output = pool.run(&arguments);
        pool.kill_no_more();
        if output.status.signal() != Some(9) {
            assert!(output.status.success(), "{call}: {}", text(&output.stderr));
            return false;
        }
        pool.ok(&arguments);
        let of_jails = |state: Vec<String>| -> Vec<String> {
            state.into_iter().filter(|line| !line.starts_with(".new")).collect()
        };
        assert_eq!(
            of_jails(pool.state()),
            of_jails(expected.clone()),
            "{arguments:?} killed at {call}, and again"
        );
        for name in names {
            assert!(pool.jail(name).join("config.json").exists(), "{name}, killed at {call}");
        }
        assert!(!pool.root().join(".making-several").exists(), "killed at {call}");
        // A command that has ended is not continued.
        assert!(pool.fails(&arguments).contains("already exists!"), "killed at {call}");
        true
    };
    let points = at_every_call(4, |call| pools.with(|pool| killed(pool, call)));
    println!("{arguments:?}: killed at {points} runs of zfs, at every fourth one");
    assert!(points >= 4, "{arguments:?}: only {points}");
}

#[test]
fn create_of_several() {
    several_killed_everywhere(&["create", "-r", "15.1-RELEASE"], ["shop_1", "shop_2"]);
}

#[test]
fn clone_of_several() {
    several_killed_everywhere(&["clone", "web"], ["shop_1", "shop_2"]);
}

#[test]
fn create_of_a_template() {
    killed_everywhere(&["create", "-n", "shop", "-r", "15.1-RELEASE", "template=1"], "shop");
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
fn rename_of_a_template() {
    let with_template = || {
        let pool = Pool::new();
        pool.ok(&["create", "-n", "tpl", "-r", "15.1-RELEASE", "template=1"]);
        pool.ok(&["create", "-n", "other", "-r", "15.1-RELEASE", "template=1", "depends=tpl"]);
        pool
    };
    let read_only = |pool: &Pool| {
        ["new", "other"].map(|name| {
            pool.zfs(&["get", "-H", "-o", "value", "readonly", &pool.name(&format!("templates/{name}"))])
        })
    };
    let rename = ["rename", "tpl", "new"];
    let whole = with_template();
    whole.ok(&rename);
    let expected = whole.state();
    drop(whole);
    let pools = Alike::new(with_template);
    let killed = |pool: &Pool, call: usize| {
        pool.kill_at(call);
        let output = pool.run(&rename);
        pool.kill_no_more();
        if output.status.signal() != Some(9) {
            assert!(output.status.success(), "{call}: {}", text(&output.stderr));
            return false;
        }
        let again = pool.run(&rename);
        let said = text(&again.stderr);
        assert!(again.status.success() || said.contains("not found!"), "killed at {call}, and again: {said}");
        assert_eq!(pool.state(), expected, "killed at {call}, and again");
        assert_eq!(read_only(pool), ["on\n", "on\n"], "killed at {call}, and again");
        assert_eq!(pool.ok(&["get", "depends", "other"]), "new\n", "killed at {call}, and again");
        true
    };
    let points = at_every_call(1, |call| pools.with(|pool| killed(pool, call)));
    println!("{rename:?}: killed at {points} runs of zfs");
    assert!(points >= 4, "{points}");
}

#[test]
fn destroy() {
    killed_everywhere(&["destroy", "-f", "web"], "web");
}
