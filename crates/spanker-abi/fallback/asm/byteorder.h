/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's choice between its two headers, by the target's byte order. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#include <linux/byteorder/big_endian.h>
#else
#include <linux/byteorder/little_endian.h>
#endif
