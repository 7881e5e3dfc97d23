/* SPDX-License-Identifier: Apache-2.0 */
#include "libnss3.h"
#include "nss.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define DER_MAX     (1u << 20)
#define SECONDS_MAX (INT64_MAX / (int64_t)PR_USEC_PER_SEC)

enum { OTHER_WAYS = 64, OTHER_DEPTH = 8 };

static const struct p11_symbol symbols[] = {NSS_FUNCTIONS(P11_SYMBOL)};

static struct {
    struct functions nss;
    bool ready;
    bool foreign; /* it has seen a certificate that the database does not hold */
    bool pkix;    /* libpkix is available: it tries every path */
    SECMODModule *roots;
    PK11SlotInfo *alone; /* cert9.db without a key4.db */
    CERTCertDBHandle *db;
} state;
#define NSS state.nss

static const struct usage {
    uint32_t purpose;
    SECCertUsage usage;
    size_t flags_at; /* in CERTCertTrust: offset of the trust of an anchor… */
    unsigned anchor; /* …and its value */
} usages[] = {
    {XR_SERVER, certUsageSSLServer, offsetof(CERTCertTrust, sslFlags), CERTDB_TRUSTED_CA},
    {XR_CLIENT, certUsageSSLClient, offsetof(CERTCertTrust, sslFlags), CERTDB_TRUSTED_CLIENT_CA},
    {XR_EMAIL, certUsageEmailSigner, offsetof(CERTCertTrust, emailFlags), CERTDB_TRUSTED_CA},
    {XR_CODE, certUsageObjectSigner, offsetof(CERTCertTrust, objectSigningFlags),
     CERTDB_TRUSTED_CA},
};

/* One question, in NSS's types. */
struct question {
    CERTCertificate *cert;
    const struct usage *usage;
    PRTime at;
    bool ca;
};

/* ---- starting ---- */

static enum xr_status resolve(const struct nss_libs *libs, struct xr_error *err)
{
    void *handle = nss_libs_load(libs, "libnss3.so", err);
    const char *missing = NULL;

    if (handle == NULL)
        return XR_FAILED;
    missing = P11_RESOLVE(&state.nss, handle, symbols);
    return missing == NULL ? XR_OK : xr_fail(err, XR_FAILED, "libnss3.so has no %s", missing);
}

/* As in browsers, the trust of the database takes precedence (a lower order wins). */
static void load_roots(void)
{
    char path[PATH_MAX];
    struct xr_buf spec = {0};
    const void *self = NULL;

    memcpy(&self, &state.nss.NSS_GetVersion, sizeof(self));
    if (!nss_libs_beside(path, sizeof(path), self, "libnssckbi.so"))
        return;
    xr_buf_str(&spec, "name=\"Roots\" library=\"");
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            xr_buf_str(&spec, "\\");
        xr_buf_add(&spec, c, 1);
    }
    xr_buf_str(&spec, "\" NSS=\"trustOrder=100\"");
    state.roots = NSS.SECMOD_LoadUserModule(spec.data, NULL, PR_FALSE);
    xr_buf_free(&spec);
    if (state.roots != NULL && !state.roots->loaded) {
        NSS.SECMOD_DestroyModule(state.roots);
        state.roots = NULL;
    }
}

static enum xr_status cannot_open(struct xr_error *err)
{
    PRErrorCode code = NSS.PR_GetError();
    char number[32];

    return xr_error_set(err, XR_FAILED, "nss", code, "libnss3 cannot open the database: %s",
                        nss_error_name(number, &NSS, code));
}

static enum xr_status start(const struct nss_libs *libs, struct xr_error *err)
{
    enum xr_status status = resolve(libs, err);
    /* No module database: pkcs11.txt is the user's and may name any library. */
    PRUint32 flags = NSS_INIT_READONLY | NSS_INIT_NOMODDB | NSS_INIT_NOROOTINIT;
    bool held = access("cert9.db", F_OK) == 0;
    bool alone = held && nss_files_keyless(AT_FDCWD);

