//! Tables and indexes as the catalog describes them.

use std::sync::Arc;

use bitflags::bitflags;
use ese_base::{Error, JetErr, ObjId, PageSize, Pgno, Result, limits::KEY_LEN_DEFAULT};

use super::{Column, ColumnId, Columns, Origin};
use crate::key::{Collation, SORT_ID, SORT_VERSION, UnicodeIndex, locale_name, locale_row_name};

bitflags! {
    /// Flags of a table row of the catalog (edb-format 6.5).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct TableFlags: u32 {
        /// System table.
        const SYSTEM = 0x8000_0000;
        /// The schema may not change.
        const FIXED_DDL = 0x4000_0000;
        /// Other tables may derive from it.
        const TEMPLATE = 0x2000_0000;
        /// Derives from a template.
        const DERIVED = 0x1000_0000;
        /// Dynamic system object, with `SYSTEM`.
        const DYNAMIC_SYSTEM = 0x0800_0000;
        /// Derived tables may not add fixed or variable columns.
        const NO_FIXED_VAR_IN_DERIVED = 0x0400_0000;
    }
}

bitflags! {
    /// Flags of an index row of the catalog (edb-format 6.7).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct IndexFlags: u32 {
        /// Keys are distinct.
        const UNIQUE = 0x0001;
        /// Rows whose key is all NULL have an entry.
        const ALLOW_ALL_NULLS = 0x0002;
        /// Rows whose first segment is NULL have an entry.
        const ALLOW_FIRST_NULL = 0x0004;
        /// Rows with a NULL segment that is not the first have an entry.
        const ALLOW_SOME_NULLS = 0x0008;
        /// A NULL segment is an error.
        const NO_NULL_SEGMENT = 0x0010;
        /// The table's own order.
        const PRIMARY = 0x0020;
        /// The locale was given.
        const LOCALE_SET = 0x0040;
        /// A segment is a multi-valued column.
        const MULTI_VALUED = 0x0080;
        /// Index of a template table.
        const TEMPLATE = 0x0100;
        /// Inherited from a template table.
        const DERIVED = 0x0200;
        /// A segment is UTF-16 text.
        const LOCALISED_TEXT = 0x0400;
        /// NULL sorts behind values.
        const NULLS_HIGH = 0x0800;
        /// Every combination of values of multi-valued segments.
        const CROSS_PRODUCT = 0x2000;
        /// A key longer than the limit is an error instead of being cut.
        const DISALLOW_TRUNCATION = 0x4000;
        /// Values of equal ordinal of multi-valued segments.
        const NESTED_TABLE = 0x8000;
        /// Segments are stored in four bytes. Always set since format update 7.
        const WIDE_SEGMENTS = 0x0001_0000;
        /// GUIDs order as .NET orders them.
        const DOT_NET_GUID = 0x0002_0000;
        /// Created without entries, to be filled later.
        const DEFERRED_POPULATE = 0x0004_0000;
        /// Unique only on request.
        const OPTIONALLY_UNIQUE = 0x0008_0000;
    }
}

/// One column of an index key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The column.
    pub column: ColumnId,
    /// Descending order.
    pub descending: bool,
    /// The column belongs to the template table.
    pub of_template: bool,
}

impl Segment {
    /// A segment in ascending order.
    #[must_use]
    pub const fn ascending(column: ColumnId) -> Segment {
        Segment { column, descending: false, of_template: false }
    }
}

/// A condition on a row for having an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: ColumnId,
    /// True: only rows where it is NULL; false: only rows where it is not.
    pub must_be_null: bool,
    /// The column belongs to the template table.
    pub of_template: bool,
}

/// Pages filled to this per cent by sequential load, unless another density is given.
pub const DENSITY_DEFAULT: u32 = 80;

