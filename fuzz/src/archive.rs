//! Arbitrary bytes as a backup archive: reading never panics, never gives more than was announced,
//! and an archive whose end was reached unpacks to the files that its manifest lists.
//!
//! Input: options, then the archive.

use std::path::Path;

use ese_backup::stream::{
    Unpacking,
    archive::{ArchivePart, ArchiveReader, FRAME_DATA_LEN},
    unpack,
};
use ese_base::StopToken;
use ese_sim::SimEnv;

use crate::input::Input;

/// Option bit: give every frame right checksums, numbers and one archive, so that damage reaches
/// what is inside.
pub const STAMP: u8 = 1;
/// Option bit: unpack what is sound (slow).
pub const UNPACK: u8 = 2;

const HEAD_LEN: usize = 32;
/// Files that are announced to be longer only take longer.
const FILE_LEN_MAX: u64 = 8 << 20;

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let options = input.byte();
    let mut bytes = input.rest().to_vec();
    if options & STAMP != 0 {
        stamp(&mut bytes);
    }
    let mut reader = ArchiveReader::new(&bytes[..], Path::new("input"));
    let mut buffer = vec![0; FRAME_DATA_LEN];
    let (mut left, mut small, mut ended) = (0, true, false);
    loop {
        match reader.next(&mut buffer) {
            Ok(Some(ArchivePart::Start(_))) => {}
            Ok(Some(ArchivePart::File(head))) => {
                assert_eq!(left, 0, "the file before was whole");
                assert!(!head.name.contains('/'), "{:?}", head.name);
                left = head.len;
                small &= head.len <= FILE_LEN_MAX;
            }
            Ok(Some(ArchivePart::Data(len))) => left -= len as u64,
            Ok(Some(ArchivePart::Manifest(_))) => {
                assert_eq!(left, 0, "the last file was whole");
                ended = true;
            }
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty() && error.path().is_some());
                return;
            }
        }
    }
    assert!(ended, "only a manifest ends an archive");
    if options & UNPACK != 0 && small {
        let (env, _disk) = SimEnv::new(1);
        let mut unpacking = Unpacking { progress: &mut |_, _| (), stop: StopToken::new() };
        let (name, dir) = (Path::new("input"), Path::new("/set"));
        let manifest = unpack(&env, &mut &bytes[..], name, dir, &mut unpacking)
            .expect("what was read to its end can be unpacked");
        for entry in &manifest.databases {
            assert!(env.fs.exists(&dir.join(&entry.name)).expect("a disk that works"));
        }
    }
}

fn stamp(bytes: &mut [u8]) {
    let (mut at, mut number) = (0, 0_u64);
    while at + HEAD_LEN <= bytes.len() {
        let len = bytes[at + 16..at + 20].try_into().map_or(0, u32::from_le_bytes);
        let room = bytes.len() - at - HEAD_LEN;
        let len = usize::try_from(len).expect("32 bits").min(room);
        let crc = crc32fast::hash(&bytes[at + HEAD_LEN..at + HEAD_LEN + len]);
        let head = &mut bytes[at..at + HEAD_LEN];
        head[..4].copy_from_slice(b"ESEF");
        head[8..16].copy_from_slice(&number.to_le_bytes());
        head[16..20].copy_from_slice(&u32::try_from(len).expect("as before").to_le_bytes());
        head[20..24].copy_from_slice(&crc.to_le_bytes());
        head[24..28].fill(7);
        let sum = crc32fast::hash(&head[..28]);
        head[28..].copy_from_slice(&sum.to_le_bytes());
        at += HEAD_LEN + len;
        number += 1;
    }
}

/// Archives of a few files, made by hand: a frame's layout is in docs/format/backup-archive.md.
pub fn seeds() -> Vec<Vec<u8>> {
    let frame = |kind: u8, content: &[u8]| {
        let mut head = [0; HEAD_LEN];
        head[4] = kind;
        head[16..20].copy_from_slice(&u32::try_from(content.len()).expect("small").to_le_bytes());
        [&head, content].concat()
    };
    let start = br#"{"format":"ese-backup-archive","version":1,"kind":"full","created":"",
        "page_size":4096,"log_base":"edb","bytes":9000}"#;
    let database = [b'd'; 9000];
    let log = [b'l'; 5000];
    let manifest = manifest(&database, &log);
    let frames = [
        frame(1, start),
        frame(2, br#"{"kind":"database","name":"a.edb","len":9000}"#),
        frame(3, &database),
        frame(2, br#"{"kind":"log","name":"edb00001.log","len":5000}"#),
        frame(3, &log),
        frame(4, manifest.as_bytes()),
    ];
    let all = frames.concat();
    let cut = frames[..5].concat();
    let swapped = [&frames[0], &frames[3], &frames[4], &frames[1], &frames[2], &frames[5]];
    let swapped: Vec<u8> = swapped.into_iter().flatten().copied().collect();
    let options = [0, STAMP, STAMP | UNPACK];
    let archives = [all, cut, swapped];
    let both = options.iter().flat_map(|option| archives.iter().map(move |it| (option, it)));
    both.map(|(option, archive)| [&[*option], archive.as_slice()].concat()).collect()
}

/// The text of a manifest as `docs/format/backup-set.md` has it.
fn manifest(database: &[u8], log: &[u8]) -> String {
    let zeros = "00000000";
    let text = |sum: &str| {
        format!(
            r#"{{
  "format": "ese-backup-set",
  "version": 1,
  "kind": "full",
  "created": "",
  "page_size": 4096,
  "log_base": "edb",
  "log_signature": "",
  "gen_low": 1,
  "gen_high": 1,
  "databases": [
    {{
      "name": "a.edb",
      "source": "/a.edb",
      "len": 9000,
      "crc32": "{:08x}",
      "signature": "",
      "corrected_pages": 0
    }}
  ],
  "logs": [
    {{
      "name": "edb00001.log",
      "generation": 1,
      "len": 5000,
      "crc32": "{:08x}"
    }}
  ],
  "crc32": "{sum}"
}}"#,
            crc32fast::hash(database),
            crc32fast::hash(log)
        )
    };
    text(&format!("{:08x}", crc32fast::hash(text(zeros).as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stamped_seed_is_a_sound_archive() {
        let seeds = seeds();
        let mut bytes = seeds[3][1..].to_vec();
        stamp(&mut bytes);
        let mut reader = ArchiveReader::new(&bytes[..], Path::new("seed"));
        let mut buffer = vec![0; FRAME_DATA_LEN];
        while let Some(part) = reader.next(&mut buffer).expect("a sound archive") {
            if let ArchivePart::Manifest(manifest) = part {
                assert_eq!(manifest.databases[0].name, "a.edb");
            }
        }
    }
}