    if (status != XR_OK)
        return status;
    if (!held || alone)
        flags |= NSS_INIT_NOCERTDB; /* a new profile: the built-in roots alone */
    if (NSS.NSS_Initialize("sql:.", "", "", "", flags) != SECSuccess)
        return cannot_open(err);
    if (alone) { /* NSS_Initialize opens both files or none */
        state.alone = NSS.SECMOD_OpenUserDB("configdir='sql:.' flags=readOnly,noKeyDB");
        if (state.alone == NULL) {
            status = cannot_open(err);
            if (NSS.NSS_Shutdown() != SECSuccess)
                nss_stuck_set();
            return status;
        }
    }
    load_roots();
    state.pkix = NSS.CERT_SetUsePKIXForValidation(PR_TRUE) == SECSuccess;
    state.db = NSS.CERT_GetDefaultCertDB();
    state.ready = true;
    return XR_OK;
}

long nss_verify_version(void)
{
    char *rest = NULL;
    long major = state.ready ? strtol(NSS.NSS_GetVersion(), &rest, 10) : 0;

    return rest != NULL && *rest == '.' ? major * 1000 + strtol(rest + 1, NULL, 10) : 0;
}

void nss_verify_end(void)
{
    if (!state.ready)
        return;
    if (state.roots != NULL) {
        (void)NSS.SECMOD_UnloadUserModule(state.roots);
        NSS.SECMOD_DestroyModule(state.roots);
    }
    if (state.alone != NULL) {
        (void)NSS.SECMOD_CloseUserDB(state.alone);
        NSS.PK11_FreeSlot(state.alone);
    }
    if (NSS.NSS_Shutdown() != SECSuccess)
        nss_stuck_set();
    memset(&state, 0, sizeof(state));
}

/* ---- certificates ---- */

static CERTCertificate *import(struct xr_bytes der)
{
    SECItem item = {.type = siDERCertBuffer, .data = NULL, .len = 0};
    CERTCertificate *cert = NULL;

    if (der.len == 0 || der.len > DER_MAX) {
        NSS.PR_SetError(SEC_ERROR_BAD_DER, 0);
        return NULL;
    }
    item.data = xr_memdup(der.data, der.len); /* NSS takes it without const */
    item.len = (unsigned)der.len;
    cert = NSS.CERT_NewTempCertificate(state.db, &item, NULL, PR_FALSE, PR_TRUE);
    free(item.data);
    return cert;
}

static bool same_der(const CERTCertificate *a, const CERTCertificate *b)
{
    return xr_bytes_equal((struct xr_bytes){a->derCert.data, a->derCert.len},
                          (struct xr_bytes){b->derCert.data, b->derCert.len});
}

/* From the certificate's own extensions, because CERT_IsCACert would use the trust. */
static bool is_ca(CERTCertificate *cert)
{
    SECItem value = {.type = siBuffer, .data = NULL, .len = 0};
    CERTBasicConstraints basic = {0};
    bool ca = false;

    if (NSS.CERT_FindCertExtension(cert, SEC_OID_X509_BASIC_CONSTRAINTS, &value) != SECSuccess)
        return NSS.CERT_IsCACert(cert, NULL) != PR_FALSE;
    ca = NSS.CERT_DecodeBasicConstraintValue(&basic, &value) == SECSuccess && basic.isCA;
    NSS.SECITEM_FreeItem(&value, PR_FALSE);
    return ca;
}

static unsigned trust_of(const CERTCertificate *cert, const struct usage *usage)
{
    CERTCertTrust trust;
    unsigned flags = 0;

    if (NSS.CERT_GetCertTrust(cert, &trust) == SECSuccess)
        memcpy(&flags, (const char *)&trust + usage->flags_at, sizeof(flags));
    return flags;
}

static bool is_distrusted(const CERTCertificate *cert, const struct usage *usage)
{
    unsigned flags = trust_of(cert, usage);

    return (flags & CERTDB_TERMINAL_RECORD) != 0 &&
           (flags & (CERTDB_TRUSTED | CERTDB_TRUSTED_CA)) == 0;
}

