/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The Spanker ABI: what a Sail, an accelerator card for int4 matrix products,
 * understands. This file is the specification: the kernel driver and the
 * software Sail are two implementations of it, and either may be replaced by
 * somebody who has read nothing else.
 *
 * Contents
 *    1  Nodes, opens, lifetimes          6  Buffers and mmap
 *    2  Rules every request follows      7  Work: ops and batches
 *    3  PING and GET_VERSION             8  The timeline: WAIT, read, poll
 *    4  QUERY                            9  Block formats
 *    5  Operand types                   10  Arithmetic
 *                                       11  Growing this file
 *
 * Words: a *Sail* is a card, an *op* is one matrix product or copy, a *batch*
 * is what one WORK_SUBMIT carries, a *seqno* is a point on an open's timeline.
 *
 * 1  Nodes, opens, lifetimes
 *
 * /dev/spankerctl is there whenever the driver is loaded. It takes PING,
 * GET_VERSION and QUERY of SPANKER_QUERY_CARDS. It has no mmap (ENODEV) and no
 * read (EINVAL), and poll on it means nothing.
 *
 * /dev/spankerN is the Sail with index N. It takes PING, GET_VERSION, QUERY of
 * everything but SPANKER_QUERY_CARDS, BUF_CREATE, BUF_DESTROY, WORK_SUBMIT,
 * WAIT, and mmap, poll and read.
 *
 * One open of a card is one in-order queue and one namespace of buffer handles.
 * Nothing is shared between two opens. dup, fork and passing a descriptor share
 * one open. A mapping of a buffer pins the open: it ends at the last close
 * *and* the last munmap. When it ends, queued batches are dropped and the
 * running op stops at its next step; ending never waits for a whole op and
 * never touches hardware. Work is bounded in steps: an engine looks for the end
 * of its open between them.
 *
 * Every blocking call is interruptible, and ends when its process is killed. A
 * kernel charges buffers and queued ops to the caller's cgroup.
 *
 * When a card is unplugged, or has been reset since the open was made, every
 * request, read and mmap of that open answers ENODEV, and whoever is blocked in
 * WAIT or read is woken with ENODEV. Mappings stay readable and writable.
 *
 * 2  Rules every request follows
 *
 * A request is recognised by its type (SPANKER_IOC_MAGIC), number and
 * direction. The size in the request code is the size of the caller's struct:
 * structs grow only at their end, and a field added later means the old
 * behaviour when it is zero. So:
 *
 *   - A caller older than the device sends less: the device takes the missing
 *     tail as zero. Less than the first version of the struct (the size that
 *     this file gives beside it) is EINVAL.
 *   - A caller newer than the device sends more: the tail the device does not
 *     know must be zero (E2BIG). In a request that only carries data out
 *     (_IOR) the device zeroes the unknown tail instead.
 *   - The size in a request that carries no data (_IO) is ignored.
 *
 * Checks are made in this order, and the first that fails is the answer:
 *
 *   ENODEV  the card is unplugged, or was reset since this open
 *   ENOTTY  type, number or direction is not one of this node's
 *   EINVAL  the size is below the first version of the struct
 *   EFAULT  the struct cannot be read, the unknown tail included (_IOW, _IOWR)
 *   E2BIG   the unknown tail is not zero (_IOW, _IOWR)
 *   then what the request itself says below, in the order given there.
 *
 * Flags that are not defined and fields named reserved must be zero (EINVAL).
 * Fields marked "out" are ignored on input. Pointers are __u64, at any
 * alignment; one that does not fit the caller's address space is EFAULT. User
 * memory is read once. Any request answers ENOMEM when the host has no memory
 * for it, or the caller's cgroup grants it none.
 *
 * A request that fails changes nothing, with two exceptions: once the struct
 * has been read, WORK_SUBMIT writes its bad_op and WAIT writes its completed,
 * whatever the outcome, E2BIG included. A write that faults turns the answer
 * into EFAULT. Results are written before anything is queued or created, so
 * that EFAULT means: nothing was. A device never writes beyond the first
 * version of the struct, the zeroed tail of an _IOR request apart.
 *
 * Structs hold only fixed-width integers, naturally aligned and explicitly
 * padded, so that they are the same on 32-bit and 64-bit callers. A struct
 * marked "abi: extensible" may grow at its end; the others are frozen.
 */
