//! `report`: the passes in turn, the medians, the tables, the files.

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Map, Value, json};

use crate::{
    child::{BACKUP_ROWS, MACHINE, Part, SCALES, Scale},
    conditions::wait_until_quiet,
    engines::{ENGINES, file},
    floors::{OURS, Results, Verdict, judge},
    metrics::{self, Metric},
    store::Result,
    tables::{markdown, number},
};

/// Passes of each engine; they are interleaved, so that a slow minute hits all alike.
const REPETITIONS: usize = 3;
/// Passes over the table with an index, which take longer; of two the slower one counts.
const INDEXED_REPETITIONS: usize = 2;

/// Engines without a call that copies an open database.
const NO_BACKUP: [&str; 2] = ["redb", "fjall"];

/// Lines of the page between which the report is written.
const MARKERS: [&str; 2] = ["<!-- bench:begin -->", "<!-- bench:end -->"];

pub(crate) fn main(options: &[&str]) -> Result<()> {
    let (mut scale, mut check) = (SCALES[0], false);
    let (mut only, mut parts) = (Vec::new(), Vec::new());
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match *option {
            "--quick" => scale = SCALES[1],
            "--check" => check = true,
            "--only" => only.push(*options.next().ok_or("--only wants an engine")?),
            "--part" => {
                let name = options.next().ok_or("--part wants a name")?;
                parts.push(Part::named(name).ok_or_else(|| format!("no part {name}"))?);
            }
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    if let Some(name) = only.iter().find(|name| ENGINES.iter().all(|e| e.name != **name)) {
        return Err(format!("no engine {name} in this build").into());
    }
    let engines: Vec<&str> = ENGINES
        .iter()
        .map(|e| e.name)
        .filter(|name| only.is_empty() || only.contains(name))
        .collect();
    let whole = only.is_empty() && parts.is_empty();
    if parts.is_empty() {
        parts.extend(Part::ALL);
    }
    let (results, missing) = measure(scale, &engines, &parts)?;
    let verdicts = judge(&results);
    let text = text(scale, &engines, &results, &verdicts)?;
    println!("\n{text}");
    let json = bench_folder()?.join("report.json");
    fs::write(
        &json,
        serde_json::to_string_pretty(&as_json(scale, &engines, &results, &verdicts))?,
    )?;
    println!("written: {}", json.display());
    if scale.name == "full" && whole && missing.is_empty() {
        write_page(&text)?;
    }
    let failed = verdicts.iter().filter(|v| v.passed() == Some(false)).count();
    if check && failed > 0 {
        return Err(format!("{failed} floors were not reached").into());
    }
    if missing.is_empty() { Ok(()) } else { Err(missing.join("; ").into()) }
}

/// `target/bench`: on the disk of the build, never a memory file system.
fn bench_folder() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("the program lies in target/PROFILE")?;
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The passes of a run: repetition, engine, part. Figures of the machine itself go with the plain
/// part; the reader that stays open is a matter of limits, and what the tools do is repeated inside
/// a pass, so one pass of our own engine is enough for each.
fn passes<'e>(engines: &[&'e str], parts: &[Part]) -> Vec<(usize, &'e str, Part)> {
    let mut passes = Vec::new();
    for repetition in 1..=REPETITIONS {
        for part in Part::ALL.into_iter().filter(|part| parts.contains(part)) {
            match part {
                Part::Plain => {
                    passes.push((repetition, MACHINE, part));
                    passes.extend(engines.iter().map(|engine| (repetition, *engine, part)));
                }
                Part::Backup => {
                    let able = engines.iter().filter(|engine| !NO_BACKUP.contains(engine));
                    passes.extend(able.map(|engine| (repetition, *engine, part)));
                }
                Part::Indexed if repetition > INDEXED_REPETITIONS => {}
                Part::Indexed => {
                    passes.extend(engines.iter().map(|engine| (repetition, *engine, part)));
                }
                Part::OldReader | Part::Tools if repetition == 1 && engines.contains(&OURS) => {
                    passes.push((repetition, OURS, part));
                }
                Part::Sort | Part::Stop | Part::Boundary if engines.contains(&OURS) => {
                    passes.push((repetition, OURS, part));
                }
                Part::OldReader | Part::Sort | Part::Stop | Part::Boundary | Part::Tools => {}
                Part::Values => {
                    let all = engines.iter().copied().chain([file::NAME]);
                    passes.extend(all.map(|engine| (repetition, engine, part)));
                }
            }
        }
    }
    passes
}

