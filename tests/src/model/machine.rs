//! The sessions, the store, and what happens next.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use ese_api::Instance;
use ese_base::{JetErr, PageSize, Result};
use ese_engine::{
    instance::Attached,
    session::{Durability, Session},
};
use ese_os::Env;
use ese_sim::{Random, SimDisk, SimEnv};

use super::state::{Key, Row, State, Touch};
use crate::sim::{Settings, number};

/// Sessions at work.
const SESSIONS: usize = 5;
/// Levels of a transaction, at most; the engine allows 7.
const LEVELS_MAX: usize = 4;
/// Steps from one reopening to the next, on average.
const EPOCH: u64 = 600;

/// How often things happened: a run in which nothing conflicts proves little.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "each is the number of what it is called")]
pub struct Tally {
    pub steps: u64,
    pub commits: u64,
    pub changes: u64,
    pub schema_changes: u64,
    pub indexes_beside: u64,
    pub refusals: u64,
    pub restarts: u64,
    pub kills: u64,
    pub power_cuts: u64,
}

impl Tally {
    /// Adds another run's.
    pub fn add(&mut self, other: Tally) {
        self.steps += other.steps;
        self.commits += other.commits;
        self.changes += other.changes;
        self.schema_changes += other.schema_changes;
        self.indexes_beside += other.indexes_beside;
        self.refusals += other.refusals;
        self.restarts += other.restarts;
        self.kills += other.kills;
        self.power_cuts += other.power_cuts;
    }
}

/// What stands in a change's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hindrance {
    None,
    /// It may be refused.
    May,
    /// It must be refused.
    Must,
}

/// A transaction level: what was before it.
#[derive(Debug)]
struct Level {
    before: State,
    touched: usize,
}

/// A session and what it must see.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) session: Session,
    levels: Vec<Level>,
    /// The last commit in its snapshot.
    began: u64,
    pub(super) now: State,
    pub(super) touched: Vec<Touch>,
}

/// The engine, the model, and the dice.
#[derive(Debug)]
pub struct Machine {
    pub(super) settings: Settings,
    pub(super) seed: u64,
    pub(super) random: Random,
    pub(super) env: Env,
    pub(super) disk: Arc<SimDisk>,
    /// `None` only between an end and a start.
    pub(super) instance: Option<Instance>,
    pub(super) attached: Option<Arc<Attached>>,
    pub(super) actors: Vec<Actor>,
    pub(super) latest: State,
    pub(super) commits: u64,
    /// What commits since the last start left, with their numbers, and the one before.
    pub(super) history: Vec<(u64, State)>,
    /// The last commit that changed something.
    last: BTreeMap<Touch, u64>,
    pub(super) numbers: u32,
    pub(super) tally: Tally,
    trace: VecDeque<String>,
    /// Steps to be told when something is wrong.
    trace_max: u64,
}

/// What a check of the model found, in words.
pub(super) type Checked<T = ()> = std::result::Result<T, String>;

