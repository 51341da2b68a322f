//! An archive made a directory again: to be kept, or for the time of a restore.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result, StopToken};
use ese_os::{Env, File, LockMode, OpenMode, is_link};

use super::{
    INCOMPLETE_NAME, MANIFEST_NAME, Manifest,
    archive::{ArchivePart, ArchiveReader},
    output::{DirOutput, SetOutput},
};
use crate::files::{MadeDirs, remove_if_there};

/// How an archive is unpacked.
pub struct Unpacking<'a> {
    /// Called between pieces of 1 MiB, with the bytes so far and about as many as there will be.
    pub progress: &'a mut dyn FnMut(u64, u64),
    /// Looked at there.
    pub stop: StopToken,
}

impl std::fmt::Debug for Unpacking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacking").field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// Reads an archive from front to back into a directory, which must be empty or not exist yet, and
/// becomes a set. `name` is that of the archive, for messages.
///
/// # Errors
/// As [`ArchiveReader::next`]; `JET_errBackupDirectoryNotEmpty` (-504), `JET_errDiskFull` (-1808);
/// `JET_errClientRequestToStopJetService` (-1329) if stopped. Nothing of the set is left then.
pub fn unpack(
    env: &Env,
    input: &mut dyn Read,
    name: &Path,
    dir: &Path,
    options: &mut Unpacking<'_>,
) -> Result<Manifest> {
    let mut out = DirOutput::prepare(env, dir)?.of_hearsay();
    let done = unpack_into(&mut ArchiveReader::new(input, name), &mut out, options);
    if done.is_err() {
        out.abort();
    }
    done
}

fn unpack_into(
    archive: &mut ArchiveReader<&mut dyn Read>,
    out: &mut DirOutput<'_>,
    options: &mut Unpacking<'_>,
) -> Result<Manifest> {
    let (mut done, mut total, mut end) = (0, 0, None);
    let mut begun = false;
    loop {
        options.stop.check()?;
        let mut buffer = if begun { Some(out.buffer()?) } else { None };
        let bytes = buffer.as_mut().map(|buffer| buffer.as_mut_slice()).unwrap_or_default();
        let Some(part) = archive.next(bytes)? else { break };
        match (part, buffer) {
            (ArchivePart::Data(len), Some(buffer)) => {
                out.write(buffer, len)?;
                done += len as u64;
                (options.progress)(done, total.max(done));
                continue;
            }
            (ArchivePart::Start(start), _) => {
                out.begin(&start)?;
                (begun, total) = (true, start.bytes);
            }
            (ArchivePart::File(head), buffer) => {
                out.finish_file()?;
                out.create(&head)?;
                out.give_back(buffer);
            }
            (ArchivePart::Manifest(manifest), buffer) => {
                out.finish_file()?;
                out.give_back(buffer);
                end = Some(manifest);
            }
            (ArchivePart::Data(_), None) => {}
        }
    }
    let mut manifest = end.ok_or_else(|| {
        Error::new(JetErr::InternalError, "an archive ended without its manifest")
    })?;
    out.settle()?;
    out.complete(&mut manifest)?;
    Ok(*manifest)
}

/// A place inside the target of a restore where sets lie unpacked until they are restored.
#[derive(Debug)]
pub struct Staging {
    env: Env,
    dir: PathBuf,
    lock: Arc<dyn File>,
    made: MadeDirs,
    sets: Vec<PathBuf>,
}

/// What the place is called.
const STAGING: &str = "ese-restore.unpacked";

impl Staging {
    /// Makes the place; what a killed restore left there is removed first.
    ///
    /// # Errors
    /// `JET_errFileAccessDenied` (-1032) while another restore uses it; `JET_errInvalidPath`
    /// (-1023) if a link stands in its place; the file system's.
    pub fn begin(env: &Env, target: &Path) -> Result<Staging> {
        let mut made = MadeDirs::default();
        made.make(env, target)?;
        let dir = target.join(STAGING);
        let path = target.join(format!("{STAGING}.lck"));
        let open = |mode| env.fs.open(&path, mode);
        let lock = match open(OpenMode::CreateNew) {
            Err(error) if error.code() == JetErr::FileAlreadyExists => open(OpenMode::ReadWrite)?,
            opened => opened?,
        };
        lock.lock(LockMode::Exclusive)?;
        let staging = Staging { env: env.clone(), dir, lock, made, sets: Vec::new() };
        staging.clear()?;
        Ok(staging)
    }

