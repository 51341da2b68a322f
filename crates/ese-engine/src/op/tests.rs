//! Records applied to pages, one by one.

use ese_base::{DbTime, Dbid, Iline, JetErr, ObjId, PageSize, Pgno, ProcId, RceId, TrxId};
use ese_log::records::{
    ConvertAvailable, ConvertFdp, CreateMultipleExtentFdp, CreateSingleExtentFdp, Delete, Delta,
    Delta64, FlagDelete, FlagInsert, FlagInsertAndReplaceData, Insert, NodeHead, Oper, PageHead,
    Record, RecordFlags, Replace, ReplaceD, SetExternalHeader, Undo, diff,
};
use ese_pages::{NodeFlags, PageFlags, PageMut, PageRef, Validate, validate};

use super::{
    Undone, apply,
    fdp::{self, FdpPages},
};

const SIZE: PageSize = PageSize::K4;

fn page_head(pgno: u32, iline: u16, flags: RecordFlags) -> PageHead {
    PageHead {
        procid: ProcId(1),
        dbid: Dbid(1),
        pgno: Pgno(pgno),
        dbtime: DbTime(0x50),
        dbtime_before: DbTime(0x4f),
        trx_begin0: TrxId(1),
        level: 1,
        iline: Iline(iline),
        flags,
    }
}

fn head(iline: u16) -> NodeHead {
    let page = page_head(9, iline, RecordFlags::VERSIONED | RecordFlags::UNIQUE);
    NodeHead { page, rceid: RceId(1), pgno_fdp: Pgno(4), objid_fdp: ObjId(3) }
}

/// A leaf with a prefix key and three entries.
fn leaf() -> Vec<u8> {
    let mut bytes = vec![0; SIZE.bytes()];
    let mut page = PageMut::new(&mut bytes, SIZE);
    page.init(Pgno(9), ObjId(3), PageFlags::LEAF, DbTime(0x4f));
    page.set_external_header(b"customer/").unwrap();
    for (iline, suffix) in [b"1", b"3", b"5"].into_iter().enumerate() {
        page.insert_node(iline, 9, suffix, b"old data", NodeFlags::empty()).unwrap();
    }
    bytes
}

/// The page after the record: key, data and flags of each node.
fn after(record: &Record<'_>, undone: Undone<'_>) -> Vec<(Vec<u8>, Vec<u8>, NodeFlags)> {
    let mut bytes = leaf();
    if let Record::FlagInsert(_) | Record::FlagInsertAndReplaceData(_) = record {
        let flags = NodeFlags::DELETED;
        PageMut::new(&mut bytes, SIZE).set_node_flags(1, flags).unwrap();
    }
    if let Record::Undo(Undo { oper: Oper::FlagDelete, .. }) = record {
        let flags = NodeFlags::DELETED | NodeFlags::VERSIONED;
        PageMut::new(&mut bytes, SIZE).set_node_flags(1, flags).unwrap();
    }
    apply(record, &mut PageMut::new(&mut bytes, SIZE), undone).unwrap();
    let page = PageRef::new(&bytes, SIZE);
    validate(page, Pgno(9), Validate::Read).unwrap();
    page.nodes()
        .map(|n| (n.key_to_vec(), n.data.to_vec(), n.flags - NodeFlags::COMPRESSED))
        .collect()
}

#[test]
fn each_record_of_one_node_does_what_it_says() {
    let versioned = NodeFlags::VERSIONED;
    let deleted = NodeFlags::DELETED | versioned;
    let middle = |record: Record<'_>, undone: Undone<'_>| after(&record, undone)[1].clone();
    let key = b"customer/3".to_vec();
    let node = head(1);
    let data: &[u8] = b"new";

    let insert = Insert { node, suffix: b"2", prefix: b"customer/", data };
    let lines = after(&Record::Insert(insert), Undone::Nothing);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1], (b"customer/2".to_vec(), data.to_vec(), versioned));

    let revived = FlagInsert { node, key: &key, data: b"old data" };
    let found = middle(Record::FlagInsert(revived), Undone::Nothing);
    assert_eq!(found, (key.clone(), b"old data".to_vec(), versioned));
    let rceid_replace = RceId(2);
    let revived = FlagInsertAndReplaceData { node, key: &key, data, rceid_replace };
    let found = middle(Record::FlagInsertAndReplaceData(revived), Undone::Nothing);
    assert_eq!(found, (key.clone(), data.to_vec(), versioned));

    let found = middle(Record::FlagDelete(FlagDelete { node }), Undone::Nothing);
    assert_eq!(found, (key.clone(), b"old data".to_vec(), deleted));
    let found = middle(Record::Replace(Replace { node, old_len: 8, data }), Undone::Nothing);
    assert_eq!(found, (key.clone(), data.to_vec(), versioned));

    let mut difference = Vec::new();
    let wide = diff::encode(b"old data", b"old DATA!", &mut difference).unwrap();
    let replace = ReplaceD { node, old_len: 8, new_len: 9, wide, diff: &difference };
    let found = middle(Record::ReplaceD(replace), Undone::Nothing);
    assert_eq!(found, (key.clone(), b"old DATA!".to_vec(), versioned));

    let lines = after(&Record::Delete(Delete { node }), Undone::Nothing);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1].0, b"customer/5");

    let undo = |oper| Record::Undo(Undo { node, key: &key, bm_data: &[], oper, level_undone: 1 });
    let found = middle(undo(Oper::Insert), Undone::Nothing);
    assert_eq!(found.2, NodeFlags::DELETED);
    let found = middle(undo(Oper::Replace), Undone::Before(b"before"));
    assert_eq!(found.1, b"before");
    let found = middle(undo(Oper::FlagDelete), Undone::Nothing);
    assert_eq!(found.2, versioned);
}

