// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unpacks superblocks and forms the integer sums of section 10.
 *
 * A product of two words of four 16-bit digits each, one of them with its
 * digits reversed, has the dot product of both in its highest digit: the digits
 * below are smaller sums of the same kind, and what is above is beyond the
 * word. So one multiplication does four, on any 64-bit CPU and outside of FPU
 * sections. No digit overflows: four such products add up to at most 16 times
 * 15 * 255 in a digit.
 */

#include <linux/bitops.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/byteorder.h>

#include "virtual_arithmetic.h"

/* Added to Q8_K's elements, so that digits are not negative. */
#define SPANKER_BIAS		128
#define SPANKER_BIASES		0x80808080U

static u32 spanker_le32_at(const void *bytes)
{
	__le32 word;

	memcpy(&word, bytes, sizeof(word));
	return le32_to_cpu(word);
}

/* Four bytes to four digits. */
static u64 spanker_digits(u32 bytes)
{
	u64 digits = bytes;

	digits = (digits | digits << 16) & 0x0000ffff0000ffffULL;
	return (digits | digits << 8) & 0x00ff00ff00ff00ffULL;
}

/* binary16 to binary32, both as their bits. */
static u32 spanker_widen(__le16 half)
{
	u32 bits = le16_to_cpu(half);
	u32 sign = (bits & 0x8000) << 16;
	u32 exponent = bits >> 10 & 31;
	u32 fraction = bits & 0x3ff;
	u32 msb;

	if (exponent == 31)
		return sign | SPANKER_F32_INFINITY | fraction << 13;
	if (exponent)
		return sign | (exponent + 112) << 23 | fraction << 13;
	if (!fraction)
		return sign;
	/* fraction * 2^-24, which binary32 holds as a normal number. */
	msb = fls(fraction) - 1;
	return sign | (msb + 103) << 23 | (fraction << (23 - msb) & 0x7fffff);
}

/* Four bytes to four scales or mins. */
static void spanker_set_four(u8 *to, u32 bytes)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		to[i] = bytes >> 8 * i;
}

/* All of a block of Q4_K but its elements. */
static void spanker_unpack_header(struct spanker_superblock *to,
				  const struct spanker_block_q4_k *from)
{
	u32 sc = spanker_le32_at(from->scales);
	u32 mn = spanker_le32_at(from->scales + 4);
	u32 both = spanker_le32_at(from->scales + 8);

	spanker_set_four(to->scales, sc & 0x3f3f3f3f);
	spanker_set_four(to->mins, mn & 0x3f3f3f3f);
	spanker_set_four(to->scales + 4,
			 (both & 0x0f0f0f0f) | (sc >> 2 & 0x30303030));
	spanker_set_four(to->mins + 4,
			 (both >> 4 & 0x0f0f0f0f) | (mn >> 2 & 0x30303030));
	to->d = spanker_widen(from->d);
	to->dmin = spanker_widen(from->dmin);
}

/* The sum of four digits. */
static u32 spanker_sum_of_digits(u64 digits)
{
	return digits * 0x0001000100010001ULL >> 48;
}

static __always_inline void spanker_unpack_q4_k(struct spanker_superblock *to,
						const struct spanker_block_q4_k *from,
						bool reversed)
{
	u64 *values = to->values;
	unsigned int group, i;

	spanker_unpack_header(to, from);
	for (group = 0; group < 4; group++, values += 16) {
		u64 low = 0, high = 0;

		for (i = 0; i < 8; i++) {
			u32 bytes = spanker_le32_at(from->qs + 32 * group + 4 * i);

			if (reversed)
				bytes = swab32(bytes);
			values[i] = spanker_digits(bytes & 0x0f0f0f0f);
			values[8 + i] = spanker_digits(bytes >> 4 & 0x0f0f0f0f);
			low += values[i];
			high += values[8 + i];
		}
		to->sums[2 * group] =
			to->scales[2 * group] * spanker_sum_of_digits(low);
		to->sums[2 * group + 1] =
			to->scales[2 * group + 1] * spanker_sum_of_digits(high);
	}
}

