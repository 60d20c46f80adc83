// SPDX-License-Identifier: Apache-2.0
//! Sails are accelerator cards for products of int4 matrices, the work that
//! language models spend their time on. This crate opens them, holds matrices
//! in their memory, and submits work to them: to a card behind the kernel
//! driver, or to the software Sail, which executes the same requests on any
//! CPU and gives the same bits. No card is needed to begin.
//!
//! # One product
//!
//! ```
//! use spanker::{Matmul, Sail, F32, Q4K};
//!
//! # fn main() -> Result<(), spanker::Error> {
//! let sail = Sail::software()?; // or Sail::from_environment(), Sail::open(0)
//!
//! // 8 rows of 256 weights, as they are in a GGUF file: 144 bytes a row.
//! let weights = sail.upload_bytes::<Q4K>(8, 256, &[0x27; 8 * 144])?;
//! // 2 rows of activations.
//! let x = sail.upload::<F32>(2, 256, &[0.5; 2 * 256])?;
//!
//! // out = x · weightsᵀ: 2 rows of 8
//! let out = sail.matrix::<F32>(2, 8)?;
//! let pending = sail.submit(Matmul::new(&x, &weights, out))?;
//! let out = pending.wait()?;
//! println!("{:?}", out.to_vec()?);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Sail`] is one open of a card, with a queue of its own. A [`Matrix`] is
//! memory on it, with a shape and an element type: [`F32`], [`Q4K`] or [`Q8K`].
//! [`Sail::submit`] comes back at once with a [`Pending`], and the card works
//! while the program goes on.
//!
//! # Many products
//!
//! | for | there is |
//! |---|---|
//! | the same weights, activations one after another | [`Ring`]: slots that are written and read while others are in flight |
//! | several products in one submission, one reading another's result | [`Batch`], which can be filled again without allocating |
//! | products larger than the card takes in one op | nothing to do: they are split, with the same bits |
//! | data that only the card needs to reach | [`Placement::Device`] and [`Copy`](struct@Copy) |
//!
//! Weights are uploaded once and stay on the card until their matrix is dropped.
//! What a card offers is told by [`Sail::caps`] and [`Sail::info`].
//!
//! # What may be touched when
//!
//! The device works on matrices where they are, while the program goes on:
//!
//! - What an op *writes* is moved into the work and comes back from
//!   [`Pending::wait`]. A program cannot reach it in between.
//! - What an op *reads* is borrowed until the work is submitted. After that it
//!   can be read, and used by more work, but not written before the work has
//!   completed: [`Error::InFlight`].
//! - [`View`] and [`ViewMut`] show a matrix without a copy, under the same
//!   rules.
//!
//! Work completes in the order in which it was submitted to its Sail. A Sail can
//! be shared between threads; for work that does not wait for each other, open
//! the card more than once.
//!
//! # Waiting
//!
//! [`Pending::wait`] blocks, [`Pending::wait_timeout`] and
//! [`Pending::try_wait`] hand the work back when it is not done. For an event
//! loop of the program's own a Sail is a descriptor: see [`Sail::completed`].
//!
//! With the feature `tokio`, a [`Pending`] is a future. Any number is awaited at
//! once on one thread, and no other thread is started:
//!
//! ```
//! # #[cfg(all(feature = "tokio", feature = "soft"))]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), spanker::Error> {
//! use spanker::{Matmul, Sail, F32, Q4K};
//!
//! let sail = Sail::software()?;
//! let weights = sail.upload_bytes::<Q4K>(8, 256, &[0x27; 8 * 144])?;
//! let x = sail.upload::<F32>(2, 256, &[0.5; 2 * 256])?;
//! let first = sail.submit(Matmul::new(&x, &weights, sail.matrix(2, 8)?))?;
//! let second = sail.submit(Matmul::new(&x, &weights, sail.matrix(2, 8)?))?;
//! let (first, second) = tokio::try_join!(first, second)?;
//! assert_eq!(first.to_vec()?, second.to_vec()?);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "tokio", feature = "soft")))]
//! # fn main() {}
//! ```
//!
//! # When something goes wrong
//!
//! An [`Error`] says in one line what was required, what was given, and what to
//! do. Work that is refused is handed back whole in [`Refused`]; nothing of it
//! has run. When an op fails on the device ([`Error::Fault`]), what follows it
//! on this open is cancelled, and the Sail is opened again to go on; matrices of
//! the old open can still be read.
//!
//! Two questions are enough for a program that goes on by itself.
//! [`Error::is_queue_full`]: take a result, and submit what was handed back
//! again. [`Error::needs_reopening`]: first collect what is in flight, since
//! batches before the one that failed still have their results; then open the
//! Sail again, upload the weights again (from `old.view()?.bytes()`), and do what
//! is left. The examples `errors` and `errors_tokio` do so.
//!
//! The software Sail fails on purpose, so that this can be tested: with a plan
//! of faults in the environment variable `SPANKER_SOFT_FAULTS`, or in a machine
//! of the program's own. The crate `spanker_soft` is re-exported;
//! [`FaultPlan`](spanker_soft::FaultPlan) has all rules.
//!
//! ```
//! # #[cfg(feature = "soft")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use spanker::spanker_soft::{Config, Machine};
//! use spanker::{Error, Matmul, Sail, F32, Q4K};
//!
//! // The first batch fails at its op 0, and no other.
//! let machine = Machine::new(Config { faults: "batch#1".parse()?, ..Config::default() })?;
//! let sail = Sail::on_machine(&machine, 0)?;
//! let (x, weights) = (sail.matrix::<F32>(1, 256)?, sail.matrix::<Q4K>(8, 256)?);
//! let pending = sail.submit(Matmul::new(&x, &weights, sail.matrix(1, 8)?))?;
//! assert!(matches!(pending.wait(), Err(Error::Fault { seqno: 1, op: 0, .. })));
//!
//! // Again: a new open, and the weights taken along.
//! let sail = Sail::on_machine(&machine, 0)?;
//! let weights = sail.upload_bytes::<Q4K>(8, 256, weights.view()?.bytes())?;
//! let x = sail.matrix::<F32>(1, 256)?;
//! sail.submit(Matmul::new(&x, &weights, sail.matrix(1, 8)?))?.wait()?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "soft"))]
//! # fn main() {}
//! ```
//!
//! # The software Sail
//!
//! [`Sail::software`] opens one with limits that are out of the way and the
//! fastest engine for this CPU. [`Sail::from_environment`] opens the Sail that
//! `SPANKER_SAIL` names (`soft`, a card's index, or the path of a node), without
//! it the first card there is, and without a card the software Sail.
//! `SPANKER_SOFT_THREADS` says how many threads it computes with. These
//! variables are read where the program opens a Sail in one of these two ways,
//! and nowhere else.
//!
//! In debug builds it is very much slower: build with `--release`, or set
//! `opt-level = 3` in `[profile.dev.package.spanker-kernels]` of your Cargo.toml.
//!
//! # What passed
//!
//! A [`Recorder`] wraps a Sail and writes all requests down, with sizes, times
//! and operands; [`replay`](replay()) or the command `spanker replay` runs the
//! record again, on this Sail or another, and compares results bit for bit. Both
//! are of the feature `record`.
//!
//! # Examples
//!
//! The folder `examples` of this crate has a program for each task, most of them
//! twice, blocking and with tokio: `cargo run --release -p spanker --example
//! hello`.
//!
//! # Features
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `bindgen` | on | the mirror of the ABI is made from the C header where libclang is there; nothing is missing without |
//! | `record` | off | [`Recorder`] and [`replay`](replay()), and with them serde_json |
//! | `soft` | on | the software Sail |
//! | `tokio` | off | a [`Pending`] can be awaited in a tokio runtime |
//!
//! With none of them, what remains is for cards behind the driver.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(all(feature = "record", feature = "soft")), allow(rustdoc::broken_intra_doc_links))]

