//! The record of a sysctl that is held at a value: the boot, the value before, and the value that was set.
//! The process that restores the value reads it, which may be a child that must not allocate.

/// The most bytes that a record has.
pub const LONGEST: usize = 96;

/// The value that was found, and the value that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldValue {
    /// `kern.boot_id`: a value is restored only in the boot in which it was changed.
    pub boot: [u8; 16],
    /// The value from before.
    pub old: i32,
    /// The value that was set.
    pub set: i32,
}

impl HeldValue {
    /// Writes the record as one line of text.
    pub fn to_line(self) -> String {
        let boot: String = self.boot.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{boot} {} {}\n", self.old, self.set)
    }

    /// Reads a line. Returns `None` if the line is incomplete. This function neither allocates nor panics.
    pub fn from_line(line: &[u8]) -> Option<HeldValue> {
        let line = line.strip_suffix(b"\n")?;
        let mut words = line.split(|byte| *byte == b' ');
        let digits = words.next()?.as_chunks::<2>();
        let mut boot = [0; 16];
        if !digits.1.is_empty() || digits.0.len() != boot.len() {
            return None;
        }
        for (byte, digits) in boot.iter_mut().zip(digits.0) {
            *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        let mut number = || str::from_utf8(words.next()?).ok()?.parse::<i32>().ok();
        let (old, set) = (number()?, number()?);
        words.next().is_none().then_some(HeldValue { boot, old, set })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_parts_of_them_do_not() {
        let record = HeldValue { boot: *b"0123456789abcdef", old: i32::MIN, set: i32::MAX };
        let line = record.to_line();
        assert!(line.len() <= LONGEST);
        assert_eq!(HeldValue::from_line(line.as_bytes()), Some(record));
        for length in 0..line.len() {
            assert_eq!(HeldValue::from_line(&line.as_bytes()[..length]), None, "{length}");
        }
        for wrong in ["", "\n", " 0 1\n", "zz 0 1\n"] {
            assert_eq!(HeldValue::from_line(wrong.as_bytes()), None);
        }
        assert_eq!(HeldValue::from_line(line.replace('\n', " 1\n").as_bytes()), None);
    }
}
