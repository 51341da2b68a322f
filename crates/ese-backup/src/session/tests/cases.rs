//! Cases of backup-log-recovery 7 by their numbers, groups A to D and G, as far as they do not
//! need the Jet interface. Stops in the middle of calls: `stopping`; damage: `reading`.

use std::{sync::Arc, thread};

use ese_base::{BkInfo, Generation, PageSize};
use ese_os::Env;

use super::*;
use crate::{
    session::{BEGIN_INCREMENTAL, END_ABORT, END_TRUNCATE_DONE, State},
    source::{BackupPhase, BackupScope, LogState},
    testing::Setup,
};

/// A full backup in the state before its databases are read.
fn begun() -> Setup {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    setup
}

/// All databases and logs copied.
fn copied() -> Setup {
    let setup = begun();
    copy_databases(&setup.context);
    copy_logs(&setup.context);
    setup
}

fn info(low: u32, high: u32) -> (u32, u32) {
    (low, high)
}

fn generations(info: BkInfo) -> (u32, u32) {
    (info.gen_low.get(), info.gen_high.get())
}

// ------------------------------------------------------------------------------- A, B: the stop

#[test]
fn case_001_a_stop_without_a_backup_has_no_lasting_effect() {
    let setup = Setup::small();
    setup.context.stop();
    assert_eq!(code(setup.context.attach_info()), -520, "no backup is said before stopped");
    full_backup(&setup.context);
}

#[test]
fn case_013_a_stop_reaches_one_instance_alone() {
    let (a, b) = (begun(), begun());
    a.context.stop();
    assert_eq!(code(a.context.attach_info()), -801);
    assert_eq!(code(b.context.attach_info()), 0);
}

#[test]
fn case_017_three_stops_are_one() {
    let setup = begun();
    for _ in 0..3 {
        setup.context.stop();
    }
    assert_eq!(code(setup.context.attach_info()), -801);
    assert_eq!(code(setup.context.end(END_NORMAL)), 0);
    full_backup(&setup.context);
}

#[test]
fn case_019_open_file_after_stop() {
    let setup = begun();
    setup.context.stop();
    assert_eq!(code(setup.context.open_file(&setup.database_path())), -801);
    assert_eq!(setup.context.state(), State::FullDatabases, "no handle was created");
}

#[test]
fn case_020_attach_info_after_stop() {
    let setup = begun();
    setup.context.stop();
    assert_eq!(code(setup.context.attach_info()), -801);
}

#[test]
fn case_021_023_024_log_calls_after_stop() {
    let setup = begun();
    let log = setup.context.log_info().unwrap().files.remove(0);
    setup.context.stop();
    assert_eq!(code(setup.context.open_file(&log)), -801);
    assert_eq!(code(setup.context.log_info()), -801);
    assert_eq!(code(setup.context.truncate_log_info()), -801);
    assert_eq!(setup.context.state(), State::FullLogs);
}

#[test]
fn case_026_a_database_may_be_closed_after_stop() {
    let setup = begun();
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    setup.context.stop();
    assert_eq!(code(setup.context.close_file(file.handle)), 0);
}

#[test]
fn case_027_a_log_may_be_closed_once_after_stop() {
    let setup = begun();
    let log = setup.context.log_info().unwrap().files.remove(0);
    let file = setup.context.open_file(&log).unwrap();
    setup.context.stop();
    assert_eq!(code(setup.context.close_file(file.handle)), 0);
    assert_eq!(code(setup.context.close_file(file.handle)), -1003);
}

#[test]
fn case_029_030_031_ending_after_stop() {
    let setup = begun();
    setup.context.stop();
    for flags in [0, END_NORMAL | END_ABORT, END_NORMAL | 0x1000] {
        assert_eq!(code(setup.context.end(flags)), -1003, "{flags:#x}");
        assert_eq!(setup.context.state(), State::FullDatabases);
    }
    assert_eq!(code(setup.context.end(END_ABORT)), 0);
    setup.context.begin(0).unwrap();
    setup.context.stop();
    assert_eq!(code(setup.context.end(END_NORMAL)), 0);
}

