// SPDX-License-Identifier: Apache-2.0
//! The sentences of a header: all that its comments say, in its order, from
//! section 1 on.
//!
//! Prose is cut at full stops. In what is indented, an entry of a list or of a
//! table is a sentence, and so is a formula; a line without an end of its own
//! goes on in what is indented below it. Comments beside a field or a macro, and
//! those right above a struct, begin with its name.

/// What the header says in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// The heading of the section that it is in.
    pub(crate) section: String,
    /// Its words, with a blank between them.
    pub(crate) text: String,
}

/// The sentences of a header.
pub(crate) fn sentences(header: &str) -> Vec<Sentence> {
    let mut section = None;
    let mut found = Vec::new();
    for comment in comments(header) {
        for paragraph in comment.lines.split(|line| line.text.is_empty()) {
            for entry in entries(paragraph) {
                if entry.is_heading() {
                    section = Some(entry.text);
                    continue;
                }
                let Some(section) = &section else { continue };
                found.extend(cut(&entry.text).into_iter().map(|text| Sentence {
                    section: section.clone(),
                    text: format!("{}{text}", comment.about),
                }));
            }
        }
    }
    found
}

/// All words of the comments from the first heading on, those of headings and
/// the names of what is commented left out.
pub(crate) fn words(header: &str) -> Vec<String> {
    let lines = comments(header).into_iter().flat_map(|comment| comment.lines);
    lines
        .skip_while(|line| !line.is_heading())
        .filter(|line| !line.is_heading())
        .flat_map(|line| line.text.split_whitespace().map(String::from).collect::<Vec<_>>())
        .collect()
}

struct Comment {
    /// What a sentence of it begins with.
    about: String,
    lines: Vec<Line>,
}

#[derive(Clone)]
struct Line {
    indent: usize,
    text: String,
}

impl Line {
    fn new(line: &str) -> Line {
        let text = line.trim();
        Line { indent: line.len() - line.trim_start().len(), text: text.into() }
    }

    /// "3  PING and GET_VERSION", at the margin.
    fn is_heading(&self) -> bool {
        self.indent == 0 && self.name().is_some_and(|name| name.parse::<u32>().is_ok())
    }

    /// What stands before two blanks.
    fn name(&self) -> Option<&str> {
        let (name, _) = self.text.split_once("  ")?;
        (!name.contains(' ')).then_some(name)
    }

    fn begins_an_entry(&self) -> bool {
        let names = self.name().is_some_and(|name| {
            name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
        });
        names || ["- ", "then ", "success,"].iter().any(|start| self.text.starts_with(start))
    }

    /// "t = f32(b.d) * f32(P)"
    fn is_a_formula(&self) -> bool {
        self.text
            .split_once(" = ")
            .is_some_and(|(name, _)| name.chars().all(|letter| letter.is_ascii_alphabetic()))
    }

    fn ends(&self) -> bool {
        self.text.ends_with(['.', ':', ';', ','])
    }
}

fn comments(header: &str) -> Vec<Comment> {
    let mut found: Vec<Comment> = Vec::new();
    let mut in_struct = None;
    let mut lines = header.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((code, mut rest)) = line.split_once("/*") else {
            if let Some(name) =
                line.strip_prefix("struct ").and_then(|line| line.strip_suffix(" {"))
            {
                in_struct = Some(name);
            } else if line == "};" {
                in_struct = None;
            }
            continue;
        };
        if code.starts_with("#endif") {
            continue;
        }
        let mut comment = Comment { about: String::new(), lines: Vec::new() };
        loop {
            let (text, ended) = match rest.split_once("*/") {
                Some((text, after)) => {
                    assert_eq!(after.trim(), "", "there is something behind a comment: {line}");
                    (text, true)
                }
                None => (rest, false),
            };
            comment.lines.push(Line::new(text.strip_prefix(' ').unwrap_or(text)));
            if ended {
                break;
            }
            let next = lines.next().unwrap_or_else(|| panic!("a comment does not end: {line}"));
            rest = next.strip_prefix(" *").unwrap_or(next);
            // The end of a block stands where its lines' stars do.
            if rest == "/" {
                break;
            }
        }
        comment.about = match (code.trim(), lines.peek()) {
            ("", Some(next)) if in_struct.is_none() && next.starts_with("struct ") => {
                format!("{}: ", next.trim_end_matches([' ', '{']))
            }
            ("", _) => String::new(),
            (code, _) => format!("{}: ", declared(code, in_struct)),
        };
        found.push(comment);
    }
    found
}

/// The name that a line of code declares.
fn declared(code: &str, in_struct: Option<&str>) -> String {
    let name = if let Some(macro_) = code.strip_prefix("#define ") {
        macro_.split_whitespace().next()
    } else {
        code.trim_end_matches(';').split('[').next().and_then(|code| code.split_whitespace().last())
    };
    let name = name.unwrap_or_else(|| panic!("what does {code} declare?"));
    match in_struct {
        Some(owner) => format!("{owner}.{name}"),
        None => name.into(),
    }
}

fn entries(paragraph: &[Line]) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    for line in paragraph {
        let Some(last) = found.last_mut() else {
            found.push(line.clone());
            continue;
        };
        let into = last.indent == 0 && line.indent > 0 && !last.ends();
        let out_of =
            last.indent > 0 && line.indent == 0 && !last.ends() && !last.text.contains(" = ");
        let goes_on = into || out_of;
        let another = line.indent < last.indent
            || last.is_heading()
            || (last.indent == 0 && line.indent > 0)
            || line.begins_an_entry()
            || (line.indent > 0 && line.is_a_formula() && !last.text.ends_with(':'));
        if another && !goes_on {
            found.push(line.clone());
        } else {
            last.text = format!("{} {}", last.text, line.text);
            if goes_on {
                last.indent = line.indent;
            }
        }
    }
    found
}

/// Cuts prose at full stops. A word alone is a title of what follows, or the
/// last of what went before.
fn cut(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut sentence: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        sentence.push(word);
        if word.ends_with('.') && !word.ends_with("..") && sentence.len() > 1 {
            found.push(sentence.join(" "));
            sentence.clear();
        }
    }
    match (sentence.as_slice(), found.last_mut()) {
        ([], _) => {}
        ([word], Some(last)) => *last = format!("{last} {word}"),
        _ => found.push(sentence.join(" ")),
    }
    found
}
