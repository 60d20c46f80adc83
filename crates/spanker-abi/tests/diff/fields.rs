// SPDX-License-Identifier: Apache-2.0
//! What happens to fields.

use spanker_abi::diff::Class::{Additive, Breaking, Neutral};
use spanker_abi::model::{Record, RecordKind};

use crate::build::{changes, extensible, record, requires, union, with};

#[test]
fn a_record_that_stays_is_no_change() {
    requires(record(&["u32 a", "u64 b"]), record(&["u32 a", "u64 b"]), &[]);
}

#[test]
fn a_field_that_grows_or_shrinks_is_breaking_also_when_nothing_moves() {
    let old = record(&["u32 a", "u64 b"]);
    let resized = [(Breaking, "field-resized", "struct x.a")];
    requires(old.clone(), record(&["u64 a", "u64 b"]), &resized);
    requires(old.clone(), record(&["u16 a", "u64 b"]), &resized);
}

#[test]
fn a_field_of_another_type_sign_or_byte_order_is_breaking() {
    let old = record(&["u32 a"]);
    requires(old.clone(), record(&["s32 a"]), &[(Breaking, "field-sign", "struct x.a")]);
    requires(old.clone(), record(&["le32 a"]), &[(Breaking, "field-byte-order", "struct x.a")]);
    requires(old.clone(), record(&["f32 a"]), &[(Breaking, "field-retyped", "struct x.a")]);
    requires(old.clone(), record(&["u16[2] a"]), &[(Breaking, "field-retyped", "struct x.a")]);
    requires(old, record(&["u32 a:32"]), &[(Breaking, "field-retyped", "struct x.a")]);
}

#[test]
fn an_insertion_is_one_change_that_names_what_it_moves() {
    let old = record(&["u32 a", "u32 b", "u32 c"]);
    let new = record(&["u32 a", "u32 n", "u32 b", "u32 c"]);
    requires(old.clone(), new.clone(), &[(Breaking, "field-inserted", "struct x.n")]);
    let changes = changes(&with(old), &with(new));
    assert!(
        changes[0].reason.contains("it moves b (offset 4 → 8) and c (offset 8 → 12)"),
        "{}",
        changes[0].reason
    );
    assert!(changes[0].reason.contains("16 bytes instead of 12 bytes"), "{}", changes[0].reason);
}

#[test]
fn each_of_two_insertions_names_what_it_moves() {
    let old = with(record(&["u32 a", "u32 b", "u32 c"]));
    let new = with(record(&["u32 a", "u32 m", "u32 b", "u32 n", "u32 c"]));
    let changes = changes(&old, &new);
    let moves = |item: &str, moved: &str| {
        let change = changes.iter().find(|change| change.item == item).unwrap();
        assert!(change.reason.contains(moved), "{}", change.reason);
    };
    assert_eq!(changes.len(), 2);
    moves("struct x.m", "it moves b (offset 4 → 8);");
    moves("struct x.n", "it moves c (offset 8 → 16)");
}

#[test]
fn an_insertion_that_padding_absorbs_is_breaking() {
    requires(
        record(&["u32 a", "u32 b", "u32 c", "u32 pad"]),
        record(&["u32 a", "u32 n", "u32 b", "u32 c"]),
        &[(Breaking, "field-inserted", "struct x.n")],
    );
    requires(
        record(&["u32 a", "u32 b", "u64 c"]),
        record(&["u16 n", "u32 a", "u32 b", "u64 c"]),
        &[(Breaking, "field-inserted", "struct x.n")],
    );
}

#[test]
fn what_is_reserved_at_the_end_moves_with_the_rest() {
    requires(
        record(&["u32 a", "u32 b", "u32 pad"]),
        record(&["u64 a", "u32 b", "u32 pad"]),
        &[(Breaking, "field-resized", "struct x.a")],
    );
}

#[test]
fn an_insertion_further_than_what_it_moves_is_seen() {
    requires(
        record(&["u32 a", "u32 b"]),
        record(&["u32 a", "u64 n", "u32 b"]),
        &[(Breaking, "field-inserted", "struct x.n")],
    );
}

#[test]
fn a_removal_is_one_change_that_names_what_it_moves() {
    let old = record(&["u32 a", "u32 b", "u32 c"]);
    requires(
        old.clone(),
        record(&["u32 a", "u32 c"]),
        &[(Breaking, "field-removed", "struct x.b")],
    );
    requires(
        old.clone(),
        record(&["u32 a", "u32 b"]),
        &[(Breaking, "field-removed", "struct x.c")],
    );
    requires(
        old,
        record(&["u32 a", "u32 reserved", "u32 c"]),
        &[(Breaking, "field-removed", "struct x.b")],
    );
}

