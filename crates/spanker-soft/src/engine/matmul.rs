// SPDX-License-Identifier: Apache-2.0
//! MATMUL, in tiles of some rows of `a` by some rows of `b`.
//!
//! A tile runs a kernel over its weights, where they lie, and copies the sums
//! out. Rows of `a` are needed by every tile across `b`: whichever tile needs
//! some first copies (and, for F32, quantises) them into a panel that the others
//! share, and that the next op of the batch finds if it has the same `a`. So that
//! memory stays bounded, `a` is taken in slabs of rows, and k in chunks, over
//! which the sums go on.

mod panels;

use super::{Crew, Scratch, Stop, Tiles};
use crate::op::{Matmul, Rows, Type};
use crate::spare::{emptied, refilled};
use panels::{Panel, Panels};
use spanker_kernels::{
    canonical, ActivationQ4K, ActivationQ8K, Block, BlockQ4K, BlockQ8K, Kernel, SharedRows,
};
use spanker_sys::{spanker_block_q4_k, spanker_block_q8_k, SPANKER_QK_K};
use std::mem::size_of;
use std::ops::Range;
use std::sync::Arc;

/// Rows of `b` that a tile has a multiple of, but at the edge: no kernel likes less.
const STRIP_N: u32 = 16;
/// Strips of rows of `b` in a tile, at most.
const STRIPS: u32 = 8;
/// Rows of `a` in a tile, and in a panel, at most.
const TILE_M: u32 = 64;
/// Superblocks in a panel, at most: what the second cache holds beside the weights. Few rows are
/// cut into long chunks of k, many into short ones.
const PANEL: u32 = 1024;
/// Tiles for each of several threads, at least, if there are strips enough: so that all end at about
/// the same time, however late some begin.
const TILES_PER_THREAD: u32 = 8;
/// Bytes of panels held at a time, about.
const SLAB_BYTES: u64 = 64 << 20;

/// Sums in a tile, at most.
pub(super) const TILE_SUMS: usize = (TILE_M * STRIPS * STRIP_N) as usize;
/// Superblocks of F32 that are quantised at a time.
const QUANTISED: usize = 16;
/// Elements of a row that are quantised at a time.
pub(super) const QUANTISED_ELEMENTS: usize = QUANTISED * SPANKER_QK_K as usize;

// The kernels' blocks are the header's.
const _: () = assert!(
    size_of::<BlockQ4K>() == size_of::<spanker_block_q4_k>()
        && size_of::<BlockQ8K>() == size_of::<spanker_block_q8_k>()
        && spanker_kernels::SUPERBLOCK == SPANKER_QK_K as usize
);

pub(super) fn run(
    op: &Matmul,
    seqno: u64,
    kernel: &'static dyn Kernel,
    crew: &mut Crew<'_>,
) -> Result<(), Stop> {
    let tiles = match crew.worth() {
        1 => 1,
        threads => TILES_PER_THREAD.saturating_mul(u32::try_from(threads).unwrap_or(u32::MAX)),
    };
    let row = u64::from(op.k / SPANKER_QK_K) * size_of::<ActivationQ8K>() as u64;
    let fit = (SLAB_BYTES / row).clamp(1, u64::from(u32::MAX)) as u32;
    // Whole tiles, so that a slab border cuts none in two.
    let slab_rows = if fit > TILE_M { fit / TILE_M * TILE_M } else { fit };
    let mut first = 0;
    while first < op.m {
        let rows = first..op.m.min(first.saturating_add(slab_rows));
        first = rows.end;
        let source = Source::new(op, seqno, rows.clone());
        let slab = refilled(crew.workspace().slab.take(), |slab: &mut Slab| {
            slab.begin(source, Job::new(op.clone(), kernel, rows, tiles));
        });
        let result = crew.run(Arc::clone(&slab) as _);
        crew.workspace().slab = emptied(slab, Slab::end);
        result?;
    }
    Ok(())
}

