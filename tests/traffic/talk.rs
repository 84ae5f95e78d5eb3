//! Clients and servers for TCP and UDP, in jails and on the host. They run this same test program, which the jails
//! can run because they have the host's files.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::tools::{text, wait};

/// The variable that says what the program is to do: see [`play`].
const PART: &str = "JAILWIRE_TRAFFIC_PART";
/// How long an answer may take where one is expected, in milliseconds.
const PATIENCE: u64 = 3000;
/// The time to wait if no answer is expected, in milliseconds.
const IMPATIENCE: u64 = 1000;

/// TCP or UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Tcp,
    Udp,
}

/// Both.
pub const WAYS: [Way; 2] = [Way::Tcp, Way::Udp];

/// A server that sends its name and the client's address. It ends with the test.
pub struct Server(Child);

impl Server {
    /// Starts a server in a jail at these ports, for TCP and UDP.
    pub fn new(jail: &str, ports: &[u16]) -> Server {
        let list: Vec<String> = ports.iter().map(u16::to_string).collect();
        let ready = format!("/tmp/traffic-{jail}-{}", list.join("-"));
        let _ = std::fs::remove_file(&ready);
        let child =
            Server(myself(Some(jail), &format!("serve {jail} {ready} {}", list.join(" "))).spawn().unwrap());
        wait("the server listens", || std::fs::metadata(&ready).is_ok());
        child
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command that runs this program, in a jail or on the host, with a task.
pub fn myself(jail: Option<&str>, part: &str) -> Command {
    let me = std::env::current_exe().expect("the program's own file");
    let mut command = match jail {
        Some(jail) => {
            let mut command = Command::new("jexec");
            command.arg(jail).arg(me);
            command
        }
        None => Command::new(me),
    };
    command.args(["--exact", "talk::play", "--nocapture", "--test-threads=1"]).env(PART, part);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Asks a server once: from a jail, or from the host. Returns the answer, `SERVER sees ADDRESS`.
pub fn ask(jail: Option<&str>, way: Way, to: &str, port: u16) -> Option<String> {
    ask_from(jail, way, to, port, 0, PATIENCE)
}

/// Asks once, from this port or, for 0, from any port. The answer has to come within the limit, in milliseconds.
fn ask_from(jail: Option<&str>, way: Way, to: &str, port: u16, from: u16, limit: u64) -> Option<String> {
    let part = format!("ask {way:?} {to} {port} {from} {limit}");
    let output = myself(jail, &part).stdout(Stdio::piped()).output().expect("a client");
    let said = text(&output.stdout);
    let answer = said.lines().find_map(|line| line.split_once("ANSWER "));
    answer.map(|(_, answer)| answer.to_owned())
}

/// Asks once by UDP, from this port.
pub fn ask_from_port(jail: &str, to: &str, port: u16, from: u16) -> Option<String> {
    ask_from(Some(jail), Way::Udp, to, port, from, PATIENCE)
}

/// Asks until an answer comes, because duplicate address detection and ARP take their time.
#[track_caller]
pub fn hears(jail: Option<&str>, way: Way, to: &str, port: u16) -> String {
    let answer = (0..4).find_map(|_| ask(jail, way, to, port));
    answer.unwrap_or_else(|| {
        panic!("{}: no answer by {way:?} from {to} port {port}", jail.unwrap_or("the host"))
    })
}

/// Whether two requests get no answer.
pub fn is_deaf(jail: Option<&str>, way: Way, to: &str, port: u16) -> bool {
    (0..2).all(|_| ask_from(jail, way, to, port, 0, IMPATIENCE).is_none())
}

/// Runs the task that [`myself`] gives to the program. Without a task it does nothing, and it tests nothing.
#[test]
fn play() {
    let Ok(part) = std::env::var(PART) else { return };
    let words: Vec<&str> = part.split(' ').collect();
    match words[..] {
        ["serve", name, ready, ref ports @ ..] => {
            let ports: Vec<u16> = ports.iter().map(|port| port.parse().unwrap()).collect();
            serve(name, ready, &ports);
        }
        ["ask", way, to, port, from, limit] => {
            let to = SocketAddr::new(to.parse().unwrap(), port.parse().unwrap());
            let from = from.parse().unwrap();
            let limit = Duration::from_millis(limit.parse().unwrap());
            let answer = if way == "Tcp" { ask_by_tcp(to, limit) } else { ask_by_udp(to, from, limit) };
            // The test harness may have printed something on the line before.
            println!("\nANSWER {}", answer.unwrap_or_else(|error| panic!("{error}")));
        }
        ["act", what, backend, call] => crate::others::act(what, backend, call.parse().unwrap()),
        _ => panic!("{part}"),
    }
}

fn seen(name: &str, peer: SocketAddr) -> String {
    let address = match peer.ip() {
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        other => other,
    };
    format!("{name} sees {address}")
}

/// Opens one socket for each family. The host has one address of each family here, so a UDP answer leaves from the
/// address that was asked.
fn serve(name: &str, ready: &str, ports: &[u16]) {
    let any: [IpAddr; 2] = [Ipv6Addr::UNSPECIFIED.into(), [0, 0, 0, 0].into()];
    let mut threads = Vec::new();
    for (port, address) in ports.iter().flat_map(|port| any.map(|address| (*port, address))) {
        let at = SocketAddr::new(address, port);
        let (udp, own) = (UdpSocket::bind(at).unwrap(), name.to_owned());
        threads.push(thread::spawn(move || {
            let mut bytes = [0; 64];
            while let Ok((_, peer)) = udp.recv_from(&mut bytes) {
                let _ = udp.send_to(seen(&own, peer).as_bytes(), peer);
            }
        }));
        let (tcp, own) = (TcpListener::bind(at).unwrap(), name.to_owned());
        threads.push(thread::spawn(move || {
            for stream in tcp.incoming() {
                let Ok(mut stream) = stream else { continue };
                if let Ok(peer) = stream.peer_addr() {
                    let _ = stream.write_all(seen(&own, peer).as_bytes());
                }
            }
        }));
    }
    std::fs::write(ready, "").unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn ask_by_tcp(to: SocketAddr, limit: Duration) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&to, limit)?;
    stream.set_read_timeout(Some(limit))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn ask_by_udp(to: SocketAddr, from: u16, limit: Duration) -> std::io::Result<String> {
    let any: IpAddr = if to.is_ipv4() { [0, 0, 0, 0].into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, from))?;
    socket.connect(to)?;
    socket.set_read_timeout(Some(limit))?;
    socket.send(b"?")?;
    let mut bytes = [0; 64];
    let length = socket.recv(&mut bytes)?;
    Ok(text(&bytes[..length]))
}
