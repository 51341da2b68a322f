//! Looking at databases again, from outside: every page, and every row by count and hash.

use std::{ops::ControlFlow, path::Path};

use ese_api::{Env, Offline, Result, VerifyOptions, verify_database};

use super::records::{Dataset, Sum};
use crate::{interrupt::Interrupt, progress::Progress};

/// Pages that were verified, and what is wrong with them.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) pages: u64,
    pub(super) problems: Vec<String>,
}

/// Verifies the header, every page and every tree of a database.
pub(super) fn verify(
    env: &Env,
    path: &Path,
    interrupt: &Interrupt,
    progress: &mut Progress,
) -> Result<Verified> {
    let mut report = |so_far: &ese_api::VerifyProgress| {
        progress.set(so_far.bytes_done, so_far.bytes_total);
    };
    let found = interrupt.during(|stop| {
        verify_database(env, path, &mut VerifyOptions::new(&mut report, stop.clone()))
    })?;
    Ok(Verified {
        pages: u64::from(found.pages),
        problems: found.problems.iter().map(ToString::to_string).collect(),
    })
}

/// What the tables of the dataset hold in a database that nobody has attached.
pub(super) fn sums(env: &Env, path: &Path, data: &Dataset) -> Result<Vec<Sum>> {
    let database = Offline::open(env, path)?;
    data.tables.iter().map(|spec| sum(&database, spec.name, &spec.columns)).collect()
}

fn sum(database: &Offline, name: &str, columns: &[String]) -> Result<Sum> {
    let table = database.table(name)?;
    let columns = columns.iter().map(|column| table.column(column)).collect::<Result<Vec<_>>>()?;
    let mut sum = Sum::default();
    database.rows(table, |_, record| {
        let mut fields = Vec::with_capacity(columns.len());
        for column in &columns {
            fields.push(match record.data(column)?.nth(1)? {
                Some(instance) => Some(record.bytes_of(column, instance, usize::MAX)?),
                None => None,
            });
        }
        sum.add(fields.iter().map(Option::as_deref));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(sum)
}
