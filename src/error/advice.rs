//! Advice for failed requests, by the request and the error number.

use crate::kernel::Errno;

/// The table of advice: first entries for one call, then entries for an error number of any call.
pub(super) fn of(call: &str, errno: Errno, text: Option<&str>) -> Option<&'static str> {
    let advice = match (call, errno) {
        ("SIOCIFCREATE2", Errno::EINVAL) => {
            "the kernel has no cloner for that name: load its module, or check the spelling"
        }
        ("SIOCIFCREATE2", Errno::EEXIST) => {
            "an interface or unit of that name exists; for an epair either end may be in the way: rename it or name another unit"
        }
        ("SIOCIFCREATE2", Errno::ENOSPC) => "units go from 0 to 32767",
        ("SIOCIFDESTROY", Errno::EINVAL) => "this interface was not made by a cloner, or is lo0",
        ("SIOCSIFNAME", Errno::EEXIST) => "an interface of this network stack has that name",
        ("SIOCSIFMTU", Errno::EOPNOTSUPP) => "a bridge member takes its bridge's MTU: set it on the bridge",
        ("SIOCSIFMTU", Errno::EINVAL) => "the MTU is out of the range of this interface or of its parent",
        ("SIOCSIFCAP", Errno::EINVAL) => "the interface does not have that capability",
        ("SIOCSIFFIB", Errno::EINVAL) => "the network stack has fewer routing tables: see net.fibs",
        ("SIOCAIFGROUP", Errno::EINVAL) => "a group name has 1 to 15 bytes and does not end in a digit",
        ("SIOCSIFVNET", Errno::ENXIO) => {
            "the interface is not in this network stack, or there is no such jail"
        }
        ("SIOCSIFVNET", Errno::EEXIST) => {
            "the jail has no network stack of its own, or has an interface of that name"
        }
        ("SIOCSIFRVNET", Errno::ENXIO) => "there is no such jail, or no such interface in it",
        ("SIOCSIFRVNET", Errno::EEXIST) => "the jail has no network stack of its own",
        ("SIOCAIFADDR", Errno::EEXIST) => {
            "another interface, or on FreeBSD 14 a static route, holds the route to that prefix or address"
        }
        ("SIOCAIFADDR" | "SIOCAIFADDR_IN6", Errno::EINVAL) => {
            "on a bridge member addresses need net.link.bridge.member_ifaddrs=1: put them on the bridge"
        }
        ("SIOCAIFADDR_IN6", Errno::EEXIST) => "another interface of this network stack has that address",
        ("SIOCAIFADDR_IN6" | "SIOCGIFNETMASK_IN6", Errno::EPFNOSUPPORT) => "the interface cannot do IPv6",
        ("SIOCDIFADDR" | "SIOCDIFADDR_IN6", Errno::EADDRNOTAVAIL) => {
            "the interface does not have that address"
        }
        ("SIOCSETVLAN", Errno::EEXIST) => "the parent has a vlan with that tag",
        ("SIOCSETVLAN", Errno::ENOENT) => "the parent is not in this network stack",
        ("SIOCSETVLAN" | "SIOCGETVLAN", Errno::EPERM) => {
            "a vlan is configured by root in the network stack it was made in, before it is lent"
        }
        ("BRDGADD", Errno::EBUSY) => "the interface belongs to another bridge, or is a span port",
        ("BRDGADD", Errno::ENOENT) => "the interface is not in the bridge's network stack",
        ("BRDGADD", Errno::EINVAL) => {
            "only Ethernet-like interfaces can join, and with net.link.bridge.member_ifaddrs=0 only without addresses"
        }
        (
            "BRDGSIFPVID" | "BRDGSIFVLANSET" | "BRDGGIFVLANSET" | "BRDGGFLAGS" | "BRDGSFLAGS",
            Errno::EINVAL,
        )
        | ("BRDGGDEFPVID" | "BRDGSDEFPVID" | "BRDGSIFVLANPROTO", Errno::EINVAL)
            if text.is_none() =>
        {
            "VLAN filtering on bridges came with FreeBSD 15; VLAN ids go from 1 to 4094"
        }
        ("RTM_ADD" | "RTM_CHANGE", Errno::ENETUNREACH) => {
            "no interface has an address whose prefix covers the gateway; an IPv6 link-local gateway needs its interface"
        }
        ("RTM_ADD", Errno::EEXIST) => "a route to that destination exists",
        ("RTM_DELETE", Errno::ESRCH) => {
            "there is no such route; a route with several gateways is deleted one gateway at a time"
        }
        ("RTM_DELETE", Errno::EADDRINUSE) => "the route belongs to an interface address: remove the address",
        ("RTM_CHANGE", Errno::ESRCH) => {
            "there is no such route; where it has several gateways, the gateway named must be one of them"
        }
        ("jail_set", Errno::EPERM) => "this needs root, and room in the parent's children.max",
        ("jail_set", Errno::EEXIST) => "a jail of that name or jid exists",
        ("jail_set", Errno::EADDRINUSE) => "another jail uses one of the addresses",
        ("jail_attach", Errno::EINVAL) => "there is no such jail, or it is dying",
        ("jail_remove", Errno::EINVAL) => "there is no such jail",
        ("jail_remove_jd", Errno::ENOENT) => "the jail is gone, or dying",
        ("DEVFSIO_RADD", Errno::EEXIST) => "the ruleset has a rule of that number",
        ("DEVFSIO_SAPPLY" | "DEVFSIO_RADD", Errno::ESRCH) => "there is no such ruleset",
        ("nmount", Errno::EINVAL) if text == Some("Invalid fstype") => {
            "the kernel does not know this file system, and found no module of that name"
        }
        ("nmount", Errno::ENOENT | Errno::ENOTDIR) => {
            "the mount point and what is mounted there have to be directories that exist: make them with mkdir, or mount less"
        }
        ("nmount", Errno::ELOOP | Errno::ENOTCAPABLE) => {
            "the mount point is, or lies behind, a symbolic link: put a directory there"
        }
        ("open /dev/pf", Errno::ENOENT) => {
            "pf is not loaded: run `kldload pf`, and set pf_enable=YES in /etc/rc.conf"
        }
        ("open /dev/pf", Errno::EACCES) => "this needs root",
        ("DIOCXBEGIN", Errno::EINVAL) => {
            "pf may have reached its limit of anchors: raise `set limit anchors` in /etc/pf.conf"
        }
        (call, Errno::ENXIO) if call.starts_with("SIOC") || call.starts_with("BRDG") => {
            "the interface is not in this network stack: it may have been renamed, lent or destroyed"
        }
        (_, Errno::EPERM) => "this needs root, and in a jail a network stack of its own",
        (_, Errno::EBUSY) if call.starts_with("SIOC") => {
            "the network stack is being removed with its jail: try again once the jail is gone"
        }
        (_, Errno::ECAPMODE) => "the process is in capability mode",
        _ => return None,
    };
    Some(advice)
}
