//! Does nothing in a user's build. With the feature `regenerate`, which `./regenerate` switches on, runs
//! bindgen over `wrapper.h` and writes one file of bindings for each architecture.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "regenerate")]
    regenerate::run();
}

#[cfg(feature = "regenerate")]
mod regenerate {
    use std::env;
    use std::path::Path;

    use bindgen::callbacks::{IntKind, MacroParsingBehavior, ParseCallbacks};

    /// The types of requests and of the kernel's answers. bindgen adds the types that these contain.
    const TYPES: &[&str] = &[
        // Interfaces.
        "ifreq ifreq_buffer ifreq_nv_req ifaliasreq oifaliasreq ifconf ifdrv ifmediareq ifstat",
        "ifgroupreq ifg_req if_clonereq ifdownreason ifi2creq ifrsskey ifrsshash vlanreq",
        "if_data ifmibdata ifType",
        // Bridges.
        "ifbreq ifbifconf ifbareq ifbaconf ifbrparam ifbropreq ifbpstpreq ifbpstpconf ifbif_vlan_req",
        "ifbr_flags_t ifbvlan_set_t ether_vlanid_t",
        // Addresses.
        "sockaddr sockaddr_dl sockaddr_in sockaddr_in6 sockaddr_storage in_addr in6_addr",
        "in_aliasreq in6_aliasreq oin6_aliasreq in6_ifreq in6_addrlifetime in6_addrpolicy",
        "in6_prefixreq in6_rrenumreq in6_ndireq in6_ndifreq in6_nbrinfo nd_ifinfo in6_prefix in6_defrouter",
        // Virtual hosts of carp(4).
        "carpreq",
        // Routing messages.
        "rt_msghdr rt_metrics if_msghdr if_msghdrl ifa_msghdr ifa_msghdrl ifma_msghdr if_announcemsghdr",
        // Jails, and what starting a jail needs.
        "jail xprison prison_state iovec statfs devfs_rule devfs_rid devfs_rnum devfs_rsnum",
        "uexterror kevent kld_file_stat module_stat",
        // pf: rulesets, tables, states.
        "pfioc_trans pfioc_trans_pfioc_trans_e pfioc_rule pfioc_pooladdr pfioc_ruleset pfioc_nv pfioc_limit",
        "pfioc_table pfr_table pfr_addr",
        // ipfw: messages of IP_FW3, rules and their instructions, tables, NAT.
        "ip_fw3_opheader ipfw_cfg_lheader ipfw_obj_lheader ipfw_obj_header ipfw_obj_tlv ipfw_obj_ctlv",
        "ipfw_obj_ntlv ipfw_obj_tentry ipfw_xtable_info ipfw_range_header ip_fw_rule",
        "ipfw_insn ipfw_insn_u32 ipfw_insn_ip ipfw_insn_kidx ipfw_insn_if ipfw_insn_nat",
        "nat44_cfg_nat nat44_cfg_redir",
    ];

