/* SPDX-License-Identifier: Apache-2.0 */

enum spanker_mode {
	SPANKER_MODE_IDLE,
	SPANKER_MODE_BUSY,
	SPANKER_MODE_LOST = 7,
};

typedef __u32 spanker_handle_t;

#define SPANKER_DRIVER_NAME	"spanker"
#define SPANKER_ROUND_UP(x, to)	(((x) + (to) - 1) / (to) * (to))

static inline __u32 spanker_half(__u32 x)
{
	return x / 2;
}

struct spanker_padded {
	__u8 tag;
	__u32 value;
	__u32 reserved[4];
	union {
		__u32 word;
		__u8 bytes[8];
	};
	struct {
		__u16 x;
		__u16 y;
	} point;
	__u32 on : 1, mode : 3, spare : 28;
	enum spanker_mode now;
	spanker_handle_t owner;
};

struct spanker_list {
	__u32 count;
	__u32 reserved;
	struct {
		__u32 key;
		__u32 value;
	} entries[4];
};

/* abi: extensible */
struct spanker_tail {
	__u32 count;
	__u32 values[];
};

/* abi: extensible */
struct spanker_row {
	__u32 a;
};
struct spanker_rows {
	__u32 count;
	struct spanker_row rows[];
};

struct spanker_opaque;
struct spanker_user {
	struct spanker_opaque *of;
};

enum {
	SPANKER_IOC_PROBE = _IO(SPANKER_IOC_MAGIC, 0x70),
};
#define SPANKER_IOC_LIST	_IOC(_IOC_READ, SPANKER_IOC_MAGIC, 0x71, sizeof(struct spanker_list))