#[test]
fn case_033_a_second_backup_after_stop() {
    let setup = begun();
    setup.context.stop();
    assert_eq!(code(setup.context.begin(0)), -505);
    assert!(setup.context.is_stopped(), "a refused begin keeps the stop");
}

#[test]
fn case_035_the_stop_is_said_before_wrong_arguments() {
    let setup = begun();
    setup.context.stop();
    assert_eq!(code(setup.context.open_file(Path::new(""))), -801);
    let mut bytes = buffer();
    assert_eq!(
        code(setup.context.read_file(FileHandle(77), &mut bytes.as_mut_slice()[1..2])),
        -801
    );
}

#[test]
fn case_037_an_incremental_backup_stopped_before_its_logs() {
    let setup = Setup::small();
    full_backup(&setup.context);
    setup.context.begin(BEGIN_INCREMENTAL).unwrap();
    setup.context.stop();
    assert_eq!(code(setup.context.log_info()), -801);
    assert_eq!(code(setup.context.attach_info()), -801);
}

#[test]
fn case_038_an_incremental_backup_stopped_before_its_truncation() {
    let setup = Setup::small();
    full_backup(&setup.context);
    *setup.instance.checkpoint.lock() = Ok(6);
    setup.context.begin(BEGIN_INCREMENTAL).unwrap();
    copy_logs(&setup.context);
    let before = setup.instance.on_disk();
    setup.context.stop();
    assert_eq!(code(setup.context.truncate_log()), -801);
    assert_eq!(setup.instance.on_disk(), before);
}

#[test]
fn case_040_073_what_cannot_run_beside_a_backup() {
    let setup = begun();
    setup.context.stop();
    assert_eq!(code(setup.context.refuse_if_in_progress()), -505);
    setup.context.end(END_NORMAL).unwrap();
    assert_eq!(code(setup.context.refuse_if_in_progress()), 0);
}

// -------------------------------------------------------------------- C: lasting, what is recorded

#[test]
fn case_043_a_whole_backup_after_a_stopped_one() {
    let setup = begun();
    setup.context.stop();
    setup.context.end(END_NORMAL).unwrap();
    full_backup(&setup.context);
    assert_eq!(generations(setup.instance.header(0).bkinfo_full_prev), info(3, 5));
}

#[test]
fn case_045_a_stop_after_the_truncation_leaves_no_mark() {
    let setup = copied();
    let before = setup.instance.header(0);
    setup.context.truncate_log().unwrap();
    setup.context.stop();
    assert_eq!(code(setup.context.end(END_NORMAL)), 0);
    assert_eq!(setup.instance.header(0), before);
    assert_eq!(setup.instance.on_disk(), [3, 4, 5], "what was truncated stays deleted");
    assert_eq!(
        setup.instance.phases().last_chunk(),
        Some(&[BackupPhase::Abort, BackupPhase::Stop])
    );
}

#[test]
fn case_046_an_incremental_backup_builds_on_the_last_complete_one() {
    let setup = Setup::small();
    full_backup(&setup.context);
    setup.context.begin(0).unwrap();
    setup.context.stop();
    setup.context.end(END_NORMAL).unwrap();
    setup.context.begin(BEGIN_INCREMENTAL).unwrap();
    let logs = setup.context.log_info().unwrap();
    assert!(logs.gen_low.0 <= 6, "it continues the full backup, which ended with 5");
    let count = logs.gen_high.0 - logs.gen_low.0 + 1;
    assert_eq!(u32::try_from(logs.files.len()).unwrap(), count);
    assert_eq!(logs.gen_high.0 + 1, 7, "up to the generation before the current one");
}

#[test]
fn case_047_a_stopped_full_backup_is_no_base() {
    let setup = begun();
    setup.context.stop();
    setup.context.end(END_NORMAL).unwrap();
    assert_eq!(code(setup.context.begin(BEGIN_INCREMENTAL)), -560);
}

