//! `--json`, for every command with output: the output is valid JSON, and has the documented structure.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;
use snapbox::{Data, assert_data_eq, file};

use crate::schema::Schema;
use crate::support::{Root, text};

/// The names and types in a value. All elements of a list are merged. An object that would make a long line has a line for
/// each field. `depth` is the number of objects around the value.
fn shape(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(values) => {
            let mut shapes: Vec<String> = values.iter().map(|value| shape(value, depth)).collect();
            shapes.sort();
            shapes.dedup();
            format!("[{}]", shapes.join(" | "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", shape(value, depth + 1))).collect();
            let line = format!("{{{}}}", fields.join(", "));
            if line.len() <= 100 && !line.contains('\n') {
                return line;
            }
            let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
            let lines: String = fields.iter().map(|field| format!("{inner}{field},\n")).collect();
            format!("{{\n{lines}{outer}}}")
        }
    }
}

/// The command in a line. For `net` and `host` it includes the subcommand.
fn command(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let count = if ["net", "host"].contains(&words[0]) { 2 } else { 1 };
    words[..count].join(" ")
}

/// Runs these lines, in this order, on one host.
fn replay(expected: Data, lines: &[&str]) {
    let root = Root::new();
    std::fs::create_dir_all(root.path().join("templates/base/root")).unwrap();
    let config = r#"{"template":1,"release":"15.1-RELEASE","host_hostuuid":"base"}"#;
    std::fs::write(root.path().join("templates/base/config.json"), config).unwrap();
    std::fs::create_dir_all(root.path().join("releases/15.1-RELEASE/root")).unwrap();
    let (schema, mut answered) = (Schema::documented(), BTreeSet::new());
    let mut seen = String::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let output = root.run(&words);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{line}: {err}");
        let value: Value =
            serde_json::from_str(&out).unwrap_or_else(|error| panic!("{line}: {error}: {out}"));
        let command = command(line);
        schema.check(&command, &value).unwrap_or_else(|error| panic!("{line}: {error}\n{out}"));
        look_alikes(&value, &schema, line);
        answered.insert(command);
        writeln!(seen, "$ iocage {line} --json\n{}", shape(&value, 0)).unwrap();
    }
    assert_data_eq!(seen, expected);
    answered.extend(crate::pool::json::COMMANDS.map(str::to_owned));
    let described: BTreeSet<String> = schema.commands().into_iter().collect();
    assert_eq!(
        answered, described,
        "commands that were tried, and commands that docs/json.schema.json describes"
    );
}

/// The commands that pass on the output of a program in a jail.
const NO_JSON: [&str; 2] = ["console", "exec"];

#[test]
fn every_command_that_there_is_has_a_schema() {
    let described = Schema::documented().commands();
    let mut there = crate::generated::commands();
    there.retain(|command| !NO_JSON.contains(&command.as_str()));
    there.sort();
    let mut known = described.clone();
    known.sort();
    assert_eq!(there, known, "the program's commands, and those that docs/json.schema.json describes");
}

/// Every object with the members of an address, a route or an interface must have that structure.
fn look_alikes(value: &Value, schema: &Schema, at: &str) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| look_alikes(item, schema, at)),
        Value::Object(members) => {
            let holds = |names: &[&str]| names.iter().all(|name| members.contains_key(*name));
            for (shape, names) in
                [("address", &["address"][..]), ("route", &["destination"]), ("interface", &["mtu"])]
            {
                if holds(names) {
                    schema.check_shape(shape, value).unwrap_or_else(|error| panic!("{at}: {error}"));
                }
            }
            for (name, shape) in [("addresses", "address"), ("routes", "route"), ("interfaces", "interface")]
            {
                for one in members.get(name).into_iter().flat_map(|all| all.as_array().into_iter().flatten())
                {
                    schema.check_shape(shape, one).unwrap_or_else(|error| panic!("{at}: {name}: {error}"));
                }
            }
            members.values().for_each(|member| look_alikes(member, schema, at));
        }
        _ => {}
    }
}

