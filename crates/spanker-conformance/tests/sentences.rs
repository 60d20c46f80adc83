// SPDX-License-Identifier: Apache-2.0
//! The table sentences.md is true: it has every sentence of the header, in its
//! order, and every case of the suite, and nothing that is in neither.

#[path = "sentences/header.rs"]
mod header;
#[path = "sentences/table.rs"]
mod table;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use header::Sentence;
use spanker_conformance::cases;
use table::Table;

const HEADER: &str = include_str!("../../../include/uapi/linux/spanker_ioctl.h");

fn table() -> Table {
    table::read(include_str!("../sentences.md"))
}

fn all_cases() -> Vec<String> {
    cases().iter().map(|case| case.full_name()).collect()
}

/// Fails with all that is wrong, a line each.
#[track_caller]
fn assert_none(mistakes: Vec<String>) {
    assert!(mistakes.is_empty(), "sentences.md is not true:\n{}", mistakes.join("\n"));
}

#[test]
fn the_table_is_well_formed() {
    assert_none(table().mistakes);
}

#[test]
fn every_sentence_of_the_header_is_in_the_table_once_and_in_order() {
    let header = header::sentences(HEADER);
    let rows: Vec<Sentence> = table()
        .rows
        .into_iter()
        .map(|row| Sentence { section: row.section, text: row.text })
        .collect();
    assert_none(differences(&header, &rows));
}

/// What has to be done to the table, a line each.
fn differences(header: &[Sentence], rows: &[Sentence]) -> Vec<String> {
    let told = |sentence: &Sentence| format!("section {}: {}", sentence.section, sentence.text);
    let mut left: Vec<&Sentence> = rows.iter().collect();
    let mut mistakes = Vec::new();
    for sentence in header {
        match left.iter().position(|row| *row == sentence) {
            Some(at) => drop(left.remove(at)),
            None => mistakes.push(format!("only in the header, {}", told(sentence))),
        }
    }
    mistakes.extend(left.into_iter().map(|row| format!("only in the table, {}", told(row))));
    if mistakes.is_empty() {
        let first = header.iter().zip(rows).find(|(sentence, row)| sentence != row);
        mistakes.extend(first.map(|(sentence, row)| {
            format!("in another order, {} instead of {}", told(row), told(sentence))
        }));
    }
    mistakes
}

#[test]
fn every_case_that_is_named_is_in_the_suite() {
    let suite = all_cases();
    let table = table();
    let holding = table.rows.iter().flat_map(|row| {
        row.cases.iter().map(move |case| (case, format!("is named for: {}", row.text)))
    });
    let without = table.cases_without.iter().map(|case| (case, "holds no sentence".into()));
    assert_none(
        holding
            .chain(without)
            .filter(|(case, _)| !suite.contains(case))
            .map(|(case, why)| format!("there is no case {case}, which {why}"))
            .collect(),
    );
}

#[test]
fn every_case_of_the_suite_is_named() {
    let table = table();
    let named: HashSet<&String> =
        table.rows.iter().flat_map(|row| &row.cases).chain(&table.cases_without).collect();
    assert_none(
        all_cases()
            .into_iter()
            .filter(|case| !named.contains(case))
            .map(|case| format!("{case} is named for no sentence"))
            .collect(),
    );
}

#[test]
fn a_case_without_a_sentence_is_named_for_none() {
    let table = table();
    assert_none(
        table
            .rows
            .iter()
            .flat_map(|row| row.cases.iter().map(move |case| (case, &row.text)))
            .filter(|(case, _)| table.cases_without.contains(case))
            .map(|(case, text)| format!("{case} is said to hold no sentence, and this one: {text}"))
            .collect(),
    );
}

#[test]
fn every_vm_scenario_that_is_named_is_there() {
    let table = table();
    let named: Vec<(&str, &str)> = table
        .rows
        .iter()
        .flat_map(|row| row.reasons.iter().map(|reason| (reason.as_str(), row.text.as_str())))
        .filter_map(|(reason, text)| Some((reason.strip_prefix(table::SCENARIOS)?, text)))
        .flat_map(|(names, text)| names.split("; ").map(move |name| (name, text)))
        .collect();
    if named.is_empty() {
        return;
    }
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../build-support/guest/src/scenarios.rs");
    let scenarios =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_none(
        named
            .into_iter()
            .filter(|(name, _)| !scenarios.contains(&format!("scenario(\"{name}\",")))
            .map(|(name, text)| format!("there is no scenario {name}, named for: {text}"))
            .collect(),
    );
}

#[test]
fn no_word_of_the_header_is_left_out() {
    let mut words = header::words(HEADER).into_iter().peekable();
    for sentence in header::sentences(HEADER) {
        for word in sentence.text.split_whitespace() {
            // The names of what is commented are no words of a comment.
            words.next_if(|next| next == word);
        }
    }
    let left: Vec<String> = words.take(20).collect();
    assert!(left.is_empty(), "in no sentence, or not in its place: {} ...", left.join(" "));
}

#[test]
fn sentences_are_cut_as_a_reader_would() {
    let header = r#"
/*
 * What comes before the first section is left out.
 *
 * 1  First things
 *
 * Prose is cut. At full
 * stops. So:
 *
 *   - An entry goes
 *     on below it. And has sentences.
 *   - Another.
 *
 * Errors:
 *
 *   EINVAL  flags
 *           not 0
 *   ENOENT  no handle; with the
 *   rest of it at the margin of the table
 *   then others:
 *     EIO     deeper
 */
#define FIRST 1 /* beside a macro */
/* Right above. A struct. */
struct first {
	__u32 field[3];	/* beside a field */
	__u32 silent;
};
/*
 * 2  Formulas
 *
 * TITLE
 *    Its line does not
 * end.
 * FORMULA
 *    x[i] = y
 * which has no full stop.
 *    For each:
 *       p = q
 *       r = s
 */
#endif /* of the header */
"#;
    let texts: Vec<String> = header::sentences(header)
        .into_iter()
        .map(|sentence| format!("{}: {}", &sentence.section[..1], sentence.text))
        .collect();
    assert_eq!(
        texts,
        [
            "1: Prose is cut.",
            "1: At full stops. So:",
            "1: - An entry goes on below it.",
            "1: And has sentences.",
            "1: - Another.",
            "1: Errors:",
            "1: EINVAL flags not 0",
            "1: ENOENT no handle; with the rest of it at the margin of the table",
            "1: then others:",
            "1: EIO deeper",
            "1: FIRST: beside a macro",
            "1: struct first: Right above.",
            "1: struct first: A struct.",
            "1: first.field: beside a field",
            "2: TITLE Its line does not end.",
            "2: FORMULA x[i] = y",
            "2: which has no full stop.",
            "2: For each: p = q",
            "2: r = s",
        ]
    );
}
