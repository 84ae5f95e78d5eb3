//! A jail's fstab: the file systems that are mounted in it, in the form of `fstab(5)`.
//!
//! There is one addition: a mount point may be relative, and is then beneath the jail's root. `fstab(5)` and iocage
//! need absolute mount points, which are wrong as soon as the jail's directory moves.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::paths;
use crate::error::Error;

/// A line of an fstab.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mount {
    /// The number of the line, counted from 1.
    pub line: usize,
    /// The mounted device, or for nullfs the mounted directory.
    pub source: PathBuf,
    /// The mount point, as written in the line.
    pub target: PathBuf,
    /// The type of file system, such as nullfs.
    pub fstype: String,
    /// The options that commas separate.
    pub options: Vec<String>,
    /// The field for dump(8).
    pub frequency: u32,
    /// The field for fsck(8).
    pub pass: u32,
}

impl Mount {
    /// Returns a mount without options, in the first line, with 0 in the last two fields.
    pub fn new(source: impl Into<PathBuf>, target: impl Into<PathBuf>, fstype: &str) -> Mount {
        Mount {
            line: 1,
            source: source.into(),
            target: target.into(),
            fstype: fstype.to_owned(),
            options: Vec::new(),
            frequency: 0,
            pass: 0,
        }
    }

    /// Sets the options.
    pub fn with_options(self, options: Vec<String>) -> Mount {
        Mount { options, ..self }
    }

    /// Sets the field for dump(8).
    pub fn with_frequency(self, frequency: u32) -> Mount {
        Mount { frequency, ..self }
    }

    /// Sets the field for fsck(8).
    pub fn with_pass(self, pass: u32) -> Mount {
        Mount { pass, ..self }
    }
}

/// The error of a line: what is wrong with it, and what to write instead.
fn wrong(what: &str, reason: String, advice: impl fmt::Display) -> Error {
    Error::invalid(what, reason, advice)
}

fn wrong_number_of_fields(number: usize) -> Error {
    let hint = if number > 6 { ", and a blank in a path as \\040" } else { "" };
    let advice = format!("write source, mount point, type, options, 0 and 0{hint}");
    wrong("", format!("it has {number} fields"), advice)
}

/// The error of a line with its number, which begins with 1.
fn of_line(line: usize, reason: Error) -> Error {
    Error::at(format_args!("fstab line {line}"), reason)
}

/// Returns the lines of an fstab that are neither empty nor comments. Any bytes make a path, and a comment.
pub fn mounts<T: AsRef<[u8]> + ?Sized>(text: &T) -> impl Iterator<Item = Result<Mount, Error>> {
    text.as_ref().split(|byte| *byte == b'\n').enumerate().filter_map(|(index, line)| {
        let line_number = index + 1;
        let fields = fields(line, b" \t\r\x0b\x0c");
        let mount = mount(line_number, &fields).map_err(|reason| blank(line).unwrap_or(reason));
        (!fields.is_empty()).then(|| mount.map_err(|reason| of_line(line_number, reason)))
    })
}

/// The fields of a line. Lines that iocage writes end with a comment.
fn fields<'a>(line: &'a [u8], separators: &[u8]) -> Vec<&'a [u8]> {
    line.split(|byte| separators.contains(byte))
        .filter(|field| !field.is_empty())
        .take_while(|field| !field.starts_with(b"#"))
        .collect()
}

/// The error of a line in which a blank in a path is not escaped, or has a backslash before it.
fn blank(line: &[u8]) -> Option<Error> {
    let path = match fields(line, b"\t\r") {
        // The fields are separated by tabs, and one of them contains blanks.
        fields if fields.len() >= 4 => {
            let blank = |field: &&&[u8]| field.trim_ascii().contains(&b' ');
            fields[..2].iter().find(blank)?.trim_ascii().to_vec()
        }
        _ => {
            let escaped = line.windows(2).position(|two| two == b"\\ ")?;
            let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let start = line[..escaped].iter().rposition(is_blank).map_or(0, |at| at + 1);
            let mut end = escaped + 2;
            while end < line.len() && (!is_blank(&line[end]) || line[end - 1] == b'\\') {
                end += 1;
            }
            line[start..end].to_vec()
        }
    };
    let path = String::from_utf8_lossy(&path).replace("\\ ", " ");
    let advice = format!("write {} as {}", path.escape_debug(), encode(Path::new(&path)));
    Some(wrong(&path, "a blank ends a path".to_owned(), advice))
}

