//! The log of a simulated host: a file with all calls that led to its state.
//!
//! A record is its payload's length, a checksum, and the payload. Everything is done under an
//! exclusive `flock(2)`, and a record is one `write(2)` to the end of the file, so that a process that
//! is killed leaves at most a torn last record, which the next one cuts off.
//!
//! A log that has grown is replaced with a new log, which begins with the present state. When a process with the
//! old file open gets the lock, it sees that the path leads to another file, and starts again with that file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::call::Call;
use super::caller::Caller;
use super::codec::{LONGEST, Wire};
use super::options::Options;
use crate::checksum::crc32;

/// The format of records. Logs of another format are refused.
const VERSION: u8 = 3;

/// Begins a payload with a part of a world, instead of the version.
const PART: u8 = 0x57;

/// How much of a world is in one record, in bytes.
const LENGTH_OF_PART: usize = 4 << 20;

/// A log of at least this length has a complete header.
const SHORT: u64 = 64 << 10;

/// The number of calls in a row for which a process keeps the lock while other threads of it wait to make calls.
const MOST_KEPT: u32 = 64;

/// Length and checksum.
const PREFIX: usize = 8;

/// The first record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// When the simulation began: microseconds since 1970.
    pub epoch: u64,
    /// How often the log was written anew.
    pub generation: u64,
    /// The length of the log when it was replaced last.
    pub compacted: u64,
    /// What the host was like.
    pub options: Options,
}

/// A recorded call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub caller: Caller,
    /// The world's time, in microseconds.
    pub time: u64,
    /// How long the call took, in microseconds, if it was given a duration.
    pub took: u64,
    pub call: Call,
}

/// The records that were added to a log since it was last read.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Present when this is all there is, from the beginning.
    pub header: Option<Header>,
    /// The world before the first record, if it is not a new world.
    pub world: Vec<u8>,
    pub records: Vec<Record>,
}

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    /// The process that opened the log. With an inherited descriptor, a child would share its parent's lock.
    opened_by: u32,
    /// Whether this process has the lock.
    locked: bool,
    /// The number of calls since the lock was last released.
    kept: u32,
    /// The offset up to which the log was read.
    offset: u64,
    /// The length of the file, in bytes, when this process took the lock, with all that this process has written since.
    length: u64,
    /// The number of hard links when this process last looked at the path.
    names: u64,
    header: Header,
    /// The last record that was written. The next record takes its place, without an allocation.
    record: Vec<u8>,
}

impl Log {
    /// Opens the log of a directory, or begins one.
    pub fn open(directory: &Path, new: Header) -> io::Result<Log> {
        fs::create_dir_all(directory)?;
        let path = directory.join("log");
        let process = std::process::id();
        let file = open_file(&path)?;
        let mut log = Log {
            path,
            file,
            opened_by: process,
            locked: false,
            kept: 0,
            offset: 0,
            length: 0,
            names: 0,
            header: new,
            record: Vec::new(),
        };
        log.lock(process)?;
        // The first record can be missing or torn only where the log is short. A long log is read once, by the call
        // that needs its records.
        if log.length < SHORT && log.read()?.header.is_none() {
            let bytes = frame(Vec::new(), |out| encode_header(&log.header, out))?;
            log.write(&bytes)?;
        }
        log.offset = 0;
        log.unlock();
        Ok(log)
    }

    /// Waits for the lock, and makes sure that the path still leads to this file. `process` is the calling process.
    pub fn lock(&mut self, process: u32) -> io::Result<()> {
        if self.opened_by != process {
            self.reopen(process)?;
        }
        if self.locked {
            return Ok(());
        }
        loop {
            self.file.lock()?;
            self.locked = true;
            let ours = self.file.metadata()?;
            self.length = ours.len();
            // If another process has replaced the file, the file has one hard link less. If another process has written to
            // the file, the file is longer.
            if self.length == self.offset && ours.nlink() == self.names {
                return Ok(());
            }
            if same_file(&fs::metadata(&self.path)?, &ours) {
                self.names = ours.nlink();
                return Ok(());
            }
            self.reopen(process)?;
        }
    }

    /// Lets other processes in.
    pub fn unlock(&mut self) {
        if std::mem::take(&mut self.locked) {
            // Ignore an error: closing the file releases the lock too.
            let _ = self.file.unlock();
        }
        self.kept = 0;
    }

    /// Keeps the lock for another thread of this process that waits to make a call, because releasing and taking the lock
    /// takes longer than most calls. After [`MOST_KEPT`] calls other processes are let in all the same.
    pub fn pass_on(&mut self) {
        self.kept += 1;
        if self.kept == MOST_KEPT {
            self.unlock();
        }
    }

    fn reopen(&mut self, process: u32) -> io::Result<()> {
        self.file = open_file(&self.path)?;
        self.opened_by = process;
        (self.offset, self.names, self.locked) = (0, 0, false);
        Ok(())
    }

