//! Columns: ids, types, flags, and the set of columns of a table with its record layout.

use std::fmt;

use bitflags::bitflags;
use ese_base::{Error, JetErr, Result};

use super::column_list::ColumnList;

/// Column id. Its range says where the column lives in a record (edb-format 6.4):
/// 1..=127 fixed part, 128..=255 variable part, 256..=65279 tagged part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ColumnId(pub u16);

impl ColumnId {
    /// First id of the fixed range.
    pub const FIXED_FIRST: ColumnId = ColumnId(1);
    /// Last id of the fixed range.
    pub const FIXED_LAST: ColumnId = ColumnId(127);
    /// First id of the variable range.
    pub const VARIABLE_FIRST: ColumnId = ColumnId(128);
    /// Last id of the variable range.
    pub const VARIABLE_LAST: ColumnId = ColumnId(255);
    /// First id of the tagged range.
    pub const TAGGED_FIRST: ColumnId = ColumnId(256);
    /// Last id of the tagged range (JET_ccolMost).
    pub const TAGGED_LAST: ColumnId = ColumnId(0xfee0);

    /// Does it lie in the fixed part?
    #[must_use]
    pub const fn is_fixed(self) -> bool {
        self.0 >= 1 && self.0 <= 127
    }

    /// Does it lie in the variable part?
    #[must_use]
    pub const fn is_variable(self) -> bool {
        self.0 >= 128 && self.0 <= 255
    }

    /// Does it lie in the tagged part?
    #[must_use]
    pub const fn is_tagged(self) -> bool {
        self.0 >= 256 && self.0 <= Self::TAGGED_LAST.0
    }
}

impl fmt::Debug for ColumnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnId({})", self.0)
    }
}

impl fmt::Display for ColumnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Code page of Western text, one byte a character.
pub const CODE_PAGE_WESTERN: u16 = 1252;
/// Code page of UTF-16LE text.
pub const CODE_PAGE_UNICODE: u16 = 1200;

/// Column type, with the numbers of JET_COLTYP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ColType {
    /// Place holder of a deleted column.
    Nil = 0,
    /// One byte, 0x00 or 0xFF.
    Bit = 1,
    /// `u8`.
    UnsignedByte = 2,
    /// `i16`.
    Short = 3,
    /// `i32`.
    Long = 4,
    /// `i64`, by convention in units of 1/10000.
    Currency = 5,
    /// `f32`.
    IeeeSingle = 6,
    /// `f64`.
    IeeeDouble = 7,
    /// Eight bytes: a double of days since 1899-12-30; many applications store a FILETIME here.
    DateTime = 8,
    /// Up to 255 bytes.
    Binary = 9,
    /// Up to 255 bytes of text.
    Text = 10,
    /// Bytes that may live outside the record.
    LongBinary = 11,
    /// Text that may live outside the record.
    LongText = 12,
    /// `u32`.
    UnsignedLong = 14,
    /// `i64`.
    LongLong = 15,
    /// Sixteen bytes in Microsoft's mixed order.
    Guid = 16,
    /// `u16`.
    UnsignedShort = 17,
    /// `u64`.
    UnsignedLongLong = 18,
}

impl ColType {
    /// Every type, by number.
    pub const ALL: [ColType; 18] = [
        ColType::Nil,
        ColType::Bit,
        ColType::UnsignedByte,
        ColType::Short,
        ColType::Long,
        ColType::Currency,
        ColType::IeeeSingle,
        ColType::IeeeDouble,
        ColType::DateTime,
        ColType::Binary,
        ColType::Text,
        ColType::LongBinary,
        ColType::LongText,
        ColType::UnsignedLong,
        ColType::LongLong,
        ColType::Guid,
        ColType::UnsignedShort,
        ColType::UnsignedLongLong,
    ];

    /// The type with that JET number. `None` for 13 (the obsolete SLV) and unknown numbers.
    #[must_use]
    pub fn from_jet(number: u32) -> Option<ColType> {
        ColType::ALL.into_iter().find(|ty| u32::from(*ty as u8) == number)
    }

    /// The JET number.
    #[must_use]
    pub fn jet(self) -> u32 {
        u32::from(self as u8)
    }

    /// Bytes of a value, for types of one length.
    #[must_use]
    pub const fn fixed_len(self) -> Option<usize> {
        match self {
            ColType::Bit | ColType::UnsignedByte => Some(1),
            ColType::Short | ColType::UnsignedShort => Some(2),
            ColType::Long | ColType::IeeeSingle | ColType::UnsignedLong => Some(4),
            ColType::Currency
            | ColType::IeeeDouble
            | ColType::DateTime
            | ColType::LongLong
            | ColType::UnsignedLongLong => Some(8),
            ColType::Guid => Some(16),
            ColType::Nil
            | ColType::Binary
            | ColType::Text
            | ColType::LongBinary
            | ColType::LongText => None,
        }
    }

