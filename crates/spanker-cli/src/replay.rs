// SPDX-License-Identifier: Apache-2.0
//! `spanker replay`: what was recorded, run again and compared.

mod report;

use crate::arguments::ReplayArguments;
use crate::chosen_sail::ChosenSail;
use crate::exit::{Code, Failure};
use crate::progress::Progress;
use crate::quantity::ms;
use report::{FoundDifference, ReplayReport};
use spanker::ReplayError;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

pub(crate) fn run(arguments: &ReplayArguments) -> Result<(), Failure> {
    let source = Source::open(&arguments.record)?;
    let ChosenSail { sail, name } =
        ChosenSail::open(arguments.sail.name.as_ref(), arguments.threads.count)?;

    let progress = Progress::start(!arguments.json.json);
    progress.stage("replaying", source.length);
    let Source { name: record, input, .. } = source;
    let record_bytes = BufReader::new(Counted { input, progress: &progress });
    let replayed =
        spanker::replay(&sail, record_bytes).map_err(|error| not_replayed(&record, error))?;
    drop(progress);

    let report = ReplayReport {
        sail: name.to_string(),
        node: sail.path().map(|path| path.display().to_string()),
        card: sail.info().name.clone(),
        threads: arguments.threads.count,
        record,
        batches: replayed.batches,
        ops: replayed.ops,
        results: replayed.results,
        compared_bytes: replayed.bytes,
        recorded_ms: ms(replayed.recorded_time),
        replayed_ms: ms(replayed.time),
        complete: replayed.complete,
        same: replayed.differences.is_empty(),
        differences: replayed.differences.into_iter().map(FoundDifference::from).collect(),
    };
    crate::report::print(&report, arguments.json.json)?;
    match report.differences.first() {
        None => Ok(()),
        Some(first) => Err(different(&report, first)),
    }
}

/// Where the record comes from.
struct Source {
    /// What to call it.
    name: String,
    /// Bytes; 0 if it cannot be told how many.
    length: usize,
    input: Box<dyn Read>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            let name = "standard input".to_owned();
            return Ok(Self { name, length: 0, input: Box::new(io::stdin()) });
        }
        let name = path.display().to_string();
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = opened.map_err(|error| cannot_read(&name, &error))?;
        let length = if metadata.is_file() { metadata.len() } else { 0 };
        let length = usize::try_from(length).unwrap_or(0);
        Ok(Self { name, length, input: Box::new(file) })
    }
}

/// What tells how much of it was read.
struct Counted<'a> {
    input: Box<dyn Read>,
    progress: &'a Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(bytes)?;
        self.progress.advance(count);
        Ok(count)
    }
}

fn cannot_read(record: &str, error: &io::Error) -> Failure {
    Failure::new(Code::Input, format!("cannot read {record}: {error}"))
}

fn not_replayed(record: &str, error: ReplayError) -> Failure {
    match error {
        ReplayError::Read { source } => cannot_read(record, &source),
        ReplayError::Sail { line, source } => {
            let failure = Failure::from(source);
            Failure::new(failure.code(), format!("at line {line} of {record}: {failure}"))
        }
        error => Failure::new(
            Code::Input,
            format!("{record}: {error}; a record is what `spanker demo` and `spanker matmul` write with `--record`"),
        ),
    }
}

fn different(report: &ReplayReport, first: &FoundDifference) -> Failure {
    let ReplayReport { sail, record, results, differences, .. } = report;
    Failure::new(
        Code::Wrong,
        format!(
            "{} of {results} results of Sail {sail} are not as in {record}, the first at its line \
             {}; `spanker info` shows which products of a card are defined to the bit",
            differences.len(),
            first.line
        ),
    )
}
