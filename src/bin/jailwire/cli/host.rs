//! `host`: the host's own network.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

/// `host`.
#[derive(Debug, Subcommand)]
pub enum Host {
    /// Move all addresses of a bridge member to its bridge, or back
    ///
    /// Moves the addresses of both families, the settings of neighbour discovery, and the routes of all routing tables.
    /// Established TCP connections remain. If a step fails, the move is undone. If `host confirm` is not run in time, a
    /// second process undoes the move, even if this program was killed and the ssh session was lost.
    MoveAddress(MoveAddress),
    /// Confirm a move of addresses: the move is not undone
    Confirm,
    /// Undo a move of addresses that was not confirmed
    Undo,
    /// Write into a file what a simulated host needs to be like this host: for --sim-host
    ///
    /// Writes the release, interfaces, addresses, bridges, VLANs, routes and settings of the host as JSON. Interfaces that
    /// belong to running jails are left out. The host is not changed.
    Describe {
        /// The file, which is replaced
        file: PathBuf,
    },
    /// Undo a move unless it is confirmed
    #[command(hide = true)]
    Watch(Watch),
}

/// `host move-address`.
#[derive(Debug, Args)]
pub struct MoveAddress {
    /// The interface that has the addresses
    pub from: String,
    /// The interface that gets the addresses: the bridge of FROM, or a member of the bridge FROM
    pub to: String,
    /// Undo the move if `host confirm` is not run within this time, such as 60s or 5m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub confirm_within: Duration,
    /// Make a move that needs no confirmation: for a console, and for scripts that test the network themselves
    #[arg(long, conflicts_with = "confirm_within")]
    pub confirmed: bool,
    /// Give the bridge the MAC address of its member. With a DHCP client on FROM, the bridge always gets this address
    #[arg(long)]
    pub mac: bool,
    /// The host's rc.conf(5) [default: /etc/rc.conf; on the simulated kernel none]
    #[arg(long, value_name = "FILE")]
    pub rc_conf: Option<PathBuf>,
    /// Print what would be done, step by step, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `host watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Which move
    pub token: String,
    /// How long to wait, in milliseconds
    pub within: u64,
}

/// `60s`, `5m`, `1h`, or a number of seconds.
fn duration(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        _ => (text, 1),
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    match seconds {
        Some(seconds @ 1..=86400) => Ok(Duration::from_secs(seconds.into())),
        _ => Err("write a time from 1s to 24h, as 60s or 5m"),
    }
}
