//! What parent and child share for the fork server and its ready children.

/// The number of children that are ready at a time. While one child is taken, the server forks the next.
pub const AHEAD: usize = 2;
/// The most names, values and words of a jail, and their bytes. What is larger is not for the server.
pub const MOST_VECTORS: usize = 128;
pub const MOST_BYTES: usize = 16 << 10;
/// The number of vectors, and the length of each.
pub const HEAD: usize = 4 + 4 * MOST_VECTORS;
