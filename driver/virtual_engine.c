// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the ops of virtual cards.
 *
 * MATMUL goes by tiles of some rows of a and some of b, and within a tile along
 * k by chunks. A chunk of the rows of a is unpacked into a panel; then row by
 * row of b is unpacked, multiplied with the panel, and added to the sums of the
 * tile, which go to memory when k is at its end.
 *
 * What is in buffers can change at any time, and is copied into private memory
 * before anything looks at it.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/byteorder.h>

#include "spanker.h"
#include "virtual.h"
#include "virtual_arithmetic.h"
#include "virtual_fpu.h"

/* Rows of a in a tile: enough to repay the unpacking of b. */
#define SPANKER_TILE_M		16
/* Rows of b in a tile: enough to repay the quantising of a. */
#define SPANKER_TILE_N		256
/* Superblocks in a chunk: the panel is then 142 KiB. */
#define SPANKER_CHUNK		16
/* Bytes that COPY moves in a step, about, and what a row costs beside them. */
#define SPANKER_COPY_STEP	SZ_64K
#define SPANKER_COPY_ROW	64

/* Superblocks of a row of any type, of which F32 is the longest. */
union spanker_raw {
	u8 bytes[SPANKER_CHUNK * SPANKER_QK_K * sizeof(__le32)];
	__le32 f32[SPANKER_CHUNK * SPANKER_QK_K];
};

/**
 * struct spanker_virtual_engine - private memory, what is copied into it first
 * @raw: a chunk of a row, or a row of a tile's sums
 * @quantised: a chunk of a row of F32
 * @panel: a chunk of the rows of a
 * @weights: a chunk of a row of b
 * @sums: of @panel and @weights
 * @acc: f32
 */
struct spanker_virtual_engine {
	union spanker_raw raw;
	struct spanker_block_q8_k quantised[SPANKER_CHUNK];
	struct spanker_superblock panel[SPANKER_TILE_M][SPANKER_CHUNK];
	struct spanker_superblock weights[SPANKER_CHUNK];
	struct spanker_sums sums[SPANKER_TILE_M][SPANKER_CHUNK];
	u32 acc[SPANKER_TILE_M][SPANKER_TILE_N];
};

/**
 * struct spanker_arithmetic - how a type of a is multiplied with Q4_K
 * @block_bytes: of a superblock of a
 * @quantise: whether a is F32, to be made Q8_K first
 * @unpack: unpacks superblocks of a
 * @sum: the integers of terms
 * @fold: adds terms, in an FPU section
 */
struct spanker_arithmetic {
	size_t block_bytes;
	bool quantise;
	void (*unpack)(struct spanker_superblock *to, const void *from,
		       unsigned int count);
	void (*sum)(struct spanker_sums *to, const struct spanker_superblock *a,
		    const struct spanker_superblock *b, unsigned int count);
	u32 (*fold)(u32 acc, const struct spanker_sums *sums,
		    const struct spanker_superblock *a,
		    const struct spanker_superblock *b, unsigned int count);
};

static const struct spanker_arithmetic spanker_f32 = {
	.block_bytes = SPANKER_QK_K * sizeof(__le32),
	.quantise = true,
	.unpack = spanker_unpack_a_q8_k,
	.sum = spanker_sum_q8_k,
	.fold = spanker_fold_q8_k,
};

static const struct spanker_arithmetic spanker_q8_k = {
	.block_bytes = sizeof(struct spanker_block_q8_k),
	.unpack = spanker_unpack_a_q8_k,
	.sum = spanker_sum_q8_k,
	.fold = spanker_fold_q8_k,
};

static const struct spanker_arithmetic spanker_q4_k = {
	.block_bytes = sizeof(struct spanker_block_q4_k),
	.unpack = spanker_unpack_a_q4_k,
	.sum = spanker_sum_q4_k,
	.fold = spanker_fold_q4_k,
};

/**
 * struct spanker_tile - part of a product
 * @work: the product
 * @arithmetic: of its types
 * @i: first row of a
 * @m: rows of a
 * @j: first row of b
 * @n: rows of b
 */
