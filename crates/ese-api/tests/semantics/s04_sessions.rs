//! Section 4: sessions and threads.

use std::thread;

use crate::pets::*;

fn elsewhere<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(call).join().unwrap())
}

#[test]
fn s4_01_a_transaction_belongs_to_its_thread() {
    let _mode = multi();
    let pets = pets();
    let ses = pets.ses;
    assert_eq!(elsewhere(|| pets.at()).unwrap(), 1, "outside a transaction anybody");
    JetBeginTransaction(ses).unwrap();
    assert_eq!(code(elsewhere(|| pets.at())), JetErr::SessionSharingViolation);
    let rolled_back = elsewhere(|| JetRollback(ses, 0));
    assert_eq!(code(rolled_back), JetErr::SessionSharingViolation);
    JetRollback(ses, 0).unwrap();
}

#[test]
fn s4_01_a_context_lets_threads_share_a_transaction() {
    let _mode = multi();
    let pets = pets();
    let ses = pets.ses;
    for reserved in [0, u64::MAX] {
        assert_eq!(code(JetSetSessionContext(ses, reserved)), JetErr::InvalidParameter);
    }
    let unset = JetErr::SessionContextNotSetByThisThread;
    assert_eq!(code(JetResetSessionContext(ses)), unset);
    JetSetSessionContext(ses, 7).unwrap();
    assert_eq!(code(JetSetSessionContext(ses, 7)), JetErr::SessionContextAlreadySet);
    assert_eq!(code(elsewhere(|| JetResetSessionContext(ses))), unset);
    JetBeginTransaction(ses).unwrap();
    assert_eq!(pets.at().unwrap(), 1);
    assert_eq!(code(elsewhere(|| pets.at())), JetErr::SessionSharingViolation);
    JetResetSessionContext(ses).unwrap();
    assert_eq!(code(pets.at()), JetErr::SessionSharingViolation, "it is the context's");
    elsewhere(|| {
        JetSetSessionContext(ses, 8).unwrap();
        assert_eq!(code(pets.at()), JetErr::SessionSharingViolation, "another context");
        JetResetSessionContext(ses).unwrap();
        JetSetSessionContext(ses, 7).unwrap();
        assert_eq!(pets.at().unwrap(), 1);
        JetCommitTransaction(ses, 0).unwrap();
        JetResetSessionContext(ses).unwrap();
    });
    assert_eq!(pets.at().unwrap(), 1);
}

/// Who began it does not matter then.
#[test]
fn s4_01_a_transaction_in_a_context_is_of_the_thread_that_set_the_context() {
    let _mode = multi();
    let pets = pets();
    let ses = pets.ses;
    JetSetSessionContext(ses, 7).unwrap();
    elsewhere(|| {
        JetBeginTransaction(ses).unwrap();
        assert_eq!(code(pets.at()), JetErr::SessionSharingViolation);
        assert_eq!(code(JetBeginTransaction(ses)), JetErr::SessionSharingViolation);
        assert_eq!(code(JetCommitTransaction(ses, 0)), JetErr::SessionSharingViolation);
    });
    assert_eq!(pets.at().unwrap(), 1);
    JetBeginTransaction(ses).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetResetSessionContext(ses).unwrap();
    // One that was begun in no context stays its thread's.
    JetBeginTransaction(ses).unwrap();
    JetSetSessionContext(ses, 9).unwrap();
    assert_eq!(pets.at().unwrap(), 1);
    JetBeginTransaction(ses).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetResetSessionContext(ses).unwrap();
    assert_eq!(pets.at().unwrap(), 1);
    elsewhere(|| {
        JetSetSessionContext(ses, 9).unwrap();
        assert_eq!(code(pets.at()), JetErr::SessionSharingViolation);
        JetResetSessionContext(ses).unwrap();
    });
    JetRollback(ses, 0).unwrap();
}

#[test]
fn s4_02_ending_a_session_rolls_back_and_closes() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    JetBeginTransaction(other).unwrap();
    JetDelete(other, theirs).unwrap();
    JetEndSession(other, 0).unwrap();
    assert_eq!(code(JetMove(other, theirs, 0, 0)), JetErr::InvalidSesid);
    assert_eq!(pets.at().unwrap(), 1, "the row is back");
    let (bound, _) = pets.other();
    elsewhere(|| JetSetSessionContext(bound, 1).unwrap());
    assert_eq!(code(JetEndSession(bound, 0)), JetErr::SessionInUse);
}

