//! Tests of the proofs themselves: a changed number in a copy is detected.
//!
//! rustc detects a changed layout, on every machine. The C compiler detects a changed constant, if there is a
//! compiler. `proven` detects it on every machine: it has a digest of everything that was proven last.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bindings::{Bindings, Value};
use crate::compiler::Architecture;
use crate::facts::{self, Fact};
use crate::{compiler, prove};

const BOTH: [Architecture; 2] = [Architecture::Amd64, Architecture::Arm64];

/// Another value of the same kind.
fn another(value: &Value) -> Value {
    match value {
        Value::Number(number @ (0 | 1)) => Value::Number(1 - number),
        Value::Number(number) => Value::Number(number + 1),
        Value::Text(text) => Value::Text(format!("{text}x")),
    }
}

#[test]
fn c_finds_out_every_single_number_that_is_changed() {
    for architecture in BOTH {
        let Some((compiler, _)) = compiler(15, architecture) else { return };
        let mut facts = facts::all(&Bindings::read());
        for fact in &mut facts {
            fact.value = another(&fact.value);
        }
        let failures = compiler.check(&facts);
        let unnoticed: Vec<_> = (0..facts.len())
            .filter(|index| !failures.contains_key(index))
            .map(|index| &facts[index])
            .collect();
        assert!(
            unnoticed.is_empty(),
            "{}",
            unnoticed.iter().map(|fact| format!("{fact}\n")).collect::<String>()
        );
        println!("{architecture}: C found out all of {} changed numbers", facts.len());
    }
}

/// Makes a copy of the bindings with one text replaced.
fn changed_copy(from: &str, to: &str) -> String {
    let text = fs::read_to_string(Bindings::path()).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

#[test]
fn a_changed_constant_is_found_out_without_a_compiler() {
    for architecture in BOTH {
        let copy = changed_copy(
            "pub const JAIL_DYING: ::core::ffi::c_int = 8;",
            "pub const JAIL_DYING: ::core::ffi::c_int = 9;",
        );
        let facts = facts::all(&Bindings::parse(&copy));
        assert_ne!(recorded(architecture), Some(digest(&facts)));
        // The C compiler detects it too, and names it.
        if let Some((compiler, _)) = compiler(15, architecture) {
            let whole = compiler.check(&facts::all(&Bindings::read()));
            let found: Vec<_> =
                compiler.check(&facts).into_keys().filter(|at| !whole.contains_key(at)).collect();
            let names: Vec<_> = found.iter().map(|at| facts[*at].name.as_str()).collect();
            assert_eq!(names, ["JAIL_DYING"]);
        }
    }
}

#[test]
fn rustc_finds_out_a_changed_layout() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if Command::new(&rustc).arg("--version").output().is_err() {
        // This test was built on another machine, and there is no compiler here.
        println!("not tried: there is no rustc here");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("changed-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let accepts = |text: &str| {
        let file = folder.join("bindings.rs");
        fs::write(&file, text).unwrap();
        let compiled = Command::new(&rustc)
            .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--cap-lints=allow", "--out-dir"])
            .args([&folder, &file])
            .output();
        compiled.expect("rustc ran before").status.success()
    };
    let as_it_is = fs::read_to_string(Bindings::path()).unwrap();
    let changes = [
        ("[\"Size of ifreq\"][::core::mem::size_of::<ifreq>() - 32usize]", "32usize", "40usize"),
        ("pub struct ifreq {\n    pub ifr_name: [::core::ffi::c_char; 16usize]", "16usize", "24usize"),
    ];
    let accepted = accepts(&as_it_is);
    let refused: Vec<_> = changes
        .iter()
        .map(|(place, from, to)| accepts(&changed_copy(place, &place.replace(from, to))))
        .collect();
    fs::remove_dir_all(&folder).unwrap();
    assert!(accepted, "rustc refuses the bindings as they are");
    assert_eq!(refused, [false, false]);
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proofs/proven")
}

/// The FNV-1a hash of all facts of the crate.
fn digest(facts: &[Fact]) -> String {
    let lines = facts.iter().map(|fact| format!("{:?} {}\n", fact.kind, fact.assertion()));
    let hash = lines.flat_map(String::into_bytes).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{} facts {hash:016x}", facts.len())
}

/// The digest of what was proven last.
fn recorded(architecture: Architecture) -> Option<String> {
    let text = fs::read_to_string(file()).ok()?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(&format!("{architecture}: ")));
    lines.next().map(str::to_owned)
}

/// With `JAILWIRE_RECORD_PROOFS` set, proves everything for both releases, and records the digest.
#[test]
fn what_the_crate_claims_is_what_was_proven() {
    let claimed = BOTH.map(|_| digest(&facts::all(&Bindings::read())));
    if std::env::var_os("JAILWIRE_RECORD_PROOFS").is_some() {
        for (major, architecture) in [14, 15].into_iter().flat_map(|major| BOTH.map(|one| (major, one))) {
            assert!(compiler(major, architecture).is_some(), "no compiler for FreeBSD {major}");
            prove(major, architecture);
        }
        let lines = BOTH.iter().zip(&claimed).map(|(one, digest)| format!("{one}: {digest}\n"));
        fs::write(file(), lines.collect::<String>()).unwrap();
    }
    for (architecture, claimed) in BOTH.into_iter().zip(claimed) {
        assert_eq!(
            recorded(architecture).as_ref(),
            Some(&claimed),
            "{architecture}: the numbers are not those that were proven last. When the change is meant, prove them \
             anew with JAILWIRE_RECORD_PROOFS=1 and the compilers that README.md names"
        );
    }
}
