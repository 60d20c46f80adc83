// SPDX-License-Identifier: Apache-2.0
//! Headers that give no facts.

use crate::scene::Folder;
use spanker_abi::{Error, Target};

fn refused(text: &str) -> String {
    Folder::with(&[("h.h", text)]).read(&["x86_64", "s390x"]).unwrap_err().to_string()
}

#[test]
fn a_mistake_is_told_with_its_line() {
    let message = refused("struct x {\n\tint a b;\n};\n");
    assert!(message.contains("h.h:2:7: error: expected ';'"), "{message}");
    assert!(message.contains("for x86_64"), "{message}");
}

#[test]
fn every_mistake_is_told() {
    let message = refused("struct x { nothing a; };\nstruct y { neither b; };\n");
    assert!(message.contains("'nothing'") && message.contains("'neither'"), "{message}");
}

#[test]
fn a_missing_header_is_told_with_the_remedy() {
    let message = refused("#include <not/there.h>\n");
    assert!(message.contains("'not/there.h' file not found"), "{message}");
    assert!(message.contains("--include DIR"), "{message}");
}

#[test]
fn a_mistake_on_one_target_is_told_with_the_target() {
    let message = refused("#ifdef __s390x__\n#error not here\n#endif\nint a;");
    assert!(message.contains("not here") && message.contains("for s390x"), "{message}");
}

#[test]
fn a_header_that_declares_nothing_is_no_header() {
    for text in
        ["", "\n\n", "/* nothing */", "#ifndef H\n#define H\n#endif", "#include <linux/types.h>"]
    {
        let message = refused(text);
        assert!(message.contains("declares nothing"), "{text:?}: {message}");
    }
}

#[test]
fn a_header_that_is_not_there_is_told_by_its_name() {
    let folder = Folder::with(&[]);
    let error = folder.read(&["x86_64"]).unwrap_err();
    assert!(matches!(&error, Error::File { path, .. } if path.ends_with("h.h")), "{error}");
}

#[test]
fn a_folder_is_no_header() {
    let folder = Folder::with(&[("h.h/x", "")]);
    let message = folder.read(&["x86_64"]).unwrap_err().to_string();
    assert!(message.contains("no regular file"), "{message}");
}

#[test]
fn no_target_is_no_question() {
    let folder = Folder::with(&[("h.h", "int a;")]);
    assert!(matches!(folder.read(&[]).unwrap_err(), Error::Request(_)));
}

#[test]
fn a_name_that_is_no_target_is_refused_with_those_there_are() {
    for name in ["", "z80", "-x86_64", "x86_64;-linux"] {
        let message = Target::named(name).unwrap_err().to_string();
        assert!(message.contains("use one of x86_64, i686"), "{name:?}: {message}");
    }
}

#[test]
fn a_triple_that_clang_does_not_know_is_refused() {
    let folder = Folder::with(&[("h.h", "struct x { int a; };")]);
    let message = folder.read(&["z80000-none-nowhere"]).unwrap_err().to_string();
    assert!(message.contains("z80000-none-nowhere"), "{message}");
}

#[test]
fn what_clang_only_warns_of_and_makes_facts_wrong_is_refused() {
    for (text, words) in [
        (
            "struct x { int a; } __attribute__((scalar_storage_order(\"big-endian\")));",
            "byte order",
        ),
        ("#pragma pack(push, 1)\nstruct x { int a; };\n", "other layouts behind it"),
        ("#if __BYTE_ORDER == __BIG_ENDIAN\nstruct x { int a; };\n#endif\n", "__BYTE_ORDER__"),
        ("#if __WORDSIZE == 64\n#define A 1\n#endif\n#define B 1\n", "__SIZEOF_LONG__"),
    ] {
        let message = refused(text);
        assert!(message.contains(words), "{text}: {message}");
    }
}

#[test]
fn pragma_pack_that_is_closed_and_macros_that_are_asked_for_are_no_mistakes() {
    for text in [
        "#pragma pack(push, 1)\nstruct x { char a; int b; };\n#pragma pack(pop)\n",
        "#if defined(__WORDSIZE) && __WORDSIZE == 64\n#define A 1\n#endif\n#define B 1\n",
        "#if NOT_DEFINED_HERE\n#define A 1\n#endif\n#define B 1\n",
    ] {
        let folder = Folder::with(&[("h.h", text)]);
        assert!(folder.read(&["x86_64"]).is_ok(), "{text}");
    }
}

#[test]
fn a_path_that_clang_cannot_be_told_of_is_refused() {
    let folder = Folder::with(&[("a\"b.h", "int a;"), ("a\nb.h", "int a;")]);
    for name in ["a\"b.h", "a\nb.h"] {
        let targets = [Target::named("x86_64").unwrap()];
        let error = spanker_abi::header::Header::new(folder.path(name)).read(&targets);
        let message = error.unwrap_err().to_string();
        assert!(message.contains("copy it to another"), "{message}");
    }
}
