//! Wiring: from a specification to a running jail, and back.
//!
//! [`Wiring`] is where to begin: [`Wiring::jail`] describes a jail word by word and starts it. Beneath it are parts
//! that can be used alone. A [`JailSpec`] says what a jail is to look like. A [`Survey`] looks at the host.
//! [`Plan::new`] checks one against the other and lists the [`Step`]s. A [`Claim`] on the jail's name says whether the
//! jail of that name was started here, and carries out the steps. Two things undo them:
//!
//! * **The kernel.** A jail with a network stack of its own is first made without `persist` and held by a
//!   child process, and its epairs are made inside it. Until [`Step::Commit`] the kernel removes the jail and
//!   its epairs when this process ends, however it ends.
//! * **The journal.** Everything that the kernel would keep (aliases, mounts, devfs rulesets, files, a
//!   committed jail) is written down before it is made; [`Claim::clear`] goes through it backwards.

pub mod bulk;

mod attach;
mod builder;
mod claim;
mod detach;
mod dump;
mod host_end;
mod identity;
mod journal;
mod lending;
mod lock;
pub mod nat;
mod nic;
mod nic_address;
mod open;
mod plan;
mod prior;
mod problem;
mod records;
mod relocation;
mod requests;
mod run;
mod shared;
mod site;
mod span;
mod spec;
mod stamp;
mod standing;
mod state;
mod step;
mod survey;
mod times;
mod undo;
mod up;
mod uplink;
mod value_or_text;
mod vlans;

pub use attach::{Attached, AttachedNic, Attachment};
pub use builder::{JailBuilder, SharedIp, Unwired, Wired};
pub use claim::Claim;
pub use detach::release_epair;
pub use host_end::{HostEnd, jid_of_host_end};
pub use identity::Identity;
pub use journal::{Journal, Owned};
pub use lending::{Lent, Reclaimed, lent_to, returned};
pub use lock::{Lock, Mode};
pub use nic_address::NicAddress;
pub use open::Wiring;
pub use plan::Plan;
pub use prior::Prior;
pub use problem::{Problem, Problems};
pub use relocation::{AddressMove, MacChange, MovedIpv6, MovedRoute, MovedVirtualHost, PendingMove};
pub use shared::{sweep, unneeded};
pub use site::Site;
pub use spec::{
    Alias, Devfs, HostName, JailSpec, MountSpec, Network, Nic, Router, Shared, StaticRoute, VnetSpec,
};
#[cfg(feature = "iocage")]
pub(crate) use stamp::Stamp;
pub use standing::Standing;
pub use state::StateDirectory;
pub use step::{JailInterface, Step};
pub use survey::Survey;
pub use times::{AUTOCONF_LIMIT, Times};
pub(crate) use undo::let_be_reaped;
pub use undo::{Owed, undo_order};
pub use up::Up;
pub use uplink::Uplink;
pub use value_or_text::ValueOrText;
pub use vlans::NicVlans;
