//! Dates as text (ISO 8601).
//!
//! The eight bytes of a date column are an OLE date (days since 1899-12-30, as a double) by the
//! book, and a Windows file time (units of 100 ns since 1601, UTC) in databases of some programs.
//! The two cannot be confused: file times of the years 1970 to 9999, read as a double, are next to
//! nothing, and OLE dates of a millisecond and more, read as a number, are far beyond the year
//! 9999.

use std::fmt::Write as _;

/// 1970-01-01 and 9999-12-31T23:59:59.9999999 as file times.
const FILE_TIMES: std::ops::RangeInclusive<i64> =
    116_444_736_000_000_000..=2_650_467_743_999_999_999;
/// Days from 1899-12-30 to 1970-01-01.
const OLE_TO_UNIX: i64 = 25_569;
/// The first day of the year 10000 as an OLE date, and that of the year 100.
const OLE_DAYS: std::ops::Range<i64> = -657_434..2_958_466;
const DAY_MS: i64 = 86_400_000;
const DAY_TICKS: i64 = 864_000_000_000;

/// Appends the date; false if the bytes are neither of the two, so that only the number is left.
pub(super) fn append(raw: i64, out: &mut String) -> bool {
    if FILE_TIMES.contains(&raw) {
        let ticks = raw - *FILE_TIMES.start();
        let (day, rest) = (ticks.div_euclid(DAY_TICKS), ticks.rem_euclid(DAY_TICKS));
        append_time(day, rest / 10_000_000, out);
        // Writing into a string does not fail.
        _ = write!(out, ".{:07}Z", rest % 10_000_000);
        return true;
    }
    let Some((day, ms)) = ole(raw) else { return false };
    append_time(day + ms / DAY_MS - OLE_TO_UNIX, ms % DAY_MS / 1000, out);
    _ = write!(out, ".{:03}", ms % 1000);
    true
}

/// Day and millisecond of an OLE date. The part behind the point counts forward from midnight also
/// where the day is negative.
fn ole(raw: i64) -> Option<(i64, i64)> {
    let exponent = (raw >> 52 & 0x7ff) - 1023;
    // From one millisecond on, up to 2^22 days. Without a day it is a time.
    let shift = u32::try_from(52 - exponent).ok().filter(|shift| (31..=79).contains(shift))?;
    let mantissa = i128::from(raw & ((1 << 52) - 1) | 1 << 52);
    let day = i64::try_from(mantissa >> shift).ok()?;
    let part = mantissa & ((1 << shift) - 1);
    // Rounded to the millisecond.
    let ms = (part * i128::from(DAY_MS) + (1 << (shift - 1))) >> shift;
    let day = if raw < 0 { -day } else { day };
    OLE_DAYS.contains(&day).then_some((day, i64::try_from(ms).ok()?))
}

/// `2019-04-16T20:56:00`, from days since 1970 and seconds of the day.
fn append_time(days: i64, seconds: i64, out: &mut String) {
    // Years that begin in March: the day that leap years add is their last one.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Writing into a string does not fail.
    _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: i64) -> String {
        let mut out = String::new();
        if append(raw, &mut out) { out } else { raw.to_string() }
    }

    fn ole_text(days: f64) -> String {
        text(i64::from_le_bytes(days.to_le_bytes()))
    }

    #[test]
    fn ole_dates_are_days_since_the_end_of_1899() {
        assert_eq!(ole_text(25_569.0), "1970-01-01T00:00:00.000");
        assert_eq!(ole_text(43_571.872_222_222_22), "2019-04-16T20:56:00.000");
        assert_eq!(ole_text(36_585.999_999_999), "2000-03-01T00:00:00.000");
        assert_eq!(ole_text(1.5), "1899-12-31T12:00:00.000");
        assert_eq!(ole_text(-1.25), "1899-12-29T06:00:00.000");
        assert_eq!(ole_text(0.25), "1899-12-30T06:00:00.000");
        assert_eq!(ole_text(-0.75), "1899-12-30T18:00:00.000");
        assert_eq!(ole_text(1.0 / 86_400_000.0), "1899-12-30T00:00:00.001");
        assert_eq!(ole_text(2_958_465.5), "9999-12-31T12:00:00.000");
    }

    #[test]
    fn file_times_are_ticks_since_1601() {
        assert_eq!(text(132_000_000_000_000_001), "2019-04-17T18:40:00.0000001Z");
        assert_eq!(text(116_444_736_000_000_000), "1970-01-01T00:00:00.0000000Z");
    }

    #[test]
    fn bytes_that_are_no_date_stay_a_number() {
        for raw in [0, 1, -1, i64::MAX, i64::MIN, 4_294_967_296] {
            assert_eq!(text(raw), raw.to_string());
        }
        for days in [1e-12, 3e6, f64::NAN, f64::INFINITY, -700_000.0] {
            assert_eq!(ole_text(days), i64::from_le_bytes(days.to_le_bytes()).to_string());
        }
    }
}
