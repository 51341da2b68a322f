//! Temporary tables (api-semantics 15): sorts at first, tables where that is not enough.
//!
//! A temporary table belongs to one session and has no name. Rows go into a sort; the first move or
//! seek ends that for good, and from then on the sorted rows are read. Where rows are to be
//! changed, or a cursor is to go anywhere among more rows than fit into memory, they are put into a
//! tree of the temporary database then; where the options or the columns ask for one, from the
//! start. On a tree an ordinary [`Cursor`] works.
//!
//! Rows in a sort know no transactions: they stay when one is taken back. Those of a tree do.

mod define;
mod files;
mod moves;
mod sorted;
mod update;

use std::sync::Arc;

use ese_base::{Error, Result};
use ese_pages::fence::NoLog;

pub use self::define::{KeyOrder, TempColumn, TempOptions, TempTableDef};
pub(crate) use self::files::{TempFiles, tidy};
use self::{
    files::{OpenTable, TempTree, run_path, system},
    sorted::{SortedCursor, illegal},
};
use crate::{
    cursor::{Cursor, SearchKey},
    instance::Instance,
    record::RecordBuilder,
    schema::{ColumnId, TableSchema},
    session::Session,
    sort::{SortOptions, Sorted, Sorter},
    tree::{self, Position, Unversioned},
};

/// An open temporary table: its rows, and a place among them.
#[derive(Debug)]
pub struct TempTable {
    schema: Arc<TableSchema>,
    columns: Arc<[ColumnId]>,
    options: TempOptions,
    phase: Phase,
    search: SearchKey,
    update: Option<Update>,
    key: Vec<u8>,
    _open: Arc<OpenTable>,
}

#[derive(Debug)]
enum Phase {
    /// Rows are taken.
    Inserting(Box<Sorter>),
    /// Rows are read.
    Sorted(SortedCursor),
    /// It is a table.
    Tree(Box<TreeCursor>),
    /// A step failed half-way; why.
    Broken(String),
}

/// A cursor, and what keeps its table. The cursor goes first.
#[derive(Debug)]
struct TreeCursor {
    cursor: Cursor,
    /// Where the last row went that was inserted at once.
    position: Position,
    tree: Arc<TempTree>,
}

/// A row that is being made.
#[derive(Debug)]
struct Update {
    record: RecordBuilder,
    /// Transaction level it belongs to.
    level: u8,
}

impl TempTable {
    /// Opens a temporary table. It has no rows.
    ///
    /// # Errors
    /// `JET_errTooManySorts` (-1701), `JET_errCannotMaterializeForwardOnlySort` (-1113), as
    /// [`crate::schema::TableDef::build`]; where a tree is needed those of the temporary database.
    pub fn open(session: &Session, def: &TempTableDef) -> Result<TempTable> {
        let instance = session.instance();
        instance.check()?;
        let open = Arc::new(instance.temp.enter(instance.config.temp_tables_max)?);
        def.check()?;
        let (schema, columns) = def.build(instance.config.page_size, &instance.config.unicode)?;
        let options = def.options;
        let phase = if def.needs_tree()? {
            Phase::Tree(Box::new(TreeCursor::create(instance, &schema)?))
        } else {
            // Only who reads once and has not asked for distinct keys gets all rows of a key.
            let all = options.contains(TempOptions::FORWARD_ONLY)
                && !options.contains(TempOptions::UNIQUE);
            let memory = instance.config.sort_memory;
            let options = SortOptions { distinct: !all, memory, path: run_path(instance) };
            Phase::Inserting(Box::new(Sorter::new(&instance.env, options)))
        };
        Ok(TempTable {
            schema: Arc::new(schema),
            columns: columns.into(),
            options,
            phase,
            search: SearchKey::default(),
            update: None,
            key: Vec::new(),
            _open: open,
        })
    }

    /// Its columns and its key.
    #[must_use]
    pub fn schema(&self) -> &Arc<TableSchema> {
        &self.schema
    }

    /// Ids of the columns in the order of the definition.
    #[must_use]
    pub fn columns(&self) -> &[ColumnId] {
        &self.columns
    }

    /// Is it still taking rows that nobody has looked at?
    #[must_use]
    pub fn is_inserting(&self) -> bool {
        matches!(self.phase, Phase::Inserting(_))
    }

