/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out = a * b^T: 2 rows of activations by 4 rows of weights. All that it knows
 * of a Sail it has from the header.
 */
#include "multiply.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/spanker_ioctl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { M = 2, N = 4, K = SPANKER_QK_K };

static int failed(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return 1;
}

/* Operand data is little-endian on every host. */
static void put_f32(void *to, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bits = htole32(bits);
	memcpy(to, &bits, sizeof(bits));
}

static float get_f32(const void *from)
{
	uint32_t bits;
	float value;

	memcpy(&bits, from, sizeof(bits));
	bits = le32toh(bits);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Activation l of row i. */
static float activation(int i, int l)
{
	return (float)(l % 16 + i);
}

/* 256 weights that are all j: d is 1.0, the scales are 1 and the mins 0. */
static struct spanker_block_q4_k weights(int j)
{
	struct spanker_block_q4_k block = {
		.d = htole16(0x3c00),
		.scales = { 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1 },
	};

	memset(block.qs, j | j << 4, sizeof(block.qs));
	return block;
}

/* A buffer, mapped. */
static void *create(const struct sail *sail, size_t size, __u32 *handle)
{
	struct spanker_buf_create buffer = { .size = size };
	int error = sail->request(sail->device, SPANKER_IOC_BUF_CREATE, &buffer);
	void *bytes;

	if (error) {
		failed("BUF_CREATE", error);
		return NULL;
	}
	*handle = buffer.handle;
	bytes = sail->map(sail->device, buffer.mmap_offset, size);
	if (!bytes)
		fprintf(stderr, "the buffer cannot be mapped\n");
	return bytes;
}

static int introduce(const struct sail *sail)
{
	struct spanker_version version;
	struct spanker_device_info info = { 0 };
	struct spanker_query query = {
		.type = SPANKER_QUERY_DEVICE,
		.size = sizeof(info),
		.ptr = (__u64)(uintptr_t)&info,
	};
	int error = sail->request(sail->device, SPANKER_IOC_GET_VERSION, &version);

	if (error)
		return failed("GET_VERSION", error);
	if (version.major != SPANKER_ABI_VERSION_MAJOR ||
	    (version.major == 0 && version.minor != SPANKER_ABI_VERSION_MINOR)) {
		fprintf(stderr, "the card speaks ABI %u.%u\n", version.major, version.minor);
		return 1;
	}
	error = sail->request(sail->device, SPANKER_IOC_QUERY, &query);
	if (error)
		return failed("QUERY", error);
	printf("%s, ABI %u.%u.%u, up to %u ops in a batch\n", (const char *)info.name,
	       version.major, version.minor, version.patch, info.max_ops);
	return 0;
}

int multiply(const struct sail *sail)
{
	const __u64 a_row = K * sizeof(float), out_row = N * sizeof(float);
	const __u64 b_row = sizeof(struct spanker_block_q4_k);
	struct spanker_op op = {
		.opcode = SPANKER_OPCODE_MATMUL,
		.m = M,
		.n = N,
		.k = K,
		.a = { .type = SPANKER_TYPE_F32, .row_stride = a_row },
		.b = { .type = SPANKER_TYPE_Q4_K, .row_stride = b_row },
		.out = { .type = SPANKER_TYPE_F32, .row_stride = out_row },
	};
	struct spanker_work_submit submit = {
		.ops = (__u64)(uintptr_t)&op,
		.op_count = 1,
		.op_stride = sizeof(op),
	};
	struct spanker_wait wait = { .deadline_ns = SPANKER_DEADLINE_NEVER };
	unsigned char *a, *b, *out;
	int error, i, j, l, wrong = 0;

	if (introduce(sail))
		return 1;
	a = create(sail, M * a_row, &op.a.handle);
	b = create(sail, N * b_row, &op.b.handle);
	out = create(sail, M * out_row, &op.out.handle);
	if (!a || !b || !out)
		return 1;

	for (i = 0; i < M; i++)
		for (l = 0; l < K; l++)
			put_f32(a + i * a_row + l * sizeof(float), activation(i, l));
	for (j = 0; j < N; j++) {
		struct spanker_block_q4_k block = weights(j);

		memcpy(b + j * b_row, &block, sizeof(block));
	}

	error = sail->request(sail->device, SPANKER_IOC_WORK_SUBMIT, &submit);
	if (error) {
		if (submit.bad_op != SPANKER_NO_OP)
			fprintf(stderr, "op %u was refused\n", submit.bad_op);
		return failed("WORK_SUBMIT", error);
	}
	wait.seqno = submit.seqno;
	do {
		error = sail->request(sail->device, SPANKER_IOC_WAIT, &wait);
	} while (error == -EINTR);
	if (error)
		return failed("WAIT", error);

	printf("batch %llu has completed\n", (unsigned long long)submit.seqno);
	for (i = 0; i < M; i++) {
		for (j = 0; j < N; j++) {
			float result = get_f32(out + i * out_row + j * sizeof(float));
			float expected = 0;

			for (l = 0; l < K; l++)
				expected += activation(i, l) * (float)j;
			/* Activations are rounded to 8 bits on the way. */
			wrong |= !(fabsf(result - expected) <= 0.01f * expected);
			printf("%10.3f", (double)result);
		}
		printf("\n");
	}
	fflush(stdout);
	if (wrong)
		fprintf(stderr, "that is not the product\n");
	return wrong;
}

static int card_request(void *device, unsigned int code, void *argument)
{
	return ioctl(*(const int *)device, code, argument) ? -errno : 0;
}

static void *card_map(void *device, uint64_t offset, size_t length)
{
	void *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			   *(const int *)device, (off_t)offset);

	return bytes == MAP_FAILED ? NULL : bytes;
}

int multiply_on_card(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	const struct sail sail = { &fd, card_request, card_map };
	int result;

	if (fd < 0)
		return failed(path, -errno);
	result = multiply(&sail);
	/* The buffers go when the mappings do, at the end of the process. */
	close(fd);
	return result;
}
