//! Merge groups applied to pages, every mixture of older and newer ones.

use std::sync::Arc;

use ese_base::{DbTime, Dbid, Iline, LgPos, ObjId, PageSize, Pgno, ProcId, TrxId};
use ese_log::records::{Merge, MergeType, PageHead, PageImage, Record, RecordFlags};
use ese_pages::{NodeFlags, PageFlags};

use super::{DELETE_NODE, KEY_CHANGE};
use crate::{database::Database, redo::redo_macro, tree::tests::harness::TestDb};

const PARENT: Pgno = Pgno(10);
const LEAVES: [Pgno; 3] = [Pgno(11), Pgno(12), Pgno(13)];
const OLD: DbTime = DbTime(0x50);
const NEW: DbTime = DbTime(0x60);

fn make_page(
    db: &Database,
    pgno: Pgno,
    flags: PageFlags,
    links: (Pgno, Pgno),
    lines: &[(&[u8], &[u8])],
) {
    let mut guard = db.cache.write_new(pgno).unwrap();
    let mut page = guard.page_mut();
    page.init(pgno, ObjId(7), flags, OLD);
    page.set_prev(links.0);
    page.set_next(links.1);
    page.set_external_header(b"key").unwrap();
    for (iline, (key, data)) in lines.iter().enumerate() {
        let common = page.as_ref().compress_len(key);
        page.insert_node(iline, common, &key[common..], data, NodeFlags::empty()).unwrap();
    }
    guard.mark_dirty(LgPos::MIN, LgPos::MIN);
}

/// A parent with three leaves of three entries each.
fn make_tree(page_size: PageSize) -> TestDb {
    let test = TestDb::new(page_size, 32);
    let db: &Arc<Database> = &test.db;
    let child = LEAVES.map(|leaf| leaf.0.to_le_bytes());
    let pointers: [(&[u8], &[u8]); 3] =
        [(b"key4", &child[0]), (b"key7", &child[1]), (b"", &child[2])];
    make_page(db, PARENT, PageFlags::PARENT_OF_LEAF, (Pgno::NULL, Pgno::NULL), &pointers);
    let lines: [&[(&[u8], &[u8])]; 3] = [
        &[(b"key1", b"a"), (b"key2", b"b"), (b"key3", b"c")],
        &[(b"key4", b"d"), (b"key5", b"e"), (b"key6", b"f")],
        &[(b"key7", b"g"), (b"key8", b"h"), (b"x", b"i")],
    ];
    for (index, leaf) in LEAVES.iter().enumerate() {
        let left = index.checked_sub(1).map_or(Pgno::NULL, |left| LEAVES[left]);
        let right = LEAVES.get(index + 1).copied().unwrap_or(Pgno::NULL);
        make_page(db, *leaf, PageFlags::LEAF, (left, right), lines[index]);
    }
    test
}

fn head(pgno: Pgno, iline: u16) -> PageHead {
    PageHead {
        procid: ProcId(1),
        dbid: Dbid(1),
        pgno,
        dbtime: NEW,
        dbtime_before: OLD,
        trx_begin0: TrxId(0),
        level: 0,
        iline: Iline(iline),
        flags: RecordFlags::UNIQUE,
    }
}

fn merge<'a>(pgno: Pgno, iline: u16, parent: Pgno, merge_type: MergeType) -> Merge<'a> {
    Merge {
        page: head(pgno, iline),
        pgno_right: Pgno::NULL,
        dbtime_right_before: OLD,
        pgno_left: Pgno::NULL,
        dbtime_left_before: OLD,
        pgno_parent: parent,
        dbtime_parent_before: OLD,
        pgno_fdp: Pgno(9),
        objid_fdp: ObjId(7),
        size_total: 0,
        size_max_total: 0,
        uncommitted_free_dest: 0,
        iline_merge: Iline(0),
        merge_flags: 0,
        merge_type,
        parent_key: &[],
        image: Some(PageImage { flags: 0, bytes: &[] }),
    }
}

/// The four pages as text: pointers with their keys, then the keys of each leaf.
fn show(db: &Database) -> String {
    let mut out = String::new();
    for pgno in [PARENT].into_iter().chain(LEAVES) {
        let guard = db.cache.read(pgno).unwrap();
        let page = guard.page();
        if page.flags().contains(PageFlags::EMPTY) {
            assert_eq!(page.node_count(), 0);
            out.push_str("- ");
            continue;
        }
        if page.is_leaf() {
            out.push_str(&format!("{}<{}>{}", page.prev().0, pgno.0, page.next().0));
        }
        for (iline, node) in page.nodes().enumerate() {
            let key = String::from_utf8(node.key_to_vec()).unwrap();
            out.push_str(&format!(":{key}"));
            if !page.is_leaf() {
                out.push_str(&format!("={}", page.child(iline).0));
            }
        }
        out.push(' ');
    }
    out.trim_end().to_owned()
}

