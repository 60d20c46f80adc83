/* SPDX-License-Identifier: Apache-2.0 */
/* The fixed-width types. What they stand for is the same in every Linux ABI. */
#ifndef SPANKER_SHIM_ASM_TYPES_H
#define SPANKER_SHIM_ASM_TYPES_H

#include <asm/bitsperlong.h>

typedef signed char __s8;
typedef unsigned char __u8;
typedef signed short __s16;
typedef unsigned short __u16;
typedef signed int __s32;
typedef unsigned int __u32;
typedef signed long long __s64;
typedef unsigned long long __u64;

#endif
