//! Pages that records are about to change are brought to memory and verified by the thread that
//! reads the log ahead. Whether that succeeds means nothing: redo looks at the page itself.

use std::{collections::HashSet, sync::Arc};

use ese_base::Pgno;
use ese_log::{Foresight, LoggedPage};
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
    /// Pages that were brought: to look at them again would only take their latches from redo.
    brought: Mutex<HashSet<LoggedPage>>,
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
    fn is_new(&self, page: LoggedPage) -> bool {
        let mut brought = self.brought.lock();
        if brought.len() >= BROUGHT_MAX {
            brought.clear();
        }
        brought.insert(page)
    }
}

impl Foresight for Preload {
    fn is_coming(&self, page: LoggedPage) {
        let open = self.open.read();
        let Some(db) = open.iter().find(|db| db.dbid == page.0) else { return };
        if db.was_in_file(page.1) && self.is_new(page) {
            drop(db.cache.read(page.1));
            // When it is changed, it takes a frame, whose memory is best got here, too.
            db.cache.make_frames_ahead();
        }
    }

    fn is_next(&self, pages: &[LoggedPage]) {
        for db in self.open.read().iter() {
            let own = pages.iter().filter(|(dbid, _)| *dbid == db.dbid);
            db.cache.is_next(own.map(|(_, pgno): &(_, Pgno)| *pgno));
        }
    }
}
