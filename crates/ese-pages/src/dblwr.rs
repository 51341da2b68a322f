//! The double-write file: torn pages cannot lose data (decision 0003).
//!
//! A page is written in place only after a copy of it is durable in a side file, `<database>.dwb`.
//! If power fails during the in-place write, the page in the database may be half old and half new
//! and its checksum wrong; then the copy is whole, because it was synced before. If power fails
//! while the copy is being written, the page in the database has not been touched. The copies of a
//! batch are overwritten only by the next batch, after the database was synced.
//!
//! Deleting the file after a clean shutdown loses nothing.
//!
//! ```text
//! 0    8  magic "ESEDBLW1"
//! 8    4  CRC-32 of bytes 0 .. 64 + 8 * count, with these four as zero
//! 12   4  page size
//! 16   8  sequence: batches written since the file was opened
//! 24   4  count of pages
//! 28   4  offset of the first image; a multiple of 4096
//! 32  28  signature of the database
//! 60   4  zero
//! 64   8  per page: page number, CRC-32 of its image
//! ...     images, as they go to the database, in the order of the list
//! ```

#[cfg(test)]
pub(crate) mod tests;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, PageSize, Pgno, Result, Signature, plant};
use ese_os::{Env, File, OpenMode, parent_of};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U32, U64},
};

use crate::{
    aligned::{AlignedBuffer, BLOCK_LEN},
    checksum::{self, Verdict},
    db_file::DbFile,
    page::PageRef,
};

