//! The planted bugs of this crate, each caught by a test of it:
//! `RUSTFLAGS="--cfg plant" cargo test -p ese-log planted`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ese_base::plant;

use crate::{checkpoint, layout, reader, writer};

/// Runs a test with the bug; it must fail, and the bug must have fired.
fn catches(bug: &str, test: fn()) {
    let (survived, hits) = plant::with(bug, || catch_unwind(AssertUnwindSafe(test)).is_ok());
    assert!(hits > 0, "{bug}: the test did not come by");
    assert!(!survived, "{bug}: the test did not notice");
}

#[test]
fn every_planted_bug_is_caught() {
    use layout::segment_tests as segment;
    use reader::tests::{damage, foreign};
    use writer::tests::{crash, stream, tail};
    let cut: fn() = crash::no_power_cut_loses_an_acknowledged_record;
    let again: fn() = crash::no_power_cut_mixes_up_generations_whose_files_are_used_again;
    let sectors: fn() = tail::no_subset_of_sectors_loses_an_acknowledged_record;
    let kill: fn() = crash::a_killed_process_finds_everything_that_was_written;
    let kill_and_cut: fn() = crash::a_kill_and_then_a_power_cut_lose_nothing_acknowledged;
    let mixture: fn() = segment::a_mixture_that_the_segment_checksum_alone_would_accept_is_noticed;
    let damaged: fn() = damage::damage_before_durable_data_is_told_with_generation_and_position;
    let unfinished: fn() = foreign::going_on_after_an_unfinished_record_removes_its_pieces;
    let told: fn() =
        stream::a_roll_ends_the_generation_and_tells_the_observer_before_anything_is_durable;
    let failed: fn() = stream::after_a_failed_write_or_sync_nothing_is_acknowledged_any_more;
    let pins: fn() = stream::circular_logging_keeps_what_checkpoint_and_pins_need_and_two_more;
    let halves: fn() = checkpoint::tests::a_power_cut_leaves_the_old_or_the_new_checkpoint;
    for (bug, test) in [
        ("log-skip-sync", cut),
        ("log-settle-unsynced", cut),
        ("log-acknowledge-early", failed),
        ("log-skip-header-sync", cut),
        ("log-skip-name-sync", cut),
        ("log-keep-remains", cut),
        ("log-prefer-own-version", cut),
        ("log-rewrite-in-place", sectors),
        ("log-skip-settling-sync", sectors),
        ("log-finish-over-the-holder", sectors),
        ("log-skip-mirror", kill),
        ("log-resume-without-sync", kill_and_cut),
        ("log-skip-recycled-name-sync", again),
        ("log-trust-checksum-alone", mixture),
        ("log-ignore-later-data", damaged),
        ("log-keep-unfinished", unfinished),
        ("log-roll-untold", told),
        ("log-ignore-pins", pins),
        ("log-checkpoint-copies-at-once", halves),
    ] {
        catches(bug, test);
    }
}
