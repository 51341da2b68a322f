//! What operators wait for: a large table written out as text, beside the readers that others use;
//! the first answer about a file; and the end of a crash.

mod export;
mod info;
mod replay;

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    child::{Figures, Scale},
    store::Result,
};

pub(crate) fn measure(folder: &Path, scale: Scale) -> Result<Figures> {
    let mut figures = Figures::new();
    let database = export::measure(folder, scale, &mut figures)?;
    replay::measure(folder, scale, &mut figures)?;
    info::measure(&database, &replay::crashed(folder), &mut figures)?;
    Ok(figures)
}

/// The program `ese`, which is built beside this one.
fn ese() -> Result<PathBuf> {
    let program = env::current_exe()?.with_file_name("ese");
    if program.is_file() {
        return Ok(program);
    }
    Err(format!("{} is missing: build ese-cli with the same profile", program.display()).into())
}
