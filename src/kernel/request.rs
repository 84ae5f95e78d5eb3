//! Requests as contents: bytes, and further blocks that the bytes point to.

/// The argument of an [`ioctl(2)`](https://man.freebsd.org/ioctl(2)), or a buffer that such an argument points to.
///
/// Blocks nest: `ifdrv` points to `ifbifconf`, which points to an array of `ifbreq`. The pointer
/// fields in `bytes` stay zero. The FreeBSD back end fills them in for the length of one call and
/// clears them again; nothing else ever sees an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// The contents, in the kernel's layout.
    pub bytes: Vec<u8>,
    /// The blocks pointed to, each with the offset of its pointer in `bytes`, in rising order.
    pub children: Vec<(usize, Block)>,
}

impl Block {
    /// A block of zeroes.
    pub fn zeroed(length: usize) -> Block {
        Block { bytes: vec![0; length], children: Vec::new() }
    }

    /// A block with contents.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Block {
        Block { bytes: bytes.into(), children: Vec::new() }
    }

    /// Adds a block that the pointer at `offset` is to lead to.
    pub fn point(&mut self, offset: usize, child: Block) -> &mut Block {
        debug_assert!(offset + size_of::<u64>() <= self.bytes.len(), "a pointer beyond its block");
        let at = self.children.partition_point(|(other, _)| *other < offset);
        self.children.insert(at, (offset, child));
        &mut self.children[at].1
    }

    /// The block that the pointer at `offset` leads to.
    pub fn child(&self, offset: usize) -> Option<&Block> {
        self.children.iter().find(|(at, _)| *at == offset).map(|(_, child)| child)
    }

    /// The block that the pointer at `offset` leads to, to be changed.
    pub fn child_mut(&mut self, offset: usize) -> Option<&mut Block> {
        self.children.iter_mut().find(|(at, _)| *at == offset).map(|(_, child)| child)
    }

    /// Copies `value` to `offset`.
    ///
    /// # Panics
    ///
    /// When the value does not fit: offsets come from `offset_of!`, so that is a defect here.
    pub fn put(&mut self, offset: usize, value: &[u8]) {
        self.bytes[offset..offset + value.len()].copy_from_slice(value);
    }

    /// The `N` bytes at `offset`.
    ///
    /// # Panics
    ///
    /// As [`Block::put`].
    pub fn get<const N: usize>(&self, offset: usize) -> [u8; N] {
        self.bytes[offset..offset + N].try_into().expect("a slice of N bytes")
    }

    /// The `u16` at `offset`, in native order.
    pub fn u16_at(&self, offset: usize) -> u16 {
        u16::from_ne_bytes(self.get(offset))
    }

    /// The `i32` at `offset`, in native order.
    pub fn i32_at(&self, offset: usize) -> i32 {
        i32::from_ne_bytes(self.get(offset))
    }

    /// The `u32` at `offset`, in native order.
    pub fn u32_at(&self, offset: usize) -> u32 {
        u32::from_ne_bytes(self.get(offset))
    }

    /// The `u64` at `offset`, in native order.
    pub fn u64_at(&self, offset: usize) -> u64 {
        u64::from_ne_bytes(self.get(offset))
    }

    /// The bytes from `offset` up to the first NUL or `limit` bytes, whichever comes first.
    pub fn text_at(&self, offset: usize, limit: usize) -> &[u8] {
        let field = &self.bytes[offset..(offset + limit).min(self.bytes.len())];
        &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
    }
}

/// An [`ioctl(2)`](https://man.freebsd.org/ioctl(2)) request: its number, and its argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The request number, which also carries the direction and the argument's size.
    pub number: u64,
    /// The argument.
    pub argument: Block,
}

impl Request {
    /// A request with a zeroed argument of the size that its number names.
    pub fn new(number: u64) -> Request {
        Request { number, argument: Block::zeroed(Request::length_of(number)) }
    }

    /// The size of an argument that a request's number names (`IOCPARM_LEN` of `sys/ioccom.h`).
    #[doc(alias = "IOCPARM_LEN")]
    pub fn length_of(number: u64) -> usize {
        (number >> 16 & 0x1fff) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_size_its_number_names() {
        // SIOCAIFADDR carries an in_aliasreq of 68 bytes.
        assert_eq!(Request::new(0x8044_692b).argument.bytes.len(), 68);
    }

    #[test]
    fn children_are_found_by_the_offset_of_their_pointer() {
        let mut block = Block::zeroed(40);
        block.point(32, Block::new(*b"later"));
        block.point(8, Block::new(*b"first"));
        assert_eq!(block.children[0].0, 8);
        assert_eq!(block.child(32).unwrap().bytes, b"later");
        block.child_mut(8).unwrap().put(0, b"F");
        assert_eq!(block.child(8).unwrap().bytes, b"First");
        assert!(block.child(16).is_none());
    }
}
