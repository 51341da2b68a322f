//! Going over to the next generation (backup-log-recovery 1.5).
//!
//! 1. Everything of generation N is durable, mirrors of segments too.
//! 2. The header of N + 1 goes into the file made in advance, and is synced.
//! 3. `edb.log` gets its archive name. The directory is synced: if only the next step survived a
//!    crash, it would replace generation N by N + 1.
//! 4. `edbtmp.log` becomes `edb.log`; the directory is synced.
//! 5. The observer updates the headers of all attached databases.
//!
//! A crash between 3 and 4 leaves no `edb.log`; reading such a stream finds N + 1 in `edbtmp.log`
//! by its header, and resuming it does step 4.

use ese_base::{Error, JetErr, LgPos, Result, plant};
use ese_os::OpenMode;

use super::{Shared, place::Writer};
use crate::layout::{HeaderFlags, LogHeader, LogVersion};

impl Shared {
    /// Begins the generation after the writer's.
    pub(super) fn roll(&self, writer: &mut Writer) -> Result<()> {
        writer.end_file()?;
        let previous = writer.generation;
        let generation = previous.next();
        let observer = self.observer();
        // Before the first checkpoint everything is needed.
        let checkpoint = self.checkpoint().max(LgPos::new(1, 1, 0));
        let from_reserve = self.next_file.take(checkpoint)?;

        let created = self.env.clock.log_time();
        let begin = LgPos { generation, isec: 1, ib: 0 };
        let mut attachments = observer.as_ref().map_or_else(Vec::new, |o| o.attachments());
        // Those whose attachment is logged in this very generation will be met by replaying it.
        attachments.retain(|attachment| attachment.lgpos_attach < begin);
        let header = LogHeader {
            generation,
            sector_len: 4096,
            header_sectors: 1,
            sectors: self.header.sectors,
            page_size: self.header.page_size,
            created,
            previous_created: writer.created,
            version: LogVersion::OURS,
            signature: self.signature,
            params: self.header.params,
            flags: self.header_flags(from_reserve),
            checkpoint,
            previous_checksum: writer.sum(),
            engine_format: LogVersion::OUR_ENGINE_FORMAT,
            attachments,
        };
        let names = &self.archives.names;
        let (current, temporary) = (names.current(), names.temporary());
        let file = self.env.fs.open(&temporary, OpenMode::ReadWrite)?;
        file.write_at(header.encode()?.as_slice(), 0)?;
        if !plant!("log-skip-header-sync") {
            file.sync()?;
        }
        drop(file);

        if writer.has_file() {
            let archive = names.archive(previous);
            if self.env.fs.exists(&archive)? {
                return Err(Error::new(
                    JetErr::FileAccessDenied,
                    "the archive name of the finished log generation is taken",
                )
                .at_path(archive)
                .at_generation(previous));
            }
            self.env.fs.rename(&current, &archive)?;
            if !plant!("log-skip-name-sync") {
                self.env.fs.sync_dir(names.dir())?;
            }
            self.archives.add(previous, archive);
        }
        self.env.fs.rename(&temporary, &current)?;
        self.env.fs.sync_dir(names.dir())?;
        self.next_file.named();
        // Opened again for its new name, which messages show.
        let file = self.env.fs.open(&current, OpenMode::ReadWrite)?;
        writer.enter(file, generation, created);
        *self.written.lock() = (generation, created);
        if let Some(observer) = observer
            && !plant!("log-roll-untold")
        {
            observer.rolled(generation, created)?;
        }
        self.background.want_next_file();
        Ok(())
    }

    fn header_flags(&self, from_reserve: bool) -> HeaderFlags {
        let mut flags = HeaderFlags::empty();
        flags.set(HeaderFlags::RESERVE, from_reserve);
        flags.set(HeaderFlags::CIRCULAR, self.header.circular);
        flags.set(HeaderFlags::CIRCULAR_HISTORY, self.header.circular_history);
        flags
    }
}
