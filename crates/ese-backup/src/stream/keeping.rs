//! A copy that can be gone on with: when it writes down how far it has come, and how it takes over
//! what an earlier one has left. The file is that of `kept`.

use std::sync::Arc;

use ese_base::Result;

use super::{
    BackupStream, Manifest,
    copy::Copy,
    kept::{Kept, KeptFile},
    output::SetOutput,
};
use crate::source::BackupSource;

/// So much is read again at most when the power fails.
const KEEP_EVERY: u64 = 64 << 20;

/// A copy that can be gone on with.
#[derive(Default)]
pub(super) struct Keeping {
    /// What one that was stopped has left.
    earlier: Option<Kept>,
    /// What this one has come to; `None` until it has begun.
    now: Option<Kept>,
    /// Bytes that the set holds and that nobody would find again.
    unsaved: u64,
    /// Bytes that were not read again.
    pub(super) taken_over: u64,
    /// The set is complete.
    pub(super) complete: bool,
}

impl Keeping {
    pub(super) fn new(earlier: Option<Kept>) -> Keeping {
        Keeping { earlier, ..Keeping::default() }
    }
}

impl Copy<'_> {
    /// What a stopped copy has left.
    pub(super) fn earlier(&self) -> Option<&Kept> {
        self.keeping.as_ref().and_then(|keeping| keeping.earlier.as_ref())
    }

    /// The backup has begun.
    pub(super) fn begin_keeping(
        &mut self,
        stream: &BackupStream,
        out: &mut dyn SetOutput,
        manifest: &Manifest,
    ) -> Result<()> {
        let source = Arc::clone(stream.context().source());
        let Some(keeping) = &mut self.keeping else { return Ok(()) };
        // No file takes a name that one of the earlier part has.
        for file in keeping.earlier.iter().flat_map(|earlier| &earlier.files) {
            self.names.take(&file.name);
        }
        keeping.now = Some(Kept::new(&*source, stream.point()?, manifest.created.clone()));
        // What an earlier part says holds until this one has more to say.
        if keeping.earlier.is_some() { Ok(()) } else { self.keep(&*source, out) }
    }

    /// Makes what was copied durable, and writes down that it is.
    pub(super) fn keep(
        &mut self,
        source: &dyn BackupSource,
        out: &mut dyn SetOutput,
    ) -> Result<()> {
        let Some(keeping) = &mut self.keeping else { return Ok(()) };
        let Some(now) = &mut keeping.now else { return Ok(()) };
        keeping.unsaved = 0;
        // What this part has not come to is as the one before left it.
        let rest = keeping.earlier.iter().flat_map(|earlier| &earlier.files);
        let rest = rest.filter(|file| now.files.iter().all(|own| own.name != file.name));
        let mut all = now.clone();
        all.files.extend(rest.cloned());
        out.keep(&mut all, source)?;
        all.files.truncate(now.files.len());
        *now = all;
        Ok(())
    }

    /// A file will be in the set, the first bytes of which were copied before.
    pub(super) fn take_over(&mut self, file: KeptFile) {
        self.so_far.bytes_done += file.done;
        let Some(keeping) = &mut self.keeping else { return };
        keeping.taken_over += file.done;
        keeping.now.iter_mut().for_each(|now| now.files.push(file.clone()));
    }

    /// More of the last file was copied.
    pub(super) fn keep_now_and_then(
        &mut self,
        source: &dyn BackupSource,
        out: &mut dyn SetOutput,
        count: u64,
        corrected: u64,
    ) -> Result<()> {
        let Some(keeping) = &mut self.keeping else { return Ok(()) };
        let last = keeping.now.iter_mut().flat_map(|now| now.files.last_mut());
        last.for_each(|file| file.corrected_pages = corrected);
        keeping.unsaved += count;
        if keeping.unsaved < KEEP_EVERY { Ok(()) } else { self.keep(source, out) }
    }

    /// The copy has not come to its end. True: it stays, and can be gone on with.
    pub(super) fn leave(&mut self, source: &dyn BackupSource, out: &mut dyn SetOutput) -> bool {
        let Some(keeping) = &self.keeping else { return false };
        if keeping.now.is_none() && keeping.earlier.is_none() {
            return false;
        }
        if !keeping.complete
            && let Err(error) = self.keep(source, out)
        {
            tracing::warn!(%error, "not all of the stopped backup can be gone on with");
        }
        out.leave();
        true
    }
}
