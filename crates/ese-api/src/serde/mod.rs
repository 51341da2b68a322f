//! Rows as structs: fields are columns of the same name. `Option` is NULL or a value, a list is a
//! multi-valued column or the bytes of a binary one, a unit variant is its name.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use ese_base::{Error, JetErr, Result};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    key::Key,
    row::{Row, Values},
    session::Writer,
    table::Table,
};

/// Why something is no row. Serde needs an error that it can make of any text.
#[derive(Debug)]
struct NoRow(String);

impl fmt::Display for NoRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoRow {}

impl serde::ser::Error for NoRow {
    fn custom<T: fmt::Display>(what: T) -> NoRow {
        NoRow(what.to_string())
    }
}

impl serde::de::Error for NoRow {
    fn custom<T: fmt::Display>(what: T) -> NoRow {
        NoRow(what.to_string())
    }
}

impl From<NoRow> for Error {
    #[track_caller]
    fn from(no_row: NoRow) -> Error {
        Error::new(JetErr::InvalidParameter, no_row.0)
    }
}

impl Row {
    /// The row as a struct, or a map. Columns that it does not name are left out.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003), saying which value does not suit.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(T::deserialize(read::RowReader(self))?)
    }
}

impl Values<'static> {
    /// The values of a struct, or of a map, for an insert or update.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for something that is not named values.
    pub fn of(row: &impl Serialize) -> Result<Values<'static>> {
        Ok(row.serialize(write::RowWriter)?)
    }
}

impl Table {
    /// Inserts a struct as a row.
    ///
    /// # Errors
    /// As [`Values::of`] and [`Table::insert`].
    pub fn insert_struct(&self, to: &mut impl Writer, row: &impl Serialize) -> Result<()> {
        self.insert(to, &Values::of(row)?)
    }

    /// Changes the columns that a struct names of the row with this key. False: there is no such
    /// row.
    ///
    /// # Errors
    /// As [`Values::of`] and [`Table::update`].
    pub fn update_struct(
        &self,
        to: &mut impl Writer,
        key: impl Key,
        changes: &impl Serialize,
    ) -> Result<bool> {
        self.update(to, key, &Values::of(changes)?)
    }
}
