//! Arguments of [`ioctl(2)`](https://man.freebsd.org/ioctl(2)) with their pointers filled in.

use std::ffi::c_void;

use crate::kernel::Block;

/// A copy of a [`Block`] and of all below it, in memory that stays where it is, each pointer field
/// leading to the copy of its child.
pub struct Argument {
    /// Whole words, because the kernel's structures hold pointers and `u64`s. At least one.
    words: Vec<u64>,
    children: Vec<Argument>,
}

impl Argument {
    /// Copies a block, and writes the addresses of its children into the copy.
    pub fn of(block: &Block) -> Argument {
        let mut argument = Argument {
            words: vec![0; block.bytes.len().div_ceil(size_of::<u64>()).max(1)],
            children: block.children.iter().map(|(_, child)| Argument::of(child)).collect(),
        };
        argument.bytes_mut()[..block.bytes.len()].copy_from_slice(&block.bytes);
        for (index, (offset, _)) in block.children.iter().enumerate() {
            let address = argument.children[index].as_mut_ptr().expose_provenance();
            argument.bytes_mut()[*offset..][..size_of::<usize>()].copy_from_slice(&address.to_ne_bytes());
        }
        argument
    }

    /// Copies back what the kernel wrote. The pointer fields of the block stay zero.
    pub fn copy_to(&mut self, block: &mut Block) {
        let length = block.bytes.len();
        block.bytes.copy_from_slice(&self.bytes_mut()[..length]);
        for (argument, (offset, child)) in self.children.iter_mut().zip(&mut block.children) {
            block.bytes[*offset..][..size_of::<usize>()].fill(0);
            argument.copy_to(child);
        }
    }

    /// Where the copy lies.
    pub fn as_mut_ptr(&mut self) -> *mut c_void {
        self.words.as_mut_ptr().cast()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the words are that many initialised bytes, borrowed as long as `self` is; any byte is valid
        // in a word.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), size_of_val(&*self.words)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_to_the_children_and_do_not_come_back() {
        let mut inner = Block::zeroed(16);
        inner.point(8, Block::new(*b"array"));
        let mut block = Block::new([1; 24]);
        block.point(8, inner);

        let mut argument = Argument::of(&block);
        let address = u64::from_ne_bytes(argument.bytes_mut()[8..16].try_into().unwrap());
        assert_eq!(address as usize, argument.children[0].as_mut_ptr().addr());
        let address = argument.children[0].words[1] as usize;
        assert_eq!(address, argument.children[0].children[0].as_mut_ptr().addr());

        argument.bytes_mut()[0] = 9;
        argument.children[0].children[0].bytes_mut()[0] = b'A';
        argument.copy_to(&mut block);
        assert_eq!(block.bytes[..8], [9, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(block.bytes[8..16], [0; 8]);
        let inner = block.child(8).unwrap();
        assert_eq!(inner.bytes, [0; 16]);
        assert_eq!(inner.child(8).unwrap().bytes, b"Array");
    }

    #[test]
    fn an_empty_block_has_an_address_too() {
        let mut argument = Argument::of(&Block::default());
        assert!(!argument.as_mut_ptr().is_null());
    }
}
