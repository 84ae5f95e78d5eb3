//! Moving interfaces between network stacks: `if_vmove` and its parts.

use jailwire_sys as sys;

use super::caller::Caller;
use super::interface::UNION;
use super::world::{Kind, StackId, World};
use crate::kernel::{Errno, Request, Result};

/// ifr_jid is at the beginning of the union.
const JID: usize = UNION;

impl World {
    /// SIOCSIFVNET: from the socket's stack into a jail below the caller's (`if_vmove_loan`).
    ///
    /// The jail may be dying.
    pub fn lend(&mut self, caller: Caller, stack: StackId, request: &Request) -> Result<()> {
        let name = request.argument.text_at(0, sys::IFNAMSIZ);
        let index = self.find(stack, name).ok_or(Errno::ENXIO)?;
        let target = self.stack_of_child(caller, request.argument.i32_at(JID))?;
        // The kernel compares the caller's own stack, and not the socket's.
        if target == self.stack_of(caller.jid) || self.find(target, name).is_some() {
            return Err(Errno::EEXIST.into());
        }
        self.move_interface(index, target);
        Ok(())
    }

    /// SIOCSIFRVNET: from a jail into the caller's own stack (`if_vmove_reclaim`), whatever names there
    /// are already.
    pub fn reclaim(&mut self, caller: Caller, request: &Request) -> Result<()> {
        let source = self.stack_of_child(caller, request.argument.i32_at(JID))?;
        let index = self.find(source, request.argument.text_at(0, sys::IFNAMSIZ)).ok_or(Errno::ENXIO)?;
        let target = self.stack_of(caller.jid);
        if source == target {
            return Err(Errno::EEXIST.into());
        }
        self.move_interface(index, target);
        Ok(())
    }

    fn stack_of_child(&self, caller: Caller, jid: i32) -> Result<StackId> {
        match self.jails.is_below(caller.jid, jid) {
            true => Ok(self.stack_of(jid)),
            false => Err(Errno::ENXIO.into()),
        }
    }

    /// `if_vmove`. Addresses, routes, groups and memberships are lost, and so is IFF_UP. The interface keeps its
    /// name, index, link addresses, MTU, description, capabilities, routing table, and promiscuous mode with its
    /// count.
    pub fn move_interface(&mut self, index: u16, target: StackId) {
        self.detach(index);
        if matches!(self.interface(index).kind, Kind::Bridge(_)) {
            // `bridge_reassign`
            self.drop_all_members(index);
        }
        self.interfaces.move_to(index, target);
        self.attach(index);
    }

    /// `if_detach_internal`. It always takes the interface down, so there is a message even if the interface was
    /// down.
    pub fn detach(&mut self, index: u16) {
        let stack = self.interface(index).stack;
        if let Some(stack) = self.stacks.get_mut(&stack) {
            stack.order.remove(index);
        }
        self.quit_groups(index);
        self.take_down(index);
        self.protocols_leave(index);
        // ifnet_departure_event: bridges and vlans drop the interface.
        self.leave_bridge(index);
        self.drop_vlans_of(index);
        self.post_announce(index, true);
    }

    /// `if_attach_internal`: adds the interface at the end of the list, so that of two interfaces with the same
    /// name the older one is found.
    pub fn attach(&mut self, index: u16) {
        self.join_first_groups(index);
        self.protocols_arrive(index);
        let stack = self.interface(index).stack;
        if let Some(stack) = self.stacks.get_mut(&stack) {
            stack.order.push(index, ());
        }
        self.post_announce(index, false);
    }

    /// `vnet_alloc`: an empty stack, and its lo0, which is down.
    pub fn create_stack(&mut self) -> StackId {
        let id = StackId(self.next_stack);
        self.next_stack += 1;
        self.add_stack(id);
        id
    }

    /// `vnet_destroy`. Lent interfaces return to their home stack, down and under their present names. Interfaces
    /// that were made here are destroyed, wherever they are now.
    pub fn stack_gone(&mut self, id: StackId) {
        let Some(stack) = self.stacks.get(&id) else { return };
        for index in stack.order.indexes().collect::<Vec<u16>>() {
            let home = self.interface(index).home;
            if home != id && self.stacks.contains_key(&home) {
                self.move_interface(index, home);
            }
        }
        loop {
            let next = self.interfaces.made_in(id).next().map(|interface| interface.index);
            let Some(index) = next else { break };
            // A vlan is destroyed before its parent, and an epair with its other end.
            self.drop_vlans_of(index);
            if self.destroy(index, true).is_err() {
                self.detach_for_good(index);
            }
        }
        self.stacks.remove(&id);
    }
}
