//! A model of a pool: `zfs(8)`, as far as this program and its tests run it, with its state on disk.
//!
//! It has mounted and unmounted datasets, inherited mount points, snapshots, clones, origins and holds. The
//! contents of an unmounted dataset are in the model's own directory. A mount moves them to the mount point, and
//! adds the mount to the simulated kernel. Messages and exit statuses are those of the real `zfs`: a `create` that
//! cannot mount ends with 0, and a `destroy -r` that fails in the middle leaves what it came to last.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use jailwire::jail::mount;
use jailwire::kernel::Calls;
use jailwire::sim::Sim;
use serde_json::{Value, json};

type Said<T> = Result<T, String>;

#[derive(Default, Clone)]
struct Dataset {
    id: u64,
    /// The properties that were set on the dataset itself.
    own: BTreeMap<String, String>,
    mounted: bool,
    origin: Option<String>,
    snapshots: BTreeMap<String, Snapshot>,
}

#[derive(Default, Clone)]
struct Snapshot {
    id: u64,
    own: BTreeMap<String, String>,
    holds: Vec<String>,
    /// `destroy -d`: the snapshot is destroyed with its last clone and its last hold.
    deferred: bool,
}

/// The pool in the model's directory.
pub struct Model {
    directory: PathBuf,
    datasets: BTreeMap<String, Dataset>,
    next: u64,
    input: String,
    out: String,
    err: String,
}

/// Carries out a command line. Returns the exit status.
pub fn answer(
    directory: &Path,
    words: &[String],
    out: &mut dyn std::io::Write,
    err: &mut dyn std::io::Write,
) -> i32 {
    // Read the input first: the sending process needs the lock.
    let mut input = String::new();
    if words.first().is_some_and(|verb| verb == "receive") {
        std::io::stdin().read_to_string(&mut input).expect("a stream");
    }
    let _lock = fs::File::create(directory.join("lock")).and_then(|file| file.lock().map(|()| file));
    let asked = directory.join("asked");
    let mut log = fs::OpenOptions::new().append(true).create(true).open(&asked).expect("a log");
    writeln!(log, "{}", words.join(" ")).expect("a log");
    let count = fs::read_to_string(asked).expect("a log").lines().count();
    let refused = fs::read_to_string(directory.join("refuse")).unwrap_or_default();
    let mut model = Model { input, ..Model::load(directory) };
    let done = match refused.lines().any(|refused| words.join(" ").starts_with(refused)) {
        true => Err("out of space".to_owned()),
        false => model.run(words),
    };
    model.save();
    let status = match done {
        Ok(()) => 0,
        Err(text) => {
            model.err += &format!("{text}\n");
            1
        }
    };
    let _ = err.write_all(model.err.as_bytes());
    let kill =
        fs::read_to_string(directory.join("kill")).ok().and_then(|text| text.trim().parse::<usize>().ok());
    if kill == Some(count) {
        // The command has taken effect, and its answer is lost.
        let _ = Command::new("kill").args(["-9", &std::os::unix::process::parent_id().to_string()]).status();
        return status;
    }
    let _ = out.write_all(model.out.as_bytes());
    status
}

impl Model {
    fn load(directory: &Path) -> Model {
        let text = fs::read_to_string(directory.join("state.json")).unwrap_or_else(|_| "{}".into());
        let state: Value = serde_json::from_str(&text).expect("the model's state");
        let strings = |value: &Value| -> BTreeMap<String, String> {
            let object = value.as_object().into_iter().flatten();
            object.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
        };
        let mut datasets = BTreeMap::new();
        for (name, value) in state["datasets"].as_object().into_iter().flatten() {
            let snapshots = value["snapshots"].as_object().into_iter().flatten().map(|(name, one)| {
                let holds = one["holds"].as_array().into_iter().flatten();
                let snapshot = Snapshot {
                    id: one["id"].as_u64().unwrap_or(0),
                    own: strings(&one["own"]),
                    holds: holds.map(|tag| tag.as_str().unwrap_or_default().to_owned()).collect(),
                    deferred: one["deferred"] == true,
                };
                (name.clone(), snapshot)
            });
            let dataset = Dataset {
                id: value["id"].as_u64().unwrap_or(0),
                own: strings(&value["own"]),
                mounted: value["mounted"] == true,
                origin: value["origin"].as_str().map(str::to_owned),
                snapshots: snapshots.collect(),
            };
            datasets.insert(name.clone(), dataset);
        }
        let next = state["next"].as_u64().unwrap_or(1);
        Model {
            directory: directory.to_owned(),
            datasets,
            next,
            input: String::new(),
            out: String::new(),
            err: String::new(),
        }
    }