/// The figures, and what is missing of them.
fn measure(scale: Scale, engines: &[&str], parts: &[Part]) -> Result<(Results, Vec<String>)> {
    let (mut results, mut failed) = (Results::default(), Vec::new());
    for (repetition, engine, part) in passes(engines, parts) {
        let others = wait_until_quiet();
        let name = part.name();
        eprintln!(
            "pass {repetition} of {REPETITIONS}: {engine}, {name} (others use {others:.0} %)"
        );
        let folder = bench_folder()?.join(format!("{engine}-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let figures = pass(scale, engine, part, &folder);
        fs::remove_dir_all(&folder)?;
        match figures {
            Ok(figures) => {
                for (id, value) in figures {
                    results.add(engine, &id, value.as_f64().ok_or("a figure is a number")?);
                }
            }
            // Half an hour of other figures is not thrown away for it.
            Err(error) => failed.push(format!("pass {repetition} of {engine}, {name}: {error}")),
        }
    }
    Ok((results, failed))
}

/// One pass of one engine in a process of its own.
fn pass(scale: Scale, engine: &str, part: Part, folder: &Path) -> Result<Map<String, Value>> {
    let mut child = Command::new(env::current_exe()?);
    child.arg("child").arg(engine).arg(folder).args([scale.name, part.name()]);
    let out = child.stderr(Stdio::inherit()).output()?;
    if !out.status.success() {
        return Err(out.status.to_string().into());
    }
    Ok(serde_json::from_slice(&out.stdout)?)
}

/// The report as Markdown, which is also what the terminal shows.
fn text(scale: Scale, engines: &[&str], results: &Results, verdicts: &[Verdict]) -> Result<String> {
    let mut out = String::new();
    writeln!(
        out,
        "Scale `{}`: {} rows, medians of {REPETITIONS} interleaved passes ({INDEXED_REPETITIONS} for the \
         table with an index).\n\n{}\n",
        scale.name,
        scale.rows,
        machine_description()
    )?;
    writeln!(out, "{}", engine_table("figure", metrics::ENGINE, engines, results))?;
    writeln!(out, "A full backup of {BACKUP_ROWS} times as many rows:\n")?;
    writeln!(out, "{}", engine_table("figure", metrics::BACKUP, engines, results))?;
    writeln!(out, "A table with one secondary index:\n")?;
    let indexed: Vec<&Metric> = metrics::INDEXED.iter().chain([&metrics::INDEXED_OTHERS]).collect();
    writeln!(out, "{}", engine_table("figure", indexed, engines, results))?;
    writeln!(out, "Long values:\n")?;
    let values: Vec<&Metric> = metrics::VALUES.iter().chain([&metrics::VALUES_OTHERS]).collect();
    writeln!(out, "{}", values_table(&values, engines, results))?;
    let mut rows = vec![vec!["a reader that stays open".to_string(), OURS.to_string()]];
    for metric in metrics::OLD_READER {
        rows.push(vec![metric.title.to_string(), cell(results, OURS, metric)]);
    }
    writeln!(out, "{}", markdown(&rows))?;
    let mut rows = vec![vec![format!("sorting {} rows", scale.sorted_rows), OURS.to_string()]];
    for metric in metrics::SORT {
        rows.push(vec![metric.title.to_string(), cell(results, OURS, metric)]);
    }
    writeln!(out, "{}", markdown(&rows))?;
    let mut rows = vec![vec!["backups stopped beside 8 writers".to_string(), OURS.to_string()]];
    for metric in metrics::STOP {
        rows.push(vec![metric.title.to_string(), cell(results, OURS, metric)]);
    }
    writeln!(out, "{}", markdown(&rows))?;
    let title = format!("{} rows through the C interface", scale.boundary_rows);
    let mut rows = vec![vec![title, OURS.to_string()]];
    for metric in metrics::BOUNDARY {
        rows.push(vec![metric.title.to_string(), cell(results, OURS, metric)]);
    }
    writeln!(out, "{}", markdown(&rows))?;
    let title = format!("files of {} rows, and of a crash", scale.exported_rows);
    let mut rows = vec![vec![title, OURS.to_string()]];
    for metric in metrics::TOOLS {
        rows.push(vec![metric.title.to_string(), cell(results, OURS, metric)]);
    }
    writeln!(out, "{}", markdown(&rows))?;
    let mut rows = vec![vec!["the machine itself".to_string(), String::new()]];
    for metric in metrics::MACHINE {
        rows.push(vec![metric.title.to_string(), cell(results, MACHINE, metric)]);
    }
    writeln!(out, "{}", markdown(&rows))?;
    let mut rows = vec![["floor", "ese", "", "bound", "verdict"].map(String::from).to_vec()];
    for verdict in verdicts {
        let figure = |v: Option<f64>| v.map_or("-".into(), |v| number(v, verdict.unit));
        rows.push(vec![
            verdict.title.clone(),
            figure(verdict.got),
            verdict.relation().to_string(),
            figure(verdict.bound),
            verdict.word().to_string(),
        ]);
    }
    writeln!(out, "{}", markdown(&rows))?;
    writeln!(out, "Settings:\n")?;
    for engine in ENGINES.iter().filter(|e| engines.contains(&e.name)) {
        writeln!(out, "{}", wrapped(&format!("`{}`: {}.", engine.name, engine.settings)))?;
    }
    Ok(out)
}

/// Figures of all engines side by side.
fn engine_table<'m>(
    head: &str,
    metrics: impl IntoIterator<Item = &'m Metric>,
    engines: &[&str],
    results: &Results,
) -> String {
    let compare = engines.contains(&OURS) && engines.len() > 1;
    let mut first = vec![head.to_string()];
    first.extend(engines.iter().map(ToString::to_string));
    if compare {
        first.push("ese / best peer".into());
    }
    let mut rows = vec![first];
    for metric in metrics {
        let mut row = vec![metric.title.to_string()];
        row.extend(engines.iter().map(|engine| cell(results, engine, metric)));
        if compare {
            row.push(ratio(results, engines, metric));
        }
        rows.push(row);
    }
    markdown(&rows)
}

/// Figures of all engines side by side, with the plain file behind them.
fn values_table(metrics: &[&Metric], engines: &[&str], results: &Results) -> String {
    let columns: Vec<&str> = engines.iter().copied().chain([file::NAME]).collect();
    let mut rows = vec![vec!["figure".to_string()]];
    rows[0].extend(columns.iter().map(ToString::to_string));
    for metric in metrics {
        let cells = columns.iter().map(|engine| cell(results, engine, metric));
        rows.push(std::iter::once(metric.title.to_string()).chain(cells).collect());
    }
    markdown(&rows)
}

/// A list item of the page, within its 100 columns.
fn wrapped(text: &str) -> String {
    let mut out = String::from("-");
    let mut column = 1;
    for word in text.split_whitespace() {
        if column + 1 + word.len() > 98 {
            out += "\n ";
            column = 1;
        }
        out += " ";
        out += word;
        column += 1 + word.len();
    }
    out
}

fn cell(results: &Results, engine: &str, metric: &Metric) -> String {
    results.of(engine, metric.id).map_or("-".into(), |v| number(v, metric.unit))
}

/// Our figure divided by the best of the peers; only where more is better.
fn ratio(results: &Results, engines: &[&str], metric: &Metric) -> String {
    let more_is_better =
        matches!(metric.unit, metrics::Unit::PerSecond | metrics::Unit::MegabytesPerSecond);
    let peers = engines.iter().filter(|e| **e != OURS);
    let best = peers.filter_map(|e| results.of(e, metric.id)).reduce(f64::max);
    match (results.of(OURS, metric.id), best) {
        (Some(ours), Some(best)) if more_is_better => format!("{:.2}", ours / best),
        _ => String::new(),
    }
}

/// Processor, cores, memory, kernel and file system, as far as the system tells.
fn machine_description() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or("unknown", |(_, v)| v.trim()).to_string()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut mount = Command::new("findmnt");
    mount.args(["--noheadings", "--output", "FSTYPE,OPTIONS", "--target"]);
    mount.arg(bench_folder().unwrap_or_default());
    let mount = mount.output().map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string());
    format!(
        "Machine: {cores} cores ({}), {} of memory, Linux {}, file system {}.",
        field(&read("/proc/cpuinfo"), "model name"),
        field(&read("/proc/meminfo"), "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim(),
        mount.unwrap_or_else(|_| "unknown".into()).split_whitespace().collect::<Vec<_>>().join(" "),
    )
}

