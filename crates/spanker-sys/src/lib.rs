// SPDX-License-Identifier: Apache-2.0
//! The Rust mirror of `spanker_ioctl.h`, the ABI that Sails speak on
//! `/dev/spankerctl` and `/dev/spanker0…`: structs, constants and request codes
//! under their C names, and [`Plain`], which shows them as bytes. The header's own text is the
//! documentation; it is shown in [`header`].
//!
//! For typed handles and a matmul API see the crate `spanker`.
//!
//! ```
//! use spanker_sys::{spanker_version, SPANKER_IOC_GET_VERSION};
//!
//! assert_eq!(spanker_sys::ioc_size(SPANKER_IOC_GET_VERSION), core::mem::size_of::<spanker_version>());
//! ```
//!
//! # Where the mirror comes from
//!
//! With the feature `bindgen` (on by default) and a libclang at hand, the build
//! script makes it from the header. Otherwise it is the committed file, which
//! is accepted only for the very header it was made from; with a changed header
//! the build stops and says what to install. [`ORIGIN`] tells which it was. (A
//! libclang that is installed later is noticed when the crate is built anew.)
//! `SPANKER_SYS_BINDGEN=require` and `SPANKER_SYS_BINDGEN=never` in the
//! environment of the build force one of them.
//!
//! # For build scripts of dependents
//!
//! A crate that depends on this one directly finds the folder to compile C
//! against in the variable `DEP_SPANKER_INCLUDE` of its build script:
//! `#include <linux/spanker_ioctl.h>` works with that folder on the path. (Only
//! a direct dependency hands it on.) The folder `examples/c-program` of the
//! repository has such a build script, and a C program.

#![no_std]

mod ioc;
mod layout;
mod plain;
#[allow(
    missing_docs,
    non_camel_case_types,
    unreachable_pub,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks
)]
// Lints of the generated text are not this crate's to mend.
mod mirror {
    include!(env!("SPANKER_SYS_MIRROR"));
}

pub use ioc::{ioc, ioc_dir, ioc_nr, ioc_size, ioc_type, IOC_NONE, IOC_READ, IOC_WRITE};
pub use mirror::*;
pub use plain::Plain;

/// How this build got its mirror: `bindgen`, made from the header by the build
/// script, or `committed`, the file that comes with the crate.
pub const ORIGIN: &str = env!("SPANKER_SYS_ORIGIN");

/// The text of `spanker_ioctl.h`, which specifies the ABI.
///
/// ```c
#[doc = include_str!("../include/uapi/linux/spanker_ioctl.h")]
/// ```
pub mod header {
    /// The header as it is compiled against, byte for byte.
    pub const TEXT: &str = include_str!("../include/uapi/linux/spanker_ioctl.h");
}
