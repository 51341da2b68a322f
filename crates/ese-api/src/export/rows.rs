//! A row as bytes, in each of the forms.

use std::io::Write as _;

use ese_base::{Error, Hex, Pgno, Result};
use ese_engine::{
    reader::{DeletedRow, Evidence, unreadable_value},
    record::{ColumnData, Instance, RecordView},
    schema::{Column, TableSchema},
};

use super::{
    ExportFormat, ExportedTable,
    scalar::{Scalar, decode},
    sqlite_row::{COLUMNS_MAX, SqliteRow},
};

/// What is said of a deleted row beside its columns.
pub(super) const DELETED_COLUMNS: [&str; 5] = ["evidence", "page", "line", "offset", "key"];

/// Where a row stood.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) pgno: Pgno,
    pub(super) key: &'a [u8],
    pub(super) deleted: Option<(Evidence, Option<usize>, usize)>,
}

impl<'a> Place<'a> {
    pub(super) fn of_deleted(row: &DeletedRow<'a>) -> Place<'a> {
        let DeletedRow { pgno, key, evidence, line, offset, .. } = *row;
        Place { pgno, key, deleted: Some((evidence, line, offset)) }
    }
}

/// Room that is used again from row to row.
#[derive(Debug, Default)]
pub(super) struct Room {
    text: String,
    list: Vec<u8>,
    sqlite: SqliteRow,
}

/// Writes the rows of one table in one form.
#[derive(Debug)]
pub(super) struct RowWriter {
    pub(super) table: String,
    columns: Vec<Column>,
    /// `"name":` of each.
    names: Vec<Vec<u8>>,
    format: ExportFormat,
    raw_dates: bool,
    omit_nulls: bool,
    pub(super) deleted: bool,
}

/// A value or several, or a value that cannot be read.
enum Seen<'r, 's> {
    One(std::borrow::Cow<'r, [u8]>),
    Many(&'s [u8]),
    Null,
}

impl RowWriter {
    pub(super) fn new(
        table: &TableSchema,
        format: ExportFormat,
        raw_dates: bool,
        omit_nulls: bool,
        deleted: bool,
    ) -> RowWriter {
        let columns: Vec<Column> = table.columns.iter().cloned().collect();
        let names = columns.iter().map(|column| {
            let mut name = Vec::new();
            json_text(&mut name, &column.name);
            name.push(b':');
            name
        });
        let names = names.collect();
        let table = table.name.clone();
        RowWriter { table, columns, names, format, raw_dates, omit_nulls, deleted }
    }

    /// The heading of CSV.
    pub(super) fn heading(&self) -> Vec<u8> {
        let before = DELETED_COLUMNS.iter().filter(|_| self.deleted).copied();
        let names = before.chain(self.columns.iter().map(|column| column.name.as_str()));
        let mut out = Vec::new();
        for (at, name) in names.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            csv_text(&mut out, name);
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// Appends a row. Values that cannot be read are NULL and noted, but for those of deleted rows,
    /// where nobody expects better.
    pub(super) fn row(
        &self,
        place: Place<'_>,
        record: &RecordView<'_>,
        room: &mut Room,
        out: &mut Vec<u8>,
        told: &mut ExportedTable,
    ) {
        told.rows += 1;
        match self.format {
            ExportFormat::Json => self.json_row(place, record, room, out, told),
            ExportFormat::Csv => self.csv_row(place, record, room, out, told),
            ExportFormat::Sqlite => self.sqlite_row(place, record, room, out, told),
        }
    }

    fn json_row(
        &self,
        place: Place<'_>,
        record: &RecordView<'_>,
        room: &mut Room,
        out: &mut Vec<u8>,
        told: &mut ExportedTable,
    ) {
        if let Some((evidence, line, offset)) = place.deleted {
            out.extend_from_slice(b"{\"table\":");
            json_text(out, &self.table);
            // Writing into a vector does not fail.
            _ = write!(out, ",\"evidence\":\"{}\",\"page\":{}", evidence.word(), place.pgno);
            match line {
                Some(line) => _ = write!(out, ",\"line\":{line}"),
                None => out.extend_from_slice(b",\"line\":null"),
            }
            _ = write!(out, ",\"offset\":{offset},\"key\":\"");
            out.extend(Hex(place.key).digits());
            out.extend_from_slice(b"\",\"row\":");
        }
        let mut separator = b'{';
        for (column, name) in self.columns.iter().zip(&self.names) {
            let begin = out.len();
            out.push(separator);
            out.extend_from_slice(name);
            let null = self.json_value(column, place, record, room, out, told);
            if null && self.omit_nulls {
                out.truncate(begin);
            } else {
                separator = b',';
            }
        }
        if separator == b'{' {
            out.push(b'{');
        }
        out.push(b'}');
        if place.deleted.is_some() {
            out.push(b'}');
        }
        out.push(b'\n');
    }

    /// Appends a column's value as JSON; says whether it is NULL.
    fn json_value(
        &self,
        column: &Column,
        place: Place<'_>,
        record: &RecordView<'_>,
        room: &mut Room,
        out: &mut Vec<u8>,
        told: &mut ExportedTable,
    ) -> bool {
        let Room { text, list, .. } = room;
        let written = self.see(column, (place, record), text, list).and_then(|seen| {
            let scalar = match &seen {
                Seen::Many(json) => {
                    out.extend_from_slice(json);
                    return Ok(false);
                }
                Seen::Null => Scalar::Null,
                Seen::One(bytes) => decode(column, bytes, self.raw_dates, text)?,
            };
            json_scalar(out, scalar);
            Ok(scalar == Scalar::Null)
        });
        written.unwrap_or_else(|error| {
            out.extend_from_slice(b"null");
            self.lose(column, place, error, told);
            true
        })
    }

    fn csv_row(
        &self,
        place: Place<'_>,
        record: &RecordView<'_>,
        room: &mut Room,
        out: &mut Vec<u8>,
        told: &mut ExportedTable,
    ) {
        if let Some((evidence, line, offset)) = place.deleted {
            let line = line.map(|line| line.to_string()).unwrap_or_default();
            // Writing into a vector does not fail.
            _ = write!(out, "{},{},{line},{offset},", evidence.word(), place.pgno);
            out.extend(Hex(place.key).digits());
            if !self.columns.is_empty() {
                out.push(b',');
            }
        }
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let Room { text, list, .. } = room;
            let written = self.see(column, (place, record), text, list).and_then(|seen| {
                match &seen {
                    Seen::Many(json) => csv_bytes(out, json),
                    Seen::Null => {}
                    Seen::One(bytes) => {
                        csv_scalar(out, decode(column, bytes, self.raw_dates, text)?);
                    }
                }
                Ok(())
            });
            written.unwrap_or_else(|error| self.lose(column, place, error, told));
        }
        out.extend_from_slice(b"\r\n");
    }

    fn sqlite_row(
        &self,
        place: Place<'_>,
        record: &RecordView<'_>,
        room: &mut Room,
        out: &mut Vec<u8>,
        told: &mut ExportedTable,
    ) {
        let mut row = std::mem::take(&mut room.sqlite);
        if let Some((evidence, line, offset)) = place.deleted {
            let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
            row.push(Scalar::Text(evidence.word()));
            row.push(Scalar::Int(place.pgno.0.into()));
            row.push(line.map_or(Scalar::Null, |line| Scalar::Int(number(line))));
            row.push(Scalar::Int(number(offset)));
            row.push(Scalar::Bytes(place.key));
        }
        let (single, more) = self.columns.split_at(self.columns.len().min(COLUMNS_MAX));
        for column in single {
            let Room { text, list, .. } = room;
            let written = self.see(column, (place, record), text, list).and_then(|seen| {
                match &seen {
                    Seen::Many(json) => row.push_json(json),
                    Seen::Null => row.push(Scalar::Null),
                    Seen::One(bytes) => row.push(decode(column, bytes, self.raw_dates, text)?),
                }
                Ok(())
            });
            written.unwrap_or_else(|error| {
                row.push(Scalar::Null);
                self.lose(column, place, error, told);
            });
        }
        if !more.is_empty() {
            // What is beyond the columns that a table of SQLite can have.
            let mut json = Vec::new();
            for (column, name) in more.iter().zip(self.names.iter().skip(single.len())) {
                let begin = json.len();
                json.push(if begin == 0 { b'{' } else { b',' });
                json.extend_from_slice(name);
                if self.json_value(column, place, record, room, &mut json, told) {
                    json.truncate(begin);
                }
            }
            json.extend_from_slice(if json.is_empty() { b"{}" } else { b"}" });
            row.push_json(&json);
        }
        row.finish(out);
        room.sqlite = row;
    }

    /// Reads a column; several values become a JSON list in `list`. A row that was wiped has none,
    /// not even defaults.
    fn see<'r, 's>(
        &'r self,
        column: &'r Column,
        (place, record): (Place<'_>, &'r RecordView<'_>),
        text: &mut String,
        list: &'s mut Vec<u8>,
    ) -> Result<Seen<'r, 's>> {
        if place.deleted.is_some_and(|(evidence, ..)| evidence == Evidence::Wiped) {
            return Ok(Seen::Null);
        }
        let instance = match record.data(column)? {
            ColumnData::Null => return Ok(Seen::Null),
            ColumnData::Many(values) => {
                list.clear();
                for (at, instance) in values.iter().enumerate() {
                    list.push(if at == 0 { b'[' } else { b',' });
                    let bytes = record.bytes_of(column, instance?, usize::MAX)?;
                    json_scalar(list, decode(column, &bytes, self.raw_dates, text)?);
                }
                list.push(b']');
                return Ok(Seen::Many(list));
            }
            data @ (ColumnData::Default(_) | ColumnData::Computed) => {
                Instance::Plain(data.first(column)?.unwrap_or_default())
            }
            ColumnData::One(instance) => instance,
        };
        record.bytes_of(column, instance, usize::MAX).map(Seen::One)
    }

    fn lose(&self, column: &Column, place: Place<'_>, error: Error, told: &mut ExportedTable) {
        if place.deleted.is_some() {
            return;
        }
        let error = unreadable_value(error, &self.table, place.key, column);
        told.lose(error.at_page(place.pgno));
    }
}

fn json_scalar(out: &mut Vec<u8>, scalar: Scalar<'_>) {
    // Writing into a vector does not fail.
    _ = match scalar {
        Scalar::Null => out.write_all(b"null"),
        Scalar::Bit(bit) => write!(out, "{bit}"),
        Scalar::Int(n) => write!(out, "{n}"),
        Scalar::Big(n) => write!(out, "{n}"),
        // JSON has no word for infinities and for what is no number.
        Scalar::Float(x) if !x.is_finite() => write!(out, "\"{x}\""),
        Scalar::Float(x) => write!(out, "{x:?}"),
        Scalar::Text(text) => {
            json_text(out, text);
            Ok(())
        }
        Scalar::Bytes(bytes) => {
            out.push(b'"');
            out.extend(Hex(bytes).digits());
            out.push(b'"');
            Ok(())
        }
    };
}

fn csv_scalar(out: &mut Vec<u8>, scalar: Scalar<'_>) {
    match scalar {
        Scalar::Null => {}
        Scalar::Text(text) => csv_text(out, text),
        Scalar::Bytes(bytes) => out.extend(Hex(bytes).digits()),
        Scalar::Float(x) if !x.is_finite() => _ = write!(out, "{x}"),
        number => json_scalar(out, number),
    }
}

/// A text that is empty is told from NULL by its quotes.
fn csv_text(out: &mut Vec<u8>, text: &str) {
    if text.is_empty() { out.extend_from_slice(b"\"\"") } else { csv_bytes(out, text.as_bytes()) }
}

fn csv_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    if !bytes.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        return out.extend_from_slice(bytes);
    }
    out.push(b'"');
    for (at, piece) in bytes.split(|byte| *byte == b'"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(piece);
    }
    out.push(b'"');
}

/// Appends a text in quotes.
fn json_text(out: &mut Vec<u8>, text: &str) {
    // Writing into a vector does not fail.
    _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_so_that_they_can_be_read_back() {
        let text = |write: fn(&mut Vec<u8>, &str), text: &str| {
            let mut out = Vec::new();
            write(&mut out, text);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(json_text, "a\"b\\\n\u{1}\u{e9}"), "\"a\\\"b\\\\\\n\\u0001\u{e9}\"");
        assert_eq!(text(csv_text, "plain"), "plain");
        assert_eq!(text(csv_text, ""), "\"\"");
        assert_eq!(text(csv_text, "a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
    }

    #[test]
    fn numbers_keep_what_tells_them_apart() {
        let json = |scalar| {
            let mut out = Vec::new();
            json_scalar(&mut out, scalar);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(json(Scalar::Float(1.0)), "1.0");
        assert_eq!(json(Scalar::Float(f64::NAN)), "\"NaN\"");
        assert_eq!(json(Scalar::Big(u64::MAX)), "18446744073709551615");
        assert_eq!(json(Scalar::Bytes(&[0, 0xab])), "\"00ab\"");
        assert_eq!(json(Scalar::Bit(true)), "true");
    }
}
