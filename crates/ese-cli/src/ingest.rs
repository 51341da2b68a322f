//! Records of text files: JSON lines and CSV, and what columns suit them.
//!
//! A column's type is the narrowest that holds all its values:
//!
//! | values | type |
//! | --- | --- |
//! | `true` and `false` | Bit |
//! | whole numbers | LongLong, or UnsignedLongLong if one needs it |
//! | numbers | IEEEDouble, unless a whole one would lose digits |
//! | everything else, lists and objects as their JSON text | LongText, UTF-16 |
//!
//! In CSV a field is a number or `true` only if it is written as JSON writes it (`007` is text),
//! and an empty field is NULL. Values for a table that exists are those that `ese rows --json`
//! prints.

mod json;

use std::{
    collections::{HashMap, HashSet},
    io::{self, BufRead as _, BufReader, Read},
    ops::ControlFlow,
    path::Path,
};

use ese_api::{ColType, Column, ColumnDef, Env, Error, Guid, JetErr, Placement, Value};
use ese_base::Hex;
use ese_os::FileStream;
use serde_json::{Map, Value as Json};

use crate::{
    failure::{Failure, Outcome},
    files::stream_error,
};

/// No record is longer: a file without line ends must not fill the memory.
const LINE_MAX: u64 = 64 << 20;

/// Columns for the fixed part of a record. It can have one more (api-semantics 12.2), which is for
/// a key that the records do not have.
const FIXED_COLUMNS: usize = 126;

/// What some programs write before text in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Jsonl,
    Csv,
}

impl Format {
    /// By the file's extension.
    pub(crate) fn of(path: &Path) -> Option<Format> {
        let extension = path.extension()?.to_ascii_lowercase();
        match extension.to_str()? {
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }

    pub(crate) fn require(path: &Path) -> Outcome<Format> {
        Format::of(path).ok_or_else(|| {
            Failure::Usage(format!("{}: expected a .jsonl or a .csv file", path.display()))
        })
    }
}

/// One record, and the line it begins on.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) line: u64,
    /// Bytes of the file up to its end, for progress.
    pub(crate) bytes: u64,
    pub(crate) fields: Map<String, Json>,
}

/// Visits the records of a file in order until the visitor breaks. Gives the file's length.
pub(crate) fn each_record(
    env: &Env,
    path: &Path,
    format: Format,
    each: impl FnMut(Record, u64) -> Outcome<ControlFlow<()>>,
) -> Outcome {
    let stream = FileStream::open(env, path)?;
    let len = stream.len();
    match format {
        Format::Jsonl => json_lines(path, stream, len, each),
        Format::Csv => csv_records(path, Bounded::new(stream, LINE_MAX), len, each),
    }
}

fn json_lines(
    path: &Path,
    stream: FileStream,
    len: u64,
    mut each: impl FnMut(Record, u64) -> Outcome<ControlFlow<()>>,
) -> Outcome {
    let mut reader = BufReader::with_capacity(256 << 10, stream);
    let (mut text, mut line, mut bytes) = (Vec::new(), 0, 0);
    loop {
        text.clear();
        let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut text);
        let read = read.map_err(|error| stream_error(path, &error))?;
        if read == 0 {
            return Ok(());
        }
        (line, bytes) = (line + 1, bytes + u64::try_from(read).unwrap_or(0));
        if u64::try_from(read).is_ok_and(|read| read == LINE_MAX) {
            return Err(Failure::input(path, line, format!("longer than {LINE_MAX} bytes")));
        }
        let record = match text.strip_prefix(BOM) {
            Some(rest) if line == 1 => rest,
            _ => &text,
        };
        if record.trim_ascii().is_empty() {
            continue;
        }
        let fields = json::object(record).map_err(|what| Failure::input(path, line, what))?;
        if each(Record { line, bytes, fields }, len)?.is_break() {
            return Ok(());
        }
    }
}

