//! Other commands that scripts use: snapshots, rollback, df, fstab, templates, basejails and copies, activate.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{Pool, real};

fn lines(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn snapshots_are_taken_listed_and_removed_of_the_jail_and_its_root() {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    pool.ok(&["create", "-n", "tpl", "-r", "15.1-RELEASE", "template=1"]);
    let before = pool.state();
    let said = pool.ok(&["snapshot", "shop", "-n", "one"]);
    assert_eq!(said, format!("Snapshot: {}@one created.\n", pool.name("jails/shop")));
    assert!(pool.fails(&["snapshot", "shop", "-n", "one"]).contains("exists!"));
    assert!(pool.fails(&["snapshot", "shop", "-n", "a/b"]).contains("no name of a snapshot"));
    pool.ok(&["snapshot", "ALL", "-n", "two"]);
    let listed = pool.ok(&["snaplist", "-h", "-s", "name", "shop"]);
    let names: Vec<_> = lines(&listed).into_iter().map(|row| row[0]).collect();
    assert_eq!(names, ["one", "one/root", "two", "two/root"]);
    assert!(lines(&listed).iter().all(|row| row.len() == 4), "{listed}");
    let all = pool.ok(&["snaplist", "-h", "-l", "ALL"]);
    assert!(all.contains(&format!("tpl\t{}@two\t", pool.name("templates/tpl/root"))), "{all}");
    assert!(pool.ok(&["snaplist", "shop"]).contains(" NAME "));
    pool.ok(&["snapremove", "shop", "-n", "one"]);
    assert!(pool.fails(&["snapremove", "shop", "-n", "one"]).contains("not found!"));
    assert!(pool.fails(&["snapremove", "shop", "-n", "ALL"]).contains("requires \"force\" (-f)"));
    // A snapshot with a clone stays, and the others are removed.
    pool.ok(&["clone", "shop", "-n", "copy"]);
    let output = pool.run(&["snapremove", "ALL", "-n", "ALL", "-f"]);
    assert!(output.status.success());
    let said = crate::support::text(&output.stderr);
    assert!(said.contains("@copy: used by clones."), "{said}");
    pool.ok(&["destroy", "-f", "copy"]);
    assert_eq!(pool.state(), before);
}

#[test]
fn a_rollback_takes_both_datasets_back() {
    let pool = Pool::new();
    pool.create_shop();
    let file = pool.jail("shop").join("root/file");
    fs::write(&file, "before").unwrap();
    pool.ok(&["snapshot", "shop", "-n", "one"]);
    fs::write(&file, "after").unwrap();
    pool.ok(&["set", "notes=after", "shop"]);
    pool.ok(&["snapshot", "shop", "-n", "two"]);
    assert!(pool.fails(&["rollback", "shop", "-n", "no"]).contains("not found!"));
    let said = pool.fails(&["rollback", "shop", "-n", "one"]);
    assert!(said.contains("Aborted!"), "without an answer: {said}");
    pool.ok(&["start", "shop"]);
    assert!(pool.fails(&["rollback", "-f", "shop", "-n", "one"]).contains("Please stop shop"));
    pool.ok(&["stop", "shop"]);
    pool.ok(&["clone", "shop", "-n", "copy"]);
    let said = pool.fails(&["rollback", "-f", "shop", "-n", "one"]);
    assert!(said.contains("has clones: copy"), "{said}");
    pool.ok(&["destroy", "-f", "copy"]);
    let said = pool.ok(&["rollback", "-f", "shop", "-n", "one"]);
    assert_eq!(said, format!("Rolled back to: {}\n", pool.name("jails/shop")));
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    assert_eq!(pool.ok(&["get", "notes", "shop"]), "none\n");
    assert!(!pool.state().iter().any(|line| line.contains("@two")));
}

#[test]
fn df_has_a_row_for_each_jail_and_template() {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "shop", "-r", "15.1-RELEASE"]);
    pool.ok(&["create", "-n", "tpl", "-r", "15.1-RELEASE", "template=1"]);
    let said = pool.ok(&["df", "-h"]);
    let rows = lines(&said);
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ["shop", "tpl"]);
    assert!(rows.iter().all(|row| row.len() == 6 && row[1].ends_with('x')), "{said}");
    for sort in ["name", "crt", "res", "qta", "use", "ava"] {
        assert!(pool.ok(&["df", "-s", sort]).contains(" NAME "));
    }
    assert!(crate::support::Root::new().fails(&["df"], 1).contains("is a plain directory"));
}

