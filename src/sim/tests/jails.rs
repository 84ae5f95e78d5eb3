//! `jail_set(2)`, `jail_get(2)`, and children that enter jails.

use std::time::Duration;

use super::*;
use crate::kernel::{Calls, Clock, Entered, Entry, Failure, Processes, Sysctl, Target, Value};
use crate::sim::{Fault, Release};

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> (Errno, String) {
    let Failure { errno, text } = result.unwrap_err();
    (errno, text.unwrap_or_default())
}

fn named_jail(name: &str) -> Vec<Parameter> {
    vec![Parameter::string("name", name), Parameter::flag("persist")]
}

fn with(name: &str, more: &[Parameter]) -> Vec<Parameter> {
    let mut parameters = named_jail(name);
    parameters.extend_from_slice(more);
    parameters
}

fn older() -> Host {
    Host::with(Options { release: Release::V14_2, ..Options::default() })
}

fn int(host: &Host, jid: i32, name: &str) -> i32 {
    let mut parameters = [Parameter::int("jid", jid), Parameter::int(name, -7)];
    host.sim.jail_get(&mut parameters, sys::JAIL_DYING).unwrap();
    let Value::Bytes(bytes) = &parameters[1].value else { panic!("{parameters:?}") };
    i32::from_ne_bytes(bytes[..].try_into().unwrap())
}

fn text(host: &Host, jid: i32, name: &str) -> String {
    let mut parameters = [Parameter::int("jid", jid), Parameter::bytes(name, [0; 256])];
    host.sim.jail_get(&mut parameters, sys::JAIL_DYING).unwrap();
    let Value::Bytes(bytes) = &parameters[1].value else { panic!("{parameters:?}") };
    String::from_utf8_lossy(Block::new(&bytes[..]).text_at(0, 256)).into_owned()
}

#[test]
fn errors_and_their_words() {
    let host = Host::new();
    let create = |parameters: &[Parameter]| refusal(host.jail(parameters));
    let set = |parameters: &[Parameter], flags: i32| refusal(host.sim.jail_set(parameters, flags));
    let einval = |text: &str| (Errno::EINVAL, text.to_owned());
    host.jail(&with("x1", &[Parameter::int("jid", 1)])).unwrap();
    assert_eq!(set(&named_jail("x"), 0), einval("no valid operation (create or update)"));
    assert_eq!(set(&named_jail("x"), 0x100), einval(""));
    assert_eq!(create(&[Parameter::string("name", "x")]), einval("new jail must persist or attach"));
    let exists = (Errno::EEXIST, "jail \"x1\" already exists".to_owned());
    assert_eq!(create(&named_jail("x1")), exists);
    let taken = (Errno::EEXIST, "jail 1 already exists".to_owned());
    assert_eq!(create(&with("y", &[Parameter::int("jid", 1)])), taken);
    assert_eq!(create(&named_jail("nop.x")), (Errno::ENOENT, "jail \"nop\" not found".to_owned()));
    assert_eq!(create(&with("y", &[Parameter::int("jid", -1)])), einval("negative jid"));
    let update = |parameters: &[Parameter]| set(parameters, sys::JAIL_UPDATE);
    assert_eq!(update(&[Parameter::flag("persist")]), (Errno::ENOENT, "update specified no jail".into()));
    assert_eq!(update(&[Parameter::int("jid", 9)]), (Errno::ENOENT, "jail 9 not found".into()));
    let name = [Parameter::string("name", "zz")];
    assert_eq!(update(&name), (Errno::ENOENT, "jail \"zz\" not found".into()));
    for (name, value) in [("vnet", 0), ("host", 0), ("enforce_statfs", 99), ("devfs_ruleset", 99_999)] {
        assert_eq!(create(&with("y", &[Parameter::int(name, value)])), einval(""), "{name}");
    }
    assert_eq!(create(&with("y", &[Parameter::bytes("jid", [1, 2])])), einval(""));
    assert_eq!(create(&with("y", &[Parameter::bytes("ip4.addr", [0; 4])])), einval(""));
    assert_eq!(create(&with("y", &[Parameter::bytes("ip4.addr", [1, 2, 3])])), einval(""));
    let long = "r".repeat(31);
    let release = create(&with("y", &[Parameter::string("osrelease", &long)]));
    assert_eq!(release, (Errno::ENAMETOOLONG, "osrelease string must be 1-31 bytes long".into()));
    let numeric = create(&with("123", &[Parameter::int("jid", 777)]));
    assert_eq!(numeric, einval("name cannot be numeric (unless it is the jid)"));
    let both = [Parameter::int("vnet", 1), Parameter::bytes("ip4.addr", [10, 0, 0, 1])];
    assert_eq!(create(&with("y", &both)), einval("vnet jails cannot have IP address restrictions"));
    let user = Host::of(host.sim.unprivileged());
    assert_eq!(refusal(user.jail(&named_jail("y"))).0, Errno::EPERM);
    assert_eq!(errno(user.sim.jail_remove(1)), Some(Errno::EPERM));
    assert_eq!(errno(host.sim.jail_remove(55)), Some(Errno::EINVAL));
}

