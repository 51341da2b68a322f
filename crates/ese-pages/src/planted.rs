//! The planted bugs of this crate, each caught by a test of it:
//! `RUSTFLAGS="--cfg plant" cargo test -p ese-pages planted`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ese_base::plant;

use crate::{cache, db_file, dblwr};

/// Runs a test with the bug; it must fail, and the bug must have fired.
fn catches(bug: &str, test: fn()) {
    let (survived, hits) = plant::with(bug, || catch_unwind(AssertUnwindSafe(test)).is_ok());
    assert!(hits > 0, "{bug}: the test did not come by");
    assert!(!survived, "{bug}: the test did not notice");
}

#[test]
fn every_planted_bug_is_caught() {
    use cache::tests::{flushing, guards};
    let fence: fn() =
        flushing::a_batch_goes_to_the_log_fence_the_side_file_and_the_database_in_this_order;
    let changed: fn() =
        flushing::a_page_changed_while_it_is_flushed_stays_dirty_from_that_change_on;
    let latched: fn() = guards::a_page_latched_for_writing_holds_the_checkpoint_before_its_record;
    let header: fn() =
        db_file::tests::a_power_cut_in_a_header_update_leaves_the_old_or_the_new_header;
    let torn: fn() = dblwr::tests::no_power_cut_tears_a_page;
    for (bug, test) in [
        ("pages-skip-fence", fence),
        ("pages-forget-change-during-flush", changed),
        ("pages-announce-no-change", latched),
        ("pages-skip-database-sync", torn),
        ("pages-skip-double-write-sync", torn),
        ("pages-skip-double-write-name-sync", torn),
        ("pages-header-copies-at-once", header),
        ("pages-trust-damaged-header", header),
    ] {
        catches(bug, test);
    }
}