impl Machine {
    /// An empty database.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub fn new(seed: u64, page_size: PageSize) -> Checked<Machine> {
        let (env, disk) = SimEnv::new(seed);
        let settings = Settings {
            circular: seed.is_multiple_of(2),
            background_one_of: 0,
            ..Settings::new(page_size)
        };
        let mut machine = Machine {
            settings,
            seed,
            random: Random::new(seed),
            env,
            disk,
            instance: None,
            attached: None,
            actors: Vec::new(),
            latest: State::new(),
            commits: 0,
            history: Vec::new(),
            last: BTreeMap::new(),
            numbers: 0,
            tally: Tally::default(),
            trace: VecDeque::new(),
            trace_max: number("ESE_TRACE").unwrap_or(40),
        };
        machine.start()?;
        Ok(machine)
    }

    /// Makes so many steps, and checks everything at the end.
    ///
    /// # Errors
    /// What went wrong, in words, with the last steps before it.
    pub fn run(mut self, steps: u64) -> Checked<Tally> {
        let outcome = self.steps(steps);
        outcome.map_err(|reason| {
            let trace: Vec<_> = self.trace.iter().map(String::as_str).collect();
            format!("step {}: {reason}; before it:\n    {}", self.tally.steps, trace.join("\n    "))
        })?;
        Ok(self.tally)
    }

    fn steps(&mut self, steps: u64) -> Checked {
        while self.tally.steps < steps {
            self.tally.steps += 1;
            if self.random.chance(1, EPOCH) {
                self.point()?;
            } else if self.random.chance(1, 25) {
                self.chore()?;
            } else {
                let at = self.random.index(SESSIONS);
                self.turn(at)?;
            }
        }
        self.point()
    }

    pub(super) fn note(&mut self, what: String) {
        if self.trace.len() as u64 >= self.trace_max {
            self.trace.pop_front();
        }
        self.trace.push_back(what);
    }

    pub(super) fn begin_sessions(&mut self) -> Checked {
        self.last.clear();
        let engine = Arc::clone(self.running()?.engine());
        let actor = |_| {
            let session = Session::begin_session(&engine)?;
            Ok(Actor {
                session,
                levels: Vec::new(),
                began: 0,
                now: State::new(),
                touched: Vec::new(),
            })
        };
        self.actors = (0..SESSIONS).map(actor).collect::<Result<_>>().map_err(in_words)?;
        Ok(())
    }

    pub(super) fn running(&self) -> Checked<&Instance> {
        self.instance.as_ref().ok_or_else(|| "the instance has ended".to_owned())
    }

    pub(super) fn attached(&self) -> Checked<Arc<Attached>> {
        self.attached.clone().ok_or_else(|| "the database is not attached".to_owned())
    }

    /// What threads of the background would do.
    fn chore(&mut self) -> Checked {
        let engine = Arc::clone(self.running()?.engine());
        match (self.random.below(3), &engine.log) {
            (0, Some(log)) => log.background_step(),
            _ => engine.background_step(),
        }
        .map_err(in_words)
    }

    /// A session does something.
    fn turn(&mut self, at: usize) -> Checked {
        let levels = self.actors[at].levels.len();
        if levels == 0 {
            return self.begin(at);
        }
        match self.random.below(100) {
            0..12 => self.commit(at),
            12..16 => self.roll_back(at),
            16..20 if levels < LEVELS_MAX => self.begin(at),
            20..24 => self.change_schema(at),
            24..42 => self.read(at),
            42..43 => self.look_over(at),
            _ => self.change_row(at),
        }
    }

    fn begin(&mut self, at: usize) -> Checked {
        self.note(format!("{at} begins"));
        let (latest, commits) = (self.latest.clone(), self.commits);
        let actor = &mut self.actors[at];
        actor.session.begin().map_err(in_words)?;
        if actor.levels.is_empty() {
            (actor.now, actor.began) = (latest, commits);
            actor.touched.clear();
        }
        actor.levels.push(Level { before: actor.now.clone(), touched: actor.touched.len() });
        Ok(())
    }

    fn roll_back(&mut self, at: usize) -> Checked {
        self.note(format!("{at} rolls back"));
        let actor = &mut self.actors[at];
        actor.session.rollback().map_err(in_words)?;
        if let Some(level) = actor.levels.pop() {
            actor.now = level.before;
            actor.touched.truncate(level.touched);
        }
        Ok(())
    }

    fn commit(&mut self, at: usize) -> Checked {
        let durable = self.random.chance(1, 3);
        self.note(format!("{at} commits, durable: {durable}"));
        let actor = &mut self.actors[at];
        let durability = if durable { Durability::Durable } else { Durability::Lazy };
        actor.session.commit(durability).map_err(in_words)?;
        actor.levels.pop();
        if !actor.levels.is_empty() {
            return Ok(());
        }
        let (touched, now) = (std::mem::take(&mut actor.touched), std::mem::take(&mut actor.now));
        if !touched.is_empty() {
            self.merge(&touched, &now)?;
            if durable {
                self.disk.mark(self.commits);
            }
        }
        Ok(())
    }

    /// What a transaction changed becomes everybody's.
    fn merge(&mut self, touched: &[Touch], now: &State) -> Checked {
        self.commits += 1;
        self.tally.commits += 1;
        for touch in touched {
            self.last.insert(touch.clone(), self.commits);
            let Touch::Schema(number) = touch else { continue };
            match (now.get(number), self.latest.get_mut(number)) {
                (None, _) => drop(self.latest.remove(number)),
                (Some(new), None) => drop(self.latest.insert(*number, Arc::clone(new))),
                (Some(new), Some(old)) => {
                    let old = Arc::make_mut(old);
                    old.name.clone_from(&new.name);
                    old.columns.clone_from(&new.columns);
                    old.indexes.clone_from(&new.indexes);
                }
            }
        }
        for touch in touched {
            let Touch::Row(number, key) = touch else { continue };
            let Some(own) = now.get(number) else { continue };
            let Some(table) = self.latest.get_mut(number) else {
                return Err(format!("rows were committed into a deleted table {}", own.name));
            };
            let table = Arc::make_mut(table);
            match own.rows.get(key) {
                Some(row) => drop(table.rows.insert(key.clone(), Arc::clone(row))),
                None => drop(table.rows.remove(key)),
            }
        }
        for table in self.latest.values() {
            if let Some(index) = table.broken_index() {
                let name = &table.name;
                return Err(format!("two rows of table {name} share a key of index {index}"));
            }
        }
        self.history.push((self.commits, self.latest.clone()));
        Ok(())
    }

    /// Has another open transaction changed this, or one that committed since the session began?
    pub(super) fn hindrance(&self, at: usize, touch: &Touch) -> Hindrance {
        let others = self.actors.iter().enumerate().filter(|(other, _)| *other != at);
        let open = others.into_iter().any(|(_, other)| other.touched.contains(touch));
        let newer = self.last.get(touch).is_some_and(|by| *by > self.actors[at].began);
        if open || newer { Hindrance::Must } else { Hindrance::None }
    }

    /// As [`Machine::hindrance`], for anything that the test holds for.
    pub(super) fn hindered_by(&self, at: usize, test: impl Fn(&Touch) -> bool) -> (bool, bool) {
        let others = self.actors.iter().enumerate().filter(|(other, _)| *other != at);
        let open = others.into_iter().any(|(_, other)| other.touched.iter().any(&test));
        let began = self.actors[at].began;
        let newer = || self.last.iter().any(|(touch, by)| *by > began && test(touch));
        (open, !open && newer())
    }

    /// Compares an outcome with what must come of it. True: it succeeded.
    pub(super) fn judge(
        &mut self,
        outcome: Result<()>,
        own: Option<JetErr>,
        hindrance: Hindrance,
    ) -> Checked<bool> {
        let refusals = [
            JetErr::WriteConflict,
            JetErr::KeyDuplicate,
            JetErr::TableDuplicate,
            JetErr::ObjectNotFound,
        ];
        let Err(error) = outcome else {
            if let Some(code) = own {
                return Err(format!("it succeeded, not {code:?}"));
            }
            return match hindrance {
                Hindrance::Must => Err("it succeeded over another's change".to_owned()),
                _ => Ok(true),
            };
        };
        self.tally.refusals += 1;
        let code = error.code();
        let expected =
            own == Some(code) || (hindrance > Hindrance::None && refusals.contains(&code));
        if expected {
            self.note(format!("    refused: {code:?}"));
            return Ok(false);
        }
        Err(format!("{error}, where {own:?} and hindrance {hindrance:?} were expected"))
    }

    /// Rows of a session's table, to be changed.
    pub(super) fn own_rows(
        &mut self,
        at: usize,
        table: u32,
    ) -> Option<&mut BTreeMap<Key, Arc<Row>>> {
        let table = self.actors[at].now.get_mut(&table)?;
        Some(&mut Arc::make_mut(table).rows)
    }
}

pub(super) fn in_words(error: ese_base::Error) -> String {
    error.to_string()
}
