//! `ese backup DIR OUT`: an online backup of the instance in DIR, into a directory, an archive, or
//! a pipe; full, or building on an earlier set.
//!
//! The instance must not run elsewhere: this program starts it, which recovers it if it did not end
//! properly, attaches every database in DIR, streams the backup, and stops the instance again. A
//! program that embeds the engine takes its backups itself, while it runs.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    time::Duration,
};

use ese_api::{
    BackupBase, BackupDestination, BackupJob, BackupPhase, BackupProgress, BackupReport,
    BackupResume, CopyOptions, Env, Error, FoundDatabases, Instance, JetErr, Throttle,
    databases_elsewhere, databases_in, find_base, look_for_databases,
};
use ese_backup::sets::BackupSet;
use ese_os::parent_of;
use serde_json::json;

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    files::{self, SetForm},
    output::Output,
    text,
};

pub(crate) fn run(context: &Context, args: &args::Backup) -> Outcome {
    let form = form(args)?;
    let mut limit = Limit::new(context, args)?;
    let interrupt = context.interrupt();
    let (instance, outside) = start(context, args)?;
    let mut progress = context.progress("backup");
    let throttle = limit.throttle.clone();
    let mut report = |so_far: &BackupProgress| {
        progress.set(so_far.bytes_done, so_far.bytes_total);
        progress.say(match so_far.phase {
            BackupPhase::Comparing => "what is there",
            BackupPhase::Databases => "databases",
            BackupPhase::Logs => "logs",
            BackupPhase::Finishing => "finishing",
        });
        limit.look(context);
    };
    let base = base(context, args, &instance)?;
    let options = CopyOptions { truncate: args.truncate };
    let resume = match (args.resume, args.anew) {
        (false, _) => BackupResume::Never,
        (true, false) => BackupResume::Continue,
        (true, true) => BackupResume::Anew,
    };
    let mut pipe = std::io::stdout().lock();
    let to = match form {
        SetForm::Directory => BackupDestination::Dir(&args.out),
        SetForm::Archive => BackupDestination::Archive(&args.out),
        SetForm::Pipe => BackupDestination::Writer(&mut pipe),
    };
    let done = interrupt.stoppable(
        || left(args, form),
        |stop| {
            let new = BackupJob::new(&mut report, stop);
            instance.back_up(to, BackupJob { base, options, throttle, resume, ..new })
        },
    );
    drop(pipe);
    drop(progress);
    let ended = instance.stop();
    let report = done?;
    ended?;
    tell(context, args, form, &report)?;
    match outside.into_iter().next() {
        None => Ok(()),
        Some(path) => Err(Error::new(
            JetErr::AttachedDatabaseMismatch,
            "the log knows this database, too, and it is not in the set",
        )
        .at_path(path)
        .advise("move it into the instance's directory, or back up from the program that has it")
        .into()),
    }
}

/// What is left of a backup that was stopped.
fn left(args: &args::Backup, form: SetForm) -> String {
    let left = match form {
        SetForm::Pipe => "the archive has no end and cannot be restored",
        _ if args.resume => "what was read is kept, and --resume goes on with it",
        _ => "nothing of the backup is left",
    };
    let code = JetErr::BackupAbortByServer;
    format!("{left}, the databases know of none ({} {})", code.info().name, code as i32)
}

fn form(args: &args::Backup) -> Outcome<SetForm> {
    let archive = args.archive || files::is_archive_name(&args.out);
    if args.resume && (archive || files::is_pipe(&args.out)) {
        return Err(Failure::Usage("--resume needs a directory".into()));
    }
    if !files::is_pipe(&args.out) {
        return Ok(if archive { SetForm::Archive } else { SetForm::Directory });
    }
    if args.truncate {
        return Err(Failure::Usage(
            "--truncate needs a directory or an archive: nobody knows what becomes of a pipe"
                .into(),
        ));
    }
    if std::io::stdout().is_terminal() {
        return Err(Failure::Usage("a backup is not for a terminal: redirect it".into()));
    }
    Ok(SetForm::Pipe)
}

fn base(context: &Context, args: &args::Backup, of: &Instance) -> Outcome<Option<BackupBase>> {
    if !args.incremental {
        return Ok(None);
    }
    if let Some(set) = &args.base {
        return Ok(Some(BackupSet::read(&context.env, set)?.as_base()));
    }
    if files::is_pipe(&args.out) {
        return Err(Failure::Usage("name the set that this one builds on with --base".into()));
    }
    Ok(Some(of.backup_base(parent_of(&args.out))?))
}

/// The limit of the command line, or of a file that is looked at while the backup runs.
struct Limit {
    throttle: Throttle,
    file: Option<PathBuf>,
    looked: Duration,
    /// What was said of the file last.
    said: Option<String>,
}

impl Limit {
    const EVERY: Duration = Duration::from_secs(1);

    fn new(context: &Context, args: &args::Backup) -> Outcome<Limit> {
        let throttle = Throttle::new(args.throttle);
        let looked = context.env.clock.monotonic();
        let mut limit = Limit { throttle, file: args.throttle_file.clone(), looked, said: None };
        if let Some(file) = &limit.file {
            let bytes = Limit::read(&context.env, file)?;
            limit.throttle.set(Some(bytes));
            limit.looked = context.env.clock.monotonic();
        }
        Ok(limit)
    }