/// Redoes the group on each mixture of pages that have it already and pages that do not; all
/// give the same.
fn redo_all_mixtures(merges: &dyn Fn(&[u8]) -> Vec<Merge<'static>>, page_size: PageSize) -> String {
    let pages = [PARENT, LEAVES[0], LEAVES[1], LEAVES[2]];
    let mut result: Option<String> = None;
    for newer in 0..16_u32 {
        let test = make_tree(page_size);
        let db = &test.db;
        let mut image = db.cache.read(LEAVES[1]).unwrap().page().bytes().to_vec();
        ese_pages::PageMut::new(&mut image, page_size).set_dbtime(NEW);
        let group = merges(&image);
        let image = PageImage { flags: 0, bytes: &image };
        let group: Vec<Merge<'_>> = group
            .into_iter()
            .map(|merge| {
                if merge.page.pgno == LEAVES[1] {
                    Merge { image: Some(image), ..merge }
                } else {
                    merge
                }
            })
            .collect();
        let records: Vec<_> =
            group.iter().map(|merge| (LgPos::MIN, LgPos::MIN, Record::Merge(*merge))).collect();
        // What the whole group gives, as the newer pages have it.
        let done = make_tree(page_size);
        redo_macro(&done.db, &records).unwrap();
        for (_, pgno) in pages.iter().enumerate().filter(|(index, _)| newer >> index & 1 == 1) {
            let bytes = done.db.cache.read(*pgno).unwrap().page().bytes().to_vec();
            let mut guard = db.cache.write(*pgno).unwrap();
            guard.page_mut().bytes_mut().copy_from_slice(&bytes);
            guard.mark_dirty(LgPos::MIN, LgPos::MIN);
        }
        redo_macro(db, &records).unwrap();
        let shown = show(db);
        assert_eq!(*result.get_or_insert_with(|| shown.clone()), shown, "mixture {newer:#b}");
    }
    result.unwrap()
}

fn leaf_record(merge_type: MergeType) -> Merge<'static> {
    let (left, right) = (LEAVES[0], LEAVES[2]);
    Merge { pgno_left: left, pgno_right: right, ..merge(LEAVES[1], 0, PARENT, merge_type) }
}

#[test]
fn each_kind_of_merge_moves_what_it_names_and_links_the_rest() {
    let parent = |merge_flags, parent_key| Merge {
        merge_flags,
        parent_key,
        ..merge(PARENT, 1, Pgno::NULL, MergeType::None)
    };
    let kinds: [(MergeType, Merge<'static>, u16, &str); 5] = [
        (
            MergeType::EmptyPage,
            parent(DELETE_NODE, b""),
            0,
            ":key4=11:=13 0<11>13:key1:key2:key3 - 11<13>0:key7:key8:x",
        ),
        (
            MergeType::FullRight,
            parent(DELETE_NODE, b""),
            0,
            ":key4=11:=13 0<11>13:key1:key2:key3 - 11<13>0:key4:key5:key6:key7:key8:x",
        ),
        (
            MergeType::FullLeft,
            parent(DELETE_NODE, b""),
            0,
            ":key7=11:=13 0<11>13:key1:key2:key3:key4:key5:key6 - 11<13>0:key7:key8:x",
        ),
        (
            MergeType::PartialRight,
            parent(KEY_CHANGE, b"key6"),
            2,
            ":key4=11:key6=12:=13 0<11>12:key1:key2:key3 11<12>13:key4:key5 \
             12<13>0:key6:key7:key8:x",
        ),
        (
            MergeType::PartialLeft,
            Merge { page: head(PARENT, 0), ..parent(KEY_CHANGE, b"key5") },
            0,
            ":key5=11:key7=12:=13 0<11>12:key1:key2:key3:key4 11<12>13:key5:key6 \
             12<13>0:key7:key8:x",
        ),
    ];
    for page_size in PageSize::ALL {
        for (merge_type, above, first, expected) in kinds {
            let group = |_: &[u8]| {
                vec![above, Merge { iline_merge: Iline(first), ..leaf_record(merge_type) }]
            };
            assert_eq!(redo_all_mixtures(&group, page_size), expected, "{merge_type:?}");
        }
    }
}

#[test]
fn a_key_that_only_the_merged_leaf_names_is_its_parents_new_key() {
    // As engines log it whose path records carry no key of their own.
    let group = |_: &[u8]| {
        let above = merge(PARENT, 1, Pgno::NULL, MergeType::None);
        let leaf = leaf_record(MergeType::PartialRight);
        vec![
            Merge { merge_flags: KEY_CHANGE, ..above },
            Merge { iline_merge: Iline(2), parent_key: b"key6", ..leaf },
        ]
    };
    let found = redo_all_mixtures(&group, PageSize::K4);
    assert!(found.starts_with(":key4=11:key6=12:=13 "), "{found}");
}

#[test]
fn a_merge_that_does_not_describe_its_pages_is_refused() {
    let refused = |group: Vec<Merge<'_>>| {
        let test = make_tree(PageSize::K4);
        let records: Vec<_> =
            group.iter().map(|merge| (LgPos::MIN, LgPos::MIN, Record::Merge(*merge))).collect();
        redo_macro(&test.db, &records).unwrap_err().code()
    };
    let invalid = ese_base::JetErr::InvalidLoggedOperation;
    let above = merge(PARENT, 1, Pgno::NULL, MergeType::None);
    assert_eq!(refused(vec![leaf_record(MergeType::PageMove)]), invalid);
    let deletes = Merge { merge_flags: DELETE_NODE, ..above };
    let mut orphan = leaf_record(MergeType::EmptyPage);
    orphan.page.pgno = LEAVES[0];
    orphan.pgno_left = LEAVES[1];
    // The leftmost pointer cannot hand its range to the left.
    let left = Merge { merge_type: MergeType::FullLeft, ..orphan };
    assert_eq!(refused(vec![deletes, left]), invalid);
    // A line that is not there gets a key.
    let changes = Merge { page: head(PARENT, 9), merge_flags: KEY_CHANGE, ..above };
    assert_eq!(refused(vec![changes]), invalid);
}
