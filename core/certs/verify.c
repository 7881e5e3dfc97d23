/* SPDX-License-Identifier: Apache-2.0 */
/* Path validation with what a store gives, and nothing else. */
#include "gather.h"

#include <openssl/asn1err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* Most orders of the same certificates that one question is asked with. */
#define TRIES_MAX 64u
/* Most signatures checked to say why there is no path. */
#define SIGNATURES_MAX 64u

void xr_x509_engine(char out[XR_X509_ENGINE_MAX])
{
    (void)snprintf(out, XR_X509_ENGINE_MAX, "OpenSSL %s X509_verify_cert",
                   OpenSSL_version(OPENSSL_VERSION_STRING));
}

/* The store's CRLs count. Most CAs have none there, which is not a reason to say no. */
static int tolerate(int ok, X509_STORE_CTX *ctx)
{
    int error = X509_STORE_CTX_get_error(ctx);

    if (ok || (error != X509_V_ERR_UNABLE_TO_GET_CRL && error != X509_V_ERR_CRL_HAS_EXPIRED &&
               error != X509_V_ERR_CRL_NOT_YET_VALID))
        return ok;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static const struct {
    uint32_t bit;
    int id, trust;
} purposes[] = {
    {XR_SERVER, X509_PURPOSE_SSL_SERVER, X509_TRUST_SSL_SERVER},
    {XR_CLIENT, X509_PURPOSE_SSL_CLIENT, X509_TRUST_SSL_CLIENT},
    {XR_EMAIL, X509_PURPOSE_SMIME_SIGN, X509_TRUST_EMAIL},
    {XR_CODE, X509_PURPOSE_ANY, X509_TRUST_OBJECT_SIGN},
    {XR_TIME, X509_PURPOSE_TIMESTAMP_SIGN, X509_TRUST_TSA},
};

static int purpose_id(uint32_t bit, int *trust)
{
    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
        if (purposes[i].bit == bit) {
            *trust = purposes[i].trust;
            return purposes[i].id;
        }
    }
    *trust = X509_TRUST_DEFAULT;
    return X509_PURPOSE_ANY;
}

/* OpenSSL 3.0 has no purpose for code signing, and for time stamping it does not check the CAs, so
 * the EKU is checked here. */
static bool allows(X509 *x, uint32_t usage)
{
    return (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) == 0 ||
           (X509_get_extended_key_usage(x) & (usage | XKU_ANYEKU)) != 0;
}

static bool allowed_in_path(X509 *x, uint32_t asked, int purpose, bool as_ca)
{
    if (asked == XR_CODE)
        return allows(x, XKU_CODE_SIGN);
    if (asked == XR_TIME && !allows(x, XKU_TIMESTAMP))
        return false;
    return !as_ca || purpose == X509_PURPOSE_ANY || X509_check_purpose(x, purpose, 1) >= 1;
}

/* Errors that say nothing about the certificate. X509_V_ERR_UNSPECIFIED is that of a path with more
 * comparisons of names with constraints than OpenSSL makes (2^20). */
static bool gave_up(int error)
{
    return error == X509_V_ERR_OUT_OF_MEM || error == X509_V_ERR_UNSPECIFIED;
}

/* What the clients of Debian's OpenSSL, GnuTLS, curl and Python offer without being told to: a server
 * or client with a key of another kind finds no signature algorithm. Paths may have any. */
static const char *key_complaint(X509 *x)
{
    static const char *const groups[] = {"prime256v1", "secp384r1", "secp521r1"};
    EVP_PKEY *key = X509_get0_pubkey(x);
    char name[64] = "";
    size_t len = 0;

    if (key == NULL)
        return NULL;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_DSA)
        return N_("it has a DSA key, which TLS programs do not accept");
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
        return NULL;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (strcmp(name, groups[i]) == 0)
            return NULL;
    }
    return N_("the curve of its key is one that TLS programs do not accept");
}