#[test]
fn an_addition_changes_the_number_inside_the_data() {
    let (node, key) = (head(2), b"customer/5");
    let delta = Delta { node, key, bm_data: &[], delta: -1, offset: 4 };
    let found = after(&Record::Delta(delta), Undone::Nothing)[2].1.clone();
    let (old, new) =
        (u32::from_le_bytes(*b"data"), u32::from_le_bytes(found[4..].try_into().unwrap()));
    assert_eq!((&found[..4], new), (&b"old "[..], old - 1));
    let delta = Delta64 { node, key, bm_data: &[], delta: 2, offset: 0 };
    let found = after(&Record::Delta64(delta), Undone::Nothing)[2].1.clone();
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    assert_eq!(number(&found), number(b"old data") + 2);
}

#[test]
fn a_record_that_does_not_fit_its_page_is_refused_without_a_change() {
    let node = head(3);
    let (key, data): (&[u8], &[u8]) = (b"customer/5", b"new");
    let bm_data: &[u8] = &[];
    let big = vec![7; 4010];
    let undo = |node, oper| Undo { node, key, bm_data, oper, level_undone: 1 };
    let impossible = [
        Record::Insert(Insert { node: head(4), suffix: b"9", prefix: b"customer/", data }),
        Record::Insert(Insert { node: head(1), suffix: b"2", prefix: b"supplier/", data }),
        Record::Insert(Insert { node: head(1), suffix: b"2", prefix: b"customer/", data: &big }),
        Record::FlagInsert(FlagInsert { node, key, data }),
        Record::FlagDelete(FlagDelete { node }),
        Record::Replace(Replace { node, old_len: 8, data }),
        Record::Replace(Replace { node: head(1), old_len: 8, data: &big }),
        Record::ReplaceD(ReplaceD {
            node: head(1),
            old_len: 7,
            new_len: 7,
            wide: false,
            diff: &[],
        }),
        Record::Delete(Delete { node }),
        Record::Delta(Delta { node: head(1), key, bm_data, delta: 1, offset: 5 }),
        Record::Undo(undo(node, Oper::Insert)),
        Record::Undo(undo(head(1), Oper::Replace)),
        Record::Undo(undo(head(1), Oper::Delta)),
        Record::SetExternalHeader(SetExternalHeader { node, data: b"another prefix" }),
    ];
    for record in impossible {
        let mut bytes = leaf();
        let mut page = PageMut::new(&mut bytes, SIZE);
        assert!(apply(&record, &mut page, Undone::Nothing).is_err(), "{}", record.describe());
        let nodes = |bytes: &[u8]| -> Vec<_> {
            PageRef::new(bytes, SIZE).nodes().map(|n| (n.key_to_vec(), n.data.to_vec())).collect()
        };
        assert_eq!(nodes(&bytes), nodes(&leaf()), "{}", record.describe());
    }
}

/// Extents of a space page: last page and number of pages.
fn extents(page: &[u8]) -> Vec<(u32, u32)> {
    let number = |bytes: Vec<u8>| <[u8; 4]>::try_from(bytes).unwrap();
    let extent = |node: ese_pages::Node<'_>| {
        let last = u32::from_be_bytes(number(node.key_to_vec()));
        (last, u32::from_le_bytes(number(node.data.to_vec())))
    };
    PageRef::new(page, SIZE).nodes().map(extent).collect()
}

