//! The package database of Debian and its relatives: packages, what they depend on, and every file
//! they installed with its MD5 sum.

use std::{collections::BTreeMap, path::Path};

use ese_api::{ColType, Env, Result, TableBuilder};

use super::records::{Dataset, Field, TableSpec, Unit, long, utf16};
use crate::files;

const DIR: &str = "/var/lib/dpkg";
/// No file of the package database is longer than that.
const LEN_MAX: u64 = 256 << 20;
/// Files of a package that one transaction loads.
const FILES_PER_UNIT: usize = 250;
/// Numbers of the tables.
const PACKAGES: usize = 0;
const DEPENDENCIES: usize = 1;
const FILES: usize = 2;

/// The package database, if there is one with packages in it.
pub(super) fn read(env: &Env) -> Result<Option<Dataset>> {
    let dir = Path::new(DIR);
    let status = dir.join("status");
    if !env.fs.exists(&status)? {
        return Ok(None);
    }
    let status = files::read(env, &status, LEN_MAX)?;
    let lists = file_lists(env, &dir.join("info"))?;
    let (mut units, mut packages) = (Vec::new(), 0);
    for stanza in String::from_utf8_lossy(&status).split("\n\n") {
        let fields = stanza_fields(stanza);
        if let Some(name) = fields.get("Package") {
            let files = lists_of(&lists, name, fields.get("Architecture"));
            units.extend(package(env, packages, &fields, files)?);
            packages += 1;
        }
    }
    if units.is_empty() {
        return Ok(None);
    }
    Ok(Some(Dataset {
        origin: format!("the package database of this system, {DIR}"),
        remark: None,
        tables: tables(),
        units,
        unit_name: "package or 250 files",
    }))
}

fn tables() -> Vec<TableSpec> {
    let spec = |name, row_name, columns: &[&str], table| TableSpec {
        name,
        row_name,
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        table,
    };
    vec![
        spec(
            "packages",
            "package",
            &[
                "id",
                "name",
                "version",
                "architecture",
                "section",
                "size_kib",
                "maintainer",
                "summary",
            ],
            TableBuilder::new("packages")
                .required("id", ColType::Long)
                .text("name")
                .text("version")
                .text("architecture")
                .text("section")
                .column("size_kib", ColType::Long)
                .text("maintainer")
                .text("summary")
                .primary(&["id"]),
        ),
        spec(
            "dependencies",
            "dependency",
            &["package", "number", "on"],
            TableBuilder::new("dependencies")
                .required("package", ColType::Long)
                .required("number", ColType::Long)
                .text("on")
                .primary(&["package", "number"]),
        ),
        spec(
            "files",
            "file",
            &["package", "number", "path", "md5"],
            TableBuilder::new("files")
                .required("package", ColType::Long)
                .required("number", ColType::Long)
                .text("path")
                .column("md5", ColType::Binary)
                .primary(&["package", "number"]),
        ),
    ]
}

/// One package with everything that belongs to it, in one unit or, with many files, in several.
fn package(
    env: &Env,
    id: usize,
    fields: &BTreeMap<&str, &str>,
    lists: Option<&Lists>,
) -> Result<Vec<Unit>> {
    let mut unit = Unit::default();
    let field = |name: &str| fields.get(name).and_then(|value| utf16(value));
    let size = fields.get("Installed-Size").and_then(|size| size.parse().ok()).and_then(long);
    unit.push(
        PACKAGES,
        vec![
            long(id),
            field("Package"),
            field("Version"),
            field("Architecture"),
            field("Section"),
            size,
            field("Maintainer"),
            field("Description"),
        ],
    );
    let depends = fields.get("Depends").into_iter().flat_map(|list| list.split(", "));
    for (number, on) in depends.enumerate() {
        unit.push(DEPENDENCIES, vec![long(id), long(number), utf16(on)]);
    }
    let Some(lists) = lists else { return Ok(vec![unit]) };
    let sums = match &lists.sums {
        Some(path) => md5_sums(&files::read(env, path, LEN_MAX)?),
        None => BTreeMap::new(),
    };
    let list = files::read(env, &lists.list, LEN_MAX)?;
    let mut units = Vec::new();
    for (number, path) in String::from_utf8_lossy(&list).lines().enumerate() {
        if number > 0 && number.is_multiple_of(FILES_PER_UNIT) {
            units.push(std::mem::take(&mut unit));
        }
        let sum: Field = sums.get(path.trim_start_matches('/').as_bytes()).cloned();
        unit.push(FILES, vec![long(id), long(number), utf16(path), sum]);
    }
    units.push(unit);
    Ok(units)
}

/// First lines of the fields of a stanza: a description's first line is its summary.
fn stanza_fields(stanza: &str) -> BTreeMap<&str, &str> {
    stanza
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| !name.starts_with(' '))
        .collect()
}

/// Where the files of a package are listed.
#[derive(Debug)]
struct Lists {
    list: std::path::PathBuf,
    sums: Option<std::path::PathBuf>,
}

/// By `name` or `name:architecture`.
fn file_lists(env: &Env, info: &Path) -> Result<BTreeMap<String, Lists>> {
    let names: Vec<String> = match env.fs.exists(info)? {
        true => env.fs.list(info)?.into_iter().map(|entry| entry.name).collect(),
        false => Vec::new(),
    };
    let mut lists = BTreeMap::new();
    for name in &names {
        if let Some(package) = name.strip_suffix(".list") {
            let sums = format!("{package}.md5sums");
            let sums = names.binary_search(&sums).is_ok().then(|| info.join(sums));
            lists.insert(package.to_owned(), Lists { list: info.join(name), sums });
        }
    }
    Ok(lists)
}

fn lists_of<'a>(
    lists: &'a BTreeMap<String, Lists>,
    name: &str,
    architecture: Option<&&str>,
) -> Option<&'a Lists> {
    let with = architecture.and_then(|architecture| lists.get(&format!("{name}:{architecture}")));
    with.or_else(|| lists.get(name))
}

/// MD5 sums by path, without the leading slash.
fn md5_sums(text: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let lines = text.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| {
            let (digits, path) = line.split_at_checked(32)?;
            let sum = u128::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            Some((path.trim_ascii_start().to_vec(), sum.to_be_bytes().to_vec()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_gives_its_fields_and_a_list_of_sums_its_paths() {
        let stanza =
            "Package: adduser\nConffiles:\n /etc/a 12: 3\nDescription: add users\n More: text";
        let fields = stanza_fields(stanza);
        assert_eq!(fields.get("Package"), Some(&"adduser"));
        assert_eq!(fields.get("Description"), Some(&"add users"));
        assert_eq!(fields.len(), 2);
        let sums = md5_sums(b"000000000000000000000000000000ff  usr/bin/a b\nnonsense\n");
        assert_eq!(sums.len(), 1);
        assert_eq!(sums.get(b"usr/bin/a b".as_slice()).unwrap().last(), Some(&255));
    }
}
