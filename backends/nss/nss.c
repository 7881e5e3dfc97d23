/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"
#include "troubles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void describe(struct xr_caps *caps, struct xr_session *s, const struct nss_files *files,
                     const struct xr_target *target)
{
    const char *path = target->location;
    struct xr_caps full = {.size = sizeof(full)};
    struct stat st;

    full.places[XR_ANCHOR] = full.places[XR_INTERMEDIATE] = XR_ENFORCED;
    full.places[XR_PEER] = full.places[XR_DISTRUST] = XR_ENFORCED;
    if (s->peers != NULL) {
        full.places[XR_PEER] = XR_ADVISORY;
        (void)snprintf(full.why_cannot[XR_PEER], sizeof(full.why_cannot[0]), "%s", s->peers);
    }
    full.places[XR_CRL] = XR_ADVISORY; /* libnss3 uses it, Firefox and Chromium do not */
    full.purposes = P11_PURPOSES;
    full.subjects = 1u << XR_SUBJECT_CERT;
    full.one_per_serial = true;
    full.atomic = false; /* a certificate and its trust are two objects */
    full.writable = files->writable;
    if (!files->cert9 && files->cert8) {
        full.writable = false;
        (void)snprintf(
            full.why_not, sizeof(full.why_not),
            N_("no current program reads the certificates of a cert8.db, and this is all "
               "there is: start its program once, which makes a new, empty cert9.db, and "
               "install there what it should trust"));
        (void)snprintf(full.left_out, sizeof(full.left_out), "%s",
                       s->token.old ? N_("cert8.db: no current program reads its certificates any "
                                         "more")
                                    : N_("cert8.db: no current program reads its certificates any "
                                         "more; they are not listed: this NSS has no "
                                         "libnssdbm3.so"));
    } else if (s->forgets != NULL) {
        full.writable = false;
        (void)snprintf(full.why_not, sizeof(full.why_not),
                       N_("%s keeps certificates in memory only, and reads none of these "
                          "(its preference security.nocertdb)"),
                       s->forgets);
        (void)snprintf(
            full.left_out, sizeof(full.left_out),
            N_("cert9.db: %s does not read it, and keeps certificates in memory only (its "
               "preference security.nocertdb)"),
            s->forgets);
    } else if (!files->writable) {
        full.needs_privilege = geteuid() != 0;
        (void)snprintf(full.why_not, sizeof(full.why_not), "%s",
                       files->why_not[0] != '\0' ? files->why_not
                                                 : strerror(full.needs_privilege ? EACCES : EROFS));
    }
    if (files->cert9 && files->cert8 && full.left_out[0] == '\0')
        (void)snprintf(
            full.left_out, sizeof(full.left_out),
            N_("cert8.db: left from before there was a cert9.db; no current program reads "
               "it"));
    if (s->token.password)
        full.locked = XR_PLACE_BIT(XR_ANCHOR) | XR_PLACE_BIT(XR_PEER) | XR_PLACE_BIT(XR_DISTRUST);
    (void)snprintf(full.verifier, sizeof(full.verifier), "NSS");
    if (fstat(s->dir, &st) == 0)
        (void)snprintf(full.identity, sizeof(full.identity), "%llu:%llu",
                       (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    nss_opinions_serve(full.serves, target->site, path, s->dir);
    memcpy(s->serves, full.serves, sizeof(s->serves));
    nss_running(&full, s->dir, path);
    xr_caps_give(caps, &full);
}

static void session_close(struct xr_session *s)
{
    if (s->probed)
        nss_verify_end();
    nss_token_close(&s->token);
    nss_look_free(&s->look);
    nss_opinions_free(s->opinions);
    if (s->dir >= 0)
        (void)close(s->dir);
    if (s->above >= 0)
        (void)close(s->above);
    free(s->missing);
    nss_returns_free(&s->returns);
    free(s);
}

/* The directory, or if it does not exist what Chromium would make. */
static enum xr_status find(struct xr_session *s, const struct xr_target *target,
                           struct nss_files *files, struct xr_error *err)
{
    enum xr_status status = nss_dir_open(&s->dir, target->site, target->location, err);

    if (status == XR_OK)
        return nss_files_look(files, s->dir, err);
    if (status != XR_ABSENT || !nss_may_be_made(target->site, target->location))
        return status;
    status = nss_dir_above(&s->above, &s->missing, target->site, target->location, err);
    files->writable = status == XR_OK && faccessat(s->above, ".", W_OK | X_OK, AT_EACCESS) == 0;
    return status;
}

/* What there is to say without softoken, if that is known. */
static bool look(struct xr_session *s)
{
    nss_look_free(&s->look);
    return !s->token.old && nss_token_known(&s->libs) && nss_look_open(&s->look, s->host, s->dir);
}

static enum xr_status prepare(struct xr_session *s, const struct xr_target *target,
                              struct nss_files *files, enum xr_mode mode, struct xr_error *err)
{
    enum xr_status status = find(s, target, files, err);

    if (status == XR_OK)
        status = nss_libs_find(&s->libs, target->site, err);
    if (status != XR_OK)
        return status;
    s->write = mode == XR_WRITE && files->writable;
    s->exists = files->cert9;
    s->token.old = !files->cert9 && files->cert8 && nss_token_reads_old(&s->libs);
    if (s->token.old) {
        s->write = false;
        s->exists = true;
        status = nss_cert8_whole(s->dir, err);
    }
    if (s->write && s->dir >= 0)
        status = s->host->lock(s->dir, XR_LOCK_MS, "it", err);
    if (status != XR_OK)
        return status;
    if (s->write && s->dir >= 0)
        nss_make_clear(s->dir);
    if (!s->exists || mode == XR_PROBE)
        return XR_OK;
    if (!s->write && nss_files_hot(s->dir))
        return xr_fail(err, files->writable ? XR_STALE : XR_FAILED,
                       "a program was killed while it wrote here; its unfinished write must be "
                       "rolled back first");
    s->looked = s->looks = look(s);
    return s->looked ? XR_OK : nss_token_of(s, false, err);
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    struct xr_session *s = NULL;
    struct nss_files files = {.cert9 = false};
    char *chromium_home = NULL;
    enum xr_status status = XR_OK;

    if (nss_stuck())
        return xr_fail(err, XR_LOST,
                       "a library of NSS could not be shut down after another database");
    s = xr_new(1, sizeof(*s));
    s->host = host;
    s->token.may_copy = true;
    s->dir = s->above = -1;
    s->peers = nss_peers(target->location);
    chromium_home = nss_chromium_home(target->location);
    s->chromiums = chromium_home != NULL;
    free(chromium_home);
    if (mode == XR_PROBE)
        s->opinions = nss_opinions_new(target->site, target->location);
    status = prepare(s, target, &files, mode, err);
    if (status != XR_OK) {
        session_close(s);
        return status;
    }
    s->forgets = nss_forgets(s->dir, target->location);
    if (mode != XR_PROBE)
        nss_returns_load(&s->returns, target->site, target->location);
    describe(caps, s, &files, target);
    *out = s;
    return XR_OK;
}

static enum xr_status list(struct xr_session *s, xr_entry_fn emit, void *ctx, struct xr_error *err)
{
    struct nss_view view = {.host = s->host};
    enum xr_status status = XR_OK;

    s->looked =
        s->looks && !s->token.open && ((s->looked && nss_look_holds(&s->look, s->dir)) || look(s));
    if (!s->looked)
        status = nss_token_of(s, false, err);
    if (status == XR_OK && s->token.copy != NULL)
        status = nss_copy_read(s->token.copy, err);
    if (status == XR_OK && (s->looked || s->token.open))
        status = nss_view_load(&view, s, NSS_CERTS | NSS_CRLS, NULL, err);
    view.returns = &s->returns;
    if (status == XR_OK && (s->looked || s->token.open))
        status = nss_view_emit(&view, NULL, emit, ctx);
    nss_view_free(&view);
    return status;
}

/* SQLite commits by deleting its journal, but does not sync the directory. After a power cut the
 * journal could be back, and would undo a change that was reported as done. */
static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    if (s->token.copy != NULL) {
        enum xr_status status = nss_copy_save(s->token.copy, err);

        if (status != XR_OK)
            nss_troubles_tell(err, s->dir);
        if (status != XR_OK)
            return status;
    }
    if (s->write && s->exists && fsync(s->dir) != 0)
        return xr_fail_errno(err, "cannot make the database durable");
    s->swapped = false;
    if (s->looks && s->token.open) {
        nss_token_close(&s->token);
        s->looked = look(s);
    }
    return XR_OK;
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    enum xr_status status = XR_OK;

    if (s->token.open || s->opinions == NULL)
        return xr_fail(err, XR_UNSUPPORTED, "the verifier needs a session of its own");
    /* Where there is no directory yet, libnss3 needs one without a database. */
    if (s->dir >= 0 ? fchdir(s->dir) != 0 : chdir("/") != 0)
        return xr_fail_errno(err, "cannot enter the directory");
    if (question->purpose == XR_SERVER)
        nss_opinions_load(s->opinions, s);
    s->probed = true;
    status = nss_verify(out, &s->libs, s->host, question, s->peers, err);
    if (status == XR_OK && question->purpose == XR_SERVER)
        nss_opinions_add(out, s->opinions, s, question);
    if (status == XR_OK && s->forgets != NULL) {
        char *why = out->why[0] != '\0'
                        ? xr_format(N_("%s; %s does not read this database"), out->why, s->forgets)
                        : xr_format(N_("%s does not read this database"), s->forgets);

        (void)snprintf(out->why, sizeof(out->why), "%s", why);
        free(why);
    }
    return status;
}

static enum xr_status unlock(struct xr_session *s, struct xr_bytes password, struct xr_error *err)
{
    enum xr_status status = nss_token_of(s, false, err);

    if (status == XR_OK && s->token.password)
        status = nss_token_unlock(&s->token, password, err);
    return status;
}

/* Loaded, but none of them started: PKCS#11 modules do not survive a fork. */
static void preload(const struct xr_site *site)
{
    static const char *const names[] = {"libsoftokn3.so", "libfreeblpriv3.so", "libnss3.so",
                                        "libnssckbi.so"};
    struct nss_libs libs;

    if (nss_libs_find(&libs, site, NULL) != XR_OK)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)nss_libs_load(&libs, names[i], NULL);
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "nss",
    .flags = XR_BACKEND_PATHS | XR_BACKEND_WORKER | XR_BACKEND_HOMES | XR_BACKEND_PROBE_APART,
    .summary = N_("NSS databases of Firefox, Thunderbird, Chromium"),
    .discover = nss_discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = nss_swap,
    .flush = flush,
    .probe = probe,
    .unlock = unlock,
    .preload = preload,
    .content = nss_content,
};

XR_BACKEND(table);
