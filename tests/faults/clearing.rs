//! Leftovers are cleared up although something else has changed meanwhile.

use jailwire::jail;
use jailwire::kernel::Kernel;
use jailwire::sim::Fault;

use crate::world::{Ended, Findings, Kind, World};

/// Configurations that have nothing in common with the present one, or cannot be read.
const OTHERS: [&str; 3] = [r#"{"vnet":0,"ip4_addr":"none"}"#, r#"{"vnet":1,"ip4_addr":"vnet9|x"}"#, "{"];

/// Kills a start at every call. Reading commands must change nothing afterwards. Then another program removes the
/// jail, or the configuration is changed, or the machine is started again. Then the jail is stopped.
pub fn after_changes(kind: Kind) {
    let mut world = World::new(kind);
    let mut found = Findings::new(format!(
        "{kind:?}: a start killed, looked at; jail removed, configuration changed, rebooted"
    ));
    for call in 1.. {
        for change in 0..3 {
            let point = format!("killed at call {call}, change {change}");
            match world.start_with(&[(call, Fault::Kill)]) {
                Ended::Killed => {}
                Ended::Well => {
                    world.stop().expect_well(&point);
                    return found.end("");
                }
                other => panic!("{point}: {other:?}"),
            }
            let before = world.state();
            world.look();
            if world.state() != before {
                found.defect(format!("{point}: looking changed something"));
            }
            match change {
                0 => remove(&world.sim),
                1 => world.configure(OTHERS[call as usize % OTHERS.len()]),
                _ => {
                    world.reboot(2);
                }
            }
            if let Ended::Badly(error, _) = world.stop() {
                found.defect(format!("{point}, then stop: {error}"));
            }
            found.points += 1;
            if change == 1 {
                world.reset_files();
            }
            found.compare(&mut world, &point);
            if change == 2 {
                // On a host that has had no jail since it was started, some parts of the state have another order.
                world = World::new(kind);
            }
        }
    }
}

fn remove(kernel: &dyn Kernel) {
    if let Some(jid) = jail::find(kernel, "ioc-web").expect("jail_get") {
        jail::remove(kernel, jid).expect("jail_remove");
    }
}

#[test]
fn a_jail_that_is_up_is_stopped_whatever_its_configuration_says_by_now() {
    for kind in [Kind::Vnet, Kind::TwoInterfaces, Kind::DualStack, Kind::SharedIp] {
        let mut world = World::new(kind);
        let mut found = Findings::new("a jail that is up");
        for config in OTHERS {
            world.start().expect_well("the start");
            world.configure(config);
            if let Ended::Badly(error, _) = world.stop() {
                found.defect(error);
            }
            world.reset_files();
            found.points += 10;
            found.compare(&mut world, config);
        }
        world.start().expect_well("the start");
        remove(&world.sim);
        world.stop().expect_well("the stop");
        found.compare(&mut world, "removed by somebody else");
        found.end("");
    }
}
