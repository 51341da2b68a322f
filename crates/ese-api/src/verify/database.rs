//! One database file: header, every page, every tree, who owns which page, the two catalogs.

use std::path::{Path, PathBuf};

use ese_base::{Error, ErrorKind, JetErr, PageSize, Pgno, Result};
use ese_engine::{
    reader::{CatalogSource, OfflineDatabase},
    schema::TableSchema,
    space::{
        check::{check_until as check_space, trees_of},
        extent::Extent,
    },
};
use ese_os::{Env, OpenMode};
use ese_pages::{
    Access, DbFile, DbHeader, DbState, PageRef, Validate,
    checksum::{self, Verdict},
    header::{contradiction, read_header},
    validate,
};

use super::{Severity, VerifyOptions, header};

/// Bytes read at a time.
const CHUNK_LEN: usize = 1 << 20;
/// Problems that are kept; a file of garbage has one per page.
const PROBLEMS_MAX: usize = 1000;

/// What the verification of a database file found.
#[derive(Debug)]
pub struct DatabaseReport {
    /// The file.
    pub path: PathBuf,
    /// Its header.
    pub header: DbHeader,
    /// Pages in the file.
    pub pages: u32,
    /// Of these, never used ones.
    pub blank_pages: u32,
    /// Bytes behind the last page that make no page: wasted, not wrong.
    pub stray_bytes: u64,
    /// Tables, those of the system included; 0 if the catalog was not looked at.
    pub tables: usize,
    /// Trees that were walked.
    pub trees: usize,
    /// Live entries of all trees.
    pub entries: u64,
    /// Pages that are owned, but neither used nor available: wasted, not wrong.
    pub leaked_pages: u32,
    /// Long values that were compared with the rows that refer to them.
    pub long_values: u64,
    /// Long values that no row refers to: wasted, not wrong.
    pub orphans: Vec<Error>,
    /// What is wrong, with code and page.
    pub problems: Vec<Error>,
    /// How bad each of them is, in the same order.
    severities: Vec<Severity>,
}

impl DatabaseReport {
    /// Is nothing wrong?
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// What is wrong, and how bad it is.
    pub fn findings(&self) -> impl Iterator<Item = (Severity, &Error)> {
        self.severities.iter().copied().zip(&self.problems)
    }

    /// Notes a problem as bad as its code says.
    fn problem(&mut self, error: Error) {
        self.problem_as(Severity::of(&error), error);
    }

    /// Notes a problem once: a damaged page is met on the way through the file and by its tree.
    fn problem_as(&mut self, severity: Severity, error: Error) {
        let known = |other: &Error| {
            (other.code(), other.pgno(), other.message())
                == (error.code(), error.pgno(), error.message())
        };
        if self.problems.len() < PROBLEMS_MAX && !self.problems.iter().any(known) {
            self.problems.push(error.at_path(&self.path));
            self.severities.push(severity);
        }
    }
}

impl DatabaseReport {
    /// Makes one finding of all damaged pages that no tree uses: no row is in them. Raw copies of a
    /// disk have in the place of pages that were never written what the disk held there before.
    fn gather_strays(&mut self, unused: &[Extent]) {
        let is_stray = |error: &Error| {
            error.code() == JetErr::ReadVerifyFailure
                && error.pgno().is_some_and(|pgno| unused.iter().any(|run| run.contains(pgno)))
        };
        let findings = self.severities.drain(..).zip(self.problems.drain(..));
        let (strays, others): (Vec<_>, Vec<_>) = findings.partition(|(_, error)| is_stray(error));
        (self.severities, self.problems) = others.into_iter().unzip();
        let mut pages = strays.iter().filter_map(|(_, error)| error.pgno());
        let Some(first) = pages.next() else { return };
        let last = pages.next_back().unwrap_or(first);
        let what = format!(
            "pages that no tree uses hold bytes that are no page, as in raw copies of a disk: {} \
             between {first} and {last}; no row is in them",
            strays.len()
        );
        let error = Error::new(JetErr::ReadVerifyFailure, what).at_page(first);
        self.problem_as(Severity::Warning, error.advise("compact the database to be rid of them"));
    }
}

