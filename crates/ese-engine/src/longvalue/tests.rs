//! Long-value trees as lists of nodes, whole and damaged.

use std::collections::BTreeMap;

use ese_base::{Error, JetErr, Result};

use super::{walk::read_whole, *};
use crate::record::Lid;

const CHUNK: u32 = 10;

#[derive(Default)]
struct Listed(BTreeMap<Vec<u8>, Vec<u8>>);

impl Nodes for Listed {
    fn visit(&self, from: &[u8], each: &mut Visit<'_>) -> Result<()> {
        for (key, data) in self.0.range(from.to_vec()..) {
            if each(key, data)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Listed {
    fn put(&mut self, lid: Lid, value: &[u8]) {
        let size = u32::try_from(value.len()).unwrap();
        let root = Root { references: 1, size, encrypted: false };
        self.0.insert(root_key(lid), root.to_bytes().to_vec());
        for (at, chunk) in value.chunks(CHUNK as usize).enumerate() {
            self.0.insert(chunk_key(lid, u32::try_from(at).unwrap() * CHUNK), chunk.to_vec());
        }
    }
}

#[test]
fn every_part_of_values_of_every_length_is_read() {
    let mut tree = Listed::default();
    for (len, lid) in (0..=41_u8).zip(1..) {
        // Ids of both widths.
        tree.put(Lid(lid), &(0..len).collect::<Vec<_>>());
        tree.put(Lid(lid | 1 << 63), &(100..100 + len).collect::<Vec<_>>());
    }
    for (len, lid) in (0..=41_u8).zip(1..) {
        for (lid, first) in [(Lid(lid), 0), (Lid(lid | 1 << 63), 100)] {
            let whole: Vec<u8> = (first..first + len).collect();
            assert_eq!(size(&tree, lid).unwrap(), u32::from(len));
            for offset in 0..=len + 1 {
                for most in [0, 1, 9, 10, 11, 100] {
                    let part = whole.get(usize::from(offset)..).unwrap_or_default();
                    let part = &part[..part.len().min(most)];
                    let ours = read(&tree, lid, CHUNK, u32::from(offset), most).unwrap();
                    assert_eq!(ours, part, "{len} bytes from {offset}, at most {most}");
                }
            }
        }
    }
}

#[test]
fn a_chunk_shorter_than_it_must_be_is_compressed() {
    // Sixteen characters of seven bits each fill fourteen bytes.
    let text = b"a long value in ";
    let bits: Vec<u8> = text.iter().flat_map(|c| (0..7).map(move |bit| c >> bit & 1)).collect();
    let mut packed = vec![0x08 | 7];
    packed.extend(bits.chunks(8).map(|b| b.iter().zip(0..).map(|(bit, at)| bit << at).sum::<u8>()));
    let mut tree = Listed::default();
    tree.put(Lid(7), &[text, &text[..]].concat());
    tree.0.retain(|key, _| key.len() == 4);
    tree.0.insert(chunk_key(Lid(7), 0), packed);
    tree.0.insert(chunk_key(Lid(7), 16), text.to_vec());
    assert_eq!(read(&tree, Lid(7), 16, 0, 100).unwrap(), b"a long value in a long value in ");
    assert_eq!(read(&tree, Lid(7), 16, 13, 6).unwrap(), b"in a l");
}

#[test]
fn damaged_values_are_errors_that_name_them() {
    let code = |tree: &Listed| {
        let error = read(tree, Lid(7), CHUNK, 0, 100).unwrap_err();
        assert!(error.message().contains("long value 7"), "{error}");
        error.code()
    };
    let mut tree = Listed::default();
    assert_eq!(code(&tree), JetErr::LVCorrupted);
    tree.put(Lid(7), &[0xff; 35]);
    let whole = tree.0.clone();
    for missing in [0, 10, 20, 30] {
        tree.0.remove(&chunk_key(Lid(7), missing));
        assert_eq!(code(&tree), JetErr::LVCorrupted);
        tree.0.clone_from(&whole);
    }
    tree.0.insert(chunk_key(Lid(7), 10), vec![0xff; 9]);
    assert_eq!(code(&tree), JetErr::DecompressionFailed);
    // What is compressed gets shorter.
    tree.0.insert(chunk_key(Lid(7), 10), vec![0xff; 11]);
    assert_eq!(code(&tree), JetErr::LVCorrupted);
    tree.0.clone_from(&whole);
    tree.0.insert(root_key(Lid(7)), vec![1, 0, 0, 0, 35, 0, 0, 0, 1]);
    assert_eq!(code(&tree), JetErr::FeatureNotAvailable);
    for len in [0, 7, 10] {
        tree.0.insert(root_key(Lid(7)), vec![1; len]);
        assert_eq!(code(&tree), JetErr::LVCorrupted);
    }
    // A size that the chunks do not have costs no memory.
    tree.0.insert(root_key(Lid(7)), [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff].to_vec());
    assert_eq!(code(&tree), JetErr::DecompressionFailed);
}

/// Nodes behind which a page is damaged.
struct Torn(Listed);

impl Nodes for Torn {
    fn visit(&self, from: &[u8], each: &mut Visit<'_>) -> Result<()> {
        self.0.visit(from, each)?;
        Err(Error::code_only(JetErr::ReadVerifyFailure))
    }
}

#[test]
fn a_value_is_read_with_all_that_the_tree_has_of_it_and_no_more() {
    let mut tree = Listed::default();
    tree.put(Lid(7), &[3; 35]);
    tree.put(Lid(8), &[4; 10]);
    let whole = |tree: &dyn Nodes| read_whole(tree, Lid(7), CHUNK);
    assert_eq!(whole(&tree).unwrap(), [3; 35]);
    let mut torn = Torn(tree);
    assert_eq!(whole(&torn).unwrap(), [3; 35], "the damage is behind it");
    torn.0.0.remove(&chunk_key(Lid(7), 30));
    assert_eq!(whole(&torn).unwrap_err().code(), JetErr::ReadVerifyFailure, "it may be there");
    let mut tree = torn.0;
    assert_eq!(whole(&tree).unwrap_err().code(), JetErr::LVCorrupted);
    tree.put(Lid(7), &[3; 35]);
    tree.0.insert(root_key(Lid(7)), vec![1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(whole(&tree).unwrap_err().code(), JetErr::LVCorrupted, "chunks of no bytes");
    assert_eq!(read(&tree, Lid(7), CHUNK, 0, 100).unwrap(), b"", "others may add to it");
}
