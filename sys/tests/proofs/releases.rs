//! The differences between FreeBSD's releases. The bindings are of FreeBSD 15.0. The proofs hold for the other
//! releases too, except for the differences listed here. The list is proven as well: C must not know a name that is
//! listed as absent, and must have the number that is listed as different.

use std::fmt;

use jailwire_sys::freebsd14;

use crate::bindings::Value;
use crate::facts::{Fact, Kind};

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Release {
    V14,
    V15_0,
    V15_1,
    V16,
}

impl Release {
    pub fn major(self) -> u32 {
        match self {
            Self::V14 => 14,
            Self::V15_0 | Self::V15_1 => 15,
            Self::V16 => 16,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::V14 => "FreeBSD 14",
            Self::V15_0 => "FreeBSD 15.0",
            Self::V15_1 => "FreeBSD 15.1",
            Self::V16 => "FreeBSD 16",
        })
    }
}

/// The differences of some releases' headers from the headers of the bindings.
struct Difference {
    releases: &'static [Release],
    /// The structures (with all their fields), fields, aliases, constants and requests that these releases do not
    /// have.
    absent: &'static [&'static str],
    /// The numbers that differ.
    other: &'static [(Kind, &'static str, i128)],
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        releases: &[Release::V14],
        absent: &[
            // Jail descriptors, their events, and the parameters for free text.
            "JAIL_USE_DESC JAIL_AT_DESC JAIL_GET_DESC JAIL_OWN_DESC JAIL_META_PRIVATE JAIL_META_SHARED",
            "SYS_jail_attach_jd SYS_jail_remove_jd EVFILT_JAIL EVFILT_JAILDESC",
            "NOTE_JAIL_CHILD NOTE_JAIL_SET NOTE_JAIL_ATTACH NOTE_JAIL_REMOVE NOTE_JAIL_MULTI",
            "NOTE_JAIL_CTRLMASK",
            // Extended errors.
            "uexterror SYS_exterrctl UEXTERROR_MAXLEN UEXTERROR_VER",
            "EXTERRCTL_ENABLE EXTERRCTL_DISABLE EXTERRCTL_UD EXTERRCTLF_FORCE",
            "EXTERR_CAT_MMAP EXTERR_CAT_FILEDESC EXTERR_KTRACE EXTERR_CAT_FUSE EXTERR_CAT_INOTIFY",
            "EXTERR_CAT_GENIO EXTERR_CAT_BRIDGE EXTERR_CAT_SWAP EXTERR_CAT_VFSSYSCALL",
            // VLAN filtering of bridges.
            "ifbreq.ifbr_pvid ifbreq.ifbr_vlanproto ifbif_vlan_req ifbvlan_set ifbvlan_set_t",
            "ether_vlanid_t ifbr_flags_t IFBRF_VLANFILTER IFBRF_DEFQINQ IFBIF_QINQ",
            "BRDGSIFPVID BRDGSIFVLANSET BRDGGIFVLANSET BRDGGFLAGS BRDGSFLAGS BRDGGDEFPVID BRDGSDEFPVID",
            "BRDGSIFVLANPROTO BRVLAN_SETSIZE BRDG_VLAN_OP_SET BRDG_VLAN_OP_ADD BRDG_VLAN_OP_DEL",
            // Others.
            "SOCK_CLOFORK SO_FIB AF_IPFWLOG PF_IPFWLOG RTM_IPFWLOG MNT_NAMEDATTR",
            "IFCAP_B_IPSEC_OFFLOAD IFCAP2_IPSEC_OFFLOAD IFT_MBIM SIOCGUMBINFO SIOCSUMBPARAM SIOCGUMBPARAM",
            // ipfw: 32 bits for the numbers of rules and tables.
            "IP_FW3_OPVER_0 IP_FW3_OPVER_1 _ipfw_insn_kidx ipfw_insn_kidx _ipfw_insn_if__bindgen_ty_1.kidx_v0",
        ],
        other: &[
            // The two new fields took their room from the padding.
            (Kind::Offset, "ifbreq.pad", 48),
            (Kind::FieldSize, "ifbreq.pad", 32),
            (Kind::Constant, "JAIL_SET_MASK", 0x0f),
            (Kind::Constant, "JAIL_GET_MASK", 0x08),
            (Kind::Constant, "AF_MAX", 44),
            (Kind::Constant, "PF_MAX", 44),
            (Kind::Constant, "MNT_VISFLAGMASK", 0x0f_fef0_ffff),
            (Kind::Constant, "IFCAP_B_SIZE", 34),
            (Kind::FieldSize, "_ipfw_insn_if__bindgen_ty_1.kidx", 2),
            (Kind::FieldSize, "_ipfw_obj_tentry.idx", 2),
        ],
    },
    Difference {
        releases: &[Release::V14, Release::V15_0],
        absent: &[
            // src/newer.rs
            "ND6_IFF_STABLEADDR EXTERR_CAT_FUSE_VNOPS EXTERR_CAT_VFSBIO EXTERR_CAT_GEOMVFS EXTERR_CAT_GEOM",
            "EXTERR_CAT_FUSE_VFS EXTERR_CAT_FUSE_DEVICE EXTERR_CAT_FORK EXTERR_CAT_PROCEXIT",
        ],
        other: &[],
    },
    Difference {
        releases: &[Release::V15_1, Release::V16],
        absent: &[
            // Its new name is EXTERR_CAT_FUSE_VNOPS.
            "EXTERR_CAT_FUSE",
        ],
        other: &[],
    },
];

