// SPDX-License-Identifier: Apache-2.0
//! What the build script has had compiled for this target, and linked.

use crate::bytes::{InC, InRust};
use spanker_layouts::header::Header;
use spanker_layouts::{rust_source, Answers};

// Written by the build script: how many QUESTIONS and STRUCTS the header has; the
// MIRRORS; what C++ and ggml say (CPP, GGML), and what bindgen asserts of layouts
// (BINDGEN), or what is missing for that; and what compiles for this target.
include!(concat!(env!("OUT_DIR"), "/compiled.rs"));

/// A mirror as rustc compiled it here.
#[derive(Debug)]
pub struct Mirror {
    /// Which it is, as in `8 bytes for WHO`.
    pub who: &'static str,
    /// It is the one that spanker-sys was compiled with.
    pub in_use: bool,
    /// What bindgen wrote.
    pub text: &'static str,
    answers: &'static [u64],
    /// How its structs are exchanged with C, in the order of the header.
    pub exchanges: &'static [InRust],
}

impl Mirror {
    /// What rustc says about it.
    ///
    /// # Errors
    /// The build script and this have read different headers.
    pub fn answers(&self, header: &Header) -> Result<Answers, String> {
        Answers::new(
            format!("rustc with {}", self.who),
            &rust_source::questions(header),
            self.answers,
        )
    }
}

/// The header that this was compiled with, by name.
///
/// # Errors
/// It is not understood.
pub fn header() -> Result<Header, String> {
    Header::parse(spanker_sys::header::TEXT).map_err(|e| e.to_string())
}

extern "C" {
    static spanker_layout_facts: [u64; QUESTIONS];
    static spanker_layout_exchanges: [InC; STRUCTS];
    static spanker_layout_encoding: [u32; 4];
}

/// What the C compiler says, in the table that is linked here.
///
/// # Errors
/// The build script and this have read different headers.
pub fn c(header: &Header) -> Result<Answers, String> {
    // SAFETY: an array in C that is never written.
    Answers::new("C", &header.questions(), unsafe { &spanker_layout_facts })
}

/// What C does with each struct, in the order of the header.
pub fn exchanges() -> &'static [InC] {
    // SAFETY: an array in C that is never written.
    unsafe { &spanker_layout_exchanges }
}

/// `_IOC_NONE`, `_IOC_READ`, `_IOC_WRITE` and `_IOC_SIZEBITS` of the kernel's
/// headers for this target.
pub fn encoding() -> [u32; 4] {
    // SAFETY: an array in C that is never written.
    unsafe { spanker_layout_encoding }
}