#ifndef _UAPI_LINUX_SPANKER_IOCTL_H
#define _UAPI_LINUX_SPANKER_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * The version of this file. A caller and a device understand each other when
 * the majors are equal and, while the major is 0, the minors too. The patch
 * level is for clarifications of the text and never matters.
 */
#define SPANKER_ABI_VERSION_MAJOR	0
#define SPANKER_ABI_VERSION_MINOR	2
#define SPANKER_ABI_VERSION_PATCH	0

#define SPANKER_IOC_MAGIC	0xE3

/*
 * 3  PING and GET_VERSION
 *
 * PING does nothing, successfully, wherever the node is a Sail's.
 * GET_VERSION tells the version of the ABI that the device implements.
 */

/* Frozen: every version of every device answers it. reserved is 0. */
struct spanker_version {
	__u16 major;
	__u16 minor;
	__u16 patch;
	__u16 reserved;
};

#define SPANKER_IOC_PING	_IO(SPANKER_IOC_MAGIC, 0x01)
#define SPANKER_IOC_GET_VERSION	_IOR(SPANKER_IOC_MAGIC, 0x02, struct spanker_version)

/*
 * 4  QUERY
 *
 * Copies what type names to ptr. size is the room at ptr in bytes on input, and
 * the full length of the answer on output; min(room, full length) bytes are
 * copied, and nothing is read or written at ptr when that is 0. A caller that
 * does not know the length asks twice, first with size 0.
 *
 *   EINVAL  unknown type; SPANKER_QUERY_CARDS on a card; another on the control
 *           node
 *   EFAULT  ptr, or the struct, cannot be written; bytes at ptr may have been
 */

/* abi: extensible, first version 16 bytes */
struct spanker_query {
	__u32 type;		/* SPANKER_QUERY_* */
	__u32 size;		/* in: room at ptr; out: full length; bytes */
	__u64 ptr;
};

#define SPANKER_QUERY_CARDS		1 /* __u32[]: indices, ascending */
#define SPANKER_QUERY_DEVICE		2 /* struct spanker_device_info */
#define SPANKER_QUERY_MATMUL_CAPS	3 /* struct spanker_matmul_cap[] */
#define SPANKER_QUERY_CONTEXT		4 /* struct spanker_context_info */
#define SPANKER_QUERY_TELEMETRY		5 /* struct spanker_telemetry */

/* abi: extensible, first version 128 bytes */
struct spanker_device_info {
	__u32 card_index;	/* the N of /dev/spankerN */
	__u32 flags;		/* SPANKER_DEVICE_* */
	__u16 pci_vendor;	/* the four PCI identifiers: 0 when virtual */
	__u16 pci_device;
	__u16 pci_subvendor;
	__u16 pci_subdevice;
	__u32 pci_domain;
	__u32 pci_bdf;		/* bus << 8 | device << 3 | function */
	__u8 uuid[16];		/* of this card, in the order it is printed */
	__u8 name[32];		/* UTF-8, NUL-padded, at least one NUL */
	__u64 features;		/* SPANKER_FEATURE_*: none is defined yet */
	__u64 mem_size;		/* bytes of card memory */
	__u64 max_buf_size;	/* bytes in one buffer */
	__u32 max_ops;		/* ops in one batch */
	__u32 max_inflight;	/* unretired batches of one open */
	__u32 max_bufs;		/* live handles of one open */
	__u32 operand_align;	/* a hint for speed, never enforced; bytes */
	__u32 max_m;
	__u32 max_n;
	__u32 max_k;		/* of MATMUL; COPY's k is not limited by it */
	__u32 reserved;
};

#define SPANKER_DEVICE_VIRTUAL	(1 << 0) /* no hardware behind it */

/*
 * A combination of operand types that MATMUL takes on this card. Frozen: it is
 * the element of an array.
 */
struct spanker_matmul_cap {
	__u32 a_type;		/* SPANKER_TYPE_* */
	__u32 b_type;
	__u32 out_type;
	__u32 flags;		/* SPANKER_MATMUL_CAP_* */
};

/* The results have the very bits that section 10 defines. */
#define SPANKER_MATMUL_CAP_BIT_EXACT	(1 << 0)

