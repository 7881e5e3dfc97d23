/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of A. Andersson's kind: a red node only as a right child, as levels. Depth is at most twice the
 * logarithm of the count. */
#include "tree.h"

#include <stdlib.h>

struct od_node {
    void *item;
    struct od_node *left, *right;
    unsigned level; /* 1 at the bottom; a right child may have its parent's */
};

static int compare(struct od_tree *tree, const void *a, const void *b)
{
    tree->compared++;
    return tree->order(a, b);
}

static unsigned level_of(const struct od_node *node)
{
    return node != NULL ? node->level : 0;
}

/* A left child of the same level becomes the parent. */
static struct od_node *skew(struct od_node *node)
{
    struct od_node *left = node != NULL ? node->left : NULL;

    if (left == NULL || left->level != node->level)
        return node;
    node->left = left->right;
    left->right = node;
    return left;
}

/* Of three of one level to the right, the middle one goes up. */
static struct od_node *split(struct od_node *node)
{
    struct od_node *right = node != NULL ? node->right : NULL;

    if (right == NULL || right->right == NULL || right->right->level != node->level)
        return node;
    node->right = right->left;
    right->left = node;
    right->level++;
    return right;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the tree */
static struct od_node *put(struct od_tree *tree, struct od_node *node, void *item)
{
    if (node == NULL) {
        node = xr_new(1, sizeof(*node));
        node->item = item;
        node->level = 1;
        return node;
    }
    if (compare(tree, item, node->item) < 0)
        node->left = put(tree, node->left, item);
    else
        node->right = put(tree, node->right, item);
    return split(skew(node));
}

void od_tree_add(struct od_tree *tree, void *item)
{
    tree->root = put(tree, tree->root, item);
    tree->count++;
}

/* After a removal below. */
static struct od_node *settle(struct od_node *node)
{
    unsigned left = level_of(node->left), right = level_of(node->right);
    unsigned most = (left < right ? left : right) + 1;

    if (most < node->level) {
        node->level = most;
        if (most < right)
            node->right->level = most;
    }
    node = skew(node);
    node->right = skew(node->right);
    if (node->right != NULL)
        node->right->right = skew(node->right->right);
    node = split(node);
    node->right = split(node->right);
    return node;
}

/* Unhooks the first node below one. */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the tree */
static struct od_node *take_first(struct od_node *node, struct od_node **first)
{
    if (node->left == NULL) {
        *first = node;
        return node->right;
    }
    node->left = take_first(node->left, first);
    return settle(node);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the tree */
static struct od_node *take(struct od_tree *tree, struct od_node *node, const void *item,
                            struct od_node **taken)
{
    int order = 0;

    if (node == NULL)
        return NULL;
    order = compare(tree, item, node->item);
    if (order < 0) {
        node->left = take(tree, node->left, item, taken);
    } else if (order > 0) {
        node->right = take(tree, node->right, item, taken);
    } else {
        struct od_node *next = NULL, *rest = NULL;

        *taken = node;
        if (node->right == NULL)
            return node->left;
        rest = take_first(node->right, &next);
        next->left = node->left;
        next->right = rest;
        next->level = node->level;
        node = next;
    }
    return settle(node);
}

bool od_tree_remove(struct od_tree *tree, const void *item)
{
    struct od_node *taken = NULL;

    tree->root = take(tree, tree->root, item, &taken);
    if (taken == NULL)
        return false;
    free(taken);
    tree->count--;
    return true;
}

void *od_tree_from(struct od_tree *tree, const void *key)
{
    void *found = NULL;

    for (struct od_node *node = tree->root; node != NULL;) {
        if (compare(tree, key, node->item) > 0) {
            node = node->right;
        } else {
            found = node->item;
            node = node->left;
        }
    }
    return found;
}

void *od_tree_before(struct od_tree *tree, const void *key)
{
    void *found = NULL;

    for (struct od_node *node = tree->root; node != NULL;) {
        if (compare(tree, key, node->item) > 0) {
            found = node->item;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return found;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the tree */
static void free_below(struct od_node *node, void (*each)(void *item))
{
    if (node == NULL)
        return;
    free_below(node->left, each);
    free_below(node->right, each);
    if (each != NULL)
        each(node->item);
    free(node);
}

void od_tree_free(struct od_tree *tree, void (*each)(void *item))
{
    free_below(tree->root, each);
    tree->root = NULL;
    tree->count = 0;
}
