//! Definitions of columns and indexes: what a caller asks for, and the checks that turn it into a
//! part of a table (edb-format 6.4 to 6.7, api-semantics 11 to 13).

use std::collections::HashSet;

use bitflags::bitflags;
use ese_base::{Error, JetErr, ObjId, PageSize, Pgno, Result, limits::NAME_LEN_MAX};

use super::{
    CODE_PAGE_UNICODE, CODE_PAGE_WESTERN, ColType, Column, ColumnCallback, ColumnFlags, ColumnId,
    Columns, Condition, Index, IndexFlags, Origin, Segment, SpaceHints, TableFlags, TableSchema,
    TupleLimits, column::RECORD_HEADER_LEN, rows::name_bytes,
};
use crate::{
    key::{self, UnicodeIndex},
    record,
};

/// Most columns in a key.
const KEY_COLUMNS_MAX: usize = 16;
/// Most conditions of an index.
const CONDITIONS_MAX: usize = 16;
/// Most columns in the key of a tuple index.
const TUPLE_COLUMNS_MAX: usize = 11;
/// Longest value of the short Binary and Text types, and of every default.
const SHORT_LEN_MAX: u32 = 255;

/// Where a column is to live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// By type: numbers and GUIDs fixed, Binary and Text variable, long types tagged.
    #[default]
    Auto,
    /// In the fixed part (JET_bitColumnFixed).
    Fixed,
    /// In the tagged part (JET_bitColumnTagged).
    Tagged,
}

/// A column to be created.
#[derive(Clone, Debug)]
pub struct ColumnDef {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: ColType,
    /// Flags of the catalog; `DEFAULT` follows from `default`.
    pub flags: ColumnFlags,
    /// Longest value in bytes; 0 = the type's own.
    pub max_len: u32,
    /// 1252 or 1200 for text; 0 = 1252.
    pub code_page: u16,
    /// Where it is to live.
    pub placement: Placement,
    /// Default in record encoding.
    pub default: Option<Vec<u8>>,
    /// What computes the default instead, with `USER_DEFINED_DEFAULT` among the flags.
    pub callback: Option<ColumnCallback>,
}

impl ColumnDef {
    /// A column without options.
    #[must_use]
    pub fn new(name: &str, ty: ColType) -> ColumnDef {
        ColumnDef {
            name: name.to_owned(),
            ty,
            flags: ColumnFlags::empty(),
            max_len: 0,
            code_page: 0,
            placement: Placement::Auto,
            default: None,
            callback: None,
        }
    }

    /// With these flags in addition.
    #[must_use]
    pub fn with(mut self, flags: ColumnFlags) -> ColumnDef {
        self.flags |= flags;
        self
    }

    /// With a longest value in bytes.
    #[must_use]
    pub fn max_len(mut self, bytes: u32) -> ColumnDef {
        self.max_len = bytes;
        self
    }

    /// UTF-16 text.
    #[must_use]
    pub fn unicode(mut self) -> ColumnDef {
        self.code_page = CODE_PAGE_UNICODE;
        self
    }

    /// At this place.
    #[must_use]
    pub fn placed(mut self, placement: Placement) -> ColumnDef {
        self.placement = placement;
        self
    }

    /// With a default that a callback computes.
    #[must_use]
    pub fn computed_by(mut self, callback: ColumnCallback) -> ColumnDef {
        self.flags |= ColumnFlags::USER_DEFINED_DEFAULT;
        self.callback = Some(callback);
        self
    }

    /// With a default in record encoding.
    #[must_use]
    pub fn with_default(mut self, value: &[u8]) -> ColumnDef {
        self.default = Some(value.to_vec());
        self
    }
}

/// One column of an index to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// The column's name.
    pub column: String,
    /// Descending order.
    pub descending: bool,
}

impl KeyPart {
    /// In ascending order.
    #[must_use]
    pub fn ascending(column: &str) -> KeyPart {
        KeyPart { column: column.to_owned(), descending: false }
    }

    /// In descending order.
    #[must_use]
    pub fn descending(column: &str) -> KeyPart {
        KeyPart { column: column.to_owned(), descending: true }
    }
}

