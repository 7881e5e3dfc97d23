/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read are the logical stores, in which Windows gathers what the registry, group policy and others
 * have; written is the registry's part alone (CERT_STORE_PROV_SYSTEM_REGISTRY), for writing through a
 * logical store fails where group policy has the same certificate, and a deletion there may be lost.
 * A certificate is its bytes: CryptoAPI's own ideas of "the same" (issuer and serial number, or the
 * subject) are not used.
 */
#include "live.h"

#include <sddl.h>
#include <stdlib.h>

#define LOCK_MS 60000u
#define MACHINE "LocalMachine"
#define USER    "CurrentUser"
#define KEY     L"Software\\Microsoft\\SystemCertificates\\%ls\\%ls\\%ls"

struct live {
    struct win_medium medium; /* first */
    DWORD location;           /* CERT_SYSTEM_STORE_… */
    HCERTSTORE *written;      /* registry stores open for writing, one for each of win_stores */
};

struct xr_session {
    const struct xr_host *host;
    struct live live;
    struct win_view view;
    bool machine, write;
    HANDLE lock;
};

/* ---- errors ---- */

enum xr_status win_fail(struct xr_error *err, DWORD code, const char *what)
{
    switch (code) {
    case ERROR_ACCESS_DENIED:
    case (DWORD)E_ACCESSDENIED:
        return xr_error_set(err, XR_DENIED, "windows", (long)code, "%s: access denied", what);
    case ERROR_CANCELLED:
        return xr_error_set(err, XR_REFUSED, "windows", (long)code,
                            "%s: somebody answered No in the dialog that Windows shows", what);
    default:
        return xr_error_set(err, XR_FAILED, "windows", (long)code, "%s: Windows' error 0x%08lx",
                            what, (unsigned long)code);
    }
}

/* ---- reading ---- */

static void wide_name(wchar_t out[32], const char *name)
{
    size_t i = 0;

    for (; i < 31 && name[i] != '\0'; i++)
        out[i] = (wchar_t)name[i];
    out[i] = L'\0';
}

/* Includes archived certificates, which count. */
static HCERTSTORE open_store(LPCSTR provider, DWORD flags, size_t store)
{
    wchar_t name[32];

    wide_name(name, win_stores[store].name);
    return CertOpenStore(provider, 0, 0, flags | CERT_STORE_ENUM_ARCHIVED_FLAG, name);
}

struct listing {
    win_element_fn emit;
    void *ctx;
    struct xr_idmap seen[XR_PLACE_COUNT];
    const struct xr_host *host;
};

/* Elements of the registry, group policy or the enterprise are not reported again from the logical
 * store. */
static void take(struct listing *l, size_t store, enum win_origin origin, struct xr_bytes der,
                 struct xr_bytes blob)
{
    struct xr_idmap *seen = &l->seen[win_stores[store].place];
    unsigned char sum[XR_SHA256_LEN];
    bool added = false;

    l->host->sha256(sum, der);
    (void)xr_idmap_put(seen, sum, 0, &added);
    if (added || origin != WIN_BESIDE)
        l->emit(l->ctx, store, origin, blob);
}

typedef BOOL(WINAPI *serialize_fn)(const void *context, DWORD flags, BYTE *out, DWORD *len);

static BOOL WINAPI serialize_cert(const void *context, DWORD flags, BYTE *out, DWORD *len)
{
    return CertSerializeCertificateStoreElement(context, flags, out, len);
}

static BOOL WINAPI serialize_crl(const void *context, DWORD flags, BYTE *out, DWORD *len)
{
    return CertSerializeCRLStoreElement(context, flags, out, len);
}

static void take_context(struct listing *l, size_t store, enum win_origin origin,
                         const void *context, serialize_fn serialize, struct xr_bytes der)
{
    DWORD len = 0;

    if (serialize(context, 0, NULL, &len) && len > 0) {
        BYTE *blob = xr_new(len, 1);

        if (serialize(context, 0, blob, &len))
            take(l, store, origin, der, (struct xr_bytes){blob, len});
        free(blob);
    }
}

static enum xr_status list_one(struct listing *l, LPCSTR provider, DWORD location, size_t store,
                               enum win_origin origin, struct xr_error *err)
{
    HCERTSTORE opened = open_store(
        provider, location | CERT_STORE_READONLY_FLAG | CERT_STORE_OPEN_EXISTING_FLAG, store);
    PCCERT_CONTEXT cert = NULL;
    PCCRL_CONTEXT crl = NULL;
    DWORD code = GetLastError();

