//! Lists of named values, [`nv(9)`](https://man.freebsd.org/nv(9)), as the bytes that the kernel reads and
//! writes.
//!
//! A packed list begins with a header. Each value begins with a header and its name. A nested list ends with
//! a value of the kind "up". The header of each list has the number of bytes that follow it up to the end of
//! the outermost list, also in a nested list (`sys/contrib/libnv/nvlist.c`).

use bytes::{Buf as _, BufMut as _};

/// A list of named values, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NvList(Vec<(String, NvValue)>);

/// One value. Descriptors and arrays of lists are left out, because pf does not use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NvValue {
    Null,
    Bool(bool),
    Number(u64),
    Text(String),
    List(NvList),
    Binary(Vec<u8>),
    Bools(Vec<bool>),
    Numbers(Vec<u64>),
    Texts(Vec<String>),
}

const MAGIC: u8 = 0x6c;
const VERSION: u8 = 0;
/// Magic, version, flags, the number of descriptors, the size of the rest.
const HEADER: usize = 1 + 1 + 1 + 8 + 8;
/// Kind, the length of the name, the size of the value, the number of items.
const PAIR: usize = 1 + 2 + 8 + 8;
/// The end of a nested list.
const UP: u8 = 255;
/// The deepest nesting that is read. The kernel's lists have three levels.
const DEEPEST: usize = 16;

macro_rules! gives {
    ($($get:ident: $variant:ident => $kind:ty;)*) => {
        $(pub fn $get(&self, name: &str) -> Option<$kind> {
            match self.get(name)? {
                NvValue::$variant(value) => Some(value.to_owned()),
                _ => None,
            }
        })*
    };
}

impl NvList {
    pub fn new() -> NvList {
        NvList::default()
    }

    /// Adds a value.
    pub fn with(mut self, name: &str, value: impl Into<NvValue>) -> NvList {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// Returns the value of that name.
    pub fn get(&self, name: &str) -> Option<&NvValue> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    gives! {
        bool: Bool => bool;
        number: Number => u64;
        text: Text => String;
        binary: Binary => Vec<u8>;
        numbers: Numbers => Vec<u64>;
    }

    /// Returns the list of that name.
    pub fn list(&self, name: &str) -> Option<&NvList> {
        match self.get(name)? {
            NvValue::List(list) => Some(list),
            _ => None,
        }
    }

    /// As bytes.
    pub fn pack(&self) -> Vec<u8> {
        let size = HEADER + self.size();
        let mut out = Vec::with_capacity(size);
        self.put(&mut out, size);
        out
    }

    /// The number of bytes after the list's header.
    fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| PAIR + name.len() + 1 + value.size()).sum()
    }

    fn put(&self, out: &mut Vec<u8>, whole: usize) {
        out.put_slice(&[MAGIC, VERSION, 0]);
        out.put_u64_ne(0);
        out.put_u64_ne((whole - out.len() - 8) as u64);
        for (name, value) in &self.0 {
            put_pair(out, value.kind(), name, value.said_size(), value.items());
            value.put(out, whole);
        }
    }

    /// From bytes, all of them. Returns `None` when they are no packed list.
    pub fn unpack(mut bytes: &[u8]) -> Option<NvList> {
        let list = NvList::take(&mut bytes, 0, None)?;
        bytes.is_empty().then_some(list)
    }

    /// Reads a list. The outermost list ends with the bytes, and a nested list ends with the value "up".
    fn take(input: &mut &[u8], depth: usize, outer: Option<()>) -> Option<NvList> {
        if depth > DEEPEST || input.len() < HEADER {
            return None;
        }
        let (magic, version, flags) = (input.get_u8(), input.get_u8(), input.get_u8());
        let (_, left) = (input.get_u64_ne(), input.get_u64_ne());
        if magic != MAGIC || version != VERSION || flags != 0 || left != input.len() as u64 {
            return None;
        }
        let mut list = NvList::new();
        loop {
            if input.is_empty() {
                return outer.is_none().then_some(list);
            }
            if input.len() < PAIR {
                return None;
            }
            let (kind, length) = (input.get_u8(), usize::from(input.get_u16_ne()));
            let (size, items) = (input.get_u64_ne(), input.get_u64_ne());
            let name = take_text(input, length)?;
            if kind == UP {
                return outer.map(|()| list);
            }
            let size = usize::try_from(size).ok()?;
            let value = match kind {
                5 => NvValue::List(NvList::take(input, depth + 1, Some(()))?),
                kind => NvValue::take(kind, take_bytes(input, size)?, items)?,
            };
            list.0.push((name, value));
        }
    }
}

impl NvValue {
    fn kind(&self) -> u8 {
        match self {
            NvValue::Null => 1,
            NvValue::Bool(_) => 2,
            NvValue::Number(_) => 3,
            NvValue::Text(_) => 4,
            NvValue::List(_) => 5,
            NvValue::Binary(_) => 7,
            NvValue::Bools(_) => 8,
            NvValue::Numbers(_) => 9,
            NvValue::Texts(_) => 10,
        }
    }

    fn items(&self) -> usize {
        match self {
            NvValue::Bools(values) => values.len(),
            NvValue::Numbers(values) => values.len(),
            NvValue::Texts(values) => values.len(),
            _ => 0,
        }
    }

    /// The number of bytes of the packed value.
    fn size(&self) -> usize {
        match self {
            // The value "up" follows, whose name is empty.
            NvValue::List(list) => HEADER + list.size() + PAIR + 1,
            value => value.said_size(),
        }
    }

