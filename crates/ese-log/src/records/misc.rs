//! Records that redo does not need: traces, contexts, checks, and what may be skipped
//! (log-records 2.8 and the obsolete numbers of backup-log-recovery 1.9).

use ese_base::{DbTime, Dbid, Error, JetErr, Pgno, ProcId, Result};

use super::wire::{Body, Head, Input, Show, Tail, record_struct, text};

/// A line of text for whoever reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace<'a> {
    /// Session.
    pub procid: ProcId,
    /// The text, 8-bit characters.
    pub text: &'a [u8],
    /// Is it the reason of a log roll that a client asked for (type 61) rather than type 22?
    pub rollover: bool,
}

impl<'b: 'a, 'a> Body<'b> for Trace<'a> {
    fn number(&self) -> u8 {
        if self.rollover { 61 } else { 22 }
    }
    fn head(&self) -> Head {
        let mut head = Head::new(Body::number(self));
        head.field(self.procid);
        head.len_of::<u16>(self.text);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.text, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let procid = input.field()?;
        let len = input.len_of::<u16>()?;
        Ok(Trace { procid, text: input.take(len)?, rollover: input.number() == 61 })
    }
    fn show_fields(&self, out: &mut String) {
        self.procid.show("procid", out);
        text(out, format_args!(" \"{}\"", String::from_utf8_lossy(self.text).escape_debug()));
    }
}

/// A client's context of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitCtx<'a> {
    /// Session.
    pub procid: ProcId,
    /// What follows the session: in newer logs a flag byte, then the client's bytes.
    pub context: &'a [u8],
}

impl<'b: 'a, 'a> Body<'b> for CommitCtx<'a> {
    fn number(&self) -> u8 {
        69
    }
    fn head(&self) -> Head {
        let mut head = Head::new(69);
        match u32::try_from(self.context.len() + 2) {
            Ok(len) => head.field(len),
            Err(_) => head.refuse(),
        }
        head.field(self.procid);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.context, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let mut rest = input.sized_rest()?;
        Ok(CommitCtx { procid: rest.field()?, context: rest.all() })
    }
    fn show_fields(&self, out: &mut String) {
        self.procid.show("procid", out);
        self.context.show("context", out);
    }
}

super::space::sized_record! {
    /// A page as the scan of a database's pages saw it; replicas compare theirs.
    ScanCheck = 70, 39 {
        /// Database.
        dbid: Dbid,
        /// The page.
        pgno: Pgno,
        /// Not used.
        unused1: u64,
        /// Not used.
        unused2: u64,
        /// The page's dbtime.
        dbtime_page: DbTime,
        /// The database's dbtime then.
        dbtime_current: DbTime,
        /// The page's checksum, folded.
        checksum: u16,
    }
}

record_struct! {
    /// Newer form of [`ScanCheck`].
    ScanCheck2 = 98 {
        /// Database.
        dbid: Dbid,
        /// The page.
        pgno: Pgno,
        /// Who scanned, and whether the page was in use.
        flags: u8,
        /// The page's dbtime.
        dbtime_page: DbTime,
        /// The database's dbtime then.
        dbtime_current: DbTime,
        /// The page's checksum, folded.
        checksum: u32,
    }
}

/// A damaged page is asked of the other copies of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagePatchRequest {
    /// Database.
    pub dbid: Dbid,
    /// The page.
    pub pgno: Pgno,
    /// Its dbtime.
    pub dbtime: DbTime,
    /// Not used.
    pub reserved: [u8; 32],
}

impl<'b> Body<'b> for PagePatchRequest {
    fn number(&self) -> u8 {
        66
    }
    fn head(&self) -> Head {
        let mut head = Head::new(66);
        head.field(self.dbid);
        head.field(self.pgno);
        head.field(self.dbtime);
        head.put(&self.reserved);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [&[]; 4]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        Ok(PagePatchRequest {
            dbid: input.field()?,
            pgno: input.field()?,
            dbtime: input.field()?,
            reserved: input.array()?,
        })
    }
    fn show_fields(&self, out: &mut String) {
        self.dbid.show("dbid", out);
        self.pgno.show("pgno", out);
        self.dbtime.show("dbtime", out);
    }
}

