/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered set, balanced whatever is put into it and in whatever order: names, links and certificates
 * of a directory are somebody else's choice, so there is no hash that they could be made to collide in.
 */
#ifndef XR_OPENSSL_TREE_H
#define XR_OPENSSL_TREE_H

#include "kit/base.h"

struct od_tree {
    struct od_node *root;
    int (*order)(const void *a, const void *b); /* 0: the same item */
    size_t count;
    size_t compared; /* how often order was asked, for tests */
};

/* The tree borrows items; what they are ordered by must not change meanwhile. */
void od_tree_add(struct od_tree *tree, void *item); /* one that is not in it */
bool od_tree_remove(struct od_tree *tree, const void *item);
void *od_tree_from(struct od_tree *tree, const void *key);   /* the first that is not before key */
void *od_tree_before(struct od_tree *tree, const void *key); /* the last that is before key */
/* Empties it; each (or NULL) is called for every item. */
void od_tree_free(struct od_tree *tree, void (*each)(void *item));

#endif
