//! The checkpoint file: two identical copies of 4096 bytes (backup-log-recovery 1A.6).

use ese_base::{Error, JetErr, LeLgPos, LgPos, LogTime, Result, Signature};
use ese_pages::checksum::{stamp_header, verify_header};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned, little_endian::U32};

use super::{Attachment, DbmsParam, attachment::ATTACHMENTS_LEN};

/// Bytes of one copy.
pub const CHECKPOINT_COPY_LEN: usize = 4096;
/// File type of a checkpoint.
const FILE_TYPE_CHECKPOINT: u32 = 4;
/// Version flag: the attachment list is present.
const HAS_ATTACHMENTS: u8 = 1;

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    checksum: U32,
    lgpos_last_full_backup_checkpoint: LeLgPos,
    lgpos_checkpoint: LeLgPos,
    sign_log: Signature,
    dbms_param: DbmsParam,
    lgpos_full_backup: LeLgPos,
    logtime_full_backup: LogTime,
    lgpos_inc_backup: LeLgPos,
    logtime_inc_backup: LogTime,
    version: u8,
    lgpos_db_consistency: LeLgPos,
    reserved: [u8; 11],
    file_type: U32,
    reserved2: [u8; 8],
    attachments: [u8; ATTACHMENTS_LEN],
    filler: [u8; 1369],
}

const _: () = {
    assert!(size_of::<Raw>() == CHECKPOINT_COPY_LEN);
    assert!(std::mem::offset_of!(Raw, sign_log) == 20);
    assert!(std::mem::offset_of!(Raw, dbms_param) == 48);
    assert!(std::mem::offset_of!(Raw, lgpos_full_backup) == 615);
    assert!(std::mem::offset_of!(Raw, version) == 647);
    assert!(std::mem::offset_of!(Raw, lgpos_db_consistency) == 648);
    assert!(std::mem::offset_of!(Raw, file_type) == 667);
    assert!(std::mem::offset_of!(Raw, attachments) == 679);
};

/// What a checkpoint file says.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Every record before this position is reflected in the database files.
    pub checkpoint: LgPos,
    /// The checkpoint when the last full backup began.
    pub last_full_backup_checkpoint: LgPos,
    /// The stream.
    pub signature: Signature,
    /// The instance's parameters.
    pub params: DbmsParam,
    /// Mark of the last full backup.
    pub full_backup: (LgPos, LogTime),
    /// Mark of the last incremental backup.
    pub incremental_backup: (LgPos, LogTime),
    /// From here on the databases are consistent.
    pub db_consistency: LgPos,
    /// The databases attached at that moment; empty after a clean end.
    pub attachments: Vec<Attachment>,
}

impl Checkpoint {
    /// A checkpoint of a stream without backups and attachments.
    #[must_use]
    pub fn new(signature: Signature, checkpoint: LgPos, params: DbmsParam) -> Checkpoint {
        Checkpoint {
            checkpoint,
            last_full_backup_checkpoint: LgPos::MIN,
            signature,
            params,
            full_backup: (LgPos::MIN, LogTime::NULL),
            incremental_backup: (LgPos::MIN, LogTime::NULL),
            db_consistency: checkpoint,
            attachments: Vec::new(),
        }
    }

    /// Reads one copy. `Ok(None)`: its checksum is wrong.
    ///
    /// # Errors
    /// `JET_errFileInvalidType` (-1812): the bytes are sound but no checkpoint.
    pub fn decode(bytes: &[u8; CHECKPOINT_COPY_LEN]) -> Result<Option<Checkpoint>> {
        if !verify_header(bytes) {
            return Ok(None);
        }
        let Ok(raw) = Raw::ref_from_bytes(bytes) else {
            return Ok(None);
        };
        if raw.file_type.get() != FILE_TYPE_CHECKPOINT {
            return Err(Error::new(
                JetErr::FileInvalidType,
                format!(
                    "file type {} where a checkpoint has {FILE_TYPE_CHECKPOINT}",
                    raw.file_type
                ),
            ));
        }
        Ok(Some(Checkpoint {
            checkpoint: raw.lgpos_checkpoint.get(),
            last_full_backup_checkpoint: raw.lgpos_last_full_backup_checkpoint.get(),
            signature: raw.sign_log,
            params: raw.dbms_param,
            full_backup: (raw.lgpos_full_backup.get(), raw.logtime_full_backup),
            incremental_backup: (raw.lgpos_inc_backup.get(), raw.logtime_inc_backup),
            db_consistency: raw.lgpos_db_consistency.get(),
            attachments: if raw.version & HAS_ATTACHMENTS != 0 {
                Attachment::decode_list(&raw.attachments)
            } else {
                Vec::new()
            },
        }))
    }

    /// Writes one copy, checksum included.
    ///
    /// # Errors
    /// `JET_errInvalidPath` (-1023): the attachments do not fit.
    pub fn encode(&self) -> Result<Box<[u8; CHECKPOINT_COPY_LEN]>> {
        let raw = Raw {
            checksum: 0.into(),
            lgpos_last_full_backup_checkpoint: self.last_full_backup_checkpoint.into(),
            lgpos_checkpoint: self.checkpoint.into(),
            sign_log: self.signature,
            dbms_param: self.params,
            lgpos_full_backup: self.full_backup.0.into(),
            logtime_full_backup: self.full_backup.1,
            lgpos_inc_backup: self.incremental_backup.0.into(),
            logtime_inc_backup: self.incremental_backup.1,
            version: HAS_ATTACHMENTS,
            lgpos_db_consistency: self.db_consistency.into(),
            reserved: [0; 11],
            file_type: FILE_TYPE_CHECKPOINT.into(),
            reserved2: [0; 8],
            attachments: Attachment::encode_list(&self.attachments)?,
            filler: [0; 1369],
        };
        let mut bytes = Box::new([0; CHECKPOINT_COPY_LEN]);
        bytes.copy_from_slice(raw.as_bytes());
        stamp_header(bytes.as_mut_slice());
        Ok(bytes)
    }
}
