//! The stop from other threads: in the middle of calls, at every step, and in races.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ese_base::{BkInfo, PageSize};
use ese_os::OpenMode;

use super::*;
use crate::{
    session::{END_ABORT, Freeze, State},
    testing::{Setup, Step},
};

/// Far above what the call takes (one store and one wake-up), far below any wait for a disk or a
/// pause; a loaded machine may still take its time to run the thread.
const AT_ONCE: Duration = Duration::from_millis(50);

#[allow(clippy::disallowed_methods, reason = "the time that a real stop takes is measured")]
fn timed_stop(context: &BackupContext) -> Duration {
    let start = Instant::now();
    context.stop();
    start.elapsed()
}

/// Runs `call` in another thread until it is inside `step`, stops, and lets it go on. Gives the
/// call's result.
fn stop_inside<T: Send>(
    setup: &Setup,
    step: Step,
    call: impl FnOnce(&BackupContext) -> T + Send,
) -> T {
    let held = setup.instance.hold(step);
    thread::scope(|scope| {
        let running = scope.spawn(|| call(&setup.context));
        held.reached.recv().unwrap();
        let took = timed_stop(&setup.context);
        assert!(took < AT_ONCE, "the stop waited {took:?} for a running call");
        assert!(setup.context.is_stopped());
        held.go_on.send(()).unwrap();
        running.join().unwrap()
    })
}

#[test]
fn case_057_a_stop_while_the_log_rolls_lets_it_finish() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    copy_databases(&setup.context);
    let info = stop_inside(&setup, Step::Roll, |context| context.log_info());
    assert_eq!(info.unwrap().files.len(), 3);
    assert_eq!(setup.context.state(), State::FullLogs);
    assert_eq!(code(setup.context.truncate_log()), -801);
    assert_eq!(code(setup.context.end(END_NORMAL)), 0);
}

#[test]
fn case_049_a_stop_while_logs_are_deleted_lets_it_finish() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    copy_databases(&setup.context);
    copy_logs(&setup.context);
    let truncated = stop_inside(&setup, Step::Delete, |context| context.truncate_log());
    assert_eq!(code(truncated), 0);
    assert_eq!(setup.instance.on_disk(), [3, 4, 5]);
    assert_eq!(code(setup.context.end(END_NORMAL)), 0);
    assert_eq!(setup.instance.header(0).bkinfo_full_prev, BkInfo::default());
}

#[test]
fn a_stop_while_a_file_is_opened_lets_it_open_and_no_byte_is_read() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    let path = setup.database_path();
    let file = stop_inside(&setup, Step::LastPage, |context| context.open_file(&path)).unwrap();
    let mut bytes = buffer();
    assert_eq!(code(setup.context.read_file(file.handle, bytes.as_mut_slice())), -801);
    assert!(bytes.as_slice().iter().all(|&byte| byte == 0), "the buffer is not touched");
    assert_eq!(code(setup.context.close_file(file.handle)), 0);
    assert_eq!(code(setup.context.end(END_ABORT)), 0);
}

#[test]
fn a_stop_while_the_backup_is_recorded_comes_too_late() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    copy_databases(&setup.context);
    copy_logs(&setup.context);
    let ended = stop_inside(&setup, Step::UpdateHeader, |context| context.end(END_NORMAL));
    assert_eq!(code(ended), 0);
    assert_ne!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
    assert!(!setup.context.is_stopped(), "the end takes the stop back");
    full_backup(&setup.context);
}

#[test]
fn a_stop_wakes_a_reader_that_pauses_between_attempts() {
    let setup = Setup::small();
    let file = setup.instance.env.fs.open(&setup.database_path(), OpenMode::ReadWrite).unwrap();
    file.write_at(&[0xee; 512], PageSize::K4.offset_of(ese_base::Pgno(3)) + 512).unwrap();
    setup.context.begin(0).unwrap();
    let path = setup.database_path();
    thread::scope(|scope| {
        let reader = scope.spawn(|| code(copy_file(&setup.context, &path)));
        // Long enough to be in one of the pauses (100, 200, 300 ... ms).
        #[allow(clippy::disallowed_methods, reason = "waits for a real thread's real pause")]
        thread::sleep(Duration::from_millis(450));
        assert!(!reader.is_finished());
        assert!(timed_stop(&setup.context) < AT_ONCE);
        let start = setup.instance.env.clock.monotonic();
        assert_eq!(reader.join().unwrap(), -801);
        let waited = setup.instance.env.clock.monotonic() - start;
        assert!(waited < AT_ONCE, "the reader came back after {waited:?}");
    });
    setup.context.end(END_ABORT).unwrap();
}

/// One call; gives its code.
type Call = Box<dyn Fn(&BackupContext) -> i32>;