/// Trap 24.
#[test]
fn create_and_update_in_one_cannot_make_a_vnet_jail() {
    let host = Host::new();
    let both = sys::JAIL_CREATE | sys::JAIL_UPDATE;
    let answer = refusal(host.sim.jail_set(&vnet_parameters("j"), both));
    assert_eq!(answer, (Errno::EINVAL, "vnet cannot be changed after creation".into()));
    let path = with("j", &[Parameter::string("path", "/")]);
    let answer = refusal(host.sim.jail_set(&path, both));
    assert_eq!(answer, (Errno::EINVAL, "path cannot be changed after creation".into()));
    let jid = host.sim.jail_set(&named_jail("j"), both).unwrap();
    assert_eq!(host.sim.jail_set(&named_jail("j"), both).unwrap(), jid);
}

/// Trap 25.
#[test]
fn an_unknown_parameter_is_found_last_and_leaves_nothing() {
    let host = Host::new();
    let before = host.sim.describe();
    let mut parameters = vnet_parameters("j");
    parameters.push(Parameter::flag("bogus"));
    assert_eq!(refusal(host.jail(&parameters)), (Errno::EINVAL, "unknown parameter: bogus".into()));
    assert_eq!(host.sim.describe(), before);
    // But the jid is used up, because a whole jail was made.
    assert_eq!(host.jail(&named_jail("j")).unwrap(), 2);
}

#[test]
fn numbers_go_on_from_the_last() {
    let host = Host::new();
    let make = |name: &str| host.jail(&named_jail(name)).unwrap();
    assert_eq!((make("a"), make("b")), (1, 2));
    host.sim.jail_remove(2).unwrap();
    assert_eq!(make("c"), 3, "a free one is not taken again");
    assert_eq!(host.jail(&with("d", &[Parameter::int("jid", 500)])).unwrap(), 500);
    assert_eq!(host.jail(&with("e", &[Parameter::int("jid", 4)])).unwrap(), 4);
    assert_eq!(make("f"), 5, "one that is taken is skipped");
    assert_eq!(make("123"), 123);
    assert_eq!(text(&host, host.jail(&[Parameter::flag("persist")]).unwrap(), "name"), "6");
}

