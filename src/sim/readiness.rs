//! Descriptors that an event loop can wait for. Each is readable while a handle of the simulation has a message or
//! an event.
//!
//! Each handle has a pipe. The pipe contains one byte while the handle has a message or an event, and is empty
//! otherwise.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::world::World;
use crate::kernel::Handle;

/// The pipes of one process, by handle.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    pipes: BTreeMap<u64, Pipe>,
}

#[derive(Debug)]
struct Pipe {
    reader: PipeReader,
    writer: PipeWriter,
    full: bool,
}

impl Readiness {
    /// The descriptor that stands for a handle.
    pub fn descriptor(&mut self, handle: Handle) -> io::Result<OwnedFd> {
        let pipe = match self.pipes.entry(handle.0) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                let (reader, writer) = io::pipe()?;
                // The user of the other descriptor may have read the byte, although the documentation forbids that.
                fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
                place.insert(Pipe { reader, writer, full: false })
            }
        };
        pipe.reader.as_fd().try_clone_to_owned()
    }

    pub fn is_empty(&self) -> bool {
        self.pipes.is_empty()
    }

    /// Fills and empties the pipes by the state of the world. The pipe of a closed handle is at its end, which
    /// event loops see too.
    pub fn update(&mut self, world: &World) {
        self.pipes.retain(|handle, pipe| {
            let Ok(socket) = world.handle(Handle(*handle)) else { return false };
            let full = !socket.is_silent();
            if full != pipe.full {
                let mut byte = [0];
                // This cannot fail: the pipe has room for one byte, or contains one byte.
                let _ = if full { pipe.writer.write(&byte) } else { pipe.reader.read(&mut byte) };
                pipe.full = full;
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use crate::Vnet;
    use crate::jail::{self, JailEvents, JailParameters};
    use crate::kernel::Kernel;
    use crate::sim::Sim;

    fn is_readable(descriptor: &impl std::os::fd::AsFd, limit: u16) -> bool {
        let mut polled = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
        poll(&mut polled, PollTimeout::from(limit)).unwrap() > 0
    }

    #[test]
    fn a_descriptor_is_readable_while_there_is_something_to_read() {
        let kernel: Arc<dyn Kernel> = Arc::new(Sim::new());
        let host = Vnet::host(Arc::clone(&kernel));
        let mut monitor = host.monitor().unwrap();
        let mut events = JailEvents::open(Arc::clone(&kernel)).unwrap();
        events.watch_own().unwrap();
        assert!(!is_readable(&monitor, 0) && !is_readable(&events, 0));
        host.create_bridge().unwrap();
        jail::create(&*kernel, &JailParameters::new("web")).unwrap();
        assert!(is_readable(&monitor, 0) && is_readable(&events, 0));
        while monitor.next(Duration::ZERO).unwrap().is_some() {}
        while events.next(Duration::ZERO).unwrap().is_some() {}
        assert!(!is_readable(&monitor, 0) && !is_readable(&events, 0));
    }

    #[test]
    fn what_another_process_does_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let open =
            |path: &Path| -> Arc<dyn Kernel> { Arc::new(Sim::open_with(path, Default::default()).unwrap()) };
        let (ours, theirs) = (open(directory.path()), open(directory.path()));
        let mut monitor = Vnet::host(ours).monitor().unwrap();
        assert!(!is_readable(&monitor, 0));
        Vnet::host(theirs).create_bridge().unwrap();
        let begin = Instant::now();
        assert!(is_readable(&monitor, 10_000), "{:?}", begin.elapsed());
        assert!(monitor.next(Duration::ZERO).unwrap().is_some());
    }
}
