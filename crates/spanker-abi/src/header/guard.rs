// SPDX-License-Identifier: Apache-2.0
//! The macro that keeps a file from being read twice.

/// The guard of a file: the name that its first two directives, `#ifndef` and
/// `#define`, agree on. With a value, only if that is 1 and it holds the whole
/// file; otherwise it may be a setting, or something that programs ask for.
pub(super) fn guard(text: &str) -> Option<String> {
    let code = without_comments(text).replace("\\\r\n", " ").replace("\\\n", " ");
    let directives: Vec<Vec<&str>> = code
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('#'))
        .map(|directive| directive.split_whitespace().collect())
        .collect();
    let [first, second, ..] = directives.as_slice() else { return None };
    let name = match first.as_slice() {
        ["ifndef", name] => (*name).to_owned(),
        ["if", condition @ ..] => {
            let condition = condition.join(" ").replace(['(', ')'], " ");
            let condition: Vec<&str> = condition.split_whitespace().collect();
            match condition.as_slice() {
                ["!defined", name] | ["!", "defined", name] => (*name).to_owned(),
                _ => return None,
            }
        }
        _ => return None,
    };
    match second.as_slice() {
        ["define", defined] if *defined == name => Some(name),
        ["define", defined, "1"] if *defined == name && holds_all(&directives) => Some(name),
        _ => None,
    }
}

/// Whether what the first directive begins ends with the last.
fn holds_all(directives: &[Vec<&str>]) -> bool {
    let mut depth = 0;
    for (at, directive) in directives.iter().enumerate() {
        match directive.first() {
            Some(&("if" | "ifdef" | "ifndef")) => depth += 1,
            Some(&("else" | "elif")) if depth == 1 => return false,
            Some(&"endif") => {
                depth -= 1;
                if depth == 0 {
                    return at + 1 == directives.len();
                }
            }
            _ => {}
        }
    }
    false
}

/// The text with a space for each comment. Lines stay as they are.
fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"', '\'']) {
        code += &rest[..at];
        rest = &rest[at..];
        let end = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            code.push(' ');
            end
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").map_or(rest.len(), |end| end + 4);
            code.push(' ');
            end
        } else if rest.starts_with('/') {
            code.push('/');
            1
        } else {
            let end = literal_end(rest);
            code += &rest[..end];
            end
        };
        rest = &rest[end..];
    }
    code + rest
}

/// Where the string or character literal that a text begins with ends: at the
/// line's end at the latest.
fn literal_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if text.starts_with(c) => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{guard, without_comments};

    #[test]
    fn a_guard_is_found_however_it_is_written() {
        for text in [
            "#ifndef X\n#define X\n#endif",
            "/*\n#if\n */\n# ifndef X /* once */\n#\tdefine X // once\n#endif",
            "#if !defined(X)\n#define X\n#endif",
            "#if ! defined X\n#define X\n#endif",
            "#ifndef X\n#define X 1\n#ifdef Y\n#else\n#endif\n#endif // X\n",
            "#ifndef X\n#define \\\nX\n#endif",
        ] {
            assert_eq!(guard(text).as_deref(), Some("X"), "{text}");
        }
    }

    #[test]
    fn what_does_not_hold_the_file_is_no_guard() {
        for text in [
            "",
            "#define X\n",
            "#ifndef X\n#define Y\n#endif",
            "#ifndef X\n#define X 1\n#endif\n#define Y\n",
            "#ifndef X\n#define X 1\n#else\n#endif\n",
            "#ifndef X\n#define X(a)\n#endif",
            "#if defined(X)\n#define X\n#endif",
        ] {
            assert_eq!(guard(text), None, "{text}");
        }
    }

    #[test]
    fn comments_end_where_they_do() {
        for (text, code) in [
            ("a/* b */c", "a c"),
            ("a /*", "a  "),
            ("a/b // c\nd", "a/b  \nd"),
            ("\"/*\" '\"' /**/d", "\"/*\" '\"'  d"),
            ("\"\\\"/*\" // e", "\"\\\"/*\"  "),
            ("it's\n/* */f", "it's\n f"),
        ] {
            assert_eq!(without_comments(text), code, "{text}");
        }
    }
}