/// A stream that gives a record so many bytes and no more: an unclosed quote makes the rest of a
/// file one field. The CSV reader asks for a piece at a time, so the bound is that exact.
struct Bounded<R> {
    inner: R,
    record_max: u64,
    left: u64,
    quotes: Quotes,
    at_end: bool,
    /// Of the next byte, from 1.
    line: u64,
    /// The first line on which something stands behind a closing quote.
    stray: Option<u64>,
}

/// Where in a field the text is: the reader takes a quote that is not closed for one that ends with
/// the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// Before the first byte of a field; at the beginning of the file behind so much of a mark.
    Before(usize),
    /// In a field without quotes, or behind its closing one.
    Outside,
    Inside,
    /// Behind a quote that closes the field, or is the first of two that stand for one.
    Closing,
}

impl Quotes {
    fn then(self, byte: u8) -> Quotes {
        match (self, byte) {
            (Quotes::Inside, b'"') => Quotes::Closing,
            (Quotes::Inside, _) | (Quotes::Before(_) | Quotes::Closing, b'"') => Quotes::Inside,
            (_, b',' | b'\n' | b'\r') => Quotes::Before(BOM.len()),
            (Quotes::Before(at), byte) if BOM.get(at) == Some(&byte) => Quotes::Before(at + 1),
            _ => Quotes::Outside,
        }
    }
}

impl<R> Bounded<R> {
    fn new(inner: R, record_max: u64) -> Bounded<R> {
        let quotes = Quotes::Before(0);
        let (left, at_end, line, stray) = (record_max, false, 1, None);
        Bounded { inner, record_max, left, quotes, at_end, line, stray }
    }

    fn see(&mut self, byte: u8) {
        if self.quotes == Quotes::Closing && !matches!(byte, b'"' | b',' | b'\n' | b'\r') {
            self.stray.get_or_insert(self.line);
        }
        self.quotes = self.quotes.then(byte);
        self.line += u64::from(byte == b'\n');
    }

    /// Did the file end inside quotes? Its last record does, then.
    fn is_unclosed(&self) -> bool {
        self.at_end && self.quotes == Quotes::Inside
    }

    fn next_record(&mut self) {
        self.left = self.record_max;
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let read = self.inner.read(out)?;
        self.at_end |= read == 0;
        let bytes = out.get(..read).unwrap_or_default();
        bytes.iter().for_each(|byte| self.see(*byte));
        self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

fn csv_records(
    path: &Path,
    stream: Bounded<impl Read>,
    len: u64,
    mut each: impl FnMut(Record, u64) -> Outcome<ControlFlow<()>>,
) -> Outcome {
    let record_max = stream.record_max;
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(256 << 10).from_reader(stream);
    // `begin` is the line where the record should begin, for errors that do not know it.
    let wrong = |begin: u64, error: csv::Error| {
        let line = error.position().map_or(begin, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                let what = format!("longer than {record_max} bytes; is a quote not closed?");
                Failure::input(path, line, what)
            }
            csv::ErrorKind::Io(error) => Failure::Engine(stream_error(path, &error)),
            csv::ErrorKind::Utf8 { .. } => Failure::input(path, line, "not UTF-8"),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                Failure::input(path, line, format!("{len} fields, the heading has {expected_len}"))
            }
            other => Failure::input(path, line, format!("{other:?}")),
        }
    };
    let heading = reader.headers().map_err(|error| wrong(1, error))?.clone();
    let unclosed = |line| Failure::input(path, line, "a quote is not closed");
    if reader.get_ref().is_unclosed() {
        return Err(unclosed(1));
    }
    let mut names = HashSet::new();
    // As names of columns they are equal in any case.
    if let Some(twice) = heading.iter().find(|name| !names.insert(name.to_ascii_lowercase())) {
        return Err(Failure::input(path, 1, format!("the heading \"{twice}\" occurs twice")));
    }
    let mut record = csv::StringRecord::new();
    loop {
        reader.get_mut().next_record();
        let begin = reader.position().line();
        if !reader.read_record(&mut record).map_err(|error| wrong(begin, error))? {
            return Ok(());
        }
        let line = record.position().map_or(0, csv::Position::line);
        if reader.get_ref().is_unclosed() {
            return Err(unclosed(line));
        }
        // It may belong to a record further on, which is read already.
        if let Some(line) = reader.get_ref().stray {
            return Err(Failure::input(path, line, "something stands behind a closing quote"));
        }
        let bytes = reader.position().byte();
        let fields = heading.iter().zip(record.iter());
        let fields = fields.map(|(name, field)| (name.to_owned(), csv_value(field))).collect();
        if each(Record { line, bytes, fields }, len)?.is_break() {
            return Ok(());
        }
    }
}

