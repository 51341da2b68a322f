//! Long values as streams: no more of a value than a chunk is in memory (api-semantics 9.8, 10.2).

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    ops::ControlFlow,
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    cursor::{Cursor, LongEdit, LongStorage, Prepare},
    longvalue::chunk_len,
    record::{Instance as Stored, Lid, LongValues, RecordView},
    schema::ColumnId,
    table::{SessionLongValues, Sharing, Table as EngineTable},
    tree::Position,
};

use crate::{
    key::{Key, key_bytes},
    session::{SessionCell, Transaction, View},
    table::Table,
};

impl Table {
    /// Opens the first value of a column for reading, as the transaction sees it. `None`: there is
    /// no such row, or the value is NULL.
    ///
    /// ```
    /// # use ese_api::{ColType, Instance, Result, TableBuilder, row};
    /// # use std::io::{Read, Write};
    /// # fn main() -> Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let instance = Instance::builder(dir.path()).start()?;
    /// # let database = instance.create_database("films.edb")?;
    /// # let mut session = instance.session()?;
    /// let mut transaction = session.begin()?;
    /// let films = TableBuilder::new("films").column("id", ColType::Long);
    /// let films = films.column("film", ColType::LongBinary).primary(&["id"]);
    /// let films = database.create_table(&mut transaction, films)?;
    /// films.insert(&mut transaction, &row! { "id" => 1 })?;
    ///
    /// let mut film = films.write_value(&mut transaction, 1, "film")?;
    /// for _ in 0..100 {
    ///     film.write_all(&[7; 1000]).unwrap();
    /// }
    /// film.finish()?;
    ///
    /// let mut film = films.read_value(&transaction, 1, "film")?.unwrap();
    /// let mut all = Vec::new();
    /// film.read_to_end(&mut all).unwrap();
    /// assert_eq!(all, [7; 100_000]);
    /// # drop(film);
    /// # transaction.commit()
    /// # }
    /// ```
    ///
    /// # Errors
    /// `JET_errColumnNotFound` (-1507), `JET_errInvalidColumnType` (-1511) for a column that is not
    /// long; those of reading.
    pub fn read_value<'t>(
        &self,
        from: &'t Transaction<'_>,
        key: impl Key,
        column: &str,
    ) -> Result<Option<LongReader<'t>>> {
        let mut whole = Vec::new();
        key_bytes(self.schema(), key, &mut whole)?;
        let cell = from.cell();
        cell.with(|state| {
            let table = Arc::clone(&*self.current(&state.engine)?);
            let id = long_column(&table, column)?;
            let column = table.schema.columns.require(id)?;
            let found = table.get(&state.engine, &whole, |record| -> Result<_> {
                let view = RecordView::new(record, table.schema.page_size)?;
                Ok(match view.data(column)?.nth(1)? {
                    None => None,
                    Some(Stored::Separated(lid)) => Some((Some(lid), Vec::new())),
                    Some(stored) => {
                        let bytes = view.bytes_of(column, stored, usize::MAX)?;
                        Some((None, bytes.into_owned()))
                    }
                })
            })?;
            let Some((outside, bytes)) = found.transpose()?.flatten() else { return Ok(None) };
            let mut position = Position::default();
            let len = match outside {
                None => bytes.len() as u64,
                Some(lid) => {
                    let values = table.long_values(&state.engine);
                    let len = values.readable_size(lid)?;
                    position = values.position();
                    u64::from(len)
                }
            };
            let chunk = Chunk { begin: 0, bytes };
            Ok(Some(LongReader { cell, table, outside, len, at: 0, chunk, position }))
        })
    }

    /// Opens the first value of a column for writing, from its beginning on; what is not written
    /// stays as it was. Nothing happens to the row before [`LongWriter::finish`].
    ///
    /// # Errors
    /// `JET_errRecordNotFound` (-1601), `JET_errColumnNotFound` (-1507),
    /// `JET_errInvalidColumnType` (-1511) for a column that is not long, `JET_errWriteConflict`
    /// (-1102), `JET_errTransReadOnly` (-1110), `JET_errTableLocked` (-1302) while another session
    /// deletes the table.
    pub fn write_value<'t>(
        &self,
        to: &'t mut Transaction<'_>,
        key: impl Key,
        column: &str,
    ) -> Result<LongWriter<'t>> {
        let mut whole = Vec::new();
        key_bytes(self.schema(), key, &mut whole)?;
        let cell = to.cell();
        cell.with(|state| {
            let table = Arc::clone(&*self.current(&state.engine)?);
            let column = long_column(&table, column)?;
            let room = usize::try_from(chunk_len(&table.schema)).unwrap_or(usize::MAX);
            let mut cursor = Cursor::open(&state.engine, table, Sharing::default())?;
            cursor.go_to(&state.engine, &whole).map_err(|error| match error.code() {
                JetErr::RecordDeleted => {
                    Error::new(JetErr::RecordNotFound, "there is no row with this key")
                }
                _ => error,
            })?;
            cursor.prepare(&mut state.engine, Prepare::Replace)?;
            let waiting = Vec::new();
            Ok(LongWriter { cell, cursor, column, room, waiting, at: 0, sought: false })
        })
    }
}