#[test]
fn questions_and_answers() {
    let host = Host::new();
    let jid = host
        .jail(&with(
            "q",
            &[
                Parameter::bytes("ip4.addr", [10, 0, 0, 9, 10, 0, 0, 3, 10, 0, 0, 2]),
                Parameter::string("host.hostname", "q.example"),
                Parameter::flag("allow.raw_sockets"),
                Parameter::string("path", "/jails/q"),
            ],
        ))
        .unwrap();
    let ask = |parameter: Parameter| {
        let mut parameters = [Parameter::string("name", "q"), parameter];
        host.sim.jail_get(&mut parameters, 0).map(|_| parameters[1].value.clone())
    };
    assert_eq!(ask(Parameter::ask("ip4.addr")).unwrap(), Value::Length(12));
    let list = Value::Bytes(vec![10, 0, 0, 9, 10, 0, 0, 2, 10, 0, 0, 3]);
    assert_eq!(ask(Parameter::bytes("ip4.addr", [0; 20])).unwrap(), list, "the first stays first");
    assert_eq!(errno(ask(Parameter::bytes("ip4.addr", [0; 8]))), Some(Errno::EINVAL));
    assert_eq!(ask(Parameter::ask("host.hostname")).unwrap(), Value::Length(10));
    assert_eq!(text(&host, jid, "host.hostname"), "q.example");
    assert_eq!(text(&host, jid, "path"), "/jails/q");
    assert_eq!(text(&host, jid, "osrelease"), "15.1-RELEASE");
    assert_eq!(text(&host, jid, "host.hostuuid"), "00000000-0000-0000-0000-000000000000");
    for (name, value) in [
        ("allow.raw_sockets", 1),
        ("allow.noraw_sockets", 0),
        ("allow.set_hostname", 1),
        ("allow.chflags", 0),
        ("persist", 1),
        ("dying", 0),
        ("parent", 0),
        ("host", 1),
        ("vnet", 2),
        ("osreldate", 1_501_000),
        ("enforce_statfs", 2),
        ("children.max", 0),
        ("securelevel", -1),
    ] {
        assert_eq!(int(&host, jid, name), value, "{name}");
    }
    let unknown = refusal(ask(Parameter::ask("exec.start")));
    assert_eq!(unknown, (Errno::EINVAL, "unknown parameter: exec.start".into()));
    assert_eq!(refusal(host.sim.jail_get(&mut [], 0)), (Errno::ENOENT, "no jail specified".into()));
    let mut parameters = [Parameter::int("jid", jid)];
    assert_eq!(errno(host.sim.jail_get(&mut parameters, sys::JAIL_CREATE)), Some(Errno::EINVAL));
    assert!(host.sim.unprivileged().jail_get(&mut parameters, 0).is_ok());
}

/// Trap 26.
#[test]
fn ip4_reads_disable_for_a_list_and_inherit_for_a_vnet_jail() {
    let host = Host::new();
    let listed = host.jail(&with("l", &[Parameter::bytes("ip4.addr", [10, 0, 0, 1])])).unwrap();
    let plain = host.jail(&named_jail("p")).unwrap();
    let inherit = host.jail(&with("i", &[Parameter::int("ip4", sys::JAIL_SYS_INHERIT)])).unwrap();
    let vnet = host.vnet("v");
    let read = |jid: i32| (int(&host, jid, "ip4"), int(&host, jid, "ip6"));
    assert_eq!(read(listed), (0, 0));
    assert_eq!(read(plain), (0, 0));
    assert_eq!(read(inherit), (2, 0));
    assert_eq!(read(vnet), (2, 2));
    assert_eq!(int(&host, vnet, "vnet"), 1);
}

#[test]
fn walking_the_list() {
    let host = Host::new();
    for name in ["a", "b", "c"] {
        host.jail(&named_jail(name)).unwrap();
    }
    host.sim.jail_remove(2).unwrap();
    let next = |last: i32| {
        let mut parameters = [Parameter::int("lastjid", last), Parameter::bytes("name", [0; 64])];
        host.sim.jail_get(&mut parameters, 0)
    };
    assert_eq!((next(0), next(1)), (Ok(1), Ok(3)));
    assert_eq!(refusal(next(3)), (Errno::ENOENT, "no jail after 3".into()));
}

