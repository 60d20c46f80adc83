/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a request code is put together and taken apart. The target alone decides
 * the encoding here; with the headers of the building machine it would be that
 * machine's, whatever the target.
 *
 * From the least significant bit: 8 bits number, 8 bits type, then size and
 * direction, whose widths and values differ between two groups of machines.
 */
#ifndef SPANKER_SHIM_ASM_IOCTL_H
#define SPANKER_SHIM_ASM_IOCTL_H

#define _IOC_NRBITS 8
#define _IOC_TYPEBITS 8

#if defined(__powerpc__) || defined(__mips__) || defined(__sparc__) || defined(__alpha__)
#define _IOC_SIZEBITS 13
#define _IOC_DIRBITS 3
#define _IOC_NONE 1U
#define _IOC_READ 2U
#define _IOC_WRITE 4U
#else
#define _IOC_SIZEBITS 14
#define _IOC_DIRBITS 2
#define _IOC_NONE 0U
#define _IOC_WRITE 1U
#define _IOC_READ 2U
#endif

#define _IOC_NRSHIFT 0
#define _IOC_TYPESHIFT (_IOC_NRSHIFT + _IOC_NRBITS)
#define _IOC_SIZESHIFT (_IOC_TYPESHIFT + _IOC_TYPEBITS)
#define _IOC_DIRSHIFT (_IOC_SIZESHIFT + _IOC_SIZEBITS)

#define _IOC_NRMASK ((1 << _IOC_NRBITS) - 1)
#define _IOC_TYPEMASK ((1 << _IOC_TYPEBITS) - 1)
#define _IOC_SIZEMASK ((1 << _IOC_SIZEBITS) - 1)
#define _IOC_DIRMASK ((1 << _IOC_DIRBITS) - 1)

#define _IOC(dir, type, nr, size) \
	(((dir) << _IOC_DIRSHIFT) | ((size) << _IOC_SIZESHIFT) | \
	 ((type) << _IOC_TYPESHIFT) | ((nr) << _IOC_NRSHIFT))

#define _IOC_TYPECHECK(arg) ((unsigned int)sizeof(arg))

#define _IO(type, nr) _IOC(_IOC_NONE, (type), (nr), 0U)
#define _IOR(type, nr, arg) _IOC(_IOC_READ, (type), (nr), (_IOC_TYPECHECK(arg)))
#define _IOW(type, nr, arg) _IOC(_IOC_WRITE, (type), (nr), (_IOC_TYPECHECK(arg)))
#define _IOWR(type, nr, arg) \
	_IOC(_IOC_READ | _IOC_WRITE, (type), (nr), (_IOC_TYPECHECK(arg)))

#define _IOC_DIR(code) (((code) >> _IOC_DIRSHIFT) & _IOC_DIRMASK)
#define _IOC_TYPE(code) (((code) >> _IOC_TYPESHIFT) & _IOC_TYPEMASK)
#define _IOC_NR(code) (((code) >> _IOC_NRSHIFT) & _IOC_NRMASK)
#define _IOC_SIZE(code) (((code) >> _IOC_SIZESHIFT) & _IOC_SIZEMASK)

#define IOC_IN (_IOC_WRITE << _IOC_DIRSHIFT)
#define IOC_OUT (_IOC_READ << _IOC_DIRSHIFT)
#define IOC_INOUT ((_IOC_WRITE | _IOC_READ) << _IOC_DIRSHIFT)
#define IOCSIZE_MASK (_IOC_SIZEMASK << _IOC_SIZESHIFT)
#define IOCSIZE_SHIFT _IOC_SIZESHIFT

#endif