#[test]
fn s4_03_a_duplicate_is_a_session_of_its_own() {
    let _mode = multi();
    let pets = pets();
    JetBeginTransaction(pets.ses).unwrap();
    let other = JetDupSession(pets.ses).unwrap();
    assert_eq!(code(JetCommitTransaction(other, 0)), JetErr::NotInTransaction);
    JetRollback(pets.ses, 0).unwrap();
}

#[test]
fn s4_04_parameters_of_a_session() {
    let _mode = multi();
    let pets = pets();
    let ses = pets.ses;
    let get = |id| {
        let mut value = [0; 4];
        JetGetSessionParameter(ses, id, &mut value).map(|_| u32::from_le_bytes(value))
    };
    assert_eq!(get(JET_sesparamTransactionLevel).unwrap(), 0);
    JetBeginTransaction(ses).unwrap();
    JetBeginTransaction3(ses, 42, 0).unwrap();
    assert_eq!(get(JET_sesparamTransactionLevel).unwrap(), 2);
    JetRollback(ses, JET_bitRollbackAll).unwrap();
    let level = JetSetSessionParameter(ses, JET_sesparamTransactionLevel, &[0; 4]);
    assert_eq!(code(level), JetErr::FeatureNotAvailable);
    let lazy = JET_bitCommitLazyFlush;
    JetSetSessionParameter(ses, JET_sesparamCommitDefault, &lazy.to_le_bytes()).unwrap();
    assert_eq!(get(JET_sesparamCommitDefault).unwrap(), lazy);
    JetSetSessionParameter(ses, JET_sesparamCorrelationID, &[1, 2, 3, 4]).unwrap();
    let short = JetSetSessionParameter(ses, JET_sesparamCommitDefault, &[0; 3]);
    assert_eq!(code(short), JetErr::InvalidBufferSize);
    let mut context = [7; 9];
    let got = JetGetSessionParameter(ses, JET_sesparamOperationContext, &mut context).unwrap();
    assert_eq!((got, context), (8, [0, 0, 0, 0x80, 0, 0, 0, 0, 7]), "nobody's");
    let short = JetGetSessionParameter(ses, JET_sesparamOperationContext, &mut [0; 7]);
    assert_eq!(code(short), JetErr::InvalidBufferSize);
    let long = JetGetSessionParameter(ses, JET_sesparamCommitDefault, &mut [0; 8]);
    assert_eq!(code(long), JetErr::InvalidBufferSize);
    // What has no fixed size has another word for that: generic context, names of who does what.
    // A description has a zero at its end, also if there is none, and whatever was given.
    for (id, end) in [(4098, &b""[..]), (4103, b"\0"), (4104, b"\0"), (4105, b"\0")] {
        let mut empty = [7; 2];
        assert_eq!(JetGetSessionParameter(ses, id, &mut empty).unwrap(), end.len(), "{id}");
        assert_eq!(empty[..end.len()], *end, "{id}");
        for given in [&b"client"[..], &[b"client", end].concat()] {
            JetSetSessionParameter(ses, id, given).unwrap();
            let wanted = [b"client", end].concat();
            let short = JetGetSessionParameter(ses, id, &mut [0; 8][..wanted.len() - 1]);
            assert_eq!(code(short), JetErr::BufferTooSmall, "{id}");
            let mut whole = [7; 8];
            assert_eq!(JetGetSessionParameter(ses, id, &mut whole).unwrap(), wanted.len());
            assert_eq!(whole[..wanted.len()], *wanted, "{id}");
            assert!(whole[wanted.len()..].iter().all(|byte| *byte == 7), "{id}");
        }
    }
    // An activity is a GUID.
    let short = JetSetSessionParameter(ses, 4106, &[1; 15]);
    assert_eq!(code(short), JetErr::InvalidBufferSize);
    let short = JetGetSessionParameter(ses, 4106, &mut [0; 15]);
    assert_eq!(code(short), JetErr::InvalidBufferSize);
    assert_eq!(code(get(1)), JetErr::InvalidSesparamId);
    // The default replaces flags of 0: to wait commits nothing.
    let wait = JET_bitWaitLastLevel0Commit;
    JetSetSessionParameter(ses, JET_sesparamCommitDefault, &wait.to_le_bytes()).unwrap();
    JetBeginTransaction(ses).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetCommitTransaction(ses, lazy).unwrap();
}
