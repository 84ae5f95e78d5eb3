//! The typed stream of events, when the program does not read it.

use std::time::Duration;

use jailwire::route::Event;

use crate::support::{SOON, World, n};

#[test]
fn what_did_not_fit_is_reported_and_the_stream_goes_on() {
    let world = World::new();
    world.create_epair().unwrap();
    let name = n("epair0a");
    let mut monitor = world.monitor().unwrap();
    // These messages do not fit into a mebibyte. Each message takes more of the buffer than its length.
    for _ in 0..3000 {
        world.up(&name).unwrap();
        world.down(&name).unwrap();
    }
    let (mut told, mut lost) = (0, 0);
    while let Some(event) = monitor.next(Duration::from_millis(300)).unwrap() {
        match event {
            Event::Lost => lost += 1,
            _ => told += 1,
        }
    }
    assert!(lost >= 1 && told > 100, "{told} events, {lost} reports of lost ones");
    world.up(&name).unwrap();
    let event = monitor.next(SOON).unwrap();
    assert!(matches!(event, Some(Event::Interface { .. })), "{event:?}");
}
