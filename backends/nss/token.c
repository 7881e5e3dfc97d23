/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses softoken directly through PKCS#11. NSS's certificate API would merge nicknames, use the
 * trust of the first database for all others, and load the modules that pkcs11.txt names.
 */
#include "store.h"
#include "troubles.h"

#include <dlfcn.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

/* NSS's own idea of CK_C_INITIALIZE_ARGS: a string before the reserved pointer. */
struct init_args {
    CK_CREATEMUTEX create;
    CK_DESTROYMUTEX destroy;
    CK_LOCKMUTEX lock;
    CK_UNLOCKMUTEX unlock;
    CK_FLAGS flags;
    const char *parameters;
    void *reserved;
};

#define DATABASE    "configdir='sql:.' certPrefix='' keyPrefix='' secmod='secmod.db'"
#define TOKEN_LABEL "NSS Certificate DB              " /* 32, as pkcs11 pads it */
#define NO_CERT_DB  0xCE534351UL /* CKR_NSS_CERTDB_FAILED and CKR_NSS_KEYDB_FAILED, pkcs11n.h */
#define NO_KEY_DB   0xCE534352UL
#define KNOWN_FIRST 87 /* NSS 3.87 to 3.125: docs/decisions/0030 */
#define KNOWN_LAST  125
#define TRIES       40u /* of 50 ms: a writer is done by then */

/* Libraries of NSS are global to a process. One that could not be shut down keeps the database that it
 * has, and takes the next one for that. */
static bool stuck;

void nss_stuck_set(void)
{
    stuck = true;
}

bool nss_stuck(void)
{
    return stuck;
}

static bool our_slot(const struct nss_token *token, CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    return token->p.f->C_GetTokenInfo(slot, info) == CKR_OK &&
           memcmp(info->label, TOKEN_LABEL, sizeof(info->label)) == 0;
}

/* CKR_DEVICE_ERROR if the database is not there: softoken then has only its crypto slot. */
static CK_RV open_session(struct nss_token *token)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = sizeof(slots) / sizeof(slots[0]);
    CK_RV rv = token->p.f->C_GetSlotList(CK_TRUE, slots, &count);

    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        CK_TOKEN_INFO info;

        if (!our_slot(token, slots[i], &info))
            continue;
        token->slot = slots[i];
        token->blank =
            (info.flags & CKF_LOGIN_REQUIRED) != 0 && (info.flags & CKF_USER_PIN_INITIALIZED) == 0;
        token->password = (info.flags & CKF_LOGIN_REQUIRED) != 0 && !token->blank;
        return token->p.f->C_OpenSession(slots[i],
                                         CKF_SERIAL_SESSION | (token->write ? CKF_RW_SESSION : 0),
                                         NULL, NULL, &token->p.session);
    }
    return rv == CKR_OK ? CKR_DEVICE_ERROR : rv;
}

static CK_RV initialize(struct nss_token *token)
{
    /* noModDB: modules that pkcs11.txt names are not loaded. A reader opens cert9.db alone if
     * key4.db is missing, which takes a token of its own; a writer makes key4.db, as certutil and
     * Firefox do. */
    static const char *const parameters[][2] = {
        {DATABASE " flags=readOnly,noModDB",
         "flags=readOnly,noModDB tokens=<0x2=[configdir='sql:.' flags=readOnly,noKeyDB]>"},
        {DATABASE " flags=noModDB", DATABASE " flags=noModDB"},
    };
    /* The certificates of a cert8.db, and their trust, need no key3.db. */
    static const char old[] =
        "flags=readOnly,noModDB tokens=<0x2=[configdir='dbm:.' flags=readOnly,noKeyDB]>";
    struct init_args args = {.flags = CKF_OS_LOCKING_OK,
                             .parameters =
                                 token->old ? old : parameters[token->write][token->keyless]};
    CK_RV rv = token->p.f->C_Initialize(&args);

    if (rv != CKR_OK)
        return rv;
    rv = open_session(token);
    if (rv != CKR_OK && token->p.f->C_Finalize(NULL) != CKR_OK)
        nss_stuck_set();
    return rv;
}

/* A newer softoken adds columns when it opens a database for writing. It does so to the files, and they are
 * copied again. */
static enum xr_status open_copy(struct nss_token *token, void *handle, int dir,
                                struct xr_error *err)
{
    for (unsigned i = 0; i < 2; i++) {
        enum xr_status status = nss_copy_open(&token->copy, handle, dir, token->begin, err);

        if (token->copy == NULL)
            return status;
        token->open = initialize(token) == CKR_OK;
        if (token->open && nss_copy_usable(token->copy))
            return XR_OK;
        nss_token_close(token);
        token->open = initialize(token) == CKR_OK;
        nss_token_close(token);
        if (nss_troubles_noted())
            break;
    }
    return XR_OK;
}

