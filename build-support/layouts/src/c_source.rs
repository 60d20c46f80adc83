// SPDX-License-Identifier: Apache-2.0
//! The C that is compiled to get answers. All of it is C11 and C++17 alike.

use crate::answers::Answers;
use crate::header::{Field, Header, Struct};
use crate::question::{Fact, Question, Subject};
use std::fmt::Write;

/// The array with the answers, in the order of the questions.
pub const FACTS: &str = "spanker_layout_facts";

pub(crate) const BEGINNING: &str = "\
#include <stddef.h>
#include <linux/spanker_ioctl.h>
#ifdef SPANKER_SHIM_LINUX_TYPES_H
#error \"these are bindgen's stand-ins and not the headers of the kernel\"
#endif
#ifdef __cplusplus
#define HOLD static_assert
#define ALIGNMENT alignof
#define EXPORT extern \"C\"
#else
#define HOLD _Static_assert
#define ALIGNMENT _Alignof
#define EXPORT extern
#endif
";

/// C that answers the questions in an array called [`FACTS`] with this prefix.
pub fn facts(prefix: &str, questions: &[Question]) -> String {
    let mut text = format!(
        "{BEGINNING}EXPORT const unsigned long long {prefix}{FACTS}[{count}];\n\
         const unsigned long long {prefix}{FACTS}[{count}] = {{\n",
        count = questions.len()
    );
    for question in questions {
        let _ = writeln!(text, "\t(unsigned long long)({}),", expression(question, "struct "));
    }
    text + "};\n"
}

/// C that does not compile where C answers otherwise.
pub fn asserts(answers: &Answers) -> String {
    let mut text = BEGINNING.to_owned();
    for (question, answer) in &answers.numbers {
        let words = question.fact.in_words(*answer);
        let _ = writeln!(
            text,
            "HOLD((unsigned long long)({}) == {answer}ULL, \"{}: {words} for {}, and not for this \
             compiler\");",
            expression(question, "struct "),
            question.subject,
            answers.who
        );
    }
    text
}

/// The answer as a constant expression. `tag` is what stands before the name of
/// a struct: `struct `, or nothing for a type without a tag.
pub(crate) fn expression(question: &Question, tag: &str) -> String {
    match (&question.subject, question.fact) {
        (Subject::Struct(name), Fact::Alignment) => format!("ALIGNMENT({tag}{name})"),
        (Subject::Struct(name), _) => format!("sizeof({tag}{name})"),
        (Subject::Field { of, name, dimensions }, fact) => {
            let field = format!("(({tag}{of} *)0)->{name}");
            let element = format!("{field}{}", "[0]".repeat(*dimensions));
            match fact {
                Fact::Offset => format!("offsetof({tag}{of}, {name})"),
                Fact::ElementSize => format!("sizeof({element})"),
                Fact::Signed => format!("(__typeof__({element}))-1 < (__typeof__({element}))1"),
                _ => format!("sizeof({field})"),
            }
        }
        (Subject::Constant(name), Fact::Negative) => format!("({name}) < 0"),
        (Subject::Constant(name), _) => name.clone(),
        (Subject::Request { name, .. }, fact) => match fact {
            Fact::In => format!("(_IOC_DIR({name}) & _IOC_WRITE) != 0"),
            Fact::Out => format!("(_IOC_DIR({name}) & _IOC_READ) != 0"),
            Fact::Magic => format!("_IOC_TYPE({name})"),
            Fact::Number => format!("_IOC_NR({name})"),
            Fact::Carried => format!("_IOC_SIZE({name})"),
            _ => format!("(unsigned int)({name})"),
        },
    }
}

/// C that writes and reads every struct, number by number, and how
/// `<linux/ioctl.h>` puts request codes together.
pub fn exchange(header: &Header) -> String {
    let mut text = format!("{BEGINNING}{EXCHANGE_BEGINNING}");
    for Struct { name, fields } in &header.structs {
        for (way, constant) in [("write", ""), ("read", "const ")] {
            let _ = writeln!(
                text,
                "static void {way}_{name}({constant}void *at, struct way *w)\n{{\n\t\
                 {constant}struct {name} *s = ({constant}struct {name} *)at;"
            );
            for field in fields {
                text += &visit(way, field);
            }
            text += "}\n";
        }
    }
    text += "const struct exchange spanker_layout_exchanges[] = {\n";
    for Struct { name, .. } in &header.structs {
        let _ = writeln!(text, "\t{{ sizeof(struct {name}), write_{name}, read_{name} }},");
    }
    text + EXCHANGE_END
}

/// One number after the other; an array's elements as they lie in memory.
fn visit(way: &str, Field { name, record, dimensions }: &Field) -> String {
    let element = format!("s->{name}{}", "[0]".repeat(*dimensions));
    let visit = match record {
        Some(record) => format!("{way}_{record}(e, w)"),
        None if way == "write" => "*e = (__typeof__(*e))next(w), see(w, *e)".to_owned(),
        None => "see(w, *e)".to_owned(),
    };
    format!(
        "\t{{\n\t\t__typeof__({element}) *e = &{element};\n\
         \t\tfor (size_t n = sizeof(s->{name}) / sizeof(*e); n > 0; n--, e++)\n\t\t\t{visit};\n\t}}\n"
    )
}

/// `next` is `splitmix64`, as in `bytes.rs`: numbers that differ in every byte.
const EXCHANGE_BEGINNING: &str = "\
struct way { unsigned long long seed; long long *seen; size_t count; };
struct exchange {
	size_t size;
	void (*write)(void *, struct way *);
	void (*read)(const void *, struct way *);
};
extern const struct exchange spanker_layout_exchanges[];
static unsigned long long next(struct way *w)
{
	unsigned long long z = w->seed += 0x9e3779b97f4a7c15ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}
static void see(struct way *w, long long number)
{
	w->seen[w->count++] = number;
}
";

const EXCHANGE_END: &str = "\
};
extern const unsigned int spanker_layout_encoding[4];
const unsigned int spanker_layout_encoding[4] = {
	_IOC_NONE, _IOC_READ, _IOC_WRITE, _IOC_SIZEBITS,
};
";
