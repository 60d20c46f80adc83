// SPDX-License-Identifier: Apache-2.0
//! What the compilers of a target make of a user API header and of its Rust
//! mirrors, asked without running anything: for the build script of
//! `spanker-layout-tests`, and for its tests, which put this to the test.
//!
//! [`Header`](header::Header) has the names that the header declares, and no
//! number. From them come the [questions](question), and from these the
//! [C](c_source) and the [Rust](rust_source) that the [compilers] answer in an
//! array, which is read from the [object file](object_file). [`Answers`] are
//! compared with each other, and with what bindgen [wrote](mirror_text).

pub mod answers;
pub mod c_source;
pub mod compilers;
pub mod encoding;
pub mod ggml;
pub mod header;
pub mod mirror_text;
pub mod object_file;
pub mod question;
pub mod rust_source;

pub use answers::Answers;
