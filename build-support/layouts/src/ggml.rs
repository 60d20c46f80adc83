// SPDX-License-Identifier: Apache-2.0
//! The block formats and type numbers of the header against those of ggml,
//! which they are by definition. ggml's headers are not part of this
//! repository: `GGML_HEADERS` in the environment of the build is a folder that
//! has `ggml-common.h` and `ggml.h`, and `cargo xtask test ggml` fetches them.

use crate::answers::Answers;
use crate::c_source::{expression, BEGINNING};
use crate::question::{Fact, Question, Subject};
use std::fmt::Write;

/// The array with ggml's answers, in the order of the questions.
pub const FACTS: &str = "ggml_layout_facts";

/// Those of the header's questions that ggml has an answer to. `c` is what the
/// C compiler answered to all.
pub fn questions(c: &Answers) -> Vec<Question> {
    let of_ggml = c.numbers.keys().filter(|question| in_ggml(question).is_some());
    of_ggml.filter(|question| comparable(question, c)).cloned().collect()
}

/// The formats say where bytes are. ggml aligns its blocks otherwise, and where
/// it has a float or a signed number of several bytes, the header has the bits.
fn comparable(Question { subject, fact }: &Question, c: &Answers) -> bool {
    match fact {
        Fact::Alignment => false,
        Fact::Signed => [Fact::ElementSize, Fact::Size].iter().any(|&size| {
            c.numbers.get(&Question { subject: subject.clone(), fact: size }) == Some(&1)
        }),
        _ => true,
    }
}

/// A question with ggml's names: `spanker_block_q4_k` is `block_q4_K` there,
/// `SPANKER_QK_K` is `QK_K`, and `SPANKER_TYPE_Q4_K` is `GGML_TYPE_Q4_K`.
fn in_ggml(Question { subject, fact }: &Question) -> Option<Question> {
    let block = |name: &str| {
        let format = name.strip_prefix("spanker_block_")?;
        let format = format.strip_suffix("_k").map_or(format.to_owned(), |f| format!("{f}_K"));
        Some(format!("block_{format}"))
    };
    let subject = match subject {
        Subject::Struct(name) => Subject::Struct(block(name)?),
        Subject::Field { of, name, dimensions } => {
            Subject::Field { of: block(of)?, name: name.clone(), dimensions: *dimensions }
        }
        Subject::Constant(name) => {
            let name = name.strip_prefix("SPANKER_")?;
            let of_ggml = name.starts_with("QK").then(|| name.to_owned());
            Subject::Constant(
                of_ggml.or_else(|| name.starts_with("TYPE_").then(|| format!("GGML_{name}")))?,
            )
        }
        Subject::Request { .. } => return None,
    };
    Some(Question { subject, fact: *fact })
}

/// C with ggml's answers in an array, which does not compile where they are not
/// the header's.
pub fn source(questions: &[Question]) -> String {
    let mut asserts = String::new();
    let mut answers = String::new();
    for question in questions {
        let Some(of_ggml) = in_ggml(question) else { continue };
        let (own, ggml) = (expression(question, "struct "), expression(&of_ggml, ""));
        let _ = writeln!(
            asserts,
            "HOLD((unsigned long long)({own}) == (unsigned long long)({ggml}),\n\
             \t\"{}, {:?}: ggml's is another\");",
            question.subject, question.fact
        );
        let _ = writeln!(answers, "\t(unsigned long long)({ggml}),");
    }
    let count = questions.len();
    format!(
        "#define GGML_COMMON_DECL_C\n#include \"ggml-common.h\"\n#include \"ggml.h\"\n\
         {BEGINNING}{asserts}\
         EXPORT const unsigned long long {FACTS}[{count}];\n\
         const unsigned long long {FACTS}[{count}] = {{\n{answers}}};\n"
    )
}