    /// Families of constants, each with the type of the field or argument for which its members are: macros of C
    /// have no type. `*` stands for any text, and `+` for capital letters and digits. The first match counts. A
    /// value that does not fit the type becomes a u32.
    const CONSTANTS: &[(IntKind, &str)] = &[
        // pf
        (USIZE, "PF_ANCHOR_NAME_SIZE PF_TABLE_NAME_SIZE PF_RULE_LABEL_SIZE"),
        (IntKind::U8, "PF_PRIO_* PF_POOL_STICKYADDR PF_STATE_NORMAL"),
        (IntKind::U32, "PFR_TFLAG_*"),
        (IntKind::Int, "PFR_FLAG_*"),
        // ipfw
        (IntKind::Int, "IP_FW3 IPPROTO_RAW"),
        (IntKind::U16, "IP_FW3_OPVER_0 IP_FW3_OPVER_1 IP_FW_X+ IP_FW_TABLE_X+ IP_FW_TABLES_XLIST"),
        (IntKind::U16, "IP_FW_NAT44_XCONFIG IP_FW_NAT44_DESTROY IP_FW_NAT44_XGETCONFIG IP_FW_NAT44_LIST_NAT"),
        (
            IntKind::U16,
            "IPFW_TLV_TBL_NAME IPFW_TLV_TBLNAME_LIST IPFW_TLV_RULE_LIST IPFW_TLV_RULE_ENT IPFW_TLV_TBLENT_LIST",
        ),
        (IntKind::U16, "NAT44_REDIR_*"),
        (IntKind::U32, "IPFW_DEFAULT_RULE RESVD_SET IPFW_MAX_SETS IPFW_CFG_GET_STATIC IPFW_RCFLAG_*"),
        (IntKind::U8, "IPFW_TABLE_ADDR F_NOT F_OR F_LEN_MASK IPFW_CTF_ATOMIC IPFW_TR_*"),
        // Protocol families, whose names have the same prefix as pf's constants.
        (
            IntKind::Int,
            "PF_UNSPEC PF_LOCAL PF_UNIX PF_INET PF_IMPLINK PF_PUP PF_CHAOS PF_NETBIOS PF_ISO PF_OSI",
        ),
        (IntKind::Int, "PF_ECMA PF_DATAKIT PF_CCITT PF_SNA PF_DECnet PF_DLI PF_LAT PF_HYLINK PF_APPLETALK"),
        (IntKind::Int, "PF_ROUTE PF_LINK PF_XTP PF_COIP PF_CNT PF_SIP PF_IPX PF_RTIP PF_PIP PF_ISDN PF_KEY"),
        (
            IntKind::Int,
            "PF_INET6 PF_NATM PF_ATM PF_NETGRAPH PF_SLOW PF_SCLUSTER PF_ARP PF_BLUETOOTH PF_IEEE80211",
        ),
        (IntKind::Int, "PF_NETLINK PF_INET_SDP PF_INET6_SDP PF_DIVERT PF_IPFWLOG PF_MAX"),
        // socket(2), ioctl(2), sysctl(3)
        (IntKind::Int, "AF_* SOCK_* SOL_SOCKET SO_* SCM_RIGHTS"),
        (IntKind::Int, "IPPROTO_IP IPPROTO_IPV6 IPPROTO_ICMP IPPROTO_ICMPV6 IPPROTO_TCP IPPROTO_UDP"),
        (IntKind::Int, "CTL_+ CTL_SYSCTL_* NET_RT_* NETLINK_GENERIC IFMIB_* IFDATA_*"),
        // Interfaces
        (IntKind::Int, "IFF_* IFCAP_* IFCAP2_* IFAN_* IF_MAXUNIT IFR_CAP_NV_MAXBUFSIZE IFG_*"),
        (IntKind::U8, "LINK_STATE_* IFNET_PCP_NONE"),
        (IntKind::U16, "ETHERTYPE_VLAN ETHERTYPE_QINQ"),
        // Bridges
        (IntKind::ULong, "BRDG+"),
        (IntKind::Int, "IFBIFMASK"),
        (IntKind::U32, "IFBIF_* IFBF_* IFBRF_*"),
        (IntKind::U8, "IFBAF_* BRDG_VLAN_OP_* BSTP_IFSTATE_* BSTP_ROLE_*"),
        // IPv6
        (IntKind::Int, "IN6_IFF_* ND6_LLINFO_*"),
        (IntKind::U32, "ND6_IFF_* ND6_INFINITE_LIFETIME"),
        // carp(4)
        (IntKind::Int, "CARP_MAXVHID CARP_MAXSTATE CARP_MAXSKEW"),
        (USIZE, "CARP_KEY_LEN"),
        // Routing messages
        (IntKind::U8, "RTM_+"),
        (IntKind::Int, "RTF_* RTA_* RTAX_* RT_DEFAULT_FIB RT_ALL_FIBS RT_DEFAULT_WEIGHT RT_MAX_WEIGHT"),
        (IntKind::ULong, "RTV_*"),
        // Jails and their events
        (IntKind::U32, "JAIL_API_VERSION NOTE_JAIL_*"),
        (IntKind::Int, "JAIL_* XPRISON_VERSION"),
        (IntKind::I16, "EVFILT_READ EVFILT_WRITE EVFILT_PROC EVFILT_PROCDESC EVFILT_JAIL EVFILT_JAILDESC"),
        (
            IntKind::U16,
            "EV_ADD EV_DELETE EV_ENABLE EV_DISABLE EV_ONESHOT EV_CLEAR EV_RECEIPT EV_EOF EV_ERROR",
        ),
        // Errors
        (IntKind::U32, "EXTERRCTL_* EXTERRCTLF_* UEXTERROR_VER EXTERR_*"),
        (IntKind::Int, "E+"),
        // Mounts, devfs, modules, system calls
        (IntKind::Int, "MNT_WAIT MNT_NOWAIT MNT_LAZY MNT_SUSPEND"),
        (IntKind::U64, "MNT_*"),
        (IntKind::U32, "DEVFS_MAGIC STATFS_VERSION"),
        (IntKind::Int, "DRC_* DRA_* DRB_*"),
        (
            IntKind::Int,
            "SYS_jail SYS_jail_* SYS_exterrctl SYS_kld* SYS_mod* SYS_nmount SYS_unmount SYS_getfsstat",
        ),
        (IntKind::Int, "SYS_setfib SYS_pdfork SYS_procctl SYS_kevent SYS_kqueue LINKER_UNLOAD_*"),
        // Lengths of arrays
        (USIZE, "IFNAMSIZ IF_NAMESIZE MAXPATHLEN MAXHOSTNAMELEN MAXCOMLEN HOSTUUIDLEN OSRELEASELEN"),
        (USIZE, "IFSTATMAX IFDR_MSG_SIZE RSS_KEYLEN ETHER_ADDR_LEN BRVLAN_SETSIZE DEVFS_MAXPTRNLEN"),
        (USIZE, "MFSNAMELEN MNAMELEN UEXTERROR_MAXLEN MAXMODNAME"),
        // The parts of a request number
        (
            IntKind::ULong,
            "IOCPARM_SHIFT IOCPARM_MASK IOCPARM_MAX IOC_VOID IOC_OUT IOC_IN IOC_INOUT IOC_DIRMASK",
        ),
    ];

