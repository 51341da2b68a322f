//! Handles: numbers that stand for instances, sessions and cursors.

use std::{fmt, sync::Arc};

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(pub u64);

        impl $name {
            /// No handle.
            pub const NIL: $name = $name(0);
            /// All ones: "nil" in the C interface.
            pub const ALL_ONES: $name = $name(u64::MAX);
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.0)
            }
        }

        impl From<u64> for $name {
            fn from(value: u64) -> $name {
                $name(value)
            }
        }
    };
}

handle! {
    /// An instance.
    JET_INSTANCE
}
handle! {
    /// A session.
    JET_SESID
}
handle! {
    /// A cursor.
    JET_TABLEID
}
handle! {
    /// An open file of a backup.
    JET_HANDLE
}

/// Number of a database in its instance, from 1.
pub type JET_DBID = u32;

/// Low bits of a handle: its slot, counted from 1. Above them: how often the slot was used. On top:
/// what it is a handle of, so that a session is not taken for an instance.
const SLOT_BITS: u32 = 24;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
const KIND_SHIFT: u32 = 56;

/// What a handle stands for; its number is the top byte of the handle.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Instance = 1,
    Session = 2,
    Cursor = 3,
}

#[derive(Debug)]
struct Slot<T> {
    uses: u32,
    value: Option<Arc<T>>,
}

/// What the handles of one kind stand for.
#[derive(Debug)]
pub(super) struct HandleTable<T> {
    kind: Kind,
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
}

impl<T> HandleTable<T> {
    pub(super) const fn new(kind: Kind) -> HandleTable<T> {
        HandleTable { kind, slots: Vec::new(), free: Vec::new() }
    }

    /// What handles have above their slot after so many uses of it.
    fn tag(&self, uses: u32) -> u64 {
        (self.kind as u64) << (KIND_SHIFT - SLOT_BITS) | u64::from(uses)
    }

    /// Gives a value a handle; `make` is told which. `None` if there are too many.
    pub(super) fn insert(&mut self, make: impl FnOnce(u64) -> Arc<T>) -> Option<Arc<T>> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(Slot { uses: 0, value: None });
                self.slots.len() - 1
            }
        };
        let number = u64::try_from(index).ok().map(|index| index + 1);
        let number = number.filter(|number| *number < SLOT_MASK)?;
        // Never so large that it would reach into the kind.
        let uses = (self.slots.get(index)?.uses + 1) & 0x7fff_ffff;
        let value = make(self.tag(uses) << SLOT_BITS | number);
        *self.slots.get_mut(index)? = Slot { uses, value: Some(Arc::clone(&value)) };
        Some(value)
    }

    fn index(&self, handle: u64) -> Option<usize> {
        let index = usize::try_from((handle & SLOT_MASK).checked_sub(1)?).ok()?;
        let slot = self.slots.get(index)?;
        (self.tag(slot.uses) == handle >> SLOT_BITS).then_some(index)
    }

    pub(super) fn find(&self, handle: u64) -> Option<Arc<T>> {
        self.slots.get(self.index(handle)?)?.value.clone()
    }

    pub(super) fn remove(&mut self, handle: u64) -> Option<Arc<T>> {
        let index = self.index(handle)?;
        let value = self.slots.get_mut(index)?.value.take()?;
        self.free.push(index);
        Some(value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Arc<T>> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_handle_is_not_taken_for_the_next_user_of_its_slot() {
        let mut table = HandleTable::new(Kind::Instance);
        let mut first = 0;
        table.insert(|handle| {
            first = handle;
            Arc::new("first")
        });
        assert_eq!(table.find(first).as_deref(), Some(&"first"));
        assert!(table.remove(first).is_some());
        assert!(table.remove(first).is_none());
        let mut second = 0;
        table.insert(|handle| {
            second = handle;
            Arc::new("second")
        });
        assert_ne!(first, second);
        assert_eq!(first & SLOT_MASK, second & SLOT_MASK, "the same slot");
        assert!(table.find(first).is_none());
        assert_eq!(table.find(second).as_deref(), Some(&"second"));
        for bad in [0, 1, u64::MAX, second + 1] {
            assert!(table.find(bad).is_none(), "{bad:#x}");
        }
        assert_eq!(table.values().count(), 1);
    }

    #[test]
    fn the_first_handles_of_two_kinds_differ() {
        let (mut sessions, mut cursors) =
            (HandleTable::new(Kind::Session), HandleTable::new(Kind::Cursor));
        let session = sessions.insert(Arc::new).unwrap();
        let cursor = cursors.insert(Arc::new).unwrap();
        assert_ne!(session, cursor);
        assert!(cursors.find(*session).is_none() && sessions.find(*cursor).is_none());
        assert_eq!(cursors.find(*cursor), Some(cursor));
    }
}