/// What a field of a CSV file says.
fn csv_value(field: &str) -> Json {
    if field.is_empty() {
        return Json::Null;
    }
    match serde_json::from_str(field) {
        // As a float it would lose digits.
        Ok(Json::Number(_)) if json::is_long_number(field.as_bytes()) => {
            Json::String(field.to_owned())
        }
        Ok(value @ (Json::Bool(_) | Json::Number(_))) => value,
        _ => Json::String(field.to_owned()),
    }
}

/// What values of a column have been seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// Only NULL.
    #[default]
    Nothing,
    Bit,
    Whole,
    /// Whole, and at least one above what LongLong holds.
    Unsigned,
    /// Whole numbers on both sides of what one type holds, or fractions.
    Double,
    Text,
}

impl Kind {
    fn of(value: &Json) -> Kind {
        match value {
            Json::Null => Kind::Nothing,
            Json::Bool(_) => Kind::Bit,
            Json::Number(number) if number.is_i64() => Kind::Whole,
            Json::Number(number) if number.is_u64() => Kind::Unsigned,
            Json::Number(_) => Kind::Double,
            _ => Kind::Text,
        }
    }

    fn with(self, other: Kind) -> Kind {
        match (self, other) {
            (a, b) if a == b => a,
            (Kind::Nothing, known) | (known, Kind::Nothing) => known,
            (Kind::Bit | Kind::Text, _) | (_, Kind::Bit | Kind::Text) => Kind::Text,
            (Kind::Double, _) | (_, Kind::Double) => Kind::Double,
            _ => Kind::Unsigned,
        }
    }
}

/// What is known of a column.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    kind: Kind,
    /// A number was below zero.
    negative: bool,
    /// A whole number has more digits than a double.
    exact: bool,
}

impl Seen {
    fn see(&mut self, value: &Json) {
        self.kind = self.kind.with(Kind::of(value));
        let whole = value.as_i64().map(i64::unsigned_abs).or_else(|| value.as_u64());
        self.negative |= value.as_i64().is_some_and(|number| number < 0);
        // Up to 2^53 a double holds every whole number.
        self.exact |= whole.is_some_and(|whole| whole > 1 << 53);
    }

    /// The narrowest type; `None` is text.
    fn narrowest(self) -> Option<ColType> {
        match self.kind {
            Kind::Bit => Some(ColType::Bit),
            Kind::Whole => Some(ColType::LongLong),
            Kind::Double if !self.exact => Some(ColType::IeeeDouble),
            // Nothing holds numbers above and below what LongLong does.
            Kind::Unsigned if !self.negative => Some(ColType::UnsignedLongLong),
            Kind::Unsigned | Kind::Double | Kind::Nothing | Kind::Text => None,
        }
    }
}

/// The columns that suit all records of a file.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// In the order of their first appearance.
    names: Vec<String>,
    kinds: HashMap<String, Seen>,
    pub(crate) records: u64,
}

