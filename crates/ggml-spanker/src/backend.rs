// SPDX-License-Identifier: Apache-2.0
//! The C face: what ggml sees of `libggml_spanker.so`.
//!
//! ggml opens the library, asks [`ggml_backend_score`] whether it is of use and
//! [`ggml_backend_init`] for its devices, and from then on calls what the tables
//! in there point to. There is one device for each Sail.
//!
//! | file | what is in it |
//! |---|---|
//! | `ggml.rs` | the structs of ggml that pass the boundary, mirrored |
//! | `host.rs` | the functions of the ggml that loaded this, found late |
//! | `boundary.rs` | no panic goes out |
//! | `registry.rs` | the devices there are |
//! | `device.rs` | one device: what it is and which ops it takes |
//! | `sails.rs` | which Sails are meant |
//! | `buffer.rs` | ggml's buffers, in memory of the Sail |
//! | `stream.rs` | one user of a device: graphs are computed |
//! | `product.rs` | the ops that a MUL_MAT comes to |
//! | `split.rs` | the same, as large as the Sail takes |
//! | `card.rs` | the Sail, by requests of the ABI |
//! | `statistics.rs` | what was computed, as one line |

mod boundary;
mod buffer;
mod card;
mod device;
mod ggml;
mod host;
mod product;
mod registry;
mod sails;
mod split;
mod statistics;
mod stream;
#[cfg(test)]
mod tests;

use std::ffi::{c_int, c_void};
use std::ptr;

/// For ggml: whether this library is of use to the ggml that opened it; 0 if
/// not.
#[no_mangle]
pub(crate) extern "C" fn ggml_backend_score() -> c_int {
    boundary::guard(|| 0, || host::find().is_ok().into())
}

/// For ggml: the devices, or NULL if there are none for this ggml.
#[no_mangle]
pub(crate) extern "C" fn ggml_backend_init() -> *const c_void {
    boundary::guard(ptr::null, || registry::registry().cast())
}
