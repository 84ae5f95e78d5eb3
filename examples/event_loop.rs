//! Watches jails that start, from the event loop of another crate: mio.
//!
//!     cargo run --example event_loop
//!
//! One thread starts many jails at once. This thread waits for events of the host's network and of its jails at the
//! same time, as it would wait for sockets. On FreeBSD it needs root and uses the kernel; on other systems it uses
//! the simulated kernel.

use std::error::Error;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use jailwire::jail::JailEvents;
use jailwire::wiring::Wiring;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

#[path = "bulk_start.rs"]
#[allow(dead_code)]
mod bulk_start;

const NETWORK: Token = Token(0);
const JAILS: Token = Token(1);

fn main() -> Result<(), Box<dyn Error>> {
    run(&Wiring::here()?, 16, &mut io::stdout().lock())
}

/// Starts so many jails, and tells what happens meanwhile.
///
/// # Errors
///
/// What the kernel refuses, or `out`.
pub fn run(wiring: &Wiring, count: u8, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut network = wiring.host().monitor()?;
    let mut jails = JailEvents::open(wiring.host().kernel().clone())?;
    jails.watch_own()?;
    let mut poll = Poll::new()?;
    let register = |source: &dyn AsFd, token| {
        poll.registry().register(&mut SourceFd(&source.as_fd().as_raw_fd()), token, Interest::READABLE)
    };
    register(&network, NETWORK)?;
    register(&jails, JAILS)?;

    std::thread::scope(|scope| {
        let work = scope.spawn(|| bulk_start::run(wiring, count, &mut io::sink()).map_err(|e| e.to_string()));
        let mut events = Events::with_capacity(8);
        loop {
            let over = work.is_finished();
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            for event in &events {
                // mio reports each descriptor once, so take all events.
                match event.token() {
                    NETWORK => {
                        while let Some(event) = network.next(Duration::ZERO)? {
                            writeln!(out, "{event:?}")?;
                        }
                    }
                    _ => {
                        while let Some(event) = jails.next(Duration::ZERO)? {
                            writeln!(out, "{event:?}")?;
                        }
                    }
                }
            }
            if over && events.is_empty() {
                work.join().map_err(|_| "the thread that starts the jails has panicked")??;
                return Ok(());
            }
        }
    })
}
