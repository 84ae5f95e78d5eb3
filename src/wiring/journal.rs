//! The journal of a jail: what its start has added and the kernel does not take away by itself.
//!
//! A jail that is not yet committed, and the epairs inside it, are removed by the kernel when the process
//! that makes them ends. Everything else (aliases on the host's interfaces, mounts, devfs rulesets, files, a
//! committed jail) is written down *before* it is made. The same code undoes a start that failed, stops a
//! jail, and removes what a killed process left.
//!
//! # Format
//!
//! Each record is one line of text, written by one [`write(2)`](https://man.freebsd.org/write(2)): CRC-32 of
//! the rest in hexadecimal, a blank, then tab-separated fields. The first record carries the format and
//! `kern.boot_id`: a restart of the machine clears the kernel's state, so of a journal of another boot only
//! the files are left to remove. For the same reason the library does not call
//! [`fsync(2)`](https://man.freebsd.org/fsync(2)). A record is complete before its change begins. So if the
//! last line is torn or altered, its change was never begun.

use std::fmt;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};

use super::identity::{self, Identity};
use super::nat::Backend;
use super::prior::Prior;
use super::records::{add_line, escape, escape_path, network, unescape, unescape_path, verified};
use crate::bridge::VlanSet;
use crate::files::Files;
use crate::types::{InterfaceName, Jid, Mtu, VlanId};

const FORMAT: &str = "jailwire-journal-1";
const MODE: u32 = 0o600;

/// Something that a start added, and that its undo removes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Owned {
    /// A devfs ruleset.
    Ruleset(u16),
    /// A file system mounted on this path.
    Mount {
        /// The file system's type.
        fstype: String,
        /// The full path that it is mounted on.
        on: PathBuf,
    },
    /// An IPv4 address on an interface of the host, which was not there before.
    Alias4(InterfaceName, Ipv4Network),
    /// An IPv6 address on an interface of the host, which was not there before.
    Alias6(InterfaceName, Ipv6Network),
    /// A jail of this name.
    Jail(String),
    /// The host's end of an epair of the jail.
    Epair(InterfaceName),
    /// The NAT and the published ports of a jail of this name.
    Published(String, Backend),
    /// An interface of the host that was lent to the jail.
    Lent(InterfaceName),
    /// A bridge that the first jail on it made, and the stop of the last jail on it removes.
    Bridge(InterfaceName),
    /// An interface of the host that was put on a bridge, for as long as jails are on it.
    Uplink {
        /// The bridge.
        bridge: InterfaceName,
        /// The interface.
        member: InterfaceName,
    },
    /// A vlan(4) of the host that was made to be an uplink, for as long as jails are in its VLAN.
    Vlan {
        /// The vlan(4).
        name: InterfaceName,
        /// The parent of the vlan(4).
        parent: InterfaceName,
        /// The VLAN.
        tag: VlanId,
    },
    /// An interface of the host that was down, and was brought up for as long as jails need it.
    Raised(InterfaceName),
    /// An interface of the host that was a bridge member before the start, and the VLANs that it carried
    /// then.
    MemberVlans {
        /// The bridge.
        bridge: InterfaceName,
        /// The interface.
        member: InterfaceName,
        /// The VLANs whose tagged frames it carried.
        was: Box<VlanSet>,
    },
    /// A bridge of the host that had no members, and the MTU that it had before the first jail was on it.
    BridgeMtu(InterfaceName, Mtu),
    /// IPv6 on an interface of the host, where it was disabled: the first IPv6 address enables IPv6, and adds
    /// a link-local address.
    Inet6(InterfaceName),
    /// A setting that an interface of the host had before the interface was lent. Version 0.1.0 wrote it into the
    /// journal. Now [`Wiring::lend`](super::Wiring::lend) writes the settings into a record of their own.
    Was(Prior),
    /// A route that was added to a jail that existed before the plan, and the route's router.
    Route(IpNetwork, IpAddr),
    /// A file.
    File(PathBuf),
    /// A symbolic link.
    Link(PathBuf),
}

impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owned::Ruleset(number) => write!(f, "devfs ruleset {number}"),
            Owned::Mount { fstype, on } => write!(f, "{fstype} on {}", on.display()),
            Owned::Alias4(interface, network) => write!(f, "{network} on {interface}"),
            Owned::Alias6(interface, network) => write!(f, "{network} on {interface}"),
            Owned::Jail(name) => write!(f, "jail {name}"),
            Owned::Published(name, _) => write!(f, "NAT and published ports of {name}"),
            Owned::Epair(name) | Owned::Lent(name) => write!(f, "interface {name}"),
            Owned::Bridge(name) => write!(f, "bridge {name}"),
            Owned::Uplink { bridge, member } => write!(f, "{member} on {bridge}"),
            Owned::Vlan { name, parent, tag } => write!(f, "{name} on {parent}, for VLAN {tag}"),
            Owned::Raised(name) => write!(f, "{name} up"),
            Owned::MemberVlans { bridge, member, was } => {
                write!(
                    f,
                    "the VLANs of {member} on {bridge}, which were {}",
                    if was.is_empty() { "none".to_owned() } else { was.to_string() }
                )
            }
            Owned::BridgeMtu(bridge, was) => write!(f, "the MTU of {bridge}, which was {was}"),
            Owned::Inet6(name) => write!(f, "IPv6 on {name}"),
            Owned::Was(prior) => prior.fmt(f),
            Owned::Route(to, router) => write!(f, "the route to {to} via {router}"),
            Owned::File(path) | Owned::Link(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Owned {
    /// Returns whether a restart of the machine removes it, so that in another boot nothing is left to undo.
    pub fn dies_with_the_machine(&self) -> bool {
        !matches!(self, Owned::File(_) | Owned::Link(_))
    }

    fn encode(&self) -> String {
        let (kind, fields): (&str, Vec<String>) = match self {
            Owned::Ruleset(number) => ("ruleset", vec![number.to_string()]),
            Owned::Mount { fstype, on } => ("mount", vec![escape(fstype), escape_path(on)]),
            Owned::Alias4(interface, network) => {
                ("alias4", vec![escape(interface.as_str()), network.to_string()])
            }
            Owned::Alias6(interface, network) => {
                ("alias6", vec![escape(interface.as_str()), network.to_string()])
            }
            Owned::Jail(name) => ("jail", vec![escape(name)]),
            Owned::Published(name, Backend::Pf) => ("published", vec![escape(name)]),
            Owned::Published(name, Backend::Ipfw) => ("published-ipfw", vec![escape(name)]),
            Owned::Epair(name) => ("epair", vec![escape(name.as_str())]),
            Owned::Lent(name) => ("lent", vec![escape(name.as_str())]),
            Owned::Bridge(name) => ("bridge", vec![escape(name.as_str())]),
            Owned::Uplink { bridge, member } => {
                ("uplink", vec![escape(bridge.as_str()), escape(member.as_str())])
            }
            Owned::Vlan { name, parent, tag } => {
                ("vlan", vec![escape(name.as_str()), escape(parent.as_str()), tag.to_string()])
            }
            Owned::Raised(name) => ("raised", vec![escape(name.as_str())]),
            Owned::MemberVlans { bridge, member, was } => {
                ("member-vlans", vec![escape(bridge.as_str()), escape(member.as_str()), was.to_string()])
            }
            Owned::BridgeMtu(bridge, was) => ("bridge-mtu", vec![escape(bridge.as_str()), was.to_string()]),
            Owned::Inet6(name) => ("inet6", vec![escape(name.as_str())]),
            Owned::Was(prior) => {
                let (kind, fields) = prior.encode();
                (kind, fields.iter().map(|field| escape(field)).collect())
            }
            Owned::Route(to, router) => ("route", vec![to.to_string(), router.to_string()]),
            Owned::File(path) => ("file", vec![escape_path(path)]),
            Owned::Link(path) => ("link", vec![escape_path(path)]),
        };
        [kind, "\t", &fields.join("\t")].concat()
    }

    fn decode(text: &str) -> Option<Owned> {
        let mut fields = text.split('\t');
        let kind = fields.next()?;
        let mut next = || fields.next().and_then(unescape);
        let owned = match kind {
            "ruleset" => Owned::Ruleset(next()?.parse().ok()?),
            "mount" => Owned::Mount { fstype: next()?, on: fields.next().and_then(unescape_path)? },
            "alias4" => Owned::Alias4(next()?.parse().ok()?, network(&next()?, Ipv4Network::new)?),
            "alias6" => Owned::Alias6(next()?.parse().ok()?, network(&next()?, Ipv6Network::new)?),
            "jail" => Owned::Jail(next()?),
            "published" => Owned::Published(next()?, Backend::Pf),
            "published-ipfw" => Owned::Published(next()?, Backend::Ipfw),
            "epair" => Owned::Epair(next()?.parse().ok()?),
            "lent" => Owned::Lent(next()?.parse().ok()?),
            "bridge" => Owned::Bridge(next()?.parse().ok()?),
            "uplink" => Owned::Uplink { bridge: next()?.parse().ok()?, member: next()?.parse().ok()? },
            "vlan" => Owned::Vlan {
                name: next()?.parse().ok()?,
                parent: next()?.parse().ok()?,
                tag: next()?.parse().ok()?,
            },
            "raised" => Owned::Raised(next()?.parse().ok()?),
            "member-vlans" => Owned::MemberVlans {
                bridge: next()?.parse().ok()?,
                member: next()?.parse().ok()?,
                was: Box::new(next()?.parse().ok()?),
            },
            "bridge-mtu" => Owned::BridgeMtu(next()?.parse().ok()?, Mtu::new(next()?.parse().ok()?).ok()?),
            "inet6" => Owned::Inet6(next()?.parse().ok()?),
            "route" => Owned::Route(next()?.parse().ok()?, next()?.parse().ok()?),
            "file" => Owned::File(unescape_path(fields.next()?)?),
            "link" => Owned::Link(unescape_path(fields.next()?)?),
            kind => Owned::Was(Prior::decode(kind, next)?),
        };
        fields.next().is_none().then_some(owned)
    }
}

/// The journal of one jail.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    boot: String,
    owned: Vec<Owned>,
    complete: bool,
    /// The provisional name under which the jail is made, before it gets its own name.
    making: Option<String>,
    /// The jid of the jail that the start has made.
    jid: Option<Jid>,
    /// The identity of that jail.
    identity: Option<Identity>,
    /// The jid of a jail that was there before, to be written with the first record.
    begin_with: Option<(Jid, Identity)>,
    /// Whether the file has to be rewritten before a record is added, because it is of another boot, or its
    /// last record is torn.
    stale: bool,
    /// The file, open for appending as soon as the first record is added.
    file: Option<File>,
}

