//! `docs/capi.md` says of every function what it does in this version: the table there follows from
//! the source, where each function is declared with a remark above it or among the refused ones.
#![allow(clippy::disallowed_methods, reason = "the files of the source")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use std::{collections::BTreeMap, fs};

use support::package;

/// A declaration: the names, and the remark above it.
struct Declared {
    names: Vec<String>,
    remark: String,
    refused: Option<String>,
}

fn names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.starts_with("Jet")).map(str::to_owned).collect()
}

/// The declarations of a file.
fn declarations(text: &str) -> Vec<Declared> {
    let mut found = Vec::new();
    let mut remark = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(comment) = line.strip_prefix("// ") {
            remark.push(comment);
            continue;
        }
        let said = std::mem::take(&mut remark).join(" ");
        if line.starts_with("fn Jet") {
            let mut head = line.to_owned();
            while !head.contains('(') {
                head.push_str(&format!(" {}", lines.next().unwrap()));
            }
            let names = names(head.split('(').next().unwrap());
            found.push(Declared { names, remark: said, refused: None });
        } else if line == "refused! {" {
            let code = lines.next().unwrap().trim_end_matches(':').to_owned();
            let list = lines.by_ref().take_while(|line| *line != "}").collect::<Vec<_>>();
            for name in names(&list.join(" ")) {
                let refused = Some(code.clone());
                found.push(Declared { names: vec![name], remark: said.clone(), refused });
            }
        }
    }
    found
}

/// The name without ending, and the ending.
fn parts<'n>(name: &'n str, all: &[String]) -> (&'n str, &'n str) {
    let has = |name: String| all.contains(&name);
    for ending in ["A", "W"] {
        if let Some(base) = name.strip_suffix(ending)
            && (has(format!("{base}A")) && has(format!("{base}W")))
        {
            return (base, ending);
        }
    }
    (name, "")
}

fn table() -> BTreeMap<String, String> {
    let mut declared = Vec::new();
    for file in fs::read_dir(package().join("src")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            declared.extend(declarations(&fs::read_to_string(path).unwrap()));
        }
    }
    let all: Vec<String> = declared.iter().flat_map(|one| one.names.clone()).collect();
    let mut rows: BTreeMap<String, (Vec<&str>, String, String)> = BTreeMap::new();
    for one in &declared {
        let state = match &one.refused {
            Some(code) => format!("refused, `JET_err{code}`"),
            None => "works".to_owned(),
        };
        for name in &one.names {
            let (base, ending) = parts(name, &all);
            let row = rows.entry(base.to_owned());
            let row = row.or_insert_with(|| (Vec::new(), state.clone(), one.remark.clone()));
            row.0.push(if ending.is_empty() { "bare" } else { ending });
        }
    }
    let row = |(name, (mut forms, state, remark)): (String, (Vec<&str>, String, String))| {
        forms.sort_by_key(|form| (*form != "bare", form.to_owned()));
        let row = format!("| `{name}` | {} | {state} | {remark} |", forms.join(", "));
        (name, row.replace("|  |", "| |"))
    };
    rows.into_iter().map(row).collect()
}

#[test]
fn the_page_says_of_each_function_what_the_source_does() {
    let page = package().parent().unwrap().parent().unwrap().join("docs/capi.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = table();
    let told: Vec<&str> = page.lines().filter(|line| line.starts_with("| `Jet")).collect();
    let wanted: Vec<&str> = rows.values().map(String::as_str).collect();
    if told != wanted {
        panic!("docs/capi.md should have these rows:\n{}", wanted.join("\n"));
    }
    assert_eq!(wanted.len(), 212);
}
