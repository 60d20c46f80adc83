// SPDX-License-Identifier: Apache-2.0
//! The ops that a MUL_MAT of ggml comes to.
//!
//! ggml's `dst = mul_mat(weights, activations)` has a row of `dst` for each row
//! of `activations` and a column for each row of `weights`: MATMUL with the
//! activations as `a` and the weights as `b`. Its third and fourth dimensions are
//! products of their own, in which weights may be used several times.

use super::ggml::Tensor;
use super::host::Host;
use crate::matmul_int4::{Q4_K_BLOCK_BYTES, QK_K};
use spanker_sys::*;
use std::mem::size_of;

const F32_BYTES: usize = size_of::<f32>();

/// A MUL_MAT that Sails compute: of Q4_K weights and f32 activations, whose rows
/// may lie anywhere, as long as each is in one piece.
#[derive(Debug)]
pub(super) struct Product<'t> {
    weights: &'t Tensor,
    activations: &'t Tensor,
    out: &'t Tensor,
    m: u32,
    n: u32,
    k: u32,
}

/// Where a tensor begins: in this buffer of the Sail, so many bytes from its
/// start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) handle: u32,
    pub(super) offset: u64,
}

impl<'t> Product<'t> {
    /// `out` as such a product, if it is one.
    ///
    /// # Safety
    /// What `out` points to as its sources is NULL or a tensor.
    pub(super) unsafe fn of(out: &'t Tensor, host: &Host) -> Option<Self> {
        // SAFETY: the caller promises it.
        let (weights, activations) = unsafe { (out.src[0].as_ref()?, out.src[1].as_ref()?) };
        let is = |tensor, name: &[u8]| host.type_name(tensor).to_bytes() == name;
        let right_types = host.op_name(out).to_bytes() == b"MUL_MAT"
            && is(weights, b"q4_K")
            && is(activations, b"f32")
            && is(out, b"f32");
        if !right_types {
            return None;
        }
        let [k, n, w2, w3] = weights.ne;
        let [a0, m, a2, a3] = activations.ne;
        let broadcast = |few: i64, many: i64| few > 0 && many % few == 0;
        let fit = a0 == k
            && k % QK_K as i64 == 0
            && out.ne == [n, m, a2, a3]
            && broadcast(w2, a2)
            && broadcast(w3, a3);
        let product = Self {
            weights,
            activations,
            out,
            m: u32::try_from(m).ok()?,
            n: u32::try_from(n).ok()?,
            k: u32::try_from(k).ok()?,
        };
        (fit && product.rows_are_whole()).then_some(product)
    }

    fn row_bytes(&self) -> [usize; 3] {
        let k = self.k as usize;
        [k / QK_K * Q4_K_BLOCK_BYTES, k * F32_BYTES, self.n as usize * F32_BYTES]
    }

    /// Whether each row of each tensor is in one piece and begins where the ABI
    /// lets rows begin.
    fn rows_are_whole(&self) -> bool {
        let tensors = [self.weights, self.activations, self.out];
        let items = [Q4_K_BLOCK_BYTES, F32_BYTES, F32_BYTES];
        tensors.iter().zip(items).zip(self.row_bytes()).all(|((tensor, item), row)| {
            tensor.nb[0] == item
                && (tensor.ne[1] <= 1 || tensor.nb[1] >= row)
                && tensor.nb[1..].iter().all(|stride| stride % 4 == 0)
        })
    }

    /// Multiplications with additions in it.
    pub(super) fn macs(&self) -> u64 {
        let [_, _, planes2, planes3] = self.out.ne;
        let product = u64::from(self.m) * u64::from(self.n);
        product.saturating_mul(u64::from(self.k)).saturating_mul((planes2 * planes3) as u64)
    }

    /// Gives the ops that it comes to, or what went wrong with finding the
    /// tensors' places.
    pub(super) fn ops<E>(
        &self,
        place: impl Fn(&Tensor) -> Result<Place, E>,
        mut give: impl FnMut(spanker_op),
    ) -> Result<(), E> {
        if self.macs() == 0 {
            return Ok(());
        }
        let places = [place(self.activations)?, place(self.weights)?, place(self.out)?];
        let [weights_row, activations_row, out_row] = self.row_bytes();
        let [_, _, planes2, planes3] = self.out.ne;
        let types = [SPANKER_TYPE_F32, SPANKER_TYPE_Q4_K, SPANKER_TYPE_F32];
        let rows =
            [(self.activations, activations_row), (self.weights, weights_row), (self.out, out_row)];
        let op = |m: u32, offsets: [u64; 3]| {
            let operand = |which: usize, offset: u64| {
                let (tensor, row_bytes) = rows[which];
                // The stride of a single row can be anything, and means nothing.
                let row_stride = tensor.nb[1].max(row_bytes) as u64;
                let Place { handle, offset: start } = places[which];
                spanker_operand { handle, type_: types[which], offset: start + offset, row_stride }
            };
            spanker_op {
                opcode: SPANKER_OPCODE_MATMUL,
                m,
                n: self.n,
                k: self.k,
                a: operand(0, offsets[0]),
                b: operand(1, offsets[1]),
                out: operand(2, offsets[2]),
                ..Default::default()
            }
        };
        if let Some(m) = self.rows_in_one() {
            give(op(m, [0; 3]));
            return Ok(());
        }
        for i3 in 0..planes3 {
            for i2 in 0..planes2 {
                let w2 = i2 / (planes2 / self.weights.ne[2]);
                let w3 = i3 / (planes3 / self.weights.ne[3]);
                give(op(
                    self.m,
                    [
                        plane(self.activations, i2, i3),
                        plane(self.weights, w2, w3),
                        plane(self.out, i2, i3),
                    ],
                ));
            }
        }
        Ok(())
    }

    /// How many rows of activations there are in all planes together, if all are
    /// for the same weights and follow each other evenly: then one op does it.
    fn rows_in_one(&self) -> Option<u32> {
        let even = |tensor: &Tensor| {
            let [_, rows, planes2, planes3] = tensor.ne;
            let stride = |index: usize| tensor.nb[index] as i64;
            (planes2 == 1 || stride(2) == rows * stride(1))
                && (planes3 == 1 || stride(3) == rows * planes2 * stride(1))
                // Their stride counts now.
                && (planes2 * planes3 == 1 || tensor.nb[1] >= self.row_bytes_of(tensor))
        };
        let shared = self.weights.ne[2] == 1 && self.weights.ne[3] == 1;
        let [_, rows, planes2, planes3] = self.out.ne;
        (shared && even(self.activations) && even(self.out))
            .then(|| u32::try_from(rows * planes2 * planes3).ok())
            .flatten()
    }

    fn row_bytes_of(&self, tensor: &Tensor) -> usize {
        tensor.ne[0] as usize * F32_BYTES
    }
}

/// Where a plane of a tensor begins, in bytes from the tensor's start.
fn plane(tensor: &Tensor, i2: i64, i3: i64) -> u64 {
    i2 as u64 * tensor.nb[2] as u64 + i3 as u64 * tensor.nb[3] as u64
}
