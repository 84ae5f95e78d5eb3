//! What happens in a world once its time has come: the ends of duplicate address detections, and the seconds of
//! `nd6_timer`. A call asks whether there is something to do, and walks over nothing if there is not.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::time::Duration;

use super::codec::Wire;
use super::world::{Address6, World};

/// All of it is made from the rest of a world, and not written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    /// When detections end, with the interface and the address. An address that has gone, or is detected anew, leaves
    /// its entry behind.
    detections: BTreeSet<(Duration, u16, Ipv6Addr)>,
    /// The second in which `nd6_timer` last ran for all stacks.
    pub ticked: u64,
}

impl Wire for Timers {
    fn put(&self, _out: &mut Vec<u8>) {}

    fn take(_input: &mut &[u8]) -> Option<Timers> {
        Some(Timers::default())
    }
}

impl World {
    /// Notes that a detection runs, as the address says.
    pub fn note_detection(&mut self, end: Duration, index: u16, address: Ipv6Addr) {
        self.timers.detections.insert((end, index, address));
    }

    /// When the next detection ends, if one runs.
    pub fn next_detection(&mut self) -> Option<Duration> {
        loop {
            let (end, index, address) = *self.timers.detections.first()?;
            if self.inet6_at(index, address).is_some_and(|ours| ours.tentative_until == Some(end)) {
                return Some(end);
            }
            self.timers.detections.pop_first();
        }
    }

    /// Takes out the detections that end no later than a moment: the indexes of their interfaces.
    pub fn take_detections(&mut self, moment: Duration) -> BTreeSet<u16> {
        let mut interfaces = BTreeSet::new();
        while let Some(ended) = self.timers.detections.first().filter(|(end, ..)| *end <= moment) {
            interfaces.insert(ended.1);
            self.timers.detections.pop_first();
        }
        interfaces
    }

    /// Makes the timers of a world that was read.
    pub fn set_timers(&mut self) {
        self.timers = Timers::default();
        let detections = self.interfaces.values().flat_map(|interface| {
            let ends = |ours: &Address6| Some((ours.tentative_until?, interface.index, ours.address));
            interface.inet6.iter().filter_map(ends)
        });
        self.timers.detections = detections.collect();
    }
}