#[test]
fn case_055_107_a_termination_that_stops_the_backup_aborts_it() {
    let setup = copied();
    let before = setup.instance.header(0);
    setup.context.abort_for_term();
    assert_eq!(setup.context.state(), State::None);
    assert_eq!(setup.instance.header(0), before);
    assert_eq!(code(setup.context.begin(0)), -523);
    assert_eq!(code(setup.context.term_complete()), 0);
}

// --------------------------------------------------------------------------- D: sequence and
// states

#[test]
fn case_066_no_backup_before_the_instance_allows_it() {
    let setup = Setup::small();
    setup.context.abort_for_term();
    assert_eq!(code(setup.context.begin(0)), -523);
    setup.context.allow();
    assert_eq!(code(setup.context.begin(0)), 0);
}

#[test]
fn case_067_068_069_the_checks_of_begin_come_in_their_order() {
    let setup = Setup::small();
    let try_begin = |state: LogState, grbit: u32| {
        *setup.instance.log_state.lock() = state;
        let found = code(setup.context.begin(grbit));
        if found == 0 {
            setup.context.end(END_ABORT).unwrap();
        }
        found
    };
    let fine = LogState::default();
    let circular = LogState { circular: true, ..fine };
    let all = LogState {
        disabled: true,
        down: true,
        recovering: true,
        circular: true,
        disk_full: true,
        sequence_end: true,
    };
    assert_eq!(try_begin(all, 4), -516);
    assert_eq!(try_begin(LogState { disabled: false, ..all }, 4), -510);
    assert_eq!(try_begin(LogState { disabled: false, down: false, ..all }, 4), -1003);
    let usable = LogState { disabled: false, down: false, recovering: false, ..all };
    assert_eq!(try_begin(usable, 4), -900);
    assert_eq!(try_begin(usable, BEGIN_INCREMENTAL), -526);
    assert_eq!(try_begin(usable, 0), -529);
    assert_eq!(try_begin(LogState { disk_full: false, ..usable }, 0), -519);
    assert_eq!(try_begin(fine, 4), -900, "JET_bitBackupAtomic");
    assert_eq!(try_begin(fine, 0x41), -900, "an internal copy is never combined");
    assert_eq!(try_begin(circular, BEGIN_INCREMENTAL), -526);
    assert_eq!(try_begin(circular, 0x41), -526, "which comes before the combination");
    assert_eq!(try_begin(circular, 0), 0, "case 70: a full backup of a circular log");
}

#[test]
fn case_070_a_full_backup_of_a_circular_log_goes_through() {
    let setup = Setup::small();
    setup.instance.log_state.lock().circular = true;
    full_backup(&setup.context);
    assert_eq!(generations(setup.instance.header(0).bkinfo_full_prev), info(3, 5));
}

#[test]
fn case_071_an_incremental_backup_needs_a_full_one() {
    let setup = Setup::small();
    assert_eq!(code(setup.context.begin(BEGIN_INCREMENTAL)), -560);
    assert_eq!(setup.context.state(), State::None);
    assert_eq!(code(setup.context.end(END_NORMAL)), -520);
}

#[test]
fn case_072_one_backup_at_a_time() {
    let setup = begun();
    assert_eq!(code(setup.context.begin(0)), -505);
    assert_eq!(code(setup.context.begin(BEGIN_INCREMENTAL)), -505);
}

#[test]
fn case_074_one_file_at_a_time() {
    let setup = Setup::with_env(Env::real(), PageSize::K4, &[("a.edb", 3), ("b.edb", 3)]);
    setup.context.begin(0).unwrap();
    let paths = setup.context.attach_info().unwrap();
    let file = setup.context.open_file(&paths[0]).unwrap();
    assert_eq!(code(setup.context.open_file(&paths[1])), -1011);
    assert_eq!(read_all(&setup.context, file.handle).unwrap().len() as u64, file.len);
}

#[test]
fn case_076_a_log_before_the_log_list() {
    let setup = begun();
    assert_eq!(code(setup.context.open_file(&setup.instance.archive(1))), -1203);
    assert_eq!(setup.context.state(), State::FullDatabases);
    copy_databases(&setup.context);
}

