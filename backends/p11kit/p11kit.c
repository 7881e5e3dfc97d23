/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of p11-kit's trust module. The module only reads files. We read the same files and write
 * them in its own format, because a write through the module would not be durable. The location is
 * the PKCS#11 URI of a token in the configuration, or a directory that programs pass to the module
 * themselves (paths=DIRECTORY). Tokens of other modules: general.c.
 */
#include "../sources/sources.h"
#include "alone.h"
#include "checks.h"
#include "general.h"
#include "gnutls.h"
#include "images.h"
#include "verifier.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static const char why_shared[] = N_(
    "the distribution also makes OpenSSL's trusted bundle from this directory, and an entry that "
    "is neither trusted nor distrusted makes OpenSSL reject good chains (p11-kit issue 382); use "
    "an openssl: or nss: store");

static const char why_vendor[] = N_("p11-kit keeps this token for what packages ship");
static const char why_file[] = N_(
    "the token is one file in which every certificate is an anchor; have servers send it, or use "
    "an openssl: or nss: store");

/* The layout of a session is made from its token. */
struct token_layout {
    struct ca_layout layout;    /* first: the session points to it */
    char *uri;                  /* or NULL */
    struct pt_general *general; /* of another module: all that follows is not used */
    char *path;
    const struct ca_layout *shared; /* of the distribution that publishes the same, or NULL */
    const char *fixed;              /* why it cannot be written, or NULL */
    bool vendor;                    /* of that distribution's packages */
    bool file;                      /* not a directory */
    char *label;
    struct pt_beliefs beliefs; /* of probe, */
    struct pt_marks marks;     /* and these, */
    size_t changes;            /* when the session had seen that many */
};

static struct token_layout *token_of(const struct xr_session *s)
{
    return (struct token_layout *)(uintptr_t)s->layout;
}

/* ---- which directory ---- */

/* Compares the name too, because the published file may be missing now. */
static bool same_place(const struct xr_session *s, const char *path, const struct stat *st)
{
    struct stat other;

    if (path == NULL)
        return false;
    return strcmp(path, token_of(s)->path) == 0 ||
           (st != NULL && ca_stat(&other, s, path, true) && other.st_dev == st->st_dev &&
            other.st_ino == st->st_ino);
}

/* The directories that the distribution publishes from are that store; those of packages are a
 * separate place. */
static const char *locked_path(const struct token_layout *t)
{
    return t->shared != NULL && !t->vendor ? t->shared->lock : t->path;
}

/* Finds the distribution that publishes from the token's directory, or that publishes the token's
 * file. st: of that path, or NULL. */
static void find_shared(const struct xr_session *s, const struct stat *st)
{
    struct token_layout *token = token_of(s);

    for (size_t i = 0; token->shared == NULL && i < ca_layout_count; i++) {
        bool published = same_place(s, ca_layouts[i].published[0], st), read = false;

        for (size_t t = 0; t < CA_TOKENS_MAX; t++) {
            bool same = same_place(s, ca_layouts[i].tokens[t].path, st);

            read = read || same;
            token->vendor = token->vendor || (same && ca_layouts[i].tokens[t].vendor);
        }
        token->file = token->file || published;
        token->shared = published || read ? &ca_layouts[i] : NULL;
    }
    token->layout.lock = locked_path(token);
    token->layout.tokens[0].vendor = token->vendor;
    if (token->vendor)
        token->fixed = why_vendor;
}

/* path: absolute, or NULL. */
static struct token_layout *layout_new(const char *path, const char *label)
{
    struct token_layout *t = xr_new(1, sizeof(*t));

    t->path = xr_strdup(path != NULL ? path : "");
    for (size_t len = strlen(t->path); len > 0 && t->path[len - 1] == '/'; len--)
        t->path[len - 1] = '\0';
    t->label = xr_strdup(label);
    t->layout = (struct ca_layout){.name = "p11-kit",
                                   .title = N_("token of p11-kit's trust module"),
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
    pt_general_close(t->general);
    pt_beliefs_free(&t->beliefs);
    pt_marks_free(&t->marks);
    free(t->uri);
    free(t->path);
    free(t->label);
    free(t);
}

static struct token_layout *layout_of(const struct pt_token *token)
{
    struct token_layout *t = layout_new(token->path != NULL ? token->path + 1 : NULL, token->label);