/// The steps of a whole backup as single calls.
fn steps(setup: &Setup) -> Vec<Call> {
    let path = setup.database_path();
    let log = setup.instance.archive(4);
    let mut all: Vec<Call> = vec![
        Box::new(|context| code(context.begin(0))),
        Box::new(|context| code(context.attach_info())),
    ];
    all.push(Box::new(move |context| code(copy_file(context, &path))));
    all.push(Box::new(|context| code(context.log_info())));
    all.push(Box::new(|context| code(context.truncate_log_info())));
    for generation in [3, 5] {
        let log = setup.instance.archive(generation);
        all.push(Box::new(move |context| code(copy_file(context, &log))));
    }
    all.push(Box::new(move |context| code(copy_file(context, &log))));
    all.push(Box::new(|context| code(context.truncate_log())));
    all.push(Box::new(|context| code(context.end(END_NORMAL))));
    all
}

#[test]
fn a_stop_before_any_step_fails_the_rest_records_nothing_and_the_next_backup_is_complete() {
    let count = steps(&Setup::small()).len();
    for stop_before in 0..=count {
        let setup = Setup::small();
        let logs_before = setup.instance.on_disk();
        let mut codes = Vec::new();
        for (index, step) in steps(&setup).iter().enumerate() {
            if index == stop_before {
                thread::scope(|scope| {
                    scope.spawn(|| assert!(timed_stop(&setup.context) < AT_ONCE));
                });
            }
            codes.push(step(&setup.context));
        }
        // A stop before the begin is taken back by it; one before the end comes after all reads.
        for (index, &code) in codes.iter().enumerate() {
            let fails = stop_before > 0 && index >= stop_before && index + 1 < count;
            assert_eq!(code, if fails { -801 } else { 0 }, "step {index}, stop {stop_before}");
        }
        let recorded = stop_before == 0 || stop_before == count;
        let header = setup.instance.header(0);
        assert_eq!(header.bkinfo_full_prev != BkInfo::default(), recorded, "{stop_before}");
        if stop_before > 0 && stop_before < count - 1 {
            let left = setup.instance.on_disk();
            assert!(logs_before.iter().all(|log| left.contains(log)), "no log was deleted");
        }
        assert_eq!(setup.context.state(), State::None);
        full_backup(&setup.context);
        assert_ne!(setup.instance.header(0).bkinfo_full_prev, header.bkinfo_full_prev);
        assert_eq!(setup.instance.pins.lock().last(), Some(&None), "no log stays pinned");
    }
}

#[test]
fn case_053_stop_races_with_begin_read_and_end_in_four_threads() {
    let setup = Setup::new(PageSize::K4, 3);
    let path = setup.database_path();
    let failed = AtomicBool::new(false);
    for _ in 0..1000 {
        if code(setup.context.begin(0)) != 0 {
            failed.store(true, Ordering::SeqCst);
        }
        let start = Barrier::new(4);
        let allowed = [0, -505, -520, -801];
        let calls: [&(dyn Fn(&BackupContext) -> i32 + Sync); 4] = [
            &|context| {
                context.stop();
                0
            },
            &|context| code(context.end(END_NORMAL)),
            &|context| code(context.attach_info()),
            &|context| match context.open_file(&path) {
                // Open, but the end of the other thread may have closed it already.
                Ok(file) => match code(context.close_file(file.handle)) {
                    -1003 => 0,
                    code => code,
                },
                Err(error) => error.jet_code(),
            },
        ];
        thread::scope(|scope| {
            for call in calls {
                scope.spawn(|| {
                    start.wait();
                    let code = call(&setup.context);
                    if !allowed.contains(&code) {
                        eprintln!("unexpected {code}");
                        failed.store(true, Ordering::SeqCst);
                    }
                });
            }
        });
        let ended = code(setup.context.end(END_ABORT));
        assert!(matches!(ended, 0 | -520), "{ended}");
        assert!(!failed.load(Ordering::SeqCst));
        assert_eq!(setup.context.state(), State::None);
    }
    full_backup(&setup.context);
}

#[test]
fn an_attach_is_refused_without_waiting_for_a_freeze_that_waits_for_attaches() {
    let setup = Setup::small();
    let held = setup.instance.hold(Step::Attachments);
    let how = Freeze { incremental: false, timeout: Duration::from_secs(600) };
    thread::scope(|scope| {
        let freezing = scope.spawn(|| setup.context.freeze(how));
        held.reached.recv().unwrap();
        assert_eq!(code(setup.context.refuse_if_in_progress()), -505);
        held.go_on.send(()).unwrap();
        assert!(setup.context.thaw(freezing.join().unwrap().unwrap()));
    });
}

#[test]
fn an_attach_is_refused_without_waiting_for_a_running_call() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    let held = setup.instance.hold(Step::Roll);
    thread::scope(|scope| {
        let rolling = scope.spawn(|| setup.context.log_info());
        held.reached.recv().unwrap();
        assert_eq!(code(setup.context.refuse_if_in_progress()), -505);
        assert_eq!(code(setup.context.term_complete()), -505);
        held.go_on.send(()).unwrap();
        rolling.join().unwrap().unwrap();
    });
}