static void path_add(struct xr_verdict *out, const struct xr_host *host,
                     const CERTCertificate *cert)
{
    if (out->path_len < XR_PATH_MAX)
        host->sha256(out->path[out->path_len++],
                     (struct xr_bytes){cert->derCert.data, cert->derCert.len});
}

/* ---- libpkix, which tries every path; a browser's own libraries are built without it ---- */

/* CRLs of the database count, nothing is fetched. */
static CERTRevocationFlags local_crls(PRUint64 methods[2])
{
    CERTRevocationFlags flags;

    methods[cert_revocation_method_crl] =
        CERT_REV_M_TEST_USING_THIS_METHOD | CERT_REV_M_FORBID_NETWORK_FETCHING |
        CERT_REV_M_IGNORE_IMPLICIT_DEFAULT_SOURCE | CERT_REV_M_CONTINUE_TESTING_ON_FRESH_INFO;
    methods[cert_revocation_method_ocsp] =
        CERT_REV_M_DO_NOT_TEST_USING_THIS_METHOD | CERT_REV_M_FORBID_NETWORK_FETCHING;
    memset(&flags, 0, sizeof(flags));
    flags.leafTests.number_of_defined_methods = 2;
    flags.leafTests.cert_rev_flags_per_method = methods;
    flags.leafTests.cert_rev_method_independent_flags =
        CERT_REV_MI_TEST_ALL_LOCAL_INFORMATION_FIRST | CERT_REV_MI_NO_OVERALL_INFO_REQUIREMENT;
    flags.chainTests = flags.leafTests;
    return flags;
}

static void pkix_path(struct xr_verdict *out, const struct xr_host *host, CERTCertList *list,
                      const CERTCertificate *anchor)
{
    const CERTCertificate *last = NULL;

    if (list != NULL) {
        for (CERTCertListNode *node = CERT_LIST_HEAD(list); !CERT_LIST_END(node, list);
             node = CERT_LIST_NEXT(node)) {
            path_add(out, host, node->cert);
            last = node->cert;
        }
    }
    if (anchor != NULL && (last == NULL || !same_der(last, anchor)))
        path_add(out, host, anchor);
}

/* 0 for a yes, else NSS's error. */
static PRErrorCode pkix(struct xr_verdict *out, const struct xr_host *host,
                        const struct question *q)
{
    PRUint64 methods[2];
    CERTRevocationFlags crls = local_crls(methods);
    CERTValInParam in[3];
    CERTValOutParam results[3];
    SECCertUsage usage = q->ca ? certUsageSSLCA : q->usage->usage;

    memset(in, 0, sizeof(in));
    memset(results, 0, sizeof(results));
    in[0].type = cert_pi_date;
    in[0].value.scalar.time = q->at;
    in[1].type = cert_pi_revocationFlags;
    in[1].value.pointer.revocation = &crls;
    in[2].type = cert_pi_end;
    results[0].type = cert_po_trustAnchor;
    results[1].type = cert_po_certList;
    results[2].type = cert_po_end;
    if (NSS.CERT_PKIXVerifyCert(q->cert, (SECCertificateUsage)1 << usage, in, results, NULL) !=
        SECSuccess)
        return NSS.PR_GetError();
    pkix_path(out, host, results[1].value.pointer.chain, results[0].value.pointer.cert);
    if (results[0].value.pointer.cert != NULL)
        NSS.CERT_DestroyCertificate(results[0].value.pointer.cert);
    if (results[1].value.pointer.chain != NULL)
        NSS.CERT_DestroyCertList(results[1].value.pointer.chain);
    return 0;
}

/* ---- the classic verifier, which chooses one issuer at each step and never turns back ---- */

/* Never with a log: with one it goes on after a bad signature and says yes in the end. And never
 * certificateUsageVerifyCA or AnyCA: CERT_VerifyCertificate checks nothing for them. */
