/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The struct of a request in the caller's memory, which may be shorter or
 * longer than the driver's. request.c has refused what is shorter than the
 * first version, which for every struct is still the only one.
 */
#ifndef _SPANKER_ARGUMENT_H
#define _SPANKER_ARGUMENT_H

#include <linux/types.h>

/**
 * struct spanker_argument - the caller's struct
 * @user: where it is
 * @size: bytes, as the code of the request says
 */
struct spanker_argument {
	void __user *user;
	size_t size;
};

int spanker_user_pointer(u64 address, void __user **user);
int spanker_read_tail(const void __user *tail, size_t size, bool *is_zero);
int spanker_argument_read(const struct spanker_argument *argument,
			  void *known, size_t known_size, bool *tail_is_zero);
int spanker_argument_write(const struct spanker_argument *argument, size_t offset,
			   const void *from, size_t size);

#endif
