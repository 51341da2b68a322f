//! A database as text for other programs: CSV, JSON lines, or a file of SQLite.
//!
//! The leaves of a table are shared out to threads in small runs; each turns its rows into bytes,
//! and the bytes are put together in the order of the keys. What is held in memory does not depend
//! on the size of the database, but for one bit a page. A page, row or value that cannot be read is
//! noted, and the others are given. Nothing is written to the database, not even a lock.
//!
//! How a value is written, in all forms alike: docs/cli.md, `ese export`.

mod date;
mod rows;
mod scalar;
mod scan;
mod sqlite;
mod sqlite_row;

use std::{fmt, sync::Arc};

use ese_base::{Error, Result, StopToken};
use ese_engine::{
    reader::{Losses, LostPage, OfflineDatabase},
    schema::TableSchema,
};
use ese_os::Env;

use self::{rows::RowWriter, scan::Scan};
pub use self::{scalar::date_text, sqlite::SqliteFile};

/// What the rows become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated values with a heading (RFC 4180).
    Csv,
    /// A JSON object a line.
    Json,
    /// Records of a file of SQLite, each with its length before it: for [`SqliteFile`].
    Sqlite,
}

/// Which rows are wanted, and how they are written.
pub struct ExportOptions<'a> {
    /// The form.
    pub format: ExportFormat,
    /// What is left of deleted rows, instead of the living ones.
    pub deleted: bool,
    /// A date as its eight bytes read as a signed number, instead of as text.
    pub raw_dates: bool,
    /// JSON objects without the columns that are NULL.
    pub omit_nulls: bool,
    /// At most so many rows; then one thread does it.
    pub limit: Option<u64>,
    /// Threads that work at the same time; 0 for as many as there are processors.
    pub threads: usize,
    /// Called with the bytes of pages that were read, and all of the file.
    pub progress: &'a mut dyn FnMut(u64, u64),
    /// Looked at there.
    pub stop: StopToken,
}

impl fmt::Debug for ExportOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExportOptions { format, deleted, raw_dates, omit_nulls, threads, .. } = self;
        f.debug_struct("ExportOptions")
            .field("format", format)
            .field("deleted", deleted)
            .field("raw_dates", raw_dates)
            .field("omit_nulls", omit_nulls)
            .field("threads", threads)
            .finish_non_exhaustive()
    }
}

impl<'a> ExportOptions<'a> {
    /// The living rows in a form, with a call for the progress.
    #[must_use]
    pub fn new(
        format: ExportFormat,
        progress: &'a mut dyn FnMut(u64, u64),
        stop: StopToken,
    ) -> ExportOptions<'a> {
        ExportOptions {
            format,
            deleted: false,
            raw_dates: false,
            omit_nulls: false,
            limit: None,
            threads: 0,
            progress,
            stop,
        }
    }
}

/// Errors of rows that are kept one by one; the others are only counted.
const ERRORS_MAX: usize = 1000;

/// What came of one table.
#[derive(Debug, Default)]
pub struct ExportedTable {
    /// Rows that were written.
    pub rows: u64,
    /// Pages that could not be read, and pages whose rows were given and are in doubt.
    pub lost_pages: Vec<LostPage>,
    /// Rows and values that could not be read, the first thousand of them: a value is written as
    /// NULL, a row is left out.
    pub lost: Vec<Error>,
    /// All of them.
    pub lost_count: u64,
}

impl ExportedTable {
    /// Was everything read?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.lost_pages.is_empty() && self.lost_count == 0
    }

    /// Rows that were on lost pages, as far as their headers tell.
    #[must_use]
    pub fn lost_rows(&self) -> u64 {
        let lost = self.lost_pages.iter().filter(|page| !page.given);
        lost.map(|page| u64::from(page.rows.unwrap_or(0))).sum()
    }

    /// A table of which nothing was written, and this could not be read.
    #[must_use]
    pub fn of_losses(losses: Losses) -> ExportedTable {
        let mut table = ExportedTable { lost_pages: losses.pages, ..ExportedTable::default() };
        losses.rows.into_iter().for_each(|error| table.lose(error));
        table
    }

    fn append(&mut self, other: ExportedTable) {
        self.rows += other.rows;
        self.lost_pages.extend(other.lost_pages);
        self.lost_count += other.lost_count;
        let room = ERRORS_MAX.saturating_sub(self.lost.len());
        self.lost.extend(other.lost.into_iter().take(room));
    }

    fn lose(&mut self, error: Error) {
        self.lost_count += 1;
        if self.lost.len() < ERRORS_MAX {
            self.lost.push(error);
        }
    }
}

/// The heading of a CSV file of this table, with its line end.
#[must_use]
pub fn csv_heading(table: &TableSchema, deleted: bool) -> Vec<u8> {
    RowWriter::new(table, ExportFormat::Csv, false, false, deleted).heading()
}

/// Gives the rows of a table in the order of their keys, as bytes in pieces of some size; a piece
/// ends with a whole row. (The heading of CSV is [`csv_heading`].)
///
/// # Errors
/// `JET_errObjectNotFound` (-1305): no such table, or its template is missing;
/// `JET_errClientRequestToStopJetService` (-1329) if stopped; what `sink` answers. Damage is no
/// error, see [`ExportedTable`].
pub fn export_table(
    env: &Env,
    database: &Arc<OfflineDatabase>,
    table: &str,
    options: &mut ExportOptions<'_>,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<ExportedTable> {
    let schema = Arc::new(database.table(table)?.clone());
    let ExportOptions { format, deleted, raw_dates, omit_nulls, .. } = *options;
    let writer = RowWriter::new(&schema, format, raw_dates, omit_nulls, deleted);
    Scan { env, database, schema: &schema, writer: &Arc::new(writer) }.run(options, sink)
}