    if (opened == NULL) /* the store does not exist yet */
        return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND
                   ? XR_OK
                   : win_fail(err, code, win_stores[store].name);
    while ((cert = CertEnumCertificatesInStore(opened, cert)) != NULL)
        take_context(l, store, origin, cert, serialize_cert,
                     (struct xr_bytes){cert->pbCertEncoded, cert->cbCertEncoded});
    while ((crl = CertEnumCRLsInStore(opened, crl)) != NULL)
        take_context(l, store, origin, crl, serialize_crl,
                     (struct xr_bytes){crl->pbCrlEncoded, crl->cbCrlEncoded});
    (void)CertCloseStore(opened, 0);
    return XR_OK;
}

static enum xr_status list_all(struct win_medium *medium, win_element_fn emit, void *ctx,
                               struct xr_error *err)
{
    const struct live *live = (struct live *)medium;
    const bool machine = live->location == CERT_SYSTEM_STORE_LOCAL_MACHINE;
    const struct win_view *view = ctx;
    struct listing l = {.emit = emit, .ctx = ctx, .host = view->host};
    const DWORD origins[WIN_BESIDE] = {
        [WIN_LOCAL] = live->location,
        [WIN_POLICY] = machine ? CERT_SYSTEM_STORE_LOCAL_MACHINE_GROUP_POLICY
                               : CERT_SYSTEM_STORE_CURRENT_USER_GROUP_POLICY,
        [WIN_ENTERPRISE] = machine ? CERT_SYSTEM_STORE_LOCAL_MACHINE_ENTERPRISE : 0,
    };
    enum xr_status status = XR_OK;

    for (size_t store = 0; status == XR_OK && store < win_store_count; store++) {
        for (unsigned origin = 0; status == XR_OK && origin < WIN_BESIDE; origin++) {
            if (origins[origin] == 0)
                continue;
            status = list_one(&l, CERT_STORE_PROV_SYSTEM_REGISTRY_W, origins[origin], store,
                              (enum win_origin)origin, err);
            /* The stores of group policy and the enterprise may be inaccessible; what counts of
             * them is in the logical store too. */
            if (origin != WIN_LOCAL)
                status = XR_OK;
        }
    }
    for (size_t store = 0; status == XR_OK && store < win_store_count; store++) {
        status = list_one(&l, CERT_STORE_PROV_SYSTEM_W, live->location, store, WIN_BESIDE, err);
        /* A user has the machine's elements even without any of their own. */
        if (status == XR_OK && !machine)
            status = list_one(&l, CERT_STORE_PROV_SYSTEM_W, CERT_SYSTEM_STORE_LOCAL_MACHINE, store,
                              WIN_BESIDE, err);
    }
    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        xr_idmap_free(&l.seen[place]);
    return status;
}

/* ---- writing ---- */

static enum xr_status writable(HCERTSTORE *out, struct live *live, size_t store,
                               struct xr_error *err)
{
    if (live->written[store] == NULL)
        live->written[store] = open_store(CERT_STORE_PROV_SYSTEM_REGISTRY_W, live->location, store);
    *out = live->written[store];
    return *out != NULL ? XR_OK : win_fail(err, GetLastError(), win_stores[store].name);
}

static void close_written(struct live *live)
{
    for (size_t store = 0; store < win_store_count; store++) {
        if (live->written[store] != NULL)
            (void)CertCloseStore(live->written[store], 0);
        live->written[store] = NULL;
    }
}

/* Windows writes at once, Wine only when it is told to. A failure is ignored: the store is read
 * again afterwards. */
static void commit(HCERTSTORE store)
{
    (void)CertControlStore(store, CERT_STORE_CTRL_COMMIT_FORCE_FLAG, CERT_STORE_CTRL_COMMIT, NULL);
}

static bool has_sha1(const BYTE *hash, DWORD len, const unsigned char sha1[20])
{
    return len == 20 && memcmp(hash, sha1, 20) == 0;
}

static PCCERT_CONTEXT find_cert(HCERTSTORE store, const unsigned char sha1[20])
{
    PCCERT_CONTEXT cert = NULL;

    while ((cert = CertEnumCertificatesInStore(store, cert)) != NULL) {
        BYTE hash[20];
        DWORD len = sizeof(hash);

        if (CertGetCertificateContextProperty(cert, CERT_SHA1_HASH_PROP_ID, hash, &len) &&
            has_sha1(hash, len, sha1))
            break;
    }
    return cert;
}

