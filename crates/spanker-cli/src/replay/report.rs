// SPDX-License-Identifier: Apache-2.0
//! What a replay has to show.

use crate::palette::{styled, BAD, CAREFUL, GOOD};
use crate::printable::one_line;
use crate::quantity::{bytes, duration, with_threads};
use crate::table::Table;
use serde::Serialize;
use spanker::Difference;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Differences that people are shown.
const SHOWN: usize = 10;

/// All of it; the fields are those of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct ReplayReport {
    pub(super) sail: String,
    pub(super) node: Option<String>,
    pub(super) card: String,
    pub(super) threads: Option<NonZeroUsize>,
    pub(super) record: String,
    pub(super) batches: u64,
    pub(super) ops: u64,
    pub(super) results: u64,
    pub(super) compared_bytes: u64,
    pub(super) recorded_ms: f64,
    pub(super) replayed_ms: f64,
    pub(super) complete: bool,
    pub(super) same: bool,
    pub(super) differences: Vec<FoundDifference>,
}

/// A result with other bits.
#[derive(Debug, Serialize)]
pub(super) struct FoundDifference {
    pub(super) line: usize,
    pub(super) seqno: u64,
    pub(super) handle: u32,
    pub(super) offset_bytes: usize,
    pub(super) differing_bytes: usize,
    /// As people read it.
    #[serde(skip)]
    text: String,
}

impl From<Difference> for FoundDifference {
    fn from(difference: Difference) -> Self {
        Self {
            line: difference.line,
            seqno: difference.seqno,
            handle: difference.handle,
            offset_bytes: difference.offset,
            differing_bytes: difference.count,
            text: difference.to_string(),
        }
    }
}

impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = with_threads(self.threads);
        writeln!(f, "Sail {}: {}{threads}\n", self.sail, self.card)?;

        let compared = format!("{}, {} in all", self.results, bytes(self.compared_bytes));
        let mut work = Table::default();
        work.row([&"record", &one_line(&self.record)])
            .row([&"batches", &self.batches])
            .row([&"ops", &self.ops])
            .row([&"results compared", &compared]);
        writeln!(f, "{work}")?;

        let time = |ms: f64| duration(Duration::from_secs_f64(ms / 1e3));
        let mut times = Table::default();
        times
            .row([&"submissions and waits, recorded", &time(self.recorded_ms)])
            .row([&"submissions and waits, replayed", &time(self.replayed_ms)]);
        writeln!(f, "{times}")?;

        for difference in self.differences.iter().take(SHOWN) {
            writeln!(f, "  {}", difference.text)?;
        }
        match self.differences.len() {
            0 => {}
            count if count > SHOWN => writeln!(f, "  and {} more\n", count - SHOWN)?,
            _ => writeln!(f)?,
        }
        let verdict = match self.differences.len() {
            0 if self.results == 0 => styled(CAREFUL, "there was no result to compare"),
            0 => format!("{} in every bit", styled(GOOD, "the same")),
            count => format!("{}: {count} of {} results", styled(BAD, "DIFFERENT"), self.results),
        };
        let mut last = Table::default();
        if !self.complete {
            let cut = styled(CAREFUL, "the record has no last line: it was cut off");
            last.row([&"careful", &cut]);
        }
        last.row([&"verdict", &verdict]);
        write!(f, "{last}")
    }
}
