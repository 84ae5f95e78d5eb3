//! Servers in jails, and clients on the host, for connections in the states that keep a jail dying.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use jailwire::jail;

use crate::program::text;
use crate::world::World;

/// The variable that tells a server its jid, address and state.
const ERRAND: &str = "JAILWIRE_TEST_SERVER";
const PORT: u16 = 7777;
/// What each server sends to each client.
const GREETING: &[u8] = b"here";
/// The beginning of a server's lines, to tell them from lines of the test harness.
const SAYS: &str = "server: ";
const PATIENCE: Duration = Duration::from_secs(120);

/// The state of a jail's end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The connection is gone.
    None,
    /// The peer does not read the data that the jail sent.
    Established,
    /// The jail closed the connection, and the peer does not read the data that was sent before.
    FinWait1,
    /// Only the peer closed the connection.
    CloseWait,
    /// The jail closed the connection first.
    TimeWait,
}

const STATES: [State; 4] = [State::Established, State::FinWait1, State::CloseWait, State::TimeWait];

impl State {
    /// The name that netstat(1) has for the state.
    fn word(self) -> &'static str {
        match self {
            State::None => "",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN_WAIT_1",
            State::CloseWait => "CLOSE_WAIT",
            State::TimeWait => "TIME_WAIT",
        }
    }
}

/// A server in each jail, with its connection.
pub struct Connections {
    servers: Vec<Server>,
    _streams: Vec<TcpStream>,
    _local: LocalTimeWait,
}

/// Makes the kernel keep TIME_WAIT for local connections. Both ends of a shared-IP jail's connection belong to the
/// host, and by default the kernel keeps no TIME_WAIT for such connections, or keeps it for milliseconds.
struct LocalTimeWait {
    name: &'static str,
    was: String,
}

impl LocalTimeWait {
    /// Since FreeBSD 15 the sysctl is the time in milliseconds. Before, it only switched TIME_WAIT on.
    const KEPT: [(&str, &str); 2] =
        [("net.inet.tcp.msl_local", "30000"), ("net.inet.tcp.nolocaltimewait", "0")];

    fn keep() -> LocalTimeWait {
        for (name, kept) in LocalTimeWait::KEPT {
            let output = Command::new("/sbin/sysctl").args(["-n", name]).output().expect("sysctl");
            if output.status.success() {
                let was = text(&output.stdout).trim().to_owned();
                LocalTimeWait::set(name, kept);
                return LocalTimeWait { name, was };
            }
        }
        panic!("the kernel knows no sysctl of {:?}", LocalTimeWait::KEPT);
    }

    fn set(name: &str, value: &str) {
        let output = Command::new("/sbin/sysctl").arg(format!("{name}={value}")).output().expect("sysctl");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

impl Drop for LocalTimeWait {
    fn drop(&mut self) {
        LocalTimeWait::set(self.name, &self.was);
    }
}

struct Server {
    jail: String,
    process: Child,
    output: BufReader<ChildStdout>,
    address: Ipv4Addr,
    state: State,
}

impl Connections {
    /// Sends each jail a request, and leaves the jail with a connection, or without one.
    pub fn open(world: &World, connected: bool) -> Connections {
        let mut servers: Vec<Server> = Vec::new();
        for (number, (jail, kind)) in world.jails.iter().enumerate() {
            let state = if connected { STATES[number % STATES.len()] } else { State::None };
            let place: usize = jail[1..].parse().expect("a number");
            let ip4 = kind.ip4(place)[0].clone();
            let address = ip4.split(['|', '/']).nth(1).expect("an address").parse().expect("an address");
            servers.push(Server::begin(world, jail, address, state));
        }
        let mut connections = Connections { servers, _streams: Vec::new(), _local: LocalTimeWait::keep() };
        for server in &mut connections.servers {
            server.hear("listening");
            connections._streams.extend(server.connect());
        }
        for server in &mut connections.servers {
            server.hear("done");
            server.look(world);
        }
        connections
    }
}

impl Server {
    fn begin(world: &World, jail: &str, address: Ipv4Addr, state: State) -> Server {
        let jid =
            jail::find(&**world.host.kernel(), &format!("ioc-{jail}")).expect("the jail").expect("it runs");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "server::serves_in_a_jail", "--nocapture"]);
        command.env(ERRAND, format!("{jid} {address} {}", state.word()));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a server");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        Server { jail: jail.to_owned(), process, output, address, state }
    }