/// Some rows of `a` by all of `b`; a spare one has no job, but panels to fill
/// again, or to use again.
#[derive(Default)]
pub(crate) struct Slab {
    job: Option<Job>,
    /// What the panels hold, or are being filled with.
    source: Option<Source>,
    /// By group of rows, then chunk.
    panels: Panels,
}

/// Rows of an operand `a`, as a batch finds them.
#[derive(PartialEq, Eq)]
struct Source {
    /// The batch. It holds its buffers, so that no other comes to be at the
    /// same address while it runs.
    seqno: u64,
    /// Its address.
    buffer: usize,
    offset: u64,
    stride: u64,
    a_type: Type,
    rows: Range<u32>,
    k: u32,
}

impl Source {
    fn new(op: &Matmul, seqno: u64, rows: Range<u32>) -> Self {
        let Rows { ref buffer, offset, stride } = op.a;
        let buffer = Arc::as_ptr(buffer) as usize;
        Self { seqno, buffer, offset, stride, a_type: op.a_type, rows, k: op.k }
    }
}

impl Slab {
    fn begin(&mut self, source: Source, job: Job) {
        let source = Some(source);
        if self.source != source {
            self.panels.begin(job.tiles_m as usize * job.chunks as usize);
            self.source = source;
        }
        self.job = Some(job);
    }

    fn end(&mut self) {
        self.job = None;
        if !self.panels.rest() {
            self.source = None;
        }
    }

    /// An op other than a MATMUL has written to memory. (A MATMUL has panels of
    /// its own `a`, which its `out` does not overlap.)
    pub(super) fn forget(&mut self) {
        self.source = None;
    }
}

impl Tiles for Slab {
    fn count(&self) -> usize {
        self.job.as_ref().map_or(0, |job| job.tiles_m as usize * job.tiles_n as usize)
    }

    fn run(&self, tile: usize, scratch: &mut Scratch) {
        if let Some(job) = &self.job {
            job.run(tile, &self.panels, scratch);
        }
    }
}

struct Job {
    op: Matmul,
    kernel: &'static dyn Kernel,
    /// The rows of `a` and `out` that this slab is.
    rows: Range<u32>,
    blocks: u32,
    /// Superblocks of k in a chunk, but the last.
    chunk: u32,
    chunks: u32,
    /// Rows of `b` in a tile, but the last.
    tile_n: u32,
    tiles_n: u32,
    tiles_m: u32,
}

impl Job {
    /// In so many tiles, at least, if there are strips enough.
    fn new(op: Matmul, kernel: &'static dyn Kernel, rows: Range<u32>, wanted: u32) -> Self {
        let blocks = op.k / SPANKER_QK_K;
        let m = rows.end - rows.start;
        let chunk = PANEL / m.min(TILE_M);
        let chunks = blocks.div_ceil(chunk);
        let tiles_m = m.div_ceil(TILE_M);
        let strips = op.n.div_ceil(STRIP_N);
        let strips_each = (u64::from(strips) * u64::from(tiles_m) / u64::from(wanted)) as u32;
        let tile_n = STRIP_N * strips_each.clamp(1, STRIPS);
        let tiles_n = op.n.div_ceil(tile_n);
        Self { op, kernel, rows, blocks, chunk, chunks, tile_n, tiles_n, tiles_m }
    }

    /// The superblocks of k in a chunk.
    fn chunk(&self, chunk: u32) -> Range<u32> {
        let first = chunk * self.chunk;
        first..self.blocks.min(first + self.chunk)
    }