bitflags! {
    /// Options of an index to be created, with the values of JET_bitIndex*.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct IndexOptions: u32 {
        /// Keys are distinct.
        const UNIQUE = 0x0000_0001;
        /// The table's own order.
        const PRIMARY = 0x0000_0002;
        /// A NULL segment is an error.
        const DISALLOW_NULL = 0x0000_0004;
        /// Rows whose key is all NULL have no entry.
        const IGNORE_NULL = 0x0000_0008;
        /// Rows with any NULL segment have no entry.
        const IGNORE_ANY_NULL = 0x0000_0020;
        /// Rows whose first segment is NULL have no entry.
        const IGNORE_FIRST_NULL = 0x0000_0040;
        /// No row has an entry yet; with `IGNORE_ANY_NULL` only.
        const EMPTY = 0x0000_0100;
        /// NULL sorts behind values.
        const SORT_NULLS_HIGH = 0x0000_0400;
        /// Every combination of values of multi-valued columns.
        const CROSS_PRODUCT = 0x0000_4000;
        /// Values of equal ordinal of multi-valued columns.
        const NESTED_TABLE = 0x0002_0000;
        /// A key longer than the limit is an error.
        const DISALLOW_TRUNCATION = 0x0001_0000;
        /// GUIDs order as .NET orders them.
        const DOT_NET_GUID = 0x0004_0000;
    }
}

/// An index to be created.
#[derive(Clone, Debug)]
pub struct IndexDef {
    /// Name.
    pub name: String,
    /// Its key.
    pub parts: Vec<KeyPart>,
    /// Options.
    pub options: IndexOptions,
    /// Per cent; 0 = the table's.
    pub density: u32,
    /// Longest key in bytes; `None` = 255.
    pub key_most: Option<u16>,
    /// Longest segment of a variable-length column, prefix byte included.
    pub var_seg_mac: Option<u16>,
    /// Only rows that meet all of these have an entry; at most 16.
    pub conditions: Vec<ConditionDef>,
    /// Entries for pieces of the first column.
    pub tuples: Option<TupleLimits>,
    /// Wishes for its space.
    pub space_hints: Option<SpaceHints>,
    /// Locale by which UTF-16 text sorts; `None`: the instance's.
    pub locale: Option<String>,
    /// Flags of LCMapString with which it sorts; `None`: the instance's.
    pub map_flags: Option<u32>,
}

/// A condition on rows for having an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionDef {
    /// The column's name.
    pub column: String,
    /// It must be NULL; otherwise it must not be.
    pub must_be_null: bool,
}

impl IndexDef {
    /// An index without options over these columns, ascending.
    #[must_use]
    pub fn new(name: &str, columns: &[&str]) -> IndexDef {
        IndexDef {
            name: name.to_owned(),
            parts: columns.iter().map(|column| KeyPart::ascending(column)).collect(),
            options: IndexOptions::empty(),
            density: 0,
            key_most: None,
            var_seg_mac: None,
            conditions: Vec::new(),
            tuples: None,
            space_hints: None,
            locale: None,
            map_flags: None,
        }
    }

    /// The primary index over these columns, ascending.
    #[must_use]
    pub fn primary(name: &str, columns: &[&str]) -> IndexDef {
        IndexDef { options: IndexOptions::PRIMARY, ..IndexDef::new(name, columns) }
    }

    /// With this order of UTF-16 text.
    #[must_use]
    pub fn unicode(mut self, locale: &str, map_flags: u32) -> IndexDef {
        (self.locale, self.map_flags) = (Some(locale.to_owned()), Some(map_flags));
        self
    }
}

