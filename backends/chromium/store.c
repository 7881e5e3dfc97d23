/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend "chromium": one store a profile. A profile's own database serves one profile of one
 * browser, and the NSS database of the user all of them: so commands that change leave these alone
 * unless they are named.
 */
#include "chromium.h"
#include "holder.h"
#include "homes/open.h"
#include "rows.h"
#include "sys/linux/walk.h"
#include "verdict.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LEN 60u

struct xr_session {
    const struct xr_host *host;
    int dir;
    char *path;
    struct chromium_view view;
    bool fresh;  /* view was read by open, and not listed yet */
    bool locked; /* against others of us */
};

/* ---- names for people ---- */

static char *summary_of(const struct nss_chromium *program, const char *name)
{
    struct xr_buf shown = {0};
    size_t len = strlen(name);
    char *summary = NULL;

    xr_buf_visible(&shown, name, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);
    xr_buf_str(&shown, len > NAME_MAX_LEN ? "…" : "");
    summary =
        len > 0 ? xr_format(N_("%s profile \"%s\"%s"), program->name, shown.data, program->packing)
                : xr_format("%s%s", program->name, program->packing);
    xr_buf_free(&shown);
    return summary;
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

/* A profile that a browser has not started yet with such a file. */
static bool is_profile(int dir)
{
    struct stat st;

    return fstatat(dir, "Preferences", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* What is not all there is would be a wrong answer, unless it is said: if nothing of it was read, by
 * failing. */
static enum xr_status load(struct xr_session *s, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    chromium_view_free(&s->view);
    status = chromium_load(&s->view, s->host, s->dir, s->path, err);
    if (status == XR_OK && !s->view.there && !is_profile(s->dir))
        status = xr_fail(err, XR_ABSENT,
                         "it is no profile of a browser: it has no ServerCertificate"
                         ", which Chromium makes when it starts");
    else if (status == XR_OK && s->view.stale && faccessat(s->dir, ".", W_OK, AT_EACCESS) == 0)
        status = xr_fail(err, XR_STALE, "%s", s->view.problem);
    else if (status == XR_OK && s->view.unread)
        status = xr_fail(err, XR_FAILED, "%s", s->view.problem);
    return status;
}

/* Sets writable, or why not. */
static void check_writable(struct xr_caps *caps, const struct xr_session *s)
{
    static const char *const names[] = {".", CHROMIUM_FILE};
    const char *why = xr_why_fixed(s->dir, CHROMIUM_FILE), *what = NULL;
    int error = 0;

    for (size_t i = 0; i < (s->view.there ? 2u : 1u) && error == 0; i++) {
        what = i == 0 ? N_("the directory") : CHROMIUM_FILE;
        if (faccessat(s->dir, names[i], W_OK, AT_EACCESS) != 0)
            error = errno;
    }
    if (why != NULL)
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s", why);
    else if (error != 0)
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s: %s", what, strerror(error));
    else if (s->view.fixed[0] != '\0')
        (void)snprintf(caps->why_not, sizeof(caps->why_not), "%s", s->view.fixed);
    else
        caps->writable = !chromium_held(caps->why_not, s->dir, s->path);
    caps->needs_privilege = why == NULL && error == EACCES && geteuid() != 0;
}

/* Words of caps.serves. */
static const char *word_of(const struct nss_chromium *program)
{
    static const struct {
        const char *process, *word;
    } words[] = {
        {"brave", "brave"}, {"msedge", "edge"}, {"vivaldi", "vivaldi"}, {"opera", "opera"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(program->process, words[i].process) == 0)
            return words[i].word;
    }
    return strstr(program->name, "Chrome") != NULL ? "chrome" : "chromium";
}

static void describe(struct xr_caps *caps, const struct xr_session *s)
{
    struct xr_caps full = {.size = sizeof(full),
                           .purposes = XR_SERVER,
                           .distrust_by_key = true,
                           .atomic = true,
                           .limited = XR_ENFORCED,
                           .shares_readers = true};
    const char *name = NULL;
    const struct nss_chromium *program = chromium_program(&name, s->path);
    struct stat st;

    full.places[XR_ANCHOR] = full.places[XR_INTERMEDIATE] = XR_ENFORCED;
    full.places[XR_PEER] = full.places[XR_DISTRUST] = XR_ENFORCED;
    (void)snprintf(full.why_cannot[XR_CRL], sizeof(full.why_cannot[0]),
                   N_("Chromium uses no CRLs"));
    full.subjects = 1u << XR_SUBJECT_CERT;
    (void)snprintf(full.verifier, sizeof(full.verifier), "%s", CHROMIUM_VERIFIER);
    check_writable(&full, s);
    if (s->view.incomplete)
        (void)snprintf(full.left_out, sizeof(full.left_out), "%s", s->view.problem);
    if (program != NULL) {
        char *summary = summary_of(program, name);

        (void)snprintf(full.summary, sizeof(full.summary), "%s", summary);
        (void)snprintf(full.serves, sizeof(full.serves), "%s", word_of(program));
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

static struct chromium_place place_of(const struct xr_session *s)
{
    return (struct chromium_place){.host = s->host, .dir = s->dir, .path = s->path};
}

/* Takes the lock, and ends a write of somebody who was killed. */
static enum xr_status begin_writing(struct xr_session *s, struct xr_error *err)
{
    struct chromium_place at = place_of(s);
    enum xr_status status = s->locked ? XR_OK : s->host->lock(s->dir, XR_LOCK_MS, "it", err);

    s->locked = s->locked || status == XR_OK;
    if (status == XR_OK)
        status = load(s, err);
    if (status != XR_STALE)
        return status;
    status = chromium_roll_back(&at, err);
    return status == XR_OK ? load(s, err) : status;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = xr_new(1, sizeof(*s));
    enum xr_status status = names_file(target, err);

    s->host = host;
    s->dir = -1;
    s->path = xr_strdup(target->location);
    if (status == XR_OK)
        status = home_dir_open(&s->dir, NULL, target->site, target->location, err);
    if (status == XR_OK)
        status = mode == XR_WRITE ? begin_writing(s, err) : load(s, err);
    if (status != XR_OK) {
        session_close(s);
        return status;
    }
    s->fresh = true;
    describe(caps, s);
    *out = s;
    return XR_OK;
}

static enum xr_status renew(struct xr_session *s, struct xr_caps *caps, struct xr_error *err)
{
    enum xr_status status = begin_writing(s, err);

    s->fresh = status == XR_OK;
    if (status == XR_OK)
        describe(caps, s);
    return status;
}

/* ---- entries ---- */

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    enum xr_status status = s->fresh ? XR_OK : load(s, err);
    struct chromium_entries entries = {0};

    s->fresh = false;
    if (status == XR_OK)
        chromium_entries_of(&entries, &s->view, NULL);
    for (size_t i = 0; i < entries.count && status == XR_OK; i++)
        status = emit(ctx, &entries.items[i].entry);
    chromium_entries_free(&entries);
    return status;
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    struct chromium_place at = place_of(s);

    s->fresh = false;
    return chromium_swap(&at, expect, want, err);
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    enum xr_status status = s->fresh ? XR_OK : load(s, err);

    return status == XR_OK ? chromium_verdict(out, &s->view, s->host, question, err) : status;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "chromium",
    .flags = XR_BACKEND_PATHS | XR_BACKEND_WORKER | XR_BACKEND_HOMES,
    .summary = N_("what Chromium and its relatives keep in a profile"),
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .probe = probe,
    .renew = renew,
};

XR_BACKEND(table);
