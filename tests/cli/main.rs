//! The program, run as its users run it, on the simulated kernel.

mod bulk;
mod defects;
mod effects;
mod errors;
mod gc;
mod hostile;
mod inside;
mod killed;
mod lifecycle;
mod manage;
mod net;
mod nobody;
mod rc;
mod seed;
mod storage;
mod support;
mod transcripts;