/// Verifies a database file that nobody has attached. The trees of one that is not clean are not
/// looked at: they are only whole together with the log. Of a temporary one that a crash has left
/// only the header is looked at: its pages have no checksums.
///
/// # Errors
/// `JET_errFileAccessDenied` (-1032) while it is attached; the reasons why the file is no database;
/// `JET_errClientRequestToStopJetService` (-1329) if stopped. Everything else is a finding.
pub fn verify_database(
    env: &Env,
    path: &Path,
    options: &mut VerifyOptions<'_>,
) -> Result<DatabaseReport> {
    let file = DbFile::open(env, path, Access::ReadOnly)?;
    let header = file.header();
    let mut report = DatabaseReport {
        path: path.to_path_buf(),
        header,
        pages: file.page_count() - u32::from(file.has_trailer()?),
        blank_pages: 0,
        stray_bytes: env.fs.open(path, OpenMode::Read)?.len()? % file.page_size().bytes_u64(),
        tables: 0,
        trees: 0,
        entries: 0,
        leaked_pages: 0,
        long_values: 0,
        orphans: Vec::new(),
        problems: Vec::new(),
        severities: Vec::new(),
    };
    check_header_copies(env, path, file.page_size(), &mut report)?;
    if header.is_temporary() {
        return Ok(report);
    }
    check_pages(env, &file, &mut report, options)?;
    drop(file);
    let clean = header.state() == DbState::CleanShutdown;
    for (severity, error) in header::findings(&header) {
        report.problem_as(severity, error);
    }
    if clean || options.as_is {
        check_trees(env, path, clean, &mut report, options)?;
    }
    Ok(report)
}

/// Opening needs one good copy of the header; here both are looked at.
fn check_header_copies(
    env: &Env,
    path: &Path,
    page_size: PageSize,
    report: &mut DatabaseReport,
) -> Result<()> {
    let file = env.fs.open(path, OpenMode::Read)?;
    let mut page = vec![0; page_size.bytes()];
    for (copy, name) in [(0, "primary"), (1, "shadow")] {
        let read = file.read_at(&mut page, copy * page_size.bytes_u64());
        if read.is_err() || !checksum::verify_header(&page) {
            let what = format!("the {name} copy of the database header is damaged or missing");
            // The other copy is whole, else the file would not have been opened.
            report.problem_as(Severity::Warning, Error::new(JetErr::ReadVerifyFailure, what));
        }
    }
    let located = read_header(file.as_ref())?;
    if let Some(differing) = contradiction(file.as_ref(), &located)? {
        let what = format!("the two copies of the header are of different databases: {differing}");
        let error = Error::new(JetErr::DatabaseCorrupted, what);
        let advice = "find out which one belongs to these pages, or restore it from a backup";
        report.problem_as(Severity::Error, error.advise(advice));
    }
    Ok(())
}

fn check_pages(
    env: &Env,
    file: &DbFile,
    report: &mut DatabaseReport,
    options: &mut VerifyOptions<'_>,
) -> Result<()> {
    let size = file.page_size();
    let input = env.fs.open(file.path(), OpenMode::Read)?;
    let last = report.pages;
    options.expect(u64::from(last) * size.bytes_u64());
    let mut chunk = vec![0; CHUNK_LEN];
    let per_chunk = u32::try_from(CHUNK_LEN / size.bytes()).unwrap_or(1);
    let mut first = 1;
    while first <= last {
        let count = per_chunk.min(last - first + 1);
        let len = usize::try_from(count).unwrap_or(0) * size.bytes();
        let bytes = chunk.get_mut(..len).unwrap_or_default();
        let offset = size.offset_of(Pgno(first));
        let end = offset + len as u64;
        // Nothing was ever written there, and nothing need be read: a file may be all but empty.
        let hole = input.next_data(offset) >= end;
        if !hole {
            input.will_need(end, CHUNK_LEN as u64);
        }
        match if hole { Ok(()) } else { input.read_at(bytes, offset) } {
            Ok(()) if hole => report.blank_pages += count,
            Ok(()) => {
                for (page, pgno) in bytes.chunks_mut(size.bytes()).zip((first..).map(Pgno)) {
                    check_page(page, pgno, size, report);
                }
            }
            // One page that cannot be read must not hide its neighbours.
            Err(_) => {
                for pgno in (first..first + count).map(Pgno) {
                    let page = bytes.get_mut(..size.bytes()).unwrap_or_default();
                    match file.read_page_raw(pgno, page) {
                        Ok(()) => check_page(page, pgno, size, report),
                        Err(error) => report.problem(error.at_page(pgno)),
                    }
                }
            }
        }
        options.advance(len as u64)?;
        first += count;
    }
    Ok(())
}

fn check_page(page: &mut [u8], pgno: Pgno, size: PageSize, report: &mut DatabaseReport) {
    match checksum::check(page, pgno) {
        Verdict::Good => {}
        Verdict::Blank => {
            report.blank_pages += 1;
            return;
        }
        // What was put right can be read, but the disk has lost a bit.
        verdict @ Verdict::Correctable { .. } => {
            report.problem_as(Severity::Warning, checksum::verdict_error(verdict, pgno));
            return;
        }
        verdict @ Verdict::Bad(_) => {
            let last = Pgno(report.pages);
            report.problem(checksum::verdict_error_among(verdict, pgno, last));
            return;
        }
    }
    if let Err(error) = validate(PageRef::new(page, size), pgno, Validate::Verify) {
        report.problem(error.at_page(pgno));
    }
}

