use std::path::PathBuf;

use ese_base::{DbTime, Dbid, LgPos, LogTime, ObjId};
use ese_sim::{Fault, OpKind, StateOptions};

use super::*;
use crate::{
    Attachment, DbmsParam,
    testing::{boot, config, machine, signature},
};

fn path() -> PathBuf {
    config().names.checkpoint(config().names.dir())
}

fn checkpoint(isec: u16) -> Checkpoint {
    let mut checkpoint = Checkpoint::new(signature(), LgPos::new(7, isec, 9), DbmsParam::zeroed());
    checkpoint.full_backup = (LgPos::new(3, 2, 1), LogTime::from_unix_ms(5));
    checkpoint.attachments = vec![Attachment {
        dbid: Dbid(2),
        dbtime: DbTime(3),
        objid_last: ObjId(4),
        pages_max: 5,
        lgpos_attach: LgPos::new(6, 1, 0),
        lgpos_consistent: LgPos::MIN,
        sign_db: signature(),
        sparse: false,
        path: "/db/\u{e9}.edb".to_owned(),
    }];
    checkpoint
}

#[test]
fn a_checkpoint_lies_as_section_1a_6_says() {
    let bytes = checkpoint(8).encode().unwrap();
    assert_eq!(bytes[12..20], [9, 0, 8, 0, 7, 0, 0, 0]);
    assert_eq!(bytes[20..24], 0x1234_5678_u32.to_le_bytes());
    assert_eq!(bytes[615..623], [1, 0, 2, 0, 3, 0, 0, 0]);
    assert_eq!(bytes[647], 1);
    assert_eq!(bytes[667..671], [4, 0, 0, 0]);
    assert_eq!(bytes[679..681], [2, 0x20]);
}

#[test]
fn a_checkpoint_comes_back_from_either_copy() {
    let (env, _) = machine(1);
    write_checkpoint(&env, &path(), &checkpoint(1)).unwrap();
    write_checkpoint(&env, &path(), &checkpoint(2)).unwrap();
    let same = |read: Checkpoint| format!("{read:?}") == format!("{:?}", checkpoint(2));
    assert!(same(read_checkpoint(&env, &path(), Some(signature())).unwrap()));
    let file = env.fs.open(&path(), OpenMode::ReadWrite).unwrap();
    file.write_at(&[1], 100).unwrap();
    assert!(same(read_checkpoint(&env, &path(), None).unwrap()));
    file.write_at(&[1], 4096 + 100).unwrap();
    assert_eq!(read_checkpoint(&env, &path(), None).unwrap_err().jet_code(), -533);
}

#[test]
fn a_copy_that_cannot_be_read_leaves_the_other() {
    let (env, disk) = machine(1);
    write_checkpoint(&env, &path(), &checkpoint(1)).unwrap();
    disk.add_fault(Fault::nth(OpKind::Read, 0, JetErr::DiskIO).on(".chk"));
    let read = read_checkpoint(&env, &path(), Some(signature())).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", checkpoint(1)));
    assert_eq!(disk.faults_hit(), 1);
    disk.add_fault(Fault::nth(OpKind::Read, 0, JetErr::DiskIO).on(".chk").forever());
    assert_eq!(read_checkpoint(&env, &path(), None).unwrap_err().jet_code(), -533);
}

#[test]
fn what_is_wrong_with_a_checkpoint_is_told_by_its_code() {
    let (env, _) = machine(1);
    let code = |s| read_checkpoint(&env, &path(), s).unwrap_err().jet_code();
    assert_eq!(code(None), -542);
    let file = env.fs.open(&path(), OpenMode::CreateNew).unwrap();
    assert_eq!(code(None), -533);
    write_checkpoint(&env, &path(), &checkpoint(1)).unwrap();
    assert_eq!(code(Some(ese_base::Signature::new(1, LogTime::NULL))), -532);
    let mut bytes = checkpoint(1).encode().unwrap();
    bytes[667] = 3;
    ese_pages::checksum::stamp_header(bytes.as_mut_slice());
    file.write_at(bytes.as_slice(), 0).unwrap();
    assert_eq!(code(None), -1812);
}

#[test]
pub(crate) fn a_power_cut_leaves_the_old_or_the_new_checkpoint() {
    let (env, disk) = machine(1);
    for isec in 1..6 {
        write_checkpoint(&env, &path(), &checkpoint(isec)).unwrap();
        disk.mark(u64::from(isec));
    }
    let options = StateOptions { seed: 3, budget: 3000, garbage: true, from_op: 0 };
    for state in disk.recording().states(options) {
        let (env, _) = boot(&state.image);
        match read_checkpoint(&env, &path(), Some(signature())) {
            Ok(read) => assert!(
                u64::from(read.checkpoint.isec) >= state.mark,
                "{}: {read:?}",
                state.description
            ),
            Err(e) => assert_eq!(state.mark, 0, "{}: {e}", state.description),
        }
    }
}
