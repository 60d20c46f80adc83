// SPDX-License-Identifier: Apache-2.0
//! Holds `spanker_ioctl.h`, as C compilers see it, against its Rust mirrors, as
//! rustc sees them.
//!
//! ```sh
//! cargo test -p spanker-layout-tests          # it takes a C compiler
//! cargo xtask test ggml                       # the block formats against ggml's
//! ```
//!
//! # What is compared
//!
//! | of each | by a C and a C++ compiler | by rustc, for each mirror |
//! |---|---|---|
//! | struct | size, alignment | the same |
//! | field | offset, size, size of an element, sign | the same |
//! | constant | value, sign | the same |
//! | request | code, direction, type, number, size | code, size of the struct it carries |
//!
//! The crate `spanker-layouts` reads from the header which structs, fields,
//! constants and requests there are, and nothing else, so what is added to the
//! header is compared without an edit here. The compilers have the numbers; the
//! C ones have them with the kernel's own `<linux/types.h>` and
//! `<linux/ioctl.h>`, and not with the stand-ins that bindgen is given. What
//! bindgen wrote is compared with theirs: every constant and request code, and
//! with a libclang at hand the layouts that it asserts. The mirrors are the one
//! that `spanker-sys` is compiled with, and every committed one; of a mirror for
//! targets that encode request codes otherwise, the codes are compared taken
//! apart.
//!
//! # How a failure looks
//!
//! The build script stops where C and a mirror differ, before any test. First
//! come names that only one of them has:
//!
//! ```text
//! struct spanker_wait, field priority: in the header and not in the committed asm_generic.rs
//! ```
//!
//! then static asserts, compiled as C11 and as C++17:
//!
//! ```text
//! static assertion failed: "struct spanker_wait, field flags: at byte 16 for rustc with the
//! mirror in use, and not for this compiler"
//! ```
//!
//! Which of the two is right, the header's text says. If it is the header,
//! `cargo xtask mirror` makes the mirrors again. A message that a line of the
//! header `is not understood` means that the header has a declaration of a kind
//! it had not before, and that `spanker-layouts` has to learn it: it passes
//! nothing over.
//!
//! # Elsewhere than on this machine
//!
//! The build script compiles for the target and runs nothing, so the crate can
//! be cross-compiled: the tests `facts` and `bytes` then run on the target, with
//! the tables that are linked into them. The tests `changes` change a copy of
//! the header and ask the compilers again, which are only on the machine that
//! built this: cross-compiled, one line says that they are skipped. So does a
//! line where the target has no C++ compiler.

pub mod bytes;
pub mod compiled;
pub mod native;
