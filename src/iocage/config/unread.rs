//! Text in a configuration that has no effect: keys that are no properties, and shell syntax in commands that no
//! shell reads.

use super::network::Nic;
use super::reader::Reader;
use crate::iocage::document::Document;
use crate::iocage::hooks::{self, Hook};
use crate::iocage::properties::Properties;
use crate::iocage::property::{is_of_others, nearest};

/// The message for a key that is no property. Returns `None` for a property, and for a key that other programs write.
pub(in crate::iocage) fn unknown_key(
    properties: &Properties,
    document: &Document,
    key: &str,
) -> Option<String> {
    if properties.find(key).is_some() || is_of_others(key) {
        return None;
    }
    let file = document.path().file_name().unwrap_or_default().to_string_lossy();
    let meant = nearest(key)
        .map_or("take it out".to_owned(), |name| format!("write {name}, if you meant that property"));
    Some(format!("there is no such property, and its value in {file} has no effect: {meant}"))
}

impl Reader<'_> {
    /// Reports keys of the jail's own file. Keys of the defaults are reported once for all jails.
    pub(super) fn unknown_keys(&mut self) {
        let properties = self.properties;
        let Some(document) = properties.own_document() else { return };
        for key in document.keys() {
            if let Some(problem) = unknown_key(properties, document, key) {
                self.warn(key.escape_debug().to_string(), problem);
            }
        }
    }

    /// Reports what the jail's own file says about a NIC that the jail does not have. MAC addresses are left out: iocage
    /// keeps those of a NIC that was taken out of `interfaces`. So is an MTU of 1500, which iocage has written for all.
    pub(super) fn other_nics(&mut self, nics: &[Nic]) {
        let Some(document) = self.properties.own_document() else { return };
        for key in document.keys() {
            let Some((nic, suffix @ ("mtu" | "vlan" | "tagged"))) = key.split_once('_') else { continue };
            let none = if suffix == "mtu" { "auto" } else { "none" };
            let is_there = nics.iter().any(|one| one.name.to_string() == nic);
            let text = self.text_quietly(key);
            let is_unset = text == none || text.is_empty() || (suffix == "mtu" && text == "1500");
            if nic.starts_with("vnet") && !is_there && !is_unset && self.properties.find(key).is_some() {
                self.warn(
                    key,
                    format!("the jail has no NIC {nic}: set {key}={none}, or add {nic} to interfaces"),
                );
            }
        }
    }

    /// Reports commands with shell syntax that no shell reads, or that a shell reads without the quotes.
    pub(super) fn without_shell(&mut self) {
        for name in ["exec_start", "exec_stop"] {
            let text = self.text_quietly(name);
            let Some(sign) = hooks::unquoted_sign(&text) else { continue };
            let how = match text.contains(['\'', '"', '$', '`', '\\']) {
                false => format!("set {name}=\"/bin/sh -c '{text}'\""),
                true => format!("put the line into a script, and set {name} to the path of that"),
            };
            self.warn(
                name,
                format!("no shell reads it, and `{sign}` is not understood but given as an argument: {how}"),
            );
        }
        for name in ["exec_prestart", "exec_poststart", "exec_prestop", "exec_poststop"] {
            let text = self.text_quietly(name);
            match (text.parse::<Hook>(), hooks::unquoted_sign(&text)) {
                (Ok(Hook::Program(_)), Some(sign)) => self.warn(
                    name,
                    format!("one word is run as it is, and no shell reads `{sign}`: write blanks around it, or put the line into a script"),
                ),
                (Ok(Hook::Shell(line)), _) if hooks::loses_quotes(&text) => self.warn(
                    name,
                    format!("its quotes are taken off before the shell reads it, as in iocage, and `{line}` is run: put the line into a script, and set {name} to that"),
                ),
                _ => {}
            }
        }
    }
}