    /// The number of bytes that the value's header has.
    fn said_size(&self) -> usize {
        match self {
            NvValue::Null => 0,
            NvValue::Bool(_) => 1,
            NvValue::Number(_) => 8,
            NvValue::Text(text) => text.len() + 1,
            NvValue::List(list) => HEADER + list.size(),
            NvValue::Binary(bytes) => bytes.len(),
            NvValue::Bools(values) => values.len(),
            NvValue::Numbers(values) => values.len() * 8,
            NvValue::Texts(values) => values.iter().map(|text| text.len() + 1).sum(),
        }
    }

    fn put(&self, out: &mut Vec<u8>, whole: usize) {
        match self {
            NvValue::Null => {}
            NvValue::Bool(value) => out.put_u8(u8::from(*value)),
            NvValue::Number(value) => out.put_u64_ne(*value),
            NvValue::Text(text) => put_text(out, text),
            NvValue::List(list) => {
                list.put(out, whole);
                put_pair(out, UP, "", 0, 0);
            }
            NvValue::Binary(bytes) => out.put_slice(bytes),
            NvValue::Bools(values) => values.iter().for_each(|value| out.put_u8(u8::from(*value))),
            NvValue::Numbers(values) => values.iter().for_each(|value| out.put_u64_ne(*value)),
            NvValue::Texts(values) => values.iter().for_each(|text| put_text(out, text)),
        }
    }

    fn take(kind: u8, mut bytes: &[u8], items: u64) -> Option<NvValue> {
        let value = match kind {
            1 => NvValue::Null,
            2 => NvValue::Bool(bytes.try_get_u8().ok()? != 0),
            3 => NvValue::Number(bytes.try_get_u64_ne().ok()?),
            4 => {
                let length = bytes.len();
                NvValue::Text(take_text(&mut bytes, length)?)
            }
            7 => NvValue::Binary(std::mem::take(&mut bytes).to_vec()),
            8 => NvValue::Bools(std::mem::take(&mut bytes).iter().map(|byte| *byte != 0).collect()),
            9 => {
                let numbers = std::mem::take(&mut bytes);
                let (numbers, rest) = numbers.as_chunks::<8>();
                if !rest.is_empty() || numbers.len() as u64 != items {
                    return None;
                }
                NvValue::Numbers(numbers.iter().map(|number| u64::from_ne_bytes(*number)).collect())
            }
            10 => {
                let mut texts = Vec::new();
                while !bytes.is_empty() {
                    let length = bytes.iter().position(|byte| *byte == 0)? + 1;
                    texts.push(take_text(&mut bytes, length)?);
                }
                NvValue::Texts(texts)
            }
            _ => return None,
        };
        bytes.is_empty().then_some(value)
    }
}

fn put_pair(out: &mut Vec<u8>, kind: u8, name: &str, size: usize, items: usize) {
    out.put_u8(kind);
    out.put_u16_ne(name.len() as u16 + 1);
    out.put_u64_ne(size as u64);
    out.put_u64_ne(items as u64);
    put_text(out, name);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.put_slice(text.as_bytes());
    out.put_u8(0);
}

fn take_bytes<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (bytes, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(bytes)
}

/// Reads a text of this many bytes, including the NUL at its end.
fn take_text(input: &mut &[u8], length: usize) -> Option<String> {
    let (end, text) = take_bytes(input, length)?.split_last()?;
    (*end == 0 && !text.contains(&0)).then(|| String::from_utf8_lossy(text).into_owned())
}

macro_rules! made_from {
    ($($kind:ty => $variant:ident;)*) => {
        $(impl From<$kind> for NvValue {
            fn from(value: $kind) -> NvValue {
                NvValue::$variant(value.into())
            }
        })*
    };
}

made_from! {
    bool => Bool;
    u8 => Number;
    u16 => Number;
    u32 => Number;
    u64 => Number;
    &str => Text;
    String => Text;
    NvList => List;
    Vec<u8> => Binary;
    Vec<u64> => Numbers;
    Vec<String> => Texts;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list that the code of libnv packed, from FreeBSD 15.1's source, compiled for another system: {flag:
    /// true, inner: {n: 7, name: "x"}, ports: [1, 65535], labels: ["a", ""]}.
    const BY_LIBNV: &str = include_str!("nvlist.hex");

    fn example() -> NvList {
        NvList::new()
            .with("flag", true)
            .with("inner", NvList::new().with("n", 7u64).with("name", "x"))
            .with("ports", vec![1u64, 65535])
            .with("labels", vec!["a".to_owned(), String::new()])
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    #[test]
    fn lists_are_packed_as_libnv_packs_them() {
        assert_eq!(example().pack(), bytes(BY_LIBNV));
        assert_eq!(NvList::unpack(&bytes(BY_LIBNV)), Some(example()));
    }

    #[test]
    fn what_is_cut_short_or_altered_is_no_list() {
        let packed = example().with("bytes", vec![1u8, 2]).with("empty", NvList::new()).pack();
        assert!(NvList::unpack(&packed).is_some());
        for length in 0..packed.len() {
            assert_eq!(NvList::unpack(&packed[..length]), None, "{length}");
        }
        for at in 0..packed.len() {
            let mut altered = packed.clone();
            altered[at] = altered[at].wrapping_add(1);
            // Altered bytes must not make it panic.
            let _ = NvList::unpack(&altered);
        }
    }
}
