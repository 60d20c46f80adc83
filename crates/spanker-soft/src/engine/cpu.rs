// SPDX-License-Identifier: Apache-2.0
//! The engine that computes on this CPU.

use super::{copy, matmul, Crew, Engine, Stop};
use crate::op::{Op, Work};
use spanker_kernels::Kernel;

/// What an op takes whatever its size, about, in ns.
const OP_NS: u64 = 200;

/// Computes with the fastest kernel that this CPU can run. All kernels give the
/// same bits.
#[derive(Clone, Copy)]
pub struct CpuEngine {
    kernel: &'static dyn Kernel,
}

impl std::fmt::Debug for CpuEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuEngine").field("kernel", &self.kernel.name()).finish()
    }
}

impl Default for CpuEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl CpuEngine {
    /// With the fastest kernel.
    pub fn new() -> Self {
        Self { kernel: spanker_kernels::best() }
    }

    /// With the kernel of this name, if this CPU can run it.
    pub fn with_kernel(name: &str) -> Option<Self> {
        let kernel = spanker_kernels::all().iter().copied().find(|kernel| kernel.name() == name)?;
        Some(Self { kernel })
    }

    /// The names of the kernels that this CPU can run, the slowest first.
    pub fn kernels() -> Vec<&'static str> {
        spanker_kernels::all().iter().map(|kernel| kernel.name()).collect()
    }

    fn ns(&self, op: &Op) -> u64 {
        op.work.ns(self.kernel.macs_per_ns()).saturating_add(OP_NS)
    }

    /// The name of the kernel in use.
    pub fn kernel(&self) -> &'static str {
        self.kernel.name()
    }
}

impl Engine for CpuEngine {
    fn run(&self, op: &Op, crew: &mut Crew<'_>) -> Result<(), Stop> {
        crew.expect(self.ns(op));
        match &op.work {
            Work::Matmul(matmul) => matmul::run(matmul, op.seqno, self.kernel, crew),
            Work::Copy(copy) => copy::run(copy, crew),
        }
    }
}