    /// May values live outside the record?
    #[must_use]
    pub const fn is_long(self) -> bool {
        matches!(self, ColType::LongBinary | ColType::LongText)
    }

    /// Is it text, so that a code page matters?
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, ColType::Text | ColType::LongText)
    }
}

bitflags! {
    /// Flags of a column row of the catalog (edb-format 6.6).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ColumnFlags: u32 {
        /// NULL is refused.
        const NOT_NULL = 0x0001;
        /// Row version counter, incremented by each replace.
        const VERSION = 0x0002;
        /// The engine assigns rising values.
        const AUTOINCREMENT = 0x0004;
        /// Several values per row (tagged columns).
        const MULTI_VALUED = 0x0008;
        /// A default value is present.
        const DEFAULT = 0x0010;
        /// Changed by deltas without conflicts.
        const ESCROW_UPDATE = 0x0020;
        /// Callback when an escrow column reaches zero.
        const FINALIZE = 0x0040;
        /// A callback computes the default.
        const USER_DEFINED_DEFAULT = 0x0080;
        /// Template column created in the new style.
        const TEMPLATE_COLUMN = 0x0100;
        /// The row is deleted when the escrow column reaches zero.
        const DELETE_ON_ZERO = 0x0200;
        /// Place holder of the primary index.
        const PRIMARY_PLACEHOLDER = 0x0800;
        /// Long values may be compressed.
        const COMPRESSED = 0x1000;
        /// Values are encrypted.
        const ENCRYPTED = 0x2000;
    }
}

/// What a user-defined default names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnCallback {
    /// `module!function`.
    pub name: String,
    /// The callback's own data.
    pub data: Option<Box<[u8]>>,
    /// Columns the default depends on, as stored (list of `u16`).
    pub dependencies: Option<Box<[u8]>>,
}

/// Whose column it is. In a table that derives from a template, the template's columns come first
/// in each range. Tagged columns are numbered from 256 on in both tables, on disk and for callers:
/// there a bit tells them apart; in memory the ids of the table's own ones go on behind the
/// template's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// It belongs to the template table and is inherited.
    pub inherited: bool,
    /// Tagged columns: how far the id is above the stored one.
    pub above: u16,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Id; its range says where values lie.
    pub id: ColumnId,
    /// Whose column it is.
    pub origin: Origin,
    /// Name.
    pub name: String,
    /// Type.
    pub ty: ColType,
    /// Flags.
    pub flags: ColumnFlags,
    /// Longest value in bytes; fixed columns have exactly this length; 0 = no limit (long types).
    pub max_len: u32,
    /// 1252 or 1200 for text, else 0.
    pub code_page: u16,
    /// Fixed columns: offset in the record. Else 0.
    pub record_offset: u16,
    /// Default in record encoding.
    pub default: Option<Box<[u8]>>,
    /// User-defined default.
    pub callback: Option<Box<ColumnCallback>>,
}

impl Column {
    /// Bytes that a fixed column takes in the record (at least one).
    #[must_use]
    pub fn fixed_len(&self) -> usize {
        usize::try_from(self.max_len).unwrap_or(usize::MAX).max(1)
    }

    /// Can a value of the column be the beginning of another?
    #[must_use]
    pub fn has_beginnings(&self) -> bool {
        self.ty.is_text() || (self.ty.fixed_len().is_none() && !self.id.is_fixed())
    }

    /// Its id in the catalog and in the tagged part of records.
    #[must_use]
    pub fn stored_id(&self) -> ColumnId {
        ColumnId(self.id.0.saturating_sub(self.origin.above))
    }

    /// Does a row that says nothing of it show something else than NULL?
    #[must_use]
    pub fn has_default(&self) -> bool {
        self.default.is_some() || self.is_computed()
    }

    /// Does a callback compute its default?
    #[must_use]
    pub fn is_computed(&self) -> bool {
        self.flags.contains(ColumnFlags::USER_DEFINED_DEFAULT)
    }

    /// Is it UTF-16 text?
    #[must_use]
    pub fn is_unicode(&self) -> bool {
        self.ty.is_text() && self.code_page == CODE_PAGE_UNICODE
    }

    /// Is it the place holder of a deleted column?
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.ty == ColType::Nil
    }
}

/// No entry in a slot table.
const NO_SLOT: u16 = u16::MAX;

