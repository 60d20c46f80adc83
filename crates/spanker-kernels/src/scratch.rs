// SPDX-License-Identifier: Apache-2.0

//! The memory a thread keeps between tiles.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use super::avx2;
#[cfg(spanker_avx512)]
use super::avx512;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
use super::neon;
use super::portable;

/// Private panels of unpacked operands, reused from tile to tile.
///
/// Each worker owns one. It has room for every kernel from the beginning, which costs address space
/// and no more where a kernel is not used; all parts together stay below 1 MiB.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Panels of the portable kernel.
    pub(super) portable: portable::Panels,
    /// Panels of the AVX2 kernel.
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    pub(super) avx2: avx2::Panels,
    /// Panels of the AVX-512 kernel.
    #[cfg(spanker_avx512)]
    pub(super) avx512: avx512::Panels,
    /// Panels of the NEON kernels.
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    pub(super) neon: neon::Panels,
}

impl Scratch {
    /// The bytes it holds.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let bytes = self.portable.bytes();
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let bytes = bytes + self.avx2.bytes();
        #[cfg(spanker_avx512)]
        let bytes = bytes + self.avx512.bytes();
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        let bytes = bytes + self.neon.bytes();
        bytes
    }
}