impl Shape {
    /// Takes another record into account.
    pub(crate) fn see(&mut self, fields: &Map<String, Json>) {
        self.records += 1;
        for (name, value) in fields {
            match self.kinds.get_mut(name) {
                Some(seen) => seen.see(value),
                None => {
                    self.names.push(name.clone());
                    self.kinds.entry(name.clone()).or_default().see(value);
                }
            }
        }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns, in the order of the names. Of numbers only so many fit into the fixed part of a
    /// record.
    pub(crate) fn columns(&self) -> impl Iterator<Item = ColumnDef> {
        let mut fixed = 0;
        self.names.iter().map(move |name| {
            let Some(ty) = self.kinds.get(name).and_then(|seen| seen.narrowest()) else {
                return ColumnDef::new(name, ColType::LongText).unicode();
            };
            fixed += 1;
            let column = ColumnDef::new(name, ty);
            if fixed <= FIXED_COLUMNS { column } else { column.placed(Placement::Tagged) }
        })
    }
}

/// A value in record encoding.
pub(crate) fn encode(column: &Column, value: &Json) -> ese_api::Result<Option<Vec<u8>>> {
    const ADVICE: &str = "correct the record, or load it into another table";
    let value = value_for(column, value)
        .map_err(|what| Error::new(JetErr::InvalidParameter, what).advise(ADVICE))?;
    value.encode(column).map_err(|error| match error.advice() {
        Some(_) => error,
        None => error.advise(ADVICE),
    })
}

/// A JSON value as a value of a column.
fn value_for(column: &Column, value: &Json) -> Result<Value, String> {
    let unsuited =
        || format!("column \"{}\" of type {:?} cannot hold {value}", column.name, column.ty);
    Ok(match (column.ty, value) {
        (_, Json::Null) => Value::Null,
        (ColType::Bit, Json::Bool(bit)) => Value::Bit(*bit),
        (ColType::Text | ColType::LongText, Json::String(text)) => Value::Text(text.clone()),
        (ColType::Text | ColType::LongText, other) => Value::Text(other.to_string()),
        (ColType::Guid, Json::String(text)) => Value::Guid(Guid::parse(text).ok_or_else(unsuited)?),
        (ColType::Binary | ColType::LongBinary, Json::String(text)) => {
            Value::Binary(Hex::parse(text).ok_or_else(unsuited)?)
        }
        (ColType::IeeeDouble, Json::Number(number)) => {
            Value::F64(number.as_f64().ok_or_else(unsuited)?)
        }
        (ColType::IeeeSingle, Json::Number(number)) => single(number).ok_or_else(unsuited)?,
        (_, Json::Number(number)) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::I64(whole),
            (None, Some(whole)) => Value::U64(whole),
            (None, None) => return Err(unsuited()),
        },
        _ => return Err(unsuited()),
    })
}

