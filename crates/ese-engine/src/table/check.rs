//! Does every secondary index hold exactly the entries of the rows? Is every long value counted
//! and whole?

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::ControlFlow,
};

use ese_base::{Error, JetErr, Result};

use super::{SecondaryIndex, Table};
use crate::{
    longvalue::{LongTree, Nodes, Root, chunk_key, lid_of_key, lid_of_root, root_key},
    record::{Lid, LongValues, RecordView},
    session::Session,
    tree::{Direction, Position, Start},
};

/// An index that is not the projection of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexMismatch {
    /// Name of the table.
    pub table: String,
    /// Name of the index.
    pub index: String,
    /// Entries that rows should have and the index lacks.
    pub missing: u64,
    /// Entries that no row should have.
    pub extra: u64,
    /// Entries that come before their predecessor, or twice.
    pub misplaced: u64,
}

impl fmt::Display for IndexMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IndexMismatch { table, index, missing, extra, misplaced } = self;
        write!(
            f,
            "index \"{index}\" of table \"{table}\": {missing} entries are missing, {extra} belong \
             to no row, {misplaced} are out of order"
        )
    }
}

impl Table {
    /// Compares each secondary index with what the rows say it should hold, as the session sees
    /// both. Indexes whose keys this version cannot make are left out. Holds the entries of one
    /// index in memory.
    ///
    /// # Errors
    /// Those of reading, and of making keys.
    pub fn check_indexes(&self, session: &Session) -> Result<Vec<IndexMismatch>> {
        let mut mismatches = Vec::new();
        let possible = self.secondary.iter().filter(|index| index.check_changeable().is_ok());
        for index in possible {
            mismatches.extend(self.check_index(session, index)?);
        }
        Ok(mismatches)
    }

    fn check_index(
        &self,
        session: &Session,
        index: &SecondaryIndex,
    ) -> Result<Option<IndexMismatch>> {
        let mut expected = self.expected_entries(session, index)?;
        let (mut extra, mut misplaced) = (0, 0);
        let (mut last, mut at) = ((Vec::new(), Vec::new()), Position::default());
        let to = Direction::Forward;
        self.scan_index(session, index, Start::End, to, &mut at, |entry| {
            let mut this = (Vec::new(), entry.bookmark.to_vec());
            entry.append_key(&mut this.0);
            misplaced += u64::from(this <= last);
            extra += u64::from(!expected.remove(&this));
            last = this;
            ControlFlow::Continue(())
        })?;
        if expected.is_empty() && extra == 0 && misplaced == 0 {
            return Ok(None);
        }
        Ok(Some(IndexMismatch {
            table: self.schema.name.clone(),
            index: index.schema.name.clone(),
            missing: expected.len() as u64,
            extra,
            misplaced,
        }))
    }

    /// Compares the long values with what the rows refer to, as the session sees both: each value
    /// counts its references, has all its chunks and nothing else, and there is no value without a
    /// row but such as are about to be removed. Says what is wrong.
    ///
    /// # Errors
    /// Those of reading.
    pub fn check_long_values(&self, session: &Session) -> Result<Vec<String>> {
        // All that is read shows the same moment.
        session.read(|_| self.wrong_long_values(session))
    }

    fn wrong_long_values(&self, session: &Session) -> Result<Vec<String>> {
        let mut references: BTreeMap<Lid, u32> = BTreeMap::new();
        let (mut at, mut failed) = (Position::default(), Ok(()));
        self.scan(session, Start::End, Direction::Forward, &mut at, |row| {
            match RecordView::new(row.record, self.db.page_size()).and_then(|view| view.lids()) {
                Ok(lids) => {
                    for lid in lids {
                        *references.entry(lid).or_default() += 1;
                    }
                }
                Err(error) => failed = Err(error),
            }
            ControlFlow::Continue(())
        })?;
        failed?;
        let (values, mut wrong) = (self.long_values(session), Vec::new());
        let mut expected: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut found: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut roots = BTreeMap::new();
        values.visit(&[], &mut |key, data| {
            if let Some(lid) = lid_of_root(key) {
                let root =
                    Root::parse(data).ok_or_else(|| Error::code_only(JetErr::LVCorrupted))?;
                roots.insert(lid, root);
            } else {
                found.insert(key.to_vec());
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (lid, root) in roots {
            let goes = root.references == 0;
            if goes && !self.awaits_removal(session, lid) && values.size(lid).is_ok() {
                wrong.push(format!("value {lid:?} was left behind by the last row"));
            }
            let counted = references.remove(&lid).unwrap_or(0);
            if counted != root.references {
                let Root { references, .. } = root;
                wrong.push(format!(
                    "value {lid:?} counts {references} references, rows have {counted}"
                ));
            }
            // What is about to be removed may be so by half.
            if !goes && let Err(error) = values.read_at(lid, 0, usize::MAX) {
                wrong.push(error.message().to_owned());
            }
            let step = usize::try_from(values.chunk()).unwrap_or(1);
            expected.extend((0..root.size).step_by(step).map(|at| chunk_key(lid, at)));
        }
        wrong.extend(references.keys().map(|lid| format!("value {lid:?} is missing")));
        for key in found.difference(&expected) {
            if !self.is_of_open_transaction(session, key)? {
                wrong.push(format!("chunk {key:02x?} is nobody's"));
            }
        }
        Ok(wrong)
    }

    /// Is a chunk, whose value the session does not see, of a value that another makes? Only its
    /// root has a version. Neither has any more if it was taken back meanwhile.
    fn is_of_open_transaction(&self, session: &Session, chunk: &[u8]) -> Result<bool> {
        let (Some(tree), Some(lid)) = (self.long_tree(), lid_of_key(chunk)) else {
            return Ok(false);
        };
        if session.instance().versions.has_versions(&tree.tree, &root_key(lid), &[]) {
            return Ok(true);
        }
        let mut there = false;
        self.long_values(session).visit(chunk, &mut |key, _| {
            there = key == chunk;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(!there)
    }

    /// Will a value without references be removed?
    fn awaits_removal(&self, session: &Session, lid: Lid) -> bool {
        let (instance, key) = (session.instance(), root_key(lid));
        self.long_tree().is_some_and(|LongTree { tree, .. }| {
            instance.versions.has_versions(&tree, &key, &[])
                || instance.unreferenced.has(&tree, &key)
        })
    }

    fn expected_entries(
        &self,
        session: &Session,
        index: &SecondaryIndex,
    ) -> Result<BTreeSet<(Vec<u8>, Vec<u8>)>> {
        let (mut expected, mut made) = (BTreeSet::new(), Ok(()));
        let mut at = Position::default();
        self.scan(session, Start::End, Direction::Forward, &mut at, |row| {
            let mut bookmark = Vec::new();
            row.append_key(&mut bookmark);
            match index.keys_of(self, &self.schema, session, row.record) {
                Ok(keys) => {
                    expected.extend(keys.into_iter().map(|key| (key, bookmark.clone())));
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    made = Err(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        made.map(|()| expected)
    }
}
