// SPDX-License-Identifier: Apache-2.0
//! What is added to the header tomorrow.

use crate::scene::Scene;
use spanker_layouts::question::{Fact, Question, Subject};

fn field(of: &str, name: &str, dimensions: usize) -> Subject {
    Subject::Field { of: of.to_owned(), name: name.to_owned(), dimensions }
}

#[track_caller]
fn assert_answer(scene: &Scene, subject: Subject, fact: Fact, expected: u64) {
    let question = Question { subject, fact };
    for answers in [scene.c(), scene.rust().map_err(String::from).expect("a mirror that has it")] {
        assert_eq!(answers.numbers.get(&question), Some(&expected), "{question:?}");
    }
}

/// Of a struct as it was before anything was added.
fn size_before(of: &str) -> u64 {
    let size = Question { subject: Subject::Struct(of.to_owned()), fact: Fact::Size };
    Scene::new(&format!("before_{of}")).c().numbers[&size]
}

#[test]
fn added_field_is_asked_about_and_missed_in_a_mirror_without_it() {
    let scene = Scene::new("added_field").change_header(
        "struct spanker_telemetry {",
        "mem_used;",
        "mem_used;\n\t__s16 added[2][3], beside;",
    );
    let missed = scene.text().other_names_than(&scene.parsed());
    let words = "struct spanker_telemetry, field added: in the header and not in the mirror";
    assert!(missed.iter().any(|found| found == words), "{missed:#?}");
    let refusal = scene.refusal();
    assert!(refusal.contains("no field `added` on type `spanker_telemetry`"), "{refusal}");

    let scene = scene.change_mirror(
        "struct spanker_telemetry {",
        "mem_used: __u64,",
        "mem_used: __u64,\n    pub added: [[i16; 3usize]; 2usize],\n    pub beside: i16,",
    );
    scene.assert_agreement();
    let end = size_before("spanker_telemetry");
    let added = || field("spanker_telemetry", "added", 2);
    assert_answer(&scene, added(), Fact::Offset, end);
    assert_answer(&scene, added(), Fact::Size, 12);
    assert_answer(&scene, added(), Fact::ElementSize, 2);
    assert_answer(&scene, added(), Fact::Signed, 1);
    assert_answer(&scene, field("spanker_telemetry", "beside", 0), Fact::Offset, end + 12);
}

#[test]
fn added_struct_is_asked_about_and_missed_in_a_mirror_without_it() {
    let declaration =
        "struct spanker_added {\n\tstruct spanker_operand two[2];\n\t__u8 type;\n};\n";
    let scene = Scene::new("added_struct").change_header(
        "#define SPANKER_QK_K",
        "#define",
        &format!("{declaration}#define"),
    );
    let missed = scene.text().other_names_than(&scene.parsed());
    assert_eq!(missed, ["struct spanker_added is in the header and not in the mirror"]);
    let refusal = scene.refusal();
    assert!(refusal.contains("`spanker_added`"), "{refusal}");

    let mirrored = "#[repr(C)]\npub struct spanker_added { pub two: [spanker_operand; 2usize], \
                    pub type_: __u8 }\n#[repr(C)]\n";
    let scene = scene.change_mirror("Default for spanker_block_q4_k", "#[repr(C)]\n", mirrored);
    scene.assert_agreement();
    let operands = 2 * size_before("spanker_operand");
    assert_answer(&scene, field("spanker_added", "two", 1), Fact::Size, operands);
    assert_answer(&scene, field("spanker_added", "type", 0), Fact::Offset, operands);
    // It is padded to a multiple of its alignment.
    let size = operands + 8;
    assert_answer(&scene, Subject::Struct("spanker_added".to_owned()), Fact::Size, size);
}

#[test]
fn added_constant_is_asked_about_and_missed_in_a_mirror_without_it() {
    let scene = Scene::new("added_constant").change_header(
        "#define SPANKER_QK_K",
        "#define",
        "#define SPANKER_ADDED \\\n\t(-SPANKER_QK_K * 3LL) /* not\n above 0 */\n#define",
    );
    let missed = scene.text().other_names_than(&scene.parsed());
    assert_eq!(missed, ["SPANKER_ADDED is in the header and not in the mirror"]);
    let refusal = scene.refusal();
    assert!(refusal.contains("`SPANKER_ADDED`"), "{refusal}");

    let scene = scene.change_mirror(
        "pub const SPANKER_QK_K",
        "pub const",
        "pub const SPANKER_ADDED: i32 = -768;\npub const",
    );
    scene.assert_agreement();
    let added = || Subject::Constant("SPANKER_ADDED".to_owned());
    assert_answer(&scene, added(), Fact::Value, 768_u64.wrapping_neg());
    assert_answer(&scene, added(), Fact::Negative, 1);
}

#[test]
fn added_request_is_asked_about_and_missed_in_a_mirror_without_it() {
    let scene = Scene::new("added_request").change_header(
        "#define SPANKER_QK_K",
        "#define",
        "#define SPANKER_IOC_ADDED _IOW(SPANKER_IOC_MAGIC, 0x7f, struct spanker_op)\n#define",
    );
    let missed = scene.text().other_names_than(&scene.parsed());
    assert_eq!(missed, ["SPANKER_IOC_ADDED is in the header and not in the mirror"]);
    let refusal = scene.refusal();
    assert!(refusal.contains("`SPANKER_IOC_ADDED`"), "{refusal}");

    let size = size_before("spanker_op");
    let subject = || Subject::Request {
        name: "SPANKER_IOC_ADDED".to_owned(),
        record: Some("spanker_op".to_owned()),
    };
    let c = scene.c();
    let of_c = |fact| c.numbers[&Question { subject: subject(), fact }];
    let taken_apart = [Fact::In, Fact::Out, Fact::Number, Fact::Carried].map(of_c);
    assert_eq!(taken_apart, [1, 0, 0x7f, size]);
    let mirrored = format!("pub const SPANKER_IOC_ADDED: u32 = {};\npub const", of_c(Fact::Code));
    let scene = scene.change_mirror("pub const SPANKER_QK_K", "pub const", &mirrored);
    scene.assert_agreement();
}

#[test]
fn what_only_a_mirror_has_is_named() {
    let scene = Scene::new("only_in_mirror")
        .change_mirror("struct spanker_wait {", "pub seqno", "pub left_over: __u32,\n    pub seqno")
        .change_mirror("pub const", "pub const", "pub const SPANKER_LEFT_OVER: u32 = 1;\npub const")
        .change_mirror(
            "#[repr(C)]",
            "#[repr(C)]",
            "pub struct left_over { pub it: u8 }\n#[repr(C)]",
        );
    assert_eq!(
        scene.text().other_names_than(&scene.parsed()),
        [
            "struct spanker_wait, field left_over: in the mirror and not in the header",
            "left_over is in the mirror and not in the header",
            "SPANKER_LEFT_OVER is in the mirror and not in the header",
        ]
    );
}
