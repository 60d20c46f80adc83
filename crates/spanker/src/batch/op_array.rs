// SPDX-License-Identifier: Apache-2.0
//! An array of ops that is filled in place, again and again: what was in it
//! stays there to be written over, so that filling neither allocates nor copies
//! ops from elsewhere.

use crate::info::DeviceInfo;
use crate::split;
use spanker_sys::spanker_op;

#[derive(Debug, Default)]
pub(super) struct OpArray {
    ops: Vec<spanker_op>,
    /// How many of them are valid.
    count: usize,
}

impl OpArray {
    /// Where the next op goes; None if there is no room made yet.
    #[inline]
    pub(super) fn next(&mut self) -> Option<&mut spanker_op> {
        self.ops.get_mut(self.count)
    }

    /// The op at [`OpArray::next`] has been filled in.
    #[inline]
    pub(super) fn accept(&mut self) {
        self.count += 1;
    }

    /// Adds an op, or the parts that the card takes it in.
    pub(super) fn push_parts(&mut self, op: &spanker_op, card: &DeviceInfo) {
        split::matmul(op, card, |part| {
            if self.count == self.ops.len() {
                self.ops.push(spanker_op::default());
                self.ops.resize(self.ops.capacity(), spanker_op::default());
            }
            self.ops[self.count] = part;
            self.count += 1;
        });
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    pub(super) fn as_slice(&self) -> &[spanker_op] {
        self.ops.get(..self.count).unwrap_or_default()
    }
}
