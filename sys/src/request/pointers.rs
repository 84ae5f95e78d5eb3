//! The pointers of each request, and how many bytes the kernel uses behind each pointer.
//!
//! A request's number says how long its argument is. It does not say which fields of the argument are addresses, or
//! how many bytes the kernel reads or writes there. This table does. A request that is missing from the table
//! cannot be made safely, because it was not examined what the kernel does with its argument.
//!
//! To add a request: read the kernel function that serves it, find every `copyin(9)`, `copyout(9)` and
//! `copyinstr(9)` whose address comes from the argument, and add each to [`pointers`]. If there is no such call,
//! add the request to the list of requests without pointers.

use core::ffi::{c_int, c_ulong};
use core::mem::offset_of;

use crate::*;

/// A pointer in an argument, or in a block that another pointer leads to.
#[derive(Clone, Copy, Debug)]
pub struct Pointer {
    /// The pointer's offset in the block that holds it.
    pub at: usize,
    /// The largest number of bytes that the kernel reads or writes there. Each of these lengths has to fit.
    pub lengths: &'static [Length],
    /// The least number of bytes, whatever the length fields say: the kernel reads or writes these bytes without a
    /// length. A shorter block is padded with zeroes.
    pub least: usize,
    /// The pointers in the block that this pointer leads to.
    pub inside: Inside,
}

/// A length: a number of bytes, multiplied with each of the fields that count them.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The number of bytes.
    pub unit: usize,
    /// The fields. They are in the block that holds the pointer.
    pub times: &'static [Field],
}

/// A field that counts.
#[derive(Clone, Copy, Debug)]
pub enum Field {
    /// An `int` at this offset. The kernel refuses a negative number before it uses the pointer.
    Int(usize),
    /// An `unsigned int` or `uint32_t` at this offset.
    Unsigned(usize),
    /// A `size_t`, `unsigned long` or `uint64_t` at this offset.
    Long(usize),
}

