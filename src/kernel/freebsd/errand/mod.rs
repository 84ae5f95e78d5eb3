//! What a parent and its child agree on: what the parent makes before the fork and the child reads, and what the child
//! answers. The parents are the files one folder up, and the children are in `child`.

pub mod enter;
pub mod fork_server;
pub mod hold;
pub mod run;
pub mod terminal;
