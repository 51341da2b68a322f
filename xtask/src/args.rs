//! The command line after `cargo xtask`: flags, options with a value, words.

use std::collections::VecDeque;

use crate::run::Result;

/// Arguments not yet taken. Each command takes what it knows, then calls [`Args::finish`].
pub(crate) struct Args(VecDeque<String>);

impl Args {
    pub(crate) fn from_env() -> Args {
        Args(std::env::args().skip(1).collect())
    }

    #[cfg(test)]
    pub(crate) fn of(words: &[&str]) -> Args {
        Args(words.iter().map(ToString::to_string).collect())
    }

    /// Takes the next argument, whatever it is.
    pub(crate) fn next_word(&mut self) -> Option<String> {
        self.0.pop_front()
    }

    /// Takes a flag; was it there?
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let found = self.0.iter().position(|a| a == name);
        found.map(|at| self.0.remove(at)).is_some()
    }

    /// Takes every `name VALUE`.
    pub(crate) fn values(&mut self, name: &str) -> Result<Vec<String>> {
        let mut values = Vec::new();
        while let Some(at) = self.0.iter().position(|a| a == name) {
            self.0.remove(at);
            values.push(self.0.remove(at).ok_or_else(|| format!("{name} wants a value"))?);
        }
        Ok(values)
    }

    /// Takes one `name VALUE`.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>> {
        Ok(self.values(name)?.pop())
    }

    /// Takes the remaining words; flags nobody took are an error.
    pub(crate) fn words(&mut self) -> Result<Vec<String>> {
        if let Some(flag) = self.0.iter().find(|a| a.starts_with('-')) {
            return Err(format!("unknown option {flag}; see cargo xtask help"));
        }
        Ok(self.0.drain(..).collect())
    }

    /// Nothing may be left.
    pub(crate) fn finish(&mut self) -> Result<()> {
        match self.words()?.first() {
            None => Ok(()),
            Some(word) => Err(format!("unexpected argument {word:?}; see cargo xtask help")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_values_and_words_are_taken_in_any_order() {
        let mut args = Args::of(&["--seconds", "5", "page", "--quick", "log"]);
        assert!(args.flag("--quick"));
        assert!(!args.flag("--quick"));
        assert_eq!(args.value("--seconds").unwrap().as_deref(), Some("5"));
        assert_eq!(args.words().unwrap(), ["page", "log"]);
    }

    #[test]
    fn what_nobody_took_is_an_error() {
        assert!(Args::of(&["--wrong"]).finish().is_err());
        assert!(Args::of(&["word"]).finish().is_err());
        assert!(Args::of(&["--only"]).values("--only").is_err());
    }
}
