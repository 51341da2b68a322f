//! Rows of the catalog, MSysObjects: its compiled columns, and one row in both directions
//! (edb-format 6.1). Numbers and byte strings are kept as stored, so that a row read and written
//! again is the same bytes.

use std::sync::OnceLock;

use ese_base::{Error, JetErr, ObjId, PageSize, Pgno, Result};
use smallvec::SmallVec;

use super::{
    CODE_PAGE_WESTERN, ColType, Column, ColumnFlags, ColumnId, Columns, Origin, TreeRole,
    record_len_max,
};
use crate::{
    key::{KeyRules, normalise},
    record::{ColumnValue, RecordView, RowShape, encode_columns},
};

/// What a row of the catalog describes, with the number that its `Type` column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum RowKind {
    /// A table.
    Table = 1,
    /// A column of a table.
    Column = 2,
    /// An index of a table.
    Index = 3,
    /// The long-value tree of a table.
    LongValue = 4,
    /// A callback of a table.
    Callback = 5,
}

impl RowKind {
    fn from_stored(number: u16) -> Option<RowKind> {
        use RowKind::{Callback, Column, Index, LongValue, Table};
        [Table, Column, Index, LongValue, Callback].into_iter().find(|kind| kind.stored() == number)
    }

    /// What MSysObjids notes of a tree with this role.
    pub(crate) fn of_tree(role: TreeRole) -> RowKind {
        match role {
            TreeRole::Database | TreeRole::Table => RowKind::Table,
            TreeRole::Index => RowKind::Index,
            TreeRole::LongValues => RowKind::LongValue,
        }
    }

    pub(crate) fn stored(self) -> u16 {
        self as u16
    }
}

/// Windows fills NULL fixed columns of catalog rows with this byte; so do we, to be identical.
const FILLER: u8 = 0x2a;

/// Column ids of the catalog.
mod id {
    use super::ColumnId;

    pub(super) const OBJID_TABLE: ColumnId = ColumnId(1);
    pub(super) const TYPE: ColumnId = ColumnId(2);
    pub(super) const ID: ColumnId = ColumnId(3);
    pub(super) const COLTYP_OR_FDP: ColumnId = ColumnId(4);
    pub(super) const SPACE_USAGE: ColumnId = ColumnId(5);
    pub(super) const FLAGS: ColumnId = ColumnId(6);
    pub(super) const PAGES_OR_LOCALE: ColumnId = ColumnId(7);
    pub(super) const ROOT_FLAG: ColumnId = ColumnId(8);
    pub(super) const RECORD_OFFSET: ColumnId = ColumnId(9);
    pub(super) const LCMAP_FLAGS: ColumnId = ColumnId(10);
    pub(super) const KEY_MOST: ColumnId = ColumnId(11);
    pub(super) const LV_CHUNK_MAX: ColumnId = ColumnId(12);
    pub(super) const FDP_SET_TIME: ColumnId = ColumnId(13);
    pub(super) const NAME: ColumnId = ColumnId(128);
    pub(super) const STATS: ColumnId = ColumnId(129);
    pub(super) const TEMPLATE_TABLE: ColumnId = ColumnId(130);
    pub(super) const DEFAULT_VALUE: ColumnId = ColumnId(131);
    pub(super) const KEY_FIELDS: ColumnId = ColumnId(132);
    pub(super) const VAR_SEG_MAC: ColumnId = ColumnId(133);
    pub(super) const CONDITIONS: ColumnId = ColumnId(134);
    pub(super) const TUPLE_LIMITS: ColumnId = ColumnId(135);
    pub(super) const VERSION: ColumnId = ColumnId(136);
    pub(super) const SORT_ID: ColumnId = ColumnId(137);
    pub(super) const CALLBACK_DATA: ColumnId = ColumnId(256);
    pub(super) const CALLBACK_DEPENDENCIES: ColumnId = ColumnId(257);
    pub(super) const SEPARATE_LV: ColumnId = ColumnId(258);
    pub(super) const SPACE_HINTS: ColumnId = ColumnId(259);
    pub(super) const DEFERRED_LV_HINTS: ColumnId = ColumnId(260);
    pub(super) const LOCALE_NAME: ColumnId = ColumnId(261);
}