static void describe(struct xr_verdict *out, X509_STORE_CTX *ctx)
{
    int error = X509_STORE_CTX_get_error(ctx);
    const X509 *x = X509_STORE_CTX_get_current_cert(ctx);
    const char *text = error == X509_V_ERR_UNSPECIFIED
                           ? N_("OpenSSL gave up: too many names or name constraints")
                           : X509_verify_cert_error_string(error);
    char *name = NULL;

    if (x != NULL) {
        unsigned char *der = NULL;
        int len = i2d_X509_NAME(X509_get_subject_name(x), &der);

        if (len > 0)
            name = xr_x509_name_short((struct xr_bytes){der, (size_t)len});
        OPENSSL_free(der);
    }
    if (name != NULL)
        (void)snprintf(out->why, sizeof(out->why), N_("%s, at %s"), text, name);
    else
        (void)snprintf(out->why, sizeof(out->why), "%s", text);
    free(name);
}

static void record_path(struct xr_verdict *out, STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain) && out->path_len < XR_PATH_MAX; i++) {
        if (X509_digest(sk_X509_value(chain, i), xr_crypto_sha256(), out->path[out->path_len],
                        NULL) == 1)
            out->path_len++;
    }
}

/* Is this certificate an anchor that issues nothing for OpenSSL? Without basicConstraints it is no CA
 * there, unless its key usage or its Netscape type says so. */
static bool issues_nothing(X509 *target)
{
    return X509_check_ca(target) == 0 && X509_get_version(target) == X509_VERSION_3 &&
           X509_get_ext_by_NID(target, NID_basic_constraints, -1) < 0 &&
           X509_NAME_cmp(X509_get_subject_name(target), X509_get_issuer_name(target)) == 0;
}

