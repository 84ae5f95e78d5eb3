//! Clients and servers for TCP and UDP in jails. They run this same test program, which the jails can run because they
//! have the host's files.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The variable with the task of the program: see [`play`].
const PART: &str = "JAILWIRE_CONTAINERS_PART";

/// A server in a jail that sends its name and the client's address. It ends when the value is dropped.
pub struct Server(Child);

impl Server {
    /// Starts a server at these ports, for TCP and UDP.
    pub fn new(jail: &str, ports: &[u16]) -> Server {
        let list: Vec<String> = ports.iter().map(u16::to_string).collect();
        let ready = PathBuf::from(format!("/tmp/jailwire-containers-{jail}"));
        let _ = std::fs::remove_file(&ready);
        let part = format!("serve {jail} {} {}", ready.display(), list.join(" "));
        let child = Server(myself(jail, &part).spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(20);
        while !ready.exists() {
            assert!(Instant::now() < deadline, "the server in {jail} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        let _ = std::fs::remove_file(&ready);
        child
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn myself(jail: &str, part: &str) -> Command {
    let mut command = Command::new("jexec");
    command.arg(jail).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "talk::play", "--nocapture", "--test-threads=1"]).env(PART, part);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Asks once from a jail, by `tcp` or `udp`.
fn ask(jail: &str, way: &str, to: &str, limit: u64) -> Option<String> {
    let command = &mut myself(jail, &format!("ask {way} {to} {limit}"));
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().find_map(|line| line.split_once("ANSWER ")).map(|(_, answer)| answer.to_owned())
}

/// Asks until an answer comes, because the first packets may be lost.
#[track_caller]
pub fn hears(jail: &str, way: &str, to: &str) -> String {
    let answer = (0..4).find_map(|_| ask(jail, way, to, 3000));
    answer.unwrap_or_else(|| panic!("{jail}: no answer by {way} from {to}"))
}

/// Returns whether two requests get no answer.
pub fn is_deaf(jail: &str, way: &str, to: &str) -> bool {
    (0..2).all(|_| ask(jail, way, to, 1000).is_none())
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
        ["ask", way, to, limit] => {
            let (to, limit) = (to.parse().unwrap(), Duration::from_millis(limit.parse().unwrap()));
            let answer = if way == "tcp" { ask_by_tcp(to, limit) } else { ask_by_udp(to, limit) };
            // The test harness may have printed something on the line before.
            println!("\nANSWER {}", answer.unwrap_or_else(|error| panic!("{error}")));
        }
        _ => panic!("{part}"),
    }
}

fn serve(name: &str, ready: &str, ports: &[u16]) {
    let mut threads = Vec::new();
    for port in ports {
        let at = SocketAddr::from(([0, 0, 0, 0], *port));
        let (udp, own) = (UdpSocket::bind(at).unwrap(), name.to_owned());
        threads.push(thread::spawn(move || {
            let mut bytes = [0; 64];
            while let Ok((_, peer)) = udp.recv_from(&mut bytes) {
                let _ = udp.send_to(format!("{own} sees {}", peer.ip()).as_bytes(), peer);
            }
        }));
        let (tcp, own) = (TcpListener::bind(at).unwrap(), name.to_owned());
        threads.push(thread::spawn(move || {
            for mut stream in tcp.incoming().flatten() {
                if let Ok(peer) = stream.peer_addr() {
                    let _ = stream.write_all(format!("{own} sees {}", peer.ip()).as_bytes());
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

fn ask_by_udp(to: SocketAddr, limit: Duration) -> std::io::Result<String> {
    let socket = UdpSocket::bind(SocketAddr::from(([0, 0, 0, 0], 0)))?;
    socket.connect(to)?;
    socket.set_read_timeout(Some(limit))?;
    socket.send(b"?")?;
    let mut bytes = [0; 64];
    let length = socket.recv(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
}