#[test]
fn a_jail_becomes_a_template_and_a_jail_again() {
    let pool = Pool::new();
    pool.create_shop();
    let before = pool.state();
    pool.ok(&["start", "shop"]);
    assert!(pool.fails(&["set", "template=1", "shop"]).contains("Please stop it first!"));
    pool.ok(&["stop", "shop"]);
    assert_eq!(pool.ok(&["set", "template=1", "shop"]), "shop converted to a template.\n");
    assert!(pool.ok(&["list", "-t"]).contains("| shop "));
    assert_eq!(pool.zfs(&["get", "-H", "-o", "value", "readonly", &pool.name("templates/shop")]), "on\n");
    assert_eq!(pool.ok(&["get", "type", "shop"]), "template\n");
    // A property of a template can be set all the same, and the template is read-only afterwards.
    pool.ok(&["set", "notes=mine", "shop"]);
    assert_eq!(pool.ok(&["get", "notes", "shop"]), "mine\n");
    assert_eq!(pool.zfs(&["get", "-H", "-o", "value", "readonly", &pool.name("templates/shop")]), "on\n");
    pool.ok(&["create", "-n", "web", "-t", "shop"]);
    assert!(pool.jail("web").join("root/usr/bin/vi").exists());
    pool.ok(&["destroy", "-f", "web"]);
    assert_eq!(pool.ok(&["set", "template=0", "shop"]), "shop converted to a jail.\n");
    assert_eq!(pool.ok(&["get", "type", "shop"]), "jail\n");
    assert_eq!(pool.state(), before);
    assert!(pool.fails(&["set", "template=perhaps", "shop"]).contains("not a valid value"));
}

/// The dataset of a template is read-only, and is so again after each command that has written to it.
#[test]
fn files_of_a_template_are_written() {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "tpl", "-r", "15.1-RELEASE", "template=1"]);
    pool.ok(&["create", "-n", "web", "-t", "tpl"]);
    let written = |words: &[&str], before: &str, after: &str| {
        let asked = || fs::read_to_string(pool.control().join("asked")).unwrap();
        let earlier = asked().len();
        pool.ok(words);
        let calls = asked().split_off(earlier);
        let of = |word: &str, name: &str| {
            format!("set readonly={word} {}", pool.name(&format!("templates/{name}")))
        };
        let place = |call: &str| calls.lines().position(|line| line == call);
        let (off, on) = (place(&of("off", before)), place(&of("on", before)));
        assert!(off.is_some() && off < on, "{words:?}: {calls}");
        let dataset = pool.name(&format!("templates/{after}"));
        assert_eq!(pool.zfs(&["get", "-H", "-o", "value", "readonly", &dataset]), "on\n", "{words:?}");
    };
    let log = pool.root().join("log");
    let fstab =
        |name: &str| fs::read_to_string(pool.root().join("templates").join(name).join("fstab")).unwrap();
    let line = format!("{} /etc nullfs ro 0 0", log.display());
    written(&["fstab", "-a", "tpl", &line], "tpl", "tpl");
    assert!(fstab("tpl").contains("templates/tpl/root/etc\tnullfs"), "{}", fstab("tpl"));
    written(&["rename", "tpl", "base"], "tpl", "base");
    assert!(fstab("base").contains("templates/base/root/etc\tnullfs"), "{}", fstab("base"));
    assert_eq!(pool.config("web")["source_template"], "base");
    assert_eq!(pool.ok(&["get", "host_hostuuid", "base"]), "base\n");
    written(&["set", "depends=web", "base"], "base", "base");
    // The rename of another jail.
    written(&["rename", "web", "shop"], "base", "base");
    assert_eq!(pool.ok(&["get", "depends", "base"]), "shop\n");
    let editor = pool.directory.path().join("editor");
    fs::write(&editor, "#!/bin/sh\necho '# edited' >>\"$1\"\n").unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let edited = pool.run_with(&["fstab", "-e", "base"], &[("EDITOR", editor.to_str().unwrap())]);
    assert!(edited.status.success(), "{}", crate::support::text(&edited.stderr));
    assert!(fstab("base").ends_with("# edited\n"), "{}", fstab("base"));
    assert_eq!(pool.zfs(&["get", "-H", "-o", "value", "readonly", &pool.name("templates/base")]), "on\n");
    written(&["fstab", "-r", "base", "0"], "base", "base");
}

