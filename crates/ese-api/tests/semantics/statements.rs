//! Every statement has a test, or a reason why it can have none here.

/// Sections, with the number of their statements.
const SECTIONS: [(u32, u32); 16] = [
    (1, 8),
    (2, 7),
    (3, 11),
    (4, 4),
    (5, 11),
    (6, 14),
    (7, 15),
    (8, 10),
    (9, 11),
    (10, 11),
    (11, 5),
    (12, 13),
    (13, 12),
    (14, 7),
    (15, 6),
    (17, 2),
];

/// What is about lengths and pointers of the C interface.
const ELSEWHERE: [(u32, u32, &str); 4] = [
    (1, 4, "structures come by type: their size is no argument"),
    (1, 5, "a value comes with its length"),
    (3, 6, "a value comes whole: there is no buffer that could be absent or too short"),
    (9, 10, "a JET_SETINFO comes by type"),
];

const SOURCES: [&str; 20] = [
    include_str!("s01_handles.rs"),
    include_str!("s02_instances.rs"),
    include_str!("s03_parameters.rs"),
    include_str!("s04_sessions.rs"),
    include_str!("s05_transactions.rs"),
    include_str!("s06_currency.rs"),
    include_str!("s07_keys.rs"),
    include_str!("s08_updates.rs"),
    include_str!("s09_set.rs"),
    include_str!("s10_retrieve.rs"),
    include_str!("s11_defaults.rs"),
    include_str!("s11_special.rs"),
    include_str!("s12_indexes.rs"),
    include_str!("s12_text.rs"),
    include_str!("s13_info.rs"),
    include_str!("s13_tables.rs"),
    include_str!("s14_databases.rs"),
    include_str!("s14_modes.rs"),
    include_str!("s15_temporary.rs"),
    include_str!("s17_callbacks.rs"),
];

#[test]
fn every_statement_has_a_test_or_a_reason() {
    let tested = |section: u32, number: u32| {
        let name = format!("fn s{section}_{number:02}_");
        SOURCES.iter().any(|source| source.contains(&name))
    };
    for (section, count) in SECTIONS {
        for number in 1..=count {
            let reason = ELSEWHERE.iter().any(|(s, n, _)| (*s, *n) == (section, number));
            assert_ne!(tested(section, number), reason, "statement {section}.{number}");
        }
    }
}
