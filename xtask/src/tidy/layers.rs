//! Crate edges point down the list of layers, and outside libraries are named once.
//!
//! A crate may use those of lower layers only; two crates of one layer do not know each other.
//! Development dependencies may also use the simulator.

use super::{Findings, Source};

/// The layers of the house, lowest first.
const LAYERS: &[&[&str]] = &[
    &["ese-base"],
    &["ese-os"],
    &["ese-sim", "ese-pages"],
    &["ese-log"],
    &["ese-engine", "ese-backup"],
    &["ese-api"],
    &["ese-capi", "ese-cli"],
];

/// The simulator knows only these, although more lie below.
const SIM: (&str, &[&str]) = ("ese-sim", &["ese-base", "ese-os"]);

pub(crate) fn check(sources: &[Source], findings: &mut Findings) {
    for source in sources {
        let Some(name) = crate_of(&source.path) else { continue };
        let Some(own) = layer(name) else {
            findings.add(&source.path, 1, format!("{name} is in no layer (xtask tidy/layers.rs)"));
            continue;
        };
        for (line, dev, dependency, rest) in dependencies(&source.text) {
            if !rest.contains("workspace = true") {
                let what = format!("{dependency}: versions stand in the root Cargo.toml");
                findings.add(&source.path, line, what);
            }
            let Some(below) = layer(dependency) else { continue };
            let allowed = match name {
                n if n == SIM.0 => SIM.1.contains(&dependency) || dev,
                _ if dependency == SIM.0 => dev,
                _ => below < own,
            };
            if !allowed {
                let what = format!("{name} may not use {dependency}: layers point one way");
                findings.add(&source.path, line, what);
            }
        }
    }
}

fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

/// Line, is it a development dependency, name, and what the line says about it.
fn dependencies(toml: &str) -> Vec<(usize, bool, &str, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for (number, line) in (1..).zip(toml.lines().map(str::trim)) {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            continue;
        }
        let Some((name, rest)) = line.split_once(['.', '=', ' ']) else { continue };
        if section.ends_with("dependencies") && !line.starts_with('#') {
            found.push((number, section.ends_with("dev-dependencies"), name.trim(), rest));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, toml: &str) -> usize {
        let source = Source { path: format!("crates/{name}/Cargo.toml"), text: toml.to_string() };
        let mut findings = Findings::default();
        check(&[source], &mut findings);
        findings.0.len()
    }

    #[test]
    fn edges_that_point_up_or_sideways_are_found() {
        let uses = |name: &str| format!("[dependencies]\n{name}.workspace = true\n");
        assert_eq!(count("ese-log", &uses("ese-pages")), 0);
        assert_eq!(count("ese-pages", &uses("ese-log")), 1);
        assert_eq!(count("ese-backup", &uses("ese-engine")), 1);
        assert_eq!(count("ese-log", &uses("ese-sim")), 1);
        assert_eq!(count("ese-log", "[dev-dependencies]\nese-sim.workspace = true\n"), 0);
        assert_eq!(count("ese-sim", &uses("ese-pages")), 1);
        assert_eq!(count("ese-new", ""), 1);
    }

    #[test]
    fn a_version_outside_the_root_manifest_is_found() {
        assert_eq!(count("ese-log", "[dependencies]\nbytes = \"1\"\n"), 1);
        let with_features = "[dependencies]\nbytes = { workspace = true, features = [\"std\"] }\n";
        assert_eq!(count("ese-log", with_features), 0);
    }
}
