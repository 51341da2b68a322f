//! Numbers and text for people.

use std::{borrow::Cow, time::Duration};

use ese_api::{LgPos, LogTime};

/// On one line, without anything that steers a terminal: names out of a file can be anything.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.replace(char::is_control, " ").into()
    } else {
        text.into()
    }
}

/// `118,301`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) if !one.ends_with("ey") => format!("{} {stem}ies", count(number)),
        _ => format!("{} {one}s", count(number)),
    }
}

/// `10.4 MiB`.
pub(crate) fn bytes(len: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if len < 1024 {
        return counted(len, "byte");
    }
    let mut power = 0;
    while power + 1 < UNITS.len() && len >> (10 * (power + 2)) > 0 {
        power += 1;
    }
    let tenths = (u128::from(len) * 10) >> (10 * (power + 1));
    let unit = UNITS.get(power).copied().unwrap_or("KiB");
    if tenths >= 1000 || tenths % 10 == 0 {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// `3 us`, `12 ms`, `4.2 s`.
pub(crate) fn time(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0 => "less than 1 us".to_owned(),
        1..1_000 => format!("{micros} us"),
        1_000..10_000 => format!("{}.{} ms", micros / 1_000, micros / 100 % 10),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
    }
}

/// Whole per cent, 100 only when it is all.
pub(crate) fn percent(done: u64, total: u64) -> u64 {
    match total {
        0 => 100,
        _ => u64::try_from(u128::from(done.min(total)) * 100 / u128::from(total)).unwrap_or(100),
    }
}

/// Bytes of so many million: `2.5`.
pub(crate) fn megabytes(text: &str) -> Result<u64, String> {
    millionths(text).ok_or_else(|| format!("{text:?} is no number of MB/s"))
}

/// `2.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let micros = millionths(text).ok_or_else(|| format!("{text:?} is no number of seconds"))?;
    Ok(Duration::from_micros(micros))
}

/// `2026-01-31T15:15:00.250Z`.
pub(crate) fn log_time(text: &str) -> Result<LogTime, String> {
    let wrong = || format!("{text:?} is no time like 2026-01-31T15:15:00Z, from 1970 to 2154");
    LogTime::parse(text).ok_or_else(wrong)
}

/// `00002A,0012,00A4`.
pub(crate) fn log_position(text: &str) -> Result<LgPos, String> {
    let wrong = || format!("{text:?} is no log position: three hexadecimal numbers like 2A:12:A4");
    LgPos::parse(text).ok_or_else(wrong)
}

/// A number with up to six decimals, in millionths.
fn millionths(text: &str) -> Option<u64> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    format!("{whole}{part:0<6}").parse().ok()
}

/// A text cut to so many characters.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(2)).collect();
    format!("{kept}..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_printable_moves_a_cursor() {
        assert_eq!(printable("a\x1b[2J\nb\u{9b}c"), "a [2J b c");
        assert!(matches!(printable("M\u{fc}ller"), Cow::Borrowed(_)));
    }

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(count(7), "7");
        assert_eq!(count(118_301), "118,301");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(counted(1, "dependency"), "1 dependency");
        assert_eq!(counted(2, "dependency"), "2 dependencies");
        assert_eq!(counted(3, "file"), "3 files");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(1023), "1,023 bytes");
        assert_eq!(bytes(4096), "4 KiB");
        assert_eq!(bytes(10 << 20 | 500 << 10), "10.4 MiB");
        assert_eq!(bytes(u64::MAX), "16777215 TiB");
        assert_eq!(time(Duration::ZERO), "less than 1 us");
        assert_eq!(time(Duration::from_micros(3)), "3 us");
        assert_eq!(time(Duration::from_micros(4_230)), "4.2 ms");
        assert_eq!(time(Duration::from_millis(4_299)), "4.2 s");
        assert_eq!(percent(999, 1000), 99);
        assert_eq!(percent(0, 0), 100);
        assert_eq!(megabytes("2.5\n"), Ok(2_500_000));
        assert_eq!(megabytes("0"), Ok(0));
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["", "-1", "1e9", ".", "1.2.3", "x", "99999999999999999999"] {
            assert!(megabytes(wrong).is_err(), "{wrong}");
        }
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcd..");
    }
}