#[test]
fn a_removal_whose_bytes_become_padding_is_breaking() {
    requires(
        record(&["u32 a", "u32 b", "u64 c"]),
        record(&["u32 a", "u64 c"]),
        &[(Breaking, "field-removed", "struct x.b")],
    );
}

#[test]
fn fields_that_change_places_are_breaking() {
    requires(
        record(&["u32 a", "u32 b", "u64 c"]),
        record(&["u32 b", "u32 a", "u64 c"]),
        &[(Breaking, "field-moved", "struct x.a"), (Breaking, "field-moved", "struct x.b")],
    );
}

#[test]
fn a_live_field_that_changes_places_with_a_reserved_one_is_breaking() {
    requires(
        record(&["u32 a", "u32 reserved"]),
        record(&["u32 reserved", "u32 a"]),
        &[(Breaking, "field-moved", "struct x.a")],
    );
}

#[test]
fn a_field_that_moves_into_a_pad_that_shrinks_is_breaking() {
    requires(
        record(&["u8 a", "u8[3] pad", "u16 b", "u16 c"]),
        record(&["u8 a", "u8 pad", "u16 b", "u16 c", "u16 reserved"]),
        &[(Breaking, "reserved-removed", "struct x.pad")],
    );
}

#[test]
fn a_field_that_splits_in_two_is_one_change() {
    let old = record(&["u64 a"]);
    requires(
        old.clone(),
        record(&["u32 lo", "u32 hi"]),
        &[(Breaking, "field-removed", "struct x.a")],
    );
    requires(old, record(&["u32 a", "u32 hi"]), &[(Breaking, "field-resized", "struct x.a")]);
}

#[test]
fn two_fields_that_join_are_breaking() {
    requires(
        record(&["u32 lo", "u32 hi"]),
        Record { align: 4, ..record(&["u64 a"]) },
        &[(Breaking, "field-removed", "struct x.hi"), (Breaking, "field-removed", "struct x.lo")],
    );
}

#[test]
fn a_rename_of_a_live_field_is_one_breaking_change() {
    requires(
        record(&["u32 a", "u32 b"]),
        record(&["u32 a", "u32 c"]),
        &[(Breaking, "field-renamed", "struct x.b")],
    );
}

#[test]
fn a_rename_of_an_inner_struct_is_one_change() {
    requires(
        record(&["u32 u.a", "u32 u.b.c"]),
        record(&["u32 v.a", "u32 v.b.c"]),
        &[(Breaking, "field-renamed", "struct x.u")],
    );
}

#[test]
fn a_reserved_field_may_be_renamed_and_put_to_use() {
    let old = record(&["u32 a", "u32 reserved"]);
    requires(
        old.clone(),
        record(&["u32 a", "u32 pad"]),
        &[(Neutral, "reserved-renamed", "struct x.reserved")],
    );
    requires(
        old,
        record(&["u32 a", "u32 flags"]),
        &[(Additive, "reserved-used", "struct x.flags")],
    );
}

#[test]
fn a_part_of_a_reserved_array_may_be_put_to_use() {
    let old = record(&["u32 a", "u32[3] reserved"]);
    let used = [(Additive, "reserved-used", "struct x.b")];
    requires(old.clone(), record(&["u32 a", "u32 b", "u32[2] reserved"]), &used);
    requires(old.clone(), record(&["u32 a", "u32[2] reserved", "u32 b"]), &used);
    requires(old.clone(), record(&["u32 a", "u32 pad", "u32 b", "u32 reserved"]), &used);
    requires(
        old,
        record(&["u32 a", "u16 b", "u16 pad", "u32 c", "u32 reserved"]),
        &[(Additive, "reserved-used", "struct x.b"), (Additive, "reserved-used", "struct x.c")],
    );
}

#[test]
fn a_reserved_bit_may_be_put_to_use() {
    requires(
        record(&["u32 a:1", "u32 reserved:31"]),
        record(&["u32 a:1", "u32 b:2", "u32 reserved:29"]),
        &[(Additive, "reserved-used", "struct x.b")],
    );
    requires(
        record(&["u32 a:1", "u32 b:1", "u32 reserved:30"]),
        record(&["u32 b:1", "u32 a:1", "u32 reserved:30"]),
        &[(Breaking, "field-moved", "struct x.a"), (Breaking, "field-moved", "struct x.b")],
    );
}

#[test]
fn putting_reserved_bytes_to_use_may_not_change_the_alignment() {
    requires(
        record(&["u32 a", "u32 b", "u32[2] reserved"]),
        record(&["u32 a", "u32 b", "u64 c"]),
        &[(Breaking, "align-changed", "struct x"), (Additive, "reserved-used", "struct x.c")],
    );
}

