//! `jail_get(2)`: `kern/kern_jail.c:kern_jail_get`.

use jailwire_sys as sys;

use super::Jail;
use super::descriptor::MAKING;
use super::parameters::{META, Options, SYSV, is_no_form, refuse};
use super::set::NO_NUMBERS;
use crate::kernel::{Errno, Handle, Parameter, Result, Value};
use crate::sim::caller::Caller;
use crate::sim::options::Release;
use crate::sim::world::World;

impl World {
    /// Finds a jail, and writes its values into the parameters. It needs no privilege.
    pub fn jail_get(&self, caller: Caller, parameters: &mut [Parameter], flags: i32) -> Result<i32> {
        self.get_jail(caller, parameters, flags, None)
    }

    /// As [`jail_get`](World::jail_get). `desc` is the parameter with that name, if there is one: a jail
    /// descriptor, or -1.
    pub(super) fn get_jail(
        &self,
        caller: Caller,
        parameters: &mut [Parameter],
        flags: i32,
        desc: Option<Option<Handle>>,
    ) -> Result<i32> {
        let known = match self.release {
            Release::V14_2 => sys::JAIL_DYING,
            Release::V15_1 => sys::JAIL_GET_MASK,
        };
        let both = sys::JAIL_USE_DESC | sys::JAIL_AT_DESC;
        if flags & !known != 0 || flags & both == both {
            return Err(Errno::EINVAL.into());
        }
        let given = parameters.to_vec();
        let mut options = Options::read(&given)?;
        let (viewer, jid) = self.sought_with(caller, &mut options, flags, desc)?;
        let jail = self.jails.get(jid).ok_or(Errno::ENOENT)?;
        // Write the answers only when all of them are known.
        let mut answers = Vec::with_capacity(parameters.len());
        for parameter in parameters.iter() {
            answers.push(self.answer_parameter(viewer, jail, parameter)?);
        }
        for (parameter, answer) in parameters.iter_mut().zip(answers) {
            parameter.value = answer;
        }
        Ok(jid)
    }

    /// Finds the jail of a descriptor, or a jail below it.
    fn sought_with(
        &self,
        caller: Caller,
        options: &mut Options<'_>,
        flags: i32,
        desc: Option<Option<Handle>>,
    ) -> Result<(Caller, i32)> {
        if self.release < Release::V15_1 {
            return match desc {
                Some(_) => refuse(Errno::EINVAL, "unknown parameter: desc"),
                None => Ok((caller, self.sought(caller, options, flags)?)),
            };
        }
        let wants = sys::JAIL_AT_DESC | MAKING;
        let number = options.get("desc").is_some();
        let mut viewer = caller;
        match desc {
            None if !number && flags & wants != 0 => return refuse(Errno::ENOENT, "missing desc"),
            // With JAIL_USE_DESC the parameter is not needed either.
            None if !number => {}
            _ if flags & (wants | sys::JAIL_USE_DESC) == 0 => {
                return refuse(Errno::EINVAL, "unexpected desc");
            }
            None => return refuse(Errno::EINVAL, NO_NUMBERS),
            Some(descriptor) if flags & sys::JAIL_USE_DESC != 0 => {
                return Ok((caller, self.described(descriptor)?.0));
            }
            Some(descriptor) => {
                if flags & sys::JAIL_AT_DESC != 0 {
                    viewer.jid = self.described(descriptor)?.0;
                }
                self.may_make_descriptor(caller, flags)?;
            }
        }
        Ok((viewer, self.sought(viewer, options, flags)?))
    }

    /// Finds a jail by `lastjid`, or `jid`, or `name`, in that order.
    fn sought(&self, caller: Caller, options: &mut Options<'_>, flags: i32) -> Result<i32> {
        let dying_too = flags & sys::JAIL_DYING != 0;
        let is_there = |jail: &Jail| dying_too || !jail.dying;
        if let Some(last) = options.int("lastjid")? {
            let next =
                |jail: &&Jail| jail.jid > last && is_there(jail) && self.jails.is_below(caller.jid, jail.jid);
            return match self.jails.all().find(next) {
                Some(jail) => Ok(jail.jid),
                None => refuse(Errno::ENOENT, format!("no jail after {last}")),
            };
        }
        if let Some(jid) = options.int("jid")?.filter(|jid| *jid != 0) {
            return match self.jails.get(jid).filter(|_| self.jails.is_below(caller.jid, jid)) {
                None => refuse(Errno::ENOENT, format!("jail {jid} not found")),
                Some(jail) if !is_there(jail) => refuse(Errno::ENOENT, format!("jail {jid} is dying")),
                Some(jail) => Ok(jail.jid),
            };
        }
        if let Some(name) = options.string("name", usize::MAX)? {
            let found = self.jails.find_name(caller.jid, &name).and_then(|jid| self.jails.get(jid));
            return match found {
                None => refuse(Errno::ENOENT, format!("jail \"{name}\" not found")),
                Some(jail) if !is_there(jail) => refuse(Errno::ENOENT, format!("jail \"{name}\" is dying")),
                Some(jail) => Ok(jail.jid),
            };
        }
        refuse(Errno::ENOENT, "no jail specified")
    }

