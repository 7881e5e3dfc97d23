/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend "chromium": one store a profile, read only. A profile's own database serves one profile
 * of one browser, and the NSS database of the user all of them: so commands that change leave these
 * alone unless they are named, and then say how the browser changes them.
 */
#include "chromium.h"
#include "homes/browsers.h"
#include "homes/open.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME_MAX_LEN 60u
#define REMARK_MAX   400u

struct xr_session {
    const struct xr_host *host;
    int dir;
    char *path;
    struct chromium_view view;
    bool fresh; /* view was read by open, and not listed yet */
};

/* ---- names for people ---- */

/* Does path end with the program's settings directory, or with a directory in it? *name: which. */
static bool is_of(const char **name, const struct nss_chromium *program, const char *path)
{
    size_t len = strlen(program->settings);

    for (const char *at = strstr(path, program->settings); at != NULL;
         at = strstr(at + 1, program->settings)) {
        const char *end = at + len;

        if (at > path && at[-1] == '/' &&
            (end[0] == '\0' || (end[0] == '/' && strchr(end + 1, '/') == NULL))) {
            *name = end[0] == '/' ? end + 1 : "";
            return true;
        }
    }
    return false;
}

/* The browser whose profile is at path, and the profile's name; NULL: not known. The longer names are
 * looked for first, as some have others in them. */
static const struct nss_chromium *program_of(const char **name, const char *path)
{
    for (unsigned round = 0; round < 2; round++) {
        for (const struct nss_chromium *p = nss_chromiums; p->settings != NULL; p++) {
            if (p->in_home == (round == 0) && is_of(name, p, path))
                return p;
        }
    }
    return NULL;
}

static char *summary_of(const struct nss_chromium *program, const char *name)
{
    struct xr_buf out = {0};
    size_t len = strlen(name);

    xr_buf_fmt(&out, "%s", program->name);
    if (len > 0) {
        xr_buf_str(&out, " profile \"");
        xr_buf_visible(&out, name, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);
        xr_buf_fmt(&out, "%s\"", len > NAME_MAX_LEN ? "…" : "");
    }
    xr_buf_str(&out, program->packing);
    return out.data;
}

/* ---- discovery ---- */

struct search {
    const struct xr_site *site;
    struct nss_tree tree;
    xr_found_fn emit;
    void *ctx;
    struct xr_strings seen;
    enum xr_status status; /* of the first thing that could not be read */
    struct xr_error problem;
};

static bool seen_before(struct search *s, const char *identity)
{
    for (size_t i = 0; i < s->seen.count; i++) {
        if (strcmp(s->seen.items[i], identity) == 0)
            return true;
    }
    xr_strings_add(&s->seen, identity);
    return false;
}

static void identity_of(char out[64], const struct stat *st)
{
    (void)snprintf(out, 64, "%llu:%llu", (unsigned long long)st->st_dev,
                   (unsigned long long)st->st_ino);
}

/* Only a profile with the file is a store. */
static enum xr_status found(struct search *s, const struct nss_chromium *program,
                            const struct browser_profile *profile)
{
    const struct nss_place place = {.path = profile->path};
    struct xr_found out = {.size = sizeof(out), .only_named = true};
    char identity[64], *location = NULL, *summary = NULL;
    int dir = nss_place_dir(&s->tree, &place);
    struct stat st, file;
    bool there = dir >= 0 && fstat(dir, &st) == 0 &&
                 fstatat(dir, CHROMIUM_FILE, &file, AT_SYMLINK_NOFOLLOW) == 0;
    enum xr_status status = XR_OK;

    if (dir >= 0)
        (void)close(dir);
    if (!there)
        return XR_OK;
    identity_of(identity, &st);
    if (seen_before(s, identity))
        return XR_OK;
    location = xr_format("%s%s", s->tree.prefix, profile->path);
    summary = summary_of(program, profile->name);
    out.location = location;
    out.identity = identity;
    out.summary = summary;
    status = s->emit(s->ctx, &out);
    free(summary);
    free(location);
    return status;
}

static enum xr_status search_all(struct search *s)
{
    enum xr_status status = XR_OK;