    t->uri = xr_strdup(token->uri);
    if (token->flags & CKF_WRITE_PROTECTED)
        t->fixed = why_vendor;
    return t;
}

static enum xr_status by_uri(struct token_layout **out, const struct xr_host *host,
                             const struct xr_target *target, struct xr_error *err)
{
    struct pt_tokens tokens = {0};
    const struct pt_token *token = NULL;
    enum xr_status status = pt_tokens_find(&tokens, target->site, err);

    if (status == XR_OK)
        status = pt_tokens_match(&token, &tokens, target->location, err);
    if (status == XR_OK && token->why != NULL)
        status = xr_fail(err, XR_UNSUPPORTED, "%s", token->why);
    if (status == XR_OK) {
        *out = layout_of(token);
        if (token->path == NULL)
            status = pt_general_open(&(*out)->general, host, target->site, &tokens, token, err);
    }
    pt_tokens_free(&tokens);
    return status;
}

static enum xr_status find_token(struct token_layout **out, const struct xr_host *host,
                                 const struct xr_target *target, struct xr_error *err)
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
    return by_uri(out, host, target, err);
}

/* ---- what can be done ---- */

static void describe_writing(struct xr_caps *full, const struct xr_session *s)
{
    const struct token_layout *t = token_of(s);
    const char *why = t->file ? N_("its token is one file") : t->fixed;

    if (!t->file && !ca_may_write(s, t->path, full))
        return;
    full->writable = why == NULL;
    if (why != NULL)
        (void)snprintf(full->why_not, sizeof(full->why_not),
                       t->shared != NULL ? N_("%s; change the store ca-certificates") : "%s", why);
}

/* Bundles that are made from the same directory have no place for limits. */
static void describe_limits(struct xr_caps *full, const struct token_layout *t)
{
    bool shared = t->shared != NULL;

    full->limited = shared ? XR_CANNOT : XR_ADVISORY;
    (void)snprintf(full->why_not_limited, sizeof(full->why_not_limited), "%s",
                   shared
                       ? N_("the distribution also makes bundles from this directory, and programs "
                            "that read them would see no limits")
                       : N_("programs that use GnuTLS keep to the limits; others, such as those "
                            "that use NSS, may trust it for every name"));
}

static void describe_files(struct xr_caps *full, const struct xr_session *s)
{
    const struct token_layout *t = token_of(s);
    const char *why = t->file ? why_file : t->shared != NULL ? why_shared : NULL;

    full->places[XR_ANCHOR] = full->places[XR_DISTRUST] = XR_ENFORCED;
    full->places[XR_INTERMEDIATE] = why != NULL ? XR_CANNOT : XR_ENFORCED;
    full->distrust_by_key = true;
    full->purposes = CA_PURPOSES;
    full->subjects = 1u << XR_SUBJECT_CERT | 1u << XR_SUBJECT_ISSUER_SERIAL;
    full->atomic = true;
    full->attaches = true;
    describe_limits(full, t);
    (void)snprintf(full->why_cannot[XR_INTERMEDIATE], sizeof(full->why_cannot[0]), "%s",
                   why != NULL ? why : "");
    (void)snprintf(full->why_cannot[XR_CRL], sizeof(full->why_cannot[0]),
                   N_("p11-kit has no place for CRLs; an openssl: store has"));
    (void)snprintf(full->summary, sizeof(full->summary), N_("%.40s, reads /%.60s"), t->label,
                   t->path);
    (void)snprintf(full->verifier, sizeof(full->verifier), "OpenSSL X509_verify_cert");
    describe_writing(full, s);
    ca_identify(full->identity, sizeof(full->identity), s, locked_path(t));
    if (t->shared != NULL && full->writable) {
        for (size_t i = 0; i < XR_NOTICE_COUNT; i++)
            (void)snprintf(
                full->notice[i], sizeof(full->notice[i]),
                N_("programs that read the distribution's bundles see this only after its "
                   "update command, or after a change of the store ca-certificates"));
    }
}

static void describe(struct xr_caps *caps, const struct xr_session *s)
{
    struct xr_caps full = {.size = sizeof(full)};

    if (token_of(s)->general != NULL)
        pt_general_describe(&full, token_of(s)->general);
    else
        describe_files(&full, s);
    xr_caps_give(caps, &full);
}

/* ---- the verifier ---- */

static enum xr_status take_anchor(void *ctx, enum xr_item_kind kind, struct xr_bytes der)
{
    if (kind != XR_ITEM_CRL)
        pt_believe(ctx, XR_ANCHOR, der);
    return XR_OK;
}

/* Emits anchors with OpenSSL's trust settings for their attached purposes, and certificates that
 * build paths, but none that is distrusted. */