    /// Reads what was added since the last time, and cuts off a torn last record. Under the lock.
    pub fn read(&mut self) -> io::Result<News> {
        let length = self.length;
        if length < self.offset {
            // Another process has cut the file: read it again from the beginning.
            self.offset = 0;
        }
        if length == self.offset {
            return Ok(News::default());
        }
        let mut bytes = Vec::with_capacity((length - self.offset) as usize);
        self.file.seek(SeekFrom::Start(self.offset))?;
        (&self.file).take(length - self.offset).read_to_end(&mut bytes)?;
        let mut news = News::default();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match unframe(rest) {
                Frame::Whole { payload, after } => {
                    if self.offset == 0 {
                        let header = decode_header(payload).ok_or_else(|| self.damaged())?;
                        self.header = header.clone();
                        news.header = Some(header);
                    } else if let Some(part) = payload.strip_prefix(&[PART]) {
                        news.world.extend_from_slice(part);
                    } else {
                        news.records.push(decode_record(payload).ok_or_else(|| self.damaged())?);
                    }
                    self.offset += (rest.len() - after.len()) as u64;
                    rest = after;
                }
                Frame::Torn => {
                    self.file.set_len(self.offset)?;
                    self.length = self.offset;
                    break;
                }
                Frame::Damaged => return Err(self.damaged()),
            }
        }
        Ok(news)
    }

    fn damaged(&self) -> io::Error {
        io::Error::new(
            ErrorKind::InvalidData,
            format!("{} is damaged at byte {}, or of another version", self.path.display(), self.offset),
        )
    }

    /// Appends a record. Under the lock, and with everything read.
    pub fn append(&mut self, caller: Caller, time: u64, took: u64, call: &Call) -> io::Result<()> {
        let bytes = frame(std::mem::take(&mut self.record), |out| encode(caller, time, took, call, out))?;
        let written = self.write(&bytes);
        self.record = bytes;
        written
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        // This is one write: `write_all` makes another call only if a full disk has cut the first one short.
        if let Err(error) = (&self.file).write_all(bytes) {
            let _ = self.file.set_len(self.offset);
            return Err(error);
        }
        self.offset += bytes.len() as u64;
        self.length = self.offset;
        Ok(())
    }

    /// Whether the log has grown so much that it should be replaced.
    pub fn has_grown(&self, limit: u64) -> bool {
        self.offset > limit.max(2 * self.header.compacted)
    }

    /// Replaces the log with a new log that begins with this world. The caller has the lock, which is on the new
    /// log afterwards.
    pub fn replace(&mut self, world: &[u8]) -> io::Result<()> {
        let mut header = Header { generation: self.header.generation + 1, ..self.header.clone() };
        let mut body = Vec::new();
        for part in world.chunks(LENGTH_OF_PART) {
            let whole = frame(Vec::new(), |out| {
                out.push(PART);
                out.extend_from_slice(part);
            })?;
            body.extend_from_slice(&whole);
        }
        header.compacted = body.len() as u64;
        let mut bytes = frame(Vec::new(), |out| encode_header(&header, out))?;
        bytes.append(&mut body);

        let path = self.path.with_extension("new");
        let _ = fs::remove_file(&path);
        let file = open_file(&path)?;
        file.lock()?;
        (&file).write_all(&bytes)?;
        fs::rename(&path, &self.path)?;
        // Closing the old file releases its lock.
        self.names = file.metadata()?.nlink();
        self.file = file;
        self.offset = bytes.len() as u64;
        self.length = self.offset;
        self.header = header;
        Ok(())
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

fn same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn encode_header(header: &Header, out: &mut Vec<u8>) {
    out.push(VERSION);
    header.epoch.put(out);
    header.generation.put(out);
    header.compacted.put(out);
    header.options.put(out);
}

fn decode_header(payload: &[u8]) -> Option<Header> {
    let mut input = payload;
    if u8::take(&mut input)? != VERSION {
        return None;
    }
    let (epoch, generation) = (Wire::take(&mut input)?, Wire::take(&mut input)?);
    let (compacted, options) = (Wire::take(&mut input)?, Wire::take(&mut input)?);
    input.is_empty().then_some(Header { epoch, generation, compacted, options })
}

fn encode(caller: Caller, time: u64, took: u64, call: &Call, out: &mut Vec<u8>) {
    out.push(VERSION);
    let Caller { pid, start, jid, root } = caller;
    pid.put(out);
    start.put(out);
    jid.put(out);
    root.put(out);
    time.put(out);
    took.put(out);
    call.put(out);
}

fn decode_record(payload: &[u8]) -> Option<Record> {
    let mut input = payload;
    if u8::take(&mut input)? != VERSION {
        return None;
    }
    let (pid, start) = (Wire::take(&mut input)?, Wire::take(&mut input)?);
    let (jid, root) = (Wire::take(&mut input)?, Wire::take(&mut input)?);
    let (time, took) = (Wire::take(&mut input)?, Wire::take(&mut input)?);
    let call = Wire::take(&mut input)?;
    input.is_empty().then_some(Record { caller: Caller { pid, start, jid, root }, time, took, call })
}

/// A record with the payload that `encode` adds, in place of what `out` contains.
fn frame(mut out: Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) -> io::Result<Vec<u8>> {
    out.clear();
    out.extend_from_slice(&[0; PREFIX]);
    encode(&mut out);
    let (prefix, payload) = out.split_at_mut(PREFIX);
    if payload.len() > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidInput, "a call too long for the log"));
    }
    prefix[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    prefix[4..].copy_from_slice(&crc32(payload).to_le_bytes());
    Ok(out)
}