    /// Unpacks an archive; gives the directory of the set.
    ///
    /// # Errors
    /// As [`unpack`].
    pub fn add(
        &mut self,
        input: &mut dyn Read,
        name: &Path,
        options: &mut Unpacking<'_>,
    ) -> Result<PathBuf> {
        let dir = self.dir.join(self.sets.len().to_string());
        unpack(&self.env, input, name, &dir, options)?;
        self.sets.push(dir.clone());
        Ok(dir)
    }

    /// Removes the sets. The one who restored from them calls it, also after a failure.
    ///
    /// # Errors
    /// The file system's.
    pub fn end(self) -> Result<()> {
        self.clear()?;
        self.env.fs.remove_file(self.lock.path())?;
        // Only if nothing was restored into it.
        drop(self.made.remove(&self.env));
        Ok(())
    }

    fn clear(&self) -> Result<()> {
        let env = &self.env;
        if !env.fs.exists(&self.dir)? {
            return Ok(());
        }
        if is_link(&*env.fs, &self.dir)? {
            let what = "a link stands where archives are to be unpacked";
            return Err(Error::new(JetErr::InvalidPath, what)
                .at_path(&self.dir)
                .advise("remove the link"));
        }
        for entry in env.fs.list(&self.dir)? {
            let path = self.dir.join(&entry.name);
            // Nothing behind a link is ours.
            if entry.is_dir && !is_link(&*env.fs, &path)? {
                remove_set(env, &path)?;
            } else {
                env.fs.remove_file(&path)?;
            }
        }
        env.fs.remove_dir(&self.dir)
    }
}

