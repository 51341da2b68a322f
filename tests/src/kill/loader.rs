//! The program that is killed: how it is told what to do, what it does, and what it says.

use std::{
    ffi::OsString,
    io::{Write, stdout},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ese_api::{CopyOptions, Database, Error, Instance, JetErr, PageSize, Result, StopToken};

use super::{
    Books, End, Thread, read_all,
    rows::{DATABASE, Tables},
    start,
};

/// What the program does after it has started its instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: it is killed while it recovers.
    Recover,
    /// It loads.
    Load,
    /// It loads, and backs up meanwhile, every second time with truncation of the log.
    Backup,
}

/// What the program is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The instance's directory.
    pub dir: PathBuf,
    /// Where backup sets go, named by their number.
    pub sets: PathBuf,
    /// What to do.
    pub mode: Mode,
    /// Page size of the database.
    pub page_size: PageSize,
    /// The seed of all threads.
    pub seed: u64,
    /// For each thread, the first transaction.
    pub first: Vec<u64>,
}

/// What the program says, a line each, after the fact (before it for the beginnings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is going to start the instance.
    Starting,
    /// The instance has started.
    Started,
    /// A commit has returned: thread, number, durable.
    Committed(usize, u64, bool),
    /// A backup is going to begin.
    BackupBegins(u64),
    /// A backup has ended.
    BackupEnded(u64),
}

/// Backups of one run.
const BACKUPS: u64 = 3;

impl Order {
    /// The arguments that tell it to the program.
    #[must_use]
    pub fn args(&self) -> Vec<OsString> {
        let first: Vec<String> = self.first.iter().map(u64::to_string).collect();
        let mode = ["recover", "load", "backup"][self.mode as usize];
        let (page, seed) = (self.page_size.bytes().to_string(), self.seed.to_string());
        vec![
            self.dir.clone().into(),
            self.sets.clone().into(),
            mode.into(),
            page.into(),
            seed.into(),
            first.join(",").into(),
        ]
    }

    /// The order that arguments tell.
    #[must_use]
    pub fn parse(args: &[OsString]) -> Option<Order> {
        let [dir, sets, mode, page, seed, first] = args else { return None };
        let page: usize = page.to_str()?.parse().ok()?;
        let mode = match mode.to_str()? {
            "recover" => Mode::Recover,
            "load" => Mode::Load,
            "backup" => Mode::Backup,
            _ => return None,
        };
        let first = first.to_str()?.split(',').map(|number| number.parse().ok());
        Some(Order {
            dir: dir.into(),
            sets: sets.into(),
            mode,
            page_size: PageSize::ALL.into_iter().find(|size| size.bytes() == page)?,
            seed: seed.to_str()?.parse().ok()?,
            first: first.collect::<Option<_>>()?,
        })
    }

    /// The threads.
    #[must_use]
    pub fn threads(&self) -> Vec<Thread> {
        let numbers = (0_i16..).take(self.first.len());
        let thread = |number| Thread { seed: self.seed, number, page_size: self.page_size };
        numbers.map(thread).collect()
    }

    /// Does it, until the process is killed.
    ///
    /// # Errors
    /// The first error of any thread, after all have ended.
    pub fn run(&self) -> Result<()> {
        say(Said::Starting)?;
        let instance = start(&self.dir, self.page_size)?;
        say(Said::Started)?;
        if self.mode == Mode::Recover {
            loop {
                thread::sleep(Duration::from_secs(1));
            }
        }
        let threads = self.threads();
        let database = instance.open_or_create_database(DATABASE)?;
        drop(Tables::open(&database, &mut instance.session()?)?);
        let books = read_all(&instance, &threads)?.unwrap_or_default();
        let (failed, first_error) = (AtomicBool::new(false), Mutex::new(None));
        let note = |outcome: Result<()>| {
            if let Err(error) = outcome {
                failed.store(true, Ordering::SeqCst);
                first_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        };
        let (note, failed, database) = (&note, &failed, &database);
        thread::scope(|scope| {
            for ((at, thread), (first, books)) in
                threads.iter().enumerate().zip(self.first.iter().copied().zip(books))
            {
                let instance = &instance;
                scope.spawn(move || {
                    let load = Load { at, thread, instance, database };
                    note(load.run(first, books, failed));
                });
            }
            if self.mode == Mode::Backup {
                note(back_up(&instance, &self.sets));
            }
        });
        let error = first_error.into_inner().unwrap_or_else(PoisonError::into_inner);
        Err(error.unwrap_or_else(|| Error::new(JetErr::InternalError, "nobody loads")))
    }
}

/// One thread's work.
struct Load<'a> {
    at: usize,
    thread: &'a Thread,
    instance: &'a Instance,
    database: &'a Database,
}

