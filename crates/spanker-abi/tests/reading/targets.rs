// SPDX-License-Identifier: Apache-2.0
//! What differs between targets.

use crate::scene::{abi, constants, facts_on, layout, requests};
use spanker_abi::Target;

#[test]
fn a_long_and_a_pointer_have_the_width_of_the_target() {
    for (target, expected) in [
        ("x86_64", "16/8: a@0+8 s64, b@8+8 void*"),
        ("s390x", "16/8: a@0+8 s64, b@8+8 void*"),
        ("i686", "8/4: a@0+4 s32, b@4+4 void*"),
        ("arm", "8/4: a@0+4 s32, b@4+4 void*"),
        ("riscv32", "8/4: a@0+4 s32, b@4+4 void*"),
    ] {
        let facts = facts_on(target, "struct x { long a; void *b; };");
        assert_eq!(layout(&facts, "struct x"), expected, "{target}");
    }
}

#[test]
fn a_char_has_the_sign_of_the_target() {
    for (target, sign) in [
        ("x86_64", "s8"),
        ("i686", "s8"),
        ("mips64el", "s8"),
        ("arm", "u8"),
        ("aarch64", "u8"),
        ("s390x", "u8"),
        ("powerpc64le", "u8"),
        ("riscv64", "u8"),
    ] {
        let text = "struct x { char a; signed char b; unsigned char c; char d[2]; };\n\
                    #define CHAR ((char)-1)";
        let facts = facts_on(target, text);
        let expected = format!("5/1: a@0+1 {sign}, b@1+1 s8, c@2+1 u8, d@3+2 {sign}[2]");
        assert_eq!(layout(&facts, "struct x"), expected, "{target}");
        let value = if sign == "s8" { "-1" } else { "255" };
        assert_eq!(constants(&facts), [format!("CHAR {value} {sign}")], "{target}");
    }
}

#[test]
fn request_codes_are_encoded_as_the_target_does() {
    let text = "#include <linux/ioctl.h>\nstruct x { int a[4]; };\n\
                #define A _IO('s', 1)\n#define B _IOR('s', 2, struct x)\n\
                #define C _IOW('s', 3, struct x)\n#define D _IOWR('s', 4, struct x)";
    for target in ["x86_64", "i686", "arm", "aarch64", "riscv64", "s390x"] {
        assert_eq!(
            requests(&facts_on(target, text)),
            [
                "A 0x00007301 none 0x73 1 0 -",
                "B 0x80107302 read 0x73 2 16 struct x",
                "C 0x40107303 write 0x73 3 16 struct x",
                "D 0xc0107304 both 0x73 4 16 struct x",
            ],
            "{target}"
        );
    }
    for target in ["powerpc64le", "powerpc", "mips64el", "mips", "sparc64"] {
        assert_eq!(
            requests(&facts_on(target, text)),
            [
                "A 0x20007301 none 0x73 1 0 -",
                "B 0x40107302 read 0x73 2 16 struct x",
                "C 0x80107303 write 0x73 3 16 struct x",
                "D 0xc0107304 both 0x73 4 16 struct x",
            ],
            "{target}"
        );
    }
}

#[test]
fn sizes_in_codes_are_those_of_the_target() {
    let text = "#include <linux/ioctl.h>\n#define A _IOR('s', 2, long)";
    assert_eq!(requests(&facts_on("x86_64", text)), ["A 0x80087302 read 0x73 2 8 s64"]);
    assert_eq!(requests(&facts_on("arm", text)), ["A 0x80047302 read 0x73 2 4 s32"]);
}

#[test]
fn what_is_declared_for_some_targets_is_a_fact_of_these() {
    let text = "int here;\n#ifdef __s390x__\nstruct x { int a; };\n#define Y 1\n#endif";
    let abi = abi(text, &["s390x", "x86_64"]);
    assert!(abi.targets["s390x"].records.contains_key("struct x"));
    assert!(abi.targets["s390x"].constants.contains_key("Y"));
    assert!(abi.targets["x86_64"].records.is_empty());
    assert!(abi.targets["x86_64"].constants.is_empty());
}

#[test]
fn every_known_target_reads_the_types_of_the_kernel() {
    let targets: Vec<String> = Target::known().map(|target| target.name().to_owned()).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let text = "#include <linux/types.h>\nstruct x { __u8 a; __u16 b; __s32 c; __aligned_u64 d; };";
    let abi = abi(text, &targets);
    assert_eq!(abi.targets.len(), targets.len());
    for (target, facts) in &abi.targets {
        assert_eq!(
            layout(facts, "struct x"),
            "16/8: a@0+1 u8, b@2+2 u16, c@4+4 s32, d@8+8 u64",
            "{target}"
        );
    }
}

#[test]
fn a_target_has_one_name_however_it_is_called() {
    for name in ["s390x", "s390x-linux-gnu", "s390x-unknown-linux-gnu"] {
        assert_eq!(Target::named(name).unwrap().name(), "s390x");
    }
}

#[test]
fn a_triple_that_is_not_known_is_asked_of_clang() {
    let facts = facts_on("x86_64-linux-gnux32", "struct x { long a; void *b; };");
    assert_eq!(layout(&facts, "struct x"), "8/4: a@0+4 s32, b@4+4 void*");
}