#[test]
fn a_basejail_mounts_the_releases_base_system() {
    for (option, origin) in [("-b", "-"), ("-B", "releases/15.1-RELEASE/root@shop")] {
        let pool = Pool::new();
        let before = pool.state();
        pool.ok(&[
            "create",
            option,
            "-n",
            "shop",
            "-r",
            "15.1-RELEASE",
            "exec_start=/usr/bin/true",
            "exec_stop=/usr/bin/true",
        ]);
        assert!(
            pool.state().contains(&format!("jails/shop/root\tyes\t{origin}")),
            "{option}: {:?}",
            pool.state()
        );
        assert_eq!(pool.config("shop")["basejail"], 1);
        assert_eq!(fs::read_dir(pool.jail("shop").join("root/usr/bin")).unwrap().count(), 0);
        let listed = pool.ok(&["fstab", "-l", "-h", "shop"]);
        let row = listed.lines().find(|line| line.contains("/root/usr/bin\t")).expect("a mount of usr/bin");
        let (release, jail) =
            (pool.root().join("releases/15.1-RELEASE/root/usr/bin"), pool.jail("shop").join("root/usr/bin"));
        assert!(
            row.ends_with(&format!("{}\t{}\tnullfs\tro\t0\t0", release.display(), jail.display())),
            "{listed}"
        );
        pool.ok(&["start", "shop"]);
        let is_bin =
            |(fstype, on): &(String, PathBuf)| fstype == "nullfs" && on.ends_with("shop/root/usr/bin");
        assert!(pool.mounts().iter().any(is_bin), "{:?}", pool.mounts());
        pool.ok(&["stop", "shop"]);
        assert!(pool.ok(&["list", "-l", "-h"]).contains("shop"));
        pool.ok(&["destroy", "-f", "shop"]);
        assert_eq!(pool.state(), before, "{option}");
    }
}

#[test]
fn a_thick_jail_needs_its_release_no_more() {
    let pool = Pool::new();
    pool.ok(&["create", "-n", "tpl", "-r", "15.1-RELEASE", "template=1"]);
    let before = pool.state();
    pool.ok(&["create", "-T", "-n", "shop", "-r", "15.1-RELEASE"]);
    pool.ok(&["create", "-T", "-n", "web", "-t", "tpl"]);
    let state = pool.state();
    assert!(state.contains(&"jails/shop/root\tyes\t-".to_owned()), "{state:?}");
    assert!(state.contains(&"jails/web/root\tyes\t-".to_owned()), "{state:?}");
    assert!(!state.iter().any(|line| line.contains("@shop") || line.contains("@web")), "{state:?}");
    assert!(pool.config("shop").get("cloned_release").is_none());
    assert_eq!(fs::read_to_string(pool.jail("web").join("root/usr/bin/vi")).unwrap(), "an editor");
    pool.ok(&["destroy", "-f", "shop", "web"]);
    assert_eq!(pool.state(), before);
}

#[test]
fn a_whole_configuration_has_every_property() {
    let pool = Pool::new();
    pool.ok(&["create", "-C", "-n", "shop", "-r", "15.1-RELEASE", "priority=7"]);
    let config = pool.config("shop");
    assert_eq!((&config["CONFIG_TYPE"], &config["priority"]), (&"THICK".into(), &"7".into()));
    assert_eq!(config["ip6_addr"], "none");
    assert!(config.as_object().unwrap().len() >= 145, "{}", config.as_object().unwrap().len());
    pool.ok(&["clone", "shop", "-n", "copy"]);
    assert_eq!(pool.config("copy")["CONFIG_TYPE"], "THICK");
}

