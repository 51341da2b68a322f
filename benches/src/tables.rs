//! Numbers as people read them, and tables that are good both on a terminal and in a page.

use crate::metrics::Unit;

/// The middle value; of an even number of values the lower middle one.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// A value with its unit: `12,345/s`, `1,234 MB/s`, `3.1 ms`.
pub(crate) fn number(value: f64, unit: Unit) -> String {
    let digits = if value.abs() < 100.0 { format!("{value:.1}") } else { grouped(value) };
    let name = match unit {
        Unit::PerSecond => "/s",
        Unit::MegabytesPerSecond => " MB/s",
        Unit::Milliseconds => " ms",
        Unit::Nanoseconds => " ns",
        Unit::Microseconds => " us",
        Unit::Mebibytes => " MiB",
        Unit::Percent => " %",
        Unit::Count => "",
    };
    digits + name
}

/// A whole number with commas between groups of three digits.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A Markdown table with aligned columns; the first row is the head. Numbers stand to the right.
pub(crate) fn markdown(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (column, &width) in widths.iter().enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            out += &if column == 0 {
                format!("| {cell:<width$} ")
            } else {
                format!("| {cell:>width$} ")
            };
        }
        out += "|\n";
        if at == 0 {
            for (column, &width) in widths.iter().enumerate() {
                let line = "-".repeat(width);
                out += &if column == 0 { format!("| {line} ") } else { format!("|{line}-:") };
            }
            out += "|\n";
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        assert_eq!(number(1_234_567.4, Unit::PerSecond), "1,234,567/s");
        assert_eq!(number(999.6, Unit::Milliseconds), "1,000 ms");
        assert_eq!(number(3.13, Unit::Milliseconds), "3.1 ms");
        assert_eq!(grouped(-1234.0), "-1,234");
        assert_eq!(grouped(-123.0), "-123");
    }

    #[test]
    fn the_median_ignores_the_order_and_one_outlier() {
        assert_eq!(median(&[3.0, 1000.0, 1.0]), Some(3.0));
        assert_eq!(median(&[2.0, 1.0]), Some(1.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [vec!["a".into(), "b".into()], vec!["long".into(), "1".into()]];
        assert_eq!(markdown(&rows), "| a    |   b |\n| ---- |----:|\n| long |   1 |\n");
    }
}