/// A legal name of a table, column or index: 1 to 64 bytes, no control characters, none of `! . [
/// ]`, no space in front, and all of code page 1252.
///
/// # Errors
/// `JET_errInvalidName` (-1002).
pub fn check_name(name: &str) -> Result<()> {
    let bytes = name_bytes(name)?;
    let what = if bytes.is_empty() {
        "is empty"
    } else if bytes.len() > NAME_LEN_MAX {
        "is longer than 64 bytes"
    } else if bytes.first() == Some(&b' ') {
        "begins with a space"
    } else if bytes.iter().any(|byte| *byte < 0x20 || b"!.[]".contains(byte)) {
        "has a control character or one of ! . [ ]"
    } else {
        return Ok(());
    };
    Err(Error::new(JetErr::InvalidName, format!("the name \"{}\" {what}", name.escape_debug())))
}

/// The column that a definition adds to those that exist (in any order, deleted ones included).
///
/// # Errors
/// `JET_errInvalidName`, `JET_errColumnDuplicate`, `JET_errTooManyColumns`,
/// `JET_errInvalidColumnType`, `JET_errColumnTooBig`, `JET_errInvalidCodePage`,
/// `JET_errMultiValuedColumnMustBeTagged`, `JET_errCannotBeTagged`, `JET_errColumnRedundant`,
/// `JET_errDefaultValueTooBig`, `JET_errColumnCannotBeCompressed`, `JET_errFeatureNotAvailable`,
/// `JET_errInvalidGrbit`, `JET_errEngineFormatVersionParamTooLowForRequestedFeature` (-621).
pub fn add_column(existing: &Columns, def: &ColumnDef) -> Result<Column> {
    let mut known = Existing::none();
    known.next = [
        u16::from(existing.last_fixed()) + 1,
        u16::from(existing.last_variable()) + 1,
        existing.last_tagged() + 1,
    ];
    known.fixed_end = existing.fixed_end_of_all();
    known.inherited = existing.inherited_tagged();
    known.counters.set(ColumnFlags::AUTOINCREMENT, existing.autoincrement().is_some());
    known.counters.set(ColumnFlags::VERSION, existing.version().is_some());
    if existing.has_name(&def.name) {
        known.names.insert(def.name.to_ascii_lowercase());
    }
    known.make(def)
}

/// What the next column has to know of those that exist.
#[derive(Debug)]
pub(super) struct Existing {
    /// In lower case.
    names: HashSet<String>,
    /// First free id of the fixed, the variable and the tagged range; above the range: there is
    /// none.
    next: [u16; 3],
    /// Where the fixed columns end.
    fixed_end: u16,
    /// How many ids of tagged columns belong to the template.
    inherited: u16,
    /// Which counters there are.
    counters: ColumnFlags,
}

impl Existing {
    pub(super) fn of(columns: &[Column]) -> Existing {
        let mut existing = Existing::none();
        columns.iter().for_each(|column| existing.note(column));
        existing
    }

    fn none() -> Existing {
        Existing {
            names: HashSet::new(),
            next: [ColumnId::FIXED_FIRST, ColumnId::VARIABLE_FIRST, ColumnId::TAGGED_FIRST]
                .map(|id| id.0),
            fixed_end: RECORD_HEADER_LEN,
            inherited: 0,
            counters: ColumnFlags::empty(),
        }
    }

    fn note(&mut self, column: &Column) {
        self.names.insert(column.name.to_ascii_lowercase());
        let [fixed, variable, tagged] = &mut self.next;
        let next = match column.id {
            id if id.is_fixed() => fixed,
            id if id.is_variable() => variable,
            _ => tagged,
        };
        *next = (*next).max(column.id.0.saturating_add(1));
        if column.id.is_fixed() {
            let len = u16::try_from(column.fixed_len()).unwrap_or(u16::MAX);
            self.fixed_end = self.fixed_end.max(column.record_offset.saturating_add(len));
        }
        if column.origin.inherited && column.id.is_tagged() {
            let count = column.id.0 - ColumnId::TAGGED_FIRST.0 + 1;
            self.inherited = self.inherited.max(count);
        }
        self.counters |= column.flags & COUNTERS;
    }

    /// Adds a column; on an error nothing.
    ///
    /// # Errors
    /// As [`add_column`].
    pub(super) fn add(&mut self, def: &ColumnDef) -> Result<Column> {
        let column = self.make(def)?;
        self.note(&column);
        Ok(column)
    }

