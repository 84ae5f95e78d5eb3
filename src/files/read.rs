//! Reading files that may be of any kind and size.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

/// The largest file that is read, in bytes: larger than any configuration.
pub const LARGEST: u64 = 1024 * 1024;

/// Why the contents of a file were not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// A call failed.
    Io(io::Error),
    /// The path leads to a directory, a FIFO, a device or a socket.
    NotRegular,
    /// The file is larger than [`LARGEST`].
    TooLarge,
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Unread {
        Unread::Io(error)
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Io(error) => error.fmt(f),
            Unread::NotRegular | Unread::TooLarge => f.write_str("not a regular file of at most 1 MiB"),
        }
    }
}

impl From<Unread> for io::Error {
    fn from(unread: Unread) -> io::Error {
        match unread {
            Unread::Io(error) => error,
            other => io::Error::other(other.to_string()),
        }
    }
}

/// Reads a regular file of at most 1 MiB. Follows symbolic links. Makes four calls: open, fstat, read and close.
#[cfg(feature = "iocage")]
pub(crate) fn read_regular(path: &std::path::Path) -> Result<Vec<u8>, Unread> {
    use std::os::unix::fs::OpenOptionsExt as _;

    // O_NONBLOCK: open(2) must not wait if the file is a FIFO.
    let flags = libc::O_NONBLOCK | libc::O_CLOEXEC;
    read_opened(&std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?)
}

/// Reads an open file, if the file is a regular file of at most 1 MiB.
pub(super) fn read_opened(mut file: &File) -> Result<Vec<u8>, Unread> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Unread::NotRegular);
    }
    let too_large = || Err(Unread::TooLarge);
    let Some(length) = usize::try_from(metadata.len()).ok().filter(|length| *length as u64 <= LARGEST) else {
        return too_large();
    };
    // The byte more finds out whether the file has grown.
    let mut contents = vec![0; length + 1];
    let count = loop {
        match file.read(&mut contents) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    contents.truncate(count);
    if count != length {
        file.take(LARGEST + 1 - count.min(length) as u64).read_to_end(&mut contents)?;
        if contents.len() as u64 > LARGEST {
            return too_large();
        }
    }
    Ok(contents)
}

#[cfg(all(test, feature = "iocage"))]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn reads_regular_files_up_to_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for length in [0, 1, 4096, LARGEST as usize] {
            let contents = vec![b'x'; length];
            fs::write(&path, &contents).unwrap();
            assert!(read_regular(&path).unwrap() == contents, "{length}");
        }
        fs::write(&path, vec![b'x'; LARGEST as usize + 1]).unwrap();
        assert!(matches!(read_regular(&path), Err(Unread::TooLarge)));
    }

    /// A FIFO without a writer does not stop the reader.
    #[test]
    fn other_kinds_of_files_are_not_read() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(read_regular(directory.path()), Err(Unread::NotRegular)));
        let fifo = directory.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(read_regular(&fifo), Err(Unread::NotRegular)));
        assert!(matches!(read_regular(Path::new("/dev/null")), Err(Unread::NotRegular)));
        let missing = read_regular(&directory.path().join("missing")).unwrap_err();
        assert!(matches!(missing, Unread::Io(error) if error.kind() == io::ErrorKind::NotFound));
    }

    /// The file's size is not known before the file is read, as for files in /proc.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_may_have_more_than_its_size_says() {
        assert!(!read_regular(Path::new("/proc/self/status")).unwrap().is_empty());
    }
}
