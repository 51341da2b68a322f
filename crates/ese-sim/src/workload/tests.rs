use super::*;

#[test]
fn the_same_seed_makes_the_same_steps() {
    let profile = Profile::mixed(4096);
    assert_eq!(Workload::generate(3, &profile), Workload::generate(3, &profile));
    assert_ne!(Workload::generate(3, &profile).steps, Workload::generate(4, &profile).steps);
}

/// Follows the steps on plain maps and refuses whatever a store would have to refuse.
#[test]
fn every_step_fits_what_was_done_before() {
    for seed in 0..60 {
        let workload = Workload::generate(seed, &Profile::mixed(4096));
        let mut committed = Model::default();
        // Each level holds the whole content as its session sees it, and the changes.
        let mut open: HashMap<usize, Vec<(Model, Vec<RowOp>)>> = HashMap::new();
        for step in &workload.steps {
            match step {
                Step::CreateTable { table, .. } => {
                    assert!(open.values().all(Vec::is_empty));
                    assert!(committed.apply(&RowOp::CreateTable { table: table.clone() }));
                }
                Step::Begin { session } => {
                    let levels = open.entry(*session).or_default();
                    let view = levels.last().map_or(&committed, |(view, _)| view).clone();
                    levels.push((view, Vec::new()));
                    assert!(levels.len() <= workload.profile.depth);
                }
                Step::Row { session, op } => {
                    let (view, ops) = open.get_mut(session).unwrap().last_mut().unwrap();
                    assert!(view.apply(op), "seed {seed}: {op:?}");
                    ops.push(op.clone());
                }
                Step::Read { session, table, key, value } => {
                    let (view, _) = open.get(session).unwrap().last().unwrap();
                    assert_eq!(view.tables[table].get(key), value.as_ref(), "seed {seed}");
                }
                Step::Commit { session, .. } => {
                    let levels = open.get_mut(session).unwrap();
                    let (view, ops) = levels.pop().unwrap();
                    match levels.last_mut() {
                        Some((outer, all)) => {
                            *outer = view;
                            all.extend(ops);
                        }
                        None => {
                            // First writer wins: the changes fit the newest content as well.
                            ops.iter().for_each(|op| assert!(committed.apply(op), "{op:?}"));
                        }
                    }
                }
                Step::Rollback { session } => {
                    open.get_mut(session).unwrap().pop().unwrap();
                }
                Step::Restart => assert!(open.values().all(Vec::is_empty)),
                Step::Checkpoint
                | Step::Flush
                | Step::RollLog
                | Step::Backup
                | Step::Defragment
                | Step::Shrink => {}
            }
        }
        assert!(open.values().all(Vec::is_empty), "all transactions end");
        assert_eq!(*workload.history().model(), committed);
    }
}

#[test]
fn workloads_contain_all_kinds_of_steps_and_sizes() {
    let mut kinds: HashMap<&str, usize> = HashMap::new();
    let (mut shortest, mut longest, mut deepest) = (usize::MAX, 0, 0);
    for seed in 0..40 {
        let workload = Workload::generate(seed, &Profile::mixed(4096));
        let mut depth: HashMap<usize, usize> = HashMap::new();
        for step in workload.steps {
            let kind = match step {
                Step::CreateTable { .. } => "create table",
                Step::Begin { session } => {
                    let depth = depth.entry(session).or_default();
                    *depth += 1;
                    deepest = deepest.max(*depth);
                    "begin"
                }
                Step::Row { op: RowOp::Insert { key, value, .. }, .. } => {
                    assert!(key.len() <= 200);
                    shortest = shortest.min(value.len());
                    longest = longest.max(value.len());
                    "insert"
                }
                Step::Row { op: RowOp::Replace { .. }, .. } => "replace",
                Step::Row { op: RowOp::Delete { .. }, .. } => "delete",
                Step::Row { op: RowOp::CreateTable { .. }, .. } => unreachable!(),
                Step::Read { value: Some(_), .. } => "read",
                Step::Read { value: None, .. } => "read nothing",
                Step::Commit { session, durable } => {
                    *depth.entry(session).or_default() -= 1;
                    if durable { "commit" } else { "lazy commit" }
                }
                Step::Rollback { session } => {
                    *depth.entry(session).or_default() -= 1;
                    "rollback"
                }
                Step::Checkpoint => "checkpoint",
                Step::Flush => "flush",
                Step::RollLog => "roll",
                Step::Backup => "backup",
                Step::Defragment => "defragment",
                Step::Shrink => "shrink",
                Step::Restart => "restart",
            };
            *kinds.entry(kind).or_default() += 1;
        }
    }
    assert_eq!(kinds.len(), 17, "{kinds:?}");
    assert!(kinds.values().all(|count| *count >= 5), "{kinds:?}");
    assert_eq!((shortest, deepest), (0, 3));
    assert!(longest > 3500, "{longest}");
}

#[test]
fn a_profile_without_chores_makes_none() {
    let quiet = Profile {
        checkpoint_of_1000: 0,
        flush_of_1000: 0,
        roll_of_1000: 0,
        backup_of_1000: 0,
        defragment_of_1000: 0,
        shrink_of_1000: 0,
        restart_of_1000: 0,
        read_of_100: 0,
        ..Profile::small(4096)
    };
    let workload = Workload::generate(1, &quiet);
    let rows = workload.steps.iter().filter(|step| matches!(step, Step::Row { .. })).count();
    assert!(rows > 50);
    let other = |step: &&Step| {
        !matches!(
            step,
            Step::Row { .. }
                | Step::Begin { .. }
                | Step::Commit { .. }
                | Step::Rollback { .. }
                | Step::CreateTable { .. }
        )
    };
    assert_eq!(workload.steps.iter().find(other), None);
}
