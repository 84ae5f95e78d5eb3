//! Traps that root in a jail can set in its own root directory, and that the host must not follow.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sys::stat::Mode;

use crate::program::text;
use crate::world::World;

/// A jail for which a start writes every file that it can write, and makes every mount.
const CONFIG: &str = r#"{"host_hostuuid":"victim","release":"15.1-RELEASE","exec_start":"/bin/sh -c \"exit 0\"","exec_stop":"/bin/sh -c \"exit 0\"","vnet":1,"interfaces":"vnet0:bridge90","ip4_addr":"vnet0|198.51.100.70/24","ip6_addr":"vnet0|accept_rtadv","rtsold":1,"defaultrouter":"none","defaultrouter6":"none","host_time":1,"resolver":"nameserver 198.51.100.53","mount_fdescfs":1,"mount_procfs":0}"#;

/// As `CONFIG`, with the host's network. A start then writes the hosts file, too.
const SHARED: &str = r#"{"host_hostuuid":"victim","release":"15.1-RELEASE","exec_start":"/bin/sh -c \"exit 0\"","exec_stop":"/bin/sh -c \"exit 0\"","vnet":0,"ip4_addr":"lan0|198.51.100.70/24","assign_localhost":1,"localhost_ip":"127.0.0.70","host_time":1,"resolver":"nameserver 198.51.100.53","mount_fdescfs":1}"#;

/// A directory of the host to which a jail's links lead. Files and mounts in it would show that a start has
/// followed them.
struct Outside(PathBuf);

impl Outside {
    fn new(world: &World) -> Outside {
        let path = world.path("outside");
        let _ = fs::remove_dir_all(&path);
        for directory in ["bin", "lib", "fd", "etc"] {
            fs::create_dir_all(path.join(directory)).expect("a directory");
        }
        for file in ["resolv.conf", "rc.conf", "hosts", "localtime", "file"] {
            fs::write(path.join(file), "127.0.0.1 mine\n").expect("a file");
        }
        Outside(path)
    }

    fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut left = vec![self.0.clone()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                found.push((path.clone(), fs::read(&path).unwrap_or_default()));
                if path.is_dir() {
                    left.push(path);
                }
            }
        }
        found.sort();
        found
    }

    #[track_caller]
    fn is_untouched(&self, world: &World, seen: &[(PathBuf, Vec<u8>)], what: &str) {
        assert_eq!(self.contents(), seen, "{what}: something was written or removed outside");
        for mounted in world.mounts() {
            assert!(
                !mounted.on.starts_with(self.0.canonicalize().unwrap()),
                "{what}: mounted {}",
                mounted.on.display()
            );
        }
    }
}

/// How long the test may go on swapping directories, on a slow machine.
const LASTS: std::time::Duration = std::time::Duration::from_secs(600);

/// Replaces a file or directory.
fn replace(path: &Path, put: impl FnOnce(&Path)) {
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path).expect("it goes");
    } else {
        let _ = fs::remove_file(path);
    }
    put(path);
}

/// A relative link from a path in the jail's root, up to iocage's directory and down to a target.
fn relative(path: &str, target: &Path, world: &World) -> PathBuf {
    let up = "../".repeat(2 + path.split('/').count());
    Path::new(&up).join(target.strip_prefix(world.path("")).expect("below it"))
}

#[test]
fn links_that_lead_out_are_not_followed() {
    let world = World::new(0);
    let (mut tried, mut refused) = (0, 0);
    // The path that is replaced by a link, and whether a start can go on without it.
    for (path, goes_on) in [
        ("dev", false),
        ("dev/fd", true),
        ("etc", true),
        ("etc/resolv.conf", true),
        ("etc/rc.conf", true),
        ("etc/hosts", true),
        ("etc/localtime", true),
        ("bin", false),
        ("lib", false),
        ("usr", false),
        ("usr/bin", false),
    ] {
        for (config, absolute) in [(CONFIG, false), (SHARED, true), (CONFIG, true), (SHARED, false)] {
            tried += 1;
            world.write_jail("victim", config);
            let outside = Outside::new(&world);
            let target = if path.starts_with("etc/") { outside.0.join("file") } else { outside.0.clone() };
            let target = if absolute { target } else { relative(path, &target, &world) };
            let link = world.root_of("victim").join(path);
            replace(&link, |link| symlink(&target, link).expect("a link"));
            assert!(link.exists(), "{path} leads out");
            // The files that a start leaves for good stay inside.
            let state = || -> Vec<String> {
                let written = ["config.json", "root/etc/"];
                let lines = world.state().into_iter();
                lines.filter(|line| !written.iter().any(|path| line.contains(path))).collect()
            };
            let (before, seen) = (state(), outside.contents());
            let is_as_before = |what: &str| {
                if state() != before {
                    // A dying jail takes a moment to go.
                    std::thread::sleep(std::time::Duration::from_secs(2));
                    assert_eq!(state(), before, "{what}");
                }
            };
            let output = world.run(&["start", "victim"]);
            let said = text(&output.stderr);
            let what = format!("{path}, absolute {absolute}");
            outside.is_untouched(&world, &seen, &what);
            if !goes_on {
                refused += 1;
                assert_eq!(output.status.code(), Some(1), "{what}: {said}");
                // The simulated kernel never answers ENOTDIR for a link.
                let errnos = &["ENOTCAPABLE", "ELOOP", "ENOTDIR"][..if world.sim.is_some() { 2 } else { 3 }];
                // Most links are found when the start is planned.
                let planned = said.contains("symbolic link");
                assert!(planned || errnos.iter().any(|errno| said.contains(errno)), "{what}: {said}");
                is_as_before(&format!("{what}: refused"));
            }
            world.ok(&["stop", "victim"]);
            outside.is_untouched(&world, &seen, &what);
            is_as_before(&what);
            fs::remove_dir_all(world.path("jails/victim")).expect("it goes");
        }
    }
    println!(
        "hostile roots: {tried} links that lead out, {refused} of them refused a start; nothing outside was touched"
    );
}

