//! Reading an archive from front to back. Nothing of it is believed before its checksum was right.

use std::{
    collections::HashSet,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crc32fast::Hasher;
use ese_base::{Error, JetErr, Result};

use super::{
    ArchiveStart, FORMAT, FRAME_DATA_LEN, FileHead, FileKind, FrameHead, HEAD_LEN, Kind,
    MANIFEST_LEN_MAX, TEXT_LEN_MAX, VERSION, from_io,
};
use crate::{
    files::check_plain_name,
    stream::{Manifest, hex32},
};

/// The next thing in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchivePart {
    /// The beginning.
    Start(ArchiveStart),
    /// A file begins.
    File(FileHead),
    /// The next so many bytes of the file; they are in the caller's buffer.
    Data(usize),
    /// The end: everything was there, as the manifest lists it.
    Manifest(Box<Manifest>),
}

/// An archive that is being read.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    input: R,
    name: PathBuf,
    /// Of the next frame.
    number: u64,
    archive: Option<u32>,
    files: Vec<Received>,
    /// Of the files.
    names: HashSet<String>,
    ended: bool,
}

/// Bytes of the largest file: a database with all pages that its numbers can name.
const FILE_LEN_MAX: u64 = 1 << 47;
/// Files of an archive; a manifest of its longest length lists fewer.
const FILES_MAX: usize = 200_000;

#[derive(Debug)]
struct Received {
    head: FileHead,
    have: u64,
    sum: Hasher,
}

impl Received {
    fn is_whole(&self) -> bool {
        self.have == self.head.len
    }
}

impl<R: Read> ArchiveReader<R> {
    /// `name` is for messages.
    pub fn new(input: R, name: &Path) -> ArchiveReader<R> {
        let (name, files, names) = (name.to_path_buf(), Vec::new(), HashSet::new());
        ArchiveReader { input, name, number: 0, archive: None, files, names, ended: false }
    }

    /// The next part; `None` behind the manifest. `buffer` takes the bytes of files and holds at
    /// least [`FRAME_DATA_LEN`].
    ///
    /// # Errors
    /// Each names the frame and the file that it belongs to: `JET_errFileInvalidType` (-1812) for
    /// something else than an archive, or an archive of an unknown version;
    /// `JET_errFileIOBeyondEOF` (-4001) if it ends before its manifest; `JET_errReadVerifyFailure`
    /// (-1018) if a frame is damaged, missing, from another archive or at the wrong place;
    /// also for a file name with a way in it; those of reading.
    pub fn next(&mut self, buffer: &mut [u8]) -> Result<Option<ArchivePart>> {
        if self.ended {
            return Ok(None);
        }
        let head = self.head()?;
        let part = match head.kind {
            Kind::Start => self.start(head)?,
            Kind::File => self.file(head)?,
            Kind::Data => self.data(head, buffer)?,
            Kind::Manifest => self.manifest(head)?,
        };
        self.number += 1;
        Ok(Some(part))
    }

    fn head(&mut self) -> Result<FrameHead> {
        let mut bytes = [0; HEAD_LEN];
        let had = self.fill(&mut bytes)?;
        if had < HEAD_LEN && !(self.number == 0 && had > 0) {
            return Err(self.cut_off());
        }
        let head = match FrameHead::decode(&bytes) {
            Ok(head) => head,
            Err(_) if self.number == 0 && !bytes.starts_with(&super::MAGIC) => {
                return Err(Error::new(JetErr::FileInvalidType, "this is no archive of a backup")
                    .at_path(&self.name)
                    .advise("name a set that `ese backup` has written"));
            }
            Err(_) if had < HEAD_LEN => return Err(self.cut_off()),
            Err(what) => return Err(self.damaged(what)),
        };
        let archive = *self.archive.get_or_insert(head.archive);
        if head.archive != archive {
            return Err(self.damaged("it belongs to another archive"));
        }
        if head.number != self.number {
            let what = format!("it is frame {} of the archive", head.number);
            return Err(self.damaged(what));
        }
        if (head.kind == Kind::Start) != (self.number == 0) {
            return Err(self.damaged("the archive does not begin with its start, or has two"));
        }
        Ok(head)
    }

    fn start(&mut self, head: FrameHead) -> Result<ArchivePart> {
        let text = self.text(head, TEXT_LEN_MAX)?;
        let start: ArchiveStart = self.parse(&text)?;
        if start.format != FORMAT || start.version != VERSION {
            return Err(Error::new(
                JetErr::FileInvalidType,
                format!(
                    "expected an {FORMAT} of version {VERSION}, found {} of version {}",
                    start.format, start.version
                ),
            )
            .at_path(&self.name)
            .advise("restore it with the version of `ese` that made it"));
        }
        Ok(ArchivePart::Start(start))
    }

    fn file(&mut self, head: FrameHead) -> Result<ArchivePart> {
        self.check_last_is_whole()?;
        let text = self.text(head, TEXT_LEN_MAX)?;
        let file: FileHead = self.parse(&text)?;
        check_plain_name(&file.name).map_err(|error| {
            self.damaged(error.message()).advise("somebody has made it up: do not restore it")
        })?;
        if !self.names.insert(file.name.clone()) {
            return Err(self.damaged(format!("a second file {:?}", file.name)));
        }
        if file.len > FILE_LEN_MAX {
            return Err(self.damaged(format!("{:?} with {} bytes", file.name, file.len)));
        }
        if self.files.len() >= FILES_MAX {
            return Err(self.damaged(format!("more than {FILES_MAX} files")));
        }
        self.files.push(Received { head: file.clone(), have: 0, sum: Hasher::new() });
        Ok(ArchivePart::File(file))
    }