    /// The cursor, if it is a table by now.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) when the temporary database has failed.
    pub fn tree(&mut self) -> Result<Option<&mut Cursor>> {
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked().map(Some),
            _ => Ok(None),
        }
    }

    /// Rows of a sort that is read; those that came, where some of them may turn out to be
    /// duplicates.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) in other states.
    pub fn row_count(&self) -> Result<u64> {
        self.sorted("counting its rows").map(SortedCursor::rows)
    }

    /// Another cursor on the rows, on the first one.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) while rows are inserted into a sort; those of reading.
    pub fn duplicate(&mut self, session: &Session) -> Result<TempTable> {
        let phase = match &mut self.phase {
            Phase::Tree(tree) => {
                let cursor = tree.checked()?.duplicate(session)?;
                Phase::Tree(Box::new(TreeCursor::on(cursor, Arc::clone(&tree.tree))))
            }
            _ => Phase::Sorted(self.sorted("a second cursor")?.duplicate()?),
        };
        Ok(TempTable {
            schema: Arc::clone(&self.schema),
            columns: Arc::clone(&self.columns),
            options: self.options,
            phase,
            search: SearchKey::default(),
            update: None,
            key: Vec::new(),
            _open: Arc::clone(&self._open),
        })
    }

    /// Ends the insertion: from now on rows are read. A prepared row is dropped. Nothing happens if
    /// it has ended.
    ///
    /// # Errors
    /// Those of writing and reading temporary files; only closing is left then.
    pub fn end_insertion(&mut self, session: &Session) -> Result<()> {
        if !self.is_inserting() {
            return Ok(());
        }
        self.update = None;
        let ending = Phase::Broken("its rows could not be sorted".to_owned());
        let Phase::Inserting(sorter) = std::mem::replace(&mut self.phase, ending) else {
            return Ok(());
        };
        let ended = self.read_phase(session, *sorter);
        self.phase = match &ended {
            Ok(_) => return ended.map(|phase| self.phase = phase),
            Err(error) => Phase::Broken(error.to_string()),
        };
        ended.map(|_| ())
    }

    fn read_phase(&self, session: &Session, sorter: Sorter) -> Result<Phase> {
        let sorted = sorter.finish()?;
        let free = TempOptions::SCROLLABLE | TempOptions::INDEXED;
        let free = self.options.intersects(free);
        let kept = self.options.contains(TempOptions::UPDATABLE) || free && sorted.is_spilled();
        if !kept {
            return SortedCursor::new(Arc::new(sorted), free).map(Phase::Sorted);
        }
        let mut tree = TreeCursor::create(session.instance(), &self.schema)?;
        tree.fill(&sorted)?;
        Ok(Phase::Tree(Box::new(tree)))
    }

    fn sorted(&self, what: &str) -> Result<&SortedCursor> {
        match &self.phase {
            Phase::Sorted(cursor) => Ok(cursor),
            other => Err(other.refuse(what)),
        }
    }

    fn sorted_mut(&mut self, what: &str) -> Result<&mut SortedCursor> {
        match &mut self.phase {
            Phase::Sorted(cursor) => Ok(cursor),
            other => Err(other.refuse(what)),
        }
    }
}

impl Phase {
    #[cold]
    #[track_caller]
    fn refuse(&self, what: &str) -> Error {
        match self {
            Phase::Inserting(_) => illegal(format!("{what} while rows are inserted into a sort")),
            Phase::Sorted(_) => illegal(format!("{what} when a sort is read")),
            Phase::Tree(_) => illegal(format!("{what} in a temporary table that is a tree")),
            Phase::Broken(cause) => illegal(format!("{what} in a sort that has failed: {cause}"))
                .advise("close the temporary table"),
        }
    }
}

impl TreeCursor {
    /// A cursor on a new table. It stands before the first row.
    fn create(instance: &Arc<Instance>, schema: &TableSchema) -> Result<TreeCursor> {
        let tree = Arc::new(instance.temp.database(instance)?.create_table(schema)?);
        let cursor = Cursor::new(Arc::clone(&tree.table)).before_first();
        Ok(TreeCursor::on(cursor, tree))
    }

    fn on(cursor: Cursor, tree: Arc<TempTree>) -> TreeCursor {
        TreeCursor { cursor, position: Position::default(), tree }
    }

    /// The cursor, if its database is usable.
    fn checked(&mut self) -> Result<&mut Cursor> {
        match self.tree.home.failure() {
            None => Ok(&mut self.cursor),
            Some(cause) => Err(illegal(format!("the temporary database has failed: {cause}"))
                .advise("close the temporary table")),
        }
    }

    /// Puts sorted rows in. Nobody has to be able to take that back.
    fn fill(&mut self, rows: &Sorted) -> Result<()> {
        let table = &self.tree.table;
        let (mut reader, mut at) = (rows.read()?, Position::default());
        while reader.step()? {
            let Some(row) = reader.row() else { break };
            table.db.cache.throttle(&NoLog)?;
            let (db, tree) = (&table.db, &table.tree);
            tree::insert(db, tree, system(), &Unversioned, &mut at, row.key, row.record)?;
        }
        Ok(())
    }
}
