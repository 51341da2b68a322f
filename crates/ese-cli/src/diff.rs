//! `ese diff A B`: by table and key, what was added, removed and changed from A to B.

use ese_api::{
    DiffCounts, DiffOptions, Difference, Error, ExportedTable, JetErr, StopToken, Value,
    diff_databases,
};
use ese_base::Hex;
use serde_json::{Map, Value as Json, json};

use crate::{
    args,
    context::Context,
    export::incomplete,
    failure::{Failure, Outcome},
    output::Output,
    rows::json_value,
    tables, text,
};

/// Characters of a value that is shown to people.
const SHOWN: usize = 60;

pub(crate) fn run(context: &Context, args: &args::Diff) -> Outcome {
    let before = tables::open(context, &args.before, args.as_is)?;
    let after = tables::open(context, &args.after, args.as_is)?;
    let mut output = Output::new();
    let (mut broken, mut lost) = (None, Vec::new());
    let compare = |stop: &StopToken| {
        let (tables, all, stop) = (args.tables.clone(), args.all, stop.clone());
        diff_databases(
            (&before, &after),
            &DiffOptions { tables, all, stop },
            &mut |table, difference| {
                let printed = if args.summary {
                    Ok(())
                } else if context.json {
                    output.json(&as_json(table, &difference)).map_err(Failure::from)
                } else {
                    lines(table, &difference, &mut output)
                };
                printed.map_err(|failure| {
                    broken = Some(failure);
                    Error::new(JetErr::DiskIO, "standard output cannot be written")
                })
            },
            &mut |path, table, losses| {
                let place = format!("{}: {table}", path.display());
                lost.push((place, ExportedTable::of_losses(losses)));
            },
        )
    };
    let left = || "not everything was compared".to_owned();
    let counted = context.interrupt().stoppable(left, compare);
    if let Some(failure) = broken {
        return Err(failure);
    }
    if matches!(counted, Err(Failure::Stopped(_))) {
        output.flush()?;
    }
    let counts = counted?;
    summary(context, &counts, &mut output)?;
    output.flush()?;
    if !lost.is_empty() {
        return incomplete(context, &lost);
    }
    if counts.is_equal() { Ok(()) } else { Err(Failure::Problems) }
}

fn summary(context: &Context, counts: &DiffCounts, output: &mut Output) -> Outcome {
    let DiffCounts { schema, added, removed, changed, same, lost } = *counts;
    if context.json {
        output.json(&json!({ "summary": {
            "equal": counts.is_equal(), "schema": schema, "added": added, "removed": removed,
            "changed": changed, "same": same, "lost": lost,
        } }))?;
        return Ok(());
    }
    let mut line = format!(
        "{}: {} added, {} removed, {} changed, {} the same",
        if counts.is_equal() { "equal" } else { "different" },
        text::counted(added, "row"),
        text::count(removed),
        text::count(changed),
        text::count(same),
    );
    if schema > 0 {
        line += &format!("; {} of schema", text::counted(schema, "difference"));
    }
    if lost > 0 {
        line += &format!("; {} could not be compared", text::counted(lost, "part"));
    }
    Ok(output.line(&line)?)
}

fn lines(table: &str, difference: &Difference<'_>, output: &mut Output) -> Outcome {
    match difference {
        Difference::TableAdded => output.line(&format!("+ table \"{table}\""))?,
        Difference::TableRemoved => output.line(&format!("- table \"{table}\""))?,
        Difference::Schema(what) => output.line(&format!("~ table \"{table}\": {what}"))?,
        Difference::NotCompared(why) => {
            output.line(&format!("? table \"{table}\": its rows were not compared: {why}"))?;
        }
        Difference::RowAdded(key, row) => {
            output.line(&format!("+ {table} {}: {}", Hex(key), values(row)))?;
        }
        Difference::RowRemoved(key, row) => {
            output.line(&format!("- {table} {}: {}", Hex(key), values(row)))?;
        }
        Difference::RowChanged(key, changes) => {
            let changes = changes
                .iter()
                .map(|(name, old, new)| format!("{name} {} -> {}", shown(old), shown(new)));
            let changes = changes.collect::<Vec<String>>().join(", ");
            output.line(&format!("~ {table} {}: {changes}", Hex(key)))?;
        }
    }
    Ok(())
}

fn values(row: &[(&str, Value)]) -> String {
    let values = row.iter().filter(|(_, value)| *value != Value::Null);
    values.map(|(name, value)| format!("{name} {}", shown(value))).collect::<Vec<_>>().join(", ")
}

fn shown(value: &Value) -> String {
    text::cut(&json_value(value.clone()).to_string(), SHOWN)
}

fn as_json(table: &str, difference: &Difference<'_>) -> Json {
    let row = |values: &[(&str, Value)]| -> Map<String, Json> {
        values.iter().map(|(name, value)| ((*name).to_owned(), json_value(value.clone()))).collect()
    };
    match difference {
        Difference::TableAdded => json!({ "table": table, "change": "table added" }),
        Difference::TableRemoved => json!({ "table": table, "change": "table removed" }),
        Difference::Schema(what) => json!({ "table": table, "change": "schema", "text": what }),
        Difference::NotCompared(why) => {
            json!({ "table": table, "change": "not compared", "text": why })
        }
        Difference::RowAdded(key, values) => {
            json!({ "table": table, "change": "added", "key": Hex(key).to_string(), "row": row(values) })
        }
        Difference::RowRemoved(key, values) => {
            json!({ "table": table, "change": "removed", "key": Hex(key).to_string(), "row": row(values) })
        }
        Difference::RowChanged(key, changes) => {
            let changes: Map<String, Json> = changes
                .iter()
                .map(|(name, old, new)| {
                    let pair = json!([json_value(old.clone()), json_value(new.clone())]);
                    ((*name).to_owned(), pair)
                })
                .collect();
            json!({ "table": table, "change": "changed", "key": Hex(key).to_string(), "columns": changes })
        }
    }
}
