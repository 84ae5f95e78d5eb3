//! `create`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::clone::put_in_place;
use super::contents;
use super::fstab::added;
use super::storage::{Storage, directory_of};
use super::template::set_read_only;
use super::{Action, Expect, Recipe, errors};
use crate::error::Error;
use crate::files::read_beneath;
use crate::iocage::addresses::{Addresses, Ip4Addresses, Ip6Addresses};
use crate::iocage::defaults::HostDefaults;
use crate::iocage::document::Document;
use crate::iocage::fstab::Mount;
use crate::iocage::interfaces::Interfaces;
use crate::iocage::name::JailName;
use crate::iocage::properties::Properties;
use crate::iocage::property::{Stored, boolean};
use crate::iocage::store::{Entry, Place, Store, VNET_MARK};
use crate::types::InterfaceName;

/// The base of a new jail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Base {
    /// No base: the jail's root is an empty directory.
    Empty,
    /// A fetched release, by name.
    Release(String),
    /// A directory with a base system.
    Directory(PathBuf),
    /// A template, by name.
    Template(String),
}

/// A jail that is to be made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewJail<'a> {
    /// The jail's name, which no other jail has.
    pub name: JailName,
    /// The base.
    pub base: &'a Base,
    /// `PROPERTY=VALUE`.
    pub assignments: &'a [String],
    /// The special properties of the jail.
    pub form: Form,
    /// The properties of the host.
    pub host: &'a HostHas,
}

impl<'a> NewJail<'a> {
    /// Returns a jail of this base, with properties as `PROPERTY=VALUE`.
    pub fn new(name: JailName, base: &'a Base, assignments: &'a [String], host: &'a HostHas) -> NewJail<'a> {
        NewJail { name, base, assignments, form: Form::default(), host }
    }

    /// Sets the special properties.
    pub fn with_form(self, form: Form) -> NewJail<'a> {
        NewJail { form, ..self }
    }
}

/// The special properties of a new jail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Form {
    /// Whether the root is a copy instead of a clone (`-T`).
    pub thick: bool,
    /// Whether the base system is mounted read-only from the release (`-b`, `-B`).
    pub basejail: bool,
    /// Whether config.json gets all properties (`-C`).
    pub whole_config: bool,
}

/// The properties of the host that a new jail depends on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HostHas {
    /// Whether the kernel has network stacks for jails. If so, a jail gets one, unless its properties or the
    /// defaults say otherwise.
    pub vimage: bool,
    /// The values of a new defaults.json that depend on the host.
    pub defaults: HostDefaults,
}

impl HostHas {
    /// Returns the properties of a host.
    pub fn new(vimage: bool, defaults: HostDefaults) -> HostHas {
        HostHas { vimage, defaults }
    }
}

/// A base that was found.
struct Found {
    /// The directory to copy. `None` for an empty one.
    root: Option<PathBuf>,
    /// The release, and the release at the time when it was fetched.
    release: String,
    cloned_release: String,
    template: Option<JailName>,
}

