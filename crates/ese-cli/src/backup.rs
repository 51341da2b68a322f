//! `ese backup DIR OUT`: a full online backup of the instance in DIR.
//!
//! The instance must not run elsewhere: this program starts it, which recovers it if it did not end
//! properly, attaches every database in DIR, streams the backup, and stops the instance again. A
//! program that embeds the engine takes its backups itself, while it runs.

use ese_api::{
    BackupPhase, BackupProgress, BackupReport, CopyOptions, Error, FoundDatabases, Instance,
    JetErr, StopToken, databases_in, find_base, look_for_databases,
};
use serde_json::json;

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    files,
    output::Output,
    text,
};

pub(crate) fn run(context: &Context, args: &args::Backup) -> Outcome {
    let interrupt = context.interrupt();
    let instance = start(context, args)?;
    let mut progress = context.progress("backup");
    let stop = StopToken::new();
    let token = stop.clone();
    let mut report = |so_far: &BackupProgress| {
        progress.set(so_far.bytes_done, so_far.bytes_total);
        progress.say(match so_far.phase {
            BackupPhase::Databases => "databases",
            BackupPhase::Logs => "logs",
            BackupPhase::Finishing => "finishing",
        });
        interrupt.pass_on(&token);
    };
    let options = CopyOptions { truncate: args.truncate };
    let done = interrupt.during(&context.env, &stop, || {
        instance.backup_to_dir_with(&args.out, options, &mut report, &stop)
    });
    drop(progress);
    let ended = instance.stop();
    let report = match done {
        Err(error) if error.code() == JetErr::BackupAbortByServer => {
            return Err(Failure::Stopped(format!(
                "nothing of the backup is left, the databases know of none ({} {})",
                error.code().info().name,
                error.jet_code()
            )));
        }
        done => done?,
    };
    ended?;
    tell(context, args, &report)
}

fn start(context: &Context, args: &args::Backup) -> Outcome<Instance> {
    let env = &context.env;
    let dir = env.fs.canonicalize(&args.dir)?;
    files::refuse_backup_set(env, &dir)?;
    let base = find_base(env, &dir)?;
    let FoundDatabases { databases, unreadable } = look_for_databases(env, &dir)?;
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
    for database in databases_in(env, &dir)? {
        instance.open_database(database)?;
    }
    Ok(instance)
}

fn tell(context: &Context, args: &args::Backup, report: &BackupReport) -> Outcome {
    let manifest = &report.manifest;
    if let Some(error) = &report.truncation {
        context.remark(&format!("the backup is complete, but a log could not be deleted: {error}"));
    }
    let mut output = Output::new();
    if context.json {
        output.json(&json!({
            "set": args.out.to_string_lossy(),
            "bytes": report.bytes,
            "databases": manifest.databases.iter().map(|d| &d.name).collect::<Vec<_>>(),
            "gen_low": manifest.gen_low,
            "gen_high": manifest.gen_high,
            "recorded": report.recorded,
        }))?;
    } else {
        output.line(&format!(
            "{}: {}, {} with log generations {:#x} to {:#x}",
            args.out.display(),
            text::bytes(report.bytes),
            text::counted(u64::try_from(manifest.databases.len()).unwrap_or(0), "database"),
            manifest.gen_low,
            manifest.gen_high,
        ))?;
    }
    Ok(output.flush()?)
}
