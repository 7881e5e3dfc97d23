/* SPDX-License-Identifier: Apache-2.0 */
/* One session: what the table of the backend shares with the forms that policies have, files of
 * Chromium's family (chromium.c) and of Firefox's (installs.c). */
#ifndef XR_POLICY_SESSION_H
#define XR_POLICY_SESSION_H

#include "policy.h"

/* What differs from form to form; flush and probe may be NULL. */
struct policy_form {
    void (*describe)(struct xr_caps *caps, struct xr_session *s);
    enum xr_status (*list)(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err);
    enum xr_status (*swap)(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err);
    enum xr_status (*flush)(struct xr_session *s, struct xr_error *err);
    enum xr_status (*probe)(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *probe, struct xr_error *err);
};
extern const struct policy_form policy_chromium_form, policy_firefox_form;

struct xr_session {
    const struct xr_host *host;
    struct policy_root root;
    char *image;                          /* NULL: this machine */
    const struct policy_product *product; /* NULL: the location is a path */
    const struct policy_form *form;
    char *path; /* the directory of policies, or a policies.json */
    bool write;
    int dir; /* which file is replaced in, locked; -1: not open, or it does not exist yet */
};

/* ---- store.c: what both forms of files do alike ---- */

/* The directory at path, in s->dir; make: with what is missing of it. If the session is for writing,
 * its lock is taken. Links on the way must be root's or the caller's. XR_ABSENT: it does not exist,
 * and make is false. */
enum xr_status policy_dir_open(struct xr_session *s, const char *path, bool make,
                               struct xr_error *err);
/* Fills why_not and what goes with it, unless a file with that name can be written in path, whose
 * missing parts can be made. */
void policy_dir_writable(struct xr_caps *caps, const struct xr_session *s, const char *path,
                         const char *name);

/* Entries of one certificate, collected by a form's list. */
struct policy_now {
    const struct xr_host *host;
    struct xr_subject subject;
    struct policy_entry {
        struct xr_entry entry; /* its memory is here */
        struct xr_buf der, label;
        struct xr_attached attached;
        struct xr_buf attached_bytes;
        bool claimed; /* by an entry that is wanted */
    } * items;
    size_t count, capacity;
};
/* What the store holds of the certificate is what was expected? Else XR_CONFLICT. */
typedef enum xr_status (*policy_list_fn)(void *ctx, xr_entry_fn emit, void *emit_ctx,
                                         struct xr_error *err);
enum xr_status policy_now_read(struct policy_now *out, const struct xr_host *host,
                               policy_list_fn list, void *ctx, const struct xr_state *expect,
                               const struct xr_state *want, struct xr_error *err);
/* Entries of want that the store does not have already, at most max. XR_REFUSED: one that is somebody
 * else's is to go. */
enum xr_status policy_now_fresh(const struct xr_entry **out, size_t *count, size_t max,
                                struct policy_now *now, const struct xr_state *want,
                                struct xr_error *err);
void policy_now_free(struct policy_now *now);

#endif
