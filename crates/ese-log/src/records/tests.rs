//! Each record against bytes laid out by hand after the offsets of log-records section 2.

use ese_base::{
    BkInfo, DbTime, Dbid, Iline, LgPos, LogTime, ObjId, Pgno, ProcId, RceId, Signature, TrxId,
};
use zerocopy::IntoBytes;

use super::*;
use crate::layout::DbmsParam;

mod attachments;

/// A record of `len` bytes: zero except for the named offsets.
fn laid_out(len: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let mut used = vec![false; len];
    for (at, field) in fields {
        for (i, byte) in field.iter().enumerate() {
            assert!(!std::mem::replace(&mut used[at + i], true), "offset {} set twice", at + i);
            bytes[at + i] = *byte;
        }
    }
    bytes
}

/// The record is written as these bytes and read from them, whatever follows; every shorter
/// input is refused.
fn same(record: Record<'_>, bytes: &[u8]) {
    let mut written = Vec::new();
    record.encode(&mut written).unwrap();
    assert_eq!(written, bytes, "{record:?}");
    assert_eq!(record.encoded_len().unwrap(), bytes.len());
    assert_eq!(Record::decode(bytes).unwrap(), record);
    assert_eq!(record.number(), bytes[0]);

    let mut longer = bytes.to_vec();
    longer.extend_from_slice(&[0xff; 3]);
    assert_eq!(Record::record_len(&longer).unwrap(), bytes.len());
    assert_eq!(Record::decode(&longer).unwrap_err().jet_code(), -501);
    for len in 0..bytes.len() {
        assert_eq!(Record::decode(&bytes[..len]).unwrap_err().jet_code(), -501, "cut at {len}");
    }
    assert!(record.describe().starts_with(record.name()));
}

fn page() -> PageHead {
    PageHead {
        procid: ProcId(0x0102),
        dbid: Dbid(3),
        pgno: Pgno(0x0405_0607),
        dbtime: DbTime(0x1112_1314_1516_1718),
        dbtime_before: DbTime(0x2122_2324_2526_2728),
        trx_begin0: TrxId(0x3132_3334),
        level: 0x41,
        iline: Iline(0x5152),
        flags: RecordFlags::VERSIONED | RecordFlags::UNIQUE,
    }
}

const PAGE: &[(usize, &[u8])] = &[
    (1, &[0x02, 0x01]),
    (3, &[3]),
    (4, &[0x07, 0x06, 0x05, 0x04]),
    (8, &[0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]),
    (16, &[0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21]),
    (24, &[0x34, 0x33, 0x32, 0x31]),
    (28, &[0x41]),
    (29, &[0x52, 0x51]),
    (31, &[5]),
];

fn node() -> NodeHead {
    NodeHead {
        page: page(),
        rceid: RceId(0x6162_6364),
        pgno_fdp: Pgno(0x7172_7374),
        objid_fdp: ObjId(0x8182_8384),
    }
}

const NODE: &[(usize, &[u8])] = &[
    (32, &[0x64, 0x63, 0x62, 0x61]),
    (36, &[0x74, 0x73, 0x72, 0x71]),
    (40, &[0x84, 0x83, 0x82, 0x81]),
];

/// A record that starts with the page part.
fn with_page(len: usize, number: u8, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let number = [number];
    let all: Vec<(usize, &[u8])> =
        [(0, &number[..])].iter().chain(PAGE).chain(fields).copied().collect();
    laid_out(len, &all)
}

/// A record that starts with the node part.
fn with_node(len: usize, number: u8, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let all: Vec<(usize, &[u8])> = NODE.iter().chain(fields).copied().collect();
    with_page(len, number, &all)
}

fn signature(random: u32) -> Signature {
    Signature::new(random, LogTime { second: 1, minute: 2, hour: 3, ..LogTime::NULL })
}

const TIME: LogTime = LogTime {
    second: 1,
    minute: 2,
    hour: 3,
    day: 4,
    month: 5,
    year: 120,
    utc_and_ms_low: 7,
    snapshot_and_ms_high: 8,
};
const TIME_BYTES: &[u8] = &[1, 2, 3, 4, 5, 120, 7, 8];
const POS: LgPos = LgPos::new(0x0908_0706, 0x0504, 0x0302);
const POS_BYTES: &[u8] = &[0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09];

