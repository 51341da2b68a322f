//! Pages that records are about to change are brought to memory and verified by the thread that
//! reads the log ahead. Whether that succeeds means nothing: redo looks at the page itself.

use std::{collections::HashSet, sync::Arc};

use ese_base::{Dbid, Iline, Pgno};
use ese_log::{Foresight, LoggedPlace};
use parking_lot::{Mutex, RwLock};

use crate::database::Database;

/// Pages that are remembered as brought; beyond, all are forgotten.
const BROUGHT_MAX: usize = 1 << 16;

/// The databases whose pages are to be there.
#[derive(Debug, Default)]
pub(super) struct Preload {
    /// Read while a page is brought, so that whoever takes a database out knows that nobody uses it
    /// any more.
    open: RwLock<Vec<Arc<Database>>>,
    /// Pages that were looked at: one that cannot be loaded is not tried again and again.
    brought: Mutex<HashSet<(Dbid, Pgno)>>,
}

impl Preload {
    /// Pages of these databases are brought from now on.
    pub(super) fn begin(&self, databases: Vec<Arc<Database>>) {
        *self.open.write() = databases;
    }

    /// From now on no database is used.
    pub(super) fn end(&self) {
        self.open.write().clear();
        // A number may be that of another database from now on.
        self.brought.lock().clear();
    }

    /// Was the page not brought yet, as far as is remembered?
    fn is_new(&self, dbid: Dbid, pgno: Pgno) -> bool {
        let mut brought = self.brought.lock();
        if brought.len() >= BROUGHT_MAX {
            brought.clear();
        }
        brought.insert((dbid, pgno))
    }
}

impl Foresight for Preload {
    fn is_coming(&self, places: &[LoggedPlace]) {
        for db in self.open.read().iter() {
            for (pgno, _) in places_in(db.dbid, places) {
                if db.was_in_file(pgno) && !db.cache.is_loaded(pgno) && self.is_new(db.dbid, pgno) {
                    drop(db.cache.read(pgno));
                    // When it is changed, it takes a frame, whose memory is best got here, too.
                    db.cache.make_frames_ahead();
                }
            }
            // Into the memory that the processors share.
            db.cache.will_change_soon(places_in(db.dbid, places));
        }
    }

    /// As [`Preload::is_coming`] does, and at the same time: memory that is new to the machine can
    /// take longer to get than all else.
    fn is_waited_for(&self) {
        self.open.read().iter().for_each(|db| db.cache.make_frames_ahead());
    }

    fn is_soon(&self, places: &[LoggedPlace]) {
        for db in self.open.read().iter() {
            db.cache.will_change_soon(places_in(db.dbid, places));
        }
    }

    fn is_next(&self, places: &[LoggedPlace]) {
        for db in self.open.read().iter() {
            db.cache.will_change_next(places_in(db.dbid, places));
        }
    }
}

fn places_in(
    dbid: Dbid,
    places: &[LoggedPlace],
) -> impl Iterator<Item = (Pgno, Option<Iline>)> + Clone {
    let own = places.iter().filter(move |place| place.dbid == dbid);
    own.map(|place| (place.pgno, place.iline))
}
