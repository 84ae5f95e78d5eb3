//! Makes a jail's configuration from its files.

use std::time::Duration;

use super::mounts;
use super::problem::{self, Level};
use super::reader::Reader;
use super::{Allow, Commands, Devfs, Host, JailConfig};
use crate::error::Error;
use crate::iocage::hostname::Hostname;
use crate::iocage::properties::Properties;
use crate::iocage::property::{ALLOW, Builtin, Kind, Property, Scope, TABLE};
use crate::iocage::resolver::Resolver;
use crate::iocage::store::{Entry, Store};

impl JailConfig {
    /// Reads a jail's files. All problems are reported together. If they all are warnings, they are in
    /// [`JailConfig::warnings`].
    ///
    /// # Errors
    ///
    /// A file cannot be read. [`ErrorKind::Problems`](crate::ErrorKind::Problems): what they say makes no sense.
    pub fn resolve(store: &Store, entry: &Entry) -> Result<JailConfig, Error> {
        JailConfig::from_properties(store, entry, &store.properties(entry)?)
    }

    /// As [`JailConfig::resolve`], from properties that were read already, or changed and not written yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Problems`](crate::ErrorKind::Problems): what they say makes no sense. A value is not text, or fstab cannot be
    /// read.
    pub fn from_properties(
        store: &Store,
        entry: &Entry,
        properties: &Properties,
    ) -> Result<JailConfig, Error> {
        JailConfig::read(store, entry, properties, true)
    }

    /// As [`JailConfig::from_properties`], for a jail that is to be made and has no root directory yet.
    ///
    /// # Errors
    ///
    /// As [`JailConfig::from_properties`].
    pub fn of_new(store: &Store, entry: &Entry, properties: &Properties) -> Result<JailConfig, Error> {
        JailConfig::read(store, entry, properties, false)
    }

    fn read(
        store: &Store,
        entry: &Entry,
        properties: &Properties,
        is_there: bool,
    ) -> Result<JailConfig, Error> {
        let mut reader = Reader::new(properties);
        let mut config = reader.jail(store, entry);
        reader.told_once();
        reader.problems.retain(|problem| is_there || problem.about != mounts::ROOT);
        if reader.problems.iter().any(|problem| problem.level == Level::Error) {
            return Err(problem::refused(&entry.name, &entry.config_path(), reader.problems));
        }
        config.warnings = reader.problems;
        Ok(config)
    }
}

