//! The vectors of edb-format 2.5 that need no file, the definition of 2.4 taken literally, and
//! what happens to flipped bits.

use ese_base::{PageSize, Pgno};

use super::*;
use crate::test_rng::Rng;

const K8: usize = 8192;

/// Edb-format 2.4, steps 1 to 4, bit by bit.
fn ecc_by_definition(block: &[u8], pgno: u32, header_block: bool) -> u64 {
    let all = 8 * block.len() as u64 - 1;
    let (mut xor, mut locator, mut count) = (0_u32, 0_u64, 0_u32);
    for (index, &byte) in block.iter().enumerate() {
        if header_block && index < 8 {
            continue;
        }
        xor ^= u32::from(byte) << (8 * (index % 4));
        for bit in 0..8 {
            if byte >> bit & 1 == 1 {
                locator ^= 8 * index as u64 + bit;
                count += 1;
            }
        }
    }
    let high = if count.is_multiple_of(2) { locator } else { locator ^ all };
    high << 48 | locator << 32 | u64::from(xor ^ pgno)
}

fn random_page(rng: &mut Rng, len: usize, pgno: Pgno) -> Vec<u8> {
    let mut page = rng.bytes(len);
    page[36..40].copy_from_slice(&0x2802_u32.to_le_bytes());
    if len > K8 {
        page[64..68].copy_from_slice(&pgno.0.to_le_bytes());
    }
    stamp(&mut page, pgno);
    page
}

#[test]
fn the_fast_form_agrees_with_the_definition_on_random_blocks() {
    let mut rng = Rng::new(1);
    for len in [1024, 2048, 4096, 8192] {
        for header_block in [false, true] {
            for sparse in [false, true] {
                let mut block = rng.bytes(len);
                if sparse {
                    block.iter_mut().for_each(|byte| *byte &= rng.byte() & rng.byte());
                }
                let pgno = rng.next_u32();
                assert_eq!(
                    ecc_block(&block, pgno, header_block),
                    ecc_by_definition(&block, pgno, header_block),
                    "{len} {header_block}"
                );
            }
        }
    }
}

#[test]
fn every_single_bit_contributes_its_own_number() {
    for len in [1024, 4096, 8192] {
        let mut block = vec![0; len];
        // The definition costs a pass over the block; a prime step still visits every level.
        for bit in (0..600).chain((600..8 * len).step_by(131)) {
            block[bit / 8] = 1 << (bit % 8);
            assert_eq!(ecc_block(&block, 0, false), ecc_by_definition(&block, 0, false), "{bit}");
            block[bit / 8] = 0;
        }
    }
}

#[test]
fn the_engines_self_test_vectors_come_out() {
    let small: Vec<u8> = (0..K8).map(|i| i.to_le_bytes()[0]).collect();
    assert_eq!(ecc_block(&small, 9876, true), 0x0000_0000_0404_2290);

    let mut header = small;
    header[4..8].copy_from_slice(&0x1234_5678_u32.to_le_bytes());
    assert_eq!(header_xor(&header), 0x9f9b_9f93);

    let pgno = Pgno(0x9876_5431);
    let mut large: Vec<u8> = (0..32768_u32).map(|i| (i + i / 13).to_le_bytes()[0]).collect();
    stamp(&mut large, pgno);
    let stored = |page: &[u8]| [0, 40, 48, 56].map(|at| read_u64(page, at));
    assert_eq!(
        stored(&large),
        [
            0xf9ce_0631_47b6_b865,
            0x69af_69af_cdd5_90e4,
            0x7709_88f6_2ea1_a9e2,
            0x7cb7_7cb7_7b83_9a0e
        ]
    );
    assert_eq!(check(&large, pgno), Verdict::Good);

    let mut half = large[..16384].to_vec();
    stamp(&mut half, pgno);
    assert_eq!(
        stored(&half),
        [
            0x7b80_7b80_651e_03fc,
            0x7c34_7c34_bc66_a14b,
            0x6c7e_6c7e_cb3a_6c94,
            0x05d1_05d1_9e99_a841
        ]
    );
    assert_eq!(check(&half, pgno), Verdict::Good);
}

#[test]
fn every_single_flipped_bit_is_corrected_or_known_to_be_ambiguous() {
    let mut rng = Rng::new(2);
    for size in PageSize::EVER {
        let pgno = Pgno(77);
        let good = random_page(&mut rng, size.bytes(), pgno);
        // Every bit of the smallest page and of every header; else a step prime to powers of two.
        let step = if size == PageSize::K4 { 1 } else { 83 };
        let bits = (0..700).chain((700..8 * size.bytes()).step_by(step));
        let mut page = good.clone();
        for bit in bits {
            assert!(flip(&mut page, bit));
            let verdict = check(&page, pgno);
            if size.is_small() && bit < 32 {
                // The stored XOR: cannot be told from a page in the wrong place.
                assert!(matches!(verdict, Verdict::Bad(_)), "{size} {bit} {verdict:?}");
                assert!(repair(&mut page, pgno).is_err());
                flip(&mut page, bit);
            } else {
                let expected = u32::try_from(bit).unwrap();
                assert_eq!(verdict, Verdict::Correctable { bit: expected, count: 1 }, "{size}");
                let corrected = repair(&mut page, pgno).unwrap();
                assert_eq!(corrected, Some(Corrected { bit: expected, count: 1 }));
            }
            assert!(page == good, "{size} {bit}");
        }
    }
}

