// SPDX-License-Identifier: Apache-2.0
//! Each way in which a constant or a request can drift from its mirror.

use crate::scene::Scene;

#[test]
fn another_value_of_a_constant_is_named() {
    let scene = Scene::new("constant").change_header("#define SPANKER_TYPE_Q8_K", "15", "(1 << 4)");
    let words =
        |who| format!("constant SPANKER_TYPE_Q8_K: the value 0x10 for C, the value 0xf for {who}");
    scene.assert_drift(&words("Rust"));
    scene.assert_written_otherwise(&words("the mirror"));
}

#[test]
fn another_sign_of_a_constant_is_named() {
    let scene = Scene::new("constant_sign")
        .change_header("#define SPANKER_DEADLINE_NEVER", "0x7fffffffffffffffLL", "-1")
        .change_mirror(
            "const SPANKER_DEADLINE_NEVER",
            "9223372036854775807",
            "18446744073709551615",
        );
    // The 64 bits are the same.
    let words =
        |who| format!("constant SPANKER_DEADLINE_NEVER: below 0 for C, not below 0 for {who}");
    scene.assert_drift(&words("Rust"));
    scene.assert_written_otherwise(&words("the mirror"));
}

#[test]
fn another_number_of_a_request_is_named() {
    Scene::new("number")
        .change_header("#define SPANKER_IOC_BUF_DESTROY", "0x21", "0x22")
        .assert_written_otherwise(
        "request SPANKER_IOC_BUF_DESTROY: the number 0x22 for C, the number 0x21 for the mirror",
    );
}

#[test]
fn another_direction_of_a_request_is_named() {
    let scene =
        Scene::new("direction").change_header("#define SPANKER_IOC_BUF_DESTROY", "_IOW(", "_IOR(");
    let request = "request SPANKER_IOC_BUF_DESTROY";
    scene.assert_written_otherwise(&format!(
        "{request}: no data to the device for C, data to the device for the mirror"
    ));
    scene.assert_written_otherwise(&format!(
        "{request}: data to the caller for C, no data to the caller for the mirror"
    ));
}

#[test]
fn another_type_of_a_request_is_named() {
    Scene::new("magic")
        .change_header("#define SPANKER_IOC_PING", "SPANKER_IOC_MAGIC", "0xE4")
        .assert_written_otherwise(
            "request SPANKER_IOC_PING: the magic 0xe4 for C, the magic 0xe3 for the mirror",
        );
}

/// rustc has the size of the struct and not what bindgen wrote, so it agrees
/// with C where the mirror is right and its code is not.
#[test]
fn another_size_of_a_request_is_named() {
    Scene::new("carried")
        .change_header("#define SPANKER_IOC_WAIT", "struct spanker_wait", "struct spanker_op")
        .assert_written_otherwise(
            "request SPANKER_IOC_WAIT: carrying 96 bytes for C, carrying 32 bytes for the mirror",
        );
    Scene::new("carried_struct")
        .change_mirror("struct spanker_wait {", "pub flags: __u32", "pub flags: __u64")
        .change_mirror("struct spanker_wait {", "pub reserved: __u32", "pub reserved: __u64")
        .assert_drift(
            "request SPANKER_IOC_WAIT: carrying 32 bytes for C, carrying 40 bytes for Rust",
        );
}

#[test]
fn another_code_of_a_request_is_named() {
    let scene = Scene::new("code").change_header("#define SPANKER_IOC_PING", "0x01", "0x02");
    let differences = scene.c().differences(&scene.rust().expect("a mirror with the names"));
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].starts_with("request SPANKER_IOC_PING: the code 0x"), "{differences:?}");
}
