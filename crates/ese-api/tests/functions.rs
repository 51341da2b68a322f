//! The functions of the Jet interface that the data model needs: transactions, tables, columns,
//! indexes, cursors, rows, temporary tables, and what tells of them. Each is in [`ese_api::jet`].
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing step fails the test"
)]

use std::{collections::BTreeSet, fs, path::Path};

/// Group, functions of the first two phases.
const WANTED: &[(&str, &[&str])] = &[
    (
        "session",
        &[
            "JetBeginSession",
            "JetDupSession",
            "JetEndSession",
            "JetGetSessionParameter",
            "JetResetSessionContext",
            "JetSetSessionContext",
            "JetSetSessionParameter",
        ],
    ),
    (
        "transaction",
        &[
            "JetBeginTransaction",
            "JetBeginTransaction2",
            "JetBeginTransaction3",
            "JetCommitTransaction",
            "JetCommitTransaction2",
            "JetGetLock",
            "JetRollback",
        ],
    ),
    (
        "database",
        &[
            "JetAttachDatabase",
            "JetAttachDatabase2",
            "JetCloseDatabase",
            "JetCreateDatabase",
            "JetCreateDatabase2",
            "JetDetachDatabase",
            "JetDetachDatabase2",
            "JetGrowDatabase",
            "JetOpenDatabase",
            "JetResizeDatabase",
            "JetSetDatabaseSize",
        ],
    ),
    (
        "table",
        &[
            "JetCloseTable",
            "JetCreateTable",
            "JetCreateTableColumnIndex",
            "JetCreateTableColumnIndex2",
            "JetCreateTableColumnIndex3",
            "JetCreateTableColumnIndex4",
            "JetDeleteTable",
            "JetOpenTable",
            "JetRegisterCallback",
            "JetRenameTable",
            "JetResetTableSequential",
            "JetSetTableSequential",
            "JetUnregisterCallback",
        ],
    ),
    (
        "column",
        &[
            "JetAddColumn",
            "JetDeleteColumn",
            "JetDeleteColumn2",
            "JetRenameColumn",
            "JetSetColumnDefaultValue",
        ],
    ),
    (
        "index",
        &[
            "JetComputeStats",
            "JetCreateIndex",
            "JetCreateIndex2",
            "JetCreateIndex3",
            "JetCreateIndex4",
            "JetDeleteIndex",
            "JetGetCurrentIndex",
            "JetSetCurrentIndex",
            "JetSetCurrentIndex2",
            "JetSetCurrentIndex3",
            "JetSetCurrentIndex4",
        ],
    ),
    (
        "cursor",
        &[
            "JetDupCursor",
            "JetGetBookmark",
            "JetGetCursorInfo",
            "JetGetLS",
            "JetGetRecordPosition",
            "JetGetSecondaryIndexBookmark",
            "JetGotoBookmark",
            "JetGotoPosition",
            "JetGotoSecondaryIndexBookmark",
            "JetIndexRecordCount",
            "JetIndexRecordCount2",
            "JetIntersectIndexes",
            "JetMove",
            "JetPrereadIndexRanges",
            "JetPrereadKeys",
            "JetSetCursorFilter",
            "JetSetLS",
        ],
    ),
    ("seek", &["JetMakeKey", "JetRetrieveKey", "JetSeek", "JetSetIndexRange"]),
    (
        "update",
        &[
            "JetDelete",
            "JetEscrowUpdate",
            "JetPrepareUpdate",
            "JetSetColumn",
            "JetSetColumns",
            "JetUpdate",
            "JetUpdate2",
        ],
    ),
    (
        "retrieve",
        &[
            "JetEnumerateColumns",
            "JetGetRecordSize",
            "JetGetRecordSize2",
            "JetRetrieveColumn",
            "JetRetrieveColumns",
        ],
    ),
    (
        "info",
        &[
            "JetGetColumnInfo",
            "JetGetDatabaseFileInfo",
            "JetGetDatabaseInfo",
            "JetGetErrorInfoW",
            "JetGetIndexInfo",
            "JetGetInstanceInfo",
            "JetGetInstanceMiscInfo",
            "JetGetObjectInfo",
            "JetGetTableColumnInfo",
            "JetGetTableIndexInfo",
            "JetGetTableInfo",
            "JetGetThreadStats",
            "JetGetVersion",
        ],
    ),
    (
        "tempTable",
        &[
            "JetOpenTempTable",
            "JetOpenTempTable2",
            "JetOpenTempTable3",
            "JetOpenTemporaryTable",
            "JetOpenTemporaryTable2",
        ],
    ),
    ("maintenance", &["JetCompact", "JetDefragment", "JetDefragment2", "JetIdle"]),
];

/// Names of the public functions in the sources of the module.
fn there() -> BTreeSet<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/jet");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        for rest in source.split("pub fn Jet").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
            names.insert(format!("Jet{}", &rest[..end]));
        }
    }
    names
}

#[test]
fn every_function_of_these_groups_is_there() {
    let there = there();
    let mut missing = Vec::new();
    for (group, functions) in WANTED {
        let lacks = functions.iter().filter(|name| !there.contains(**name));
        missing.extend(lacks.map(|name| format!("{group}: {name}")));
    }
    assert!(missing.is_empty(), "missing: {missing:#?}");
}
