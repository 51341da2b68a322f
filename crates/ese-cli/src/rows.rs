//! `ese rows FILE TABLE [--json|--csv]`: the rows of a table in key order.
//!
//! Values are what dissect.esedb decodes: numbers as numbers, a date as its eight bytes read as a
//! number, a GUID as text, text as text, bytes as hexadecimal digits, several values as a list. In
//! CSV, NULL is an empty field and a list its JSON text.

use std::{cell::RefCell, ops::ControlFlow};

use ese_api::{Column, Error, ExportedTable, Losses, Offline, TableSchema, Value};
use ese_base::Hex;
use ese_engine::record::RecordView;
use serde_json::{Map, Number, Value as Json};

use crate::{
    args,
    context::Context,
    export,
    failure::{Failure, Outcome},
    output::Output,
    tables, text,
};

/// Rows that decide how wide the columns of a printed table are.
const SAMPLE: usize = 200;
/// Characters of a printed column.
const WIDTH_MAX: usize = 40;

pub(crate) fn run(context: &Context, args: &args::Rows) -> Outcome {
    if args.deleted {
        return export::deleted_rows(context, args);
    }
    let database = tables::open(context, &args.file, args.as_is)?;
    let table = Printed::new(&database, args)?;
    let mut output = Output::new();
    if context.json {
        as_json(&table, &mut output)?;
    } else if args.csv {
        as_csv(&table, &mut output)?;
    } else {
        as_table(&table, &mut output)?;
    }
    output.flush()?;
    tables::remark_corrected(context, &database);
    let Losses { pages, rows } = table.losses.into_inner();
    let mut all: Vec<_> = tables::catalog_losses(&database).collect();
    if !pages.is_empty() || !rows.is_empty() {
        let lost_count = rows.len() as u64;
        let lost = ExportedTable { rows: 0, lost_pages: pages, lost: rows, lost_count };
        all.push((args.table.clone(), lost));
    }
    if all.is_empty() { Ok(()) } else { export::incomplete(context, &all) }
}

/// What of a table is printed.
struct Printed<'a> {
    database: &'a Offline,
    table: &'a TableSchema,
    columns: Vec<&'a Column>,
    limit: u64,
    /// Reading goes on behind what cannot be read.
    as_is: bool,
    /// What that was.
    losses: RefCell<Losses>,
}

impl<'a> Printed<'a> {
    fn new(database: &'a Offline, args: &args::Rows) -> Outcome<Printed<'a>> {
        let table = database.table(&args.table)?;
        for name in &args.without {
            table.column(name)?;
        }
        let left_out = |column: &Column| {
            args.without.iter().any(|name| name.eq_ignore_ascii_case(&column.name))
        };
        let columns = table.columns.iter().filter(|column| !left_out(column)).collect();
        let limit = args.limit.unwrap_or(u64::MAX);
        let (as_is, losses) = (args.as_is.as_is, RefCell::default());
        Ok(Printed { database, table, columns, limit, as_is, losses })
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.columns.iter().map(|column| column.name.clone())
    }

    /// Visits the rows, as values in the order of the column ids.
    fn each_row(&self, mut each: impl FnMut(Vec<Value>) -> Outcome) -> Outcome {
        let (mut failed, mut left) = (Ok(()), self.limit);
        if left == 0 {
            return Ok(());
        }
        let visit = |key: &[u8], record: &RecordView<'_>| {
            let row = self.values(key, record)?;
            left -= 1;
            failed = each(row);
            let enough = failed.is_err() || left == 0;
            Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        if self.as_is {
            let losses = self.database.rows_as_is(self.table, visit)?;
            self.losses.borrow_mut().append(losses);
        } else {
            self.database.rows(self.table, visit)?;
        }
        failed
    }

    fn values(&self, key: &[u8], record: &RecordView<'_>) -> ese_api::Result<Vec<Value>> {
        let read = |column: &&Column| {
            let read = Value::read(column, record);
            read.map_err(|error| unreadable(key, column, error)).or_else(|error| {
                if !self.as_is {
                    return Err(error);
                }
                self.losses.borrow_mut().rows.push(error);
                Ok(Value::Null)
            })
        };
        self.columns.iter().map(read).collect()
    }
}

/// Says which value of which row it is, and how to get at the others.
fn unreadable(key: &[u8], column: &Column, error: Error) -> Error {
    let (name, row) = (format!("column \"{}\"", column.name), format!("row with key {}", Hex(key)));
    let named = error.message().starts_with(&name);
    let what = if named { row } else { format!("{row}, {name}") };
    error.within(&what).advise(format!("--without \"{}\" leaves the column out", column.name))
}

fn as_json(table: &Printed<'_>, output: &mut Output) -> Outcome {
    table.each_row(|row| {
        let row: Map<String, Json> = table.names().zip(row.into_iter().map(json_value)).collect();
        Ok(output.json(&Json::Object(row))?)
    })
}

fn as_csv(table: &Printed<'_>, output: &mut Output) -> Outcome {
    let mut csv = csv::Writer::from_writer(output.raw());
    csv.write_record(table.names()).map_err(csv_failure)?;
    table.each_row(|row| csv.write_record(row.into_iter().map(plain)).map_err(csv_failure))?;
    Ok(csv.flush()?)
}

fn csv_failure(error: csv::Error) -> Failure {
    Failure::Output(error.into())
}

fn as_table(table: &Printed<'_>, output: &mut Output) -> Outcome {
    let mut layout = Layout { sample: vec![table.names().collect()], widths: None };
    table.each_row(|row| {
        let row =
            row.into_iter().map(|value| text::printable(&plain(value)).into_owned()).collect();
        layout.row(row, output)
    })?;
    layout.decide(output)
}

/// Columns as wide as the first rows need.
struct Layout {
    sample: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
}

impl Layout {
    fn row(&mut self, row: Vec<String>, output: &mut Output) -> Outcome {
        match &self.widths {
            Some(widths) => print(&row, widths, output),
            None => {
                self.sample.push(row);
                if self.sample.len() > SAMPLE { self.decide(output) } else { Ok(()) }
            }
        }
    }