fn long_column(table: &EngineTable, name: &str) -> Result<ColumnId> {
    let column = table.schema.column(name)?;
    if column.ty.is_long() {
        return Ok(column.id);
    }
    let what = format!("column \"{name}\" is not long: it is read and written whole");
    Err(Error::new(JetErr::InvalidColumnType, what))
}

/// Room that is made for a value before it is read.
const ROOM_AT_ONCE: usize = 2 << 20;

/// A part of a value in memory.
#[derive(Debug, Default)]
struct Chunk {
    begin: u64,
    bytes: Vec<u8>,
}

impl Chunk {
    /// What it has from a place on.
    fn from(&self, at: u64) -> &[u8] {
        let skip = at.checked_sub(self.begin).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.bytes.get(skip..)).unwrap_or_default()
    }
}

/// A long value that is read in pieces, as it was when the transaction began. Errors of the engine
/// are inside those of `std::io`.
#[derive(Debug)]
pub struct LongReader<'t> {
    cell: &'t Arc<SessionCell>,
    table: Arc<EngineTable>,
    /// `None`: it was in the row, and is in the chunk.
    outside: Option<Lid>,
    len: u64,
    at: u64,
    chunk: Chunk,
    /// Where the engine read last.
    position: Position,
}

impl LongReader<'_> {
    /// Length of the value in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Has it no bytes?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives the rest of the value, from the place on, in parts and without copying it, until the
    /// visitor breaks: the fastest way through a value. The place is behind the last part then.
    ///
    /// The visitor runs under a page latch: it must be short and must not use the engine.
    ///
    /// # Errors
    /// Those of reading.
    pub fn visit(&mut self, mut each: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<()> {
        let (begin, mut given) = (self.at, 0);
        let mut each = |part: &[u8]| {
            given += part.len() as u64;
            each(part)
        };
        let visited = match self.outside {
            Some(lid) => {
                let offset = u32::try_from(begin).unwrap_or(u32::MAX);
                let len = u32::try_from(self.len).unwrap_or(u32::MAX);
                self.with_values(|values| values.each_part(lid, len, offset, &mut each))
            }
            None => match self.chunk.from(begin) {
                [] => Ok(()),
                // The only part: there is nothing behind it that a break could leave out.
                rest => match each(rest) {
                    ControlFlow::Continue(()) | ControlFlow::Break(()) => Ok(()),
                },
            },
        };
        self.at += given;
        visited
    }

    /// Reads on from where the last reading ended.
    fn with_values<T>(
        &mut self,
        read: impl FnOnce(&SessionLongValues<'_>) -> Result<T>,
    ) -> Result<T> {
        let LongReader { cell, table, position, .. } = self;
        cell.with(|state| {
            let values = table.long_values(&state.engine).going_on_at(*position);
            let done = read(&values);
            *position = values.position();
            done
        })
    }

    /// Fills a buffer from the place on, past the chunk in memory.
    fn fill(&mut self, lid: Lid, buf: &mut [u8]) -> Result<usize> {
        let offset = u32::try_from(self.at).unwrap_or(u32::MAX);
        let len = u32::try_from(self.len).unwrap_or(u32::MAX);
        let count = self.with_values(|values| values.read_into(lid, len, offset, buf))?;
        self.at += count as u64;
        Ok(count)
    }

    /// Fetches the chunk that the place lies in.
    fn fetch(&mut self) -> Result<()> {
        let Some(lid) = self.outside else { return Ok(()) };
        let step = u64::from(chunk_len(&self.table.schema)).max(1);
        let begin = self.at / step * step;
        let offset = u32::try_from(begin).unwrap_or(u32::MAX);
        let most = usize::try_from(step).unwrap_or(usize::MAX);
        let bytes = self.with_values(|values| values.read_at(lid, offset, most))?;
        self.chunk = Chunk { begin, bytes };
        Ok(())
    }
}

impl Read for LongReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at < self.len && self.chunk.from(self.at).is_empty() {
            let chunk = usize::try_from(chunk_len(&self.table.schema)).unwrap_or(usize::MAX);
            if let Some(lid) = self.outside.filter(|_| buf.len() >= chunk) {
                return self.fill(lid, buf).map_err(io::Error::other);
            }
            self.fetch().map_err(io::Error::other)?;
        }
        let count = self.chunk.from(self.at).read(buf)?;
        self.at += count as u64;
        Ok(count)
    }

    /// Makes room as far as the value is there: its length may be damaged.
    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        let before = buf.len();
        while self.at < self.len {
            let left = usize::try_from(self.len - self.at).unwrap_or(usize::MAX);
            let filled = buf.len();
            buf.resize(filled + left.min(ROOM_AT_ONCE), 0);
            let count = self.read(buf.get_mut(filled..).unwrap_or_default());
            buf.truncate(filled + count.as_ref().map_or(0, |count| *count));
            if count? == 0 {
                break;
            }
        }
        Ok(buf.len() - before)
    }
}

