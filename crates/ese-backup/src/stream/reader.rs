//! One file of a backup as a stream of verified bytes.
//!
//! Who takes a stream with [`io::Read`] or [`io::BufRead`] gets it from buffers that a thread of
//! its own reads ahead: while one is being written somewhere, the next one is read and verified.
//! Three buffers circulate, so memory stays bounded and whichever side is slower sets the pace.
//! Without threads, and in files that fit into one buffer, each buffer is read when it is wanted.
//!
//! The last buffer is never read ahead. A file counts as copied when it was read to its end, so
//! nobody may come there before the caller does; and the trailer of a database names the
//! generation of the moment at which the caller asks for it.

use std::{fmt, io, sync::Arc};

use crossbeam::channel::{Receiver, Sender, bounded};
use ese_base::{Error, JetErr, Result};
use ese_os::Worker;

use super::BackupStream;
use crate::{
    AlignedBuffer,
    session::{BackupContext, FileHandle},
};

/// Bytes of one buffer of a [`FileReader`].
const READ_LEN: usize = 1 << 20;
/// Buffers in circulation: one with the caller, one that is full, one that is being filled.
const BUFFERS: usize = 3;

/// A file of a backup as a stream of verified bytes. Dropping it closes it.
///
/// [`io::BufRead`] shows the bytes where they were verified, without a further copy.
#[derive(Debug)]
pub struct FileReader<'a> {
    stream: &'a mut BackupStream,
    /// `None` once it is closed.
    handle: Option<FileHandle>,
    len: u64,
    /// Buffers that may be read ahead: all but the last one.
    early: u64,
    current: Filled,
    ahead: Ahead,
}

/// A buffer of verified bytes, and how much of it was given out.
#[derive(Debug, Default)]
struct Filled {
    buffer: AlignedBuffer,
    have: usize,
    given: usize,
}

impl Filled {
    fn rest(&self) -> &[u8] {
        self.buffer.as_slice().get(self.given..self.have).unwrap_or_default()
    }
}

/// The thread that reads ahead.
enum Ahead {
    /// Nothing was read as a stream yet.
    NotBegun,
    Running(ReadAhead),
    /// There is nothing left for it to do, or there are no threads.
    Ended,
}

struct ReadAhead {
    empty: Sender<AlignedBuffer>,
    filled: Receiver<Result<(AlignedBuffer, usize)>>,
    thread: Worker,
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ahead::NotBegun => "NotBegun",
            Ahead::Running(_) => "Running",
            Ahead::Ended => "Ended",
        })
    }
}

impl<'a> FileReader<'a> {
    /// A file of `len` bytes that is open at offset `from`.
    pub(super) fn new(
        stream: &'a mut BackupStream,
        handle: FileHandle,
        len: u64,
        from: u64,
    ) -> FileReader<'a> {
        FileReader {
            stream,
            handle: Some(handle),
            len,
            early: len.saturating_sub(from).saturating_sub(1) / READ_LEN as u64,
            current: Filled::default(),
            ahead: Ahead::NotBegun,
        }
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Is there nothing to read?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills an aligned buffer of whole pages without a further copy; less only at the end of the
    /// file, 0 behind it. Not to be mixed with [`io::Read`] and [`io::BufRead`].
    ///
    /// # Errors
    /// As [`BackupContext::read_file`].
    pub fn read_aligned(&mut self, buf: &mut [u8]) -> Result<usize> {
        match self.handle {
            Some(handle) => self.stream.context.read_file_as(self.stream.who, handle, buf),
            None => Ok(0),
        }
    }

    /// Stops the backup that the file belongs to: as [`BackupContext::stop`].
    pub fn stop(&self) {
        self.stream.context.stop();
    }

    pub(crate) fn context(&self) -> &BackupContext {
        &self.stream.context
    }

    /// Closes the file; only one that was read to its end counts as copied. Gives the number of
    /// pages whose checksum was right only after a flipped bit was corrected.
    ///
    /// # Errors
    /// As [`BackupContext::close_file`].
    pub fn close(mut self) -> Result<u64> {
        let ahead = self.end_ahead();
        match self.handle.take() {
            // What the caller has not come to could not be read, so the file is closed already.
            Some(_) if ahead.is_err() => ahead.map(|()| 0),
            Some(handle) => self.stream.context.close_file_as(self.stream.who, handle),
            None => Ok(0),
        }
    }

