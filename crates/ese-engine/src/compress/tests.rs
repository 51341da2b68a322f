//! The schemes, and bytes that are none.

use super::*;

/// Packs characters as the format says: a second way, to compare with.
fn pack(scheme: u8, characters: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> =
        characters.iter().flat_map(|c| (0..7).map(move |bit| c >> bit & 1)).collect();
    let used = (bits.len() + 7) % 8;
    let mut out = vec![scheme | u8::try_from(used).unwrap()];
    for byte in bits.chunks(8) {
        out.push(byte.iter().enumerate().map(|(at, bit)| bit << at).sum());
    }
    out
}

#[test]
fn seven_bit_characters_of_every_length_expand() {
    for len in 1..=200_u8 {
        let text: Vec<u8> = (0..len).map(|at| at.wrapping_mul(31) & 0x7f).collect();
        assert_eq!(expand(&pack(0x08, &text), 200).unwrap(), text);
        let wide: Vec<u8> = text.iter().flat_map(|c| [*c, 0]).collect();
        assert_eq!(expand(&pack(0x10, &text), 400).unwrap(), wide);
        let code = |packed: &[u8], most| expand(packed, most).unwrap_err().code();
        let short = usize::from(len) - 1;
        assert_eq!(code(&pack(0x08, &text), short), JetErr::DecompressionFailed);
    }
}

#[test]
fn lz4_expands_within_its_promise() {
    // Four literals, then a match of 16 bytes at distance 4, then five literals.
    let mut packed = vec![0x38, 25, 0];
    packed.extend([0x4c, b'a', b'b', b'c', b'd', 4, 0, 0x50]);
    packed.extend(b"hello");
    assert_eq!(expand(&packed, 25).unwrap(), b"abcdabcdabcdabcdabcdhello");
    assert!(expand(&packed, 24).is_err());
    packed[1] = 26;
    assert!(expand(&packed, 100).is_err(), "less than promised");
    packed[1] = 24;
    assert!(expand(&packed, 100).is_err(), "more than promised");
}

#[test]
fn bytes_that_are_no_compressed_data_are_errors() {
    let code = |packed: &[u8]| expand(packed, 1000).unwrap_err().code();
    assert_eq!(code(&[]), JetErr::DecompressionFailed);
    for first in 0..=u8::MAX {
        let known = (0x08..0x40).contains(&first);
        match expand(&[first], 1000) {
            Ok(out) => assert!((0x08..0x18).contains(&first) && out.is_empty()),
            Err(error) if (0x28..0x38).contains(&first) => {
                assert_eq!(error.code(), JetErr::FeatureNotAvailable);
            }
            Err(error) => {
                assert_eq!(error.code(), JetErr::DecompressionFailed);
                assert!(known || error.message().contains("names no scheme"), "{error}");
            }
        }
    }
    assert_eq!(code(&[0x20, 1, 2, 3]), JetErr::DecompressionFailed);
}

#[test]
fn the_shortest_scheme_is_taken_and_expands_again() {
    let wide: Vec<u8> = b"wide text 123".iter().flat_map(|c| [*c, 0]).collect();
    let mixed: Vec<u8> = "gr\u{fc}\u{df} ".repeat(100).into_bytes();
    let cases: [(&[u8], Option<u8>); 8] = [
        (b"", None),
        (b"a", None),
        (b"seven bits for each", Some(1)),
        (&wide, Some(2)),
        (&[0xff; 63], None),
        (&[0xff; 64], Some(3)),
        (&mixed, Some(3)),
        (&[b'a'; 1000], Some(3)),
    ];
    for (plain, scheme) in cases {
        let packed = compress(plain);
        assert_eq!(packed.as_ref().map(|packed| packed[0] >> 3), scheme, "{plain:?}");
        if let Some(packed) = packed {
            assert!(packed.len() < plain.len());
            assert_eq!(expand(&packed, plain.len()).unwrap(), plain);
        }
    }
    for len in 0..300 {
        let plain: Vec<u8> = (0..97).cycle().take(len).collect();
        if let Some(packed) = compress(&plain) {
            assert_eq!(expand(&packed, plain.len()).unwrap(), plain);
        }
    }
}
