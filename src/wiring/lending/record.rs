//! The record of a lent interface: lines as in a journal.
//!
//! The first write lists everything that the interface has, and ends with `begun`. If the file is torn before
//! `begun`, nothing was changed. The lines after `begun` say how far the loan has come.

use super::Lent;
use crate::error::Error;
use crate::types::{InterfaceName, Jid, VlanId};
use crate::wiring::prior::Prior;
use crate::wiring::records::{add_line, escape, head, read_of_boot, unescape};
use crate::wiring::site::Site;

const FORMAT: &str = "jailwire-lent-1";
const MODE: u32 = 0o600;

/// How far a loan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The record is written, and the loan may be carried out in part.
    Begun,
    /// The interface is in the jail.
    Gone,
    /// The interface is on the host, and a part of its settings may be put back.
    Back,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Stage::Begun => "begun",
            Stage::Gone => "gone",
            Stage::Back => "back",
        }
    }

    fn parse(text: &str) -> Option<Stage> {
        [Stage::Begun, Stage::Gone, Stage::Back].into_iter().find(|stage| stage.as_str() == text)
    }
}

pub(super) fn write(site: &Site<'_>, index: u16, lent: &Lent) -> Result<(), Error> {
    let path = site.state.lent(index);
    site.files.remove_file_if_present(&path)?;
    site.files.append(&path, text(site, lent).as_bytes(), MODE)
}

/// Writes it anew, when something was put back and something was not.
pub(super) fn rewrite(site: &Site<'_>, index: u16, lent: &Lent) -> Result<(), Error> {
    site.files.write_atomically(&site.state.lent(index), text(site, lent).as_bytes(), MODE)
}

fn text(site: &Site<'_>, lent: &Lent) -> String {
    let mut text = head(FORMAT, site.boot);
    let (name, mark) = (escape(lent.name.as_str()), escape(&lent.mark));
    add_line(&mut text, &format!("lent\t{name}\t{}\t{mark}", lent.jid));
    for prior in &lent.prior {
        let (kind, fields) = prior.encode();
        let fields: Vec<_> = fields.iter().map(|field| escape(field)).collect();
        add_line(&mut text, &[kind, "\t", &fields.join("\t")].concat());
    }
    for (vlan, tag) in &lent.vlans {
        add_line(&mut text, &format!("vlan\t{}\t{tag}", escape(vlan.as_str())));
    }
    add_line(&mut text, Stage::Begun.as_str());
    if lent.stage != Stage::Begun {
        add_line(&mut text, lent.stage.as_str());
    }
    text
}

/// Writes down how far a loan has come.
pub(super) fn note(site: &Site<'_>, index: u16, stage: Stage) -> Result<(), Error> {
    let mut text = String::new();
    add_line(&mut text, stage.as_str());
    site.files.append(&site.state.lent(index), text.as_bytes(), MODE)
}

/// Reads a record. Returns `None` when there is no record of this boot, or the record was torn before
/// anything was changed.
pub(super) fn read(site: &Site<'_>, index: u16) -> Result<Option<Lent>, Error> {
    let Some(records) = read_of_boot(&site.state.lent(index), FORMAT, site.boot)? else { return Ok(None) };
    let mut lines = records.iter().map(String::as_str);
    let first = lines.next().map(|line| line.split('\t').collect::<Vec<_>>()).unwrap_or_default();
    let ["lent", name, jid, mark] = first[..] else { return Ok(None) };
    let name = unescape(name).and_then(|name| name.parse().ok());
    let jid = jid.parse().ok().and_then(|number| Jid::new(number).ok());
    let (Some(name), Some(jid), Some(mark)) = (name, jid, unescape(mark)) else { return Ok(None) };
    let (mut prior, mut vlans) = (Vec::new(), Vec::new());
    loop {
        let Some(line) = lines.next() else { return Ok(None) };
        if Stage::parse(line).is_some() {
            break;
        }
        let mut fields = line.split('\t');
        let kind = fields.next().unwrap_or_default();
        let mut field = || fields.next().and_then(unescape);
        match kind {
            "vlan" => match vlan(&mut field) {
                Some(vlan) => vlans.push(vlan),
                None => return Ok(None),
            },
            kind => match Prior::decode(kind, field) {
                Some(one) => prior.push(one),
                None => return Ok(None),
            },
        }
    }
    let stage = lines.map_while(Stage::parse).last().unwrap_or(Stage::Begun);
    Ok(Some(Lent { name, jid, prior, vlans, mark, stage }))
}

fn vlan(mut next: impl FnMut() -> Option<String>) -> Option<(InterfaceName, VlanId)> {
    Some((next()?.parse().ok()?, VlanId::new(next()?.parse().ok()?).ok()?))
}
