//! A jail's properties: from its config.json, or else from defaults.json, or else the built-in defaults of iocage.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::defaults::OF_ONE_JAIL;
use super::document::Document;
use super::interfaces::Interfaces;
use super::name::JailName;
use super::nic::NicName;
use super::order::Depends;
use super::property::{
    Assignment, Builtin, Change, Kind, Property, TABLE, Target, all_refused, boolean, canonical, find,
    refused,
};
use crate::error::Error;

/// The place that a value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The jail's config.json.
    Jail,
    /// defaults.json.
    Defaults,
    /// The table of properties.
    Builtin,
}

/// The properties of one jail, or the defaults of all jails.
#[derive(Debug, Clone)]
pub struct Properties {
    /// `None` if these are the defaults.
    jail: Option<(JailName, Document)>,
    /// The defaults, which all jails of a command share.
    defaults: Arc<Document>,
}

impl Properties {
    /// Returns a jail's.
    pub fn of_jail(name: JailName, config: Document, defaults: impl Into<Arc<Document>>) -> Properties {
        Properties { jail: Some((name, config)), defaults: defaults.into() }
    }

    /// Returns the defaults.
    pub fn of_defaults(defaults: Document) -> Properties {
        Properties { jail: None, defaults: Arc::new(defaults) }
    }

    /// Returns the jail's own file. Returns `None` for the properties of the defaults.
    pub fn own_document(&self) -> Option<&Document> {
        self.jail.as_ref().map(|(_, config)| config)
    }

    /// Returns the document that changes go into.
    pub fn document(&self) -> &Document {
        self.jail.as_ref().map_or(&self.defaults, |(_, config)| config)
    }

    /// Returns the document that changes go into, to be changed.
    pub fn document_mut(&mut self) -> &mut Document {
        match &mut self.jail {
            Some((_, config)) => config,
            None => Arc::make_mut(&mut self.defaults),
        }
    }

    /// Returns the value of a known property, and its source. Returns `None` for an unknown property.
    ///
    /// # Errors
    ///
    /// [`Error`]: the file has a list or an object as its value.
    pub fn value(&self, name: &str) -> Result<Option<(Cow<'_, str>, Source)>, Error> {
        let name = canonical(name);
        let config = self.jail.as_ref().map(|(_, config)| (config, Source::Jail));
        for (document, source) in config.into_iter().chain([(&*self.defaults, Source::Defaults)]) {
            if let Some(text) = document.text(name)? {
                return Ok(Some((text.into(), source)));
            }
            // Legacy iocage has another name for this property.
            if name == "host_hostname"
                && let Some(text) = document.text("hostname")?
            {
                return Ok(Some((text.into(), source)));
            }
        }
        let Some(property) = self.find(name) else { return Ok(None) };
        Ok(Some((self.builtin(property), Source::Builtin)))
    }

