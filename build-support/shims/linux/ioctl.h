/* SPDX-License-Identifier: Apache-2.0 */
/* Request codes, in the encoding of the target that this is compiled for. */
#ifndef SPANKER_SHIM_LINUX_IOCTL_H
#define SPANKER_SHIM_LINUX_IOCTL_H

#include <asm/ioctl.h>

#endif
