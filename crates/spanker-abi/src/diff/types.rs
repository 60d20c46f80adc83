// SPDX-License-Identifier: Apache-2.0
//! How two types that are not the same differ.

use crate::model::Type;

/// The nearest thing that tells two types apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// `u32` and `s32`.
    Sign,
    /// `u32`, `le32` and `be32`.
    ByteOrder,
    /// `u8[]` and `u8[0]`: two spellings of one thing.
    Spelling,
    /// Anything else.
    Type,
}

/// Tells two unequal types apart.
pub(super) fn difference(old: &Type, new: &Type) -> Difference {
    let (old, old_dimensions) = parts(old);
    let (new, new_dimensions) = parts(new);
    if old_dimensions != new_dimensions {
        let rest = flexible(old_dimensions);
        let spelling = old == new && rest.is_some() && rest == flexible(new_dimensions);
        return if spelling { Difference::Spelling } else { Difference::Type };
    }
    match (integer(old), integer(new)) {
        (Some((a, width)), Some((b, other))) if width == other => {
            if matches!((a, b), ("s", "u") | ("u", "s")) {
                Difference::Sign
            } else {
                Difference::ByteOrder
            }
        }
        _ => Difference::Type,
    }
}

/// An integer type's bits and whether it has a sign; `None` for other types.
pub(super) fn width(ty: &Type) -> Option<&str> {
    integer(&ty.0).map(|(_, width)| width)
}

/// An array with no element of its own, at the end of a struct.
pub(super) fn is_flexible(ty: &Type) -> bool {
    flexible(parts(ty).1).is_some()
}

/// How many elements an array has, over all its dimensions; 1 without any.
pub(super) fn elements(ty: &Type) -> u64 {
    let (_, dimensions) = parts(ty);
    let lengths = dimensions.split(['[', ']']).filter_map(|length| length.parse::<u64>().ok());
    lengths.fold(1, u64::saturating_mul)
}

fn parts(ty: &Type) -> (&str, &str) {
    ty.0.split_at(ty.0.find('[').unwrap_or(ty.0.len()))
}

fn flexible(dimensions: &str) -> Option<&str> {
    dimensions.strip_prefix("[]").or_else(|| dimensions.strip_prefix("[0]"))
}

fn integer(base: &str) -> Option<(&str, &str)> {
    let (order, width) = base.split_at(base.find(|c: char| c.is_ascii_digit())?);
    (matches!(order, "u" | "s" | "le" | "be") && width.parse::<u16>().is_ok())
        .then_some((order, width))
}

#[cfg(test)]
mod tests {
    use super::{difference, Difference};
    use crate::model::Type;

    #[test]
    fn types_are_told_apart_by_what_matters() {
        let of = |old: &str, new: &str| difference(&Type(old.into()), &Type(new.into()));
        assert_eq!(of("u32", "s32"), Difference::Sign);
        assert_eq!(of("s8[4][2]", "u8[4][2]"), Difference::Sign);
        assert_eq!(of("le16", "u16"), Difference::ByteOrder);
        assert_eq!(of("s16[2]", "be16[2]"), Difference::ByteOrder);
        assert_eq!(of("struct a[0]", "struct a[]"), Difference::Spelling);
        for (old, new) in [
            ("u32", "u64"),
            ("u8[4]", "u8[2][2]"),
            ("u8[4]", "u8[]"),
            ("u8[0]", "s8[]"),
            ("struct s32", "struct u32"),
            ("f32", "u32"),
            ("bool", "u8"),
        ] {
            assert_eq!(of(old, new), Difference::Type, "{old} {new}");
        }
    }
}
