//! `create`.

use std::fs;
use std::path::{Path, PathBuf};

use super::contents;
use super::storage::Storage;
use super::{Action, Error, Recipe};
use crate::files::read_beneath;
use crate::iocage::addresses::{Ip4Addresses, Ip6Addresses};
use crate::iocage::document::Document;
use crate::iocage::name::JailName;
use crate::iocage::properties::Properties;
use crate::iocage::property::{Stored, boolean};
use crate::iocage::store::{Entry, Place, Store};

/// The version of iocage's configurations that we write.
const CONFIG_VERSION: &str = "34";

/// What a jail is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing: its root is an empty directory.
    Empty,
    /// A release that was fetched, by name.
    Release(String),
    /// A directory with a base system in it.
    Directory(PathBuf),
    /// A template, by name.
    Template(String),
}

/// A jail that is to be made.
#[derive(Debug, Clone)]
pub struct NewJail<'a> {
    /// Its name, which no jail has.
    pub name: JailName,
    /// What it is made from.
    pub base: &'a Base,
    /// `PROPERTY=VALUE`.
    pub assignments: &'a [String],
    /// Whether the kernel has network stacks for jails: then it gets one, where neither its
    /// properties nor the defaults say otherwise.
    pub vimage: bool,
}

/// What a base comes to.
struct Found {
    /// The directory to copy; none for an empty one.
    root: Option<PathBuf>,
    /// Which release it is, and which it was when it was fetched.
    release: String,
    cloned_release: String,
    template: Option<JailName>,
}

impl NewJail<'_> {
    /// The configuration that it will have, and where it will be.
    ///
    /// # Errors
    ///
    /// As [`NewJail::recipe`].
    pub fn configuration(&self, store: &Store) -> Result<(Entry, Properties), Error> {
        let found = self.base.find(store)?;
        let entry = store.entry(Place::Jails, self.name.clone());
        let (properties, _) = self.properties(store, &entry, &found)?;
        Ok((entry, properties))
    }

    /// Works out what has to be done, and what its maker should know.
    ///
    /// # Errors
    ///
    /// What is wrong with the properties, or a base that is not there.
    pub fn recipe(&self, storage: Storage<'_>) -> Result<(Recipe, Vec<String>), Error> {
        let store = storage.store;
        let found = self.base.find(store)?;
        let entry = store.entry(Place::Jails, self.name.clone());
        let (properties, notices) = self.properties(store, &entry, &found)?;
        let mut recipe = Recipe::default();
        let mut told = first_time(store, &mut recipe);
        told.extend(notices);
        let directory = match storage.root_dataset() {
            Some(dataset) => {
                datasets(&mut recipe, storage, dataset, &self.name, found.root.as_deref());
                entry.directory.clone()
            }
            None => {
                let directory = storage.new_directory(&self.name);
                recipe.then_or(
                    Action::CreateDirectory(directory.clone()),
                    Action::RemoveTree(directory.clone()),
                );
                let root = directory.join("root");
                recipe.then(match &found.root {
                    Some(from) => Action::CopyTree { from: from.clone(), to: root },
                    None => Action::CreateDirectory(root),
                });
                directory
            }
        };
        if let Some(from) = &found.root {
            self.files_inside(&mut recipe, store, from, &directory.join("root"), &properties);
        }
        let config = properties.document().to_string();
        recipe.then(Action::Write { path: directory.join("config.json"), contents: config });
        recipe.then(Action::Write { path: directory.join("fstab"), contents: String::new() });
        if directory != entry.directory {
            recipe.then(Action::Rename { from: directory, to: entry.directory });
        }
        Ok((recipe, told))
    }

    /// The properties of the new jail: few, as in iocage, besides those that were given.
    fn properties(
        &self,
        store: &Store,
        entry: &Entry,
        found: &Found,
    ) -> Result<(Properties, Vec<String>), Error> {
        let defaults = store.defaults()?.document().clone();
        let default_vnet = match defaults.text("vnet").ok().flatten() {
            Some(text) => boolean(text).unwrap_or(false),
            None => self.vimage,
        };
        let mut config = Document::new(entry.config_path());
        let text = |text: &str| Stored::Text(text.to_owned());
        config.set("cloned_release", &text(&found.cloned_release));
        config.set("host_hostname", &text(&self.name.default_hostname()));
        config.set("host_hostuuid", &text(self.name.as_str()));
        config.set("jail_zfs_dataset", &text(&format!("iocage/jails/{}/data", self.name)));
        config.set("release", &text(&found.release));
        if let Some(template) = &found.template {
            config.set("source_template", &text(template.as_str()));
        }
        let mut properties = Properties::of_jail(self.name.clone(), config, defaults);
        properties.set(self.assignments)?;
        super::refuse_nat(&self.name, &properties)?;
        let notices = required(&mut properties, default_vnet);
        Ok((properties, notices))
    }

    /// /etc/hosts and /etc/rc.conf.
    fn files_inside(
        &self,
        recipe: &mut Recipe,
        store: &Store,
        base: &Path,
        root: &Path,
        properties: &Properties,
    ) {
        let text = |path: &str| {
            let contents = read_beneath(base, Path::new(path)).ok().flatten();
            contents.map(|contents| String::from_utf8_lossy(&contents).into_owned())
        };
        if !base.join("etc").is_dir() {
            return;
        }
        let mut write = |path: &str, contents: String| {
            recipe.then(Action::WriteBeneath { root: root.to_owned(), path: path.into(), contents });
        };
        if let Some(hosts) = text("etc/hosts") {
            write("etc/hosts", contents::hosts(&hosts, &self.name, &contents::addresses(properties)));
        }
        if text("etc/rc.conf").is_none() {
            let default = fs::read_to_string(store.root().join("default_rc.conf"));
            write("etc/rc.conf", default.unwrap_or_else(|_| contents::RC_CONF.to_owned()));
        }
    }
}

