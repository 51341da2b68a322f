//! Section 3: system parameters. Buffers for texts are the C interface's; here values come whole.

use crate::{jet_setup::*, pets::*};

fn put(instance: Option<JET_INSTANCE>, id: u32, value: u64) -> Result<()> {
    JetSetSystemParameter(instance, JET_SESID::NIL, id, value, None)
}

fn get(instance: Option<JET_INSTANCE>, id: u32) -> JET_PARAM {
    JetGetSystemParameter(instance, JET_SESID::NIL, id).unwrap()
}

#[test]
fn s3_01_a_parameter_has_a_target() {
    let _alone = alone();
    let number = |value| JET_PARAM::Int(value);
    put(None, JET_paramLogFileSize, 256).unwrap();
    let seeded = JetCreateInstance("seeded").unwrap();
    put(None, JET_paramLogFileSize, 5120).unwrap();
    assert_eq!(get(Some(seeded), JET_paramLogFileSize), number(256), "the process's at its making");
    // One that belongs to the process stays the process's, whatever instance is named.
    put(Some(seeded), JET_paramCacheSizeMax, 4096).unwrap();
    assert_eq!(get(None, JET_paramCacheSizeMax), number(4096));
    put(None, JET_paramCacheSizeMax, 2_000_000_000).unwrap();
    JetTerm(seeded).unwrap();
    let live = Live::new();
    let size = JetGetSystemParameter(None, live.sesid, JET_paramLogFileSize).unwrap();
    assert_eq!(size, number(64), "the session names its instance");
}

#[test]
fn s3_02_it_is_never_too_late_for_the_value_that_is_there() {
    let _mode = multi();
    let live = Live::new();
    let inst = Some(live.inst);
    assert_eq!(code(put(inst, JET_paramLogFileSize, 128)), JetErr::AlreadyInitialized);
    put(inst, JET_paramLogFileSize, 64).unwrap();
    let JET_PARAM::Int(page_size) = get(None, JET_paramDatabasePageSize) else { panic!("a text") };
    put(None, JET_paramDatabasePageSize, page_size).unwrap();
    let other = if page_size == 4096 { 8192 } else { 4096 };
    assert_eq!(code(put(None, JET_paramDatabasePageSize, other)), JetErr::AlreadyInitialized);
}

#[test]
fn s3_03_advanced_parameters_are_ignored_while_they_are_off() {
    let _alone = alone();
    put(None, JET_paramEnableAdvanced, 0).unwrap();
    let before = get(None, JET_paramMaxVerPages);
    put(None, JET_paramMaxVerPages, 1234).unwrap();
    assert_eq!(get(None, JET_paramMaxVerPages), before);
    put(None, JET_paramEnableAdvanced, 1).unwrap();
    put(None, JET_paramMaxVerPages, 1234).unwrap();
    assert_eq!(get(None, JET_paramMaxVerPages), JET_PARAM::Int(1234));
    put(None, JET_paramMaxVerPages, 64).unwrap();
}

#[test]
fn s3_04_values_have_ranges_and_the_base_name_has_three_letters() {
    let _mode = multi();
    let instance = JetCreateInstance("s3_04").unwrap();
    let inst = Some(instance);
    assert_eq!(code(put(inst, JET_paramLogFileSize, 1)), JetErr::InvalidParameter);
    assert_eq!(code(put(inst, 9999, 1)), JetErr::InvalidParameter);
    let name =
        |text: &str| JetSetSystemParameter(inst, JET_SESID::NIL, JET_paramBaseName, 0, Some(text));
    for wrong in ["ab", "abcd", ""] {
        assert_eq!(code(name(wrong)), JetErr::InvalidParameter, "{wrong}");
    }
    name("abc").unwrap();
    JetTerm(instance).unwrap();
}

