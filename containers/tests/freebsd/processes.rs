//! No command runs another program, by the kernel's own accounting: acct(2).

use serde_json::json;

use crate::host::{Jail, Outside, host};
use crate::place::{Place, answer, container, run};

// Another crate uses the rest of it.
#[allow(dead_code)]
#[path = "../../../benches/start_stop/accounts.rs"]
mod accounts;

use accounts::programs::Accounting;

#[test]
fn no_command_runs_a_program() {
    let Some(_host) = host() else { return };
    let _outside = Outside::new();
    let place = Place::new();
    let _pod = Jail::pod("jwpod");
    let mut config = place.config();
    config["ipMasq"] = json!(true);
    config["runtimeConfig"] =
        json!({ "portMappings": [{ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" }] });
    let mut podman = container();
    podman["port_mappings"] =
        json!([{ "host_ip": "", "host_port": 8081, "container_port": 80, "protocol": "udp", "range": 1 }]);

    let accounting = Accounting::begin().unwrap();
    let cni = |plugin: &str, word: &str, config: &_| answer(&run(place.cni(plugin, word, "jwpod"), config));
    let mut with_result = config.clone();
    with_result["prevResult"] = cni("bridge", "ADD", &config);
    cni("portmap", "ADD", &with_result);
    cni("bridge", "CHECK", &with_result);
    cni("portmap", "CHECK", &with_result);
    cni("bridge", "STATUS", &config);
    cni("portmap", "DEL", &with_result);
    cni("bridge", "DEL", &with_result);
    cni("bridge", "GC", &config);
    answer(&run(place.netavark("setup", "jwpod"), &podman));
    answer(&run(place.netavark_alone("firewall-reload"), &podman));
    answer(&run(place.netavark("teardown", "jwpod"), &podman));
    let ended = accounting.ended().unwrap();
    drop(accounting);

    // The program itself, once for each command. Each child that enters the jail is a copy of it, and runs nothing.
    let ran: Vec<&str> = ended.iter().filter(|one| one.ran).map(|one| one.name.as_str()).collect();
    let own = |name: &str| ["bridge", "portmap", "netavark"].iter().any(|one| name.starts_with(one));
    assert!(ran.iter().all(|name| own(name)), "{ended:?}");
    assert_eq!(ran.len(), 11, "{ended:?}");
    println!("{} processes, of which {} ran a program: {ran:?}", ended.len(), ran.len());
}
