//! Segments of UTF-16 text.

use ese_base::{Error, JetErr, Result};

use super::normalise::{KeyRules, prefix, put, segment_room, wanted};
use crate::schema::{Column, Index};

/// The sort key of a text that is not empty, between the prefix byte and a zero byte, which no sort
/// key has: so no segment is the beginning of another, and the segments of a key decide one after
/// the other. An odd last byte is no character.
///
/// No more of the text counts than the key has bytes: each base letter takes one at least, so what
/// is left out could matter only behind that many characters without weight.
pub(super) fn unicode_text(
    rules: &KeyRules<'_>,
    column: &Column,
    value: &[u8],
    room: usize,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let Some(collation) = rules.collation else { return Err(foreign_column(rules, column)) };
    if value.len() < 2 {
        return Ok(put(out, &[prefix::EMPTY], room));
    }
    let begin = out.len();
    out.push(prefix::DATA);
    let cut = collation.sort_key(value, rules.key_len_max, out);
    out.push(0);
    let len = out.len() - begin;
    out.truncate(begin + segment_room(rules, room));
    Ok(cut && rules.segment_len_max.is_none() || wanted(rules, len) > room)
}

/// What the segments of all texts have in common that begin with `value`.
pub(super) fn unicode_beginning(
    rules: &KeyRules<'_>,
    column: &Column,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<()> {
    let Some(collation) = rules.collation else { return Err(foreign_column(rules, column)) };
    let begin = out.len();
    out.push(prefix::DATA);
    collation.beginning(value, rules.key_len_max, out);
    out.truncate(begin + segment_room(rules, rules.key_len_max.saturating_sub(begin)));
    Ok(())
}

/// Keys of an index that another engine filled cannot be made here.
///
/// # Errors
/// `JET_errSecondaryIndexCorrupted` (-1414), `JET_errPrimaryIndexCorrupted` (-1413).
pub(super) fn check_ours(index: &Index, column: &Column) -> Result<()> {
    if !column.is_unicode() || index.collation.is_some() {
        return Ok(());
    }
    let what = format!("index \"{}\": {}", index.name, obstacle(column));
    Err(error(index.is_primary(), what))
}

#[cold]
fn foreign_column(rules: &KeyRules<'_>, column: &Column) -> Error {
    error(rules.primary, obstacle(column))
}

fn obstacle(column: &Column) -> String {
    format!(
        "the keys of UTF-16 column \"{}\" were made by another engine or version, whose order is \
         not known here",
        column.name
    )
}

fn error(primary: bool, what: String) -> Error {
    if primary {
        Error::new(JetErr::PrimaryIndexCorrupted, what)
            .advise("read the rows in the order they have, or copy them into a new table")
    } else {
        Error::new(JetErr::SecondaryIndexCorrupted, what).advise("rebuild the index, or delete it")
    }
}
