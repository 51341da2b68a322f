//! `ese tables FILE [TABLE]`: what the catalog says.

use std::path::Path;

use ese_api::{ColType, ExportedTable, Losses, Offline, StopToken, TableSchema};
use ese_engine::schema::{Column, ColumnFlags, Index, IndexFlags, TableFlags};
use serde_json::{Value, json};

use crate::{args, context::Context, export::incomplete, failure::Outcome, output::Output, text};

pub(crate) fn run(context: &Context, args: &args::Tables) -> Outcome {
    let database = open(context, &args.file, args.as_is)?;
    let mut output = Output::new();
    match &args.table {
        Some(name) => {
            let table = database.table(name)?;
            if context.json {
                output.json(&table_json(table))?;
            } else {
                one(&mut output, table)?;
            }
        }
        None => list(context, &mut output, &database, args.all)?,
    }
    output.flush()?;
    remark_corrected(context, &database);
    let lost: Vec<_> = catalog_losses(&database).collect();
    if lost.is_empty() { Ok(()) } else { incomplete(context, &lost) }
}

/// Contradictions of the catalogs that are remarked one by one.
const REMARKED: usize = 20;

/// Opens a database for reading only. Damage of the catalog that costs nothing is remarked, and
/// where its two copies contradict each other, and that the file is shorter than it was: what is
/// missing may be needed by nobody.
pub(crate) fn open(context: &Context, path: &Path, as_is: args::AsIs) -> Outcome<Offline> {
    let database = Offline::open_for(&context.env, path, as_is.as_is)?;
    for error in database.catalog_made_up() {
        let what = format!("damaged, and read from the other copy of the catalog: {error}");
        context.remark(&what);
    }
    remark_contradictions(context, &database);
    if let Some(last) = database.cut_off() {
        let pages = database.cache().file().page_count();
        context.remark(&format!(
            "{}: the file was cut off: it ends with page {pages}, and the database owns pages up to \
             {last}",
            path.display()
        ));
    }
    Ok(database)
}

/// Says in what the two copies of the catalog contradict each other: nobody can tell which is
/// right, and what is read follows one of them.
fn remark_contradictions(context: &Context, database: &Offline) {
    // A shadow that cannot be read contradicts nothing.
    let found = database.catalog_contradictions(&StopToken::new()).unwrap_or_default();
    for error in found.iter().take(REMARKED) {
        let what = error.message();
        context
            .remark(&format!("the catalog and its shadow disagree, the catalog is taken: {what}"));
    }
    if let Some(more) = found.len().checked_sub(REMARKED).filter(|more| *more > 0) {
        context.remark(&format!("... and {more} more; `ese verify` names them"));
    }
}

/// Says which pages were put right while the rows were read. Damage of several bits can look like
/// one flipped bit, and nobody can tell the two apart.
pub(crate) fn remark_corrected(context: &Context, database: &Offline) {
    let pages = database.corrected_pages();
    if pages.is_empty() {
        return;
    }
    let list = pages.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ");
    let what = "read with a flipped bit put right, which cannot be told from some worse damage";
    context.remark(&format!("{what}: {}: {list}", text::counted(pages.len() as u64, "page")));
}

/// What was lost of the catalog: tables and columns that nobody knows of any more.
pub(crate) fn catalog_losses(
    database: &Offline,
) -> impl Iterator<Item = (String, ExportedTable)> + '_ {
    let of = |losses: &Losses| ExportedTable::of_losses(losses.clone());
    database.catalog_losses().map(move |(name, losses)| (name.to_owned(), of(losses)))
}

fn list(context: &Context, output: &mut Output, database: &Offline, all: bool) -> Outcome {
    let mut tables: Vec<&TableSchema> = database
        .tables()
        .iter()
        .filter(|table| all || !table.flags.contains(TableFlags::SYSTEM))
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    if context.json {
        for table in tables {
            output.json(&table_json(table))?;
        }
        return Ok(());
    }
    let width = tables.iter().map(|table| table.name.chars().count()).max().unwrap_or(0).max(5);
    output.line(&format!(
        "{:<width$}  {:>7}  {:>7}  {:>9}  key",
        "table", "columns", "indexes", "root page"
    ))?;
    for table in tables {
        output.line(&format!(
            "{:<width$}  {:>7}  {:>7}  {:>9}  {}",
            table.name,
            table.columns.len(),
            table.indexes.len(),
            table.fdp.0,
            table.primary().map_or_else(|| "row number".to_owned(), |index| key(table, index)),
        ))?;
    }
    Ok(())
}

