//! The stop while others write: 500 backups, stopped at random moments.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ese_api::{Error, JetErr, Result, jet::*};
use ese_backup::AlignedBuffer;

use crate::jet_setup::{Live, multi, set};

/// A session of its own that inserts rows.
pub(crate) struct Writer {
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    key: u32,
    value: u32,
}

impl Writer {
    pub(crate) fn new(live: &Live) -> Writer {
        let sesid = JetBeginSession(live.inst).unwrap();
        let dbid = JetOpenDatabase(sesid, live.path().to_str().unwrap(), 0).unwrap().1;
        let tableid = JetOpenTable(sesid, dbid, "t", 0).unwrap();
        let column =
            |name| JetGetTableColumnInfo(sesid, tableid, Some(name)).unwrap()[0].def.columnid;
        Writer { sesid, tableid, key: column("id"), value: column("value") }
    }

    /// Inserts a row and waits until it is durable.
    pub(crate) fn insert(&self, id: i32) {
        JetBeginTransaction(self.sesid).unwrap();
        JetPrepareUpdate(self.sesid, self.tableid, JET_prepInsert).unwrap();
        let set = |column, bytes: &[u8]| {
            JetSetColumn(self.sesid, self.tableid, column, Some(bytes), 0, None).unwrap();
        };
        set(self.key, &id.to_le_bytes());
        set(self.value, &[u8::try_from(id & 0x7f).unwrap(); 200]);
        JetUpdate(self.sesid, self.tableid).unwrap();
        JetCommitTransaction(self.sesid, 0).unwrap();
    }
}

/// Lets a backup go on that waits for its stop, also in a panic.
struct StopAtEnd<'a>(&'a AtomicU64);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.fetch_max(1, Ordering::SeqCst);
    }
}

/// A generator of numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Sets a flag when it goes, also in a panic: who waits for it ends.
pub(crate) struct SetAtEnd<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What the stopper and the backup tell each other.
#[derive(Default)]
struct Race {
    /// Units of work that the backup has begun: calls, or pieces of the built-in one.
    units: AtomicU64,
    /// What `units` was when the stop had returned; 0: not yet.
    at_stop: AtomicU64,
    over: AtomicBool,
}

impl Race {
    fn unit(&self) {
        self.units.fetch_add(1, Ordering::SeqCst);
    }
}

/// The calls of an external backup with reads of 64 KiB, until one is refused.
fn external(live: &Live, race: &Race) -> Result<()> {
    let inst = live.inst;
    let mut buffer = AlignedBuffer::new(64 << 10)?;
    let mut copy = |path: &std::path::Path| -> Result<()> {
        race.unit();
        let file = JetOpenFileInstance(inst, Some(path))?.hfFile;
        loop {
            race.unit();
            if JetReadFileInstance(inst, file, buffer.as_mut_slice())? == 0 {
                break;
            }
        }
        JetCloseFileInstance(inst, file)
    };
    copy(&live.path())?;
    race.unit();
    let mut list = vec![0; JetGetLogInfoInstance(inst, None)?];
    race.unit();
    JetGetLogInfoInstance(inst, Some(&mut list))?;
    for log in paths_of(&list) {
        copy(&log)?;
    }
    // Long after the last stop.
    while !race.over.load(Ordering::SeqCst) {
        race.unit();
        JetGetAttachInfoInstance(inst, None)?;
    }
    Ok(())
}