    /// The answer for one parameter.
    fn answer_parameter(&self, caller: Caller, jail: &Jail, parameter: &Parameter) -> Result<Value> {
        let room = match &parameter.value {
            Value::Bytes(bytes) => Some(bytes.len()),
            _ => None,
        };
        let Some((form, mut bytes)) = self.value(caller, jail, &parameter.name) else {
            // A missing key of `meta` has an empty answer.
            return match META.iter().any(|name| parameter.name.starts_with(&format!("{name}."))) {
                true if self.release >= Release::V15_1 => Ok(match room {
                    Some(_) => Value::Bytes(Vec::new()),
                    None => Value::Length(0),
                }),
                _ if parameter.name == "errmsg" || parameter.name == "lastjid" => Ok(parameter.value.clone()),
                _ => refuse(Errno::EINVAL, format!("unknown parameter: {}", parameter.name)),
            };
        };
        match (room, form) {
            (None, _) => Ok(Value::Length(bytes.len())),
            // Without a buffer the kernel returns the length, which this form of the parameter cannot hold.
            (Some(0), _) => Ok(parameter.value.clone()),
            (Some(room), Form::Exact) if room != bytes.len() => Err(Errno::EINVAL.into()),
            (Some(room), _) if room < bytes.len() => Err(Errno::EINVAL.into()),
            // The buffer of a string keeps its length.
            (Some(room), Form::Text) => {
                bytes.resize(room, 0);
                Ok(Value::Bytes(bytes))
            }
            (Some(_), _) => Ok(Value::Bytes(bytes)),
        }
    }

    fn value(&self, caller: Caller, jail: &Jail, name: &str) -> Option<(Form, Vec<u8>)> {
        let int = |value: i32| Some((Form::Exact, value.to_ne_bytes().to_vec()));
        let text = |value: &str| {
            let mut bytes = value.as_bytes().to_vec();
            bytes.push(0);
            Some((Form::Text, bytes))
        };
        let flag = |positive: &str, value: bool| match name {
            _ if name == positive => int(i32::from(value)),
            _ if is_no_form(name, positive) => int(i32::from(!value)),
            _ => None,
        };
        // "New" and "disable" share a flag, so an own list reads as "disable" (trap 26).
        let family = |own: bool| int(if own { sys::JAIL_SYS_DISABLE } else { sys::JAIL_SYS_INHERIT });
        let own = |own: bool| int(if own { sys::JAIL_SYS_NEW } else { sys::JAIL_SYS_INHERIT });
        match name {
            "jid" => int(jail.jid),
            "parent" => int(if jail.parent == caller.jid { 0 } else { jail.parent }),
            "name" => text(&self.jails.name_seen_from(caller.jid, jail)),
            "cpuset.id" => int(jail.cpuset),
            "path" => text(&self.path_seen_from(caller.jid, jail)),
            "ip4.addr" => {
                Some((Form::AtMost, jail.ip4.list.iter().flat_map(|address| address.octets()).collect()))
            }
            "ip6.addr" => {
                Some((Form::AtMost, jail.ip6.list.iter().flat_map(|address| address.octets()).collect()))
            }
            "securelevel" => int(jail.securelevel),
            "children.cur" => int(self.jails.count_below(jail.jid) as i32),
            "children.max" => int(jail.children_max),
            "host.hostname" => text(&jail.hostname),
            "host.domainname" => text(&jail.domainname),
            "host.hostuuid" => text(&jail.hostuuid),
            "host.hostid" => Some((Form::Exact, jail.hostid.to_ne_bytes().to_vec())),
            "enforce_statfs" => int(jail.enforce_statfs),
            "devfs_ruleset" => int(jail.devfs_ruleset),
            "host" => own(jail.own_host),
            "vnet" if self.vimage => own(jail.stack.is_some()),
            "ip4" => family(jail.ip4.own),
            "ip6" => family(jail.ip6.own),
            "osreldate" => int(jail.osreldate),
            "osrelease" => text(&jail.osrelease),
            _ => flag("persist", jail.persist)
                .or_else(|| flag("dying", jail.dying))
                .or_else(|| flag("ip4.saddrsel", jail.ip4.select))
                .or_else(|| flag("ip6.saddrsel", jail.ip6.select))
                .or_else(|| self.allowance(jail, name).and_then(|value| int(i32::from(value))))
                .or_else(|| SYSV.iter().find(|sysv| **sysv == name).and_then(|sysv| int(jail.sysv[sysv])))
                .or_else(|| self.meta_value(jail, name).and_then(text)),
        }
    }

    /// `allow.x` and `allow.nox`.
    fn allowance(&self, jail: &Jail, name: &str) -> Option<bool> {
        let name = name.strip_prefix("allow.")?;
        self.allow_names().iter().find_map(|what| match () {
            () if name == what => Some(jail.allows(what)),
            () if is_no_form(name, what) => Some(!jail.allows(what)),
            () => None,
        })
    }

    fn meta_value<'a>(&self, jail: &'a Jail, name: &str) -> Option<&'a str> {
        if self.release < Release::V15_1 {
            return None;
        }
        match name.split_once('.') {
            None => jail.meta.get(name).map(String::as_str),
            Some((meta, key)) => {
                let mut lines = jail.meta.get(meta)?.lines();
                lines.find_map(|line| line.split_once('=').filter(|(other, _)| *other == key)).map(|(_, v)| v)
            }
        }
    }

    /// `prison_path`: the path as the viewer sees it, without the viewer's root.
    pub(super) fn path_seen_from(&self, viewer: i32, jail: &Jail) -> String {
        match self.jails.get(viewer) {
            Some(own) if own.path != "/" => match jail.path.strip_prefix(&own.path) {
                Some("") | None => "/".to_owned(),
                Some(rest) => rest.to_owned(),
            },
            _ => jail.path.clone(),
        }
    }
}

/// How a value is copied to its buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The lengths must be equal, otherwise EINVAL: `vfs_setopt`.
    Exact,
    /// The buffer must be long enough, and is padded with zeroes: `vfs_setopts`.
    Text,
    /// The buffer must be long enough, and is cut to the value: `vfs_setopt_part`.
    AtMost,
}
