//! vm/run under bhyve, as far as it can be tested without FreeBSD.

use super::*;

fn place() -> Option<Place> {
    let place = Place::with(&["bhyve", "bhyvectl", "bhyveload", "df", "kldload", "sysctl"])?;
    // With Python, the stand-in for bhyve can treat its output as bhyve does.
    if let Some(python) = find("python3") {
        symlink(python, place.file("bin/python3")).unwrap();
    }
    Some(
        place
            .set("FAKE_SYSTEM", "FreeBSD")
            .set_file("JAILWIRE_VM_KERNEL", "kernel")
            .set_file("JAILWIRE_VM_ROOT", "root"),
    )
}

#[test]
fn a_kernel_and_a_root() {
    let Some(place) = place() else { return };
    let answer = place
        .run("vm/run", &["-m", "2G", "-c", "3", "-t", "kern.hz=1000", "--", "sh", "-c", "echo ran; exit 3"]);
    assert_eq!((answer.output.as_str(), answer.status), ("ran\n", Some(3)), "{answer:?}");
    let load = place.log("bhyveload");
    assert!(load.contains("\n-m\n2G\n") && load.contains("\n-e\nkern.hz=1000\n"), "{load}");
    assert!(load.contains("\n-e\nvfs.root.mountfrom=ufs:/dev/vtbd0\n"), "{load}");
    let run = place.log("bhyve");
    assert!(run.contains("\n-c\n3\n-m\n2G\n") && run.contains("\n-l\ncom1,stdio\n"), "{run}");
    // Both commands name the same machine, which is destroyed.
    let machine = |log: &str| log.lines().rev().nth(1).unwrap().to_owned();
    assert_eq!(machine(&load), machine(&run));
    assert!(place.log("bhyvectl").contains(&format!("--vm={}\n--destroy\n", machine(&run))));
    assert!(!place.file("input-ended").exists());
    // The guest writes to a copy. File names are relative, so that a comma in the temporary folder's name does no
    // harm.
    assert!(
        run.contains("\n3,virtio-blk,disk\n") && run.contains("\n4,virtio-blk,payload.tar,ro\n"),
        "{run}"
    );
    assert!(load.contains("\n-h\nstage\n"), "{load}");
    // The clock runs in UTC.
    assert!(run.contains("\n-u\n"), "{run}");
}

#[test]
fn a_guest_has_no_more_cpus_than_the_host_allows() {
    let Some(place) = place() else { return };
    let place = place.set("FAKE_CPUS", "1");
    let answer = place.run("vm/run", &["--", "echo", "ran"]);
    assert_eq!((answer.output.as_str(), answer.status), ("ran\n", Some(0)), "{answer:?}");
    assert!(answer.errors.contains("1 of the 2 CPUs"), "{answer:?}");
    assert!(place.log("bhyve").contains("\n-c\n1\n"), "{}", place.log("bhyve"));
}

#[test]
fn a_copy_of_the_disk_has_to_fit() {
    let Some(place) = place() else { return };
    let place = place.set("FAKE_FREE", "0");
    let answer = place.run("vm/run", &["--", "true"]);
    answer.complains_in_one_line(125, "has 0 MiB: set TMPDIR");
    // On ZFS the copy is a clone beside the disk, which is destroyed with the guest.
    let place = place.set("FAKE_FS", "zfs");
    assert_eq!(place.run("vm/run", &["--", "true"]).status, Some(0));
    let there = fs::read_dir(place.file("")).unwrap();
    let left: Vec<_> = there.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("vm-disk")), "{left:?}");
}

#[test]
fn what_the_loader_has_said_is_not_overwritten() {
    let Some(place) = place() else { return };
    let place = place.set("FAKE_GUEST", "early-panic");
    let answer = place.run("vm/run", &["--", "true"]);
    answer.complains(125, "| the loader was here\n");
    answer.complains(125, "| panic: a test\n");
}

#[test]
fn a_guest_that_waits_at_a_prompt_is_ended_at_once() {
    for (guest, shown) in [("unbootable", "| cannot load\n"), ("rootless", "| mountroot>")] {
        let Some(place) = place() else { return };
        let place = place.set("FAKE_GUEST", guest);
        let answer = place.run("vm/run", &["-B", "60", "--", "true"]);
        answer.complains(125, "stopped at a prompt");
        answer.complains(125, shown);
    }
}

#[test]
fn an_image() {
    let Some(place) = place() else { return };
    if !super::image::can_make_a_seed() {
        return;
    }
    fs::write(place.file("image"), "an image").unwrap();
    let answer = place.run("vm/run", &["-i", "image", "-t", "kern.hz=1000", "--", "echo", "ran"]);
    assert_eq!((answer.output.as_str(), answer.status), ("ran\n", Some(0)), "{answer:?}");
    let load = place.log("bhyveload");
    assert!(load.contains("\n-d\n") && load.contains("\n-e\nkern.hz=1000\n"), "{load}");
    // bhyve's loader gets the tunable, so the guest need not start twice.
    let seed = fs::read(place.file("seed.iso")).unwrap();
    assert!(!String::from_utf8_lossy(&seed).contains("loader.conf"));

    fs::write(place.file("image"), b"QFI\xfb an image").unwrap();
    place
        .run("vm/run", &["-i", "image", "--", "true"])
        .complains_in_one_line(125, "bhyve reads raw images only");
}

#[test]
fn nothing_is_left_of_a_machine() {
    let Some(place) = place() else { return };
    let place = place.set("FAKE_GUEST", "unloadable");
    place.run("vm/run", &["--", "true"]).complains(125, "| vm_create: Device not configured\n");
    let place = place.set("FAKE_GUEST", "loader-hangs");
    place.run("vm/run", &["-B", "1", "--", "true"]).complains(125, "within 1 seconds");
    let place = place.set("FAKE_GUEST", "no-poweroff");
    for signal_name in ["INT", "TERM", "KILL"] {
        let place = self::place().unwrap().set("FAKE_GUEST", "hang");
        let child = place.start("vm/run", &["--", "true"]);
        assert!(wait_for(Duration::from_secs(20), || !place.log("bhyve").is_empty()));
        signal(signal_name, &child.id().to_string());
        child.wait_with_output().unwrap();
        place.assert_nothing_left();
        assert!(place.log("bhyvectl").contains("--destroy"));
    }
    drop(place);
}

#[test]
fn a_machine_without_virtualization_is_told_so() {
    let Some(place) = place() else { return };
    let place = place.set("FAKE_VMM", "no");
    place.run("vm/run", &["--", "true"]).complains_in_one_line(125, "bhyve finds no virtualization");
    // QEMU can still be chosen.
    let place = place.set("JAILWIRE_VM_HYPERVISOR", "qemu");
    place.run("vm/run", &["--", "true"]).complains_in_one_line(125, "pkg install qemu");
}