    const USIZE: IntKind = IntKind::Custom { name: "usize", is_signed: false };

    /// Constants of C enums, which are written without the enum's name in front.
    const ENUMERATED: &str = "IFT_* PRISON_STATE_*";

    /// Macros that the patterns above catch and that have no use: IFT_ names that repeat their enum.
    const IGNORED: &str = "IFT_* ETHERMTU ETHERMIN EOF";

    /// Structures of bit-fields with one byte each, which are represented as that byte.
    const OPAQUE: &str = "in6_prflags_prf_ra in6_prflags_prf_rr in6_rrenumreq_irr_raflagmask";

    /// Unnamed unions of addresses, which are represented as bytes.
    const OPAQUE_OF_PF: &str = "pf_addr pf_poolhashkey";

    /// The value of an address in a table of ipfw, which is not used here, and is represented as bytes.
    const OPAQUE_OF_IPFW: &str = "_ipfw_table_value";

    /// Structures inside pf, which only pointers of the kernel lead to: they are left opaque.
    const KERNELS_OF_PF: &str = "pf_anchor pfi_kif";

    /// The types that these structures would add.
    const BEHIND_THEM: &str = "ifnet ifg_group pf_ruleset pf_rulequeue pf_anchor_node";

    fn words<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
        lines.iter().flat_map(|line| line.split_whitespace())
    }

    /// Converts `pattern` to the regular expression for bindgen.
    fn expression(pattern: &str) -> String {
        pattern.replace('*', ".*").replace('+', "[A-Z0-9]+")
    }

    fn matches(pattern: &str, name: &str) -> bool {
        if let Some(prefix) = pattern.strip_suffix('*') {
            return name.starts_with(prefix);
        }
        match pattern.strip_suffix('+') {
            Some(prefix) => name.strip_prefix(prefix).is_some_and(|rest| {
                !rest.is_empty()
                    && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            }),
            None => pattern == name,
        }
    }

    fn any_matches(patterns: &str, name: &str) -> bool {
        patterns.split_whitespace().any(|pattern| matches(pattern, name))
    }

    #[derive(Debug)]
    struct Typed;

    impl ParseCallbacks for Typed {
        fn will_parse_macro(&self, name: &str) -> MacroParsingBehavior {
            match any_matches(IGNORED, name) {
                true => MacroParsingBehavior::Ignore,
                false => MacroParsingBehavior::Default,
            }
        }

        fn int_macro(&self, name: &str, value: i64) -> Option<IntKind> {
            let kind =
                CONSTANTS.iter().find(|(_, patterns)| any_matches(patterns, name)).map(|&(kind, _)| kind)?;
            Some(match kind {
                IntKind::Int if value > i64::from(i32::MAX) => IntKind::U32,
                IntKind::U8 if value > i64::from(u8::MAX) => IntKind::U32,
                kind => kind,
            })
        }
    }

    /// Writes the bindings into the folder `JAILWIRE_BINDINGS`, for the architectures whose headers are given.
    pub fn run() {
        println!("cargo::rerun-if-changed=wrapper.h");
        // A build with all features, but without the variable, makes no bindings.
        let Some(output) = variable("JAILWIRE_BINDINGS") else { return };
        for architecture in ["x86_64", "aarch64"] {
            if let Some(include) = variable(&format!("JAILWIRE_INCLUDE_{architecture}")) {
                generate(architecture, &include)
                    .write_to_file(Path::new(&output).join(format!("{architecture}.rs")))
                    .expect("the bindings can be written");
            }
        }
    }

    fn variable(name: &str) -> Option<String> {
        println!("cargo::rerun-if-env-changed={name}");
        env::var(name).ok()
    }

    /// `include` is a list of folders, as in PATH.
    fn generate(architecture: &str, include: &str) -> bindgen::Bindings {
        let mut builder = bindgen::builder()
            .header("wrapper.h")
            .clang_arg(format!("--target={architecture}-unknown-freebsd15.0"))
            .clang_arg("-nostdinc")
            .clang_arg("-D__FreeBSD_version=1500500") // ziglang's copy of sys/param.h has none
            .clang_args(env::split_paths(include).map(|folder| format!("-isystem{}", folder.display())))
            .raw_line("// Written by bindgen from FreeBSD 15.0's headers. To change it, see README.md.")
            .disable_header_comment()
            .formatter(bindgen::Formatter::Prettyplease)
            .rust_target(bindgen::RustTarget::stable(89, 0).expect("the workspace's oldest Rust"))
            .rust_edition(bindgen::RustEdition::Edition2024)
            .use_core()
            .ignore_functions()
            .generate_comments(false)
            .merge_extern_blocks(true)
            .prepend_enum_name(false)
            .clang_macro_fallback()
            .clang_macro_fallback_build_dir(env::var_os("OUT_DIR").expect("cargo sets it"))
            .parse_callbacks(Box::new(Typed));
        for name in words(TYPES) {
            builder = builder.allowlist_type(name);
        }
        for name in words(&[OPAQUE, OPAQUE_OF_PF, OPAQUE_OF_IPFW]) {
            builder = builder.opaque_type(name).blocklist_type(format!("{name}__bindgen.*"));
        }
        for name in words(&[KERNELS_OF_PF, BEHIND_THEM]) {
            builder = builder.blocklist_type(format!("{name}(__bindgen.*)?"));
        }
        for name in words(&[KERNELS_OF_PF]) {
            builder = builder.raw_line(format!("#[repr(C)]\npub struct {name} {{ _unused: [u8; 0] }}"));
        }
        for pattern in
            CONSTANTS.iter().flat_map(|(_, line)| line.split_whitespace()).chain(words(&[ENUMERATED]))
        {
            builder = builder.allowlist_var(expression(pattern));
        }
        builder.generate().expect("bindgen can read FreeBSD's headers")
    }
}
