// SPDX-License-Identifier: Apache-2.0
//! How fast llama.cpp is with a Sail and without, on as many threads, by turns.

mod files;
mod process;
mod work;

use crate::machine::{Machine, Watch};
use crate::report::{Evaluation, Format, Product, Record, Report};
use crate::statistics::Sorted;
use crate::Error;
use clap::Args;
use files::Files;
use process::Process;
use std::num::NonZeroUsize;
use work::Work;

#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) format: Format,
    /// Threads of llama.cpp, and as many of the software Sail.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<NonZeroUsize>,
    /// Turns of each contestant [default: 6, or 2 with --quick].
    #[arg(long)]
    rounds: Option<NonZeroUsize>,
}

impl Arguments {
    fn rounds(&self) -> usize {
        let usual = if self.format.quick { 2 } else { 6 };
        self.rounds.map_or(usual, NonZeroUsize::get)
    }
}

/// Where products by Q4_K weights are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Sail,
    Repacked,
    Plain,
}

impl Way {
    /// Ours first, as all ratios are of the first.
    const ALL: [Self; 3] = [Self::Sail, Self::Repacked, Self::Plain];

    /// The name in reports.
    fn kernel(self) -> &'static str {
        match self {
            Self::Sail => "spanker-sail",
            Self::Repacked => "ggml-repacked",
            Self::Plain => "ggml-plain",
        }
    }
}

/// Measures and reports.
///
/// # Errors
/// If something cannot be fetched or built, or contestants compute different things.
pub(crate) fn run(arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    let files = Files::prepare()?;
    for threads in &arguments.threads {
        let mut contestants = Vec::new();
        for way in Way::ALL {
            eprintln!("loading the model for {}, threads {threads}", way.kernel());
            contestants.push(Process::start(&files, way, *threads)?);
        }
        for work in Work::all(arguments.format.quick) {
            eprintln!("{work}, threads {threads}");
            let watch = Watch::start_with(contestants.iter().map(Process::id).collect());
            let times = by_turns(&mut contestants, work, arguments.rounds())?;
            let machine = watch.stop();
            records(work, *threads, &times, &machine)
                .into_iter()
                .try_for_each(|record| report.add(record))?;
        }
        contestants.into_iter().try_for_each(Process::end)?;
    }
    Ok(())
}

/// What a contestant has done when it was its turn.
#[derive(Debug)]
struct Turn {
    /// The root of the mean square of what came out.
    magnitude: f64,
    /// Of each timed run.
    seconds: Vec<f64>,
}

trait Contestant {
    /// Does the work once or several times. When it comes back, the processors are the others'.
    fn turn(&mut self, work: Work) -> Result<Turn, Error>;
}

/// Seconds of one run, for each contestant.
///
/// # Errors
/// If one computes something else than the first: the speed of a wrong result is none.
fn by_turns(
    contestants: &mut [impl Contestant],
    work: Work,
    rounds: usize,
) -> Result<Vec<Sorted>, Error> {
    let mut times = vec![Vec::new(); contestants.len()];
    let mut first = None;
    for _ in 0..rounds {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let Turn { magnitude, seconds } = contestant.turn(work)?;
            let expected: f64 = *first.get_or_insert(magnitude);
            let difference = (magnitude / expected - 1.0).abs();
            // A NaN is not above it, but not good either.
            if difference.is_nan() || difference > work.agreement() {
                return Err(format!(
                    "{work}: results are of magnitude {expected} and of {magnitude}"
                )
                .into());
            }
            times.extend(seconds);
        }
    }
    times.into_iter().map(|times| Sorted::new(times).ok_or_else(|| "no runs".into())).collect()
}

