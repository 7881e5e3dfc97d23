/* SPDX-License-Identifier: Apache-2.0 */
/* The operating system: files, locks, directories, paths that can be trusted. Only the folder sys
 * calls it; it may use kit. */
#ifndef XR_SYS_H
#define XR_SYS_H

#include "sys/whole.h"

/* Reads a descriptor to its end; XR_INVALID if there are more than limit bytes. Callers that may
 * have read a key free the buffer with xr_sys_wipe. */
enum xr_status xr_sys_read_fd(struct xr_buf *out, int fd, size_t limit, struct xr_error *err);
/* Opens an input file that the user named, below a directory or (XR_HERE) by its path. Gives a
 * descriptor for XR_FILE_DATA and XR_FILE_DIR, and err for XR_FILE_NONE. */
enum xr_file_kind {
    XR_FILE_NONE,  /* it cannot be opened */
    XR_FILE_DATA,  /* to be read to its end */
    XR_FILE_DIR,   /* for xr_sys_names */
    XR_FILE_LINK,  /* a link to a directory, which the user did not name */
    XR_FILE_OTHER, /* a device, a socket… */
};
#define XR_HERE (-1)
enum xr_file_kind xr_sys_open_input(int *out, int dirfd, const char *name, bool named,
                                    struct xr_error *err);
bool xr_sys_exists(const char *path);
bool xr_sys_modified(int64_t *out, const char *path); /* false: not known */
/* Reads a regular file below dirfd (AT_FDCWD too) without following a final link. */
enum xr_status xr_sys_read_at(struct xr_buf *out, int dirfd, const char *name, size_t limit,
                              struct xr_error *err);
void xr_sys_wipe(struct xr_buf *buf); /* overwrites, then frees */

/* struct xr_host.write_atomic */
enum xr_status xr_sys_write_atomic(int dirfd, const char *name, struct xr_bytes data, unsigned mode,
                                   struct xr_error *err);

/* Opens a regular file of the user who runs this, below a directory of xr_sys_state_dir, not
 * through a link. append: created if missing, private, and written only at its end. XR_ABSENT,
 * XR_REFUSED. */
enum xr_status xr_sys_open_own(int *out, int dirfd, const char *name, bool append,
                               struct xr_error *err);
/* Is that what has this name in the directory now, not through a link? */
bool xr_sys_same_file(int fd, int dirfd, const char *name);
bool xr_sys_sync(int fd); /* makes what was written durable; false: see errno */
bool xr_sys_sync_dir(int dirfd);
/* Removes a file that is not a directory, or a link itself; false: see errno. */
bool xr_sys_unlink(int dirfd, const char *name);

bool xr_sys_random(void *out, size_t len);
unsigned xr_sys_processors(void); /* number that this process may use */

/* Locks until the descriptor is closed. Waits at most wait_ms, then XR_BUSY. */
enum xr_status xr_sys_lock(int fd, bool exclusive, unsigned wait_ms, struct xr_error *err);
void xr_sys_unlock(int fd);

/* Creates (private) and opens the directory for the records of a user or of root. XR_REFUSED unless
 * it belongs to that user, nobody else may write it, and no component below an existing, trusted
 * directory is a link. Directories above may also belong to users outside this process's user
 * namespace. The caller closes the descriptor. */
enum xr_status xr_sys_state_dir(int *out, const char *path, struct xr_error *err);
/* The same, but creates nothing: XR_ABSENT if it does not exist. */
enum xr_status xr_sys_state_dir_open(int *out, const char *path, struct xr_error *err);

/* Opens a file that will be loaded into this process. Every directory above it must belong to root
 * (or, for an ordinary user, to that user), and nobody else may write it. A sticky directory is
 * allowed as an ancestor, but not as the parent. The descriptor is the file that was checked.
 * part: of this program, by a path that is built in; then its owner may be outside this process's user
 * namespace. */
enum xr_status xr_sys_open_trusted(int *out, const char *path, bool part, struct xr_error *err);
/* The same for a directory whose files will be opened by name. */
enum xr_status xr_sys_open_trusted_dir(int *out, const char *path, bool part, struct xr_error *err);

/* Absolute path with all links resolved. Only the last component may be missing; a dangling link
 * there is kept, so that opening it without following links fails. */
enum xr_status xr_sys_canonical(char **out, const char *path, struct xr_error *err);

/* Resolves every link of path, one component after the other, each through its own descriptor.
 * XR_REFUSED if a link belongs neither to root nor to the caller. Only the last component may be
 * missing. The result has no links: open it without following any. */
enum xr_status xr_sys_resolve(char **out, const char *path, struct xr_error *err);
/* The same up to the first directory for which ends(ctx, path without links, owner) is true. The
 * rest of the path is taken as it is written, and so is what does not exist; XR_REFUSED if it has
 * "..". */
typedef bool (*xr_ends_fn)(void *ctx, const char *path, uint32_t owner);
enum xr_status xr_sys_resolve_to(char **out, const char *path, xr_ends_fn ends, void *ctx,
                                 struct xr_error *err);

/* Names in a directory without "." and "..", sorted by bytes. */
enum xr_status xr_sys_names(struct xr_strings *out, int dirfd, struct xr_error *err);

/* struct xr_host.run (run.c) */
enum xr_status xr_run_command(int *exit_code, struct xr_command *command, struct xr_error *err);

int64_t xr_sys_parse_time(const char *text, bool *ok); /* RFC 3339 date or date and time, UTC */
/* "2026-11-22T20:29:00Z". Years beyond 9999 do not occur in certificates. */
#define XR_TIME_TEXT_MAX 80
void xr_sys_time_text(char out[XR_TIME_TEXT_MAX], int64_t at);

#endif
