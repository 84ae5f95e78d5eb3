//! Requests as bytes, with the blocks that pointers in the bytes lead to.

use jailwire_sys::request::{self as table, Field, Inside, Length, Pointer};

use super::{Errno, Failure, Result};

/// The argument of an [`ioctl(2)`](https://man.freebsd.org/ioctl(2)), or a buffer that such an argument points to.
///
/// Blocks nest: `ifdrv` points to `ifbifconf`, which points to an array of `ifbreq`. The pointer fields in
/// the bytes stay zero. The FreeBSD back end fills them in, in a copy, for one call. No other code has an
/// address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// The contents, in the kernel's layout.
    pub(crate) bytes: Vec<u8>,
    /// The blocks pointed to, each with the offset of its pointer in `bytes`, in rising order.
    pub(crate) children: Vec<(usize, Block)>,
}

impl Block {
    /// Returns a block of zeroes.
    pub fn zeroed(length: usize) -> Block {
        Block { bytes: vec![0; length], children: Vec::new() }
    }

    /// Returns a block with contents.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Block {
        Block { bytes: bytes.into(), children: Vec::new() }
    }

    /// Returns the contents, in the kernel's layout. Pointers are zero.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the contents, which can be changed. The kernel does not get bytes that are written to a
    /// pointer field.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Returns the blocks that pointers lead to, each with the offset of its pointer, in rising order.
    pub fn children(&self) -> impl Iterator<Item = (usize, &Block)> {
        self.children.iter().map(|(at, child)| (*at, child))
    }

    /// Returns the blocks that pointers lead to, to be changed.
    pub fn children_mut(&mut self) -> impl Iterator<Item = (usize, &mut Block)> {
        self.children.iter_mut().map(|(at, child)| (*at, child))
    }

    /// Sets the block that the pointer at `offset` leads to, in place of any earlier block.
    pub fn point(&mut self, offset: usize, child: Block) -> &mut Block {
        debug_assert!(offset + size_of::<u64>() <= self.bytes.len(), "a pointer beyond its block");
        let at = self.children.partition_point(|(other, _)| *other < offset);
        if self.children.get(at).is_some_and(|(other, _)| *other == offset) {
            self.children[at].1 = child;
        } else {
            self.children.insert(at, (offset, child));
        }
        &mut self.children[at].1
    }

    /// Returns the block that the pointer at `offset` leads to.
    pub fn child(&self, offset: usize) -> Option<&Block> {
        self.children.iter().find(|(at, _)| *at == offset).map(|(_, child)| child)
    }

    /// Returns the block that the pointer at `offset` leads to, to be changed.
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

    /// Returns the `N` bytes at `offset`.
    ///
    /// # Panics
    ///
    /// As [`Block::put`].
    pub fn get<const N: usize>(&self, offset: usize) -> [u8; N] {
        self.bytes[offset..offset + N].try_into().expect("a slice of N bytes")
    }

    /// Returns the `u16` at `offset`, in native order.
    pub fn u16_at(&self, offset: usize) -> u16 {
        u16::from_ne_bytes(self.get(offset))
    }

    /// Returns the `i32` at `offset`, in native order.
    pub fn i32_at(&self, offset: usize) -> i32 {
        i32::from_ne_bytes(self.get(offset))
    }

    /// Returns the `u32` at `offset`, in native order.
    pub fn u32_at(&self, offset: usize) -> u32 {
        u32::from_ne_bytes(self.get(offset))
    }

    /// Returns the `u64` at `offset`, in native order.
    pub fn u64_at(&self, offset: usize) -> u64 {
        u64::from_ne_bytes(self.get(offset))
    }

    /// Returns the bytes from `offset` up to the first NUL or `limit` bytes, whichever comes first.
    pub fn text_at(&self, offset: usize, limit: usize) -> &[u8] {
        let field = &self.bytes[offset..(offset + limit).min(self.bytes.len())];
        &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
    }
}