#[test]
fn an_address_belongs_to_one_jail_unless_each_has_just_one() {
    let host = Host::new();
    let list =
        |name: &str, addresses: &[u8]| host.jail(&with(name, &[Parameter::bytes("ip4.addr", addresses)]));
    list("a", &[10, 0, 0, 1]).unwrap();
    list("b", &[10, 0, 0, 1]).unwrap();
    let clash = refusal(list("c", &[10, 0, 0, 1, 10, 0, 0, 2]));
    assert_eq!(clash, (Errno::EADDRINUSE, "IPv4 addresses clash".into()));
    list("d", &[10, 0, 0, 3, 10, 0, 0, 4]).unwrap();
    assert_eq!(refusal(list("e", &[10, 0, 0, 4])).0, Errno::EADDRINUSE);
    assert_eq!(refusal(list("f", &[10, 0, 0, 5, 10, 0, 0, 5])).0, Errno::EINVAL);
    host.sim.jail_remove(4).unwrap();
    list("e", &[10, 0, 0, 4]).unwrap();
}

#[test]
fn jails_in_jails() {
    let host = Host::new();
    let a = host.jail(&with("a", &[Parameter::int("children.max", 2)])).unwrap();
    let b = host.jail(&named_jail("a.b")).unwrap();
    let inside = host.sim.inside(a);
    let c = inside.jail_set(&named_jail("c"), sys::JAIL_CREATE).unwrap();
    assert_eq!(text(&host, c, "name"), "a.c");
    assert_eq!(refusal(inside.jail_set(&named_jail("d"), sys::JAIL_CREATE)).1, "prison limit exceeded");
    assert_eq!(int(&host, a, "children.cur"), 2);
    let mut own = [Parameter::int("jid", a)];
    assert_eq!(errno(inside.jail_get(&mut own, 0)), Some(Errno::ENOENT), "a jail does not see itself");
    let mut child = [Parameter::string("name", "b"), Parameter::int("parent", -1)];
    assert_eq!(inside.jail_get(&mut child, 0).unwrap(), b);
    assert_eq!(child[1], Parameter::int("parent", 0));
    let answer = host.sim.inside(b).jail_set(&named_jail("x"), sys::JAIL_CREATE);
    assert_eq!(refusal(answer), (Errno::EPERM, String::new()));
    // A child cannot have a permission that its parent lacks, and loses it with its parent.
    let raw = [Parameter::string("name", "a.b"), Parameter::flag("allow.raw_sockets")];
    assert_eq!(errno(host.sim.jail_set(&raw, sys::JAIL_UPDATE)), Some(Errno::EPERM));
    let rename = [Parameter::int("jid", a), Parameter::string("name", "z")];
    host.sim.jail_set(&rename, sys::JAIL_UPDATE).unwrap();
    assert_eq!(text(&host, b, "name"), "z.b");
    host.sim.jail_remove(a).unwrap();
    assert_eq!((host.dying(b), host.dying(c)), (None, None));
}

#[test]
fn updates() {
    let host = Host::new();
    let jid = host.jail(&named_jail("u")).unwrap();
    let update = |more: &[Parameter]| {
        let mut parameters = vec![Parameter::int("jid", jid)];
        parameters.extend_from_slice(more);
        host.sim.jail_set(&parameters, sys::JAIL_UPDATE)
    };
    update(&[Parameter::string("host.hostname", "new"), Parameter::flag("allow.mlock")]).unwrap();
    assert_eq!((text(&host, jid, "host.hostname"), int(&host, jid, "allow.mlock")), ("new".into(), 1));
    update(&[Parameter::bytes("ip4.addr", [10, 0, 0, 1])]).unwrap();
    update(&[Parameter::string("meta", "a=1\nb=2\n"), Parameter::string("env.k", "v")]).unwrap();
    update(&[Parameter::string("meta.b", "3"), Parameter::bytes("meta.a", [])]).unwrap();
    assert_eq!((text(&host, jid, "meta"), text(&host, jid, "env.k")), ("b=3\n".into(), "v".into()));
    let mut missing = [Parameter::int("jid", jid), Parameter::bytes("meta.none", [0; 9])];
    host.sim.jail_get(&mut missing, 0).unwrap();
    assert_eq!(missing[1].value, Value::Bytes(Vec::new()));
    assert_eq!(refusal(update(&[Parameter::int("vnet", 1)])).0, Errno::EINVAL);
    let vnet = host.vnet("v");
    let list = [Parameter::int("jid", vnet), Parameter::bytes("ip4.addr", [10, 0, 0, 2])];
    let answer = refusal(host.sim.jail_set(&list, sys::JAIL_UPDATE));
    assert_eq!(answer.1, "vnet jails cannot have IP address restrictions");
    // Nothing holds the jail, so it is gone at once.
    update(&[Parameter::flag("nopersist")]).unwrap();
    assert_eq!(host.dying(jid), None);
}

