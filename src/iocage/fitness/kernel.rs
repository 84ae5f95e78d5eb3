//! Checks what a configuration needs from the kernel.

use std::path::Path;

use super::error;
use crate::error::Result;
use crate::iocage::config::{JailConfig, Problem};
use crate::iocage::property::ALLOW;
use crate::jail::devfs::Devfs;
use crate::vnet::Vnet;

/// The devfs ruleset number that stands for iocage's usual rules. The ruleset need not exist.
const USUAL: u16 = 4;

pub(super) fn problems(vnet: &Vnet, config: &JailConfig) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    problems.extend(hostid(vnet, config)?);
    problems.extend(ruleset(vnet, config)?);
    problems.extend(routing_table(vnet, config));
    problems.extend(permissions(vnet, config));
    Ok(problems)
}

/// Reports a jail that belongs to another host. iocage prints this too, but reports success.
fn hostid(vnet: &Vnet, config: &JailConfig) -> Result<Option<Problem>> {
    let Some(required) = &config.host.required_hostid else { return Ok(None) };
    let own = vnet.sysctl("kern.hostuuid")?;
    let own = String::from_utf8_lossy(&own);
    let own = own.trim_end_matches('\0');
    Ok((own != required).then(|| {
        error(
            "hostid",
            format!(
                "hostid is not matching and 'hostid_strict_check' is on! It belongs to {required}, and this host is {own}: set hostid={own}, or hostid_strict_check=0"
            ),
        )
    }))
}

fn ruleset(vnet: &Vnet, config: &JailConfig) -> Result<Option<Problem>> {
    let wanted = config.devfs.ruleset;
    if matches!(wanted, 0 | USUAL) {
        return Ok(None);
    }
    let rulesets = Devfs::open(vnet.kernel().clone(), Path::new("/dev"))?.rulesets()?;
    Ok((!rulesets.contains(&wanted)).then(|| {
        error(
            "devfs_ruleset",
            format!(
                "devfs_ruleset {wanted} does not exist on this host: define it in /etc/devfs.rules and run `service devfs restart`, or set devfs_ruleset=4 for the usual rules"
            ),
        )
    }))
}

fn routing_table(vnet: &Vnet, config: &JailConfig) -> Option<Problem> {
    let there = u32::try_from(vnet.sysctl_int("net.fibs").ok()?).ok()?;
    let wanted = config.fib.get();
    (wanted >= there).then(|| {
        let (last, needed) = (there.saturating_sub(1), wanted + 1);
        error(
            "exec_fib",
            format!(
                "exec_fib is {wanted}, and this kernel has routing tables 0 to {last} (net.fibs={there}): set exec_fib=0, or add net.fibs={needed} to /boot/loader.conf and restart the machine"
            ),
        )
    })
}

/// Reports permissions that need a kernel module which is not loaded. The jail's own mounts load some modules.
fn permissions(vnet: &Vnet, config: &JailConfig) -> Vec<Problem> {
    let mounts = &config.mounts;
    let mounted = |fstype: &str| {
        mounts.fstab.iter().any(|(mount, _)| mount.fstype == fstype)
            || [("fdescfs", mounts.fdescfs), ("linprocfs", mounts.linprocfs), ("procfs", mounts.procfs)]
                .contains(&(fstype, true))
    };
    let unknown = |(property, parameter): &(&str, &str)| {
        if !config.allow.is_on(parameter) {
            return None;
        }
        let module = parameter.strip_prefix("allow.mount.").or(parameter.strip_prefix("allow."))?;
        // If the kernel does not report it, leave the check to the start.
        let known = match vnet.sysctl(format!("security.jail.param.{parameter}").as_str()) {
            Ok(_) => true,
            Err(error) => error.errno() != Some(crate::kernel::Errno::ENOENT),
        };
        (!known && !mounted(module)).then(|| {
            error(
                property,
                format!(
                    "this kernel does not know {parameter} as long as the module {module} is not loaded: kldload {module}, or set {property}=0"
                ),
            )
        })
    };
    ALLOW.iter().filter_map(unknown).collect()
}