static PCCRL_CONTEXT find_crl(HCERTSTORE store, const unsigned char sha1[20])
{
    PCCRL_CONTEXT crl = NULL;

    while ((crl = CertEnumCRLsInStore(store, crl)) != NULL) {
        BYTE hash[20];
        DWORD len = sizeof(hash);

        if (CertGetCRLContextProperty(crl, CERT_SHA1_HASH_PROP_ID, hash, &len) &&
            has_sha1(hash, len, sha1))
            break;
    }
    return crl;
}

/* Properties that are documented to be set as plain bytes; others can be set only on a new
 * element. */
static bool as_bytes(uint32_t id)
{
    return id == XR_WIN_EKU || id == XR_WIN_NAME || id == XR_WIN_TEXT;
}

/* Changes only properties of the same certificate: each that differs, first those that take trust.
 * False if they cannot be set one by one. */
static bool set_properties(PCCERT_CONTEXT cert, struct xr_bytes before, struct xr_bytes want)
{
    struct xr_win_record record;
    struct xr_bytes rest = before;

    while (xr_win_blob_next(&record, &rest)) {
        struct xr_bytes other = xr_win_blob_get(want, record.id);

        if (!as_bytes(record.id) && !xr_bytes_equal(other, record.data))
            return false;
    }
    for (rest = want; xr_win_blob_next(&record, &rest);) {
        CRYPT_DATA_BLOB blob = {(DWORD)record.data.len, (BYTE *)(uintptr_t)record.data.data};
        struct xr_bytes other = xr_win_blob_get(before, record.id);

        if (other.data != NULL && xr_bytes_equal(other, record.data))
            continue;
        if (!as_bytes(record.id) || !CertSetCertificateContextProperty(cert, record.id, 0, &blob))
            return false;
    }
    for (rest = before; xr_win_blob_next(&record, &rest);) {
        if (xr_win_blob_get(want, record.id).data == NULL &&
            !CertSetCertificateContextProperty(cert, record.id, 0, NULL))
            return false;
    }
    return true;
}

static enum xr_status add_new(HCERTSTORE store, bool crl, struct xr_bytes blob,
                              struct xr_error *err)
{
    return CertAddSerializedElementToStore(
               store, blob.data, (DWORD)blob.len, CERT_STORE_ADD_ALWAYS, 0,
               crl ? CERT_STORE_CRL_CONTEXT_FLAG : CERT_STORE_CERTIFICATE_CONTEXT_FLAG, NULL, NULL)
               ? XR_OK
               : win_fail(err, GetLastError(), N_("it cannot be written"));
}

static enum xr_status plain_of(struct xr_buf *out, PCCERT_CONTEXT cert, struct xr_error *err)
{
    DWORD len = 0;
    BYTE *blob = NULL;
    enum xr_status status = XR_OK;

    if (!CertSerializeCertificateStoreElement(cert, 0, NULL, &len))
        return win_fail(err, GetLastError(), N_("it cannot be read"));
    blob = xr_new(len, 1);
    if (CertSerializeCertificateStoreElement(cert, 0, blob, &len))
        xr_win_blob_plain(out, (struct xr_bytes){blob, len});
    else
        status = win_fail(err, GetLastError(), N_("it cannot be read"));
    free(blob);
    return status;
}

static enum xr_status change(HCERTSTORE store, PCCERT_CONTEXT cert, struct xr_bytes blob,
                             struct xr_error *err)
{
    struct xr_bytes der = xr_win_blob_get(blob, XR_WIN_CERT);
    struct xr_buf before = {0}, want = {0};
    enum xr_status status = XR_OK;

    if (der.len != cert->cbCertEncoded || memcmp(der.data, cert->pbCertEncoded, der.len) != 0)
        return xr_error_set(err, XR_FAILED, "windows", 0,
                            "another certificate with the same SHA-1 is there");
    status = plain_of(&before, cert, err);
    xr_win_blob_plain(&want, blob);
    if (status == XR_OK &&
        !set_properties(cert, (struct xr_bytes){(unsigned char *)before.data, before.len},
                        (struct xr_bytes){(unsigned char *)want.data, want.len})) {
        PCCERT_CONTEXT again = CertDuplicateCertificateContext(cert);

        status = CertDeleteCertificateFromStore(again)
                     ? add_new(store, false, blob, err)
                     : win_fail(err, GetLastError(), N_("replacing"));
    }
    xr_buf_free(&before);
    xr_buf_free(&want);
    return status;
}