/// A record that readers may skip: type, 32-bit length, bytes (75 and 82 to 91).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ignored<'a> {
    /// Its type: 75 or 82 to 91.
    pub number: u8,
    /// Its bytes behind the length.
    pub bytes: &'a [u8],
}

impl<'b: 'a, 'a> Body<'b> for Ignored<'a> {
    fn number(&self) -> u8 {
        self.number
    }
    fn head(&self) -> Head {
        let mut head = Head::new(self.number);
        if !matches!(self.number, 75 | 82..=91) {
            head.refuse();
        }
        head.len_of::<u32>(self.bytes);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.bytes, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let len = input.len_of::<u32>()?;
        Ok(Ignored { number: input.number(), bytes: input.take(len)? })
    }
    fn show_fields(&self, out: &mut String) {
        self.number.show("type", out);
        self.bytes.show("bytes", out);
    }
}

/// What a type is called that current engines do not write (backup-log-recovery section 1).
fn obsolete_name(number: u8) -> Option<&'static str> {
    Some(match number {
        3 => "MS",
        4 => "End",
        19 => "FullBackup",
        20 => "IncBackup",
        21 => "JetOp",
        40 | 41 | 43 => "SLV",
        44 => "ForceDetach",
        45 => "ExtRestore",
        46 => "Backup",
        53 => "BeginDT",
        54 => "PrepCommit",
        55 => "PrepRollback",
        57 => "ForceWriteLog",
        59 => "ExtRestore2",
        _ => return None,
    })
}

/// A type of which not even the length is known.
pub(super) fn unreadable(number: u8) -> Error {
    let what = match obsolete_name(number) {
        Some(name) => {
            format!("a {name} record (type {number}) of an old engine, which is not read")
        }
        None => format!("unknown log record type {number}"),
    };
    Error::new(JetErr::LogFileCorrupt, what)
}

/// A record that current engines do not write: backup and restore marks of old engines, traces
/// of calls, distributed transactions. Only its length matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obsolete<'a> {
    /// Its type.
    pub number: u8,
    /// Its bytes behind the type.
    pub bytes: &'a [u8],
}

/// Fixed length (with the type byte) of an obsolete record, and where in the bytes behind the
/// type its length field of 16 (or 32) bits stands, if it has a variable part.
fn obsolete_shape(number: u8) -> Option<(usize, Option<(usize, bool)>)> {
    match number {
        3 => Some((9, None)),
        4 => Some((1, None)),
        19 | 20 | 45 | 59 => Some((3, Some((0, false)))),
        21 => Some((4, None)),
        46 => Some((5, Some((2, false)))),
        53 => Some((8, None)),
        54 => Some((7, Some((2, true)))),
        55 | 57 => Some((3, None)),
        _ => None,
    }
}

impl<'b: 'a, 'a> Body<'b> for Obsolete<'a> {
    fn number(&self) -> u8 {
        self.number
    }
    fn head(&self) -> Head {
        let mut head = Head::new(self.number);
        // Only what was read is written again: the bytes must have the length they speak of.
        let mut bytes = Vec::with_capacity(self.bytes.len() + 1);
        bytes.push(self.number);
        bytes.extend_from_slice(self.bytes);
        let fits = Input::new(&bytes)
            .and_then(|mut input| Obsolete::decode(&mut input).map(|_| input.remaining() == 0));
        if !matches!(fits, Ok(true)) {
            head.refuse();
        }
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.bytes, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let number = input.number();
        let Some((fixed, length_field)) = obsolete_shape(number) else {
            return Err(unreadable(number));
        };
        let mut ahead = input.clone();
        let variable = match length_field {
            None => 0,
            Some((at, wide)) => {
                ahead.take(at)?;
                if wide { ahead.len_of::<u32>()? } else { ahead.len_of::<u16>()? }
            }
        };
        Ok(Obsolete { number, bytes: input.take((fixed - 1).saturating_add(variable))? })
    }
    fn show_fields(&self, out: &mut String) {
        if let Some(name) = obsolete_name(self.number) {
            text(out, format_args!(" {name}"));
        }
        self.number.show("type", out);
        self.bytes.show("bytes", out);
    }
}
