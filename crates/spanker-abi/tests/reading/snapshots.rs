// SPDX-License-Identifier: Apache-2.0
//! Facts written down and read again, and files that are no snapshots.

use crate::scene::abi;
use spanker_abi::model::Abi;
use spanker_abi::snapshot::{load, read, save, write};
use spanker_abi::Error;
use std::fs;

/// Something of everything that a header can have.
const ALL: &str = "#include <linux/types.h>\n#include <linux/ioctl.h>\n\
    /* abi: extensible */\nstruct a { __u32 n; char c; long l; __le32 o; void *p; };\n\
    struct bits { unsigned int a : 3, b : 5; int c; };\n\
    union u { int a; struct { int b; struct { int d; } list[2]; }; };\n\
    struct gone;\nstruct flexible { int n; int a[]; };\n\
    enum e { E_A = -1, E_B };\nenum { BARE = 3 };\ntypedef struct a alias;\n\
    #define BIG 0xffffffffffffffff\n#define SMALL (-9223372036854775807LL - 1)\n\
    #define REAL 1.5\n#define TEXT \"a \\\"quoted\\\"\\n \\\\ text\"\n#define NOTHING\n\
    #define TIMES(x) ((x) * 2)\n#define CODE _IOWR('k', 1, struct a)\n\
    #define PLAIN _IO('k', 2)\nstatic inline int f(void) { return '\\n'; }\nextern int v;\n";

const TARGETS: [&str; 4] = ["x86_64", "i686", "s390x", "powerpc64le"];

fn everything() -> Abi {
    abi(ALL, &TARGETS)
}

#[test]
fn what_is_written_is_read_again() {
    let abi = everything();
    let facts = &abi.targets["i686"];
    assert!(!facts.records.is_empty() && !facts.requests.is_empty() && !facts.texts.is_empty());
    let text = write(&abi);
    let again = read(&text).unwrap();
    assert_eq!(again, abi);
    assert_eq!(write(&again), text);
}

#[test]
fn there_is_one_fact_a_line_and_lines_are_sorted() {
    let text = write(&everything());
    let mut sections = Vec::new();
    let mut last: Option<(String, u64)> = None;
    for line in text.lines() {
        if let Some((section, "[")) = line.split_once(": ") {
            sections.push(section.trim_matches('"'));
            last = None;
        }
        let Some(fact) = line.trim_end_matches(',').strip_suffix('}').filter(|it| it.len() > 1)
        else {
            continue;
        };
        let fact: serde_json::Value = serde_json::from_str(&format!("{fact}}}")).unwrap();
        let of = if sections.last() == Some(&"fields") { &fact["of"] } else { &fact["name"] };
        let bits = fact["offset_bits"].as_u64();
        let bits = bits.or(fact["offset"].as_u64().map(|bytes| bytes * 8));
        let this = (of.as_str().unwrap().to_owned(), bits.unwrap_or(0));
        assert!(last.as_ref() <= Some(&this), "{last:?} before {this:?}");
        last = Some(this);
    }
    let expected = ["records", "fields", "enums", "typedefs", "constants", "requests", "texts"];
    assert_eq!(sections, expected);
}

#[test]
fn a_fact_of_all_targets_names_none_and_one_of_some_names_them() {
    let text = write(&abi("struct x { int a; long b; };", &["i686", "x86_64"]));
    let lines: Vec<&str> =
        text.lines().filter(|line| line.contains("struct x\",\"name\"")).collect();
    assert_eq!(
        lines,
        [
            r#"{"of":"struct x","name":"a","offset":0,"size":4,"type":"s32"},"#,
            r#"{"of":"struct x","name":"b","offset":4,"size":4,"type":"s32","on":["i686"]},"#,
            r#"{"of":"struct x","name":"b","offset":8,"size":8,"type":"s64","on":["x86_64"]}"#,
        ]
    );
}

#[test]
fn order_comments_and_spaces_change_nothing() {
    let one =
        "#define A 1\n#define B 2\nstruct x { int a; };\nenum e { E };\nstruct y { int b; };\n";
    let other = "/* y */\nstruct y\n{\n\tint b; /* b */\n};\n\nenum e\n{\n\tE, // e\n};\n\
                 #define B\t2 /* two */\nstruct x { int a; };\n#define A   1\n";
    assert_eq!(write(&abi(one, &TARGETS)), write(&abi(other, &TARGETS)));
}

#[test]
fn the_order_of_targets_changes_nothing() {
    let mut turned = TARGETS;
    turned.reverse();
    assert_eq!(write(&abi(ALL, &turned)), write(&everything()));
}

