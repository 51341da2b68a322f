//! The columns of a table in pieces that versions of the table share: a table whose columns are
//! added one by one has a version of each length, and each of these costs a piece, not all columns.

use std::sync::Arc;

use super::Column;

/// Columns of a piece.
const PIECE: usize = 64;

/// Columns in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ColumnList {
    /// All of them full but the last.
    pieces: Vec<Arc<Vec<Column>>>,
    /// Of each column's name, see [`name_hash`].
    names: Vec<u32>,
}

impl ColumnList {
    pub(super) fn new(columns: Vec<Column>) -> ColumnList {
        let mut list = ColumnList::default();
        columns.into_iter().for_each(|column| list.push(column));
        list
    }

    pub(super) fn push(&mut self, column: Column) {
        self.names.push(name_hash(&column.name));
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => Arc::make_mut(piece).push(column),
            _ => self.pieces.push(Arc::new(vec![column])),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn last(&self) -> Option<&Column> {
        self.pieces.last()?.last()
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&Column> {
        self.pieces.get(at / PIECE)?.get(at % PIECE)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Column> {
        self.pieces.iter().flat_map(|piece| piece.iter())
    }

    /// Those with this name, deleted ones included; ASCII case does not matter.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &Column> {
        let hash = name_hash(name);
        let found = self.names.iter().enumerate().filter(move |(_, other)| **other == hash);
        let found = found.filter_map(|(at, _)| self.get(at));
        found.filter(move |column| column.name.eq_ignore_ascii_case(name))
    }
}

/// Equal for names that differ in the case of ASCII letters alone (FNV-1a).
fn name_hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ColType, ColumnDef, Columns, add_column};

    fn column(name: &str) -> Column {
        add_column(&Columns::default(), &ColumnDef::new(name, ColType::Long)).unwrap()
    }

    #[test]
    fn columns_come_back_by_place_and_by_name() {
        let list = ColumnList::new((0..200).map(|i| column(&format!("Column {i}"))).collect());
        assert_eq!((list.len(), list.iter().count()), (200, 200));
        for at in [0, 1, 63, 64, 65, 128, 199] {
            let name = format!("cOLUMN {at}");
            assert!(list.get(at).unwrap().name.eq_ignore_ascii_case(&name));
            assert_eq!(list.named(&name).count(), 1);
        }
        assert_eq!(list.last().unwrap().name, "Column 199");
        assert!(list.get(200).is_none() && list.named("Column").next().is_none());
    }

    #[test]
    fn a_longer_list_shares_all_pieces_but_the_last() {
        let list = ColumnList::new((0..130).map(|i| column(&format!("c{i}"))).collect());
        let mut longer = list.clone();
        longer.push(column("more"));
        let shared = list.pieces.iter().zip(&longer.pieces).filter(|(a, b)| Arc::ptr_eq(a, b));
        assert_eq!(shared.count(), 2);
        assert_eq!((list.len(), longer.len()), (130, 131));
        assert!(list != longer && list == ColumnList::new(list.iter().cloned().collect()));
    }
}
