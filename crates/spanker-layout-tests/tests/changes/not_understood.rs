// SPDX-License-Identifier: Apache-2.0
//! A declaration of an unknown kind is an error that tells its line: it does not
//! go unchecked.

use spanker_layouts::header::Header;

/// The header, with these lines before its first struct.
#[track_caller]
fn assert_not_understood(lines: &str, what: &str) {
    let text = spanker_sys::header::TEXT;
    let at = text.find("struct spanker_version {").expect("the first struct");
    let (before, after) = text.split_at(at);
    let line = before.lines().count() + 1;
    match Header::parse(&format!("{before}{lines}\n{after}")) {
        Ok(_) => panic!("`{lines}` was passed over"),
        Err(error) => {
            let last = lines.lines().count() - 1;
            assert!((line..=line + last).contains(&error.line), "{error}");
            assert!(error.what.contains(what), "{error}");
        }
    }
}

#[test]
fn fields_of_unknown_kinds_are_refused_by_line() {
    for (field, what) in [
        ("__u8 *at;", "`*`"),
        ("__u32 low : 4;", "`:`"),
        ("union { __u32 a; __s32 b; };", "`union`"),
        ("struct { __u32 a; } inside;", "`{`"),
        ("struct spanker_unknown it;", "struct spanker_unknown is not declared"),
        ("__u8 rest[];", "without a length"),
        ("__u8 cut[4;", "without a `]`"),
        ("__u64 at __attribute__((aligned(8)));", "`(`"),
        ("__u32;", "`;`"),
        ("+", "`+`"),
    ] {
        assert_not_understood(
            &format!("struct spanker_new {{\n\t__u32 first;\n\t{field}\n}};"),
            what,
        );
    }
}

#[test]
fn declarations_of_unknown_kinds_are_refused_by_line() {
    for (lines, what) in [
        ("enum spanker_kind { SPANKER_A };", "`enum`"),
        ("typedef __u32 spanker_handle;", "`typedef`"),
        ("union spanker_either { __u32 a; };", "`union`"),
        ("static inline int spanker_f(void) { return 0; }", "`static`"),
        ("struct spanker_new { __u8 a; } __attribute__((packed));", "`__attribute__`"),
        ("struct spanker_new;", "`;`"),
    ] {
        assert_not_understood(lines, what);
    }
}

#[test]
fn macros_and_conditions_of_unknown_kinds_are_refused_by_line() {
    for (lines, what) in [
        ("#define SPANKER_F(x) (x)", "parameters"),
        ("#define SPANKER_NOTHING", "no value"),
        ("#ifdef __KERNEL__", "conditions"),
        ("#if 0", "conditions"),
        ("#pragma pack(1)", "conditions"),
        ("#include <linux/spanker_more.h>", "would not be compared"),
        ("#undef SPANKER_QK_K", "conditions"),
        (
            "#define SPANKER_IOC_X _IOR(SPANKER_IOC_MAGIC, 9, struct spanker_unknown)",
            "not declared",
        ),
        ("/* no end", "a comment has no end"),
    ] {
        if what == "a comment has no end" {
            let error = Header::parse(lines).expect_err("no end");
            assert_eq!((error.line, error.what.as_str()), (1, what));
        } else {
            assert_not_understood(lines, what);
        }
    }
}