/*
 * This open. All fault fields are 0 while there was no fault.
 * abi: extensible, first version 32 bytes
 */
struct spanker_context_info {
	__u64 submitted;	/* seqno of the last accepted batch, 0: none */
	__u64 completed;	/* batches retired successfully; stops short of a fault */
	__u64 fault_seqno;	/* the batch that failed */
	__u32 fault_op;		/* index of the op in that batch */
	__u32 fault_code;	/* SPANKER_FAULT_* */
};

#define SPANKER_FAULT_ENGINE	1 /* the engine could not compute the op */

/*
 * This card, over all opens, since it was plugged in. Counters only grow; they
 * have their new value when `completed` of the open has or, for faults, when
 * WAIT answers EIO. Batches that were cancelled or dropped are in no counter.
 * abi: extensible, first version 72 bytes
 */
struct spanker_telemetry {
	__u64 time_ns;		/* CLOCK_MONOTONIC when this was taken */
	__u64 busy_ns;		/* time in which at least one op was running */
	__u64 ops;		/* ops of batches that succeeded */
	__u64 batches;		/* batches that succeeded */
	__u64 bytes_in;		/* row bytes they read, of out too with ACCUMULATE */
	__u64 bytes_out;	/* row bytes written by those ops */
	__u64 faults;		/* batches that failed */
	__u64 resets;
	__u64 mem_used;		/* bytes of buffers alive, in whole pages */
};

#define SPANKER_IOC_QUERY	_IOWR(SPANKER_IOC_MAGIC, 0x10, struct spanker_query)

/*
 * 5  Operand types
 *
 * They have ggml_type's numbers; one is defined here when a card first offers
 * it. Operand data is little-endian on every host, F32 included.
 */
#define SPANKER_TYPE_F32	0	/* IEEE-754 binary32 */
#define SPANKER_TYPE_Q4_K	12	/* struct spanker_block_q4_k per 256 */
#define SPANKER_TYPE_Q8_K	15	/* struct spanker_block_q8_k per 256 */

/*
 * 6  Buffers and mmap
 *
 * BUF_CREATE makes a buffer of `size` bytes, all zero. The size asked for is
 * what operands are checked against; mapping works in whole pages. Handles
 * start at 1 and are handed out cyclically, so that a stale one is not soon
 * valid again. mmap_offset is opaque, page-aligned and non-zero: the offset to
 * give to mmap on the same open.
 *
 * With SPANKER_BUF_DEVICE the buffer can never be mapped (mmap_offset is 0):
 * only ops reach it, and a device may keep its bytes in any layout. Any op may
 * name it as any operand.
 *
 *   EINVAL  unknown flag; size 0 or over max_buf_size
 *   EMFILE  max_bufs handles are live on this open
 *   ENOSPC  card memory is full
 *   ENOMEM  host memory is
 *
 * BUF_DESTROY is legal while the buffer is mapped or work names it. The handle
 * and its place under max_bufs are free at once; the memory, counted in whole
 * pages in mem_used, after the last batch that names it has retired and its
 * last mapping is gone.
 *
 *   EINVAL  flags not 0
 *   ENOENT  no such handle on this open
 *
 * mmap takes any page-aligned part of a buffer's size rounded up to whole
 * pages. Mappings stay valid after BUF_DESTROY and unplug. In this order:
 *
 *   ENODEV  the card is unplugged, or was reset since this open
 *   EACCES  PROT_EXEC, here or by mprotect later
 *   EINVAL  MAP_PRIVATE; a range that is not wholly inside one live buffer
 *
 * There is no call to synchronise caches: an op names its buffers and their
 * direction, and the device does it. If operand bytes change while a batch is
 * in flight, the output of the ops that name them is unspecified, and nothing
 * else is affected: no operand byte ever steers an address, a size or a loop.
 */

/* abi: extensible, first version 24 bytes */
struct spanker_buf_create {
	__u64 size;		/* bytes */
	__u32 flags;		/* SPANKER_BUF_* */
	__u32 handle;		/* out */
	__u64 mmap_offset;	/* out */
};

#define SPANKER_BUF_DEVICE	(1 << 0)

