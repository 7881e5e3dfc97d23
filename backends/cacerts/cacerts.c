/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CA certificates of a Linux distribution: its sources, which an administrator changes, and the
 * outputs made from them, which programs read. The location is the root directory of a system: "/"
 * for this machine, or that of an image, in which nothing is executed.
 */
#include "../sources/sources.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char why_no_intermediate[] = N_(
    "in this store it would be a trust anchor for curl, GnuTLS and Go, without the CA that signed "
    "it; have servers send it, or use an openssl: or nss: store; --as anchor installs it anyway");

/* ---- which layout ---- */

static const struct ca_layout *by_name(const char *name)
{
    for (size_t i = 0; i < ca_layout_count; i++) {
        if (strcmp(ca_layouts[i].name, name) == 0)
            return &ca_layouts[i];
    }
    return NULL;
}

static enum xr_status find_layout(struct xr_session *s, const char *wanted, struct xr_error *err)
{
    struct xr_buf names = {0};
    enum xr_status status = XR_OK;

    s->layout = wanted != NULL ? by_name(wanted) : ca_detect(s);
    if (s->layout != NULL && s->layout->blocklist != NULL)
        s->blocklist =
            xr_format("%s/%s", s->layout->blocklist, ca_blocklist_name(s, s->layout->blocklist));
    if (s->layout != NULL)
        return XR_OK;
    if (wanted == NULL && errno != 0)
        return xr_fail_errno(err, "cannot look into %s", s->location);
    for (size_t i = 0; i < ca_layout_count; i++)
        xr_buf_fmt(&names, "%s%s", i > 0 ? ", " : "", ca_layouts[i].name);
    if (wanted != NULL)
        status = xr_fail(err, XR_INVALID,
                         "unknown layout \"%s\"; known "
                         "layouts: %s",
                         wanted, names.data);
    else
        status = xr_fail(err, XR_ABSENT,
                         "no distribution's CA certificates found in %s; --layout names one of: %s",
                         s->location, names.data);
    xr_buf_free(&names);
    return status;
}

/* ---- what can be done ---- */

/* An administrator's link is not replaced, and nothing is written through a link; nor is it tried to
 * replace what cannot be. */
static bool replaceable(const struct xr_session *s, const char *path, bool directory,
                        struct xr_caps *caps)
{
    int dir = path != NULL && caps->why_not[0] == '\0' ? ca_open_parent(s, path) : -1;
    char *target = dir >= 0 ? ca_readlink_at(dir, ca_name(path)) : NULL;
    const char *fixed = dir >= 0 && target == NULL ? xr_why_fixed(dir, ca_name(path)) : NULL;
    struct stat st;

    if (dir >= 0 && target == NULL && fixed == NULL && !directory &&
        fstatat(dir, ca_name(path), &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
        fixed = N_("it is not a regular file, and nothing else is replaced; remove it");
    if (target != NULL)
        (void)snprintf(caps->why_not, sizeof(caps->why_not),
                       N_("/%s is a link to %.100s, and links are not replaced; make it a "
                          "regular file"),
                       path, target);
    else if (fixed != NULL)
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "/%s: %s", path, fixed);
    free(target);
    if (dir >= 0)
        (void)close(dir);
    return caps->why_not[0] == '\0';
}

/* What a refresh reads may not lie behind another user's link either. */
static bool may_read(const struct xr_session *s, const char *path, struct xr_caps *caps)
{
    struct xr_error err = {0};

    if (path == NULL || caps->why_not[0] != '\0' || ca_own_links(s, path, &err))
        return true;
    (void)snprintf(caps->why_not, sizeof(caps->why_not), "%.255s", err.text);
    return false;
}

static bool may_read_sources(const struct xr_session *s, struct xr_caps *caps)
{
    const struct ca_layout *layout = s->layout;
    bool ok = may_read(s, layout->conf, caps) && may_read(s, layout->vendor, caps) &&
              may_read(s, layout->anchors, caps);

    for (size_t i = 0; ok && i < CA_TOKENS_MAX && layout->tokens[i].path != NULL; i++)
        ok = may_read(s, layout->tokens[i].path, caps);
    return ok;
}

/* The bundle in a place of its own: its directory must be there. */
static bool may_write_bundle(const struct xr_session *s, struct xr_caps *caps)
{
    const char *path = s->layout->published[0];
    char *dir = xr_memdup(path, (size_t)(ca_name(path) - path));
    struct stat st;
    bool ok = true;

    if (dir[0] != '\0')
        dir[strlen(dir) - 1] = '\0';
    ok = ca_may_write(s, dir, caps);
    if (ok && caps->why_not[0] == '\0' && !ca_stat(&st, s, dir, true)) {
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "/%s: %s", dir, strerror(errno));
        ok = false;
    }
    free(dir);
    return ok;
}

