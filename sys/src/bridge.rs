//! The commands of bridge(4).
//!
//! A bridge has one pair of ioctls for all its work: [`SIOCSDRVSPEC`] and
//! [`SIOCGDRVSPEC`] carry an [`ifdrv`], whose `ifd_cmd` is a plain number like
//! [`BRDGADD`] and whose `ifd_data` points to the command's own argument. The kernel answers EINVAL to a
//! command sent the wrong way, and to a length that is not exactly the argument's.

use core::ffi::c_ulong;
use core::mem::offset_of;

use crate::request::{Field, Inside, Length, Pointer};
use crate::*;

/// A command: its name in C, and the direction of its argument.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Command {
    /// The C name.
    pub name: &'static str,
    /// The value of `ifd_cmd`.
    pub number: c_ulong,
    /// The value of `ifd_len`, in bytes.
    pub size_of_argument: usize,
    /// Whether the command answers, and so goes through `SIOCGDRVSPEC`.
    pub answers: bool,
}

macro_rules! commands {
    ($($way:ident $name:ident: $argument:ty;)*) => {
        &[$(Command {
            name: stringify!($name),
            number: $name,
            size_of_argument: size_of::<$argument>(),
            answers: commands!(@$way),
        }),*]
    };
    (@get) => { true };
    (@set) => { false };
}

/// The kernel's table (`bridge_control_table`), in its order: a command's number is its index.
///
/// FreeBSD 14 ends at [`BRDGSIFAMAX`]; what follows it is VLAN filtering.
pub const COMMANDS: &[Command] = commands! {
    set BRDGADD: ifbreq;
    set BRDGDEL: ifbreq;
    get BRDGGIFFLGS: ifbreq;
    set BRDGSIFFLGS: ifbreq;
    set BRDGSCACHE: ifbrparam;
    get BRDGGCACHE: ifbrparam;
    get BRDGGIFS: ifbifconf;
    get BRDGRTS: ifbaconf;
    set BRDGSADDR: ifbareq;
    set BRDGSTO: ifbrparam;
    get BRDGGTO: ifbrparam;
    set BRDGDADDR: ifbareq;
    set BRDGFLUSH: ifbreq;
    get BRDGGPRI: ifbrparam;
    set BRDGSPRI: ifbrparam;
    get BRDGGHT: ifbrparam;
    set BRDGSHT: ifbrparam;
    get BRDGGFD: ifbrparam;
    set BRDGSFD: ifbrparam;
    get BRDGGMA: ifbrparam;
    set BRDGSMA: ifbrparam;
    set BRDGSIFPRIO: ifbreq;
    set BRDGSIFCOST: ifbreq;
    set BRDGADDS: ifbreq;
    set BRDGDELS: ifbreq;
    get BRDGPARAM: ifbropreq;
    get BRDGGRTE: ifbrparam;
    get BRDGGIFSSTP: ifbpstpconf;
    set BRDGSPROTO: ifbrparam;
    set BRDGSTXHC: ifbrparam;
    set BRDGSIFAMAX: ifbreq;
    set BRDGSIFPVID: ifbreq;
    set BRDGSIFVLANSET: ifbif_vlan_req;
    get BRDGGIFVLANSET: ifbif_vlan_req;
    get BRDGGFLAGS: ifbrparam;
    set BRDGSFLAGS: ifbrparam;
    get BRDGGDEFPVID: ifbrparam;
    set BRDGSDEFPVID: ifbrparam;
    set BRDGSIFVLANPROTO: ifbreq;
};

/// Returns the command whose number is `number`.
pub fn command(number: c_ulong) -> Option<&'static Command> {
    COMMANDS.get(usize::try_from(number).ok()?)
}

/// A pointer to an array, whose length in bytes is a `uint32_t` in front of it.
macro_rules! array {
    ($conf:ident, $length:ident, $pointer:ident) => {
        const {
            const LENGTHS: &[Length] =
                &[Length { unit: 1, times: &[Field::Unsigned(offset_of!($conf, $length))] }];
            let at = offset_of!($conf, $pointer);
            &[Pointer { at, lengths: LENGTHS, least: 0, inside: Inside::Pointers(&[]) }]
        }
    };
}

/// Returns the pointers in the argument of the command whose number is `number`; `None` if there is no such command.
///
/// Other drivers use the same ioctls with numbers of their own. In FreeBSD's drivers the arguments of these commands
/// have no pointers.
pub fn pointers(number: c_ulong) -> Option<&'static [Pointer]> {
    Some(match command(number)?.number {
        BRDGGIFS => array!(ifbifconf, ifbic_len, ifbic_ifbicu),
        BRDGRTS => array!(ifbaconf, ifbac_len, ifbac_ifbacu),
        BRDGGIFSSTP => array!(ifbpstpconf, ifbpstp_len, ifbpstp_ifbpstpu),
        _ => &[],
    })
}

/// Returns the C name of the bridge command `number`.
pub fn name_of(number: c_ulong) -> Option<&'static str> {
    command(number).map(|command| command.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_number_is_its_index() {
        for (index, command) in COMMANDS.iter().enumerate() {
            assert_eq!(command.number, index as c_ulong, "{}", command.name);
        }
    }

    #[test]
    fn names_are_found() {
        assert_eq!(name_of(BRDGADD), Some("BRDGADD"));
        assert_eq!(name_of(BRDGSIFVLANPROTO), Some("BRDGSIFVLANPROTO"));
        assert_eq!(name_of(39), None);
        assert_eq!(name_of(c_ulong::MAX), None);
    }
}
