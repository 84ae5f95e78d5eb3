//! devfs rulesets.

use std::path::Path;

use jailwire::jail::devfs::{Devfs, DevfsRule};
use jailwire::kernel::{Errno, Request};
use jailwire_sys as sys;

use crate::support::{Host, Refused};

/// The first number of this test's rulesets.
const FIRST: u16 = 5000;

/// The machine's rulesets. The rulesets that a test has left are deleted on drop.
struct Rulesets<'a>(&'a Host, Devfs);

impl<'a> Rulesets<'a> {
    fn of(host: &'a Host) -> Rulesets<'a> {
        Rulesets(host, Devfs::open(host.kernel.clone(), Path::new("/dev")).unwrap())
    }
}

impl Drop for Rulesets<'_> {
    fn drop(&mut self) {
        for ruleset in self.1.rulesets().unwrap_or_default() {
            if (FIRST..FIRST + 1000).contains(&ruleset) {
                let _ = self.1.delete(ruleset);
            }
        }
    }
}

#[test]
fn a_ruleset_comes_with_its_first_rule_and_goes_with_its_last() {
    let host = Host::new();
    let rulesets = Rulesets::of(&host);
    let devfs = &rulesets.1;
    assert_eq!(devfs.rules(FIRST).unwrap(), []);
    assert!(!devfs.delete(FIRST).unwrap());
    let rules = [
        DevfsRule::hide_all(),
        DevfsRule::unhide("null"),
        DevfsRule::unhide("bpf*").with_mode(0o660).with_group(5).with_owner(7),
        DevfsRule::include(FIRST + 50),
    ];
    // The included ruleset must exist.
    devfs.add(FIRST, &rules[3]).refused(Errno::ESRCH);
    assert!(!devfs.rulesets().unwrap().contains(&FIRST));
    devfs.add(FIRST + 50, &rules[0]).unwrap();
    for rule in &rules {
        devfs.add(FIRST, rule).unwrap();
    }
    assert!(devfs.rulesets().unwrap().contains(&FIRST));
    let seen = devfs.rules(FIRST).unwrap();
    let numbers: Vec<u16> = seen.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [100, 200, 300, 400]);
    assert!(seen.iter().map(|(_, rule)| rule).eq(&rules));
    assert!(devfs.delete(FIRST).unwrap());
    assert!(!devfs.rulesets().unwrap().contains(&FIRST));
}

#[test]
fn a_free_number_is_claimed() {
    let host = Host::new();
    let rulesets = Rulesets::of(&host);
    let devfs = &rulesets.1;
    let hide = DevfsRule::hide_all();
    assert_eq!(devfs.claim(FIRST, &hide).unwrap(), FIRST);
    assert_eq!(devfs.claim(FIRST, &hide).unwrap(), FIRST + 1);
    devfs.add(FIRST + 3, &hide).unwrap();
    assert_eq!(devfs.first_free(FIRST).unwrap(), Some(FIRST + 2));
    assert_eq!(devfs.claim(FIRST, &hide).unwrap(), FIRST + 2);
    assert_eq!(devfs.first_free(FIRST).unwrap(), Some(FIRST + 4));
    assert_eq!(devfs.claim(FIRST, &hide).unwrap(), FIRST + 4);
    devfs.delete(FIRST + 1).unwrap();
    assert_eq!(devfs.claim(FIRST, &hide).unwrap(), FIRST + 1);
}

fn rule(number: u64, ruleset: u16, within: u16, magic: u32) -> Request {
    let mut request = Request::new(number);
    request.argument_mut().put(0, &magic.to_ne_bytes());
    let id = u32::from(ruleset) << 16 | u32::from(within);
    request.argument_mut().put(4, &id.to_ne_bytes());
    // dr_iacts and dr_bacts: hide.
    let offset = std::mem::offset_of!(sys::devfs_rule, dr_iacts);
    request.argument_mut().put(offset, &sys::DRA_BACTS.to_ne_bytes());
    let offset = std::mem::offset_of!(sys::devfs_rule, dr_bacts);
    request.argument_mut().put(offset, &sys::DRB_HIDE.to_ne_bytes());
    request
}

