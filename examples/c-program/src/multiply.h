/* SPDX-License-Identifier: Apache-2.0 */
/* One matrix product in C, on a card or on whatever answers like one. */
#ifndef MULTIPLY_H
#define MULTIPLY_H

#include <stddef.h>
#include <stdint.h>

/* An open of a Sail. */
struct sail {
	void *device;
	/* ioctl(2): 0, or an errno below 0. */
	int (*request)(void *device, unsigned int code, void *argument);
	/* mmap(2), to read and to write: NULL if it fails. */
	void *(*map)(void *device, uint64_t offset, size_t length);
};

/* Multiplies, prints, and checks the results. Returns 0 if all is well. */
int multiply(const struct sail *sail);

/* The same, on the card with this node. */
int multiply_on_card(const char *path);

#endif /* MULTIPLY_H */