/**
 * spanker_unpack_a_q4_k() - unpack blocks of Q4_K for the left of a product
 * @to: where to
 * @from: the blocks
 * @count: how many
 */
void spanker_unpack_a_q4_k(struct spanker_superblock *to, const void *from,
			   unsigned int count)
{
	const struct spanker_block_q4_k *block = from;

	for (; count; count--)
		spanker_unpack_q4_k(to++, block++, false);
}

/**
 * spanker_unpack_b_q4_k() - unpack blocks of Q4_K for the right of a product
 * @to: where to
 * @from: the blocks
 * @count: how many
 */
void spanker_unpack_b_q4_k(struct spanker_superblock *to, const void *from,
			   unsigned int count)
{
	const struct spanker_block_q4_k *block = from;

	for (; count; count--)
		spanker_unpack_q4_k(to++, block++, true);
}

static void spanker_unpack_q8_k(struct spanker_superblock *to,
				const struct spanker_block_q8_k *from)
{
	unsigned int i;

	for (i = 0; i < SPANKER_QK_K / 4; i++) {
		u32 bytes = spanker_le32_at(from->qs + 4 * i);

		to->values[i] = spanker_digits(bytes ^ SPANKER_BIASES);
	}
	for (i = 0; i < 8; i++)
		to->sums[i] = (s16)le16_to_cpu(from->bsums[2 * i]) +
			      (s16)le16_to_cpu(from->bsums[2 * i + 1]);
	to->d = le32_to_cpu(from->d);
}

/**
 * spanker_unpack_a_q8_k() - unpack blocks of Q8_K, which are left in a product
 * @to: where to
 * @from: the blocks
 * @count: how many
 */
void spanker_unpack_a_q8_k(struct spanker_superblock *to, const void *from,
			   unsigned int count)
{
	const struct spanker_block_q8_k *block = from;

	for (; count; count--)
		spanker_unpack_q8_k(to++, block++);
}

static u32 spanker_dot_16(const u64 *a, const u64 *b)
{
	return (a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]) >> 48;
}

/* The dot product of sub-block @s of each, biased where that of @a is. */
static u32 spanker_dot_32(const struct spanker_superblock *a,
			  const struct spanker_superblock *b, unsigned int s)
{
	const u64 *from_a = a->values + 8 * s, *from_b = b->values + 8 * s;

	return spanker_dot_16(from_a, from_b) +
	       spanker_dot_16(from_a + 4, from_b + 4);
}

/**
 * spanker_sum_q8_k() - P and M of superblocks of Q8_K x Q4_K
 * @to: where to
 * @a: of spanker_unpack_a_q8_k()
 * @b: of spanker_unpack_b_q4_k()
 * @count: how many
 */
void spanker_sum_q8_k(struct spanker_sums *to, const struct spanker_superblock *a,
		      const struct spanker_superblock *b, unsigned int count)
{
	for (; count; count--, to++, a++, b++) {
		s32 p = 0, m = 0, bias = 0;
		unsigned int s;

		for (s = 0; s < 8; s++) {
			p += b->scales[s] * spanker_dot_32(a, b, s);
			bias += b->sums[s];
			m += a->sums[s] * b->mins[s];
		}
		to->p = p - SPANKER_BIAS * bias;
		to->q = m;
	}
}

/**
 * spanker_sum_q4_k() - P, Q, R and S of superblocks of Q4_K x Q4_K
 * @to: where to
 * @a: of spanker_unpack_a_q4_k()
 * @b: of spanker_unpack_b_q4_k()
 * @count: how many
 */
void spanker_sum_q4_k(struct spanker_sums *to, const struct spanker_superblock *a,
		      const struct spanker_superblock *b, unsigned int count)
{
	for (; count; count--, to++, a++, b++) {
		s32 p = 0, q = 0, r = 0, mins = 0;
		unsigned int s;

		for (s = 0; s < 8; s++) {
			p += a->scales[s] * b->scales[s] * spanker_dot_32(a, b, s);
			q += a->sums[s] * b->mins[s];
			r += a->mins[s] * b->sums[s];
			mins += a->mins[s] * b->mins[s];
		}
		to->p = p;
		to->q = q;
		to->r = r;
		to->s = 32 * mins;
	}
}
