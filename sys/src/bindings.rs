// Written by bindgen from FreeBSD 15.0's headers. To change it, see README.md.
#[repr(C)]
pub struct pf_anchor { _unused: [u8; 0] }
#[repr(C)]
pub struct pfi_kif { _unused: [u8; 0] }

pub const MAXCOMLEN: usize = 19;
pub const MAXHOSTNAMELEN: usize = 256;
pub const MAXPATHLEN: usize = 1024;
pub const EPERM: ::core::ffi::c_int = 1;
pub const ENOENT: ::core::ffi::c_int = 2;
pub const ESRCH: ::core::ffi::c_int = 3;
pub const EINTR: ::core::ffi::c_int = 4;
pub const EIO: ::core::ffi::c_int = 5;
pub const ENXIO: ::core::ffi::c_int = 6;
pub const E2BIG: ::core::ffi::c_int = 7;
pub const ENOEXEC: ::core::ffi::c_int = 8;
pub const EBADF: ::core::ffi::c_int = 9;
pub const ECHILD: ::core::ffi::c_int = 10;
pub const EDEADLK: ::core::ffi::c_int = 11;
pub const ENOMEM: ::core::ffi::c_int = 12;
pub const EACCES: ::core::ffi::c_int = 13;
pub const EFAULT: ::core::ffi::c_int = 14;
pub const ENOTBLK: ::core::ffi::c_int = 15;
pub const EBUSY: ::core::ffi::c_int = 16;
pub const EEXIST: ::core::ffi::c_int = 17;
pub const EXDEV: ::core::ffi::c_int = 18;
pub const ENODEV: ::core::ffi::c_int = 19;
pub const ENOTDIR: ::core::ffi::c_int = 20;
pub const EISDIR: ::core::ffi::c_int = 21;
pub const EINVAL: ::core::ffi::c_int = 22;
pub const ENFILE: ::core::ffi::c_int = 23;
pub const EMFILE: ::core::ffi::c_int = 24;
pub const ENOTTY: ::core::ffi::c_int = 25;
pub const ETXTBSY: ::core::ffi::c_int = 26;
pub const EFBIG: ::core::ffi::c_int = 27;
pub const ENOSPC: ::core::ffi::c_int = 28;
pub const ESPIPE: ::core::ffi::c_int = 29;
pub const EROFS: ::core::ffi::c_int = 30;
pub const EMLINK: ::core::ffi::c_int = 31;
pub const EPIPE: ::core::ffi::c_int = 32;
pub const EDOM: ::core::ffi::c_int = 33;
pub const ERANGE: ::core::ffi::c_int = 34;
pub const EAGAIN: ::core::ffi::c_int = 35;
pub const EWOULDBLOCK: ::core::ffi::c_int = 35;
pub const EINPROGRESS: ::core::ffi::c_int = 36;
pub const EALREADY: ::core::ffi::c_int = 37;
pub const ENOTSOCK: ::core::ffi::c_int = 38;
pub const EDESTADDRREQ: ::core::ffi::c_int = 39;
pub const EMSGSIZE: ::core::ffi::c_int = 40;
pub const EPROTOTYPE: ::core::ffi::c_int = 41;
pub const ENOPROTOOPT: ::core::ffi::c_int = 42;
pub const EPROTONOSUPPORT: ::core::ffi::c_int = 43;
pub const ESOCKTNOSUPPORT: ::core::ffi::c_int = 44;
pub const EOPNOTSUPP: ::core::ffi::c_int = 45;
pub const ENOTSUP: ::core::ffi::c_int = 45;
pub const EPFNOSUPPORT: ::core::ffi::c_int = 46;
pub const EAFNOSUPPORT: ::core::ffi::c_int = 47;
pub const EADDRINUSE: ::core::ffi::c_int = 48;
pub const EADDRNOTAVAIL: ::core::ffi::c_int = 49;
pub const ENETDOWN: ::core::ffi::c_int = 50;
pub const ENETUNREACH: ::core::ffi::c_int = 51;
pub const ENETRESET: ::core::ffi::c_int = 52;
pub const ECONNABORTED: ::core::ffi::c_int = 53;
pub const ECONNRESET: ::core::ffi::c_int = 54;
pub const ENOBUFS: ::core::ffi::c_int = 55;
pub const EISCONN: ::core::ffi::c_int = 56;
pub const ENOTCONN: ::core::ffi::c_int = 57;
pub const ESHUTDOWN: ::core::ffi::c_int = 58;
pub const ETOOMANYREFS: ::core::ffi::c_int = 59;
pub const ETIMEDOUT: ::core::ffi::c_int = 60;
pub const ECONNREFUSED: ::core::ffi::c_int = 61;
pub const ELOOP: ::core::ffi::c_int = 62;
pub const ENAMETOOLONG: ::core::ffi::c_int = 63;
pub const EHOSTDOWN: ::core::ffi::c_int = 64;
pub const EHOSTUNREACH: ::core::ffi::c_int = 65;
pub const ENOTEMPTY: ::core::ffi::c_int = 66;
pub const EPROCLIM: ::core::ffi::c_int = 67;
pub const EUSERS: ::core::ffi::c_int = 68;
pub const EDQUOT: ::core::ffi::c_int = 69;
pub const ESTALE: ::core::ffi::c_int = 70;
pub const EREMOTE: ::core::ffi::c_int = 71;
pub const EBADRPC: ::core::ffi::c_int = 72;
pub const ERPCMISMATCH: ::core::ffi::c_int = 73;
pub const EPROGUNAVAIL: ::core::ffi::c_int = 74;
pub const EPROGMISMATCH: ::core::ffi::c_int = 75;
pub const EPROCUNAVAIL: ::core::ffi::c_int = 76;
pub const ENOLCK: ::core::ffi::c_int = 77;
pub const ENOSYS: ::core::ffi::c_int = 78;
pub const EFTYPE: ::core::ffi::c_int = 79;
pub const EAUTH: ::core::ffi::c_int = 80;
pub const ENEEDAUTH: ::core::ffi::c_int = 81;
pub const EIDRM: ::core::ffi::c_int = 82;
pub const ENOMSG: ::core::ffi::c_int = 83;
pub const EOVERFLOW: ::core::ffi::c_int = 84;
pub const ECANCELED: ::core::ffi::c_int = 85;
pub const EILSEQ: ::core::ffi::c_int = 86;
pub const ENOATTR: ::core::ffi::c_int = 87;
pub const EDOOFUS: ::core::ffi::c_int = 88;
pub const EBADMSG: ::core::ffi::c_int = 89;
pub const EMULTIHOP: ::core::ffi::c_int = 90;
pub const ENOLINK: ::core::ffi::c_int = 91;
pub const EPROTO: ::core::ffi::c_int = 92;
pub const ENOTCAPABLE: ::core::ffi::c_int = 93;
pub const ECAPMODE: ::core::ffi::c_int = 94;
pub const ENOTRECOVERABLE: ::core::ffi::c_int = 95;
pub const EOWNERDEAD: ::core::ffi::c_int = 96;
pub const EINTEGRITY: ::core::ffi::c_int = 97;
pub const ELAST: ::core::ffi::c_int = 97;
pub const EVFILT_READ: i16 = -1;
pub const EVFILT_WRITE: i16 = -2;
pub const EVFILT_PROC: i16 = -5;
pub const EVFILT_PROCDESC: i16 = -8;
pub const EVFILT_JAIL: i16 = -14;
pub const EVFILT_JAILDESC: i16 = -15;
pub const EV_ADD: u16 = 1;
pub const EV_DELETE: u16 = 2;
pub const EV_ENABLE: u16 = 4;
pub const EV_DISABLE: u16 = 8;
pub const EV_ONESHOT: u16 = 16;
pub const EV_CLEAR: u16 = 32;
pub const EV_RECEIPT: u16 = 64;
pub const EV_EOF: u16 = 32768;
pub const EV_ERROR: u16 = 16384;
pub const NOTE_JAIL_CHILD: u32 = 2147483648;
pub const NOTE_JAIL_SET: u32 = 1073741824;
pub const NOTE_JAIL_ATTACH: u32 = 536870912;
pub const NOTE_JAIL_REMOVE: u32 = 268435456;
pub const NOTE_JAIL_MULTI: u32 = 134217728;
pub const NOTE_JAIL_CTRLMASK: u32 = 4026531840;
pub const IOCPARM_SHIFT: ::core::ffi::c_ulong = 13;
pub const IOCPARM_MASK: ::core::ffi::c_ulong = 8191;
pub const IOCPARM_MAX: ::core::ffi::c_ulong = 8192;
pub const IOC_VOID: ::core::ffi::c_ulong = 536870912;
pub const IOC_OUT: ::core::ffi::c_ulong = 1073741824;
pub const IOC_IN: ::core::ffi::c_ulong = 2147483648;
pub const IOC_INOUT: ::core::ffi::c_ulong = 3221225472;
pub const IOC_DIRMASK: ::core::ffi::c_ulong = 3758096384;
pub const LINKER_UNLOAD_NORMAL: ::core::ffi::c_int = 0;
pub const LINKER_UNLOAD_FORCE: ::core::ffi::c_int = 1;
pub const MAXMODNAME: usize = 1024;
pub const MFSNAMELEN: usize = 16;
pub const MNAMELEN: usize = 1024;
pub const STATFS_VERSION: u32 = 538182936;
pub const MNT_RDONLY: u64 = 1;
pub const MNT_SYNCHRONOUS: u64 = 2;
pub const MNT_NOEXEC: u64 = 4;
pub const MNT_NOSUID: u64 = 8;
pub const MNT_NFS4ACLS: u64 = 16;
pub const MNT_UNION: u64 = 32;
pub const MNT_ASYNC: u64 = 64;
pub const MNT_SUIDDIR: u64 = 1048576;
pub const MNT_SOFTDEP: u64 = 2097152;
pub const MNT_NOSYMFOLLOW: u64 = 4194304;
pub const MNT_GJOURNAL: u64 = 33554432;
pub const MNT_MULTILABEL: u64 = 67108864;
pub const MNT_ACLS: u64 = 134217728;
pub const MNT_NOATIME: u64 = 268435456;
pub const MNT_NOCLUSTERR: u64 = 1073741824;
pub const MNT_NOCLUSTERW: u64 = 2147483648;
pub const MNT_SUJ: u64 = 4294967296;
pub const MNT_AUTOMOUNTED: u64 = 8589934592;
pub const MNT_UNTRUSTED: u64 = 34359738368;
pub const MNT_NAMEDATTR: u64 = 2199023255552;
pub const MNT_EXRDONLY: u64 = 128;
pub const MNT_EXPORTED: u64 = 256;
pub const MNT_DEFEXPORTED: u64 = 512;
pub const MNT_EXPORTANON: u64 = 1024;
pub const MNT_EXKERB: u64 = 2048;
pub const MNT_EXPUBLIC: u64 = 536870912;
pub const MNT_EXTLS: u64 = 274877906944;
pub const MNT_EXTLSCERT: u64 = 549755813888;
pub const MNT_EXTLSCERTUSER: u64 = 1099511627776;
pub const MNT_LOCAL: u64 = 4096;
pub const MNT_QUOTA: u64 = 8192;
pub const MNT_ROOTFS: u64 = 16384;
pub const MNT_USER: u64 = 32768;
pub const MNT_IGNORE: u64 = 8388608;
pub const MNT_VERIFIED: u64 = 17179869184;
pub const MNT_VISFLAGMASK: u64 = 2267724972031;
pub const MNT_UPDATEMASK: u64 = 46587215998;
pub const MNT_UPDATE: u64 = 65536;
pub const MNT_DELEXPORT: u64 = 131072;
pub const MNT_RELOAD: u64 = 262144;
pub const MNT_FORCE: u64 = 524288;
pub const MNT_SNAPSHOT: u64 = 16777216;
pub const MNT_NONBUSY: u64 = 67108864;
pub const MNT_BYFSID: u64 = 134217728;
pub const MNT_NOCOVER: u64 = 68719476736;
pub const MNT_EMPTYDIR: u64 = 137438953472;
pub const MNT_RECURSE: u64 = 17592186044416;
pub const MNT_DEFERRED: u64 = 35184372088832;
pub const MNT_CMDFLAGS: u64 = 52982935650304;
pub const MNT_WAIT: ::core::ffi::c_int = 1;
pub const MNT_NOWAIT: ::core::ffi::c_int = 2;
pub const MNT_LAZY: ::core::ffi::c_int = 3;
pub const MNT_SUSPEND: ::core::ffi::c_int = 4;
pub const SOCK_STREAM: ::core::ffi::c_int = 1;
pub const SOCK_DGRAM: ::core::ffi::c_int = 2;
pub const SOCK_RAW: ::core::ffi::c_int = 3;
pub const SOCK_RDM: ::core::ffi::c_int = 4;
pub const SOCK_SEQPACKET: ::core::ffi::c_int = 5;
pub const SOCK_CLOEXEC: ::core::ffi::c_int = 268435456;
pub const SOCK_NONBLOCK: ::core::ffi::c_int = 536870912;
pub const SOCK_CLOFORK: ::core::ffi::c_int = 1073741824;
pub const SO_DEBUG: ::core::ffi::c_int = 1;
pub const SO_ACCEPTCONN: ::core::ffi::c_int = 2;
pub const SO_REUSEADDR: ::core::ffi::c_int = 4;
pub const SO_KEEPALIVE: ::core::ffi::c_int = 8;
pub const SO_DONTROUTE: ::core::ffi::c_int = 16;
pub const SO_BROADCAST: ::core::ffi::c_int = 32;
pub const SO_USELOOPBACK: ::core::ffi::c_int = 64;
pub const SO_LINGER: ::core::ffi::c_int = 128;
pub const SO_OOBINLINE: ::core::ffi::c_int = 256;
pub const SO_REUSEPORT: ::core::ffi::c_int = 512;
pub const SO_TIMESTAMP: ::core::ffi::c_int = 1024;
pub const SO_NOSIGPIPE: ::core::ffi::c_int = 2048;
pub const SO_ACCEPTFILTER: ::core::ffi::c_int = 4096;
pub const SO_BINTIME: ::core::ffi::c_int = 8192;
pub const SO_NO_OFFLOAD: ::core::ffi::c_int = 16384;
pub const SO_NO_DDP: ::core::ffi::c_int = 32768;
pub const SO_REUSEPORT_LB: ::core::ffi::c_int = 65536;
pub const SO_RERROR: ::core::ffi::c_int = 131072;
pub const SO_SNDBUF: ::core::ffi::c_int = 4097;
pub const SO_RCVBUF: ::core::ffi::c_int = 4098;
pub const SO_SNDLOWAT: ::core::ffi::c_int = 4099;
pub const SO_RCVLOWAT: ::core::ffi::c_int = 4100;
pub const SO_SNDTIMEO: ::core::ffi::c_int = 4101;
pub const SO_RCVTIMEO: ::core::ffi::c_int = 4102;
pub const SO_ERROR: ::core::ffi::c_int = 4103;
pub const SO_TYPE: ::core::ffi::c_int = 4104;
pub const SO_LABEL: ::core::ffi::c_int = 4105;
pub const SO_PEERLABEL: ::core::ffi::c_int = 4112;
pub const SO_LISTENQLIMIT: ::core::ffi::c_int = 4113;
pub const SO_LISTENQLEN: ::core::ffi::c_int = 4114;
pub const SO_LISTENINCQLEN: ::core::ffi::c_int = 4115;
pub const SO_FIB: ::core::ffi::c_int = 4116;
pub const SO_SETFIB: ::core::ffi::c_int = 4116;
pub const SO_USER_COOKIE: ::core::ffi::c_int = 4117;
pub const SO_PROTOCOL: ::core::ffi::c_int = 4118;
pub const SO_PROTOTYPE: ::core::ffi::c_int = 4118;
pub const SO_TS_CLOCK: ::core::ffi::c_int = 4119;
pub const SO_MAX_PACING_RATE: ::core::ffi::c_int = 4120;
pub const SO_DOMAIN: ::core::ffi::c_int = 4121;
pub const SO_SPLICE: ::core::ffi::c_int = 4131;
pub const SO_TS_REALTIME_MICRO: ::core::ffi::c_int = 0;
pub const SO_TS_BINTIME: ::core::ffi::c_int = 1;
pub const SO_TS_REALTIME: ::core::ffi::c_int = 2;
pub const SO_TS_MONOTONIC: ::core::ffi::c_int = 3;
pub const SO_TS_DEFAULT: ::core::ffi::c_int = 0;
pub const SO_TS_CLOCK_MAX: ::core::ffi::c_int = 3;
pub const SO_VENDOR: u32 = 2147483648;
pub const SOL_SOCKET: ::core::ffi::c_int = 65535;
pub const AF_UNSPEC: ::core::ffi::c_int = 0;
pub const AF_LOCAL: ::core::ffi::c_int = 1;
pub const AF_UNIX: ::core::ffi::c_int = 1;
pub const AF_INET: ::core::ffi::c_int = 2;
pub const AF_IMPLINK: ::core::ffi::c_int = 3;
pub const AF_PUP: ::core::ffi::c_int = 4;
pub const AF_CHAOS: ::core::ffi::c_int = 5;
pub const AF_NETBIOS: ::core::ffi::c_int = 6;
pub const AF_ISO: ::core::ffi::c_int = 7;
pub const AF_OSI: ::core::ffi::c_int = 7;
pub const AF_ECMA: ::core::ffi::c_int = 8;
pub const AF_DATAKIT: ::core::ffi::c_int = 9;
pub const AF_CCITT: ::core::ffi::c_int = 10;
pub const AF_SNA: ::core::ffi::c_int = 11;
pub const AF_DECnet: ::core::ffi::c_int = 12;
pub const AF_DLI: ::core::ffi::c_int = 13;
pub const AF_LAT: ::core::ffi::c_int = 14;
pub const AF_HYLINK: ::core::ffi::c_int = 15;
pub const AF_APPLETALK: ::core::ffi::c_int = 16;
pub const AF_ROUTE: ::core::ffi::c_int = 17;
pub const AF_LINK: ::core::ffi::c_int = 18;
pub const AF_COIP: ::core::ffi::c_int = 20;
pub const AF_CNT: ::core::ffi::c_int = 21;
pub const AF_IPX: ::core::ffi::c_int = 23;
pub const AF_SIP: ::core::ffi::c_int = 24;
pub const AF_ISDN: ::core::ffi::c_int = 26;
pub const AF_E164: ::core::ffi::c_int = 26;
pub const AF_INET6: ::core::ffi::c_int = 28;
pub const AF_NATM: ::core::ffi::c_int = 29;
pub const AF_ATM: ::core::ffi::c_int = 30;
pub const AF_NETGRAPH: ::core::ffi::c_int = 32;
pub const AF_SLOW: ::core::ffi::c_int = 33;
pub const AF_SCLUSTER: ::core::ffi::c_int = 34;
pub const AF_ARP: ::core::ffi::c_int = 35;
pub const AF_BLUETOOTH: ::core::ffi::c_int = 36;
pub const AF_IEEE80211: ::core::ffi::c_int = 37;
pub const AF_NETLINK: ::core::ffi::c_int = 38;
pub const AF_INET_SDP: ::core::ffi::c_int = 40;
pub const AF_INET6_SDP: ::core::ffi::c_int = 42;
pub const AF_HYPERV: ::core::ffi::c_int = 43;
pub const AF_DIVERT: ::core::ffi::c_int = 44;
pub const AF_IPFWLOG: ::core::ffi::c_int = 46;
pub const AF_MAX: ::core::ffi::c_int = 46;
pub const AF_VENDOR00: ::core::ffi::c_int = 39;
pub const AF_VENDOR01: ::core::ffi::c_int = 41;
pub const AF_VENDOR03: ::core::ffi::c_int = 45;
pub const AF_VENDOR04: ::core::ffi::c_int = 47;
pub const AF_VENDOR05: ::core::ffi::c_int = 49;
pub const AF_VENDOR06: ::core::ffi::c_int = 51;
pub const AF_VENDOR07: ::core::ffi::c_int = 53;
pub const AF_VENDOR08: ::core::ffi::c_int = 55;
pub const AF_VENDOR09: ::core::ffi::c_int = 57;
pub const AF_VENDOR10: ::core::ffi::c_int = 59;
pub const AF_VENDOR11: ::core::ffi::c_int = 61;
pub const AF_VENDOR12: ::core::ffi::c_int = 63;
pub const AF_VENDOR13: ::core::ffi::c_int = 65;
pub const AF_VENDOR14: ::core::ffi::c_int = 67;
pub const AF_VENDOR15: ::core::ffi::c_int = 69;
pub const AF_VENDOR16: ::core::ffi::c_int = 71;
pub const AF_VENDOR17: ::core::ffi::c_int = 73;
pub const AF_VENDOR18: ::core::ffi::c_int = 75;
pub const AF_VENDOR19: ::core::ffi::c_int = 77;
pub const AF_VENDOR20: ::core::ffi::c_int = 79;
pub const AF_VENDOR21: ::core::ffi::c_int = 81;
pub const AF_VENDOR22: ::core::ffi::c_int = 83;
pub const AF_VENDOR23: ::core::ffi::c_int = 85;
pub const AF_VENDOR24: ::core::ffi::c_int = 87;
pub const AF_VENDOR25: ::core::ffi::c_int = 89;
pub const AF_VENDOR26: ::core::ffi::c_int = 91;
pub const AF_VENDOR27: ::core::ffi::c_int = 93;
pub const AF_VENDOR28: ::core::ffi::c_int = 95;
pub const AF_VENDOR29: ::core::ffi::c_int = 97;
pub const AF_VENDOR30: ::core::ffi::c_int = 99;
pub const AF_VENDOR31: ::core::ffi::c_int = 101;
pub const AF_VENDOR32: ::core::ffi::c_int = 103;
pub const AF_VENDOR33: ::core::ffi::c_int = 105;
pub const AF_VENDOR34: ::core::ffi::c_int = 107;
pub const AF_VENDOR35: ::core::ffi::c_int = 109;
pub const AF_VENDOR36: ::core::ffi::c_int = 111;
pub const AF_VENDOR37: ::core::ffi::c_int = 113;
pub const AF_VENDOR38: ::core::ffi::c_int = 115;
pub const AF_VENDOR39: ::core::ffi::c_int = 117;
pub const AF_VENDOR40: ::core::ffi::c_int = 119;
pub const AF_VENDOR41: ::core::ffi::c_int = 121;
pub const AF_VENDOR42: ::core::ffi::c_int = 123;
pub const AF_VENDOR43: ::core::ffi::c_int = 125;
pub const AF_VENDOR44: ::core::ffi::c_int = 127;
pub const AF_VENDOR45: ::core::ffi::c_int = 129;
pub const AF_VENDOR46: ::core::ffi::c_int = 131;
pub const AF_VENDOR47: ::core::ffi::c_int = 133;
pub const SOCK_MAXADDRLEN: ::core::ffi::c_int = 255;
pub const PF_UNSPEC: ::core::ffi::c_int = 0;
pub const PF_LOCAL: ::core::ffi::c_int = 1;
pub const PF_UNIX: ::core::ffi::c_int = 1;
pub const PF_INET: ::core::ffi::c_int = 2;
pub const PF_IMPLINK: ::core::ffi::c_int = 3;
pub const PF_PUP: ::core::ffi::c_int = 4;
pub const PF_CHAOS: ::core::ffi::c_int = 5;
pub const PF_NETBIOS: ::core::ffi::c_int = 6;
pub const PF_ISO: ::core::ffi::c_int = 7;
pub const PF_OSI: ::core::ffi::c_int = 7;
pub const PF_ECMA: ::core::ffi::c_int = 8;
pub const PF_DATAKIT: ::core::ffi::c_int = 9;
pub const PF_CCITT: ::core::ffi::c_int = 10;
pub const PF_SNA: ::core::ffi::c_int = 11;
pub const PF_DECnet: ::core::ffi::c_int = 12;
pub const PF_DLI: ::core::ffi::c_int = 13;
pub const PF_LAT: ::core::ffi::c_int = 14;
pub const PF_HYLINK: ::core::ffi::c_int = 15;
pub const PF_APPLETALK: ::core::ffi::c_int = 16;
pub const PF_ROUTE: ::core::ffi::c_int = 17;
pub const PF_LINK: ::core::ffi::c_int = 18;
pub const PF_XTP: ::core::ffi::c_int = 19;
pub const PF_COIP: ::core::ffi::c_int = 20;
pub const PF_CNT: ::core::ffi::c_int = 21;
pub const PF_SIP: ::core::ffi::c_int = 24;
pub const PF_IPX: ::core::ffi::c_int = 23;
pub const PF_RTIP: ::core::ffi::c_int = 22;
pub const PF_PIP: ::core::ffi::c_int = 25;
pub const PF_ISDN: ::core::ffi::c_int = 26;
pub const PF_KEY: ::core::ffi::c_int = 27;
pub const PF_INET6: ::core::ffi::c_int = 28;
pub const PF_NATM: ::core::ffi::c_int = 29;
pub const PF_ATM: ::core::ffi::c_int = 30;
pub const PF_NETGRAPH: ::core::ffi::c_int = 32;
pub const PF_SLOW: ::core::ffi::c_int = 33;
pub const PF_SCLUSTER: ::core::ffi::c_int = 34;
pub const PF_ARP: ::core::ffi::c_int = 35;
pub const PF_BLUETOOTH: ::core::ffi::c_int = 36;
pub const PF_IEEE80211: ::core::ffi::c_int = 37;
pub const PF_NETLINK: ::core::ffi::c_int = 38;
pub const PF_INET_SDP: ::core::ffi::c_int = 40;
pub const PF_INET6_SDP: ::core::ffi::c_int = 42;
pub const PF_DIVERT: ::core::ffi::c_int = 44;
pub const PF_IPFWLOG: ::core::ffi::c_int = 46;
pub const PF_MAX: ::core::ffi::c_int = 46;
pub const NET_RT_DUMP: ::core::ffi::c_int = 1;
pub const NET_RT_FLAGS: ::core::ffi::c_int = 2;
pub const NET_RT_IFLIST: ::core::ffi::c_int = 3;
pub const NET_RT_IFMALIST: ::core::ffi::c_int = 4;
pub const NET_RT_IFLISTL: ::core::ffi::c_int = 5;
pub const NET_RT_NHOP: ::core::ffi::c_int = 6;
pub const NET_RT_NHGRP: ::core::ffi::c_int = 7;
pub const SCM_RIGHTS: ::core::ffi::c_int = 1;
pub const SYS_unmount: ::core::ffi::c_int = 22;
pub const SYS_setfib: ::core::ffi::c_int = 175;
pub const SYS_modnext: ::core::ffi::c_int = 300;
pub const SYS_modstat: ::core::ffi::c_int = 301;
pub const SYS_modfnext: ::core::ffi::c_int = 302;
pub const SYS_modfind: ::core::ffi::c_int = 303;
pub const SYS_kldload: ::core::ffi::c_int = 304;
pub const SYS_kldunload: ::core::ffi::c_int = 305;
pub const SYS_kldfind: ::core::ffi::c_int = 306;
pub const SYS_kldnext: ::core::ffi::c_int = 307;
pub const SYS_kldstat: ::core::ffi::c_int = 308;
pub const SYS_kldfirstmod: ::core::ffi::c_int = 309;
pub const SYS_kldsym: ::core::ffi::c_int = 337;
pub const SYS_jail: ::core::ffi::c_int = 338;
pub const SYS_kqueue: ::core::ffi::c_int = 362;
pub const SYS_nmount: ::core::ffi::c_int = 378;
pub const SYS_jail_attach: ::core::ffi::c_int = 436;
pub const SYS_kldunloadf: ::core::ffi::c_int = 444;
pub const SYS_jail_get: ::core::ffi::c_int = 506;
pub const SYS_jail_set: ::core::ffi::c_int = 507;
pub const SYS_jail_remove: ::core::ffi::c_int = 508;
pub const SYS_pdfork: ::core::ffi::c_int = 518;
pub const SYS_procctl: ::core::ffi::c_int = 544;
pub const SYS_getfsstat: ::core::ffi::c_int = 557;
pub const SYS_kevent: ::core::ffi::c_int = 560;
pub const SYS_exterrctl: ::core::ffi::c_int = 592;
pub const SYS_jail_attach_jd: ::core::ffi::c_int = 597;
pub const SYS_jail_remove_jd: ::core::ffi::c_int = 598;
pub const CTL_MAXNAME: ::core::ffi::c_int = 24;
pub const CTL_SYSCTL: ::core::ffi::c_int = 0;
pub const CTL_KERN: ::core::ffi::c_int = 1;
pub const CTL_VM: ::core::ffi::c_int = 2;
pub const CTL_VFS: ::core::ffi::c_int = 3;
pub const CTL_NET: ::core::ffi::c_int = 4;
pub const CTL_DEBUG: ::core::ffi::c_int = 5;
pub const CTL_HW: ::core::ffi::c_int = 6;
pub const CTL_MACHDEP: ::core::ffi::c_int = 7;
pub const CTL_USER: ::core::ffi::c_int = 8;
pub const CTL_SYSCTL_DEBUG: ::core::ffi::c_int = 0;
pub const CTL_SYSCTL_NAME: ::core::ffi::c_int = 1;
pub const CTL_SYSCTL_NEXT: ::core::ffi::c_int = 2;
pub const CTL_SYSCTL_NAME2OID: ::core::ffi::c_int = 3;
pub const CTL_SYSCTL_OIDFMT: ::core::ffi::c_int = 4;
pub const CTL_SYSCTL_OIDDESCR: ::core::ffi::c_int = 5;
pub const CTL_SYSCTL_OIDLABEL: ::core::ffi::c_int = 6;
pub const CTL_SYSCTL_NEXTNOSKIP: ::core::ffi::c_int = 7;
pub const JAIL_API_VERSION: u32 = 2;
pub const XPRISON_VERSION: ::core::ffi::c_int = 3;
pub const JAIL_CREATE: ::core::ffi::c_int = 1;
pub const JAIL_UPDATE: ::core::ffi::c_int = 2;
pub const JAIL_ATTACH: ::core::ffi::c_int = 4;
pub const JAIL_DYING: ::core::ffi::c_int = 8;
pub const JAIL_USE_DESC: ::core::ffi::c_int = 16;
pub const JAIL_AT_DESC: ::core::ffi::c_int = 32;
pub const JAIL_GET_DESC: ::core::ffi::c_int = 64;
pub const JAIL_OWN_DESC: ::core::ffi::c_int = 128;
pub const JAIL_SET_MASK: ::core::ffi::c_int = 255;
pub const JAIL_GET_MASK: ::core::ffi::c_int = 248;
pub const JAIL_SYS_DISABLE: ::core::ffi::c_int = 0;
pub const JAIL_SYS_NEW: ::core::ffi::c_int = 1;
pub const JAIL_SYS_INHERIT: ::core::ffi::c_int = 2;
pub const HOSTUUIDLEN: usize = 64;
pub const OSRELEASELEN: usize = 32;
pub const JAIL_META_PRIVATE: &[u8; 5] = b"meta\0";
pub const JAIL_META_SHARED: &[u8; 4] = b"env\0";
pub const EXTERR_CAT_MMAP: u32 = 1;
pub const EXTERR_CAT_FILEDESC: u32 = 2;
pub const EXTERR_KTRACE: u32 = 3;
pub const EXTERR_CAT_FUSE: u32 = 4;
pub const EXTERR_CAT_INOTIFY: u32 = 5;
pub const EXTERR_CAT_GENIO: u32 = 6;
pub const EXTERR_CAT_BRIDGE: u32 = 7;
pub const EXTERR_CAT_SWAP: u32 = 8;
pub const EXTERR_CAT_VFSSYSCALL: u32 = 9;
pub const UEXTERROR_MAXLEN: usize = 256;
pub const UEXTERROR_VER: u32 = 268500994;
pub const EXTERRCTL_ENABLE: u32 = 1;
pub const EXTERRCTL_DISABLE: u32 = 2;
pub const EXTERRCTL_UD: u32 = 3;
pub const EXTERRCTLF_FORCE: u32 = 1;
pub const IF_NAMESIZE: usize = 16;
pub const IFNAMSIZ: usize = 16;
pub const IF_MAXUNIT: ::core::ffi::c_int = 32767;
pub const IFF_UP: ::core::ffi::c_int = 1;
pub const IFF_BROADCAST: ::core::ffi::c_int = 2;
pub const IFF_DEBUG: ::core::ffi::c_int = 4;
pub const IFF_LOOPBACK: ::core::ffi::c_int = 8;
pub const IFF_POINTOPOINT: ::core::ffi::c_int = 16;
pub const IFF_NEEDSEPOCH: ::core::ffi::c_int = 32;
pub const IFF_DRV_RUNNING: ::core::ffi::c_int = 64;
pub const IFF_NOARP: ::core::ffi::c_int = 128;
pub const IFF_PROMISC: ::core::ffi::c_int = 256;
pub const IFF_ALLMULTI: ::core::ffi::c_int = 512;
pub const IFF_DRV_OACTIVE: ::core::ffi::c_int = 1024;
pub const IFF_SIMPLEX: ::core::ffi::c_int = 2048;
pub const IFF_LINK0: ::core::ffi::c_int = 4096;
pub const IFF_LINK1: ::core::ffi::c_int = 8192;
pub const IFF_LINK2: ::core::ffi::c_int = 16384;
pub const IFF_ALTPHYS: ::core::ffi::c_int = 16384;
pub const IFF_MULTICAST: ::core::ffi::c_int = 32768;
pub const IFF_CANTCONFIG: ::core::ffi::c_int = 65536;
pub const IFF_PPROMISC: ::core::ffi::c_int = 131072;
pub const IFF_MONITOR: ::core::ffi::c_int = 262144;
pub const IFF_STATICARP: ::core::ffi::c_int = 524288;
pub const IFF_STICKYARP: ::core::ffi::c_int = 1048576;
pub const IFF_DYING: ::core::ffi::c_int = 2097152;
pub const IFF_RENAMING: ::core::ffi::c_int = 4194304;
pub const IFF_PALLMULTI: ::core::ffi::c_int = 8388608;
pub const IFF_NETLINK_1: ::core::ffi::c_int = 16777216;
pub const IFF_RUNNING: ::core::ffi::c_int = 64;
pub const IFF_OACTIVE: ::core::ffi::c_int = 1024;
pub const IFF_CANTCHANGE: ::core::ffi::c_int = 2199410;
pub const LINK_STATE_UNKNOWN: u8 = 0;
pub const LINK_STATE_DOWN: u8 = 1;
pub const LINK_STATE_UP: u8 = 2;
pub const IFCAP_B_RXCSUM: ::core::ffi::c_int = 0;
pub const IFCAP_B_TXCSUM: ::core::ffi::c_int = 1;
pub const IFCAP_B_NETCONS: ::core::ffi::c_int = 2;
pub const IFCAP_B_VLAN_MTU: ::core::ffi::c_int = 3;
pub const IFCAP_B_VLAN_HWTAGGING: ::core::ffi::c_int = 4;
pub const IFCAP_B_JUMBO_MTU: ::core::ffi::c_int = 5;
pub const IFCAP_B_POLLING: ::core::ffi::c_int = 6;
pub const IFCAP_B_VLAN_HWCSUM: ::core::ffi::c_int = 7;
pub const IFCAP_B_TSO4: ::core::ffi::c_int = 8;
pub const IFCAP_B_TSO6: ::core::ffi::c_int = 9;
pub const IFCAP_B_LRO: ::core::ffi::c_int = 10;
pub const IFCAP_B_WOL_UCAST: ::core::ffi::c_int = 11;
pub const IFCAP_B_WOL_MCAST: ::core::ffi::c_int = 12;
pub const IFCAP_B_WOL_MAGIC: ::core::ffi::c_int = 13;
pub const IFCAP_B_TOE4: ::core::ffi::c_int = 14;
pub const IFCAP_B_TOE6: ::core::ffi::c_int = 15;
pub const IFCAP_B_VLAN_HWFILTER: ::core::ffi::c_int = 16;
pub const IFCAP_B_NV: ::core::ffi::c_int = 17;
pub const IFCAP_B_VLAN_HWTSO: ::core::ffi::c_int = 18;
pub const IFCAP_B_LINKSTATE: ::core::ffi::c_int = 19;
pub const IFCAP_B_NETMAP: ::core::ffi::c_int = 20;
pub const IFCAP_B_RXCSUM_IPV6: ::core::ffi::c_int = 21;
pub const IFCAP_B_TXCSUM_IPV6: ::core::ffi::c_int = 22;
pub const IFCAP_B_HWSTATS: ::core::ffi::c_int = 23;
pub const IFCAP_B_TXRTLMT: ::core::ffi::c_int = 24;
pub const IFCAP_B_HWRXTSTMP: ::core::ffi::c_int = 25;
pub const IFCAP_B_MEXTPG: ::core::ffi::c_int = 26;
pub const IFCAP_B_TXTLS4: ::core::ffi::c_int = 27;
pub const IFCAP_B_TXTLS6: ::core::ffi::c_int = 28;
pub const IFCAP_B_VXLAN_HWCSUM: ::core::ffi::c_int = 29;
pub const IFCAP_B_VXLAN_HWTSO: ::core::ffi::c_int = 30;
pub const IFCAP_B_TXTLS_RTLMT: ::core::ffi::c_int = 31;
pub const IFCAP_B_RXTLS4: ::core::ffi::c_int = 32;
pub const IFCAP_B_RXTLS6: ::core::ffi::c_int = 33;
pub const IFCAP_B_IPSEC_OFFLOAD: ::core::ffi::c_int = 34;
pub const IFCAP_B_SIZE: ::core::ffi::c_int = 35;
pub const IFCAP_RXCSUM: ::core::ffi::c_int = 1;
pub const IFCAP_TXCSUM: ::core::ffi::c_int = 2;
pub const IFCAP_NETCONS: ::core::ffi::c_int = 4;
pub const IFCAP_VLAN_MTU: ::core::ffi::c_int = 8;
pub const IFCAP_VLAN_HWTAGGING: ::core::ffi::c_int = 16;
pub const IFCAP_JUMBO_MTU: ::core::ffi::c_int = 32;
pub const IFCAP_POLLING: ::core::ffi::c_int = 64;
pub const IFCAP_VLAN_HWCSUM: ::core::ffi::c_int = 128;
pub const IFCAP_TSO4: ::core::ffi::c_int = 256;
pub const IFCAP_TSO6: ::core::ffi::c_int = 512;
pub const IFCAP_LRO: ::core::ffi::c_int = 1024;
pub const IFCAP_WOL_UCAST: ::core::ffi::c_int = 2048;
pub const IFCAP_WOL_MCAST: ::core::ffi::c_int = 4096;
pub const IFCAP_WOL_MAGIC: ::core::ffi::c_int = 8192;
pub const IFCAP_TOE4: ::core::ffi::c_int = 16384;
pub const IFCAP_TOE6: ::core::ffi::c_int = 32768;
pub const IFCAP_VLAN_HWFILTER: ::core::ffi::c_int = 65536;
pub const IFCAP_NV: ::core::ffi::c_int = 131072;
pub const IFCAP_VLAN_HWTSO: ::core::ffi::c_int = 262144;
pub const IFCAP_LINKSTATE: ::core::ffi::c_int = 524288;
pub const IFCAP_NETMAP: ::core::ffi::c_int = 1048576;
pub const IFCAP_RXCSUM_IPV6: ::core::ffi::c_int = 2097152;
pub const IFCAP_TXCSUM_IPV6: ::core::ffi::c_int = 4194304;
pub const IFCAP_HWSTATS: ::core::ffi::c_int = 8388608;
pub const IFCAP_TXRTLMT: ::core::ffi::c_int = 16777216;
pub const IFCAP_HWRXTSTMP: ::core::ffi::c_int = 33554432;
pub const IFCAP_MEXTPG: ::core::ffi::c_int = 67108864;
pub const IFCAP_TXTLS4: ::core::ffi::c_int = 134217728;
pub const IFCAP_TXTLS6: ::core::ffi::c_int = 268435456;
pub const IFCAP_VXLAN_HWCSUM: ::core::ffi::c_int = 536870912;
pub const IFCAP_VXLAN_HWTSO: ::core::ffi::c_int = 1073741824;
pub const IFCAP_TXTLS_RTLMT: ::core::ffi::c_int = -2147483648;
pub const IFCAP2_RXTLS4: ::core::ffi::c_int = 0;
pub const IFCAP2_RXTLS6: ::core::ffi::c_int = 1;
pub const IFCAP2_IPSEC_OFFLOAD: ::core::ffi::c_int = 2;
pub const IFCAP_HWCSUM_IPV6: ::core::ffi::c_int = 6291456;
pub const IFCAP_HWCSUM: ::core::ffi::c_int = 3;
pub const IFCAP_TSO: ::core::ffi::c_int = 768;
pub const IFCAP_WOL: ::core::ffi::c_int = 14336;
pub const IFCAP_TOE: ::core::ffi::c_int = 49152;
pub const IFCAP_TXTLS: ::core::ffi::c_int = 402653184;
pub const IFCAP_CANTCHANGE: ::core::ffi::c_int = 1179648;
pub const IFCAP_ALLCAPS: u32 = 4294967295;
pub const IFAN_ARRIVAL: ::core::ffi::c_int = 0;
pub const IFAN_DEPARTURE: ::core::ffi::c_int = 1;
pub const IFR_CAP_NV_MAXBUFSIZE: ::core::ffi::c_int = 2097152;
pub const IFSTATMAX: usize = 800;
pub const IFG_ALL: &[u8; 4] = b"all\0";
pub const IFG_EGRESS: &[u8; 7] = b"egress\0";
pub const RSS_KEYLEN: usize = 128;
pub const IFNET_PCP_NONE: u8 = 255;
pub const IFDR_MSG_SIZE: usize = 64;
pub const IFMIB_SYSTEM: ::core::ffi::c_int = 1;
pub const IFMIB_IFDATA: ::core::ffi::c_int = 2;
pub const IFDATA_GENERAL: ::core::ffi::c_int = 1;
pub const IFDATA_LINKSPECIFIC: ::core::ffi::c_int = 2;
pub const IFDATA_DRIVERNAME: ::core::ffi::c_int = 3;
pub const IFMIB_IFCOUNT: ::core::ffi::c_int = 1;
pub const NETLINK_GENERIC: ::core::ffi::c_int = 0;
pub const BSTP_IFSTATE_DISABLED: u8 = 0;
pub const BSTP_IFSTATE_LISTENING: u8 = 1;
pub const BSTP_IFSTATE_LEARNING: u8 = 2;
pub const BSTP_IFSTATE_FORWARDING: u8 = 3;
pub const BSTP_IFSTATE_BLOCKING: u8 = 4;
pub const BSTP_IFSTATE_DISCARDING: u8 = 5;
pub const BSTP_ROLE_DISABLED: u8 = 0;
pub const BSTP_ROLE_ROOT: u8 = 1;
pub const BSTP_ROLE_DESIGNATED: u8 = 2;
pub const BSTP_ROLE_ALTERNATE: u8 = 3;
pub const BSTP_ROLE_BACKUP: u8 = 4;
pub const ETHER_ADDR_LEN: usize = 6;
pub const ETHERTYPE_VLAN: u16 = 33024;
pub const ETHERTYPE_QINQ: u16 = 34984;
pub const BRDGADD: ::core::ffi::c_ulong = 0;
pub const BRDGDEL: ::core::ffi::c_ulong = 1;
pub const BRDGGIFFLGS: ::core::ffi::c_ulong = 2;
pub const BRDGSIFFLGS: ::core::ffi::c_ulong = 3;
pub const BRDGSCACHE: ::core::ffi::c_ulong = 4;
pub const BRDGGCACHE: ::core::ffi::c_ulong = 5;
pub const BRDGGIFS: ::core::ffi::c_ulong = 6;
pub const BRDGRTS: ::core::ffi::c_ulong = 7;
pub const BRDGSADDR: ::core::ffi::c_ulong = 8;
pub const BRDGSTO: ::core::ffi::c_ulong = 9;
pub const BRDGGTO: ::core::ffi::c_ulong = 10;
pub const BRDGDADDR: ::core::ffi::c_ulong = 11;
pub const BRDGFLUSH: ::core::ffi::c_ulong = 12;
pub const BRDGGPRI: ::core::ffi::c_ulong = 13;
pub const BRDGSPRI: ::core::ffi::c_ulong = 14;
pub const BRDGGHT: ::core::ffi::c_ulong = 15;
pub const BRDGSHT: ::core::ffi::c_ulong = 16;
pub const BRDGGFD: ::core::ffi::c_ulong = 17;
pub const BRDGSFD: ::core::ffi::c_ulong = 18;
pub const BRDGGMA: ::core::ffi::c_ulong = 19;
pub const BRDGSMA: ::core::ffi::c_ulong = 20;
pub const BRDGSIFPRIO: ::core::ffi::c_ulong = 21;
pub const BRDGSIFCOST: ::core::ffi::c_ulong = 22;
pub const BRDGADDS: ::core::ffi::c_ulong = 23;
pub const BRDGDELS: ::core::ffi::c_ulong = 24;
pub const BRDGPARAM: ::core::ffi::c_ulong = 25;
pub const BRDGGRTE: ::core::ffi::c_ulong = 26;
pub const BRDGGIFSSTP: ::core::ffi::c_ulong = 27;
pub const BRDGSPROTO: ::core::ffi::c_ulong = 28;
pub const BRDGSTXHC: ::core::ffi::c_ulong = 29;
pub const BRDGSIFAMAX: ::core::ffi::c_ulong = 30;
pub const BRDGSIFPVID: ::core::ffi::c_ulong = 31;
pub const BRDGSIFVLANSET: ::core::ffi::c_ulong = 32;
pub const BRDGGIFVLANSET: ::core::ffi::c_ulong = 33;
pub const BRDGGFLAGS: ::core::ffi::c_ulong = 34;
pub const BRDGSFLAGS: ::core::ffi::c_ulong = 35;
pub const BRDGGDEFPVID: ::core::ffi::c_ulong = 36;
pub const BRDGSDEFPVID: ::core::ffi::c_ulong = 37;
pub const BRDGSIFVLANPROTO: ::core::ffi::c_ulong = 38;
pub const IFBRF_VLANFILTER: u32 = 1;
pub const IFBRF_DEFQINQ: u32 = 2;
pub const IFBIF_LEARNING: u32 = 1;
pub const IFBIF_DISCOVER: u32 = 2;
pub const IFBIF_STP: u32 = 4;
pub const IFBIF_SPAN: u32 = 8;
pub const IFBIF_STICKY: u32 = 16;
pub const IFBIF_BSTP_EDGE: u32 = 32;
pub const IFBIF_BSTP_AUTOEDGE: u32 = 64;
pub const IFBIF_BSTP_PTP: u32 = 128;
pub const IFBIF_BSTP_AUTOPTP: u32 = 256;
pub const IFBIF_BSTP_ADMEDGE: u32 = 512;
pub const IFBIF_BSTP_ADMCOST: u32 = 1024;
pub const IFBIF_PRIVATE: u32 = 2048;
pub const IFBIF_QINQ: u32 = 4096;
pub const IFBIFMASK: ::core::ffi::c_int = -2017;
pub const IFBF_FLUSHDYN: u32 = 0;
pub const IFBF_FLUSHALL: u32 = 1;
pub const IFBAF_TYPEMASK: u8 = 3;
pub const IFBAF_DYNAMIC: u8 = 0;
pub const IFBAF_STATIC: u8 = 1;
pub const IFBAF_STICKY: u8 = 2;
pub const BRVLAN_SETSIZE: usize = 4096;
pub const BRDG_VLAN_OP_SET: u8 = 1;
pub const BRDG_VLAN_OP_ADD: u8 = 2;
pub const BRDG_VLAN_OP_DEL: u8 = 3;
pub const RTM_RTTUNIT: u32 = 1000000;
pub const RT_DEFAULT_WEIGHT: ::core::ffi::c_int = 1;
pub const RT_MAX_WEIGHT: ::core::ffi::c_int = 16777215;
pub const RT_DEFAULT_FIB: ::core::ffi::c_int = 0;
pub const RT_ALL_FIBS: ::core::ffi::c_int = -1;
pub const RTF_UP: ::core::ffi::c_int = 1;
pub const RTF_GATEWAY: ::core::ffi::c_int = 2;
pub const RTF_HOST: ::core::ffi::c_int = 4;
pub const RTF_REJECT: ::core::ffi::c_int = 8;
pub const RTF_DYNAMIC: ::core::ffi::c_int = 16;
pub const RTF_MODIFIED: ::core::ffi::c_int = 32;
pub const RTF_DONE: ::core::ffi::c_int = 64;
pub const RTF_XRESOLVE: ::core::ffi::c_int = 512;
pub const RTF_LLINFO: ::core::ffi::c_int = 1024;
pub const RTF_LLDATA: ::core::ffi::c_int = 1024;
pub const RTF_STATIC: ::core::ffi::c_int = 2048;
pub const RTF_BLACKHOLE: ::core::ffi::c_int = 4096;
pub const RTF_PROTO2: ::core::ffi::c_int = 16384;
pub const RTF_PROTO1: ::core::ffi::c_int = 32768;
pub const RTF_PROTO3: ::core::ffi::c_int = 262144;
pub const RTF_FIXEDMTU: ::core::ffi::c_int = 524288;
pub const RTF_PINNED: ::core::ffi::c_int = 1048576;
pub const RTF_LOCAL: ::core::ffi::c_int = 2097152;
pub const RTF_BROADCAST: ::core::ffi::c_int = 4194304;
pub const RTF_MULTICAST: ::core::ffi::c_int = 8388608;
pub const RTF_STICKY: ::core::ffi::c_int = 268435456;
pub const RTF_GWFLAG_COMPAT: u32 = 2147483648;
pub const RTF_FMASK: ::core::ffi::c_int = 268752904;
pub const RTM_VERSION: u8 = 5;
pub const RTM_ADD: u8 = 1;
pub const RTM_DELETE: u8 = 2;
pub const RTM_CHANGE: u8 = 3;
pub const RTM_GET: u8 = 4;
pub const RTM_LOSING: u8 = 5;
pub const RTM_REDIRECT: u8 = 6;
pub const RTM_MISS: u8 = 7;
pub const RTM_LOCK: u8 = 8;
pub const RTM_RESOLVE: u8 = 11;
pub const RTM_NEWADDR: u8 = 12;
pub const RTM_DELADDR: u8 = 13;
pub const RTM_IFINFO: u8 = 14;
pub const RTM_NEWMADDR: u8 = 15;
pub const RTM_DELMADDR: u8 = 16;
pub const RTM_IFANNOUNCE: u8 = 17;
pub const RTM_IEEE80211: u8 = 18;
pub const RTM_IPFWLOG: u8 = 19;
pub const RTV_MTU: ::core::ffi::c_ulong = 1;
pub const RTV_HOPCOUNT: ::core::ffi::c_ulong = 2;
pub const RTV_EXPIRE: ::core::ffi::c_ulong = 4;
pub const RTV_RPIPE: ::core::ffi::c_ulong = 8;
pub const RTV_SPIPE: ::core::ffi::c_ulong = 16;
pub const RTV_SSTHRESH: ::core::ffi::c_ulong = 32;
pub const RTV_RTT: ::core::ffi::c_ulong = 64;
pub const RTV_RTTVAR: ::core::ffi::c_ulong = 128;
pub const RTV_WEIGHT: ::core::ffi::c_ulong = 256;
pub const RTA_DST: ::core::ffi::c_int = 1;
pub const RTA_GATEWAY: ::core::ffi::c_int = 2;
pub const RTA_NETMASK: ::core::ffi::c_int = 4;
pub const RTA_GENMASK: ::core::ffi::c_int = 8;
pub const RTA_IFP: ::core::ffi::c_int = 16;
pub const RTA_IFA: ::core::ffi::c_int = 32;
pub const RTA_AUTHOR: ::core::ffi::c_int = 64;
pub const RTA_BRD: ::core::ffi::c_int = 128;
pub const RTAX_DST: ::core::ffi::c_int = 0;
pub const RTAX_GATEWAY: ::core::ffi::c_int = 1;
pub const RTAX_NETMASK: ::core::ffi::c_int = 2;
pub const RTAX_GENMASK: ::core::ffi::c_int = 3;
pub const RTAX_IFP: ::core::ffi::c_int = 4;
pub const RTAX_IFA: ::core::ffi::c_int = 5;
pub const RTAX_AUTHOR: ::core::ffi::c_int = 6;
pub const RTAX_BRD: ::core::ffi::c_int = 7;
pub const RTAX_MAX: ::core::ffi::c_int = 8;
pub const IPPROTO_IP: ::core::ffi::c_int = 0;
pub const IPPROTO_ICMP: ::core::ffi::c_int = 1;
pub const IPPROTO_TCP: ::core::ffi::c_int = 6;
pub const IPPROTO_UDP: ::core::ffi::c_int = 17;
pub const IPPROTO_IPV6: ::core::ffi::c_int = 41;
pub const IPPROTO_RAW: ::core::ffi::c_int = 255;
pub const IPPROTO_ICMPV6: ::core::ffi::c_int = 58;
pub const IP_FW3: ::core::ffi::c_int = 48;
pub const PF_POOL_STICKYADDR: u8 = 32;
pub const PF_TABLE_NAME_SIZE: usize = 32;
pub const PF_ANCHOR_NAME_SIZE: usize = 64;
pub const PF_RULE_LABEL_SIZE: usize = 64;
pub const PF_STATE_NORMAL: u8 = 1;
pub const PF_PRIO_ZERO: u8 = 255;
pub const PF_PRIO_MAX: u8 = 7;
pub const PFR_TFLAG_PERSIST: u32 = 1;
pub const PFR_TFLAG_CONST: u32 = 2;
pub const PFR_TFLAG_ACTIVE: u32 = 4;
pub const PFR_TFLAG_INACTIVE: u32 = 8;
pub const PFR_TFLAG_REFERENCED: u32 = 16;
pub const PFR_TFLAG_REFDANCHOR: u32 = 32;
pub const PFR_TFLAG_COUNTERS: u32 = 64;
pub const PFR_TFLAG_USRMASK: u32 = 67;
pub const PFR_TFLAG_SETMASK: u32 = 60;
pub const PFR_TFLAG_ALLMASK: u32 = 127;
pub const PFR_FLAG_ATOMIC: ::core::ffi::c_int = 1;
pub const PFR_FLAG_DUMMY: ::core::ffi::c_int = 2;
pub const PFR_FLAG_FEEDBACK: ::core::ffi::c_int = 4;
pub const PFR_FLAG_CLSTATS: ::core::ffi::c_int = 8;
pub const PFR_FLAG_ADDRSTOO: ::core::ffi::c_int = 16;
pub const PFR_FLAG_REPLACE: ::core::ffi::c_int = 32;
pub const PFR_FLAG_ALLRSETS: ::core::ffi::c_int = 64;
pub const PFR_FLAG_ALLMASK: ::core::ffi::c_int = 127;
pub const IN6_IFF_ANYCAST: ::core::ffi::c_int = 1;
pub const IN6_IFF_TENTATIVE: ::core::ffi::c_int = 2;
pub const IN6_IFF_DUPLICATED: ::core::ffi::c_int = 4;
pub const IN6_IFF_DETACHED: ::core::ffi::c_int = 8;
pub const IN6_IFF_DEPRECATED: ::core::ffi::c_int = 16;
pub const IN6_IFF_NODAD: ::core::ffi::c_int = 32;
pub const IN6_IFF_AUTOCONF: ::core::ffi::c_int = 64;
pub const IN6_IFF_TEMPORARY: ::core::ffi::c_int = 128;
pub const IN6_IFF_PREFER_SOURCE: ::core::ffi::c_int = 256;
pub const IN6_IFF_NOTREADY: ::core::ffi::c_int = 6;
pub const CARP_KEY_LEN: usize = 20;
pub const CARP_MAXVHID: ::core::ffi::c_int = 255;
pub const CARP_MAXSTATE: ::core::ffi::c_int = 2;
pub const CARP_MAXSKEW: ::core::ffi::c_int = 240;
pub const IPFW_DEFAULT_RULE: u32 = 65535;
pub const RESVD_SET: u32 = 31;
pub const IPFW_MAX_SETS: u32 = 32;
pub const IP_FW3_OPVER_0: u16 = 0;
pub const IP_FW3_OPVER_1: u16 = 1;
pub const IP_FW_TABLE_XADD: u16 = 86;
pub const IP_FW_TABLE_XDEL: u16 = 87;
pub const IP_FW_TABLE_XGETSIZE: u16 = 88;
pub const IP_FW_TABLE_XLIST: u16 = 89;
pub const IP_FW_TABLE_XDESTROY: u16 = 90;
pub const IP_FW_TABLES_XLIST: u16 = 92;
pub const IP_FW_TABLE_XINFO: u16 = 93;
pub const IP_FW_TABLE_XFLUSH: u16 = 94;
pub const IP_FW_TABLE_XCREATE: u16 = 95;
pub const IP_FW_TABLE_XMODIFY: u16 = 96;
pub const IP_FW_XGET: u16 = 97;
pub const IP_FW_XADD: u16 = 98;
pub const IP_FW_XDEL: u16 = 99;
pub const IP_FW_XMOVE: u16 = 100;
pub const IP_FW_XZERO: u16 = 101;
pub const IP_FW_XRESETLOG: u16 = 102;
pub const IP_FW_TABLE_XFIND: u16 = 106;
pub const IP_FW_XIFLIST: u16 = 107;
pub const IP_FW_TABLE_XSWAP: u16 = 109;
pub const IP_FW_NAT44_XCONFIG: u16 = 111;
pub const IP_FW_NAT44_DESTROY: u16 = 112;
pub const IP_FW_NAT44_XGETCONFIG: u16 = 113;
pub const IP_FW_NAT44_LIST_NAT: u16 = 114;
pub const F_NOT: u8 = 128;
pub const F_OR: u8 = 64;
pub const F_LEN_MASK: u8 = 63;
pub const NAT44_REDIR_ADDR: u16 = 1;
pub const NAT44_REDIR_PORT: u16 = 2;
pub const NAT44_REDIR_PROTO: u16 = 4;
pub const IPFW_TABLE_ADDR: u8 = 1;
pub const IPFW_TLV_TBL_NAME: u16 = 1;
pub const IPFW_TLV_TBLNAME_LIST: u16 = 2;
pub const IPFW_TLV_RULE_LIST: u16 = 3;
pub const IPFW_TLV_RULE_ENT: u16 = 7;
pub const IPFW_TLV_TBLENT_LIST: u16 = 8;
pub const IPFW_CTF_ATOMIC: u8 = 1;
pub const IPFW_TR_IGNORED: u8 = 0;
pub const IPFW_TR_ADDED: u8 = 1;
pub const IPFW_TR_UPDATED: u8 = 2;
pub const IPFW_TR_DELETED: u8 = 3;
pub const IPFW_TR_LIMIT: u8 = 4;
pub const IPFW_TR_NOTFOUND: u8 = 5;
pub const IPFW_TR_EXISTS: u8 = 6;
pub const IPFW_TR_ERROR: u8 = 7;
pub const IPFW_RCFLAG_RANGE: u32 = 1;
pub const IPFW_RCFLAG_ALL: u32 = 2;
pub const IPFW_RCFLAG_SET: u32 = 4;
pub const IPFW_RCFLAG_DYNAMIC: u32 = 8;
pub const IPFW_RCFLAG_USER: u32 = 15;
pub const IPFW_RCFLAG_DEFAULT: u32 = 256;
pub const IPFW_CFG_GET_STATIC: u32 = 1;
pub const RTF_ANNOUNCE: ::core::ffi::c_int = 16384;
pub const ND6_LLINFO_NOSTATE: ::core::ffi::c_int = -2;
pub const ND6_LLINFO_INCOMPLETE: ::core::ffi::c_int = 0;
pub const ND6_LLINFO_REACHABLE: ::core::ffi::c_int = 1;
pub const ND6_LLINFO_STALE: ::core::ffi::c_int = 2;
pub const ND6_LLINFO_DELAY: ::core::ffi::c_int = 3;
pub const ND6_LLINFO_PROBE: ::core::ffi::c_int = 4;
pub const ND6_IFF_PERFORMNUD: u32 = 1;
pub const ND6_IFF_ACCEPT_RTADV: u32 = 2;
pub const ND6_IFF_PREFER_SOURCE: u32 = 4;
pub const ND6_IFF_IFDISABLED: u32 = 8;
pub const ND6_IFF_DONT_SET_IFROUTE: u32 = 16;
pub const ND6_IFF_AUTO_LINKLOCAL: u32 = 32;
pub const ND6_IFF_NO_RADR: u32 = 64;
pub const ND6_IFF_NO_PREFER_IFACE: u32 = 128;
pub const ND6_IFF_NO_DAD: u32 = 256;
pub const ND6_INFINITE_LIFETIME: u32 = 4294967295;
pub const DEVFS_MAGIC: u32 = 3674867834;
pub const DRC_DSWFLAGS: ::core::ffi::c_int = 1;
pub const DRC_PATHPTRN: ::core::ffi::c_int = 2;
pub const DEVFS_MAXPTRNLEN: usize = 200;
pub const DRA_BACTS: ::core::ffi::c_int = 1;
pub const DRA_UID: ::core::ffi::c_int = 2;
pub const DRA_GID: ::core::ffi::c_int = 4;
pub const DRA_MODE: ::core::ffi::c_int = 8;
pub const DRA_INCSET: ::core::ffi::c_int = 16;
pub const DRB_HIDE: ::core::ffi::c_int = 1;
pub const DRB_UNHIDE: ::core::ffi::c_int = 2;
pub type __uint8_t = ::core::ffi::c_uchar;
pub type __uint16_t = ::core::ffi::c_ushort;
pub type __int32_t = ::core::ffi::c_int;
pub type __uint32_t = ::core::ffi::c_uint;
pub type __int64_t = ::core::ffi::c_long;
pub type __uint64_t = ::core::ffi::c_ulong;
pub type __uintptr_t = __uint64_t;
pub type __time_t = __int64_t;
pub type __gid_t = __uint32_t;
pub type __mode_t = __uint16_t;
pub type __pid_t = __int32_t;
pub type __sa_family_t = __uint8_t;
pub type __suseconds_t = ::core::ffi::c_long;
pub type __uid_t = __uint32_t;
pub type __cpusetid_t = ::core::ffi::c_int;
pub type u_char = ::core::ffi::c_uchar;
pub type u_short = ::core::ffi::c_ushort;
pub type u_int = ::core::ffi::c_uint;
pub type u_long = ::core::ffi::c_ulong;
pub type u_int8_t = __uint8_t;
pub type u_int16_t = __uint16_t;
pub type u_int32_t = __uint32_t;
pub type u_int64_t = __uint64_t;
pub type u_quad_t = __uint64_t;
pub type caddr_t = *mut ::core::ffi::c_char;
pub type cpusetid_t = __cpusetid_t;
pub type gid_t = __gid_t;
pub type in_addr_t = __uint32_t;
pub type in_port_t = __uint16_t;
pub type mode_t = __mode_t;
pub type pid_t = __pid_t;
pub type suseconds_t = __suseconds_t;
pub type time_t = __time_t;
pub type uid_t = __uid_t;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct timeval {
    pub tv_sec: time_t,
    pub tv_usec: suseconds_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of timeval"][::core::mem::size_of::<timeval>() - 16usize];
    ["Alignment of timeval"][::core::mem::align_of::<timeval>() - 8usize];
    [
        "Offset of field: timeval::tv_sec",
    ][::core::mem::offset_of!(timeval, tv_sec) - 0usize];
    [
        "Offset of field: timeval::tv_usec",
    ][::core::mem::offset_of!(timeval, tv_usec) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct kevent {
    pub ident: __uintptr_t,
    pub filter: ::core::ffi::c_short,
    pub flags: ::core::ffi::c_ushort,
    pub fflags: ::core::ffi::c_uint,
    pub data: __int64_t,
    pub udata: *mut ::core::ffi::c_void,
    pub ext: [__uint64_t; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of kevent"][::core::mem::size_of::<kevent>() - 64usize];
    ["Alignment of kevent"][::core::mem::align_of::<kevent>() - 8usize];
    ["Offset of field: kevent::ident"][::core::mem::offset_of!(kevent, ident) - 0usize];
    [
        "Offset of field: kevent::filter",
    ][::core::mem::offset_of!(kevent, filter) - 8usize];
    ["Offset of field: kevent::flags"][::core::mem::offset_of!(kevent, flags) - 10usize];
    [
        "Offset of field: kevent::fflags",
    ][::core::mem::offset_of!(kevent, fflags) - 12usize];
    ["Offset of field: kevent::data"][::core::mem::offset_of!(kevent, data) - 16usize];
    ["Offset of field: kevent::udata"][::core::mem::offset_of!(kevent, udata) - 24usize];
    ["Offset of field: kevent::ext"][::core::mem::offset_of!(kevent, ext) - 32usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct kld_file_stat {
    pub version: ::core::ffi::c_int,
    pub name: [::core::ffi::c_char; 1024usize],
    pub refs: ::core::ffi::c_int,
    pub id: ::core::ffi::c_int,
    pub address: caddr_t,
    pub size: usize,
    pub pathname: [::core::ffi::c_char; 1024usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of kld_file_stat"][::core::mem::size_of::<kld_file_stat>() - 2080usize];
    ["Alignment of kld_file_stat"][::core::mem::align_of::<kld_file_stat>() - 8usize];
    [
        "Offset of field: kld_file_stat::version",
    ][::core::mem::offset_of!(kld_file_stat, version) - 0usize];
    [
        "Offset of field: kld_file_stat::name",
    ][::core::mem::offset_of!(kld_file_stat, name) - 4usize];
    [
        "Offset of field: kld_file_stat::refs",
    ][::core::mem::offset_of!(kld_file_stat, refs) - 1028usize];
    [
        "Offset of field: kld_file_stat::id",
    ][::core::mem::offset_of!(kld_file_stat, id) - 1032usize];
    [
        "Offset of field: kld_file_stat::address",
    ][::core::mem::offset_of!(kld_file_stat, address) - 1040usize];
    [
        "Offset of field: kld_file_stat::size",
    ][::core::mem::offset_of!(kld_file_stat, size) - 1048usize];
    [
        "Offset of field: kld_file_stat::pathname",
    ][::core::mem::offset_of!(kld_file_stat, pathname) - 1056usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub union modspecific {
    pub intval: ::core::ffi::c_int,
    pub uintval: u_int,
    pub longval: ::core::ffi::c_long,
    pub ulongval: u_long,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of modspecific"][::core::mem::size_of::<modspecific>() - 8usize];
    ["Alignment of modspecific"][::core::mem::align_of::<modspecific>() - 8usize];
    [
        "Offset of field: modspecific::intval",
    ][::core::mem::offset_of!(modspecific, intval) - 0usize];
    [
        "Offset of field: modspecific::uintval",
    ][::core::mem::offset_of!(modspecific, uintval) - 0usize];
    [
        "Offset of field: modspecific::longval",
    ][::core::mem::offset_of!(modspecific, longval) - 0usize];
    [
        "Offset of field: modspecific::ulongval",
    ][::core::mem::offset_of!(modspecific, ulongval) - 0usize];
};
pub type modspecific_t = modspecific;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct module_stat {
    pub version: ::core::ffi::c_int,
    pub name: [::core::ffi::c_char; 1024usize],
    pub refs: ::core::ffi::c_int,
    pub id: ::core::ffi::c_int,
    pub data: modspecific_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of module_stat"][::core::mem::size_of::<module_stat>() - 1048usize];
    ["Alignment of module_stat"][::core::mem::align_of::<module_stat>() - 8usize];
    [
        "Offset of field: module_stat::version",
    ][::core::mem::offset_of!(module_stat, version) - 0usize];
    [
        "Offset of field: module_stat::name",
    ][::core::mem::offset_of!(module_stat, name) - 4usize];
    [
        "Offset of field: module_stat::refs",
    ][::core::mem::offset_of!(module_stat, refs) - 1028usize];
    [
        "Offset of field: module_stat::id",
    ][::core::mem::offset_of!(module_stat, id) - 1032usize];
    [
        "Offset of field: module_stat::data",
    ][::core::mem::offset_of!(module_stat, data) - 1040usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct fsid {
    pub val: [i32; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of fsid"][::core::mem::size_of::<fsid>() - 8usize];
    ["Alignment of fsid"][::core::mem::align_of::<fsid>() - 4usize];
    ["Offset of field: fsid::val"][::core::mem::offset_of!(fsid, val) - 0usize];
};
pub type fsid_t = fsid;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct statfs {
    pub f_version: u32,
    pub f_type: u32,
    pub f_flags: u64,
    pub f_bsize: u64,
    pub f_iosize: u64,
    pub f_blocks: u64,
    pub f_bfree: u64,
    pub f_bavail: i64,
    pub f_files: u64,
    pub f_ffree: i64,
    pub f_syncwrites: u64,
    pub f_asyncwrites: u64,
    pub f_syncreads: u64,
    pub f_asyncreads: u64,
    pub f_nvnodelistsize: u32,
    pub f_spare0: u32,
    pub f_spare: [u64; 9usize],
    pub f_namemax: u32,
    pub f_owner: uid_t,
    pub f_fsid: fsid_t,
    pub f_charspare: [::core::ffi::c_char; 80usize],
    pub f_fstypename: [::core::ffi::c_char; 16usize],
    pub f_mntfromname: [::core::ffi::c_char; 1024usize],
    pub f_mntonname: [::core::ffi::c_char; 1024usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of statfs"][::core::mem::size_of::<statfs>() - 2344usize];
    ["Alignment of statfs"][::core::mem::align_of::<statfs>() - 8usize];
    [
        "Offset of field: statfs::f_version",
    ][::core::mem::offset_of!(statfs, f_version) - 0usize];
    [
        "Offset of field: statfs::f_type",
    ][::core::mem::offset_of!(statfs, f_type) - 4usize];
    [
        "Offset of field: statfs::f_flags",
    ][::core::mem::offset_of!(statfs, f_flags) - 8usize];
    [
        "Offset of field: statfs::f_bsize",
    ][::core::mem::offset_of!(statfs, f_bsize) - 16usize];
    [
        "Offset of field: statfs::f_iosize",
    ][::core::mem::offset_of!(statfs, f_iosize) - 24usize];
    [
        "Offset of field: statfs::f_blocks",
    ][::core::mem::offset_of!(statfs, f_blocks) - 32usize];
    [
        "Offset of field: statfs::f_bfree",
    ][::core::mem::offset_of!(statfs, f_bfree) - 40usize];
    [
        "Offset of field: statfs::f_bavail",
    ][::core::mem::offset_of!(statfs, f_bavail) - 48usize];
    [
        "Offset of field: statfs::f_files",
    ][::core::mem::offset_of!(statfs, f_files) - 56usize];
    [
        "Offset of field: statfs::f_ffree",
    ][::core::mem::offset_of!(statfs, f_ffree) - 64usize];
    [
        "Offset of field: statfs::f_syncwrites",
    ][::core::mem::offset_of!(statfs, f_syncwrites) - 72usize];
    [
        "Offset of field: statfs::f_asyncwrites",
    ][::core::mem::offset_of!(statfs, f_asyncwrites) - 80usize];
    [
        "Offset of field: statfs::f_syncreads",
    ][::core::mem::offset_of!(statfs, f_syncreads) - 88usize];
    [
        "Offset of field: statfs::f_asyncreads",
    ][::core::mem::offset_of!(statfs, f_asyncreads) - 96usize];
    [
        "Offset of field: statfs::f_nvnodelistsize",
    ][::core::mem::offset_of!(statfs, f_nvnodelistsize) - 104usize];
    [
        "Offset of field: statfs::f_spare0",
    ][::core::mem::offset_of!(statfs, f_spare0) - 108usize];
    [
        "Offset of field: statfs::f_spare",
    ][::core::mem::offset_of!(statfs, f_spare) - 112usize];
    [
        "Offset of field: statfs::f_namemax",
    ][::core::mem::offset_of!(statfs, f_namemax) - 184usize];
    [
        "Offset of field: statfs::f_owner",
    ][::core::mem::offset_of!(statfs, f_owner) - 188usize];
    [
        "Offset of field: statfs::f_fsid",
    ][::core::mem::offset_of!(statfs, f_fsid) - 192usize];
    [
        "Offset of field: statfs::f_charspare",
    ][::core::mem::offset_of!(statfs, f_charspare) - 200usize];
    [
        "Offset of field: statfs::f_fstypename",
    ][::core::mem::offset_of!(statfs, f_fstypename) - 280usize];
    [
        "Offset of field: statfs::f_mntfromname",
    ][::core::mem::offset_of!(statfs, f_mntfromname) - 296usize];
    [
        "Offset of field: statfs::f_mntonname",
    ][::core::mem::offset_of!(statfs, f_mntonname) - 1320usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct iovec {
    pub iov_base: *mut ::core::ffi::c_void,
    pub iov_len: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of iovec"][::core::mem::size_of::<iovec>() - 16usize];
    ["Alignment of iovec"][::core::mem::align_of::<iovec>() - 8usize];
    [
        "Offset of field: iovec::iov_base",
    ][::core::mem::offset_of!(iovec, iov_base) - 0usize];
    [
        "Offset of field: iovec::iov_len",
    ][::core::mem::offset_of!(iovec, iov_len) - 8usize];
};
pub type sa_family_t = __sa_family_t;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct sockaddr {
    pub sa_len: ::core::ffi::c_uchar,
    pub sa_family: sa_family_t,
    pub sa_data: [::core::ffi::c_char; 14usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr"][::core::mem::size_of::<sockaddr>() - 16usize];
    ["Alignment of sockaddr"][::core::mem::align_of::<sockaddr>() - 1usize];
    [
        "Offset of field: sockaddr::sa_len",
    ][::core::mem::offset_of!(sockaddr, sa_len) - 0usize];
    [
        "Offset of field: sockaddr::sa_family",
    ][::core::mem::offset_of!(sockaddr, sa_family) - 1usize];
    [
        "Offset of field: sockaddr::sa_data",
    ][::core::mem::offset_of!(sockaddr, sa_data) - 2usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct sockaddr_storage {
    pub ss_len: ::core::ffi::c_uchar,
    pub ss_family: sa_family_t,
    pub __ss_pad1: [::core::ffi::c_char; 6usize],
    pub __ss_align: __int64_t,
    pub __ss_pad2: [::core::ffi::c_char; 112usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr_storage"][::core::mem::size_of::<sockaddr_storage>() - 128usize];
    [
        "Alignment of sockaddr_storage",
    ][::core::mem::align_of::<sockaddr_storage>() - 8usize];
    [
        "Offset of field: sockaddr_storage::ss_len",
    ][::core::mem::offset_of!(sockaddr_storage, ss_len) - 0usize];
    [
        "Offset of field: sockaddr_storage::ss_family",
    ][::core::mem::offset_of!(sockaddr_storage, ss_family) - 1usize];
    [
        "Offset of field: sockaddr_storage::__ss_pad1",
    ][::core::mem::offset_of!(sockaddr_storage, __ss_pad1) - 2usize];
    [
        "Offset of field: sockaddr_storage::__ss_align",
    ][::core::mem::offset_of!(sockaddr_storage, __ss_align) - 8usize];
    [
        "Offset of field: sockaddr_storage::__ss_pad2",
    ][::core::mem::offset_of!(sockaddr_storage, __ss_pad2) - 16usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct jail {
    pub version: u32,
    pub path: *mut ::core::ffi::c_char,
    pub hostname: *mut ::core::ffi::c_char,
    pub jailname: *mut ::core::ffi::c_char,
    pub ip4s: u32,
    pub ip6s: u32,
    pub ip4: *mut in_addr,
    pub ip6: *mut in6_addr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of jail"][::core::mem::size_of::<jail>() - 56usize];
    ["Alignment of jail"][::core::mem::align_of::<jail>() - 8usize];
    ["Offset of field: jail::version"][::core::mem::offset_of!(jail, version) - 0usize];
    ["Offset of field: jail::path"][::core::mem::offset_of!(jail, path) - 8usize];
    [
        "Offset of field: jail::hostname",
    ][::core::mem::offset_of!(jail, hostname) - 16usize];
    [
        "Offset of field: jail::jailname",
    ][::core::mem::offset_of!(jail, jailname) - 24usize];
    ["Offset of field: jail::ip4s"][::core::mem::offset_of!(jail, ip4s) - 32usize];
    ["Offset of field: jail::ip6s"][::core::mem::offset_of!(jail, ip6s) - 36usize];
    ["Offset of field: jail::ip4"][::core::mem::offset_of!(jail, ip4) - 40usize];
    ["Offset of field: jail::ip6"][::core::mem::offset_of!(jail, ip6) - 48usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xprison {
    pub pr_version: ::core::ffi::c_int,
    pub pr_id: ::core::ffi::c_int,
    pub pr_state: ::core::ffi::c_int,
    pub pr_cpusetid: cpusetid_t,
    pub pr_path: [::core::ffi::c_char; 1024usize],
    pub pr_host: [::core::ffi::c_char; 256usize],
    pub pr_name: [::core::ffi::c_char; 256usize],
    pub pr_ip4s: u32,
    pub pr_ip6s: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xprison"][::core::mem::size_of::<xprison>() - 1560usize];
    ["Alignment of xprison"][::core::mem::align_of::<xprison>() - 4usize];
    [
        "Offset of field: xprison::pr_version",
    ][::core::mem::offset_of!(xprison, pr_version) - 0usize];
    [
        "Offset of field: xprison::pr_id",
    ][::core::mem::offset_of!(xprison, pr_id) - 4usize];
    [
        "Offset of field: xprison::pr_state",
    ][::core::mem::offset_of!(xprison, pr_state) - 8usize];
    [
        "Offset of field: xprison::pr_cpusetid",
    ][::core::mem::offset_of!(xprison, pr_cpusetid) - 12usize];
    [
        "Offset of field: xprison::pr_path",
    ][::core::mem::offset_of!(xprison, pr_path) - 16usize];
    [
        "Offset of field: xprison::pr_host",
    ][::core::mem::offset_of!(xprison, pr_host) - 1040usize];
    [
        "Offset of field: xprison::pr_name",
    ][::core::mem::offset_of!(xprison, pr_name) - 1296usize];
    [
        "Offset of field: xprison::pr_ip4s",
    ][::core::mem::offset_of!(xprison, pr_ip4s) - 1552usize];
    [
        "Offset of field: xprison::pr_ip6s",
    ][::core::mem::offset_of!(xprison, pr_ip6s) - 1556usize];
};
pub const PRISON_STATE_INVALID: prison_state = 0;
pub const PRISON_STATE_ALIVE: prison_state = 1;
pub const PRISON_STATE_DYING: prison_state = 2;
pub type prison_state = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct uexterror {
    pub ver: __uint32_t,
    pub error: __uint32_t,
    pub cat: __uint32_t,
    pub src_line: __uint32_t,
    pub flags: __uint32_t,
    pub rsrv0: __uint32_t,
    pub p1: __uint64_t,
    pub p2: __uint64_t,
    pub rsrv1: [__uint64_t; 4usize],
    pub msg: [::core::ffi::c_char; 128usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of uexterror"][::core::mem::size_of::<uexterror>() - 200usize];
    ["Alignment of uexterror"][::core::mem::align_of::<uexterror>() - 8usize];
    [
        "Offset of field: uexterror::ver",
    ][::core::mem::offset_of!(uexterror, ver) - 0usize];
    [
        "Offset of field: uexterror::error",
    ][::core::mem::offset_of!(uexterror, error) - 4usize];
    [
        "Offset of field: uexterror::cat",
    ][::core::mem::offset_of!(uexterror, cat) - 8usize];
    [
        "Offset of field: uexterror::src_line",
    ][::core::mem::offset_of!(uexterror, src_line) - 12usize];
    [
        "Offset of field: uexterror::flags",
    ][::core::mem::offset_of!(uexterror, flags) - 16usize];
    [
        "Offset of field: uexterror::rsrv0",
    ][::core::mem::offset_of!(uexterror, rsrv0) - 20usize];
    ["Offset of field: uexterror::p1"][::core::mem::offset_of!(uexterror, p1) - 24usize];
    ["Offset of field: uexterror::p2"][::core::mem::offset_of!(uexterror, p2) - 32usize];
    [
        "Offset of field: uexterror::rsrv1",
    ][::core::mem::offset_of!(uexterror, rsrv1) - 40usize];
    [
        "Offset of field: uexterror::msg",
    ][::core::mem::offset_of!(uexterror, msg) - 72usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct if_clonereq {
    pub ifcr_total: ::core::ffi::c_int,
    pub ifcr_count: ::core::ffi::c_int,
    pub ifcr_buffer: *mut ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of if_clonereq"][::core::mem::size_of::<if_clonereq>() - 16usize];
    ["Alignment of if_clonereq"][::core::mem::align_of::<if_clonereq>() - 8usize];
    [
        "Offset of field: if_clonereq::ifcr_total",
    ][::core::mem::offset_of!(if_clonereq, ifcr_total) - 0usize];
    [
        "Offset of field: if_clonereq::ifcr_count",
    ][::core::mem::offset_of!(if_clonereq, ifcr_count) - 4usize];
    [
        "Offset of field: if_clonereq::ifcr_buffer",
    ][::core::mem::offset_of!(if_clonereq, ifcr_buffer) - 8usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct if_data {
    pub ifi_type: u8,
    pub ifi_physical: u8,
    pub ifi_addrlen: u8,
    pub ifi_hdrlen: u8,
    pub ifi_link_state: u8,
    pub ifi_vhid: u8,
    pub ifi_datalen: u16,
    pub ifi_mtu: u32,
    pub ifi_metric: u32,
    pub ifi_baudrate: u64,
    pub ifi_ipackets: u64,
    pub ifi_ierrors: u64,
    pub ifi_opackets: u64,
    pub ifi_oerrors: u64,
    pub ifi_collisions: u64,
    pub ifi_ibytes: u64,
    pub ifi_obytes: u64,
    pub ifi_imcasts: u64,
    pub ifi_omcasts: u64,
    pub ifi_iqdrops: u64,
    pub ifi_oqdrops: u64,
    pub ifi_noproto: u64,
    pub ifi_hwassist: u64,
    pub __ifi_epoch: if_data__bindgen_ty_1,
    pub __ifi_lastchange: if_data__bindgen_ty_2,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union if_data__bindgen_ty_1 {
    pub tt: time_t,
    pub ph: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of if_data__bindgen_ty_1",
    ][::core::mem::size_of::<if_data__bindgen_ty_1>() - 8usize];
    [
        "Alignment of if_data__bindgen_ty_1",
    ][::core::mem::align_of::<if_data__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: if_data__bindgen_ty_1::tt",
    ][::core::mem::offset_of!(if_data__bindgen_ty_1, tt) - 0usize];
    [
        "Offset of field: if_data__bindgen_ty_1::ph",
    ][::core::mem::offset_of!(if_data__bindgen_ty_1, ph) - 0usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub union if_data__bindgen_ty_2 {
    pub tv: timeval,
    pub ph: if_data__bindgen_ty_2__bindgen_ty_1,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct if_data__bindgen_ty_2__bindgen_ty_1 {
    pub ph1: u64,
    pub ph2: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of if_data__bindgen_ty_2__bindgen_ty_1",
    ][::core::mem::size_of::<if_data__bindgen_ty_2__bindgen_ty_1>() - 16usize];
    [
        "Alignment of if_data__bindgen_ty_2__bindgen_ty_1",
    ][::core::mem::align_of::<if_data__bindgen_ty_2__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: if_data__bindgen_ty_2__bindgen_ty_1::ph1",
    ][::core::mem::offset_of!(if_data__bindgen_ty_2__bindgen_ty_1, ph1) - 0usize];
    [
        "Offset of field: if_data__bindgen_ty_2__bindgen_ty_1::ph2",
    ][::core::mem::offset_of!(if_data__bindgen_ty_2__bindgen_ty_1, ph2) - 8usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of if_data__bindgen_ty_2",
    ][::core::mem::size_of::<if_data__bindgen_ty_2>() - 16usize];
    [
        "Alignment of if_data__bindgen_ty_2",
    ][::core::mem::align_of::<if_data__bindgen_ty_2>() - 8usize];
    [
        "Offset of field: if_data__bindgen_ty_2::tv",
    ][::core::mem::offset_of!(if_data__bindgen_ty_2, tv) - 0usize];
    [
        "Offset of field: if_data__bindgen_ty_2::ph",
    ][::core::mem::offset_of!(if_data__bindgen_ty_2, ph) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of if_data"][::core::mem::size_of::<if_data>() - 152usize];
    ["Alignment of if_data"][::core::mem::align_of::<if_data>() - 8usize];
    [
        "Offset of field: if_data::ifi_type",
    ][::core::mem::offset_of!(if_data, ifi_type) - 0usize];
    [
        "Offset of field: if_data::ifi_physical",
    ][::core::mem::offset_of!(if_data, ifi_physical) - 1usize];
    [
        "Offset of field: if_data::ifi_addrlen",
    ][::core::mem::offset_of!(if_data, ifi_addrlen) - 2usize];
    [
        "Offset of field: if_data::ifi_hdrlen",
    ][::core::mem::offset_of!(if_data, ifi_hdrlen) - 3usize];
    [
        "Offset of field: if_data::ifi_link_state",
    ][::core::mem::offset_of!(if_data, ifi_link_state) - 4usize];
    [
        "Offset of field: if_data::ifi_vhid",
    ][::core::mem::offset_of!(if_data, ifi_vhid) - 5usize];
    [
        "Offset of field: if_data::ifi_datalen",
    ][::core::mem::offset_of!(if_data, ifi_datalen) - 6usize];
    [
        "Offset of field: if_data::ifi_mtu",
    ][::core::mem::offset_of!(if_data, ifi_mtu) - 8usize];
    [
        "Offset of field: if_data::ifi_metric",
    ][::core::mem::offset_of!(if_data, ifi_metric) - 12usize];
    [
        "Offset of field: if_data::ifi_baudrate",
    ][::core::mem::offset_of!(if_data, ifi_baudrate) - 16usize];
    [
        "Offset of field: if_data::ifi_ipackets",
    ][::core::mem::offset_of!(if_data, ifi_ipackets) - 24usize];
    [
        "Offset of field: if_data::ifi_ierrors",
    ][::core::mem::offset_of!(if_data, ifi_ierrors) - 32usize];
    [
        "Offset of field: if_data::ifi_opackets",
    ][::core::mem::offset_of!(if_data, ifi_opackets) - 40usize];
    [
        "Offset of field: if_data::ifi_oerrors",
    ][::core::mem::offset_of!(if_data, ifi_oerrors) - 48usize];
    [
        "Offset of field: if_data::ifi_collisions",
    ][::core::mem::offset_of!(if_data, ifi_collisions) - 56usize];
    [
        "Offset of field: if_data::ifi_ibytes",
    ][::core::mem::offset_of!(if_data, ifi_ibytes) - 64usize];
    [
        "Offset of field: if_data::ifi_obytes",
    ][::core::mem::offset_of!(if_data, ifi_obytes) - 72usize];
    [
        "Offset of field: if_data::ifi_imcasts",
    ][::core::mem::offset_of!(if_data, ifi_imcasts) - 80usize];
    [
        "Offset of field: if_data::ifi_omcasts",
    ][::core::mem::offset_of!(if_data, ifi_omcasts) - 88usize];
    [
        "Offset of field: if_data::ifi_iqdrops",
    ][::core::mem::offset_of!(if_data, ifi_iqdrops) - 96usize];
    [
        "Offset of field: if_data::ifi_oqdrops",
    ][::core::mem::offset_of!(if_data, ifi_oqdrops) - 104usize];
    [
        "Offset of field: if_data::ifi_noproto",
    ][::core::mem::offset_of!(if_data, ifi_noproto) - 112usize];
    [
        "Offset of field: if_data::ifi_hwassist",
    ][::core::mem::offset_of!(if_data, ifi_hwassist) - 120usize];
    [
        "Offset of field: if_data::__ifi_epoch",
    ][::core::mem::offset_of!(if_data, __ifi_epoch) - 128usize];
    [
        "Offset of field: if_data::__ifi_lastchange",
    ][::core::mem::offset_of!(if_data, __ifi_lastchange) - 136usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct if_msghdr {
    pub ifm_msglen: u_short,
    pub ifm_version: u_char,
    pub ifm_type: u_char,
    pub ifm_addrs: ::core::ffi::c_int,
    pub ifm_flags: ::core::ffi::c_int,
    pub ifm_index: u_short,
    pub _ifm_spare1: u_short,
    pub ifm_data: if_data,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of if_msghdr"][::core::mem::size_of::<if_msghdr>() - 168usize];
    ["Alignment of if_msghdr"][::core::mem::align_of::<if_msghdr>() - 8usize];
    [
        "Offset of field: if_msghdr::ifm_msglen",
    ][::core::mem::offset_of!(if_msghdr, ifm_msglen) - 0usize];
    [
        "Offset of field: if_msghdr::ifm_version",
    ][::core::mem::offset_of!(if_msghdr, ifm_version) - 2usize];
    [
        "Offset of field: if_msghdr::ifm_type",
    ][::core::mem::offset_of!(if_msghdr, ifm_type) - 3usize];
    [
        "Offset of field: if_msghdr::ifm_addrs",
    ][::core::mem::offset_of!(if_msghdr, ifm_addrs) - 4usize];
    [
        "Offset of field: if_msghdr::ifm_flags",
    ][::core::mem::offset_of!(if_msghdr, ifm_flags) - 8usize];
    [
        "Offset of field: if_msghdr::ifm_index",
    ][::core::mem::offset_of!(if_msghdr, ifm_index) - 12usize];
    [
        "Offset of field: if_msghdr::_ifm_spare1",
    ][::core::mem::offset_of!(if_msghdr, _ifm_spare1) - 14usize];
    [
        "Offset of field: if_msghdr::ifm_data",
    ][::core::mem::offset_of!(if_msghdr, ifm_data) - 16usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct if_msghdrl {
    pub ifm_msglen: u_short,
    pub ifm_version: u_char,
    pub ifm_type: u_char,
    pub ifm_addrs: ::core::ffi::c_int,
    pub ifm_flags: ::core::ffi::c_int,
    pub ifm_index: u_short,
    pub _ifm_spare1: u_short,
    pub ifm_len: u_short,
    pub ifm_data_off: u_short,
    pub _ifm_spare2: ::core::ffi::c_int,
    pub ifm_data: if_data,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of if_msghdrl"][::core::mem::size_of::<if_msghdrl>() - 176usize];
    ["Alignment of if_msghdrl"][::core::mem::align_of::<if_msghdrl>() - 8usize];
    [
        "Offset of field: if_msghdrl::ifm_msglen",
    ][::core::mem::offset_of!(if_msghdrl, ifm_msglen) - 0usize];
    [
        "Offset of field: if_msghdrl::ifm_version",
    ][::core::mem::offset_of!(if_msghdrl, ifm_version) - 2usize];
    [
        "Offset of field: if_msghdrl::ifm_type",
    ][::core::mem::offset_of!(if_msghdrl, ifm_type) - 3usize];
    [
        "Offset of field: if_msghdrl::ifm_addrs",
    ][::core::mem::offset_of!(if_msghdrl, ifm_addrs) - 4usize];
    [
        "Offset of field: if_msghdrl::ifm_flags",
    ][::core::mem::offset_of!(if_msghdrl, ifm_flags) - 8usize];
    [
        "Offset of field: if_msghdrl::ifm_index",
    ][::core::mem::offset_of!(if_msghdrl, ifm_index) - 12usize];
    [
        "Offset of field: if_msghdrl::_ifm_spare1",
    ][::core::mem::offset_of!(if_msghdrl, _ifm_spare1) - 14usize];
    [
        "Offset of field: if_msghdrl::ifm_len",
    ][::core::mem::offset_of!(if_msghdrl, ifm_len) - 16usize];
    [
        "Offset of field: if_msghdrl::ifm_data_off",
    ][::core::mem::offset_of!(if_msghdrl, ifm_data_off) - 18usize];
    [
        "Offset of field: if_msghdrl::_ifm_spare2",
    ][::core::mem::offset_of!(if_msghdrl, _ifm_spare2) - 20usize];
    [
        "Offset of field: if_msghdrl::ifm_data",
    ][::core::mem::offset_of!(if_msghdrl, ifm_data) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifa_msghdr {
    pub ifam_msglen: u_short,
    pub ifam_version: u_char,
    pub ifam_type: u_char,
    pub ifam_addrs: ::core::ffi::c_int,
    pub ifam_flags: ::core::ffi::c_int,
    pub ifam_index: u_short,
    pub _ifam_spare1: u_short,
    pub ifam_metric: ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifa_msghdr"][::core::mem::size_of::<ifa_msghdr>() - 20usize];
    ["Alignment of ifa_msghdr"][::core::mem::align_of::<ifa_msghdr>() - 4usize];
    [
        "Offset of field: ifa_msghdr::ifam_msglen",
    ][::core::mem::offset_of!(ifa_msghdr, ifam_msglen) - 0usize];
    [
        "Offset of field: ifa_msghdr::ifam_version",
    ][::core::mem::offset_of!(ifa_msghdr, ifam_version) - 2usize];
    [
        "Offset of field: ifa_msghdr::ifam_type",
    ][::core::mem::offset_of!(ifa_msghdr, ifam_type) - 3usize];
    [
        "Offset of field: ifa_msghdr::ifam_addrs",
    ][::core::mem::offset_of!(ifa_msghdr, ifam_addrs) - 4usize];
    [
        "Offset of field: ifa_msghdr::ifam_flags",
    ][::core::mem::offset_of!(ifa_msghdr, ifam_flags) - 8usize];
    [
        "Offset of field: ifa_msghdr::ifam_index",
    ][::core::mem::offset_of!(ifa_msghdr, ifam_index) - 12usize];
    [
        "Offset of field: ifa_msghdr::_ifam_spare1",
    ][::core::mem::offset_of!(ifa_msghdr, _ifam_spare1) - 14usize];
    [
        "Offset of field: ifa_msghdr::ifam_metric",
    ][::core::mem::offset_of!(ifa_msghdr, ifam_metric) - 16usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifa_msghdrl {
    pub ifam_msglen: u_short,
    pub ifam_version: u_char,
    pub ifam_type: u_char,
    pub ifam_addrs: ::core::ffi::c_int,
    pub ifam_flags: ::core::ffi::c_int,
    pub ifam_index: u_short,
    pub _ifam_spare1: u_short,
    pub ifam_len: u_short,
    pub ifam_data_off: u_short,
    pub ifam_metric: ::core::ffi::c_int,
    pub ifam_data: if_data,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifa_msghdrl"][::core::mem::size_of::<ifa_msghdrl>() - 176usize];
    ["Alignment of ifa_msghdrl"][::core::mem::align_of::<ifa_msghdrl>() - 8usize];
    [
        "Offset of field: ifa_msghdrl::ifam_msglen",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_msglen) - 0usize];
    [
        "Offset of field: ifa_msghdrl::ifam_version",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_version) - 2usize];
    [
        "Offset of field: ifa_msghdrl::ifam_type",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_type) - 3usize];
    [
        "Offset of field: ifa_msghdrl::ifam_addrs",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_addrs) - 4usize];
    [
        "Offset of field: ifa_msghdrl::ifam_flags",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_flags) - 8usize];
    [
        "Offset of field: ifa_msghdrl::ifam_index",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_index) - 12usize];
    [
        "Offset of field: ifa_msghdrl::_ifam_spare1",
    ][::core::mem::offset_of!(ifa_msghdrl, _ifam_spare1) - 14usize];
    [
        "Offset of field: ifa_msghdrl::ifam_len",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_len) - 16usize];
    [
        "Offset of field: ifa_msghdrl::ifam_data_off",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_data_off) - 18usize];
    [
        "Offset of field: ifa_msghdrl::ifam_metric",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_metric) - 20usize];
    [
        "Offset of field: ifa_msghdrl::ifam_data",
    ][::core::mem::offset_of!(ifa_msghdrl, ifam_data) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifma_msghdr {
    pub ifmam_msglen: u_short,
    pub ifmam_version: u_char,
    pub ifmam_type: u_char,
    pub ifmam_addrs: ::core::ffi::c_int,
    pub ifmam_flags: ::core::ffi::c_int,
    pub ifmam_index: u_short,
    pub _ifmam_spare1: u_short,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifma_msghdr"][::core::mem::size_of::<ifma_msghdr>() - 16usize];
    ["Alignment of ifma_msghdr"][::core::mem::align_of::<ifma_msghdr>() - 4usize];
    [
        "Offset of field: ifma_msghdr::ifmam_msglen",
    ][::core::mem::offset_of!(ifma_msghdr, ifmam_msglen) - 0usize];
    [
        "Offset of field: ifma_msghdr::ifmam_version",
    ][::core::mem::offset_of!(ifma_msghdr, ifmam_version) - 2usize];
    [
        "Offset of field: ifma_msghdr::ifmam_type",
    ][::core::mem::offset_of!(ifma_msghdr, ifmam_type) - 3usize];
    [
        "Offset of field: ifma_msghdr::ifmam_addrs",
    ][::core::mem::offset_of!(ifma_msghdr, ifmam_addrs) - 4usize];
    [
        "Offset of field: ifma_msghdr::ifmam_flags",
    ][::core::mem::offset_of!(ifma_msghdr, ifmam_flags) - 8usize];
    [
        "Offset of field: ifma_msghdr::ifmam_index",
    ][::core::mem::offset_of!(ifma_msghdr, ifmam_index) - 12usize];
    [
        "Offset of field: ifma_msghdr::_ifmam_spare1",
    ][::core::mem::offset_of!(ifma_msghdr, _ifmam_spare1) - 14usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct if_announcemsghdr {
    pub ifan_msglen: u_short,
    pub ifan_version: u_char,
    pub ifan_type: u_char,
    pub ifan_index: u_short,
    pub ifan_name: [::core::ffi::c_char; 16usize],
    pub ifan_what: u_short,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of if_announcemsghdr"][::core::mem::size_of::<if_announcemsghdr>() - 24usize];
    [
        "Alignment of if_announcemsghdr",
    ][::core::mem::align_of::<if_announcemsghdr>() - 2usize];
    [
        "Offset of field: if_announcemsghdr::ifan_msglen",
    ][::core::mem::offset_of!(if_announcemsghdr, ifan_msglen) - 0usize];
    [
        "Offset of field: if_announcemsghdr::ifan_version",
    ][::core::mem::offset_of!(if_announcemsghdr, ifan_version) - 2usize];
    [
        "Offset of field: if_announcemsghdr::ifan_type",
    ][::core::mem::offset_of!(if_announcemsghdr, ifan_type) - 3usize];
    [
        "Offset of field: if_announcemsghdr::ifan_index",
    ][::core::mem::offset_of!(if_announcemsghdr, ifan_index) - 4usize];
    [
        "Offset of field: if_announcemsghdr::ifan_name",
    ][::core::mem::offset_of!(if_announcemsghdr, ifan_name) - 6usize];
    [
        "Offset of field: if_announcemsghdr::ifan_what",
    ][::core::mem::offset_of!(if_announcemsghdr, ifan_what) - 22usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifreq_buffer {
    pub length: usize,
    pub buffer: *mut ::core::ffi::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifreq_buffer"][::core::mem::size_of::<ifreq_buffer>() - 16usize];
    ["Alignment of ifreq_buffer"][::core::mem::align_of::<ifreq_buffer>() - 8usize];
    [
        "Offset of field: ifreq_buffer::length",
    ][::core::mem::offset_of!(ifreq_buffer, length) - 0usize];
    [
        "Offset of field: ifreq_buffer::buffer",
    ][::core::mem::offset_of!(ifreq_buffer, buffer) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifreq_nv_req {
    pub buf_length: u_int,
    pub length: u_int,
    pub buffer: *mut ::core::ffi::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifreq_nv_req"][::core::mem::size_of::<ifreq_nv_req>() - 16usize];
    ["Alignment of ifreq_nv_req"][::core::mem::align_of::<ifreq_nv_req>() - 8usize];
    [
        "Offset of field: ifreq_nv_req::buf_length",
    ][::core::mem::offset_of!(ifreq_nv_req, buf_length) - 0usize];
    [
        "Offset of field: ifreq_nv_req::length",
    ][::core::mem::offset_of!(ifreq_nv_req, length) - 4usize];
    [
        "Offset of field: ifreq_nv_req::buffer",
    ][::core::mem::offset_of!(ifreq_nv_req, buffer) - 8usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifreq {
    pub ifr_name: [::core::ffi::c_char; 16usize],
    pub ifr_ifru: ifreq__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union ifreq__bindgen_ty_1 {
    pub ifru_addr: sockaddr,
    pub ifru_dstaddr: sockaddr,
    pub ifru_broadaddr: sockaddr,
    pub ifru_buffer: ifreq_buffer,
    pub ifru_flags: [::core::ffi::c_short; 2usize],
    pub ifru_index: ::core::ffi::c_short,
    pub ifru_jid: ::core::ffi::c_int,
    pub ifru_metric: ::core::ffi::c_int,
    pub ifru_mtu: ::core::ffi::c_int,
    pub ifru_phys: ::core::ffi::c_int,
    pub ifru_media: ::core::ffi::c_int,
    pub ifru_data: caddr_t,
    pub ifru_cap: [::core::ffi::c_int; 2usize],
    pub ifru_fib: u_int,
    pub ifru_vlan_pcp: u_char,
    pub ifru_nv: ifreq_nv_req,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ifreq__bindgen_ty_1",
    ][::core::mem::size_of::<ifreq__bindgen_ty_1>() - 16usize];
    [
        "Alignment of ifreq__bindgen_ty_1",
    ][::core::mem::align_of::<ifreq__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_addr",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_addr) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_dstaddr",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_dstaddr) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_broadaddr",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_broadaddr) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_buffer",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_buffer) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_flags",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_flags) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_index",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_index) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_jid",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_jid) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_metric",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_metric) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_mtu",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_mtu) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_phys",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_phys) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_media",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_media) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_data",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_data) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_cap",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_cap) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_fib",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_fib) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_vlan_pcp",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_vlan_pcp) - 0usize];
    [
        "Offset of field: ifreq__bindgen_ty_1::ifru_nv",
    ][::core::mem::offset_of!(ifreq__bindgen_ty_1, ifru_nv) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifreq"][::core::mem::size_of::<ifreq>() - 32usize];
    ["Alignment of ifreq"][::core::mem::align_of::<ifreq>() - 8usize];
    [
        "Offset of field: ifreq::ifr_name",
    ][::core::mem::offset_of!(ifreq, ifr_name) - 0usize];
    [
        "Offset of field: ifreq::ifr_ifru",
    ][::core::mem::offset_of!(ifreq, ifr_ifru) - 16usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifaliasreq {
    pub ifra_name: [::core::ffi::c_char; 16usize],
    pub ifra_addr: sockaddr,
    pub ifra_broadaddr: sockaddr,
    pub ifra_mask: sockaddr,
    pub ifra_vhid: ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifaliasreq"][::core::mem::size_of::<ifaliasreq>() - 68usize];
    ["Alignment of ifaliasreq"][::core::mem::align_of::<ifaliasreq>() - 4usize];
    [
        "Offset of field: ifaliasreq::ifra_name",
    ][::core::mem::offset_of!(ifaliasreq, ifra_name) - 0usize];
    [
        "Offset of field: ifaliasreq::ifra_addr",
    ][::core::mem::offset_of!(ifaliasreq, ifra_addr) - 16usize];
    [
        "Offset of field: ifaliasreq::ifra_broadaddr",
    ][::core::mem::offset_of!(ifaliasreq, ifra_broadaddr) - 32usize];
    [
        "Offset of field: ifaliasreq::ifra_mask",
    ][::core::mem::offset_of!(ifaliasreq, ifra_mask) - 48usize];
    [
        "Offset of field: ifaliasreq::ifra_vhid",
    ][::core::mem::offset_of!(ifaliasreq, ifra_vhid) - 64usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct oifaliasreq {
    pub ifra_name: [::core::ffi::c_char; 16usize],
    pub ifra_addr: sockaddr,
    pub ifra_broadaddr: sockaddr,
    pub ifra_mask: sockaddr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of oifaliasreq"][::core::mem::size_of::<oifaliasreq>() - 64usize];
    ["Alignment of oifaliasreq"][::core::mem::align_of::<oifaliasreq>() - 1usize];
    [
        "Offset of field: oifaliasreq::ifra_name",
    ][::core::mem::offset_of!(oifaliasreq, ifra_name) - 0usize];
    [
        "Offset of field: oifaliasreq::ifra_addr",
    ][::core::mem::offset_of!(oifaliasreq, ifra_addr) - 16usize];
    [
        "Offset of field: oifaliasreq::ifra_broadaddr",
    ][::core::mem::offset_of!(oifaliasreq, ifra_broadaddr) - 32usize];
    [
        "Offset of field: oifaliasreq::ifra_mask",
    ][::core::mem::offset_of!(oifaliasreq, ifra_mask) - 48usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifmediareq {
    pub ifm_name: [::core::ffi::c_char; 16usize],
    pub ifm_current: ::core::ffi::c_int,
    pub ifm_mask: ::core::ffi::c_int,
    pub ifm_status: ::core::ffi::c_int,
    pub ifm_active: ::core::ffi::c_int,
    pub ifm_count: ::core::ffi::c_int,
    pub ifm_ulist: *mut ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifmediareq"][::core::mem::size_of::<ifmediareq>() - 48usize];
    ["Alignment of ifmediareq"][::core::mem::align_of::<ifmediareq>() - 8usize];
    [
        "Offset of field: ifmediareq::ifm_name",
    ][::core::mem::offset_of!(ifmediareq, ifm_name) - 0usize];
    [
        "Offset of field: ifmediareq::ifm_current",
    ][::core::mem::offset_of!(ifmediareq, ifm_current) - 16usize];
    [
        "Offset of field: ifmediareq::ifm_mask",
    ][::core::mem::offset_of!(ifmediareq, ifm_mask) - 20usize];
    [
        "Offset of field: ifmediareq::ifm_status",
    ][::core::mem::offset_of!(ifmediareq, ifm_status) - 24usize];
    [
        "Offset of field: ifmediareq::ifm_active",
    ][::core::mem::offset_of!(ifmediareq, ifm_active) - 28usize];
    [
        "Offset of field: ifmediareq::ifm_count",
    ][::core::mem::offset_of!(ifmediareq, ifm_count) - 32usize];
    [
        "Offset of field: ifmediareq::ifm_ulist",
    ][::core::mem::offset_of!(ifmediareq, ifm_ulist) - 40usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifdrv {
    pub ifd_name: [::core::ffi::c_char; 16usize],
    pub ifd_cmd: ::core::ffi::c_ulong,
    pub ifd_len: usize,
    pub ifd_data: *mut ::core::ffi::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifdrv"][::core::mem::size_of::<ifdrv>() - 40usize];
    ["Alignment of ifdrv"][::core::mem::align_of::<ifdrv>() - 8usize];
    [
        "Offset of field: ifdrv::ifd_name",
    ][::core::mem::offset_of!(ifdrv, ifd_name) - 0usize];
    [
        "Offset of field: ifdrv::ifd_cmd",
    ][::core::mem::offset_of!(ifdrv, ifd_cmd) - 16usize];
    [
        "Offset of field: ifdrv::ifd_len",
    ][::core::mem::offset_of!(ifdrv, ifd_len) - 24usize];
    [
        "Offset of field: ifdrv::ifd_data",
    ][::core::mem::offset_of!(ifdrv, ifd_data) - 32usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifstat {
    pub ifs_name: [::core::ffi::c_char; 16usize],
    pub ascii: [::core::ffi::c_char; 801usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifstat"][::core::mem::size_of::<ifstat>() - 817usize];
    ["Alignment of ifstat"][::core::mem::align_of::<ifstat>() - 1usize];
    [
        "Offset of field: ifstat::ifs_name",
    ][::core::mem::offset_of!(ifstat, ifs_name) - 0usize];
    ["Offset of field: ifstat::ascii"][::core::mem::offset_of!(ifstat, ascii) - 16usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifconf {
    pub ifc_len: ::core::ffi::c_int,
    pub ifc_ifcu: ifconf__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union ifconf__bindgen_ty_1 {
    pub ifcu_buf: caddr_t,
    pub ifcu_req: *mut ifreq,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ifconf__bindgen_ty_1",
    ][::core::mem::size_of::<ifconf__bindgen_ty_1>() - 8usize];
    [
        "Alignment of ifconf__bindgen_ty_1",
    ][::core::mem::align_of::<ifconf__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: ifconf__bindgen_ty_1::ifcu_buf",
    ][::core::mem::offset_of!(ifconf__bindgen_ty_1, ifcu_buf) - 0usize];
    [
        "Offset of field: ifconf__bindgen_ty_1::ifcu_req",
    ][::core::mem::offset_of!(ifconf__bindgen_ty_1, ifcu_req) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifconf"][::core::mem::size_of::<ifconf>() - 16usize];
    ["Alignment of ifconf"][::core::mem::align_of::<ifconf>() - 8usize];
    [
        "Offset of field: ifconf::ifc_len",
    ][::core::mem::offset_of!(ifconf, ifc_len) - 0usize];
    [
        "Offset of field: ifconf::ifc_ifcu",
    ][::core::mem::offset_of!(ifconf, ifc_ifcu) - 8usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifg_req {
    pub ifgrq_ifgrqu: ifg_req__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union ifg_req__bindgen_ty_1 {
    pub ifgrqu_group: [::core::ffi::c_char; 16usize],
    pub ifgrqu_member: [::core::ffi::c_char; 16usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ifg_req__bindgen_ty_1",
    ][::core::mem::size_of::<ifg_req__bindgen_ty_1>() - 16usize];
    [
        "Alignment of ifg_req__bindgen_ty_1",
    ][::core::mem::align_of::<ifg_req__bindgen_ty_1>() - 1usize];
    [
        "Offset of field: ifg_req__bindgen_ty_1::ifgrqu_group",
    ][::core::mem::offset_of!(ifg_req__bindgen_ty_1, ifgrqu_group) - 0usize];
    [
        "Offset of field: ifg_req__bindgen_ty_1::ifgrqu_member",
    ][::core::mem::offset_of!(ifg_req__bindgen_ty_1, ifgrqu_member) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifg_req"][::core::mem::size_of::<ifg_req>() - 16usize];
    ["Alignment of ifg_req"][::core::mem::align_of::<ifg_req>() - 1usize];
    [
        "Offset of field: ifg_req::ifgrq_ifgrqu",
    ][::core::mem::offset_of!(ifg_req, ifgrq_ifgrqu) - 0usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifgroupreq {
    pub ifgr_name: [::core::ffi::c_char; 16usize],
    pub ifgr_len: u_int,
    pub ifgr_ifgru: ifgroupreq__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union ifgroupreq__bindgen_ty_1 {
    pub ifgru_group: [::core::ffi::c_char; 16usize],
    pub ifgru_groups: *mut ifg_req,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ifgroupreq__bindgen_ty_1",
    ][::core::mem::size_of::<ifgroupreq__bindgen_ty_1>() - 16usize];
    [
        "Alignment of ifgroupreq__bindgen_ty_1",
    ][::core::mem::align_of::<ifgroupreq__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: ifgroupreq__bindgen_ty_1::ifgru_group",
    ][::core::mem::offset_of!(ifgroupreq__bindgen_ty_1, ifgru_group) - 0usize];
    [
        "Offset of field: ifgroupreq__bindgen_ty_1::ifgru_groups",
    ][::core::mem::offset_of!(ifgroupreq__bindgen_ty_1, ifgru_groups) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifgroupreq"][::core::mem::size_of::<ifgroupreq>() - 40usize];
    ["Alignment of ifgroupreq"][::core::mem::align_of::<ifgroupreq>() - 8usize];
    [
        "Offset of field: ifgroupreq::ifgr_name",
    ][::core::mem::offset_of!(ifgroupreq, ifgr_name) - 0usize];
    [
        "Offset of field: ifgroupreq::ifgr_len",
    ][::core::mem::offset_of!(ifgroupreq, ifgr_len) - 16usize];
    [
        "Offset of field: ifgroupreq::ifgr_ifgru",
    ][::core::mem::offset_of!(ifgroupreq, ifgr_ifgru) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifi2creq {
    pub dev_addr: u8,
    pub offset: u8,
    pub len: u8,
    pub spare0: u8,
    pub spare1: u32,
    pub data: [u8; 8usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifi2creq"][::core::mem::size_of::<ifi2creq>() - 16usize];
    ["Alignment of ifi2creq"][::core::mem::align_of::<ifi2creq>() - 4usize];
    [
        "Offset of field: ifi2creq::dev_addr",
    ][::core::mem::offset_of!(ifi2creq, dev_addr) - 0usize];
    [
        "Offset of field: ifi2creq::offset",
    ][::core::mem::offset_of!(ifi2creq, offset) - 1usize];
    ["Offset of field: ifi2creq::len"][::core::mem::offset_of!(ifi2creq, len) - 2usize];
    [
        "Offset of field: ifi2creq::spare0",
    ][::core::mem::offset_of!(ifi2creq, spare0) - 3usize];
    [
        "Offset of field: ifi2creq::spare1",
    ][::core::mem::offset_of!(ifi2creq, spare1) - 4usize];
    [
        "Offset of field: ifi2creq::data",
    ][::core::mem::offset_of!(ifi2creq, data) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifrsskey {
    pub ifrk_name: [::core::ffi::c_char; 16usize],
    pub ifrk_func: u8,
    pub ifrk_spare0: u8,
    pub ifrk_keylen: u16,
    pub ifrk_key: [u8; 128usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifrsskey"][::core::mem::size_of::<ifrsskey>() - 148usize];
    ["Alignment of ifrsskey"][::core::mem::align_of::<ifrsskey>() - 2usize];
    [
        "Offset of field: ifrsskey::ifrk_name",
    ][::core::mem::offset_of!(ifrsskey, ifrk_name) - 0usize];
    [
        "Offset of field: ifrsskey::ifrk_func",
    ][::core::mem::offset_of!(ifrsskey, ifrk_func) - 16usize];
    [
        "Offset of field: ifrsskey::ifrk_spare0",
    ][::core::mem::offset_of!(ifrsskey, ifrk_spare0) - 17usize];
    [
        "Offset of field: ifrsskey::ifrk_keylen",
    ][::core::mem::offset_of!(ifrsskey, ifrk_keylen) - 18usize];
    [
        "Offset of field: ifrsskey::ifrk_key",
    ][::core::mem::offset_of!(ifrsskey, ifrk_key) - 20usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifrsshash {
    pub ifrh_name: [::core::ffi::c_char; 16usize],
    pub ifrh_func: u8,
    pub ifrh_spare0: u8,
    pub ifrh_spare1: u16,
    pub ifrh_types: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifrsshash"][::core::mem::size_of::<ifrsshash>() - 24usize];
    ["Alignment of ifrsshash"][::core::mem::align_of::<ifrsshash>() - 4usize];
    [
        "Offset of field: ifrsshash::ifrh_name",
    ][::core::mem::offset_of!(ifrsshash, ifrh_name) - 0usize];
    [
        "Offset of field: ifrsshash::ifrh_func",
    ][::core::mem::offset_of!(ifrsshash, ifrh_func) - 16usize];
    [
        "Offset of field: ifrsshash::ifrh_spare0",
    ][::core::mem::offset_of!(ifrsshash, ifrh_spare0) - 17usize];
    [
        "Offset of field: ifrsshash::ifrh_spare1",
    ][::core::mem::offset_of!(ifrsshash, ifrh_spare1) - 18usize];
    [
        "Offset of field: ifrsshash::ifrh_types",
    ][::core::mem::offset_of!(ifrsshash, ifrh_types) - 20usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifdownreason {
    pub ifdr_name: [::core::ffi::c_char; 16usize],
    pub ifdr_reason: u32,
    pub ifdr_vendor: u32,
    pub ifdr_msg: [::core::ffi::c_char; 64usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifdownreason"][::core::mem::size_of::<ifdownreason>() - 88usize];
    ["Alignment of ifdownreason"][::core::mem::align_of::<ifdownreason>() - 4usize];
    [
        "Offset of field: ifdownreason::ifdr_name",
    ][::core::mem::offset_of!(ifdownreason, ifdr_name) - 0usize];
    [
        "Offset of field: ifdownreason::ifdr_reason",
    ][::core::mem::offset_of!(ifdownreason, ifdr_reason) - 16usize];
    [
        "Offset of field: ifdownreason::ifdr_vendor",
    ][::core::mem::offset_of!(ifdownreason, ifdr_vendor) - 20usize];
    [
        "Offset of field: ifdownreason::ifdr_msg",
    ][::core::mem::offset_of!(ifdownreason, ifdr_msg) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct sockaddr_dl {
    pub sdl_len: u_char,
    pub sdl_family: u_char,
    pub sdl_index: u_short,
    pub sdl_type: u_char,
    pub sdl_nlen: u_char,
    pub sdl_alen: u_char,
    pub sdl_slen: u_char,
    pub sdl_data: [::core::ffi::c_char; 46usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr_dl"][::core::mem::size_of::<sockaddr_dl>() - 54usize];
    ["Alignment of sockaddr_dl"][::core::mem::align_of::<sockaddr_dl>() - 2usize];
    [
        "Offset of field: sockaddr_dl::sdl_len",
    ][::core::mem::offset_of!(sockaddr_dl, sdl_len) - 0usize];
    [
        "Offset of field: sockaddr_dl::sdl_family",
    ][::core::mem::offset_of!(sockaddr_dl, sdl_family) - 1usize];
    [
        "Offset of field: sockaddr_dl::sdl_index",
    ][::core::mem::offset_of!(sockaddr_dl, sdl_index) - 2usize];
    [
        "Offset of field: sockaddr_dl::sdl_type",
    ][::core::mem::offset_of!(sockaddr_dl, sdl_type) - 4usize];
    [
        "Offset of field: sockaddr_dl::sdl_nlen",
    ][::core::mem::offset_of!(sockaddr_dl, sdl_nlen) - 5usize];
    [
        "Offset of field: sockaddr_dl::sdl_alen",
    ][::core::mem::offset_of!(sockaddr_dl, sdl_alen) - 6usize];
    [
        "Offset of field: sockaddr_dl::sdl_slen",
    ][::core::mem::offset_of!(sockaddr_dl, sdl_slen) - 7usize];
    [
        "Offset of field: sockaddr_dl::sdl_data",
    ][::core::mem::offset_of!(sockaddr_dl, sdl_data) - 8usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifmibdata {
    pub ifmd_name: [::core::ffi::c_char; 16usize],
    pub ifmd_pcount: ::core::ffi::c_int,
    pub ifmd_flags: ::core::ffi::c_int,
    pub ifmd_snd_len: ::core::ffi::c_int,
    pub ifmd_snd_maxlen: ::core::ffi::c_int,
    pub ifmd_snd_drops: ::core::ffi::c_int,
    pub ifmd_filler: [::core::ffi::c_int; 4usize],
    pub ifmd_data: if_data,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifmibdata"][::core::mem::size_of::<ifmibdata>() - 208usize];
    ["Alignment of ifmibdata"][::core::mem::align_of::<ifmibdata>() - 8usize];
    [
        "Offset of field: ifmibdata::ifmd_name",
    ][::core::mem::offset_of!(ifmibdata, ifmd_name) - 0usize];
    [
        "Offset of field: ifmibdata::ifmd_pcount",
    ][::core::mem::offset_of!(ifmibdata, ifmd_pcount) - 16usize];
    [
        "Offset of field: ifmibdata::ifmd_flags",
    ][::core::mem::offset_of!(ifmibdata, ifmd_flags) - 20usize];
    [
        "Offset of field: ifmibdata::ifmd_snd_len",
    ][::core::mem::offset_of!(ifmibdata, ifmd_snd_len) - 24usize];
    [
        "Offset of field: ifmibdata::ifmd_snd_maxlen",
    ][::core::mem::offset_of!(ifmibdata, ifmd_snd_maxlen) - 28usize];
    [
        "Offset of field: ifmibdata::ifmd_snd_drops",
    ][::core::mem::offset_of!(ifmibdata, ifmd_snd_drops) - 32usize];
    [
        "Offset of field: ifmibdata::ifmd_filler",
    ][::core::mem::offset_of!(ifmibdata, ifmd_filler) - 36usize];
    [
        "Offset of field: ifmibdata::ifmd_data",
    ][::core::mem::offset_of!(ifmibdata, ifmd_data) - 56usize];
};
pub const IFT_OTHER: ifType = 1;
pub const IFT_1822: ifType = 2;
pub const IFT_HDH1822: ifType = 3;
pub const IFT_X25DDN: ifType = 4;
pub const IFT_X25: ifType = 5;
pub const IFT_ETHER: ifType = 6;
pub const IFT_ISO88023: ifType = 7;
pub const IFT_ISO88024: ifType = 8;
pub const IFT_ISO88025: ifType = 9;
pub const IFT_ISO88026: ifType = 10;
pub const IFT_STARLAN: ifType = 11;
pub const IFT_P10: ifType = 12;
pub const IFT_P80: ifType = 13;
pub const IFT_HY: ifType = 14;
pub const IFT_FDDI: ifType = 15;
pub const IFT_LAPB: ifType = 16;
pub const IFT_SDLC: ifType = 17;
pub const IFT_T1: ifType = 18;
pub const IFT_CEPT: ifType = 19;
pub const IFT_ISDNBASIC: ifType = 20;
pub const IFT_ISDNPRIMARY: ifType = 21;
pub const IFT_PTPSERIAL: ifType = 22;
pub const IFT_PPP: ifType = 23;
pub const IFT_LOOP: ifType = 24;
pub const IFT_EON: ifType = 25;
pub const IFT_XETHER: ifType = 26;
pub const IFT_NSIP: ifType = 27;
pub const IFT_SLIP: ifType = 28;
pub const IFT_ULTRA: ifType = 29;
pub const IFT_DS3: ifType = 30;
pub const IFT_SIP: ifType = 31;
pub const IFT_FRELAY: ifType = 32;
pub const IFT_RS232: ifType = 33;
pub const IFT_PARA: ifType = 34;
pub const IFT_ARCNET: ifType = 35;
pub const IFT_ARCNETPLUS: ifType = 36;
pub const IFT_ATM: ifType = 37;
pub const IFT_MIOX25: ifType = 38;
pub const IFT_SONET: ifType = 39;
pub const IFT_X25PLE: ifType = 40;
pub const IFT_ISO88022LLC: ifType = 41;
pub const IFT_LOCALTALK: ifType = 42;
pub const IFT_SMDSDXI: ifType = 43;
pub const IFT_FRELAYDCE: ifType = 44;
pub const IFT_V35: ifType = 45;
pub const IFT_HSSI: ifType = 46;
pub const IFT_HIPPI: ifType = 47;
pub const IFT_MODEM: ifType = 48;
pub const IFT_AAL5: ifType = 49;
pub const IFT_SONETPATH: ifType = 50;
pub const IFT_SONETVT: ifType = 51;
pub const IFT_SMDSICIP: ifType = 52;
pub const IFT_PROPVIRTUAL: ifType = 53;
pub const IFT_PROPMUX: ifType = 54;
pub const IFT_IEEE80212: ifType = 55;
pub const IFT_FIBRECHANNEL: ifType = 56;
pub const IFT_HIPPIINTERFACE: ifType = 57;
pub const IFT_FRAMERELAYINTERCONNECT: ifType = 58;
pub const IFT_AFLANE8023: ifType = 59;
pub const IFT_AFLANE8025: ifType = 60;
pub const IFT_CCTEMUL: ifType = 61;
pub const IFT_FASTETHER: ifType = 62;
pub const IFT_ISDN: ifType = 63;
pub const IFT_V11: ifType = 64;
pub const IFT_V36: ifType = 65;
pub const IFT_G703AT64K: ifType = 66;
pub const IFT_G703AT2MB: ifType = 67;
pub const IFT_QLLC: ifType = 68;
pub const IFT_FASTETHERFX: ifType = 69;
pub const IFT_CHANNEL: ifType = 70;
pub const IFT_IEEE80211: ifType = 71;
pub const IFT_IBM370PARCHAN: ifType = 72;
pub const IFT_ESCON: ifType = 73;
pub const IFT_DLSW: ifType = 74;
pub const IFT_ISDNS: ifType = 75;
pub const IFT_ISDNU: ifType = 76;
pub const IFT_LAPD: ifType = 77;
pub const IFT_IPSWITCH: ifType = 78;
pub const IFT_RSRB: ifType = 79;
pub const IFT_ATMLOGICAL: ifType = 80;
pub const IFT_DS0: ifType = 81;
pub const IFT_DS0BUNDLE: ifType = 82;
pub const IFT_BSC: ifType = 83;
pub const IFT_ASYNC: ifType = 84;
pub const IFT_CNR: ifType = 85;
pub const IFT_ISO88025DTR: ifType = 86;
pub const IFT_EPLRS: ifType = 87;
pub const IFT_ARAP: ifType = 88;
pub const IFT_PROPCNLS: ifType = 89;
pub const IFT_HOSTPAD: ifType = 90;
pub const IFT_TERMPAD: ifType = 91;
pub const IFT_FRAMERELAYMPI: ifType = 92;
pub const IFT_X213: ifType = 93;
pub const IFT_ADSL: ifType = 94;
pub const IFT_RADSL: ifType = 95;
pub const IFT_SDSL: ifType = 96;
pub const IFT_VDSL: ifType = 97;
pub const IFT_ISO88025CRFPINT: ifType = 98;
pub const IFT_MYRINET: ifType = 99;
pub const IFT_VOICEEM: ifType = 100;
pub const IFT_VOICEFXO: ifType = 101;
pub const IFT_VOICEFXS: ifType = 102;
pub const IFT_VOICEENCAP: ifType = 103;
pub const IFT_VOICEOVERIP: ifType = 104;
pub const IFT_ATMDXI: ifType = 105;
pub const IFT_ATMFUNI: ifType = 106;
pub const IFT_ATMIMA: ifType = 107;
pub const IFT_PPPMULTILINKBUNDLE: ifType = 108;
pub const IFT_IPOVERCDLC: ifType = 109;
pub const IFT_IPOVERCLAW: ifType = 110;
pub const IFT_STACKTOSTACK: ifType = 111;
pub const IFT_VIRTUALIPADDRESS: ifType = 112;
pub const IFT_MPC: ifType = 113;
pub const IFT_IPOVERATM: ifType = 114;
pub const IFT_ISO88025FIBER: ifType = 115;
pub const IFT_TDLC: ifType = 116;
pub const IFT_GIGABITETHERNET: ifType = 117;
pub const IFT_HDLC: ifType = 118;
pub const IFT_LAPF: ifType = 119;
pub const IFT_V37: ifType = 120;
pub const IFT_X25MLP: ifType = 121;
pub const IFT_X25HUNTGROUP: ifType = 122;
pub const IFT_TRANSPHDLC: ifType = 123;
pub const IFT_INTERLEAVE: ifType = 124;
pub const IFT_FAST: ifType = 125;
pub const IFT_IP: ifType = 126;
pub const IFT_DOCSCABLEMACLAYER: ifType = 127;
pub const IFT_DOCSCABLEDOWNSTREAM: ifType = 128;
pub const IFT_DOCSCABLEUPSTREAM: ifType = 129;
pub const IFT_A12MPPSWITCH: ifType = 130;
pub const IFT_TUNNEL: ifType = 131;
pub const IFT_COFFEE: ifType = 132;
pub const IFT_CES: ifType = 133;
pub const IFT_ATMSUBINTERFACE: ifType = 134;
pub const IFT_L2VLAN: ifType = 135;
pub const IFT_L3IPVLAN: ifType = 136;
pub const IFT_L3IPXVLAN: ifType = 137;
pub const IFT_DIGITALPOWERLINE: ifType = 138;
pub const IFT_MEDIAMAILOVERIP: ifType = 139;
pub const IFT_DTM: ifType = 140;
pub const IFT_DCN: ifType = 141;
pub const IFT_IPFORWARD: ifType = 142;
pub const IFT_MSDSL: ifType = 143;
pub const IFT_IEEE1394: ifType = 144;
pub const IFT_IFGSN: ifType = 145;
pub const IFT_DVBRCCMACLAYER: ifType = 146;
pub const IFT_DVBRCCDOWNSTREAM: ifType = 147;
pub const IFT_DVBRCCUPSTREAM: ifType = 148;
pub const IFT_ATMVIRTUAL: ifType = 149;
pub const IFT_MPLSTUNNEL: ifType = 150;
pub const IFT_SRP: ifType = 151;
pub const IFT_VOICEOVERATM: ifType = 152;
pub const IFT_VOICEOVERFRAMERELAY: ifType = 153;
pub const IFT_IDSL: ifType = 154;
pub const IFT_COMPOSITELINK: ifType = 155;
pub const IFT_SS7SIGLINK: ifType = 156;
pub const IFT_PROPWIRELESSP2P: ifType = 157;
pub const IFT_FRFORWARD: ifType = 158;
pub const IFT_RFC1483: ifType = 159;
pub const IFT_USB: ifType = 160;
pub const IFT_IEEE8023ADLAG: ifType = 161;
pub const IFT_BGPPOLICYACCOUNTING: ifType = 162;
pub const IFT_FRF16MFRBUNDLE: ifType = 163;
pub const IFT_H323GATEKEEPER: ifType = 164;
pub const IFT_H323PROXY: ifType = 165;
pub const IFT_MPLS: ifType = 166;
pub const IFT_MFSIGLINK: ifType = 167;
pub const IFT_HDSL2: ifType = 168;
pub const IFT_SHDSL: ifType = 169;
pub const IFT_DS1FDL: ifType = 170;
pub const IFT_POS: ifType = 171;
pub const IFT_DVBASILN: ifType = 172;
pub const IFT_DVBASIOUT: ifType = 173;
pub const IFT_PLC: ifType = 174;
pub const IFT_NFAS: ifType = 175;
pub const IFT_TR008: ifType = 176;
pub const IFT_GR303RDT: ifType = 177;
pub const IFT_GR303IDT: ifType = 178;
pub const IFT_ISUP: ifType = 179;
pub const IFT_PROPDOCSWIRELESSMACLAYER: ifType = 180;
pub const IFT_PROPDOCSWIRELESSDOWNSTREAM: ifType = 181;
pub const IFT_PROPDOCSWIRELESSUPSTREAM: ifType = 182;
pub const IFT_HIPERLAN2: ifType = 183;
pub const IFT_PROPBWAP2MP: ifType = 184;
pub const IFT_SONETOVERHEADCHANNEL: ifType = 185;
pub const IFT_DIGITALWRAPPEROVERHEADCHANNEL: ifType = 186;
pub const IFT_AAL2: ifType = 187;
pub const IFT_RADIOMAC: ifType = 188;
pub const IFT_ATMRADIO: ifType = 189;
pub const IFT_IMT: ifType = 190;
pub const IFT_MVL: ifType = 191;
pub const IFT_REACHDSL: ifType = 192;
pub const IFT_FRDLCIENDPT: ifType = 193;
pub const IFT_ATMVCIENDPT: ifType = 194;
pub const IFT_OPTICALCHANNEL: ifType = 195;
pub const IFT_OPTICALTRANSPORT: ifType = 196;
pub const IFT_INFINIBAND: ifType = 199;
pub const IFT_INFINIBANDLAG: ifType = 200;
pub const IFT_BRIDGE: ifType = 209;
pub const IFT_STF: ifType = 215;
pub const IFT_GIF: ifType = 240;
pub const IFT_PVC: ifType = 241;
pub const IFT_ENC: ifType = 244;
pub const IFT_PFLOG: ifType = 246;
pub const IFT_PFSYNC: ifType = 247;
pub const IFT_WIREGUARD: ifType = 248;
pub const IFT_MBIM: ifType = 249;
pub type ifType = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct vlanreq {
    pub vlr_parent: [::core::ffi::c_char; 16usize],
    pub vlr_tag: u_short,
    pub vlr_proto: u_short,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of vlanreq"][::core::mem::size_of::<vlanreq>() - 20usize];
    ["Alignment of vlanreq"][::core::mem::align_of::<vlanreq>() - 2usize];
    [
        "Offset of field: vlanreq::vlr_parent",
    ][::core::mem::offset_of!(vlanreq, vlr_parent) - 0usize];
    [
        "Offset of field: vlanreq::vlr_tag",
    ][::core::mem::offset_of!(vlanreq, vlr_tag) - 16usize];
    [
        "Offset of field: vlanreq::vlr_proto",
    ][::core::mem::offset_of!(vlanreq, vlr_proto) - 18usize];
};
pub type ether_vlanid_t = u16;
pub type ifbr_flags_t = u32;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifbreq {
    pub ifbr_ifsname: [::core::ffi::c_char; 16usize],
    pub ifbr_ifsflags: u32,
    pub ifbr_stpflags: u32,
    pub ifbr_path_cost: u32,
    pub ifbr_portno: u8,
    pub ifbr_priority: u8,
    pub ifbr_proto: u8,
    pub ifbr_role: u8,
    pub ifbr_state: u8,
    pub ifbr_addrcnt: u32,
    pub ifbr_addrmax: u32,
    pub ifbr_addrexceeded: u32,
    pub ifbr_pvid: ether_vlanid_t,
    pub ifbr_vlanproto: u16,
    pub pad: [u8; 28usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbreq"][::core::mem::size_of::<ifbreq>() - 80usize];
    ["Alignment of ifbreq"][::core::mem::align_of::<ifbreq>() - 4usize];
    [
        "Offset of field: ifbreq::ifbr_ifsname",
    ][::core::mem::offset_of!(ifbreq, ifbr_ifsname) - 0usize];
    [
        "Offset of field: ifbreq::ifbr_ifsflags",
    ][::core::mem::offset_of!(ifbreq, ifbr_ifsflags) - 16usize];
    [
        "Offset of field: ifbreq::ifbr_stpflags",
    ][::core::mem::offset_of!(ifbreq, ifbr_stpflags) - 20usize];
    [
        "Offset of field: ifbreq::ifbr_path_cost",
    ][::core::mem::offset_of!(ifbreq, ifbr_path_cost) - 24usize];
    [
        "Offset of field: ifbreq::ifbr_portno",
    ][::core::mem::offset_of!(ifbreq, ifbr_portno) - 28usize];
    [
        "Offset of field: ifbreq::ifbr_priority",
    ][::core::mem::offset_of!(ifbreq, ifbr_priority) - 29usize];
    [
        "Offset of field: ifbreq::ifbr_proto",
    ][::core::mem::offset_of!(ifbreq, ifbr_proto) - 30usize];
    [
        "Offset of field: ifbreq::ifbr_role",
    ][::core::mem::offset_of!(ifbreq, ifbr_role) - 31usize];
    [
        "Offset of field: ifbreq::ifbr_state",
    ][::core::mem::offset_of!(ifbreq, ifbr_state) - 32usize];
    [
        "Offset of field: ifbreq::ifbr_addrcnt",
    ][::core::mem::offset_of!(ifbreq, ifbr_addrcnt) - 36usize];
    [
        "Offset of field: ifbreq::ifbr_addrmax",
    ][::core::mem::offset_of!(ifbreq, ifbr_addrmax) - 40usize];
    [
        "Offset of field: ifbreq::ifbr_addrexceeded",
    ][::core::mem::offset_of!(ifbreq, ifbr_addrexceeded) - 44usize];
    [
        "Offset of field: ifbreq::ifbr_pvid",
    ][::core::mem::offset_of!(ifbreq, ifbr_pvid) - 48usize];
    [
        "Offset of field: ifbreq::ifbr_vlanproto",
    ][::core::mem::offset_of!(ifbreq, ifbr_vlanproto) - 50usize];
    ["Offset of field: ifbreq::pad"][::core::mem::offset_of!(ifbreq, pad) - 52usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifbifconf {
    pub ifbic_len: u32,
    pub ifbic_ifbicu: ifbifconf__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union ifbifconf__bindgen_ty_1 {
    pub ifbicu_buf: caddr_t,
    pub ifbicu_req: *mut ifbreq,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ifbifconf__bindgen_ty_1",
    ][::core::mem::size_of::<ifbifconf__bindgen_ty_1>() - 8usize];
    [
        "Alignment of ifbifconf__bindgen_ty_1",
    ][::core::mem::align_of::<ifbifconf__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: ifbifconf__bindgen_ty_1::ifbicu_buf",
    ][::core::mem::offset_of!(ifbifconf__bindgen_ty_1, ifbicu_buf) - 0usize];
    [
        "Offset of field: ifbifconf__bindgen_ty_1::ifbicu_req",
    ][::core::mem::offset_of!(ifbifconf__bindgen_ty_1, ifbicu_req) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbifconf"][::core::mem::size_of::<ifbifconf>() - 16usize];
    ["Alignment of ifbifconf"][::core::mem::align_of::<ifbifconf>() - 8usize];
    [
        "Offset of field: ifbifconf::ifbic_len",
    ][::core::mem::offset_of!(ifbifconf, ifbic_len) - 0usize];
    [
        "Offset of field: ifbifconf::ifbic_ifbicu",
    ][::core::mem::offset_of!(ifbifconf, ifbic_ifbicu) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifbareq {
    pub ifba_ifsname: [::core::ffi::c_char; 16usize],
    pub ifba_expire: ::core::ffi::c_ulong,
    pub ifba_flags: u8,
    pub ifba_dst: [u8; 6usize],
    pub ifba_vlan: ether_vlanid_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbareq"][::core::mem::size_of::<ifbareq>() - 40usize];
    ["Alignment of ifbareq"][::core::mem::align_of::<ifbareq>() - 8usize];
    [
        "Offset of field: ifbareq::ifba_ifsname",
    ][::core::mem::offset_of!(ifbareq, ifba_ifsname) - 0usize];
    [
        "Offset of field: ifbareq::ifba_expire",
    ][::core::mem::offset_of!(ifbareq, ifba_expire) - 16usize];
    [
        "Offset of field: ifbareq::ifba_flags",
    ][::core::mem::offset_of!(ifbareq, ifba_flags) - 24usize];
    [
        "Offset of field: ifbareq::ifba_dst",
    ][::core::mem::offset_of!(ifbareq, ifba_dst) - 25usize];
    [
        "Offset of field: ifbareq::ifba_vlan",
    ][::core::mem::offset_of!(ifbareq, ifba_vlan) - 32usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifbaconf {
    pub ifbac_len: u32,
    pub ifbac_ifbacu: ifbaconf__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union ifbaconf__bindgen_ty_1 {
    pub ifbacu_buf: caddr_t,
    pub ifbacu_req: *mut ifbareq,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ifbaconf__bindgen_ty_1",
    ][::core::mem::size_of::<ifbaconf__bindgen_ty_1>() - 8usize];
    [
        "Alignment of ifbaconf__bindgen_ty_1",
    ][::core::mem::align_of::<ifbaconf__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: ifbaconf__bindgen_ty_1::ifbacu_buf",
    ][::core::mem::offset_of!(ifbaconf__bindgen_ty_1, ifbacu_buf) - 0usize];
    [
        "Offset of field: ifbaconf__bindgen_ty_1::ifbacu_req",
    ][::core::mem::offset_of!(ifbaconf__bindgen_ty_1, ifbacu_req) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbaconf"][::core::mem::size_of::<ifbaconf>() - 16usize];
    ["Alignment of ifbaconf"][::core::mem::align_of::<ifbaconf>() - 8usize];
    [
        "Offset of field: ifbaconf::ifbac_len",
    ][::core::mem::offset_of!(ifbaconf, ifbac_len) - 0usize];
    [
        "Offset of field: ifbaconf::ifbac_ifbacu",
    ][::core::mem::offset_of!(ifbaconf, ifbac_ifbacu) - 8usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifbrparam {
    pub ifbrp_ifbrpu: ifbrparam__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union ifbrparam__bindgen_ty_1 {
    pub ifbrpu_int32: u32,
    pub ifbrpu_int16: u16,
    pub ifbrpu_int8: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ifbrparam__bindgen_ty_1",
    ][::core::mem::size_of::<ifbrparam__bindgen_ty_1>() - 4usize];
    [
        "Alignment of ifbrparam__bindgen_ty_1",
    ][::core::mem::align_of::<ifbrparam__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: ifbrparam__bindgen_ty_1::ifbrpu_int32",
    ][::core::mem::offset_of!(ifbrparam__bindgen_ty_1, ifbrpu_int32) - 0usize];
    [
        "Offset of field: ifbrparam__bindgen_ty_1::ifbrpu_int16",
    ][::core::mem::offset_of!(ifbrparam__bindgen_ty_1, ifbrpu_int16) - 0usize];
    [
        "Offset of field: ifbrparam__bindgen_ty_1::ifbrpu_int8",
    ][::core::mem::offset_of!(ifbrparam__bindgen_ty_1, ifbrpu_int8) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbrparam"][::core::mem::size_of::<ifbrparam>() - 4usize];
    ["Alignment of ifbrparam"][::core::mem::align_of::<ifbrparam>() - 4usize];
    [
        "Offset of field: ifbrparam::ifbrp_ifbrpu",
    ][::core::mem::offset_of!(ifbrparam, ifbrp_ifbrpu) - 0usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifbropreq {
    pub ifbop_holdcount: u8,
    pub ifbop_maxage: u8,
    pub ifbop_hellotime: u8,
    pub ifbop_fwddelay: u8,
    pub ifbop_protocol: u8,
    pub ifbop_priority: u16,
    pub ifbop_root_port: u16,
    pub ifbop_root_path_cost: u32,
    pub ifbop_bridgeid: u64,
    pub ifbop_designated_root: u64,
    pub ifbop_designated_bridge: u64,
    pub ifbop_last_tc_time: timeval,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbropreq"][::core::mem::size_of::<ifbropreq>() - 56usize];
    ["Alignment of ifbropreq"][::core::mem::align_of::<ifbropreq>() - 8usize];
    [
        "Offset of field: ifbropreq::ifbop_holdcount",
    ][::core::mem::offset_of!(ifbropreq, ifbop_holdcount) - 0usize];
    [
        "Offset of field: ifbropreq::ifbop_maxage",
    ][::core::mem::offset_of!(ifbropreq, ifbop_maxage) - 1usize];
    [
        "Offset of field: ifbropreq::ifbop_hellotime",
    ][::core::mem::offset_of!(ifbropreq, ifbop_hellotime) - 2usize];
    [
        "Offset of field: ifbropreq::ifbop_fwddelay",
    ][::core::mem::offset_of!(ifbropreq, ifbop_fwddelay) - 3usize];
    [
        "Offset of field: ifbropreq::ifbop_protocol",
    ][::core::mem::offset_of!(ifbropreq, ifbop_protocol) - 4usize];
    [
        "Offset of field: ifbropreq::ifbop_priority",
    ][::core::mem::offset_of!(ifbropreq, ifbop_priority) - 6usize];
    [
        "Offset of field: ifbropreq::ifbop_root_port",
    ][::core::mem::offset_of!(ifbropreq, ifbop_root_port) - 8usize];
    [
        "Offset of field: ifbropreq::ifbop_root_path_cost",
    ][::core::mem::offset_of!(ifbropreq, ifbop_root_path_cost) - 12usize];
    [
        "Offset of field: ifbropreq::ifbop_bridgeid",
    ][::core::mem::offset_of!(ifbropreq, ifbop_bridgeid) - 16usize];
    [
        "Offset of field: ifbropreq::ifbop_designated_root",
    ][::core::mem::offset_of!(ifbropreq, ifbop_designated_root) - 24usize];
    [
        "Offset of field: ifbropreq::ifbop_designated_bridge",
    ][::core::mem::offset_of!(ifbropreq, ifbop_designated_bridge) - 32usize];
    [
        "Offset of field: ifbropreq::ifbop_last_tc_time",
    ][::core::mem::offset_of!(ifbropreq, ifbop_last_tc_time) - 40usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifbpstpreq {
    pub ifbp_portno: u8,
    pub ifbp_fwd_trans: u32,
    pub ifbp_design_cost: u32,
    pub ifbp_design_port: u32,
    pub ifbp_design_bridge: u64,
    pub ifbp_design_root: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbpstpreq"][::core::mem::size_of::<ifbpstpreq>() - 32usize];
    ["Alignment of ifbpstpreq"][::core::mem::align_of::<ifbpstpreq>() - 8usize];
    [
        "Offset of field: ifbpstpreq::ifbp_portno",
    ][::core::mem::offset_of!(ifbpstpreq, ifbp_portno) - 0usize];
    [
        "Offset of field: ifbpstpreq::ifbp_fwd_trans",
    ][::core::mem::offset_of!(ifbpstpreq, ifbp_fwd_trans) - 4usize];
    [
        "Offset of field: ifbpstpreq::ifbp_design_cost",
    ][::core::mem::offset_of!(ifbpstpreq, ifbp_design_cost) - 8usize];
    [
        "Offset of field: ifbpstpreq::ifbp_design_port",
    ][::core::mem::offset_of!(ifbpstpreq, ifbp_design_port) - 12usize];
    [
        "Offset of field: ifbpstpreq::ifbp_design_bridge",
    ][::core::mem::offset_of!(ifbpstpreq, ifbp_design_bridge) - 16usize];
    [
        "Offset of field: ifbpstpreq::ifbp_design_root",
    ][::core::mem::offset_of!(ifbpstpreq, ifbp_design_root) - 24usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct ifbpstpconf {
    pub ifbpstp_len: u32,
    pub ifbpstp_ifbpstpu: ifbpstpconf__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union ifbpstpconf__bindgen_ty_1 {
    pub ifbpstpu_buf: caddr_t,
    pub ifbpstpu_req: *mut ifbpstpreq,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of ifbpstpconf__bindgen_ty_1",
    ][::core::mem::size_of::<ifbpstpconf__bindgen_ty_1>() - 8usize];
    [
        "Alignment of ifbpstpconf__bindgen_ty_1",
    ][::core::mem::align_of::<ifbpstpconf__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: ifbpstpconf__bindgen_ty_1::ifbpstpu_buf",
    ][::core::mem::offset_of!(ifbpstpconf__bindgen_ty_1, ifbpstpu_buf) - 0usize];
    [
        "Offset of field: ifbpstpconf__bindgen_ty_1::ifbpstpu_req",
    ][::core::mem::offset_of!(ifbpstpconf__bindgen_ty_1, ifbpstpu_req) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbpstpconf"][::core::mem::size_of::<ifbpstpconf>() - 16usize];
    ["Alignment of ifbpstpconf"][::core::mem::align_of::<ifbpstpconf>() - 8usize];
    [
        "Offset of field: ifbpstpconf::ifbpstp_len",
    ][::core::mem::offset_of!(ifbpstpconf, ifbpstp_len) - 0usize];
    [
        "Offset of field: ifbpstpconf::ifbpstp_ifbpstpu",
    ][::core::mem::offset_of!(ifbpstpconf, ifbpstp_ifbpstpu) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifbvlan_set {
    pub __bits: [::core::ffi::c_ulong; 64usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbvlan_set"][::core::mem::size_of::<ifbvlan_set>() - 512usize];
    ["Alignment of ifbvlan_set"][::core::mem::align_of::<ifbvlan_set>() - 8usize];
    [
        "Offset of field: ifbvlan_set::__bits",
    ][::core::mem::offset_of!(ifbvlan_set, __bits) - 0usize];
};
pub type ifbvlan_set_t = ifbvlan_set;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ifbif_vlan_req {
    pub bv_ifname: [::core::ffi::c_char; 16usize],
    pub bv_op: u8,
    pub bv_set: ifbvlan_set_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ifbif_vlan_req"][::core::mem::size_of::<ifbif_vlan_req>() - 536usize];
    ["Alignment of ifbif_vlan_req"][::core::mem::align_of::<ifbif_vlan_req>() - 8usize];
    [
        "Offset of field: ifbif_vlan_req::bv_ifname",
    ][::core::mem::offset_of!(ifbif_vlan_req, bv_ifname) - 0usize];
    [
        "Offset of field: ifbif_vlan_req::bv_op",
    ][::core::mem::offset_of!(ifbif_vlan_req, bv_op) - 16usize];
    [
        "Offset of field: ifbif_vlan_req::bv_set",
    ][::core::mem::offset_of!(ifbif_vlan_req, bv_set) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct rt_metrics {
    pub rmx_locks: u_long,
    pub rmx_mtu: u_long,
    pub rmx_hopcount: u_long,
    pub rmx_expire: u_long,
    pub rmx_recvpipe: u_long,
    pub rmx_sendpipe: u_long,
    pub rmx_ssthresh: u_long,
    pub rmx_rtt: u_long,
    pub rmx_rttvar: u_long,
    pub rmx_pksent: u_long,
    pub rmx_weight: u_long,
    pub rmx_nhidx: u_long,
    pub rmx_filler: [u_long; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of rt_metrics"][::core::mem::size_of::<rt_metrics>() - 112usize];
    ["Alignment of rt_metrics"][::core::mem::align_of::<rt_metrics>() - 8usize];
    [
        "Offset of field: rt_metrics::rmx_locks",
    ][::core::mem::offset_of!(rt_metrics, rmx_locks) - 0usize];
    [
        "Offset of field: rt_metrics::rmx_mtu",
    ][::core::mem::offset_of!(rt_metrics, rmx_mtu) - 8usize];
    [
        "Offset of field: rt_metrics::rmx_hopcount",
    ][::core::mem::offset_of!(rt_metrics, rmx_hopcount) - 16usize];
    [
        "Offset of field: rt_metrics::rmx_expire",
    ][::core::mem::offset_of!(rt_metrics, rmx_expire) - 24usize];
    [
        "Offset of field: rt_metrics::rmx_recvpipe",
    ][::core::mem::offset_of!(rt_metrics, rmx_recvpipe) - 32usize];
    [
        "Offset of field: rt_metrics::rmx_sendpipe",
    ][::core::mem::offset_of!(rt_metrics, rmx_sendpipe) - 40usize];
    [
        "Offset of field: rt_metrics::rmx_ssthresh",
    ][::core::mem::offset_of!(rt_metrics, rmx_ssthresh) - 48usize];
    [
        "Offset of field: rt_metrics::rmx_rtt",
    ][::core::mem::offset_of!(rt_metrics, rmx_rtt) - 56usize];
    [
        "Offset of field: rt_metrics::rmx_rttvar",
    ][::core::mem::offset_of!(rt_metrics, rmx_rttvar) - 64usize];
    [
        "Offset of field: rt_metrics::rmx_pksent",
    ][::core::mem::offset_of!(rt_metrics, rmx_pksent) - 72usize];
    [
        "Offset of field: rt_metrics::rmx_weight",
    ][::core::mem::offset_of!(rt_metrics, rmx_weight) - 80usize];
    [
        "Offset of field: rt_metrics::rmx_nhidx",
    ][::core::mem::offset_of!(rt_metrics, rmx_nhidx) - 88usize];
    [
        "Offset of field: rt_metrics::rmx_filler",
    ][::core::mem::offset_of!(rt_metrics, rmx_filler) - 96usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct rt_msghdr {
    pub rtm_msglen: u_short,
    pub rtm_version: u_char,
    pub rtm_type: u_char,
    pub rtm_index: u_short,
    pub _rtm_spare1: u_short,
    pub rtm_flags: ::core::ffi::c_int,
    pub rtm_addrs: ::core::ffi::c_int,
    pub rtm_pid: pid_t,
    pub rtm_seq: ::core::ffi::c_int,
    pub rtm_errno: ::core::ffi::c_int,
    pub rtm_fmask: ::core::ffi::c_int,
    pub rtm_inits: u_long,
    pub rtm_rmx: rt_metrics,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of rt_msghdr"][::core::mem::size_of::<rt_msghdr>() - 152usize];
    ["Alignment of rt_msghdr"][::core::mem::align_of::<rt_msghdr>() - 8usize];
    [
        "Offset of field: rt_msghdr::rtm_msglen",
    ][::core::mem::offset_of!(rt_msghdr, rtm_msglen) - 0usize];
    [
        "Offset of field: rt_msghdr::rtm_version",
    ][::core::mem::offset_of!(rt_msghdr, rtm_version) - 2usize];
    [
        "Offset of field: rt_msghdr::rtm_type",
    ][::core::mem::offset_of!(rt_msghdr, rtm_type) - 3usize];
    [
        "Offset of field: rt_msghdr::rtm_index",
    ][::core::mem::offset_of!(rt_msghdr, rtm_index) - 4usize];
    [
        "Offset of field: rt_msghdr::_rtm_spare1",
    ][::core::mem::offset_of!(rt_msghdr, _rtm_spare1) - 6usize];
    [
        "Offset of field: rt_msghdr::rtm_flags",
    ][::core::mem::offset_of!(rt_msghdr, rtm_flags) - 8usize];
    [
        "Offset of field: rt_msghdr::rtm_addrs",
    ][::core::mem::offset_of!(rt_msghdr, rtm_addrs) - 12usize];
    [
        "Offset of field: rt_msghdr::rtm_pid",
    ][::core::mem::offset_of!(rt_msghdr, rtm_pid) - 16usize];
    [
        "Offset of field: rt_msghdr::rtm_seq",
    ][::core::mem::offset_of!(rt_msghdr, rtm_seq) - 20usize];
    [
        "Offset of field: rt_msghdr::rtm_errno",
    ][::core::mem::offset_of!(rt_msghdr, rtm_errno) - 24usize];
    [
        "Offset of field: rt_msghdr::rtm_fmask",
    ][::core::mem::offset_of!(rt_msghdr, rtm_fmask) - 28usize];
    [
        "Offset of field: rt_msghdr::rtm_inits",
    ][::core::mem::offset_of!(rt_msghdr, rtm_inits) - 32usize];
    [
        "Offset of field: rt_msghdr::rtm_rmx",
    ][::core::mem::offset_of!(rt_msghdr, rtm_rmx) - 40usize];
};
pub type counter_u64_t = *mut u64;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in_addr {
    pub s_addr: in_addr_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in_addr"][::core::mem::size_of::<in_addr>() - 4usize];
    ["Alignment of in_addr"][::core::mem::align_of::<in_addr>() - 4usize];
    [
        "Offset of field: in_addr::s_addr",
    ][::core::mem::offset_of!(in_addr, s_addr) - 0usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct sockaddr_in {
    pub sin_len: u8,
    pub sin_family: sa_family_t,
    pub sin_port: in_port_t,
    pub sin_addr: in_addr,
    pub sin_zero: [::core::ffi::c_char; 8usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr_in"][::core::mem::size_of::<sockaddr_in>() - 16usize];
    ["Alignment of sockaddr_in"][::core::mem::align_of::<sockaddr_in>() - 4usize];
    [
        "Offset of field: sockaddr_in::sin_len",
    ][::core::mem::offset_of!(sockaddr_in, sin_len) - 0usize];
    [
        "Offset of field: sockaddr_in::sin_family",
    ][::core::mem::offset_of!(sockaddr_in, sin_family) - 1usize];
    [
        "Offset of field: sockaddr_in::sin_port",
    ][::core::mem::offset_of!(sockaddr_in, sin_port) - 2usize];
    [
        "Offset of field: sockaddr_in::sin_addr",
    ][::core::mem::offset_of!(sockaddr_in, sin_addr) - 4usize];
    [
        "Offset of field: sockaddr_in::sin_zero",
    ][::core::mem::offset_of!(sockaddr_in, sin_zero) - 8usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_addr {
    pub __u6_addr: in6_addr__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union in6_addr__bindgen_ty_1 {
    pub __u6_addr8: [u8; 16usize],
    pub __u6_addr16: [u16; 8usize],
    pub __u6_addr32: [u32; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of in6_addr__bindgen_ty_1",
    ][::core::mem::size_of::<in6_addr__bindgen_ty_1>() - 16usize];
    [
        "Alignment of in6_addr__bindgen_ty_1",
    ][::core::mem::align_of::<in6_addr__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: in6_addr__bindgen_ty_1::__u6_addr8",
    ][::core::mem::offset_of!(in6_addr__bindgen_ty_1, __u6_addr8) - 0usize];
    [
        "Offset of field: in6_addr__bindgen_ty_1::__u6_addr16",
    ][::core::mem::offset_of!(in6_addr__bindgen_ty_1, __u6_addr16) - 0usize];
    [
        "Offset of field: in6_addr__bindgen_ty_1::__u6_addr32",
    ][::core::mem::offset_of!(in6_addr__bindgen_ty_1, __u6_addr32) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_addr"][::core::mem::size_of::<in6_addr>() - 16usize];
    ["Alignment of in6_addr"][::core::mem::align_of::<in6_addr>() - 4usize];
    [
        "Offset of field: in6_addr::__u6_addr",
    ][::core::mem::offset_of!(in6_addr, __u6_addr) - 0usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct sockaddr_in6 {
    pub sin6_len: u8,
    pub sin6_family: sa_family_t,
    pub sin6_port: in_port_t,
    pub sin6_flowinfo: u32,
    pub sin6_addr: in6_addr,
    pub sin6_scope_id: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sockaddr_in6"][::core::mem::size_of::<sockaddr_in6>() - 28usize];
    ["Alignment of sockaddr_in6"][::core::mem::align_of::<sockaddr_in6>() - 4usize];
    [
        "Offset of field: sockaddr_in6::sin6_len",
    ][::core::mem::offset_of!(sockaddr_in6, sin6_len) - 0usize];
    [
        "Offset of field: sockaddr_in6::sin6_family",
    ][::core::mem::offset_of!(sockaddr_in6, sin6_family) - 1usize];
    [
        "Offset of field: sockaddr_in6::sin6_port",
    ][::core::mem::offset_of!(sockaddr_in6, sin6_port) - 2usize];
    [
        "Offset of field: sockaddr_in6::sin6_flowinfo",
    ][::core::mem::offset_of!(sockaddr_in6, sin6_flowinfo) - 4usize];
    [
        "Offset of field: sockaddr_in6::sin6_addr",
    ][::core::mem::offset_of!(sockaddr_in6, sin6_addr) - 8usize];
    [
        "Offset of field: sockaddr_in6::sin6_scope_id",
    ][::core::mem::offset_of!(sockaddr_in6, sin6_scope_id) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfioc_nv {
    pub data: *mut ::core::ffi::c_void,
    pub len: usize,
    pub size: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfioc_nv"][::core::mem::size_of::<pfioc_nv>() - 24usize];
    ["Alignment of pfioc_nv"][::core::mem::align_of::<pfioc_nv>() - 8usize];
    [
        "Offset of field: pfioc_nv::data",
    ][::core::mem::offset_of!(pfioc_nv, data) - 0usize];
    ["Offset of field: pfioc_nv::len"][::core::mem::offset_of!(pfioc_nv, len) - 8usize];
    [
        "Offset of field: pfioc_nv::size",
    ][::core::mem::offset_of!(pfioc_nv, size) - 16usize];
};
#[repr(C)]
#[repr(align(4))]
#[derive(Debug, Copy, Clone)]
pub struct pf_addr {
    pub _bindgen_opaque_blob: [u32; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_addr"][::core::mem::size_of::<pf_addr>() - 16usize];
    ["Alignment of pf_addr"][::core::mem::align_of::<pf_addr>() - 4usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pf_addr_wrap {
    pub v: pf_addr_wrap__bindgen_ty_1,
    pub p: pf_addr_wrap__bindgen_ty_2,
    pub type_: u_int8_t,
    pub iflags: u_int8_t,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union pf_addr_wrap__bindgen_ty_1 {
    pub a: pf_addr_wrap__bindgen_ty_1__bindgen_ty_1,
    pub ifname: [::core::ffi::c_char; 16usize],
    pub tblname: [::core::ffi::c_char; 32usize],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_addr_wrap__bindgen_ty_1__bindgen_ty_1 {
    pub addr: pf_addr,
    pub mask: pf_addr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pf_addr_wrap__bindgen_ty_1__bindgen_ty_1",
    ][::core::mem::size_of::<pf_addr_wrap__bindgen_ty_1__bindgen_ty_1>() - 32usize];
    [
        "Alignment of pf_addr_wrap__bindgen_ty_1__bindgen_ty_1",
    ][::core::mem::align_of::<pf_addr_wrap__bindgen_ty_1__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_1__bindgen_ty_1::addr",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_1__bindgen_ty_1, addr) - 0usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_1__bindgen_ty_1::mask",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_1__bindgen_ty_1, mask) - 16usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pf_addr_wrap__bindgen_ty_1",
    ][::core::mem::size_of::<pf_addr_wrap__bindgen_ty_1>() - 32usize];
    [
        "Alignment of pf_addr_wrap__bindgen_ty_1",
    ][::core::mem::align_of::<pf_addr_wrap__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_1::a",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_1, a) - 0usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_1::ifname",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_1, ifname) - 0usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_1::tblname",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_1, tblname) - 0usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub union pf_addr_wrap__bindgen_ty_2 {
    pub dyn_: *mut pfi_dynaddr,
    pub tbl: *mut pfr_ktable,
    pub dyncnt: ::core::ffi::c_int,
    pub tblcnt: ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pf_addr_wrap__bindgen_ty_2",
    ][::core::mem::size_of::<pf_addr_wrap__bindgen_ty_2>() - 8usize];
    [
        "Alignment of pf_addr_wrap__bindgen_ty_2",
    ][::core::mem::align_of::<pf_addr_wrap__bindgen_ty_2>() - 8usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_2::dyn_",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_2, dyn_) - 0usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_2::tbl",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_2, tbl) - 0usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_2::dyncnt",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_2, dyncnt) - 0usize];
    [
        "Offset of field: pf_addr_wrap__bindgen_ty_2::tblcnt",
    ][::core::mem::offset_of!(pf_addr_wrap__bindgen_ty_2, tblcnt) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_addr_wrap"][::core::mem::size_of::<pf_addr_wrap>() - 48usize];
    ["Alignment of pf_addr_wrap"][::core::mem::align_of::<pf_addr_wrap>() - 8usize];
    [
        "Offset of field: pf_addr_wrap::v",
    ][::core::mem::offset_of!(pf_addr_wrap, v) - 0usize];
    [
        "Offset of field: pf_addr_wrap::p",
    ][::core::mem::offset_of!(pf_addr_wrap, p) - 32usize];
    [
        "Offset of field: pf_addr_wrap::type_",
    ][::core::mem::offset_of!(pf_addr_wrap, type_) - 40usize];
    [
        "Offset of field: pf_addr_wrap::iflags",
    ][::core::mem::offset_of!(pf_addr_wrap, iflags) - 41usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub union pf_rule_ptr {
    pub ptr: *mut pf_rule,
    pub nr: u_int32_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_rule_ptr"][::core::mem::size_of::<pf_rule_ptr>() - 8usize];
    ["Alignment of pf_rule_ptr"][::core::mem::align_of::<pf_rule_ptr>() - 8usize];
    [
        "Offset of field: pf_rule_ptr::ptr",
    ][::core::mem::offset_of!(pf_rule_ptr, ptr) - 0usize];
    [
        "Offset of field: pf_rule_ptr::nr",
    ][::core::mem::offset_of!(pf_rule_ptr, nr) - 0usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_rule_uid {
    pub uid: [uid_t; 2usize],
    pub op: u_int8_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_rule_uid"][::core::mem::size_of::<pf_rule_uid>() - 12usize];
    ["Alignment of pf_rule_uid"][::core::mem::align_of::<pf_rule_uid>() - 4usize];
    [
        "Offset of field: pf_rule_uid::uid",
    ][::core::mem::offset_of!(pf_rule_uid, uid) - 0usize];
    [
        "Offset of field: pf_rule_uid::op",
    ][::core::mem::offset_of!(pf_rule_uid, op) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_rule_gid {
    pub gid: [uid_t; 2usize],
    pub op: u_int8_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_rule_gid"][::core::mem::size_of::<pf_rule_gid>() - 12usize];
    ["Alignment of pf_rule_gid"][::core::mem::align_of::<pf_rule_gid>() - 4usize];
    [
        "Offset of field: pf_rule_gid::gid",
    ][::core::mem::offset_of!(pf_rule_gid, gid) - 0usize];
    [
        "Offset of field: pf_rule_gid::op",
    ][::core::mem::offset_of!(pf_rule_gid, op) - 8usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pf_rule_addr {
    pub addr: pf_addr_wrap,
    pub port: [u_int16_t; 2usize],
    pub neg: u_int8_t,
    pub port_op: u_int8_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_rule_addr"][::core::mem::size_of::<pf_rule_addr>() - 56usize];
    ["Alignment of pf_rule_addr"][::core::mem::align_of::<pf_rule_addr>() - 8usize];
    [
        "Offset of field: pf_rule_addr::addr",
    ][::core::mem::offset_of!(pf_rule_addr, addr) - 0usize];
    [
        "Offset of field: pf_rule_addr::port",
    ][::core::mem::offset_of!(pf_rule_addr, port) - 48usize];
    [
        "Offset of field: pf_rule_addr::neg",
    ][::core::mem::offset_of!(pf_rule_addr, neg) - 52usize];
    [
        "Offset of field: pf_rule_addr::port_op",
    ][::core::mem::offset_of!(pf_rule_addr, port_op) - 53usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pf_pooladdr {
    pub addr: pf_addr_wrap,
    pub entries: pf_pooladdr__bindgen_ty_1,
    pub ifname: [::core::ffi::c_char; 16usize],
    pub kif: *mut pfi_kif,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_pooladdr__bindgen_ty_1 {
    pub tqe_next: *mut pf_pooladdr,
    pub tqe_prev: *mut *mut pf_pooladdr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pf_pooladdr__bindgen_ty_1",
    ][::core::mem::size_of::<pf_pooladdr__bindgen_ty_1>() - 16usize];
    [
        "Alignment of pf_pooladdr__bindgen_ty_1",
    ][::core::mem::align_of::<pf_pooladdr__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: pf_pooladdr__bindgen_ty_1::tqe_next",
    ][::core::mem::offset_of!(pf_pooladdr__bindgen_ty_1, tqe_next) - 0usize];
    [
        "Offset of field: pf_pooladdr__bindgen_ty_1::tqe_prev",
    ][::core::mem::offset_of!(pf_pooladdr__bindgen_ty_1, tqe_prev) - 8usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_pooladdr"][::core::mem::size_of::<pf_pooladdr>() - 88usize];
    ["Alignment of pf_pooladdr"][::core::mem::align_of::<pf_pooladdr>() - 8usize];
    [
        "Offset of field: pf_pooladdr::addr",
    ][::core::mem::offset_of!(pf_pooladdr, addr) - 0usize];
    [
        "Offset of field: pf_pooladdr::entries",
    ][::core::mem::offset_of!(pf_pooladdr, entries) - 48usize];
    [
        "Offset of field: pf_pooladdr::ifname",
    ][::core::mem::offset_of!(pf_pooladdr, ifname) - 64usize];
    [
        "Offset of field: pf_pooladdr::kif",
    ][::core::mem::offset_of!(pf_pooladdr, kif) - 80usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_palist {
    pub tqh_first: *mut pf_pooladdr,
    pub tqh_last: *mut *mut pf_pooladdr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_palist"][::core::mem::size_of::<pf_palist>() - 16usize];
    ["Alignment of pf_palist"][::core::mem::align_of::<pf_palist>() - 8usize];
    [
        "Offset of field: pf_palist::tqh_first",
    ][::core::mem::offset_of!(pf_palist, tqh_first) - 0usize];
    [
        "Offset of field: pf_palist::tqh_last",
    ][::core::mem::offset_of!(pf_palist, tqh_last) - 8usize];
};
#[repr(C)]
#[repr(align(4))]
#[derive(Debug, Copy, Clone)]
pub struct pf_poolhashkey {
    pub _bindgen_opaque_blob: [u32; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_poolhashkey"][::core::mem::size_of::<pf_poolhashkey>() - 16usize];
    ["Alignment of pf_poolhashkey"][::core::mem::align_of::<pf_poolhashkey>() - 4usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_pool {
    pub list: pf_palist,
    pub cur: *mut pf_pooladdr,
    pub key: pf_poolhashkey,
    pub counter: pf_addr,
    pub tblidx: ::core::ffi::c_int,
    pub proxy_port: [u_int16_t; 2usize],
    pub opts: u_int8_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_pool"][::core::mem::size_of::<pf_pool>() - 72usize];
    ["Alignment of pf_pool"][::core::mem::align_of::<pf_pool>() - 8usize];
    ["Offset of field: pf_pool::list"][::core::mem::offset_of!(pf_pool, list) - 0usize];
    ["Offset of field: pf_pool::cur"][::core::mem::offset_of!(pf_pool, cur) - 16usize];
    ["Offset of field: pf_pool::key"][::core::mem::offset_of!(pf_pool, key) - 24usize];
    [
        "Offset of field: pf_pool::counter",
    ][::core::mem::offset_of!(pf_pool, counter) - 40usize];
    [
        "Offset of field: pf_pool::tblidx",
    ][::core::mem::offset_of!(pf_pool, tblidx) - 56usize];
    [
        "Offset of field: pf_pool::proxy_port",
    ][::core::mem::offset_of!(pf_pool, proxy_port) - 60usize];
    ["Offset of field: pf_pool::opts"][::core::mem::offset_of!(pf_pool, opts) - 64usize];
};
pub type pf_osfp_t = u_int32_t;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pf_rule {
    pub src: pf_rule_addr,
    pub dst: pf_rule_addr,
    pub skip: [pf_rule_ptr; 8usize],
    pub label: [::core::ffi::c_char; 64usize],
    pub ifname: [::core::ffi::c_char; 16usize],
    pub qname: [::core::ffi::c_char; 64usize],
    pub pqname: [::core::ffi::c_char; 64usize],
    pub tagname: [::core::ffi::c_char; 64usize],
    pub match_tagname: [::core::ffi::c_char; 64usize],
    pub overload_tblname: [::core::ffi::c_char; 32usize],
    pub entries: pf_rule__bindgen_ty_1,
    pub rpool: pf_pool,
    pub evaluations: u_int64_t,
    pub packets: [u_int64_t; 2usize],
    pub bytes: [u_int64_t; 2usize],
    pub kif: *mut pfi_kif,
    pub anchor: *mut pf_anchor,
    pub overload_tbl: *mut pfr_ktable,
    pub os_fingerprint: pf_osfp_t,
    pub rtableid: ::core::ffi::c_int,
    pub timeout: [u_int32_t; 20usize],
    pub max_states: u_int32_t,
    pub max_src_nodes: u_int32_t,
    pub max_src_states: u_int32_t,
    pub max_src_conn: u_int32_t,
    pub max_src_conn_rate: pf_rule__bindgen_ty_2,
    pub qid: u_int32_t,
    pub pqid: u_int32_t,
    pub rt_listid: u_int32_t,
    pub nr: u_int32_t,
    pub prob: u_int32_t,
    pub cuid: uid_t,
    pub cpid: pid_t,
    pub states_cur: counter_u64_t,
    pub states_tot: counter_u64_t,
    pub src_nodes: counter_u64_t,
    pub return_icmp: u_int16_t,
    pub return_icmp6: u_int16_t,
    pub max_mss: u_int16_t,
    pub tag: u_int16_t,
    pub match_tag: u_int16_t,
    pub scrub_flags: u_int16_t,
    pub uid: pf_rule_uid,
    pub gid: pf_rule_gid,
    pub rule_flag: u_int32_t,
    pub action: u_int8_t,
    pub direction: u_int8_t,
    pub log: u_int8_t,
    pub logif: u_int8_t,
    pub quick: u_int8_t,
    pub ifnot: u_int8_t,
    pub match_tag_not: u_int8_t,
    pub natpass: u_int8_t,
    pub keep_state: u_int8_t,
    pub af: sa_family_t,
    pub proto: u_int8_t,
    pub type_: u_int8_t,
    pub code: u_int8_t,
    pub flags: u_int8_t,
    pub flagset: u_int8_t,
    pub min_ttl: u_int8_t,
    pub allow_opts: u_int8_t,
    pub rt: u_int8_t,
    pub return_ttl: u_int8_t,
    pub tos: u_int8_t,
    pub set_tos: u_int8_t,
    pub anchor_relative: u_int8_t,
    pub anchor_wildcard: u_int8_t,
    pub flush: u_int8_t,
    pub prio: u_int8_t,
    pub set_prio: [u_int8_t; 2usize],
    pub divert: pf_rule__bindgen_ty_3,
    pub u_states_cur: u64,
    pub u_states_tot: u64,
    pub u_src_nodes: u64,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_rule__bindgen_ty_1 {
    pub tqe_next: *mut pf_rule,
    pub tqe_prev: *mut *mut pf_rule,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pf_rule__bindgen_ty_1",
    ][::core::mem::size_of::<pf_rule__bindgen_ty_1>() - 16usize];
    [
        "Alignment of pf_rule__bindgen_ty_1",
    ][::core::mem::align_of::<pf_rule__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: pf_rule__bindgen_ty_1::tqe_next",
    ][::core::mem::offset_of!(pf_rule__bindgen_ty_1, tqe_next) - 0usize];
    [
        "Offset of field: pf_rule__bindgen_ty_1::tqe_prev",
    ][::core::mem::offset_of!(pf_rule__bindgen_ty_1, tqe_prev) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_rule__bindgen_ty_2 {
    pub limit: u_int32_t,
    pub seconds: u_int32_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pf_rule__bindgen_ty_2",
    ][::core::mem::size_of::<pf_rule__bindgen_ty_2>() - 8usize];
    [
        "Alignment of pf_rule__bindgen_ty_2",
    ][::core::mem::align_of::<pf_rule__bindgen_ty_2>() - 4usize];
    [
        "Offset of field: pf_rule__bindgen_ty_2::limit",
    ][::core::mem::offset_of!(pf_rule__bindgen_ty_2, limit) - 0usize];
    [
        "Offset of field: pf_rule__bindgen_ty_2::seconds",
    ][::core::mem::offset_of!(pf_rule__bindgen_ty_2, seconds) - 4usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pf_rule__bindgen_ty_3 {
    pub addr: pf_addr,
    pub port: u_int16_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pf_rule__bindgen_ty_3",
    ][::core::mem::size_of::<pf_rule__bindgen_ty_3>() - 20usize];
    [
        "Alignment of pf_rule__bindgen_ty_3",
    ][::core::mem::align_of::<pf_rule__bindgen_ty_3>() - 4usize];
    [
        "Offset of field: pf_rule__bindgen_ty_3::addr",
    ][::core::mem::offset_of!(pf_rule__bindgen_ty_3, addr) - 0usize];
    [
        "Offset of field: pf_rule__bindgen_ty_3::port",
    ][::core::mem::offset_of!(pf_rule__bindgen_ty_3, port) - 16usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pf_rule"][::core::mem::size_of::<pf_rule>() - 976usize];
    ["Alignment of pf_rule"][::core::mem::align_of::<pf_rule>() - 8usize];
    ["Offset of field: pf_rule::src"][::core::mem::offset_of!(pf_rule, src) - 0usize];
    ["Offset of field: pf_rule::dst"][::core::mem::offset_of!(pf_rule, dst) - 56usize];
    [
        "Offset of field: pf_rule::skip",
    ][::core::mem::offset_of!(pf_rule, skip) - 112usize];
    [
        "Offset of field: pf_rule::label",
    ][::core::mem::offset_of!(pf_rule, label) - 176usize];
    [
        "Offset of field: pf_rule::ifname",
    ][::core::mem::offset_of!(pf_rule, ifname) - 240usize];
    [
        "Offset of field: pf_rule::qname",
    ][::core::mem::offset_of!(pf_rule, qname) - 256usize];
    [
        "Offset of field: pf_rule::pqname",
    ][::core::mem::offset_of!(pf_rule, pqname) - 320usize];
    [
        "Offset of field: pf_rule::tagname",
    ][::core::mem::offset_of!(pf_rule, tagname) - 384usize];
    [
        "Offset of field: pf_rule::match_tagname",
    ][::core::mem::offset_of!(pf_rule, match_tagname) - 448usize];
    [
        "Offset of field: pf_rule::overload_tblname",
    ][::core::mem::offset_of!(pf_rule, overload_tblname) - 512usize];
    [
        "Offset of field: pf_rule::entries",
    ][::core::mem::offset_of!(pf_rule, entries) - 544usize];
    [
        "Offset of field: pf_rule::rpool",
    ][::core::mem::offset_of!(pf_rule, rpool) - 560usize];
    [
        "Offset of field: pf_rule::evaluations",
    ][::core::mem::offset_of!(pf_rule, evaluations) - 632usize];
    [
        "Offset of field: pf_rule::packets",
    ][::core::mem::offset_of!(pf_rule, packets) - 640usize];
    [
        "Offset of field: pf_rule::bytes",
    ][::core::mem::offset_of!(pf_rule, bytes) - 656usize];
    ["Offset of field: pf_rule::kif"][::core::mem::offset_of!(pf_rule, kif) - 672usize];
    [
        "Offset of field: pf_rule::anchor",
    ][::core::mem::offset_of!(pf_rule, anchor) - 680usize];
    [
        "Offset of field: pf_rule::overload_tbl",
    ][::core::mem::offset_of!(pf_rule, overload_tbl) - 688usize];
    [
        "Offset of field: pf_rule::os_fingerprint",
    ][::core::mem::offset_of!(pf_rule, os_fingerprint) - 696usize];
    [
        "Offset of field: pf_rule::rtableid",
    ][::core::mem::offset_of!(pf_rule, rtableid) - 700usize];
    [
        "Offset of field: pf_rule::timeout",
    ][::core::mem::offset_of!(pf_rule, timeout) - 704usize];
    [
        "Offset of field: pf_rule::max_states",
    ][::core::mem::offset_of!(pf_rule, max_states) - 784usize];
    [
        "Offset of field: pf_rule::max_src_nodes",
    ][::core::mem::offset_of!(pf_rule, max_src_nodes) - 788usize];
    [
        "Offset of field: pf_rule::max_src_states",
    ][::core::mem::offset_of!(pf_rule, max_src_states) - 792usize];
    [
        "Offset of field: pf_rule::max_src_conn",
    ][::core::mem::offset_of!(pf_rule, max_src_conn) - 796usize];
    [
        "Offset of field: pf_rule::max_src_conn_rate",
    ][::core::mem::offset_of!(pf_rule, max_src_conn_rate) - 800usize];
    ["Offset of field: pf_rule::qid"][::core::mem::offset_of!(pf_rule, qid) - 808usize];
    [
        "Offset of field: pf_rule::pqid",
    ][::core::mem::offset_of!(pf_rule, pqid) - 812usize];
    [
        "Offset of field: pf_rule::rt_listid",
    ][::core::mem::offset_of!(pf_rule, rt_listid) - 816usize];
    ["Offset of field: pf_rule::nr"][::core::mem::offset_of!(pf_rule, nr) - 820usize];
    [
        "Offset of field: pf_rule::prob",
    ][::core::mem::offset_of!(pf_rule, prob) - 824usize];
    [
        "Offset of field: pf_rule::cuid",
    ][::core::mem::offset_of!(pf_rule, cuid) - 828usize];
    [
        "Offset of field: pf_rule::cpid",
    ][::core::mem::offset_of!(pf_rule, cpid) - 832usize];
    [
        "Offset of field: pf_rule::states_cur",
    ][::core::mem::offset_of!(pf_rule, states_cur) - 840usize];
    [
        "Offset of field: pf_rule::states_tot",
    ][::core::mem::offset_of!(pf_rule, states_tot) - 848usize];
    [
        "Offset of field: pf_rule::src_nodes",
    ][::core::mem::offset_of!(pf_rule, src_nodes) - 856usize];
    [
        "Offset of field: pf_rule::return_icmp",
    ][::core::mem::offset_of!(pf_rule, return_icmp) - 864usize];
    [
        "Offset of field: pf_rule::return_icmp6",
    ][::core::mem::offset_of!(pf_rule, return_icmp6) - 866usize];
    [
        "Offset of field: pf_rule::max_mss",
    ][::core::mem::offset_of!(pf_rule, max_mss) - 868usize];
    ["Offset of field: pf_rule::tag"][::core::mem::offset_of!(pf_rule, tag) - 870usize];
    [
        "Offset of field: pf_rule::match_tag",
    ][::core::mem::offset_of!(pf_rule, match_tag) - 872usize];
    [
        "Offset of field: pf_rule::scrub_flags",
    ][::core::mem::offset_of!(pf_rule, scrub_flags) - 874usize];
    ["Offset of field: pf_rule::uid"][::core::mem::offset_of!(pf_rule, uid) - 876usize];
    ["Offset of field: pf_rule::gid"][::core::mem::offset_of!(pf_rule, gid) - 888usize];
    [
        "Offset of field: pf_rule::rule_flag",
    ][::core::mem::offset_of!(pf_rule, rule_flag) - 900usize];
    [
        "Offset of field: pf_rule::action",
    ][::core::mem::offset_of!(pf_rule, action) - 904usize];
    [
        "Offset of field: pf_rule::direction",
    ][::core::mem::offset_of!(pf_rule, direction) - 905usize];
    ["Offset of field: pf_rule::log"][::core::mem::offset_of!(pf_rule, log) - 906usize];
    [
        "Offset of field: pf_rule::logif",
    ][::core::mem::offset_of!(pf_rule, logif) - 907usize];
    [
        "Offset of field: pf_rule::quick",
    ][::core::mem::offset_of!(pf_rule, quick) - 908usize];
    [
        "Offset of field: pf_rule::ifnot",
    ][::core::mem::offset_of!(pf_rule, ifnot) - 909usize];
    [
        "Offset of field: pf_rule::match_tag_not",
    ][::core::mem::offset_of!(pf_rule, match_tag_not) - 910usize];
    [
        "Offset of field: pf_rule::natpass",
    ][::core::mem::offset_of!(pf_rule, natpass) - 911usize];
    [
        "Offset of field: pf_rule::keep_state",
    ][::core::mem::offset_of!(pf_rule, keep_state) - 912usize];
    ["Offset of field: pf_rule::af"][::core::mem::offset_of!(pf_rule, af) - 913usize];
    [
        "Offset of field: pf_rule::proto",
    ][::core::mem::offset_of!(pf_rule, proto) - 914usize];
    [
        "Offset of field: pf_rule::type_",
    ][::core::mem::offset_of!(pf_rule, type_) - 915usize];
    [
        "Offset of field: pf_rule::code",
    ][::core::mem::offset_of!(pf_rule, code) - 916usize];
    [
        "Offset of field: pf_rule::flags",
    ][::core::mem::offset_of!(pf_rule, flags) - 917usize];
    [
        "Offset of field: pf_rule::flagset",
    ][::core::mem::offset_of!(pf_rule, flagset) - 918usize];
    [
        "Offset of field: pf_rule::min_ttl",
    ][::core::mem::offset_of!(pf_rule, min_ttl) - 919usize];
    [
        "Offset of field: pf_rule::allow_opts",
    ][::core::mem::offset_of!(pf_rule, allow_opts) - 920usize];
    ["Offset of field: pf_rule::rt"][::core::mem::offset_of!(pf_rule, rt) - 921usize];
    [
        "Offset of field: pf_rule::return_ttl",
    ][::core::mem::offset_of!(pf_rule, return_ttl) - 922usize];
    ["Offset of field: pf_rule::tos"][::core::mem::offset_of!(pf_rule, tos) - 923usize];
    [
        "Offset of field: pf_rule::set_tos",
    ][::core::mem::offset_of!(pf_rule, set_tos) - 924usize];
    [
        "Offset of field: pf_rule::anchor_relative",
    ][::core::mem::offset_of!(pf_rule, anchor_relative) - 925usize];
    [
        "Offset of field: pf_rule::anchor_wildcard",
    ][::core::mem::offset_of!(pf_rule, anchor_wildcard) - 926usize];
    [
        "Offset of field: pf_rule::flush",
    ][::core::mem::offset_of!(pf_rule, flush) - 927usize];
    [
        "Offset of field: pf_rule::prio",
    ][::core::mem::offset_of!(pf_rule, prio) - 928usize];
    [
        "Offset of field: pf_rule::set_prio",
    ][::core::mem::offset_of!(pf_rule, set_prio) - 929usize];
    [
        "Offset of field: pf_rule::divert",
    ][::core::mem::offset_of!(pf_rule, divert) - 932usize];
    [
        "Offset of field: pf_rule::u_states_cur",
    ][::core::mem::offset_of!(pf_rule, u_states_cur) - 952usize];
    [
        "Offset of field: pf_rule::u_states_tot",
    ][::core::mem::offset_of!(pf_rule, u_states_tot) - 960usize];
    [
        "Offset of field: pf_rule::u_src_nodes",
    ][::core::mem::offset_of!(pf_rule, u_src_nodes) - 968usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfr_table {
    pub pfrt_anchor: [::core::ffi::c_char; 1024usize],
    pub pfrt_name: [::core::ffi::c_char; 32usize],
    pub pfrt_flags: u_int32_t,
    pub pfrt_fback: u_int8_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfr_table"][::core::mem::size_of::<pfr_table>() - 1064usize];
    ["Alignment of pfr_table"][::core::mem::align_of::<pfr_table>() - 4usize];
    [
        "Offset of field: pfr_table::pfrt_anchor",
    ][::core::mem::offset_of!(pfr_table, pfrt_anchor) - 0usize];
    [
        "Offset of field: pfr_table::pfrt_name",
    ][::core::mem::offset_of!(pfr_table, pfrt_name) - 1024usize];
    [
        "Offset of field: pfr_table::pfrt_flags",
    ][::core::mem::offset_of!(pfr_table, pfrt_flags) - 1056usize];
    [
        "Offset of field: pfr_table::pfrt_fback",
    ][::core::mem::offset_of!(pfr_table, pfrt_fback) - 1060usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pfr_addr {
    pub pfra_u: pfr_addr__bindgen_ty_1,
    pub pfra_af: u_int8_t,
    pub pfra_net: u_int8_t,
    pub pfra_not: u_int8_t,
    pub pfra_fback: u_int8_t,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union pfr_addr__bindgen_ty_1 {
    pub _pfra_ip4addr: in_addr,
    pub _pfra_ip6addr: in6_addr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pfr_addr__bindgen_ty_1",
    ][::core::mem::size_of::<pfr_addr__bindgen_ty_1>() - 16usize];
    [
        "Alignment of pfr_addr__bindgen_ty_1",
    ][::core::mem::align_of::<pfr_addr__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: pfr_addr__bindgen_ty_1::_pfra_ip4addr",
    ][::core::mem::offset_of!(pfr_addr__bindgen_ty_1, _pfra_ip4addr) - 0usize];
    [
        "Offset of field: pfr_addr__bindgen_ty_1::_pfra_ip6addr",
    ][::core::mem::offset_of!(pfr_addr__bindgen_ty_1, _pfra_ip6addr) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfr_addr"][::core::mem::size_of::<pfr_addr>() - 20usize];
    ["Alignment of pfr_addr"][::core::mem::align_of::<pfr_addr>() - 4usize];
    [
        "Offset of field: pfr_addr::pfra_u",
    ][::core::mem::offset_of!(pfr_addr, pfra_u) - 0usize];
    [
        "Offset of field: pfr_addr::pfra_af",
    ][::core::mem::offset_of!(pfr_addr, pfra_af) - 16usize];
    [
        "Offset of field: pfr_addr::pfra_net",
    ][::core::mem::offset_of!(pfr_addr, pfra_net) - 17usize];
    [
        "Offset of field: pfr_addr::pfra_not",
    ][::core::mem::offset_of!(pfr_addr, pfra_not) - 18usize];
    [
        "Offset of field: pfr_addr::pfra_fback",
    ][::core::mem::offset_of!(pfr_addr, pfra_fback) - 19usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pfioc_pooladdr {
    pub action: u_int32_t,
    pub ticket: u_int32_t,
    pub nr: u_int32_t,
    pub r_num: u_int32_t,
    pub r_action: u_int8_t,
    pub r_last: u_int8_t,
    pub af: u_int8_t,
    pub anchor: [::core::ffi::c_char; 1024usize],
    pub addr: pf_pooladdr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfioc_pooladdr"][::core::mem::size_of::<pfioc_pooladdr>() - 1136usize];
    ["Alignment of pfioc_pooladdr"][::core::mem::align_of::<pfioc_pooladdr>() - 8usize];
    [
        "Offset of field: pfioc_pooladdr::action",
    ][::core::mem::offset_of!(pfioc_pooladdr, action) - 0usize];
    [
        "Offset of field: pfioc_pooladdr::ticket",
    ][::core::mem::offset_of!(pfioc_pooladdr, ticket) - 4usize];
    [
        "Offset of field: pfioc_pooladdr::nr",
    ][::core::mem::offset_of!(pfioc_pooladdr, nr) - 8usize];
    [
        "Offset of field: pfioc_pooladdr::r_num",
    ][::core::mem::offset_of!(pfioc_pooladdr, r_num) - 12usize];
    [
        "Offset of field: pfioc_pooladdr::r_action",
    ][::core::mem::offset_of!(pfioc_pooladdr, r_action) - 16usize];
    [
        "Offset of field: pfioc_pooladdr::r_last",
    ][::core::mem::offset_of!(pfioc_pooladdr, r_last) - 17usize];
    [
        "Offset of field: pfioc_pooladdr::af",
    ][::core::mem::offset_of!(pfioc_pooladdr, af) - 18usize];
    [
        "Offset of field: pfioc_pooladdr::anchor",
    ][::core::mem::offset_of!(pfioc_pooladdr, anchor) - 19usize];
    [
        "Offset of field: pfioc_pooladdr::addr",
    ][::core::mem::offset_of!(pfioc_pooladdr, addr) - 1048usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct pfioc_rule {
    pub action: u_int32_t,
    pub ticket: u_int32_t,
    pub pool_ticket: u_int32_t,
    pub nr: u_int32_t,
    pub anchor: [::core::ffi::c_char; 1024usize],
    pub anchor_call: [::core::ffi::c_char; 1024usize],
    pub rule: pf_rule,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfioc_rule"][::core::mem::size_of::<pfioc_rule>() - 3040usize];
    ["Alignment of pfioc_rule"][::core::mem::align_of::<pfioc_rule>() - 8usize];
    [
        "Offset of field: pfioc_rule::action",
    ][::core::mem::offset_of!(pfioc_rule, action) - 0usize];
    [
        "Offset of field: pfioc_rule::ticket",
    ][::core::mem::offset_of!(pfioc_rule, ticket) - 4usize];
    [
        "Offset of field: pfioc_rule::pool_ticket",
    ][::core::mem::offset_of!(pfioc_rule, pool_ticket) - 8usize];
    [
        "Offset of field: pfioc_rule::nr",
    ][::core::mem::offset_of!(pfioc_rule, nr) - 12usize];
    [
        "Offset of field: pfioc_rule::anchor",
    ][::core::mem::offset_of!(pfioc_rule, anchor) - 16usize];
    [
        "Offset of field: pfioc_rule::anchor_call",
    ][::core::mem::offset_of!(pfioc_rule, anchor_call) - 1040usize];
    [
        "Offset of field: pfioc_rule::rule",
    ][::core::mem::offset_of!(pfioc_rule, rule) - 2064usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfioc_limit {
    pub index: ::core::ffi::c_int,
    pub limit: ::core::ffi::c_uint,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfioc_limit"][::core::mem::size_of::<pfioc_limit>() - 8usize];
    ["Alignment of pfioc_limit"][::core::mem::align_of::<pfioc_limit>() - 4usize];
    [
        "Offset of field: pfioc_limit::index",
    ][::core::mem::offset_of!(pfioc_limit, index) - 0usize];
    [
        "Offset of field: pfioc_limit::limit",
    ][::core::mem::offset_of!(pfioc_limit, limit) - 4usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfioc_ruleset {
    pub nr: u_int32_t,
    pub path: [::core::ffi::c_char; 1024usize],
    pub name: [::core::ffi::c_char; 64usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfioc_ruleset"][::core::mem::size_of::<pfioc_ruleset>() - 1092usize];
    ["Alignment of pfioc_ruleset"][::core::mem::align_of::<pfioc_ruleset>() - 4usize];
    [
        "Offset of field: pfioc_ruleset::nr",
    ][::core::mem::offset_of!(pfioc_ruleset, nr) - 0usize];
    [
        "Offset of field: pfioc_ruleset::path",
    ][::core::mem::offset_of!(pfioc_ruleset, path) - 4usize];
    [
        "Offset of field: pfioc_ruleset::name",
    ][::core::mem::offset_of!(pfioc_ruleset, name) - 1028usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfioc_trans {
    pub size: ::core::ffi::c_int,
    pub esize: ::core::ffi::c_int,
    pub array: *mut pfioc_trans_pfioc_trans_e,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfioc_trans_pfioc_trans_e {
    pub rs_num: ::core::ffi::c_int,
    pub anchor: [::core::ffi::c_char; 1024usize],
    pub ticket: u_int32_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of pfioc_trans_pfioc_trans_e",
    ][::core::mem::size_of::<pfioc_trans_pfioc_trans_e>() - 1032usize];
    [
        "Alignment of pfioc_trans_pfioc_trans_e",
    ][::core::mem::align_of::<pfioc_trans_pfioc_trans_e>() - 4usize];
    [
        "Offset of field: pfioc_trans_pfioc_trans_e::rs_num",
    ][::core::mem::offset_of!(pfioc_trans_pfioc_trans_e, rs_num) - 0usize];
    [
        "Offset of field: pfioc_trans_pfioc_trans_e::anchor",
    ][::core::mem::offset_of!(pfioc_trans_pfioc_trans_e, anchor) - 4usize];
    [
        "Offset of field: pfioc_trans_pfioc_trans_e::ticket",
    ][::core::mem::offset_of!(pfioc_trans_pfioc_trans_e, ticket) - 1028usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfioc_trans"][::core::mem::size_of::<pfioc_trans>() - 16usize];
    ["Alignment of pfioc_trans"][::core::mem::align_of::<pfioc_trans>() - 8usize];
    [
        "Offset of field: pfioc_trans::size",
    ][::core::mem::offset_of!(pfioc_trans, size) - 0usize];
    [
        "Offset of field: pfioc_trans::esize",
    ][::core::mem::offset_of!(pfioc_trans, esize) - 4usize];
    [
        "Offset of field: pfioc_trans::array",
    ][::core::mem::offset_of!(pfioc_trans, array) - 8usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfioc_table {
    pub pfrio_table: pfr_table,
    pub pfrio_buffer: *mut ::core::ffi::c_void,
    pub pfrio_esize: ::core::ffi::c_int,
    pub pfrio_size: ::core::ffi::c_int,
    pub pfrio_size2: ::core::ffi::c_int,
    pub pfrio_nadd: ::core::ffi::c_int,
    pub pfrio_ndel: ::core::ffi::c_int,
    pub pfrio_nchange: ::core::ffi::c_int,
    pub pfrio_flags: ::core::ffi::c_int,
    pub pfrio_ticket: u_int32_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of pfioc_table"][::core::mem::size_of::<pfioc_table>() - 1104usize];
    ["Alignment of pfioc_table"][::core::mem::align_of::<pfioc_table>() - 8usize];
    [
        "Offset of field: pfioc_table::pfrio_table",
    ][::core::mem::offset_of!(pfioc_table, pfrio_table) - 0usize];
    [
        "Offset of field: pfioc_table::pfrio_buffer",
    ][::core::mem::offset_of!(pfioc_table, pfrio_buffer) - 1064usize];
    [
        "Offset of field: pfioc_table::pfrio_esize",
    ][::core::mem::offset_of!(pfioc_table, pfrio_esize) - 1072usize];
    [
        "Offset of field: pfioc_table::pfrio_size",
    ][::core::mem::offset_of!(pfioc_table, pfrio_size) - 1076usize];
    [
        "Offset of field: pfioc_table::pfrio_size2",
    ][::core::mem::offset_of!(pfioc_table, pfrio_size2) - 1080usize];
    [
        "Offset of field: pfioc_table::pfrio_nadd",
    ][::core::mem::offset_of!(pfioc_table, pfrio_nadd) - 1084usize];
    [
        "Offset of field: pfioc_table::pfrio_ndel",
    ][::core::mem::offset_of!(pfioc_table, pfrio_ndel) - 1088usize];
    [
        "Offset of field: pfioc_table::pfrio_nchange",
    ][::core::mem::offset_of!(pfioc_table, pfrio_nchange) - 1092usize];
    [
        "Offset of field: pfioc_table::pfrio_flags",
    ][::core::mem::offset_of!(pfioc_table, pfrio_flags) - 1096usize];
    [
        "Offset of field: pfioc_table::pfrio_ticket",
    ][::core::mem::offset_of!(pfioc_table, pfrio_ticket) - 1100usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in_aliasreq {
    pub ifra_name: [::core::ffi::c_char; 16usize],
    pub ifra_addr: sockaddr_in,
    pub ifra_broadaddr: sockaddr_in,
    pub ifra_mask: sockaddr_in,
    pub ifra_vhid: ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in_aliasreq"][::core::mem::size_of::<in_aliasreq>() - 68usize];
    ["Alignment of in_aliasreq"][::core::mem::align_of::<in_aliasreq>() - 4usize];
    [
        "Offset of field: in_aliasreq::ifra_name",
    ][::core::mem::offset_of!(in_aliasreq, ifra_name) - 0usize];
    [
        "Offset of field: in_aliasreq::ifra_addr",
    ][::core::mem::offset_of!(in_aliasreq, ifra_addr) - 16usize];
    [
        "Offset of field: in_aliasreq::ifra_broadaddr",
    ][::core::mem::offset_of!(in_aliasreq, ifra_broadaddr) - 32usize];
    [
        "Offset of field: in_aliasreq::ifra_mask",
    ][::core::mem::offset_of!(in_aliasreq, ifra_mask) - 48usize];
    [
        "Offset of field: in_aliasreq::ifra_vhid",
    ][::core::mem::offset_of!(in_aliasreq, ifra_vhid) - 64usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in6_addrlifetime {
    pub ia6t_expire: time_t,
    pub ia6t_preferred: time_t,
    pub ia6t_vltime: u_int32_t,
    pub ia6t_pltime: u_int32_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_addrlifetime"][::core::mem::size_of::<in6_addrlifetime>() - 24usize];
    [
        "Alignment of in6_addrlifetime",
    ][::core::mem::align_of::<in6_addrlifetime>() - 8usize];
    [
        "Offset of field: in6_addrlifetime::ia6t_expire",
    ][::core::mem::offset_of!(in6_addrlifetime, ia6t_expire) - 0usize];
    [
        "Offset of field: in6_addrlifetime::ia6t_preferred",
    ][::core::mem::offset_of!(in6_addrlifetime, ia6t_preferred) - 8usize];
    [
        "Offset of field: in6_addrlifetime::ia6t_vltime",
    ][::core::mem::offset_of!(in6_addrlifetime, ia6t_vltime) - 16usize];
    [
        "Offset of field: in6_addrlifetime::ia6t_pltime",
    ][::core::mem::offset_of!(in6_addrlifetime, ia6t_pltime) - 20usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_addrpolicy {
    pub addr: sockaddr_in6,
    pub addrmask: sockaddr_in6,
    pub preced: ::core::ffi::c_int,
    pub label: ::core::ffi::c_int,
    pub use_: u_quad_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_addrpolicy"][::core::mem::size_of::<in6_addrpolicy>() - 72usize];
    ["Alignment of in6_addrpolicy"][::core::mem::align_of::<in6_addrpolicy>() - 8usize];
    [
        "Offset of field: in6_addrpolicy::addr",
    ][::core::mem::offset_of!(in6_addrpolicy, addr) - 0usize];
    [
        "Offset of field: in6_addrpolicy::addrmask",
    ][::core::mem::offset_of!(in6_addrpolicy, addrmask) - 28usize];
    [
        "Offset of field: in6_addrpolicy::preced",
    ][::core::mem::offset_of!(in6_addrpolicy, preced) - 56usize];
    [
        "Offset of field: in6_addrpolicy::label",
    ][::core::mem::offset_of!(in6_addrpolicy, label) - 60usize];
    [
        "Offset of field: in6_addrpolicy::use_",
    ][::core::mem::offset_of!(in6_addrpolicy, use_) - 64usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in6_ifstat {
    pub ifs6_in_receive: u64,
    pub ifs6_in_hdrerr: u64,
    pub ifs6_in_toobig: u64,
    pub ifs6_in_noroute: u64,
    pub ifs6_in_addrerr: u64,
    pub ifs6_in_protounknown: u64,
    pub ifs6_in_truncated: u64,
    pub ifs6_in_discard: u64,
    pub ifs6_in_deliver: u64,
    pub ifs6_out_forward: u64,
    pub ifs6_out_request: u64,
    pub ifs6_out_discard: u64,
    pub ifs6_out_fragok: u64,
    pub ifs6_out_fragfail: u64,
    pub ifs6_out_fragcreat: u64,
    pub ifs6_reass_reqd: u64,
    pub ifs6_reass_ok: u64,
    pub ifs6_reass_fail: u64,
    pub ifs6_in_mcast: u64,
    pub ifs6_out_mcast: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_ifstat"][::core::mem::size_of::<in6_ifstat>() - 160usize];
    ["Alignment of in6_ifstat"][::core::mem::align_of::<in6_ifstat>() - 8usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_receive",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_receive) - 0usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_hdrerr",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_hdrerr) - 8usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_toobig",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_toobig) - 16usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_noroute",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_noroute) - 24usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_addrerr",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_addrerr) - 32usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_protounknown",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_protounknown) - 40usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_truncated",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_truncated) - 48usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_discard",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_discard) - 56usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_deliver",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_deliver) - 64usize];
    [
        "Offset of field: in6_ifstat::ifs6_out_forward",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_out_forward) - 72usize];
    [
        "Offset of field: in6_ifstat::ifs6_out_request",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_out_request) - 80usize];
    [
        "Offset of field: in6_ifstat::ifs6_out_discard",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_out_discard) - 88usize];
    [
        "Offset of field: in6_ifstat::ifs6_out_fragok",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_out_fragok) - 96usize];
    [
        "Offset of field: in6_ifstat::ifs6_out_fragfail",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_out_fragfail) - 104usize];
    [
        "Offset of field: in6_ifstat::ifs6_out_fragcreat",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_out_fragcreat) - 112usize];
    [
        "Offset of field: in6_ifstat::ifs6_reass_reqd",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_reass_reqd) - 120usize];
    [
        "Offset of field: in6_ifstat::ifs6_reass_ok",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_reass_ok) - 128usize];
    [
        "Offset of field: in6_ifstat::ifs6_reass_fail",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_reass_fail) - 136usize];
    [
        "Offset of field: in6_ifstat::ifs6_in_mcast",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_in_mcast) - 144usize];
    [
        "Offset of field: in6_ifstat::ifs6_out_mcast",
    ][::core::mem::offset_of!(in6_ifstat, ifs6_out_mcast) - 152usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct icmp6_ifstat {
    pub ifs6_in_msg: u64,
    pub ifs6_in_error: u64,
    pub ifs6_in_dstunreach: u64,
    pub ifs6_in_adminprohib: u64,
    pub ifs6_in_timeexceed: u64,
    pub ifs6_in_paramprob: u64,
    pub ifs6_in_pkttoobig: u64,
    pub ifs6_in_echo: u64,
    pub ifs6_in_echoreply: u64,
    pub ifs6_in_routersolicit: u64,
    pub ifs6_in_routeradvert: u64,
    pub ifs6_in_neighborsolicit: u64,
    pub ifs6_in_neighboradvert: u64,
    pub ifs6_in_redirect: u64,
    pub ifs6_in_mldquery: u64,
    pub ifs6_in_mldreport: u64,
    pub ifs6_in_mlddone: u64,
    pub ifs6_out_msg: u64,
    pub ifs6_out_error: u64,
    pub ifs6_out_dstunreach: u64,
    pub ifs6_out_adminprohib: u64,
    pub ifs6_out_timeexceed: u64,
    pub ifs6_out_paramprob: u64,
    pub ifs6_out_pkttoobig: u64,
    pub ifs6_out_echo: u64,
    pub ifs6_out_echoreply: u64,
    pub ifs6_out_routersolicit: u64,
    pub ifs6_out_routeradvert: u64,
    pub ifs6_out_neighborsolicit: u64,
    pub ifs6_out_neighboradvert: u64,
    pub ifs6_out_redirect: u64,
    pub ifs6_out_mldquery: u64,
    pub ifs6_out_mldreport: u64,
    pub ifs6_out_mlddone: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of icmp6_ifstat"][::core::mem::size_of::<icmp6_ifstat>() - 272usize];
    ["Alignment of icmp6_ifstat"][::core::mem::align_of::<icmp6_ifstat>() - 8usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_msg",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_msg) - 0usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_error",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_error) - 8usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_dstunreach",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_dstunreach) - 16usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_adminprohib",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_adminprohib) - 24usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_timeexceed",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_timeexceed) - 32usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_paramprob",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_paramprob) - 40usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_pkttoobig",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_pkttoobig) - 48usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_echo",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_echo) - 56usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_echoreply",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_echoreply) - 64usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_routersolicit",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_routersolicit) - 72usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_routeradvert",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_routeradvert) - 80usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_neighborsolicit",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_neighborsolicit) - 88usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_neighboradvert",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_neighboradvert) - 96usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_redirect",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_redirect) - 104usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_mldquery",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_mldquery) - 112usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_mldreport",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_mldreport) - 120usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_in_mlddone",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_in_mlddone) - 128usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_msg",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_msg) - 136usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_error",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_error) - 144usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_dstunreach",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_dstunreach) - 152usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_adminprohib",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_adminprohib) - 160usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_timeexceed",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_timeexceed) - 168usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_paramprob",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_paramprob) - 176usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_pkttoobig",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_pkttoobig) - 184usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_echo",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_echo) - 192usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_echoreply",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_echoreply) - 200usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_routersolicit",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_routersolicit) - 208usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_routeradvert",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_routeradvert) - 216usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_neighborsolicit",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_neighborsolicit) - 224usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_neighboradvert",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_neighboradvert) - 232usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_redirect",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_redirect) - 240usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_mldquery",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_mldquery) - 248usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_mldreport",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_mldreport) - 256usize];
    [
        "Offset of field: icmp6_ifstat::ifs6_out_mlddone",
    ][::core::mem::offset_of!(icmp6_ifstat, ifs6_out_mlddone) - 264usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_ifreq {
    pub ifr_name: [::core::ffi::c_char; 16usize],
    pub ifr_ifru: in6_ifreq__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union in6_ifreq__bindgen_ty_1 {
    pub ifru_addr: sockaddr_in6,
    pub ifru_dstaddr: sockaddr_in6,
    pub ifru_flags: ::core::ffi::c_int,
    pub ifru_flags6: ::core::ffi::c_int,
    pub ifru_metric: ::core::ffi::c_int,
    pub ifru_data: caddr_t,
    pub ifru_lifetime: in6_addrlifetime,
    pub ifru_stat: in6_ifstat,
    pub ifru_icmp6stat: icmp6_ifstat,
    pub ifru_scope_id: [u_int32_t; 16usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of in6_ifreq__bindgen_ty_1",
    ][::core::mem::size_of::<in6_ifreq__bindgen_ty_1>() - 272usize];
    [
        "Alignment of in6_ifreq__bindgen_ty_1",
    ][::core::mem::align_of::<in6_ifreq__bindgen_ty_1>() - 8usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_addr",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_addr) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_dstaddr",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_dstaddr) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_flags",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_flags) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_flags6",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_flags6) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_metric",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_metric) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_data",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_data) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_lifetime",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_lifetime) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_stat",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_stat) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_icmp6stat",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_icmp6stat) - 0usize];
    [
        "Offset of field: in6_ifreq__bindgen_ty_1::ifru_scope_id",
    ][::core::mem::offset_of!(in6_ifreq__bindgen_ty_1, ifru_scope_id) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_ifreq"][::core::mem::size_of::<in6_ifreq>() - 288usize];
    ["Alignment of in6_ifreq"][::core::mem::align_of::<in6_ifreq>() - 8usize];
    [
        "Offset of field: in6_ifreq::ifr_name",
    ][::core::mem::offset_of!(in6_ifreq, ifr_name) - 0usize];
    [
        "Offset of field: in6_ifreq::ifr_ifru",
    ][::core::mem::offset_of!(in6_ifreq, ifr_ifru) - 16usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_aliasreq {
    pub ifra_name: [::core::ffi::c_char; 16usize],
    pub ifra_addr: sockaddr_in6,
    pub ifra_broadaddr: sockaddr_in6,
    pub ifra_prefixmask: sockaddr_in6,
    pub ifra_flags: ::core::ffi::c_int,
    pub ifra_lifetime: in6_addrlifetime,
    pub ifra_vhid: ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_aliasreq"][::core::mem::size_of::<in6_aliasreq>() - 136usize];
    ["Alignment of in6_aliasreq"][::core::mem::align_of::<in6_aliasreq>() - 8usize];
    [
        "Offset of field: in6_aliasreq::ifra_name",
    ][::core::mem::offset_of!(in6_aliasreq, ifra_name) - 0usize];
    [
        "Offset of field: in6_aliasreq::ifra_addr",
    ][::core::mem::offset_of!(in6_aliasreq, ifra_addr) - 16usize];
    [
        "Offset of field: in6_aliasreq::ifra_broadaddr",
    ][::core::mem::offset_of!(in6_aliasreq, ifra_broadaddr) - 44usize];
    [
        "Offset of field: in6_aliasreq::ifra_prefixmask",
    ][::core::mem::offset_of!(in6_aliasreq, ifra_prefixmask) - 72usize];
    [
        "Offset of field: in6_aliasreq::ifra_flags",
    ][::core::mem::offset_of!(in6_aliasreq, ifra_flags) - 100usize];
    [
        "Offset of field: in6_aliasreq::ifra_lifetime",
    ][::core::mem::offset_of!(in6_aliasreq, ifra_lifetime) - 104usize];
    [
        "Offset of field: in6_aliasreq::ifra_vhid",
    ][::core::mem::offset_of!(in6_aliasreq, ifra_vhid) - 128usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct oin6_aliasreq {
    pub ifra_name: [::core::ffi::c_char; 16usize],
    pub ifra_addr: sockaddr_in6,
    pub ifra_broadaddr: sockaddr_in6,
    pub ifra_prefixmask: sockaddr_in6,
    pub ifra_flags: ::core::ffi::c_int,
    pub ifra_lifetime: in6_addrlifetime,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of oin6_aliasreq"][::core::mem::size_of::<oin6_aliasreq>() - 128usize];
    ["Alignment of oin6_aliasreq"][::core::mem::align_of::<oin6_aliasreq>() - 8usize];
    [
        "Offset of field: oin6_aliasreq::ifra_name",
    ][::core::mem::offset_of!(oin6_aliasreq, ifra_name) - 0usize];
    [
        "Offset of field: oin6_aliasreq::ifra_addr",
    ][::core::mem::offset_of!(oin6_aliasreq, ifra_addr) - 16usize];
    [
        "Offset of field: oin6_aliasreq::ifra_broadaddr",
    ][::core::mem::offset_of!(oin6_aliasreq, ifra_broadaddr) - 44usize];
    [
        "Offset of field: oin6_aliasreq::ifra_prefixmask",
    ][::core::mem::offset_of!(oin6_aliasreq, ifra_prefixmask) - 72usize];
    [
        "Offset of field: oin6_aliasreq::ifra_flags",
    ][::core::mem::offset_of!(oin6_aliasreq, ifra_flags) - 100usize];
    [
        "Offset of field: oin6_aliasreq::ifra_lifetime",
    ][::core::mem::offset_of!(oin6_aliasreq, ifra_lifetime) - 104usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in6_prflags {
    pub prf_ra: in6_prflags_prf_ra,
    pub prf_reserved1: u_char,
    pub prf_reserved2: u_short,
    pub prf_rr: in6_prflags_prf_rr,
    pub prf_reserved3: u_char,
    pub prf_reserved4: u_short,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in6_prflags_prf_ra {
    pub _bindgen_align: [u8; 0],
    pub _bindgen_opaque_blob: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of in6_prflags_prf_ra",
    ][::core::mem::size_of::<in6_prflags_prf_ra>() - 1usize];
    [
        "Alignment of in6_prflags_prf_ra",
    ][::core::mem::align_of::<in6_prflags_prf_ra>() - 1usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in6_prflags_prf_rr {
    pub _bindgen_align: [u8; 0],
    pub _bindgen_opaque_blob: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of in6_prflags_prf_rr",
    ][::core::mem::size_of::<in6_prflags_prf_rr>() - 1usize];
    [
        "Alignment of in6_prflags_prf_rr",
    ][::core::mem::align_of::<in6_prflags_prf_rr>() - 1usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_prflags"][::core::mem::size_of::<in6_prflags>() - 8usize];
    ["Alignment of in6_prflags"][::core::mem::align_of::<in6_prflags>() - 2usize];
    [
        "Offset of field: in6_prflags::prf_ra",
    ][::core::mem::offset_of!(in6_prflags, prf_ra) - 0usize];
    [
        "Offset of field: in6_prflags::prf_reserved1",
    ][::core::mem::offset_of!(in6_prflags, prf_reserved1) - 1usize];
    [
        "Offset of field: in6_prflags::prf_reserved2",
    ][::core::mem::offset_of!(in6_prflags, prf_reserved2) - 2usize];
    [
        "Offset of field: in6_prflags::prf_rr",
    ][::core::mem::offset_of!(in6_prflags, prf_rr) - 4usize];
    [
        "Offset of field: in6_prflags::prf_reserved3",
    ][::core::mem::offset_of!(in6_prflags, prf_reserved3) - 5usize];
    [
        "Offset of field: in6_prflags::prf_reserved4",
    ][::core::mem::offset_of!(in6_prflags, prf_reserved4) - 6usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_prefixreq {
    pub ipr_name: [::core::ffi::c_char; 16usize],
    pub ipr_origin: u_char,
    pub ipr_plen: u_char,
    pub ipr_vltime: u_int32_t,
    pub ipr_pltime: u_int32_t,
    pub ipr_flags: in6_prflags,
    pub ipr_prefix: sockaddr_in6,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_prefixreq"][::core::mem::size_of::<in6_prefixreq>() - 64usize];
    ["Alignment of in6_prefixreq"][::core::mem::align_of::<in6_prefixreq>() - 4usize];
    [
        "Offset of field: in6_prefixreq::ipr_name",
    ][::core::mem::offset_of!(in6_prefixreq, ipr_name) - 0usize];
    [
        "Offset of field: in6_prefixreq::ipr_origin",
    ][::core::mem::offset_of!(in6_prefixreq, ipr_origin) - 16usize];
    [
        "Offset of field: in6_prefixreq::ipr_plen",
    ][::core::mem::offset_of!(in6_prefixreq, ipr_plen) - 17usize];
    [
        "Offset of field: in6_prefixreq::ipr_vltime",
    ][::core::mem::offset_of!(in6_prefixreq, ipr_vltime) - 20usize];
    [
        "Offset of field: in6_prefixreq::ipr_pltime",
    ][::core::mem::offset_of!(in6_prefixreq, ipr_pltime) - 24usize];
    [
        "Offset of field: in6_prefixreq::ipr_flags",
    ][::core::mem::offset_of!(in6_prefixreq, ipr_flags) - 28usize];
    [
        "Offset of field: in6_prefixreq::ipr_prefix",
    ][::core::mem::offset_of!(in6_prefixreq, ipr_prefix) - 36usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_rrenumreq {
    pub irr_name: [::core::ffi::c_char; 16usize],
    pub irr_origin: u_char,
    pub irr_m_len: u_char,
    pub irr_m_minlen: u_char,
    pub irr_m_maxlen: u_char,
    pub irr_u_uselen: u_char,
    pub irr_u_keeplen: u_char,
    pub irr_raflagmask: in6_rrenumreq_irr_raflagmask,
    pub irr_vltime: u_int32_t,
    pub irr_pltime: u_int32_t,
    pub irr_flags: in6_prflags,
    pub irr_matchprefix: sockaddr_in6,
    pub irr_useprefix: sockaddr_in6,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in6_rrenumreq_irr_raflagmask {
    pub _bindgen_align: [u8; 0],
    pub _bindgen_opaque_blob: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of in6_rrenumreq_irr_raflagmask",
    ][::core::mem::size_of::<in6_rrenumreq_irr_raflagmask>() - 1usize];
    [
        "Alignment of in6_rrenumreq_irr_raflagmask",
    ][::core::mem::align_of::<in6_rrenumreq_irr_raflagmask>() - 1usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_rrenumreq"][::core::mem::size_of::<in6_rrenumreq>() - 96usize];
    ["Alignment of in6_rrenumreq"][::core::mem::align_of::<in6_rrenumreq>() - 4usize];
    [
        "Offset of field: in6_rrenumreq::irr_name",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_name) - 0usize];
    [
        "Offset of field: in6_rrenumreq::irr_origin",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_origin) - 16usize];
    [
        "Offset of field: in6_rrenumreq::irr_m_len",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_m_len) - 17usize];
    [
        "Offset of field: in6_rrenumreq::irr_m_minlen",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_m_minlen) - 18usize];
    [
        "Offset of field: in6_rrenumreq::irr_m_maxlen",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_m_maxlen) - 19usize];
    [
        "Offset of field: in6_rrenumreq::irr_u_uselen",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_u_uselen) - 20usize];
    [
        "Offset of field: in6_rrenumreq::irr_u_keeplen",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_u_keeplen) - 21usize];
    [
        "Offset of field: in6_rrenumreq::irr_raflagmask",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_raflagmask) - 22usize];
    [
        "Offset of field: in6_rrenumreq::irr_vltime",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_vltime) - 24usize];
    [
        "Offset of field: in6_rrenumreq::irr_pltime",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_pltime) - 28usize];
    [
        "Offset of field: in6_rrenumreq::irr_flags",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_flags) - 32usize];
    [
        "Offset of field: in6_rrenumreq::irr_matchprefix",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_matchprefix) - 40usize];
    [
        "Offset of field: in6_rrenumreq::irr_useprefix",
    ][::core::mem::offset_of!(in6_rrenumreq, irr_useprefix) - 68usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct carpreq {
    pub carpr_count: ::core::ffi::c_int,
    pub carpr_vhid: ::core::ffi::c_int,
    pub carpr_state: ::core::ffi::c_int,
    pub carpr_advskew: ::core::ffi::c_int,
    pub carpr_advbase: ::core::ffi::c_int,
    pub carpr_key: [::core::ffi::c_uchar; 20usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of carpreq"][::core::mem::size_of::<carpreq>() - 40usize];
    ["Alignment of carpreq"][::core::mem::align_of::<carpreq>() - 4usize];
    [
        "Offset of field: carpreq::carpr_count",
    ][::core::mem::offset_of!(carpreq, carpr_count) - 0usize];
    [
        "Offset of field: carpreq::carpr_vhid",
    ][::core::mem::offset_of!(carpreq, carpr_vhid) - 4usize];
    [
        "Offset of field: carpreq::carpr_state",
    ][::core::mem::offset_of!(carpreq, carpr_state) - 8usize];
    [
        "Offset of field: carpreq::carpr_advskew",
    ][::core::mem::offset_of!(carpreq, carpr_advskew) - 12usize];
    [
        "Offset of field: carpreq::carpr_advbase",
    ][::core::mem::offset_of!(carpreq, carpr_advbase) - 16usize];
    [
        "Offset of field: carpreq::carpr_key",
    ][::core::mem::offset_of!(carpreq, carpr_key) - 20usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ip_fw3_opheader {
    pub opcode: u16,
    pub version: u16,
    pub reserved: [u16; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ip_fw3_opheader"][::core::mem::size_of::<_ip_fw3_opheader>() - 8usize];
    [
        "Alignment of _ip_fw3_opheader",
    ][::core::mem::align_of::<_ip_fw3_opheader>() - 2usize];
    [
        "Offset of field: _ip_fw3_opheader::opcode",
    ][::core::mem::offset_of!(_ip_fw3_opheader, opcode) - 0usize];
    [
        "Offset of field: _ip_fw3_opheader::version",
    ][::core::mem::offset_of!(_ip_fw3_opheader, version) - 2usize];
    [
        "Offset of field: _ip_fw3_opheader::reserved",
    ][::core::mem::offset_of!(_ip_fw3_opheader, reserved) - 4usize];
};
pub type ip_fw3_opheader = _ip_fw3_opheader;
#[repr(C)]
#[repr(align(4))]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_insn {
    pub opcode: u_int8_t,
    pub len: u_int8_t,
    pub arg1: u_int16_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_insn"][::core::mem::size_of::<_ipfw_insn>() - 4usize];
    ["Alignment of _ipfw_insn"][::core::mem::align_of::<_ipfw_insn>() - 4usize];
    [
        "Offset of field: _ipfw_insn::opcode",
    ][::core::mem::offset_of!(_ipfw_insn, opcode) - 0usize];
    [
        "Offset of field: _ipfw_insn::len",
    ][::core::mem::offset_of!(_ipfw_insn, len) - 1usize];
    [
        "Offset of field: _ipfw_insn::arg1",
    ][::core::mem::offset_of!(_ipfw_insn, arg1) - 2usize];
};
pub type ipfw_insn = _ipfw_insn;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_insn_u32 {
    pub o: ipfw_insn,
    pub d: [u_int32_t; 1usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_insn_u32"][::core::mem::size_of::<_ipfw_insn_u32>() - 8usize];
    ["Alignment of _ipfw_insn_u32"][::core::mem::align_of::<_ipfw_insn_u32>() - 4usize];
    [
        "Offset of field: _ipfw_insn_u32::o",
    ][::core::mem::offset_of!(_ipfw_insn_u32, o) - 0usize];
    [
        "Offset of field: _ipfw_insn_u32::d",
    ][::core::mem::offset_of!(_ipfw_insn_u32, d) - 4usize];
};
pub type ipfw_insn_u32 = _ipfw_insn_u32;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_insn_kidx {
    pub o: ipfw_insn,
    pub kidx: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_insn_kidx"][::core::mem::size_of::<_ipfw_insn_kidx>() - 8usize];
    [
        "Alignment of _ipfw_insn_kidx",
    ][::core::mem::align_of::<_ipfw_insn_kidx>() - 4usize];
    [
        "Offset of field: _ipfw_insn_kidx::o",
    ][::core::mem::offset_of!(_ipfw_insn_kidx, o) - 0usize];
    [
        "Offset of field: _ipfw_insn_kidx::kidx",
    ][::core::mem::offset_of!(_ipfw_insn_kidx, kidx) - 4usize];
};
pub type ipfw_insn_kidx = _ipfw_insn_kidx;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_insn_ip {
    pub o: ipfw_insn,
    pub addr: in_addr,
    pub mask: in_addr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_insn_ip"][::core::mem::size_of::<_ipfw_insn_ip>() - 12usize];
    ["Alignment of _ipfw_insn_ip"][::core::mem::align_of::<_ipfw_insn_ip>() - 4usize];
    [
        "Offset of field: _ipfw_insn_ip::o",
    ][::core::mem::offset_of!(_ipfw_insn_ip, o) - 0usize];
    [
        "Offset of field: _ipfw_insn_ip::addr",
    ][::core::mem::offset_of!(_ipfw_insn_ip, addr) - 4usize];
    [
        "Offset of field: _ipfw_insn_ip::mask",
    ][::core::mem::offset_of!(_ipfw_insn_ip, mask) - 8usize];
};
pub type ipfw_insn_ip = _ipfw_insn_ip;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct _ipfw_insn_if {
    pub o: ipfw_insn,
    pub p: _ipfw_insn_if__bindgen_ty_1,
    pub name: [::core::ffi::c_char; 16usize],
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union _ipfw_insn_if__bindgen_ty_1 {
    pub ip: in_addr,
    pub glob: ::core::ffi::c_int,
    pub kidx_v0: u16,
    pub kidx: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of _ipfw_insn_if__bindgen_ty_1",
    ][::core::mem::size_of::<_ipfw_insn_if__bindgen_ty_1>() - 4usize];
    [
        "Alignment of _ipfw_insn_if__bindgen_ty_1",
    ][::core::mem::align_of::<_ipfw_insn_if__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: _ipfw_insn_if__bindgen_ty_1::ip",
    ][::core::mem::offset_of!(_ipfw_insn_if__bindgen_ty_1, ip) - 0usize];
    [
        "Offset of field: _ipfw_insn_if__bindgen_ty_1::glob",
    ][::core::mem::offset_of!(_ipfw_insn_if__bindgen_ty_1, glob) - 0usize];
    [
        "Offset of field: _ipfw_insn_if__bindgen_ty_1::kidx_v0",
    ][::core::mem::offset_of!(_ipfw_insn_if__bindgen_ty_1, kidx_v0) - 0usize];
    [
        "Offset of field: _ipfw_insn_if__bindgen_ty_1::kidx",
    ][::core::mem::offset_of!(_ipfw_insn_if__bindgen_ty_1, kidx) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_insn_if"][::core::mem::size_of::<_ipfw_insn_if>() - 24usize];
    ["Alignment of _ipfw_insn_if"][::core::mem::align_of::<_ipfw_insn_if>() - 4usize];
    [
        "Offset of field: _ipfw_insn_if::o",
    ][::core::mem::offset_of!(_ipfw_insn_if, o) - 0usize];
    [
        "Offset of field: _ipfw_insn_if::p",
    ][::core::mem::offset_of!(_ipfw_insn_if, p) - 4usize];
    [
        "Offset of field: _ipfw_insn_if::name",
    ][::core::mem::offset_of!(_ipfw_insn_if, name) - 8usize];
};
pub type ipfw_insn_if = _ipfw_insn_if;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct nat44_cfg_redir {
    pub laddr: in_addr,
    pub paddr: in_addr,
    pub raddr: in_addr,
    pub lport: u16,
    pub pport: u16,
    pub rport: u16,
    pub pport_cnt: u16,
    pub rport_cnt: u16,
    pub mode: u16,
    pub spool_cnt: u16,
    pub spare: u16,
    pub proto: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of nat44_cfg_redir"][::core::mem::size_of::<nat44_cfg_redir>() - 32usize];
    [
        "Alignment of nat44_cfg_redir",
    ][::core::mem::align_of::<nat44_cfg_redir>() - 4usize];
    [
        "Offset of field: nat44_cfg_redir::laddr",
    ][::core::mem::offset_of!(nat44_cfg_redir, laddr) - 0usize];
    [
        "Offset of field: nat44_cfg_redir::paddr",
    ][::core::mem::offset_of!(nat44_cfg_redir, paddr) - 4usize];
    [
        "Offset of field: nat44_cfg_redir::raddr",
    ][::core::mem::offset_of!(nat44_cfg_redir, raddr) - 8usize];
    [
        "Offset of field: nat44_cfg_redir::lport",
    ][::core::mem::offset_of!(nat44_cfg_redir, lport) - 12usize];
    [
        "Offset of field: nat44_cfg_redir::pport",
    ][::core::mem::offset_of!(nat44_cfg_redir, pport) - 14usize];
    [
        "Offset of field: nat44_cfg_redir::rport",
    ][::core::mem::offset_of!(nat44_cfg_redir, rport) - 16usize];
    [
        "Offset of field: nat44_cfg_redir::pport_cnt",
    ][::core::mem::offset_of!(nat44_cfg_redir, pport_cnt) - 18usize];
    [
        "Offset of field: nat44_cfg_redir::rport_cnt",
    ][::core::mem::offset_of!(nat44_cfg_redir, rport_cnt) - 20usize];
    [
        "Offset of field: nat44_cfg_redir::mode",
    ][::core::mem::offset_of!(nat44_cfg_redir, mode) - 22usize];
    [
        "Offset of field: nat44_cfg_redir::spool_cnt",
    ][::core::mem::offset_of!(nat44_cfg_redir, spool_cnt) - 24usize];
    [
        "Offset of field: nat44_cfg_redir::spare",
    ][::core::mem::offset_of!(nat44_cfg_redir, spare) - 26usize];
    [
        "Offset of field: nat44_cfg_redir::proto",
    ][::core::mem::offset_of!(nat44_cfg_redir, proto) - 28usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct nat44_cfg_nat {
    pub name: [::core::ffi::c_char; 64usize],
    pub if_name: [::core::ffi::c_char; 64usize],
    pub size: u32,
    pub ip: in_addr,
    pub mode: u32,
    pub redir_cnt: u32,
    pub alias_port_lo: u_short,
    pub alias_port_hi: u_short,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of nat44_cfg_nat"][::core::mem::size_of::<nat44_cfg_nat>() - 148usize];
    ["Alignment of nat44_cfg_nat"][::core::mem::align_of::<nat44_cfg_nat>() - 4usize];
    [
        "Offset of field: nat44_cfg_nat::name",
    ][::core::mem::offset_of!(nat44_cfg_nat, name) - 0usize];
    [
        "Offset of field: nat44_cfg_nat::if_name",
    ][::core::mem::offset_of!(nat44_cfg_nat, if_name) - 64usize];
    [
        "Offset of field: nat44_cfg_nat::size",
    ][::core::mem::offset_of!(nat44_cfg_nat, size) - 128usize];
    [
        "Offset of field: nat44_cfg_nat::ip",
    ][::core::mem::offset_of!(nat44_cfg_nat, ip) - 132usize];
    [
        "Offset of field: nat44_cfg_nat::mode",
    ][::core::mem::offset_of!(nat44_cfg_nat, mode) - 136usize];
    [
        "Offset of field: nat44_cfg_nat::redir_cnt",
    ][::core::mem::offset_of!(nat44_cfg_nat, redir_cnt) - 140usize];
    [
        "Offset of field: nat44_cfg_nat::alias_port_lo",
    ][::core::mem::offset_of!(nat44_cfg_nat, alias_port_lo) - 144usize];
    [
        "Offset of field: nat44_cfg_nat::alias_port_hi",
    ][::core::mem::offset_of!(nat44_cfg_nat, alias_port_hi) - 146usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_insn_nat {
    pub o: ipfw_insn,
    pub nat: *mut cfg_nat,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_insn_nat"][::core::mem::size_of::<_ipfw_insn_nat>() - 16usize];
    ["Alignment of _ipfw_insn_nat"][::core::mem::align_of::<_ipfw_insn_nat>() - 8usize];
    [
        "Offset of field: _ipfw_insn_nat::o",
    ][::core::mem::offset_of!(_ipfw_insn_nat, o) - 0usize];
    [
        "Offset of field: _ipfw_insn_nat::nat",
    ][::core::mem::offset_of!(_ipfw_insn_nat, nat) - 8usize];
};
pub type ipfw_insn_nat = _ipfw_insn_nat;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ip_fw_rule {
    pub act_ofs: u16,
    pub cmd_len: u16,
    pub spare: u16,
    pub set: u8,
    pub flags: u8,
    pub rulenum: u32,
    pub id: u32,
    pub cmd: [ipfw_insn; 1usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ip_fw_rule"][::core::mem::size_of::<ip_fw_rule>() - 20usize];
    ["Alignment of ip_fw_rule"][::core::mem::align_of::<ip_fw_rule>() - 4usize];
    [
        "Offset of field: ip_fw_rule::act_ofs",
    ][::core::mem::offset_of!(ip_fw_rule, act_ofs) - 0usize];
    [
        "Offset of field: ip_fw_rule::cmd_len",
    ][::core::mem::offset_of!(ip_fw_rule, cmd_len) - 2usize];
    [
        "Offset of field: ip_fw_rule::spare",
    ][::core::mem::offset_of!(ip_fw_rule, spare) - 4usize];
    [
        "Offset of field: ip_fw_rule::set",
    ][::core::mem::offset_of!(ip_fw_rule, set) - 6usize];
    [
        "Offset of field: ip_fw_rule::flags",
    ][::core::mem::offset_of!(ip_fw_rule, flags) - 7usize];
    [
        "Offset of field: ip_fw_rule::rulenum",
    ][::core::mem::offset_of!(ip_fw_rule, rulenum) - 8usize];
    [
        "Offset of field: ip_fw_rule::id",
    ][::core::mem::offset_of!(ip_fw_rule, id) - 12usize];
    [
        "Offset of field: ip_fw_rule::cmd",
    ][::core::mem::offset_of!(ip_fw_rule, cmd) - 16usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_obj_tlv {
    pub type_: u16,
    pub flags: u16,
    pub length: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_obj_tlv"][::core::mem::size_of::<_ipfw_obj_tlv>() - 8usize];
    ["Alignment of _ipfw_obj_tlv"][::core::mem::align_of::<_ipfw_obj_tlv>() - 4usize];
    [
        "Offset of field: _ipfw_obj_tlv::type_",
    ][::core::mem::offset_of!(_ipfw_obj_tlv, type_) - 0usize];
    [
        "Offset of field: _ipfw_obj_tlv::flags",
    ][::core::mem::offset_of!(_ipfw_obj_tlv, flags) - 2usize];
    [
        "Offset of field: _ipfw_obj_tlv::length",
    ][::core::mem::offset_of!(_ipfw_obj_tlv, length) - 4usize];
};
pub type ipfw_obj_tlv = _ipfw_obj_tlv;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_obj_ntlv {
    pub head: ipfw_obj_tlv,
    pub idx: u32,
    pub set: u8,
    pub type_: u8,
    pub spare: u16,
    pub name: [::core::ffi::c_char; 64usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_obj_ntlv"][::core::mem::size_of::<_ipfw_obj_ntlv>() - 80usize];
    ["Alignment of _ipfw_obj_ntlv"][::core::mem::align_of::<_ipfw_obj_ntlv>() - 4usize];
    [
        "Offset of field: _ipfw_obj_ntlv::head",
    ][::core::mem::offset_of!(_ipfw_obj_ntlv, head) - 0usize];
    [
        "Offset of field: _ipfw_obj_ntlv::idx",
    ][::core::mem::offset_of!(_ipfw_obj_ntlv, idx) - 8usize];
    [
        "Offset of field: _ipfw_obj_ntlv::set",
    ][::core::mem::offset_of!(_ipfw_obj_ntlv, set) - 12usize];
    [
        "Offset of field: _ipfw_obj_ntlv::type_",
    ][::core::mem::offset_of!(_ipfw_obj_ntlv, type_) - 13usize];
    [
        "Offset of field: _ipfw_obj_ntlv::spare",
    ][::core::mem::offset_of!(_ipfw_obj_ntlv, spare) - 14usize];
    [
        "Offset of field: _ipfw_obj_ntlv::name",
    ][::core::mem::offset_of!(_ipfw_obj_ntlv, name) - 16usize];
};
pub type ipfw_obj_ntlv = _ipfw_obj_ntlv;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct tflow_entry {
    pub af: u8,
    pub proto: u8,
    pub spare: u16,
    pub sport: u16,
    pub dport: u16,
    pub a: tflow_entry__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union tflow_entry__bindgen_ty_1 {
    pub a4: tflow_entry__bindgen_ty_1__bindgen_ty_1,
    pub a6: tflow_entry__bindgen_ty_1__bindgen_ty_2,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct tflow_entry__bindgen_ty_1__bindgen_ty_1 {
    pub sip: in_addr,
    pub dip: in_addr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of tflow_entry__bindgen_ty_1__bindgen_ty_1",
    ][::core::mem::size_of::<tflow_entry__bindgen_ty_1__bindgen_ty_1>() - 8usize];
    [
        "Alignment of tflow_entry__bindgen_ty_1__bindgen_ty_1",
    ][::core::mem::align_of::<tflow_entry__bindgen_ty_1__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: tflow_entry__bindgen_ty_1__bindgen_ty_1::sip",
    ][::core::mem::offset_of!(tflow_entry__bindgen_ty_1__bindgen_ty_1, sip) - 0usize];
    [
        "Offset of field: tflow_entry__bindgen_ty_1__bindgen_ty_1::dip",
    ][::core::mem::offset_of!(tflow_entry__bindgen_ty_1__bindgen_ty_1, dip) - 4usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct tflow_entry__bindgen_ty_1__bindgen_ty_2 {
    pub sip6: in6_addr,
    pub dip6: in6_addr,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of tflow_entry__bindgen_ty_1__bindgen_ty_2",
    ][::core::mem::size_of::<tflow_entry__bindgen_ty_1__bindgen_ty_2>() - 32usize];
    [
        "Alignment of tflow_entry__bindgen_ty_1__bindgen_ty_2",
    ][::core::mem::align_of::<tflow_entry__bindgen_ty_1__bindgen_ty_2>() - 4usize];
    [
        "Offset of field: tflow_entry__bindgen_ty_1__bindgen_ty_2::sip6",
    ][::core::mem::offset_of!(tflow_entry__bindgen_ty_1__bindgen_ty_2, sip6) - 0usize];
    [
        "Offset of field: tflow_entry__bindgen_ty_1__bindgen_ty_2::dip6",
    ][::core::mem::offset_of!(tflow_entry__bindgen_ty_1__bindgen_ty_2, dip6) - 16usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of tflow_entry__bindgen_ty_1",
    ][::core::mem::size_of::<tflow_entry__bindgen_ty_1>() - 32usize];
    [
        "Alignment of tflow_entry__bindgen_ty_1",
    ][::core::mem::align_of::<tflow_entry__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: tflow_entry__bindgen_ty_1::a4",
    ][::core::mem::offset_of!(tflow_entry__bindgen_ty_1, a4) - 0usize];
    [
        "Offset of field: tflow_entry__bindgen_ty_1::a6",
    ][::core::mem::offset_of!(tflow_entry__bindgen_ty_1, a6) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of tflow_entry"][::core::mem::size_of::<tflow_entry>() - 40usize];
    ["Alignment of tflow_entry"][::core::mem::align_of::<tflow_entry>() - 4usize];
    [
        "Offset of field: tflow_entry::af",
    ][::core::mem::offset_of!(tflow_entry, af) - 0usize];
    [
        "Offset of field: tflow_entry::proto",
    ][::core::mem::offset_of!(tflow_entry, proto) - 1usize];
    [
        "Offset of field: tflow_entry::spare",
    ][::core::mem::offset_of!(tflow_entry, spare) - 2usize];
    [
        "Offset of field: tflow_entry::sport",
    ][::core::mem::offset_of!(tflow_entry, sport) - 4usize];
    [
        "Offset of field: tflow_entry::dport",
    ][::core::mem::offset_of!(tflow_entry, dport) - 6usize];
    [
        "Offset of field: tflow_entry::a",
    ][::core::mem::offset_of!(tflow_entry, a) - 8usize];
};
#[repr(C)]
#[repr(align(4))]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_table_value {
    pub _bindgen_opaque_blob: [u32; 16usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_table_value"][::core::mem::size_of::<_ipfw_table_value>() - 64usize];
    [
        "Alignment of _ipfw_table_value",
    ][::core::mem::align_of::<_ipfw_table_value>() - 4usize];
};
pub type ipfw_table_value = _ipfw_table_value;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct _ipfw_obj_tentry {
    pub head: ipfw_obj_tlv,
    pub subtype: u8,
    pub masklen: u8,
    pub result: u8,
    pub spare0: u8,
    pub idx: u32,
    pub k: _ipfw_obj_tentry__bindgen_ty_1,
    pub v: _ipfw_obj_tentry__bindgen_ty_2,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union _ipfw_obj_tentry__bindgen_ty_1 {
    pub addr: in_addr,
    pub key: u32,
    pub addr6: in6_addr,
    pub iface: [::core::ffi::c_char; 16usize],
    pub mac: [u_char; 20usize],
    pub flow: tflow_entry,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of _ipfw_obj_tentry__bindgen_ty_1",
    ][::core::mem::size_of::<_ipfw_obj_tentry__bindgen_ty_1>() - 40usize];
    [
        "Alignment of _ipfw_obj_tentry__bindgen_ty_1",
    ][::core::mem::align_of::<_ipfw_obj_tentry__bindgen_ty_1>() - 4usize];
    [
        "Offset of field: _ipfw_obj_tentry__bindgen_ty_1::addr",
    ][::core::mem::offset_of!(_ipfw_obj_tentry__bindgen_ty_1, addr) - 0usize];
    [
        "Offset of field: _ipfw_obj_tentry__bindgen_ty_1::key",
    ][::core::mem::offset_of!(_ipfw_obj_tentry__bindgen_ty_1, key) - 0usize];
    [
        "Offset of field: _ipfw_obj_tentry__bindgen_ty_1::addr6",
    ][::core::mem::offset_of!(_ipfw_obj_tentry__bindgen_ty_1, addr6) - 0usize];
    [
        "Offset of field: _ipfw_obj_tentry__bindgen_ty_1::iface",
    ][::core::mem::offset_of!(_ipfw_obj_tentry__bindgen_ty_1, iface) - 0usize];
    [
        "Offset of field: _ipfw_obj_tentry__bindgen_ty_1::mac",
    ][::core::mem::offset_of!(_ipfw_obj_tentry__bindgen_ty_1, mac) - 0usize];
    [
        "Offset of field: _ipfw_obj_tentry__bindgen_ty_1::flow",
    ][::core::mem::offset_of!(_ipfw_obj_tentry__bindgen_ty_1, flow) - 0usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub union _ipfw_obj_tentry__bindgen_ty_2 {
    pub value: ipfw_table_value,
    pub kidx: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of _ipfw_obj_tentry__bindgen_ty_2",
    ][::core::mem::size_of::<_ipfw_obj_tentry__bindgen_ty_2>() - 64usize];
    [
        "Alignment of _ipfw_obj_tentry__bindgen_ty_2",
    ][::core::mem::align_of::<_ipfw_obj_tentry__bindgen_ty_2>() - 4usize];
    [
        "Offset of field: _ipfw_obj_tentry__bindgen_ty_2::value",
    ][::core::mem::offset_of!(_ipfw_obj_tentry__bindgen_ty_2, value) - 0usize];
    [
        "Offset of field: _ipfw_obj_tentry__bindgen_ty_2::kidx",
    ][::core::mem::offset_of!(_ipfw_obj_tentry__bindgen_ty_2, kidx) - 0usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_obj_tentry"][::core::mem::size_of::<_ipfw_obj_tentry>() - 120usize];
    [
        "Alignment of _ipfw_obj_tentry",
    ][::core::mem::align_of::<_ipfw_obj_tentry>() - 4usize];
    [
        "Offset of field: _ipfw_obj_tentry::head",
    ][::core::mem::offset_of!(_ipfw_obj_tentry, head) - 0usize];
    [
        "Offset of field: _ipfw_obj_tentry::subtype",
    ][::core::mem::offset_of!(_ipfw_obj_tentry, subtype) - 8usize];
    [
        "Offset of field: _ipfw_obj_tentry::masklen",
    ][::core::mem::offset_of!(_ipfw_obj_tentry, masklen) - 9usize];
    [
        "Offset of field: _ipfw_obj_tentry::result",
    ][::core::mem::offset_of!(_ipfw_obj_tentry, result) - 10usize];
    [
        "Offset of field: _ipfw_obj_tentry::spare0",
    ][::core::mem::offset_of!(_ipfw_obj_tentry, spare0) - 11usize];
    [
        "Offset of field: _ipfw_obj_tentry::idx",
    ][::core::mem::offset_of!(_ipfw_obj_tentry, idx) - 12usize];
    [
        "Offset of field: _ipfw_obj_tentry::k",
    ][::core::mem::offset_of!(_ipfw_obj_tentry, k) - 16usize];
    [
        "Offset of field: _ipfw_obj_tentry::v",
    ][::core::mem::offset_of!(_ipfw_obj_tentry, v) - 56usize];
};
pub type ipfw_obj_tentry = _ipfw_obj_tentry;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_obj_ctlv {
    pub head: ipfw_obj_tlv,
    pub count: u32,
    pub objsize: u16,
    pub version: u8,
    pub flags: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_obj_ctlv"][::core::mem::size_of::<_ipfw_obj_ctlv>() - 16usize];
    ["Alignment of _ipfw_obj_ctlv"][::core::mem::align_of::<_ipfw_obj_ctlv>() - 4usize];
    [
        "Offset of field: _ipfw_obj_ctlv::head",
    ][::core::mem::offset_of!(_ipfw_obj_ctlv, head) - 0usize];
    [
        "Offset of field: _ipfw_obj_ctlv::count",
    ][::core::mem::offset_of!(_ipfw_obj_ctlv, count) - 8usize];
    [
        "Offset of field: _ipfw_obj_ctlv::objsize",
    ][::core::mem::offset_of!(_ipfw_obj_ctlv, objsize) - 12usize];
    [
        "Offset of field: _ipfw_obj_ctlv::version",
    ][::core::mem::offset_of!(_ipfw_obj_ctlv, version) - 14usize];
    [
        "Offset of field: _ipfw_obj_ctlv::flags",
    ][::core::mem::offset_of!(_ipfw_obj_ctlv, flags) - 15usize];
};
pub type ipfw_obj_ctlv = _ipfw_obj_ctlv;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_range_tlv {
    pub head: ipfw_obj_tlv,
    pub flags: u32,
    pub start_rule: u32,
    pub end_rule: u32,
    pub set: u32,
    pub new_set: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_range_tlv"][::core::mem::size_of::<_ipfw_range_tlv>() - 28usize];
    [
        "Alignment of _ipfw_range_tlv",
    ][::core::mem::align_of::<_ipfw_range_tlv>() - 4usize];
    [
        "Offset of field: _ipfw_range_tlv::head",
    ][::core::mem::offset_of!(_ipfw_range_tlv, head) - 0usize];
    [
        "Offset of field: _ipfw_range_tlv::flags",
    ][::core::mem::offset_of!(_ipfw_range_tlv, flags) - 8usize];
    [
        "Offset of field: _ipfw_range_tlv::start_rule",
    ][::core::mem::offset_of!(_ipfw_range_tlv, start_rule) - 12usize];
    [
        "Offset of field: _ipfw_range_tlv::end_rule",
    ][::core::mem::offset_of!(_ipfw_range_tlv, end_rule) - 16usize];
    [
        "Offset of field: _ipfw_range_tlv::set",
    ][::core::mem::offset_of!(_ipfw_range_tlv, set) - 20usize];
    [
        "Offset of field: _ipfw_range_tlv::new_set",
    ][::core::mem::offset_of!(_ipfw_range_tlv, new_set) - 24usize];
};
pub type ipfw_range_tlv = _ipfw_range_tlv;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_ta_tinfo {
    pub flags: u32,
    pub spare: u32,
    pub taclass4: u8,
    pub spare4: u8,
    pub itemsize4: u16,
    pub size4: u32,
    pub count4: u32,
    pub taclass6: u8,
    pub spare6: u8,
    pub itemsize6: u16,
    pub size6: u32,
    pub count6: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_ta_tinfo"][::core::mem::size_of::<_ipfw_ta_tinfo>() - 32usize];
    ["Alignment of _ipfw_ta_tinfo"][::core::mem::align_of::<_ipfw_ta_tinfo>() - 4usize];
    [
        "Offset of field: _ipfw_ta_tinfo::flags",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, flags) - 0usize];
    [
        "Offset of field: _ipfw_ta_tinfo::spare",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, spare) - 4usize];
    [
        "Offset of field: _ipfw_ta_tinfo::taclass4",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, taclass4) - 8usize];
    [
        "Offset of field: _ipfw_ta_tinfo::spare4",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, spare4) - 9usize];
    [
        "Offset of field: _ipfw_ta_tinfo::itemsize4",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, itemsize4) - 10usize];
    [
        "Offset of field: _ipfw_ta_tinfo::size4",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, size4) - 12usize];
    [
        "Offset of field: _ipfw_ta_tinfo::count4",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, count4) - 16usize];
    [
        "Offset of field: _ipfw_ta_tinfo::taclass6",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, taclass6) - 20usize];
    [
        "Offset of field: _ipfw_ta_tinfo::spare6",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, spare6) - 21usize];
    [
        "Offset of field: _ipfw_ta_tinfo::itemsize6",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, itemsize6) - 22usize];
    [
        "Offset of field: _ipfw_ta_tinfo::size6",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, size6) - 24usize];
    [
        "Offset of field: _ipfw_ta_tinfo::count6",
    ][::core::mem::offset_of!(_ipfw_ta_tinfo, count6) - 28usize];
};
pub type ipfw_ta_tinfo = _ipfw_ta_tinfo;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_xtable_info {
    pub type_: u8,
    pub tflags: u8,
    pub mflags: u16,
    pub flags: u16,
    pub spare: [u16; 3usize],
    pub vmask: u32,
    pub set: u32,
    pub kidx: u32,
    pub refcnt: u32,
    pub count: u32,
    pub size: u32,
    pub limit: u32,
    pub tablename: [::core::ffi::c_char; 64usize],
    pub algoname: [::core::ffi::c_char; 64usize],
    pub ta_info: ipfw_ta_tinfo,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of _ipfw_xtable_info",
    ][::core::mem::size_of::<_ipfw_xtable_info>() - 200usize];
    [
        "Alignment of _ipfw_xtable_info",
    ][::core::mem::align_of::<_ipfw_xtable_info>() - 4usize];
    [
        "Offset of field: _ipfw_xtable_info::type_",
    ][::core::mem::offset_of!(_ipfw_xtable_info, type_) - 0usize];
    [
        "Offset of field: _ipfw_xtable_info::tflags",
    ][::core::mem::offset_of!(_ipfw_xtable_info, tflags) - 1usize];
    [
        "Offset of field: _ipfw_xtable_info::mflags",
    ][::core::mem::offset_of!(_ipfw_xtable_info, mflags) - 2usize];
    [
        "Offset of field: _ipfw_xtable_info::flags",
    ][::core::mem::offset_of!(_ipfw_xtable_info, flags) - 4usize];
    [
        "Offset of field: _ipfw_xtable_info::spare",
    ][::core::mem::offset_of!(_ipfw_xtable_info, spare) - 6usize];
    [
        "Offset of field: _ipfw_xtable_info::vmask",
    ][::core::mem::offset_of!(_ipfw_xtable_info, vmask) - 12usize];
    [
        "Offset of field: _ipfw_xtable_info::set",
    ][::core::mem::offset_of!(_ipfw_xtable_info, set) - 16usize];
    [
        "Offset of field: _ipfw_xtable_info::kidx",
    ][::core::mem::offset_of!(_ipfw_xtable_info, kidx) - 20usize];
    [
        "Offset of field: _ipfw_xtable_info::refcnt",
    ][::core::mem::offset_of!(_ipfw_xtable_info, refcnt) - 24usize];
    [
        "Offset of field: _ipfw_xtable_info::count",
    ][::core::mem::offset_of!(_ipfw_xtable_info, count) - 28usize];
    [
        "Offset of field: _ipfw_xtable_info::size",
    ][::core::mem::offset_of!(_ipfw_xtable_info, size) - 32usize];
    [
        "Offset of field: _ipfw_xtable_info::limit",
    ][::core::mem::offset_of!(_ipfw_xtable_info, limit) - 36usize];
    [
        "Offset of field: _ipfw_xtable_info::tablename",
    ][::core::mem::offset_of!(_ipfw_xtable_info, tablename) - 40usize];
    [
        "Offset of field: _ipfw_xtable_info::algoname",
    ][::core::mem::offset_of!(_ipfw_xtable_info, algoname) - 104usize];
    [
        "Offset of field: _ipfw_xtable_info::ta_info",
    ][::core::mem::offset_of!(_ipfw_xtable_info, ta_info) - 168usize];
};
pub type ipfw_xtable_info = _ipfw_xtable_info;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_obj_header {
    pub opheader: ip_fw3_opheader,
    pub idx: u32,
    pub spare: u16,
    pub objtype: u8,
    pub objsubtype: u8,
    pub ntlv: ipfw_obj_ntlv,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_obj_header"][::core::mem::size_of::<_ipfw_obj_header>() - 96usize];
    [
        "Alignment of _ipfw_obj_header",
    ][::core::mem::align_of::<_ipfw_obj_header>() - 4usize];
    [
        "Offset of field: _ipfw_obj_header::opheader",
    ][::core::mem::offset_of!(_ipfw_obj_header, opheader) - 0usize];
    [
        "Offset of field: _ipfw_obj_header::idx",
    ][::core::mem::offset_of!(_ipfw_obj_header, idx) - 8usize];
    [
        "Offset of field: _ipfw_obj_header::spare",
    ][::core::mem::offset_of!(_ipfw_obj_header, spare) - 12usize];
    [
        "Offset of field: _ipfw_obj_header::objtype",
    ][::core::mem::offset_of!(_ipfw_obj_header, objtype) - 14usize];
    [
        "Offset of field: _ipfw_obj_header::objsubtype",
    ][::core::mem::offset_of!(_ipfw_obj_header, objsubtype) - 15usize];
    [
        "Offset of field: _ipfw_obj_header::ntlv",
    ][::core::mem::offset_of!(_ipfw_obj_header, ntlv) - 16usize];
};
pub type ipfw_obj_header = _ipfw_obj_header;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_obj_lheader {
    pub opheader: ip_fw3_opheader,
    pub set_mask: u32,
    pub count: u32,
    pub size: u32,
    pub objsize: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_obj_lheader"][::core::mem::size_of::<_ipfw_obj_lheader>() - 24usize];
    [
        "Alignment of _ipfw_obj_lheader",
    ][::core::mem::align_of::<_ipfw_obj_lheader>() - 4usize];
    [
        "Offset of field: _ipfw_obj_lheader::opheader",
    ][::core::mem::offset_of!(_ipfw_obj_lheader, opheader) - 0usize];
    [
        "Offset of field: _ipfw_obj_lheader::set_mask",
    ][::core::mem::offset_of!(_ipfw_obj_lheader, set_mask) - 8usize];
    [
        "Offset of field: _ipfw_obj_lheader::count",
    ][::core::mem::offset_of!(_ipfw_obj_lheader, count) - 12usize];
    [
        "Offset of field: _ipfw_obj_lheader::size",
    ][::core::mem::offset_of!(_ipfw_obj_lheader, size) - 16usize];
    [
        "Offset of field: _ipfw_obj_lheader::objsize",
    ][::core::mem::offset_of!(_ipfw_obj_lheader, objsize) - 20usize];
};
pub type ipfw_obj_lheader = _ipfw_obj_lheader;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_cfg_lheader {
    pub opheader: ip_fw3_opheader,
    pub set_mask: u32,
    pub spare: u32,
    pub flags: u32,
    pub size: u32,
    pub start_rule: u32,
    pub end_rule: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of _ipfw_cfg_lheader"][::core::mem::size_of::<_ipfw_cfg_lheader>() - 32usize];
    [
        "Alignment of _ipfw_cfg_lheader",
    ][::core::mem::align_of::<_ipfw_cfg_lheader>() - 4usize];
    [
        "Offset of field: _ipfw_cfg_lheader::opheader",
    ][::core::mem::offset_of!(_ipfw_cfg_lheader, opheader) - 0usize];
    [
        "Offset of field: _ipfw_cfg_lheader::set_mask",
    ][::core::mem::offset_of!(_ipfw_cfg_lheader, set_mask) - 8usize];
    [
        "Offset of field: _ipfw_cfg_lheader::spare",
    ][::core::mem::offset_of!(_ipfw_cfg_lheader, spare) - 12usize];
    [
        "Offset of field: _ipfw_cfg_lheader::flags",
    ][::core::mem::offset_of!(_ipfw_cfg_lheader, flags) - 16usize];
    [
        "Offset of field: _ipfw_cfg_lheader::size",
    ][::core::mem::offset_of!(_ipfw_cfg_lheader, size) - 20usize];
    [
        "Offset of field: _ipfw_cfg_lheader::start_rule",
    ][::core::mem::offset_of!(_ipfw_cfg_lheader, start_rule) - 24usize];
    [
        "Offset of field: _ipfw_cfg_lheader::end_rule",
    ][::core::mem::offset_of!(_ipfw_cfg_lheader, end_rule) - 28usize];
};
pub type ipfw_cfg_lheader = _ipfw_cfg_lheader;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct _ipfw_range_header {
    pub opheader: ip_fw3_opheader,
    pub range: ipfw_range_tlv,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    [
        "Size of _ipfw_range_header",
    ][::core::mem::size_of::<_ipfw_range_header>() - 36usize];
    [
        "Alignment of _ipfw_range_header",
    ][::core::mem::align_of::<_ipfw_range_header>() - 4usize];
    [
        "Offset of field: _ipfw_range_header::opheader",
    ][::core::mem::offset_of!(_ipfw_range_header, opheader) - 0usize];
    [
        "Offset of field: _ipfw_range_header::range",
    ][::core::mem::offset_of!(_ipfw_range_header, range) - 8usize];
};
pub type ipfw_range_header = _ipfw_range_header;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct nd_ifinfo {
    pub linkmtu: u_int32_t,
    pub maxmtu: u_int32_t,
    pub basereachable: u_int32_t,
    pub reachable: u_int32_t,
    pub retrans: u_int32_t,
    pub flags: u_int32_t,
    pub recalctm: ::core::ffi::c_int,
    pub chlim: u_int8_t,
    pub initialized: u_int8_t,
    pub randomseed0: [u_int8_t; 8usize],
    pub randomseed1: [u_int8_t; 8usize],
    pub randomid: [u_int8_t; 8usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of nd_ifinfo"][::core::mem::size_of::<nd_ifinfo>() - 56usize];
    ["Alignment of nd_ifinfo"][::core::mem::align_of::<nd_ifinfo>() - 4usize];
    [
        "Offset of field: nd_ifinfo::linkmtu",
    ][::core::mem::offset_of!(nd_ifinfo, linkmtu) - 0usize];
    [
        "Offset of field: nd_ifinfo::maxmtu",
    ][::core::mem::offset_of!(nd_ifinfo, maxmtu) - 4usize];
    [
        "Offset of field: nd_ifinfo::basereachable",
    ][::core::mem::offset_of!(nd_ifinfo, basereachable) - 8usize];
    [
        "Offset of field: nd_ifinfo::reachable",
    ][::core::mem::offset_of!(nd_ifinfo, reachable) - 12usize];
    [
        "Offset of field: nd_ifinfo::retrans",
    ][::core::mem::offset_of!(nd_ifinfo, retrans) - 16usize];
    [
        "Offset of field: nd_ifinfo::flags",
    ][::core::mem::offset_of!(nd_ifinfo, flags) - 20usize];
    [
        "Offset of field: nd_ifinfo::recalctm",
    ][::core::mem::offset_of!(nd_ifinfo, recalctm) - 24usize];
    [
        "Offset of field: nd_ifinfo::chlim",
    ][::core::mem::offset_of!(nd_ifinfo, chlim) - 28usize];
    [
        "Offset of field: nd_ifinfo::initialized",
    ][::core::mem::offset_of!(nd_ifinfo, initialized) - 29usize];
    [
        "Offset of field: nd_ifinfo::randomseed0",
    ][::core::mem::offset_of!(nd_ifinfo, randomseed0) - 30usize];
    [
        "Offset of field: nd_ifinfo::randomseed1",
    ][::core::mem::offset_of!(nd_ifinfo, randomseed1) - 38usize];
    [
        "Offset of field: nd_ifinfo::randomid",
    ][::core::mem::offset_of!(nd_ifinfo, randomid) - 46usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_nbrinfo {
    pub ifname: [::core::ffi::c_char; 16usize],
    pub addr: in6_addr,
    pub asked: ::core::ffi::c_long,
    pub isrouter: ::core::ffi::c_int,
    pub state: ::core::ffi::c_int,
    pub expire: ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_nbrinfo"][::core::mem::size_of::<in6_nbrinfo>() - 56usize];
    ["Alignment of in6_nbrinfo"][::core::mem::align_of::<in6_nbrinfo>() - 8usize];
    [
        "Offset of field: in6_nbrinfo::ifname",
    ][::core::mem::offset_of!(in6_nbrinfo, ifname) - 0usize];
    [
        "Offset of field: in6_nbrinfo::addr",
    ][::core::mem::offset_of!(in6_nbrinfo, addr) - 16usize];
    [
        "Offset of field: in6_nbrinfo::asked",
    ][::core::mem::offset_of!(in6_nbrinfo, asked) - 32usize];
    [
        "Offset of field: in6_nbrinfo::isrouter",
    ][::core::mem::offset_of!(in6_nbrinfo, isrouter) - 40usize];
    [
        "Offset of field: in6_nbrinfo::state",
    ][::core::mem::offset_of!(in6_nbrinfo, state) - 44usize];
    [
        "Offset of field: in6_nbrinfo::expire",
    ][::core::mem::offset_of!(in6_nbrinfo, expire) - 48usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_defrouter {
    pub rtaddr: sockaddr_in6,
    pub flags: u_char,
    pub rtlifetime: u_short,
    pub expire: u_long,
    pub if_index: u_short,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_defrouter"][::core::mem::size_of::<in6_defrouter>() - 48usize];
    ["Alignment of in6_defrouter"][::core::mem::align_of::<in6_defrouter>() - 8usize];
    [
        "Offset of field: in6_defrouter::rtaddr",
    ][::core::mem::offset_of!(in6_defrouter, rtaddr) - 0usize];
    [
        "Offset of field: in6_defrouter::flags",
    ][::core::mem::offset_of!(in6_defrouter, flags) - 28usize];
    [
        "Offset of field: in6_defrouter::rtlifetime",
    ][::core::mem::offset_of!(in6_defrouter, rtlifetime) - 30usize];
    [
        "Offset of field: in6_defrouter::expire",
    ][::core::mem::offset_of!(in6_defrouter, expire) - 32usize];
    [
        "Offset of field: in6_defrouter::if_index",
    ][::core::mem::offset_of!(in6_defrouter, if_index) - 40usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct in6_prefix {
    pub prefix: sockaddr_in6,
    pub raflags: in6_prflags_prf_ra,
    pub prefixlen: u_char,
    pub origin: u_char,
    pub vltime: u_int32_t,
    pub pltime: u_int32_t,
    pub expire: time_t,
    pub flags: u_int32_t,
    pub refcnt: ::core::ffi::c_int,
    pub if_index: u_short,
    pub advrtrs: u_short,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_prefix"][::core::mem::size_of::<in6_prefix>() - 64usize];
    ["Alignment of in6_prefix"][::core::mem::align_of::<in6_prefix>() - 8usize];
    [
        "Offset of field: in6_prefix::prefix",
    ][::core::mem::offset_of!(in6_prefix, prefix) - 0usize];
    [
        "Offset of field: in6_prefix::raflags",
    ][::core::mem::offset_of!(in6_prefix, raflags) - 28usize];
    [
        "Offset of field: in6_prefix::prefixlen",
    ][::core::mem::offset_of!(in6_prefix, prefixlen) - 29usize];
    [
        "Offset of field: in6_prefix::origin",
    ][::core::mem::offset_of!(in6_prefix, origin) - 30usize];
    [
        "Offset of field: in6_prefix::vltime",
    ][::core::mem::offset_of!(in6_prefix, vltime) - 32usize];
    [
        "Offset of field: in6_prefix::pltime",
    ][::core::mem::offset_of!(in6_prefix, pltime) - 36usize];
    [
        "Offset of field: in6_prefix::expire",
    ][::core::mem::offset_of!(in6_prefix, expire) - 40usize];
    [
        "Offset of field: in6_prefix::flags",
    ][::core::mem::offset_of!(in6_prefix, flags) - 48usize];
    [
        "Offset of field: in6_prefix::refcnt",
    ][::core::mem::offset_of!(in6_prefix, refcnt) - 52usize];
    [
        "Offset of field: in6_prefix::if_index",
    ][::core::mem::offset_of!(in6_prefix, if_index) - 56usize];
    [
        "Offset of field: in6_prefix::advrtrs",
    ][::core::mem::offset_of!(in6_prefix, advrtrs) - 58usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in6_ndireq {
    pub ifname: [::core::ffi::c_char; 16usize],
    pub ndi: nd_ifinfo,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_ndireq"][::core::mem::size_of::<in6_ndireq>() - 72usize];
    ["Alignment of in6_ndireq"][::core::mem::align_of::<in6_ndireq>() - 4usize];
    [
        "Offset of field: in6_ndireq::ifname",
    ][::core::mem::offset_of!(in6_ndireq, ifname) - 0usize];
    [
        "Offset of field: in6_ndireq::ndi",
    ][::core::mem::offset_of!(in6_ndireq, ndi) - 16usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct in6_ndifreq {
    pub ifname: [::core::ffi::c_char; 16usize],
    pub ifindex: u_long,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of in6_ndifreq"][::core::mem::size_of::<in6_ndifreq>() - 24usize];
    ["Alignment of in6_ndifreq"][::core::mem::align_of::<in6_ndifreq>() - 8usize];
    [
        "Offset of field: in6_ndifreq::ifname",
    ][::core::mem::offset_of!(in6_ndifreq, ifname) - 0usize];
    [
        "Offset of field: in6_ndifreq::ifindex",
    ][::core::mem::offset_of!(in6_ndifreq, ifindex) - 16usize];
};
pub type devfs_rnum = u16;
pub type devfs_rsnum = u16;
pub type devfs_rid = u32;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct devfs_rule {
    pub dr_magic: u32,
    pub dr_id: devfs_rid,
    pub dr_icond: ::core::ffi::c_int,
    pub dr_dswflags: ::core::ffi::c_int,
    pub dr_pathptrn: [::core::ffi::c_char; 200usize],
    pub dr_iacts: ::core::ffi::c_int,
    pub dr_bacts: ::core::ffi::c_int,
    pub dr_uid: uid_t,
    pub dr_gid: gid_t,
    pub dr_mode: mode_t,
    pub dr_incset: devfs_rsnum,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of devfs_rule"][::core::mem::size_of::<devfs_rule>() - 236usize];
    ["Alignment of devfs_rule"][::core::mem::align_of::<devfs_rule>() - 4usize];
    [
        "Offset of field: devfs_rule::dr_magic",
    ][::core::mem::offset_of!(devfs_rule, dr_magic) - 0usize];
    [
        "Offset of field: devfs_rule::dr_id",
    ][::core::mem::offset_of!(devfs_rule, dr_id) - 4usize];
    [
        "Offset of field: devfs_rule::dr_icond",
    ][::core::mem::offset_of!(devfs_rule, dr_icond) - 8usize];
    [
        "Offset of field: devfs_rule::dr_dswflags",
    ][::core::mem::offset_of!(devfs_rule, dr_dswflags) - 12usize];
    [
        "Offset of field: devfs_rule::dr_pathptrn",
    ][::core::mem::offset_of!(devfs_rule, dr_pathptrn) - 16usize];
    [
        "Offset of field: devfs_rule::dr_iacts",
    ][::core::mem::offset_of!(devfs_rule, dr_iacts) - 216usize];
    [
        "Offset of field: devfs_rule::dr_bacts",
    ][::core::mem::offset_of!(devfs_rule, dr_bacts) - 220usize];
    [
        "Offset of field: devfs_rule::dr_uid",
    ][::core::mem::offset_of!(devfs_rule, dr_uid) - 224usize];
    [
        "Offset of field: devfs_rule::dr_gid",
    ][::core::mem::offset_of!(devfs_rule, dr_gid) - 228usize];
    [
        "Offset of field: devfs_rule::dr_mode",
    ][::core::mem::offset_of!(devfs_rule, dr_mode) - 232usize];
    [
        "Offset of field: devfs_rule::dr_incset",
    ][::core::mem::offset_of!(devfs_rule, dr_incset) - 234usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfi_dynaddr {
    pub _address: u8,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct pfr_ktable {
    pub _address: u8,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct cfg_nat {
    pub _address: u8,
}
