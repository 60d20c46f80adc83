// SPDX-License-Identifier: Apache-2.0
//! What was found, and what to do about it.

use crate::palette::{styled, BAD, CAREFUL, GOOD};
use crate::printable::paragraph;
use serde::Serialize;
use std::fmt;

/// What stands below a mark.
const INDENT: &str = "         ";

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mark {
    /// As it should be.
    Ok,
    /// Good to know; nothing is broken.
    Note,
    /// Something does not work until it is mended.
    Problem,
}

#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// One word, for programs.
    pub(super) about: &'static str,
    pub(super) mark: Mark,
    pub(super) found: String,
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(about: &'static str, found: impl Into<String>) -> Self {
        Self { about, mark: Mark::Ok, found: found.into(), remedy: None }
    }

    pub(super) fn note(about: &'static str, found: impl Into<String>) -> Self {
        Self { mark: Mark::Note, ..Self::ok(about, found) }
    }

    pub(super) fn problem(about: &'static str, found: impl Into<String>) -> Self {
        Self { mark: Mark::Problem, ..Self::ok(about, found) }
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, style) = match self.mark {
            Mark::Ok => ("ok       ", GOOD),
            Mark::Note => ("note     ", CAREFUL),
            Mark::Problem => ("problem  ", BAD),
        };
        // Coloured after it is laid out: escape sequences have no width.
        let found = paragraph(&self.found, mark, INDENT);
        let rest = found.strip_prefix(mark).unwrap_or(&found);
        writeln!(f, "{}{rest}", styled(style, mark))?;
        match &self.remedy {
            Some(remedy) => {
                let first = format!("{INDENT}-> ");
                let below = format!("{INDENT}   ");
                writeln!(f, "{}", paragraph(remedy, &first, &below))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_goes_on_below_itself_and_words_stay_whole() {
        let path = format!("/opt/{}/lib-clang.so", "deep-er/".repeat(12));
        let finding = Finding::note("libclang", format!("it is {path} and\nnowhere else"));
        let text = finding.remedy("leave it ".repeat(12)).to_string();
        let text = anstream::adapter::strip_str(&text).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "note     it is");
        assert_eq!(lines[1], format!("         {path}"));
        assert_eq!(lines[2], "         and\\nnowhere else");
        assert!(lines[3].starts_with("         -> leave it leave"), "{text}");
        assert!(
            lines[4].starts_with("            leave it") || lines[4].starts_with("            it")
        );
        assert!(lines.iter().all(|line| line.len() <= 80 || line.contains(&path)), "{text}");
    }
}
