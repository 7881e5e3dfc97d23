/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Windows that is not running, from another system: LocalMachine of the image that --root names,
 * or hive=PATH for a SOFTWARE hive by itself. Changes are collected, and flush writes them all at
 * once.
 */
#include "hive.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define MACHINE "LocalMachine"
#define BY_PATH "hive="

static const char config[] = "Windows/System32/config";

struct xr_session {
    const struct xr_host *host;
    int root; /* of the image, or -1 */
    int dir;
    char *name, *path; /* of the hive: in dir, and for messages */
    bool write;
    struct win_hive *hive;
    struct win_view view;
};

/* ---- where it is ---- */

/* Finds a name as the directory spells it: upper and lower case are the same for Windows, but maybe
 * not for the file system. */
static char *spelt(int dir, const char *name)
{
    struct xr_strings names = {0};
    const char *found = name;
    char *out = NULL;

    (void)xr_dir_names(&names, dir, SIZE_MAX);
    for (size_t i = names.count; i-- > 0;) {
        if (strcasecmp(names.items[i], name) == 0)
            found = names.items[i];
    }
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.items[i], name) == 0)
            found = name;
    }
    out = xr_strdup(found);
    xr_strings_free(&names);
    return out;
}

/* Opens component by component and follows no link, because the image may be hostile. */
static int open_dir(int base, const char *path, bool fold)
{
    const char *from = path[0] == '/' ? "/" : ".";
    struct xr_walk w;
    bool ok = xr_walk_start(&w, openat(base, from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);

    w.up = path[0] == '/';
    while (ok && xr_walk_next(&w)) {
        if (fold) {
            char *name = spelt(w.dir, w.name);

            (void)snprintf(w.name, sizeof(w.name), "%s", name);
            free(name);
        }
        ok = xr_walk_enter(&w, O_RDONLY | O_DIRECTORY);
    }
    if (!ok)
        xr_walk_end(&w);
    return w.dir;
}

static enum xr_status find_hive(struct xr_session *s, const struct xr_target *target,
                                struct xr_error *err)
{
    const char *root = target->site->root, *location = target->location;
    const char *path = location + strlen(BY_PATH), *slash = NULL;
    char *dir = NULL;

    if (strcmp(location, MACHINE) == 0 && root != NULL) {
        s->root = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        s->dir = s->root >= 0 ? open_dir(s->root, config, true) : -1;
        s->name = s->dir >= 0 ? spelt(s->dir, "SOFTWARE") : NULL;
        s->path = xr_format("/%s/%s", config, s->name != NULL ? s->name : "SOFTWARE");
        return s->dir >= 0 ? XR_OK : xr_fail_errno(err, "cannot open %s in the image", config);
    }
    if (strncmp(location, BY_PATH, strlen(BY_PATH)) != 0 || root != NULL)
        return xr_fail(err, XR_UNSUPPORTED,
                       root != NULL ? "in an image, only windows:" MACHINE " can be used"
                                    : "this is not Windows: name an image with --root, or a "
                                      "SOFTWARE hive with windows:hive=PATH");
    slash = strrchr(path, '/');
    if (path[0] != '/' || slash[1] == '\0')
        return xr_fail(err, XR_REFUSED, "name a hive by its full path");
    dir = xr_memdup(path, (size_t)(slash - path) + 1);
    s->dir = open_dir(AT_FDCWD, dir, false);
    s->name = xr_strdup(slash + 1);
    s->path = xr_strdup(path);
    free(dir);
    return s->dir >= 0 ? XR_OK
                       : xr_fail_errno(err, "cannot open its directory without following "
                                            "links");
}

/* A Windows that hibernated, also by fast startup, has registry changes in its memory image. */
static bool hibernated(const struct xr_session *s)
{
    char *name = s->root >= 0 ? spelt(s->root, "hiberfil.sys") : NULL;
    int fd =
        name != NULL ? openat(s->root, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) : -1;
    char head[4] = "";
    bool yes = fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
               strncasecmp(head, "hibr", sizeof(head)) == 0;

    if (fd >= 0)
        (void)close(fd);
    free(name);
    return yes;
}

/* ---- what can be done ---- */

static void describe(struct xr_caps *caps, const struct xr_session *s)
{
    struct xr_caps full = {.size = sizeof(full)};
    const char *fixed = NULL;
    struct stat st;

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        full.places[place] = XR_ENFORCED;
    full.purposes = WIN_PURPOSES;
    full.subjects = 1u << XR_SUBJECT_CERT;
    full.atomic = true;
    full.writable = faccessat(s->dir, ".", W_OK, AT_EACCESS) == 0;
    if (!full.writable) {
        full.needs_privilege = errno == EACCES && geteuid() != 0;
        (void)snprintf(full.why_not, sizeof(full.why_not), "%s", strerror(errno));
    } else if (s->name != NULL && (fixed = xr_why_fixed(s->dir, s->name)) != NULL) {
        full.writable = false;
        (void)snprintf(full.why_not, sizeof(full.why_not), "%.120s: %s", s->name, fixed);
    } else if (hibernated(s)) {
        full.writable = false;
        (void)snprintf(full.why_not, sizeof(full.why_not),
                       "this Windows is hibernated (fast startup): start it and shut it down "
                       "with shutdown /s /t 0");
    }
    (void)snprintf(full.summary, sizeof(full.summary),
                   "system stores of a Windows that is not "
                   "running");
    (void)snprintf(full.verifier, sizeof(full.verifier), "OpenSSL X509_verify_cert");
    if (fstat(s->dir, &st) == 0)
        (void)snprintf(full.identity, sizeof(full.identity), "hive:%llu:%llu",
                       (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    xr_caps_give(caps, &full);
}

/* ---- sessions ---- */

static void session_close(struct xr_session *s)
{
    win_view_free(&s->view);
    win_hive_close(s->hive);
    if (s->dir >= 0)
        (void)close(s->dir); /* and its lock */
    if (s->root >= 0)
        (void)close(s->root);
    free(s->name);
    free(s->path);
    free(s);
}

static enum xr_status read_hive(struct xr_session *s, struct xr_error *err)
{
    win_view_free(&s->view);
    win_hive_close(s->hive);
    s->hive = NULL;
    if (win_hive_open(&s->hive, s->host, s->dir, s->name, s->path, s->write, err) != XR_OK)
        return err != NULL ? err->status : XR_FAILED;
    s->view.host = s->host;
    s->view.medium = win_hive_medium(s->hive);
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
    s->root = s->dir = -1;
    status = find_hive(s, target, &why);
    if (status == XR_OK) {
        describe(caps, s);
        s->write = mode == XR_WRITE && caps->writable;
        if (s->write)
            status = s->host->lock(s->dir, XR_LOCK_MS, s->path, &why);
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
        status = s->host->lock(s->dir, XR_LOCK_MS, s->path, &why);
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
    win_hive_tidy(s->dir);
    status = win_hive_commit(s->hive, err);
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
    struct xr_session s = {.root = -1, .dir = -1};
    const struct xr_target target = {.size = sizeof(target), .site = site, .location = MACHINE};
    const struct xr_found found = {.size = sizeof(found),
                                   .location = MACHINE,
                                   .summary = "system stores of a Windows that is not running"};
    struct xr_error why = {0};
    enum xr_status status = XR_OK;

    (void)host;
    if (!(scope & XR_SCOPE_SYSTEM) || site->root == NULL)
        return XR_OK;
    if (find_hive(&s, &target, &why) == XR_OK && s.name != NULL &&
        faccessat(s.dir, s.name, F_OK, 0) == 0)
        status = emit(ctx, &found);
    else if (why.code == EMFILE || why.code == ENFILE || why.code == EIO) /* it may be there */
        status = xr_fail(err, XR_FAILED, "%s", why.text);
    if (s.dir >= 0)
        (void)close(s.dir);
    if (s.root >= 0)
        (void)close(s.root);
    free(s.name);
    free(s.path);
    return status;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "windows",
    .flags = XR_BACKEND_WORKER,
    .summary = "system stores of a Windows that is not running (its SOFTWARE hive)",
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
