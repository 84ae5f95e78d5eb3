//! The program, run as its users run it, on the simulated kernel.

mod bulk;
mod defects;
mod dry_run;
mod effects;
mod errors;
mod gc;
mod generated;
mod hostile;
mod inside;
mod json;
mod killed;
mod lifecycle;
mod manage;
mod many;
mod net;
mod nobody;
mod owners;
mod rc;
mod reports;
mod schema;
mod seed;
mod storage;
mod support;
mod transcripts;
mod vanishing;
mod vlans;