#[test]
fn case_078_a_missing_log_cancels_the_backup() {
    let setup = begun();
    setup.context.log_info().unwrap();
    assert_eq!(code(setup.context.open_file(&setup.instance.archive(77))), -569);
    assert_eq!(code(setup.context.end(END_NORMAL)), -520);
}

#[test]
fn a_file_that_is_no_log_of_the_stream_is_not_handed_out() {
    for name in ["/etc/passwd", "edb.log", "edb.chk"] {
        let setup = begun();
        setup.context.log_info().unwrap();
        let path = setup.instance.root.join(name);
        assert_eq!(code(setup.context.open_file(&path)), -569, "{name}");
    }
}

#[test]
fn case_080_081_truncation_out_of_turn() {
    let setup = begun();
    assert_eq!(code(setup.context.truncate_log()), -521);
    let log = setup.context.log_info().unwrap().files.remove(0);
    setup.context.open_file(&log).unwrap();
    assert_eq!(code(setup.context.truncate_log()), -521);
    assert_eq!(setup.context.state(), State::FullLogsOpen);
}

#[test]
fn case_082_attach_info_of_an_incremental_backup() {
    let setup = Setup::small();
    full_backup(&setup.context);
    setup.context.begin(BEGIN_INCREMENTAL).unwrap();
    assert_eq!(code(setup.context.attach_info()), -521);
}

#[test]
fn case_084_a_log_read_twice_does_not_stand_for_another() {
    let setup = begun();
    let logs = setup.context.log_info().unwrap().files;
    assert_eq!(logs.len(), 3);
    for log in [&logs[0], &logs[0], &logs[2], &logs[2]] {
        copy_file(&setup.context, log).unwrap();
    }
    let error = setup.context.truncate_log().unwrap_err();
    assert_eq!((error.jet_code(), error.generation()), (-616, Some(Generation(4))), "{error}");
    copy_file(&setup.context, &logs[1]).unwrap();
    setup.context.truncate_log().unwrap();
}

#[test]
fn case_085_086_after_the_truncation() {
    let setup = copied();
    assert_eq!(setup.instance.on_disk(), [1, 2, 3, 4, 5]);
    let doomed = setup.context.truncate_log_info().unwrap();
    assert_eq!(doomed, [setup.instance.archive(1), setup.instance.archive(2)]);
    assert_eq!(code(setup.context.truncate_log()), 0);
    assert_eq!(code(setup.context.truncate_log()), 0);
    assert_eq!(setup.instance.on_disk(), [3, 4, 5]);
    copy_file(&setup.context, &setup.instance.archive(4)).unwrap();
    assert_eq!(code(setup.context.open_file(&doomed[0])), -569);
    assert_eq!(setup.context.state(), State::None);
}

#[test]
fn case_088_a_truncated_full_backup_is_the_base_of_the_next() {
    let setup = copied();
    setup.context.truncate_log().unwrap();
    setup.context.end(END_NORMAL).unwrap();
    let header = setup.instance.header(0);
    assert_eq!(generations(header.bkinfo_full_prev), info(3, 5));
    assert_eq!(header.bkinfo_full_prev.lgpos_mark.get().generation, Generation(5));
    assert_eq!(header.bkinfo_inc_prev, BkInfo::default());
    assert_eq!(header.bkinfo_diff_prev, BkInfo::default());
    let records = setup.instance.records.lock();
    let phases: Vec<BackupPhase> = records.iter().map(|record| record.phase).collect();
    use BackupPhase::{Begin, PrepareLogs, Stop, Truncate, Update};
    assert_eq!(phases, [Begin, PrepareLogs, Truncate, Update, Stop]);
    assert_eq!(records[3].scope, BackupScope::Full);
    assert_eq!(records[3].info, header.bkinfo_full_prev);
    assert_eq!(records[3].path, setup.database_path().to_str().unwrap());
}

#[test]
fn case_089_a_full_backup_without_truncation_is_a_copy() {
    let setup = copied();
    setup.context.end(END_NORMAL).unwrap();
    let header = setup.instance.header(0);
    assert_eq!(generations(header.bkinfo_copy_prev), info(3, 5));
    assert_eq!(header.bkinfo_full_prev, BkInfo::default());
}

