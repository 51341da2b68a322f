//! What must hold of a database that has just been recovered, besides its rows: every page, every
//! tree, who owns which page, the two catalogs, and that indexes are what their tables say.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, ObjId, Pgno, Result};
use ese_engine::{
    catalog,
    instance::Attached,
    schema::{MSYS_OBJECTS, MSYS_OBJECTS_FDP, MSYS_OBJECTS_SHADOW, MSYS_OBJECTS_SHADOW_FDP},
    session::Session,
    space::check::{check as check_space, trees_of},
    tree::{self, Direction, Position, Start, TreeHandle, TreeKind},
};
use ese_os::{Env, OpenMode};
use ese_pages::{NodeFlags, checksum};

/// What a verification saw beside problems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Levels of the deepest tree.
    pub depth: usize,
    /// Flag-deleted entries that nobody removed.
    pub deleted: u64,
    /// Pages of the file.
    pub pages: u32,
}

impl Findings {
    /// The greater of both in each respect.
    #[must_use]
    pub fn most(self, other: Findings) -> Findings {
        Findings {
            depth: self.depth.max(other.depth),
            deleted: self.deleted.max(other.deleted),
            pages: self.pages.max(other.pages),
        }
    }
}

/// Verifies an attached database while nothing changes it.
///
/// # Errors
/// `JET_errDatabaseCorrupted` with everything that is wrong.
pub(crate) fn verify(env: &Env, session: &Session, attached: &Arc<Attached>) -> Result<Findings> {
    let mut problems = Vec::new();
    check_header(env, attached, &mut problems)?;
    check_pages(attached, &mut problems);
    let tables = catalog::tables(session, attached)?;
    let schemas: Vec<_> =
        tables.iter().map(|table| Arc::new(table.schema_with_long_values())).collect();
    let db = &attached.db;
    let space = check_space(&db.cache, &trees_of(&schemas), db.dbtime());
    problems.extend(space.problems.iter().map(ToString::to_string));
    compare_catalogs(attached, &mut problems)?;
    for table in &tables {
        problems.extend(table.check_indexes(session)?.iter().map(ToString::to_string));
        problems.extend(table.check_long_values(session)?);
    }
    let findings = Findings {
        depth: space.trees.iter().map(|tree| tree.depth).max().unwrap_or(0),
        deleted: space.trees.iter().map(|tree| tree.deleted).sum(),
        pages: db.file.page_count(),
    };
    // No crash wastes a page: recovery gives back what interrupted work had taken.
    for extent in &space.leaked {
        problems.push(format!("pages {} to {} are lost", extent.first, extent.last()));
    }
    if problems.is_empty() {
        return Ok(findings);
    }
    let count = problems.len();
    problems.truncate(4);
    let what = format!("{count} problems: {}", problems.join("; "));
    Err(Error::new(JetErr::DatabaseCorrupted, what).at_path(&attached.path))
}

/// Both copies of the header.
fn check_header(env: &Env, attached: &Attached, problems: &mut Vec<String>) -> Result<()> {
    let file = env.fs.open(&attached.path, OpenMode::Read)?;
    let size = attached.db.page_size();
    let mut page = vec![0; size.bytes()];
    for (offset, name) in [(0, "primary"), (size.bytes_u64(), "shadow")] {
        file.read_at(&mut page, offset)?;
        if !checksum::verify_header(&page) {
            problems.push(format!("the {name} copy of the header is damaged"));
        }
    }
    Ok(())
}

/// Checksum and structure of every page that was ever written.
fn check_pages(attached: &Attached, problems: &mut Vec<String>) {
    for pgno in (1..=attached.db.file.page_count()).map(Pgno) {
        match attached.db.cache.read(pgno) {
            Ok(_) => {}
            Err(error) if error.code() == JetErr::PageNotInitialized => {}
            Err(error) => problems.push(error.to_string()),
        }
    }
}

/// The catalog and its shadow hold the same rows.
fn compare_catalogs(attached: &Attached, problems: &mut Vec<String>) -> Result<()> {
    let main = live_rows(attached, MSYS_OBJECTS_FDP, MSYS_OBJECTS)?;
    let shadow = live_rows(attached, MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJECTS_SHADOW)?;
    if main != shadow {
        let (main, shadow) = (main.len(), shadow.len());
        problems.push(format!("the catalog ({main} rows) and its shadow ({shadow}) differ"));
    }
    Ok(())
}

fn live_rows(attached: &Attached, fdp: Pgno, objid: ObjId) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let view = TreeHandle::new(attached.db.dbid, fdp, objid, TreeKind::TABLE).view();
    let mut rows = BTreeMap::new();
    let mut at = Position::default();
    tree::scan(&attached.db.cache, &view, Start::End, Direction::Forward, &mut at, |node| {
        if !node.flags.contains(NodeFlags::DELETED) {
            rows.insert(node.key_to_vec(), node.data.to_vec());
        }
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}