impl Load<'_> {
    fn run(&self, first: u64, mut books: Books, failed: &AtomicBool) -> Result<()> {
        let mut session = self.instance.session()?;
        let tables = Tables::open(self.database, &mut session)?;
        for number in first.. {
            if failed.load(Ordering::SeqCst) {
                break;
            }
            let plan = books.plan(self.thread, number);
            let mut transaction = session.begin()?;
            tables.change(&mut transaction, self.thread, number, &plan)?;
            match plan.end {
                End::Durable => transaction.commit()?,
                End::Lazy => transaction.commit_lazy()?,
                End::Rollback => {
                    transaction.rollback()?;
                    continue;
                }
            }
            say(Said::Committed(self.at, number, plan.end == End::Durable))?;
            books.commit(number, &plan);
        }
        Ok(())
    }
}

fn back_up(instance: &Instance, sets: &Path) -> Result<()> {
    for number in 0..BACKUPS {
        say(Said::BackupBegins(number))?;
        let options = CopyOptions { truncate: number % 2 == 0 };
        let set = sets.join(number.to_string());
        instance.backup_to_dir_with(set, options, &mut |_| (), &StopToken::new())?;
        say(Said::BackupEnded(number))?;
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

impl Said {
    /// The meaning of a line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Said> {
        let words: Vec<&str> = line.split(' ').collect();
        Some(match words.as_slice() {
            ["starting"] => Said::Starting,
            ["started"] => Said::Started,
            ["committed", thread, number, durable] => {
                let durable = *durable == "durable";
                Said::Committed(thread.parse().ok()?, number.parse().ok()?, durable)
            }
            ["backup-begins", number] => Said::BackupBegins(number.parse().ok()?),
            ["backup-ended", number] => Said::BackupEnded(number.parse().ok()?),
            _ => return None,
        })
    }

    fn line(self) -> String {
        match self {
            Said::Starting => "starting\n".to_owned(),
            Said::Started => "started\n".to_owned(),
            Said::Committed(thread, number, durable) => {
                let kind = if durable { "durable" } else { "lazy" };
                format!("committed {thread} {number} {kind}\n")
            }
            Said::BackupBegins(number) => format!("backup-begins {number}\n"),
            Said::BackupEnded(number) => format!("backup-ended {number}\n"),
        }
    }
}

/// Says it with one write: a line that a kill cuts off has no end and does not count.
fn say(what: Said) -> Result<()> {
    let mut out = stdout().lock();
    let said = out.write_all(what.line().as_bytes()).and_then(|()| out.flush());
    said.map_err(|error| Error::new(JetErr::InternalError, format!("nobody listens: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_lines_are_understood() {
        for mode in [Mode::Recover, Mode::Load, Mode::Backup] {
            let order = Order {
                dir: "/a b/c".into(),
                sets: "/d".into(),
                mode,
                page_size: PageSize::K16,
                seed: 77,
                first: vec![1, 20, 300],
            };
            assert_eq!(Order::parse(&order.args()), Some(order));
        }
        for said in [
            Said::Starting,
            Said::Started,
            Said::Committed(2, 77, true),
            Said::Committed(0, 1, false),
            Said::BackupBegins(4),
            Said::BackupEnded(5),
        ] {
            assert_eq!(Said::parse(said.line().trim_end()), Some(said));
        }
        assert_eq!(Said::parse("committed 1"), None);
    }
}