fn as_json(scale: Scale, engines: &[&str], results: &Results, verdicts: &[Verdict]) -> Value {
    let figures = |engine: &str, metrics: &mut dyn Iterator<Item = &Metric>| -> Value {
        let pairs = metrics.map(|m| {
            let value =
                json!({"median": results.of(engine, m.id), "runs": results.runs(engine, m.id)});
            (m.id.to_string(), value)
        });
        Value::Object(pairs.collect())
    };
    let all = || {
        let ours = metrics::OLD_READER.iter().chain(metrics::SORT).chain(metrics::STOP);
        let ours = ours.chain(metrics::BOUNDARY).chain(metrics::TOOLS);
        let plain = metrics::ENGINE.iter().chain(metrics::BACKUP);
        plain.chain(metrics::INDEXED).chain(ours).chain(metrics::VALUES)
    };
    let names = engines.iter().copied().chain([file::NAME]);
    let of_engines = names.map(|e| (e.to_string(), figures(e, &mut all())));
    let floors = verdicts.iter().map(|v| {
        json!({"floor": v.title, "got": v.got, "bound": v.bound,
               "relation": v.relation(), "verdict": v.word()})
    });
    json!({
        "scale": scale.name,
        "rows": scale.rows,
        "repetitions": REPETITIONS,
        "machine": figures(MACHINE, &mut metrics::MACHINE.iter()),
        "engines": Value::Object(of_engines.collect()),
        "floors": floors.collect::<Vec<_>>(),
    })
}

