// SPDX-License-Identifier: GPL-2.0-only
/* Has the driver's engine run an op. */

#include "spanker.h"
#include "virtual.h"

struct rows {
	void *memory;
	u64 offset;
	u64 stride;
};

struct op {
	u32 opcode;
	u32 a_type;
	u32 accumulate;
	u32 m;
	u32 n;
	u32 k;
	struct rows a;
	struct rows b;
	struct rows out;
};

static struct spanker_open whose;
static u32 steps;
static u32 last_step;
static int sections;

void cond_resched(void)
{
	if (sections)
		__builtin_trap();
	if (++steps == last_step)
		whose.stopping = true;
}

void kernel_fpu_begin(void)
{
	if (sections++)
		__builtin_trap();
}

void kernel_fpu_end(void)
{
	if (--sections)
		__builtin_trap();
}

/*
 * Runs an op, which is cancelled between its steps when it has made so many, or
 * never, if they are 0. How many it made is in *made. For one thread at a time.
 */
int driver_arithmetic_run(const struct op *op, u32 steps_to_make, u32 *made)
{
	struct spanker_buf a = { .memory = op->a.memory };
	struct spanker_buf b = { .memory = op->b.memory };
	struct spanker_buf out = { .memory = op->out.memory };
	struct spanker_work work = {
		.opcode = op->opcode,
		.a_type = op->a_type,
		.accumulate = op->accumulate,
		.m = op->m,
		.n = op->n,
		.k = op->k,
		.a = { &a, op->a.offset, op->a.stride },
		.b = { &b, op->b.offset, op->b.stride },
		.out = { &out, op->out.offset, op->out.stride },
	};
	struct spanker_virtual_engine *engine = spanker_virtual_engine_alloc();
	int err;

	whose.stopping = false;
	steps = 0;
	last_step = steps_to_make;
	err = spanker_virtual_run(engine, &work, &whose);
	*made = steps;
	spanker_virtual_engine_free(engine);
	return err;
}
