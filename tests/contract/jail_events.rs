//! The events that FreeBSD 15 reports about jails.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jailwire::jail::{self, JailEvent, JailEvents, JailParameters, JailReference};
use jailwire::kernel::{Errno, Handle, JailNote, Parameter, Watched};
use jailwire_sys::*;

use crate::support::{Host, Refused, SOON};

const ALL: u32 = NOTE_JAIL_CHILD | NOTE_JAIL_SET | NOTE_JAIL_ATTACH | NOTE_JAIL_REMOVE;

/// The next event about jails of this test. Other tests make jails on the host, too.
fn next(events: &mut JailEvents, concerns: impl Fn(&JailEvent) -> bool) -> JailEvent {
    loop {
        let event = events.next(SOON).unwrap().expect("an event in time");
        if concerns(&event) {
            return event;
        }
    }
}

fn note(host: &Host, queue: Handle) -> JailNote {
    assert!(host.kernel.wait(queue, SOON).unwrap());
    host.kernel.jail_note(queue).unwrap().unwrap()
}

fn silent(host: &Host, queue: Handle) {
    assert!(!host.kernel.wait(queue, Duration::from_millis(100)).unwrap());
    assert_eq!(host.kernel.jail_note(queue).unwrap(), None);
}

#[test]
fn before_15_there_is_no_such_filter() {
    let host = Host::new();
    let queue = host.kernel.jail_notes().unwrap();
    let watched = host.kernel.jail_watch(queue, Watched::Jid(0), ALL);
    if host.is_15() {
        watched.unwrap()
    } else {
        watched.refused(Errno::EINVAL)
    }
    assert!(!JailEvents::open(Arc::clone(&host.kernel)).unwrap().are_told() || host.is_15());
    host.kernel.close(queue);
}

#[test]
fn making_and_removing_are_told() {
    let host = Host::new();
    let mut events = JailEvents::open(Arc::clone(&host.kernel)).unwrap();
    assert_eq!(events.are_told(), host.is_15());
    events.watch_own().unwrap();
    let jid = host.plain_jail();
    // On a busy host the kernel may have merged several events into one.
    let made = next(
        &mut events,
        |event| matches!(event, JailEvent::Created { jid: made, .. } if made.is_none_or(|made| made == jid)),
    );
    assert!(matches!(made, JailEvent::Created { parent: None, .. }), "{made:?}");
    events.watch(jid).unwrap();
    jail::remove(&*host.kernel, jid).unwrap();
    let removed = next(&mut events, |event| matches!(event, JailEvent::Removed(_)));
    assert_eq!(removed, JailEvent::Removed(jid));
    let unknown = events.watch(jid).unwrap_err();
    assert_eq!(unknown.errno(), Some(Errno::ENOENT));
}

#[test]
fn a_reference_is_watched() {
    let host = Host::new();
    let jid = host.vnet_jail();
    let jail = JailReference::find(&host.kernel, jid).unwrap().unwrap();
    let mut events = JailEvents::open(Arc::clone(&host.kernel)).unwrap();
    events.watch_reference(&jail).unwrap();
    assert_eq!(events.next(Duration::from_millis(100)).unwrap(), None);
    jail.update(&JailParameters::default().hostname("told")).unwrap();
    if host.is_15() {
        assert_eq!(events.next(SOON).unwrap(), Some(JailEvent::Changed(jid)));
    }
    drop(jail.enter().unwrap());
    if host.is_15() {
        // Entering is a call of jail_set(2), so the kernel reports a change as well.
        let entered = next(&mut events, |event| !matches!(event, JailEvent::Changed(_)));
        assert!(matches!(entered, JailEvent::Attached { jid: told, process: Some(1..) } if told == jid));
    }
    jail.remove().unwrap();
    let removed = next(&mut events, |event| !matches!(event, JailEvent::Changed(_)));
    assert_eq!(removed, JailEvent::Removed(jid));
    assert_eq!(events.next(Duration::from_millis(100)).unwrap(), None);
}

