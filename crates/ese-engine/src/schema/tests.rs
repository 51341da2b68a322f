use ese_base::{JetErr, ObjId, PageSize, Pgno};

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn load(rows: &[CatalogEntry], page_size: PageSize) -> Vec<TableSchema> {
    let mut loader = CatalogLoader::new(page_size);
    for row in rows {
        loader.row(&row.data).unwrap();
    }
    loader.finish().unwrap()
}

/// Rows shown in edb-format 13.1 and 13.2 as Windows wrote them.
#[test]
fn base_rows_are_the_bytes_that_the_format_text_shows() {
    let rows = base_catalog(PageSize::K4).unwrap();
    assert_eq!(rows.len(), 72);
    let find = |key: Vec<u8>| rows.iter().find(|row| row.key == key).unwrap();
    let table = find(row_key(MSYS_OBJECTS, RowKind::Table, 2));
    assert_eq!(table.key, hex("7f80000002 7f8001 7f80000002"));
    assert_eq!(
        table.data,
        [
            hex("08802000 02000000 0100 02000000 04000000 50000000 000000c0 14000000 ff 00 0b00"),
            b"MSysObjects".to_vec()
        ]
        .concat()
    );
    let column = find(row_key(MSYS_OBJECTS, RowKind::Column, 1));
    assert_eq!(
        column.data,
        [
            hex("09802300 02000000 0200 01000000 04000000 04000000 01000000 e4040000 2a 0400 80fe"),
            hex("0a00"),
            b"ObjidTable".to_vec()
        ]
        .concat()
    );
    let index = find(row_key(MSYS_OBJECTS, RowKind::Index, 2));
    assert_eq!(
        index.data,
        [
            hex("0a842700 02000000 0300 02000000 04000000 50000000 31000100 00000000"),
            hex("2a 2a2a 01040300 80fd 0200 0280 0280 0280 0e00"),
            b"Id".to_vec(),
            hex("00000100 00000200 00000300 0501 0440 01 65006e002d0055005300")
        ]
        .concat()
    );
    assert_eq!(rows.iter().filter(|row| row.root_key.is_some()).count(), 4);
    assert_eq!(table.root_key.as_deref(), Some(&*hex("7fff 7f 4d5359534f424a45435453 00")));
    assert_eq!(table.name_key, hex("7f80000002 7f8001 7f 4d5359534f424a45435453 00"));
}

#[test]
fn the_rows_of_object_ids_are_the_bytes_that_the_format_text_shows() {
    let rows = base_objids(PageSize::K4).unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0].0, hex("7f80000002"));
    assert_eq!(rows[0].1, hex("007f0400 0001 0c00 0101 1000 0201 1400 02000000 02000000 0100"));
    assert_eq!(base_locales(PageSize::K4).unwrap().len(), 7);
}

#[test]
fn base_tables_survive_the_way_through_the_catalog_at_every_page_size() {
    for page_size in PageSize::EVER {
        let loaded = load(&base_catalog(page_size).unwrap(), page_size);
        let made = base_tables(page_size).unwrap();
        assert_eq!(loaded.len(), 4);
        for (loaded, made) in loaded.iter().zip(&made) {
            assert_eq!(loaded.name, made.name);
            assert_eq!(loaded.columns.iter().count(), made.columns.iter().count());
            assert_eq!(loaded.indexes, made.indexes);
            assert_eq!(table_rows(loaded).unwrap(), table_rows(made).unwrap());
        }
        // The catalog's columns are packed although their rows all say offset 4.
        let offsets: Vec<u16> = loaded[0].columns.iter().map(|c| c.record_offset).collect();
        assert_eq!(offsets[..12], [4, 8, 10, 14, 18, 22, 26, 30, 31, 33, 37, 39]);
    }
}

fn wide_definition() -> TableDef {
    TableDef::new(
        "people",
        vec![
            ColumnDef::new("id", ColType::Long).with(ColumnFlags::AUTOINCREMENT),
            ColumnDef::new("name", ColType::Text).max_len(100),
            ColumnDef::new("age", ColType::UnsignedByte).with_default(&[7]),
            ColumnDef::new("notes", ColType::LongText).unicode(),
            ColumnDef::new("code", ColType::Text)
                .placed(Placement::Fixed)
                .max_len(6)
                .with_default(b"ab"),
            ColumnDef::new("tags", ColType::Short)
                .placed(Placement::Tagged)
                .with(ColumnFlags::MULTI_VALUED),
        ],
    )
    .index(IndexDef::new("by name", &["name", "age"]))
    .index(IndexDef::primary("pk", &["id"]))
}

