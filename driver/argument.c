// SPDX-License-Identifier: GPL-2.0-only
/* Copying the structs of requests, and what stands behind them. */

#include <linux/compat.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "argument.h"

/**
 * spanker_user_pointer() - a pointer that a struct carries
 * @address: as the caller gave it
 * @user: gets the pointer
 *
 * Return: 0, or -EFAULT when it does not fit the caller's address space.
 */
int spanker_user_pointer(u64 address, void __user **user)
{
	u64 last = in_compat_syscall() ? U32_MAX : ULONG_MAX;

	if (address > last)
		return -EFAULT;
	*user = u64_to_user_ptr(address);
	return 0;
}

/**
 * spanker_read_tail() - look at what the driver does not know, all of it
 * @tail: where it is
 * @size: bytes
 * @is_zero: whether there is nothing but zeroes
 *
 * check_zeroed_user() stops at the first byte that is not zero, and an
 * unreadable one behind that has to be found too.
 *
 * Return: 0 or -EFAULT.
 */
int spanker_read_tail(const void __user *tail, size_t size, bool *is_zero)
{
	u8 step[64];

	*is_zero = true;
	while (size) {
		size_t part = min(size, sizeof(step));

		if (copy_from_user(step, tail, part))
			return -EFAULT;
		if (memchr_inv(step, 0, part))
			*is_zero = false;
		tail += part;
		size -= part;
	}
	return 0;
}

/**
 * spanker_argument_read() - copy a struct in
 * @argument: the caller's
 * @known: gets what the driver knows of it
 * @known_size: bytes
 * @tail_is_zero: whether the rest is
 *
 * Return: 0 or -EFAULT.
 */
int spanker_argument_read(const struct spanker_argument *argument,
			  void *known, size_t known_size, bool *tail_is_zero)
{
	if (copy_from_user(known, argument->user, known_size))
		return -EFAULT;
	return spanker_read_tail(argument->user + known_size,
				 argument->size - known_size, tail_is_zero);
}

/**
 * spanker_argument_write() - copy some of a struct out
 * @argument: the caller's
 * @offset: where in it
 * @from: the bytes
 * @size: how many
 *
 * Return: 0 or -EFAULT.
 */
int spanker_argument_write(const struct spanker_argument *argument, size_t offset,
			   const void *from, size_t size)
{
	if (copy_to_user(argument->user + offset, from, size))
		return -EFAULT;
	return 0;
}