/// The columns of a table, by id, with what records need to be cut into columns quickly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Ascending by id; deleted columns included, because they keep their place in records.
    list: ColumnList,
    /// Index into `list` by `id - 1`, `id - 128`, `id - 256`.
    fixed: Vec<u16>,
    variable: Vec<u16>,
    tagged: Vec<u16>,
    /// End offset in the record of fixed column `id`, by id; entry 0 is the end of the header.
    fixed_ends: Vec<u16>,
    /// Ids of fixed and variable columns that have a default, which new records copy.
    defaults: Vec<ColumnId>,
    /// Ids of columns that refuse NULL.
    required: Vec<ColumnId>,
    /// The column that numbers rows.
    autoincrement: Option<ColumnId>,
    /// The column that counts changes of its row.
    version: Option<ColumnId>,
    /// How many tagged ids belong to the template table.
    inherited_tagged: u16,
}

impl Default for Columns {
    fn default() -> Columns {
        Columns {
            list: ColumnList::default(),
            fixed: Vec::new(),
            variable: Vec::new(),
            tagged: Vec::new(),
            fixed_ends: vec![RECORD_HEADER_LEN],
            defaults: Vec::new(),
            required: Vec::new(),
            autoincrement: None,
            version: None,
            inherited_tagged: 0,
        }
    }
}

/// Bytes before the first fixed column.
pub(crate) const RECORD_HEADER_LEN: u16 = 4;

impl Columns {
    /// Takes the columns of one table.
    ///
    /// # Errors
    /// `JET_errCatalogCorrupted` when ids repeat, an id is out of range, a fixed column overlaps
    /// its neighbour, or a length does not suit its type.
    pub fn new(mut list: Vec<Column>) -> Result<Columns> {
        list.sort_by_key(|column| column.id);
        let mut columns = Columns::default();
        for (position, column) in list.iter().enumerate() {
            columns.add(position, column)?;
        }
        columns.list = ColumnList::new(list);
        Ok(columns)
    }

    /// These columns and one more.
    ///
    /// # Errors
    /// As [`Columns::new`].
    pub(crate) fn with(mut self, column: Column) -> Result<Columns> {
        if self.list.last().is_some_and(|last| last.id > column.id) {
            let all = self.list.iter().cloned().chain([column]);
            return Columns::new(all.collect());
        }
        self.add(self.list.len(), &column)?;
        self.list.push(column);
        Ok(self)
    }

    /// Enters one column, whose id is above all before it, into the derived tables.
    fn add(&mut self, position: usize, column: &Column) -> Result<()> {
        let position = u16::try_from(position)
            .map_err(|_| damaged(column, "the table has more columns than ids"))?;
        let id = usize::from(column.id.0);
        let (slots, at) = match column.id {
            id_ if id_.is_fixed() => (&mut self.fixed, id - 1),
            id_ if id_.is_variable() => (&mut self.variable, id - 128),
            id_ if id_.is_tagged() => (&mut self.tagged, id - 256),
            _ => return Err(damaged(column, "the id is outside every range")),
        };
        if at < slots.len() {
            return Err(damaged(column, "two columns have this id"));
        }
        slots.resize(at, NO_SLOT);
        slots.push(position);
        if column.origin.inherited && column.id.is_tagged() {
            self.inherited_tagged = column.id.0 - ColumnId::TAGGED_FIRST.0 + 1;
        }
        if let Some(len) = column.ty.fixed_len()
            && usize::try_from(column.max_len) != Ok(len)
        {
            return Err(damaged(column, "the length does not suit the type"));
        }
        if column.id.is_fixed() {
            self.add_fixed(column, id)?;
        }
        if column.is_deleted() {
            return Ok(());
        }
        if column.default.is_some() && !column.id.is_tagged() {
            self.defaults.push(column.id);
        }
        if column.flags.contains(ColumnFlags::NOT_NULL) {
            self.required.push(column.id);
        }
        if column.flags.contains(ColumnFlags::AUTOINCREMENT) {
            self.autoincrement = Some(column.id);
        }
        if column.flags.contains(ColumnFlags::VERSION) {
            self.version = Some(column.id);
        }
        Ok(())
    }

    /// Missing ids before this one (deleted, or of the template table) end where it begins.
    fn add_fixed(&mut self, column: &Column, id: usize) -> Result<()> {
        let begin = column.record_offset;
        let floor = self.fixed_ends.last().copied().unwrap_or(RECORD_HEADER_LEN);
        if begin < floor {
            return Err(damaged(column, "it overlaps the fixed column before it"));
        }
        let end = u16::try_from(column.fixed_len())
            .ok()
            .and_then(|len| begin.checked_add(len))
            .filter(|end| *end <= 0x7fff)
            .ok_or_else(|| damaged(column, "it ends behind the largest record"))?;
        self.fixed_ends.resize(id, begin);
        self.fixed_ends.push(end);
        Ok(())
    }

