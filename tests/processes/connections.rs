//! Jails with TCP connections that their peers do not end. They are stopped, restarted and started as fast as
//! without connections, and serve again.

use std::time::{Duration, Instant};

use jailwire::jail;

use crate::number;
use crate::program::text;
use crate::world::{Kind, World};

/// The commands that are timed, with and without connections.
const COMMANDS: [&str; 3] = ["restart", "stop", "start"];

/// The setting that gives each simulated jail a connection when this process removes it.
const SIMULATED: &str = "*:600s";

#[test]
fn vnet_jails_with_connections_are_stopped_and_started_as_without() {
    with_and_without(Kind::Vnet);
}

#[test]
fn shared_ip_jails_with_connections_are_stopped_and_started_as_without() {
    with_and_without(Kind::SharedIp);
}

/// The connections of all jails, or none. They end on drop.
#[cfg(not(target_os = "freebsd"))]
#[derive(Default)]
struct Connections;

#[cfg(target_os = "freebsd")]
type Connections = Option<crate::server::Connections>;

fn connect(world: &World, connected: bool) -> Connections {
    #[cfg(target_os = "freebsd")]
    if world.sim.is_none() {
        return Some(crate::server::Connections::open(world, connected));
    }
    let _ = (world, connected);
    Default::default()
}

/// Runs a command for all jails, and returns how long it took.
fn timed(world: &World, command: &str, connected: bool) -> Duration {
    let mut program = world.command(&[command, "ALL"]);
    if connected && world.sim.is_some() {
        program.env("JAILWIRE_SIM_CONNECTION", SIMULATED);
    }
    let begun = Instant::now();
    let output = program.output().expect("the program starts");
    let took = begun.elapsed();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{command} ALL, connected {connected}: {}: {said}", output.status);
    took
}

fn jails(world: &World, dying: bool) -> usize {
    let jails = jail::list(&**world.host.kernel(), true).expect("the jails");
    jails.iter().filter(|jail| jail.name.starts_with("ioc-") && jail.dying == dying).count()
}

/// The leftovers that a stop could have removed. Nothing of a lingering jail counts.
fn left(world: &World) -> Vec<String> {
    let lingers = |line: &String| line.starts_with("jail ioc-") && line.ends_with("dying true");
    world.state().into_iter().filter(|line| !lingers(line)).collect()
}

fn with_and_without(kind: Kind) {
    let few = world_is_simulated();
    let count = number("JAILWIRE_CONNECTED", if few { 4 } else { 20 }) as usize;
    let rounds = number("JAILWIRE_ROUNDS", if few { 1 } else { 2 });
    let world = World::of(&[(kind, count)]);
    let down = world.state();
    world.ok(&["start", "ALL"]);
    let (mut took, mut lingered) = ([[const { Vec::new() }; 3], [const { Vec::new() }; 3]], 0);
    for round in 0..rounds {
        for turn in 0..2 {
            // Each way goes first equally often.
            let connected = (round + turn) % 2 == 1;
            for (command, took) in COMMANDS.iter().zip(&mut took[usize::from(connected)]) {
                let before = jails(&world, true);
                // Each jail answers a request before it is left with its connection.
                let _connections = (*command != "start").then(|| connect(&world, connected));
                took.push(timed(&world, command, connected));
                assert_eq!(jails(&world, false), if *command == "stop" { 0 } else { count }, "{command}");
                match (*command, connected) {
                    ("start", _) => {}
                    (_, true) => {
                        let lingering = jails(&world, true).saturating_sub(before);
                        assert!(lingering > 0, "{command}: no connection has held a jail");
                        lingered += lingering;
                    }
                    (_, false) => {}
                }
                if *command == "stop" {
                    let left = left(&world);
                    let more: Vec<_> = left.iter().filter(|line| !down.contains(line)).collect();
                    assert!(more.is_empty(), "connected {connected}: {more:?}");
                }
            }
        }
    }
    // All jails serve also after the last start.
    let _connections = connect(&world, false);
    world.ok(&["stop", "ALL"]);
    let [without, with] = took;
    for (command, (mut without, mut with)) in COMMANDS.iter().zip(without.into_iter().zip(with)) {
        let (sum_with, sum_without) = (with.iter().sum::<Duration>(), without.iter().sum::<Duration>());
        with.sort_unstable();
        without.sort_unstable();
        println!(
            "connections: {kind:?}: {command} ALL of {count} jails: {with:.2?} with connections, {without:.2?} \
             without: {:.2} times in all, {rounds} rounds",
            sum_with.as_secs_f64() / sum_without.as_secs_f64()
        );
    }
    println!("connections: {kind:?}: {lingered} jails lingered on, and none was waited for");
}

fn world_is_simulated() -> bool {
    World::new(0).sim.is_some()
}
