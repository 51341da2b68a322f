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

/// Low bits of a handle: its slot, counted from 1. High bits: how often the slot was used.
const SLOT_BITS: u32 = 24;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;

#[derive(Debug)]
struct Slot<T> {
    uses: u32,
    value: Option<Arc<T>>,
}

/// What the handles of one kind stand for.
#[derive(Debug)]
pub(super) struct HandleTable<T> {
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
}

impl<T> HandleTable<T> {
    pub(super) const fn new() -> HandleTable<T> {
        HandleTable { slots: Vec::new(), free: Vec::new() }
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
        let slot = self.slots.get_mut(index)?;
        let number = number.filter(|number| *number < SLOT_MASK)?;
        // Never so large that a handle could be all ones.
        slot.uses = (slot.uses + 1) & 0x7fff_ffff;
        let value = make(u64::from(slot.uses) << SLOT_BITS | number);
        slot.value = Some(Arc::clone(&value));
        Some(value)
    }

    fn index(&self, handle: u64) -> Option<usize> {
        let index = usize::try_from((handle & SLOT_MASK).checked_sub(1)?).ok()?;
        let slot = self.slots.get(index)?;
        (u64::from(slot.uses) == handle >> SLOT_BITS).then_some(index)
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
        let mut table = HandleTable::new();
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
}
