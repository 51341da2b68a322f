//! Long values whose row was written in a deeper level than they were: when that level is taken
//! back, the row goes and they stay. The session then releases them like those of a dropped update.

use super::Session;
use crate::cursor::DroppedValue;

/// A value, and the levels of its row and of itself.
#[derive(Debug)]
pub(super) struct Lent {
    row: u8,
    made: u8,
    value: DroppedValue,
}

impl Session {
    /// A row that refers to these values, made in level `made` at the deepest, has been written.
    pub(crate) fn lend(&mut self, values: Vec<DroppedValue>, made: u8) {
        let row = self.level;
        if made < row {
            self.lent.extend(values.into_iter().map(|value| Lent { row, made, value }));
        }
    }

    /// The innermost level commits: its rows belong to the level around it.
    pub(super) fn lent_level_commits(&mut self) {
        let level = self.level;
        for lent in self.lent.iter_mut().filter(|lent| lent.row == level) {
            lent.row -= 1;
        }
        // From here on row and value are taken back together.
        self.lent.retain(|lent| lent.made < lent.row);
    }

    /// The innermost level was taken back, and its rows with it.
    pub(super) fn lent_level_taken_back(&mut self) {
        let level = self.level;
        let left = self.lent.extract_if(.., |lent| lent.row == level);
        self.dropped_values.lock().extend(left.map(|lent| lent.value));
    }
}