/// What nobody has made yet: defaults.json, default_rc.conf. Answers with what to say of it.
fn first_time(store: &Store, recipe: &mut Recipe) -> Vec<String> {
    let mut told = Vec::new();
    let mut missing = |name: &str, contents: String, notice: &str| {
        let path = store.root().join(name);
        if !path.exists() {
            recipe.then(Action::Write { path, contents });
            told.push(notice.to_owned());
        }
    };
    let mut defaults = Document::new("defaults.json");
    defaults.set("CONFIG_VERSION", &Stored::Text(CONFIG_VERSION.to_owned()));
    missing("defaults.json", defaults.to_string(), "Default configuration missing, creating one");
    missing("default_rc.conf", contents::RC_CONF.to_owned(), "Missing default rc.conf, creating it");
    told
}

/// Turns on what properties require, and carries `vnet` in the jail's own configuration: a default
/// that is changed later is for the jails that are made later.
fn required(properties: &mut Properties, default_vnet: bool) -> Vec<String> {
    let text = |name: &str| properties.get(name).unwrap_or_default();
    let asks4 = text("ip4_addr").parse::<Ip4Addresses>().is_ok_and(|addresses| addresses.is_automatic());
    let asks6 = text("ip6_addr").parse::<Ip6Addresses>().is_ok_and(|addresses| addresses.is_automatic());
    let dhcp = properties.is_on("dhcp") || asks4;
    let why = match (dhcp, asks6, properties.is_on("bpf")) {
        (true, ..) => Some("dhcp"),
        (_, true, _) => Some("accept_rtadv"),
        (_, _, true) => Some("bpf"),
        _ => None,
    };
    let mut notices = Vec::new();
    let config = properties.document_mut();
    if !config.contains("vnet") {
        if let Some(why) = why.filter(|_| !default_vnet) {
            notices.push(format!("{why} requires vnet, enabling!"));
        }
        config.set("vnet", &Stored::Flag(default_vnet || why.is_some()));
    }
    if dhcp && !properties.is_on("bpf") && !properties.document().contains("bpf") {
        notices.push("dhcp requires bpf, enabling!".to_owned());
        properties.document_mut().set("bpf", &Stored::Flag(true));
    }
    notices
}

