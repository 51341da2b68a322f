//! Records of attachments, versions and everything behind them in sections 2.7 and 2.8.

use super::*;

#[test]
fn attachments_and_versions_lie_as_section_2_7_says() {
    let path = LoggedPath::encode("a.edb");
    let sign_bytes: &[u8] = &[4, 5, 6, 7, 1, 2, 3];
    same(
        Record::AttachDb(AttachDb {
            procid: ProcId(0x0102),
            dbid: Dbid(3),
            pages_max: 5,
            lgpos_consistent: POS,
            sign_db: signature(0x0706_0504),
            sign_log: signature(0x0b0a_0908),
            flags: 0,
            path: LoggedPath::wide(&path),
        }),
        &laid_out(
            87,
            &[
                (0, &[15, 2, 1, 3]),
                (4, &[5]),
                (8, POS_BYTES),
                (16, sign_bytes),
                (44, &[8, 9, 10, 11, 1, 2, 3]),
                (72, &[12, 0]),
                (74, &[8]),
                (75, &path),
            ],
        ),
    );
    same(
        Record::DetachDb(DetachDb {
            procid: ProcId(0x0102),
            dbid: Dbid(3),
            flags: 0,
            path: LoggedPath::wide(&path),
        }),
        &laid_out(19, &[(0, &[16, 2, 1, 3, 12, 0, 0x10]), (7, &path)]),
    );
    same(
        Record::SetDbVersion(SetDbVersion {
            dbid: Dbid(1),
            major: 0x620,
            update_major: 20,
            update_minor: 3,
        }),
        &laid_out(14, &[(0, &[92, 1]), (2, &[0x20, 6]), (6, &[20]), (10, &[3])]),
    );
    same(Record::SignalAttachDb(SignalAttachDb { dbid: Dbid(1) }), &[97, 1]);
    same(
        Record::ReAttach(ReAttach {
            more: &[],
            dbid: Dbid(1),
            lgpos_attach: POS,
            lgpos_consistent: LgPos::new(4, 0, 0),
            sign_db: signature(0x0706_0504),
        }),
        &laid_out(50, &[(0, &[72, 45]), (5, &[1]), (6, POS_BYTES), (18, &[4]), (22, sign_bytes)]),
    );
    assert_eq!(LoggedPath::wide(&path).text(), "a.edb");
    assert_eq!(LoggedPath { bytes: b"a.edb\0", wide: false }.text(), "a.edb");
}

#[test]
fn backup_records_lie_as_section_2_7_says() {
    let mark = BkInfo {
        lgpos_mark: POS.into(),
        logtime_mark: TIME,
        gen_low: 0x21.into(),
        gen_high: 0x22.into(),
    };
    same(
        Record::Backup2(Backup2 {
            phase: BackupPhase::Update,
            kind: 0x0403_0201,
            scope: 5,
            dbid: Dbid(6),
            mark,
            reserved: 7,
            path: b"p\0",
        }),
        &laid_out(
            37,
            &[
                (0, &[60, 4, 1, 2, 3, 4, 5, 6]),
                (8, POS_BYTES),
                (16, TIME_BYTES),
                (24, &[0x21]),
                (28, &[0x22]),
                (32, &[7]),
                (33, &[2, 0]),
                (35, b"p"),
            ],
        ),
    );
}

