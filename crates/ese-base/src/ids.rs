//! Identifiers. Each is its own type, so that a page number cannot be passed where an object id
//! is wanted; the value inside is public because it is what the file holds.

use std::fmt;

use crate::{Error, JetErr, Result};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// Page number, 1-based; page `n` lies at file offset `(n + 1) * page size`.
    Pgno(u32)
}
id! {
    /// Object id: one per owner of space (table, secondary index, long-value tree).
    ObjId(u32)
}
id! {
    /// Database time: one tick per page change of a database. Never a wall clock.
    DbTime(u64)
}
id! {
    /// Number of a log generation, from 1.
    Generation(u32)
}
id! {
    /// Number of a transaction, taken at its outermost begin (`trxBegin0`) or commit.
    TrxId(u32)
}
id! {
    /// Database id within an instance: 1 to 6 for user databases.
    Dbid(u8)
}
id! {
    /// Session number as log records carry it (`procid`).
    ProcId(u16)
}
id! {
    /// Number of a version-store entry as log records carry it (`rceid`).
    RceId(u32)
}
id! {
    /// Index of a node on its page; 0 is the first node, which is slot 1 of the tag array.
    Iline(u16)
}

impl Generation {
    /// From this one on no transaction that changes something begins (backup-log-recovery 1.1).
    /// Those that are open end, and so does the instance.
    pub const LAST: Generation = Generation(0x7fff_f800);

    /// The last one that an instance goes to. Those behind it, which are most, are kept for
    /// recovery: it may have to take back as much as was open.
    pub const LAST_OF_RUN: Generation = Generation(0x7fff_f840);

    /// The last one that there can be (backup-log-recovery 1.1).
    pub const LAST_OF_ALL: Generation = Generation(0x7fff_fa00);

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Generation {
        Generation(self.0.saturating_add(1))
    }

    /// The one before it.
    #[must_use]
    pub fn before(self) -> Generation {
        Generation(self.0.saturating_sub(1))
    }
}

impl Pgno {
    /// No page.
    pub const NULL: Pgno = Pgno(0);
    /// Root of the database.
    pub const DATABASE_ROOT: Pgno = Pgno(1);
    /// The largest legal page number (edb-format section 0).
    pub const MAX: Pgno = Pgno(0x7fef_ffff);

    /// Is this no page?
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl DbTime {
    /// In a log record: the time before is not to be checked (macro groups, new pages).
    pub const NOT_CHECKED: DbTime = DbTime(u64::MAX);
    /// What a new database starts counting at (edb-format 1.3).
    pub const FIRST: DbTime = DbTime(0x40);
    /// No clock comes to this in the life of a database, at a million changes a second for eight
    /// years: what says so is damaged. Below it a clock can be counted on without an overflow.
    pub const LIMIT: DbTime = DbTime(1 << 48);
}

/// Position in the log: generation, segment, byte. Ordered in that sequence.
///
/// A record that is first in its segment has `ib` 0 in stored positions (log-records 2.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LgPos {
    /// Generation of the log file.
    pub generation: Generation,
    /// 4 KiB segment within the file; 0 is the header.
    pub isec: u16,
    /// Byte within the segment, segment header included.
    pub ib: u16,
}

impl LgPos {
    /// Before every record.
    pub const MIN: LgPos = LgPos { generation: Generation(0), isec: 0, ib: 0 };
    /// Behind every record.
    pub const MAX: LgPos =
        LgPos { generation: Generation(0x7fff_ffff), isec: u16::MAX, ib: u16::MAX };

    /// A position from its parts.
    #[must_use]
    pub const fn new(generation: u32, isec: u16, ib: u16) -> LgPos {
        LgPos { generation: Generation(generation), isec, ib }
    }

    /// Reads a position as it is printed: generation, segment, byte, hexadecimal, between colons or
    /// commas.
    #[must_use]
    pub fn parse(text: &str) -> Option<LgPos> {
        let mut parts = text.trim().split([':', ',']).map(|part| {
            let digits = part.strip_prefix("0x").unwrap_or(part);
            let hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u32::from_str_radix(digits, 16).ok().filter(|_| hex)
        });
        let (generation, isec, ib) = (parts.next()??, parts.next()??, parts.next()??);
        let (isec, ib) = (u16::try_from(isec).ok()?, u16::try_from(ib).ok()?);
        let known = generation <= LgPos::MAX.generation.0 && parts.next().is_none();
        known.then_some(LgPos::new(generation, isec, ib))
    }

