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

    /// Is it later? Both are taken for times of the same zone.
    #[must_use]
    pub fn is_after(self, other: LogTime) -> bool {
        let order = |it: LogTime| {
            (it.year, it.month, it.day, it.hour, it.minute, it.second, it.millisecond())
        };
        order(self) > order(other)
    }

    /// Milliseconds after 1970-01-01 UTC; 0 for times before it and for those that are not set.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        let date = (u64::from(self.year) + 1900, self.month.into(), self.day.into());
        let days = days_from_civil(date).unwrap_or(0);
        let minutes = (days * 24 + u64::from(self.hour)) * 60 + u64::from(self.minute);
        (minutes * 60 + u64::from(self.second)) * 1000 + u64::from(self.millisecond())
    }

    /// Reads ISO 8601 as [`LogTime`] prints it; also with a blank for the `T`, without seconds or
    /// their fraction, and with a zone (`+02:00`). Without a zone it is UTC. Digits behind the
    /// milliseconds are passed over. `None`: it is no time between 1970 and 2155.
    #[must_use]
    pub fn parse(text: &str) -> Option<LogTime> {
        let text = text.trim();
        let (date, time) = text.split_at_checked(10)?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let time = time.strip_prefix(['T', 't', ' '])?;
        let (time, behind_utc) = match time.find(['Z', 'z', '+', '-']) {
            None => (time, 0),
            Some(at) => (time.get(..at)?, zone(time.get(at..)?)?),
        };
        let (clock, ms) = match time.split_once('.') {
            None => (time, 0),
            Some((clock, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                (clock, format!("{digits:0<3}").get(..3)?.parse().ok()?)
            }
            Some(_) => return None,
        };
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])
            .or_else(|| numbers(&format!("{clock}:00"), ':', [2; 3]))?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let minutes = (days_from_civil((year, month, day))? * 24 + hour) * 60 + minute;
        let minutes = minutes.checked_add_signed(behind_utc)?;
        let read = LogTime::from_unix_ms((minutes * 60 + second) * 1000 + ms);
        (year < 2155).then_some(read)
    }
}

/// Three numbers of so many digits.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between).zip(digits).map(|(part, digits)| {
        let right = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|_| right)
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    (text.split(between).count() == 3).then_some(found)
}

/// Minutes to be added for UTC.
fn zone(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = text.split_at_checked(1)?;
    let digits: String = digits.split(':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let minutes = number / 100 * 60 + number % 100;
    Some(if sign == "+" { -minutes } else { minutes })
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar; `None` if there is no such
/// date, or it is earlier. The inverse of [`civil_from_days`].
fn days_from_civil((year, month, day): (u64, u64, u64)) -> Option<u64> {
    let year_from_march = if month > 2 { year } else { year.checked_sub(1)? };
    let era = year_from_march / 400;
    let year_of_era = year_from_march % 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    (civil_from_days(days) == (year, month, day)).then_some(days)
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
    fn a_time_is_read_as_it_is_printed_and_with_a_zone() {
        for ms in [0, 1_709_210_096_789, 951_782_400_000, 4_000_000_000_123] {
            let time = LogTime::from_unix_ms(ms);
            assert_eq!(LogTime::parse(&time.to_string()), Some(time));
            assert_eq!(time.unix_ms(), ms);
        }
        let noon = LogTime::from_unix_ms(1_709_208_000_000);
        for text in [
            "2024-02-29 12:00",
            "2024-02-29T12:00:00",
            "2024-02-29t12:00:00.0004z",
            "2024-02-29T14:00+02:00",
            "2024-02-29 06:30:00.000-0530",
        ] {
            assert_eq!(LogTime::parse(text), Some(noon), "{text}");
        }
        for wrong in [
            "",
            "12:00",
            "2023-02-29T12:00",
            "2024-13-01T00:00",
            "2024-02-29",
            "2024-02-29T24:00",
            "2024-02-29T12",
            "2024-02-29T12:00:00.x",
            "2024-02-29T12:00+2",
            "1969-12-31T23:00",
            "2024-02-29T12:00:00:00",
            "9999-01-01T00:00",
            "2024-02-2\u{e9}T12:00",
        ] {
            assert_eq!(LogTime::parse(wrong), None, "{wrong}");
        }
        assert_eq!(LogTime::NULL.unix_ms(), 0);
    }

    #[test]
    fn times_are_ordered_to_the_millisecond() {
        let [a, b, c] =
            [1_709_210_096_789, 1_709_210_096_790, 1_709_210_157_000].map(LogTime::from_unix_ms);
        assert!(b.is_after(a) && c.is_after(b) && !a.is_after(b) && !a.is_after(a));
    }

    #[test]
    fn a_log_position_is_stored_byte_first_and_ordered_generation_first() {
        let pos = LgPos::new(3, 2, 1);
        assert_eq!(LeLgPos::from(pos).as_bytes(), [1, 0, 2, 0, 3, 0, 0, 0]);
        assert_eq!(LeLgPos::from(pos).get(), pos);
        assert!(LgPos::new(3, 0, 0) > LgPos::new(2, 9, 9));
        assert_eq!(pos.to_string(), "000003,0002,0001");
        assert_eq!(LgPos::parse(&pos.to_string()), Some(pos));
        assert_eq!(LgPos::parse("0x1a:0:fFf"), Some(LgPos::new(0x1a, 0, 0xfff)));
        for wrong in ["", "1", "1:2", "1:2:3:4", "1:2:-3", "1:10000:0", "1 :2:3", "80000000:1:1"] {
            assert_eq!(LgPos::parse(wrong), None, "{wrong}");
        }
    }
}
