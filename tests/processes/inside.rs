//! The environment, descriptors and terminal of a program that is run in a jail, or for a jail, and the texts that
//! a shell gets to see.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;

use jailwire::iocage::property::{Kind, Property, Scope, TABLE};
use jailwire::kernel::Program;

use crate::world::World;

/// Text that a shell would execute. It has no blanks, so that it stays one word wherever a line is split.
const BAIT: &str = "$(touch${IFS}/tmp/jailwire-bait)`touch${IFS}/tmp/jailwire-bait`";

/// The variables that programs may have in their environment: in a jail without a user, for a user at a terminal,
/// and on the host.
const BY_ITSELF: [&str; 4] = ["HOME", "LANG", "PATH", "PWD"];
const AT_A_TERMINAL: [&str; 5] = ["HOME", "LANG", "PATH", "PWD", "TERM"];
const ON_THE_HOST: [&str; 2] = ["IOCAGE_NAME", "PATH"];

fn bait() -> bool {
    fs::exists("/tmp/jailwire-bait").unwrap_or(true)
}

/// The programs that a simulated host was asked to run, without the first `known`.
fn programs(world: &World, known: usize) -> Vec<Program> {
    let Some(sim) = &world.sim else { return Vec::new() };
    sim.programs().split_off(known)
}

#[test]
fn the_environment_is_ours_alone() {
    let world = World::new(1);
    let (jail, _) = &world.jails[0];
    let known = world.sim.as_ref().map_or(0, |sim| sim.programs().len());
    world.ok(&[
        "set",
        "exec_poststart=/bin/sleep 0",
        "exec_prestop=/bin/sleep 0",
        "exec_created=/bin/sleep 0",
        jail,
    ]);
    for words in [
        &["start", jail][..],
        &["exec", jail, "--", "/usr/bin/env"],
        &["console", jail],
        &["restart", "-s", jail],
        &["stop", jail],
    ] {
        let mut command = world.command(words);
        command
            .env("SECRET", "swordfish")
            .env("LD_LIBRARY_PATH", "/swordfish")
            .env("ENV", "/swordfish")
            .env("TERM", "vt100");
        let output = command.output().expect("the program starts");
        if words[0] == "exec" && world.sim.is_none() {
            assert!(output.status.success(), "{output:?}");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let names: BTreeSet<&str> =
                said.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
            assert_eq!(names, BTreeSet::from(AT_A_TERMINAL), "{said}");
        }
    }
    let mut looked_at = 0;
    for program in programs(&world, known) {
        let names: BTreeSet<String> =
            program.environment.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        let all: [&[&str]; 3] = [&BY_ITSELF, &AT_A_TERMINAL, &ON_THE_HOST];
        let place = match (program.jail, program.stdin) {
            (Some(_), false) => 0,
            (Some(_), true) => 1,
            (None, _) => 2,
        };
        let mut allowed: BTreeSet<String> = all[place].iter().map(|name| (*name).to_owned()).collect();
        if program.jail.is_none() && names.contains("JID") {
            allowed.extend(["JID".to_owned(), "JNAME".to_owned()]);
        }
        assert_eq!(names, allowed, "{:?}", program.arguments);
        let values = program.environment.iter().map(|(_, value)| value.to_string_lossy());
        assert!(!values.into_iter().any(|value| value.contains("swordfish")), "{:?}", program.environment);
        looked_at += 1;
    }
    println!(
        "environments: {looked_at} programs of a simulated host, and one on a running kernel where there is one"
    );
    assert!(world.sim.is_none() || looked_at >= 9, "{looked_at}");
}