    /// The columns that exist, ascending by id.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.all().filter(|column| !column.is_deleted())
    }

    /// All columns, the place holders of deleted ones included.
    pub fn all(&self) -> impl Iterator<Item = &Column> {
        self.list.iter()
    }

    /// How many columns exist.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Are there no columns?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column with this id.
    #[inline]
    #[must_use]
    pub fn by_id(&self, id: ColumnId) -> Option<&Column> {
        let slots = if id.is_fixed() {
            self.fixed.get(usize::from(id.0) - 1)
        } else if id.is_variable() {
            self.variable.get(usize::from(id.0) - 128)
        } else if id.is_tagged() {
            self.tagged.get(usize::from(id.0) - 256)
        } else {
            None
        };
        let column = self.list.get(usize::from(*slots?))?;
        if column.is_deleted() { None } else { Some(column) }
    }

    /// The column with this stored id. In a table that derives from a template, `inherited` says
    /// whose tagged column is meant.
    #[must_use]
    pub fn by_stored_id(&self, inherited: bool, id: ColumnId) -> Option<&Column> {
        let id = if id.is_tagged() { self.tagged_id(inherited, id)? } else { id };
        self.by_id(id).filter(|column| column.origin.inherited == inherited)
    }

    /// The column with this id, or the error that says it does not exist.
    ///
    /// # Errors
    /// `JET_errColumnNotFound`.
    #[inline]
    pub fn require(&self, id: ColumnId) -> Result<&Column> {
        match self.by_id(id) {
            Some(column) => Ok(column),
            None => Err(no_column(id)),
        }
    }

    /// The column that numbers rows, if there is one.
    #[must_use]
    pub fn autoincrement(&self) -> Option<&Column> {
        self.autoincrement.and_then(|id| self.by_id(id))
    }

    /// The column that counts changes of its row, if there is one.
    #[must_use]
    pub fn version(&self) -> Option<&Column> {
        self.version.and_then(|id| self.by_id(id))
    }

    /// The column with this name; ASCII case does not matter.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Column> {
        self.list.named(name).find(|column| !column.is_deleted())
    }

    /// Highest fixed id, deleted ones included; 0 = none.
    #[must_use]
    pub fn last_fixed(&self) -> u8 {
        u8::try_from(self.fixed.len()).unwrap_or(127)
    }

    /// Highest variable id; 127 = none.
    #[must_use]
    pub fn last_variable(&self) -> u8 {
        u8::try_from(127 + self.variable.len()).unwrap_or(255)
    }

    /// Highest tagged id; 255 = none.
    #[must_use]
    pub fn last_tagged(&self) -> u16 {
        u16::try_from(255 + self.tagged.len()).unwrap_or(ColumnId::TAGGED_LAST.0)
    }

    /// End offset in the record of fixed column `id`; 4 for id 0. `None` above the last one.
    #[must_use]
    pub fn fixed_end(&self, id: u8) -> Option<usize> {
        self.fixed_ends.get(usize::from(id)).map(|end| usize::from(*end))
    }

    /// Does any column have the name, deleted ones included?
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.list.named(name).next().is_some()
    }

    /// Where the fixed columns end in a record.
    pub(super) fn fixed_end_of_all(&self) -> u16 {
        self.fixed_ends.last().copied().unwrap_or(RECORD_HEADER_LEN)
    }

    /// How many tagged ids belong to the template table.
    #[must_use]
    pub fn inherited_tagged(&self) -> u16 {
        self.inherited_tagged
    }

    /// The id of a tagged column from what records say. `None`: the table inherits no such column.
    pub(crate) fn tagged_id(&self, derived: bool, stored: ColumnId) -> Option<ColumnId> {
        let inherited = self.inherited_tagged;
        if derived {
            return (stored.0 < ColumnId::TAGGED_FIRST.0.saturating_add(inherited))
                .then_some(stored);
        }
        stored.0.checked_add(inherited).map(ColumnId)
    }

    /// Fixed and variable columns with a default, ascending.
    pub(crate) fn defaults(&self) -> &[ColumnId] {
        &self.defaults
    }

    /// Columns that refuse NULL, ascending.
    pub(crate) fn required(&self) -> &[ColumnId] {
        &self.required
    }
}

#[cold]
#[track_caller]
fn no_column(id: ColumnId) -> Error {
    Error::new(JetErr::ColumnNotFound, format!("the table has no column with id {id}"))
}

#[track_caller]
fn damaged(column: &Column, what: &str) -> Error {
    Error::new(
        JetErr::CatalogCorrupted,
        format!("column \"{}\" (id {}): {what}", column.name, column.id),
    )
}
