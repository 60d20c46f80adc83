// SPDX-License-Identifier: Apache-2.0
//! Text from outside, made fit for a line of a terminal.

use std::fmt::Write as _;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_whatever_a_file_is_called() {
        assert_eq!(one_line("a\nb\x1b[2Jc ×"), "a\\nb\\u{1b}[2Jc ×");
    }
}
