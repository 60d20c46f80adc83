// SPDX-License-Identifier: Apache-2.0
//! Changes as annotations of lines, in the words that GitHub's runners read from
//! what a step prints.

use super::Report;
use crate::diff::{Change, Class};
use crate::header::{Place, Reading};
use std::path::Path;

/// One line for each change, and one for a gate that failed. Those that stop a
/// gate are errors; so is, without a gate, all that breaks.
pub fn annotations(report: &Report<'_>, header: &Path, reading: &Reading) -> String {
    let first = Place { file: header.to_owned(), line: 1 };
    let mut text = String::new();
    for change in report.changes {
        let stops = match report.verdict {
            Some(verdict) => verdict.exit != 0 && change.class == report.class(),
            None => change.class == Class::Breaking,
        };
        let level = match change.class {
            Class::Neutral => "notice",
            _ if stops => "error",
            _ => "warning",
        };
        let place = place(change, reading).unwrap_or(&first);
        let title = format!("{} {}", change.class, change.kind);
        text += &annotation(level, place, &title, &message(change, report));
    }
    if let Some(verdict) = report.verdict.filter(|verdict| verdict.exit != 0) {
        text += &annotation("error", &first, "ABI check failed", &verdict.message);
    }
    text
}

/// The annotation of a check that could not run.
pub fn failure(message: &str) -> String {
    format!("::error title={}::{}\n", property("ABI check could not run"), data(message))
}

fn message(change: &Change, report: &Report<'_>) -> String {
    let sides = match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!(": {old} → {new}"),
        (Some(one), None) | (None, Some(one)) => format!(": {one}"),
        (None, None) => String::new(),
    };
    let Change { item, reason, .. } = change;
    format!("{item}{sides}. {reason} ({})", report.on(change))
}

/// Where the item is declared or, if it is gone, what it was part of.
fn place<'a>(change: &Change, reading: &'a Reading) -> Option<&'a Place> {
    let mut item = change.item.as_str();
    loop {
        if let Some(place) = reading.places.get(item) {
            return Some(place);
        }
        item = item.rsplit_once('.')?.0;
    }
}

fn annotation(level: &str, place: &Place, title: &str, message: &str) -> String {
    // The runner knows files by their path in the checkout.
    let here = std::env::current_dir().unwrap_or_default();
    let file = place.file.strip_prefix(&here).unwrap_or(&place.file);
    format!(
        "::{level} file={},line={},title={}::{}\n",
        property(&file.to_string_lossy()),
        place.line,
        property(title),
        data(message)
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
