/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit-wait NODE OPENS OPS BATCH: on each of OPENS opens, submits OPS tiny
 * products, BATCH at a time, waits for each batch, and prints how many
 * nanoseconds a product took. What the safe crate is measured beside.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/spanker_ioctl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const char *node;
static long op_count, batch_size;
static pthread_barrier_t begun, ended;

static void must(int answer, const char *what)
{
	if (answer < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static __u32 buffer(int fd, __u64 size)
{
	struct spanker_buf_create create = { .size = size };

	must(ioctl(fd, SPANKER_IOC_BUF_CREATE, &create), "BUF_CREATE");
	return create.handle;
}

static void fill(struct spanker_op *op, __u32 a, __u32 b, __u32 out)
{
	*op = (struct spanker_op){
		.opcode = SPANKER_OPCODE_MATMUL,
		.m = 1,
		.n = 1,
		.k = SPANKER_QK_K,
		.a = { .handle = a, .type = SPANKER_TYPE_F32, .row_stride = 1024 },
		.b = { .handle = b, .type = SPANKER_TYPE_Q4_K, .row_stride = 144 },
		.out = { .handle = out, .type = SPANKER_TYPE_F32, .row_stride = 4 },
	};
}

static void submit_and_wait(int fd, struct spanker_op *ops)
{
	struct spanker_work_submit submit = {
		.ops = (uintptr_t)ops,
		.op_count = batch_size,
		.op_stride = sizeof(*ops),
	};
	struct spanker_wait wait = { .deadline_ns = SPANKER_DEADLINE_NEVER };

	must(ioctl(fd, SPANKER_IOC_WORK_SUBMIT, &submit), "WORK_SUBMIT");
	wait.seqno = submit.seqno;
	must(ioctl(fd, SPANKER_IOC_WAIT, &wait), "WAIT");
}

static void *run(void *nothing)
{
	struct spanker_op *ops = calloc(batch_size, sizeof(*ops));
	__u32 *outs = calloc(batch_size, sizeof(*outs));
	int fd = open(node, O_RDWR | O_CLOEXEC);
	long i, done;
	__u32 a, b;

	must(fd, node);
	a = buffer(fd, 1024);
	b = buffer(fd, 144);
	for (i = 0; i < batch_size; i++)
		outs[i] = buffer(fd, 4);
	/* As the safe crate's programs do, each batch is filled in anew. */
	pthread_barrier_wait(&begun);
	for (done = 0; done < op_count; done += batch_size) {
		for (i = 0; i < batch_size; i++)
			fill(&ops[i], a, b, outs[i]);
		submit_and_wait(fd, ops);
	}
	pthread_barrier_wait(&ended);
	close(fd);
	free(outs);
	free(ops);
	return nothing;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	double begin;
	long opens, i;

	if (argc != 5) {
		fprintf(stderr, "usage: %s NODE OPENS OPS BATCH\n", argv[0]);
		return 2;
	}
	node = argv[1];
	opens = atol(argv[2]);
	op_count = atol(argv[3]);
	batch_size = atol(argv[4]);
	pthread_barrier_init(&begun, NULL, opens + 1);
	pthread_barrier_init(&ended, NULL, opens + 1);
	for (i = 0; i < opens; i++)
		if (pthread_create(&thread, NULL, run, NULL))
			return 1;
	pthread_barrier_wait(&begun);
	begin = now();
	pthread_barrier_wait(&ended);
	printf("%.1f\n", (now() - begin) / (opens * op_count));
	return 0;
}
