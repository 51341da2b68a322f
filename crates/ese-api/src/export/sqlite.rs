//! A file of SQLite, written from beginning to end (sqlite.org/fileformat2.html).
//!
//! Rows come numbered upwards, so each table's tree is built from the left: leaves go out as they
//! are full, and of each level above only the page that is being filled is kept. Page 1, with the
//! list of tables, is written last; before that the file is no database. Nothing here reads the
//! file, and nothing of SQLite itself is needed.

use std::{path::Path, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::schema::{ColType, TableSchema};
use ese_os::{Env, File, OpenMode, parent_of};

use super::{
    rows::DELETED_COLUMNS,
    scalar::Scalar,
    sqlite_row::{COLUMNS_MAX, SqliteRow, put_varint},
};

/// Bytes of a page.
const PAGE: usize = 8192;
const PAGE_U64: u64 = 8192;
/// Bytes of the file's header, on page 1.
const HEADER_LEN: usize = 100;
/// Offset of the byte that SQLite locks; the page that holds it is left out.
const LOCK_BYTE: u64 = 1 << 30;
/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;
const LEAF: u8 = 0x0d;
const INNER: u8 = 0x05;
const LEAF_HEAD: usize = 8;
const INNER_HEAD: usize = 12;
/// Bytes of a cell's place in its page.
const POINTER: usize = 2;
/// Bytes of the number of an overflow page.
const LINK: usize = 4;

/// A page in the making: cells fill it from its end.
#[derive(Debug, Default)]
struct Cells {
    cells: Vec<Vec<u8>>,
    bytes: usize,
}

impl Cells {
    fn fits(&self, head: usize, len: usize) -> bool {
        head + self.bytes + len + POINTER <= PAGE
    }

    fn push(&mut self, cell: Vec<u8>) {
        self.bytes += cell.len() + POINTER;
        self.cells.push(cell);
    }

    /// The page; `skip` bytes before its head are left free.
    fn image(&self, kind: u8, skip: usize, right: Option<u32>) -> Vec<u8> {
        let mut page = vec![0; PAGE];
        let mut end = PAGE;
        let head = if right.is_some() { INNER_HEAD } else { LEAF_HEAD };
        for (at, cell) in self.cells.iter().enumerate() {
            end -= cell.len();
            put(&mut page, end, cell);
            put(&mut page, skip + head + POINTER * at, &low_u16(end).to_be_bytes());
        }
        put(&mut page, skip, &[kind]);
        put(&mut page, skip + 3, &low_u16(self.cells.len()).to_be_bytes());
        put(&mut page, skip + 5, &low_u16(end).to_be_bytes());
        if let Some(right) = right {
            put(&mut page, skip + 8, &right.to_be_bytes());
        }
        page
    }
}

/// Offsets and counts in a page are below 8192.
fn low_u16(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn put(page: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(to) = page.get_mut(at..at + bytes.len()) {
        to.copy_from_slice(bytes);
    }
}

/// The children of the inner page that is being filled, each with its greatest row number.
#[derive(Debug, Default)]
struct Level {
    children: Vec<(u32, i64)>,
    bytes: usize,
}

/// A table that is being filled.
#[derive(Debug)]
struct Tree {
    leaf: Cells,
    row: i64,
    levels: Vec<Level>,
}

/// A new file of SQLite.
#[derive(Debug)]
pub struct SqliteFile {
    file: Arc<dyn File>,
    env: Env,
    /// Pages that are not written yet, and where they go.
    buffer: Vec<u8>,
    at: u64,
    /// The next page to be given out.
    next: u32,
    /// Names that are taken, in lower case, and the row of each table.
    names: Vec<String>,
    tables: Vec<Vec<u8>>,
    tree: Option<Tree>,
    about: (String, String),
}

impl SqliteFile {
    /// Makes the file; until [`SqliteFile::finish`] it is none that SQLite opens.
    ///
    /// # Errors
    /// `JET_errFileAlreadyExists` (-1814), `JET_errInvalidPath` (-1023), `JET_errDiskFull` (-1808).
    pub fn create(env: &Env, path: &Path) -> Result<SqliteFile> {
        Ok(SqliteFile {
            file: env.fs.open(path, OpenMode::CreateNew)?,
            env: env.clone(),
            buffer: Vec::with_capacity(BUFFER),
            at: PAGE_U64,
            next: 2,
            names: Vec::new(),
            tables: Vec::new(),
            tree: None,
            about: (String::new(), String::new()),
        })
    }

    /// Begins a table with the columns of one of ours; `deleted` for what is left of its deleted
    /// rows. Names that SQLite does not tell apart, or keeps for itself, get something behind or
    /// before them: gives these names, of the table and its columns, and what they are there.
    ///
    /// # Errors
    /// Those of writing the table before.
    pub fn begin_table(
        &mut self,
        table: &TableSchema,
        deleted: bool,
    ) -> Result<Vec<(String, String)>> {
        self.end_table()?;
        let wanted = if deleted { format!("{} (deleted)", table.name) } else { table.name.clone() };
        // SQLite keeps these names of tables for itself.
        let own = wanted.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("sqlite_"));
        let allowed = if own { format!("_{wanted}") } else { wanted.clone() };
        let name = unique(&mut self.names, &allowed);
        let mut renamed = Vec::new();
        renamed.extend((name != wanted).then(|| (wanted, name.clone())));
        let mut taken = Vec::new();
        let mut columns = Vec::new();
        let before = DELETED_COLUMNS.iter().filter(|_| deleted);
        for (name, ty) in before.zip(["TEXT", "INTEGER", "INTEGER", "INTEGER", "BLOB"]) {
            columns.push(format!("{} {ty}", quoted(&unique(&mut taken, name))));
        }
        let total = table.columns.iter().count();
        for column in table.columns.iter().take(COLUMNS_MAX) {
            let name = unique(&mut taken, &column.name);
            columns.push(format!("{} {}", quoted(&name), type_of(column.ty)).trim_end().to_owned());
            renamed.extend((name != column.name).then(|| (column.name.clone(), name)));
        }
        if total > COLUMNS_MAX {
            columns.push(format!("{} TEXT", quoted(&unique(&mut taken, "_more"))));
        }
        if columns.is_empty() {
            columns.push("\"_none\"".to_owned());
        }
        let sql = format!("CREATE TABLE {}({})", quoted(&name), columns.join(", "));
        self.about = (name, sql);
        self.tree = Some(Tree { leaf: Cells::default(), row: 0, levels: Vec::new() });
        Ok(renamed)
    }

    /// Adds rows: what [`super::export_table`] gives in the form [`super::ExportFormat::Sqlite`].
    ///
    /// # Errors
    /// Those of writing; `JET_errInvalidParameter` (-1003) for anything else.
    pub fn rows(&mut self, mut bytes: &[u8]) -> Result<()> {
        while let Some((len, rest)) = bytes.split_first_chunk::<8>() {
            let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
            let Some((record, behind)) = rest.split_at_checked(len) else { break };
            self.row(record)?;
            bytes = behind;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        Err(Error::new(JetErr::InvalidParameter, "these are no whole rows for SQLite"))
    }

    /// Ends the last table and writes the list of tables: now it is a database.
    ///
    /// # Errors
    /// Those of writing; `JET_errInvalidParameter` (-1003) for more tables than one list can name.
    pub fn finish(mut self) -> Result<()> {
        self.end_table()?;
        let mut leaves: Vec<(Cells, i64)> = vec![(Cells::default(), 0)];
        let rows = std::mem::take(&mut self.tables);
        for (record, row) in rows.iter().zip(1..) {
            let cell = self.cell(record, row)?;
            // The first leaf may have to go to page 1.
            let head = LEAF_HEAD + if leaves.len() == 1 { HEADER_LEN } else { 0 };
            if leaves.last().is_none_or(|(leaf, _)| !leaf.fits(head, cell.len())) {
                leaves.push((Cells::default(), 0));
            }
            if let Some((leaf, last)) = leaves.last_mut() {
                leaf.push(cell);
                *last = row;
            }
        }
        let mut first = match leaves.as_slice() {
            [(leaf, _)] => leaf.image(LEAF, HEADER_LEN, None),
            many => {
                let (mut inner, mut right) = (Cells::default(), 0);
                for (at, (leaf, last)) in many.iter().enumerate() {
                    let page = self.page(&leaf.image(LEAF, 0, None))?;
                    if at + 1 == many.len() {
                        right = page;
                    } else {
                        inner.push(inner_cell(page, *last));
                    }
                }
                if !inner.fits(HEADER_LEN + INNER_HEAD, 0) {
                    return Err(Error::new(
                        JetErr::InvalidParameter,
                        "too many tables for one file",
                    )
                    .at_path(self.file.path())
                    .advise("export them into several files"));
                }
                inner.image(INNER, HEADER_LEN, Some(right))
            }
        };
        self.flush()?;
        put(&mut first, 0, &self.header());
        self.file.write_at(&first, 0)?;
        self.file.sync()?;
        self.env.fs.sync_dir(parent_of(self.file.path()))
    }

    /// The header of the file: of pages in UTF-8, nothing free, by a recent SQLite.
    fn header(&self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        put(&mut header, 0, b"SQLite format 3\0");
        put(&mut header, 16, &low_u16(PAGE).to_be_bytes());
        put(&mut header, 18, &[1, 1, 0, 64, 32, 32]);
        let words = [(24, 1), (28, self.next - 1), (40, 1), (44, 4), (56, 1), (92, 1)];
        for (at, word) in words.into_iter().chain([(96, 3_045_000)]) {
            put(&mut header, at, &word.to_be_bytes());
        }
        header
    }

    /// Writes what is left of the table, and notes where its tree begins.
    fn end_table(&mut self) -> Result<()> {
        let Some(mut tree) = self.tree.take() else { return Ok(()) };
        let leaf = std::mem::take(&mut tree.leaf);
        let mut root = self.page(&leaf.image(LEAF, 0, None))?;
        let mut level = 0;
        // On every level the last page goes below the last of the next one.
        while level < tree.levels.len() {
            let last = tree.row;
            self.child(&mut tree, level, root, last)?;
            let children =
                tree.levels.get_mut(level).map(|level| std::mem::take(&mut level.children));
            root = self.inner(&children.unwrap_or_default())?;
            level += 1;
        }
        let (name, sql) = std::mem::take(&mut self.about);
        let mut row = SqliteRow::default();
        for value in [Scalar::Text("table"), Scalar::Text(&name), Scalar::Text(&name)] {
            row.push(value);
        }
        row.push(Scalar::Int(root.into()));
        row.push(Scalar::Text(&sql));
        let mut record = Vec::new();
        row.finish(&mut record);
        // Without the length before it.
        self.tables.push(record.split_off(8));
        Ok(())
    }

    fn row(&mut self, record: &[u8]) -> Result<()> {
        let Some(mut tree) = self.tree.take() else {
            return Err(Error::new(JetErr::InvalidParameter, "no table was begun"));
        };
        let cell = self.cell(record, tree.row + 1)?;
        if !tree.leaf.fits(LEAF_HEAD, cell.len()) {
            let leaf = std::mem::take(&mut tree.leaf);
            let page = self.page(&leaf.image(LEAF, 0, None))?;
            let last = tree.row;
            self.child(&mut tree, 0, page, last)?;
        }
        tree.leaf.push(cell);
        tree.row += 1;
        self.tree = Some(tree);
        Ok(())
    }

    /// Puts a page below the inner page of a level; a full one goes out before.
    fn child(&mut self, tree: &mut Tree, level: usize, page: u32, last: i64) -> Result<()> {
        let (mut level, mut child) = (level, (page, last));
        loop {
            if tree.levels.len() <= level {
                tree.levels.push(Level::default());
            }
            let Some(filling) = tree.levels.get_mut(level) else { return Ok(()) };
            let len = inner_cell(child.0, child.1).len() + POINTER;
            filling.children.push(child);
            filling.bytes += len;
            if INNER_HEAD + filling.bytes <= PAGE {
                return Ok(());
            }
            // Two stay: an inner page has at least one cell and a page to its right.
            let rest = filling.children.split_off(filling.children.len().saturating_sub(2));
            let full = std::mem::replace(&mut filling.children, rest);
            filling.bytes = filling
                .children
                .iter()
                .map(|(page, last)| inner_cell(*page, *last).len() + POINTER)
                .sum();
            let last = full.last().map_or(0, |(_, last)| *last);
            child = (self.inner(&full)?, last);
            level += 1;
        }
    }

    /// Writes an inner page; the last child is the one to the right of all cells.
    fn inner(&mut self, children: &[(u32, i64)]) -> Result<u32> {
        let mut cells = Cells::default();
        let Some(((right, _), left)) = children.split_last() else {
            return Err(Error::new(JetErr::InternalError, "an inner page without children"));
        };
        for (page, last) in left {
            cells.push(inner_cell(*page, *last));
        }
        self.page(&cells.image(INNER, 0, Some(*right)))
    }

    /// A row as a cell; what is too much for a leaf goes to pages of its own.
    fn cell(&mut self, record: &[u8], row: i64) -> Result<Vec<u8>> {
        let mut cell = Vec::with_capacity(record.len().min(PAGE) + 18);
        put_varint(&mut cell, record.len() as u64);
        put_varint(&mut cell, u64::try_from(row).unwrap_or(0));
        let most = PAGE - 35;
        if record.len() <= most {
            cell.extend_from_slice(record);
            return Ok(cell);
        }
        let least = (PAGE - 12) * 32 / 255 - 23;
        let wanted = least + (record.len() - least) % (PAGE - LINK);
        let here = if wanted <= most { wanted } else { least };
        let (local, rest) = record.split_at_checked(here).unwrap_or((record, &[]));
        cell.extend_from_slice(local);
        cell.extend_from_slice(&self.overflow(rest)?.to_be_bytes());
        Ok(cell)
    }

    /// Writes a chain of overflow pages and gives its first.
    fn overflow(&mut self, rest: &[u8]) -> Result<u32> {
        let pieces = rest.chunks(PAGE - LINK);
        let (count, mut first) = (pieces.len(), 0);
        for (at, piece) in pieces.enumerate() {
            let own = self.number()?;
            if at == 0 {
                first = own;
            }
            // Pages go out one behind the other, but for the one that is skipped.
            let skipped = u64::from(own) * PAGE_U64 == LOCK_BYTE;
            let next = if at + 1 == count { 0 } else { own + 1 + u32::from(skipped) };
            let mut page = vec![0; PAGE];
            put(&mut page, 0, &next.to_be_bytes());
            put(&mut page, LINK, piece);
            self.page(&page)?;
        }
        Ok(first)
    }

    /// The number of the next page; the one that SQLite locks is skipped.
    fn number(&mut self) -> Result<u32> {
        if u64::from(self.next - 1) * PAGE_U64 == LOCK_BYTE {
            self.append(&vec![0; PAGE])?;
        }
        Ok(self.next)
    }

    /// Writes a page and gives its number.
    fn page(&mut self, image: &[u8]) -> Result<u32> {
        let number = self.number()?;
        self.append(image)?;
        Ok(number)
    }

    fn append(&mut self, image: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(image);
        self.next = self.next.checked_add(1).ok_or_else(|| {
            Error::new(JetErr::DiskFull, "a file of SQLite has 2^32 pages at most")
                .at_path(self.file.path())
        })?;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_at(&self.buffer, self.at)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

fn inner_cell(page: u32, last: i64) -> Vec<u8> {
    let last = u64::try_from(last).unwrap_or(0);
    let mut cell = Vec::with_capacity(13);
    cell.extend_from_slice(&page.to_be_bytes());
    put_varint(&mut cell, last);
    cell
}

/// The type that a column is declared with; none where values of two kinds may come.
fn type_of(ty: ColType) -> &'static str {
    match ty {
        ColType::Bit
        | ColType::UnsignedByte
        | ColType::Short
        | ColType::UnsignedShort
        | ColType::Long
        | ColType::UnsignedLong
        | ColType::LongLong
        | ColType::Currency => "INTEGER",
        ColType::IeeeSingle | ColType::IeeeDouble => "REAL",
        ColType::Guid | ColType::Text | ColType::LongText => "TEXT",
        ColType::Binary | ColType::LongBinary => "BLOB",
        ColType::Nil | ColType::DateTime | ColType::UnsignedLongLong => "",
    }
}

/// The name, or with a number behind it if it is taken; letters of ASCII count in any case.
fn unique(taken: &mut Vec<String>, wanted: &str) -> String {
    // A name ends with a NUL for SQLite.
    let wanted = wanted.replace('\0', " ");
    let mut name = wanted.clone();
    for number in 2.. {
        if !taken.contains(&name.to_ascii_lowercase()) {
            break;
        }
        name = format!("{wanted} ({number})");
    }
    taken.push(name.to_ascii_lowercase());
    name
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
