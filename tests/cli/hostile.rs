//! A malicious config.json: there must be one clear error, no panic, and no change.

use std::fs;

use crate::support::{Root, text};

fn with(key: &str, value: &str) -> Vec<u8> {
    format!("{{\"vnet\": 0, \"ip4_addr\": \"none\", {key:?}: {value}}}").into_bytes()
}

/// The cases: the malicious file, and words of the expected error.
fn cases() -> Vec<(String, Vec<u8>, &'static str)> {
    let mut cases = Vec::new();
    let mut case =
        |what: &str, bytes: Vec<u8>, words: &'static str| cases.push((what.to_owned(), bytes, words));
    let nested =
        |open: &str, close: &str, depth: usize| with("x", &(open.repeat(depth) + "1" + &close.repeat(depth)));
    case("nothing", vec![], "not JSON");
    case("blanks", vec![b' '; 100], "not JSON");
    case("NULs", vec![0; 4096], "not JSON");
    case("a list", b"[]".to_vec(), "not a JSON object");
    case("a number", b"1".to_vec(), "not a JSON object");
    case("text", b"\"x\"".to_vec(), "not a JSON object");
    case("an open brace", b"{".to_vec(), "not JSON");
    case("two objects", b"{}{}".to_vec(), "not JSON");
    case("no end", with("a", "\"x"), "not JSON");
    case("a byte order mark", [b"\xef\xbb\xbf".as_slice(), b"{}"].concat(), "not JSON");
    case("UTF-16", "{\"vnet\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect(), "not JSON");
    case("Latin-1", b"{\"notes\":\"\xe9\"}".to_vec(), "not JSON");
    case("half a surrogate", b"{\"notes\":\"\\ud800\"}".to_vec(), "not JSON");
    case("an overlong slash", b"{\"notes\":\"\xc0\xaf\"}".to_vec(), "not JSON");
    case("a bare control character", b"{\"notes\":\"\x01\"}".to_vec(), "not JSON");
    case("a key twice", b"{\"vnet\":1,\"vnet\":0}".to_vec(), "twice");
    case("a key twice, once escaped", b"{\"vnet\":1,\"\\u0076net\":0}".to_vec(), "twice");
    case("an unknown key twice", b"{\"x\":1,\"x\":0}".to_vec(), "twice");
    case("lists in lists", nested("[", "]", 100), "nested too deep");
    case("objects in objects", nested("{\"a\":", "}", 100), "nested too deep");
    case("an abyss", nested("[", "]", 200_000), "");
    case("an abyss without end", format!("{{\"a\": {}", "[".repeat(500_000)).into_bytes(), "not JSON");
    case("10 MB in one value", with("notes", &format!("\"{}\"", "x".repeat(10 << 20))), "larger than 1 MiB");
    case("10 MB in a key", with(&"k".repeat(10 << 20), "1"), "larger than 1 MiB");
    case("10 MB of blanks", vec![b' '; 10 << 20], "larger than 1 MiB");
    for (key, values) in [
        (
            "vnet",
            &["2", "\"banana\"", "[]", "{}", "\"\"", "-1", "1.5", "1e999", "99999999999999999999999"][..],
        ),
        ("priority", &["\"-1\"", "1e30", "99999999999999999999", "\"\\u0000\"", "[1]", "\"0x10\""]),
        ("exec_fib", &["\"-1\"", "\"65536000\"", "4294967296", "\"1 1\""]),
        ("securelevel", &["\"99\"", "\"-9223372036854775809\""]),
        ("children_max", &["\"99999999999\"", "\"-1\""]),
        ("exec_timeout", &["\"-1\"", "\"1e9\"", "\"99999999999999999999\""]),
        (
            "ip4_addr",
            &[
                "\"em0|1.2.3.4/33\"",
                "\"em0|1.2.3\"",
                "\"../em0|1.2.3.4\"",
                "\"em0|1.2.3.4/24|5\"",
                "[\"em0|1.2.3.4\"]",
            ],
        ),
        ("ip6_addr", &["\"em0|::1/129\"", "\"em0|fe80::1%\"", "\"em0|:::\""]),
        (
            "interfaces",
            &[
                "\"vnet0\"",
                "\"vnet0:../../x\"",
                "\"vnet0:bridge0,vnet0:bridge1\"",
                "\"vnet99999999999999999999:bridge0\"",
                "\"vnet0:interface_name_too_long\"",
            ],
        ),
        ("vnet0_mac", &["\"02ff60\"", "\"zz:zz:zz:zz:zz:zz 02ff60000001\"", "\"01ffffffffff 01ffffffffff\""]),
        ("mac_prefix", &["\"zzzzzz\"", "\"02ff6000000000\"", "\"../..\""]),
        ("host_hostname", &["\"a\\u0000b\"", "\"a\\nb\"", "\"a b\"", "\"$(reboot)\"", "\"a'b\""]),
        ("host_domainname", &["\"a b\"", "\"a\\u001b\""]),
        ("depends", &["\"../../etc\"", "\"a/b\"", "\"a\\u0000\""]),
        ("exec_prestart", &["\"'\"", "\"a \\\\\"", "\"/bin/echo \\u0000\""]),
        ("devfs_ruleset", &["\"65536\"", "\"-1\"", "\"1 2\""]),
        ("enforce_statfs", &["\"3\"", "\"-1\""]),
        ("defaultrouter", &["\"300.1.1.1\"", "\"::1\"", "\"a\\u0000\""]),
    ] {
        for value in values {
            // Lists and wrong types are wrong values too.
            let mut bytes = with(key, value);
            if key == "vnet" || key == "ip4_addr" {
                bytes = format!("{{{key:?}: {value}}}").into_bytes();
            }
            if matches!(key, "interfaces" | "vnet0_mac" | "mac_prefix" | "defaultrouter") {
                bytes = format!("{{\"vnet\": 1, \"ip4_addr\": \"vnet0|192.0.2.9/24\", {key:?}: {value}}}")
                    .into_bytes();
            }
            case(&format!("{key}={value}"), bytes, key);
        }
    }
    cases
}

#[test]
fn each_is_refused_with_one_clear_error() {
    let root = Root::new();
    root.ok(&["list"]);
    let kernel = root.kernel_state();
    let config = root.jail("db").join("config.json");
    let (mut refused, mut tolerated, mut accepted) = (0, 0, Vec::new());
    for (number, (what, bytes, words)) in cases().into_iter().enumerate() {
        fs::write(&config, &bytes).unwrap();
        // In some rounds, also run commands that only read.
        let all = [&["start", "db"][..], &["get", "all", "db"], &["list", "-l"], &["stop", "db"], &["map"]];
        for command in all.into_iter().take(if number % 16 == 0 { all.len() } else { 1 }) {
            let output = root.run(command);
            let said = text(&output.stderr);
            assert!(
                matches!(output.status.code(), Some(0 | 1)),
                "{what}: {command:?}: {}: {said}",
                output.status
            );
            assert!(!said.contains("panicked"), "{what}: {command:?}: {said}");
            assert!(said.len() < 4000, "{what}: {command:?}: {} bytes of error", said.len());
            if command[0] == "start" {
                if output.status.success() {
                    // Harmless values are reported, and do not prevent a start.
                    tolerated += 1;
                    if !said.contains(words) {
                        accepted.push(what.clone());
                    }
                    root.ok(&["stop", "db"]);
                    continue;
                }
                refused += 1;
                assert!(said.contains(words), "{what} should say {words:?}: {said}");
                assert!(said.contains("db") || said.contains("config.json"), "{what}: {said}");
                assert!(
                    !said.bytes().any(|byte| byte < b' ' && byte != b'\n'),
                    "{what}: control characters: {said:?}"
                );
                let problems = said.lines().filter(|line| line.starts_with("  ")).count();
                assert_eq!(problems.max(1), 1, "{what}: one error: {said}");
                assert_eq!(said.matches("jailwire: ").count(), 1, "{what}: one error: {said}");
            }
        }
        root.settles(&kernel, &what);
        assert_eq!(fs::read(&config).unwrap(), bytes, "{what}: the file was changed");
    }
    println!("hostile config.json: {refused} refused, {tolerated} reported and started");
    assert_eq!(accepted, Vec::<String>::new(), "these were started without a word");
}

#[test]
fn names_that_lead_elsewhere() {
    let root = Root::new();
    root.ok(&["list"]);
    let (kernel, files) = (root.kernel_state(), root.files());
    for name in [
        "..",
        ".",
        "../web",
        "a/b",
        "/etc",
        "",
        "a\nb",
        "\u{1b}[31m",
        "-x",
        "web/../db",
        "w\u{e9}b",
        &"x".repeat(64),
        &"x".repeat(100_000),
    ] {
        for command in ["start", "stop", "get", "destroy", "rename", "create"] {
            let arguments: Vec<&str> = match command {
                "get" => vec!["get", "all", "--", name],
                "destroy" => vec!["destroy", "-f", "--", name],
                "rename" => vec!["rename", "--", "web", name],
                "create" => vec!["create", "-e", "-n", name],
                command => vec![command, "--", name],
            };
            let output = root.run(&arguments);
            let said = text(&output.stderr);
            assert!(
                matches!(output.status.code(), Some(1 | 2)),
                "{command} {name:.40?}: {}: {said:.400}",
                output.status
            );
            assert!(!said.contains("panicked") && !said.is_empty(), "{command} {name:.40?}: {said:.400}");
            assert!(!said.contains('\u{1b}'), "{command}: an escape came through");
        }
    }
    assert_eq!(root.kernel_state(), kernel);
    assert_eq!(root.files(), files);
}
