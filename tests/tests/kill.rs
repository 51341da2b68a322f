//! Kill -9, again and again: what the program that is killed has acknowledged is there, and nothing
//! of what it had not committed.
//!
//! The program loads from several threads, is killed at a random moment, and goes on loading in the
//! same directory next time. Some kills come while it recovers, some while a backup runs. Its rows
//! are changed and deleted, too, and some commits are lazy; kills of the program that people use,
//! at moments all over its loading, are in `crates/ese-cli/tests/kill_demo.rs`. `ESE_SEED` gives
//! the seed (moments depend on the machine all the same), `ESE_KEEP` a directory that gets a copy
//! of every state before it is recovered.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the test starts and kills a program, and a failing step fails it"
)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        PoisonError, RwLock,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use ese_api::{Env, PageSize, StopToken, VerifyOptions, restore, verify_dir};
use ese_sim::Random;
use ese_tests::{
    kill::{Books, Mode, Order, Said, read_all, start},
    scratch,
};

/// Kills at each of the four page sizes.
const KILLS: usize = 15;
/// One of so many is followed by a kill while recovering.
const RECOVERY_KILLS: usize = 5;
/// One of so many comes while backups run.
const BACKUPS: usize = 4;
const THREADS: usize = 3;
/// Held for writing while a process is started, for reading while files are open here: a process
/// that is being started has all open files for a moment, and with them their locks.
static STARTING: RwLock<()> = RwLock::new(());
/// The program starts within this time, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn at_4_kib_a_kill_leaves_what_was_acknowledged() {
    Killing::new(PageSize::K4).run();
}

#[test]
fn at_8_kib_a_kill_leaves_what_was_acknowledged() {
    Killing::new(PageSize::K8).run();
}

#[test]
fn at_16_kib_a_kill_leaves_what_was_acknowledged() {
    Killing::new(PageSize::K16).run();
}

#[test]
fn at_32_kib_a_kill_leaves_what_was_acknowledged() {
    Killing::new(PageSize::K32).run();
}

/// One directory's story.
struct Killing {
    folder: tempfile::TempDir,
    random: Random,
    order: Order,
    /// What the threads had committed when the last run began.
    books: Vec<Books>,
    /// How long the last recoveries took.
    recovery: Duration,
    counts: Counts,
}

/// What happened, to see that enough did.
#[derive(Debug, Default)]
struct Counts {
    kills: usize,
    kills_while_recovering: usize,
    commits: usize,
    backups: usize,
    /// Runs that left a commit which had not returned, or rolled a begun transaction back.
    undecided: usize,
    undone: u64,
}

