//! Interfaces that the kernel's source announces to remove are used in few places: `docs/on-notice.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jailwire::sim::{Call, Options, Release, Setting, Sim};
use jailwire::vnet::Vnet;
use jailwire::wiring::{Problem, Wiring};

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => sources(&path, found),
            false if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            false => {}
        }
    }
}

/// The files of the library outside the simulated kernel that have one of these words in their code.
fn with(words: &[&str]) -> Vec<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    sources(&top.join("src"), &mut found);
    let mut with: Vec<String> = Vec::new();
    for path in found {
        let name = path.strip_prefix(top).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let mut lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        if !name.starts_with("src/sim/") && lines.any(|line| words.iter().any(|word| line.contains(word))) {
            with.push(name);
        }
    }
    with.sort();
    with
}

#[test]
fn all_commands_of_bridges_pass_one_function() {
    assert_eq!(with(&["call!(SIOCGDRVSPEC)", "call!(SIOCSDRVSPEC)"]), ["src/bridge/mod.rs"]);
}

#[test]
fn only_the_bridges_module_knows_their_structures() {
    let structures =
        ["ifbreq", "ifbifconf", "ifbareq", "ifbaconf", "ifbrparam", "ifbropreq", "ifbif_vlan_req"];
    let files = with(&structures);
    assert!(files.len() >= 4, "{files:?}");
    assert!(files.iter().all(|file| file.starts_with("src/bridge/")), "{files:?}");
}

/// An address without a mask gets the mask of its class. The kernel warns about such addresses, and will refuse
/// them.
#[test]
fn no_address_comes_without_its_mask() {
    let sim = Sim::new();
    let (asked, bare) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, without) = (Arc::clone(&asked), Arc::clone(&bare));
    sim.observe(move |call, _| {
        if let Call::Ioctl { request, .. } = call
            && request.number() == jailwire_sys::SIOCAIFADDR
        {
            counted.fetch_add(1, Ordering::Relaxed);
            let length =
                request.argument().bytes()[std::mem::offset_of!(jailwire_sys::in_aliasreq, ifra_mask)];
            without.fetch_add(usize::from(length == 0), Ordering::Relaxed);
        }
    });
    let wiring = Wiring::on(Arc::new(sim.clone())).unwrap();
    wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").start().unwrap();
    wiring.jail("proxy", "/").alias("em0", "192.0.2.40/32").start().unwrap();
    let host = Vnet::host(Arc::new(sim.clone()));
    host.add_member(&"bridge0".parse().unwrap(), &"em0".parse().unwrap()).unwrap();
    wiring.stop("proxy").unwrap();
    let plan = wiring.plan_move(&"em0".parse().unwrap(), &"bridge0".parse().unwrap(), false).unwrap();
    wiring.move_addresses(&plan).unwrap();
    wiring.undo_move(None).unwrap();
    // The requests are for the jail's own address, its loopback address and the alias, and for a move there and
    // back.
    assert!(asked.load(Ordering::Relaxed) >= 5, "{asked:?}");
    assert_eq!(bare.load(Ordering::Relaxed), 0);
}

/// FreeBSD 16 has no setting for addresses on bridge members. A plan must refuse such addresses because of the
/// release alone, and a move to the bridge works.
#[test]
fn no_uplink_with_addresses_joins_where_the_release_takes_none() {
    let (em0, bridge0) = ("em0".parse().unwrap(), "bridge0".parse().unwrap());
    for (release, refused) in [(1_402_000, false), (1_600_000, true)] {
        let sysctls = vec![("kern.osreldate".to_owned(), Setting::Int(release))];
        let sim = Sim::with(&Options::default().with_release(Release::V14_2).with_sysctls(sysctls));
        let wiring = Wiring::on(Arc::new(sim.clone())).unwrap();
        let started = wiring.jail("web", "/").nic("bridge0").uplink("em0").start();
        let problems = started.as_ref().err().map(|error| error.problems().to_vec()).unwrap_or_default();
        let expected = Problem::AddressOnMember { member: em0, bridge: bridge0 };
        assert_eq!(problems.contains(&expected), refused, "{release}: {started:?}");
        assert!(refused || started.is_ok(), "{release}: {started:?}");
        if !refused {
            continue;
        }
        // If a member has an address in spite of that, a move gives the address to the bridge, and undoing gives it
        // back.
        let host = Vnet::host(Arc::new(sim.clone()));
        host.create("bridge0").unwrap();
        host.add_member(&bridge0, &em0).unwrap();
        let plan = wiring.plan_move(&em0, &bridge0, false).unwrap();
        wiring.move_addresses(&plan).unwrap();
        assert_eq!(host.ipv4_addresses(&em0).unwrap(), []);
        wiring.undo_move(None).unwrap().unwrap();
        assert_eq!(host.ipv4_addresses(&em0).unwrap().len(), 1);
        wiring.move_addresses(&plan).unwrap();
        wiring.confirm_move().unwrap();
        let back = wiring.plan_move(&bridge0, &em0, false).unwrap_err();
        assert_eq!(back.problems(), [Problem::MemberTakesNoAddress { member: em0, bridge: bridge0 }]);
    }
}

/// Each line of the table says what the library does, and names tests and sources that exist.
#[test]
fn the_table_names_what_exists() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(top.join("docs/on-notice.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .map(|line| line.trim_matches('|').split(" | ").collect())
        .collect();
    assert!(rows.len() >= 7, "{rows:#?}");
    for row in rows {
        let [_, done, test] = row[..] else { panic!("{row:?}") };
        assert!(!done.trim().is_empty(), "{row:?}");
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let tests = quoted(test);
        assert!(!tests.is_empty(), "{row:?}");
        let sources =
            quoted(done).into_iter().filter(|word| word.starts_with("src/") || word.starts_with("sys/"));
        for path in tests.into_iter().chain(sources) {
            assert!(top.join(&path).exists(), "{path} of {row:?}");
        }
    }
}
