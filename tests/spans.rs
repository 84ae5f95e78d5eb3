//! What the feature `tracing` adds:
//!
//!     cargo test --features tracing --test spans
//!
//! This program has one test. `tracing` asks the subscriber of the thread that reaches an event first whether the event
//! is wanted, and keeps the answer for all threads. A thread without a subscriber would switch the event off.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use jailwire::wiring::Wiring;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A subscriber that keeps each event as a line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut words = Words(format!("{} {}", span.metadata().target(), span.metadata().name()));
        span.record(&mut words);
        self.0.lock().unwrap().push(words.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(event.metadata().target().to_owned());
        event.record(&mut words);
        self.0.lock().unwrap().push(words.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn every_step_is_a_span_and_every_request_an_event() {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        let wiring = Wiring::simulated().unwrap();
        let jail = wiring.jail("web", "/").nic("bridge0").address("192.0.2.20/24").router("192.0.2.1");
        jail.start().unwrap();
        wiring.host().up(&"em7".parse().unwrap()).unwrap_err();
        wiring.stop("web").unwrap();
    });
    let lines = lines.0.lock().unwrap();
    let has = |parts: &[&str]| lines.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(has(&["jailwire::wiring step", "jail=\"web\"", "192.0.2.20/24"]), "{lines:#?}");
    assert!(has(&["jailwire::wiring undo"]), "{lines:#?}");
    assert!(has(&["jailwire::kernel", "request=\"SIOCAIFADDR\"", "took_us="]), "{lines:#?}");
    assert!(has(&["jailwire::kernel", "errno=ENXIO"]), "{lines:#?}");
}
