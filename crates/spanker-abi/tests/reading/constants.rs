// SPDX-License-Identifier: Apache-2.0
//! Macros that have a value.

use crate::scene::{constants, facts, facts_on, texts, NOTHING};

#[test]
fn an_integer_has_the_type_that_c_gives_it() {
    let facts = facts(
        "#define A 1\n#define B 1U\n#define C 0xffffffff\n#define D 0x100000000\n#define E 1ULL\n\
         #define F 'x'\n#define G (1 << 4)\n#define H 017\n#define I sizeof(int)",
    );
    assert_eq!(
        constants(&facts),
        [
            "A 1 s32",
            "B 1 u32",
            "C 4294967295 u32",
            "D 4294967296 s64",
            "E 1 u64",
            "F 120 s32",
            "G 16 s32",
            "H 15 s32",
            "I 4 u64",
        ]
    );
}

#[test]
fn negative_numbers_keep_their_sign() {
    let facts = facts(
        "#define A -1\n#define B (-2147483647 - 1)\n#define C (~0)\n#define D (-1LL)\n\
         #define E ((short)0x8000)\n#define F (-9223372036854775807LL - 1)",
    );
    assert_eq!(
        constants(&facts),
        [
            "A -1 s32",
            "B -2147483648 s32",
            "C -1 s32",
            "D -1 s64",
            "E -32768 s16",
            "F -9223372036854775808 s64",
        ]
    );
}

#[test]
fn all_64_bits_are_kept() {
    let facts = facts(
        "#define A 0xffffffffffffffff\n#define B (~0ULL)\n#define C (1ULL << 63)\n\
         #define D 0x7fffffffffffffff\n#define E ((unsigned int)-1)\n#define F (-1UL)",
    );
    assert_eq!(
        constants(&facts),
        [
            "A 18446744073709551615 u64",
            "B 18446744073709551615 u64",
            "C 9223372036854775808 u64",
            "D 9223372036854775807 s64",
            "E 4294967295 u32",
            "F 18446744073709551615 u64",
        ]
    );
}

#[test]
fn an_unsigned_long_is_as_wide_as_the_target_has_it() {
    let facts = facts_on("i686", "#define A (~0UL)\n#define B 0x80000000UL\n#define C (-1L)");
    assert_eq!(constants(&facts), ["A 4294967295 u32", "B 2147483648 u32", "C -1 s32"]);
}

#[test]
fn floats_and_strings_have_values() {
    let facts = facts(
        "#define A 1.5\n#define B 0.1f\n#define C \"a \\\"b\\\"\\n\"\n#define D \"x\" \"y\"\n\
         #define F \"\"\n#define G (1.0 / 4)",
    );
    assert_eq!(
        constants(&facts),
        [
            "A 1.5 f64",
            "B 0.10000000149011612 f32",
            "C \"a \\\"b\\\"\\n\" string",
            "D \"xy\" string",
            "F \"\" string",
            "G 0.25 f64",
        ]
    );
}

#[test]
fn sizes_and_offsets_in_macros_are_computed() {
    let facts = facts(
        "#include <linux/types.h>\n#include <stddef.h>\nstruct x { __u8 a; __u64 b; };\n\
         #define SIZE sizeof(struct x)\n#define AT offsetof(struct x, b)\n\
         #define COUNT (sizeof(struct x) / sizeof(__u32))\n#define FITS (SIZE < 64)",
    );
    assert_eq!(constants(&facts), ["AT 8 u64", "COUNT 4 u64", "FITS 1 s32", "SIZE 16 u64"]);
}

#[test]
fn macros_that_use_other_macros_are_evaluated() {
    let facts = facts(
        "#define LATER (FIRST + 1)\n#define BIT(n) (1U << (n))\n#define FIRST 4\n\
         #define FLAG BIT(FIRST)",
    );
    assert_eq!(constants(&facts), ["FIRST 4 s32", "FLAG 16 u32", "LATER 5 s32"]);
    assert_eq!(texts(&facts), ["BIT macro with parameters: ( n ) ( 1U << ( n ) )"]);
}

#[test]
fn the_last_definition_counts() {
    let facts = facts("#define A 1\n#undef A\n#define A 2\n#define B 3\n#undef B\n#define B 4");
    assert_eq!(constants(&facts), ["A 2 s32", "B 4 s32"]);
}

#[test]
fn what_is_undefined_again_is_no_fact() {
    let facts = facts("#define A 1\n#undef A\n#define B 2");
    assert_eq!(constants(&facts), ["B 2 s32"]);
    assert_eq!(texts(&facts), NOTHING);
}

#[test]
fn what_has_parameters_or_is_text_and_undefined_again_is_no_fact() {
    let facts = facts(
        "#define A(x) (x)\n#undef A\n#define B {\n#undef B\n#define C\n#undef C\n#define D 2",
    );
    assert_eq!(constants(&facts), ["D 2 s32"]);
    assert_eq!(texts(&facts), NOTHING);
}

#[test]
fn a_variable_of_the_header_has_no_constant() {
    let facts = facts("extern int a;\n#define A a\n#define B (a + 1)\n#define C &a");
    assert_eq!(constants(&facts), NOTHING);
    assert_eq!(
        texts(&facts),
        ["A macro: a", "B macro: ( a + 1 )", "C macro: & a", "a variable: extern int a"]
    );
}

#[test]
fn two_values_with_a_comma_are_no_value() {
    let facts = facts("#define A 1, 2\n#define B (1, 2)\n#define C 3");
    assert_eq!(constants(&facts), ["B 2 s32", "C 3 s32"]);
    assert_eq!(texts(&facts), ["A macro: 1 , 2"]);
}

#[test]
fn a_null_pointer_is_no_number() {
    let facts = facts("#define A ((void *)0)");
    assert_eq!(constants(&facts), NOTHING);
    assert_eq!(texts(&facts), ["A macro: ( ( void * ) 0 )"]);
}
