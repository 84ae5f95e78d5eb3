//! A dry run ends as the command does: with the same exit status, and with the same error.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Root, text};

/// The preparation of a case.
type Prepare = fn(&Root);

fn nothing(_: &Root) {}

fn running(root: &Root) {
    root.ok(&["start", "web"]);
}

fn proxy_running(root: &Root) {
    root.ok(&["start", "proxy"]);
}

fn corrupt(root: &Root) {
    fs::write(root.jail("web").join("config.json"), "{").unwrap();
}

fn empty_config(root: &Root) {
    fs::write(root.jail("web").join("config.json"), "").unwrap();
}

fn bad_address(root: &Root) {
    fs::write(root.jail("web").join("config.json"), r#"{"vnet":1,"ip4_addr":"vnet0|192.0.2.300/24"}"#)
        .unwrap();
}

fn template(root: &Root) {
    fs::create_dir_all(root.path().join("templates/base/root")).unwrap();
    fs::write(root.path().join("templates/base/config.json"), r#"{"template":1}"#).unwrap();
}

fn no_root(root: &Root) {
    fs::remove_dir_all(root.jail("web").join("root")).unwrap();
}

fn no_dev(root: &Root) {
    fs::remove_dir_all(root.jail("web").join("root/dev")).unwrap();
}

fn bad_fstab(root: &Root) {
    fs::write(root.jail("web").join("fstab"), "/My Files\tmnt\tnullfs\tro\t0\t0\n").unwrap();
}

fn mountable(root: &Root) {
    fs::create_dir_all(root.jail("web").join("root/mnt")).unwrap();
}

fn mountable_and_up(root: &Root) {
    mountable(root);
    running(root);
}

fn depends_on_nothing(root: &Root) {
    root.ok(&["set", "depends=nosuch", "web"]);
}

fn depends_in_a_circle(root: &Root) {
    root.ok(&["set", "depends=web", "db"]);
}

fn no_bridge_of_that_name(root: &Root) {
    root.ok(&["set", "interfaces=vnet0:lan", "web"]);
}

fn uplink_is_missing(root: &Root) {
    root.ok(&["set", "vnet_default_interface=none", "web"]);
    let path = root.jail("web").join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace(r#""vnet_default_interface": "none""#, r#""vnet_default_interface": "em7""#),
    )
    .unwrap();
}

fn attached(root: &Root) {
    running(root);
    root.ok(&["net", "attach", "web", "--bridge", "bridge7"]);
}

fn lent(root: &Root) {
    running(root);
    root.ok(&["net", "lend", "--force", "em0", "web", "--name", "wan0"]);
}

fn name_is_taken(root: &Root) {
    lent(root);
    root.ok(&["net", "attach", "web", "--host-name", "em0", "--name", "eth9"]);
}

#[rustfmt::skip]
const CASES: [(Prepare, &str); 128] = [
    (nothing, "start nosuch"), (nothing, "start web"), (running, "start web"), (corrupt, "start web"),
    (empty_config, "start web"), (bad_address, "start web"), (template, "start base"), (no_root, "start web"),
    (no_dev, "start web"), (bad_fstab, "start web"), (depends_on_nothing, "start web"),
    (depends_in_a_circle, "start web"), (no_bridge_of_that_name, "start web"), (uplink_is_missing, "start web"),
    (corrupt, "start ALL"), (bad_address, "start --rc"), (corrupt, "start -i ALL"), (nothing, "start"),
    (nothing, "start ../web"), (depends_on_nothing, "start ALL"),
    (nothing, "stop nosuch"), (nothing, "stop web"), (running, "stop web"), (running, "stop -f web"),
    (corrupt, "stop web"), (template, "stop base"), (running, "stop ALL"), (running, "stop --rc"), (nothing, "stop"),
    (nothing, "stop ALL"), (nothing, "stop -i nosuch"),
    (nothing, "restart nosuch"), (nothing, "restart web"), (running, "restart web"), (corrupt, "restart web"),
    (template, "restart base"), (running, "restart -s web"), (nothing, "restart -s web"), (running, "restart ALL"),
    (bad_address, "restart web"), (nothing, "restart"),
    (nothing, "create -e -n new"), (nothing, "create -e -n web"), (nothing, "create -e -n a/b"),
    (nothing, "create -e -n new nosuch=1"), (nothing, "create -e -n new vnet=banana"), (nothing, "create -n new -r 99.9-RELEASE"),
    (nothing, "create -n new"), (nothing, "create -e -n new ip4_addr=em0|10.0.0.300"), (nothing, "create -t nosuch -n new"),
    (template, "create -t base -n new"), (nothing, "create -e -n ALL"), (nothing, "create -e -c 2 -n web"),
    (nothing, "create -e -n new template=maybe"), (nothing, "create -e -n new type=weird"),
    (nothing, "create -r /etc/passwd -n new"), (nothing, "create -e -n new boot=on depends=nosuch"),
    (nothing, "clone nosuch -n new"), (nothing, "clone web -n db"), (nothing, "clone web -n new"),
    (running, "clone web -n new"), (corrupt, "clone web -n new"), (template, "clone base -n new"),
    (nothing, "clone web -n new nosuch=1"), (nothing, "clone web"),
    (nothing, "destroy -f nosuch"), (nothing, "destroy -f web"), (running, "destroy -f web"), (corrupt, "destroy -f web"),
    (template, "destroy -f base"), (nothing, "destroy -f"), (running, "destroy web"),
    (nothing, "rename nosuch new"), (nothing, "rename web db"), (nothing, "rename web a/b"), (running, "rename web new"),
    (corrupt, "rename web new"), (template, "rename base new"), (nothing, "rename web web"), (nothing, "rename web ALL"),
    (nothing, "set nosuch=1 web"), (nothing, "set boot=banana web"), (nothing, "set boot=on nosuch"),
    (running, "set vnet=off web"), (nothing, "set interfaces=vnet0 web"), (corrupt, "set boot=on web"),
    (nothing, "set boot web"), (running, "set template=1 web"), (nothing, "set nosuch=1 default"),
    (nothing, "set nat_prefix=10 default"),
    (nothing, "fstab -a nosuch /tmp mnt nullfs ro 0 0"), (mountable, "fstab -a web /tmp mnt nullfs ro 0 0"),
    (mountable, "fstab -a web tmpfs mnt tmpfs rw,size=lots 0 0"), (mountable, "fstab -a web /tmp mnt foofs ro 0 0"),
    (mountable, "fstab -a web /nonexistent mnt nullfs ro 0 0"), (mountable, "fstab -a web /tmp /etc nullfs ro 0 0"),
    (mountable, "fstab -a web /tmp mnt nullfs"), (mountable_and_up, "fstab -a web /tmp mnt nullfs ro 0 0"),
    (mountable_and_up, "fstab -a web /tmp missing nullfs ro 0 0"), (mountable, "fstab -r web 0"),
    (mountable_and_up, "fstab -r web 0"), (mountable, "fstab -r web 9"), (mountable, "fstab -r web /nonexistent"),
    (mountable, "fstab -R 0 web /tmp mnt nullfs ro 0 0"), (mountable, "fstab -R 9 web /tmp mnt nullfs ro 0 0"),
    (bad_fstab, "fstab -a web /tmp mnt nullfs ro 0 0"),
    (nothing, "gc"), (nothing, "doctor --fix"),
    (nothing, "net attach nosuch"), (proxy_running, "net attach proxy"), (running, "net attach web --bridge em0"),
    (attached, "net attach web --name epair1b"), (running, "net attach web --bridge bridge0 --uplink em7"),
    (running, "net attach web --address 10.0.0.300/24"), (running, "net attach web --router nowhere"),
    (running, "net detach web nosuch"), (running, "net detach nosuch --all"), (attached, "net detach web epair1b"),
    (running, "net lend em7 web"), (running, "net lend em0 web"), (running, "net lend --force em0 web --name epair0b"),
    (running, "net lend --force lo0 web"),
    (running, "net lend --force em0 web --router 203.0.113.1"), (lent, "net reclaim nosuch web"), (lent, "net reclaim wan0 web"),
    (lent, "net reclaim lo0 web"), (name_is_taken, "net reclaim wan0 web --name em0"), (running, "host move-address em0 bridge0"),
];

#[test]
fn a_dry_run_ends_as_the_command() {
    let (wrong, next) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let work = || {
        while let Some((prepare, line)) = CASES.get(next.fetch_add(1, Ordering::Relaxed)) {
            let root = Root::new();
            prepare(&root);
            let words: Vec<&str> = line.split(' ').collect();
            let foreseen = root.run(&[&words[..], &["--dry-run"]].concat());
            let done = root.run_with_input(&words, "");
            if foreseen.status.code() != done.status.code() {
                let (first, then) = (text(&foreseen.stderr), text(&done.stderr));
                wrong.lock().unwrap().push(format!(
                    "{line}: --dry-run ends with {:?}, the command with {:?}\n  {}\n  {}",
                    foreseen.status.code(),
                    done.status.code(),
                    first.trim(),
                    then.trim()
                ));
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