/// An [`ioctl(2)`](https://man.freebsd.org/ioctl(2)) request: its number, and its argument.
///
/// The table in [`jailwire_sys::request::pointers`] says where the pointers of each request are, and how many bytes
/// the kernel uses behind each. Both kernels check a request by this table first, so that no request makes the
/// kernel read or write memory outside the request:
///
/// * EINVAL: the table does not have the request, or has no pointer at the offset of a block.
/// * EFAULT: a block is shorter than the length in the request.
///
/// ```
/// use jailwire::kernel::{Block, Calls, Domain, Errno, Request};
/// use jailwire_sys::{SIOCGIFCONF, SIOCSIFMAC, ifconf};
/// use std::mem::offset_of;
///
/// let kernel = jailwire::sim::Sim::new();
/// let socket = kernel.socket(Domain::Local)?;
///
/// let mut list = Request::new(SIOCGIFCONF);
/// list.argument_mut().put(offset_of!(ifconf, ifc_len), &4096i32.to_ne_bytes());
/// list.argument_mut().point(offset_of!(ifconf, ifc_ifcu), Block::zeroed(100));
/// assert_eq!(kernel.ioctl(socket, &mut list).unwrap_err().errno, Errno::EFAULT);
/// list.argument_mut().point(offset_of!(ifconf, ifc_ifcu), Block::zeroed(4096));
/// kernel.ioctl(socket, &mut list)?;
///
/// let mut unknown = Request::new(SIOCSIFMAC);
/// assert_eq!(kernel.ioctl(socket, &mut unknown).unwrap_err().errno, Errno::EINVAL);
/// # Ok::<(), jailwire::kernel::Failure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub(crate) number: u64,
    pub(crate) argument: Block,
}

impl Request {
    /// Returns a request with a zeroed argument of the size that its number names.
    pub fn new(number: u64) -> Request {
        Request { number, argument: Block::zeroed(Request::length_of(number)) }
    }

    /// Returns the number, which also carries the direction and the argument's size.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the argument.
    pub fn argument(&self) -> &Block {
        &self.argument
    }

    /// Returns the argument, to be filled in.
    pub fn argument_mut(&mut self) -> &mut Block {
        &mut self.argument
    }

    /// Returns the size of an argument that a request's number names (`IOCPARM_LEN` of `sys/ioccom.h`).
    #[doc(alias = "IOCPARM_LEN")]
    pub fn length_of(number: u64) -> usize {
        (number >> 16 & 0x1fff) as usize
    }

    /// Checks the request. Returns the pointers of the argument.
    pub(crate) fn checked(&self) -> Result<&'static [Pointer]> {
        let Some(pointers) = table::pointers(self.number) else {
            return Err(Failure::with_text(Errno::EINVAL, "a request that is not in jailwire's table"));
        };
        if self.argument.bytes.len() != Request::length_of(self.number) {
            return Err(Failure::with_text(
                Errno::EINVAL,
                "an argument of another length than its request says",
            ));
        }
        check(&self.argument, pointers)?;
        Ok(pointers)
    }
}

/// The pointers in the block that `pointer` leads to from `block`. Returns `None` for a command that is not in the
/// table.
pub(crate) fn inside(block: &Block, pointer: &Pointer) -> Option<&'static [Pointer]> {
    match pointer.inside {
        Inside::Pointers(pointers) => Some(pointers),
        Inside::Command { at, pointers } => pointers(block.u64_at(at)),
    }
}

fn check(block: &Block, pointers: &[Pointer]) -> Result<()> {
    for (at, child) in &block.children {
        let pointer = pointers.iter().find(|pointer| pointer.at == *at);
        let Some(pointer) = pointer.filter(|pointer| pointer.at + size_of::<u64>() <= block.bytes.len())
        else {
            return Err(Failure::with_text(Errno::EINVAL, format!("a block, and no pointer at offset {at}")));
        };
        for length in pointer.lengths {
            if length_in(block, length).is_none_or(|length| length > child.bytes.len()) {
                return Err(Failure::with_text(Errno::EFAULT, "a buffer shorter than its request says"));
            }
        }
        check(child, inside(block, pointer).unwrap_or_default())?;
    }
    Ok(())
}

