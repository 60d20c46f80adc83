// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floating-point operations of section 10, each line of it a line here.
 *
 * Built with -ffp-contract=off and for a unit that computes f32 as such (SSE on
 * x86-64): each operation is then rounded by itself. Floats are in no argument
 * and no result, since callers are built without them.
 */

#include <linux/string.h>
#include <linux/types.h>

#include <asm/byteorder.h>

#include "virtual_arithmetic.h"

union spanker_f32 {
	u32 bits;
	float value;
};

static __always_inline float spanker_float(u32 bits)
{
	union spanker_f32 f32 = { .bits = bits };

	return f32.value;
}

static __always_inline u32 spanker_bits(float value)
{
	union spanker_f32 f32 = { .value = value };

	return f32.bits;
}

/*
 * To the nearest integer, ties to even, for magnitudes below 127.5: from
 * 1.5 * 2^23 on, f32 are 1 apart, so that the sum is rounded to an integer.
 */
static __always_inline s8 spanker_to_integer(float value)
{
	const float shift = 12582912.0f;

	return spanker_bits(value + shift) - spanker_bits(shift);
}

/* The first element of the largest magnitude. */
static u32 spanker_peak(const __le32 *from)
{
	u32 peak = le32_to_cpu(from[0]);
	unsigned int j;

	for (j = 1; j < SPANKER_QK_K; j++) {
		u32 bits = le32_to_cpu(from[j]);

		if ((bits & SPANKER_F32_MAGNITUDE) > (peak & SPANKER_F32_MAGNITUDE))
			peak = bits;
	}
	return peak;
}

static void spanker_quantise_one(struct spanker_block_q8_k *to,
				 const __le32 *from)
{
	u32 peak = spanker_peak(from);
	unsigned int j, t;
	float is;

	memset(to, 0, sizeof(*to));
	if ((peak & SPANKER_F32_MAGNITUDE) >= SPANKER_F32_INFINITY) {
		to->d = cpu_to_le32(SPANKER_F32_NAN);
		return;
	}
	/* Infinite for zero as well, whose block is the same. */
	is = -127.0f / spanker_float(peak);
	if ((spanker_bits(is) & SPANKER_F32_MAGNITUDE) == SPANKER_F32_INFINITY)
		return;
	for (j = 0; j < SPANKER_QK_K; j++) {
		float x = spanker_float(le32_to_cpu(from[j]));

		to->qs[j] = spanker_to_integer(is * x);
	}
	for (t = 0; t < SPANKER_QK_K / 16; t++) {
		s16 sum = 0;

		for (j = 0; j < 16; j++)
			sum += to->qs[16 * t + j];
		to->bsums[t] = cpu_to_le16(sum);
	}
	to->d = cpu_to_le32(spanker_bits(1.0f / is));
}

/**
 * spanker_quantise() - QUANTISE
 * @to: the blocks
 * @from: 256 f32 for each
 * @count: how many
 */
noinline void spanker_quantise(struct spanker_block_q8_k *to, const __le32 *from,
			       unsigned int count)
{
	for (; count; count--, to++, from += SPANKER_QK_K)
		spanker_quantise_one(to, from);
}

/**
 * spanker_fold_q8_k() - add terms of Q8_K x Q4_K
 * @acc: to what, f32
 * @sums: of each superblock
 * @a: the superblocks
 * @b: the superblocks
 * @count: how many
 *
 * Return: the sum, f32.
 */
noinline u32 spanker_fold_q8_k(u32 acc, const struct spanker_sums *sums,
			       const struct spanker_superblock *a,
			       const struct spanker_superblock *b,
			       unsigned int count)
{
	float sum = spanker_float(acc);

	for (; count; count--, sums++, a++, b++) {
		float t = spanker_float(b->d) * (float)sums->p;
		float u = spanker_float(b->dmin) * (float)sums->q;
		float v = t - u;
		float w = spanker_float(a->d) * v;

		sum = sum + w;
	}
	return spanker_bits(sum);
}

/**
 * spanker_fold_q4_k() - add terms of Q4_K x Q4_K
 * @acc: to what, f32
 * @sums: of each superblock
 * @a: the superblocks
 * @b: the superblocks
 * @count: how many
 *
 * Return: the sum, f32.
 */
noinline u32 spanker_fold_q4_k(u32 acc, const struct spanker_sums *sums,
			       const struct spanker_superblock *a,
			       const struct spanker_superblock *b,
			       unsigned int count)
{
	float sum = spanker_float(acc);

	for (; count; count--, sums++, a++, b++) {
		float ad = spanker_float(a->d), admin = spanker_float(a->dmin);
		float bd = spanker_float(b->d), bdmin = spanker_float(b->dmin);
		float t = ad * (float)sums->p - admin * (float)sums->r;
		float u = ad * (float)sums->q - admin * (float)sums->s;
		float v = bd * t - bdmin * u;

		sum = sum + v;
	}
	return spanker_bits(sum);
}
