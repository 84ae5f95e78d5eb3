//! Containers reach each other and the host, and leave nothing, whatever is removed first.

use serde_json::json;

use crate::host::{Jail, host, inside, ok, settled, settled_inside, state};
use crate::place::{Place, answer, container, run};

#[test]
fn podman_s_container_is_reached_and_leaves_nothing() {
    let Some(_host) = host() else { return };
    let place = Place::new();
    let before = state();
    for round in 0..3 {
        let _pod = Jail::pod("jwpod");
        let up = answer(&run(place.netavark("setup", "jwpod.web"), &container()));
        assert_eq!(up["one"]["interfaces"]["eth0"]["subnets"][0]["ipnet"], "10.81.0.7/16");
        // The first packets may be lost until the neighbour is found.
        ok("ping -c 3 -t 5 10.81.0.7");
        ok("ping -6 -c 3 -t 5 fd00:81::7 || ping6 -c 3 fd00:81::7");
        ok("jexec jwpod.web ping -c 1 -t 5 10.81.0.1");
        let down = |context: &str| {
            answer(&run(place.netavark("teardown", "jwpod.web"), &container()));
            settled(&before, context);
        };
        match round {
            0 => {
                down("torn down");
                down("torn down again");
                ok("jail -r jwpod");
            }
            1 => {
                ok("jail -r jwpod");
                down("after jail -r");
            }
            _ => {
                ok("jail -r jwpod.web");
                answer(&run(place.netavark("teardown", "jwpod"), &container()));
                settled(&before, "after the child's end");
                ok("jail -r jwpod");
            }
        }
    }
    settled(&before, "at the end");
}

#[test]
fn cri_o_s_pod_is_reached_and_leaves_nothing() {
    let Some(_host) = host() else { return };
    let place = Place::new();
    let before = state();
    for round in 0..3 {
        let _pod = Jail::pod("jwpod");
        // CRI-O names the jail of the infra container. Another runtime may name a child.
        let namespace = if round == 1 { "jwpod.web" } else { "jwpod" };
        let cni = |word: &str, input| run(place.cni_in("bridge", word, "c0ffee", namespace), input);
        let config = place.config();
        let result = answer(&cni("ADD", &config));
        // host-local gives out the next address each time.
        let address = format!("10.85.0.{}", round + 2);
        assert_eq!(result["ips"][0]["address"], format!("{address}/24"));
        ok(&format!("ping -c 3 -t 5 {address}"));
        ok("jexec jwpod.web ping -c 1 -t 5 10.85.0.1");
        let mut with_result = config.clone();
        with_result["prevResult"] = result;
        answer(&cni("CHECK", &with_result));
        match round {
            // The container ends first, then the pod.
            0 => drop(ok("jail -r jwpod.web")),
            1 => drop(ok("jail -r jwpod")),
            _ => {}
        }
        for _ in 0..2 {
            answer(&cni("DEL", if round == 2 { &with_result } else { &config }));
            settled(&before, &format!("round {round}"));
            assert_eq!(place.reserved(), Vec::<String>::new());
        }
    }
    settled(&before, "at the end");
}

#[test]
fn a_jail_gets_its_own_default_routes_back() {
    let Some(_host) = host() else { return };
    let place = Place::new();
    let _pod = Jail::pod("jwpod");
    let own = ok("jexec jwpod ifconfig epair create").trim().to_owned();
    ok(&format!("jexec jwpod ifconfig {own} inet 203.0.113.2/24 up"));
    ok(&format!(
        "jexec jwpod sysctl net.inet6.ip6.dad_count=0 && jexec jwpod ifconfig {own} inet6 2001:db8::2/64"
    ));
    ok("jexec jwpod route -n add default 203.0.113.1");
    ok("jexec jwpod route -n add -inet6 default 2001:db8::1");
    let (host_before, before) = (state(), inside("jwpod"));
    let mut config = place.config();
    config["ipam"]["ranges"] = json!([[{ "subnet": "10.85.0.0/24" }], [{ "subnet": "fd00:85::/64" }]]);
    config["ipam"]["routes"] = json!([{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]);
    let routers = || ok("jexec jwpod netstat -rn | awk '$1 == \"default\" { print $2 }'");
    answer(&run(place.cni("bridge", "ADD", "jwpod"), &config));
    assert_eq!(routers(), "10.85.0.1\nfd00:85::1\n");
    let mut second = container();
    second["networks"]["one"]["interface_name"] = json!("eth1");
    answer(&run(place.netavark("setup", "jwpod"), &second));
    assert_eq!(routers(), "10.85.0.1\nfd00:85::1\n", "the first network keeps the default routes");
    answer(&run(place.cni("bridge", "DEL", "jwpod"), &config));
    assert_eq!(routers(), "10.81.0.1\nfd00:81::1\n");
    answer(&run(place.netavark("teardown", "jwpod"), &second));
    settled_inside("jwpod", &before, "torn down");
    settled(&host_before, "torn down");
}

#[test]
fn a_container_on_a_link_of_its_own_is_reached() {
    let Some(_host) = host() else { return };
    let place = Place::new();
    let before = state();
    let jails = ["jwa", "jwb"].map(Jail::new);
    for Jail(name) in &jails {
        answer(&run(place.cni("ptp", "ADD", name), &place.config()));
    }
    ok("ping -c 2 -t 5 10.85.0.2");
    ok("jexec jwa ping -c 2 -t 5 10.85.0.3");
    for Jail(name) in &jails {
        answer(&run(place.cni("ptp", "DEL", name), &place.config()));
        ok(&format!("jail -r {name}"));
    }
    settled(&before, "all deleted");
}
