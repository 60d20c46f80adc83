/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/spanker_ioctl.h>

int main(void)
{
	return 0;
}