/// Puts the report between the markers of `docs/benchmarks.md`.
fn write_page(text: &str) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("a workspace")?;
    let path = root.join("docs/benchmarks.md");
    let page = fs::read_to_string(&path)?;
    let (before, rest) = page.split_once(MARKERS[0]).ok_or("the page has lost its markers")?;
    let (_, after) = rest.split_once(MARKERS[1]).ok_or("the page has lost its end marker")?;
    let new = format!("{before}{}\n\n{}\n{}{after}", MARKERS[0], text.trim(), MARKERS[1]);
    fs::write(&path, new)?;
    println!("written: {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_items_are_wrapped_at_the_width_of_the_page() {
        let item = wrapped(&"word ".repeat(60));
        assert!(item.starts_with("- word") && item.lines().count() > 1);
        assert!(item.lines().all(|line| line.len() <= 98));
        assert!(item.lines().skip(1).all(|line| line.starts_with("  word")));
    }

    #[test]
    fn the_page_shows_every_figure_and_every_floor() {
        let mut results = Results::default();
        results.add(OURS, "commit_1", 24_000.0);
        results.add("lmdb", "commit_1", 6_000.0);
        let verdicts = judge(&results);
        let page = text(SCALES[0], &["ese", "lmdb"], &results, &verdicts).unwrap();
        assert!(
            page.contains("24,000/s") && page.contains("4.00") && page.contains("PASS"),
            "{page}"
        );
        let all = metrics::ENGINE.iter().chain(metrics::BACKUP).chain(metrics::INDEXED);
        for metric in all.chain(metrics::MACHINE) {
            assert!(page.contains(metric.title), "{}", metric.title);
        }
        assert!(page.contains("not measured"));
    }
}