static PRErrorCode classic(const struct question *q)
{
    SECStatus status = SECFailure;

    NSS.PR_SetError(0, 0);
    if (!q->ca)
        status = NSS.CERT_VerifyCertificate(state.db, q->cert, PR_TRUE,
                                            (SECCertificateUsage)1 << q->usage->usage, q->at, NULL,
                                            NULL, NULL);
    else if (NSS.CERT_CheckCertValidTimes(q->cert, q->at, PR_FALSE) == secCertTimeValid)
        status = NSS.CERT_VerifyCACertForUsage(state.db, q->cert, PR_TRUE, q->usage->usage, q->at,
                                               NULL, NULL);
    if (status == SECSuccess)
        return 0;
    return NSS.PR_GetError() != 0 ? NSS.PR_GetError() : SEC_ERROR_CERT_NOT_VALID;
}

/* The path of a yes; empty if it is not known. */
static void classic_path(struct xr_verdict *out, const struct xr_host *host,
                         const struct question *q)
{
    CERTCertList *list = NSS.CERT_GetCertChainFromCert(q->cert, q->at, q->usage->usage);
    bool ended = false;

    if (list == NULL)
        return;
    for (CERTCertListNode *node = CERT_LIST_HEAD(list); !ended && !CERT_LIST_END(node, list);
         node = CERT_LIST_NEXT(node)) {
        bool leaf = !q->ca && node == CERT_LIST_HEAD(list);
        path_add(out, host, node->cert);
        ended = (trust_of(node->cert, q->usage) & (leaf ? CERTDB_TRUSTED : q->usage->anchor)) != 0;
    }
    NSS.CERT_DestroyCertList(list);
    if (!ended)
        out->path_len = 0;
}

/* Is there another path to an anchor than the one it chose? That is enough to doubt a no, but not
 * for a yes: names and path lengths are checked only from the last step on. */
static bool other_way(CERTCertificate *cert, const struct question *q, unsigned depth,
                      unsigned *budget)
{
    CERTCertList *issuers =
        NSS.CERT_CreateSubjectCertList(NULL, state.db, &cert->derIssuer, q->at, PR_FALSE);
    bool found = false;

    if (issuers == NULL)
        return false;
    for (CERTCertListNode *node = CERT_LIST_HEAD(issuers);
         !found && *budget > 0 && !CERT_LIST_END(node, issuers); node = CERT_LIST_NEXT(node)) {
        struct question next = {node->cert, q->usage, q->at, true};

        (*budget)--;
        if (same_der(cert, node->cert) ||
            NSS.CERT_VerifySignedData(&cert->signatureWrap, node->cert, q->at, NULL) != SECSuccess)
            continue;
        found = classic(&next) == 0 || (depth > 0 && !is_distrusted(node->cert, q->usage) &&
                                        other_way(node->cert, q, depth - 1, budget));
    }
    NSS.CERT_DestroyCertList(issuers);
    return found;
}

/* Errors that another issuer with the same name might not have. */
static bool is_way(PRErrorCode code)
{
    return code == SEC_ERROR_UNKNOWN_ISSUER || code == SEC_ERROR_UNTRUSTED_ISSUER ||
           code == SEC_ERROR_EXPIRED_ISSUER_CERTIFICATE || code == SEC_ERROR_BAD_SIGNATURE;
}

/* ---- the verdict ---- */

XR_PRINTF(2, 3) static void add_note(struct xr_buf *why, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    xr_buf_fmt(why, "%s%s", why->len > 0 ? "; " : "", text);
}

/* The error that decoding left means nothing. */
static void say_unreadable(struct xr_buf *why, PRErrorCode code, const struct xr_host *host,
                           struct xr_bytes der)
{
    unsigned char sha256[XR_SHA256_LEN];
    char hex[2 * XR_SHA256_LEN + 1];