/// Removes a set of ours: it is marked as unfinished from before the first file goes until the last
/// one has gone.
fn remove_set(env: &Env, dir: &Path) -> Result<()> {
    let mark = dir.join(INCOMPLETE_NAME);
    if !env.fs.exists(&mark)? {
        env.fs.open(&mark, OpenMode::CreateNew)?.sync()?;
        env.fs.sync_dir(dir)?;
    }
    remove_if_there(env, &dir.join(MANIFEST_NAME))?;
    env.fs.sync_dir(dir)?;
    for entry in env.fs.list(dir)?.into_iter().filter(|entry| entry.name != INCOMPLETE_NAME) {
        env.fs.remove_file(&dir.join(entry.name))?;
    }
    env.fs.sync_dir(dir)?;
    env.fs.remove_file(&mark)?;
    env.fs.remove_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        restore::{RestorePlan, verify_set},
        stream::{CopyJob, Destination, Progress, copy_set},
        testing::Setup,
    };

    fn archive(setup: &Setup) -> Vec<u8> {
        let (mut bytes, mut quiet) = (Vec::new(), |_: &Progress| ());
        let job = CopyJob::new(&mut quiet, &StopToken::new());
        let env = &setup.instance.env;
        copy_set(&setup.context, env, Destination::Writer(&mut bytes), job).unwrap();
        bytes
    }

    fn names(env: &Env, dir: &Path) -> Vec<String> {
        env.fs.list(dir).unwrap().into_iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn an_archive_becomes_a_set_again() {
        let setup = Setup::new(ese_base::PageSize::K4, 600);
        let (env, root) = (&setup.instance.env, setup.instance.root.join("target"));
        let bytes = archive(&setup);
        let mut seen = (0, 0);
        let mut progress = |done, total| seen = (done, total);
        let mut options = Unpacking { progress: &mut progress, stop: StopToken::new() };
        let mut staging = Staging::begin(env, &root).unwrap();
        let dir = staging.add(&mut &bytes[..], Path::new("-"), &mut options).unwrap();
        let plan = RestorePlan::examine(env, &dir).unwrap();
        verify_set(env, &plan, &mut |_| (), &StopToken::new()).unwrap();
        assert_eq!(seen.0, plan.bytes());
        let in_use = Staging::begin(env, &root).unwrap_err();
        assert_eq!(in_use.code(), JetErr::FileAccessDenied);
        // A restore was killed: the next one begins anew.
        drop(staging);
        Staging::begin(env, &root).unwrap().end().unwrap();
        assert!(
            !names(env, &setup.instance.root).contains(&"target".to_owned())
                || names(env, &root).is_empty()
        );
    }

    /// The archive, with another length of its first file.
    fn claiming(bytes: &[u8], len: u64) -> Vec<u8> {
        let frame_len = |at: usize| {
            let field: [u8; 4] = bytes[at + 16..at + 20].try_into().unwrap();
            32 + u32::from_le_bytes(field) as usize
        };
        let at = frame_len(0);
        let end = at + frame_len(at);
        let mut head: serde_json::Value = serde_json::from_slice(&bytes[at + 32..end]).unwrap();
        head["len"] = len.into();
        let text = serde_json::to_vec(&head).unwrap();
        let mut frame = bytes[at..at + 28].to_vec();
        frame[16..20].copy_from_slice(&u32::try_from(text.len()).unwrap().to_le_bytes());
        frame[20..24].copy_from_slice(&crc32fast::hash(&text).to_le_bytes());
        let sum = crc32fast::hash(&frame).to_le_bytes();
        [&bytes[..at], &frame, &sum, &text, &bytes[end..]].concat()
    }

    #[test]
    fn a_file_takes_no_more_room_than_what_came_of_it_justifies() {
        let setup = Setup::with_env(Env::real(), ese_base::PageSize::K4, &[("a.edb", 1100)]);
        let (env, root) = (&setup.instance.env, setup.instance.root.join("target"));
        let bytes = archive(&setup);
        for claimed in [64 << 20, 1 << 47] {
            let mut seen = Vec::new();
            let mut progress = |done, _| {
                let file = env.fs.open(&root.join("a.edb"), OpenMode::Read).unwrap();
                seen.push((done, file.len().unwrap()));
            };
            let mut options = Unpacking { progress: &mut progress, stop: StopToken::new() };
            let hostile = claiming(&bytes, claimed);
            let made = unpack(env, &mut &hostile[..], Path::new("-"), &root, &mut options);
            assert_eq!(made.unwrap_err().code(), JetErr::ReadVerifyFailure);
            assert!(seen.len() > 3 && seen.iter().all(|(done, len)| *len <= 2 * done), "{seen:?}");
            assert!(!env.fs.exists(&root).unwrap());
        }
    }

    #[test]
    fn nothing_behind_a_link_is_cleared_away() {
        let dir = tempfile::tempdir().unwrap();
        let (env, root) = (Env::real(), dir.path().join("target"));
        let (theirs, staging) = (dir.path().join("theirs"), root.join(STAGING));
        env.fs.create_dir_all(&theirs).unwrap();
        env.fs.create_dir_all(&staging).unwrap();
        env.fs.open(&theirs.join("a.edb"), OpenMode::CreateNew).unwrap();
        std::os::unix::fs::symlink(&theirs, staging.join("0")).unwrap();
        Staging::begin(&env, &root).unwrap().end().unwrap();
        assert_eq!(names(&env, &theirs), ["a.edb"]);
    }

    #[test]
    fn what_cannot_be_unpacked_wholly_leaves_nothing() {
        let setup = Setup::new(ese_base::PageSize::K4, 600);
        let (env, root) = (&setup.instance.env, setup.instance.root.join("target"));
        let bytes = archive(&setup);
        for len in [0, 10, 32, 5000, bytes.len() / 2, bytes.len() - 1] {
            let mut quiet = |_, _| ();
            let mut options = Unpacking { progress: &mut quiet, stop: StopToken::new() };
            let mut staging = Staging::begin(env, &root).unwrap();
            staging.add(&mut &bytes[..len], Path::new("-"), &mut options).unwrap_err();
            staging.end().unwrap();
            assert!(!env.fs.exists(&root).unwrap(), "cut at {len}: {:?}", names(env, &root));
        }
        let stop = StopToken::new();
        stop.stop(ese_base::StopReason::Requested);
        let mut options = Unpacking { progress: &mut |_, _| (), stop };
        let error = unpack(env, &mut &bytes[..], Path::new("-"), &root, &mut options).unwrap_err();
        assert_eq!(error.code(), JetErr::ClientRequestToStopJetService);
        assert!(!env.fs.exists(&root).unwrap());
    }
}
