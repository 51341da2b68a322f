use std::sync::Arc;

use super::*;

fn write(file: u64, offset: u64, len: usize) -> Arc<Change> {
    Arc::new(Change::Write { file, offset, data: Arc::from(vec![1; len]) })
}

#[test]
fn the_first_plans_are_nothing_and_all() {
    let pending = [write(1, 0, 4096)];
    assert_eq!(Plan::numbered(0, &pending, 9), Some(Plan::Nothing));
    assert_eq!(Plan::numbered(1, &pending, 9), Some(Plan::All));
    let none: [Arc<Change>; 0] = [];
    assert_eq!(Plan::numbered(0, &none, 9), Some(Plan::Nothing));
    assert_eq!(Plan::numbered(1, &none, 9), None);
}

#[test]
fn every_change_is_dropped_alone_kept_alone_and_torn_and_every_prefix_occurs() {
    let pending: Vec<_> = (0..12).map(|at| write(1, at * 4096, 4096)).collect();
    let plans: Vec<Plan> =
        (0..400).filter_map(|number| Plan::numbered(number, &pending, 3)).collect();
    for one in 0..12 {
        assert!(plans.contains(&Plan::DropOne(one)), "drop {one}");
        assert!(plans.contains(&Plan::KeepOne(one)), "keep {one}");
        assert!(plans.contains(&Plan::Prefix(one)), "prefix {one}");
        let tears = |plan: &&Plan| matches!(plan, Plan::Torn { write, .. } if *write == one);
        assert!(plans.iter().filter(tears).count() >= 2, "torn {one}");
    }
    for plan in [Plan::LengthFirst, Plan::DataFirst, Plan::NamesOnly, Plan::DataOnly] {
        assert!(plans.contains(&plan), "{plan}");
    }
}

#[test]
fn sector_choices_keep_what_they_say() {
    let kept = |sectors: Sectors| (0..6).filter(|at| sectors.keeps(*at, 6)).collect::<Vec<u64>>();
    assert_eq!(kept(Sectors::Nothing), []);
    assert_eq!(kept(Sectors::All), [0, 1, 2, 3, 4, 5]);
    assert_eq!(kept(Sectors::Head(2)), [0, 1]);
    assert_eq!(kept(Sectors::Tail(2)), [4, 5]);
    assert_eq!(kept(Sectors::Middle(2)), [2, 3]);
    assert_eq!(kept(Sectors::Without(2)), [0, 1, 3, 4, 5]);
    assert_eq!(kept(Sectors::Some(4)), kept(Sectors::Some(4)));
}

#[test]
fn plans_say_what_they_do() {
    let plan = Plan::Torn { write: 3, sectors: Sectors::Head(2), length: true, rest: Rest::Before };
    assert_eq!(plan.to_string(), "write 3 torn (Head(2), with its length), those before survive");
}
