//! The bodies of the fuzz targets, as functions of bytes.
//!
//! Each says what must hold for *every* input; a broken promise is a panic. Nothing here depends on
//! the fuzzer, so `cargo test` in this folder runs every target over its seeds on any toolchain.

pub mod archive;
pub mod compressed;
pub mod header;
pub mod input;
pub mod keys;
pub mod log;
pub mod log_record;
pub mod long_values;
pub mod page;
pub mod page_edit;
pub mod record;
pub mod recover;
pub mod replay;
pub mod seeds;
pub mod stage;
pub mod tagged;

/// A target's name and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("archive", archive::run),
    ("compressed", compressed::run),
    ("header", header::run),
    ("keys", keys::run),
    ("log", log::run),
    ("log_record", log_record::run),
    ("long_values", long_values::run),
    ("page", page::run),
    ("page_edit", page_edit::run),
    ("record", record::run),
    ("recover", recover::run),
    ("replay", replay::run),
    ("tagged", tagged::run),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_holds_on_its_seeds_and_on_their_prefixes() {
        for (name, run) in TARGETS {
            let seeds = seeds::of(name);
            assert!(!seeds.is_empty(), "{name} has no seeds");
            for seed in seeds {
                run(&seed);
                (0..seed.len().min(200)).for_each(|len| run(&seed[..len]));
            }
        }
    }
}
