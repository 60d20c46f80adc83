// SPDX-License-Identifier: Apache-2.0
//! What people see, to the letter. Looked at a difference and it is right?
//! `INSTA_UPDATE=always cargo test -p spanker-abi` takes it over.

use crate::scene::Scene;
use insta::assert_snapshot;

const HEADER: &str = "#include <linux/types.h>\n#include <linux/ioctl.h>\n\
    #define CARD_VERSION_MAJOR 1\n#define CARD_NAME \"a|b <c>\"\n#define CARD_ALL 0xffffffffffffffff\n\
    #define CARD_BIT(n) (1U << (n))\n\
    /* abi: extensible */\nstruct card_info { __u8 kind; __u32 flags; __u64 size; long when; };\n\
    struct card_bits { __u32 ready : 1, mode : 3; union { __u32 raw; struct { __u16 x, y; } at; }; };\n\
    enum card_kind { CARD_SOFT, CARD_HARD = 4 };\ntypedef __u32 card_id;\nstruct card_gone;\n\
    #define CARD_PING _IO('c', 1)\n#define CARD_INFO _IOR('c', 2, struct card_info)\n";

#[test]
fn tables() {
    let scene = Scene::new();
    scene.file("card.h", HEADER);
    for format in ["text", "markdown", "json"] {
        let ran =
            scene.run(&["table", "card.h", "-t", "x86_64,i686,powerpc64le", "--format", format]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_snapshot!(format!("table_{format}"), ran.stdout);
    }
}

#[test]
fn changes() {
    let scene = Scene::new();
    scene.file("card.h", HEADER);
    let changed = HEADER
        .replace("__u8 kind;", "__u16 kind;")
        .replace("CARD_HARD = 4", "CARD_HARD = 4, CARD_NEW")
        .replace("#define CARD_BIT(n) (1U << (n))\n", "")
        .replace("#define CARD_PING _IO('c', 1)", "#define CARD_PING _IO('c', 7)");
    scene.file("new.h", changed);
    for format in ["text", "markdown", "json", "github"] {
        let ran = scene.run(&["diff", "card.h", "new.h", "-t", "x86_64,i686", "--format", format]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_snapshot!(format!("diff_{format}"), ran.stdout);
    }
}

#[test]
fn help_tells_the_exit_codes_of_everything() {
    let scene = Scene::new();
    for arguments in [
        &["--help"][..],
        &["table", "--help"],
        &["snapshot", "--help"],
        &["diff", "--help"],
        &["check", "--help"],
    ] {
        let ran = scene.run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let help = ran.stdout.to_lowercase();
        assert!(help.contains("exit"), "{arguments:?}: {help}");
        assert!(
            help.contains("3 could not run") || help.contains("3 if it could not run"),
            "{help}"
        );
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    }
}