static bool writable(const struct xr_session *s, struct xr_caps *caps)
{
    const struct ca_layout *layout = s->layout;
    bool ok = true;

    if (layout->family == CA_FIXED) {
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s", layout->why_fixed);
        return false;
    }
    if (s->updater_distro && (!s->live || layout->updater[0] == NULL)) {
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s",
                       s->live ? N_("this distribution has no update command for --updater distro")
                               : N_("--updater distro works only on the live system: nothing in an "
                                    "image is executed"));
        return false;
    }
    ok = (s->refresh || ca_may_write(s, layout->anchors, caps)) && ok;
    ok = (s->refresh || ca_may_write(s, s->blocklist, caps)) && ok;
    ok = (!s->refresh || may_read_sources(s, caps)) && ok;
    ok = ca_may_write(s, layout->directory, caps) && ok;
    if (s->moved != NULL && layout->family == CA_LIST)
        ok = may_write_bundle(s, caps) && ok;
    for (size_t i = 0; i < CA_OUTPUTS_MAX && layout->outputs[i].path != NULL; i++) {
        const char *path = layout->outputs[i].path;
        char *dir = xr_memdup(path, (size_t)(ca_name(path) - path) - 1);

        ok = ca_may_write(s, dir, caps) && ok;
        ok =
            replaceable(s, path, xr_format_is_directory(layout->outputs[i].ask.format), caps) && ok;
        free(dir);
    }
    ok = replaceable(s, layout->published[0], false, caps) && ok;
    return ok;
}

/* What a change would lose unasked, or NULL. */
static const char *harm(const struct xr_session *s)
{
    if (s->unaccounted == NULL && s->updater_distro && s->in_place && s->live &&
        s->layout->updater[0] != NULL)
        return N_(
            "--updater distro would lose the whole bundle, for which this system has no sources");
    return s->unaccounted;
}

/* Nobody misses them before anything is published. */
static void say_missing(struct xr_caps *caps, const struct xr_session *s)
{
    const size_t most = sizeof(s->layout->known) / sizeof(s->layout->known[0]);
    struct xr_buf text = {0};
    struct stat st;

    for (size_t i = 0; i < most && s->layout->known[i].path != NULL; i++) {
        if (ca_stat(&st, s, s->layout->known[i].path, true))
            continue;
        xr_buf_str(&text, text.len > 0 ? ", " : "");
        xr_buf_fmt(&text, N_("/%s (%s)"), s->layout->known[i].path, s->layout->known[i].who);
    }
    if (text.len > 0 && ca_stat(&st, s, s->layout->published[0], true))
        (void)snprintf(
            caps->missing, sizeof(caps->missing),
            N_("this system does not have %.180s; a program that looks nowhere else trusts "
               "nothing"),
            text.data);
    xr_buf_free(&text);
}

/* All but what writable says. */
static void describe(struct xr_caps *full, struct xr_session *s)
{
    char *remark = s->layout->family == CA_P11 ? ca_blocklist_remark(s) : NULL;

    for (size_t i = 0; remark != NULL && i < XR_NOTICE_COUNT; i++)
        (void)snprintf(full->notice[i], sizeof(full->notice[i]), "%s", remark);
    free(remark);

    full->places[XR_ANCHOR] = XR_ENFORCED;
    full->places[XR_DISTRUST] = s->in_place                    ? XR_CANNOT
                                : s->layout->family == CA_LIST ? XR_DESELECT_ONLY
                                : s->layout->family == CA_P11  ? XR_ENFORCED
                                                               : XR_CANNOT;
    full->distrust_by_key = s->layout->family == CA_P11;
    full->purposes = XR_ANY_PURPOSE;
    full->subjects = 1u << XR_SUBJECT_CERT;
    full->atomic = true;
    (void)snprintf(full->why_cannot[XR_INTERMEDIATE], sizeof(full->why_cannot[0]), "%s",
                   why_no_intermediate);
    (void)snprintf(full->why_cannot[XR_CRL], sizeof(full->why_cannot[0]),
                   N_("this store has no place for CRLs; an openssl: store has"));
    if (s->in_place)
        (void)snprintf(
            full->why_cannot[XR_DISTRUST], sizeof(full->why_cannot[0]),
            N_("this system has its bundle and no sources, so nothing can be deselected"));
    (void)snprintf(full->summary, sizeof(full->summary),
                   s->in_place ? N_("layout %s: %s, bundle without sources") : N_("layout %s: %s"),
                   s->layout->name, s->layout->title);
    if (s->unpublished != NULL)
        (void)snprintf(full->would_trust, sizeof(full->would_trust), "%s", s->unpublished);
    memcpy(full->would_trust_id, s->unpublished_id, sizeof(full->would_trust_id));
    ca_left_text(full->left_out, sizeof(full->left_out), s);
    full->unfinished = ca_owes(s);
    say_missing(full, s);
    (void)snprintf(full->verifier, sizeof(full->verifier), "OpenSSL X509_verify_cert");
    ca_identify(full->identity, sizeof(full->identity), s, s->layout->lock);
}

/* ---- sessions ---- */

/* While another program writes, outputs do not match the sources yet. So what looks lost or
 * unpublished is checked again under the lock. A session for reading takes the lock only for that
 * moment; if it cannot, it reports nothing, because the writer will check. */
