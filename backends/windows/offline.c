/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Windows that is not running, from another system: LocalMachine of the image that --root names,
 * or hive=PATH for a SOFTWARE hive by itself. Changes are collected, and flush writes them all at
 * once.
 */
#include "hive_stores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MACHINE "LocalMachine"
#define BY_PATH "hive="

struct xr_session {
    const struct xr_host *host;
    struct hive_place place;
    bool write;
    struct hive *hive;
    struct win_hive_stores stores; /* of hive */
    struct win_view view;
};

/* ---- where it is ---- */

static enum xr_status find_hive(struct hive_place *out, const struct xr_target *target,
                                struct xr_error *err)
{
    const char *root = target->site->root, *location = target->location;

    if (strcmp(location, MACHINE) == 0 && root != NULL)
        return hive_find_in(out, root, err);
    if (strncmp(location, BY_PATH, strlen(BY_PATH)) == 0 && root == NULL)
        return hive_find_at(out, location + strlen(BY_PATH), err);
    *out = (struct hive_place){.root = -1, .dir = -1};
    return xr_fail(err, XR_UNSUPPORTED,
                   root != NULL
                       ? N_("in an image, only windows:LocalMachine can be used")
                       : N_("this is not Windows: name an image with --root, or a SOFTWARE "
                            "hive with windows:hive=PATH"));
}

/* ---- what can be done ---- */

static void describe(struct xr_caps *caps, const struct xr_session *s)
{
    struct xr_caps full = {.size = sizeof(full), .identity = "hive:"};

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        full.places[place] = XR_ENFORCED;
    full.purposes = WIN_PURPOSES;
    full.subjects = 1u << XR_SUBJECT_CERT;
    full.atomic = true;
    hive_describe(&full, &s->place);
    hive_identify(full.identity, &s->place);
    (void)snprintf(full.summary, sizeof(full.summary),
                   N_("system stores of a Windows that is not running"));
    (void)snprintf(full.verifier, sizeof(full.verifier), "OpenSSL X509_verify_cert");
    xr_caps_give(caps, &full);
}

/* ---- sessions ---- */

static void session_close(struct xr_session *s)
{
    win_view_free(&s->view);
    hive_close(s->hive);
    hive_place_free(&s->place);
    free(s);
}

static enum xr_status read_hive(struct xr_session *s, struct xr_error *err)
{
    win_view_free(&s->view);
    hive_close(s->hive);
    s->hive = NULL;
    if (hive_open(&s->hive, s->host, &s->place, s->write, err) != XR_OK)
        return err != NULL ? err->status : XR_FAILED;
    win_hive_stores(&s->stores, s->hive);
    s->view.host = s->host;
    s->view.medium = &s->stores.medium;
    return XR_OK;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_error why = {.size = sizeof(why)};
    struct xr_session *s = xr_new(1, sizeof(*s));
    enum xr_status status = XR_OK;

    s->host = host;
    status = find_hive(&s->place, target, &why);
    if (status == XR_OK) {
        describe(caps, s);
        s->write = mode == XR_WRITE && caps->writable;
        if (s->write)
            status = s->host->lock(s->place.dir, XR_LOCK_MS, s->place.path, &why);
    }
    if (status == XR_OK)
        status = read_hive(s, &why);
    if (status != XR_OK) {
        if (err != NULL)
            *err = why;
        session_close(s);
        return status;
    }
    *out = s;
    return XR_OK;
}

static enum xr_status session_renew(struct xr_session *s, struct xr_caps *caps,
                                    struct xr_error *err)
{
    struct xr_error why = {.size = sizeof(why)};
    enum xr_status status = XR_OK;

    describe(caps, s);
    if (caps->writable)
        status = s->host->lock(s->place.dir, XR_LOCK_MS, s->place.path, &why);
    if (status == XR_OK) {
        s->write = caps->writable;
        status = read_hive(s, &why);
    }
    if (status != XR_OK && err != NULL)
        *err = why;
    return status;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    return win_list(&s->view, emit, ctx, err);
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    return win_swap(&s->view, expect, want, err);
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (!s->write)
        return XR_OK;
    hive_tidy(&s->place);
    status = hive_commit(s->hive, err);
    /* What could not be written must not be listed or believed by the verifier. */
    if (status != XR_OK && read_hive(s, NULL) != XR_OK)
        status = XR_LOST;
    return status;
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    return win_check(&s->view, out, question, err);
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct hive_place place;
    const struct xr_target target = {.size = sizeof(target), .site = site, .location = MACHINE};
    const struct xr_found found = {.size = sizeof(found),
                                   .location = MACHINE,
                                   .summary = N_("system stores of a Windows that is not running")};
    struct xr_error why = {0};
    enum xr_status status = XR_OK;

    (void)host;
    if (!(scope & XR_SCOPE_SYSTEM) || site->root == NULL)
        return XR_OK;
    if (find_hive(&place, &target, &why) == XR_OK && faccessat(place.dir, place.name, F_OK, 0) == 0)
        status = emit(ctx, &found);
    else if (why.code == EMFILE || why.code == ENFILE || why.code == EIO) /* it may be there */
        status = xr_fail(err, XR_FAILED, "%s", why.text);
    hive_place_free(&place);
    return status;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "windows",
    .flags = XR_BACKEND_WORKER,
    .summary = N_("system stores of a Windows that is not running (its SOFTWARE hive)"),
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .flush = flush,
    .probe = probe,
    .renew = session_renew,
};

XR_BACKEND(table);