#[test]
fn reserved_bytes_may_not_become_padding() {
    requires(
        record(&["u32 a", "u32 reserved", "u64 b"]),
        record(&["u32 a", "u64 b"]),
        &[(Breaking, "reserved-removed", "struct x.reserved")],
    );
    requires(
        record(&["u32 a", "u32[2] reserved"]),
        record(&["u32 a", "u16 b", "u32 reserved"]),
        &[
            (Breaking, "reserved-removed", "struct x.reserved"),
            (Additive, "reserved-used", "struct x.b"),
        ],
    );
}

#[test]
fn a_reserved_field_may_change_its_type() {
    requires(
        record(&["u32 a", "u32 reserved"]),
        record(&["u32 a", "u8[4] reserved"]),
        &[(Neutral, "reserved-reshaped", "struct x.reserved")],
    );
}

#[test]
fn padding_may_get_a_name_and_no_use() {
    let old = record(&["u32 a", "u64 b"]);
    requires(
        old.clone(),
        record(&["u32 a", "u32 pad", "u64 b"]),
        &[(Neutral, "padding-explicit", "struct x.pad")],
    );
    requires(
        old,
        record(&["u32 a", "u32 c", "u64 b"]),
        &[(Breaking, "padding-used", "struct x.c")],
    );
}

#[test]
fn padding_at_the_end_is_no_room_to_grow() {
    requires(
        extensible(&["u64 a", "u32 b"]),
        extensible(&["u64 a", "u32 b", "u32 c"]),
        &[(Breaking, "padding-used", "struct x.c")],
    );
    requires(
        extensible(&["u64 a", "u32 b"]),
        extensible(&["u64 a", "u32 b", "u32 pad", "u64 c"]),
        &[(Additive, "struct-grown", "struct x"), (Neutral, "padding-explicit", "struct x.pad")],
    );
}

#[test]
fn only_an_extensible_struct_may_grow_at_its_end() {
    let (old, new) = (["u64 a"], ["u64 a", "u32 b", "u32 pad"]);
    requires(extensible(&old), extensible(&new), &[(Additive, "struct-grown", "struct x")]);
    requires(record(&old), record(&new), &[(Breaking, "struct-grown", "struct x")]);
    requires(
        record(&old),
        extensible(&new),
        &[(Breaking, "struct-grown", "struct x"), (Additive, "extensible-declared", "struct x")],
    );
    requires(
        extensible(&old),
        record(&new),
        &[(Breaking, "extensible-withdrawn", "struct x"), (Breaking, "struct-grown", "struct x")],
    );
}

#[test]
fn an_extensible_struct_that_grows_keeps_what_it_had() {
    requires(
        extensible(&["u32 a", "u32 b"]),
        extensible(&["u32 b", "u32 a", "u64 c"]),
        &[
            (Breaking, "struct-grown", "struct x"),
            (Breaking, "field-moved", "struct x.a"),
            (Breaking, "field-moved", "struct x.b"),
        ],
    );
}

#[test]
fn growth_by_reserved_bytes_is_growth() {
    requires(
        extensible(&["u32 a", "u32[3] reserved"]),
        extensible(&["u32 a", "u32[5] reserved"]),
        &[(Additive, "struct-grown", "struct x")],
    );
    requires(
        record(&["u32 a", "u32[3] reserved"]),
        record(&["u32 a", "u32[5] reserved"]),
        &[(Breaking, "struct-grown", "struct x")],
    );
}

#[test]
fn a_size_that_changes_without_a_field_is_breaking() {
    let old = extensible(&["u32 a"]);
    let larger = Record { size: Some(8), ..old.clone() };
    requires(old.clone(), larger.clone(), &[(Breaking, "size-changed", "struct x")]);
    requires(larger, old.clone(), &[(Breaking, "size-changed", "struct x")]);
    let aligned = Record { align: 2, ..old.clone() };
    requires(old, aligned, &[(Breaking, "align-changed", "struct x")]);
}

#[test]
fn packing_is_one_change() {
    let old = record(&["u8 a", "u32 b", "u64 c"]);
    let mut new = Record { align: 1, size: Some(13), ..old.clone() };
    new.fields[1].offset_bits = 8;
    new.fields[2].offset_bits = 40;
    requires(old, new, &[(Breaking, "align-changed", "struct x")]);
}

