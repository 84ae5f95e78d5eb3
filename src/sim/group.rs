//! Groups of interfaces: `if_addgroup`, `if_getgroup` and others.

use std::mem::offset_of;

use jailwire_sys as sys;

use super::world::{StackId, World};
use crate::kernel::{Errno, Request, Result};

/// The group of all interfaces.
const ALL: &str = "all";

const LENGTH: usize = offset_of!(sys::ifgroupreq, ifgr_len);
const UNION: usize = offset_of!(sys::ifgroupreq, ifgr_ifgru);
const ENTRY: usize = size_of::<sys::ifg_req>();

impl World {
    /// The groups of an interface that arrives in a stack: `all`, and the group of its cloner.
    pub fn join_first_groups(&mut self, index: u16) {
        let interface = self.interface(index);
        let (stack, driver, home) = (interface.stack, interface.driver.clone(), interface.home);
        let cloned = self.is_cloned(index) && self.stacks.contains_key(&home);
        self.join_group_of(stack, index, ALL);
        if cloned {
            self.join_group_of(stack, index, &driver);
        }
    }

    fn join_group_of(&mut self, stack: StackId, index: u16, name: &str) {
        self.interface_mut(index).groups.push(name.to_owned());
        let Some(stack) = self.stacks.get_mut(&stack) else { return };
        match stack.groups.iter_mut().find(|(other, _)| other == name) {
            Some((_, members)) => members.push(index, ()),
            None => stack.groups.push((name.to_owned(), [index].into_iter().collect())),
        }
    }

    fn leave_group_of(&mut self, stack: StackId, index: u16, name: &str) {
        self.interface_mut(index).groups.retain(|group| group != name);
        let Some(stack) = self.stacks.get_mut(&stack) else { return };
        for (group, members) in &mut stack.groups {
            if group == name {
                members.remove(index);
            }
        }
        stack.groups.retain(|(_, members)| !members.is_empty());
    }

    /// `if_delgroups`.
    pub fn quit_groups(&mut self, index: u16) {
        let interface = self.interface(index);
        let (stack, groups) = (interface.stack, interface.groups.clone());
        for group in groups {
            self.leave_group_of(stack, index, &group);
        }
    }

    /// The name in a request that joins or leaves a group. 14.2 accepts a name without a NUL (confirmed).
    fn group_named(&self, request: &Request) -> Result<String> {
        let name = request.argument.text_at(UNION, sys::IFNAMSIZ);
        if name.len() == sys::IFNAMSIZ && self.release >= super::Release::V15_1 {
            return Err(Errno::EINVAL.into());
        }
        let name = &name[..name.len().min(sys::IFNAMSIZ - 1)];
        Ok(String::from_utf8_lossy(name).into_owned())
    }

    /// SIOCAIFGROUP: a name that ends in a digit could be an interface's, and is refused.
    pub fn join_named_group(&mut self, index: u16, request: &Request) -> Result<()> {
        let name = self.group_named(request)?;
        if name.ends_with(|last: char| last.is_ascii_digit()) {
            return Err(Errno::EINVAL.into());
        }
        if self.interface(index).groups.contains(&name) {
            return Err(Errno::EEXIST.into());
        }
        self.join_group_of(self.interface(index).stack, index, &name);
        Ok(())
    }

    /// SIOCDIFGROUP: any group can be left, all and the cloner's too.
    pub fn leave_named_group(&mut self, index: u16, request: &Request) -> Result<()> {
        let name = self.group_named(request)?;
        if !self.interface(index).groups.contains(&name) {
            return Err(Errno::ENOENT.into());
        }
        self.leave_group_of(self.interface(index).stack, index, &name);
        Ok(())
    }

    /// SIOCGIFGROUP.
    pub fn groups_of_interface(&self, index: u16, request: &mut Request) -> Result<()> {
        let groups = self.interface(index).groups.clone();
        list(request, &groups)
    }

    /// SIOCGIFGMEMB: the members in this stack, in the order they joined.
    pub fn group_members(&self, stack: StackId, request: &mut Request) -> Result<()> {
        let name = request.argument.text_at(0, sys::IFNAMSIZ);
        if name.len() == sys::IFNAMSIZ {
            return Err(Errno::EINVAL.into());
        }
        let groups = self.stacks.get(&stack).map_or(&[][..], |stack| &stack.groups);
        let (_, members) = groups.iter().find(|(group, _)| group.as_bytes() == name).ok_or(Errno::ENOENT)?;
        let names: Vec<String> = members.indexes().map(|index| self.interface(index).name.clone()).collect();
        list(request, &names)
    }
}

/// Fills a list of names. With length 0, the needed length is returned. Otherwise the caller's length stays. If the
/// list does not fit, the call writes what fits, and fails.
fn list(request: &mut Request, names: &[String]) -> Result<()> {
    let length = request.argument.u32_at(LENGTH) as usize;
    if length == 0 {
        request.argument.put(LENGTH, &((names.len() * ENTRY) as u32).to_ne_bytes());
        return Ok(());
    }
    if length < names.len() * ENTRY {
        return Err(Errno::EINVAL.into());
    }
    let child = request.argument.child_mut(UNION).ok_or(Errno::EFAULT)?;
    for (place, name) in (0..).step_by(ENTRY).zip(names) {
        let entry = child.bytes.get_mut(place..place + ENTRY).ok_or(Errno::EFAULT)?;
        entry.fill(0);
        entry[..name.len()].copy_from_slice(name.as_bytes());
    }
    Ok(())
}
