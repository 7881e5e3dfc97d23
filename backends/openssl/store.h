/* SPDX-License-Identifier: Apache-2.0 */
/* One session, shared by the files of this backend. */
#ifndef XR_OPENSSL_STORE_H
#define XR_OPENSSL_STORE_H

#include "files.h"

#define MANIFEST ".crossroot"
#define SHAPES   4u

struct xr_session {
    const struct xr_host *host;
    char *name, *pending; /* last component; hidden name while it is created or removed */
    int parent, dir;      /* dir -1: the store does not exist */
    bool write, locked, made_top, has_manifest, dirty;
    char hashed[24];   /* a link HASH.N of the directory itself, which is then no store; or empty */
    bool made[SHAPES]; /* the directory */
    bool bundle_ours[SHAPES]; /* the file beside it */
    bool saved[SHAPES];       /* a foreign one that was there before */
    struct xr_strings gone;   /* "DIR/FILE" of a foreign file that is being removed */
    size_t gone_written;      /* how many of these the manifest has, with all else as it was then */
    unsigned flags_written;
    struct view views[SHAPES];
};

/* shapes.c */
extern const struct shape od_shapes[SHAPES];
const struct shape *od_shape_of(enum xr_place place, size_t *at);

/* session.c; path is absolute */
enum xr_status od_session_open(struct xr_session **out, const struct xr_host *host,
                               const char *path, bool write, struct xr_error *err);
void od_session_close(struct xr_session *s);
int od_open_dir(int parent, const char *name); /* follows no link */
/* Why a directory that c_rehash made is no store, and what to name instead. */
void od_hashed_text(char *out, size_t size, const struct xr_session *s);
enum xr_status od_load(struct xr_session *s, struct xr_error *err);
void od_unload(struct xr_session *s); /* the next load reads everything anew */
/* Creates the directory, or takes one that another program created first; then reads it again. */
enum xr_status od_ensure_top(struct xr_session *s, struct xr_error *err);

/* swap.c: operations of the table */
enum xr_status od_list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err);
enum xr_status od_swap(struct xr_session *s, const struct xr_state *expect,
                       const struct xr_state *want, struct xr_error *err);

/* manifest.c */
bool od_read_small(struct xr_buf *out, int dir, const char *name); /* a file of up to a MiB */
void od_read_manifest(struct xr_session *s);
enum xr_status od_write_manifest(struct xr_session *s, struct xr_error *err);
/* Records that a foreign file is being removed, before it is. */
enum xr_status od_write_gone(struct xr_session *s, const char *path, struct xr_error *err);

/* upkeep.c: what is derived from the entries: bundles, links, directories */
enum xr_status od_flush(struct xr_session *s, struct xr_error *err);

#endif
