// SPDX-License-Identifier: Apache-2.0

//! Many rows by many rows: the loops around a kernel's innermost part.
//!
//! Some rows of `b` are unpacked, a few superblocks at a time, into panels that fit the first cache;
//! then every row of `a` is multiplied by them, a strip of rows at a time, whose sums fit the
//! registers.

use super::DEPTH;
use crate::{BlockQ4K, SharedRows};

/// The innermost part of a kernel: a strip of rows of `a`, of blocks A, × panels of ROWS rows of
/// `b`.
pub(super) trait Strips<A, const ROWS: usize> {
    /// ROWS rows of `b` × one superblock, unpacked.
    type Panel;

    /// Rows of `a` that are multiplied together, at most.
    const STRIP: usize;

    /// Unpacks as many superblocks as there are panels, from `at` on, of ROWS rows of `b` from row
    /// `first`; anything, in place of rows that are not there.
    fn unpack(
        &self,
        panels: &mut [Self::Panel],
        b: SharedRows<'_, BlockQ4K>,
        first: usize,
        at: usize,
    );

    /// Adds `rows`, at most [`Self::STRIP`], × `panels` to `sums`, superblock by superblock. A row
    /// has as many blocks as there are panels, and there are as many `sums` as rows.
    fn multiply(&self, panels: &[Self::Panel], rows: &[&[A]], sums: &mut [[f32; ROWS]]);
}

/// Adds `a` × `b` to `acc`; see [`Kernel`](super::Kernel) for their shapes.
pub(super) fn sweep<A, S: Strips<A, ROWS>, const ROWS: usize>(
    strips: &S,
    panels: &mut [S::Panel; DEPTH],
    a: &[A],
    b: SharedRows<'_, BlockQ4K>,
    acc: &mut [f32],
) {
    let (n, blocks) = (b.rows(), b.blocks());
    if acc.is_empty() {
        return;
    }
    for j in (0..n).step_by(ROWS) {
        for first in (0..blocks).step_by(DEPTH) {
            let panels = &mut panels[..DEPTH.min(blocks - first)];
            strips.unpack(panels, b, j, first);
            multiply(strips, panels, Part { a, blocks, first }, acc, n, j);
        }
    }
}

/// Superblocks of rows of `a` from `first` on: as many as there are panels.
struct Part<'a, A> {
    a: &'a [A],
    blocks: usize,
    first: usize,
}

/// Adds a part of every row of `a` × `panels` to the columns from `j` on of `acc`, which has n.
fn multiply<A, S: Strips<A, ROWS>, const ROWS: usize>(
    strips: &S,
    panels: &[S::Panel],
    part: Part<'_, A>,
    acc: &mut [f32],
    n: usize,
    j: usize,
) {
    let m = part.a.len() / part.blocks;
    let width = ROWS.min(n - j);
    let mut i = 0;
    while i < m {
        // Strips of equal height: a low one would cost nearly as much as a high one.
        let height = (m - i).div_ceil((m - i).div_ceil(S::STRIP));
        let mut rows = [&part.a[..0]; MAX_STRIP];
        let mut sums = [[0.0; ROWS]; MAX_STRIP];
        for r in 0..height {
            rows[r] = &part.a[(i + r) * part.blocks + part.first..][..panels.len()];
            load(&acc[(i + r) * n + j..][..width], &mut sums[r]);
        }
        strips.multiply(panels, &rows[..height], &mut sums[..height]);
        for r in 0..height {
            store(&sums[r], &mut acc[(i + r) * n + j..][..width]);
        }
        i += height;
    }
}

/// Copies the first values of a strip. Whole strips are copied without a call.
#[inline(always)]
fn load<const ROWS: usize>(from: &[f32], to: &mut [f32; ROWS]) {
    match <&[f32; ROWS]>::try_from(from) {
        Ok(from) => *to = *from,
        Err(_) => to[..from.len()].copy_from_slice(from),
    }
}

/// The counterpart of [`load`].
#[inline(always)]
fn store<const ROWS: usize>(from: &[f32; ROWS], to: &mut [f32]) {
    match <&mut [f32; ROWS]>::try_from(&mut *to) {
        Ok(to) => *to = *from,
        Err(_) => to.copy_from_slice(&from[..to.len()]),
    }
}

/// The largest [`Strips::STRIP`] there is.
const MAX_STRIP: usize = 8;
