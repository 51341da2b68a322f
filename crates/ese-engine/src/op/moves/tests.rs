//! A leaf that moves keeps its rows, whichever of its pages were written before.

use std::ops::ControlFlow;

use ese_base::{DbTime, Iline, JetErr, LgPos, PageSize, Pgno, TrxId};
use ese_log::records::{PageHead, PageMove, Record, RecordFlags};

use crate::{
    database::Database,
    op::Undone,
    redo::{Outcome, redo_page_record},
    tree::{
        self, Direction, Position, Start, TreeHandle, TreeKind, Unversioned,
        tests::harness::{TestDb, WRITER},
    },
};

fn rows(db: &Database, tree: &TreeHandle) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut rows, mut at) = (Vec::new(), Position::default());
    tree::scan(&db.cache, &tree.view(), Start::End, Direction::Forward, &mut at, |node| {
        rows.push((node.key_to_vec(), node.data.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    rows
}

/// The dbtime of a page; 0 for none.
fn dbtime(db: &Database, pgno: Pgno) -> DbTime {
    match pgno.is_null() {
        true => DbTime(0),
        false => db.cache.read(pgno).unwrap().page().dbtime(),
    }
}

#[test]
fn a_leaf_that_moves_keeps_its_rows_whichever_page_was_written() {
    for size in [PageSize::K4, PageSize::K32] {
        let test = TestDb::new(size, 60);
        let tree = test.create(&test.root(), TreeKind::TABLE, 1);
        let mut place = Position::default();
        let data = vec![7; size.bytes() / 6];
        for row in 0..40_u32 {
            let key = row.to_be_bytes();
            tree::insert(&test.db, &tree, WRITER, &Unversioned, &mut place, &key, &data).unwrap();
        }
        let before = rows(&test.db, &tree);
        let db = &*test.db;
        let old = db.cache.read(tree.fdp).unwrap().page().child(1);
        let (image, left, right) = {
            let page = db.cache.read(old).unwrap();
            let page = page.page();
            assert!(page.is_leaf(), "a tree of two levels");
            (page.bytes().to_vec(), page.prev(), page.next())
        };
        let new = Pgno(db.file.page_count() + 3);
        let page = PageHead {
            procid: WRITER.procid,
            dbid: db.dbid,
            pgno: old,
            dbtime: db.next_dbtime(),
            dbtime_before: dbtime(db, old),
            trx_begin0: TrxId(0),
            level: 0,
            iline: Iline(0),
            flags: RecordFlags::empty(),
        };
        let (header, trailer) = image.split_at(size.bytes() - 256);
        let moved = PageMove {
            page,
            pgno_dest: new,
            pgno_left: left,
            pgno_right: right,
            pgno_parent: tree.fdp,
            dbtime_left_before: dbtime(db, left),
            dbtime_right_before: dbtime(db, right),
            dbtime_parent_before: dbtime(db, tree.fdp),
            pgno_fdp: tree.fdp,
            objid_fdp: tree.objid,
            iline_parent: 1,
            move_flags: 0,
            header,
            trailer,
        };
        let record = Record::PageMove(moved);
        let (pos, end) = (LgPos::new(1, 1, 0), LgPos::new(1, 2, 0));
        let redo = || redo_page_record(db, &record, pos, end, Undone::Nothing);
        assert_eq!(redo().unwrap(), Outcome::Applied);
        assert_eq!(rows(db, &tree), before);
        assert_eq!(db.cache.read(tree.fdp).unwrap().page().child(1), new);
        assert_eq!(redo().unwrap(), Outcome::Skipped);
        // All but the new page had been written when the machine stopped.
        db.cache.write_new(new).unwrap().mark_dirty(pos, end);
        assert_eq!(redo().unwrap(), Outcome::Applied);
        assert_eq!(rows(db, &tree), before);
        let short = Record::PageMove(PageMove { header: &image, ..moved });
        db.cache.write_new(new).unwrap().mark_dirty(pos, end);
        let refused = redo_page_record(db, &short, pos, end, Undone::Nothing).unwrap_err();
        assert_eq!(refused.code(), JetErr::InvalidLoggedOperation);
    }
}