/// Each shared structure is made in one place of the program.
#[test]
fn the_shapes_are_made_in_one_place() {
    fn walk(directory: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                for key in ["\"prefix_length\"", "\"destination\"", "\"mtu\""] {
                    found.extend(text.matches(key).map(|key| format!("{key} in {}", path.display())));
                }
            }
        }
    }
    let mut found = Vec::new();
    walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/jailwire/commands"), &mut found);
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn every_command_that_prints_has_its_shape() {
    replay(
        file!["transcripts/json.shapes": Text].raw(),
        &[
            "create -e -n new boot=on ip4_addr=vnet0|192.0.2.70/24",
            "clone new -n other",
            "set notes=mine boot=off new",
            "set boot=off default",
            "get ip4_addr new",
            "get all new",
            "get -r ip4_addr",
            "get -s new",
            "get -j new",
            "get vnet default",
            "rename other another",
            "destroy -f another",
            "fstab -l web",
            "fstab -r web 0",
            "fstab -r --dry-run web 0",
            "start --dry-run web",
            "start web",
            "list",
            "list -l",
            "list -q",
            "list -t",
            "list -r",
            "show",
            "show web",
            "map",
            "doctor",
            "doctor --fix --dry-run",
            "gc --dry-run",
            "gc",
            "net attach ioc-web --bridge bridge7 --uplink em0",
            "host move-address --dry-run em0 bridge7",
            "host move-address em0 bridge7 --confirm-within 1h",
            "host confirm",
            "host move-address bridge7 em0 --confirm-within 1h",
            "host undo",
            "host describe /dev/null",
            "host move-address bridge7 em0 --confirmed",
            "net detach ioc-web --all",
            "net list",
            "net attach ioc-web --dry-run --bridge bridge0 -a 192.0.2.71/24",
            "net attach ioc-web --bridge bridge0 -a 192.0.2.71/24 -a 2001:db8::71 --route 10.0.0.0/8=192.0.2.1",
            "net list ioc-web",
            "map",
            "net wait ioc-web",
            "net detach --dry-run ioc-web --all",
            "net detach ioc-web --all",
            "net lend --force --dry-run em0 web",
            "net lend --force em0 web --name wan0 -a 198.51.100.2/24",
            "net reclaim --dry-run wan0 web",
            "net reclaim wan0 web --name em0",
            "start proxy",
            "show proxy",
            "map",
            "set --dry-run boot=on db",
            "restart -s db",
            "restart db",
            "stop --dry-run web",
            "stop web db",
            "stop --dry-run db",
        ],
    );
}

/// Each of these commands fails before it has a result, and prints JSON all the same.
#[test]
fn a_command_that_fails_early_answers_with_an_error() {
    let (root, schema) = (Root::new(), Schema::documented());
    for (line, status) in [
        ("start nosuch", 1),
        ("stop nosuch web", 1),
        ("get nosuch web", 1),
        ("get all nosuch", 1),
        ("set nosuch=1 web", 1),
        ("show nosuch", 1),
        ("destroy -f nosuch", 1),
        ("rename nosuch other", 1),
        ("clone nosuch -n other", 1),
        ("net list nosuch", 1),
        ("net attach nosuch", 1),
        ("net lend nosuch web", 1),
        ("list --sort nope", 2),
        ("nosuch", 2),
        ("start --nosuch", 2),
        ("net attach", 2),
    ] {
        let output = root.run(&line.split(' ').chain(["--json"]).collect::<Vec<_>>());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{line}: {err}");
        let value: Value =
            serde_json::from_str(&out).unwrap_or_else(|error| panic!("{line}: {error}: {out}"));
        schema.check_error(&value).unwrap_or_else(|error| panic!("{line}: {error}"));
        let told = value["error"].as_str().unwrap();
        assert!(!told.is_empty() && err.contains(told), "{line}: {told}: {err}");
    }
    // Help is neither a result nor an error.
    assert!(!root.ok(&["--json", "start", "--help"]).contains("\"error\""));
}

#[test]
fn what_fails_is_json_too() {
    let root = Root::new();
    let output = root.run(&["start", "db", "--json", "nosuch"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("'nosuch' not found!"), "{}", text(&output.stderr));
    root.ok(&["set", "vnet=off", "db"]);
    let output = root.run(&["start", "db", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(value[0]["result"], "failed");
    assert!(value[0]["error"].as_str().is_some_and(|error| error.contains("vnet0")), "{value}");
}