    for (const struct nss_chromium *p = nss_chromiums; p->settings != NULL && status == XR_OK;
         p++) {
        struct browser_profiles profiles = {0};
        struct xr_error problem = {0};
        enum xr_status read =
            browser_profiles(&profiles, &s->tree, s->site->config_home, p, &problem);

        if (read != XR_OK && s->status == XR_OK) {
            s->status = read;
            s->problem = problem;
        }
        for (size_t i = 0; i < profiles.count && status == XR_OK; i++)
            status = found(s, p, &profiles.items[i]);
        browser_profiles_free(&profiles);
    }
    return status;
}

/* What cannot be read is a failure only after everything else was emitted. */
static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct search s = {.site = site, .emit = emit, .ctx = ctx};
    enum xr_status status = XR_OK;

    (void)host;
    if ((scope & (XR_SCOPE_USER | XR_SCOPE_ALL_USERS)) == 0 || site->home == NULL)
        return XR_OK;
    status = nss_tree_open(&s.tree, site->root, site->home, err);
    if (status != XR_OK)
        return status;
    status = search_all(&s);
    if (status == XR_OK && s.status != XR_OK) {
        status = s.status;
        if (err != NULL)
            *err = s.problem;
    }
    xr_strings_free(&s.seen);
    nss_tree_close(&s.tree);
    return status;
}

/* ---- a session ---- */

static void session_close(struct xr_session *s)
{
    chromium_view_free(&s->view);
    if (s->dir >= 0)
        (void)close(s->dir);
    free(s->path);
    free(s);
}

/* What is not all there is would be a wrong answer, unless it is said: if nothing of it was read, by
 * failing. */
static enum xr_status load(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    chromium_view_free(&s->view);
    status = chromium_load(&s->view, s->host, s->dir, s->path, err);
    if (status == XR_OK && !s->view.there)
        status = xr_fail(err, XR_ABSENT,
                         "it is no profile of a browser: it has no " CHROMIUM_FILE
                         ", which Chromium makes when it starts");
    else if (status == XR_OK && s->view.unread)
        status = xr_fail(err, XR_FAILED, "%s", s->view.problem);
    return status;
}

static void describe(struct xr_caps *caps, const struct xr_session *s)
{
    struct xr_caps full = {.size = sizeof(full), .purposes = XR_SERVER, .distrust_by_key = true};
    const char *name = NULL;
    const struct nss_chromium *program = program_of(&name, s->path);
    struct stat st;

    full.places[XR_ANCHOR] = full.places[XR_INTERMEDIATE] = XR_ENFORCED;
    full.places[XR_PEER] = full.places[XR_DISTRUST] = XR_ENFORCED;
    (void)snprintf(full.why_cannot[XR_CRL], sizeof(full.why_cannot[0]), "Chromium uses no CRLs");
    full.subjects = 1u << XR_SUBJECT_CERT;
    (void)snprintf(
        full.why_not, sizeof(full.why_not),
        "crossroot only reads it; the browser changes it at chrome://certificate-manager");
    if (s->view.incomplete)
        (void)snprintf(full.left_out, sizeof(full.left_out), "%s", s->view.problem);
    if (program != NULL) {
        char *summary = summary_of(program, name);

        (void)snprintf(full.summary, sizeof(full.summary), "%s", summary);
        free(summary);
    }
    if (fstat(s->dir, &st) == 0)
        identity_of(full.identity, &st);
    xr_caps_give(caps, &full);
}

/* An address that names the file instead of its directory. */
static enum xr_status names_file(const struct xr_target *target, struct xr_error *err)
{
    const char *root = target->site->root != NULL ? target->site->root : "";
    const char *path = target->location, *name = strrchr(path, '/');
    size_t skip = strncmp(path, root, strlen(root)) == 0 ? strlen(root) : 0;

    if (name == NULL || strcmp(name + 1, CHROMIUM_FILE) != 0)
        return XR_OK;
    return xr_fail(err, XR_REFUSED, "that is a file; the address is chromium:%.*s",
                   (int)((size_t)(name - path) - skip), path + skip);
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = xr_new(1, sizeof(*s));
    enum xr_status status = names_file(target, err);