/// The pointers in a block that a pointer leads to.
#[derive(Clone, Copy, Debug)]
pub enum Inside {
    /// These pointers, often none.
    Pointers(&'static [Pointer]),
    /// The pointers of a command. Its number is an `unsigned long` in the block that contains the first pointer.
    Command {
        /// The offset of the number.
        at: usize,
        /// The pointers for a number. `None` stands for a command that was not examined: the kernel must not get
        /// the block.
        pointers: fn(c_ulong) -> Option<&'static [Pointer]>,
    },
}

const fn bytes(unit: usize) -> Length {
    Length { unit, times: &[] }
}

const fn counted(times: &'static [Field]) -> Length {
    Length { unit: 1, times }
}

const fn pointer(at: usize, lengths: &'static [Length]) -> Pointer {
    Pointer { at, lengths, least: 0, inside: Inside::Pointers(&[]) }
}

/// The union of an `ifreq`.
const IFRU: usize = offset_of!(ifreq, ifr_ifru);

/// `ifr_data`, to a structure of the interface's driver. The largest of these structures has some hundred bytes, so
/// a page is enough for each.
const OF_A_DRIVER: &[Pointer] = &[Pointer { least: 4096, ..pointer(IFRU, &[]) }];

/// `ifr_data`, to a name (`net/if.c:ifhwioctl`, `copyinstr`).
const NAME: &[Pointer] = &[Pointer { least: IFNAMSIZ, ..pointer(IFRU, &[]) }];

/// `ifr_data`, to an `if_data` that the kernel fills.
const DATA: &[Pointer] = &[pointer(IFRU, &[bytes(size_of::<if_data>())])];

/// `ifr_data`, to an `ifi2creq` that a driver reads and fills.
const I2C: &[Pointer] = &[pointer(IFRU, &[bytes(size_of::<ifi2creq>())])];

/// `ifr_data`, to a `carpreq` (`netinet/ip_carp.c:carp_ioctl`). If its `carpr_vhid` is 0, SIOCGVH writes one for
/// each virtual host of the interface, up to the number of all vhids.
const VIRTUAL_HOST: &[Pointer] =
    &[Pointer { least: CARP_MAXVHID as usize * size_of::<carpreq>(), ..pointer(IFRU, &[]) }];

/// `ifr_buffer`.
const BUFFER: &[Pointer] = &[pointer(
    IFRU + offset_of!(ifreq_buffer, buffer),
    &[counted(&[Field::Long(IFRU + offset_of!(ifreq_buffer, length))])],
)];

/// `ifr_cap_nv`: a packed nvlist. Its buffer has a length field of its own.
const CAPABILITIES: &[Pointer] = &[pointer(
    IFRU + offset_of!(ifreq_nv_req, buffer),
    &[
        counted(&[Field::Unsigned(IFRU + offset_of!(ifreq_nv_req, length))]),
        counted(&[Field::Unsigned(IFRU + offset_of!(ifreq_nv_req, buf_length))]),
    ],
)];

const CONFIGURATION: &[Pointer] =
    &[pointer(offset_of!(ifconf, ifc_ifcu), &[counted(&[Field::Int(offset_of!(ifconf, ifc_len))])])];

const CLONERS: &[Pointer] = &[pointer(
    offset_of!(if_clonereq, ifcr_buffer),
    &[Length { unit: IFNAMSIZ, times: &[Field::Int(offset_of!(if_clonereq, ifcr_count))] }],
)];

const GROUPS: &[Pointer] = &[pointer(
    offset_of!(ifgroupreq, ifgr_ifgru),
    &[counted(&[Field::Unsigned(offset_of!(ifgroupreq, ifgr_len))])],
)];

const MEDIA: &[Pointer] = &[pointer(
    offset_of!(ifmediareq, ifm_ulist),
    &[Length { unit: size_of::<c_int>(), times: &[Field::Int(offset_of!(ifmediareq, ifm_count))] }],
)];

/// `ifd_data`, to the argument of a driver's command.
const COMMAND: &[Pointer] = &[Pointer {
    inside: Inside::Command { at: offset_of!(ifdrv, ifd_cmd), pointers: bridge::pointers },
    ..pointer(offset_of!(ifdrv, ifd_data), &[counted(&[Field::Long(offset_of!(ifdrv, ifd_len))])])
}];

/// The elements of a transaction of pf.
const TRANSACTION: &[Pointer] = &[pointer(
    offset_of!(pfioc_trans, array),
    &[Length {
        unit: size_of::<pfioc_trans_pfioc_trans_e>(),
        times: &[Field::Int(offset_of!(pfioc_trans, size))],
    }],
)];

/// A packed nvlist. Its buffer has a size field of its own.
const NVLIST: &[Pointer] = &[pointer(
    offset_of!(pfioc_nv, data),
    &[
        counted(&[Field::Long(offset_of!(pfioc_nv, len))]),
        counted(&[Field::Long(offset_of!(pfioc_nv, size))]),
    ],
)];

const TABLES: &[Pointer] = &[pointer(
    offset_of!(pfioc_table, pfrio_buffer),
    &[Length { unit: size_of::<pfr_table>(), times: &[Field::Int(offset_of!(pfioc_table, pfrio_size))] }],
)];

/// The addresses of a table. For DIOCRSETADDRS the greater of two fields is their number.
const ADDRESSES: &[Pointer] = &[pointer(
    offset_of!(pfioc_table, pfrio_buffer),
    &[
        Length { unit: size_of::<pfr_addr>(), times: &[Field::Int(offset_of!(pfioc_table, pfrio_size))] },
        Length { unit: size_of::<pfr_addr>(), times: &[Field::Int(offset_of!(pfioc_table, pfrio_size2))] },
    ],
)];

/// Returns the pointers in the argument of `request`. `None` is for a request that is not in the table.
pub const fn pointers(request: c_ulong) -> Option<&'static [Pointer]> {
    Some(match request {
        SIOCGIFCONF => CONFIGURATION,
        SIOCSIFNAME => NAME,
        SIOCGIFDATA => DATA,
        SIOCGI2C => I2C,
        SIOCSVH | SIOCGVH => VIRTUAL_HOST,
        SIOCSIFDESCR | SIOCGIFDESCR => BUFFER,
        SIOCSIFCAPNV | SIOCGIFCAPNV => CAPABILITIES,
        SIOCGIFMEDIA | SIOCGIFXMEDIA => MEDIA,
        // Only vlan(4) has structures behind these requests: for SIOCSETVLAN and SIOCGETVLAN, and for creating a
        // vlan(4).
        SIOCSIFGENERIC | SIOCGIFGENERIC | SIOCIFCREATE2 => OF_A_DRIVER,
        SIOCSDRVSPEC | SIOCGDRVSPEC => COMMAND,
        SIOCIFGCLONERS => CLONERS,
        SIOCGIFGROUP | SIOCGIFGMEMB => GROUPS,

        DIOCXBEGIN | DIOCXCOMMIT | DIOCXROLLBACK => TRANSACTION,
        DIOCGETRULENV | DIOCGETSTATUSNV | DIOCKILLSTATESNV => NVLIST,
        DIOCRADDTABLES | DIOCRDELTABLES | DIOCRGETTABLES => TABLES,
        DIOCRADDADDRS | DIOCRDELADDRS | DIOCRSETADDRS | DIOCRGETADDRS => ADDRESSES,

        // The rule and the address of these requests have fields for pointers of the kernel itself. The kernel
        // refuses such a pointer that it would follow, unless it is null (`netpfil/pf/pf_nv.c:pf_check_rule_addr`),
        // and does not read the others.
        DIOCADDRULE | DIOCGETRULES | DIOCADDADDR | DIOCGETADDR => &[],

        // No pointer: numbers, names and socket addresses.
        DIOCSTART | DIOCBEGINADDRS | DIOCGETADDRS | DIOCGETRULESETS | DIOCGETRULESET | DIOCGETLIMIT => &[],
        SIOCSIFADDR | SIOCGIFADDR | SIOCSIFDSTADDR | SIOCGIFDSTADDR | SIOCGIFBRDADDR | SIOCSIFBRDADDR
        | SIOCGIFNETMASK | SIOCSIFNETMASK | SIOCDIFADDR | OSIOCAIFADDR | SIOCAIFADDR | SIOCGIFALIAS => &[],
        SIOCSIFFLAGS | SIOCGIFFLAGS | SIOCGIFMETRIC | SIOCSIFMETRIC | SIOCSIFCAP | SIOCGIFCAP
        | SIOCGIFINDEX | SIOCGIFMTU | SIOCSIFMTU | SIOCGIFPHYS | SIOCSIFPHYS | SIOCSIFMEDIA
        | SIOCGIFSTATUS | SIOCSIFLLADDR | SIOCGHWADDR | SIOCADDMULTI | SIOCDELMULTI => &[],
        SIOCSIFPHYADDR | SIOCGIFPSRCADDR | SIOCGIFPDSTADDR | SIOCDIFPHYADDR => &[],
        SIOCSIFVNET | SIOCSIFRVNET | SIOCGIFFIB | SIOCSIFFIB | SIOCGTUNFIB | SIOCSTUNFIB => &[],
        SIOCIFCREATE | SIOCIFDESTROY | SIOCAIFGROUP | SIOCDIFGROUP => &[],
        SIOCGIFRSSKEY | SIOCGIFRSSHASH | SIOCGLANPCP | SIOCSLANPCP | SIOCGIFDOWNREASON => &[],
        SIOCSIFADDR_IN6 | SIOCGIFADDR_IN6 | SIOCGIFDSTADDR_IN6 | SIOCGIFNETMASK_IN6 | SIOCDIFADDR_IN6
        | SIOCAIFADDR_IN6 | SIOCGIFAFLAG_IN6 | SIOCGIFALIFETIME_IN6 => &[],
        SIOCSIFPHYADDR_IN6 | SIOCGIFPSRCADDR_IN6 | SIOCGIFPDSTADDR_IN6 => &[],
        SIOCGIFINFO_IN6 | SIOCSIFINFO_IN6 | SIOCSIFINFO_FLAGS | SIOCSNDFLUSH_IN6 | SIOCGNBRINFO_IN6
        | SIOCSPFXFLUSH_IN6 | SIOCSRTRFLUSH_IN6 | SIOCSDEFIFACE_IN6 | SIOCGDEFIFACE_IN6 => &[],
        SIOCGIFSTAT_IN6 | SIOCGIFSTAT_ICMP6 | SIOCSSCOPE6 | SIOCGSCOPE6 | SIOCGSCOPE6DEF => &[],
        SIOCSIFPREFIX_IN6 | SIOCGIFPREFIX_IN6 | SIOCDIFPREFIX_IN6 | SIOCAIFPREFIX_IN6 | SIOCCIFPREFIX_IN6
        | SIOCSGIFPREFIX_IN6 | SIOCAADDRCTL_POLICY | SIOCDADDRCTL_POLICY => &[],
        DEVFSIO_RADD | DEVFSIO_RDEL | DEVFSIO_RAPPLY | DEVFSIO_RAPPLYID | DEVFSIO_RGETNEXT | DEVFSIO_SUSE
        | DEVFSIO_SAPPLY | DEVFSIO_SGETNEXT => &[],

        // SIOCGIFMAC and SIOCSIFMAC point to a structure that contains another pointer and is not in the bindings.
        // SIOCGPRIVATE_0, SIOCGPRIVATE_1 and the requests of umb(4) point to any structure of the driver.
        // For OSIOCAIFADDR_IN6 the kernel writes the field ifra_vhid, which lies behind the end of the argument and of
        // the kernel's copy of the argument (`netinet6/in6.c:in6_control_ioctl`).
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The requests that the table leaves out.
    const LEFT_OUT: &[c_ulong] = &[
        SIOCGIFMAC,
        SIOCSIFMAC,
        SIOCGPRIVATE_0,
        SIOCGPRIVATE_1,
        SIOCGUMBINFO,
        SIOCSUMBPARAM,
        SIOCGUMBPARAM,
        OSIOCAIFADDR_IN6,
    ];

    #[test]
    fn every_request_is_in_the_table_or_left_out_on_purpose() {
        for (name, number) in request::all() {
            assert_eq!(pointers(number).is_none(), LEFT_OUT.contains(&number), "{name}");
        }
        assert!(pointers(0).is_none());
        assert!(pointers(SIOCGIFCONF ^ 1 << 16).is_none(), "of another size");
    }

    /// Checks that every pointer, and every length field, is inside its block.
    fn check(name: &str, size: usize, table: &[Pointer]) {
        for pointer in table {
            assert!(pointer.at % 8 == 0 && pointer.at + 8 <= size, "{name}: {pointer:?}");
            for field in pointer.lengths.iter().flat_map(|length| length.times) {
                let (at, width) = match *field {
                    Field::Int(at) | Field::Unsigned(at) => (at, 4),
                    Field::Long(at) => (at, 8),
                };
                assert!(at % width == 0 && at + width <= size, "{name}: {field:?}");
                assert!(at + width <= pointer.at || at >= pointer.at + 8, "{name}: {field:?} is the pointer");
            }
            match pointer.inside {
                Inside::Pointers(inner) => {
                    let length =
                        pointer.lengths.iter().map(|length| length.unit).max().unwrap_or(pointer.least);
                    check(name, length, inner);
                }
                Inside::Command { at, pointers } => {
                    assert!(at % 8 == 0 && at + 8 <= size);
                    for command in bridge::COMMANDS {
                        check(command.name, command.size_of_argument, pointers(command.number).unwrap());
                    }
                }
            }
        }
    }

    #[test]
    fn offsets_lie_inside_their_blocks() {
        for (name, number) in request::all() {
            if let Some(table) = pointers(number) {
                check(name, request::size_of_argument(number), table);
            }
        }
    }
}
