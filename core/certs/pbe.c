/* SPDX-License-Identifier: Apache-2.0 */
#include "pbe.h"

#include <openssl/crypto.h>
#include <openssl/objects.h>

static bool is_legacy(int nid)
{
    static const int legacy[] = {
        NID_pbe_WithSHA1And40BitRC2_CBC,
        NID_pbe_WithSHA1And128BitRC2_CBC,
        NID_pbe_WithSHA1And40BitRC4,
        NID_pbe_WithSHA1And128BitRC4,
        NID_pbeWithMD5AndDES_CBC,
        NID_pbeWithSHA1AndDES_CBC,
        NID_pbeWithMD5AndRC2_CBC,
        NID_pbeWithSHA1AndRC2_CBC,
        NID_des_cbc,
        NID_rc2_cbc,
    };

    for (size_t i = 0; i < sizeof(legacy) / sizeof(legacy[0]); i++) {
        if (nid == legacy[i])
            return true;
    }
    return false;
}

void xr_pbe_add_rounds(struct xr_pbe *pbe, const ASN1_INTEGER *number)
{
    uint64_t rounds = 1;

    if (number != NULL && ASN1_INTEGER_get_uint64(&rounds, number) != 1)
        rounds = XR_PBE_ROUNDS_MAX + 1;
    pbe->rounds += rounds < XR_PBE_ROUNDS_MAX ? rounds : XR_PBE_ROUNDS_MAX + 1;
}

enum xr_status xr_pbe_check_rounds(const struct xr_pbe *pbe, struct xr_error *err)
{
    if (pbe->rounds > XR_PBE_ROUNDS_MAX)
        return xr_fail(err, XR_REFUSED,
                       "PKCS#12 whose password takes more than %u rounds of hashing to check",
                       XR_PBE_ROUNDS_MAX);
    return XR_OK;
}

static bool add_pbes2(struct xr_pbe *pbe, const ASN1_TYPE *parameter)
{
    PBE2PARAM *both = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), parameter);
    PBKDF2PARAM *kdf = NULL;
    bool ok = false;

    if (both != NULL && OBJ_obj2nid(both->keyfunc->algorithm) == NID_id_pbkdf2)
        kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), both->keyfunc->parameter);
    if (kdf != NULL) {
        pbe->wants_legacy =
            pbe->wants_legacy || is_legacy(OBJ_obj2nid(both->encryption->algorithm));
        xr_pbe_add_rounds(pbe, kdf->iter);
        ok = true;
    }
    PBKDF2PARAM_free(kdf);
    PBE2PARAM_free(both);
    return ok;
}

bool xr_pbe_add(struct xr_pbe *pbe, const X509_ALGOR *alg)
{
    int nid = OBJ_obj2nid(alg->algorithm);
    PBEPARAM *one = NULL;
    bool ok = false;

    if (nid == NID_pbes2)
        return add_pbes2(pbe, alg->parameter);
    pbe->wants_legacy = pbe->wants_legacy || is_legacy(nid);
    one = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), alg->parameter);
    if (one != NULL) {
        xr_pbe_add_rounds(pbe, one->iter);
        ok = true;
    }
    PBEPARAM_free(one);
    return ok;
}

/* RC2, RC4 and DES are in a module of OpenSSL. It is loaded for this file alone, and only from where
 * OpenSSL was built to look: the environment has no say. */
static bool with_legacy(struct xr_pbe *pbe)
{
    pbe->lib = OSSL_LIB_CTX_new();
    if (pbe->lib == NULL || OSSL_PROVIDER_set_default_search_path(
                                pbe->lib, OPENSSL_info(OPENSSL_INFO_MODULES_DIR)) != 1)
        return false;
    pbe->standard = OSSL_PROVIDER_load(pbe->lib, "default");
    pbe->legacy = OSSL_PROVIDER_load(pbe->lib, "legacy");
    return pbe->standard != NULL && pbe->legacy != NULL;
}

enum xr_status xr_pbe_open_legacy(struct xr_pbe *pbe, struct xr_error *err)
{
    if (with_legacy(pbe))
        return XR_OK;
    ERR_clear_error();
    return xr_fail(err, XR_UNSUPPORTED,
                   "PKCS#12 with an old encryption (RC2, RC4 or DES), for which OpenSSL needs its "
                   "\"legacy\" module, which is not there: %s",
                   OPENSSL_info(OPENSSL_INFO_MODULES_DIR));
}

void xr_pbe_close(struct xr_pbe *pbe)
{
    if (pbe->standard != NULL)
        (void)OSSL_PROVIDER_unload(pbe->standard);
    if (pbe->legacy != NULL)
        (void)OSSL_PROVIDER_unload(pbe->legacy);
    OSSL_LIB_CTX_free(pbe->lib);
    *pbe = (struct xr_pbe){0};
}
