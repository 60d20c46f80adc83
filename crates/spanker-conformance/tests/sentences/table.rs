// SPDX-License-Identifier: Apache-2.0
//! The table of sentences, which is Markdown: below each heading of the header
//! its sentences, quoted, and below each sentence a list of what holds it. That
//! is a case or one of the classes that the first part of the table explains;
//! those that end with "…" say more.

/// What stands before the names of scenarios, which have "; " between them.
pub(crate) const SCENARIOS: &str = "held by the VM scenarios: ";

/// The heading below which cases are listed that hold no sentence.
pub(crate) const CASES_WITHOUT: &str = "Cases that hold no sentence";

/// A sentence of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) section: String,
    pub(crate) text: String,
    /// Cases by their full names.
    pub(crate) cases: Vec<String>,
    /// Entries of its list that name no case.
    pub(crate) reasons: Vec<String>,
}

/// All that the table says, or what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    /// Cases that hold no sentence.
    pub(crate) cases_without: Vec<String>,
    /// Lines that are no part of a table.
    pub(crate) mistakes: Vec<String>,
}

/// Reads a table.
pub(crate) fn read(text: &str) -> Table {
    let mut table = Table::default();
    let mut classes = Vec::new();
    let mut section: Option<&str> = None;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(heading) = line.strip_prefix("## ") {
            section = Some(heading);
            continue;
        }
        let read = match section {
            _ if line.is_empty() => Ok(()),
            None => {
                classes.extend(line.strip_prefix("| ").and_then(|line| line.split(" |").next()));
                Ok(())
            }
            Some(CASES_WITHOUT) => table.case_without(line),
            Some(section) => table.line(section, line, &classes),
        };
        if let Err(mistake) = read {
            table.mistakes.push(format!("line {number}, {mistake}: {line}"));
        }
    }
    for row in &table.rows {
        if row.cases.is_empty() && row.reasons.is_empty() {
            table.mistakes.push(format!("nothing holds: {}", row.text));
        }
    }
    table
}

impl Table {
    fn line(&mut self, section: &str, line: &str, classes: &[&str]) -> Result<(), &'static str> {
        if let Some(text) = line.strip_prefix("> ") {
            let (section, text) = (section.into(), text.into());
            self.rows.push(Row { section, text, cases: Vec::new(), reasons: Vec::new() });
            return Ok(());
        }
        let holder = line.strip_prefix("- ").ok_or("neither a sentence nor what holds it")?;
        let row = self.rows.last_mut().ok_or("a holder without a sentence")?;
        if holder.contains('/') && !holder.contains(' ') {
            row.cases.extend(expanded(holder).ok_or("braces that do not match")?);
        } else if classes.iter().any(|class| is_of(holder, class)) {
            row.reasons.push(holder.into());
        } else {
            return Err("neither a case nor of a class");
        }
        Ok(())
    }

    fn case_without(&mut self, line: &str) -> Result<(), &'static str> {
        let entry = line.strip_prefix("- ").ok_or("no entry of a list")?;
        let (case, reason) = entry.split_once(": ").ok_or("a case without a reason")?;
        if reason.is_empty() {
            return Err("a case without a reason");
        }
        self.cases_without.push(case.into());
        Ok(())
    }
}

fn is_of(holder: &str, class: &str) -> bool {
    match class.strip_suffix('…') {
        Some(start) => holder.strip_prefix(start).is_some_and(|more| !more.is_empty()),
        None => holder == class,
    }
}

/// What a shell makes of braces: `wait/{refuses_flags,refuses_reserved}` is two
/// cases.
fn expanded(pattern: &str) -> Option<Vec<String>> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return (!pattern.contains('}')).then(|| vec![pattern.into()]);
    };
    let (choices, after) = rest.split_once('}')?;
    let tails = expanded(after)?;
    let all = choices
        .split(',')
        .flat_map(|choice| tails.iter().map(move |tail| format!("{before}{choice}{tail}")));
    Some(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_what_a_shell_makes_of_them() {
        assert_eq!(expanded("wait/a"), Some(vec!["wait/a".into()]));
        let four = ["a/c", "a/d", "b/c", "b/d"].map(String::from);
        assert_eq!(expanded("{a,b}/{c,d}"), Some(four.to_vec()));
        assert_eq!(expanded("a/{b"), None);
        assert_eq!(expanded("a/b}"), None);
    }

    #[test]
    fn what_is_no_part_of_a_table_is_told() {
        let wrong = "| plain | |\n| more: … | |\n## 1  One\n> A.\n> B.\n- plain\n- more: to say\n\
                     - plain guess\n- more: \n- a/{b\nprose\n## Cases that hold no sentence\n\
                     - a/b\n";
        let told = [
            "line 8, neither a case nor of a class: - plain guess",
            "line 9, neither a case nor of a class: - more: ",
            "line 10, braces that do not match: - a/{b",
            "line 11, neither a sentence nor what holds it: prose",
            "line 13, a case without a reason: - a/b",
            "nothing holds: A.",
        ];
        assert_eq!(read(wrong).mistakes, told);
    }
}
