//! Random requests. Whatever they contain, the kernel must read and write only the memory that belongs to them.
//!
//! They are sent on sockets of a jail with a network stack of its own, so their effects end with the test.

use std::hint::black_box;

use jailwire::kernel::{Block, Calls, Errno, Handle, Kernel, Processes, Request, Target};
use jailwire_sys as sys;
use jailwire_sys::request::{self, Inside, Pointer};

use crate::support::{Jail, entry, gone_soon, kernel, named};

/// The number of requests, if `JAILWIRE_REQUESTS` does not set it.
const REQUESTS: usize = 20_000;

/// Requests that are left out. If an address is added to an interface whose routing table the stack does not have,
/// FreeBSD 15.1 panics.
const LEFT_OUT: [u64; 2] = [sys::SIOCSIFFIB, sys::SIOCSTUNFIB];

/// A generator of numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        // Most numbers are small, so that lengths are sometimes right. Some are addresses of this process.
        let address = (&raw const *bytes).addr();
        for word in bytes.chunks_mut(8) {
            let value = match self.below(8) {
                0 => self.next(),
                1 => address as u64,
                2 => u64::MAX,
                _ => self.below(130),
            };
            word.copy_from_slice(&value.to_ne_bytes()[..word.len()]);
        }
    }
}

/// Memory beside the requests' own, which must not be written to.
struct Witnesses(Vec<Vec<u8>>);

const WITNESS: u8 = 0xa5;

impl Witnesses {
    fn new(dice: &mut Dice) -> Witnesses {
        // They have the sizes of the copies of arguments, so that the allocator puts them between those copies.
        Witnesses((0..64).map(|_| vec![WITNESS; 8 + dice.below(300) as usize]).collect())
    }

    fn unharmed(&self) -> bool {
        black_box(&self.0).iter().flatten().all(|byte| *byte == WITNESS)
    }
}

fn add_blocks(dice: &mut Dice, block: &mut Block, pointers: &[Pointer]) {
    for pointer in pointers {
        if dice.below(4) == 0 || pointer.at + 8 > block.bytes().len() {
            continue;
        }
        let mut child = Block::zeroed(dice.one_of(&[0, 1, 8, 15, 16, 20, 80, 152, 160, 800, 5000]));
        dice.fill(child.bytes_mut());
        let inside = match pointer.inside {
            Inside::Pointers(pointers) => Some(pointers),
            Inside::Command { at, pointers } => {
                let command = dice.below(45);
                block.put(at, &command.to_ne_bytes());
                // Most requests have the right length for their command.
                if let Some(known) = sys::bridge::command(command).filter(|_| dice.below(4) > 0) {
                    child = Block::zeroed(known.size_of_argument);
                    dice.fill(child.bytes_mut());
                    block.put(at + 8, &(known.size_of_argument as u64).to_ne_bytes());
                }
                pointers(command)
            }
        };
        add_blocks(dice, &mut child, inside.unwrap_or_default());
        block.point(pointer.at, child);
    }
    if dice.below(20) == 0 && block.bytes().len() >= 16 {
        block.point(dice.one_of(&[0, 4, 8]), Block::zeroed(8));
    }
}

fn request(dice: &mut Dice, numbers: &[u64], names: &[&str]) -> Request {
    let number = if dice.below(10) == 0 { dice.next() & 0xffff_ffff } else { dice.one_of(numbers) };
    let mut request = Request::new(number);
    let argument = request.argument_mut();
    dice.fill(argument.bytes_mut());
    if dice.below(10) > 0 && argument.bytes().len() >= sys::IFNAMSIZ {
        argument.bytes_mut()[..sys::IFNAMSIZ].fill(0);
        argument.put(0, dice.one_of(names).as_bytes());
    }
    add_blocks(dice, argument, request::pointers(number).unwrap_or_default());
    request
}

#[test]
fn no_request_reaches_memory_that_is_not_its_own() {
    let Some(kernel) = kernel() else { return };
    for module in ["if_epair", "if_bridge", "if_vlan"] {
        kernel.load_module(module).unwrap();
    }
    let jail = Jail::new(&kernel, "jw-random");
    let entered = kernel.enter(&entry(Target::Existing(jail.1)).with_sockets(true)).unwrap();
    let sockets = entered.sockets.unwrap();
    let sockets = [sockets.inet, sockets.inet6, sockets.route];
    let numbers: Vec<u64> =
        request::all().map(|(_, number)| number).filter(|number| !LEFT_OUT.contains(number)).collect();
    let names = ["lo0", "epair0a", "epair0b", "bridge0", "vlan0", "epair", "bridge", "vlan", ""];
    let seed = std::env::var("JAILWIRE_SEED").map_or(1, |seed| seed.parse().unwrap());
    let many = std::env::var("JAILWIRE_REQUESTS").map_or(REQUESTS, |many| many.parse().unwrap());
    let mut dice = Dice(seed);
    let mut answers = std::collections::BTreeMap::new();
    let mut made = 0;
    for count in 0..many {
        // A request may have destroyed or renamed the interfaces.
        if count % 50 == 0 {
            make_again(&kernel, sockets[0]);
        }
        let mut request = request(&mut dice, &numbers, &names);
        let given = format!("{request:x?}");
        let witnesses = Witnesses::new(&mut dice);
        let answer = kernel.ioctl(dice.one_of(&sockets), &mut request);
        assert!(witnesses.unharmed(), "seed {seed}, request {count}: {given} answered {answer:?}");
        made += usize::from(answer.is_ok());
        *answers.entry(answer.err().map_or(Errno(0), |failure| failure.errno)).or_insert(0) += 1;
    }
    println!("seed {seed}: {many} requests, answers {answers:?}");
    // Enough requests must have succeeded.
    assert!(made > many / 100, "{made} of {many} requests were made");
    assert!(answers.contains_key(&Errno::EINVAL) && answers.contains_key(&Errno::EFAULT));
    for socket in sockets {
        kernel.close(socket);
    }
    kernel.jail_remove(jail.1).unwrap();
    assert!(gone_soon(&kernel, jail.1));
}

fn make_again(kernel: &dyn Kernel, socket: Handle) {
    for name in ["bridge0", "vlan0"] {
        let _ = kernel.ioctl(socket, &mut named(sys::SIOCIFCREATE2, name));
    }
    if kernel.ioctl(socket, &mut named(sys::SIOCGIFFLAGS, "epair0a")).is_err() {
        let _ = kernel.ioctl(socket, &mut named(sys::SIOCIFCREATE2, "epair0"));
    }
}
