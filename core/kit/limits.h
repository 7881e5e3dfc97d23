/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and addresses that an anchor is limited to by its store: permitted subtrees of RFC 5280,
 * 4.2.1.10, as browsers' policies and p11-kit have them. A limit to names leaves addresses free, and
 * the reverse.
 */
#ifndef XR_LIMITS_H
#define XR_LIMITS_H

#include "base.h"

struct xr_limits {
    struct xr_strings dns;   /* each means itself and all below it: lower case, no dot at the end */
    struct xr_strings cidrs; /* as inet_ntop writes the address, with "/" and the prefix in bits */
};

/* Adds one in the form above, unless it is there already. False: it is no name, or no range of
 * addresses. A pattern (*.example.com) is no name; the empty name is every name. */
bool xr_limits_add_dns(struct xr_limits *out, const char *name);
bool xr_limits_add_cidr(struct xr_limits *out, const char *text);
bool xr_limits_any(const struct xr_limits *limits);
bool xr_limits_equal(const struct xr_limits *a, const struct xr_limits *b);
/* Does what it allows include all that the other one does? No limits of a kind allow all of it. */
bool xr_limits_cover(const struct xr_limits *wide, const struct xr_limits *narrow);
/* "names below example.com, and addresses in 192.0.2.0/24", allocated; NULL: there are none. */
char *xr_limits_text(const struct xr_limits *limits);
void xr_limits_free(struct xr_limits *limits);

/* The same as an extension that a store attaches: a critical nameConstraints. out points into memory,
 * which the caller frees. */
void xr_limits_attach(struct xr_attached *out, struct xr_buf *memory,
                      const struct xr_limits *limits);
/* What is attached to an entry, added to out: nothing, or one extension as above. False: anything
 * else. */
bool xr_limits_of(struct xr_limits *out, const struct xr_entry *entry);

/* Bytes of an address and the length of its prefix in bits, for formats that have them apart. len is
 * 4 or 16; host bits may be set. */
bool xr_limits_add_range(struct xr_limits *out, const unsigned char *address, size_t len,
                         unsigned bits);
/* The reverse, of an element of cidrs: returns the address' length. */
size_t xr_limits_range(unsigned char address[16], unsigned *bits, const char *cidr);

#endif
