// SPDX-License-Identifier: Apache-2.0
//! The measurements with one number of threads.

use super::Arguments;
use crate::bounds::integer;
use crate::bounds::memory::{Memory, ORDERS};
use crate::contest::by_turns;
use crate::implementation::{Contestant, Implementation, Stored};
use crate::machine::{largest_cache, Machine, Watch};
use crate::ours::Ours;
#[cfg(feature = "candle")]
use crate::peers::candle::Candle;
use crate::peers::gemm::Gemm;
use crate::peers::ggml::{Ggml, Multiplier, Storage};
use crate::report::{Bound, Product, Record, Report};
use crate::statistics::Sorted;
use crate::workload::{self, Shape, Task};
use crate::Error;
use fastrand::Rng;
use spanker::BlockQ4K;
use std::num::NonZeroUsize;

/// What of two products of the same operands may differ: squared, over the squares.
const AGREEMENT: f64 = 1e-4;
/// Cold weights are this many times larger than the largest cache.
const COLD: usize = 6;

pub(super) fn all(
    arguments: &Arguments,
    threads: NonZeroUsize,
    report: &mut Report,
) -> Result<(), Error> {
    let implementations = implementations(arguments, threads, report)?;
    let implementations: Vec<_> = implementations.iter().map(|one| &**one).collect();
    let measurement = Measurement { arguments, threads, implementations };
    measurement.peaks(report)?;
    for shape in arguments.weights() {
        let mut rng = Rng::with_seed(1);
        let blocks = workload::weights(&mut rng, shape.rows * shape.columns);
        measurement.warm(&mut rng, shape, &blocks, report)?;
        // Others fit into the caches of a processor that runs nothing but a model.
        if arguments.rows().contains(&1) && shape.bytes() > largest_cache() / 8 {
            measurement.cold(&mut rng, shape, &blocks, report)?;
        }
    }
    Ok(())
}

/// Ours first.
fn implementations(
    arguments: &Arguments,
    threads: NonZeroUsize,
    report: &mut Report,
) -> Result<Vec<Box<dyn Implementation>>, Error> {
    let mut all: Vec<Box<dyn Implementation>> = Vec::new();
    for kernel in arguments.kernels()? {
        all.push(Box::new(Ours::new(kernel, threads)?));
    }
    let variants = match arguments.ggml_variant.as_slice() {
        [] => vec![None],
        several => several.iter().map(|variant| Some(variant.as_str())).collect(),
    };
    for variant in variants {
        match Ggml::new(variant, threads) {
            Ok(ggml) => {
                for storage in [Storage::Repacked, Storage::Plain] {
                    all.push(Box::new(Multiplier { ggml: ggml.clone(), storage }));
                }
            }
            Err(reason) => {
                let peer = variant.map_or("ggml".to_owned(), |v| format!("ggml for {v}"));
                missing(peer, reason.to_string(), report)?;
            }
        }
    }
    #[cfg(feature = "candle")]
    all.push(Box::new(Candle));
    #[cfg(not(feature = "candle"))]
    missing("candle".to_owned(), "built without the feature `candle`".to_owned(), report)?;
    all.push(Box::new(Gemm { threads }));
    Ok(all)
}

fn missing(peer: String, reason: String, report: &mut Report) -> Result<(), Error> {
    eprintln!("missing: {peer}: {reason}");
    report.add(Record::Missing { peer, reason })
}

struct Measurement<'a> {
    arguments: &'a Arguments,
    threads: NonZeroUsize,
    implementations: Vec<&'a dyn Implementation>,
}

