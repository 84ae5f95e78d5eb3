//! Tests of the program on the simulated kernel.

mod bulk;
mod defects;
mod dry_run;
mod dry_runs_end;
mod effects;
mod errors;
mod gc;
mod generated;
mod host;
mod hostile;
mod hosts;
mod inside;
mod json;
mod killed;
mod lending;
mod lifecycle;
mod manage;
mod many;
#[path = "../support/memory.rs"]
mod memory;
mod nat;
mod net;
mod nobody;
mod operator;
mod owners;
mod points;
mod pool;
mod rc;
#[cfg(target_os = "linux")]
mod read_once;
mod reports;
mod schema;
mod seed;
mod storage;
mod support;
mod transcripts;
mod tutorial;
mod vanishing;
mod vlan_bridges;
mod vlans;
mod words;