/// A number that single precision holds, by its text so that nothing is rounded twice.
fn single(number: &serde_json::Number) -> Option<Value> {
    number.to_string().parse().ok().map(Value::F32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(lines: &[&str]) -> Shape {
        let mut shape = Shape::default();
        for line in lines {
            let fields = serde_json::from_str(line).unwrap();
            shape.see(&fields);
        }
        shape
    }

    fn types(shape: &Shape) -> Vec<(&str, ColType)> {
        let names = shape.names().iter().map(String::as_str);
        names.zip(shape.columns().map(|column| column.ty)).collect()
    }

    #[test]
    fn a_column_has_the_narrowest_type_that_holds_all_its_values() {
        let found = shape(&[
            r#"{"a": 1, "b": true, "c": 1, "d": "x", "e": null, "f": [1], "g": 1, "h": -1}"#,
            r#"{"a": 2, "b": 0, "c": 1.5, "g": 18446744073709551615, "h": 18446744073709551615}"#,
            r#"{"late": false, "i": 9007199254740993, "j": 9007199254740992}"#,
            r#"{"i": 0.5, "j": 0.5}"#,
        ]);
        assert_eq!(
            types(&found),
            [
                ("a", ColType::LongLong),
                ("b", ColType::LongText),
                ("c", ColType::IeeeDouble),
                ("d", ColType::LongText),
                ("e", ColType::LongText),
                ("f", ColType::LongText),
                ("g", ColType::UnsignedLongLong),
                ("h", ColType::LongText),
                ("late", ColType::Bit),
                ("i", ColType::LongText),
                ("j", ColType::IeeeDouble),
            ]
        );
        assert_eq!(found.records, 4);
    }

    /// The records of a CSV text, of which none may be longer than 1000 bytes, or what is wrong.
    fn csv(text: &str) -> Result<u64, String> {
        let (path, mut count) = (Path::new("a.csv"), 0);
        let ended = csv_records(path, Bounded::new(text.as_bytes(), 1000), 0, |_, _| {
            count += 1;
            Ok(ControlFlow::Continue(()))
        });
        ended.map(|()| count).map_err(|failure| match failure {
            Failure::Input { line, error, .. } => format!("line {line}: {}", error.message()),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_quote_that_the_file_does_not_close_is_refused_and_others_are_not() {
        for text in ["a,b\n1,\"x\n2,3\n", "a,b\n1,\"x", "a,b\n1,2\n1,\"x\"\"\n", "a,\"b\n1,2\n"] {
            let refused = csv(text).unwrap_err();
            assert!(refused.ends_with("a quote is not closed"), "{text:?}: {refused}");
        }
        for text in [
            "a,b\n1,\"x\"\n",
            "a,b\n1,\"x\"",
            "a,b\n1,\"x\"\"y\"\n",
            "a,b\n1,5\" pipe\n",
            "\u{feff}\"a\",b\n1,\"x\ny\"\n",
        ] {
            assert_eq!(csv(text), Ok(1), "{text:?}");
        }
    }

    #[test]
    fn an_unclosed_quote_does_not_make_a_record_of_the_whole_file() {
        let rows = "x,\"y\"\n".repeat(200_000);
        assert_eq!(csv(&format!("a,b\n{rows}")), Ok(200_000));
        let refused = csv(&format!("a,b\nx,y\nx,\"y\n{}", "x,y\n".repeat(200_000)));
        let refused = refused.unwrap_err();
        assert!(refused.starts_with("line 3: longer than"), "{refused}");
    }

    #[test]
    fn what_stands_behind_a_closing_quote_is_refused_by_its_line() {
        for (text, line) in [
            ("a\n\"x\"y\n", 2),
            ("a\nz\n\"x\" ", 3),
            ("a,b\n\"x\ny\",\"z\"\"z\"z\nv,w\n", 3),
            ("a\nu\n\"x\ny\" z", 4),
            ("\"a\"b\nx\n", 1),
            ("a,b\n1,\"x\" y\"\n", 2),
            ("a\r\n\"x\"\r\n\"x\"y\r\n", 3),
        ] {
            let refused = csv(text).unwrap_err();
            let told = format!("line {line}: something stands behind a closing quote");
            assert!(refused.starts_with(&told), "{text:?}: {refused}");
        }
        assert_eq!(csv("a,b\n\"x\",\"y\"\r\nx\"y,\"z\"\"\"\n\"\",\"\""), Ok(3));
        let rows = "\"x\",y\n".repeat(50_000);
        let refused = csv(&format!("a,b\n{rows}\"x\"y,z\n{rows}")).unwrap_err();
        assert!(refused.starts_with("line 50002: "), "{refused}");
    }

    #[test]
    fn a_heading_that_occurs_twice_is_refused() {
        let refused = csv("a,b,A\n1,2,3\n").unwrap_err();
        assert!(refused.contains("\"A\" occurs twice"), "{refused}");
    }

    #[test]
    fn a_csv_field_is_a_number_only_as_json_writes_it() {
        assert_eq!(csv_value(""), Json::Null);
        assert_eq!(csv_value("-3"), -3);
        assert_eq!(csv_value("1.5"), 1.5);
        assert_eq!(csv_value("true"), true);
        for text in ["007", "+1", "null", "\"x\"", "[1]", "nan", "x"] {
            assert_eq!(csv_value(text), text);
        }
    }
}