enum xr_status nss_token_open(struct nss_token *token, const struct nss_libs *libs, int dir,
                              bool write, struct xr_error *err)
{
    void *handle = nss_libs_load(libs, "libsoftokn3.so", err);
    void *symbol = handle != NULL ? dlsym(handle, "C_GetFunctionList") : NULL;
    CK_C_GetFunctionList get = NULL;
    CK_RV rv = CKR_OK;

    if (handle == NULL)
        return XR_FAILED;
    memcpy(&get, &symbol, sizeof(get));
    if (get == NULL || get(&token->p.f) != CKR_OK)
        return xr_fail(err, XR_FAILED, "the NSS library has no PKCS#11 functions");
    if (fchdir(dir) != 0)
        return xr_fail_errno(err, "cannot enter the directory");
    nss_troubles_watch(handle);
    token->write = write;
    token->keyless = nss_files_keyless(dir);
    if (write && token->may_copy) {
        enum xr_status status = open_copy(token, handle, dir, err);

        if (status != XR_OK || token->open)
            return status;
    }
    /* While another program writes, the database may look broken for a moment. What the system refused
     * is no such moment: tried again, a sync that failed would seem to succeed. */
    for (unsigned i = 0; i < TRIES; i++) {
        const struct timespec pause = {.tv_nsec = 50000000};

        rv = initialize(token);
        if (rv != CKR_DEVICE_ERROR && rv != NO_CERT_DB && rv != NO_KEY_DB)
            break;
        if (token->old || nss_troubles_noted() || (i >= 4 && !nss_files_busy(dir)))
            break;
        (void)nanosleep(&pause, NULL);
    }
    if (rv != CKR_OK && token->old)
        return xr_error_set(err, XR_FAILED, "pkcs11", (long)rv,
                            "cannot open cert8.db: it is damaged or not a database");
    if (rv == NO_CERT_DB || rv == NO_KEY_DB)
        return xr_error_set(err, nss_files_busy(dir) ? XR_BUSY : XR_FAILED, "pkcs11", (long)rv,
                            "cannot open %s: %s", rv == NO_CERT_DB ? "cert9.db" : "key4.db",
                            nss_files_busy(dir) ? N_("another program keeps it locked")
                                                : N_("it is damaged or not a database"));
    if (rv != CKR_OK)
        return p11_fail(err, rv, "cannot open cert9.db");
    token->open = true;
    return XR_OK;
}

bool nss_token_known(const struct nss_libs *libs)
{
    void *handle = nss_libs_load(libs, "libsoftokn3.so", NULL);
    void *symbol = handle != NULL ? dlsym(handle, "C_GetFunctionList") : NULL;
    CK_C_GetFunctionList get = NULL;
    CK_FUNCTION_LIST *f = NULL;
    CK_INFO info;

    memcpy(&get, &symbol, sizeof(get));
    memset(&info, 0, sizeof(info));
    return get != NULL && get(&f) == CKR_OK && f->C_GetInfo(&info) == CKR_OK &&
           info.libraryVersion.major == 3 && info.libraryVersion.minor >= KNOWN_FIRST &&
           info.libraryVersion.minor <= KNOWN_LAST;
}

bool nss_token_reads_old(const struct nss_libs *libs)
{
    void *handle = nss_libs_load(libs, "libsoftokn3.so", NULL);
    char path[PATH_MAX];

    return handle != NULL &&
           nss_libs_beside(path, sizeof(path), dlsym(handle, "C_GetFunctionList"), "libnssdbm3.so");
}

void nss_token_close(struct nss_token *token)
{
    if (token->open) {
        (void)token->p.f->C_CloseSession(token->p.session);
        if (token->p.f->C_Finalize(NULL) != CKR_OK)
            nss_stuck_set();
        token->open = false;
    }
    nss_copy_close(token->copy);
    token->copy = NULL;
}

enum xr_status nss_token_unlock(struct nss_token *token, struct xr_bytes password,
                                struct xr_error *err)
{
    CK_RV rv = token->p.f->C_Login(token->p.session, CKU_USER,
                                   (CK_UTF8CHAR_PTR)(uintptr_t)password.data, password.len);

    if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
        return p11_fail(err, rv, "cannot unlock");
    token->password = false;
    return XR_OK;
}

enum xr_status nss_token_ready(struct nss_token *token, struct xr_error *err)
{
    static CK_UTF8CHAR none[] = "";
    CK_RV rv = CKR_OK;

    if (token->password)
        return p11_fail(err, CKR_USER_NOT_LOGGED_IN, "cannot write trust");
    if (!token->blank)
        return XR_OK;
    rv = token->p.f->C_Login(token->p.session, CKU_SO, none, 0);
    if (rv == CKR_OK) {
        rv = token->p.f->C_InitPIN(token->p.session, none, 0);
        (void)token->p.f->C_Logout(token->p.session);
    }
    if (rv != CKR_OK)
        return p11_fail(err, rv, "cannot prepare the database");
    token->blank = false;
    return XR_OK;
}
