//! The host's interfaces as they were at one moment.

use std::collections::HashMap;

use crate::interface::{Interface, InterfaceType};
use crate::types::{InterfaceName, MacAddr};

/// A list of interfaces. [`Dump::index`] adds indexes by name and by MAC address. To look for the few
/// interfaces of one jail, the indexes are not worth their cost: to build them takes longer than to search
/// the list.
#[derive(Debug, Clone)]
pub(super) struct Dump {
    /// `None` stands for an interface that has gone since.
    interfaces: Vec<Option<Interface>>,
    places: Option<Places>,
}

#[derive(Debug, Clone)]
struct Places {
    names: HashMap<InterfaceName, usize>,
    macs: HashMap<MacAddr, usize>,
}

impl Dump {
    pub fn new(interfaces: Vec<Interface>) -> Dump {
        Dump { interfaces: interfaces.into_iter().map(Some).collect(), places: None }
    }

    /// Builds the indexes, for many look-ups.
    pub fn index(&mut self) {
        if self.places.is_some() {
            return;
        }
        let mut names = HashMap::with_capacity(self.interfaces.len());
        let mut macs = HashMap::with_capacity(self.interfaces.len());
        for (place, interface) in self.interfaces.iter().enumerate() {
            let Some(interface) = interface else { continue };
            names.insert(interface.name, place);
            // Of two interfaces with the same address the index has the first, which a search of the list
            // finds too.
            if let Some(mac) = interface.mac {
                macs.entry(mac).or_insert(place);
            }
        }
        self.places = Some(Places { names, macs });
    }

    pub fn interface(&self, name: &InterfaceName) -> Option<&Interface> {
        self.interfaces[self.place(name)?].as_ref()
    }

    /// Returns all interfaces.
    pub fn all(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().flatten()
    }

    /// Returns the names of all bridges.
    pub fn bridges(&self) -> Vec<InterfaceName> {
        self.all()
            .filter(|interface| interface.kind == InterfaceType::BRIDGE)
            .map(|bridge| bridge.name)
            .collect()
    }

    pub fn interface_mut(&mut self, name: &InterfaceName) -> Option<&mut Interface> {
        let place = self.place(name)?;
        self.interfaces[place].as_mut()
    }

    /// Returns the interface with a MAC address.
    pub fn with_mac(&self, mac: MacAddr) -> Option<&Interface> {
        let known = match &self.places {
            Some(places) => self.interfaces[*places.macs.get(&mac)?].as_ref(),
            None => None,
        };
        // If the indexed interface has gone, a later interface may have the same address.
        known.or_else(|| self.interfaces.iter().flatten().find(|interface| interface.mac == Some(mac)))
    }

    /// Removes an interface from the list.
    pub fn remove(&mut self, name: &InterfaceName) {
        if let Some(place) = self.place(name) {
            self.interfaces[place] = None;
        }
    }

    fn place(&self, name: &InterfaceName) -> Option<usize> {
        match &self.places {
            Some(places) => places.names.get(name).copied(),
            None => self.interfaces.iter().position(|one| one.as_ref().is_some_and(|one| one.name == *name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::{InterfaceFlags, LinkState};

    fn interface(index: u16, name: &str, mac: Option<u8>) -> Interface {
        Interface {
            name: name.parse().unwrap(),
            index,
            kind: InterfaceType::ETHERNET,
            flags: InterfaceFlags::UP,
            link: LinkState::Up,
            mtu: 1500,
            mac: mac.map(|last| MacAddr([2, 0, 0, 0, 0, last])),
            addresses: Vec::new(),
        }
    }

    #[test]
    fn tables_change_no_answer() {
        let name = |text: &str| text.parse::<InterfaceName>().unwrap();
        let mac = |last| MacAddr([2, 0, 0, 0, 0, last]);
        for indexed in [false, true] {
            let list = [("lo0", None), ("em0", Some(1)), ("em1", Some(2)), ("em2", Some(1))];
            let list = list.iter().zip(1..).map(|((name, mac), index)| interface(index, name, *mac));
            let mut dump = Dump::new(list.collect());
            if indexed {
                dump.index();
            }
            let owner = |dump: &Dump, last| dump.with_mac(mac(last)).map(|one| one.name.to_string());
            assert_eq!(dump.interface(&name("em1")).unwrap().index, 3);
            assert_eq!(dump.interface(&name("em9")), None);
            assert_eq!(owner(&dump, 1).as_deref(), Some("em0"), "the first of two");
            assert_eq!(owner(&dump, 9), None);
            dump.interface_mut(&name("em1")).unwrap().mtu = 9000;
            assert_eq!(dump.interface(&name("em1")).unwrap().mtu, 9000);
            dump.remove(&name("em0"));
            assert_eq!(dump.interface(&name("em0")), None);
            assert_eq!(owner(&dump, 1).as_deref(), Some("em2"), "the second once the first has gone");
            dump.remove(&name("em0"));
            dump.remove(&name("em2"));
            assert_eq!(owner(&dump, 1), None);
        }
    }
}
