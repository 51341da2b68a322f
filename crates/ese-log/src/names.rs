//! Names of the files of a log stream (backup-log-recovery 1.1). Written in upper-case digits,
//! matched in any case.

use std::path::{Path, PathBuf};

use ese_base::{Error, Generation, JetErr, Result};

/// The last generation whose archive can have a name of five digits.
const SHORT_MAX: u32 = 0xf_ffff;

/// Endings of the files of a stream; one stream uses one kind throughout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extension {
    /// `.log` and `.chk`.
    #[default]
    Legacy,
    /// `.jtx` and `.jcp`.
    Jet,
}

impl Extension {
    fn log(self) -> &'static str {
        match self {
            Extension::Legacy => "log",
            Extension::Jet => "jtx",
        }
    }
}

/// How the files of a stream are called and where they lie.
#[derive(Clone, Debug)]
pub struct LogNames {
    dir: PathBuf,
    base: String,
    extension: Extension,
    long_numbers: bool,
}

/// What a file name says, in whatever directory it is found: the one place that decides what is
/// called like a log, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogName<'n> {
    /// The base name of the stream, as it is written: its first three characters.
    pub base: &'n str,
    /// What it stands for.
    pub kind: NameKind,
    /// Which kind of endings the stream uses; reserves have one of their own.
    pub extension: Extension,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// `edb.log`: the generation that is being written.
    Current,
    /// `edbtmp.log`: the next one, made in advance.
    Temporary,
    /// `edb0000A.log`: a finished generation.
    Archive {
        /// Its number.
        generation: Generation,
        /// Written with eight digits, not five.
        long: bool,
    },
    /// `edbres00001.jrs`: space for a full disk.
    Reserve,
}

impl LogName<'_> {
    /// What a file name says; `None` if no engine gives it to a log.
    ///
    /// ```
    /// use ese_log::{LogName, NameKind};
    /// let name = LogName::parse("EDBtmp.log").unwrap();
    /// assert_eq!((name.base, name.kind), ("EDB", NameKind::Temporary));
    /// assert_eq!(LogName::parse("edb.chk"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<LogName<'_>> {
        const BASE_LEN: usize = 3;
        let (stem, ending) = name.rsplit_once('.')?;
        let (base, rest) = stem.split_at_checked(BASE_LEN)?;
        let starts_with_res = rest.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("res"));
        if ending.eq_ignore_ascii_case("jrs") && starts_with_res {
            return Some(LogName { base, kind: NameKind::Reserve, extension: Extension::Legacy });
        }
        let extension = [Extension::Legacy, Extension::Jet]
            .into_iter()
            .find(|e| ending.eq_ignore_ascii_case(e.log()))?;
        let kind = if rest.is_empty() {
            NameKind::Current
        } else if rest.eq_ignore_ascii_case("tmp") {
            NameKind::Temporary
        } else if matches!(rest.len(), 5 | 8) && rest.bytes().all(|b| b.is_ascii_hexdigit()) {
            let generation = Generation(u32::from_str_radix(rest, 16).ok()?);
            NameKind::Archive { generation, long: rest.len() == 8 }
        } else {
            return None;
        };
        Some(LogName { base, kind, extension })
    }

    /// Base name and number of a finished generation; `None` for any other name.
    #[must_use]
    pub fn archive(name: &str) -> Option<(&str, Generation)> {
        match LogName::parse(name)? {
            LogName { base, kind: NameKind::Archive { generation, .. }, .. } => {
                Some((base, generation))
            }
            _ => None,
        }
    }

    /// Is it one of the stream with this base name?
    #[must_use]
    pub fn is_of(&self, base: &str) -> bool {
        self.base.eq_ignore_ascii_case(base)
    }
}

