//! An address that dhclient(8) in a jail gets by DHCP, and `net wait` waits for.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jailwire::wiring::Wiring;

use crate::tools::{Made, Ours, alone, inside, output, sh, text, wait};

const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const LEASED: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 77);
const EVERYBODY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 255);

/// The offset of the options in a message (RFC 2131, section 2), after the fixed part and the magic cookie.
const OPTIONS: usize = 240;
const MESSAGE_TYPE: u8 = 53;

/// The value of an option of a message (RFC 2132).
fn option(message: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut rest = message.get(OPTIONS..)?;
    loop {
        match rest {
            [0, after @ ..] => rest = after,
            [code, length, after @ ..] if *code != 255 => {
                let (value, after) = after.split_at_checked(usize::from(*length))?;
                if *code == wanted {
                    return Some(value);
                }
                rest = after;
            }
            _ => return None,
        }
    }
}

/// Answers every client with the same lease: DISCOVER (1) with OFFER (2), and REQUEST (3) with ACK (5).
fn serve(socket: &UdpSocket, over: &AtomicBool) {
    let mut request = [0; 1500];
    while !over.load(Ordering::Relaxed) {
        let Ok((length, _)) = socket.recv_from(&mut request) else { continue };
        let asked = option(&request[..length], MESSAGE_TYPE).and_then(|value| value.first());
        let answer = match asked {
            Some(1) => 2,
            Some(3) => 5,
            _ => continue,
        };
        let mut reply = request[..OPTIONS].to_vec();
        reply[0] = 2;
        reply[16..20].copy_from_slice(&LEASED.octets());
        reply[20..24].copy_from_slice(&SERVER.octets());
        reply.extend([MESSAGE_TYPE, 1, answer, 54, 4]);
        reply.extend(SERVER.octets());
        reply.extend([51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 255, 0, 255]);
        let _ = socket.send_to(&reply, SocketAddr::from((EVERYBODY, 68)));
    }
}

#[test]
fn an_address_by_dhcp_is_waited_for() {
    let _turn = alone();
    let _made = Made(vec!["bridge95"]);
    sh(&format!("ifconfig bridge95 create inet {SERVER}/24 up"));
    let socket = UdpSocket::bind("0.0.0.0:67").unwrap();
    socket.set_broadcast(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let server = {
        let over = Arc::clone(&over);
        thread::spawn(move || serve(&socket, &over))
    };
    let wiring = Wiring::here().unwrap();
    let _ours = Ours(&wiring, vec!["leased"]);
    wiring.jail("leased", "/").parameter("allow.raw_sockets", true).nic("bridge95").start().unwrap();
    let program = env!("CARGO_BIN_EXE_jailwire");
    let none = output(&format!("{program} net wait leased --inet --timeout 2"));
    let told = text(&none.stderr);
    assert!(!none.status.success() && told.contains("no IPv4 address after 2 seconds"), "{told}");
    let waiter = Command::new(program)
        .args(["net", "wait", "leased", "--inet", "--timeout", "120"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let client = output("jexec leased dhclient -p /tmp/dhclient.pid epair0b");
    let waited = waiter.wait_with_output().unwrap();
    let said = format!("{}{}{}", text(&client.stdout), text(&client.stderr), text(&waited.stderr));
    assert!(waited.status.success(), "{said}");
    assert!(inside("leased", "ifconfig epair0b inet").contains(&format!("inet {LEASED} ")), "{said}");
    sh("kill $(cat /tmp/dhclient.pid)");
    wait("dhclient ends", || !output("kill -0 $(cat /tmp/dhclient.pid)").status.success());
    over.store(true, Ordering::Relaxed);
    server.join().unwrap();
}
