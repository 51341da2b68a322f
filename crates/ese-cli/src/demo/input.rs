//! Records that the user names: a text file or a directory.

use std::{ops::ControlFlow, path::Path};

use ese_api::{ColType, Env, PageSize, TableBuilder};

use super::{
    records::{Dataset, TableSpec, Unit, long},
    tree,
};
use crate::{
    failure::{Failure, Outcome},
    ingest::{self, Format, Shape},
    interrupt::Interrupt,
    progress::Progress,
};

/// Records that are taken at most, so that the demo ends soon.
const RECORDS_MAX: u64 = 300_000;
/// Rows of a transaction.
const UNIT: usize = 100;

pub(super) fn read(
    env: &Env,
    path: &Path,
    page_size: PageSize,
    interrupt: &Interrupt,
    progress: &mut Progress,
) -> Outcome<Dataset> {
    match Format::of(path) {
        Some(format) => file(env, path, format, page_size),
        // Only a directory can be listed.
        None if env.fs.exists(path)? && env.fs.list(path).is_err() => Err(Failure::Usage(format!(
            "{}: neither a .jsonl or .csv file nor a directory that can be read",
            path.display()
        ))),
        None => Ok(tree::read(env, path, interrupt, progress)?),
    }
}

fn file(env: &Env, path: &Path, format: Format, page_size: PageSize) -> Outcome<Dataset> {
    let mut shape = Shape::default();
    let mut left_out = 0;
    ingest::each_record(env, path, format, |record, _| {
        if shape.records < RECORDS_MAX {
            shape.see(&record.fields);
        } else {
            left_out += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    // The key must not have a name that the records use.
    let mut key = "record".to_owned();
    while shape.names().iter().any(|name| name.eq_ignore_ascii_case(&key)) {
        key.push('_');
    }
    let mut table = TableBuilder::new("records").required(&key, ColType::Long);
    for column in shape.columns() {
        table = table.define(column);
    }
    let table = table.primary(&[&key]);
    let schema = table.clone().into_def().build(page_size);
    let schema = schema.map_err(|error| error.at_path(path))?;
    let columns = shape.names().iter().map(|name| schema.column(name));
    let columns = columns.collect::<ese_api::Result<Vec<_>>>()?;

    let (mut units, mut number) = (vec![Unit::default()], 0);
    ingest::each_record(env, path, format, |record, _| {
        let mut row = vec![long(number)];
        for (column, name) in columns.iter().zip(shape.names()) {
            let value = record.fields.get(name).unwrap_or(&serde_json::Value::Null);
            let encoded = ingest::encode(column, value);
            row.push(encoded.map_err(|error| Failure::in_line(path, record.line, error))?);
        }
        number += 1;
        match units.last_mut() {
            Some(unit) if unit.rows.len() < UNIT => unit.push(0, row),
            _ => units.push(Unit { rows: vec![(0, row)] }),
        }
        let all = u64::try_from(number).is_ok_and(|number| number == shape.records);
        Ok(if all { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(Dataset {
        origin: path.display().to_string(),
        remark: (left_out > 0)
            .then(|| format!("{left_out} more records were left out, to end soon")),
        tables: vec![TableSpec {
            name: "records",
            row_name: "record",
            columns: std::iter::once(key).chain(shape.names().iter().cloned()).collect(),
            table,
        }],
        units,
        unit_name: "hundred records",
    })
}