static void account(struct xr_session *s)
{
    bool locked = s->lock >= 0;

    ca_account(s);
    if ((s->unaccounted == NULL && s->unpublished == NULL) || locked)
        return;
    if (ca_try_lock(s)) {
        ca_account(s);
        ca_unlock(s);
    } else {
        free(s->unaccounted);
        free(s->unpublished);
        s->unaccounted = s->unpublished = NULL;
    }
}

/* What a session can do, and its lock if it writes. */
static enum xr_status prepare(struct xr_session *s, struct xr_caps *caps, struct xr_error *err)
{
    struct xr_caps full = {.size = sizeof(full)};
    enum xr_status status = XR_OK;

    free(s->unaccounted);
    free(s->unpublished);
    s->unaccounted = s->unpublished = NULL;
    full.writable = writable(s, &full);
    if (full.writable && s->lock < 0 && s->write)
        status = ca_lock(s, err);
    else if (full.writable && s->lock < 0 && s->soon)
        (void)ca_try_lock(s);
    if (status != XR_OK)
        return status;
    if (s->layout->family != CA_FIXED && !s->refresh)
        account(s);
    if (harm(s) != NULL) {
        ca_unlock(s);
        full.writable = full.needs_privilege = false;
        full.refused = true;
        (void)snprintf(full.why_not, sizeof(full.why_not), "%s", harm(s));
    }
    describe(&full, s);
    xr_caps_give(caps, &full);
    return XR_OK;
}

static void session_close(struct xr_session *s)
{
    ca_published_free(s);
    ca_session_free(s);
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = ca_session_new(host, target->location);
    enum xr_status status = XR_OK;
    bool added = false;

    s->write = mode == XR_WRITE || mode == XR_REFRESH;
    s->refresh = mode == XR_REFRESH;
    s->updater_distro = target->site->updater_distro;
    s->rebuild = target->site->rebuild;
    s->soon = XR_HAS(target, soon) && target->soon && !s->write;
    for (size_t i = 0; i < target->leaving_count; i++)
        (void)xr_idmap_put(&s->leaving, target->leaving[i].id, 0, &added);
    for (size_t i = 0; XR_HAS(target, coming_count) && i < target->coming_count; i++)
        (void)xr_idmap_put(&s->coming, target->coming[i].id, 0, &added);
    if (s->root < 0)
        status = xr_fail_errno(err, "cannot open %s", target->location);
    if (status == XR_OK)
        status = find_layout(s, target->site->layout, err);
    if (status == XR_OK && XR_HAS(target->site, places) && target->site->places != NULL)
        status = ca_move(s, target->site->places, err);
    if (status == XR_OK)
        status = prepare(s, caps, err);
    if (status != XR_OK) {
        ca_session_free(s);
        return status;
    }
    *out = s;
    return XR_OK;
}

static enum xr_status session_renew(struct xr_session *s, struct xr_caps *caps,
                                    struct xr_error *err)
{
    enum xr_status status = XR_OK;

    s->write = true;
    /* Locked since it was opened: nothing is read twice. What may distrust something and could not be read
     * is an error for who writes alone (CA_P11). */
    if (s->lock >= 0 && s->sure && s->layout->family == CA_LIST)
        return XR_OK;
    s->loaded = s->fresh = s->ahead = false; /* from before the lock: unchanged files are kept */
    status = prepare(s, caps, err);
    s->write = status == XR_OK;
    return status;
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct xr_found found = {.size = sizeof(found), .location = site->root ? site->root : "/"};
    struct xr_session *s = NULL;
    char identity[sizeof(((struct xr_caps *)NULL)->identity)] = "", title[64];
    enum xr_status status = XR_OK;

    if (!(scope & XR_SCOPE_SYSTEM))
        return XR_OK;
    s = ca_session_new(host, found.location);
    errno = 0;
    s->layout = site->layout != NULL ? by_name(site->layout) : s->root >= 0 ? ca_detect(s) : NULL;
    if (s->layout == NULL && site->layout == NULL && s->root >= 0 && errno != 0)
        status = xr_fail_errno(err, "cannot look into %s", found.location);
    /* An unknown layout is reported by open. */
    if (s->layout != NULL || site->layout != NULL) {
        if (s->layout != NULL) {
            ca_identify(identity, sizeof(identity), s, s->layout->lock);
            (void)snprintf(title, sizeof(title),
                           site->root != NULL ? N_("CA certificates of the image (%s)")
                                              : N_("CA certificates of this system (%s)"),
                           s->layout->name);
            found.summary = title;
            found.identity = identity;
        }
        status = emit(ctx, &found);
    }
    ca_session_free(s);
    return status;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "ca-certificates",
    .flags = XR_BACKEND_PATHS | XR_BACKEND_PUBLISHES,
    .summary =
        N_("CA certificates of a Linux distribution (Debian, Fedora, openSUSE, Arch, Alpine…)"),
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = ca_list,
    .swap = ca_swap,
    .flush = ca_flush,
    .probe = ca_probe,
    .renew = session_renew,
    .refresh = ca_refresh,
};

XR_BACKEND(table);
