// SPDX-License-Identifier: Apache-2.0
//! Ties a mirror to the header it was made from.

/// What stands before the digest in the first lines of a committed mirror.
pub(crate) const LABEL: &str = "// Header digest (FNV-1a, 64 bits): ";

/// FNV-1a, 64 bits, of `header`, in hexadecimal. It tells an edited header from
/// the original; it is no defence against somebody who wants a collision, and
/// who could edit the mirror as well.
pub(crate) fn of(header: &[u8]) -> String {
    let hash = header.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// The digest that a committed mirror says it was made from.
#[allow(dead_code)] // The generator that shares this file only writes it.
pub(crate) fn recorded_in(mirror: &str) -> Option<&str> {
    mirror.lines().find_map(|line| line.strip_prefix(LABEL))
}