    /// A file that cannot be read leaves the limit as it is; that is said once.
    fn look(&mut self, context: &Context) {
        let now = context.env.clock.monotonic();
        let Some(file) = self.file.as_ref().filter(|_| now >= self.looked + Limit::EVERY) else {
            return;
        };
        self.looked = now;
        match Limit::read(&context.env, file) {
            Ok(bytes) => {
                self.throttle.set(Some(bytes));
                self.said = None;
            }
            Err(failure) => {
                let what = failure.text();
                if let Some(what) = what.as_ref().filter(|_| self.said != what) {
                    context.remark(&format!("the limit stays: {what}"));
                }
                self.said = what;
            }
        }
    }

    fn read(env: &Env, file: &Path) -> Outcome<u64> {
        let bytes = files::read(env, file, 64)?;
        text::megabytes(&String::from_utf8_lossy(&bytes))
            .map_err(|what| Failure::Usage(format!("{}: {what}", file.display())))
    }
}

/// The instance with its databases, and those that are left out because they lie elsewhere.
fn start(context: &Context, args: &args::Backup) -> Outcome<(Instance, Vec<PathBuf>)> {
    let env = &context.env;
    let dir = env.fs.canonicalize(&args.dir)?;
    files::refuse_backup_set(env, &dir)?;
    let base = find_base(env, &dir)?;
    let FoundDatabases { databases, unreadable, alike } = look_for_databases(env, &dir)?;
    alike.iter().for_each(|error| context.remark(&format!("left out: {error}")));
    match unreadable.into_iter().next() {
        // A database that was being created when its program was killed: the start sees to it.
        Some(_) if base.is_some() => {}
        Some(error) => return Err(error.into()),
        None if databases.is_empty() => {
            return Err(Error::new(JetErr::FileNotFound, "there is no database here")
                .at_path(&dir)
                .into());
        }
        None => {}
    }
    let mut builder = Instance::builder(&dir);
    if let Some(base) = base {
        builder = builder.base_name(&base);
    } else if let Some(first) = databases.first() {
        let file = env.fs.open(first, ese_os::OpenMode::Read)?;
        let located = ese_pages::header::read_header(file.as_ref())?;
        builder = builder.page_size(located.page_size);
    }
    let instance = builder.start()?;
    if let Some(recovery) = instance.recovery_report().filter(|report| report.applied > 0) {
        let changes = text::counted(recovery.applied, "page change");
        context.remark(&format!("{}: recovered, {changes} made again", dir.display()));
    }
    // All of them: a set from which one is missing is worse than none.
    let elsewhere = databases_elsewhere(env, &dir)?;
    for database in databases_in(env, &dir)?.into_iter().chain(elsewhere.below) {
        let real = env.fs.canonicalize(&database)?;
        if real.file_name() != database.file_name() {
            let (link, name) = (database.display(), real.file_name().unwrap_or_default());
            let name = name.to_string_lossy();
            context.remark(&format!("{link}: a link; in the set it is called {name:?}"));
        }
        instance.open_database(database)?;
    }
    Ok((instance, elsewhere.outside))
}

fn tell(context: &Context, args: &args::Backup, form: SetForm, report: &BackupReport) -> Outcome {
    let manifest = &report.manifest;
    if let Some(error) = &report.truncation {
        context.remark(&format!("the backup is complete, but a log could not be deleted: {error}"));
    }
    let databases = u64::try_from(manifest.databases.len()).unwrap_or(0);
    let line = format!(
        "{}: {}, {} with log generations {:#x} to {:#x}",
        args.out.display(),
        text::bytes(report.bytes),
        match &manifest.base {
            None => text::counted(databases, "database"),
            Some(base) => format!("incremental on {}", base.name),
        },
        manifest.gen_low,
        manifest.gen_high,
    );
    let corrected: u64 = manifest.databases.iter().map(|entry| entry.corrected_pages).sum();
    if corrected > 0 {
        let pages = text::counted(corrected, "page");
        context.remark(&format!(
            "{pages} of the databases had a wrong bit, which the set has right; the disk may be \
             failing: `ese verify` names them"
        ));
    }
    if report.taken_over > 0 {
        let bytes = text::bytes(report.taken_over);
        context.remark(&format!("{bytes} of it were there and were not read again"));
    }
    if form == SetForm::Pipe {
        // Standard output holds the archive.
        context.remark(&line);
        return Ok(());
    }
    let mut output = Output::new();
    if context.json {
        output.json(&json!({
            "set": args.out.to_string_lossy(),
            "kind": manifest.kind,
            "base": manifest.base.as_ref().map(|base| &base.name),
            "bytes": report.bytes,
            "databases": manifest.databases.iter().map(|d| &d.name).collect::<Vec<_>>(),
            "gen_low": manifest.gen_low,
            "gen_high": manifest.gen_high,
            "corrected_pages": corrected,
            "recorded": report.recorded,
            "taken_over": report.taken_over,
        }))?;
    } else {
        output.line(&line)?;
    }
    Ok(output.flush()?)
}
