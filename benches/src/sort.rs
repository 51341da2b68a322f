//! Millions of small rows through a temporary table, against `sort -n` on the same file.
//!
//! Both read lines of a number and a line number, sort them by the number, lines of one number in
//! the order of their coming, and write them to another file; the two files must be the same.

use std::{
    fs,
    io::{BufRead, BufReader, BufWriter, Write},
    ops::ControlFlow,
    path::Path,
    process::Command,
    time::Instant,
};

use ese_api::{ColType, TempTableBuilder};

use crate::{
    child::{Figures, Scale, mebibytes, per_second, settle},
    conditions::MemoryWatch,
    engines::ese::start_with,
    rows::mix,
    store::Result,
};

/// Memory for the rows; with all else at most 256 MiB.
const SORT_MEMORY: u64 = 192 << 20;

pub(crate) fn measure(folder: &Path, scale: Scale) -> Result<Figures> {
    let count = usize::try_from(scale.sorted_rows)?;
    let [data, by_sort, by_table] =
        ["rows.txt", "by-sort.txt", "by-table.txt"].map(|name| folder.join(name));
    let mut out = BufWriter::new(fs::File::create(&data)?);
    for n in 0..scale.sorted_rows {
        writeln!(out, "{} {n}", mix(n) >> 33)?;
    }
    out.flush()?;
    drop(out);
    settle(folder)?;

    let begin = Instant::now();
    let status = Command::new("sort")
        .args(["-n", "-s", "-S", "256M", "-T"])
        .args([folder, Path::new("-o"), &by_sort, &data])
        .env("LC_ALL", "C")
        .status()?;
    if !status.success() {
        return Err("sort failed".into());
    }
    let sort = per_second(count, begin.elapsed());
    settle(folder)?;

    let home = folder.join("db");
    fs::create_dir(&home)?;
    let memory = MemoryWatch::start()?;
    let begin = Instant::now();
    through_table(&home, &data, &by_table)?;
    let table = per_second(count, begin.elapsed());
    let peak = mebibytes(memory.peak());
    if fs::read(&by_sort)? != fs::read(&by_table)? {
        return Err("the temporary table sorts in another way than sort".into());
    }
    Ok(Figures::from([("sort_n", sort), ("sort_temp", table), ("sort_memory", peak)]))
}

fn through_table(home: &Path, data: &Path, into: &Path) -> Result<()> {
    let instance = start_with(home, |config| config.sort_memory = SORT_MEMORY)?;
    let session = instance.session()?;
    let table = TempTableBuilder::new().key("number", ColType::Long).column("line", ColType::Long);
    let mut table = session.temp_table(table.keep_duplicates())?;
    let (number, line) = (table.column("number")?, table.column("line")?);
    let mut from = BufReader::with_capacity(1 << 20, fs::File::open(data)?);
    let mut text = Vec::new();
    while from.read_until(b'\n', &mut text)? > 0 {
        let mut words = text.split(|byte| !byte.is_ascii_digit()).map(parse);
        let mut next = || words.next().unwrap_or_default().to_le_bytes();
        let (first, second) = (next(), next());
        table.insert_bytes(&[(number, Some(&first)), (line, Some(&second))])?;
        text.clear();
    }
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(into)?);
    let (mut failed, mut text) = (None, Vec::new());
    table.visit(|row| {
        let value = |column| -> Result<u32> {
            let bytes = row.bytes(column)?.unwrap_or_default();
            Ok(u32::from_le_bytes(bytes.try_into()?))
        };
        let mut write = || -> Result<()> {
            text.clear();
            digits(value(number)?, b' ', &mut text);
            digits(value(line)?, b'\n', &mut text);
            Ok(out.write_all(&text)?)
        };
        match write() {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    out.flush()?;
    failed.map_or(Ok(()), Err)
}

fn parse(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

fn digits(mut number: u32, end: u8, out: &mut Vec<u8>) {
    let begin = out.len();
    out.push(end);
    loop {
        out.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out[begin..].reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_read() {
        let mut out = Vec::new();
        for number in [0, 7, 10, u32::MAX] {
            digits(number, b' ', &mut out);
        }
        assert_eq!(out, b"0 7 10 4294967295 ");
        assert_eq!(parse(b"4294967295"), u32::MAX);
    }

    #[test]
    fn the_table_sorts_as_sort_does() {
        let folder = std::env::temp_dir().join(format!("ese-bench-sort-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let scale = Scale { sorted_rows: 20_000, ..crate::child::SCALES[1] };
        let figures = measure(&folder, scale);
        fs::remove_dir_all(&folder).unwrap();
        assert!(figures.unwrap()["sort_temp"] > 0.0);
    }
}
