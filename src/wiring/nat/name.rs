//! The anchor of each jail.

use crate::checksum::crc32;
use crate::error::Error;
use crate::packet_filter::Anchor;

use super::TOP;

/// The longest name of an anchor, in bytes.
const LONGEST: usize = 63;

/// Returns the anchor of the jail with this name. If the name has more than 63 bytes, as a container's id may, the
/// anchor has the beginning of the name and a checksum of the whole name.
///
/// # Errors
///
/// The name is empty, or has control characters.
///
/// ```
/// use jailwire::wiring::nat::anchor_of;
///
/// assert_eq!(anchor_of("web")?.as_str(), "jailwire/web");
/// assert_eq!(anchor_of(&"0123456789abcdef".repeat(4))?.as_str().len(), "jailwire/".len() + 63);
/// # Ok::<(), jailwire::Error>(())
/// ```
pub fn anchor_of(jail: &str) -> Result<Anchor, Error> {
    let mut name = String::with_capacity(jail.len());
    for character in jail.chars() {
        match character {
            '%' => name.push_str("%25"),
            '/' => name.push_str("%2f"),
            '*' => name.push_str("%2a"),
            other => name.push(other),
        }
    }
    if name.len() > LONGEST || ["_pf", ".."].contains(&name.as_str()) {
        let mut end = name.len().min(LONGEST - 9);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        name.push_str(&format!("~{:08x}", crc32(jail.as_bytes())));
    }
    Anchor::new(TOP)?.below(&name)
}

/// The name of the jail that an anchor belongs to. If the anchor has only the beginning of the name, the
/// result is that beginning.
pub(super) fn name_of(anchor: &str) -> String {
    anchor.replace("%2a", "*").replace("%2f", "/").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_jail_has_an_anchor_of_its_own() {
        let long = "x".repeat(64);
        let names = ["web", "a.b", "a/b", "a%2fb", "_pf", "..", "*", "ä", &long, &format!("{long}y")];
        let mut anchors: Vec<_> = names.iter().map(|name| anchor_of(name).unwrap()).collect();
        anchors.sort();
        anchors.dedup();
        assert_eq!(anchors.len(), names.len());
        assert!(anchor_of("").is_err() && anchor_of("a\nb").is_err());
        for name in ["web", "a.b", "a/b", "a%2fb", "*"] {
            let anchor = anchor_of(name).unwrap();
            assert_eq!(name_of(anchor.as_str().strip_prefix("jailwire/").unwrap()), name);
        }
    }
}
