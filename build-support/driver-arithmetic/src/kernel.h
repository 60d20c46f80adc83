/* SPDX-License-Identifier: GPL-2.0-only */
/* What the driver's engine takes from the kernel, for user space. */
#ifndef DRIVER_ARITHMETIC_KERNEL_H
#define DRIVER_ARITHMETIC_KERNEL_H

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef __SIZE_TYPE__ size_t;
typedef unsigned int dev_t;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#define EIO 5
#define ECANCELED 125
#define SZ_64K 0x10000

#undef __always_inline
#define noinline __attribute__((noinline))
#define __always_inline inline __attribute__((always_inline))
#define barrier() __asm__ __volatile__("" : : : "memory")
#define data_race(expr) (expr)
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define min_t(type, x, y) ((type)(x) < (type)(y) ? (type)(x) : (type)(y))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define le16_to_cpu(x) (x)
#define le32_to_cpu(x) (x)
#else
#define le16_to_cpu(x) __builtin_bswap16(x)
#define le32_to_cpu(x) __builtin_bswap32(x)
#endif
#define cpu_to_le16(x) le16_to_cpu((u16)(x))
#define cpu_to_le32(x) le32_to_cpu((u32)(x))
#define swab32(x) __builtin_bswap32(x)
#define fls(x) (32 - __builtin_clz(x))

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
void *calloc(size_t count, size_t size);
void free(void *memory);
#define GFP_KERNEL
#define kvzalloc(size, flags) calloc(1, size)
#define kvfree(memory) free(memory)
#define pr_err(...) ((void)0)

/* Sections as on x86-64, since these have no mode to set. */
#define CONFIG_X86_64
void kernel_fpu_begin(void);
void kernel_fpu_end(void);
void cond_resched(void);

/* Members and arguments that the engine does not look at. */
struct class;
struct file;
struct file_operations;
struct page;
struct task_struct;
struct vm_area_struct;
struct cdev { int unused; };
struct device { int unused; };
struct idr { int unused; };
struct kref { int unused; };
struct list_head { int unused; };
struct mutex { int unused; };
typedef struct { int unused; } spinlock_t;
typedef struct { int unused; } wait_queue_head_t;

#endif
