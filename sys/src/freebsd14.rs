//! Structures of ipfw as FreeBSD 14 has them, under the names that they have there. FreeBSD 15 made the numbers of
//! rules and of named objects wider. The proofs hold each field of these against 14's headers.

/// A named object. FreeBSD 15: [`ipfw_obj_ntlv`](crate::ipfw_obj_ntlv).
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ipfw_obj_ntlv {
    /// `IPFW_TLV_TBL_NAME` and so on, and the length of all this.
    pub head: crate::ipfw_obj_tlv,
    /// The index by which instructions of the same request name the object.
    pub idx: u16,
    /// The set of rules that it belongs to.
    pub set: u8,
    /// The kind of table.
    pub type_: u8,
    /// Not used.
    pub spare: u32,
    /// Its name, and a NUL.
    pub name: [core::ffi::c_char; 64],
}

/// The header of a request about an object. FreeBSD 15: [`ipfw_obj_header`](crate::ipfw_obj_header).
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ipfw_obj_header {
    /// The request's header.
    pub opheader: crate::ip_fw3_opheader,
    /// Not used.
    pub spare: u32,
    /// The index by which the rest of the request names the object.
    pub idx: u16,
    /// The kind of object.
    pub objtype: u8,
    /// The subtype of the object.
    pub objsubtype: u8,
    /// The object.
    pub ntlv: ipfw_obj_ntlv,
}

/// A range of rules. FreeBSD 15: [`ipfw_range_tlv`](crate::ipfw_range_tlv).
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ipfw_range_tlv {
    /// Its length.
    pub head: crate::ipfw_obj_tlv,
    /// `IPFW_RCFLAG_*`.
    pub flags: u32,
    /// The first number.
    pub start_rule: u16,
    /// The last number.
    pub end_rule: u16,
    /// The set.
    pub set: u32,
    /// Another set, and in an answer how many rules there were.
    pub new_set: u32,
}

/// A request about several rules. FreeBSD 15: [`ipfw_range_header`](crate::ipfw_range_header).
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct ipfw_range_header {
    /// The request's header.
    pub opheader: crate::ip_fw3_opheader,
    /// The range of rules.
    pub range: ipfw_range_tlv,
}

/// Each field that differs from FreeBSD 15's, with its offset and size, and each structure, with its size: for the
/// proofs.
#[doc(hidden)]
pub const FIELDS: &[(&str, usize, usize)] = &[
    ("_ipfw_obj_ntlv.idx", core::mem::offset_of!(ipfw_obj_ntlv, idx), 2),
    ("_ipfw_obj_ntlv.set", core::mem::offset_of!(ipfw_obj_ntlv, set), 1),
    ("_ipfw_obj_ntlv.type_", core::mem::offset_of!(ipfw_obj_ntlv, type_), 1),
    ("_ipfw_obj_ntlv.spare", core::mem::offset_of!(ipfw_obj_ntlv, spare), 4),
    ("_ipfw_obj_ntlv.name", core::mem::offset_of!(ipfw_obj_ntlv, name), 64),
    ("_ipfw_obj_header.spare", core::mem::offset_of!(ipfw_obj_header, spare), 4),
    ("_ipfw_obj_header.idx", core::mem::offset_of!(ipfw_obj_header, idx), 2),
    ("_ipfw_obj_header.objtype", core::mem::offset_of!(ipfw_obj_header, objtype), 1),
    ("_ipfw_obj_header.objsubtype", core::mem::offset_of!(ipfw_obj_header, objsubtype), 1),
    ("_ipfw_obj_header.ntlv", core::mem::offset_of!(ipfw_obj_header, ntlv), size_of::<ipfw_obj_ntlv>()),
    ("_ipfw_range_tlv.flags", core::mem::offset_of!(ipfw_range_tlv, flags), 4),
    ("_ipfw_range_tlv.start_rule", core::mem::offset_of!(ipfw_range_tlv, start_rule), 2),
    ("_ipfw_range_tlv.end_rule", core::mem::offset_of!(ipfw_range_tlv, end_rule), 2),
    ("_ipfw_range_tlv.set", core::mem::offset_of!(ipfw_range_tlv, set), 4),
    ("_ipfw_range_tlv.new_set", core::mem::offset_of!(ipfw_range_tlv, new_set), 4),
    (
        "_ipfw_range_header.range",
        core::mem::offset_of!(ipfw_range_header, range),
        size_of::<ipfw_range_tlv>(),
    ),
    ("_ipfw_obj_ntlv", 0, size_of::<ipfw_obj_ntlv>()),
    ("_ipfw_obj_header", 0, size_of::<ipfw_obj_header>()),
    ("_ipfw_range_tlv", 0, size_of::<ipfw_range_tlv>()),
    ("_ipfw_range_header", 0, size_of::<ipfw_range_header>()),
];
