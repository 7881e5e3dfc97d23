/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of p11-kit's trust module. The module only reads files, so do we: the same files, which we
 * write in its own format, where a write by way of the module would not be durable. The location is
 * a PKCS#11 URI of a token that the configuration names, or a directory that programs give to the
 * module themselves (paths=DIRECTORY).
 */
#include "../cacerts/store.h"
#include "tokens.h"
#include "verifier.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char why_shared[] =
    "the distribution makes OpenSSL's trusted bundle of this directory too, and what is neither "
    "trusted nor distrusted there makes OpenSSL reject chains that were good (p11-kit issue 382); "
    "use an openssl: or nss: store";

/* The layout of a session is made of its token. */
struct token_layout {
    struct ca_layout layout; /* first: the session points to it */
    char *path;
    const struct ca_layout *shared; /* of the distribution that publishes the same, or NULL */
    const char *fixed;              /* why it cannot be written, or NULL */
    bool file;                      /* not a directory */
    char *label;
};

static struct token_layout *token_of(const struct xr_session *s)
{
    return (struct token_layout *)(uintptr_t)s->layout;
}

/* ---- which directory ---- */

/* By its name too: what is published may be missing right now. */
static bool same_place(const struct xr_session *s, const char *path, const struct stat *st)
{
    struct stat other;

    if (path == NULL)
        return false;
    return strcmp(path, token_of(s)->path) == 0 ||
           (st != NULL && ca_stat(&other, s, path, true) && other.st_dev == st->st_dev &&
            other.st_ino == st->st_ino);
}

/* Finds the distribution that publishes from what the token reads, or publishes that. st: of it, or
 * NULL. */
static void find_shared(const struct xr_session *s, const struct stat *st)
{
    struct token_layout *token = token_of(s);

    for (size_t i = 0; token->shared == NULL && i < ca_layout_count; i++) {
        bool published = same_place(s, ca_layouts[i].published[0], st), read = false;

        for (size_t t = 0; t < CA_TOKENS_MAX; t++)
            read = read || same_place(s, ca_layouts[i].tokens[t].path, st);
        token->file = token->file || published;
        token->shared = published || read ? &ca_layouts[i] : NULL;
    }
}

static struct token_layout *layout_new(const char *path, const char *label)
{
    struct token_layout *t = xr_new(1, sizeof(*t));

    t->path = xr_strdup(path);
    for (size_t len = strlen(t->path); len > 0 && t->path[len - 1] == '/'; len--)
        t->path[len - 1] = '\0';
    t->label = xr_strdup(label);
    t->layout = (struct ca_layout){.name = "p11-kit",
                                   .title = "token of p11-kit's trust module",
                                   .family = CA_P11,
                                   .lock = t->path,
                                   .anchors = t->path,
                                   .extension = ".p11-kit",
                                   .objects = true,
                                   .tokens = {{t->path, false}}};
    return t;
}

static void layout_free(struct token_layout *t)
{
    if (t == NULL)
        return;
    free(t->path);
    free(t->label);
    free(t);
}

static enum xr_status by_uri(struct token_layout **out, const struct xr_target *target,
                             struct xr_error *err)
{
    struct pt_tokens tokens = {0};
    const struct pt_token *token = NULL;
    enum xr_status status = pt_tokens_find(&tokens, target->site, err);

    if (status == XR_OK)
        status = pt_tokens_match(&token, &tokens, target->location, err);
    if (status == XR_OK && token->path == NULL)
        status = xr_fail(err, XR_UNSUPPORTED, "%s", token->why);
    if (status == XR_OK) {
        *out = layout_new(token->path + 1, token->label);
        if (token->write_protected)
            (*out)->fixed = "p11-kit keeps this token for what packages ship";
    }
    pt_tokens_free(&tokens);
    return status;
}

static enum xr_status find_token(struct token_layout **out, const struct xr_target *target,
                                 struct xr_error *err)
{
    if (target->location[0] == '/' && target->location[1] != '\0') {
        *out = layout_new(target->location + 1, target->location);
        return XR_OK;
    }
    if (strncmp(target->location, "pkcs11:", strlen("pkcs11:")) != 0)
        return xr_fail(err, XR_REFUSED,
                       "it is neither a PKCS#11 URI nor the full path of a "
                       "directory");
    if (target->site->root != NULL)
        return xr_fail(err, XR_UNSUPPORTED,
                       "modules of an image are not loaded; name the directory in it");
    return by_uri(out, target, err);
}

/* ---- what can be done ---- */

static void describe_writing(struct xr_caps *full, const struct xr_session *s)
{
    const struct token_layout *t = token_of(s);
    const char *why = t->file ? "its token is one file" : t->fixed;

    if (!t->file && !ca_may_write(s, t->path, full))
        return;
    full->writable = why == NULL;
    if (why != NULL)
        (void)snprintf(full->why_not, sizeof(full->why_not), "%s%s", why,
                       t->shared != NULL ? "; change the store ca-certificates" : "");
}

