/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed-width types that spanker_ioctl.h takes from <linux/types.h>, for
 * bindgen: with these the mirror does not depend on the kernel headers of the
 * machine that builds it. What they stand for is fixed by every Linux ABI.
 */
#ifndef SPANKER_SHIM_LINUX_TYPES_H
#define SPANKER_SHIM_LINUX_TYPES_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef signed short __s16;
typedef unsigned short __u16;
typedef signed int __s32;
typedef unsigned int __u32;
typedef signed long long __s64;
typedef unsigned long long __u64;

typedef __u16 __le16;
typedef __u32 __le32;
typedef __u64 __le64;

#endif