#[test]
fn a_definition_becomes_a_table_with_ids_offsets_and_flags_by_the_rules() {
    let table = wide_definition().build(PageSize::K8).unwrap();
    let of = |name: &str| table.column(name).unwrap();
    let ids: Vec<u16> =
        ["id", "name", "age", "notes", "code", "tags"].iter().map(|name| of(name).id.0).collect();
    assert_eq!(ids, [1, 128, 2, 256, 3, 257]);
    assert_eq!(
        [of("id").record_offset, of("age").record_offset, of("code").record_offset],
        [4, 8, 9]
    );
    assert_eq!(of("code").default.as_deref(), Some(&b"ab    "[..]), "filled up as rows are");
    assert!(of("code").flags.contains(ColumnFlags::DEFAULT));
    assert_eq!([of("name").code_page, of("notes").code_page, of("id").code_page], [1252, 1200, 0]);
    assert_eq!(table.indexes[0].name, "pk");
    assert_eq!(table.indexes[0].flags.bits(), 0x0001_002f);
    assert_eq!(table.indexes[1].flags.bits(), 0x0001_000e);
    assert_eq!(table.record_len_max(), 3789 + 4096);
}

#[test]
fn a_defined_table_survives_the_way_through_the_catalog() {
    let mut table = wide_definition().build(PageSize::K4).unwrap();
    table.place(ObjId(8), Pgno(31));
    table.indexes[1].objid = ObjId(9);
    table.indexes[1].fdp = Pgno(40);
    table.indexes[1].var_seg_mac = Some(20);
    table.indexes[1].conditions =
        vec![Condition { column: ColumnId(2), must_be_null: true, of_template: false }];
    table.lv = Some(LongValueTree {
        objid: ObjId(10),
        fdp: Pgno(41),
        density: 100,
        flags: 0,
        pages: 1,
        space_hints: None,
        fdp_set_time: None,
    });
    let rows = table_rows(&table).unwrap();
    let [loaded] = load(&rows, PageSize::K4).try_into().unwrap();
    assert!(loaded.columns.all().eq(table.columns.all()));
    assert_eq!(loaded.indexes, table.indexes);
    assert_eq!(loaded.lv, table.lv);
    assert_eq!(loaded.primary().unwrap().fdp, Pgno(31));
    assert_eq!(table_rows(&loaded).unwrap(), rows);
    let objects = objids_rows(&table).unwrap();
    assert_eq!(objects.len(), 3);
    assert!(objects.is_sorted());
}

#[test]
fn names_follow_the_rules() {
    for good in ["a", "Gr\u{f6}\u{df}e", "with space", &"x".repeat(64)] {
        check_name(good).unwrap();
    }
    for bad in ["", " a", "a.b", "a!", "[a]", "a\tb", &"x".repeat(65), "\u{4e00}"] {
        assert_eq!(check_name(bad).unwrap_err().code(), JetErr::InvalidName, "{bad:?}");
    }
}

