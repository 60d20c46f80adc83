// SPDX-License-Identifier: Apache-2.0
//! The panels of a slab: filled once each by whichever thread comes first, and
//! for the next op again, in the same memory, unless it has the same operand.

use crate::sync::lock;
use spanker_kernels::{ActivationQ4K, ActivationQ8K};
use std::mem::{size_of, take};
use std::sync::{Mutex, OnceLock};

/// Bytes of panels that an open keeps for its next op. An op that needs more
/// computes so long that it does not matter where it gets them.
const KEPT_BYTES: usize = 16 << 20;

/// Private copies of some rows of `a`, a chunk of k long: blocks of the one type
/// or the other.
#[derive(Default)]
pub(super) struct Panel {
    pub(super) q8_k: Vec<ActivationQ8K>,
    pub(super) q4_k: Vec<ActivationQ4K>,
}

impl Panel {
    fn bytes(&self) -> usize {
        self.q8_k.capacity() * size_of::<ActivationQ8K>()
            + self.q4_k.capacity() * size_of::<ActivationQ4K>()
    }
}

#[derive(Default)]
pub(super) struct Panels {
    slots: Vec<Slot>,
    /// How many slots the op uses; they are the first.
    used: usize,
    /// Bytes in spare panels.
    kept: usize,
}

/// A place keeps its own memory: for the same shape it is then large enough,
/// whichever thread fills it.
#[derive(Default)]
struct Slot {
    filled: OnceLock<Panel>,
    spare: Mutex<Panel>,
    /// Bytes it counts for in `kept`.
    kept: usize,
}

impl Panels {
    /// So many panels, none of them filled.
    pub(super) fn begin(&mut self, count: usize) {
        self.empty();
        if self.slots.len() < count {
            self.slots.resize_with(count, Slot::default);
        }
        self.used = count;
    }

    /// The panel at `index`, filled by `fill` if it is not yet.
    pub(super) fn get(&self, index: usize, fill: impl FnOnce(&mut Panel)) -> &Panel {
        let slot = &self.slots[index];
        slot.filled.get_or_init(|| {
            let mut panel = take(&mut *lock(&slot.spare));
            fill(&mut panel);
            panel
        })
    }

    /// No thread uses them now. Returns whether they are still filled: they are
    /// not if that would be more than is kept.
    pub(super) fn rest(&mut self) -> bool {
        for slot in &mut self.slots[..self.used] {
            let bytes = slot.bytes();
            self.kept = self.kept - slot.kept + bytes;
            slot.kept = bytes;
        }
        if self.kept > KEPT_BYTES {
            self.empty();
            return false;
        }
        true
    }

    /// No panel is filled any more.
    fn empty(&mut self) {
        for slot in &mut self.slots[..self.used] {
            // What was not reached is still spare; what panicked is lost.
            if let Some(panel) = slot.filled.take() {
                slot.spare = Mutex::new(panel);
            }
        }
        self.used = 0;
        while self.kept > KEPT_BYTES {
            self.kept -= self.slots.pop().map_or(self.kept, |slot| slot.kept);
        }
    }
}

impl Slot {
    fn bytes(&mut self) -> usize {
        self.filled.get().map_or_else(|| lock(&self.spare).bytes(), Panel::bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(panels: &mut Panels, count: usize, blocks: usize) {
        panels.begin(count);
        for index in 0..count {
            let panel = panels.get(index, |panel| panel.q8_k.resize(blocks, ActivationQ8K::ZERO));
            assert_eq!(panel.q8_k.len(), blocks);
        }
        panels.rest();
    }

    fn held(panels: &mut Panels) -> usize {
        panels.slots.iter_mut().map(Slot::bytes).sum()
    }

    #[test]
    fn a_panel_is_filled_once_for_each_op() {
        let mut panels = Panels::default();
        for op in 1..4 {
            panels.begin(1);
            for _ in 0..2 {
                let panel = panels.get(0, |panel| panel.q8_k.resize(op, ActivationQ8K::ZERO));
                assert_eq!(panel.q8_k.len(), op);
            }
            panels.rest();
        }
    }

    #[test]
    fn a_huge_op_does_not_keep_its_memory_and_a_usual_one_does() {
        let mut panels = Panels::default();
        let small = 64 * 16;
        fill(&mut panels, 200, small);
        assert!(held(&mut panels) <= KEPT_BYTES);
        assert!(held(&mut panels) > KEPT_BYTES / 2);
        // In steps that each stay below what is kept.
        for blocks in [small * 2, small * 4, small * 8, small * 64] {
            let count = KEPT_BYTES / (blocks * size_of::<ActivationQ8K>());
            fill(&mut panels, count.max(1), blocks);
            assert!(held(&mut panels) <= KEPT_BYTES, "{} after {blocks}", held(&mut panels));
        }
        fill(&mut panels, 1, KEPT_BYTES / size_of::<ActivationQ8K>() + 1);
        assert_eq!((held(&mut panels), panels.kept), (0, 0));
    }

    #[test]
    fn a_panel_whose_filling_panicked_is_filled_again() {
        let mut panels = Panels::default();
        fill(&mut panels, 1, 3);
        panels.begin(1);
        let fails = || panels.get(0, |_| panic!("on purpose")).bytes();
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(fails)).is_err());
        panels.rest();
        assert_eq!((held(&mut panels), panels.kept), (0, 0));
        fill(&mut panels, 1, 3);
    }
}