    if (code != SEC_ERROR_REUSED_ISSUER_AND_SERIAL) {
        xr_buf_str(why, N_("libnss3 cannot read the certificate"));
        return;
    }
    nss_say_error(why, &NSS, code);
    if (!nss_same_serial(sha256, &state.nss, host, der))
        return;
    xr_hex(hex, sha256, XR_SHA256_LEN);
    xr_buf_fmt(why, ": SHA-256 %s", hex);
}

/* For every path that ends badly libpkix says that no issuer was found. The classic verifier says what
 * is wrong with the path that it chooses. */
static PRErrorCode reason(const struct question *q, PRErrorCode code)
{
    static const PRErrorCode clear[] = {
        SEC_ERROR_CERT_NOT_IN_NAME_SPACE,
        SEC_ERROR_PATH_LEN_CONSTRAINT_INVALID,
        SEC_ERROR_CA_CERT_INVALID,
        SEC_ERROR_INADEQUATE_KEY_USAGE,
        SEC_ERROR_INADEQUATE_CERT_TYPE,
        SEC_ERROR_EXPIRED_CERTIFICATE,
        SEC_ERROR_EXPIRED_ISSUER_CERTIFICATE,
        SEC_ERROR_REVOKED_CERTIFICATE,
        SEC_ERROR_UNKNOWN_CRITICAL_EXTENSION,
    };
    PRErrorCode other = 0;

    if (!state.pkix || code != SEC_ERROR_UNKNOWN_ISSUER ||
        NSS.CERT_SetUsePKIXForValidation(PR_FALSE) != SECSuccess)
        return code;
    other = classic(q);
    (void)NSS.CERT_SetUsePKIXForValidation(PR_TRUE);
    for (size_t i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
        code = other == clear[i] ? other : code;
    return code;
}

static void say_no(struct xr_buf *why, const struct xr_host *host, const struct question *q,
                   PRErrorCode code)
{
    /* What NSS says of a signature for another kind of key than the one it tries. */
    bool kind = code == SEC_ERROR_CERT_SIGNATURE_ALGORITHM_DISABLED;
    unsigned char sha256[XR_SHA256_LEN];
    char hex[2 * XR_SHA256_LEN + 1];
    bool namesake = (kind || is_way(code)) && nss_namesake(sha256, &NSS, host, q->cert);

    nss_say_error(why, &NSS, kind && namesake ? SEC_ERROR_UNKNOWN_ISSUER : code);
    if (!namesake)
        return;
    xr_hex(hex, sha256, sizeof(sha256));
    add_note(why, N_("the store has a CA of that name with another key (SHA-256 %s)"), hex);
}

static void decide(struct xr_verdict *out, struct xr_buf *why, const struct xr_host *host,
                   const struct question *q, const char *name)
{
    /* CERT_PKIXVerifyCert has a usage for issuers of server certificates only, and does not see that
     * such a one is an anchor itself. The other calls go through libpkix too, but do not say which
     * path it found. */
    bool direct = state.pkix && (!q->ca || (q->usage->usage == certUsageSSLServer &&
                                            (trust_of(q->cert, q->usage) & q->usage->anchor) == 0));
    PRErrorCode code = direct ? pkix(out, host, q) : classic(q);
    unsigned budget = OTHER_WAYS;

    if (code == 0 && !direct)
        classic_path(out, host, q);
    if (code == 0 && name != NULL && NSS.CERT_VerifyCertName(q->cert, name) != SECSuccess)
        code = NSS.PR_GetError();
    out->answer = code == 0 ? XR_YES : XR_NO;
    if (code == 0)
        return;
    out->path_len = 0;
    code = reason(q, code);
    say_no(why, host, q, code);
    if (code == SEC_ERROR_NO_MEMORY || code == PR_OUT_OF_MEMORY_ERROR) {
        out->answer = XR_UNKNOWN; /* that says nothing about the certificate */
        return;
    }
    if (!state.pkix && is_way(code) && other_way(q->cert, q, OTHER_DEPTH, &budget)) {
        out->answer = XR_UNKNOWN;
        add_note(why, N_("libnss3 tries only one path, and there is another one"));
    }
}

/* Without the password, NSS accepts trust with a broken or missing seal (a MAC). */
static bool has_password(void)
{
    PK11SlotInfo *slot = NSS.PK11_GetInternalKeySlot();
    bool has = slot != NULL && NSS.PK11_NeedLogin(slot) && !NSS.PK11_NeedUserInit(slot);

    if (slot != NULL)
        NSS.PK11_FreeSlot(slot);
    return has;
}

/* Adds the limits of the answer. */
static void say_limits(struct xr_buf *why, size_t left_out)
{
    if (left_out > 0)
        add_note(why, N_("%zu of the certificates given could not be used"), left_out);
    if (state.roots == NULL)
        add_note(why, N_("the browser's built-in roots were not asked"));
    if (has_password())
        add_note(why, N_("seals of trust were not checked: libnss3 is asked without the password"));
}

static const struct usage *usage_of(uint32_t purpose)
{
    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        if (usages[i].purpose == purpose)
            return &usages[i];
    }
    return NULL;
}

