// SPDX-License-Identifier: Apache-2.0
//! Layouts of structs and unions.

use crate::scene::{facts, facts_on, layout};

#[test]
fn fields_have_offset_size_and_type() {
    let facts = facts("#include <linux/types.h>\nstruct x { __u8 a; __s32 b; __u64 c; };");
    assert_eq!(layout(&facts, "struct x"), "16/8: a@0+1 u8, b@4+4 s32, c@8+8 u64");
}

#[test]
fn what_the_compiler_puts_between_fields_is_a_hole() {
    let facts = facts("struct x { char a; int b; char c; };");
    assert_eq!(facts.records["struct x"].holes(), [(8, 24), (72, 24)]);
}

#[test]
fn members_of_an_unnamed_struct_or_union_are_the_outer_ones() {
    let facts = facts("struct x { int a; union { int b; struct { short c, d; }; }; };");
    assert_eq!(layout(&facts, "struct x"), "8/4: a@0+4 s32, b@4+4 s32, c@4+2 s16, d@6+2 s16");
}

#[test]
fn members_of_a_named_one_without_a_tag_are_under_its_name() {
    let facts = facts("struct x { int a; union { struct { short c, d; } s; int b; } u; };");
    assert_eq!(
        layout(&facts, "struct x"),
        "8/4: a@0+4 s32, u.b@4+4 s32, u.s.c@4+2 s16, u.s.d@6+2 s16"
    );
}

#[test]
fn a_member_with_a_tag_is_one_field_and_its_type_a_record() {
    let facts = facts("struct x { int a; struct in { short c; } s[2]; struct in t; };");
    assert_eq!(layout(&facts, "struct x"), "12/4: a@0+4 s32, s@4+4 struct in[2], t@8+2 struct in");
    assert_eq!(layout(&facts, "struct in"), "2/2: c@0+2 s16");
}

#[test]
fn an_array_of_structs_without_a_tag_is_a_field_and_so_are_its_members() {
    let facts = facts("struct x { int n; struct { int a; char b[3]; } list[2][4]; };");
    assert_eq!(
        layout(&facts, "struct x"),
        "68/4: n@0+4 s32, list@4+64 struct[2][4], list[].a@4+4 s32, list[].b@8+3 u8[3]"
            .replace("u8", "s8")
    );
}

#[test]
fn a_flexible_array_takes_no_bytes_however_it_is_written() {
    for text in ["int a[];", "int a[0];", "int a[] __attribute__((aligned(4)));"] {
        let facts = facts(&format!("struct x {{ int n; {text} }};"));
        assert_eq!(layout(&facts, "struct x"), "4/4: n@0+4 s32, a@4+0 s32[]", "{text}");
    }
}

#[test]
fn a_flexible_array_of_structs_without_a_tag_has_its_members_too() {
    let facts = facts("struct x { int n; struct { int a, b; } list[]; };");
    assert_eq!(
        layout(&facts, "struct x"),
        "4/4: n@0+4 s32, list@4+0 struct[], list[].a@4+4 s32, list[].b@8+4 s32"
    );
}

#[test]
fn a_flexible_array_in_a_union_is_a_field_of_that_name() {
    let facts = facts(
        "#include <linux/types.h>\n#include <linux/stddef.h>\n\
         struct x { __u32 n; union { __u32 one; __DECLARE_FLEX_ARRAY(__u32, many); }; };",
    );
    assert_eq!(layout(&facts, "struct x"), "8/4: n@0+4 u32, many@4+0 u32[], one@4+4 u32");
}

#[test]
fn members_of_a_struct_group_are_reached_both_ways() {
    let facts = facts(
        "#include <linux/types.h>\n#include <linux/stddef.h>\n\
         struct x { __struct_group(head, h, , __u32 a; __u32 b;); __u64 c; };",
    );
    assert_eq!(
        layout(&facts, "struct x"),
        "16/8: a@0+4 u32, h@0+8 struct head, b@4+4 u32, c@8+8 u64"
    );
    assert_eq!(layout(&facts, "struct head"), "8/4: a@0+4 u32, b@4+4 u32");
}

#[test]
fn packed_and_aligned_are_heeded() {
    let facts = facts(
        "struct p { char a; int b; } __attribute__((packed));\n\
         struct q { char a; int b; } __attribute__((packed, aligned(4)));\n\
         struct r { char a; int b __attribute__((aligned(16))); };\n\
         struct s { int b; } __attribute__((aligned(64)));\n\
         #pragma pack(push, 2)\n\
         struct t { char a; int b; };\n\
         #pragma pack(pop)\n\
         struct u { char a; struct s s; };",
    );
    assert_eq!(layout(&facts, "struct p"), "5/1: a@0+1 s8, b@1+4 s32");
    assert_eq!(layout(&facts, "struct q"), "8/4: a@0+1 s8, b@1+4 s32");
    assert_eq!(layout(&facts, "struct r"), "32/16: a@0+1 s8, b@16+4 s32");
    assert_eq!(layout(&facts, "struct s"), "64/64: b@0+4 s32");
    assert_eq!(layout(&facts, "struct t"), "6/2: a@0+1 s8, b@2+4 s32");
    assert_eq!(layout(&facts, "struct u"), "128/64: a@0+1 s8, s@64+64 struct s");
}

