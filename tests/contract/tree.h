/* SPDX-License-Identifier: Apache-2.0 */
/* Throwaway directories and what is in them. Everything aborts with a message on failure: a test
 * that cannot prepare its ground has nothing to say. */
#ifndef CONTRACT_TREE_H
#define CONTRACT_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* A new directory of its own, without links in its path, mode 0755. Allocated. */
char *tree_new(const char *name);
void tree_remove(const char *path);
/* One line for everything below path, sorted: type, mode, name, SHA-256 or link target; with
 * times also inode and time of change. Allocated. */
char *tree_image(const char *path, bool times);

char *tree_path(const char *dir, const char *name); /* allocated */
void tree_dir(const char *dir, const char *name);   /* mode 0755 */
void tree_dirs(const char *dir, const char *path);  /* and those above it that are missing */
void tree_write(const char *dir, const char *name, const void *data, size_t len, unsigned mode);
void tree_text(const char *dir, const char *name, const char *text);
void tree_link(const char *dir, const char *name, const char *target);
void tree_unlink(const char *dir, const char *name);
bool tree_has(const char *dir, const char *name);                /* a dangling link counts */
char *tree_read(size_t *len, const char *dir, const char *name); /* allocated */
void tree_copy(const char *to, const char *from); /* a whole directory; to must not exist */

#endif
