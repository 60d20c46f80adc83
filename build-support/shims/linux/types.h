/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types that headers of the kernel's user API take from <linux/types.h>.
 * With these, what is read from a header does not depend on the kernel headers
 * of the machine that reads it.
 */
#ifndef SPANKER_SHIM_LINUX_TYPES_H
#define SPANKER_SHIM_LINUX_TYPES_H

#include <asm/types.h>
#include <linux/compiler.h>
#include <linux/stddef.h>

#define __bitwise
#define __bitwise__

typedef __u16 __le16;
typedef __u16 __be16;
typedef __u32 __le32;
typedef __u32 __be32;
typedef __u64 __le64;
typedef __u64 __be64;

typedef __u16 __sum16;
typedef __u32 __wsum;
typedef unsigned int __poll_t;

#define __aligned_u64 __u64 __attribute__((aligned(8)))
#define __aligned_s64 __s64 __attribute__((aligned(8)))
#define __aligned_be64 __be64 __attribute__((aligned(8)))
#define __aligned_le64 __le64 __attribute__((aligned(8)))

#ifdef __SIZEOF_INT128__
typedef __signed__ __int128 __s128 __attribute__((aligned(16)));
typedef unsigned __int128 __u128 __attribute__((aligned(16)));
#endif

#if __has_include(<asm/posix_types.h>)
#include <linux/posix_types.h>
#else
/* Without the target's own, those that are the same on every architecture. */
typedef long __kernel_long_t;
typedef unsigned long __kernel_ulong_t;
typedef __SIZE_TYPE__ __kernel_size_t;
typedef int __kernel_pid_t;
typedef unsigned int __kernel_uid32_t;
typedef unsigned int __kernel_gid32_t;
typedef long __kernel_off_t;
typedef long long __kernel_loff_t;
typedef long __kernel_old_time_t;
typedef long long __kernel_time64_t;
typedef int __kernel_timer_t;
typedef int __kernel_clockid_t;
typedef int __kernel_key_t;
typedef int __kernel_mqd_t;
#endif

#endif