#[test]
fn transaction_records_lie_as_section_2_2_says() {
    let procid = ProcId(0x0102);
    same(Record::Begin(Begin { procid, levels: begin_levels(1, 1) }), &[5, 2, 1, 0x11]);
    same(Record::Commit(Commit { procid, level_to: 2 }), &[6, 2, 1, 2]);
    same(Record::Rollback(Rollback { procid, levels: 1 }), &[7, 2, 1, 1]);
    same(
        Record::Begin0(Begin0 {
            procid,
            levels: begin_levels(0, 2),
            trx_begin0: TrxId(0x0403_0201),
        }),
        &[8, 2, 1, 0x20, 1, 2, 3, 4],
    );
    same(
        Record::Commit0(Commit0 { procid, level_to: 0, trx_commit0: TrxId(0x0403_0201) }),
        &[9, 2, 1, 0, 1, 2, 3, 4],
    );
    same(
        Record::Refresh(Refresh { procid, trx_begin0: TrxId(0x0403_0201) }),
        &[10, 2, 1, 1, 2, 3, 4],
    );
    let dbtime = DbTime(0x0807_0605_0403_0201);
    let macro_bytes = |number| [number, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8];
    same(Record::MacroBegin(MacroBegin { procid, dbtime }), &macro_bytes(11));
    same(Record::MacroCommit(MacroCommit { procid, dbtime }), &macro_bytes(12));
    same(Record::MacroAbort(MacroAbort { procid, dbtime }), &macro_bytes(13));
}

#[test]
fn insertions_lie_as_section_2_3_says() {
    // Lengths in the order suffix, prefix, data; bytes in the order prefix, suffix, data.
    same(
        Record::Insert(Insert { node: node(), suffix: b"suf", prefix: b"pr", data: b"data" }),
        &with_node(
            59,
            29,
            &[
                (44, &[3, 0]),
                (46, &[2, 0]),
                (48, &[4, 0]),
                (50, b"pr"),
                (52, b"suf"),
                (55, b"data"),
            ],
        ),
    );
    same(
        Record::FlagInsert(FlagInsert { node: node(), key: b"key", data: b"da" }),
        &with_node(53, 30, &[(44, &[3, 0]), (46, &[2, 0]), (48, b"key"), (51, b"da")]),
    );
    same(
        Record::FlagInsertAndReplaceData(FlagInsertAndReplaceData {
            node: node(),
            key: b"key",
            data: b"da",
            rceid_replace: RceId(0x0403_0201),
        }),
        &with_node(
            57,
            31,
            &[(44, &[3, 0]), (46, &[2, 0]), (48, &[1, 2, 3, 4]), (52, b"key"), (55, b"da")],
        ),
    );
    same(Record::FlagDelete(FlagDelete { node: node() }), &with_node(44, 32, &[]));
    same(Record::Delete(Delete { node: node() }), &with_node(44, 35, &[]));
}

#[test]
fn replacements_lie_as_section_2_3_says() {
    same(
        Record::Replace(Replace { node: node(), old_len: 9, data: b"new" }),
        &with_node(53, 33, &[(44, &[3, 0]), (46, &[9, 0]), (48, &[3, 0]), (50, b"new")]),
    );
    for (wide, cb) in [(false, [2, 0]), (true, [2, 0x80])] {
        same(
            Record::ReplaceD(ReplaceD { node: node(), old_len: 9, new_len: 8, wide, diff: b"di" }),
            &with_node(52, 34, &[(44, &cb), (46, &[9, 0]), (48, &[8, 0]), (50, b"di")]),
        );
    }
    let diff = vec![0; 0x8000];
    let too_long = Record::ReplaceD(ReplaceD {
        node: node(),
        old_len: 9,
        new_len: 8,
        wide: false,
        diff: &diff,
    });
    assert_eq!(too_long.parts().unwrap_err().jet_code(), -517);
}