    fn save(&self) {
        let snapshot = |one: &Snapshot| json!({ "id": one.id, "own": one.own, "holds": one.holds, "deferred": one.deferred });
        let datasets: serde_json::Map<String, Value> = self
            .datasets
            .iter()
            .map(|(name, one)| {
                let snapshots: serde_json::Map<String, Value> =
                    one.snapshots.iter().map(|(name, one)| (name.clone(), snapshot(one))).collect();
                let value = json!({
                    "id": one.id, "own": one.own, "mounted": one.mounted, "origin": one.origin, "snapshots": snapshots,
                });
                (name.clone(), value)
            })
            .collect();
        let state = json!({ "next": self.next, "datasets": datasets });
        let path = self.directory.join("state.json");
        fs::write(path.with_extension("new"), state.to_string()).expect("the model's state");
        fs::rename(path.with_extension("new"), path).expect("the model's state");
    }

    fn run(&mut self, words: &[String]) -> Said<()> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (&verb, rest) = words.split_first().ok_or("missing command")?;
        let (flags, values, names) = options(rest);
        let has = |flag: char| flags.contains(&flag);
        let last = || names.last().copied().ok_or_else(|| "missing dataset argument".to_owned());
        match verb {
            "list" => self.list(&values, has('r'), &names),
            "get" => self.get(&values, &names),
            "set" => {
                let name = last()?;
                for word in &names[..names.len() - 1] {
                    let (property, value) = word.split_once('=').ok_or("missing '='")?;
                    self.set(name, property, value)?;
                }
                Ok(())
            }
            "inherit" => {
                self.own(last()?)?.remove(names[0]);
                Ok(())
            }
            "create" => self.create(last()?, has('p'), &values),
            "snapshot" => self.snapshot(last()?, has('r'), &values),
            "clone" => self.clone_of(names.first().copied().unwrap_or(""), last()?, has('p')),
            "rename" => self.rename(names.first().copied().unwrap_or(""), last()?, has('r')),
            "destroy" => self.destroy(last()?, has('r'), has('d'), has('f')),
            "mount" => {
                let name = last()?.to_owned();
                self.get_dataset(&name)?;
                self.mount(&name)
            }
            "unmount" | "umount" => self.unmount(last()?, has('f')),
            "rollback" => self.rollback(last()?, has('r')),
            "hold" | "release" => {
                let (tag, name) = (names[0].to_owned(), last()?);
                let snapshot = self.get_snapshot(name)?;
                match verb {
                    "hold" => snapshot.holds.push(tag),
                    _ => snapshot.holds.retain(|one| *one != tag),
                }
                let name = name.to_owned();
                self.reap(&name);
                Ok(())
            }
            "send" => {
                let id = self.get_snapshot(last()?)?.id;
                self.out = format!("stream of {id}\n");
                Ok(())
            }
            "receive" => {
                let id = self
                    .input
                    .trim()
                    .strip_prefix("stream of ")
                    .ok_or("cannot receive: failed to read from stream")?;
                let id = id.parse::<u64>().map_err(|error| error.to_string())?;
                let (name, snapshot) = self.snapshot_by_id(id).ok_or("cannot receive: no such snapshot")?;
                let to = last()?.to_owned();
                self.new_dataset(&to, None, Some(id))?;
                let own = Snapshot { id: self.number(), ..snapshot };
                copy(&self.data(id), &self.data(own.id));
                let short = name.split_once('@').map_or("", |(_, short)| short).to_owned();
                self.datasets.get_mut(&to).expect("just made").snapshots.insert(short, own);
                self.mount_or_say(&to);
                Ok(())
            }
            other => Err(format!("unrecognized command '{other}'")),
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn data(&self, id: u64) -> PathBuf {
        self.directory.join("data").join(id.to_string())
    }

    fn hidden(&self, id: u64) -> PathBuf {
        self.directory.join("hidden").join(id.to_string())
    }

    fn get_dataset(&self, name: &str) -> Said<&Dataset> {
        self.datasets.get(name).ok_or_else(|| format!("cannot open '{name}': dataset does not exist"))
    }

    fn get_snapshot(&mut self, name: &str) -> Said<&mut Snapshot> {
        let missing = || format!("cannot open '{name}': dataset does not exist");
        let (dataset, short) = name.split_once('@').ok_or_else(missing)?;
        self.datasets.get_mut(dataset).and_then(|one| one.snapshots.get_mut(short)).ok_or_else(missing)
    }

    fn snapshot_by_id(&self, id: u64) -> Option<(String, Snapshot)> {
        let all = self.datasets.iter().flat_map(|(name, one)| {
            one.snapshots.iter().map(move |(short, snapshot)| (format!("{name}@{short}"), snapshot.clone()))
        });
        all.into_iter().find(|(_, snapshot)| snapshot.id == id)
    }

    fn own(&mut self, name: &str) -> Said<&mut BTreeMap<String, String>> {
        if name.contains('@') {
            return Ok(&mut self.get_snapshot(name)?.own);
        }
        let missing = format!("cannot open '{name}': dataset does not exist");
        Ok(&mut self.datasets.get_mut(name).ok_or(missing)?.own)
    }

    /// A property that is inherited from above.
    fn inherited(&self, name: &str, property: &str) -> Option<String> {
        let mut at = Some(name);
        while let Some(name) = at {
            if let Some(value) = self.datasets.get(name).and_then(|one| one.own.get(property)) {
                return Some(value.clone());
            }
            at = name.rsplit_once('/').map(|(above, _)| above);
        }
        None
    }

    fn mountpoint(&self, name: &str) -> String {
        if let Some(own) = self.datasets.get(name).and_then(|one| one.own.get("mountpoint")) {
            return own.clone();
        }
        match name.rsplit_once('/') {
            None => format!("/{name}"),
            Some((above, last)) => match self.mountpoint(above) {
                none if matches!(none.as_str(), "none" | "legacy") => none,
                above => format!("{above}/{last}"),
            },
        }
    }

    fn property(&self, name: &str, property: &str) -> String {
        if let Some((dataset, short)) = name.split_once('@') {
            let snapshot = &self.datasets[dataset].snapshots[short];
            return match property {
                "name" => name.to_owned(),
                "type" => "snapshot".into(),
                "userrefs" => snapshot.holds.len().to_string(),
                "defer_destroy" => if snapshot.deferred { "on" } else { "off" }.into(),
                "clones" => {
                    let clones: Vec<_> = self.clones(name);
                    if clones.is_empty() { "-".into() } else { clones.join(",") }
                }
                "createtxg" => snapshot.id.to_string(),
                "creation" => (1_790_000_000 + snapshot.id * 60).to_string(),
                "used" => "8192".into(),
                "referenced" => "98304".into(),
                other => snapshot.own.get(other).cloned().unwrap_or_else(|| "-".into()),
            };
        }
        let dataset = &self.datasets[name];
        match property {
            "name" => name.to_owned(),
            "type" => "filesystem".into(),
            "mounted" => if dataset.mounted { "yes" } else { "no" }.into(),
            "mountpoint" => self.mountpoint(name),
            "canmount" => dataset.own.get("canmount").cloned().unwrap_or_else(|| "on".into()),
            "readonly" => self.inherited(name, "readonly").unwrap_or_else(|| "off".into()),
            "origin" => dataset.origin.clone().unwrap_or_else(|| "-".into()),
            "quota" | "reservation" => dataset.own.get(property).cloned().unwrap_or_else(|| "none".into()),
            "compressratio" => "1.00x".into(),
            "used" => "96K".into(),
            "available" => "1.00G".into(),
            "referenced" => "96K".into(),
            "createtxg" => dataset.id.to_string(),
            "creation" => (1_790_000_000 + dataset.id * 60).to_string(),
            other if other.contains(':') => self.inherited(name, other).unwrap_or_else(|| "-".into()),
            _ => "-".into(),
        }
    }

    fn clones(&self, snapshot: &str) -> Vec<String> {
        let is_clone = |(_, one): &(&String, &Dataset)| one.origin.as_deref() == Some(snapshot);
        self.datasets.iter().filter(is_clone).map(|(name, _)| name.clone()).collect()
    }

    fn list(&mut self, values: &BTreeMap<char, Vec<&str>>, recursive: bool, names: &[&str]) -> Said<()> {
        let columns = values.get(&'o').and_then(|all| all.first()).copied().unwrap_or("name,used");
        let kinds = values.get(&'t').and_then(|all| all.first()).copied().unwrap_or("filesystem");
        let depth: Option<usize> = values.get(&'d').and_then(|all| all.first()?.parse().ok());
        let wants = |kind: &str| kinds.split(',').any(|one| one == kind || one == "all");
        let roots: Vec<String> = match names.is_empty() {
            true => self.datasets.keys().filter(|name| !name.contains('/')).cloned().collect(),
            false => names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let everything = names.is_empty() && depth.is_none();
        for root in roots {
            if root.contains('@') {
                self.get_snapshot(&root)?;
                let fields: Vec<String> =
                    columns.split(',').map(|column| self.property(&root, column)).collect();
                self.out += &(fields.join("\t") + "\n");
                continue;
            }
            self.get_dataset(&root)?;
            let level = |name: &str| name.matches('/').count() - root.matches('/').count();
            let deepest = depth.unwrap_or(if recursive || everything { usize::MAX } else { 0 });
            let all: Vec<String> = self
                .datasets
                .keys()
                .filter(|name| beneath(name, &root) && level(name) <= deepest)
                .cloned()
                .collect();
            for name in all {
                let mut shown = Vec::new();
                if wants("filesystem") {
                    shown.push(name.clone());
                }
                // Without -r or -d, the snapshots of a named dataset are not listed.
                if wants("snapshot") && (deepest > 0 || !wants("filesystem")) {
                    let mut short: Vec<_> = self.datasets[&name].snapshots.iter().collect();
                    short.sort_by_key(|(_, one)| one.id);
                    shown.extend(short.into_iter().map(|(short, _)| format!("{name}@{short}")));
                }
                for name in shown {
                    let fields: Vec<String> =
                        columns.split(',').map(|column| self.property(&name, column)).collect();
                    self.out += &(fields.join("\t") + "\n");
                }
            }
        }
        Ok(())
    }

    fn get(&mut self, values: &BTreeMap<char, Vec<&str>>, names: &[&str]) -> Said<()> {
        let columns = values.get(&'o').and_then(|all| all.first()).copied().unwrap_or("name,property,value");
        let depth: usize = values.get(&'d').and_then(|all| all.first()?.parse().ok()).unwrap_or(0);
        let (&properties, names) = names.split_first().ok_or("missing property argument")?;
        for root in names {
            self.get_dataset(root)?;
            let level = |name: &str| name.matches('/').count() - root.matches('/').count();
            let all: Vec<String> = self
                .datasets
                .keys()
                .filter(|name| beneath(name, root) && level(name) <= depth)
                .cloned()
                .collect();
            for name in all {
                let properties: Vec<String> = match properties {
                    "all" => self.datasets[&name].own.keys().cloned().collect(),
                    some => some.split(',').map(str::to_owned).collect(),
                };
                for property in properties {
                    let value = self.property(&name, &property);
                    let field = |column: &str| match column {
                        "name" => name.clone(),
                        "property" => property.clone(),
                        _ => value.clone(),
                    };
                    self.out += &(columns.split(',').map(field).collect::<Vec<_>>().join("\t") + "\n");
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, property: &str, value: &str) -> Said<()> {
        let was = self.datasets.get(name).is_some_and(|one| one.mounted);
        self.own(name)?.insert(property.to_owned(), value.to_owned());
        if property == "canmount" && value == "off" && was {
            return self.unmount(name, false);
        }
        Ok(())
    }

    /// Makes a dataset, empty or with the contents of a snapshot.
    fn new_dataset(&mut self, name: &str, origin: Option<&str>, from: Option<u64>) -> Said<()> {
        if self.datasets.contains_key(name) {
            return Err(format!("cannot create '{name}': dataset already exists"));
        }
        let above = name.rsplit_once('/').map_or(name, |(above, _)| above);
        if above != name && !self.datasets.contains_key(above) {
            return Err(format!("cannot create '{name}': parent does not exist"));
        }
        // zpool(8): words of a pool's layout.
        let reserved = ["mirror", "raidz", "draid", "spare"];
        if above == name && (reserved.iter().any(|word| name.starts_with(word)) || name == "log") {
            return Err(format!("cannot create '{name}': name is reserved"));
        }
        if self.quota_is_full(above) {
            return Err(format!("cannot create '{name}': out of space"));
        }
        let id = self.number();
        match from {
            Some(from) => copy(&self.data(from), &self.data(id)),
            None => fs::create_dir_all(self.data(id)).expect("the model's directory"),
        }
        let dataset = Dataset { id, origin: origin.map(str::to_owned), ..Dataset::default() };
        self.datasets.insert(name.to_owned(), dataset);
        Ok(())
    }

    /// A quota of a few bytes stands for a quota that is used up.
    fn quota_is_full(&self, name: &str) -> bool {
        let mut at = Some(name);
        while let Some(name) = at {
            if self
                .datasets
                .get(name)
                .is_some_and(|one| one.own.get("quota").is_some_and(|quota| quota == "1"))
            {
                return true;
            }
            at = name.rsplit_once('/').map(|(above, _)| above);
        }
        false
    }

    fn create(&mut self, name: &str, parents: bool, values: &BTreeMap<char, Vec<&str>>) -> Said<()> {
        if parents {
            self.parents(name)?;
        }
        self.new_dataset(name, None, None)?;
        for pair in values.get(&'o').into_iter().flatten() {
            let (property, value) = pair.split_once('=').ok_or("missing '='")?;
            self.own(name)?.insert(property.to_owned(), value.to_owned());
        }
        self.mount_or_say(name);
        Ok(())
    }

    fn parents(&mut self, name: &str) -> Said<()> {
        let missing: Vec<String> = name
            .match_indices('/')
            .map(|(at, _)| name[..at].to_owned())
            .filter(|above| !self.datasets.contains_key(above))
            .collect();
        for above in missing {
            self.new_dataset(&above, None, None)?;
            // The parent of a dataset has to be mounted, unlike the dataset itself.
            if self.mounts_itself(&above) {
                self.mount(&above)?;
            }
        }
        Ok(())
    }

    /// As `zfs create`, prints that the mount failed, which does not change the exit status.
    fn mount_or_say(&mut self, name: &str) {
        if self.mounts_itself(name)
            && let Err(text) = self.mount(name)
        {
            self.err += &format!("{text}\nfilesystem successfully created, but not mounted\n");
        }
    }

    fn mounts_itself(&self, name: &str) -> bool {
        self.property(name, "canmount") == "on"
            && !matches!(self.mountpoint(name).as_str(), "none" | "legacy")
    }

    fn sim(&self) -> Sim {
        let root = fs::read_to_string(self.directory.join("sim")).expect("where the simulated kernel lies");
        Sim::open(Path::new(&root)).expect("the simulated kernel")
    }

    fn mount(&mut self, name: &str) -> Said<()> {
        let on = self.mountpoint(name);
        if self.datasets[name].mounted {
            return Err(format!("cannot mount '{name}': filesystem already mounted"));
        }
        if matches!(on.as_str(), "none" | "legacy") {
            return Err(format!("cannot mount '{name}': {on} mountpoint"));
        }
        if self.property(name, "canmount") == "off" {
            return Err(format!("cannot mount '{name}': 'canmount' property is set to 'off'"));
        }
        let path = Path::new(&on);
        if path.is_file() {
            return Err(format!("cannot mount '{name}': Not a directory"));
        }
        if !path.is_dir() {
            // The parent dataset decides.
            let above = name.rsplit_once('/').map_or("", |(above, _)| above);
            if self.datasets.contains_key(above) && self.property(above, "readonly") == "on" {
                return Err(format!(
                    "cannot mount '{on}': failed to create mountpoint: Read-only file system"
                ));
            }
            fs::create_dir_all(path)
                .map_err(|error| format!("cannot mount '{on}': failed to create mountpoint: {error}"))?;
        }
        let id = self.datasets[name].id;
        fs::create_dir_all(self.directory.join("hidden")).expect("the model's directory");
        fs::rename(path, self.hidden(id)).map_err(|error| format!("cannot mount '{name}': {error}"))?;
        fs::rename(self.data(id), path).expect("what is in the dataset");
        let sim = self.sim();
        let (root, last) = (path.parent().expect("not /"), path.file_name().expect("not /"));
        mount::mount(&sim, &mount::request("zfs", name, root, Path::new(last)))
            .map_err(|error| format!("cannot mount '{name}': {error}"))?;
        self.datasets.get_mut(name).expect("looked up above").mounted = true;
        Ok(())
    }

    fn unmount(&mut self, name: &str, force: bool) -> Said<()> {
        self.get_dataset(name)?;
        if !self.datasets[name].mounted {
            return Err(format!("cannot unmount '{name}': not currently mounted"));
        }
        let on = PathBuf::from(self.mountpoint(name));
        let below: Vec<String> =
            self.datasets.keys().filter(|one| beneath(one, name) && *one != name).cloned().collect();
        for one in below.into_iter().rev().filter(|one| self.datasets[one].mounted).collect::<Vec<_>>() {
            self.unmount(&one, force)?;
        }
        let sim = self.sim();
        let mounts = sim.mounts().map_err(|error| format!("{error:?}"))?;
        if mounts.iter().any(|mounted| mounted.on.starts_with(&on) && mounted.on != on) {
            return Err(format!("cannot unmount '{}': Device busy", on.display()));
        }
        let mounted =
            mounts.iter().rev().find(|one| one.on == on && one.fstype == "zfs").expect("it is mounted");
        mount::unmount(&sim, mounted, force)
            .map_err(|error| format!("cannot unmount '{}': {error}", on.display()))?;
        let id = self.datasets[name].id;
        fs::rename(&on, self.data(id)).expect("what is in the dataset");
        fs::rename(self.hidden(id), &on).expect("what was hidden");
        self.datasets.get_mut(name).expect("looked up above").mounted = false;
        Ok(())
    }

    /// A dataset, with all beneath it if the command is recursive.
    fn meant(&self, dataset: &str, recursive: bool) -> Vec<String> {
        let is_meant = |one: &&String| if recursive { beneath(one, dataset) } else { *one == dataset };
        self.datasets.keys().filter(is_meant).cloned().collect()
    }

    fn snapshot(&mut self, name: &str, recursive: bool, values: &BTreeMap<char, Vec<&str>>) -> Said<()> {
        let (dataset, short) = name.split_once('@').ok_or("missing '@' delimiter")?;
        self.get_dataset(dataset)?;
        let all = self.meant(dataset, recursive);
        if let Some(there) = all.iter().find(|one| self.datasets[*one].snapshots.contains_key(short)) {
            return Err(format!("cannot create snapshot '{there}@{short}': dataset already exists"));
        }
        let own: BTreeMap<String, String> = values
            .get(&'o')
            .into_iter()
            .flatten()
            .filter_map(|pair| pair.split_once('='))
            .map(|(property, value)| (property.to_owned(), value.to_owned()))
            .collect();
        let id = self.number();
        for one in all {
            // All snapshots are of the same transaction. Their contents are stored separately.
            let snapshot = Snapshot {
                id: if one == dataset { id } else { self.number() },
                own: own.clone(),
                ..Snapshot::default()
            };
            let from = match self.datasets[&one].mounted {
                true => PathBuf::from(self.mountpoint(&one)),
                false => self.data(self.datasets[&one].id),
            };
            let skipped: Vec<PathBuf> = self
                .datasets
                .keys()
                .filter(|below| beneath(below, &one) && **below != one)
                .filter(|below| self.datasets[*below].mounted)
                .map(|below| self.mountpoint(below).into())
                .collect();
            copy_without(&from, &self.data(snapshot.id), &skipped);
            self.datasets.get_mut(&one).expect("listed").snapshots.insert(short.to_owned(), snapshot);
        }
        Ok(())
    }

    fn clone_of(&mut self, snapshot: &str, name: &str, parents: bool) -> Said<()> {
        let id = self.get_snapshot(snapshot)?.id;
        if parents {
            self.parents(name)?;
        }
        self.new_dataset(name, Some(snapshot), Some(id))?;
        self.mount_or_say(name);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str, recursive: bool) -> Said<()> {
        if let (Some((dataset, old)), Some((_, new))) = (from.split_once('@'), to.split_once('@')) {
            self.get_snapshot(from)?;
            let all = self.meant(dataset, recursive);
            if all.iter().any(|one| self.datasets[one].snapshots.contains_key(new)) {
                return Err(format!("cannot rename '{from}': dataset already exists"));
            }
            for one in all {
                let snapshots = &mut self.datasets.get_mut(&one).expect("listed").snapshots;
                if let Some(snapshot) = snapshots.remove(old) {
                    snapshots.insert(new.to_owned(), snapshot);
                }
                self.new_origin(&format!("{one}@{old}"), &format!("{one}@{new}"));
            }
            return Ok(());
        }
        self.get_dataset(from)?;
        if self.datasets.contains_key(to) {
            return Err(format!("cannot rename '{from}': dataset already exists"));
        }
        let above = to.rsplit_once('/').map_or("", |(above, _)| above);
        if !self.datasets.contains_key(above) {
            return Err(format!("cannot rename '{from}': parent does not exist"));
        }
        let all: Vec<String> = self.datasets.keys().filter(|one| beneath(one, from)).cloned().collect();
        let mounted: Vec<String> = all.iter().filter(|one| self.datasets[*one].mounted).cloned().collect();
        let was = PathBuf::from(self.mountpoint(from));
        if mounted.iter().any(|one| one == from) {
            self.unmount(from, true).map_err(|text| text.replace("cannot unmount", "cannot rename"))?;
        } else {
            for one in mounted.iter().rev().filter(|one| *one != from) {
                self.unmount(one, true)?;
            }
        }
        let moved = |one: &str| format!("{to}{}", &one[from.len()..]);
        for one in &all {
            let dataset = self.datasets.remove(one).expect("listed");
            for short in dataset.snapshots.keys() {
                self.new_origin(&format!("{one}@{short}"), &format!("{}@{short}", moved(one)));
            }
            self.datasets.insert(moved(one), dataset);
            // Clones of these snapshots are renamed too.
            let shorts: Vec<String> = self.datasets[&moved(one)].snapshots.keys().cloned().collect();
            for short in shorts {
                self.new_origin(&format!("{one}@{short}"), &format!("{}@{short}", moved(one)));
            }
        }
        // The old mount point is removed, if it is empty.
        let _ = fs::remove_dir(&was);
        let mut complaints = Vec::new();
        for one in mounted.iter().map(|one| moved(one)) {
            complaints.extend(self.mount(&one).err());
        }
        if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
    }

    fn new_origin(&mut self, from: &str, to: &str) {
        for dataset in self.datasets.values_mut().filter(|one| one.origin.as_deref() == Some(from)) {
            dataset.origin = Some(to.to_owned());
        }
    }

    fn destroy(&mut self, name: &str, recursive: bool, defer: bool, force: bool) -> Said<()> {
        if let Some((dataset, short)) = name.split_once('@') {
            let all = self.meant(dataset, recursive);
            let there: Vec<String> = all
                .into_iter()
                .filter(|one| self.datasets[one].snapshots.contains_key(short))
                .map(|one| format!("{one}@{short}"))
                .collect();
            if there.is_empty() {
                return Err("could not find any snapshots to destroy; check snapshot names.".to_owned());
            }
            for one in &there {
                if defer {
                    self.get_snapshot(one)?.deferred = true;
                    self.reap(one);
                    continue;
                }
                if !self.clones(one).is_empty() {
                    return Err(format!(
                        "cannot destroy '{one}': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n{}",
                        self.clones(one).join("\n")
                    ));
                }
                if !self.get_snapshot(one)?.holds.is_empty() {
                    return Err(format!("cannot destroy snapshot {one}: dataset is busy"));
                }
                self.drop_snapshot(one);
            }
            return Ok(());
        }
        self.get_dataset(name)?;
        let all: Vec<String> = self.datasets.keys().filter(|one| beneath(one, name)).cloned().collect();
        let has_more = all.len() > 1 || !self.datasets[name].snapshots.is_empty();
        if !recursive && has_more {
            return Err(format!(
                "cannot destroy '{name}': filesystem has children\nuse '-r' to destroy the following datasets:"
            ));
        }
        let snapshots: Vec<String> = all
            .iter()
            .flat_map(|one| self.datasets[one].snapshots.keys().map(move |short| format!("{one}@{short}")))
            .collect();
        let clones: Vec<String> =
            snapshots.iter().flat_map(|one| self.clones(one)).filter(|clone| !beneath(clone, name)).collect();
        if !clones.is_empty() {
            return Err(format!(
                "cannot destroy '{name}': filesystem has dependent clones\nuse '-R' to destroy the following datasets:\n{}",
                clones.join("\n")
            ));
        }
        // Destroy from the bottom up, each dataset with its snapshots. The first error ends the command in the
        // middle.
        for one in all.into_iter().rev() {
            let shorts: Vec<String> = self.datasets[&one].snapshots.keys().cloned().collect();
            for short in shorts {
                let snapshot = format!("{one}@{short}");
                if !self.get_snapshot(&snapshot)?.holds.is_empty() {
                    return Err(format!("cannot destroy snapshot {snapshot}: dataset is busy"));
                }
                self.drop_snapshot(&snapshot);
            }
            let on = self.mountpoint(&one);
            if self.datasets[&one].mounted {
                self.unmount(&one, force)
                    .map_err(|text| format!("{text}\ncannot destroy '{one}': dataset is busy"))?;
            }
            let dataset = self.datasets.remove(&one).expect("listed");
            let _ = fs::remove_dir_all(self.data(dataset.id));
            let _ = fs::remove_dir(&on);
            if let Some(origin) = dataset.origin {
                self.reap(&origin);
            }
        }
        Ok(())
    }

    /// Destroys a snapshot with a deferred destruction, if nothing needs it any more.
    fn reap(&mut self, name: &str) {
        let is_free = self.clones(name).is_empty();
        if self.get_snapshot(name).is_ok_and(|snapshot| snapshot.deferred && snapshot.holds.is_empty())
            && is_free
        {
            self.drop_snapshot(name);
        }
    }

    fn drop_snapshot(&mut self, name: &str) {
        let (dataset, short) = name.split_once('@').expect("a snapshot");
        let snapshot = self.datasets.get_mut(dataset).and_then(|one| one.snapshots.remove(short));
        let _ = fs::remove_dir_all(self.data(snapshot.expect("it is there").id));
    }

    fn rollback(&mut self, name: &str, recursive: bool) -> Said<()> {
        let id = self.get_snapshot(name)?.id;
        let dataset = name.split_once('@').map_or("", |(dataset, _)| dataset);
        let later: Vec<String> = self.datasets[dataset]
            .snapshots
            .iter()
            .filter(|(_, one)| one.id > id)
            .map(|(short, _)| format!("{dataset}@{short}"))
            .collect();
        if !later.is_empty() && !recursive {
            return Err(format!(
                "cannot rollback to '{name}': more recent snapshots or bookmarks exist\nuse '-r' to force deletion of the following snapshots and bookmarks:"
            ));
        }
        if let Some(used) = later.iter().find(|one| !self.clones(one).is_empty()) {
            return Err(format!(
                "cannot rollback to '{name}': clones of previous snapshots exist\nuse '-R' to force deletion of the following clones and dependents:\n{}",
                self.clones(used).join("\n")
            ));
        }
        for one in later {
            self.drop_snapshot(&one);
        }
        let own = self.datasets[dataset].id;
        let skipped: Vec<PathBuf> = self
            .datasets
            .keys()
            .filter(|below| beneath(below, dataset) && **below != dataset)
            .filter(|below| self.datasets[*below].mounted)
            .map(|below| self.mountpoint(below).into())
            .collect();
        let at = if self.datasets[dataset].mounted {
            PathBuf::from(self.mountpoint(dataset))
        } else {
            self.data(own)
        };
        for entry in fs::read_dir(&at).expect("what is in the dataset") {
            let path = entry.expect("an entry").path();
            if !skipped.contains(&path) {
                let _ = if path.is_dir() && !path.is_symlink() {
                    fs::remove_dir_all(&path)
                } else {
                    fs::remove_file(&path)
                };
            }
        }
        copy_into(&self.data(id), &at);
        Ok(())
    }
}

/// Splits a command line into option letters, options with a value, and other words.
fn options<'a>(words: &[&'a str]) -> (Vec<char>, BTreeMap<char, Vec<&'a str>>, Vec<&'a str>) {
    let (mut flags, mut values, mut names) = (Vec::new(), BTreeMap::<char, Vec<&str>>::new(), Vec::new());
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() => {
                for letter in letters.chars() {
                    if matches!(letter, 'o' | 't' | 'd') && !is_defer(letter, words.clone()) {
                        values.entry(letter).or_default().extend(words.next());
                    } else {
                        flags.push(letter);
                    }
                }
            }
            _ => names.push(word),
        }
    }
    (flags, values, names)
}

/// `-d` of `destroy` has no value, and that of `list` and `get` is a number.
fn is_defer<'a>(letter: char, mut rest: impl Iterator<Item = &'a str>) -> bool {
    letter == 'd' && rest.next().is_none_or(|next| next.parse::<u32>().is_err())
}

fn beneath(name: &str, above: &str) -> bool {
    name.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn copy(from: &Path, to: &Path) {
    copy_without(from, to, &[]);
}

/// Copies a directory. Mount points in it become empty directories.
fn copy_without(from: &Path, to: &Path, skipped: &[PathBuf]) {
    fs::create_dir_all(to).expect("the model's directory");
    for entry in fs::read_dir(from).expect("what is in a dataset") {
        let entry = entry.expect("an entry");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if skipped.contains(&source) {
            fs::create_dir_all(&target).expect("a mount point");
        } else if source.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source).expect("a link"), &target).expect("a link");
        } else if source.is_dir() {
            copy_without(&source, &target, skipped);
        } else {
            fs::copy(&source, &target).expect("a file");
        }
    }
}

/// Copies the contents of a directory into an existing directory.
fn copy_into(from: &Path, to: &Path) {
    copy_without(from, to, &[]);
}
