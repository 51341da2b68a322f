//! Can all values of a table be read? Values outside of the rows are looked at with their tree
//! ([`OfflineDatabase::check_long_values`]), the others here, as by those who read them.

use std::ops::ControlFlow;

use ese_base::{Error, Hex, JetErr, Result, StopToken};

use super::OfflineDatabase;
use crate::{
    record::{RecordView, Value},
    schema::{Column, TableSchema},
};

/// Findings of a table that are kept.
const FINDINGS_MAX: usize = 1000;

impl OfflineDatabase {
    /// Looks at each row of the pages that can be read, and at each value in it. Gives the rows and
    /// values that cannot be read, the first thousand; not such as only other versions read.
    ///
    /// # Errors
    /// `JET_errClientRequestToStopJetService` (-1329) if stopped. No damage.
    pub fn check_values(&self, table: &TableSchema, stop: &StopToken) -> Result<Vec<Error>> {
        let mut problems = Vec::new();
        if table.is_orphan() {
            return Ok(problems);
        }
        // Pages are looked at elsewhere, with all that is wrong with them.
        self.each_row_as_is(table, |key, pgno, record| {
            stop.check()?;
            let mut note = |error| {
                if problems.len() < FINDINGS_MAX {
                    problems.push(error);
                }
            };
            match record {
                Ok(record) => {
                    check_row(table, key, &record, &mut |error| note(error.at_page(pgno)));
                }
                Err(error) => note(error),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(problems)
    }
}

/// Gives the values that lie in a row and cannot be read.
pub(crate) fn check_row(
    table: &TableSchema,
    key: &[u8],
    record: &RecordView<'_>,
    each: &mut dyn FnMut(Error),
) {
    for column in table.columns.iter() {
        if let Err(error) = Value::check_inside(column, record)
            && error.code() != JetErr::FeatureNotAvailable
        {
            each(unreadable_value(error, &table.name, key, column));
        }
    }
}

/// Says which value of which row it is.
#[must_use]
pub fn unreadable_value(error: Error, table: &str, key: &[u8], column: &Column) -> Error {
    let place = format!("table \"{table}\", row {}", Hex(key));
    let name = format!("column \"{}\"", column.name);
    // What reads a value may have named its column.
    let named = error.message().starts_with(&name);
    let error = if named { error } else { error.within(&name) };
    error.map_message(|what| format!("{place}, {what}"))
}
