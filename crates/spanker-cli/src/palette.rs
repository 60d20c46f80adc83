// SPDX-License-Identifier: Apache-2.0
//! Colours. Text has them always; where it is no terminal that reads it, or
//! `NO_COLOR` is set, they are taken out on the way (see `report`).

use anstyle::{AnsiColor, Style};
use std::fmt::Display;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const CAREFUL: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const HEADING: Style = Style::new().bold();

/// `text` in `style`, and what follows as before.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
