//! What happens to addresses and routes when an interface goes up, goes down, or goes.

use super::links::AddressAt;
use super::world::{StackId, World};

impl World {
    /// Right after IFF_UP was set and RTM_IFINFO posted (IFNET_EVENT_UP).
    pub fn protocols_up(&mut self, index: u16) {
        self.inet_up(index);
        self.inet6_up(index);
    }

    /// Right before IFF_UP is cleared (IFNET_EVENT_DOWN). IPv6 does not care: its addresses and routes
    /// stay.
    pub fn protocols_down(&mut self, index: u16) {
        self.inet_down(index);
    }

    /// An interface leaves its stack, lent to another or destroyed: its addresses, its groups and the
    /// routes through it go (`if_detach_internal`). It is down already, and the departure is the
    /// caller's to announce afterwards.
    ///
    /// Routes that users made go without a message. Pinned ones of another fib than the interface's
    /// stay behind.
    pub fn protocols_leave(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let stack = interface.stack;
        while let Some(interface) = self.interfaces.get(&index) {
            match interface.addresses().first() {
                Some(AddressAt::Inet(at)) => {
                    let address = interface.inet[*at].address;
                    self.remove_inet(index, address);
                }
                Some(AddressAt::Inet6(at)) => {
                    let address = interface.inet6[*at].address;
                    self.remove_inet6(index, address);
                }
                None => break,
            }
        }
        self.remove_prefixes6(stack, index);
        self.leave_all_groups(index);
        if let Some(interface) = self.interfaces.get_mut(&index) {
            interface.protocols.neighbours.clear();
        }
        if let Some(stack) = self.stacks.get_mut(&stack) {
            for table in &mut stack.inet {
                table.remove_where(|nexthop| nexthop.interface == index);
            }
            for table in &mut stack.inet6 {
                table.remove_where(|nexthop| nexthop.interface == index);
            }
        }
    }

    /// After an interface's MTU changed: the routes through it follow (`rt_updatemtu`).
    pub fn protocols_mtu(&mut self, index: u16) {
        let Some(interface) = self.interfaces.get(&index) else { return };
        let (stack, mtu, mtu6) = (interface.stack, interface.mtu, interface.mtu6());
        if let Some(stack) = self.stacks.get_mut(&stack) {
            stack.inet.iter_mut().for_each(|table| table.set_mtu(index, mtu));
            stack.inet6.iter_mut().for_each(|table| table.set_mtu(index, mtu6));
        }
    }

    /// The name that a jail, or the host, has in its own eyes.
    pub fn hostname_of(&self, index: u16) -> String {
        let stack = self.interfaces.get(&index).map_or(StackId::HOST, |interface| interface.stack);
        match self.jails.all().find(|jail| jail.stack == Some(stack)) {
            Some(jail) => jail.hostname.clone(),
            None => self.text_sysctl("kern.hostname"),
        }
    }
}