#[test]
fn no_shell_sees_what_is_no_command() {
    assert!(!bait(), "/tmp/jailwire-bait is there: remove it");
    let world = World::new(1);
    let (jail, _) = &world.jails[0];
    // Commands are checked below.
    let is_command = |property: &Property| {
        matches!(property.kind, Kind::Hook | Kind::Command) || property.name == "exec_created"
    };
    let (taken, refused): (Vec<&Property>, Vec<&Property>) = TABLE
        .iter()
        .filter(|property| {
            property.scope != Scope::Fixed && !is_command(property) && property.name != "jail_zfs"
        })
        .partition(|property| property.kind.check(BAIT).is_ok());
    // The first member stands for its family of properties.
    let taken: Vec<String> = taken.iter().map(|property| property.name.replace("vnetN", "vnet0")).collect();
    let (mut started, mut run) = (0, 0);
    // Properties that prevent a start in a group are tried alone, too.
    let mut groups: Vec<&[String]> = taken.chunks(6).collect();
    while let Some(group) = groups.pop() {
        let config = fs::read(world.path("jails/j0/config.json")).expect("config.json");
        let values: Vec<String> = group.iter().map(|name| format!("{name}={BAIT}")).collect();
        let words: Vec<&str> =
            std::iter::once("set").chain(values.iter().map(String::as_str)).chain([&**jail]).collect();
        let set = world.run(&words).status.success();
        let known = world.sim.as_ref().map_or(0, |sim| sim.programs().len());
        let up = set && world.run(&["start", jail]).status.success();
        if up {
            started += group.len();
            let _ = world.run(&["console", jail]);
        }
        let _ = world.run(&["stop", jail]);
        for program in programs(&world, known) {
            run += 1;
            let words: Vec<_> =
                program.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            let shell = words.first().is_some_and(|word| word.ends_with("/sh"));
            assert!(
                !shell || !words.iter().any(|word| word.contains("jailwire-bait")),
                "{group:?}: {words:?}"
            );
        }
        assert!(!bait(), "{group:?} came to a shell");
        assert!(
            !fs::exists(world.root_of(jail).join("tmp/jailwire-bait")).unwrap(),
            "{group:?} came to a shell inside"
        );
        fs::write(world.path("jails/j0/config.json"), config).expect("config.json");
        if !up && group.len() > 1 {
            groups.extend(group.chunks(1));
        }
    }
    // A command in the jail is split into words, without a shell.
    let known = world.sim.as_ref().map_or(0, |sim| sim.programs().len());
    world.ok(&["set", &format!("exec_start=/bin/echo {BAIT}"), jail]);
    world.ok(&["start", jail]);
    world.ok(&["stop", jail]);
    if world.sim.is_some() {
        let words: [OsString; 2] = ["/bin/echo".into(), BAIT.into()];
        assert!(programs(&world, known).iter().any(|program| program.arguments == words));
    }
    assert!(!bait() && !fs::exists(world.root_of(jail).join("tmp/jailwire-bait")).unwrap());
    println!(
        "shells: {} properties held text that a shell would act on, {started} of them while the jail was started, {} \
         refused it; {run} programs looked at",
        taken.len(),
        refused.len()
    );
    assert!(started > 10 && refused.len() > 30, "{started} {}", refused.len());
}

/// Tests for a system on which programs really run.
#[cfg(target_os = "freebsd")]
mod running {
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::program::text;

    fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "{what} did not come about");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The numbers of a process's descriptors, with procstat(1)'s line about each.
    fn descriptors(pid: &str) -> Vec<(u32, String)> {
        let output = Command::new("procstat").args(["-f", pid]).output().expect("procstat");
        let shown = text(&output.stdout);
        let number = |line: &str| Some((line.split_whitespace().nth(2)?.parse().ok()?, line.to_owned()));
        let found: Vec<_> = shown.lines().filter_map(number).collect();
        assert!(!found.is_empty(), "{shown}{}", text(&output.stderr));
        found
    }

    /// The program, run by a shell that keeps a file, a directory and other objects open.
    fn with_descriptors(world: &World, words: &[&str]) -> Command {
        let command = world.command(words);
        let quoted: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        let mut shell = Command::new("/bin/sh");
        let line = format!(
            "exec 3</etc/passwd 4</ 5</dev/null 6>>/dev/null 7<&4 8<&0 9>&1; exec {}",
            quoted.join(" ")
        );
        shell.args(["-c", &line]).stdin(Stdio::null());
        shell
    }

    const HOLD: &str = "#!/bin/sh\necho $$ > /tmp/$1.new\nmv /tmp/$1.new /tmp/$1\nwhile [ ! -e /tmp/go ]; do sleep 0.05; done\n";

    #[test]
    fn no_descriptor_of_the_hosts_is_open_inside() {
        let world = World::new(1);
        if world.sim.is_some() {
            return;
        }
        let (jail, _) = &world.jails[0];
        let tmp = world.root_of(jail).join("tmp");
        fs::write(tmp.join("hold"), HOLD).expect("a script");
        world.ok(&["set", "exec_start=/bin/sh /tmp/hold start", "exec_stop=/bin/sh /tmp/hold stop", jail]);
        let mut looked_at = 0;
        for (words, pid) in [
            (&["start", jail][..], "start"),
            (&["exec", jail, "--", "/bin/sh", "/tmp/hold", "exec"], "exec"),
            (&["exec", jail, "--", "/bin/sh /tmp/hold line; true"], "line"),
            (&["restart", "-s", jail], "stop"),
            (&["stop", jail], "stop"),
        ] {
            let _ = fs::remove_file(tmp.join("go"));
            let _ = fs::remove_file(tmp.join(pid));
            let mut child = with_descriptors(&world, words)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts");
            let number = until(pid, || fs::read_to_string(tmp.join(pid)).ok());
            for (number, line) in descriptors(number.trim()) {
                // The script is allowed, because the shell itself has opened it.
                assert!(number <= 2 || line.ends_with("/tmp/hold"), "{words:?}: {line}");
                // The program has no file of the host's file system open but those it was given.
                assert!(!line.contains("/etc/passwd"), "{words:?}: {line}");
            }
            looked_at += 1;
            fs::write(tmp.join("go"), "").expect("a file");
            assert!(child.wait().expect("it ends").success(), "{words:?}");
        }
        println!("descriptors: none but 0, 1 and 2 in {looked_at} programs run in a jail");
    }

    #[test]
    fn a_console_has_a_terminal_of_its_own() {
        let world = World::new(1);
        if world.sim.is_some() {
            return;
        }
        if !Path::new("/usr/bin/script").exists() {
            println!("console: not looked at, there is no script(1)");
            return;
        }
        let (jail, _) = &world.jails[0];
        let root = world.root_of(jail);
        // The jail gets a login program of its own, without a mount of the host's /usr/bin over it.
        let fstab = world.path("jails").join(jail).join("fstab");
        let lines = fs::read_to_string(&fstab).expect("fstab");
        fs::write(
            &fstab,
            lines
                .lines()
                .filter(|line| !line.starts_with("/usr/bin"))
                .map(|line| format!("{line}\n"))
                .collect::<String>(),
        )
        .unwrap();
        for program in ["tty", "env"] {
            fs::copy(Path::new("/usr/bin").join(program), root.join("usr/bin").join(program))
                .expect("a copy");
        }
        let login = root.join("usr/bin/login");
        fs::write(&login, format!("#!/bin/sh\n/usr/bin/tty > /tmp/tty\n/usr/bin/env > /tmp/env\necho said by login\nread typed\necho \"typed: $typed\"\n{}", HOLD.replace("$1", "console").trim_start_matches("#!/bin/sh\n"))).unwrap();
        fs::set_permissions(&login, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        world.ok(&["start", jail]);
        let transcript = world.path("log/transcript");
        let command = world.command(&["console", jail]);
        let mut script = Command::new("/usr/bin/script");
        script.arg("-q").arg(&transcript).arg("/bin/sh").arg("-c");
        let quoted: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        script.arg(format!(
            "tty > '{}'; exec 3</etc/passwd 4</; exec {}",
            world.path("log/outer").display(),
            quoted.join(" ")
        ));
        let mut child =
            script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("script");
        use std::io::Write as _;
        let mut typing = child.stdin.take().expect("a pipe");
        until("the prompt", || {
            fs::read_to_string(&transcript).ok().filter(|text| text.contains("said by login"))
        });
        typing.write_all(b"hello\n").expect("it is typed");
        let pid = until("the login", || fs::read_to_string(root.join("tmp/console")).ok());
        let inner = fs::read_to_string(root.join("tmp/tty")).unwrap();
        let outer = fs::read_to_string(world.path("log/outer")).unwrap();
        for (number, line) in descriptors(pid.trim()) {
            // The login's own shell keeps the script open that it reads.
            assert!(number <= 2 || line.contains("/login"), "{line}");
            assert!(!line.contains(outer.trim()) && !line.contains("/etc/passwd"), "{line}");
        }
        let environment = fs::read_to_string(root.join("tmp/env")).unwrap();
        let names: BTreeSet<&str> =
            environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        assert_eq!(names, BTreeSet::from(AT_A_TERMINAL), "{environment}");
        fs::write(root.join("tmp/go"), "").unwrap();
        assert!(child.wait().expect("it ends").success());
        let said = fs::read_to_string(&transcript).unwrap();
        assert!(said.contains("typed: hello"), "{said}");
        assert!(inner.starts_with("/dev/pts/") && inner != outer, "inside {inner}, outside {outer}");
        world.ok(&["stop", jail]);
        println!("console: {} inside, {} outside", inner.trim(), outer.trim());
    }
}