static void run_check(struct xr_verdict *out, struct xr_gather *g, X509_STORE *store, bool partial,
                      bool crls)
{
    const struct xr_probe *probe = g->check->probe;
    X509 *target = sk_X509_value(g->untrusted, 0);
    /* With a host name the target is checked as a server, whatever its certificate says. */
    bool as_ca = X509_check_ca(target) > 0 && probe->host == NULL;
    int trust = X509_TRUST_DEFAULT;
    int purpose = purpose_id(probe->purpose, &trust);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = NULL;
    X509_VERIFY_PARAM *param = NULL;
    const char *complaint = NULL;

    if (ctx == NULL || X509_STORE_CTX_init(ctx, store, target, g->untrusted) != 1)
        goto out;
    X509_STORE_CTX_set0_trusted_stack(ctx, g->anchors);
    if (crls && sk_X509_CRL_num(g->crls) > 0) {
        X509_STORE_CTX_set0_crls(ctx, g->crls);
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
        X509_STORE_CTX_set_verify_cb(ctx, tolerate);
    }
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)probe->at);
    if (partial)
        (void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    if (!as_ca && purpose != X509_PURPOSE_ANY)
        (void)X509_VERIFY_PARAM_set_purpose(param, purpose);
    if (trust != X509_TRUST_DEFAULT)
        (void)X509_VERIFY_PARAM_set_trust(param, trust);
    if ((probe->purpose & (XR_SERVER | XR_CLIENT)) != 0)
        X509_VERIFY_PARAM_set_auth_level(param, XR_TLS_SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (probe->host != NULL && X509_VERIFY_PARAM_set1_ip_asc(param, probe->host) != 1 &&
        X509_VERIFY_PARAM_set1_host(param, probe->host, 0) != 1)
        goto out;

    out->answer = X509_verify_cert(ctx) == 1 ? XR_YES : XR_NO;
    if (out->answer == XR_NO && gave_up(X509_STORE_CTX_get_error(ctx)))
        out->answer = XR_UNKNOWN;
    chain = X509_STORE_CTX_get0_chain(ctx);
    if (out->answer == XR_YES) {
        record_path(out, chain);
        /* If the target is a CA, no purpose was set: checks each certificate as an issuer. */
        for (int i = 0; i < sk_X509_num(chain); i++) {
            X509 *x = sk_X509_value(chain, i);
            if (!allowed_in_path(x, probe->purpose, purpose, as_ca)) {
                out->answer = XR_NO;
                out->path_len = 0;
                (void)snprintf(out->why, sizeof(out->why),
                               N_("certificate %d of the path may not be used for that purpose"),
                               i + 1);
                break;
            }
        }
        complaint = (probe->purpose & (XR_SERVER | XR_CLIENT)) != 0 && !as_ca
                        ? key_complaint(target)
                        : NULL;
        if (complaint == NULL && probe->host == NULL && issues_nothing(target))
            complaint =
                N_("it has no basicConstraints, so OpenSSL takes it for no CA: nothing below "
                   "it validates");
        if (complaint != NULL) {
            out->answer = XR_NO;
            out->path_len = 0;
            (void)snprintf(out->why, sizeof(out->why), "%s", complaint);
        }
    } else {
        describe(out, ctx);
    }
out:
    X509_STORE_CTX_free(ctx);
}

/* ---- which of several intermediates ---- */

static void put_first(struct xr_gather *g, struct xr_choice *c, int which)
{
    (void)sk_X509_insert(g->untrusted, sk_X509_delete(g->untrusted, c->at), c->at + c->first);
    (void)sk_X509_insert(g->untrusted, sk_X509_delete(g->untrusted, c->at + which), c->at);
    c->first = which;
}

/* Counts through all combinations; false after the last, and then all are as arranged. */
static bool next_combination(struct xr_gather *g)
{
    for (size_t i = 0; i < g->choices.count; i++) {
        struct xr_choice *c = &g->choices.items[i];

        if (c->first + 1 < c->count) {
            put_first(g, c, c->first + 1);
            return true;
        }
        put_first(g, c, 0);
    }
    return false;
}

/* libcrypto takes the first issuer that fits and never goes back. Programs can be given the
 * certificates of any path, so one good combination makes a yes; a no has the reason of the first. It
 * is no longer a no if OpenSSL gave up over one of them. */
static void find_path(struct xr_verdict *out, struct xr_gather *g, X509_STORE *store, bool partial,
                      bool crls)
{
    run_check(out, g, store, partial, crls);
    for (unsigned tries = 1; out->answer != XR_YES && tries < TRIES_MAX && next_combination(g);
         tries++) {
        struct xr_verdict other = {.size = sizeof(other)};

        run_check(&other, g, store, partial, crls);
        if (other.answer == XR_UNKNOWN && out->answer == XR_NO) {
            out->answer = XR_UNKNOWN;
            memcpy(out->why, other.why, sizeof(out->why));
        }
        if (other.answer != XR_YES)
            continue;
        out->answer = XR_YES;
        memcpy(out->path, other.path, sizeof(out->path));
        out->path_len = other.path_len;
        out->why[0] = '\0';
    }
    for (size_t i = 0; i < g->choices.count; i++)
        put_first(g, &g->choices.items[i], 0);
}

/* ---- a CA of the right name with another key ---- */

/* Did that key sign it? Where that cannot be told (an algorithm that is not supported), the answer is
 * yes. */
static bool may_have_signed(X509 *issuer, X509 *x)
{
    int result = 0;
    unsigned long error = 0;

    ERR_clear_error();
    result = X509_verify(x, X509_get0_pubkey(issuer));
    error = ERR_peek_last_error();
    return result == 1 || (result < 0 && !(ERR_GET_LIB(error) == ERR_LIB_ASN1 &&
                                           ERR_GET_REASON(error) == ASN1_R_WRONG_PUBLIC_KEY_TYPE));
}

/* budget: of signatures to be checked, which a hostile chain may make slow. */
static X509 *signer(STACK_OF(X509) * among, X509 *x, X509 **namesake, unsigned *budget)
{
    for (int i = 0; i < sk_X509_num(among) && *budget > 0; i++) {
        X509 *other = sk_X509_value(among, i);

        if (X509_cmp(other, x) == 0 ||
            X509_NAME_cmp(X509_get_subject_name(other), X509_get_issuer_name(x)) != 0)
            continue;
        (*budget)--;
        if (may_have_signed(other, x))
            return other;
        *namesake = other;
    }
    return NULL;
}

/* Goes up from the target by signatures, to where no key fits but an anchor has the name. */
static const X509 *namesake_of(const struct xr_gather *g)
{
    X509 *at = sk_X509_value(g->untrusted, 0), *namesake = NULL, *unused = NULL;
    unsigned budget = SIGNATURES_MAX;

    while (at != NULL && budget > 0) {
        X509 *next = NULL;

        namesake = NULL;
        if (xr_gather_held(g->anchors, at) || signer(g->anchors, at, &namesake, &budget) != NULL)
            return NULL;
        next = signer(g->untrusted, at, &unused, &budget);
        if (next == NULL)
            return budget > 0 ? namesake : NULL;
        at = next;
    }
    return NULL;
}

static void add_namesake(struct xr_verdict *out, const struct xr_gather *g)
{
    const X509 *namesake = out->answer == XR_NO ? namesake_of(g) : NULL;
    unsigned char *der = NULL, sum[XR_SHA256_LEN];
    char hex[2 * XR_SHA256_LEN + 1], text[160];
    int len = namesake != NULL ? i2d_X509(namesake, &der) : 0;
    size_t keep = 0;

    ERR_clear_error();
    if (len <= 0)
        return;
    xr_x509_sha256(sum, (struct xr_bytes){der, (size_t)len});
    OPENSSL_free(der);
    xr_hex(hex, sum, sizeof(sum));
    (void)snprintf(text, sizeof(text),
                   N_("the store has a CA of that name with another key (SHA-256 %s)"), hex);
    /* A long name in what is said already gives way. */
    keep = sizeof(out->why) - 1 - strlen("; ") - strlen(text);
    if (strlen(out->why) < keep)
        keep = strlen(out->why);
    while (keep > 0 && ((unsigned char)out->why[keep] & 0xc0) == 0x80)
        keep--;
    (void)snprintf(out->why + keep, sizeof(out->why) - keep, "; %s", text);
}

/* ---- answers ---- */

static void add_opinion(struct xr_verdict *out, const struct xr_verdict *second, const char *by)
{
    struct xr_opinion *opinion = &out->also[out->also_count++];

    *opinion = (struct xr_opinion){.size = sizeof(*opinion), .answer = second->answer};
    (void)snprintf(opinion->by, sizeof(opinion->by), "%s", by);
    (void)snprintf(opinion->why, sizeof(opinion->why), "%s", second->why);
}

static void answer(struct xr_verdict *out, struct xr_gather *g, X509_STORE *store)
{
    const struct xr_path_check *check = g->check;
    bool aside = XR_HAS(check, crls_aside) && check->crls_aside;
    bool partial = check->partial;
    struct xr_verdict second = {.size = sizeof(second)};

    find_path(out, g, store, partial, !aside);
    add_namesake(out, g);
    if (XR_HAS(check, also_partial) && check->also_partial) {
        find_path(&second, g, store, true, !aside);
        add_opinion(out, &second, N_("OpenSSL with partial chains"));
        partial = partial || out->answer != XR_YES;
    }
    if (aside && sk_X509_CRL_num(g->crls) > 0 &&
        (out->answer == XR_YES || second.answer == XR_YES)) {
        second = (struct xr_verdict){.size = sizeof(second)};
        find_path(&second, g, store, partial, true);
        add_opinion(out, &second,
                    N_("with the CRLs of this store, which programs use only if told to"));
    }
}

enum xr_status xr_x509_path_check(struct xr_verdict *out, const struct xr_path_check *check,
                                  struct xr_error *err)
{
    struct xr_gather g;
    enum xr_status status = XR_OK;
    X509_STORE *store = NULL;

    xr_crypto_ready();
    *out = (struct xr_verdict){.size = sizeof(*out)};
    xr_x509_engine(out->by);
    if (check->probe->count == 0)
        return xr_fail(err, XR_INVALID, "no certificate to verify");
    xr_gather_init(&g, check);
    /* A store of our own, never with X509_STORE_set_default_paths, so that certificates of the
     * system do not count. */
    store = X509_STORE_new();
    if (store == NULL)
        abort();
    for (size_t i = 0; i < check->probe->count; i++) {
        if (!xr_gather_sent(&g, check->probe->chain[i]) && g.sent.count == 0) {
            status = xr_fail(err, XR_INVALID, "OpenSSL cannot parse the certificate to verify");
            goto out;
        }
    }
    status = xr_gather_all(&g);
    if (status == XR_OK) {
        xr_gather_arrange(&g);
        answer(out, &g, store);
    }
out:
    ERR_clear_error();
    xr_gather_free(&g);
    X509_STORE_free(store);
    return status;
}