enum Frame<'a> {
    Whole {
        payload: &'a [u8],
        after: &'a [u8],
    },
    /// The last record, which was not written completely.
    Torn,
    Damaged,
}

fn unframe(bytes: &[u8]) -> Frame<'_> {
    let mut input = bytes;
    let (Some(length), Some(sum)) = (u32::take(&mut input), u32::take(&mut input)) else {
        return Frame::Torn;
    };
    if length as usize > LONGEST {
        return Frame::Damaged;
    }
    match input.split_at_checked(length as usize) {
        None => Frame::Torn,
        Some((payload, after)) if crc32(payload) == sum => Frame::Whole { payload, after },
        // The file's size was set before its contents were written.
        Some((_, [])) => Frame::Torn,
        Some(_) => Frame::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Domain, Handle};

    fn header() -> Header {
        Header { epoch: 1, generation: 0, compacted: 0, options: Options::default() }
    }

    fn record(time: u64) -> Record {
        let caller = Caller { pid: 1, start: 2, jid: 0, root: true };
        Record { caller, time, took: 0, call: Call::Socket(Domain::Inet) }
    }

    fn append(log: &mut Log, time: u64) -> io::Result<()> {
        let Record { caller, time, took, call } = record(time);
        log.append(caller, time, took, &call)
    }

    fn directory() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn what_one_appends_another_reads() {
        let directory = directory();
        let mut one = Log::open(directory.path(), header()).unwrap();
        let mut other = Log::open(directory.path(), Header { epoch: 2, ..header() }).unwrap();
        one.lock(std::process::id()).unwrap();
        assert!(one.read().unwrap().header.is_some());
        append(&mut one, 5).unwrap();
        one.unlock();
        other.lock(std::process::id()).unwrap();
        let news = other.read().unwrap();
        assert_eq!(news.header, Some(header()));
        assert_eq!(news.records, [record(5)]);
        assert!(other.read().unwrap().records.is_empty());
    }

    #[test]
    fn a_torn_last_record_is_cut_off() {
        let directory = directory();
        let mut log = Log::open(directory.path(), header()).unwrap();
        log.lock(std::process::id()).unwrap();
        log.read().unwrap();
        append(&mut log, 1).unwrap();
        let whole = log.offset;
        append(&mut log, 2).unwrap();
        let end = log.offset;
        log.unlock();
        for torn in whole + 1..end {
            OpenOptions::new().write(true).open(&log.path).unwrap().set_len(torn).unwrap();
            let mut log = Log::open(directory.path(), header()).unwrap();
            assert_eq!(log.read().unwrap().records, [record(1)]);
            assert_eq!(log.file.metadata().unwrap().len(), whole);
            append(&mut log, 2).unwrap();
        }
    }

    #[test]
    fn damage_in_the_middle_is_an_error() {
        let directory = directory();
        let mut log = Log::open(directory.path(), header()).unwrap();
        log.read().unwrap();
        append(&mut log, 1).unwrap();
        let middle = log.offset - 3;
        append(&mut log, 2).unwrap();
        let mut bytes = fs::read(&log.path).unwrap();
        bytes[middle as usize] ^= 1;
        fs::write(&log.path, bytes).unwrap();
        let error = Log::open(directory.path(), header()).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    }

    #[test]
    fn a_log_can_be_replaced_under_those_who_read_it() {
        let directory = directory();
        let mut one = Log::open(directory.path(), header()).unwrap();
        let mut other = Log::open(directory.path(), header()).unwrap();
        other.lock(std::process::id()).unwrap();
        other.read().unwrap();
        other.unlock();
        one.lock(std::process::id()).unwrap();
        one.read().unwrap();
        append(&mut one, 1).unwrap();
        append(&mut one, 2).unwrap();
        // A world with more than one part.
        let world = vec![7; LENGTH_OF_PART + 1];
        one.replace(&world).unwrap();
        append(&mut one, 3).unwrap();
        one.unlock();
        other.lock(std::process::id()).unwrap();
        let news = other.read().unwrap();
        assert_eq!(news.header.unwrap().generation, 1);
        assert_eq!(news.world, world);
        assert_eq!(news.records, [record(3)]);
    }

    #[test]
    fn handles_are_numbers_in_the_log() {
        let mut closing = record(1);
        closing.call = Call::Close(Handle(u64::MAX));
        let Record { caller, time, took, call } = &closing;
        let mut payload = Vec::new();
        encode(*caller, *time, *took, call, &mut payload);
        assert_eq!(decode_record(&payload), Some(closing));
    }
}
