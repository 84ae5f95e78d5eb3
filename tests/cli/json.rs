//! `--json`, for every command that prints: it parses, and has the shape that it is known by.

use std::fmt::Write as _;

use serde_json::Value;
use snapbox::{Data, assert_data_eq, file};

use crate::support::{Root, text};

/// The names and types in a value: those of all elements of a list as one.
fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(values) => {
            let mut shapes: Vec<String> = values.iter().map(shape).collect();
            shapes.sort();
            shapes.dedup();
            format!("[{}]", shapes.join(" | "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", shape(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Types these lines, in this order, on one host.
fn replay(expected: Data, lines: &[&str]) {
    let root = Root::new();
    std::fs::create_dir_all(root.path().join("templates/base/root")).unwrap();
    let config = r#"{"template":1,"release":"15.1-RELEASE","host_hostuuid":"base"}"#;
    std::fs::write(root.path().join("templates/base/config.json"), config).unwrap();
    std::fs::create_dir_all(root.path().join("releases/15.1-RELEASE/root")).unwrap();
    let mut seen = String::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let output = root.run(&words);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{line}: {err}");
        let value: Value =
            serde_json::from_str(&out).unwrap_or_else(|error| panic!("{line}: {error}: {out}"));
        writeln!(seen, "$ iocage {line} --json\n{}", shape(&value)).unwrap();
    }
    assert_data_eq!(seen, expected);
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
            "net list",
            "net attach ioc-web --bridge bridge0 -a 192.0.2.71/24",
            "net wait ioc-web",
            "net detach ioc-web --all",
            "restart -s db",
            "restart db",
            "stop web db",
            "stop --dry-run web",
        ],
    );
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