#[test]
fn what_is_mounted_behind_a_link_that_stays_inside_is_unmounted() {
    let world = World::new(0);
    world.write_jail("victim", CONFIG);
    let root = world.root_of("victim");
    fs::create_dir_all(root.join("private/cache")).expect("a directory");
    symlink("private", root.join("shown")).expect("a link");
    let fstab = world.path("jails/victim/fstab");
    let lines = fs::read_to_string(&fstab).expect("its fstab");
    fs::write(&fstab, format!("{lines}tmpfs\t{}/shown/cache\ttmpfs\trw\t0\t0\n", root.display()))
        .expect("a file");
    let before = world.mounts();
    world.ok(&["start", "victim"]);
    let behind = |mounted: &jailwire::kernel::Mounted| mounted.on.ends_with("private/cache");
    assert!(world.mounts().iter().any(behind), "{:?}", world.mounts());
    world.ok(&["stop", "victim"]);
    assert_eq!(world.mounts(), before);
}

#[test]
fn what_is_no_file_is_not_read_or_written() {
    let world = World::new(0);
    let mut tried = 0;
    for path in ["etc/resolv.conf", "etc/rc.conf", "etc/hosts", "etc/localtime", "etc", "dev", "bin"] {
        for kind in ["a FIFO", "a directory with something in it", "a file of 32 MB", "a socket"] {
            for config in [CONFIG, SHARED] {
                // On a simulated host one of the two configurations is tested.
                if world.sim.is_some() && (kind.len() + path.len()) % 2 == usize::from(config == SHARED) {
                    continue;
                }
                tried += 1;
                world.write_jail("victim", config);
                let place = world.root_of("victim").join(path);
                replace(&place, |place| match kind {
                    "a FIFO" => nix::unistd::mkfifo(place, Mode::S_IRWXU).expect("a FIFO"),
                    "a socket" => drop(std::os::unix::net::UnixListener::bind(place)),
                    "a file of 32 MB" => fs::write(place, vec![b'x'; 32 << 20]).expect("a file"),
                    _ => fs::create_dir_all(place.join("x")).expect("a directory"),
                });
                // The start may succeed or fail, but has to end.
                match world.run_until(&["start", "victim"], None) {
                    crate::program::Ended::By(0 | 1, _) => {}
                    other => panic!("{path} as {kind}: {other:?}"),
                }
                world.ok(&["stop", "victim"]);
                assert!(world.mounts().is_empty(), "{path} as {kind}");
                fs::remove_dir_all(world.path("jails/victim")).expect("it goes");
            }
        }
    }
    println!("hostile roots: {tried} that have something else where files and directories should be");
}

/// Root in a jail, or a user who can write to its root directory, changes the directory while the host uses it.
#[test]
fn a_root_that_changes_meanwhile_is_not_followed() {
    let world = World::new(0);
    let starts = crate::number("JAILWIRE_SWAPS", if world.sim.is_some() { 12 } else { 60 });
    let outside = Outside::new(&world);
    let seen = outside.contents();
    let (swaps, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let paths = ["etc", "dev", "bin", "usr"];
    let (mut well, mut refused) = (0, 0);
    world.write_jail("victim", CONFIG);
    let before = world.state();
    for path in paths {
        ended.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            let (root, outside, swaps, ended) = (world.root_of("victim"), &outside, &swaps, &ended);
            scope.spawn(move || {
                let begun = std::time::Instant::now();
                let (place, aside) = (root.join(path), root.join("aside"));
                let link = root.join("link");
                symlink(&outside.0, &link).expect("a link");
                while !ended.load(Ordering::Relaxed) {
                    // A directory with a mount in it cannot be renamed.
                    if fs::rename(&place, &aside).is_ok() {
                        let _ = fs::rename(&link, &place);
                        std::thread::sleep(std::time::Duration::from_micros(200));
                        let _ = fs::rename(&place, &link);
                        // The start may have opened the directory before the swap, and mount on it wherever it is
                        // now. Until that mount is gone, the directory cannot be moved back.
                        while fs::rename(&aside, &place).is_err() {
                            std::thread::sleep(std::time::Duration::from_millis(10));
                            assert!(begun.elapsed() < LASTS, "{path} does not go back");
                        }
                        swaps.fetch_add(1, Ordering::Relaxed);
                    }
                    std::thread::sleep(std::time::Duration::from_micros(200));
                }
                let _ = fs::remove_file(&link);
            });
            for _ in 0..starts / paths.len() as u64 {
                match world.run(&["start", "victim"]).status.code() {
                    Some(0) => well += 1,
                    Some(1) => refused += 1,
                    other => panic!("{path}: {other:?}"),
                }
                outside.is_untouched(&world, &seen, path);
                world.run(&["stop", "victim"]);
                outside.is_untouched(&world, &seen, path);
            }
            ended.store(true, Ordering::Relaxed);
        });
        world.ok(&["stop", "victim"]);
        let kept = |lines: Vec<String>| -> Vec<String> {
            lines
                .into_iter()
                .filter(|line| !line.contains("config.json") && !line.contains("root/etc/"))
                .collect()
        };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while kept(world.state()) != kept(before.clone()) && std::time::Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert_eq!(kept(world.state()), kept(before.clone()), "{path}");
    }
    println!(
        "hostile roots: {well} starts went well and {refused} were refused while directories became links and directories \
         again, {} times; nothing outside was touched",
        swaps.load(Ordering::Relaxed)
    );
}
