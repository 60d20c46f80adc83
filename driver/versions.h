/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces of the kernel that have changed since 6.1. */
#ifndef _SPANKER_VERSIONS_H
#define _SPANKER_VERSIONS_H

#include <linux/mm.h>
#include <linux/version.h>

#define SPANKER_SINCE(major, minor) \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

#if SPANKER_SINCE(6, 2)
#define SPANKER_DEVNODE_CONST const
#else
#define SPANKER_DEVNODE_CONST
#endif

#if SPANKER_SINCE(6, 4)
#define SPANKER_BUS_CONST const
#else
#define SPANKER_BUS_CONST
#endif

static inline void spanker_vm_flags_mod(struct vm_area_struct *vma,
					unsigned long set, unsigned long clear)
{
#if SPANKER_SINCE(6, 3)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

#endif