#[test]
fn two_flipped_bits_are_never_taken_for_something_else() {
    let mut rng = Rng::new(3);
    for size in PageSize::EVER {
        let pgno = Pgno(5);
        let good = random_page(&mut rng, size.bytes(), pgno);
        let mut page = good.clone();
        for round in 0..4000 {
            let all = 8 * size.bytes();
            let first = rng.below(all);
            // Half of the pairs lie in one column of the XOR, a quarter involves the checksum.
            let second = match round % 4 {
                0 => rng.below(all),
                1 => rng.below(64),
                _ => (first + 32 * (1 + rng.below(all / 32 - 1))) % all,
            };
            if first == second {
                continue;
            }
            flip(&mut page, first);
            flip(&mut page, second);
            match repair(&mut page, pgno) {
                Ok(None) => panic!("{size}: flips of {first} and {second} were not seen"),
                Ok(Some(corrected)) => {
                    // Only one flip in each of two quarters can be undone.
                    assert!(!size.is_small() && corrected.count == 2, "{first} {second}");
                    assert!(page == good, "{size} {first} {second}");
                }
                Err(error) => {
                    assert_eq!(error.jet_code(), -1018);
                    flip(&mut page, first);
                    flip(&mut page, second);
                    assert!(page == good, "a refused repair changes nothing");
                }
            }
        }
    }
}

#[test]
fn a_page_in_the_wrong_place_is_refused_and_named() {
    let mut rng = Rng::new(4);
    for size in PageSize::EVER {
        let mut page = random_page(&mut rng, size.bytes(), Pgno(6));
        // Numbers that differ in one bit, and in several.
        for other in [Pgno(7), Pgno(2), Pgno(1000)] {
            let Verdict::Bad(mismatch) = check(&page, other) else { panic!("accepted {other}") };
            assert_eq!(mismatch.right_for(other), Some(Pgno(6)));
            assert!(repair(&mut page, other).is_err());
            let text = verify(&page, other).unwrap_err().to_string();
            assert!(text.contains("it would be right for page 6"), "{text}");
        }
        assert!(verify(&page, Pgno(6)).is_ok());
    }
}

#[test]
fn a_blank_page_and_no_page_at_all_are_told_apart() {
    for size in PageSize::EVER {
        let mut page = vec![0; size.bytes()];
        assert_eq!(check(&page, Pgno(9)), Verdict::Blank);
        assert_eq!(verify(&page, Pgno(9)).unwrap_err().jet_code(), -1019);
        page[size.bytes() - 1] = 1;
        assert!(matches!(check(&page, Pgno(9)), Verdict::Bad(_)));
    }
    for len in [0, 1, 39, 4095, 12288, 65536] {
        assert!(matches!(check(&vec![0; len], Pgno(9)), Verdict::Bad(_)), "{len}");
        stamp(&mut vec![1; len], Pgno(9));
    }
}

#[test]
fn a_page_of_the_old_form_carries_xor_and_its_number() {
    let mut rng = Rng::new(5);
    let mut page = rng.bytes(4096);
    page[36..40].copy_from_slice(&0x0802_u32.to_le_bytes());
    stamp(&mut page, Pgno(3));
    assert_eq!(read_u32(&page, 4), 3);
    assert_eq!(check(&page, Pgno(3)), Verdict::Good);
    assert!(matches!(check(&page, Pgno(4)), Verdict::Bad(_)));
    page[100] ^= 1;
    assert!(matches!(check(&page, Pgno(3)), Verdict::Bad(_)));
}

#[test]
fn a_log_segment_has_the_checksum_of_a_small_page_with_its_place_as_number() {
    let mut rng = Rng::new(6);
    let mut segment: [u8; 4096] = rng.bytes(4096).try_into().unwrap();
    stamp_segment(&mut segment, 12);
    assert_eq!(stored_segment_checksum(&segment), segment_checksum(&segment, 12));
    assert_eq!(stored_segment_checksum(&segment), ecc_by_definition(&segment, 12, true));
    // The shadow rule looks for the number before.
    assert_eq!(segment_checksum(&segment, 11), segment_checksum(&segment, 12) ^ 11 ^ 12);
}

#[test]
fn the_header_xor_skips_its_own_word_and_takes_odd_lengths() {
    let mut rng = Rng::new(7);
    for len in [0, 1, 4, 8, 12, 748, 4096, 8192] {
        let mut bytes = rng.bytes(len);
        let by_definition = bytes
            .chunks_exact(4)
            .skip(1)
            .fold(0x89AB_CDEF_u32, |x, w| x ^ u32::from_le_bytes(w.try_into().unwrap()));
        if len >= 4 {
            assert_eq!(header_xor(&bytes), by_definition, "{len}");
        }
        stamp_header(&mut bytes);
        assert_eq!(verify_header(&bytes), len >= 8, "{len}");
    }
    assert!(!verify_header(&[0; 4096]));
}