#[test]
fn undo_and_counter_records_lie_as_section_2_3_says() {
    let bookmark: &[(usize, &[u8])] = &[(44, &[3, 0]), (46, &[2, 0])];
    let with = |len, number, fields: &[(usize, &[u8])]| {
        let all: Vec<(usize, &[u8])> = bookmark.iter().chain(fields).copied().collect();
        with_node(len, number, &all)
    };
    same(
        Record::UndoInfo(UndoInfo {
            node: node(),
            key: b"key",
            bm_data: b"bm",
            oper: Oper::Replace,
            max_len: 0x0102,
            delta_len: -2,
            data: b"old",
        }),
        &with(
            64,
            36,
            &[
                (48, &[2, 0]),
                (50, &[2, 1]),
                (52, &[0xfe, 0xff]),
                (54, &[3, 0]),
                (56, b"key"),
                (59, b"bm"),
                (61, b"old"),
            ],
        ),
    );
    same(
        Record::Undo(Undo {
            node: node(),
            key: b"key",
            bm_data: b"bm",
            oper: Oper::Insert,
            level_undone: 7,
        }),
        &with(56, 39, &[(48, &[1, 0]), (50, &[7]), (51, b"key"), (54, b"bm")]),
    );
    same(
        Record::Delta(Delta {
            node: node(),
            key: b"key",
            bm_data: b"bm",
            delta: -2,
            offset: 0x0102,
        }),
        &with(59, 37, &[(48, &[0xfe, 0xff, 0xff, 0xff]), (52, &[2, 1]), (54, b"key"), (57, b"bm")]),
    );
    same(
        Record::Delta64(Delta64 {
            node: node(),
            key: b"key",
            bm_data: b"bm",
            delta: 0x0807_0605_0403_0201,
            offset: 0x0a09,
        }),
        &with(
            63,
            93,
            &[(48, &[1, 2, 3, 4, 5, 6, 7, 8]), (56, &[9, 10]), (58, b"key"), (61, b"bm")],
        ),
    );
    same(
        Record::SetExternalHeader(SetExternalHeader { node: node(), data: b"head" }),
        &with_node(50, 38, &[(44, &[4, 0]), (46, b"head")]),
    );
    same(
        Record::Scrub(Scrub { node: node(), scrub_flags: 0x0403_0201, count: 5, items: b"it" }),
        &with_node(56, 64, &[(44, &[1, 2, 3, 4]), (48, &[5, 0, 0, 0]), (52, &[2, 0]), (54, b"it")]),
    );
}

fn split() -> Split<'static> {
    Split {
        page: page(),
        pgno_new: Pgno(0x21),
        pgno_right: Pgno(0x22),
        dbtime_right_before: DbTime(0x23),
        pgno_parent: Pgno(0x24),
        dbtime_parent_before: DbTime(0x25),
        pgno_fdp: Pgno(0x26),
        objid_fdp: ObjId(0x27),
        split_type: SplitType::Append,
        split_oper: SplitOper::FlagInsertAndReplaceData,
        iline_oper: Iline(0x28),
        iline_split: Iline(0x29),
        lines: 0x2a,
        new_page_flags: 0x2b,
        split_page_flags: 0x2c,
        uncommitted_free_src: -1,
        uncommitted_free_dest: 0x2d,
        iline_prefix_split: -1,
        iline_prefix_new: 0x2e,
        parent_key: b"key",
        prefix_old: b"old!",
        prefix_new: b"newer",
        image: None,
    }
}

const SPLIT: &[(usize, &[u8])] = &[
    (32, &[0x21]),
    (36, &[0x22]),
    (40, &[0x23]),
    (48, &[0x24]),
    (52, &[0x25]),
    (60, &[0x26]),
    (64, &[0x27]),
    (68, &[2]),
    (69, &[3]),
    (70, &[0x28]),
    (72, &[0x29]),
    (74, &[0x2a]),
    (76, &[0x2b]),
    (80, &[0x2c]),
    (84, &[0xff, 0xff]),
    (86, &[0x2d]),
    (88, &[0xff; 4]),
    (92, &[0x2e]),
    (96, &[4]),
    (98, &[5]),
    (100, &[3]),
];

#[test]
fn splits_lie_as_section_2_4_says() {
    let old_form: Vec<(usize, &[u8])> = SPLIT
        .iter()
        .chain(&[(102, &b"key"[..]), (105, b"old!"), (109, b"newer")])
        .copied()
        .collect();
    same(Record::Split(split()), &with_page(114, 27, &old_form));

    let image = Some(PageImage { flags: 2, bytes: b"image!" });
    let new_form: Vec<(usize, &[u8])> = SPLIT
        .iter()
        .chain(&[
            (102, &[2][..]),
            (106, &[6]),
            (110, b"key"),
            (113, b"old!"),
            (117, b"newer"),
            (122, b"image!"),
        ])
        .copied()
        .collect();
    same(Record::Split(Split { image, ..split() }), &with_page(128, 62, &new_form));

    let mut impossible = with_page(114, 27, &old_form);
    impossible[68] = 9;
    assert_eq!(Record::decode(&impossible).unwrap_err().jet_code(), -501);
}