/// `times` are in the order of [`Way::ALL`].
fn records(work: Work, threads: NonZeroUsize, times: &[Sorted], machine: &Machine) -> Vec<Record> {
    let repacked = Way::ALL.iter().position(|way| *way == Way::Repacked);
    let repacked = repacked.and_then(|index| times.get(index));
    let record = |(way, times): (&Way, &Sorted)| {
        let kernel = way.kernel().to_owned();
        let over_ggml_best = repacked.map(|repacked| repacked.least() / times.least());
        let over_ggml_median = repacked.map(|repacked| repacked.median() / times.median());
        let (threads, runs, machine) = (threads.get(), times.count(), machine.clone());
        match work {
            Work::Product(shape, rows) => {
                let operations = 2.0 * (shape.rows * shape.columns * rows) as f64;
                Record::Compute(Product {
                    kernel,
                    variant: None,
                    pair: work::PAIR.to_owned(),
                    weights: shape.to_string(),
                    rows,
                    threads,
                    gflops_best: operations / times.least() * 1e-9,
                    gflops_median: operations / times.median() * 1e-9,
                    over_ggml_best,
                    over_ggml_median,
                    of_bound: None,
                    runs,
                    machine,
                })
            }
            Work::Prefill(tokens) | Work::Decode(tokens) | Work::Offloaded(tokens) => {
                Record::Llama(Evaluation {
                    kernel,
                    work: work.to_string(),
                    threads,
                    tokens_per_second_best: tokens as f64 / times.least(),
                    tokens_per_second_median: tokens as f64 / times.median(),
                    over_ggml_best,
                    over_ggml_median,
                    runs,
                    machine,
                })
            }
        }
    };
    Way::ALL.iter().zip(times).map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::{by_turns, records, Contestant, Turn, Work};
    use crate::machine::Watch;
    use crate::report::Record;
    use crate::statistics::Sorted;
    use crate::workload::Shape;
    use crate::Error;
    use std::cell::RefCell;
    use std::num::NonZeroUsize;

    struct Logging<'a> {
        name: char,
        magnitude: f64,
        log: &'a RefCell<String>,
    }

    impl Contestant for Logging<'_> {
        fn turn(&mut self, _: Work) -> Result<Turn, Error> {
            self.log.borrow_mut().push(self.name);
            Ok(Turn { magnitude: self.magnitude, seconds: vec![2.0, 1.0] })
        }
    }

    /// Who had turns, if all is well.
    fn contest(magnitudes: [f64; 2], work: Work) -> Option<String> {
        let log = RefCell::new(String::new());
        let [a, b] = magnitudes;
        let mut contestants =
            [('a', a), ('b', b)].map(|(name, magnitude)| Logging { name, magnitude, log: &log });
        let times = by_turns(&mut contestants, work, 3).ok()?;
        assert!(times.iter().all(|times| (times.count(), times.least()) == (6, 1.0)));
        Some(log.into_inner())
    }

    #[test]
    fn contestants_alternate() {
        assert_eq!(contest([5.0, 5.0], Work::Prefill(8)).as_deref(), Some("ababab"));
    }

    #[test]
    fn a_result_of_another_magnitude_ends_it() {
        assert!(contest([5.0, 5.01], Work::Prefill(8)).is_some());
        for other in [5.01, 0.0, f64::NAN] {
            assert!(contest([5.0, other], Work::Offloaded(8)).is_none(), "{other}");
        }
    }

    #[test]
    fn speeds_are_of_all_tokens_and_ratios_are_over_repacked() {
        let threads = NonZeroUsize::MIN;
        let machine = Watch::start().stop();
        let times = [[2.0, 4.0], [8.0, 8.0], [10.0, 16.0]];
        let times = times.map(|times| Sorted::new(times.to_vec()).unwrap());
        let evaluations = records(Work::Decode(64), threads, &times, &machine);
        let Record::Llama(sail) = &evaluations[0] else { panic!("{evaluations:?}") };
        assert_eq!((sail.tokens_per_second_best, sail.over_ggml_best), (32.0, Some(4.0)));
        let Record::Llama(plain) = &evaluations[2] else { panic!("{evaluations:?}") };
        assert_eq!((plain.kernel.as_str(), plain.over_ggml_best), ("ggml-plain", Some(0.8)));

        let shape = Shape { rows: 1000, columns: 512_000 };
        let products = records(Work::Product(shape, 4), threads, &times, &machine);
        let Record::Compute(sail) = &products[0] else { panic!("{products:?}") };
        assert_eq!((sail.rows, sail.gflops_best, sail.runs), (4, 2.048, 2));
    }
}
