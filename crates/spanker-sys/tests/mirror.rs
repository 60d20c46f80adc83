// SPDX-License-Identifier: Apache-2.0
//! The mirror in use against the header, and the committed mirrors against it.

use spanker_sys::{header, ORIGIN};

const IN_USE: &str = include_str!(env!("SPANKER_SYS_MIRROR"));
const COMMITTED: [&str; 2] = [
    include_str!("../src/mirror/asm_generic.rs"),
    include_str!("../src/mirror/powerpc_mips_sparc.rs"),
];

/// The header's macros that stand for a value.
fn constants() -> Vec<&'static str> {
    let macros = header::TEXT.lines().filter_map(|line| line.strip_prefix("#define "));
    let constants: Vec<_> = macros
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| name.starts_with("SPANKER_"))
        .collect();
    assert!(constants.contains(&"SPANKER_IOC_WAIT"), "the header is read wrongly: {constants:?}");
    constants
}

#[test]
fn every_constant_and_request_code_of_the_header_is_mirrored() {
    for mirror in [IN_USE, COMMITTED[0], COMMITTED[1]] {
        // Unformatted text has spaces around every token.
        let tokens: Vec<&str> = mirror.split(|c: char| c.is_whitespace() || c == ':').collect();
        for name in constants() {
            let mirrored = tokens.windows(2).any(|pair| pair == ["const", name]);
            assert!(mirrored, "{name} has no mirror");
        }
    }
}

#[test]
fn every_field_of_the_header_is_mirrored() {
    let fields = header::TEXT.lines().filter_map(|line| {
        let mut words = line.strip_prefix('\t')?.split_whitespace();
        let kind = words.next()?;
        let name = words.last().filter(|_| !line.contains("/*"));
        let name = name.or_else(|| line.split("/*").next()?.split_whitespace().last())?;
        let declared = kind.starts_with("__") || kind == "struct";
        declared.then(|| name.split([';', '[']).next())?
    });
    let mut count = 0;
    for field in fields {
        let field = if field == "type" { "type_" } else { field };
        assert!(
            IN_USE.contains(&format!("pub {field} :")) || IN_USE.contains(&format!("pub {field}:")),
            "{field}"
        );
        count += 1;
    }
    assert!(count > 80, "only {count} fields were found: the header is read wrongly");
}

/// Rust source without what a formatter adds or takes away.
fn unformatted(source: &str) -> String {
    let code = source.lines().filter(|line| !line.starts_with("//"));
    let dense: String = code.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    dense.replace(",}", "}").replace(",)", ")").replace(",]", "]")
}

/// The committed mirror is what bindgen makes of the header for this target. A
/// build without libclang uses the committed one, and compares it with itself.
#[test]
fn committed_mirror_is_the_one_in_use() {
    let same = COMMITTED.iter().any(|mirror| unformatted(mirror) == unformatted(IN_USE));
    assert!(same, "the mirror made by {ORIGIN} is not committed: run `cargo xtask mirror`");
}

/// On powerpc, mips and sparc: 13 bits of size, and other direction bits.
#[test]
fn committed_codes_for_powerpc_mips_and_sparc_have_their_encoding() {
    const NONE: u32 = 1;
    const READ: u32 = 2;
    const WRITE: u32 = 4;
    let dense = unformatted(COMMITTED[1]);
    for (name, dir, nr, size) in [
        ("PING", NONE, 0x01, 0),
        ("GET_VERSION", READ, 0x02, 8),
        ("QUERY", READ | WRITE, 0x10, 16),
        ("BUF_CREATE", READ | WRITE, 0x20, 24),
        ("BUF_DESTROY", WRITE, 0x21, 8),
        ("WORK_SUBMIT", READ | WRITE, 0x30, 32),
        ("WAIT", READ | WRITE, 0x31, 32),
    ] {
        let code: u32 = (dir << 29) | (size << 16) | (0xE3 << 8) | nr;
        let line = format!("constSPANKER_IOC_{name}:u32={code};");
        assert!(dense.contains(&line), "{line}");
    }
}