#[test]
fn packages_are_not_installed_and_it_is_said_how() {
    let pool = Pool::new();
    let list = pool.root().join("list.json");
    fs::write(&list, r#"{"pkgs": ["pkg", "nano"]}"#).unwrap();
    let list = list.to_str().unwrap();
    let said = pool.fails(&["create", "-n", "shop", "-r", "15.1-RELEASE", "-p", list]);
    assert!(said.contains("exec shop env ASSUME_ALWAYS_YES=yes pkg install pkg nano"), "{said}");
    assert!(pool.jail("shop").join("config.json").exists());
    for wrong in ["[]", r#"{"pkgs": "x"}"#, r#"{"pkgs": ["a b"]}"#, r#"{"pkgs": ["-x"]}"#] {
        fs::write(list, wrong).unwrap();
        pool.fails(&["create", "-n", "other", "-r", "15.1-RELEASE", "-p", list]);
        assert!(!pool.jail("other").exists());
    }
}

#[test]
fn fstab_changes_the_file_and_what_runs() {
    let pool = Pool::new();
    pool.create_shop();
    let data = pool.root().join("my data");
    fs::create_dir_all(&data).unwrap();
    for directory in ["mnt", "other"] {
        fs::create_dir_all(pool.jail("shop").join("root").join(directory)).unwrap();
    }
    let fstab = pool.jail("shop").join("fstab");
    fs::write(&fstab, "# mine\n").unwrap();
    let data = data.to_str().unwrap();
    pool.ok(&["start", "shop"]);
    let before = pool.mounts();
    let said = pool.ok(&["fstab", "-a", "shop", data, "/mnt", "nullfs", "rw", "0", "0"]);
    assert_eq!(said, "Successfully added mount to shop's fstab\n");
    let text = fs::read_to_string(&fstab).unwrap();
    assert!(
        text.starts_with("# mine\n")
            && text.contains("my\\040data\t")
            && text.contains("# Added by iocage on"),
        "{text}"
    );
    let mounted = |directory: &str| {
        pool.mounts()
            .iter()
            .any(|(fstype, on)| fstype == "nullfs" && on.ends_with(format!("shop/root/{directory}")))
    };
    assert!(mounted("mnt"), "{:?}", pool.mounts());
    assert!(
        pool.fails(&["fstab", "-a", "shop", data, "/mnt", "nullfs", "ro", "0", "0"])
            .contains("already exists!")
    );
    assert!(pool.ok(&["fstab", "-l", "shop"]).contains("FSTAB ENTRY"));
    assert_eq!(
        pool.ok(&["fstab", "-R", "0", "shop", data, "/other", "nullfs", "ro", "0", "0"]),
        "Index 0 replaced.\n"
    );
    assert!(mounted("other") && !mounted("mnt"));
    pool.ok(&["stop", "shop"]);
    assert!(!mounted("other"), "it goes with the jail");
    pool.ok(&["start", "shop"]);
    assert_eq!(pool.ok(&["fstab", "-r", "shop", "0"]), "Successfully removed mount from shop's fstab\n");
    assert_eq!(pool.mounts(), before);
    assert_eq!(fs::read_to_string(&fstab).unwrap(), "# mine\n");
    pool.ok(&["stop", "shop"]);
    // By the line itself, as one or several words, and by a single directory.
    let one = format!("{} /mnt nullfs ro 0 0", pool.root().join("log").display());
    pool.ok(&["fstab", "-a", "shop", &one]);
    pool.ok(&["fstab", "-r", "shop", &one]);
    for (words, why) in [
        (&["fstab", "-a", "shop", "/no/such/place"][..], "does not exist"),
        (&["fstab", "-a", "shop", data, "/nowhere", "nullfs", "ro", "0", "0"], "Destination:"),
        (&["fstab", "-a", "shop", data, "/../../etc", "nullfs", "ro", "0", "0"], "upwards"),
        (&["fstab", "-a", "shop", data, "/mnt"], "valid fstab entry"),
        (&["fstab", "-r", "shop", "7"], "Index 7 not found"),
        (&["fstab", "-r", "shop", data, "/mnt", "nullfs", "ro", "0", "0"], "No matching fstab entry"),
        (&["fstab", "shop", "0"], "--add"),
    ] {
        let said = pool.fails(words);
        assert!(said.contains(why), "{words:?}: {said}");
    }
    assert_eq!(fs::read_to_string(&fstab).unwrap(), "# mine\n");
}

/// `fstab -e` runs an editor on a copy, and takes over the result.
#[test]
fn an_editor_changes_an_fstab_or_leaves_it() {
    let pool = Pool::new();
    pool.create_shop();
    let fstab = pool.jail("shop").join("fstab");
    fs::write(&fstab, "# mine\n").unwrap();
    let line = format!("{} /mnt nullfs ro 0 0", pool.root().join("log").display());
    let editor = |text: &str| {
        let editor = pool.directory.path().join("editor");
        fs::write(&editor, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
        format!("{} -x", editor.display())
    };
    let edit = |text: &str| pool.run_with(&["fstab", "-e", "shop"], &[("EDITOR", &editor(text))]);
    let nothing = edit("exit 0");
    assert!(nothing.status.success() && nothing.stdout.is_empty());
    let added = edit(&format!("[ \"$1\" = -x ] && echo '{line}' >>\"$2\""));
    assert!(added.status.success(), "{}", crate::support::text(&added.stderr));
    assert!(crate::support::text(&added.stdout).contains("takes effect at the jail's next start"));
    let now = format!("# mine\n{line}\n");
    assert_eq!(fs::read_to_string(&fstab).unwrap(), now);
    // A wrong line is taken over with a warning, because the file belongs to the user.
    let wrong = edit("echo nonsense >>\"$2\"");
    assert!(wrong.status.success() && crate::support::text(&wrong.stderr).contains("line 3"), "{wrong:?}");
    fs::write(&fstab, &now).unwrap();
    for (text, why) in [
        ("exit 3", "The fstab stays as it is"),
        (
            &format!("echo more >>\"$2\"; echo theirs >'{}'", fstab.display()),
            "was changed by another program",
        ),
    ] {
        let failed = edit(text);
        let said = crate::support::text(&failed.stderr);
        assert!(failed.status.code() == Some(1) && said.contains(why), "{said}");
    }
    assert_eq!(fs::read_to_string(&fstab).unwrap(), "theirs\n");
    let missing = pool.run_with(&["fstab", "-e", "shop"], &[("EDITOR", "/no/such/editor")]);
    assert!(crate::support::text(&missing.stderr).contains("set EDITOR to an editor"));
    let left: Vec<_> = fs::read_dir(pool.jail("shop")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".fstab")), "{left:?}");
}

