//! Connections that remain after their jail's removal: TCP connections that the peer neither reads from nor closes.
//!
//! A connection holds the credentials that it was opened with, and these hold the jail (`inpcb`, `so_cred`). So a
//! removed jail lingers as long as its connection exists, although no process, mount or interface of the jail is
//! left (seen on 15.1 and 14.2: minutes, in ESTABLISHED with unread data, FIN_WAIT_1, CLOSE_WAIT and TIME_WAIT
//! alike).

use std::time::Duration;

use super::world::{Pending, World};

/// The environment variable that gives jails such a connection: `NAME:SECONDSs`, several are separated by commas,
/// and `*` stands for all jails.
pub(crate) const VARIABLE: &str = "JAILWIRE_SIM_CONNECTION";

/// A connection of a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The jid of the jail.
    pub jid: i32,
    /// How long the connection remains after its jail was removed.
    pub lasts: Duration,
    /// Whether that time has begun.
    pub ending: bool,
}

/// The jails that have a connection when they are removed, and how long the connection remains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    name: Option<String>,
    pub lasts: Duration,
}

impl Wanted {
    /// Whether a jail with this name has a connection.
    pub fn is_for(&self, jail: &str) -> bool {
        self.name.as_ref().is_none_or(|name| name == jail)
    }
}

/// Reads the value of the variable.
pub(crate) fn parse(text: &str) -> Result<Vec<Wanted>, String> {
    let one = |part: &str| {
        let wrong = || format!("{VARIABLE}: '{part}' is not NAME:SECONDSs, such as ioc-web:90s or *:90s");
        let (name, lasts) = part.rsplit_once(':').ok_or_else(wrong)?;
        let seconds: u64 = lasts.strip_suffix('s').and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        let name = match name {
            "" => return Err(wrong()),
            "*" => None,
            name => Some(name.to_owned()),
        };
        Ok(Wanted { name, lasts: Duration::from_secs(seconds) })
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(one).collect()
}

impl World {
    /// Gives a jail a connection, if the jail exists.
    pub fn connect(&mut self, jid: i32, lasts: Duration) {
        let Some(jail) = self.jails.get(jid) else { return };
        let dying = jail.dying;
        self.connections.push(Connection { jid, lasts, ending: false });
        if dying {
            self.connections_begin_to_end(jid);
        }
    }

    /// Whether a connection keeps a jail.
    pub fn is_connected(&self, jid: i32) -> bool {
        self.connections.iter().any(|connection| connection.jid == jid)
    }

    /// Starts the time of a jail's connections, because the jail was removed.
    pub fn connections_begin_to_end(&mut self, jid: i32) {
        for connection in self.connections.iter_mut().filter(|one| one.jid == jid && !one.ending) {
            connection.ending = true;
            self.pending.push((self.now + connection.lasts, Pending::ConnectionEnds(connection.jid)));
        }
    }

    /// The oldest connection of a jail that was to end has ended.
    pub fn connection_ends(&mut self, jid: i32) {
        let found = self.connections.iter().position(|one| one.jid == jid && one.ending);
        if let Some(place) = found {
            self.connections.remove(place);
            self.release(jid);
        }
    }

    /// A dying jail got another number.
    pub fn renumber_connections(&mut self, jid: i32, new: i32) {
        self.connections.iter_mut().filter(|one| one.jid == jid).for_each(|one| one.jid = new);
        for (_, event) in &mut self.pending {
            if *event == Pending::ConnectionEnds(jid) {
                *event = Pending::ConnectionEnds(new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_read_from_text() {
        let read = parse("ioc-web:90s, *:1s").unwrap();
        assert_eq!(read.iter().map(|one| one.lasts.as_secs()).collect::<Vec<_>>(), [90, 1]);
        assert!(read[0].is_for("ioc-web") && !read[0].is_for("ioc-db") && read[1].is_for("ioc-db"));
        for wrong in ["ioc-web", "ioc-web:90", ":90s", "ioc-web:s", "ioc-web:-1s"] {
            assert!(parse(wrong).unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