/// The datasets of a jail: its own, and below it a clone of the release's.
fn datasets(recipe: &mut Recipe, storage: Storage<'_>, dataset: &str, name: &JailName, base: Option<&Path>) {
    let jail = format!("{dataset}/jails/{name}");
    let root = format!("{jail}/root");
    let gone = Action::zfs(["destroy", "-r", &jail]);
    match base.map(|base| (base, storage.dataset(base))) {
        Some((_, Some(base))) => {
            let snapshot = format!("{base}@{name}");
            recipe.then_or(Action::zfs(["snapshot", &snapshot]), Action::zfs(["destroy", &snapshot]));
            recipe.then_or(Action::zfs(["create", &jail]), gone);
            recipe.then(Action::zfs(["clone", &snapshot, &root]));
        }
        other => {
            recipe.then_or(Action::zfs(["create", "-p", &root]), gone);
            if let Some((from, _)) = other {
                let to = storage.store.root().join("jails").join(name.as_str()).join("root");
                recipe.then(Action::CopyTree { from: from.to_owned(), to });
            }
        }
    }
}

impl Base {
    /// What `-r` means: a release that was fetched, or a directory.
    pub fn release(word: &str) -> Base {
        match word.contains('/') || matches!(word, "." | "..") {
            true => Base::Directory(PathBuf::from(word)),
            false => Base::Release(word.to_owned()),
        }
    }

    fn find(&self, store: &Store) -> Result<Found, Error> {
        match self {
            Base::Empty => Ok(Found {
                root: None,
                release: "EMPTY".to_owned(),
                cloned_release: "EMPTY".to_owned(),
                template: None,
            }),
            Base::Release(name) => find_release(store, name),
            Base::Directory(path) => {
                let missing = || Error::NoRelease { name: path.display().to_string(), fetched: Vec::new() };
                let root = path.canonicalize().map_err(|_| missing())?;
                if !root.is_dir() {
                    return Err(missing());
                }
                let release = version_of(&root).unwrap_or_else(|| "EMPTY".to_owned());
                Ok(Found { root: Some(root), cloned_release: release.clone(), release, template: None })
            }
            Base::Template(name) => find_template(store, name),
        }
    }
}

/// A release by its name, or by its name in capital letters, as in iocage.
fn find_release(store: &Store, name: &str) -> Result<Found, Error> {
    let upper = name.to_uppercase();
    let names = [name, upper.as_str()];
    let fetched = || {
        let entries = fs::read_dir(store.root().join("releases")).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let found = names.into_iter().find(|name| !name.is_empty() && store.release_root(name).is_dir());
    let name = found.ok_or_else(|| Error::NoRelease { name: name.to_owned(), fetched: fetched() })?;
    let root = store.release_root(name);
    let release = version_of(&root).unwrap_or_else(|| name.to_owned());
    Ok(Found { root: Some(root), release, cloned_release: name.to_owned(), template: None })
}

fn find_template(store: &Store, name: &str) -> Result<Found, Error> {
    let wanted = JailName::new(name).ok().map(|name| store.entry(Place::Templates, name));
    let Some(entry) = wanted.filter(|entry| entry.root().is_dir()) else {
        let templates = store.templates()?.iter().map(|entry| entry.name.to_string()).collect();
        return Err(Error::NoTemplate { name: name.to_owned(), templates });
    };
    let config = Document::read(&entry.config_path())?;
    let text = |key: &str| config.text(key).ok().flatten().map(str::to_owned);
    let release = text("release").unwrap_or_else(|| "EMPTY".to_owned());
    Ok(Found {
        root: Some(entry.root()),
        cloned_release: text("cloned_release").unwrap_or_else(|| release.clone()),
        release,
        template: Some(entry.name),
    })
}

fn version_of(root: &Path) -> Option<String> {
    let text = read_beneath(root, Path::new("bin/freebsd-version")).ok().flatten()?;
    contents::version(&String::from_utf8_lossy(&text))
}
