//! `cargo xtask doc`: the documentation of every crate, private items left out, warnings denied.

use crate::{
    args::Args,
    run::{Result, cargo, run},
    test::OPTIONAL,
};

pub(crate) fn main(args: &mut Args) -> Result<()> {
    let open = args.flag("--open");
    args.finish()?;
    build(open)
}

/// Builds the documentation; `open` shows it in the browser.
pub(crate) fn build(open: bool) -> Result<()> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--features", OPTIONAL]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    if open {
        command.arg("--open");
    }
    run(&mut command)
}
