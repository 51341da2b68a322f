//! Gives the shared library its name, by which programs that were linked with it ask for it.
#![allow(clippy::print_stdout, reason = "so Cargo is told")]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libesent.so");
}
