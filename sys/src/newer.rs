//! Constants that came after FreeBSD 15.0, whose headers the bindings are made from. The proofs compare them
//! with the headers of the releases that have them.

macro_rules! newer {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $value:literal;)*) => {
        $($(#[$meta])* pub const $name: $type = $value;)*

        /// Each of them, for the proofs.
        #[doc(hidden)]
        pub const NEWER: &[(&str, i64)] = &[$((stringify!($name), $name as i64)),*];
    };
}

newer! {
    /// Of [`nd_ifinfo`](crate::nd_ifinfo): make interface identifiers as RFC 7217 describes, stable but not
    /// derived from the MAC. Since FreeBSD 15.1.
    ND6_IFF_STABLEADDR: u32 = 0x800;

    /// The part of the kernel that an extended error comes from: fuse(4), its files. Since FreeBSD 15.1; 15.0
    /// calls it [`EXTERR_CAT_FUSE`](crate::EXTERR_CAT_FUSE).
    EXTERR_CAT_FUSE_VNOPS: u32 = 4;
    /// The buffer cache. Since FreeBSD 15.1.
    EXTERR_CAT_VFSBIO: u32 = 10;
    /// File systems on GEOM. Since FreeBSD 15.1.
    EXTERR_CAT_GEOMVFS: u32 = 11;
    /// GEOM. Since FreeBSD 15.1.
    EXTERR_CAT_GEOM: u32 = 12;
    /// fuse(4), its mounts. Since FreeBSD 15.1.
    EXTERR_CAT_FUSE_VFS: u32 = 13;
    /// fuse(4), its device. Since FreeBSD 15.1.
    EXTERR_CAT_FUSE_DEVICE: u32 = 14;
    /// fork(2). Since FreeBSD 15.1.
    EXTERR_CAT_FORK: u32 = 15;
    /// The end of a process. Since FreeBSD 15.1.
    EXTERR_CAT_PROCEXIT: u32 = 16;
}
