// SPDX-License-Identifier: Apache-2.0
//! Ops of a batch that take the same F32 `a` quantise it once.

use super::device::Device;
use super::operands::{operand, Contents};
use super::script::Script;
use spanker_kernels::random::Random;
use spanker_kernels::{
    ActivationQ4K, ActivationQ8K, BlockQ4K, FloatEnvironment, Kernel, Scratch, SharedRows,
};
use spanker_sys::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A kernel that counts the superblocks it quantises.
#[derive(Debug)]
struct Counting {
    kernel: &'static dyn Kernel,
    quantised: AtomicUsize,
}

impl Kernel for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn macs_per_ns(&self) -> u64 {
        self.kernel.macs_per_ns()
    }

    fn quantise_row(&self, x: &[f32], out: &mut [ActivationQ8K]) {
        self.quantised.fetch_add(out.len(), Ordering::Relaxed);
        self.kernel.quantise_row(x, out);
    }

    fn tile_q8_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ8K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        self.kernel.tile_q8_k(scratch, a, b, acc);
    }

    fn tile_q4_k(
        &self,
        scratch: &mut Scratch,
        a: &[ActivationQ4K],
        b: SharedRows<'_, BlockQ4K>,
        acc: &mut [f32],
    ) {
        self.kernel.tile_q4_k(scratch, a, b, acc);
    }
}

#[test]
fn ops_of_a_batch_quantise_the_a_that_they_share_once() {
    const M: usize = 70;
    const N: [usize; 3] = [17, 300, 1];
    const BLOCKS: usize = 2;
    const K: usize = BLOCKS * SPANKER_QK_K as usize;

    let _ieee = FloatEnvironment::ieee();
    let mut random = Random(4242);
    let mut script = Script::default();
    let mut operand_of = |type_, rows, elements| {
        operand(&mut script, &mut random, Contents::Numbers, type_, (rows, elements))
    };
    let a = operand_of(SPANKER_TYPE_F32, M, K);
    let ops = N.map(|n| spanker_op {
        opcode: SPANKER_OPCODE_MATMUL,
        m: M as u32,
        n: n as u32,
        k: K as u32,
        a,
        b: operand_of(SPANKER_TYPE_Q4_K, n, K),
        out: operand_of(SPANKER_TYPE_F32, M, n),
        ..Default::default()
    });
    let other = spanker_op { a: operand_of(SPANKER_TYPE_F32, M, K), ..ops[0] };

    for (batch, quantised) in [
        (&ops[..], M * BLOCKS),
        // Another `a` in between, and the first again.
        (&[ops[0], other, ops[0]], 3 * M * BLOCKS),
        // As many rows, of fewer elements.
        (&[ops[0], spanker_op { k: SPANKER_QK_K, ..ops[0] }], M * BLOCKS + M),
    ] {
        let kernel = Counting { kernel: spanker_kernels::best(), quantised: AtomicUsize::new(0) };
        let kernel: &'static Counting = Box::leak(Box::new(kernel));
        let device = [Device::with_kernel(kernel)];
        let mut script = Script { buffers: script.buffers.clone(), ..Script::default() };
        script.batch(batch);
        script.check(&device, "shared a");
        assert_eq!(kernel.quantised.load(Ordering::Relaxed), quantised);
    }
}