    fn data(&mut self, head: FrameHead, buffer: &mut [u8]) -> Result<ArchivePart> {
        let room = self.files.last().map_or(0, |file| file.head.len - file.have);
        let expected = room.min(FRAME_DATA_LEN as u64);
        if expected == 0 || u64::from(head.len) != expected {
            let what = format!("it has {} bytes, expected {expected}", head.len);
            return Err(self.damaged(what));
        }
        let len = usize::try_from(head.len).unwrap_or(usize::MAX);
        let bytes = buffer.get_mut(..len).ok_or_else(|| {
            Error::new(JetErr::BufferTooSmall, "the buffer is smaller than a data frame")
        })?;
        if self.fill(bytes)? < len {
            return Err(self.cut_off());
        }
        let mut sum = Hasher::new();
        sum.update(bytes);
        if sum.clone().finalize() != head.crc {
            return Err(self.damaged("the checksum of its content is wrong"));
        }
        if let Some(file) = self.files.last_mut() {
            file.sum.combine(&sum);
            file.have += u64::from(head.len);
        }
        Ok(ArchivePart::Data(len))
    }

    fn manifest(&mut self, head: FrameHead) -> Result<ArchivePart> {
        self.check_last_is_whole()?;
        let text = self.text(head, MANIFEST_LEN_MAX)?;
        let manifest = Manifest::from_text(&text).map_err(|what| self.damaged(what))?;
        self.check_manifest(&manifest)?;
        if self.fill(&mut [0])? > 0 {
            return Err(self.damaged("something follows the end of the archive"));
        }
        self.ended = true;
        Ok(ArchivePart::Manifest(Box::new(manifest)))
    }

    /// The manifest lists exactly the files that were there.
    fn check_manifest(&self, manifest: &Manifest) -> Result<()> {
        let databases = manifest.databases.iter();
        let databases = databases.map(|it| (FileKind::Database, &it.name, it.len, &it.crc32));
        let logs = manifest.logs.iter().map(|it| (FileKind::Log, &it.name, it.len, &it.crc32));
        let listed: Vec<_> = databases.chain(logs).collect();
        let agree = |(file, entry): (&Received, &(FileKind, &String, u64, &String))| {
            let FileHead { kind, name, len } = &file.head;
            (*kind, name, *len) == (entry.0, entry.1, entry.2)
                && hex32(file.sum.clone().finalize()) == *entry.3
        };
        let same = listed.len() == self.files.len();
        match self.files.iter().zip(&listed).find(|pair| !agree(*pair)) {
            None if same => Ok(()),
            None => Err(self.damaged("the manifest lists other files than there were")),
            Some((file, _)) => {
                Err(self.damaged(format!("the manifest tells otherwise of {:?}", file.head.name)))
            }
        }
    }

    fn check_last_is_whole(&self) -> Result<()> {
        match self.files.last().filter(|file| !file.is_whole()) {
            Some(file) => Err(self.damaged(format!(
                "{} of {} bytes of the file were there before",
                file.have, file.head.len
            ))),
            None => Ok(()),
        }
    }

    /// The content of a frame that is no file's.
    fn text(&mut self, head: FrameHead, len_max: u32) -> Result<Vec<u8>> {
        if head.len > len_max {
            return Err(self.damaged(format!("{} bytes are too many for its kind", head.len)));
        }
        let mut text = Vec::new();
        let read = self.input.by_ref().take(u64::from(head.len)).read_to_end(&mut text);
        let had = read.map_err(|error| self.unreadable(error))?;
        if had as u64 != u64::from(head.len) {
            return Err(self.cut_off());
        }
        if crc32fast::hash(&text) != head.crc {
            return Err(self.damaged("the checksum of its content is wrong"));
        }
        Ok(text)
    }

    fn parse<T: for<'a> serde::Deserialize<'a>>(&self, text: &[u8]) -> Result<T> {
        serde_json::from_slice(text).map_err(|error| self.damaged(error.to_string()))
    }

    /// Fills a buffer; less only at the end of the input.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut had = 0;
        while let Some(rest) = buffer.get_mut(had..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => break,
                Ok(count) => had += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(error)),
            }
        }
        Ok(had)
    }

    fn unreadable(&self, error: io::Error) -> Error {
        from_io(error, "read the archive").at_path(&self.name)
    }

    /// `frame 7 (a.edb from 1048576)`.
    fn place(&self) -> String {
        match self.files.last() {
            Some(file) if !file.is_whole() => {
                format!("frame {} ({} from {})", self.number, file.head.name, file.have)
            }
            Some(file) => format!("frame {} (after {})", self.number, file.head.name),
            None => format!("frame {}", self.number),
        }
    }

    fn damaged(&self, what: impl AsRef<str>) -> Error {
        let text = format!("{}: {}", self.place(), what.as_ref());
        Error::new(JetErr::ReadVerifyFailure, text)
            .at_path(&self.name)
            .advise("restore another set")
    }

    fn cut_off(&self) -> Error {
        let text = format!("the archive ends in {}, before its manifest", self.place());
        Error::new(JetErr::FileIOBeyondEOF, text)
            .at_path(&self.name)
            .advise("the backup did not finish, or the archive was cut off: restore another set")
    }
}
