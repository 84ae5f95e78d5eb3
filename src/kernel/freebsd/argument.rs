//! Arguments of [`ioctl(2)`](https://man.freebsd.org/ioctl(2)) with their pointers filled in.

use std::ffi::c_void;

use jailwire_sys::request::Pointer;

use crate::kernel::request::inside;
use crate::kernel::{Block, Request, Result};

/// A copy of a [`Request`]'s argument and of all blocks below it, in memory that does not move. Each pointer
/// field leads to the copy of its block, or is null.
pub struct Argument {
    /// At least one word. Words and not bytes, because the kernel's structures contain pointers and `u64`s.
    words: Vec<u64>,
    /// The length of the block in bytes. Bytes after it are only for the kernel.
    length: usize,
    /// The pointer fields, in the order of the table.
    pointers: Vec<Filled>,
}

/// A pointer field, and the block that it leads to.
struct Filled {
    at: usize,
    copy: Option<Argument>,
}

impl Argument {
    /// Copies the argument of a request, and writes the addresses of its blocks into the copy.
    ///
    /// # Errors
    ///
    /// EINVAL, EFAULT: see [`Request`]. The bytes that are copied are the bytes that were checked.
    pub fn of(request: &Request) -> Result<Argument> {
        let pointers = request.checked()?;
        Ok(Argument::copy(&request.argument, pointers, 0))
    }

    /// Copies a block that was checked. The bytes of its pointer fields are not copied.
    fn copy(block: &Block, pointers: &[Pointer], least: usize) -> Argument {
        let length = block.bytes.len();
        let mut argument = Argument {
            words: vec![0; length.max(least).div_ceil(size_of::<u64>()).max(1)],
            length,
            pointers: Vec::new(),
        };
        argument.bytes_mut()[..length].copy_from_slice(&block.bytes);
        for pointer in pointers.iter().filter(|pointer| pointer.at + size_of::<usize>() <= length) {
            let copy = block.child(pointer.at).zip(inside(block, pointer));
            let mut copy = copy.map(|(child, pointers)| Argument::copy(child, pointers, pointer.least));
            let address = copy.as_mut().map_or(0, |copy| copy.as_mut_ptr().expose_provenance());
            argument.put_address(pointer.at, address);
            argument.pointers.push(Filled { at: pointer.at, copy });
        }
        argument
    }

    /// Copies back what the kernel wrote. The pointer fields of the block are zero.
    pub fn copy_to(&mut self, block: &mut Block) {
        for index in 0..self.pointers.len() {
            self.put_address(self.pointers[index].at, 0);
        }
        let length = self.length;
        block.bytes.copy_from_slice(&self.bytes_mut()[..length]);
        for Filled { at, copy } in &mut self.pointers {
            if let (Some(copy), Some(child)) = (copy, block.child_mut(*at)) {
                copy.copy_to(child);
            }
        }
    }

    /// Returns where the copy lies.
    pub fn as_mut_ptr(&mut self) -> *mut c_void {
        self.words.as_mut_ptr().cast()
    }

    fn put_address(&mut self, at: usize, address: usize) {
        self.bytes_mut()[at..][..size_of::<usize>()].copy_from_slice(&address.to_ne_bytes());
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the words are that many initialised bytes, borrowed as long as `self` is; any byte is valid
        // in a word.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), size_of_val(&*self.words)) }
    }
}

#[cfg(test)]
mod tests {
    use jailwire_sys::{BRDGGIFS, SIOCGDRVSPEC, SIOCGIFCONF, SIOCSIFNAME};

    use super::*;

    fn address_at(argument: &mut Argument, at: usize) -> usize {
        usize::from_ne_bytes(argument.bytes_mut()[at..at + 8].try_into().unwrap())
    }

    #[test]
    fn pointers_lead_to_the_children_and_do_not_come_back() {
        let mut list = Block::zeroed(16);
        list.put(0, &5u32.to_ne_bytes());
        list.point(8, Block::new(*b"array"));
        let mut request = Request::new(SIOCGDRVSPEC);
        request.argument.put(16, &BRDGGIFS.to_ne_bytes());
        request.argument.put(24, &16u64.to_ne_bytes());
        request.argument.point(32, list);

        let mut argument = Argument::of(&request).unwrap();
        let outer = address_at(&mut argument, 32);
        let list = argument.pointers[0].copy.as_mut().unwrap();
        assert_eq!(outer, list.as_mut_ptr().addr());
        let inner = address_at(list, 8);
        let array = list.pointers[0].copy.as_mut().unwrap();
        assert_eq!(inner, array.as_mut_ptr().addr());

        array.bytes_mut()[0] = b'A';
        list.bytes_mut()[0] = 4;
        argument.bytes_mut()[0] = 9;
        argument.copy_to(&mut request.argument);
        assert_eq!(request.argument.bytes[..2], [9, 0]);
        assert_eq!(request.argument.bytes[32..], [0; 8]);
        let list = request.argument.child(32).unwrap();
        assert_eq!((list.u32_at(0), list.u64_at(8)), (4, 0));
        assert_eq!(list.child(8).unwrap().bytes, b"Array");
    }

    #[test]
    fn an_address_among_the_bytes_does_not_reach_the_kernel() {
        let mut request = Request::new(SIOCGIFCONF);
        request.argument.put(0, &4096i32.to_ne_bytes());
        request.argument.put(8, &0x1234_5678u64.to_ne_bytes());
        let mut argument = Argument::of(&request).unwrap();
        assert_eq!(address_at(&mut argument, 8), 0);
        argument.copy_to(&mut request.argument);
        assert_eq!(request.argument.u64_at(8), 0);

        // The argument of a command that is not in the table is not copied either.
        let mut request = Request::new(SIOCGDRVSPEC);
        request.argument.put(16, &1000u64.to_ne_bytes());
        request.argument.point(32, Block::new([255; 80]));
        assert_eq!(address_at(&mut Argument::of(&request).unwrap(), 32), 0);
    }

    #[test]
    fn what_the_kernel_reads_without_a_length_ends_in_zeroes() {
        let mut request = Request::new(SIOCSIFNAME);
        request.argument.point(16, Block::new(*b"lan"));
        let mut argument = Argument::of(&request).unwrap();
        let name = argument.pointers[0].copy.as_mut().unwrap();
        assert_eq!(name.bytes_mut(), b"lan\0\0\0\0\0\0\0\0\0\0\0\0\0");
        argument.copy_to(&mut request.argument);
        assert_eq!(request.argument.child(16).unwrap().bytes, b"lan");
    }

    #[test]
    fn an_empty_block_has_an_address_too() {
        let mut request = Request::new(SIOCGIFCONF);
        request.argument.point(8, Block::default());
        assert_ne!(address_at(&mut Argument::of(&request).unwrap(), 8), 0);
    }
}
