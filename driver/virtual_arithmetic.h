/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Section 10 of spanker_ioctl.h, in three parts. All work on private memory.
 *
 *   virtual_integers.c   unpacks superblocks and forms their exact sums
 *   virtual_floats.c     quantises, and turns sums into results; the only
 *                        object that has floats. Each function of it is called
 *                        between spanker_fpu_begin() and spanker_fpu_end(), and
 *                        takes and gives f32 as their bits, in u32.
 *   virtual_engine.c     tiles
 */
#ifndef _SPANKER_VIRTUAL_ARITHMETIC_H
#define _SPANKER_VIRTUAL_ARITHMETIC_H

#include <linux/types.h>

#include <uapi/linux/spanker_ioctl.h>

#define SPANKER_F32_MAGNITUDE	0x7fffffffU
#define SPANKER_F32_INFINITY	0x7f800000U
#define SPANKER_F32_NAN		0x7fc00000U

/**
 * struct spanker_superblock - 256 elements of a row, unpacked
 * @values: four elements a word, 16 bits each, not negative: in @a the first is
 *	the lowest, in @b it is the highest. Those of Q8_K have 128 added.
 * @sums: of each sub-block; Q8_K: what its bsums say; Q4_K: scale times the sum
 *	of the elements
 * @scales: of the sub-blocks; Q4_K only
 * @mins: of the sub-blocks; Q4_K only
 * @d: f32
 * @dmin: f32; Q4_K only
 */
struct spanker_superblock {
	u64 values[SPANKER_QK_K / 4];
	s32 sums[8];
	u8 scales[8];
	u8 mins[8];
	u32 d;
	u32 dmin;
};

/**
 * struct spanker_sums - the integers of a term of section 10
 * @p: P
 * @q: Q, or M
 * @r: R; Q4_K x Q4_K only
 * @s: S; Q4_K x Q4_K only
 */
struct spanker_sums {
	s32 p;
	s32 q;
	s32 r;
	s32 s;
};

/* virtual_integers.c */
void spanker_unpack_a_q8_k(struct spanker_superblock *to, const void *from,
			   unsigned int count);
void spanker_unpack_a_q4_k(struct spanker_superblock *to, const void *from,
			   unsigned int count);
void spanker_unpack_b_q4_k(struct spanker_superblock *to, const void *from,
			   unsigned int count);
void spanker_sum_q8_k(struct spanker_sums *to, const struct spanker_superblock *a,
		      const struct spanker_superblock *b, unsigned int count);
void spanker_sum_q4_k(struct spanker_sums *to, const struct spanker_superblock *a,
		      const struct spanker_superblock *b, unsigned int count);

/* virtual_floats.c */
void spanker_quantise(struct spanker_block_q8_k *to, const __le32 *from,
		      unsigned int count);
u32 spanker_fold_q8_k(u32 acc, const struct spanker_sums *sums,
		      const struct spanker_superblock *a,
		      const struct spanker_superblock *b, unsigned int count);
u32 spanker_fold_q4_k(u32 acc, const struct spanker_sums *sums,
		      const struct spanker_superblock *a,
		      const struct spanker_superblock *b, unsigned int count);

#endif
