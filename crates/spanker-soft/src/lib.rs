// SPDX-License-Identifier: Apache-2.0
//! A software Sail: the ABI of `spanker_ioctl.h`, executed by threads of this
//! process on any CPU.
//!
//! It is a device and not a function. Requests come as a number and bytes, the
//! caller's memory is reached through [`UserMemory`], which can answer EFAULT,
//! work is queued and retires in order while the caller goes on, and each
//! mistake has the errno that the header gives it. What a kernel offers on a
//! descriptor — ioctl, mmap, poll, read, close — [`File`] offers as methods.
//!
//! For typed handles and a matmul API see the crate `spanker`.
//!
//! ```
//! use spanker_soft::{Config, Machine, Slices};
//! use spanker_sys::{spanker_version, Plain, SPANKER_IOC_GET_VERSION};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let machine = Machine::new(Config::default())?;
//! let card = machine.open_card(0)?;
//! let mut version = spanker_version::default();
//! let bytes = version.bytes_mut();
//! let address = bytes.as_ptr() as usize as u64;
//! card.request(&mut Slices::new(bytes), SPANKER_IOC_GET_VERSION, address)?;
//! assert_eq!((version.major, version.minor), (0, 2));
//! # Ok(())
//! # }
//! ```

mod buffer;
mod card;
mod clock;
mod config;
mod engine;
mod event;
mod fault;
mod file;
mod machine;
mod mapping;
mod memory;
mod op;
mod open;
mod request;
mod scheduler;
mod spare;
mod sync;
mod timeline;
mod workspace;

pub use config::{CardConfig, Config, FAULTS_VARIABLE, THREADS_VARIABLE};
pub use engine::{CpuEngine, Crew, Engine, Stop};
pub use fault::{Call, FaultPlan, FaultPlanError, When};
pub use file::File;
pub use machine::Machine;
pub use mapping::{Mapping, Protection, Sharing};
pub use memory::{BadAddress, ProcessMemory, Slices, UserMemory};
pub use op::Op;
pub use open::PollBits;