impl Measurement<'_> {
    /// What the CPU can multiply.
    fn peaks(&self, report: &mut Report) -> Result<(), Error> {
        for instructions in integer::instructions() {
            let mut multiplying = instructions.on(self.threads);
            let watch = Watch::start();
            let times = by_turns(&mut [&mut multiplying], self.arguments.effort())?;
            report.add(Record::Bound(Bound {
                kernel: format!("integer-{}", instructions.name),
                threads: self.threads.get(),
                gflops_best: multiplying.operations() / times[0].least() * 1e-9,
                gigabytes_per_second: None,
                machine: watch.stop(),
            }))?;
        }
        Ok(())
    }

    /// Products by the same weights again and again.
    fn warm(
        &self,
        rng: &mut Rng,
        shape: Shape,
        blocks: &[BlockQ4K],
        report: &mut Report,
    ) -> Result<(), Error> {
        let stored = self.store(shape, blocks, report, |_| 1)?;
        for pair in &self.arguments.pair {
            for rows in self.arguments.rows() {
                let task = Task::new(rng, *pair, shape, rows);
                let mut contest = self.contest(&task, &stored, "")?;
                let watch = Watch::start();
                let times = contest.hold(self.arguments, &mut [])?;
                for product in contest.products(&times, self.threads, &watch.stop()) {
                    report.add(Record::Compute(product))?;
                }
            }
        }
        Ok(())
    }

    /// Products of one row by weights that have left the caches since they were used last, and
    /// reading such weights.
    fn cold(
        &self,
        rng: &mut Rng,
        shape: Shape,
        blocks: &[BlockQ4K],
        report: &mut Report,
    ) -> Result<(), Error> {
        let room = COLD * largest_cache();
        let copies =
            |implementation: &dyn Implementation| room.div_ceil(implementation.bytes(shape));
        let stored = self.store(shape, blocks, report, copies)?;
        let memory = Memory::new(room)?;
        for pair in &self.arguments.pair {
            let task = Task::new(rng, *pair, shape, 1);
            let mut contest = self.contest(&task, &stored, ", cold")?;
            let mut readings = ORDERS.map(|order| memory.reading(order, self.threads));
            let mut readings: Vec<_> =
                readings.iter_mut().map(|reading| reading as &mut dyn Contestant).collect();
            let watch = Watch::start();
            let mut times = contest.hold(self.arguments, &mut readings)?;
            let machine = watch.stop();
            let readings = times.split_off(contest.entries.len());
            let seconds = readings.iter().map(Sorted::least).fold(f64::INFINITY, f64::min);
            let speed = memory.len() as f64 / seconds;
            let bound = task.operations() / shape.bytes() as f64 * speed * 1e-9;
            report.add(Record::Bound(Bound {
                kernel: "memory".to_owned(),
                threads: self.threads.get(),
                gflops_best: bound,
                gigabytes_per_second: Some(speed * 1e-9),
                machine: machine.clone(),
            }))?;
            for mut product in contest.products(&times, self.threads, &machine) {
                product.of_bound = Some(product.gflops_best / bound);
                report.add(Record::Cold(product))?;
            }
        }
        Ok(())
    }

    /// The weights as each has them. A peer that cannot have them is missing.
    fn store(
        &self,
        shape: Shape,
        blocks: &[BlockQ4K],
        report: &mut Report,
        copies: impl Fn(&dyn Implementation) -> usize,
    ) -> Result<Vec<Copies<'_>>, Error> {
        let mut all = Vec::new();
        for implementation in &self.implementations {
            let count = copies(*implementation);
            match implementation.store(shape, blocks, count) {
                Ok(stored) => all.push(Copies { implementation: *implementation, stored, count }),
                Err(error) if implementation.is_peer() => {
                    missing(implementation.kernel(), error.to_string(), report)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// All that can do the task, once they have shown that they do the same.
    fn contest<'a>(
        &self,
        task: &'a Task,
        stored: &'a [Copies<'_>],
        how: &str,
    ) -> Result<Contest<'a>, Error> {
        let Task { pair, shape, rows, .. } = task;
        eprintln!("{pair}, weights {shape}{how}, rows {rows}, threads {}", self.threads);
        let mut entries = Vec::new();
        for Copies { implementation, stored, count } in stored {
            if implementation.multiplies(*pair) {
                entries.push(Entry {
                    kernel: implementation.kernel(),
                    variant: implementation.variant(),
                    copies: *count,
                    contestant: stored.product(task)?,
                });
            }
        }
        agree(&mut entries)?;
        Ok(Contest { task, entries })
    }
}

/// So many copies of the same weights.
struct Copies<'a> {
    implementation: &'a dyn Implementation,
    stored: Box<dyn Stored + 'a>,
    count: usize,
}

struct Contest<'a> {
    task: &'a Task,
    entries: Vec<Entry<'a>>,
}

/// One contestant and what is known of it.
struct Entry<'a> {
    kernel: String,
    variant: Option<String>,
    copies: usize,
    contestant: Box<dyn Contestant + 'a>,
}

impl Contest<'_> {
    /// Seconds of a run, of the contestants in their order and then of the others.
    fn hold(
        &mut self,
        arguments: &Arguments,
        others: &mut [&mut dyn Contestant],
    ) -> Result<Vec<Sorted>, Error> {
        let mut contestants: Vec<&mut dyn Contestant> = Vec::new();
        for entry in &mut self.entries {
            contestants.push(&mut *entry.contestant);
        }
        for other in others {
            contestants.push(&mut **other);
        }
        by_turns(&mut contestants, arguments.effort())
    }

    fn products(&self, times: &[Sorted], threads: NonZeroUsize, machine: &Machine) -> Vec<Product> {
        let gflops = |seconds: f64| self.task.operations() / seconds * 1e-9;
        let ggml = self.entries.iter().position(|entry| entry.kernel == "ggml-repacked");
        let ggml = ggml.map(|index| &times[index]);
        self.entries
            .iter()
            .zip(times)
            .map(|(entry, times)| Product {
                kernel: entry.kernel.clone(),
                variant: entry.variant.clone(),
                pair: self.task.pair.to_string(),
                weights: self.task.shape.to_string(),
                rows: self.task.rows,
                threads: threads.get(),
                gflops_best: gflops(times.least()),
                gflops_median: gflops(times.median()),
                over_ggml_best: ggml.map(|ggml| ggml.least() / times.least()),
                over_ggml_median: ggml.map(|ggml| ggml.median() / times.median()),
                of_bound: None,
                runs: times.count(),
                machine: machine.clone(),
            })
            .collect()
    }
}

/// # Errors
/// If one computes something else than the first: the speed of a wrong result is none.
fn agree(entries: &mut [Entry<'_>]) -> Result<(), Error> {
    let mut outputs = Vec::new();
    for entry in &mut *entries {
        // By each copy: some prepare it when it is used first.
        for _ in 0..entry.copies {
            entry.contestant.run()?;
        }
        outputs.push(entry.contestant.output()?);
        entry.contestant.rest();
    }
    for (entry, output) in entries.iter().zip(&outputs) {
        let error = workload::normalised_error(output, &outputs[0]);
        // A NaN is not above it, but not good either.
        if error.is_nan() || error > AGREEMENT {
            let (one, other) = (&entry.kernel, &entries[0].kernel);
            return Err(format!("{one} and {other} do not agree: NMSE {error:.1e}").into());
        }
    }
    Ok(())
}