mod abi_version;
mod batch;
mod control;
mod copy;
mod element;
mod error;
mod info;
mod matmul;
mod matrix;
mod open;
mod pending;
#[cfg(feature = "record")]
mod record;
mod ring;
mod sail;
mod sail_name;
#[cfg(feature = "soft")]
mod software;
mod split;
mod transport;
mod view;
#[cfg(feature = "tokio")]
mod waiters;
mod work;

#[cfg(feature = "soft")]
pub use spanker_soft;
pub use spanker_sys::ORIGIN as MIRROR_ORIGIN;

pub use abi_version::{AbiVersion, ABI_VERSION_MAJOR, ABI_VERSION_MINOR, ABI_VERSION_PATCH};
pub use batch::Batch;
pub use control::{SpankerControl, CONTROL_DEVICE_PATH};
pub use copy::Copy;
pub use element::{Activation, BlockQ4K, BlockQ8K, Element, F32, Q4K, Q8K};
pub use error::{Error, Operand, Request, Shape};
pub use info::{DeviceInfo, MatmulCap, PciDevice, Telemetry, Uuid};
pub use matmul::Matmul;
pub use matrix::Matrix;
pub use pending::{Pending, Progress};
#[cfg(feature = "record")]
pub use record::replay::{replay, Difference, ReplayError, Replayed};
#[cfg(feature = "record")]
pub use record::Recorder;
pub use ring::Ring;
pub use sail::Sail;
pub use sail_name::{SailName, SAIL_VARIABLE};
pub use transport::Placement;
pub use view::{View, ViewMut};
pub use work::{Refused, Results, Work};