fn mount(line: usize, fields: &[&[u8]]) -> Result<Mount, Error> {
    let &[source, target, fstype, options, ref numbers @ ..] = fields else {
        return Err(wrong_number_of_fields(fields.len()));
    };
    if numbers.len() > 2 {
        return Err(wrong_number_of_fields(fields.len()));
    }
    let number = |index: usize| match numbers.get(index) {
        None => Ok(0),
        Some(field) => lossy(field).parse().map_err(|_| {
            let field = lossy(field);
            wrong(&field, format!("`{}` is not a number", field.escape_debug()), "end the line with 0 0")
        }),
    };
    let text = |field: &[u8]| match std::str::from_utf8(field) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => {
            let field = lossy(field);
            let reason = format!("`{}` is no type, and no option, of a file system", field.escape_debug());
            Err(wrong(&field, reason, "write it in ASCII"))
        }
    };
    Ok(Mount {
        line,
        source: decode(without_quotes(source)?)?,
        target: decode(without_quotes(target)?)?,
        fstype: text(fstype)?,
        options: text(options)?.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect(),
        frequency: number(0)?,
        pass: number(1)?,
    })
}

/// Refuses a path in quotes: `fstab(5)` has no quotes, and takes them for a part of the path.
fn without_quotes(field: &[u8]) -> Result<&[u8], Error> {
    match field {
        [open @ (b'"' | b'\''), inside @ .., close] if open == close && !inside.is_empty() => {
            let (inside, quote) = (lossy(inside), char::from(*open));
            let inside = inside.escape_debug();
            let reason = format!("{quote}{inside}{quote} is in quotes, which an fstab does not have");
            Err(wrong(&lossy(field), reason, format_args!("write {inside}")))
        }
        _ => Ok(field),
    }
}

fn lossy(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

impl FromStr for Mount {
    type Err = Error;

    /// Reads the first line that is neither empty nor a comment.
    fn from_str(text: &str) -> Result<Mount, Error> {
        mounts(text).next().unwrap_or(Err(of_line(1, wrong_number_of_fields(0))))
    }
}

impl Mount {
    /// Returns whether the file system is mounted read-only.
    pub fn is_read_only(&self) -> bool {
        self.options.iter().any(|option| matches!(option.as_str(), "ro" | "rdonly"))
    }

    /// Returns the mount point relative to the jail's root, whether it is written relative or absolute.
    ///
    /// Symbolic links are not checked here: the function that mounts makes sure that no link leads out of the jail.
    ///
    /// # Errors
    ///
    /// The mount point is not beneath the root, or contains `..`. The error has the line.
    pub fn beneath(&self, root: &Path) -> Result<PathBuf, Error> {
        self.beneath_root(root).map_err(|reason| of_line(self.line, reason))
    }

    /// Whether a part of the mount point is `..`.
    pub(super) fn goes_upwards(&self) -> bool {
        self.target.components().any(|part| part == Component::ParentDir)
    }

    /// As [`Mount::beneath`], without the line in the error.
    pub(super) fn beneath_root(&self, root: &Path) -> Result<PathBuf, Error> {
        let shown = self.target.display().to_string();
        if self.goes_upwards() {
            return Err(Error::invalid(
                &shown,
                format!("{shown} goes upwards with `..`"),
                "write it without",
            ));
        }
        if self.target.is_relative() {
            return Ok(self.target.components().filter(|part| *part != Component::CurDir).collect());
        }
        paths::inside(&self.target, root).ok_or_else(|| {
            let reason = format!("{shown} is not beneath the jail's root {}", root.display());
            let inside = match root.parent().and_then(|jail| self.target.strip_prefix(jail).ok()) {
                Some(rest) => rest,
                None => self.target.strip_prefix("/").unwrap_or(&self.target),
            };
            let inside = encode(&root.join(inside));
            Error::invalid(&shown, reason, format_args!("write {inside}, if that place in the jail is meant"))
        })
    }
}

fn no_escape(field: &[u8]) -> Error {
    let field = lossy(field);
    let reason = format!("`{}` has a backslash that is no escape", field.escape_debug());
    wrong(&field, reason, "write blanks as \\040 and backslashes as \\134")
}

/// Decodes the escapes of `strunvis(3)` in a field, as far as they occur in an fstab.
pub(super) fn decode(field: &[u8]) -> Result<PathBuf, Error> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (decoded, length) = match rest {
            [b'\\', ..] => (b'\\', 1),
            [b's', ..] => (b' ', 1),
            [b't', ..] => (b'\t', 1),
            [b'n', ..] => (b'\n', 1),
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), 3)
            }
            _ => return Err(no_escape(field)),
        };
        // A path cannot contain a NUL.
        if decoded == 0 {
            return Err(no_escape(field));
        }
        bytes.push(decoded);
        rest = &rest[length..];
    }
    Ok(OsString::from_vec(bytes).into())
}

/// Encodes a path as a field, with escapes.
pub(super) fn encode(path: &Path) -> String {
    let escaped = |byte: &u8| match byte {
        b'\\' | b'#' | b'"' | b'\'' => format!("\\{byte:03o}"),
        byte if byte.is_ascii_graphic() => char::from(*byte).to_string(),
        byte => format!("\\{byte:03o}"),
    };
    path.as_os_str().as_bytes().iter().map(escaped).collect()
}

