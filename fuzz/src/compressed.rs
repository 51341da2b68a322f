//! Arbitrary bytes as compressed data of every scheme, and as plain data: expanding never gives
//! more than was allowed and never panics; what is compressed is shorter and expands to what it
//! was.
//!
//! Input: scheme (or none: the bytes name it themselves), most that is allowed, then the bytes.

use ese_engine::compress::{compress, expand};

use crate::input::Input;

/// The first bits of the schemes that there are, and of two that there are not.
const SCHEMES: [u8; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 31];

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let scheme = usize::from(input.byte());
    let most = usize::from(input.word());
    let mut packed = input.rest().to_vec();
    if let Some(plain) = compress(&packed) {
        assert!(plain.len() < packed.len(), "what is compressed is shorter");
        assert_eq!(expand(&plain, packed.len()).expect("what we wrote can be read"), packed);
        // A bound that is too low is an error, not a part.
        assert!(expand(&plain, packed.len() - 1).is_err());
    }
    if let (Some(scheme), Some(first)) = (SCHEMES.get(scheme), packed.first_mut()) {
        *first = scheme << 3 | *first & 7;
    }
    for most in [most, 0, packed.len()] {
        match expand(&packed, most) {
            Ok(plain) => assert!(plain.len() <= most, "{} bytes of {most}", plain.len()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// What each scheme makes of text, of repetitions and of their mixture.
pub fn seeds() -> Vec<Vec<u8>> {
    let wide: Vec<u8> = b"wide text ".iter().flat_map(|byte| [*byte, 0]).collect();
    let plain = [
        b"seven bits, and again seven bits".to_vec(),
        wide.repeat(3),
        [0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9].repeat(90),
        (0..=255_u8).chain([7; 600]).collect(),
    ];
    let mut seeds = Vec::new();
    for plain in plain {
        let head = |scheme: u8| {
            let most = u16::try_from(plain.len()).expect("short").to_le_bytes();
            vec![scheme, most[0], most[1]]
        };
        if let Some(packed) = compress(&plain) {
            seeds.push([head(0xff), packed.clone()].concat());
            // The body of one scheme under the name of another.
            for scheme in 0..9 {
                seeds.push([head(scheme), packed.clone()].concat());
            }
        }
        seeds.push([head(0xff), plain.clone()].concat());
        // One block of LZ4 that is all literals.
        let part = &plain[..14];
        let lz4 = [&[0x38, 14, 0, 14 << 4][..], part].concat();
        seeds.push([head(0xff), lz4].concat());
    }
    seeds
}