#[test]
fn merges_lie_as_section_2_4_says() {
    let merge = Merge {
        page: page(),
        pgno_right: Pgno(0x21),
        dbtime_right_before: DbTime(0x22),
        pgno_left: Pgno(0x23),
        dbtime_left_before: DbTime(0x24),
        pgno_parent: Pgno(0x25),
        dbtime_parent_before: DbTime(0x26),
        pgno_fdp: Pgno(0x27),
        objid_fdp: ObjId(0x28),
        size_total: 0x29,
        size_max_total: 0x2a,
        uncommitted_free_dest: 0x2b,
        iline_merge: Iline(0x2c),
        merge_flags: 0x2d,
        merge_type: MergeType::FullRight,
        parent_key: b"key",
        image: None,
    };
    let fields: &[(usize, &[u8])] = &[
        (32, &[0x21]),
        (36, &[0x22]),
        (44, &[0x23]),
        (48, &[0x24]),
        (56, &[0x25]),
        (60, &[0x26]),
        (68, &[0x27]),
        (72, &[0x28]),
        (76, &[0x29]),
        (78, &[0x2a]),
        (80, &[0x2b]),
        (82, &[0x2c]),
        (84, &[0x2d]),
        (85, &[2]),
        (86, &[3]),
    ];
    let old: Vec<(usize, &[u8])> = fields.iter().chain(&[(88, &b"key"[..])]).copied().collect();
    same(Record::Merge(merge), &with_page(91, 28, &old));
    let new: Vec<(usize, &[u8])> = fields
        .iter()
        .chain(&[(88, &[1][..]), (92, &[2]), (96, b"key"), (99, b"im")])
        .copied()
        .collect();
    let image = Some(PageImage { flags: 1, bytes: b"im" });
    same(Record::Merge(Merge { image, ..merge }), &with_page(101, 63, &new));
}

#[test]
fn page_moves_and_page_lists_lie_as_sections_2_3_and_2_8_say() {
    same(
        Record::PageMove(PageMove {
            page: page(),
            pgno_dest: Pgno(0x21),
            pgno_left: Pgno(0x22),
            pgno_right: Pgno(0x23),
            pgno_parent: Pgno(0x24),
            dbtime_left_before: DbTime(0x25),
            dbtime_right_before: DbTime(0x26),
            dbtime_parent_before: DbTime(0x27),
            pgno_fdp: Pgno(0x28),
            objid_fdp: ObjId(0x29),
            iline_parent: -1,
            move_flags: 0x2a,
            header: b"header",
            trailer: b"tr",
        }),
        &with_page(
            104,
            65,
            &[
                (32, &[0x21]),
                (36, &[0x22]),
                (40, &[0x23]),
                (44, &[0x24]),
                (48, &[0x25]),
                (56, &[0x26]),
                (64, &[0x27]),
                (72, &[0x28]),
                (76, &[0x29]),
                (80, &[0xff; 4]),
                (84, &[0x2a]),
                (88, &[6]),
                (92, &[2]),
                (96, b"header"),
                (102, b"tr"),
            ],
        ),
    );
    let list = [9, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0x0d, 0, 0, 0];
    let empty_tree = EmptyTree { node: node(), list: &list };
    same(Record::EmptyTree(empty_tree), &with_node(62, 48, &[(44, &[16, 0]), (46, &list)]));
    assert_eq!(
        empty_tree.pages().collect::<Vec<_>>(),
        [EmptyTreePage { dbtime_before: DbTime(9), pgno: Pgno(7), page_flags: 0x0d }]
    );
    same(
        Record::RootPageMove(RootPageMove {
            dbtime: DbTime(0x0807_0605_0403_0201),
            dbid: Dbid(9),
            objid: ObjId(10),
            procid: ProcId(11),
        }),
        &laid_out(16, &[(0, &[96, 1, 2, 3, 4, 5, 6, 7, 8]), (9, &[9]), (10, &[10]), (14, &[11])]),
    );
    let pages = PgnoList(&[1, 0, 0, 0, 2, 1, 0, 0]);
    same(Record::MacroInfo(MacroInfo { pages }), &[67, 8, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0]);
    assert_eq!(pages.iter().collect::<Vec<_>>(), [Pgno(1), Pgno(0x102)]);
    same(
        Record::MacroInfo2(MacroInfo2 { dbid: Dbid(1), count: 2, pages }),
        &[73, 13, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0],
    );
}