    fn make(&self, def: &ColumnDef) -> Result<Column> {
        check_name(&def.name)?;
        if self.names.contains(&def.name.to_ascii_lowercase()) {
            return Err(wrong(def, JetErr::ColumnDuplicate, "exists already"));
        }
        let max_len = checked_len(def)?;
        let code_page = checked_code_page(def)?;
        let id = self.next_id(def)?;
        check_flags(self.counters, def, id)?;
        let offset = self.fixed_end;
        let above = if id.is_tagged() { self.inherited } else { 0 };
        let mut column = Column {
            id,
            origin: Origin { inherited: false, above },
            name: def.name.clone(),
            ty: def.ty,
            flags: def.flags & !ColumnFlags::DEFAULT,
            max_len,
            code_page,
            record_offset: if id.is_fixed() { offset } else { 0 },
            default: None,
            callback: def.callback.clone().map(Box::new),
        };
        if column.is_computed() {
            column.flags |= ColumnFlags::DEFAULT;
        }
        if let Some(default) = &def.default {
            column.default = Some(checked_default(def, &column, default)?);
            column.flags |= ColumnFlags::DEFAULT;
        }
        Ok(column)
    }

    /// Ids are consecutive within their range and never used twice.
    fn next_id(&self, def: &ColumnDef) -> Result<ColumnId> {
        let [fixed, variable, tagged] = self.next;
        let long = def.ty.is_long();
        let (next, last) = match def.placement {
            Placement::Fixed if long => {
                return Err(wrong(def, JetErr::InvalidGrbit, "is long and cannot be fixed"));
            }
            Placement::Fixed => (fixed, ColumnId::FIXED_LAST),
            Placement::Tagged => (tagged, ColumnId::TAGGED_LAST),
            Placement::Auto if long => (tagged, ColumnId::TAGGED_LAST),
            Placement::Auto if def.ty.fixed_len().is_some() => (fixed, ColumnId::FIXED_LAST),
            Placement::Auto => (variable, ColumnId::VARIABLE_LAST),
        };
        if next > last.0 {
            let what = "finds no free column id in its range";
            return Err(wrong(def, JetErr::TooManyColumns, what));
        }
        Ok(ColumnId(next))
    }
}

/// Columns that count by themselves, of which a table has one of each kind.
const COUNTERS: ColumnFlags = ColumnFlags::AUTOINCREMENT.union(ColumnFlags::VERSION);

fn checked_len(def: &ColumnDef) -> Result<u32> {
    match def.ty {
        ColType::Nil => Err(wrong(def, JetErr::InvalidColumnType, "needs a type")),
        ColType::LongBinary | ColType::LongText => Ok(def.max_len),
        ColType::Binary | ColType::Text if def.max_len > SHORT_LEN_MAX => {
            Err(wrong(def, JetErr::ColumnTooBig, "may hold at most 255 bytes"))
        }
        ColType::Binary | ColType::Text if def.max_len == 0 => Ok(SHORT_LEN_MAX),
        ColType::Binary | ColType::Text => Ok(def.max_len),
        other => Ok(other.fixed_len().and_then(|len| u32::try_from(len).ok()).unwrap_or(0)),
    }
}

fn checked_code_page(def: &ColumnDef) -> Result<u16> {
    match (def.ty.is_text(), def.code_page) {
        (false, _) => Ok(0),
        (true, 0 | CODE_PAGE_WESTERN) => Ok(CODE_PAGE_WESTERN),
        (true, CODE_PAGE_UNICODE) => Ok(CODE_PAGE_UNICODE),
        (true, _) => Err(wrong(def, JetErr::InvalidCodePage, "has a code page but 1252 and 1200")),
    }
}

