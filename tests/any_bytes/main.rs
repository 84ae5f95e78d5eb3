//! Whatever bytes a kernel returns, the library must not panic, and must not read beyond them.
//!
//! The same parsers are fuzz targets: see `fuzz/README.md`.

mod kernel;
mod parsers;

use proptest::collection::vec;
use proptest::prelude::*;

use parsers::ALL;

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(parser in 0..ALL.len(), bytes in vec(any::<u8>(), 0..1500)) {
        (ALL[parser].1)(&bytes);
    }

    /// Small numbers are valid lengths and types.
    #[test]
    fn small_bytes_are_read_without_panic(parser in 0..ALL.len(), bytes in vec(0_u8..40, 0..1500)) {
        (ALL[parser].1)(&bytes);
    }

    #[test]
    fn headers_with_any_addresses_are_read_without_panic(
        parser in 0..4_usize,
        messages in vec((0_u8..0x16, vec(any::<u8>(), 20..300)), 1..4),
    ) {
        let mut bytes = Vec::new();
        for (kind, rest) in messages {
            let length = u16::try_from(rest.len() + 4).unwrap();
            bytes.extend_from_slice(&length.to_ne_bytes());
            bytes.extend_from_slice(&[jailwire_sys::RTM_VERSION, kind]);
            bytes.extend_from_slice(&rest);
        }
        (ALL[parser].1)(&bytes);
    }
}

/// A list whose length is larger than the memory is refused.
#[test]
fn lengths_beyond_reason_are_errors() {
    for byte in [0, 0x7f, 0x80, 0xdf] {
        for (_, parser) in ALL {
            let mut bytes = vec![0xff; 4096];
            bytes[0] = byte;
            for at in [1, 33, 49, 257] {
                bytes[at] = 0;
            }
            parser(&bytes);
        }
    }
}

#[test]
fn every_parser_is_a_fuzz_target() {
    let targets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    for (name, _) in ALL {
        assert!(targets.join(format!("{name}.rs")).exists(), "{name}");
    }
    // One of the targets reads files: see `tests/any_files`.
    assert_eq!(std::fs::read_dir(targets).unwrap().count(), ALL.len() + 1);
}