/// Name, id, type, length and flag NotNull of every column. The thirteenth fixed one appears in
/// rows of format update 230 and later; it is read, and only written if it was read.
const COLUMNS: [(&str, ColumnId, ColType, u32, bool); 29] = [
    ("ObjidTable", id::OBJID_TABLE, ColType::Long, 4, true),
    ("Type", id::TYPE, ColType::Short, 2, true),
    ("Id", id::ID, ColType::Long, 4, true),
    ("ColtypOrPgnoFDP", id::COLTYP_OR_FDP, ColType::Long, 4, true),
    ("SpaceUsage", id::SPACE_USAGE, ColType::Long, 4, true),
    ("Flags", id::FLAGS, ColType::Long, 4, true),
    ("PagesOrLocale", id::PAGES_OR_LOCALE, ColType::Long, 4, true),
    ("RootFlag", id::ROOT_FLAG, ColType::Bit, 1, false),
    ("RecordOffset", id::RECORD_OFFSET, ColType::Short, 2, false),
    ("LCMapFlags", id::LCMAP_FLAGS, ColType::Long, 4, false),
    ("KeyMost", id::KEY_MOST, ColType::UnsignedShort, 2, false),
    ("LVChunkMax", id::LV_CHUNK_MAX, ColType::Long, 4, false),
    ("PgnoFDPLastSetTime", id::FDP_SET_TIME, ColType::DateTime, 8, false),
    ("Name", id::NAME, ColType::Text, 255, true),
    ("Stats", id::STATS, ColType::Binary, 255, false),
    ("TemplateTable", id::TEMPLATE_TABLE, ColType::Text, 255, false),
    ("DefaultValue", id::DEFAULT_VALUE, ColType::Binary, 255, false),
    ("KeyFldIDs", id::KEY_FIELDS, ColType::Binary, 255, false),
    ("VarSegMac", id::VAR_SEG_MAC, ColType::Binary, 255, false),
    ("ConditionalColumns", id::CONDITIONS, ColType::Binary, 255, false),
    ("TupleLimits", id::TUPLE_LIMITS, ColType::Binary, 255, false),
    ("Version", id::VERSION, ColType::Binary, 255, false),
    ("SortID", id::SORT_ID, ColType::Binary, 255, false),
    ("CallbackData", id::CALLBACK_DATA, ColType::LongBinary, 0, false),
    ("CallbackDependencies", id::CALLBACK_DEPENDENCIES, ColType::LongBinary, 0, false),
    ("SeparateLV", id::SEPARATE_LV, ColType::LongBinary, 0, false),
    ("SpaceHints", id::SPACE_HINTS, ColType::LongBinary, 0, false),
    ("SpaceDeferredLVHints", id::DEFERRED_LV_HINTS, ColType::LongBinary, 0, false),
    ("LocaleName", id::LOCALE_NAME, ColType::LongBinary, 0, false),
];

/// The columns of the catalog; `with_set_time` adds the one of newer formats.
pub(super) fn catalog_columns(with_set_time: bool) -> Vec<Column> {
    let mut offset = super::column::RECORD_HEADER_LEN;
    let mut columns = Vec::with_capacity(COLUMNS.len());
    for (name, id, ty, max_len, not_null) in COLUMNS {
        if id == id::FDP_SET_TIME && !with_set_time {
            continue;
        }
        columns.push(Column {
            id,
            origin: Origin::default(),
            name: name.to_owned(),
            ty,
            flags: if not_null { ColumnFlags::NOT_NULL } else { ColumnFlags::empty() },
            max_len,
            code_page: CODE_PAGE_WESTERN,
            record_offset: if id.is_fixed() { offset } else { 0 },
            default: None,
            callback: None,
        });
        if id.is_fixed() {
            offset += u16::try_from(max_len).unwrap_or(0);
        }
    }
    columns
}

/// The columns as records need them, compiled once.
fn layout() -> &'static Columns {
    static LAYOUT: OnceLock<Columns> = OnceLock::new();
    // The table above is consistent (a test says so); an empty set would only make rows unreadable.
    LAYOUT.get_or_init(|| Columns::new(catalog_columns(true)).unwrap_or_default())
}

