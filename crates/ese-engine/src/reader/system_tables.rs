//! MSysObjids and MSysLocales against the catalog, from which both follow.

use std::{collections::BTreeMap, ops::ControlFlow};

use ese_base::{Error, JetErr, ObjId, Result, StopToken};

use super::{OfflineDatabase, Value};
use crate::{
    record::RecordView,
    schema::{
        CODE_PAGE_UNICODE, Index, IndexFlags, RowKind, TableSchema, base_locales, decode_text,
        objects_of,
    },
};

/// Findings of a table that are kept.
const FINDINGS_MAX: usize = 100;
/// What helps.
const COMPACT: &str = "no row of other tables is affected; `ese compact` makes it anew";
const INDEX: &str = "no row is affected; make the indexes of this locale anew";

impl OfflineDatabase {
    /// Compares MSysObjids with the objects that the catalog describes, and looks whether
    /// MSysLocales has the rows that every database has and one for each way in which an index
    /// sorts text. A database without one of these tables is of an engine that had none.
    ///
    /// Gives what is missing or wrong: `JET_errCatalogCorrupted` (-1220).
    ///
    /// # Errors
    /// Damaged pages and rows; `JET_errClientRequestToStopJetService` (-1329) if stopped.
    pub fn check_system_tables(&self, stop: &StopToken) -> Result<Vec<Error>> {
        let mut found = Findings::default();
        let table = |name: &str| self.tables.iter().find(|table| table.name == name);
        if let Some(objids) = table("MSysObjids") {
            self.check_objids(objids, stop, &mut found)?;
        }
        if let Some(locales) = table("MSysLocales") {
            self.check_locales(locales, stop, &mut found)?;
        }
        Ok(found.0)
    }

    fn check_objids(
        &self,
        objids: &TableSchema,
        stop: &StopToken,
        found: &mut Findings,
    ) -> Result<()> {
        let objects = self.tables.iter().flat_map(objects_of);
        let mut expected: BTreeMap<ObjId, (ObjId, RowKind)> =
            objects.map(|(objid, table, kind)| (objid, (table, kind))).collect();
        self.rows(objids, |_, row| {
            stop.check()?;
            let objid = ObjId(number(objids, "objid", row)?);
            let (table, kind) = (number(objids, "objidTable", row)?, number(objids, "type", row)?);
            match expected.remove(&objid) {
                None => {
                    let what = format!("object {objid} of table {table}, which the catalog lacks");
                    found.tell(format!("MSysObjids has {what}"), COMPACT);
                }
                Some((owner, is)) if (owner.0, u32::from(is.stored())) != (table, kind) => {
                    let is = is.stored();
                    let what = format!(
                        "MSysObjids has object {objid} as type {kind} of table {table}, the \
                         catalog as type {is} of table {owner}"
                    );
                    found.tell(what, COMPACT);
                }
                Some(_) => {}
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (objid, (table, _)) in expected {
            found.tell(format!("MSysObjids lacks object {objid} of table {table}"), COMPACT);
        }
        Ok(())
    }

    fn check_locales(
        &self,
        locales: &TableSchema,
        stop: &StopToken,
        found: &mut Findings,
    ) -> Result<()> {
        // By name, with what helps.
        let mut expected: BTreeMap<String, &'static str> = BTreeMap::new();
        let key = locales.column("Key")?;
        for (_, row) in base_locales(locales.page_size)? {
            let row = RecordView::new(&row, locales.page_size)?;
            expected.extend(text(&Value::read(key, &row)?).map(|name| (name, COMPACT)));
        }
        let indexes = self.tables.iter().flat_map(|table| &table.indexes);
        let sorted = indexes.filter(|index| index.flags.contains(IndexFlags::LOCALISED_TEXT));
        expected.extend(sorted.filter_map(Index::locale_row).map(|name| (name, INDEX)));
        self.rows(locales, |_, row| {
            stop.check()?;
            if let Some(name) = text(&Value::read(key, row)?) {
                expected.remove(&name);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (name, advice) in expected {
            found.tell(format!("MSysLocales lacks the row \"{name}\""), advice);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Findings(Vec<Error>);

impl Findings {
    fn tell(&mut self, what: String, advice: &'static str) {
        if self.0.len() < FINDINGS_MAX {
            self.0.push(Error::new(JetErr::CatalogCorrupted, what).advise(advice));
        }
    }
}

/// A number of a row; 0 stands for NULL, which no object has.
fn number(table: &TableSchema, column: &str, row: &RecordView<'_>) -> Result<u32> {
    Ok(match Value::read(table.column(column)?, row)? {
        Value::I32(number) => number.cast_unsigned(),
        Value::I16(number) => u32::from(number.cast_unsigned()),
        _ => 0,
    })
}

/// The text of a key, which is stored with its terminator.
fn text(key: &Value) -> Option<String> {
    match key {
        Value::Binary(bytes) => {
            let text = decode_text(bytes, CODE_PAGE_UNICODE);
            Some(text.trim_end_matches('\0').to_owned())
        }
        _ => None,
    }
}