fn check_flags(counters: ColumnFlags, def: &ColumnDef, id: ColumnId) -> Result<()> {
    let has = |flags| def.flags.intersects(flags);
    let counter = COUNTERS;
    let internal =
        ColumnFlags::DEFAULT | ColumnFlags::TEMPLATE_COLUMN | ColumnFlags::PRIMARY_PLACEHOLDER;
    if has(internal) {
        return Err(wrong(def, JetErr::InvalidGrbit, "has flags that only the engine sets"));
    }
    if has(ColumnFlags::ENCRYPTED) {
        return Err(wrong(def, JetErr::FeatureNotAvailable, "is encrypted"));
    }
    if has(ColumnFlags::MULTI_VALUED) && !id.is_tagged() {
        let what = "holds several values and must be tagged";
        return Err(wrong(def, JetErr::MultiValuedColumnMustBeTagged, what));
    }
    if has(ColumnFlags::COMPRESSED) && !def.ty.is_long() {
        let what = "is compressed and must be long";
        return Err(wrong(def, JetErr::ColumnCannotBeCompressed, what));
    }
    let ends = ColumnFlags::FINALIZE | ColumnFlags::DELETE_ON_ZERO;
    if has(ends) && !has(ColumnFlags::ESCROW_UPDATE) || def.flags.contains(ends) {
        let what = "ends rows at zero, so it is added to, and in one of two ways";
        return Err(wrong(def, JetErr::InvalidGrbit, what));
    }
    let adds = matches!(def.ty, ColType::Long | ColType::LongLong);
    if has(ColumnFlags::ESCROW_UPDATE) && !adds {
        return Err(wrong(def, JetErr::InvalidGrbit, "is added to and must be a Long"));
    }
    if has(counter) && !has(ColumnFlags::ESCROW_UPDATE) && !can_count(def) {
        return Err(wrong(def, JetErr::InvalidGrbit, "is a counter of a type that cannot count"));
    }
    if has(counter | ColumnFlags::ESCROW_UPDATE) && id.is_tagged() {
        return Err(wrong(def, JetErr::CannotBeTagged, "is a counter and cannot be tagged"));
    }
    if def.flags.contains(counter) {
        return Err(wrong(def, JetErr::InvalidGrbit, "counts rows or versions, not both"));
    }
    if has(counter) && counters.intersects(def.flags & counter) {
        return Err(wrong(def, JetErr::ColumnRedundant, "is a second counter of its kind"));
    }
    if has(ColumnFlags::ESCROW_UPDATE) && (def.default.is_none() || has(counter)) {
        let what = "is changed by deltas, so it needs a default and is no other counter";
        return Err(wrong(def, JetErr::InvalidGrbit, what));
    }
    if has(ColumnFlags::ESCROW_UPDATE) && def.ty == ColType::LongLong {
        let what = "is added to: with 64 bits only from format update 60 on (edb-format 10)";
        return Err(wrong(def, JetErr::EngineFormatVersionParamTooLowForRequestedFeature, what));
    }
    let stored = counter | ColumnFlags::ESCROW_UPDATE | ColumnFlags::NOT_NULL;
    if has(ColumnFlags::USER_DEFINED_DEFAULT) && (has(stored) || !id.is_tagged()) {
        let what = "is computed, so it is tagged, and no counter, and may be NULL";
        return Err(wrong(def, JetErr::InvalidGrbit, what));
    }
    if has(ColumnFlags::USER_DEFINED_DEFAULT) != def.callback.is_some()
        || has(ColumnFlags::USER_DEFINED_DEFAULT) && def.default.is_some()
    {
        let what = "has one default: either a value or what a callback computes";
        return Err(wrong(def, JetErr::InvalidParameter, what));
    }
    Ok(())
}

/// Is the type one that its counter can have?
fn can_count(def: &ColumnDef) -> bool {
    let wide = matches!(def.ty, ColType::Currency | ColType::LongLong | ColType::UnsignedLongLong);
    def.ty == ColType::Long || wide && def.flags.contains(ColumnFlags::AUTOINCREMENT)
}

fn checked_default(def: &ColumnDef, column: &Column, default: &[u8]) -> Result<Box<[u8]>> {
    if default.is_empty() {
        return Err(wrong(def, JetErr::InvalidParameter, "has an empty default"));
    }
    default_value(column, default)
}

