//! Do the catalog and its shadow say the same? Where both can be read and differ, nothing tells
//! which one is right, and rows may be read with the wrong one.

use std::{collections::BTreeMap, ops::ControlFlow};

use ese_base::{Error, Hex, JetErr, ObjId, Result, StopToken};

use super::{CatalogSource, OfflineDatabase};
use crate::{
    schema::{
        CODE_PAGE_WESTERN, CatalogRow, ColType, MSYS_OBJECTS, MSYS_OBJECTS_FDP,
        MSYS_OBJECTS_SHADOW, MSYS_OBJECTS_SHADOW_FDP, RowKind, decode_text,
    },
    tree::{TreeKind, TreeView},
};

/// Rows that are told one by one.
const TOLD_MAX: usize = 100;
/// Bytes of a value that are shown.
const SHOWN: usize = 40;
/// What somebody can do about it.
const ADVICE: &str = "the tables are read as MSysObjects says: find out which of the two is right, \
                      then restore the database from a backup, or export its rows and import them";

impl OfflineDatabase {
    /// In what the catalog and its shadow contradict each other (-1220): table, object, and what
    /// each says. Nothing of a database without a shadow, and of one whose catalog was read from
    /// it.
    ///
    /// # Errors
    /// Those of reading the shadow; `JET_errClientRequestToStopJetService` (-1329) if stopped.
    pub fn catalog_contradictions(&self, stop: &StopToken) -> Result<Vec<Error>> {
        let mut found = Vec::new();
        if !self.header().has_shadow_catalog() || self.source != CatalogSource::Main {
            return Ok(found);
        }
        let mut more = 0_u64;
        let mut tell = |what: String| {
            if found.len() < TOLD_MAX {
                found.push(Error::new(JetErr::CatalogCorrupted, what).advise(ADVICE));
            } else {
                more += 1;
            }
        };
        let mut main = BTreeMap::new();
        let tree = TreeView::new(MSYS_OBJECTS_FDP, MSYS_OBJECTS, TreeKind::TABLE);
        self.nodes(&tree, |key, data| {
            main.insert(key.to_vec(), data.to_vec());
            stop.check()?;
            Ok(ControlFlow::Continue(()))
        })?;
        let tree = TreeView::new(MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJECTS_SHADOW, TreeKind::TABLE);
        self.nodes(&tree, |key, shadow| {
            stop.check()?;
            match main.remove(key) {
                Some(row) => {
                    if let Some(what) = self.contradiction(key, &row, shadow) {
                        tell(what);
                    }
                }
                None => {
                    let what = self.object(key, shadow);
                    tell(format!("{what} is in MSysObjectsShadow and not in MSysObjects"));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (key, row) in main {
            let what = self.object(&key, &row);
            tell(format!("{what} is in MSysObjects and not in MSysObjectsShadow"));
        }
        if more > 0 {
            let what = format!("the catalog and its shadow differ in {more} rows more");
            found.push(Error::new(JetErr::CatalogCorrupted, what).advise(ADVICE));
        }
        Ok(found)
    }

    /// What a row of the catalog describes.
    fn object(&self, key: &[u8], row: &[u8]) -> String {
        let Ok(row) = CatalogRow::decode(row, self.page_size()) else {
            return format!("the row with key {}", Hex(key));
        };
        let name = name_of(&row);
        let kind = match row.kind {
            RowKind::Table => return format!("table {name}"),
            RowKind::Column => "column",
            RowKind::Index => "index",
            RowKind::LongValue => "the tree of long values",
            RowKind::Callback => "callback",
        };
        format!("{kind} {name} of {}", self.table_called(row.objid_table))
    }

    fn table_called(&self, objid: ObjId) -> String {
        match self.tables.iter().find(|table| table.objid == objid) {
            Some(table) => format!("table \"{}\"", table.name),
            None => format!("the table with object id {objid}"),
        }
    }

    /// In what two rows with one key differ. ESE keeps the figures of JetComputeStats in the
    /// catalog alone; nothing is read by them, nor by columns that this version does not know.
    fn contradiction(&self, key: &[u8], main: &[u8], shadow: &[u8]) -> Option<String> {
        if main == shadow {
            return None;
        }
        let decode = |row| CatalogRow::decode(row, self.page_size());
        let what = match (decode(main), decode(shadow)) {
            (Ok(main), Ok(shadow)) if main == shadow => return None,
            (Ok(main), Ok(shadow)) => differences(&main, &shadow),
            (Err(error), _) => format!("MSysObjects: {}", error.message()),
            (_, Err(error)) => format!("MSysObjectsShadow: {}", error.message()),
        };
        let row = if decode(main).is_ok() { main } else { shadow };
        Some(format!("{}: {what}", self.object(key, row)))
    }
}

fn name_of(row: &CatalogRow<'_>) -> String {
    format!("\"{}\"", decode_text(row.name, CODE_PAGE_WESTERN))
}

/// `type Short in MSysObjects, UnsignedShort in MSysObjectsShadow; ...`
fn differences(main: &CatalogRow<'_>, shadow: &CatalogRow<'_>) -> String {
    let pairs = fields(main).into_iter().zip(fields(shadow));
    let differing = pairs.filter(|(a, b)| a != b).map(|((name, main), (_, shadow))| {
        format!("{name} {main} in MSysObjects, {shadow} in MSysObjectsShadow")
    });
    let differing: Vec<String> = differing.collect();
    if differing.is_empty() {
        // Behind what is shown of long values.
        return "the rows of MSysObjects and MSysObjectsShadow differ".to_owned();
    }
    differing.join("; ")
}

/// What a row says, field by field. Which fields there are depends on the kind alone.
fn fields(row: &CatalogRow<'_>) -> Vec<(&'static str, String)> {
    let (place, usage, number) = match row.kind {
        RowKind::Column => ("type", "longest value", "code page"),
        RowKind::Index => ("root page", "density", "locale id"),
        _ => ("root page", "density", "pages"),
    };
    let first = match ColType::from_jet(row.coltyp_or_fdp) {
        Some(ty) if row.kind == RowKind::Column => format!("{ty:?}"),
        _ => row.coltyp_or_fdp.to_string(),
    };
    let bytes = |bytes: Option<&[u8]>| {
        bytes.map_or_else(|| "nothing".to_owned(), |bytes| format!("{:.SHOWN$}", Hex(bytes)))
    };
    let count =
        |number: Option<u64>| number.map_or_else(|| "nothing".to_owned(), |n| n.to_string());
    vec![
        ("name", name_of(row)),
        ("kind", format!("{:?}", row.kind)),
        ("table", row.objid_table.to_string()),
        ("id", row.id.to_string()),
        (place, first),
        (usage, row.space_usage.to_string()),
        ("flags", format!("{:#x}", row.flags)),
        (number, row.pages_or_locale.to_string()),
        ("root flag", row.root.to_string()),
        ("offset", count(row.record_offset.map(u64::from))),
        ("map flags", count(row.lcmap_flags.map(u64::from))),
        ("longest key", count(row.key_most.map(u64::from))),
        ("longest chunk", count(row.lv_chunk_max.map(u64::from))),
        ("time of the root page", count(row.fdp_set_time)),
        ("template or callback", bytes(row.template_or_callback)),
        ("default", bytes(row.default_value)),
        ("segments", bytes(row.key_fields)),
        ("limit of a segment", bytes(row.var_seg_mac)),
        ("conditions", bytes(row.conditions)),
        ("tuple limits", bytes(row.tuple_limits)),
        ("sort version", bytes(row.version)),
        ("sort id", bytes(row.sort_id)),
        ("callback data", bytes(row.callback_data)),
        ("callback dependencies", bytes(row.callback_dependencies)),
        ("size of long values in rows", bytes(row.separate_lv)),
        ("space hints", bytes(row.space_hints)),
        ("space hints of long values", bytes(row.deferred_lv_hints)),
        ("locale", bytes(row.locale_name)),
    ]
}