#[test]
fn a_changed_field_changes_its_line_alone() {
    let before = write(&abi("struct x { int a; int b; };", &TARGETS));
    let after = write(&abi("struct x { int a; unsigned int b; };", &TARGETS));
    let differing: Vec<(&str, &str)> =
        before.lines().zip(after.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(differing.len(), 1, "{differing:?}");
}

fn refused(old: &str, new: &str) -> String {
    let text = write(&everything());
    assert!(text.contains(old), "there is no {old} in {text}");
    read(&text.replacen(old, new, 1)).unwrap_err()
}

#[test]
fn a_snapshot_that_was_cut_off_is_refused_with_the_line() {
    let text = write(&everything());
    let whole = text.trim_end().len();
    for at in (0..whole).step_by(7).filter(|at| text.is_char_boundary(*at)) {
        let error = read(&text[..at]).unwrap_err();
        assert!(error.contains("line ") && error.contains("column "), "{at}: {error}");
    }
}

#[test]
fn another_format_is_refused_by_its_name() {
    let error = refused("snapshot 1", "snapshot 2");
    assert!(error.contains("snapshot 2") && error.contains("snapshot 1"), "{error}");
}

#[test]
fn what_a_line_may_not_have_is_refused_with_the_line() {
    for (old, new) in [
        (r#""kind":"struct""#, r#""kind":"class""#),
        (r#""direction":"both""#, r#""direction":"up""#),
        (r#""offset":0"#, r#""offset":-1"#),
        (r#""offset":0"#, r#""offset":"0""#),
        (r#""offset":0"#, r#""offset":18446744073709551616"#),
        (r#""size":4"#, r#""size":1e99"#),
        (r#""records""#, r#""record""#),
        (r#""magic":107"#, r#""magic":1070"#),
        (r#""type":"s32""#, r#""type":null"#),
        (r#""type":"s32""#, r#""tipe":"s32""#),
    ] {
        let error = refused(old, new);
        assert!(error.contains("line "), "{new}: {error}");
    }
}

#[test]
fn what_contradicts_itself_is_refused_with_its_name() {
    for (old, new, named) in [
        (r#""on":["i686""#, r#""on":["z80""#, "z80"),
        (r#""name":"struct bits""#, r#""name":"struct a""#, "struct a"),
        (r#""name":"E_B""#, r#""name":"E_A""#, "E_A"),
        (r#""name":"PLAIN""#, r#""name":"CODE""#, "CODE"),
        (r#""of":"struct bits","name":"b""#, r#""of":"struct bits","name":"a""#, "struct bits.a"),
        (r#""of":"struct bits""#, r#""of":"struct nowhere""#, "struct nowhere"),
        (r#""targets": ["i686","#, r#""targets": ["i686","i686","#, "i686"),
        (r#""code":"0x00006b02""#, r#""code":"00006b02""#, "PLAIN"),
        (r#""code":"0x00006b02""#, r#""code":"0x100006b02""#, "PLAIN"),
        (r#""integer":"3""#, r#""integer":"three""#, "BARE"),
        (r#""integer":"3""#, r#""integer":"3","float":"3""#, "BARE"),
        (r#""integer":"3""#, &format!(r#""integer":"{}""#, "9".repeat(60)), "BARE"),
        (
            r#""offset":4,"size":4,"type":"s32""#,
            r#""offset":4611686018427387904,"size":4,"type":"s32""#,
            "too far",
        ),
        (
            r#""offset_bits":0,"size_bits":3"#,
            r#""offset_bits":18446744073709551615,"size_bits":3"#,
            "too large",
        ),
    ] {
        let error = refused(old, new);
        assert!(error.contains(named), "{new}: {error}");
    }
}

#[test]
fn what_is_no_snapshot_is_refused_as_such() {
    for text in ["", "{}", "[]", "null", "struct x { int a; };", "{\"format\": 1}"] {
        let error = read(text).unwrap_err();
        assert!(error.contains("no snapshot"), "{text:?}: {error}");
    }
}

#[test]
fn a_file_that_is_no_text_is_refused_by_its_name() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("x.json");
    fs::write(&file, b"{\"format\": \"\xff\"}").unwrap();
    let error = load(&file).unwrap_err();
    assert!(error.to_string().contains("x.json"), "{error}");
    assert!(error.to_string().to_lowercase().contains("utf-8"), "{error}");
    fs::remove_file(&file).unwrap();
    assert!(matches!(load(&file).unwrap_err(), Error::File { .. }));
}

#[test]
fn what_is_saved_is_loaded_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let (file, link) = (folder.path().join("x.json"), folder.path().join("link.json"));
    fs::write(&file, "an old one").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let abi = everything();
    save(&abi, &link).unwrap();
    assert_eq!(load(&file).unwrap(), abi);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
