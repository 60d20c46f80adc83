// SPDX-License-Identifier: Apache-2.0
//! Text, made fit for the lines of a terminal.

use std::fmt::Write as _;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Columns of a paragraph.
const WIDTH: usize = 80;

/// Names in files, and of files, can hold anything: line ends and control
/// characters are escaped.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            // Writing to memory does not fail.
            let _ = write!(line, "{}", char.escape_default());
        } else {
            line.push(char);
        }
    }
    line
}

/// Lines that begin with `first`, and from the second on with `below`. Words are
/// never cut, however long they are: they are paths, and people copy them.
pub(crate) fn paragraph(text: &str, first: &str, below: &str) -> String {
    let options = Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(below)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(&one_line(text), options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_whatever_a_file_is_called() {
        assert_eq!(one_line("a\nb\x1b[2Jc ×"), "a\\nb\\u{1b}[2Jc ×");
    }
}