#[test]
fn what_only_15_has() {
    let older = older();
    for name in ["allow.routing", "allow.extattr", "meta", "env.k"] {
        let answer = refusal(older.jail(&with("j", &[Parameter::bytes(name, [])])));
        assert_eq!(answer, (Errno::EINVAL, format!("unknown parameter: {name}")));
    }
    for flag in [0x10, 0x20, 0x40, 0x80] {
        let set = refusal(older.sim.jail_set(&named_jail("j"), sys::JAIL_CREATE | flag));
        assert_eq!(set, (Errno::EINVAL, String::new()));
        let get = refusal(older.sim.jail_get(&mut [Parameter::int("jid", 1)], flag));
        assert_eq!(get, (Errno::EINVAL, String::new()));
    }
    let host = Host::new();
    let missing = refusal(host.sim.jail_get(&mut [Parameter::int("jid", 1)], sys::JAIL_GET_DESC));
    assert_eq!(missing, (Errno::ENOENT, "missing desc".into()));
    let unexpected = refusal(host.jail(&with("j", &[Parameter::int("desc", -1)])));
    assert_eq!(unexpected, (Errno::EINVAL, "unexpected desc".into()));
}

#[test]
fn without_vimage_there_is_no_vnet() {
    let host = Host::with(Options { vimage: false, ..Options::default() });
    let answer = refusal(host.jail(&vnet_parameters("j")));
    assert_eq!(answer, (Errno::EINVAL, "unknown parameter: vnet".into()));
    assert_eq!(errno(host.sim.sysctl(&Sysctl::read("kern.features.vimage"))), Some(Errno::ENOENT));
}

fn entry(target: Target, hold: bool) -> Entry {
    Entry { target, sockets: true, sysctls: Vec::new(), hold, deadline: Duration::from_secs(5) }
}

/// The order that leaves nothing behind: `persist` comes last.
#[test]
fn a_jail_that_nothing_but_a_child_keeps() {
    let host = Host::new();
    let before = host.sim.describe();
    let mut parameters = vnet_parameters("j");
    parameters.retain(|parameter| parameter.name != "persist");
    let make = || host.sim.enter(&entry(Target::New(parameters.clone()), true)).unwrap();
    let close = |entered: &Entered| {
        let sockets = entered.sockets.unwrap();
        for handle in [sockets.inet, sockets.inet6, sockets.route, entered.holder.unwrap()] {
            host.sim.close(handle);
        }
        host.sim.sleep(Duration::from_secs(1));
    };
    let entered = make();
    let through = Host { sim: host.sim.clone(), inet: entered.sockets.unwrap().inet, route: host.route };
    through.create("epair").unwrap();
    through.rename("epair0a", "vnet0.1").unwrap();
    host.reclaim("vnet0.1", entered.jid).unwrap();
    host.create("bridge").unwrap();
    host.add_member("bridge0", "vnet0.1").unwrap();
    // When the child is closed, the jail and the epair are gone.
    close(&entered);
    host.destroy("bridge0").unwrap();
    assert_eq!(host.sim.describe(), before);
    // The jail is kept.
    let entered = make();
    let keep = [Parameter::int("jid", entered.jid), Parameter::flag("persist")];
    host.sim.jail_set(&keep, sys::JAIL_UPDATE).unwrap();
    close(&entered);
    assert_eq!(host.dying(entered.jid), Some(false));
    host.sim.jail_remove(entered.jid).unwrap();
    assert_eq!(host.sim.describe(), before);
}

