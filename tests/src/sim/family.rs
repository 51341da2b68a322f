//! Families of workloads: each drives one part of the engine hard.

use ese_base::PageSize;
use ese_engine::instance::ShrinkMode;
use ese_sim::workload::Profile;

use super::store::Settings;

/// A kind of workload with its settings.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name, for messages and `ESE_FAMILY`.
    pub name: &'static str,
    /// Changes what is small and plain.
    shape: fn(&mut Profile, &mut Settings),
}

impl Family {
    /// The workload's profile and the engine's settings for a page size.
    #[must_use]
    pub fn at(&self, page_size: PageSize) -> (Profile, Settings) {
        let mut profile = Profile::small(page_size.bytes());
        let mut settings = Settings::new(page_size);
        // Each family adds what it is about.
        profile.backup_of_1000 = 0;
        (profile.defragment_of_1000, profile.shrink_of_1000) = (0, 0);
        profile.restart_of_1000 = 0;
        (self.shape)(&mut profile, &mut settings);
        (profile, settings)
    }
}

/// All families.
#[must_use]
pub fn families() -> &'static [Family] {
    FAMILIES
}

const FAMILIES: &[Family] = &[
    // Commits and rollbacks, one after another.
    Family { name: "load", shape: |_, _| {} },
    // Small durable commits: the same log segment is written again and again.
    Family {
        name: "small",
        shape: |profile, _| {
            (profile.rows_max, profile.value_bytes_max, profile.key_bytes_max) = (1, 40, 16);
            (profile.tables, profile.transactions, profile.durable_of_100) = (1, 120, 95);
        },
    },
    // Sessions side by side, nested transactions.
    Family {
        name: "mixed",
        shape: |profile, _| {
            (profile.sessions, profile.depth, profile.transactions) = (3, 3, 60);
            profile.rollback_of_100 = 30;
        },
    },
    // Pages are written and the checkpoint moves all the time.
    Family {
        name: "checkpoint",
        shape: |profile, settings| {
            (profile.checkpoint_of_1000, profile.flush_of_1000) = (400, 150);
            settings.checkpoint_depth = 16 << 10;
            settings.background_one_of = 3;
        },
    },
    // A new log file every few steps.
    Family {
        name: "roll",
        shape: |profile, _| {
            (profile.roll_of_1000, profile.checkpoint_of_1000) = (120, 150);
            profile.keys = 30;
        },
    },
    // Log files that are used again.
    Family {
        name: "circular",
        shape: |profile, settings| {
            (profile.roll_of_1000, profile.checkpoint_of_1000) = (100, 250);
            settings.circular = true;
            settings.checkpoint_depth = 32 << 10;
            settings.background_one_of = 3;
        },
    },
    // Hardly anything but log files that are used again.
    Family {
        name: "recycle",
        shape: |profile, settings| {
            (profile.roll_of_1000, profile.checkpoint_of_1000) = (450, 450);
            (profile.rows_max, profile.value_bytes_max, profile.key_bytes_max) = (2, 40, 16);
            (profile.tables, profile.durable_of_100) = (1, 95);
            settings.circular = true;
            settings.checkpoint_depth = 8 << 10;
            settings.background_one_of = 2;
        },
    },
    // Log files that are used again, full of sectors of equal words: a sector that a torn write
    // left old changes no parity.
    Family {
        name: "plain",
        shape: |profile, settings| {
            profile.plain_of_3 = 3;
            profile.value_bytes_min = profile.value_bytes_max.min(4096) * 3 / 4;
            profile.value_bytes_max = profile.value_bytes_max.min(4096);
            (profile.key_bytes_max, profile.rows_max, profile.durable_of_100) = (12, 2, 95);
            (profile.roll_of_1000, profile.checkpoint_of_1000) = (60, 250);
            settings.circular = true;
            settings.checkpoint_depth = 32 << 10;
            settings.background_one_of = 3;
        },
    },
    // The database file grows: one row fills most of a page.
    Family {
        name: "growth",
        shape: |profile, _| {
            profile.value_bytes_min = profile.value_bytes_max - 200;
            (profile.transactions, profile.rows_max, profile.keys) = (45, 24, 200);
            (profile.tables, profile.rollback_of_100) = (2, 8);
        },
    },
    // Trees of three levels: long keys that are hard to shorten, few rows on a leaf.
    Family {
        name: "deep",
        shape: |profile, _| {
            profile.value_bytes_min = profile.value_bytes_max / 3;
            profile.key_bytes_max = 200;
            (profile.transactions, profile.rows_max, profile.keys) = (30, 20, 240);
            (profile.tables, profile.rollback_of_100) = (1, 8);
        },
    },
    // Values outside of their rows, some of many chunks: made, replaced, taken back, deleted.
    Family {
        name: "long",
        shape: |profile, settings| {
            profile.value_bytes_max = (4 * profile.value_bytes_max).min(40_000);
            (profile.sessions, profile.depth, profile.keys) = (2, 2, 25);
            (profile.transactions, profile.rows_max) = (40, 6);
            profile.rollback_of_100 = 25;
            settings.long_values = true;
        },
    },
    // Trees that empty and fill again: leaves are merged and freed, whole trees emptied.
    Family {
        name: "shrink",
        shape: |profile, _| {
            profile.value_bytes_min = profile.value_bytes_max / 3;
            (profile.delete_of_100, profile.keys) = (85, 40);
            (profile.transactions, profile.rows_max) = (40, 24);
            (profile.tables, profile.rollback_of_100) = (2, 12);
            profile.defragment_of_1000 = 20;
        },
    },
    // The file grows and is cut off, on request, at work and at an orderly end, and is backed up
    // before and after.
    Family {
        name: "trim",
        shape: |profile, settings| {
            profile.value_bytes_min = profile.value_bytes_max - 200;
            (profile.delete_of_100, profile.keys) = (35, 300);
            (profile.transactions, profile.rows_max) = (45, 30);
            (profile.tables, profile.rollback_of_100) = (2, 10);
            (profile.defragment_of_1000, profile.shrink_of_1000) = (10, 40);
            profile.restart_of_1000 = 20;
            (profile.backup_of_1000, settings.restore_sets) = (15, true);
            settings.shrink = ShrinkMode::Always;
        },
    },
    // Databases that are rebuilt in new files between an orderly end and the next start.
    Family {
        name: "compact",
        shape: |profile, settings| {
            profile.value_bytes_min = profile.value_bytes_max / 4;
            (profile.delete_of_100, profile.transactions, profile.rows_max) = (40, 24, 16);
            profile.restart_of_1000 = 120;
            (settings.compact, settings.two_databases) = (true, true);
        },
    },
    // Orderly ends and starts; two databases in one transaction; attach and detach.
    Family {
        name: "restart",
        shape: |profile, settings| {
            profile.restart_of_1000 = 200;
            profile.transactions = 30;
            settings.two_databases = true;
            settings.detach = true;
        },
    },
    // Older copies of the databases come back after an orderly end, and later crashes are recovered
    // without a checkpoint.
    Family {
        name: "older",
        shape: |profile, settings| {
            (profile.restart_of_1000, profile.transactions) = (80, 24);
            (profile.roll_of_1000, profile.checkpoint_of_1000) = (40, 60);
            (profile.backup_of_1000, settings.restore_sets) = (15, true);
            (settings.two_databases, settings.put_back) = (true, true);
        },
    },
    // Recoveries in stages: redo to some place, to the end, and then with undo.
    Family {
        name: "stages",
        shape: |profile, settings| {
            (profile.sessions, profile.transactions, profile.rollback_of_100) = (2, 30, 25);
            (profile.roll_of_1000, profile.checkpoint_of_1000) = (60, 150);
            profile.restart_of_1000 = 40;
            (settings.staged_recovery, settings.background_one_of) = (true, 4);
        },
    },
    // Backups between transactions, whole, stopped, with and without truncation.
    Family {
        name: "backup",
        shape: |profile, settings| {
            (profile.backup_of_1000, profile.transactions) = (25, 30);
            settings.restore_sets = true;
            profile.checkpoint_of_1000 = 120;
        },
    },
];