impl Seek for LongReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = place_of(to, self.at, || Ok(self.len))?;
        Ok(self.at)
    }
}

/// Where a seek goes.
fn place_of(to: SeekFrom, at: u64, len: impl FnOnce() -> io::Result<u64>) -> io::Result<u64> {
    let place = match to {
        SeekFrom::Start(place) => Some(place),
        SeekFrom::Current(by) => at.checked_add_signed(by),
        SeekFrom::End(by) => len()?.checked_add_signed(by),
    };
    place.ok_or_else(|| {
        let what = "a seek to before the beginning, or beyond all numbers";
        io::Error::new(io::ErrorKind::InvalidInput, what)
    })
}

/// A long value that is written in pieces. Dropped without [`LongWriter::finish`], it leaves the
/// row as it is. Errors of the engine are inside those of `std::io`.
#[derive(Debug)]
#[must_use = "nothing is written to the row before it is finished"]
pub struct LongWriter<'t> {
    cell: &'t Arc<SessionCell>,
    cursor: Cursor,
    column: ColumnId,
    /// Bytes of a chunk.
    room: usize,
    /// What is to be written at `at`.
    waiting: Vec<u8>,
    at: u64,
    /// Was the place sought, so that it may be behind the end?
    sought: bool,
}

impl LongWriter<'_> {
    /// Cuts the value at this length, or fills it up with zeros.
    ///
    /// # Errors
    /// `JET_errColumnTooBig` (-1506), those of writing.
    pub fn set_len(&mut self, len: u64) -> Result<()> {
        self.put_waiting()?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        // The place may be behind the end now.
        self.sought = true;
        self.edit(LongEdit::Resize(len))
    }

    /// Writes the row with its new value.
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102), `JET_errRecordTooBig` (-1026), those of writing. The row is
    /// as it was then.
    pub fn finish(mut self) -> Result<()> {
        self.put_waiting()?;
        self.cell.with(|state| self.cursor.update(&mut state.engine).map(drop))
    }

    fn edit(&mut self, edit: LongEdit<'_>) -> Result<()> {
        let LongWriter { cell, cursor, column, .. } = self;
        let storage = LongStorage::default();
        cell.with(|state| cursor.set_long(&mut state.engine, *column, 1, edit, storage))
    }

    /// Writes at the place; what lies between the end of the value and the place becomes zeros.
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let offset = usize::try_from(self.at).unwrap_or(usize::MAX);
        if self.sought && self.len()? < self.at {
            self.edit(LongEdit::Resize(offset))?;
        }
        self.sought = false;
        self.edit(LongEdit::Overwrite { offset, bytes, cut: false })?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn put_waiting(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        let put = self.put(&waiting);
        // Also after a failure, which the caller is told of: the writer takes other bytes then.
        waiting.clear();
        self.waiting = waiting;
        put
    }

    fn len(&self) -> Result<u64> {
        self.cell.with(|state| {
            let table = self.cursor.table();
            let column = table.schema.columns.require(self.column)?;
            let Some(record) = self.cursor.prepared() else { return Ok(0) };
            let view = record.view(&table.schema)?;
            Ok(match view.data(column)?.nth(1)? {
                None => 0,
                Some(Stored::Separated(lid)) => {
                    u64::from(self.cursor.long_values(&state.engine).size(lid)?)
                }
                Some(stored) => view.bytes_of(column, stored, usize::MAX)?.len() as u64,
            })
        })
    }
}

impl Write for LongWriter<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        // Whole chunks go without a stop.
        if self.waiting.is_empty() && buf.len() >= self.room {
            self.put(buf).map_err(io::Error::other)?;
            return Ok(buf.len());
        }
        // Before anything is taken from the caller: a failure means that nothing was.
        if self.waiting.len() >= self.room {
            self.put_waiting().map_err(io::Error::other)?;
        }
        let count = buf.len().min(self.room.saturating_sub(self.waiting.len()));
        self.waiting.extend_from_slice(buf.get(..count).unwrap_or_default());
        Ok(count)
    }

    /// Gives what is waiting to the value; only [`LongWriter::finish`] gives the value to the row.
    fn flush(&mut self) -> io::Result<()> {
        self.put_waiting().map_err(io::Error::other)
    }
}

impl Seek for LongWriter<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.put_waiting().map_err(io::Error::other)?;
        self.at = place_of(to, self.at, || self.len().map_err(io::Error::other))?;
        self.sought = true;
        Ok(self.at)
    }
}
