//! What the model knows of the database: tables by a number that renaming does not change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ese_engine::schema::{ColType, ColumnDef, ColumnFlags};

/// A primary key.
pub(super) type Key = Vec<u8>;

/// Values of a row by the column's number; one that is absent is NULL.
pub(super) type Row = BTreeMap<u32, Vec<Vec<u8>>>;

/// All tables.
pub(super) type State = BTreeMap<u32, Arc<TableModel>>;

/// What a column holds, and where it lives in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A fixed column.
    Long,
    /// A variable column.
    Short,
    /// A tagged column.
    Blob,
    /// A tagged column of several values.
    Many,
}

impl Kind {
    pub(super) const ALL: [Kind; 4] = [Kind::Long, Kind::Short, Kind::Blob, Kind::Many];

    pub(super) fn define(self, name: &str) -> ColumnDef {
        match self {
            Kind::Long => ColumnDef::new(name, ColType::Long),
            Kind::Short => ColumnDef::new(name, ColType::Binary),
            Kind::Blob => ColumnDef::new(name, ColType::LongBinary),
            Kind::Many => ColumnDef::new(name, ColType::Binary)
                .max_len(200)
                .placed(ese_engine::schema::Placement::Tagged)
                .with(ColumnFlags::MULTI_VALUED),
        }
    }

    /// May a unique index be over it? Its keys hold all of the value.
    pub(super) fn is_short(self) -> bool {
        matches!(self, Kind::Long | Kind::Short)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnModel {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The table has it from its template.
    pub(super) inherited: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexModel {
    pub(super) name: String,
    /// Columns of its key and of its conditions.
    pub(super) columns: BTreeSet<u32>,
    /// The columns that make rows distinct, where all of them have a value.
    pub(super) unique: Option<Vec<u32>>,
    /// The table has it from its template.
    pub(super) inherited: bool,
}

#[derive(Clone, Debug)]
pub(super) struct TableModel {
    pub(super) name: String,
    /// Others may derive from it, so its definition stays as it is.
    pub(super) is_template: bool,
    pub(super) columns: BTreeMap<u32, ColumnModel>,
    pub(super) indexes: BTreeMap<u32, IndexModel>,
    pub(super) rows: BTreeMap<Key, Arc<Row>>,
}

/// The name of the primary key's column in every table.
pub(super) const KEY: &str = "k";

impl TableModel {
    /// The row as a reader of this version of the table sees it.
    pub(super) fn seen(&self, row: &Row) -> BTreeMap<String, Vec<Vec<u8>>> {
        let named = |(number, values): (&u32, &Vec<Vec<u8>>)| {
            Some((self.columns.get(number)?.name.clone(), values.clone()))
        };
        row.iter().filter_map(named).collect()
    }

    pub(super) fn has_column(&self, name: &str) -> bool {
        name == KEY || self.columns.values().any(|column| column.name == name)
    }

    pub(super) fn has_index(&self, name: &str) -> bool {
        self.indexes.values().any(|index| index.name == name)
    }

    /// Does another row have the same values in these columns?
    pub(super) fn duplicates(&self, columns: &[u32], key: &Key, row: &Row) -> bool {
        let Some(values) = unique_values(columns, row) else { return false };
        let same =
            |other: &Row| unique_values(columns, other).is_some_and(|theirs| theirs == values);
        self.rows.iter().any(|(at, other)| at != key && same(other))
    }

    /// The name of a unique index that two rows share a key of.
    pub(super) fn broken_index(&self) -> Option<&str> {
        let broken = |index: &&IndexModel| {
            index.unique.as_ref().is_some_and(|columns| self.has_duplicates(columns))
        };
        self.indexes.values().find(broken).map(|index| index.name.as_str())
    }

    pub(super) fn has_duplicates(&self, columns: &[u32]) -> bool {
        let mut seen = BTreeSet::new();
        let values = self.rows.values().filter_map(|row| unique_values(columns, row));
        values.into_iter().any(|values| !seen.insert(values))
    }
}

fn unique_values<'r>(columns: &[u32], row: &'r Row) -> Option<Vec<&'r Vec<u8>>> {
    columns.iter().map(|column| row.get(column)?.first()).collect()
}

/// A table as anybody can compare it: names and values only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) columns: BTreeSet<String>,
    pub(super) indexes: BTreeSet<String>,
    pub(super) rows: BTreeMap<Key, BTreeMap<String, Vec<Vec<u8>>>>,
}

pub(super) type Contents = BTreeMap<String, Content>;

pub(super) fn contents(state: &State) -> Contents {
    let of = |table: &TableModel| Content {
        columns: table.columns.values().map(|column| column.name.clone()).collect(),
        indexes: table.indexes.values().map(|index| index.name.clone()).collect(),
        rows: table.rows.iter().map(|(key, row)| (key.clone(), table.seen(row))).collect(),
    };
    state.values().map(|table| (table.name.clone(), of(table))).collect()
}

/// What a transaction has changed; nobody else may change it meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Touch {
    Row(u32, Key),
    /// A value that a row had or got: unique indexes, known or not, may refuse it to others.
    Value(u32, u32, Vec<u8>),
    /// The table's definition.
    Schema(u32),
    Name(String),
}
