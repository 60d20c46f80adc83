// SPDX-License-Identifier: Apache-2.0

//! The float environment that the ABI's arithmetic assumes.

use std::marker::PhantomData;

/// Holds the calling thread in IEEE-754's default environment: rounding to nearest, ties to even,
/// subnormals kept, no exception trapped. Dropping it restores what was there, so of several on a
/// thread the last is to be dropped first.
///
/// A thread inherits its creator's environment, and a host program may well have asked for another
/// rounding or for subnormals as zero; so workers hold this guard for their lives and a caller's
/// thread for as long as it computes.
///
/// The compiler knows nothing of this state and may move a float operation past the guard. It may
/// not move a call whose body it cannot see: what must be exact belongs behind one, such as a
/// method of `&dyn Kernel`. The guard's own functions are never inlined for the same reason.
///
/// On targets other than x86 with SSE and aarch64 the guard does nothing: there the environment is
/// what the thread was given, IEEE-754's default unless someone changed it.
#[derive(Debug)]
pub struct FloatEnvironment {
    saved: control::Word,
    /// The state belongs to one thread, so the guard must not leave it.
    _thread: PhantomData<*const ()>,
}

impl FloatEnvironment {
    /// Enters the default environment.
    #[inline(never)]
    #[must_use = "dropping the guard restores the environment"]
    pub fn ieee() -> Self {
        let saved = control::read();
        // SAFETY: this is the environment that Rust itself assumes.
        unsafe { control::write(control::IEEE) };
        Self { saved, _thread: PhantomData }
    }
}

impl Drop for FloatEnvironment {
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: the thread ran in this environment before the guard; the guard never left the
        // thread.
        unsafe { control::write(self.saved) };
    }
}

/// MXCSR.
#[cfg(all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse"))]
mod control {
    use std::arch::asm;

    pub(super) type Word = u32;

    /// Every exception masked; no flag, rounding to nearest, neither FTZ nor DAZ.
    pub(super) const IEEE: Word = 0x1f80;

    pub(super) fn read() -> Word {
        let mut word = 0;
        // SAFETY: stores MXCSR's 4 bytes to `word`, and nothing else.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack, preserves_flags));
        }
        word
    }

    /// # Safety
    /// `word` is [`IEEE`] or what [`read`] returned on this thread. Code compiled for the default
    /// environment runs in it.
    pub(super) unsafe fn write(word: Word) {
        // SAFETY: loads MXCSR from the 4 bytes of `word`; by the caller's promise no reserved bit
        // is set, which would fault.
        unsafe {
            asm!("ldmxcsr [{}]", in(reg) &word, options(nostack));
        }
    }

    /// Exceptions masked, FTZ, DAZ, rounding down.
    #[cfg(test)]
    pub(super) const HOSTILE: Word = 0x1f80 | 0x8040 | 0x2000;

    /// The bits that computing sets by itself.
    #[cfg(test)]
    pub(super) const FLAGS: Word = 0x3f;
}

/// FPCR.
#[cfg(target_arch = "aarch64")]
mod control {
    use std::arch::asm;

    pub(super) type Word = u64;

    /// Rounding to nearest, no flushing of inputs or outputs, no trap.
    pub(super) const IEEE: Word = 0;

    pub(super) fn read() -> Word {
        let word;
        // SAFETY: reads a register that user mode may read.
        unsafe {
            asm!("mrs {}, fpcr", out(reg) word, options(nostack, preserves_flags));
        }
        word
    }

    /// # Safety
    /// `word` is [`IEEE`] or what [`read`] returned on this thread. Code compiled for the default
    /// environment runs in it.
    pub(super) unsafe fn write(word: Word) {
        // SAFETY: writes a register that user mode may write; by the caller's promise no reserved
        // bit is set.
        unsafe {
            asm!("msr fpcr, {}", in(reg) word, options(nostack));
        }
    }

    /// FZ, rounding towards minus infinity.
    #[cfg(test)]
    pub(super) const HOSTILE: Word = 1 << 24 | 2 << 22;

    /// None: the flags are in FPSR.
    #[cfg(test)]
    pub(super) const FLAGS: Word = 0;
}

/// No control that this crate knows.
#[cfg(not(any(
    all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse"),
    target_arch = "aarch64"
)))]
mod control {
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Word;

    pub(super) const IEEE: Word = Word;

    pub(super) fn read() -> Word {
        Word
    }

    /// # Safety
    /// None is needed; the other targets' functions need some.
    pub(super) unsafe fn write(_: Word) {}
}

#[cfg(all(
    test,
    any(
        all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse"),
        target_arch = "aarch64"
    )
))]
mod tests {
    use std::hint::black_box;

    use crate::BlockQ4K;

    use super::{control, FloatEnvironment};
    use crate::SharedRows;
    use crate::{all, ActivationQ4K, ActivationQ8K, Kernel, Scratch};

    /// Bits that depend on rounding, on subnormal operands and on subnormal results.
    #[inline(never)]
    fn sensitive_bits(kernel: &dyn Kernel) -> Vec<u32> {
        let mut x = [0.0; 512];
        for (j, x) in x.iter_mut().enumerate() {
            *x = 1.0 / (j + 3) as f32;
        }
        // The second superblock's d is subnormal.
        for x in &mut x[256..] {
            *x *= 2e-36;
        }
        let mut a = [ActivationQ8K::ZERO; 2];
        kernel.quantise_row(black_box(&x), &mut a);
        let mut bits: Vec<u32> = a.iter().map(|block| block.d.to_bits()).collect();
        bits.extend(a.iter().flat_map(|block| block.qs).map(|q| q as u32));

        let b = BlockQ4K { d: 0x2e66, dmin: 0x0003, scales: [0x5d; 12], qs: [0xb7; 128] };
        let mut scratch = Scratch::default();
        for block in a {
            let mut acc = [0.0];
            kernel.tile_q8_k(&mut scratch, &[block], SharedRows::of(&[b], 1), &mut acc);
            kernel.tile_q4_k(
                &mut scratch,
                &[ActivationQ4K::new(&b)],
                SharedRows::of(&[b], 1),
                &mut acc,
            );
            bits.push(acc[0].to_bits());
        }
        bits
    }

    #[test]
    fn the_guard_gives_the_same_bits_in_a_hostile_environment_and_restores_it() {
        for kernel in all() {
            let expected = sensitive_bits(*kernel);
            let default = control::read();

            // SAFETY: the environment is put back before anything but `sensitive_bits` computes.
            unsafe { control::write(control::HOSTILE) };
            let unguarded = sensitive_bits(*kernel);
            let guard = FloatEnvironment::ieee();
            let guarded = sensitive_bits(*kernel);
            drop(guard);
            let after = control::read();
            // SAFETY: what `read` returned on this thread.
            unsafe { control::write(default) };

            let name = kernel.name();
            assert_eq!(guarded, expected, "{name}");
            assert_ne!(unguarded, expected, "{name}: bits that no environment changes");
            assert_eq!(after & !control::FLAGS, control::HOSTILE, "{name}");
        }
    }
}