#[test]
fn tree_creations_lie_as_section_2_5_says() {
    same(
        Record::CreateMultipleExtentFdp(CreateMultipleExtentFdp {
            page: page(),
            objid: ObjId(0x21),
            pgno_oe: Pgno(0x22),
            pgno_ae: Pgno(0x23),
            pgno_fdp_parent: Pgno(0x24),
            primary_pages: 0x25,
            page_flags: 0x40,
        }),
        &with_page(
            56,
            24,
            &[
                (32, &[0x21]),
                (36, &[0x22]),
                (40, &[0x23]),
                (44, &[0x24]),
                (48, &[0x25]),
                (52, &[0x40]),
            ],
        ),
    );
    same(
        Record::CreateSingleExtentFdp(CreateSingleExtentFdp {
            page: page(),
            objid: ObjId(0x21),
            pgno_fdp_parent: Pgno(0x22),
            primary_pages: 0x23,
            page_flags: 0x440,
        }),
        &with_page(48, 25, &[(32, &[0x21]), (36, &[0x22]), (40, &[0x23]), (44, &[0x40, 4])]),
    );
    let convert = ConvertFdp {
        page: page(),
        objid: ObjId(0x21),
        pgno_oe: Pgno(0x22),
        pgno_ae: Pgno(0x23),
        pgno_fdp_parent: Pgno(0x24),
        pgno_secondary_first: Pgno(0x25),
        primary_pages: 0x26,
        secondary_pages: 0x27,
        available: None,
    };
    let fields: &[(usize, &[u8])] = &[
        (32, &[0x21]),
        (36, &[0x22]),
        (40, &[0x23]),
        (44, &[0x24]),
        (48, &[0x25]),
        (52, &[0x26]),
        (56, &[0x27]),
    ];
    same(Record::ConvertFdp(convert), &with_page(60, 26, fields));
    let new: Vec<(usize, &[u8])> =
        fields.iter().chain(&[(60, &[0x28][..]), (64, &[0x29])]).copied().collect();
    let available = Some(ConvertAvailable { bits: 0x28, page_flags: 0x29 });
    same(Record::ConvertFdp(ConvertFdp { available, ..convert }), &with_page(68, 58, &new));
}

#[test]
fn space_records_lie_as_section_2_8_says() {
    same(
        Record::NewPage(NewPage {
            procid: ProcId(0x0102),
            dbid: Dbid(3),
            pgno: Pgno(4),
            objid: ObjId(5),
            dbtime: DbTime(6),
        }),
        &laid_out(20, &[(0, &[95, 2, 1, 3]), (4, &[4]), (8, &[5]), (12, &[6])]),
    );
    same(
        Record::ExtendDb(ExtendDb { dbid: Dbid(1), last: Pgno(0x0403_0201), more: &[] }),
        &[68, 5, 0, 0, 0, 1, 1, 2, 3, 4],
    );
    same(
        Record::FreeFdp(FreeFdp {
            more: &[],
            dbid: Dbid(1),
            pgno_fdp: Pgno(2),
            trx_committed: TrxId(3),
            kind: 4,
        }),
        &laid_out(15, &[(0, &[74, 10]), (5, &[1]), (6, &[2]), (10, &[3]), (14, &[4])]),
    );
    for (form, dbtime, len) in [(78, None, 10), (94, None, 10), (99, Some(DbTime(7)), 18)] {
        let mut bytes = laid_out(len, &[(0, &[form, 1]), (2, &[2]), (6, &[3])]);
        if len == 18 {
            bytes[10] = 7;
        }
        same(
            Record::ShrinkDb(ShrinkDb { form, dbid: Dbid(1), last: Pgno(2), pages: 3, dbtime }),
            &bytes,
        );
    }
    same(
        Record::TrimDb(TrimDb { dbid: Dbid(1), first: Pgno(2), pages: 3 }),
        &laid_out(10, &[(0, &[81, 1]), (2, &[2]), (6, &[3])]),
    );
    let freed = ExtentFreed { dbid: Dbid(1), first: Pgno(2), pages: 3, flags: 4, dbtime: None };
    let fields: &[(usize, &[u8])] = &[(1, &[1]), (2, &[2]), (6, &[3]), (10, &[4])];
    let old: Vec<_> = [(0, &[100][..])].iter().chain(fields).copied().collect();
    same(Record::ExtentFreed(freed), &laid_out(11, &old));
    let new: Vec<_> = [(0, &[101][..]), (11, &[5])].iter().chain(fields).copied().collect();
    let dbtime = Some(DbTime(5));
    same(Record::ExtentFreed(ExtentFreed { dbtime, ..freed }), &laid_out(19, &new));
}

