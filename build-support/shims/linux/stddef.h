/* SPDX-License-Identifier: Apache-2.0 */
/* Ways of declaring members that headers of the kernel's user API use. */
#ifndef SPANKER_SHIM_LINUX_STDDEF_H
#define SPANKER_SHIM_LINUX_STDDEF_H

#ifndef __always_inline
#define __always_inline inline
#endif

/* Members that can be reached by themselves and as a struct of that name. */
#define __struct_group(TAG, NAME, ATTRS, MEMBERS...)	\
	union {						\
		struct { MEMBERS } ATTRS;		\
		struct TAG { MEMBERS } ATTRS NAME;	\
	} ATTRS

/* C forbids a flexible array where there is nothing before it. */
#define __DECLARE_FLEX_ARRAY(TYPE, NAME)	\
	struct {				\
		struct { } __empty_ ## NAME;	\
		TYPE NAME[];			\
	}

#ifndef __counted_by
#define __counted_by(m)
#define __counted_by_le(m)
#define __counted_by_be(m)
#endif

#endif
