// SPDX-License-Identifier: Apache-2.0
//! A header's text cut into words, and its directives set apart.

use super::NotUnderstood;

/// A name, a number or a sign, and the line it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A line that begins with `#`, without the `#`.
#[derive(Debug, Clone)]
pub(super) struct Directive {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A header without its comments.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) directives: Vec<Directive>,
    pub(super) code: Vec<Word>,
}

pub(super) fn split(text: &str) -> Result<Lines, NotUnderstood> {
    let text = without_comments(text)?;
    let mut lines = Lines::default();
    let mut numbered = text.lines().enumerate();
    while let Some((index, first)) = numbered.next() {
        let line = index + 1;
        let Some(directive) = first.trim_start().strip_prefix('#') else {
            lines.code.extend(words(first).map(|text| Word { text, line }));
            continue;
        };
        let mut whole = directive.to_owned();
        while let Some(continued) = whole.strip_suffix('\\') {
            let next = numbered.next().map_or("", |(_, next)| next);
            whole = format!("{continued} {next}");
        }
        lines.directives.push(Directive { text: whole.trim().to_owned(), line });
    }
    Ok(lines)
}

/// Comments become spaces; line ends stay, so that lines keep their numbers.
fn without_comments(text: &str) -> Result<String, NotUnderstood> {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        kept += &rest[..begin];
        let comment = &rest[begin..];
        let end = if comment.starts_with("//") {
            comment.find('\n').unwrap_or(comment.len())
        } else {
            let end = comment[2..].find("*/");
            let line = kept.matches('\n').count() + 1;
            end.ok_or_else(|| NotUnderstood::new(line, "a comment has no end"))? + 4
        };
        kept.push(' ');
        kept.extend(comment[..end].matches('\n'));
        rest = &comment[end..];
    }
    kept += rest;
    Ok(kept)
}

/// Names and numbers whole, signs each for itself.
pub(super) fn words(line: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = line.trim_start();
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = if of_name(first) {
            rest.find(|c| !of_name(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(length);
        rest = after.trim_start();
        Some(word.to_owned())
    })
}

/// Whether this is a name and not a number or sign.
pub(super) fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}