/// One row of the catalog as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogRow<'a> {
    /// The table that the row belongs to.
    pub objid_table: ObjId,
    /// What the row describes.
    pub kind: RowKind,
    /// Object id of a table, index or long-value tree; column id; 5 for callbacks.
    pub id: u32,
    /// Type of a column; root page of a table, index or long-value tree.
    pub coltyp_or_fdp: u32,
    /// Longest value of a column; density of a tree in per cent.
    pub space_usage: u32,
    /// Flags.
    pub flags: u32,
    /// Initial pages; code page of a column; LCID of an index.
    pub pages_or_locale: u32,
    /// Set on table rows.
    pub root: bool,
    /// Offset of a fixed column.
    pub record_offset: Option<u16>,
    /// LCMapString flags of an index.
    pub lcmap_flags: Option<u32>,
    /// Longest key of an index.
    pub key_most: Option<u16>,
    /// Long-value chunk size of a table.
    pub lv_chunk_max: Option<u32>,
    /// When the root page was set.
    pub fdp_set_time: Option<u64>,
    /// Name, in code page 1252.
    pub name: &'a [u8],
    /// Template of a table; callback of a column or callback row.
    pub template_or_callback: Option<&'a [u8]>,
    /// Default value of a column.
    pub default_value: Option<&'a [u8]>,
    /// Segments of an index.
    pub key_fields: Option<&'a [u8]>,
    /// Limit of a segment of an index.
    pub var_seg_mac: Option<&'a [u8]>,
    /// Conditions of an index.
    pub conditions: Option<&'a [u8]>,
    /// Limits of a tuple index.
    pub tuple_limits: Option<&'a [u8]>,
    /// Collation version of an index.
    pub version: Option<&'a [u8]>,
    /// Collation id of an index.
    pub sort_id: Option<&'a [u8]>,
    /// Callback data of a column.
    pub callback_data: Option<&'a [u8]>,
    /// Callback dependencies of a column.
    pub callback_dependencies: Option<&'a [u8]>,
    /// Preferred intrinsic size of a table's long values.
    pub separate_lv: Option<&'a [u8]>,
    /// Space hints.
    pub space_hints: Option<&'a [u8]>,
    /// Space hints for the long-value tree to come.
    pub deferred_lv_hints: Option<&'a [u8]>,
    /// Locale of an index, UTF-16LE.
    pub locale_name: Option<&'a [u8]>,
}