    (void)mode;
    s->host = host;
    s->dir = -1;
    s->path = xr_strdup(target->location);
    if (status == XR_OK)
        status = home_dir_open(&s->dir, NULL, target->site, target->location, err);
    if (status == XR_OK)
        status = load(s, err);
    if (status != XR_OK) {
        session_close(s);
        return status;
    }
    s->fresh = true;
    describe(caps, s);
    *out = s;
    return XR_OK;
}

/* ---- entries ---- */

static void add_limits(struct xr_buf *out, const char *of, const struct xr_strings *limits)
{
    for (size_t i = 0; i < limits->count && out->len < REMARK_MAX; i++) {
        if (i == 0)
            xr_buf_fmt(out, "%sof %s only ", out->len > 0 ? ", " : "", of);
        else
            xr_buf_str(out, " and ");
        xr_buf_str(out, limits->items[i]);
    }
    if (out->len >= REMARK_MAX)
        xr_buf_str(out, "…");
}

/* What people should know of an entry; the caller frees it. NULL: nothing. Limits of one kind leave the
 * other kind free. */
static char *remark_of(const struct chromium_row *row)
{
    struct xr_buf out = {0};

    add_limits(&out, "DNS names", &row->dns);
    add_limits(&out, "IP addresses", &row->cidrs);
    if (row->misnamed)
        xr_buf_fmt(&out,
                   "%sit is stored under a wrong hash, so the browser uses it and cannot remove it",
                   out.len > 0 ? "; " : "");
    return out.data;
}

static enum xr_place place_of(const struct chromium_view *view, size_t at)
{
    static const enum xr_place places[] = {[XR_BROWSER_HINT] = XR_INTERMEDIATE,
                                           [XR_BROWSER_ANCHOR] = XR_ANCHOR,
                                           [XR_BROWSER_DISTRUST] = XR_DISTRUST,
                                           [XR_BROWSER_DISTRUST_KEY] = XR_DISTRUST};

    return view->rows[at].peer ? XR_PEER : places[view->items[at].trust];
}

static enum xr_status emit_one(const struct xr_session *s, size_t at, struct xr_idmap *seen,
                               unsigned *places, xr_entry_fn emit, void *ctx)
{
    struct xr_entry entry = {.size = sizeof(entry),
                             .subject = {XR_SUBJECT_CERT, {0}},
                             .place = place_of(&s->view, at),
                             .flags = XR_ENTRY_VENDOR,
                             .der = s->view.items[at].der};
    char *remark = remark_of(&s->view.rows[at]);
    enum xr_status status = XR_OK;
    bool added = false;
    size_t number = 0;

    s->host->sha256(entry.subject.id, entry.der);
    number = xr_idmap_put(seen, entry.subject.id, at, &added);
    entry.remark = remark;
    if (entry.place == XR_ANCHOR || entry.place == XR_PEER)
        entry.purposes = XR_SERVER;
    /* Two rows may hold one certificate; it is one entry in each place. */
    if ((places[number] & XR_PLACE_BIT(entry.place)) == 0)
        status = emit(ctx, &entry);
    places[number] |= XR_PLACE_BIT(entry.place);
    free(remark);
    return status;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    enum xr_status status = s->fresh ? XR_OK : load(s, err);
    unsigned *places = xr_new(s->view.count, sizeof(*places));
    struct xr_idmap seen = {0};

    s->fresh = false;
    for (size_t i = 0; i < s->view.count && status == XR_OK; i++)
        status = emit_one(s, i, &seen, places, emit, ctx);
    xr_idmap_free(&seen);
    free(places);
    return status;
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    (void)s;
    (void)expect;
    (void)want;
    return xr_fail(err, XR_REFUSED, "crossroot only reads it");
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "chromium",
    .flags = XR_BACKEND_PATHS | XR_BACKEND_WORKER | XR_BACKEND_HOMES,
    .summary = "what Chromium and its relatives keep in a profile (read only)",
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
};

XR_BACKEND(table);
