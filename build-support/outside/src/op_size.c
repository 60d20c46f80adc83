/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/spanker_ioctl.h>

unsigned int op_size(void)
{
	return sizeof(struct spanker_op);
}
