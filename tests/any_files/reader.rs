//! All code that reads iocage's files, as a function of any bytes, for the test and the fuzz target.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jailwire::iocage::config::JailConfig;
use jailwire::iocage::document::Document;
use jailwire::iocage::fstab;
use jailwire::iocage::jailconf::JailConf;
use jailwire::iocage::name::JailName;
use jailwire::iocage::properties::Properties;
use jailwire::iocage::store::{Place, Store};
use jailwire::iocage::translate::{self, HostFacts};

fn store() -> &'static Store {
    static STORE: OnceLock<Store> = OnceLock::new();
    STORE.get_or_init(|| {
        let directory = std::env::temp_dir().join(format!("jailwire-any-files-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("jails/web/root")).expect("a directory");
        Store::open(&directory).expect("a store")
    })
}

/// Removes the files of the reader.
#[allow(dead_code, reason = "a fuzz target never ends")]
pub fn end() {
    let _ = std::fs::remove_dir_all(store().root());
}

/// Reads bytes as config.json, up to the specification for a start, and also as defaults.json, as an fstab, as a
/// name, and as the file of a running jail. Returns how far the configuration could be read: not JSON, not a
/// configuration, or a configuration with a network.
pub fn read(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(name) = JailName::new(&text) {
        assert!(!name.as_str().contains(['/', '\0', '\n']) && name.as_str() != "..");
    }
    for mount in fstab::mounts(bytes).flatten() {
        if let Ok(beneath) = mount.beneath(Path::new("/jails/web/root")) {
            assert!(beneath.is_relative() && !beneath.components().any(|part| part.as_os_str() == ".."));
        }
    }
    let known = JailConf::read(&text);
    let _ = (known.ip4_addresses().len(), known.ip6_addresses().len(), known.path(), known.fstab());
    // Writing and reading it again gives the same parameters.
    assert_eq!(JailConf::read(&known.to_string()), known);
    let document = match Document::parse(Path::new("config.json"), bytes) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.to_string().starts_with("config.json "), "{error}");
            return 0;
        }
    };
    // A written document can be read, and is the same.
    let written = document.to_string();
    let again = Document::parse(Path::new("config.json"), written.as_bytes());
    assert_eq!(again.map(|again| again.to_string()).ok(), Some(written));
    let name = JailName::new("web").expect("a name");
    let entry = store().entry(Place::Jails, name.clone());
    let nothing = Document::new(PathBuf::from("defaults.json"));
    let defaults = Properties::of_jail(name.clone(), nothing.clone(), document.clone());
    let _ = JailConfig::from_properties(store(), &entry, &defaults);
    let properties = Properties::of_jail(name, document, nothing);
    let _ = (properties.depends(), properties.priority(), properties.is_on("boot"));
    match JailConfig::from_properties(store(), &entry, &properties) {
        Ok(config) => {
            let _ = translate::specification(&config, &HostFacts::default());
            2
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            1
        }
    }
}