    /// The next buffer; an empty one at the end of the file.
    fn refill(&mut self) -> Result<()> {
        if self.context().is_stopped() {
            // What was read ahead before a stop is not given out after it.
            drop(self.end_ahead());
        } else if matches!(self.ahead, Ahead::NotBegun) {
            self.ahead = self.begin_ahead()?;
        }
        let mut buffer = std::mem::take(&mut self.current).buffer;
        if let Ahead::Running(ahead) = &self.ahead {
            if let Ok(filled) = ahead.filled.recv() {
                if !buffer.is_empty() {
                    // There is room for all of them. Nobody takes it when all is read.
                    drop(ahead.empty.send(buffer));
                }
                let (buffer, have) = filled?;
                self.current = Filled { buffer, have, given: 0 };
                return Ok(());
            }
            drop(self.end_ahead());
        }
        if buffer.is_empty() {
            buffer = AlignedBuffer::new(READ_LEN)?;
        }
        let have = self.read_aligned(buffer.as_mut_slice())?;
        self.current = Filled { buffer, have, given: 0 };
        Ok(())
    }

    fn begin_ahead(&self) -> Result<Ahead> {
        let count = self.early;
        let Some(handle) = self.handle.filter(|_| count > 0) else { return Ok(Ahead::Ended) };
        let (context, who) = (Arc::clone(&self.stream.context), self.stream.who);
        let threads = Arc::clone(&context.source().env().threads);
        let (empty, empties) = bounded(BUFFERS);
        let (filled_sink, filled) = bounded(BUFFERS);
        for _ in 0..BUFFERS {
            empty.send(AlignedBuffer::new(READ_LEN)?).map_err(|_| {
                Error::new(JetErr::InternalError, "no room for a buffer of the backup")
            })?;
        }
        let body = Box::new(move || {
            for (_, mut buffer) in (0..count).zip(empties) {
                let read = context.read_file_as(who, handle, buffer.as_mut_slice());
                let failed = read.is_err();
                if filled_sink.send(read.map(|have| (buffer, have))).is_err() || failed {
                    return;
                }
            }
        });
        let thread = threads.spawn("ese-backup-read", body)?;
        Ok(match thread {
            Some(thread) => Ahead::Running(ReadAhead { empty, filled, thread }),
            None => Ahead::Ended,
        })
    }

    /// Lets the thread come to its end. The error is why it has closed the file.
    fn end_ahead(&mut self) -> Result<()> {
        let Ahead::Running(ahead) = std::mem::replace(&mut self.ahead, Ahead::Ended) else {
            return Ok(());
        };
        let ReadAhead { empty, filled, thread } = ahead;
        // It fills what it still has, for which there is room, and ends.
        drop(empty);
        drop(thread);
        let closes = |error: &Error| error.code() != JetErr::BackupAbortByServer;
        filled.try_iter().filter_map(Result::err).find(closes).map_or(Ok(()), Err)
    }
}

impl io::BufRead for FileReader<'_> {
    /// The error is the engine's own, see [`super::jet_error`].
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.rest().is_empty() {
            self.refill().map_err(io::Error::other)?;
        }
        Ok(self.current.rest())
    }

    fn consume(&mut self, count: usize) {
        let filled = &mut self.current;
        filled.given = filled.given.saturating_add(count).min(filled.have);
    }
}

impl io::Read for FileReader<'_> {
    /// The error is the engine's own, see [`super::jet_error`].
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = io::BufRead::fill_buf(self)?;
        let count = ready.len().min(out.len());
        for (to, from) in out.iter_mut().zip(ready) {
            *to = *from;
        }
        io::BufRead::consume(self, count);
        Ok(count)
    }
}

impl Drop for FileReader<'_> {
    fn drop(&mut self) {
        drop(self.end_ahead());
        if let Some(handle) = self.handle.take()
            && let Err(error) = self.stream.context.close_file_as(self.stream.who, handle)
        {
            tracing::debug!(%error, "the file of the backup had been closed before");
        }
    }
}