#[test]
fn children_run_sysctls_and_can_be_late() {
    let host = Host::new();
    let jid = host.vnet("j");
    let sysctls = vec![Sysctl::read("security.jail.vnet"), Sysctl::read("nosuch")];
    let asks = Entry { sockets: false, sysctls, ..entry(Target::Existing(jid), false) };
    let entered = host.sim.enter(&asks).unwrap();
    assert_eq!(entered.answers, [Ok(1i32.to_ne_bytes().to_vec()), Err(Errno::ENOENT.into())]);
    assert!(entered.sockets.is_none() && entered.holder.is_none());
    assert_eq!(host.sim.enter(&entry(Target::Existing(99), false)).unwrap_err().errno, Errno::EINVAL);
    // A jail without IPv4 has no IPv4 sockets.
    let plain = host.jail(&named_jail("p")).unwrap();
    let failed = host.sim.enter(&entry(Target::Existing(plain), false)).unwrap_err();
    assert_eq!(failed.errno, Errno::EPROTONOSUPPORT);
    let handles = host.sim.open_handles();
    host.sim.set_delay(|call| match call {
        crate::sim::Call::Enter { .. } => Duration::from_secs(6),
        _ => Duration::ZERO,
    });
    let before = host.sim.now();
    assert_eq!(host.sim.enter(&entry(Target::Existing(jid), true)).unwrap_err().errno, Errno::ETIMEDOUT);
    assert_eq!(host.sim.now() - before, Duration::from_secs(6));
    assert_eq!(host.sim.open_handles(), handles);
}

#[test]
fn any_call_can_take_any_time() {
    let host = Host::new();
    let jid = host.vnet("j");
    let handles = host.sim.open_handles();
    let late = |duration| host.sim.set_fault(host.sim.calls() + 1, Fault::Takes(duration));
    // An entry without a deadline is only late.
    let (before, hours) = (host.sim.now(), Duration::from_secs(7200));
    late(hours);
    host.create("epair").unwrap();
    assert_eq!(host.sim.now() - before, hours);
    late(Duration::from_secs(90));
    assert_eq!(host.sim.enter(&entry(Target::Existing(jid), true)).unwrap_err().errno, Errno::ETIMEDOUT);
    assert_eq!(host.sim.open_handles(), handles);
}

#[test]
fn a_killed_child_keeps_its_jail_dying_until_it_is_waited_for() {
    let host = Host::new();
    let jid = host.vnet("j");
    let held = Entry { sockets: false, ..entry(Target::Existing(jid), true) };
    let holder = host.sim.enter(&held).unwrap().holder.unwrap();
    host.sim.jail_remove(jid).unwrap();
    assert_eq!(host.dying(jid), Some(true));
    host.sim.close(holder);
    assert_eq!(host.dying(jid), None);
}

#[test]
fn the_number_of_a_dying_jail() {
    let host = Host::new();
    let jid = host.vnet("j");
    host.create("epair").unwrap();
    host.lend("epair0b", jid).unwrap();
    let _sockets = host.sim.enter(&entry(Target::Existing(jid), false)).unwrap();
    host.sim.jail_remove(jid).unwrap();
    assert_eq!(host.jail(&with("k", &[Parameter::int("jid", jid)])).unwrap(), jid);
    assert_eq!((host.dying(jid), host.dying(999_999)), (Some(false), Some(true)));
    assert_eq!(errno(host.reclaim("epair0b", jid)), Some(Errno::ENXIO), "it means the new one now");
    host.reclaim("epair0b", 999_999).unwrap();

    let older = older();
    let jid = older.vnet("j");
    let entered = older.sim.enter(&entry(Target::Existing(jid), false)).unwrap();
    older.sim.jail_remove(jid).unwrap();
    let again = with("k", &[Parameter::int("jid", jid)]);
    assert_eq!(refusal(older.jail(&again)), (Errno::EEXIST, format!("jail {jid} already exists")));
    let update = [Parameter::string("name", "j")];
    let answer = refusal(older.sim.jail_set(&update, sys::JAIL_UPDATE));
    assert_eq!(answer, (Errno::ENOENT, "jail \"j\" is dying".into()));
    // On 14.2, JAIL_DYING makes the jail alive again.
    older.sim.jail_set(&update, sys::JAIL_UPDATE | sys::JAIL_DYING).unwrap();
    assert_eq!(older.dying(jid), Some(false));
    let sockets = entered.sockets.unwrap();
    for handle in [sockets.inet, sockets.inet6, sockets.route] {
        older.sim.close(handle);
    }
    assert_eq!(older.dying(jid), None);
    let answer =
        refusal(host.sim.jail_set(&[Parameter::string("name", "j")], sys::JAIL_UPDATE | sys::JAIL_DYING));
    assert_eq!(answer, (Errno::ENOENT, "jail \"j\" not found".into()));
}