impl<'a> CatalogRow<'a> {
    /// A row with what every row has.
    #[must_use]
    pub fn new(objid_table: ObjId, kind: RowKind, id: u32, name: &'a [u8]) -> CatalogRow<'a> {
        CatalogRow {
            objid_table,
            kind,
            id,
            coltyp_or_fdp: 0,
            space_usage: 0,
            flags: 0,
            pages_or_locale: 0,
            root: false,
            record_offset: None,
            lcmap_flags: None,
            key_most: None,
            lv_chunk_max: None,
            fdp_set_time: None,
            name,
            template_or_callback: None,
            default_value: None,
            key_fields: None,
            var_seg_mac: None,
            conditions: None,
            tuple_limits: None,
            version: None,
            sort_id: None,
            callback_data: None,
            callback_dependencies: None,
            separate_lv: None,
            space_hints: None,
            deferred_lv_hints: None,
            locale_name: None,
        }
    }

    /// Reads a row from the data of a catalog node.
    ///
    /// # Errors
    /// `JET_errCatalogCorrupted` for a row that is malformed or lacks what every row has.
    pub fn decode(data: &'a [u8], page_size: PageSize) -> Result<CatalogRow<'a>> {
        let row = Fields { view: RecordView::new(data, page_size).map_err(malformed)? };
        let kind = row.required::<2>(id::TYPE).map(u16::from_le_bytes)?;
        let kind = RowKind::from_stored(kind).ok_or_else(|| {
            Error::new(JetErr::CatalogCorrupted, format!("a catalog row of unknown type {kind}"))
        })?;
        let number = |id| row.required::<4>(id).map(u32::from_le_bytes);
        Ok(CatalogRow {
            objid_table: ObjId(number(id::OBJID_TABLE)?),
            kind,
            id: number(id::ID)?,
            coltyp_or_fdp: number(id::COLTYP_OR_FDP)?,
            space_usage: number(id::SPACE_USAGE)?,
            flags: number(id::FLAGS)?,
            pages_or_locale: number(id::PAGES_OR_LOCALE)?,
            root: row.bytes(id::ROOT_FLAG)?.is_some_and(|flag| flag != [0]),
            record_offset: row.array(id::RECORD_OFFSET)?.map(u16::from_le_bytes),
            lcmap_flags: row.array(id::LCMAP_FLAGS)?.map(u32::from_le_bytes),
            key_most: row.array(id::KEY_MOST)?.map(u16::from_le_bytes),
            lv_chunk_max: row.array(id::LV_CHUNK_MAX)?.map(u32::from_le_bytes),
            fdp_set_time: row.array(id::FDP_SET_TIME)?.map(u64::from_le_bytes),
            name: row.bytes(id::NAME)?.ok_or_else(|| missing("Name"))?,
            template_or_callback: row.bytes(id::TEMPLATE_TABLE)?,
            default_value: row.bytes(id::DEFAULT_VALUE)?,
            key_fields: row.bytes(id::KEY_FIELDS)?,
            var_seg_mac: row.bytes(id::VAR_SEG_MAC)?,
            conditions: row.bytes(id::CONDITIONS)?,
            tuple_limits: row.bytes(id::TUPLE_LIMITS)?,
            version: row.bytes(id::VERSION)?,
            sort_id: row.bytes(id::SORT_ID)?,
            callback_data: row.bytes(id::CALLBACK_DATA)?,
            callback_dependencies: row.bytes(id::CALLBACK_DEPENDENCIES)?,
            separate_lv: row.bytes(id::SEPARATE_LV)?,
            space_hints: row.bytes(id::SPACE_HINTS)?,
            deferred_lv_hints: row.bytes(id::DEFERRED_LV_HINTS)?,
            locale_name: row.bytes(id::LOCALE_NAME)?,
        })
    }

    /// The row as the data of a catalog node.
    ///
    /// # Errors
    /// `JET_errColumnTooBig` or `JET_errRecordTooBig` when a definition is too long for the
    /// catalog.
    pub fn encode(&self, page_size: PageSize) -> Result<Vec<u8>> {
        let fixed = self.fixed_fields();
        let mut values: SmallVec<[ColumnValue<'_>; 32]> = SmallVec::new();
        for (id, bytes, len) in &fixed {
            if let Some(bytes) = bytes.get(..*len).filter(|bytes| !bytes.is_empty()) {
                values.push((*id, Some(bytes)));
            }
        }
        values.push((id::NAME, Some(self.name)));
        let others = [
            (id::TEMPLATE_TABLE, self.template_or_callback),
            (id::DEFAULT_VALUE, self.default_value),
            (id::KEY_FIELDS, self.key_fields),
            (id::VAR_SEG_MAC, self.var_seg_mac),
            (id::CONDITIONS, self.conditions),
            (id::TUPLE_LIMITS, self.tuple_limits),
            (id::VERSION, self.version),
            (id::SORT_ID, self.sort_id),
            (id::CALLBACK_DATA, self.callback_data),
            (id::CALLBACK_DEPENDENCIES, self.callback_dependencies),
            (id::SEPARATE_LV, self.separate_lv),
            (id::SPACE_HINTS, self.space_hints),
            (id::DEFERRED_LV_HINTS, self.deferred_lv_hints),
            (id::LOCALE_NAME, self.locale_name),
        ];
        values.extend(others.into_iter().filter(|(_, value)| value.is_some()));
        let shape = RowShape {
            columns: layout(),
            page_size,
            record_len_max: record_len_max(page_size, 255),
            filler: FILLER,
        };
        let mut out = Vec::with_capacity(128);
        encode_columns(&shape, &values, &mut out)?;
        Ok(out)
    }

    /// Fixed columns: id, little-endian bytes, and how many of them (0 = NULL).
    fn fixed_fields(&self) -> [(ColumnId, [u8; 8], usize); 13] {
        let long = |id, value: u32| (id, widen(value.into()), 4);
        let optional =
            |id, value: Option<u64>, len| (id, widen(value.unwrap_or(0)), value.map_or(0, |_| len));
        [
            long(id::OBJID_TABLE, self.objid_table.0),
            (id::TYPE, widen(self.kind.stored().into()), 2),
            long(id::ID, self.id),
            long(id::COLTYP_OR_FDP, self.coltyp_or_fdp),
            long(id::SPACE_USAGE, self.space_usage),
            long(id::FLAGS, self.flags),
            long(id::PAGES_OR_LOCALE, self.pages_or_locale),
            optional(id::ROOT_FLAG, self.root.then_some(0xff), 1),
            optional(id::RECORD_OFFSET, self.record_offset.map(u64::from), 2),
            optional(id::LCMAP_FLAGS, self.lcmap_flags.map(u64::from), 4),
            optional(id::KEY_MOST, self.key_most.map(u64::from), 2),
            optional(id::LV_CHUNK_MAX, self.lv_chunk_max.map(u64::from), 4),
            optional(id::FDP_SET_TIME, self.fdp_set_time, 8),
        ]
    }

    /// Key of the row in MSysObjects and its shadow (13 bytes).
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        row_key(self.objid_table, self.kind, self.id)
    }

    /// Key of the row's entry in the index `Name`; the entry's data is [`CatalogRow::key`].
    #[must_use]
    pub fn name_key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(10 + self.name.len());
        put_number(&mut key, &self.objid_table.0.to_be_bytes());
        put_number(&mut key, &self.kind.stored().to_be_bytes());
        self.put_name(&mut key);
        key
    }

    /// Key of the row's entry in the index `RootObjects`, which only table rows have.
    #[must_use]
    pub fn root_key(&self) -> Option<Vec<u8>> {
        self.root.then(|| {
            let mut key = vec![0x7f, 0xff];
            self.put_name(&mut key);
            key
        })
    }

    /// Root page of a table, index or long-value tree.
    #[must_use]
    pub fn fdp(&self) -> Pgno {
        Pgno(self.coltyp_or_fdp)
    }

    fn put_name(&self, key: &mut Vec<u8>) {
        let rules = KeyRules::plain(255);
        if let Some(column) = layout().by_id(id::NAME) {
            // Western text of a variable column always has a key.
            _ = normalise(&rules, column, false, Some(self.name), key);
        }
    }
}

/// Key of a catalog row: `norm(ObjidTable) norm(Type) norm(Id)`.
#[must_use]
pub fn row_key(objid_table: ObjId, kind: RowKind, id: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(13);
    put_number(&mut key, &objid_table.0.to_be_bytes());
    put_number(&mut key, &kind.stored().to_be_bytes());
    put_number(&mut key, &id.to_be_bytes());
    key
}

/// Key that all rows of a table begin with, to seek to them.
#[must_use]
pub fn table_key_prefix(objid_table: ObjId) -> Vec<u8> {
    let mut key = Vec::with_capacity(5);
    put_number(&mut key, &objid_table.0.to_be_bytes());
    key
}

/// Key in the index `RootObjects` under which the table of this name stands.
#[must_use]
pub fn root_name_key(name: &[u8]) -> Vec<u8> {
    let mut row = CatalogRow::new(ObjId(0), RowKind::Table, 0, name);
    row.root = true;
    row.root_key().unwrap_or_default()
}

/// Appends the segment of a signed number whose big-endian bytes are given.
fn put_number(key: &mut Vec<u8>, big_endian: &[u8]) {
    key.push(0x7f);
    let begin = key.len();
    key.extend_from_slice(big_endian);
    if let Some(byte) = key.get_mut(begin) {
        *byte ^= 0x80;
    }
}

fn widen(value: u64) -> [u8; 8] {
    value.to_le_bytes()
}

/// Columns of a row by id.
struct Fields<'a> {
    view: RecordView<'a>,
}

impl<'a> Fields<'a> {
    fn bytes(&self, id: ColumnId) -> Result<Option<&'a [u8]>> {
        let column = layout().require(id)?;
        self.view.data(column).and_then(|data| data.first(column)).map_err(malformed)
    }

    fn array<const N: usize>(&self, id: ColumnId) -> Result<Option<[u8; N]>> {
        let Some(bytes) = self.bytes(id)? else { return Ok(None) };
        bytes.try_into().map(Some).map_err(|_| missing("a fixed column"))
    }

    fn required<const N: usize>(&self, id: ColumnId) -> Result<[u8; N]> {
        self.array(id)?.ok_or_else(|| missing("a column that every row has"))
    }
}

#[track_caller]
fn missing(what: &str) -> Error {
    Error::new(JetErr::CatalogCorrupted, format!("a catalog row lacks {what}"))
}

/// Damage within the catalog has its own code.
#[track_caller]
fn malformed(error: Error) -> Error {
    Error::new(JetErr::CatalogCorrupted, "a malformed catalog row").caused_by(error)
}
