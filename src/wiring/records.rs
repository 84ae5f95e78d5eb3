//! The lines of journals. Each record is one line: its CRC-32, and its fields, separated by tabs.

use std::fmt::Write as _;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::checksum::crc32;
use crate::error::Error;

/// Adds a record, with its checksum in front.
pub(super) fn add_line(text: &mut String, record: &str) {
    writeln!(text, "{:08x} {record}", crc32(record.as_bytes())).expect("writing to a String");
}

/// Returns the record of a line. Returns `None` when the line is torn or altered.
pub(super) fn verified(line: &[u8]) -> Option<&str> {
    let (sum, record) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    (u32::from_str_radix(sum, 16) == Ok(crc32(record.as_bytes()))).then_some(record)
}

/// Returns the text that a file of records begins with: the format, and the boot that the records are of.
pub(super) fn head(format: &str, boot: &str) -> String {
    let mut text = String::new();
    add_line(&mut text, &format!("{format}\t{}", escape(boot)));
    text
}

/// Reads the records that follow the [`head`] of a file, up to the first that is torn. Returns `None` if there is no such
/// file, or if the file is of another format or boot.
pub(super) fn read_of_boot(path: &Path, format: &str, boot: &str) -> Result<Option<Vec<String>>, Error> {
    let text = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let lines = text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let mut records = lines.map_while(verified);
    let of = records.next().and_then(|line| line.strip_prefix(format)?.strip_prefix('\t')).and_then(unescape);
    Ok((of.as_deref() == Some(boot)).then(|| records.map(str::to_owned).collect()))
}

/// Writes tabs, newlines, backslashes and bytes that are not UTF-8 as `\xHH`.
fn escape_bytes(bytes: &[u8]) -> String {
    const SPECIAL: [char; 3] = ['\t', '\n', '\\'];
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for part in chunk.valid().split_inclusive(SPECIAL) {
            let plain = part.trim_end_matches(SPECIAL);
            text.push_str(plain);
            for special in part[plain.len()..].bytes() {
                write!(text, "\\x{special:02x}").expect("writing to a String");
            }
        }
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("writing to a String");
        }
    }
    text
}

/// Returns text that can be a field of a record.
pub(super) fn escape(text: &str) -> String {
    escape_bytes(text.as_bytes())
}

/// Returns a path that can be a field of a record.
pub(super) fn escape_path(path: &Path) -> String {
    escape_bytes(path.as_os_str().as_encoded_bytes())
}

/// Returns the text of a field. Returns `None` when the field is not UTF-8.
pub(super) fn unescape(text: &str) -> Option<String> {
    String::from_utf8(unescape_bytes(text)?).ok()
}

/// Returns the path of a field.
pub(super) fn unescape_path(text: &str) -> Option<PathBuf> {
    Some(std::ffi::OsString::from_vec(unescape_bytes(text)?).into())
}

fn unescape_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let code = rest[at..].strip_prefix("\\x")?.get(..2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        rest = &rest[at + 4..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}

/// Reads `ADDRESS/LENGTH`. The length must be given: the parser of `ipnetwork` would fill it in.
pub(super) fn network<A: FromStr, N, E>(text: &str, make: impl Fn(A, u8) -> Result<N, E>) -> Option<N> {
    let (address, length) = text.split_once('/')?;
    make(address.parse().ok()?, length.parse().ok()?).ok()
}
