// SPDX-License-Identifier: Apache-2.0
//! Sails are accelerator cards for products of int4 matrices, the work that
//! language models spend their time on. This crate opens them, holds matrices
//! in their memory, and submits work to them: to a card behind the kernel
//! driver, or to the software Sail, which executes the same requests on any
//! CPU and gives the same bits.
//!
//! ```
//! use spanker::{Matmul, Sail, F32, Q4K};
//!
//! # fn main() -> Result<(), spanker::Error> {
//! let sail = Sail::software()?; // or Sail::from_environment(), Sail::open(0)
//!
//! // 8 rows of 256 weights, as they are in a GGUF file: 144 bytes a row.
//! let weights = sail.upload_bytes::<Q4K>(8, 256, &[0x11; 8 * 144])?;
//! // 2 rows of activations.
//! let x = sail.upload::<F32>(2, 256, &[0.5; 2 * 256])?;
//!
//! // out = x · weightsᵀ
//! let out = sail.matrix::<F32>(2, 8)?;
//! let pending = sail.submit(Matmul::new(&x, &weights, out))?;
//! let out = pending.wait()?;
//! println!("{:?}", out.to_vec()?);
//! # Ok(())
//! # }
//! ```
//!
//! Several products at once, one reading another's result, are a [`Batch`].
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
//! # Threads
//!
//! A [`Sail`] can be shared between threads; work completes in the order it
//! was submitted. For work that does not wait for each other, open the card
//! more than once.
//!
//! # The software Sail
//!
//! [`Sail::software`] opens one with limits that are out of the way and the
//! fastest engine for this CPU. For others, and to have work fail on purpose,
//! make a machine with the crate `spanker_soft`, which is re-exported, and open
//! its cards with `Sail::on_machine`:
//!
//! ```
//! # #[cfg(feature = "soft")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use spanker::spanker_soft::{Config, Machine};
//! use spanker::Sail;
//!
//! // The second batch of every open fails at its op 0.
//! let faults = "batch#2*".parse()?;
//! let machine = Machine::new(Config { faults, ..Config::default() })?;
//! let sail = Sail::on_machine(&machine, 0)?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "soft"))]
//! # fn main() {}
//! ```
//!
//! In debug builds it is very much slower: build with `--release`, or set
//! `opt-level = 3` in `[profile.dev.package.spanker-soft]` of your Cargo.toml.
//!
//! # Features
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `bindgen` | on | the mirror of the ABI is made from the C header where libclang is there |
//! | `soft` | on | the software Sail |

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
mod sail;
mod sail_name;
#[cfg(feature = "soft")]
mod software;
mod transport;
mod view;
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
pub use sail::Sail;
pub use sail_name::{SailName, SAIL_VARIABLE};
pub use transport::Placement;
pub use view::{View, ViewMut};
pub use work::{Refused, Work};