    /// Fills the panel of a chunk of some rows, whatever was in it.
    fn fill(&self, panel: &mut Panel, rows: Range<u32>, chunk: Range<u32>, row: &mut Vec<f32>) {
        let blocks = chunk.len();
        match self.op.a_type {
            Type::Q4K => {
                panel.q4_k.resize(rows.len() * blocks, ActivationQ4K::ZERO);
                let a = shared(&self.op.a, &rows, &chunk);
                unpack(a, &mut panel.q4_k, ActivationQ4K::new);
            }
            Type::Q8K => {
                panel.q8_k.resize(rows.len() * blocks, ActivationQ8K::ZERO);
                let a = shared(&self.op.a, &rows, &chunk);
                unpack(a, &mut panel.q8_k, ActivationQ8K::new);
            }
            Type::F32 => {
                panel.q8_k.resize(rows.len() * blocks, ActivationQ8K::ZERO);
                for (i, into) in rows.zip(panel.q8_k.chunks_exact_mut(blocks)) {
                    let start = Type::F32.row_bytes(chunk.start * SPANKER_QK_K);
                    let mut start = self.op.a.start(i) + start;
                    for into in into.chunks_mut(QUANTISED) {
                        row.resize(into.len() * SPANKER_QK_K as usize, 0.0);
                        self.op.a.buffer.memory.storage.read(start, row);
                        start += std::mem::size_of_val(&row[..]) as u64;
                        from_little_endian(row);
                        self.kernel.quantise_row(row, into);
                    }
                }
            }
        }
    }

    fn run(&self, tile: usize, panels: &Panels, scratch: &mut Scratch) {
        // Neighbouring tiles are of the same rows of b: they are still in cache.
        let group = (tile % self.tiles_m as usize) as u32;
        let first_m = self.rows.start + group * TILE_M;
        let rows_m = first_m..self.rows.end.min(first_m + TILE_M);
        let first_n = (tile / self.tiles_m as usize) as u32 * self.tile_n;
        let rows_n = first_n..self.op.n.min(first_n.saturating_add(self.tile_n));

        let Scratch { sums, row, kernel } = scratch;
        let out = &self.op.out;
        let out_start = Type::F32.row_bytes(first_n);
        sums.clear();
        sums.resize(rows_m.len() * rows_n.len(), 0.0);
        if self.op.accumulate {
            for (i, sums) in rows_m.clone().zip(sums.chunks_exact_mut(rows_n.len())) {
                out.buffer.memory.storage.read(out.start(i) + out_start, sums);
                from_little_endian(sums);
            }
        }
        for chunk in 0..self.chunks {
            let blocks = self.chunk(chunk);
            let b = shared(&self.op.b, &rows_n, &blocks);
            let index = group as usize * self.chunks as usize + chunk as usize;
            let panel = panels.get(index, |panel| {
                self.fill(panel, rows_m.clone(), blocks.clone(), row);
            });
            let (q8_k, q4_k) = (&panel.q8_k, &panel.q4_k);
            match self.op.a_type {
                Type::F32 | Type::Q8K => {
                    self.kernel.tile_q8_k(kernel, q8_k, b, sums);
                }
                Type::Q4K => self.kernel.tile_q4_k(kernel, q4_k, b, sums),
            }
        }
        for (i, sums) in rows_m.zip(sums.chunks_exact_mut(rows_n.len())) {
            store(sums);
            out.buffer.memory.storage.write(out.start(i) + out_start, sums);
        }
    }
}

/// Unpacks rows of blocks, each with `new`.
fn unpack<T: Block, A>(a: SharedRows<'_, T>, into: &mut [A], new: impl Fn(&T) -> A) {
    for (row, into) in into.chunks_exact_mut(a.blocks()).enumerate() {
        for (block, into) in into.iter_mut().enumerate() {
            *into = new(&a.read(row, block));
        }
    }
}

/// A chunk of some rows of blocks, where they lie.
fn shared<'a, T: Block>(
    from: &'a Rows,
    rows: &Range<u32>,
    chunk: &Range<u32>,
) -> SharedRows<'a, T> {
    let start = u64::from(chunk.start) * size_of::<T>() as u64;
    let storage = &from.buffer.memory.storage;
    storage.rows(from.start(rows.start) + start, from.stride, rows.len(), chunk.len())
}

/// Operand data is little-endian; this makes it the host's.
fn from_little_endian(values: &mut [f32]) {
    if cfg!(target_endian = "big") {
        values.iter_mut().for_each(|value| *value = f32::from_bits(value.to_bits().swap_bytes()));
    }
}

/// What is written: NaN in its one form, all little-endian.
fn store(values: &mut [f32]) {
    for value in values {
        *value = f32::from_bits(canonical(*value).to_bits().to_le());
    }
}
