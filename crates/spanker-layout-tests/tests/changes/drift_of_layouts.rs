// SPDX-License-Identifier: Apache-2.0
//! Each way in which a struct's layout can drift from its mirror.

use crate::scene::Scene;

#[test]
fn nothing_has_drifted_in_a_copy() {
    Scene::new("nothing").assert_agreement();
}

/// The struct's size stays, through padding.
#[test]
fn another_size_of_a_field_is_named() {
    Scene::new("field_size")
        .change_header("struct spanker_buf_destroy {", "__u32 flags", "__u16 flags")
        .assert_drift("struct spanker_buf_destroy, field flags: 2 bytes for C, 4 bytes for Rust");
}

#[test]
fn two_fields_swapped_in_the_mirror_are_named() {
    let scene = Scene::new("moved")
        .change_mirror("struct spanker_work_submit {", "op_count", "op_swapped")
        .change_mirror("struct spanker_work_submit {", "op_stride", "op_count")
        .change_mirror("struct spanker_work_submit {", "op_swapped", "op_stride");
    scene.assert_drift(
        "struct spanker_work_submit, field op_stride: at byte 12 for C, at byte 8 for Rust",
    );
    assert_eq!(
        scene.text().other_names_than(&scene.parsed()),
        ["struct spanker_work_submit: its fields are in the order ops, op_count, op_stride, flags, \
          bad_op, seqno in the header, and ops, op_stride, op_count, flags, bad_op, seqno in the \
          mirror"]
    );
}

#[test]
fn another_sign_of_a_field_is_named() {
    Scene::new("sign")
        .change_header("struct spanker_operand {", "__u32 type", "__s32 type")
        .assert_drift("struct spanker_operand, field type: signed for C, unsigned for Rust");
    Scene::new("sign_of_elements")
        .change_header("struct spanker_block_q8_k {", "__s8 qs", "__u8 qs")
        .assert_drift("struct spanker_block_q8_k, field qs: unsigned for C, signed for Rust");
}

#[test]
fn another_size_of_elements_is_named() {
    Scene::new("elements")
        .change_header("struct spanker_block_q4_k {", "__u8 qs[128]", "__le16 qs[64]")
        .assert_drift(
            "struct spanker_block_q4_k, field qs: elements of 2 bytes for C, elements of 1 byte \
             for Rust",
        );
}

/// The bytes of one array go to its neighbour.
#[test]
fn another_length_of_an_array_is_named() {
    Scene::new("length")
        .change_header("struct spanker_block_q4_k {", "scales[12]", "scales[8]")
        .change_header("struct spanker_block_q4_k {", "qs[128]", "qs[132]")
        .assert_drift("struct spanker_block_q4_k, field scales: 8 bytes for C, 12 bytes for Rust");
}

#[test]
fn another_size_of_a_struct_is_named() {
    Scene::new("struct_size")
        .change_header("struct spanker_version {", "__u16 reserved", "__u32 reserved")
        .assert_drift("struct spanker_version: 12 bytes for C, 8 bytes for Rust");
}

#[test]
fn another_alignment_of_a_struct_is_named() {
    let begin = "#[repr(C)]\n#[derive(Debug, Default, Copy, Clone, Hash, PartialEq, Eq)]\n\
                 pub struct spanker_buf_destroy {";
    Scene::new("alignment").change_mirror(begin, "repr(C)", "repr(C, align(16))").assert_drift(
        "struct spanker_buf_destroy: aligned to 4 bytes for C, aligned to 16 bytes for Rust",
    );
}

#[test]
fn field_that_is_another_struct_of_the_same_size_is_refused() {
    let scene = Scene::new("other_struct").change_mirror(
        "struct spanker_op {",
        "pub b: spanker_operand",
        "pub b: spanker_buf_create",
    );
    let refusal = scene.refusal();
    assert!(
        refusal.contains("spanker_operand") && refusal.contains("spanker_buf_create"),
        "{refusal}"
    );
}

#[test]
fn array_that_is_none_in_the_mirror_is_refused() {
    let refusal = Scene::new("no_array")
        .change_mirror("struct spanker_device_info {", "uuid: [__u8; 16usize]", "uuid: u128")
        .refusal();
    assert!(refusal.contains("cannot index into a value of type `u128`"), "{refusal}");
}
