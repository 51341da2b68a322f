use super::*;
use crate::Random;

fn create(table: &str) -> RowOp {
    RowOp::CreateTable { table: table.into() }
}

fn insert(table: &str, key: &str, value: &str) -> RowOp {
    RowOp::Insert { table: table.into(), key: key.into(), value: value.into() }
}

fn replace(table: &str, key: &str, value: &str) -> RowOp {
    RowOp::Replace { table: table.into(), key: key.into(), value: value.into() }
}

fn delete(table: &str, key: &str) -> RowOp {
    RowOp::Delete { table: table.into(), key: key.into() }
}

fn history(commits: &[(bool, &[RowOp])]) -> History {
    let mut history = History::new(Model::default());
    for (at, (durable, ops)) in commits.iter().enumerate() {
        assert!(history.push(Commit { id: at as u64 + 1, durable: *durable, ops: ops.to_vec() }));
    }
    history
}

fn sample() -> History {
    history(&[
        (true, &[create("t")]),
        (false, &[insert("t", "a", "1"), insert("t", "b", "2")]),
        (true, &[replace("t", "a", "3")]),
        (false, &[delete("t", "b")]),
    ])
}

#[test]
fn changes_that_do_not_fit_are_refused() {
    let mut model = Model::default();
    assert!(!model.apply(&insert("t", "a", "1")), "no table");
    assert!(model.apply(&create("t")) && !model.apply(&create("t")));
    assert!(model.apply(&insert("t", "a", "1")) && !model.apply(&insert("t", "a", "1")));
    assert!(!model.apply(&replace("t", "b", "1")) && !model.apply(&delete("t", "b")));
    let mut history = sample();
    assert!(!history.push(Commit { id: 5, durable: true, ops: vec![delete("t", "b")] }));
    assert!(!history.push(Commit { id: 9, durable: true, ops: vec![] }));
    assert_eq!(history.commits().len(), 4);
}

#[test]
fn the_running_hash_equals_the_hash_of_the_content() {
    let history = sample();
    for prefix in 0..=4 {
        let state = history.state(prefix);
        assert_eq!(history.prefix_of(&state), Some(prefix));
    }
    assert_eq!(history.state(4), *history.model());
    let mut random = Random::new(4);
    let mut model = Model::default();
    model.apply(&create("t"));
    let mut long = History::new(model);
    for id in 1..200 {
        let key = random.below(20).to_string();
        let ops = match long.model().tables["t"].contains_key(key.as_bytes()) {
            true if random.chance(1, 2) => vec![delete("t", &key)],
            true => vec![replace("t", &key, &random.below(9).to_string())],
            false => vec![insert("t", &key, "x")],
        };
        assert!(long.push(Commit { id, durable: true, ops }));
        assert_eq!(long.hash, long.model().hash());
    }
}

#[test]
fn a_prefix_must_cover_what_was_promised() {
    let history = sample();
    assert_eq!([0, 1, 2, 3, 4, 99].map(|n| history.promised(n)), [0, 1, 1, 3, 3, 3]);
    assert_eq!(history.check(&history.state(3), 3), Ok(3));
    assert_eq!(history.check(&history.state(4), 3), Ok(4));
    let lost = history.check(&history.state(2), 3).unwrap_err();
    assert_eq!(lost, Mismatch::Lost { prefix: 2, promised: 3 });
    assert_eq!(lost.to_string(), "3 commits were promised, 2 are there");
}

#[test]
fn a_part_of_a_transaction_is_no_prefix_and_is_explained() {
    let history = sample();
    let mut half = history.state(1);
    half.apply(&insert("t", "b", "2"));
    let error = history.check(&half, 1).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Mismatch::NoPrefix { count: 1, promised: 1, .. }), "{text}");
    assert!(text.contains("nearest, 1 commits") || text.contains("nearest, 2 commits"), "{text}");
    assert!(history.check(&Model::default(), 0).is_ok());
    let mut foreign = history.state(1);
    foreign.apply(&create("u"));
    let text = history.check(&foreign, 0).unwrap_err().to_string();
    assert!(text.contains("table u should not be there"), "{text}");
}

#[test]
fn equal_contents_count_as_the_longer_prefix() {
    let history = history(&[
        (true, &[create("t")]),
        (true, &[insert("t", "a", "1")]),
        (true, &[delete("t", "a")]),
    ]);
    assert_eq!(history.check(&history.state(1), 3), Ok(3));
}

#[test]
fn contents_that_differ_in_any_part_hash_differently() {
    let model = |ops: &[RowOp]| {
        let mut model = Model::default();
        ops.iter().for_each(|op| assert!(model.apply(op)));
        model.hash()
    };
    let hashes = [
        model(&[]),
        model(&[create("t")]),
        model(&[create("t"), create("u")]),
        model(&[create("t"), insert("t", "a", "1")]),
        model(&[create("t"), insert("t", "1", "a")]),
        model(&[create("t"), create("u"), insert("t", "a", "1")]),
        model(&[create("t"), create("u"), insert("u", "a", "1")]),
        model(&[create("t"), insert("t", "a", ""), insert("t", "", "1")]),
    ];
    for (at, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..at].contains(hash), "{at}");
    }
}