#[test]
fn records_that_redo_skips_lie_as_section_2_8_says() {
    let procid = ProcId(0x0102);
    for (rollover, number) in [(false, 22), (true, 61)] {
        same(
            Record::Trace(Trace { procid, text: b"hi", rollover }),
            &[number, 2, 1, 2, 0, b'h', b'i'],
        );
    }
    same(
        Record::CommitCtx(CommitCtx { procid, context: b"ctx" }),
        &[69, 5, 0, 0, 0, 2, 1, b'c', b't', b'x'],
    );
    same(
        Record::ScanCheck(ScanCheck {
            more: &[],
            dbid: Dbid(1),
            pgno: Pgno(2),
            unused1: 3,
            unused2: 4,
            dbtime_page: DbTime(5),
            dbtime_current: DbTime(6),
            checksum: 7,
        }),
        &laid_out(
            44,
            &[
                (0, &[70, 39]),
                (5, &[1]),
                (6, &[2]),
                (10, &[3]),
                (18, &[4]),
                (26, &[5]),
                (34, &[6]),
                (42, &[7]),
            ],
        ),
    );
    same(
        Record::ScanCheck2(ScanCheck2 {
            dbid: Dbid(1),
            pgno: Pgno(2),
            flags: 3,
            dbtime_page: DbTime(4),
            dbtime_current: DbTime(5),
            checksum: 6,
        }),
        &laid_out(27, &[(0, &[98, 1]), (2, &[2]), (6, &[3]), (7, &[4]), (15, &[5]), (23, &[6])]),
    );
    same(
        Record::PagePatchRequest(PagePatchRequest {
            reserved: [0; 32],
            dbid: Dbid(1),
            pgno: Pgno(2),
            dbtime: DbTime(3),
        }),
        &laid_out(46, &[(0, &[66, 1]), (2, &[2]), (6, &[3])]),
    );
    for number in [75, 82, 91] {
        same(
            Record::Ignored(Ignored { number, bytes: b"any" }),
            &[number, 3, 0, 0, 0, b'a', b'n', b'y'],
        );
    }
    for bytes in [
        &[3, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &[4],
        &[19, 1, 0, b'p'],
        &[20, 0, 0],
        &[21, 0, 0, 9],
        &[45, 1, 0, b'p'],
        &[46, 1, 0, 1, 0, b'p'],
        &[53, 0, 0, 0, 0, 0, 0, 0],
        &[54, 0, 0, 1, 0, 0, 0, 9],
        &[55, 0, 0],
        &[57, 0, 0],
        &[59, 1, 0, b'p'],
    ] {
        same(Record::Obsolete(Obsolete { number: bytes[0], bytes: &bytes[1..] }), bytes);
    }
    let mark = Obsolete { number: 19, bytes: &[1, 0, b'p'] };
    assert!(Record::Obsolete(mark).describe().contains("FullBackup"), "{mark:?}");
}

#[test]
fn a_longer_rest_of_a_sized_record_is_kept() {
    let bytes = [68, 7, 0, 0, 0, 1, 1, 2, 3, 4, 0xee, 0xee];
    let more = &[0xee, 0xee][..];
    let expected = Record::ExtendDb(ExtendDb { dbid: Dbid(1), last: Pgno(0x0403_0201), more });
    let mut again = Vec::new();
    expected.encode(&mut again).unwrap();
    assert_eq!(again, bytes);
    assert_eq!(Record::decode(&bytes).unwrap(), expected);
    assert_eq!(Record::decode(&[68, 4, 0, 0, 0, 1, 1, 2, 3]).unwrap_err().jet_code(), -501);
}

#[test]
fn framing_and_unknown_types_are_no_records() {
    for number in [
        framing::NOP,
        framing::CHECKSUM,
        framing::NOP2,
        framing::FRAGMENT_BEGIN,
        framing::FRAGMENT,
        40,
        44,
        47,
        56,
        102,
        255,
    ] {
        let mut bytes = [0; 64];
        bytes[0] = number;
        assert_eq!(Record::decode_prefix(&bytes).unwrap_err().jet_code(), -501, "{number}");
    }
    assert_eq!(Record::decode_prefix(&[]).unwrap_err().jet_code(), -501);
    for (number, words) in [
        (40, "a SLV record (type 40)"),
        (41, "a SLV record (type 41)"),
        (43, "a SLV record (type 43)"),
        (44, "a ForceDetach record (type 44)"),
        (47, "unknown log record type 47"),
    ] {
        let error = Record::decode_prefix(&[number; 64]).unwrap_err();
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn a_part_that_is_too_long_for_its_length_field_is_refused() {
    let data = vec![0; 0x1_0000];
    let record = Record::SetExternalHeader(SetExternalHeader { node: node(), data: &data });
    let mut out = Vec::new();
    assert_eq!(record.encode(&mut out).unwrap_err().jet_code(), -517);
    assert!(out.is_empty());
}

#[test]
fn the_changed_pages_of_a_record_are_listed_with_their_dbtimes() {
    let record = Record::Split(Split { pgno_right: Pgno::NULL, ..split() });
    let after = page().dbtime;
    assert_eq!(
        record.pages().collect::<Vec<_>>(),
        [
            (Dbid(3), page().pgno, page().dbtime_before, after),
            (Dbid(3), Pgno(0x21), DbTime::NOT_CHECKED, after),
            (Dbid(3), Pgno(0x24), DbTime(0x25), after),
        ]
    );
    assert_eq!(Record::FlagDelete(FlagDelete { node: node() }).pages().count(), 1);
    assert_eq!(Record::ShutDownMark(ShutDownMark {}).pages().count(), 0);
}

#[test]
fn differences_are_applied_as_section_2_6_says() {
    let apply = |old: &[u8], diff: &[u8], wide| {
        let mut new = Vec::new();
        diff::apply(old, diff, wide, &mut new).map(|()| new)
    };
    // Offset 1, same length (0x20), 2 bytes; offset 4, insertion (0x40), 1 byte;
    // offset 5, 2 old bytes become 3.
    let narrow = [1, 0x20, 2, b'X', b'Y', 4, 0x40, 1, b'+', 5, 0, 3, 2, b'1', b'2', b'3'];
    assert_eq!(apply(b"abcdefgh", &narrow, false).unwrap(), b"aXYd+e123h");
    // The same first item wide: offset in 16 bits, then the flags.
    assert_eq!(apply(b"abcd", &[1, 0, 0x20, 2, b'X', b'Y'], true).unwrap(), b"aXYd");
    // Long lengths.
    assert_eq!(apply(b"ab", &[1, 0x80, 1, 0, 1, 0, b'Z'], false).unwrap(), b"aZ");
    for bad in [&[9, 0x20, 1, 0][..], &[1], &[0, 0x20, 5, 1], &[1, 0, 1, 9, 7]] {
        assert_eq!(apply(b"abcd", bad, false).unwrap_err().jet_code(), -501, "{bad:?}");
    }
}

#[test]
fn an_encoded_difference_gives_back_the_new_data() {
    let long = |len: usize, at: usize| {
        let mut data = vec![7; len];
        data[at] = 8;
        data
    };
    for (old, new) in [
        (b"abcdef".to_vec(), b"abXdef".to_vec()),
        (b"abc".to_vec(), b"abc".to_vec()),
        (b"abc".to_vec(), b"abcabc".to_vec()),
        (b"abcabc".to_vec(), b"abc".to_vec()),
        (Vec::new(), b"abc".to_vec()),
        (b"abc".to_vec(), Vec::new()),
        (vec![1; 300], vec![2; 400]),
        (long(9000, 0x1fff), long(9000, 0x1ffe)),
        (long(9000, 0x2000), long(9000, 0x2001)),
    ] {
        let mut diff = Vec::new();
        let wide = diff::encode(&old, &new, &mut diff).unwrap();
        let mut back = Vec::new();
        diff::apply(&old, &diff, wide, &mut back).unwrap();
        assert_eq!(back, new);
    }
}
