// SPDX-License-Identifier: Apache-2.0
//! The text of what is compiled into the library.

use crate::mirrors::Mirror;
use spanker_layouts::header::Header;
use spanker_layouts::rust_source;
use std::fmt::Write;

pub(crate) struct Parts<'a> {
    pub(crate) header: &'a Header,
    pub(crate) mirrors: &'a [Mirror],
    /// Whether there is a table of C++, or why there is none.
    pub(crate) cpp: Result<(), String>,
    /// How many answers ggml has, or why it was not asked.
    pub(crate) ggml: Result<usize, String>,
    /// bindgen's text with layouts, or why there is none.
    pub(crate) bindgen: Result<String, String>,
}

pub(crate) fn text(parts: &Parts<'_>) -> String {
    let questions = parts.header.questions().len();
    let structs = parts.header.structs.len();
    let mut text =
        format!("const QUESTIONS: usize = {questions};\nconst STRUCTS: usize = {structs};\n");
    let cpp = parts.cpp.clone().map(|()| questions);
    text += &table("CPP", "C++ says", "cpp_spanker_layout_facts", &cpp);
    text += &table("GGML", "ggml says", "ggml_layout_facts", &parts.ggml);
    let _ = writeln!(
        text,
        "/// A mirror in which bindgen asserts layouts, or why there is none.\n\
         pub const BINDGEN: Result<&str, &str> = {:?};",
        parts.bindgen
    );
    let mut mirrors = String::new();
    for (index, mirror) in parts.mirrors.iter().enumerate() {
        // The one in use is what spanker-sys has compiled.
        let module = if mirror.in_use {
            "use spanker_sys as mirror;".to_owned()
        } else {
            format!("#[path = {:?}]\nmod mirror;", mirror.path)
        };
        let _ = writeln!(
            text,
            "#[allow(warnings, clippy::all, clippy::pedantic, clippy::undocumented_unsafe_blocks)]\n\
             mod mirror{index} {{\n{module}\n{}\n{}\n}}",
            rust_source::facts(parts.header),
            rust_source::exchange(parts.header)
        );
        let _ = writeln!(
            mirrors,
            "    Mirror {{ who: {:?}, in_use: {}, text: include_str!({:?}), \
             answers: &mirror{index}::ANSWERS, exchanges: mirror{index}::EXCHANGES }},",
            mirror.who, mirror.in_use, mirror.path
        );
    }
    text + &format!(
        "/// The mirror in use, and the committed ones.\n\
         pub const MIRRORS: &[Mirror] = &[\n{mirrors}];\n"
    )
}

/// A constant with the numbers of a C array, or with why there is none.
fn table(name: &str, says: &str, symbol: &str, count: &Result<usize, String>) -> String {
    let value = match count {
        Ok(count) => format!(
            "Ok({{ extern \"C\" {{ static {symbol}: [u64; {count}]; }}\n\
             fn numbers() -> &'static [u64] {{\n\
             // SAFETY: an array in C that is never written.\n\
             unsafe {{ &{symbol} }} }}\n\
             numbers }})"
        ),
        Err(why) => format!("Err({why:?})"),
    };
    format!(
        "/// What {says}, or what is missing for that.\n\
         pub const {name}: Result<fn() -> &'static [u64], &str> = {value};\n"
    )
}
