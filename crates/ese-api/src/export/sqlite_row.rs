//! A row as a record of SQLite's file format: the length of the header, a serial type for each
//! column, then the values (sqlite.org/fileformat2.html, section 2.1).

use super::scalar::Scalar;

/// Columns of a table that a stock SQLite can open (its limit is 2000), with room for what is said
/// of deleted rows and for one column that takes all others.
pub(super) const COLUMNS_MAX: usize = 1990;

/// A row that is being put together.
#[derive(Debug, Default)]
pub(super) struct SqliteRow {
    types: Vec<u8>,
    body: Vec<u8>,
}

impl SqliteRow {
    pub(super) fn push(&mut self, scalar: Scalar<'_>) {
        match scalar {
            Scalar::Null => self.types.push(0),
            Scalar::Bit(bit) => self.types.push(8 + u8::from(bit)),
            Scalar::Int(n) => self.int(n),
            // Beyond SQLite's integers: its digits.
            Scalar::Big(n) => self.text(n.to_string().as_bytes()),
            Scalar::Float(x) if x.is_nan() => self.text(b"NaN"),
            Scalar::Float(x) => {
                self.types.push(7);
                self.body.extend_from_slice(&x.to_be_bytes());
            }
            Scalar::Text(text) => self.text(text.as_bytes()),
            Scalar::Bytes(bytes) => {
                put_varint(&mut self.types, 12 + 2 * bytes.len() as u64);
                self.body.extend_from_slice(bytes);
            }
        }
    }

    /// Text that is JSON already.
    pub(super) fn push_json(&mut self, json: &[u8]) {
        self.text(json);
    }

    fn text(&mut self, text: &[u8]) {
        put_varint(&mut self.types, 13 + 2 * text.len() as u64);
        self.body.extend_from_slice(text);
    }

    /// A number in as few bytes as hold it: 1, 2, 3, 4, 6 or 8.
    fn int(&mut self, n: i64) {
        const LENGTHS: [(u8, usize); 6] = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (6, 8)];
        if n == 0 || n == 1 {
            return self.types.push(8 + u8::from(n == 1));
        }
        let bytes = n.to_be_bytes();
        for (ty, len) in LENGTHS {
            let unused = 64 - 8 * len;
            if n << unused >> unused == n {
                self.types.push(ty);
                return self.body.extend(bytes.iter().skip(8 - len));
            }
        }
    }

    /// Appends the record with its length before it, and begins the next one.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        // The header's length counts itself.
        let types = self.types.len() as u64;
        let own = (1..=9).find(|own| varint_len(types + own) == *own).unwrap_or(9);
        let len = own + types + self.body.len() as u64;
        out.extend_from_slice(&len.to_le_bytes());
        put_varint(out, types + own);
        out.append(&mut self.types);
        out.append(&mut self.body);
    }
}

/// Appends a number in 1 to 9 bytes, 7 bits each, the highest first; a ninth byte has 8.
pub(super) fn put_varint(out: &mut Vec<u8>, n: u64) {
    let bytes = varint_len(n);
    if bytes == 9 {
        out.extend((1..=8).rev().map(|at| low_bits(n >> (7 * at + 1)) | 0x80));
        out.push(n.to_le_bytes()[0]);
        return;
    }
    for at in (0..bytes).rev() {
        out.push(low_bits(n >> (7 * at)) | if at > 0 { 0x80 } else { 0 });
    }
}

fn low_bits(n: u64) -> u8 {
    n.to_le_bytes()[0] & 0x7f
}

/// Bytes that [`put_varint`] appends.
pub(super) fn varint_len(n: u64) -> u64 {
    (1..9).find(|bytes| n >> (7 * bytes) == 0).unwrap_or(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_as_many_bytes_as_they_need() {
        let varint = |n| {
            let mut out = Vec::new();
            put_varint(&mut out, n);
            out
        };
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(127), [0x7f]);
        assert_eq!(varint(128), [0x81, 0]);
        assert_eq!(varint(u64::MAX), [0xff; 9]);
        assert_eq!(varint(1 << 56), [0x80, 0xc0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]);
        let record = |scalar| {
            let (mut row, mut out) = (SqliteRow::default(), Vec::new());
            row.push(scalar);
            row.finish(&mut out);
            out.split_off(8)
        };
        assert_eq!(record(Scalar::Null), [2, 0]);
        assert_eq!(record(Scalar::Int(1)), [2, 9]);
        assert_eq!(record(Scalar::Int(-1)), [2, 1, 0xff]);
        assert_eq!(record(Scalar::Int(128)), [2, 2, 0, 128]);
        assert_eq!(record(Scalar::Int(1 << 40)), [2, 5, 1, 0, 0, 0, 0, 0]);
        assert_eq!(record(Scalar::Text("ab")), [2, 17, b'a', b'b']);
        assert_eq!(record(Scalar::Bytes(&[7])), [2, 14, 7]);
    }
}