#[test]
fn two_notes_become_one_and_lose_their_numbers() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let jid = host.vnet_jail();
    let queue = host.kernel.jail_notes().unwrap();
    host.kernel.jail_watch(queue, Watched::Jid(jid.get()), ALL).unwrap();
    drop(host.enter(jid));
    drop(host.enter(jid));
    let told = note(&host, queue);
    assert_eq!(told.jail, Watched::Jid(jid.get()));
    assert_eq!((told.notes, told.data, told.ended), (NOTE_JAIL_ATTACH | NOTE_JAIL_MULTI, 0, false));
    // An event that was taken does not come again.
    silent(&host, queue);
    jail::update(&*host.kernel, jid, &JailParameters::default().hostname("x")).unwrap();
    drop(host.enter(jid));
    let told = note(&host, queue);
    assert_eq!(told.notes, NOTE_JAIL_SET | NOTE_JAIL_ATTACH);
    assert!(told.data > 0, "{told:?}");
    host.kernel.close(queue);
}

#[test]
fn only_the_direct_parent_is_told_of_a_child() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let parameters = JailParameters::new(&host.jail_name()).path(Path::new("/")).set("children.max", 5);
    let above = host.jail(parameters);
    let queue = host.kernel.jail_notes().unwrap();
    host.kernel.jail_watch(queue, Watched::Jid(above.get()), ALL).unwrap();
    let name = jail::get(&*host.kernel, above).unwrap().unwrap().name;
    let child = JailParameters::new(&format!("{name}.kid")).path(Path::new("/")).set("children.max", 1);
    let child = jail::create(&*host.kernel, &child).unwrap();
    let told = note(&host, queue);
    assert_eq!((told.notes, told.data), (NOTE_JAIL_CHILD, i64::from(child.get())));
    jail::create(&*host.kernel, &JailParameters::new(&format!("{name}.kid.kid")).path(Path::new("/")))
        .unwrap();
    silent(&host, queue);
    // The watch does not report the end of a child jail either.
    jail::remove(&*host.kernel, child).unwrap();
    silent(&host, queue);
    host.kernel.close(queue);
}

#[test]
fn the_end_is_told_when_it_begins_and_once() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let jid = host.vnet_jail();
    let handle = host.kernel.jail_get_jd(&mut [Parameter::int("jid", jid.get())], JAIL_GET_DESC, None);
    let handle = handle.unwrap().1.unwrap();
    let queue = host.kernel.jail_notes().unwrap();
    let (by_jid, by_descriptor) = (Watched::Jid(jid.get()), Watched::Descriptor(handle));
    host.kernel.jail_watch(queue, by_jid, ALL).unwrap();
    host.kernel.jail_watch(queue, by_descriptor, ALL).unwrap();
    // A socket keeps the jail dying.
    let kept = host.enter(jid);
    for _ in 0..2 {
        assert_eq!(note(&host, queue).notes, NOTE_JAIL_ATTACH);
    }
    jail::remove(&*host.kernel, jid).unwrap();
    let told = [note(&host, queue), note(&host, queue)];
    for watched in [by_jid, by_descriptor] {
        let end = JailNote::new(watched, NOTE_JAIL_REMOVE, 0, true);
        assert!(told.contains(&end), "{told:?}");
    }
    host.kernel.jail_watch(queue, by_jid, ALL).refused(Errno::ENOENT);
    // The kernel reports nothing when the dying jail is gone.
    drop(kept);
    jail::wait_gone(&*host.kernel, jid, SOON).unwrap();
    silent(&host, queue);
    // A descriptor of a jail that is gone reports an event at once.
    host.kernel.jail_watch(queue, by_descriptor, ALL).unwrap();
    assert_eq!(note(&host, queue).notes, NOTE_JAIL_REMOVE);
    host.kernel.close(queue);
    host.kernel.close(handle);
}

#[test]
fn a_closed_descriptor_is_not_watched_any_more() {
    let host = Host::new();
    if !host.is_15() {
        return;
    }
    let jid = host.plain_jail();
    let mut asked = [Parameter::int("jid", jid.get())];
    let handle = host.kernel.jail_get_jd(&mut asked, JAIL_GET_DESC, None).unwrap().1.unwrap();
    let queue = host.kernel.jail_notes().unwrap();
    host.kernel.jail_watch(queue, Watched::Descriptor(handle), ALL).unwrap();
    host.kernel.close(handle);
    jail::remove(&*host.kernel, jid).unwrap();
    silent(&host, queue);
    host.kernel.jail_watch(queue, Watched::Descriptor(host.inet), ALL).refused(Errno::EINVAL);
    host.kernel.close(queue);
}