#[test]
fn case_090_a_truncation_by_other_means_counts() {
    let setup = copied();
    setup.context.end(END_NORMAL | END_TRUNCATE_DONE).unwrap();
    assert_eq!(generations(setup.instance.header(0).bkinfo_full_prev), info(3, 5));
}

#[test]
fn case_092_a_database_left_out_keeps_its_logs() {
    let setup = Setup::with_env(Env::real(), PageSize::K4, &[("a.edb", 3), ("b.edb", 3)]);
    setup.context.begin(0).unwrap();
    copy_file(&setup.context, &setup.database_path()).unwrap();
    copy_logs(&setup.context);
    let untouched = setup.instance.header(1);
    setup.context.truncate_log().unwrap();
    assert_eq!(setup.instance.on_disk(), [1, 2, 3, 4, 5], "it was never backed up");
    setup.context.end(END_NORMAL).unwrap();
    assert_ne!(setup.instance.header(0).bkinfo_full_prev, BkInfo::default());
    assert_eq!(setup.instance.header(1), untouched);
}

#[test]
fn case_093_a_log_closed_before_its_end_was_not_copied() {
    let setup = begun();
    for log in setup.context.log_info().unwrap().files {
        let file = setup.context.open_file(&log).unwrap();
        let all_but_a_page = usize::try_from(file.len).unwrap() - 4096;
        let mut bytes = buffer();
        let part = &mut bytes.as_mut_slice()[..all_but_a_page];
        assert_eq!(setup.context.read_file(file.handle, part).unwrap(), all_but_a_page);
        setup.context.close_file(file.handle).unwrap();
    }
    assert_eq!(code(setup.context.truncate_log()), -616);
    assert_eq!(setup.context.state(), State::FullLogs);
}

#[test]
fn case_094_handles_that_are_not_open() {
    let setup = begun();
    for bad in [0, 1, u32::MAX] {
        assert_eq!(code(setup.context.close_file(FileHandle(bad))), -1003);
    }
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    for bad in [0, 1, u32::MAX, file.handle.0 + 1] {
        assert_eq!(code(setup.context.close_file(FileHandle(bad))), -1003);
        let mut bytes = buffer();
        assert_eq!(code(setup.context.read_file(FileHandle(bad), bytes.as_mut_slice())), -1003);
    }
    setup.context.close_file(file.handle).unwrap();
    assert_eq!(code(setup.context.close_file(file.handle)), -1003);
}

#[test]
fn case_096_099_the_announced_size_is_delivered_and_the_end_is_repeatable() {
    let setup = begun();
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    assert_eq!(file.len, (7 + 3) * 4096);
    assert_eq!(read_all(&setup.context, file.handle).unwrap().len() as u64, file.len);
    let mut bytes = buffer();
    for _ in 0..3 {
        assert_eq!(setup.context.read_file(file.handle, bytes.as_mut_slice()).unwrap(), 0);
    }
}

#[test]
fn case_104_the_log_list_names_the_range_without_the_current_log() {
    let setup = begun();
    let logs = setup.context.log_info().unwrap();
    assert_eq!((logs.gen_low, logs.gen_high), (Generation(3), Generation(5)));
    assert_eq!(logs.files, [3, 4, 5].map(|generation| setup.instance.archive(generation)));
    assert_eq!(logs.base, "edb");
    assert_eq!(setup.context.log_info().unwrap(), logs, "a second call rolls nothing");
}

#[test]
fn case_105_the_sequence_is_not_bound_to_a_thread() {
    let setup = Setup::small();
    let on_a_thread = |call: Box<dyn FnOnce(&BackupContext) + Send>| {
        let context = Arc::clone(&setup.context);
        #[allow(clippy::disallowed_methods, reason = "the test is about threads")]
        thread::spawn(move || call(&context)).join().unwrap();
    };
    on_a_thread(Box::new(|context| context.begin(0).unwrap()));
    on_a_thread(Box::new(copy_databases));
    on_a_thread(Box::new(|context| {
        copy_logs(context);
        context.truncate_log().unwrap();
        context.end(END_NORMAL).unwrap();
    }));
    assert_ne!(setup.instance.header(0).bkinfo_full_prev, BkInfo::default());
}

