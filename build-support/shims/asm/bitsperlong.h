/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPANKER_SHIM_ASM_BITSPERLONG_H
#define SPANKER_SHIM_ASM_BITSPERLONG_H

#define __BITS_PER_LONG (__SIZEOF_LONG__ * 8)

#endif