/// A default as rows hold it.
///
/// # Errors
/// `JET_errDefaultValueTooBig` (-1524), and those of a value that does not suit the column.
pub fn default_value(column: &Column, default: &[u8]) -> Result<Box<[u8]>> {
    let own = if column.max_len == 0 { SHORT_LEN_MAX } else { column.max_len.min(SHORT_LEN_MAX) };
    if default.len() > usize::try_from(own).unwrap_or(0) {
        let what = format!("column \"{}\" has a default above {own} bytes", column.name);
        return Err(Error::new(JetErr::DefaultValueTooBig, what));
    }
    record::column_value(column, default).map(Vec::into_boxed_slice)
}

/// The index that a definition adds to a table; `unicode` is the order of UTF-16 text unless it
/// asks for another.
///
/// # Errors
/// `JET_errInvalidName`, `JET_errIndexDuplicate`, `JET_errIndexHasPrimary`,
/// `JET_errIndexInvalidDef` (-1406: no column or more than 16, limits), `JET_errColumnNotFound`,
/// `JET_errInvalidGrbit`, `JET_errDensityInvalid`, `JET_errInvalidLanguageId` (-1062),
/// `JET_errInvalidLCMapStringFlags` (-1064).
pub fn add_index(table: &TableSchema, def: &IndexDef, unicode: &UnicodeIndex) -> Result<Index> {
    check_name(&def.name)?;
    if table.index(&def.name).is_some() {
        return Err(wrong_index(def, JetErr::IndexDuplicate, "exists already"));
    }
    let primary = def.options.contains(IndexOptions::PRIMARY);
    if primary && table.primary().is_some() {
        return Err(wrong_index(def, JetErr::IndexHasPrimary, "is a second primary index"));
    }
    let ignore =
        IndexOptions::IGNORE_NULL | IndexOptions::IGNORE_ANY_NULL | IndexOptions::IGNORE_FIRST_NULL;
    if primary && def.options.intersects(ignore) {
        return Err(wrong_index(def, JetErr::InvalidGrbit, "is primary and must hold every row"));
    }
    check_options(def, primary)?;
    let segments = checked_segments(table, def)?;
    check_limits(table.page_size, def)?;
    check_tuples(table, def, &segments)?;
    let unicode = UnicodeIndex {
        locale: def.locale.as_ref().unwrap_or(&unicode.locale).clone(),
        map_flags: def.map_flags.unwrap_or(unicode.map_flags),
    };
    let unicode = unicode.checked()?;
    let mut flags = index_flags(def.options);
    flags.set(IndexFlags::LOCALE_SET, def.locale.is_some() || def.map_flags.is_some());
    let mut utf16 = false;
    for segment in &segments {
        let column = table.columns.require(segment.column)?;
        let multi = column.flags.contains(ColumnFlags::MULTI_VALUED);
        if column.flags.contains(ColumnFlags::ESCROW_UPDATE) {
            return Err(wrong_index(def, JetErr::CannotIndex, "has an escrow column"));
        }
        // Rows that say nothing of the column would have entries.
        let shown = column.flags.contains(ColumnFlags::DEFAULT);
        if shown && def.options.contains(IndexOptions::EMPTY) {
            let what = "is said to be empty and has a column with a default";
            return Err(wrong_index(def, JetErr::IndexInvalidDef, what));
        }
        if primary && multi {
            let what = "is primary and has a multi-valued column";
            return Err(wrong_index(def, JetErr::IndexInvalidDef, what));
        }
        flags.set(IndexFlags::MULTI_VALUED, flags.contains(IndexFlags::MULTI_VALUED) || multi);
        utf16 |= column.is_unicode();
        check_not_computed(def, column)?;
    }
    flags.set(IndexFlags::TEMPLATE, table.flags.contains(TableFlags::TEMPLATE));
    let hints = def.space_hints.map(|hints| hints.checked(table.page_size)).transpose()?;
    let hinted = hints.map_or(0, |hints| hints.density);
    let mut index = Index {
        name: def.name.clone(),
        objid: ObjId(0),
        fdp: Pgno::NULL,
        density: density(if hinted == 0 { def.density } else { hinted }, table.density)?,
        flags,
        segments,
        conditions: checked_conditions(table, def)?,
        key_most: def.key_most.filter(|most| *most != 255),
        var_seg_mac: def.var_seg_mac,
        lcid: 0,
        lcmap_flags: Some(unicode.map_flags),
        locale: Some(unicode.locale),
        sort_version: None,
        sort_id: None,
        collation: None,
        tuple_limits: def.tuples.map(|limits| limits.encode()),
        space_hints: hints.and_then(|hints| hints.encode_for_index()),
        fdp_set_time: None,
    };
    if utf16 {
        index.stamp()?;
    }
    key::check_supported_columns(&table.columns, &index)?;
    Ok(index)
}

