/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a request code is put together, for bindgen. The clang target alone
 * decides the encoding here; with the headers of the building machine it would
 * be that machine's, whatever the target.
 *
 * From the least significant bit: 8 bits number, 8 bits type, then size and
 * direction, whose widths and values differ between two groups of machines.
 */
#ifndef SPANKER_SHIM_LINUX_IOCTL_H
#define SPANKER_SHIM_LINUX_IOCTL_H

#if defined(__powerpc__) || defined(__mips__) || defined(__sparc__) || defined(__alpha__)
#define _IOC_SIZEBITS 13
#define _IOC_NONE 1U
#define _IOC_READ 2U
#define _IOC_WRITE 4U
#else
#define _IOC_SIZEBITS 14
#define _IOC_NONE 0U
#define _IOC_WRITE 1U
#define _IOC_READ 2U
#endif

#define _IOC(dir, type, nr, size) \
	(((dir) << (16 + _IOC_SIZEBITS)) | ((size) << 16) | ((type) << 8) | (nr))

#define _IO(type, nr) _IOC(_IOC_NONE, (type), (nr), 0U)
#define _IOR(type, nr, arg) _IOC(_IOC_READ, (type), (nr), (unsigned int)sizeof(arg))
#define _IOW(type, nr, arg) _IOC(_IOC_WRITE, (type), (nr), (unsigned int)sizeof(arg))
#define _IOWR(type, nr, arg) \
	_IOC(_IOC_READ | _IOC_WRITE, (type), (nr), (unsigned int)sizeof(arg))

#endif
