//! vm/run under QEMU: its command line, and the choice between KVM and emulation.

use super::*;

#[test]
fn options_reach_qemu() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    let options =
        ["-m", "2G", "-c", "3", "-t", "kern.hz=1000", "--tunable", "net.add_addr_allfibs=1", "--", "true"];
    let answer = place.run("vm/run", &options);
    assert_eq!(answer.status, Some(0), "{answer:?}");
    let log = place.log("qemu");
    assert!(log.contains("\n-m\n2G\n-smp\n3\n"), "{log}");
    assert!(log.contains("\n-accel\ntcg,thread=multi\n") && log.contains("\n-no-reboot\n"), "{log}");
    let environment = log.lines().find(|line| line.contains("vfs.root.mountfrom=ufs:/dev/vtbd0")).unwrap();
    assert!(environment.contains(" kern.hz=1000 net.add_addr_allfibs=1"), "{environment}");
    // The root file system is read-only, and comes before the payload.
    let disks: Vec<_> = log.lines().filter(|line| line.starts_with("file=")).collect();
    assert!(disks[0].contains("/root,") && disks[0].ends_with("snapshot=on"), "{disks:?}");
    assert!(disks[1].contains("payload.tar,") && disks[1].ends_with("readonly=on"), "{disks:?}");
}

#[test]
fn what_is_no_tunable_is_refused() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    for bad in ["kern.hz", "=1", "a=1,b=2", "a=1 b=2", "a='1'", ""] {
        place.run("vm/run", &["-t", bad, "--", "true"]).complains_in_one_line(125, "-t");
    }
    assert_eq!(place.log("qemu"), "");
}

#[test]
fn a_comma_in_a_name_is_no_option() {
    let Some(place) = Place::with_kernel() else {
        return;
    };
    fs::rename(place.file("root"), place.file("root,readonly=on")).unwrap();
    let place = place.set_file("JAILWIRE_VM_ROOT", "root,readonly=on");
    assert_eq!(place.run("vm/run", &["--", "true"]).status, Some(0));
    assert!(place.log("qemu").contains("root,,readonly=on,format=raw"), "{}", place.log("qemu"));
}

/// A place with a file that stands for /dev/kvm.
fn with_kvm(guest_under_kvm: &str) -> Option<Place> {
    let place = Place::with_kernel()?;
    fs::write(place.file("kvm"), "").unwrap();
    Some(place.set_file("JAILWIRE_VM_KVM", "kvm").set("FAKE_KVM", guest_under_kvm))
}

fn accelerators(place: &Place) -> Vec<String> {
    let log = place.log("qemu");
    log.lines().filter(|line| ["kvm", "tcg,thread=multi"].contains(line)).map(String::from).collect()
}

#[test]
fn kvm_that_gets_nowhere_is_left_for_good() {
    for guest in ["silent", "absent"] {
        let Some(place) = with_kvm(guest) else { return };
        let place = place.set("JAILWIRE_VM_KVM_TIMEOUT", "1");
        let answer = place.run("vm/run", &["--", "echo", "here"]);
        assert_eq!((answer.output.as_str(), answer.status), ("here\n", Some(0)), "{answer:?}");
        assert_eq!(answer.errors.lines().count(), 1, "{answer:?}");
        assert!(answer.errors.contains("no FreeBSD under kvm here"), "{answer:?}");
        assert_eq!(accelerators(&place), ["kvm", "tcg,thread=multi"]);
        // The second run knows the answer already.
        let answer = place.run("vm/run", &["--", "echo", "here"]);
        assert_eq!((answer.output.as_str(), answer.errors.as_str()), ("here\n", ""));
        assert_eq!(accelerators(&place), ["kvm", "tcg,thread=multi", "tcg,thread=multi"]);
    }
}

#[test]
fn kvm_that_works_is_used() {
    let Some(place) = with_kvm("run") else { return };
    for _ in 0..2 {
        assert_eq!(place.run("vm/run", &["--", "echo", "here"]).output, "here\n");
    }
    assert_eq!(accelerators(&place), ["kvm", "kvm"]);
    let place = place.set("JAILWIRE_VM_ACCEL", "tcg");
    assert_eq!(place.run("vm/run", &["--", "echo", "here"]).output, "here\n");
    assert_eq!(accelerators(&place), ["kvm", "kvm", "tcg,thread=multi"]);
}

#[test]
fn a_guest_that_fails_everywhere_says_nothing_of_kvm() {
    let Some(place) = with_kvm("absent") else {
        return;
    };
    let place = place.set("FAKE_GUEST", "absent");
    place.run("vm/run", &["--", "true"]).complains(125, "the guest stopped before it ran the payload");
    assert_eq!(fs::read_dir(place.file("cache")).unwrap().count(), 0);
    // FreeBSD starts under KVM, so a later failure is not KVM's fault.
    let place = with_kvm("stuck").unwrap();
    place
        .run("vm/run", &["-B", "3", "--", "true"])
        .complains(125, "did not run the payload within 3 seconds");
    assert_eq!(accelerators(&place), ["kvm"]);
}