/// One index of a table, primary or secondary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Name.
    pub name: String,
    /// Object id of its tree; the primary index has the table's.
    pub objid: ObjId,
    /// Root of its tree; the primary index has the table's.
    pub fdp: Pgno,
    /// Per cent.
    pub density: u32,
    /// Flags.
    pub flags: IndexFlags,
    /// The key.
    pub segments: Vec<Segment>,
    /// Conditions for an entry.
    pub conditions: Vec<Condition>,
    /// Longest key in bytes, as stored; `None` means 255.
    pub key_most: Option<u16>,
    /// Longest segment of a variable-length column, prefix byte included.
    pub var_seg_mac: Option<u16>,
    /// `PagesOrLocale`: an LCID in rows without a locale name.
    pub lcid: u32,
    /// LCMapString flags.
    pub lcmap_flags: Option<u32>,
    /// Locale name, on every row of newer engines.
    pub locale: Option<String>,
    /// Version of the collation weights of UTF-16 segments, as stored.
    pub sort_version: Option<Box<[u8]>>,
    /// Identity of the collation weights, as stored.
    pub sort_id: Option<Box<[u8]>>,
    /// Makes the keys of UTF-16 segments; `None` without such, and where another engine made them.
    pub collation: Option<Arc<Collation>>,
    /// Present on tuple indexes, as stored.
    pub tuple_limits: Option<Box<[u8]>>,
    /// Space hints, as stored.
    pub space_hints: Option<Box<[u8]>>,
    /// When the root page was set, in databases of format update 230 and later.
    pub fdp_set_time: Option<u64>,
}

impl Index {
    /// The columns that its keys are made of, and those that say whether a row has any.
    pub(crate) fn columns(&self) -> impl Iterator<Item = ColumnId> {
        let segments = self.segments.iter().map(|segment| segment.column);
        segments.chain(self.conditions.iter().map(|condition| condition.column))
    }

    /// Is it the table's own order?
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.flags.contains(IndexFlags::PRIMARY)
    }

    /// Are keys distinct?
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.flags.intersects(IndexFlags::UNIQUE | IndexFlags::PRIMARY)
    }

    /// Gives an index with UTF-16 segments the stamp of our own keys.
    ///
    /// # Errors
    /// `JET_errInvalidLanguageId` (-1062), `JET_errInvalidLCMapStringFlags` (-1064).
    pub(crate) fn stamp(&mut self) -> Result<()> {
        let collation = Collation::new(&self.unicode()?)?;
        let UnicodeIndex { locale, map_flags } = collation.unicode();
        self.lcid = 0;
        self.locale = Some(locale.clone());
        self.lcmap_flags = Some(*map_flags);
        self.sort_version = Some(Box::new(SORT_VERSION.to_le_bytes()));
        self.sort_id = Some(Box::new(SORT_ID));
        self.collation = Some(Arc::new(collation));
        self.flags |= IndexFlags::LOCALISED_TEXT;
        Ok(())
    }

    /// Finds the collation of an index that the catalog describes, if its keys are ours.
    pub(super) fn find_collation(&mut self) {
        let ours = self.sort_id.as_deref() == Some(&SORT_ID)
            && self.sort_version.as_deref() == Some(&SORT_VERSION.to_le_bytes());
        if ours && self.flags.contains(IndexFlags::LOCALISED_TEXT) {
            let made = self.unicode().and_then(|unicode| Collation::new(&unicode));
            self.collation = made.ok().map(Arc::new);
        }
    }

    /// How its UTF-16 text sorts, as the catalog says.
    ///
    /// # Errors
    /// `JET_errInvalidLanguageId` (-1062) for a number of a locale that has no name.
    pub fn unicode(&self) -> Result<UnicodeIndex> {
        let default = UnicodeIndex::default();
        let locale = match &self.locale {
            Some(name) => Some(name.clone()),
            None => locale_name(self.lcid)?,
        };
        Ok(UnicodeIndex {
            locale: locale.unwrap_or(default.locale),
            map_flags: self.lcmap_flags.unwrap_or(default.map_flags),
        })
    }

    /// Was its UTF-16 text sorted by another engine, or by another version of this one?
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.flags.contains(IndexFlags::LOCALISED_TEXT) && self.collation.is_none()
    }

    /// Key of the row of MSysLocales that counts such indexes.
    pub(crate) fn locale_row(&self) -> Option<String> {
        let version = self.sort_version.as_deref()?.try_into().ok().map(u64::from_le_bytes)?;
        locale_row_name(self.locale.as_deref()?, self.sort_id.as_deref()?, version)
    }

    /// Longest key in bytes.
    #[must_use]
    pub fn key_len_max(&self) -> usize {
        self.key_most.map_or(KEY_LEN_DEFAULT, usize::from)
    }
}

