//! The MAC addresses that the kernel generates: `net/if_ethersubr.c:ether_gen_addr_byname`.

use super::options::Release;
use super::world::World;

/// The hostuuid of a jail, or of an unconfigured host.
pub(crate) const NO_HOSTUUID: &str = "00000000-0000-0000-0000-000000000000";

impl World {
    /// Generates the MAC address of an interface with this name, which a caller in this jail makes.
    ///
    /// It is derived from the hostuuid and the name, so the same name gets the same address again. Only few bits
    /// vary: 16 bits on 15.1, and 17 bits on 14.2, which are not evenly distributed. Without a hostuuid the address
    /// is random.
    pub fn generate_mac(&mut self, jid: i32, name: &str) -> [u8; 6] {
        let (uuid, jail) = match self.jails.get(jid) {
            Some(jail) => (jail.hostuuid.clone(), jail.name.clone()),
            None => (self.text_sysctl("kern.hostuuid"), "0".to_owned()),
        };
        if uuid == NO_HOSTUUID || uuid.is_empty() {
            return self.draw_mac(0);
        }
        let digest = sha1(format!("{uuid}-{name}-{jail}").as_bytes());
        match self.release {
            Release::V15_1 => [0x58, 0x9c, 0xfc, 0x10, digest[0], digest[1]],
            Release::V14_2 => {
                // The bytes of the digest are signed there, and negative bytes change the higher bits.
                let byte = |at: usize| i32::from(digest[at] as i8);
                let bits = ((byte(0) << 16) | (byte(1) << 8) | byte(2)) & 0x10_ffff;
                [0x58, 0x9c, 0xfc, (bits >> 16) as u8, (bits >> 8) as u8, bits as u8]
            }
        }
    }

    /// Generates an unused address. It is random in the kernel, and the hash of a counter here. The counter never
    /// goes back, so no address comes twice.
    pub fn draw_mac(&mut self, last: u8) -> [u8; 6] {
        self.drawn += 1;
        let digest = sha1(format!("random-{}", self.drawn).as_bytes());
        let last = if last == 0 { digest[4] } else { last };
        [0x02, digest[0], digest[1], digest[2], digest[3], last]
    }
}

/// SHA-1. It is not used for security here, but must give the same digits as FreeBSD.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if message.len() % 64 >= 56 {
        padded.resize(padded.len() + 64, 0);
    }
    let end = padded.len();
    padded[end - 8..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words = [0u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for at in 16..80 {
            words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (round, word) in words.iter().enumerate() {
            let (mixed, constant) = match round / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = [a.rotate_left(5), mixed, e, constant, *word].into_iter().fold(0, u32::wrapping_add);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, value) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(value);
        }
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::options::{Options, Setting};

    const UUID: &str = "00112233-4455-6677-8899-aabbccddeeff";

    fn world(release: Release) -> World {
        let sysctls = vec![("kern.hostuuid".to_owned(), Setting::Text(UUID.to_owned()))];
        World::new(&Options { release, sysctls, ..Options::default() })
    }

    #[test]
    fn sha1_of_known_messages() {
        let hex = |message: &[u8]| sha1(message).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(b""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hex(long), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    }

    #[test]
    fn addresses_are_those_of_real_kernels() {
        let mut world15 = world(Release::V15_1);
        assert_eq!(world15.generate_mac(0, "epair0a"), [0x58, 0x9c, 0xfc, 0x10, 0xb5, 0x1e]);
        assert_eq!(world15.generate_mac(0, "bridge0"), [0x58, 0x9c, 0xfc, 0x10, 0x15, 0xba]);
        assert_eq!(world15.generate_mac(0, "bridge1"), [0x58, 0x9c, 0xfc, 0x10, 0x4c, 0x9c]);
        let mut world14 = world(Release::V14_2);
        assert_eq!(world14.generate_mac(0, "bridge0"), [0x58, 0x9c, 0xfc, 0x10, 0xff, 0xf4]);
        assert_eq!(world14.generate_mac(0, "bridge1"), [0x58, 0x9c, 0xfc, 0x10, 0xff, 0xa4]);
    }

    #[test]
    fn drawn_addresses_differ() {
        let mut world = world(Release::V15_1);
        let first = world.draw_mac(0);
        assert_ne!(first, world.draw_mac(0));
        assert_eq!(first[0], 0x02);
        assert_eq!(world.draw_mac(0x0a)[5], 0x0a);
    }
}
