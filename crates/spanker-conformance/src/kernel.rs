// SPDX-License-Identifier: Apache-2.0
//! Nodes of the kernel driver on the device seam: each call is the system call
//! of that name. A virtual card that this program may make and delete is made
//! anew for every case, with the limits that it had; any other card is used as
//! it is, and has no controls.
//!
//! What only descriptors can be put to is here too: mappings with all that can
//! be done to them, children, signals, and sockets that carry descriptors.

mod child;
mod controls;
mod file;
mod mapping;
pub mod passing;
mod target;
mod thread;

pub use child::Child;
pub use file::KernelFile;
pub use mapping::KernelMapping;
pub use target::Target;
pub use thread::{Thread, Upon};
