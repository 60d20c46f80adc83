// SPDX-License-Identifier: Apache-2.0
//! A copy of the header, or of a mirror, is changed, and the compilers are asked
//! again: what is added is compared without an edit, and what has drifted is
//! named. The compilers are on the machine that built this, so what asks them is
//! compiled for that machine only.

#[cfg(native)]
mod additions;
#[cfg(native)]
mod drift_of_layouts;
#[cfg(native)]
mod drift_of_numbers;
#[cfg(native)]
mod ggml_blocks;
mod not_understood;
#[cfg(native)]
mod scene;

#[cfg(not(native))]
#[test]
#[ignore = "SKIPPED: the compilers are on the machine that built this: run it without --target"]
fn changes_are_asked_about() {}
