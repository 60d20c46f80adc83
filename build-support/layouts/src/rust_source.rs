// SPDX-License-Identifier: Apache-2.0
//! The Rust that is compiled to get answers about a mirror.

use crate::header::{Field, Header, Struct};
use crate::question::{Fact, Question, Subject};
use std::fmt::Write;
use std::path::Path;

/// The static with the answers, in the order of the questions.
pub const FACTS: &str = "SPANKER_LAYOUT_FACTS";

/// The questions that rustc can answer: how a code is taken apart is not known
/// to it. What a request carries is the size of the struct that the header
/// names, and not what the mirror's code says.
pub fn questions(header: &Header) -> Vec<Question> {
    let mut questions = header.questions();
    questions.retain(|question| match (&question.subject, question.fact) {
        (Subject::Request { record, .. }, Fact::Carried) => record.is_some(),
        (Subject::Request { .. }, fact) => fact == Fact::Code,
        _ => true,
    });
    questions
}

/// A crate without the standard library that answers for the mirror in a file,
/// in a static called [`FACTS`].
pub fn by_itself(header: &Header, mirror: &Path) -> String {
    let count = questions(header).len();
    format!(
        "#![no_std]\n#![allow(warnings)]\n#[path = {mirror:?}]\nmod mirror;\n{}\
         #[no_mangle]\npub static {FACTS}: [u64; {count}] = ANSWERS;\n",
        facts(header)
    )
}

/// Items for a module that has the mirror in a module `mirror`: the array
/// `ANSWERS`.
pub fn facts(header: &Header) -> String {
    let mut text = include_str!("rust_source/prelude.rs").to_owned();
    let questions = questions(header);
    for Struct { name: of, fields } in &header.structs {
        for Field { name, record, dimensions } in fields {
            if let Some(record) = record {
                let place = place(of, name, *dimensions);
                let _ = writeln!(text, "const _: () = is::<_, mirror::{record}>({place});");
            }
        }
    }
    let _ = writeln!(text, "pub(crate) const ANSWERS: [u64; {}] = [", questions.len());
    for question in &questions {
        let _ = writeln!(text, "    {},", expression(question));
    }
    text + "];\n"
}

fn expression(Question { subject, fact }: &Question) -> String {
    match (subject, fact) {
        (Subject::Struct(name), Fact::Alignment) => {
            format!("core::mem::align_of::<mirror::{name}>() as u64")
        }
        (Subject::Struct(name), _) => format!("core::mem::size_of::<mirror::{name}>() as u64"),
        (Subject::Field { of, name, dimensions }, fact) => match fact {
            Fact::Offset => format!("offset!({of}, {})", in_rust(name)),
            Fact::ElementSize => format!("size({})", place(of, name, *dimensions)),
            Fact::Signed => format!("signed({})", place(of, name, *dimensions)),
            _ => format!("size({})", place(of, name, 0)),
        },
        (Subject::Constant(name), Fact::Negative) => {
            format!("((mirror::{name} as i128) < 0) as u64")
        }
        (Subject::Request { record: Some(record), .. }, Fact::Carried) => {
            format!("core::mem::size_of::<mirror::{record}>() as u64")
        }
        (Subject::Constant(name) | Subject::Request { name, .. }, _) => {
            format!("mirror::{name} as u64")
        }
    }
}

fn place(of: &str, field: &str, dimensions: usize) -> String {
    format!("at!({of}, {}{})", in_rust(field), "[0]".repeat(dimensions))
}

/// Items for a module that has the mirror in a module `mirror`: how each struct
/// is written and read, and the array `EXCHANGES` in the order of the header.
pub fn exchange(header: &Header) -> String {
    let mut text = String::new();
    for Struct { name, fields } in &header.structs {
        let each = |call: &str| -> String {
            fields.iter().map(|field| format!("self.{}.{call}; ", in_rust(&field.name))).collect()
        };
        let _ = writeln!(
            text,
            "impl crate::bytes::Leaves for mirror::{name} {{\n    \
             fn write(&mut self, way: &mut crate::bytes::Way) {{ {}}}\n    \
             fn read(&self, way: &mut crate::bytes::Way) {{ {}}}\n}}",
            each("write(way)"),
            each("read(way)")
        );
    }
    text += "pub(crate) const EXCHANGES: &[crate::bytes::InRust] = &[\n";
    for Struct { name, .. } in &header.structs {
        let _ = writeln!(text, "    crate::bytes::exchange::<mirror::{name}>,");
    }
    text + "];\n"
}

/// What bindgen calls a field: it puts an underscore after words that Rust has
/// taken.
pub fn in_rust(field: &str) -> String {
    match syn::parse_str::<syn::Ident>(field) {
        Ok(_) => field.to_owned(),
        Err(_) => format!("{field}_"),
    }
}