/* abi: extensible, first version 8 bytes */
struct spanker_buf_destroy {
	__u32 handle;
	__u32 flags;
};

#define SPANKER_IOC_BUF_CREATE	_IOWR(SPANKER_IOC_MAGIC, 0x20, struct spanker_buf_create)
#define SPANKER_IOC_BUF_DESTROY	_IOW(SPANKER_IOC_MAGIC, 0x21, struct spanker_buf_destroy)
/* 0x22 is kept for importing a buffer. */

/*
 * 7  Work: ops and batches
 *
 * MATMUL
 *    out[i][j] = sum over l < k of a[i][l] * b[j][l],  i < m, j < n
 * a has m rows of k elements, b has n rows of k, out has m rows of n. k is a
 * multiple of 256 (SPANKER_QK_K). Which types go together is asked with
 * SPANKER_QUERY_MATMUL_CAPS; defined are F32 x Q4_K, Q8_K x Q4_K and
 * Q4_K x Q4_K, each to F32. With SPANKER_OP_ACCUMULATE the sum starts from what
 * out holds; a product split at superblocks of k, the parts accumulated in
 * ascending order, has the same bits as the whole.
 *
 * COPY
 *    m rows of k *bytes*, from a to out, at any alignment. n is 0, and so are
 * the types, b and the flags. max_m applies; max_n and max_k do not.
 *
 * Footprint. An operand with `rows` rows of row_bytes each reaches over
 *    [offset, offset + (rows - 1) * row_stride + row_bytes)
 * where row_bytes is 4 per F32, 144 per 256 of Q4_K, 292 per 256 of Q8_K, or
 * COPY's k. row_stride is at least row_bytes, also where there is one row. For
 * MATMUL, offset and row_stride are multiples of 4. Only row_bytes of each row
 * of out are written; the gaps keep what they held.
 *
 * A batch is validated whole before anything of it is queued; when it is
 * rejected, nothing ran. Its ops behave as if run one after another in the
 * order of the array; a device may run independent ones in parallel. Opens take
 * turns: between two ops at the latest, another open's work gets its share.
 *
 *   EINVAL  flags not 0; op_count 0 or over max_ops; op_stride not a multiple
 *           of 8, below 96 or above 4096
 *   EFAULT  op_count * op_stride bytes at ops cannot be read
 *   then each op by itself, op 0 completely, then op 1, and so on; bad_op is
 *   the index of the op that was refused:
 *     E2BIG       the tail of the op that the device does not know is not zero
 *     EINVAL      unknown opcode or flag, reserved not 0;
 *                 COPY: any flag, a non-zero type, a non-zero field of b
 *     EOPNOTSUPP  MATMUL: the card does not take these types together
 *     EINVAL      m, n or k is 0 or over its maximum, MATMUL's k is not a
 *                 multiple of 256, COPY's n is not 0;
 *                 a row_stride below row_bytes;
 *                 MATMUL: an offset or row_stride not a multiple of 4
 *     ENOENT      a, b or out names no buffer of this open (in this order)
 *     ERANGE      a footprint does not fit its buffer (a, b, out)
 *     EINVAL      out overlaps a or b: their footprints, within one handle
 *   then for the whole batch:
 *     EIO         this open is faulted
 *     EAGAIN      max_inflight batches of this open have not retired
 *     EFAULT      the struct cannot be written
 */

/* Frozen: it is inside another. */
struct spanker_operand {
	__u32 handle;
	__u32 type;		/* SPANKER_TYPE_*; 0 in COPY */
	__u64 offset;		/* bytes */
	__u64 row_stride;	/* bytes */
};

/* abi: extensible (by op_stride), first version 96 bytes */
struct spanker_op {
	__u32 opcode;		/* SPANKER_OPCODE_* */
	__u32 flags;		/* SPANKER_OP_* */
	__u32 m;
	__u32 n;
	__u32 k;
	__u32 reserved;
	struct spanker_operand a;
	struct spanker_operand b;
	struct spanker_operand out;
};

#define SPANKER_OPCODE_MATMUL	1
#define SPANKER_OPCODE_COPY	2

#define SPANKER_OP_ACCUMULATE	(1 << 0)