/// Writes the line in iocage's form, with tabs.
impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = if self.options.is_empty() { "rw".to_owned() } else { self.options.join(",") };
        let (source, target) = (encode(&self.source), encode(&self.target));
        write!(f, "{source}\t{target}\t{}\t{options}\t{}\t{}", self.fstype, self.frequency, self.pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Result<Mount, String> {
        text.parse().map_err(|error: Error| error.to_string())
    }

    #[test]
    fn reads_fields_escapes_and_comments() {
        let text = "# comment\n\n  # another\n/data\\040here\t/j/root/mnt nullfs ro,noatime 0 0 # Added by iocage\nproc proc procfs rw\n";
        let mounts: Vec<_> = mounts(text).map(Result::unwrap).collect();
        assert_eq!(mounts.len(), 2);
        assert_eq!(mounts[0].source, Path::new("/data here"));
        assert_eq!((mounts[0].line, mounts[0].is_read_only()), (4, true));
        assert_eq!(mounts[0].options, ["ro", "noatime"]);
        assert_eq!((mounts[1].line, mounts[1].is_read_only()), (5, false));
    }

    #[test]
    fn says_which_line_is_wrong() {
        assert!(one("\n\n/a /b nullfs").unwrap_err().starts_with("fstab line 3: it has 3 fields"));
        assert!(one("/a /b nullfs ro 0 0 0").unwrap_err().contains("it has 7 fields"));
        assert!(one("/a /b nullfs ro x 0").unwrap_err().contains("`x` is not a number"));
        // Three ways of writing a blank in a path: between tabs, as iocage once wrote it, and as in a shell.
        for (line, path) in [
            ("/My Files\t/b\tnullfs\tro\t0\t0", "write /My Files as /My\\040Files"),
            ("/My Files\t/b\tnullfs\tro", "write /My Files as /My\\040Files"),
            ("/a\t/b/My own Files\tnullfs\tro\t0\t0", "write /b/My own Files as /b/My\\040own\\040Files"),
            ("/My\\ Files /b nullfs ro 0 0", "write /My Files as /My\\040Files"),
            ("/a /b/My\\ own\\ Files nullfs ro 0 0", "write /b/My own Files as /b/My\\040own\\040Files"),
            ("/My Files /b nullfs ro 0 0", "a blank in a path as \\040"),
        ] {
            let error = one(line).unwrap_err();
            assert!(error.contains(path), "{line:?}: {error}");
        }
        for field in ["/a\\", "/a\\9", "/a\\04", "/a\\000", "/a\\400"] {
            assert!(one(&format!("{field} /b nullfs ro 0 0")).is_err(), "{field}");
        }
    }

    #[test]
    fn any_bytes_make_a_path_and_a_comment() {
        let text = b"/caf\xe9 mnt nullfs ro 0 0\n# caf\xe9\n";
        let read: Vec<_> = mounts(&text[..]).collect::<Result<_, _>>().unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].source.as_os_str().as_bytes(), b"/caf\xe9");
        assert_eq!(read[0].to_string(), "/caf\\351\tmnt\tnullfs\tro\t0\t0");
        let error = mounts(&b"\n/a b n\xe9 ro 0 0"[..]).next().unwrap().unwrap_err().to_string();
        assert!(error.starts_with("fstab line 2") && error.contains("ASCII"), "{error}");
    }

    #[test]
    fn mount_points_are_in_the_jail() {
        let beneath = |target: &str| {
            let mount = one(&format!("/a {target} nullfs ro 0 0")).unwrap();
            mount.beneath(Path::new("/iocage/jails/web/root"))
        };
        assert_eq!(beneath("/iocage/jails/web/root/usr/bin").unwrap(), Path::new("usr/bin"));
        assert_eq!(beneath("/iocage/jails/web/root/./usr//bin/").unwrap(), Path::new("usr/bin"));
        assert_eq!(beneath("usr/bin").unwrap(), Path::new("usr/bin"));
        assert_eq!(beneath("/iocage/jails/web/root").unwrap(), Path::new(""));
        for target in
            ["/etc", "/iocage/jails/web/root2", "/iocage/jails/web/root/../etc", "../etc", "usr/../../etc"]
        {
            assert!(beneath(target).is_err(), "{target}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(source in prop::collection::vec(1u8.., 1..12), target in "[ -~]{1,12}", options in prop::collection::vec("[a-z=]{1,5}", 1..3)) {
            let mount = Mount {
                line: 1,
                source: OsString::from_vec(source).into(),
                target: target.into(),
                fstype: "nullfs".into(),
                options,
                frequency: 0,
                pass: 0,
            };
            prop_assert_eq!(mount.to_string().parse(), Ok(mount));
        }

        #[test]
        fn no_text_is_too_strange(text in ".*", fields in "([/a\\\\0-9#]{0,6}[ \t\n]){0,9}") {
            for mount in mounts(&text).chain(mounts(&fields)).flatten() {
                let _ = mount.beneath(Path::new("/"));
            }
        }
    }
}
