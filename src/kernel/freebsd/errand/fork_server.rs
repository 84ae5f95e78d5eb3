//! What parent and child share for the fork server and for ready children. A message to a ready child has a head, the
//! lengths of buffers, and the buffers.

/// The number of children that are ready at a time. While one child is taken, the server forks the next.
pub const AHEAD: usize = 2;
/// The most buffers of one message, and the most bytes of them all. A ready child takes no larger message.
pub const MOST_BUFFERS: usize = 128;
pub const MOST_BYTES: usize = 16 << 10;
/// The length of the head, in bytes. The head has six `u32`: the kind, the number of buffers, and four numbers whose meaning
/// depends on the kind.
pub const HEAD: usize = 24;
/// The most descriptors of one message.
pub const MOST_DESCRIPTORS: usize = 4;

/// The work that a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Make and enter the jail of these options, open sockets there, and wait in the jail for the next message, which can only
    /// be [`Kind::Run`].
    Hold = 1,
    /// Mount the file system of these options on the directory whose descriptor comes with the message, and wait for the next
    /// message. The first number has the MNT_* flags.
    Mount,
    /// Become a program in a jail. The four numbers: the jid, which has no meaning if the child is in a jail already; the
    /// routing table; the number of buffers that are paths of the program; and the number of buffers that are arguments. The
    /// other buffers are the environment. The descriptors: standard input, output and error, and a pipe for an error.
    Run,
    /// End the processes of a jail, and wait in the jail for the next message. The first number is the jid, which has no
    /// meaning if the child is in the jail already. The second number is the time limit, in milliseconds.
    End,
    /// Enter a jail, unless the child is in the jail already; open sockets there; and wait in the jail for the next message.
    /// The first number is the jid.
    Sockets,
}

impl Kind {
    pub fn of(number: u32) -> Option<Kind> {
        [Kind::Hold, Kind::Mount, Kind::Run, Kind::End, Kind::Sockets]
            .into_iter()
            .find(|kind| *kind as u32 == number)
    }
}

/// Returns a message. Returns `None` when the message would be too large.
pub fn encode<'a>(
    kind: Kind,
    numbers: [u32; 4],
    buffers: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
) -> Option<Vec<u8>> {
    let (count, bytes) = (buffers.len(), buffers.clone().map(<[u8]>::len).sum::<usize>());
    if count > MOST_BUFFERS || bytes > MOST_BYTES {
        return None;
    }
    let mut message = Vec::with_capacity(HEAD + 4 * count + bytes);
    [kind as u32, count as u32].iter().chain(&numbers).for_each(|word| message.extend(word.to_ne_bytes()));
    buffers.clone().for_each(|buffer| message.extend((buffer.len() as u32).to_ne_bytes()));
    buffers.for_each(|buffer| message.extend(buffer));
    Some(message)
}
