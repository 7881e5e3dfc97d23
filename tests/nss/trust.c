/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nss-trust LIBS DATABASE std|nss FILE.der anchor|distrust|neutral: a trust object of one kind for a
 * certificate, as some other program leaves it, whether the certificate is there or not. LIBS is a
 * directory of NSS libraries or "system".
 */
#include "../../backends/nss/store.h"
#include "stores/registry.h"
#include "sys/sys.h"

#include <fcntl.h>
#include <stdlib.h>

static int fail(const char *what, const struct xr_error *err)
{
    (void)fprintf(stderr, "nss-trust: %s: %s\n", what, err != NULL ? err->text : "");
    return 1;
}

static void make_std(struct p11_object *out, unsigned long value, const struct xr_slices *cert,
                     struct xr_bytes der)
{
    static const unsigned long columns[] = {STD_CKA_SERVER_AUTH, STD_CKA_CLIENT_AUTH,
                                            STD_CKA_EMAIL_PROT, STD_CKA_CODE};
    unsigned char sum[XR_SHA256_LEN];

    out->kind = STD_CKO_TRUST;
    p11_set_bool(out, CKA_TOKEN, true);
    p11_set_bool(out, CKA_PRIVATE, false);
    p11_set_bytes(out, CKA_ISSUER, cert->issuer);
    p11_set_bytes(out, CKA_SERIAL_NUMBER, cert->serial);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        p11_set_ulong(out, columns[i], value);
    xr_host.sha256(sum, der);
    p11_set(out, STD_CKA_CERT_HASH, sum, sizeof(sum));
    p11_set_ulong(out, STD_CKA_HASH_ALG, CKM_SHA256);
}

int main(int argc, char **argv)
{
    struct xr_error err = {.size = sizeof(err)};
    struct xr_site site = {.size = sizeof(site)};
    struct nss_libs libs;
    struct nss_token token = {.open = false};
    struct p11_object object = {0};
    struct xr_slices slices = {.size = sizeof(slices)};
    struct p11_trust trust = {0};
    unsigned char bytes[8192], sha1[20], md5[16];
    FILE *file = argc == 6 ? fopen(argv[4], "rb") : NULL;
    struct xr_bytes der = {bytes, file != NULL ? fread(bytes, 1, sizeof(bytes), file) : 0};
    int dir = argc == 6 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool std = false, anchor = false, distrust = false;

    if (file != NULL)
        (void)fclose(file);
    if (dir < 0 || xr_host.slices(&slices, der, &err) != XR_OK)
        return fail("usage, or no certificate", &err);
    std = strcmp(argv[3], "std") == 0;
    anchor = strcmp(argv[5], "anchor") == 0;
    distrust = strcmp(argv[5], "distrust") == 0;
    site.nss = strcmp(argv[1], "system") != 0 ? argv[1] : NULL;
    if (nss_libs_find(&libs, &site, &err) != XR_OK ||
        nss_token_open(&token, &libs, dir, true, &err) != XR_OK ||
        nss_token_ready(&token, &err) != XR_OK)
        return fail("no database", &err);
    trust.anchor = anchor ? XR_SERVER : 0;
    trust.distrust = distrust ? P11_PURPOSES : 0;
    xr_host.sha1(sha1, der);
    xr_host.md5(md5, der);
    if (std)
        make_std(&object, anchor ? STD_TRUST_ANCHOR : distrust ? STD_NOT_TRUSTED : 0, &slices, der);
    else
        p11_trust_make(&object, &trust, &slices, sha1, md5);
    if (p11_create(&token.p, &object, &err) != XR_OK)
        return fail("not written", &err);
    p11_object_free(&object);
    nss_token_close(&token);
    return 0;
}
