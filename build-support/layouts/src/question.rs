// SPDX-License-Identifier: Apache-2.0
//! What is asked of every compiler about a header, and the answers in words.

use crate::header::{Field, Header, Request, Struct};
use std::fmt;

/// Something that has one number for an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// What is asked about.
    pub subject: Subject,
    /// What is asked about it.
    pub fact: Fact,
}

/// What a question is about, by its names in C.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A struct.
    Struct(String),
    /// A field.
    Field {
        /// The struct it is in.
        of: String,
        /// Its name.
        name: String,
        /// It is indexed so often to get at one element.
        dimensions: usize,
    },
    /// A constant.
    Constant(String),
    /// A request code.
    Request {
        /// The macro.
        name: String,
        /// The struct that it carries.
        record: Option<String>,
    },
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// Bytes of a struct, or of a whole field.
    Size,
    /// Bytes that a struct's address is a multiple of.
    Alignment,
    /// Bytes from the beginning of the struct to the field.
    Offset,
    /// Bytes of one element of a field.
    ElementSize,
    /// Whether a field, or its elements, can be below 0.
    Signed,
    /// A constant, in 64 bits.
    Value,
    /// Whether a constant is below 0.
    Negative,
    /// A request code.
    Code,
    /// Whether a request carries data to the device (`_IOC_WRITE`).
    In,
    /// Whether a request carries data to the caller (`_IOC_READ`).
    Out,
    /// A request's `_IOC_TYPE`.
    Magic,
    /// A request's `_IOC_NR`.
    Number,
    /// A request's `_IOC_SIZE`.
    Carried,
}

impl Header {
    /// All that can be asked about what this header declares.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        let mut ask = |subject: Subject, facts: &[Fact]| {
            questions.extend(facts.iter().map(|&fact| Question { subject: subject.clone(), fact }));
        };
        for Struct { name: of, fields } in &self.structs {
            ask(Subject::Struct(of.clone()), &[Fact::Size, Fact::Alignment]);
            for Field { name, record, dimensions } in fields {
                let subject =
                    Subject::Field { of: of.clone(), name: name.clone(), dimensions: *dimensions };
                ask(subject.clone(), &[Fact::Offset, Fact::Size]);
                if *dimensions > 0 {
                    ask(subject.clone(), &[Fact::ElementSize]);
                }
                if record.is_none() {
                    ask(subject, &[Fact::Signed]);
                }
            }
        }
        for name in &self.constants {
            ask(Subject::Constant(name.clone()), &[Fact::Value, Fact::Negative]);
        }
        for Request { name, record } in &self.requests {
            let subject = Subject::Request { name: name.clone(), record: record.clone() };
            let facts = [Fact::Code, Fact::In, Fact::Out, Fact::Magic, Fact::Number, Fact::Carried];
            ask(subject, &facts);
        }
        questions
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Struct(name) => write!(f, "struct {name}"),
            Self::Field { of, name, .. } => write!(f, "struct {of}, field {name}"),
            Self::Constant(name) => write!(f, "constant {name}"),
            Self::Request { name, .. } => write!(f, "request {name}"),
        }
    }
}

impl Fact {
    /// An answer as what is said of the subject: `at byte 8`.
    pub fn in_words(self, answer: u64) -> String {
        let either = |yes: &str, no: &str| if answer == 0 { no.into() } else { yes.into() };
        match self {
            Self::Size => bytes(answer),
            Self::Alignment => format!("aligned to {}", bytes(answer)),
            Self::Offset => format!("at byte {answer}"),
            Self::ElementSize => format!("elements of {}", bytes(answer)),
            Self::Signed => either("signed", "unsigned"),
            Self::Value => format!("the value {answer:#x}"),
            Self::Negative => either("below 0", "not below 0"),
            Self::Code => format!("the code {answer:#010x}"),
            Self::In => either("data to the device", "no data to the device"),
            Self::Out => either("data to the caller", "no data to the caller"),
            Self::Magic => format!("the magic {answer:#04x}"),
            Self::Number => format!("the number {answer:#04x}"),
            Self::Carried => format!("carrying {}", bytes(answer)),
        }
    }
}

fn bytes(count: u64) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}