/// The long-value tree of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongValueTree {
    /// Object id.
    pub objid: ObjId,
    /// Root page.
    pub fdp: Pgno,
    /// Per cent.
    pub density: u32,
    /// Flags, 0.
    pub flags: u32,
    /// Initial pages.
    pub pages: u32,
    /// Space hints, as stored.
    pub space_hints: Option<Box<[u8]>>,
    /// When the root page was set, in databases of format update 230 and later.
    pub fdp_set_time: Option<u64>,
}

/// A callback row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCallback {
    /// Which events (JET_CBTYP).
    pub events: u32,
    /// `module!function`.
    pub name: String,
}

/// A table: what the catalog says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Name.
    pub name: String,
    /// Object id.
    pub objid: ObjId,
    /// Root page.
    pub fdp: Pgno,
    /// Flags.
    pub flags: TableFlags,
    /// Page size of its database: record layout and limits depend on it.
    pub page_size: PageSize,
    /// Per cent to which sequential load fills pages.
    pub density: u32,
    /// Initial pages.
    pub pages: u32,
    /// Columns.
    pub columns: Columns,
    /// Indexes in the order of their object ids, so that the primary one comes first.
    pub indexes: Vec<Index>,
    /// Long-value tree, once there is one.
    pub lv: Option<LongValueTree>,
    /// Callbacks.
    pub callbacks: Vec<TableCallback>,
    /// Template it derives from.
    pub template: Option<String>,
    /// Chunk size of long values where it is not the page size's own.
    pub lv_chunk_max: Option<u32>,
    /// Preferred longest long value in a record, as stored.
    pub separate_lv: Option<Box<[u8]>>,
    /// Space hints, as stored.
    pub space_hints: Option<Box<[u8]>>,
    /// Space hints for the long-value tree to come, as stored.
    pub deferred_lv_hints: Option<Box<[u8]>>,
    /// Time at which the root page was set, in databases of format update 230 and later.
    pub fdp_set_time: Option<u64>,
}

impl TableSchema {
    /// A table with these columns that has no place in a database yet.
    #[must_use]
    pub fn new(name: &str, page_size: PageSize, columns: Columns) -> TableSchema {
        TableSchema {
            name: name.to_owned(),
            objid: ObjId(0),
            fdp: Pgno::NULL,
            flags: TableFlags::empty(),
            page_size,
            density: DENSITY_DEFAULT,
            pages: 0,
            columns,
            indexes: Vec::new(),
            lv: None,
            callbacks: Vec::new(),
            template: None,
            lv_chunk_max: None,
            separate_lv: None,
            space_hints: None,
            deferred_lv_hints: None,
            fdp_set_time: None,
        }
    }

    /// The primary index; without one rows are keyed by a counter.
    #[must_use]
    pub fn primary(&self) -> Option<&Index> {
        self.indexes.iter().find(|index| index.is_primary())
    }

    /// The secondary indexes.
    pub fn secondary(&self) -> impl Iterator<Item = &Index> {
        self.indexes.iter().filter(|index| !index.is_primary())
    }

