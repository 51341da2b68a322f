//! Logs that Windows wrote: every record is read and would be written the same, the generations
//! chain, and the dbtimes of the pages follow each other as the records say.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test of real files"
)]

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

use ese_base::{DbTime, Dbid, Generation, LgPos, Pgno};
use ese_log::{
    LogFile, LogNames, LogStream, Record, Situation, StreamReader,
    layout::{Framing, SEGMENT_HEADER_LEN, SEGMENT_LEN},
    records::framing,
};
use ese_os::Env;

/// All files of the test data whose name ends like a log's.
fn logs(data: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![data.join("recovery")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("log")) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_record_of_every_windows_log_is_read_and_would_be_written_the_same() {
    let test = "every_record_of_every_windows_log_is_read_and_would_be_written_the_same";
    let Some(data) = ese_tests::real_data(test) else { return };
    let env = Env::real();
    let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut files = 0;
    for path in logs(&data) {
        let file = LogFile::read(&env, path.clone()).unwrap();
        let header = file.header().unwrap();
        if header.framing().unwrap() != Framing::Segments {
            continue;
        }
        files += 1;
        // The header, too, would be written the same but for what readers ignore.
        assert_eq!(header.file_len(), file.len, "{}", path.display());
        let mut reader = StreamReader::of_file(&env, &file);
        let mut end = LgPos { generation: header.generation, isec: 1, ib: 0 };
        while let Some(entry) = reader.next().unwrap() {
            assert!(entry.pos >= end && entry.end > entry.pos, "{entry:?} behind {end}");
            end = entry.end;
            *kinds.entry(entry.record.name()).or_default() += 1;
            let mut bytes = Vec::new();
            entry.record.encode(&mut bytes).unwrap();
            let stored = stored_bytes(&path, entry.pos, bytes.len());
            assert_eq!(bytes, stored, "{} {}", path.display(), entry.record.describe());
            assert_eq!(entry.record.encoded_len().unwrap(), bytes.len());
        }
    }
    assert!(files >= 14, "only {files} logs of the 8.4000 format");
    // Roll-backs and their undo records do not occur in this data.
    for kind in [
        "Init2",
        "Term2",
        "AttachDb",
        "CreateDb",
        "CreateDbFinish",
        "Begin0",
        "Begin",
        "Commit",
        "Commit0",
        "MacroBegin",
        "MacroCommit",
        "Insert",
        "Replace",
        "FlagDelete",
        "Delete",
        "Split",
        "SetExternalHeader",
        "CreateMultipleExtentFdp",
        "CreateSingleExtentFdp",
        "ConvertFdp",
        "ExtendDb",
        "NewPage",
        "MacroInfo",
        "Trace",
        "ShutDownMark",
        "RecoveryUndo2",
        "RecoveryQuit2",
        "SetDbVersion",
    ] {
        assert!(kinds.contains_key(kind), "no {kind} record among {kinds:?}");
    }
}

/// The bytes of a record as a file holds them, read independently of the crate: pieces put
/// together by the rules of log-records 2.1.
fn stored_bytes(path: &Path, pos: LgPos, len: usize) -> Vec<u8> {
    let file = fs::read(path).unwrap();
    let mut isec = usize::from(pos.isec);
    let mut at = if pos.ib == 0 { SEGMENT_HEADER_LEN } else { usize::from(pos.ib) };
    // The last segment may only be whole in its shadow; none of the test data needs that.
    let segment = |isec: usize| &file[isec * SEGMENT_LEN..(isec + 1) * SEGMENT_LEN];
    if segment(isec)[at] != framing::FRAGMENT_BEGIN {
        return segment(isec)[at..at + len].to_vec();
    }
    let u16_at = |s: &[u8], at: usize| usize::from(u16::from_le_bytes([s[at], s[at + 1]]));
    let first = u16_at(segment(isec), at + 5);
    assert_eq!(at + 7 + first, SEGMENT_LEN, "a first piece ends with its segment");
    let mut bytes = segment(isec)[at + 7..].to_vec();
    while bytes.len() < len {
        isec += 1;
        at = SEGMENT_HEADER_LEN;
        assert_eq!(segment(isec)[at], framing::FRAGMENT);
        let piece = u16_at(segment(isec), at + 1);
        bytes.extend_from_slice(&segment(isec)[at + 3..at + 3 + piece]);
    }
    bytes
}

/// Reads a stream; the value is its records' count, the last record's type and position.
fn read_stream(dir: &Path) -> (u64, u8, LgPos, LogStream) {
    let stream = LogStream::scan(&Env::real(), &LogNames::new(dir, "SRU")).unwrap();
    assert_eq!(stream.situation(), Situation::Current);
    let from = LgPos { generation: stream.oldest().unwrap(), isec: 0, ib: 0 };
    let mut reader = stream.reader(from).unwrap();
    let mut count = 0;
    while reader.next().unwrap().is_some() {
        count += 1;
    }
    let end = reader.end().unwrap();
    assert!(!end.is_torn());
    let (pos, number) = end.last_record().unwrap();
    (count, number, pos, stream)
}

#[test]
fn the_generations_of_windows_streams_chain() {
    let Some(data) = ese_tests::real_data("the_generations_of_windows_streams_chain") else {
        return;
    };
    let recovery = data.join("recovery");
    let (_, last, pos, stream) = read_stream(&recovery.join("srum-server2022/merged"));
    assert_eq!(stream.oldest().unwrap(), Generation(1));
    assert_eq!((last, pos), (50, LgPos::new(5, 6, 0)));
    // The temporary file here is generation 2, waiting to be used again.
    let (_, last, pos, stream) = read_stream(&recovery.join("srum-server2022/b"));
    assert_eq!(stream.oldest().unwrap(), Generation(3));
    assert_eq!((last, pos), (50, LgPos::new(5, 6, 0)));
    // The newest generation was begun by a newer engine and is empty; the one before it is short.
    let (_, last, pos, stream) = read_stream(&recovery.join("srum-win10-dirty/dirty"));
    assert_eq!(stream.oldest().unwrap(), Generation(0x4e));
    assert_eq!(stream.newest().unwrap(), Generation(0x52));
    assert_eq!(pos.generation, Generation(0x51));
    assert_ne!(last, 50, "this stream did not end cleanly");
}

#[test]
fn page_dbtimes_follow_each_other_through_a_whole_windows_history() {
    let test = "page_dbtimes_follow_each_other_through_a_whole_windows_history";
    let Some(data) = ese_tests::real_data(test) else { return };
    let dir = data.join("recovery/srum-server2022/merged");
    let (_, _, _, stream) = read_stream(&dir);
    let mut reader = stream.reader(LgPos::new(1, 0, 0)).unwrap();
    let mut pages: HashMap<(Dbid, Pgno), DbTime> = HashMap::new();
    // Changes of a group count when it is committed.
    let mut groups: HashMap<u16, Vec<Change>> = HashMap::new();
    let mut checked = 0;
    while let Some(entry) = reader.next().unwrap() {
        let record = entry.record;
        let procid = record.procid().map_or(0, |p| p.0);
        match record {
            Record::MacroBegin(_) => {
                groups.insert(procid, Vec::new());
            }
            Record::MacroAbort(_) => {
                groups.remove(&procid);
            }
            Record::MacroCommit(_) => {
                let changes = groups.remove(&procid).unwrap();
                checked += apply(&mut pages, &changes);
            }
            // Takes a page into use; the record that fills it is not checked against this.
            Record::NewPage(_) => {}
            _ => {
                let changes: Vec<Change> = record.pages().collect();
                match groups.get_mut(&procid) {
                    Some(group) => group.extend(changes),
                    None => checked += apply(&mut pages, &changes),
                }
            }
        }
    }
    assert!(checked > 1000, "only {checked} changes were checked");
}

type Change = (Dbid, Pgno, DbTime, DbTime);

/// Applies changes of one moment; the value is how many could be checked.
fn apply(pages: &mut HashMap<(Dbid, Pgno), DbTime>, changes: &[Change]) -> u64 {
    let mut checked = 0;
    for &(dbid, pgno, before, _) in changes {
        if before != DbTime::NOT_CHECKED
            && let Some(known) = pages.get(&(dbid, pgno))
        {
            assert_eq!(*known, before, "page {pgno}");
            checked += 1;
        }
    }
    for &(dbid, pgno, _, after) in changes {
        pages.insert((dbid, pgno), after);
    }
    checked
}