#[test]
fn case_106_a_refused_termination_forbids_new_backups() {
    let setup = begun();
    assert_eq!(code(setup.context.term_complete()), -505);
    copy_databases(&setup.context);
    copy_logs(&setup.context);
    assert_eq!(code(setup.context.end(END_NORMAL)), 0);
    assert_eq!(code(setup.context.begin(0)), -523);
    assert_eq!(code(setup.context.term_complete()), 0);
}

// ---------------------------------------------------------------------------------- G, and our own

#[test]
fn case_132_a_checkpoint_that_cannot_be_read_refuses_the_backup() {
    for bad in [JetErr::CheckpointCorrupt, JetErr::CheckpointFileNotFound] {
        let setup = Setup::small();
        *setup.instance.checkpoint.lock() = Err(bad);
        assert_code(setup.context.begin(0), bad);
        assert_eq!(code(setup.context.end(END_NORMAL)), -520);
        assert_eq!(setup.instance.pins.lock().last(), Some(&None));
    }
}

#[test]
fn case_142_logs_are_pinned_before_the_checkpoint_is_read_until_the_end() {
    let setup = begun();
    assert_eq!(*setup.instance.pins.lock(), [Some(Generation(0)), Some(Generation(3))]);
    for _ in 0..100 {
        setup.instance.new_generation();
    }
    assert_eq!(setup.context.log_info().unwrap().files.len(), 103);
    setup.context.end(END_ABORT).unwrap();
    assert_eq!(setup.instance.pins.lock().last(), Some(&None));
}

#[test]
fn a_log_that_is_missing_from_the_range_is_noticed_and_changes_nothing() {
    let setup = begun();
    setup.instance.env.fs.remove_file(&setup.instance.archive(4)).unwrap();
    let error = setup.context.log_info().unwrap_err();
    assert_eq!((error.jet_code(), error.generation()), (-569, Some(Generation(4))), "{error}");
    assert_eq!(setup.context.state(), State::FullDatabases);
}

#[test]
fn a_normal_end_without_the_log_list_is_an_abort() {
    for grbit in [0, BEGIN_INCREMENTAL] {
        let setup = Setup::small();
        full_backup(&setup.context);
        let before = setup.instance.header(0);
        setup.context.begin(grbit).unwrap();
        assert_eq!(code(setup.context.end(END_NORMAL)), 0);
        assert_eq!(setup.instance.header(0), before);
    }
}

#[test]
fn an_incremental_backup_continues_the_full_one() {
    let setup = Setup::small();
    full_backup(&setup.context);
    assert_eq!(setup.instance.on_disk(), [3, 4, 5]);
    *setup.instance.checkpoint.lock() = Ok(5);
    let database = crate::source::BackupSource::databases(&*setup.instance).remove(0);
    database.file.update_header(|header| header.gen_min_required = 5.into()).unwrap();
    setup.context.begin(BEGIN_INCREMENTAL).unwrap();
    copy_logs(&setup.context);
    setup.context.truncate_log().unwrap();
    setup.context.end(END_NORMAL).unwrap();
    assert_eq!(setup.instance.on_disk(), [5, 6], "the checkpoint's generation stays");
    let header = setup.instance.header(0);
    assert_eq!(generations(header.bkinfo_inc_prev), info(3, 6));
    assert_eq!(generations(header.bkinfo_full_prev), info(3, 5));
}

#[test]
fn an_incremental_backup_of_a_broken_chain_is_refused() {
    let setup = Setup::small();
    full_backup(&setup.context);
    for _ in 0..3 {
        setup.instance.new_generation();
    }
    for generation in 3..=7 {
        setup.instance.env.fs.remove_file(&setup.instance.archive(generation)).unwrap();
    }
    setup.context.begin(BEGIN_INCREMENTAL).unwrap();
    assert_eq!(code(setup.context.log_info()), -569);
}