#[test]
fn bad_columns_are_refused_with_the_right_code() {
    let long = || ColumnDef::new("c", ColType::Long);
    let text = || ColumnDef::new("c", ColType::Text);
    let mut code_page = text();
    code_page.code_page = 65001;
    for (def, code) in [
        (ColumnDef::new("a", ColType::Long), JetErr::ColumnDuplicate),
        (ColumnDef::new("A", ColType::Long), JetErr::ColumnDuplicate),
        (ColumnDef::new("c", ColType::Nil), JetErr::InvalidColumnType),
        (text().max_len(256), JetErr::ColumnTooBig),
        (code_page, JetErr::InvalidCodePage),
        (ColumnDef::new("c", ColType::LongText).placed(Placement::Fixed), JetErr::InvalidGrbit),
        (long().with(ColumnFlags::MULTI_VALUED), JetErr::MultiValuedColumnMustBeTagged),
        (long().with(ColumnFlags::COMPRESSED), JetErr::ColumnCannotBeCompressed),
        (long().with(ColumnFlags::VERSION).placed(Placement::Tagged), JetErr::CannotBeTagged),
        (long().with(ColumnFlags::AUTOINCREMENT), JetErr::ColumnRedundant),
        (text().with(ColumnFlags::VERSION), JetErr::InvalidGrbit),
        // The type comes first.
        (text().with(ColumnFlags::VERSION).placed(Placement::Tagged), JetErr::InvalidGrbit),
        (long().with(ColumnFlags::ESCROW_UPDATE), JetErr::InvalidGrbit),
        (
            ColumnDef::new("c", ColType::LongLong)
                .with(ColumnFlags::ESCROW_UPDATE)
                .with_default(&[0; 8]),
            JetErr::EngineFormatVersionParamTooLowForRequestedFeature,
        ),
        (long().with(ColumnFlags::ENCRYPTED), JetErr::FeatureNotAvailable),
        (long().with_default(&[1]), JetErr::InvalidBufferSize),
        (text().with_default(&[]), JetErr::InvalidParameter),
        (
            ColumnDef::new("c", ColType::LongBinary).with_default(&[1; 256]),
            JetErr::DefaultValueTooBig,
        ),
    ] {
        let first = ColumnDef::new("a", ColType::Long).with(ColumnFlags::AUTOINCREMENT);
        let error = TableDef::new("t", vec![first, def.clone()]).build(PageSize::K4).unwrap_err();
        assert_eq!(error.code(), code, "{def:?}: {error}");
    }
}

#[test]
fn column_ids_run_out_by_range() {
    let columns = |count: usize, ty: ColType| {
        let columns = (0..count).map(|n| ColumnDef::new(&format!("c{n}"), ty)).collect();
        TableDef::new("t", columns).build(PageSize::K4)
    };
    assert_eq!(columns(127, ColType::Long).unwrap().columns.last_fixed(), 127);
    assert_eq!(columns(128, ColType::Long).unwrap_err().code(), JetErr::TooManyColumns);
    assert_eq!(columns(128, ColType::Text).unwrap().columns.last_variable(), 255);
    assert_eq!(columns(129, ColType::Text).unwrap_err().code(), JetErr::TooManyColumns);
    let wide = (0..40)
        .map(|n| ColumnDef::new(&format!("c{n}"), ColType::Binary).placed(Placement::Fixed))
        .collect();
    let error = TableDef::new("t", wide).build(PageSize::K4).unwrap_err();
    assert_eq!(error.code(), JetErr::RecordTooBig);
}