static enum xr_status put(struct win_medium *medium, size_t store, bool crl,
                          const unsigned char sha1[20], struct xr_bytes blob, struct xr_error *err)
{
    PCCERT_CONTEXT cert = NULL;
    PCCRL_CONTEXT list = NULL;
    HCERTSTORE opened = NULL;
    enum xr_status status = writable(&opened, (struct live *)medium, store, err);

    if (status != XR_OK)
        return status;
    cert = crl ? NULL : find_cert(opened, sha1);
    list = crl ? find_crl(opened, sha1) : NULL;
    if (cert != NULL)
        status = change(opened, cert, blob, err);
    else if (list == NULL) /* an existing CRL cannot differ */
        status = add_new(opened, crl, blob, err);
    if (cert != NULL)
        (void)CertFreeCertificateContext(cert);
    if (list != NULL)
        (void)CertFreeCRLContext(list);
    commit(opened);
    return status;
}

/* A deletion frees the context, whether it succeeds or not. */
static enum xr_status take_out(struct win_medium *medium, size_t store, bool crl,
                               const unsigned char sha1[20], struct xr_error *err)
{
    PCCERT_CONTEXT cert = NULL;
    PCCRL_CONTEXT list = NULL;
    HCERTSTORE opened = NULL;
    BOOL gone = TRUE;
    enum xr_status status = writable(&opened, (struct live *)medium, store, err);

    if (status != XR_OK)
        return status;
    cert = crl ? NULL : find_cert(opened, sha1);
    list = crl ? find_crl(opened, sha1) : NULL;
    if (cert != NULL)
        gone = CertDeleteCertificateFromStore(cert);
    if (list != NULL)
        gone = CertDeleteCRLFromStore(list);
    if (!gone)
        status = win_fail(err, GetLastError(), N_("it cannot be deleted"));
    commit(opened);
    return status;
}

/* The registry's own value, which is the same records. */
static bool holds(struct win_medium *medium, size_t store, bool crl, const unsigned char sha1[20],
                  struct xr_bytes blob)
{
    const struct live *live = (struct live *)medium;
    HKEY hive =
        live->location == CERT_SYSTEM_STORE_LOCAL_MACHINE ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER;
    wchar_t name[32], hex[41], path[160];
    DWORD len = 0;
    LSTATUS code = ERROR_SUCCESS;
    struct xr_buf plain = {0};
    bool same = false;

    wide_name(name, win_stores[store].name);
    for (int i = 0; i < 20; i++)
        (void)swprintf(hex + 2 * i, 3, L"%02X", (unsigned)sha1[i]);
    (void)swprintf(path, 160, KEY, name, crl ? L"CRLs" : L"Certificates", hex);
    code = RegGetValueW(hive, path, L"Blob", RRF_RT_REG_BINARY, NULL, NULL, &len);
    if (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND)
        return blob.len == 0;
    if (code == ERROR_SUCCESS && len > 0) {
        unsigned char *there = xr_new(len, 1);

        if (RegGetValueW(hive, path, L"Blob", RRF_RT_REG_BINARY, NULL, there, &len) ==
            ERROR_SUCCESS) {
            xr_win_blob_plain(&plain, (struct xr_bytes){there, len});
            same = xr_bytes_equal((struct xr_bytes){(unsigned char *)plain.data, plain.len}, blob);
        }
        free(there);
        xr_buf_free(&plain);
    }
    return same;
}

/* ---- what can be done ---- */

static void describe(struct xr_caps *caps, const struct xr_session *s, const struct xr_site *site)
{
    struct xr_caps full = {.size = sizeof(full)};

    for (unsigned place = 0; place < XR_PLACE_COUNT; place++)
        full.places[place] = XR_ENFORCED;
    full.purposes = WIN_PURPOSES;
    full.subjects = 1u << XR_SUBJECT_CERT;
    full.atomic = true;
    full.writable = !s->machine || site->uid == 0;
    if (!full.writable) {
        full.needs_privilege = true;
        (void)snprintf(full.why_not, sizeof(full.why_not),
                       N_("only an administrator, in an elevated prompt, may change it"));
    }
    (void)snprintf(full.summary, sizeof(full.summary), "%s",
                   s->machine ? N_("Windows, for every user of this machine")
                              : N_("Windows, for this user; a dialog asks before ROOT changes"));
    (void)snprintf(full.verifier, sizeof(full.verifier),
                   N_("CryptoAPI CertGetCertificateChain, from its cache only"));
    (void)snprintf(full.identity, sizeof(full.identity), "windows:%s", s->machine ? MACHINE : USER);
    xr_caps_give(caps, &full);
}