impl NewJail<'_> {
    /// Returns the jail's configuration, and its entry.
    ///
    /// # Errors
    ///
    /// As [`NewJail::recipe`].
    pub fn configuration(&self, store: &Store) -> Result<(Entry, Properties), Error> {
        let found = self.base.find(store)?;
        let entry = store.entry(self.place()?, self.name.clone());
        let (properties, _) = self.properties(store, &entry, &found)?;
        Ok((entry, properties))
    }

    /// Works out the changes, and notices for the user.
    ///
    /// # Errors
    ///
    /// Properties are wrong, or the base does not exist.
    pub fn recipe(&self, storage: &Storage<'_>) -> Result<(Recipe, Vec<String>), Error> {
        let store = storage.store;
        let place = self.place()?;
        let found = self.base.find(store)?;
        let entry = store.entry(place, self.name.clone());
        storage.check_free(&self.name, None)?;
        let (properties, notices) = self.properties(store, &entry, &found)?;
        let mut recipe = Recipe::default();
        let mut told = first_time(store, &self.host.defaults, &mut recipe)?;
        told.extend(notices);
        // The directory `jails` decides, also for a template: if jails are plain directories, the template is a
        // plain directory.
        let making = storage.place(Place::Jails)?.and_then(|_| storage.making(&self.name));
        let directory = match &making {
            Some((dataset, directory)) => {
                self.datasets(&mut recipe, storage, dataset, directory, found.root.as_deref())?;
                directory.clone()
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
        let mut fstab = String::new();
        if let Some(from) = &found.root {
            self.files_inside(&mut recipe, store, from, &directory.join("root"), &properties);
            if self.form.basejail {
                fstab = base_system(&mut recipe, from, &directory.join("root"), &entry.root());
            }
        }
        let config = properties.document().to_string();
        recipe.then(Action::Write { path: directory.join("config.json"), contents: config.into() });
        recipe.then(Action::Write { path: directory.join("fstab"), contents: fstab.into() });
        match making {
            Some((dataset, _)) => {
                let above = storage.make_place(&mut recipe, place)?;
                let name = format!("{above}/{}", self.name);
                // When the jail is in its place, it is finished.
                if place == Place::Templates {
                    recipe.then(set_read_only(&dataset, true));
                }
                put_in_place(&mut recipe, &dataset, &name);
                storage.end_making(&mut recipe);
            }
            None => {
                if place == Place::Templates {
                    recipe.then(Action::CreateDirectory(store.root().join(directory_of(place))));
                }
                recipe.then(Action::Rename { from: directory, to: entry.directory });
            }
        }
        Ok((recipe, told))
    }

    /// The place of the new jail. As in iocage, `template=1` makes a template.
    fn place(&self) -> Result<Place, Error> {
        let mut asked = self.assignments.iter().filter_map(|text| text.strip_prefix("template="));
        let is_template = asked.next_back().is_some_and(|value| boolean(value) == Some(true));
        Ok(if is_template { Place::Templates } else { Place::Jails })
    }

    /// The properties of the new jail: the given ones, and, as in iocage, few others.
    fn properties(
        &self,
        store: &Store,
        entry: &Entry,
        found: &Found,
    ) -> Result<(Properties, Vec<String>), Error> {
        let defaults = store.defaults()?.document().clone();
        let default = DefaultVnet { chosen: store.chosen_vnet(&defaults), vimage: self.host.vimage };
        let mut config = Document::new(entry.config_path());
        let text = |text: &str| Stored::Text(text.to_owned());
        if self.form.whole_config {
            let mut whole = store.defaults()?.document().clone();
            self.host.defaults.complete(&mut whole);
            let keys: Vec<String> = whole.keys().map(str::to_owned).collect();
            keys.iter().for_each(|key| config.copy(key, &whole));
            config.set("CONFIG_TYPE", &text("THICK"));
            // `vnet` is decided below.
            config.remove("vnet");
        }
        // A copy does not depend on its source, so the source is not recorded.
        if !self.form.thick {
            config.set("cloned_release", &text(&found.cloned_release));
        }
        if self.form.basejail && found.root.is_some() {
            config.set("basejail", &Stored::Flag(true));
        }
        config.set("host_hostname", &text(&self.name.default_hostname()));
        config.set("host_hostuuid", &text(self.name.as_str()));
        config.set("jail_zfs_dataset", &text(&format!("iocage/jails/{}/data", self.name)));
        config.set("release", &text(&found.release));
        if let Some(template) = &found.template {
            config.set("source_template", &text(template.as_str()));
        }
        let mut properties = Properties::of_jail(self.name.clone(), config, defaults);
        let is_template = self.place()? == Place::Templates;
        let others = self.assignments.iter().filter(|text| !text.starts_with("template="));
        properties.set(&others.collect::<Vec<_>>())?;
        if is_template {
            properties.document_mut().set("template", &Stored::Flag(true));
            properties.document_mut().set("type", &Stored::Text("template".to_owned()));
        }
        let notices = required(&mut properties, default);
        Ok((properties, notices))
    }

    /// Adds the changes that write /etc/hosts and /etc/rc.conf.
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
            recipe.then(Action::WriteBeneath {
                root: root.to_owned(),
                path: path.into(),
                contents: contents.into(),
            });
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

/// Adds the changes that make defaults.json and default_rc.conf if they are missing. A defaults.json without
/// properties that iocage needs is completed. Returns notices for the user.
fn first_time(store: &Store, host: &HostDefaults, recipe: &mut Recipe) -> Result<Vec<String>, Error> {
    let mut told = Vec::new();
    let mut defaults = store.defaults()?.document().clone();
    if !defaults.contains("vnet") {
        recipe.then(Action::Write { path: store.vnet_mark(), contents: VNET_MARK.into() });
    }
    if !defaults.path().exists() {
        told.push("Default configuration missing, creating one".to_owned());
    }
    if host.complete(&mut defaults) {
        recipe
            .then(Action::Write { path: defaults.path().to_owned(), contents: defaults.to_string().into() });
    }
    let path = store.root().join("default_rc.conf");
    if !path.exists() {
        recipe.then(Action::Write { path, contents: contents::RC_CONF.into() });
        told.push("Missing default rc.conf, creating it".to_owned());
    }
    Ok(told)
}

/// Whether new jails get a network stack of their own, if their properties do not say.
#[derive(Debug, Clone, Copy)]
struct DefaultVnet {
    /// `vnet` of the defaults. `None` if no user has chosen it.
    chosen: Option<bool>,
    /// Whether the kernel has network stacks for jails.
    vimage: bool,
}

/// Which kind of network a jail's properties are for.
enum Speaks {
    /// A network stack of the jail's own: they name its NICs.
    Own,
    /// A shared-IP jail: they name an interface of the host, or share the host's addresses.
    Hosts,
    /// Both: they only have addresses.
    Either,
    Neither,
}

/// Switches on what properties require, and writes `vnet` into the jail's own configuration, so that a later change
/// of the default does not concern this jail.
fn required(properties: &mut Properties, default: DefaultVnet) -> Vec<String> {
    let text = |name: &str| properties.get(name).unwrap_or_default();
    let ip4 = text("ip4_addr").parse::<Ip4Addresses>().ok();
    let ip6 = text("ip6_addr").parse::<Ip6Addresses>().ok();
    let dhcp = properties.is_on("dhcp") || ip4.as_ref().is_some_and(Addresses::is_automatic);
    let why = match (dhcp, ip6.as_ref().is_some_and(Addresses::is_automatic), properties.is_on("bpf")) {
        (true, ..) => Some("dhcp"),
        (_, true, _) => Some("accept_rtadv"),
        (_, _, true) => Some("bpf"),
        _ => None,
    };
    let mut notices = Vec::new();
    if !properties.document().contains("vnet") {
        let usual = default.chosen.unwrap_or(default.vimage);
        let (vnet, why) = match (why, speaks(properties, ip4.as_ref(), ip6.as_ref())) {
            (Some(why), _) => (true, Some(why)),
            (None, Speaks::Own) => (usual || default.vimage, Some("an address of a NIC")),
            (None, Speaks::Hosts) => (false, None),
            (None, Speaks::Either) => (default.chosen.unwrap_or(false), None),
            (None, Speaks::Neither) => (usual, None),
        };
        if let Some(why) = why.filter(|_| vnet && !usual) {
            notices.push(format!("{why} requires vnet, enabling!"));
        }
        properties.document_mut().set("vnet", &Stored::Flag(vnet));
    }
    if dhcp && !properties.is_on("bpf") && !properties.document().contains("bpf") {
        notices.push("dhcp requires bpf, enabling!".to_owned());
        properties.document_mut().set("bpf", &Stored::Flag(true));
    }
    notices
}

fn speaks(properties: &Properties, ip4: Option<&Ip4Addresses>, ip6: Option<&Ip6Addresses>) -> Speaks {
    let interfaces = properties.get("interfaces").and_then(|text| text.parse::<Interfaces>().ok());
    let is_nic = |name: &InterfaceName| {
        interfaces.iter().flat_map(Interfaces::iter).any(|one| one.nic.as_str() == name.as_str())
    };
    let named4 = ip4.into_iter().flat_map(Addresses::iter).map(|one| one.interface);
    let named6 = ip6.into_iter().flat_map(Addresses::iter).map(|one| one.interface);
    let named: Vec<Option<InterfaceName>> = named4.chain(named6).collect();
    let inherits = |name: &str| properties.get(name).as_deref() == Some("inherit");
    // `lo0` fits both kinds.
    let mut interfaces = named.iter().flatten().filter(|name| name.as_str() != "lo0");
    if named.iter().flatten().any(is_nic) {
        Speaks::Own
    } else if interfaces.next().is_some()
        || inherits("ip4")
        || inherits("ip6")
        || properties.is_on("assign_localhost")
    {
        Speaks::Hosts
    } else if named.is_empty() {
        Speaks::Neither
    } else {
        Speaks::Either
    }
}

impl NewJail<'_> {
    /// Adds the changes that make a jail's datasets: of the jail, and of its root.
    fn datasets(
        &self,
        recipe: &mut Recipe,
        storage: &Storage<'_>,
        making: &str,
        directory: &Path,
        base: Option<&Path>,
    ) -> Result<(), Error> {
        let root = format!("{making}/root");
        let base = base.map(|path| (path, storage.dataset(path)));
        let gone = |name: &str| Action::zfs(["destroy", "-r", "-f", name], Expect::Gone(name.to_owned()));
        let create = |name: &str| Action::zfs(["create", "-p", name], Expect::Mounted(name.to_owned()));
        if let Some((_, Some(dataset))) = base {
            // A snapshot of a template includes the template's root.
            let above = dataset.name.strip_suffix("/root").filter(|_| matches!(self.base, Base::Template(_)));
            let above = above.filter(|above| storage.datasets().is_some_and(|all| all.get(above).is_some()));
            let above = above.filter(|_| !self.form.thick);
            storage.snapshot_for(recipe, above.unwrap_or(&dataset.name), above.is_some(), &self.name)?;
            let snapshot = format!("{}@{}", dataset.name, self.name);
            recipe.then_or(create(making), gone(making));
            if !self.form.thick {
                recipe.then(Action::zfs(["clone", &snapshot, &root], Expect::Mounted(root.clone())));
                return Ok(());
            }
            recipe.then(Action::Send { snapshot: snapshot.clone(), dataset: root.clone() });
            for snapshot in [format!("{root}@{}", self.name), snapshot] {
                recipe.then(Action::zfs(["destroy", &snapshot], Expect::Gone(snapshot.clone())));
            }
            return Ok(());
        }
        recipe.then_or(create(making), gone(making));
        recipe.then(Action::zfs(["create", &root], Expect::Mounted(root.clone())));
        if let Some((from, None)) = base {
            recipe.then(Action::CopyTree { from: from.to_owned(), to: directory.join("root") });
        }
        Ok(())
    }
}

/// The directories that a basejail mounts from its release.
const BASE_SYSTEM: [&str; 14] = [
    "bin",
    "boot",
    "lib",
    "libexec",
    "rescue",
    "sbin",
    "usr/bin",
    "usr/include",
    "usr/lib",
    "usr/libexec",
    "usr/sbin",
    "usr/share",
    "usr/libdata",
    "usr/lib32",
];

/// Empties the directories of the base system, and returns the fstab that mounts the release's directories there.
fn base_system(recipe: &mut Recipe, base: &Path, root: &Path, final_root: &Path) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut fstab = String::new();
    for directory in BASE_SYSTEM.iter().filter(|directory| base.join(directory).is_dir()) {
        recipe.then(Action::RemoveTree(root.join(directory)));
        recipe.then(Action::CreateDirectory(root.join(directory)));
        let mount = Mount {
            line: 0,
            source: base.join(directory),
            target: final_root.join(directory),
            fstype: "nullfs".to_owned(),
            options: vec!["ro".to_owned()],
            frequency: 0,
            pass: 0,
        };
        fstab += &(added(&mount, now) + "\n");
    }
    fstab
}

impl Base {
    /// Returns what `-r` means: a release that was fetched, or a directory.
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
                let missing = || errors::no_release(&path.display().to_string(), &[]);
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

/// Finds a release by its name, or as in iocage by its name in capital letters.
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
    let name = found.ok_or_else(|| errors::no_release(name, &fetched()))?;
    let root = store.release_root(name);
    let release = version_of(&root).unwrap_or_else(|| name.to_owned());
    Ok(Found { root: Some(root), release, cloned_release: name.to_owned(), template: None })
}

fn find_template(store: &Store, name: &str) -> Result<Found, Error> {
    let wanted = JailName::new(name).ok().map(|name| store.entry(Place::Templates, name));
    let Some(entry) = wanted.filter(|entry| entry.root().is_dir()) else {
        let templates: Vec<String> = store.templates()?.iter().map(|entry| entry.name.to_string()).collect();
        return Err(errors::no_template(name, &templates));
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