struct spanker_tile {
	const struct spanker_work *work;
	const struct spanker_arithmetic *arithmetic;
	u32 i;
	u32 m;
	u32 j;
	u32 n;
};

/* Byte @at of a row. */
static void *spanker_byte(const struct spanker_rows *rows, u32 row, size_t at)
{
	return rows->buf->memory + (size_t)(rows->offset + row * rows->stride) + at;
}

/* Copies from or to a buffer. */
static void spanker_copy(void *to, const void *from, size_t size)
{
	/* Its owner may write it meanwhile, and gets what comes of that. */
	data_race(memcpy(to, from, size));
	/* Who reads the copy does not read the buffer again instead. */
	barrier();
}

/* Others' turn, and a look for the end of the open. */
static int spanker_between_steps(const struct spanker_open *open)
{
	cond_resched();
	return spanker_cancelled(open) ? -ECANCELED : 0;
}

/* Sets the sums of a tile to what they start from. */
static void spanker_start_sums(struct spanker_virtual_engine *engine,
			       const struct spanker_tile *tile)
{
	const struct spanker_work *work = tile->work;
	u32 i, j;

	if (!work->accumulate) {
		memset(engine->acc, 0, sizeof(engine->acc));
		return;
	}
	for (i = 0; i < tile->m; i++) {
		spanker_copy(engine->raw.f32,
			     spanker_byte(&work->out, tile->i + i,
					  tile->j * sizeof(__le32)),
			     tile->n * sizeof(__le32));
		for (j = 0; j < tile->n; j++)
			engine->acc[i][j] = le32_to_cpu(engine->raw.f32[j]);
	}
}

static void spanker_store_sums(struct spanker_virtual_engine *engine,
			       const struct spanker_tile *tile)
{
	u32 i, j;

	for (i = 0; i < tile->m; i++) {
		for (j = 0; j < tile->n; j++) {
			u32 bits = engine->acc[i][j];

			if ((bits & SPANKER_F32_MAGNITUDE) > SPANKER_F32_INFINITY)
				bits = SPANKER_F32_NAN;
			engine->raw.f32[j] = cpu_to_le32(bits);
		}
		spanker_copy(spanker_byte(&tile->work->out, tile->i + i,
					  tile->j * sizeof(__le32)),
			     engine->raw.f32, tile->n * sizeof(__le32));
	}
}

/* Unpacks superblocks @first and up of row @i of a tile's a into the panel. */
static void spanker_fill_panel(struct spanker_virtual_engine *engine,
			       const struct spanker_tile *tile, u32 i,
			       u32 first, u32 count)
{
	const struct spanker_arithmetic *arithmetic = tile->arithmetic;
	size_t bytes = arithmetic->block_bytes;
	const void *blocks = engine->raw.bytes;

	spanker_copy(engine->raw.bytes,
		     spanker_byte(&tile->work->a, tile->i + i, first * bytes),
		     count * bytes);
	if (arithmetic->quantise) {
		spanker_fpu_begin();
		spanker_quantise(engine->quantised, engine->raw.f32, count);
		spanker_fpu_end();
		blocks = engine->quantised;
	}
	arithmetic->unpack(engine->panel[i], blocks, count);
}

/* Multiplies superblocks @first and up of row @j of a tile's b by the panel. */
static void spanker_multiply(struct spanker_virtual_engine *engine,
			     const struct spanker_tile *tile, u32 j,
			     u32 first, u32 count)
{
	const size_t bytes = sizeof(struct spanker_block_q4_k);
	const struct spanker_arithmetic *arithmetic = tile->arithmetic;
	u32 i;

	spanker_copy(engine->raw.bytes,
		     spanker_byte(&tile->work->b, tile->j + j, first * bytes),
		     count * bytes);
	spanker_unpack_b_q4_k(engine->weights, engine->raw.bytes, count);
	for (i = 0; i < tile->m; i++)
		arithmetic->sum(engine->sums[i], engine->panel[i],
				engine->weights, count);
	spanker_fpu_begin();
	for (i = 0; i < tile->m; i++)
		engine->acc[i][j] = arithmetic->fold(engine->acc[i][j],
						     engine->sums[i],
						     engine->panel[i],
						     engine->weights, count);
	spanker_fpu_end();
}

