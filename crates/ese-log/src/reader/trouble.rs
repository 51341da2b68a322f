//! Streams of which something is lost: where the trouble begins, and what is there without it
//! (backup-log-recovery 3.5).

use ese_base::{Error, ErrorKind, Generation, JetErr, LgPos, Result};

use super::{
    records::{StreamReader, check_chain},
    stream::{LogFile, LogStream, Situation},
};
use crate::layout::LogHeader;

impl LogStream {
    /// The generation of the newest file, whether its header can be read or not: one whose header
    /// cannot is taken for the successor of the newest archive.
    ///
    /// # Errors
    /// `JET_errMissingLogFile` (-528) if there is no log.
    pub fn last_present(&self) -> Result<Generation> {
        let archive = self.newest_archive();
        let after = archive.map(Generation::next);
        match self.current().map(|current| current.header()) {
            Some(Ok(header)) => Ok(header.generation),
            Some(Err(error)) => after.ok_or(error),
            None => archive.ok_or_else(|| Error::new(JetErr::MissingLogFile, "there is no log")),
        }
    }

    /// The newest header that can be read: what all logs of a stream have in common is in each.
    ///
    /// # Errors
    /// Why that of the newest generation cannot be used, if none can.
    pub fn readable_header(&self) -> Result<&LogHeader> {
        self.newest_header().or_else(|error| {
            let mut archives = self.archives().rev().map(|(_, file)| file);
            archives.find_map(|file| file.header().ok()).ok_or(error)
        })
    }

    /// The first generation from `from` on that is missing, damaged, or no successor of the one
    /// before, with the reason. Reads the generations from there on, each to its end.
    ///
    /// # Errors
    /// Those of a device that does not answer: that is no damage.
    pub fn first_trouble(&self, from: Generation) -> Result<Option<(Generation, Error)>> {
        let mut before = from.0.checked_sub(1).and_then(|before| self.sound(Generation(before)));
        for generation in (from.0..=self.last_present()?.0).map(Generation) {
            let found = match self.file_of(generation) {
                None => Err(Error::new(
                    JetErr::MissingLogFile,
                    "a log file is missing while later ones are there",
                )
                .at_path(self.names().dir())),
                Some(file) => self.check_file(file, before),
            };
            match found {
                Ok(header) => before = Some(header),
                Err(error) if error.kind() == ErrorKind::Io => return Err(error),
                Err(error) => return Ok(Some((generation, error.at_generation(generation)))),
            }
        }
        Ok(None)
    }

    /// Leaves out the generations from `generation` on, as if they had never been there. The files
    /// stay.
    #[must_use]
    pub fn without_from(mut self, generation: Generation) -> LogStream {
        let current = self.last_present().ok().filter(|_| self.current().is_some());
        if current.is_none_or(|current| current >= generation) {
            self.last = None;
        }
        self.archives.split_off(&generation);
        if self.last.is_none() {
            self.situation = match self.archives.is_empty() {
                true => Situation::Empty,
                false => Situation::CurrentMissing,
            };
        }
        self
    }

    /// Leaves out the finished generations from `generation` on; the current one stays.
    #[must_use]
    pub fn without_archives_from(mut self, generation: Generation) -> LogStream {
        self.archives.split_off(&generation);
        self
    }

    /// The newest finished generation.
    #[must_use]
    pub fn newest_archive(&self) -> Option<Generation> {
        self.archives.last_key_value().map(|(generation, _)| *generation)
    }

    /// The file of a generation.
    fn file_of(&self, generation: Generation) -> Option<&LogFile> {
        let is_current = self.last_present().is_ok_and(|last| last == generation);
        let current = self.current().filter(|_| is_current);
        current.or_else(|| self.archives.get(&generation))
    }

    /// Its header, if it can be used.
    fn sound(&self, generation: Generation) -> Option<&LogHeader> {
        self.file_of(generation)?.checked_header().ok()
    }

    fn check_file<'s>(
        &'s self,
        file: &'s LogFile,
        before: Option<&LogHeader>,
    ) -> Result<&'s LogHeader> {
        let header = file.checked_header()?;
        if let Some(before) = before {
            check_chain(before, header).map_err(|error| error.at_path(&file.path))?;
        }
        // The successor tells what this one must hold, if it is one.
        let follows = |next: &&LogFile| {
            next.checked_header().is_ok_and(|next| check_chain(header, next).is_ok())
        };
        let next = self.file_of(header.generation.next()).filter(follows);
        let files = std::iter::once(file).chain(next).collect();
        let mut reader = StreamReader::over(self.env.clone(), None, files, LgPos::MIN);
        loop {
            match reader.next() {
                Ok(Some(entry)) if entry.pos.generation == header.generation => {}
                Ok(_) => return Ok(header),
                // What is wrong with the next one is found when it is its turn.
                Err(error) if error.generation() > Some(header.generation) => return Ok(header),
                Err(error) => return Err(error.at_path(&file.path)),
            }
        }
    }
}