fn check_trees(
    env: &Env,
    path: &Path,
    clean: bool,
    report: &mut DatabaseReport,
    options: &VerifyOptions<'_>,
) -> Result<()> {
    let database = match OfflineDatabase::open_for(env, path, !clean) {
        Ok(database) => database,
        // Without a catalog nobody finds a table. The damage itself may have been told as that of
        // a page.
        Err(error) => {
            let error = match error.kind() {
                ErrorKind::Corruption => {
                    let what = format!("neither copy of the catalog can be read: {error}");
                    let advice = "`ese export --as-is` gives the tables that are still described";
                    Error::new(JetErr::CatalogCorrupted, what).advise(advice)
                }
                _ => error,
            };
            report.problem_as(Severity::Fatal, error);
            return Ok(());
        }
    };
    report.tables = database.tables().len();
    if clean {
        let error = header::check_objid(&database.header(), &database);
        error.into_iter().for_each(|error| report.problem_as(Severity::Error, error));
    }
    if database.catalog_source() == CatalogSource::Shadow {
        let what = "the catalog is damaged; its shadow was used";
        report.problem_as(Severity::Warning, Error::new(JetErr::CatalogCorrupted, what));
    }
    let mut views = Vec::new();
    for view in trees_of(database.tables()) {
        // A root that cannot be read is one finding, not one of each that wants to read it.
        match database.cache().read(view.root) {
            Ok(_) => views.push(view),
            Err(error) => report.problem(error),
        }
    }
    let found = check_space(database.cache(), &views, database.clock_max(), &options.stop)?;
    report.trees = found.trees.len();
    report.entries = found.trees.iter().map(|tree| tree.entries).sum();
    report.leaked_pages = found.leaked.iter().map(|extent| extent.pages).sum();
    if found.problems.is_empty() {
        report.gather_strays(&found.unused);
    }
    for error in found.problems {
        report.problem(error);
    }
    check_catalogs(&database, clean, report, options)?;
    // Recovery may have to put counts right, and takes away what nobody has.
    for table in database.tables().iter().filter(|_| clean) {
        check_table(&database, table, report, options)?;
    }
    Ok(())
}

/// The catalog, its shadow and what follows from them say the same.
fn check_catalogs(
    database: &OfflineDatabase,
    clean: bool,
    report: &mut DatabaseReport,
    options: &VerifyOptions<'_>,
) -> Result<()> {
    match database.catalog_contradictions(&options.stop) {
        Ok(found) => {
            // Either may be right, and rows are read as one of them says. Recovery may have to make
            // them alike.
            let severity = if clean { Severity::Error } else { Severity::Warning };
            found.into_iter().for_each(|error| report.problem_as(severity, error));
        }
        Err(error) if is_stop(&error) => return Err(error),
        // The one that is read is whole, else its tree would have been found damaged.
        Err(error) => report.problem_as(Severity::Warning, error),
    }
    if !clean {
        return Ok(());
    }
    match database.check_system_tables(&options.stop) {
        // No row is read by what they say.
        Ok(found) => found.into_iter().for_each(|e| report.problem_as(Severity::Warning, e)),
        Err(error) if is_stop(&error) => return Err(error),
        Err(error) => report.problem(error),
    }
    Ok(())
}

/// The rows of a table can be read, and its trees say the same as they do.
fn check_table(
    database: &OfflineDatabase,
    table: &TableSchema,
    report: &mut DatabaseReport,
    options: &VerifyOptions<'_>,
) -> Result<()> {
    for error in database.check_values(table, &options.stop)? {
        report.problem(error);
    }
    match database.check_indexes(table, &options.stop) {
        Ok(found) => found.into_iter().for_each(|error| report.problem(error)),
        Err(error) if is_stop(&error) => return Err(error),
        // A damaged page or row, which the check of the tree may have named.
        Err(error) => report.problem(error),
    }
    match database.check_long_values(table, &options.stop) {
        Ok(found) => {
            let path = report.path.clone();
            report.long_values += found.values;
            report.orphans.extend(found.orphans.into_iter().map(|error| error.at_path(&path)));
            found.problems.into_iter().for_each(|error| report.problem(error));
        }
        Err(error) if is_stop(&error) => return Err(error),
        Err(error) => report.problem(error),
    }
    Ok(())
}

fn is_stop(error: &Error) -> bool {
    error.code() == JetErr::ClientRequestToStopJetService
}