impl LogNames {
    /// Names in a directory with a base name (`edb`; see [`LogNames::check`]).
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, base: impl Into<String>) -> LogNames {
        LogNames {
            dir: dir.into(),
            base: base.into(),
            extension: Extension::Legacy,
            long_numbers: false,
        }
    }

    /// May a stream be called so? Its base name is three letters or digits: whoever finds a log
    /// tells the base name from the generation by that.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003).
    pub fn check(&self) -> Result<()> {
        if self.base.len() == 3 && self.base.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(());
        }
        let what = format!("\"{}\" is no base name of a log", self.base);
        Err(Error::new(JetErr::InvalidParameter, what).advise("use three letters or digits"))
    }

    /// The same with other endings.
    #[must_use]
    pub fn with_extension(mut self, extension: Extension) -> LogNames {
        self.extension = extension;
        self
    }

    /// The same with eight digits for every generation.
    #[must_use]
    pub fn with_long_numbers(mut self, long: bool) -> LogNames {
        self.long_numbers = long;
        self
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The base name.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The generation that is being written.
    #[must_use]
    pub fn current(&self) -> PathBuf {
        self.dir.join(format!("{}.{}", self.base, self.extension.log()))
    }

    /// The next generation, made in advance.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.dir.join(format!("{}tmp.{}", self.base, self.extension.log()))
    }

    /// A finished generation.
    #[must_use]
    pub fn archive(&self, generation: Generation) -> PathBuf {
        let (base, ending) = (&self.base, self.extension.log());
        self.dir.join(if self.long_numbers || generation.0 > SHORT_MAX {
            format!("{base}{:08X}.{ending}", generation.0)
        } else {
            format!("{base}{:05X}.{ending}", generation.0)
        })
    }

    /// A reserve log, numbered from 1.
    #[must_use]
    pub fn reserve(&self, number: u32) -> PathBuf {
        self.dir.join(format!("{}res{number:05}.jrs", self.base))
    }

    /// The checkpoint file in the system directory `dir`.
    #[must_use]
    pub fn checkpoint(&self, dir: &Path) -> PathBuf {
        let ending = match self.extension {
            Extension::Legacy => "chk",
            Extension::Jet => "jcp",
        };
        dir.join(format!("{}.{ending}", self.base))
    }

    /// What a running instance tells of itself. Deleting it loses nothing.
    #[must_use]
    pub fn status(&self) -> PathBuf {
        self.dir.join(format!("{}.status", self.base))
    }

    /// What is to become [`LogNames::status`].
    #[must_use]
    pub fn new_status(&self) -> PathBuf {
        self.dir.join(format!("{}.status.new", self.base))
    }

    /// The file whose lock says that the directory is in use. It is empty, goes when an instance
    /// ends in order, and deleting it while nobody runs loses nothing.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.dir.join(format!("{}.lck", self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_upper_case_with_five_digits_or_eight() {
        let names = LogNames::new("/d", "edb");
        assert_eq!(names.current(), Path::new("/d/edb.log"));
        assert_eq!(names.temporary(), Path::new("/d/edbtmp.log"));
        assert_eq!(names.archive(Generation(0xabc)), Path::new("/d/edb00ABC.log"));
        assert_eq!(names.archive(Generation(0xf_ffff)), Path::new("/d/edbFFFFF.log"));
        assert_eq!(names.archive(Generation(0x10_0000)), Path::new("/d/edb00100000.log"));
        assert_eq!(names.reserve(2), Path::new("/d/edbres00002.jrs"));
        assert_eq!(names.checkpoint(Path::new("/s")), Path::new("/s/edb.chk"));
        let jet = names.with_extension(Extension::Jet).with_long_numbers(true);
        assert_eq!(jet.archive(Generation(1)), Path::new("/d/edb00000001.jtx"));
        assert_eq!(jet.checkpoint(Path::new("/s")), Path::new("/s/edb.jcp"));
    }

    #[test]
    fn a_base_name_is_three_letters_or_digits() {
        for base in ["edb", "E00", "123"] {
            LogNames::new("/d", base).check().unwrap();
        }
        for base in ["", "ed", "edbx", "a/b", "..\0", "e b", "\u{e9}b"] {
            let refused = LogNames::new("/d", base).check().unwrap_err();
            assert_eq!(refused.code(), JetErr::InvalidParameter, "{base}");
        }
    }

    #[test]
    fn names_are_read_in_any_case_and_others_are_left_alone() {
        let parse = |name| {
            let parsed = LogName::parse(name).filter(|parsed| parsed.is_of("edb"));
            parsed.map(|parsed| (parsed.kind, parsed.extension))
        };
        let archive = |n, long| NameKind::Archive { generation: Generation(n), long };
        assert_eq!(parse("edbres00002.jrs"), Some((NameKind::Reserve, Extension::Legacy)));
        assert_eq!(parse("EDBRES1.JRS"), Some((NameKind::Reserve, Extension::Legacy)));
        assert_eq!(parse("EDB.LOG"), Some((NameKind::Current, Extension::Legacy)));
        assert_eq!(parse("edbTMP.jtx"), Some((NameKind::Temporary, Extension::Jet)));
        assert_eq!(parse("edb000ff.log"), Some((archive(0xff, false), Extension::Legacy)));
        assert_eq!(parse("edb00100000.log"), Some((archive(0x10_0000, true), Extension::Legacy)));
        for other in [
            "edb",
            "edb.chk",
            "edbx.log",
            "edb0001.log",
            "edb000g1.log",
            "res1.log",
            "xedb.log",
            "edb00001.log.bak",
            "edbres00001.log",
            "edb00001.jrs",
            "\u{e9}db.log",
            "ed",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
        assert_eq!(LogName::archive("EDB0000f.JTX"), Some(("EDB", Generation(15))));
        assert_eq!(LogName::archive("edb.log"), None);
    }
}
