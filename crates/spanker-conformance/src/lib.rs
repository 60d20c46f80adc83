// SPDX-License-Identifier: Apache-2.0
//! One black-box suite for every device that speaks the ABI of
//! `spanker_ioctl.h`.
//!
//! A device is put to the suite through the [device seam](device), which is as
//! raw as the system calls: open, ioctl, mmap, poll, read, close. Every
//! [case](case::Case) holds a device to a sentence of the header, which stands
//! above the case. The arithmetic is compared with a [scalar text](text) written
//! from the header alone and with constants worked out in exact rationals.
//!
//! ```
//! use std::time::Duration;
//! use spanker_conformance::run::{run, Outcome};
//!
//! let case = spanker_conformance::cases()
//!     .into_iter()
//!     .find(|case| case.full_name() == "version/names_the_version_of_the_header")
//!     .expect("it is in the suite");
//! let outcome = run(case, spanker_conformance::soft::make, Duration::from_secs(60));
//! assert_eq!(outcome, Outcome::Passed);
//! ```
//!
//! # Adding a case
//!
//! Write a function that takes a [`Context`](case::Context) into the file of its
//! subject below `cases`, name it after the behaviour, put the sentence of the
//! header above it, and add its name to the table at the top of the file and to
//! that sentence in `sentences.md`, which `tests/sentences.rs` asks for. It
//! panics where the device does otherwise. What not every device has, the table
//! names as a [need](case::Need) of the cases after it: a control, or
//! descriptors, which only the kernel gives. Every other field of a request that
//! is to be refused must be valid, so that one mistake has one answer.

pub mod blocks;
pub mod busy;
pub mod case;
mod cases;
pub mod device;
pub mod kernel;
pub mod open;
pub mod ops;
pub mod pages;
pub mod product;
pub mod random;
pub mod run;
pub mod soft;
pub mod text;
pub mod user_bytes;
pub mod wire;

pub use cases::cases;
