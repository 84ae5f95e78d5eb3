//! Descriptions.

use jailwire::kernel::{Block, Errno, Request};
use jailwire_sys as sys;

use crate::support::{Refused, World, ask, n, with};

const LENGTH: usize = 16;
const BUFFER: usize = 24;

fn request(number: u64, length: u64, buffer: Block) -> Request {
    let mut request = with(ask(number, "epair0a"), LENGTH, &length.to_ne_bytes());
    request.argument_mut().point(BUFFER, buffer);
    request
}

#[test]
fn there_is_none_at_first() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    assert_eq!(world.description(&pair.a).unwrap(), None);
    world.ioctl(&mut request(sys::SIOCGIFDESCR, 64, Block::zeroed(64))).refused(Errno::ENOMSG);
    world.description(&n("epair1a")).refused(Errno::ENXIO);
    world.set_description(&n("epair1a"), "x").refused(Errno::ENXIO);
}

#[test]
fn it_is_set_replaced_and_cleared() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    for text in ["associated with jail: web as nic: vnet0", "ü", "x"] {
        world.set_description(&pair.a, text).unwrap();
        assert_eq!(world.description(&pair.a).unwrap().as_deref(), Some(text));
    }
    assert_eq!(world.description(&pair.b).unwrap(), None);
    world.set_description(&pair.a, "").unwrap();
    assert_eq!(world.description(&pair.a).unwrap(), None);
}

#[test]
fn it_has_at_most_1024_bytes_with_its_end() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.set_description(&pair.a, &"x".repeat(1023)).unwrap();
    assert_eq!(world.description(&pair.a).unwrap().unwrap().len(), 1023);
    world.set_description(&pair.a, &"y".repeat(1024)).refused(Errno::ENAMETOOLONG);
    assert!(world.description(&pair.a).unwrap().unwrap().starts_with('x'));
}

#[test]
fn the_last_byte_is_taken_for_the_end() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.ioctl(&mut request(sys::SIOCSIFDESCR, 3, Block::new(*b"abc"))).unwrap();
    assert_eq!(world.description(&pair.a).unwrap().as_deref(), Some("ab"));
}

#[test]
fn a_short_buffer_gets_the_length_alone() {
    let world = World::new();
    let pair = world.create_epair().unwrap();
    world.set_description(&pair.a, "twelve bytes").unwrap();
    let mut short = request(sys::SIOCGIFDESCR, 12, Block::zeroed(12));
    world.ioctl(&mut short).unwrap();
    assert_eq!(short.argument().u64_at(LENGTH), 13);
    assert_eq!(short.argument().child(BUFFER).unwrap().bytes(), [0; 12]);
    let mut exact = request(sys::SIOCGIFDESCR, 13, Block::zeroed(13));
    world.ioctl(&mut exact).unwrap();
    assert_eq!(exact.argument().u64_at(LENGTH), 13);
    assert_eq!(exact.argument().child(BUFFER).unwrap().bytes(), b"twelve bytes\0");
}