const MAGIC: [u8; 8] = *b"ESEDBLW1";
/// More pages than any batch has: bounds what a damaged header can ask for.
const COUNT_MAX: usize = 1 << 17;

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Head {
    magic: [u8; 8],
    crc: U32,
    page_size: U32,
    sequence: U64,
    count: U32,
    pages_at: U32,
    sign_db: Signature,
    zero: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Entry {
    pgno: U32,
    crc: U32,
}

const _: () = assert!(size_of::<Head>() == 64 && size_of::<Entry>() == 8);

/// Where the images of a file with room for so many pages begin.
pub(crate) fn images_at(pages_max: usize) -> usize {
    (size_of::<Head>() + pages_max * size_of::<Entry>()).next_multiple_of(BLOCK_LEN)
}

/// The double-write file of a database. It belongs with the database as long as that is not clean.
#[must_use]
pub fn path_of(db: &Path) -> PathBuf {
    let mut name = OsString::from(db);
    name.push(".dwb");
    PathBuf::from(name)
}

/// Removes the file, if there is one.
pub fn remove(env: &Env, db: &Path) -> Result<()> {
    let path = path_of(db);
    if !env.fs.exists(&path)? {
        return Ok(());
    }
    env.fs.remove_file(&path)?;
    env.fs.sync_dir(parent_of(db))
}

/// The writing side.
#[derive(Debug)]
pub(crate) struct DoubleWrite {
    file: Arc<dyn File>,
    sequence: u64,
    /// Pages that fit: no batch may have more.
    pub(crate) room: usize,
}

impl DoubleWrite {
    /// Makes the file with room for a whole batch, or for as much of one as the disk has space
    /// for; or takes the one that is there: whatever it holds was looked at when the database was
    /// opened.
    ///
    /// # Errors
    /// `JET_errDiskFull` (-1808) if not a single page fits, and the like. Nothing has been written
    /// to the database then.
    pub(crate) fn open(db: &DbFile, pages_max: usize) -> Result<DoubleWrite> {
        let path = path_of(db.path());
        let file = db.env().fs.open(&path, OpenMode::CreateOrTruncate)?;
        let room = make_room(&*file, db.page_size(), pages_max)?;
        file.sync()?;
        if !plant!("pages-skip-double-write-name-sync") {
            db.env().fs.sync_dir(parent_of(&path))?;
        }
        Ok(DoubleWrite { file, sequence: 0, room })
    }

    /// Makes copies of a batch durable. The images stand in `batch` from `images_at` on, in the
    /// order of `pages`; the part before is filled here. A failure poisons the database.
    pub(crate) fn write(
        &mut self,
        db: &DbFile,
        batch: &mut AlignedBuffer,
        images_at: usize,
        pages: impl ExactSizeIterator<Item = Pgno>,
    ) -> Result<()> {
        self.sequence += 1;
        let page_len = db.page_size().bytes();
        let count = pages.len();
        let end = images_at + count * page_len;
        let (front, images) = batch.as_mut_slice().split_at_mut(images_at);
        let mut list = front.chunks_exact_mut(size_of::<Entry>()).skip(size_of::<Head>() / 8);
        for ((pgno, image), to) in pages.zip(images.chunks_exact(page_len)).zip(&mut list) {
            let entry = Entry { pgno: pgno.0.into(), crc: crc32fast::hash(image).into() };
            to.copy_from_slice(entry.as_bytes());
        }
        let mut head = Head {
            magic: MAGIC,
            crc: 0.into(),
            page_size: db.page_size().bytes_u32().into(),
            sequence: self.sequence.into(),
            count: u32::try_from(count).unwrap_or(u32::MAX).into(),
            pages_at: u32::try_from(images_at).unwrap_or(u32::MAX).into(),
            sign_db: db.header().sign_db,
            zero: 0.into(),
        };
        head.crc = front_crc(&head, front, count).into();
        if let Some(to) = front.get_mut(..size_of::<Head>()) {
            to.copy_from_slice(head.as_bytes());
        }
        let bytes = batch.as_slice().get(..end).unwrap_or(&[]);
        db.poison().check()?;
        self.file
            .write_at(bytes, 0)
            .and_then(|()| {
                if plant!("pages-skip-double-write-sync") { Ok(()) } else { self.file.sync() }
            })
            .map_err(|error| db.poison().remember(error))
    }
}

/// Takes space for the images of a batch, for half of one where the disk is too full for it, and so
/// on. The value is how many fit.
fn make_room(file: &dyn File, page_size: PageSize, pages_max: usize) -> Result<usize> {
    let mut pages = pages_max;
    loop {
        let len = images_at(pages_max) + pages * page_size.bytes();
        match file.allocate(0, u64::try_from(len).unwrap_or(u64::MAX)) {
            Err(error) if error.code() == JetErr::DiskFull && pages > 1 => pages /= 2,
            done => return done.map(|()| pages),
        }
    }
}

/// The checksum of head (its own field as zero) and list.
fn front_crc(head: &Head, front: &[u8], count: usize) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(Head { crc: 0.into(), ..*head }.as_bytes());
    let list = size_of::<Head>()..size_of::<Head>() + count * size_of::<Entry>();
    crc.update(front.get(list).unwrap_or(&[]));
    crc.finalize()
}