/// One backup that another thread stops after a random number of units. Gives what it answered, and
/// how many units it began after the stop had returned.
fn stopped_backup(live: &Live, round: u64, random: &mut Random) -> (Result<()>, u64) {
    let race = Race::default();
    let built_in = round % 5 == 4;
    // The built-in one tells of itself a few times only.
    let (inst, moment) = (live.inst, random.below(if built_in { 3 } else { 40 }));
    let set = tempfile::tempdir().unwrap();
    if !built_in {
        live.begin();
    }
    thread::scope(|scope| {
        let (race, dir) = (&race, set.path());
        let _over = (SetAtEnd(&race.over), StopAtEnd(&race.at_stop));
        let backup = scope.spawn(move || match built_in {
            false => external(live, race),
            true => {
                let mut unit = |_: JET_SNP, _: JET_SNT, _: &JET_SNPROG| {
                    race.unit();
                    // It has no call that could be repeated until the stop.
                    while race.units.load(Ordering::SeqCst) > moment
                        && race.at_stop.load(Ordering::SeqCst) == 0
                    {
                        thread::yield_now();
                    }
                    Ok(())
                };
                JetBackupInstance(inst, dir, 0, Some(&mut unit))
            }
        });
        while race.units.load(Ordering::SeqCst) <= moment && !backup.is_finished() {
            thread::yield_now();
        }
        JetStopBackupInstance(inst).unwrap();
        race.at_stop.store(race.units.load(Ordering::SeqCst).max(1), Ordering::SeqCst);
        let answer = backup.join().unwrap();
        let after = race.units.load(Ordering::SeqCst) - race.at_stop.load(Ordering::SeqCst);
        race.over.store(true, Ordering::SeqCst);
        if !built_in {
            let ends = [JET_bitBackupEndNormal, JET_bitBackupEndAbort];
            let end = if round.is_multiple_of(2) { ends[0] } else { ends[1] };
            JetEndExternalBackupInstance2(inst, end).unwrap();
        } else {
            let left = std::fs::read_dir(dir).unwrap().count();
            assert_eq!(left, 0, "nothing of a stopped one is left");
        }
        (answer, after)
    })
}

#[test]
fn five_hundred_backups_are_stopped_while_eight_threads_write() {
    let _mode = multi();
    let live = Live::with(|inst| set(inst, JET_paramCheckpointDepthMax, 256 << 10));
    live.load(0..4000);
    let (stop, next) = (AtomicBool::new(false), AtomicI32::new(10_000));
    let lowest = |live: &Live| (1..).find(|number| live.log(*number).exists()).unwrap();
    let first_log = lowest(&live);
    let committed: BTreeSet<i32> = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let (writer, stop, next) = (Writer::new(&live), &stop, &next);
                scope.spawn(move || {
                    let mut committed = Vec::new();
                    while !stop.load(Ordering::SeqCst) {
                        let id = next.fetch_add(1, Ordering::SeqCst);
                        writer.insert(id);
                        committed.push(id);
                        thread::sleep(Duration::from_millis(2));
                    }
                    committed
                })
            })
            .collect();
        let over = SetAtEnd(&stop);
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let (mut most_external, mut most_built_in) = (0, 0);
        for round in 0..500 {
            let (answer, after) = stopped_backup(&live, round, &mut random);
            let code = answer.as_ref().map_err(Error::code).err();
            assert_eq!(code, Some(JetErr::BackupAbortByServer), "round {round}: {answer:?}");
            if round % 5 == 4 {
                most_built_in = most_built_in.max(after);
            } else {
                most_external = most_external.max(after);
            }
        }
        // The call that was running, then the one that is refused. The built-in backup looks at the
        // flag in every read, and a piece between two looks at its progress is four reads.
        println!("units begun after the stop: {most_external} and {most_built_in} at most");
        assert!(most_external <= 1, "{most_external}");
        assert!(most_built_in <= 1, "{most_built_in}");
        assert_eq!(live.marks(), [0; 4], "no header remembers any of them");
        assert_eq!(lowest(&live), first_log, "no log was truncated");
        drop(over);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    // The last one is not stopped.
    let dirs = tempfile::tempdir().unwrap();
    let set = dirs.path().join("set");
    live.begin();
    live.copy_all(&set);
    JetTruncateLogInstance(live.inst).unwrap();
    live.end(JET_bitBackupEndNormal);
    assert!(live.marks()[0] > 0);
    let there = Arc::new(tempfile::tempdir().unwrap());
    ese_api::restore(&set, there.path()).unwrap();
    let restored: BTreeSet<i32> = Live::again(&there).rows().into_keys().collect();
    let expected: BTreeSet<i32> = (0..4000).chain(committed).collect();
    assert_eq!(restored, expected);
}