    /// The index with this name; ASCII case does not matter.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name.eq_ignore_ascii_case(name))
    }

    /// The column with this name.
    ///
    /// # Errors
    /// `JET_errColumnNotFound`.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.columns.by_name(name).ok_or_else(|| {
            Error::new(
                JetErr::ColumnNotFound,
                format!("table \"{}\" has no column \"{name}\"", self.name),
            )
        })
    }

    /// Longest primary key in bytes.
    #[must_use]
    pub fn key_len_max(&self) -> usize {
        self.primary().map_or(KEY_LEN_DEFAULT, Index::key_len_max)
    }

    /// Longest record in bytes (edb-format 7.7).
    #[must_use]
    pub fn record_len_max(&self) -> usize {
        record_len_max(self.page_size, self.key_len_max())
    }

    /// Does it derive from a template that is not there?
    #[must_use]
    pub fn is_orphan(&self) -> bool {
        (self.template.is_some() || self.flags.contains(TableFlags::DERIVED))
            && !self.columns.all().any(|column| column.origin.inherited)
    }

    /// Puts the columns of the template before its own, whose tagged ids are as stored so far.
    ///
    /// # Errors
    /// As [`Columns::new`].
    pub(crate) fn inherit(&mut self, template: &TableSchema) -> Result<()> {
        let above = template.columns.last_tagged() + 1 - ColumnId::TAGGED_FIRST.0;
        let shifted = |id: ColumnId, inherited: bool| match id.is_tagged() && !inherited {
            true => ColumnId(id.0.saturating_add(above)),
            false => id,
        };
        let mut columns = inherited(template);
        for own in self.columns.all() {
            let above = if own.id.is_tagged() { above } else { 0 };
            let origin = Origin { inherited: false, above };
            columns.push(Column { id: shifted(own.id, false), origin, ..own.clone() });
        }
        for index in &mut self.indexes {
            for segment in &mut index.segments {
                segment.column = shifted(segment.column, segment.of_template);
            }
            for condition in &mut index.conditions {
                condition.column = shifted(condition.column, condition.of_template);
            }
        }
        self.columns = Columns::new(columns)?;
        Ok(())
    }

    /// What a new table that derives from this one has: columns, and indexes without a place.
    ///
    /// # Errors
    /// As [`Columns::new`].
    pub(crate) fn derive(&self, name: &str) -> Result<TableSchema> {
        let mut table = TableSchema::new(name, self.page_size, Columns::new(inherited(self))?);
        table.flags = TableFlags::DERIVED;
        table.template = Some(self.name.clone());
        for index in &self.indexes {
            table.indexes.push(Index {
                objid: ObjId(0),
                fdp: Pgno::NULL,
                flags: (index.flags - IndexFlags::TEMPLATE) | IndexFlags::DERIVED,
                ..index.clone()
            });
        }
        Ok(table)
    }

    /// Names the table's tree, once its root page exists. The primary index shares it.
    pub fn place(&mut self, objid: ObjId, fdp: Pgno) {
        self.objid = objid;
        self.fdp = fdp;
        for index in self.indexes.iter_mut().filter(|index| index.is_primary()) {
            index.objid = objid;
            index.fdp = fdp;
        }
    }
}

/// A template's columns as its derived tables have them.
fn inherited(template: &TableSchema) -> Vec<Column> {
    let origin = Origin { inherited: true, above: 0 };
    template.columns.all().map(|column| Column { origin, ..column.clone() }).collect()
}

/// Longest record on pages of this size under keys of this length (edb-format 7.7).
#[must_use]
pub fn record_len_max(page_size: PageSize, key_len_max: usize) -> usize {
    let (page, header) = (page_size.bytes(), page_size.header_len());
    if page_size.is_small() {
        page.saturating_sub(header + 8 + 2 + (2 + key_len_max).max(255))
    } else {
        page.saturating_sub(header + 8 + 4 + key_len_max)
    }
}