static int spanker_run_tile(struct spanker_virtual_engine *engine,
			    const struct spanker_tile *tile,
			    const struct spanker_open *open)
{
	u32 blocks = tile->work->k / SPANKER_QK_K;
	u32 first, count, i, j;
	int err;

	spanker_start_sums(engine, tile);
	for (first = 0; first < blocks; first += count) {
		count = min_t(u32, blocks - first, SPANKER_CHUNK);
		for (i = 0; i < tile->m; i++) {
			err = spanker_between_steps(open);
			if (err)
				return err;
			spanker_fill_panel(engine, tile, i, first, count);
		}
		for (j = 0; j < tile->n; j++) {
			err = spanker_between_steps(open);
			if (err)
				return err;
			spanker_multiply(engine, tile, j, first, count);
		}
	}
	spanker_store_sums(engine, tile);
	return 0;
}

static int spanker_run_matmul(struct spanker_virtual_engine *engine,
			      const struct spanker_work *work,
			      const struct spanker_open *open)
{
	struct spanker_tile tile = { .work = work };
	int err;

	switch (work->a_type) {
	case SPANKER_TYPE_F32:
		tile.arithmetic = &spanker_f32;
		break;
	case SPANKER_TYPE_Q8_K:
		tile.arithmetic = &spanker_q8_k;
		break;
	case SPANKER_TYPE_Q4_K:
		tile.arithmetic = &spanker_q4_k;
		break;
	default:
		return -EIO;
	}
	for (tile.i = 0; tile.i < work->m; tile.i += tile.m) {
		tile.m = min_t(u32, work->m - tile.i, SPANKER_TILE_M);
		for (tile.j = 0; tile.j < work->n; tile.j += tile.n) {
			tile.n = min_t(u32, work->n - tile.j, SPANKER_TILE_N);
			err = spanker_run_tile(engine, &tile, open);
			if (err)
				return err;
		}
	}
	return 0;
}

static int spanker_run_copy(const struct spanker_work *work,
			    const struct spanker_open *open)
{
	size_t moved = 0;
	u32 row, at, size;
	int err;

	for (row = 0; row < work->m; row++) {
		for (at = 0; at < work->k; at += size) {
			size = min_t(u32, work->k - at, SPANKER_COPY_STEP);
			spanker_copy(spanker_byte(&work->out, row, at),
				     spanker_byte(&work->a, row, at), size);
			moved += size + SPANKER_COPY_ROW;
			if (moved < SPANKER_COPY_STEP)
				continue;
			moved = 0;
			err = spanker_between_steps(open);
			if (err)
				return err;
		}
	}
	return 0;
}

/**
 * spanker_virtual_engine_alloc() - an engine, for one op at a time
 *
 * Return: it, or NULL without memory, or on a CPU without an FPU.
 */
struct spanker_virtual_engine *spanker_virtual_engine_alloc(void)
{
	if (!spanker_fpu_available()) {
		pr_err("spanker: virtual Sails need a CPU with an FPU\n");
		return NULL;
	}
	return kvzalloc(sizeof(struct spanker_virtual_engine), GFP_KERNEL);
}

/**
 * spanker_virtual_engine_free() - the end of an engine
 * @engine: of spanker_virtual_engine_alloc(), or NULL
 */
void spanker_virtual_engine_free(struct spanker_virtual_engine *engine)
{
	kvfree(engine);
}

/**
 * spanker_virtual_run() - run an op
 * @engine: which runs no other
 * @work: the op
 * @open: whose it is
 *
 * Sleeps, and stops between two steps of some 10 to 20 us when @open is stopping.
 *
 * Return: 0; -ECANCELED; -EIO where the op is none that an engine knows.
 */
int spanker_virtual_run(struct spanker_virtual_engine *engine,
			const struct spanker_work *work,
			struct spanker_open *open)
{
	switch (work->opcode) {
	case SPANKER_OPCODE_MATMUL:
		return spanker_run_matmul(engine, work, open);
	case SPANKER_OPCODE_COPY:
		return spanker_run_copy(work, open);
	default:
		return -EIO;
	}
}
