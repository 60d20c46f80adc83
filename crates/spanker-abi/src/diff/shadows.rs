// SPDX-License-Identifier: Apache-2.0
//! New macros that take the name of something else: the preprocessor replaces a
//! name wherever a program says it, whatever it is the name of.

use std::collections::BTreeSet;

use super::findings::{Difference, Findings, Found};
use super::{words, Class};
use crate::model::Facts;

/// Keywords of C, of the newest standard and as compilers also spell them.
const KEYWORDS: &str = "alignas alignof asm auto bool break case char const constexpr continue \
    default do double else enum extern false float for goto if inline int long nullptr register \
    restrict return short signed sizeof static static_assert struct switch thread_local true \
    typedef typeof typeof_unqual union unsigned void volatile while _Alignas _Alignof _Atomic \
    _BitInt _Bool _Complex _Decimal128 _Decimal32 _Decimal64 _Generic _Imaginary _Noreturn \
    _Static_assert _Thread_local __alignof__ __asm__ __attribute__ __const __const__ \
    __extension__ __inline __inline__ __restrict __restrict__ __signed__ __typeof__ __volatile__";

/// Types that headers of an ABI are written with.
const TYPES: &str = "__u8 __u16 __u32 __u64 __s8 __s16 __s32 __s64 __le16 __le32 __le64 __be16 \
    __be32 __be64 __aligned_u64 __aligned_s64 __aligned_le64 __aligned_be64 __sum16 __wsum \
    __u128 __s128 u8 u16 u32 u64 s8 s16 s32 s64 uint8_t uint16_t uint32_t uint64_t int8_t int16_t \
    int32_t int64_t uintptr_t intptr_t uintmax_t intmax_t size_t ssize_t ptrdiff_t off_t loff_t \
    wchar_t __kernel_size_t __kernel_ssize_t __kernel_long_t __kernel_ulong_t __kernel_off_t \
    __kernel_loff_t __kernel_pid_t __kernel_time64_t __poll_t";

/// Judges them.
pub(super) fn judge(old: &Facts, new: &Facts, findings: &mut Findings) {
    let names = names(old);
    let is_macro = |name: &&String| !new.enumerators.contains(*name);
    let constants = new.constants.iter().filter(|(name, _)| is_macro(name));
    let constants =
        constants.map(|(name, it)| (name, words::constant(it), Difference::Constant(name.clone())));
    let requests = new.requests.iter().filter(|(name, _)| is_macro(name));
    let requests =
        requests.map(|(name, it)| (name, words::request(it), Difference::Request(name.clone())));
    let texts = new.texts.iter().filter(|(_, text)| text.what.starts_with("macro"));
    let texts = texts.map(|(name, it)| (name, words::text(it), Difference::Text(name.clone())));
    for (name, words, difference) in constants.chain(requests).chain(texts) {
        let known = old.constants.contains_key(name)
            || old.requests.contains_key(name)
            || old.texts.contains_key(name);
        // That a typedef has become a macro is said of the typedef.
        let was_typedef = old.typedefs.contains_key(name) && !new.typedefs.contains_key(name);
        if known || was_typedef {
            continue;
        }
        let Some(what) = what(name, &names) else { continue };
        let found = Found {
            class: Class::Breaking,
            kind: "unjudged",
            item: name.clone(),
            old: Some(what.to_owned()),
            new: Some(words),
            reason: format!(
                "programs that say {name} mean something else from now on: a person has to judge"
            ),
        };
        findings.add(found, [difference]);
    }
}

/// The names that the old side has for something that is no macro.
struct Names<'a> {
    fields: BTreeSet<&'a str>,
    types: BTreeSet<&'a str>,
}

fn names(facts: &Facts) -> Names<'_> {
    let fields = facts.records.values().flat_map(|record| &record.fields);
    // A struct inside that has no tag is in the path to its members only.
    let fields = fields.flat_map(|field| field.name.split(['.', '[', ']']));
    let types = facts.records.keys().chain(facts.enums.keys()).chain(facts.typedefs.keys());
    Names {
        fields: fields.collect(),
        types: types.map(|name| name.rsplit(' ').next().unwrap_or(name)).collect(),
    }
}

fn what(name: &str, names: &Names<'_>) -> Option<&'static str> {
    if names.types.contains(name) {
        Some("a type's name")
    } else if names.fields.contains(name) {
        Some("a field's name")
    } else if KEYWORDS.split_whitespace().any(|keyword| keyword == name) {
        Some("a keyword")
    } else if TYPES.split_whitespace().any(|ty| ty == name) {
        Some("a type of other headers")
    } else {
        None
    }
}
