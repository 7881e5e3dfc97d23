/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of CA certificates for programs that use OpenSSL:
 *
 *   anchors/        for SSL_CERT_DIR or -CApath: SHA256.pem and links HASH.N
 *   intermediates/  the same for certificates that are trusted for nothing
 *   distrusted/     only noted; OpenSSL has no distrust
 *   crls/           SHA256.pem and links HASH.rN
 *   anchors.pem, intermediates.pem   all of the first two, for -CAfile and -untrusted
 *   .crossroot      what in here is ours, so that the last undo leaves the directory as it was:
 *                   "dir NAME" and "file NAME" that we made, "saved NAME" for a foreign file that
 *                   we keep, "gone DIR/FILE" for a foreign file that is being removed
 *
 * A foreign bundle that has the name of ours is kept beside it under SAVED, and restored at the end.
 * Nothing is written as long as crossroot has no entry here.
 */
#include "store.h"

#include "sys/linux/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- opening ---- */

/* What somebody put where a file of ours was is neither replaced nor written through. */
static const char *in_its_place(int dir, const char *name)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISREG(st.st_mode))
        return NULL;
    return S_ISLNK(st.st_mode) ? N_("it is a link where crossroot's own file was; remove it")
                               : N_("it is no regular file, as crossroot's own was; remove it");
}