    /// Is this no position (all parts zero)?
    #[must_use]
    pub fn is_null(self) -> bool {
        self == LgPos::MIN
    }

    /// The position as one number, in the same order; for atomics.
    #[inline]
    #[must_use]
    pub fn to_u64(self) -> u64 {
        u64::from(self.generation.0) << 32 | u64::from(self.isec) << 16 | u64::from(self.ib)
    }

    /// The position that [`LgPos::to_u64`] made the number from.
    #[inline]
    #[must_use]
    pub fn from_u64(packed: u64) -> LgPos {
        let [b0, b1, s0, s1, g0, g1, g2, g3] = packed.to_le_bytes();
        LgPos {
            generation: Generation(u32::from_le_bytes([g0, g1, g2, g3])),
            isec: u16::from_le_bytes([s0, s1]),
            ib: u16::from_le_bytes([b0, b1]),
        }
    }
}

impl fmt::Display for LgPos {
    /// The engine's own text form: `%06X,%04X,%04X`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06X},{:04X},{:04X}", self.generation.0, self.isec, self.ib)
    }
}

impl fmt::Debug for LgPos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LgPos({self})")
    }
}

/// A page size: 4, 8, 16 or 32 KiB; in databases that Windows wrote before version 10, also 2 KiB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum PageSize {
    /// 2048 bytes: no new database has such pages, old ones are read, recovered and compacted.
    K2 = 2048,
    /// 4096 bytes.
    K4 = 4096,
    /// 8192 bytes.
    K8 = 8192,
    /// 16384 bytes.
    K16 = 16384,
    /// 32768 bytes.
    K32 = 32768,
}

impl PageSize {
    /// All sizes that a new database may have, small first.
    pub const ALL: [PageSize; 4] = [PageSize::K4, PageSize::K8, PageSize::K16, PageSize::K32];

    /// All sizes that a database may have, small first.
    pub const EVER: [PageSize; 5] =
        [PageSize::K2, PageSize::K4, PageSize::K8, PageSize::K16, PageSize::K32];

    /// The page size of a file whose header says so many bytes; 0 means 4096.
    ///
    /// # Errors
    /// `JET_errPageSizeMismatch` for any other number.
    pub fn from_bytes(bytes: u32) -> Result<PageSize> {
        match bytes {
            2048 => Ok(PageSize::K2),
            0 | 4096 => Ok(PageSize::K4),
            8192 => Ok(PageSize::K8),
            16384 => Ok(PageSize::K16),
            32768 => Ok(PageSize::K32),
            other => Err(Error::new(
                JetErr::PageSizeMismatch,
                format!("page size {other} is not one of 2048, 4096, 8192, 16384, 32768"),
            )),
        }
    }

    /// Bytes per page.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self as usize
    }

    /// Bytes per page, as files hold it.
    #[must_use]
    pub const fn bytes_u32(self) -> u32 {
        self as u32
    }

    /// Bytes per page, as file offsets want it.
    #[must_use]
    pub const fn bytes_u64(self) -> u64 {
        self as u64
    }

    /// Up to 8 KiB pages are small; large ones have an 80-byte header (edb-format section 0).
    #[must_use]
    pub const fn is_small(self) -> bool {
        matches!(self, PageSize::K2 | PageSize::K4 | PageSize::K8)
    }

    /// Bytes of the page header: 40 or 80.
    #[must_use]
    pub const fn header_len(self) -> usize {
        if self.is_small() { 40 } else { 80 }
    }

    /// File offset of a page: two header pages come first.
    #[must_use]
    pub const fn offset_of(self, pgno: Pgno) -> u64 {
        (pgno.0 as u64 + 1) * self.bytes_u64()
    }
}

impl fmt::Debug for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageSize({})", self.bytes())
    }
}

impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes())
    }
}
