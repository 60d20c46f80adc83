// SPDX-License-Identifier: Apache-2.0
//! Request codes taken apart and put together, as `<linux/ioctl.h>` does with
//! function-like macros, which have no mirror.

/// Whether this target is one of those with 13 bits of size, not 14.
const WIDE_DIRECTION: bool = cfg!(any(
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6",
    target_arch = "sparc",
    target_arch = "sparc64"
));

const SIZE_BITS: u32 = if WIDE_DIRECTION { 13 } else { 14 };
const SIZE_SHIFT: u32 = 16;
const DIR_SHIFT: u32 = SIZE_SHIFT + SIZE_BITS;
const SIZE_MASK: u32 = (1 << SIZE_BITS) - 1;

// The mirror's codes are taken apart and put together alike, whoever made it.
const _: () = assert!(
    ioc(IOC_NONE, crate::SPANKER_IOC_MAGIC, 0x01, 0) == crate::SPANKER_IOC_PING
        && ioc_size(crate::SPANKER_IOC_WAIT) == core::mem::size_of::<crate::spanker_wait>()
        && ioc_dir(crate::SPANKER_IOC_WAIT) == IOC_READ | IOC_WRITE,
    "the mirror's request codes are of another encoding than this target's",
);

/// Direction of a request that carries no data (`_IOC_NONE`).
pub const IOC_NONE: u32 = if WIDE_DIRECTION { 1 } else { 0 };
/// Direction of a request that carries data out to the caller (`_IOC_READ`).
pub const IOC_READ: u32 = 2;
/// Direction of a request that carries data in to the device (`_IOC_WRITE`).
pub const IOC_WRITE: u32 = if WIDE_DIRECTION { 4 } else { 1 };

/// `_IOC(dir, type, nr, size)`. The size is cut to the bits there are for it:
/// 14, or 13 on powerpc, mips and sparc.
pub const fn ioc(dir: u32, kind: u32, nr: u32, size: usize) -> u32 {
    (dir << DIR_SHIFT) | ((size as u32 & SIZE_MASK) << SIZE_SHIFT) | (kind << 8) | nr
}

/// `_IOC_DIR(code)`: [`IOC_NONE`], or [`IOC_READ`] and [`IOC_WRITE`] combined.
pub const fn ioc_dir(code: u32) -> u32 {
    code >> DIR_SHIFT
}

/// `_IOC_TYPE(code)`: the magic.
pub const fn ioc_type(code: u32) -> u32 {
    (code >> 8) & 0xff
}

/// `_IOC_NR(code)`: the number of the request.
pub const fn ioc_nr(code: u32) -> u32 {
    code & 0xff
}

/// `_IOC_SIZE(code)`: bytes of the caller's struct.
pub const fn ioc_size(code: u32) -> usize {
    ((code >> SIZE_SHIFT) & SIZE_MASK) as usize
}