static void describe(struct xr_caps *caps, const struct xr_session *s)
{
    const struct token_layout *t = token_of(s);
    struct xr_caps full = {.size = sizeof(full)};
    size_t size = caps->size;
    struct stat st;

    full.places[XR_ANCHOR] = full.places[XR_DISTRUST] = XR_ENFORCED;
    full.places[XR_INTERMEDIATE] = t->shared == NULL ? XR_ENFORCED : XR_CANNOT;
    full.distrust_by_key = true;
    full.purposes = CA_PURPOSES;
    full.subjects = 1u << XR_SUBJECT_CERT;
    full.atomic = true;
    (void)snprintf(full.why_cannot[XR_INTERMEDIATE], sizeof(full.why_cannot[0]), "%s",
                   t->shared != NULL ? why_shared : "");
    (void)snprintf(full.why_cannot[XR_CRL], sizeof(full.why_cannot[0]),
                   "p11-kit has no place for CRLs; an openssl: store has");
    (void)snprintf(full.summary, sizeof(full.summary), "%.40s, reads /%.60s", t->label, t->path);
    (void)snprintf(full.verifier, sizeof(full.verifier), "OpenSSL X509_verify_cert");
    describe_writing(&full, s);
    /* What the distribution publishes from is that store. */
    if (ca_stat(&st, s, t->shared != NULL ? t->shared->lock : t->path, true))
        (void)snprintf(full.identity, sizeof(full.identity), "%llu:%llu",
                       (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    if (t->shared != NULL && full.writable) {
        for (size_t i = 0; i < XR_NOTICE_COUNT; i++)
            (void)snprintf(full.notice[i], sizeof(full.notice[i]),
                           "programs that read the distribution's bundles see it after its update "
                           "command, or a change of the store ca-certificates");
    }
    memcpy(caps, &full, size < sizeof(full) ? size : sizeof(full));
    caps->size = size;
}

/* ---- sessions ---- */

static void session_close(struct xr_session *s)
{
    struct token_layout *t = token_of(s);

    pt_verifier_free(s);
    ca_session_free(s);
    layout_free(t);
}

/* What lies in somebody's directory can be exchanged while root works there. */
static enum xr_status check_owners(const struct xr_session *s, const char *path,
                                   struct xr_error *err)
{
    for (size_t len = strcspn(path, "/"); geteuid() == 0; len += 1 + strcspn(path + len + 1, "/")) {
        char *part = xr_memdup(path, len);
        struct stat st;
        bool other = ca_stat(&st, s, part, true) && st.st_uid != 0;
        enum xr_status status =
            other ? xr_fail(err, XR_REFUSED,
                            "/%s belongs to somebody else, who has to run crossroot for it", part)
                  : XR_OK;

        free(part);
        if (status != XR_OK || path[len] == '\0')
            return status;
    }
    return XR_OK;
}

static enum xr_status look(struct xr_session *s, struct xr_error *err)
{
    struct token_layout *t = token_of(s);
    struct stat st;

    if (check_owners(s, t->path, err) != XR_OK)
        return XR_REFUSED;
    if (!ca_stat(&st, s, t->path, true)) {
        int failed = errno;

        find_shared(s, NULL);
        errno = failed;
        return failed == ENOENT ? XR_OK : xr_fail_errno(err, "cannot look at /%s", t->path);
    }
    t->file = S_ISREG(st.st_mode);
    find_shared(s, &st);
    if (!t->file && !S_ISDIR(st.st_mode))
        return xr_fail(err, XR_REFUSED, "/%s is neither a directory nor a file", t->path);
    return XR_OK;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct token_layout *t = NULL;
    struct xr_session *s = NULL;
    enum xr_status status = find_token(&t, target, err);

    if (status != XR_OK)
        return status;
    s = ca_session_new(host, target->site->root != NULL ? target->site->root : "/");
    s->layout = &t->layout;
    s->write = mode == XR_WRITE;
    if (s->root < 0)
        status = xr_fail_errno(err, "cannot open the root directory");
    if (status == XR_OK)
        status = look(s, err);
    if (status == XR_OK)
        describe(caps, s);
    if (status == XR_OK && s->write && caps->writable)
        status = ca_lock(s, err);
    if (status != XR_OK) {
        session_close(s);
        return status;
    }
    *out = s;
    return XR_OK;
}

static enum xr_status session_renew(struct xr_session *s, struct xr_caps *caps,
                                    struct xr_error *err)
{
    enum xr_status status = XR_OK;

    describe(caps, s);
    if (caps->writable)
        status = ca_lock(s, err);
    s->write = status == XR_OK;
    s->loaded = s->fresh = s->ahead = false;
    return status;
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    if (s->lock < 0)
        return XR_OK;
    ca_clear_temps(s, s->layout->anchors);
    return ca_sync_sources(s, err);
}

/* A user's own, in that user's home, or the system's? What has no path is the system's. */
static bool in_scope(const struct pt_token *token, const struct xr_site *site, unsigned scope)
{
    size_t len = site->home != NULL ? strlen(site->home) : 0;
    bool own = len > 1 && token->path != NULL && strncmp(token->path, site->home, len) == 0 &&
               token->path[len] == '/';

    return (scope & (own ? XR_SCOPE_USER : XR_SCOPE_SYSTEM)) != 0;
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct pt_tokens tokens = {0};
    enum xr_status status = XR_OK;

    (void)host;
    if (!(scope & (XR_SCOPE_SYSTEM | XR_SCOPE_USER)) || site->root != NULL)
        return XR_OK;
    status = pt_tokens_find(&tokens, site, err);
    for (size_t i = 0; status == XR_OK && i < tokens.count; i++) {
        const struct xr_found found = {.size = sizeof(found),
                                       .location = tokens.items[i].uri,
                                       .summary = tokens.items[i].label};

        if (in_scope(&tokens.items[i], site, scope))
            status = emit(ctx, &found);
    }
    pt_tokens_free(&tokens);
    return status;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "p11-kit",
    .flags = XR_BACKEND_WORKER | XR_BACKEND_DISCOVER_APART,
    .summary = "tokens of p11-kit's trust module (GnuTLS, GLib, NSS with p11-kit)",
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = ca_list,
    .swap = ca_swap,
    .flush = flush,
    .probe = pt_probe,
    .renew = session_renew,
};

#ifdef XR_MODULE
XR_BACKEND_EXPORT
#endif
const struct xr_backend *XR_ENTRY(void);

const struct xr_backend *XR_ENTRY(void)
{
    return &table;
}