fn check_options(def: &IndexDef, primary: bool) -> Result<()> {
    let has = |options| def.options.contains(options);
    if has(IndexOptions::CROSS_PRODUCT | IndexOptions::NESTED_TABLE) {
        let what = "cannot combine all values and pair equal ordinals";
        return Err(wrong_index(def, JetErr::InvalidGrbit, what));
    }
    if has(IndexOptions::EMPTY) && !has(IndexOptions::IGNORE_ANY_NULL) {
        let what = "can be empty only if it ignores every NULL";
        return Err(wrong_index(def, JetErr::InvalidGrbit, what));
    }
    if primary && !def.conditions.is_empty() {
        return Err(wrong_index(def, JetErr::IndexInvalidDef, "is primary and has conditions"));
    }
    if def.conditions.len() > CONDITIONS_MAX {
        return Err(wrong_index(def, JetErr::IndexInvalidDef, "has more than 16 conditions"));
    }
    Ok(())
}

/// Entries are made where no callback can be called.
fn check_not_computed(def: &IndexDef, column: &Column) -> Result<()> {
    match column.is_computed() {
        true => Err(wrong_index(def, JetErr::FeatureNotAvailable, "has a computed column")),
        false => Ok(()),
    }
}

fn checked_conditions(table: &TableSchema, def: &IndexDef) -> Result<Vec<Condition>> {
    let condition = |wish: &ConditionDef| {
        let column = table.column(&wish.column)?;
        check_not_computed(def, column)?;
        let of_template = is_of_template(table, column);
        Ok(Condition { column: column.id, must_be_null: wish.must_be_null, of_template })
    };
    def.conditions.iter().map(condition).collect()
}

/// Tuple indexes (api-semantics 12.9).
fn check_tuples(table: &TableSchema, def: &IndexDef, segments: &[Segment]) -> Result<()> {
    let Some(limits) = &def.tuples else { return Ok(()) };
    let first =
        segments.first().map(|segment| table.columns.require(segment.column)).transpose()?;
    let suitable = first.is_some_and(|column| {
        column.ty.is_text() || matches!(column.ty, ColType::Binary | ColType::LongBinary)
    });
    let (code, what) = if def.options.contains(IndexOptions::PRIMARY) {
        (JetErr::IndexTuplesSecondaryIndexOnly, "is primary and has tuples")
    } else if def.options.contains(IndexOptions::UNIQUE) {
        (JetErr::IndexTuplesNonUniqueOnly, "is unique and has tuples")
    } else if segments.len() > TUPLE_COLUMNS_MAX {
        (JetErr::IndexTuplesTooManyColumns, "has tuples and more than 11 columns")
    } else if !suitable {
        (JetErr::IndexTuplesTextBinaryColumnsOnly, "has tuples of neither text nor bytes")
    } else if def.var_seg_mac.is_some_and(|segment| segment < def.key_most.unwrap_or(255)) {
        (JetErr::IndexTuplesVarSegMacNotAllowed, "has tuples and a limit of segments")
    } else {
        return limits.check();
    };
    Err(wrong_index(def, code, what))
}

