//! The rule against a writer who commits all the time, on a device whose flushes wait for what a
//! copy has written. Time passes only when somebody sleeps.

use ese_os::Clock;

use super::*;
use crate::testing::{Committer, Setup};

const MICROS: fn(u64) -> Duration = Duration::from_micros;

/// A copy that works, and what becomes of the writer's rounds.
struct Model {
    setup: Setup,
    rests: Rests,
}

impl Model {
    /// `usual`: what a round takes; without it nobody commits.
    fn new(usual: Option<Duration>) -> Model {
        let (setup, _disk) = Setup::on_sim(&[("a.edb", 7)]);
        let mut model = Model { setup, rests: Rests::default() };
        model.rests.skip(&*model.setup.instance);
        let now = model.clock().monotonic();
        *model.setup.instance.committer.lock() = usual.map(|usual| Committer::new(usual, now));
        model
    }

    fn clock(&self) -> &dyn Clock {
        &*self.setup.instance.env.clock
    }

    /// A piece of work that takes `work`; then the next round takes `delay` longer. The value is
    /// the time of the rest.
    fn piece(&mut self, work: Duration, delay: Duration) -> Duration {
        let instance = &*self.setup.instance;
        self.rests.others_commit(instance);
        self.clock().sleep(work);
        if let Some(committer) = &mut *instance.committer.lock() {
            committer.delay(delay);
        }
        let begun = self.clock().monotonic();
        self.rests.rest(instance, &|| true);
        self.clock().monotonic() - begun
    }

    fn rounds(&self) -> u32 {
        u32::try_from(self.setup.instance.round_times().ended).unwrap()
    }

    /// The part of its rounds that the writer keeps beside some pieces of work, in percent.
    fn kept(&mut self, usual: Duration, pieces: u32, work: Duration, delay: Duration) -> u128 {
        let (begun, before) = (self.clock().monotonic(), self.rounds());
        for _ in 0..pieces {
            self.piece(work, delay);
        }
        let time = self.clock().monotonic() - begun;
        100 * (usual * (self.rounds() - before)).as_nanos() / time.as_nanos()
    }
}

#[test]
fn who_commits_keeps_most_of_the_rounds() {
    for (usual, work, delay) in
        [(200, 150, 1000), (200, 2000, 5000), (100, 300, 300), (2000, 400, 3000), (6000, 400, 5000)]
    {
        let [usual, work, delay] = [usual, work, delay].map(MICROS);
        let mut model = Model::new(Some(usual));
        let kept = model.kept(usual, 1000, work, delay);
        assert!((85..=95).contains(&kept), "{usual:?} {work:?} {delay:?}: {kept} %");
    }
}

#[test]
fn a_copy_that_delays_nobody_waits_for_two_rounds_at_most() {
    let mut model = Model::new(Some(MICROS(200)));
    let begun = model.clock().monotonic();
    for _ in 0..10_000 {
        model.piece(MICROS(400), Duration::ZERO);
    }
    let time = model.clock().monotonic() - begun;
    // The round that runs and the next, as it is looked at, and now and then some more.
    let rest = 2 * MICROS(200) + LOOK_MIN;
    assert!(time < (MICROS(400) + rest) * 10_100, "{time:?}");
    let mut alone = Model::new(None);
    for _ in 0..1000 {
        assert_eq!(alone.piece(MICROS(400), Duration::ZERO), Duration::ZERO);
    }
}

#[test]
fn rests_follow_what_a_round_usually_takes() {
    let mut model = Model::new(Some(MICROS(200)));
    model.kept(MICROS(200), 500, MICROS(300), MICROS(1000));
    // The device becomes slower for everybody, and then quicker than it was.
    for usual in [1000, 100].map(MICROS) {
        let now = model.clock().monotonic();
        *model.setup.instance.committer.lock() = Some(Committer::new(usual, now));
        model.rests.skip(&*model.setup.instance);
        model.kept(usual, 2000, MICROS(300), MICROS(1000));
        let kept = model.kept(usual, 1000, MICROS(300), MICROS(1000));
        assert!((85..=95).contains(&kept), "{usual:?}: {kept} %");
    }
}

#[test]
fn a_copy_comes_to_its_end_on_a_device_that_is_always_late() {
    let mut model = Model::new(Some(MICROS(200)));
    for _ in 0..200 {
        let rest = model.piece(MICROS(300), Duration::from_millis(500));
        assert!(rest <= LONGEST + LOOK_MAX, "{rest:?}");
    }
}

#[test]
fn a_stop_ends_a_rest_at_once() {
    let mut model = Model::new(Some(MICROS(200)));
    model.kept(MICROS(200), 100, MICROS(300), MICROS(1000));
    let instance = &*model.setup.instance;
    instance.committer.lock().as_mut().unwrap().delay(Duration::from_millis(400));
    model.clock().sleep(Duration::from_millis(3));
    let begun = model.clock().monotonic();
    let stop_at = begun + Duration::from_millis(7);
    model.rests.rest(instance, &|| instance.env.clock.monotonic() < stop_at);
    let rest = instance.env.clock.monotonic() - begun;
    assert!(rest >= Duration::from_millis(7) && rest <= Duration::from_millis(8), "{rest:?}");
}

#[test]
fn rests_end_with_who_commits() {
    let mut model = Model::new(Some(MICROS(200)));
    model.kept(MICROS(200), 100, MICROS(300), MICROS(1000));
    *model.setup.instance.committer.lock() = None;
    model.rests.skip(&*model.setup.instance);
    model.clock().sleep(LINGER + LEARN_EVERY);
    for _ in 0..1000 {
        assert_eq!(model.piece(MICROS(300), Duration::ZERO), Duration::ZERO);
    }
}
