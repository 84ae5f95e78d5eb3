//! Parameters of every type, written and read.

use std::path::Path;

use jailwire::jail::{self, JailParameters, JailSystem, JailType, JailValue};
use jailwire::kernel::Errno;

use crate::support::{Host, ip4, ip6};

#[test]
fn a_value_of_every_type_is_read_as_it_was_written() {
    let host = Host::new();
    let name = host.jail_name();
    let written: Vec<(&str, JailType, JailValue)> = vec![
        ("name", JailType::String, name.as_str().into()),
        ("path", JailType::String, Path::new("/").into()),
        ("host.hostname", JailType::String, "values.example.org".into()),
        ("host.hostuuid", JailType::String, "11111111-2222-3333-4444-555555555555".into()),
        ("host.hostid", JailType::Long, JailValue::Long(0x1234_5678)),
        ("children.max", JailType::Int, 3.into()),
        ("securelevel", JailType::Int, 2.into()),
        ("enforce_statfs", JailType::Int, 1.into()),
        ("osreldate", JailType::Int, 1_400_000.into()),
        ("osrelease", JailType::String, "14.0-RELEASE".into()),
        ("allow.raw_sockets", JailType::Flag, true.into()),
        ("allow.set_hostname", JailType::Flag, false.into()),
        ("ip4.saddrsel", JailType::Flag, false.into()),
        ("host", JailType::System, JailSystem::New.into()),
        ("ip4.addr", JailType::Ipv4, vec![ip4("10.98.0.2"), ip4("10.98.0.1")].into()),
        ("ip6.addr", JailType::Ipv6, vec![ip6("fd98::2"), ip6("fd98::1")].into()),
    ];
    let set =
        |all: JailParameters, (name, _, value): &(&str, JailType, JailValue)| all.set(*name, value.clone());
    let jid = host.jail(written.iter().fold(JailParameters::default(), set));
    for (name, of, value) in &written {
        assert_eq!(jail::read_value(&*host.kernel, jid, name, *of).unwrap().as_ref(), Some(value), "{name}");
    }
    // Both names of a flag can be asked for.
    let flag = |name: &str| jail::read_value(&*host.kernel, jid, name, JailType::Flag).unwrap();
    assert_eq!(flag("allow.noraw_sockets"), Some(JailValue::Flag(false)));
    assert_eq!(flag("persist"), Some(JailValue::Flag(true)));
    let vnet = jail::read_value(&*host.kernel, jid, "vnet", JailType::System).unwrap();
    assert_eq!(vnet, Some(JailValue::System(JailSystem::Inherit)));
}

#[test]
fn a_value_of_another_type_is_none() {
    let host = Host::new();
    let jid = host.plain_jail();
    let read = |name: &str, of: JailType| jail::read_value(&*host.kernel, jid, name, of);
    assert_eq!(read("host.hostid", JailType::Int).unwrap_err().kind(), jailwire::ErrorKind::Malformed);
    assert_eq!(read("children.max", JailType::Long).unwrap_err().kind(), jailwire::ErrorKind::Malformed);
    assert_eq!(read("nosuch", JailType::Int).unwrap_err().errno(), Some(Errno::EINVAL));
    assert_eq!(read("ip4.addr", JailType::Ipv4).unwrap(), Some(JailValue::Ipv4(vec![])));
    let nobody = jail::read_value(&*host.kernel, "contract-nobody", "path", JailType::String);
    assert_eq!(nobody.unwrap(), None);
}
