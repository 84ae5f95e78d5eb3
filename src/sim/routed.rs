//! The operations on an address family that common code needs.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::sockaddr::{self, AF_INET, AF_INET6};
use super::table::{Family, Table};
use super::world::{Stack, StackId, World};

/// An address family with routing tables and messages.
pub(crate) trait Routed: Family {
    const FAMILY: u8;

    fn tables(stack: &Stack) -> &[Table<Self>];
    fn tables_mut(stack: &mut Stack) -> &mut [Table<Self>];

    /// A `sockaddr` for programs.
    fn sockaddr(self) -> Vec<u8>;
    /// A mask as a `sockaddr` of full length.
    fn mask(self) -> Vec<u8>;
}

impl Routed for Ipv4Addr {
    const FAMILY: u8 = AF_INET;

    fn tables(stack: &Stack) -> &[Table<Ipv4Addr>] {
        &stack.inet
    }

    fn tables_mut(stack: &mut Stack) -> &mut [Table<Ipv4Addr>] {
        &mut stack.inet
    }

    fn sockaddr(self) -> Vec<u8> {
        sockaddr::inet(self)
    }

    fn mask(self) -> Vec<u8> {
        sockaddr::inet(self)
    }
}

impl Routed for Ipv6Addr {
    const FAMILY: u8 = AF_INET6;

    fn tables(stack: &Stack) -> &[Table<Ipv6Addr>] {
        &stack.inet6
    }

    fn tables_mut(stack: &mut Stack) -> &mut [Table<Ipv6Addr>] {
        &mut stack.inet6
    }

    fn sockaddr(self) -> Vec<u8> {
        sockaddr::inet6(self)
    }

    fn mask(self) -> Vec<u8> {
        sockaddr::inet6_raw(self)
    }
}

impl World {
    /// A routing table of a stack, for one family.
    pub fn table<A: Routed>(&self, stack: StackId, fib: u32) -> Option<&Table<A>> {
        A::tables(self.stacks.get(&stack)?).get(fib as usize)
    }

    pub fn table_mut<A: Routed>(&mut self, stack: StackId, fib: u32) -> Option<&mut Table<A>> {
        A::tables_mut(self.stacks.get_mut(&stack)?).get_mut(fib as usize)
    }

    /// Makes the routing tables of a stack: for a new stack, and again when the stack gets more tables.
    pub fn stack_created(&mut self, stack: StackId) {
        let Some(stack) = self.stacks.get_mut(&stack) else { return };
        let fibs = stack.fibs as usize;
        stack.inet.resize_with(fibs.max(stack.inet.len()), Table::default);
        stack.inet6.resize_with(fibs.max(stack.inet6.len()), Table::default);
    }
}
