//! Pages that interrupted work had taken (decision 0009).
//!
//! A page on its way from the free ones into a tree, or back, is in no list; so are the pages of a
//! tree that a transaction created and did not commit, or whose deletion was committed and
//! not carried out. Whatever does such work keeps the checkpoint before its first record, so
//! the trees concerned are among those that the replayed records name. When all else is done their
//! pages are counted; what is owned and has no use goes back. That is logged as it is at
//! any other time, so a crash in here is recovered like any other.

use std::{collections::HashSet, sync::Arc};

use ese_base::{Dbid, Error, ErrorKind, ObjId, Pgno, ProcId, Result, plant};
use ese_log::{
    Log,
    records::{PageHead, Record, RecordFlags},
};

use super::Replay;
use crate::{
    catalog,
    database::Database,
    schema::{MSYS_OBJECTS_FDP, TableSchema, TreeInfo},
    space::{lost, mend_owned},
    tree::Writer,
};

/// Trees whose space may have been under change when the log ended.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// By root page: pages came into the tree or left it, or its lists of extents changed.
    trees: HashSet<(Dbid, Pgno)>,
    /// By object id: tables whose catalog rows changed.
    tables: HashSet<(Dbid, ObjId)>,
}

impl Touched {
    /// Notes what a record says, whether its page holds the change already or not.
    pub(super) fn see(&mut self, head: &PageHead, record: &Record<'_>) {
        let mut tree = |fdp: Pgno| _ = self.trees.insert((head.dbid, fdp));
        match record {
            Record::CreateSingleExtentFdp(r) => tree(r.pgno_fdp_parent),
            Record::CreateMultipleExtentFdp(r) => tree(r.pgno_fdp_parent),
            Record::ConvertFdp(r) => {
                tree(r.page.pgno);
                tree(r.pgno_fdp_parent);
            }
            Record::Split(r) => tree(r.pgno_fdp),
            Record::Merge(r) => tree(r.pgno_fdp),
            Record::PageMove(r) => tree(r.pgno_fdp),
            Record::EmptyTree(r) => tree(r.node.pgno_fdp),
            Record::SetExternalHeader(r) => tree(r.node.pgno_fdp),
            other => {
                let Some(node) = other.node_head() else { return };
                if head.flags.contains(RecordFlags::SPACE) {
                    tree(node.pgno_fdp);
                } else if node.pgno_fdp == MSYS_OBJECTS_FDP {
                    let table = table_of_row(other).map(|objid| (head.dbid, objid));
                    self.tables.extend(table);
                }
            }
        }
    }

    /// The database is clean: what follows under its number speaks of another one.
    pub(super) fn forget(&mut self, dbid: Dbid) {
        self.trees.retain(|tree| tree.0 != dbid);
        self.tables.retain(|table| table.0 != dbid);
    }

    fn is_empty(&self, dbid: Dbid) -> bool {
        self.trees.iter().all(|tree| tree.0 != dbid)
            && self.tables.iter().all(|table| table.0 != dbid)
    }
}

/// Whose row of the catalog a record inserts, replaces or deletes (edb-format 6.1: the key begins
/// with the table's normalised object id). Each of them is told of by an insertion or by undo
/// information.
fn table_of_row(record: &Record<'_>) -> Option<ObjId> {
    let joined;
    let key = match record {
        Record::Insert(r) => {
            joined = [r.prefix, r.suffix].concat();
            &joined[..]
        }
        Record::FlagInsert(r) => r.key,
        Record::FlagInsertAndReplaceData(r) => r.key,
        Record::UndoInfo(r) => r.key,
        _ => return None,
    };
    let objid = key.get(1..)?.first_chunk::<4>()?;
    Some(ObjId(u32::from_be_bytes(*objid) ^ 0x8000_0000))
}

/// Gives back what the touched trees have lost. A tree that cannot be read as far as that needs
/// stays as it is: whoever uses it will be told what is wrong with it.
pub(super) fn give_back_lost(replay: &mut Replay<'_, '_>, log: &Arc<Log>) -> Result<()> {
    if plant!("engine-keep-lost-pages") {
        return Ok(());
    }
    for db in replay.databases.all_open() {
        if replay.touched.is_empty(db.dbid) {
            continue;
        }
        let reclaim = Reclaim { db: &db, touched: &replay.touched, log };
        let reclaimed = reclaim.all()?;
        replay.report.reclaimed_pages += u64::from(reclaimed);
    }
    Ok(())
}

struct Reclaim<'a> {
    db: &'a Database,
    touched: &'a Touched,
    log: &'a Arc<Log>,
}

impl Reclaim<'_> {
    /// Inner trees first: what they give back may be given on by the outer ones.
    fn all(&self) -> Result<u32> {
        let schemas = match catalog::read_schemas(self.db) {
            Ok(schemas) => schemas,
            Err(error) => return self.skip(error),
        };
        let mut pages = 0;
        for schema in &schemas {
            pages += self.table(schema)?;
        }
        mend_owned(self.db, Writer::system(ProcId(0)))?;
        let tables: Vec<Pgno> = schemas.iter().map(|schema| schema.fdp).collect();
        Ok(pages + self.tree(&TreeInfo::DATABASE_ROOT, &tables)?)
    }

    fn table(&self, schema: &TableSchema) -> Result<u32> {
        let dbid = self.db.dbid;
        let touched = |fdp: Pgno| self.touched.trees.contains(&(dbid, fdp));
        let mut any = touched(schema.fdp) || self.touched.tables.contains(&(dbid, schema.objid));
        let (mut pages, mut inner) = (0, Vec::new());
        for tree in schema.inner_trees() {
            inner.push(tree.fdp);
            if touched(tree.fdp) {
                any = true;
                pages += self.tree(&tree, &[])?;
            }
        }
        if any {
            pages += self.tree(&schema.tree(), &inner)?;
        }
        Ok(pages)
    }

    fn tree(&self, tree: &TreeInfo<'_>, inner: &[Pgno]) -> Result<u32> {
        let tree = self.db.tree_of(tree);
        let writer = Writer::system(ProcId(0));
        let lost = match lost::lost_pages(self.db, &tree, inner, writer) {
            Ok(lost) => lost,
            Err(error) => return self.skip(error),
        };
        for extent in &lost {
            self.db.cache.throttle(self.log.as_ref())?;
            lost::give_back(self.db, &tree, writer, *extent)?;
        }
        Ok(lost.iter().map(|extent| extent.pages).sum())
    }

    /// Waste is better than a refused recovery, but not a failing device or log.
    fn skip(&self, error: Error) -> Result<u32> {
        use ErrorKind::{Broken, Io, Resource, Stopped};
        if matches!(error.kind(), Io | Resource | Broken | Stopped) {
            return Err(error);
        }
        let path = self.db.file.path();
        tracing::warn!(%error, path = %path.display(), "lost pages cannot be looked for");
        Ok(0)
    }
}