#[test]
fn jails_without_their_own_stack_change_nothing() {
    let host = Host::new();
    let listed = host.jail(&with("l", &[Parameter::bytes("ip4.addr", [192, 0, 2, 10])])).unwrap();
    let inside = host.inside(listed);
    assert_eq!(errno(inside.create("epair")), Some(Errno::EPERM));
    assert_eq!(errno(inside.set(sys::SIOCSIFFLAGS, "em0", 0)), Some(Errno::EPERM));
    assert_eq!(errno(inside.alias("em0", [10, 0, 0, 1], [255; 4])), Some(Errno::EPERM));
    // A child jail that shares the stack of a VNET jail has no right to it either.
    let vnet = host.vnet("v");
    let nested = host.jail(&with("v.n", &[Parameter::int("ip4", sys::JAIL_SYS_INHERIT)])).unwrap();
    assert_eq!(errno(host.inside(nested).create("epair")), Some(Errno::EPERM));
    host.inside(vnet).create("epair").unwrap();
    let deny = [Parameter::int("jid", vnet), Parameter::flag("allow.nosuser")];
    host.sim.jail_set(&deny, sys::JAIL_UPDATE).unwrap();
    assert_eq!(errno(host.inside(vnet).create("epair")), Some(Errno::EPERM));
}

#[test]
fn the_list_of_jails_forgets_nothing() {
    let host = Host::new();
    host.jail(&named_jail("a")).unwrap();
    host.jail(&with("b", &[Parameter::bytes("ip4.addr", [10, 0, 0, 1])])).unwrap();
    let list = host.sim.sysctl(&Sysctl::read("security.jail.list")).unwrap();
    let size = size_of::<sys::xprison>();
    assert_eq!((size, list.len()), (1560, 2 * (1560 + 4)));
    let list = Block::new(list);
    assert_eq!((list.i32_at(4), list.i32_at(size + 4 + 4)), (2, 1), "the youngest first");
    let count = offset_of!(sys::xprison, pr_ip4s);
    assert_eq!(list.u32_at(size + 4 + count), 1, "an address that it never had");
}

#[test]
fn programs_are_noted() {
    let host = Host::new();
    let jid = host.vnet("j");
    let program = crate::kernel::Program {
        jail: Some(jid),
        fib: 0,
        arguments: vec!["/bin/sh".into(), "/etc/rc".into()],
        environment: Vec::new(),
        user: None,
        host_user: false,
        terminal: false,
        stdin: false,
        output: crate::kernel::Output::Inherit,
        timeout: None,
    };
    assert_eq!(host.sim.run(&program).unwrap().exit, crate::kernel::Exit::Code(0));
    assert_eq!(host.sim.programs(), std::slice::from_ref(&program));
    let elsewhere = crate::kernel::Program { jail: Some(99), ..program.clone() };
    assert_eq!(errno(host.sim.run(&elsewhere)), Some(Errno::EINVAL));
    let fib = crate::kernel::Program { fib: 1, ..program };
    assert_eq!(errno(host.sim.run(&fib)), Some(Errno::EINVAL));
}
