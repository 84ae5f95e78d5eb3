//! iocage's files of the jails that are measured, and the roots of these jails.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::{Fallible, programs};

/// Where the files are. Only root may write there, as the program demands.
pub const ROOT: &str = "/jailwire-bench";
/// The bridge of all jails with a network stack of their own, and the host's address on it.
pub const BRIDGE: &str = "bridge90";
pub const ROUTER: &str = "198.18.0.1";

/// What is mounted for a jail, and how it is wired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is mounted.
    None,
    /// devfs with a generated ruleset, and fdescfs: what iocage mounts unless it is told otherwise.
    Plain,
    /// These two and five directories by nullfs.
    Seven,
    /// These two and twelve directories by nullfs: a basejail.
    Base,
    /// As [`Kind::Plain`], with an address of the host's lo0 in place of a network stack.
    Shared,
}

/// The directories that a basejail takes from its release.
const BASE: [&str; 12] = [
    "bin",
    "lib",
    "libexec",
    "sbin",
    "usr/bin",
    "boot",
    "rescue",
    "usr/include",
    "usr/lib",
    "usr/libexec",
    "usr/sbin",
    "usr/share",
];
/// What is run inside a jail.
const PROGRAMS: [&str; 4] = ["/usr/bin/true", "/bin/sh", "/sbin/ifconfig", "/sbin/route"];

impl Kind {
    pub const ALL: [(&'static str, Kind); 5] = [
        ("none", Kind::None),
        ("plain", Kind::Plain),
        ("seven", Kind::Seven),
        ("base", Kind::Base),
        ("shared", Kind::Shared),
    ];

    pub fn name(self) -> &'static str {
        Kind::ALL.into_iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The directories that are mounted by nullfs.
    pub fn nullfs(self) -> &'static [&'static str] {
        match self {
            Kind::None | Kind::Plain | Kind::Shared => &[],
            Kind::Seven => &BASE[..5],
            Kind::Base => &BASE,
        }
    }

    pub fn has_devfs(self) -> bool {
        self != Kind::None
    }
}

/// One of the jails.
#[derive(Debug, Clone)]
pub struct Jail {
    pub name: String,
    pub kind: Kind,
    pub address: String,
    pub macs: [String; 2],
}

impl Jail {
    pub fn new(kind: Kind, number: usize) -> Jail {
        let mac = |end: &str| format!("02ff60{number:04x}{end}");
        Jail {
            name: format!("bench{number:04}"),
            kind,
            address: format!("198.18.{}.{}", number / 200, number % 200 + 2),
            macs: [mac("0a"), mac("0b")],
        }
    }

    pub fn directory(&self) -> PathBuf {
        Path::new(ROOT).join("jails").join(&self.name)
    }

    pub fn root(&self) -> PathBuf {
        self.directory().join("root")
    }

    pub fn fstab(&self) -> String {
        let root = self.root();
        let line = |directory: &&str| {
            format!("{ROOT}/release/{directory}\t{}/{directory}\tnullfs\tro\t0\t0\n", root.display())
        };
        self.kind.nullfs().iter().map(line).collect()
    }

    fn config(&self) -> String {
        let Jail { name, kind, address, macs: [host, jail] } = self;
        let mounts = u8::from(kind.has_devfs());
        let network = match kind {
            Kind::Shared => format!(r#""vnet":0,"ip4_addr":"lo0|{address}/32""#),
            _ => format!(
                r#""vnet":1,"interfaces":"vnet0:{BRIDGE}","vnet0_mac":"{host} {jail}","vnet_default_interface":"none","defaultrouter":"{ROUTER}","ip4_addr":"vnet0|{address}/16""#
            ),
        };
        format!(
            r#"{{"host_hostuuid":"{name}","release":"15.1-RELEASE","cloned_release":"15.1-RELEASE","host_time":0,"resolver":"/dev/null","exec_start":"/usr/bin/true","exec_stop":"/usr/bin/true","mount_devfs":{mounts},"mount_fdescfs":{mounts},{network}}}"#
        )
    }

    fn write(&self) -> Fallible {
        let root = self.root();
        for directory in BASE.iter().chain(&["dev", "etc", "tmp", "var/run", "var/log", "root"]) {
            fs::create_dir_all(root.join(directory))?;
        }
        if self.kind.nullfs().is_empty() {
            install(&root)?;
        }
        fs::write(root.join("etc/hosts"), "127.0.0.1\tlocalhost\n")?;
        fs::write(self.directory().join("fstab"), self.fstab())?;
        fs::write(self.directory().join("config.json"), self.config())?;
        Ok(())
    }
}

/// Writes the files of so many jails of a kind, in place of all that were there.
pub fn write(kind: Kind, count: usize) -> Fallible<Vec<Jail>> {
    remove()?;
    for directory in ["jails", "releases", "templates", "log", "images", "download"] {
        fs::create_dir_all(Path::new(ROOT).join(directory))?;
    }
    fs::set_permissions(ROOT, fs::Permissions::from_mode(0o755))?;
    fs::write(Path::new(ROOT).join("defaults.json"), r#"{"CONFIG_VERSION":"34"}"#)?;
    let release = Path::new(ROOT).join("release");
    for directory in BASE {
        fs::create_dir_all(release.join(directory))?;
    }
    install(&release)?;
    let jails: Vec<Jail> = (0..count).map(|number| Jail::new(kind, number)).collect();
    jails.iter().try_for_each(Jail::write)?;
    Ok(jails)
}

/// Removes them.
pub fn remove() -> Fallible {
    match fs::remove_dir_all(ROOT) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Puts what is run inside a jail, and the libraries of that, into a root: by hard links where that is possible.
fn install(root: &Path) -> Fallible {
    let listed = programs::run(&[&["ldd", "-f", "%p\n"][..], &PROGRAMS].concat())?;
    let mut files: Vec<&str> = listed.lines().filter(|line| line.starts_with('/')).collect();
    files.extend(PROGRAMS.iter().chain(&["/libexec/ld-elf.so.1"]));
    // ldd names each program before its libraries, with a colon.
    files.retain(|file| !file.ends_with(':'));
    files.sort_unstable();
    files.dedup();
    for file in files {
        let to = root.join(file.trim_start_matches('/'));
        if let Some(directory) = to.parent() {
            fs::create_dir_all(directory)?;
        }
        if !to.exists() && fs::hard_link(file, &to).is_err() {
            fs::copy(file, &to)?;
        }
    }
    Ok(())
}

/// The conf file that iocage writes for jail(8).
pub fn jail_conf(jail: &Jail, ruleset: Option<u32>) -> Fallible<PathBuf> {
    let mut text = String::new();
    writeln!(text, "\"ioc-{}\" {{", jail.name)?;
    match jail.kind {
        Kind::Shared => writeln!(
            text,
            "ip4.addr += \"lo0|{}/32\"; ip4.saddrsel = 1; ip4 = new; ip6 = disable;",
            jail.address
        )?,
        _ => writeln!(text, "vnet = new;")?,
    }
    let fstab = jail.directory().join("fstab");
    writeln!(
        text,
        "path = \"{}\"; mount.fstab = \"{}\"; persist; exec.clean; exec.timeout = 60;",
        jail.root().display(),
        fstab.display()
    )?;
    if let Some(ruleset) = ruleset {
        writeln!(text, "mount.devfs; mount.fdescfs; devfs_ruleset = {ruleset};")?;
    }
    writeln!(text, "}}")?;
    let path = PathBuf::from(format!("/var/run/jail.ioc-{}.conf", jail.name));
    fs::write(&path, text)?;
    Ok(path)
}
