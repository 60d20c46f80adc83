// SPDX-License-Identifier: Apache-2.0
//! MATMUL, in tiles of some rows of `a` by some rows of `b`.
//!
//! A tile copies its weights and sums into private memory, runs a kernel over
//! them, and copies the sums out. Rows of `a` are needed by every tile across
//! `b`: whichever tile needs some first copies (and, for F32, quantises) them
//! into a panel that the others share. So that memory stays bounded, `a` is
//! taken in slabs of rows, and k in chunks, over which the sums go on.

use super::{Crew, Scratch, Stop, Tiles, ZERO_Q4_K, ZERO_Q8_K};
use crate::kernel::{canonical, Kernel};

use crate::op::{Matmul, Rows, Type};
use spanker_sys::{spanker_block_q4_k, spanker_block_q8_k, Plain, SPANKER_QK_K};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Rows of `b` in a tile.
const TILE_N: u32 = 16;
/// Rows of `a` in a tile, and in a panel.
const TILE_M: u32 = 64;
/// Superblocks of k in a chunk: the weights of a tile are then 36 KiB.
const CHUNK: u32 = 16;
/// Bytes of panels held at a time, about.
const SLAB_BYTES: u64 = 64 << 20;

pub(super) fn run(
    op: &Matmul,
    kernel: &'static dyn Kernel,
    crew: &mut Crew<'_>,
) -> Result<(), Stop> {
    let panel_row = Type::Q8K.row_bytes(op.k);
    let slab_rows = (SLAB_BYTES / panel_row).max(1).min(u64::from(op.m)) as u32;
    // Whole tiles, so that a slab border cuts none in two.
    let slab_rows = if slab_rows > TILE_M { slab_rows / TILE_M * TILE_M } else { slab_rows };
    let mut first = 0;
    while first < op.m {
        let rows = first..op.m.min(first.saturating_add(slab_rows));
        first = rows.end;
        crew.run(Arc::new(Slab::new(op.clone(), kernel, rows)))?;
    }
    Ok(())
}

/// Private copies of some rows of `a`, a chunk of k long.
enum Panel {
    Q8K(Box<[spanker_block_q8_k]>),
    Q4K(Box<[spanker_block_q4_k]>),
}

struct Slab {
    op: Matmul,
    kernel: &'static dyn Kernel,
    /// The rows of `a` and `out` that this slab is.
    rows: Range<u32>,
    blocks: u32,
    chunks: u32,
    tiles_n: u32,
    tiles_m: u32,
    /// By group of rows, then chunk.
    panels: Box<[OnceLock<Panel>]>,
}

impl Slab {
    fn new(op: Matmul, kernel: &'static dyn Kernel, rows: Range<u32>) -> Self {
        let blocks = op.k / SPANKER_QK_K;
        let chunks = blocks.div_ceil(CHUNK);
        let tiles_m = (rows.end - rows.start).div_ceil(TILE_M);
        let tiles_n = op.n.div_ceil(TILE_N);
        let panels = (0..tiles_m as usize * chunks as usize).map(|_| OnceLock::new()).collect();
        Self { op, kernel, rows, blocks, chunks, tiles_n, tiles_m, panels }
    }

    /// The superblocks of k in a chunk.
    fn chunk(&self, chunk: u32) -> Range<u32> {
        let first = chunk * CHUNK;
        first..self.blocks.min(first + CHUNK)
    }

    fn panel(&self, group: u32, rows: Range<u32>, chunk: u32, row: &mut Vec<f32>) -> &Panel {
        let index = group as usize * self.chunks as usize + chunk as usize;
        self.panels[index].get_or_init(|| self.make_panel(rows, self.chunk(chunk), row))
    }

    fn make_panel(&self, rows: Range<u32>, chunk: Range<u32>, row: &mut Vec<f32>) -> Panel {
        let blocks = chunk.len();
        match self.op.a_type {
            Type::Q4K => Panel::Q4K(copied(&self.op.a, rows, chunk, ZERO_Q4_K)),
            Type::Q8K => Panel::Q8K(copied(&self.op.a, rows, chunk, ZERO_Q8_K)),
            Type::F32 => {
                let mut panel = vec![ZERO_Q8_K; rows.len() * blocks];
                row.resize(blocks * SPANKER_QK_K as usize, 0.0);
                let start = Type::F32.row_bytes(chunk.start * SPANKER_QK_K);
                for (i, into) in rows.zip(panel.chunks_exact_mut(blocks)) {
                    self.op.a.buffer.memory.storage.read(self.op.a.start(i) + start, row);
                    from_little_endian(row);
                    self.kernel.quantise_row(row, into);
                }
                Panel::Q8K(panel.into_boxed_slice())
            }
        }
    }
}

/// Copies a chunk of some rows of blocks.
fn copied<T: Plain>(from: &Rows, rows: Range<u32>, chunk: Range<u32>, zero: T) -> Box<[T]> {
    let mut panel = vec![zero; rows.len() * chunk.len()];
    copy_rows(from, rows, &chunk, &mut panel);
    panel.into_boxed_slice()
}

fn copy_rows<T: Plain>(from: &Rows, rows: Range<u32>, chunk: &Range<u32>, into: &mut [T]) {
    let start = u64::from(chunk.start) * std::mem::size_of::<T>() as u64;
    for (row, into) in rows.zip(into.chunks_exact_mut(chunk.len())) {
        from.buffer.memory.storage.read(from.start(row) + start, into);
    }
}

impl Tiles for Slab {
    fn count(&self) -> usize {
        self.tiles_m as usize * self.tiles_n as usize
    }

    fn run(&self, tile: usize, scratch: &mut Scratch) {
        // Neighbouring tiles are of the same rows of b: they are still in cache.
        let group = (tile % self.tiles_m as usize) as u32;
        let first_m = self.rows.start + group * TILE_M;
        let rows_m = first_m..self.rows.end.min(first_m + TILE_M);
        let first_n = (tile / self.tiles_m as usize) as u32 * TILE_N;
        let rows_n = first_n..self.op.n.min(first_n.saturating_add(TILE_N));

        let Scratch { weights, sums, row, kernel } = scratch;
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
            weights.resize(rows_n.len() * blocks.len(), ZERO_Q4_K);
            copy_rows(&self.op.b, rows_n.clone(), &blocks, weights);
            match self.panel(group, rows_m.clone(), chunk, row) {
                Panel::Q8K(a) => self.kernel.tile_q8_k(kernel, a, weights, blocks.len(), sums),
                Panel::Q4K(a) => self.kernel.tile_q4_k(kernel, a, weights, blocks.len(), sums),
            }
        }
        for (i, sums) in rows_m.zip(sums.chunks_exact_mut(rows_n.len())) {
            store(sums);
            out.buffer.memory.storage.write(out.start(i) + out_start, sums);
        }
    }
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
