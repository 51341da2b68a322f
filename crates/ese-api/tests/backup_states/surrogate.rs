//! Surrogate backups (4.11).

use ese_api::{JetErr, Result, jet::*};
use ese_backup::AlignedBuffer;

use crate::jet_setup::{Live, code, multi, set};

fn current(live: &Live) -> u32 {
    live.begin();
    let mut info = JET_LOGINFO::new();
    JetGetLogInfoInstance2(live.inst, None, Some(&mut info)).unwrap();
    live.end(JET_bitBackupEndAbort);
    info.ulGenHigh
}

fn begin(live: &Live, first: u32, last: u32, grbit: JET_GRBIT) -> Result<()> {
    JetBeginSurrogateBackup(live.inst, first, last, grbit)
}

#[test]
fn a_surrogate_backup_is_remembered_as_a_snapshot_of_the_logs_it_named() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let last = current(&live);
    let done = JET_bitBackupEndNormal | JET_bitBackupTruncateDone;
    begin(&live, 1, last, 0).unwrap();
    assert_eq!(live.header().bkinfo_full_prev.gen_high.get(), 0);
    JetEndSurrogateBackup(live.inst, done).unwrap();
    let header = live.header();
    assert_eq!(header.bkinfo_full_prev.gen_low.get(), 1);
    assert_eq!(header.bkinfo_full_prev.gen_high.get(), last);
    assert!(header.bkinfo_full_prev.lgpos_mark.get().generation.0 > 0);
    assert_eq!(header.bkinfo_type_full_prev.get(), 1, "a snapshot of the system");
    assert!(live.log(1).exists(), "the logs are the other program's affair");

    live.load(500..600);
    let last = current(&live);
    begin(&live, 2, last, JET_bitBackupIncremental).unwrap();
    JetEndSurrogateBackup(live.inst, done).unwrap();
    let header = live.header();
    assert_eq!(header.bkinfo_inc_prev.gen_high.get(), last);
    assert_eq!(header.bkinfo_type_inc_prev.get(), 1);

    for (flags, index) in [(0, 1), (JET_bitBackupIncremental, 3)] {
        let before = live.marks();
        begin(&live, 2, last, flags).unwrap();
        JetEndSurrogateBackup(live.inst, JET_bitBackupEndNormal).unwrap();
        let mut expected = before;
        expected[index] = last;
        assert_eq!(live.marks(), expected, "a copy, a differential one");
    }
    let before = live.marks();
    begin(&live, 2, last, 0).unwrap();
    let unmarked = done | JET_bitBackupNoDbHeaderUpdate;
    JetEndSurrogateBackup(live.inst, unmarked).unwrap();
    assert_eq!(live.marks(), before);
    live.back_up_and_compare();
}

#[test]
fn what_a_surrogate_backup_refuses_at_its_begin() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..500);
    let last = current(&live);
    for (first, end) in [(2, 1), (1, last + 100), (last + 100, last + 100)] {
        assert_eq!(code(begin(&live, first, end, 0)), JetErr::InvalidParameter);
    }
    for flags in [0x2, 0x4, 0x10, 0x40, 0x100] {
        assert_eq!(code(begin(&live, 1, 1, flags)), JetErr::InvalidGrbit, "{flags:#x}");
    }
    let incremental = begin(&live, 1, 1, JET_bitBackupIncremental);
    assert_eq!(code(incremental), JetErr::MissingFullBackup);
    assert_eq!(backup_state(live.inst).unwrap().0, ese_backup::State::None);
    begin(&live, 1, 1, JET_bitBackupSurrogate).unwrap();
    assert_eq!(code(begin(&live, 1, 1, 0)), JetErr::SurrogateBackupInProgress);
    assert_eq!(code(JetEndSurrogateBackup(live.inst, 0x800)), JetErr::InvalidParameter);
    JetEndSurrogateBackup(live.inst, JET_bitBackupEndAbort).unwrap();
    assert_eq!(code(JetEndSurrogateBackup(live.inst, 1)), JetErr::NoBackup);
    assert_eq!(live.marks(), [0; 4]);
    let bad = JetBeginSurrogateBackup(JET_INSTANCE(0x7777_0001), 1, 1, 0);
    assert_eq!(code(bad), JetErr::InvalidParameter);

    let circular = Live::with(|inst| set(inst, JET_paramCircularLog, 1));
    assert_eq!(code(begin(&circular, 1, 1, 0)), JetErr::InvalidBackup);
    let off = Live::with(|inst| {
        JetSetSystemParameter(Some(inst), JET_SESID::NIL, JET_paramRecovery, 0, Some("off"))
            .unwrap();
    });
    assert_eq!(code(begin(&off, 0, 0, 0)), JetErr::LoggingDisabled);
}

#[test]
fn the_calls_of_a_sequence_know_nothing_of_a_surrogate_backup() {
    let _mode = multi();
    let live = Live::new();
    begin(&live, 1, 1, 0).unwrap();
    let inst = live.inst;
    let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
    let calls: [Result<()>; 7] = [
        JetGetAttachInfoInstance(inst, None).map(drop),
        JetOpenFileInstance(inst, Some(&live.path())).map(drop),
        JetReadFileInstance(inst, JET_HANDLE(0x100), buffer.as_mut_slice()).map(drop),
        JetCloseFileInstance(inst, JET_HANDLE(0x100)),
        JetGetLogInfoInstance(inst, None).map(drop),
        JetGetTruncateLogInfoInstance(inst, None).map(drop),
        JetTruncateLogInstance(inst),
    ];
    for refused in calls {
        assert_eq!(code(refused), JetErr::NoBackup);
    }
    // Databases stay as they are while it lasts; rows do not.
    let other = live.dir.path().join("b.edb");
    let created = JetCreateDatabase(live.sesid, other.to_str().unwrap(), 0);
    assert_eq!(code(created), JetErr::SurrogateBackupInProgress);
    live.load(0..20);
    assert_eq!(code(JetTerm2(inst, JET_bitTermComplete)), JetErr::SurrogateBackupInProgress);
    // The other kind's end takes it for a mistake, and ends it.
    JetEndExternalBackupInstance(inst).unwrap();
    assert_eq!(live.marks(), [0; 4]);
}

#[test]
fn the_end_of_the_other_kind_ends_a_backup_without_a_record() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..100);
    let set = tempfile::tempdir().unwrap();
    live.begin();
    live.copy_all(&set.path().join("set"));
    JetEndSurrogateBackup(live.inst, JET_bitBackupEndNormal).unwrap();
    assert_eq!(live.marks(), [0; 4]);
    assert_eq!(code(JetEndExternalBackupInstance(live.inst)), JetErr::NoBackup);
    live.back_up_and_compare();
}

#[test]
fn case_039_a_surrogate_backup_is_stopped() {
    let _mode = multi();
    let live = Live::new();
    live.load(0..100);
    begin(&live, 1, 1, 0).unwrap();
    live.stop();
    assert_eq!(code(begin(&live, 1, 1, 0)), JetErr::SurrogateBackupInProgress);
    let done = JET_bitBackupEndNormal | JET_bitBackupTruncateDone;
    JetEndSurrogateBackup(live.inst, done).unwrap();
    assert_eq!(live.marks(), [0; 4], "aborted by the server");
    begin(&live, 1, 1, 0).unwrap();
    JetEndSurrogateBackup(live.inst, done).unwrap();
    assert_eq!(live.marks(), [1, 0, 0, 0], "the stop did not last");
}
