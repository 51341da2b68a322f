//! Entering what others have changed in new indexes.
//!
//! The indexes are filled with the rows that the transaction which makes them sees. Then the
//! changes that it does not see are followed, one after the other: each row had keys before and has
//! others after. Changes of rows wait meanwhile, so nothing is added to them; what is taken back
//! before its turn is passed over. From then on the indexes are kept up like all others.
//!
//! Committed transactions come first, in the order of their commits. Where two open ones want the
//! same key of a unique index nobody can say what comes of it: that is a duplicate, as if the index
//! had been there before them.

use std::sync::Arc;

use ese_base::{Error, JetErr, ObjId, Result};

use crate::{
    session::{EntryChange, Session},
    table::{Keys, SecondaryIndex, Table, duplicate_key},
    tree,
    version::UnseenChange,
};

/// Follows changes of rows in the indexes with these object ids.
pub(super) fn follow(
    session: &mut Session,
    table: &Table,
    objids: &[ObjId],
    unseen: &[UnseenChange],
) -> Result<()> {
    let indexes = table.secondary_indexes().iter();
    let new: Vec<_> = indexes.filter(|index| objids.contains(&index.schema.objid)).collect();
    unseen.iter().try_for_each(|change| follow_one(session, table, &new, change))
}

/// An entry that comes (or goes) with a change of its row.
struct Entry<'t> {
    index: &'t SecondaryIndex,
    key: Vec<u8>,
    comes: bool,
}

fn follow_one(
    session: &mut Session,
    table: &Table,
    indexes: &[&Arc<SecondaryIndex>],
    change: &UnseenChange,
) -> Result<()> {
    let Some(images) = images(session, table, change)? else { return Ok(()) };
    let entries = entries_of(session, table, indexes, images)?;
    if entries.is_empty() {
        return Ok(());
    }
    // From here on the change is not taken back, and its transaction stays open if it is.
    let mut proxied = change.trx.proxied();
    if !session.instance().versions.has_change(&table.tree, &change.key, change.rceid) {
        return Ok(());
    }
    for Entry { index, key, comes } in entries {
        let (tree, bookmark) = (&index.tree, &*change.key);
        let entry = EntryChange { tree, key: &key, bookmark, comes };
        let followed = session.follow_in(&table.db, change, &mut proxied, entry);
        followed.map_err(|error| match error.code() {
            JetErr::KeyDuplicate => duplicate_key(&index.schema),
            _ => error,
        })?;
    }
    Ok(())
}

/// What goes from the indexes and what comes to them where a row changes.
fn entries_of<'t>(
    session: &Session,
    table: &Table,
    indexes: &[&'t Arc<SecondaryIndex>],
    [before, after]: [Option<Vec<u8>>; 2],
) -> Result<Vec<Entry<'t>>> {
    let mut entries = Vec::new();
    if before == after {
        return Ok(entries);
    }
    for index in indexes {
        let keys = |record: Option<&[u8]>| {
            let mut keys = match record {
                Some(record) => index.keys_of(table, &table.schema, session, record)?,
                None => Keys::new(),
            };
            keys.sort_unstable();
            Ok::<_, Error>(keys)
        };
        let (old, new) = (keys(before.as_deref())?, keys(after.as_deref())?);
        let entry = |key: &Vec<u8>, comes| Entry { index, key: key.clone(), comes };
        let gone = old.iter().filter(|key| new.binary_search(key).is_err());
        let come = new.iter().filter(|key| old.binary_search(key).is_err());
        let (gone, come) = (gone.map(|key| entry(key, false)), come.map(|key| entry(key, true)));
        entries.extend(gone.chain(come));
    }
    Ok(entries)
}

/// The row before a change and after it, which is certain if the change is not taken back. `None`:
/// it was.
fn images(
    session: &Session,
    table: &Table,
    change: &UnseenChange,
) -> Result<Option<[Option<Vec<u8>>; 2]>> {
    let (key, seat) = (&*change.key, usize::from(session.procid().0));
    let found = tree::seek_guided(&table.db.cache, &table.tree, seat, key, &[])?;
    let Ok(line) = found.line else { return Ok(None) };
    let node = found.leaf.page().node(line);
    let (versions, shown) = (&session.instance().versions, (node.data, node.is_deleted()));
    Ok(versions.images(&table.tree, key, change.rceid, shown))
}
