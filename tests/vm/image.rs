//! FreeBSD's images: they are downloaded, checked and unpacked, and get a disk that says what to run.

use super::*;

/// Whether this system can make the disk that tells an image what to run. Prints a line if not.
pub fn can_make_a_seed() -> bool {
    let can = ["bsdtar", "makefs", "xorriso", "genisoimage"].iter().any(|tool| find(tool).is_some());
    if !can {
        println!("skipped: nothing here makes ISO files");
    }
    can
}

const RELEASE: &str = "VM-IMAGES/15.1-RELEASE/amd64/Latest";
const IMAGE: &str = "FreeBSD-15.1-RELEASE-amd64-BASIC-CLOUDINIT-ufs.qcow2.xz";

/// A place with curl, and a mirror that has one release with the checksum that is given, or the right one.
fn with_mirror(checksum: Option<&str>) -> Option<Place> {
    let (Some(xz), true) = (find("xz"), can_make_a_seed()) else {
        println!("skipped: no xz, or no seed disk");
        return None;
    };
    let place = Place::with(&["qemu-system-x86_64", "curl"])?;
    let images = place.file("mirror").join(RELEASE);
    fs::create_dir_all(&images).unwrap();
    fs::write(images.join("image"), b"QFI\xfb an image").unwrap();
    let packed = Command::new(xz).args(["-c"]).arg(images.join("image")).output().unwrap().stdout;
    fs::write(images.join(IMAGE), &packed).unwrap();
    let checksum = checksum.map_or_else(|| sha512(&images.join(IMAGE)), String::from);
    let other = "FreeBSD-15.1-RELEASE-amd64-BASIC-CLOUDINIT-zfs.qcow2.xz";
    let lines = format!("SHA512 ({other}) = 00\nSHA512 ({IMAGE}) = {checksum}\n");
    fs::write(images.join("CHECKSUM.SHA512"), lines).unwrap();
    Some(
        place
            .set_file("FAKE_MIRROR", "mirror")
            .set("JAILWIRE_VM_MIRROR", "https://mirror.invalid")
            .set("JAILWIRE_VM_KVM", "/nonexistent"),
    )
}

fn sha512(file: &Path) -> String {
    let output = match find("sha512sum") {
        Some(tool) => Command::new(tool).arg(file).output(),
        None => Command::new("sha512").arg("-q").arg(file).output(),
    };
    String::from_utf8(output.unwrap().stdout).unwrap().split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_release_is_downloaded_once() {
    let Some(place) = with_mirror(None) else {
        return;
    };
    for _ in 0..2 {
        let answer = place.run("vm/run", &["-R", "15.1", "--", "echo", "ran"]);
        assert_eq!((answer.output.as_str(), answer.status), ("ran\n", Some(0)), "{answer:?}");
    }
    let url = format!("https://mirror.invalid/{RELEASE}");
    assert_eq!(place.log("curl"), format!("{url}/CHECKSUM.SHA512\n--\n{url}/{IMAGE}\n--\n"));
    assert!(place.log("qemu").contains(",format=qcow2,if=virtio,snapshot=on"), "{}", place.log("qemu"));
    // The packed image is not kept beside the unpacked one.
    assert!(!place.file("cache/images/15.1-RELEASE").join(IMAGE).exists());
}

#[test]
fn a_wrong_checksum_is_an_error() {
    let Some(place) = with_mirror(Some("0123456789abcdef")) else {
        return;
    };
    for _ in 0..2 {
        let answer = place.run("vm/run", &["-R", "15.1-RELEASE", "--", "true"]);
        answer.complains(125, "is not what its CHECKSUM.SHA512 says");
    }
    assert_eq!(place.log("qemu"), "");
    assert_eq!(fs::read_dir(place.file("cache/images/15.1-RELEASE")).unwrap().count(), 0);
}

#[test]
fn a_release_that_is_not_there_is_an_error() {
    let Some(place) = with_mirror(None) else {
        return;
    };
    place
        .run("vm/run", &["-R", "9.9", "--", "true"])
        .complains(125, "cannot download https://mirror.invalid/VM-IMAGES/9.9-RELEASE");
    fs::write(place.file("mirror").join(RELEASE).join("CHECKSUM.SHA512"), "SHA512 (other) = 00\n").unwrap();
    place.run("vm/run", &["-R", "15.1", "--", "true"]).complains(125, "has no BASIC-CLOUDINIT image");
}

#[test]
fn an_image_may_be_packed() {
    let Some(place) = with_mirror(None) else {
        return;
    };
    let packed = place.file("mirror").join(RELEASE).join(IMAGE);
    for times in 1..=2 {
        let answer = place.run("vm/run", &["-i", packed.to_str().unwrap(), "--", "echo", "ran"]);
        assert_eq!(answer.output, "ran\n", "{answer:?}");
        assert_eq!(answer.errors.contains("unpacking"), times == 1, "{answer:?}");
    }
}

#[test]
fn a_seed_disk_says_what_to_run() {
    let Some(place) = with_mirror(None) else {
        return;
    };
    assert_eq!(place.run("vm/run", &["-R", "15.1", "--", "true"]).status, Some(0));
    let seed = fs::read(place.file("seed.iso")).unwrap();
    // The volume's name lies in the sixteenth sector.
    assert_eq!(String::from_utf8_lossy(&seed[0x8028..0x802e]).to_lowercase(), "cidata");
    let text = String::from_utf8_lossy(&seed);
    assert!(
        text.contains("#!/bin/sh\nexec </dev/null >/dev/console") && text.contains("tar -xof /dev/vtbd1")
    );
    assert!(text.contains("instance-id: ") && !text.contains("loader.conf"));

    // When the guest learns of a tunable, the loader has read its settings already, so the guest starts twice.
    assert_eq!(place.run("vm/run", &["-R", "15.1", "-t", "kern.hz=1000", "--", "true"]).status, Some(0));
    let seed = fs::read(place.file("seed.iso")).unwrap();
    assert!(String::from_utf8_lossy(&seed).contains("echo 'kern.hz=\"1000\"' >>/boot/loader.conf"));
    let log = place.log("qemu");
    assert_eq!(log.matches("-no-reboot").count(), 1, "{log}");
}
