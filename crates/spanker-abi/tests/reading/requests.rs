// SPDX-License-Identifier: Apache-2.0
//! Request codes. Their encodings are in `targets.rs`.

use crate::scene::{constants, facts, requests, texts, NOTHING};

fn ioctl(text: &str) -> spanker_abi::model::Facts {
    facts(&format!(
        "#include <linux/types.h>\n#include <linux/ioctl.h>\nstruct a {{ __u32 n; }};\n{text}"
    ))
}

#[test]
fn a_code_says_what_its_size_was_taken_of() {
    let facts = ioctl(
        "typedef struct { __u64 a; } t; union u { __u16 a; };\n\
         #define A _IOR('k', 1, int)\n#define B _IOR('k', 2, __u8[16])\n\
         #define C _IOR('k', 3, t)\n#define D _IOR('k', 4, union u)\n\
         #define E _IOR('k', 5, struct a *)\n#define F _IOR('k', 6, struct a[2])\n\
         #define G _IOR('k', 7, char)",
    );
    assert_eq!(
        requests(&facts),
        [
            "A 0x80046b01 read 0x6b 1 4 s32",
            "B 0x80106b02 read 0x6b 2 16 u8[16]",
            "C 0x80086b03 read 0x6b 3 8 t",
            "D 0x80026b04 read 0x6b 4 2 union u",
            "E 0x80086b05 read 0x6b 5 8 struct a*",
            "F 0x80086b06 read 0x6b 6 8 struct a[2]",
            "G 0x80016b07 read 0x6b 7 1 s8",
        ]
    );
}

#[test]
fn a_code_whose_size_is_a_number_has_no_argument() {
    let facts = ioctl("#define A _IOC(_IOC_READ | _IOC_WRITE, 'k', 9, 24)");
    assert_eq!(requests(&facts), ["A 0xc0186b09 both 0x6b 9 24 -"]);
}

#[test]
fn a_code_whose_size_is_a_sizeof_is_one() {
    let facts = ioctl("#define A _IOC(_IOC_READ, 'k', 9, sizeof(struct a))");
    assert_eq!(requests(&facts), ["A 0x80046b09 read 0x6b 9 4 -"]);
}

#[test]
fn own_macros_that_make_codes_are_seen_through() {
    let facts = ioctl(
        "#define BASE 'd'\n#define K_IOWR(nr, type) _IOWR(BASE, nr, type)\n\
         #define DEEPER(nr) K_IOWR(0x40 + nr, struct a)\n\
         #define A K_IOWR(0x01, struct a)\n#define B DEEPER(2)",
    );
    assert_eq!(
        requests(&facts),
        ["A 0xc0046401 both 0x64 1 4 struct a", "B 0xc0046442 both 0x64 66 4 struct a"]
    );
    assert_eq!(constants(&facts), ["BASE 100 s32"]);
}

#[test]
fn an_alias_of_a_code_is_a_code() {
    let facts = ioctl("#define A _IOW('k', 1, struct a)\n#define B A\n#define C (B)");
    assert_eq!(
        requests(&facts),
        ["A", "B", "C"].map(|name| format!("{name} 0x40046b01 write 0x6b 1 4 struct a"))
    );
}

#[test]
fn what_is_computed_with_a_code_is_no_code() {
    let facts = ioctl(
        "#define A _IOW('k', 1, struct a)\n#define N _IOC_NR(A)\n#define S _IOC_SIZE(A)\n\
         #define P (A + 1)\n#define O (A | 0)\n#define Q (A == 5)\n#define L sizeof(A)",
    );
    assert_eq!(requests(&facts), ["A 0x40046b01 write 0x6b 1 4 struct a"]);
    let constants = constants(&facts);
    let found: Vec<&str> = constants.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(found, ["L 4", "N 1", "O 1074031361", "P 1074031362", "Q 0", "S 4"]);
}

#[test]
fn a_number_that_looks_like_a_code_is_a_constant() {
    let facts = ioctl("#define A 0x5401\n#define B 0x40046b01");
    assert_eq!(constants(&facts), ["A 21505 s32", "B 1074031361 s32"]);
    assert!(facts.requests.is_empty());
}

#[test]
fn a_choice_between_codes_is_decided() {
    let facts = ioctl(
        "#define A _IOW('k', 1, struct a)\n#define B _IOW('k', 2, struct a)\n\
         #define C (sizeof(long) == 8 ? A : B)",
    );
    assert!(requests(&facts).contains(&"C 0x40046b01 write 0x6b 1 4 struct a".to_owned()));
}

#[test]
fn a_code_cast_to_an_integer_is_no_worse_than_a_constant() {
    let facts = ioctl("#define A ((int)_IOR('k', 1, struct a))");
    assert_eq!(requests(&facts), NOTHING);
    assert_eq!(constants(&facts), ["A -2147194111 s32"]);
}

#[test]
fn a_code_of_a_type_that_is_only_declared_has_no_number() {
    let facts = ioctl("struct gone;\n#define A _IOW('k', 1, struct gone)");
    assert!(facts.requests.is_empty() && facts.constants.is_empty());
    assert_eq!(texts(&facts), ["A macro: _IOW ( 'k' , 1 , struct gone )"]);
}

#[test]
fn the_type_of_a_code_is_read_though_nothing_else_uses_it() {
    let folder = crate::scene::Folder::with(&[
        ("other/o.h", "struct o { int a; };"),
        ("h.h", "#include <linux/ioctl.h>\n#include <other/o.h>\n#define A _IOW('k', 1, struct o)"),
    ]);
    let facts = folder.facts();
    assert_eq!(facts.records.keys().collect::<Vec<_>>(), ["struct o"]);
}