/// The engine's source has a boolean read as 0 or 1, whatever number switched it on.
#[test]
fn s3_04_what_is_on_or_off_reads_as_one_or_zero() {
    let _alone = alone();
    let seeded = JetCreateInstance("seeded").unwrap();
    for (set, read) in [(5, 1), (0, 0), (u64::MAX, 1)] {
        put(Some(seeded), JET_paramCircularLog, set).unwrap();
        assert_eq!(get(Some(seeded), JET_paramCircularLog), JET_PARAM::Int(read));
    }
    JetTerm(seeded).unwrap();
}

#[test]
fn s3_05_folders_become_absolute_and_get_a_separator() {
    let _mode = multi();
    let instance = JetCreateInstance("s3_05").unwrap();
    let inst = Some(instance);
    for (id, set_to) in [(JET_paramSystemPath, "some/folder"), (JET_paramTempPath, "plain.edb")] {
        JetSetSystemParameter(inst, JET_SESID::NIL, id, 0, Some(set_to)).unwrap();
    }
    let JET_PARAM::Text(folder) = get(inst, JET_paramSystemPath) else { panic!("a number") };
    assert!(folder.starts_with('/') && folder.ends_with("/some/folder/"), "{folder}");
    assert_eq!(get(inst, JET_paramTempPath), JET_PARAM::Text("plain.edb".into()));
    JetTerm(instance).unwrap();
}

#[test]
fn s3_09_one_page_size_is_the_process_s_and_other_databases_are_refused() {
    let _alone = alone();
    let dir = {
        let live = Live::new();
        std::sync::Arc::clone(&live.dir)
    };
    put(None, JET_paramDatabasePageSize, 8192).unwrap();
    {
        let live = Live::new();
        let four = dir.path().join("a.edb");
        let attached = JetAttachDatabase(live.sesid, four.to_str().unwrap(), 0);
        assert_eq!(code(attached), JetErr::PageSizeMismatch);
        let late = put(None, JET_paramDatabasePageSize, 4096);
        assert_eq!(code(late), JetErr::AlreadyInitialized);
    }
    put(None, JET_paramDatabasePageSize, 4096).unwrap();
}

/// The engine's source knows no pair: each limit is stored by itself, whatever the other is, and
/// the size in use is kept between them. The reference page of the cache's parameters agrees: the
/// cache adjusts its size between the two, and `JET_paramCacheSize` is a wish that they still
/// limit. Reading it gives the pages in memory.
#[test]
fn s3_10_limits_of_the_cache_are_kept_one_by_one_and_its_size_is_what_it_is() {
    let _alone = alone();
    let size = || {
        let JET_PARAM::Int(pages) = get(None, JET_paramCacheSize) else { panic!("a text") };
        pages
    };
    assert_eq!(size(), 0, "no instance");
    put(None, JET_paramCacheSizeMin, 5000).unwrap();
    put(None, JET_paramCacheSizeMax, 4000).unwrap();
    assert_eq!(get(None, JET_paramCacheSizeMin), JET_PARAM::Int(5000));
    assert_eq!(get(None, JET_paramCacheSizeMax), JET_PARAM::Int(4000));
    put(None, JET_paramCacheSizeMin, 1).unwrap();
    let live = Live::new();
    live.load(0..100);
    put(None, JET_paramCacheSize, 77_777).unwrap();
    assert!((1..=4000).contains(&size()), "what there is: {}", size());
    drop(live);
    put(None, JET_paramCacheSizeMax, 2_000_000_000).unwrap();
}