    fn builtin(&self, property: &Property) -> Cow<'static, str> {
        let name = self.jail.as_ref().map(|(name, _)| name);
        match (property.builtin, name) {
            (Builtin::Text(text), _) => Cow::Borrowed(text),
            (Builtin::Name, Some(name)) => Cow::Owned(name.to_string()),
            (Builtin::Hostname, Some(name)) => Cow::Owned(name.default_hostname()),
            (Builtin::Name | Builtin::Hostname | Builtin::Host, _) => Cow::Borrowed("none"),
        }
    }

    /// Returns a property in the form that `get` prints: booleans as 0 and 1, and unknown keys unchanged. Returns
    /// `None` if there is no such property.
    pub fn get(&self, name: &str) -> Option<String> {
        let name = canonical(name);
        match self.value(name) {
            Ok(Some((text, _))) => Some(match self.find(name).map(|property| property.kind) {
                Some(Kind::Boolean) => {
                    boolean(&text).map_or(text.into_owned(), |flag| u8::from(flag).to_string())
                }
                _ => text.into_owned(),
            }),
            Ok(None) => self.raw(name),
            Err(_) => self.raw(name),
        }
    }

    fn raw(&self, name: &str) -> Option<String> {
        let config = self.jail.as_ref().and_then(|(_, config)| config.printed(name));
        config.or_else(|| self.defaults.printed(name))
    }

    /// Returns all properties as `get all` prints them, and the unknown keys of both files.
    pub fn all(&self) -> BTreeMap<String, String> {
        let known = TABLE.iter().map(|property| property.name).filter(|name| !name.starts_with("vnetN_"));
        let nics = (0..4).flat_map(|n| [format!("vnet{n}_mac"), format!("vnet{n}_mtu")]);
        let config = self.jail.iter().flat_map(|(_, config)| config.keys());
        let keys: BTreeSet<&str> = config.chain(self.defaults.keys()).collect();
        // As in iocage, a property without a default is there if a file has it.
        let is_there = |(name, value): &(String, String)| {
            value != "none" || keys.contains(name.as_str()) || !OF_ONE_JAIL.contains(&name.as_str())
        };
        known
            .map(str::to_owned)
            .chain(nics)
            .chain(keys.iter().map(|key| (*key).to_owned()))
            .filter_map(|name| self.get(&name).map(|value| (name, value)))
            .filter(is_there)
            .collect()
    }

    /// Returns whether a boolean property is on. What is not a boolean is off.
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.value(name), Ok(Some((text, _))) if boolean(&text) == Some(true))
    }

    /// Returns whether the value of a property is in defaults.json.
    pub(super) fn is_default(&self, name: &str) -> bool {
        matches!(self.value(name), Ok(Some((_, Source::Defaults))))
    }

    /// Returns the properties whose values are in defaults.json.
    pub(super) fn of_defaults_alone(&self) -> BTreeSet<String> {
        self.defaults.keys().filter(|key| self.is_default(key)).map(str::to_owned).collect()
    }

    /// Returns the priority for starting and stopping. If the property cannot be read, it is 99, the default.
    pub fn priority(&self) -> u32 {
        let number = |text: Cow<'_, str>| text.trim().parse().ok();
        self.value("priority").ok().flatten().and_then(|(text, _)| number(text)).unwrap_or(99)
    }

    /// Returns the words for the jails that have to be up before this one. Returns `None` if the property has none.
    pub fn depends(&self) -> Vec<String> {
        let value = self.value("depends").ok().flatten();
        value.and_then(|(text, _)| text.parse::<Depends>().ok()).unwrap_or_default().0
    }

    /// Returns the property of this name. Beside the table's there are `NIC_mac` and `NIC_mtu` for the
    /// jail's own NICs, when they are called something other than `vnetN`.
    pub fn find(&self, name: &str) -> Option<&'static Property> {
        find(name).or_else(|| {
            let (nic, suffix) = name.rsplit_once('_')?;
            let nic = NicName::new(nic).ok()?;
            let (interfaces, _) = self.value("interfaces").ok()??;
            let interfaces: Interfaces = interfaces.parse().ok()?;
            interfaces.iter().find(|one| one.nic == nic)?;
            find(&format!("vnet0_{suffix}"))
        })
    }

    /// Makes all assignments. If an assignment is wrong, nothing is changed. The file is not written yet.
    ///
    /// # Errors
    ///
    /// All wrong assignments, one line for each.
    pub fn set<T: AsRef<str>>(&mut self, assignments: &[T]) -> Result<Vec<Change>, Error> {
        let target = if self.jail.is_some() { Target::Jail } else { Target::Defaults };
        let mut errors = Vec::new();
        let mut right: Vec<Assignment> = Vec::new();
        for text in assignments {
            match Assignment::read_with(text.as_ref(), target, |name| self.find(name)) {
                Ok(one) if right.iter().any(|other| other.property == one.property) => {
                    let message = format!("{} is set twice: say once what it shall be", one.property);
                    errors.push(refused(&one.property, message).advising("say once what it shall be"));
                }
                Ok(one) => right.push(one),
                Err(error) => errors.push(error),
            }
        }
        let mut after = self.clone();
        for one in &right {
            after.document_mut().set(&one.property, &one.value);
            if one.property == "host_hostname" {
                // Remove legacy iocage's name too: otherwise its value would count again when this property is
                // removed.
                after.document_mut().remove("hostname");
            }
        }
        let enabled = |name: &str| right.iter().any(|one| one.property == name && one.value == true.into());
        for (property, other) in [("bpf", "nat"), ("nat", "bpf")] {
            if enabled(property) && after.is_on(other) && errors.is_empty() {
                let message = format!("{other} should be disabled when {property} is being enabled.");
                errors.push(refused(property, message));
            }
        }
        if !errors.is_empty() {
            return Err(all_refused(&errors));
        }
        let change = |one: Assignment| {
            let old = self.get(&one.property).unwrap_or_default();
            Change { old, new: one.value.to_string(), property: one.property }
        };
        let changes = right.into_iter().map(change).collect();
        *self = after;
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn properties(config: &str, defaults: &str) -> Properties {
        let document = |text: &str| Document::parse(Path::new("x.json"), text.as_bytes()).unwrap();
        Properties::of_jail(JailName::new("my_web").unwrap(), document(config), document(defaults))
    }

    #[test]
    fn the_jail_comes_before_the_defaults_and_these_before_the_table() {
        let properties =
            properties(r#"{"vnet":"on","mine":[1]}"#, r#"{"vnet":0,"boot":"yes","hostid":null}"#);
        assert_eq!(properties.value("vnet").unwrap().unwrap(), ("on".into(), Source::Jail));
        assert_eq!(properties.value("boot").unwrap().unwrap().1, Source::Defaults);
        assert_eq!(
            properties.value("interfaces").unwrap().unwrap(),
            ("vnet0:bridge0".into(), Source::Builtin)
        );
        assert_eq!(properties.get("vnet").as_deref(), Some("1"));
        assert_eq!(properties.get("mine").as_deref(), Some("[1]"));
        assert_eq!(properties.get("nothing"), None);
        assert_eq!(properties.get("host_hostname").as_deref(), Some("my-web"));
        assert_eq!(properties.get("host_hostuuid").as_deref(), Some("my_web"));
        assert_eq!(properties.get("vnet7_mac").as_deref(), Some("none"));
        assert_eq!(properties.get("hostid").as_deref(), Some("none"));
        let all = properties.all();
        assert_eq!(
            (all["boot"].as_str(), all["mine"].as_str(), all["vnet3_mtu"].as_str()),
            ("1", "[1]", "auto")
        );
        assert!(!all.contains_key("vnetN_mac"));
    }

    #[test]
    fn reads_what_legacy_wrote() {
        let properties = properties(r#"{"hostname":"old","vnet":"on"}"#, "{}");
        assert_eq!(properties.get("hostname").as_deref(), Some("old"));
        assert_eq!(properties.get("host_hostname").as_deref(), Some("old"));
        assert!(properties.is_on("vnet"));
    }

    #[test]
    fn sets_all_or_nothing() {
        let mut properties = properties("{}", "{}");
        let errors = properties.set(&["boot=on", "vnet=banana", "x", "boot=off"]).unwrap_err();
        assert_eq!(errors.to_string().lines().count(), 3);
        assert_eq!(properties.document().to_string(), "{}");
        let changes = properties.set(&["boot=on", "ip4_addr=vnet0|192.0.2.1/24"]).unwrap();
        assert_eq!(changes[0].to_string(), "boot: 0 -> 1");
        assert_eq!(changes[1].to_string(), "ip4_addr: none -> vnet0|192.0.2.1/24");
        assert_eq!(
            properties.document().to_string(),
            "{\n    \"boot\": 1,\n    \"ip4_addr\": \"vnet0|192.0.2.1/24\"\n}"
        );
    }

    #[test]
    fn nat_and_bpf_exclude_each_other() {
        let mut properties = properties(r#"{"nat":1}"#, "{}");
        let error = properties.set(&["bpf=1"]).unwrap_err();
        assert_eq!(error.to_string(), "nat should be disabled when bpf is being enabled.");
        assert!(properties.set(&["bpf=1", "nat=0"]).is_ok());
    }

    #[test]
    fn a_jails_own_nics_have_properties() {
        let mut properties = properties(r#"{"interfaces":"lan:bridge0"}"#, "{}");
        assert!(properties.set(&["lan_mtu=9000"]).is_ok());
        assert!(properties.set(&["wan_mtu=9000"]).is_err());
        assert_eq!(properties.get("lan_mac").as_deref(), Some("none"));
    }

    #[test]
    fn the_defaults_have_properties_of_the_host() {
        let mut defaults = Properties::of_defaults(Document::new("defaults.json"));
        assert!(defaults.set(&["nat_prefix=10.0"]).is_ok());
        assert_eq!(defaults.get("host_hostuuid").as_deref(), Some("none"));
    }
}