/// The next command that makes a jail removes temporary files of a killed command.
#[test]
fn files_that_were_not_written_to_their_end_go() {
    let pool = Pool::new();
    pool.create_shop();
    let left = || {
        let of_shop = [".config.json.new", ".fstab.new"].map(|name| pool.jail("shop").join(name));
        let of_all = [".defaults.json.new", ".default_rc.conf.new", "..vnet-where-possible.new"];
        of_shop.into_iter().chain(of_all.map(|name| pool.root().join(name)))
    };
    for command in [&["create", "-e", "-n", "other"][..], &["start", "shop"], &["stop", "shop"]] {
        left().for_each(|path| fs::write(path, "half").unwrap());
        pool.ok(command);
        let there: Vec<_> = left().filter(|path| path.exists()).collect();
        assert!(there.is_empty(), "{command:?}: {there:?}");
    }
}

#[test]
fn a_pool_is_activated_with_its_datasets() {
    let pool = Pool::new();
    if pool.is_real() && !real::in_guest() {
        // `activate` deactivates all other pools.
        return;
    }
    let _others = Others::new(&pool);
    pool.zfs(&["set", "org.freebsd.ioc:active=yes", "reserve"]);
    let said = pool.ok(&["activate", "zroot"]);
    assert!(
        said.ends_with("ZFS pool 'zroot' successfully activated.\n")
            && said.contains("Creating zroot/iocage/jails\n"),
        "{said}"
    );
    let active =
        pool.zfs(&["list", "-H", "-d", "0", "-o", "name,org.freebsd.ioc:active", "reserve", "zroot"]);
    assert_eq!(active, "reserve\tno\nzroot\tyes\n");
    assert!(pool.directory.path().join("zroot/iocage/templates").is_dir());
    assert_eq!(pool.ok(&["activate", "zroot"]), "ZFS pool 'zroot' successfully activated.\n");
    let said = pool.fails(&["activate", "nosuch"]);
    let pools = pool.zfs(&["list", "-H", "-d", "0", "-o", "name"]).trim().replace('\n', ", ");
    assert!(pools.contains("reserve") && pools.contains("zroot"), "{pools}");
    assert!(said.contains(&format!("ZFS pool 'nosuch' not found! Pools: {pools}")), "{said}");
}

/// Two more pools, for as long as a test needs them.
struct Others {
    are_real: bool,
}

impl Others {
    fn new(pool: &Pool) -> Others {
        for name in ["zroot", "reserve"] {
            let on = pool.directory.path().join(name);
            match pool.is_real() {
                true => real::create(name, Some(&on)),
                false => drop(pool.zfs(&["create", "-o", &format!("mountpoint={}", on.display()), name])),
            }
        }
        Others { are_real: pool.is_real() }
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        if self.are_real {
            ["zroot", "reserve"].into_iter().for_each(real::destroy_pool);
        }
    }
}

#[test]
fn what_stays_with_iocage_is_one_clear_line() {
    let pool = Pool::new();
    for command in crate::words::STAY_WITH_IOCAGE {
        let said = pool.fails(&[command, "-r", "15.1-RELEASE", "web"]);
        assert!(
            said.contains(&format!("{command} stays with iocage")) && said.lines().count() == 1,
            "{said}"
        );
        let guide = include_str!("../../../docs/guide/iocage.md");
        assert!(guide.contains(&format!("\n| `{command}` |")), "the guide has no row for {command}");
    }
}