static void describe(struct xr_caps *caps, const struct xr_session *s)
{
    struct stat st;
    int at = s->dir >= 0 ? s->dir : s->parent;
    struct xr_caps full = {.size = sizeof(full)};

    full.places[XR_ANCHOR] = XR_ENFORCED;
    full.places[XR_INTERMEDIATE] = full.places[XR_DISTRUST] = full.places[XR_CRL] = XR_ADVISORY;
    (void)snprintf(
        full.why_cannot[XR_INTERMEDIATE], sizeof(full.why_cannot[0]),
        N_("programs do not read intermediates/ by themselves: a server must send it, or "
           "the program be given it as untrusted (intermediates.pem)"));
    (void)snprintf(full.why_cannot[XR_CRL], sizeof(full.why_cannot[0]),
                   N_("programs use CRLs only if they are told to (-crl_check, "
                      "X509_V_FLAG_CRL_CHECK)"));
    full.purposes = XR_ANY_PURPOSE;
    full.subjects = 1u << XR_SUBJECT_CERT;
    full.atomic = true;
    (void)snprintf(full.verifier, sizeof(full.verifier), "OpenSSL X509_verify_cert");
    full.writable = faccessat(at, ".", W_OK, AT_EACCESS) == 0;
    if (!full.writable) {
        full.needs_privilege = errno == EACCES && geteuid() != 0;
        (void)snprintf(full.why_not, sizeof(full.why_not), "%s", strerror(errno));
    }
    for (size_t i = 0; i < SHAPES && s->dir >= 0; i++) {
        const char *bundle = od_shapes[i].bundle != NULL ? od_shapes[i].bundle : ".";
        const char *fixed = xr_why_fixed(s->dir, bundle);

        if (fixed == NULL && s->bundle_ours[i])
            fixed = in_its_place(s->dir, bundle);
        if (fixed == NULL && (fixed = in_its_place(s->dir, MANIFEST)) != NULL)
            bundle = MANIFEST;
        if (fixed == NULL)
            continue;
        full.writable = full.needs_privilege = false;
        (void)snprintf(full.why_not, sizeof(full.why_not), "%s: %s", bundle, fixed);
        break;
    }
    if (s->hashed[0] != '\0') {
        full.writable = full.needs_privilege = false;
        od_hashed_text(full.why_not, sizeof(full.why_not), s);
    }
    if (s->dir >= 0 && fstat(s->dir, &st) == 0)
        (void)snprintf(full.identity, sizeof(full.identity), "%llu:%llu",
                       (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    xr_caps_give(caps, &full);
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = NULL;
    enum xr_status status = od_session_open(&s, host, target->location, mode == XR_WRITE, err);

    if (status != XR_OK)
        return status;
    od_read_manifest(s);
    describe(caps, s);
    *out = s;
    return XR_OK;
}

/* ---- probe, discover ---- */

struct asking {
    const struct xr_session *s;
    bool sent_only; /* as if intermediates/ were empty */
    bool found;     /* an intermediate */
    xr_bytes_fn emit;
    void *emit_ctx;
};

static enum xr_status pass_on(void *ctx, struct xr_bytes der)
{
    struct asking *asking = ctx;

    asking->found = true;
    return asking->emit(asking->emit_ctx, der);
}

static enum xr_status lookup(void *ctx, enum xr_place place, struct xr_bytes name,
                             uint32_t name_hash, xr_bytes_fn emit, void *emit_ctx)
{
    struct asking *asking = ctx;
    const struct view *view = NULL;
    size_t at = 0;

    (void)name;
    if (od_shape_of(place, &at) == NULL || (place == XR_INTERMEDIATE && asking->sent_only))
        return XR_OK;
    view = &asking->s->views[at];
    if (place != XR_INTERMEDIATE)
        return od_view_lookup(view, name_hash, emit, emit_ctx);
    asking->emit = emit;
    asking->emit_ctx = emit_ctx;
    return od_view_lookup(view, name_hash, pass_on, asking);
}

static enum xr_answer same_opinion(const struct xr_verdict *verdict, const char *by)
{
    for (size_t i = 0; i < verdict->also_count; i++) {
        if (strcmp(verdict->also[i].by, by) == 0)
            return verdict->also[i].answer;
    }
    return XR_UNKNOWN;
}

/* No program reads intermediates/ by itself. Says so where a yes needs it. */
static enum xr_status limit(struct asking *asking, struct xr_verdict *out,
                            const struct xr_path_check *check, struct xr_error *err)
{
    static const char limits[] = N_(
        "programs do not read intermediates/ by themselves: the server must send what this path "
        "takes from there, or the program be given just that as untrusted (intermediates.pem has "
        "it)");
    struct xr_verdict bare = {.size = sizeof(bare)};
    enum xr_status status = XR_OK;

    asking->sent_only = true;
    status = asking->s->host->path_check(&bare, check, err);
    if (status != XR_OK)
        return status;
    if (out->answer == XR_YES) {
        if (bare.answer != XR_YES)
            (void)snprintf(out->why, sizeof(out->why), "%s", limits);
        return XR_OK;
    }
    for (size_t i = 0; i < out->also_count; i++) {
        struct xr_opinion *opinion = &out->also[i];

        if (opinion->answer == XR_YES && same_opinion(&bare, opinion->by) != XR_YES)
            (void)snprintf(opinion->why, sizeof(opinion->why), "%s", limits);
    }
    return XR_OK;
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    struct asking asking = {.s = s};
    struct xr_path_check check = {.size = sizeof(check),
                                  .probe = question,
                                  .lookup = lookup,
                                  .lookup_ctx = &asking,
                                  .also_partial = true,
                                  .crls_aside = true};
    enum xr_status status = XR_OK;

    if (s->hashed[0] != '\0') {
        out->answer = XR_UNKNOWN;
        od_hashed_text(out->why, sizeof(out->why), s);
        return XR_OK;
    }
    status = s->host->path_check(out, &check, err);
    return status == XR_OK && asking.found ? limit(&asking, out, &check, err) : status;
}

/* A store can be any directory; these two are the default ones. */
static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    const struct {
        unsigned scope;
        const char *base, *rest, *summary;
    } places[] = {
        {XR_SCOPE_SYSTEM, site->root ? site->root : "", "/etc/ssl/crossroot",
         N_("OpenSSL directory of this system")},
        {XR_SCOPE_USER, site->root ? NULL : site->data_home, "/crossroot/trust",
         N_("OpenSSL directory of this user")},
    };
    enum xr_status status = XR_OK;

    (void)host;
    (void)err;
    for (size_t i = 0; status == XR_OK && i < sizeof(places) / sizeof(places[0]); i++) {
        struct xr_found found = {.size = sizeof(found), .summary = places[i].summary};
        struct stat st;
        char *path = NULL;

        if (!(scope & places[i].scope) || places[i].base == NULL)
            continue;
        path = xr_format("%s%s", places[i].base, places[i].rest);
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            found.location = path;
            status = emit(ctx, &found);
        }
        free(path);
    }
    return status;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "openssl",
    .flags = XR_BACKEND_PATHS | XR_BACKEND_HOMES,
    .summary = N_("directory for programs that use OpenSSL (SSL_CERT_DIR, -CApath)"),
    .discover = discover,
    .open = session_open,
    .close = od_session_close,
    .list = od_list,
    .swap = od_swap,
    .flush = od_flush,
    .probe = probe,
};

XR_BACKEND(table);