#[test]
fn a_packed_struct_inside_keeps_its_own_layout() {
    let facts =
        facts("struct x { char a; struct { char b; int c; } __attribute__((packed)) in; };");
    assert_eq!(layout(&facts, "struct x"), "6/1: a@0+1 s8, in.b@1+1 s8, in.c@2+4 s32");
}

#[test]
fn a_union_is_one_and_as_large_as_its_largest_member() {
    let facts = facts("union x { char a[5]; int b; };");
    assert_eq!(layout(&facts, "union x"), "union 8/4: a@0+5 s8[5], b@0+4 s32");
}

#[test]
fn a_struct_without_a_tag_is_known_by_its_typedef() {
    let facts = facts("typedef struct { int a; } x_t; typedef union { int b; } u_t; struct y { x_t x; u_t u[2]; };");
    assert_eq!(layout(&facts, "x_t"), "4/4: a@0+4 s32");
    assert_eq!(layout(&facts, "u_t"), "union 4/4: b@0+4 s32");
    assert_eq!(layout(&facts, "struct y"), "12/4: x@0+4 x_t, u@4+8 u_t[2]");
    assert!(facts.typedefs.is_empty(), "{:?}", facts.typedefs);
}

#[test]
fn a_further_typedef_of_a_struct_is_a_typedef() {
    let facts =
        facts("typedef struct x { int a; } x_t, *x_p; typedef x_t y_t; typedef x_t z_t[3];");
    let typedefs: Vec<String> =
        facts.typedefs.iter().map(|(name, ty)| format!("{name} {}", ty.0)).collect();
    assert_eq!(typedefs, ["x_p struct x*", "x_t struct x", "y_t struct x", "z_t struct x[3]"]);
}

#[test]
fn types_are_what_they_are_and_not_how_they_are_spelt() {
    let facts = facts(
        "#include <linux/types.h>\ntypedef __u32 id_type; typedef id_type pair[2];\n\
         struct x { unsigned int a; __u32 b; const volatile id_type c; pair d; pair e[3]; };",
    );
    assert_eq!(
        layout(&facts, "struct x"),
        "44/4: a@0+4 u32, b@4+4 u32, c@8+4 u32, d@12+8 u32[2], e@20+24 u32[3][2]"
    );
}

#[test]
fn a_byte_order_is_part_of_a_type() {
    let facts = facts(
        "#include <linux/types.h>\ntypedef __be32 address;\n\
         struct x { __le16 a; __be16 b; address c; __le64 d[2]; };",
    );
    assert_eq!(
        layout(&facts, "struct x"),
        "24/8: a@0+2 le16, b@2+2 be16, c@4+4 be32, d@8+16 le64[2]"
    );
}

#[test]
fn pointers_bools_and_floats_are_told_apart() {
    let facts = facts(
        "struct y; struct x { void *a; const struct y *b; int (*c)(int); _Bool d; float e; \
         double f; int *g[2]; };",
    );
    assert_eq!(
        layout(&facts, "struct x"),
        "56/8: a@0+8 void*, b@8+8 struct y*, c@16+8 int (*)(int), d@24+1 bool, e@28+4 f32, f@32+8 f64, \
         g@40+16 s32*[2]"
    );
}

#[test]
fn an_empty_struct_has_no_bytes() {
    let facts = facts("struct x { };");
    assert_eq!(layout(&facts, "struct x"), "0/1: ");
}

#[test]
fn a_struct_of_many_levels_adds_its_offsets() {
    let facts = facts(
        "struct x { int p; struct { int q; union { struct { int r; struct { int s, t; } d; } c[2]; \
         } b; } a; };",
    );
    assert_eq!(
        layout(&facts, "struct x"),
        "32/4: p@0+4 s32, a.q@4+4 s32, a.b.c@8+24 struct[2], a.b.c[].r@8+4 s32, \
         a.b.c[].d.s@12+4 s32, a.b.c[].d.t@16+4 s32"
    );
}

#[test]
fn an_aligned_u64_is_aligned_where_a_u64_is_not() {
    let text = "#include <linux/types.h>\n\
                struct x { __u32 a; __u64 b; }; struct y { __u32 a; __aligned_u64 b; };\n\
                struct z { __u32 a; struct { __u64 b; } in; };";
    let facts = facts_on("i686", text);
    assert_eq!(layout(&facts, "struct x"), "12/4: a@0+4 u32, b@4+8 u64");
    assert_eq!(layout(&facts, "struct y"), "16/8: a@0+4 u32, b@8+8 u64");
    assert_eq!(layout(&facts, "struct z"), "12/4: a@0+4 u32, in.b@4+8 u64");
    let facts = facts_on("arm", text);
    assert_eq!(layout(&facts, "struct x"), "16/8: a@0+4 u32, b@8+8 u64");
}