impl Reader<'_> {
    fn jail(&mut self, store: &Store, entry: &Entry) -> JailConfig {
        let mut network = self.network();
        let nat = self.nat(&mut network);
        let log =
            |prefix: &str| store.log_directory().join(format!("{prefix}{}-console.log", entry.name.flat()));
        self.not_applied();
        self.unknown_keys();
        self.without_shell();
        JailConfig {
            place: entry.place,
            directory: entry.directory.clone(),
            root: entry.root(),
            services_log: log(""),
            console_log: log("ioc-"),
            nat,
            network,
            fib: self.read_or_builtin("exec_fib"),
            commands: self.commands(),
            mounts: self.mounts(store, entry),
            devfs: self.devfs(),
            host: self.host(entry),
            allow: Allow(
                ALLOW.iter().map(|(property, parameter)| (*parameter, self.flag(property))).collect(),
            ),
            securelevel: self.number("securelevel"),
            enforce_statfs: self.enforce_statfs(),
            children_max: self.number("children_max"),
            sysvmsg: self.read_or_builtin("sysvmsg"),
            sysvsem: self.read_or_builtin("sysvsem"),
            sysvshm: self.read_or_builtin("sysvshm"),
            resolver: self.resolver(),
            host_time: self.flag("host_time"),
            boot: self.flag("boot"),
            priority: self.priority(),
            depends: self.read_or_builtin("depends"),
            warnings: Vec::new(),
            of_defaults: self.properties.of_defaults_alone(),
            name: entry.name.clone(),
        }
    }

    fn commands(&mut self) -> Commands {
        let seconds = |number: u64| (number > 0).then(|| Duration::from_secs(number));
        Commands {
            prestart: self.read_or_builtin("exec_prestart"),
            created: self.line("exec_created"),
            start: self.read_or_builtin("exec_start"),
            poststart: self.read_or_builtin("exec_poststart"),
            prestop: self.read_or_builtin("exec_prestop"),
            stop: self.read_or_builtin("exec_stop"),
            poststop: self.read_or_builtin("exec_poststop"),
            clean: self.flag("exec_clean"),
            timeout: seconds(self.number("exec_timeout")),
            stop_timeout: seconds(self.number("stop_timeout")),
            login_flags: self.line("login_flags").split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// The source of the jail's resolv.conf. Any path other than the two that iocage knows is taken for the text
    /// itself.
    fn resolver(&mut self) -> Resolver {
        let resolver = self.read_or_builtin("resolver");
        if let Resolver::Lines(lines) = &resolver
            && let Some(path) = lines.first().filter(|line| line.starts_with('/'))
        {
            let why = format!(
                "{} is written into the jail's resolv.conf as it is: write its lines with `;` between them, or /etc/resolv.conf or /dev/null",
                path.escape_debug()
            );
            self.warn("resolver", why);
        }
        resolver
    }

    fn devfs(&mut self) -> Devfs {
        Devfs {
            ruleset: self.number("devfs_ruleset"),
            first: self.number("min_dyn_devfs_ruleset"),
            bpf: self.flag("bpf"),
            tun: self.flag("allow_tun"),
            fuse: self.flag("allow_mount_fusefs"),
        }
    }

    fn host(&mut self, entry: &Entry) -> Host {
        let domainname = self.read_or_builtin::<Hostname>("host_domainname").to_string();
        let strict = self.flag("hostid_strict_check");
        let hostid = self.line("hostid");
        Host {
            hostname: self.read::<Hostname>("host_hostname").unwrap_or_default().to_string(),
            // An old default of iocage was the word `none`, which then became the domain name.
            domainname: if domainname == "none" { String::new() } else { domainname },
            uuid: entry.name.flat(),
            required_hostid: (strict && hostid != "none").then_some(hostid),
            ip_hostname: self.flag("ip_hostname"),
        }
    }

    fn enforce_statfs(&mut self) -> i32 {
        match &*self.text("enforce_statfs") {
            "0" => 0,
            "1" => 1,
            "2" => 2,
            other => {
                self.error(
                    "enforce_statfs",
                    format!("`{}` is not 0, 1 or 2: give one of these", other.escape_debug()),
                );
                2
            }
        }
    }

    /// iocage accepts nearly any text here. A wrong priority does not prevent a start.
    fn priority(&mut self) -> u32 {
        let text = self.text("priority");
        if text.trim().parse::<u32>().is_err() {
            self.warn(
                "priority",
                format!("`{}` is not a number from 1 to 99, and 99 is used: give one", text.escape_debug()),
            );
        }
        self.properties.priority()
    }

    /// One line of text.
    fn line(&mut self, name: &str) -> String {
        let text = self.text(name);
        if text.chars().any(|c| c.is_control() && c != '\t') {
            self.error(
                name,
                format!("`{}` has control characters: give one line without", text.escape_debug()),
            );
        }
        text.into_owned()
    }

    /// Tells of what iocage would do at start and this library does not, and of what iocage does not do either.
    fn not_applied(&mut self) {
        for property in ["exec_jail_user", "exec_system_user"] {
            let user = self.text_quietly(property);
            if !matches!(user.as_str(), "root" | "none" | "") {
                let user = user.escape_debug();
                let message = format!(
                    "{user} runs nothing, as with iocage: have exec_start run su(1), and set {property}=root"
                );
                self.warn(property, message);
            }
        }
        if self.flag("jail_zfs") {
            let message = "datasets are not handed to the jail: run `zfs jail` for them once it is up";
            self.warn("jail_zfs", message);
        }
        // A user can set cpuset and the limits of rctl(8). Their text `off` means that nothing is set.
        let off = |property: &&Property| {
            (property.builtin, property.kind, property.scope)
                == (Builtin::Text("off"), Kind::Line, Scope::Jail)
        };
        for limit in TABLE.iter().filter(off).map(|property| property.name) {
            if !matches!(self.text_quietly(limit).as_str(), "off" | "") {
                let program = if limit == "cpuset" { "cpuset -j" } else { "rctl -a" };
                self.warn(limit, format!("is not applied: run `{program}` once the jail is up"));
            }
        }
    }
}
