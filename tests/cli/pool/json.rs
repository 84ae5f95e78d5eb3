//! `--json` for the commands that need ZFS.

use std::collections::BTreeSet;

use super::Pool;
use crate::schema::Schema;
use crate::support::text;

/// The commands that this test tries.
pub const COMMANDS: [&str; 6] = ["activate", "df", "rollback", "snaplist", "snapremove", "snapshot"];

#[test]
fn commands_of_a_pool_have_their_shapes() {
    let (pool, schema) = (Pool::new(), Schema::documented());
    pool.create_shop();
    let mut answered = BTreeSet::new();
    for (words, status) in [
        (&["snapshot", "shop", "-n", "one"][..], 0),
        (&["snapshot", "shop", "-n", "one"], 1),
        (&["snapshot", "--dry-run", "shop", "-n", "two"], 0),
        (&["snaplist", "shop"], 0),
        (&["df"], 0),
        (&["get", "-p"], 0),
        (&["rollback", "--dry-run", "-f", "shop", "-n", "one"], 0),
        (&["rollback", "-f", "shop", "-n", "one"], 0),
        (&["snapremove", "--dry-run", "shop", "-n", "one"], 0),
        (&["snapremove", "shop", "-n", "one"], 0),
        (&["activate", "tank"], 0),
    ] {
        if words[0] == "activate" && pool.is_real() {
            continue;
        }
        let output = pool.run(&[words, &["--json"]].concat());
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{words:?}: {out}{}", text(&output.stderr));
        let value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{words:?}: {error}: {out}"));
        schema.check(words[0], &value).unwrap_or_else(|error| panic!("{words:?}: {error}: {out}"));
        answered.insert(words[0]);
    }
    answered.remove("get");
    assert!(answered.into_iter().eq(COMMANDS) || pool.is_real());
}