impl Killing {
    fn new(page_size: PageSize) -> Killing {
        let seed = env::var("ESE_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(Env::real().rng.next_u32()));
        println!("seed {seed}");
        let folder = scratch();
        let order = Order {
            dir: folder.path().join("instance"),
            sets: folder.path().join("sets"),
            mode: Mode::Load,
            page_size,
            seed,
            first: vec![0; THREADS],
        };
        Killing {
            folder,
            random: Random::new(seed ^ page_size.bytes_u64()),
            order,
            books: vec![Books::default(); THREADS],
            recovery: Duration::from_millis(10),
            counts: Counts::default(),
        }
    }

    fn run(mut self) {
        let start = Instant::now();
        for round in 0..KILLS {
            let mode = if round % BACKUPS == 1 { Mode::Backup } else { Mode::Load };
            let said = self.kill_loading(mode, round % (2 * BACKUPS) == 1);
            if round % RECOVERY_KILLS == 2 {
                self.keep(round, "before");
                self.kill_recovering();
            }
            self.keep(round, "left");
            self.examine(round, &said);
        }
        println!("{:?} in {:.1} s", self.counts, start.elapsed().as_secs_f64());
        assert_eq!(self.counts.kills, KILLS);
        let Counts { commits, backups, undone, undecided, kills_while_recovering, .. } =
            self.counts;
        assert!(commits > KILLS && undone > 0 && undecided > 0, "{:?}", self.counts);
        assert!(kills_while_recovering > 0 && backups > 0, "{:?}", self.counts);
    }

    fn spawn(&self, mode: Mode) -> Victim {
        Victim::spawn(&Order { mode, ..self.order.clone() })
    }

    /// Lets the program load for a moment, `whole` a backup if there is one, and kills it. Gives
    /// what it said.
    fn kill_loading(&mut self, mode: Mode, whole: bool) -> Vec<Said> {
        fs::create_dir_all(&self.order.sets).unwrap();
        let victim = self.spawn(mode);
        victim.wait_for(Said::Starting);
        let starting = Instant::now();
        victim.wait_for(Said::Started);
        self.recovery = (self.recovery + starting.elapsed()) / 2;
        let mut said = Vec::new();
        if mode == Mode::Backup && whole {
            victim.wait_until(Said::BackupEnded(0), &mut said);
        }
        let wait = self.random.between(5, 100);
        thread::sleep(Duration::from_millis(wait.try_into().unwrap()));
        self.counts.kills += 1;
        said.append(&mut victim.kill());
        said
    }

    /// Kills the program while it recovers.
    fn kill_recovering(&mut self) {
        for _ in 0..2 {
            let victim = self.spawn(Mode::Recover);
            victim.wait_for(Said::Starting);
            let part = self.random.between(0, 100);
            thread::sleep(self.recovery * u32::try_from(part).unwrap() / 100);
            let said = victim.kill();
            self.counts.kills_while_recovering += usize::from(!said.contains(&Said::Started));
        }
    }

    /// Recovers, compares, and leaves the directory as the next run shall find it: clean, dirty, or
    /// as if killed.
    fn examine(&mut self, round: usize, said: &[Said]) {
        let _nobody_starts = STARTING.read().unwrap_or_else(PoisonError::into_inner);
        let place = format!("seed {}, round {round}", self.order.seed);
        let dir = &self.order.dir;
        let instance = start(dir, self.order.page_size)
            .unwrap_or_else(|error| panic!("{place}: recovery failed: {error}"));
        self.counts.undone += instance.recovery_report().map_or(0, |report| report.rolled_back);
        let books = read_all(&instance, &self.order.threads())
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        let books = books.unwrap_or_else(|| vec![Books::default(); THREADS]);
        match round % 3 {
            0 => instance.abandon(),
            1 => instance.stop_dirty().unwrap(),
            _ => {
                instance.stop().unwrap();
                verify(dir, &place);
            }
        }
        for number in 0.. {
            let ended = said.iter().position(|line| *line == Said::BackupEnded(number));
            let Some(ended) = ended else { break };
            let begun = said.iter().position(|line| *line == Said::BackupBegins(number)).unwrap();
            self.restore(number, &said[..begun], &said[..ended], &place);
        }
        fs::remove_dir_all(&self.order.sets).unwrap();
        let (first, same) = self.explain(said, said, &books, &place);
        self.counts.undecided += usize::from(!same);
        self.counts.commits +=
            said.iter().filter(|line| matches!(line, Said::Committed(..))).count();
        self.order.first = first;
        self.books = books;
    }

    /// The books are those of a prefix of every thread's commits, with all that were acknowledged
    /// in `sure` and at most one that had not returned in `all`. Gives what the next run begins
    /// with, and whether nothing but returned commits was found.
    fn explain(
        &self,
        sure: &[Said],
        all: &[Said],
        found: &[Books],
        place: &str,
    ) -> (Vec<u64>, bool) {
        let mut next = Vec::new();
        let mut same = true;
        for (at, thread) in self.order.threads().iter().enumerate() {
            let last = |said: &[Said], durable: bool| {
                said.iter().rev().find_map(|line| match line {
                    Said::Committed(who, number, how) if *who == at && (*how || !durable) => {
                        Some(*number)
                    }
                    _ => None,
                })
            };
            let (acknowledged, returned) = (last(sure, true), last(all, false));
            let (books, first) = (&self.books[at], self.order.first[at]);
            let explained = books.explain(thread, first, acknowledged, returned, &found[at]);
            let Some(number) = explained else {
                panic!(
                    "{place}, {thread:?} from {first}: acknowledged {acknowledged:?}, returned \
                     {returned:?}; before {books:?}; found {:?}",
                    found[at]
                );
            };
            let newest = found[at].rows().values().max().copied();
            same &= newest <= returned.max(books.rows().values().max().copied());
            next.push(number);
        }
        (next, same)
    }

    /// A backup that ended can be restored: with everything that was acknowledged before it began.
    fn restore(&mut self, number: u64, before: &[Said], until: &[Said], place: &str) {
        let place = format!("{place}, backup {number}");
        let target = self.folder.path().join("restored");
        restore(self.order.sets.join(number.to_string()), &target)
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        verify(&target, &place);
        let instance = start(&target, self.order.page_size).unwrap();
        let books = read_all(&instance, &self.order.threads())
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        let books = books.unwrap_or_else(|| vec![Books::default(); THREADS]);
        instance.stop().unwrap();
        self.explain(before, until, &books, &place);
        fs::remove_dir_all(&target).unwrap();
        self.counts.backups += 1;
    }

    /// Copies the state for whoever looks into a failure.
    fn keep(&self, round: usize, when: &str) {
        let Some(kept) = env::var_os("ESE_KEEP") else { return };
        let kib = self.order.page_size.bytes() / 1024;
        let kept = PathBuf::from(kept).join(format!("{kib}-{round:02}-{when}"));
        copy(self.folder.path(), &kept);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &name);
        } else {
            fs::copy(entry.path(), name).unwrap();
        }
    }
}

/// Everything in a directory is sound.
fn verify(dir: &Path, place: &str) {
    let mut quiet = |_: &ese_api::VerifyProgress| ();
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_dir(&Env::real(), dir, &mut options).unwrap();
    let problems: Vec<String> = report.all_problems().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{place}: {problems:#?}");
}

/// The running program, and what it says.
struct Victim {
    child: Child,
    lines: Receiver<Said>,
}

impl Victim {
    fn spawn(order: &Order) -> Victim {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loader"));
        command.args(order.args()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = {
            let _alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
            command.spawn().unwrap()
        };
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut line = String::new();
            while out.read_line(&mut line).unwrap_or(0) > 0 {
                // A line without its end was cut off by the kill.
                let Some(whole) = line.strip_suffix('\n') else { break };
                let said =
                    Said::parse(whole).unwrap_or_else(|| panic!("the program said {line:?}"));
                if sender.send(said).is_err() {
                    break;
                }
                line.clear();
            }
        });
        Victim { child, lines }
    }

    fn wait_for(&self, what: Said) {
        let said = self.lines.recv_timeout(PATIENCE);
        assert_eq!(said, Ok(what), "see above for what the program said");
    }

    fn wait_until(&self, what: Said, said: &mut Vec<Said>) {
        while said.last() != Some(&what) {
            said.push(self.lines.recv_timeout(PATIENCE).expect("the program ended, see above"));
        }
    }

    /// Kills it and gives what it had said since it started. Fails if it ended by itself.
    fn kill(mut self) -> Vec<Said> {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "the program ended by itself: {status}; see above");
        // Ends when the other end of the pipe is closed and read out.
        self.lines.iter().collect()
    }
}
