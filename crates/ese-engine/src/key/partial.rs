//! Search keys for values that begin with something.

use ese_base::Result;

use super::{
    KeyRules,
    normalise::{normalise, prefix},
    unicode::unicode_beginning,
};
use crate::schema::Column;

/// Appends what the segments of all values have in common that begin with `value`: the segment
/// without its padding and its end (api-semantics 7.4). For text and binary of variable length.
///
/// # Errors
/// As [`normalise`].
pub fn normalise_beginning(
    rules: &KeyRules<'_>,
    column: &Column,
    descending: bool,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<()> {
    let begin = out.len();
    if column.is_unicode() && value.len() > 1 {
        unicode_beginning(rules, column, value, out)?;
    } else if column.ty.is_text() || value.is_empty() {
        let cut = normalise(rules, column, false, Some(value), out)?;
        // The end of an uncut text is a NUL, which a longer text does not have there.
        if column.ty.is_text() && !cut && !value.is_empty() && out.last() == Some(&0) {
            out.pop();
        }
    } else {
        out.push(prefix::DATA);
        for (at, group) in value.chunks(8).enumerate() {
            if at > 0 {
                // Nine: the group before goes on here.
                out.push(9);
            }
            out.extend_from_slice(group);
        }
        out.truncate(rules.key_len_max.max(begin));
    }
    if descending {
        for byte in out.iter_mut().skip(begin) {
            *byte = !*byte;
        }
    }
    Ok(())
}
