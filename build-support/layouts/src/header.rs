// SPDX-License-Identifier: Apache-2.0
//! What a user API header declares, by name. No number is read from it: sizes,
//! offsets and values are left to the compilers. Nothing is passed over either:
//! a line that is not understood is an error that tells its number, so that a
//! declaration cannot go unchecked.

mod declarations;
mod directives;
mod lines;

use std::fmt;

/// The names that a header declares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// Its structs, in order.
    pub structs: Vec<Struct>,
    /// Its macros that stand for a value, in order.
    pub constants: Vec<String>,
    /// Its macros that stand for a request code, in order.
    pub requests: Vec<Request>,
}

/// A struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struct {
    /// Its tag.
    pub name: String,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in C.
    pub name: String,
    /// The tag of the struct that it, or each of its elements, is; `None` for a
    /// number.
    pub record: Option<String>,
    /// How often it is to be indexed to get at an element: 0 if it is no array.
    pub dimensions: usize,
}

/// A request code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The macro.
    pub name: String,
    /// The tag of the struct that it carries, if that is what it carries.
    pub record: Option<String>,
}

/// A line that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} of the header is not understood: {} (build-support/layouts/src/header reads \
             it, and would have to learn this)",
            self.line, self.what
        )
    }
}

impl std::error::Error for NotUnderstood {}

impl NotUnderstood {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

impl Header {
    /// The names in the text of a header.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        let lines = lines::split(text)?;
        let mut header = Self { structs: declarations::structs(&lines.code)?, ..Self::default() };
        directives::read(&lines.directives, &mut header)?;
        Ok(header)
    }
}