static void believe(struct pt_beliefs *beliefs, struct xr_session *s)
{
    const struct pf_request request = {.format = XR_FORMAT_OPENSSL_BUNDLE, .filter = PF_CA_ANCHORS};
    struct xr_format_files outs = {0};

    pf_extract(&outs, &s->p11, &request);
    for (size_t i = 0; i < outs.count; i++) {
        struct xr_bytes text = {(const unsigned char *)outs.items[i].content.data,
                                outs.items[i].content.len};

        if (text.len > 0)
            (void)s->host->items(text, take_anchor, beliefs, NULL);
    }
    xr_format_files_free(&outs);
    for (size_t i = 0; i < s->p11.certs.count; i++) {
        const struct pf_cert *cert = &s->p11.certs.items[i];

        if (!cert->trusted && !cert->distrusted && !cert->blocked && cert->der.len > 0)
            pt_believe(beliefs, XR_INTERMEDIATE, cert->der);
    }
}

static bool distrusted(const void *ctx, struct xr_bytes der)
{
    const struct xr_session *s = ctx;

    return pt_marks_distrust(&token_of(s)->marks, s->host, der);
}

static void doubt(struct xr_verdict *out, const struct xr_session *s)
{
    if (out->path_len == 0 || !pt_marks_restrict(&token_of(s)->marks, out->path[out->path_len - 1]))
        return;
    out->answer = XR_UNKNOWN;
    out->also_count = 0;
    (void)snprintf(out->why, sizeof(out->why),
                   N_("the path is good, but this verifier does not apply the constraints "
                      "attached to its anchor"));
}

static enum xr_status check_files(struct xr_session *s, struct xr_verdict *out,
                                  const struct xr_probe *question, struct xr_error *err)
{
    struct token_layout *t = token_of(s);
    enum xr_status status = s->loaded ? XR_OK : ca_load(s, err);

    if (status != XR_OK)
        return status;
    if (t->beliefs.host == NULL || t->changes != s->changes) {
        pt_beliefs_free(&t->beliefs);
        t->beliefs.host = s->host;
        t->changes = s->changes;
        believe(&t->beliefs, s);
        pt_mark(&t->marks, s);
    }
    status = pt_check(out, &t->beliefs, question, distrusted, s, err);
    if (status == XR_OK && out->answer == XR_YES)
        doubt(out, s);
    return status;
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    struct token_layout *t = token_of(s);
    enum xr_status status = t->general != NULL ? pt_general_probe(t->general, out, question, err)
                                               : check_files(s, out, question, err);

    if (status == XR_OK && t->uri != NULL)
        pt_gnutls(out, t->uri, question);
    return status;
}

/* ---- sessions ---- */

static void session_close(struct xr_session *s)
{
    struct token_layout *t = token_of(s);

    ca_session_free(s);
    layout_free(t);
}

static enum xr_status look(struct xr_session *s, struct xr_error *err)
{
    struct token_layout *t = token_of(s);
    struct stat st;

    if (pt_check_owners(s, t->path, err) != XR_OK)
        return XR_REFUSED;
    if (!ca_stat(&st, s, t->path, true)) {
        int failed = errno;

        find_shared(s, NULL);
        errno = failed;
        return failed == ENOENT ? XR_OK : xr_fail_errno(err, "cannot examine /%s", t->path);
    }
    t->file = S_ISREG(st.st_mode);
    find_shared(s, &st);
    if (!t->file && !S_ISDIR(st.st_mode))
        return xr_fail(err, XR_REFUSED, "/%s is neither a directory nor a file", t->path);
    return XR_OK;
}

static struct xr_session *session_of(const struct xr_host *host, const struct xr_site *site,
                                     struct token_layout *t)
{
    struct xr_session *s = ca_session_new(host, site->root != NULL ? site->root : "/");

    s->layout = &t->layout;
    return s;
}

static enum xr_status begin_writing(struct xr_session *s, const struct xr_caps *caps,
                                    struct xr_error *err)
{
    struct token_layout *t = token_of(s);
    enum xr_status status = XR_OK;

    if (caps->writable)
        status = t->general != NULL ? pt_general_write(t->general, err) : ca_lock(s, err);
    s->write = caps->writable && status == XR_OK;
    return status;
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct token_layout *t = NULL;
    struct xr_session *s = NULL;
    enum xr_status status = find_token(&t, host, target, err);

    if (status != XR_OK || t == NULL) {
        layout_free(t);
        return status;
    }
    s = session_of(host, target->site, t);
    if (s->root < 0)
        status = xr_fail_errno(err, "cannot open the root directory");
    if (status == XR_OK && t->general == NULL)
        status = look(s, err);
    if (status == XR_OK)
        describe(caps, s);
    if (status == XR_OK && mode == XR_WRITE)
        status = begin_writing(s, caps, err);
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
    describe(caps, s);
    s->loaded = s->fresh = s->ahead = false;
    return begin_writing(s, caps, err);
}

static enum xr_status session_unlock(struct xr_session *s, struct xr_bytes password,
                                     struct xr_error *err)
{
    struct token_layout *t = token_of(s);

    return t->general != NULL ? pt_general_unlock(t->general, password, err) : XR_OK;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    struct token_layout *t = token_of(s);

