/* SPDX-License-Identifier: Apache-2.0 */
/* A small root directory as a distribution ships it: the directories and links of its packages, and
 * a few certificates of its own. Paths are inside the root, without a leading slash. */
#ifndef CONTRACT_STOCK_H
#define CONTRACT_STOCK_H

#include "kit/base.h"

struct stock {
    const char *layout;
    const char *anchors;   /* where an administrator puts certificates */
    const char *blocklist; /* and those to block, or NULL */
    const char *extension; /* of files in anchors that count */
    const char *bundle;    /* what programs read */
    const char *links;     /* directory of links by hash */
    const char *conf;      /* list of what is selected, or NULL */
    const char *vendor;    /* directory, or the one file, of what is shipped */
    const char *dirs[12];
    const char *files[3]; /* that tell the distribution, or that it ships */
    struct {
        const char *path, *target;
    } made[5]; /* links */
};

const struct stock *stock_find(const char *layout); /* NULL: none of that name */

/* What is shipped: the last of it was taken out by an administrator, where that can be. */
struct stock_cert {
    const char *name;
    struct xr_bytes der;
};
void stock_make(const struct stock *stock, const char *root, const struct stock_cert *certs,
                size_t count);

#endif