static void ask(struct xr_verdict *out, struct xr_buf *why, const struct xr_host *host,
                const struct xr_probe *probe, const struct usage *usage, const char *peers)
{
    CERTCertificate **certs = xr_new(probe->count, sizeof(CERTCertificate *));
    size_t left_out = 0;

    for (size_t i = 0; i < probe->count; i++) {
        certs[i] = import(probe->chain[i]);
        if (certs[i] == NULL && i == 0)
            say_unreadable(why, NSS.PR_GetError(), host, probe->chain[0]);
        left_out += certs[i] == NULL;
        state.foreign = state.foreign || certs[i] == NULL || !certs[i]->isperm;
    }
    if (certs[0] != NULL) {
        struct question q = {.cert = certs[0], .usage = usage};
        /* 0 would mean now to libpkix, and "do not look" elsewhere. */
        q.at = probe->at != 0 ? probe->at * PR_USEC_PER_SEC : 1;
        /* Whoever names a host asks about a server, whatever its certificate says of itself. */
        q.ca = is_ca(certs[0]) && probe->host == NULL;
        decide(out, why, host, &q, probe->host);
        if (out->answer == XR_YES && peers != NULL && !q.ca &&
            (trust_of(q.cert, usage) & CERTDB_TRUSTED) != 0)
            xr_buf_str(why, peers);
        say_limits(why, left_out);
    }
    for (size_t i = 0; i < probe->count; i++) {
        if (certs[i] != NULL)
            NSS.CERT_DestroyCertificate(certs[i]);
    }
    free(certs);
}

enum xr_status nss_verify(struct xr_verdict *out, const struct nss_libs *libs,
                          const struct xr_host *host, const struct xr_probe *probe,
                          const char *peers, struct xr_error *err)
{
    const struct usage *usage = usage_of(probe->purpose);
    struct xr_buf why = {0};
    enum xr_status status = XR_OK;

    memset(out, 0, sizeof(*out));
    out->size = sizeof(*out);
    if (probe->count == 0)
        return xr_fail(err, XR_INVALID, "no certificate to verify");
    /* libpkix caches certificates: those that the database does not have would affect the next
     * question. */
    if (state.foreign)
        nss_verify_end();
    status = state.ready ? XR_OK : start(libs, err);
    if (status != XR_OK)
        return status;
    (void)snprintf(out->by, sizeof(out->by), "libnss3 %s", NSS.NSS_GetVersion());
    if (usage == NULL)
        xr_buf_str(&why, N_("NSS has no trust for this purpose"));
    else if (probe->at > SECONDS_MAX || probe->at < -SECONDS_MAX)
        xr_buf_str(&why, N_("NSS cannot express this time"));
    else
        ask(out, &why, host, probe, usage, peers);
    (void)snprintf(out->why, sizeof(out->why), "%s", why.data != NULL ? why.data : "");
    xr_buf_free(&why);
    return XR_OK;
}
