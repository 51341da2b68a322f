//! What a temporary table is to be (api-semantics 15.1, 15.4, 15.5).

use std::collections::HashMap;

use bitflags::bitflags;
use ese_base::{Error, JetErr, PageSize, Result};

use crate::{
    key::UnicodeIndex,
    schema::{
        ColumnDef, ColumnFlags, ColumnId, IndexDef, IndexOptions, KeyPart, TableDef, TableSchema,
        check_limits,
    },
};

bitflags! {
    /// What a temporary table is for, with the values of JET_bitTT*.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct TempOptions: u32 {
        /// Rows can be sought.
        const INDEXED = 0x0001;
        /// Of rows with one key one is kept.
        const UNIQUE = 0x0002;
        /// Rows can be changed, and added after the first look.
        const UPDATABLE = 0x0004;
        /// Moves can go back.
        const SCROLLABLE = 0x0008;
        /// NULL sorts behind values.
        const SORT_NULLS_HIGH = 0x0010;
        /// It is a table from the start, so that a second row of a key is refused at once.
        const FORCE_MATERIALIZATION = 0x0020;
        /// It is read once, from the first row to the last.
        const FORWARD_ONLY = 0x0040;
        /// Long values stay in their rows, so that no table is needed for them.
        const INTRINSIC_LVS_ONLY = 0x0080;
        /// GUIDs order as .NET orders them.
        const DOT_NET_GUID = 0x0100;
    }
}

/// What a column is in the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrder {
    /// Small values first.
    Ascending,
    /// Great values first.
    Descending,
}

/// A column of a temporary table.
#[derive(Clone, Debug)]
pub struct TempColumn {
    /// The column. Without a name it gets one; of its flags only "multi-valued" counts.
    pub def: ColumnDef,
    /// Is it a part of the key? The parts come in the order of the columns; those behind the
    /// sixteenth do not count.
    pub key: Option<KeyOrder>,
}

/// A temporary table to be opened.
#[derive(Clone, Debug, Default)]
pub struct TempTableDef {
    /// Its columns.
    pub columns: Vec<TempColumn>,
    /// What it is for.
    pub options: TempOptions,
    /// The order of UTF-16 text; `None`: the instance's.
    pub unicode: Option<UnicodeIndex>,
    /// Longest key in bytes; 0 = 255.
    pub key_most: u32,
    /// Longest part of a key that a value of variable length makes; 0 = no limit.
    pub var_seg_mac: u32,
}

/// Most columns in a key.
const KEY_COLUMNS_MAX: usize = 16;

impl TempTableDef {
    /// A table over which a cursor goes once cannot be one that is kept.
    pub(super) fn check(&self) -> Result<()> {
        let kept = TempOptions::INDEXED
            | TempOptions::UPDATABLE
            | TempOptions::SCROLLABLE
            | TempOptions::FORCE_MATERIALIZATION;
        if self.options.contains(TempOptions::FORWARD_ONLY) && self.options.intersects(kept) {
            return Err(forward_only("its other options"));
        }
        Ok(())
    }

    /// Must it be a table from the start?
    pub(super) fn needs_tree(&self) -> Result<bool> {
        let inside = self.options.contains(TempOptions::INTRINSIC_LVS_ONLY);
        let long = self.columns.iter().any(|column| column.def.ty.is_long());
        let needed = self.options.contains(TempOptions::FORCE_MATERIALIZATION)
            || (long && !inside)
            || self.columns.iter().all(|column| column.key.is_none());
        if needed && self.options.contains(TempOptions::FORWARD_ONLY) {
            return Err(forward_only("long values, or a table without key,"));
        }
        Ok(needed)
    }

    /// Columns and key, and the ids of the columns in the order of the definition.
    ///
    /// # Errors
    /// As [`TableDef::build`].
    pub(super) fn build(
        &self,
        page_size: PageSize,
        unicode: &UnicodeIndex,
    ) -> Result<(TableSchema, Vec<ColumnId>)> {
        let mut table = TableDef::new("temporary", Vec::new());
        let mut parts = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            let mut def = column.def.clone();
            if def.name.is_empty() {
                def.name = format!("column {}", at + 1);
            }
            def.flags &= ColumnFlags::MULTI_VALUED;
            if let Some(order) = column.key.filter(|_| parts.len() < KEY_COLUMNS_MAX) {
                let descending = order == KeyOrder::Descending;
                def.flags = ColumnFlags::empty();
                parts.push(KeyPart { column: def.name.clone(), descending });
            }
            table.columns.push(def);
        }
        if !parts.is_empty() {
            let index = self.index(parts)?;
            // Of a sort the limits are arguments like others.
            check_limits(page_size, &index)
                .map_err(|error| error.with_code(JetErr::InvalidParameter))?;
            table.indexes.push(index);
        }
        let schema = table.build_from(page_size, None, self.unicode.as_ref().unwrap_or(unicode))?;
        let found = schema.columns.iter().map(|column| (column.name.as_str(), column.id));
        let found: HashMap<&str, ColumnId> = found.collect();
        let ids = table.columns.iter().filter_map(|def| found.get(def.name.as_str()).copied());
        let ids = ids.collect();
        Ok((schema, ids))
    }

    fn index(&self, parts: Vec<KeyPart>) -> Result<IndexDef> {
        let mut index = IndexDef { parts, ..IndexDef::primary("key", &[]) };
        for (option, there) in [
            (TempOptions::SORT_NULLS_HIGH, IndexOptions::SORT_NULLS_HIGH),
            (TempOptions::DOT_NET_GUID, IndexOptions::DOT_NET_GUID),
        ] {
            index.options.set(there, self.options.contains(option));
        }
        let limit = |len: u32| match len {
            0 => Ok(None),
            len => u16::try_from(len)
                .map(Some)
                .map_err(|_| Error::new(JetErr::InvalidParameter, format!("keys of {len} bytes"))),
        };
        index.key_most = limit(self.key_most)?;
        index.var_seg_mac = limit(self.var_seg_mac)?;
        Ok(index)
    }
}

#[track_caller]
fn forward_only(what: &str) -> Error {
    let what = format!("a forward-only sort cannot become a table, which {what} would need");
    Error::new(JetErr::CannotMaterializeForwardOnlySort, what)
}
