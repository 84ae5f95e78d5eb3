//! The host's interfaces as they were at one moment.

use std::collections::HashMap;

use crate::interface::Interface;
use crate::types::{InterfaceName, MacAddr};

/// A list of interfaces, and where in it they are once it is worth knowing: a thousand names are put into a table in
/// the time in which a few are looked for one after the other.
#[derive(Debug, Clone)]
pub(super) struct Dump {
    /// None: it has gone since.
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

    /// Prepares for being asked again and again.
    pub fn index(&mut self) {
        if self.places.is_some() {
            return;
        }
        let mut names = HashMap::with_capacity(self.interfaces.len());
        let mut macs = HashMap::with_capacity(self.interfaces.len());
        for (place, interface) in self.interfaces.iter().enumerate() {
            let Some(interface) = interface else { continue };
            names.insert(interface.name, place);
            // Of two with the same address the first, as without places.
            if let Some(mac) = interface.mac {
                macs.entry(mac).or_insert(place);
            }
        }
        self.places = Some(Places { names, macs });
    }

    pub fn interface(&self, name: &InterfaceName) -> Option<&Interface> {
        self.interfaces[self.place(name)?].as_ref()
    }

    pub fn interface_mut(&mut self, name: &InterfaceName) -> Option<&mut Interface> {
        let place = self.place(name)?;
        self.interfaces[place].as_mut()
    }

    /// The interface with a MAC address.
    pub fn with_mac(&self, mac: MacAddr) -> Option<&Interface> {
        match &self.places {
            Some(places) => self.interfaces[*places.macs.get(&mac)?].as_ref(),
            None => self.interfaces.iter().flatten().find(|interface| interface.mac == Some(mac)),
        }
    }

    /// Takes an interface to be gone.
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