/* abi: extensible, first version 32 bytes */
struct spanker_work_submit {
	__u64 ops;		/* array of struct spanker_op */
	__u32 op_count;
	__u32 op_stride;	/* bytes from one op to the next */
	__u32 flags;
	__u32 bad_op;		/* out: the op refused, or SPANKER_NO_OP: none was */
	__u64 seqno;		/* out: of this batch */
};

#define SPANKER_NO_OP		0xffffffffU
#define SPANKER_OP_STRIDE_MAX	4096

#define SPANKER_IOC_WORK_SUBMIT	_IOWR(SPANKER_IOC_MAGIC, 0x30, struct spanker_work_submit)

/*
 * 8  The timeline: WAIT, read, poll
 *
 * The seqno starts at 1 on each open, one per accepted batch, and batches
 * retire strictly in order; `completed` is the last that succeeded. When an op
 * fails, its batch is the fault: all before it succeeded, all after it are
 * cancelled, the outputs of both are unspecified within their footprints, and
 * the open stays faulted until it ends.
 *
 * WAIT blocks until the batch `seqno` has retired or deadline_ns, on
 * CLOCK_MONOTONIC, has come; what the state is goes before what the time is. A
 * deadline at or before now, also a negative one, only looks. With
 * SPANKER_DEADLINE_NEVER there is none. O_NONBLOCK has no effect. An
 * interrupted WAIT answers EINTR or is restarted; it alters no input, so that
 * either is safe. `completed` is written also when it fails.
 *
 *   EINVAL     flags or reserved not 0; seqno 0 or not submitted yet
 *   EIO        this batch is the fault
 *   ECANCELED  this batch was cancelled by a fault before it
 *   ETIMEDOUT  not retired at the deadline
 *   ENODEV     the card went away while waiting
 *
 * read gives 8 bytes, `completed` in the host's byte order, whenever it is more
 * than the open's cursor, and moves the cursor there. The cursor starts at 0
 * and is the open's: dup, fork and threads share it, so read is for one event
 * loop. WAIT does not move it. pread has no meaning (ESPIPE). In this order:
 *
 *   ENODEV  the card is unplugged, or was reset since this open
 *   EINVAL  room for less than 8 bytes
 *   success, if completed exceeds the cursor; EFAULT does not move the cursor
 *   EIO     the open is faulted
 *   EAGAIN  O_NONBLOCK; without it, read blocks
 *
 * poll
 *   POLLIN   read would not block, be it for an error
 *   POLLOUT  the open is live, not faulted, and a batch would find room
 *   POLLERR  the open is faulted
 *   POLLHUP  requests answer ENODEV (and then no POLLOUT)
 */

/* abi: extensible, first version 32 bytes */
struct spanker_wait {
	__u64 seqno;
	__s64 deadline_ns;	/* CLOCK_MONOTONIC, absolute */
	__u32 flags;
	__u32 reserved;
	__u64 completed;	/* out */
};

#define SPANKER_DEADLINE_NEVER	0x7fffffffffffffffLL

#define SPANKER_IOC_WAIT	_IOWR(SPANKER_IOC_MAGIC, 0x31, struct spanker_wait)

/*
 * 9  Block formats
 *
 * A row of k weights is k / 256 blocks, one after another. Both formats are
 * ggml's of the same name. Every byte pattern is a legal block.
 */
#define SPANKER_QK_K	256

/*
 * 256 weights of 4 bits in 8 sub-blocks of 32. d and dmin are IEEE-754
 * binary16. scales holds eight 6-bit scales sc[] and eight 6-bit mins mn[]:
 *
 *    j < 4:  sc[j] = scales[j] & 63
 *            mn[j] = scales[j + 4] & 63
 *    j >= 4: sc[j] = (scales[j + 4] & 15) | ((scales[j - 4] >> 6) << 4)
 *            mn[j] = (scales[j + 4] >> 4) | ((scales[j] >> 6) << 4)
 *
 * For g < 4 and i < 32, weight 64 g + i is the low nibble of qs[32 g + i] and
 * weight 64 g + 32 + i its high nibble. Weight l is of sub-block s = l / 32 and
 * stands for d * sc[s] * q[l] - dmin * mn[s], with q[l] its nibble, 0 to 15.
 */
