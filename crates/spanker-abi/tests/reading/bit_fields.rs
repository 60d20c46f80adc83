// SPDX-License-Identifier: Apache-2.0
//! Bit-fields, in bits.

use crate::scene::{facts, facts_on, layout};

const TEXT: &str = "struct x { unsigned int a : 3, b : 5; unsigned int : 4; unsigned int c : 20; \
                    unsigned char d : 2; };";

#[test]
fn bits_are_counted_from_the_least_significant_on_little_endian_targets() {
    for target in ["x86_64", "arm", "powerpc64le"] {
        let facts = facts_on(target, TEXT);
        assert_eq!(
            layout(&facts, "struct x"),
            "8/4: a@:0+:3 u32, b@:3+:5 u32, c@:12+:20 u32, d@:32+:2 u8",
            "{target}"
        );
    }
}

#[test]
fn bits_are_counted_as_the_compiler_does_on_big_endian_targets() {
    for target in ["s390x", "powerpc", "sparc64"] {
        let facts = facts_on(target, TEXT);
        assert_eq!(
            layout(&facts, "struct x"),
            "8/4: a@:0+:3 u32, b@:3+:5 u32, c@:12+:20 u32, d@:32+:2 u8",
            "{target}"
        );
    }
}

#[test]
fn a_bit_field_of_all_bits_stays_one() {
    let facts = facts("struct x { unsigned int a : 32; unsigned int b; };");
    assert_eq!(layout(&facts, "struct x"), "8/4: a@:0+:32 u32, b@4+4 u32");
}

#[test]
fn bits_without_a_name_are_a_hole() {
    let facts = facts("struct x { unsigned int a : 3, : 5, b : 24; };");
    assert_eq!(facts.records["struct x"].holes(), [(3, 5)]);
}

#[test]
fn a_width_of_0_begins_a_new_unit() {
    let facts = facts("struct x { unsigned char a : 3; unsigned char : 0; unsigned char b : 3; };");
    assert_eq!(layout(&facts, "struct x"), "2/1: a@:0+:3 u8, b@:8+:3 u8");
}

#[test]
fn bit_fields_inside_a_struct_without_a_tag_have_a_path() {
    let facts = facts("struct x { int n; struct { unsigned int a : 3, b : 5; } in; };");
    assert_eq!(layout(&facts, "struct x"), "8/4: n@0+4 s32, in.a@:32+:3 u32, in.b@:35+:5 u32");
}

#[test]
fn bit_fields_of_a_packed_struct_are_packed() {
    let facts = facts("struct x { char a; unsigned int b : 12; char c; } __attribute__((packed));");
    assert_eq!(layout(&facts, "struct x"), "4/1: a@0+1 s8, b@:8+:12 u32, c@3+1 s8");
}