    fn decide(&mut self, output: &mut Output) -> Outcome {
        let columns = self.sample.first().map_or(0, Vec::len);
        let width_of = |at: usize| {
            let cells = self.sample.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).min(WIDTH_MAX)
        };
        let widths: Vec<usize> = (0..columns).map(width_of).collect();
        for row in std::mem::take(&mut self.sample) {
            print(&row, &widths, output)?;
        }
        self.widths = Some(widths);
        Ok(())
    }
}

fn print(row: &[String], widths: &[usize], output: &mut Output) -> Outcome {
    let cells = row.iter().zip(widths);
    let cells = cells.map(|(cell, width)| format!("{:<width$}", text::cut(cell, *width)));
    Ok(output.line(cells.collect::<Vec<String>>().join("  ").trim_end())?)
}

/// A value as JSON.
pub(crate) fn json_value(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bit(bit) => bit.into(),
        Value::U8(n) => n.into(),
        Value::I16(n) => n.into(),
        Value::U16(n) => n.into(),
        Value::I32(n) => n.into(),
        Value::U32(n) => n.into(),
        Value::I64(n) | Value::Currency(n) | Value::DateTime(n) => n.into(),
        Value::U64(n) => n.into(),
        Value::F32(x) => float(f64::from(x)),
        Value::F64(x) => float(x),
        Value::Guid(guid) => guid.to_string().into(),
        Value::Binary(bytes) => Hex(&bytes).to_string().into(),
        Value::Text(text) => text.into(),
        Value::Multi(values) => Json::Array(values.into_iter().map(json_value).collect()),
    }
}

/// JSON has no word for infinities and for what is no number: they become text.
fn float(x: f64) -> Json {
    Number::from_f64(x).map_or_else(|| Json::String(x.to_string()), Json::Number)
}

/// A value as a field of text.
fn plain(value: Value) -> String {
    match json_value(value) {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_read_is_named_with_a_way_around_it() {
        let def = ese_api::TableBuilder::new("t").text("name").into_def();
        let table = def.build(ese_api::PageSize::K4).unwrap();
        let column = table.columns.iter().next().unwrap();
        let error = Error::new(ese_api::JetErr::ColumnNotFound, "odd");
        let told = unreadable(&[0x7f, 1], column, error).to_string();
        assert!(told.contains("row with key 7f01, column \"name\": odd"), "{told}");
        assert!(told.contains("--without \"name\" leaves"), "{told}");
    }

    #[test]
    fn values_are_written_as_documented() {
        assert_eq!(json_value(Value::Binary(vec![0, 0xab])), "00ab");
        assert_eq!(json_value(Value::F64(f64::NAN)), "NaN");
        assert_eq!(json_value(Value::F32(1.5)), 1.5);
        assert_eq!(json_value(Value::DateTime(-1)), -1);
        let list = Value::Multi(vec![Value::I16(1), Value::Null]);
        assert_eq!(plain(list), "[1,null]");
        assert_eq!(plain(Value::Null), "");
        assert_eq!(plain(Value::Text("a b".to_owned())), "a b");
    }
}