/// One difference.
pub enum Change {
    /// There is no such structure, field, alias, constant or request.
    Absent(&'static str),
    /// The number differs.
    Other(Kind, &'static str, i128),
    /// The number is in src/freebsd14.rs, whether it differs or not.
    Told(Kind, &'static str, i128),
}

/// All that differs in `release`.
pub fn changes(release: Release) -> Vec<Change> {
    let mut changes = Vec::new();
    for difference in DIFFERENCES.iter().filter(|difference| difference.releases.contains(&release)) {
        let names = difference.absent.iter().flat_map(|line| line.split_whitespace());
        changes.extend(names.map(Change::Absent));
        changes
            .extend(difference.other.iter().map(|&(kind, name, number)| Change::Other(kind, name, number)));
    }
    if release == Release::V14 {
        changes
            .extend(freebsd14::FIELDS.iter().flat_map(|&(name, offset, size)| of_field(name, offset, size)));
    }
    changes
}

/// The numbers of a field or structure in src/freebsd14.rs.
fn of_field(name: &'static str, offset: usize, size: usize) -> Vec<Change> {
    let is_field = name.contains('.');
    let kinds = match is_field {
        true => vec![(Kind::Offset, offset), (Kind::FieldSize, size)],
        false => vec![(Kind::Size, size)],
    };
    let of_alias = name.strip_prefix('_').filter(|_| !is_field);
    let told = kinds.into_iter().map(|(kind, number)| Change::Told(kind, name, number as i128));
    told.chain(of_alias.map(|alias| Change::Told(Kind::AliasSize, alias, size as i128))).collect()
}

impl Change {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Absent(name) | Self::Other(_, name, _) | Self::Told(_, name, _) => name,
        }
    }

    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Whether the difference is about `fact`. If a structure is absent, its fields are absent too.
    pub fn concerns(&self, fact: &Fact) -> bool {
        match self {
            Self::Absent(name) => {
                let rest = fact.name.strip_prefix(name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            Self::Other(kind, name, _) | Self::Told(kind, name, _) => {
                fact.kind == *kind && fact.name == *name
            }
        }
    }

    /// Gives `fact`, which it concerns, the number that it has in the release.
    pub fn apply(&self, fact: &mut Fact) {
        if let Self::Told(_, _, number) = self {
            fact.value = Value::Number(*number);
        }
        if let Self::Other(_, name, number) = self {
            let ours = std::mem::replace(&mut fact.value, Value::Number(*number));
            assert_ne!(ours, fact.value, "releases.rs: {name} is no other number");
        }
    }
}