/* ---- sessions ---- */

static void session_close(struct xr_session *s)
{
    win_view_free(&s->view);
    close_written(&s->live);
    if (s->lock != NULL) {
        if (s->write)
            (void)ReleaseMutex(s->lock);
        (void)CloseHandle(s->lock);
    }
    free(s->live.written);
    free(s);
}

/* A mutex that a killed process abandoned counts as taken: the journal knows what that process
 * left. */
static enum xr_status lock(struct xr_session *s, struct xr_error *err)
{
    const wchar_t *name =
        s->machine ? L"Global\\crossroot-LocalMachine" : L"Local\\crossroot-CurrentUser";
    DWORD got = 0;

    s->lock = CreateMutexW(NULL, FALSE, name);
    if (s->lock == NULL)
        return win_fail(err, GetLastError(), N_("the lock"));
    got = WaitForSingleObject(s->lock, LOCK_MS);
    if (got == WAIT_OBJECT_0 || got == WAIT_ABANDONED)
        return XR_OK;
    (void)CloseHandle(s->lock);
    s->lock = NULL;
    return xr_error_set(err, XR_BUSY, "windows", 0, "another process keeps it locked");
}

static enum xr_status session_open(struct xr_session **out, struct xr_caps *caps,
                                   const struct xr_host *host, const struct xr_target *target,
                                   enum xr_mode mode, struct xr_error *err)
{
    bool machine = strcmp(target->location, MACHINE) == 0;
    struct xr_session *s = NULL;
    enum xr_status status = XR_OK;

    if ((!machine && strcmp(target->location, USER) != 0) || target->site->root != NULL)
        return xr_error_set(
            err, XR_UNSUPPORTED, "windows", 0,
            target->site->root != NULL
                ? N_("crossroot changes images only when it runs on Linux")
                : N_("the stores are windows:LocalMachine and windows:CurrentUser"));
    s = xr_new(1, sizeof(*s));
    s->host = host;
    s->machine = machine;
    s->live.medium = (struct win_medium){
        .list = list_all, .put = put, .take = take_out, .holds = holds, .computes = true};
    s->live.location = machine ? CERT_SYSTEM_STORE_LOCAL_MACHINE : CERT_SYSTEM_STORE_CURRENT_USER;
    s->live.written = xr_new(win_store_count, sizeof(*s->live.written));
    s->view.host = host;
    s->view.medium = &s->live.medium;
    describe(caps, s, target->site);
    if (mode == XR_WRITE && caps->writable) {
        status = lock(s, err);
        s->write = status == XR_OK;
    }
    if (status != XR_OK) {
        session_close(s);
        return status;
    }
    *out = s;
    return XR_OK;
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

/* Closes the stores, so that the next list reads the registry and not their memory. */
static enum xr_status flush(struct xr_session *s, struct xr_error *err)
{
    (void)err;
    close_written(&s->live);
    win_view_free(&s->view);
    return XR_OK;
}

static enum xr_status probe(struct xr_session *s, struct xr_verdict *out,
                            const struct xr_probe *question, struct xr_error *err)
{
    close_written(&s->live);
    return win_ask(out, s->host, s->machine, question, err);
}

static enum xr_status discover(const struct xr_host *host, const struct xr_site *site,
                               unsigned scope, xr_found_fn emit, void *ctx, struct xr_error *err)
{
    const struct xr_found found = {.size = sizeof(found),
                                   .location = MACHINE,
                                   .identity = "windows:" MACHINE,
                                   .summary = N_("Windows, for every user of this machine")};

    (void)host;
    (void)err;
    return site->root == NULL && (scope & XR_SCOPE_SYSTEM) != 0 ? emit(ctx, &found) : XR_OK;
}

static const struct xr_backend table = {
    .abi = XR_ABI_VERSION,
    .size = sizeof(struct xr_backend),
    .name = "windows",
    .summary = N_("system stores of this Windows (CryptoAPI)"),
    .discover = discover,
    .open = session_open,
    .close = session_close,
    .list = list,
    .swap = swap,
    .flush = flush,
    .probe = probe,
};

XR_BACKEND(table);