    return t->general != NULL ? pt_general_list(t->general, emit, ctx, err)
                              : ca_list(s, emit, ctx, err);
}

static enum xr_status swap(struct xr_session *s, const struct xr_state *expect,
                           const struct xr_state *want, struct xr_error *err)
{
    struct token_layout *t = token_of(s);

    return t->general != NULL ? pt_general_swap(t->general, expect, want, err)
                              : ca_swap(s, expect, want, err);
}

static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    if (s->lock < 0)
        return XR_OK;
    ca_clear_source_temps(s);
    return ca_sync_sources(s, err);
}

/* ---- discovery ---- */

/* Does it belong to a user (in that user's home) or to the system? A token without a path belongs
 * to the system. */
static bool in_scope(const struct pt_token *token, const struct xr_site *site, unsigned scope)
{
    size_t len = site->home != NULL ? strlen(site->home) : 0;
    bool own = len > 1 && token->path != NULL && strncmp(token->path, site->home, len) == 0 &&
               token->path[len] == '/';

    return (scope & (own ? XR_SCOPE_USER : XR_SCOPE_SYSTEM)) != 0;
}

static enum xr_status emit_found(const struct xr_host *host, const struct xr_site *site,
                                 struct token_layout *t, const char *location, xr_found_fn emit,
                                 void *ctx)
{
    char identity[sizeof(((struct xr_caps *)NULL)->identity)] = "";
    struct xr_session *s = session_of(host, site, t);
    enum xr_status status = XR_OK;
    char *title = NULL;

    /* Errors here are reported when it is opened. */
    if (t->path[0] != '\0' && s->root >= 0 && look(s, NULL) == XR_OK)
        ca_identify(identity, sizeof(identity), s, locked_path(t));
    title = xr_format(N_("p11-kit token \"%s\""), t->label);
    status = emit(ctx, &(struct xr_found){.size = sizeof(struct xr_found),
                                          .location = location,
                                          .identity = identity,
                                          .summary = title});
    free(title);
    session_close(s);
    return status;
}

/* Modules of an image are not loaded; its configuration tells what they would read. */
static enum xr_status discover_image(const struct xr_host *host, const struct xr_site *site,
                                     xr_found_fn emit, void *ctx)
{
    struct xr_strings paths = {0};
    enum xr_status status = XR_OK;

    pt_image_paths(&paths, host, site->root);
    for (size_t i = 0; status == XR_OK && i < paths.count; i++)
        status = emit_found(host, site, layout_new(paths.items[i] + 1, paths.items[i]),
                            paths.items[i], emit, ctx);
    xr_strings_free(&paths);
    return status;
}

static enum xr_status emit_tokens(struct pt_tokens *tokens, const struct xr_host *host,
                                  const struct xr_site *site, unsigned scope, xr_found_fn emit,
                                  void *ctx)
{
    enum xr_status status = XR_OK;

    for (size_t i = 0; status == XR_OK && i < tokens->count; i++) {
        if (in_scope(&tokens->items[i], site, scope))
            status = emit_found(host, site, layout_of(&tokens->items[i]), tokens->items[i].uri,
                                emit, ctx);
    }
    pt_tokens_free(tokens);
    return status;
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    struct pt_tokens tokens = {0};
    enum xr_status status = XR_OK;

    if (site->root != NULL)
        return scope & XR_SCOPE_SYSTEM ? discover_image(host, site, emit, ctx) : XR_OK;
    if (!(scope & (XR_SCOPE_SYSTEM | XR_SCOPE_USER)))
        return XR_OK;
    status = pt_tokens_find(&tokens, site, err);
    if (status != XR_OK) {
        pt_tokens_free(&tokens);
        return status;
    }
    return emit_tokens(&tokens, host, site, scope, emit, ctx);
}

static enum xr_status discover_here(const struct xr_host *host, const struct xr_site *site,
                                    unsigned scope, xr_found_fn emit, void *ctx,
                                    struct xr_error *err)
{
    struct pt_tokens tokens = {0};

    (void)err;
    if (!(scope & (XR_SCOPE_SYSTEM | XR_SCOPE_USER)))
        return XR_OK;
    if (!pt_alone(&tokens, site))
        return XR_UNSUPPORTED;
    return emit_tokens(&tokens, host, site, scope, emit, ctx);
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "p11-kit",
    .flags = XR_BACKEND_WORKER | XR_BACKEND_DISCOVER_APART,
    .summary = N_("tokens of p11-kit's trust module (GnuTLS, GLib, NSS with p11-kit)"),
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .flush = flush,
    .probe = probe,
    .renew = session_renew,
    .unlock = session_unlock,
    .discover_here = discover_here,
};

XR_BACKEND(table);
