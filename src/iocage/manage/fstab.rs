//! Changes of an fstab: adding, replacing and removing lines. Other lines are not changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::files::Files;
use crate::iocage::fstab::{Mount, mounts};
use crate::iocage::lifecycle::timestamp;

/// The mode of the file: every user may read it.
const MODE: u32 = 0o644;

/// The fstab of a jail.
#[derive(Debug, Clone)]
pub struct FstabFile {
    path: PathBuf,
    lines: Vec<Vec<u8>>,
}

/// The file mounts something on this path already.
fn taken(target: &Path) -> Error {
    let message = format!("Destination: {} already exists!", target.display());
    Error::said(ErrorKind::AlreadyExists, target.display(), message)
}

/// The file has no such line.
fn no_line(what: &str) -> Error {
    let advice = "`fstab -l` lists those that there are";
    Error::said(ErrorKind::NotFound, "", format!("{what}. {advice}")).advising(advice)
}

impl FstabFile {
    /// Reads an fstab. A missing file is empty.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a line is wrong.
    pub fn read(path: &Path) -> Result<FstabFile, Error> {
        let text = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other.map_err(|source| Error::of_file("read", path, source))?,
        };
        let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        // Nothing after the last newline is no line.
        lines.pop_if(|last| last.is_empty());
        let file = FstabFile { path: path.to_owned(), lines };
        file.mounts()?;
        Ok(file)
    }

    /// Returns the mounts, by their indexes.
    ///
    /// # Errors
    ///
    /// A line that is wrong.
    pub fn mounts(&self) -> Result<Vec<Mount>, Error> {
        let text = self.lines.join(&b'\n');
        let wrong = |error: Error| {
            let path = self.path.display();
            let message = format!("{path}: {error}; correct it with fstab -e");
            Error::said(ErrorKind::Invalid, path, message).advising("correct it with fstab -e")
        };
        mounts(&text).collect::<Result<_, _>>().map_err(wrong)
    }

    /// Adds a mount at the end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`]: the same is mounted there already.
    pub fn add(&mut self, mount: &Mount, seconds: u64) -> Result<(), Error> {
        let is_same = |other: &Mount| other.target == mount.target && other.source == mount.source;
        if self.mounts()?.iter().any(is_same) {
            return Err(taken(&mount.target));
        }
        self.lines.push(added(mount, seconds).into());
        Ok(())
    }

    /// Replaces the mount with this index. Returns the old mount.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]: no such index. [`ErrorKind::AlreadyExists`]: another line mounts something on the
    /// same path.
    pub fn replace(&mut self, index: usize, mount: &Mount, seconds: u64) -> Result<Mount, Error> {
        let mounts = self.mounts()?;
        let old = mounts.get(index).ok_or_else(|| no_line(&format!("Index {index} not found")))?.clone();
        let others = mounts.iter().enumerate().filter(|(other, _)| *other != index);
        if others
            .map(|(_, other)| other)
            .any(|other| other.target == mount.target && other.source == mount.source)
        {
            return Err(taken(&mount.target));
        }
        self.lines[old.line - 1] = added(mount, seconds).into();
        Ok(old)
    }

    /// Removes the mount with this index, and returns it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]: no such index.
    pub fn remove(&mut self, index: usize) -> Result<Mount, Error> {
        let old =
            self.mounts()?.get(index).ok_or_else(|| no_line(&format!("Index {index} not found")))?.clone();
        self.lines.remove(old.line - 1);
        Ok(old)
    }

    /// Returns the index of a mount.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]: no line says the same.
    pub fn find(&self, mount: &Mount) -> Result<usize, Error> {
        let same = |other: &Mount| Mount { line: mount.line, ..other.clone() } == *mount;
        self.mounts()?.iter().position(same).ok_or_else(|| no_line("No matching fstab entry"))
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    ///
    /// As [`Files::write_atomically`].
    pub fn write(&self, files: Files<'_>) -> Result<(), Error> {
        let lines = self.lines.iter().flat_map(|line| line.iter().copied().chain([b'\n']));
        let text: Vec<u8> = lines.collect();
        files.write_atomically(&self.path, &text, MODE)
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A new line for an fstab, with iocage's comment.
pub(super) fn added(mount: &Mount, seconds: u64) -> String {
    format!("{mount} # Added by iocage on {}", timestamp(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(text: &str) -> Mount {
        text.parse().unwrap()
    }

    #[test]
    fn mounts_have_indexes_and_comments_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fstab");
        assert!(FstabFile::read(&path).unwrap().mounts().unwrap().is_empty());
        fs::write(&path, "# mine\n/a /j/a nullfs ro 0 0\n\n/b /j/b nullfs rw 0 0 # Added by iocage on x\n")
            .unwrap();
        let mut file = FstabFile::read(&path).unwrap();
        file.add(&mount("/c /j/c nullfs ro 0 0"), 0).unwrap();
        assert!(file.add(&mount("/c /j/c nullfs rw 0 0"), 0).is_err(), "the same is there");
        assert_eq!(file.find(&mount("/b /j/b nullfs rw 0 0")).unwrap(), 1);
        assert!(file.find(&mount("/b /j/b nullfs ro 0 0")).is_err());
        assert_eq!(file.remove(0).unwrap().source, Path::new("/a"));
        assert_eq!(file.replace(0, &mount("/d /j/b nullfs rw 0 0"), 0).unwrap().source, Path::new("/b"));
        assert!(file.remove(2).is_err() && file.replace(2, &mount("/x /y nullfs ro 0 0"), 0).is_err());
        file.write(Files::new()).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "# mine\n\n/d\t/j/b\tnullfs\trw\t0\t0 # Added by iocage on 1970-01-01 00:00:00\n/c\t/j/c\tnullfs\tro\t0\t0 # Added by iocage on 1970-01-01 00:00:00\n"
        );
        fs::write(&path, "/a /j/a nullfs\n").unwrap();
        assert!(
            FstabFile::read(&path).unwrap_err().to_string().contains("fstab line 1"),
            "what is wrong is said"
        );
    }
}