#[test]
fn s3_11_a_configuration_discards_what_was_set_before() {
    let _mode = multi();
    let instance = JetCreateInstance("s3_11").unwrap();
    let inst = Some(instance);
    let int = |id| match get(inst, id) {
        JET_PARAM::Int(value) => value,
        other => panic!("{other:?}"),
    };
    let params = [JET_paramLogFileSize, JET_paramCircularLog, JET_paramMaxVerPages];
    let all = || params.map(int);
    let defaults = all();
    put(inst, JET_paramLogFileSize, 1024).unwrap();
    put(inst, JET_paramMaxVerPages, 77).unwrap();
    JetSetSystemParameter(inst, JET_SESID::NIL, JET_paramBaseName, 0, Some("abc")).unwrap();
    // The same value as it has: the parameters are set back all the same.
    put(inst, JET_paramConfiguration, JET_configDefault).unwrap();
    assert_eq!(all(), defaults);
    assert_eq!(get(inst, JET_paramBaseName), JET_PARAM::Text("edb".into()));
    put(inst, JET_paramMaxVerPages, 77).unwrap();
    put(inst, JET_paramConfiguration, JET_configLowDiskFootprint).unwrap();
    assert_eq!(all(), [64, 1, 77], "without the first bit only what it covers");
    assert_eq!(int(JET_paramConfiguration), JET_configDefault | JET_configLowDiskFootprint);
    put(inst, JET_paramConfiguration, JET_configRemoveQuotas).unwrap();
    assert_eq!(all(), [64, 1, 0x7fff_ffff], "bits add up");
    put(inst, JET_paramConfiguration, 0).unwrap();
    assert_eq!((int(JET_paramConfiguration), all()), (0, [64, 1, 0x7fff_ffff]));
    assert_eq!(code(put(inst, JET_paramConfiguration, 0x800)), JetErr::InvalidParameter);
    assert_eq!(int(JET_paramCacheSizeMax), 2_000_000_000, "the process's own stays");
    JetTerm(instance).unwrap();
    let live = Live::new();
    let late = put(Some(live.inst), JET_paramConfiguration, JET_configRunSilent);
    assert_eq!(code(late), JetErr::AlreadyInitialized);
    put(Some(live.inst), JET_paramConfiguration, JET_configDefault).unwrap();
}

/// The engine's source compares without case; whatever is not "on" turns the log off there.
#[test]
fn s3_07_recovery_is_a_word_without_case() {
    let _mode = multi();
    for (word, logged) in [("ON", true), ("oFF", false)] {
        let dir = tempfile::tempdir().unwrap();
        let mut instance = JetCreateInstance(&format!("s3_07 {word}")).unwrap();
        set_path(instance, JET_paramLogFilePath, dir.path());
        set_path(instance, JET_paramSystemPath, dir.path());
        JetSetSystemParameter(Some(instance), JET_SESID::NIL, JET_paramRecovery, 0, Some(word))
            .unwrap();
        JetInit(Some(&mut instance)).unwrap();
        assert_eq!(dir.path().join("edb.log").exists(), logged, "{word}");
        JetTerm(instance).unwrap();
    }
}

#[test]
fn s3_08_errors_have_texts_and_some_limits_follow_the_page_size() {
    let _mode = multi();
    assert!(error_to_string(-1605).unwrap().starts_with("JET_errKeyDuplicate, "));
    assert_eq!(error_to_string(-77_777), None);
    let JET_PARAM::Int(page_size) = get(None, JET_paramDatabasePageSize) else { panic!("a text") };
    let key = if page_size == 4096 { 1000 } else { 2000 };
    assert_eq!(get(None, JET_paramKeyMost), JET_PARAM::Int(key));
    assert_eq!(get(None, JET_paramMaxColtyp), JET_PARAM::Int(19));
    assert_eq!(code(put(None, JET_paramKeyMost, 5)), JetErr::InvalidParameter);
    // The page without its header and without the place of its own first entry.
    let header = if page_size <= 8192 { 40 } else { 80 };
    assert_eq!(get(None, JET_paramRecordSizeMost), JET_PARAM::Int(page_size - header - 4));
}

#[test]
fn s3_11_a_configuration_of_the_process_comes_before_its_instances() {
    let _mode = multi();
    let _pets = pets();
    let late = JetSetSystemParameter(None, JET_SESID::NIL, JET_paramConfiguration, 0, None);
    assert_eq!(code(late), JetErr::AlreadyInitialized);
}
