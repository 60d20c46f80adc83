/* SPDX-License-Identifier: Apache-2.0 */
/* Marks for checkers, in headers as they stand in the kernel's source. */
#ifndef SPANKER_SHIM_LINUX_COMPILER_H
#define SPANKER_SHIM_LINUX_COMPILER_H

#define __user
#define __kernel
#define __iomem
#define __force
#define __attribute_const__ __attribute__((const))
#ifndef __packed
#define __packed __attribute__((packed))
#endif

#endif
