//! On a pool, too, a dry run ends as the command does, changes nothing, and runs no `zfs` that changes something.

use super::Pool;
use crate::support::text;

/// The commands that prepare the case, and the command.
const CASES: [(&[&[&str]], &[&str]); 17] = [
    (&[], &["create", "-n", "web", "-r", "15.1-RELEASE"]),
    (&[], &["create", "-n", "shop", "-r", "15.1-RELEASE"]),
    (&[], &["create", "-n", "web", "-r", "9.9-RELEASE"]),
    (&[], &["clone", "shop", "-n", "web"]),
    (&[&["clone", "shop", "-n", "web"]], &["destroy", "-f", "shop"]),
    (&[], &["destroy", "-f", "shop"]),
    (&[], &["rename", "shop", "store"]),
    (&[], &["snapshot", "shop", "-n", "one"]),
    (&[&["snapshot", "shop", "-n", "one"]], &["snapshot", "shop", "-n", "one"]),
    (&[], &["snapshot", "nosuch", "-n", "one"]),
    (&[], &["snapshot", "shop", "-n", "a/b"]),
    (&[&["snapshot", "shop", "-n", "one"]], &["snapremove", "shop", "-n", "one"]),
    (&[], &["snapremove", "shop", "-n", "one"]),
    (&[&["snapshot", "shop", "-n", "one"]], &["rollback", "-f", "shop", "-n", "one"]),
    (&[&["snapshot", "shop", "-n", "one"], &["start", "shop"]], &["rollback", "-f", "shop", "-n", "one"]),
    (&[], &["rollback", "-f", "shop", "-n", "one"]),
    (&[&["start", "shop"]], &["snapshot", "shop", "-n", "one"]),
];

#[test]
fn a_dry_run_on_a_pool_ends_as_the_command() {
    for (prepare, command) in CASES {
        let pool = Pool::new();
        pool.create_shop();
        prepare.iter().for_each(|words| drop(pool.ok(words)));
        let (datasets, mounts) = (pool.state(), pool.mounts());
        let foreseen = pool.run(&[command, &["--dry-run"]].concat());
        assert_eq!((pool.state(), pool.mounts()), (datasets, mounts), "{command:?} --dry-run");
        let done = pool.run(command);
        assert_eq!(
            foreseen.status.code(),
            done.status.code(),
            "{command:?} after {prepare:?}:\n{}{}",
            text(&foreseen.stderr),
            text(&done.stderr)
        );
        pool.run(&["stop", "-f", "ALL"]);
    }
}
