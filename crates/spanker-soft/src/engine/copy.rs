// SPDX-License-Identifier: Apache-2.0
//! COPY, in tiles of some rows or of a part of a row.

use super::{Crew, Scratch, Stop, Tiles};
use crate::op::Copy;
use std::sync::Arc;

/// Bytes in a tile, about: long enough not to be felt, short enough to stop
/// soon.
const TILE_BYTES: u32 = 1 << 20;

pub(super) fn run(op: &Copy, crew: &mut Crew<'_>) -> Result<(), Stop> {
    crew.run(Arc::new(CopyTiles::new(op.clone())))
}

struct CopyTiles {
    op: Copy,
    /// Parts that a row is cut into; more than one only for long rows.
    parts: u32,
    /// Rows in a tile; more than one only for short rows.
    rows: u32,
}

impl CopyTiles {
    fn new(op: Copy) -> Self {
        let parts = op.bytes.div_ceil(TILE_BYTES);
        let rows = if parts > 1 { 1 } else { (TILE_BYTES / op.bytes).max(1) };
        Self { op, parts, rows }
    }
}

impl Tiles for CopyTiles {
    fn count(&self) -> usize {
        self.op.rows.div_ceil(self.rows) as usize * self.parts as usize
    }

    fn run(&self, tile: usize, _scratch: &mut Scratch) {
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