#[test]
fn bad_indexes_are_refused_with_the_right_code() {
    let base = TableDef::new(
        "t",
        vec![
            ColumnDef::new("a", ColType::Long),
            ColumnDef::new("u", ColType::Text).unicode(),
            ColumnDef::new("m", ColType::Long)
                .placed(Placement::Tagged)
                .with(ColumnFlags::MULTI_VALUED),
            ColumnDef::new("e", ColType::Long)
                .with(ColumnFlags::ESCROW_UPDATE)
                .with_default(&[0; 4]),
        ],
    )
    .index(IndexDef::primary("pk", &["a"]));
    let many: Vec<String> = (0..17).map(|n| format!("c{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let plain = || IndexDef::new("i", &["a"]);
    for (def, code) in [
        (IndexDef::new("PK", &["a"]), JetErr::IndexDuplicate),
        (IndexDef::primary("i", &["a"]), JetErr::IndexHasPrimary),
        (IndexDef::new("i", &[]), JetErr::IndexInvalidDef),
        (IndexDef::new("i", &["nothing"]), JetErr::ColumnNotFound),
        (IndexDef::new("i", &many), JetErr::IndexInvalidDef),
        (IndexDef::new("i", &["e"]), JetErr::CannotIndex),
        (IndexDef::new("i", &["u"]).unicode("tlh-QO", 0), JetErr::InvalidLanguageId),
        (IndexDef::new("i", &["a"]).unicode("", 0x100), JetErr::InvalidLCMapStringFlags),
        (IndexDef { density: 10, ..plain() }, JetErr::DensityInvalid),
        (IndexDef { key_most: Some(100), ..plain() }, JetErr::IndexInvalidDef),
        (IndexDef { key_most: Some(1001), ..plain() }, JetErr::IndexInvalidDef),
        (IndexDef { var_seg_mac: Some(256), ..plain() }, JetErr::IndexInvalidDef),
    ] {
        let error = base.clone().index(def.clone()).build(PageSize::K4).unwrap_err();
        assert_eq!(error.code(), code, "{def:?}: {error}");
    }
    let multi = base.clone().index(IndexDef::new("i", &["m"])).build(PageSize::K4).unwrap();
    assert!(multi.indexes[1].flags.contains(IndexFlags::MULTI_VALUED));
    let twice = base.clone().index(IndexDef::new("i", &["a", "a"])).build(PageSize::K4).unwrap();
    assert_eq!(twice.indexes[1].segments.len(), 2);
    let mut no_primary = base;
    no_primary.indexes = vec![IndexDef::primary("pk", &["m"])];
    assert_eq!(no_primary.build(PageSize::K4).unwrap_err().code(), JetErr::IndexInvalidDef);
}

#[test]
fn an_index_of_utf16_text_carries_our_stamp_and_is_foreign_with_any_other() {
    let def = TableDef::new("t", vec![ColumnDef::new("u", ColType::Text).unicode()])
        .index(IndexDef::new("plain", &["u"]))
        .index(IndexDef::new("german", &["u"]).unicode("DE-de", 1));
    let mut table = def.build(PageSize::K4).unwrap();
    table.place(ObjId(20), Pgno(40));
    let [plain, german] = table.indexes.as_slice() else { panic!("two indexes") };
    assert_eq!(plain.flags.bits(), 0x0001_040e);
    assert_eq!((plain.locale.as_deref(), plain.lcmap_flags), (Some("en-US"), Some(0x0003_0401)));
    assert_eq!(german.flags.bits(), 0x0001_044e);
    assert_eq!((german.locale.as_deref(), german.lcmap_flags), (Some("DE-de"), Some(0x401)));
    assert_eq!((german.lcid, german.sort_version.as_ref().unwrap().len()), (0, 8));
    let name = german.locale_row().unwrap();
    assert_eq!(name, "LocaleName=DE-de,SortID=8d6f1a52-3c0b-4e97-a1f4-65736531b7c2,Ver=1");
    let loaded = |table: &TableSchema| {
        let mut loader = CatalogLoader::new(PageSize::K4);
        table_rows(table).unwrap().iter().for_each(|row| loader.row(&row.data).unwrap());
        loader.finish().unwrap().remove(0).indexes
    };
    assert_eq!(loaded(&table), table.indexes);
    table.indexes[0].sort_version = Some(Box::new(2_u64.to_le_bytes()));
    table.indexes[1].sort_id = None;
    assert!(loaded(&table).iter().all(|index| index.is_foreign() && index.collation.is_none()));
    assert_eq!(loaded(&table)[1].locale_row(), None);
}

#[test]
fn damaged_catalog_rows_are_errors_that_name_the_row() {
    let rows = base_catalog(PageSize::K4).unwrap();
    let mut loader = CatalogLoader::new(PageSize::K4);
    let error = loader.row(&rows[1].data).unwrap_err();
    assert_eq!(error.code(), JetErr::CatalogCorrupted);
    assert!(error.message().contains("ObjidTable"), "{error}");
    for row in &rows {
        for len in 0..row.data.len() {
            // Every cut is refused or read as a shorter row; none panics.
            if let Ok(row) = CatalogRow::decode(&row.data[..len], PageSize::K4) {
                assert!(row.encode(PageSize::K4).is_ok());
            }
        }
    }
    // A second column with the same id.
    let mut loader = CatalogLoader::new(PageSize::K4);
    for at in [0, 1, 1] {
        loader.row(&rows[at].data).unwrap();
    }
    assert_eq!(loader.finish().unwrap_err().code(), JetErr::CatalogCorrupted);
}

#[test]
fn tagged_columns_are_numbered_up_to_their_limit() {
    // JET_ccolMost: the interface, and other engines, know no id above it.
    let last = Column {
        id: ColumnId(0xfedf),
        ..add_column(&Columns::default(), &tagged("last")).unwrap()
    };
    let most = add_column(&Columns::new(vec![last.clone()]).unwrap(), &tagged("most")).unwrap();
    assert_eq!(most.id, ColumnId(0xfee0));
    assert!(most.id.is_tagged() && !ColumnId(0xfee1).is_tagged());
    let more = add_column(&Columns::new(vec![last, most]).unwrap(), &tagged("more")).unwrap_err();
    assert_eq!(more.code(), JetErr::TooManyColumns);
}

fn tagged(name: &str) -> ColumnDef {
    ColumnDef::new(name, ColType::Long).placed(Placement::Tagged)
}
