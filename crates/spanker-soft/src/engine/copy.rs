// SPDX-License-Identifier: Apache-2.0
//! COPY, in tiles of some rows or of a part of a row.

use super::{Crew, Scratch, Slab, Stop, Tiles};
use crate::op::Copy;
use crate::spare::{emptied, refilled};
use crate::workspace::Workspace;
use std::sync::Arc;

/// Bytes in a tile, about: long enough not to be felt, short enough to stop
/// soon.
const TILE_BYTES: u32 = 1 << 20;

pub(super) fn run(op: &Copy, crew: &mut Crew<'_>) -> Result<(), Stop> {
    let tiles = refilled(crew.workspace().copy.take(), |tiles: &mut CopyTiles| {
        tiles.job = Some(Job::new(op.clone()));
    });
    let result = crew.run(Arc::clone(&tiles) as _);
    forget_activations(crew.workspace());
    crew.workspace().copy = emptied(tiles, |tiles| tiles.job = None);
    result
}

/// What was unpacked for ops before may have been written to since.
fn forget_activations(workspace: &mut Workspace) {
    workspace.slab = workspace.slab.take().and_then(|slab| emptied(slab, Slab::forget));
}

/// A COPY; a spare one has no job.
#[derive(Default)]
pub(crate) struct CopyTiles {
    job: Option<Job>,
}

struct Job {
    op: Copy,
    /// Parts that a row is cut into; more than one only for long rows.
    parts: u32,
    /// Rows in a tile; more than one only for short rows.
    rows: u32,
}

impl Tiles for CopyTiles {
    fn count(&self) -> usize {
        self.job.as_ref().map_or(0, Job::count)
    }

    fn run(&self, tile: usize, _scratch: &mut Scratch) {
        if let Some(job) = &self.job {
            job.run(tile);
        }
    }
}

impl Job {
    fn new(op: Copy) -> Self {
        let parts = op.bytes.div_ceil(TILE_BYTES);
        let rows = if parts > 1 { 1 } else { (TILE_BYTES / op.bytes).max(1) };
        Self { op, parts, rows }
    }

    fn count(&self) -> usize {
        self.op.rows.div_ceil(self.rows) as usize * self.parts as usize
    }

    fn run(&self, tile: usize) {
        let parts = self.parts as usize;
        let (group, part) = ((tile / parts) as u32, (tile % parts) as u32);
        let first = group * self.rows;
        let last = self.op.rows.min(first.saturating_add(self.rows));
        let start = u64::from(part) * u64::from(TILE_BYTES);
        let bytes = (u64::from(self.op.bytes) - start).min(u64::from(TILE_BYTES)) as usize;
        let (a, out) = (&self.op.a, &self.op.out);
        for row in first..last {
            let (from, to) = (a.start(row) + start, out.start(row) + start);
            a.buffer.memory.storage.copy(from, &out.buffer.memory.storage, to, bytes);
        }
    }
}