#[test]
fn run_records_lie_as_section_2_7_says() {
    let mut params = DbmsParam::zeroed();
    params.set_paths("sys", "log");
    params.sessions = 5.into();
    let mut bytes = vec![49];
    bytes.extend_from_slice(params.as_bytes());
    assert_eq!(&bytes[1..4], b"sys");
    assert_eq!(&bytes[262..265], b"log");
    assert_eq!(bytes[524], 5);
    bytes.extend_from_slice(TIME_BYTES);
    assert_eq!(bytes.len(), 576);
    same(Record::Init2(Init2 { params: &params, time: Some(TIME) }), &bytes);
    bytes[0] = 1;
    same(Record::Init2(Init2 { params: &params, time: None }), &bytes[..568]);

    let timed = RunEnd { started: POS, redo_from: LgPos::new(4, 0, 0), hard: 9, time: Some(TIME) };
    let untimed = RunEnd { time: None, ..timed };
    let with = |number| {
        laid_out(26, &[(0, &[number]), (1, POS_BYTES), (13, &[4]), (17, &[9]), (18, TIME_BYTES)])
    };
    same(Record::Term2(Term2(timed)), &with(50));
    same(Record::Term2(Term2(untimed)), &with(2)[..18]);
    same(Record::RecoveryQuit2(RecoveryQuit2(timed)), &with(52));
    same(Record::RecoveryQuit2(RecoveryQuit2(untimed)), &with(18)[..18]);
    same(Record::RecoveryQuitKeepAttachments(RecoveryQuitKeepAttachments(timed)), &with(80));
    same(Record::RecoveryUndo2(RecoveryUndo2 { time: None }), &[17]);
    same(
        Record::RecoveryUndo2(RecoveryUndo2 { time: Some(TIME) }),
        &[51, 1, 2, 3, 4, 5, 120, 7, 8],
    );
    same(Record::ShutDownMark(ShutDownMark {}), &[23]);
}

#[test]
fn database_creations_lie_as_section_2_7_says() {
    let path = LoggedPath::encode("a.edb");
    assert_eq!(path, b"a\0.\0e\0d\0b\0\0\0");
    let create = CreateDb {
        procid: ProcId(0x0102),
        dbid: Dbid(3),
        grbit: 4,
        pages_max: 5,
        sign_db: signature(0x0706_0504),
        flags: 0x10,
        version: Some((2, 0)),
        path: LoggedPath::wide(&path),
    };
    let sign_bytes: &[u8] = &[4, 5, 6, 7, 1, 2, 3];
    same(
        Record::CreateDb(create),
        &laid_out(
            59,
            &[
                (0, &[14, 2, 1, 3]),
                (4, &[4]),
                (8, &[5]),
                (12, sign_bytes),
                (40, &[12, 0]),
                (42, &[0x1c]),
                (43, &[2, 0]),
                (45, &[0, 0]),
                (47, &path),
            ],
        ),
    );
    same(
        Record::CreateDb(CreateDb {
            version: None,
            flags: 0,
            path: LoggedPath { bytes: b"a\0", wide: false },
            ..create
        }),
        &laid_out(
            45,
            &[(0, &[14, 2, 1, 3]), (4, &[4]), (8, &[5]), (12, sign_bytes), (40, &[2]), (43, b"a")],
        ),
    );
    same(
        Record::CreateDbFinish(CreateDbFinish { procid: ProcId(0x0102), dbid: Dbid(3) }),
        &[79, 2, 1, 3],
    );
}
