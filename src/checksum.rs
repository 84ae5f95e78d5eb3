//! CRC-32 (IEEE 802.3), which detects torn or altered records, and a hash of 64 bits for names.
//!
//! The crate crc32fast computes the same sum, with code for each processor. Here the sum takes no measurable part
//! of a command's time, so the library does without that dependency.

/// For each byte, and the number of bytes that follow it in a group of eight, its contribution to the remainder. It
/// is a static, because an unoptimised program copies the whole of a constant at each use.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        tables[0][byte] = value;
        byte += 1;
    }
    let mut follow = 1;
    while follow < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[follow - 1][byte];
            tables[follow][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        follow += 1;
    }
    tables
}

/// The CRC-32 of `bytes`. It takes eight bytes at a time, because the whole state of a simulated host is checked at
/// the beginning of each command.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let (groups, rest) = bytes.as_chunks::<8>();
    let mut crc = !0;
    for group in groups {
        let group = u64::from_le_bytes(*group) ^ u64::from(crc);
        let of = |follow: usize| TABLES[follow][usize::from((group >> (8 * (7 - follow))) as u8)];
        crc = of(7) ^ of(6) ^ of(5) ^ of(4) ^ of(3) ^ of(2) ^ of(1) ^ of(0);
    }
    for byte in rest {
        crc = (crc >> 8) ^ TABLES[0][usize::from(crc as u8 ^ byte)];
    }
    !crc
}

/// A hash of 64 bits: FNV-1a, with its bits mixed by the finalizer of SplitMix64. It must stay the same on every
/// machine and in every release.
pub(crate) fn hash64(bytes: &[u8]) -> u64 {
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv);
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_of_the_standard() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(super::crc32(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
    }

    #[test]
    fn groups_of_eight_are_the_same_as_one_byte_after_the_other() {
        let bytes: Vec<u8> = (0..=255).map(|n: u8| n.wrapping_mul(37)).collect();
        for length in 0..40 {
            let one = |crc: u32, byte: &u8| (crc >> 8) ^ super::TABLES[0][usize::from(crc as u8 ^ byte)];
            assert_eq!(super::crc32(&bytes[..length]), !bytes[..length].iter().fold(!0, one), "{length}");
        }
    }
}