/// Puts back the pages that a crash has torn: those whose intact copy in the double-write file
/// differs from the database, unless the database holds a newer page. Nothing happens without a
/// file, with the file of another database, or with one that was itself torn. Can be repeated.
///
/// [`DbFile::open`] calls this; the pages are durable when it returns.
///
/// # Errors
/// Errors of the database file; `JET_errInternalError` while it has a page cache. A page that
/// cannot be restored, or a side file that cannot be read, is not an error here: whoever reads
/// the page will be told. `JET_errFileAccessDenied` (-1032): the side file may not be opened, or
/// is none, so that no page could be written later either.
pub fn recover_double_write(db: &DbFile) -> Result<Vec<Pgno>> {
    let path = path_of(db.path());
    if !db.env().fs.exists(&path)? {
        return Ok(Vec::new());
    }
    let _claim = db.claim()?;
    let batch = db.env().fs.open(&path, OpenMode::Read).and_then(|file| {
        let front = read_front(db, &*file)?;
        Ok(front.map(|(pages_at, entries)| (file, pages_at, entries)))
    });
    let (file, pages_at, entries) = match batch {
        Ok(Some(batch)) => batch,
        Ok(None) => {
            tracing::info!(path = %path.display(), "no whole batch of this database to restore from");
            return Ok(Vec::new());
        }
        Err(error) if error.code() == JetErr::FileAccessDenied => return Err(error),
        Err(error) => {
            tracing::warn!(%error, "the double-write file cannot be read");
            return Ok(Vec::new());
        }
    };
    let page_len = db.page_size().bytes();
    let mut images = AlignedBuffer::new(2 * page_len)?;
    let (page, copy) = images.as_mut_slice().split_at_mut(page_len);
    let mut restored = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        let pgno = Pgno(entry.pgno.get());
        let at = pages_at + u64::try_from(n * page_len).unwrap_or(u64::MAX);
        let intact = db.check_in_file(pgno).is_ok()
            && file.read_at(copy, at).is_ok()
            && crc32fast::hash(copy) == entry.crc.get()
            && checksum::check(copy, pgno) == Verdict::Good;
        if !intact {
            tracing::warn!(path = %path.display(), %pgno, "a page has no intact copy");
            continue;
        }
        if needs_no_copy(db, pgno, page, copy)? {
            continue;
        }
        db.write_at(copy, db.page_size().offset_of(pgno))?;
        tracing::warn!(path = %db.path().display(), %pgno, "a torn page was restored");
        restored.push(pgno);
    }
    if !restored.is_empty() {
        db.sync()?;
    }
    Ok(restored)
}

/// Does the database hold this copy of the page, or a newer one? A checksum that is right proves
/// little here: one of regular content may also be right for a mixture of old and new sectors.
fn needs_no_copy(db: &DbFile, pgno: Pgno, page: &mut [u8], copy: &[u8]) -> Result<bool> {
    match db.read_page_raw(pgno, page) {
        Ok(()) if page == copy => Ok(true),
        Ok(()) => {
            let dbtime = |bytes| PageRef::new(bytes, db.page_size()).dbtime();
            Ok(checksum::check(page, pgno) == Verdict::Good && dbtime(page) > dbtime(copy))
        }
        Err(error) if error.code() == JetErr::DiskIO => Ok(false),
        Err(error) => Err(error),
    }
}

/// Offset of the images and the list, if the file holds a batch of this database.
fn read_front(db: &DbFile, file: &dyn File) -> Result<Option<(u64, Vec<Entry>)>> {
    let len = file.len()?;
    let mut start = [0; size_of::<Head>()];
    if len < BLOCK_LEN as u64 {
        return Ok(None);
    }
    file.read_at(&mut start, 0)?;
    let Ok(head) = Head::read_from_bytes(&start) else { return Ok(None) };
    let count = head.count.get() as usize;
    let pages_at = head.pages_at.get() as usize;
    let front_len = size_of::<Head>() + count.min(COUNT_MAX) * size_of::<Entry>();
    let end = pages_at as u64 + count as u64 * db.page_size().bytes_u64();
    if head.magic != MAGIC
        || head.page_size.get() != db.page_size().bytes_u32()
        || head.sign_db != db.header().sign_db
        || count > COUNT_MAX
        || pages_at < front_len
        || end > len
    {
        return Ok(None);
    }
    let mut front = Vec::new();
    front.try_reserve_exact(front_len).map_err(|error| {
        Error::new(JetErr::OutOfMemory, "no memory for the double-write list").caused_by(error)
    })?;
    front.resize(front_len, 0);
    file.read_at(&mut front, 0)?;
    if front_crc(&head, &front, count) != head.crc.get() {
        return Ok(None);
    }
    let list = front.get(size_of::<Head>()..).unwrap_or(&[]);
    let entries = <[Entry]>::ref_from_bytes(list).map(<[Entry]>::to_vec).unwrap_or_default();
    Ok(Some((head.pages_at.get().into(), entries)))
}
