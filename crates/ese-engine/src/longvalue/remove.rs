//! Taking away values to which no row refers.

use std::ops::ControlFlow;

use ese_base::{Result, plant};
use ese_pages::{NodeFlags, fence::LogFence};

use super::{Root, lid_of_root};
use crate::{
    database::Database,
    tree::{self, Direction, Position, Start, TreeHandle, Unversioned, Writer},
};

/// Nodes that are removed at a time: few, because the cache is asked for room only before them.
const AT_A_TIME: usize = 8;

/// Removes a value, if its count of references is zero. For recovery, where nobody else is at work.
///
/// # Errors
/// The page cache's and the log's.
pub(crate) fn remove_value(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    root: &[u8],
    fence: &dyn LogFence,
) -> Result<()> {
    let mut goes_on = true;
    while goes_on {
        db.cache.throttle(fence)?;
        goes_on = remove_some(db, tree, writer, root)?;
    }
    Ok(())
}

/// Removes some nodes of a value whose count of references is zero, and the root last: as long as
/// it is there, a crash leaves behind what recovery finds. Says whether there may be more. The
/// caller knows that the root has no versions; nobody can see the value then, or come to. It has
/// also seen to it that the cache has room, at a moment when nobody waits for its locks.
///
/// # Errors
/// The page cache's and the log's.
pub(crate) fn remove_some(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    root: &[u8],
) -> Result<bool> {
    let (mut nodes, mut unneeded, mut more) = (Vec::with_capacity(AT_A_TIME), false, false);
    let start = Start::At { key: root, data: &[] };
    let mut at = Position::default();
    tree::scan(&db.cache, &tree.view(), start, Direction::Forward, &mut at, |node| {
        let key = node.key_to_vec();
        if key == root {
            // Flag-deleted it is if a crash came between the two steps in which it goes.
            let deleted = node.flags.contains(NodeFlags::DELETED);
            unneeded = deleted || Root::parse(node.data).is_some_and(|root| root.references == 0);
        }
        let goes = unneeded && (key == root || is_chunk(&key, root));
        more = goes && nodes.len() == AT_A_TIME;
        if !goes || more {
            return ControlFlow::Break(());
        }
        nodes.push((key, node.flags.contains(NodeFlags::DELETED)));
        ControlFlow::Continue(())
    })?;
    if plant!("engine-root-before-chunks") {
        (more, _) = (false, nodes.reverse());
    }
    // The root, which stands first, goes with the last ones.
    for (key, deleted) in nodes.iter().skip(usize::from(more)).rev() {
        remove_node(db, tree, writer, (key, *deleted))?;
    }
    Ok(more)
}

fn is_chunk(key: &[u8], root: &[u8]) -> bool {
    key.len() == root.len() + 4 && key.starts_with(root) && lid_of_root(root).is_some()
}

fn remove_node(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    (key, deleted): (&[u8], bool),
) -> Result<()> {
    if !deleted {
        let at = &mut Position::default();
        tree::flag_delete(db, tree, writer, &Unversioned, at, key, &[])?;
    }
    tree::delete_node(db, tree, writer, key, &[], &|| true)?;
    Ok(())
}