#[test]
fn new_trees_look_as_windows_makes_them() {
    // Page 31 of basic.edb: 4 pages, 3 of them free (edb-format 5.1).
    let mut bytes = vec![0; SIZE.bytes()];
    let record = CreateSingleExtentFdp {
        page: page_head(31, 0, RecordFlags::UNIQUE),
        objid: ObjId(8),
        pgno_fdp_parent: Pgno(1),
        primary_pages: 4,
        page_flags: 0,
    };
    fdp::create_single(&record, &mut PageMut::new(&mut bytes, SIZE)).unwrap();
    let page = PageRef::new(&bytes, SIZE);
    assert_eq!(page.external_header(), [4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0]);
    assert_eq!((page.flags().bits(), page.dbtime(), page.objid().0), (0x2803, DbTime(0x50), 8));
    // A secondary index of one page (page 32 of index.edb).
    let record = CreateSingleExtentFdp {
        page: page_head(32, 0, RecordFlags::empty()),
        pgno_fdp_parent: Pgno(31),
        primary_pages: 1,
        page_flags: 0x440,
        ..record
    };
    fdp::create_single(&record, &mut PageMut::new(&mut bytes, SIZE)).unwrap();
    let page = PageRef::new(&bytes, SIZE);
    assert_eq!(page.external_header(), [1, 0, 0, 0, 31, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(page.flags().bits(), 0x2c43);

    // The catalog: 20 pages, of which the first three are its roots (edb-format 13.1).
    let [mut root, mut oe, mut ae] = [(); 3].map(|()| vec![0; SIZE.bytes()]);
    let record = CreateMultipleExtentFdp {
        page: page_head(4, 0, RecordFlags::UNIQUE),
        objid: ObjId(2),
        pgno_oe: Pgno(5),
        pgno_ae: Pgno(6),
        pgno_fdp_parent: Pgno(1),
        primary_pages: 20,
        page_flags: 0,
    };
    let mut pages = FdpPages {
        fdp: Some(PageMut::new(&mut root, SIZE)),
        oe: Some(PageMut::new(&mut oe, SIZE)),
        ae: Some(PageMut::new(&mut ae, SIZE)),
    };
    fdp::create_multiple(&record, &mut pages).unwrap();
    let header = [20, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0];
    assert_eq!(PageRef::new(&root, SIZE).external_header(), header);
    assert_eq!(extents(&oe), [(0x17, 20)]);
    assert_eq!(extents(&ae), [(0x17, 17)]);
    assert_eq!(PageRef::new(&ae, SIZE).external_header(), [0; 16]);
    assert_eq!(PageRef::new(&ae, SIZE).flags().bits(), 0x2823);
    let record = CreateMultipleExtentFdp { primary_pages: 2, ..record };
    let error = fdp::create_multiple(&record, &mut FdpPages::default()).unwrap_err();
    assert_eq!(error.code(), JetErr::InvalidLoggedOperation);
}

#[test]
fn a_conversion_lists_both_extents_and_what_is_free_in_them() {
    // Page 31 of multi.edb: 31 to 34 first, then 35 to 40, whose first two become the space roots.
    let record = ConvertFdp {
        page: page_head(31, 0, RecordFlags::UNIQUE),
        objid: ObjId(8),
        pgno_oe: Pgno(35),
        pgno_ae: Pgno(36),
        pgno_fdp_parent: Pgno(1),
        pgno_secondary_first: Pgno(35),
        primary_pages: 4,
        secondary_pages: 6,
        available: Some(ConvertAvailable { bits: 0b100, page_flags: 0x2800 }),
    };
    for record in [record, ConvertFdp { available: None, ..record }] {
        let [mut root, mut oe, mut ae] = [(); 3].map(|()| vec![0; SIZE.bytes()]);
        let create = CreateSingleExtentFdp {
            page: record.page,
            objid: record.objid,
            pgno_fdp_parent: Pgno(1),
            primary_pages: 4,
            page_flags: 0,
        };
        let mut page = PageMut::new(&mut root, SIZE);
        fdp::create_single(&create, &mut page).unwrap();
        page.set_external_header(&[4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0]).unwrap();
        page.insert_node(0, 0, b"key", b"data", NodeFlags::empty()).unwrap();
        let mut pages = FdpPages {
            fdp: Some(page),
            oe: Some(PageMut::new(&mut oe, SIZE)),
            ae: Some(PageMut::new(&mut ae, SIZE)),
        };
        fdp::convert(&record, &mut pages).unwrap();
        let page = PageRef::new(&root, SIZE);
        assert_eq!(page.external_header(), [4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 35, 0, 0, 0]);
        assert_eq!(page.node(0).data, b"data");
        assert_eq!(extents(&oe), [(34, 4), (40, 6)]);
        assert_eq!(extents(&ae), [(34, 1), (40, 4)]);
    }
}
