//! The data that a parent and its child share: what the parent makes before the fork and the child reads, and
//! what the child sends back. The code of the parents is in the files one folder up, and the code of the
//! children is in `child`.

pub mod enter;
pub mod fork_server;
pub mod hold;
pub mod run;
pub mod terminal;