impl Journal {
    /// Reads the journal at `path`. A missing file is an empty journal. `boot` is `kern.boot_id`.
    ///
    /// # Errors
    ///
    /// Those of reading a file. [`io::ErrorKind::InvalidData`]: the file is no journal, so nothing can be
    /// undone by it.
    pub fn open(path: &Path, boot: &str) -> io::Result<Journal> {
        let mut journal = Journal {
            path: path.to_owned(),
            boot: boot.to_owned(),
            owned: Vec::new(),
            complete: false,
            making: None,
            jid: None,
            identity: None,
            begin_with: None,
            stale: false,
            file: None,
        };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(journal),
            Err(error) => return Err(error),
        };
        let damaged = |line: usize| {
            let reason = format!(
                "{}: line {line} is not a journal record; move the file away to go on",
                path.display()
            );
            io::Error::new(io::ErrorKind::InvalidData, reason)
        };
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        // After the last newline comes nothing, or the beginning of a torn record. Only the last record can
        // be torn, and its change was never begun.
        journal.stale = lines.last().is_some_and(|rest| !rest.is_empty());
        let mut foreign_boot = false;
        for (number, line) in lines[..lines.len() - 1].iter().enumerate() {
            let record = verified(line).ok_or_else(|| damaged(number + 1))?;
            match record.split_once('\t') {
                Some((FORMAT, boot)) if number == 0 => {
                    foreign_boot = unescape(boot).as_deref() != Some(&journal.boot)
                }
                None if record == "complete" => journal.complete = true,
                Some(("making", name)) => {
                    journal.making = Some(unescape(name).ok_or_else(|| damaged(number + 1))?);
                }
                Some((kind @ ("jid" | "complete"), rest)) => {
                    journal.complete = kind == "complete";
                    let (jid, known_by) =
                        rest.split_once('\t').map_or((rest, None), |(jid, rest)| (jid, Some(rest)));
                    let jid = jid.parse().ok().and_then(|jid| Jid::new(jid).ok());
                    journal.jid = Some(jid.ok_or_else(|| damaged(number + 1))?);
                    if let Some(text) = known_by {
                        journal.identity = Some(Identity::decode(text).ok_or_else(|| damaged(number + 1))?);
                    }
                }
                _ => journal.owned.push(Owned::decode(record).ok_or_else(|| damaged(number + 1))?),
            }
        }
        if foreign_boot {
            journal.owned.retain(|owned| !owned.dies_with_the_machine());
            journal.complete = false;
            journal.making = None;
            journal.jid = None;
            journal.identity = None;
            journal.stale = true;
        }
        Ok(journal)
    }

    /// Returns what the start added, in the order in which it was made.
    pub fn owned(&self) -> &[Owned] {
        &self.owned
    }

    /// Returns whether the start that wrote the journal has finished.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns the jid of the journal's jail. Returns `None` before the jail is made.
    pub fn jid(&self) -> Option<Jid> {
        self.jid
    }

    /// Returns whether a jail that has the journal's jid or name is the journal's jail.
    pub fn is_of(&self, found: &Identity) -> bool {
        self.identity.as_ref().is_none_or(|own| own.is_same(found))
    }

    /// Returns the provisional name that the jail has until it gets its own, if a start gave it such a name.
    pub fn making(&self) -> Option<&str> {
        self.making.as_deref()
    }

    /// Returns whether the journal has no records.
    pub fn is_empty(&self) -> bool {
        self.owned.is_empty() && self.jid.is_none() && self.making.is_none() && !self.complete
    }

    /// Returns the path of the journal's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down that something is about to be made.
    ///
    /// # Errors
    ///
    /// Those of creating and appending to a file. After an error the thing must not be made.
    pub fn intend(&mut self, files: Files<'_>, owned: Owned) -> crate::Result<()> {
        self.append(files, &owned.encode())?;
        self.owned.push(owned);
        Ok(())
    }

    /// Writes down the provisional name that the jail has until it gets its own. No other start may ever use that name.
    ///
    /// # Errors
    ///
    /// As [`Journal::intend`].
    pub fn make_as(&mut self, files: Files<'_>, name: &str) -> crate::Result<()> {
        self.append(files, &format!("making\t{}", escape(name)))?;
        self.making = Some(name.to_owned());
        Ok(())
    }

    /// Sets the journal's jail, for a jail that exists already. Its jid is written together with the first
    /// record.
    pub fn begin_with(&mut self, jid: Jid, identity: Identity) {
        self.begin_with = Some((jid, identity));
    }

    /// Writes down the jid and the identity of the jail, which exists by now.
    ///
    /// # Errors
    ///
    /// As [`Journal::intend`]. After an error the jail has to be removed.
    pub fn made(&mut self, files: Files<'_>, jid: Jid, identity: Identity) -> crate::Result<()> {
        self.append(files, &identity::record(jid, Some(&identity)))?;
        (self.jid, self.identity) = (Some(jid), Some(identity));
        Ok(())
    }

    /// Writes down that the start has finished, and with which jid the jail runs.
    ///
    /// # Errors
    ///
    /// As [`Journal::intend`].
    pub fn complete(&mut self, files: Files<'_>, jid: Jid) -> crate::Result<()> {
        self.append(files, &format!("complete\t{jid}"))?;
        self.complete = true;
        self.jid = Some(jid);
        Ok(())
    }

    /// Removes all records except those of what is still to be undone. If nothing is left to undo, the file
    /// is removed.
    ///
    /// # Errors
    ///
    /// Those of removing a file or replacing it.
    pub fn keep(&mut self, files: Files<'_>, owed: Vec<Owned>) -> crate::Result<()> {
        self.file = None;
        if owed.is_empty() {
            files.remove_file_if_present(&self.path)?;
            self.making = None;
            self.jid = None;
            self.identity = None;
        } else {
            files.write_atomically(&self.path, self.text(&owed).as_bytes(), MODE)?;
        }
        self.owned = owed;
        self.complete = false;
        self.stale = false;
        Ok(())
    }

    fn append(&mut self, files: Files<'_>, record: &str) -> crate::Result<()> {
        if self.stale {
            self.file = None;
            files.write_atomically(&self.path, self.text(&self.owned).as_bytes(), MODE)?;
            self.stale = false;
        }
        let mut text = if self.is_empty() { self.text(&[]) } else { String::new() };
        if let Some((jid, identity)) = self.begin_with.take() {
            add_line(&mut text, &identity::record(jid, Some(&identity)));
            (self.jid, self.identity) = (Some(jid), Some(identity));
        }
        add_line(&mut text, record);
        files.append_open(&mut self.file, &self.path, text.as_bytes(), MODE)
    }

    fn text(&self, owned: &[Owned]) -> String {
        let mut text = String::with_capacity(128);
        add_line(&mut text, &[FORMAT, "\t", &escape(&self.boot)].concat());
        owned.iter().for_each(|owned| add_line(&mut text, &owned.encode()));
        if !owned.is_empty() {
            if let Some(name) = &self.making {
                add_line(&mut text, &format!("making\t{}", escape(name)));
            }
            if let Some(jid) = self.jid {
                add_line(&mut text, &identity::record(jid, self.identity.as_ref()));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn samples() -> Vec<Owned> {
        let name = |text: &str| text.parse::<InterfaceName>().unwrap();
        vec![
            Owned::Ruleset(1000),
            Owned::Mount { fstype: "nullfs".into(), on: "/a b\tc\\d".into() },
            Owned::Alias4(name("em0"), Ipv4Network::new(Ipv4Addr::new(192, 0, 2, 5), 24).unwrap()),
            Owned::Alias6(name("em0"), Ipv6Network::new(Ipv6Addr::LOCALHOST, 128).unwrap()),
            Owned::Jail("ioc-web".into()),
            Owned::Epair(name("vnet0.7")),
            Owned::Lent(name("em1")),
            Owned::Bridge(name("bridge0")),
            Owned::Uplink { bridge: name("bridge0"), member: name("em0") },
            Owned::Vlan { name: name("em0.20"), parent: name("em0"), tag: VlanId::new(20).unwrap() },
            Owned::Inet6(name("em0")),
            Owned::Route("0.0.0.0/0".parse().unwrap(), "192.0.2.1".parse().unwrap()),
            Owned::Route("2001:db8::/32".parse().unwrap(), "2001:db8::1".parse().unwrap()),
            Owned::Was(Prior::Up(name("em0"))),
            Owned::Was(Prior::Mac(name("em0"), crate::types::MacAddr([2, 0, 0, 0, 0, 1]))),
            Owned::Was(Prior::Description(name("em0"), "to the\troof".into())),
            Owned::Was(Prior::Fib(name("em0"), 3)),
            Owned::Was(Prior::Address(name("em0"), "192.0.2.10/24".parse().unwrap())),
            Owned::Was(Prior::Address(name("em0"), "2001:db8::10/64".parse().unwrap())),
            Owned::Was(Prior::Member { bridge: name("bridge0"), member: name("em0"), flags: 3 }),
            Owned::Was(Prior::Mtu(name("em0"), 9000)),
            Owned::Was(Prior::Nd6(name("em0"), 0x29)),
            Owned::Was(Prior::Group(name("em0"), name("lan"))),
            Owned::Was(Prior::Port {
                bridge: name("bridge0"),
                member: name("em0"),
                untagged: VlanId::new(20).ok(),
                tagged: Box::new("30,40-49".parse().unwrap()),
            }),
            Owned::Was(Prior::Port {
                bridge: name("bridge0"),
                member: name("em0"),
                untagged: None,
                tagged: Box::default(),
            }),
            Owned::Was(Prior::Route {
                interface: name("em0"),
                to: "0.0.0.0/0".parse().unwrap(),
                router: "192.0.2.1".parse().unwrap(),
                fib: 0,
            }),
            Owned::File("/var/run/jail.ioc-web.conf".into()),
            Owned::Link("/x/dev/log".into()),
        ]
    }

    #[test]
    fn records_come_back_as_they_were_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.journal");
        let mut journal = Journal::open(&path, "boot-1").unwrap();
        assert!(journal.is_empty());
        for owned in samples() {
            journal.intend(Files::new(), owned).unwrap();
        }
        let jid = Jid::new(7).unwrap();
        journal.complete(Files::new(), jid).unwrap();

        let read = Journal::open(&path, "boot-1").unwrap();
        assert_eq!(read.owned(), samples());
        assert!(read.is_complete());
        assert_eq!(read.jid(), Some(jid));
    }

    /// While something is left to undo, the journal keeps the jid of its jail.
    #[test]
    fn the_jid_is_there_from_the_moment_that_the_jail_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.journal");
        let read = |boot: &str| Journal::open(&path, boot).unwrap();
        let jid = Jid::new(7).unwrap();
        let mut journal = read("boot-1");
        journal.make_as(Files::new(), "starting\t1").unwrap();
        assert_eq!((read("boot-1").making(), read("boot-1").jid()), (Some("starting\t1"), None));
        journal.intend(Files::new(), Owned::Ruleset(1000)).unwrap();
        let identity = Identity { vnet: true, ruleset: 1000, uuid: "a\tb".into(), path: "/x\ty".into() };
        let another = Identity { ruleset: 0, uuid: String::new(), ..identity.clone() };
        journal.made(Files::new(), jid, identity.clone()).unwrap();
        assert!(!read("boot-1").is_complete());
        assert_eq!(read("boot-1").jid(), Some(jid));
        assert!(read("boot-1").is_of(&identity) && !read("boot-1").is_of(&another));
        journal.keep(Files::new(), vec![Owned::Ruleset(1000)]).unwrap();
        assert_eq!((read("boot-1").making(), read("boot-1").jid()), (Some("starting\t1"), Some(jid)));
        assert!(read("boot-1").is_of(&identity) && !read("boot-1").is_of(&another));
        assert_eq!((read("boot-2").making(), read("boot-2").jid()), (None, None), "another boot's jids");
        journal.keep(Files::new(), vec![]).unwrap();
        assert!(read("boot-1").is_empty() && journal.is_empty());
    }

    #[test]
    fn a_journal_of_another_boot_owes_only_its_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.journal");
        let mut journal = Journal::open(&path, "boot-1").unwrap();
        for owned in samples() {
            journal.intend(Files::new(), owned).unwrap();
        }
        let read = Journal::open(&path, "boot-2").unwrap();
        assert_eq!(read.owned().len(), 2);
        assert!(read.owned().iter().all(|owned| matches!(owned, Owned::File(_) | Owned::Link(_))));
        assert!(!read.is_complete());
    }

    #[test]
    fn a_torn_last_record_was_never_acted_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.journal");
        let mut journal = Journal::open(&path, "b").unwrap();
        journal.intend(Files::new(), Owned::Ruleset(1000)).unwrap();
        journal.intend(Files::new(), Owned::Ruleset(1001)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
        for length in first..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let read = Journal::open(&path, "b").unwrap();
            assert_eq!(read.owned(), [Owned::Ruleset(1000)], "cut at {length}");
            let mut read = read;
            read.intend(Files::new(), Owned::Ruleset(1002)).unwrap();
            let again = Journal::open(&path, "b").unwrap();
            assert_eq!(again.owned(), [Owned::Ruleset(1000), Owned::Ruleset(1002)], "cut at {length}");
        }
    }

    #[test]
    fn a_damaged_record_in_the_middle_is_not_guessed_at() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.journal");
        let mut journal = Journal::open(&path, "b").unwrap();
        for number in 1000..1003 {
            journal.intend(Files::new(), Owned::Ruleset(number)).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap().replace("1001", "9999");
        std::fs::write(&path, text).unwrap();
        let error = Journal::open(&path, "b").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("line 3"), "{error}");
    }

    #[test]
    fn what_is_owed_stays_and_nothing_owed_removes_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.journal");
        let mut journal = Journal::open(&path, "b").unwrap();
        journal.intend(Files::new(), Owned::Ruleset(1000)).unwrap();
        journal.intend(Files::new(), Owned::Jail("ioc-web".into())).unwrap();
        journal.keep(Files::new(), vec![Owned::Ruleset(1000)]).unwrap();
        assert_eq!(Journal::open(&path, "b").unwrap().owned(), [Owned::Ruleset(1000)]);
        journal.keep(Files::new(), vec![]).unwrap();
        assert!(!path.exists());
    }
}