/// The length that a block's fields give. Returns `None` if it is larger than the address space.
fn length_in(block: &Block, length: &Length) -> Option<usize> {
    length.times.iter().try_fold(length.unit, |product, field| {
        let count = match *field {
            // The kernel refuses a negative length.
            Field::Int(at) => usize::try_from(block.i32_at(at)).unwrap_or(0),
            Field::Unsigned(at) => block.u32_at(at) as usize,
            Field::Long(at) => usize::try_from(block.u64_at(at)).ok()?,
        };
        product.checked_mul(count)
    })
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use jailwire_sys::*;

    use super::*;

    fn refusal(request: &Request) -> Option<Errno> {
        request.checked().err().map(|failure| failure.errno)
    }

    #[test]
    fn a_request_has_the_size_its_number_names() {
        // SIOCAIFADDR carries an in_aliasreq of 68 bytes.
        assert_eq!(Request::new(0x8044_692b).argument.bytes.len(), 68);
    }

    #[test]
    fn children_are_found_by_the_offset_of_their_pointer() {
        let mut block = Block::zeroed(40);
        block.point(32, Block::new(*b"later"));
        block.point(8, Block::new(*b"FIRST"));
        block.point(8, Block::new(*b"first"));
        assert_eq!(block.children().map(|(at, _)| at).collect::<Vec<_>>(), [8, 32]);
        assert_eq!(block.child(32).unwrap().bytes, b"later");
        block.child_mut(8).unwrap().put(0, b"F");
        assert_eq!(block.child(8).unwrap().bytes, b"First");
        assert!(block.child(16).is_none());
    }

    #[test]
    fn what_is_not_in_the_table_is_refused() {
        assert_eq!(refusal(&Request::new(SIOCGIFFLAGS)), None);
        assert_eq!(refusal(&Request::new(0)), Some(Errno::EINVAL));
        assert_eq!(refusal(&Request::new(SIOCSIFMAC)), Some(Errno::EINVAL));
        let mut short = Request::new(SIOCGIFFLAGS);
        short.argument.bytes.truncate(31);
        assert_eq!(refusal(&short), Some(Errno::EINVAL));
        let mut hung = Request::new(SIOCGIFFLAGS);
        hung.argument.point(16, Block::zeroed(8));
        assert_eq!(refusal(&hung), Some(Errno::EINVAL));
        let mut beside = Request::new(SIOCGIFDESCR);
        beside.argument.point(16, Block::zeroed(8));
        assert_eq!(refusal(&beside), Some(Errno::EINVAL));
    }

    #[test]
    fn no_length_goes_beyond_its_block() {
        let mut list = Request::new(SIOCGIFCONF);
        list.argument.point(offset_of!(ifconf, ifc_ifcu), Block::zeroed(100));
        for (length, refused) in [(0, false), (-1, false), (100, false), (101, true), (i32::MAX, true)] {
            list.argument.put(offset_of!(ifconf, ifc_len), &i32::to_ne_bytes(length));
            assert_eq!(refusal(&list), refused.then_some(Errno::EFAULT), "{length}");
        }
        // The length is a product of two fields.
        let mut cloners = Request::new(SIOCIFGCLONERS);
        cloners.argument.point(offset_of!(if_clonereq, ifcr_buffer), Block::zeroed(32));
        for (count, refused) in [(2, false), (3, true), (i32::MAX, true), (i32::MIN, false)] {
            cloners.argument.put(offset_of!(if_clonereq, ifcr_count), &i32::to_ne_bytes(count));
            assert_eq!(refusal(&cloners), refused.then_some(Errno::EFAULT), "{count}");
        }
        // The length is in no field.
        let mut data = Request::new(SIOCGIFDATA);
        data.argument.point(16, Block::zeroed(size_of::<if_data>() - 1));
        assert_eq!(refusal(&data), Some(Errno::EFAULT));
        // Two lengths for one buffer.
        let mut capabilities = Request::new(SIOCSIFCAPNV);
        capabilities.argument.point(24, Block::zeroed(64));
        for (room, length, refused) in [(64, 64, false), (65, 1, true), (1, 65, true), (u32::MAX, 0, true)] {
            capabilities.argument.put(16, &u32::to_ne_bytes(room));
            capabilities.argument.put(20, &u32::to_ne_bytes(length));
            assert_eq!(refusal(&capabilities), refused.then_some(Errno::EFAULT));
        }
    }

    #[test]
    fn the_same_holds_for_the_argument_of_a_command() {
        let command = |number: u64, length: u64, inner: Block| {
            let mut request = Request::new(SIOCGDRVSPEC);
            request.argument.put(offset_of!(ifdrv, ifd_cmd), &number.to_ne_bytes());
            request.argument.put(offset_of!(ifdrv, ifd_len), &length.to_ne_bytes());
            request.argument.point(offset_of!(ifdrv, ifd_data), inner);
            refusal(&request)
        };
        let list = |length: u32, room: usize| {
            let mut list = Block::zeroed(size_of::<ifbifconf>());
            list.put(0, &length.to_ne_bytes());
            list.point(8, Block::zeroed(room));
            list
        };
        assert_eq!(command(BRDGGIFS, 16, list(800, 800)), None);
        assert_eq!(command(BRDGGIFS, 16, list(801, 800)), Some(Errno::EFAULT));
        assert_eq!(command(BRDGGIFS, 17, list(800, 800)), Some(Errno::EFAULT));
        assert_eq!(command(BRDGGIFS, u64::MAX, list(800, 800)), Some(Errno::EFAULT));
        assert_eq!(command(BRDGGCACHE, 16, list(800, 800)), Some(Errno::EINVAL), "no list");
        assert_eq!(command(1000, 16, list(800, 800)), Some(Errno::EINVAL), "no command");
        assert_eq!(command(1000, 80, Block::zeroed(80)), None, "the kernel does not get the block");
        let mut short = Block::zeroed(16);
        short.point(8, Block::default());
        short.bytes.truncate(8);
        assert_eq!(command(BRDGGIFS, 8, short), Some(Errno::EINVAL), "a pointer beyond its block");
    }
}