#[test]
fn requests_that_make_no_sense() {
    let host = Host::new();
    let _rulesets = Rulesets::of(&host);
    let handle = host.kernel.open(Path::new("/dev")).unwrap();
    let ask = |mut request: Request| host.kernel.ioctl(handle, &mut request).map(|()| request);
    ask(rule(sys::DEVFSIO_RADD, FIRST, 0, 0)).refused(Errno::ERPCMISMATCH);
    // The kernel chooses the number of the rule in the ruleset, and does not return the number.
    let made = ask(rule(sys::DEVFSIO_RADD, FIRST, 0, sys::DEVFS_MAGIC)).unwrap();
    assert_eq!(made.argument().u32_at(4) & 0xffff, 0);
    ask(rule(sys::DEVFSIO_RADD, FIRST, 100, sys::DEVFS_MAGIC)).refused(Errno::EEXIST);
    ask(rule(sys::DEVFSIO_RADD, FIRST, 150, sys::DEVFS_MAGIC)).unwrap();
    let mut last = Request::new(sys::DEVFSIO_SGETNEXT);
    last.argument_mut().put(0, &u16::MAX.to_ne_bytes());
    ask(last).refused(Errno::ENOENT);
    let mut missing = Request::new(sys::DEVFSIO_SAPPLY);
    missing.argument_mut().put(0, &(FIRST + 900).to_ne_bytes());
    ask(missing).refused(Errno::ESRCH);
    let mut missing = Request::new(sys::DEVFSIO_RDEL);
    missing.argument_mut().put(0, &(u32::from(FIRST) << 16 | 999).to_ne_bytes());
    ask(missing).refused(Errno::ENOENT);
    host.kernel.close(handle);
}

#[test]
fn patterns_have_a_length() {
    let host = Host::new();
    let rulesets = Rulesets::of(&host);
    let devfs = &rulesets.1;
    devfs.add(FIRST, &DevfsRule::hide(&"x".repeat(199))).unwrap();
    devfs.add(FIRST, &DevfsRule::hide(&"x".repeat(200))).refused(Errno::EINVAL);
    devfs.add(FIRST, &DevfsRule::hide("")).refused(Errno::EINVAL);
}

#[test]
fn nobody_but_root_and_no_jail() {
    let host = Host::new();
    let jid = host.plain_jail();
    host.unprivileged(|kernel| {
        let devfs = Devfs::open(kernel, Path::new("/dev")).unwrap();
        devfs.rulesets().refused(Errno::EPERM);
        devfs.add(FIRST, &DevfsRule::hide_all()).refused(Errno::EPERM);
    });
    host.inside(jid, |kernel| {
        let devfs = Devfs::open(kernel, Path::new("/dev")).unwrap();
        devfs.add(FIRST, &DevfsRule::hide_all()).refused(Errno::EPERM);
        devfs.select(1).refused(Errno::EPERM);
    });
}

#[test]
fn a_mount_keeps_its_ruleset() {
    use jailwire::jail::mount;

    let host = Host::with_files();
    let rulesets = Rulesets::of(&host);
    let devfs = &rulesets.1;
    let root = host.directory();
    std::fs::create_dir(root.join("dev")).unwrap();
    devfs.add(FIRST, &DevfsRule::hide_all()).unwrap();
    mount::mount(&*host.kernel, &mount::devfs(&root, Path::new("dev"), FIRST)).unwrap();
    assert!(devfs.delete(FIRST).unwrap());
    // The ruleset is empty, and still exists.
    assert!(devfs.rulesets().unwrap().contains(&FIRST));
    assert_eq!(devfs.rules(FIRST).unwrap(), []);
    let mounted = mount::beneath(&*host.kernel, &root).unwrap();
    mount::unmount(&*host.kernel, &mounted[0], false).unwrap();
    assert!(!devfs.rulesets().unwrap().contains(&FIRST));
}

#[test]
fn a_ruleset_is_applied_to_a_mount() {
    use jailwire::jail::mount;

    let host = Host::with_files();
    let rulesets = Rulesets::of(&host);
    let root = host.directory();
    std::fs::create_dir(root.join("dev")).unwrap();
    rulesets.1.add(FIRST, &DevfsRule::hide_all()).unwrap();
    mount::mount(&*host.kernel, &mount::devfs(&root, Path::new("dev"), 0)).unwrap();
    let inside = Devfs::open(host.kernel.clone(), &root.join("dev")).unwrap();
    inside.apply(FIRST).unwrap();
    inside.apply(FIRST + 900).refused(Errno::ESRCH);
    inside.select(FIRST).unwrap();
    inside.select(FIRST + 900).unwrap();
    if !host.kernel.simulated() {
        assert!(!root.join("dev/null").exists(), "hidden");
        assert!(!rulesets.0.kernel.now().is_zero());
    }
}
