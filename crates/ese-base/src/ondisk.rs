//! Small structures that database headers, log headers and checkpoint files share
//! (edb-format 1.2, backup-log-recovery 1.3 and 1.4). All little-endian, packed.

use std::fmt;

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{I32, U16, U32},
};

use crate::{Generation, LgPos};

/// A log position as files hold it: byte, segment, generation.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct LeLgPos {
    /// Byte in the segment.
    pub ib: U16,
    /// Segment.
    pub isec: U16,
    /// Generation.
    pub l_generation: I32,
}

impl LeLgPos {
    /// The position; a negative generation (only in damaged files) reads as 0.
    #[must_use]
    pub fn get(self) -> LgPos {
        LgPos {
            generation: Generation(u32::try_from(self.l_generation.get()).unwrap_or(0)),
            isec: self.isec.get(),
            ib: self.ib.get(),
        }
    }
}

impl From<LgPos> for LeLgPos {
    fn from(pos: LgPos) -> LeLgPos {
        LeLgPos {
            ib: pos.ib.into(),
            isec: pos.isec.into(),
            l_generation: i32::try_from(pos.generation.0).unwrap_or(i32::MAX).into(),
        }
    }
}

impl fmt::Debug for LeLgPos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// A wall-clock time to the millisecond. All zero means "not set".
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(C)]
pub struct LogTime {
    /// Second, 0 to 59.
    pub second: u8,
    /// Minute.
    pub minute: u8,
    /// Hour.
    pub hour: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Month, from 1.
    pub month: u8,
    /// Years since 1900.
    pub year: u8,
    /// Bit 0: the time is UTC; bits 1-7: low 7 bits of the milliseconds.
    pub utc_and_ms_low: u8,
    /// Bit 0: taken by an operating-system snapshot; bits 1-3: milliseconds, high 3 bits.
    pub snapshot_and_ms_high: u8,
}

impl LogTime {
    /// Not set.
    pub const NULL: LogTime = LogTime {
        second: 0,
        minute: 0,
        hour: 0,
        day: 0,
        month: 0,
        year: 0,
        utc_and_ms_low: 0,
        snapshot_and_ms_high: 0,
    };

    /// The UTC time that many milliseconds after 1970-01-01. Years past 2155 saturate.
    #[must_use]
    pub fn from_unix_ms(unix_ms: u64) -> LogTime {
        let (days, in_day_ms) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
        let (year, month, day) = civil_from_days(days);
        let low8 = |v: u64| u8::try_from(v & 0xff).unwrap_or(0);
        let ms = in_day_ms % 1000;
        LogTime {
            second: low8(in_day_ms / 1000 % 60),
            minute: low8(in_day_ms / 60_000 % 60),
            hour: low8(in_day_ms / 3_600_000),
            day: low8(day),
            month: low8(month),
            year: low8((year - 1900).min(255)),
            utc_and_ms_low: low8(1 | ((ms & 0x7f) << 1)),
            snapshot_and_ms_high: low8((ms >> 7) << 1),
        }
    }

    /// Is no time set?
    #[must_use]
    pub fn is_null(self) -> bool {
        self == LogTime::NULL
    }

    /// Milliseconds of the second, 0 to 999.
    #[must_use]
    pub fn millisecond(self) -> u16 {
        u16::from(self.utc_and_ms_low >> 1) | (u16::from(self.snapshot_and_ms_high >> 1 & 7) << 7)
    }
}

/// Year, month and day of a day number counted from 1970-01-01 (proleptic Gregorian calendar,
/// computed in 400-year eras that begin on March 1st, so that the leap day comes last).
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for LogTime {
    /// ISO 8601 with milliseconds; `-` when not set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_null() {
            return f.write_str("-");
        }
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}",
            u16::from(self.year) + 1900,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.millisecond(),
            if self.utc_and_ms_low & 1 == 1 { "Z" } else { "" }
        )
    }
}

impl fmt::Debug for LogTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Identity of a log stream or a database: a random number and its creation time.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(C)]
pub struct Signature {
    random: [u8; 4],
    /// When it was made.
    pub created: LogTime,
    computer: [u8; 16],
}

impl Signature {
    /// No signature: the database was never attached with logging on.
    pub const NULL: Signature =
        Signature { random: [0; 4], created: LogTime::NULL, computer: [0; 16] };

    /// A new signature. The computer name stays empty, as the engine leaves it.
    #[must_use]
    pub fn new(random: u32, created: LogTime) -> Signature {
        Signature { random: random.to_le_bytes(), created, computer: [0; 16] }
    }

    /// The random part.
    #[must_use]
    pub fn random(self) -> u32 {
        u32::from_le_bytes(self.random)
    }

    /// Is this no signature?
    #[must_use]
    pub fn is_null(self) -> bool {
        self == Signature::NULL
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x} {}", self.random(), self.created)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

/// Mark of a backup: where and when it began and which generations it holds.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(C)]
pub struct BkInfo {
    /// Log position when the backup began.
    pub lgpos_mark: LeLgPos,
    /// Time when the backup began.
    pub logtime_mark: LogTime,
    /// First generation of the backup set.
    pub gen_low: U32,
    /// Last generation of the backup set; 0 until it is known.
    pub gen_high: U32,
}

const _: () = {
    assert!(size_of::<LeLgPos>() == 8);
    assert!(size_of::<LogTime>() == 8);
    assert!(size_of::<Signature>() == 28);
    assert!(size_of::<BkInfo>() == 24);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_times_are_calendar_dates_with_milliseconds() {
        assert_eq!(LogTime::from_unix_ms(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            LogTime::from_unix_ms(1_709_210_096_789).to_string(),
            "2024-02-29T12:34:56.789Z"
        );
        assert_eq!(LogTime::NULL.to_string(), "-");
    }

    #[test]
    fn a_log_position_is_stored_byte_first_and_ordered_generation_first() {
        let pos = LgPos::new(3, 2, 1);
        assert_eq!(LeLgPos::from(pos).as_bytes(), [1, 0, 2, 0, 3, 0, 0, 0]);
        assert_eq!(LeLgPos::from(pos).get(), pos);
        assert!(LgPos::new(3, 0, 0) > LgPos::new(2, 9, 9));
        assert_eq!(pos.to_string(), "000003,0002,0001");
    }
}
