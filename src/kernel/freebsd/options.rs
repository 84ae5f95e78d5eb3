//! Names and values in the form of [`jail_set(2)`](https://man.freebsd.org/jail_set(2)),
//! [`jail_get(2)`](https://man.freebsd.org/jail_get(2)) and [`nmount(2)`](https://man.freebsd.org/nmount(2)): iovecs in
//! pairs.

use std::ptr;

use libc::{c_uint, iovec};

use super::invalid;
use crate::kernel::{Errno, Parameter, Result, Value};

/// A list of names and values, with room for the kernel's error text at its end.
///
/// Every buffer is writable memory of its own: `jail_get` also writes names and keys back, and fails with
/// EFAULT for read-only memory.
pub struct Options {
    /// The buffers that the iovecs point to, in the same order. They are never resized.
    buffers: Vec<Vec<u8>>,
    vectors: Vec<iovec>,
}

/// The name of the parameter with the buffer for the error text.
const ERRMSG: &str = "errmsg";
/// The length of that buffer, in bytes. libjail uses the same length.
const ERRMSG_LENGTH: usize = 1024;

impl Options {
    /// Returns a list of options.
    pub fn new<'a>(options: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>) -> Result<Options> {
        let mut list = Options { buffers: Vec::new(), vectors: Vec::new() };
        for (name, value) in options {
            list.push(name, value)?;
        }
        list.push(ERRMSG, Some(&[0; ERRMSG_LENGTH]))?;
        Ok(list)
    }

    /// Returns the parameters of a jail.
    pub fn parameters(parameters: &[Parameter]) -> Result<Options> {
        Options::new(parameters.iter().map(|parameter| {
            let value = match &parameter.value {
                Value::Bytes(bytes) => Some(bytes.as_slice()),
                Value::Ask | Value::Length(_) => None,
            };
            (parameter.name.as_str(), value)
        }))
    }

    fn push(&mut self, name: &str, value: Option<&[u8]>) -> Result<()> {
        if name.bytes().any(|byte| byte == 0) {
            return Err(invalid("a NUL in the name of an option"));
        }
        let mut name = name.as_bytes().to_vec();
        name.push(0);
        for mut buffer in [name, value.unwrap_or_default().to_vec()] {
            self.vectors.push(vector(&mut buffer));
            self.buffers.push(buffer);
        }
        Ok(())
    }

    /// Returns the iovecs and their number, for a system call. They point to buffers of this list, and are
    /// valid as long as the list.
    pub fn iovecs(&mut self) -> (*mut iovec, c_uint) {
        self.listed().iovecs()
    }

    /// Returns the iovecs and what they lead to.
    pub fn listed(&mut self) -> Listed<'_> {
        Listed::new(&mut self.vectors)
    }

    /// Returns the kernel's error text, which is empty if there is none.
    pub fn errmsg(&self) -> &[u8] {
        up_to_nul(self.buffers.last().map_or(&[][..], Vec::as_slice))
    }

    /// Returns the `int` that is the last value but for the kernel's words.
    pub fn int_before_errmsg(&self) -> Option<i32> {
        let buffer = self.buffers.len().checked_sub(3).and_then(|at| self.buffers.get(at))?;
        Some(i32::from_ne_bytes(buffer.as_slice().try_into().ok()?))
    }

    /// Copies what `jail_get` wrote to the parameters that the list was made from.
    pub fn copy_to(&self, parameters: &mut [Parameter]) -> Result<()> {
        for (index, parameter) in parameters.iter_mut().enumerate() {
            let (buffer, filled) = (&self.buffers[2 * index + 1], self.vectors[2 * index + 1].iov_len);
            match &mut parameter.value {
                // Without a buffer the kernel returns the length of a value.
                Value::Bytes(bytes) if bytes.is_empty() => {}
                Value::Bytes(bytes) => {
                    let filled = buffer.get(..filled).ok_or(Errno::EOVERFLOW)?;
                    bytes.clear();
                    bytes.extend_from_slice(filled);
                }
                value @ (Value::Ask | Value::Length(_)) => *value = Value::Length(filled),
            }
        }
        Ok(())
    }
}

/// Returns an iovec for a name or a value. Neither call takes an address without a length for anything but "no value".
pub fn vector(buffer: &mut [u8]) -> iovec {
    let base = if buffer.is_empty() { ptr::null_mut() } else { buffer.as_mut_ptr() };
    iovec { iov_base: base.cast(), iov_len: buffer.len() }
}

fn up_to_nul(buffer: &[u8]) -> &[u8] {
    &buffer[..buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len())]
}

/// A borrowed list, in the form of the system calls: for a child, which must not allocate.
pub struct Listed<'a> {
    vectors: &'a mut [iovec],
}

impl<'a> Listed<'a> {
    /// Each of the iovecs was made by [`vector`] of a buffer that outlives this.
    pub fn new(vectors: &'a mut [iovec]) -> Listed<'a> {
        Listed { vectors }
    }

    /// Returns the iovecs and how many there are, for a system call.
    pub fn iovecs(&mut self) -> (*mut iovec, c_uint) {
        (self.vectors.as_mut_ptr(), self.vectors.len() as c_uint)
    }

    /// Returns what the iovecs lead to.
    pub fn buffers(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator + Clone {
        self.vectors.iter().map(|vector| match vector.iov_base.is_null() {
            true => &[][..],
            // SAFETY: an iovec with an address leads to so many bytes, which outlive this, and no system call
            // has lengthened it.
            false => unsafe { std::slice::from_raw_parts(vector.iov_base.cast(), vector.iov_len) },
        })
    }

    /// Returns the kernel's error text, which is empty if there is none.
    pub fn errmsg(&self) -> &[u8] {
        up_to_nul(self.buffers().next_back().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_cut_and_lengths_where_they_were_asked_for() {
        let mut parameters =
            [Parameter::bytes("path", [0; 8]), Parameter::ask("ip4.addr"), Parameter::flag("persist")];
        let mut options = Options::parameters(&parameters).unwrap();
        assert_eq!(options.iovecs().1, 8);
        assert!(options.vectors[3].iov_base.is_null() && options.vectors[5].iov_base.is_null());
        // Write as the kernel would.
        options.buffers[1][..2].copy_from_slice(b"/\0");
        options.vectors[1].iov_len = 2;
        options.vectors[3].iov_len = 12;
        options.vectors[5].iov_len = 4;
        options.copy_to(&mut parameters).unwrap();
        assert_eq!(parameters[0].value, Value::Bytes(b"/\0".to_vec()));
        assert_eq!(parameters[1].value, Value::Length(12));
        assert_eq!(parameters[2].value, Value::Bytes(vec![]));
        assert_eq!(options.int_before_errmsg(), None);
        options.buffers[7][..3].copy_from_slice(b"no\0");
        assert_eq!(options.errmsg(), b"no");
    }

    #[test]
    fn a_descriptor_is_found_in_front_of_the_words() {
        let options = Options::parameters(&[Parameter::flag("persist"), Parameter::int("desc", 7)]).unwrap();
        assert_eq!(options.int_before_errmsg(), Some(7));
    }

    #[test]
    fn a_name_with_a_nul_is_no_name() {
        assert_eq!(Options::new([("a\0b", None)]).err().map(|failure| failure.errno), Some(Errno::EINVAL));
    }
}