    /// Waits until the server prints this line.
    fn hear(&mut self, wanted: &str) {
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let length = self.output.read_line(&mut line).expect("text");
            assert!(length > 0, "{}: {:?}: no `{wanted}` in {said}", self.jail, self.state);
            if line.contains(&format!("{SAYS}{wanted}")) {
                return;
            }
            said += &line;
        }
    }

    /// Connects to the server, reads the greeting, and does the host's part for the state. Returns a connection
    /// that the host keeps open.
    fn connect(&self) -> Option<TcpStream> {
        let address = SocketAddr::from((self.address, PORT));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
            .unwrap_or_else(|error| panic!("{} does not serve at {address}: {error}", self.jail));
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let mut greeting = [0; GREETING.len()];
        stream
            .read_exact(&mut greeting)
            .unwrap_or_else(|error| panic!("{}: no greeting: {error}", self.jail));
        assert_eq!(greeting, GREETING);
        match self.state {
            State::Established | State::FinWait1 => Some(stream),
            State::CloseWait => {
                stream.shutdown(Shutdown::Write).expect("it is closed");
                Some(stream)
            }
            State::TimeWait => {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).expect("the end");
                None
            }
            State::None => None,
        }
    }

    /// Checks that the jail's end is in the intended state.
    fn look(&self, world: &World) {
        if self.state == State::None {
            return;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output =
                world.run(&["exec", &self.jail, "--", "/usr/bin/netstat", "-an", "-f", "inet", "-p", "tcp"]);
            let shown = text(&output.stdout) + &text(&output.stderr);
            let own = format!("{}.{PORT}", self.address);
            let is = |line: &str| line.contains(&own) && line.contains(self.state.word());
            if shown.lines().any(is) {
                return;
            }
            assert!(Instant::now() < deadline, "{}: {:?}: {shown}", self.jail, self.state);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Most servers have ended with their jail.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server's part, in a process of its own.
#[test]
fn serves_in_a_jail() {
    let Ok(errand) = std::env::var(ERRAND) else { return };
    let mut words = errand.split(' ');
    let jid = words.next().and_then(|jid| jid.parse().ok()).expect("a jid");
    let address: Ipv4Addr = words.next().and_then(|address| address.parse().ok()).expect("an address");
    let word = words.next().expect("a state");
    let state = STATES.into_iter().find(|state| state.word() == word).unwrap_or(State::None);
    // SAFETY: jail_attach(2) takes a number only.
    let attached = unsafe { libc::jail_attach(jid) };
    assert_eq!(attached, 0, "jail_attach: {}", std::io::Error::last_os_error());
    let listener = TcpListener::bind((address, PORT)).expect("the address");
    println!("\n{SAYS}listening");
    let (mut stream, _) = listener.accept().expect("a connection");
    stream.write_all(GREETING).expect("a greeting");
    let kept = match state {
        State::Established => {
            fill(&mut stream);
            Some(stream)
        }
        State::FinWait1 => {
            fill(&mut stream);
            drop(stream);
            None
        }
        State::TimeWait => {
            drop(stream);
            None
        }
        State::None | State::CloseWait => {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).expect("the end");
            (state == State::CloseWait).then_some(stream)
        }
    };
    println!("\n{SAYS}done");
    std::thread::sleep(Duration::from_secs(3600));
    drop((kept, listener));
}

/// Sends until neither end has room for more.
fn fill(stream: &mut TcpStream) {
    stream.set_nonblocking(true).expect("a flag");
    let (chunk, mut full) = ([7; 16 << 10], 0);
    while full < 5 {
        match stream.write(&chunk) {
            Ok(_) => full = 0,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                full += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) => panic!("{error}"),
        }
    }
}
