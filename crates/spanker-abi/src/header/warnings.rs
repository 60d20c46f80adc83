// SPDX-License-Identifier: Apache-2.0
//! What clang only warns of, and what makes the facts wrong.

use clang::diagnostic::Severity;
use clang::TranslationUnit;

/// Macros that a C library defines, and nobody here. Undefined they are 0 in an
/// `#if`, so that the same branch is taken for every target.
const OF_LIBC: [&str; 6] = [
    "__BYTE_ORDER",
    "__LITTLE_ENDIAN",
    "__BIG_ENDIAN",
    "__WORDSIZE",
    "__TIMESIZE",
    "__USE_TIME_BITS64",
];

/// The warnings that are errors, with what to do.
pub(super) fn that_matter(unit: &TranslationUnit<'_>) -> Vec<String> {
    let warnings = unit.get_diagnostics().into_iter();
    warnings
        .filter(|diagnostic| diagnostic.get_severity() == Severity::Warning)
        .filter_map(|diagnostic| {
            let remedy = remedy(&diagnostic.get_text())?;
            Some(format!("{}: {remedy}", diagnostic.formatter().format()))
        })
        .collect()
}

fn remedy(warning: &str) -> Option<&'static str> {
    if warning.contains("scalar_storage_order") {
        return Some("clang does not know it, so the byte order of these fields would be wrong");
    }
    if warning.contains("unterminated '#pragma pack") {
        return Some("whoever includes this header has other layouts behind it");
    }
    let undefined = warning.contains("is not defined, evaluates to 0");
    let of_libc = OF_LIBC.iter().any(|name| warning.contains(&format!("'{name}'")));
    (undefined && of_libc).then_some(
        "a C library defines it: add its directory with --include, or ask __BYTE_ORDER__, \
         __SIZEOF_LONG__ or __BITS_PER_LONG instead",
    )
}