fn checked_segments(table: &TableSchema, def: &IndexDef) -> Result<Vec<Segment>> {
    if def.parts.is_empty() {
        return Err(wrong_index(def, JetErr::IndexInvalidDef, "has no column"));
    }
    if def.parts.len() > KEY_COLUMNS_MAX {
        return Err(wrong_index(def, JetErr::IndexInvalidDef, "has more than 16 columns"));
    }
    let mut segments: Vec<Segment> = Vec::with_capacity(def.parts.len());
    for part in &def.parts {
        let column = table.column(&part.column)?;
        let (descending, of_template) = (part.descending, is_of_template(table, column));
        segments.push(Segment { column: column.id, descending, of_template });
    }
    Ok(segments)
}

/// Indexes say of their columns whether they are a template's: inherited, or its own.
fn is_of_template(table: &TableSchema, column: &Column) -> bool {
    column.origin.inherited || table.flags.contains(TableFlags::TEMPLATE)
}

/// Are the limits of a key and of its segments possible?
///
/// # Errors
/// `JET_errIndexInvalidDef` (-1406).
pub(crate) fn check_limits(page_size: PageSize, def: &IndexDef) -> Result<()> {
    let most = match page_size {
        PageSize::K2 => 500,
        PageSize::K4 => 1000,
        PageSize::K8 | PageSize::K16 | PageSize::K32 => 2000,
    };
    let key_most = def.key_most.unwrap_or(255);
    if !(255..=most).contains(&key_most) {
        return Err(wrong_index(
            def,
            JetErr::IndexInvalidDef,
            "has a limit of the key outside 255 to 1000 (2000 with pages above 4 KiB, 500 below)",
        ));
    }
    if def.var_seg_mac.is_some_and(|segment| segment == 0 || segment > key_most) {
        let what = "has a limit of segments outside 1 to the limit of the key";
        return Err(wrong_index(def, JetErr::IndexInvalidDef, what));
    }
    Ok(())
}

/// Flags of the catalog from options (edb-format 6.7).
fn index_flags(options: IndexOptions) -> IndexFlags {
    let mut flags = IndexFlags::WIDE_SEGMENTS;
    if !options.intersects(IndexOptions::DISALLOW_NULL | IndexOptions::IGNORE_ANY_NULL) {
        flags |= IndexFlags::ALLOW_SOME_NULLS;
        if !options.contains(IndexOptions::IGNORE_FIRST_NULL) {
            flags |= IndexFlags::ALLOW_FIRST_NULL;
            if !options.contains(IndexOptions::IGNORE_NULL) {
                flags |= IndexFlags::ALLOW_ALL_NULLS;
            }
        }
    }
    for (option, flag) in [
        (IndexOptions::UNIQUE, IndexFlags::UNIQUE),
        (IndexOptions::PRIMARY, IndexFlags::PRIMARY | IndexFlags::UNIQUE),
        (IndexOptions::DISALLOW_NULL, IndexFlags::NO_NULL_SEGMENT),
        (IndexOptions::SORT_NULLS_HIGH, IndexFlags::NULLS_HIGH),
        (IndexOptions::CROSS_PRODUCT, IndexFlags::CROSS_PRODUCT),
        (IndexOptions::NESTED_TABLE, IndexFlags::NESTED_TABLE),
        (IndexOptions::DISALLOW_TRUNCATION, IndexFlags::DISALLOW_TRUNCATION),
        (IndexOptions::DOT_NET_GUID, IndexFlags::DOT_NET_GUID),
    ] {
        if options.contains(option) {
            flags |= flag;
        }
    }
    flags
}

pub(super) fn density(wanted: u32, default: u32) -> Result<u32> {
    match wanted {
        0 => Ok(default),
        20..=100 => Ok(wanted),
        other => Err(Error::new(
            JetErr::DensityInvalid,
            format!("a density of {other} per cent; 20 to 100 are possible"),
        )),
    }
}

#[track_caller]
fn wrong(def: &ColumnDef, code: JetErr, what: &str) -> Error {
    Error::new(code, format!("column \"{}\" {what}", def.name))
}

#[track_caller]
fn wrong_index(def: &IndexDef, code: JetErr, what: &str) -> Error {
    Error::new(code, format!("index \"{}\" {what}", def.name))
}
