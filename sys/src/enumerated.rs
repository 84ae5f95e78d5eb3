//! Constants of C enums without a name, or of enums of which few constants are needed here. Each has the type of
//! the field that it is for. The proofs compare them with the headers, as they compare the generated constants.

macro_rules! enumerated {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $value:literal;)*) => {
        $($(#[$meta])* pub const $name: $type = $value;)*

        /// Each of them, for the proofs.
        #[doc(hidden)]
        pub const ENUMERATED: &[(&str, i64)] = &[$((stringify!($name), $name as i64)),*];
    };
}

enumerated! {
    /// pf: let a packet pass. Of `action` of [`pf_rule`](crate::pf_rule), as those up to [`PF_NORDR`].
    PF_PASS: u8 = 0;
    /// pf: drop it.
    PF_DROP: u8 = 1;
    /// pf: put its fragments together first.
    PF_SCRUB: u8 = 2;
    /// pf: do not.
    PF_NOSCRUB: u8 = 3;
    /// pf: translate its source.
    PF_NAT: u8 = 4;
    /// pf: do not.
    PF_NONAT: u8 = 5;
    /// pf: translate its source on the way out, and its destination on the way in.
    PF_BINAT: u8 = 6;
    /// pf: do not.
    PF_NOBINAT: u8 = 7;
    /// pf: translate its destination.
    PF_RDR: u8 = 8;
    /// pf: do not.
    PF_NORDR: u8 = 9;
    /// pf: note its rule, and go on.
    PF_MATCH: u8 = 12;

    /// pf: rules that put fragments together. Of `rs_num` of
    /// [`pfioc_trans_pfioc_trans_e`](crate::pfioc_trans_pfioc_trans_e), as those up to [`PF_RULESET_TABLE`].
    PF_RULESET_SCRUB: i32 = 0;
    /// pf: rules that let pass and drop.
    PF_RULESET_FILTER: i32 = 1;
    /// pf: rules that translate sources.
    PF_RULESET_NAT: i32 = 2;
    /// pf: rules that translate both.
    PF_RULESET_BINAT: i32 = 3;
    /// pf: rules that translate destinations.
    PF_RULESET_RDR: i32 = 4;
    /// pf: how many kinds of rules there are.
    PF_RULESET_MAX: i32 = 5;
    /// pf: tables, which are written in a transaction as rules are.
    PF_RULESET_TABLE: i32 = 6;

    /// pf: in either direction. Of `direction` of [`pf_rule`](crate::pf_rule).
    PF_INOUT: u8 = 0;
    /// pf: on the way in.
    PF_IN: u8 = 1;
    /// pf: on the way out.
    PF_OUT: u8 = 2;

    /// pf: any port. Of `port_op` of [`pf_rule_addr`](crate::pf_rule_addr).
    PF_OP_NONE: u8 = 0;
    /// pf: this port.
    PF_OP_EQ: u8 = 2;
    /// pf: from the first port to the second, both of them too.
    PF_OP_RRG: u8 = 9;

    /// pf: an address and its mask. Of `type` of [`pf_addr_wrap`](crate::pf_addr_wrap).
    PF_ADDR_ADDRMASK: u8 = 0;
    /// pf: the addresses of an interface.
    PF_ADDR_DYNIFTL: u8 = 2;
    /// pf: a table.
    PF_ADDR_TABLE: u8 = 3;

    /// pf: the first address of the pool, and no other. Of `opts` of [`pf_pool`](crate::pf_pool).
    PF_POOL_NONE: u8 = 0;
    /// pf: one address of the pool after the other.
    PF_POOL_ROUNDROBIN: u8 = 4;

    /// ipfw: nothing but a comment. Of `opcode` of [`ipfw_insn`](crate::ipfw_insn), as those up to [`O_TAGGED`].
    O_NOP: u8 = 0;
    /// ipfw: the source is this address.
    O_IP_SRC: u8 = 1;
    /// ipfw: the source is in one of these networks.
    O_IP_SRC_MASK: u8 = 2;
    /// ipfw: the destination is this address.
    O_IP_DST: u8 = 5;
    /// ipfw: the source port is in one of these ranges.
    O_IP_SRCPORT: u8 = 9;
    /// ipfw: the destination port is in one of these ranges.
    O_IP_DSTPORT: u8 = 10;
    /// ipfw: the protocol.
    O_PROTO: u8 = 11;
    /// ipfw: a packet that came in.
    O_IN: u8 = 15;
    /// ipfw: the interface that it came in by.
    O_RECV: u8 = 17;
    /// ipfw: the interface that it leaves by.
    O_XMIT: u8 = 18;
    /// ipfw: let it pass.
    O_ACCEPT: u8 = 45;
    /// ipfw: drop it.
    O_DENY: u8 = 46;
    /// ipfw: count it, and go on.
    O_COUNT: u8 = 48;
    /// ipfw: translate it.
    O_NAT: u8 = 56;
    /// ipfw: the source is in a table.
    O_IP_SRC_LOOKUP: u8 = 59;
    /// ipfw: the destination is in a table.
    O_IP_DST_LOOKUP: u8 = 60;
    /// ipfw: a packet of IPv4.
    O_IP4: u8 = 78;
    /// ipfw: tag it.
    O_TAG: u8 = 80;
    /// ipfw: it has this tag.
    O_TAGGED: u8 = 81;
}