fn one(output: &mut Output, table: &TableSchema) -> Outcome {
    let width = table.columns.iter().map(|column| column.name.chars().count()).max();
    let width = width.unwrap_or(0).max(6);
    output.line(&format!("{:>6}  {:<width$}  {:<18}  remarks", "id", "column", "type"))?;
    for column in table.columns.iter() {
        let line = format!(
            "{:>6}  {:<width$}  {:<18}  {}",
            column.id.0,
            column.name,
            type_name(column.ty),
            remarks(column).join(", "),
        );
        output.line(line.trim_end())?;
    }
    for index in &table.indexes {
        let kind = match (index.is_primary(), index.is_unique()) {
            (true, _) => "primary",
            (false, true) => "unique",
            (false, false) => "secondary",
        };
        let order = order(index);
        output.line(&format!("{kind} index {} ({}){order}", index.name, key(table, index)))?;
    }
    if let Some(template) = &table.template {
        output.line(&format!("derives from {template}"))?;
    }
    let foreign = table.indexes.iter().filter(|index| index.is_foreign());
    let foreign: Vec<&str> = foreign.map(|index| index.name.as_str()).collect();
    if !foreign.is_empty() {
        output.line(&format!(
            "rows can be read, and changed in columns of no such index, not inserted or deleted \
             (-1413, -1414) as long as it has indexes whose text another engine has sorted: {}",
            foreign.join(", ")
        ))?;
    }
    Ok(())
}

/// How UTF-16 text sorts.
fn order(index: &Index) -> String {
    match (&index.locale, index.is_foreign()) {
        _ if !index.flags.contains(IndexFlags::LOCALISED_TEXT) => String::new(),
        (Some(locale), false) => format!(", text by locale \"{locale}\""),
        (_, _) => ", text sorted by another engine".to_owned(),
    }
}

/// `+name -born`, as ESE writes keys.
fn key(table: &TableSchema, index: &Index) -> String {
    let segments = index.segments.iter().map(|segment| {
        let sign = if segment.descending { '-' } else { '+' };
        match table.columns.by_id(segment.column) {
            Some(column) => format!("{sign}{}", column.name),
            None => format!("{sign}column {}", segment.column),
        }
    });
    segments.collect::<Vec<String>>().join(" ")
}

fn remarks(column: &Column) -> Vec<String> {
    const FLAGS: [(ColumnFlags, &str); 7] = [
        (ColumnFlags::NOT_NULL, "not null"),
        (ColumnFlags::VERSION, "version"),
        (ColumnFlags::AUTOINCREMENT, "autoincrement"),
        (ColumnFlags::MULTI_VALUED, "multi-valued"),
        (ColumnFlags::ESCROW_UPDATE, "escrow"),
        (ColumnFlags::COMPRESSED, "compressed"),
        (ColumnFlags::ENCRYPTED, "encrypted"),
    ];
    let mut remarks = Vec::new();
    if column.ty.is_text() {
        remarks.push(format!("code page {}", column.code_page));
    }
    if column.max_len > 0 && column.ty.fixed_len().is_none() {
        remarks.push(format!("at most {} bytes", column.max_len));
    }
    let flags = FLAGS.iter().filter(|(flag, _)| column.flags.contains(*flag));
    remarks.extend(flags.map(|(_, name)| (*name).to_owned()));
    if column.default.is_some() {
        remarks.push("default".to_owned());
    }
    remarks
}

pub(crate) fn type_name(ty: ColType) -> &'static str {
    match ty {
        ColType::Nil => "nil",
        ColType::Bit => "bit",
        ColType::UnsignedByte => "unsigned byte",
        ColType::Short => "short",
        ColType::Long => "long",
        ColType::Currency => "currency",
        ColType::IeeeSingle => "single",
        ColType::IeeeDouble => "double",
        ColType::DateTime => "date and time",
        ColType::Binary => "binary",
        ColType::Text => "text",
        ColType::LongBinary => "long binary",
        ColType::LongText => "long text",
        ColType::UnsignedLong => "unsigned long",
        ColType::LongLong => "long long",
        ColType::Guid => "guid",
        ColType::UnsignedShort => "unsigned short",
        ColType::UnsignedLongLong => "unsigned long long",
    }
}

fn table_json(table: &TableSchema) -> Value {
    let columns = table.columns.iter().map(|column| {
        json!({
            "id": column.id.0, "name": column.name, "type": type_name(column.ty),
            "code_page": column.ty.is_text().then_some(column.code_page),
            "max_len": column.max_len, "flags": column.flags.bits(),
        })
    });
    let indexes = table.indexes.iter().map(|index| {
        json!({
            "name": index.name, "primary": index.is_primary(),
            "unique": index.flags.contains(IndexFlags::UNIQUE) || index.is_primary(),
            "key": key(table, index), "root_page": index.fdp.0, "object_id": index.objid.0,
            "locale": index.locale, "foreign_order": index.is_foreign(),
        })
    });
    json!({
        "name": table.name,
        "object_id": table.objid.0,
        "root_page": table.fdp.0,
        "system": table.flags.contains(TableFlags::SYSTEM),
        "template": table.template,
        "columns": columns.collect::<Vec<_>>(),
        "indexes": indexes.collect::<Vec<_>>(),
    })
}
