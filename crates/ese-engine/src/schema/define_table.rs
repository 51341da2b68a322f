//! Definitions of tables: what a caller asks for, and the table that comes of it (edb-format 6.4 to
//! 6.6, api-semantics 13).

use ese_base::{Error, JetErr, PageSize, Result};

use super::{
    Column, ColumnDef, ColumnFlags, Columns, DENSITY_DEFAULT, IndexDef, SpaceHints, TableFlags,
    TableSchema,
    define::{Existing, add_index, check_name, density},
};
use crate::{key::UnicodeIndex, record};

/// A table to be created.
#[derive(Clone, Debug, Default)]
pub struct TableDef {
    /// Name.
    pub name: String,
    /// Columns; ids are given in this order, range by range.
    pub columns: Vec<ColumnDef>,
    /// Indexes.
    pub indexes: Vec<IndexDef>,
    /// Per cent; 0 = 80.
    pub density: u32,
    /// Initial pages; 0 = the engine's choice.
    pub pages: u32,
    /// May the schema change later, may others derive from the table?
    pub kind: TableType,
    /// The table it derives from.
    pub template: Option<String>,
    /// Wishes for its space.
    pub space_hints: Option<SpaceHints>,
    /// Wishes for the space of its long values.
    pub lv_space_hints: Option<SpaceHints>,
    /// From which length on long values leave the record; 0 = the engine's choice.
    pub separate_lv: u32,
}

/// What may become of a table's schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableType {
    /// It can change.
    #[default]
    Ordinary,
    /// It stays (JET_bitTableCreateFixedDDL).
    Fixed,
    /// It stays, and others can derive from it (JET_bitTableCreateTemplateTable).
    Template,
}

impl TableDef {
    /// A table with columns and no index.
    #[must_use]
    pub fn new(name: &str, columns: Vec<ColumnDef>) -> TableDef {
        TableDef { name: name.to_owned(), columns, ..TableDef::default() }
    }

    /// With an index in addition.
    #[must_use]
    pub fn index(mut self, index: IndexDef) -> TableDef {
        self.indexes.push(index);
        self
    }

    /// Checks the definition and makes the table of it. Object ids and root pages are still
    /// missing: [`TableSchema::place`] and the fields of secondary indexes.
    ///
    /// # Errors
    /// `JET_errInvalidName` (-1002), `JET_errColumnDuplicate` (-1508), `JET_errIndexDuplicate`
    /// (-1403), `JET_errIndexHasPrimary` (-1402), `JET_errDensityInvalid` (-1307),
    /// `JET_errTooManyColumns` (-1040), `JET_errRecordTooBig` (fixed columns longer than a record),
    /// and as [`super::add_column`] and [`add_index`].
    pub fn build(&self, page_size: PageSize) -> Result<TableSchema> {
        self.build_from(page_size, None, &UnicodeIndex::default())
    }

    /// As [`TableDef::build`], for a table that derives from a template; `unicode` is the order of
    /// UTF-16 text in indexes that ask for none.
    ///
    /// # Errors
    /// As [`TableDef::build`]; `JET_errCannotNestDDL` (-1325) for a template that derives from
    /// another, `JET_errDDLNotInheritable` (-1326) for a table that is no template,
    /// `JET_errCannotAddFixedVarColumnToDerivedTable` (-1330), `JET_errSpaceHintsInvalid` (-2103).
    pub fn build_from(
        &self,
        page_size: PageSize,
        template: Option<&TableSchema>,
        unicode: &UnicodeIndex,
    ) -> Result<TableSchema> {
        check_name(&self.name)?;
        let mut table = self.empty(page_size, template)?;
        table.density = density(self.density, DENSITY_DEFAULT)?;
        table.pages = self.pages;
        self.note_hints(&mut table)?;
        let mut columns: Vec<Column> = table.columns.all().cloned().collect();
        let mut existing = Existing::of(&columns);
        for def in &self.columns {
            let mut column = existing.add(def)?;
            refuse_where_tagged_only(&column, template)?;
            if self.kind == TableType::Template {
                column.flags |= ColumnFlags::TEMPLATE_COLUMN;
            }
            columns.push(column);
        }
        table.columns = Columns::new(columns)?;
        for def in &self.indexes {
            let index = add_index(&table, def, unicode)?;
            table.indexes.push(index);
        }
        table.indexes.sort_by_key(|index| !index.is_primary());
        let fixed = record::minimal_len(&table.columns);
        if fixed > table.record_len_max() {
            return Err(Error::new(
                JetErr::RecordTooBig,
                format!(
                    "the fixed columns take {fixed} bytes, a record at most {}",
                    table.record_len_max()
                ),
            ));
        }
        Ok(table)
    }
}

impl TableDef {
    /// What there is before its own columns.
    fn empty(&self, page_size: PageSize, template: Option<&TableSchema>) -> Result<TableSchema> {
        let Some(template) = template else {
            let mut table = TableSchema::new(&self.name, page_size, Columns::default());
            table.flags = match self.kind {
                TableType::Ordinary => TableFlags::empty(),
                TableType::Fixed => TableFlags::FIXED_DDL,
                TableType::Template => TableFlags::FIXED_DDL | TableFlags::TEMPLATE,
            };
            return Ok(table);
        };
        let (code, what) = if self.kind == TableType::Template {
            (JetErr::CannotNestDDL, "is to be a template and derives from another table")
        } else if !template.flags.contains(TableFlags::TEMPLATE) {
            (JetErr::DDLNotInheritable, "is to derive from a table that is no template")
        } else {
            let mut table = template.derive(&self.name)?;
            table.flags.set(TableFlags::FIXED_DDL, self.kind == TableType::Fixed);
            return Ok(table);
        };
        Err(Error::new(code, format!("table \"{}\" {what}", self.name)))
    }

    fn note_hints(&self, table: &mut TableSchema) -> Result<()> {
        if let Some(hints) = self.space_hints {
            let hints = hints.checked(table.page_size)?;
            table.density = density(hints.density, table.density)?;
            if hints.initial != 0 {
                table.pages = hints.initial_pages(table.page_size);
            }
            table.space_hints = hints.encode_for_table();
        }
        if let Some(hints) = self.lv_space_hints {
            let hints = hints.checked(table.page_size)?;
            table.deferred_lv_hints = hints.encode_for_long_values();
        }
        if self.separate_lv != 0 {
            table.separate_lv = Some(Box::new(self.separate_lv.to_le_bytes()));
        }
        Ok(())
    }
}

/// Some templates leave their derived tables only tagged columns to add.
pub(crate) fn refuse_where_tagged_only(
    column: &Column,
    template: Option<&TableSchema>,
) -> Result<()> {
    let only = |t: &TableSchema| t.flags.contains(TableFlags::NO_FIXED_VAR_IN_DERIVED);
    if column.id.is_tagged() || !template.is_some_and(only) {
        return Ok(());
    }
    let what =
        format!("column \"{}\" is not tagged, and the template allows no other", column.name);
    Err(Error::new(JetErr::CannotAddFixedVarColumnToDerivedTable, what))
}