#[test]
fn a_union_may_have_a_new_member_and_not_a_larger_one() {
    let old = record(&["u32 kind", "u64 a"]);
    requires(
        old.clone(),
        record(&["u32 kind", "u64 a", "=8", "u32 b"]),
        &[(Additive, "union-member-added", "struct x.b")],
    );
    requires(
        old.clone(),
        record(&["u32 kind", "u64 a", "=8", "u64[2] b"]),
        &[(Breaking, "union-grown", "struct x.b")],
    );
    requires(
        old,
        record(&["u32 kind", "u64 a", "=8", "u32 b", "u64 c"]),
        &[(Breaking, "struct-grown", "struct x"), (Breaking, "union-grown", "struct x.b")],
    );
    let old = union(&["u8 a", "u64 b"]);
    requires(
        old.clone(),
        union(&["u8 a", "u64 b", "u16 c"]),
        &[(Additive, "union-member-added", "struct x.c")],
    );
    requires(
        old.clone(),
        union(&["u8 a", "u64 b", "u64[2] c"]),
        &[(Breaking, "union-grown", "struct x.c")],
    );
    requires(old, union(&["u8 a", "s64 b"]), &[(Breaking, "field-sign", "struct x.b")]);
}

#[test]
fn a_new_inner_struct_of_a_union_may_use_the_holes_of_the_others() {
    requires(
        record(&["u32 kind", "u8 a.x", "u32 a.y"]),
        record(&["u32 kind", "u8 a.x", "u32 a.y", "=4", "u8 b.p", "u8 b.q"]),
        &[(Additive, "union-member-added", "struct x.b")],
    );
}

#[test]
fn reserved_room_of_a_union_may_be_given_to_a_new_member() {
    requires(
        record(&["u32 a", "=0", "u64 reserved"]),
        record(&["u32 a", "=0", "u64 reserved", "=0", "u64 b"]),
        &[(Additive, "union-member-added", "struct x.b")],
    );
}

#[test]
fn a_flexible_array_that_comes_or_goes_is_unjudged() {
    let (without, with) = (record(&["u32 n"]), record(&["u32 n", "u32[] data"]));
    requires(without.clone(), with.clone(), &[(Breaking, "unjudged", "struct x.data")]);
    requires(with, without, &[(Breaking, "unjudged", "struct x.data")]);
}

fn with_stride(ty: &str, stride: Option<u64>) -> Record {
    let mut record = record(&["u32 n", "=4", &format!("{ty} data")]);
    record.fields[1].stride = stride;
    record
}

#[test]
fn the_elements_of_an_array_without_a_length_stay_as_far_apart() {
    let old = || with_stride("struct of_8[]", Some(8));
    let resized = [(Breaking, "field-resized", "struct x.data")];
    requires(old(), with_stride("struct of_8[]", Some(12)), &resized);
    requires(old(), with_stride("struct of_8[0]", Some(12)), &resized);
    requires(
        old(),
        with_stride("struct of_8[0]", Some(8)),
        &[(Neutral, "field-respelled", "struct x.data")],
    );
    requires(old(), with_stride("struct of_8[]", None), &[(Breaking, "unjudged", "struct x.data")]);
    let reason = &changes(&with(old()), &with(with_stride("struct of_8[]", Some(12))))[0].reason;
    assert!(reason.contains("12 bytes instead of 8 bytes"), "{reason}");
}

#[test]
fn a_struct_cannot_grow_over_its_flexible_array() {
    requires(
        extensible(&["u32 n", "u32[] data"]),
        extensible(&["u32 n", "u32 m", "u32[] data"]),
        &[(Breaking, "field-inserted", "struct x.m")],
    );
    requires(
        extensible(&["u32 n", "u32[] data"]),
        extensible(&["u32 n", "u32[] data", "=4", "u32 m"]),
        &[(Breaking, "struct-grown", "struct x")],
    );
}

#[test]
fn an_array_of_inner_structs_is_judged_as_a_whole() {
    let old = record(&["u32 n", "u64[4] list", "=8", "u32 list[].a", "u32 list[].b"]);
    let shorter =
        record(&["u32 n", "u64[3] list", "=8", "u32 list[].a", "u32 list[].b", "=32", "u8[8] pad"]);
    requires(old.clone(), shorter, &[(Breaking, "field-resized", "struct x.list")]);
    let renamed = record(&["u32 n", "u64[4] all", "=8", "u32 all[].a", "u32 all[].b"]);
    requires(old.clone(), renamed, &[(Breaking, "field-renamed", "struct x.list")]);
    let without = record(&["u32 n", "u8[36] pad"]);
    let without = Record { align: 8, ..without };
    requires(old, without, &[(Breaking, "field-removed", "struct x.list")]);
}

#[test]
fn a_struct_that_became_a_union_is_breaking() {
    let old = record(&["u32 a"]);
    let new = Record { kind: RecordKind::Union, ..old.clone() };
    requires(old, new, &[(Breaking, "record-kind-changed", "struct x")]);
}

#[test]
fn a_record_that_has_a_name_twice_is_unjudged() {
    let twice = record(&["u32 a", "u32 a"]);
    requires(
        record(&["u32 a"]),
        twice,
        &[(Breaking, "unjudged", "struct x"), (Breaking, "unjudged", "struct x.a")],
    );
}
