// SPDX-License-Identifier: Apache-2.0
//! The comment that declares a struct extensible.

/// Whether the declaration from `begin` to `end`, bytes of `text`, carries the
/// marker: in a comment directly before it, directly behind its opening brace,
/// or behind it on the line where it ends.
pub(super) fn is_extensible(text: &[u8], begin: usize, end: usize) -> bool {
    let part = |from: usize, to: usize| {
        String::from_utf8_lossy(text.get(from..to).unwrap_or_default()).into_owned()
    };
    before(&part(0, begin)) || inside(&part(begin, end)) || behind(&part(end, text.len()))
}

fn before(text: &str) -> bool {
    let bare = text.trim_end();
    let mut text = bare.strip_suffix("typedef").unwrap_or(text);
    loop {
        let gap = &text[text.trim_end().len()..];
        // A blank line takes a comment away from the declaration.
        if gap.matches('\n').count() > 1 {
            return false;
        }
        text = text.trim_end();
        let begin = if text.ends_with("*/") {
            text.rfind("/*")
        } else {
            let line = line_start(text, text.len());
            text[line..].find("//").map(|slashes| line + slashes)
        };
        let Some(begin) = begin else { return false };
        // A comment behind something else is that one's.
        if !text[line_start(text, begin)..begin].trim().is_empty() {
            return false;
        }
        if says_so(&text[begin..]) {
            return true;
        }
        text = &text[..begin];
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn inside(text: &str) -> bool {
    let body = text.find('{').map(|brace| text[brace + 1..].trim_start());
    body.and_then(leading_comment).is_some_and(says_so)
}

fn behind(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let rest = line.find(';').map(|semicolon| line[semicolon + 1..].trim_start());
    rest.and_then(leading_comment).is_some_and(says_so)
}

fn leading_comment(text: &str) -> Option<&str> {
    if text.starts_with("/*") {
        return Some(&text[..text.find("*/").map_or(text.len(), |end| end + 2)]);
    }
    text.starts_with("//").then(|| text.lines().next().unwrap_or_default())
}

fn says_so(comment: &str) -> bool {
    comment.lines().any(|line| {
        let line = line.trim_start_matches([' ', '\t', '/', '*', '!', '<']).to_lowercase();
        let word = line.strip_prefix("abi:").map(str::trim_start);
        // Not `extensible no longer`: only what cannot take it back may follow.
        word.and_then(|word| word.strip_prefix("extensible"))
            .is_some_and(|rest| rest.trim().is_empty() || is_aside(rest.trim_start()))
    })
}

fn is_aside(rest: &str) -> bool {
    rest.starts_with([',', '.', ';', ':', '(', '*'])
}

#[cfg(test)]
mod tests {
    use super::is_extensible;

    fn marked(text: &str) -> bool {
        let begin = text.find("struct x").expect("there is a struct");
        let end = begin + text[begin..].find('}').expect("it ends");
        is_extensible(text.as_bytes(), begin, end)
    }

    #[test]
    fn a_marker_counts_where_it_belongs_to_the_declaration() {
        for text in [
            "/* abi: extensible */\nstruct x { int a; };",
            "/* abi: extensible, first version 16 bytes */\nstruct x { int a; };",
            "/*\n * What it is.\n * abi: extensible\n */\nstruct x { int a; };",
            "// abi: extensible\nstruct x { int a; };",
            "/* ABI:extensible (by size) */\nstruct x { int a; };",
            "// abi: extensible\n// What it is.\nstruct x { int a; };",
            "/* abi: extensible */\ntypedef struct x { int a; } y;",
            "struct x { /* abi: extensible */\n int a; };",
            "struct x {\n int a; }; /* abi: extensible */",
            "struct x {\n int a; } __attribute__((packed)); // abi: extensible",
        ] {
            assert!(marked(text), "{text}");
        }
    }

    #[test]
    fn a_marker_elsewhere_does_not_count() {
        for text in [
            "struct x { int a; };",
            "/* abi: extensible */\n\nstruct x { int a; };",
            "/* abi: extensible */\nint y;\nstruct x { int a; };",
            "/* A struct marked abi: extensible may grow. */\nstruct x { int a; };",
            "/* abi: extensibly */\nstruct x { int a; };",
            "/* abi: extensible no longer */\nstruct x { int a; };",
            "int y; // abi: extensible\nstruct x { int a; };",
            "int y; /* abi: extensible */\nstruct x { int a; };",
            "struct x {\n int a; /* abi: extensible */ };",
            "struct x {\n int a; };\n/* abi: extensible */\nstruct y { int a; };",
        ] {
            assert!(!marked(text), "{text}");
        }
    }
}
