//! Pages that move, leaves and roots, keep what is in them, whichever were written before.

use std::ops::ControlFlow;

use ese_base::{DbTime, Iline, JetErr, LgPos, PageSize, Pgno, TrxId};
use ese_log::records::{PageHead, PageMove, Record, RecordFlags, RootPageMove};

use super::{ROOT, ROOT_OF_AVAILABLE, ROOT_OF_OWNED};
use crate::{
    database::Database,
    op::Undone,
    redo::{Outcome, redo_macro, redo_page_record},
    space::header::SpaceHeader,
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

/// The record of one page of a tree's roots that moves; its parts are those of `image`.
fn root_page<'i>(
    db: &Database,
    tree: &TreeHandle,
    (old, new, move_flags): (Pgno, Pgno, u32),
    dbtimes: (DbTime, DbTime),
    image: &'i [u8],
) -> PageMove<'i> {
    let page = PageHead {
        procid: WRITER.procid,
        dbid: db.dbid,
        pgno: old,
        dbtime: dbtimes.0,
        dbtime_before: dbtimes.1,
        trx_begin0: TrxId(0),
        level: 0,
        iline: Iline(0),
        flags: RecordFlags::empty(),
    };
    let (header, trailer) = image.split_at(image.len() - 256);
    PageMove {
        page,
        pgno_dest: new,
        pgno_left: Pgno::NULL,
        pgno_right: Pgno::NULL,
        pgno_parent: Pgno::NULL,
        dbtime_left_before: DbTime(0),
        dbtime_right_before: DbTime(0),
        dbtime_parent_before: DbTime(0),
        pgno_fdp: tree.fdp,
        objid_fdp: tree.objid,
        iline_parent: 0,
        move_flags,
        header,
        trailer,
    }
}

#[test]
fn a_root_that_moves_takes_its_space_trees_with_it_whichever_page_was_written() {
    let size = PageSize::K4;
    let test = TestDb::new(size, 60);
    let tree = test.create(&test.root(), TreeKind::TABLE, 1);
    let mut place = Position::default();
    let data = vec![7; size.bytes() / 6];
    for row in 0..60_u32 {
        let key = row.to_be_bytes();
        tree::insert(&test.db, &tree, WRITER, &Unversioned, &mut place, &key, &data).unwrap();
    }
    let before = rows(&test.db, &tree);
    let db = &*test.db;
    let header = |fdp: Pgno| {
        let page = db.cache.read(fdp).unwrap();
        SpaceHeader::decode(page.page().external_header(), fdp).unwrap()
    };
    let old = header(tree.fdp);
    assert!(old.is_multiple(), "it has space trees");
    let first = db.file.page_count() + 3;
    let dest = [Pgno(first), Pgno(first + 1), Pgno(first + 2)];
    let from = [tree.fdp, old.pgno_oe(), old.pgno_ae()];
    let images = from.map(|pgno| db.cache.read(pgno).unwrap().page().bytes().to_vec());
    let times = from.map(|pgno| dbtime(db, pgno));
    let now = db.next_dbtime();
    let begin =
        RootPageMove { dbtime: now, dbid: db.dbid, objid: tree.objid, procid: WRITER.procid };
    let (pos, end) = (LgPos::new(1, 1, 0), LgPos::new(1, 2, 0));
    let mut group = vec![(pos, end, Record::RootPageMove(begin))];
    for (at, flags) in [ROOT, ROOT_OF_OWNED, ROOT_OF_AVAILABLE].into_iter().enumerate() {
        let moved =
            root_page(db, &tree, (from[at], dest[at], flags), (now, times[at]), &images[at]);
        group.push((pos, end, Record::PageMove(moved)));
    }
    let redo = || redo_macro(db, &group);
    assert!(redo().unwrap().iter().all(|outcome| *outcome == Outcome::Applied));
    let moved = db.tree(dest[0], tree.objid, TreeKind::TABLE);
    assert_eq!(rows(db, &moved), before);
    let new = header(dest[0]);
    assert_eq!((new.pgno_oe(), new.pgno_ae()), (dest[1], dest[2]));
    assert_eq!((new.parent, new.flags), (old.parent, old.flags));
    for pgno in from {
        assert_eq!(db.cache.read(pgno).unwrap().page().node_count(), 0, "{pgno} was left");
    }
    assert!(redo().unwrap().iter().all(|outcome| *outcome == Outcome::Skipped));
    // All but one of the new pages had been written when the machine stopped.
    for lost in dest {
        db.cache.write_new(lost).unwrap().mark_dirty(pos, end);
        assert!(redo().unwrap().contains(&Outcome::Applied));
        assert_eq!(rows(db, &moved), before);
        assert_eq!(header(dest[0]).pgno_oe(), dest[1]);
    }
    // A page that is no root has no place in the group.
    let stray = root_page(db, &tree, (from[0], dest[0], 0), (now, times[0]), &images[0]);
    group.push((pos, end, Record::PageMove(stray)));
    db.cache.write_new(dest[0]).unwrap().mark_dirty(pos, end);
    let refused = redo_macro(db, &group).unwrap_err();
    assert_eq!(refused.code(), JetErr::InvalidLoggedOperation);
}