struct spanker_block_q4_k {
	__le16 d;
	__le16 dmin;
	__u8 scales[12];
	__u8 qs[128];
};

/*
 * 256 activations of 8 bits: d * qs[l]. d holds the bits of a binary32. bsums
 * holds the 16 sums of 16 neighbouring qs as two's complement, and is used as
 * it stands, whether it is right or not.
 */
struct spanker_block_q8_k {
	__le32 d;
	__s8 qs[256];
	__le16 bsums[16];
};

/*
 * 10  Arithmetic
 *
 * A card that offers a combination as BIT_EXACT gives these bits, whatever the
 * number of its threads, the split into batches and tiles, and the width of its
 * vectors. All virtual Sails do.
 *
 * Operations on f32 are IEEE-754 binary32, each rounded by itself to nearest,
 * ties to even; subnormals are kept. No contraction into fused operations, no
 * reassociation, no reciprocal estimate, no excess precision. f32(i) rounds an
 * i32 to nearest, ties to even. binary16 widens exactly. Integer sums are exact
 * (32 bits are enough); no intermediate of them may wrap or saturate.
 *
 * QUANTISE x[256], F32, to a block of Q8_K
 *    1  amax = the largest of bits(x[j]) & 0x7fffffff, compared as integers.
 *    2  amax >= 0x7f800000 (there is a NaN or an infinity):
 *       d = 0x7fc00000, all qs and bsums 0.
 *    3  amax == 0: d = +0, all qs and bsums 0.
 *    4  mx = the first x[j] of that magnitude, with its sign.
 *       is = -127 / mx. If is is infinite: as 3, d = +0 whatever its sign.
 *    5  qs[j] = is * x[j], rounded to f32, then to an integer, ties to even.
 *       |qs[j]| <= 127 follows: nothing is clamped.
 *       bsums[t] = sum of qs[16 t] ... qs[16 t + 15].
 *       d = 1 / is, which is negative where mx is positive, and may be
 *       subnormal.
 *
 * Q8_K (a) x Q4_K (b). sc, mn and q are of b's block.
 *    acc = +0, or what out holds with ACCUMULATE. For each superblock, k
 *    ascending:
 *       P = sum of sc[s] * a.qs[32 s + i] * q[32 s + i]   s < 8, i < 32
 *       M = sum of a.bsums[t] * mn[t / 2]                 t < 16
 *       t = f32(b.d) * f32(P)
 *       u = f32(b.dmin) * f32(M)
 *       v = t - u
 *       w = a.d * v
 *       acc = acc + w
 *
 * F32 (a) x Q4_K (b): QUANTISE each superblock of a, then as above.
 *
 * Q4_K (a) x Q4_K (b). sca, mna, qa of a's block; scb, mnb, qb of b's.
 *    acc as above. For each superblock, k ascending, sums over s < 8, i < 32:
 *       P = sum of sca[s] * scb[s] * qa[32 s + i] * qb[32 s + i]
 *       Q = sum of sca[s] * mnb[s] * qa[32 s + i]
 *       R = sum of mna[s] * scb[s] * qb[32 s + i]
 *       S = 32 * sum over s of mna[s] * mnb[s], an integer like the others
 *       t = f32(a.d) * f32(P) - f32(a.dmin) * f32(R)
 *       u = f32(a.d) * f32(Q) - f32(a.dmin) * f32(S)
 *       v = f32(b.d) * t - f32(b.dmin) * u
 *       acc = acc + v
 *    where, in all three, each product is rounded, then the difference.
 *
 * Store: a NaN is stored as 0x7fc00000, anything else as it is; before that,
 * which NaN acc is does not matter. Infinities, overflow and NaN are results
 * and not faults.
 *
 * 11  Growing this file
 *
 * Every addition is a minor version, and a bit in `features` where a caller
 * could not find out by asking. Structs marked extensible grow at their end,
 * with a size that is a multiple of 8 where there is a __u64 in them; zero means
 * what was before. New fields are fixed-width integers, naturally aligned, with
 * explicit padding; no enum, bool, bitfield, long or union. A number, of a
 * request, a query, an opcode, a type or a flag, is never used again. Sensors do
 * not belong here but into hwmon and sysfs.
 */

#endif /* _UAPI_LINUX_SPANKER_IOCTL_H */
